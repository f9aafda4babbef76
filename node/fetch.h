/*
 * Fetching from other nodes, under rules: https only, no redirects, no proxy from the environment,
 * 10 s in all, sizes counted in the write callback, every address checked when the socket is opened
 * (so that a name cannot resolve into a private range), TLS verified. The only room of libcurl.
 */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "config.h"

enum {
    FETCH_E_ADDRESS = 1, /* resolves to an address that may not be fetched from */
    FETCH_E_URL,         /* not https, or userinfo, or an IP literal */
    FETCH_E_CONNECT,     /* no such name, refused, unreachable */
    FETCH_E_TLS,         /* certificate or handshake */
    FETCH_E_TIME,        /* not done in time */
    FETCH_E_SIZE,        /* more bytes than the bound */
    FETCH_E_REDIRECT,    /* answered with a redirect */
    FETCH_E_STATUS,      /* another status than 200 or 304; .status says which */
    FETCH_E_TYPE,        /* not the wanted content type */
    FETCH_E_PROTOCOL,    /* not HTTP */
};

struct fetch_rules {
    bool trial; /* *.localhost is loopback, tls_ca is trusted */
    char tls_ca[512];
    const struct cidr *allow_private; /* borrowed */
    size_t n_allow_private;
    long timeout_ms; /* of a whole fetch; 0: LIMIT_FETCH_TIME. At most half of it for connecting */
};

/*
 * Whether an address of `host` may be connected to; if not, *why (static) says what range it is in.
 * address: 4 bytes for AF_INET, 16 for AF_INET6. The allow-list opens private ranges, never
 * loopback, link-local or multicast ones; loopback is for trials and names that end in "localhost".
 */
bool fetch_address_allowed(const struct fetch_rules *rules, const char *host, int family,
                           const uint8_t address[static 16], const char **why);

struct fetch_request {
    const char *url;
    const char *accept; /* wanted content type, NULL: any */
    const char *etag;   /* If-None-Match, or NULL */
    size_t max;         /* bytes of body, from 1 */
    /* POST: */
    const char *content_type; /* NULL: GET */
    struct str body;          /* copied */
    const char *content_digest, *signature_input, *signature;
};

/* After 0 the status is 200, or 304 to a request with an etag. After FETCH_E_STATUS the body is the
 * beginning of what was sent with that status: a problem, maybe. */
struct fetch_result {
    int result;      /* 0, FETCH_E_* or -errno */
    int status;      /* HTTP, 0 if none */
    struct buf body; /* owned */
    char etag[80];   /* "" if none, or one that is too long to keep */
    struct err err;  /* what happened, for people */
};
void fetch_result_clear(struct fetch_result *r);

/* Blocking, for verbs: -> r->result. -ECANCELED: stop_fd became readable (an eventfd; -1: there is
 * none), which ends it at once. */
int fetch_now(const struct fetch_rules *rules, const struct fetch_request *req, int stop_fd,
              struct fetch_result *r);

/*
 * On a loop (the network thread): at most LIMIT_FETCH_PARALLEL at once, the rest wait in order, up
 * to FETCH_QUEUE of them. Connections are kept and used again.
 */
#define FETCH_QUEUE 1024
struct loop;
struct fetcher;
int fetcher_new(struct loop *loop, const struct fetch_rules *rules, struct fetcher **out);
void fetcher_free(struct fetcher *f); /* cancels all; no callback is called any more */

/* Copies what it needs of req. After 0 done() is called exactly once, from the loop and never from
 * inside this call; *r is cleared after it, unless done() took the body (and left it empty). A URL
 * that may not be fetched is told by done() too. -EAGAIN: too many wait; -ENOMEM. The fetcher must
 * not be freed inside done(). */
int fetcher_start(struct fetcher *f, const struct fetch_request *req,
                  void (*done)(void *arg, struct fetch_result *r), void *arg);
