#include <errno.h>

#include "cli_space.h"
#include "local.h"

#define PROXIED_LISTEN "127.0.0.1:8080"

static int parse(const struct args *a, struct json *request, struct err *err)
{
    static const struct option_spec options[] = {{"--listen", OPTION_TEXT},
                                                 {"--tls-ca", OPTION_TEXT},
                                                 {"--trial", OPTION_FLAG},
                                                 SPACE_OPTIONS};
    static const char *const words[] = {"url"};
    int r = options_parse(a, options, ARRAY_SIZE(options), words, 1, 1, request, err);
    if (r == 0)
        r = space_parse(request, err);
    if (r == 0 && json_get(request, "tls_ca") && !cli_flag(request, "trial")) {
        err_set(err, 0, "--tls-ca is only for trials");
        return err_next(err, APP_E_INVALID,
                        "Leave it out: nodes trust the system's authorities. Or say --trial.");
    }
    return r == 0 ? cli_whole_path(request, "tls_ca", err) : r;
}

/* Where to listen. With a certificate: HTTPS, on loopback in a trial, else on all addresses.
 * Without: plain HTTP for a proxy on this machine. */
static int choose_listen(const struct json *request, const char *id, struct config *c,
                         struct err *err)
{
    const char *given = json_z(request, "listen");
    bool tls = json_get(request, "tls_cert") != NULL, loopback;
    char address[128];

    if (given)
        snprintf(address, sizeof(address), "%s", given);
    else if (!tls)
        snprintf(address, sizeof(address), "%s", PROXIED_LISTEN);
    else
        snprintf(address, sizeof(address), "%s:%u", c->trial ? "127.0.0.1" : "[::]",
                 entity_port(id));
    if (!config_address_ok(str_of(address), &loopback) || (given && strlen(given) > 127)) {
        err_set(err, 0, "--listen %.60s is no address and port", given ? given : address);
        return err_next(err, APP_E_INVALID, "Write it as 127.0.0.1:8441 or [::]:443.");
    }
    if (tls && str_starts(str_of(address), STR("unix:")))
        return err_set(err, APP_E_INVALID, "HTTPS is not served on a Unix socket");
    if (!tls && !loopback) {
        err_set(err, 0, "without a certificate %s would serve plain HTTP to others", address);
        return err_next(err, APP_E_INVALID,
                        "Say --tls-cert and --tls-key; or listen on 127.0.0.1, for a proxy.");
    }
    memcpy(tls ? c->listen[0] : c->plain[0], address, sizeof(address));
    c->n_listen = tls;
    c->n_plain = !tls;
    if (!tls) {
        cidr_parse(STR("127.0.0.0/8"), &c->trusted_proxies[0]);
        cidr_parse(STR("::1/128"), &c->trusted_proxies[1]);
        c->n_trusted_proxies = 2;
    }
    return 0;
}

/* Everything that may be wrong with what was asked, before anything is made. */
static int prepare(struct verb_call *c, struct space_facts *f, struct config *config,
                   struct config_space *s)
{
    config->trial = cli_flag(c->request, "trial");
    int r = cli_copy(c->request, "tls_ca", config->tls_ca, sizeof(config->tls_ca), &c->err);
    if (r == 0)
        r = space_facts_read(c->request, config->trial, f, &c->err);
    if (r == 0)
        r = space_config_read(c->request, f->id, s, &c->err);
    return r == 0 ? choose_listen(c->request, f->id, config, &c->err) : r;
}

static int reply(struct verb_call *c, const struct space *space, const struct state *state,
                 const struct config *config)
{
    c->reply = space_json(space);
    int r = c->reply ? json_put_z(c->reply, "state", state->dir) : -ENOMEM;
    if (r == 0)
        r = json_put_z(c->reply, "listen", config->n_listen ? config->listen[0] : config->plain[0]);
    if (r == 0)
        r = json_put_bool(c->reply, "tls", config->n_listen > 0);
    return r == 0 ? json_put_bool(c->reply, "trial", config->trial) : r;
}

/* comity.ini comes last: a folder without it is no state, so nothing half made is ever served. */
static int make(struct verb_call *c, struct state *state, const struct space_facts *f,
                struct config *config, struct config_space *s)
{
    _cleanup_(local_closep) struct local *local = NULL;
    char db[512], ini[512];
    struct space *space;

    int r = state_lock(state, &c->err);
    if (r == 0)
        r = state_create_space(state, s->authority, &c->err);
    if (r == 0)
        r = state_space_path(state, s->authority, "space.db", db);
    if (r == 0)
        r = state_path(state, "comity.ini", ini);
    if (r == 0)
        r = local_open(state, config, &local, &c->err);
    if (r == 0)
        r = space_found(local_thread(local), db, f, &c->err);
    if (r == 0)
        r = space_open(local_thread(local), db, &space, &c->err);
    if (r == 0)
        r = reply(c, space, state, config);
    if (r != 0)
        return r;
    config->spaces = s;
    config->n_spaces = 1;
    r = config_create(ini, config, &c->err);
    if (r == CONFIG_E_INVALID)
        r = APP_E_INVALID;
    config->spaces = NULL;
    config->n_spaces = 0;
    return r;
}

static int run(struct verb_call *c)
{
    _cleanup_(config_freep) struct config *config = calloc(1, sizeof(*config));
    struct state state = {.lock = -1};
    struct config_space s;
    struct space_facts f;

    if (!config)
        return -ENOMEM;
    int r = prepare(c, &f, config, &s);
    if (r != 0)
        return r;
    r = state_create(c->state->dir, &state, &c->err);
    if (r != 0)
        return r == -EEXIST ? APP_E_EXISTS : r;
    r = make(c, &state, &f, config, &s);
    if (r != 0) {
        json_free(c->reply);
        c->reply = NULL;
        state_remove(&state);
    }
    state_close(&state);
    return r;
}

static void show(const struct json *request, const struct json *reply, const struct show *how)
{
    if (how->quiet)
        return;
    space_show(how, reply);
    show_field(how, "state", json_z(reply, "state"));
    show_field(how, "listens on", json_z(reply, "listen"));
    if (!cli_flag(reply, "tls"))
        show_words(how, "It serves plain HTTP for a proxy on this machine, which holds the "
                        "certificate. For HTTPS, set listen, tls_cert and tls_key in comity.ini.");
    show_words(how, "Tell the fingerprint to spaces that want to add you as a peer.");
    fprintf(how->out, "Next: comity serve\n"
                      "      comity member add NAME\n"
                      "      comity peer add URL\n");
}

const struct verb verb_init = {
    .name = "init",
    .about = "found a space: state folder, keys, database",
    .usage = "URL --name NAME [--listen ADDR:PORT] [--tls-cert F --tls-key F] [--tls-ca F] "
             "[--trial] [--lat N --lon N] [--country CC] [--timezone ZONE]",
    .help = "Founds a space: makes the state folder, the space's keys, its database and\n"
            "comity.ini. URL is https://host[:port], as the world will reach it.\n"
            "  --listen A:P     where to listen; by default [::] and the URL's port, on\n"
            "                   loopback in a trial; without a certificate 127.0.0.1:8080\n"
            "  --tls-cert F, --tls-key F\n"
            "                   the certificate with its chain, and its key (PEM)\n"
            "  --tls-ca F       an authority to trust beside the system's (trials only)\n"
            "  --trial          allows *.localhost, loopback peers and --tls-ca\n"
            "  --lat N --lon N  where the space is, in degrees\n"
            "  --country CC     two letters of ISO 3166\n"
            "  --timezone ZONE  such as Europe/Lisbon; by default this machine's\n",
    .place = VERB_ALONE,
    .no_space = true,
    .parse = parse,
    .run = run,
    .show = show,
};
