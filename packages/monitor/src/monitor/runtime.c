/* Runs the OCI runtime and finds out what became of it: the process's pid and start time, or the runtime's error. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../files.h"
#include "state.h"

#define PID_FILE "init.pid"
#define CONSOLE_SOCKET "console.sock"

extern char **environ;

/* crun refuses hosts whose cgroup v1 comes with a cgroup2 mount; in a mount namespace of its own it need not see it.
 * Only the mount above is made private, so that propagation of all others between host and container stays as it is;
 * and only when that worked, since the host's own mount must never go. */
static void hide_cgroup2(const char *path) {
  char parent[256];
  const char *slash = strrchr(path, '/');
  if (!slash || slash == path || (size_t)(slash - path) >= sizeof parent || unshare(CLONE_NEWNS) != 0) return;
  memcpy(parent, path, (size_t)(slash - path));
  parent[slash - path] = 0;
  if (mount(NULL, parent, NULL, MS_PRIVATE, NULL) != 0 && mount(NULL, "/", NULL, MS_SLAVE | MS_REC, NULL) != 0) return;
  umount2(path, MNT_DETACH);
}

struct command {
  const char *arguments[MAX_GLOBAL_ARGUMENTS + 24];
  size_t count;
  char log[64], pid_file[64], console[64];
};

static void add(struct command *command, const char *argument) { command->arguments[command->count++] = argument; }

/* Paths by our own descriptors: short enough for sun_path, and the same inside the runtime's mount namespace. */
static void build_command(const struct monitor *monitor, struct command *command) {
  const struct plan *plan = &monitor->plan;
  const char *slash = strrchr(plan->runtime, '/');
  snprintf(command->log, sizeof command->log, "/proc/%d/fd/%d", getpid(), monitor->runtime_log);
  snprintf(command->pid_file, sizeof command->pid_file, "/proc/%d/fd/%d/" PID_FILE, getpid(), monitor->directory);
  snprintf(command->console, sizeof command->console, "/proc/%d/fd/%d/" CONSOLE_SOCKET, getpid(), monitor->directory);
  add(command, slash[1] ? slash + 1 : "runtime");
  for (size_t i = 0; i < plan->global_argument_count; i++) add(command, plan->global_arguments[i]);
  add(command, "--log");
  add(command, command->log);
  add(command, "--log-format");
  add(command, "json");
  add(command, plan->is_exec ? "exec" : "run");
  add(command, "--detach");
  add(command, plan->is_exec ? "--process" : "--bundle");
  add(command, plan->is_exec ? plan->process_file : plan->bundle);
  add(command, "--pid-file");
  add(command, command->pid_file);
  if (plan->terminal) {
    add(command, "--console-socket");
    add(command, command->console);
  }
  add(command, plan->container_id);
  add(command, NULL);
}

static void reset_signals(void) {
  sigset_t none;
  struct sigaction action = {.sa_handler = SIG_DFL};
  /* Ignored signals would be inherited by the container's process. */
  sigaction(SIGPIPE, &action, NULL);
  sigaction(SIGHUP, &action, NULL);
  sigaction(SIGINT, &action, NULL);
  sigaction(SIGTERM, &action, NULL);
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
  /* posix_spawn(3) leaves glibc's own two ignored, and sigaction(3) refuses to name them. */
  static const struct { unsigned long handler, flags, restorer, mask; } kernel_default = {0};
  for (int number = 32; number < SIGRTMIN; number++) syscall(SYS_rt_sigaction, number, &kernel_default, NULL, 8);
}

/* The monitor's own score is not for what it starts. The runtime writes a container's; a process that joins one gets it
 * here, since crun gives those none. */
static void set_oom_score(int score) {
  char text[16];
  int size = snprintf(text, sizeof text, "%d", score);
  int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
  if (fd < 0) return;
  /* A daemon without the capability for it leaves its own. */
  ssize_t ignored = write(fd, text, (size_t)size);
  (void)ignored;
  close(fd);
}

static void __attribute__((noreturn)) run_child(struct monitor *monitor, struct command *command) {
  const struct plan *plan = &monitor->plan;
  reset_signals();
  set_oom_score(plan->oom_score_adj);
  if (plan->hide_cgroup2) hide_cgroup2(plan->hide_cgroup2);
  for (int i = 0; i < 3; i++)
    if (dup2(monitor->child_ends[i], i) < 0) _exit(126);
  execve(plan->runtime, (char *const *)command->arguments, environ);
  dprintf(monitor->runtime_log, "cannot execute the runtime %s: %s\n", plan->runtime, strerror(errno));
  _exit(127);
}

static bool listen_for_console(struct monitor *monitor) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  snprintf(address.sun_path, sizeof address.sun_path, "/proc/self/fd/%d/" CONSOLE_SOCKET, monitor->directory);
  unlinkat(monitor->directory, CONSOLE_SOCKET, 0);
  monitor->console_listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  return monitor->console_listener >= 0 && fchmod(monitor->console_listener, 0600) == 0 &&
         bind(monitor->console_listener, (struct sockaddr *)&address, sizeof address) == 0 &&
         listen(monitor->console_listener, 1) == 0;
}

bool runtime_start(struct monitor *monitor) {
  struct command command = {0};
  monitor->runtime_log = memfd_create("runtime-log", MFD_CLOEXEC);
  /* Appending: the runtime opens it by name and may also have it as its stderr. */
  if (monitor->runtime_log < 0 || fcntl(monitor->runtime_log, F_SETFL, O_APPEND) != 0) return false;
  if (monitor->plan.terminal && !listen_for_console(monitor)) return false;
  if (!streams_prepare(monitor)) return false;
  unlinkat(monitor->directory, PID_FILE, 0);
  build_command(monitor, &command);
  pid_t pid = fork();
  if (pid == 0) run_child(monitor, &command);
  int saved = errno;
  streams_close_child_ends(monitor);
  errno = saved;
  if (pid < 0) return false;
  monitor->runtime = pid;
  return true;
}

/* Field 22 of /proc/PID/stat; the name before it may hold blanks and parentheses. */
static uint64_t read_start_ticks(pid_t pid) {
  char path[64], text[1024];
  snprintf(path, sizeof path, "/proc/%d/stat", pid);
  if (read_small_file_at(AT_FDCWD, path, text, sizeof text) <= 0) return 0;
  char *p = strrchr(text, ')');
  for (int field = 2; p && field < 22; field++) p = strchr(p + 1, ' ');
  return p ? strtoull(p + 1, NULL, 10) : 0;
}

static pid_t read_pid_file(const struct monitor *monitor) {
  char text[32];
  if (read_small_file_at(monitor->directory, PID_FILE, text, sizeof text) <= 0) return 0;
  long pid = strtol(text, NULL, 10);
  return pid > 1 && pid <= INT32_MAX ? (pid_t)pid : 0;
}

/* What the runtime wrote to its log, or else to its stderr; NULL when nothing. */
char *runtime_read_log(struct monitor *monitor) {
  char *text = calloc(1, MAX_RUNTIME_LOG + 1);
  if (!text) return NULL;
  off_t end = lseek(monitor->runtime_log, 0, SEEK_END);
  ssize_t size = pread(monitor->runtime_log, text, MAX_RUNTIME_LOG, end > MAX_RUNTIME_LOG ? end - MAX_RUNTIME_LOG : 0);
  int errors = monitor->outputs[1].fd;
  if (size <= 0 && errors >= 0) size = read(errors, text, MAX_RUNTIME_LOG);
  text[size > 0 ? size : 0] = 0;
  return text;
}

static void runtime_ended(struct monitor *monitor, int status) {
  monitor->runtime = 0;
  monitor->init = status == 0 ? read_pid_file(monitor) : 0;
  unlinkat(monitor->directory, PID_FILE, 0);
  if (monitor->plan.terminal) unlinkat(monitor->directory, CONSOLE_SOCKET, 0);
  clock_gettime(CLOCK_REALTIME, &monitor->started_at);
  /* Init is not reaped yet, so the pid is its own even when it has ended already. */
  if (monitor->init) monitor->start_ticks = read_start_ticks(monitor->init);
  if (monitor->init && monitor->start_ticks) {
    runtime_accept_console(monitor);
    if (!monitor->plan.is_exec) cgroups_watch_memory(monitor);
    monitor->state = STATE_RUNNING;
    record_started(monitor);
  } else {
    monitor->init = 0;
    monitor->start_error = runtime_read_log(monitor);
    monitor->finished_at = monitor->started_at;
    monitor->wait_status = status;
    monitor->state = STATE_EXITED;
  }
  control_answer_go(monitor);
  if (monitor->console_listener >= 0) close(monitor->console_listener);
  monitor->console_listener = -1;
  close(monitor->runtime_log);
  monitor->runtime_log = -1;
}

static void init_ended(struct monitor *monitor, int status) {
  clock_gettime(CLOCK_REALTIME, &monitor->finished_at);
  monitor->drain_until = monotonic_in(DRAIN_MS);
  monitor->wait_status = status;
  monitor->reaped = true;
  monitor->state = STATE_EXITED;
  if (monitor->terminal_peer >= 0) close(monitor->terminal_peer);
  monitor->terminal_peer = -1;
  if (monitor->memory_counters >= 0) cgroups_read_memory_news(monitor);
  /* With a process namespace of its own none is left; with the host's they would hold the output and the cgroup. */
  cgroups_kill_leftovers(&monitor->plan);
}

/* While the runtime runs only it is reaped: `run --detach` forks twice, and init, which may end before the runtime,
 * has to stay a zombie until its start time was read. */
void runtime_reap(struct monitor *monitor) {
  int status;
  if (monitor->runtime && waitpid(monitor->runtime, &status, WNOHANG) == monitor->runtime) runtime_ended(monitor, status);
  if (monitor->runtime) return;
  for (pid_t pid; (pid = waitpid(-1, &status, WNOHANG)) > 0;)
    if (pid == monitor->init && !monitor->reaped) init_ended(monitor, status);
}

/* Takes the terminal's master from the runtime. */
void runtime_accept_console(struct monitor *monitor) {
  if (monitor->console_listener < 0 || monitor->outputs[0].fd >= 0) return;
  int peer = accept4(monitor->console_listener, NULL, NULL, SOCK_CLOEXEC);
  if (peer < 0) return;
  char name[256];
  union {
    struct cmsghdr header;
    char bytes[CMSG_SPACE(sizeof(int))];
  } control;
  struct timeval limit = {.tv_sec = 5};
  struct iovec data = {.iov_base = name, .iov_len = sizeof name};
  struct msghdr message = {.msg_iov = &data, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
  ssize_t count;
  setsockopt(peer, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  do count = recvmsg(peer, &message, MSG_CMSG_CLOEXEC);
  while (count < 0 && errno == EINTR);
  struct cmsghdr *header = count >= 0 ? CMSG_FIRSTHDR(&message) : NULL;
  if (header && header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS && header->cmsg_len == CMSG_LEN(sizeof(int))) {
    int master;
    memcpy(&master, CMSG_DATA(header), sizeof master);
    int flags = fcntl(master, F_GETFL);
    if (flags >= 0) fcntl(master, F_SETFL, flags | O_NONBLOCK);
    monitor->outputs[0].fd = master;
    monitor->input = monitor->plan.open_stdin ? fcntl(master, F_DUPFD_CLOEXEC, 3) : -1;
    monitor->terminal_peer = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
    runtime_resize(monitor);
  }
  close(peer);
}

void runtime_resize(struct monitor *monitor) {
  struct winsize size = {.ws_row = monitor->plan.height, .ws_col = monitor->plan.width};
  if (monitor->outputs[0].fd >= 0 && (size.ws_row || size.ws_col)) ioctl(monitor->outputs[0].fd, TIOCSWINSZ, &size);
}
