/* The loop of the helper mode: reads requests from the daemon's socket, runs them in order, writes the answers.
 * Requests that may take long run in forked workers so that a start of another container never waits for them. */
#include "helper.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../files.h"
#include "../protocol.h"

enum { MAX_REQUEST_BYTES = 1 << 20, MAX_WORKERS = 16, MAX_ANSWER_BYTES = 2048 };

struct worker {
  int pipe; /* 0: this slot is free */
  uint32_t id;
  size_t used;
  unsigned char answer[MAX_ANSWER_BYTES];
};

static struct worker workers[MAX_WORKERS];

static const struct {
  uint16_t code;
  operation_function *run;
} operations[] = {
    {OP_MOUNT, op_mount},
    {OP_UNMOUNT, op_unmount},
    {OP_NAMESPACE_CREATE, op_namespace_create},
    {OP_INTERFACE_ADD, op_interface_add},
    {OP_INTERFACE_REMOVE, op_interface_remove},
    {OP_NAMESPACE_DELETE, op_namespace_delete},
    {OP_NFT_ELEMENTS, op_nft_elements},
    {OP_SPAWN, op_spawn},
    {OP_SEAL, op_seal},
    {OP_RESOLVE, op_resolve},
    {OP_RELEASE, op_release},
    {OP_REMOVE_TREE, op_remove_tree},
    {OP_DATAGRAM, op_datagram},
};

int fail(struct answer *answer, int error, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(answer->text, sizeof answer->text, format, arguments);
  va_end(arguments);
  return error ? error : EIO;
}

static size_t encode_answer(unsigned char *buffer, uint32_t id, int error, const struct answer *answer) {
  struct frame frame;
  frame_start(&frame, buffer, MAX_ANSWER_BYTES, id, (uint16_t)error);
  if (error) {
    char text[sizeof answer->text + 128];
    snprintf(text, sizeof text, "%s: %s", answer->text, strerror(error));
    frame_text(&frame, TAG_TEXT, text);
  } else {
    if (answer->text[0]) frame_text(&frame, TAG_TEXT, answer->text);
    if (answer->pid) frame_number(&frame, TAG_PID, answer->pid);
    if (answer->handle) frame_number(&frame, TAG_HANDLE, answer->handle);
  }
  return frame_finish(&frame);
}

static size_t run_request(const struct message *request, unsigned char *buffer) {
  struct answer answer = {0};
  int error = request->code == OP_PING ? 0 : fail(&answer, ENOSYS, "operation %u", request->code);
  if (request->malformed) return encode_answer(buffer, request->id, fail(&answer, EINVAL, "malformed request"), &answer);
  for (size_t i = 0; i < sizeof operations / sizeof *operations; i++) {
    if (operations[i].code != request->code) continue;
    answer.text[0] = 0;
    error = operations[i].run(request, &answer);
  }
  return encode_answer(buffer, request->id, error, &answer);
}

/* The daemon reads always, so a blocking write is no danger; when it is gone there is nothing left to do here. */
static void send_answer(const void *bytes, size_t size) {
  if (!write_all(HELPER_SOCKET, bytes, size)) _exit(0);
}

static void serve_here(const struct message *request) {
  unsigned char buffer[MAX_ANSWER_BYTES];
  send_answer(buffer, run_request(request, buffer));
}

static struct worker *free_worker(void) {
  for (size_t i = 0; i < MAX_WORKERS; i++)
    if (workers[i].pipe == 0) return &workers[i];
  return NULL;
}

/* Starts a worker; false when the request has to be served by the helper itself. */
static bool serve_in_worker(const struct message *request) {
  struct worker *worker = free_worker();
  int ends[2];
  if (!worker || pipe2(ends, O_CLOEXEC) != 0) return false;
  pid_t pid = fork();
  if (pid == 0) {
    unsigned char buffer[MAX_ANSWER_BYTES];
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    close(HELPER_SOCKET);
    size_t size = run_request(request, buffer);
    _exit(write_all(ends[1], buffer, size) ? 0 : 1);
  }
  close(ends[1]);
  if (pid < 0) {
    close(ends[0]);
    return false;
  }
  *worker = (struct worker){.pipe = ends[0], .id = request->id};
  return true;
}

static bool may_take_long(const struct message *request) {
  if (request->malformed) return false;
  if (request->code == OP_MOUNT) return mount_may_take_long(request);
  return request->code == OP_REMOVE_TREE || request->code == OP_INTERFACE_REMOVE;
}

static void collect_worker(struct worker *worker) {
  ssize_t count = read(worker->pipe, worker->answer + worker->used, sizeof worker->answer - worker->used);
  if (count < 0 && errno == EINTR) return;
  if (count > 0) {
    worker->used += (size_t)count;
    return;
  }
  if (worker->used == 0) {
    struct answer answer;
    worker->used = encode_answer(worker->answer, worker->id, fail(&answer, EIO, "the worker process died"), &answer);
  }
  send_answer(worker->answer, worker->used);
  close(worker->pipe);
  worker->pipe = 0;
}

static void serve_requests(struct frame_reader *reader) {
  struct message request;
  int found;
  while ((found = frame_reader_next(reader, &request)) == 1)
    if (!may_take_long(&request) || !serve_in_worker(&request)) serve_here(&request);
  if (found < 0) {
    fputs("dockerd-ts-monitor helper: malformed request\n", stderr);
    exit(1);
  }
}

static void poll_once(struct frame_reader *reader) {
  struct pollfd fds[MAX_WORKERS + 1] = {{.fd = HELPER_SOCKET, .events = POLLIN}};
  struct worker *owners[MAX_WORKERS + 1];
  nfds_t count = 1;
  for (size_t i = 0; i < MAX_WORKERS; i++) {
    if (workers[i].pipe == 0) continue;
    owners[count] = &workers[i];
    fds[count++] = (struct pollfd){.fd = workers[i].pipe, .events = POLLIN};
  }
  if (poll(fds, count, -1) < 0) {
    if (errno == EINTR) return;
    exit(1);
  }
  for (nfds_t i = 1; i < count; i++)
    if (fds[i].revents) collect_worker(owners[i]);
  if (!fds[0].revents) return;
  int filled = frame_reader_fill(reader, HELPER_SOCKET);
  if (filled > 0) serve_requests(reader);
  else if (filled == 0 || errno != EAGAIN) exit(filled == 0 ? 0 : 1);
}

/* Node raises the soft limit of open files to the hard one for itself. Monitors, and containers after them, get what the
 * daemon was started with. */
static void restore_open_files(const char *soft) {
  struct rlimit limit;
  char *end;
  errno = 0;
  unsigned long long value = strtoull(soft, &end, 10);
  if (errno || end == soft || *end || getrlimit(RLIMIT_NOFILE, &limit) != 0 || value >= limit.rlim_max) return;
  limit.rlim_cur = value;
  setrlimit(RLIMIT_NOFILE, &limit);
}

int helper_main(void) {
  struct sigaction ignore = {.sa_handler = SIG_IGN};
  struct frame_reader reader = {.limit = MAX_REQUEST_BYTES};
  if (fcntl(HELPER_SOCKET, F_SETFD, FD_CLOEXEC) != 0) {
    fputs("dockerd-ts-monitor helper: descriptor 3 is no socket\n", stderr);
    return 2;
  }
  close_range(HELPER_SOCKET + 1, ~0U, 0);
  /* The socket's end may be non-blocking; answers are written whole. */
  int flags = fcntl(HELPER_SOCKET, F_GETFL);
  if (flags >= 0) fcntl(HELPER_SOCKET, F_SETFL, flags & ~O_NONBLOCK);
  const char *soft = getenv("SOFT_NOFILE");
  if (soft) restore_open_files(soft);
  sigaction(SIGPIPE, &ignore, NULL);
  /* Ignored: the kernel reaps monitors and workers by itself. */
  sigaction(SIGCHLD, &ignore, NULL);
  prctl(PR_SET_NAME, "dockerd-ts-help");
  umask(022);
  for (;;) poll_once(&reader);
}
