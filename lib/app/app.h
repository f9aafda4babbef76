/*
 * What every use case stands on. The node fills it in once (threads, signer process, writer); verbs
 * without a running node fill it in with the same parts in one process. Tests fill in their own.
 *
 *   struct app         one for the process, shared by all threads
 *   struct space       one for each space that is served; shared; see app/space.h
 *   struct app_thread  one for each thread: what may not be shared
 */
#pragma once

#include "app/signer.h"
#include "base/rand.h"
#include <pthread.h>
#include <stdatomic.h>

#include "dir/directory.h"
#include "store/writer.h"

struct space;
struct replay;
struct app_job;

struct app_clock {
    int64_t (*now)(const struct app_clock *self);     /* Unix seconds */
    uint64_t (*micros)(const struct app_clock *self); /* monotonic, for --explain */
    int64_t offset;                                   /* trial only: added to now */
};

struct app {
    const struct app_clock *clock;
    struct directory *directory;
    struct store *directory_store; /* the writer's connection to directory.db */
    struct writer *writer;         /* NULL: writes run inline on the calling thread */
    struct signer *writer_signer;  /* the writer thread's channel (inline: the caller's) */
    struct replay *request_replay; /* (keyid, nonce) of signed requests between nodes */
    int64_t started_at;            /* proofs older than this are refused; 0: without a node */
    bool trial;                    /* loopback peers and a trial CA are allowed */
    bool persist_verifications;    /* without a node: `verify` leaves its promise in the store */
    struct space *spaces[LIMIT_SPACES]; /* append only */
    _Atomic size_t n_spaces;
    void (*notify)(void *ctx,
                   int what); /* wakes the network thread; may be NULL. Set, with its
                                 ctx, before there is a writer, and until it is stopped */
    void *notify_ctx;
    _Atomic bool signer_fails, writes_fail; /* how it went the last time: what /healthz says */
};

enum { NOTIFY_OUTBOX = 1, NOTIFY_PEERS };

struct app_thread {
    struct app *app;
    struct verifier *verifier;
    struct signer *signer; /* this thread's channel; NULL if it never signs itself */
    struct rand rand;
    struct store *directory_read; /* read connections, opened by whoever made the thread; or NULL */
    struct store *(*reads)(struct app_thread *t, struct space *space); /* lazily opened; or NULL */
    void *reads_ctx;
};

/* The space whose authority ("host[:port]") that is; NULL if we do not serve it. */
struct space *app_space(struct app *app, struct str authority);

int64_t app_now(const struct app *app);

/*
 * A write: compose() gathers outside any transaction (it may read job->space's writer store) and
 * fills sign[0..n_sign); the signer answers; run() writes inside the group's transaction; done() is
 * told after the commit. Embed it first in a struct of your own.
 *
 * compose: 0 goes on; anything else ends the job with that result (run() is not called).
 */
struct app_job {
    struct write_job write; /* first; .run and .store are set by app_do / app_submit */
    struct app *app;
    struct space *space;                 /* NULL: the write is to directory.db */
    int (*compose)(struct app_job *job); /* may be NULL */
    int (*run)(struct app_job *job, struct store *store);
    void (*done)(struct app_job *job, int result);    /* app_submit only; writer's thread */
    void *done_ctx;                                   /* for done() */
    struct sign_request *sign[LIMIT_STAMPS_PER_POST]; /* borrowed from the job's owner */
    size_t n_sign;
    int notify; /* NOTIFY_*: who is woken once it is committed; 0: nobody */
    struct err err;
};

int app_do(struct app *app, struct app_job *job);     /* waits; the job's result, APP_E_BUSY */
int app_submit(struct app *app, struct app_job *job); /* -EAGAIN: the queue is full */

/* compose() returns this to end its job as a success that needs no write: the job's result is 0. */
#define APP_DONE 1000

/* The writer's prepare hook; ctx is the struct app. */
void app_prepare(void *ctx, struct write_job *const jobs[], size_t n);

/* Failures of use cases, beside negative errno. One list for all, since the surfaces translate
 * them: app_failure_info() gives the stable code, the HTTP status and the exit code of each. They
 * begin above the conditions of every lower floor, so that none of those passes for one of these:
 * a job that ends with a condition of the store has failed (-ENOSPC, -EIO). */
enum app_failure {
    APP_E_INVALID = 64,    /* what was given is not acceptable: err says what and where */
    APP_E_ABSENT,          /* no such thing */
    APP_E_EXISTS,          /* there is one already */
    APP_E_STATE,           /* not in a state that allows it */
    APP_E_CONFLICT,        /* idempotency key used with another body; stamp id with other claims */
    APP_E_REFUSED,         /* the verdict is refuse */
    APP_E_CONFIRM,         /* the verdict is ask, and nobody confirmed */
    APP_E_FORBIDDEN,       /* who asks may not */
    APP_E_UNAUTHENTICATED, /* who asks did not say who they are, or wrongly */
    APP_E_UPSTREAM,        /* another node did not answer, or not as it should */
    APP_E_LIMIT,           /* a bound is reached */
    APP_E_BUSY,            /* try again */
};
struct app_failure_info {
    const char *code; /* "not_found": the problem's "code" */
    const char *title;
    int status; /* HTTP */
    int exit;   /* of the command line */
};
const struct app_failure_info *
app_failure_info(int result); /* negative errno: "internal", 500, 1; a disk that is full or
                                 read-only: "storage_full", 503, 1 */
