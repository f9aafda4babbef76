/*
 * SHA-256 (FIPS 180-4), HMAC (RFC 2104) and the care of secrets.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SHA256_LEN 32

int sha256(const void *p, size_t n, uint8_t out[static SHA256_LEN]); /* 0 or -EIO */
int hmac_sha256(const void *key, size_t key_len, const void *p, size_t n,
                uint8_t out[static SHA256_LEN]);

bool secret_equal(const void *a, const void *b, size_t n); /* constant time */
void secret_wipe(void *p, size_t n);
