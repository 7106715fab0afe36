/*
 * System calls of pagers but for zx_pager_supply_pages: zx_pager_create, zx_pager_create_vmo, zx_pager_detach_vmo,
 * zx_pager_op_range. What the operations that track dirty pages do is in calls_dirty.c.
 */
#include "calls.h"

#include "handles.h"
#include "ports.h"

/* --- zx_pager_create --- */

CHECK(pager_create)
{
    (void)w;
    plan->need.object_rows = 1;
    plan->need.handles = 1;
    plan->need.counted = 1;
    return arg_u32(plan, 0) != 0 ? ZX_ERR_INVALID_ARGS : ZX_OK;
}

COMMIT(pager_create)
{
    (void)frames, (void)plan;
    result->out[1] = handle_make_default(w, object_make(w, PGR_OBJECT_PAGER), 0);
    return PROGRESS_DONE;
}

/* --- zx_pager_create_vmo --- */

CHECK(pager_create_vmo)
{
    uint64_t size = plan->call->arg[4];
    zx_status_t status = handle_get(w, plan->call->arg[0], PGR_OBJECT_PAGER, ZX_RIGHT_ATTACH_VMO, &plan->pager);

    if (status == ZX_OK)
        status = handle_get(w, plan->call->arg[2], PGR_OBJECT_PORT, ZX_RIGHT_WRITE, &plan->object);
    if (status != ZX_OK)
        return status;
    if ((arg_u32(plan, 1) & ~(ZX_VMO_RESIZABLE | ZX_VMO_TRAP_DIRTY)) != 0)
        return ZX_ERR_INVALID_ARGS;
    plan->size_pages = to_pages_up(w, size);
    if (size_wraps(w, size) || plan->size_pages > vmo_pages_max(w))
        return ZX_ERR_OUT_OF_RANGE;
    vmo_needed(&plan->need, 3);
    plan->need.packets = 1;
    return ZX_OK;
}

/*
 * The tie between these pages, the pager and the port. The port lives on for it, but a closed one swallows its
 * packets.
 */
static uint32_t source_make(pgr_world *w, const struct plan *plan, uint32_t pages)
{
    uint32_t row = object_make(w, PGR_OBJECT_SOURCE);
    struct source *source = source_at(w, row);

    *source = (struct source){
        .pager = plan->pager,
        .port = plan->object,
        .pages = pages,
        .packet = row_take(w, TABLE_PACKETS),
        .key = plan->call->arg[3],
        .pager_koid = object_at(w, plan->pager)->koid,
    };
    list_append(w, &object_at(w, plan->pager)->pager.sources, CHAIN_OF_PAGER, row);
    packet_at(w, source->packet)->kind = PACKET_SOURCE;
    packet_at(w, source->packet)->port = plan->object;
    packet_at(w, source->packet)->source = row;
    object_reference(w, plan->object);
    object_reference(w, row);
    return row;
}

COMMIT(pager_create_vmo)
{
    int resizable = (arg_u32(plan, 1) & ZX_VMO_RESIZABLE) != 0;
    uint32_t trap = (arg_u32(plan, 1) & ZX_VMO_TRAP_DIRTY) != 0 ? PGR_PAGES_TRAP_DIRTY : 0;
    uint32_t pages = pages_make(w, plan->size_pages, (uint8_t)(trap | (resizable ? PGR_PAGES_RESIZABLE : 0)));

    (void)frames;
    pages_at(w, pages)->content_size_bytes = plan->call->arg[4];
    pages_at(w, pages)->source = source_make(w, plan, pages);
    evictable_append(w, pages);
    result->out[5] = handle_make_default(w, vmo_make(w, pages, PGR_VMO_FROM_PAGER), resizable ? ZX_RIGHT_RESIZE : 0);
    return PROGRESS_DONE;
}

/* --- what all calls on a pager's VMO ask --- */

zx_status_t pager_vmo_get(const pgr_world *w, uint64_t pager, uint64_t vmo, zx_rights_t pager_rights,
                          zx_rights_t vmo_rights, struct plan *plan)
{
    zx_status_t status = handle_get(w, pager, PGR_OBJECT_PAGER, pager_rights, &plan->pager);
    uint32_t source;

    if (status == ZX_OK)
        status = handle_get(w, vmo, PGR_OBJECT_VMO, vmo_rights, &plan->object);
    if (status != ZX_OK)
        return status;
    /* Was this very VMO made from this pager? Its children were not. A VMO remembers its pager for ever. */
    source = pages_at(w, vmo_at(w, plan->object)->pages)->source;
    if ((object_at(w, plan->object)->flags & PGR_VMO_FROM_PAGER) == 0 ||
        source_at(w, source)->pager_koid != object_at(w, plan->pager)->koid)
        return ZX_ERR_INVALID_ARGS;
    return ZX_OK;
}

/* --- zx_pager_detach_vmo --- */

CHECK(pager_detach_vmo)
{
    return pager_vmo_get(w, plan->call->arg[0], plan->call->arg[1], ZX_RIGHT_ATTACH_VMO | ZX_RIGHT_MANAGE_VMO,
                         ZX_RIGHT_WRITE, plan);
}

/* Requests end before the last packet is sent, so that it is the only one left; what is clean goes, each time. */
COMMIT(pager_detach_vmo)
{
    uint32_t pages = vmo_at(w, plan->object)->pages;
    uint32_t source = pages_at(w, pages)->source;

    (void)frames, (void)result;
    object_at(w, source)->flags |= PGR_SOURCE_DETACHED;
    requests_end(w, source);
    source_complete(w, source);
    pages_drop_clean(w, pages);
    return PROGRESS_DONE;
}

/* --- zx_pager_op_range --- */

/* Is this the sign extension of a code that a pager may fail requests with? */
static int fail_code_allowed(const pgr_world *w, uint64_t data)
{
    switch ((int64_t)data) {
    case ZX_ERR_IO:
    case ZX_ERR_IO_DATA_INTEGRITY:
    case ZX_ERR_BAD_STATE:
        return 1;
    case ZX_ERR_NO_SPACE:
    case ZX_ERR_BUFFER_TOO_SMALL:
        return (w->config.options & PGR_OPTION_FAIL_CODES_KERNEL) != 0;
    default:
        return 0;
    }
}

static zx_status_t fail_check(const pgr_world *w, const struct plan *plan, uint32_t pages)
{
    if (!fail_code_allowed(w, plan->call->arg[5]))
        return ZX_ERR_INVALID_ARGS;
    if (!in_range(to_page(w, plan->call->arg[3]), to_page(w, plan->call->arg[4]), pages_at(w, pages)->size_pages))
        return ZX_ERR_OUT_OF_RANGE;
    return source_detached(w, pages_at(w, pages)->source) ? ZX_ERR_BAD_STATE : ZX_OK;
}

/* `allowed`: what the operation's data may have. */
static zx_status_t writeback_check(const pgr_world *w, struct plan *plan, uint32_t pages, uint64_t allowed)
{
    uint64_t page = to_page(w, plan->call->arg[3]);
    uint64_t count = to_page(w, plan->call->arg[4]);
    uint64_t runs;

    if ((plan->call->arg[5] & ~allowed) != 0)
        return ZX_ERR_INVALID_ARGS;
    if (!in_range(page, count, pages_at(w, pages)->size_pages))
        return ZX_ERR_OUT_OF_RANGE;
    runs = pages_runs(w, pages, page, page + count);
    plan->need.nodes = tree_growth(2 * runs, runs);
    return ZX_OK;
}

CHECK(pager_op_range)
{
    const uint64_t *arg = plan->call->arg;
    zx_status_t status;
    uint32_t pages;

    /* Page boundaries? Asked before the handles. */
    if (!page_aligned(w, arg[3] | arg[4]))
        return ZX_ERR_INVALID_ARGS;
    status = pager_vmo_get(w, arg[0], arg[2], ZX_RIGHT_MANAGE_VMO, ZX_RIGHT_WRITE, plan);
    if (status != ZX_OK)
        return status;
    pages = vmo_at(w, plan->object)->pages;
    switch (arg_u32(plan, 1)) {
    case ZX_PAGER_OP_FAIL:
        return fail_check(w, plan, pages);
    case ZX_PAGER_OP_DIRTY:
        return dirty_check(w, plan, arg[3], arg[4], arg[5]);
    case ZX_PAGER_OP_WRITEBACK_BEGIN:
        return writeback_check(w, plan, pages, ZX_VMO_DIRTY_RANGE_IS_ZERO);
    case ZX_PAGER_OP_WRITEBACK_END:
        return writeback_check(w, plan, pages, 0);
    default:
        return ZX_ERR_NOT_SUPPORTED;
    }
}

COMMIT(pager_op_range)
{
    const uint64_t *arg = plan->call->arg;
    uint32_t pages = vmo_at(w, plan->object)->pages;
    uint64_t begin = to_page(w, arg[3]);
    uint64_t end = begin + to_page(w, arg[4]);

    switch (arg_u32(plan, 1)) {
    case ZX_PAGER_OP_FAIL:
        requests_fail(w, pages_at(w, pages)->source, begin, end, (zx_status_t)arg[5]);
        break;
    case ZX_PAGER_OP_DIRTY:
        dirty_commit(w, frames, plan, begin);
        result->status = plan->verdict;
        break;
    case ZX_PAGER_OP_WRITEBACK_BEGIN:
        writeback_begin(w, pages, begin, end, arg[5] != 0);
        break;
    default:
        writeback_end(w, pages, begin, end);
        break;
    }
    return PROGRESS_DONE;
}
