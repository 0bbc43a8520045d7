/* Builds batches of netlink messages and waits for the kernel's verdict; used for rtnetlink and nfnetlink alike. */
#ifndef NETLINK_H
#define NETLINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { NETLINK_BATCH_BYTES = 256 * 1024 };

struct netlink {
  int fd;
  uint32_t sequence; /* of the last message that was begun */
  size_t used, message; /* offset of the message that is open */
  bool overflow;
  unsigned char *buffer;
  char detail[128]; /* the kernel's own words about the last failure, or empty */
};

/* The socket belongs to the network namespace of the caller at this moment. 0 or errno. */
int netlink_open(struct netlink *netlink, int protocol);
void netlink_close(struct netlink *netlink);

/* A message: fixed header, then attributes, then netlink_end(). Answers the message's sequence number. */
uint32_t netlink_begin(struct netlink *netlink, uint16_t type, uint16_t flags, const void *header, size_t size);
void netlink_end(struct netlink *netlink);
void netlink_attribute(struct netlink *netlink, uint16_t type, const void *data, size_t size);
void netlink_text(struct netlink *netlink, uint16_t type, const char *text);
size_t netlink_nest(struct netlink *netlink, uint16_t type);
void netlink_nest_end(struct netlink *netlink, size_t nest);

/* Sends the batch and reads answers until that of message `last`. The first error that `forgive` does not forgive is
 * returned and its sequence number stored; 0 when all went well. The batch is empty afterwards. */
int netlink_commit(struct netlink *netlink, uint32_t last, bool (*forgive)(int error), uint32_t *failed);

#endif
