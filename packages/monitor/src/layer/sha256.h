/* SHA-256 (FIPS 180-4), by the processor's own instructions where it has them. */
#ifndef SHA256_H
#define SHA256_H

#include <stddef.h>
#include <stdint.h>

struct sha256 {
  uint32_t state[8];
  uint64_t length;
  uint8_t block[64];
  size_t used;
};

enum { SHA256_HEX = 65 };

void sha256_init(struct sha256 *sha);
void sha256_update(struct sha256 *sha, const uint8_t *data, size_t size);
/* In hexadecimal digits, with a NUL. */
void sha256_final(struct sha256 *sha, char hex[SHA256_HEX]);

#endif
