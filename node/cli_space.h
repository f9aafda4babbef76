/*
 * What `init` and `space add` have in common.
 */
#pragma once

#include "app/space.h"
#include "cli.h"
#include "config.h"

#define SPACE_OPTIONS                                                                              \
    {"--name", OPTION_TEXT}, {"--tls-cert", OPTION_TEXT}, {"--tls-key", OPTION_TEXT},              \
        {"--lat", OPTION_REAL, -90, 90}, {"--lon", OPTION_REAL, -180, 180},                        \
        {"--country", OPTION_TEXT},                                                                \
    {                                                                                              \
        "--timezone", OPTION_TEXT                                                                  \
    }

/* After options_parse(), in the caller's process: canonical URL, whole paths, the zone filled in.
 */
int space_parse(struct json *request, struct err *err);

/* APP_E_INVALID: not acceptable; *.localhost without `trial` is not. */
int space_facts_read(const struct json *request, bool trial, struct space_facts *out,
                     struct err *err);
/* Looks into the certificate and its key too: APP_E_INVALID if a server would not take them. */
int space_config_read(const struct json *request, const char *id, struct config_space *out,
                      struct err *err);

struct json *space_json(const struct space *space); /* owned; NULL: no memory */
void space_show(const struct show *how, const struct json *space);
