/*
 * Stamps (the host's signed receipt for one visit) and receipts (the home's for a stamp).
 * See proto/stamp.md.
 */
#pragma once

#include "base/limits.h"
#include "jose/jws.h"

#define STAMP_TYP "comity-stamp+jwt"
#define RECEIPT_TYP "comity-receipt+jwt"
#define STAMP_ID_MAX 40

enum { STAMP_E_MALFORMED = 1 }; /* err names the claim */

struct stamp {
    char id[STAMP_ID_MAX + 1];             /* jti: the visit's id; unique with iss */
    int64_t revision;                      /* from 1; a correction is the same id, one higher */
    char host[LIMIT_ENTITY_ID + 1];        /* iss */
    char home[LIMIT_ENTITY_ID + 1];        /* aud */
    char sub[65];                          /* the holder at home */
    char status_uri[LIMIT_ENTITY_ID + 65]; /* with status_idx: which pass */
    uint32_t status_idx;
    int64_t iat;
    int64_t checked_in, checked_out; /* checked_out 0 while on site */
    char day[11];                    /* the host's local day, "2026-11-21" */
    char timezone[65];
    char tier[LIMIT_TIER + 1];
    char verdict[8];    /* "admit", or "ask" that staff settled */
    int64_t data_age_s; /* of the revocation data at check-in */
    struct str proof;   /* borrowed: the holder's kb+jwt, empty: "unproven" is true */
    char device[44];    /* thumbprint of the proving key, "" if unproven */
};

struct json *stamp_payload(const struct stamp *s); /* owned; NULL: out of memory */
/* Reads the payload of a parsed token; its signature, and that iss and aud are who they should be,
 * are the caller's to check. `backing` receives the parsed payload that proof borrows from; the
 * caller frees it. STAMP_E_MALFORMED; outputs are only written on 0. */
int stamp_read(const struct jws *token, struct stamp *out, struct json **backing, struct err *err);

struct receipt {
    char home[LIMIT_ENTITY_ID + 1]; /* iss */
    char host[LIMIT_ENTITY_ID + 1]; /* aud */
    char id[STAMP_ID_MAX + 1];
    int64_t revision, iat;
    uint8_t digest[32]; /* SHA-256 of the stamp's signing input: jws_digest() */
};
struct json *receipt_payload(const struct receipt *r);
int receipt_read(const struct jws *token, struct receipt *out, struct err *err);
