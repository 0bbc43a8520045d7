/* Id-mapped bind mounts (mount_setattr(2) with MOUNT_ATTR_IDMAP), and who mounts overlays over them. */
#include "idmapped.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/mount.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "../usernamespace.h"

static int map_and_attach(int tree, const char *target, const char *map) {
  int space = user_namespace_open(map);
  if (space < 0) return errno;
  struct mount_attr change = {.attr_set = MOUNT_ATTR_IDMAP, .propagation = 1UL << 18 /* MS_PRIVATE */, .userns_fd = (uint64_t)space};
  int error = syscall(SYS_mount_setattr, tree, "", AT_EMPTY_PATH, &change, sizeof change) == 0 ? 0 : errno;
  close(space);
  if (error) return error;
  return syscall(SYS_move_mount, tree, "", AT_FDCWD, target, MOVE_MOUNT_F_EMPTY_PATH) == 0 ? 0 : errno;
}

int mount_idmapped(const char *source, const char *target, const char *map) {
  int tree = (int)syscall(SYS_open_tree, AT_FDCWD, source, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
  if (tree < 0) return errno;
  int error = map_and_attach(tree, target, map);
  close(tree);
  return error;
}

/* A file system user other than 0 takes the capabilities of file systems away, and lets them be taken up again. */
static int raise_capabilities(void) {
  struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
  struct __user_cap_data_struct sets[_LINUX_CAPABILITY_U32S_3];
  if (syscall(SYS_capget, &header, sets) != 0) return errno;
  for (size_t i = 0; i < _LINUX_CAPABILITY_U32S_3; i++) sets[i].effective = sets[i].permitted;
  return syscall(SYS_capset, &header, sets) == 0 ? 0 : errno;
}

int become_mapped_root(const char *map) {
  unsigned uid, gid;
  const char *slash = strchr(map, '/');
  if (!slash || sscanf(map, "0 %u", &uid) != 1 || sscanf(slash + 1, "0 %u", &gid) != 1) return EINVAL;
  setfsgid(gid);
  setfsuid(uid);
  return raise_capabilities();
}

void become_root(void) {
  setfsuid(0);
  setfsgid(0);
}
