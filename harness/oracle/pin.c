/*
 * The pages of zx_bti_pin: committed, pinned, dirtied (pins.md, page-requests.md, dirty-tracking.md).
 */
#include "harness/oracle/oracle_pages.h"

#define PINS_MAX 31 /* pins.md */

/* Row 11, before anything is committed in this step (core/README.md: it can fail only before it begins). */
static bool any_pinned_too_often(const struct oracle_pages *pages, uint64_t first, uint64_t count)
{
    for (uint64_t i = 0; i < count; i++) {
        const struct oracle_page *record = oracle_record_at(pages, first + i);
        if (record && record->pins >= PINS_MAX)
            return true;
    }
    return false;
}

/* Commits and pins pages that need no request; asks, strictly, if the next one does. */
static zx_status_t pin_some(struct oracle *o, struct oracle_thread *t, struct oracle_pmt *pmt)
{
    struct oracle_pages *pages = pmt->vmo->pages;
    uint64_t first = pmt->first + pmt->pinned;
    uint64_t left = pmt->count - pmt->pinned;
    uint64_t frames;
    uint64_t count = oracle_stretch(o, pages, first, left, false, &frames);
    if (count == 0) {
        struct oracle_asking how = {.read_max = left, .dirty_max = left, .strict = true};
        return oracle_ask(o, t, pages, first, false, how);
    }
    if (!oracle_frames_reserve(o, frames))
        return ZX_ERR_NO_MEMORY; /* row 10 */
    if (any_pinned_too_often(pages, first, count))
        return ZX_ERR_UNAVAILABLE; /* row 11 */
    for (uint64_t i = 0; i < count; i++)
        oracle_own(o, pages, first + i, false)->pins++;
    pmt->pinned += count;
    return ZX_OK;
}

/*
 * "With PERM_WRITE on a pager VMO every page also becomes dirty (DIRTY requests under TRAP_DIRTY, after it is
 * pinned)".
 */
static zx_status_t dirty_pinned(struct oracle *o, struct oracle_thread *t, struct oracle_pmt *pmt)
{
    struct oracle_pages *pages = pmt->vmo->pages;
    for (; pmt->dirtied < pmt->pinned; pmt->dirtied++) {
        uint64_t page = pmt->first + pmt->dirtied;
        if (oracle_need(pages, page, true) == ORACLE_NEEDS_DIRTY) {
            struct oracle_asking how = {.dirty_max = pmt->pinned - pmt->dirtied};
            return oracle_ask(o, t, pages, page, true, how);
        }
        oracle_own(o, pages, page, true);
    }
    return ZX_OK;
}

zx_status_t oracle_pin(struct oracle *o, struct oracle_thread *t, struct oracle_pmt *pmt)
{
    struct oracle_pages *pages = pmt->vmo->pages;
    zx_status_t status = oracle_woken(t);
    if (status != ZX_OK)
        return status; /* row 10 */
    if (!oracle_in_range(pmt->first - oracle_vmo_first(pmt->vmo), pmt->count, oracle_vmo_count(pmt->vmo)))
        return ZX_ERR_OUT_OF_RANGE; /* row 8, re-checked after waits */
    if (pages->discarded)
        return ZX_ERR_NOT_FOUND; /* row 9 */
    if (pages->physical) {
        pmt->pinned = pmt->count; /* physical: always "pinned" */
        return ZX_OK;
    }
    while (status == ZX_OK) {
        if (pmt->write && pages->source && pmt->dirtied < pmt->pinned)
            status = dirty_pinned(o, t, pmt);
        else if (pmt->pinned < pmt->count)
            status = pin_some(o, t, pmt);
        else
            break;
    }
    return status;
}

zx_status_t oracle_pin_refused(struct oracle *o, struct oracle_pages *pages, uint64_t first, uint64_t count)
{
    if (pages->physical)
        return ZX_OK;
    uint64_t frames;
    uint64_t stretch = oracle_stretch(o, pages, first, count, false, &frames);
    const struct oracle_source *source = oracle_root(pages)->source;
    if (stretch == 0 && (source->detached || source->closed))
        return ZX_ERR_BAD_STATE;
    return frames > o->frames_free ? ZX_ERR_NO_MEMORY : ZX_OK;
}

void oracle_unpin(struct oracle *o, struct oracle_pmt *pmt)
{
    (void)o;
    for (uint64_t i = 0; i < pmt->pinned && !pmt->vmo->pages->physical; i++)
        oracle_record_at(pmt->vmo->pages, pmt->first + i)->pins--;
    pmt->pinned = 0;
}
