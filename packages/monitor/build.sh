#!/bin/sh
# Builds the static program that is both the host helper and the container monitor.
#   build.sh             build/dockerd-ts-monitor
#   build.sh sanitize    build/dockerd-ts-monitor-sanitize, with address and undefined-behaviour checks, for tests
# Needs Debian's gcc, libc6-dev and zlib1g-dev, nothing else. CC chooses another compiler.
set -eu
cd "$(dirname "$0")"
mkdir -p build
cc=${CC:-gcc}
warnings='-std=gnu11 -D_GNU_SOURCE= -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wformat=2 -Wvla -Wno-missing-field-initializers'
sources=$(echo src/*.c src/helper/*.c src/init/*.c src/layer/*.c src/copy/*.c src/monitor/*.c)

case ${1:-release} in
  release)
    output=build/dockerd-ts-monitor
    flags='-O2 -fstack-protector-strong -D_FORTIFY_SOURCE=2 -fPIE -static-pie -fno-plt -ffunction-sections -fdata-sections
      -Wl,--gc-sections -Wl,-z,relro -Wl,-z,now -Wl,-z,noexecstack -s'
    ;;
  sanitize)
    output=build/dockerd-ts-monitor-sanitize
    flags='-O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all'
    ;;
  *)
    echo "usage: build.sh [release|sanitize]" >&2
    exit 2
    ;;
esac

newest() { [ -e "$output" ] && [ -z "$(find src build.sh -newer "$output" -type f)" ]; }
if newest; then exit 0; fi
# Renamed at the end: a running daemon may be about to execute the old file.
# shellcheck disable=SC2086
$cc $warnings $flags -Isrc -o "$output.$$" $sources -lz
mv "$output.$$" "$output"
