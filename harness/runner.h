/*
 * Runs a trace on an implementation: makes the world that the trace's options describe, makes the calls line by line,
 * runs released threads in queue order after each line, and compares what comes back with what the lines say.
 */
#ifndef HARNESS_RUNNER_H
#define HARNESS_RUNNER_H

#include "harness/implementation.h"
#include "harness/trace.h"

enum run_verdict {
    RUN_PASSED,
    RUN_FAILED, /* a line was not as expected; the lines behind it were not run */
    RUN_ERROR   /* nothing was run, for there is no such world, or no memory */
};

struct run;

/* Where a run stands behind a line. */
struct run_moment {
    const struct trace_line *line;
    const pgr_world *world; /* of the core; null if the implementation is another */
    const void *frames;
    const struct trace_binding *bindings; /* by symbol id */
    const struct run *run;
};

/* The name of the thread that has this number now; null if there is none. */
const struct trace_symbol *run_thread_name(const struct run_moment *moment, uint32_t number);

struct run_options {
    const char *name; /* of the trace, for messages */
    FILE *out;        /* gets the messages */
    int verbose;      /* print each line with its result */
    int record;       /* never fail: write what came back into the trace's lines */

    /* What makes the calls; it is reset first. Null: a core, made for this run. */
    struct implementation *implementation;

    /* How much of everything but threads the world has; options come from the trace. Null: what every trace may expect. */
    const pgr_config *world;

    /*
     * Is called with each call right before it is dispatched, all names resolved, its buffer filled. Resumes are not
     * observed. Behind the last line it is called once more, with a null call. May be null; is not called if the
     * implementation is not the core.
     */
    void (*observe)(void *context, const pgr_world *world, const void *frames, const pgr_call *call);
    void *observe_context;

    /*
     * What check_invariants() does: 0, or -1 and what is wrong in `message`. Null: nothing, and the line passes, as it
     * does on an implementation that is not the core, whose invariants they are.
     */
    int (*check)(void *context, const pgr_world *world, const void *frames, char *message, size_t message_bytes);
    void *check_context;

    /*
     * Is called behind each line, comments and options included, when the threads that it has released have come to
     * rest; also behind the line that fails. May be null.
     */
    void (*after_line)(void *context, const struct run_moment *moment);
    void *after_line_context;

    /*
     * Is called, instead of printing, when a line is not as expected: the line, what came (null: the note says), and a
     * note (may be empty). May be null.
     */
    void (*differs)(void *context, const struct trace_line *expected, const struct trace_line *actual,
                    const char *note);
    void *differs_context;

    volatile uint32_t *progress; /* gets the number of each line before it is run; may be null */
};

enum run_verdict run_trace(struct trace *trace, const struct run_options *options);

/* The configuration of the world that the trace runs in. */
void run_config(const struct trace *trace, pgr_config *config);

#endif
