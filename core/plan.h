/* What the steps of a call hand on: what they need, what they plan, how they end. See calls.c. */
#ifndef CORE_PLAN_H
#define CORE_PLAN_H

#include "access.h"
#include "threads.h"

/* What check and look found out for the commit. */
struct plan {
    const pgr_call *call;
    uint32_t thread;         /* row */
    zx_status_t wake_status; /* how the wait before this step ended; ZX_OK if there was none */
    zx_status_t verdict;     /* of a commit that goes through and yet reports an error */
    int injected;            /* that error is fail_alloc's, which is used up by it */
    struct need need;
    struct op op;         /* what the call knows, also while it waits */
    struct want want;     /* count 0: the call does not wait */
    struct access access; /* of calls that go through the address space */

    /* What most calls have. */
    uint32_t object;     /* that the call is about */
    uint32_t handle;     /* row: of the handle that the call is about */
    uint32_t pages;      /* of the call's VMO, as the last look has found them */
    uint64_t base;       /* bytes: where the VMO's window begins in them */
    uint64_t stop;       /* a page: how far this step goes */
    uint64_t size_pages; /* of what is made, mapped, changed */

    /* What some calls have besides. */
    uint32_t pager;     /* zx_pager_...() */
    uint32_t aux;       /* zx_pager_supply_pages: VMO */
    uint64_t stretches; /* zx_pager_supply_pages: absent ones to be filled */
    struct {
        uint64_t offset;
        uint64_t size;
    } range;           /* zx_vmo_op_range, zx_vmar_op_range: bytes of the VMO */
    uint32_t parts;    /* ZX_VMO_OP_ZERO: a bit for each that this step zeroes */
    uint32_t snapshot; /* zx_vmo_create_child: what kind */
    uint32_t frame;    /* zx_vmo_create_contiguous: the first */
    uint32_t vmar;     /* zx_vmar_...() */
    uint64_t page;     /* zx_vmar_...(): where the range begins, as a page number of addresses */
    uint32_t perms;    /* zx_vmar_map: ZX_VM_PERM_... of the mapping, now and at most */
    uint32_t perms_max;
    zx_rights_t rights; /* zx_handle_duplicate, zx_handle_replace: of the new handle */
    int endless;        /* zx_port_wait, zx_object_wait_one: would wait for ever */
    int has_work;       /* zx_vmo_transfer_data */
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
