#include "api.h"

#include "app/check_in.h"
#include "crypto/digest.h"

#include <errno.h>
#include <stddef.h>

/* One check-in on its way through the writer. */
struct pending {
    struct api_write write; /* first */
    struct check_in check_in;
};

static void clear(struct api_write *w)
{
    check_in_clear(&((struct pending *)w)->check_in);
}

static void answer(struct http_request *r, struct api_write *w, int result)
{
    const struct check_in *c = &((const struct pending *)w)->check_in;
    struct str verdict = buf_as_str(&c->reply);

    if (result == 0) {
        http_answer_json(r, c->replayed_key || c->already_in ? 200 : 201, verdict);
        return;
    }
    /* The verdict's members become members of the problem: RFC 9457 section 3.2. */
    if ((result == APP_E_REFUSED || result == APP_E_CONFIRM) && verdict.n > 2)
        verdict = (struct str){verdict.p + 1, verdict.n - 2};
    else
        verdict = STR("");
    http_app_problem_with(r, result, &c->job.err, verdict);
}

static const struct api_kind kind = {
    .size = sizeof(struct pending),
    .job = offsetof(struct pending, check_in.job),
    .answer = answer,
    .clear = clear,
};

/* The key of the header (draft-ietf-httpapi-idempotency-key-header: a string in quotes; bare ones
 * are common) or of the body's member. False: answered. */
static bool read_key(struct http_request *r, const struct json *body, char *out, size_t cap)
{
    struct str header = http_header_get(r, "idempotency-key"), member = {NULL, 0};

    if (json_get_str(body, "key", &member) == JSON_E_TYPE) {
        api_invalid(r, "key must be a string");
        return false;
    }
    if (header.n >= 2 && header.p[0] == '"' && header.p[header.n - 1] == '"')
        header = (struct str){header.p + 1, header.n - 2};
    if (header.p && member.p && !str_eq(header, member)) {
        api_invalid(r, "the header Idempotency-Key and the member key differ");
        return false;
    }
    if (!header.p)
        header = member;
    if (!header.p)
        return true; /* without one, every request is a new one */
    if (header.n == 0 || !str_is_printable(header) || str_copy(out, cap, header)) {
        api_invalid(r, "an idempotency key is 1 to %d printable characters", LIMIT_IDEMPOTENCY_KEY);
        return false;
    }
    return true;
}

/* False: answered. */
static bool read_body(struct http_request *r, const struct json *body, struct check_in *c,
                      struct str *text)
{
    struct str token = {NULL, 0}, verification = {NULL, 0};

    if (json_get_str(body, "token", &token) == JSON_E_TYPE ||
        json_get_str(body, "verification", &verification) == JSON_E_TYPE ||
        !token.p == !verification.p) {
        api_invalid(r, "exactly one of token and verification must be given, as a string");
        return false;
    }
    if (json_get_bool(body, "confirm", &c->confirm) == JSON_E_TYPE) {
        api_invalid(r, "confirm must be true or false");
        return false;
    }
    if (verification.p && !str_starts(verification, STR("ver_"))) {
        api_invalid(r, "verification must be an id that begins with ver_");
        return false;
    }
    *text = token.p ? token : verification;
    return read_key(r, body, c->key, sizeof(c->key));
}

void api_check_in(struct http_request *r)
{
    _cleanup_(json_freep) struct json *body = api_body(r);
    _cleanup_(api_write_freep) struct api_write *w = NULL;
    struct check_in *c;
    struct err err = {0};
    struct str text;
    int result;

    if (!body)
        return;
    w = api_write_new(r, &kind);
    if (!w)
        return;
    c = &((struct pending *)w)->check_in;
    if (!read_body(r, body, c, &text))
        return;
    str_copy(c->desk, sizeof(c->desk), str_of(r->holder.id));
    result = sha256(r->body.p, r->body.n, c->body_digest);
    if (!result)
        result = check_in_prepare(r->thread, r->space, text, c, &err);
    if (result) {
        http_app_problem(r, result, &err);
        return;
    }
    api_submit(r, w);
    w = NULL; /* taken over */
}
