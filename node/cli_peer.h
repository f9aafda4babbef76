/*
 * Peers, for the verbs that need one refreshed.
 */
#pragma once

#include "cli.h"

/* Fetches a peer's configuration and status lists now, and keeps what is good. Blocks for as long
 * as the fetches may take, or until c->fetch_until. -ECANCELED: the node stops; APP_E_UPSTREAM and
 * what app/peer.h says; c->err says what was wrong. */
int peer_refresh_now(struct verb_call *c, const char *id);
