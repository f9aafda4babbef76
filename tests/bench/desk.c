#include "desk.h"

#include <errno.h>
#include <stdio.h>
#include <time.h>

#include "app/replay.h"
#include "app/verifications.h"
#include "base/b64.h"

static int64_t clock_now(const struct app_clock *c)
{
    return time(NULL) + c->offset;
}

static uint64_t clock_micros(const struct app_clock *c)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (uint64_t)ts.tv_sec * 1000000u + (uint64_t)ts.tv_nsec / 1000u;
}

static int home_open(struct bench_desk *d, size_t i, struct key_pair **pass_key, char *id,
                     size_t cap)
{
    static uint8_t bits[LIMIT_STATUS_ENTRIES / 4]; /* all valid */
    struct configuration c = {.n_federation = 1, .n_pass = 1, .status_lists = 1};
    struct key_pair *federation = NULL;
    int64_t now = clock_now(&d->clock);
    char uri[300];
    snprintf(id, cap, "https://home%zu.example", i);
    snprintf(uri, sizeof(uri), "%s/status/0", id);
    int r = key_pair_generate(KEY_P256, &federation);
    if (r == 0)
        r = key_pair_generate(KEY_P256, pass_key);
    if (r != 0)
        return r;
    str_copy(c.id, sizeof(c.id), str_of(id));
    str_copy(c.name, sizeof(c.name), STR("Home of a benchmark"));
    c.iat = now;
    c.exp = now + LIFETIME_CONFIGURATION;
    c.federation[0] = *key_pair_public(federation);
    c.pass[0] = *key_pair_public(*pass_key);
    r = directory_put(d->app.directory, &c, DIR_RECOGNISED, now);
    key_pair_free(federation);

    struct buf text = {0}, token = {0};
    struct jws jws = {0};
    struct status_list list = {0};
    struct json *payload = status_list_payload(id, uri, now, now + LIFETIME_STATUS_LIST,
                                               TTL_STATUS_LIST, 2, bits, sizeof(bits));
    if (r == 0)
        r = json_write(payload, &text);
    if (r == 0)
        r = jws_sign(*pass_key, STATUS_TYP, buf_as_str(&text), &token);
    if (r == 0)
        r = jws_parse(buf_as_str(&token), STATUS_TYP, LIMIT_STATUS_TOKEN, &jws, NULL);
    if (r == 0)
        r = status_list_read(&jws, &list, NULL);
    if (r == 0)
        r = directory_put_status(d->app.directory, &list, now);
    if (r == 0)
        r = space_recognise(&d->space, id, true);
    json_free(payload);
    jws_clear(&jws);
    buf_clear(&text);
    buf_clear(&token);
    return r;
}

static size_t der_int(const uint8_t *p, uint8_t *out)
{
    size_t n = 32, at = 2;
    while (n > 1 && *p == 0) {
        p++;
        n--;
    }
    out[0] = 2;
    if (*p & 0x80)
        out[at++] = 0;
    memcpy(out + at, p, n);
    out[1] = (uint8_t)(at - 2 + n);
    return at + n;
}

static int pass_open(struct bench_desk *d, struct bench_pass *p, const struct key_pair *home,
                     const char *id, size_t i, bool bound)
{
    struct pass pass = {.status_idx = (uint32_t)i, .bound = bound};
    struct key_pair *device = NULL;
    struct json *payload = NULL;
    struct buf text = {0}, issued = {0}, tail = {0};
    char nonce[32];
    pass.iat = clock_now(&d->clock);
    pass.exp = pass.iat + 30 * 86400;
    str_copy(pass.iss, sizeof(pass.iss), str_of(id));
    snprintf(pass.sub, sizeof(pass.sub), "member-%010zu", i);
    snprintf(pass.name, sizeof(pass.name), "Member %zu", i);
    str_copy(pass.tier, sizeof(pass.tier), STR("member"));
    snprintf(pass.status_uri, sizeof(pass.status_uri), "%s/status/0", id);
    int r = bound ? key_pair_generate(KEY_P256, &device) : 0;
    if (bound && r == 0)
        pass.device = *key_pair_public(device);
    const struct pass_claims claims = {.pass = &pass};
    if (r == 0)
        r = pass_payload(&claims, &d->thread.rand, &payload, &tail);
    if (r == 0)
        r = json_write(payload, &text);
    if (r == 0)
        r = jws_sign(home, PASS_TYP, buf_as_str(&text), &issued);
    size_t jwt = issued.n;
    if (r == 0)
        r = buf_str(&issued, buf_as_str(&tail));
    snprintf(nonce, sizeof(nonce), "nonce-%016zu", i);
    if (r == 0 && bound)
        r = keybind_present(device, buf_as_str(&issued), d->space.id, nonce, pass.iat, &p->token);
    else if (r == 0)
        r = buf_str(&p->token, buf_as_str(&issued));
    if (r == 0) {
        uint8_t sig[64];
        p->home = *key_pair_public(home);
        p->signing_input = (struct str){p->token.p, jwt - 87};
        r = b64_decode_exact((struct str){p->token.p + jwt - 86, 86}, sig, 64);
        size_t a = der_int(sig, p->der + 2);
        size_t b = der_int(sig + 32, p->der + 2 + a);
        p->der[0] = 0x30;
        p->der[1] = (uint8_t)(a + b);
        p->der_len = 2 + a + b;
    }
    key_pair_free(device);
    json_free(payload);
    buf_clear(&text);
    buf_clear(&issued);
    buf_clear(&tail);
    return r;
}

int bench_desk_open(struct bench_desk *d, size_t homes, size_t n, bool bound)
{
    memset(d, 0, sizeof(*d));
    d->clock = (struct app_clock){.now = clock_now, .micros = clock_micros};
    d->app.clock = &d->clock;
    d->thread.app = &d->app;
    rand_system(&d->thread.rand);
    str_copy(d->space.id, sizeof(d->space.id), STR("https://host.example"));
    pthread_rwlock_init(&d->space.lock, NULL);
    int r = directory_new(&d->app.directory);
    if (r == 0)
        r = verifier_new(256, &d->thread.verifier);
    if (r == 0)
        r = map_new(LIMIT_PEERS, 1, NULL, &d->space.peers);
    if (r == 0)
        r = verifications_new(LIMIT_VERIFICATIONS, &d->space.verifications);
    if (r == 0)
        r = replay_new(LIMIT_REPLAY_ENTRIES, &d->space.replay);
    d->passes = calloc(n, sizeof(*d->passes));
    struct key_pair **keys = calloc(homes, sizeof(*keys));
    char(*ids)[64] = calloc(homes, sizeof(*ids));
    if (!d->passes || !keys || !ids)
        r = -ENOMEM;
    for (size_t i = 0; r == 0 && i < homes; i++)
        r = home_open(d, i, &keys[i], ids[i], sizeof(ids[i]));
    for (size_t i = 0; r == 0 && i < n; i++)
        r = pass_open(d, &d->passes[i], keys[i % homes], ids[i % homes], i, bound);
    for (size_t i = 0; keys && i < homes; i++)
        key_pair_free(keys[i]);
    free(keys);
    free(ids);
    d->n = r == 0 ? n : 0;
    return r;
}
