/*
 * DIR/comity.sock (0600, same user only): a verb's request in, its reply out; each a 4-byte
 * big-endian length and JSON {"verb","space","request"} -> {"result","reply","text","next"}. One
 * thread serves one caller at a time. Bounded at 4 MiB (imports), and at 30 s for each way.
 */
#pragma once

#include "state.h"
#include "verb.h"

struct control;

/* In the node, which holds the lock of the state. base->thread is the control thread's own; base is
 * borrowed until control_stop(). */
int control_start(const struct state *state, struct verb_call *base, struct control **out,
                  struct err *err);
/* Breaks off what a verb fetches (call->stop), waits for the verb, and frees. */
void control_stop(struct control *c);

/* In a verb: connects; -ENOENT or -ECONNREFUSED if no node runs. *result is what the verb's run()
 * gave; *reply is owned, NULL if there is none; err holds what run() said. */
int control_call(const struct state *state, const struct verb *verb, const char *space,
                 const struct json *request, int *result, struct json **reply, struct err *err);
