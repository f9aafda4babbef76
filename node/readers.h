/*
 * Read connections of one thread: to directory.db at once, to each space.db when it is first read.
 */
#pragma once

#include "app/app.h"

struct readers;

/* Fills in t->directory_read and t->reads. */
int readers_open(const char *directory_path, struct app_thread *t, struct readers **out,
                 struct err *err);
void readers_close(struct readers *r);
