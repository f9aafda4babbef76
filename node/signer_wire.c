#include "signer_wire.h"

#include <errno.h>

int wire_frame(struct str buf, size_t head, void *out)
{
    uint32_t n;

    if (buf.n < sizeof(n))
        return 0;
    memcpy(&n, buf.p, sizeof(n));
    if (n < head || n > WIRE_FRAME_MAX)
        return -EPROTO;
    if (buf.n < n)
        return 0;
    memcpy(out, buf.p, head);
    return (int)n;
}
