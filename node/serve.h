/*
 * The node itself: `comity serve`. It starts the signer process, opens the spaces, makes the
 * threads, and returns when it was told to stop.
 */
#pragma once

#include "config.h"
#include "state.h"

struct node;

/* The state is locked by the caller. 0 after a clean stop; APP_E_*, -errno: err says what it needs.
 */
int serve_run(const struct state *state, const struct config *config, struct err *err);

struct node_reloaded {
    char restart[CONFIG_NAMES]; /* what config_need_restart() says */
    char warning[ERR_TEXT_MAX]; /* what config_check_reach() says, or "" */
};

/* Reads comity.ini and the certificates again, as SIGHUP does. From any thread. A failure leaves
 * everything as it was; err says what is wrong. */
int node_reload(struct node *node, struct node_reloaded *out, struct err *err);
