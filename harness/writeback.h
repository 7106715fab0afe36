/*
 * A file system at play: one file behind a pager VMO, applications that use it, and a disk that is compared byte by
 * byte. The directed fuzzer of dirty tracking, fuzz/fuzz_writeback.c, is this and nothing else.
 *
 * What must hold is what the author of a file system relies on:
 *
 *   F1  What is not reported dirty is on disk: the disk holds, byte for byte, what the page held when it was last seen.
 *       Hence nothing that became clean ever differed from the disk, and after a loss of power every byte that a
 *       completed writeback covered, and that was not made dirty again, reads as before.
 *   F2  A writeback that nobody disturbs, of which nothing is pinned, leaves nothing dirty.
 *   F3  Content changes by writes alone: no byte of the file changes but to what a call under way writes there, a
 *       completed write is there, a read gives what is there.
 *   F4  With ZX_VMO_TRAP_DIRTY no page becomes a dirty one but by ZX_PAGER_OP_DIRTY.
 *
 * F1 needs a file system that keeps four rules; the one played here does, and docs/dirty-tracking.md says what is lost
 * without them:
 *   - it has one writeback at a time: it does not query again before it has ended all that it began;
 *   - it ends what it began over the same range, cut to the size that the file then has, however long the disk takes;
 *   - a failed write to disk is tried again with the bytes that were read for it;
 *   - it answers a page request with what the disk holds at that moment.
 */
#ifndef HARNESS_WRITEBACK_H
#define HARNESS_WRITEBACK_H

#include "core/pgr.h"

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* What runs have done, summed up over them. */
struct writeback_stats {
    uint64_t executions;
    uint64_t calls;     /* dispatched, resumes included */
    uint64_t blocked;   /* calls that had to wait */
    uint64_t cleaned;   /* pages that a writeback has cleaned */
    uint64_t losses;    /* of power */
    uint64_t quiet;     /* undisturbed writebacks, which F2 judged */
    uint64_t rewritten; /* zeros that were cleaned though the disk had other bytes: what docs/dirty-tracking.md tells */
};

/*
 * Plays the file system as the bytes say. 0, or 1 if something was wrong: then writeback_message() says what. `record`
 * gets the trace of all calls as they are made; may be null, as `stats` may. -1: no memory.
 */
int writeback_play(const uint8_t *data, size_t bytes, FILE *record, struct writeback_stats *stats);

const char *writeback_message(void);

/*
 * What finding.h asks for: is an input being played? And the last input once more, as a trace: up to what was wrong, or to
 * the call that has not returned. The input must still be where it was.
 */
int writeback_is_playing(void *context);
void writeback_trace(void *context, FILE *out);

void writeback_stats_print(const struct writeback_stats *stats, double seconds, FILE *out);

#endif /* HARNESS_WRITEBACK_H */
