/*
 * zx_pager_op_range (op-range.md).
 */
#include "harness/oracle/oracle_pages.h"
#include "harness/oracle/oracle_pager.h"

/* Where an operation works: the pager VMO's pages, and the range in bytes and pages. */
struct range {
    struct oracle_pages *pages;
    uint64_t offset;
    uint64_t length;
    uint64_t size; /* of the VMO, bytes */
    uint64_t first;
    uint64_t end;
};

/* --- FAIL --- */

/* README.md, "Decisions": by default the three codes that both generations list; with option fail_codes kernel, five. */
static bool fail_code_is_taken(const struct oracle *o, uint64_t data)
{
    zx_status_t status = (zx_status_t)data;
    if ((uint64_t)(int64_t)status != data)
        return false; /* must be the 64-bit sign extension */
    if (status == ZX_ERR_IO || status == ZX_ERR_IO_DATA_INTEGRITY || status == ZX_ERR_BAD_STATE)
        return true;
    bool kernel = o->config.options & PGR_OPTION_FAIL_CODES_KERNEL;
    return kernel && (status == ZX_ERR_NO_SPACE || status == ZX_ERR_BUFFER_TOO_SMALL);
}

static zx_status_t op_fail(struct oracle *o, const struct range *r, uint64_t data)
{
    if (!fail_code_is_taken(o, data))
        return ZX_ERR_INVALID_ARGS; /* row 6 */
    if (!oracle_in_range(r->offset, r->length, r->size))
        return ZX_ERR_OUT_OF_RANGE; /* row 7 */
    if (r->pages->source->detached)
        return ZX_ERR_BAD_STATE; /* row 8 */
    oracle_fail(o, r->pages->source, r->first, r->end, (zx_status_t)data);
    return ZX_OK;
}

/* --- DIRTY --- */

/* A run of pages of [*page, end) that are not dirty, absent ones included: [*page, *run_end). False: there is none. */
static bool next_undirty_run(struct oracle_pages *pages, uint64_t *page, uint64_t end, uint64_t *run_end)
{
    const struct oracle_page *record = NULL;
    while (*page < end && (record = oracle_record_at(pages, *page)) && record->state == PGR_PAGE_DIRTY)
        ++*page;
    *run_end = *page;
    while (*run_end < end) {
        struct oracle_seen seen = oracle_see(pages, *run_end, end - *run_end);
        if (seen.record && seen.record->state == PGR_PAGE_DIRTY)
            break;
        *run_end += seen.count;
    }
    return *page < *run_end;
}

/* "Woken yes": the DIRTY requests over pages that are not dirty yet count as resolved, though the call fails. */
static zx_status_t wake_and_fail(struct oracle *o, struct oracle_pages *pages, uint64_t first, uint64_t end,
                                 zx_status_t status)
{
    uint64_t run_end;
    for (uint64_t page = first; next_undirty_run(pages, &page, end, &run_end); page = run_end)
        oracle_resolve(o, pages->source, ZX_PAGER_VMO_DIRTY, page, run_end);
    return status;
}

static bool any_absent(struct oracle_pages *pages, uint64_t first, uint64_t end)
{
    while (first < end) {
        struct oracle_seen seen = oracle_see(pages, first, end - first);
        if (seen.kind == ORACLE_SEES_ABSENT)
            return true;
        first += seen.count;
    }
    return false;
}

/* Markers and zero intervals get a committed zero page each. */
static uint64_t frames_for_dirty(struct oracle_pages *pages, uint64_t first, uint64_t end)
{
    uint64_t frames = 0;
    while (first < end) {
        struct oracle_seen seen = oracle_see(pages, first, end - first);
        if (seen.kind == ORACLE_SEES_ZERO)
            frames += seen.count;
        first += seen.count;
    }
    return frames;
}

/* The runs that become dirty; each is then reported to the DIRTY requests as resolved. */
static void make_dirty(struct oracle *o, struct oracle_pages *pages, uint64_t first, uint64_t end)
{
    uint64_t run_end;
    for (uint64_t page = first; next_undirty_run(pages, &page, end, &run_end); page = run_end) {
        for (uint64_t i = page; i < run_end; i++)
            oracle_own(o, pages, i, true);
        oracle_resolve(o, pages->source, ZX_PAGER_VMO_DIRTY, page, run_end);
    }
}

static zx_status_t op_dirty(struct oracle *o, const struct range *r, uint64_t data)
{
    if (data != 0)
        return ZX_ERR_INVALID_ARGS; /* row 6 */
    if (!r->pages->trap_dirty)
        return ZX_ERR_NOT_SUPPORTED; /* row 7 */
    if (r->offset > r->size || r->offset + r->length < r->offset)
        return ZX_ERR_OUT_OF_RANGE; /* rows 8, 9 */
    if (r->offset + r->length > r->size)
        return wake_and_fail(o, r->pages, r->first, r->pages->size, ZX_ERR_OUT_OF_RANGE); /* row 10 */
    if (r->pages->source->detached)
        return ZX_ERR_BAD_STATE; /* row 11 */
    if (any_absent(r->pages, r->first, r->end))
        return wake_and_fail(o, r->pages, r->first, r->end, ZX_ERR_NOT_FOUND); /* row 12 */
    if (!oracle_frames_reserve(o, frames_for_dirty(r->pages, r->first, r->end)))
        return wake_and_fail(o, r->pages, r->first, r->end, ZX_ERR_NO_MEMORY); /* row 13 */
    make_dirty(o, r->pages, r->first, r->end);
    return ZX_OK;
}

/* --- WRITEBACK_BEGIN, WRITEBACK_END --- */

static zx_status_t op_begin(struct oracle *o, const struct range *r, uint64_t data)
{
    (void)o;
    if (data != 0 && data != ZX_VMO_DIRTY_RANGE_IS_ZERO)
        return ZX_ERR_INVALID_ARGS;
    if (!oracle_in_range(r->offset, r->length, r->size))
        return ZX_ERR_OUT_OF_RANGE;
    for (size_t i = 0; i < r->pages->page_count && data == 0; i++) {
        struct oracle_page *record = &r->pages->page[i];
        bool inside = record->first >= r->first && record->first < r->end;
        if (inside && record->state == PGR_PAGE_DIRTY && record->pins == 0)
            record->state = PGR_PAGE_AWAITING_CLEAN;
    }
    oracle_interval_begin(r->pages, r->first, r->end);
    return ZX_OK;
}

static zx_status_t op_end(struct oracle *o, const struct range *r, uint64_t data)
{
    (void)o;
    if (data != 0)
        return ZX_ERR_INVALID_ARGS;
    if (!oracle_in_range(r->offset, r->length, r->size))
        return ZX_ERR_OUT_OF_RANGE;
    for (size_t i = 0; i < r->pages->page_count; i++) {
        struct oracle_page *record = &r->pages->page[i];
        bool inside = record->first >= r->first && record->first < r->end;
        if (inside && record->state == PGR_PAGE_AWAITING_CLEAN)
            record->state = PGR_PAGE_CLEAN;
    }
    oracle_interval_end(r->pages, r->first, r->end);
    return ZX_OK;
}

/* --- common checks --- */

static zx_status_t operate(struct oracle *o, uint32_t op, const struct range *r, uint64_t data)
{
    switch (op) {
    case ZX_PAGER_OP_FAIL:
        return op_fail(o, r, data);
    case ZX_PAGER_OP_DIRTY:
        return op_dirty(o, r, data);
    case ZX_PAGER_OP_WRITEBACK_BEGIN:
        return op_begin(o, r, data);
    case ZX_PAGER_OP_WRITEBACK_END:
        return op_end(o, r, data);
    default:
        return ZX_ERR_NOT_SUPPORTED; /* row 5 */
    }
}

zx_status_t oracle_zx_pager_op_range(struct oracle *o, struct oracle_thread *t, const pgr_call *call,
                                     pgr_result *result)
{
    (void)t;
    (void)result;
    struct range r = {.offset = call->arg[3], .length = call->arg[4]};
    struct oracle_vmo *vmo;
    if (!oracle_aligned(o, r.offset) || !oracle_aligned(o, r.length))
        return ZX_ERR_INVALID_ARGS; /* row 1 */
    zx_status_t status = oracle_pager_and_vmo(o, (zx_handle_t)call->arg[0], ZX_RIGHT_MANAGE_VMO,
                                              (zx_handle_t)call->arg[2], ZX_RIGHT_WRITE, &vmo); /* rows 2 to 4 */
    if (status != ZX_OK)
        return status;
    r.pages = vmo->pages;
    r.size = oracle_vmo_size(o, vmo);
    r.first = r.offset / o->page_bytes;
    r.end = r.first + r.length / o->page_bytes;
    return operate(o, (uint32_t)call->arg[1], &r, call->arg[5]);
}
