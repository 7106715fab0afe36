/*
 * System calls that use what VMOs hold: zx_vmo_read, zx_vmo_write, zx_vmo_op_range.
 *
 * All of them go page after page, and each step as far as no page has to be asked for. A step that stands before an absent page asks for
 * it, and waits. What earlier steps have done stays done.
 */
#include "pgr_internal.h"

/* Offset of a VMO's window in its pages, in bytes. */
static uint64_t window_base(const pgr_world *w, const struct window *window) { return to_bytes(w, window->offset_pages); }

/* The READ request for the page at op->position and those behind it that the call still needs, `most` at most (0: no limit). */
static zx_status_t position_want(const pgr_world *w, struct plan *plan, const struct window *window, uint64_t most)
{
    uint64_t base = window_base(w, window);
    uint64_t page = to_page(w, base + plan->op.position);
    uint64_t rest = to_pages_up(w, base + plan->op.end) - page;

    return pages_want(w, window->pages, page, most == 0 ? rest : min_u64(most, rest), &plan->want);
}

/* Is the page at op->position absent? */
static int position_absent(const pgr_world *w, const struct plan *plan, const struct window *window)
{
    const struct pages *pages = pages_at(w, window->pages);
    struct cursor at = cursor_on(&pages->map);
    uint64_t page = to_page(w, window_base(w, window) + plan->op.position);
    struct piece piece = map_piece(w, &at, page, page + 1);

    return piece_absent(pages, &piece);
}

/* --- zx_vmo_read, zx_vmo_write --- */

static zx_status_t transfer_check(const pgr_world *w, struct plan *plan, zx_rights_t right)
{
    uint64_t offset = plan->call->arg[2];
    uint64_t size = plan->call->arg[3];
    zx_status_t status = handle_get(w, plan->call->arg[0], PGR_OBJECT_VMO, right, &plan->op.vmo);

    if (status != ZX_OK)
        return status;
    if (vmo_is_physical(w, plan->op.vmo))
        return ZX_ERR_NOT_SUPPORTED;
    if (size > UINT64_MAX - offset)
        return ZX_ERR_OUT_OF_RANGE;
    plan->op.begin = offset;
    plan->op.position = offset;
    plan->op.end = offset + size;
    return ZX_OK;
}

/* What is asked before each step: a transfer is whole, or it is out of range, also if the VMO has shrunk since it began. */
static zx_status_t transfer_look(const pgr_world *w, const struct plan *plan, const struct window *window)
{
    if (plan->wake_status != ZX_OK)
        return plan->wake_status;
    if (plan->op.end > to_bytes(w, window->size_pages))
        return ZX_ERR_OUT_OF_RANGE;
    /* Is there a buffer at the caller's address? Of no bytes nothing is asked. */
    if (plan->op.end > plan->op.begin &&
        (plan->call->buffer == NULL || plan->call->buffer_bytes < plan->op.end - plan->op.begin))
        return ZX_ERR_NOT_FOUND;
    return ZX_OK;
}

CHECK(vmo_read) { return transfer_check(w, plan, ZX_RIGHT_READ); }

LOOK(vmo_read)
{
    struct window window = vmo_window(w, plan->op.vmo);
    zx_status_t status = transfer_look(w, plan, &window);

    if (status != ZX_OK || plan->op.position == plan->op.end || !position_absent(w, plan, &window))
        return status;
    return position_want(w, plan, &window, w->config.read_batch);
}

COMMIT(vmo_read)
{
    struct window window = vmo_window(w, plan->op.vmo);
    uint64_t base = window_base(w, &window);
    struct op *op = &plan->op;

    (void)result;
    if (plan->want.count > 0)
        return PROGRESS_WAIT;
    if (op->position < op->end)
        op->position = pages_copy_out(w, frames, window.pages, base + op->position, base + op->end,
                                      (char *)plan->call->buffer + (op->position - op->begin)) - base;
    return op->position < op->end ? PROGRESS_AGAIN : PROGRESS_DONE;
}

CHECK(vmo_write) { return transfer_check(w, plan, ZX_RIGHT_WRITE); }

LOOK(vmo_write)
{
    struct window window = vmo_window(w, plan->op.vmo);
    zx_status_t status = transfer_look(w, plan, &window);
    uint64_t base = window_base(w, &window);
    uint32_t pins = 0;

    if (status != ZX_OK || plan->op.position == plan->op.end)
        return status;
    if (position_absent(w, plan, &window))
        return position_want(w, plan, &window, w->config.read_batch);
    plan->stop = pages_scan(w, window.pages, to_page(w, base + plan->op.position), to_pages_up(w, base + plan->op.end), &plan->need, &pins);
    return ZX_OK;
}

COMMIT(vmo_write)
{
    struct window window = vmo_window(w, plan->op.vmo);
    uint64_t base = window_base(w, &window);
    struct op *op = &plan->op;
    uint64_t stop;

    (void)result;
    if (plan->want.count > 0)
        return PROGRESS_WAIT;
    if (op->position == op->end)
        return PROGRESS_DONE;
    stop = min_u64(op->end, to_bytes(w, plan->stop) - base);
    pages_prepare(w, frames, window.pages, USE_WRITE, to_page(w, base + op->position), plan->stop, 0);
    pages_copy_in(w, frames, window.pages, base + op->position, base + stop,
                  (const char *)plan->call->buffer + (op->position - op->begin));
    op->position = stop;
    return stop < op->end ? PROGRESS_AGAIN : PROGRESS_DONE;
}

/* --- ZX_VMO_OP_COMMIT --- */

static zx_status_t commit_check(const pgr_world *w, struct plan *plan)
{
    uint64_t offset = plan->call->arg[2];
    uint64_t size = plan->call->arg[3];
    uint64_t page = to_page(w, offset);

    if (size > UINT64_MAX - offset || size_wraps(w, offset + size))
        return ZX_ERR_OUT_OF_RANGE;
    /* The range is rounded outwards: an empty one between two boundaries is a page. */
    if (!in_range(page, to_pages_up(w, offset + size) - page, vmo_window(w, plan->op.vmo).size_pages))
        return ZX_ERR_OUT_OF_RANGE;
    plan->op.begin = to_bytes(w, page);
    plan->op.position = plan->op.begin;
    plan->op.end = to_bytes(w, to_pages_up(w, offset + size));
    plan->op.strict = 1;
    return ZX_OK;
}

static zx_status_t commit_look(const pgr_world *w, struct plan *plan)
{
    struct window window = vmo_window(w, plan->op.vmo);
    uint64_t base = window_base(w, &window);
    uint32_t pins = 0;

    if (plan->wake_status != ZX_OK)
        return plan->wake_status;
    /* What a shrinking VMO has lost meanwhile need not be committed. */
    plan->op.end = min_u64(plan->op.end, to_bytes(w, window.size_pages));
    if (plan->op.position >= plan->op.end)
        return ZX_OK;
    if (position_absent(w, plan, &window))
        return position_want(w, plan, &window, 0);
    plan->stop = pages_scan(w, window.pages, to_page(w, base + plan->op.position), to_page(w, base + plan->op.end), &plan->need, &pins);
    return ZX_OK;
}

static enum progress commit_commit(pgr_world *w, void *frames, struct plan *plan)
{
    struct window window = vmo_window(w, plan->op.vmo);
    uint64_t base = window_base(w, &window);

    if (plan->want.count > 0)
        return PROGRESS_WAIT;
    if (plan->op.position >= plan->op.end)
        return PROGRESS_DONE;
    pages_prepare(w, frames, window.pages, USE_COMMIT, to_page(w, base + plan->op.position), plan->stop, 0);
    plan->op.position = to_bytes(w, plan->stop) - base;
    return plan->op.position < plan->op.end ? PROGRESS_AGAIN : PROGRESS_DONE;
}

/* --- ZX_VMO_OP_DECOMMIT --- */

static zx_status_t decommit_check(const pgr_world *w, struct plan *plan)
{
    uint64_t offset = plan->call->arg[2];
    uint64_t size = plan->call->arg[3];
    struct window window = vmo_window(w, plan->op.vmo);
    uint64_t size_bytes = to_bytes(w, window.size_pages);
    uint64_t base = window_base(w, &window);

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
    struct window window = vmo_window(w, plan->op.vmo);
    uint64_t base = window_base(w, &window);

    if (plan->op.begin < plan->op.end)
        pages_discard(w, window.pages, to_page(w, base + plan->op.begin), to_page(w, base + plan->op.end));
    return PROGRESS_DONE;
}

/* --- ZX_VMO_OP_ZERO --- */

/* The parts of a range that is to be zeroed, in the order in which they are. Their numbers are those of op->stage. */
enum zero_part { ZERO_HEAD = 1, ZERO_TAIL, ZERO_WHOLE, ZERO_PARTS_END };

void zero_begin(pgr_world *w, struct op *op, uint64_t begin, uint64_t end)
{
    (void)w;
    op->begin = begin;
    op->end = end;
    op->stage = ZERO_HEAD;
    op->forgiving = 1;
}

static zx_status_t zero_check(const pgr_world *w, struct plan *plan)
{
    uint64_t offset = plan->call->arg[2];
    uint64_t size = plan->call->arg[3];

    (void)w;
    if (size > UINT64_MAX - offset)
        return ZX_ERR_OUT_OF_RANGE;
    plan->op.begin = offset;
    plan->op.end = offset + size;
    plan->op.stage = ZERO_HEAD;
    return ZX_OK;
}

/*
 *       begin                end
 *   |-----[===|=======|=======|===]-----|      head: to the first boundary, if the range does not begin on one
 *         head    whole pages tail             tail: from the last boundary, unless the head has it already
 */
static void zero_part_range(const pgr_world *w, const struct op *op, enum zero_part part, uint64_t *begin, uint64_t *end)
{
    uint64_t mask = page_bytes(w) - 1;
    uint64_t first = to_bytes(w, to_pages_up(w, op->begin));
    uint64_t last = op->end & ~mask;

    *begin = part == ZERO_HEAD ? op->begin : first;
    *end = last;
    if (part == ZERO_HEAD)
        *end = min_u64(first, op->end);
    if (part == ZERO_TAIL) {
        *begin = max_u64(first, last);
        *end = op->end;
    }
    *end = max_u64(*begin, *end);
}

/* What zeroing one part takes. A part that reads as zeros is left out; an absent page makes the call want it. */
static zx_status_t zero_part_look(const pgr_world *w, struct plan *plan, enum zero_part part, const struct window *window)
{
    const struct pages *pages = pages_at(w, window->pages);
    uint64_t base = window_base(w, window);
    struct cursor at = cursor_on(&pages->map);
    struct piece piece;
    uint64_t begin;
    uint64_t end;
    uint32_t pins = 0;

    zero_part_range(w, &plan->op, part, &begin, &end);
    if (begin == end)
        return ZX_OK;
    if (part == ZERO_WHOLE) {
        plan->need.nodes += pages_zero_nodes(w, window->pages, to_page(w, base + begin), to_page(w, base + end));
        plan->value |= 1u << part;
        return ZX_OK;
    }
    piece = map_piece(w, &at, to_page(w, base + begin), to_page(w, base + begin) + 1);
    if (piece_absent(pages, &piece))
        return plan->value != 0 ? ZX_OK : pages_want(w, window->pages, piece.page, 1, &plan->want);
    if (!state_has_frame(piece.state))
        return ZX_OK;
    pages_scan(w, window->pages, piece.page, piece.page + 1, &plan->need, &pins);
    plan->value |= 1u << part;
    return ZX_OK;
}

static int zero_part_absent(const pgr_world *w, const struct plan *plan, enum zero_part part, const struct window *window)
{
    struct plan here = {.op = plan->op};
    uint64_t begin;
    uint64_t end;

    zero_part_range(w, &plan->op, part, &begin, &end);
    here.op.position = begin;
    return part != ZERO_WHOLE && begin < end && position_absent(w, &here, window);
}

/* As many parts as can be zeroed without waiting are one step: plan->value has a bit for each, plan->stop is the first that is not. */
LOOK(zero)
{
    struct window window = vmo_window(w, plan->op.vmo);
    zx_status_t status = ZX_OK;

    if (plan->wake_status != ZX_OK)
        return plan->wake_status;
    if (plan->op.end > to_bytes(w, window.size_pages))
        return ZX_ERR_OUT_OF_RANGE;
    plan->value = 0;
    for (plan->stop = plan->op.stage; plan->stop < ZERO_PARTS_END && status == ZX_OK; plan->stop++) {
        status = zero_part_look(w, plan, (enum zero_part)plan->stop, &window);
        if (zero_part_absent(w, plan, (enum zero_part)plan->stop, &window))
            break;
    }
    return status;
}

static void zero_part_commit(pgr_world *w, void *frames, const struct plan *plan, enum zero_part part)
{
    struct window window = vmo_window(w, plan->op.vmo);
    uint64_t base = window_base(w, &window);
    uint64_t begin;
    uint64_t end;

    zero_part_range(w, &plan->op, part, &begin, &end);
    if (part == ZERO_WHOLE) {
        pages_zero(w, frames, window.pages, to_page(w, base + begin), to_page(w, base + end));
        return;
    }
    pages_prepare(w, frames, window.pages, USE_WRITE, to_page(w, base + begin), to_page(w, base + begin) + 1, 0);
    pages_copy_in(w, frames, window.pages, base + begin, base + end, NULL);
}

COMMIT(zero)
{
    unsigned part;

    (void)result;
    if (plan->want.count > 0)
        return PROGRESS_WAIT;
    for (part = ZERO_HEAD; part < ZERO_PARTS_END; part++) {
        if ((plan->value & 1u << part) != 0)
            zero_part_commit(w, frames, plan, (enum zero_part)part);
    }
    plan->op.stage = (uint8_t)plan->stop;
    return plan->op.stage < ZERO_PARTS_END ? PROGRESS_AGAIN : PROGRESS_DONE;
}

/* --- zx_vmo_op_range --- */

CHECK(vmo_op_range)
{
    zx_status_t status = handle_get(w, plan->call->arg[0], PGR_OBJECT_VMO, ZX_RIGHT_NONE, &plan->op.vmo);

    if (status != ZX_OK)
        return status;
    plan->op.options = arg_u32(plan, 1);
    /* Is there such an operation? Asked before the right that it wants. */
    if (plan->op.options != ZX_VMO_OP_COMMIT && plan->op.options != ZX_VMO_OP_DECOMMIT &&
        plan->op.options != ZX_VMO_OP_ZERO)
        return ZX_ERR_INVALID_ARGS;
    status = handle_get(w, plan->call->arg[0], PGR_OBJECT_VMO, ZX_RIGHT_WRITE, &plan->op.vmo);
    if (status != ZX_OK)
        return status;
    if (vmo_is_physical(w, plan->op.vmo))
        return ZX_ERR_NOT_SUPPORTED;
    switch (plan->op.options) {
    case ZX_VMO_OP_COMMIT:
        return commit_check(w, plan);
    case ZX_VMO_OP_DECOMMIT:
        return decommit_check(w, plan);
    default:
        return zero_check(w, plan);
    }
}

LOOK(vmo_op_range)
{
    switch (plan->op.options) {
    case ZX_VMO_OP_COMMIT:
        return commit_look(w, plan);
    case ZX_VMO_OP_DECOMMIT:
        plan->need.nodes = tree_growth(2, 0);
        return ZX_OK;
    default:
        return zero_look(w, plan);
    }
}

COMMIT(vmo_op_range)
{
    switch (plan->op.options) {
    case ZX_VMO_OP_COMMIT:
        return commit_commit(w, frames, plan);
    case ZX_VMO_OP_DECOMMIT:
        return decommit_commit(w, plan);
    default:
        return zero_commit(w, frames, plan, result);
    }
}
