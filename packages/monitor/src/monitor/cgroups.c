/* What the container's control groups say of its memory, and their removal with the runtime's own state. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "../files.h"
#include "../removetree.h"
#include "state.h"

enum { MAX_CGROUP_DEPTH = 16 };

/* 0 where the kernel does not count them. */
static uint64_t count_oom_kills(char *text) {
  for (char *line = text; line; line = strchr(line, '\n')) {
    while (*line == '\n') line++;
    if (strncmp(line, "oom_kill ", 9) == 0) return strtoull(line + 9, NULL, 10);
  }
  return 0;
}

/* False: the group is gone. */
static bool read_counters(struct monitor *monitor, uint64_t *kills) {
  char text[1024];
  ssize_t size = pread(monitor->memory_counters, text, sizeof text - 1, 0);
  if (size <= 0) return false;
  text[size] = 0;
  *kills = count_oom_kills(text);
  return true;
}

void cgroups_close_memory(struct monitor *monitor) {
  if (monitor->memory_news >= 0 && monitor->memory_news != monitor->memory_counters) close(monitor->memory_news);
  if (monitor->memory_counters >= 0) close(monitor->memory_counters);
  monitor->memory_news = monitor->memory_counters = -1;
}

static int open_in_group(const char *group, const char *name, int flags) {
  char path[4200];
  snprintf(path, sizeof path, "%s/%s", group, name);
  return open_at(AT_FDCWD, path, flags, 0);
}

/* v1: an eventfd that the kernel writes to whenever the group runs out of memory. */
static int register_for_oom(const char *group, int counters) {
  char text[32];
  int news = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), control = open_in_group(group, "cgroup.event_control", O_WRONLY);
  int size = snprintf(text, sizeof text, "%d %d", news, counters);
  bool done = news >= 0 && control >= 0 && write(control, text, (size_t)size) == size;
  if (control >= 0) close(control);
  if (!done && news >= 0) close(news);
  return done ? news : -1;
}

/* v2: memory.events, which can be polled itself. With the systemd driver the group is systemd's, which removes it as soon
 * as the last process has ended, maybe before we look at the end: so it is read whenever it changes. */
void cgroups_watch_memory(struct monitor *monitor) {
  const struct plan *plan = &monitor->plan;
  for (size_t i = 0; i < plan->cgroup_count && monitor->memory_counters < 0; i++) {
    monitor->memory_is_v2 = true;
    monitor->memory_news = monitor->memory_counters = open_in_group(plan->cgroups[i], "memory.events", O_RDONLY);
    if (monitor->memory_news >= 0) break;
    monitor->memory_is_v2 = false;
    monitor->memory_counters = open_in_group(plan->cgroups[i], "memory.oom_control", O_RDONLY);
    if (monitor->memory_counters < 0) continue;
    monitor->memory_news = register_for_oom(plan->cgroups[i], monitor->memory_counters);
  }
  if (monitor->memory_counters < 0) return;
  /* The process runs already: what came before the watch is one event. */
  uint64_t kills = 0, pending;
  if (!read_counters(monitor, &kills) || kills == 0) return;
  if (!monitor->memory_is_v2 && read(monitor->memory_news, &pending, sizeof pending) < 0) errno = 0;
  monitor->oom_kills = kills;
  monitor->oom_events = 1;
}

/* A shortage of v1 is told before the kernel kills, and also where it must not kill; of v2 the kills are. */
void cgroups_read_memory_news(struct monitor *monitor) {
  uint64_t kills = 0, shortages = 0;
  if (!monitor->memory_is_v2 && read(monitor->memory_news, &shortages, sizeof shortages) < 0) shortages = 0;
  if (!read_counters(monitor, &kills)) return cgroups_close_memory(monitor);
  bool news = monitor->memory_is_v2 ? kills > monitor->oom_kills : shortages > 0;
  monitor->oom_kills = kills;
  if (!news) return;
  monitor->oom_events++;
  connections_tell_oom(monitor);
}

/* False when the group is not there. */
static bool kill_members(int directory) {
  int fd = open_at(directory, "cgroup.procs", O_RDONLY, 0);
  FILE *file = fd >= 0 ? fdopen(fd, "r") : NULL;
  if (!file) {
    if (fd >= 0) close(fd);
    return false;
  }
  long pid;
  while (fscanf(file, "%ld", &pid) == 1)
    if (pid > 1) kill((pid_t)pid, SIGKILL);
  fclose(file);
  return true;
}

void cgroups_kill_leftovers(const struct plan *plan) {
  bool found = false;
  for (size_t i = 0; i < plan->cgroup_count && !found; i++) {
    int directory = open_at(AT_FDCWD, plan->cgroups[i], O_RDONLY | O_DIRECTORY, 0);
    if (directory < 0) continue;
    found = kill_members(directory);
    close(directory);
  }
}

/* Children first; what is busy stays for the next try. */
static bool remove_group(int parent, const char *path, bool kill_busy, int depth) {
  if (unlinkat(parent, path, AT_REMOVEDIR) == 0 || errno == ENOENT || errno == ENOTDIR) return true;
  if (depth == MAX_CGROUP_DEPTH) return false;
  int fd = open_at(parent, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
  DIR *stream = fd >= 0 ? fdopendir(fd) : NULL;
  if (!stream) {
    if (fd >= 0) close(fd);
    return false;
  }
  if (kill_busy) kill_members(fd);
  for (struct dirent *entry; (entry = readdir(stream));)
    if (entry->d_type == DT_DIR && strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
      remove_group(fd, entry->d_name, kill_busy, depth + 1);
  closedir(stream);
  return unlinkat(parent, path, AT_REMOVEDIR) == 0 || errno == ENOENT;
}

bool cgroups_remove(const struct plan *plan, bool kill, int patience_ms) {
  struct timespec deadline = monotonic_in(patience_ms);
  for (long pause_us = 500;; pause_us = pause_us < 20000 ? pause_us * 2 : pause_us) {
    bool done = true;
    for (size_t i = 0; i < plan->cgroup_count; i++) done = remove_group(AT_FDCWD, plan->cgroups[i], kill, 0) && done;
    if (done || milliseconds_until(&deadline) == 0) return done;
    /* EBUSY: the kernel is still taking the last process apart. */
    struct timespec pause = {.tv_nsec = pause_us * 1000};
    nanosleep(&pause, NULL);
  }
}

void state_directory_remove(const struct plan *plan) {
  if (plan->state_directory) remove_tree(plan->state_directory, NULL, 0);
}
