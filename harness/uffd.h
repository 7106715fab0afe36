/*
 * The core and a real kernel, side by side: Linux's userfaultfd on real memory. The same operations are done with both,
 * and after each of them everything that both have is compared: which accesses wait and on what, how they ended and what
 * they read, which requests the pager got, the state and the bytes of every page, and what is left in the aux pages.
 * docs/userfaultfd.md has the table of what corresponds to what, and of what cannot be compared.
 *
 * fuzz/fuzz_userfaultfd.c plays bytes as operations, tests/test_userfaultfd.c writes them down. There is one session a
 * process, and one thread may use it.
 */
#ifndef HARNESS_UFFD_H
#define HARNESS_UFFD_H

#include "core/pgr.h"

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define UFFD_PAGE_BYTES 4096u
#define UFFD_PAGES 6u   /* of the VMO, and of the aux VMO */
#define UFFD_THREADS 4u /* that access memory */

/* Where a page of the VMO is mapped: at its place in one of two windows, or nowhere. */
enum uffd_place { UFFD_WINDOW_A, UFFD_WINDOW_B, UFFD_NOWHERE, UFFD_PLACES };

enum uffd_operation_number {
    UFFD_LOAD,         /* `thread` loads [begin, begin + length) of `window` */
    UFFD_STORE,        /* ... stores bytes of `value` there */
    UFFD_KILL,         /* `thread` ends, whatever it waits for */
    UFFD_AUX_STORE,    /* [begin, begin + length) of the aux pages becomes `value` */
    UFFD_AUX_LOAD,     /* they are read: that commits nothing */
    UFFD_AUX_DECOMMIT, /* aux pages [page, page + count) */
    UFFD_SUPPLY,       /* pages [page, page + count) from the aux pages from `aux_page` on */
    UFFD_FAIL,         /* the requests for these pages */
    UFFD_DIRTY,        /* these pages may be written */
    UFFD_BEGIN,        /* of a writeback of these pages */
    UFFD_END,
    UFFD_EVICT,      /* `count` pages, the first ones that can be */
    UFFD_PLACE,      /* the pages are mapped at `window`, and no longer where they were */
    UFFD_READ_ONLY,  /* the pages, all of them mapped, may be loaded only */
    UFFD_READ_WRITE, /* ... and stored to */
    UFFD_RENEW,      /* VMO and aux VMO come to their end, and others take their place; nobody may wait */
    UFFD_OPERATIONS
};

/* One operation. Offsets and lengths in bytes; pages and counts in pages. */
struct uffd_operation {
    uint8_t number; /* enum uffd_operation_number */
    uint8_t thread; /* 0 .. UFFD_THREADS - 1 */
    uint8_t window; /* enum uffd_place; accesses take no UFFD_NOWHERE */
    uint8_t value;
    uint8_t page, count, aux_page;
    uint32_t begin, length;
};

enum uffd_wait { UFFD_WAITS_NOT, UFFD_WAITS_READ, UFFD_WAITS_DIRTY, UFFD_WAITS };

/* An access, as one of the two sides sees it. */
struct uffd_access_view {
    uint8_t waits; /* enum uffd_wait: for which kind of request */
    uint8_t page;  /* ... and for which page */
    uint8_t ended; /* in the last operation */
    uint8_t killed;
    uint8_t reported;  /* a fault of it, in the last operation; the core leaves this 0 */
    zx_status_t fault; /* ZX_OK: it was completed */
    uint32_t fault_at; /* byte of the window */
    const uint8_t *bytes;
    uint32_t count; /* bytes that were loaded */
};

struct uffd_page_view {
    uint32_t state;       /* enum pgr_page_state */
    const uint8_t *bytes; /* null: absent, or known to be zero */
};

/* What one of the two sides shows after an operation. Pages as bits, page 0 the lowest. */
struct uffd_view {
    zx_status_t status;
    struct uffd_access_view accesses[UFFD_THREADS];
    struct uffd_page_view pages[UFFD_PAGES], aux[UFFD_PAGES];
    uint32_t committed;            /* pages that have a frame, all together */
    uint32_t requests[UFFD_WAITS]; /* that came with this operation, by kind */
};

/* What was done, summed up. Pages unless said otherwise. */
struct uffd_stats {
    uint64_t executions, operations, accesses, calls; /* calls of the core, resumes included */
    uint64_t waits_read, waits_dirty;                 /* faults that the kernel reported */
    uint64_t joined, asked_again;                     /* ... of which no new request of the core corresponds to these */
    uint64_t moved, zeroed, refused, poisoned, dirtied, begun, cleaned, evicted, remapped, reprotected;
    uint64_t exceptions, killed, failed_unmapped; /* accesses */
    uint64_t renewed;                             /* VMOs */
};

/* 1 if this kernel lets us do all of this, otherwise 0 and why not in uffd_message(). Ends the session. */
int uffd_usable(void);

/*
 * Starts over: a pager VMO, traps: with ZX_VMO_TRAP_DIRTY, whose pages are all absent and mapped in window A, and no access.
 * `record` gets the trace of the core's calls; may be null. 0, or 1: uffd_message() says what went wrong.
 */
int uffd_start(int traps, FILE *record);

/*
 * Does the operation with both and compares them. 0: they agree; 1: uffd_message() says about what they do not, and the
 * session is over. -1: nothing was done, as the thread is waiting, its access would race with that of a waiting one for
 * the same bytes, there are no such pages, or none that are mapped, or Linux would wake a thread that this is not for.
 */
int uffd_do(const struct uffd_operation *operation);

/* Ends what waits, and compares once more. As uffd_do(). */
int uffd_finish(void);

const char *uffd_message(void);

/* What the kernel shows, until the next operation; and what the session has done so far. */
const struct uffd_view *uffd_kernel(void);
const struct uffd_stats *uffd_stats(void);

/*
 * Plays bytes as a session. 0; 1: there was a difference, and `report` (may be null) gets it with the trace up to
 * there. `record` as above.
 */
int uffd_play(const uint8_t *data, size_t bytes, FILE *record, FILE *report);

void uffd_stats_print(double seconds, FILE *out);

#endif /* HARNESS_UFFD_H */
