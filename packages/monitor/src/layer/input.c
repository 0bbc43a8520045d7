/* Reading a tar's bytes: inflated and hashed here, so that they go through no pipe. */
#define _GNU_SOURCE
#include "input.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { COMPRESSED_SIZE = 128 * 1024, PROGRESS_STEP = 1024 * 1024, GZIP_WINDOW = 15 + 16 };

static int fail(struct input *in, const char *format, ...) {
  va_list args;
  va_start(args, format);
  vsnprintf(in->error, sizeof in->error, format, args);
  va_end(args);
  return -1;
}

int input_open(struct input *in) {
  if (in->digest) sha256_init(&in->sha);
  if (!in->gzip) return 0;
  in->buffer = malloc(COMPRESSED_SIZE);
  if (!in->buffer || inflateInit2(&in->stream, GZIP_WINDOW) != Z_OK) return fail(in, "out of memory");
  in->open = true;
  return 0;
}

void input_close(struct input *in) {
  if (in->open) inflateEnd(&in->stream);
  free(in->buffer);
  in->buffer = NULL;
  in->open = false;
}

/* Not a byte beyond the body: what follows it on the connection is another request. */
static ssize_t read_body(struct input *in, uint8_t *to, size_t size) {
  if ((uint64_t)in->body_left < size) size = (size_t)in->body_left;
  ssize_t n;
  while ((n = read(in->body_fd, to, size)) < 0) {
    struct pollfd readable = {.fd = in->body_fd, .events = POLLIN};
    if (errno == EAGAIN) poll(&readable, 1, -1);
    else if (errno != EINTR) return fail(in, "read: %s", strerror(errno));
  }
  if (n == 0) return fail(in, "unexpected EOF");
  in->body_left -= n;
  return n;
}

static ssize_t read_descriptor(struct input *in, uint8_t *to, size_t size) {
  ssize_t n;
  do n = read(in->fd, to, size);
  while (n < 0 && errno == EINTR);
  if (n < 0) return fail(in, "read: %s", strerror(errno));
  if (n == 0 && in->body_left > 0 && (n = read_body(in, to, size)) < 0) return -1;
  in->read += n;
  if (in->progress && in->read - in->told >= PROGRESS_STEP) {
    in->told = in->read;
    printf("%lld\n", (long long)in->read);
    fflush(stdout);
  }
  return n;
}

/* More compressed bytes; 0 at the end of the descriptor. */
static ssize_t refill(struct input *in) {
  if (in->stream.avail_in > 0) return (ssize_t)in->stream.avail_in;
  ssize_t n = read_descriptor(in, in->buffer, COMPRESSED_SIZE);
  if (n <= 0) return n;
  in->stream.next_in = in->buffer;
  in->stream.avail_in = (uInt)n;
  return n;
}

static ssize_t read_gzip(struct input *in, uint8_t *to, size_t size) {
  z_stream *z = &in->stream;
  z->next_out = to;
  z->avail_out = (uInt)size;
  while (z->avail_out == size) {
    ssize_t n = refill(in);
    if (n < 0) return -1;
    if (n == 0 && in->ended) return 0;
    if (n == 0) return fail(in, "archive is damaged: unexpected end of gzip data");
    /* Members follow one another; together they are one stream (RFC 1952, 2.2). */
    if (in->ended && inflateReset(z) != Z_OK) return fail(in, "out of memory");
    in->ended = false;
    int status = inflate(z, Z_NO_FLUSH);
    if (status == Z_STREAM_END) in->ended = true;
    else if (status != Z_OK && status != Z_BUF_ERROR)
      return fail(in, "archive is damaged: %s", z->msg ? z->msg : "bad gzip data");
  }
  return (ssize_t)(size - z->avail_out);
}

ssize_t input_read(struct input *in, uint8_t *to, size_t size) {
  ssize_t n = in->gzip ? read_gzip(in, to, size) : read_descriptor(in, to, size);
  if (n <= 0) return n;
  in->given += n;
  if (in->given > in->limit) return fail(in, "archive exceeds %lld bytes", (long long)in->limit);
  if (in->digest) sha256_update(&in->sha, to, (size_t)n);
  return n;
}
