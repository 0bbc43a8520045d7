/*
 * The container's view of its files, made in a mount namespace of this process's own: it ends with the process, so a
 * copy that is cut off leaves nothing mounted. The sources are opened before the namespace is left, by the host's paths;
 * their places are found inside the root, where no link of the container can lead out. Devices can't be opened in it:
 * a container that swaps a file for a device while it is copied must not make the host read one.
 */
#include "copy.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "../files.h"
#include "../inroot.h"
#include "../usernamespace.h"

/* glibc's sys/mount.h and the kernel's linux/mount.h can't be included together. */
int mount(const char *source, const char *target, const char *type, unsigned long flags, const void *data);
int umount2(const char *target, int flags);
enum { UMOUNT_DETACH = 2 };

static int set_attributes(int at, const char *path, unsigned flags, uint64_t attributes) {
  struct mount_attr change = {.attr_set = attributes};
  return (int)syscall(SYS_mount_setattr, at, path, flags, &change, sizeof change);
}

static int clone_source(struct view_mount *m) {
  unsigned flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | (m->recursive ? AT_RECURSIVE : 0);
  m->tree = (int)syscall(SYS_open_tree, AT_FDCWD, m->source, flags);
  if (m->tree < 0) return copy_failed("mount", m->source);
  unsigned below = m->recursive && !m->only_top ? AT_RECURSIVE : 0;
  if (!m->writable && set_attributes(m->tree, "", AT_EMPTY_PATH | below, MOUNT_ATTR_RDONLY) < 0)
    return copy_failed("remount", m->source);
  return 0;
}

static int attach(int root, const struct view_mount *m) {
  struct stat info;
  if (fstat(m->tree, &info) < 0) return copy_failed("stat", m->source);
  struct in_root options = {.follow_last = true, .create = S_ISDIR(info.st_mode) ? CREATE_DIRECTORY : CREATE_FILE};
  int target = open_in_root(root, m->target, options);
  if (target < 0) return copy_failed("open", m->target);
  long result = syscall(SYS_move_mount, m->tree, "", target, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH);
  if (result < 0) return copy_failed("mount", m->target);
  close(target);
  close(m->tree);
  return 0;
}

/* The root becomes "/" and the host's tree is let go of. On an initial ramdisk, whose root can't be replaced, the new
 * one is moved over it. */
static int switch_root(const char *root) {
  if (syscall(SYS_pivot_root, ".", ".") == 0) return umount2(".", UMOUNT_DETACH) < 0 ? copy_failed("umount", "/") : 0;
  if (errno != EINVAL) return copy_failed("pivot_root", root);
  if (mount(".", "/", NULL, 0x2000 /* MS_MOVE */, NULL) < 0) return copy_failed("mount", root);
  return chroot(".") < 0 ? copy_failed("chroot", root) : 0;
}

static int restrict_view(const struct view *view) {
  uint64_t attributes = MOUNT_ATTR_NODEV | MOUNT_ATTR_NOSUID | (view->read_only ? MOUNT_ATTR_RDONLY : 0);
  if (set_attributes(AT_FDCWD, "/", AT_RECURSIVE, attributes) < 0) return copy_failed("remount", "/");
  if (view->read_only_root && set_attributes(AT_FDCWD, "/", 0, MOUNT_ATTR_RDONLY) < 0) return copy_failed("remount", "/");
  return 0;
}

int enter_view(struct view *view) {
  for (size_t i = 0; i < view->mount_count; i++)
    if (clone_source(&view->mounts[i]) < 0) return -1;
  if (unshare(CLONE_NEWNS) < 0) return copy_failed("unshare", "mount namespace");
  if (mount(NULL, "/", NULL, 0x44000 /* MS_REC | MS_PRIVATE */, NULL) < 0) return copy_failed("remount", "/");
  if (chdir(view->root) < 0) return copy_failed("chdir", view->root);
  int root = open_at(AT_FDCWD, ".", O_PATH | O_DIRECTORY, 0);
  if (root < 0) return copy_failed("open", view->root);
  for (size_t i = 0; i < view->mount_count; i++)
    if (attach(root, &view->mounts[i]) < 0) return -1;
  if (switch_root(view->root) < 0) return -1;
  if (chdir("/") < 0) return copy_failed("chdir", "/");
  if (restrict_view(view) < 0) return -1;
  if (view->user_namespace >= 0 && user_namespace_enter(view->user_namespace) < 0) return copy_failed("setns", "user namespace");
  close_range(view->keeps_body ? 4 : 3, ~0U, 0);
  return 0;
}
