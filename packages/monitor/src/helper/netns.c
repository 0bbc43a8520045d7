/* Network namespaces and their interfaces. One RTM_NEWLINK makes a veth pair with its host end up and in the bridge and
 * its other end in the namespace; one batch inside then raises and addresses it. Links are never deleted on the way
 * down (RTM_DELLINK waits for RCU): the namespace file goes and the kernel takes the rest later. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "../files.h"
#include "../protocol.h"
#include "../usernamespace.h"
#include "helper.h"
#include "netlink.h"

#ifndef NSFS_MAGIC
#define NSFS_MAGIC 0x6e736673
#endif

enum { MAX_ADDRESSES = 16 };

struct veth {
  const char *host_name, *bridge, *container_name;
  unsigned char mac[6];
  bool has_mac, hairpin, isolated;
  uint32_t mtu;
};

struct inet_address {
  unsigned char family, prefix, size;
  unsigned char bytes[16];
};

static bool exists_already(int error) { return error == EEXIST; }
static bool never(int error) { return (void)error, false; }

static int host_namespace(void) {
  static int fd = -1;
  if (fd < 0) fd = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
  return fd;
}

/* Being left in a container's namespace would send every later request astray: better no helper, it is restarted. */
static void return_to_host(void) {
  if (setns(host_namespace(), CLONE_NEWNET) == 0) return;
  perror("dockerd-ts-monitor helper: cannot return to the host's network namespace");
  _exit(1);
}

static bool valid_interface_name(const char *name) {
  size_t size = name ? strlen(name) : 0;
  return size > 0 && size < IFNAMSIZ && strcmp(name, ".") != 0 && strcmp(name, "..") != 0 && !strpbrk(name, "/: \t\n");
}

static bool parse_inet(const char *text, struct inet_address *address, bool with_prefix) {
  char copy[64];
  if (!text || strlen(text) >= sizeof copy) return false;
  strcpy(copy, text);
  char *slash = strchr(copy, '/');
  if (with_prefix != (slash != NULL)) return false;
  if (slash) *slash = 0;
  address->family = strchr(copy, ':') ? AF_INET6 : AF_INET;
  address->size = address->family == AF_INET ? 4 : 16;
  if (inet_pton(address->family, copy, address->bytes) != 1) return false;
  if (!slash) return true;
  char *end;
  unsigned long prefix = strtoul(slash + 1, &end, 10);
  if (end == slash + 1 || *end || prefix > address->size * 8UL) return false;
  address->prefix = (unsigned char)prefix;
  return true;
}

static int parse_veth(const struct message *request, struct veth *veth, struct answer *answer) {
  struct field mac;
  *veth = (struct veth){
      .host_name = message_text(request, TAG_HOST_NAME),
      .bridge = message_text(request, TAG_BRIDGE),
      .container_name = message_text(request, TAG_CONTAINER_NAME),
      .mtu = (uint32_t)message_number(request, TAG_MTU, 0),
      .hairpin = message_number(request, TAG_FLAGS, 0) & PORT_HAIRPIN,
      .isolated = message_number(request, TAG_FLAGS, 0) & PORT_ISOLATED,
  };
  if (!veth->host_name) return 0;
  if (!valid_interface_name(veth->host_name) || !valid_interface_name(veth->bridge) || !valid_interface_name(veth->container_name))
    return fail(answer, EINVAL, "interface: malformed name");
  if (message_field(request, TAG_MAC, &mac)) {
    if (mac.size != sizeof veth->mac) return fail(answer, EINVAL, "interface %s: malformed MAC address", veth->host_name);
    memcpy(veth->mac, mac.data, sizeof veth->mac);
    veth->has_mac = true;
  }
  return 0;
}

static int named(const struct netlink *netlink, struct answer *answer, int error, const char *what, const char *name) {
  return netlink->detail[0] ? fail(answer, error, "%s %s (%s)", what, name, netlink->detail) : fail(answer, error, "%s %s", what, name);
}

/* What the bridge does with the port's frames; a message of its own, since the port must be there first. */
static int set_port_flags(struct netlink *netlink, const struct veth *veth, struct answer *answer) {
  struct ifinfomsg port = {.ifi_family = AF_BRIDGE, .ifi_index = (int)if_nametoindex(veth->host_name)};
  uint8_t on = 1;
  if (!port.ifi_index) return fail(answer, errno, "bridge port %s", veth->host_name);
  uint32_t last = netlink_begin(netlink, RTM_SETLINK, NLM_F_ACK, &port, sizeof port);
  size_t nest = netlink_nest(netlink, IFLA_PROTINFO | NLA_F_NESTED);
  if (veth->hairpin) netlink_attribute(netlink, IFLA_BRPORT_MODE, &on, sizeof on);
  if (veth->isolated) netlink_attribute(netlink, IFLA_BRPORT_ISOLATED, &on, sizeof on);
  netlink_nest_end(netlink, nest);
  netlink_end(netlink);
  int error = netlink_commit(netlink, last, never, NULL);
  return error ? named(netlink, answer, error, "bridge port", veth->host_name) : 0;
}

/* The peer must not carry IFF_UP here: its namespace end is raised from inside. */
static int create_pair(const struct veth *veth, int namespace_fd, struct answer *answer) {
  static struct netlink netlink = {.fd = -1};
  int error = netlink.fd < 0 ? netlink_open(&netlink, NETLINK_ROUTE) : 0;
  if (error) return fail(answer, error, "netlink socket");
  uint32_t bridge = if_nametoindex(veth->bridge);
  if (!bridge) return fail(answer, errno, "bridge %s", veth->bridge);
  struct ifinfomsg host = {.ifi_flags = IFF_UP, .ifi_change = IFF_UP}, peer = {0};
  uint32_t space = (uint32_t)namespace_fd;
  uint32_t last = netlink_begin(&netlink, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL | NLM_F_ACK, &host, sizeof host);
  netlink_text(&netlink, IFLA_IFNAME, veth->host_name);
  netlink_attribute(&netlink, IFLA_MASTER, &bridge, sizeof bridge);
  if (veth->mtu) netlink_attribute(&netlink, IFLA_MTU, &veth->mtu, sizeof veth->mtu);
  size_t info = netlink_nest(&netlink, IFLA_LINKINFO);
  netlink_text(&netlink, IFLA_INFO_KIND, "veth");
  size_t data = netlink_nest(&netlink, IFLA_INFO_DATA);
  size_t inner = netlink_nest(&netlink, VETH_INFO_PEER);
  /* ifinfomsg has no attribute header; it is what the attribute begins with. */
  memcpy(netlink.buffer + netlink.used, &peer, sizeof peer);
  netlink.used += sizeof peer;
  netlink_text(&netlink, IFLA_IFNAME, veth->container_name);
  if (veth->has_mac) netlink_attribute(&netlink, IFLA_ADDRESS, veth->mac, sizeof veth->mac);
  if (veth->mtu) netlink_attribute(&netlink, IFLA_MTU, &veth->mtu, sizeof veth->mtu);
  netlink_attribute(&netlink, IFLA_NET_NS_FD, &space, sizeof space);
  netlink_nest_end(&netlink, inner);
  netlink_nest_end(&netlink, data);
  netlink_nest_end(&netlink, info);
  netlink_end(&netlink);
  error = netlink_commit(&netlink, last, exists_already, NULL);
  if (error) return named(&netlink, answer, error, "veth", veth->host_name);
  return veth->hairpin || veth->isolated ? set_port_flags(&netlink, veth, answer) : 0;
}

static uint32_t raise_link(struct netlink *netlink, uint32_t index) {
  struct ifinfomsg up = {.ifi_index = (int)index, .ifi_flags = IFF_UP, .ifi_change = IFF_UP};
  uint32_t sequence = netlink_begin(netlink, RTM_NEWLINK, NLM_F_ACK, &up, sizeof up);
  netlink_end(netlink);
  return sequence;
}

static uint32_t add_address(struct netlink *netlink, uint32_t index, const struct inet_address *address) {
  struct ifaddrmsg header = {.ifa_family = address->family, .ifa_prefixlen = address->prefix, .ifa_index = index};
  /* The engine gives each address out once, so the seconds of duplicate detection would only delay the process. */
  if (address->family == AF_INET6) header.ifa_flags = IFA_F_NODAD;
  uint32_t sequence = netlink_begin(netlink, RTM_NEWADDR, NLM_F_CREATE | NLM_F_REPLACE | NLM_F_ACK, &header, sizeof header);
  netlink_attribute(netlink, IFA_LOCAL, address->bytes, address->size);
  netlink_attribute(netlink, IFA_ADDRESS, address->bytes, address->size);
  if (address->family == AF_INET && address->prefix < 31) {
    uint32_t broadcast;
    memcpy(&broadcast, address->bytes, sizeof broadcast);
    broadcast |= htonl(address->prefix ? (1U << (32 - address->prefix)) - 1 : UINT32_MAX);
    netlink_attribute(netlink, IFA_BROADCAST, &broadcast, sizeof broadcast);
  }
  netlink_end(netlink);
  return sequence;
}

static uint32_t add_default_route(struct netlink *netlink, uint32_t index, const struct inet_address *gateway) {
  struct rtmsg header = {.rtm_family = gateway->family,
                         .rtm_table = RT_TABLE_MAIN,
                         .rtm_protocol = RTPROT_BOOT,
                         .rtm_scope = RT_SCOPE_UNIVERSE,
                         .rtm_type = RTN_UNICAST};
  uint32_t sequence = netlink_begin(netlink, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_REPLACE | NLM_F_ACK, &header, sizeof header);
  netlink_attribute(netlink, RTA_GATEWAY, gateway->bytes, gateway->size);
  netlink_attribute(netlink, RTA_OIF, &index, sizeof index);
  netlink_end(netlink);
  return sequence;
}

/* Runs inside the namespace. */
static int configure_inside(const struct message *request, const struct veth *veth, struct answer *answer) {
  struct netlink netlink;
  int error = netlink_open(&netlink, NETLINK_ROUTE);
  if (error) return fail(answer, error, "netlink socket");
  uint32_t last = raise_link(&netlink, 1 /* lo */);
  uint32_t index = veth->host_name ? if_nametoindex(veth->container_name) : 0;
  if (veth->host_name && !index) {
    netlink_close(&netlink);
    return fail(answer, ENODEV, "interface %s", veth->container_name);
  }
  if (index) last = raise_link(&netlink, index);
  struct field field;
  struct inet_address address;
  bool valid = true;
  for (size_t at = 0; index && next_field(request, &at, &field);) {
    bool is_address = field.tag == TAG_ADDRESS;
    if (!is_address && field.tag != TAG_GATEWAY) continue;
    memset(&address, 0, sizeof address);
    valid = valid && parse_inet(field_as_text(&field), &address, is_address);
    if (valid) last = is_address ? add_address(&netlink, index, &address) : add_default_route(&netlink, index, &address);
  }
  error = valid ? netlink_commit(&netlink, last, exists_already, NULL) : EINVAL;
  if (error) named(&netlink, answer, error, "addresses of", veth->host_name ? veth->container_name : "lo");
  netlink_close(&netlink);
  return error;
}

/* Writes "net.a.b=value" below /proc/sys/net, which shows the namespace of the caller. */
static int write_sysctl(const char *assignment) {
  char path[256];
  const char *equals = assignment ? strchr(assignment, '=') : NULL;
  if (!equals || strncmp(assignment, "net.", 4) != 0 || strstr(assignment, "..") || memchr(assignment, '/', (size_t)(equals - assignment)))
    return EINVAL;
  int size = snprintf(path, sizeof path, "/proc/sys/%.*s", (int)(equals - assignment), assignment);
  if (size < 0 || (size_t)size >= sizeof path) return ENAMETOOLONG;
  for (char *p = path + strlen("/proc/sys/"); *p; p++)
    if (*p == '.') *p = '/';
  int fd = open_at(AT_FDCWD, path, O_WRONLY, 0);
  if (fd < 0) return errno;
  int error = write_all(fd, equals + 1, strlen(equals + 1)) ? 0 : errno;
  close(fd);
  return error;
}

/* Called before the interface is there, when those that name it are missing yet, and once more after. */
static int write_sysctls(const struct message *request, bool may_be_missing, struct answer *answer) {
  struct field field;
  for (size_t at = 0; next_field(request, &at, &field);) {
    if (field.tag != TAG_SYSCTL) continue;
    const char *text = field_as_text(&field);
    int error = write_sysctl(text);
    if (error && !(may_be_missing && error == ENOENT)) return fail(answer, error, "sysctl %s", text ? text : "");
  }
  return 0;
}

static bool is_namespace_file(const char *path) {
  struct statfs info;
  return statfs(path, &info) == 0 && info.f_type == NSFS_MAGIC;
}

/* Binds a namespace of `process` on a file, which it makes. */
static int bind_namespace(pid_t process, const char *name, const char *path) {
  char source[64];
  snprintf(source, sizeof source, "/proc/%d/ns/%s", (int)process, name);
  int fd = open_at(AT_FDCWD, path, O_RDONLY | O_CREAT, 0444);
  if (fd < 0) return errno;
  close(fd);
  return mount(source, path, NULL, MS_BIND, NULL) == 0 ? 0 : errno;
}

/* A network namespace that belongs to a user namespace, whose root may change it: one that is there, or, with a map, a
 * new one, which is bound too. */
static int create_owned(const char *path, const char *user_path, const char *map, struct answer *answer) {
  if (map) umount2(user_path, MNT_DETACH);
  pid_t holder = map ? user_namespace_start(map, CLONE_NEWNET) : user_namespace_start_in(user_path, CLONE_NEWNET);
  if (holder < 0) return fail(answer, errno, "user namespace %s", map ? map : user_path);
  int error = map ? bind_namespace(holder, "user", user_path) : 0;
  if (!error) error = bind_namespace(holder, "net", path);
  user_namespace_end(holder);
  if (!error) return 0;
  if (map) {
    umount2(user_path, MNT_DETACH);
    unlink(user_path);
  }
  unlink(path);
  return fail(answer, error, "bind namespaces on %s", path);
}

/* Enters the namespace at `path`; makes and binds it first when it is not there. On failure the host's is current. */
static int enter_or_create(const struct message *request, const char *path, bool create, struct answer *answer) {
  const char *map = message_text(request, TAG_ID_MAP), *user_path = message_text(request, TAG_TARGET);
  if (host_namespace() < 0) return fail(answer, errno, "host network namespace");
  if (create && user_path && !is_namespace_file(path)) {
    int error = create_owned(path, user_path, map, answer);
    if (error) return error;
  }
  if (is_namespace_file(path)) {
    int fd = open_at(AT_FDCWD, path, O_RDONLY, 0);
    int error = fd >= 0 && setns(fd, CLONE_NEWNET) == 0 ? 0 : errno;
    if (fd >= 0) close(fd);
    return error ? fail(answer, error, "network namespace %s", path) : 0;
  }
  if (!create) return fail(answer, ENOENT, "network namespace %s", path);
  int fd = open_at(AT_FDCWD, path, O_RDONLY | O_CREAT, 0444);
  if (fd < 0) return fail(answer, errno, "network namespace %s", path);
  close(fd);
  if (unshare(CLONE_NEWNET) != 0) return fail(answer, errno, "unshare network namespace");
  if (mount("/proc/self/ns/net", path, NULL, MS_BIND, NULL) == 0) return 0;
  int error = errno;
  return_to_host();
  unlink(path);
  return fail(answer, error, "bind network namespace on %s", path);
}

static int set_up(const struct message *request, bool create, struct answer *answer) {
  const char *path = message_text(request, TAG_PATH);
  struct veth veth;
  int error = parse_veth(request, &veth, answer);
  if (error) return error;
  if (!path || path[0] != '/' || (!create && !veth.host_name)) return fail(answer, EINVAL, "network namespace: malformed request");
  error = enter_or_create(request, path, create, answer);
  if (error) return error;
  int space = open_at(AT_FDCWD, "/proc/self/ns/net", O_RDONLY, 0);
  error = space < 0 ? fail(answer, errno, "network namespace %s", path) : write_sysctls(request, true, answer);
  if (!error && veth.host_name) {
    /* From the host's side, where the bridge is. */
    return_to_host();
    error = create_pair(&veth, space, answer);
    if (setns(space, CLONE_NEWNET) != 0 && !error) error = fail(answer, errno, "network namespace %s", path);
  }
  if (!error) error = configure_inside(request, &veth, answer);
  if (!error && veth.host_name) error = write_sysctls(request, false, answer);
  return_to_host();
  if (space >= 0) close(space);
  return error;
}

int op_namespace_create(const struct message *request, struct answer *answer) { return set_up(request, true, answer); }

int op_interface_add(const struct message *request, struct answer *answer) { return set_up(request, false, answer); }

/* Here RTM_DELLINK is right: the namespace goes on living. The helper runs this in a worker since it waits. */
int op_interface_remove(const struct message *request, struct answer *answer) {
  const char *path = message_text(request, TAG_PATH), *name = message_text(request, TAG_CONTAINER_NAME);
  if (!path || !valid_interface_name(name)) return fail(answer, EINVAL, "interface: malformed request");
  if (!is_namespace_file(path)) return 0;
  int error = enter_or_create(request, path, false, answer);
  if (error) return error;
  struct netlink netlink;
  uint32_t index = if_nametoindex(name);
  error = index ? netlink_open(&netlink, NETLINK_ROUTE) : 0;
  if (error) fail(answer, error, "netlink socket");
  if (index && !error) {
    struct ifinfomsg header = {.ifi_index = (int)index};
    uint32_t last = netlink_begin(&netlink, RTM_DELLINK, NLM_F_ACK, &header, sizeof header);
    netlink_end(&netlink);
    error = netlink_commit(&netlink, last, never, NULL);
    if (error == ENODEV) error = 0;
    if (error) named(&netlink, answer, error, "remove interface", name);
    netlink_close(&netlink);
  }
  return_to_host();
  return error;
}

int op_namespace_delete(const struct message *request, struct answer *answer) {
  const char *path = message_text(request, TAG_PATH);
  if (!path || path[0] != '/') return fail(answer, EINVAL, "network namespace: absolute path is missing");
  if (umount2(path, MNT_DETACH | UMOUNT_NOFOLLOW) != 0 && errno != EINVAL && errno != ENOENT)
    return fail(answer, errno, "unmount network namespace %s", path);
  if (unlink(path) != 0 && errno != ENOENT) return fail(answer, errno, "remove network namespace %s", path);
  return 0;
}
