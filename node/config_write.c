#include <errno.h>

#include <arpa/inet.h>

#include "base/file.h"
#include "config.h"

static void put_cidrs(struct buf *b, const char *name, const struct cidr *list, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        char z[INET6_ADDRSTRLEN] = "";
        inet_ntop(list[i].family, list[i].address, z, sizeof(z));
        buf_printf(b, "%s = %s/%u\n", name, z, list[i].bits);
    }
}

static void put_space(struct buf *b, const struct config_space *s)
{
    buf_printf(b, "\n[space %s]\ntls_cert = %s\ntls_key = %s\n", s->authority, s->tls_cert,
               s->tls_key);
}

/* What would be read back as something else is not written. */
static int check_value(const char *value, struct err *err)
{
    struct str s = str_of(value);
    if (s.n > 180)
        return err_set(err, CONFIG_E_INVALID, "this path has more than 180 bytes: %.100s...",
                       value);
    if (!str_is_printable(s) || strstr(value, " ;") || !str_eq(s, str_trim(s)))
        return err_set(err, CONFIG_E_INVALID, "this path cannot be written into comity.ini: %.180s",
                       value);
    return 0;
}

static int check_values(const char *tls_ca, const struct config_space *s, size_t n, struct err *err)
{
    int r = check_value(tls_ca, err);
    for (size_t i = 0; r == 0 && i < n; i++) {
        r = check_value(s[i].tls_cert, err);
        if (r == 0)
            r = check_value(s[i].tls_key, err);
    }
    return r;
}

/* Every setting that there is, for who opens the file and no manual. */
static void put_examples(struct buf *b)
{
    buf_z(b,
          "#\n"
          "# All settings, as examples. New certificates want `comity reload`, the others of\n"
          "# [node] a restart.\n"
          "# listen = [::]:443                 HTTPS; may stand more than once\n"
          "# plain = 127.0.0.1:8080            HTTP for a proxy; loopback or unix:/path\n"
          "# trusted_proxies = 127.0.0.0/8     whose X-Forwarded-For is believed\n"
          "# allow_private = 10.1.0.0/16       private addresses where peers may be\n"
          "# loops = 2                         threads for HTTP; by default one a processor\n"
          "# status_poll = 5                   seconds between looks at a status list\n"
          "# trial = yes                       *.localhost and loopback peers; never in earnest\n"
          "# tls_ca = /etc/comity/ca.pem       one more authority to trust; trials only\n"
          "#\n"
          "# [space host.example]\n"
          "# tls_cert = /etc/comity/cert.pem   the certificate, then its chain\n"
          "# tls_key = /etc/comity/key.pem\n");
}

int config_create(const char *path, const struct config *c, struct err *err)
{
    _cleanup_(config_freep) struct config *back = NULL;
    _cleanup_(buf_clear) struct buf b = {0};
    int r = check_values(c->tls_ca, c->spaces, c->n_spaces, err);
    if (r != 0)
        return r;

    buf_z(&b, "# Comity: what must be known before any database is open. `comity config check`\n"
              "# tells what is wrong; `comity reload` has a running node read certificates again.\n"
              "\n[node]\n");
    for (size_t i = 0; i < c->n_listen; i++)
        buf_printf(&b, "listen = %s\n", c->listen[i]);
    for (size_t i = 0; i < c->n_plain; i++)
        buf_printf(&b, "plain = %s\n", c->plain[i]);
    put_cidrs(&b, "trusted_proxies", c->trusted_proxies, c->n_trusted_proxies);
    put_cidrs(&b, "allow_private", c->allow_private, c->n_allow_private);
    if (c->trial)
        buf_z(&b, "trial = yes\n");
    if (c->tls_ca[0])
        buf_printf(&b, "tls_ca = %s\n", c->tls_ca);
    put_examples(&b);
    if (c->loops)
        buf_printf(&b, "loops = %u\n", c->loops);
    if (c->status_poll)
        buf_printf(&b, "status_poll = %u\n", c->status_poll);
    for (size_t i = 0; i < c->n_spaces; i++)
        put_space(&b, &c->spaces[i]);
    if (buf_error(&b) != 0)
        return buf_error(&b);
    r = config_parse(path, buf_as_str(&b), &back, err);
    if (r != 0)
        return r;
    r = file_create(path, buf_as_str(&b));
    return r < 0 ? err_set(err, r, "%s cannot be made: %s", path, strerror(-r)) : 0;
}

/* The text with the space's section, which is found to be good before it replaces the file. */
static int compose_added(const char *path, const struct config_space *s, struct buf *out,
                         struct err *err)
{
    _cleanup_(config_freep) struct config *before = NULL, *after = NULL;
    int r = config_read(path, &before, err);
    if (r == 0)
        r = check_values("", s, 1, err);
    if (r != 0)
        return r;
    for (size_t i = 0; i < before->n_spaces; i++)
        if (strcmp(before->spaces[i].authority, s->authority) == 0)
            return err_set(err, CONFIG_E_INVALID, "%s has a [space %s] already", path,
                           s->authority);
    r = file_read(path, out);
    if (r == 0 && out->n > 0 && out->p[out->n - 1] != '\n')
        buf_ch(out, '\n');
    if (r == 0) {
        put_space(out, s);
        r = buf_error(out);
    }
    if (r != 0)
        return err_set(err, r, "%s cannot be read: %s", path, strerror(-r));
    return config_parse(path, buf_as_str(out), &after, err);
}

int config_may_add_space(const char *path, const struct config_space *s, struct err *err)
{
    _cleanup_(buf_clear) struct buf b = {0};
    return compose_added(path, s, &b, err);
}

int config_add_space(const char *path, const struct config_space *s, struct err *err)
{
    _cleanup_(buf_clear) struct buf b = {0};
    int r = compose_added(path, s, &b, err);
    if (r != 0)
        return r;
    r = file_replace(path, buf_as_str(&b));
    return r < 0 ? err_set(err, r, "%s cannot be written: %s", path, strerror(-r)) : 0;
}
