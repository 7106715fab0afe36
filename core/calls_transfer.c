/*
 * System call zx_vmo_transfer_data: what one range holds becomes what another holds; the first reads as zeros afterwards.
 *
 * First everything is taken, into pages of the call's own, then the destination is looked at, then everything is put:
 * so overlapping ranges of one VMO do not matter, and a destination that is no good loses what was taken, as it does in
 * the kernel. Plain VMOs give and get runs, in one step. Where a page may be seen by copy-on-write relatives, or in an
 * ancestor, it is made private first, one after another, and may have to be asked for.
 */
#include "calls.h"

#include "frames.h"
#include "handles.h"

enum transfer_stage { TRANSFER_TAKE, TRANSFER_PUT };

/* Can a VMO of this kind take part at all? */
static int transfer_refused(const pgr_world *w, uint32_t vmo)
{
    uint8_t flags = object_at(w, vmo_at(w, vmo)->pages)->flags;

    return (flags & (PGR_PAGES_CONTIGUOUS | PGR_PAGES_PHYSICAL)) != 0;
}

/* The range of one side: inside of the VMO, not a pager's own, not pinned. Of no pages nothing is asked. */
static zx_status_t side_check(const pgr_world *w, uint32_t vmo, uint64_t offset, uint64_t length)
{
    struct window window = vmo_window(w, vmo);
    uint64_t page = window.offset_pages + to_page(w, offset);

    if (length == 0)
        return ZX_OK;
    if (!in_range(offset, length, to_bytes(w, window.size_pages)))
        return ZX_ERR_OUT_OF_RANGE;
    if (pages_at(w, window.pages)->source != 0)
        return ZX_ERR_NOT_SUPPORTED;
    return pages_pinned(w, window.pages, page, page + to_page(w, length)) ? ZX_ERR_BAD_STATE : ZX_OK;
}

static zx_status_t receiver_check(const pgr_world *w, const struct op *op)
{
    uint64_t length = op->end - op->begin;

    if (transfer_refused(w, op->second_vmo))
        return ZX_ERR_NOT_SUPPORTED;
    if (length > UINT64_MAX - op->size)
        return ZX_ERR_OUT_OF_RANGE;
    return side_check(w, op->second_vmo, op->size, length);
}

CHECK(vmo_transfer_data)
{
    const uint64_t *arg = plan->call->arg;
    zx_status_t status;

    if (arg_u32(plan, 1) != 0 || !page_aligned(w, arg[2] | arg[3] | arg[5]))
        return ZX_ERR_INVALID_ARGS;
    status = handle_get(w, arg[0], PGR_OBJECT_VMO, ZX_RIGHT_WRITE, &plan->op.second_vmo);
    if (status == ZX_OK)
        status = handle_get(w, arg[4], PGR_OBJECT_VMO, ZX_RIGHTS_IO, &plan->op.vmo);
    if (status != ZX_OK)
        return status;
    /* To where it is already? Nothing is asked of the range then. */
    if (plan->op.vmo == plan->op.second_vmo && arg[2] == arg[5])
        return ZX_OK;
    if (transfer_refused(w, plan->op.vmo))
        return ZX_ERR_NOT_SUPPORTED;
    if (arg[3] > UINT64_MAX - arg[5])
        return ZX_ERR_OUT_OF_RANGE;
    status = side_check(w, plan->op.vmo, arg[5], arg[3]);
    plan->op.begin = arg[5];
    plan->op.position = arg[5];
    plan->op.end = arg[5] + arg[3];
    plan->op.size = arg[2];
    plan->op.strict = 1;
    plan->has_work = 1; /* there is something to do */
    return status;
}

/*
 * A page of a destination that others may see is made private before it is replaced: so an absent one is asked for. As
 * many pages as are seen as one piece, and were taken as one, are replaced in one step.
 */
static zx_status_t put_look(const pgr_world *w, struct plan *plan, uint64_t page)
{
    const struct caps caps = {.read = 1, .dirty = 1};
    struct cursor at = cursor_on(&pages_at(w, plan->pages)->map);
    struct cursor here = cursor_on(&pages_at(w, plan->op.taken)->map);
    struct sight sight = pages_see(w, &at, plan->pages, page, plan->stop);
    uint64_t done = to_page(w, plan->op.position - plan->op.begin);
    struct piece taken = map_piece(w, &here, done, done + sight.piece.count);

    plan->stop = page + taken.count;
    plan->need.nodes += tree_growth(4, 0);
    return sight.absent ? pages_want(w, plan->pages, PGR_EVENT_COMMIT, page, page + 1, &caps, &plan->want) : ZX_OK;
}

/*
 * Looks at one side of the transfer from `offset` on: whether it is still as it must be, for it may have been pinned or
 * cut off while the call waited; whether the next page has to be asked for; and what a step takes.
 */
static zx_status_t side_look(const pgr_world *w, struct plan *plan, uint32_t vmo, uint64_t offset)
{
    struct window window = vmo_window(w, vmo);
    uint64_t page = window.offset_pages + to_page(w, offset);
    const struct caps caps = {.read = 1, .dirty = 1};
    zx_status_t status = side_check(w, vmo, offset, plan->op.end - plan->op.position);
    uint32_t pins = 0;

    if (status != ZX_OK)
        return status;
    plan->pages = window.pages;
    plan->base = page;
    plan->stop = page + to_page(w, plan->op.end - plan->op.position);
    if (!pages_have_relatives(w, window.pages)) {
        uint64_t runs = pages_runs(w, window.pages, page, plan->stop) + pages_at(w, plan->op.taken)->map.run_count;

        plan->need.nodes += tree_growth(2 * runs + 2, runs);
        return ZX_OK;
    }
    if (plan->op.stage == TRANSFER_PUT)
        return put_look(w, plan, page);
    plan->stop = page + 1;
    status = pages_want(w, window.pages, PGR_EVENT_COMMIT, page, page + 1, &caps, &plan->want);
    if (status != ZX_OK || plan->want.count > 0)
        return status;
    pages_scan(w, window.pages, PGR_EVENT_COMMIT, page, page + 1, &plan->need, &pins);
    plan->need.frames += 1; /* of zeros, in the place of one that is taken */
    plan->need.nodes += tree_growth(2, 0);
    return ZX_OK;
}

LOOK(vmo_transfer_data)
{
    struct op *op = &plan->op;

    if (plan->wake_status != ZX_OK)
        return plan->wake_status;
    if (op->taken == 0) {
        plan->need.object_rows = 1;
        return ZX_OK;
    }
    if (op->position == op->end)
        return op->stage == TRANSFER_TAKE ? receiver_check(w, op) : ZX_OK;
    if (op->stage == TRANSFER_TAKE)
        return side_look(w, plan, op->vmo, op->position);
    return side_look(w, plan, op->second_vmo, op->size + (op->position - op->begin));
}

/* Moves runs with frames from one map to another; `to` has nothing there. */
static void runs_move(pgr_world *w, uint32_t from_row, uint64_t from, uint64_t end, uint32_t to_row, uint64_t to)
{
    struct pages *source = pages_at(w, from_row);
    struct pages *target = pages_at(w, to_row);
    struct cursor out = cursor_on(&source->map);
    struct cursor in = cursor_on(&target->map);

    while (from < end) {
        struct piece piece = map_piece(w, &out, from, end);
        struct run run = {.page = to, .count = piece.count, .frame = piece.frame, .state = piece.state};

        if (piece.state != PGR_PAGE_NONE) {
            pages_put(w, source, &out, &(struct run){.page = piece.page, .count = piece.count});
            pages_put(w, target, &in, &run);
        }
        from += piece.count;
        to += piece.count;
    }
}

/* A page that others may see is private now; its frame is taken, and one of zeros comes in its place. */
static void page_take(pgr_world *w, void *frames, uint32_t row, uint64_t page, uint32_t taken, uint64_t to)
{
    struct pages *pages = pages_at(w, row);
    struct cursor at = cursor_on(&pages->map);
    struct stretch zeros;

    pages_prepare(w, frames, row, PGR_EVENT_COMMIT, page, page + 1, 0);
    runs_move(w, row, page, page + 1, taken, to);
    zeros = frames_take(w, frames, 1);
    pages_put(w, pages, &at,
              &(struct run){.page = page, .count = 1, .frame = zeros.frame, .state = PGR_PAGE_ANONYMOUS});
}

/* Pages that an ancestor may show through are hidden by markers if nothing was taken for them. */
static void piece_put(pgr_world *w, uint32_t row, uint64_t page, uint64_t count, uint32_t taken, uint64_t from)
{
    struct pages *pages = pages_at(w, row);
    struct cursor at = cursor_on(&pages->map);
    struct cursor here = cursor_on(&pages_at(w, taken)->map);
    int hides = pages->parent != 0 && page < pages->parent_limit_pages;

    pages_discard(w, row, page, page + count);
    if (map_piece(w, &here, from, from + count).state != PGR_PAGE_NONE)
        runs_move(w, taken, from, from + count, row, page);
    else if (hides)
        pages_put(w, pages, &at, &(struct run){.page = page, .count = count, .state = PGR_PAGE_MARKER});
}

static void side_commit(pgr_world *w, void *frames, const struct plan *plan, uint64_t done)
{
    uint32_t row = plan->pages;
    uint32_t taken = plan->op.taken;
    int plain = !pages_have_relatives(w, row);

    if (plan->op.stage == TRANSFER_TAKE && plain) {
        runs_move(w, row, plan->base, plan->stop, taken, done);
    } else if (plan->op.stage == TRANSFER_TAKE) {
        page_take(w, frames, row, plan->base, taken, done);
    } else if (plain) {
        pages_discard(w, row, plan->base, plan->stop);
        runs_move(w, taken, done, done + (plan->stop - plan->base), row, plan->base);
    } else {
        piece_put(w, row, plan->base, plan->stop - plan->base, taken, done);
    }
}

COMMIT(vmo_transfer_data)
{
    struct op *op = &plan->op;
    uint64_t count = plan->stop - plan->base;

    (void)result;
    if (op->taken == 0) {
        if (plan->has_work == 0)
            return PROGRESS_DONE;
        op->taken = pages_make(w, to_page(w, op->end - op->begin), 0);
        object_reference(w, op->taken);
        return PROGRESS_AGAIN;
    }
    if (plan->want.count > 0)
        return PROGRESS_WAIT;
    if (op->position < op->end) {
        side_commit(w, frames, plan, to_page(w, op->position - op->begin));
        op->position += to_bytes(w, count);
        return PROGRESS_AGAIN;
    }
    if (op->stage == TRANSFER_PUT)
        return PROGRESS_DONE;
    op->stage = TRANSFER_PUT;
    op->position = op->begin;
    return PROGRESS_AGAIN;
}
