/* The request to remove a directory tree. */
#include <errno.h>

#include "../protocol.h"
#include "../removetree.h"
#include "helper.h"

int op_remove_tree(const struct message *request, struct answer *answer) {
  const char *path = message_text(request, TAG_PATH);
  char where[256];
  if (!path) return fail(answer, EINVAL, "remove: path is missing");
  int error = remove_tree(path, where, sizeof where);
  if (!error) return 0;
  return where[0] ? fail(answer, error, "remove %s (at %s)", path, where) : fail(answer, error, "remove %s", path);
}
