#include "serve.h"

#include <errno.h>
#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>

#include "app/peer.h"
#include "app/replay.h"
#include "app/space.h"
#include "clock.h"
#include "control.h"
#include "httpd.h"
#include "local.h"
#include "log.h"
#include "loop.h"
#include "network.h"
#include "readers.h"
#include "signer.h"
#include "tls.h"
#include "verb.h"

#define LOOPS_MAX 8
#define KEYS_PER_LOOP 256 /* parsed keys, about 2 KB each once used */
#define KEYS_ELSEWHERE 32
#define DRAIN_MS 15000 /* longer than any request may take */

/* One HTTP thread. The first is the main thread, which also hears the signals. */
struct http_thread {
    struct node *node;
    struct loop *loop;
    struct httpd *httpd;
    struct app_thread thread;
    pthread_t id;
    bool running;
};

struct node {
    const struct state *state;
    const struct config *config;
    struct app_clock clock;
    struct app app;
    struct signer_process *signer;
    struct tls_server *tls;
    struct http_thread http[LOOPS_MAX];
    unsigned n_http;
    struct app_thread main, network_thread, control_thread;
    struct readers *network_readers, *control_readers;
    struct network *network;
    struct control *control;
    struct verb_call control_base;
    struct fetch_rules rules;
    struct loop_timer *drain_timer;
    bool stopping;
    unsigned undrained; /* HTTP threads with requests to finish; the main thread's */
    int result;
};

/* ---- parts, in the order in which they are needed ---- */

static int thread_parts(struct node *node, struct app_thread *t, size_t keys, struct signer *signer)
{
    t->app = &node->app;
    t->signer = signer;
    int r = rand_buffered(&t->rand);
    return r == 0 ? verifier_new(keys, &t->verifier) : r;
}

static void thread_parts_clear(struct app_thread *t)
{
    verifier_free(t->verifier);
    rand_clear(&t->rand);
}

static int open_stores(struct node *node, struct err *err)
{
    struct app *app = &node->app;
    char path[512];
    int r = directory_new(&app->directory);
    if (r == 0)
        r = replay_new(LIMIT_REPLAY_ENTRIES, &app->request_replay);
    if (r == 0)
        r = state_path(node->state, "directory.db", path);
    if (r == 0)
        r = directory_store_open(node->state, node->config, &app->directory_store, err);
    if (r == 0)
        r = readers_open(path, &node->network_thread, &node->network_readers, err);
    if (r == 0)
        r = readers_open(path, &node->control_thread, &node->control_readers, err);
    return r > 0 ? -EBADMSG : r;
}

/* What each thread has of its own. */
static int open_threads(struct node *node)
{
    int r =
        thread_parts(node, &node->main, KEYS_ELSEWHERE, signer_channel(node->signer, CHANNEL_MAIN));
    if (r == 0)
        r = thread_parts(node, &node->network_thread, KEYS_ELSEWHERE,
                         signer_channel(node->signer, CHANNEL_NETWORK));
    if (r == 0)
        r = thread_parts(node, &node->control_thread, KEYS_ELSEWHERE,
                         signer_channel(node->signer, CHANNEL_CONTROL));
    return r;
}

/* Behind network_new(), which sets what the writer's thread notifies. */
static int start_writer(struct node *node)
{
    const struct writer_hooks hooks = {app_prepare, &node->app};
    const struct network_settings settings = {.thread = &node->network_thread,
                                              .rules = &node->rules,
                                              .status_poll = node->config->status_poll};
    int r = network_new(&settings, &node->network);
    if (r != 0)
        return r;
    node->app.writer_signer = signer_channel(node->signer, CHANNEL_WRITER);
    return writer_start(&hooks, &node->app.writer);
}

static int open_spaces(struct node *node, struct err *err)
{
    for (size_t i = 0; i < node->config->n_spaces; i++) {
        const char *authority = node->config->spaces[i].authority;
        struct space *space;
        char path[512];
        int r = state_space_path(node->state, authority, "space.db", path);
        if (r == 0)
            r = space_open(&node->main, path, &space, err);
        if (r != 0)
            return err_prefix(err, r, "space %s", authority);
        if (err->text[0]) /* it is served all the same */
            log_error("%s%s%s", err->text, err->next[0] ? "; " : "", err->next);
        *err = (struct err){0};
    }
    return peers_load(&node->main, err);
}

static int listen_all(struct node *node, struct http_thread *h, struct err *err)
{
    const struct config *c = node->config;
    for (size_t i = 0; i < c->n_listen + c->n_plain; i++) {
        bool tls = i < c->n_listen;
        const char *address = tls ? c->listen[i] : c->plain[i - c->n_listen];
        bool is_unix = str_starts(str_of(address), STR("unix:"));
        if (is_unix && h != &node->http[0])
            continue; /* a socket file has one listener */
        if (h == &node->http[0] && listen_check(address, err) != 0)
            return -EADDRINUSE;
        int fd = listen_open(address, err);
        if (fd < 0)
            return fd;
        int r = httpd_listen(h->httpd, fd, tls);
        if (r != 0)
            return err_set(err, r, "cannot listen on %s", address);
        if (h == &node->http[0])
            log_info("listening on %s (%s)", address, tls ? "HTTPS" : "plain, behind a proxy");
    }
    return 0;
}

static int open_http(struct node *node, struct err *err)
{
    int r = 0;
    if (node->config->n_listen > 0)
        r = tls_server_new(node->config, &node->tls, err);
    node->n_http = node->config->loops < LOOPS_MAX ? node->config->loops : LOOPS_MAX;
    for (unsigned i = 0; r == 0 && i < node->n_http; i++) {
        struct http_thread *h = &node->http[i];
        h->node = node;
        const struct httpd_settings settings = {.thread = &h->thread,
                                                .tls = node->tls,
                                                .config = node->config,
                                                .routes = routes,
                                                .max_connections = LIMIT_HTTP_CONNECTIONS};
        r = thread_parts(node, &h->thread, KEYS_PER_LOOP, NULL);
        if (r == 0)
            r = loop_new(&h->loop);
        if (r == 0)
            r = httpd_new(h->loop, &settings, &h->httpd);
        if (r == 0)
            r = listen_all(node, h, err);
    }
    return r;
}

/* ---- stopping: every loop finishes its requests, then ends ---- */

/* On the main thread, whose loop goes on until the last of all has finished: what ends with it
 * takes the writer and the other loops along. */
static void one_drained(void *arg)
{
    struct node *node = arg;
    if (--node->undrained == 0)
        loop_stop(node->http[0].loop);
}

static void on_drained(void *arg)
{
    struct http_thread *h = arg;
    struct loop *main_loop = h->node->http[0].loop;
    if (loop_post(main_loop, one_drained, h->node) != 0)
        loop_stop(main_loop);
}

static void drain(void *arg)
{
    struct http_thread *h = arg;
    httpd_drain(h->httpd, on_drained, h);
}

static void on_drain_late(void *arg)
{
    struct node *node = arg;
    log_warn("some requests did not finish in time");
    loop_stop(node->http[0].loop);
}

static void stop(struct node *node)
{
    if (node->stopping)
        return;
    node->stopping = true;
    node->undrained = node->n_http;
    log_info("stopping: finishing requests");
    for (unsigned i = 1; i < node->n_http; i++) {
        if (loop_post(node->http[i].loop, drain, &node->http[i]) != 0)
            node->undrained--; /* its requests are cut: no memory to let them finish */
    }
    loop_timer_start(node->drain_timer, DRAIN_MS);
    drain(&node->http[0]);
}

static void on_stop_signal(void *arg)
{
    stop(arg);
}

static void on_reload_signal(void *arg)
{
    struct err err = {0};
    struct node_reloaded found;
    if (node_reload(arg, &found, &err) != 0)
        log_error("reload failed, nothing was changed: %s", err.text);
}

static bool signer_alive(const struct signer_process *signer)
{
    siginfo_t info = {0};
    return waitid(P_PID, (id_t)signer_pid(signer), &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
           info.si_pid == 0;
}

/* Without its signer a node can verify, but neither issue nor check in: better to end and be
 * started again than to serve half. */
static void on_child_signal(void *arg)
{
    struct node *node = arg;
    if (!signer_alive(node->signer) && !node->stopping) {
        log_error("the signer process ended; the node stops");
        node->result = -EIO;
        stop(node);
    }
}

static const struct {
    int signal;
    void (*fn)(void *node);
} heard[] = {
    {SIGTERM, on_stop_signal},
    {SIGINT, on_stop_signal},
    {SIGHUP, on_reload_signal},
    {SIGCHLD, on_child_signal},
};

/* From the first moment on: what arrives before there is a loop to hear it waits, instead of ending
 * the process (SIGHUP) or being forgotten (SIGCHLD). Every thread but this one keeps them so. */
static void hold_signals(int how)
{
    sigset_t set;
    sigemptyset(&set);
    for (size_t i = 0; i < ARRAY_SIZE(heard); i++)
        sigaddset(&set, heard[i].signal);
    pthread_sigmask(how, &set, NULL);
}

/* Those that waited come with the first turn of the loop. */
static int hear_signals(struct node *node)
{
    struct loop *loop = node->http[0].loop;
    int r = loop_timer_new(loop, on_drain_late, node, &node->drain_timer);
    for (size_t i = 0; r == 0 && i < ARRAY_SIZE(heard); i++)
        r = loop_on_signal(loop, heard[i].signal, heard[i].fn, node);
    return r;
}

/* What is no reason not to serve the rest. */
static void warn_of_reach(const struct config *config, struct err *why)
{
    if (config_check_reach(config, why) != 0)
        log_warn("%s", why->text);
}

int node_reload(struct node *node, struct node_reloaded *out, struct err *err)
{
    _cleanup_(config_freep) struct config *fresh = NULL;
    char path[512];
    int r = state_path(node->state, "comity.ini", path);
    if (r == 0)
        r = config_read(path, &fresh, err);
    if (r == 0 && node->tls)
        r = tls_server_reload(node->tls, fresh, err);
    if (r != 0)
        return r > 0 ? APP_E_INVALID : r;

    struct err why = {0};
    config_need_restart(node->config, fresh, out->restart);
    log_info("certificates were read again");
    if (out->restart[0])
        log_warn("changed, and in force only after a restart: %s", out->restart);
    warn_of_reach(fresh, &why);
    memcpy(out->warning, why.text, sizeof(out->warning));
    return 0;
}

/* ---- running ---- */

static void *http_main(void *arg)
{
    struct http_thread *h = arg;
    pthread_setname_np(pthread_self(), "comity-http");
    loop_run(h->loop);
    return NULL;
}

static int start_threads(struct node *node, struct err *err)
{
    node->control_base = (struct verb_call){
        .thread = &node->control_thread, .fetch = &node->rules, .node = node, .state = node->state};
    int r = network_start(node->network);
    if (r != 0)
        return err_set(err, r, "the network thread cannot start");
    r = control_start(node->state, &node->control_base, &node->control, err);
    for (unsigned i = 1; r == 0 && i < node->n_http; i++) {
        r = -pthread_create(&node->http[i].id, NULL, http_main, &node->http[i]);
        node->http[i].running = r == 0;
    }
    return r;
}

static void node_close(struct node *node)
{
    control_stop(node->control);
    for (unsigned i = 1; i < node->n_http; i++) {
        if (node->http[i].running) {
            loop_stop(node->http[i].loop);
            pthread_join(node->http[i].id, NULL);
        }
    }
    network_stop(node->network);
    if (node->app.writer)
        writer_stop(node->app.writer); /* finishes what was acknowledged or may be */
    network_free(node->network);       /* until then the writer may notify it */
    loop_timer_free(node->drain_timer);
    for (unsigned i = 0; i < node->n_http; i++) {
        httpd_free(node->http[i].httpd);
        loop_free(node->http[i].loop);
        thread_parts_clear(&node->http[i].thread);
    }
    tls_server_free(node->tls);
    readers_close(node->network_readers);
    readers_close(node->control_readers);
    for (size_t i = atomic_load(&node->app.n_spaces); i > 0; i--)
        space_close(node->app.spaces[i - 1]);
    store_close(node->app.directory_store);
    signer_stop(node->signer);
    thread_parts_clear(&node->main);
    thread_parts_clear(&node->network_thread);
    thread_parts_clear(&node->control_thread);
    replay_free(node->app.request_replay);
    directory_free(node->app.directory);
    free(node);
}

static int node_start(struct node *node, struct err *err)
{
    int r = clock_real(node->config->trial, &node->clock, err);
    if (r == 0)
        r = signer_start(node->state, &node->clock, &node->signer, err); /* before any thread */
    if (r != 0)
        return r;
    node->app.clock = &node->clock;
    node->app.trial = node->config->trial;
    node->app.started_at = app_now(&node->app);
    fetch_rules_of(node->config, &node->rules);
    r = open_stores(node, err);
    if (r == 0)
        r = open_threads(node);
    if (r == 0)
        r = start_writer(node);
    if (r == 0)
        r = open_spaces(node, err);
    if (r == 0)
        r = open_http(node, err);
    if (r == 0)
        r = hear_signals(node);
    return r == 0 ? start_threads(node, err) : r;
}

int serve_run(const struct state *state, const struct config *config, struct err *err)
{
    struct node *node = calloc(1, sizeof(*node));
    if (!node)
        return -ENOMEM;
    /* Arenas for each thread would cost more memory than their locks cost time here. */
    mallopt(M_ARENA_MAX, 2);
    signal(SIGPIPE, SIG_IGN);
    hold_signals(SIG_BLOCK);
    node->state = state;
    node->config = config;
    int r = node_start(node, err);
    bool started = r == 0;
    if (started) {
        log_info("comity %s serves %zu space%s%s", COMITY_VERSION_TEXT,
                 atomic_load(&node->app.n_spaces), atomic_load(&node->app.n_spaces) == 1 ? "" : "s",
                 config->trial ? "; a trial: not for real visitors" : "");
        struct err why = {0};
        warn_of_reach(config, &why);
        hold_signals(SIG_UNBLOCK);
        loop_run(node->http[0].loop);
        hold_signals(SIG_BLOCK); /* the rest is short, and not to be cut */
        r = node->result;
        if (r != 0)
            err_set(err, r, "the signer process ended");
    }
    node_close(node);
    if (started)
        log_info("stopped");
    return r;
}
