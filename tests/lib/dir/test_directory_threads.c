/*
 * Readers on several threads while one writes: what a reader sees within its lock is one state. Run
 * it under -fsanitize=thread too.
 */
#include "lib/base/unit.h"

#include <pthread.h>
#include <stdatomic.h>

#include "lib/dir/make.h"

#define READERS 4
#define ROUNDS 400
#define LISBON "https://lisbon.example"
#define BERLIN "https://berlin.example"

struct scene {
    struct directory *directory;
    atomic_bool stop;
    atomic_uint lists_seen, faults;
};

/* Version n of a list is of iat NOW + n, and its entries are set iff n is odd. */
static bool list_is_whole(const struct dir_status *status)
{
    unsigned value;
    bool odd = (status->list->iat - NOW) % 2;

    for (uint32_t i = 0; i < 64; i++) {
        if (status_list_get(status->list, i, &value) != 0 || value != odd)
            return false;
    }
    return true;
}

/* Version n of a space was checked at its iat. */
static bool issuer_is_whole(const struct dir_issuer *issuer)
{
    return issuer->n_pass == 1 && issuer->checked == issuer->config_iat &&
           issuer->config_exp == issuer->config_iat + LIFETIME_CONFIGURATION &&
           strcmp(issuer->id, LISBON) == 0;
}

static void *reader(void *arg)
{
    struct scene *scene = arg;

    while (!atomic_load(&scene->stop)) {
        const struct dir_issuer *issuer;
        struct dir_status status;

        directory_read(scene->directory);
        issuer = directory_find(scene->directory, LISBON);
        if (!issuer || !issuer_is_whole(issuer))
            atomic_fetch_add(&scene->faults, 1);
        if (directory_status(scene->directory, LISBON "/status/0", &status) == 0) {
            if (!list_is_whole(&status))
                atomic_fetch_add(&scene->faults, 1);
            atomic_fetch_add(&scene->lists_seen, 1);
        }
        directory_done(scene->directory);
        if (directory_count(scene->directory) > 2)
            atomic_fetch_add(&scene->faults, 1);
    }
    return NULL;
}

static void write_round(struct scene *scene, int n)
{
    struct configuration c = make_space(LISBON, NOW + n), other = make_space(BERLIN, NOW);
    struct status_list list = make_list(LISBON, LISBON "/status/0", NOW + n, n % 2);

    assert_int_equal(directory_put(scene->directory, &c, DIR_RECOGNISED, NOW + n), 0);
    assert_int_equal(directory_put_status(scene->directory, &list, NOW + n), 0);
    if (n % 2)
        assert_int_equal(directory_put(scene->directory, &other, DIR_RECOGNISED, NOW), 0);
    else
        assert_int_equal(directory_remove(scene->directory, BERLIN), 0);
}

static void readers_see_one_state(void **state)
{
    struct scene scene = {0};
    struct configuration other = make_space(BERLIN, NOW);
    pthread_t threads[READERS];

    assert_int_equal(directory_new(&scene.directory), 0);
    assert_int_equal(directory_put(scene.directory, &other, DIR_RECOGNISED, NOW), 0);
    write_round(&scene, 0);
    for (int i = 0; i < READERS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, reader, &scene), 0);
    for (int n = 1; n <= ROUNDS; n++)
        write_round(&scene, n);
    /* The last list stays until somebody has looked at it. */
    while (atomic_load(&scene.lists_seen) == 0 && atomic_load(&scene.faults) == 0)
        sched_yield();
    atomic_store(&scene.stop, true);
    for (int i = 0; i < READERS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    assert_int_equal(atomic_load(&scene.faults), 0);
    directory_free(scene.directory);
}

/* All readers meet a list that nobody has inflated: they agree on one copy. */
struct meeting {
    struct directory *directory;
    pthread_barrier_t barrier;
    const struct status_list *seen[READERS];
    atomic_int next;
};

static void *opener(void *arg)
{
    struct meeting *m = arg;
    struct dir_status status = {0};

    directory_read(m->directory);
    pthread_barrier_wait(&m->barrier);
    if (directory_status(m->directory, LISBON "/status/0", &status) == 0)
        m->seen[atomic_fetch_add(&m->next, 1)] = status.list;
    directory_done(m->directory);
    return NULL;
}

static void first_look_at_a_list(void **state)
{
    for (int round = 0; round < 50; round++) {
        struct configuration c = make_space(LISBON, NOW);
        struct status_list list = make_list(LISBON, LISBON "/status/0", NOW, true);
        struct meeting m = {0};
        pthread_t threads[READERS];

        assert_int_equal(directory_new(&m.directory), 0);
        assert_int_equal(directory_put(m.directory, &c, DIR_RECOGNISED, NOW), 0);
        assert_int_equal(directory_put_status(m.directory, &list, NOW), 0);
        assert_int_equal(pthread_barrier_init(&m.barrier, NULL, READERS), 0);
        for (int i = 0; i < READERS; i++)
            assert_int_equal(pthread_create(&threads[i], NULL, opener, &m), 0);
        for (int i = 0; i < READERS; i++)
            assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_int_equal(m.next, READERS);
        for (int i = 1; i < READERS; i++)
            assert_ptr_equal(m.seen[i], m.seen[0]);
        pthread_barrier_destroy(&m.barrier);
        directory_free(m.directory);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(readers_see_one_state),
        cmocka_unit_test(first_look_at_a_list),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
