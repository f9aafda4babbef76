/*
 * The directory in memory: which spaces we recognise, their keys, their status lists. Shared by all
 * threads; readers take one read lock and nothing else. On disk it is the store's records.
 *
 * Entries are immutable once put; a new version replaces the pointer, the old one lives until its
 * last reader lets go (reference count).
 */
#pragma once

#include "cred/status_list.h"
#include "fed/configuration.h"

enum dir_state { DIR_RECOGNISED = 1, DIR_UNRECOGNISED, DIR_SUSPENDED };

enum { DIR_E_UNKNOWN = 1, DIR_E_OLDER, DIR_E_FULL };

struct directory;

int directory_new(struct directory **out);
void directory_free(struct directory *d);

/* A signing key of a space, with what the hot path needs of it. */
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
};

/* Puts a verified configuration; DIR_E_OLDER if a newer iat is there. `checked` as above. */
int directory_put(struct directory *d, const struct configuration *c, enum dir_state state,
                  int64_t checked);
int directory_remove(struct directory *d, const char *id);
int directory_touch(struct directory *d, const char *id, int64_t checked);

/* Puts a verified status list (its members move into the directory; *list is emptied). */
int directory_put_status(struct directory *d, struct status_list *list, int64_t checked);
int directory_touch_status(struct directory *d, const char *uri, int64_t checked);

/* Borrowed under the read lock: between directory_read() and directory_done(). */
void directory_read(struct directory *d);
void directory_done(struct directory *d);
const struct dir_issuer *directory_find(struct directory *d, const char *id); /* NULL if unknown */

struct dir_status {
    const struct status_list *list;
    int64_t checked; /* when it was last confirmed fresh at its origin */
};
/* DIR_E_UNKNOWN if we hold no such list. */
int directory_status(struct directory *d, const char *uri, struct dir_status *out);

size_t directory_count(struct directory *d);
