/*
 * Time zones from TZif files, RFC 8536 (versions 1 to 3, with the footer's POSIX TZ rule). Loaded
 * once, immutable, shared by threads. Reading the file is tz_load()'s; everything else is pure.
 */
#pragma once

#include "base/clock.h"
#include "base/err.h"

struct tz;

enum { TZ_E_UNKNOWN = 1 /* no such zone, or a name that is no zone name */ };

/* name as in the IANA database ("Europe/Lisbon", "UTC"); dir is where the files are, normally
 * TZ_DIR. Names with "..", a leading '/', or beyond 64 bytes are unknown. */
#define TZ_DIR "/usr/share/zoneinfo"
int tz_load(const char *dir, const char *name, struct tz **out, struct err *err);
int tz_parse(const void *tzif, size_t n, struct tz **out, struct err *err);
void tz_free(struct tz *tz);
DEFINE_CLEANUP(struct tz *, tz_free)

/* Seconds east of UTC in force at t. */
int32_t tz_offset(const struct tz *tz, int64_t t);
void tz_local(const struct tz *tz, int64_t t, struct civil *out);

/* The local day that t falls on, as days since 1970-01-01. */
int32_t tz_day(const struct tz *tz, int64_t t);

/* First instant of that local day (the later one where midnight does not exist). */
int64_t tz_day_start(const struct tz *tz, int32_t day);

/* The zone of this machine (TZ, /etc/timezone, /etc/localtime), or "UTC". */
void tz_system_name(char out[static 65]);
