#include "base/tz.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/tz_rule.h"

#define DAY 86400
#define FILE_MAX ((size_t)256 * 1024)
#define NAME_MAX_LEN 64

/* RFC 8536 section 3.2: the counts of a data block's parts. */
struct header {
    uint8_t version;
    uint32_t isut, isstd, leap, times, types, chars;
};

#define HEADER_LEN 44

struct tz {
    size_t n_times;
    int64_t *times;      /* transitions, ascending */
    int32_t *offsets;    /* in force from the transition on */
    int32_t first;       /* in force before the first transition */
    struct tz_rule rule; /* in force after the last, if has_rule */
    bool has_rule;
};

static uint32_t be32(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static int64_t be64(const uint8_t *p)
{
    return (int64_t)((uint64_t)be32(p) << 32 | be32(p + 4));
}

void tz_free(struct tz *tz)
{
    if (!tz)
        return;
    free(tz->times);
    free(tz->offsets);
    free(tz);
}

static bool read_header(struct str s, struct header *h)
{
    const uint8_t *p = (const uint8_t *)s.p;

    if (s.n < HEADER_LEN || memcmp(p, "TZif", 4) != 0)
        return false;
    h->version = p[4] ? (uint8_t)(p[4] - '0') : 1;
    h->isut = be32(p + 20);
    h->isstd = be32(p + 24);
    h->leap = be32(p + 28);
    h->times = be32(p + 32);
    h->types = be32(p + 36);
    h->chars = be32(p + 40);
    if (h->types == 0 || h->types > 256 || h->times > FILE_MAX || h->chars > FILE_MAX ||
        h->leap > FILE_MAX || h->isstd > h->types || h->isut > h->types)
        return false;
    return true;
}

/* Length of the data block that follows the header, with times of that many bytes. */
static size_t block_len(const struct header *h, size_t time_size)
{
    return h->times * (time_size + 1) + h->types * 6 + h->chars + h->leap * (time_size + 4) +
           h->isstd + h->isut;
}

/* Section 3.2: transition times, their types, then each type's offset. */
static int read_block(struct tz *tz, const uint8_t *p, const struct header *h, size_t time_size)
{
    const uint8_t *index = p + h->times * time_size, *types = index + h->times;

    tz->n_times = h->times;
    tz->times = calloc(h->times + 1, sizeof(*tz->times));
    tz->offsets = calloc(h->times + 1, sizeof(*tz->offsets));
    if (!tz->times || !tz->offsets)
        return -ENOMEM;
    for (size_t i = 0; i < h->types; i++)
        if ((int32_t)be32(types + i * 6) < -89999 || (int32_t)be32(types + i * 6) > 93599)
            return TZ_E_UNKNOWN;
    for (size_t i = 0; i < h->times; i++) {
        const uint8_t *at = p + i * time_size;

        tz->times[i] = time_size == 8 ? be64(at) : (int32_t)be32(at);
        if (index[i] >= h->types || (i && tz->times[i] <= tz->times[i - 1]))
            return TZ_E_UNKNOWN;
        tz->offsets[i] = (int32_t)be32(types + index[i] * 6);
    }
    tz->first = (int32_t)be32(types); /* type 0 is for what is before */
    return 0;
}

/* Section 3.3: newline, POSIX TZ string, newline; empty if nothing is known of the future. */
static int read_footer(struct tz *tz, struct str s)
{
    struct str rule, rest;

    if (s.n < 2 || s.p[0] != '\n')
        return TZ_E_UNKNOWN;
    s.p++;
    s.n--;
    if (!str_cut(s, '\n', &rule, &rest))
        return TZ_E_UNKNOWN;
    if (rule.n == 0)
        return 0;
    tz->has_rule = true;
    return tz_rule_parse(rule, &tz->rule) ? TZ_E_UNKNOWN : 0;
}

static int parse(struct tz *tz, struct str s)
{
    struct header h;
    size_t len;
    int r;

    if (!read_header(s, &h))
        return TZ_E_UNKNOWN;
    len = HEADER_LEN + block_len(&h, 4);
    if (len > s.n)
        return TZ_E_UNKNOWN;
    if (h.version == 1)
        return read_block(tz, (const uint8_t *)s.p + HEADER_LEN, &h, 4);
    s.p += len; /* version 2 and up: the same again with times of 64 bits */
    s.n -= len;
    if (!read_header(s, &h))
        return TZ_E_UNKNOWN;
    len = HEADER_LEN + block_len(&h, 8);
    if (len > s.n)
        return TZ_E_UNKNOWN;
    r = read_block(tz, (const uint8_t *)s.p + HEADER_LEN, &h, 8);
    return r ? r : read_footer(tz, (struct str){s.p + len, s.n - len});
}

int tz_parse(const void *tzif, size_t n, struct tz **out, struct err *err)
{
    _cleanup_(tz_freep) struct tz *tz = calloc(1, sizeof(*tz));
    int r;

    if (!tz)
        return -ENOMEM;
    r = n > FILE_MAX ? TZ_E_UNKNOWN : parse(tz, (struct str){tzif, n});
    if (r)
        return r > 0 ? err_set(err, r, "not a TZif file (RFC 8536)") : r;
    *out = tz;
    tz = NULL;
    return 0;
}

/* Letters, digits and "_+-" in parts divided by '/': no part is empty or begins with a dot. */
static bool is_zone_name(const char *name)
{
    size_t n = strlen(name);

    if (n == 0 || n > NAME_MAX_LEN || name[0] == '/' || name[n - 1] == '/')
        return false;
    for (size_t i = 0; i < n; i++) {
        char c = name[i];

        if (!(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z') && !(c >= '0' && c <= '9') &&
            !strchr("_+-/", c))
            return false;
        if (c == '/' && name[i + 1] == '/')
            return false;
    }
    return true;
}

static int unknown(struct err *err, const char *name)
{
    err_set(err, 0, "there is no time zone \"%.64s\"", name);
    return err_next(err, TZ_E_UNKNOWN, "Give a name of the IANA database, such as Europe/Lisbon.");
}

static int read_file(int fd, struct buf *out)
{
    struct stat st;

    if (fstat(fd, &st))
        return -errno;
    if (!S_ISREG(st.st_mode) || (size_t)st.st_size > FILE_MAX)
        return TZ_E_UNKNOWN;
    return file_read_fd(fd, out);
}

int tz_load(const char *dir, const char *name, struct tz **out, struct err *err)
{
    _cleanup_(closep) int fd = -1;
    char path[512];
    struct buf b = {.max = FILE_MAX};
    int r;

    if (!is_zone_name(name))
        return unknown(err, name);
    if (snprintf(path, sizeof(path), "%s/%s", dir, name) >= (int)sizeof(path))
        return err_set(err, -ENAMETOOLONG, "the path of the time zones is too long");
    fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0 && (errno == ENOENT || errno == ENOTDIR))
        return unknown(err, name);
    r = fd < 0 ? -errno : read_file(fd, &b);
    if (!r)
        r = tz_parse(b.p, b.n, out, NULL);
    buf_clear(&b);
    if (r > 0)
        return unknown(err, name);
    return r ? err_set(err, r, "cannot read %s: %s", path, strerror(-r)) : 0;
}

int32_t tz_offset(const struct tz *tz, int64_t t)
{
    size_t low = 0, high = tz->n_times;

    if (tz->has_rule && (high == 0 || t >= tz->times[high - 1]))
        return tz_rule_offset(&tz->rule, t);
    while (low < high) { /* how many transitions are at or before t */
        size_t mid = low + (high - low) / 2;

        if (tz->times[mid] <= t)
            low = mid + 1;
        else
            high = mid;
    }
    return low ? tz->offsets[low - 1] : tz->first;
}

void tz_local(const struct tz *tz, int64_t t, struct civil *out)
{
    civil_from_time(t + tz_offset(tz, t), out);
}

int32_t tz_day(const struct tz *tz, int64_t t)
{
    int64_t local = t + tz_offset(tz, t);

    return (int32_t)(local / DAY - (local % DAY < 0));
}

/*
 * Offsets are within 26 hours, so the instant lies within two days of the day's midnight in UTC,
 * and local days only ever grow with t but for changes at midnight that set the clock back: the
 * first instant is sought from below.
 */
int64_t tz_day_start(const struct tz *tz, int32_t day)
{
    int64_t midnight = (int64_t)day * DAY, low = midnight - 2 * DAY, high = midnight + 2 * DAY;

    while (high - low > 1) {
        int64_t mid = low + (high - low) / 2;

        if (tz_day(tz, mid) >= day)
            high = mid;
        else
            low = mid;
    }
    return high;
}
