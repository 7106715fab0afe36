/* Two implementations from inside: every VMO that a handle names, its sizes, counts and pages. See diff_pair.h. */
#include <inttypes.h>
#include <string.h>

#include "harness/diff_internal.h"
#include "harness/no_coverage.h"

NO_COVERAGE_BEGIN

/* Of each VMO the first pages are compared, and those where something changes, up to so many places. */
#define PAGES_AT_FIRST 64u
#define CHANGES_MAX 256u

/* A VMO that is being compared. */
struct looked_at {
    struct pair *pair;
    zx_handle_t first, second;
    uint64_t pages; /* its size */
};

static int counts(const struct looked_at *vmo, const char *what, uint64_t first, uint64_t second)
{
    if (first == second)
        return 0;
    return diff_note(vmo->pair, DIFF_INSIDE, what, "0x%" PRIx64 " against 0x%" PRIx64 " of the VMO 0x%x", first, second,
                     vmo->first);
}

static int page_numbers(const struct looked_at *vmo, uint64_t page, const char *what, uint32_t first, uint32_t second)
{
    if (first == second)
        return 0;
    return diff_note(vmo->pair, DIFF_INSIDE, what,
                     "%" PRIu32 " against %" PRIu32 " in page 0x%" PRIx64 " of the VMO 0x%x", first, second, page,
                     vmo->first);
}

static int page_bytes(const struct looked_at *vmo, uint64_t page, const uint8_t *first, const uint8_t *second)
{
    uint64_t at = 0;

    if ((first == NULL) != (second == NULL))
        return diff_note(vmo->pair, DIFF_INSIDE, "bytes", "page 0x%" PRIx64 " of the VMO 0x%x has some only in the %s",
                         page, vmo->first, first != NULL ? "first" : "second");
    if (first == NULL || memcmp(first, second, (size_t)1 << vmo->pair->config.page_shift) == 0)
        return 0;
    while (first[at] == second[at])
        at++;
    return diff_note(vmo->pair, DIFF_INSIDE, "bytes",
                     "0x%02x against 0x%02x at 0x%" PRIx64 " of page 0x%" PRIx64 " of the VMO 0x%x", first[at],
                     second[at], at, page, vmo->first);
}

/*
 * A page that the VMO does not have and one that it has as a zero marker are the same where no pager would be asked: there
 * a page that nobody has reads as zero, too. What is read is compared anyway.
 */
static int states(const struct looked_at *vmo, uint64_t page, const struct implementation_page *a,
                  const struct implementation_page *b)
{
    int is_bare_first = a->state == PGR_PAGE_NONE || a->state == PGR_PAGE_MARKER;
    int is_bare_second = b->state == PGR_PAGE_NONE || b->state == PGR_PAGE_MARKER;

    if (is_bare_first && is_bare_second && a->bytes != NULL && b->bytes != NULL)
        return 0;
    return page_numbers(vmo, page, "state", a->state, b->state);
}

static int look_at_page(const struct looked_at *vmo, uint64_t page)
{
    struct implementation *first = vmo->pair->first, *second = vmo->pair->second;
    struct implementation_page a, b;
    int has_first, has_second;

    if (page >= vmo->pages)
        return 0;
    has_first = first->page(first->self, vmo->first, page, &a);
    has_second = second->page(second->self, vmo->second, page, &b);
    if (page_numbers(vmo, page, "existence", has_first != 0, has_second != 0) || !has_first)
        return vmo->pair->is_found;
    return states(vmo, page, &a, &b) || page_numbers(vmo, page, "pins", a.pins, b.pins) ||
           page_numbers(vmo, page, "hint", a.hint, b.hint) ||
           page_numbers(vmo, page, "awaiting", a.awaiting != 0, b.awaiting != 0) ||
           page_bytes(vmo, page, a.bytes, b.bytes);
}

/* The pages on both sides of every place where something changes, as one of the two sees it. */
static int look_at_changes(const struct looked_at *vmo, struct implementation *witness, zx_handle_t handle)
{
    uint64_t page = 0;

    for (unsigned changes = 0; witness->next_change != NULL && changes < CHANGES_MAX; changes++) {
        page = witness->next_change(witness->self, handle, page);
        if (page >= vmo->pages)
            break;
        if (page >= PAGES_AT_FIRST && (look_at_page(vmo, page - 1) || look_at_page(vmo, page)))
            return 1;
    }
    return 0;
}

static int look_at_pages(const struct looked_at *vmo)
{
    for (uint64_t page = 0; page < vmo->pages && page < PAGES_AT_FIRST; page++)
        if (look_at_page(vmo, page))
            return 1;
    if (vmo->pages <= PAGES_AT_FIRST)
        return 0;
    return look_at_changes(vmo, vmo->pair->first, vmo->first) || look_at_changes(vmo, vmo->pair->second, vmo->second) ||
           look_at_page(vmo, vmo->pages - 1);
}

static int look_at_vmo(struct pair *pair, zx_handle_t handle, int *is_alive)
{
    struct looked_at vmo = {.pair = pair, .first = handle, .second = diff_names_second(&pair->names, handle)};
    struct implementation_vmo a, b;
    int has_second;

    *is_alive = pair->first->vmo(pair->first->self, vmo.first, &a);
    has_second = pair->second->vmo(pair->second->self, vmo.second, &b);
    if (counts(&vmo, "existence", *is_alive != 0, has_second != 0) || !*is_alive)
        return pair->is_found;
    vmo.pages = a.size_bytes >> pair->config.page_shift;
    return counts(&vmo, "size", a.size_bytes, b.size_bytes) ||
           counts(&vmo, "content size", a.content_size_bytes, b.content_size_bytes) ||
           counts(&vmo, "committed pages", a.committed_pages, b.committed_pages) ||
           counts(&vmo, "pins", a.pins, b.pins) || look_at_pages(&vmo);
}

static int can_look(const struct implementation *implementation)
{
    return implementation->vmo != NULL && implementation->page != NULL;
}

/* Handles that name no VMO, or no longer, are not looked at again. */
int diff_look(struct pair *pair)
{
    struct diff_names *names = &pair->names;
    uint32_t kept = 0;

    if (pair->is_found || !can_look(pair->first) || !can_look(pair->second))
        return pair->is_found;
    for (uint32_t i = 0; i < names->handle_count; i++) {
        zx_handle_t handle = names->handles[i];
        int is_alive;
        if (look_at_vmo(pair, handle, &is_alive))
            return 1;
        if (is_alive)
            names->handles[kept++] = handle;
    }
    names->handle_count = kept;
    return 0;
}

NO_COVERAGE_END
