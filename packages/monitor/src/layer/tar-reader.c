/* A streaming tar reader: V7, ustar, PAX and GNU headers, every field bounded and checked before use. */
#define _GNU_SOURCE
#include "layer.h"

#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { BUFFER_SIZE = 256 * 1024 };

static int fail(struct tar_reader *r, const char *format, ...) {
  va_list args;
  va_start(args, format);
  vsnprintf(r->error, sizeof r->error, format, args);
  va_end(args);
  return -1;
}

int tar_open(struct tar_reader *r, struct input *input) {
  memset(r, 0, sizeof *r);
  r->input = input;
  r->buffer = malloc(BUFFER_SIZE);
  return r->buffer ? 0 : fail(r, "out of memory");
}

void tar_close(struct tar_reader *r) {
  free(r->buffer);
  free(r->pax);
  r->buffer = r->pax = NULL;
}

/* Makes at least one byte available; 0 at the end of input. */
static ssize_t fill(struct tar_reader *r) {
  if (r->start < r->end) return (ssize_t)(r->end - r->start);
  ssize_t n = input_read(r->input, r->buffer, BUFFER_SIZE);
  if (n < 0) return fail(r, "%s", r->input->error);
  r->start = 0;
  r->end = (size_t)n;
  return n;
}

/* Copies exactly `size` bytes (NULL skips). Returns the number of bytes before the end of input. */
static ssize_t take(struct tar_reader *r, uint8_t *to, int64_t size) {
  int64_t done = 0;
  while (done < size) {
    ssize_t n = fill(r);
    if (n < 0) return -1;
    if (n == 0) break;
    if (n > size - done) n = (ssize_t)(size - done);
    if (to) memcpy(to + done, r->buffer + r->start, (size_t)n);
    r->start += (size_t)n;
    done += n;
  }
  return (ssize_t)done;
}

static int take_all(struct tar_reader *r, uint8_t *to, int64_t size) {
  ssize_t n = take(r, to, size);
  if (n < 0) return -1;
  return n == size ? 0 : fail(r, "unexpected EOF");
}

ssize_t tar_data(struct tar_reader *r, const uint8_t **view, size_t size) {
  if (r->left == 0) return 0;
  ssize_t n = fill(r);
  if (n < 0) return -1;
  if (n == 0) return fail(r, "unexpected EOF");
  if ((int64_t)size > r->left) size = (size_t)r->left;
  if ((size_t)n > size) n = (ssize_t)size;
  *view = r->buffer + r->start;
  r->start += (size_t)n;
  r->left -= n;
  return n;
}

int tar_drain(struct tar_reader *r) {
  for (;;) {
    ssize_t n = fill(r);
    if (n <= 0) return (int)n;
    r->start = r->end;
  }
}

/* ---- fields ---- */

/* Octal text or GNU's base-256 (negative too). */
static int parse_number(struct tar_reader *r, const uint8_t *field, size_t size, int64_t *out) {
  if (field[0] & 0x80) {
    bool negative = field[0] & 0x40;
    uint64_t value = negative ? ~(uint64_t)0 : 0;
    for (size_t i = 0; i < size; i++) {
      uint8_t byte = field[i];
      if (i == 0) byte = negative ? byte : byte & 0x7f;
      uint8_t sign = negative ? 0xff : 0;
      if ((uint8_t)(value >> 56) != sign) return fail(r, "archive/tar: invalid tar header");
      value = value << 8 | byte;
    }
    if ((bool)(value >> 63) != negative) return fail(r, "archive/tar: invalid tar header");
    *out = (int64_t)value;
    return 0;
  }
  size_t i = 0, stop = size;
  while (i < stop && (field[i] == ' ' || field[i] == 0)) i++;
  while (stop > i && (field[stop - 1] == ' ' || field[stop - 1] == 0)) stop--;
  int64_t value = 0;
  for (; i < stop && field[i] != 0; i++) {
    if (field[i] < '0' || field[i] > '7' || value >> 60) return fail(r, "archive/tar: invalid tar header");
    value = value << 3 | (field[i] - '0');
  }
  *out = value;
  return 0;
}

static void copy_field(char *to, const uint8_t *field, size_t size) {
  size_t n = strnlen((const char *)field, size);
  memcpy(to, field, n);
  to[n] = 0;
}

static bool checksum_matches(struct tar_reader *r, const uint8_t *h) {
  int64_t expected;
  if (parse_number(r, h + 148, 8, &expected) < 0) return false;
  int64_t as_unsigned = 0, as_signed = 0; /* historic tars summed signed bytes */
  for (int i = 0; i < TAR_BLOCK; i++) {
    uint8_t byte = i >= 148 && i < 156 ? ' ' : h[i];
    as_unsigned += byte;
    as_signed += (int8_t)byte;
  }
  return expected == as_unsigned || expected == as_signed;
}

enum format { V7, USTAR, GNU, STAR };

static enum format format_of(const uint8_t *h) {
  if (!memcmp(h + 257, "ustar ", 6)) return GNU;
  if (!memcmp(h + 257, "ustar", 6)) return memcmp(h + 508, "tar", 4) ? USTAR : STAR;
  return V7;
}

static int parse_header(struct tar_reader *r, const uint8_t *h, struct tar_entry *e) {
  int64_t mode, uid, gid, major = 0, minor = 0;
  enum format format = format_of(h);
  if (parse_number(r, h + 100, 8, &mode) < 0 || parse_number(r, h + 108, 8, &uid) < 0 ||
      parse_number(r, h + 116, 8, &gid) < 0 || parse_number(r, h + 124, 12, &e->size) < 0 ||
      parse_number(r, h + 136, 12, &e->mtime_s) < 0)
    return -1;
  e->type = (char)h[156];
  if ((e->type == '3' || e->type == '4') && format != V7 &&
      (parse_number(r, h + 329, 8, &major) < 0 || parse_number(r, h + 337, 8, &minor) < 0))
    return -1;
  if (uid < 0 || uid > UINT32_MAX || gid < 0 || gid > UINT32_MAX) return fail(r, "archive/tar: invalid tar header");
  if (major < 0 || major > INT32_MAX || minor < 0 || minor > INT32_MAX)
    return fail(r, "archive/tar: invalid tar header");
  e->mode = (uint32_t)mode & 07777;
  e->uid = (uint32_t)uid;
  e->gid = (uint32_t)gid;
  e->dev_major = (uint32_t)major;
  e->dev_minor = (uint32_t)minor;
  copy_field(e->name, h, 100);
  copy_field(e->link, h + 157, 100);
  size_t prefix_size = format == USTAR ? 155 : format == STAR ? 131 : 0;
  if (prefix_size && h[345]) {
    char base[101];
    strcpy(base, e->name);
    copy_field(e->name, h + 345, prefix_size);
    size_t n = strlen(e->name);
    e->name[n] = '/';
    strcpy(e->name + n + 1, base);
  }
  return 0;
}

/* ---- PAX ---- */

static int decimal(struct tar_reader *r, const char *text, size_t size, int64_t *out) {
  int64_t value = 0;
  if (size == 0 || size > 18) return fail(r, "archive/tar: invalid tar header");
  for (size_t i = 0; i < size; i++) {
    if (text[i] < '0' || text[i] > '9') return fail(r, "archive/tar: invalid tar header");
    value = value * 10 + (text[i] - '0');
  }
  *out = value;
  return 0;
}

static int pax_time(struct tar_reader *r, const char *text, size_t size, struct tar_entry *e) {
  bool negative = size > 0 && text[0] == '-';
  if (negative) text++, size--;
  const char *dot = memchr(text, '.', size);
  size_t whole = dot ? (size_t)(dot - text) : size;
  int64_t seconds;
  if (decimal(r, text, whole, &seconds) < 0) return -1;
  long ns = 0;
  if (dot) {
    size_t digits = size - whole - 1;
    for (size_t i = 0; i < 9; i++) {
      char c = i < digits ? dot[1 + i] : '0';
      if (c < '0' || c > '9') return fail(r, "archive/tar: invalid tar header");
      ns = ns * 10 + (c - '0');
    }
  }
  if (negative) {
    seconds = -seconds;
    if (ns) seconds--, ns = 1000000000 - ns;
  }
  e->mtime_s = seconds;
  e->mtime_ns = ns;
  return 0;
}

static int pax_path(struct tar_reader *r, char *to, const char *value, size_t size) {
  if (memchr(value, 0, size)) return fail(r, "archive/tar: invalid tar header");
  if (size >= TAR_NAME_LIMIT) return fail(r, "archive/tar: invalid tar header: path too long");
  memcpy(to, value, size);
  to[size] = 0;
  return 0;
}

struct sparse_state {
  int64_t major, minor, real_size;
  bool has_major, has_real_size, has_offset;
  int64_t offset;
  const char *map;
  size_t map_size;
  char name[TAR_NAME_LIMIT];
  bool has_name;
};

static int add_piece(struct tar_reader *r, struct tar_entry *e, int64_t offset, int64_t size) {
  if (e->piece_count == TAR_SPARSE_LIMIT) return fail(r, "archive/tar: invalid tar header: too many sparse pieces");
  if ((e->piece_count & (e->piece_count + 1)) == 0) { /* grow at 0, 1, 3, 7, … */
    size_t capacity = (e->piece_count + 1) * 2;
    struct tar_piece *grown = realloc(e->pieces, capacity * sizeof *grown);
    if (!grown) return fail(r, "out of memory");
    e->pieces = grown;
  }
  e->pieces[e->piece_count++] = (struct tar_piece){offset, size};
  return 0;
}

static int pax_sparse(struct tar_reader *r, struct tar_entry *e, struct sparse_state *s, const char *key,
                      const char *value, size_t size) {
  if (!strcmp(key, "major")) return s->has_major = true, decimal(r, value, size, &s->major);
  if (!strcmp(key, "minor")) return decimal(r, value, size, &s->minor);
  if (!strcmp(key, "name")) return s->has_name = true, pax_path(r, s->name, value, size);
  if (!strcmp(key, "realsize") || !strcmp(key, "size"))
    return s->has_real_size = true, decimal(r, value, size, &s->real_size);
  if (!strcmp(key, "map")) return s->map = value, s->map_size = size, 0;
  if (!strcmp(key, "offset")) {
    e->sparse = s->has_offset = true;
    return decimal(r, value, size, &s->offset);
  }
  if (!strcmp(key, "numbytes")) {
    int64_t bytes;
    if (!s->has_offset) return fail(r, "archive/tar: invalid tar header");
    s->has_offset = false;
    return decimal(r, value, size, &bytes) < 0 ? -1 : add_piece(r, e, s->offset, bytes);
  }
  return 0; /* numblocks only announces */
}

static int pax_record(struct tar_reader *r, struct tar_entry *e, struct sparse_state *s, const char *key,
                      const char *value, size_t size) {
  int64_t number;
  if (!strncmp(key, "GNU.sparse.", 11)) return pax_sparse(r, e, s, key + 11, value, size);
  if (!strncmp(key, "SCHILY.xattr.", 13)) {
    if (key[13] == 0) return fail(r, "archive/tar: invalid tar header");
    if (e->xattr_count == TAR_XATTR_LIMIT) return fail(r, "archive/tar: invalid tar header: too many xattrs");
    e->xattrs[e->xattr_count++] = (struct tar_xattr){key + 13, (const uint8_t *)value, size};
    return 0;
  }
  if (size == 0) return 0; /* an empty value takes the record back */
  if (!strcmp(key, "path")) return pax_path(r, e->name, value, size);
  if (!strcmp(key, "linkpath")) return pax_path(r, e->link, value, size);
  if (!strcmp(key, "mtime")) return pax_time(r, value, size, e);
  if (!strcmp(key, "size")) return decimal(r, value, size, &e->size);
  bool is_uid = !strcmp(key, "uid");
  if (is_uid || !strcmp(key, "gid")) {
    if (decimal(r, value, size, &number) < 0) return -1;
    if (number > UINT32_MAX) return fail(r, "archive/tar: invalid tar header");
    *(is_uid ? &e->uid : &e->gid) = (uint32_t)number;
  }
  return 0;
}

/* "length key=value\n", the length counting itself. Keys are terminated in place. */
static int parse_pax(struct tar_reader *r, struct tar_entry *e, struct sparse_state *s) {
  char *at = (char *)r->pax, *end = at + r->pax_size;
  while (at < end) {
    char *space = memchr(at, ' ', (size_t)(end - at));
    int64_t length;
    if (!space || space - at > 10 || decimal(r, at, (size_t)(space - at), &length) < 0)
      return fail(r, "archive/tar: invalid tar header");
    char *next = at + length;
    if (length > end - at || length < space - at + 4 || next[-1] != '\n')
      return fail(r, "archive/tar: invalid tar header");
    char *key = space + 1, *equals = memchr(key, '=', (size_t)(next - key));
    if (!equals || equals == key || memchr(key, 0, (size_t)(equals - key)))
      return fail(r, "archive/tar: invalid tar header");
    *equals = 0;
    if (pax_record(r, e, s, key, equals + 1, (size_t)(next - 1 - (equals + 1))) < 0) return -1;
    at = next;
  }
  return 0;
}

/* ---- sparse files ---- */

static int old_gnu_sparse(struct tar_reader *r, struct tar_entry *e, const uint8_t *h) {
  uint8_t block[TAR_BLOCK];
  const uint8_t *at = h + 386;
  size_t count = 4;
  bool extended = h[482];
  if (parse_number(r, h + 483, 12, &e->size) < 0) return -1;
  for (;;) {
    for (size_t i = 0; i < count; i++, at += 24) {
      int64_t offset, size;
      if (at[0] == 0 && at[12] == 0) break;
      if (parse_number(r, at, 12, &offset) < 0 || parse_number(r, at + 12, 12, &size) < 0 ||
          add_piece(r, e, offset, size) < 0)
        return -1;
    }
    if (!extended) break;
    if (take_all(r, block, TAR_BLOCK) < 0) return -1;
    at = block;
    count = 21;
    extended = block[504];
  }
  e->sparse = true;
  return 0;
}

static int sparse_map_text(struct tar_reader *r, struct tar_entry *e, const char *map, size_t size) {
  int64_t numbers[2];
  size_t have = 0;
  const char *end = map + size;
  while (map < end) {
    const char *comma = memchr(map, ',', (size_t)(end - map));
    const char *stop = comma ? comma : end;
    if (decimal(r, map, (size_t)(stop - map), &numbers[have++]) < 0) return -1;
    if (have == 2 && (have = 0, add_piece(r, e, numbers[0], numbers[1]) < 0)) return -1;
    map = stop + 1;
  }
  return have ? fail(r, "archive/tar: invalid tar header") : 0;
}

/* PAX sparse 1.0 keeps its map as decimal lines at the start of the data, padded to a block. */
static int sparse_map_data(struct tar_reader *r, struct tar_entry *e) {
  int64_t pairs = -1, pending = -1, total = 0;
  char number[24];
  size_t digits = 0;
  uint8_t block[TAR_BLOCK];
  while (pairs != 0) {
    if (e->stored - total < TAR_BLOCK) return fail(r, "archive/tar: invalid tar header: sparse map exceeds its file");
    if (take_all(r, block, TAR_BLOCK) < 0) return -1;
    total += TAR_BLOCK;
    for (size_t i = 0; i < TAR_BLOCK && pairs != 0; i++) {
      if (block[i] != '\n') {
        if (digits == 18) return fail(r, "archive/tar: invalid tar header");
        number[digits++] = (char)block[i];
        continue;
      }
      int64_t value;
      if (decimal(r, number, digits, &value) < 0) return -1;
      digits = 0;
      if (pairs < 0) {
        if (value > TAR_SPARSE_LIMIT) return fail(r, "archive/tar: invalid tar header: too many sparse pieces");
        pairs = value;
      } else if (pending < 0) {
        pending = value;
      } else {
        if (add_piece(r, e, pending, value) < 0) return -1;
        pending = -1;
        pairs--;
      }
    }
  }
  e->stored -= total;
  return 0;
}

static int check_sparse(struct tar_reader *r, struct tar_entry *e) {
  int64_t at = 0, sum = 0;
  for (size_t i = 0; i < e->piece_count; i++) {
    struct tar_piece p = e->pieces[i];
    if (p.offset < at || p.size < 0 || p.size > INT64_MAX - p.offset || p.offset + p.size > e->size)
      return fail(r, "archive/tar: invalid tar header");
    at = p.offset + p.size;
    sum += p.size;
  }
  return sum == e->stored ? 0 : fail(r, "archive/tar: invalid tar header");
}

/* ---- entries ---- */

static int read_extension(struct tar_reader *r, int64_t size, uint8_t *to) {
  int64_t padded = (size + TAR_BLOCK - 1) & ~(int64_t)(TAR_BLOCK - 1);
  if (take_all(r, to, size) < 0) return -1;
  return take_all(r, NULL, padded - size);
}

static int read_long_name(struct tar_reader *r, const struct tar_entry *e) {
  bool is_name = e->type == 'L';
  char *to = is_name ? r->long_name : r->long_link;
  /* The size counts the closing NUL. */
  if (e->size < 0 || e->size > TAR_NAME_LIMIT) return fail(r, "archive/tar: invalid tar header: path too long");
  if (read_extension(r, e->size, (uint8_t *)to) < 0) return -1;
  size_t n = strnlen(to, (size_t)e->size);
  if (n == TAR_NAME_LIMIT) return fail(r, "archive/tar: invalid tar header: path too long");
  to[n] = 0;
  *(is_name ? &r->has_long_name : &r->has_long_link) = true;
  return 0;
}

static int read_pax(struct tar_reader *r, const struct tar_entry *e) {
  if (e->size < 0 || e->size > TAR_EXTENSION_LIMIT) return fail(r, "archive/tar: invalid tar header: PAX header too large");
  uint8_t *grown = realloc(r->pax, (size_t)e->size + 1);
  if (!grown) return fail(r, "out of memory");
  r->pax = grown;
  r->pax_size = (size_t)e->size;
  return read_extension(r, e->size, r->pax);
}

/* Padding that is cut off is no fault, as in Go's reader: the data are whole. */
static int skip_rest(struct tar_reader *r) {
  int64_t left = r->left, padding = r->padding;
  r->left = r->padding = 0;
  if (take_all(r, NULL, left) < 0) return -1;
  return take(r, NULL, padding) < 0 ? -1 : 0;
}

static int skip_entry(struct tar_reader *r, const struct tar_entry *e) {
  if (e->size < 0 || e->size > INT64_MAX - TAR_BLOCK) return fail(r, "archive/tar: invalid tar header");
  r->left = e->size;
  r->padding = -e->size & (TAR_BLOCK - 1);
  return skip_rest(r);
}

/* 1 a header, 0 the end of the archive (two zero blocks, or the end of input between entries). */
static int read_header(struct tar_reader *r, uint8_t *h) {
  static const uint8_t zeros[TAR_BLOCK];
  for (int empty = 0; empty < 2; empty++) {
    ssize_t n = take(r, h, TAR_BLOCK);
    if (n < 0) return -1;
    if (n == 0) return 0;
    if (n < TAR_BLOCK) return fail(r, "unexpected EOF");
    if (memcmp(h, zeros, TAR_BLOCK)) {
      if (empty) return fail(r, "archive/tar: invalid tar header");
      return checksum_matches(r, h) ? 1 : fail(r, "archive/tar: invalid tar header");
    }
  }
  return 0;
}

static int finish_sparse(struct tar_reader *r, struct tar_entry *e, struct sparse_state *s, const uint8_t *h) {
  if (s->has_name) strcpy(e->name, s->name);
  if (e->type == 'S') {
    e->type = '0';
    if (old_gnu_sparse(r, e, h) < 0) return -1;
  } else if (s->has_major && s->major == 1 && s->minor == 0) {
    e->sparse = true;
    e->size = s->real_size;
    if (sparse_map_data(r, e) < 0) return -1;
  } else if (s->map) {
    e->sparse = true;
    e->size = s->real_size;
    if (sparse_map_text(r, e, s->map, s->map_size) < 0) return -1;
  } else if (e->sparse) { /* 0.0: the pieces came as records */
    if (s->has_real_size) e->size = s->real_size;
  }
  return e->sparse ? check_sparse(r, e) : 0;
}

/* The data that follows: of other types' headers the size is only a remark, as in Go's reader. */
static int finish_entry(struct tar_reader *r, struct tar_entry *e, struct sparse_state *s, const uint8_t *h) {
  if (e->type == 0 || e->type == '7') e->type = '0';
  size_t n = strlen(e->name);
  if (e->type == '0' && n && e->name[n - 1] == '/') e->type = '5'; /* V7's way to say directory */
  if (e->type != '0' && e->type != 'S') e->size = 0;
  if (e->size < 0 || e->size > INT64_MAX - TAR_BLOCK) return fail(r, "archive/tar: invalid tar header");
  e->stored = e->size;
  int64_t padding = -e->size & (TAR_BLOCK - 1);
  if (finish_sparse(r, e, s, h) < 0) return -1;
  r->left = e->stored;
  r->padding = padding;
  return 1;
}

int tar_next(struct tar_reader *r, struct tar_entry *e) {
  uint8_t h[TAR_BLOCK];
  struct sparse_state sparse;
  bool has_pax = false;
  if (skip_rest(r) < 0) return -1;
  r->has_long_name = r->has_long_link = false;
  for (;;) {
    int status = read_header(r, h);
    if (status <= 0) return status;
    struct tar_piece *pieces = e->pieces;
    memset(e, 0, sizeof *e);
    e->pieces = pieces;
    if (parse_header(r, h, e) < 0) return -1;
    if (e->type == 'L' || e->type == 'K') {
      if (read_long_name(r, e) < 0) return -1;
    } else if (e->type == 'x') {
      if (read_pax(r, e) < 0) return -1;
      has_pax = true;
    } else if (e->type == 'g' || e->type == 'V') { /* global headers and labels: read past, as Docker does */
      if (skip_entry(r, e) < 0) return -1;
    } else {
      break;
    }
  }
  memset(&sparse, 0, sizeof sparse);
  if (has_pax && parse_pax(r, e, &sparse) < 0) return -1;
  if (r->has_long_name) strcpy(e->name, r->long_name);
  if (r->has_long_link) strcpy(e->link, r->long_link);
  return finish_entry(r, e, &sparse, h);
}
