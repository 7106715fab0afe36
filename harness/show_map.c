/*
 * The map of a VMO in pieces of pages that look alike, and how each look is written.
 */
#include "harness/show.h"

#include <ctype.h>
#include <inttypes.h>
#include <string.h>

const struct show_look show_looks[SHOW_STATE_COUNT] = {
    [SHOW_ABSENT] = {'.', "absent", "nobody has it: it reads as zero, or the pager is asked", "2"},
    [SHOW_PARENT] = {'^', "parent's", "seen in a parent", "36"},
    [SHOW_ANONYMOUS] = {'A', "anonymous", "a page of its own, without a pager", "34"},
    [SHOW_CLEAN] = {'C', "clean", "as the pager supplied it", "32"},
    [SHOW_MARKER] = {'M', "marker", "known to be zero, clean, without a frame", "32"},
    [SHOW_DIRTY] = {'D', "dirty", "written since", "31"},
    [SHOW_AWAITING] = {'W', "awaiting clean", "being written back", "35"},
    [SHOW_INTERVAL] = {'Z', "zero interval", "dirty zeros, without a frame", "33"},
    [SHOW_INTERVAL_AWAITING] = {'Y', "zero interval awaiting clean", "dirty zeros, being written back", "35"},
    [SHOW_PHYSICAL] = {'P', "physical", "of a device, not a frame", "36"},
};

/* clang-format off */
static const uint8_t states[PGR_PAGE_STATE_COUNT] = {
    [PGR_PAGE_ANONYMOUS] = SHOW_ANONYMOUS,
    [PGR_PAGE_CLEAN] = SHOW_CLEAN,
    [PGR_PAGE_DIRTY] = SHOW_DIRTY,
    [PGR_PAGE_AWAITING_CLEAN] = SHOW_AWAITING,
    [PGR_PAGE_MARKER] = SHOW_MARKER,
    [PGR_PAGE_INTERVAL] = SHOW_INTERVAL,
};
/* clang-format on */

void show_piece_text(const struct show_piece *piece, char text[SHOW_PIECE_TEXT_MAX])
{
    char letter = show_looks[piece->state].letter;

    if (piece->pins != 0)
        letter = (char)tolower((unsigned char)letter);
    if (piece->count > SHOW_ROW_MAX) {
        snprintf(text, SHOW_PIECE_TEXT_MAX, "%c*%" PRIu64, letter, piece->count);
        return;
    }
    memset(text, letter, piece->count);
    text[piece->count] = '\0';
}

static uint64_t smaller(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/*
 * Whether a page that these pages do not have is seen in one of their parents; `count` shrinks to as many pages as
 * share the answer. Each step up looks at one run.
 */
static int seen_in_parent(const pgr_world *world, uint32_t pages, uint64_t page, uint64_t *count)
{
    pgr_object_view view;
    pgr_run_view run;

    while (pgr_inspect_object(world, pages, &view) && view.pages.parent != 0 && page < view.pages.parent_limit_pages) {
        *count = smaller(*count, view.pages.parent_limit_pages - page);
        page += view.pages.parent_offset_pages;
        pages = view.pages.parent;
        if (!pgr_inspect_run(world, pages, page, &run))
            continue;
        if (run.page <= page) {
            *count = smaller(*count, run.page + run.count - page);
            return 1;
        }
        *count = smaller(*count, run.page - page);
    }
    return 0;
}

/* Of an interval so many pages from its first on are being written back: the piece ends where that ends. */
static void cut_interval(const pgr_run_view *run, struct show_piece *piece)
{
    uint64_t into = piece->page - run->page;

    if (run->state != PGR_PAGE_INTERVAL || into >= run->awaiting)
        return;
    piece->state = SHOW_INTERVAL_AWAITING;
    piece->count = smaller(piece->count, run->awaiting - into);
}

/* What stands at this page, and as far behind it as it goes on, up to `end`. */
static struct show_piece piece_at(const pgr_world *world, uint32_t pages, uint64_t page, uint64_t end)
{
    struct show_piece piece = {.page = page, .count = end - page};
    pgr_run_view run;

    if (!pgr_inspect_run(world, pages, page, &run))
        run = (pgr_run_view){.page = end};
    if (run.page > page) {
        piece.count = smaller(piece.count, run.page - page);
        piece.state = seen_in_parent(world, pages, page, &piece.count) ? SHOW_PARENT : SHOW_ABSENT;
        return piece;
    }
    piece.count = smaller(piece.count, run.page + run.count - page);
    piece.state = states[run.state];
    piece.pins = run.pins;
    piece.hint = run.hint;
    cut_interval(&run, &piece);
    return piece;
}

static int is_alike(const struct show_piece *a, const struct show_piece *b)
{
    return a->state == b->state && a->pins == b->pins && a->hint == b->hint;
}

static int is_physical(const pgr_world *world, uint32_t pages)
{
    pgr_object_view view;

    return pgr_inspect_object(world, pages, &view) && (view.flags & PGR_PAGES_PHYSICAL);
}

void show_map(const pgr_world *world, const struct show_window *window,
              void (*take)(void *context, const struct show_piece *piece), void *context)
{
    uint64_t end = window->offset_pages + window->size_pages;
    struct show_piece last = {0};

    if (is_physical(world, window->pages)) {
        take(context, &(struct show_piece){.count = window->size_pages, .state = SHOW_PHYSICAL});
        return;
    }
    for (uint64_t page = window->offset_pages; page < end;) {
        struct show_piece piece = piece_at(world, window->pages, page, end);
        page += piece.count;
        piece.page -= window->offset_pages;
        if (last.count != 0 && is_alike(&last, &piece)) {
            last.count += piece.count;
            continue;
        }
        if (last.count != 0)
            take(context, &last);
        last = piece;
    }
    if (last.count != 0)
        take(context, &last);
}
