/* QR symbols by libqrencode: the only file that includes it. */
#include <errno.h>
#include <qrencode.h>

#include "base/limits.h"
#include "cred/qr.h"

struct qr {
    unsigned width;
    uint8_t *dark; /* owned: width * width, 0 or 1 */
};

/* How much of the text, from the end, is digits: those go into a numeric segment (ISO/IEC 18004
 * section 7.4.3), three to ten bits. */
static size_t digits_from(struct str text)
{
    size_t n = text.n;

    while (n > 0 && text.p[n - 1] >= '0' && text.p[n - 1] <= '9')
        n--;
    return n;
}

static int append(QRinput *input, QRencodeMode mode, const char *p, size_t n)
{
    if (n && QRinput_append(input, mode, (int)n, (const unsigned char *)p))
        return -errno;
    return 0;
}

static int copy_symbol(const QRcode *code, struct qr **out)
{
    size_t n = (size_t)code->width * (size_t)code->width;
    struct qr *qr = malloc(sizeof(*qr));

    if (!qr)
        return -ENOMEM;
    qr->width = (unsigned)code->width;
    qr->dark = malloc(n);
    if (!qr->dark) {
        free(qr);
        return -ENOMEM;
    }
    for (size_t i = 0; i < n; i++)
        qr->dark[i] = code->data[i] & 1;
    *out = qr;
    return 0;
}

int qr_encode(struct str text, struct qr **out)
{
    size_t split = digits_from(text);
    QRinput *input;
    QRcode *code;
    int r;

    if (!text.n || text.n > LIMIT_QR_TEXT)
        return text.n ? QR_E_TOO_LONG : -EINVAL;
    /* Level L: the text checks itself (a signature), and fewer modules are what a lens needs. */
    input = QRinput_new2(0, QR_ECLEVEL_L);
    if (!input)
        return -errno;
    r = append(input, QR_MODE_8, text.p, split);
    if (!r)
        r = append(input, QR_MODE_NUM, text.p + split, text.n - split);
    if (!r) {
        errno = 0;
        code = QRcode_encodeInput(input);
        if (code) {
            r = copy_symbol(code, out);
            QRcode_free(code);
        } else {
            r = errno == ERANGE ? QR_E_TOO_LONG : errno ? -errno : -EINVAL;
        }
    }
    QRinput_free(input);
    return r;
}

void qr_free(struct qr *qr)
{
    if (!qr)
        return;
    free(qr->dark);
    free(qr);
}

unsigned qr_width(const struct qr *qr)
{
    return qr->width;
}

bool qr_dark(const struct qr *qr, unsigned x, unsigned y)
{
    return x < qr->width && y < qr->width && qr->dark[(size_t)y * qr->width + x];
}
