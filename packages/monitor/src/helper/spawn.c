/* Starts monitors. The listening socket is made here, before the program runs, so that the daemon can connect as soon
 * as it has the answer and never has to ask whether the monitor is ready. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "../monitor/monitor.h"
#include "../protocol.h"
#include "helper.h"

enum { MAX_ARGUMENTS = 16, MAX_ENVIRONMENT = 64, BACKLOG = 1024 };

/* Splits the path so that a long directory does not meet the 108 bytes of sun_path. */
static int listen_at(const char *path) {
  const char *slash = strrchr(path, '/');
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  char directory[4096];
  if (!slash || slash == path || (size_t)(slash - path) >= sizeof directory) return errno = EINVAL, -1;
  memcpy(directory, path, (size_t)(slash - path));
  directory[slash - path] = 0;
  int parent = open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (parent < 0) return -1;
  int size = snprintf(address.sun_path, sizeof address.sun_path, "/proc/self/fd/%d/%s", parent, slash + 1);
  int fd = -1;
  if (size > 0 && (size_t)size < sizeof address.sun_path) fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  else errno = ENAMETOOLONG;
  if (fd >= 0) {
    unlinkat(parent, slash + 1, 0);
    /* The socket file takes this mode, so it is never open to others, not even for a moment. */
    if (fchmod(fd, 0600) != 0 || bind(fd, (struct sockaddr *)&address, sizeof address) != 0 || listen(fd, BACKLOG) != 0) {
      int saved = errno;
      close(fd);
      errno = saved;
      fd = -1;
    }
  }
  int saved = errno;
  close(parent);
  return errno = saved, fd;
}

static int spawn(pid_t *pid, int listener, char **arguments, char **environment) {
  posix_spawnattr_t attributes;
  posix_spawn_file_actions_t actions;
  sigset_t defaults, none;
  sigemptyset(&none);
  sigemptyset(&defaults);
  sigaddset(&defaults, SIGPIPE);
  sigaddset(&defaults, SIGCHLD);
  int error = posix_spawnattr_init(&attributes);
  if (error) return error;
  error = posix_spawn_file_actions_init(&actions);
  if (error) {
    posix_spawnattr_destroy(&attributes);
    return error;
  }
  if (!error) error = posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
  if (!error) error = posix_spawnattr_setsigdefault(&attributes, &defaults);
  if (!error) error = posix_spawnattr_setsigmask(&attributes, &none);
  if (!error) error = posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDWR, 0);
  if (!error) error = posix_spawn_file_actions_adddup2(&actions, 0, 1);
  if (!error) error = posix_spawn_file_actions_adddup2(&actions, 0, 2);
  if (!error) error = posix_spawn_file_actions_adddup2(&actions, listener, MONITOR_LISTENER);
  /* Our own executable by its inode: daemon and monitor speak the same protocol even while an upgrade replaces the file. */
  if (!error) error = posix_spawn(pid, "/proc/self/exe", &actions, &attributes, arguments, environment);
  posix_spawn_file_actions_destroy(&actions);
  posix_spawnattr_destroy(&attributes);
  return error;
}

int op_spawn(const struct message *request, struct answer *answer) {
  char *arguments[MAX_ARGUMENTS + 2] = {(char *)"dockerd-ts-monitor"};
  char *environment[MAX_ENVIRONMENT + 1] = {0};
  size_t argument_count = 1, environment_count = 0;
  struct field field;
  for (size_t at = 0; next_field(request, &at, &field);) {
    if (field.tag != TAG_ARGUMENT && field.tag != TAG_ENVIRONMENT) continue;
    const char *text = field_as_text(&field);
    if (!text) return fail(answer, EINVAL, "spawn: malformed argument");
    if (field.tag == TAG_ARGUMENT && argument_count <= MAX_ARGUMENTS) arguments[argument_count++] = (char *)text;
    else if (field.tag == TAG_ENVIRONMENT && environment_count < MAX_ENVIRONMENT) environment[environment_count++] = (char *)text;
    else return fail(answer, E2BIG, "spawn: too many arguments");
  }
  const char *path = message_text(request, TAG_SOCKET);
  if (!path) return fail(answer, EINVAL, "spawn: socket path is missing");
  int listener = listen_at(path);
  if (listener < 0) return fail(answer, errno, "spawn: listen at %s", path);
  pid_t pid = 0;
  int error = spawn(&pid, listener, arguments, environment);
  if (error) unlink(path);
  close(listener);
  if (error) return fail(answer, error, "spawn monitor");
  answer->pid = (uint64_t)pid;
  return 0;
}
