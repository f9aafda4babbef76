#include "vault_counters.h"

#include <errno.h>

#include "app/signer.h"
#include "base/file.h"
#include "base/json.h"
#include "base/limits.h"

#define FILE_MAX 8192

struct counters {
    struct json *values; /* {"<document>": iat} */
    char path[512];
};

int counters_create(const char *path, struct err *err)
{
    int r = file_create(path, STR("{}\n"));

    return r == 0 ? 0 : err_set(err, r, "cannot create %s: %s", path, strerror(-r));
}

static int read_values(struct counters *c)
{
    _cleanup_(buf_clear) struct buf text = {.max = FILE_MAX};
    struct json_iter it = {0};
    int64_t n;
    int r = file_read(c->path, &text);

    if (r != 0)
        return r == -ENOSPC ? -EBADMSG : r;
    r = json_parse(buf_as_str(&text), &json_bounds_wire, &c->values, NULL);
    if (r != 0)
        return r < 0 ? r : -EBADMSG;
    if (json_kind(c->values) != JSON_OBJECT)
        return -EBADMSG;
    while (json_next(c->values, &it))
        if (json_as_int(it.value, &n) != 0 || n < 0)
            return -EBADMSG;
    return 0;
}

int counters_open(const char *path, struct counters **out, struct err *err)
{
    _cleanup_(counters_freep) struct counters *c = calloc(1, sizeof(*c));
    int r = c ? str_copy(c->path, sizeof(c->path), str_of(path)) : -ENOMEM;

    if (r == 0)
        r = read_values(c);
    if (r == 0) {
        *out = c;
        c = NULL;
        return 0;
    }
    err_set(err, r, "the counters in %s cannot be read: %s", path,
            r == -EBADMSG ? "they are damaged" : strerror(-r));
    return err_next(
        err, r,
        "restore the file from a backup; or, if this machine's clock is right and never "
        "was ahead, write {} into it");
}

void counters_free(struct counters *c)
{
    if (!c)
        return;
    json_free(c->values);
    free(c);
}

static int store(struct counters *c)
{
    _cleanup_(buf_clear) struct buf text = {.max = FILE_MAX};
    int r = json_write(c->values, &text);

    return r == 0 ? file_replace(c->path, buf_as_str(&text)) : r;
}

/* Others refuse what is dated later than their clock allows: to sign on would look like a success,
 * and reach nobody. */
static int refuse_ahead(const struct counters *c, const char *document, int64_t ahead,
                        struct err *err)
{
    bool days = ahead >= 2 * 86400;

    err_set(err, 0,
            "this machine's clock is %lld %s behind what was signed before as %s; other spaces "
            "refuse what is signed until then",
            (long long)(days ? ahead / 86400 : ahead), days ? "days" : "s", document);
    return err_next(err, SIGNER_E_REFUSED,
                    "set the clock right; if it is right, and was ahead before, stop the node, "
                    "write {} into %s and start it",
                    c->path);
}

int counters_next(struct counters *c, const char *document, int64_t now, int64_t *iat,
                  struct err *err)
{
    int64_t next = now, last;
    int r;

    if (json_get_int(c->values, document, &last) == 0 && last >= now)
        next = last + 1;
    if (next > now + LIMIT_CLOCK_SKEW)
        return refuse_ahead(c, document, next - now, err);
    r = json_put_int(c->values, document, next);
    if (r == 0)
        r = store(c);
    if (r != 0)
        return err_set(err, r, "the counter of %s cannot be kept: %s", document, strerror(-r));
    *iat = next;
    return 0;
}
