#include <errno.h>
#include <stdio.h>

#include "control.h"
#include "control_frame.h"

static struct json *message(const struct verb *verb, const char *space, const struct json *request)
{
    struct json *m = json_object();
    int r = m ? 0 : -ENOMEM;
    if (r == 0)
        r = json_put_z(m, "verb", verb->name);
    if (r == 0)
        r = json_put_z(m, "space", space);
    if (r == 0)
        r = json_put(m, "request", json_ref(request));
    if (r == 0)
        return m;
    json_free(m);
    return NULL;
}

static int lost(struct err *err, int e)
{
    if (e == -EMSGSIZE)
        return err_set(err, e, "this is more than the %zu bytes that a node takes at once",
                       CONTROL_BYTES);
    err_set(err, 0, "the running node did not answer: %s", strerror(-e));
    return err_next(err, e, "It may be done all the same: look before you try again.");
}

static int read_answer(const struct json *a, int *result, struct json **reply, struct err *err)
{
    int64_t code;
    const char *text = json_z(a, "text"), *next = json_z(a, "next");
    if (json_get_int(a, "result", &code) != 0 || code < -4096 || code > 4096)
        return lost(err, -EBADMSG);
    if (text && *text)
        err_set(err, 0, "%s", text);
    if (next && *next)
        err_next(err, 0, "%s", next);
    const struct json *r = json_get(a, "reply");
    *reply = r ? json_ref(r) : NULL;
    *result = (int)code;
    return 0;
}

int control_call(const struct state *state, const struct verb *verb, const char *space,
                 const struct json *request, int *result, struct json **reply, struct err *err)
{
    _cleanup_(json_freep) struct json *m = NULL, *a = NULL;
    _cleanup_(closep) int fd = control_connect(state);

    if (fd < 0) {
        if (fd == -ENOENT || fd == -ECONNREFUSED)
            return fd;
        return err_set(err, fd, "%s/comity.sock cannot be opened: %s", state->dir, strerror(-fd));
    }
    m = message(verb, space, request);
    if (!m)
        return -ENOMEM;
    int r = control_send(fd, m, -1, CONTROL_TIME_MS);
    if (r == 0)
        r = control_receive(fd, &a, -1, CONTROL_REPLY_TIME_MS);
    /* The node ended between our connect() and its accept(). */
    if (r < 0)
        return lost(err, r);
    return read_answer(a, result, reply, err);
}
