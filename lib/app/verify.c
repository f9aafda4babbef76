#include "app/verify.h"

#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include "app/replay.h"
#include "app/verifications.h"
#include "cred/qr.h"
#include "store/visits.h"

/* One look at one presentation. The parts run in the order of the steps; `ended` is set by the step
 * that settles the verdict, after which nothing more is looked at. */
struct look {
    struct app_thread *t;
    struct space *space;
    const struct verify_request *req;
    struct verify_answer *a;
    struct facts facts;
    struct sdjwt presented;
    struct key key; /* the home's pass key that the header names */
    bool has_key;
    struct err err;
    uint64_t mark; /* micros at the last step's end */
};

static void explain(struct look *l, unsigned step, const char *what, const char *section,
                    const char *fmt, ...) _printf_(5, 6);

static void explain(struct look *l, unsigned step, const char *what, const char *section,
                    const char *fmt, ...)
{
    struct verify_answer *a = l->a;
    if (!l->req->explain || a->n_steps == VERIFY_STEPS_MAX)
        return;
    const struct app_clock *clock = l->t->app->clock;
    uint64_t now = clock->micros(clock);
    struct verify_step *s = &a->steps[a->n_steps++];
    s->step = step;
    s->what = what;
    s->section = section;
    s->micros = now - l->mark;
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(s->found, sizeof(s->found), fmt, ap);
    va_end(ap);
    l->mark = now;
}

/* The words of the step that failed are kept for the desk; text is what the parser said. */
static void problem(struct look *l)
{
    if (l->a->problem[0] == 0)
        str_copy(l->a->problem, sizeof(l->a->problem), str_of(l->err.text));
}

/* Steps 1 and 2: text to token to claims; .parsed unless it ends here. Negative errno if it cannot
 * tell. */
static int look_parse(struct look *l)
{
    struct verify_answer *a = l->a;
    int r = qr_read(l->req->text, &a->token, &l->err);
    if (r == 0)
        r = sdjwt_parse_with(l->t->verifier, buf_as_str(&a->token), PASS_TYP, LIMIT_PRESENTATION,
                             &l->presented, &l->err);
    if (r < 0)
        return r;
    if (r == SDJWT_E_TYP || r == SDJWT_E_UNSUPPORTED)
        l->facts.unsupported = true;
    else if (r != 0)
        l->facts.malformed = true;
    if (r == 0) {
        r = pass_read(&l->presented, &a->pass, &l->err);
        if (r < 0)
            return r;
        l->facts.unsupported = r == PASS_E_UNSUPPORTED;
        l->facts.malformed = r != 0 && !l->facts.unsupported;
    }
    if (r != 0) {
        explain(l, 1, "parse", "RFC 9901 section 7.1", "%s", l->err.text);
        problem(l);
        return 0;
    }
    a->parsed = true;
    a->proof_at = l->presented.issued.n;
    explain(l, 1, "parse", "RFC 9901 section 7.1", "%zu characters, %zu disclosed, %s", a->token.n,
            l->presented.n_disclosures,
            l->presented.proof.n > 0 ? "with a holder proof" : "no holder proof");
    explain(l, 2, "typ and alg", "RFC 7515 section 4.1", "typ %s, alg %s, kid %.12s...",
            l->presented.issuer.typ, l->presented.issuer.alg->name, l->presented.issuer.kid);
    return 0;
}

static void look_status(struct look *l)
{
    struct dir_status status;
    unsigned value;
    if (directory_status(l->t->app->directory, l->a->pass.status_uri, &status) != 0)
        return;
    l->facts.status_checked = status.checked < l->facts.now ? status.checked : l->facts.now;
    l->facts.status_exp = status.list->exp;
    if (status_list_get(status.list, l->a->pass.status_idx, &value) != 0)
        return;
    switch (value) {
    case STATUS_VALID:
        l->facts.status = STATUS_STATE_VALID;
        break;
    case STATUS_SUSPENDED:
        l->facts.status = STATUS_STATE_SUSPENDED;
        break;
    default: /* INVALID, and values that we do not know: never valid */
        l->facts.status = STATUS_STATE_REVOKED;
        break;
    }
}

static void look_key(struct look *l, const struct dir_issuer *home)
{
    for (size_t i = 0; i < home->n_pass; i++) {
        if (strcmp(home->pass_kid[i], l->presented.issuer.kid) == 0) {
            l->key = home->pass[i];
            l->has_key = true;
            return;
        }
    }
    err_set(&l->err, 0, "the pass names a key that %s does not list", home->id);
}

/* Step 3, and what step 6 will need: everything that is in the directory, under one read lock which
 * is let go before the costly signature check. */
static void look_directory(struct look *l)
{
    struct facts *f = &l->facts;
    struct verify_answer *a = l->a;
    struct directory *d = l->t->app->directory;
    bool ours = space_recognises(l->space, a->pass.iss);

    directory_read(d);
    const struct dir_issuer *home = directory_find(d, a->pass.iss);
    if (home) {
        f->issuer = home->state == DIR_SUSPENDED            ? ISSUER_SUSPENDED
                    : home->state == DIR_RECOGNISED && ours ? ISSUER_RECOGNISED
                                                            : ISSUER_UNRECOGNISED;
        f->conflict = home->conflict;
        facts_set_configuration_exp(f, home->config_exp);
        memcpy(a->home_name, home->name, sizeof(a->home_name));
        memcpy(a->home_country, home->country, sizeof(a->home_country));
        look_key(l, home);
        look_status(l);
    }
    directory_done(d);
    explain(l, 3, "issuer", "OpenID Federation 1.0 section 9", "%.100s: %s", a->pass.iss,
            !home                            ? "not in the directory"
            : f->issuer == ISSUER_RECOGNISED ? "recognised"
            : f->issuer == ISSUER_SUSPENDED  ? "suspended"
                                             : "known, but not recognised by this space");
}

/* Step 4. Negative errno if it cannot tell. */
static int look_signature(struct look *l)
{
    int r = l->has_key ? jws_check(l->t->verifier, &l->presented.issuer, &l->key) : JWS_E_KEY;
    if (r < 0)
        return r;
    l->facts.signature_good = l->a->genuine = r == 0;
    if (r == JWS_E_SIGNATURE)
        err_set(&l->err, 0, "the signature is not that of the key it names");
    else if (r == JWS_E_KEY && l->has_key)
        err_set(&l->err, 0, "the key it names is not one for %s", l->presented.issuer.alg->name);
    if (r != 0)
        problem(l);
    explain(l, 4, "signature", "RFC 7515 section 5.2", "%s", r == 0 ? "good" : l->err.text);
    return 0;
}

static uint64_t owner_of(const char *desk)
{
    uint64_t h = 1469598103934665603u;
    for (const char *p = desk; *p; p++)
        h = (h ^ (unsigned char)*p) * 1099511628211u;
    return h;
}

/* Binds (device key, nonce) to the desk that asks: never the signature, which is malleable. */
static int look_replay(struct look *l, const struct keybind *proof)
{
    uint8_t both[KEY_BYTES + KEYBIND_NONCE_MAX], digest[32];
    size_t n = strlen(proof->nonce);
    memcpy(both, l->a->pass.device.bytes, KEY_BYTES);
    memcpy(both + KEY_BYTES, proof->nonce, n);
    int r = verifier_sha256(l->t->verifier, both, KEY_BYTES + n, digest);
    if (r != 0)
        return r;
    int64_t until = proof->iat + LIMIT_PROOF_AGE + LIMIT_PROOF_AHEAD;
    r = replay_bind(l->space->replay, digest, owner_of(l->req->desk), l->facts.now, until, NULL);
    if (r == REPLAY_E_SEEN) {
        l->facts.proof = PROOF_REPLAYED;
        err_set(&l->err, 0, "another desk has seen this very proof");
        problem(l);
        return 0;
    }
    return r == REPLAY_E_FULL ? APP_E_BUSY : r;
}

/* Step 7. The proof of a redeemed verification is judged at the time it was looked at. */
static int look_proof(struct look *l)
{
    struct verify_answer *a = l->a;
    struct keybind proof;
    if (l->presented.proof.n == 0)
        return 0;
    int64_t at = l->req->seen_at ? l->req->seen_at : l->facts.now;
    int r = keybind_check(l->t->verifier, &l->presented, &a->pass.device, l->space->id, at,
                          l->req->seen_at ? 0 : l->t->app->started_at, &proof, &l->err);
    if (r < 0)
        return r;
    l->facts.proof = r == 0 ? PROOF_GOOD : PROOF_BAD;
    if (r != 0) {
        problem(l);
        return 0;
    }
    memcpy(a->nonce, proof.nonce, sizeof(a->nonce));
    return look_replay(l, &proof);
}

static int look_holder(struct look *l)
{
    struct facts *f = &l->facts;
    f->bound = l->a->pass.bound;
    if (!f->bound) {
        if (l->presented.proof.n > 0) {
            /* A proof with no device key to check it against proves nothing. */
            explain(l, 7, "holder proof", "RFC 9901 section 4.3", "the pass names no device key");
            return 0;
        }
        explain(l, 7, "holder proof", "RFC 9901 section 4.3", "none needed: a printed pass");
        return 0;
    }
    int r = jwk_thumbprint(&l->a->pass.device, l->a->device);
    if (r == 0)
        r = look_proof(l);
    l->a->proven = f->proof == PROOF_GOOD;
    static const char *const found[] = {[PROOF_ABSENT] = "missing",
                                        [PROOF_GOOD] = "good",
                                        [PROOF_BAD] = "bad",
                                        [PROOF_REPLAYED] = "seen before at another desk"};
    explain(l, 7, "holder proof", "RFC 9901 section 4.3", "%s", found[f->proof]);
    return r;
}

static void look_times(struct look *l)
{
    const struct pass *p = &l->a->pass;
    struct facts *f = &l->facts;
    f->iat = p->iat;
    f->nbf = p->nbf;
    f->exp = p->exp;
    explain(l, 5, "times", "RFC 7519 section 4.1", "issued %lld s ago, %lld s left",
            (long long)(f->now - f->iat), (long long)(f->exp - f->now));
    static const char *const found[] = {[STATUS_STATE_UNKNOWN] = "no list held",
                                        [STATUS_STATE_VALID] = "valid",
                                        [STATUS_STATE_REVOKED] = "revoked",
                                        [STATUS_STATE_SUSPENDED] = "suspended"};
    explain(l, 6, "status", "Token Status List section 8.3", "index %u: %s, data %lld s old",
            p->status_idx, found[f->status],
            f->status_checked ? (long long)(f->now - f->status_checked) : -1LL);
}

/* The promise to check-in: kept in memory by a node, in the store by a verb without one. */
static int promise(struct look *l)
{
    struct verify_answer *a = l->a;
    if (!l->req->promise || a->verdict.verdict == VERDICT_REFUSE)
        return 0;
    int r = rand_id(&l->t->rand, "ver_", a->verification, sizeof(a->verification));
    if (r != 0)
        return r;
    if (!l->t->app->persist_verifications)
        return verifications_put(l->space->verifications, a->verification, l->req->desk,
                                 buf_as_str(&a->token), l->facts.now);
    _cleanup_(buf_clear) struct buf body = {0};
    buf_printf(&body, "%lld ", (long long)l->facts.now);
    r = buf_str(&body, buf_as_str(&a->token));
    return r == 0
               ? store_verification_put(l->space->store, a->verification, l->req->desk,
                                        buf_as_str(&body), l->facts.now + LIMIT_VERIFICATION_TIME)
               : r;
}

static int look(struct look *l)
{
    int r = look_parse(l);
    if (r == 0 && l->a->parsed) {
        look_directory(l);
        if (l->facts.issuer == ISSUER_RECOGNISED)
            r = look_signature(l);
        if (r == 0 && l->facts.signature_good) {
            look_times(l);
            r = look_holder(l);
        }
    }
    if (r != 0)
        return r;
    verdict_evaluate(&l->facts, &l->a->verdict);
    return promise(l);
}

int verify_presentation(struct app_thread *t, struct space *space, const struct verify_request *req,
                        struct verify_answer *out)
{
    memset(out, 0, offsetof(struct verify_answer, steps));
    out->n_steps = 0;
    out->token.max = LIMIT_PRESENTATION;
    out->now = app_now(t->app);
    struct look l; /* large: what is not set here is not read before it is written */
    l.t = t;
    l.space = space;
    l.req = req;
    l.a = out;
    l.facts = (struct facts){.now = out->now};
    l.has_key = false;
    l.presented.issuer = (struct jws){0}; /* what sdjwt_clear() looks at */
    l.presented.payload = NULL;
    l.presented.n_disclosures = 0;
    l.err.text[0] = l.err.next[0] = 0;
    l.mark = 0;
    if (req->explain)
        l.mark = t->app->clock->micros(t->app->clock);
    int r = look(&l);
    sdjwt_clear(&l.presented);
    if (r != 0)
        verify_answer_clear(out);
    return r;
}

void verify_answer_clear(struct verify_answer *a)
{
    buf_clear(&a->token);
}
