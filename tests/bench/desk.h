/*
 * A desk for benchmarks: one host space that recognises some homes, and passes of their members,
 * all in memory and made by the library itself.
 */
#pragma once

#include "app/space.h"
#include "app/verify.h"

struct bench_pass {
    struct buf token;         /* as presented */
    struct key home;          /* the pass key that signed it */
    struct str signing_input; /* in token */
    uint8_t der[80];          /* its signature as EVP_DigestVerify wants it */
    size_t der_len;
};

struct bench_desk {
    struct app app;
    struct app_clock clock;
    struct app_thread thread;
    struct space space;
    struct bench_pass *passes;
    size_t n;
};

/* n passes of `homes` homes; bound ones carry a fresh proof each and have a device key each. */
int bench_desk_open(struct bench_desk *d, size_t homes, size_t n, bool bound);
