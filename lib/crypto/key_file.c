/*
 * Key pairs in files: PEM, PKCS #8 (RFC 5958), for the owner's eyes only.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <sys/stat.h>

#include "crypto/openssl_key.h"

#define FILE_MAX 4096 /* bytes of a key file */

DEFINE_CLEANUP(BIO *, BIO_free_all)

static int write_all(int fd, const char *p, size_t n)
{
    while (n) {
        ssize_t done = write(fd, p, n);

        if (done < 0 && errno == EINTR)
            continue;
        if (done < 0)
            return -errno;
        p += done;
        n -= (size_t)done;
    }
    return 0;
}

/* Makes the new name durable: a file's own fsync does not cover its entry in the folder. */
static int sync_folder(const char *path)
{
    _cleanup_(closep) int fd = -1;
    const char *slash = strrchr(path, '/');
    char folder[PATH_MAX] = ".";

    if (slash && (size_t)(slash - path) >= sizeof(folder))
        return -ENAMETOOLONG;
    if (slash)
        snprintf(folder, sizeof(folder), "%.*s", slash == path ? 1 : (int)(slash - path), path);
    fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 || fsync(fd))
        return -errno;
    return 0;
}

static int write_file(int fd, const char *path, struct str pem)
{
    int r = write_all(fd, pem.p, pem.n);

    if (!r && fsync(fd))
        r = -errno;
    return r ? r : sync_folder(path);
}

int key_pair_save(const struct key_pair *pair, const char *path, struct err *err)
{
    _cleanup_(BIO_free_allp) BIO *bio = BIO_new(BIO_s_secmem());
    _cleanup_(closep) int fd = -1;
    char *pem;
    long n;
    int r;

    if (!bio || PEM_write_bio_PKCS8PrivateKey(bio, pair->pkey, NULL, NULL, 0, NULL, NULL) != 1)
        return err_set(err, -EIO, "cannot write the key as PEM");
    n = BIO_get_mem_data(bio, &pem);
    fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0 && errno == EEXIST) {
        err_set(err, 0, "%s exists already", path);
        return err_next(err, KEY_E_EXISTS,
                        "Keys are never overwritten: move that file away first.");
    }
    if (fd < 0) {
        r = -errno;
        return err_set(err, r, "cannot create %s: %s", path, strerror(-r));
    }
    r = write_file(fd, path, (struct str){pem, (size_t)n});
    if (r) {
        unlink(path);
        return err_set(err, r, "cannot write %s: %s", path, strerror(-r));
    }
    return 0;
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
    if (!S_ISREG(st.st_mode) || st.st_size > FILE_MAX)
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

static int read_all(int fd, char *p, size_t cap, size_t *n)
{
    ssize_t got;

    for (*n = 0; *n < cap; *n += (size_t)got) {
        got = read(fd, p + *n, cap - *n);
        if (got < 0 && errno == EINTR)
            got = 0;
        else if (got < 0)
            return -errno;
        else if (got == 0)
            break;
    }
    return 0;
}

static int parse_pem(const char *pem, size_t n, struct key_pair **out)
{
    _cleanup_(BIO_free_allp) BIO *bio = BIO_new_mem_buf(pem, (int)n);
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
    char pem[FILE_MAX];
    size_t n;
    int r;

    if (fd < 0) {
        r = -errno;
        return err_set(err, r, "cannot open %s: %s", path, strerror(-r));
    }
    r = check_file(fd, path, err);
    if (r)
        return r;
    r = read_all(fd, pem, sizeof(pem), &n);
    if (!r)
        r = parse_pem(pem, n, out);
    OPENSSL_cleanse(pem, sizeof(pem));
    if (r == KEY_E_INVALID)
        return err_set(err, r, "%s holds no P-256 or Ed25519 private key in PEM", path);
    return r ? err_set(err, r, "cannot read %s: %s", path, strerror(-r)) : 0;
}
