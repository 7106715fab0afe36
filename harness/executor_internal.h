/* What executor.c and execution_report.c share. Not for others. */
#ifndef HARNESS_EXECUTOR_INTERNAL_H
#define HARNESS_EXECUTOR_INTERNAL_H

#include "harness/executor.h"
#include "harness/program.h"

#define WORLDS_ON_SAME_FRAMES 32u /* configurations that differ in options and read_batch alone */

struct check_context;
struct recorder;

struct world_block {
    void *memory;
    pgr_world *world;
};

struct image {
    void *memory;
    uint64_t room, bytes;
};

/* Everything that one run at a time needs. There are two lanes, to run an input twice and compare. */
struct lane {
    struct program program;
    struct program_buffers *buffers;
    struct world_block worlds[PROGRAM_WORLDS];
    void *frames[PROGRAM_WORLDS / WORLDS_ON_SAME_FRAMES];
    pgr_world *current;
    void *current_frames;
    struct image image;
};

enum { SEEN_BLOCK = 1, SEEN_RELEASE = 2, SEEN_SUPPLY = 4 };

struct run {
    struct lane *lane;
    struct check_context *check;
    int checks;
    uint32_t walk_every;
    uint64_t dispatches;
    int inside;       /* a call that has not returned yet */
    uint64_t stop_at; /* dispatches */
    int ends_inside;  /* the call at which the run stops is recorded, as one that did not return */
    struct execution_stats *stats;
    struct recorder *recorder;
    unsigned seen; /* SEEN_... */
    const char *message;
};

struct executor {
    int ready;
    struct check_context *check;
    struct lane lanes[2];
    pgr_config largest;  /* of all fuzz worlds */
    void *loading;       /* a block that has room for each of them, to load images into */
    const uint8_t *data; /* the input that is being run */
    size_t bytes;
    struct run *run; /* null between inputs */
    char message[1024];
};

/* The one executor of the process; null without memory. */
struct executor *executor_get(void);

/* Puts the lane's program at its start, in a fresh world. -1 without memory. */
int lane_prepare(struct lane *lane, const uint8_t *data, size_t bytes);

int run_program(struct run *run);

/* A recorder of what a lane that was just prepared will do. */
struct recorder *lane_recorder(struct lane *lane, FILE *out);

/* Prints what was wrong and the trace up to there, and writes the trace where PAGERITE_TRACE_OUT says. */
void report_violation(struct executor *x, FILE *out);

#endif /* HARNESS_EXECUTOR_INTERNAL_H */
