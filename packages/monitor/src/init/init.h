/* PID 1 of containers that ask for an init. */
#ifndef INIT_H
#define INIT_H

/* `docker-init [--] PROGRAM [ARGUMENT...]`: runs the program until it ends, and exits as it did. */
int init_main(int argc, char **argv);

#endif
