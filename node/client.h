/*
 * Who is at the other end: an address, and the one that a trusted proxy names instead. Pure.
 */
#pragma once

#include "config.h"
#include "http_parse.h"

struct client {
    int family; /* AF_INET, AF_INET6; AF_UNIX: this machine, through a Unix socket */
    uint8_t bytes[16];
};

#define CLIENT_TEXT 46

/* "192.0.2.1", "2001:db8::1", "[2001:db8::1]", and with a port behind. v4-mapped addresses become
 * IPv4. 0 or -EINVAL. */
int client_parse(struct str text, struct client *out);
struct sockaddr_storage;
void client_from_socket(const struct sockaddr_storage *sa, struct client *out);
void client_text(const struct client *c, char out[static CLIENT_TEXT]);

/* The same address, or the same /64 of IPv6, which one customer has. */
bool client_same(const struct client *a, const struct client *b);

bool client_trusted(const struct client *c, const struct cidr *trusted, size_t n);

/* The real client behind a trusted proxy: of all X-Forwarded-For values, read from the right, the
 * first address that is not trusted itself. What stands left of it could be anyone's invention. */
void client_forwarded(const struct http_header *headers, size_t n_headers,
                      const struct cidr *trusted, size_t n_trusted, struct client *c);

/* Failures a minute by client: bounded; the longest ago is forgotten first. */
#define THROTTLE_CLIENTS 256
#define THROTTLE_FAILURES 20
#define THROTTLE_WINDOW_MS 60000
struct throttle {
    struct {
        struct client who;
        uint64_t since_ms;
        unsigned failures;
    } entries[THROTTLE_CLIENTS];
};
/* Counts one failure. Seconds to wait if it was one too many, else 0. */
unsigned throttle_failed(struct throttle *t, const struct client *who, uint64_t now_ms);
