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
int state_create(const char *dir, struct err *err); /* 0700 */
int state_open(const char *dir, struct state *out, struct err *err); /* no lock yet */
int state_lock(struct state *s, struct err *err);
void state_close(struct state *s);

/* Joins DIR and a relative name into out; -ENAMETOOLONG. */
int state_path(const struct state *s, const char *name, char out[static 512]);
int state_space_path(const struct state *s, const char *authority, const char *name,
                     char out[static 512]);
