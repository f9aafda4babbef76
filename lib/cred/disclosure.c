#include "cred/disclosure.h"

#include <assert.h>
#include <errno.h>

#include "base/b64.h"
#include "crypto/digest.h"

void disclosures_clear(struct sdjwt_disclosure *d, size_t *n)
{
    for (size_t i = 0; i < *n; i++)
        json_free(d[i].array);
    *n = 0;
}

/* RFC 9901 section 4.2.4.1 forbids the first two, section 4.1.1 keeps the third to the top level of
 * what is signed. */
static bool reserved(struct str name)
{
    return str_eq(name, STR("_sd")) || str_eq(name, STR("...")) || str_eq(name, STR("_sd_alg"));
}

/* Sections 4.2.1 and 4.2.2: [salt, name, value] or [salt, value]. */
static int read_array(struct sdjwt_disclosure *d, struct err *err)
{
    size_t n = json_kind(d->array) == JSON_ARRAY ? json_count(d->array) : 0;
    const struct json *name;

    if (n != 2 && n != 3)
        return err_set(err, SDJWT_E_MALFORMED, "it is no JSON array of two or three items");
    if (json_kind(json_at(d->array, 0)) != JSON_STRING)
        return err_set(err, SDJWT_E_MALFORMED, "its salt is not a string");
    d->name[0] = '\0';
    if (n == 2)
        return 0;
    name = json_at(d->array, 1);
    if (json_kind(name) != JSON_STRING || json_as_str(name).n == 0)
        return err_set(err, SDJWT_E_MALFORMED, "its claim name is not a string");
    if (reserved(json_as_str(name)))
        return err_set(err, SDJWT_E_MALFORMED, "no disclosure may be named \"%.*s\"",
                       STR_ARG(json_as_str(name)));
    if (str_copy(d->name, sizeof(d->name), json_as_str(name)))
        return err_set(err, SDJWT_E_MALFORMED, "its claim name has more than %d characters",
                       SDJWT_NAME_MAX);
    return 0;
}

/* `scratch` holds what the longest text decodes to. On failure d->array is NULL. */
static int read_one(struct verifier *v, struct str text, char *scratch, struct sdjwt_disclosure *d,
                    struct err *err)
{
    uint8_t digest[SHA256_LEN];
    size_t n;
    int r;

    d->text = text;
    d->array = NULL;
    d->level = NULL;
    d->top = d->used = false;
    if (text.n == 0 || b64_decode(text, scratch, &n))
        return err_set(err, SDJWT_E_MALFORMED, "it is not base64url");
    r = v ? verifier_sha256(v, text.p, text.n, digest) : sha256(text.p, text.n, digest);
    if (r)
        return r;
    b64_encode(digest, sizeof(digest), d->digest);

    r = json_parse((struct str){scratch, n}, &json_bounds_wire, &d->array, err);
    if (r)
        return r < 0 ? r : SDJWT_E_MALFORMED;
    r = read_array(d, err);
    if (r) {
        json_free(d->array);
        d->array = NULL;
    }
    return r;
}

int disclosures_read(struct verifier *v, struct str text, struct sdjwt_disclosure *d, size_t *n,
                     struct err *err)
{
    char small[1024];
    _cleanup_(freep) char *large = NULL;
    struct str one;
    int r;

    *n = 0;
    if (B64_DECODED_LEN(text.n) > sizeof(small)) {
        large = malloc(B64_DECODED_LEN(text.n));
        if (!large)
            return -ENOMEM;
    }
    while (str_cut(text, '~', &one, &text)) {
        if (*n == LIMIT_DISCLOSURES)
            return err_set(err, SDJWT_E_MALFORMED, "more than %d disclosures", LIMIT_DISCLOSURES);
        r = read_one(v, one, large ? large : small, &d[*n], err);
        if (r)
            return err_prefix(err, r, "disclosure %zu", *n + 1);
        ++*n;
        for (size_t i = 0; i + 1 < *n; i++)
            if (memcmp(d[i].digest, d[*n - 1].digest, SDJWT_DIGEST_LEN) == 0)
                return err_set(err, SDJWT_E_MALFORMED, "disclosures %zu and %zu are the same",
                               i + 1, *n);
    }
    assert(text.n == 0);
    return 0;
}

struct walk {
    struct sdjwt_disclosure *d;
    size_t n;
    struct str seen[SDJWT_DIGESTS_MAX]; /* every digest met so far */
    size_t n_seen;
    struct err *err;
};

static int walk_value(struct walk *w, const struct json *v, unsigned depth, struct str root);

static void set_root(struct sdjwt_disclosure *d, struct str root)
{
    size_t n = root.n < SDJWT_NAME_MAX ? root.n : SDJWT_NAME_MAX;

    memcpy(d->root, root.p, n);
    d->root[n] = '\0';
}

static bool digest_is(const struct sdjwt_disclosure *d, struct str digest)
{
    return digest.n == SDJWT_DIGEST_LEN && memcmp(d->digest, digest.p, SDJWT_DIGEST_LEN) == 0;
}

/* Steps 3.3.1 and 4: *found is NULL for a decoy, or for what the holder did not disclose. */
static int meet_digest(struct walk *w, const struct json *v, struct sdjwt_disclosure **found)
{
    struct str digest = json_as_str(v);

    *found = NULL;
    if (json_kind(v) != JSON_STRING)
        return err_set(w->err, SDJWT_E_MALFORMED, "a digest is not a string");
    if (w->n_seen == SDJWT_DIGESTS_MAX)
        return err_set(w->err, SDJWT_E_MALFORMED, "more than %d digests", SDJWT_DIGESTS_MAX);
    for (size_t i = 0; i < w->n_seen; i++)
        if (str_eq(w->seen[i], digest))
            return err_set(w->err, SDJWT_E_MALFORMED, "the digest \"%.*s\" is there twice",
                           STR_ARG(digest));
    w->seen[w->n_seen++] = digest;
    for (size_t i = 0; i < w->n; i++)
        if (digest_is(&w->d[i], digest)) {
            w->d[i].used = true;
            *found = &w->d[i];
        }
    return 0;
}

/* Step 3.3.2: a digest in an object's _sd. */
static int reveal_member(struct walk *w, const struct json *obj, struct sdjwt_disclosure *d,
                         unsigned depth, struct str root)
{
    if (json_count(d->array) != 3)
        return err_set(w->err, SDJWT_E_MALFORMED, "a disclosure for _sd is no [salt, name, value]");
    if (json_get(obj, d->name))
        return err_set(w->err, SDJWT_E_MALFORMED, "the disclosure of \"%s\" would replace a claim",
                       d->name);
    for (size_t i = 0; i < w->n; i++)
        if (w->d[i].level == obj && strcmp(w->d[i].name, d->name) == 0)
            return err_set(w->err, SDJWT_E_MALFORMED, "two disclosures of \"%s\"", d->name);
    d->level = obj;
    d->top = depth == 1;
    set_root(d, d->top ? str_of(d->name) : root);
    return walk_value(w, json_at(d->array, 2), depth + 1, str_of(d->root));
}

static int walk_sd(struct walk *w, const struct json *obj, const struct json *sd, unsigned depth,
                   struct str root)
{
    struct sdjwt_disclosure *d;
    int r;

    if (json_kind(sd) != JSON_ARRAY)
        return err_set(w->err, SDJWT_E_MALFORMED, "_sd is not an array");
    for (size_t i = 0; i < json_count(sd); i++) {
        r = meet_digest(w, json_at(sd, i), &d);
        if (!r && d)
            r = reveal_member(w, obj, d, depth, root);
        if (r)
            return r;
    }
    return 0;
}

static int walk_object(struct walk *w, const struct json *obj, unsigned depth, struct str root)
{
    struct json_iter it = {0};
    int r = 0;

    while (!r && json_next(obj, &it)) {
        if (it.key.n && it.key.p[0] != '_' && it.key.p[0] != '.')
            r = walk_value(w, it.value, depth + 1, depth == 1 ? it.key : root);
        else if (str_eq(it.key, STR("_sd")))
            r = walk_sd(w, obj, it.value, depth, root);
        else if (str_eq(it.key, STR("...")))
            r = err_set(w->err, SDJWT_E_MALFORMED, "a member \"...\" outside of an array");
        else if (str_eq(it.key, STR("_sd_alg")) && depth > 1)
            r = err_set(w->err, SDJWT_E_MALFORMED, "_sd_alg below the top level");
        else
            r = walk_value(w, it.value, depth + 1, depth == 1 ? it.key : root);
    }
    return r;
}

/* Step 3.3.3: an item {"...": digest} stands for the value of its disclosure. */
static int walk_item(struct walk *w, const struct json *item, unsigned depth, struct str root)
{
    const struct json *dots = json_get(item, "...");
    struct sdjwt_disclosure *d;
    int r;

    if (!dots)
        return walk_value(w, item, depth + 1, root);
    if (json_count(item) != 1)
        return err_set(w->err, SDJWT_E_MALFORMED, "an item with \"...\" has other members");
    r = meet_digest(w, dots, &d);
    if (r || !d)
        return r;
    if (json_count(d->array) != 2)
        return err_set(w->err, SDJWT_E_MALFORMED, "a disclosure for an array is no [salt, value]");
    set_root(d, root);
    return walk_value(w, json_at(d->array, 1), depth + 1, root);
}

static int walk_value(struct walk *w, const struct json *v, unsigned depth, struct str root)
{
    enum json_kind kind = json_kind(v);
    int r = 0;

    if (kind != JSON_OBJECT && kind != JSON_ARRAY)
        return 0;
    if (depth > LIMIT_JSON_DEPTH)
        return err_set(w->err, SDJWT_E_MALFORMED, "deeper than %d levels with its disclosures",
                       LIMIT_JSON_DEPTH);
    if (kind == JSON_OBJECT)
        return walk_object(w, v, depth, root);
    for (size_t i = 0; !r && i < json_count(v); i++)
        r = walk_item(w, json_at(v, i), depth, root);
    return r;
}

int disclosures_match(const struct json *payload, struct sdjwt_disclosure *d, size_t n,
                      struct err *err)
{
    struct walk w;
    int r;

    w.d = d;
    w.n = n;
    w.n_seen = 0;
    w.err = err;
    r = walk_value(&w, payload, 1, STR(""));
    if (r)
        return r;
    /* Step 5. */
    for (size_t i = 0; i < n; i++)
        if (!d[i].used)
            return err_set(err, SDJWT_E_MALFORMED, "no digest names disclosure %zu (\"%s\")", i + 1,
                           d[i].name);
    return 0;
}

struct apply {
    const struct sdjwt_disclosure *d;
    size_t n;
};

static struct json *apply_value(const struct apply *a, const struct json *v);

static const struct json *revealed(const struct apply *a, const struct json *digest,
                                   const char **name)
{
    for (size_t i = 0; i < a->n; i++)
        if (digest_is(&a->d[i], json_as_str(digest))) {
            *name = a->d[i].name;
            return json_at(a->d[i].array, a->d[i].level ? 2 : 1);
        }
    return NULL;
}

static int apply_member(const struct apply *a, const char *name, struct str key,
                        const struct json *value, struct json *out)
{
    const char *revealed_name;

    if (str_eq(key, STR("_sd_alg")))
        return 0;
    if (!str_eq(key, STR("_sd")))
        return json_put(out, name, apply_value(a, value));
    for (size_t i = 0; i < json_count(value); i++) {
        const struct json *v = revealed(a, json_at(value, i), &revealed_name);
        int r = v ? json_put(out, revealed_name, apply_value(a, v)) : 0;

        if (r)
            return r;
    }
    return 0;
}

static struct json *apply_object(const struct apply *a, const struct json *obj)
{
    _cleanup_(json_freep) struct json *out = json_object();
    struct json_iter it = {0};
    struct json *made;

    while (out && json_next(obj, &it)) {
        _cleanup_(freep) char *name = str_dup(it.key);

        if (!name || apply_member(a, name, it.key, it.value, out))
            return NULL;
    }
    made = out;
    out = NULL;
    return made;
}

static struct json *apply_array(const struct apply *a, const struct json *arr)
{
    _cleanup_(json_freep) struct json *out = json_array();
    struct json *made;
    const char *name;

    for (size_t i = 0; out && i < json_count(arr); i++) {
        const struct json *item = json_at(arr, i);
        const struct json *dots = json_get(item, "...");

        if (dots)
            item = revealed(a, dots, &name);
        if (item && json_append(out, apply_value(a, item)))
            return NULL;
    }
    made = out;
    out = NULL;
    return made;
}

static struct json *apply_value(const struct apply *a, const struct json *v)
{
    switch (json_kind(v)) {
    case JSON_OBJECT:
        return apply_object(a, v);
    case JSON_ARRAY:
        return apply_array(a, v);
    default:
        return json_ref(v);
    }
}

/* Step 3, the parts that change the payload; the depth was bounded by disclosures_match(). */
struct json *disclosures_apply(const struct json *payload, const struct sdjwt_disclosure *d,
                               size_t n)
{
    struct apply a = {d, n};

    return apply_value(&a, payload);
}
