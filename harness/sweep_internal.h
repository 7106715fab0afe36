/*
 * What the two halves of a sweep share: a trace as the calls that it makes (sweep.c), and worlds in which these calls
 * are made again (sweep_play.c).
 */
#ifndef HARNESS_SWEEP_INTERNAL_H
#define HARNESS_SWEEP_INTERNAL_H

#include "harness/sweep.h"
#include "harness/world_memory.h"

/* A call as the trace has made it. Resumes are no steps of their own: they follow the step that releases. */
struct sweep_step {
    pgr_call call;   /* with a copy of the buffer */
    uint32_t line;   /* number */
    uint32_t status; /* 1: it has ended with ZX_OK, at once or later, so that its outputs are good */
    uint64_t out[PGR_ARGS_MAX];
};

struct sweep_script {
    pgr_config config;
    struct sweep_step *steps;
    uint32_t count, room;
};

/* A handle that the trace has got, and what has come in its place in another run; 0: nothing. */
struct sweep_handle {
    zx_handle_t told, real;
};

/* A thread in a call: which step it is at, and its buffer. */
struct sweep_thread {
    uint32_t step;
    void *buffer;
};

/* A world in which a script is played under the checkers. */
struct sweep_player {
    const struct sweep_script *script;
    checked_dispatch *dispatch;
    struct check_context *check;
    struct world_memory memory; /* mapped */
    pgr_world *world;
    struct sweep_thread *threads; /* by number */
    struct sweep_handle *handles;
    uint32_t handle_count, handle_room;
    uint32_t line; /* of the step that was played last */
};

/* A world at some moment, with all that goes with it. */
struct sweep_moment {
    void *image;
    uint64_t image_bytes, image_room;
    const struct sweep_player *player; /* whose frames, threads and handles these are; it stays where it is */
};

/* A player in a fresh world; 0, or -1 without memory. Also if it fails it has to be ended. */
int player_start(struct sweep_player *player, const struct sweep_script *script, checked_dispatch *dispatch);
void player_end(struct sweep_player *player);

/* Saves the player's world; 0, or -1 without memory. */
int moment_save(struct sweep_moment *moment, const struct sweep_player *player);
/* Puts another player into it. 0, or -1 without memory. */
int player_enter(struct sweep_player *player, const struct sweep_moment *moment);

/* Makes the step's call, if it can be made here. 1 if an invariant is violated, -1 without memory. */
int sweep_call(struct sweep_player *player, uint32_t step);
/* Resumes the thread that is to go on next. As sweep_call(); 2: there is none. */
int sweep_resume(struct sweep_player *player);
/* Resumes all. */
int player_resume_all(struct sweep_player *player);

/* Makes the n-th allocation from here on fail; 0: none. */
void player_arm(struct sweep_player *player, uint64_t n);
/* Whether that allocation is still to come. */
int player_is_armed(const struct sweep_player *player);

#endif
