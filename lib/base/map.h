/*
 * A hash map from byte strings to pointers, bounded, insertion order kept for iteration (so that
 * nothing ever depends on addresses). Keys are copied; values are borrowed, or freed by
 * `free_value`. Hashing is SipHash-like keyed by `seed`, since keys come from outside.
 */
#pragma once

#include "base/str.h"

struct map;

enum { MAP_E_FULL = 1 };

int map_new(size_t max, uint64_t seed, void (*free_value)(void *), struct map **out);
void map_free(struct map *m);
size_t map_count(const struct map *m);
void *map_get(const struct map *m, struct str key); /* NULL if absent */

/* Adds or replaces (the old value is freed). 0, MAP_E_FULL or -ENOMEM. */
int map_put(struct map *m, struct str key, void *value);
void map_remove(struct map *m, struct str key);

/* size_t at = 0; while (map_each(m, &at, &key, &value)) ... ; nothing may be added meanwhile. */
int map_each(const struct map *m, size_t *at, struct str *key, void **value);
