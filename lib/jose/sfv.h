/*
 * Structured field values for HTTP, RFC 9651 (8941 before it), as far as signatures need them:
 * dictionaries of inner lists and byte sequences. Internal to jose.
 *
 * Only what is canonical already is read: numbers without superfluous zeros, no key twice, base64
 * with its padding. So a value read is a slice of the text, and writing it again (RFC 9421 section
 * 2.3 wants that) needs no conversion.
 */
#pragma once

#include "base/buf.h"

enum { SFV_E_MALFORMED = 1, SFV_E_TOO_MANY };

enum sfv_kind { SFV_INT, SFV_DECIMAL, SFV_STRING, SFV_TOKEN, SFV_BYTES, SFV_BOOL, SFV_DATE };

struct sfv_bare {
    enum sfv_kind kind;
    struct str text; /* as it stands, with quotes or colons */
    struct str
        value; /* STRING: between the quotes, escapes kept; BYTES: the base64; else the text */
    int64_t n; /* INT, DATE; BOOL as 0 or 1 */
};

struct sfv_param {
    struct str key;
    struct sfv_bare value;
};

#define SFV_ITEM_PARAMS 4
#define SFV_LIST_ITEMS 24
#define SFV_LIST_PARAMS 12

struct sfv_item {
    struct sfv_bare value;
    struct sfv_param params[SFV_ITEM_PARAMS];
    size_t n_params;
};

struct sfv_inner_list {
    struct sfv_item items[SFV_LIST_ITEMS];
    size_t n_items;
    struct sfv_param params[SFV_LIST_PARAMS];
    size_t n_params;
};

/*
 * Reads a dictionary member by member: sfv_begin(); then while sfv_key() gives 1, one sfv_item()
 * or sfv_inner_list() for the value and sfv_end_member(). All borrow the field's text.
 */
struct sfv {
    const char *p, *end;
};

void sfv_begin(struct sfv *s, struct str field);
int sfv_key(struct sfv *s, struct str *key); /* 1: a member's key; 0: the end; -1: malformed */
int sfv_item(struct sfv *s, struct sfv_item *out);
int sfv_inner_list(struct sfv *s, struct sfv_inner_list *out);
int sfv_end_member(struct sfv *s);

const struct sfv_bare *sfv_param(const struct sfv_param *params, size_t n, const char *key);

/* Write what was read; errors stick to the buffer. */
void sfv_write_params(const struct sfv_param *params, size_t n, struct buf *out);
void sfv_write_inner_list(const struct sfv_inner_list *list, struct buf *out);

/* Whether s can stand between quotes as it is: printable ASCII without '"' and '\'. */
bool sfv_is_plain(struct str s);
