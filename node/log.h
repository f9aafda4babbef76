/*
 * The node's log: one line an event to stderr, RFC 3339 time, level, words. Never tokens, names of
 * people, or bodies. Only node/ logs.
 */
#pragma once

#include "base/err.h"

enum log_level { LOG_ERROR = 0, LOG_WARN, LOG_INFO, LOG_DEBUG };

void log_level_set(enum log_level level); /* before any thread */
void log_line(enum log_level level, const char *fmt, ...) _printf_(2, 3);
#define log_error(...) log_line(LOG_ERROR, __VA_ARGS__)
#define log_warn(...) log_line(LOG_WARN, __VA_ARGS__)
#define log_info(...) log_line(LOG_INFO, __VA_ARGS__)
#define log_debug(...) log_line(LOG_DEBUG, __VA_ARGS__)
