/*
 * What a VMO sees (children.md), what a page needs before it can be written or committed, and how it is then made the
 * VMO's own (vmo.md, vmo-operations.md, dirty-tracking.md).
 */
#include "harness/oracle/oracle_pages.h"

#include <string.h>

/*
 * children.md: the page of V is V's own page or zero marker; else, below the limit, the parent's page, recursively; else
 * zero. Of the pager VMO itself: own page, zero range, or absent.
 */
struct oracle_seen oracle_see(struct oracle_pages *pages, uint64_t page, uint64_t max)
{
    struct oracle_seen seen = {.count = max};
    for (;;) {
        seen.pages = pages;
        seen.page = page;
        size_t i = oracle_record_index(pages, page);
        struct oracle_page *record = i < pages->page_count ? &pages->page[i] : NULL;
        if (record && record->first <= page) {
            seen.record = record;
            seen.kind = record->frame ? ORACLE_SEES_FRAME : ORACLE_SEES_ZERO;
            seen.count = oracle_min(seen.count, record->first + record->count - page);
            return seen;
        }
        if (record)
            seen.count = oracle_min(seen.count, record->first - page);
        if (pages->source) {
            seen.kind = ORACLE_SEES_ABSENT;
            seen.count = oracle_min(seen.count, pages->size - page);
            return seen;
        }
        if (!pages->parent || page >= pages->parent_limit) {
            seen.kind = ORACLE_SEES_ZERO;
            return seen;
        }
        seen.count = oracle_min(seen.count, pages->parent_limit - page);
        page += pages->parent_first;
        pages = pages->parent;
    }
}

struct oracle_pages *oracle_root(struct oracle_pages *pages)
{
    while (pages->parent)
        pages = pages->parent;
    return pages;
}

bool oracle_pager_backed(struct oracle_pages *pages)
{
    return oracle_root(pages)->source != NULL;
}

/* dirty-tracking.md, rows COMMIT and write, of a page of the pager VMO itself. */
static uint32_t need_in_pager_vmo(const struct oracle_pages *pages, uint64_t page, bool write)
{
    const struct oracle_page *record = oracle_record_at(pages, page);
    if (!record)
        return ORACLE_NEEDS_READ;
    if (record->state == PGR_PAGE_DIRTY)
        return ORACLE_NEEDS_NOTHING;
    if (pages->trap_dirty && (write || record->state == PGR_PAGE_INTERVAL))
        return ORACLE_NEEDS_DIRTY;
    return record->frame ? ORACLE_NEEDS_NOTHING : ORACLE_NEEDS_FRAME;
}

/* A page that others share, or that is seen in an ancestor, is copied; zero content gets a page. */
static uint32_t need_elsewhere(struct oracle_pages *pages, uint64_t page)
{
    const struct oracle_page *record = oracle_record_at(pages, page);
    if (record && record->frame && record->frame->holders == 1)
        return ORACLE_NEEDS_NOTHING;
    if (record)
        return ORACLE_NEEDS_FRAME;
    return oracle_see(pages, page, 1).kind == ORACLE_SEES_ABSENT ? ORACLE_NEEDS_READ : ORACLE_NEEDS_FRAME;
}

uint32_t oracle_need(struct oracle_pages *pages, uint64_t page, bool write)
{
    return pages->source ? need_in_pager_vmo(pages, page, write) : need_elsewhere(pages, page);
}

uint64_t oracle_stretch(struct oracle *o, struct oracle_pages *pages, uint64_t first, uint64_t max, bool write,
                        uint64_t *frames)
{
    *frames = 0;
    for (uint64_t i = 0; i < max; i++) {
        uint32_t need = oracle_need(pages, first + i, write);
        if (need == ORACLE_NEEDS_READ || need == ORACLE_NEEDS_DIRTY)
            return i;
        *frames += need == ORACLE_NEEDS_FRAME;
        if (*frames > o->frames_free)
            return i + 1;
    }
    return max;
}

static struct oracle_page *own_in_pager_vmo(struct oracle *o, struct oracle_pages *pages, uint64_t page, bool write)
{
    struct oracle_page *record = oracle_record_at(pages, page);
    if (record->frame) {
        if (write)
            record->state = PGR_PAGE_DIRTY;
        return record;
    }
    if (record->state == PGR_PAGE_INTERVAL) {
        oracle_interval_split(pages, page);
        return oracle_record_add(pages, page, 1, PGR_PAGE_DIRTY, oracle_frame_take(o));
    }
    oracle_records_clear(o, pages, page, page + 1);
    return oracle_record_add(pages, page, 1, write ? PGR_PAGE_DIRTY : PGR_PAGE_CLEAN, oracle_frame_take(o));
}

static struct oracle_page *own_elsewhere(struct oracle *o, struct oracle_pages *pages, uint64_t page)
{
    struct oracle_page *record = oracle_record_at(pages, page);
    if (record && record->frame && record->frame->holders == 1)
        return record;
    struct oracle_seen seen = oracle_see(pages, page, 1);
    struct oracle_frame *frame =
        seen.kind == ORACLE_SEES_FRAME ? oracle_frame_copy(o, seen.record->frame) : oracle_frame_take(o);
    oracle_records_clear(o, pages, page, page + 1);
    return oracle_record_add(pages, page, 1, PGR_PAGE_ANONYMOUS, frame);
}

struct oracle_page *oracle_own(struct oracle *o, struct oracle_pages *pages, uint64_t page, bool write)
{
    return pages->source ? own_in_pager_vmo(o, pages, page, write) : own_elsewhere(o, pages, page);
}

zx_status_t oracle_ask_read(struct oracle *o, struct oracle_thread *t, struct oracle_pages *pages, uint64_t page,
                            uint64_t max, bool strict)
{
    struct oracle_seen seen = oracle_see(pages, page, max);
    return oracle_request(o, t, seen.pages->source, ZX_PAGER_VMO_READ, seen.page, seen.count, strict);
}

/* page-requests.md, the run that is not dirty: ends at a dirty page, an absent page, or the cap. */
static uint64_t run_needing_dirtying(const struct oracle_pages *pages, uint64_t page, uint64_t max)
{
    uint64_t count = 0;
    while (count < max) {
        const struct oracle_page *record = oracle_record_at(pages, page + count);
        if (!record || record->state == PGR_PAGE_DIRTY)
            break;
        count += record->first + record->count - (page + count);
    }
    return oracle_min(count, max);
}

zx_status_t oracle_ask(struct oracle *o, struct oracle_thread *t, struct oracle_pages *pages, uint64_t page, bool write,
                       struct oracle_asking how)
{
    if (oracle_need(pages, page, write) == ORACLE_NEEDS_READ)
        return oracle_ask_read(o, t, pages, page, how.read_max, how.strict);
    uint64_t count = run_needing_dirtying(pages, page, how.dirty_max);
    return oracle_request(o, t, pages->source, ZX_PAGER_VMO_DIRTY, page, count, false);
}

/*
 * One page for a mapped access or a buffer in mapped memory: faults.md, rows 4 to 9. Requests are of one page,
 * lenient.
 */
static zx_status_t page_to_read(struct oracle *o, struct oracle_thread *t, struct oracle_pages *pages, uint64_t page,
                                uint8_t **bytes)
{
    struct oracle_seen seen = oracle_see(pages, page, 1);
    if (seen.kind == ORACLE_SEES_ABSENT)
        return oracle_ask_read(o, t, pages, page, 1, false);
    *bytes = seen.kind == ORACLE_SEES_FRAME ? seen.record->frame->bytes : o->zeros;
    return ZX_OK;
}

static zx_status_t page_to_write(struct oracle *o, struct oracle_thread *t, struct oracle_pages *pages, uint64_t page,
                                 uint8_t **bytes)
{
    uint64_t frames;
    if (oracle_stretch(o, pages, page, 1, true, &frames) == 0)
        return oracle_ask(o, t, pages, page, true, (struct oracle_asking){.read_max = 1, .dirty_max = 1});
    if (!oracle_frames_reserve(o, frames))
        return ZX_ERR_NO_MEMORY;
    *bytes = oracle_own(o, pages, page, true)->frame->bytes;
    return ZX_OK;
}

/* README.md, "Decisions": of physical VMOs loads give 0, stores are accepted and forgotten. */
static zx_status_t physical_page(struct oracle *o, bool write, uint8_t **bytes)
{
    *bytes = write ? o->scratch : o->zeros;
    return ZX_OK;
}

zx_status_t oracle_vmo_page(struct oracle *o, struct oracle_thread *t, struct oracle_vmo *vmo, uint64_t page,
                            bool write, uint8_t **bytes)
{
    struct oracle_pages *pages = vmo->pages;
    if (page >= oracle_vmo_count(vmo))
        return ZX_ERR_OUT_OF_RANGE;
    if (pages->physical)
        return physical_page(o, write, bytes);
    if (pages->discarded)
        return ZX_ERR_NOT_FOUND;
    page += oracle_vmo_first(vmo);
    zx_status_t status = write ? page_to_write(o, t, pages, page, bytes) : page_to_read(o, t, pages, page, bytes);
    if (status == ORACLE_WAIT)
        t->fault_vmo = vmo;
    return status;
}

void oracle_vmo_modified(struct oracle_vmo *vmo)
{
    vmo->pages->modified = true;
}
