/* Length-prefixed messages of typed fields, as both modes speak them (PROTOCOL.md). */
#ifndef FRAMES_H
#define FRAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
  FRAME_PREFIX_SIZE = 4,
  FRAME_HEADER_SIZE = FRAME_PREFIX_SIZE + 4 + 2,
  FIELD_HEADER_SIZE = 2 + 4,
};

/* A received message; its fields lie in the reader's buffer and are valid until the next frame_reader_fill(). */
struct message {
  uint32_t id;
  uint16_t code; /* operation of a request, errno of a reply */
  bool malformed; /* its fields make no sense; id and code do */
  const unsigned char *fields;
  size_t size;
};

struct field {
  uint16_t tag;
  size_t size;
  const unsigned char *data;
};

/* Walks the fields: *at starts at 0; false at the end, or where a field would be cut short. */
bool next_field(const struct message *message, size_t *at, struct field *field);
/* The text of a field (without inner NUL), or NULL when it is no valid text. */
const char *field_as_text(const struct field *field);
bool field_as_number(const struct field *field, uint64_t *value);
/* The first field with this tag, as text, number or raw. */
const char *message_text(const struct message *message, uint16_t tag);
uint64_t message_number(const struct message *message, uint16_t tag, uint64_t otherwise);
bool message_field(const struct message *message, uint16_t tag, struct field *field);

/* Collects bytes of one connection until a whole message is there. */
struct frame_reader {
  unsigned char *buffer;
  size_t capacity, start, end, limit;
};

/* Reads what is there, once. 1: something came; 0: end of stream; -1: errno (EAGAIN when nothing is there). */
int frame_reader_fill(struct frame_reader *reader, int fd);
/* 1: *message is set; 0: more bytes are needed; -1: a length that makes no sense, after which nothing can be read. */
int frame_reader_next(struct frame_reader *reader, struct message *message);
/* Bytes that follow the last message (stdin sent together with an attach request). */
size_t frame_reader_rest(const struct frame_reader *reader, const unsigned char **bytes);
void frame_reader_free(struct frame_reader *reader);

/* Writes a message into a fixed buffer; too much sets `overflow` and frame_finish() answers 0. */
struct frame {
  unsigned char *buffer;
  size_t capacity, size;
  bool overflow;
};

void frame_start(struct frame *frame, void *buffer, size_t capacity, uint32_t id, uint16_t code);
void frame_bytes(struct frame *frame, uint16_t tag, const void *data, size_t size);
void frame_text(struct frame *frame, uint16_t tag, const char *text);
void frame_number(struct frame *frame, uint16_t tag, uint64_t value);
size_t frame_finish(struct frame *frame);

#endif
