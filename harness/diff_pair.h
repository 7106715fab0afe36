/*
 * Two implementations side by side. The pair is an implementation itself: each call is made on both, in the second with
 * its own values in the place of the first's (diff_names.h), and everything that comes back is compared: outcome, status,
 * outputs, packets, buffers, who is released and in which order. What it returns is what the first has returned. Every
 * so often, and when it is asked to, it looks inside, at the pages of all VMOs that handles name.
 *
 * After the first difference it takes no call any more (PGR_REFUSED, ZX_ERR_BAD_STATE) until it is reset. A call that the
 * second does not have, or that names a start handle that it does not have, is made on neither, and refused with
 * ZX_ERR_NOT_SUPPORTED.
 */
#ifndef HARNESS_DIFF_PAIR_H
#define HARNESS_DIFF_PAIR_H

#include <stdio.h>

#include "harness/implementation.h"

struct diff_options {
    /*
     * 1: the second is configured as the first is and follows the specification's decisions everywhere, as core and
     * oracle do. 0: what diff_allowed.h lists may differ.
     */
    int strict;
    uint32_t look_every; /* calls and resumes between two looks inside; 0: only when diff_pair_look() is called */
};

enum diff_kind {
    DIFF_NONE,
    DIFF_OUTCOME,  /* done, blocked, a fault, refused */
    DIFF_STATUS,   /* or the code of a fault */
    DIFF_OUTPUT,   /* a handle, number, structure, or the address of a fault */
    DIFF_BUFFER,   /* bytes or ranges that were read */
    DIFF_RELEASED, /* which thread goes on next */
    DIFF_INSIDE    /* sizes, counts and pages of a VMO */
};

struct difference {
    uint32_t kind; /* enum diff_kind */
    uint64_t step; /* calls and resumes since the reset, this one included */
    pgr_call call; /* the last one made; of a resume, the call that goes on, without its buffer */
    int is_resume;
    pgr_result first, second; /* what the two have returned, each in its own values */
    uint64_t request_pages;   /* two READ requests differ in length: the second's, in pages; else 0 */
    char same[120];           /* equal in differences that are the same: the call and what of it */
    char text[320];           /* for people, one line, with both values */
};

/*
 * A pair of these two, which stay the caller's and are reset by the pair's reset. To be ended with implementation_end().
 * Null without memory.
 */
struct implementation *diff_pair_new(struct implementation *first, struct implementation *second,
                                     const struct diff_options *options);

/* The first difference since the reset; null if there is none. */
const struct difference *diff_pair_found(const struct implementation *pair);

/* Looks inside now. 0, or 1: there is a difference. */
int diff_pair_look(struct implementation *pair);

/*
 * After a difference, if the pair is not strict: chooses another setting of the first under which there may be none
 * (diff_allowed.h). 1: reset, and make the same calls again; 0: there is none left, and this is the difference of the
 * setting that got farthest. diff_pair_keep_setting(), after calls without a difference, holds the second to what it has
 * shown from then on.
 */
int diff_pair_other_setting(struct implementation *pair);
void diff_pair_keep_setting(struct implementation *pair);

/*
 * From the next reset on, writes what the two do as traces (recorder.h), each in its own stream; null: no longer.
 * `recorded_before`, if not null, gets how many bytes the second's stream had before its last step.
 */
void diff_pair_record(struct implementation *pair, FILE *first, FILE *second, long *recorded_before);

#endif
