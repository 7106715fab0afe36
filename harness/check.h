/*
 * The invariant checkers: what must be true of every world, whatever was called.
 *
 * They read a world through pgr_inspect_* alone and never change it (check_end does: it ends the world). There are two
 * cost classes. check_before and check_after bracket one call and look at what that call touched; they cost what was
 * touched, allocate nothing and are meant to stay on. check_walk looks at everything.
 *
 * All of them survive any world, also one with broken links: every walk is bounded by the world's configuration.
 */
#ifndef HARNESS_CHECK_H
#define HARNESS_CHECK_H

#include "core/pgr.h"

#include <stdio.h>

struct check_context;

/* One invariant: its number in the blueprint ("O1"; O6 to O9, R4 to R6, M1 to M3 and C2 are ours) and what it says, in one sentence. */
struct check_invariant {
    const char *number;
    const char *sentence;
};

/* All invariants; `count` gets how many. */
const struct check_invariant *check_list(uint32_t *count);

/*
 * A context for worlds of up to this configuration; null without memory. A larger world handed to check_reset later
 * makes it grow.
 */
struct check_context *check_new(const pgr_config *largest);
void check_free(struct check_context *c);

/* Forgets everything: the next call is the first one of `world`. Needed after pgr_init, pgr_reset and pgr_load. */
void check_reset(struct check_context *c, const pgr_world *world);

/*
 * How often check_after compares canonical hashes for E1: around one call in `hash_every`, chosen by the call's place
 * and arguments, so that a run repeated chooses the same ones; never if it is 0. `phase` (below hash_every) chooses
 * others. The default is 32 and 0.
 */
void check_set_rates(struct check_context *c, uint32_t hash_every, uint32_t phase);

/* Remembers what check_after will need. Before every pgr_dispatch, with the same call. */
void check_before(struct check_context *c, const pgr_world *world, const void *frames, const pgr_call *call);

/*
 * These return 0 if all is well. Otherwise check_message and check_violated say what is wrong, and the context keeps
 * saying so until the next of these calls.
 */
int check_after(struct check_context *c, const pgr_world *world, const void *frames, const pgr_call *call,
                const pgr_result *result);
int check_walk(struct check_context *c, const pgr_world *world, const void *frames);

/*
 * H2: kills every thread, closes every handle (which of the two comes first depends on the world), walks, ends the
 * process, and compares with a fresh world that ended its process. `frames` is written by the calls.
 */
int check_end(struct check_context *c, pgr_world *world, void *frames);

/* "O1: frame 7 is held 2 times (vmo 3 page 4, vmo 5 page 0), its count says 1; after call 12, zx_pager_supply_pages" */
const char *check_message(const struct check_context *c);

/* The invariant that was violated last; null if none was. */
const struct check_invariant *check_violated(const struct check_context *c);

/*
 * Prints the violation: message, sentence, and the world around it, as a table of objects, runs, requests, packets,
 * threads.
 */
void check_print(const struct check_context *c, const pgr_world *world, FILE *out);

#endif /* HARNESS_CHECK_H */
