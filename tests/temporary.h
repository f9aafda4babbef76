/*
 * Where tests put their folders: $TMPDIR, which tests/run sets to a folder of the build, else the
 * system's.
 */
#pragma once

#include <stdio.h>
#include <stdlib.h>

/* Writes "<folder>/<name>", a template for mkdtemp(); name ends in XXXXXX. Returns out. */
static inline char *temporary(char *out, size_t cap, const char *name)
{
    const char *folder = getenv("TMPDIR");

    snprintf(out, cap, "%s/%s", folder && *folder ? folder : "/tmp", name);
    return out;
}
