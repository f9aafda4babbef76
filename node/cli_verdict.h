/*
 * A verdict for people, and how a JSON text of lib/app becomes a reply.
 */
#pragma once

#include "cli.h"

void show_verdict(const struct show *how, const struct json *verdict);
int verdict_exit(const struct json *verdict); /* 0, 3, 4 */

/* Parses what lib/app wrote; owned. NULL and c->err if it cannot be. */
struct json *cli_reply(struct verb_call *c, struct str text);
