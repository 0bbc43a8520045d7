/* What the parts of the monitor share: one plan, one process, its streams, its connections. */
#ifndef STATE_H
#define STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

#include "../frames.h"
#include "../protocol.h"

enum {
  MAX_PLAN_BYTES = 512 * 1024,
  MAX_GLOBAL_ARGUMENTS = 32,
  MAX_CGROUPS = 32,
  MAX_CONNECTIONS = 256,
  READ_BYTES = 64 * 1024,       /* one read of the process's output, one frame to its clients */
  FRAME_BYTES = READ_BYTES + 8, /* with Docker's eight-byte header */
  LOG_PATH_BYTES = 4096 + 32,   /* with the number and .gz of a rotated file */
  LINE_BYTES = 16 * 1024,       /* Docker splits longer lines into several records */
  MAX_RUNTIME_LOG = 16 * 1024,
  DRAIN_MS = 2000, /* Docker waits as long for output that others than init hold open */
};

struct plan {
  bool is_exec, terminal, open_stdin, stdin_once;
  uint16_t height, width;
  const char *runtime, *container_id, *bundle, *process_file, *state_directory, *hide_cgroup2;
  const char *global_arguments[MAX_GLOBAL_ARGUMENTS];
  size_t global_argument_count;
  const char *cgroups[MAX_CGROUPS];
  size_t cgroup_count;
  const char *log_path, *log_attributes;
  uint64_t log_max_size, log_max_files;
  bool log_compress;
  int oom_score_adj;
};

/* Output of the process: stdout and stderr, or the terminal. */
struct output {
  int fd; /* -1: ended */
  unsigned char stream; /* 1 stdout, 2 stderr */
  bool grown;           /* its pipe was enlarged */
  size_t late_bytes;    /* read after the drain's deadline */
};

enum connection_kind { CONNECTION_NEW, CONNECTION_CONTROL, CONNECTION_ATTACHED };

struct connection {
  int fd;
  enum connection_kind kind;
  bool holds;       /* a control connection that wants no output to be read now */
  unsigned streams; /* enum stream_flags of an attached client */
  bool input_ended; /* the peer sends nothing more */
  bool finishing;   /* our side is shut down; what still comes is thrown away until the peer closes */
  bool hung_up;     /* the peer is gone; only its last input is still to be passed on */
  bool deferred;    /* an attach request that waits for the plan */
  bool wants_state; /* a hello that waits for the runtime's answer */
  bool dead;        /* to be freed by connections_sweep() */
  uint32_t hello_id;
  struct frame_reader reader;
  unsigned char *pending; /* bytes that the socket did not take yet */
  size_t pending_start, pending_end;
  struct timespec finish_until; /* monotonic */
};

struct monitor {
  enum monitor_state state;
  int directory, signals, listener;
  struct plan plan;
  unsigned char *plan_bytes; /* what the plan's texts point into */

  pid_t runtime; /* 0: not running */
  int runtime_log;
  uint32_t go_id;
  struct connection *go_connection;

  pid_t init;
  uint64_t start_ticks;
  struct timespec started_at, finished_at;
  int wait_status;
  bool reaped, published; /* the exit was written and told */
  uint64_t oom_kills;   /* by the group's own count */
  uint64_t oom_events;  /* of this run, told to the daemon */
  bool memory_is_v2;
  int memory_news;      /* readable when memory ran out; -1: not watched */
  int memory_counters;  /* memory.events (then the same descriptor) or memory.oom_control */
  struct timespec drain_until; /* monotonic */
  char *start_error;           /* the runtime's log when the start failed */
  char *exit_json;             /* what exit.json says, once published */

  int console_listener;
  struct output outputs[2];
  int input; /* the process's stdin, or the terminal; -1: none or closed */
  int child_ends[3];
  int terminal_peer; /* our own reference to the terminal's other side: without one a read can fail before init ends */
  unsigned char *input_pending;
  bool input_grown;
  size_t input_start, input_end;
  bool input_closing; /* close when what is pending was written */

  struct connection *connections[MAX_CONNECTIONS];
  size_t connection_count;
  bool had_control;
  struct timespec born; /* monotonic */
  bool leaving;
};

/* plan.c */
bool plan_parse(struct monitor *monitor, const struct message *message);

/* runtime.c */
bool runtime_start(struct monitor *monitor);
void runtime_reap(struct monitor *monitor);
void runtime_accept_console(struct monitor *monitor);
void runtime_resize(struct monitor *monitor);
char *runtime_read_log(struct monitor *monitor);

/* streams.c */
bool streams_prepare(struct monitor *monitor);
void streams_close_child_ends(struct monitor *monitor);
void streams_read_output(struct monitor *monitor, struct output *output);
bool streams_output_may_be_read(const struct monitor *monitor, const struct output *output);
bool streams_output_ended(const struct monitor *monitor);
void streams_close_outputs(struct monitor *monitor);
void streams_drain_late(struct monitor *monitor);
void streams_write_input(struct monitor *monitor);
void streams_feed_input(struct monitor *monitor, const unsigned char *bytes, size_t size);
void streams_end_input(struct monitor *monitor);
bool streams_input_may_be_fed(const struct monitor *monitor);

/* control.c */
void control_serve(struct monitor *monitor, struct connection *connection, const struct message *message);
void control_answer_go(struct monitor *monitor);
void control_tell_exit(struct monitor *monitor, struct connection *connection);
void control_tell_oom(struct monitor *monitor, struct connection *connection);

/* connections.c */
void connection_drop(struct connection *connection);
void connection_send_frame(struct connection *connection, struct frame *frame);
void connection_send_error(struct connection *connection, uint32_t id, int error, const char *text);
void connection_send_done(struct connection *connection, uint32_t id);
void connections_accept(struct monitor *monitor);
void connection_serve(struct monitor *monitor, struct connection *connection, short events);
short connection_events(const struct monitor *monitor, const struct connection *connection);
void connections_send_output(struct monitor *monitor, unsigned char stream, const unsigned char *bytes, size_t size);
void connections_publish(struct monitor *monitor);
void connections_tell_oom(struct monitor *monitor);
void connections_finish_attached(struct monitor *monitor);
bool connections_have_control(const struct monitor *monitor);
/* Frees what is gone or too slow in going; answers the milliseconds until the next deadline, or -1. */
int connections_sweep(struct monitor *monitor);

/* jsonlog.c */
int log_open(const struct plan *plan); /* 0 or errno */
void log_write(const unsigned char *bytes, size_t size, unsigned char stream);
void log_flush(void);
void log_close(void);
/* Appends the bytes as the inside of a JSON string, as Docker's log writer does; at most six bytes for one. */
size_t json_escape(char *out, const unsigned char *bytes, size_t size);

/* logrotate.c */
void log_rotate(const char *path, uint64_t max_files, bool compressed);
void log_rotate_finish(void);

/* records.c */
void record_started(const struct monitor *monitor);
void record_exit(struct monitor *monitor);

/* cgroups.c */
void cgroups_watch_memory(struct monitor *monitor);
void cgroups_read_memory_news(struct monitor *monitor);
void cgroups_close_memory(struct monitor *monitor);
void cgroups_kill_leftovers(const struct plan *plan);
/* Tries for `patience_ms`; true when nothing is left. */
bool cgroups_remove(const struct plan *plan, bool kill, int patience_ms);
void state_directory_remove(const struct plan *plan);

/* clock.c */
uint64_t nanoseconds(const struct timespec *time);
struct timespec monotonic_in(int milliseconds);
/* 0 when it has passed. */
int milliseconds_until(const struct timespec *time);

#endif
