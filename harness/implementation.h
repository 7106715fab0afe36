/*
 * An implementation of the calls, as judges drive it: the core, the oracle, a port that is linked in, or a program
 * behind the line protocol. Everything that runs traces or compares two implementations works on this.
 *
 * To have a port judged in process: fill in `name`, `reset`, `call`, and, if its calls can block, `resume` and
 * `released`; leave the rest null. A call that it does not have it refuses (PGR_REFUSED with
 * ZX_ERR_NOT_SUPPORTED): judges then make that call on neither side. harness/examples/sample_port.c is such a port in
 * twenty lines. Then
 *
 *   - diff_trace() (diff_trace.h) runs a trace on the core and the port and says where they differ;
 *   - diff_player_run() (diff_program.h) does so with the bytes of a fuzzer, as fuzz/fuzz_diff.c shows: with
 *     implementation_oracle() replaced by the port this is a fuzz target for it;
 *   - run_trace() (runner.h) runs a trace on the port alone, against what the lines say.
 *
 * Values are each implementation's own: handles, koids and addresses need not be those that the core gives, for the
 * comparison translates them. What is left open by the specification is in diff_allowed.h.
 *
 * A judge makes one call at a time, from one thread. A call that has to wait returns PGR_BLOCKED, and when something
 * later releases it, the thread stands in a queue of the implementation's; the judge asks for its head (`released`) and
 * lets it go on (`resume`) until the queue is empty, before it makes the next call or later. While a thread is blocked
 * or released, calls of that thread are refused with ZX_ERR_BAD_STATE, but for those that happen to a thread or to the
 * world (pgr_call_info.worldly), which any thread can make.
 */
#ifndef HARNESS_IMPLEMENTATION_H
#define HARNESS_IMPLEMENTATION_H

#include "core/pgr.h"

/* What an implementation knows of a VMO, beyond what calls can ask. */
struct implementation_vmo {
    uint64_t size_bytes;
    uint64_t content_size_bytes;
    uint64_t committed_pages; /* counted, not remembered */
    uint64_t pins;            /* the sum of the pin counts of its pages */
};

/* ... and of one of its pages. */
struct implementation_page {
    uint32_t state; /* enum pgr_page_state of the page that the VMO itself has */
    uint32_t pins;
    uint32_t hint;        /* enum pgr_hint */
    uint32_t awaiting;    /* 1: of an interval, being written back */
    const uint8_t *bytes; /* what a read would see, one page; null: a read would have to ask a pager, or fail */
};

struct implementation {
    const char *name;
    void *self; /* the first argument of all functions */

    /*
     * A fresh world. Of the configuration an implementation obeys page_shift, options and read_batch; the counts say
     * how much it has to have at least. `start` gets the start handles, 0 for one that it does not have.
     * 0, or -1: it cannot be configured so.
     */
    int (*reset)(void *self, const pgr_config *config, pgr_start *start);

    /*
     * Makes a call: any but PGR_CALL_RESUME. The result is written whole, as pgr_dispatch() has it. PGR_REFUSED with
     * ZX_ERR_NOT_SUPPORTED: the implementation does not have this call.
     */
    void (*call)(void *self, const pgr_call *call, pgr_result *result);

    /*
     * The released thread goes on with its call until it completes or blocks again. The buffer is that of the call, at
     * the same or another place, with the same bytes. The result is that of the call; PGR_REFUSED with
     * ZX_ERR_BAD_STATE: the thread is not released. Null: as `released`.
     */
    void (*resume)(void *self, uint32_t thread, void *buffer, uint64_t buffer_bytes, pgr_result *result);

    /* The released thread that is to go on next, PGR_NO_THREAD: none. Null: calls of this implementation never block. */
    uint32_t (*released)(void *self);

    /* For comparisons that look inside: 1, or 0 if there is no such live VMO handle or page. May be null, both or none. */
    int (*vmo)(void *self, zx_handle_t vmo, struct implementation_vmo *view);
    int (*page)(void *self, zx_handle_t vmo, uint64_t page, struct implementation_page *view);

    /*
     * The first page behind `page` that is in another state than `page` is, as far as the VMO's own pages go; UINT64_MAX
     * if there is none. So comparisons find what is to be seen in VMOs of any size. May be null.
     */
    uint64_t (*next_change)(void *self, zx_handle_t vmo, uint64_t page);

    /* Frees self, and this structure unless it is part of it or static. May be null. */
    void (*end)(void *self);
};

/* The core. Its worlds have what the configuration says, neither more nor less. Null without memory. */
struct implementation *implementation_core(void);

/* The oracle (harness/oracle/): it has generous memory, but as many frames as the configuration says. Null without memory. */
struct implementation *implementation_oracle(void);

/* The released thread that is to go on next, or PGR_NO_THREAD. */
uint32_t implementation_released(const struct implementation *implementation);

/* Ends an implementation; null is allowed. */
void implementation_end(struct implementation *implementation);

#endif
