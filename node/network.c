#include "network.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>

#include "log.h"
#include "network_parts.h"

#define RENEW_EVERY 60000 /* ms */
#define SEND_AFTER 200    /* ms */

struct network {
    struct app_thread *thread; /* borrowed */
    struct loop *loop;
    struct fetcher *fetcher;
    struct peers peers;
    struct outbox outbox;
    struct loop_timer *minute, *soon;
    pthread_t id;
    bool running;
    bool over; /* the thread has ended: late notices mean nothing */
    /* a notice that has not been looked at yet covers those that follow it */
    atomic_bool outbox_noticed, peers_noticed;
    struct loop_task outbox_task, peers_task;
};

static void renew_all(struct network *n)
{
    struct app *app = n->thread->app;
    size_t spaces = atomic_load_explicit(&app->n_spaces, memory_order_acquire);

    for (size_t i = 0; i < spaces; i++) {
        struct err err = {0};

        if (space_renew(n->thread, app->spaces[i], &err) != 0)
            log_error("%s cannot renew what it publishes: %s", app->spaces[i]->id, err.text);
    }
}

static void on_minute(void *arg)
{
    struct network *n = arg;

    renew_all(n);
    peers_read(&n->peers);
    loop_timer_start(n->minute, RENEW_EVERY);
}

static void on_soon(void *arg)
{
    struct network *n = arg;

    atomic_store(&n->outbox_noticed, false);
    if (!n->over)
        outbox_send(&n->outbox);
}

/* A moment later, so that the stamps of a busy desk travel together, and the outbox is not read for
 * each of them. */
static void on_outbox(void *arg)
{
    struct network *n = arg;

    if (!n->over)
        loop_timer_start(n->soon, SEND_AFTER);
}

static void on_peers(void *arg)
{
    struct network *n = arg;

    atomic_store(&n->peers_noticed, false);
    if (!n->over)
        peers_read(&n->peers);
}

static void network_notify(void *network, int what)
{
    struct network *n = network;

    if (what == NOTIFY_OUTBOX && !atomic_exchange(&n->outbox_noticed, true))
        loop_post_task(n->loop, &n->outbox_task);
    if (what == NOTIFY_PEERS && !atomic_exchange(&n->peers_noticed, true))
        loop_post_task(n->loop, &n->peers_task);
}

static void *run(void *arg)
{
    struct network *n = arg;

    peers_read(&n->peers);
    outbox_send(&n->outbox);
    loop_timer_start(n->minute, RENEW_EVERY);
    if (loop_run(n->loop) != 0)
        log_error("the network thread's loop has failed: peers are no longer looked at");
    return NULL;
}

/* Signals are the main thread's. */
static int make_thread(struct network *n)
{
    sigset_t all, before;
    int r;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    r = pthread_create(&n->id, NULL, run, n);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (r == 0)
        pthread_setname_np(n->id, "network");
    return -r;
}

int network_new(const struct network_settings *s, struct network **out)
{
    struct network *n = calloc(1, sizeof(*n));
    int r;

    if (!n)
        return -ENOMEM;
    n->thread = s->thread;
    n->outbox_task = (struct loop_task){.fn = on_outbox, .arg = n};
    n->peers_task = (struct loop_task){.fn = on_peers, .arg = n};
    r = loop_new(&n->loop);
    if (r == 0)
        r = fetcher_new(n->loop, s->rules, &n->fetcher);
    if (r == 0)
        r = peers_init(&n->peers, n->loop, s->thread, n->fetcher, s->status_poll);
    if (r == 0)
        r = outbox_init(&n->outbox, n->loop, s->thread, n->fetcher);
    if (r == 0)
        r = loop_timer_new(n->loop, on_minute, n, &n->minute);
    if (r == 0)
        r = loop_timer_new(n->loop, on_soon, n, &n->soon);
    if (r != 0) {
        network_free(n);
        return r;
    }
    s->thread->app->notify_ctx = n;
    s->thread->app->notify = network_notify;
    *out = n;
    return 0;
}

int network_start(struct network *n)
{
    int r = make_thread(n);

    n->running = r == 0;
    return r;
}

void network_stop(struct network *n)
{
    if (!n || !n->running)
        return;
    loop_stop(n->loop);
    pthread_join(n->id, NULL);
    n->running = false;
}

/* The order matters: first nobody calls back any more, then what they would call goes. */
void network_free(struct network *n)
{
    if (!n)
        return;
    network_stop(n);
    n->over = true;
    n->thread->app->notify = NULL;
    fetcher_free(n->fetcher);
    outbox_clear(&n->outbox);
    peers_clear(&n->peers);
    loop_timer_free(n->minute);
    loop_timer_free(n->soon);
    loop_free(n->loop);
    free(n);
}
