#include "jose/alg.h"

/* The first of a key type is the one that we write. */
static const struct jose_alg algs[] = {
    {"ES256", KEY_P256},      /* RFC 7518 section 3.4 */
    {"Ed25519", KEY_ED25519}, /* RFC 9864 section 2.2 */
    {"EdDSA", KEY_ED25519},   /* RFC 8037 section 3.1 */
};

const struct jose_alg *jose_alg_find(struct str name)
{
    for (size_t i = 0; i < ARRAY_SIZE(algs); i++)
        if (str_eqz(name, algs[i].name))
            return &algs[i];
    return NULL;
}

const struct jose_alg *jose_alg_of(enum key_type type)
{
    for (size_t i = 0; i < ARRAY_SIZE(algs); i++)
        if (algs[i].type == type)
            return &algs[i];
    return NULL;
}
