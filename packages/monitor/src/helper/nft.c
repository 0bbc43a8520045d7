/* Elements of nftables maps and sets, added and deleted in one atomic nfnetlink batch. The tables, sets and rules
 * themselves are written by `nft -f` at start-up. */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <stdlib.h>
#include <string.h>

#include "../protocol.h"
#include "helper.h"
#include "netlink.h"

enum { MAX_CHANGES = 4096, MAX_FIELDS = 8, MAX_DATA_BYTES = 64 };

/* A field's concatenation: each part is padded to four bytes, unless it is the only one. */
struct data {
  size_t size, parts;
  unsigned char bytes[MAX_DATA_BYTES + 4];
};

struct change {
  bool adds, skipped, has_value;
  unsigned char family;
  const char *table, *set;
  struct data key, value;
  uint32_t sequence;
};

static bool append(struct data *data, const struct field *field) {
  size_t start = data->parts ? (data->size + 3) & ~(size_t)3 : 0;
  if (field->size == 0 || start + field->size > MAX_DATA_BYTES || data->parts == MAX_FIELDS) return false;
  memcpy(data->bytes + start, field->data, field->size);
  data->size = start + field->size;
  data->parts++;
  return true;
}

static size_t wire_size(const struct data *data) { return data->parts > 1 ? (data->size + 3) & ~(size_t)3 : data->size; }

static unsigned char family_of(unsigned char number) {
  return number == 4 ? NFPROTO_IPV4 : number == 6 ? NFPROTO_IPV6 : number == 1 ? NFPROTO_INET : NFPROTO_UNSPEC;
}

/* Each change is a run of fields that begins with TAG_CHANGE (action, family). -1: malformed. */
static int parse_changes(const struct message *request, struct change *changes) {
  struct field field;
  int count = 0;
  for (size_t at = 0; next_field(request, &at, &field);) {
    struct change *change = count ? &changes[count - 1] : NULL;
    if (field.tag == TAG_CHANGE) {
      if (field.size != 2 || count == MAX_CHANGES || family_of(field.data[1]) == NFPROTO_UNSPEC) return -1;
      changes[count++] = (struct change){.adds = field.data[0] == 1, .family = family_of(field.data[1])};
    } else if (!change) {
      return -1;
    } else if (field.tag == TAG_TABLE) {
      change->table = field_as_text(&field);
    } else if (field.tag == TAG_SET) {
      change->set = field_as_text(&field);
    } else if (field.tag == TAG_KEY) {
      if (!append(&change->key, &field)) return -1;
    } else if (field.tag == TAG_VALUE) {
      if (!append(&change->value, &field)) return -1;
      change->has_value = true;
    }
  }
  for (int i = 0; i < count; i++)
    if (!changes[i].table || !changes[i].set || !changes[i].key.parts) return -1;
  return count;
}

static void put_data(struct netlink *netlink, uint16_t type, const struct data *data) {
  size_t nest = netlink_nest(netlink, type);
  netlink_attribute(netlink, NFTA_DATA_VALUE, data->bytes, wire_size(data));
  netlink_nest_end(netlink, nest);
}

static void put_edge(struct netlink *netlink, uint16_t type) {
  struct nfgenmsg header = {.nfgen_family = AF_UNSPEC, .version = NFNETLINK_V0, .res_id = htons(NFNL_SUBSYS_NFTABLES)};
  netlink_begin(netlink, type, 0, &header, sizeof header);
  netlink_end(netlink);
}

static void put_change(struct netlink *netlink, struct change *change, bool last) {
  struct nfgenmsg header = {.nfgen_family = change->family, .version = NFNETLINK_V0};
  uint16_t type = NFNL_SUBSYS_NFTABLES << 8 | (change->adds ? NFT_MSG_NEWSETELEM : NFT_MSG_DELSETELEM);
  uint16_t flags = (change->adds ? NLM_F_CREATE : 0) | (last ? NLM_F_ACK : 0);
  change->sequence = netlink_begin(netlink, type, flags, &header, sizeof header);
  netlink_text(netlink, NFTA_SET_ELEM_LIST_TABLE, change->table);
  netlink_text(netlink, NFTA_SET_ELEM_LIST_SET, change->set);
  size_t list = netlink_nest(netlink, NFTA_SET_ELEM_LIST_ELEMENTS);
  size_t element = netlink_nest(netlink, NFTA_LIST_ELEM);
  put_data(netlink, NFTA_SET_ELEM_KEY, &change->key);
  if (change->adds && change->has_value) put_data(netlink, NFTA_SET_ELEM_DATA, &change->value);
  netlink_nest_end(netlink, element);
  netlink_nest_end(netlink, list);
  netlink_end(netlink);
}

static bool never(int error) { return (void)error, false; }

/* One try; a failure names the change by its index. */
static int commit(struct netlink *netlink, struct change *changes, int count, int *failed) {
  int last = -1;
  for (int i = 0; i < count; i++)
    if (!changes[i].skipped) last = i;
  if (last < 0) return 0;
  put_edge(netlink, NFNL_MSG_BATCH_BEGIN);
  for (int i = 0; i < count; i++)
    if (!changes[i].skipped) put_change(netlink, &changes[i], i == last);
  put_edge(netlink, NFNL_MSG_BATCH_END);
  uint32_t sequence = 0;
  int error = netlink_commit(netlink, changes[last].sequence, never, &sequence);
  *failed = -1;
  for (int i = 0; i < count; i++)
    if (error && !changes[i].skipped && changes[i].sequence == sequence) *failed = i;
  return error;
}

/* The socket stays open: to close one, the kernel first waits until what an earlier batch deleted is freed (RCU, 5 to
 * 15 ms). After an error it is made anew. */
int op_nft_elements(const struct message *request, struct answer *answer) {
  static struct netlink netlink = {.fd = -1};
  struct change *changes = calloc(MAX_CHANGES, sizeof *changes);
  if (!changes) return fail(answer, ENOMEM, "nftables elements");
  int count = parse_changes(request, changes);
  int error = count < 0 ? EINVAL : netlink.fd < 0 ? netlink_open(&netlink, NETLINK_NETFILTER) : 0;
  if (error) {
    free(changes);
    return fail(answer, error, "nftables elements");
  }
  int failed = -1;
  do {
    error = commit(&netlink, changes, count, &failed);
    /* To delete what is gone already is no failure, but the kernel refuses the whole batch for it: leave it out. (The
     * forgiving NFT_MSG_DESTROYSETELEM needs Linux 6.3.) */
    if (error == ENOENT && failed >= 0 && !changes[failed].adds) changes[failed].skipped = true;
    else break;
  } while (true);
  if (error) {
    const struct change *change = failed >= 0 ? &changes[failed] : NULL;
    fail(answer, error, "nftables %s %s %s", change && change->adds ? "add to" : "delete from", change ? change->table : "",
         change ? change->set : "");
    netlink_close(&netlink);
  }
  free(changes);
  return error;
}
