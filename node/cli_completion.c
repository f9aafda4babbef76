#include <errno.h>

#include "cli.h"

#define GLOBAL_OPTIONS "--state --space --json --quiet --yes --help"

/* The options that a usage line names, each with a space before it. */
static void usage_options(const char *usage, struct buf *out)
{
    for (const char *p = usage; (p = strstr(p, "--"));) {
        size_t n = strspn(p, "abcdefghijklmnopqrstuvwxyz-");
        buf_printf(out, " %.*s", (int)n, p);
        p += n;
    }
}

static bool first_of_family(size_t i, struct str first)
{
    struct str other, rest;
    for (size_t k = 0; k < i; k++) {
        str_cut(str_of(verbs[k]->name), ' ', &other, &rest);
        if (str_eq(first, other))
            return false;
    }
    return true;
}

static void first_words(struct buf *out)
{
    struct str first, rest;
    for (size_t i = 0; verbs[i]; i++) {
        str_cut(str_of(verbs[i]->name), ' ', &first, &rest);
        if (first_of_family(i, first))
            buf_printf(out, "%s%.*s", i ? " " : "", STR_ARG(first));
    }
}

static void second_words(struct str family, struct buf *out)
{
    struct str first, rest;
    for (size_t i = 0; verbs[i]; i++)
        if (str_cut(str_of(verbs[i]->name), ' ', &first, &rest) && str_eq(first, family))
            buf_printf(out, " %.*s", STR_ARG(rest));
}

/* case "$verb" in ... for each family and each verb. */
static void bash_cases(struct buf *out)
{
    struct str first, rest;
    for (size_t i = 0; verbs[i]; i++) {
        if (str_cut(str_of(verbs[i]->name), ' ', &first, &rest) && first_of_family(i, first)) {
            buf_printf(out, "        %.*s) words=\"", STR_ARG(first));
            second_words(first, out);
            buf_z(out, "\" ;;\n");
        }
        buf_printf(out, "        \"%s\"*) words=\"" GLOBAL_OPTIONS, verbs[i]->name);
        usage_options(verbs[i]->usage, out);
        buf_z(out, "\" ;;\n");
    }
}

static int bash(struct buf *out)
{
    buf_z(out, "_comity() {\n"
               "    local current=${COMP_WORDS[COMP_CWORD]} verb= words= i\n"
               "    for ((i = 1; i < COMP_CWORD; i++)); do\n"
               "        case ${COMP_WORDS[i]} in\n"
               "        --state|--space) ((i++)) ;;\n"
               "        -*) ;;\n"
               "        *) verb=\"${verb:+$verb }${COMP_WORDS[i]}\" ;;\n"
               "        esac\n"
               "    done\n"
               "    case \"$verb\" in\n"
               "        \"\") words=\"" GLOBAL_OPTIONS " ");
    first_words(out);
    buf_z(out, "\" ;;\n");
    bash_cases(out);
    return buf_z(out, "    esac\n"
                      "    COMPREPLY=($(compgen -W \"$words\" -- \"$current\"))\n"
                      "}\n"
                      "complete -o default -F _comity comity\n");
}

static int zsh(struct buf *out)
{
    buf_z(out, "#compdef comity\nautoload -U +X bashcompinit && bashcompinit\n");
    return bash(out);
}

static void fish_verb(struct buf *out, const struct verb *verb)
{
    _cleanup_(buf_clear) struct buf options = {0};
    struct str first, second, rest, option;
    bool two = str_cut(str_of(verb->name), ' ', &first, &second);

    if (two)
        buf_printf(out, "complete -c comity -f -n '__fish_seen_subcommand_from %.*s' -a %.*s\n",
                   STR_ARG(first), STR_ARG(second));
    usage_options(verb->usage, &options);
    rest = str_trim(buf_as_str(&options));
    while (rest.n > 2) {
        str_cut(rest, ' ', &option, &rest);
        buf_printf(out, "complete -c comity -n '__fish_seen_subcommand_from %.*s", STR_ARG(first));
        if (two)
            buf_printf(out, "; and __fish_seen_subcommand_from %.*s", STR_ARG(second));
        buf_printf(out, "' -l %.*s\n", (int)option.n - 2, option.p + 2);
    }
}

static int fish(struct buf *out)
{
    buf_z(out, "complete -c comity -n __fish_use_subcommand -f -a '");
    first_words(out);
    buf_z(out, "'\n");
    struct str rest = STR(GLOBAL_OPTIONS), option;
    while (rest.n > 0) {
        str_cut(rest, ' ', &option, &rest);
        buf_printf(out, "complete -c comity -l %.*s\n", (int)option.n - 2, option.p + 2);
    }
    for (size_t i = 0; verbs[i]; i++)
        fish_verb(out, verbs[i]);
    return buf_error(out);
}

static const struct {
    const char *name;
    int (*write)(struct buf *out);
} shells[] = {{"bash", bash}, {"zsh", zsh}, {"fish", fish}};

static int parse(const struct args *a, struct json *request, struct err *err)
{
    static const char *const words[] = {"shell"};
    int r = options_parse(a, NULL, 0, words, 1, 1, request, err);
    if (r != 0)
        return r;
    for (size_t i = 0; i < ARRAY_SIZE(shells); i++)
        if (strcmp(json_z(request, "shell"), shells[i].name) == 0)
            return 0;
    return err_set(err, -EINVAL, "there are completions for bash, zsh and fish");
}

static int run(struct verb_call *c)
{
    _cleanup_(buf_clear) struct buf text = {0};
    int r = -EINVAL;
    for (size_t i = 0; i < ARRAY_SIZE(shells); i++)
        if (strcmp(json_z(c->request, "shell"), shells[i].name) == 0)
            r = shells[i].write(&text);
    if (r != 0)
        return r;
    c->reply = json_object();
    return c->reply ? json_put_str(c->reply, "text", buf_as_str(&text)) : -ENOMEM;
}

static void show(const struct json *request, const struct json *reply, const struct show *how)
{
    fputs(json_z(reply, "text"), how->out);
}

const struct verb verb_completion = {
    .name = "completion",
    .about = "completions for a shell",
    .usage = "bash|zsh|fish",
    .help = "Prints completions for a shell. For bash: source <(comity completion bash)\n",
    .place = VERB_HERE,
    .no_space = true,
    .parse = parse,
    .run = run,
    .show = show,
};
