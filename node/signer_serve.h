/* The signer process's own end. Private to node/signer*. */
#pragma once

#include "signer.h"

/* Answers on all channels until every one is closed by its other end. 0 or -errno. */
int signer_serve(struct vault *vault, const int fds[static SIGNER_CHANNELS]);
