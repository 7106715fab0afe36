/*
 * What the pages behind VMOs do when they are used: find what a page holds, ask the pager for it, give it a frame of its own, copy bytes.
 *
 * Every use goes the same way: pages_scan says how far the pages are ready and what preparing them takes, the step reserves that, and
 * pages_prepare, which cannot fail, does it. Snapshots share frames; a page whose frame somebody else holds, too, is given a copy when it is
 * committed or written.
 */
#include "pgr_internal.h"

struct window vmo_window(const pgr_world *w, uint32_t row)
{
    const struct vmo *vmo = vmo_at(w, row);

    if ((object_at(w, row)->flags & PGR_VMO_SLICE) != 0)
        return (struct window){vmo->pages, vmo->offset_pages, vmo->size_pages};
    return (struct window){vmo->pages, 0, pages_at(w, vmo->pages)->size_pages};
}

int vmo_is_physical(const pgr_world *w, uint32_t vmo)
{
    return (object_at(w, vmo_at(w, vmo)->pages)->flags & PGR_PAGES_PHYSICAL) != 0;
}

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

zx_status_t pages_want(const pgr_world *w, uint32_t row, uint64_t page, uint64_t most, struct want *want)
{
    const struct pages *pages = pages_at(w, row);
    struct cursor at = cursor_on(&pages->map);
    struct piece absent = map_piece(w, &at, page, min_u64(pages->size_pages, page + most));

    if (source_deaf(w, pages->source))
        return ZX_ERR_BAD_STATE;
    *want = (struct want){.source = pages->source, .kind = ZX_PAGER_VMO_READ, .page = page, .count = absent.count};
    return ZX_OK;
}

/* --- preparing --- */

/*
 * What becomes of a page that is used, by state before:
 *
 *                  commit            write
 *   none           anonymous         anonymous     no pager to ask: the page reads as zeros, and gets a frame
 *   anonymous      anonymous         anonymous
 *   clean          clean             dirty
 *   dirty          dirty             dirty
 *   awaiting clean awaiting clean    dirty
 *   marker         clean             dirty
 *   interval       dirty             dirty         the kernel made these zeros: they are dirty already
 */
static uint8_t state_after(enum use use, uint8_t state)
{
    static const uint8_t after[2][PGR_PAGE_STATE_COUNT] = {
        {PGR_PAGE_ANONYMOUS, PGR_PAGE_ANONYMOUS, PGR_PAGE_CLEAN, PGR_PAGE_DIRTY, PGR_PAGE_AWAITING_CLEAN, PGR_PAGE_CLEAN,
         PGR_PAGE_DIRTY},
        {PGR_PAGE_ANONYMOUS, PGR_PAGE_ANONYMOUS, PGR_PAGE_DIRTY, PGR_PAGE_DIRTY, PGR_PAGE_DIRTY, PGR_PAGE_DIRTY, PGR_PAGE_DIRTY},
    };

    return after[use == USE_WRITE][state];
}

/* Pages of this piece that need a new frame; *parts counts the stretches in which they lie. */
static uint64_t piece_fresh(const pgr_world *w, const struct piece *piece, uint64_t *parts)
{
    struct stretch rest = {piece->frame, (uint32_t)piece->count};
    uint64_t fresh = 0;

    if (!state_has_frame(piece->state))
        return piece->count;
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

uint64_t pages_scan(const pgr_world *w, uint32_t row, uint64_t page, uint64_t end, struct need *need, uint32_t *pins_max)
{
    const struct pages *pages = pages_at(w, row);
    struct cursor at = cursor_on(&pages->map);
    uint64_t parts = 0;
    uint64_t fresh = 0;

    while (page < end) {
        struct piece piece = map_piece(w, &at, page, end);

        if (piece_absent(pages, &piece))
            break;
        fresh += piece_fresh(w, &piece, &parts);
        if (*pins_max < piece.pins)
            *pins_max = piece.pins;
        parts++;
        page = piece_end(&piece);
    }
    need->frames += fresh;
    need->nodes += tree_growth(2 * parts + frames_stretches(w, fresh), parts);
    return page;
}

/* A frame of its own for a page that shares one or has none: frames for as many pages of the piece as are neighbours. */
static void piece_give_frames(pgr_world *w, void *frames, struct piece *piece)
{
    struct stretch taken = frames_take(w, frames, piece->count);

    if (state_has_frame(piece->state)) {
        memcpy(frame_bytes(w, frames, taken.frame), frame_bytes(w, frames, piece->frame), (size_t)to_bytes(w, taken.count));
        frames_release(w, (struct stretch){piece->frame, taken.count});
    }
    piece->frame = taken.frame;
    piece->count = taken.count;
}

void pages_prepare(pgr_world *w, void *frames, uint32_t row, enum use use, uint64_t page, uint64_t end, int pin)
{
    struct pages *pages = pages_at(w, row);
    struct cursor at = cursor_on(&pages->map);

    while (page < end) {
        struct piece piece = map_piece(w, &at, page, end);
        uint8_t state = state_after(use, piece.state);
        int fresh = !state_has_frame(piece.state);
        struct run run;

        if (!fresh)
            piece.count = frames_shared(w, (struct stretch){piece.frame, (uint32_t)piece.count}, &fresh);
        if (fresh)
            piece_give_frames(w, frames, &piece);
        if (fresh || pin || state != piece.state) {
            piece.state = state;
            piece.pins = (uint8_t)(piece.pins + (pin ? 1 : 0));
            run = run_of_piece(&piece);
            pages_put(w, pages, &at, &run);
        }
        page = piece_end(&piece);
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

uint64_t pages_copy_out(const pgr_world *w, void *frames, uint32_t row, uint64_t begin, uint64_t end, void *buffer)
{
    const struct pages *pages = pages_at(w, row);
    struct cursor at = cursor_on(&pages->map);
    uint64_t offset = begin;

    while (offset < end) {
        struct piece piece = map_piece(w, &at, to_page(w, offset), to_pages_up(w, end));
        uint64_t bytes = end - offset;
        const char *from = piece_bytes(w, frames, &piece, offset, &bytes);

        if (piece_absent(pages, &piece))
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

        if (buffer != NULL)
            memcpy(to, (const char *)buffer + (offset - begin), (size_t)bytes);
        else
            memset(to, 0, (size_t)bytes);
        offset += bytes;
    }
}
