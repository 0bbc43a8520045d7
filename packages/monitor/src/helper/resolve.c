/* Finds files inside a container's root without ever leaving it, whatever links the container makes meanwhile: the
 * kernel resolves the path as if the root were "/" (openat2 RESOLVE_IN_ROOT). The answer is a descriptor that the helper
 * holds; the daemon opens it by /proc/PID/fd/N, so there is no second walk that a swapped link could lead astray. */
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "../files.h"
#include "../protocol.h"
#include "helper.h"

enum { MAX_HANDLES = 1024, MAX_DEPTH = 128, MAX_PATH = 4096 };

static int handles[MAX_HANDLES]; /* descriptor + 1; 0 is free */

static int open_in_root(int root, const char *path, bool follow_last) {
  struct open_how how = {
      .flags = O_PATH | O_CLOEXEC | (follow_last ? 0 : O_NOFOLLOW),
      .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS,
  };
  long fd;
  /* EAGAIN: something was renamed during the walk and the kernel could not prove that we stayed inside. */
  int tries = 0;
  do fd = syscall(SYS_openat2, root, *path ? path : ".", &how, sizeof how);
  while (fd < 0 && (errno == EINTR || (errno == EAGAIN && ++tries < 1000)));
  return (int)fd;
}

/* Cuts the last component off; false when there is none to make (the root itself, "." or ".."). */
static bool split_last(char *path, char **last) {
  size_t size = strlen(path);
  while (size > 0 && path[size - 1] == '/') path[--size] = 0;
  char *slash = strrchr(path, '/');
  *last = slash ? slash + 1 : path;
  return size > 0 && strcmp(*last, ".") != 0 && strcmp(*last, "..") != 0;
}

static int open_or_create(int root, const char *path, bool follow_last, uint64_t create, int depth) {
  int fd = open_in_root(root, path, follow_last);
  if (fd >= 0 || errno != ENOENT || create == CREATE_NONE) return fd;
  char copy[MAX_PATH], *last;
  if (depth == MAX_DEPTH || strlen(path) >= sizeof copy) return errno = ENAMETOOLONG, -1;
  strcpy(copy, path);
  if (!split_last(copy, &last)) return errno = ENOENT, -1;
  char name[256];
  if ((size_t)snprintf(name, sizeof name, "%s", last) >= sizeof name) return errno = ENAMETOOLONG, -1;
  *last = 0;
  int parent = open_or_create(root, copy, true, CREATE_DIRECTORY, depth + 1);
  if (parent < 0) return -1;
  int error = 0;
  if (create == CREATE_DIRECTORY) {
    if (mkdirat(parent, name, 0755) != 0 && errno != EEXIST) error = errno;
  } else {
    int made = open_at(parent, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0644);
    if (made >= 0) close(made);
    else if (errno != EEXIST) error = errno;
  }
  /* Opened by name once more, inside the root: somebody may have replaced it. */
  fd = error ? -1 : open_in_root(parent, name, false);
  if (!error && fd < 0) error = errno;
  close(parent);
  struct stat info;
  if (fd >= 0 && fstat(fd, &info) == 0 && S_ISLNK(info.st_mode)) {
    /* A link that points nowhere. */
    close(fd);
    fd = -1;
    error = ENOENT;
  }
  return errno = error, fd;
}

int op_resolve(const struct message *request, struct answer *answer) {
  const char *root_path = message_text(request, TAG_ROOT), *path = message_text(request, TAG_PATH);
  bool follow_last = message_number(request, TAG_FOLLOW, 0) != 0;
  uint64_t create = message_number(request, TAG_CREATE, CREATE_NONE);
  if (!root_path || root_path[0] != '/' || !path || create > CREATE_FILE) return fail(answer, EINVAL, "resolve: malformed request");
  int slot = 0;
  while (slot < MAX_HANDLES && handles[slot]) slot++;
  if (slot == MAX_HANDLES) return fail(answer, EMFILE, "resolve %s: too many paths are held", path);
  int root = open_at(AT_FDCWD, root_path, O_PATH | O_DIRECTORY, 0);
  if (root < 0) return fail(answer, errno, "resolve: root %s", root_path);
  int fd = open_or_create(root, path, follow_last, create, 0);
  int error = errno;
  close(root);
  if (fd < 0) return fail(answer, error, "resolve %s", path);
  handles[slot] = fd + 1;
  answer->handle = (uint64_t)slot + 1;
  snprintf(answer->text, sizeof answer->text, "/proc/%d/fd/%d", getpid(), fd);
  return 0;
}

int op_release(const struct message *request, struct answer *answer) {
  uint64_t handle = message_number(request, TAG_HANDLE, 0);
  if (handle == 0 || handle > MAX_HANDLES) return fail(answer, EINVAL, "release: malformed handle");
  if (handles[handle - 1]) close(handles[handle - 1] - 1);
  handles[handle - 1] = 0;
  return 0;
}
