/* What a step needs, and whether there is enough of it. See need.c. */
#ifndef CORE_NEED_H
#define CORE_NEED_H

#include "world.h"

/* What a step will take. Filled in by its check; the commit then takes no more. */
struct need {
    uint32_t object_rows;
    uint32_t handles;
    uint32_t packets;
    uint32_t nodes;
    uint64_t frames;
    uint64_t counted; /* allocations, besides the frames, that fail_alloc() counts */
};

/* Is there enough of everything? Says so without taking it. */
int shortage(const pgr_world *w, const struct need *need);
/* How many of the step's allocations succeed as far as fail_alloc() is asked: all, or those before the one that fails. */
uint64_t allocations_granted(const pgr_world *w, const struct need *need);
/*
 * Nothing is taken, but what follows will not run out; ZX_ERR_NO_MEMORY: it would, or an allocation of the step is the
 * one that fail_alloc() wants to fail.
 */
zx_status_t reserve(pgr_world *w, const struct need *need);

#endif
