/*
 * `copy stat|get|put`: docker cp's side in the container. The process enters the container's view of its files first, so
 * every path, link and `..` below resolves there, whatever the container does meanwhile.
 */
#include "copy.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <signal.h>
#include <unistd.h>

#include "../layer/layer.h"
#include "../usernamespace.h"

/* Beyond those of unpack and pack, which are 1 and 2. */
enum { FAILED = 2, NO_SUCH_FILE = 3, NOT_A_DIRECTORY = 4, READ_ONLY = 5 };

/* Where the client's connection is, if it is lent to this process. */
enum { BODY_DESCRIPTOR = 3 };

struct copy_request {
  const char *operation, *path, *prefix;
  struct unpack_options unpack;
};

int copy_failed(const char *call, const char *path) {
  char reason[128];
  snprintf(reason, sizeof reason, "%s", strerror(errno));
  reason[0] = (char)tolower((unsigned char)reason[0]);
  fprintf(stderr, "%s %s: %s\n", call, path, reason);
  return -1;
}

static int lookup_failed(const char *path) { return errno == ENOENT ? NO_SUCH_FILE : (copy_failed("lstat", path), FAILED); }

/* ---- stat ---- */

/* A name can hold any byte; JSON takes UTF-8, so bytes go as hexadecimal digits. */
static void put_hex(const char *text) {
  for (; *text; text++) printf("%02x", (unsigned char)*text);
}

static int put_stat(const char *path, const struct stat *st) {
  char target[PATH_MAX] = "";
  if (S_ISLNK(st->st_mode) && follow_links(path, target, sizeof target) < 0) {
    if (errno != ELOOP) return copy_failed("readlink", path), FAILED;
    fprintf(stderr, "evalSymlinksInScope: too many links in %s\n", path);
    return FAILED;
  }
  printf("{\"size\":%lld,\"mode\":%u,\"mtimeSeconds\":%lld,\"mtimeNanoseconds\":%ld,\"linkTargetHex\":\"",
         (long long)st->st_size, st->st_mode, (long long)st->st_mtim.tv_sec, st->st_mtim.tv_nsec);
  put_hex(target);
  puts("\"}");
  return fflush(stdout) == 0 ? 0 : FAILED;
}

/* ---- get ---- */

static int get(const struct copy_request *request) {
  struct stat st;
  if (lstat(request->path, &st) < 0) return lookup_failed(request->path);
  int result = put_stat(request->path, &st);
  if (result != 0 || strcmp(request->operation, "stat") == 0) return result;
  struct pack_options options = {.cross_mounts = true};
  char parent[PATH_MAX];
  snprintf(parent, sizeof parent, "%s", request->path);
  if (S_ISDIR(st.st_mode)) {
    options.prefix = request->prefix;
  } else {
    char *slash = strrchr(parent, '/');
    options.only = request->path + (slash - parent) + 1;
    slash[1] = 0;
  }
  if (chdir(parent) < 0) return copy_failed("chdir", parent), FAILED;
  return pack_here(&options);
}

/* ---- put ---- */

/* Not on a volume. */
static bool is_here_in_root(void) {
  struct statx root, there;
  if (statx(AT_FDCWD, "/", 0, STATX_MNT_ID, &root) < 0 || statx(AT_FDCWD, ".", 0, STATX_MNT_ID, &there) < 0) return true;
  return root.stx_mnt_id == there.stx_mnt_id;
}

static int put(struct copy_request *request, bool read_only_root) {
  char where[PATH_MAX], full[PATH_MAX + 4];
  struct stat st;
  struct statvfs fs;
  if (!realpath(request->path, where)) return lookup_failed(request->path);
  size_t n = strlen(request->path);
  const char *tail = n > 2 && !strcmp(request->path + n - 2, "/.") ? "/." : n > 1 && request->path[n - 1] == '/' ? "/" : "";
  snprintf(full, sizeof full, "%s%s", where, tail);
  if (lstat(full, &st) < 0) return lookup_failed(full);
  if (!S_ISDIR(st.st_mode)) return NOT_A_DIRECTORY;
  if (chdir(where) < 0) return copy_failed("chdir", where), FAILED;
  bool in_root = is_here_in_root();
  if (in_root && read_only_root) return fputs("container rootfs is marked read-only\n", stderr), READ_ONLY;
  if (!in_root && statvfs(".", &fs) == 0 && (fs.f_flag & ST_RDONLY))
    return fputs("mounted volume is marked read-only\n", stderr), READ_ONLY;
  request->unpack.where = where;
  return unpack_here(&request->unpack);
}

/* However it ends, the lender learns how far the connection was read. */
static int put_with_body(struct copy_request *request, bool read_only_root) {
  int64_t left = request->unpack.body_bytes;
  request->unpack.body_fd = BODY_DESCRIPTOR;
  request->unpack.body_left = &left;
  int status = put(request, read_only_root);
  printf("{\"bodyBytes\":%lld}\n", (long long)(request->unpack.body_bytes - left));
  return fflush(stdout) == 0 ? status : FAILED;
}

/* ---- arguments ---- */

static int usage(void) {
  fputs("usage: copy stat|get|put [--read-only-root] [--keep-kinds] [--owner=UID:GID] [--body=BYTES] [--prefix=NAME]\n"
        "       [--id-map=UIDS/GIDS] ROOT PATH [rw|ro][,n][,top] SOURCE TARGET ...\n",
        stderr);
  return FAILED;
}

static bool parse_option(const char *text, struct copy_request *request, struct view *view) {
  if (!strcmp(text, "--read-only-root")) return view->read_only_root = true;
  if (!strcmp(text, "--keep-kinds")) return request->unpack.keep_kinds = true;
  if (!strncmp(text, "--id-map=", 9)) return (view->user_namespace = user_namespace_open(text + 9)) >= 0;
  if (!strncmp(text, "--prefix=", 9)) return request->prefix = text + 9, true;
  if (!strncmp(text, "--body=", 7)) return (request->unpack.body_bytes = strtoll(text + 7, NULL, 10)) > 0;
  request->unpack.has_owner = sscanf(text, "--owner=%u:%u", &request->unpack.uid, &request->unpack.gid) == 2;
  return request->unpack.has_owner;
}

static bool parse_mounts(int argc, char **argv, struct view *view) {
  if (argc % 3 != 0 || argc / 3 > VIEW_MOUNT_LIMIT) return false;
  for (int i = 0; i < argc; i += 3) {
    if (argv[i + 1][0] != '/' || argv[i + 2][0] != '/') return false;
    view->mounts[view->mount_count++] = (struct view_mount){
        .source = argv[i + 1],
        .target = argv[i + 2],
        .writable = !strncmp(argv[i], "rw", 2),
        .recursive = !strstr(argv[i], ",n"),
        .only_top = strstr(argv[i], ",top") != NULL,
    };
  }
  return true;
}

int copy_main(int argc, char **argv) {
  static struct view view = {.user_namespace = -1}; /* large: not on the stack */
  struct copy_request request = {0};
  int i = 2;
  if (argc < 4) return usage();
  request.operation = argv[1];
  for (; i < argc && argv[i][0] == '-'; i++)
    if (!parse_option(argv[i], &request, &view)) return usage();
  if (argc - i < 2 || argv[i][0] != '/' || argv[i + 1][0] != '/' || strlen(argv[i + 1]) >= PATH_MAX) return usage();
  view.root = argv[i];
  request.path = argv[i + 1];
  if (!parse_mounts(argc - i - 2, argv + i + 2, &view)) return usage();
  bool is_put = !strcmp(request.operation, "put");
  view.read_only = !is_put;
  view.keeps_body = request.unpack.body_bytes > 0;
  /* The daemon's end is this process's end, however it comes. */
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (enter_view(&view) < 0) return FAILED;
  if (!is_put) return get(&request);
  return view.keeps_body ? put_with_body(&request, view.read_only_root) : put(&request, view.read_only_root);
}
