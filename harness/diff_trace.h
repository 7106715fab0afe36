/*
 * A trace on two implementations: what its lines expect does not matter, only whether the two come to the same.
 */
#ifndef HARNESS_DIFF_TRACE_H
#define HARNESS_DIFF_TRACE_H

#include "harness/diff_pair.h"
#include "harness/trace.h"

enum diff_verdict {
    DIFF_SAME,
    DIFF_DIFFERS,
    DIFF_IMPOSSIBLE /* no memory, or one of them refuses the configuration: the text of the difference says so */
};

struct diff_report {
    struct difference difference; /* DIFF_DIFFERS */
    uint32_t line;                /* of the trace, in which it shows; 0: behind the last */
    uint32_t skipped;             /* lines that were not run: the second lacks the call, or they need what is lacking */
    char *recorded;               /* the trace with what the first has returned up to there; to be freed; may be null */
};

/*
 * Runs the trace on both, looking inside every `options->look_every` steps and at the end. `world`: the counts, as
 * run_options.world has it; may be null. The trace stays as it is.
 */
enum diff_verdict diff_trace(const struct trace *trace, struct implementation *first, struct implementation *second,
                             const struct diff_options *options, const pgr_config *world, struct diff_report *report);

/* The same with a pair that is made already, and whose settings stay. */
enum diff_verdict diff_trace_on(const struct trace *trace, struct implementation *pair, const pgr_config *world,
                                struct diff_report *report);

#endif
