/*
 * Sizes: zx_vmo_set_size, content sizes (vmo.md).
 */
#include "harness/oracle/oracle_pages.h"

/* --- the resize itself --- */

/*
 * vmo.md: absent stretches of the cut range are reported to READ requests, non-dirty and absent ones to DIRTY.
 */
static void resolve_cut(struct oracle *o, struct oracle_pages *pages, uint64_t first, uint64_t end)
{
    for (uint64_t page = first; page < end;) {
        struct oracle_seen seen = oracle_see(pages, page, end - page);
        if (seen.kind == ORACLE_SEES_ABSENT)
            oracle_resolve(o, pages->source, ZX_PAGER_VMO_READ, page, page + seen.count);
        page += seen.count;
    }
    for (uint64_t page = first; page < end && pages->trap_dirty;) {
        struct oracle_seen seen = oracle_see(pages, page, end - page);
        if (!seen.record || seen.record->state != PGR_PAGE_DIRTY)
            oracle_resolve(o, pages->source, ZX_PAGER_VMO_DIRTY, page, page + seen.count);
        page += seen.count;
    }
}

/* children.md: the view of each child ends at the parent's new end, for ever. */
static void clamp_children(struct oracle *o, struct oracle_pages *pages, uint64_t size)
{
    for (size_t i = 0; i < o->objects.count; i++) {
        struct oracle_pages *child = o->objects.items[i];
        if (child->object.kind != PGR_OBJECT_PAGES || child->parent != pages)
            continue;
        uint64_t seen = size > child->parent_first ? size - child->parent_first : 0;
        child->parent_limit = oracle_min(child->parent_limit, seen);
    }
}

/* `size` is in pages. */
static void resize(struct oracle *o, struct oracle_pages *pages, uint64_t size)
{
    uint64_t old = pages->size;
    if (size < old) {
        if (pages->source)
            resolve_cut(o, pages, size, old);
        oracle_records_clear(o, pages, size, old);
        clamp_children(o, pages, size);
        pages->parent_limit = oracle_min(pages->parent_limit, size);
    }
    pages->size = size;
    if (size > old && pages->source)
        oracle_interval_add(pages, old, size); /* growing: a dirty zero interval */
}

/* --- zx_vmo_set_size --- */

static zx_status_t check_set_size(struct oracle *o, const struct oracle_vmo *vmo, zx_rights_t rights, uint64_t size)
{
    const struct oracle_pages *pages = vmo->pages;
    if (oracle_vmo_resizable(vmo) && !(rights & ZX_RIGHT_RESIZE))
        return ZX_ERR_ACCESS_DENIED; /* row 2 */
    if (oracle_page_up(o, size) < size)
        return ZX_ERR_OUT_OF_RANGE; /* row 3 */
    if (pages->physical)
        return ZX_ERR_NOT_SUPPORTED; /* row 4 */
    if (!oracle_vmo_resizable(vmo))
        return ZX_ERR_UNAVAILABLE; /* row 5 */
    if (oracle_size_too_large(o, oracle_page_up(o, size)))
        return ZX_ERR_OUT_OF_RANGE; /* row 6 */
    uint64_t count = oracle_page_up(o, size) / o->page_bytes;
    if (oracle_any_pinned(pages, count, UINT64_MAX))
        return ZX_ERR_BAD_STATE; /* row 7 */
    uint64_t root = pages->root_first * o->page_bytes;
    if (count > pages->size && root + oracle_page_up(o, size) < root)
        return ZX_ERR_INVALID_ARGS; /* row 8 */
    return ZX_OK;
}

/* The bytes from the new size to the end of its page are zeroed; how that ends is ignored. */
zx_status_t oracle_go_vmo_set_size(struct oracle *o, struct oracle_thread *t, const pgr_call *call, pgr_result *result)
{
    (void)result;
    uint64_t size = call->arg[1];
    zx_status_t status = oracle_zero(o, t, t->vmo, size, oracle_page_up(o, size) - size);
    return status == ORACLE_WAIT ? status : ZX_OK;
}

zx_status_t oracle_zx_vmo_set_size(struct oracle *o, struct oracle_thread *t, const pgr_call *call, pgr_result *result)
{
    uint64_t size = call->arg[1];
    zx_handle_t handle = (zx_handle_t)call->arg[0];
    zx_status_t status = oracle_handle_get(o, handle, PGR_OBJECT_VMO, ZX_RIGHT_WRITE, &t->vmo);
    if (status != ZX_OK)
        return status; /* row 1 */
    status = check_set_size(o, t->vmo, oracle_handle_rights(o, handle), size);
    if (status != ZX_OK)
        return status;
    oracle_hold(t, t->vmo);
    resize(o, t->vmo->pages, oracle_page_up(o, size) / o->page_bytes);
    oracle_vmo_set_content_size(t->vmo, size);
    oracle_vmo_modified(t->vmo);
    oracle_op_begin(t);
    return oracle_go_vmo_set_size(o, t, call, result);
}

/*
 * --- content size: the property (failures of the zeroing are ignored; it has its new value at once), and the stream
 * size (they are returned, and it keeps its old one) ---
 */

zx_status_t oracle_set_content_size(struct oracle *o, struct oracle_thread *t, struct oracle_vmo *vmo, uint64_t size)
{
    if (t->op_end == 0) {
        t->op_end = oracle_vmo_size(o, vmo); /* zeroed up to the size that the VMO had at first */
        oracle_vmo_set_content_size(vmo, size);
    }
    if (size < t->op_end && !vmo->pages->physical) {
        zx_status_t status = oracle_zero(o, t, vmo, size, t->op_end - size);
        if (status == ORACLE_WAIT)
            return status;
    }
    return ZX_OK;
}

zx_status_t oracle_go_vmo_set_stream_size(struct oracle *o, struct oracle_thread *t, const pgr_call *call,
                                          pgr_result *result)
{
    (void)result;
    zx_status_t status = oracle_zero(o, t, t->vmo, t->offset, t->length);
    if (status == ZX_OK)
        oracle_vmo_set_content_size(t->vmo, call->arg[1]);
    return status;
}

zx_status_t oracle_zx_vmo_set_stream_size(struct oracle *o, struct oracle_thread *t, const pgr_call *call,
                                          pgr_result *result)
{
    uint64_t size = call->arg[1];
    zx_status_t status = oracle_handle_get(o, (zx_handle_t)call->arg[0], PGR_OBJECT_VMO, ZX_RIGHT_WRITE, &t->vmo);
    if (status != ZX_OK)
        return status;
    uint64_t old = oracle_vmo_content_size(t->vmo);
    uint64_t end = oracle_vmo_size(o, t->vmo);
    if (size == old)
        return ZX_OK;
    if (size > end)
        return ZX_ERR_OUT_OF_RANGE;
    if (t->vmo->pages->physical)
        return ZX_ERR_NOT_SUPPORTED;
    oracle_hold(t, t->vmo);
    t->offset = oracle_min(old, size);
    t->length = end - t->offset;
    oracle_op_begin(t);
    return oracle_go_vmo_set_stream_size(o, t, call, result);
}
