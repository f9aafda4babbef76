/*
 * The state folder and its lock:
 *   DIR/comity.ini  DIR/lock  DIR/comity.sock  DIR/directory.db
 *   DIR/spaces/<host[:port]>/{space.db,federation.key,pass.key,counters}
 */
#pragma once

#include "base/err.h"
#include "base/limits.h"

#define STATE_PATH_MAX 400

struct state {
    char dir[STATE_PATH_MAX];
    int lock; /* fd, -1 if not held */
};

enum { STATE_E_LOCKED = 1 /* a node, or another verb, works here */, STATE_E_ABSENT };

/* $COMITY_STATE, else /var/lib/comity if it exists and is ours, else $XDG_STATE_HOME/comity. */
int state_default(char out[static STATE_PATH_MAX]);
/* Makes the folder, 0700, and its parents; an empty one may be there. -EEXIST: it holds something.
 * *out is that state, without a lock and without comity.ini yet. */
int state_create(const char *dir, struct state *out, struct err *err);
/* No lock yet. STATE_E_ABSENT: no comity.ini in it. -EPERM: others may write there. */
int state_open(const char *dir, struct state *out, struct err *err);
int state_lock(struct state *s, struct err *err); /* STATE_E_LOCKED */
void state_close(struct state *s);

/* Joins DIR and a relative name into out; -ENAMETOOLONG. */
int state_path(const struct state *s, const char *name, char out[static 512]);
int state_space_path(const struct state *s, const char *authority, const char *name,
                     char out[static 512]);

/* The folder of a new space, 0700: spaces/<host[:port]>. -EEXIST if it is there. */
int state_create_space(const struct state *s, const char *authority, struct err *err);

/* What was half made: the whole state, or one space's folder. 0 or the first -errno. */
int state_remove(const struct state *s);
int state_remove_space(const struct state *s, const char *authority);
