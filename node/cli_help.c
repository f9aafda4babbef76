#include <errno.h>
#include <stdio.h>

#include "cli.h"

#define WIDTH 80

static int overview(struct buf *out)
{
    buf_z(out,
          "Comity: passes that other coworking spaces recognise.\n"
          "Usage: comity [--state DIR] [--space HOST] VERB ... [--json] [--quiet] [--yes]\n\n");
    for (size_t i = 0; verbs[i]; i++)
        buf_printf(out, "  %-16s %s\n", verbs[i]->name, verbs[i]->about);
    buf_z(out,
          "\n  --state DIR   the state folder; else $COMITY_STATE; else ~/.local/state/comity\n"
          "  --space HOST  which space, where the node has several\n"
          "  --json        one object on standard output\n"
          "  --quiet       only what a script wants\n"
          "  --yes         no questions\n");
    return buf_z(out, "\nExit: 0 done or admit, 1 error, 2 usage, 3 refuse, 4 ask.\n"
                      "`comity help VERB` says how a verb is used.\n");
}

void help_overview(FILE *out)
{
    _cleanup_(buf_clear) struct buf text = {0};
    if (overview(&text) == 0)
        fputs(text.p, out);
}

/* Breaks between words, but not inside [brackets]. */
static struct str next_piece(struct str *rest)
{
    size_t n = 0;
    int depth = 0;
    while (n < rest->n && (depth > 0 || rest->p[n] != ' ')) {
        depth += rest->p[n] == '[';
        depth -= rest->p[n] == ']';
        n++;
    }
    struct str piece = {rest->p, n};
    n += n < rest->n;
    *rest = (struct str){rest->p + n, rest->n - n};
    return piece;
}

int help_verb(const struct verb *verb, struct buf *out)
{
    struct str rest = str_of(verb->usage);
    size_t at = 14 + strlen(verb->name);

    buf_printf(out, "Usage: comity %s", verb->name);
    while (rest.n > 0) {
        struct str piece = next_piece(&rest);
        if (at + 1 + piece.n > WIDTH) {
            buf_z(out, "\n          ");
            at = 10;
        }
        buf_printf(out, " %.*s", STR_ARG(piece));
        at += 1 + piece.n;
    }
    return buf_printf(out, "\n\n%s", verb->help);
}

/* ---- help ---- */

/* All verbs of a family: "help member". */
static int help_family(const char *word, struct buf *out)
{
    struct str first, rest;
    for (size_t i = 0; verbs[i]; i++)
        if (str_cut(str_of(verbs[i]->name), ' ', &first, &rest) && str_eqz(first, word)) {
            if (out->n)
                buf_ch(out, '\n');
            help_verb(verbs[i], out);
        }
    return buf_error(out);
}

static int parse_help(const struct args *a, struct json *request, struct err *err)
{
    static const char *const words[] = {"verb", "second"};
    int used, r = options_parse(a, NULL, 0, words, 2, 0, request, err);
    if (r != 0 || a->argc == 0 || verb_find(a->argc, a->argv, &used))
        return r;
    _cleanup_(buf_clear) struct buf members = {0};
    if (a->argc == 1 && help_family(a->argv[0], &members) == 0 && members.n > 0)
        return 0;
    return verb_unknown(a->argc, a->argv, err);
}

static int help_text(struct verb_call *c, struct buf *out)
{
    char first[64], second[64];
    char *words[] = {first, second};
    int used, n = json_get(c->request, "second") ? 2 : 1;

    if (!json_get(c->request, "verb"))
        return overview(out);
    int r = cli_copy(c->request, "verb", first, sizeof(first), &c->err);
    if (r == 0)
        r = cli_copy(c->request, "second", second, sizeof(second), &c->err);
    if (r != 0)
        return r;
    const struct verb *verb = verb_find(n, words, &used);
    if (verb)
        return help_verb(verb, out);
    if (n == 1 && help_family(first, out) == 0 && out->n > 0)
        return 0;
    verb_unknown(n, words, &c->err);
    return APP_E_ABSENT;
}

static int reply_text(struct verb_call *c, const char *name, struct str text)
{
    c->reply = json_object();
    return c->reply ? json_put_str(c->reply, name, text) : -ENOMEM;
}

static int run_help(struct verb_call *c)
{
    _cleanup_(buf_clear) struct buf text = {0};
    int r = help_text(c, &text);
    return r == 0 ? reply_text(c, "text", buf_as_str(&text)) : r;
}

static void show_text(const struct json *request, const struct json *reply, const struct show *how)
{
    fputs(json_z(reply, "text"), how->out);
}

const struct verb verb_help = {
    .name = "help",
    .about = "this screen, or how one verb is used",
    .usage = "[VERB]",
    .help = "Lists the verbs, or says how one is used.\n",
    .place = VERB_HERE,
    .no_space = true,
    .parse = parse_help,
    .run = run_help,
    .show = show_text,
};

/* ---- version ---- */

static int run_version(struct verb_call *c)
{
    return reply_text(c, "version", STR(COMITY_VERSION_TEXT));
}

static void show_version(const struct json *request, const struct json *reply,
                         const struct show *how)
{
    fprintf(how->out, "comity %s\n", json_z(reply, "version"));
}

const struct verb verb_version = {
    .name = "version",
    .about = "which version this is",
    .usage = "",
    .help = "Prints the version.\n",
    .place = VERB_HERE,
    .no_space = true,
    .run = run_version,
    .show = show_version,
};
