/*
 * A world for one test: two spaces in a temporary folder, a home and a host, each in an app of its
 * own with real stores and real keys, as two nodes would be. They have pinned each other and hold
 * each other's status lists. The clock stands still until a test turns it.
 */
#pragma once

#include "lib/base/unit.h"

#include "app/check_in.h"
#include "app/issue.h"
#include "app/member.h"
#include "app/peer.h"
#include "app/stamps.h"
#include "state.h"
#include "vault.h"

#define START 1790000000
#define HOME "https://lisbon.example"
#define HOST "https://berlin.example"
#define DESK "tok_desk-one"
#define OTHER_DESK "tok_desk-two"

struct side;

/* Between a job's compose and its run: what a test does there, or what the signer answers instead:
 * 0 lets it sign, else that is the request's result. */
typedef int (*signer_hook)(struct side *s, struct sign_request *req);

struct side {
    struct side_signer {
        struct signer base; /* first */
        struct side *side;
        signer_hook hook;
    } signer;
    struct side_clock {
        struct app_clock base; /* first */
        const int64_t *now;
    } clock;
    const char *id, *name;
    struct state state;
    struct vault *vault;
    struct app app;
    struct app_thread thread;
    struct space *space;
};

struct world {
    char folder[256];
    int64_t now;
    struct side home, host;
    struct key_pair *device; /* P-256 */
};

int world_setup(void **state);
int world_teardown(void **state);
#define world_test(f) cmocka_unit_test_setup_teardown(f, world_setup, world_teardown)

/* Has the hook see each request before the signer does; NULL: no more. */
void side_hook_signer(struct side *s, signer_hook hook);

/* Founds a space in a folder below `folder` and opens it, or opens what is there. */
void side_open(struct side *s, const char *folder, const int64_t *now, const char *id,
               const char *name);
void side_close(struct side *s);
void side_restart(struct side *s);
/* Another space in the same app. */
struct space *side_second_space(struct side *s, const char *id);

/* One of the side's key pairs, from its file: "pass" or "federation". Owned. */
struct key_pair *side_key(const struct side *s, const char *name);

/* What `from` publishes now, as peers would fetch it. Owned. */
char *side_published(struct side *from, enum published_kind kind);
void side_pin(struct side *who, struct side *whom);
void side_fetch_status(struct side *who, struct side *whom);

/* A member of the home; *out as stored. */
void world_member(struct world *w, const char *name, struct member_row *out);

/* A new member's pass; bound to the device if that is given. *row may be NULL. Owned. */
char *world_issue(struct world *w, const struct key_pair *device, struct pass_row *row);
char *world_issue_to(struct world *w, const char *member, const struct key_pair *device,
                     struct pass_row *row);

/* The pass with a proof made now by the world's device, for HOST. Owned. */
char *world_present(struct world *w, const char *pass, const char *nonce);

/* What the host says at that desk: the deciding reason, or REASON_NONE if it admits. */
enum reason world_ask(struct world *w, const char *text, const char *desk,
                      enum verdict *verdict /* or NULL */);

/* A check-in at the host's desk. Clear it afterwards, whatever the result is. */
int world_check_in(struct world *w, const char *text, const char *key, bool confirm,
                   struct check_in *c);
#define CHECK_IN                                                                                   \
    (struct check_in)                                                                              \
    {                                                                                              \
        .desk = DESK                                                                               \
    }

/* A whole visit of a bound pass at the host; its id goes to visit. */
void world_visit(struct world *w, const char *pass, const char *nonce, char visit[static 32]);

/* How many rows the host's list of visits and its outbox have. */
size_t world_visits(struct world *w);
size_t world_outbox(struct world *w);

/* A seed for random tests: COMITY_SEED, else a new one; it is printed. */
uint64_t world_seed(const char *what);
