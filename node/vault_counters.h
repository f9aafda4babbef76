/*
 * The iat counters of a space, one for each document that is published in versions: no two versions
 * of one document ever carry the same iat, also across crashes and when the clock goes back.
 * Private to node/vault*.
 */
#pragma once

#include <stdint.h>

#include "base/err.h"

struct counters;

/* A new file without counters, for a new space. -EEXIST. */
int counters_create(const char *path, struct err *err);

/* -ENOENT; -EBADMSG if the file is damaged: to begin anew could repeat an iat. */
int counters_open(const char *path, struct counters **out, struct err *err);
void counters_free(struct counters *c);
DEFINE_CLEANUP(struct counters *, counters_free)

/* *iat = max(now, last + 1) of that document; it is on disk before this returns 0. SIGNER_E_REFUSED:
 * that is later than other spaces' clocks allow (the clock was ahead once); nothing is changed. */
int counters_next(struct counters *c, const char *document, int64_t now, int64_t *iat,
                  struct err *err);
