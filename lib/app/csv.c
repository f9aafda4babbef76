#include "app/csv.h"

void csv_start(struct csv *c, struct str text)
{
    static const struct str mark = STR("\xef\xbb\xbf");
    if (str_starts(text, mark))
        text = (struct str){text.p + mark.n, text.n - mark.n};
    *c = (struct csv){.rest = text, .next_line = 1};
}

void csv_clear(struct csv *c)
{
    buf_clear(&c->text);
}

struct str csv_field(const struct csv *c, size_t i)
{
    if (i >= c->n)
        return (struct str){0};
    size_t end = i + 1 < c->n ? c->at[i + 1] : c->text.n;
    return (struct str){c->text.p + c->at[i], end - c->at[i] - 1};
}

static char take(struct csv *c)
{
    char ch = c->rest.p[0];
    c->rest = (struct str){c->rest.p + 1, c->rest.n - 1};
    if (ch == '\n')
        c->next_line++;
    return ch;
}

static char peek(const struct csv *c)
{
    return c->rest.n > 0 ? c->rest.p[0] : '\n';
}

static int quoted(struct csv *c)
{
    take(c);
    while (c->rest.n > 0) {
        char ch = take(c);
        if (ch == '"') {
            if (peek(c) != '"' || c->rest.n == 0)
                return 0;
            take(c);
        }
        buf_ch(&c->text, ch);
    }
    return CSV_E_QUOTES;
}

/* One field, and what ends it: ',' or '\n'. */
static int field(struct csv *c, char *end)
{
    if (c->n == CSV_FIELDS_MAX)
        return CSV_E_FIELDS;
    c->at[c->n++] = c->text.n;
    if (peek(c) == '"') {
        int r = quoted(c);
        if (r != 0)
            return r;
        bool returned = peek(c) == '\r';
        if (returned)
            take(c);
        if (peek(c) != '\n' && (returned || peek(c) != ','))
            return CSV_E_QUOTES;
    } else {
        while (peek(c) != ',' && peek(c) != '\n')
            buf_ch(&c->text, take(c));
        if (peek(c) == '\n' && c->text.n > c->at[c->n - 1] && c->text.p[c->text.n - 1] == '\r')
            c->text.n--;
    }
    *end = peek(c);
    if (c->rest.n > 0)
        take(c);
    return buf_ch(&c->text, '\0');
}

int csv_next(struct csv *c)
{
    char end = ',';
    int r = 0;
    if (c->rest.n == 0)
        return CSV_E_END;
    c->line = c->next_line;
    c->n = 0;
    buf_reset(&c->text);
    while (r == 0 && end == ',')
        r = field(c, &end);
    return r;
}
