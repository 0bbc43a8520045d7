/* Rotation of the log: path.N-1 goes, each other moves up by one, the current file becomes path.1; one file alone is
 * emptied by who opens it next. With compression the file that became path.1 is handed to gzip(1), which replaces it by
 * path.1.gz; the next rotation waits for that, so that no name moves under a gzip that works on it. */
#include <errno.h>
#include <spawn.h>
#include <stdio.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "state.h"

extern char **environ;

static pid_t compressor;

static void name_of(char *name, const char *path, unsigned long long index, const char *suffix) {
  if (index == 0) snprintf(name, LOG_PATH_BYTES, "%s%s", path, suffix);
  else snprintf(name, LOG_PATH_BYTES, "%s.%llu%s", path, index, suffix);
}

/* The next run of the container must not meet it either. */
void log_rotate_finish(void) {
  /* ECHILD: the loop that reaps all children has met it already. */
  while (compressor && waitpid(compressor, NULL, 0) < 0 && errno == EINTR) continue;
  compressor = 0;
}

/* Without gzip on the machine, or without a process to spare, the file stays as it is, which readers take too. */
static void compress(const char *path) {
  char name[LOG_PATH_BYTES];
  char *arguments[] = {(char *)"gzip", (char *)"-qf1", (char *)"--", name, NULL};
  posix_spawnattr_t attributes;
  sigset_t none;
  name_of(name, path, 1, "");
  sigemptyset(&none);
  if (posix_spawnattr_init(&attributes) != 0) return;
  if (posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK) != 0 ||
      posix_spawnattr_setsigmask(&attributes, &none) != 0 ||
      posix_spawnp(&compressor, arguments[0], NULL, &attributes, arguments, environ) != 0)
    compressor = 0;
  posix_spawnattr_destroy(&attributes);
}

void log_rotate(const char *path, uint64_t max_files, bool compressed) {
  char from[LOG_PATH_BYTES], to[LOG_PATH_BYTES];
  static const char *const forms[] = {"", ".gz"};
  log_rotate_finish();
  for (uint64_t index = max_files; index-- > 1;) {
    /* A file may stand in one form where its successor comes in the other. */
    for (int form = 0; form < 2; form++) {
      name_of(to, path, index, forms[form]);
      unlink(to);
    }
    for (int form = 0; form < (index == 1 ? 1 : 2); form++) {
      name_of(from, path, index - 1, forms[form]);
      name_of(to, path, index, forms[form]);
      rename(from, to);
    }
  }
  if (compressed && max_files > 1) compress(path);
}
