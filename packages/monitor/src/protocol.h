/* Numbers of the wire protocol between the daemon and this program (PROTOCOL.md). The TypeScript side has the same
 * table; a test compares the two. */
#ifndef PROTOCOL_H
#define PROTOCOL_H

enum operation {
  OP_PING = 1,
  OP_MOUNT = 2,
  OP_UNMOUNT = 3,
  OP_NAMESPACE_CREATE = 4,
  OP_INTERFACE_ADD = 5,
  OP_INTERFACE_REMOVE = 6,
  OP_NAMESPACE_DELETE = 7,
  OP_NFT_ELEMENTS = 8,
  OP_SPAWN = 9,
  OP_SEAL = 10,
  OP_RESOLVE = 11,
  OP_RELEASE = 12,
  OP_REMOVE_TREE = 13,
  OP_DATAGRAM = 20,

  OP_HELLO = 32,
  OP_PLAN = 33,
  OP_GO = 34,
  OP_SIGNAL = 35,
  OP_RESIZE = 36,
  OP_ATTACH = 37,
  OP_HOLD = 38,
};

enum field_tag {
  TAG_TEXT = 1,
  TAG_SOURCE = 2,
  TAG_TARGET = 3,
  TAG_TYPE = 4,
  TAG_FLAGS = 5,
  TAG_DATA = 6,
  TAG_DIRECTORY = 7,
  TAG_PATH = 8,
  TAG_SYSCTL = 9,
  TAG_HOST_NAME = 10,
  TAG_BRIDGE = 11,
  TAG_CONTAINER_NAME = 12,
  TAG_MAC = 13,
  TAG_MTU = 14,
  TAG_ADDRESS = 15,
  TAG_GATEWAY = 16,
  TAG_CHANGE = 17,
  TAG_TABLE = 18,
  TAG_SET = 19,
  TAG_KEY = 20,
  TAG_VALUE = 21,
  TAG_ARGUMENT = 22,
  TAG_ENVIRONMENT = 23,
  TAG_SOCKET = 24,
  TAG_PID = 25,
  TAG_ROOT = 26,
  TAG_FOLLOW = 27,
  TAG_CREATE = 28,
  TAG_HANDLE = 29,
  TAG_DATAGRAM = 39,

  TAG_KIND = 40,
  TAG_CONTAINER_ID = 41,
  TAG_BUNDLE = 42,
  TAG_PROCESS_FILE = 43,
  TAG_TERMINAL = 44,
  TAG_HEIGHT = 45,
  TAG_WIDTH = 46,
  TAG_OPEN_STDIN = 47,
  TAG_STDIN_ONCE = 48,
  TAG_LOG_PATH = 49,
  TAG_LOG_MAX_SIZE = 50,
  TAG_LOG_MAX_FILES = 51,
  TAG_LOG_ATTRIBUTES = 52,
  TAG_CGROUP = 53,
  TAG_STATE_DIRECTORY = 54,
  TAG_HIDE_CGROUP2 = 55,
  TAG_STATE = 56,
  TAG_START_TICKS = 57,
  TAG_STARTED_AT = 58,
  TAG_EXIT = 59,
  TAG_RUNTIME_LOG = 60,
  TAG_SIGNAL = 61,
  TAG_STREAMS = 62,
  TAG_MONITOR_PID = 63,
  TAG_LOG_COMPRESS = 64,
  TAG_HOLD = 65,
  TAG_OOM_SCORE = 66,
  TAG_OOM_EVENTS = 67,
  TAG_ID_MAP = 68,
};

/* TAG_STATE. */
enum monitor_state { STATE_NEW = 0, STATE_PLANNED = 1, STATE_STARTING = 2, STATE_RUNNING = 3, STATE_EXITED = 4 };

/* TAG_STREAMS: which streams an attached client takes part in. */
enum stream_flags { STREAM_STDIN = 1, STREAM_STDOUT = 2, STREAM_STDERR = 4 };

/* TAG_FLAGS of an interface: how the bridge treats its port. */
enum port_flags { PORT_HAIRPIN = 1, PORT_ISOLATED = 2 };

/* TAG_CREATE. */
enum create_kind { CREATE_NONE = 0, CREATE_DIRECTORY = 1, CREATE_FILE = 2 };

#endif
