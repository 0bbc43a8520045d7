/* Docker's json-file log: one JSON object for each line, lines over 16 KiB in several records of which only the last
 * carries the newline. Records are collected per read of the output and written with one call. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../files.h"
#include "state.h"

enum {
  RECORD_OVERHEAD = 128,
  ESCAPED = 6, /* at most six bytes for one */
  BATCH_BYTES = 128 * 1024,
};

/* The unfinished line of one stream. */
struct line {
  unsigned char bytes[LINE_BYTES];
  size_t size;
  bool split; /* earlier records of this line were written */
  struct timespec since;
};

static struct {
  int fd;
  char path[LOG_PATH_BYTES];
  const char *attributes;
  uint64_t size, max_size, max_files;
  bool compress;
  char *batch;
  size_t used, capacity, largest_record;
  time_t second; /* whose text is cached */
  char second_text[32];
} logfile = {.fd = -1};

static struct line lines[2];

/* Length of the valid UTF-8 sequence at the start, or 0; exactly what Go's decoder accepts. */
static size_t utf8_length(const unsigned char *p, size_t size) {
  size_t length = p[0] >= 0xc2 && p[0] <= 0xdf ? 2 : (p[0] & 0xf0) == 0xe0 ? 3 : p[0] >= 0xf0 && p[0] <= 0xf4 ? 4 : 0;
  if (length == 0 || size < length) return 0;
  for (size_t i = 1; i < length; i++)
    if ((p[i] & 0xc0) != 0x80) return 0;
  if ((p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] > 0x9f)) return 0;
  if ((p[0] == 0xf0 && p[1] < 0x90) || (p[0] == 0xf4 && p[1] > 0x8f)) return 0;
  return length;
}

static size_t escape_byte(char *out, unsigned char byte) {
  static const char digits[] = "0123456789abcdef";
  switch (byte) {
    case '\n': return memcpy(out, "\\n", 2), 2;
    case '\r': return memcpy(out, "\\r", 2), 2;
    case '"': return memcpy(out, "\\\"", 2), 2;
    case '\\': return memcpy(out, "\\\\", 2), 2;
  }
  memcpy(out, "\\u00", 4);
  out[4] = digits[byte >> 4];
  out[5] = digits[byte & 15];
  return 6;
}

static bool plain(unsigned char byte) {
  return byte >= 0x20 && byte < 0x80 && byte != '"' && byte != '\\' && byte != '<' && byte != '>' && byte != '&';
}

size_t json_escape(char *out, const unsigned char *bytes, size_t size) {
  char *start = out;
  for (size_t i = 0; i < size;) {
    size_t run = i;
    while (run < size && plain(bytes[run])) run++;
    memcpy(out, bytes + i, run - i);
    out += run - i;
    i = run;
    if (i == size) break;
    if (bytes[i] < 0x80) {
      out += escape_byte(out, bytes[i++]);
      continue;
    }
    size_t length = utf8_length(bytes + i, size - i);
    if (length == 0) {
      memcpy(out, "\\ufffd", 6);
      out += 6;
      i++;
    } else if (length == 3 && bytes[i] == 0xe2 && bytes[i + 1] == 0x80 && (bytes[i + 2] == 0xa8 || bytes[i + 2] == 0xa9)) {
      memcpy(out, bytes[i + 2] == 0xa8 ? "\\u2028" : "\\u2029", 6);
      out += 6;
      i += 3;
    } else {
      memcpy(out, bytes + i, length);
      out += length;
      i += length;
    }
  }
  return (size_t)(out - start);
}

static bool open_file(int flags) {
  struct stat info;
  logfile.fd = open_at(AT_FDCWD, logfile.path, O_WRONLY | O_APPEND | O_CREAT | flags, 0640);
  if (logfile.fd < 0) return false;
  logfile.size = fstat(logfile.fd, &info) == 0 ? (uint64_t)info.st_size : 0;
  return true;
}

int log_open(const struct plan *plan) {
  if (!plan->log_path) return 0;
  if ((size_t)snprintf(logfile.path, sizeof logfile.path, "%s", plan->log_path) >= sizeof logfile.path - 32) return ENAMETOOLONG;
  logfile.attributes = plan->log_attributes && plan->log_attributes[0] ? plan->log_attributes : NULL;
  logfile.max_size = plan->log_max_size;
  logfile.max_files = plan->log_max_files ? plan->log_max_files : 1;
  logfile.compress = plan->log_compress;
  logfile.largest_record = LINE_BYTES * ESCAPED + RECORD_OVERHEAD + (logfile.attributes ? strlen(logfile.attributes) : 0);
  logfile.capacity = logfile.largest_record + BATCH_BYTES;
  logfile.batch = malloc(logfile.capacity);
  if (!logfile.batch) return ENOMEM;
  return open_file(0) ? 0 : errno;
}

static void rotate(void) {
  close(logfile.fd);
  log_rotate(logfile.path, logfile.max_files, logfile.compress);
  /* Should the renaming have failed, the records go on in the old file. */
  open_file(logfile.max_files == 1 ? O_TRUNC : 0);
}

void log_flush(void) {
  if (logfile.used == 0) return;
  size_t done = 0;
  while (logfile.fd >= 0 && done < logfile.used) {
    ssize_t count = write(logfile.fd, logfile.batch + done, logfile.used - done);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) break;
    done += (size_t)count;
  }
  /* A full disk must not stop the container; cut a torn record off so that later ones can be read. */
  if (logfile.fd >= 0 && done < logfile.used && ftruncate(logfile.fd, (off_t)logfile.size) == 0) done = 0;
  logfile.size += done;
  logfile.used = 0;
}

static void put(const char *text, size_t size) {
  memcpy(logfile.batch + logfile.used, text, size);
  logfile.used += size;
}

/* Go's RFC3339Nano: trailing zeros of the fraction are left out. */
static void put_time(const struct timespec *time) {
  char text[48];
  if (time->tv_sec != logfile.second || !logfile.second_text[0]) {
    struct tm parts;
    gmtime_r(&time->tv_sec, &parts);
    strftime(logfile.second_text, sizeof logfile.second_text, "%Y-%m-%dT%H:%M:%S", &parts);
    logfile.second = time->tv_sec;
  }
  put(logfile.second_text, strlen(logfile.second_text));
  int size = snprintf(text, sizeof text, ".%09ld", time->tv_nsec);
  while (size > 0 && text[size - 1] == '0') size--;
  if (size == 1) size = 0;
  put(text, (size_t)size);
}

static void put_record(const unsigned char *bytes, size_t size, bool newline, unsigned char stream, const struct timespec *time) {
  if (logfile.capacity - logfile.used < logfile.largest_record) log_flush();
  if (logfile.max_size && logfile.size + logfile.used >= logfile.max_size) {
    log_flush();
    rotate();
  }
  put("{\"log\":\"", 8);
  logfile.used += json_escape(logfile.batch + logfile.used, bytes, size);
  if (newline) put("\\n", 2);
  put(stream == 1 ? "\",\"stream\":\"stdout\"," : "\",\"stream\":\"stderr\",", 20);
  if (logfile.attributes) {
    put("\"attrs\":", 8);
    put(logfile.attributes, strlen(logfile.attributes));
    put(",", 1);
  }
  put("\"time\":\"", 8);
  put_time(time);
  put("Z\"}\n", 4);
}

/* A record of a line; all records of a split line carry the time of the first. */
static void end_record(struct line *line, const unsigned char *bytes, size_t size, bool newline, unsigned char stream) {
  struct timespec now;
  if (!line->split) {
    clock_gettime(CLOCK_REALTIME, &now);
    line->since = now;
  }
  put_record(bytes, size, newline, stream, &line->since);
  line->split = !newline;
  line->size = 0;
}

void log_write(const unsigned char *bytes, size_t size, unsigned char stream) {
  struct line *line = &lines[stream - 1];
  /* A log file that could not be made anew by a rotation is tried again. */
  if (!logfile.batch || (logfile.fd < 0 && !open_file(0))) return;
  while (size > 0) {
    size_t room = LINE_BYTES - line->size;
    size_t scan = size < room ? size : room;
    const unsigned char *newline = memchr(bytes, '\n', scan);
    size_t part = newline ? (size_t)(newline - bytes) : scan;
    bool full = !newline && part == room;
    const unsigned char *text = bytes;
    size_t length = part;
    if (line->size > 0 || (!newline && !full)) {
      memcpy(line->bytes + line->size, bytes, part);
      length = line->size += part;
      text = line->bytes;
    }
    if (newline || full) end_record(line, text, length, newline != NULL, stream);
    bytes += part + (newline ? 1 : 0);
    size -= part + (newline ? 1 : 0);
  }
}

void log_close(void) {
  if (logfile.fd < 0) return;
  for (unsigned char stream = 1; stream <= 2; stream++) {
    struct line *line = &lines[stream - 1];
    if (line->size > 0) end_record(line, line->bytes, line->size, false, stream);
  }
  log_flush();
  close(logfile.fd);
  logfile.fd = -1;
  log_rotate_finish();
}
