/*
 * System calls zx_vmo_op_range and zx_vmar_op_range: COMMIT, DECOMMIT, locks, cache operations and hints. ZERO has
 * calls_zero.c.
 */
#include "calls.h"

#include "handles.h"
#include "life.h"
#include "vmar.h"

/* --- COMMIT, ALWAYS_NEED, PREFETCH: pages are made present, one after another --- */

/* The range rounded outwards to pages: an empty one between two boundaries is a page. */
static zx_status_t rounded_check(const pgr_world *w, struct plan *plan)
{
    uint64_t offset = plan->range.offset;
    uint64_t size = plan->range.size;
    uint64_t page = to_page(w, offset);

    if (size > UINT64_MAX - offset || size_wraps(w, offset + size))
        return ZX_ERR_OUT_OF_RANGE;
    if (!in_range(page, to_pages_up(w, offset + size) - page, vmo_window(w, plan->op.vmo).size_pages))
        return ZX_ERR_OUT_OF_RANGE;
    plan->op.begin = to_bytes(w, page);
    plan->op.position = plan->op.begin;
    plan->op.end = to_bytes(w, to_pages_up(w, offset + size));
    return ZX_OK;
}

/* Notes where the VMO's pages are, for the step. */
static void pages_note(const pgr_world *w, struct plan *plan)
{
    struct window window = vmo_window(w, plan->op.vmo);

    plan->pages = window.pages;
    plan->base = to_bytes(w, window.offset_pages);
}

/* What a shrinking VMO has lost meanwhile is left out. Returns 0 if nothing is left to do. */
static int rest_look(const pgr_world *w, struct plan *plan)
{
    pages_note(w, plan);
    plan->op.end = min_u64(plan->op.end, to_bytes(w, vmo_window(w, plan->op.vmo).size_pages));
    return plan->op.position < plan->op.end;
}

static zx_status_t rest_want(const pgr_world *w, struct plan *plan, uint32_t event)
{
    const struct caps caps = {.read = UINT64_MAX, .dirty = UINT64_MAX};

    return pages_want(w, plan->pages, event, to_page(w, plan->base + plan->op.position),
                      to_page(w, plan->base + plan->op.end), &caps, &plan->want);
}

/* What is seen at op->position, cut off at op->end. */
static struct sight rest_see(const pgr_world *w, const struct plan *plan)
{
    struct cursor at = cursor_on(&pages_at(w, plan->pages)->map);

    return pages_see(w, &at, plan->pages, to_page(w, plan->base + plan->op.position),
                     to_page(w, plan->base + plan->op.end));
}

static zx_status_t commit_look(const pgr_world *w, struct plan *plan)
{
    zx_status_t status;
    uint32_t pins = 0;

    if (plan->wake_status != ZX_OK)
        return plan->wake_status;
    if (!rest_look(w, plan))
        return ZX_OK;
    if (pages_discarded(w, plan->pages))
        return ZX_ERR_NOT_FOUND;
    status = rest_want(w, plan, PGR_EVENT_COMMIT);
    if (status == ZX_OK && plan->want.count == 0)
        plan->stop = pages_scan(w, plan->pages, PGR_EVENT_COMMIT, to_page(w, plan->base + plan->op.position),
                                to_page(w, plan->base + plan->op.end), &plan->need, &pins);
    return status;
}

static enum progress commit_commit(pgr_world *w, void *frames, struct plan *plan)
{
    if (plan->want.count > 0)
        return PROGRESS_WAIT;
    if (plan->op.position >= plan->op.end)
        return PROGRESS_DONE;
    pages_prepare(w, frames, plan->pages, PGR_EVENT_COMMIT, to_page(w, plan->base + plan->op.position), plan->stop, 0);
    plan->op.position = to_bytes(w, plan->stop) - plan->base;
    return plan->op.position < plan->op.end ? PROGRESS_AGAIN : PROGRESS_DONE;
}

/* Each page is looked at as a read would; ALWAYS_NEED leaves a mark, and does not mind if a page cannot be had. */
static zx_status_t fetch_look(const pgr_world *w, struct plan *plan)
{
    int minds = plan->op.options == ZX_VMO_OP_PREFETCH;
    zx_status_t status = plan->wake_status;

    if (status != ZX_OK && minds)
        return status;
    if (status != ZX_OK)
        plan->op.position += page_bytes(w);
    while (rest_look(w, plan)) {
        status = rest_want(w, plan, PGR_EVENT_READ);
        if (status == ZX_OK || minds)
            return status;
        /* Nobody will answer for any of the absent pages there. */
        plan->op.position += to_bytes(w, rest_see(w, plan).piece.count);
    }
    return ZX_OK;
}

static enum progress fetch_commit(pgr_world *w, struct plan *plan)
{
    struct sight sight;

    if (plan->want.count > 0)
        return PROGRESS_WAIT;
    if (plan->op.position >= plan->op.end)
        return PROGRESS_DONE;
    sight = rest_see(w, plan);
    if (plan->op.options == ZX_VMO_OP_ALWAYS_NEED && pages_at(w, sight.owner)->source != 0)
        pages_hint(w, sight.owner, HINT_ALWAYS_NEED, sight.owner_page, sight.owner_page + sight.piece.count);
    plan->op.position += to_bytes(w, sight.piece.count);
    return plan->op.position < plan->op.end ? PROGRESS_AGAIN : PROGRESS_DONE;
}

/* Hints to memory that no pager fills are taken, and forgotten. */
static zx_status_t hint_check(const pgr_world *w, struct plan *plan)
{
    uint64_t offset = plan->range.offset;
    uint64_t size = plan->range.size;
    struct window window = vmo_window(w, plan->op.vmo);

    if (size > UINT64_MAX - offset && !vmo_is_physical(w, plan->op.vmo))
        return ZX_ERR_OUT_OF_RANGE;
    if (pages_at(w, pages_root(w, window.pages))->source == 0)
        return ZX_OK;
    if (!in_range(offset, size, to_bytes(w, window.size_pages)))
        return ZX_ERR_OUT_OF_RANGE;
    if (size > 0)
        return rounded_check(w, plan);
    return ZX_OK;
}

static zx_status_t prefetch_check(const pgr_world *w, struct plan *plan)
{
    uint64_t size_bytes = to_bytes(w, vmo_window(w, plan->op.vmo).size_pages);

    if (!vmo_is_physical(w, plan->op.vmo))
        return rounded_check(w, plan);
    return in_range(plan->range.offset, plan->range.size, size_bytes) ? ZX_OK : ZX_ERR_OUT_OF_RANGE;
}

/* Each page that is marked may cut two runs of the pages that have it. */
static zx_status_t dont_need_look(const pgr_world *w, struct plan *plan)
{
    uint64_t pieces = 0;
    uint64_t page;
    uint64_t end;

    if (!rest_look(w, plan))
        return ZX_OK;
    end = to_page(w, plan->base + plan->op.end);
    for (page = to_page(w, plan->base + plan->op.begin); page < end; pieces++) {
        struct cursor at = cursor_on(&pages_at(w, plan->pages)->map);
        struct sight sight = pages_see(w, &at, plan->pages, page, end);

        page = piece_end(&sight.piece);
    }
    plan->need.nodes = tree_growth(2 * pieces, 0);
    return ZX_OK;
}

/* What of the range is a pager's clean page can go first. */
static enum progress dont_need_commit(pgr_world *w, struct plan *plan)
{
    while (rest_look(w, plan)) {
        struct sight sight = rest_see(w, plan);

        if (sight.piece.state == PGR_PAGE_CLEAN && sight.piece.pins == 0)
            pages_hint(w, sight.owner, HINT_DONT_NEED, sight.owner_page, sight.owner_page + sight.piece.count);
        plan->op.position += to_bytes(w, sight.piece.count);
    }
    return PROGRESS_DONE;
}

/* --- DECOMMIT --- */

static zx_status_t decommit_check(const pgr_world *w, struct plan *plan)
{
    uint64_t offset = plan->range.offset;
    uint64_t size = plan->range.size;
    struct window window = vmo_window(w, plan->op.vmo);
    uint64_t size_bytes = to_bytes(w, window.size_pages);
    uint64_t base = to_bytes(w, window.offset_pages);

    if ((object_at(w, window.pages)->flags & PGR_PAGES_CONTIGUOUS) != 0)
        return ZX_ERR_NOT_SUPPORTED;
    if (offset > size_bytes)
        return ZX_ERR_OUT_OF_RANGE;
    plan->op.begin = offset;
    plan->op.end = offset + min_u64(size, size_bytes - offset);
    if (plan->op.begin == plan->op.end)
        return ZX_OK;
    /* Would the pages be seen through, or asked for again, instead of being zero? */
    if (pages_have_relatives(w, window.pages) || pages_at(w, window.pages)->source != 0)
        return ZX_ERR_NOT_SUPPORTED;
    if (!page_aligned(w, offset | size))
        return ZX_ERR_INVALID_ARGS;
    if (pages_pinned(w, window.pages, to_page(w, base + plan->op.begin), to_page(w, base + plan->op.end)))
        return ZX_ERR_BAD_STATE;
    return ZX_OK;
}

static enum progress decommit_commit(pgr_world *w, const struct plan *plan)
{
    if (plan->op.begin < plan->op.end)
        pages_discard(w, plan->pages, to_page(w, plan->base + plan->op.begin), to_page(w, plan->base + plan->op.end));
    return PROGRESS_DONE;
}

/* --- LOCK, TRY_LOCK, UNLOCK --- */

static zx_status_t lock_check(const pgr_world *w, struct plan *plan)
{
    uint32_t row = vmo_at(w, plan->op.vmo)->pages;
    const struct pages *pages = pages_at(w, row);

    if ((object_at(w, row)->flags & PGR_PAGES_DISCARDABLE) == 0)
        return ZX_ERR_NOT_SUPPORTED;
    /* The whole VMO, exactly? */
    if (plan->range.offset != 0 || plan->range.size != to_bytes(w, pages->size_pages))
        return ZX_ERR_OUT_OF_RANGE;
    if (plan->op.options == ZX_VMO_OP_TRY_LOCK && pages->discard == DISCARD_DONE)
        return ZX_ERR_UNAVAILABLE;
    if (plan->op.options == ZX_VMO_OP_UNLOCK && pages->locks == 0)
        return ZX_ERR_BAD_STATE;
    return ZX_OK;
}

static enum progress lock_commit(pgr_world *w, const struct plan *plan, pgr_result *result)
{
    struct pages *pages = pages_at(w, plan->pages);
    uint64_t size_bytes = to_bytes(w, pages->size_pages);

    if (plan->op.options == ZX_VMO_OP_UNLOCK) {
        pages->locks--;
        pages->discard = pages->locks == 0 ? DISCARD_ALLOWED : DISCARD_NOT;
        return PROGRESS_DONE;
    }
    if (plan->op.options == ZX_VMO_OP_LOCK) {
        result->lock_state.size = size_bytes;
        result->lock_state.discarded_size = pages->discard == DISCARD_DONE ? size_bytes : 0;
    }
    pages->locks++;
    pages->discard = DISCARD_NOT;
    return PROGRESS_DONE;
}

/* --- cache operations: nothing can be seen of them --- */

static zx_status_t cache_check(const pgr_world *w, const struct plan *plan)
{
    uint64_t size_bytes = to_bytes(w, vmo_window(w, plan->op.vmo).size_pages);

    if (plan->range.size == 0)
        return ZX_ERR_INVALID_ARGS;
    if (!in_range(plan->range.offset, plan->range.size, size_bytes))
        return ZX_ERR_OUT_OF_RANGE;
    return vmo_is_physical(w, plan->op.vmo) ? ZX_ERR_NOT_SUPPORTED : ZX_OK;
}

/* --- zx_vmo_op_range --- */

/* Has the handle the right that the operation wants? LOCK and its like want one of two; hints want none. */
static zx_status_t op_right_check(zx_rights_t rights, uint32_t op)
{
    switch (op) {
    case ZX_VMO_OP_COMMIT:
    case ZX_VMO_OP_DECOMMIT:
    case ZX_VMO_OP_ZERO:
        return (rights & ZX_RIGHT_WRITE) != 0 ? ZX_OK : ZX_ERR_ACCESS_DENIED;
    case ZX_VMO_OP_LOCK:
    case ZX_VMO_OP_TRY_LOCK:
    case ZX_VMO_OP_UNLOCK:
        return (rights & ZX_RIGHTS_IO) != 0 ? ZX_OK : ZX_ERR_ACCESS_DENIED;
    case ZX_VMO_OP_CACHE_SYNC:
    case ZX_VMO_OP_CACHE_CLEAN:
    case ZX_VMO_OP_CACHE_CLEAN_INVALIDATE:
    case ZX_VMO_OP_PREFETCH:
        return (rights & ZX_RIGHT_READ) != 0 ? ZX_OK : ZX_ERR_ACCESS_DENIED;
    case ZX_VMO_OP_CACHE_INVALIDATE:
        return ZX_ERR_NOT_SUPPORTED; /* only where system calls for debugging are on */
    case ZX_VMO_OP_DONT_NEED:
    case ZX_VMO_OP_ALWAYS_NEED:
        return ZX_OK;
    default:
        return ZX_ERR_INVALID_ARGS;
    }
}

/* The questions of each operation on plan->range of plan->op.vmo, once the handle is known to be good for it. */
static zx_status_t op_check(const pgr_world *w, struct plan *plan)
{
    plan->op.strict = plan->op.options == ZX_VMO_OP_COMMIT || plan->op.options == ZX_VMO_OP_PREFETCH;
    switch (plan->op.options) {
    case ZX_VMO_OP_COMMIT:
        return vmo_is_physical(w, plan->op.vmo) ? ZX_ERR_NOT_SUPPORTED : rounded_check(w, plan);
    case ZX_VMO_OP_DECOMMIT:
        return vmo_is_physical(w, plan->op.vmo) ? ZX_ERR_NOT_SUPPORTED : decommit_check(w, plan);
    case ZX_VMO_OP_ZERO:
        return vmo_is_physical(w, plan->op.vmo) ? ZX_ERR_NOT_SUPPORTED : zero_check(w, plan);
    case ZX_VMO_OP_LOCK:
    case ZX_VMO_OP_TRY_LOCK:
    case ZX_VMO_OP_UNLOCK:
        return lock_check(w, plan);
    case ZX_VMO_OP_DONT_NEED:
    case ZX_VMO_OP_ALWAYS_NEED:
        return hint_check(w, plan);
    case ZX_VMO_OP_PREFETCH:
        return prefetch_check(w, plan);
    default:
        return cache_check(w, plan);
    }
}

CHECK(vmo_op_range)
{
    zx_status_t status = handle_get(w, plan->call->arg[0], PGR_OBJECT_VMO, ZX_RIGHT_NONE, &plan->op.vmo);

    if (status != ZX_OK)
        return status;
    plan->op.options = arg_u32(plan, 1);
    plan->range.offset = plan->call->arg[2];
    plan->range.size = plan->call->arg[3];
    /* Is there such an operation, and may the handle do it? */
    status = op_right_check(handle_at(w, handle_find(w, plan->call->arg[0]))->rights, plan->op.options);
    return status != ZX_OK ? status : op_check(w, plan);
}

LOOK(vmo_op_range)
{
    pages_note(w, plan);
    plan->need.nodes = tree_growth(2, 0);
    switch (plan->op.options) {
    case ZX_VMO_OP_COMMIT:
        return commit_look(w, plan);
    case ZX_VMO_OP_ZERO:
        return zero_look(w, plan);
    case ZX_VMO_OP_ALWAYS_NEED:
    case ZX_VMO_OP_PREFETCH:
        return fetch_look(w, plan);
    case ZX_VMO_OP_DONT_NEED:
        return dont_need_look(w, plan);
    default:
        return ZX_OK;
    }
}

COMMIT(vmo_op_range)
{
    switch (plan->op.options) {
    case ZX_VMO_OP_COMMIT:
        return commit_commit(w, frames, plan);
    case ZX_VMO_OP_DECOMMIT:
        return decommit_commit(w, plan);
    case ZX_VMO_OP_ZERO:
        return zero_commit(w, frames, plan, result);
    case ZX_VMO_OP_LOCK:
    case ZX_VMO_OP_TRY_LOCK:
    case ZX_VMO_OP_UNLOCK:
        return lock_commit(w, plan, result);
    case ZX_VMO_OP_ALWAYS_NEED:
    case ZX_VMO_OP_PREFETCH:
        return fetch_commit(w, plan);
    case ZX_VMO_OP_DONT_NEED:
        return dont_need_commit(w, plan);
    default:
        return PROGRESS_DONE;
    }
}

/* --- zx_vmar_op_range: the same, mapping by mapping --- */

static int vmar_op_known(uint32_t op)
{
    return op == ZX_VMAR_OP_COMMIT || op == ZX_VMAR_OP_DECOMMIT || op == ZX_VMAR_OP_MAP_RANGE ||
           op == ZX_VMAR_OP_ZERO || op == ZX_VMAR_OP_DONT_NEED || op == ZX_VMAR_OP_ALWAYS_NEED ||
           op == ZX_VMAR_OP_PREFETCH;
}

CHECK(vmar_op_range)
{
    const uint64_t *arg = plan->call->arg;
    zx_status_t status = handle_get(w, arg[0], PGR_OBJECT_VMAR, ZX_RIGHT_NONE, &plan->op.vmar);
    const struct vmar *vmar;
    uint64_t pages;

    if (status != ZX_OK)
        return status;
    plan->op.options = arg_u32(plan, 1);
    pages = size_wraps(w, arg[3]) ? 0 : to_pages_up(w, arg[3]);
    if (!vmar_op_known(plan->op.options) || pages == 0 || !page_aligned(w, arg[2]))
        return ZX_ERR_INVALID_ARGS;
    vmar = vmar_at(w, plan->op.vmar);
    if (to_page(w, arg[2]) < vmar->page || !in_range(to_page(w, arg[2]) - vmar->page, pages, vmar->count))
        return ZX_ERR_OUT_OF_RANGE;
    plan->op.at = arg[2];
    plan->op.at_end = arg[2] + to_bytes(w, pages);
    plan->op.vmar_rights = handle_at(w, handle_find(w, arg[0]))->rights;
    return ZX_OK;
}

/* May this operation be done on this mapping? */
static zx_status_t mapping_check(const pgr_world *w, const struct plan *plan, const struct region *region)
{
    const struct mapping *mapping = &object_at(w, region->row)->mapping;
    uint32_t op = plan->op.options;
    int own = op == ZX_VMAR_OP_COMMIT || op == ZX_VMAR_OP_DECOMMIT || op == ZX_VMAR_OP_PREFETCH;
    int writes = op == ZX_VMAR_OP_COMMIT || op == ZX_VMAR_OP_DECOMMIT || op == ZX_VMAR_OP_ZERO;

    if (region->vmar != plan->op.vmar && (own || (plan->op.vmar_rights & ZX_RIGHT_OP_CHILDREN) == 0))
        return ZX_ERR_INVALID_ARGS;
    /* Could it ever be written, or read? */
    if (writes && (mapping->perms_max & ZX_VM_PERM_WRITE) == 0)
        return ZX_ERR_ACCESS_DENIED;
    return op == ZX_VMAR_OP_PREFETCH && (mapping->perms_max & ZX_VM_PERM_READ) == 0 ? ZX_ERR_ACCESS_DENIED : ZX_OK;
}

/*
 * Enters the mapping at op->at: its VMO is plan->object, its part of the range plan->range, and what the VMO's
 * operation asks is asked.
 */
static zx_status_t mapping_enter_look(const pgr_world *w, struct plan *plan)
{
    struct region region = region_at(w, plan->op.vmar, to_page(w, plan->op.at));
    struct plan sub = *plan;
    zx_status_t status;

    if ((object_at(w, plan->op.vmar)->flags & PGR_VMAR_DESTROYED) != 0 || region.row == 0)
        return ZX_ERR_BAD_STATE;
    status = mapping_check(w, plan, &region);
    if (status != ZX_OK)
        return status;
    plan->object = object_at(w, region.row)->mapping.vmo;
    plan->stop = min_u64(plan->op.at_end, to_bytes(w, region.page + region.count));
    sub.op.vmo = plan->object;
    sub.range.offset =
        to_bytes(w, object_at(w, region.row)->mapping.offset_pages + to_page(w, plan->op.at) - region.page);
    sub.range.size = plan->stop - plan->op.at;
    if (plan->op.options == ZX_VMAR_OP_MAP_RANGE)
        return in_range(sub.range.offset, sub.range.size, to_bytes(w, vmo_window(w, plan->object).size_pages))
                   ? ZX_OK
                   : ZX_ERR_OUT_OF_RANGE;
    status = op_check(w, &sub);
    sub.op.vmo = plan->op.vmo;
    plan->op = sub.op;
    return status;
}

LOOK(vmar_op_range)
{
    if (plan->op.entered)
        return vmo_op_range_look(w, plan);
    return mapping_enter_look(w, plan);
}

COMMIT(vmar_op_range)
{
    enum progress progress = PROGRESS_DONE;

    if (!plan->op.entered) {
        op_move(w, &plan->op, plan->object);
        plan->op.at = plan->stop;
        plan->op.entered = plan->op.options != ZX_VMAR_OP_MAP_RANGE;
        return plan->op.entered || plan->op.at < plan->op.at_end ? PROGRESS_AGAIN : PROGRESS_DONE;
    }
    progress = vmo_op_range_commit(w, frames, plan, result);
    if (progress != PROGRESS_DONE)
        return progress;
    plan->op.entered = 0;
    return plan->op.at < plan->op.at_end ? PROGRESS_AGAIN : PROGRESS_DONE;
}
