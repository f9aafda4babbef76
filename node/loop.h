/*
 * An event loop: one thread, one libevent base. Other threads reach it only through loop_post().
 */
#pragma once

#include "base/err.h"

struct event_base;
struct loop;

int loop_new(struct loop **out);
void loop_free(struct loop *l);
struct event_base *loop_base(struct loop *l);
int loop_run(struct loop *l);   /* until loop_stop() */
void loop_stop(struct loop *l); /* from any thread */

/* From any thread: runs fn(arg) on the loop's thread, in order. -ENOMEM. */
int loop_post(struct loop *l, void (*fn)(void *arg), void *arg);
