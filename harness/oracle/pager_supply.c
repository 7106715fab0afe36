/*
 * zx_pager_supply_pages (supply.md).
 */
#include "harness/oracle/oracle_pages.h"
#include "harness/oracle/oracle_pager.h"

/* A supply under way; places and lengths in pages. */
struct supply {
    struct oracle_vmo *vmo;
    struct oracle_vmo *aux;
    uint64_t first;
    uint64_t count;
    uint64_t aux_first;
};

/* --- checks --- */

/* What another reference or a slice still shows the pages of is no plain VMO, even if its owner is gone. */
static bool another_vmo_has_its_pages(struct oracle *o, const struct oracle_vmo *aux)
{
    for (size_t i = 0; i < o->objects.count; i++) {
        const struct oracle_vmo *other = o->objects.items[i];
        if (other->object.kind == PGR_OBJECT_VMO && other != aux && other->pages == aux->pages)
            return !aux->slice;
    }
    return false;
}

/* Rows 6 to 10: a reference that may not be an aux is refused with the kinds, row 8. */
static zx_status_t check_aux(struct oracle *o, const struct oracle_vmo *aux, uint64_t offset, uint64_t length)
{
    const struct oracle_pages *pages = aux->pages;
    if (pages->physical)
        return ZX_ERR_NOT_SUPPORTED; /* row 6 */
    if (pages->contiguous)
        return ZX_ERR_NOT_SUPPORTED; /* row 7 */
    if (oracle_vmo_children(o, aux) > 0 || aux->reference || another_vmo_has_its_pages(o, aux))
        return ZX_ERR_BAD_STATE; /* row 8 */
    if (!oracle_in_range(offset, length, oracle_vmo_size(o, aux)))
        return ZX_ERR_OUT_OF_RANGE; /* row 9 */
    uint64_t first = oracle_vmo_first(aux) + offset / o->page_bytes;
    if (oracle_any_pinned(pages, first, first + length / o->page_bytes))
        return ZX_ERR_BAD_STATE; /* row 10 */
    if (pages->parent || oracle_has_relatives(o, pages) || aux->slice || pages->source)
        return ZX_ERR_BAD_STATE;
    return ZX_OK;
}

/* Rows 12 and 13. */
static zx_status_t check_destination(struct oracle *o, const struct oracle_vmo *vmo, uint64_t offset, uint64_t length)
{
    if (!oracle_in_range(offset, length, oracle_vmo_size(o, vmo)))
        return ZX_ERR_OUT_OF_RANGE;
    return vmo->pages->source->detached ? ZX_ERR_BAD_STATE : ZX_OK;
}

/* --- page by page --- */

/* The next run of pages from *page on that are absent: [*page, *end). False: there is none. */
static bool next_absent_run(const struct supply *s, uint64_t *page, uint64_t *end)
{
    uint64_t limit = s->first + s->count;
    while (*page < limit) {
        struct oracle_seen seen = oracle_see(s->vmo->pages, *page, limit - *page);
        *end = *page + seen.count;
        if (seen.kind == ORACLE_SEES_ABSENT)
            return true;
        *page = *end;
    }
    return false;
}

/* A committed aux page moves in as a clean page; an uncommitted one makes a zero marker. */
static void fill_run(struct oracle *o, const struct supply *s, uint64_t page, uint64_t end)
{
    (void)o;
    while (page < end) {
        struct oracle_pages *aux = s->aux->pages;
        uint64_t aux_page = s->aux_first + (page - s->first);
        struct oracle_seen seen = oracle_see(aux, aux_page, end - page);
        if (seen.kind == ORACLE_SEES_FRAME) {
            oracle_record_add(s->vmo->pages, page, 1, PGR_PAGE_CLEAN, seen.record->frame);
            seen.record->frame->holders++; /* the aux page goes when the aux range is decommitted */
        } else {
            oracle_record_add(s->vmo->pages, page, seen.count, PGR_PAGE_MARKER, NULL);
        }
        page += seen.count;
    }
}

/* trace-format.md: a supply counts one allocation for each newly filled run. */
static bool any_allocation_fails(struct oracle *o, const struct supply *s)
{
    uint64_t end;
    for (uint64_t page = s->first; next_absent_run(s, &page, &end); page = end) {
        if (oracle_alloc_fails(o))
            return true;
    }
    return false;
}

/* Fills run by run, ascending; each is reported as resolved. `counting`: the first allocation that fails ends it. */
static zx_status_t fill(struct oracle *o, const struct supply *s, bool counting)
{
    uint64_t end;
    for (uint64_t page = s->first; next_absent_run(s, &page, &end); page = end) {
        if (counting && oracle_alloc_fails(o))
            return ZX_ERR_NO_MEMORY;
        fill_run(o, s, page, end);
        oracle_resolve(o, s->vmo->pages->source, ZX_PAGER_VMO_READ, page, end);
    }
    return ZX_OK;
}

static void decommit_aux(struct oracle *o, const struct supply *s)
{
    oracle_records_clear(o, s->aux->pages, s->aux_first, s->aux_first + s->count);
}

/* Check, reserve, then commit: a supply that fails has touched nothing. */
static zx_status_t supply_or_nothing(struct oracle *o, const struct supply *s, zx_status_t destination)
{
    if (destination != ZX_OK)
        return destination;
    if (any_allocation_fails(o, s))
        return ZX_ERR_NO_MEMORY; /* row 14 */
    fill(o, s, false);
    decommit_aux(o, s);
    return ZX_OK;
}

/* Option supply_failure decommitted: rows 12 to 14 fail after the pages have been taken out of aux. */
static zx_status_t supply_as_kernel(struct oracle *o, const struct supply *s, zx_status_t destination)
{
    zx_status_t status = destination == ZX_OK ? fill(o, s, true) : destination;
    decommit_aux(o, s);
    return status;
}

zx_status_t oracle_zx_pager_supply_pages(struct oracle *o, struct oracle_thread *t, const pgr_call *call,
                                         pgr_result *result)
{
    (void)t;
    (void)result;
    uint64_t offset = call->arg[2];
    uint64_t length = call->arg[3];
    uint64_t aux_offset = call->arg[5];
    struct supply s = {.first = offset / o->page_bytes, .count = length / o->page_bytes};
    if (!oracle_aligned(o, offset) || !oracle_aligned(o, length) || !oracle_aligned(o, aux_offset))
        return ZX_ERR_INVALID_ARGS; /* row 1 */
    zx_status_t status = oracle_pager_and_vmo(o, (zx_handle_t)call->arg[0], ZX_RIGHT_MANAGE_VMO,
                                              (zx_handle_t)call->arg[1], ZX_RIGHT_WRITE, &s.vmo); /* rows 2 to 4 */
    if (status == ZX_OK)
        status = oracle_handle_get(o, (zx_handle_t)call->arg[4], PGR_OBJECT_VMO, ZX_RIGHT_WRITE, &s.aux); /* row 5 */
    if (status == ZX_OK)
        status = check_aux(o, s.aux, aux_offset, length);
    if (status != ZX_OK || length == 0)
        return status; /* row 11 */
    s.aux_first = oracle_vmo_first(s.aux) + aux_offset / o->page_bytes;
    status = check_destination(o, s.vmo, offset, length);
    if (o->config.options & PGR_OPTION_SUPPLY_DECOMMITS)
        return supply_as_kernel(o, &s, status);
    return supply_or_nothing(o, &s, status);
}
