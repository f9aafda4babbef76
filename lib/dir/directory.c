#include "dir/directory.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>

#include "base/flate.h"

/* A status list as it came, and, once somebody has looked at it, the same with its bytes inflated.
 * Readers share the lock, so the first one publishes `open` atomically and nothing else changes. */
struct slot {
    struct status_list list; /* .plain NULL; empty (uri "") if there is none */
    int64_t checked;
    _Atomic(struct status_list *) open; /* owned with its .plain; .packed is list's */
};

struct entry {
    struct dir_issuer issuer;
    struct slot slots[LIMIT_STATUS_LISTS];
};

/* Sorted by id: twelve comparisons find one of 4096, without a hash that strangers could aim at. */
struct directory {
    pthread_rwlock_t lock;
    atomic_size_t n;
    struct entry *entries[LIMIT_PEERS];
};

static void slot_clear(struct slot *slot)
{
    struct status_list *open = atomic_load_explicit(&slot->open, memory_order_relaxed);

    if (open)
        free(open->plain);
    free(open);
    status_list_clear(&slot->list);
    *slot = (struct slot){0};
}

static void slot_move(struct slot *to, struct slot *from)
{
    struct status_list *open = atomic_load_explicit(&from->open, memory_order_relaxed);

    to->list = from->list;
    to->checked = from->checked;
    atomic_store_explicit(&to->open, open, memory_order_relaxed);
    *from = (struct slot){0};
}

static void entry_free(struct entry *e)
{
    if (!e)
        return;
    for (size_t i = 0; i < LIMIT_STATUS_LISTS; i++)
        slot_clear(&e->slots[i]);
    free(e);
}
DEFINE_CLEANUP(struct entry *, entry_free)

int directory_new(struct directory **out)
{
    struct directory *d = calloc(1, sizeof(*d));
    pthread_rwlockattr_t attr;
    int r;

    if (!d)
        return -ENOMEM;
    r = pthread_rwlockattr_init(&attr);
    if (r == 0) {
        /* Else a steady stream of readers on several loops would keep a writer out for good. */
        pthread_rwlockattr_setkind_np(&attr, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
        r = pthread_rwlock_init(&d->lock, &attr);
        pthread_rwlockattr_destroy(&attr);
    }
    if (r != 0) {
        free(d);
        return -r;
    }
    *out = d;
    return 0;
}

void directory_free(struct directory *d)
{
    if (!d)
        return;
    for (size_t i = 0; i < d->n; i++)
        entry_free(d->entries[i]);
    pthread_rwlock_destroy(&d->lock);
    free(d);
}

static void lock_write(struct directory *d)
{
    int r = pthread_rwlock_wrlock(&d->lock);
    assert(r == 0);
    (void)r;
}

void directory_read(struct directory *d)
{
    int r = pthread_rwlock_rdlock(&d->lock);
    assert(r == 0);
    (void)r;
}

void directory_done(struct directory *d)
{
    int r = pthread_rwlock_unlock(&d->lock);
    assert(r == 0);
    (void)r;
}

static int compare(struct str id, const char *other)
{
    size_t n = strlen(other);
    int r = memcmp(id.p, other, id.n < n ? id.n : n);

    return r != 0 ? r : (id.n > n) - (id.n < n);
}

/* Where id is or belongs. */
static bool locate(const struct directory *d, struct str id, size_t *at)
{
    size_t low = 0, high = d->n;

    while (low < high) {
        size_t mid = low + (high - low) / 2;
        int r = compare(id, d->entries[mid]->issuer.id);
        if (r == 0) {
            *at = mid;
            return true;
        }
        if (r < 0)
            high = mid;
        else
            low = mid + 1;
    }
    *at = low;
    return false;
}

static struct entry *find(const struct directory *d, struct str id)
{
    size_t at;

    return locate(d, id, &at) ? d->entries[at] : NULL;
}

static int entry_new(const struct configuration *c, enum dir_state state, int64_t checked,
                     struct entry **out)
{
    _cleanup_(entry_freep) struct entry *e = calloc(1, sizeof(*e));
    int r = 0;

    if (!e)
        return -ENOMEM;
    e->issuer = (struct dir_issuer){
        .has_position = c->has_position,
        .lat = c->lat,
        .lon = c->lon,
        .state = state,
        .config_iat = c->iat,
        .config_exp = c->exp,
        .checked = checked,
        .n_pass = c->n_pass,
        .n_federation = c->n_federation,
        .status_lists = c->status_lists,
    };
    memcpy(e->issuer.id, c->id, sizeof(e->issuer.id));
    memcpy(e->issuer.name, c->name, sizeof(e->issuer.name));
    memcpy(e->issuer.country, c->country, sizeof(e->issuer.country));
    for (size_t i = 0; r == 0 && i < c->n_pass; i++) {
        e->issuer.pass[i] = c->pass[i];
        r = jwk_thumbprint(&c->pass[i], e->issuer.pass_kid[i]);
    }
    for (size_t i = 0; r == 0 && i < c->n_federation; i++) {
        e->issuer.federation[i] = c->federation[i];
        r = jwk_thumbprint(&c->federation[i], e->issuer.federation_kid[i]);
    }
    if (r != 0)
        return r;
    *out = e;
    e = NULL;
    return 0;
}

static bool has_pass_key(const struct dir_issuer *issuer, const struct key *key)
{
    for (size_t i = 0; i < issuer->n_pass; i++) {
        if (key_equal(&issuer->pass[i], key))
            return true;
    }
    return false;
}

static void inherit_status(struct entry *to, struct entry *from)
{
    for (size_t i = 0; i < from->issuer.n_pass; i++) {
        if (!has_pass_key(&to->issuer, &from->issuer.pass[i]))
            return;
    }
    for (size_t i = 0; i < LIMIT_STATUS_LISTS && i < to->issuer.status_lists; i++)
        slot_move(&to->slots[i], &from->slots[i]);
}

/* Under the write lock. What *e holds afterwards is the caller's to free, out of the lock. */
static int put_locked(struct directory *d, struct entry **e)
{
    size_t at, n = d->n;

    if (locate(d, str_of((*e)->issuer.id), &at)) {
        struct entry *old = d->entries[at];
        if (old->issuer.config_iat > (*e)->issuer.config_iat)
            return DIR_E_OLDER;
        inherit_status(*e, old);
        d->entries[at] = *e;
        *e = old;
        return 0;
    }
    if (n == LIMIT_PEERS)
        return DIR_E_FULL;
    memmove(&d->entries[at + 1], &d->entries[at], (n - at) * sizeof(d->entries[0]));
    d->entries[at] = *e;
    d->n = n + 1;
    *e = NULL;
    return 0;
}

int directory_put(struct directory *d, const struct configuration *c, enum dir_state state,
                  int64_t checked)
{
    _cleanup_(entry_freep) struct entry *e = NULL;
    int r;

    assert(c->n_pass <= LIMIT_KEYS_PER_ENTITY && c->n_federation <= LIMIT_KEYS_PER_ENTITY);
    r = entry_new(c, state, checked, &e);
    if (r != 0)
        return r;
    lock_write(d);
    r = put_locked(d, &e);
    directory_done(d);
    return r;
}

int directory_remove(struct directory *d, const char *id)
{
    struct entry *e = NULL;
    size_t at;

    lock_write(d);
    if (locate(d, str_of(id), &at)) {
        size_t n = d->n - 1;
        e = d->entries[at];
        memmove(&d->entries[at], &d->entries[at + 1], (n - at) * sizeof(d->entries[0]));
        d->n = n;
    }
    directory_done(d);
    entry_free(e);
    return e ? 0 : DIR_E_UNKNOWN;
}

int directory_touch(struct directory *d, const char *id, int64_t checked)
{
    struct entry *e;

    lock_write(d);
    e = find(d, str_of(id));
    if (e)
        e->issuer.checked = checked;
    directory_done(d);
    return e ? 0 : DIR_E_UNKNOWN;
}

/* Cuts "<id>/status/<n>". An id has no '/' behind its scheme, so the cut is the only one. */
static bool split_uri(struct str uri, struct str *id, unsigned *n)
{
    static const struct str mark = {CONFIGURATION_STATUS_PATH,
                                    sizeof(CONFIGURATION_STATUS_PATH) - 1};
    int64_t number;

    for (size_t i = 0; i + mark.n <= uri.n; i++) {
        struct str tail = {uri.p + i, uri.n - i};
        if (!str_starts(tail, mark))
            continue;
        tail = (struct str){tail.p + mark.n, tail.n - mark.n};
        if (str_to_int(tail, 0, LIMIT_STATUS_LISTS - 1, &number) != 0)
            return false;
        *id = (struct str){uri.p, i};
        *n = (unsigned)number;
        return true;
    }
    return false;
}

/* Under either lock. DIR_E_FOREIGN, DIR_E_UNKNOWN. */
static int find_slot(const struct directory *d, const char *uri, struct entry **e,
                     struct slot **slot)
{
    struct entry *found;
    struct str id;
    unsigned n;

    if (!split_uri(str_of(uri), &id, &n))
        return DIR_E_FOREIGN;
    found = find(d, id);
    if (!found)
        return DIR_E_UNKNOWN;
    if (n >= found->issuer.status_lists)
        return DIR_E_FOREIGN;
    *e = found;
    *slot = &found->slots[n];
    return 0;
}

static int put_status_locked(struct directory *d, struct slot *fresh)
{
    struct slot old = {0};
    struct entry *e;
    struct slot *slot;
    int r = find_slot(d, fresh->list.uri, &e, &slot);

    if (r != 0)
        return r;
    if (fresh->list.iss[0] && strcmp(fresh->list.iss, e->issuer.id) != 0)
        return DIR_E_FOREIGN;
    if (slot->list.uri[0] && slot->list.iat > fresh->list.iat)
        return DIR_E_OLDER;
    slot_move(&old, slot);
    slot_move(slot, fresh);
    slot_move(fresh, &old);
    return 0;
}

int directory_put_status(struct directory *d, struct status_list *list, int64_t checked)
{
    struct slot fresh = {.list = *list, .checked = checked};
    int r;

    assert(list->packed && list->plain);
    fresh.list.plain = NULL;
    lock_write(d);
    r = put_status_locked(d, &fresh);
    directory_done(d);
    if (r != 0)
        return r;
    free(list->plain);
    *list = (struct status_list){0};
    slot_clear(&fresh);
    return 0;
}

int directory_touch_status(struct directory *d, const char *uri, int64_t checked)
{
    struct entry *e;
    struct slot *slot;
    int r;

    lock_write(d);
    r = find_slot(d, uri, &e, &slot) == 0 && slot->list.uri[0] ? 0 : DIR_E_UNKNOWN;
    if (r == 0)
        slot->checked = checked;
    directory_done(d);
    return r;
}

const struct dir_issuer *directory_find(struct directory *d, const char *id)
{
    const struct entry *e = find(d, str_of(id));

    return e ? &e->issuer : NULL;
}

const struct dir_issuer *directory_at(struct directory *d, size_t i)
{
    return i < d->n ? &d->entries[i]->issuer : NULL;
}

/* Several readers may inflate at once; the first to publish wins, the others drop theirs. */
static int slot_open(struct slot *slot, const struct status_list **out)
{
    struct status_list *open = atomic_load_explicit(&slot->open, memory_order_acquire);
    struct status_list *none = NULL;
    struct buf plain = {0};
    int r;

    if (open) {
        *out = open;
        return 0;
    }
    r = flate_inflate(slot->list.packed, slot->list.packed_len, slot->list.plain_len, &plain);
    open = r == 0 ? malloc(sizeof(*open)) : NULL;
    if (!open) {
        buf_clear(&plain);
        return r < 0 ? r : -ENOMEM; /* r > 0 cannot be: it was inflated when it was read */
    }
    *open = slot->list;
    open->plain = (uint8_t *)plain.p;
    open->plain_len = plain.n;
    if (!atomic_compare_exchange_strong_explicit(&slot->open, &none, open, memory_order_acq_rel,
                                                 memory_order_acquire)) {
        free(open->plain);
        free(open);
        open = none;
    }
    *out = open;
    return 0;
}

int directory_status(struct directory *d, const char *uri, struct dir_status *out)
{
    const struct status_list *list;
    struct entry *e;
    struct slot *slot;
    int r;

    if (find_slot(d, uri, &e, &slot) != 0 || !slot->list.uri[0])
        return DIR_E_UNKNOWN;
    r = slot_open(slot, &list);
    if (r != 0)
        return r;
    out->list = list;
    out->checked = slot->checked;
    return 0;
}

size_t directory_count(struct directory *d)
{
    return d->n;
}
