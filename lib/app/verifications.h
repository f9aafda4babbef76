/*
 * What `verify` promised to `checkin`: the presented text, kept for 10 minutes under a "ver_" id
 * for the desk that asked, so that checking in after looking is not a replay. Bounded: the oldest
 * go first, and what is over is given back: by whoever comes next, or by verifications_prune().
 */
#pragma once

#include "app/space.h"

#define VERIFICATION_ID_MAX 31

int verifications_new(size_t max, struct verifications **out);
void verifications_free(struct verifications *v);

int verifications_put(struct verifications *v, const char *id, const char *desk, struct str token,
                      int64_t seen_at);
void verifications_prune(struct verifications *v, int64_t now);
size_t verifications_count(struct verifications *v); /* how many texts are held */
/* Copies the text. APP_E_ABSENT: unknown, another desk's, or over. */
int verifications_get(struct verifications *v, const char *id, const char *desk, int64_t now,
                      struct buf *token, int64_t *seen_at);
