#include "verb.h"

#include <errno.h>

#include "app/space.h"

#define OPTION_NAME_MAX 32
#define DISTANCE_WORD_MAX 24

/* ---- finding ---- */

/* How many words of argv the verb's name takes up; 0 if it is another. */
static int words_matched(const char *name, int argc, char **argv)
{
    struct str rest = str_of(name), word;
    int n = 0;
    while (rest.n > 0) {
        str_cut(rest, ' ', &word, &rest);
        if (n == argc || !str_eqz(word, argv[n]))
            return 0;
        n++;
    }
    return n;
}

const struct verb *verb_find(int argc, char **argv, int *used)
{
    const struct verb *best = NULL;
    *used = 0;
    for (size_t i = 0; verbs[i]; i++) {
        int n = words_matched(verbs[i]->name, argc, argv);
        if (n > *used) {
            *used = n;
            best = verbs[i];
        }
    }
    return best;
}

static unsigned min3(unsigned a, unsigned b, unsigned c)
{
    unsigned m = a < b ? a : b;
    return m < c ? m : c;
}

/* Levenshtein's distance of two short words. */
static unsigned distance(struct str a, struct str b)
{
    unsigned row[DISTANCE_WORD_MAX + 1];
    if (a.n > DISTANCE_WORD_MAX || b.n > DISTANCE_WORD_MAX)
        return DISTANCE_WORD_MAX;
    for (size_t j = 0; j <= b.n; j++)
        row[j] = (unsigned)j;
    for (size_t i = 1; i <= a.n; i++) {
        unsigned diagonal = row[0];
        row[0] = (unsigned)i;
        for (size_t j = 1; j <= b.n; j++) {
            unsigned above = row[j];
            row[j] = min3(above + 1, row[j - 1] + 1, diagonal + (a.p[i - 1] != b.p[j - 1]));
            diagonal = above;
        }
    }
    return row[b.n];
}

/* The verbs of a family: "add|list|show". Empty if there is no such family. */
static void family(const char *word, struct buf *out)
{
    struct str first, rest;
    for (size_t i = 0; verbs[i]; i++)
        if (str_cut(str_of(verbs[i]->name), ' ', &first, &rest) && str_eqz(first, word))
            buf_printf(out, "%s%.*s", out->n ? "|" : "", STR_ARG(rest));
}

int verb_unknown(int argc, char **argv, struct err *err)
{
    _cleanup_(buf_clear) struct buf members = {.max = 256};
    char typed[80];
    const struct verb *near = NULL;
    unsigned least = DISTANCE_WORD_MAX;

    family(argv[0], &members);
    bool two = argc > 1 && argv[1][0] != '-';
    if (members.n > 0 && !two) {
        err_set(err, 0, "`%s` alone does nothing", argv[0]);
        return err_next(err, -EINVAL, "Say which: comity %s %s", argv[0], members.p);
    }
    snprintf(typed, sizeof(typed), two ? "%s %s" : "%s", argv[0], two ? argv[1] : "");
    for (size_t i = 0; verbs[i]; i++) {
        struct str name = str_of(verbs[i]->name);
        unsigned d = distance(str_of(typed), name);
        /* "verfy TOKEN": the second word is no part of the verb */
        unsigned one = memchr(name.p, ' ', name.n) ? d : distance(str_of(argv[0]), name);
        d = one < d ? one : d;
        if (d < least) {
            least = d;
            near = verbs[i];
        }
    }
    if (members.n > 0)
        err_set(err, 0, "there is no `%.60s`", typed);
    else
        err_set(err, 0, "there is no verb `%.40s`", argv[0]);
    if (near && least <= 3)
        return err_next(err, -EINVAL, "Did you mean `comity %s`? `comity help` lists all.",
                        near->name);
    if (members.n > 0)
        return err_next(err, -EINVAL, "There are: comity %s %s", argv[0], members.p);
    return err_next(err, -EINVAL, "`comity help` lists all.");
}

/* The one space at that host, whatever its port. NULL: there is none, or several. */
static struct space *space_of_host(struct app *app, struct str host, size_t n)
{
    struct space *found = NULL;
    for (size_t i = 0; i < n; i++) {
        struct str name, port, authority = entity_authority(app->spaces[i]->id);
        str_cut(authority, ':', &name, &port);
        if (!str_eq(name, host))
            continue;
        if (found)
            return NULL;
        found = app->spaces[i];
    }
    return found;
}

int verb_choose_space(const struct verb *verb, struct app *app, const char *name,
                      struct space **out, struct err *err)
{
    size_t n = atomic_load_explicit(&app->n_spaces, memory_order_acquire);

    if (*name) {
        struct str authority = str_of(name);
        if (str_starts(authority, STR("https://"))) {
            authority.p += 8;
            authority.n -= 8;
        }
        struct space *s = app_space(app, authority);
        s = s ? s : space_of_host(app, authority, n);
        if (!s) {
            err_set(err, 0, "no space %.200s is served here", name);
            return err_next(err, APP_E_ABSENT, "`comity space list` lists those that are.");
        }
        *out = s;
        return 0;
    }
    if (verb->no_space) {
        *out = NULL;
        return 0;
    }
    if (n == 1) {
        *out = app->spaces[0];
        return 0;
    }
    err_set(err, 0, n ? "%zu spaces are served here" : "%zu spaces are there yet", n);
    return err_next(err, APP_E_INVALID,
                    n ? "Say which one with --space HOST; `comity space list` lists them."
                      : "Add one with `comity space add URL --name NAME`.");
}

/* ---- options ---- */

struct parsing {
    const struct option_spec *options;
    size_t n_options;
    const char *const *words;
    size_t n_words, at_word;
    struct json *request;
    struct err *err;
};

static void request_name(struct str option, char out[static OPTION_NAME_MAX + 1])
{
    size_t n = 0;
    for (size_t i = 2; i < option.n && n < OPTION_NAME_MAX; i++)
        out[n++] = option.p[i] == '-' ? '_' : option.p[i];
    out[n] = '\0';
}

static const struct option_spec *option_find(const struct parsing *p, struct str name)
{
    for (size_t i = 0; i < p->n_options; i++)
        if (str_eqz(name, p->options[i].name))
            return &p->options[i];
    return NULL;
}

/* What stands for all verbs is read in main.c, and may be mistyped all the same. */
static int no_option(struct parsing *p, struct str name)
{
    static const char *const everywhere[] = {"--state", "--space", "--json",
                                             "--quiet", "--yes",   "--help"};
    const char *near = NULL;
    unsigned least = 3;

    for (size_t i = 0; i < p->n_options + ARRAY_SIZE(everywhere); i++) {
        const char *known = i < p->n_options ? p->options[i].name : everywhere[i - p->n_options];
        unsigned d = distance(name, str_of(known));
        if (d < least) {
            least = d;
            near = known;
        }
    }
    err_set(p->err, 0, "there is no option %.*s here", (int)(name.n < 60 ? name.n : 60), name.p);
    return near ? err_next(p->err, -EINVAL, "Did you mean %s?", near) : -EINVAL;
}

static int put_text(struct parsing *p, const char *key, const char *what, struct str value)
{
    struct json *text = json_string(value);
    if (!text)
        return err_set(p->err, -EINVAL, "%s is not UTF-8 text", what);
    return json_put(p->request, key, text);
}

static int put_value(struct parsing *p, const struct option_spec *o, struct str value)
{
    char key[OPTION_NAME_MAX + 1];
    int64_t n;
    double x;

    request_name(str_of(o->name), key);
    switch (o->kind) {
    case OPTION_FLAG:
        return json_put_bool(p->request, key, true);
    case OPTION_TEXT:
        return put_text(p, key, o->name, value);
    case OPTION_INT:
        if (str_to_int(value, o->min, o->max, &n) < 0)
            return err_set(
                p->err, -EINVAL, "%s wants a whole number from %lld to %lld, not \"%.*s\"", o->name,
                (long long)o->min, (long long)o->max, (int)(value.n < 40 ? value.n : 40), value.p);
        return json_put_int(p->request, key, n);
    case OPTION_REAL:
        if (str_to_real(value, (double)o->min, (double)o->max, &x) < 0)
            return err_set(p->err, -EINVAL, "%s wants a number from %lld to %lld, not \"%.*s\"",
                           o->name, (long long)o->min, (long long)o->max,
                           (int)(value.n < 40 ? value.n : 40), value.p);
        return json_put(p->request, key, json_real(x));
    }
    return -EINVAL;
}

/* One option at argv[i]; *took says how many of argv it was. */
static int parse_option(struct parsing *p, const struct args *a, int i, int *took)
{
    struct str name, value;
    char key[OPTION_NAME_MAX + 1];
    bool has_value = str_cut(str_of(a->argv[i]), '=', &name, &value);
    const struct option_spec *o = option_find(p, name);

    *took = 1;
    if (!o)
        return no_option(p, name);
    request_name(name, key);
    if (json_get(p->request, key))
        return err_set(p->err, -EINVAL, "%s is given twice", o->name);
    if (o->kind == OPTION_FLAG && has_value)
        return err_set(p->err, -EINVAL, "%s takes no value", o->name);
    if (o->kind != OPTION_FLAG && !has_value) {
        if (i + 1 >= a->argc)
            return err_set(p->err, -EINVAL, "%s wants a value", o->name);
        value = str_of(a->argv[i + 1]);
        *took = 2;
    }
    return put_value(p, o, value);
}

static int parse_word(struct parsing *p, const char *text)
{
    if (p->at_word == p->n_words)
        return err_set(p->err, -EINVAL, "one word too many: %.60s", text);
    const char *name = p->words[p->at_word++];
    return put_text(p, name, name, str_of(text));
}

int options_parse(const struct args *a, const struct option_spec *options, size_t n_options,
                  const char *const *words, size_t n_words, size_t required, struct json *request,
                  struct err *err)
{
    struct parsing p = {options, n_options, words, n_words, 0, request, err};
    bool only_words = false;

    for (int i = 0, took; i < a->argc; i += took) {
        const char *z = a->argv[i];
        int r = 0;
        took = 1;
        if (!only_words && strcmp(z, "--") == 0)
            only_words = true;
        else if (!only_words && z[0] == '-' && z[1]) /* "-" alone is standard input */
            r = parse_option(&p, a, i, &took);
        else
            r = parse_word(&p, z);
        if (r < 0)
            return r;
    }
    if (p.at_word < required) {
        char upper[OPTION_NAME_MAX + 1] = "";
        for (size_t i = 0; i < OPTION_NAME_MAX && words[p.at_word][i]; i++) {
            char c = words[p.at_word][i];
            upper[i] = c >= 'a' && c <= 'z' ? (char)(c - 32) : c == '_' ? '-' : c;
        }
        if (strcmp(upper, "TEXT") == 0) /* of verify, checkin */
            return err_set(err, -EINVAL,
                           "the pass is missing: a token, the text of its QR code, or - to read it "
                           "from standard input");
        return err_set(err, -EINVAL, "%s is missing", upper);
    }
    return 0;
}
