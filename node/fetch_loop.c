/* Fetches on an event loop: libcurl's multi interface driven by libevent's events. */
#include <assert.h>
#include <errno.h>
#include <event2/event.h>
#include <sys/queue.h>

#include "fetch_easy.h"
#include "loop.h"

struct job {
    TAILQ_ENTRY(job) entry;
    struct fetch_easy *easy;    /* NULL: it failed before it began; result says why */
    struct fetch_result result; /* of such a job */
    void (*done)(void *arg, struct fetch_result *r);
    void *arg;
};
TAILQ_HEAD(jobs, job);

struct fetcher {
    struct loop *loop;
    struct fetch_rules rules;
    CURLM *multi;
    struct event *timer; /* libcurl's */
    struct event *kick;  /* runs what was started, from the loop */
    struct jobs waiting, running;
    unsigned n_waiting, n_running;
};

static void job_free(struct job *j)
{
    fetch_easy_free(j->easy);
    fetch_result_clear(&j->result);
    free(j);
}

static void job_finish(struct job *j, struct fetch_result *r)
{
    j->done(j->arg, r);
    fetch_result_clear(r);
    job_free(j);
}

static void start_waiting(struct fetcher *f)
{
    struct fetch_result r;
    struct job *j;

    while (f->n_running < LIMIT_FETCH_PARALLEL && (j = TAILQ_FIRST(&f->waiting))) {
        TAILQ_REMOVE(&f->waiting, j, entry);
        f->n_waiting--;
        if (!j->easy) {
            r = j->result;
            j->result = (struct fetch_result){0};
            job_finish(j, &r);
        } else if (curl_multi_add_handle(f->multi, j->easy->curl) != CURLM_OK) {
            r = (struct fetch_result){.result = -ENOMEM};
            job_finish(j, &r);
        } else {
            TAILQ_INSERT_TAIL(&f->running, j, entry);
            f->n_running++;
        }
    }
}

static struct job *find_running(struct fetcher *f, CURL *curl)
{
    struct job *j;

    for (j = TAILQ_FIRST(&f->running); j && j->easy->curl != curl;)
        j = TAILQ_NEXT(j, entry);
    return j;
}

static void finish_done(struct fetcher *f)
{
    CURLMsg *msg;
    int left;

    while ((msg = curl_multi_info_read(f->multi, &left))) {
        CURLcode code = msg->data.result;
        struct fetch_result r;
        struct job *j;

        if (msg->msg != CURLMSG_DONE)
            continue;
        j = find_running(f, msg->easy_handle);
        assert(j);
        TAILQ_REMOVE(&f->running, j, entry);
        f->n_running--;
        fetch_easy_judge(j->easy, code, &r);
        curl_multi_remove_handle(f->multi, j->easy->curl);
        job_finish(j, &r);
    }
    start_waiting(f);
}

static void on_kick(evutil_socket_t fd, short what, void *arg)
{
    start_waiting(arg);
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
    struct fetcher *f = arg;
    int running;

    curl_multi_socket_action(f->multi, CURL_SOCKET_TIMEOUT, 0, &running);
    finish_done(f);
}

static void on_socket(evutil_socket_t fd, short what, void *arg)
{
    struct fetcher *f = arg;
    int running;
    int flags = (what & EV_READ ? CURL_CSELECT_IN : 0) | (what & EV_WRITE ? CURL_CSELECT_OUT : 0);

    curl_multi_socket_action(f->multi, fd, flags, &running);
    finish_done(f);
}

/* libcurl forbids calling back into it from here: a due timer fires from the loop. */
static int want_timer(CURLM *multi, long ms, void *arg)
{
    struct fetcher *f = arg;
    struct timeval tv = {.tv_sec = ms / 1000, .tv_usec = (ms % 1000) * 1000};

    if (ms < 0)
        return event_del(f->timer);
    return event_add(f->timer, &tv);
}

static int want_socket(CURL *curl, curl_socket_t fd, int what, void *arg, void *socket_arg)
{
    struct fetcher *f = arg;
    struct event *ev = socket_arg;
    short events = EV_PERSIST;

    if (what == CURL_POLL_REMOVE) {
        if (ev)
            event_free(ev);
        curl_multi_assign(f->multi, fd, NULL);
        return 0;
    }
    events |= (short)((what & CURL_POLL_IN ? EV_READ : 0) | (what & CURL_POLL_OUT ? EV_WRITE : 0));
    if (ev) {
        event_del(ev);
        if (event_assign(ev, loop_base(f->loop), fd, events, on_socket, f) != 0)
            return -1;
    } else {
        ev = event_new(loop_base(f->loop), fd, events, on_socket, f);
        if (!ev || curl_multi_assign(f->multi, fd, ev) != CURLM_OK) {
            if (ev)
                event_free(ev);
            return -1;
        }
    }
    return event_add(ev, NULL);
}

int fetcher_new(struct loop *loop, const struct fetch_rules *rules, struct fetcher **out)
{
    struct fetcher *f;
    int r = fetch_global();

    if (r != 0)
        return r;
    f = calloc(1, sizeof(*f));
    if (!f)
        return -ENOMEM;
    f->loop = loop;
    f->rules = *rules;
    TAILQ_INIT(&f->waiting);
    TAILQ_INIT(&f->running);
    f->multi = curl_multi_init();
    f->timer = evtimer_new(loop_base(loop), on_timer, f);
    f->kick = event_new(loop_base(loop), -1, 0, on_kick, f);
    if (!f->multi || !f->timer || !f->kick) {
        fetcher_free(f);
        return -ENOMEM;
    }
    curl_multi_setopt(f->multi, CURLMOPT_SOCKETFUNCTION, want_socket);
    curl_multi_setopt(f->multi, CURLMOPT_SOCKETDATA, f);
    curl_multi_setopt(f->multi, CURLMOPT_TIMERFUNCTION, want_timer);
    curl_multi_setopt(f->multi, CURLMOPT_TIMERDATA, f);
    curl_multi_setopt(f->multi, CURLMOPT_MAXCONNECTS, (long)LIMIT_FETCH_PARALLEL);
    *out = f;
    return 0;
}

void fetcher_free(struct fetcher *f)
{
    struct job *j;

    if (!f)
        return;
    while ((j = TAILQ_FIRST(&f->running))) {
        TAILQ_REMOVE(&f->running, j, entry);
        curl_multi_remove_handle(f->multi, j->easy->curl);
        job_free(j);
    }
    while ((j = TAILQ_FIRST(&f->waiting))) {
        TAILQ_REMOVE(&f->waiting, j, entry);
        job_free(j);
    }
    /* Closing what was kept open asks for the timer and the sockets once more. */
    curl_multi_cleanup(f->multi);
    if (f->timer)
        event_free(f->timer);
    if (f->kick)
        event_free(f->kick);
    free(f);
}

int fetcher_start(struct fetcher *f, const struct fetch_request *req,
                  void (*done)(void *arg, struct fetch_result *r), void *arg)
{
    struct job *j;

    if (f->n_waiting >= FETCH_QUEUE)
        return -EAGAIN;
    j = calloc(1, sizeof(*j));
    if (!j)
        return -ENOMEM;
    j->done = done;
    j->arg = arg;
    j->result.result = fetch_easy_new(&f->rules, req, &j->easy, &j->result.err);
    if (j->result.result == -ENOMEM) {
        job_free(j);
        return -ENOMEM;
    }
    TAILQ_INSERT_TAIL(&f->waiting, j, entry);
    f->n_waiting++;
    event_active(f->kick, EV_TIMEOUT, 0);
    return 0;
}
