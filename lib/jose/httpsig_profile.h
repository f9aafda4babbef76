/*
 * What both halves of jose/httpsig.h share. Internal to jose.
 */
#pragma once

#include "jose/httpsig_base.h"

#define HTTPSIG_LABEL "comity"
#define HTTPSIG_TAG "comity"
#define HTTPSIG_REQUIRED 5 /* components */

extern const char *const httpsig_required[HTTPSIG_REQUIRED];

enum key_type httpsig_alg_type(struct str name); /* 0 if unknown */

/* The base of our kind of request. Its content-type is the request's own; other fields are looked
 * up among the headers. As httpsig_write_base(). */
int httpsig_profile_base(const struct httpsig_request *req, const struct httpsig_header *headers,
                         size_t n, const struct sfv_inner_list *covered, struct buf *base);
