#ifndef IDMAPPED_H
#define IDMAPPED_H

/* Binds `source` (not what is mounted below it) on `target` with the ids of its files mapped as `map` says, see
 * usernamespace.h: what is id 0 on disk is the first id of the range here. 0, or an errno. */
int mount_idmapped(const char *source, const char *target, const char *map);

/* From here on files are made by the first id of the map, with every capability that the process has: what overlayfs
 * makes for itself is made by who mounts it, and in an id-mapped mount the host's root has no id. 0, or an errno. */
int become_mapped_root(const char *map);
void become_root(void);

#endif
