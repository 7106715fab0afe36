/* What a thread in a call remembers, and the queue of released threads. See threads.c. */
#ifndef CORE_THREADS_H
#define CORE_THREADS_H

#include "list.h"

/*
 * What a call that takes several steps knows between them. Everything else it asks the world anew. Kept in the
 * thread while it waits.
 */
struct op {
    uint32_t vmo;        /* objects that the call keeps alive while it waits; 0: none */
    uint32_t waited_on;  /* the port, or the object whose signals are waited for */
    uint32_t pmt;        /* an unfinished pin's */
    uint32_t second_vmo; /* behind the caller's buffer, while that is waited for; where a transfer goes */
    uint32_t taken;      /* pages: what a transfer has taken and not put yet */
    uint32_t vmar;
    uint32_t options;
    uint32_t vmar_rights;
    uint64_t at; /* zx_vmo_read, zx_vmo_write: address of the caller's buffer; zx_vmar_op_range: of what comes next */
    uint64_t at_end; /* zx_vmar_op_range */
    uint64_t size;   /* zx_vmo_set_stream_size: the new one; zx_vmo_transfer_data: offset of the destination */
    uint64_t begin;  /* bytes of the VMO that the call is about */
    uint64_t end;
    uint64_t position; /* everything from begin to here is done */
    uint64_t dirtied;  /* zx_bti_pin: everything from begin to here is dirty */
    uint8_t waited;    /* the call has waited before, and holds references */
    uint8_t strict;    /* a READ request that it owns fails whole, whichever part of it fails */
    uint8_t stage;
    uint8_t forgiving; /* what fails from here on is not told */
    uint8_t entered;   /* zx_vmar_op_range: at work on a mapping */
    uint8_t reserved[3];
};

struct thread {
    struct links links; /* in the list that it waits in, or of released threads */
    uint8_t state;      /* enum pgr_thread_state */
    uint8_t wait;       /* enum pgr_wait_kind, what it is or was blocked on */
    uint16_t call;
    zx_status_t wake_status; /* how the wait ended */
    uint32_t request;
    uint32_t object;
    zx_handle_t handle;   /* zx_object_wait_one: cancelled when this closes */
    zx_signals_t signals; /* ... waited for, then observed */
    struct op op;
    zx_port_packet_t packet; /* zx_port_wait: what came */
};

/* Rows of threads are their numbers plus one. */
static inline struct thread *thread_at(const pgr_world *w, uint32_t row)
{
    return row_at(w, TABLE_THREADS, row);
}

/* Makes the row of this thread defined. */
void thread_touch(pgr_world *w, uint32_t row);
/* Threads are in one list at a time. */
#define CHAIN_THREADS CHAIN(TABLE_THREADS, struct thread, links)
/* The wait of a thread, which is in no list any more, has ended: it joins the queue of released threads. */
void thread_release(pgr_world *w, uint32_t row, zx_status_t status);

#endif
