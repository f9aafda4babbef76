/* What a node remembers of proofs, and of what it promised to desks: bounded, and by time. */
#include "lib/app/fixture.h"

#include <pthread.h>
#include <stdio.h>

#include "app/replay.h"
#include "app/verifications.h"

static void key_of(uint8_t key[static 16], uint8_t shard, uint64_t n)
{
    memset(key, 0, 16);
    key[0] = shard;
    memcpy(key + 8, &n, sizeof(n));
}

static void test_owner_and_end(void **state)
{
    struct replay *r = NULL;
    uint8_t key[16], other[16];
    int again = 7;

    key_of(key, 3, 5);
    key_of(other, 3, 6);
    assert_int_equal(replay_new(1000, &r), 0);
    assert_int_equal(replay_bind(r, key, 1, 100, 200, &again), 0);
    assert_int_equal(again, 0);
    assert_int_equal(replay_bind(r, key, 1, 100, 200, &again), 0);
    assert_int_equal(again, 1);
    assert_int_equal(replay_bind(r, key, 2, 100, 200, &again), REPLAY_E_SEEN);
    assert_int_equal(replay_bind(r, other, 2, 100, 200, NULL), 0);
    assert_int_equal(replay_bind(r, key, 2, 199, 300, NULL), REPLAY_E_SEEN);
    assert_int_equal(replay_bind(r, key, 2, 200, 300, &again), 0); /* its time is over */
    assert_int_equal(again, 0);
    assert_int_equal(replay_bind(r, key, 1, 200, 300, NULL), REPLAY_E_SEEN);
    replay_free(r);
    replay_free(NULL);
}

/* Refuses rather than forgets; finds everything that it took; and cleans itself with time. */
static void test_full(void **state)
{
    struct replay *r = NULL;
    uint8_t key[16];
    unsigned taken = 0, refused = 0, found = 0;

    assert_int_equal(replay_new(16, &r), 0); /* 16 shards of 32 at least */
    for (uint64_t n = 0; n < 40; n++) {
        int result;

        key_of(key, 0, n * 977);
        result = replay_bind(r, key, 1, 100, 200, NULL);
        assert_true(result == 0 || result == REPLAY_E_FULL);
        taken += result == 0;
        refused += result == REPLAY_E_FULL;
    }
    assert_int_equal(taken, 32);
    assert_int_equal(refused, 8);
    for (uint64_t n = 0; n < 40; n++) {
        key_of(key, 0, n * 977);
        found += replay_bind(r, key, 2, 199, 300, NULL) == REPLAY_E_SEEN;
    }
    assert_int_equal(found, 32);
    key_of(key, 1, 1); /* the other shards have room */
    assert_int_equal(replay_bind(r, key, 1, 100, 200, NULL), 0);
    key_of(key, 0, 1);
    assert_int_equal(replay_bind(r, key, 1, 200, 300, NULL), 0);
    replay_free(r);
}

/* One peer that sends without end fills its own share, and nobody else's room. */
static void test_share(void **state)
{
    struct replay *r = NULL;
    uint8_t key[16];
    unsigned greedy = 0, others = 0;
    int again = 0;

    assert_int_equal(replay_new(16 * 1024, &r), 0);
    for (uint64_t n = 0; n < 20000; n++) {
        key_of(key, 0, n);
        greedy += replay_bind_share(r, key, 1, 100, 200, NULL) == 0;
    }
    assert_int_equal(greedy, 256); /* of 1024 in this shard */
    key_of(key, 0, 0);
    assert_int_equal(replay_bind_share(r, key, 1, 100, 200, &again), 0); /* seen is seen */
    assert_int_equal(again, 1);
    for (uint64_t n = 30720; n < 30720 + 1024; n += 4) {
        key_of(key, 0, n);
        others += replay_bind_share(r, key, 2, 100, 200, NULL) == 0;
    }
    assert_int_equal(others, 256);
    key_of(key, 0, 50000);
    assert_int_equal(replay_bind_share(r, key, 1, 200, 300, NULL), 0); /* their time is over */
    replay_free(r);
}

#define THREADS 8
#define KEYS 2000

struct racer {
    struct replay *r;
    pthread_barrier_t *start;
    uint64_t owner;
    unsigned won[KEYS];
};

static void *race(void *arg)
{
    struct racer *me = arg;
    uint8_t key[16];

    pthread_barrier_wait(me->start);
    for (uint64_t n = 0; n < KEYS; n++) {
        key_of(key, (uint8_t)n, n * 2654435761u);
        me->won[n] = replay_bind(me->r, key, me->owner, 100, 200, NULL) == 0;
    }
    return NULL;
}

static void test_one_owner_wins(void **state)
{
    static struct racer racers[THREADS];
    pthread_t threads[THREADS];
    pthread_barrier_t start;
    struct replay *r = NULL;

    assert_int_equal(replay_new(65536, &r), 0);
    pthread_barrier_init(&start, NULL, THREADS);
    for (unsigned i = 0; i < THREADS; i++) {
        racers[i] = (struct racer){.r = r, .start = &start, .owner = i};
        assert_int_equal(pthread_create(&threads[i], NULL, race, &racers[i]), 0);
    }
    for (unsigned i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    for (unsigned n = 0; n < KEYS; n++) {
        unsigned winners = 0;

        for (unsigned i = 0; i < THREADS; i++)
            winners += racers[i].won[n];
        assert_int_equal(winners, 1);
    }
    pthread_barrier_destroy(&start);
    replay_free(r);
}

static int get(struct verifications *v, const char *id, const char *desk, int64_t now,
               const char *expected)
{
    _cleanup_(buf_clear) struct buf token = {0};
    int64_t seen_at = -1;
    int r = verifications_get(v, id, desk, now, &token, &seen_at);

    if (r == 0) {
        assert_string_equal(token.p, expected);
        assert_int_equal(seen_at, 1000);
    } else {
        assert_int_equal(token.n, 0);
        assert_int_equal(seen_at, -1);
    }
    return r;
}

static void test_verifications(void **state)
{
    struct verifications *v = NULL;

    assert_int_equal(verifications_new(64, &v), 0);
    assert_int_equal(get(v, "ver_a", DESK, 1000, NULL), APP_E_ABSENT);
    assert_int_equal(verifications_put(v, "ver_a", DESK, STR("text a"), 1000), 0);
    assert_int_equal(get(v, "ver_a", DESK, 1000, "text a"), 0);
    assert_int_equal(get(v, "ver_a", DESK, 1000, "text a"), 0); /* as often as one likes */
    assert_int_equal(get(v, "ver_a", OTHER_DESK, 1000, NULL), APP_E_ABSENT);
    assert_int_equal(get(v, "ver_a", "", 1000, NULL), APP_E_ABSENT);
    assert_int_equal(get(v, "ver_", DESK, 1000, NULL), APP_E_ABSENT);
    assert_int_equal(get(v, "", DESK, 1000, NULL), APP_E_ABSENT);
    assert_int_equal(get(v, "ver_a", DESK, 1000 + LIMIT_VERIFICATION_TIME, "text a"), 0);
    assert_int_equal(get(v, "ver_a", DESK, 1001 + LIMIT_VERIFICATION_TIME, NULL), APP_E_ABSENT);
    verifications_free(v);
    verifications_free(NULL);
}

/* The oldest make room: the newest of each ring are there, and no more than the bound. */
static void test_verifications_bounded(void **state)
{
    struct verifications *v = NULL;
    unsigned kept = 0;
    char id[32], text[32];

    assert_int_equal(verifications_new(128, &v), 0);
    for (unsigned i = 0; i < 1000; i++) {
        snprintf(id, sizeof(id), "ver_%u", i);
        snprintf(text, sizeof(text), "text %u", i);
        assert_int_equal(verifications_put(v, id, DESK, str_of(text), 1000), 0);
        assert_int_equal(get(v, id, DESK, 1000, text), 0);
    }
    for (unsigned i = 0; i < 1000; i++) {
        snprintf(id, sizeof(id), "ver_%u", i);
        snprintf(text, sizeof(text), "text %u", i);
        kept += get(v, id, DESK, 1000, text) == 0;
    }
    assert_in_range(kept, 64, 128);
    verifications_free(v);
}

/* Nobody's pass is held for longer than was said. */
static void test_verifications_give_back(void **state)
{
    struct verifications *v = NULL;
    char id[32];

    assert_int_equal(verifications_new(6400, &v), 0);
    for (unsigned round = 0; round < 3; round++) {
        const int64_t now = 1000 + 2 * round * LIMIT_VERIFICATION_TIME;

        for (unsigned i = 0; i < 1000; i++) {
            snprintf(id, sizeof(id), "ver_%u", i);
            assert_int_equal(verifications_put(v, id, DESK, STR("text"), now), 0);
        }
        /* who puts a new one finds those of the last round over */
        assert_in_range(verifications_count(v), 1000, 1000);
        verifications_prune(v, now + LIMIT_VERIFICATION_TIME);
        assert_int_equal(verifications_count(v), 1000);
    }
    /* who asks, those of its shard; the minute's job, all */
    assert_int_equal(get(v, "ver_7", DESK, 1000 + 6 * LIMIT_VERIFICATION_TIME, NULL), APP_E_ABSENT);
    assert_in_range(verifications_count(v), 900, 999);
    verifications_prune(v, 1000 + 6 * LIMIT_VERIFICATION_TIME);
    assert_int_equal(verifications_count(v), 0);
    verifications_free(v);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_owner_and_end),
        cmocka_unit_test(test_full),
        cmocka_unit_test(test_share),
        cmocka_unit_test(test_one_owner_wins),
        cmocka_unit_test(test_verifications),
        cmocka_unit_test(test_verifications_bounded),
        cmocka_unit_test(test_verifications_give_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
