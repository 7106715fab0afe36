/*
 * What the pages behind VMOs do when they are used: find what a page holds, ask the pager for it, give it a frame
 * of its own, copy bytes.
 *
 * Every use goes the same way: pages_want says whether the pager must be asked first, pages_scan how far the pages
 * are ready and what preparing them takes; the step reserves that, and pages_prepare, which cannot fail, does it.
 * Snapshots share frames: a page whose frame somebody else holds, too, gets a copy when it is committed or written,
 * and so does one that is seen in an ancestor.
 */
#include "pages.h"

#include "frames.h"

uint32_t pages_make(pgr_world *w, uint64_t size_pages, uint8_t flags)
{
    uint32_t row = object_make(w, PGR_OBJECT_PAGES);
    struct pages *pages = pages_at(w, row);

    object_at(w, row)->flags = flags;
    pages->size_pages = size_pages;
    pages->family_next = row;
    pages->family_prev = row;
    return row;
}

void pages_put(pgr_world *w, struct pages *pages, struct cursor *at, const struct run *run)
{
    struct piece old = map_piece(w, at, run->page, run_end(run));

    PGR_ASSERT(old.count == run->count);
    if (old.state != PGR_PAGE_NONE) {
        map_cut(w, at, run->page, run->count);
        pages->pins -= old.count * old.pins;
        if (state_has_frame(old.state))
            pages->frames_held -= old.count;
    }
    if (run->state != PGR_PAGE_NONE) {
        map_put(w, at, run);
        pages->pins += run->count * run->pins;
        if (state_has_frame(run->state))
            pages->frames_held += run->count;
    }
}

/*
 * Own page, or else the parent's, up to the limit behind which nothing of the parent is seen, and so on up. At the
 * root a page that nobody has is absent if there is a pager, and zero if not.
 */
struct sight pages_see(const pgr_world *w, struct cursor *at, uint32_t row, uint64_t page, uint64_t end)
{
    struct sight sight = {.piece = map_piece(w, at, page, end), .owner = row, .owner_page = page};
    const struct pages *pages = pages_at(w, row);

    while (sight.piece.state == PGR_PAGE_NONE && pages->parent != 0 && sight.owner_page < pages->parent_limit_pages) {
        struct cursor above = cursor_on(&pages_at(w, pages->parent)->map);
        uint64_t count = min_u64(sight.piece.count, pages->parent_limit_pages - sight.owner_page);

        sight.owner = pages->parent;
        sight.owner_page += pages->parent_offset_pages;
        sight.piece = map_piece(w, &above, sight.owner_page, sight.owner_page + count);
        pages = pages_at(w, sight.owner);
    }
    sight.piece.page = page;
    sight.absent = sight.piece.state == PGR_PAGE_NONE && pages->source != 0;
    return sight;
}

uint32_t pages_root(const pgr_world *w, uint32_t pages)
{
    while (pages_at(w, pages)->parent != 0)
        pages = pages_at(w, pages)->parent;
    return pages;
}

/*
 * How many pages from `page` on would have to be dirtied before they are written: the run ends where one is dirty
 * already, or absent.
 */
static uint64_t asking_run(const pgr_world *w, uint32_t row, uint64_t page, uint64_t end)
{
    struct cursor at = cursor_on(&pages_at(w, row)->map);
    uint64_t begin = page;

    while (page < end) {
        struct piece piece = map_piece(w, &at, page, end);

        if (!state_asks(w, row, PGR_EVENT_WRITE, piece.state))
            break;
        page = piece_end(&piece);
    }
    return page - begin;
}

zx_status_t pages_want(const pgr_world *w, uint32_t row, uint32_t event, uint64_t page, uint64_t end,
                       const struct caps *caps, struct want *want)
{
    struct cursor at = cursor_on(&pages_at(w, row)->map);
    struct sight sight = pages_see(w, &at, row, page, end);

    if (sight.absent) {
        *want = (struct want){.kind = ZX_PAGER_VMO_READ, .page = sight.owner_page};
        want->count = min_u64(sight.piece.count, caps->read);
    } else if (sight.owner == row && state_asks(w, row, event, sight.piece.state)) {
        *want = (struct want){.kind = ZX_PAGER_VMO_DIRTY, .page = page};
        want->count = asking_run(w, row, page, page + min_u64(end - page, caps->dirty));
    } else {
        return ZX_OK;
    }
    want->source = pages_at(w, sight.owner)->source;
    if (!source_deaf(w, want->source))
        return ZX_OK;
    want->count = 0;
    return ZX_ERR_BAD_STATE;
}

/* --- preparing --- */

/* Pages of this piece that need a new frame; *parts counts the stretches in which they lie. */
static uint64_t piece_fresh(const pgr_world *w, const struct sight *sight, uint32_t row, uint64_t *parts)
{
    struct stretch rest = {sight->piece.frame, (uint32_t)sight->piece.count};
    uint64_t fresh = 0;

    if (!state_has_frame(sight->piece.state) || sight->owner != row)
        return sight->piece.count;
    while (rest.count > 0) {
        int shared;
        uint32_t count = frames_shared(w, rest, &shared);

        fresh += shared ? count : 0;
        *parts += 1;
        rest.frame += count;
        rest.count -= count;
    }
    return fresh;
}

uint64_t pages_scan(const pgr_world *w, uint32_t row, uint32_t event, uint64_t page, uint64_t end, struct need *need,
                    uint32_t *pins_max)
{
    struct cursor at = cursor_on(&pages_at(w, row)->map);
    uint64_t parts = 0;
    uint64_t fresh = 0;

    while (page < end) {
        struct sight sight = pages_see(w, &at, row, page, end);

        if (sight.absent || (sight.owner == row && state_asks(w, row, event, sight.piece.state)))
            break;
        fresh += piece_fresh(w, &sight, row, &parts);
        if (*pins_max < sight.piece.pins && sight.owner == row)
            *pins_max = sight.piece.pins;
        parts++;
        page = piece_end(&sight.piece);
    }
    need->frames += fresh;
    need->nodes += tree_growth(2 * parts + frames_stretches(w, fresh), parts);
    return page;
}

/*
 * New frames with what is seen there: for as many pages of the piece as get neighbours. What was shared loses a
 * holder.
 */
static void sight_give_frames(pgr_world *w, void *frames, struct sight *sight, uint32_t row)
{
    struct piece *piece = &sight->piece;
    struct stretch taken = frames_take(w, frames, piece->count);

    if (state_has_frame(piece->state)) {
        memcpy(frame_bytes(w, frames, taken.frame), frame_bytes(w, frames, piece->frame),
               (size_t)to_bytes(w, taken.count));
        if (sight->owner == row)
            frames_release(w, (struct stretch){piece->frame, taken.count});
    }
    piece->frame = taken.frame;
    piece->count = taken.count;
}

/* The state of a page that was prepared. Only the pages that a pager fills know more than that there is a frame. */
static uint8_t prepared_state(const pgr_world *w, const struct sight *sight, uint32_t row, uint32_t event)
{
    if (pages_at(w, row)->source == 0)
        return PGR_PAGE_ANONYMOUS;
    return (uint8_t)pgr_page_after(event, sight->piece.state);
}

void pages_prepare(pgr_world *w, void *frames, uint32_t row, uint32_t event, uint64_t page, uint64_t end, int pin)
{
    struct pages *pages = pages_at(w, row);
    struct cursor at = cursor_on(&pages->map);

    while (page < end) {
        struct sight sight = pages_see(w, &at, row, page, end);
        struct piece *piece = &sight.piece;
        uint8_t state = prepared_state(w, &sight, row, event);
        int fresh = sight.owner != row || !state_has_frame(piece->state);

        if (!fresh)
            piece->count = frames_shared(w, (struct stretch){piece->frame, (uint32_t)piece->count}, &fresh);
        if (fresh)
            sight_give_frames(w, frames, &sight, row);
        if (fresh || pin || state != piece->state) {
            struct run run = {.page = piece->page, .count = piece->count, .frame = piece->frame, .state = state};

            if (sight.owner == row) {
                run.pins = piece->pins;
                run.hint = piece->hint;
            }
            run.pins = (uint8_t)(run.pins + (pin ? 1 : 0));
            pages_put(w, pages, &at, &run);
        }
        page = piece_end(piece);
    }
}

/* --- copying --- */

/* The bytes [offset, offset + bytes) of a piece's pages, or null if they are zeros; `bytes` is cut to the piece. */
static char *piece_bytes(const pgr_world *w, void *frames, const struct piece *piece, uint64_t offset, uint64_t *bytes)
{
    uint64_t inside = offset - to_bytes(w, piece->page);

    *bytes = min_u64(*bytes, to_bytes(w, piece->count) - inside);
    if (!state_has_frame(piece->state))
        return NULL;
    return (char *)frame_bytes(w, frames, piece->frame) + inside;
}

char *pages_byte(const pgr_world *w, void *frames, uint32_t row, uint64_t offset)
{
    struct cursor at = cursor_on(&pages_at(w, row)->map);
    struct sight sight = pages_see(w, &at, row, to_page(w, offset), to_page(w, offset) + 1);
    uint64_t bytes = 1;

    return piece_bytes(w, frames, &sight.piece, offset, &bytes);
}

uint64_t pages_copy_out(const pgr_world *w, void *frames, uint32_t row, uint64_t begin, uint64_t end, void *buffer)
{
    struct cursor at = cursor_on(&pages_at(w, row)->map);
    uint64_t offset = begin;

    while (offset < end) {
        struct sight sight = pages_see(w, &at, row, to_page(w, offset), to_pages_up(w, end));
        uint64_t bytes = end - offset;
        const char *from = piece_bytes(w, frames, &sight.piece, offset, &bytes);

        if (sight.absent)
            break;
        if (from != NULL)
            memcpy((char *)buffer + (offset - begin), from, (size_t)bytes);
        else
            memset((char *)buffer + (offset - begin), 0, (size_t)bytes);
        offset += bytes;
    }
    return offset;
}

void pages_copy_in(pgr_world *w, void *frames, uint32_t row, uint64_t begin, uint64_t end, const void *buffer)
{
    struct cursor at = cursor_on(&pages_at(w, row)->map);
    uint64_t offset = begin;

    while (offset < end) {
        struct piece piece = map_piece(w, &at, to_page(w, offset), to_pages_up(w, end));
        uint64_t bytes = end - offset;
        char *to = piece_bytes(w, frames, &piece, offset, &bytes);

        PGR_ASSERT(to != NULL);
        if (buffer != NULL)
            memcpy(to, (const char *)buffer + (offset - begin), (size_t)bytes);
        else
            memset(to, 0, (size_t)bytes);
        offset += bytes;
    }
}
