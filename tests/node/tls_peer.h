/*
 * A small HTTPS server in threads of the test itself, on loopback, whose answers are made of what a
 * fetch must cope with. Its certificate is for "good.localhost" alone.
 *
 *   /ok         200, application/json, ETag "v1"; If-None-Match "v1": 304
 *   /post       200, the request's headers and body as the answer
 *   /redirect   302 to https://good.localhost/ok
 *   /problem    422 with a problem document; /problem/long with 2 MB of it
 *   /exact      200 and 100 bytes
 *   /endless    200 without a length and without an end
 *   /liar       200, Content-Length 10, and more than 10 bytes
 *   /cut        200, Content-Length 100, 10 bytes and the end
 *   /drip       200, a byte each 100 ms, without an end
 *   /silent     nothing
 *   /headers    an endless header; /interim: "103" without an end
 *   /garbage    no HTTP
 *   /empty      closes at once
 *
 * And what nodes ask each other for; here the mode says whether they get it.
 *   /.well-known/openid-federation   "configuration", ETag "c1"
 *   /status/0, /status/1             "status", ETag "s1"
 *   /node/v1/stamps                  the results
 */
#pragma once

#include <stdatomic.h>

struct tls_peer {
    char ca[256]; /* path of its certificate, which is its own issuer */
    unsigned port;
    atomic_uint connections, requests;
    atomic_uint mode; /* enum tls_peer_mode */
};

/* Fine; 503 to all of it; no answer until the mode is another one. */
enum tls_peer_mode { PEER_FINE = 0, PEER_ILL, PEER_HANGING };

struct tls_peer *tls_peer_start(void); /* fails the process if it cannot */
void tls_peer_stop(struct tls_peer *p);
