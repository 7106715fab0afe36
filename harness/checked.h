/*
 * The core under its invariant checkers: an implementation that checks around every call and resume, and takes no call
 * any more once something is wrong. What the fuzzers check of programs, this checks of traces.
 */
#ifndef HARNESS_CHECKED_H
#define HARNESS_CHECKED_H

#include "harness/check.h"
#include "harness/implementation.h"

/* What pgr_dispatch() is. */
typedef void checked_dispatch(pgr_world *world, void *frames, const pgr_call *call, pgr_result *result);

struct checked_options {
    checked_dispatch *dispatch;  /* makes the calls; null: pgr_dispatch. Tests put mistakes in */
    int without_checks;          /* it is the plain core then, and never finds anything */
    int walk_always;             /* check_walk() after each call */
    uint32_t hash_every;         /* as check_set_rates() has it */
    volatile uint32_t *progress; /* is read when something is found; may be null */
};

/* Null without memory. To be ended with implementation_end(). */
struct implementation *checked_new(const struct checked_options *options);

/* Other options, from the next reset on. */
void checked_set(struct implementation *checked, const struct checked_options *options);

/* check_walk(), behind the last call. Nothing if something was found before. */
void checked_walk(struct implementation *checked);

/*
 * To be called behind the last call: check_walk(), and check_end(), which ends the world. Nothing if something was
 * found before.
 */
void checked_finish(struct implementation *checked);

/* What was found since the last reset, null if nothing: the invariant and a sentence with numbers. */
const struct check_invariant *checked_violated(const struct implementation *checked);
const char *checked_message(const struct implementation *checked);

/* Whether it was found only when checked_finish() ended the world. */
int checked_is_at_end(const struct implementation *checked);

/* What `progress` said when it was found. */
uint32_t checked_progress(const struct implementation *checked);

/* Prints what was found, and the world around it. */
void checked_print(const struct implementation *checked, FILE *out);

#endif
