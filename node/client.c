#include "client.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>

static void set_v6(const uint8_t address[static 16], struct client *out)
{
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};

    *out = (struct client){.family = AF_INET6};
    if (memcmp(address, mapped, sizeof(mapped)) == 0) { /* RFC 4291 section 2.5.5.2 */
        out->family = AF_INET;
        memcpy(out->bytes, address + 12, 4);
    } else {
        memcpy(out->bytes, address, 16);
    }
}

/* Without brackets and port. */
static struct str bare(struct str t)
{
    const char *end;

    if (t.n && t.p[0] == '[') {
        end = memchr(t.p, ']', t.n);
        return end ? (struct str){t.p + 1, (size_t)(end - t.p) - 1} : t;
    }
    end = memchr(t.p, ':', t.n);
    if (end && !memchr(end + 1, ':', t.n - (size_t)(end + 1 - t.p)))
        t.n = (size_t)(end - t.p);
    return t;
}

int client_parse(struct str text, struct client *out)
{
    char z[CLIENT_TEXT];
    uint8_t address[16];

    if (text.n == 0 || str_copy(z, sizeof(z), bare(text)))
        return -EINVAL;
    if (inet_pton(AF_INET, z, address) == 1) {
        *out = (struct client){.family = AF_INET};
        memcpy(out->bytes, address, 4);
        return 0;
    }
    if (inet_pton(AF_INET6, z, address) != 1)
        return -EINVAL;
    set_v6(address, out);
    return 0;
}

void client_from_socket(const struct sockaddr_storage *sa, struct client *out)
{
    if (sa->ss_family == AF_INET) {
        *out = (struct client){.family = AF_INET};
        memcpy(out->bytes, &((const struct sockaddr_in *)sa)->sin_addr, 4);
    } else if (sa->ss_family == AF_INET6) {
        set_v6(((const struct sockaddr_in6 *)sa)->sin6_addr.s6_addr, out);
    } else {
        *out = (struct client){.family = AF_UNIX};
    }
}

void client_text(const struct client *c, char out[static CLIENT_TEXT])
{
    if (c->family == AF_UNIX || !inet_ntop(c->family, c->bytes, out, CLIENT_TEXT))
        snprintf(out, CLIENT_TEXT, "unix");
}

bool client_same(const struct client *a, const struct client *b)
{
    return a->family == b->family && memcmp(a->bytes, b->bytes, 8) == 0;
}

bool client_trusted(const struct client *c, const struct cidr *trusted, size_t n)
{
    if (c->family == AF_UNIX)
        return true; /* the socket's permissions say who may connect */
    for (size_t i = 0; i < n; i++)
        if (cidr_contains(&trusted[i], c->family, c->bytes))
            return true;
    return false;
}

/* Walks one list from its right end. True once the answer is known. */
static bool walk_list(struct str list, const struct cidr *trusted, size_t n, struct client *c)
{
    while (list.n) {
        size_t from = list.n;
        struct client hop;

        while (from > 0 && list.p[from - 1] != ',')
            from--;
        if (client_parse(str_trim((struct str){list.p + from, list.n - from}), &hop))
            return true; /* not an address: whoever wrote it is the last one known */
        *c = hop;
        if (!client_trusted(c, trusted, n))
            return true;
        list.n = from ? from - 1 : 0;
    }
    return false;
}

void client_forwarded(const struct http_header *headers, size_t n_headers,
                      const struct cidr *trusted, size_t n_trusted, struct client *c)
{
    for (size_t i = n_headers; i-- > 0;)
        if (str_eq(headers[i].name, STR("x-forwarded-for")) &&
            walk_list(headers[i].value, trusted, n_trusted, c))
            return;
}

unsigned throttle_failed(struct throttle *t, const struct client *who, uint64_t now_ms)
{
    size_t at = 0;
    uint64_t age;

    for (size_t i = 0; i < THROTTLE_CLIENTS; i++) {
        if (t->entries[i].failures && client_same(&t->entries[i].who, who)) {
            at = i;
            break;
        }
        if (t->entries[i].since_ms < t->entries[at].since_ms)
            at = i;
    }
    age = now_ms - t->entries[at].since_ms;
    if (!t->entries[at].failures || !client_same(&t->entries[at].who, who) ||
        age >= THROTTLE_WINDOW_MS) {
        t->entries[at].who = *who;
        t->entries[at].since_ms = now_ms;
        t->entries[at].failures = 1;
        return 0;
    }
    if (t->entries[at].failures < THROTTLE_FAILURES) {
        t->entries[at].failures++;
        return 0;
    }
    return (unsigned)((THROTTLE_WINDOW_MS - age) / 1000 + 1);
}
