/*
 * What the two halves of the judge of failures share: what the child is to do.
 */
#ifndef HARNESS_FAILURE_INTERNAL_H
#define HARNESS_FAILURE_INTERNAL_H

#include "harness/failure.h"
#include "harness/runner.h"

enum failure_task {
    FAILURE_FIND,   /* run the trace, say what goes wrong first */
    FAILURE_KEEP,   /* record it, and say whether it fails as the one held does */
    FAILURE_RECORD, /* record it, without a judgement */
    FAILURE_COMPARE /* run it on core and oracle, say what they differ in first, and record it up to there */
};

struct failure_run {
    enum failure_task task;
    int with_oracle;
    int calls_alone;
    int is_loose;
    const pgr_config *world; /* may be null */
    checked_dispatch *dispatch;
    struct failure held;
    struct implementation *core;   /* made by the child when it needs it */
    struct implementation *oracle; /* likewise; null: there is none */
};

/*
 * In the child: does the task with this trace. Fills in the failure, and prints the recorded trace to `recorded`. 0, or
 * -1: it cannot be run, failure->message says why.
 */
int failure_answer(struct failure_run *run, const char *text, size_t bytes, FILE *recorded, volatile uint32_t *progress,
                   struct failure *failure);

/* Fills in `same`, `alike` and `message`. `actual` may be null: then the note says what is wrong. */
void failure_describe_difference(const struct trace_line *expected, const struct trace_line *actual, const char *note,
                                 struct failure *failure);

#endif
