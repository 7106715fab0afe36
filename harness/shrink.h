/*
 * Makes a failing trace short and simple: drops lines, threads and options, and brings arguments towards simple values,
 * as long as the trace still fails in the same way. What "the same way" means is the caller's: it judges every
 * candidate.
 *
 * Traces found by comparing two implementations, traces that break an invariant and traces that crash the core are all
 * shrunk by this; see failure.h for the judges of the last two.
 */
#ifndef HARNESS_SHRINK_H
#define HARNESS_SHRINK_H

#include <stdio.h>

#include "harness/trace.h"

struct shrink_progress {
    unsigned round;       /* from 1; another one follows as long as the last one has changed something */
    const char *phase;    /* "lines", "threads", "values" ... */
    uint64_t tries;       /* candidates judged */
    uint64_t successes;   /* of these, that still failed */
    uint32_t first_lines; /* lines with a call or its end, before ... */
    uint32_t lines;       /* ... and now */
};

struct shrink_options {
    /*
     * Whether the candidate still fails as the trace does that is to be shrunk: 1 or 0; -1 ends the shrinking, with
     * what it has come to so far.
     *
     * Candidates can be read back from their print, but their results are those of a larger trace and may be wrong now:
     * the judge looks at the calls alone. If it says 1 it may print to `recorded` the candidate as it really goes, true
     * results in, nothing behind the failing line: the shrinking goes on from there. If it prints nothing, the
     * candidate stands as it is. What cannot be read, or is no smaller than the trace so far, counts as a 0. Comment
     * lines in it are dropped.
     */
    int (*still_fails)(void *context, const struct trace *candidate, FILE *recorded);

    /* Is called behind each candidate. May be null. */
    void (*progress)(void *context, const struct shrink_progress *progress);

    void *context;          /* the first argument of still_fails ... */
    void *progress_context; /* ... and of progress */

    uint64_t tries_max; /* candidates judged at most; 0: as many as it takes */

    /*
     * The arguments of the last line stay. For lines that are not as expected, where nobody knows what a line with
     * other arguments should expect.
     */
    int keeps_last_line;
};

/*
 * A trace that fails in the same way and that no single step makes shorter or simpler: removing any line, with what
 * depends on it, loses the failure. The comments on top of the trace stay. It has at least one call. With too few
 * tries, or when the judge ends it, what has been reached by then.
 *
 * Null if the trace itself does not fail (the judge's first question), or has no call. `last` gets the figures at the
 * end; may be null.
 */
struct trace *shrink_trace(const struct trace *trace, const struct shrink_options *options,
                           struct shrink_progress *last);

/* A copy of a trace: what reading its print gives. Null if its print cannot be read. */
struct trace *shrink_copy(const struct trace *trace);

/* Lines with a call, or with the end of one. */
uint32_t shrink_count_lines(const struct trace *trace);

/*
 * Removes every line for which `drop` (by place, from 0 on, all lines counted) is not 0, and what cannot stand without
 * it: lines that use a name that is not bound any longer, and the further lines of a call whose beginning is gone.
 * Returns how many lines were removed.
 */
uint32_t shrink_drop_lines(struct trace *trace, const uint8_t *drop);

#endif
