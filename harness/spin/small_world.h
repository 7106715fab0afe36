/*
 * The small worlds that are searched exhaustively: the calls that can be made in them, one by one, and the state that a
 * search has to save and put back. small_worlds.pml is the search.
 *
 * A world has pages of 16 bytes, a pager with a VMO of two pages ("file"), an aux VMO, room for a child of the file,
 * and three threads: thread 0 is the pager's and makes the calls that never wait, threads 1 and 2 read and write. There
 * are several worlds, which differ in what the file is and in which calls belong to them.
 */
#ifndef HARNESS_SPIN_SMALL_WORLD_H
#define HARNESS_SPIN_SMALL_WORLD_H

#include "core/pgr.h"
#include "harness/check_internal.h"
#include "harness/spin/image.h"

#include <stdio.h>

#define SMALL_THREADS 3u
#define SMALL_FRAMES 12u
#define SMALL_PAGE_SHIFT 4u
#define SMALL_CALLS_MAX 64u
#define SMALL_IMAGE_MAX 16384u /* bytes of a saved world */

/* Handles by what they are to, in the order in which the canonical image looks at them. */
enum small_slot {
    SLOT_NONE,
    SLOT_VMAR,
    SLOT_BTI,
    SLOT_RESOURCE,
    SLOT_EVENT,
    SLOT_PORT,
    SLOT_PAGER,
    SLOT_FILE,
    SLOT_AUX,
    SLOT_CHILD,
    SLOT_PIN,
    SLOT_COUNT
};

/* All that a search saves and puts back: it is of the same size for every world, and holds no pointers. */
struct small_state {
    uint64_t serial; /* tells which saved world this is */
    uint32_t saved_bytes;
    uint32_t is_right;            /* 0: the last call has violated an invariant */
    uint8_t can[SMALL_CALLS_MAX]; /* 1: this call can be made now */
    uint8_t doing[SMALL_THREADS]; /* the call that the thread is in */
    zx_handle_t handles[SLOT_COUNT];
    struct thread_memo memos[SMALL_THREADS]; /* what the checkers remember of calls that wait */
    uint8_t frames[SMALL_FRAMES << SMALL_PAGE_SHIFT];
    uint8_t saved[SMALL_IMAGE_MAX]; /* by pgr_save() */
};

struct small_world;

/* The names of the worlds, from number 0 on; null behind the last. */
const char *small_world_name(uint32_t number);

/* What the calls are made with: pgr_dispatch(), but in tests of the search itself. */
typedef void small_dispatch(pgr_world *world, void *frames, const pgr_call *call, pgr_result *result);

/*
 * Makes the world of this name, and its first state. `trace` gets every call as a trace; null: none. Null without
 * memory, or if there is no such world.
 */
struct small_world *small_world_new(const char *name, small_dispatch *dispatch, FILE *trace, struct small_state *state);
void small_world_free(struct small_world *world);

/* The calls that belong to the world; they are numbered from 0. */
uint32_t small_world_calls(const struct small_world *world);

/* Makes this call, for which state->can has to be 1, in this state, which becomes the state behind it. */
void small_world_call(struct small_world *world, struct small_state *state, uint32_t call);

/* What is wrong in the state that was reached last; empty if nothing is. */
const char *small_world_message(const struct small_world *world);

/* The canonical image of that state. Returns its bytes; 0 if there is none, for something is wrong. */
uint32_t small_world_image(struct small_world *world, const struct small_state *state, uint8_t image[IMAGE_BYTES_MAX]);

#endif /* HARNESS_SPIN_SMALL_WORLD_H */
