/*
 * What becomes of whole ranges of pages: discarded, zeroed, resized, evicted, unpinned, shared with a snapshot. Each walks the pieces of the
 * range once; what it does to a piece is the one thing that it decides.
 */
#include "pgr_internal.h"

uint64_t pages_runs(const pgr_world *w, uint32_t row, uint64_t begin, uint64_t end)
{
    struct cursor at = cursor_on(&pages_at(w, row)->map);
    const struct run *run;
    uint64_t runs = 0;

    for (run = tree_seek(w, &at, begin); run != NULL && run->page < end; run = tree_next(w, &at))
        runs++;
    return runs;
}

int pages_pinned(const pgr_world *w, uint32_t row, uint64_t begin, uint64_t end)
{
    const struct pages *pages = pages_at(w, row);
    struct cursor at = cursor_on(&pages->map);
    const struct run *run;

    if (pages->pins == 0 || begin == end)
        return 0;
    for (run = tree_seek(w, &at, begin); run != NULL && run->page < end; run = tree_next(w, &at)) {
        if (run->pins > 0)
            return 1;
    }
    return 0;
}

/* The piece holds something else from now on, without a frame; a frame that it had is released. */
static void piece_replace(pgr_world *w, struct pages *pages, struct cursor *at, const struct piece *piece, uint8_t state)
{
    if (state_has_frame(piece->state))
        frames_release(w, (struct stretch){piece->frame, (uint32_t)piece->count});
    pages_put(w, pages, at, &(struct run){.page = piece->page, .count = piece->count, .state = state});
}

void pages_discard(pgr_world *w, uint32_t row, uint64_t begin, uint64_t end)
{
    struct pages *pages = pages_at(w, row);
    struct cursor at = cursor_on(&pages->map);
    const struct run *run;

    while (begin < end && (run = tree_seek(w, &at, begin)) != NULL && run->page < end) {
        struct piece piece = map_piece(w, &at, max_u64(begin, run->page), end);

        piece_replace(w, pages, &at, &piece, PGR_PAGE_NONE);
    }
}

void pages_drop_clean(pgr_world *w, uint32_t row)
{
    struct pages *pages = pages_at(w, row);
    struct cursor at = cursor_on(&pages->map);
    uint64_t page = 0;

    while (page < pages->size_pages) {
        struct piece piece = map_piece(w, &at, page, pages->size_pages);

        if ((piece.state == PGR_PAGE_CLEAN && piece.pins == 0) || piece.state == PGR_PAGE_MARKER)
            piece_replace(w, pages, &at, &piece, PGR_PAGE_NONE);
        page = piece_end(&piece);
    }
}

uint64_t pages_evict(pgr_world *w, uint32_t row, uint64_t count)
{
    struct pages *pages = pages_at(w, row);
    struct cursor at = cursor_on(&pages->map);
    uint64_t evicted = 0;
    uint64_t page = 0;

    while (page < pages->size_pages && evicted < count) {
        struct piece piece = map_piece(w, &at, page, pages->size_pages);

        page = piece_end(&piece);
        if (piece.state == PGR_PAGE_CLEAN && piece.pins == 0) {
            piece.count = min_u64(piece.count, count - evicted);
            evicted += piece.count;
            piece_replace(w, pages, &at, &piece, PGR_PAGE_NONE);
        }
    }
    pages->evictions += evicted;
    return evicted;
}

/* --- zeroing --- */

uint32_t pages_zero_nodes(const pgr_world *w, uint32_t row, uint64_t begin, uint64_t end)
{
    uint64_t runs = pages_runs(w, row, begin, end);

    /* A piece for each run, and for each gap around and between them. */
    return tree_growth(2 * runs + 3, runs);
}

/* Pages without a pager: frames are freed, unless they must stay where they are. */
static void piece_zero_anonymous(pgr_world *w, void *frames, struct pages *pages, struct cursor *at, const struct piece *piece, int stays)
{
    if (!state_has_frame(piece->state))
        return;
    if (stays)
        memset(frame_bytes(w, frames, piece->frame), 0, (size_t)to_bytes(w, piece->count));
    else
        piece_replace(w, pages, at, piece, PGR_PAGE_NONE);
}

/* Pages with a pager: they become a dirty interval of zeros, without being asked for. Zeros stay what they are. */
static void piece_zero_paged(pgr_world *w, void *frames, struct pages *pages, struct cursor *at, const struct piece *piece)
{
    if (piece->pins > 0) {
        struct run run = run_of_piece(piece);

        run.state = PGR_PAGE_DIRTY;
        pages_put(w, pages, at, &run);
        memset(frame_bytes(w, frames, piece->frame), 0, (size_t)to_bytes(w, piece->count));
        return;
    }
    if (piece->state == PGR_PAGE_MARKER || piece->state == PGR_PAGE_INTERVAL)
        return;
    piece_replace(w, pages, at, piece, PGR_PAGE_INTERVAL);
    if (piece->state == PGR_PAGE_NONE)
        requests_resolve(w, pages->source, ZX_PAGER_VMO_READ, piece->page, piece_end(piece));
}

void pages_zero(pgr_world *w, void *frames, uint32_t row, uint64_t begin, uint64_t end)
{
    struct pages *pages = pages_at(w, row);
    struct cursor at = cursor_on(&pages->map);
    int contiguous = (object_at(w, row)->flags & PGR_PAGES_CONTIGUOUS) != 0;

    while (begin < end) {
        struct piece piece = map_piece(w, &at, begin, end);

        if (pages->source != 0)
            piece_zero_paged(w, frames, pages, &at, &piece);
        else
            piece_zero_anonymous(w, frames, pages, &at, &piece, contiguous || piece.pins > 0);
        begin = piece_end(&piece);
    }
}

/* --- resizing --- */

/* Absent pages that are cut off will never come: who waits for them is told. */
static void resolve_absent(pgr_world *w, const struct pages *pages, uint64_t begin, uint64_t end)
{
    struct cursor at = cursor_on(&pages->map);

    while (begin < end) {
        struct piece piece = map_piece(w, &at, begin, end);

        if (piece.state == PGR_PAGE_NONE)
            requests_resolve(w, pages->source, ZX_PAGER_VMO_READ, piece.page, piece_end(&piece));
        begin = piece_end(&piece);
    }
}

void pages_resize(pgr_world *w, uint32_t row, uint64_t size_pages)
{
    struct pages *pages = pages_at(w, row);
    struct cursor at = cursor_on(&pages->map);
    uint64_t old_pages = pages->size_pages;

    pages->size_pages = size_pages;
    if (size_pages < old_pages) {
        if (pages->source != 0)
            resolve_absent(w, pages, size_pages, old_pages);
        pages_discard(w, row, size_pages, old_pages);
    } else if (size_pages > old_pages && pages->source != 0) {
        pages_put(w, pages, &at,
                  &(struct run){.page = old_pages, .count = size_pages - old_pages, .state = PGR_PAGE_INTERVAL});
    }
}

/* --- pins --- */

void pages_unpin(pgr_world *w, uint32_t row, uint64_t page, uint64_t end)
{
    struct pages *pages = pages_at(w, row);
    struct cursor at = cursor_on(&pages->map);

    while (page < end) {
        struct piece piece = map_piece(w, &at, page, end);
        struct run run = run_of_piece(&piece);

        run.pins--;
        pages_put(w, pages, &at, &run);
        page = piece_end(&piece);
    }
}

/* --- snapshots --- */

uint32_t pages_snapshot(pgr_world *w, uint32_t row, uint64_t offset_pages, uint64_t size_pages, uint8_t flags)
{
    struct pages *pages = pages_at(w, row);
    uint32_t clone_row = pages_make(w, size_pages, flags);
    struct pages *clone = pages_at(w, clone_row);
    struct cursor from = cursor_on(&pages->map);
    struct cursor to = cursor_on(&clone->map);
    uint64_t end = offset_pages < pages->size_pages ? offset_pages + min_u64(size_pages, pages->size_pages - offset_pages) : offset_pages;
    const struct run *old = NULL;

    if (offset_pages < end)
        old = tree_seek(w, &from, offset_pages);
    for (; old != NULL && old->page < end; old = tree_next(w, &from)) {
        struct piece piece = map_piece(w, &from, max_u64(old->page, offset_pages), end);
        struct run run = run_of_piece(&piece);

        frames_share(w, (struct stretch){run.frame, (uint32_t)run.count});
        run.page -= offset_pages;
        pages_put(w, clone, &to, &run);
    }
    clone->family_next = pages->family_next;
    clone->family_prev = row;
    pages_at(w, clone->family_next)->family_prev = clone_row;
    pages->family_next = clone_row;
    return clone_row;
}
