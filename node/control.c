#include "control.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include "control_frame.h"
#include "log.h"

#define VERB_WORDS_MAX 4

struct control {
    struct state state;
    const struct verb_call *base; /* borrowed */
    int listener, stop;
    pthread_t thread;
};

/* ---- one request ---- */

/* The verb of that exact name. */
static const struct verb *verb_named(const char *name)
{
    for (size_t i = 0; name && verbs[i]; i++)
        if (strcmp(verbs[i]->name, name) == 0)
            return verbs[i];
    return NULL;
}

static int run_verb(struct control *c, const struct json *message, struct verb_call *call)
{
    const struct verb *verb = verb_named(json_z(message, "verb"));
    const char *space = json_z(message, "space");

    call->request = json_get(message, "request");
    if (!verb || (verb->place != VERB_STATE && verb->place != VERB_NODE) ||
        json_kind(call->request) != JSON_OBJECT) {
        err_set(&call->err, 0, "the running node does not know this request");
        return err_next(&call->err, APP_E_INVALID,
                        "Is it of another version? Restart the node, and try again.");
    }
    if (verb->wants && !json_z(call->request, verb->wants))
        return err_set(&call->err, APP_E_INVALID, "%s: %s is missing, or no text", verb->name,
                       verb->wants);
    int r =
        verb_choose_space(verb, call->thread->app, space ? space : "", &call->space, &call->err);
    if (r == 0)
        r = verb->run(call);
    log_debug("control: %s: %d", verb->name, r);
    return r;
}

/* Consumes call->reply. */
static struct json *answer(int result, struct verb_call *call)
{
    struct json *a = json_object();
    int r = a ? 0 : -ENOMEM;
    if (r == 0)
        r = json_put_int(a, "result", result);
    if (r == 0)
        r = json_put_z(a, "text", call->err.text);
    if (r == 0)
        r = json_put_z(a, "next", call->err.next);
    if (r == 0 && call->reply) {
        r = json_put(a, "reply", call->reply);
        call->reply = NULL;
    }
    json_free(call->reply);
    if (r == 0)
        return a;
    json_free(a);
    return NULL;
}

/* The folder is closed to others, and so is the socket; this holds also when someone opened them.
 */
static bool is_ours(int fd)
{
    struct ucred peer;
    socklen_t n = sizeof(peer);
    return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &n) == 0 &&
           (peer.uid == geteuid() || peer.uid == 0);
}

static void serve_caller(struct control *c, int fd)
{
    _cleanup_(json_freep) struct json *message = NULL, *reply = NULL;
    struct verb_call call = *c->base;

    if (!is_ours(fd)) {
        log_warn("control: a caller of another user was turned away");
        return;
    }
    int r = control_receive(fd, &message, c->stop, CONTROL_TIME_MS);
    if (r < 0) {
        log_warn("control: no request came: %s", strerror(-r));
        return;
    }
    call.state = &c->state;
    call.stop = c->stop;
    r = run_verb(c, message, &call);
    reply = answer(r, &call);
    if (!reply)
        return;
    r = control_send(fd, reply, c->stop, CONTROL_TIME_MS);
    if (r == -EMSGSIZE) {
        struct verb_call large = {0};
        err_set(&large.err, 0, "the reply is longer than %zu bytes", CONTROL_BYTES);
        err_next(&large.err, 0, "Ask for fewer at once, with --limit.");
        json_free(reply);
        reply = answer(APP_E_LIMIT, &large);
        r = reply ? control_send(fd, reply, c->stop, CONTROL_TIME_MS) : -ENOMEM;
    }
    if (r < 0)
        log_warn("control: the caller did not take its reply: %s", strerror(-r));
}

/* ---- the thread ---- */

static void *control_main(void *arg)
{
    struct control *c = arg;
    for (;;) {
        struct pollfd p[2] = {{.fd = c->listener, .events = POLLIN},
                              {.fd = c->stop, .events = POLLIN}};
        if (poll(p, 2, -1) < 0) {
            if (errno == EINTR)
                continue;
            log_error("control: poll: %s", strerror(errno));
            return NULL;
        }
        if (p[1].revents)
            return NULL;
        _cleanup_(closep) int fd = accept4(c->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (fd >= 0)
            serve_caller(c, fd);
        else if (errno == EMFILE || errno == ENFILE)
            poll(&p[1], 1, 100); /* the backlog stays readable: do not spin on it */
    }
}

static int start_thread(struct control *c)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int r = pthread_create(&c->thread, NULL, control_main, c);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return -r;
}

int control_start(const struct state *state, struct verb_call *base, struct control **out,
                  struct err *err)
{
    struct control *c = calloc(1, sizeof(*c));
    if (!c)
        return -ENOMEM;
    *c = (struct control){.state = *state, .base = base, .listener = -1};
    c->stop = eventfd(0, EFD_CLOEXEC);
    int r = c->stop < 0 ? -errno : 0;
    if (r == 0) {
        control_unlink(state); /* of a node that was killed: we hold the lock */
        c->listener = control_bind(state);
        r = c->listener < 0 ? c->listener : start_thread(c);
    }
    if (r < 0) {
        if (c->listener >= 0) {
            close(c->listener);
            control_unlink(state);
        }
        if (c->stop >= 0)
            close(c->stop);
        free(c);
        return err_set(err, r, "%s/comity.sock cannot be opened: %s", state->dir, strerror(-r));
    }
    *out = c;
    return 0;
}

void control_stop(struct control *c)
{
    if (!c)
        return;
    eventfd_write(c->stop, 1);
    pthread_join(c->thread, NULL);
    control_unlink(&c->state);
    close(c->listener);
    close(c->stop);
    free(c);
}
