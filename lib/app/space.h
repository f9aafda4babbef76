/*
 * A space that this process speaks for: its identity, its signed documents ready to serve, and the
 * small caches that the desk's path needs. Opened at start, closed at the end, shared by all
 * threads.
 */
#pragma once

#include "app/app.h"
#include "base/map.h"
#include "base/tz.h"
#include "fed/configuration.h"
#include "store/passes.h"
#include "store/tokens.h"

struct tokens;        /* app/token.h */
struct verifications; /* app/verifications.h */

/* A signed document in memory, replaced as a whole; readers copy under the lock. */
struct published {
    char *token; /* owned, NUL-terminated; NULL if not made yet */
    size_t n;
    int64_t iat, exp;
    char etag[36]; /* quoted, of the signing input's digest */
};

struct space {
    char id[LIMIT_ENTITY_ID + 1];
    char authority[LIMIT_ENTITY_ID + 1]; /* host[:port] */
    /* What the latest one says; keys included. Never changed but for iat, exp and status_lists,
     * which are under the lock. */
    struct configuration configuration;
    char federation_kid[THUMBPRINT_LEN + 1], pass_kid[THUMBPRINT_LEN + 1];
    char timezone[65];
    struct tz *tz;
    uint8_t count_key[32]; /* HMAC key for counting people */
    struct store *store;   /* the writer's connection to space.db */
    char path[512];        /* of space.db, for readers */

    pthread_rwlock_t lock; /* of what follows */
    struct published published_configuration;
    struct published published_issuer; /* /.well-known/jwt-vc-issuer: plain JSON */
    struct published published_status[LIMIT_STATUS_LISTS];
    unsigned n_status; /* lists of which indices may be given out */
    struct map
        *peers; /* entity ids that this space pinned; the directory holds those of all spaces */

    struct tokens *tokens;
    struct verifications *verifications;
    struct replay *replay; /* holder proofs: (device key, nonce) */
};

/* Whether this space recognises that one: itself, or a pinned peer. */
bool space_recognises(struct space *space, const char *id);
int space_recognise(struct space *space, const char *id, bool yes); /* -ENOMEM, APP_E_LIMIT */

/* Founding: what `init` and `space add` ask for. Keys are made by the signer, facts go to the
 * store, the first configuration and status list are signed. The folder exists. SIGNER_E_SPACE and
 * other conditions of the signer that makes the keys; conditions of store_open(); -EBADMSG: what
 * was stored cannot be opened (an unknown time zone). */
struct space_facts {
    char id[LIMIT_ENTITY_ID + 1];
    char name[LIMIT_NAME + 1];
    bool has_position;
    double lat, lon;
    char country[3];
    char timezone[65];
};
int space_found(struct app_thread *t, const char *db_path, const struct space_facts *facts,
                struct err *err);

/* Opens a founded space and adds it to t->app->spaces. Signs anew what is due (configuration, dirty
 * status lists). What the signer refuses to renew is served as it is: 0, and err says what; it is
 * empty before. *out belongs to whoever owns the app: space_close(). APP_E_LIMIT: LIMIT_SPACES are
 * open; -EBADMSG: the database is not that of a space, or not readable: err says why. */
int space_open(struct app_thread *t, const char *db_path, struct space **out, struct err *err);
void space_close(struct space *space);

/* What is due now: renewal of the configuration (10 d) and the status lists (daily), and lists
 * whose bits changed before a crash; then the end of what is kept for a time (idempotency keys,
 * verifications). Called at start and by the network thread every minute. */
int space_renew(struct app_thread *t, struct space *space, struct err *err);

/* Signs status list n anew with the bits of the store, stores and publishes it. APP_E_INVALID: the
 * signer refuses it; APP_E_BUSY; any failure leaves the earlier one served, and the list dirty. */
int space_publish_status(struct app_thread *t, struct space *space, unsigned n, struct err *err);

unsigned space_status_lists(struct space *space); /* how many there are; takes the lock */

/* One more status list, when those there are have few free indices left: it is signed and announced
 * before an index of it is given out. APP_E_LIMIT: there are LIMIT_STATUS_LISTS. */
int space_add_status_list(struct app_thread *t, struct space *space, struct err *err);

/* Copies a published document: "configuration", "issuer", or status list n. APP_E_ABSENT. */
enum published_kind { PUBLISHED_CONFIGURATION, PUBLISHED_ISSUER, PUBLISHED_STATUS };
int space_published(struct space *space, enum published_kind kind, unsigned n, struct buf *token,
                    char etag[static 36]);

/* The pseudonym under which this host counts a person: HMAC(count_key, home, 0, sub). */
int space_person(const struct space *space, const char *home, const char *sub,
                 uint8_t out[static 32]);
