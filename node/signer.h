/*
 * The signer: a process of its own, started before any thread. It alone reads the spaces' keys. Each
 * client thread has a channel (socket pair) of its own, made before the fork.
 */
#pragma once

#include "vault.h"

#define SIGNER_CHANNELS 4

enum signer_channel { CHANNEL_WRITER = 0, CHANNEL_NETWORK, CHANNEL_CONTROL, CHANNEL_MAIN };

struct signer_process;

/* Forks. The child closes what is not its own, drops what it can, and serves until every channel is
 * closed. Channels are struct signers of the parent. */
int signer_start(const struct state *state, const struct app_clock *clock,
                 struct signer_process **out, struct err *err);
struct signer *signer_channel(struct signer_process *p, enum signer_channel c);
int signer_pid(const struct signer_process *p);
void signer_stop(struct signer_process *p); /* closes the channels, reaps the child */
