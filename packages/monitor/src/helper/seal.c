/* Keeps sealed memory copies of programs. crun and runc copy themselves on every call (CVE-2019-5736) unless they find
 * that they already run from such a copy; holding one here saves them the copy and a second exec, same protection. */
#include <errno.h>
#include <fcntl.h>
#include <linux/memfd.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../files.h"
#include "../protocol.h"
#include "helper.h"

#ifndef MFD_EXEC
#define MFD_EXEC 0x0010U
#endif

enum { MAX_PROGRAMS = 8, ALL_SEALS = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE };

struct program {
  char path[512];
  struct stat file;
  int sealed;
  int previous; /* Its path may just have been handed out, so it is closed one generation later. */
};

static struct program programs[MAX_PROGRAMS];
static size_t program_count;

static bool same_version(const struct stat *a, const struct stat *b) {
  return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size &&
         a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec &&
         a->st_ctim.tv_sec == b->st_ctim.tv_sec && a->st_ctim.tv_nsec == b->st_ctim.tv_nsec;
}

static int memory_file(const char *path) {
  const char *slash = strrchr(path, '/');
  char name[128];
  snprintf(name, sizeof name, "%.100s", slash ? slash + 1 : path);
  int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_EXEC);
  /* Kernels before 6.3 do not know MFD_EXEC; there every memfd is executable. */
  if (fd < 0 && errno == EINVAL) fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
  return fd;
}

static int copy_sealed(int source, const char *path, off_t size) {
  int fd = memory_file(path);
  if (fd < 0) return -1;
  off_t copied = 0;
  while (copied < size) {
    ssize_t count = sendfile(fd, source, NULL, (size_t)(size - copied));
    if (count < 0 && errno == EINTR) continue;
    if (count == 0) errno = EIO; /* The file became shorter meanwhile. */
    if (count <= 0) break;
    copied += count;
  }
  if (copied == size && fchmod(fd, 0555) == 0 && fcntl(fd, F_ADD_SEALS, ALL_SEALS) == 0) return fd;
  int saved = errno;
  close(fd);
  return errno = saved, -1;
}

static struct program *entry_for(const char *path) {
  for (size_t i = 0; i < program_count; i++)
    if (strcmp(programs[i].path, path) == 0) return &programs[i];
  if (program_count == MAX_PROGRAMS || strlen(path) >= sizeof programs->path) return NULL;
  struct program *program = &programs[program_count++];
  *program = (struct program){.sealed = -1, .previous = -1};
  strcpy(program->path, path);
  return program;
}

static bool is_elf(int fd) {
  char magic[4];
  return pread(fd, magic, sizeof magic, 0) == sizeof magic && memcmp(magic, "\177ELF", 4) == 0;
}

/* Remakes the copy; 0, an errno, or -1 for what cannot be sealed (a script, whose interpreter wants its path). */
static int seal_again(struct program *program, const struct stat *file) {
  int source = open_at(AT_FDCWD, program->path, O_RDONLY, 0);
  if (source < 0) return errno;
  int fd = is_elf(source) ? copy_sealed(source, program->path, file->st_size) : -2;
  int error = fd == -2 ? -1 : fd < 0 ? errno : 0;
  close(source);
  if (error) return error;
  if (program->previous >= 0) close(program->previous);
  program->previous = program->sealed;
  program->sealed = fd;
  program->file = *file;
  return 0;
}

int op_seal(const struct message *request, struct answer *answer) {
  const char *path = message_text(request, TAG_PATH);
  struct stat file;
  if (!path || path[0] != '/') return fail(answer, EINVAL, "seal: absolute path is missing");
  if (stat(path, &file) != 0) return fail(answer, errno, "seal %s", path);
  if (!S_ISREG(file.st_mode)) return fail(answer, EINVAL, "seal %s: not a regular file", path);
  struct program *program = entry_for(path);
  if (!program) return fail(answer, ENOSPC, "seal %s: too many programs", path);
  if (program->sealed < 0 || !same_version(&program->file, &file)) {
    int error = seal_again(program, &file);
    if (error > 0) return fail(answer, error, "seal %s", path);
    if (error < 0) {
      snprintf(answer->text, sizeof answer->text, "%s", path);
      return 0;
    }
  }
  snprintf(answer->text, sizeof answer->text, "/proc/%d/fd/%d", getpid(), program->sealed);
  return 0;
}
