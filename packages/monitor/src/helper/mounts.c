/* mount(2) and umount2(2). A request that was carried out already counts as done. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "../protocol.h"
#include "helper.h"
#include "idmapped.h"

#define PROPAGATION (MS_SHARED | MS_PRIVATE | MS_SLAVE | MS_UNBINDABLE)
/* What a bind mount can change only by remounting it. */
#define PER_MOUNT (MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_NOATIME | MS_NODIRATIME | MS_RELATIME)

enum { MAX_MOUNT_DATA = 4095 /* the kernel takes one page */ };

/* File systems whose mount(2) answers at once; any other may wait for a network. */
static const char *const local_types[] = {"bind",    "none",    "overlay", "tmpfs",   "proc",   "sysfs", "devpts", "mqueue",
                                          "cgroup",  "cgroup2", "ramfs",  "ext4",  "xfs",    "btrfs"};

bool mount_may_take_long(const struct message *request) {
  const char *type = message_text(request, TAG_TYPE);
  if (!type) return false;
  for (size_t i = 0; i < sizeof local_types / sizeof *local_types; i++)
    if (strcmp(type, local_types[i]) == 0) return false;
  return true;
}

static bool is_mount_root(const char *path) {
  struct statx info;
  if (statx(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT, 0, &info) != 0) return false;
  return (info.stx_attributes_mask & STATX_ATTR_MOUNT_ROOT) && (info.stx_attributes & STATX_ATTR_MOUNT_ROOT);
}

static bool same_file(const char *a, const char *b) {
  struct stat first, second;
  return stat(a, &first) == 0 && stat(b, &second) == 0 && first.st_dev == second.st_dev && first.st_ino == second.st_ino;
}

/* mountinfo writes blanks and backslashes in paths as \ooo. */
static void unescape_octal(char *text) {
  char *out = text;
  for (const char *in = text; *in; out++) {
    if (in[0] == '\\' && in[1] >= '0' && in[1] <= '3' && in[2] >= '0' && in[2] <= '7' && in[3] >= '0' && in[3] <= '7') {
      *out = (char)((in[1] - '0') * 64 + (in[2] - '0') * 8 + (in[3] - '0'));
      in += 4;
    } else {
      *out = *in++;
    }
  }
  *out = 0;
}

/* Whether the topmost mount on `target` has this type and source. */
static bool has_mount(const char *target, const char *type, const char *source) {
  FILE *file = fopen("/proc/self/mountinfo", "re");
  if (!file) return false;
  char *line = NULL;
  size_t capacity = 0;
  bool same = false;
  while (getline(&line, &capacity, file) > 0) {
    char *rest = line, *point = NULL;
    for (int i = 0; i < 5 && rest; i++) point = strsep(&rest, " ");
    char *tail = rest ? strstr(rest, " - ") : NULL;
    if (!tail) continue;
    tail += 3;
    char *line_type = strsep(&tail, " "), *line_source = strsep(&tail, " \n");
    if (!point || !line_type || !line_source) continue;
    unescape_octal(point);
    unescape_octal(line_source);
    if (strcmp(point, target) == 0) same = strcmp(line_type, type) == 0 && strcmp(line_source, source) == 0;
  }
  free(line);
  fclose(file);
  return same;
}

static bool already_mounted(const char *source, const char *target, const char *type, unsigned long flags) {
  if ((flags & (MS_REMOUNT | MS_MOVE)) || !is_mount_root(target)) return false;
  if (flags & MS_BIND) return same_file(source, target);
  return type && has_mount(target, type, source);
}

/* A remount replaces all flags, so those that the source's mount has are kept. */
static int remount_bind(const char *target, unsigned long wanted) {
  struct statvfs info;
  if (statvfs(target, &info) != 0) return errno;
  unsigned long kept = 0;
  if (info.f_flag & ST_RDONLY) kept |= MS_RDONLY;
  if (info.f_flag & ST_NOSUID) kept |= MS_NOSUID;
  if (info.f_flag & ST_NODEV) kept |= MS_NODEV;
  if (info.f_flag & ST_NOEXEC) kept |= MS_NOEXEC;
  if (!(wanted & (MS_NOATIME | MS_RELATIME))) {
    if (info.f_flag & ST_NOATIME) kept |= MS_NOATIME;
    if (info.f_flag & ST_RELATIME) kept |= MS_RELATIME;
  }
  if (info.f_flag & ST_NODIRATIME) kept |= MS_NODIRATIME;
  return mount(NULL, target, NULL, MS_REMOUNT | MS_BIND | kept | wanted, NULL) == 0 ? 0 : errno;
}

static int mount_in_steps(const char *source, const char *target, const char *type, unsigned long flags, const char *data) {
  unsigned long propagation = flags & PROPAGATION;
  unsigned long main_flags = flags & ~PROPAGATION;
  bool only_propagation = propagation && !type && !(main_flags & (MS_BIND | MS_MOVE | MS_REMOUNT));
  if (!only_propagation && !already_mounted(source, target, type, main_flags)) {
    if (mount(source, target, type, main_flags, data) != 0) return errno;
  }
  if ((main_flags & MS_BIND) && !(main_flags & MS_REMOUNT) && (main_flags & PER_MOUNT)) {
    int error = remount_bind(target, main_flags & PER_MOUNT);
    if (error) return error;
  }
  if (propagation && mount(NULL, target, NULL, propagation | (flags & MS_REC), NULL) != 0) return errno;
  return 0;
}

int op_mount(const struct message *request, struct answer *answer) {
  const char *source = message_text(request, TAG_SOURCE);
  const char *target = message_text(request, TAG_TARGET);
  const char *type = message_text(request, TAG_TYPE);
  const char *data = message_text(request, TAG_DATA);
  const char *directory = message_text(request, TAG_DIRECTORY);
  const char *map = message_text(request, TAG_ID_MAP);
  unsigned long flags = message_number(request, TAG_FLAGS, 0);
  if (!source || !target || target[0] != '/') return fail(answer, EINVAL, "mount: source or absolute target is missing");
  if (map && !type) {
    int refused = mount_idmapped(source, target, map);
    return refused ? fail(answer, refused, "mount id-mapped %s on %s", source, target) : 0;
  }
  if (data && strlen(data) > MAX_MOUNT_DATA) return fail(answer, E2BIG, "mount %s: options exceed one page", target);
  if (directory && chdir(directory) != 0) return fail(answer, errno, "mount %s: working directory %s", target, directory);
  int error = map ? become_mapped_root(map) : 0;
  if (!error) error = mount_in_steps(source, target, type, flags, data);
  if (map) become_root();
  if (directory && chdir("/") != 0) return fail(answer, errno, "mount %s: cannot leave %s", target, directory);
  return error ? fail(answer, error, "mount %s on %s", type ? type : source, target) : 0;
}

int op_unmount(const struct message *request, struct answer *answer) {
  const char *target = message_text(request, TAG_TARGET);
  int flags = UMOUNT_NOFOLLOW | (message_number(request, TAG_FLAGS, 0) ? MNT_DETACH : 0);
  if (!target || target[0] != '/') return fail(answer, EINVAL, "unmount: absolute target is missing");
  /* EINVAL: not a mount point. */
  if (umount2(target, flags) == 0 || errno == EINVAL || errno == ENOENT) return 0;
  return fail(answer, errno, "unmount %s", target);
}
