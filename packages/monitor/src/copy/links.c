/* Where a link leads in the end: as `docker cp -L` is told, also when the last part of it does not exist. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "copy.h"

enum { MAX_LINKS = 255, PATH_LIMIT = 4096 };

/* What a link says takes the place of its component in the rest of the path. */
static int replace_component(char *rest, const char *link, const char *after) {
  char joined[2 * PATH_LIMIT];
  int size = snprintf(joined, sizeof joined, "%s/%s", link, after);
  if (size >= PATH_LIMIT) return errno = ENAMETOOLONG, -1;
  memcpy(rest, joined, (size_t)size + 1);
  return 0;
}

static void drop_last(char *path) {
  char *slash = strrchr(path, '/');
  if (slash) *slash = 0;
}

int follow_links(const char *path, char *resolved, size_t capacity) {
  char rest[PATH_LIMIT], link[PATH_LIMIT];
  int links = 0;
  if ((size_t)snprintf(rest, sizeof rest, "%s", path) >= sizeof rest) return errno = ENAMETOOLONG, -1;
  resolved[0] = 0;
  for (char *at = rest; *at;) {
    size_t n = strcspn(at, "/"), used = strlen(resolved);
    char *after = at + n + (at[n] == '/');
    if (n == 2 && at[0] == '.' && at[1] == '.') drop_last(resolved);
    if (n == 0 || (n <= 2 && strncmp(at, "..", n) == 0)) {
      at = after;
      continue;
    }
    if ((size_t)snprintf(resolved + used, capacity - used, "/%.*s", (int)n, at) >= capacity - used)
      return errno = ENAMETOOLONG, -1;
    ssize_t length = readlink(resolved, link, sizeof link - 1);
    if (length < 0) {
      at = after;
      continue;
    }
    link[length] = 0;
    if (++links > MAX_LINKS) return errno = ELOOP, -1;
    resolved[link[0] == '/' ? 0 : used] = 0;
    if (replace_component(rest, link, after) < 0) return -1;
    at = rest;
  }
  if (!resolved[0]) snprintf(resolved, capacity, "/");
  return 0;
}
