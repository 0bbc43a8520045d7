/* Finds files inside a container's root without ever leaving it, whatever links the container makes meanwhile: the
 * kernel resolves the path as if the root were "/" (openat2 RESOLVE_IN_ROOT). The answer is a descriptor that the helper
 * holds; the daemon opens it by /proc/PID/fd/N, so there is no second walk that a swapped link could lead astray. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "../files.h"
#include "../inroot.h"
#include "../protocol.h"
#include "helper.h"
#include "idmapped.h"

enum { MAX_HANDLES = 1024 };

static int handles[MAX_HANDLES]; /* descriptor + 1; 0 is free */

int op_resolve(const struct message *request, struct answer *answer) {
  const char *root_path = message_text(request, TAG_ROOT), *path = message_text(request, TAG_PATH);
  bool follow_last = message_number(request, TAG_FOLLOW, 0) != 0;
  uint64_t create = message_number(request, TAG_CREATE, CREATE_NONE);
  if (!root_path || root_path[0] != '/' || !path || create > CREATE_FILE) return fail(answer, EINVAL, "resolve: malformed request");
  int slot = 0;
  while (slot < MAX_HANDLES && handles[slot]) slot++;
  if (slot == MAX_HANDLES) return fail(answer, EMFILE, "resolve %s: too many paths are held", path);
  int root = open_at(AT_FDCWD, root_path, O_PATH | O_DIRECTORY, 0);
  if (root < 0) return fail(answer, errno, "resolve: root %s", root_path);
  const char *map = message_text(request, TAG_ID_MAP);
  int error = map ? become_mapped_root(map) : 0;
  int fd = -1;
  if (!error) {
    fd = open_in_root(root, path, (struct in_root){.follow_last = follow_last, .create = (enum create_kind)create});
    error = errno;
  }
  if (map) become_root();
  close(root);
  if (fd < 0) return fail(answer, error, "resolve %s", path);
  handles[slot] = fd + 1;
  answer->handle = (uint64_t)slot + 1;
  snprintf(answer->text, sizeof answer->text, "/proc/%d/fd/%d", getpid(), fd);
  return 0;
}

int op_release(const struct message *request, struct answer *answer) {
  uint64_t handle = message_number(request, TAG_HANDLE, 0);
  if (handle == 0 || handle > MAX_HANDLES) return fail(answer, EINVAL, "release: malformed handle");
  if (handles[handle - 1]) close(handles[handle - 1] - 1);
  handles[handle - 1] = 0;
  return 0;
}
