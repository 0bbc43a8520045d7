/* Connections to monitor.sock. The first message of each says what it is: control (see control.c) or an attached client,
 * whose connection carries the process's own bytes from then on. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "state.h"

enum {
  MAX_PENDING = 256 * 1024, /* of a control connection that does not read; an attached one never exceeds a frame */
  FINISH_MS = 5000,
  READS_PER_TURN = 8, /* of one client's input, before the others have theirs */
};

void connection_drop(struct connection *connection) { connection->dead = true; }

void connections_accept(struct monitor *monitor) {
  int fd = accept4(monitor->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
  if (fd < 0) return;
  struct connection *connection = monitor->connection_count < MAX_CONNECTIONS ? calloc(1, sizeof *connection) : NULL;
  if (!connection) {
    close(fd);
    return;
  }
  connection->fd = fd;
  connection->reader.limit = MAX_PLAN_BYTES;
  monitor->connections[monitor->connection_count++] = connection;
}

static void flush(struct connection *connection) {
  while (connection->pending_start < connection->pending_end) {
    ssize_t count = send(connection->fd, connection->pending + connection->pending_start,
                         connection->pending_end - connection->pending_start, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0 && errno == EAGAIN) return;
    if (count < 0) return connection_drop(connection);
    connection->pending_start += (size_t)count;
  }
  connection->pending_start = connection->pending_end = 0;
}

static void keep(struct connection *connection, const unsigned char *bytes, size_t size) {
  if (size > MAX_PENDING - connection->pending_end) return connection_drop(connection);
  unsigned char *larger = realloc(connection->pending, connection->pending_end + size);
  if (!larger) return connection_drop(connection);
  connection->pending = larger;
  memcpy(connection->pending + connection->pending_end, bytes, size);
  connection->pending_end += size;
}

static void send_bytes(struct connection *connection, const unsigned char *bytes, size_t size) {
  keep(connection, bytes, size);
  if (!connection->dead) flush(connection);
}

static void finish(struct connection *connection) {
  if (connection->finishing || connection->dead || connection->pending_end > connection->pending_start) return;
  shutdown(connection->fd, SHUT_WR);
  connection->finishing = true;
  connection->finish_until = monotonic_in(FINISH_MS);
}

void connection_send_frame(struct connection *connection, struct frame *frame) {
  size_t size = frame_finish(frame);
  if (size) send_bytes(connection, frame->buffer, size);
  else connection_drop(connection);
}

void connection_send_error(struct connection *connection, uint32_t id, int error, const char *text) {
  unsigned char buffer[512];
  struct frame frame;
  frame_start(&frame, buffer, sizeof buffer, id, (uint16_t)error);
  frame_text(&frame, TAG_TEXT, text);
  connection_send_frame(connection, &frame);
}

void connection_send_done(struct connection *connection, uint32_t id) {
  unsigned char buffer[64];
  struct frame frame;
  frame_start(&frame, buffer, sizeof buffer, id, 0);
  connection_send_frame(connection, &frame);
}

static void attach(struct connection *connection, const struct message *message) {
  unsigned streams = (unsigned)message_number(message, TAG_STREAMS, 0) & (STREAM_STDIN | STREAM_STDOUT | STREAM_STDERR);
  connection->kind = CONNECTION_ATTACHED;
  connection_send_done(connection, message->id);
  connection->streams = streams;
}

static void serve_messages(struct monitor *monitor, struct connection *connection) {
  while (!connection->dead && connection->kind != CONNECTION_ATTACHED) {
    struct message message;
    size_t start = connection->reader.start;
    int found = frame_reader_next(&connection->reader, &message);
    if (found < 0) return connection_drop(connection);
    if (found == 0) return;
    if (message.malformed) {
      connection_send_error(connection, message.id, EINVAL, "malformed request");
      continue;
    }
    if (message.code == OP_ATTACH && connection->kind == CONNECTION_NEW && monitor->state == STATE_NEW) {
      connection->reader.start = start;
      connection->deferred = true;
      return;
    }
    if (message.code == OP_ATTACH && connection->kind == CONNECTION_NEW) attach(connection, &message);
    else control_serve(monitor, connection, &message);
  }
}

static void serve_deferred(struct monitor *monitor) {
  for (size_t i = 0; i < monitor->connection_count; i++) {
    struct connection *connection = monitor->connections[i];
    if (!connection->deferred) continue;
    connection->deferred = false;
    serve_messages(monitor, connection);
  }
}

static void input_ended(struct monitor *monitor, struct connection *connection) {
  connection->input_ended = true;
  if ((connection->streams & STREAM_STDIN) && monitor->plan.stdin_once && !connection->finishing) streams_end_input(monitor);
}

static bool takes_input(const struct connection *connection) {
  return (connection->streams & STREAM_STDIN) && !connection->finishing;
}

static bool may_read_attached(const struct monitor *monitor, const struct connection *connection) {
  return !connection->input_ended && (!takes_input(connection) || streams_input_may_be_fed(monitor));
}

/* True: there may be more, and it would be taken. */
static bool read_attached_once(struct monitor *monitor, struct connection *connection) {
  static unsigned char chunk[READ_BYTES];
  const unsigned char *rest;
  size_t size = frame_reader_rest(&connection->reader, &rest);
  if (size > 0) {
    /* Sent together with the attach request. */
    if (size > sizeof chunk) size = sizeof chunk;
    memcpy(chunk, rest, size);
    connection->reader.start += size;
  } else {
    frame_reader_free(&connection->reader);
    ssize_t count = recv(connection->fd, chunk, sizeof chunk, MSG_DONTWAIT);
    if (count < 0 && (errno == EAGAIN || errno == EINTR)) return false;
    if (count <= 0) {
      input_ended(monitor, connection);
      return false;
    }
    size = (size_t)count;
  }
  if (takes_input(connection)) streams_feed_input(monitor, chunk, size);
  return size == sizeof chunk && may_read_attached(monitor, connection);
}

static void read_attached(struct monitor *monitor, struct connection *connection) {
  int left = READS_PER_TURN;
  while (read_attached_once(monitor, connection) && --left > 0) continue;
}

static bool has_rest(const struct connection *connection) {
  const unsigned char *rest;
  return connection->kind == CONNECTION_ATTACHED && frame_reader_rest(&connection->reader, &rest) > 0;
}

short connection_events(const struct monitor *monitor, const struct connection *connection) {
  short events = connection->pending_end > connection->pending_start ? POLLOUT : 0;
  if (connection->kind == CONNECTION_ATTACHED) return may_read_attached(monitor, connection) ? events | POLLIN : events;
  return connection->deferred || connection->input_ended ? events : events | POLLIN;
}

static void serve_attached(struct monitor *monitor, struct connection *connection, short events) {
  if (events & (POLLHUP | POLLERR)) {
    /* Gone for output; what it sent last still belongs to the process. */
    connection->hung_up = true;
    connection->pending_start = connection->pending_end = 0;
    connection->streams &= STREAM_STDIN;
  }
  if ((events & (POLLIN | POLLHUP | POLLERR)) && may_read_attached(monitor, connection)) read_attached(monitor, connection);
  if (connection->hung_up && connection->input_ended) connection_drop(connection);
}

static void serve_control(struct monitor *monitor, struct connection *connection, short events) {
  if (!(events & (POLLIN | POLLHUP | POLLERR))) return;
  int filled = frame_reader_fill(&connection->reader, connection->fd);
  if (filled < 0 && errno == EAGAIN) return;
  if (filled <= 0) return connection_drop(connection);
  if (connection->finishing) {
    frame_reader_free(&connection->reader);
    return;
  }
  enum monitor_state before = monitor->state;
  serve_messages(monitor, connection);
  if (before == STATE_NEW && monitor->state != STATE_NEW) serve_deferred(monitor);
}

void connection_serve(struct monitor *monitor, struct connection *connection, short events) {
  if (connection->dead) return;
  if (events & POLLOUT) flush(connection);
  if (connection->dead) return;
  if (connection->deferred && (events & (POLLHUP | POLLERR))) return connection_drop(connection);
  if (connection->kind == CONNECTION_ATTACHED) serve_attached(monitor, connection, events);
  else serve_control(monitor, connection, events);
}

void connections_send_output(struct monitor *monitor, unsigned char stream, const unsigned char *bytes, size_t size) {
  unsigned flag = stream == 1 ? STREAM_STDOUT : STREAM_STDERR;
  unsigned char header[8] = {stream, 0, 0, 0, (unsigned char)(size >> 24), (unsigned char)(size >> 16), (unsigned char)(size >> 8), (unsigned char)size};
  size_t header_size = monitor->plan.terminal ? 0 : sizeof header;
  for (size_t i = 0; i < monitor->connection_count; i++) {
    struct connection *connection = monitor->connections[i];
    if (connection->dead || connection->kind != CONNECTION_ATTACHED || !(connection->streams & flag)) continue;
    struct iovec parts[2] = {{.iov_base = header, .iov_len = header_size}, {.iov_base = (void *)bytes, .iov_len = size}};
    struct msghdr message = {.msg_iov = parts, .msg_iovlen = 2};
    ssize_t count;
    do count = sendmsg(connection->fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
    while (count < 0 && errno == EINTR);
    if (count < 0 && errno != EAGAIN) {
      connection->streams &= STREAM_STDIN;
      continue;
    }
    size_t done = count > 0 ? (size_t)count : 0;
    if (done < header_size) keep(connection, header + done, header_size - done);
    size_t body = done > header_size ? done - header_size : 0;
    if (!connection->dead && body < size) keep(connection, bytes + body, size - body);
  }
}

void connections_publish(struct monitor *monitor) {
  for (size_t i = 0; i < monitor->connection_count; i++) {
    struct connection *connection = monitor->connections[i];
    if (connection->kind != CONNECTION_CONTROL || connection->dead) continue;
    control_tell_exit(monitor, connection);
    finish(connection);
  }
}

void connections_tell_oom(struct monitor *monitor) {
  for (size_t i = 0; i < monitor->connection_count; i++) {
    struct connection *connection = monitor->connections[i];
    if (connection->kind == CONNECTION_CONTROL && !connection->dead) control_tell_oom(monitor, connection);
  }
}

void connections_finish_attached(struct monitor *monitor) {
  for (size_t i = 0; i < monitor->connection_count; i++)
    if (monitor->connections[i]->kind == CONNECTION_ATTACHED) finish(monitor->connections[i]);
}

bool connections_have_control(const struct monitor *monitor) {
  for (size_t i = 0; i < monitor->connection_count; i++)
    if (monitor->connections[i]->kind == CONNECTION_CONTROL && !monitor->connections[i]->dead) return true;
  return false;
}

static void release(struct monitor *monitor, struct connection *connection) {
  if (monitor->go_connection == connection) monitor->go_connection = NULL;
  if (connection->kind == CONNECTION_ATTACHED && !connection->input_ended) input_ended(monitor, connection);
  close(connection->fd);
  frame_reader_free(&connection->reader);
  free(connection->pending);
  free(connection);
}

int connections_sweep(struct monitor *monitor) {
  size_t kept = 0;
  int wait = -1;
  for (size_t i = 0; i < monitor->connection_count; i++) {
    struct connection *connection = monitor->connections[i];
    if (has_rest(connection) && !connection->dead && may_read_attached(monitor, connection)) read_attached(monitor, connection);
    if (connection->finishing && milliseconds_until(&connection->finish_until) == 0) connection->dead = true;
    if (connection->dead) {
      release(monitor, connection);
      continue;
    }
    monitor->connections[kept++] = connection;
    int left = connection->finishing ? milliseconds_until(&connection->finish_until) : -1;
    if (has_rest(connection) && may_read_attached(monitor, connection)) left = 0;
    if (left >= 0 && (wait < 0 || left < wait)) wait = left;
  }
  monitor->connection_count = kept;
  return wait;
}
