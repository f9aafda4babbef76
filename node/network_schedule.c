#include "network_schedule.h"

#define CONFIGURATION_PERIOD (3600 * 1000)
#define CONFIGURATION_JITTER 25
#define CONFIGURATION_RETRY (30 * 1000)
#define CONFIGURATION_RETRY_MAX (3600 * 1000)
#define STATUS_JITTER 20
#define STATUS_RETRY_MAX (60 * 1000) /* a revocation reaches us soon after a peer is back */

void schedule_configuration_rule(struct schedule_rule *out)
{
    *out = (struct schedule_rule){CONFIGURATION_PERIOD, CONFIGURATION_JITTER, CONFIGURATION_RETRY,
                                  CONFIGURATION_RETRY_MAX};
}

void schedule_status_rule(struct schedule_rule *out, unsigned poll_s)
{
    uint32_t period = (poll_s < 1 ? 1 : poll_s > 86400 ? 86400 : poll_s) * 1000;

    *out = (struct schedule_rule){period, STATUS_JITTER, period, STATUS_RETRY_MAX};
}

/* Uniform over low to high. */
static uint64_t between(uint64_t low, uint64_t high, uint32_t random)
{
    return low + ((high - low + 1) * random >> 32);
}

static uint64_t jittered(const struct schedule_rule *rule, uint32_t random)
{
    uint64_t give = (uint64_t)rule->period * rule->jitter / 100;

    return between(rule->period - give, rule->period + give, random);
}

void schedule_begin(struct schedule *s, const struct schedule_rule *rule, uint64_t now,
                    uint64_t age, uint32_t spread, uint32_t random)
{
    uint64_t period = jittered(rule, random);

    s->failures = 0;
    s->due = age < period ? now + period - age : now + between(0, spread, random);
}

void schedule_succeeded(struct schedule *s, const struct schedule_rule *rule, uint64_t now,
                        uint32_t random)
{
    s->failures = 0;
    s->due = now + jittered(rule, random);
}

void schedule_failed(struct schedule *s, const struct schedule_rule *rule, uint64_t now,
                     uint32_t random)
{
    uint64_t most = rule->retry;

    for (unsigned i = 0; i < s->failures && most < rule->retry_max; i++)
        most *= 2;
    if (most > rule->retry_max)
        most = rule->retry_max;
    if (most < SCHEDULE_RETRY_MIN)
        most = SCHEDULE_RETRY_MIN;
    if (s->failures < UINT16_MAX)
        s->failures++;
    s->due = now + between(SCHEDULE_RETRY_MIN, most, random);
}
