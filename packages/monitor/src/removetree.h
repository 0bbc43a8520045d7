/* Removal of directory trees that others may have filled with anything. */
#ifndef REMOVETREE_H
#define REMOVETREE_H

#include <stdbool.h>
#include <stddef.h>

/* 0 (also when nothing was there) or an errno, with the name of the entry that failed in `where`. */
int remove_tree(const char *path, char *where, size_t where_size);

/* True when nothing is left. Otherwise it was too much to be removed in passing, or failed: remove_tree goes on. */
bool remove_small_tree(const char *path);

#endif
