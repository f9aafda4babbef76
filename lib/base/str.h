/*
 * Borrowed slices of bytes. A struct str never owns; it lives as long as what it points into.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct str {
    const char *p;
    size_t n;
};

#define STR(literal) ((struct str){(literal), sizeof(literal) - 1})
#define STR_ARG(s) (int)(s).n, (s).p /* for "%.*s" */

static inline struct str str_of(const char *z)
{
    return (struct str){z, z ? strlen(z) : 0};
}

static inline bool str_eq(struct str a, struct str b)
{
    return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

static inline bool str_eqz(struct str a, const char *z)
{
    return str_eq(a, str_of(z));
}

bool str_starts(struct str s, struct str prefix);
bool str_ends(struct str s, struct str suffix);

/* The part before the first sep goes to *head, the rest after it to *tail. False if there is no
 * sep: then *head is all of s and *tail is empty. head or tail may be the address of s itself. */
bool str_cut(struct str s, char sep, struct str *head, struct str *tail);

/* Without leading and trailing space, tab, CR and LF. */
struct str str_trim(struct str s);

/* Copies into dst with a final NUL. -ENOSPC if it does not fit (dst stays untouched), -EINVAL if s
 * holds a NUL. */
int str_copy(char *dst, size_t cap, struct str s);

/* Owned NUL-terminated copy; NULL if memory is out. */
char *str_dup(struct str s);

/* Strict decimal: digits only, an optional leading '-', no leading zeros, in [min, max].
 * 0, -EINVAL (not a number) or -ERANGE. */
int str_to_int(struct str s, int64_t min, int64_t max, int64_t *out);

/* Strict decimal fraction for coordinates: [-]digits[.digits], at most 12 characters after the
 * sign. 0, -EINVAL or -ERANGE. */
int str_to_real(struct str s, double min, double max, double *out);

/* Well-formed UTF-8 (no overlongs, no surrogates, no NUL). */
bool str_is_utf8(struct str s);

/* Bytes of the well-formed UTF-8 character at p, of which n bytes are there; 0 if malformed or NUL.
 */
size_t str_utf8_len(const char *p, size_t n);

/* UTF-8 without control characters, line separators and marks that turn the direction of writing:
 * fit for one line of a terminal or a log. */
bool str_is_printable(struct str s);
