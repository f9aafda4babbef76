/*
 * The directory in memory: which spaces we recognise, their keys, their status lists. Shared by all
 * threads; readers take one read lock and nothing else. On disk it is the store's records.
 *
 * What directory_find() and directory_status() give lives until directory_done(): a writer waits
 * for all readers before it changes or frees anything. Writers are rare (a refresh, a peer added)
 * and prepare everything before they lock; a waiting writer goes before new readers, so a thread
 * must not read within its own read, nor write within it.
 *
 * At most LIMIT_PEERS spaces, each with at most LIMIT_STATUS_LISTS lists. Lists stay compressed
 * until they are first looked at.
 */
#pragma once

#include "cred/status_list.h"
#include "fed/configuration.h"

enum dir_state { DIR_RECOGNISED = 1, DIR_UNRECOGNISED, DIR_SUSPENDED };

enum {
    DIR_E_UNKNOWN = 1, /* no such space, or no such list */
    DIR_E_OLDER,       /* what is there has a greater iat */
    DIR_E_FULL,        /* LIMIT_PEERS spaces are there */
    DIR_E_FOREIGN,     /* not a list that its issuer's configuration names */
};

struct directory;

int directory_new(struct directory **out);
void directory_free(struct directory *d); /* nobody may be reading any more */
DEFINE_CLEANUP(struct directory *, directory_free)

/* A space, with what the hot path needs of it: kids beside keys. */
struct dir_issuer {
    char id[LIMIT_ENTITY_ID + 1];
    char name[LIMIT_NAME + 1];
    char country[3];
    bool has_position;
    double lat, lon;
    enum dir_state state;
    bool conflict;
    int64_t config_iat, config_exp;
    int64_t checked; /* when its configuration was last confirmed at its origin */
    size_t n_pass, n_federation;
    struct key pass[LIMIT_KEYS_PER_ENTITY], federation[LIMIT_KEYS_PER_ENTITY];
    char pass_kid[LIMIT_KEYS_PER_ENTITY][THUMBPRINT_LEN + 1];
    char federation_kid[LIMIT_KEYS_PER_ENTITY][THUMBPRINT_LEN + 1];
    unsigned status_lists; /* how many the configuration names */
};

/*
 * Puts a verified configuration; DIR_E_OLDER if a newer iat is there, DIR_E_FULL. `checked` as
 * above. The space's status lists stay, but those that are no longer named go; and all go when a
 * pass key is gone, since it may have signed them: what a stolen key said must not outlive it.
 */
int directory_put(struct directory *d, const struct configuration *c, enum dir_state state,
                  int64_t checked);

/* With its status lists. DIR_E_UNKNOWN. */
int directory_remove(struct directory *d, const char *id);
int directory_touch(struct directory *d, const char *id, int64_t checked); /* DIR_E_UNKNOWN */

/*
 * Puts a status list whose signature by a pass key of its issuer the caller has checked. On 0 its
 * members move into the directory and *list is emptied; else it stays the caller's.
 * The issuer is whose id the uri begins with: DIR_E_UNKNOWN if there is none such, DIR_E_FOREIGN if
 * the uri is not "<id>/status/<n>" as its configuration names, or .iss is another; DIR_E_OLDER.
 */
int directory_put_status(struct directory *d, struct status_list *list, int64_t checked);
int directory_touch_status(struct directory *d, const char *uri,
                           int64_t checked); /* DIR_E_UNKNOWN */

/* Borrowed under the read lock: between directory_read() and directory_done(). */
void directory_read(struct directory *d);
void directory_done(struct directory *d);
const struct dir_issuer *directory_find(struct directory *d, const char *id); /* NULL if unknown */

/* The i-th space in the order of ids, NULL beyond the last: for going through all under one lock.
 */
const struct dir_issuer *directory_at(struct directory *d, size_t i);

struct dir_status {
    const struct status_list *list; /* ready for status_list_get() */
    int64_t checked;                /* when it was last confirmed fresh at its origin */
};
/* DIR_E_UNKNOWN if we hold no such list; -ENOMEM. */
int directory_status(struct directory *d, const char *uri, struct dir_status *out);

size_t directory_count(struct directory *d); /* of spaces; needs no lock */
