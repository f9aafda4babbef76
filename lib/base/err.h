/*
 * The one error rule of this tree.
 *
 *   0               success
 *   positive value  a named condition of the called module (JSON_E_DEPTH, PASS_E_EXPIRED): the
 *                   direct caller handles it, it never travels further unchanged
 *   negative errno  a failure (-ENOMEM, -EIO): travels up unchanged
 *
 * Text is for people. It lives in a struct that the caller owns, and no code reads it to decide.
 * Out-parameters stay untouched on failure.
 */
#pragma once

#include "base/cleanup.h"

#define ERR_TEXT_MAX 480
#define ERR_NEXT_MAX 240

struct err {
    char text[ERR_TEXT_MAX]; /* what was wrong, and with what */
    char next[ERR_NEXT_MAX]; /* what to do about it; may be empty */
};

/* Writes text into err (which may be NULL) and returns code. Cuts at the buffer's end. */
int err_set(struct err *err, int code, const char *fmt, ...) _printf_(3, 4);

/* Writes what to do next; returns code so that it can be chained. */
int err_next(struct err *err, int code, const char *fmt, ...) _printf_(3, 4);

/* Puts "prefix: " before the text that is already there; returns code. */
int err_prefix(struct err *err, int code, const char *fmt, ...) _printf_(3, 4);
