/*
 * The alphabets of the small worlds: which calls there are to choose from.
 */
#ifndef HARNESS_SPIN_SMALL_CALLS_H
#define HARNESS_SPIN_SMALL_CALLS_H

#include "harness/spin/small_world.h"

/* A call as the search makes it. */
struct small_call {
    uint32_t number; /* PGR_CALL_... */
    uint32_t thread;
    uint64_t arg[PGR_ARGS_MAX];
    uint8_t slot[PGR_ARGS_MAX]; /* the handles, by place; SLOT_NONE: the argument is none */
    uint8_t out_slot;           /* gets the handle that comes out; has to be empty before */
    uint8_t out_place;
    uint8_t fill; /* a write: what its bytes are */
    uint8_t buffer_bytes;
};

/* A kind of world: the calls to choose from, and behind them those that make it. */
struct small_kind {
    const char *name;
    const struct small_call *calls;
    uint32_t call_count;
    uint32_t first_count;
};

/* Null if there is no kind of that name. */
const struct small_kind *small_kind_of(const char *name);

/* Fills in state->can: calls of threads that are free, whose handles are open, and resumes of released threads. */
void small_calls_possible(const struct small_kind *kind, const pgr_world *world, struct small_state *state);

#endif /* HARNESS_SPIN_SMALL_CALLS_H */
