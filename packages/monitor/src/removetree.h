/* Removal of directory trees that others may have filled with anything. */
#ifndef REMOVETREE_H
#define REMOVETREE_H

#include <stddef.h>

/* 0 (also when nothing was there) or an errno, with the name of the entry that failed in `where`. */
int remove_tree(const char *path, char *where, size_t where_size);

#endif
