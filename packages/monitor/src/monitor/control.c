/* The requests of a control connection: plan, go, signal, resize, hello, and the news of the end. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "state.h"

static void put_process(const struct monitor *monitor, struct frame *frame) {
  if (!monitor->init) return;
  frame_number(frame, TAG_PID, (uint64_t)monitor->init);
  frame_number(frame, TAG_START_TICKS, monitor->start_ticks);
  frame_number(frame, TAG_STARTED_AT, nanoseconds(&monitor->started_at));
  if (monitor->oom_events) frame_number(frame, TAG_OOM_EVENTS, monitor->oom_events);
}

static void send_exit(const struct monitor *monitor, struct connection *connection, uint32_t id) {
  size_t size = strlen(monitor->exit_json) + 256;
  unsigned char *buffer = malloc(size);
  if (!buffer) return connection_drop(connection);
  struct frame frame;
  frame_start(&frame, buffer, size, id, 0);
  frame_number(&frame, TAG_STATE, STATE_EXITED);
  frame_number(&frame, TAG_MONITOR_PID, (uint64_t)getpid());
  put_process(monitor, &frame);
  frame_text(&frame, TAG_EXIT, monitor->exit_json);
  connection_send_frame(connection, &frame);
  free(buffer);
}

static void send_state(const struct monitor *monitor, struct connection *connection, uint32_t id) {
  unsigned char buffer[256];
  struct frame frame;
  connection->wants_state = false;
  if (monitor->exit_json) return send_exit(monitor, connection, id);
  frame_start(&frame, buffer, sizeof buffer, id, 0);
  frame_number(&frame, TAG_STATE, monitor->state);
  frame_number(&frame, TAG_MONITOR_PID, (uint64_t)getpid());
  put_process(monitor, &frame);
  connection_send_frame(connection, &frame);
}

static void plan(struct monitor *monitor, struct connection *connection, const struct message *message) {
  if (monitor->state != STATE_NEW) return connection_send_error(connection, message->id, EALREADY, "there is a plan already");
  if (!plan_parse(monitor, message)) return connection_send_error(connection, message->id, EINVAL, "malformed plan");
  monitor->state = STATE_PLANNED;
  connection_send_done(connection, message->id);
}

static void go(struct monitor *monitor, struct connection *connection, const struct message *message) {
  if (monitor->state != STATE_PLANNED)
    return connection_send_error(connection, message->id, monitor->state == STATE_NEW ? EINVAL : EALREADY, "not ready to start");
  int error = log_open(&monitor->plan);
  if (error) return connection_send_error(connection, message->id, error, "cannot open the log file");
  if (!runtime_start(monitor)) return connection_send_error(connection, message->id, errno, "cannot start the runtime");
  monitor->state = STATE_STARTING;
  monitor->go_id = message->id;
  monitor->go_connection = connection;
}

void control_answer_go(struct monitor *monitor) {
  unsigned char buffer[MAX_RUNTIME_LOG + 256];
  struct connection *connection = monitor->go_connection;
  monitor->go_connection = NULL;
  if (connection) {
    struct frame frame;
    frame_start(&frame, buffer, sizeof buffer, monitor->go_id, monitor->init ? 0 : ECHILD);
    put_process(monitor, &frame);
    if (!monitor->init) frame_text(&frame, TAG_RUNTIME_LOG, monitor->start_error ? monitor->start_error : "");
    connection_send_frame(connection, &frame);
  }
  if (!monitor->init) return; /* A waiting hello hears of the end at once. */
  for (size_t i = 0; i < monitor->connection_count; i++)
    if (monitor->connections[i]->wants_state) send_state(monitor, monitor->connections[i], monitor->connections[i]->hello_id);
}

/* Init is not reaped before `reaped` is set, so its pid cannot have become another's. */
static void send_signal(struct monitor *monitor, struct connection *connection, const struct message *message) {
  int number = (int)message_number(message, TAG_SIGNAL, 0);
  if (number < 1 || number > SIGRTMAX) return connection_send_error(connection, message->id, EINVAL, "malformed signal");
  if (!monitor->init || monitor->reaped) return connection_send_error(connection, message->id, ESRCH, "the process has ended");
  if (kill(monitor->init, number) != 0) return connection_send_error(connection, message->id, errno, "cannot send the signal");
  connection_send_done(connection, message->id);
}

static void resize(struct monitor *monitor, struct connection *connection, const struct message *message) {
  uint64_t height = message_number(message, TAG_HEIGHT, UINT64_MAX), width = message_number(message, TAG_WIDTH, UINT64_MAX);
  if (height > UINT16_MAX || width > UINT16_MAX) return connection_send_error(connection, message->id, EINVAL, "malformed size");
  if (!monitor->plan.terminal) return connection_send_error(connection, message->id, ENOTTY, "the process has no terminal");
  monitor->plan.height = (uint16_t)height;
  monitor->plan.width = (uint16_t)width;
  runtime_resize(monitor);
  connection_send_done(connection, message->id);
}

/* While a control connection holds, no output is read, and the process waits when its pipe is full. */
static void hold(struct monitor *monitor, struct connection *connection, const struct message *message) {
  (void)monitor;
  connection->holds = message_number(message, TAG_HOLD, 0) != 0;
  connection_send_done(connection, message->id);
}

void control_serve(struct monitor *monitor, struct connection *connection, const struct message *message) {
  connection->kind = CONNECTION_CONTROL;
  monitor->had_control = true;
  switch (message->code) {
    case OP_HELLO:
      if (monitor->state != STATE_STARTING) return send_state(monitor, connection, message->id);
      connection->wants_state = true;
      connection->hello_id = message->id;
      return;
    case OP_PLAN: return plan(monitor, connection, message);
    case OP_GO: return go(monitor, connection, message);
    case OP_SIGNAL: return send_signal(monitor, connection, message);
    case OP_HOLD: return hold(monitor, connection, message);
    case OP_RESIZE: return resize(monitor, connection, message);
    default: return connection_send_error(connection, message->id, ENOSYS, "unknown operation");
  }
}

void control_tell_exit(struct monitor *monitor, struct connection *connection) {
  if (connection->wants_state) send_state(monitor, connection, connection->hello_id);
  send_exit(monitor, connection, 0);
}

void control_tell_oom(struct monitor *monitor, struct connection *connection) {
  unsigned char buffer[64];
  struct frame frame;
  frame_start(&frame, buffer, sizeof buffer, 0, 0);
  frame_number(&frame, TAG_OOM_EVENTS, monitor->oom_events);
  connection_send_frame(connection, &frame);
}
