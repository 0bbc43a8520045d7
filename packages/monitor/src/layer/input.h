/* What a tar is read from: a descriptor, plain or gzip, bounded, and hashed where that is wanted. */
#ifndef INPUT_H
#define INPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <zlib.h>

#include "sha256.h"

struct input {
  int fd;
  /* Once `fd` has ended, this many bytes follow on another descriptor, which may be non-blocking and does not end with
   * them: a client's connection. 0: none. */
  int body_fd;
  int64_t body_left;
  bool gzip, digest, progress;
  int64_t limit; /* plain bytes that may be read in all */
  int64_t given; /* plain bytes given so far */
  int64_t read;  /* bytes of the descriptor so far */
  int64_t told;  /* of them, when progress was last printed */
  uint8_t *buffer; /* compressed bytes */
  z_stream stream;
  bool open, ended;
  struct sha256 sha;
  char error[256];
};

/* `fd`, `gzip`, `digest`, `progress`, `limit`, `body_fd` and `body_left` are set, the rest is zero. -1 with `error` set. */
int input_open(struct input *input);
/* Up to `size` plain bytes; 0 at the end; -1 with `error` set. */
ssize_t input_read(struct input *input, uint8_t *to, size_t size);
void input_close(struct input *input);

#endif
