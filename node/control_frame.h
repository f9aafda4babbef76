/*
 * One message on DIR/comity.sock, and its address. For control.c and control_client.c only.
 */
#pragma once

#include "base/json.h"
#include "state.h"

#define CONTROL_BYTES ((size_t)4 << 20)
#define CONTROL_TIME_MS 30000
#define CONTROL_REPLY_TIME_MS 180000 /* a verb that fetches from several nodes, behind another */

extern const struct json_bounds control_bounds;

/* A socket bound or connected to DIR/comity.sock, however long DIR is. -errno. */
int control_bind(const struct state *state);
int control_connect(const struct state *state);
int control_unlink(const struct state *state);

/* Within time_ms in all. -ETIMEDOUT, -ECONNRESET (the other side left), -EMSGSIZE, -EBADMSG,
 * -errno. `stop` is a descriptor whose readability ends the waiting with -ECANCELED; -1 for none.
 */
int control_send(int fd, const struct json *v, int stop, int time_ms);
int control_receive(int fd, struct json **out, int stop, int time_ms);
