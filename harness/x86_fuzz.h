/*
 * A small world in which instructions run from fuzzed bytes, while a pager supplies, fails, detaches, and others unmap
 * and evict; fuzz/fuzz_x86.c is the target.
 */
#ifndef HARNESS_X86_FUZZ_H
#define HARNESS_X86_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* What inputs have done, summed up over them. */
struct x86_fuzz_stats {
    uint64_t instructions; /* begun */
    uint64_t refused;      /* that cannot be executed */
    uint64_t waits;        /* faults that waited for the pager */
    uint64_t exceptions;
    uint64_t ended;
};

/*
 * Runs the input. 0, or 1 and what is wrong in x86_fuzz_message(). `trace`: gets the trace of what is done; may be
 * null. -1: no memory.
 */
int x86_fuzz(const uint8_t *data, size_t bytes, FILE *trace, struct x86_fuzz_stats *stats);

const char *x86_fuzz_message(void);

#endif
