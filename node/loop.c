#include "loop.h"

#include <errno.h>
#include <event2/event.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <time.h>

#define SIGNALS_MAX 8

struct loop_signal {
    void (*fn)(void *arg);
    void *arg;
    struct event *event;
};

struct loop {
    struct event_base *base;
    struct event *wake;
    int wake_fd; /* eventfd: other threads write to it, and nothing of libevent is theirs */
    bool stop;   /* loop's thread */
    struct loop_signal signals[SIGNALS_MAX];
    size_t n_signals;

    pthread_mutex_t lock; /* of what follows */
    struct loop_task *first, **last;
};

struct loop_timer {
    struct event *event;
    void (*fn)(void *arg);
    void *arg;
};

uint64_t loop_now_ms(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC_COARSE, &ts);
    return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

/* Takes all that is posted; what the tasks post themselves comes in the next round, so that they
 * cannot keep the sockets waiting for ever. */
static bool run_posted(struct loop *l)
{
    struct loop_task *task, *next;

    pthread_mutex_lock(&l->lock);
    task = l->first;
    l->first = NULL;
    l->last = &l->first;
    pthread_mutex_unlock(&l->lock);
    if (!task)
        return false;
    for (; task; task = next) {
        void (*fn)(void *arg) = task->fn;
        void *arg = task->arg;

        next = task->next;
        if (task->owned)
            free(task);
        fn(arg); /* the task may be gone from here on */
    }
    return true;
}

static void on_wake(evutil_socket_t fd, short what, void *arg)
{
    uint64_t count;

    (void)what;
    while (read(fd, &count, sizeof(count)) < 0 && errno == EINTR)
        ;
    run_posted(arg);
}

static void do_stop(void *arg)
{
    struct loop *l = arg;

    l->stop = true;
    event_base_loopbreak(l->base);
}

int loop_new(struct loop **out)
{
    struct event_config *config = event_config_new();
    struct loop *l = calloc(1, sizeof(*l));
    int r = -ENOMEM;

    if (!config || !l)
        goto fail;
    l->wake_fd = -1;
    l->last = &l->first;
    pthread_mutex_init(&l->lock, NULL);
    if (event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK))
        goto fail;
    l->base = event_base_new_with_config(config);
    if (!l->base)
        goto fail;
    l->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (l->wake_fd < 0) {
        r = -errno;
        goto fail;
    }
    l->wake = event_new(l->base, l->wake_fd, EV_READ | EV_PERSIST, on_wake, l);
    if (!l->wake || event_add(l->wake, NULL))
        goto fail;
    event_config_free(config);
    *out = l;
    return 0;
fail:
    if (config)
        event_config_free(config);
    loop_free(l);
    return r;
}

void loop_free(struct loop *l)
{
    if (!l)
        return;
    while (l->last && run_posted(l))
        ;
    for (size_t i = 0; i < l->n_signals; i++)
        event_free(l->signals[i].event);
    if (l->wake)
        event_free(l->wake);
    if (l->base)
        event_base_free(l->base);
    if (l->wake_fd >= 0)
        close(l->wake_fd);
    pthread_mutex_destroy(&l->lock);
    free(l);
}

struct event_base *loop_base(struct loop *l)
{
    return l->base;
}

int loop_run(struct loop *l)
{
    while (!l->stop)
        if (event_base_loop(l->base, EVLOOP_NO_EXIT_ON_EMPTY) < 0)
            return -EIO;
    l->stop = false;
    return 0;
}

void loop_post_task(struct loop *l, struct loop_task *task)
{
    uint64_t one = 1;
    bool first;

    task->next = NULL;
    pthread_mutex_lock(&l->lock);
    first = !l->first;
    *l->last = task;
    l->last = &task->next;
    pthread_mutex_unlock(&l->lock);
    if (!first)
        return; /* whoever came first has woken the loop */
    while (write(l->wake_fd, &one, sizeof(one)) < 0 && errno == EINTR)
        ;
}

int loop_post(struct loop *l, void (*fn)(void *arg), void *arg)
{
    struct loop_task *task = malloc(sizeof(*task));

    if (!task)
        return -ENOMEM;
    *task = (struct loop_task){.fn = fn, .arg = arg, .owned = true};
    loop_post_task(l, task);
    return 0;
}

void loop_stop(struct loop *l)
{
    if (loop_post(l, do_stop, l))
        abort(); /* no memory for 32 bytes: a node that cannot stop is worse */
}

static void on_signal(evutil_socket_t fd, short what, void *arg)
{
    struct loop_signal *s = arg;

    (void)fd;
    (void)what;
    s->fn(s->arg);
}

int loop_on_signal(struct loop *l, int signal, void (*fn)(void *arg), void *arg)
{
    struct loop_signal *s = &l->signals[l->n_signals];

    if (l->n_signals == SIGNALS_MAX)
        return -ENOSPC;
    *s = (struct loop_signal){.fn = fn, .arg = arg};
    s->event = evsignal_new(l->base, signal, on_signal, s);
    if (!s->event)
        return -ENOMEM;
    if (event_add(s->event, NULL)) {
        event_free(s->event);
        return -EINVAL;
    }
    l->n_signals++;
    return 0;
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
    struct loop_timer *t = arg;

    (void)fd;
    (void)what;
    t->fn(t->arg);
}

int loop_timer_new(struct loop *l, void (*fn)(void *arg), void *arg, struct loop_timer **out)
{
    struct loop_timer *t = calloc(1, sizeof(*t));

    if (!t)
        return -ENOMEM;
    t->fn = fn;
    t->arg = arg;
    t->event = evtimer_new(l->base, on_timer, t);
    if (!t->event) {
        free(t);
        return -ENOMEM;
    }
    *out = t;
    return 0;
}

void loop_timer_start(struct loop_timer *t, unsigned ms)
{
    struct timeval tv = {.tv_sec = ms / 1000, .tv_usec = (suseconds_t)(ms % 1000) * 1000};

    evtimer_add(t->event, &tv);
}

void loop_timer_free(struct loop_timer *t)
{
    if (!t)
        return;
    event_free(t->event);
    free(t);
}
