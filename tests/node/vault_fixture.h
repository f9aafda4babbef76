/* A vault with one space, and what tests of it do over and over. */
#pragma once

#include <stdlib.h>

#include "node/payloads.h"
#include "node/scratch.h"
#include "vault.h"

struct fixture {
    struct scratch scratch;
    struct vault *vault;
    struct verifier *verifier;
    struct key federation, pass;
};

static inline void reopen(struct fixture *f)
{
    vault_free(f->vault);
    f->vault = NULL;
    assert_int_equal(vault_open(&f->scratch.state, &f->scratch.clock, &f->vault, NULL), 0);
}

static inline int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    struct err err = {0};

    scratch_init(&f->scratch);
    reopen(f);
    if (vault_create(f->vault, SPACE, &err) != 0)
        fail_msg("%s", err.text);
    assert_int_equal(vault_keys(f->vault, SPACE, &f->federation, &f->pass, &err), 0);
    assert_int_equal(verifier_new(4, &f->verifier), 0);
    *state = f;
    return 0;
}

static inline int tear_down(void **state)
{
    struct fixture *f = *state;

    vault_free(f->vault);
    verifier_free(f->verifier);
    scratch_clear(&f->scratch);
    free(f);
    return 0;
}

static inline struct json *payload_of(struct fixture *f, enum sign_kind kind)
{
    struct json *p = payload_good(kind, f->scratch.now, &f->pass);

    assert_non_null(p);
    return p;
}

/* Signs and gives the result; p is borrowed. */
static inline int sign(struct fixture *f, enum sign_kind kind, const char *space,
                       const struct json *p, struct sign_request *req)
{
    *req = (struct sign_request){.kind = kind, .space = space};
    assert_int_equal(json_write(p, &req->payload), 0);
    vault_sign(f->vault, req);
    if (req->result == 0) {
        assert_true(req->token.n > 0);
    } else {
        assert_int_equal(req->token.n, 0);
        assert_true(req->err.text[0] != '\0');
    }
    return req->result;
}
