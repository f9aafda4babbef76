/*
 * When a peer's documents are asked for again: pure arithmetic on a monotonic clock in
 * milliseconds, so that tests see days in no time. Private to node/network*.
 */
#pragma once

#include <stdint.h>

/* How one kind of document is looked at. Times in milliseconds. */
struct schedule_rule {
    uint32_t period;    /* after a success ... */
    uint32_t jitter;    /* ... give or take so many per cent */
    uint32_t retry;     /* after the first failure at most this, doubled by each further one ... */
    uint32_t retry_max; /* ... up to this */
};

#define SCHEDULE_RETRY_MIN 500 /* milliseconds; a failing peer is never asked in a tight loop */

struct schedule {
    uint64_t due;
    unsigned failures; /* in a row */
};

void schedule_configuration_rule(struct schedule_rule *out);
void schedule_status_rule(struct schedule_rule *out, unsigned poll_s);

/* `random` is uniform over all 32 bits in each of these. */

/* A document never asked for, or last confirmed `age` ms ago (UINT64_MAX: never): due when its
 * period ends; at once, spread over up to `spread` ms, if that is over. */
void schedule_begin(struct schedule *s, const struct schedule_rule *rule, uint64_t now,
                    uint64_t age, uint32_t spread, uint32_t random);
void schedule_succeeded(struct schedule *s, const struct schedule_rule *rule, uint64_t now,
                        uint32_t random);
/* Full jitter: anywhere from SCHEDULE_RETRY_MIN to the doubled bound. */
void schedule_failed(struct schedule *s, const struct schedule_rule *rule, uint64_t now,
                     uint32_t random);
