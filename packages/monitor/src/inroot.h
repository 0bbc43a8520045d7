/* Opens paths below a root that somebody else may change at any time: the kernel resolves them as if the root were "/"
 * (openat2 RESOLVE_IN_ROOT), so no link leads out. */
#ifndef INROOT_H
#define INROOT_H

#include <stdbool.h>

#include "protocol.h"

struct in_root {
  bool follow_last;
  /* What is made where nothing stands: with its parents, mode 0755 or 0644, owned by root. */
  enum create_kind create;
};

/* An O_PATH descriptor; -1: errno. */
int open_in_root(int root, const char *path, struct in_root options);

#endif
