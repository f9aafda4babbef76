/*
 * The keys of the spaces and what they may sign: used by the signer process, and by verbs that run
 * without a node. Checks each payload against its kind, sets iat, exp and typ itself, and keeps the
 * iat counters: iat = max(now, last + 1), persisted (fsync) before the signed object is handed out.
 * An iat that other spaces would refuse as of the future is not signed.
 */
#pragma once

#include "app/app.h"
#include "app/signer.h"
#include "state.h"

struct vault;

/* Spaces are opened when first asked for. Both arguments are borrowed, for the vault's life. */
int vault_open(const struct state *state, const struct app_clock *clock, struct vault **out,
               struct err *err);
void vault_free(struct vault *v); /* wipes the keys */
DEFINE_CLEANUP(struct vault *, vault_free)

/* Fills in the answer: 0; SIGNER_E_*; -EBADMSG: keys or counters on disk are damaged; -EPERM: a key
 * file may be read by others; other -errno. */
void vault_sign(struct vault *v, struct sign_request *req);

/* Makes the space's folder, if it is not there, its counters and its two keys. -EEXIST: it has some
 * of them. */
int vault_create(struct vault *v, const char *space, struct err *err);

/* SIGNER_E_SPACE, and failures as above. */
int vault_keys(struct vault *v, const char *space, struct key *federation, struct key *pass,
               struct err *err);

/* A struct signer that works on a vault in this process. Owned; free with signer_free(). */
int signer_local(struct vault *v, struct signer **out);
void signer_free(struct signer *s);
