/*
 * System call zx_pager_supply_pages: the pages of one VMO become those of a pager's VMO.
 *
 *   pager VMO   absent         -> clean, with the aux page's frame; or a marker, if aux has none
 *               anything else  -> as it was
 *   aux VMO     any            -> no frame, reads as zeros; a frame that was not needed is freed
 *
 * Why no page can get lost: the step looks first, on a world that it cannot change, at both ranges, and reserves
 * what the pager VMO's map may need; then every frame of the aux range is either put into the pager VMO or freed,
 * run by run, before the range is taken out of the aux map.
 */
#include "calls.h"

#include "handles.h"

/*
 * Can these pages be taken from the VMO? Physical and contiguous ones never can. A child, or another VMO over the
 * same pages, would see them vanish; so would the relatives of a snapshot and the parent of a slice, but a range
 * that is out of bounds is told before that.
 */
static zx_status_t aux_check(const pgr_world *w, uint32_t aux, uint64_t page, uint64_t count)
{
    const struct vmo *vmo = vmo_at(w, aux);
    const struct pages *pages = pages_at(w, vmo->pages);
    uint8_t flags = object_at(w, vmo->pages)->flags;
    int slice = (object_at(w, aux)->flags & PGR_VMO_SLICE) != 0;
    int reference = (object_at(w, aux)->flags & PGR_VMO_REFERENCE) != 0;

    if ((flags & (PGR_PAGES_PHYSICAL | PGR_PAGES_CONTIGUOUS)) != 0)
        return ZX_ERR_NOT_SUPPORTED;
    if (vmo->child_count > 0 || reference || (!slice && pages->vmo_count > 1))
        return ZX_ERR_BAD_STATE;
    if (!in_range(page, count, vmo_window(w, aux).size_pages))
        return ZX_ERR_OUT_OF_RANGE;
    if (slice || pages_have_relatives(w, vmo->pages) || pages->source != 0)
        return ZX_ERR_BAD_STATE;
    return pages_pinned(w, vmo->pages, page, page + count) ? ZX_ERR_BAD_STATE : ZX_OK;
}

/* Can these pages be given to the pager's VMO? Of no pages nothing is asked. */
static zx_status_t destination_check(const pgr_world *w, const struct pages *pages, uint64_t page, uint64_t count)
{
    if (count == 0)
        return ZX_OK;
    if (!in_range(page, count, pages->size_pages))
        return ZX_ERR_OUT_OF_RANGE;
    return source_detached(w, pages->source) ? ZX_ERR_BAD_STATE : ZX_OK;
}

/* Each stretch of absent pages is filled in one go, and counts as one allocation. */
static uint64_t absent_stretches(const pgr_world *w, const struct pages *pages, uint64_t page, uint64_t end)
{
    struct cursor at = cursor_on(&pages->map);
    uint64_t stretches = 0;

    while (page < end) {
        struct piece piece = map_piece(w, &at, page, end);

        stretches += piece.state == PGR_PAGE_NONE ? 1 : 0;
        page = piece_end(&piece);
    }
    return stretches;
}

static void supply_needs(const pgr_world *w, struct plan *plan, uint64_t page, uint64_t aux_page, uint64_t count)
{
    uint32_t pages = vmo_at(w, plan->object)->pages;
    uint64_t kept = pages_runs(w, pages, page, page + count);
    uint64_t moved = pages_runs(w, vmo_at(w, plan->aux)->pages, aux_page, aux_page + count);

    plan->stretches = absent_stretches(w, pages_at(w, pages), page, page + count);
    plan->need.counted = plan->stretches;
    /*
     * Into each stretch goes a part of every run of the aux range, and a marker for every gap around those; and the
     * aux map is cut twice.
     */
    plan->need.nodes = tree_growth(2 * moved + 2 * plan->stretches + 1, kept) + tree_growth(2, 0);
}

/*
 * Option supply_failure decommitted: the kernel takes the pages before it looks where they go, and when memory runs
 * out it has filled some stretches. The call then goes through with what it can do, and reports `status`.
 */
static zx_status_t supply_half(const pgr_world *w, struct plan *plan, zx_status_t status)
{
    if (status == ZX_OK && shortage(w, &plan->need))
        status = ZX_ERR_NO_MEMORY;
    plan->stretches = status == ZX_OK ? allocations_granted(w, &plan->need) : 0;
    plan->injected = status == ZX_OK && plan->stretches < plan->need.counted;
    if (plan->injected)
        status = ZX_ERR_NO_MEMORY;
    plan->verdict = status;
    if (status != ZX_OK)
        plan->need = (struct need){0};
    return ZX_OK;
}

CHECK(pager_supply_pages)
{
    const uint64_t *arg = plan->call->arg;
    uint64_t page = to_page(w, arg[2]);
    uint64_t count = to_page(w, arg[3]);
    uint64_t aux_page = to_page(w, arg[5]);
    zx_status_t status;

    /* Page boundaries? Asked before the handles. */
    if (!page_aligned(w, arg[2] | arg[3] | arg[5]))
        return ZX_ERR_INVALID_ARGS;
    /* A pager, a VMO, and that VMO made from that pager? */
    status = pager_vmo_get(w, arg[0], arg[1], ZX_RIGHT_MANAGE_VMO, ZX_RIGHT_WRITE, plan);
    /* A VMO to take pages from? */
    if (status == ZX_OK)
        status = handle_get(w, arg[4], PGR_OBJECT_VMO, ZX_RIGHT_WRITE, &plan->aux);
    if (status == ZX_OK)
        status = aux_check(w, plan->aux, aux_page, count);
    if (status != ZX_OK)
        return status;
    status = destination_check(w, pages_at(w, vmo_at(w, plan->object)->pages), page, count);
    if (status == ZX_OK)
        supply_needs(w, plan, page, aux_page, count);
    if ((w->config.options & PGR_OPTION_SUPPLY_DECOMMITS) != 0)
        return supply_half(w, plan, status);
    return status;
}

/* One absent stretch of the pager's VMO takes over what the aux range holds at `aux_page` and behind. */
static void stretch_fill(pgr_world *w, struct pages *pages, struct cursor *at, const struct piece *stretch,
                         struct pages *aux, struct cursor *from, uint64_t aux_page)
{
    uint64_t end = aux_page + stretch->count;
    uint64_t page = stretch->page;

    while (aux_page < end) {
        struct piece piece = map_piece(w, from, aux_page, end);
        struct run run = {.page = page, .count = piece.count, .state = PGR_PAGE_MARKER};

        if (state_has_frame(piece.state)) {
            run.state = PGR_PAGE_CLEAN;
            run.frame = piece.frame;
            pages_put(w, aux, from, &(struct run){.page = piece.page, .count = piece.count});
        }
        pages_put(w, pages, at, &run);
        aux_page += piece.count;
        page += piece.count;
    }
}

COMMIT(pager_supply_pages)
{
    const uint64_t *arg = plan->call->arg;
    struct pages *pages = pages_at(w, vmo_at(w, plan->object)->pages);
    struct pages *aux = pages_at(w, vmo_at(w, plan->aux)->pages);
    struct cursor at = cursor_on(&pages->map);
    struct cursor from = cursor_on(&aux->map);
    uint64_t page = to_page(w, arg[2]);
    uint64_t end = page + to_page(w, arg[3]);
    uint64_t aux_page = to_page(w, arg[5]);
    uint64_t left = plan->stretches;

    (void)frames;
    while (left > 0) {
        struct piece piece = map_piece(w, &at, page, end);

        if (piece.state == PGR_PAGE_NONE) {
            stretch_fill(w, pages, &at, &piece, aux, &from, aux_page + (page - to_page(w, arg[2])));
            requests_resolve(w, pages->source, ZX_PAGER_VMO_READ, piece.page, piece_end(&piece));
            left--;
        }
        page = piece_end(&piece);
    }
    /* What was not needed is freed. */
    pages_discard(w, vmo_at(w, plan->aux)->pages, aux_page, aux_page + to_page(w, arg[3]));
    result->status = plan->verdict;
    return PROGRESS_DONE;
}
