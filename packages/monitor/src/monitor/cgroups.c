/* What the container's control groups say at its end, and their removal with the runtime's own state. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "../files.h"
#include "../removetree.h"
#include "state.h"

enum { MAX_CGROUP_DEPTH = 16 };

static bool counts_oom_kill(char *text) {
  for (char *line = text; line; line = strchr(line, '\n')) {
    while (*line == '\n') line++;
    if (strncmp(line, "oom_kill ", 9) == 0) return strtoull(line + 9, NULL, 10) > 0;
  }
  return false;
}

/* With the systemd driver the group is systemd's, which removes it as soon as the last process has ended, maybe before
 * we look. So on v2 the counters are read whenever the kernel says that they changed. -1: there are none. */
int cgroups_open_memory_events(const struct plan *plan) {
  for (size_t i = 0; i < plan->cgroup_count; i++) {
    char path[4200];
    snprintf(path, sizeof path, "%s/memory.events", plan->cgroups[i]);
    int fd = open_at(AT_FDCWD, path, O_RDONLY, 0);
    if (fd >= 0) return fd;
  }
  return -1;
}

void cgroups_read_memory_events(struct monitor *monitor) {
  char text[1024];
  ssize_t size = pread(monitor->memory_events, text, sizeof text - 1, 0);
  if (size > 0) {
    text[size] = 0;
    monitor->oom_killed = monitor->oom_killed || counts_oom_kill(text);
    return;
  }
  close(monitor->memory_events); /* ENODEV: the group is gone. */
  monitor->memory_events = -1;
}

/* v1 counts in memory.oom_control, which stays until we remove the group. */
bool cgroups_oom_killed(const struct plan *plan) {
  for (size_t i = 0; i < plan->cgroup_count; i++) {
    char path[4200], text[1024];
    snprintf(path, sizeof path, "%s/memory.oom_control", plan->cgroups[i]);
    if (read_small_file_at(AT_FDCWD, path, text, sizeof text) > 0) return counts_oom_kill(text);
  }
  return false;
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
