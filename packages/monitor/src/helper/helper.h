/* The helper mode: one request at a time for the daemon, each idempotent (PROTOCOL.md). */
#ifndef HELPER_H
#define HELPER_H

#include <stdint.h>

#include "../frames.h"

enum { HELPER_SOCKET = 3 };

int helper_main(void);

/* What an operation answers: `text` is its result, or on failure what was being done. */
struct answer {
  char text[1024];
  uint64_t pid, handle;
};

/* Fills `text` with what was being done and returns `error` (an errno). */
int fail(struct answer *answer, int error, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* Operations return 0 or an errno. */
typedef int operation_function(const struct message *request, struct answer *answer);

operation_function op_mount, op_unmount;
operation_function op_namespace_create, op_interface_add, op_interface_remove, op_namespace_delete;
operation_function op_nft_elements;
operation_function op_spawn;
operation_function op_seal;
operation_function op_resolve, op_release;
operation_function op_remove_tree;
operation_function op_datagram;

/* True when the operation may take long (a mount over the network, a large tree, removal of a link): it then runs in a
 * process of its own while the helper serves the next requests. */
bool mount_may_take_long(const struct message *request);

#endif
