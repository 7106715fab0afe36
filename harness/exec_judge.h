/*
 * The judge of another implementation's answers: the core, in every world that the specification leaves possible.
 *
 * Where the specification allows more than one continuation the judge goes on in several worlds: in which order the
 * threads run that a line has released, and whether a supply that failed late has taken its pages. An answer is right
 * if it is what the core says in one of the worlds; the others are refuted by it and forgotten, so that what an
 * implementation has shown once is held against all its later lines. Worlds that cannot be told apart become one.
 */
#ifndef HARNESS_EXEC_JUDGE_H
#define HARNESS_EXEC_JUDGE_H

#include "harness/protocol.h"
#include "harness/trace.h"
#include "harness/world_memory.h"

#define JUDGE_WORLDS_MAX 32u /* kept at a time; of what would be more, the unusual is left out */

/* A number of the core's and the one that the implementation has in its place. */
struct exec_koids {
    uint64_t core, other;
};

/* Addresses of the core's and of the implementation's that mean the same. */
struct exec_range {
    uint64_t core, other, bytes;
};

struct exec_world {
    struct exec_world *next;
    pgr_world *world;
    struct world_memory memory;  /* mapped */
    struct implementation *core; /* over this world */
    struct player player;
    /* What came of the last line; player.ended has what it has ended besides. */
    enum played played;
    pgr_call call;
    pgr_result result;
    struct exec_koids *koids;
    uint32_t koid_count, koid_room;
    struct exec_range *ranges;
    uint32_t range_count, range_room;
};

struct exec_judge {
    struct trace *trace;
    pgr_config config;
    int supply_is_free;        /* a supply that fails late may have taken its pages, or not */
    struct exec_world *worlds; /* the usual one first */
};

/* Whether the trace has a line for the option: then it is no choice of the implementation's. */
int exec_judge_is_told(const struct trace *trace, uint32_t option);

/* The judge of this trace's calls, in a world of this configuration (run_config() has the one that the trace asks
 * for). 0, or -1 without memory. */
int exec_judge_begin(struct exec_judge *judge, struct trace *trace, const pgr_config *config);
void exec_judge_end(struct exec_judge *judge);

/*
 * Makes the call of the line in all worlds, which may become more; exec_judge_settle() must follow. 0, or -1: it
 * cannot be made, `note` (200 bytes) says why, and nothing has changed but that worlds that could make it are gone.
 */
int exec_judge_call(struct exec_judge *judge, struct trace_line *line, char *note);

/* In which order calls have ended with a line, by the names of their threads. */
struct exec_order {
    const char *const *threads;
    uint32_t count;
};

/*
 * Lets the released threads run, in every order that can lead to this one; and in the usual one, whatever comes of that.
 * Null: only in that. 0, or -1: they never come to rest.
 */
int exec_judge_settle(struct exec_judge *judge, const struct exec_order *order);

/* Forgets this world. */
void exec_judge_drop(struct exec_judge *judge, struct exec_world *world);

/* ---- what the numbers of the implementation mean ---- */

/* Whether these may be the same object's, as far as is known; they are the same from here on if they may. */
int exec_judge_same_koid(struct exec_world *world, uint64_t core, uint64_t other);

void exec_judge_add_range(struct exec_world *world, uint64_t core, uint64_t other, uint64_t bytes);

/* The core's address for one of the implementation's; the same number if it lies in no known range. */
uint64_t exec_judge_core_address(const struct exec_world *world, uint64_t other);

#endif
