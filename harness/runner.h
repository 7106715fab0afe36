/*
 * Runs a trace on the core: makes the world that the trace's options describe, makes the calls line by line, runs released
 * threads in queue order after each line, and compares what comes back with what the lines say.
 */
#ifndef HARNESS_RUNNER_H
#define HARNESS_RUNNER_H

#include "harness/trace.h"

enum run_verdict {
    RUN_PASSED,
    RUN_FAILED,  /* a line was not as expected; the lines behind it were not run */
    RUN_SKIPPED, /* nothing was run, for the trace has a call that this version does not perform */
    RUN_ERROR    /* nothing was run, for there is no such world, or no memory */
};

struct run_options {
    const char *name; /* of the trace, for messages */
    FILE *out;        /* gets the messages */
    int verbose;      /* print each line with its result */
    int record;       /* never fail: write what came back into the trace's lines */

    /* How much of everything but threads the world has; options come from the trace. Null: what every trace may expect. */
    const pgr_config *world;

    /*
     * Is called with each call right before it is dispatched, all names resolved, its buffer filled. Resumes are not
     * observed. Behind the last line it is called once more, with a null call. May be null.
     */
    void (*observe)(void *context, const pgr_world *world, const void *frames, const pgr_call *call);
    void *observe_context;

    /*
     * What check_invariants() does: 0, or -1 and what is wrong in `message`. Null: a trace with check_invariants() is skipped.
     */
    int (*check)(void *context, const pgr_world *world, const void *frames, char *message, size_t message_bytes);
    void *check_context;

    volatile uint32_t *progress; /* gets the number of each line before it is run; may be null */
};

enum run_verdict run_trace(struct trace *trace, const struct run_options *options);

/* The configuration of the world that the trace runs in. */
void run_config(const struct trace *trace, pgr_config *config);

/*
 * The first line with a call, or a form of one, that this version does not perform; null if there is none. `missing` gets its
 * name. `can_check`: check_invariants() can be performed.
 */
const struct trace_line *run_missing(const struct trace *trace, int can_check, const char **missing);

#endif
