/* The node's end of a channel to the signer process. Private to node/signer*. */
#pragma once

#include <sys/types.h>

#include "app/signer.h"

struct signer_client {
    struct signer base; /* first */
    int fd;             /* owned */
    pid_t process;      /* the signer; not reaped while there are channels */
    bool broken;        /* every request gives -EIO */
    struct buf in, out;
};

void signer_client_init(struct signer_client *ch, int fd, pid_t process);
void signer_client_close(struct signer_client *ch);
