/* Removes a directory tree. Links are removed, never followed; mount points stop it (RESOLVE_NO_XDEV also stops at bind
 * mounts of the same file system). The depth a container can make is not bounded, ours is: a directory that lies too
 * deep is moved up to the tree's top and removed from there. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "removetree.h"

enum { MAX_DEPTH = 64 };

struct removal {
  int top;
  unsigned moved;
  bool again; /* something was moved to the top while it was being read */
  int error;
  char where[256];
};

static void note(struct removal *removal, int error, const char *name) {
  if (error == ENOENT || removal->error) return;
  removal->error = error;
  snprintf(removal->where, sizeof removal->where, "%s", name);
}

static int open_directory(int parent, const char *name) {
  struct open_how how = {
      .flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC,
      .resolve = RESOLVE_NO_XDEV | RESOLVE_NO_SYMLINKS | RESOLVE_BENEATH,
  };
  long fd;
  do fd = syscall(SYS_openat2, parent, name, &how, sizeof how);
  while (fd < 0 && (errno == EINTR || errno == EAGAIN));
  return (int)fd;
}

static void move_up(struct removal *removal, int parent, const char *name) {
  char target[64];
  int tries = 0;
  do {
    snprintf(target, sizeof target, ".dockerd-ts-deep-%u", removal->moved++);
    if (renameat(parent, name, removal->top, target) == 0) {
      removal->again = true;
      return;
    }
  } while ((errno == EEXIST || errno == ENOTEMPTY || errno == ENOTDIR) && ++tries < 10000);
  note(removal, errno, name);
}

static void remove_entries(struct removal *removal, int directory, int depth);

static void remove_directory(struct removal *removal, int parent, const char *name, int depth) {
  if (unlinkat(parent, name, AT_REMOVEDIR) == 0) return;
  if (errno != ENOTEMPTY && errno != EEXIST) return note(removal, errno, name);
  if (depth == MAX_DEPTH) return move_up(removal, parent, name);
  int fd = open_directory(parent, name);
  if (fd < 0) return note(removal, errno == EXDEV ? EBUSY : errno, name);
  remove_entries(removal, fd, depth + 1);
  if (unlinkat(parent, name, AT_REMOVEDIR) != 0) note(removal, errno, name);
}

static void remove_entry(struct removal *removal, int directory, const struct dirent *entry, int depth) {
  const char *name = entry->d_name;
  if (entry->d_type == DT_DIR) return remove_directory(removal, directory, name, depth);
  if (unlinkat(directory, name, 0) == 0) return;
  if (errno == EISDIR) return remove_directory(removal, directory, name, depth);
  note(removal, errno, name);
}

/* Takes over the descriptor. */
static void remove_entries(struct removal *removal, int directory, int depth) {
  DIR *stream = fdopendir(directory);
  if (!stream) {
    note(removal, errno, "");
    close(directory);
    return;
  }
  struct dirent *entry;
  while (errno = 0, (entry = readdir(stream)) != NULL) {
    if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
    remove_entry(removal, dirfd(stream), entry, depth);
  }
  if (errno) note(removal, errno, "");
  closedir(stream);
}

/* An absolute path with at least two components, none of them "..": a slip in the daemon must not empty the host. */
static bool acceptable(const char *path) {
  if (!path || path[0] != '/' || strlen(path) >= 4096) return false;
  int components = 0;
  for (const char *p = path; *p;) {
    while (*p == '/') p++;
    size_t size = strcspn(p, "/");
    if (size == 2 && p[0] == '.' && p[1] == '.') return false;
    if (size > 0 && !(size == 1 && p[0] == '.')) components++;
    p += size;
  }
  return components >= 2;
}

/* What is mounted on the path itself is not part of the tree. */
static bool is_mount_root(int fd) {
  struct statx info;
  return statx(fd, "", AT_EMPTY_PATH | AT_NO_AUTOMOUNT, 0, &info) == 0 && (info.stx_attributes & STATX_ATTR_MOUNT_ROOT);
}

int remove_tree(const char *path, char *where, size_t where_size) {
  if (where_size) where[0] = 0;
  if (!acceptable(path)) return EINVAL;
  if (unlink(path) == 0 || errno == ENOENT) return 0;
  if (errno != EISDIR && errno != EPERM) return errno;
  struct removal removal = {.top = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)};
  if (removal.top < 0) return errno == ENOENT ? 0 : errno;
  if (is_mount_root(removal.top)) {
    close(removal.top);
    return EBUSY;
  }
  do {
    removal.again = false;
    int fd = open_directory(removal.top, ".");
    if (fd < 0) note(&removal, errno, "");
    else remove_entries(&removal, fd, 1);
  } while (removal.again && !removal.error);
  close(removal.top);
  if (rmdir(path) != 0) note(&removal, errno, "");
  if (where_size) snprintf(where, where_size, "%s", removal.where);
  return removal.error;
}
