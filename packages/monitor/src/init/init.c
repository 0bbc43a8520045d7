/* PID 1 of a container with --init: starts the program, hands on every signal, reaps whatever is left to it, and ends
 * with the program's code. Runs inside the container, as its user and with its capabilities, and holds nothing open. */
#include "init.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { EXIT_NOT_FOUND = 127, EXIT_NOT_EXECUTABLE = 126, EXIT_SIGNAL_BASE = 128 };

/* Faults of our own code: blocked, they would leave us hanging in an endless loop instead of ending us. */
static const int faults[] = {SIGFPE, SIGILL, SIGSEGV, SIGBUS, SIGABRT, SIGTRAP, SIGSYS};

/* A session leader in the background gets SIGTTOU for handing the terminal on, and would stop. */
static const int terminal_stops[] = {SIGTTIN, SIGTTOU};

#define COUNT(array) (sizeof(array) / sizeof *(array))

static void __attribute__((noreturn)) run_program(char **argv, const sigset_t *mask, const struct sigaction *stops) {
  /* A group of its own, in the foreground: Ctrl-C is for the program and its children, once. */
  if (setpgid(0, 0) != 0) _exit(EXIT_NOT_EXECUTABLE);
  if (isatty(STDIN_FILENO)) tcsetpgrp(STDIN_FILENO, getpid());
  for (size_t i = 0; i < COUNT(terminal_stops); i++) sigaction(terminal_stops[i], &stops[i], NULL);
  sigprocmask(SIG_SETMASK, mask, NULL);
  execvp(argv[0], argv);
  int error = errno;
  fprintf(stderr, "docker-init: exec %s failed: %s\n", argv[0], strerror(error));
  _exit(error == ENOENT ? EXIT_NOT_FOUND : EXIT_NOT_EXECUTABLE);
}

/* Reaps all that has ended; true when the program is among it. */
static int reap(pid_t program, int *code) {
  int status, ended = 0;
  pid_t pid;
  while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
    if (pid != program) continue;
    *code = WIFSIGNALED(status) ? EXIT_SIGNAL_BASE + WTERMSIG(status) : WEXITSTATUS(status);
    ended = 1;
  }
  return ended;
}

int init_main(int argc, char **argv) {
  if (argc >= 2 && strcmp(argv[1], "--version") == 0) return puts("docker-init of dockerd-ts") < 0;
  char **program = argv + (argc >= 2 && strcmp(argv[1], "--") == 0 ? 2 : 1);
  if (!*program) {
    fputs("usage: docker-init [--] PROGRAM [ARGUMENT...]\n", stderr);
    return 1;
  }
  sigset_t handled, inherited;
  struct sigaction ignore = {.sa_handler = SIG_IGN}, stops[COUNT(terminal_stops)];
  sigfillset(&handled);
  for (size_t i = 0; i < COUNT(faults); i++) sigdelset(&handled, faults[i]);
  for (size_t i = 0; i < COUNT(terminal_stops); i++) {
    sigdelset(&handled, terminal_stops[i]);
    sigaction(terminal_stops[i], &ignore, &stops[i]);
  }
  sigprocmask(SIG_BLOCK, &handled, &inherited);
  /* Where another init was given the pid namespace, orphans of the program still come to us. */
  if (getpid() != 1) prctl(PR_SET_CHILD_SUBREAPER, 1);
  pid_t pid = fork();
  if (pid < 0) {
    perror("docker-init: fork");
    return 1;
  }
  if (pid == 0) run_program(program, &inherited, stops);
  for (int code = 0;;) {
    siginfo_t info;
    int signal = sigwaitinfo(&handled, &info);
    if (signal == SIGCHLD) {
      if (reap(pid, &code)) return code;
    } else if (signal > 0) {
      kill(pid, signal); /* already gone: its SIGCHLD is next */
    }
  }
}
