#include <errno.h>
#include <signal.h>
#include <sys/ioctl.h>

#include "cli.h"
#include "verb_run.h"

const struct verb *const verbs[] = {
    &verb_init,          &verb_space_add,     &verb_space_list,     &verb_serve,
    &verb_reload,        &verb_config_check,  &verb_status,         &verb_member_add,
    &verb_member_list,   &verb_member_show,   &verb_member_suspend, &verb_member_restore,
    &verb_member_remove, &verb_member_import, &verb_pass_issue,     &verb_pass_show,
    &verb_pass_list,     &verb_pass_revoke,   &verb_peer_add,       &verb_peer_list,
    &verb_peer_refresh,  &verb_peer_remove,   &verb_verify,         &verb_checkin,
    &verb_checkout,      &verb_visit_list,    &verb_stamp_list,     &verb_token_create,
    &verb_token_list,    &verb_token_revoke,  &verb_holder_key,     &verb_holder_present,
    &verb_version,       &verb_help,          &verb_completion,     NULL,
};

/* What is not a terminal has no width, unless COLUMNS gives it one: a script may show our output in
 * a terminal of its own. */
static unsigned terminal_columns(void)
{
    struct winsize size;
    const char *columns = getenv("COLUMNS");
    bool terminal = isatty(STDOUT_FILENO);
    int64_t n;

    if (terminal && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
        return size.ws_col;
    if (columns && str_to_int(str_of(columns), 1, 10000, &n) == 0)
        return (unsigned)n;
    return terminal ? 80 : 0;
}

/* https://no-color.org: set and not empty. */
static bool colour_wanted(void)
{
    const char *no = getenv("NO_COLOR"), *term = getenv("TERM");
    return isatty(STDOUT_FILENO) && !(no && *no) && term && strcmp(term, "dumb") != 0;
}

struct line {
    struct invocation inv;
    struct args rest; /* verb and what is its own */
    bool help, version;
};

/* --state DIR, --state=DIR. *took is 0 if argv[i] is another option. */
static int take_value(int argc, char **argv, int i, const char *name, const char **value, int *took,
                      struct err *err)
{
    size_t n = strlen(name);
    *took = 0;
    if (strncmp(argv[i], name, n) != 0 || (argv[i][n] && argv[i][n] != '='))
        return 0;
    if (argv[i][n] == '=') {
        *value = argv[i] + n + 1;
        *took = 1;
    } else if (i + 1 < argc) {
        *value = argv[i + 1];
        *took = 2;
    } else {
        return err_set(err, -EINVAL, "%s wants a value", name);
    }
    if (!**value)
        return err_set(err, -EINVAL, "%s wants a value that is not empty", name);
    return 0;
}

/* What stands for all verbs may come before the verb or after it, up to "--". The rest moves
 * together in argv. */
static int read_line(int argc, char **argv, struct line *l, struct err *err)
{
    const struct {
        const char *name;
        bool *set;
    } flags[] = {{"--json", &l->inv.how.json},
                 {"--quiet", &l->inv.how.quiet},
                 {"--yes", &l->inv.yes},
                 {"--help", &l->help},
                 {"-h", &l->help},
                 {"--version", &l->version}};
    int kept = 0, result = 0;

    for (int i = 0, took; i < argc; i += took) {
        int r = 0;
        if (strcmp(argv[i], "--") == 0) {
            while (i < argc)
                argv[kept++] = argv[i++];
            break;
        }
        r = take_value(argc, argv, i, "--state", &l->inv.state, &took, err);
        if (r == 0 && took == 0)
            r = take_value(argc, argv, i, "--space", &l->inv.space, &took, err);
        result = result ? result : r;
        if (took > 0 || r != 0) {
            took = took ? took : 1;
            continue;
        }
        took = 1;
        bool known = false;
        for (size_t k = 0; k < ARRAY_SIZE(flags) && !known; k++)
            if ((known = strcmp(argv[i], flags[k].name) == 0))
                *flags[k].set = true;
        if (!known)
            argv[kept++] = argv[i];
    }
    l->rest = (struct args){kept, argv};
    return result;
}

static int show_help(const struct verb *verb)
{
    _cleanup_(buf_clear) struct buf text = {0};
    if (!verb)
        help_overview(stdout);
    else if (help_verb(verb, &text) == 0)
        fputs(text.p, stdout);
    return EXIT_DONE;
}

static int run_line(struct line *l, struct err *err)
{
    int used = 0;
    if (l->version) {
        struct args none = {0};
        return verb_execute(&verb_version, &l->inv, &none);
    }
    if (l->rest.argc == 0 && l->help)
        return show_help(NULL);
    if (l->rest.argc == 0) {
        err_set(err, 0, "there is no verb: say what to do");
        err_next(err, 0, "`comity help` lists all verbs.");
        verb_show_usage(&l->inv.how, NULL, err);
        return EXIT_USAGE;
    }
    const struct verb *verb = verb_find(l->rest.argc, l->rest.argv, &used);
    if (!verb && l->rest.argv[0][0] == '-')
        err_set(err, 0, "there is no option %.60s here", l->rest.argv[0]);
    else if (!verb)
        verb_unknown(l->rest.argc, l->rest.argv, err);
    if (!verb) {
        verb_show_usage(&l->inv.how, NULL, err);
        return EXIT_USAGE;
    }
    if (l->help)
        return show_help(verb);
    struct args args = {l->rest.argc - used, l->rest.argv + used};
    return verb_execute(verb, &l->inv, &args);
}

int main(int argc, char **argv)
{
    struct line l = {
        .inv = {.space = "",
                .how = {.out = stdout, .colour = colour_wanted(), .columns = terminal_columns()}}};
    struct err err = {0};

    /* A closed socket or pipe is an error of that write, not the end of the process. */
    signal(SIGPIPE, SIG_IGN);
    if (argc > 0 && read_line(argc - 1, argv + 1, &l, &err) != 0) {
        verb_show_usage(&l.inv.how, NULL, &err);
        return EXIT_USAGE;
    }
    return run_line(&l, &err);
}
