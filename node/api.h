/*
 * The node's surfaces: one file each, api_*.c; request in, use case called, answer out.
 */
#pragma once

#include "httpd.h"

#define API_DESK_BODY (16 * 1024) /* a presentation as QR text, and what goes with it */

void api_configuration(struct http_request *r); /* GET /.well-known/openid-federation */
void api_issuer(struct http_request *r);        /* GET /.well-known/jwt-vc-issuer */
void api_status(struct http_request *r);        /* GET /status/<n> */
void api_health(struct http_request *r);        /* GET /healthz */
void api_pass_page(struct http_request *r);     /* GET /p */
void api_pass_style(struct http_request *r);    /* GET /p.css */
void api_pass_script(struct http_request *r);   /* GET /p.js */
void api_stamps(struct http_request *r);        /* POST /node/v1/stamps */
void api_verify(struct http_request *r);        /* POST /api/v1/verify */
void api_check_in(struct http_request *r);      /* POST /api/v1/checkin */
void api_check_out(struct http_request *r);     /* POST /api/v1/checkout */

/*
 * A write on its way: from the handler through the writer's thread back to the loop, where the
 * request is answered if its client is still there. Embedded first in a struct of the surface's
 * own, which has the use case's job in it, too.
 */
struct api_write {
    const struct api_kind *kind;
    struct http_deferred *deferred; /* this and the rest are api_write.c's */
    struct loop_task task;
    int result;
};
struct api_kind {
    size_t size; /* of the surface's struct */
    size_t job;  /* offset of the use case's struct app_job in it */
    void (*answer)(struct http_request *r, struct api_write *w, int result);
    void (*clear)(struct api_write *w); /* what the use case holds */
};
/* All zero but for what is ours; NULL: no memory, and the request is answered. */
void *api_write_new(struct http_request *r, const struct api_kind *kind);
void api_write_free(struct api_write *w); /* of one that was not submitted */
DEFINE_CLEANUP(struct api_write *, api_write_free)

/* Takes w over, and answers r now or later. */
void api_submit(struct http_request *r, struct api_write *w);

/* The body as a JSON object, owned; NULL: it is none, and the request is answered (400). */
struct json *api_body(struct http_request *r);
/* Answers 400: what is wrong with the body. */
void api_invalid(struct http_request *r, const char *fmt, ...) _printf_(2, 3);
