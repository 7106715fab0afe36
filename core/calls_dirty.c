/*
 * Dirty tracking: ZX_PAGER_OP_DIRTY, ZX_PAGER_OP_WRITEBACK_BEGIN and _END, zx_pager_query_dirty_ranges,
 * zx_pager_query_vmo_stats.
 *
 * What becomes of a page is in states.c. Here is the one rule that is not about pages: how a writeback of an
 * interval of zeros begins and ends. An interval [s, e) knows how many of its pages from s on are being written
 * back, its awaiting length L, which may reach beyond e.
 *
 *   BEGIN [o, x)      an interval with o <= s < x:  L = max(L, min(e, x) - s);  one that begins before o stays as it is
 *   END [o, x)        ascending, X = o at first:  X = max(X, s + L);  [s, min(e, X, x)) is clean, and gone;
 *                     the rest keeps what is left of L
 *   cut in front      the rest keeps what is left of L                                  (map.c)
 *   cut in the middle the left part keeps L, the right one has none                     (map.c)
 *   joined            the left one's L                                                  (map.c)
 */
#include "calls.h"

/* --- ZX_PAGER_OP_DIRTY --- */

/* The status of a DIRTY that fails without a change, but wakes who waits for it: they look again. */
static zx_status_t dirty_fail(struct plan *plan, zx_status_t status)
{
    plan->verdict = status;
    plan->need = (struct need){0};
    return ZX_OK;
}

zx_status_t dirty_check(const pgr_world *w, struct plan *plan, uint64_t offset, uint64_t length, uint64_t data)
{
    uint32_t row = vmo_at(w, plan->object)->pages;
    uint64_t size_bytes = to_bytes(w, pages_at(w, row)->size_pages);
    uint64_t end;
    uint64_t stop;
    uint32_t pins = 0;

    if (data != 0)
        return ZX_ERR_INVALID_ARGS;
    if ((object_at(w, row)->flags & PGR_PAGES_TRAP_DIRTY) == 0)
        return ZX_ERR_NOT_SUPPORTED;
    if (offset > size_bytes || offset + length < offset)
        return ZX_ERR_OUT_OF_RANGE;
    end = min_u64(offset + length, size_bytes);
    plan->size_pages = to_page(w, end - offset);
    if (offset + length > size_bytes)
        return dirty_fail(plan, ZX_ERR_OUT_OF_RANGE);
    if (source_detached(w, pages_at(w, row)->source))
        return ZX_ERR_BAD_STATE;
    /* Is every page there? */
    stop = pages_scan(w, row, PGR_EVENT_READ, to_page(w, offset), to_page(w, end), &plan->need, &pins);
    if (stop < to_page(w, end))
        return dirty_fail(plan, ZX_ERR_NOT_FOUND);
    if (shortage(w, &plan->need))
        return dirty_fail(plan, ZX_ERR_NO_MEMORY);
    plan->injected = allocations_granted(w, &plan->need) < plan->need.frames;
    return plan->injected ? dirty_fail(plan, ZX_ERR_NO_MEMORY) : ZX_OK;
}

void dirty_commit(pgr_world *w, void *frames, const struct plan *plan, uint64_t page)
{
    uint32_t row = vmo_at(w, plan->object)->pages;
    uint64_t end = page + plan->size_pages;

    /* Who waits for what is not dirty gets nearer to its end, whether the call succeeds or not. */
    pages_resolve_dirty(w, row, page, end);
    if (plan->verdict == ZX_OK)
        pages_prepare(w, frames, row, PGR_EVENT_DIRTY, page, end, 0);
}

/* --- ZX_PAGER_OP_WRITEBACK_BEGIN --- */

void writeback_begin(pgr_world *w, uint32_t row, uint64_t begin, uint64_t end, int zeros_only)
{
    struct pages *pages = pages_at(w, row);
    struct cursor at = cursor_on(&pages->map);
    uint64_t page = begin;

    while (page < end) {
        struct piece piece = map_piece(w, &at, page, end);
        struct run run = run_of_piece(&piece);

        if (piece.state == PGR_PAGE_INTERVAL) {
            struct run *interval = tree_seek(w, &at, page);

            if (interval->page >= begin)
                interval->awaiting = max_u64(interval->awaiting, min_u64(run_end(interval), end) - interval->page);
        } else if (piece.state != PGR_PAGE_NONE && piece.pins == 0 && !zeros_only) {
            run.state = (uint8_t)pgr_page_after(PGR_EVENT_BEGIN, piece.state);
            if (run.state != piece.state)
                pages_put(w, pages, &at, &run);
        }
        page = piece_end(&piece);
    }
}

/* --- ZX_PAGER_OP_WRITEBACK_END --- */

void writeback_end(pgr_world *w, uint32_t row, uint64_t begin, uint64_t end)
{
    struct pages *pages = pages_at(w, row);
    struct cursor at = cursor_on(&pages->map);
    uint64_t cleaned = begin;
    uint64_t page = begin;

    while (page < end) {
        struct piece piece = map_piece(w, &at, page, end);
        struct run run = run_of_piece(&piece);

        page = piece_end(&piece);
        if (piece.state == PGR_PAGE_INTERVAL) {
            const struct run *interval = tree_seek(w, &at, piece.page);

            if (interval->page < begin)
                continue;
            cleaned = max_u64(cleaned, interval->page + interval->awaiting);
            run.count = min_u64(piece_end(&piece), cleaned) - min_u64(piece.page, cleaned);
            run.state = PGR_PAGE_NONE;
        } else if (piece.state != PGR_PAGE_NONE) {
            run.state = (uint8_t)pgr_page_after(PGR_EVENT_END, piece.state);
        }
        if (run.state != piece.state && run.count > 0)
            pages_put(w, pages, &at, &run);
    }
}

/* --- zx_pager_query_dirty_ranges --- */

/*
 * Pages that are dirty, or being written back, are one range; an interval of zeros is one of its own. From `page`
 * on; 0 if there is none.
 */
static int dirty_range_next(const pgr_world *w, struct cursor *at, uint64_t *page, uint64_t end,
                            zx_vmo_dirty_range_t *range)
{
    uint64_t begin = end;
    uint8_t kind = PGR_PAGE_NONE;

    while (*page < end) {
        struct piece piece = map_piece(w, at, *page, end);
        uint8_t state = piece.state == PGR_PAGE_AWAITING_CLEAN ? PGR_PAGE_DIRTY : piece.state;
        int dirty = state == PGR_PAGE_DIRTY || state == PGR_PAGE_INTERVAL;

        if (kind != PGR_PAGE_NONE && state != kind)
            break;
        if (dirty && kind == PGR_PAGE_NONE) {
            begin = *page;
            kind = state;
        }
        *page = piece_end(&piece);
    }
    range->offset = to_bytes(w, begin);
    range->length = to_bytes(w, *page - min_u64(begin, *page));
    range->options = kind == PGR_PAGE_INTERVAL ? ZX_VMO_DIRTY_RANGE_IS_ZERO : 0;
    return kind != PGR_PAGE_NONE;
}

/* Writes as many ranges as the caller has asked for, and counts all. */
static zx_status_t dirty_ranges_write(const pgr_world *w, const struct pages *pages, const pgr_call *call,
                                      pgr_result *result)
{
    const uint64_t *arg = call->arg;
    struct cursor at = cursor_on(&pages->map);
    uint64_t page = to_page(w, arg[2]);
    uint64_t end = arg[3] == 0 ? page : to_pages_up(w, arg[2] + arg[3]);
    uint64_t room = call->buffer != NULL ? call->buffer_bytes : 0;
    zx_vmo_dirty_range_t range;
    uint64_t found = 0;

    for (; dirty_range_next(w, &at, &page, end, &range); found++) {
        if (found >= arg[5])
            continue;
        if ((found + 1) * sizeof(range) > room)
            return ZX_ERR_INVALID_ARGS;
        memcpy((char *)call->buffer + found * sizeof(range), &range, sizeof(range));
    }
    result->count = (uint32_t)min_u64(found, arg[5]);
    result->out[6] = result->count;
    result->out[7] = found;
    return ZX_OK;
}

ANSWER(pager_query_dirty_ranges)
{
    const uint64_t *arg = plan->call->arg;
    zx_status_t status = pager_vmo_get(w, arg[0], arg[1], ZX_RIGHT_MANAGE_VMO, ZX_RIGHT_READ, plan);
    const struct pages *pages;

    if (status != ZX_OK)
        return status;
    pages = pages_at(w, vmo_at(w, plan->object)->pages);
    if (!in_range(arg[2], arg[3], to_bytes(w, pages->size_pages)))
        return ZX_ERR_OUT_OF_RANGE;
    return dirty_ranges_write(w, pages, plan->call, result);
}

/* --- zx_pager_query_vmo_stats --- */

CHECK(pager_query_vmo_stats)
{
    const uint64_t *arg = plan->call->arg;
    zx_status_t status = pager_vmo_get(w, arg[0], arg[1], ZX_RIGHT_MANAGE_VMO, ZX_RIGHT_READ, plan);

    if (status != ZX_OK)
        return status;
    return (arg_u32(plan, 2) & ~ZX_PAGER_RESET_VMO_STATS) != 0 ? ZX_ERR_INVALID_ARGS : ZX_OK;
}

COMMIT(pager_query_vmo_stats)
{
    struct pages *pages = pages_at(w, vmo_at(w, plan->object)->pages);

    (void)frames;
    result->stats.modified = pages->modified ? ZX_PAGER_VMO_STATS_MODIFIED : 0;
    if ((arg_u32(plan, 2) & ZX_PAGER_RESET_VMO_STATS) != 0)
        pages->modified = 0;
    return PROGRESS_DONE;
}
