#include "jose/httpsig_base.h"

/* One letter for each part that a derived component is made of. */
static struct str part_of(const struct httpsig_message *m, char letter)
{
    switch (letter) {
    case 'm':
        return m->method;
    case 's':
        return m->scheme;
    case ':':
        return STR("://");
    case 'a':
        return m->authority;
    case 'p': /* section 2.2.6: an empty path is "/" */
        return m->path.n ? m->path : STR("/");
    case 'q': /* with its '?', if there is any */
        return m->query;
    case 'Q': /* section 2.2.7: "?" if there is none */
        return m->query.n ? m->query : STR("?");
    default:
        return m->status;
    }
}

/* Derived components, section 2.2: each the parts that it is made of. */
static const struct derived {
    const char *name, *parts;
    bool of_response;
} derived[] = {
    {"@method", "m", false}, {"@target-uri", "s:apq", false},  {"@authority", "a", false},
    {"@scheme", "s", false}, {"@request-target", "pq", false}, {"@path", "p", false},
    {"@query", "Q", false},  {"@status", "t", true},
};

static int write_derived(const struct httpsig_message *m, struct str name, struct buf *out)
{
    for (size_t i = 0; i < ARRAY_SIZE(derived); i++) {
        if (!str_eqz(name, derived[i].name))
            continue;
        if (derived[i].of_response != (m->status.n > 0))
            return HTTPSIG_E_COVERAGE;
        for (const char *letter = derived[i].parts; *letter; letter++)
            buf_str(out, part_of(m, *letter));
        return 0;
    }
    return HTTPSIG_E_COVERAGE;
}

/* Section 2.1: all lines of the field, each trimmed, joined by a comma and a space. */
static int write_field(const struct httpsig_message *m, struct str name, struct buf *out)
{
    bool found = false;

    if (m->content_type.p && str_eqz(name, "content-type"))
        return buf_str(out, str_trim(m->content_type));
    for (size_t i = 0; i < m->n_headers; i++) {
        if (!str_eq(m->headers[i].name, name))
            continue;
        if (found)
            buf_z(out, ", ");
        buf_str(out, str_trim(m->headers[i].value));
        found = true;
    }
    return found ? 0 : HTTPSIG_E_COVERAGE;
}

static bool is_twice(const struct sfv_inner_list *list, size_t i)
{
    for (size_t k = 0; k < i; k++)
        if (str_eq(list->items[k].value.text, list->items[i].value.text))
            return true;
    return false;
}

/* Section 2.5: a line break within a value would let one component pass for another. */
static bool has_break(const struct buf *b, size_t start)
{
    return b->n > start &&
           (memchr(b->p + start, '\n', b->n - start) || memchr(b->p + start, '\r', b->n - start));
}

static int write_component(const struct httpsig_message *msg, const struct sfv_item *item,
                           struct buf *base)
{
    struct str name = item->value.value;
    size_t start;
    int r;

    if (item->n_params)
        return HTTPSIG_E_COVERAGE;
    buf_str(base, item->value.text);
    buf_z(base, ": ");
    start = base->n;
    r = name.n && name.p[0] == '@' ? write_derived(msg, name, base) : write_field(msg, name, base);
    if (r)
        return r;
    if (has_break(base, start))
        return HTTPSIG_E_MALFORMED;
    return buf_ch(base, '\n');
}

int httpsig_write_base(const struct httpsig_message *msg, const struct sfv_inner_list *covered,
                       struct buf *base)
{
    int r;

    for (size_t i = 0; i < covered->n_items; i++) {
        if (covered->items[i].value.kind != SFV_STRING || is_twice(covered, i))
            return HTTPSIG_E_MALFORMED;
        r = write_component(msg, &covered->items[i], base);
        if (r)
            return r;
    }
    buf_z(base, "\"@signature-params\": ");
    sfv_write_inner_list(covered, base);
    return buf_error(base);
}
