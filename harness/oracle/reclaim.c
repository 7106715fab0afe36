/*
 * reclaim(n): eviction and discarding (trace-format.md, dirty-tracking.md, vmo-operations.md).
 */
#include "harness/oracle/oracle_pages.h"

/* Evicts clean, unpinned pages with this hint, ascending. Returns how many of `n` are left. */
static uint64_t evict(struct oracle *o, struct oracle_pages *pages, uint32_t hint, uint64_t n)
{
    for (size_t i = 0; i < pages->page_count && n > 0;) {
        const struct oracle_page *record = &pages->page[i];
        if (record->state != PGR_PAGE_CLEAN || record->pins > 0 || record->hint != hint) {
            i++;
            continue;
        }
        oracle_records_clear(o, pages, record->first, record->first + 1);
        pages->change_events++;
        n--;
    }
    return n;
}

/* "A discardable VMO that is unlocked is discarded whole, in its VMO's turn, if anything is left of n." */
static uint64_t discard(struct oracle *o, struct oracle_pages *pages, uint64_t n)
{
    if (!pages->discardable || !pages->reclaimable || pages->discarded || oracle_any_pinned(pages, 0, UINT64_MAX))
        return n;
    uint64_t held = oracle_frames_held(pages);
    oracle_records_clear(o, pages, 0, UINT64_MAX);
    pages->discarded = true;
    pages->reclaimable = false;
    pages->change_events += held;
    return n - oracle_min(n, held);
}

zx_status_t oracle_reclaim(struct oracle *o, struct oracle_thread *t, const pgr_call *call, pgr_result *result)
{
    (void)t;
    (void)result;
    static const uint32_t hints[] = {PGR_HINT_DONT_NEED, PGR_HINT_NONE};
    uint64_t n = call->arg[0];
    for (size_t pass = 0; pass < 2; pass++) {
        for (size_t i = 0; i < o->objects.count && n > 0; i++) {
            struct oracle_pages *pages = o->objects.items[i];
            if (pages->object.kind != PGR_OBJECT_PAGES)
                continue;
            n = evict(o, pages, hints[pass], n);
            if (n > 0 && pass == 1)
                n = discard(o, pages, n);
        }
    }
    return ZX_OK;
}
