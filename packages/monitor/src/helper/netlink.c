/* Netlink batches: one send for many messages, acknowledgements matched by sequence number. */
#include "netlink.h"

#include <errno.h>
#include <linux/netlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#ifndef NLM_F_ACK_TLVS
#define NLM_F_ACK_TLVS 0x200
#endif

static size_t align4(size_t size) { return (size + 3) & ~(size_t)3; }

int netlink_open(struct netlink *netlink, int protocol) {
  *netlink = (struct netlink){.fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol)};
  if (netlink->fd < 0) return errno;
  int on = 1;
  /* Both only make errors readable; old kernels do without. */
  setsockopt(netlink->fd, SOL_NETLINK, NETLINK_EXT_ACK, &on, sizeof on);
  setsockopt(netlink->fd, SOL_NETLINK, NETLINK_CAP_ACK, &on, sizeof on);
  /* The kernel answers while it handles the request; no answer at all would be a bug that must not hang the helper. */
  struct timeval limit = {.tv_sec = 10};
  netlink->buffer = malloc(NETLINK_BATCH_BYTES);
  if (netlink->buffer && setsockopt(netlink->fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit) == 0) return 0;
  int error = errno;
  netlink_close(netlink);
  return error;
}

void netlink_close(struct netlink *netlink) {
  if (netlink->fd >= 0) close(netlink->fd);
  free(netlink->buffer);
  netlink->fd = -1;
  netlink->buffer = NULL;
}

static unsigned char *reserve(struct netlink *netlink, size_t size) {
  size_t padded = align4(size);
  if (netlink->overflow || padded > NETLINK_BATCH_BYTES - netlink->used) {
    netlink->overflow = true;
    return NULL;
  }
  unsigned char *p = netlink->buffer + netlink->used;
  memset(p, 0, padded);
  netlink->used += padded;
  return p;
}

uint32_t netlink_begin(struct netlink *netlink, uint16_t type, uint16_t flags, const void *header, size_t size) {
  netlink->message = netlink->used;
  struct nlmsghdr message = {.nlmsg_type = type, .nlmsg_flags = flags | NLM_F_REQUEST, .nlmsg_seq = ++netlink->sequence};
  unsigned char *p = reserve(netlink, sizeof message);
  if (p) memcpy(p, &message, sizeof message);
  p = reserve(netlink, size);
  if (p) memcpy(p, header, size);
  return netlink->sequence;
}

void netlink_end(struct netlink *netlink) {
  if (netlink->overflow) return;
  uint32_t size = (uint32_t)(netlink->used - netlink->message);
  memcpy(netlink->buffer + netlink->message, &size, sizeof size);
}

void netlink_attribute(struct netlink *netlink, uint16_t type, const void *data, size_t size) {
  struct nlattr attribute = {.nla_len = (uint16_t)(sizeof attribute + size), .nla_type = type};
  if (size > UINT16_MAX - sizeof attribute) netlink->overflow = true;
  unsigned char *p = reserve(netlink, sizeof attribute + size);
  if (!p) return;
  memcpy(p, &attribute, sizeof attribute);
  if (size > 0) memcpy(p + sizeof attribute, data, size);
}

void netlink_text(struct netlink *netlink, uint16_t type, const char *text) {
  netlink_attribute(netlink, type, text, strlen(text) + 1);
}

size_t netlink_nest(struct netlink *netlink, uint16_t type) {
  size_t nest = netlink->used;
  netlink_attribute(netlink, type | NLA_F_NESTED, NULL, 0);
  return nest;
}

void netlink_nest_end(struct netlink *netlink, size_t nest) {
  size_t size = netlink->used - nest;
  if (size > UINT16_MAX) netlink->overflow = true;
  if (netlink->overflow) return;
  uint16_t length = (uint16_t)size;
  memcpy(netlink->buffer + nest, &length, sizeof length);
}

/* The text attribute that follows the error code in an extended acknowledgement. */
static void keep_detail(struct netlink *netlink, const struct nlmsghdr *header) {
  size_t at = NLMSG_HDRLEN + sizeof(struct nlmsgerr);
  const char *bytes = (const char *)header;
  if (!(header->nlmsg_flags & NLM_F_ACK_TLVS)) return;
  while (at + sizeof(struct nlattr) <= header->nlmsg_len) {
    struct nlattr attribute;
    memcpy(&attribute, bytes + at, sizeof attribute);
    if (attribute.nla_len < sizeof attribute || attribute.nla_len > header->nlmsg_len - at) return;
    if (attribute.nla_type == NLMSGERR_ATTR_MSG)
      snprintf(netlink->detail, sizeof netlink->detail, "%.*s", (int)(attribute.nla_len - sizeof attribute),
               bytes + at + sizeof attribute);
    at += align4(attribute.nla_len);
  }
}

struct verdict {
  uint32_t first, last, failed;
  int error;
  bool complete;
};

static void read_answers(struct netlink *netlink, const unsigned char *bytes, size_t size, struct verdict *verdict,
                         bool (*forgive)(int error)) {
  for (size_t at = 0; at + NLMSG_HDRLEN <= size;) {
    struct nlmsghdr header;
    memcpy(&header, bytes + at, sizeof header);
    if (header.nlmsg_len < NLMSG_HDRLEN || header.nlmsg_len > size - at) return;
    bool ours = header.nlmsg_seq - verdict->first <= verdict->last - verdict->first;
    if (ours && header.nlmsg_type == NLMSG_ERROR && header.nlmsg_len >= NLMSG_HDRLEN + sizeof(int)) {
      int code;
      memcpy(&code, bytes + at + NLMSG_HDRLEN, sizeof code);
      if (code != 0 && !forgive(-code) && verdict->error == 0) {
        verdict->error = -code;
        verdict->failed = header.nlmsg_seq;
        keep_detail(netlink, (const struct nlmsghdr *)(const void *)(bytes + at));
        /* A refused batch begin is the only answer that comes. */
        if (header.nlmsg_seq == verdict->first) verdict->complete = true;
      }
      if (header.nlmsg_seq == verdict->last) verdict->complete = true;
    }
    at += align4(header.nlmsg_len);
  }
}

int netlink_commit(struct netlink *netlink, uint32_t last, bool (*forgive)(int error), uint32_t *failed) {
  struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
  struct verdict verdict = {.last = last};
  bool overflow = netlink->overflow;
  size_t used = netlink->used;
  netlink->used = 0;
  netlink->overflow = false;
  netlink->detail[0] = 0;
  if (overflow) return E2BIG;
  struct nlmsghdr first;
  memcpy(&first, netlink->buffer, sizeof first);
  verdict.first = first.nlmsg_seq;
  if (sendto(netlink->fd, netlink->buffer, used, 0, (struct sockaddr *)&kernel, sizeof kernel) < 0) return errno;
  while (!verdict.complete) {
    _Alignas(8) unsigned char answers[16384];
    ssize_t count = recv(netlink->fd, answers, sizeof answers, 0);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return errno == EAGAIN ? ETIMEDOUT : errno;
    read_answers(netlink, answers, (size_t)count, &verdict, forgive);
  }
  if (failed) *failed = verdict.failed;
  return verdict.error;
}
