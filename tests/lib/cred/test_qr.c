#include "lib/cred/fixture.h"

#include <errno.h>
#include <stdio.h>

#include "cred/qr.h"
#include "temporary.h"

static const char alphabet[] = "-.0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz~";

static void test_table(void **state)
{
    static const char *const pairs[] = {"-00", ".01", "003", "A20", "_50", "a52", "z77", "~81"};
    _cleanup_(buf_clear) struct buf out = {0};

    for (size_t i = 0; i < ARRAY_SIZE(pairs); i++) {
        buf_reset(&out);
        assert_int_equal(qr_text(HOME, (struct str){pairs[i], 1}, &out), 0);
        assert_true(str_starts(buf_as_str(&out), STR(HOME "/p#")));
        assert_string_equal(out.p + strlen(HOME "/p#"), pairs[i] + 1);
    }
    assert_int_equal(qr_text(HOME, STR("a b"), &out), -EINVAL);
    assert_int_equal(qr_text(HOME, STR("a+b"), &out), -EINVAL);
    assert_int_equal(qr_text(HOME, STR(""), &out), -EINVAL);
}

static void expect_read(struct str text, const char *token)
{
    _cleanup_(buf_clear) struct buf out = {0};
    struct err err = {0};

    if (qr_read(text, &out, &err))
        fail_msg("%.*s: %s", STR_ARG(text), err.text);
    assert_string_equal(out.p, token);
}

static void test_forms(void **state)
{
    struct fixture *f = *state;
    struct pass p = fixture_pass(f);
    _cleanup_(freep) char *token = fixture_issue(f, &p, 0);
    _cleanup_(buf_clear) struct buf text = {0}, spaced = {0};

    expect_read(str_of(token), token);
    assert_int_equal(qr_text(HOME, str_of(token), &text), 0);
    expect_read(buf_as_str(&text), token);
    expect_read(str_of(strchr(text.p, '#') + 1), token);
    buf_printf(&spaced, " \t%s\r\n", text.p);
    expect_read(buf_as_str(&spaced), token);
    buf_reset(&text);
    qr_text("https://elsewhere.localhost:8441", str_of(token), &text);
    expect_read(buf_as_str(&text), token);
}

static void test_junk(void **state)
{
    static const char *const junk[] = {
        "",
        "   ",
        "123",
        "82",
        "0204050607080299",
        "02",
        "hello",
        "a.b.c",
        "a~b",
        "eyJ.a b~",
        "https://",
        "https:///p#52",
        "https://x",
        "https://x/p",
        "https://x/p#",
        "https://x/p#5",
        "https://x/p#52x",
        "https://x/q#52",
        "https://x/a/p#52",
        "https://x/p?a#52",
        "http://x/p#52",
        "https://x/p#52#52",
        "HTTPS://x/p#52",
        "WIFI:S:guest;;",
        "a.b~\n.c",
        "a.b~\x01",
        "a.b~\xc3\xa9",
        "{\"a\":1}",
    };
    static char many[LIMIT_QR_TEXT + 2];
    _cleanup_(buf_clear) struct buf out = {0};

    for (size_t i = 0; i < ARRAY_SIZE(junk); i++) {
        struct err err = {0};

        if (qr_read(str_of(junk[i]), &out, &err) != QR_E_MALFORMED || !err.text[0])
            fail_msg("\"%s\" was read", junk[i]);
    }
    assert_int_equal(qr_read(STR("5\0002"), &out, NULL), QR_E_MALFORMED);
    memset(many, '5', sizeof(many) - 1);
    assert_int_equal(qr_read((struct str){many, LIMIT_QR_TEXT + 1}, &out, NULL), QR_E_MALFORMED);
    assert_int_equal(qr_read((struct str){many, 2 * LIMIT_PRESENTATION}, &out, NULL), 0);
    assert_int_equal(out.n, LIMIT_PRESENTATION);
    buf_reset(&out);
    assert_int_equal(qr_read((struct str){many, 2 * LIMIT_PRESENTATION + 2}, &out, NULL),
                     QR_E_MALFORMED);
    memset(many, 'a', sizeof(many) - 1);
    many[0] = '.', many[1] = '~';
    assert_int_equal(qr_read((struct str){many, LIMIT_PRESENTATION}, &out, NULL), 0);
    buf_reset(&out);
    assert_int_equal(qr_read((struct str){many, LIMIT_PRESENTATION + 1}, &out, NULL),
                     QR_E_MALFORMED);
}

/* Any text of the alphabet survives; any digits are either refused or mean themselves. */
static void test_property(void **state)
{
    struct rand r;
    char token[300], digits[40];
    uint32_t n, at;

    rand_seeded(&r, fixture_seed("qr"));
    for (unsigned i = 0; i < 2000; i++) {
        _cleanup_(buf_clear) struct buf text = {0}, back = {0}, again = {0};

        rand_below(&r, sizeof(token) - 1, &n);
        n++;
        for (uint32_t k = 0; k < n; k++) {
            rand_below(&r, sizeof(alphabet) - 1, &at);
            token[k] = alphabet[at];
        }
        assert_int_equal(qr_text(HOME, (struct str){token, n}, &text), 0);
        assert_int_equal(qr_read(buf_as_str(&text), &back, NULL), 0);
        assert_true(str_eq(buf_as_str(&back), (struct str){token, n}));

        rand_below(&r, sizeof(digits), &n);
        for (uint32_t k = 0; k < n; k++) {
            rand_below(&r, 10, &at);
            digits[k] = (char)('0' + at);
        }
        buf_reset(&back);
        if (qr_read((struct str){digits, n}, &back, NULL) == 0) {
            assert_int_equal(qr_text("", buf_as_str(&back), &again), 0);
            assert_true(str_eq((struct str){again.p + 3, again.n - 3}, (struct str){digits, n}));
        }
    }
}

static struct qr *symbol(struct fixture *f, bool bound, struct buf *text)
{
    struct pass p = fixture_pass(f);
    _cleanup_(freep) char *token = NULL;
    struct qr *qr = NULL;

    p.bound = bound;
    token = fixture_issue(f, &p, 0);
    assert_int_equal(qr_text(HOME, str_of(token), text), 0);
    assert_int_equal(qr_encode(buf_as_str(text), &qr), 0);
    return qr;
}

static void test_encode(void **state)
{
    static char many[LIMIT_QR_TEXT + 1];
    _cleanup_(qr_freep) struct qr *small = NULL, *numeric = NULL, *bytes = NULL;
    struct qr *none = NULL;

    assert_int_equal(qr_encode(STR("a"), &small), 0);
    assert_int_equal(qr_width(small), 21); /* version 1 */
    for (unsigned i = 0; i < 7; i++) {     /* the finder pattern's edges */
        assert_true(qr_dark(small, i, 0) && qr_dark(small, 0, i) && qr_dark(small, 20 - i, 0));
    }
    assert_false(qr_dark(small, 7, 0));
    assert_false(qr_dark(small, 21, 0) || qr_dark(small, 0, 21));

    /* Digits go into numeric segments: 7,089 of them fit in version 40, of bytes only 2,953. */
    memset(many, '5', sizeof(many));
    assert_int_equal(qr_encode((struct str){many, 7089}, &numeric), 0);
    assert_int_equal(qr_width(numeric), 177);
    assert_int_equal(qr_encode((struct str){many, 7090}, &none), QR_E_TOO_LONG);
    memset(many, 'x', sizeof(many));
    assert_int_equal(qr_encode((struct str){many, 2953}, &bytes), 0);
    assert_int_equal(qr_encode((struct str){many, 2954}, &none), QR_E_TOO_LONG);
    assert_int_equal(qr_encode((struct str){many, LIMIT_QR_TEXT + 1}, &none), QR_E_TOO_LONG);
    assert_int_equal(qr_encode(STR(""), &none), -EINVAL);
    assert_null(none);
}

/* Redraws the symbol from the terminal's half blocks and compares. */
static void test_terminal(void **state)
{
    _cleanup_(buf_clear) struct buf text = {0}, out = {0}, colour = {0};
    _cleanup_(qr_freep) struct qr *qr = symbol(*state, false, &text);
    unsigned quiet = 2, side = qr_width(qr) + 2 * quiet, x = 0, y = 0;

    assert_int_equal(qr_terminal(qr, quiet, false, &out), 0);
    for (const char *p = out.p; *p; p++) {
        bool top, bottom;

        if (*p == '\n') {
            assert_int_equal(x, side);
            x = 0;
            y += 2;
            continue;
        }
        top = strncmp(p, "▀", 3) == 0 || strncmp(p, "█", 3) == 0;
        bottom = strncmp(p, "▄", 3) == 0 || strncmp(p, "█", 3) == 0;
        assert_true(*p == ' ' || top || bottom);
        assert_int_equal(top, !qr_dark(qr, x - quiet, y - quiet));
        assert_int_equal(bottom, y + 1 < side && !qr_dark(qr, x - quiet, y + 1 - quiet));
        if (*p != ' ')
            p += 2;
        x++;
    }
    assert_true(y >= side);
    assert_null(strchr(out.p, '\x1b'));
    assert_int_equal(qr_terminal(qr, quiet, true, &colour), 0);
    assert_non_null(strstr(colour.p, "\x1b[97;40m"));
    printf("a printed pass: %zu characters of QR text, %u columns; ", text.n, side);
}

static void test_svg(void **state)
{
    _cleanup_(buf_clear) struct buf text = {0}, out = {0};
    _cleanup_(qr_freep) struct qr *qr = symbol(*state, true, &text);
    unsigned width = qr_width(qr), x, y, w, back, area = 0, dark = 0;
    char want[64];

    printf("a bound pass: %zu characters, %u modules\n", text.n, width);
    assert_int_equal(qr_svg(qr, &out), 0);
    snprintf(want, sizeof(want), "viewBox=\"0 0 %u %u\"", width + 8, width + 8);
    assert_non_null(strstr(out.p, want));
    assert_null(strstr(out.p, "script"));
    for (const char *p = strstr(out.p, " d=\"") + 4; *p == 'M'; p = strchr(p, 'z') + 1) {
        assert_int_equal(sscanf(p, "M%u %uh%uv1h-%uz", &x, &y, &w, &back), 4);
        assert_int_equal(w, back);
        for (unsigned i = 0; i < w; i++)
            assert_true(qr_dark(qr, x + i - 4, y - 4));
        area += w;
    }
    for (y = 0; y < width; y++)
        for (x = 0; x < width; x++)
            dark += qr_dark(qr, x, y);
    assert_int_equal(area, dark);
}

static void test_png(void **state)
{
    _cleanup_(buf_clear) struct buf text = {0}, out = {0};
    _cleanup_(qr_freep) struct qr *qr = symbol(*state, true, &text);
    unsigned side = (qr_width(qr) + 8) * 3;

    assert_int_equal(qr_png(qr, 0, &out), -EINVAL);
    assert_int_equal(qr_png(qr, 33, &out), -EINVAL);
    assert_int_equal(qr_png(qr, 3, &out), 0);
    assert_memory_equal(out.p, "\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0", 18);
    assert_int_equal((uint8_t)out.p[18] << 8 | (uint8_t)out.p[19], side);
    assert_int_equal((uint8_t)out.p[22] << 8 | (uint8_t)out.p[23], side);
    assert_memory_equal(out.p + 24, "\1\0\0\0\0", 5);
    assert_memory_equal(out.p + out.n - 12, "\0\0\0\0IEND\xae\x42\x60\x82", 12);
}

/* A reader that was not written here reads the picture: zbarimg, where it is installed. */
static void decode_by_zbar(struct fixture *f, bool bound)
{
    _cleanup_(buf_clear) struct buf text = {0}, png = {0}, token = {0};
    _cleanup_(qr_freep) struct qr *qr = symbol(f, bound, &text);
    char path[256], command[320], seen[2 * LIMIT_QR_TEXT] = {0};
    int fd = mkstemp(temporary(path, sizeof(path), "comity-qr-XXXXXX"));
    FILE *p;

    assert_true(fd >= 0);
    assert_int_equal(qr_png(qr, 4, &png), 0);
    assert_int_equal(write(fd, png.p, png.n), png.n);
    close(fd);
    snprintf(command, sizeof(command), "zbarimg --quiet --raw %s 2>/dev/null", path);
    p = popen(command, "r");
    assert_non_null(p);
    assert_true(fread(seen, 1, sizeof(seen) - 1, p) > 0);
    assert_int_equal(pclose(p), 0);
    unlink(path);
    assert_true(str_eq(str_trim(str_of(seen)), buf_as_str(&text)));
    assert_int_equal(qr_read(str_of(seen), &token, NULL), 0);
}

static void test_zbar(void **state)
{
    if (system("command -v zbarimg >/dev/null 2>&1") != 0) {
        print_message("zbarimg is not installed: the picture was not read back\n");
        skip();
    }
    decode_by_zbar(*state, false);
    decode_by_zbar(*state, true);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        T(test_table),    T(test_forms), T(test_junk), T(test_property), T(test_encode),
        T(test_terminal), T(test_svg),   T(test_png),  T(test_zbar),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
