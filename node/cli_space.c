#include <errno.h>

#include "app/space.h"
#include "base/tz.h"
#include "cli.h"
#include "cli_space.h"
#include "config.h"
#include "fed/entity.h"
#include "state.h"
#include "tls.h"

/* ---- what init and space add have in common ---- */

static int check_zone(struct json *request, struct err *err)
{
    _cleanup_(tz_freep) struct tz *tz = NULL;
    const char *zone = json_z(request, "timezone");
    char system[65];

    if (!zone) {
        tz_system_name(system);
        zone = system;
    }
    int r = tz_load(TZ_DIR, zone, &tz, NULL);
    if (r < 0)
        return err_set(err, r, "the time zones in " TZ_DIR " cannot be read");
    if (r != 0) {
        err_set(err, 0, "there is no time zone %.64s", zone);
        return err_next(err, APP_E_INVALID, "Say --timezone with a name such as Europe/Lisbon.");
    }
    return zone == system ? json_put_z(request, "timezone", zone) : 0;
}

static int check_country(struct json *request, struct err *err)
{
    const char *z = json_z(request, "country");
    char upper[3] = "";
    if (!z)
        return 0;
    for (size_t i = 0; i < 2 && z[i]; i++)
        upper[i] = z[i] >= 'a' && z[i] <= 'z' ? (char)(z[i] - 32) : z[i];
    if (strlen(z) != 2 || upper[0] < 'A' || upper[0] > 'Z' || upper[1] < 'A' || upper[1] > 'Z')
        return err_set(err, -EINVAL,
                       "--country wants the two letters of ISO 3166, as PT, not \"%.20s\"", z);
    return json_put_z(request, "country", upper);
}

int space_parse(struct json *request, struct err *err)
{
    char id[LIMIT_ENTITY_ID + 1];
    int r = entity_canonical(str_of(json_z(request, "url")), id, err);
    if (r == 0)
        r = json_put_z(request, "url", id);
    else if (r > 0)
        r = -EINVAL;
    if (r == 0 && !json_get(request, "name"))
        return err_set(err, -EINVAL, "--name NAME is missing: what the space is called");
    if (r == 0 && !json_get(request, "lat") != !json_get(request, "lon"))
        return err_set(err, -EINVAL, "--lat and --lon belong together");
    if (r == 0 && !json_get(request, "tls_cert") != !json_get(request, "tls_key"))
        return err_set(err, -EINVAL, "--tls-cert and --tls-key belong together");
    if (r == 0)
        r = check_country(request, err);
    if (r == 0)
        r = check_zone(request, err);
    if (r == 0)
        r = cli_whole_path(request, "tls_cert", err);
    return r == 0 ? cli_whole_path(request, "tls_key", err) : r;
}

int space_facts_read(const struct json *request, bool trial, struct space_facts *out,
                     struct err *err)
{
    struct space_facts f = {0};
    struct str name;
    int r = cli_copy(request, "url", f.id, sizeof(f.id), err);
    if (r == 0)
        r = cli_copy(request, "name", f.name, sizeof(f.name), err);
    if (r == 0)
        r = cli_copy(request, "country", f.country, sizeof(f.country), err);
    if (r == 0)
        r = cli_copy(request, "timezone", f.timezone, sizeof(f.timezone), err);
    if (r != 0)
        return r;
    name = str_trim(str_of(f.name));
    if (name.n == 0 || !str_is_printable(name))
        return err_set(err, APP_E_INVALID, "the space's name is empty, or not one line of text");
    if (!entity_is_canonical(str_of(f.id)))
        return err_set(err, APP_E_INVALID, "%s is no space's URL", f.id);
    if (entity_is_local(f.id) && !trial) {
        err_set(err, 0, "%s is on this machine only, and no trial was asked for", f.id);
        return err_next(err, APP_E_INVALID,
                        "Use the space's public name; or `comity init --trial` to try it out.");
    }
    f.has_position =
        json_get_real(request, "lat", &f.lat) == 0 && json_get_real(request, "lon", &f.lon) == 0;
    *out = f;
    return 0;
}

int space_config_read(const struct json *request, const char *id, struct config_space *out,
                      struct err *err)
{
    struct config_space s = {0};
    int r = str_copy(s.authority, sizeof(s.authority), entity_authority(id));
    if (r == 0)
        r = cli_copy(request, "tls_cert", s.tls_cert, sizeof(s.tls_cert), err);
    if (r == 0)
        r = cli_copy(request, "tls_key", s.tls_key, sizeof(s.tls_key), err);
    /* One bad certificate would keep the node from starting, and with it every space. */
    if (r == 0 && s.tls_cert[0])
        r = tls_check(&s, err);
    if (r == -EINVAL)
        r = APP_E_INVALID;
    if (r == 0)
        *out = s;
    return r;
}

struct json *space_json(const struct space *space)
{
    struct json *v = json_object();
    int r = v ? 0 : -ENOMEM;
    if (r == 0)
        r = json_put_z(v, "space", space->id);
    if (r == 0)
        r = json_put_z(v, "name", space->configuration.name);
    if (r == 0)
        r = json_put_z(v, "timezone", space->timezone);
    if (r == 0 && space->configuration.country[0])
        r = json_put_z(v, "country", space->configuration.country);
    if (r == 0 && space->configuration.has_position)
        r = json_put(v, "lat", json_real(space->configuration.lat));
    if (r == 0 && space->configuration.has_position)
        r = json_put(v, "lon", json_real(space->configuration.lon));
    if (r == 0)
        r = json_put_z(v, "fingerprint", space->federation_kid);
    if (r == 0)
        return v;
    json_free(v);
    return NULL;
}

void space_show(const struct show *how, const struct json *space)
{
    show_field(how, "space", json_z(space, "space"));
    show_field(how, "name", json_z(space, "name"));
    show_field(how, "timezone", json_z(space, "timezone"));
    show_field(how, "country", json_z(space, "country"));
    show_fingerprint(how, json_z(space, "fingerprint"));
}

/* ---- space add ---- */

static int parse_add(const struct args *a, struct json *request, struct err *err)
{
    static const struct option_spec options[] = {SPACE_OPTIONS};
    static const char *const words[] = {"url"};
    int r = options_parse(a, options, ARRAY_SIZE(options), words, 1, 1, request, err);
    return r == 0 ? space_parse(request, err) : r;
}

static int config_failure(int r)
{
    return r == CONFIG_E_INVALID ? APP_E_INVALID : r;
}

/* Keys, database, first documents; then into comity.ini, so that the next start finds it. What is
 * in comity.ini is there to stay: only before that is a failure undone. */
static int found_and_open(struct verb_call *c, const struct space_facts *f,
                          const struct config_space *s, const char *ini, struct space **out)
{
    char db[512];
    int r = state_space_path(c->state, s->authority, "space.db", db);
    if (r != 0)
        err_set(&c->err, r, "the state folder's path is too long for %s", s->authority);
    if (r == 0)
        r = space_found(c->thread, db, f, &c->err);
    if (r == 0)
        r = config_failure(config_add_space(ini, s, &c->err));
    if (r != 0) {
        state_remove_space(c->state, s->authority);
        return r;
    }
    r = space_open(c->thread, db, out, &c->err);
    return r == 0 ? 0 : err_next(&c->err, r, "It is founded all the same: restart the node.");
}

/* Everything that may be wrong with what was asked, before anything is made. */
static int prepare_add(struct verb_call *c, const char *ini, struct space_facts *f,
                       struct config_space *s)
{
    int r = space_facts_read(c->request, c->thread->app->trial, f, &c->err);
    if (r == 0)
        r = space_config_read(c->request, f->id, s, &c->err);
    if (r != 0)
        return r;
    if (app_space(c->thread->app, str_of(s->authority)))
        return err_set(&c->err, APP_E_EXISTS, "%s is served here already", f->id);
    if (atomic_load(&c->thread->app->n_spaces) == LIMIT_SPACES)
        return err_set(&c->err, APP_E_LIMIT, "one node serves at most %d spaces", LIMIT_SPACES);
    return config_failure(config_may_add_space(ini, s, &c->err));
}

static int run_add(struct verb_call *c)
{
    struct space_facts f;
    struct config_space s;
    struct space *space = NULL;
    _cleanup_(config_freep) struct config *config = NULL;
    struct err why = {0};
    char ini[512];
    int r = state_path(c->state, "comity.ini", ini);
    if (r != 0)
        return err_set(&c->err, r, "the state folder's path is too long");
    r = prepare_add(c, ini, &f, &s);
    if (r != 0)
        return r;
    r = state_create_space(c->state, s.authority, &c->err);
    if (r == -EEXIST)
        return err_next(&c->err, APP_E_EXISTS,
                        "Is it half made, or from a backup? Move the folder away, or add its "
                        "[space] to comity.ini.");
    if (r == 0)
        r = found_and_open(c, &f, &s, ini, &space);
    if (r != 0)
        return r;
    c->reply = space_json(space);
    r = c->reply ? json_put_bool(c->reply, "reload_needed", c->node && s.tls_cert[0]) : -ENOMEM;
    if (r == 0 && config_read(ini, &config, NULL) == 0 && config_check_reach(config, &why) != 0)
        r = json_put_z(c->reply, "warning", why.text);
    return r;
}

static void show_add(const struct json *request, const struct json *reply, const struct show *how)
{
    if (how->quiet)
        return;
    const char *warning = json_z(reply, "warning");
    space_show(how, reply);
    if (warning) {
        char line[ERR_TEXT_MAX];
        snprintf(line, sizeof(line), "Warning: %s.", warning);
        show_words(how, line);
    }
    if (cli_flag(reply, "reload_needed"))
        show_words(how, "Next: comity reload, so that the running node takes up its certificate.");
}

const struct verb verb_space_add = {
    .name = "space add",
    .about = "one more space on this node",
    .usage = "URL --name NAME [--tls-cert F --tls-key F] [--lat N --lon N] [--country CC] "
             "[--timezone ZONE]",
    .help = "Adds another space to this node, with keys and a database of its own. Verbs then\n"
            "want --space HOST. A running node serves it at once, and its certificate after\n"
            "`comity reload`.\n",
    .place = VERB_STATE,
    .no_space = true,
    .parse = parse_add,
    .wants = "url",
    .run = run_add,
    .show = show_add,
};

/* ---- space list ---- */

static int run_list(struct verb_call *c)
{
    struct app *app = c->thread->app;
    struct page p = {.items = json_array(), .limit = LIMIT_SPACES};
    size_t n = atomic_load_explicit(&app->n_spaces, memory_order_acquire);
    int r = p.items ? 0 : -ENOMEM;

    for (size_t i = 0; r == 0 && i < n; i++)
        r = page_add(&p, space_json(app->spaces[i]));
    if (r == 0)
        r = page_finish(&p, c, "space");
    page_clear(&p);
    return r;
}

static void show_list(const struct json *request, const struct json *reply, const struct show *how)
{
    static const struct column columns[] = {
        {"SPACE", "space"}, {"NAME", "name"}, {"TIMEZONE", "timezone"}};
    show_table(how, reply, columns, ARRAY_SIZE(columns),
               "No spaces yet. Add one: comity space add URL --name NAME");
}

const struct verb verb_space_list = {
    .name = "space list",
    .about = "the spaces of this node",
    .usage = "",
    .help = "Lists the spaces that this node speaks for.\n",
    .place = VERB_STATE,
    .no_space = true,
    .run = run_list,
    .show = show_list,
};
