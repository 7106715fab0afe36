/*
 * System call zx_vmo_create_child.
 *
 * A slice is a window on its parent's pages, a reference a second name for them. A snapshot has pages of its own,
 * and freezes what the parent holds: both share frames until one of them writes, and are relatives from then on, as
 * is every further snapshot of either. A pager's pages cannot be frozen: a child of theirs sees them as they are,
 * and as they become, until it writes; what such a child has written can be frozen again.
 */
#include "calls.h"

#include "handles.h"
#include "ports.h"

#define CHILD_KINDS                                                                                                    \
    (ZX_VMO_CHILD_SNAPSHOT | ZX_VMO_CHILD_SLICE | ZX_VMO_CHILD_SNAPSHOT_AT_LEAST_ON_WRITE | ZX_VMO_CHILD_REFERENCE |   \
     ZX_VMO_CHILD_SNAPSHOT_MODIFIED)

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
    if (pages_at(w, window->pages)->cache_policy != ZX_CACHE_POLICY_CACHED &&
        (flags & (PGR_PAGES_CONTIGUOUS | PGR_PAGES_PHYSICAL)) == 0)
        return ZX_ERR_BAD_STATE;
    vmo_needed(&plan->need, 1);
    return ZX_OK;
}

/* What a snapshot does with the pages of its parent. */
enum snapshot { SNAPSHOT_IMPOSSIBLE, SNAPSHOT_FREEZES, SNAPSHOT_SEES_THROUGH };

/* Would pages that freeze what these have hang too deep below a pager, or be seen through to by others? */
static int freeze_refused(const pgr_world *w, const struct pages *pages)
{
    if (pages->children.first != 0)
        return 1;
    return pages->parent != 0 && pages_at(w, pages->parent)->parent != 0;
}

/*
 * Which kind of snapshot this parent can have. SNAPSHOT always freezes; the other kinds see through to a pager
 * where they can, but SNAPSHOT_MODIFIED freezes what a child of a pager's VMO has written.
 */
static enum snapshot snapshot_kind(const pgr_world *w, uint32_t row, int slice, uint32_t kind)
{
    const struct pages *pages = pages_at(w, row);
    int modified_child = kind == ZX_VMO_CHILD_SNAPSHOT_MODIFIED && pages->parent != 0;
    int alone;

    if (pages_at(w, pages_root(w, row))->source == 0)
        return slice ? SNAPSHOT_IMPOSSIBLE : SNAPSHOT_FREEZES;
    if (kind == ZX_VMO_CHILD_SNAPSHOT || (modified_child && slice))
        return SNAPSHOT_IMPOSSIBLE;
    alone = pages_at(w, pages->family_next) == pages;
    if (!modified_child && alone)
        return SNAPSHOT_SEES_THROUGH;
    return slice ? SNAPSHOT_IMPOSSIBLE : SNAPSHOT_FREEZES;
}

static zx_status_t snapshot_check(const pgr_world *w, const struct window *window, uint8_t flags, uint32_t kind,
                                  struct plan *plan)
{
    const struct pages *pages = pages_at(w, window->pages);
    int slice = (object_at(w, plan->object)->flags & PGR_VMO_SLICE) != 0;
    uint64_t offset = plan->call->arg[2];

    if ((flags & PGR_PAGES_PHYSICAL) != 0)
        return ZX_ERR_NOT_SUPPORTED;
    if ((flags & PGR_PAGES_CONTIGUOUS) != 0 || !page_aligned(w, offset))
        return ZX_ERR_INVALID_ARGS;
    if (plan->size_pages > vmo_pages_max(w))
        return ZX_ERR_OUT_OF_RANGE;
    if (pages->cache_policy != ZX_CACHE_POLICY_CACHED)
        return ZX_ERR_BAD_STATE;
    plan->snapshot = snapshot_kind(w, window->pages, slice, kind);
    if (plan->snapshot == SNAPSHOT_IMPOSSIBLE)
        return ZX_ERR_NOT_SUPPORTED;
    if (plan->snapshot == SNAPSHOT_FREEZES && pages->pins > 0)
        return ZX_ERR_BAD_STATE;
    if (plan->snapshot == SNAPSHOT_FREEZES && freeze_refused(w, pages))
        return ZX_ERR_NOT_SUPPORTED;
    if (root_end_wraps(w, pages->root_offset_pages + window->offset_pages + to_page(w, offset), plan->size_pages))
        return ZX_ERR_INVALID_ARGS;
    vmo_needed(&plan->need, 2);
    if (plan->snapshot == SNAPSHOT_FREEZES)
        plan->need.nodes = tree_growth(pages_runs(w, window->pages, 0, UINT64_MAX), 0);
    return ZX_OK;
}

static zx_status_t reference_check(const pgr_world *w, const struct window *window, uint8_t flags, struct plan *plan)
{
    if ((flags & PGR_PAGES_PHYSICAL) != 0)
        return ZX_ERR_NOT_SUPPORTED;
    if (plan->call->arg[2] != 0 || plan->call->arg[3] != 0)
        return ZX_ERR_INVALID_ARGS;
    if ((flags & PGR_PAGES_CONTIGUOUS) != 0)
        return ZX_ERR_NOT_SUPPORTED;
    if ((arg_u32(plan, 1) & ZX_VMO_CHILD_RESIZABLE) != 0 && (flags & PGR_PAGES_RESIZABLE) == 0)
        return ZX_ERR_NOT_SUPPORTED;
    if (pages_at(w, window->pages)->cache_policy != ZX_CACHE_POLICY_CACHED)
        return ZX_ERR_BAD_STATE;
    vmo_needed(&plan->need, 1);
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
    status = handle_get(w, plan->call->arg[0], PGR_OBJECT_VMO, ZX_RIGHT_DUPLICATE | ZX_RIGHT_READ, &plan->object);
    if (status != ZX_OK)
        return status;
    plan->handle = handle_find(w, plan->call->arg[0]);
    plan->size_pages = to_pages_up(w, plan->call->arg[3]);
    window = vmo_window(w, plan->object);
    flags = object_at(w, window.pages)->flags;
    if ((flags & PGR_PAGES_DISCARDABLE) != 0)
        return ZX_ERR_NOT_SUPPORTED;
    switch (child_kind(options)) {
    case ZX_VMO_CHILD_SLICE:
        return slice_check(w, &window, flags, plan);
    case ZX_VMO_CHILD_REFERENCE:
        return reference_check(w, &window, flags, plan);
    case 0:
        return ZX_ERR_INVALID_ARGS;
    default:
        return snapshot_check(w, &window, flags, child_kind(options), plan);
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
    if ((options & (ZX_VMO_CHILD_SLICE | ZX_VMO_CHILD_REFERENCE)) == 0)
        return (rights & ~ZX_RIGHT_EXECUTE) | ZX_RIGHT_WRITE;
    return rights;
}

static uint32_t slice_make(pgr_world *w, const struct plan *plan)
{
    struct window window = vmo_window(w, plan->object);
    uint32_t row = vmo_make(w, window.pages, PGR_VMO_SLICE);
    struct vmo *vmo = vmo_at(w, row);

    vmo->offset_pages = window.offset_pages + to_page(w, plan->call->arg[2]);
    vmo->size_pages = plan->size_pages;
    vmo->content_size_bytes = plan->call->arg[3];
    return row;
}

/*
 * A reference has the window of the VMO that it refers to, and may take its place one day.
 */
static uint32_t reference_make(pgr_world *w, const struct plan *plan)
{
    struct window window = vmo_window(w, plan->object);
    uint8_t slice = object_at(w, plan->object)->flags & PGR_VMO_SLICE;
    uint32_t row = vmo_make(w, window.pages, (uint8_t)(PGR_VMO_REFERENCE | slice));
    struct vmo *vmo = vmo_at(w, row);

    vmo->offset_pages = window.offset_pages;
    vmo->size_pages = window.size_pages;
    vmo->content_size_bytes = *vmo_content_size(w, plan->object);
    vmo_join_references(w, row);
    return row;
}

static uint32_t snapshot_make(pgr_world *w, const struct plan *plan)
{
    uint32_t options = arg_u32(plan, 1);
    struct window window = vmo_window(w, plan->object);
    uint64_t offset = to_page(w, plan->call->arg[2]);
    uint64_t seen = min_u64(plan->size_pages, window.size_pages - min_u64(offset, window.size_pages));
    uint8_t flags = (options & ZX_VMO_CHILD_RESIZABLE) != 0 ? PGR_PAGES_RESIZABLE : 0;
    uint64_t root_offset = pages_at(w, window.pages)->root_offset_pages + window.offset_pages + offset;
    uint32_t pages;

    if (plan->snapshot == SNAPSHOT_FREEZES)
        pages = pages_snapshot(w, window.pages, offset, plan->size_pages, flags);
    else
        pages = pages_see_through(w, window.pages, window.offset_pages + offset, plan->size_pages, seen, flags);
    pages_at(w, pages)->root_offset_pages = root_offset;
    pages_at(w, pages)->content_size_bytes = plan->call->arg[3];
    return vmo_make(
        w, pages,
        (uint8_t)(PGR_VMO_CLONE |
                  ((options & ZX_VMO_CHILD_NO_WRITE) != 0 && (options & ZX_VMO_CHILD_SNAPSHOT) != 0 ? PGR_VMO_IMMUTABLE
                                                                                                    : 0)));
}

static uint32_t child_make(pgr_world *w, const struct plan *plan)
{
    switch (child_kind(arg_u32(plan, 1))) {
    case ZX_VMO_CHILD_SLICE:
        return slice_make(w, plan);
    case ZX_VMO_CHILD_REFERENCE:
        return reference_make(w, plan);
    default:
        return snapshot_make(w, plan);
    }
}

COMMIT(vmo_create_child)
{
    uint32_t options = arg_u32(plan, 1);
    zx_rights_t rights = handle_at(w, plan->handle)->rights;
    uint32_t child = child_make(w, plan);

    (void)frames;
    if ((rights & ZX_RIGHT_GET_PROPERTY) != 0)
        memcpy(vmo_at(w, child)->name, vmo_at(w, plan->object)->name, ZX_MAX_NAME_LEN);
    vmo_join_parent(w, child, plan->object);
    object_signal(w, plan->object, ZX_VMO_ZERO_CHILDREN, 0);
    result->out[4] = handle_make(w, child, child_rights(rights, options));
    return PROGRESS_DONE;
}
