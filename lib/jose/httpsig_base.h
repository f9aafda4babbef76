/*
 * The signature base of RFC 9421 section 2, for any message and any covered components but those
 * with parameters. Internal to jose; jose/httpsig.h is our profile of it.
 */
#pragma once

#include "jose/httpsig.h"
#include "jose/sfv.h"

/* A message as its signature sees it. Absent parts are {NULL, 0}. */
struct httpsig_message {
    struct str method, scheme, authority, path;
    struct str query;        /* with its '?' */
    struct str status;       /* of a response; then there are no parts of a request */
    struct str content_type; /* that field's value, if it is not among the headers */
    const struct httpsig_header *headers;
    size_t n_headers;
};

/* Appends the base (section 2.5) for what `covered` lists, the @signature-params line last.
 * 0; HTTPSIG_E_MALFORMED for a component twice or one that is no string; HTTPSIG_E_COVERAGE for one
 * that the message does not have, or that has parameters. */
int httpsig_write_base(const struct httpsig_message *msg, const struct sfv_inner_list *covered,
                       struct buf *base);
