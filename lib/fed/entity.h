/*
 * Entity ids, canonical: "https://host" or "https://host:port", lower case, no path, no default
 * port, no userinfo, no IP literal (loopback names end in ".localhost").
 */
#pragma once

#include "base/err.h"
#include "base/limits.h"
#include "base/str.h"

enum { ENTITY_E_INVALID = 1 };

/* Accepts what people type (a trailing '/', upper case, ":443"); writes the canonical id. */
int entity_canonical(struct str typed, char out[static LIMIT_ENTITY_ID + 1], struct err *err);

/* Only the canonical form: for what arrives over the wire. */
bool entity_is_canonical(struct str id);

/* "host" or "host:port": what Host headers, state folders and --space use. Borrowed from id. */
struct str entity_authority(const char *id);
struct str entity_hostname(const char *id); /* without the port */
unsigned entity_port(const char *id);       /* 443 if none is written */
bool entity_is_local(const char *id);       /* localhost or *.localhost */
