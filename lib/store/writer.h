/*
 * The writer: one thread that commits in groups. Jobs of many threads are taken together, prepared
 * together outside any write transaction (that is where signatures are asked for), then run in one
 * transaction per database, and after the one commit each is told. A job whose run() fails is
 * undone alone: each runs in a savepoint, unless it is the only one or all are `repeatable`.
 *
 * If the transaction fails, at its beginning, in the middle or at its commit, all jobs that belong
 * to it are told that failure, also those whose run() had answered something else: what they have
 * read may be what was undone.
 */
#pragma once

#include "store/store.h"

struct write_job {
    struct store *store; /* the writer's connection to the database that the job is for */
    /* Runs inside the transaction. Only 0 keeps what it wrote: any other result undoes that. */
    int (*run)(struct write_job *job, struct store *store);
    /* On the writer's thread, once what it wrote is committed, in the order of the commits and
     * before anybody is told: where memory follows the disk. May be NULL. */
    void (*kept)(struct write_job *job);
    /* On the writer's thread, after the commit (or the failure); the job is its owner's again. */
    void (*done)(struct write_job *job, int result);
    /*
     * After run() succeeded, it may be run once more on the same state: it changes nothing but the
     * database, and what it leaves in the job it sets anew each time. If all jobs of a transaction
     * say so, they run without savepoints, which cost as much as a third of a check-in's writes;
     * should one of them fail after it has written, the others are run again without it.
     */
    bool repeatable;
    struct write_job *next; /* the writer's */
    int result;             /* the writer's */
    uint32_t told;          /* the writer's */
};

struct writer;

/* prepare(): the whole group, outside write transactions; what it reads of a database is of one
 * moment, in a read transaction that holds up no writer. It may set job->result to non-zero to have
 * that job skipped and told so. May be NULL. */
struct writer_hooks {
    void (*prepare)(void *ctx, struct write_job *const jobs[], size_t n);
    void *ctx;
};

#define WRITER_QUEUE 4096
#define WRITER_GROUP 64

int writer_start(const struct writer_hooks *hooks, struct writer **out);
void writer_stop(struct writer *w); /* finishes what was submitted, joins the thread, frees */

/* Queues the job; -EAGAIN when WRITER_QUEUE jobs wait (nothing was queued). */
int writer_submit(struct writer *w, struct write_job *job);

/* Submits and waits: returns the job's result. Not from the writer's own thread. job->done unused.
 */
int writer_do(struct writer *w, struct write_job *job);

/* The same steps on the calling thread, for verbs without a running node. */
int writer_run_inline(const struct writer_hooks *hooks, struct write_job *job);
