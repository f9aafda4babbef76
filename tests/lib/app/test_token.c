/* Bearer tokens of desks. */
#include "lib/app/fixture.h"

#include <stdio.h>

#include "app/token.h"
#include "crypto/digest.h"

static int check(struct world *w, const char *secret, struct token_holder *out)
{
    return token_check(&w->host.thread, w->host.space, str_of(secret), out);
}

static int create(struct world *w, const char *name, struct token_made *out)
{
    struct err err = {0};

    return token_create(&w->host.thread, w->host.space, name, TOKEN_DESK, out, &err);
}

static int take_back(struct world *w, const char *which)
{
    struct err err = {0};
    int r = token_revoke(&w->host.thread, w->host.space, which, &err);

    assert_int_equal(r == 0, err.text[0] == '\0');
    return r;
}

static void test_life(void **state)
{
    struct world *w = *state;
    struct token_made front, back;
    struct token_holder holder = {0};

    assert_int_equal(create(w, " Front desk ", &front), 0);
    assert_int_equal(create(w, "Back desk", &back), 0);
    assert_string_equal(front.row.name, "Front desk");
    assert_int_equal(strlen(front.secret), 47);
    assert_int_equal(check(w, front.secret, &holder), 0);
    assert_string_equal(holder.id, front.row.id);
    assert_string_equal(holder.name, "Front desk");
    assert_int_equal(holder.role, TOKEN_DESK);
    assert_int_equal(create(w, "Front desk", &back), APP_E_EXISTS);

    assert_int_equal(take_back(w, front.row.id), 0);
    assert_int_equal(check(w, front.secret, &holder), APP_E_UNAUTHENTICATED);
    assert_int_equal(check(w, back.secret, &holder), 0);
    assert_int_equal(take_back(w, front.row.id), APP_E_STATE);
    assert_int_equal(take_back(w, "Front desk"), APP_E_ABSENT);
    assert_int_equal(take_back(w, "nobody"), APP_E_ABSENT);
    assert_int_equal(create(w, "Front desk", &front), 0); /* the name is free again */
    assert_int_equal(take_back(w, "Front desk"), 0);

    side_restart(&w->host);
    assert_int_equal(check(w, back.secret, &holder), 0);
    assert_int_equal(check(w, front.secret, &holder), APP_E_UNAUTHENTICATED);
}

static void test_what_is_no_token(void **state)
{
    struct world *w = *state;
    struct token_made made;
    struct token_holder holder;
    char text[80];

    assert_int_equal(create(w, "desk", &made), 0);
    for (size_t n = 0; n < strlen(made.secret); n++) {
        memcpy(text, made.secret, n);
        text[n] = '\0';
        assert_int_equal(check(w, text, &holder), APP_E_UNAUTHENTICATED);
        strcpy(text, made.secret);
        text[n] = text[n] == 'x' ? 'y' : 'x';
        assert_int_equal(check(w, text, &holder), APP_E_UNAUTHENTICATED);
    }
    snprintf(text, sizeof(text), "%sA", made.secret);
    assert_int_equal(check(w, text, &holder), APP_E_UNAUTHENTICATED);
    snprintf(text, sizeof(text), " %s", made.secret);
    assert_int_equal(check(w, text, &holder), APP_E_UNAUTHENTICATED);
    /* another space's desk is nobody here */
    assert_int_equal(token_check(&w->home.thread, w->home.space, str_of(made.secret), &holder),
                     APP_E_UNAUTHENTICATED);
}

static void test_names(void **state)
{
    struct world *w = *state;
    struct token_made made;
    char name[LIMIT_NAME + 2];

    memset(name, 'a', sizeof(name));
    name[LIMIT_NAME + 1] = '\0';
    assert_int_equal(create(w, name, &made), APP_E_INVALID);
    name[LIMIT_NAME] = '\0';
    assert_int_equal(create(w, name, &made), 0);
    assert_int_equal(create(w, "", &made), APP_E_INVALID);
    assert_int_equal(create(w, "  ", &made), APP_E_INVALID);
    assert_int_equal(create(w, "a\nb", &made), APP_E_INVALID);
    assert_int_equal(create(w, "a\xff", &made), APP_E_INVALID);
}

/* A bound is told when it is reached, and never locks the space out of its own database. */
static void test_many(void **state)
{
    struct world *w = *state;
    struct store *store = w->host.space->store;
    struct token_made made, last;
    struct token_holder holder;

    assert_int_equal(store_begin(store), 0);
    for (unsigned i = 0; i < TOKENS_MAX - 1; i++) {
        struct token_row row = {.role = TOKEN_DESK, .created_at = w->now};

        snprintf(row.id, sizeof(row.id), "tok_%u", i);
        snprintf(row.name, sizeof(row.name), "desk %u", i);
        assert_int_equal(sha256(row.name, strlen(row.name), row.hash), 0);
        assert_int_equal(store_token_add(store, &row), 0);
    }
    assert_int_equal(store_commit(store), 0);
    assert_int_equal(create(w, "the last", &last), 0);
    assert_int_equal(check(w, last.secret, &holder), 0);
    assert_int_equal(create(w, "one more", &made), APP_E_LIMIT);
    side_restart(&w->host);
    assert_int_equal(check(w, last.secret, &holder), 0);
    assert_int_equal(take_back(w, "desk 7"), 0);
    assert_int_equal(create(w, "one more", &made), 0);
}

/* Once it is revoked on disk, nothing that goes wrong afterwards keeps it alive in memory. */
static void test_revoked_although_memory_cannot_follow(void **state)
{
    struct world *w = *state;
    struct store *store = w->host.space->store;
    struct token_made made, other;
    struct token_holder holder;

    assert_int_equal(create(w, "desk", &made), 0);
    assert_int_equal(create(w, "other desk", &other), 0);
    assert_int_equal(store_begin(store), 0);
    for (unsigned i = 0; i < TOKENS_MAX; i++) { /* so many that the cache cannot be filled anew */
        struct token_row row = {.role = TOKEN_DESK, .created_at = w->now};

        snprintf(row.id, sizeof(row.id), "tok_%u", i);
        snprintf(row.name, sizeof(row.name), "desk %u", i);
        assert_int_equal(sha256(row.name, strlen(row.name), row.hash), 0);
        assert_int_equal(store_token_add(store, &row), 0);
    }
    assert_int_equal(store_commit(store), 0);
    assert_true(tokens_load(w->host.space, store) != 0);
    assert_int_equal(check(w, made.secret, &holder), 0);
    assert_int_equal(take_back(w, "desk"), 0);
    assert_int_equal(check(w, made.secret, &holder), APP_E_UNAUTHENTICATED);
    assert_int_equal(check(w, other.secret, &holder), 0);

    /* one that was revoked on disk alone goes when it is revoked again */
    assert_int_equal(store_token_revoke(store, other.row.id, w->now), 0);
    assert_int_equal(check(w, other.secret, &holder), 0);
    assert_int_equal(take_back(w, other.row.id), APP_E_STATE);
    assert_int_equal(check(w, other.secret, &holder), APP_E_UNAUTHENTICATED);
}

static void test_roles(void **state)
{
    enum token_role role;

    for (enum token_role r = TOKEN_DESK; r <= TOKEN_INTEGRATION; r++) {
        assert_true(token_role_parse(str_of(token_role_name(r)), &role));
        assert_int_equal(role, r);
    }
    assert_false(token_role_parse(STR("Desk"), &role));
    assert_false(token_role_parse(STR(""), &role));
    assert_false(token_role_parse(STR("unknown"), &role));
    assert_string_equal(token_role_name((enum token_role)99), "unknown");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        world_test(test_life),
        world_test(test_what_is_no_token),
        world_test(test_names),
        world_test(test_many),
        world_test(test_revoked_although_memory_cannot_follow),
        cmocka_unit_test(test_roles),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
