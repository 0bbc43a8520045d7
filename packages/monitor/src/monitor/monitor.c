/* The monitor's life: listen, take a plan, run the runtime when told to go, pass bytes until the process has ended and
 * its output was delivered, write the exit file, tell the daemon, clean up, leave. One thread, one poll loop. */
#include "monitor.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../files.h"
#include "state.h"

enum {
  LONELY_MS = 30000, /* nobody sent a plan: the daemon died between spawn and connect */
  CLEANUP_MS = 3000, /* groups are busy as long as the kernel takes their last process apart */
  FIXED_FDS = 7,
};

static struct monitor monitor = {
    .directory = -1,
    .signals = -1,
    .listener = MONITOR_LISTENER,
    .runtime_log = -1,
    .console_listener = -1,
    .outputs = {{.fd = -1, .stream = 1}, {.fd = -1, .stream = 2}},
    .input = -1,
    .child_ends = {-1, -1, -1},
    .terminal_peer = -1,
    .memory_news = -1,
    .memory_counters = -1,
};

/* As Docker's shims have it: nothing is won by killing a small process that holds the log and the exit code of a big one. */
static void protect_from_oom(void) {
  int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
  if (fd < 0) return;
  /* Without CAP_SYS_RESOURCE it can at least lose what was added for the daemon. */
  if (write(fd, "-998", 4) < 0 && write(fd, "0", 1) < 0) errno = 0;
  close(fd);
}

static bool set_up(const char *directory) {
  struct sigaction ignore = {.sa_handler = SIG_IGN};
  sigset_t children;
  sigemptyset(&children);
  sigaddset(&children, SIGCHLD);
  /* The end of the process must be recorded even when the machine goes down or a terminal is closed. */
  sigaction(SIGPIPE, &ignore, NULL);
  sigaction(SIGHUP, &ignore, NULL);
  sigaction(SIGINT, &ignore, NULL);
  sigaction(SIGTERM, &ignore, NULL);
  umask(022);
  /* Whatever the daemon was started with beyond what it gives us would end up in execs of containers. */
  close_range(MONITOR_LISTENER + 1, ~0U, 0);
  protect_from_oom();
  prctl(PR_SET_NAME, "dockerd-ts-mon");
  monitor.directory = open_at(AT_FDCWD, directory, O_RDONLY | O_DIRECTORY, 0);
  monitor.signals = sigprocmask(SIG_BLOCK, &children, NULL) == 0 ? signalfd(-1, &children, SFD_CLOEXEC | SFD_NONBLOCK) : -1;
  monitor.born = monotonic_in(LONELY_MS);
  int flags = fcntl(monitor.listener, F_GETFL);
  return monitor.directory >= 0 && monitor.signals >= 0 && prctl(PR_SET_CHILD_SUBREAPER, 1) == 0 && flags >= 0 &&
         fcntl(monitor.listener, F_SETFD, FD_CLOEXEC) == 0 && fcntl(monitor.listener, F_SETFL, flags | O_NONBLOCK) == 0;
}

static void serve_signals(void) {
  struct signalfd_siginfo info;
  while (read(monitor.signals, &info, sizeof info) > 0) continue;
  runtime_reap(&monitor);
}

/* The exit file first: it is what must not be lost. Then the clean-up, and only then the news: whoever hears it may
 * start the same container in the same directory at once, so from there on nothing of ours is touched by name any more,
 * no socket, no control group. */
static void publish(void) {
  bool started = monitor.init != 0;
  monitor.published = true;
  record_exit(&monitor);
  cgroups_close_memory(&monitor); /* The removal of a v1 group wakes who watches it. */
  cgroups_remove(&monitor.plan, started, CLEANUP_MS);
  runtime_reap(&monitor); /* what was killed */
  /* A start that failed may have met the state of a container that lives; the runtime itself undoes what it made. */
  if (started) state_directory_remove(&monitor.plan);
  unlinkat(monitor.directory, "state.json", 0);
  unlinkat(monitor.directory, "monitor.sock", 0);
  close(monitor.listener);
  monitor.listener = -1;
  connections_publish(&monitor);
}

/* Everything that follows from the state rather than from an event. Answers poll's timeout. */
static int advance(void) {
  int wait = -1;
  if (monitor.state == STATE_EXITED) {
    if (!monitor.init) streams_close_outputs(&monitor);
    else if (!streams_output_ended(&monitor) && (wait = milliseconds_until(&monitor.drain_until)) == 0) {
      streams_drain_late(&monitor);
      wait = -1;
    }
    if (streams_output_ended(&monitor)) {
      log_close();
      connections_finish_attached(&monitor);
    }
    if (!monitor.published && (streams_output_ended(&monitor) || wait < 0)) publish();
  }
  int sweep = connections_sweep(&monitor);
  bool idle = monitor.state == STATE_NEW || monitor.state == STATE_PLANNED;
  if (monitor.published && streams_output_ended(&monitor) && monitor.connection_count == 0) monitor.leaving = true;
  if (idle && monitor.had_control && !connections_have_control(&monitor)) monitor.leaving = true;
  if (idle && !monitor.had_control) {
    wait = milliseconds_until(&monitor.born);
    if (wait == 0) monitor.leaving = true;
  }
  return sweep >= 0 && (wait < 0 || sweep < wait) ? sweep : wait;
}

static short output_events(const struct output *output) { return streams_output_may_be_read(&monitor, output) ? POLLIN : 0; }

/* A descriptor without wanted events is left out altogether, or its hang-up would wake the loop for ever. */
static struct pollfd wanted(int fd, short events) { return (struct pollfd){.fd = events ? fd : -1, .events = events}; }

static void poll_once(int timeout) {
  struct pollfd fds[FIXED_FDS + MAX_CONNECTIONS];
  struct connection *connections[MAX_CONNECTIONS];
  size_t count = monitor.connection_count;
  bool input_waits = monitor.input_end > monitor.input_start;
  fds[0] = wanted(monitor.signals, POLLIN);
  fds[1] = wanted(monitor.listener, POLLIN);
  fds[2] = wanted(monitor.console_listener, POLLIN);
  fds[3] = wanted(monitor.outputs[0].fd, output_events(&monitor.outputs[0]));
  fds[4] = wanted(monitor.outputs[1].fd, output_events(&monitor.outputs[1]));
  fds[5] = wanted(monitor.input, input_waits ? POLLOUT : 0);
  fds[6] = wanted(monitor.memory_news, monitor.memory_is_v2 ? POLLPRI : POLLIN);
  for (size_t i = 0; i < count; i++) {
    struct connection *connection = connections[i] = monitor.connections[i];
    short events = connection_events(&monitor, connection);
    /* Of one that is gone no further hang-up is of interest. */
    fds[FIXED_FDS + i] = (struct pollfd){.fd = connection->hung_up && !events ? -1 : connection->fd, .events = events};
  }
  if (poll(fds, FIXED_FDS + count, timeout) <= 0) return;
  if (fds[6].revents) cgroups_read_memory_news(&monitor);
  /* Output before the end of the process, so that the end finds the pipes empty. */
  for (int i = 0; i < 2; i++)
    if (fds[3 + i].revents && monitor.outputs[i].fd >= 0) streams_read_output(&monitor, &monitor.outputs[i]);
  if (fds[5].revents && monitor.input >= 0) streams_write_input(&monitor);
  for (size_t i = 0; i < count; i++)
    if (fds[FIXED_FDS + i].revents) connection_serve(&monitor, connections[i], fds[FIXED_FDS + i].revents);
  if (fds[2].revents) runtime_accept_console(&monitor);
  if (fds[1].revents && monitor.listener >= 0) connections_accept(&monitor);
  if (fds[0].revents) serve_signals();
}

int monitor_main(const char *directory) {
  if (!set_up(directory)) {
    perror("dockerd-ts-monitor monitor");
    return 1;
  }
  for (int timeout = advance(); !monitor.leaving; timeout = advance()) poll_once(timeout);
  return 0;
}
