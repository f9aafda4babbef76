#include "lib/base/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/b64.h"
#include "crypto/key.h"
#include "temporary.h"

static const enum key_type types[] = {KEY_P256, KEY_ED25519};

static char folder[256], path[288];

static int set_up(void **state)
{
    if (!mkdtemp(temporary(folder, sizeof(folder), "comity-key-XXXXXX")))
        return -1;
    snprintf(path, sizeof(path), "%s/key.pem", folder);
    return 0;
}

static int tear_down(void **state)
{
    unlink(path);
    return rmdir(folder);
}

static void secrets_go_both_ways(void **state)
{
    for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
        _cleanup_(key_pair_freep) struct key_pair *a = NULL, *b = NULL;
        uint8_t secret[32];

        assert_int_equal(key_pair_generate(types[i], &a), 0);
        assert_int_equal(key_pair_public(a)->type, types[i]);
        assert_int_equal(key_check(key_pair_public(a)), 0);
        assert_int_equal(key_pair_secret(a, secret), 0);
        assert_int_equal(key_pair_from_secret(types[i], secret, &b), 0);
        assert_true(key_equal(key_pair_public(a), key_pair_public(b)));
    }
    key_pair_free(NULL);
}

static void refuses_secrets_out_of_range(void **state)
{
    struct key_pair *pair = NULL;
    uint8_t secret[32] = {0};

    assert_int_equal(key_pair_from_secret(KEY_P256, secret, &pair), KEY_E_INVALID);
    memset(secret, 0xFF, sizeof(secret));
    assert_int_equal(key_pair_from_secret(KEY_P256, secret, &pair), KEY_E_INVALID);
    assert_null(pair);
}

static void knows_points_of_the_curves(void **state)
{
    struct key p256 = {.type = KEY_P256}, key;
    struct key_pair *pair = NULL;

    assert_int_equal(
        b64_decode_exact(STR("MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4"), p256.bytes, 32), 0);
    assert_int_equal(
        b64_decode_exact(STR("4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM"), p256.bytes + 32, 32),
        0);
    assert_int_equal(key_check(&p256), 0);
    key = p256;
    key.bytes[63] ^= 1;
    assert_int_equal(key_check(&key), KEY_E_INVALID);
    assert_false(key_equal(&key, &p256));
    key = (struct key){.type = KEY_P256}; /* (0, 0) stands for infinity elsewhere */
    assert_int_equal(key_check(&key), KEY_E_INVALID);
    memset(key.bytes, 0xFF, sizeof(key.bytes)); /* beyond the field */
    assert_int_equal(key_check(&key), KEY_E_INVALID);
    key.type = 0;
    assert_int_equal(key_check(&key), KEY_E_INVALID);
    for (int i = 0; i < 20; i++) {
        assert_int_equal(key_pair_generate(KEY_ED25519, &pair), 0);
        assert_int_equal(key_check(key_pair_public(pair)), 0);
        key_pair_free(pair);
    }
}

/* y as RFC 8032 encodes it, least byte first: of small order, beyond the field, or on no point. */
static const char *const bad_ed25519[] = {
    "0000000000000000000000000000000000000000000000000000000000000000", /* order 4 */
    "0100000000000000000000000000000000000000000000000000000000000000", /* order 1 */
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", /* order 2 */
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a", /* order 8 */
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa", /* order 8, other sign */
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05", /* order 8 */
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", /* p */
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", /* p + 1 */
    "0200000000000000000000000000000000000000000000000000000000000000", /* no x */
};

static void refuses_bad_ed25519_keys(void **state)
{
    for (size_t i = 0; i < ARRAY_SIZE(bad_ed25519); i++) {
        struct key key = {.type = KEY_ED25519};

        for (int k = 0; k < 32; k++) {
            unsigned byte;

            assert_int_equal(sscanf(bad_ed25519[i] + 2 * k, "%2x", &byte), 1);
            key.bytes[k] = (uint8_t)byte;
        }
        if (key_check(&key) != KEY_E_INVALID)
            fail_msg("accepted %s", bad_ed25519[i]);
    }
}

static void files_are_private(void **state)
{
    for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
        _cleanup_(key_pair_freep) struct key_pair *a = NULL, *b = NULL, *c = NULL;
        struct err err = {0};
        struct stat st;

        assert_int_equal(key_pair_generate(types[i], &a), 0);
        umask(0);
        assert_int_equal(key_pair_save(a, path, &err), 0);
        assert_int_equal(stat(path, &st), 0);
        assert_int_equal(st.st_mode & 07777, 0600);
        assert_int_equal(key_pair_save(a, path, &err), KEY_E_EXISTS);
        assert_true(err.next[0] != '\0');
        assert_int_equal(key_pair_load(path, &b, &err), 0);
        assert_true(key_equal(key_pair_public(a), key_pair_public(b)));
        for (mode_t mode = 0610; mode <= 0640; mode += 010) {
            assert_int_equal(chmod(path, mode), 0);
            assert_int_equal(key_pair_load(path, &c, &err), KEY_E_MODE);
        }
        assert_int_equal(chmod(path, 0604), 0);
        assert_int_equal(key_pair_load(path, &c, &err), KEY_E_MODE);
        assert_null(c);
        assert_int_equal(unlink(path), 0);
    }
}

static void write_file(const char *text, size_t n)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, n), n);
    close(fd);
}

static void refuses_other_files(void **state)
{
    static const char *const texts[] = {
        "", "not a key\n", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
        /* a public key */
        "-----BEGIN PUBLIC KEY-----\n"
        "MCowBQYDK2VwAyEAJrQLj5P/89iXES9+vFgrIy29clF9CC/oPPsw3c5D0bs=\n"
        "-----END PUBLIC KEY-----\n",
        /* X25519, which signs nothing */
        "-----BEGIN PRIVATE KEY-----\n"
        "MC4CAQAwBQYDK2VuBCIEIJ+DYvh6SEqVTm50DFtMDoQikTmiCqirVv9mWG9qfSnF\n"
        "-----END PRIVATE KEY-----\n"};
    static char large[8192];
    struct key_pair *pair = NULL;
    struct err err = {0};

    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        write_file(texts[i], strlen(texts[i]));
        assert_int_equal(key_pair_load(path, &pair, &err), KEY_E_INVALID);
    }
    write_file(large, sizeof(large));
    assert_int_equal(key_pair_load(path, &pair, &err), KEY_E_INVALID);
    assert_int_equal(key_pair_load(folder, &pair, &err), KEY_E_INVALID);
    unlink(path);
    assert_int_equal(key_pair_load(path, &pair, &err), -ENOENT);
    assert_null(pair);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(secrets_go_both_ways),
        cmocka_unit_test(refuses_secrets_out_of_range),
        cmocka_unit_test(knows_points_of_the_curves),
        cmocka_unit_test(refuses_bad_ed25519_keys),
        cmocka_unit_test_setup_teardown(files_are_private, set_up, tear_down),
        cmocka_unit_test_setup_teardown(refuses_other_files, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
