#include <errno.h>
#include <poll.h>

#include "base/clock.h"
#include "cli.h"
#include "jose/jwk.h"

#define WIDTH 80
#define CELL_MAX 64
#define COLUMNS_MAX 10

/* Names come from people and from other nodes: whatever could move the cursor, colour the line or
 * turn its direction becomes '?'. */
static size_t next_char(struct str s, char out[static 5])
{
    size_t n = str_utf8_len(s.p, s.n);
    if (n == 0 || !str_is_printable((struct str){s.p, n})) {
        memcpy(out, "?", 2);
        return n ? n : 1;
    }
    memcpy(out, s.p, n);
    out[n] = '\0';
    return n;
}

static size_t chars(struct str s)
{
    char one[5];
    size_t n = 0;
    while (s.n > 0) {
        size_t took = next_char(s, one);
        s.p += took;
        s.n -= took;
        n++;
    }
    return n;
}

static void put_chars(FILE *out, struct str s, size_t max)
{
    char one[5];
    for (size_t i = 0; s.n > 0 && i < max; i++) {
        size_t took = next_char(s, one);
        fputs(one, out);
        s.p += took;
        s.n -= took;
    }
}

static unsigned width_of(const struct show *how)
{
    return how->columns && how->columns < WIDTH ? how->columns : WIDTH;
}

/* A long word (a token, an address) is never broken. */
void show_indented(const struct show *how, unsigned indent, const char *text)
{
    struct str rest = str_of(text), word;
    size_t at = 0, width = width_of(how);

    while (rest.n > 0) {
        str_cut(rest, ' ', &word, &rest);
        if (word.n == 0)
            continue;
        size_t n = chars(word);
        if (at > 0 && at + 1 + n > width) {
            fputc('\n', how->out);
            at = 0;
        }
        if (at == 0) {
            fprintf(how->out, "%*s", (int)indent, "");
            at = indent;
        } else {
            fputc(' ', how->out);
            at++;
        }
        put_chars(how->out, word, n);
        at += n;
    }
    fputc('\n', how->out);
}

void show_words(const struct show *how, const char *text)
{
    show_indented(how, 0, text);
}

void show_field(const struct show *how, const char *label, const char *value)
{
    if (!value || !*value)
        return;
    fprintf(how->out, "  %-15s", label);
    struct str s = str_of(value);
    put_chars(how->out, s, s.n);
    fputc('\n', how->out);
}

void show_number(const struct show *how, const char *label, int64_t n)
{
    fprintf(how->out, "  %-15s%lld\n", label, (long long)n);
}

void show_coloured(const struct show *how, enum colour colour, const char *text)
{
    if (how->colour && colour != COLOUR_PLAIN)
        fprintf(how->out, "\033[1;%dm%s\033[0m", (int)colour, text);
    else
        fputs(text, how->out);
}

void show_duration(int64_t seconds, char out[static 32])
{
    static const struct {
        int64_t from, unit;
        const char *name;
    } units[] = {{2 * 86400, 86400, "d"}, {2 * 3600, 3600, "h"}, {2 * 60, 60, "min"}, {0, 1, "s"}};
    for (size_t i = 0; i < ARRAY_SIZE(units); i++)
        if (seconds >= units[i].from || i + 1 == ARRAY_SIZE(units)) {
            snprintf(out, 32, "%lld %s", (long long)(seconds / units[i].unit), units[i].name);
            return;
        }
}

void show_fingerprint(const struct show *how, const char *thumbprint)
{
    char text[FINGERPRINT_LEN + 1];
    if (!thumbprint || strlen(thumbprint) != THUMBPRINT_LEN)
        return;
    fingerprint_format(thumbprint, text);
    show_field(how, "fingerprint", text);
}

/* ---- tables ---- */

static void text_cell(struct str s, int kind, struct buf *out)
{
    bool time = s.n == RFC3339_LEN && (kind == COLUMN_TIME || kind == COLUMN_CLOCK);
    if (kind == COLUMN_HOST && str_starts(s, STR("https://")))
        s = (struct str){s.p + 8, s.n - 8};
    if (time && kind == COLUMN_TIME)
        buf_printf(out, "%.10s ", s.p);
    if (time)
        s = (struct str){s.p + 11, 5};
    buf_str(out, s);
}

static void cell_text(const struct json *item, const struct column *c, struct buf *out)
{
    const struct json *v = json_get(item, c->key);
    int64_t n;
    bool yes = false;

    buf_reset(out);
    if (c->kind == COLUMN_YES) {
        if (json_get_bool(item, c->key, &yes) == 0)
            buf_z(out, yes ? "yes" : "no");
    } else if (json_as_int(v, &n) == 0) {
        buf_printf(out, "%lld", (long long)n);
    } else {
        text_cell(json_as_str(v), c->kind, out);
    }
    if (out->n == 0)
        buf_z(out, "-");
}

static void measure(const struct json *items, const struct column *columns, size_t n,
                    size_t widths[static COLUMNS_MAX])
{
    _cleanup_(buf_clear) struct buf cell = {0};
    for (size_t i = 0; i < n; i++) {
        widths[i] = strlen(columns[i].title);
        for (size_t k = 0; k < json_count(items); k++) {
            cell_text(json_at(items, k), &columns[i], &cell);
            size_t w = chars(buf_as_str(&cell));
            widths[i] = w > widths[i] ? w : widths[i];
        }
        widths[i] = widths[i] > CELL_MAX ? CELL_MAX : widths[i];
    }
}

/* Takes from the widest column until all fit. The first one holds what the next command wants. */
static void fit(size_t widths[static COLUMNS_MAX], const struct column *columns, size_t n,
                size_t width)
{
    for (;;) {
        size_t sum = 2 * (n - 1), widest = 0;
        for (size_t i = 0; i < n; i++) {
            sum += widths[i];
            if (i > 0 && !columns[i].whole && (!widest || widths[i] > widths[widest]))
                widest = i;
        }
        if (sum <= width || !widest || widths[widest] <= 6)
            return;
        widths[widest]--;
    }
}

static void put_cell(FILE *out, struct str s, size_t width, bool last)
{
    size_t n = chars(s);
    if (n > width) {
        put_chars(out, s, width - 1);
        fputs("~", out);
        n = width;
    } else {
        put_chars(out, s, n);
    }
    if (last)
        fputc('\n', out);
    else
        fprintf(out, "%*s", (int)(width - n + 2), "");
}

void show_table(const struct show *how, const struct json *reply, const struct column *columns,
                size_t n, const char *none)
{
    const struct json *items = json_get(reply, "items");
    const char *next = json_z(reply, "next");
    size_t widths[COLUMNS_MAX];
    _cleanup_(buf_clear) struct buf cell = {0};

    if (json_count(items) == 0) {
        if (!how->quiet)
            show_words(how, none);
        return;
    }
    measure(items, columns, n, widths);
    if (how->columns)
        fit(widths, columns, n, how->columns);
    for (size_t i = 0; i < n && !how->quiet; i++)
        put_cell(how->out, str_of(columns[i].title), widths[i], i + 1 == n);
    for (size_t k = 0; k < json_count(items); k++)
        for (size_t i = 0; i < n; i++) {
            cell_text(json_at(items, k), &columns[i], &cell);
            put_cell(how->out, buf_as_str(&cell), widths[i], i + 1 == n);
        }
    if (next && !how->quiet)
        fprintf(how->out, "There are more: --after %s\n", next);
}

/* ---- questions ---- */

int ask_yes(const char *question, bool *yes)
{
    char answer[16];
    if (!isatty(STDIN_FILENO) || !isatty(STDERR_FILENO))
        return -ENOTTY;
    fprintf(stderr, "%s [y/N] ", question);
    fflush(stderr);
    *yes = fgets(answer, sizeof(answer), stdin) && (answer[0] == 'y' || answer[0] == 'Y');
    return 0;
}
