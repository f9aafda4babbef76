/* Deliveries: what lib/app found due is posted, and its answer handed back. */
#include <errno.h>
#include <stdio.h>

#include "log.h"
#include "network_parts.h"

#define LOOK_EVERY 5000 /* ms */

struct sending {
    struct outbox *outbox;
    struct space *space;
    struct delivery delivery;
};

static unsigned count_free(const struct outbox *o)
{
    unsigned n = 0;

    for (unsigned i = 0; i < DELIVERIES_MAX; i++)
        n += o->sending[i] == NULL;
    return n;
}

static void sending_free(struct sending *s)
{
    struct outbox *o = s->outbox;

    for (unsigned i = 0; i < DELIVERIES_MAX; i++)
        if (o->sending[i] == s)
            o->sending[i] = NULL;
    delivery_clear(&s->delivery);
    free(s);
}

/* What became of a stamp is unknown, unless the home said so: it stays in the outbox. */
static void on_posted(void *arg, struct fetch_result *r)
{
    struct sending *s = arg;
    struct outbox *o = s->outbox;
    struct err err = r->err;
    int done = r->result;

    if (done == 0 && r->status == 200)
        done = deliver_received(o->thread, s->space, &s->delivery, buf_as_str(&r->body), &err);
    if (done != 0) {
        log_warn("%zu stamps for %s are not delivered yet: %s", s->delivery.n, s->delivery.home,
                 err.text[0] ? err.text : "its answer could not be kept");
        /* where the answer itself was at fault, lib/app has put them off already */
        if ((r->result != 0 || done < 0) && deliver_failed(o->thread, s->space, &s->delivery) != 0)
            log_error("the outbox of %s cannot be written", s->space->id);
    } else {
        log_info("%zu stamps delivered to %s", s->delivery.n, s->delivery.home);
    }
    sending_free(s);
    if (done == 0)
        outbox_send(o); /* there may be more for that home */
}

static int post(struct sending *s)
{
    const struct delivery *d = &s->delivery;
    const struct fetch_request req = {
        .url = d->url.p,
        .accept = "application/json",
        .max = LIMIT_STAMPS_PER_POST * LIMIT_STAMP + 4096, /* a receipt each */
        .content_type = "application/json",
        .body = buf_as_str(&d->body),
        .content_digest = d->content_digest.p,
        .signature_input = d->signature_input.p,
        .signature = d->signature.p,
    };

    return fetcher_start(s->outbox->fetcher, &req, on_posted, s);
}

/* Takes over what was collected, a delivery a place. */
static void start(struct outbox *o, struct space *space, struct delivery *d)
{
    struct sending *s = calloc(1, sizeof(*s));
    unsigned i = 0;

    if (!s) {
        delivery_clear(d);
        return;
    }
    s->outbox = o;
    s->space = space;
    s->delivery = *d;
    while (o->sending[i])
        i++;
    o->sending[i] = s;
    if (post(s) != 0)
        sending_free(s); /* still in the outbox, and still due */
}

static void send_space(struct outbox *o, struct space *space)
{
    struct delivery found[DELIVERIES_MAX];
    const char *skip[DELIVERIES_MAX];
    size_t n_skip = 0, n = 0;
    struct err err = {0};
    unsigned room = count_free(o);
    int r;

    if (room == 0)
        return;
    for (unsigned i = 0; i < DELIVERIES_MAX; i++)
        if (o->sending[i])
            skip[n_skip++] = o->sending[i]->delivery.home;
    r = deliver_collect(o->thread, space, skip, n_skip, found, room, &n, &err);
    if (r != 0) {
        log_warn("the outbox of %s cannot be read: %s", space->id,
                 err.text[0] ? err.text : strerror(r < 0 ? -r : 0));
        return;
    }
    for (size_t i = 0; i < n; i++)
        start(o, space, &found[i]);
}

void outbox_send(struct outbox *o)
{
    struct app *app = o->thread->app;
    size_t n = atomic_load_explicit(&app->n_spaces, memory_order_acquire);

    for (size_t i = 0; i < n; i++)
        send_space(o, app->spaces[i]);
    loop_timer_start(o->timer, LOOK_EVERY);
}

static void on_timer(void *arg)
{
    outbox_send(arg);
}

int outbox_init(struct outbox *o, struct loop *loop, struct app_thread *thread,
                struct fetcher *fetcher)
{
    *o = (struct outbox){.thread = thread, .fetcher = fetcher};
    return loop_timer_new(loop, on_timer, o, &o->timer);
}

void outbox_clear(struct outbox *o)
{
    loop_timer_free(o->timer);
    for (unsigned i = 0; i < DELIVERIES_MAX; i++)
        if (o->sending[i])
            sending_free(o->sending[i]);
}
