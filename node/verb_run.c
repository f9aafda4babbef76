#include "verb_run.h"

#include <errno.h>
#include <time.h>

#include "cli.h"
#include "control.h"
#include "local.h"

#define WAIT_FOR_LOCK_MS 10000
#define WAIT_STEP_MS 25
#define ROUNDS_MAX 4 /* of questions that a verb may ask */

/* ---- failures ---- */

static void print_json(const struct show *how, const struct json *v)
{
    _cleanup_(buf_clear) struct buf b = {0};
    if (json_write(v, &b) == 0)
        fprintf(how->out, "%.*s\n", (int)b.n, b.p);
}

/* RFC 9457 section 3.1; what the reply holds (the verdict that refused) are extension members,
 * section 3.2. */
static struct json *problem(const char *code, const char *title, int status, const struct err *err,
                            const struct json *reply)
{
    struct json_iter it = {0};
    char type[80];
    struct json *p = json_object();
    int r = p ? 0 : -ENOMEM;

    snprintf(type, sizeof(type), "urn:comity:problem:%s", code);
    if (r == 0)
        r = json_put_z(p, "type", type);
    if (r == 0)
        r = json_put_z(p, "title", title);
    if (r == 0)
        r = json_put_int(p, "status", status);
    if (r == 0)
        r = json_put_z(p, "code", code);
    if (r == 0)
        r = json_put_z(p, "detail", err->text[0] ? err->text : title);
    if (r == 0 && err->next[0])
        r = json_put_z(p, "next", err->next);
    while (r == 0 && json_next(reply, &it)) {
        char key[64];
        if (str_copy(key, sizeof(key), it.key) == 0 && !json_get(p, key))
            r = json_put(p, key, json_ref(it.value));
    }
    if (r == 0)
        return p;
    json_free(p);
    return NULL;
}

static void print_problem(const struct show *how, const char *code, const char *title, int status,
                          const struct err *err, const struct json *reply)
{
    _cleanup_(json_freep) struct json *p = problem(code, title, status, err, reply);
    if (p)
        print_json(how, p);
}

static bool ends_sentence(const char *text)
{
    size_t n = strlen(text);
    return n > 0 && strchr(".!?", text[n - 1]);
}

/* Sentence by sentence: in a terminal no line is longer than it is wide, elsewhere none is broken.
 */
static void print_sentence(unsigned indent, const char *prefix, const char *text)
{
    struct show aside = {.out = stderr};
    char line[ERR_TEXT_MAX + 64];
    snprintf(line, sizeof(line), "%s%s%s", prefix, text, ends_sentence(text) ? "" : ".");
    if (isatty(STDERR_FILENO))
        show_indented(&aside, indent, line);
    else
        fprintf(stderr, "%*s%s\n", (int)indent, "", line);
}

/* What was wrong, with what; on a line of its own what to do. Errors of all floors end up here,
 * with and without their full stops. */
static void print_words(const char *text, const char *next)
{
    char first[2] = {next[0], '\0'};
    print_sentence(0, "comity: ", text);
    if (next[0] >= 'a' && next[0] <= 'z')
        first[0] = (char)(next[0] - 32);
    if (*next)
        print_sentence(8, first, next + 1);
}

/* Words on stderr; with --json also the problem of RFC 9457 on stdout. */
static void show_failure(const struct show *how, int result, const struct err *err,
                         const struct json *reply)
{
    const struct app_failure_info *info = app_failure_info(result);
    struct err e = *err;

    if (!e.text[0] && result < 0)
        err_set(&e, 0, "%s: %s", info->title, strerror(-result));
    if (how->json)
        print_problem(how, info->code, info->title, info->status, &e, reply);
    print_words(e.text[0] ? e.text : info->title, e.next);
}

void verb_show_usage(const struct show *how, const struct verb *verb, const struct err *err)
{
    struct err e = *err;
    if (!e.next[0] && verb)
        err_next(&e, 0, "`comity help %s` says how it is used.", verb->name);
    if (how->json)
        print_problem(how, "usage", "Not used as it should be", 400, &e, NULL);
    print_words(e.text, e.next);
}

/* ---- running ---- */

static void wait_a_little(void)
{
    struct timespec t = {.tv_nsec = WAIT_STEP_MS * 1000000L};
    nanosleep(&t, NULL);
}

struct running {
    const struct verb *verb;
    const struct invocation *inv;
    struct state state;
    struct json *request, *reply; /* owned */
    struct err err;
};

/* Under the lock, which is held. */
static int run_local(struct running *r)
{
    _cleanup_(config_freep) struct config *config = NULL;
    _cleanup_(local_closep) struct local *local = NULL;
    char path[512];

    if (state_path(&r->state, "comity.ini", path) < 0)
        return -ENAMETOOLONG;
    int e = config_read(path, &config, &r->err);
    if (e != 0)
        return e < 0 ? e : APP_E_INVALID;
    e = local_open(&r->state, config, &local, &r->err);
    if (e != 0)
        return e;

    struct verb_call c = {
        .thread = local_thread(local),
        .request = r->request,
        .fetch = local_fetch_rules(local),
        .state = &r->state,
    };
    e = verb_choose_space(r->verb, c.thread->app, r->inv->space, &c.space, &r->err);
    if (e != 0)
        return e;
    e = r->verb->run(&c);
    r->reply = c.reply;
    r->err = c.err;
    return e;
}

static int no_node(struct running *r)
{
    err_set(&r->err, 0, "no node is running in %s", r->state.dir);
    return err_next(&r->err, APP_E_STATE, "Start it with `comity serve`.");
}

/* Through the socket of a running node; else under the lock. A node that is starting, and another
 * verb, hold the lock without answering on the socket: both are waited for. */
static int run_with_state(struct running *r)
{
    for (int waited = 0;; waited += WAIT_STEP_MS) {
        int result = 0;
        int e = control_call(&r->state, r->verb, r->inv->space, r->request, &result, &r->reply,
                             &r->err);
        if (e != -ENOENT && e != -ECONNREFUSED)
            return e < 0 ? e : result;
        if (r->verb->place == VERB_NODE)
            return no_node(r);

        r->err = (struct err){0};
        e = state_lock(&r->state, &r->err);
        if (e == 0)
            return run_local(r);
        if (e != STATE_E_LOCKED)
            return e;
        if (waited >= WAIT_FOR_LOCK_MS)
            return APP_E_BUSY;
        wait_a_little();
    }
}

static int run_here(struct running *r)
{
    struct verb_call c = {.request = r->request, .state = &r->state};
    int e = r->verb->run(&c);
    r->reply = c.reply;
    r->err = c.err;
    return e;
}

static int find_state(struct running *r)
{
    char dir[STATE_PATH_MAX] = "";
    bool needed = r->verb->place != VERB_HERE;
    int e = r->inv->state ? str_copy(dir, sizeof(dir), str_of(r->inv->state)) : state_default(dir);

    r->state.lock = -1;
    if (e < 0 && needed) {
        err_set(&r->err, 0,
                "there is no place for the state: neither COMITY_STATE nor HOME is set");
        return err_next(&r->err, APP_E_INVALID, "Say where with --state DIR.");
    }
    if (e < 0 || !needed || r->verb->place == VERB_ALONE) {
        memcpy(r->state.dir, dir, sizeof(dir));
        return 0;
    }
    e = state_open(dir, &r->state, &r->err);
    return e == STATE_E_ABSENT ? APP_E_ABSENT : e;
}

static int run_once(struct running *r)
{
    json_free(r->reply);
    r->reply = NULL;
    r->err = (struct err){0};
    int e = find_state(r);
    if (e != 0)
        return e;
    bool in_node = r->verb->place == VERB_STATE || r->verb->place == VERB_NODE;
    e = in_node ? run_with_state(r) : run_here(r);
    state_close(&r->state);
    return e;
}

/* In words the verdict has said why, and what may be done: once is enough. */
static void tell_once(struct running *r, int result)
{
    struct err e = {0};
    err_set(&e, 0, "%s", r->verb->told);
    if (result == APP_E_CONFIRM)
        err_next(&e, 0, "%s", r->err.next);
    show_failure(&r->inv->how, result, &e, NULL);
}

static int failed(struct running *r, int result)
{
    const struct show *how = &r->inv->how;
    bool shown = r->reply && !how->json && r->verb->show;
    if (r->reply && !how->json && r->verb->show) {
        struct show aside = *how;
        aside.out = stderr;
        r->verb->show(r->request, r->reply, &aside);
    }
    if (shown && r->verb->told && (result == APP_E_REFUSED || result == APP_E_CONFIRM))
        tell_once(r, result);
    else
        show_failure(how, result, &r->err, r->reply);
    return app_failure_info(result)->exit;
}

static void show_reply(struct running *r)
{
    const struct show *how = &r->inv->how;
    if (!r->reply)
        return;
    if (how->json)
        print_json(how, r->reply);
    else if (r->verb->show)
        r->verb->show(r->request, r->reply, how);
}

static int rounds(struct running *r)
{
    for (int i = 0; i < ROUNDS_MAX; i++) {
        int e = run_once(r);
        if (e != 0)
            return failed(r, e);
        e = r->verb->again ? r->verb->again(r->request, r->reply, &r->inv->how, &r->err) : 0;
        if (e == VERB_AGAIN)
            continue;
        if (e != 0)
            return failed(r, e);
        show_reply(r);
        return r->reply && r->verb->exit_code ? r->verb->exit_code(r->reply) : EXIT_DONE;
    }
    return EXIT_ERROR;
}

/* Scripts are not asked, since they have no terminal. */
static int ask_first(struct running *r)
{
    char question[ERR_TEXT_MAX];
    bool yes = true;
    if (!r->verb->asks || r->inv->yes)
        return 0;
    snprintf(question, sizeof(question), "%s %.80s %s. Go on?", r->verb->name,
             json_z(r->request, r->verb->asks_of), r->verb->asks);
    if (ask_yes(question, &yes) == 0 && !yes) {
        err_set(&r->err, 0, "nothing was changed: the answer was not yes");
        return err_next(&r->err, APP_E_STATE, "Say --yes to go on without a question.");
    }
    return 0;
}

int verb_execute(const struct verb *verb, const struct invocation *inv, const struct args *args)
{
    struct running r = {.verb = verb, .inv = inv, .request = json_object()};
    int code, e = r.request ? 0 : -ENOMEM;

    if (e == 0 && verb->parse)
        e = verb->parse(args, r.request, &r.err);
    else if (e == 0)
        e = options_parse(args, NULL, 0, NULL, 0, 0, r.request, &r.err);
    if (e == 0 && inv->yes)
        e = json_put_bool(r.request, "yes", true);
    if (e == 0)
        e = ask_first(&r);

    if (e == -EINVAL) {
        verb_show_usage(&inv->how, verb, &r.err);
        code = EXIT_USAGE;
    } else if (e != 0) {
        code = failed(&r, e);
    } else {
        code = rounds(&r);
    }
    json_free(r.request);
    json_free(r.reply);
    if (fflush(inv->how.out) != 0 && code == EXIT_DONE)
        code = EXIT_ERROR;
    return code;
}
