/* The process's pipes or terminal: output to the log and the attached clients, input from them. A client that does not
 * read stops the reading of the process's output, and with it the process, as with Docker. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../files.h"
#include "state.h"

enum {
  /* For writers that keep it full. Not more: what root may pin in pipes without CAP_SYS_RESOURCE is bounded (64 MiB). */
  BUSY_PIPE_BYTES = 256 * 1024,
  INPUT_BYTES = READ_BYTES,
  /* What a pipe can hold when init ends; a process left behind that goes on writing is not followed further. */
  MAX_LATE_BYTES = 1024 * 1024,
};

static bool make_pipe(int *ours, int *theirs, bool we_read) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return false;
  *ours = ends[we_read ? 0 : 1];
  *theirs = ends[we_read ? 1 : 0];
  /* Only our end: the process expects blocking descriptors. */
  int flags = fcntl(*ours, F_GETFL);
  return flags >= 0 && fcntl(*ours, F_SETFL, flags | O_NONBLOCK) == 0;
}

bool streams_prepare(struct monitor *monitor) {
  const struct plan *plan = &monitor->plan;
  if (plan->terminal) {
    for (int i = 0; i < 2; i++)
      if ((monitor->child_ends[i] = open_at(AT_FDCWD, "/dev/null", O_RDWR, 0)) < 0) return false;
    return (monitor->child_ends[2] = fcntl(monitor->runtime_log, F_DUPFD_CLOEXEC, 3)) >= 0;
  }
  if (plan->open_stdin) {
    if (!make_pipe(&monitor->input, &monitor->child_ends[0], false)) return false;
  } else if ((monitor->child_ends[0] = open_at(AT_FDCWD, "/dev/null", O_RDONLY, 0)) < 0) {
    return false;
  }
  return make_pipe(&monitor->outputs[0].fd, &monitor->child_ends[1], true) &&
         make_pipe(&monitor->outputs[1].fd, &monitor->child_ends[2], true);
}

void streams_close_child_ends(struct monitor *monitor) {
  for (int i = 0; i < 3; i++) {
    if (monitor->child_ends[i] >= 0) close(monitor->child_ends[i]);
    monitor->child_ends[i] = -1;
  }
  /* The only client that could have sent anything has left before the start. */
  if (monitor->input_closing) streams_end_input(monitor);
}

static void close_output(struct output *output) {
  if (output->fd >= 0) close(output->fd);
  output->fd = -1;
}

void streams_close_outputs(struct monitor *monitor) {
  for (int i = 0; i < 2; i++) close_output(&monitor->outputs[i]);
}

bool streams_output_ended(const struct monitor *monitor) {
  return monitor->outputs[0].fd < 0 && monitor->outputs[1].fd < 0;
}

bool streams_output_may_be_read(const struct monitor *monitor, const struct output *output) {
  unsigned flag = output->stream == 1 ? STREAM_STDOUT : STREAM_STDERR;
  if (output->fd < 0 || monitor->state < STATE_RUNNING) return false;
  for (size_t i = 0; i < monitor->connection_count; i++) {
    const struct connection *connection = monitor->connections[i];
    if (connection->holds && !connection->dead && monitor->state == STATE_RUNNING) return false;
    if (connection->kind == CONNECTION_ATTACHED && (connection->streams & flag) &&
        connection->pending_end > connection->pending_start)
      return false;
  }
  return true;
}

void streams_read_output(struct monitor *monitor, struct output *output) {
  static unsigned char chunk[READ_BYTES];
  ssize_t count = read(output->fd, chunk, sizeof chunk);
  if (count < 0 && (errno == EINTR || errno == EAGAIN)) {
    if (errno == EAGAIN && monitor->reaped && milliseconds_until(&monitor->drain_until) == 0) close_output(output);
    return;
  }
  if (count <= 0) return close_output(output); /* EIO: the terminal's other side is closed. */
  if (count == READ_BYTES && !output->grown) {
    output->grown = true;
    fcntl(output->fd, F_SETPIPE_SZ, BUSY_PIPE_BYTES);
  }
  log_write(chunk, (size_t)count, output->stream);
  log_flush();
  connections_send_output(monitor, output->stream, chunk, (size_t)count);
}

/* After the deadline nothing is waited for; what lies in the pipes is still delivered, as fast as the clients take it. */
void streams_drain_late(struct monitor *monitor) {
  for (int i = 0; i < 2; i++) {
    struct output *output = &monitor->outputs[i];
    while (output->fd >= 0 && streams_output_may_be_read(monitor, output)) {
      if (output->late_bytes >= MAX_LATE_BYTES) close_output(output);
      else streams_read_output(monitor, output);
      output->late_bytes += READ_BYTES;
    }
  }
}

static void close_input(struct monitor *monitor) {
  if (monitor->input >= 0) close(monitor->input);
  monitor->input = -1;
  monitor->input_start = monitor->input_end = 0;
}

bool streams_input_may_be_fed(const struct monitor *monitor) {
  return monitor->state >= STATE_RUNNING && monitor->input_end == monitor->input_start && !monitor->input_closing;
}

/* Answers how much was taken; a closed input takes all and forgets it. */
static size_t write_some(struct monitor *monitor, const unsigned char *bytes, size_t size) {
  size_t done = 0;
  while (done < size && monitor->input >= 0) {
    ssize_t count = write(monitor->input, bytes + done, size - done);
    if (count > 0) done += (size_t)count;
    else if (count < 0 && errno == EAGAIN) return done;
    else if (count < 0 && errno != EINTR) close_input(monitor); /* EPIPE: the process closed its stdin. */
  }
  return size;
}

void streams_feed_input(struct monitor *monitor, const unsigned char *bytes, size_t size) {
  if (size == READ_BYTES && !monitor->input_grown && !monitor->plan.terminal && monitor->input >= 0) {
    monitor->input_grown = true;
    fcntl(monitor->input, F_SETPIPE_SZ, BUSY_PIPE_BYTES);
  }
  size_t done = write_some(monitor, bytes, size);
  if (done == size || monitor->input < 0) return;
  if (!monitor->input_pending) monitor->input_pending = malloc(INPUT_BYTES);
  if (!monitor->input_pending || size - done > INPUT_BYTES) return close_input(monitor);
  memcpy(monitor->input_pending, bytes + done, size - done);
  monitor->input_start = 0;
  monitor->input_end = size - done;
}

void streams_write_input(struct monitor *monitor) {
  size_t size = monitor->input_end - monitor->input_start;
  monitor->input_start += write_some(monitor, monitor->input_pending + monitor->input_start, size);
  if (monitor->input < 0 || monitor->input_start >= monitor->input_end) monitor->input_start = monitor->input_end = 0;
  if (monitor->input_closing && monitor->input_end == 0) close_input(monitor);
}

void streams_end_input(struct monitor *monitor) {
  /* A terminal has no half-close; its user types the end-of-file character. */
  if (monitor->plan.terminal) return;
  monitor->input_closing = true;
  if (monitor->input_end == monitor->input_start) close_input(monitor);
}
