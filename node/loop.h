/*
 * An event loop: one thread, one libevent base. Other threads reach it only through loop_post(),
 * loop_post_task() and loop_stop(); libevent itself is used without locks.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

struct event_base;
struct loop;

int loop_new(struct loop **out); /* -ENOMEM, -EMFILE ... */

/* Runs what was posted and has not run yet, so that what it owns is released, then frees. Not while
 * loop_run() is under way, and not before all other threads are done with the loop. */
void loop_free(struct loop *l);
struct event_base *loop_base(struct loop *l);
int loop_run(struct loop *l); /* until loop_stop(); 0 or -EIO */
void loop_stop(
    struct loop *l); /* from any thread; before loop_run() too: then that returns at once */

/* From any thread: runs fn(arg) on the loop's thread, in order. -ENOMEM. */
int loop_post(struct loop *l, void (*fn)(void *arg), void *arg);

/* The same with the caller's memory, so that it cannot fail: the task belongs to the loop until fn
 * is called. */
struct loop_task {
    void (*fn)(void *arg);
    void *arg;
    struct loop_task *next; /* the loop's */
    bool owned;             /* the loop's */
};
void loop_post_task(struct loop *l, struct loop_task *task);

/* On the loop's thread: calls fn(arg) for each arrival of a signal. One loop of the process only.
 * -ENOSPC beyond 8 signals. */
int loop_on_signal(struct loop *l, int signal, void (*fn)(void *arg), void *arg);

/* A timer on the loop's thread. Start sets it (anew) to call fn(arg) once after `ms`;
 * freeing it suppresses the call. */
struct loop_timer;
int loop_timer_new(struct loop *l, void (*fn)(void *arg), void *arg, struct loop_timer **out);
void loop_timer_start(struct loop_timer *t, unsigned ms);
void loop_timer_free(struct loop_timer *t);

uint64_t loop_now_ms(void); /* monotonic, some milliseconds coarse, cheap */
