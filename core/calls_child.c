/*
 * System call zx_vmo_create_child.
 *
 * A slice is a window on its parent's pages. A snapshot has pages of its own, which share frames with the parent's as long as neither side
 * changes them: whoever writes first gets a copy. The two are relatives from then on, and so is every further snapshot of either.
 */
#include "pgr_internal.h"

#define CHILD_KINDS                                                                                          \
    (ZX_VMO_CHILD_SNAPSHOT | ZX_VMO_CHILD_SLICE | ZX_VMO_CHILD_SNAPSHOT_AT_LEAST_ON_WRITE |                  \
     ZX_VMO_CHILD_REFERENCE | ZX_VMO_CHILD_SNAPSHOT_MODIFIED)

/* The kind asked for, with at most the flags that go with it; 0 if the options make no sense. */
static uint32_t child_kind(uint32_t options)
{
    uint32_t kind = options & ~(ZX_VMO_CHILD_NO_WRITE | ZX_VMO_CHILD_RESIZABLE);

    if ((options & ZX_VMO_CHILD_SLICE) != 0)
        return (options & ~ZX_VMO_CHILD_NO_WRITE) == ZX_VMO_CHILD_SLICE ? ZX_VMO_CHILD_SLICE : 0;
    /* One kind, and nothing unknown? */
    if ((kind & ~CHILD_KINDS) != 0 || (kind & (kind - 1)) != 0)
        return 0;
    return kind;
}

static zx_status_t slice_check(const pgr_world *w, const struct window *window, uint8_t flags, struct plan *plan)
{
    uint64_t offset = plan->call->arg[2];

    if (!page_aligned(w, offset))
        return ZX_ERR_INVALID_ARGS;
    if (plan->size_pages > vmo_pages_max(w))
        return ZX_ERR_OUT_OF_RANGE;
    if (!in_range(to_page(w, offset), plan->size_pages, window->size_pages))
        return ZX_ERR_INVALID_ARGS;
    if ((flags & PGR_PAGES_RESIZABLE) != 0)
        return ZX_ERR_NOT_SUPPORTED;
    vmo_needed(&plan->need, 1);
    return ZX_OK;
}

static zx_status_t snapshot_check(const pgr_world *w, const struct window *window, uint8_t flags, struct plan *plan)
{
    const struct pages *pages = pages_at(w, window->pages);
    uint64_t offset = plan->call->arg[2];
    if ((flags & PGR_PAGES_PHYSICAL) != 0)
        return ZX_ERR_NOT_SUPPORTED;
    if ((flags & PGR_PAGES_CONTIGUOUS) != 0)
        return ZX_ERR_INVALID_ARGS;
    if (!page_aligned(w, offset))
        return ZX_ERR_INVALID_ARGS;
    if (plan->size_pages > vmo_pages_max(w))
        return ZX_ERR_OUT_OF_RANGE;
    /* A snapshot freezes what its parent holds. A pager's pages cannot be frozen, nor can a part of a VMO. */
    if (pages->source != 0 || (object_at(w, plan->other)->flags & PGR_VMO_SLICE) != 0)
        return ZX_ERR_NOT_SUPPORTED;
    if (pages->pins > 0)
        return ZX_ERR_BAD_STATE;
    if (root_end_wraps(w, pages->root_offset_pages + to_page(w, offset), plan->size_pages))
        return ZX_ERR_INVALID_ARGS;
    vmo_needed(&plan->need, 2);
    plan->need.nodes = tree_growth(pages_runs(w, window->pages, 0, UINT64_MAX), 0);
    return ZX_OK;
}

CHECK(vmo_create_child)
{
    uint32_t options = arg_u32(plan, 1);
    zx_status_t status;
    struct window window;
    uint8_t flags;

    /* Asked before the handle. */
    if ((options & ZX_VMO_CHILD_NO_WRITE) != 0 && (options & ZX_VMO_CHILD_RESIZABLE) != 0)
        return ZX_ERR_INVALID_ARGS;
    status = handle_get(w, plan->call->arg[0], PGR_OBJECT_VMO, ZX_RIGHT_DUPLICATE | ZX_RIGHT_READ, &plan->other);
    if (status != ZX_OK)
        return status;
    plan->handle = handle_find(w, plan->call->arg[0]);
    plan->size_pages = to_pages_up(w, plan->call->arg[3]);
    window = vmo_window(w, plan->other);
    flags = object_at(w, window.pages)->flags;
    if ((flags & PGR_PAGES_DISCARDABLE) != 0)
        return ZX_ERR_NOT_SUPPORTED;
    switch (child_kind(options)) {
    case ZX_VMO_CHILD_SLICE:
        return slice_check(w, &window, flags, plan);
    case ZX_VMO_CHILD_SNAPSHOT:
        return snapshot_check(w, &window, flags, plan);
    case 0:
        return ZX_ERR_INVALID_ARGS;
    default:
        return ZX_ERR_NOT_SUPPORTED;
    }
}

/* What the parent's handle allowed, with what the kind of child takes away and adds. */
static zx_rights_t child_rights(zx_rights_t parent, uint32_t options)
{
    zx_rights_t rights = (parent & ~ZX_RIGHT_RESIZE) | ZX_RIGHTS_PROPERTY;

    if ((options & ZX_VMO_CHILD_RESIZABLE) != 0)
        rights |= ZX_RIGHT_RESIZE;
    if ((options & ZX_VMO_CHILD_NO_WRITE) != 0)
        return rights & ~ZX_RIGHT_WRITE;
    if ((options & ZX_VMO_CHILD_SNAPSHOT) != 0)
        return (rights & ~ZX_RIGHT_EXECUTE) | ZX_RIGHT_WRITE;
    return rights;
}

static uint32_t slice_make(pgr_world *w, const struct plan *plan)
{
    struct window window = vmo_window(w, plan->other);
    uint32_t row = vmo_make(w, window.pages, PGR_VMO_SLICE);
    struct vmo *vmo = vmo_at(w, row);

    vmo->offset_pages = window.offset_pages + to_page(w, plan->call->arg[2]);
    vmo->size_pages = plan->size_pages;
    return row;
}

static uint32_t snapshot_make(pgr_world *w, const struct plan *plan)
{
    uint32_t options = arg_u32(plan, 1);
    uint64_t offset_pages = to_page(w, plan->call->arg[2]);
    uint32_t parent = vmo_at(w, plan->other)->pages;
    uint32_t pages = pages_snapshot(w, parent, offset_pages, plan->size_pages,
                                    (options & ZX_VMO_CHILD_RESIZABLE) != 0 ? PGR_PAGES_RESIZABLE : 0);

    pages_at(w, pages)->root_offset_pages = pages_at(w, parent)->root_offset_pages + offset_pages;
    return vmo_make(w, pages, PGR_VMO_CLONE | ((options & ZX_VMO_CHILD_NO_WRITE) != 0 ? PGR_VMO_IMMUTABLE : 0));
}

COMMIT(vmo_create_child)
{
    uint32_t options = arg_u32(plan, 1);
    zx_rights_t rights = handle_at(w, plan->handle)->rights;
    uint32_t child = (options & ZX_VMO_CHILD_SLICE) != 0 ? slice_make(w, plan) : snapshot_make(w, plan);

    (void)frames;
    *vmo_content_size(w, child) = plan->call->arg[3];
    if ((rights & ZX_RIGHT_GET_PROPERTY) != 0)
        memcpy(vmo_at(w, child)->name, vmo_at(w, plan->other)->name, ZX_MAX_NAME_LEN);
    vmo_join_parent(w, child, plan->other);
    object_signal(w, plan->other, ZX_VMO_ZERO_CHILDREN, 0);
    result->out[4] = handle_make(w, child, child_rights(rights, options));
    return PROGRESS_DONE;
}
