/*
 * System calls that make, name and size VMOs: zx_vmo_create, zx_vmo_create_contiguous, zx_vmo_create_physical,
 * zx_vmo_create_child, zx_vmo_get_size, zx_vmo_set_size; and what else there is to know about a VMO.
 */
#include "calls.h"

#include "frames.h"
#include "handles.h"
#include "life.h"

void vmo_needed(struct need *need, uint32_t rows)
{
    need->object_rows = rows;
    need->handles = 1;
    need->counted = 1;
}

/* --- zx_vmo_create --- */

CHECK(vmo_create)
{
    uint64_t size = plan->call->arg[0];
    uint32_t options = arg_u32(plan, 1);
    int unbounded = (options & ZX_VMO_UNBOUNDED) != 0;

    if (unbounded && (options & ZX_VMO_RESIZABLE) != 0)
        return ZX_ERR_INVALID_ARGS;
    /* Does rounding up to pages overflow? Asked before unknown options. */
    if (!unbounded && size_wraps(w, size))
        return ZX_ERR_OUT_OF_RANGE;
    if ((options & ~(ZX_VMO_RESIZABLE | ZX_VMO_DISCARDABLE | ZX_VMO_UNBOUNDED)) != 0)
        return ZX_ERR_INVALID_ARGS;
    plan->size_pages = unbounded ? vmo_pages_max(w) : to_pages_up(w, size);
    if (plan->size_pages > vmo_pages_max(w))
        return ZX_ERR_OUT_OF_RANGE;
    vmo_needed(&plan->need, 2);
    return ZX_OK;
}

COMMIT(vmo_create)
{
    uint32_t options = arg_u32(plan, 1);
    uint32_t flags = ((options & ZX_VMO_RESIZABLE) != 0 ? PGR_PAGES_RESIZABLE : 0) |
                     ((options & ZX_VMO_DISCARDABLE) != 0 ? PGR_PAGES_DISCARDABLE : 0);
    uint32_t pages = pages_make(w, plan->size_pages, (uint8_t)flags);

    (void)frames;
    pages_at(w, pages)->content_size_bytes = plan->call->arg[0];
    if ((options & ZX_VMO_DISCARDABLE) != 0)
        evictable_append(w, pages);
    result->out[2] =
        handle_make_default(w, vmo_make(w, pages, 0), (flags & PGR_PAGES_RESIZABLE) != 0 ? ZX_RIGHT_RESIZE : 0);
    return PROGRESS_DONE;
}

/* --- zx_vmo_create_contiguous --- */

CHECK(vmo_create_contiguous)
{
    uint64_t size = plan->call->arg[1];
    uint32_t align = arg_u32(plan, 2);
    zx_status_t status;

    /* Asked before the handle. An alignment of 0 stands for pages. */
    if (size == 0 || align >= 64 || (align != 0 && align < w->config.page_shift))
        return ZX_ERR_INVALID_ARGS;
    status = handle_get(w, plan->call->arg[0], PGR_OBJECT_BTI, ZX_RIGHT_MAP, &plan->object);
    if (status != ZX_OK)
        return status;
    plan->size_pages = to_pages_up(w, size);
    if (size_wraps(w, size) || plan->size_pages > vmo_pages_max(w))
        return ZX_ERR_OUT_OF_RANGE;
    plan->frame = frames_find(w, plan->size_pages, align == 0 ? 0 : align - w->config.page_shift);
    vmo_needed(&plan->need, 2);
    plan->need.frames = plan->size_pages;
    plan->need.nodes = tree_growth(1, 0);
    return plan->frame == 0 ? ZX_ERR_NO_MEMORY : ZX_OK;
}

COMMIT(vmo_create_contiguous)
{
    uint32_t row = pages_make(w, plan->size_pages, PGR_PAGES_CONTIGUOUS);
    struct pages *pages = pages_at(w, row);
    struct cursor at = cursor_on(&pages->map);

    frames_take_at(w, frames, (struct stretch){plan->frame, (uint32_t)plan->size_pages});
    pages_put(w, pages, &at,
              &(struct run){.count = plan->size_pages, .frame = plan->frame, .state = PGR_PAGE_ANONYMOUS});
    pages->content_size_bytes = plan->call->arg[1];
    result->out[3] = handle_make_default(w, vmo_make(w, row, 0), 0);
    return PROGRESS_DONE;
}

/* --- zx_vmo_create_physical --- */

CHECK(vmo_create_physical)
{
    uint64_t address = plan->call->arg[1];
    uint64_t size = plan->call->arg[2];
    zx_status_t status = handle_get(w, plan->call->arg[0], PGR_OBJECT_RESOURCE, ZX_RIGHT_NONE, &plan->object);

    if (status != ZX_OK)
        return status;
    /* A size that overflows when it is rounded up is one of 0 pages. */
    plan->size_pages = size_wraps(w, size) ? 0 : to_pages_up(w, size);
    if (!page_aligned(w, address) || plan->size_pages == 0 || to_bytes(w, plan->size_pages) - 1 > UINT64_MAX - address)
        return ZX_ERR_INVALID_ARGS;
    vmo_needed(&plan->need, 2);
    return ZX_OK;
}

COMMIT(vmo_create_physical)
{
    uint32_t pages = pages_make(w, plan->size_pages, PGR_PAGES_PHYSICAL);

    (void)frames;
    pages_at(w, pages)->content_size_bytes = to_bytes(w, plan->size_pages);
    pages_at(w, pages)->cache_policy = ZX_CACHE_POLICY_UNCACHED;
    result->out[3] = handle_make_default(w, vmo_make(w, pages, 0), 0);
    return PROGRESS_DONE;
}

/* --- zx_vmo_get_size, zx_vmo_set_size --- */

ANSWER(vmo_get_size)
{
    uint32_t vmo;
    zx_status_t status = handle_get(w, plan->call->arg[0], PGR_OBJECT_VMO, ZX_RIGHT_NONE, &vmo);

    if (status == ZX_OK)
        result->out[1] = to_bytes(w, vmo_window(w, vmo).size_pages);
    return status;
}

CHECK(vmo_set_size)
{
    uint64_t size = plan->call->arg[1];
    zx_status_t status = handle_get(w, plan->call->arg[0], PGR_OBJECT_VMO, ZX_RIGHT_WRITE, &plan->op.vmo);
    uint32_t pages;
    uint8_t flags;

    if (status != ZX_OK)
        return status;
    pages = vmo_at(w, plan->op.vmo)->pages;
    flags = object_at(w, pages)->flags;
    /* Is the VMO resizable, and the handle too weak for it? */
    if ((flags & PGR_PAGES_RESIZABLE) != 0)
        status = handle_get(w, plan->call->arg[0], PGR_OBJECT_VMO, ZX_RIGHT_RESIZE, &plan->op.vmo);
    if (status != ZX_OK)
        return status;
    if (size_wraps(w, size))
        return ZX_ERR_OUT_OF_RANGE;
    if ((flags & PGR_PAGES_PHYSICAL) != 0)
        return ZX_ERR_NOT_SUPPORTED;
    if ((flags & PGR_PAGES_RESIZABLE) == 0)
        return ZX_ERR_UNAVAILABLE;
    plan->size_pages = to_pages_up(w, size);
    if (plan->size_pages > vmo_pages_max(w))
        return ZX_ERR_OUT_OF_RANGE;
    /* Would a pinned page be cut off? */
    if (pages_pinned(w, pages, plan->size_pages, UINT64_MAX))
        return ZX_ERR_BAD_STATE;
    /* Would a snapshot that grows reach beyond what its root can have? */
    if (plan->size_pages > pages_at(w, pages)->size_pages &&
        root_end_wraps(w, pages_at(w, pages)->root_offset_pages, plan->size_pages))
        return ZX_ERR_INVALID_ARGS;
    return ZX_OK;
}

/* First the size, then the tail of the last page, which may have to be asked for. */
LOOK(vmo_set_size)
{
    if (plan->op.stage > 0)
        return zero_look(w, plan);
    plan->need.nodes = tree_growth(2, 0);
    return ZX_OK;
}

COMMIT(vmo_set_size)
{
    uint64_t size = plan->call->arg[1];
    uint32_t pages;

    if (plan->op.stage > 0)
        return zero_commit(w, frames, plan, result);
    pages = vmo_at(w, plan->op.vmo)->pages;
    pages_resize(w, pages, plan->size_pages);
    pages_at(w, pages)->content_size_bytes = size;
    pages_at(w, pages)->modified = 1;
    if (page_aligned(w, size))
        return PROGRESS_DONE;
    zero_begin(&plan->op, size, to_bytes(w, plan->size_pages));
    return PROGRESS_AGAIN;
}

/* --- zx_vmo_get_stream_size, zx_vmo_set_stream_size --- */

ANSWER(vmo_get_stream_size)
{
    uint32_t vmo;
    zx_status_t status = handle_get(w, plan->call->arg[0], PGR_OBJECT_VMO, ZX_RIGHT_NONE, &vmo);

    if (status == ZX_OK)
        result->out[1] = *vmo_content_size(w, vmo);
    return status;
}

CHECK(vmo_set_stream_size)
{
    uint64_t size = plan->call->arg[1];
    zx_status_t status = handle_get(w, plan->call->arg[0], PGR_OBJECT_VMO, ZX_RIGHT_WRITE, &plan->op.vmo);
    uint64_t size_bytes;
    uint64_t old;

    if (status != ZX_OK)
        return status;
    size_bytes = to_bytes(w, vmo_window(w, plan->op.vmo).size_pages);
    old = *vmo_content_size(w, plan->op.vmo);
    if (size != old && size > size_bytes)
        return ZX_ERR_OUT_OF_RANGE;
    plan->op.size = size;
    plan->op.options = size != old;
    zero_begin(&plan->op, min_u64(min_u64(old, size), size_bytes), size_bytes);
    plan->op.forgiving = 0;
    return ZX_OK;
}

/* What lies behind a new size is zeroed first, and be it nothing; if that fails the size stays. */
LOOK(vmo_set_stream_size)
{
    if (!plan->op.options)
        return ZX_OK;
    return vmo_is_physical(w, plan->op.vmo) ? ZX_ERR_NOT_SUPPORTED : zero_look(w, plan);
}

COMMIT(vmo_set_stream_size)
{
    enum progress progress = plan->op.options ? zero_commit(w, frames, plan, result) : PROGRESS_DONE;

    if (progress == PROGRESS_DONE)
        *vmo_content_size(w, plan->op.vmo) = plan->op.size;
    return progress;
}

/* --- zx_vmo_set_cache_policy --- */

/* Does a mapping or a relative depend on how the VMO is cached? */
static int vmo_is_entangled(const struct vmo *vmo)
{
    return vmo->mapping_count > 0 || vmo->child_count > 0 || vmo->parent != 0;
}

CHECK(vmo_set_cache_policy)
{
    uint32_t policy = arg_u32(plan, 1);
    const struct vmo *vmo;
    const struct pages *pages;
    zx_status_t status;
    int slice;

    if ((policy & ~ZX_CACHE_POLICY_MASK) != 0)
        return ZX_ERR_INVALID_ARGS;
    status = handle_get(w, plan->call->arg[0], PGR_OBJECT_VMO, ZX_RIGHT_MAP, &plan->object);
    if (status != ZX_OK)
        return status;
    vmo = vmo_at(w, plan->object);
    pages = pages_at(w, vmo->pages);
    slice = (object_at(w, plan->object)->flags & PGR_VMO_SLICE) != 0;
    if (vmo_is_physical(w, plan->object))
        return pages->cache_policy != policy && (vmo_is_entangled(vmo) || slice) ? ZX_ERR_BAD_STATE : ZX_OK;
    /* Are there pages that were not cached, or pinned ones? */
    if ((pages->frames_held > 0 && pages->cache_policy != ZX_CACHE_POLICY_CACHED) || pages->pins > 0)
        return ZX_ERR_BAD_STATE;
    if (vmo_is_entangled(vmo) || pages->vmo_count > 1)
        return ZX_ERR_BAD_STATE;
    return ZX_OK;
}

COMMIT(vmo_set_cache_policy)
{
    (void)frames, (void)result;
    pages_at(w, vmo_at(w, plan->object)->pages)->cache_policy = (uint8_t)arg_u32(plan, 1);
    return PROGRESS_DONE;
}

/* --- zx_vmo_replace_as_executable --- */

/* What makes the call fail once the handle is taken. */
static zx_status_t executable_verdict(const pgr_world *w, const struct plan *plan)
{
    uint32_t resource;

    if (arg_u32(plan, 1) != ZX_HANDLE_INVALID) {
        zx_status_t status = handle_get(w, plan->call->arg[1], PGR_OBJECT_RESOURCE, ZX_RIGHT_NONE, &resource);

        if (status != ZX_OK)
            return status;
    }
    return object_at(w, plan->object)->kind == PGR_OBJECT_VMO ? ZX_OK : ZX_ERR_WRONG_TYPE;
}

CHECK(vmo_replace_as_executable)
{
    plan->handle = handle_find(w, plan->call->arg[0]);
    if (plan->handle == 0)
        return ZX_ERR_BAD_HANDLE;
    plan->object = handle_at(w, plan->handle)->object;
    plan->verdict = executable_verdict(w, plan);
    plan->need.handles = plan->verdict == ZX_OK ? 1 : 0;
    return ZX_OK;
}

/* The handle is consumed in any case. */
COMMIT(vmo_replace_as_executable)
{
    (void)frames;
    result->status = plan->verdict;
    if (plan->verdict == ZX_OK)
        result->out[2] = handle_make(w, plan->object, handle_at(w, plan->handle)->rights | ZX_RIGHT_EXECUTE);
    handle_close(w, plan->handle);
    return PROGRESS_DONE;
}
