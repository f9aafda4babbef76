/* proto/limits.json says to strangers what base/limits.h says to us. */
#include "lib/base/unit.h"

#include <stdio.h>

#include "base/json.h"

static int read_file(const char *path, struct buf *out)
{
    FILE *f = fopen(path, "rb");
    char step[4096];
    size_t n;

    if (!f)
        return -1;
    while ((n = fread(step, 1, sizeof(step), f)) > 0)
        buf_add(out, step, n);
    fclose(f);
    return buf_error(out);
}

/* A number, or a sum, product or parentheses of numbers and names already defined. */
struct expr {
    const char *p;
    const struct json *known;
};

static int64_t sum(struct expr *e);

static void skip_blank(struct expr *e)
{
    while (*e->p == ' ')
        e->p++;
}

static int64_t factor(struct expr *e)
{
    char name[64] = "";
    size_t n;
    int64_t x = 0;

    skip_blank(e);
    if (*e->p == '(') {
        e->p++;
        x = sum(e);
        skip_blank(e);
        assert_int_equal(*e->p, ')');
        e->p++;
        return x;
    }
    n = strspn(e->p, "ABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789");
    assert_in_range(n, 1, sizeof(name) - 1);
    memcpy(name, e->p, n);
    e->p += n;
    if (str_to_int(str_of(name), 0, INT64_MAX, &x) && json_get_int(e->known, name, &x))
        fail_msg("%s is no number and not defined before", name);
    return x;
}

static int64_t product(struct expr *e)
{
    int64_t x = factor(e);

    for (skip_blank(e); *e->p == '*'; skip_blank(e)) {
        e->p++;
        x *= factor(e);
    }
    return x;
}

static int64_t sum(struct expr *e)
{
    int64_t x = product(e);

    for (skip_blank(e); *e->p == '+' || *e->p == '-'; skip_blank(e)) {
        bool minus = *e->p++ == '-';
        int64_t y = product(e);

        x = minus ? x - y : x + y;
    }
    return x;
}

static struct json *limits_of_header(struct str text)
{
    struct json *out = json_object();
    struct str line;

    while (text.n) {
        char z[256], *value;

        str_cut(text, '\n', &line, &text);
        if (!str_starts(line, STR("#define ")))
            continue;
        line.p += strlen("#define ");
        line.n -= strlen("#define ");
        assert_int_equal(str_copy(z, sizeof(z), line), 0);
        value = strchr(z, ' ');
        assert_non_null(value);
        *value++ = '\0';
        assert_int_equal(json_put_int(out, z, sum(&(struct expr){value, out})), 0);
    }
    return out;
}

static void the_two_agree(void **state)
{
    static const struct json_bounds bounds = {1 << 20, 1, 1000, 1};
    struct buf header = {0}, text = {0};
    struct json *ours, *theirs = NULL;
    struct json_iter it = {0};
    int64_t n;

    assert_int_equal(read_file(COMITY_SOURCE_ROOT "/lib/base/limits.h", &header), 0);
    assert_int_equal(read_file(COMITY_SOURCE_ROOT "/proto/limits.json", &text), 0);
    ours = limits_of_header(buf_as_str(&header));
    assert_int_equal(json_parse(buf_as_str(&text), &bounds, &theirs, NULL), 0);
    assert_true(json_count(ours) > 40);
    while (json_next(ours, &it)) {
        if (json_get_int(theirs, it.key.p, &n))
            fail_msg("proto/limits.json lacks %s", it.key.p);
        if (!json_equal(it.value, json_get(theirs, it.key.p)))
            fail_msg("%s is %lld in proto/limits.json", it.key.p, (long long)n);
    }
    it = (struct json_iter){0};
    while (json_next(theirs, &it))
        if (!json_get(ours, it.key.p))
            fail_msg("base/limits.h lacks %s", it.key.p);
    json_free(ours);
    json_free(theirs);
    buf_clear(&header);
    buf_clear(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_two_agree),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
