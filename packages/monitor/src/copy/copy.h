/* Files of a container, read and written inside its own view of the file system. See PROTOCOL.md in this directory. */
#ifndef COPY_H
#define COPY_H

#include <stdbool.h>
#include <stddef.h>

enum { VIEW_MOUNT_LIMIT = 4096 };

/* One volume or bind of the container. */
struct view_mount {
  const char *source, *target;
  bool writable, recursive;
  bool only_top; /* read-only, but not what is mounted below it */
  int tree;      /* the detached copy of the source */
};

struct view {
  const char *root; /* where the container's root filesystem is mounted */
  struct view_mount mounts[VIEW_MOUNT_LIMIT];
  size_t mount_count;
  int user_namespace;  /* whose ids the files are seen with; -1: the host's */
  bool read_only;      /* nothing in it can be written */
  bool read_only_root; /* the root filesystem can't; volumes can */
  bool keeps_body;     /* descriptor 3 stays open */
};

int copy_main(int argc, char **argv);

/* Moves this process into a mount namespace in which "/" is the container's root with its volumes, and nothing else of
 * the host is mounted. -1 after a message on standard error; the process must end then. */
int enter_view(struct view *view);

/* "call path: reason" on standard error, in Go's words; always -1. */
int copy_failed(const char *call, const char *path);

/* Follows the links of an absolute path as far as it exists. -1: a loop, or too long. */
int follow_links(const char *path, char *resolved, size_t capacity);

#endif
