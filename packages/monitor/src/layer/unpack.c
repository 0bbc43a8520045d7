/*
 * `unpack`: applies a tar stream to a directory. The process locks itself into the directory with chroot first, so
 * that every link and `..` of the archive, and of links that earlier entries made, resolves inside it.
 */
#define _GNU_SOURCE
#include "layer.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

/* NO_LINK_TARGET is the copy's "no such file". */
enum { BAD_ARCHIVE = 1, BAD_SYSTEM = 2, NO_LINK_TARGET = 3 };
enum { IMPLIED_DIRECTORY_MODE = 0755 };
static const int64_t ENTRY_LIMIT = 20 * 1000 * 1000;
static const size_t DIRECTORY_BYTES_LIMIT = 256 * 1024 * 1024;
static const char OPAQUE[] = "trusted.overlay.opaque";

struct unpacker {
  struct input input;
  struct tar_reader reader;
  struct tar_entry entry;
  struct unpack_options options;
  int64_t entries, size; /* size: what Docker counts, file bytes and link texts */
  char *directories;     /* struct timespec then path, each; times are set at the end */
  size_t directories_used, directories_capacity;
  int status;
};

static int fail(struct unpacker *u, int status, const char *format, ...) {
  va_list args;
  va_start(args, format);
  vfprintf(stderr, format, args);
  fputc('\n', stderr);
  va_end(args);
  u->status = status;
  return -1;
}

/* Out of space is the machine's fault; a name that is a file and a directory is the archive's. */
static int fail_call(struct unpacker *u, const char *call, const char *path) {
  int error = errno;
  bool system = error == ENOSPC || error == EDQUOT || error == EIO || error == ENOMEM || error == EROFS ||
                error == EMFILE || error == ENFILE || error == EACCES || (error == EPERM && strcmp(call, "link"));
  return fail(u, system ? BAD_SYSTEM : BAD_ARCHIVE, "%s %s: %s", call, *path ? path : "/", strerror(error));
}

/* In Go's words, which name both. A copy answers a missing target as a missing file, as Docker does. */
static int fail_link(struct unpacker *u, const char *target, const char *path) {
  int error = errno;
  if (error != ENOENT) return fail_call(u, "link", path);
  return fail(u, u->options.where ? NO_LINK_TARGET : BAD_ARCHIVE, "link /%s /%s: no such file or directory", target, path);
}

/* ---- names ---- */

/* Cleans a path lexically; the result is relative, "" is the root. -1: it climbs above the root (unless clamped). */
static int clean_path(const char *from, char *to, bool clamp) {
  size_t used = 0;
  while (*from) {
    while (*from == '/') from++;
    size_t n = strcspn(from, "/");
    if (n == 2 && from[0] == '.' && from[1] == '.') {
      if (used == 0 && !clamp) return -1;
      while (used > 0 && to[--used] != '/') {}
    } else if (n > 0 && !(n == 1 && from[0] == '.')) {
      if (used) to[used++] = '/';
      memmove(to + used, from, n);
      used += n;
    }
    from += n;
  }
  to[used] = 0;
  return 0;
}

static int make_parents(const char *path) {
  char parent[TAR_NAME_LIMIT];
  for (const char *slash = strchr(path, '/'); slash; slash = strchr(slash + 1, '/')) {
    memcpy(parent, path, (size_t)(slash - path));
    parent[slash - path] = 0;
    if (mkdir(parent, IMPLIED_DIRECTORY_MODE) < 0 && errno != EEXIST) return -1;
  }
  return 0;
}

/* ---- removal ---- */

static void forget_size(struct unpacker *u, int at, const char *name) {
  struct stat st;
  if (fstatat(at, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && st.st_nlink == 1 && !S_ISDIR(st.st_mode))
    u->size -= st.st_size;
}

/* Removes what it can at this level; answers the name of a directory that has to be emptied first, "" for none. */
static int empty_level(struct unpacker *u, int fd, char *descend) {
  int copy = dup(fd);
  DIR *dir = copy < 0 ? NULL : fdopendir(copy);
  if (!dir) {
    if (copy >= 0) close(copy);
    return -1;
  }
  rewinddir(dir);
  *descend = 0;
  struct dirent *d;
  while (!*descend && (errno = 0, d = readdir(dir))) {
    if (!strcmp(d->d_name, ".") || !strcmp(d->d_name, "..")) continue;
    forget_size(u, fd, d->d_name);
    if (unlinkat(fd, d->d_name, 0) == 0) continue;
    if (errno != EISDIR && errno != EPERM) break;
    if (unlinkat(fd, d->d_name, AT_REMOVEDIR) == 0) continue;
    if (errno != ENOTEMPTY && errno != EEXIST) break;
    strcpy(descend, d->d_name);
  }
  int error = *descend ? 0 : errno;
  closedir(dir);
  errno = error;
  return error ? -1 : 0;
}

/* Any depth with one descriptor: archives can nest deeper than descriptors or a stack allow. */
static int remove_tree(struct unpacker *u, const char *path) {
  char name[256];
  int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  for (int64_t depth = 0; fd >= 0;) {
    if (empty_level(u, fd, name) < 0) break;
    if (!*name && depth == 0) {
      close(fd);
      return rmdir(path);
    }
    int next = openat(fd, *name ? name : "..", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (next < 0) break;
    depth += *name ? 1 : -1;
    close(fd);
    fd = next;
  }
  int error = errno;
  if (fd >= 0) close(fd);
  errno = error;
  return -1;
}

static int remove_existing(struct unpacker *u, const char *path) {
  forget_size(u, AT_FDCWD, path);
  if (unlink(path) == 0 || errno == ENOENT) return 0;
  if (errno != EISDIR && errno != EPERM) return -1;
  if (rmdir(path) == 0) return 0;
  /* A mount point: what is mounted there is not the archive's to empty. */
  if (errno == EBUSY) return -1;
  return remove_tree(u, path);
}

/* ---- making one object ---- */

static int make_once(const struct tar_entry *e, const char *path, const char *link_target) {
  switch (e->type) {
  case '0':
    return open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
  case '1':
    return link(link_target, path);
  case '2':
    return symlink(e->link, path);
  case '3':
    return mknod(path, S_IFCHR | 0600, makedev(e->dev_major, e->dev_minor));
  case '4':
    return mknod(path, S_IFBLK | 0600, makedev(e->dev_major, e->dev_minor));
  case '5':
    return mkdir(path, 0700);
  default:
    return mkfifo(path, 0600);
  }
}

static bool is_whiteout(const struct stat *st) { return S_ISCHR(st->st_mode) && st->st_rdev == makedev(0, 0); }

/* Where an entry may not turn a directory into something else, nor the reverse; in Docker's words. */
static int check_kind(struct unpacker *u, const char *path, const struct stat *existing) {
  bool was = S_ISDIR(existing->st_mode), is = u->entry.type == '5';
  if (was == is) return 0;
  const char *where = u->options.where, *slash = strcmp(where, "/") ? "/" : "";
  return fail(u, BAD_ARCHIVE, "cannot overwrite %sdirectory \"%s%s%s\" with %sdirectory \"%s\"", was ? "" : "non-", where,
              slash, path, is ? "" : "non-", where);
}

/* Makes the object, and what is missing or in the way on the path to it. A file answers its descriptor. */
static int make(struct unpacker *u, const char *path) {
  const struct tar_entry *e = &u->entry;
  char target[TAR_NAME_LIMIT];
  bool opaque = false;
  clean_path(e->link, target, true);
  int result = make_once(e, path, target);
  if (result < 0 && errno == ENOENT && make_parents(path) == 0) result = make_once(e, path, target);
  if (result < 0 && errno == EEXIST) {
    struct stat st, target_st;
    if (lstat(path, &st) < 0) return fail_call(u, "lstat", path);
    if (e->type == '5' && S_ISDIR(st.st_mode)) return 0;
    if (u->options.keep_kinds && check_kind(u, path, &st) < 0) return -1;
    /* A link to itself, by whatever name, must not remove what it links to. */
    if (e->type == '1' && lstat(target, &target_st) == 0 && target_st.st_ino == st.st_ino) return 0;
    /* What hid a lower layer's tree must still hide it once a directory stands there. */
    opaque = u->options.layer && e->type == '5' && is_whiteout(&st);
    if (remove_existing(u, path) < 0) return fail_call(u, "remove", path);
    result = make_once(e, path, target);
  }
  if (result < 0 && e->type == '1') return fail_link(u, target, path);
  if (result < 0) return fail_call(u, e->type == '2' ? "symlink" : "create", path);
  if (opaque && setxattr(path, OPAQUE, "y", 1, 0) < 0) return fail_call(u, "setxattr", path);
  return result;
}

/* Overlay's own attributes steer lookups across layers (redirect, metacopy): an archive has no say in them. */
static bool is_foreign_xattr(const struct unpacker *u, const char *name) {
  return (u->options.layer || u->options.where) && (!strncmp(name, "trusted.overlay.", 16) || !strncmp(name, "user.overlay.", 13));
}

static int set_xattrs(struct unpacker *u, int fd, const char *path) {
  for (size_t i = 0; i < u->entry.xattr_count; i++) {
    const struct tar_xattr *x = &u->entry.xattrs[i];
    if (is_foreign_xattr(u, x->name)) continue;
    int result = fd >= 0 ? fsetxattr(fd, x->name, x->value, x->value_size, 0)
                         : lsetxattr(path, x->name, x->value, x->value_size, 0);
    /* As Docker: what this filesystem or kind of file can't carry is left out. */
    if (result < 0 && errno != ENOTSUP && errno != EPERM) return fail_call(u, "setxattr", path);
  }
  return 0;
}

static struct timespec entry_time(const struct tar_entry *e) {
  /* Before 1970 is 1970, as Docker has it. */
  return e->mtime_s < 0 ? (struct timespec){0, 0} : (struct timespec){e->mtime_s, e->mtime_ns};
}

static int set_metadata(struct unpacker *u, int fd, const char *path) {
  const struct tar_entry *e = &u->entry;
  struct timespec time = entry_time(e), times[2] = {time, time};
  const char *at = *path ? path : ".";
  uint32_t uid = u->options.has_owner ? u->options.uid : e->uid, gid = u->options.has_owner ? u->options.gid : e->gid;
  if (e->type == '1') return 0;
  if ((fd >= 0 ? fchown(fd, uid, gid) : lchown(at, uid, gid)) < 0) return fail_call(u, "chown", path);
  if (e->type != '2' && (fd >= 0 ? fchmod(fd, e->mode) : chmod(at, e->mode)) < 0)
    return fail_call(u, "chmod", path);
  if (set_xattrs(u, fd, at) < 0) return -1;
  if (e->type == '5') return 0;
  if ((fd >= 0 ? futimens(fd, times) : utimensat(AT_FDCWD, at, times, AT_SYMLINK_NOFOLLOW)) < 0)
    return fail_call(u, "utimens", path);
  return 0;
}

/* ---- file data ---- */

static int write_all(struct unpacker *u, int fd, const uint8_t *data, size_t size, int64_t offset) {
  while (size > 0) {
    ssize_t n = pwrite(fd, data, size, offset);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return fail_call(u, "write", u->entry.name);
    data += n, size -= (size_t)n, offset += n;
  }
  return 0;
}

static int copy_range(struct unpacker *u, int fd, int64_t offset, int64_t size) {
  while (size > 0) {
    const uint8_t *view;
    ssize_t n = tar_data(&u->reader, &view, size > 1 << 30 ? 1 << 30 : (size_t)size);
    if (n < 0) return fail(u, BAD_ARCHIVE, "%s", u->reader.error);
    if (n == 0) return fail(u, BAD_ARCHIVE, "unexpected EOF");
    if (write_all(u, fd, view, (size_t)n, offset) < 0) return -1;
    offset += n;
    size -= n;
  }
  return 0;
}

static int copy_data(struct unpacker *u, int fd) {
  const struct tar_entry *e = &u->entry;
  if (!e->sparse) return copy_range(u, fd, 0, e->size);
  for (size_t i = 0; i < e->piece_count; i++)
    if (copy_range(u, fd, e->pieces[i].offset, e->pieces[i].size) < 0) return -1;
  return ftruncate(fd, e->size) < 0 ? fail_call(u, "truncate", e->name) : 0;
}

/* ---- entries ---- */

static int remember_directory(struct unpacker *u, const char *path) {
  struct timespec time = entry_time(&u->entry);
  size_t length = strlen(path) + 1, need = u->directories_used + sizeof time + length;
  if (need > DIRECTORY_BYTES_LIMIT) return fail(u, BAD_ARCHIVE, "too many directories");
  if (need > u->directories_capacity) {
    size_t capacity = need * 2 + 4096;
    char *grown = realloc(u->directories, capacity);
    if (!grown) return fail(u, BAD_SYSTEM, "out of memory");
    u->directories = grown;
    u->directories_capacity = capacity;
  }
  memcpy(u->directories + u->directories_used, &time, sizeof time);
  memcpy(u->directories + u->directories_used + sizeof time, path, length);
  u->directories_used = need;
  return 0;
}

static int set_directory_times(struct unpacker *u) {
  for (size_t at = 0; at < u->directories_used;) {
    struct timespec times[2];
    struct stat st;
    memcpy(&times[0], u->directories + at, sizeof times[0]);
    times[1] = times[0];
    const char *path = u->directories + at + sizeof times[0];
    at += sizeof times[0] + strlen(path) + 1;
    if (!*path) path = ".";
    /* A later entry may have replaced it. */
    if (lstat(path, &st) < 0 || !S_ISDIR(st.st_mode)) continue;
    if (utimensat(AT_FDCWD, path, times, AT_SYMLINK_NOFOLLOW) < 0) return fail_call(u, "utimens", path);
  }
  return 0;
}

/* `a/.wh.b`: b of the lower layers is gone. What this same layer has there stays: it hides only lower layers. */
static int whiteout(struct unpacker *u, const char *path, const char *base) {
  char target[TAR_NAME_LIMIT];
  struct stat st;
  const char *original = base + 4;
  if (!*original || !strcmp(original, ".") || !strcmp(original, ".."))
    return fail(u, BAD_ARCHIVE, "invalid whiteout %s", path);
  snprintf(target, sizeof target, "%.*s%s", (int)(base - path), path, original);
  int result = mknod(target, S_IFCHR, makedev(0, 0));
  if (result < 0 && errno == ENOENT && make_parents(target) == 0) result = mknod(target, S_IFCHR, makedev(0, 0));
  if (result < 0 && errno == EEXIST) {
    if (lstat(target, &st) < 0) return fail_call(u, "lstat", target);
    if (!S_ISDIR(st.st_mode)) return 0;
    result = setxattr(target, OPAQUE, "y", 1, 0);
  } else if (result == 0) {
    result = lchown(target, u->entry.uid, u->entry.gid);
  }
  return result < 0 ? fail_call(u, "whiteout", target) : 0;
}

static int opaque(struct unpacker *u, const char *path, const char *base) {
  char parent[TAR_NAME_LIMIT];
  snprintf(parent, sizeof parent, "%.*s", base > path ? (int)(base - path - 1) : 0, path);
  if (make_parents(path) < 0) return fail_call(u, "mkdir", parent);
  return lsetxattr(*parent ? parent : ".", OPAQUE, "y", 1, 0) < 0 ? fail_call(u, "setxattr", parent) : 0;
}

/* 1: handled here; 0: an ordinary entry. */
static int layer_special(struct unpacker *u, const char *path) {
  const char *slash = strrchr(path, '/'), *base = slash ? slash + 1 : path;
  if (!strcmp(base, ".wh..wh..opq")) return opaque(u, path, base) < 0 ? -1 : 1;
  if (!strncmp(path, ".wh..wh.", 8) || strstr(path, "/.wh..wh.")) return 1; /* bookkeeping of a former driver */
  if (!strncmp(base, ".wh.", 4)) return whiteout(u, path, base) < 0 ? -1 : 1;
  return 0;
}

static int unpack_entry(struct unpacker *u) {
  struct tar_entry *e = &u->entry;
  char path[TAR_NAME_LIMIT];
  if (e->type < '0' || e->type > '6')
    return fail(u, BAD_ARCHIVE, "unhandled tar header type %d", e->type);
  if (clean_path(e->name, path, false) < 0) {
    if (u->options.where) return fail(u, BAD_ARCHIVE, "\"%s\" is outside of \"%s\"", e->name, u->options.where);
    return fail(u, BAD_ARCHIVE, "%s is outside of the root", e->name);
  }
  int special = u->options.layer ? layer_special(u, path) : 0;
  if (special) return special < 0 ? -1 : 0;
  if (!*path && e->type != '5') return fail(u, BAD_ARCHIVE, "the root must be a directory");
  if (!*path && u->options.where) return 0;
  int made = *path ? make(u, path) : 0;
  if (made < 0) return -1;
  int fd = e->type == '0' ? made : -1, result = 0;
  if (fd >= 0) result = copy_data(u, fd);
  if (result == 0) result = set_metadata(u, fd, path);
  if (fd >= 0 && close(fd) < 0 && result == 0) result = fail_call(u, "close", path);
  if (result < 0) return -1;
  if (e->type == '0') u->size += e->size;
  if (e->type == '2') u->size += (int64_t)strlen(e->link);
  return e->type == '5' ? remember_directory(u, path) : 0;
}

static int unpack(struct unpacker *u) {
  int status;
  while ((status = tar_next(&u->reader, &u->entry)) > 0) {
    if (++u->entries > ENTRY_LIMIT) return fail(u, BAD_ARCHIVE, "too many entries");
    if (unpack_entry(u) < 0) return -1;
  }
  if (status < 0 || tar_drain(&u->reader) < 0) return fail(u, BAD_ARCHIVE, "%s", u->reader.error);
  return set_directory_times(u);
}

static int report(struct unpacker *u) {
  char hex[SHA256_HEX];
  printf("{\"sizeBytes\":%lld,\"entries\":%lld", (long long)u->size, (long long)u->entries);
  if (u->input.digest) {
    sha256_final(&u->input.sha, hex);
    printf(",\"digest\":\"sha256:%s\"", hex);
  }
  return puts("}") < 0 || fflush(stdout) != 0 ? BAD_SYSTEM : 0;
}

int unpack_here(const struct unpack_options *options) {
  static struct unpacker u; /* large: not on the stack */
  u.options = *options;
  u.input.limit = options->limit_bytes ? options->limit_bytes : INT64_MAX;
  u.input.gzip = options->gzip;
  u.input.digest = options->digest;
  u.input.progress = options->progress;
  u.input.body_fd = options->body_fd;
  u.input.body_left = options->body_bytes;
  umask(0);
  if (input_open(&u.input) < 0 || tar_open(&u.reader, &u.input) < 0) return BAD_SYSTEM;
  int result = unpack(&u);
  if (options->body_left) *options->body_left = u.input.body_left;
  tar_close(&u.reader);
  input_close(&u.input);
  free(u.directories);
  free(u.entry.pieces);
  return result < 0 ? u.status : report(&u);
}

int layer_sync_main(const char *directory) {
  int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd >= 0 && syncfs(fd) == 0) return 0;
  fprintf(stderr, "syncfs %s: %s\n", directory, strerror(errno));
  return BAD_SYSTEM;
}

int layer_unpack_main(int argc, char **argv) {
  struct unpack_options options = {0};
  int i = 1;
  for (; i < argc && argv[i][0] == '-'; i++) {
    if (!strcmp(argv[i], "--layer")) options.layer = true;
    else if (!strcmp(argv[i], "--gzip")) options.gzip = true;
    else if (!strcmp(argv[i], "--digest")) options.digest = true;
    else if (!strcmp(argv[i], "--progress")) options.progress = true;
    else if (strncmp(argv[i], "--limit-bytes=", 14) || (options.limit_bytes = strtoll(argv[i] + 14, NULL, 10)) <= 0) break;
  }
  if (i != argc - 1) {
    fputs("usage: unpack [--layer] [--gzip] [--digest] [--progress] [--limit-bytes=N] DIRECTORY <TAR\n", stderr);
    return BAD_SYSTEM;
  }
  if (chdir(argv[i]) < 0 || chroot(".") < 0) {
    fprintf(stderr, "%s: %s\n", argv[i], strerror(errno));
    return BAD_SYSTEM;
  }
  close_range(3, ~0U, 0);
  return unpack_here(&options);
}
