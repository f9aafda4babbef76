/*
 * The signer: a process of its own, started before any thread. It alone reads the spaces' keys.
 * Each client thread has a channel (socket pair) of its own, made before the fork.
 */
#pragma once

#include "vault.h"

#define SIGNER_CHANNELS 4

enum signer_channel { CHANNEL_WRITER = 0, CHANNEL_NETWORK, CHANNEL_CONTROL, CHANNEL_MAIN };

struct signer_process;

/*
 * Forks: call it before any thread is made, any database opened and any signal handler set. The
 * child closes what is not its own, drops what it can, and serves until every channel is closed;
 * signals that end the node do not end it. state and clock are borrowed, for the child's life.
 */
int signer_start(const struct state *state, const struct app_clock *clock,
                 struct signer_process **out, struct err *err);

/* Borrowed. Each is for one thread at a time. When the child is gone its requests give -EIO. A
 * channel that breaks for another reason (memory is out in the middle of an answer, or an answer
 * that is none) ends the child: so there is one failure to notice, its death. */
struct signer *signer_channel(struct signer_process *p, enum signer_channel c);
int signer_pid(const struct signer_process *p);

/* Closes the channels and reaps the child (also one that was killed and reaped before). Only when
 * no thread uses a channel any more. */
void signer_stop(struct signer_process *p);
