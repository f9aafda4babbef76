/* A signer in this process, for verbs that run without a node. */
#include <errno.h>

#include "vault.h"

struct local_signer {
    struct signer base;  /* first */
    struct vault *vault; /* borrowed */
};

static int local_sign(struct signer *self, struct sign_request *const reqs[], size_t n)
{
    for (size_t i = 0; i < n; i++)
        vault_sign(((struct local_signer *)self)->vault, reqs[i]);
    return 0;
}

static int local_create(struct signer *self, const char *space, struct err *err)
{
    return vault_create(((struct local_signer *)self)->vault, space, err);
}

static int local_keys(struct signer *self, const char *space, struct key *federation,
                      struct key *pass, struct err *err)
{
    return vault_keys(((struct local_signer *)self)->vault, space, federation, pass, err);
}

int signer_local(struct vault *v, struct signer **out)
{
    struct local_signer *s = calloc(1, sizeof(*s));

    if (!s)
        return -ENOMEM;
    s->base = (struct signer){local_sign, local_create, local_keys};
    s->vault = v;
    *out = &s->base;
    return 0;
}

void signer_free(struct signer *s)
{
    free(s);
}
