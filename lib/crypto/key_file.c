/*
 * Key pairs in files: PEM, PKCS #8 (RFC 5958), for the owner's eyes only.
 */
#include <errno.h>
#include <fcntl.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <sys/stat.h>

#include "base/file.h"
#include "crypto/openssl_key.h"

#define KEY_FILE_MAX ((size_t)4096) /* bytes of a key file */

DEFINE_CLEANUP(BIO *, BIO_free_all)

int key_pair_save(const struct key_pair *pair, const char *path, struct err *err)
{
    _cleanup_(BIO_free_allp) BIO *bio = BIO_new(BIO_s_secmem());
    char *pem;
    long n;
    int r;

    if (!bio || PEM_write_bio_PKCS8PrivateKey(bio, pair->pkey, NULL, NULL, 0, NULL, NULL) != 1)
        return err_set(err, -EIO, "cannot write the key as PEM");
    n = BIO_get_mem_data(bio, &pem);
    r = file_create(path, (struct str){pem, (size_t)n});
    if (r == -EEXIST) {
        err_set(err, 0, "%s exists already", path);
        return err_next(err, KEY_E_EXISTS,
                        "Keys are never overwritten: move that file away first.");
    }
    return r ? err_set(err, r, "cannot write %s: %s", path, strerror(-r)) : 0;
}

/* Refuses what is no plain file, is too large, or may be read by anyone else. */
static int check_file(int fd, const char *path, struct err *err)
{
    struct stat st;
    int r;

    if (fstat(fd, &st)) {
        r = -errno;
        return err_set(err, r, "cannot look at %s: %s", path, strerror(-r));
    }
    if (!S_ISREG(st.st_mode) || (size_t)st.st_size > KEY_FILE_MAX)
        return err_set(err, KEY_E_INVALID, "%s is no key file", path);
    if (st.st_mode & 077) {
        err_set(err, 0, "%s may be used by others (mode %04o)", path, st.st_mode & 07777);
        return err_next(err, KEY_E_MODE,
                        "If nobody else can have read it, run: chmod 600 '%s'. "
                        "Otherwise replace the key.",
                        path);
    }
    return 0;
}

static int no_password(char *buf, int size, int rwflag, void *arg)
{
    return -1;
}

static int parse_pem(struct str pem, struct key_pair **out)
{
    _cleanup_(BIO_free_allp) BIO *bio = BIO_new_mem_buf(pem.p, (int)pem.n);
    EVP_PKEY *pkey;

    if (!bio)
        return -ENOMEM;
    pkey = PEM_read_bio_PrivateKey(bio, NULL, no_password, NULL);
    ERR_clear_error();
    return pkey ? key_pair_adopt(pkey, out) : KEY_E_INVALID;
}

int key_pair_load(const char *path, struct key_pair **out, struct err *err)
{
    _cleanup_(closep) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    _cleanup_(buf_clear) struct buf pem = {.max = KEY_FILE_MAX};
    int r;

    if (fd < 0) {
        r = -errno;
        return err_set(err, r, "cannot open %s: %s", path, strerror(-r));
    }
    r = check_file(fd, path, err);
    if (r)
        return r;
    r = buf_reserve(&pem, KEY_FILE_MAX); /* once, so that no copy is left behind by growing */
    if (!r)
        r = file_read_fd(fd, &pem);
    if (!r)
        r = parse_pem(buf_as_str(&pem), out);
    if (pem.p)
        OPENSSL_cleanse(pem.p, pem.n);
    if (r == KEY_E_INVALID)
        return err_set(err, r, "%s holds no P-256 or Ed25519 private key in PEM", path);
    return r ? err_set(err, r, "cannot read %s: %s", path, strerror(-r)) : 0;
}
