/*
 * Runs programs (program.h) in fuzz worlds under the invariant checkers, and says what was wrong. Worlds, buffers and
 * the checkers' memory are made once for the process and reused; nothing of one input reaches the next.
 */
#ifndef HARNESS_EXECUTOR_H
#define HARNESS_EXECUTOR_H

#include "core/pgr.h"

#include <stdio.h>

struct execution_options {
    int checks;          /* check_before and check_after around every dispatch */
    uint32_t hash_every; /* the checks that compare whole worlds (E1), around calls so many apart; 0: around none */
    uint32_t hash_phase; /* which calls these are: as check_set_rates has it */
    uint32_t walk_every; /* check_walk after so many dispatches; 0: never */
    int rerun;           /* run twice, in two worlds, and compare them byte for byte */
    int end;             /* check_end */
    FILE *record;        /* gets the trace of all calls, as they are made; may be null */
    FILE *report;        /* gets what was wrong, and the trace up to there; may be null */
};

/* What runs have done, summed up over them. */
struct execution_stats {
    uint64_t executions;
    uint64_t calls;                                 /* dispatched, resumes included */
    uint64_t blocked;                               /* calls that blocked, resumed ones that blocked again included */
    uint64_t released;                              /* resumes of released threads */
    uint64_t refused;                               /* calls that were none */
    uint64_t supplies;                              /* that filled an absent page */
    uint64_t with_block, with_release, with_supply; /* executions */
    uint64_t complete; /* executions with all three: a block, a release and a supply that filled a page */
    uint64_t walks;
    uint64_t reruns;
    uint64_t row_calls[PGR_CALL_COUNT]; /* dispatches of each call */
    uint64_t row_ok[PGR_CALL_COUNT];    /* of these, those that ended with ZX_OK, at once or when resumed */
};

/*
 * Runs the program. 0, or 1 if something was wrong; execution_message() then says what. `stats` may be null.
 * -1: no memory.
 */
int execute_program(const uint8_t *data, size_t bytes, const struct execution_options *options,
                    struct execution_stats *stats);

const char *execution_message(void);

/* What a fuzzer does with this input: touched state always checked, walks and second runs for a share that the bytes
 * choose. */
void execution_options_sampled(struct execution_options *options, const uint8_t *data, size_t bytes);

/*
 * From here on, when the process dies inside execute_program (a sanitizer's report, an assertion, a bad access), the
 * trace up to the call that did it is printed to stderr, and handed to what handled such deaths before. To be called
 * after the fuzzing engine has set its own handlers.
 */
void execution_catch_crashes(void);

/*
 * Prints the figures, one a line: name, tab, value. `seconds` that passed, 0 if not known. Calls whose share of ZX_OK
 * is below a tenth are listed with it.
 */
void execution_stats_print(const struct execution_stats *stats, double seconds, FILE *out);

#endif /* HARNESS_EXECUTOR_H */
