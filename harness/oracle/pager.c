/*
 * Pagers and their VMOs: made, detached, closed (pager.md), and the queries.
 */
#include "harness/oracle/oracle_pages.h"
#include "harness/oracle/oracle_pager.h"

#define PAGER_RIGHTS (ZX_RIGHT_TRANSFER | ZX_RIGHT_INSPECT | ZX_RIGHT_ATTACH_VMO | ZX_RIGHT_MANAGE_VMO) /* objects.md */

/* 2 */
zx_status_t oracle_zx_pager_create(struct oracle *o, struct oracle_thread *t, const pgr_call *call, pgr_result *result)
{
    (void)t;
    if ((uint32_t)call->arg[0] != 0)
        return ZX_ERR_INVALID_ARGS; /* row 2 */
    if (oracle_handles_full(o) || oracle_alloc_fails(o))
        return ZX_ERR_NO_MEMORY; /* row 3 */
    struct oracle_pager *pager = oracle_object_make(o, PGR_OBJECT_PAGER, sizeof(*pager));
    result->out[1] = oracle_handle_make(o, pager, PAGER_RIGHTS);
    return ZX_OK;
}

/* Rows 6 to 8. */
static zx_status_t check_vmo_options(const struct oracle *o, uint32_t options, uint64_t size)
{
    if (options & ~(ZX_VMO_RESIZABLE | ZX_VMO_TRAP_DIRTY))
        return ZX_ERR_INVALID_ARGS; /* rows 6, 7 */
    if (oracle_page_up(o, size) < size || oracle_size_too_large(o, oracle_page_up(o, size)))
        return ZX_ERR_OUT_OF_RANGE; /* row 8 */
    return ZX_OK;
}

static struct oracle_vmo *make_pager_vmo(struct oracle *o, struct oracle_pager *pager, struct oracle_port *port,
                                         const pgr_call *call)
{
    struct oracle_vmo *vmo = oracle_vmo_make(o, oracle_page_up(o, call->arg[4]) / o->page_bytes, call->arg[4]);
    struct oracle_source *source = oracle_object_make(o, PGR_OBJECT_SOURCE, sizeof(*source));
    vmo->from_pager = true;
    vmo->pages->resizable = (uint32_t)call->arg[1] & ZX_VMO_RESIZABLE;
    vmo->pages->trap_dirty = (uint32_t)call->arg[1] & ZX_VMO_TRAP_DIRTY;
    vmo->pages->source = source;
    source->pages = vmo->pages;
    source->pager = pager;
    source->pager_koid = pager->object.koid;
    source->port = port;
    source->key = call->arg[3];
    return vmo;
}

zx_status_t oracle_zx_pager_create_vmo(struct oracle *o, struct oracle_thread *t, const pgr_call *call,
                                       pgr_result *result)
{
    (void)t;
    struct oracle_pager *pager;
    struct oracle_port *port;
    zx_status_t status =
        oracle_handle_get(o, (zx_handle_t)call->arg[0], PGR_OBJECT_PAGER, ZX_RIGHT_ATTACH_VMO, &pager); /* row 2 */
    if (status == ZX_OK)
        status = oracle_handle_get(o, (zx_handle_t)call->arg[2], PGR_OBJECT_PORT, ZX_RIGHT_WRITE, &port); /* row 3 */
    if (status == ZX_OK)
        status = check_vmo_options(o, (uint32_t)call->arg[1], call->arg[4]);
    if (status != ZX_OK)
        return status;
    if (oracle_handles_full(o) || oracle_alloc_fails(o))
        return ZX_ERR_NO_MEMORY; /* rows 5, 9 */
    struct oracle_vmo *vmo = make_pager_vmo(o, pager, port, call);
    zx_rights_t rights = ZX_RIGHTS_BASIC | ZX_RIGHTS_IO | ZX_RIGHTS_PROPERTY | ZX_RIGHT_MAP | ZX_RIGHT_SIGNAL;
    if (vmo->pages->resizable)
        rights |= ZX_RIGHT_RESIZE;
    result->out[5] = oracle_handle_make(o, vmo, rights);
    return ZX_OK;
}

/* The "belongs to" check: the VMO object that the pager made, not a child of any kind. */
static bool belongs_to(const struct oracle_vmo *vmo, const struct oracle_pager *pager)
{
    return vmo->from_pager && vmo->pages->source->pager_koid == pager->object.koid;
}

zx_status_t oracle_pager_and_vmo(struct oracle *o, zx_handle_t pager_handle, zx_rights_t pager_rights,
                                 zx_handle_t vmo_handle, zx_rights_t vmo_rights, struct oracle_vmo **vmo)
{
    struct oracle_pager *pager;
    zx_status_t status = oracle_handle_get(o, pager_handle, PGR_OBJECT_PAGER, pager_rights, &pager);
    if (status == ZX_OK)
        status = oracle_handle_get(o, vmo_handle, PGR_OBJECT_VMO, vmo_rights, vmo);
    if (status == ZX_OK && !belongs_to(*vmo, pager))
        status = ZX_ERR_INVALID_ARGS;
    return status;
}

/* 4, effect 5: every clean page and every zero marker becomes absent; a pinned clean page is kept. */
static void drop_clean(struct oracle *o, struct oracle_pages *pages)
{
    for (size_t i = 0; i < pages->page_count;) {
        const struct oracle_page *record = &pages->page[i];
        bool clean = record->state == PGR_PAGE_CLEAN || record->state == PGR_PAGE_MARKER;
        if (clean && record->pins == 0)
            oracle_records_clear(o, pages, record->first, record->first + record->count);
        else
            i++;
    }
}

/* 4: effects in order. Effect 4, translations, is nothing here. */
zx_status_t oracle_zx_pager_detach_vmo(struct oracle *o, struct oracle_thread *t, const pgr_call *call,
                                       pgr_result *result)
{
    (void)t;
    (void)result;
    struct oracle_vmo *vmo;
    zx_status_t status = oracle_pager_and_vmo(o, (zx_handle_t)call->arg[0], ZX_RIGHT_ATTACH_VMO | ZX_RIGHT_MANAGE_VMO,
                                              (zx_handle_t)call->arg[1], ZX_RIGHT_WRITE, &vmo);
    if (status != ZX_OK)
        return status;
    vmo->pages->source->detached = true;
    oracle_requests_end(o, vmo->pages->source);
    oracle_source_complete(o, vmo->pages->source);
    drop_clean(o, vmo->pages);
    return ZX_OK;
}

/* Every queued packet is removed, also an unread COMPLETE; all requests end with ZX_OK; all content is kept. */
static void close_source(struct oracle *o, struct oracle_source *source)
{
    source->closed = true;
    source->pager = NULL;
    oracle_requests_end(o, source);
    if (source->packet) {
        oracle_port_withdraw(o, source->packet);
        source->packet = NULL;
    }
    oracle_unreferenced(o, &source->object);
}

/* VMOs in order of creation (README.md). */
void oracle_pager_closed(struct oracle *o, struct oracle_pager *pager)
{
    for (size_t i = 0; i < o->objects.count;) {
        struct oracle_source *source = o->objects.items[i];
        if (source->object.kind != PGR_OBJECT_SOURCE || source->pager != pager) {
            i++;
            continue;
        }
        close_source(o, source);
        i = 0;
    }
}

/* --- 7: zx_pager_query_dirty_ranges --- */

static bool is_dirty(const struct oracle_page *record)
{
    return record->state == PGR_PAGE_DIRTY || record->state == PGR_PAGE_AWAITING_CLEAN ||
           record->state == PGR_PAGE_INTERVAL;
}

/* "A maximal run of adjacent pages that are dirty or awaiting clean; or a zero interval"; clipped to [first, end). */
static bool next_dirty_range(const struct oracle *o, const struct oracle_pages *pages, uint64_t *first, uint64_t end,
                             zx_vmo_dirty_range_t *range)
{
    size_t i = *first < end ? oracle_record_index(pages, *first) : pages->page_count;
    while (i < pages->page_count && pages->page[i].first < end && !is_dirty(&pages->page[i]))
        i++;
    if (i == pages->page_count || pages->page[i].first >= end)
        return false;
    const struct oracle_page *record = &pages->page[i];
    uint64_t from = oracle_max(record->first, *first);
    uint64_t to = record->first + record->count;
    bool zero = record->state == PGR_PAGE_INTERVAL;
    while (!zero && ++i < pages->page_count && pages->page[i].first == to && is_dirty(&pages->page[i]) &&
           pages->page[i].frame)
        to++;
    to = oracle_min(to, end);
    *range = (zx_vmo_dirty_range_t){.offset = from * o->page_bytes,
                                    .length = (to - from) * o->page_bytes,
                                    .options = zero ? ZX_VMO_DIRTY_RANGE_IS_ZERO : 0};
    *first = to;
    return true;
}

zx_status_t oracle_zx_pager_query_dirty_ranges(struct oracle *o, struct oracle_thread *t, const pgr_call *call,
                                               pgr_result *result)
{
    (void)t;
    uint64_t offset = call->arg[2];
    uint64_t length = call->arg[3];
    struct oracle_vmo *vmo;
    zx_status_t status = oracle_pager_and_vmo(o, (zx_handle_t)call->arg[0], ZX_RIGHT_MANAGE_VMO,
                                              (zx_handle_t)call->arg[1], ZX_RIGHT_READ, &vmo);
    if (status != ZX_OK)
        return status; /* rows 1 to 3 */
    if (!oracle_in_range(offset, length, oracle_vmo_size(o, vmo)))
        return ZX_ERR_OUT_OF_RANGE; /* row 4 */
    uint64_t first = offset / o->page_bytes;
    uint64_t end = length == 0 ? first : (offset + length - 1) / o->page_bytes + 1;
    zx_vmo_dirty_range_t *ranges = call->buffer;
    uint64_t capacity = call->arg[5];
    uint64_t found = 0;
    zx_vmo_dirty_range_t range;
    for (; next_dirty_range(o, vmo->pages, &first, end, &range); found++) {
        if (found >= capacity)
            continue;
        if (!ranges || (found + 1) * sizeof(range) > call->buffer_bytes)
            return ZX_ERR_INVALID_ARGS; /* row 5 */
        ranges[found] = range;
    }
    result->count = (uint32_t)oracle_min(found, capacity);
    result->out[6] = result->count;
    result->out[7] = found;
    return ZX_OK;
}

/* --- 8: zx_pager_query_vmo_stats --- */

zx_status_t oracle_zx_pager_query_vmo_stats(struct oracle *o, struct oracle_thread *t, const pgr_call *call,
                                            pgr_result *result)
{
    (void)t;
    uint32_t options = (uint32_t)call->arg[2];
    struct oracle_vmo *vmo;
    zx_status_t status = oracle_pager_and_vmo(o, (zx_handle_t)call->arg[0], ZX_RIGHT_MANAGE_VMO,
                                              (zx_handle_t)call->arg[1], ZX_RIGHT_READ, &vmo);
    if (status != ZX_OK)
        return status; /* rows 1 to 3 */
    if (options & ~ZX_PAGER_RESET_VMO_STATS)
        return ZX_ERR_INVALID_ARGS; /* row 5 */
    result->stats.modified = vmo->pages->modified ? ZX_PAGER_VMO_STATS_MODIFIED : 0;
    if (options & ZX_PAGER_RESET_VMO_STATS)
        vmo->pages->modified = false;
    return ZX_OK;
}
