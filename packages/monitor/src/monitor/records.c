/* The two files by which a daemon that was not there learns what happened: state.json while the process runs, exit.json
 * after. Both are replaced by renaming. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../files.h"
#include "state.h"

void record_started(const struct monitor *monitor) {
  char text[512];
  int size = snprintf(text, sizeof text, "{\"monitorPid\":%d,\"pid\":%d,\"startTimeTicks\":%llu,\"startedAtNs\":\"%llu\"}\n", getpid(),
                      monitor->init, (unsigned long long)monitor->start_ticks,
                      (unsigned long long)nanoseconds(&monitor->started_at));
  /* Without it a later daemon still finds us by the socket; only our own sudden death would go unexplained. */
  if (size > 0) replace_file_at(monitor->directory, "state.json", text, (size_t)size);
}

static int exit_code_of(int status) { return WIFEXITED(status) ? WEXITSTATUS(status) : WIFSIGNALED(status) ? 128 + WTERMSIG(status) : 255; }

void record_exit(struct monitor *monitor) {
  const char *error = monitor->init ? NULL : monitor->start_error ? monitor->start_error : "";
  size_t capacity = 512 + (error ? strlen(error) * 6 : 0);
  char *text = malloc(capacity);
  if (!text) abort(); /* Better no answer than a wrong one: the daemon sees us die. */
  int status = monitor->wait_status;
  size_t used = (size_t)snprintf(text, capacity, "{\"exitCode\":%d,\"oomKilled\":%s,\"finishedAtNs\":\"%llu\"", exit_code_of(status),
                                 monitor->oom_kills > 0 ? "true" : "false", (unsigned long long)nanoseconds(&monitor->finished_at));
  if (WIFSIGNALED(status)) used += (size_t)snprintf(text + used, capacity - used, ",\"signal\":%d", WTERMSIG(status));
  if (monitor->init)
    used += (size_t)snprintf(text + used, capacity - used, ",\"pid\":%d,\"startTimeTicks\":%llu,\"startedAtNs\":\"%llu\"", monitor->init,
                             (unsigned long long)monitor->start_ticks, (unsigned long long)nanoseconds(&monitor->started_at));
  if (error) {
    used += (size_t)snprintf(text + used, capacity - used, ",\"runtimeLog\":\"");
    used += json_escape(text + used, (const unsigned char *)error, strlen(error));
    text[used++] = '"';
  }
  text[used++] = '}';
  text[used] = 0;
  replace_file_at(monitor->directory, "exit.json", text, used);
  monitor->exit_json = text;
}
