/*
 * What happens to a world besides system calls: failing allocations, eviction, the ends of threads and of the
 * process.
 */
#include "pgr_internal.h"

CHECK(fail_alloc)
{
    (void)w, (void)plan;
    return ZX_OK;
}

COMMIT(fail_alloc)
{
    (void)frames, (void)result;
    w->fail_alloc = plan->call->arg[0];
    return PROGRESS_DONE;
}

CHECK(reclaim)
{
    (void)w, (void)plan;
    return ZX_OK;
}

/* What one VMO gives of `count` pages: clean ones, or, if it is discardable and may be discarded, everything. */
static uint64_t reclaim_from(pgr_world *w, uint32_t row, uint8_t hint, uint64_t count)
{
    struct pages *pages = pages_at(w, row);

    if (pages->source != 0)
        return pages_evict(w, row, hint, count);
    if (hint != HINT_NONE || pages->discard != DISCARD_ALLOWED || pages->pins > 0)
        return 0;
    pages->discard = DISCARD_DONE;
    return min_u64(count, pages_discard_all(w, row));
}

/* Clean pages go, first those that nobody needs, VMO by VMO in order of creation, pages ascending. */
COMMIT(reclaim)
{
    static const uint8_t hints[] = {HINT_DONT_NEED, HINT_NONE};
    uint64_t left = plan->call->arg[0];
    unsigned i;

    (void)frames, (void)result;
    for (i = 0; i < sizeof(hints); i++) {
        uint32_t pages;

        for (pages = w->first_evictable; pages != 0 && left > 0; pages = pages_at(w, pages)->next_evictable)
            left -= reclaim_from(w, pages, hints[i], left);
    }
    return PROGRESS_DONE;
}

CHECK(thread_kill)
{
    (void)w, (void)plan;
    return ZX_OK;
}

/* A thread that does not exist, or is in no call, has nothing to lose. */
COMMIT(thread_kill)
{
    uint32_t thread = arg_u32(plan, 0);

    (void)frames, (void)result;
    if (thread < w->tables[TABLE_THREADS].touched - 1)
        thread_kill(w, thread + 1);
    return PROGRESS_DONE;
}

CHECK(process_exit)
{
    (void)w, (void)plan;
    return ZX_OK;
}

COMMIT(process_exit)
{
    uint32_t row;

    (void)frames, (void)result, (void)plan;
    for (row = 1; row < w->tables[TABLE_THREADS].touched; row++)
        thread_kill(w, row);
    for (row = 1; row < w->tables[TABLE_HANDLES].touched; row++) {
        if (handle_at(w, row)->object != 0)
            handle_close(w, row);
    }
    if (w->root_vmar != 0)
        vmar_destroy(w, w->root_vmar);
    w->root_vmar = 0;
    return PROGRESS_DONE;
}
