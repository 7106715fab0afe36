/*
 * Sweeps a trace for what goes wrong when memory runs out or everything ends, at each place where it can:
 *
 *   - failures: the trace runs with its first, second, third ... allocation failing, until none is left to fail. The
 *     call that runs out is judged by all invariants, E1 and the guarantee of supply (D4) among them, then the trace
 *     goes on with what it has, and ends;
 *   - cuts: the trace is cut between any two of its dispatches, all handles are closed and all threads killed, and
 *     nothing may be left (H2).
 *
 * The trace runs once; at each call the world is saved, and the sweeps go on from there.
 */
#ifndef HARNESS_SWEEP_H
#define HARNESS_SWEEP_H

#include "harness/checked.h"
#include "harness/runner.h"

struct sweep_options {
    const char *name;           /* of the trace, for messages */
    FILE *out;                  /* gets what is wrong; may be null */
    checked_dispatch *dispatch; /* makes the calls; null: pgr_dispatch. Tests put mistakes in */
};

/* What was done, added up over traces. */
struct sweep_counts {
    uint64_t calls;    /* of the traces themselves, resumes left out */
    uint64_t failures; /* allocations that were made to fail */
    uint64_t supplies; /* of these, in a supply */
    uint64_t cuts;
};

/*
 * RUN_FAILED: something is wrong, and the sweep has stopped there, or the trace does not pass as it is. RUN_ERROR: as
 * run_trace() has it.
 */
enum run_verdict sweep_trace(struct trace *trace, const struct sweep_options *options, struct sweep_counts *counts);

#endif
