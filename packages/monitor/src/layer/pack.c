/*
 * `pack`: writes a directory as a tar stream, names in order, so that equal trees give equal bytes. The process locks
 * itself into the directory; a link is written as a link and never followed.
 */
#define _GNU_SOURCE
#include "layer.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "../usernamespace.h"

enum { BUFFER_SIZE = 256 * 1024, DEPTH_LIMIT = 2000, XATTR_LIST_LIMIT = 65536 };

struct hard_link {
  dev_t dev;
  ino_t ino;
  char *path;
};

struct packer {
  bool layer, cross_mounts;
  const char *prefix;
  dev_t device; /* of the directory: what is mounted below may have to stay out */
  uint8_t *buffer;
  size_t used;
  char path[TAR_NAME_LIMIT];
  size_t path_length;
  struct hard_link *links; /* open addressing, power of two */
  size_t link_count, link_capacity;
  char *pax;
  size_t pax_used, pax_capacity;
};

static int report(const struct packer *p, const char *call) {
  fprintf(stderr, "%s %s: %s\n", call, p->path_length ? p->path : "/", strerror(errno));
  return -1;
}

/* ---- output ---- */

static int flush(struct packer *p) {
  for (size_t at = 0; at < p->used;) {
    ssize_t n = write(1, p->buffer + at, p->used - at);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return report(p, "write");
    at += (size_t)n;
  }
  p->used = 0;
  return 0;
}

static int put(struct packer *p, const void *data, size_t size) {
  const uint8_t *from = data;
  while (size > 0) {
    if (p->used == BUFFER_SIZE && flush(p) < 0) return -1;
    size_t n = BUFFER_SIZE - p->used < size ? BUFFER_SIZE - p->used : size;
    if (from) memcpy(p->buffer + p->used, from, n), from += n;
    else memset(p->buffer + p->used, 0, n);
    p->used += n;
    size -= n;
  }
  return 0;
}

static int pad(struct packer *p, int64_t size) { return put(p, NULL, (size_t)(-size & (TAR_BLOCK - 1))); }

/* ---- headers ---- */

static int pax_add(struct packer *p, const char *key, const void *value, size_t size) {
  size_t body = strlen(key) + size + 3, length = body + 1;
  char digits[24];
  while (length != body + (size_t)snprintf(digits, sizeof digits, "%zu", length))
    length = body + (size_t)snprintf(digits, sizeof digits, "%zu", length);
  if (p->pax_used + length + 1 > p->pax_capacity) {
    size_t capacity = (p->pax_used + length + 1) * 2;
    char *grown = realloc(p->pax, capacity);
    if (!grown) return report(p, "realloc");
    p->pax = grown;
    p->pax_capacity = capacity;
  }
  char *at = p->pax + p->pax_used;
  at += sprintf(at, "%s %s=", digits, key);
  memcpy(at, value, size);
  at[size] = '\n';
  p->pax_used += length;
  return 0;
}

static int pax_number(struct packer *p, const char *key, int64_t value) {
  char text[24];
  return pax_add(p, key, text, (size_t)snprintf(text, sizeof text, "%lld", (long long)value));
}

static void octal(uint8_t *field, size_t size, uint64_t value) {
  field[size - 1] = 0;
  for (size_t i = size - 1; i-- > 0; value >>= 3) field[i] = (uint8_t)('0' + (value & 7));
}

static int put_header(struct packer *p, uint8_t *h) {
  memcpy(h + 257, "ustar\00000", 8);
  memset(h + 148, ' ', 8);
  unsigned sum = 0;
  for (int i = 0; i < TAR_BLOCK; i++) sum += h[i];
  octal(h + 148, 7, sum);
  return put(p, h, TAR_BLOCK);
}

static int put_pax(struct packer *p) {
  uint8_t h[TAR_BLOCK] = "PaxHeaders.0/entry";
  if (p->pax_used == 0) return 0;
  octal(h + 100, 8, 0644);
  octal(h + 108, 8, 0);
  octal(h + 116, 8, 0);
  octal(h + 124, 12, p->pax_used);
  octal(h + 136, 12, 0);
  h[156] = 'x';
  if (put_header(p, h) < 0 || put(p, p->pax, p->pax_used) < 0) return -1;
  return pad(p, (int64_t)p->pax_used);
}

/* A name that fits goes into the header, with ustar's prefix where a slash allows; else into PAX. */
static int put_name(struct packer *p, uint8_t *h, const char *name) {
  size_t n = strlen(name);
  if (n <= 100) return memcpy(h, name, n), 0;
  for (size_t cut = n - 101; cut < n - 1 && cut <= 155; cut++)
    if (name[cut] == '/' && cut > 0) return memcpy(h + 345, name, cut), memcpy(h, name + cut + 1, n - cut - 1), 0;
  memcpy(h, name, 100);
  return pax_add(p, "path", name, n);
}

static char type_of(const struct stat *st) {
  switch (st->st_mode & S_IFMT) {
  case S_IFREG: return '0';
  case S_IFLNK: return '2';
  case S_IFCHR: return '3';
  case S_IFBLK: return '4';
  case S_IFDIR: return '5';
  case S_IFIFO: return '6';
  default: return 0; /* sockets have no place in a tar */
  }
}

static int64_t clamp_time(const struct stat *st) { return st->st_mtim.tv_sec < 0 ? 0 : st->st_mtim.tv_sec; }

static int put_entry(struct packer *p, const char *name, const struct stat *st, char type, const char *link) {
  uint8_t h[TAR_BLOCK] = {0};
  char full[2 * TAR_NAME_LIMIT], full_link[2 * TAR_NAME_LIMIT];
  int64_t size = type == '0' ? st->st_size : 0;
  bool device = type == '3' || type == '4';
  snprintf(full, sizeof full, "%s%s", p->prefix, name);
  if (put_name(p, h, full) < 0) return -1;
  snprintf(full_link, sizeof full_link, "%s%s", type == '1' ? p->prefix : "", link);
  link = full_link;
  size_t link_length = strlen(link);
  memcpy(h + 157, link, link_length < 100 ? link_length : 100);
  if (link_length > 100 && pax_add(p, "linkpath", link, link_length) < 0) return -1;
  octal(h + 100, 8, st->st_mode & 07777);
  octal(h + 108, 8, st->st_uid > 07777777 ? 0 : st->st_uid);
  octal(h + 116, 8, st->st_gid > 07777777 ? 0 : st->st_gid);
  octal(h + 124, 12, size > 077777777777 ? 0 : (uint64_t)size);
  octal(h + 136, 12, clamp_time(st) > 077777777777 ? 0 : (uint64_t)clamp_time(st));
  octal(h + 329, 8, device ? major(st->st_rdev) : 0);
  octal(h + 337, 8, device ? minor(st->st_rdev) : 0);
  h[156] = (uint8_t)type;
  if ((st->st_uid > 07777777 && pax_number(p, "uid", st->st_uid) < 0) ||
      (st->st_gid > 07777777 && pax_number(p, "gid", st->st_gid) < 0) ||
      (size > 077777777777 && pax_number(p, "size", size) < 0) ||
      (clamp_time(st) > 077777777777 && pax_number(p, "mtime", clamp_time(st)) < 0))
    return -1;
  return put_pax(p) < 0 ? -1 : put_header(p, h);
}

/* ---- one object ---- */

/* Docker's tars carry file capabilities and users' attributes; what the kernel or overlay keeps for itself stays. */
static bool wanted_xattr(const char *name) {
  return !strcmp(name, "security.capability") || (!strncmp(name, "user.", 5) && strncmp(name, "user.overlay.", 13));
}

static int add_xattrs(struct packer *p, const char *at) {
  static char list[XATTR_LIST_LIMIT], value[XATTR_LIST_LIMIT], key[300];
  ssize_t n = llistxattr(at, list, sizeof list);
  if (n < 0) return errno == ENOTSUP || errno == ENOENT ? 0 : report(p, "listxattr");
  for (char *name = list; name < list + n; name += strlen(name) + 1) {
    if (!wanted_xattr(name)) continue;
    ssize_t size = lgetxattr(at, name, value, sizeof value);
    if (size < 0) continue;
    snprintf(key, sizeof key, "SCHILY.xattr.%.255s", name);
    if (pax_add(p, key, value, (size_t)size) < 0) return -1;
  }
  return 0;
}

/* The first name of a file with several is the file; the others link to it. 1: `first` is set. */
static int seen_link(struct packer *p, const struct stat *st, const char **first) {
  if (p->link_count * 2 >= p->link_capacity) {
    size_t capacity = p->link_capacity ? p->link_capacity * 2 : 1024;
    struct hard_link *grown = calloc(capacity, sizeof *grown);
    if (!grown) return report(p, "calloc");
    for (size_t i = 0; i < p->link_capacity; i++) {
      if (!p->links[i].path) continue;
      size_t at = p->links[i].ino * 0x9e3779b97f4a7c15u & (capacity - 1);
      while (grown[at].path) at = (at + 1) & (capacity - 1);
      grown[at] = p->links[i];
    }
    free(p->links);
    p->links = grown;
    p->link_capacity = capacity;
  }
  size_t at = st->st_ino * 0x9e3779b97f4a7c15u & (p->link_capacity - 1);
  for (; p->links[at].path; at = (at + 1) & (p->link_capacity - 1))
    if (p->links[at].ino == st->st_ino && p->links[at].dev == st->st_dev) return *first = p->links[at].path, 1;
  p->links[at] = (struct hard_link){st->st_dev, st->st_ino, strdup(p->path)};
  p->link_count++;
  return p->links[at].path ? 0 : report(p, "strdup");
}

/* Exactly `size` bytes: a file that shrinks meanwhile is filled with zeros, one that grows is cut. */
static int put_file(struct packer *p, int fd, int64_t size) {
  for (int64_t left = size; left > 0;) {
    if (p->used == BUFFER_SIZE && flush(p) < 0) return -1;
    size_t room = BUFFER_SIZE - p->used;
    ssize_t n = read(fd, p->buffer + p->used, (int64_t)room < left ? room : (size_t)left);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return report(p, "read");
    if (n == 0) {
      size_t zeros = (int64_t)room < left ? room : (size_t)left;
      if (put(p, NULL, zeros) < 0) return -1;
      left -= (int64_t)zeros;
      continue;
    }
    p->used += (size_t)n;
    left -= n;
  }
  return pad(p, size);
}

static int pack_file(struct packer *p, struct stat *st, const char *at) {
  const char *first = "";
  int linked = st->st_nlink > 1 ? seen_link(p, st, &first) : 0;
  if (linked < 0) return -1;
  if (linked) return put_entry(p, p->path, st, '1', first);
  int fd = open(at, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOATIME);
  /* Gone, or something else by now: whoever works in the tree may do so while it is packed. */
  if (fd < 0) return errno == ENOENT || errno == ELOOP || errno == ENXIO || errno == EACCES ? 0 : report(p, "open");
  int result = fstat(fd, st);
  if (result == 0 && !S_ISREG(st->st_mode)) return close(fd), 0;
  if (result < 0) report(p, "stat");
  if (result == 0) result = add_xattrs(p, at);
  if (result == 0) result = put_entry(p, p->path, st, '0', "");
  if (result == 0) result = put_file(p, fd, st->st_size);
  close(fd);
  return result;
}

static int pack_whiteout(struct packer *p, const struct stat *st) {
  char name[TAR_NAME_LIMIT + 8];
  const char *slash = strrchr(p->path, '/'), *base = slash ? slash + 1 : p->path;
  struct stat file = *st;
  file.st_mode = S_IFREG;
  file.st_size = 0;
  snprintf(name, sizeof name, "%.*s.wh.%s", (int)(base - p->path), p->path, base);
  return put_entry(p, name, &file, '0', "");
}

static int pack_opaque(struct packer *p, const struct stat *st, const char *at) {
  char value, name[TAR_NAME_LIMIT + 16];
  if (!p->layer || lgetxattr(at, "trusted.overlay.opaque", &value, 1) != 1 || value != 'y') return 0;
  struct stat file = *st;
  file.st_mode = S_IFREG;
  file.st_size = 0;
  snprintf(name, sizeof name, "%s%s.wh..wh..opq", p->path, p->path_length ? "/" : "");
  return put_entry(p, name, &file, '0', "");
}

static int pack_directory(struct packer *p, int depth);

static int pack_one(struct packer *p, int depth) {
  struct stat st;
  char link[TAR_NAME_LIMIT] = "";
  const char *at = p->path;
  p->pax_used = 0;
  if (lstat(at, &st) < 0) return errno == ENOENT ? 0 : report(p, "lstat");
  if (!p->cross_mounts && st.st_dev != p->device && S_ISDIR(st.st_mode)) return 0;
  char type = type_of(&st);
  if (type == 0) return 0;
  if (type == '0') return pack_file(p, &st, at);
  if (p->layer && type == '3' && st.st_rdev == makedev(0, 0)) return pack_whiteout(p, &st);
  if (type == '2') {
    ssize_t n = readlink(at, link, sizeof link - 1);
    if (n < 0) return errno == ENOENT ? 0 : report(p, "readlink");
    link[n] = 0;
  }
  if (add_xattrs(p, at) < 0) return -1;
  if (type != '5') return put_entry(p, p->path, &st, type, link);
  char name[TAR_NAME_LIMIT + 2];
  snprintf(name, sizeof name, "%s/", p->path);
  if (put_entry(p, name, &st, '5', "") < 0) return -1;
  p->pax_used = 0;
  return pack_opaque(p, &st, at) < 0 ? -1 : pack_directory(p, depth + 1);
}

static int not_dots(const struct dirent *d) { return strcmp(d->d_name, ".") && strcmp(d->d_name, ".."); }
static int by_bytes(const struct dirent **a, const struct dirent **b) { return strcmp((*a)->d_name, (*b)->d_name); }

static int pack_directory(struct packer *p, int depth) {
  struct dirent **names;
  size_t length = p->path_length;
  if (depth > DEPTH_LIMIT) return errno = ELOOP, report(p, "readdir");
  int count = scandir(length ? p->path : ".", &names, not_dots, by_bytes);
  if (count < 0) return errno == ENOENT ? 0 : report(p, "readdir");
  int result = 0;
  for (int i = 0; i < count; i++) {
    size_t n = strlen(names[i]->d_name);
    if (result == 0 && length + n + 2 >= sizeof p->path) errno = ENAMETOOLONG, result = report(p, "readdir");
    if (result == 0) {
      p->path_length = length + (length ? 1 : 0) + n;
      if (length) p->path[length] = '/';
      strcpy(p->path + p->path_length - n, names[i]->d_name);
      result = pack_one(p, depth);
    }
    free(names[i]);
  }
  free(names);
  p->path_length = length;
  p->path[length] = 0;
  return result;
}

/* The directory itself stays out unless it has a name, as in Docker's export; its opacity does not exist. */
static int pack_root(struct packer *p, const struct stat *st) {
  if (!*p->prefix) return 0;
  if (add_xattrs(p, ".") < 0 || put_entry(p, "", st, '5', "") < 0) return -1;
  p->pax_used = 0;
  return 0;
}

int pack_here(const struct pack_options *options) {
  static struct packer p;
  struct stat st;
  p = (struct packer){.layer = options->layer, .cross_mounts = options->cross_mounts};
  p.prefix = options->prefix ? options->prefix : "";
  if (stat(".", &st) < 0) return report(&p, "stat"), 2;
  p.device = st.st_dev;
  p.buffer = malloc(BUFFER_SIZE);
  if (!p.buffer) return report(&p, "malloc"), 2;
  int result = 0;
  if (options->only) {
    p.path_length = (size_t)snprintf(p.path, sizeof p.path, "%s", options->only);
    result = p.path_length < sizeof p.path ? pack_one(&p, 0) : (errno = ENAMETOOLONG, report(&p, "lstat"));
  } else {
    result = pack_root(&p, &st);
    if (result == 0) result = pack_directory(&p, 0);
  }
  if (result == 0) result = put(&p, NULL, 2 * TAR_BLOCK);
  if (result == 0) result = flush(&p);
  for (size_t at = 0; at < p.link_capacity; at++) free(p.links[at].path);
  free(p.links);
  free(p.pax);
  free(p.buffer);
  return result == 0 ? 0 : 2;
}

int layer_pack_main(int argc, char **argv) {
  struct pack_options options = {0};
  int i = 1, space = -1;
  if (i < argc && !strncmp(argv[i], "--id-map=", 9)) {
    space = user_namespace_open(argv[i++] + 9);
    if (space < 0) return fprintf(stderr, "user namespace: %s\n", strerror(errno)), 2;
  }
  if (i < argc && !strcmp(argv[i], "--layer")) options.layer = true, i++;
  if (i != argc - 1 || argv[i][0] == '-') {
    fputs("usage: pack [--id-map=UIDS/GIDS] [--layer] DIRECTORY >TAR\n", stderr);
    return 2;
  }
  if (chdir(argv[i]) < 0 || chroot(".") < 0) {
    fprintf(stderr, "%s: %s\n", argv[i], strerror(errno));
    return 2;
  }
  if (space >= 0 && user_namespace_enter(space) < 0) return fprintf(stderr, "user namespace: %s\n", strerror(errno)), 2;
  close_range(3, ~0U, 0);
  return pack_here(&options);
}
