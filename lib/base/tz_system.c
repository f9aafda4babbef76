#include <limits.h>
#include <stdio.h>

#include "base/tz.h"

#define NAME_CAP 65

/* Takes a name if it is one of the database's. */
static bool accept(struct str name, char out[static NAME_CAP])
{
    _cleanup_(tz_freep) struct tz *tz = NULL;
    char z[NAME_CAP];

    if (str_copy(z, sizeof(z), name) || tz_load(TZ_DIR, z, &tz, NULL))
        return false;
    memcpy(out, z, name.n + 1);
    return true;
}

static bool from_environment(char out[static NAME_CAP])
{
    struct str s = str_of(getenv("TZ"));

    if (s.n && s.p[0] == ':') { /* POSIX: what follows is the system's own format, a name */
        s.p++;
        s.n--;
    }
    return accept(s, out);
}

static bool from_file(char out[static NAME_CAP])
{
    FILE *f = fopen("/etc/timezone", "re");
    char line[256];
    bool got;

    if (!f)
        return false;
    got = fgets(line, sizeof(line), f) != NULL;
    fclose(f);
    return got && accept(str_trim(str_of(line)), out);
}

static bool from_link(char out[static NAME_CAP])
{
    char target[PATH_MAX];
    ssize_t n = readlink("/etc/localtime", target, sizeof(target) - 1);
    const char *at;

    if (n <= 0)
        return false;
    target[n] = '\0';
    at = strstr(target, "zoneinfo/");
    return at && accept(str_of(at + strlen("zoneinfo/")), out);
}

void tz_system_name(char out[static 65])
{
    if (!from_environment(out) && !from_file(out) && !from_link(out))
        memcpy(out, "UTC", sizeof("UTC"));
}
