/*
 * DIR/comity.sock (0600, same user only): a verb's request in, its reply out; each a 4-byte big-endian
 * length and JSON {"verb","space","request"} -> {"result","reply","problem":{...}}. One thread serves
 * one caller at a time. Bounded at 4 MiB (imports).
 */
#pragma once

#include "state.h"
#include "verb.h"

struct control;

/* In the node. `thread` is the control thread's own. */
int control_start(const struct state *state, struct verb_call *base, struct control **out,
                  struct err *err);
void control_stop(struct control *c);

/* In a verb: connects; -ENOENT or -ECONNREFUSED if no node runs. */
int control_call(const struct state *state, const struct verb *verb, const char *space,
                 const struct json *request, int *result, struct json **reply, struct err *err);
