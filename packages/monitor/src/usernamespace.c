/* See usernamespace.h. The maps of several ranges can only be written from outside, so a child makes the namespace. */
#include "usernamespace.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "files.h"

enum { MAX_MAP_BYTES = 4096 /* the kernel takes less than one page */ };

static int write_map(pid_t holder, const char *name, const char *lines, size_t size) {
  char path[64], text[MAX_MAP_BYTES];
  if (size == 0 || size >= sizeof text) return EINVAL;
  memcpy(text, lines, size);
  for (size_t i = 0; i < size; i++)
    if (text[i] == ',') text[i] = '\n';
  snprintf(path, sizeof path, "/proc/%d/%s", (int)holder, name);
  int fd = open(path, O_WRONLY | O_CLOEXEC);
  if (fd < 0) return errno;
  /* In one write, or the kernel refuses it. */
  ssize_t written = write(fd, text, size);
  int error = written == (ssize_t)size ? 0 : written < 0 ? errno : EIO;
  close(fd);
  return error;
}

static int join(const char *path) {
  int space = open(path, O_RDONLY | O_CLOEXEC);
  return space >= 0 && setns(space, CLONE_NEWUSER) == 0 ? 0 : -1;
}

/* `path` NULL: a user namespace of its own. */
static void hold(int ready, const char *path, int flags) {
  unsigned char error = 0;
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if ((path && join(path) != 0) || unshare(path ? flags : CLONE_NEWUSER | flags) != 0) error = (unsigned char)errno;
  if (!write_all(ready, &error, 1) || error) _exit(1);
  close(ready);
  for (;;) pause();
}

static int wait_ready(int ready) {
  unsigned char error;
  ssize_t count;
  do count = read(ready, &error, 1);
  while (count < 0 && errno == EINTR);
  return count == 1 ? error : EIO;
}

static pid_t start_holder(const char *path, int flags) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return -1;
  pid_t holder = fork();
  if (holder == 0) hold(ends[1], path, flags);
  int error = holder < 0 ? errno : 0;
  close(ends[1]);
  if (!error) error = wait_ready(ends[0]);
  close(ends[0]);
  if (!error) return holder;
  if (holder > 0) user_namespace_end(holder);
  errno = error;
  return -1;
}

pid_t user_namespace_start(const char *map, int flags) {
  const char *slash = map ? strchr(map, '/') : NULL;
  if (!slash) return errno = EINVAL, -1;
  pid_t holder = start_holder(NULL, flags);
  if (holder < 0) return -1;
  int error = write_map(holder, "uid_map", map, (size_t)(slash - map));
  if (!error) error = write_map(holder, "gid_map", slash + 1, strlen(slash + 1));
  if (!error) return holder;
  user_namespace_end(holder);
  errno = error;
  return -1;
}

pid_t user_namespace_start_in(const char *path, int flags) { return start_holder(path, flags); }

void user_namespace_end(pid_t holder) {
  kill(holder, SIGKILL);
  while (waitpid(holder, NULL, 0) < 0 && errno == EINTR) {
  }
}

int user_namespace_open(const char *map) {
  char path[64];
  pid_t holder = user_namespace_start(map, 0);
  if (holder < 0) return -1;
  snprintf(path, sizeof path, "/proc/%d/ns/user", (int)holder);
  int space = open(path, O_RDONLY | O_CLOEXEC);
  int error = errno;
  user_namespace_end(holder);
  errno = error;
  return space;
}

int user_namespace_enter(int space) {
  if (setns(space, CLONE_NEWUSER) != 0) return -1;
  if (setgroups(0, NULL) != 0 || setresgid(0, 0, 0) != 0 || setresuid(0, 0, 0) != 0) return -1;
  return 0;
}
