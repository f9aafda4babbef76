#include "cred/status_list.h"

#include <errno.h>

#include "base/b64.h"
#include "base/flate.h"
#include "base/limits.h"

/* Token Status List, section 4.1: entry 0 is in the lowest bits of byte 0. */
static bool place(size_t n_bytes, unsigned bits, uint32_t idx, size_t *byte, unsigned *shift)
{
    unsigned per_byte = 8 / bits;

    *byte = idx / per_byte;
    *shift = idx % per_byte * bits;
    return *byte < n_bytes;
}

static bool bits_known(unsigned bits)
{
    return bits == 1 || bits == 2;
}

int status_bits_set(uint8_t *bytes, size_t n_bytes, unsigned bits, uint32_t idx, unsigned value)
{
    unsigned shift, mask = (1u << bits) - 1;
    size_t byte;

    if (!bits_known(bits) || value > mask || !place(n_bytes, bits, idx, &byte, &shift))
        return STATUS_E_RANGE;
    bytes[byte] = (uint8_t)((bytes[byte] & ~(mask << shift)) | value << shift);
    return 0;
}

int status_bits_get(const uint8_t *bytes, size_t n_bytes, unsigned bits, uint32_t idx,
                    unsigned *value)
{
    unsigned shift;
    size_t byte;

    if (!bits_known(bits) || !place(n_bytes, bits, idx, &byte, &shift))
        return STATUS_E_RANGE;
    *value = bytes[byte] >> shift & ((1u << bits) - 1);
    return 0;
}

/* Section 4.2: {"bits": b, "lst": base64url of the zlib stream}. */
static struct json *list_object(unsigned bits, const uint8_t *bytes, size_t n)
{
    _cleanup_(json_freep) struct json *list = json_object();
    _cleanup_(buf_clear) struct buf packed = {0}, text = {0};
    struct json *made;

    if (!list || flate_deflate(bytes, n, &packed) || b64_append(&text, packed.p, packed.n) ||
        json_put_int(list, "bits", bits) || json_put_str(list, "lst", buf_as_str(&text)))
        return NULL;
    made = list;
    list = NULL;
    return made;
}

/* Section 5.1, with `iss` so that the list stands for itself when it is gossiped. */
struct json *status_list_payload(const char *iss, const char *uri, int64_t iat, int64_t exp,
                                 int64_t ttl, unsigned bits, const uint8_t *bytes, size_t n)
{
    _cleanup_(json_freep) struct json *payload = json_object();
    struct json *made;

    if (!bits_known(bits) || n > (size_t)LIMIT_STATUS_ENTRIES * bits / 8 || !payload ||
        json_put_z(payload, "iss", iss) || json_put_z(payload, "sub", uri) ||
        json_put_int(payload, "iat", iat) || (exp && json_put_int(payload, "exp", exp)) ||
        (ttl && json_put_int(payload, "ttl", ttl)) ||
        json_put(payload, "status_list", list_object(bits, bytes, n)))
        return NULL;
    made = payload;
    payload = NULL;
    return made;
}

static int bad(struct err *err, const char *claim, const char *what)
{
    return err_set(err, STATUS_E_MALFORMED, "status list: %s %s", claim, what);
}

static int read_text(const struct json *obj, const char *name, bool required, char *out, size_t cap,
                     struct err *err)
{
    struct str s = {0};
    int r = json_get_str(obj, name, &s);

    if (r == JSON_E_ABSENT && !required) {
        *out = '\0';
        return 0;
    }
    if (r)
        return bad(err, name, r == JSON_E_ABSENT ? "is missing" : "is not a string");
    if (!s.n || !str_is_printable(s) || str_copy(out, cap, s))
        return bad(err, name, "is empty, too long or not printable");
    return 0;
}

/* Times that a token may leave out are 0 then. */
static int read_time(const struct json *obj, const char *name, bool required, int64_t *out,
                     struct err *err)
{
    int64_t t = 0;
    int r = json_get_int(obj, name, &t);

    if (r == JSON_E_ABSENT && !required) {
        *out = 0;
        return 0;
    }
    if (r)
        return bad(err, name, r == JSON_E_ABSENT ? "is missing" : "is not an integer");
    if (t <= 0)
        return bad(err, name, "is not positive");
    *out = t;
    return 0;
}

static int read_claims(const struct json *payload, struct status_list *l, struct err *err)
{
    int r = read_text(payload, "iss", false, l->iss, sizeof(l->iss), err);

    if (!r)
        r = read_text(payload, "sub", true, l->uri, sizeof(l->uri), err);
    if (!r)
        r = read_time(payload, "iat", true, &l->iat, err);
    if (!r)
        r = read_time(payload, "exp", false, &l->exp, err);
    if (!r)
        r = read_time(payload, "ttl", false, &l->ttl, err);
    if (!r && l->exp && l->exp <= l->iat)
        r = bad(err, "exp", "is not after iat");
    return r;
}

/* Tries the inflation, bounded: section 11 of the draft warns of lists made to exhaust readers. */
static int inflate_list(const struct buf *packed, unsigned bits, struct buf *plain, struct err *err)
{
    size_t max = (size_t)LIMIT_STATUS_ENTRIES * bits / 8;

    switch (flate_inflate(packed->p, packed->n, max, plain)) {
    case 0:
        return 0;
    case FLATE_E_CORRUPT:
        return bad(err, "lst", "is not a zlib stream");
    case FLATE_E_BOMB:
        return err_set(err, STATUS_E_MALFORMED, "status list: lst has more than %d entries",
                       LIMIT_STATUS_ENTRIES);
    case FLATE_E_TRAILING:
        return bad(err, "lst", "ends before or after its zlib stream does");
    default:
        return -ENOMEM;
    }
}

static int read_list(const struct json *payload, struct status_list *l, struct err *err)
{
    const struct json *list = json_get(payload, "status_list");
    _cleanup_(buf_clear) struct buf packed = {0}, plain = {0};
    struct str lst;
    int64_t bits;
    int r;

    if (json_kind(list) != JSON_OBJECT)
        return bad(err, "status_list", list ? "is not an object" : "is missing");
    if (json_get_int(list, "bits", &bits) || (bits != 1 && bits != 2))
        return bad(err, "bits", "is neither 1 nor 2");
    if (json_get_str(list, "lst", &lst))
        return bad(err, "lst", "is not a string");
    r = buf_reserve(&packed, B64_DECODED_LEN(lst.n) + 1);
    if (r)
        return r;
    if (b64_decode(lst, packed.p, &packed.n))
        return bad(err, "lst", "is not base64url");
    r = inflate_list(&packed, (unsigned)bits, &plain, err);
    if (r)
        return r;
    l->bits = (unsigned)bits;
    l->packed_len = packed.n;
    l->packed = (uint8_t *)buf_take(&packed);
    l->plain_len = plain.n;
    l->plain = (uint8_t *)buf_take(&plain);
    if (l->packed && (l->plain || !l->plain_len))
        return 0;
    status_list_clear(l);
    return -ENOMEM;
}

int status_list_read(const struct jws *token, struct status_list *out, struct err *err)
{
    _cleanup_(json_freep) struct json *payload = NULL;
    struct status_list l = {0};
    int r = json_parse(buf_as_str(&token->payload), &json_bounds_wire, &payload, err);

    if (r)
        return err_prefix(err, r < 0 ? r : STATUS_E_MALFORMED, "status list");
    if (json_kind(payload) != JSON_OBJECT)
        return bad(err, "payload", "is not a JSON object");
    r = read_claims(payload, &l, err);
    if (!r)
        r = read_list(payload, &l, err);
    if (!r)
        *out = l;
    return r;
}

int status_list_get(const struct status_list *list, uint32_t idx, unsigned *value)
{
    return status_bits_get(list->plain, list->plain_len, list->bits, idx, value);
}

void status_list_clear(struct status_list *list)
{
    if (!list)
        return;
    free(list->packed);
    free(list->plain);
    list->packed = list->plain = NULL;
    list->packed_len = list->plain_len = 0;
}
