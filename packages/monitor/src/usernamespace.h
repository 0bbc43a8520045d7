/* User namespaces with given maps: for id-mapped mounts, for network namespaces that a container's root owns, and for
 * reading a container's files with the ids that it sees. */
#ifndef USERNAMESPACE_H
#define USERNAMESPACE_H

#include <sys/types.h>

/* Starts a process in a new user namespace, and in the others that `flags` name, which it owns. `map` is "UIDS/GIDS":
 * lines of uid_map and gid_map, joined by commas. Answers the process, which waits until it is killed; -1 with errno. */
pid_t user_namespace_start(const char *map, int flags);

/* The same in the user namespace that a file names. */
pid_t user_namespace_start_in(const char *path, int flags);

/* Ends such a process. */
void user_namespace_end(pid_t holder);

/* A descriptor of a new user namespace; -1 with errno. */
int user_namespace_open(const char *map);

/* Makes this process root of the namespace, which must be single-threaded. -1 with errno. */
int user_namespace_enter(int space);

#endif
