/* Layers as tar streams: `unpack` and `pack`, and the reader they share. See PROTOCOL.md in this directory. */
#ifndef LAYER_H
#define LAYER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "input.h"

int layer_unpack_main(int argc, char **argv);
int layer_pack_main(int argc, char **argv);
int layer_sync_main(const char *directory);
int layer_server_main(void);

/* The same on the working directory of this process, which is locked into its root already. Messages go to standard
 * error; the answers are exit codes: 0, 1 (the archive is at fault) or 2 (the machine is). */
struct unpack_options {
  bool layer, gzip, digest, progress;
  int64_t limit_bytes; /* 0: none */
  /* For copies into containers: a file does not replace a directory nor the reverse, the entry for the root itself
   * changes nothing, attributes of overlayfs are ignored; `where` is how messages name the working directory. */
  bool keep_kinds;
  const char *where;
  bool has_owner; /* everything unpacked belongs to this one */
  uint32_t uid, gid;
  int body_fd; /* what follows standard input, see struct input */
  int64_t body_bytes;
  int64_t *body_left; /* where it is told what was not read of it; NULL without one */
};
int unpack_here(const struct unpack_options *options);

struct pack_options {
  bool layer;
  bool cross_mounts; /* what is mounted below is packed too */
  const char *only;  /* this one name of the working directory; NULL is all that is below it */
  const char *prefix; /* put before every name; not empty: the directory itself gets an entry of this name */
};
int pack_here(const struct pack_options *options);

enum {
  TAR_BLOCK = 512,
  TAR_NAME_LIMIT = 4096,            /* PATH_MAX: the kernel takes no more */
  TAR_EXTENSION_LIMIT = 1024 * 1024, /* one PAX header or GNU long name, as in Go's reader */
  TAR_XATTR_LIMIT = 128,            /* extended attributes of one entry */
  TAR_SPARSE_LIMIT = 1024 * 1024,   /* pieces of one sparse file */
};

/* One extended attribute; points into the entry's PAX data. */
struct tar_xattr {
  const char *name;
  const uint8_t *value;
  size_t value_size;
};

struct tar_piece {
  int64_t offset, size;
};

struct tar_entry {
  char type; /* '0' file, '1' hard link, '2' symlink, '3' char, '4' block, '5' directory, '6' fifo */
  char name[TAR_NAME_LIMIT];
  char link[TAR_NAME_LIMIT];
  uint32_t mode, uid, gid, dev_major, dev_minor;
  int64_t mtime_s;
  long mtime_ns;
  int64_t size; /* of the file; `stored` is what the archive holds of it */
  int64_t stored;
  bool sparse;
  struct tar_piece *pieces;
  size_t piece_count;
  struct tar_xattr xattrs[TAR_XATTR_LIMIT];
  size_t xattr_count;
};

struct tar_reader {
  struct input *input;
  int64_t left;     /* bytes of the current entry's data not yet read */
  int64_t padding;  /* after them */
  uint8_t *buffer;
  size_t start, end;
  uint8_t *pax; /* data of the last PAX header; xattrs point into it */
  size_t pax_size;
  char long_name[TAR_NAME_LIMIT], long_link[TAR_NAME_LIMIT];
  bool has_long_name, has_long_link;
  char error[256];
};

/* All return -1 after setting `error` (or with errno kept in the text). tar_next: 1 an entry, 0 the end. */
int tar_open(struct tar_reader *reader, struct input *input);
int tar_next(struct tar_reader *reader, struct tar_entry *entry);
/* Up to `size` bytes of the entry's data as a view into the buffer; 0 at the end of the entry. */
ssize_t tar_data(struct tar_reader *reader, const uint8_t **view, size_t size);
/* Reads whatever follows the archive, so that the writer never sees a closed pipe. */
int tar_drain(struct tar_reader *reader);
void tar_close(struct tar_reader *reader);

#endif
