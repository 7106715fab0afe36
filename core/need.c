/* What a step needs, and whether there is enough of it. */
#include "need.h"

#include "handles.h"

/* Nodes that are neither in use nor promised to steps which cannot fail: freeing frames, and unpinning. */
static uint64_t nodes_left(const pgr_world *w)
{
    uint64_t promised = (uint64_t)w->frame_nodes_max - w->free_frames.node_count - w->shared_frames.node_count +
                        (uint64_t)NODES_PER_UNPIN * w->unpins_promised;
    uint64_t left = rows_left(w, TABLE_NODES);

    PGR_ASSERT(left >= promised);
    return left - promised;
}

int shortage(const pgr_world *w, const struct need *need)
{
    return rows_left(w, TABLE_OBJECTS) < need->object_rows || handles_left(w) < need->handles ||
           rows_left(w, TABLE_PACKETS) < need->packets || nodes_left(w) < need->nodes || w->frames_free < need->frames;
}

static uint64_t allocations(const struct need *need)
{
    return need->counted + need->frames;
}

uint64_t allocations_granted(const pgr_world *w, const struct need *need)
{
    return w->fail_alloc == 0 ? allocations(need) : min_u64(allocations(need), w->fail_alloc - 1);
}

zx_status_t reserve(pgr_world *w, const struct need *need)
{
    if (shortage(w, need))
        return ZX_ERR_NO_MEMORY;
    if (allocations_granted(w, need) < allocations(need)) {
        w->fail_alloc = 0;
        return ZX_ERR_NO_MEMORY;
    }
    if (w->fail_alloc != 0)
        w->fail_alloc -= allocations(need);
    return ZX_OK;
}
