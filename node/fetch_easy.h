/*
 * One transfer of libcurl under the rules of fetch.h: shared by the blocking and the looped form,
 * private to node/fetch*.
 */
#pragma once

#include <curl/curl.h>

#include "base/limits.h"
#include "fetch.h"

#define FETCH_DETAIL_MAX 4096 /* of a body that came with another status than 200 */

struct fetch_easy {
    CURL *curl;
    struct curl_slist *headers, *resolve;
    const struct fetch_rules *rules; /* borrowed */
    char host[LIMIT_ENTITY_ID + 1];
    char accept[80]; /* "" if any */
    bool conditional;
    size_t max, header_bytes;
    struct buf body;
    /* why a callback stopped the transfer */
    bool too_long, enough, no_memory;
    /* what became of the addresses */
    unsigned tried, refused;
    const char *refused_why;
    char refused_address[46];
    char words[CURL_ERROR_SIZE];
};

/* Once for the process, before the first of the others. 0 or -ENOMEM. */
int fetch_global(void);

/* FETCH_E_URL or -ENOMEM: err says why. *out is owned; its address is what libcurl's callbacks
 * know.
 */
int fetch_easy_new(const struct fetch_rules *rules, const struct fetch_request *req,
                   struct fetch_easy **out, struct err *err);
void fetch_easy_free(struct fetch_easy *e);
DEFINE_CLEANUP(struct fetch_easy *, fetch_easy_free)

/* Judges a transfer that ended with `code`; moves the body into *r, which is overwritten. */
void fetch_easy_judge(struct fetch_easy *e, CURLcode code, struct fetch_result *r);
