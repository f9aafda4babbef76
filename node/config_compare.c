/* What settings mean for a node: whom it can reach, and what it takes up while it runs. */
#include <stdio.h>

#include "config.h"

int config_check_reach(const struct config *c, struct err *err)
{
    if (c->n_listen == 0 && c->n_plain == 0) {
        err_set(err, 0, "neither listen nor plain is set: nobody can connect");
        return err_next(err, CONFIG_E_INVALID,
                        "Set listen = [::]:443, or plain = 127.0.0.1:8080 behind a proxy.");
    }
    for (size_t i = 0; i < c->n_spaces && c->n_plain == 0; i++) {
        if (c->spaces[i].tls_cert[0])
            continue;
        err_set(err, 0, "[space %s] has no tls_cert, and no proxy is set up: nobody can reach it",
                c->spaces[i].authority);
        return err_next(err, CONFIG_E_INVALID,
                        "Set its tls_cert and tls_key; or plain = 127.0.0.1:8080 for a proxy.");
    }
    return 0;
}

static bool same_lists(const void *a, size_t n_a, const void *b, size_t n_b, size_t size)
{
    return n_a == n_b && memcmp(a, b, n_a * size) == 0;
}

void config_need_restart(const struct config *a, const struct config *b,
                         char out[static CONFIG_NAMES])
{
    const struct {
        const char *name;
        bool same;
    } settings[] = {
        {"listen",
         same_lists(a->listen, a->n_listen, b->listen, b->n_listen, sizeof(a->listen[0]))},
        {"plain", same_lists(a->plain, a->n_plain, b->plain, b->n_plain, sizeof(a->plain[0]))},
        {"trusted_proxies", same_lists(a->trusted_proxies, a->n_trusted_proxies, b->trusted_proxies,
                                       b->n_trusted_proxies, sizeof(a->trusted_proxies[0]))},
        {"allow_private", same_lists(a->allow_private, a->n_allow_private, b->allow_private,
                                     b->n_allow_private, sizeof(a->allow_private[0]))},
        {"trial", a->trial == b->trial},
        {"tls_ca", strcmp(a->tls_ca, b->tls_ca) == 0},
        {"loops", a->loops == b->loops},
        {"status_poll", a->status_poll == b->status_poll},
    };
    size_t n = 0;

    out[0] = '\0';
    for (size_t i = 0; i < ARRAY_SIZE(settings); i++)
        if (!settings[i].same)
            n += (size_t)snprintf(out + n, CONFIG_NAMES - n, "%s%s", n ? ", " : "",
                                  settings[i].name);
}
