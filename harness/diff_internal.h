/* What the files of the comparison share. Not for others. */
#ifndef HARNESS_DIFF_INTERNAL_H
#define HARNESS_DIFF_INTERNAL_H

#include "harness/diff_allowed.h"
#include "harness/diff_names.h"
#include "harness/diff_pair.h"

struct recorder;

/* Output buffers up to this long are filled before a call, so that what a failing one has written can be compared. */
#define DIFF_FILL_MAX 65536u /* bytes */

/* Where the second reads from and writes to for one thread. */
struct pair_thread {
    pgr_call call; /* that it is in, as the first has it */
    int is_in_call;
    uint8_t *buffer; /* of the second */
    uint64_t room;   /* bytes */
    uint64_t bytes;  /* of the buffer in this call; 0: both use the caller's */
};

#define DIFF_START_HANDLES 4u

/* What the first is configured with in place of what it was asked for. */
struct diff_setting {
    int is_set;
    uint32_t options;
    uint32_t read_batch;
};

struct diff_settings {
    struct diff_setting now, best;
    uint64_t best_step; /* at which the best one differed; 0: none has been tried */
    uint64_t pages;     /* difference.request_pages there */
    unsigned attempt;   /* from the best one */
    int is_exhausted;
    int is_kept;
};

struct pair {
    struct implementation interface;
    struct implementation *first, *second;
    struct diff_options options;
    pgr_config config; /* of the second; the first's has the setting's */
    struct diff_names names;
    struct diff_shown shown;
    zx_handle_t lacking[DIFF_START_HANDLES]; /* start handles of the first that the second does not have */
    struct pair_thread *threads;
    uint32_t thread_count; /* behind them stands one more: for calls of threads that do not exist or are busy */
    uint32_t thread_room;
    uint64_t steps;
    int is_found;
    struct difference difference;
    struct diff_settings settings;
    FILE *first_out, *second_out;
    long *recorded_before;
    struct recorder *first_recorder, *second_recorder;
};

/* A step of both, to be compared. */
struct diff_step {
    const pgr_call *call; /* as the first has it; of a resume, the call that goes on, with its buffer */
    const pgr_result *first, *second;
    const void *second_buffer; /* null: the second has used the same */
};

/* Notes the difference, with what of the call it is in, and both values; always 1. */
int diff_note(struct pair *pair, uint32_t kind, const char *what, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* Compares what the step has returned, and learns the names in it. 1: there is a difference. */
int diff_compare_step(struct pair *pair, const struct diff_step *step);

/* Compares all VMOs that handles name. 1: there is a difference. */
int diff_look(struct pair *pair);

#endif
