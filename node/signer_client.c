/* The node's end of a channel: a struct signer that asks the signer process. */
#include "signer_client.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>

#include "signer_wire.h"

#define READ_MAX (64 * 1024)
#define KEEP_MAX (256 * 1024) /* larger buffers are given back after use */

static int encode(struct buf *out, enum wire_op op, enum sign_kind kind, const char *space,
                  struct str payload)
{
    size_t n_space = strlen(space);
    struct wire_request head = {
        .n = (uint32_t)(sizeof(head) + n_space + payload.n),
        .op = (uint16_t)op,
        .kind = (uint16_t)kind,
        .n_space = (uint32_t)n_space,
        .n_payload = (uint32_t)payload.n,
    };

    buf_add(out, &head, sizeof(head));
    buf_z(out, space);
    return buf_str(out, payload);
}

static void copy_text(char *out, size_t cap, const char *p, size_t n)
{
    n = n < cap - 1 ? n : cap - 1;
    memcpy(out, p, n);
    out[n] = '\0';
}

/* Cuts an answer into its parts. *made is borrowed from the frame. */
static int decode(struct str frame, const struct wire_answer *head, struct str *made,
                  struct err *err)
{
    const char *p = frame.p + sizeof(*head);

    if ((uint64_t)sizeof(*head) + head->n_made + head->n_text + head->n_next != frame.n)
        return -EPROTO;
    *made = (struct str){p, head->n_made};
    if (err && head->result != 0) {
        copy_text(err->text, sizeof(err->text), p + head->n_made, head->n_text);
        copy_text(err->next, sizeof(err->next), p + head->n_made + head->n_text, head->n_next);
    }
    return 0;
}

/* One round of sending and reading, so that neither end ever waits for the other to read. Appends
 * what came to ch->in. */
static int exchange(struct signer_client *ch, size_t *sent)
{
    struct pollfd p = {.fd = ch->fd, .events = POLLIN};
    ssize_t n;

    if (*sent < ch->out.n) {
        n = send(ch->fd, ch->out.p + *sent, ch->out.n - *sent, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n < 0 && errno != EAGAIN && errno != EINTR)
            return -EIO;
        *sent += n > 0 ? (size_t)n : 0;
    }
    if (*sent < ch->out.n) {
        p.events |= POLLOUT;
        if (poll(&p, 1, -1) < 0 && errno != EINTR)
            return -EIO;
        if (!(p.revents & (POLLIN | POLLHUP | POLLERR)))
            return 0;
    }
    if (buf_reserve(&ch->in, READ_MAX) != 0)
        return -ENOMEM;
    n = recv(ch->fd, ch->in.p + ch->in.n, READ_MAX, *sent < ch->out.n ? MSG_DONTWAIT : 0);
    if (n < 0)
        return errno == EAGAIN || errno == EINTR ? 0 : -EIO;
    ch->in.n += (size_t)n;
    return n == 0 ? -EIO : 0; /* the signer is gone */
}

typedef int (*answer_fn)(void *arg, size_t i, const struct wire_answer *head, struct str frame);

/* The two ends no longer agree on where they are, so this channel is of no more use: and a node
 * that can use only some of its channels is worse than one that notices the signer's death and
 * ends. */
static void break_off(struct signer_client *ch)
{
    if (!ch->broken)
        kill(ch->process, SIGKILL); /* its files are replaced whole, at any moment */
    ch->broken = true;
}

/* Sends what is in ch->out, and reads n answers. -ENOMEM: nothing was sent; -EIO: it is over. */
static int converse(struct signer_client *ch, size_t n, answer_fn each, void *arg)
{
    size_t sent = 0, at = 0, got = 0;
    struct wire_answer head;
    int r = ch->broken ? -EIO : 0;

    if (r == 0 && buf_error(&ch->out) != 0) {
        buf_clear(&ch->out);
        return -ENOMEM;
    }
    buf_reset(&ch->in);
    while (r == 0 && got < n) {
        struct str rest = {ch->in.p + at, ch->in.n - at};
        int frame = wire_frame(rest, sizeof(head), &head);

        if (frame < 0)
            r = frame;
        else if (frame == 0)
            r = exchange(ch, &sent);
        else
            r = each(arg, got++, &head, (struct str){rest.p, (size_t)frame});
        at += frame > 0 ? (size_t)frame : 0;
    }
    if (r != 0)
        break_off(ch);
    if (ch->in.cap > KEEP_MAX)
        buf_clear(&ch->in);
    if (ch->out.cap > KEEP_MAX)
        buf_clear(&ch->out);
    return r == 0 ? 0 : -EIO;
}

static int take_signature(void *arg, size_t i, const struct wire_answer *head, struct str frame)
{
    struct sign_request *req = ((struct sign_request *const *)arg)[i];
    struct str made;

    if (decode(frame, head, &made, &req->err) != 0)
        return -EPROTO;
    req->result = head->result;
    req->iat = head->iat;
    if (buf_str(&req->token, made) != 0) {
        buf_clear(&req->token);
        req->result = -ENOMEM;
    }
    return 0;
}

static bool fits(const struct sign_request *req)
{
    return strlen(req->space) <= LIMIT_ENTITY_ID && req->payload.n <= VAULT_PAYLOAD_MAX;
}

static int fail(struct sign_request *req, int result, const char *why)
{
    buf_clear(&req->token);
    req->result = result;
    return err_set(&req->err, result, "%s", why);
}

static const char *failure_words(int r)
{
    return r == -ENOMEM ? "memory is out" : "the signer process is gone";
}

static int client_sign(struct signer *self, struct sign_request *const reqs[], size_t n)
{
    struct signer_client *ch = (struct signer_client *)self;
    struct sign_request *batch[WIRE_IN_FLIGHT];
    size_t i = 0, k;
    int r = 0;

    while (i < n && r == 0) {
        buf_reset(&ch->out);
        for (k = 0; i < n && k < WIRE_IN_FLIGHT; i++) {
            buf_clear(&reqs[i]->token);
            reqs[i]->err = (struct err){0};
            if (fits(reqs[i])) {
                batch[k++] = reqs[i];
                encode(&ch->out, WIRE_SIGN, reqs[i]->kind, reqs[i]->space,
                       buf_as_str(&reqs[i]->payload));
            } else {
                fail(reqs[i], SIGNER_E_REFUSED, "the payload is too long to sign");
            }
        }
        r = k > 0 ? converse(ch, k, take_signature, batch) : 0;
    }
    /* Some may have been signed; what cannot be told for all is told for none. */
    for (i = 0; r != 0 && i < n; i++)
        fail(reqs[i], r, failure_words(r));
    return r;
}

struct small_answer {
    int result;
    struct err *err;
    struct key *federation, *pass; /* or NULL */
};

static int take_small(void *arg, size_t i, const struct wire_answer *head, struct str frame)
{
    struct small_answer *a = arg;
    struct str made;

    if (decode(frame, head, &made, a->err) != 0)
        return -EPROTO;
    a->result = head->result;
    if (a->result != 0 || !a->federation)
        return 0;
    if (made.n != 2 * sizeof(struct key))
        return -EPROTO;
    memcpy(a->federation, made.p, sizeof(struct key));
    memcpy(a->pass, made.p + sizeof(struct key), sizeof(struct key));
    return 0;
}

static int ask_small(struct signer *self, enum wire_op op, const char *space,
                     struct small_answer *a)
{
    struct signer_client *ch = (struct signer_client *)self;

    if (strlen(space) > LIMIT_ENTITY_ID)
        return err_set(a->err, SIGNER_E_SPACE, "no space has an id that long");
    buf_reset(&ch->out);
    encode(&ch->out, op, 0, space, (struct str){NULL, 0});
    int r = converse(ch, 1, take_small, a);
    return r == 0 ? a->result : err_set(a->err, r, "%s", failure_words(r));
}

static int client_create(struct signer *self, const char *space, struct err *err)
{
    return ask_small(self, WIRE_CREATE, space, &(struct small_answer){.err = err});
}

static int client_keys(struct signer *self, const char *space, struct key *federation,
                       struct key *pass, struct err *err)
{
    struct small_answer a = {.err = err, .federation = federation, .pass = pass};

    return ask_small(self, WIRE_KEYS, space, &a);
}

void signer_client_init(struct signer_client *ch, int fd, pid_t process)
{
    *ch = (struct signer_client){
        .base = {client_sign, client_create, client_keys},
        .fd = fd,
        .process = process,
    };
}

void signer_client_close(struct signer_client *ch)
{
    if (ch->fd >= 0)
        close(ch->fd);
    ch->fd = -1;
    ch->broken = true;
    buf_clear(&ch->in);
    buf_clear(&ch->out);
}
