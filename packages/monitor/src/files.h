/* Small file helpers shared by both modes. */
#ifndef FILES_H
#define FILES_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* Writes everything, waiting where the descriptor blocks. False: errno. */
bool write_all(int fd, const void *data, size_t size);
/* Reads a small file into a NUL-terminated buffer; -1: errno. More than the buffer holds is cut off. */
ssize_t read_small_file_at(int directory, const char *path, char *buffer, size_t capacity);
/* Writes name.tmp in the directory and renames it over name: readers see the old file or the whole new one. */
bool replace_file_at(int directory, const char *name, const void *data, size_t size);
/* open() that is tried again after EINTR, always close-on-exec. */
int open_at(int directory, const char *path, int flags, mode_t mode);

#endif
