/* The monitor mode: parent of one container's init or of one exec, from before its start until after its end. */
#ifndef MONITOR_H
#define MONITOR_H

/* The listening socket, made by the helper. */
enum { MONITOR_LISTENER = 3 };

int monitor_main(const char *directory);

#endif
