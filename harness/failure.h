/*
 * What is wrong with a trace that the core does not run as it should, and whether another trace fails in the same way.
 * Traces are run in a child process, so that one that crashes the core or never ends is judged like any other.
 */
#ifndef HARNESS_FAILURE_H
#define HARNESS_FAILURE_H

#include <stdio.h>

#include "harness/checked.h"
#include "harness/trace.h"

enum failure_kind {
    FAILURE_NONE,
    FAILURE_DIFFERENCE,   /* a line is not as expected */
    FAILURE_INVARIANT,    /* a checker says so */
    FAILURE_DISAGREEMENT, /* the oracle comes to something else */
    FAILURE_DEATH,        /* of the process: an assertion of the core, a sanitizer's report, a bad access */
    FAILURE_TIME          /* it did not come to an end in time */
};

struct failure {
    uint32_t kind;          /* enum failure_kind */
    uint32_t line;          /* of the trace, in which it shows; 0: before the first */
    uint32_t call;          /* that fails: its number, 0: none */
    uint32_t oracle_agrees; /* of a difference: with what the line expects */
    uint32_t is_at_end;     /* of an invariant: it is violated when the world ends, behind the last line */
    uint32_t is_late;  /* the outputs of an earlier call have come with this line, and are not as that call's says */
    uint32_t is_loose; /* `alike` is what counts, not `same` */
    /*
     * Equal in failures that are the same, beside the kind: the invariant's number; for a line, its call, what is
     * expected and what comes; for a death, what the process died of, and the call. `alike` is the same without the
     * values that come: only whether they are more or less.
     */
    char same[320];
    char alike[320];
    char message[640]; /* for people, one line */
};

struct failure_options {
    const pgr_config *world;    /* the counts of run_options.world; may be null. Is kept */
    int with_oracle;            /* judge the core by the oracle, line by line, rather than by what the lines say */
    int calls_alone;            /* what the lines expect does not count: the trace is recorded anew */
    int is_loose;               /* another wrong value in the same place is the same failure */
    unsigned seconds;           /* that one run of a trace may take; 0: 10 */
    checked_dispatch *dispatch; /* the core; null: pgr_dispatch */
};

struct failure_judge;

/* Null without memory. */
struct failure_judge *failure_judge_new(const struct failure_options *options);
void failure_judge_free(struct failure_judge *judge);

/*
 * Runs the trace under all checkers. 0, and what goes wrong first in `failure` (FAILURE_NONE: nothing does); or -1: it
 * cannot be run, failure->message says why.
 */
int failure_find(struct failure_judge *judge, const struct trace *trace, struct failure *failure);

/* From here on, failure_stays() asks for this one. */
void failure_hold(struct failure_judge *judge, const struct failure *failure);

/*
 * Whether the trace, its results recorded anew, still fails in the way that is held: for shrink_options.still_fails,
 * with the judge as the context. 1, and the trace up to its failing line is printed to `recorded`; 0; or -1: no process
 * or no memory. If what fails is a line, it is the last one, and what it expects is kept. Where the oracle comes to
 * what the line expects, it must do so in every candidate, while the core may come to another wrong value; where it
 * does not, the core must always come to the same one: otherwise a trace could be shrunk until the core is right.
 */
int failure_stays(void *judge, const struct trace *candidate, FILE *recorded);

/* The last message for the failure that is held: of the last trace for which failure_stays() said 1. */
const char *failure_message(const struct failure_judge *judge);

/* "a line is not as expected", ...: what a kind is called. */
const char *failure_kind_name(uint32_t kind);

/*
 * The trace, and behind it lines of a thread of its own that kill every thread and close every handle that has a name:
 * much of what ends a world. Null without memory.
 */
struct trace *failure_with_end(const struct trace *trace);

/*
 * Whether a comment of the trace says that it was recorded in a world of its own (recorder.h): 1, and its counts.
 */
int failure_recorded_world(const struct trace *trace, pgr_config *counts);

#endif
