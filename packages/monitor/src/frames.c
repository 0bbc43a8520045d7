/* Encoding and decoding of messages. Nothing from the wire is trusted: every length is checked before it is used. */
#include "frames.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static uint16_t get16(const unsigned char *p) { return (uint16_t)(p[0] | p[1] << 8); }

static uint32_t get32(const unsigned char *p) {
  return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static void put(unsigned char *p, uint64_t value, size_t bytes) {
  for (size_t i = 0; i < bytes; i++) p[i] = (unsigned char)(value >> (8 * i));
}

bool next_field(const struct message *message, size_t *at, struct field *field) {
  if (message->size - *at < FIELD_HEADER_SIZE) return false;
  const unsigned char *p = message->fields + *at;
  size_t size = get32(p + 2);
  if (size > message->size - *at - FIELD_HEADER_SIZE) return false;
  *field = (struct field){.tag = get16(p), .size = size, .data = p + FIELD_HEADER_SIZE};
  *at += FIELD_HEADER_SIZE + size;
  return true;
}

const char *field_as_text(const struct field *field) {
  if (field->size == 0 || memchr(field->data, 0, field->size) != field->data + field->size - 1) return NULL;
  return (const char *)field->data;
}

bool field_as_number(const struct field *field, uint64_t *value) {
  if (field->size != 8) return false;
  *value = get32(field->data) | (uint64_t)get32(field->data + 4) << 32;
  return true;
}

bool message_field(const struct message *message, uint16_t tag, struct field *field) {
  for (size_t at = 0; next_field(message, &at, field);)
    if (field->tag == tag) return true;
  return false;
}

const char *message_text(const struct message *message, uint16_t tag) {
  struct field field;
  return message_field(message, tag, &field) ? field_as_text(&field) : NULL;
}

uint64_t message_number(const struct message *message, uint16_t tag, uint64_t otherwise) {
  struct field field;
  uint64_t value;
  return message_field(message, tag, &field) && field_as_number(&field, &value) ? value : otherwise;
}

static bool message_is_whole(const struct message *message) {
  struct field field;
  size_t at = 0;
  while (next_field(message, &at, &field)) continue;
  return at == message->size;
}

int frame_reader_fill(struct frame_reader *reader, int fd) {
  if (reader->start > 0) {
    memmove(reader->buffer, reader->buffer + reader->start, reader->end - reader->start);
    reader->end -= reader->start;
    reader->start = 0;
  }
  if (reader->end == reader->capacity) {
    size_t capacity = reader->capacity ? reader->capacity * 2 : 4096;
    if (capacity > reader->limit + FRAME_PREFIX_SIZE) capacity = reader->limit + FRAME_PREFIX_SIZE;
    if (capacity == reader->capacity) return errno = EMSGSIZE, -1;
    unsigned char *larger = realloc(reader->buffer, capacity);
    if (!larger) return -1;
    reader->buffer = larger;
    reader->capacity = capacity;
  }
  ssize_t count;
  do count = read(fd, reader->buffer + reader->end, reader->capacity - reader->end);
  while (count < 0 && errno == EINTR);
  if (count <= 0) return (int)count;
  reader->end += (size_t)count;
  return 1;
}

int frame_reader_next(struct frame_reader *reader, struct message *message) {
  size_t available = reader->end - reader->start;
  if (available < FRAME_PREFIX_SIZE) return 0;
  const unsigned char *p = reader->buffer + reader->start;
  size_t size = get32(p);
  if (size < FRAME_HEADER_SIZE - FRAME_PREFIX_SIZE || size > reader->limit) return -1;
  if (available - FRAME_PREFIX_SIZE < size) return 0;
  *message = (struct message){
      .id = get32(p + 4),
      .code = get16(p + 8),
      .fields = p + FRAME_HEADER_SIZE,
      .size = size + FRAME_PREFIX_SIZE - FRAME_HEADER_SIZE,
  };
  reader->start += FRAME_PREFIX_SIZE + size;
  message->malformed = !message_is_whole(message);
  return 1;
}

size_t frame_reader_rest(const struct frame_reader *reader, const unsigned char **bytes) {
  *bytes = reader->buffer + reader->start;
  return reader->end - reader->start;
}

void frame_reader_free(struct frame_reader *reader) {
  free(reader->buffer);
  reader->buffer = NULL;
  reader->capacity = reader->start = reader->end = 0;
}

void frame_start(struct frame *frame, void *buffer, size_t capacity, uint32_t id, uint16_t code) {
  *frame = (struct frame){.buffer = buffer, .capacity = capacity, .size = FRAME_HEADER_SIZE};
  put(frame->buffer + 4, id, 4);
  put(frame->buffer + 8, code, 2);
}

void frame_bytes(struct frame *frame, uint16_t tag, const void *data, size_t size) {
  if (frame->overflow || size > UINT32_MAX || frame->capacity - frame->size < FIELD_HEADER_SIZE ||
      frame->capacity - frame->size - FIELD_HEADER_SIZE < size) {
    frame->overflow = true;
    return;
  }
  unsigned char *p = frame->buffer + frame->size;
  put(p, tag, 2);
  put(p + 2, size, 4);
  if (size > 0) memcpy(p + FIELD_HEADER_SIZE, data, size);
  frame->size += FIELD_HEADER_SIZE + size;
}

void frame_text(struct frame *frame, uint16_t tag, const char *text) { frame_bytes(frame, tag, text, strlen(text) + 1); }

void frame_number(struct frame *frame, uint16_t tag, uint64_t value) {
  unsigned char bytes[8];
  put(bytes, value, sizeof bytes);
  frame_bytes(frame, tag, bytes, sizeof bytes);
}

size_t frame_finish(struct frame *frame) {
  if (frame->overflow) return 0;
  put(frame->buffer, frame->size - FRAME_PREFIX_SIZE, 4);
  return frame->size;
}
