/* comity.ini: what is read, what is refused with which line, and what is written back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include <sys/socket.h>
#include <sys/stat.h>

#include "config.h"
#include "temporary.h"

static char folder[256];
static char path[280];

static int make_folder(void **state)
{
    if (!mkdtemp(temporary(folder, sizeof(folder), "comity-config-XXXXXX")))
        return -1;
    snprintf(path, sizeof(path), "%s/comity.ini", folder);
    return 0;
}

static int drop_folder(void **state)
{
    unlink(path);
    return rmdir(folder);
}

static void put(const char *text)
{
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    assert_int_equal(fputs(text, f) < 0, 0);
    assert_int_equal(fclose(f), 0);
}

static void reads_all_settings(void **state)
{
    _cleanup_(config_freep) struct config *c = NULL;
    struct err err = {0};
    put("# a comment\n[node]\nlisten = 127.0.0.1:8441\n  listen = [::]:443\n"
        "plain = unix:/run/comity.sock\ntrusted_proxies = 127.0.0.1/32, ::1/128\n"
        "allow_private = 10.1.0.0/16\ntrial = yes\ntls_ca = /etc/ca.pem\nloops = 3\n"
        "status_poll = 60\n[space lisbon.localhost:8441]\ntls_cert = /c.pem\ntls_key = /k.pem\n"
        "[space porto.localhost]\n");
    assert_int_equal(config_read(path, &c, &err), 0);
    assert_int_equal(c->n_listen, 2);
    assert_string_equal(c->listen[1], "[::]:443");
    assert_string_equal(c->plain[0], "unix:/run/comity.sock");
    assert_int_equal(c->n_trusted_proxies, 2);
    assert_int_equal(c->n_allow_private, 1);
    assert_true(c->trial);
    assert_int_equal(c->loops, 3);
    assert_int_equal(c->status_poll, 60);
    assert_int_equal(c->n_spaces, 2);
    assert_string_equal(c->spaces[0].tls_key, "/k.pem");
    /* a section without a line of its own is a space all the same */
    assert_string_equal(c->spaces[1].authority, "porto.localhost");
}

static void what_is_left_out_has_a_default(void **state)
{
    _cleanup_(config_freep) struct config *c = NULL;
    put("");
    assert_int_equal(config_read(path, &c, NULL), 0);
    assert_int_equal(c->status_poll, CONFIG_STATUS_POLL);
    assert_in_range(c->loops, 1, 8);
    assert_false(c->trial);
}

/* libinih itself would cut both without a word. */
static void long_names_and_lines(void **state)
{
    _cleanup_(config_freep) struct config *c = NULL;
    struct err err = {0};
    char text[600], host[120], line[240];
    snprintf(host, sizeof(host),
             "a-rather-long-name-of-a-space.in-a-rather-long-domain-name.example");
    snprintf(text, sizeof(text), "[space %s]\ntls_cert = /c\ntls_key = /k\n", host);
    put(text);
    assert_int_equal(config_read(path, &c, &err), 0);
    assert_string_equal(c->spaces[0].authority, host);
    assert_string_equal(c->spaces[0].tls_cert, "/c");

    memset(line, 'x', 200);
    line[200] = '\0';
    snprintf(text, sizeof(text), "[node]\ntls_ca = /%s\n", line);
    put(text);
    assert_int_equal(config_read(path, &c, &err), CONFIG_E_INVALID);
    assert_non_null(strstr(err.text, "line 2"));
}

static void what_is_wrong_is_named_with_its_line(void **state)
{
    static const struct {
        const char *text, *words;
        int line;
    } cases[] = {
        {"[node]\nlisten = nonsense\n", "listen", 2},
        {"[node]\nlisten = 127.0.0.1\n", "listen", 2},
        {"[node]\nlisten = 127.0.0.1:0\n", "listen", 2},
        {"[node]\nlisten = 127.0.0.1:65536\n", "listen", 2},
        {"[node]\nlisten = ::1:443\n", "listen", 2},
        {"[node]\nlisten = localhost:443\n", "listen", 2},
        {"[node]\nlisten = unix:/x\n", "listen", 2},
        {"[node]\n\nplain = 0.0.0.0:8080\n", "plain", 3},
        {"[node]\nplain = [::]:8080\n", "plain", 2},
        {"[node]\nplain = 10.0.0.5:8080\n", "plain", 2},
        {"[node]\nplain = unix:relative\n", "plain", 2},
        {"[node]\ntrusted_proxies = 300.1.2.3/8\n", "trusted_proxies", 2},
        {"[node]\nallow_private = 10.1.0.1/16\n", "allow_private", 2},
        {"[node]\nloops = 0\n", "loops", 2},
        {"[node]\nloops = 9\n", "loops", 2},
        {"[node]\nloops = many\n", "loops", 2},
        {"[node]\nstatus_poll = -1\n", "status_poll", 2},
        {"[node]\ntrial = perhaps\n", "trial", 2},
        {"[node]\ntls_ca = relative.pem\n", "tls_ca", 2},
        {"[node]\nno_such = 1\n", "no_such", 2},
        {"listen = 127.0.0.1:1\n", "listen", 1},
        {"[nod]\n", "[nod]", 1},
        {"[node\n", "]", 1},
        {"[node] x\n", "[section]", 1},
        {"[node]\nnothing\n", "name = value", 2},
        {"[space Lisbon.localhost]\n", "lower case", 1},
        {"[space 10.0.0.1]\n", "host", 1},
        {"[space ../x]\n", "host", 1},
        {"[space a.example]\n[space a.example]\n", "twice", 2},
        {"[space a.example]\ncert = /x\n", "cert", 2},
        {"[0]\n", "[0]", 1},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct config *c = NULL;
        struct err err = {0};
        char line[16];
        snprintf(line, sizeof(line), "line %d", cases[i].line);
        put(cases[i].text);
        print_message("%s", cases[i].text);
        assert_int_equal(config_read(path, &c, &err), CONFIG_E_INVALID);
        assert_null(c);
        assert_non_null(strstr(err.text, cases[i].words));
        assert_non_null(strstr(err.text, line));
    }
}

static void settings_that_need_each_other(void **state)
{
    static const char *const cases[] = {
        "[node]\ntls_ca = /ca.pem\n",
        "[space a.example]\ntls_cert = /c.pem\n",
        "[space a.example]\ntls_key = /k.pem\n",
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct config *c = NULL;
        put(cases[i]);
        assert_int_equal(config_read(path, &c, NULL), CONFIG_E_INVALID);
    }
}

static void what_is_written_is_read_back(void **state)
{
    _cleanup_(config_freep) struct config *back = NULL;
    struct config_space first = {"a.example", "/cert 1.pem", "/key.pem"};
    struct config_space second = {"b.example:8443", "", ""};
    struct config c = {.listen = {"127.0.0.1:8441"},
                       .n_listen = 1,
                       .trial = true,
                       .tls_ca = "/ca.pem",
                       .spaces = &first,
                       .n_spaces = 1};
    struct err err = {0};
    struct stat st;

    assert_int_equal(cidr_parse(STR("fd00::/8"), &c.allow_private[c.n_allow_private++]), 0);
    unlink(path);
    assert_int_equal(config_create(path, &c, &err), 0);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_int_equal(config_create(path, &c, &err), -17 /* EEXIST: never over another */);
    assert_int_equal(config_add_space(path, &second, &err), 0);
    assert_int_equal(config_add_space(path, &second, &err), CONFIG_E_INVALID);

    assert_int_equal(config_read(path, &back, &err), 0);
    assert_int_equal(back->n_spaces, 2);
    assert_string_equal(back->spaces[0].tls_cert, "/cert 1.pem");
    assert_string_equal(back->spaces[1].authority, "b.example:8443");
    assert_string_equal(back->spaces[1].tls_cert, "");
    assert_true(back->trial);
    assert_memory_equal(&back->allow_private[0], &c.allow_private[0], sizeof(struct cidr));
}

static void nothing_is_added_that_could_not_be_read_back(void **state)
{
    struct config_space s = {"c.example", "", ""};
    struct stat before, after;
    struct err err = {0};
    FILE *f = fopen(path, "w");

    assert_non_null(f);
    fputs("[node]\nplain = 127.0.0.1:8080\n[space b.example]\n", f);
    while (ftell(f) < (long)CONFIG_FILE_MAX - 30)
        fputs("# a comment\n", f);
    fclose(f);
    assert_int_equal(stat(path, &before), 0);
    assert_true(before.st_size <= (off_t)CONFIG_FILE_MAX);
    assert_int_equal(config_may_add_space(path, &s, &err), CONFIG_E_INVALID);
    assert_non_null(strstr(err.text, "longer than"));
    assert_int_equal(config_add_space(path, &s, &err), CONFIG_E_INVALID);
    assert_int_equal(stat(path, &after), 0);
    assert_int_equal(before.st_ino, after.st_ino);
    put("[space b.example]\n");
    assert_int_equal(config_may_add_space(path, &s, &err), 0);
    snprintf(s.tls_cert, sizeof(s.tls_cert), "/cert.pem"); /* without its key */
    assert_int_equal(config_may_add_space(path, &s, &err), CONFIG_E_INVALID);
    put("");
}

static void paths_that_would_be_read_as_something_else(void **state)
{
    static const char *const bad[] = {"/a\nlisten = 0.0.0.0:1", "/a ; b", "/a ", "/\x1b[1m"};
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        struct config c = {0};
        snprintf(c.tls_ca, sizeof(c.tls_ca), "%s", bad[i]);
        unlink(path);
        assert_int_equal(config_create(path, &c, NULL), CONFIG_E_INVALID);
        assert_int_not_equal(access(path, F_OK), 0);
    }
    put("");
}

static void ranges(void **state)
{
    static const struct {
        const char *range, *address;
        bool in;
    } cases[] = {
        {"10.0.0.0/8", "10.255.1.2", true},
        {"10.0.0.0/8", "11.0.0.0", false},
        {"0.0.0.0/0", "192.0.2.1", true},
        {"192.0.2.1", "192.0.2.1", true},
        {"192.0.2.1", "192.0.2.0", false},
        {"172.16.0.0/12", "172.31.255.255", true},
        {"172.16.0.0/12", "172.32.0.0", false},
        {"fd00::/8", "fdff::1", true},
        {"fd00::/8", "fe00::", false},
        {"2001:db8::/33", "2001:db8:7fff::", true},
        {"2001:db8::/33", "2001:db8:8000::", false},
        {"::/0", "10.0.0.1", false},
    };
    static const char *const bad[] = {"",          "10.0.0.0/33", "10.0.0.1/8", "10.0.0.0/",
                                      "10.0.0/8",  "::1/129",     "fd01::/8",   "10.0.0.0/-1",
                                      "localhost", "10.0.0.0/08", " 10.0.0.0/8"};
    struct cidr range, address;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        assert_int_equal(cidr_parse(str_of(cases[i].range), &range), 0);
        assert_int_equal(cidr_parse(str_of(cases[i].address), &address), 0);
        print_message("%s %s\n", cases[i].range, cases[i].address);
        assert_int_equal(cidr_contains(&range, address.family, address.address), cases[i].in);
    }
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
        assert_int_not_equal(cidr_parse(str_of(bad[i]), &range), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_all_settings),
        cmocka_unit_test(what_is_left_out_has_a_default),
        cmocka_unit_test(long_names_and_lines),
        cmocka_unit_test(what_is_wrong_is_named_with_its_line),
        cmocka_unit_test(settings_that_need_each_other),
        cmocka_unit_test(what_is_written_is_read_back),
        cmocka_unit_test(nothing_is_added_that_could_not_be_read_back),
        cmocka_unit_test(paths_that_would_be_read_as_something_else),
        cmocka_unit_test(ranges),
    };
    return cmocka_run_group_tests(tests, make_folder, drop_folder);
}
