#include "crypto/digest.h"

#include <errno.h>
#include <limits.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

int sha256(const void *p, size_t n, uint8_t out[static SHA256_LEN])
{
    return EVP_Digest(p, n, out, NULL, EVP_sha256(), NULL) == 1 ? 0 : -EIO;
}

int hmac_sha256(const void *key, size_t key_len, const void *p, size_t n,
                uint8_t out[static SHA256_LEN])
{
    if (key_len > INT_MAX)
        return -EINVAL;
    return HMAC(EVP_sha256(), key, (int)key_len, p, n, out, NULL) ? 0 : -EIO;
}

bool secret_equal(const void *a, const void *b, size_t n)
{
    return CRYPTO_memcmp(a, b, n) == 0;
}

void secret_wipe(void *p, size_t n)
{
    OPENSSL_cleanse(p, n);
}
