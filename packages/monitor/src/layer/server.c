/*
 * `layers`: a small process that the daemon keeps to fork from. Forking the daemon itself copies the page tables of a
 * large process and stops its event loop for as long; forking this one costs next to nothing. See PROTOCOL.md.
 */
#define _GNU_SOURCE
#include "layer.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { JOB_LIMIT = 64, ARGUMENT_LIMIT = 16, REQUEST_LIMIT = 32 * 1024, LINE_LIMIT = 8 * 1024, FAILED = 2 };

struct job {
  pid_t pid; /* 0: free */
  int output;
  char id[24];
  char line[LINE_LIMIT];
  size_t used;
};

static struct job jobs[JOB_LIMIT];
static char request[REQUEST_LIMIT];
static size_t request_used;

/* `ID o TEXT` is a line of the job's output, `ID x CODE` its end. Without a reader there is nothing left to do. */
static void tell(const struct job *job, char kind, const char *text, size_t size) {
  char line[LINE_LIMIT + 64];
  int n = snprintf(line, sizeof line, "%s %c %.*s\n", job->id, kind, (int)size, text);
  for (int at = 0; at < n;) {
    ssize_t written = write(1, line + at, (size_t)(n - at));
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) _exit(FAILED);
    at += (int)written;
  }
}

static struct job *find(const char *id) {
  for (int i = 0; i < JOB_LIMIT; i++)
    if (jobs[i].pid && !strcmp(jobs[i].id, id)) return &jobs[i];
  return NULL;
}

static _Noreturn void work(int argc, char **argv, int output) {
  signal(SIGPIPE, SIG_DFL);
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (dup2(output, 1) < 0 || dup2(output, 2) < 0) _exit(FAILED);
  if (argc == 2 && !strcmp(argv[0], "sync")) _exit(layer_sync_main(argv[1]));
  /* The last argument is the file to read. */
  int file = argc > 2 && !strcmp(argv[0], "unpack") ? open(argv[argc - 1], O_RDONLY | O_CLOEXEC) : -1;
  if (file < 0 || dup2(file, 0) < 0) {
    fprintf(stderr, "open %s: %s\n", argv[argc - 1], strerror(errno));
    _exit(FAILED);
  }
  argv[argc - 1] = NULL;
  _exit(layer_unpack_main(argc - 1, argv));
}

static void start(const char *id, int argc, char **argv) {
  struct job none = {0}, *job = NULL;
  int ends[2];
  snprintf(none.id, sizeof none.id, "%s", id);
  for (int i = 0; i < JOB_LIMIT && !job; i++)
    if (!jobs[i].pid) job = &jobs[i];
  if (!job || pipe2(ends, O_CLOEXEC) < 0) return tell(&none, 'x', "2", 1);
  pid_t pid = fork();
  if (pid == 0) work(argc, argv, ends[1]);
  close(ends[1]);
  if (pid < 0) {
    close(ends[0]);
    return tell(&none, 'x', "2", 1);
  }
  job->pid = pid;
  job->output = ends[0];
  job->used = 0;
  memcpy(job->id, none.id, sizeof job->id);
}

/* `ID cancel`, or `ID unpack OPTION… DIRECTORY FILE`, or `ID sync DIRECTORY`. */
static void serve(char *text, size_t size) {
  char *argv[ARGUMENT_LIMIT + 2];
  int argc = 0;
  for (char *at = text; at < text + size && argc <= ARGUMENT_LIMIT; at += strlen(at) + 1) argv[argc++] = at;
  argv[argc] = NULL;
  if (argc < 2 || argc > ARGUMENT_LIMIT) _exit(FAILED);
  struct job *known = find(argv[0]);
  if (strcmp(argv[1], "cancel")) start(argv[0], argc - 1, argv + 1);
  else if (known) kill(known->pid, SIGKILL);
}

/* Requests are arguments that end with a NUL each, and one more NUL. False at the end of input. */
static bool read_requests(void) {
  ssize_t n = read(0, request + request_used, sizeof request - request_used);
  if (n < 0 && errno == EINTR) return true;
  if (n <= 0) return false;
  request_used += (size_t)n;
  for (;;) {
    char *end = memmem(request, request_used, "\0\0", 2);
    if (!end) return request_used < sizeof request;
    size_t size = (size_t)(end - request) + 1;
    serve(request, size);
    memmove(request, request + size + 1, request_used - size - 1);
    request_used -= size + 1;
  }
}

static void finish(struct job *job) {
  int status = 0;
  char code[16];
  if (job->used) tell(job, 'o', job->line, job->used);
  close(job->output);
  while (waitpid(job->pid, &status, 0) < 0 && errno == EINTR) {}
  int n = snprintf(code, sizeof code, "%d", WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
  tell(job, 'x', code, (size_t)n);
  job->pid = 0;
}

static void read_output(struct job *job) {
  ssize_t n = read(job->output, job->line + job->used, sizeof job->line - job->used);
  if (n < 0 && errno == EINTR) return;
  if (n <= 0) return finish(job);
  job->used += (size_t)n;
  for (;;) {
    char *end = memchr(job->line, '\n', job->used);
    if (!end && job->used < sizeof job->line) return;
    size_t size = end ? (size_t)(end - job->line) : job->used;
    tell(job, 'o', job->line, size);
    size_t taken = size + (end != NULL);
    memmove(job->line, job->line + taken, job->used - taken);
    job->used -= taken;
  }
}

int layer_server_main(void) {
  signal(SIGPIPE, SIG_IGN);
  for (;;) {
    struct pollfd fds[JOB_LIMIT + 1] = {{.fd = 0, .events = POLLIN}};
    for (int i = 0; i < JOB_LIMIT; i++)
      fds[i + 1] = (struct pollfd){.fd = jobs[i].pid ? jobs[i].output : -1, .events = POLLIN};
    if (poll(fds, JOB_LIMIT + 1, -1) < 0 && errno != EINTR) return FAILED;
    /* Outputs first: a job that a request begins now has its own place in `fds` only in the next round. */
    for (int i = 0; i < JOB_LIMIT; i++)
      if (fds[i + 1].fd >= 0 && fds[i + 1].revents) read_output(&jobs[i]);
    /* The daemon has gone: the jobs go with this process. */
    if (fds[0].revents && !read_requests()) return 0;
  }
}
