#include <errno.h>
#include <time.h>

#include "cli.h"
#include "clock.h"
#include "config.h"
#include "serve.h"
#include "tls.h"

#define WAIT_FOR_LOCK_MS 3000 /* for a verb to end, or the signer of a node that was killed */
#define WAIT_STEP_MS 20

static int read_config(const struct state *state, struct config **out, struct err *err)
{
    char path[512];
    int r = state_path(state, "comity.ini", path);
    if (r == 0)
        r = config_read(path, out, err);
    return r > 0 ? APP_E_INVALID : r;
}

static int open_state(const struct verb_call *c, struct state *out, struct err *err)
{
    int r = state_open(c->state->dir, out, err);
    return r == STATE_E_ABSENT ? APP_E_ABSENT : r;
}

/* ---- serve ---- */

static int lock(struct state *state, struct err *err)
{
    int r;
    for (int waited = 0;; waited += WAIT_STEP_MS) {
        struct timespec t = {.tv_nsec = WAIT_STEP_MS * 1000000L};
        r = state_lock(state, err);
        if (r != STATE_E_LOCKED || waited >= WAIT_FOR_LOCK_MS)
            break;
        nanosleep(&t, NULL);
    }
    return r == STATE_E_LOCKED ? APP_E_BUSY : r;
}

static int run_serve(struct verb_call *c)
{
    _cleanup_(config_freep) struct config *config = NULL;
    struct state state = {.lock = -1};
    int r = open_state(c, &state, &c->err);
    if (r == 0)
        r = read_config(&state, &config, &c->err);
    if (r == 0)
        r = lock(&state, &c->err);
    if (r == 0)
        r = serve_run(&state, config, &c->err);
    state_close(&state);
    return r;
}

const struct verb verb_serve = {
    .name = "serve",
    .about = "run the node",
    .usage = "",
    .help = "Runs the node in the foreground until SIGTERM or SIGINT. SIGHUP does what\n"
            "`comity reload` does. Logs go to standard error.\n",
    .place = VERB_ALONE,
    .no_space = true,
    .run = run_serve,
};

/* ---- reload ---- */

static int run_reload(struct verb_call *c)
{
    struct node_reloaded found;
    int r = node_reload(c->node, &found, &c->err);
    if (r != 0)
        return r > 0 ? APP_E_INVALID : r;
    c->reply = json_object();
    r = c->reply ? json_put_bool(c->reply, "reloaded", true) : -ENOMEM;
    if (r == 0 && found.restart[0])
        r = json_put_z(c->reply, "restart_for", found.restart);
    return r == 0 && found.warning[0] ? json_put_z(c->reply, "warning", found.warning) : r;
}

static void show_reload(const struct json *request, const struct json *reply,
                        const struct show *how)
{
    const char *restart = json_z(reply, "restart_for"), *warning = json_z(reply, "warning");
    char line[ERR_TEXT_MAX];
    if (how->quiet)
        return;
    fprintf(how->out, "comity.ini and the certificates were read again.\n");
    if (restart) {
        snprintf(line, sizeof(line), "Changed, and not in force yet: %s. Restart the node for it.",
                 restart);
        show_words(how, line);
    }
    if (warning) {
        snprintf(line, sizeof(line), "Warning: %s", warning);
        show_words(how, line);
    }
}

const struct verb verb_reload = {
    .name = "reload",
    .about = "have it read comity.ini and certificates again",
    .usage = "",
    .help = "Has the running node read comity.ini and the certificates again. If one is bad,\n"
            "everything stays as it was. New listeners need a restart.\n",
    .place = VERB_NODE,
    .no_space = true,
    .run = run_reload,
    .show = show_reload,
};

/* ---- config check ---- */

static int check_files(const struct config *config, struct err *err)
{
    struct app_clock clock;
    struct tls_server *tls = NULL;

    int r = clock_real(config->trial, &clock, err);
    if (r != 0)
        return r;
    if (config->tls_ca[0] && access(config->tls_ca, R_OK) < 0)
        return err_set(err, APP_E_INVALID, "tls_ca = %.200s cannot be read: %s", config->tls_ca,
                       strerror(errno));
    if (config_check_reach(config, err) != 0)
        return APP_E_INVALID;
    if (config->n_listen == 0)
        return 0;
    r = tls_server_new(config, &tls, err);
    tls_server_free(tls);
    return r == 0 || r == -ENOMEM ? r : APP_E_INVALID;
}

static int run_check(struct verb_call *c)
{
    _cleanup_(config_freep) struct config *config = NULL;
    struct state state = {.lock = -1};
    char path[512];
    int r = open_state(c, &state, &c->err);
    if (r == 0)
        r = read_config(&state, &config, &c->err);
    if (r == 0)
        r = check_files(config, &c->err);
    if (r == 0)
        r = state_path(&state, "comity.ini", path);
    if (r != 0)
        return r;
    c->reply = json_object();
    r = c->reply ? json_put_z(c->reply, "file", path) : -ENOMEM;
    if (r == 0)
        r = json_put_bool(c->reply, "ok", true);
    if (r == 0)
        r = json_put_int(c->reply, "spaces", (int64_t)config->n_spaces);
    return r == 0 ? json_put_bool(c->reply, "trial", config->trial) : r;
}

static void show_check(const struct json *request, const struct json *reply, const struct show *how)
{
    if (!how->quiet)
        fprintf(how->out, "%s is good.\n", json_z(reply, "file"));
}

const struct verb verb_config_check = {
    .name = "config check",
    .about = "tell what is wrong with comity.ini",
    .usage = "",
    .help = "Reads comity.ini and the certificates that it names, and tells what is wrong.\n",
    .place = VERB_HERE,
    .no_space = true,
    .run = run_check,
    .show = show_check,
};
