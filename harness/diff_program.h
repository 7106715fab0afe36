/*
 * A fuzzer's program (program.h) on two implementations, the first of which is the core: what the fuzzer of
 * implementations does. The worlds have so many objects, handles, packets and runs that only frames run out.
 */
#ifndef HARNESS_DIFF_PROGRAM_H
#define HARNESS_DIFF_PROGRAM_H

#include "harness/diff_pair.h"

struct diff_player;

/* `first` is a core; both stay the caller's. Null without memory. */
struct diff_player *diff_player_new(struct implementation *first, struct implementation *second,
                                    const struct diff_options *options);
void diff_player_free(struct diff_player *player);

/*
 * Runs the program, and looks inside at its end. Null: no difference. Otherwise what differs; the player's memory. Programs
 * that fill the core's tables end there.
 */
const struct difference *diff_player_run(struct diff_player *player, const uint8_t *data, size_t bytes);

/* Runs the last program once more and prints it as a trace, and how each of the two has answered the last call. */
void diff_player_report(struct diff_player *player, FILE *out);

/* Reports the program that is being run if the process dies of it (finding.h). */
void diff_player_catch_deaths(struct diff_player *player);

struct diff_stats {
    uint64_t programs;
    uint64_t steps; /* calls and resumes */
    uint64_t full;  /* programs that ended early, for the core's tables were nearly full */
};

void diff_player_stats(const struct diff_player *player, struct diff_stats *stats);

#endif
