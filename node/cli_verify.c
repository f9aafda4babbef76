#include "app/verify.h"

#include <errno.h>

#include "cli_peer.h"
#include "cli_verdict.h"
#include "control_frame.h"
#include "loop.h"
#include "verb_run.h"

#define REFRESH_MS 3000 /* somebody stands at the desk, and other verbs wait behind this one */

/* ---- a verdict for people ---- */

static const struct {
    const char *name, *shown;
    enum colour colour;
    int exit;
} verdicts[] = {
    {"admit", "ADMIT", COLOUR_GREEN, EXIT_DONE},
    {"ask", "ASK", COLOUR_YELLOW, EXIT_ASK},
    {"refuse", "REFUSE", COLOUR_RED, EXIT_REFUSED},
};

static size_t verdict_index(const struct json *verdict)
{
    struct str name = json_as_str(json_get(verdict, "verdict"));
    for (size_t i = 0; i < ARRAY_SIZE(verdicts); i++)
        if (str_eqz(name, verdicts[i].name))
            return i;
    return ARRAY_SIZE(verdicts) - 1; /* what we cannot read admits nobody */
}

int verdict_exit(const struct json *verdict)
{
    return verdicts[verdict_index(verdict)].exit;
}

static bool has_reason(const struct json *verdict, const char *code)
{
    const struct json *reasons = json_get(verdict, "reasons");
    for (size_t i = 0; i < json_count(reasons); i++)
        if (str_eqz(json_as_str(json_get(json_at(reasons, i), "code")), code))
            return true;
    return false;
}

static void show_home(const struct show *how, const struct json *verdict)
{
    const struct json *home = json_get(verdict, "home"), *pass = json_get(verdict, "pass");
    const char *country = json_z(home, "country");
    char line[512];

    if (json_kind(home) == JSON_OBJECT) {
        snprintf(line, sizeof(line), "%s%s%s, %s", json_z(home, "name"), country ? ", " : "",
                 country ? country : "", json_z(home, "id"));
        show_field(how, "vouched by", line);
    }
    if (json_kind(pass) == JSON_OBJECT) {
        show_field(how, "holder", json_z(pass, "name"));
        show_field(how, "tier", json_z(pass, "tier"));
        show_field(how, "holder proof",
                   cli_flag(pass, "proven")                      ? "good"
                   : has_reason(verdict, "holder_proof_missing") ? "missing"
                   : cli_flag(pass, "bound")                     ? "not good"
                                                                 : "none: a printed pass");
        show_field(how, "expires", json_z(pass, "expires_at"));
    }
}

static void show_reasons(const struct show *how, const struct json *verdict)
{
    const struct json *reasons = json_get(verdict, "reasons");
    for (size_t i = 0; i < json_count(reasons); i++) {
        const struct json *r = json_at(reasons, i);
        const char *detail = json_z(r, "detail"), *next = json_z(r, "next");
        char line[ERR_TEXT_MAX + 64];
        snprintf(line, sizeof(line), "%s: %s", json_z(r, "code"), json_z(r, "text"));
        show_indented(how, 2, line);
        if (detail && *detail)
            show_indented(how, 4, detail);
        if (next && *next)
            show_indented(how, 4, next);
    }
}

static void show_steps(const struct show *how, const struct json *verdict)
{
    const struct json *steps = json_get(verdict, "steps");
    int64_t sum = 0;
    for (size_t i = 0; i < json_count(steps); i++) {
        const struct json *s = json_at(steps, i);
        const char *section = json_z(s, "section");
        int64_t step = 0, micros = 0;
        json_get_int(s, "step", &step);
        json_get_int(s, "micros", &micros);
        sum += micros;
        fprintf(how->out, "%2lld  %-18s %6lld us  %s\n", (long long)step, json_z(s, "what"),
                (long long)micros, section ? section : "");
        const char *found = json_z(s, "found");
        if (found && *found)
            show_indented(how, 6, found);
    }
    if (json_count(steps) > 0)
        fprintf(how->out, "    %-18s %6lld us\n", "all steps", (long long)sum);
}

void show_verdict(const struct show *how, const struct json *verdict)
{
    size_t i = verdict_index(verdict);
    char age[32];
    int64_t seconds;

    show_coloured(how, verdicts[i].colour, verdicts[i].shown);
    fputc('\n', how->out);
    if (how->quiet)
        return;
    show_home(how, verdict);
    show_reasons(how, verdict);
    if (json_get_int(verdict, "data_age_s", &seconds) == 0) {
        show_duration(seconds, age);
        show_field(how, "data age", age);
    }
    show_field(how, "verification", json_z(verdict, "verification"));
    show_steps(how, verdict);
}

struct json *cli_reply(struct verb_call *c, struct str text)
{
    struct json *v = NULL;
    if (json_parse(text, &control_bounds, &v, &c->err) != 0)
        return NULL;
    return v;
}

/* ---- verify ---- */

static int parse(const struct args *a, struct json *request, struct err *err)
{
    static const struct option_spec options[] = {{"--explain", OPTION_FLAG},
                                                 {"--offline", OPTION_FLAG}};
    static const char *const words[] = {"text"};
    int r = options_parse(a, options, ARRAY_SIZE(options), words, 1, 1, request, err);
    return r == 0 ? cli_text(request, "text", LIMIT_QR_TEXT, err) : r;
}

/* Where fresher data could change the answer it is fetched, once, and the pass is judged again. If
 * the home does not answer, the first verdict stands. */
static int look(struct verb_call *c, const struct verify_request *req, struct verify_answer *answer)
{
    int r = verify_presentation(c->thread, c->space, req, answer);
    if (r != 0 || !answer->verdict.refresh_needed || cli_flag(c->request, "offline") ||
        strcmp(answer->pass.iss, c->space->id) == 0 ||
        !space_recognises(c->space, answer->pass.iss))
        return r;
    c->fetch_until = loop_now_ms() + REFRESH_MS;
    bool fresh = peer_refresh_now(c, answer->pass.iss) == 0;
    c->err = (struct err){0};
    if (!fresh)
        return 0;
    verify_answer_clear(answer);
    return verify_presentation(c->thread, c->space, req, answer);
}

static int run(struct verb_call *c)
{
    struct verify_request req = {
        .text = json_as_str(json_get(c->request, "text")),
        .desk = "cli",
        .explain = cli_flag(c->request, "explain"),
        .promise = true,
    };
    struct verify_answer *answer = calloc(1, sizeof(*answer));
    _cleanup_(buf_clear) struct buf text = {0};
    if (!answer)
        return -ENOMEM;
    int r = look(c, &req, answer);
    if (r == 0) {
        r = verify_answer_write(answer, &text);
        verify_answer_clear(answer);
    } else if (r == APP_E_BUSY) {
        err_set(&c->err, 0, "too many passes were looked at in the last minutes");
        err_next(&c->err, 0, "Try again in a minute.");
    }
    free(answer);
    if (r == 0) {
        c->reply = cli_reply(c, buf_as_str(&text));
        r = c->reply ? 0 : -EBADMSG;
    }
    return r;
}

static void show(const struct json *request, const struct json *reply, const struct show *how)
{
    show_verdict(how, reply);
}

const struct verb verb_verify = {
    .name = "verify",
    .about = "say whether a pass is good",
    .usage = "TOKEN|QR-TEXT|- [--explain] [--offline]",
    .help = "Says whether a pass is good: admit (exit 0), refuse (3) or ask (4), and why. The\n"
            "network is asked only where fresher data could change the answer. Read the pass\n"
            "from standard input (\"-\"): what stands on the command line can be seen by other\n"
            "users of this machine.\n"
            "  --offline  asks no network at all\n"
            "  --explain  each step: what was looked at, by which rule, what it cost\n",
    .place = VERB_STATE,
    .parse = parse,
    .run = run,
    .show = show,
    .exit_code = verdict_exit,
};
