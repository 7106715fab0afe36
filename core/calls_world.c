/*
 * What happens to a world besides system calls: failing allocations, eviction, the ends of threads and of the
 * process.
 */
#include "calls.h"

#include "life.h"
#include "process.h"

COMMIT(fail_alloc)
{
    (void)frames, (void)result;
    w->fail_alloc = plan->call->arg[0];
    return PROGRESS_DONE;
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

        for (pages = w->evictable.first; pages != 0 && left > 0; pages = pages_at(w, pages)->evictable.next)
            left -= reclaim_from(w, pages, hints[i], left);
    }
    return PROGRESS_DONE;
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

COMMIT(process_exit)
{
    (void)frames, (void)result, (void)plan;
    process_end(w);
    return PROGRESS_DONE;
}
