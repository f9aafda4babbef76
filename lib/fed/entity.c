#include "fed/entity.h"

#include <assert.h>

#define SCHEME "https://"
#define SCHEME_LEN (sizeof(SCHEME) - 1)
#define LABEL_MAX 63
#define HTTPS_PORT 443

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_ldh(char c)
{
    return is_digit(c) || (c >= 'a' && c <= 'z') || c == '-';
}

static int invalid(struct err *err, struct str typed, const char *why)
{
    int shown = typed.n > LIMIT_ENTITY_ID ? LIMIT_ENTITY_ID : (int)typed.n;

    err_set(err, ENTITY_E_INVALID, "\"%.*s\" is not the address of a space: %s", shown,
            typed.p ? typed.p : "", why);
    return err_next(err, ENTITY_E_INVALID,
                    "write it as https://host or https://host:port, without a path");
}

/* WHATWG URL, "ends in a number": whatever does so is parsed as an IPv4 address, also in octal,
 * hexadecimal and with fewer than four parts. */
static bool is_number(struct str label)
{
    if (label.n >= 2 && label.p[0] == '0' && label.p[1] == 'x') {
        for (size_t i = 2; i < label.n; i++) {
            if (!is_digit(label.p[i]) && (label.p[i] < 'a' || label.p[i] > 'f'))
                return false;
        }
        return true;
    }
    for (size_t i = 0; i < label.n; i++) {
        if (!is_digit(label.p[i]))
            return false;
    }
    return label.n > 0;
}

/* One label, already lower case: RFC 1123 section 2.1, RFC 1035 section 2.3.4. NULL if it is one.
 */
static const char *label_fault(struct str label)
{
    if (label.n == 0)
        return "a part of the host name is empty";
    if (label.n > LABEL_MAX)
        return "a part of the host name is longer than 63 characters";
    for (size_t i = 0; i < label.n; i++) {
        if ((unsigned char)label.p[i] >= 0x80)
            return "the host name has letters beyond a to z; write their xn-- form";
        if (!is_ldh(label.p[i]))
            return "the host name has characters other than letters, digits and '-'";
    }
    if (label.p[0] == '-' || label.p[label.n - 1] == '-')
        return "a part of the host name begins or ends with '-'";
    return NULL;
}

static const char *host_fault(struct str host)
{
    struct str label, rest = host;
    bool dots = false, more = true;

    if (host.n == 0)
        return "the host name is missing";
    while (more) {
        more = str_cut(rest, '.', &label, &rest);
        dots = dots || more;
        const char *fault = label_fault(label);
        if (fault)
            return fault;
    }
    if (is_number(label))
        return "it names an IP address, not a host";
    if (!dots && !str_eqz(host, "localhost"))
        return "the host name has no dot";
    return NULL;
}

/* The authority, lower case, split where its port begins. NULL if both parts are sound. */
static const char *authority_fault(struct str authority, struct str *host, int64_t *port)
{
    struct str digits;

    if (memchr(authority.p, '@', authority.n))
        return "it holds a user name";
    if (memchr(authority.p, '[', authority.n))
        return "it names an IP address, not a host";
    *port = HTTPS_PORT;
    if (str_cut(authority, ':', host, &digits) && str_to_int(digits, 1, 65535, port) != 0)
        return "the port is not a number from 1 to 65535";
    return host_fault(*host);
}

int entity_canonical(struct str typed, char out[static LIMIT_ENTITY_ID + 1], struct err *err)
{
    /* Room for what the canonical form drops: ":443" and '/'. */
    char text[LIMIT_ENTITY_ID + 6];
    struct str trimmed = str_trim(typed), rest, host;
    const char *fault;
    int64_t port;

    if (trimmed.n == 0)
        return invalid(err, trimmed, "it is empty");
    if (trimmed.n >= sizeof(text))
        return invalid(err, trimmed, "it is longer than 255 characters");
    if (!str_is_printable(trimmed))
        return invalid(err, STR("..."), "it holds characters that cannot be shown");
    for (size_t i = 0; i < trimmed.n; i++)
        text[i] = lower(trimmed.p[i]);
    rest = (struct str){text, trimmed.n};
    if (!str_starts(rest, STR(SCHEME)))
        return invalid(err, trimmed, "it does not begin with https://");
    rest.p += SCHEME_LEN;
    rest.n -= SCHEME_LEN;
    if (rest.n > 0 && rest.p[rest.n - 1] == '/')
        rest.n--;
    if (memchr(rest.p, '/', rest.n) || memchr(rest.p, '?', rest.n) || memchr(rest.p, '#', rest.n))
        return invalid(err, trimmed, "it has a path, a query or a fragment");
    fault = authority_fault(rest, &host, &port);
    if (fault)
        return invalid(err, trimmed, fault);
    if (port == HTTPS_PORT)
        rest = host;
    if (SCHEME_LEN + rest.n > LIMIT_ENTITY_ID)
        return invalid(err, trimmed, "it is longer than 255 characters");
    memcpy(out, SCHEME, SCHEME_LEN);
    memcpy(out + SCHEME_LEN, rest.p, rest.n);
    out[SCHEME_LEN + rest.n] = '\0';
    return 0;
}

bool entity_is_canonical(struct str id)
{
    char canonical[LIMIT_ENTITY_ID + 1];

    return entity_canonical(id, canonical, NULL) == 0 && str_eqz(id, canonical);
}

struct str entity_authority(const char *id)
{
    assert(strncmp(id, SCHEME, SCHEME_LEN) == 0);
    return str_of(id + SCHEME_LEN);
}

struct str entity_hostname(const char *id)
{
    struct str host, port;

    str_cut(entity_authority(id), ':', &host, &port);
    return host;
}

unsigned entity_port(const char *id)
{
    struct str host, digits;
    int64_t port = HTTPS_PORT;

    if (str_cut(entity_authority(id), ':', &host, &digits)) {
        int r = str_to_int(digits, 1, 65535, &port);
        assert(r == 0);
        (void)r;
    }
    return (unsigned)port;
}

bool entity_is_local(const char *id)
{
    struct str host = entity_hostname(id);

    return str_eqz(host, "localhost") || str_ends(host, STR(".localhost"));
}
