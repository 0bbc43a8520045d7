/* Reading and replacing small files with every short count and EINTR handled. */
#include "files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

bool write_all(int fd, const void *data, size_t size) {
  const char *p = data;
  while (size > 0) {
    ssize_t count = write(fd, p, size);
    if (count < 0) {
      if (errno == EINTR) continue;
      return false;
    }
    p += count;
    size -= (size_t)count;
  }
  return true;
}

int open_at(int directory, const char *path, int flags, mode_t mode) {
  int fd;
  do fd = openat(directory, path, flags | O_CLOEXEC, mode);
  while (fd < 0 && errno == EINTR);
  return fd;
}

ssize_t read_small_file_at(int directory, const char *path, char *buffer, size_t capacity) {
  int fd = open_at(directory, path, O_RDONLY, 0);
  if (fd < 0) return -1;
  size_t used = 0;
  while (used < capacity - 1) {
    ssize_t count = read(fd, buffer + used, capacity - 1 - used);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) {
      int saved = errno;
      close(fd);
      return errno = saved, -1;
    }
    if (count == 0) break;
    used += (size_t)count;
  }
  close(fd);
  buffer[used] = 0;
  return (ssize_t)used;
}

bool replace_file_at(int directory, const char *name, const void *data, size_t size) {
  char temporary[256];
  if ((size_t)snprintf(temporary, sizeof temporary, "%s.tmp", name) >= sizeof temporary) return errno = ENAMETOOLONG, false;
  int fd = open_at(directory, temporary, O_WRONLY | O_CREAT | O_TRUNC, 0600);
  if (fd < 0) return false;
  bool done = write_all(fd, data, size);
  int saved = errno;
  if (close(fd) != 0 && done) {
    saved = errno;
    done = false;
  }
  if (done && renameat(directory, temporary, directory, name) == 0) return true;
  if (done) saved = errno;
  unlinkat(directory, temporary, 0);
  return errno = saved, false;
}
