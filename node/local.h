/*
 * The parts that a use case stands on, for verbs that run without a node: the same databases, keys
 * and directory, in this process, under the lock of the state folder.
 */
#pragma once

#include "app/app.h"
#include "config.h"
#include "fetch.h"
#include "state.h"

struct local;

/* Opens every space of the configuration. The state is locked by the caller, and outlives it.
 * APP_E_*, -errno. */
int local_open(const struct state *state, const struct config *config, struct local **out,
               struct err *err);
void local_close(struct local *l);
DEFINE_CLEANUP(struct local *, local_close)

struct app_thread *local_thread(struct local *l);                   /* borrowed */
const struct fetch_rules *local_fetch_rules(const struct local *l); /* borrowed */

/* What the configuration allows to be fetched; borrows its allow_private. */
void fetch_rules_of(const struct config *config, struct fetch_rules *out);

/* directory.db of a state. One that is lost, while there are spaces, is made anew, which is logged:
 * no peer is recognised until each is added again. As store_open(). */
int directory_store_open(const struct state *state, const struct config *config, struct store **out,
                         struct err *err);
