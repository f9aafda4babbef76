/*
 * bench-writer FOLDER: what committing in groups gives. Alternates, in one run and on one disk,
 * between SQLite alone (one thread, one row a commit) and the writer under 64 submitters, the same
 * row into the same schema under the same pragmas. Prints one line of JSON: medians of the rounds.
 */
#include <inttypes.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "store/visits.h"
#include "store/writer.h"

#define SUBMITTERS 64
#define ROUNDS 3
#define ROUND_NS 2000000000

static const char PRAGMAS[] = "PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON;"
                              "PRAGMA foreign_keys = ON; PRAGMA temp_store = MEMORY;"
                              "PRAGMA secure_delete = ON; PRAGMA synchronous = FULL;";
static const char INSERT[] =
    "INSERT INTO visit (id, home, person, sub, name, tier, status_uri, status_idx, device, nonce,"
    " verdict, reasons, confirmed, data_age, day, checked_in, checked_out, desk, stamp_state)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";

static atomic_uint last_id;

static void die(const char *what)
{
    fprintf(stderr, "bench-writer: %s\n", what);
    exit(1);
}

static int64_t now_ns(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

/* Ids, persons and nonces are scattered as real ones are, so that the indexes grow as theirs do. */
static struct visit_row next_row(void)
{
    unsigned n = atomic_fetch_add(&last_id, 1);
    uint64_t scattered = (n + 1) * UINT64_C(0x9e3779b97f4a7c15);
    struct visit_row row = {.home = "https://lisbon.example",
                            .name = "Ana Sousa",
                            .tier = "full",
                            .status_uri = "https://lisbon.example/status/0",
                            .status_idx = n % 32768,
                            .verdict = "admit",
                            .day = "2025-11-21",
                            .checked_in = 1763712000 + n,
                            .desk = "tok_Jx2aaaaaaaaaaaaa",
                            .stamp_state = "pending"};

    snprintf(row.id, sizeof(row.id), "vis_%016" PRIx64, scattered);
    snprintf((char *)row.person, sizeof(row.person), "%016" PRIx64 "person", scattered);
    snprintf(row.sub, sizeof(row.sub), "%016" PRIx64 "subject", scattered);
    snprintf(row.device, sizeof(row.device), "%016" PRIx64 "thumbprint-of-a-device-key", scattered);
    snprintf(row.nonce, sizeof(row.nonce), "%016" PRIx64 "nonce", scattered);
    return row;
}

static void bind(sqlite3_stmt *stmt, const struct visit_row *row)
{
    const char *const texts[] = {row->id,
                                 row->home,
                                 NULL,
                                 row->sub,
                                 row->name,
                                 row->tier,
                                 row->status_uri,
                                 NULL,
                                 row->device,
                                 row->nonce,
                                 row->verdict,
                                 row->reasons,
                                 NULL,
                                 NULL,
                                 row->day,
                                 NULL,
                                 NULL,
                                 row->desk,
                                 row->stamp_state};

    for (int i = 0; i < (int)ARRAY_SIZE(texts); i++) {
        if (texts[i])
            sqlite3_bind_text(stmt, i + 1, texts[i], -1, SQLITE_STATIC);
    }
    sqlite3_bind_blob(stmt, 3, row->person, sizeof(row->person), SQLITE_STATIC);
    sqlite3_bind_int64(stmt, 8, row->status_idx);
    sqlite3_bind_int64(stmt, 13, row->confirmed);
    sqlite3_bind_int64(stmt, 14, row->data_age_s);
    sqlite3_bind_int64(stmt, 16, row->checked_in);
    sqlite3_bind_int64(stmt, 17, row->checked_out);
}

/* One thread, one row a commit: commits a second. */
static double single_round(sqlite3_stmt *stmt)
{
    int64_t began = now_ns(), ended;
    unsigned commits = 0;

    do {
        struct visit_row row = next_row();

        bind(stmt, &row);
        if (sqlite3_step(stmt) != SQLITE_DONE)
            die(sqlite3_errmsg(sqlite3_db_handle(stmt)));
        sqlite3_reset(stmt);
        commits++;
        ended = now_ns();
    } while (ended - began < ROUND_NS);
    return commits * 1e9 / (double)(ended - began);
}

struct submitter {
    pthread_t thread;
    struct writer *writer;
    struct store *store;
    int64_t until;
    unsigned commits;
};

struct visit_job {
    struct write_job job;
    struct visit_row row;
};

static int run(struct write_job *job, struct store *s)
{
    return store_visit_add(s, &((struct visit_job *)job)->row);
}

static void *submit(void *arg)
{
    struct submitter *me = arg;

    while (now_ns() < me->until) {
        struct visit_job j = {.job = {.store = me->store, .run = run}, .row = next_row()};

        if (writer_do(me->writer, &j.job) != 0)
            die(store_failure(me->store));
        me->commits++;
    }
    return NULL;
}

/* 64 threads through the writer: jobs committed a second. */
static double writer_round(struct store *store)
{
    static struct submitter submitters[SUBMITTERS];
    struct writer *writer = NULL;
    int64_t began = now_ns();
    unsigned commits = 0;

    if (writer_start(NULL, &writer))
        die("cannot start the writer");
    for (size_t i = 0; i < SUBMITTERS; i++) {
        submitters[i] =
            (struct submitter){.writer = writer, .store = store, .until = began + ROUND_NS};
        if (pthread_create(&submitters[i].thread, NULL, submit, &submitters[i]))
            die("cannot start a thread");
    }
    for (size_t i = 0; i < SUBMITTERS; i++) {
        pthread_join(submitters[i].thread, NULL);
        commits += submitters[i].commits;
    }
    writer_stop(writer);
    return commits * 1e9 / (double)(now_ns() - began);
}

static struct store *open_store(const char *folder, const char *name, char path[static 4096])
{
    struct store *s = NULL;
    struct err err = {0};

    snprintf(path, 4096, "%s/%s", folder, name);
    if (store_open(path, STORE_SPACE, true, &s, &err))
        die(err.text);
    return s;
}

static void remove_database(const char *path)
{
    static const char *const ends[] = {"", "-wal", "-shm"};
    char name[4200];

    for (size_t i = 0; i < ARRAY_SIZE(ends); i++) {
        snprintf(name, sizeof(name), "%s%s", path, ends[i]);
        remove(name);
    }
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static double median(double v[static ROUNDS])
{
    qsort(v, ROUNDS, sizeof(*v), ascending);
    return v[ROUNDS / 2];
}

int main(int argc, char *argv[])
{
    char single_path[4096], writer_path[4096];
    double single[ROUNDS], writer[ROUNDS], ratio[ROUNDS];
    sqlite3 *db;
    sqlite3_stmt *stmt;

    if (argc != 2)
        die("usage: bench-writer FOLDER");
    store_close(open_store(argv[1], "bench-single.db", single_path)); /* makes the schema */
    struct store *store = open_store(argv[1], "bench-writer.db", writer_path);
    if (sqlite3_open_v2(single_path, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL) ||
        sqlite3_exec(db, PRAGMAS, NULL, NULL, NULL) ||
        sqlite3_prepare_v3(db, INSERT, -1, SQLITE_PREPARE_PERSISTENT, &stmt, NULL))
        die(sqlite3_errmsg(db));

    for (size_t i = 0; i < ROUNDS; i++) {
        single[i] = single_round(stmt);
        writer[i] = writer_round(store);
        ratio[i] = writer[i] / single[i];
    }
    printf("{\"single_commits_per_s\":%.0f,\"writer_commits_per_s\":%.0f,\"ratio\":%.2f}\n",
           median(single), median(writer), median(ratio));

    sqlite3_finalize(stmt);
    sqlite3_close(db);
    store_close(store);
    remove_database(single_path);
    remove_database(writer_path);
    return 0;
}
