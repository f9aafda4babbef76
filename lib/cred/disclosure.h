/*
 * The disclosures of an SD-JWT and the digests that a payload embeds for them: RFC 9901 sections
 * 4.2 and 7.1. Only cred/sdjwt.c calls this; everyone else calls that.
 */
#pragma once

#include "cred/sdjwt.h"

/* Reads "<d1>~<d2>~" (empty: none) into d[], which holds LIMIT_DISCLOSURES, with the digest of
 * each. 0, SDJWT_E_MALFORMED, negative errno; *n is set also on failure, for disclosures_clear().
 */
int disclosures_read(struct verifier *v, struct str text, struct sdjwt_disclosure *d, size_t *n,
                     struct err *err);
void disclosures_clear(struct sdjwt_disclosure *d, size_t *n);

/* Finds for each disclosure the one digest that names it, and refuses all that section 7.1 refuses.
 */
int disclosures_match(const struct json *payload, struct sdjwt_disclosure *d, size_t n,
                      struct err *err);

/* The processed payload of matched disclosures, owned; NULL if memory is out. */
struct json *disclosures_apply(const struct json *payload, const struct sdjwt_disclosure *d,
                               size_t n);
