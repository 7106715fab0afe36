/* What the steps of a call hand on: what they need, what they plan, how they end. See calls.c. */
#ifndef CORE_PLAN_H
#define CORE_PLAN_H

#include "access.h"
#include "threads.h"

/* What the check of a step found out for its commit. */
struct plan {
    const pgr_call *call;
    uint32_t thread;         /* row */
    zx_status_t wake_status; /* how the wait before this step ended; ZX_OK if there was none */
    zx_status_t verdict;     /* of a commit that goes through and yet reports an error */
    int injected;            /* that error is fail_alloc's, which is used up by it */
    struct need need;
    struct op op;
    struct want want;     /* count 0: the call does not wait */
    uint64_t stop;        /* how far this step goes */
    struct access access; /* of calls that go through the address space */
    struct {
        uint64_t offset;
        uint64_t size;
    } range;        /* bytes of the VMO, of operations on ranges */
    uint32_t pages; /* of the call's VMO, as the last look has found them */
    uint64_t base;  /* bytes: where the VMO's window begins in them */
    uint32_t pager;
    uint32_t other;  /* a second object of the call */
    uint32_t handle; /* row */
    uint32_t value;
    uint64_t size_pages;
};

/* How a commit leaves the call. */
enum progress {
    PROGRESS_DONE,  /* it has returned */
    PROGRESS_AGAIN, /* another step can be tried at once */
    PROGRESS_WAIT   /* it waits for plan->want, or in a list that the commit has put its thread into */
};

/*
 * A row of the table of calls; which functions it has, its kind says (call_rows.h).
 *
 *   answer    of a call that changes nothing: the whole call
 *   check     decodes and checks everything that is asked once
 *   look      of calls of several steps: what is asked before each, and what the step needs
 *   commit    performs the step, for which there is everything that check or look have put into plan->need; cannot fail
 */
struct call_row {
    pgr_call_info info;
    zx_status_t (*answer)(const pgr_world *w, struct plan *plan, pgr_result *result);
    zx_status_t (*check)(const pgr_world *w, struct plan *plan);
    zx_status_t (*look)(const pgr_world *w, struct plan *plan);
    enum progress (*commit)(pgr_world *w, void *frames, struct plan *plan, pgr_result *result);
};

#endif
