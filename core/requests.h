/* Page requests: raised, joined, resolved, failed, abandoned. See requests.c. */
#ifndef CORE_REQUESTS_H
#define CORE_REQUESTS_H

#include "list.h"
#include "objects.h"

struct request {
    struct links links; /* of the kind in its source, ascending */
    struct links queued;
    uint32_t source;
    uint32_t owner; /* thread row */
    uint16_t kind;  /* ZX_PAGER_VMO_READ, ZX_PAGER_VMO_DIRTY */
    uint8_t place;  /* enum pgr_request_place */
    uint8_t reserved;
    uint32_t reserved1;
    uint64_t page;
    uint64_t count;
    uint64_t pending;   /* pages still to be resolved; how many, not which */
    struct list joined; /* threads */
};

static inline struct request *request_at(const pgr_world *w, uint32_t row)
{
    return row_at(w, TABLE_REQUESTS, row);
}

/* The sources of a pager, in order of creation. */
#define CHAIN_OF_PAGER CHAIN(TABLE_OBJECTS, struct object, source.of_pager)

/* A request as a call wants it, before it is known whether it is joined, cut or new. */
struct want {
    uint32_t source;
    uint16_t kind;
    uint64_t page;
    uint64_t count;
};

/* Did zx_pager_detach_vmo end it? */
static inline int source_detached(const pgr_world *w, uint32_t source)
{
    return (object_at(w, source)->flags & PGR_SOURCE_DETACHED) != 0;
}

/* Has the source nobody any more who would answer? */
static inline int source_deaf(const pgr_world *w, uint32_t source)
{
    return (object_at(w, source)->flags & (PGR_SOURCE_DETACHED | PGR_SOURCE_CLOSED)) != 0;
}

/* The thread wants these pages: it joins a request, or makes one, and blocks. */
void request_raise(pgr_world *w, uint32_t thread, const struct want *want);
/* Pages [begin, end) are there (or gone): requests of this kind get nearer to completion. */
void requests_resolve(pgr_world *w, uint32_t source, uint16_t kind, uint64_t begin, uint64_t end);
/* Requests that intersect [begin, end) end with this status, as ZX_PAGER_OP_FAIL has it. */
void requests_fail(pgr_world *w, uint32_t source, uint64_t begin, uint64_t end, zx_status_t status);
/* All end with ZX_OK; their threads will see what became of the source. */
void requests_end(pgr_world *w, uint32_t source);
/* The thread gives up its wait. */
void request_abandon(pgr_world *w, uint32_t thread);
/* The source's packet has left the port's queue: it was received, or the port closed. */
void source_sent(pgr_world *w, uint32_t source, enum pgr_request_place place);
/* Sends ZX_PAGER_VMO_COMPLETE, once. No request is left. */
void source_complete(pgr_world *w, uint32_t source);
/* The pager is gone: nothing of the source is heard any more. */
void source_close(pgr_world *w, uint32_t source);

#endif
