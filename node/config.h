/*
 * The few settings that must exist before any database: DIR/comity.ini, read with libinih, checked,
 * then constant. Unknown sections and names are errors that name the line.
 *
 *   [node]
 *   listen = 127.0.0.1:8441          HTTPS; repeatable; [::]:443 for IPv6
 *   plain = 127.0.0.1:8080           plain HTTP behind a proxy: loopback or unix:/path only;
 * optional trusted_proxies = 127.0.0.1/32   CIDRs whose X-Forwarded-For is believed; comma
 * separated allow_private = 10.1.0.0/16      co-hosted nodes that may be fetched from; comma
 * separated trial = yes                      loopback peers and tls_ca allowed tls_ca =
 * /path/ca.pem            trial only loops = 2                        HTTP threads; default:
 * processors, at most 8 status_poll = 5                  seconds between looks at a peer's status
 * list [space lisbon.localhost:8441] tls_cert = /path/cert.pem tls_key = /path/key.pem
 */
#pragma once

#include "base/err.h"
#include "base/limits.h"
#include "base/str.h"

#define CONFIG_LISTEN_MAX 8
#define CONFIG_CIDR_MAX 32
#define CONFIG_STATUS_POLL 5
#define CONFIG_FILE_MAX ((size_t)64 * 1024) /* bytes of comity.ini */

struct cidr {
    int family; /* AF_INET, AF_INET6 */
    uint8_t address[16];
    unsigned bits;
};

struct config_space {
    char authority[LIMIT_ENTITY_ID + 1];
    char tls_cert[512], tls_key[512]; /* "" if served behind a proxy only */
};

struct config {
    char listen[CONFIG_LISTEN_MAX][128];
    size_t n_listen;
    char plain[CONFIG_LISTEN_MAX][128];
    size_t n_plain;
    struct cidr trusted_proxies[CONFIG_CIDR_MAX], allow_private[CONFIG_CIDR_MAX];
    size_t n_trusted_proxies, n_allow_private;
    bool trial;
    char tls_ca[512];
    unsigned loops;
    unsigned status_poll;
    struct config_space *spaces; /* owned */
    size_t n_spaces;
};

enum { CONFIG_E_INVALID = 1 };

/* CONFIG_E_INVALID: err names file, line and what the line must be; -errno: it cannot be read. */
int config_read(const char *path, struct config **out, struct err *err);

/* What nobody could connect to. CONFIG_E_INVALID: there is no listener, or a space has neither a
 * certificate nor a proxy before it. A node serves the rest all the same. */
int config_check_reach(const struct config *c, struct err *err);

/* Settings of `now` that differ from those a node runs with and that only a restart takes up:
 * "listen, plain"; "" if there are none. */
#define CONFIG_NAMES 128
void config_need_restart(const struct config *running, const struct config *now,
                         char out[static CONFIG_NAMES]);

void config_free(struct config *c);
DEFINE_CLEANUP(struct config *, config_free)

/* The same of a text that would stand in that file. */
int config_parse(const char *path, struct str text, struct config **out, struct err *err);

/* "127.0.0.1:8441", "[::]:443" or "unix:/path". */
bool config_address_ok(struct str address, bool *loopback);

/* Writes a new file (exclusively), or adds a space's section to one, atomically. A line
 * has at most 197 bytes (libinih's bound), so a path has at most 180: CONFIG_E_INVALID, as for what
 * config_read() would not take: what is written can be read back. */
int config_create(const char *path, const struct config *c, struct err *err);
/* Whether config_add_space() would find anything wrong with s, or with the file as it would be. */
int config_may_add_space(const char *path, const struct config_space *s, struct err *err);
int config_add_space(const char *path, const struct config_space *s, struct err *err);

/* "10.1.0.0/16" or one address. -EINVAL, also if bits after the prefix are set. */
int cidr_parse(struct str text, struct cidr *out);
bool cidr_contains(const struct cidr *c, int family, const uint8_t address[static 16]);
