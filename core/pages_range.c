/*
 * What becomes of whole ranges of pages: discarded, zeroed, resized, evicted, unpinned, shared with a snapshot.
 * Each walks the pieces of the range once; what it does to a piece is the one thing that it decides.
 */
#include "frames.h"
#include "pages.h"

uint64_t pages_runs(const pgr_world *w, uint32_t row, uint64_t begin, uint64_t end)
{
    struct cursor at = cursor_on(&pages_at(w, row)->map);
    const struct run *run;
    uint64_t runs = 0;

    if (begin == end)
        return 0;
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
static void piece_replace(pgr_world *w, struct pages *pages, struct cursor *at, const struct piece *piece,
                          uint8_t state)
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

/*
 * What this event takes from the pages, up to `count` of them, if they are hinted like this. Pinned pages stay.
 * Returns how many went.
 */
static uint64_t pages_take_away(pgr_world *w, uint32_t row, uint32_t event, uint8_t hint, uint64_t count)
{
    struct pages *pages = pages_at(w, row);
    struct cursor at = cursor_on(&pages->map);
    uint64_t left = count;
    uint64_t page = 0;

    while (page < pages->size_pages && left > 0) {
        struct piece piece = map_piece(w, &at, page, pages->size_pages);

        page = piece_end(&piece);
        if (piece.state == PGR_PAGE_NONE || piece.pins > 0 || (hint != HINT_ANY && piece.hint != hint) ||
            pgr_page_after(event, piece.state) != PGR_PAGE_NONE)
            continue;
        piece.count = min_u64(piece.count, left);
        left -= piece.count;
        piece_replace(w, pages, &at, &piece, PGR_PAGE_NONE);
    }
    return count - left;
}

void pages_drop_clean(pgr_world *w, uint32_t row)
{
    pages_take_away(w, row, PGR_EVENT_DETACH, HINT_ANY, UINT64_MAX);
}

uint64_t pages_evict(pgr_world *w, uint32_t row, uint8_t hint, uint64_t count)
{
    uint64_t evicted = pages_take_away(w, row, PGR_EVENT_EVICT, hint, count);

    pages_at(w, row)->evictions += evicted;
    return evicted;
}

uint64_t pages_discard_all(pgr_world *w, uint32_t row)
{
    struct pages *pages = pages_at(w, row);
    uint64_t discarded = pages->frames_held;

    pages_discard(w, row, 0, pages->size_pages);
    pages->evictions += discarded;
    return discarded;
}

void pages_hint(pgr_world *w, uint32_t row, uint8_t hint, uint64_t begin, uint64_t end)
{
    struct pages *pages = pages_at(w, row);
    struct cursor at = cursor_on(&pages->map);

    while (begin < end) {
        struct piece piece = map_piece(w, &at, begin, end);
        struct run run = run_of_piece(&piece);

        if (state_has_frame(piece.state) && piece.hint != HINT_ALWAYS_NEED) {
            run.hint = hint;
            pages_put(w, pages, &at, &run);
        }
        begin = piece_end(&piece);
    }
}

#define CHAIN_EVICTABLE CHAIN(TABLE_OBJECTS, struct object, pages.evictable)

/* --- the list of pages that can be evicted, in order of creation --- */

void evictable_append(pgr_world *w, uint32_t row)
{
    list_append(w, &w->evictable, CHAIN_EVICTABLE, row);
}

void evictable_remove(pgr_world *w, uint32_t row)
{
    list_remove(w, &w->evictable, CHAIN_EVICTABLE, row);
}

/* --- zeroing --- */

/* What zeroing makes of a piece of pages. */
enum zeroing {
    ZEROING_NONE,     /* it reads as zeros */
    ZEROING_IN_PLACE, /* the frame must stay, or may as well */
    ZEROING_FREE,     /* nothing is left */
    ZEROING_HIDE,     /* a marker hides what an ancestor has */
    ZEROING_FRAME,    /* a frame of zeros */
    ZEROING_INTERVAL  /* dirty zeros, without being asked for */
};

/*
 * Pages that see through to a parent. What they see there decides, page by page:
 *
 *                        the parent has a frame    absent, or zeros        nothing is seen
 *   own frame            a marker                  zeroed in place         freed
 *   nothing of its own   a marker                  a frame of zeros        as it is
 */
static enum zeroing zeroing_of_child(const pgr_world *w, const struct pages *pages, struct piece *own)
{
    uint64_t above = own->page + pages->parent_offset_pages;
    struct cursor at = cursor_on(&pages_at(w, pages->parent)->map);
    struct sight sight;
    int shared = 0;

    if (own->page >= pages->parent_limit_pages)
        return state_has_frame(own->state) ? ZEROING_FREE : ZEROING_NONE;
    own->count = min_u64(own->count, pages->parent_limit_pages - own->page);
    if (own->state == PGR_PAGE_MARKER)
        return ZEROING_NONE;
    sight = pages_see(w, &at, pages->parent, above, above + own->count);
    own->count = sight.piece.count;
    if (state_has_frame(sight.piece.state))
        return ZEROING_HIDE;
    if (!state_has_frame(own->state))
        return ZEROING_FRAME;
    own->count = frames_shared(w, (struct stretch){own->frame, (uint32_t)own->count}, &shared);
    return shared ? ZEROING_FRAME : ZEROING_IN_PLACE;
}

/* `own` is cut to the pages for which the answer holds. */
static enum zeroing zeroing_of(const pgr_world *w, uint32_t row, struct piece *own)
{
    const struct pages *pages = pages_at(w, row);
    int contiguous = (object_at(w, row)->flags & PGR_PAGES_CONTIGUOUS) != 0;

    if (own->pins > 0 || contiguous)
        return ZEROING_IN_PLACE;
    if (pages->source != 0)
        return pgr_page_after(PGR_EVENT_ZERO, own->state) == own->state ? ZEROING_NONE : ZEROING_INTERVAL;
    if (pages->parent != 0)
        return zeroing_of_child(w, pages, own);
    return state_has_frame(own->state) ? ZEROING_FREE : ZEROING_NONE;
}

uint64_t pages_zero_scan(const pgr_world *w, uint32_t row, uint64_t begin, uint64_t end, struct need *need)
{
    struct cursor at = cursor_on(&pages_at(w, row)->map);
    uint64_t pieces = 0;
    uint64_t frames = 0;

    while (begin < end) {
        struct piece own = map_piece(w, &at, begin, end);

        if (own.pins > 0 && state_asks(w, row, PGR_EVENT_ZERO_PINNED, own.state))
            break;
        frames += zeroing_of(w, row, &own) == ZEROING_FRAME ? own.count : 0;
        pieces++;
        begin = piece_end(&own);
    }
    need->frames += frames;
    need->nodes += tree_growth(2 * pieces + frames_stretches(w, frames), pieces);
    return begin;
}

static void piece_zero_in_place(pgr_world *w, void *frames, struct pages *pages, struct cursor *at,
                                const struct piece *own)
{
    struct run run = run_of_piece(own);

    memset(frame_bytes(w, frames, own->frame), 0, (size_t)to_bytes(w, own->count));
    if (pages->source == 0)
        return;
    run.state = (uint8_t)pgr_page_after(PGR_EVENT_ZERO_PINNED, own->state);
    pages_put(w, pages, at, &run);
}

static void piece_zero_frame(pgr_world *w, void *frames, struct pages *pages, struct cursor *at, struct piece *own)
{
    struct stretch taken = frames_take(w, frames, own->count);

    if (state_has_frame(own->state))
        frames_release(w, (struct stretch){own->frame, taken.count});
    own->count = taken.count;
    pages_put(
        w, pages, at,
        &(struct run){.page = own->page, .count = taken.count, .frame = taken.frame, .state = PGR_PAGE_ANONYMOUS});
}

static void piece_zero(pgr_world *w, void *frames, struct pages *pages, struct cursor *at, enum zeroing zeroing,
                       struct piece *own)
{
    switch (zeroing) {
    case ZEROING_IN_PLACE:
        piece_zero_in_place(w, frames, pages, at, own);
        break;
    case ZEROING_FREE:
        piece_replace(w, pages, at, own, PGR_PAGE_NONE);
        break;
    case ZEROING_HIDE:
        piece_replace(w, pages, at, own, PGR_PAGE_MARKER);
        break;
    case ZEROING_FRAME:
        piece_zero_frame(w, frames, pages, at, own);
        break;
    case ZEROING_INTERVAL:
        piece_replace(w, pages, at, own, PGR_PAGE_INTERVAL);
        if (own->state == PGR_PAGE_NONE)
            requests_resolve(w, pages->source, ZX_PAGER_VMO_READ, own->page, piece_end(own));
        break;
    default:
        break;
    }
}

void pages_zero(pgr_world *w, void *frames, uint32_t row, uint64_t begin, uint64_t end)
{
    struct pages *pages = pages_at(w, row);
    struct cursor at = cursor_on(&pages->map);

    while (begin < end) {
        struct piece own = map_piece(w, &at, begin, end);
        enum zeroing zeroing = zeroing_of(w, row, &own);

        piece_zero(w, frames, pages, &at, zeroing, &own);
        begin = piece_end(&own);
    }
}

/* --- resizing --- */

void pages_resolve_dirty(pgr_world *w, uint32_t row, uint64_t page, uint64_t end)
{
    const struct pages *pages = pages_at(w, row);
    struct cursor at = cursor_on(&pages->map);

    while (page < end) {
        struct piece piece = map_piece(w, &at, page, end);

        if (piece.state != PGR_PAGE_DIRTY)
            requests_resolve(w, pages->source, ZX_PAGER_VMO_DIRTY, piece.page, piece_end(&piece));
        page = piece_end(&piece);
    }
}

/*
 * Pages that are cut off will never come, and never be dirtied: who waits for them is told. Those that had come
 * were counted when they did; so were those that are dirty.
 */
static void resolve_cut(pgr_world *w, uint32_t row, uint64_t begin, uint64_t end)
{
    const struct pages *pages = pages_at(w, row);
    struct cursor at = cursor_on(&pages->map);
    uint64_t page;

    for (page = begin; page < end;) {
        struct piece piece = map_piece(w, &at, page, end);

        if (piece.state == PGR_PAGE_NONE)
            requests_resolve(w, pages->source, ZX_PAGER_VMO_READ, piece.page, piece_end(&piece));
        page = piece_end(&piece);
    }
    pages_resolve_dirty(w, row, begin, end);
}

/* Children that saw what is cut off see zeros there for ever. */
static void children_clamp(pgr_world *w, const struct pages *pages)
{
    uint32_t row;

    for (row = pages->children.first; row != 0; row = pages_at(w, row)->sibling.next) {
        struct pages *child = pages_at(w, row);
        uint64_t seen = pages->size_pages - min_u64(pages->size_pages, child->parent_offset_pages);

        child->parent_limit_pages = min_u64(child->parent_limit_pages, seen);
    }
}

static void pages_shrink(pgr_world *w, uint32_t row, uint64_t size_pages)
{
    struct pages *pages = pages_at(w, row);
    uint64_t old_pages = pages->size_pages;

    pages->size_pages = size_pages;
    pages->parent_limit_pages = min_u64(pages->parent_limit_pages, size_pages);
    children_clamp(w, pages);
    if (pages->source != 0)
        resolve_cut(w, row, size_pages, old_pages);
    pages_discard(w, row, size_pages, old_pages);
}

void pages_resize(pgr_world *w, uint32_t row, uint64_t size_pages)
{
    struct pages *pages = pages_at(w, row);
    struct cursor at = cursor_on(&pages->map);
    struct run grown = {.page = pages->size_pages, .count = size_pages - pages->size_pages, .state = PGR_PAGE_INTERVAL};

    if (size_pages < pages->size_pages) {
        pages_shrink(w, row, size_pages);
        return;
    }
    pages->size_pages = size_pages;
    if (grown.count > 0 && pages->source != 0)
        pages_put(w, pages, &at, &grown);
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

#define CHAIN_PAGES_CHILDREN CHAIN(TABLE_OBJECTS, struct object, pages.sibling)

/* --- children --- */

/* These pages see others where they have nothing. */
static void join_parent(pgr_world *w, uint32_t row, uint32_t parent, uint64_t offset_pages, uint64_t limit_pages)
{
    struct pages *pages = pages_at(w, row);

    pages->parent = parent;
    pages->parent_offset_pages = offset_pages;
    pages->parent_limit_pages = limit_pages;
    list_append(w, &pages_at(w, parent)->children, CHAIN_PAGES_CHILDREN, row);
    object_reference(w, parent);
}

void pages_leave_parent(pgr_world *w, uint32_t row)
{
    struct pages *pages = pages_at(w, row);

    if (pages->parent == 0)
        return;
    list_remove(w, &pages_at(w, pages->parent)->children, CHAIN_PAGES_CHILDREN, row);
    object_release(w, pages->parent);
    pages->parent = 0;
}

/* The clone holds what the pages have in [offset, end), frames shared, markers too. */
static void runs_share(pgr_world *w, const struct pages *pages, struct pages *clone, uint64_t offset, uint64_t end)
{
    struct cursor from = cursor_on(&pages->map);
    struct cursor to = cursor_on(&clone->map);
    const struct run *old = NULL;

    if (offset < end)
        old = tree_seek(w, &from, offset);
    for (; old != NULL && old->page < end; old = tree_next(w, &from)) {
        struct piece piece = map_piece(w, &from, max_u64(old->page, offset), end);
        struct run run = run_of_piece(&piece);

        if (state_has_frame(run.state))
            frames_share(w, (struct stretch){run.frame, (uint32_t)run.count});
        run.page -= offset;
        run.hint = 0;
        pages_put(w, clone, &to, &run);
    }
}

uint32_t pages_snapshot(pgr_world *w, uint32_t row, uint64_t offset_pages, uint64_t size_pages, uint8_t flags)
{
    struct pages *pages = pages_at(w, row);
    uint32_t clone_row = pages_make(w, size_pages, flags);
    struct pages *clone = pages_at(w, clone_row);
    uint64_t shared = min_u64(size_pages, pages->size_pages - min_u64(offset_pages, pages->size_pages));
    uint64_t seen = min_u64(shared, pages->parent_limit_pages - min_u64(offset_pages, pages->parent_limit_pages));

    runs_share(w, pages, clone, offset_pages, offset_pages + shared);
    if (pages->parent != 0)
        join_parent(w, clone_row, pages->parent, pages->parent_offset_pages + offset_pages, seen);
    clone->family_next = pages->family_next;
    clone->family_prev = row;
    pages_at(w, clone->family_next)->family_prev = clone_row;
    pages->family_next = clone_row;
    return clone_row;
}

/*
 * A child that sees these pages as they are, and as they become, until it writes. If its window shows nothing that
 * an ancestor in between has, it hangs from the one above.
 */
/*
 * Whose pages such a child hangs from: an ancestor, if those in between show it nothing. Changes offset and length
 * accordingly.
 */
static void find_parent(const pgr_world *w, uint32_t *row, uint64_t *offset_pages, uint64_t *seen_pages)
{
    const struct pages *pages = pages_at(w, *row);

    while (pages->parent != 0 && pages_runs(w, *row, *offset_pages, *offset_pages + *seen_pages) == 0) {
        uint64_t limit = pages->parent_limit_pages;

        *seen_pages = min_u64(*seen_pages, limit - min_u64(*offset_pages, limit));
        *offset_pages += pages->parent_offset_pages;
        *row = pages->parent;
        pages = pages_at(w, *row);
    }
}

uint32_t pages_see_through(pgr_world *w, uint32_t row, uint64_t offset_pages, uint64_t size_pages, uint64_t seen_pages,
                           uint8_t flags)
{
    uint32_t child = pages_make(w, size_pages, flags);

    find_parent(w, &row, &offset_pages, &seen_pages);
    join_parent(w, child, row, offset_pages, seen_pages);
    return child;
}
