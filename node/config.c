#include "config.h"

#include <errno.h>
#include <ini.h>
#include <sys/socket.h>

#include "base/file.h"
#include "fed/entity.h"

#define LINE_MAX_BYTES 197 /* what libinih reads as one line: its own bound cuts without a word */
#define LOOPS_MAX 8

struct reading {
    struct config *c;
    /* libinih keeps 49 characters of a section's name, and a host may have 255: before it sees the
     * text, sections are numbered; here are their names. Borrowed from the file's text. */
    struct str sections[LIMIT_SPACES + 8];
    size_t n_sections;
    struct err *err;
    int result; /* of the first line that is not acceptable */
};

static int invalid(struct reading *r, const char *name, const char *value, const char *wanted)
{
    return err_set(r->err, CONFIG_E_INVALID, "%.40s = %.80s: this must be %s", name, value, wanted);
}

/* ---- values ---- */

static bool is_loopback(struct str host)
{
    struct cidr here, v4;
    if (host.n >= 2 && host.p[0] == '[' && host.p[host.n - 1] == ']')
        host = (struct str){host.p + 1, host.n - 2};
    if (cidr_parse(host, &here) < 0)
        return false;
    if (here.family == AF_INET6)
        return cidr_parse(STR("::1"), &v4) == 0 && cidr_contains(&v4, AF_INET6, here.address);
    return cidr_parse(STR("127.0.0.0/8"), &v4) == 0 && cidr_contains(&v4, AF_INET, here.address);
}

/* "127.0.0.1:8441", "[::]:443". */
static bool split_address(struct str s, struct str *host, int64_t *port)
{
    size_t colon = s.n;
    while (colon > 0 && s.p[colon - 1] != ':')
        colon--;
    if (colon < 2 || str_to_int((struct str){s.p + colon, s.n - colon}, 1, 65535, port) < 0)
        return false;
    struct cidr address;
    *host = (struct str){s.p, colon - 1};
    struct str bare = *host;
    bool v6 = bare.p[0] == '[' && bare.p[bare.n - 1] == ']';
    if (v6)
        bare = (struct str){bare.p + 1, bare.n - 2};
    if (memchr(bare.p, '/', bare.n) || cidr_parse(bare, &address) < 0)
        return false;
    return (address.family == AF_INET6) == v6;
}

bool config_address_ok(struct str address, bool *loopback)
{
    struct str host;
    int64_t port;
    if (str_starts(address, STR("unix:"))) {
        *loopback = true;
        return address.n > 6 && address.n <= 107 && address.p[5] == '/';
    }
    if (!split_address(address, &host, &port))
        return false;
    *loopback = is_loopback(host);
    return true;
}

static int take_address(struct reading *r, const char *name, const char *value, bool plain)
{
    struct config *c = r->c;
    char(*list)[128] = plain ? c->plain : c->listen;
    size_t *n = plain ? &c->n_plain : &c->n_listen;
    bool loopback;

    if (*n == CONFIG_LISTEN_MAX)
        return err_set(r->err, CONFIG_E_INVALID, "%s: at most %d of them", name, CONFIG_LISTEN_MAX);
    if (!config_address_ok(str_of(value), &loopback))
        return invalid(r, name, value, "an address and port, as 127.0.0.1:8441 or [::]:443");
    if (plain && !loopback)
        return invalid(
            r, name, value,
            "on loopback, or unix:/path: plain HTTP is only for a proxy on this machine");
    if (!plain && str_starts(str_of(value), STR("unix:")))
        return invalid(r, name, value, "an address and port: Unix sockets are for `plain`");
    if (str_copy(list[*n], sizeof(list[*n]), str_of(value)) < 0)
        return invalid(r, name, value, "shorter");
    (*n)++;
    return 0;
}

static int take_cidrs(struct reading *r, const char *name, const char *value, struct cidr *list,
                      size_t *n)
{
    struct str rest = str_of(value), one;
    while (rest.n > 0) {
        str_cut(rest, ',', &one, &rest);
        one = str_trim(one);
        if (*n == CONFIG_CIDR_MAX)
            return err_set(r->err, CONFIG_E_INVALID, "%s: at most %d ranges", name,
                           CONFIG_CIDR_MAX);
        if (cidr_parse(one, &list[*n]) < 0)
            return invalid(r, name, value,
                           "ranges with nothing after the prefix, as 10.1.0.0/16, fd00::/8");
        (*n)++;
    }
    return 0;
}

static int take_path(struct reading *r, const char *name, const char *value, char out[static 512])
{
    if (*value && value[0] != '/')
        return invalid(r, name, value, "a whole path, from /");
    if (str_copy(out, 512, str_of(value)) < 0)
        return invalid(r, name, value, "shorter");
    return 0;
}

static int take_number(struct reading *r, const char *name, const char *value, int64_t max,
                       unsigned *out)
{
    int64_t n;
    if (str_to_int(str_of(value), 1, max, &n) < 0)
        return err_set(r->err, CONFIG_E_INVALID, "%s = %.40s: this must be a number from 1 to %lld",
                       name, value, (long long)max);
    *out = (unsigned)n;
    return 0;
}

static int take_node(struct reading *r, const char *name, const char *value)
{
    struct config *c = r->c;
    if (strcmp(name, "listen") == 0)
        return take_address(r, name, value, false);
    if (strcmp(name, "plain") == 0)
        return take_address(r, name, value, true);
    if (strcmp(name, "trusted_proxies") == 0)
        return take_cidrs(r, name, value, c->trusted_proxies, &c->n_trusted_proxies);
    if (strcmp(name, "allow_private") == 0)
        return take_cidrs(r, name, value, c->allow_private, &c->n_allow_private);
    if (strcmp(name, "tls_ca") == 0)
        return take_path(r, name, value, c->tls_ca);
    if (strcmp(name, "loops") == 0)
        return take_number(r, name, value, LOOPS_MAX, &c->loops);
    if (strcmp(name, "status_poll") == 0)
        return take_number(r, name, value, 86400, &c->status_poll);
    if (strcmp(name, "trial") == 0) {
        if (strcmp(value, "yes") != 0 && strcmp(value, "no") != 0)
            return invalid(r, name, value, "yes or no");
        c->trial = strcmp(value, "yes") == 0;
        return 0;
    }
    return err_set(r->err, CONFIG_E_INVALID, "[node] has no setting %.40s", name);
}

static struct config_space *space_of(struct config *c, struct str authority)
{
    for (size_t i = 0; i < c->n_spaces; i++)
        if (str_eqz(authority, c->spaces[i].authority))
            return &c->spaces[i];
    return NULL;
}

static int take_space(struct reading *r, struct str authority, const char *name, const char *value)
{
    struct config_space *s = space_of(r->c, authority);
    if (strcmp(name, "tls_cert") == 0)
        return take_path(r, name, value, s->tls_cert);
    if (strcmp(name, "tls_key") == 0)
        return take_path(r, name, value, s->tls_key);
    return err_set(r->err, CONFIG_E_INVALID, "[space %.*s] has no setting %.40s",
                   STR_ARG(authority), name);
}

/* libinih calls this for each line "name = value". 0 means that the line is not acceptable. */
static int on_line(void *user, const char *section, const char *name, const char *value)
{
    struct reading *r = user;
    int64_t i;
    struct str space;

    if (r->result != 0)
        return 0;
    if (str_to_int(str_of(section), 0, (int64_t)r->n_sections - 1, &i) < 0)
        r->result = err_set(r->err, CONFIG_E_INVALID, "%.40s stands before any [section]", name);
    else if (str_eqz(r->sections[i], "node"))
        r->result = take_node(r, name, value);
    else if (str_cut(r->sections[i], ' ', &space, &space))
        r->result = take_space(r, space, name, value);
    return r->result == 0;
}

/* ---- the file ---- */

static int add_space(struct reading *r, struct str authority)
{
    struct config *c = r->c;
    char id[LIMIT_ENTITY_ID + 1];

    int n = snprintf(id, sizeof(id), "https://%.*s", STR_ARG(authority));
    if (n < 0 || (size_t)n >= sizeof(id) || !entity_is_canonical(str_of(id)))
        return err_set(r->err, CONFIG_E_INVALID,
                       "[space %.*s]: this must be a host in lower case, as host[:port]",
                       (int)(authority.n < 80 ? authority.n : 80), authority.p);
    if (space_of(c, authority))
        return err_set(r->err, CONFIG_E_INVALID, "[space %.*s] is there twice", STR_ARG(authority));
    if (c->n_spaces == LIMIT_SPACES)
        return err_set(r->err, CONFIG_E_INVALID, "more than %d spaces", LIMIT_SPACES);
    struct config_space *more = realloc(c->spaces, (c->n_spaces + 1) * sizeof(*more));
    if (!more)
        return -ENOMEM;
    c->spaces = more;
    more[c->n_spaces] = (struct config_space){0};
    int e = str_copy(more[c->n_spaces].authority, sizeof(more->authority), authority);
    if (e == 0)
        c->n_spaces++;
    return e;
}

/* "[node]", "[space HOST]": its name goes to r->sections, its number to the text for libinih. */
static int take_section(struct reading *r, struct str line, struct buf *out)
{
    struct str name, after, kind, host;

    if (!str_cut((struct str){line.p + 1, line.n - 1}, ']', &name, &after))
        return err_set(r->err, CONFIG_E_INVALID, "a [section] without its ]");
    after = str_trim(after);
    if (after.n > 0 && after.p[0] != ';' && after.p[0] != '#')
        return err_set(r->err, CONFIG_E_INVALID, "something stands after the [section]");
    if (r->n_sections == ARRAY_SIZE(r->sections))
        return err_set(r->err, CONFIG_E_INVALID, "too many sections");

    bool two = str_cut(name, ' ', &kind, &host);
    if (two && str_eqz(kind, "space")) {
        int e = add_space(r, host);
        if (e != 0)
            return e;
    } else if (!str_eqz(name, "node")) {
        return err_set(r->err, CONFIG_E_INVALID, "[%.*s] is neither [node] nor [space HOST]",
                       (int)(name.n < 80 ? name.n : 80), name.p);
    }
    r->sections[r->n_sections] = name;
    return buf_printf(out, "[%zu]\n", r->n_sections++);
}

static int number_sections(struct reading *r, struct str text, struct buf *out, size_t *line_no)
{
    *line_no = 0;
    while (text.n > 0) {
        struct str line, inner;
        str_cut(text, '\n', &line, &text);
        (*line_no)++;
        if (line.n > LINE_MAX_BYTES)
            return err_set(r->err, CONFIG_E_INVALID, "a line of more than %d bytes",
                           LINE_MAX_BYTES);
        inner = str_trim(line);
        int e = 0;
        /* libinih would take an indented line for more of the value above it. */
        if (inner.n > 0 && inner.p[0] == '[')
            e = take_section(r, inner, out);
        else if (buf_str(out, inner) == 0)
            e = buf_ch(out, '\n');
        if (e != 0)
            return e;
    }
    return buf_error(out);
}

static int read_file(const char *path, struct buf *out, struct err *err)
{
    int r = file_read(path, out);
    if (r == -ENOSPC)
        return err_set(err, CONFIG_E_INVALID, "%s is longer than %zu bytes", path, CONFIG_FILE_MAX);
    return r == 0 ? 0 : err_set(err, r, "%s cannot be read: %s", path, strerror(-r));
}

static unsigned default_loops(void)
{
    long n = sysconf(_SC_NPROCESSORS_ONLN);
    return n < 1 ? 1 : n > LOOPS_MAX ? LOOPS_MAX : (unsigned)n;
}

/* What must hold between settings. */
static int config_check(const struct config *c, struct err *err)
{
    if (c->tls_ca[0] && !c->trial) {
        err_set(err, 0, "tls_ca is set, but this is no trial");
        return err_next(err, CONFIG_E_INVALID,
                        "Remove tls_ca: nodes trust the system's authorities.");
    }
    for (size_t i = 0; i < c->n_spaces; i++) {
        const struct config_space *s = &c->spaces[i];
        if (!s->tls_cert[0] != !s->tls_key[0]) {
            err_set(err, 0, "[space %s] has %s without %s", s->authority,
                    s->tls_cert[0] ? "tls_cert" : "tls_key",
                    s->tls_cert[0] ? "tls_key" : "tls_cert");
            return err_next(err, CONFIG_E_INVALID, "Set both, or neither behind a proxy.");
        }
    }
    return 0;
}

int config_parse(const char *path, struct str text, struct config **out, struct err *err)
{
    _cleanup_(buf_clear) struct buf numbered = {.max = 2 * CONFIG_FILE_MAX};
    _cleanup_(config_freep) struct config *c = calloc(1, sizeof(*c));
    _cleanup_(freep) struct reading *r = calloc(1, sizeof(*r));
    size_t line;

    if (!c || !r)
        return -ENOMEM;
    if (text.n > CONFIG_FILE_MAX)
        return err_set(err, CONFIG_E_INVALID, "%s is longer than %zu bytes", path, CONFIG_FILE_MAX);
    if (!str_is_utf8(text))
        return err_set(err, CONFIG_E_INVALID, "%s is not UTF-8 text", path);
    *r = (struct reading){.c = c, .err = err};
    int e = number_sections(r, text, &numbered, &line);
    if (e == 0 && numbered.n > 0) {
        int bad = ini_parse_string(numbered.p, on_line, r);
        e = r->result;
        if (bad != 0 && e == 0)
            e = err_set(err, CONFIG_E_INVALID, "neither [section] nor name = value");
        line = bad > 0 ? (size_t)bad : 0;
    }
    if (e != 0) {
        err_prefix(err, 0, "%s line %zu", path, line);
        return err_next(err, e, "Correct the line, then run `comity config check`.");
    }
    e = config_check(c, err);
    if (e != 0)
        return err_prefix(err, e, "%s", path);
    if (c->loops == 0)
        c->loops = default_loops();
    if (c->status_poll == 0)
        c->status_poll = CONFIG_STATUS_POLL;
    *out = c;
    c = NULL;
    return 0;
}

int config_read(const char *path, struct config **out, struct err *err)
{
    _cleanup_(buf_clear) struct buf text = {.max = CONFIG_FILE_MAX};
    int r = read_file(path, &text, err);
    return r == 0 ? config_parse(path, buf_as_str(&text), out, err) : r;
}

void config_free(struct config *c)
{
    if (!c)
        return;
    free(c->spaces);
    free(c);
}
