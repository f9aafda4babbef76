/*
 * Token Status List (IETF draft): statuses of 1 or 2 bits, compressed by zlib, in a signed JWT.
 */
#pragma once

#include "jose/jws.h"

#define STATUS_TYP "statuslist+jwt"

enum { STATUS_VALID = 0, STATUS_INVALID = 1, STATUS_SUSPENDED = 2 };

enum {
    STATUS_E_MALFORMED = 1, /* claims, encoding, zlib, sizes */
    STATUS_E_RANGE,         /* index beyond the list */
};

/* Bits, little end first in each byte. `bits` is 1 or 2, value fits in them; else STATUS_E_RANGE.
 */
int status_bits_set(uint8_t *bytes, size_t n_bytes, unsigned bits, uint32_t idx, unsigned value);
int status_bits_get(const uint8_t *bytes, size_t n_bytes, unsigned bits, uint32_t idx,
                    unsigned *value); /* STATUS_E_RANGE */

/* Payload of the token: {iss, sub, iat, exp, ttl, status_list:{bits, lst}}, owned; exp and ttl are
 * left out if 0. NULL if memory is out or the list has more than LIMIT_STATUS_ENTRIES. */
struct json *status_list_payload(const char *iss, const char *uri, int64_t iat, int64_t exp,
                                 int64_t ttl, unsigned bits, const uint8_t *bytes, size_t n);

/* A list as held in memory: as it came, compressed, and the plain bytes that status_list_get()
 * reads without inflating. Release with status_list_clear(). */
struct status_list {
    char iss[256], uri[320];
    int64_t iat, exp, ttl; /* exp, ttl: 0 if the token says none */
    unsigned bits;
    uint8_t *packed; /* owned: the zlib stream */
    size_t packed_len;
    uint8_t *plain; /* owned */
    size_t plain_len;
};

/* Reads the payload of a parsed and signature-checked token. Without `iss` in the token .iss is "".
 * Inflates (bounded), so that what is stored can be used. STATUS_E_MALFORMED, and err names the
 * claim; *out is only written on 0. */
int status_list_read(const struct jws *token, struct status_list *out, struct err *err);

/* STATUS_E_RANGE. */
int status_list_get(const struct status_list *list, uint32_t idx, unsigned *value);
void status_list_clear(struct status_list *list);
