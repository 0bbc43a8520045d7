/* Chooses the mode: by the name `docker-init` it is PID 1 of a container, `helper` serves the daemon on descriptor 3, `monitor DIRECTORY` looks after one process. */
#include <stdio.h>
#include <string.h>

#include "copy/copy.h"
#include "helper/helper.h"
#include "init/init.h"
#include "layer/layer.h"
#include "monitor/monitor.h"

/* Containers have this file at /sbin/docker-init. */
static int called_as_init(const char *name) {
  const char *slash = strrchr(name, '/');
  return strcmp(slash ? slash + 1 : name, "docker-init") == 0;
}

int main(int argc, char **argv) {
  if (argc >= 1 && called_as_init(argv[0])) return init_main(argc, argv);
  if (argc == 2 && strcmp(argv[1], "helper") == 0) return helper_main();
  if (argc == 3 && strcmp(argv[1], "monitor") == 0) return monitor_main(argv[2]);
  if (argc >= 2 && strcmp(argv[1], "unpack") == 0) return layer_unpack_main(argc - 1, argv + 1);
  if (argc >= 2 && strcmp(argv[1], "pack") == 0) return layer_pack_main(argc - 1, argv + 1);
  if (argc == 2 && strcmp(argv[1], "layers") == 0) return layer_server_main();
  if (argc == 3 && strcmp(argv[1], "sync") == 0) return layer_sync_main(argv[2]);
  if (argc >= 2 && strcmp(argv[1], "copy") == 0) return copy_main(argc - 1, argv + 1);
  if (argc == 2 && strcmp(argv[1], "version") == 0) return puts("dockerd-ts-monitor protocol 1") < 0;
  fputs("usage: dockerd-ts-monitor helper | monitor DIRECTORY | version\nStarted by dockerd-ts; see PROTOCOL.md.\n", stderr);
  return 2;
}
