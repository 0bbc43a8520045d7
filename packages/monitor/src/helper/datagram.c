/* Sends one datagram to a Unix socket (syslog, journald, a service manager): Node has no such sockets. */
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "../protocol.h"
#include "helper.h"

/* `@name` is an abstract socket. A long path goes over its directory, for the 108 bytes of sun_path. */
static int address_of(const char *path, struct sockaddr_un *address, socklen_t *size, int *directory) {
  size_t length = strlen(path);
  *address = (struct sockaddr_un){.sun_family = AF_UNIX};
  if (length > 0 && length < sizeof address->sun_path) {
    memcpy(address->sun_path, path, length);
    if (path[0] == '@') address->sun_path[0] = 0;
    *size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length + (path[0] == '@' ? 0 : 1));
    return 0;
  }
  char parent[4096];
  const char *slash = strrchr(path, '/');
  if (!slash || slash == path || (size_t)(slash - path) >= sizeof parent) return ENAMETOOLONG;
  memcpy(parent, path, (size_t)(slash - path));
  parent[slash - path] = 0;
  *directory = open(parent, O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (*directory < 0) return errno;
  int written = snprintf(address->sun_path, sizeof address->sun_path, "/proc/self/fd/%d/%s", *directory, slash + 1);
  if (written < 0 || (size_t)written >= sizeof address->sun_path) return ENAMETOOLONG;
  *size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + (size_t)written + 1);
  return 0;
}

/* In the daemon's name: service manager and journal ask who sent it, and the helper is not the service's main process.
 * Another's pid takes CAP_SYS_ADMIN; without it the datagram goes out in the helper's own name. */
static ssize_t send_as_daemon(int sender, const struct field *bytes, struct sockaddr_un *address, socklen_t size) {
  union {
    struct cmsghdr header;
    char space[CMSG_SPACE(sizeof(struct ucred))];
  } control = {.header = {.cmsg_level = SOL_SOCKET, .cmsg_type = SCM_CREDENTIALS, .cmsg_len = CMSG_LEN(sizeof(struct ucred))}};
  struct ucred daemon = {.pid = getppid(), .uid = getuid(), .gid = getgid()};
  struct iovec data = {.iov_base = (void *)(uintptr_t)bytes->data, .iov_len = bytes->size};
  struct msghdr message = {.msg_name = address, .msg_namelen = size, .msg_iov = &data, .msg_iovlen = 1};
  memcpy(CMSG_DATA(&control.header), &daemon, sizeof daemon);
  message.msg_control = &control;
  message.msg_controllen = sizeof control;
  ssize_t sent;
  do sent = sendmsg(sender, &message, MSG_NOSIGNAL);
  while (sent < 0 && errno == EINTR);
  if (sent >= 0 || (errno != EPERM && errno != ESRCH)) return sent;
  message.msg_control = NULL;
  message.msg_controllen = 0;
  do sent = sendmsg(sender, &message, MSG_NOSIGNAL);
  while (sent < 0 && errno == EINTR);
  return sent;
}

int op_datagram(const struct message *request, struct answer *answer) {
  static int sender = -1;
  struct field bytes;
  struct sockaddr_un address;
  socklen_t size = 0;
  int directory = -1;
  const char *path = message_text(request, TAG_PATH);
  if (!path || !path[0] || !message_field(request, TAG_DATAGRAM, &bytes)) return fail(answer, EINVAL, "datagram: malformed request");
  if (sender < 0) {
    sender = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (sender < 0) return fail(answer, errno, "datagram: socket");
  }
  int error = address_of(path, &address, &size, &directory);
  ssize_t sent = -1;
  if (!error) {
    sent = send_as_daemon(sender, &bytes, &address, size);
    error = sent < 0 ? errno : 0;
  }
  if (directory >= 0) close(directory);
  return error ? fail(answer, error, "datagram to %s", path) : 0;
}
