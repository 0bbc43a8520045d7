/* See inroot.h. */
#include "inroot.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "files.h"

enum { MAX_DEPTH = 128, MAX_PATH = 4096 };

static int walk(int root, const char *path, bool follow_last) {
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

static int open_or_create(int root, const char *path, bool follow_last, enum create_kind create, int depth);

struct link {
  int parent;
  const char *name;
  /* Of the directory that it is in. */
  const char *directory;
};

/* A link that points nowhere: the directory that it names is made. */
static int follow_dangling(int root, const struct link *link, int depth) {
  char target[MAX_PATH], path[2 * MAX_PATH];
  ssize_t size = readlinkat(link->parent, link->name, target, sizeof target - 1);
  if (size < 0) return -1;
  target[size] = 0;
  snprintf(path, sizeof path, "%s%s", target[0] == '/' ? "" : link->directory, target);
  return open_or_create(root, path, true, CREATE_DIRECTORY, depth + 1);
}

static int open_or_create(int root, const char *path, bool follow_last, enum create_kind create, int depth) {
  int fd = walk(root, path, follow_last);
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
  fd = error ? -1 : walk(parent, name, false);
  if (!error && fd < 0) error = errno;
  struct stat info;
  if (fd >= 0 && fstat(fd, &info) == 0 && S_ISLNK(info.st_mode)) {
    close(fd);
    fd = create == CREATE_DIRECTORY ? follow_dangling(root, &(struct link){parent, name, copy}, depth) : -1;
    error = create == CREATE_DIRECTORY ? errno : ENOENT;
  }
  close(parent);
  return errno = error, fd;
}

int open_in_root(int root, const char *path, struct in_root options) {
  return open_or_create(root, path, options.follow_last, options.create, 0);
}
