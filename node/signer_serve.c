#include "signer_serve.h"

#include <errno.h>
#include <malloc.h>
#include <poll.h>
#include <sys/socket.h>

#include "signer_wire.h"

#define READ_MAX (64 * 1024)
#define FIRST_IDLE_MS 1000 /* until it lets go of what starting took */
#define IDLE_MS 60000      /* likewise, after it has worked */

struct channel {
    int fd; /* -1: closed */
    struct buf in;
};

static int answer(struct buf *out, int result, int64_t iat, struct str made, const struct err *err)
{
    struct str text = result != 0 ? str_of(err->text) : STR("");
    struct str next = result != 0 ? str_of(err->next) : STR("");
    struct wire_answer head = {
        .n = (uint32_t)(sizeof(head) + made.n + text.n + next.n),
        .result = result,
        .iat = iat,
        .n_made = (uint32_t)made.n,
        .n_text = (uint32_t)text.n,
        .n_next = (uint32_t)next.n,
    };

    buf_add(out, &head, sizeof(head));
    buf_str(out, made);
    buf_str(out, text);
    return buf_str(out, next);
}

static int serve_sign(struct vault *v, const struct wire_request *head, const char *space,
                      struct str payload, struct buf *out)
{
    struct sign_request req = {.kind = (enum sign_kind)head->kind, .space = space};
    int r = 0;

    /* Borrowed: the vault only reads it. */
    req.payload = (struct buf){.p = (char *)payload.p, .n = payload.n};
    vault_sign(v, &req);
    r = answer(out, req.result, req.iat, buf_as_str(&req.token), &req.err);
    buf_clear(&req.token);
    return r;
}

static int serve_frame(struct vault *v, struct str frame, const struct wire_request *head,
                       struct buf *out)
{
    const char *p = frame.p + sizeof(*head);
    char space[LIMIT_ENTITY_ID + 1];
    struct key keys[2];
    struct err err = {0};
    int r;

    if ((uint64_t)sizeof(*head) + head->n_space + head->n_payload != frame.n ||
        str_copy(space, sizeof(space), (struct str){p, head->n_space}) != 0)
        return -EPROTO;
    switch ((enum wire_op)head->op) {
    case WIRE_SIGN:
        return serve_sign(v, head, space, (struct str){p + head->n_space, head->n_payload}, out);
    case WIRE_CREATE:
        return answer(out, vault_create(v, space, &err), 0, STR(""), &err);
    case WIRE_KEYS:
        memset(keys, 0, sizeof(keys));
        r = vault_keys(v, space, &keys[0], &keys[1], &err);
        return answer(out, r, 0, (struct str){(const char *)keys, r == 0 ? sizeof(keys) : 0}, &err);
    }
    return -EPROTO;
}

static int send_all(int fd, struct str s)
{
    while (s.n > 0) {
        ssize_t n = send(fd, s.p, s.n, MSG_NOSIGNAL);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -errno;
        s = (struct str){s.p + n, s.n - (size_t)n};
    }
    return 0;
}

/* Answers every whole frame that is there, in one write. */
static int serve_frames(struct vault *v, struct channel *ch, struct buf *out)
{
    struct wire_request head;
    size_t at = 0;
    int n, r = 0;

    buf_reset(out);
    while ((n = wire_frame((struct str){ch->in.p + at, ch->in.n - at}, sizeof(head), &head)) > 0) {
        r = serve_frame(v, (struct str){ch->in.p + at, (size_t)n}, &head, out);
        if (r != 0)
            return r;
        at += (size_t)n;
    }
    if (n < 0)
        return n;
    if (at < ch->in.n && at > 0)
        memmove(ch->in.p, ch->in.p + at, ch->in.n - at);
    ch->in.n -= at;
    return send_all(ch->fd, buf_as_str(out));
}

/* Reads once; what the other end broke off or garbled closes that channel alone. */
static void serve_channel(struct vault *v, struct channel *ch, struct buf *out)
{
    int r = buf_reserve(&ch->in, READ_MAX);
    ssize_t n = 0;

    if (r == 0) {
        n = recv(ch->fd, ch->in.p + ch->in.n, READ_MAX, 0);
        if (n < 0 && errno == EINTR)
            return;
        ch->in.n += n > 0 ? (size_t)n : 0;
    }
    if (n > 0)
        r = serve_frames(v, ch, out);
    if (n > 0 && r == 0)
        return;
    close(ch->fd);
    ch->fd = -1;
    buf_clear(&ch->in);
}

static void release_buffers(struct channel channels[static SIGNER_CHANNELS], struct buf *out)
{
    for (int i = 0; i < SIGNER_CHANNELS; i++)
        if (channels[i].in.n == 0)
            buf_clear(&channels[i].in);
    buf_clear(out);
}

int signer_serve(struct vault *vault, const int fds[static SIGNER_CHANNELS])
{
    struct channel channels[SIGNER_CHANNELS] = {0};
    struct pollfd polls[SIGNER_CHANNELS];
    _cleanup_(buf_clear) struct buf out = {0};
    int open = SIGNER_CHANNELS, idle = FIRST_IDLE_MS, ready;

    for (int i = 0; i < SIGNER_CHANNELS; i++)
        channels[i].fd = fds[i];
    while (open > 0) {
        for (int i = 0; i < SIGNER_CHANNELS; i++) /* poll() passes over negative ones */
            polls[i] = (struct pollfd){.fd = channels[i].fd, .events = POLLIN};
        ready = poll(polls, SIGNER_CHANNELS, idle);
        if (ready < 0 && errno != EINTR)
            return -errno;
        if (ready == 0) {
            release_buffers(channels, &out);
            malloc_trim(0);
            idle = -1;
        } else if (idle < 0) {
            idle = IDLE_MS;
        }
        if (ready <= 0)
            continue;
        for (int i = 0; i < SIGNER_CHANNELS; i++)
            if (channels[i].fd >= 0 && polls[i].revents) {
                serve_channel(vault, &channels[i], &out);
                open -= channels[i].fd < 0;
            }
    }
    return 0;
}
