/*
 * Entity ids, canonical: "https://host" or "https://host:port", lower case, no path, no default
 * port, no userinfo, no IP literal (loopback names end in ".localhost").
 *
 * A host is a name of letters, digits and hyphens (RFC 1123 section 2.1; others in their A-label
 * form, "xn--..."), with at least one dot, or "localhost"; labels are of 1 to 63 characters. A name
 * whose last label is a number is an IPv4 address to some resolver ("127.1", "0x7f.1",
 * "2130706433"), so none of those is a host here.
 */
#pragma once

#include "base/err.h"
#include "base/limits.h"
#include "base/str.h"

enum { ENTITY_E_INVALID = 1 };

/* Accepts what people type (white space around it, a trailing '/', upper case, ":443"); writes the
 * canonical id. ENTITY_E_INVALID: err says what is wrong with it and how it should look. */
int entity_canonical(struct str typed, char out[static LIMIT_ENTITY_ID + 1], struct err *err);

/* Only the canonical form: for what arrives over the wire. */
bool entity_is_canonical(struct str id);

/* "host" or "host:port": what Host headers, state folders and --space use. Borrowed from id, which
 * must be canonical here and below. */
struct str entity_authority(const char *id);
struct str entity_hostname(const char *id); /* without the port */
unsigned entity_port(const char *id);       /* 443 if none is written */
bool entity_is_local(const char *id);       /* localhost or *.localhost */
