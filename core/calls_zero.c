/*
 * ZX_VMO_OP_ZERO, as an operation of its own and as the end of calls that change a size.
 */
#include "calls.h"

/* The parts of a range that is to be zeroed, in the order in which they are. Their numbers are those of op->stage. */
enum zero_part { ZERO_HEAD = 1, ZERO_TAIL, ZERO_WHOLE, ZERO_PARTS_END };

void zero_begin(struct op *op, uint64_t begin, uint64_t end)
{
    op->begin = begin;
    op->position = begin;
    op->end = end;
    op->stage = ZERO_HEAD;
    op->forgiving = 1;
}

CHECK(zero)
{
    uint64_t offset = plan->range.offset;
    uint64_t size = plan->range.size;

    (void)w;
    plan->op.begin = offset;
    plan->op.position = offset;
    /* An end that wraps is out of range; but another question is asked before that. */
    plan->op.end = size > UINT64_MAX - offset ? UINT64_MAX : offset + size;
    plan->op.stage = ZERO_HEAD;
    return ZX_OK;
}

/*
 *       begin                end
 *   |-----[===|=======|=======|===]-----|      head: to the first boundary, if the range does not begin on one
 *         head    whole pages tail             tail: from the last boundary, unless the head has it already
 */
static void zero_part_range(const pgr_world *w, const struct op *op, enum zero_part part, uint64_t *begin,
                            uint64_t *end)
{
    uint64_t mask = page_bytes(w) - 1;
    uint64_t first = to_bytes(w, to_pages_up(w, op->begin));
    uint64_t last = op->end & ~mask;

    *begin = part == ZERO_HEAD ? op->begin : max_u64(first, op->position);
    *end = last;
    if (part == ZERO_HEAD)
        *end = min_u64(first, op->end);
    if (part == ZERO_TAIL) {
        *begin = max_u64(first, last);
        *end = op->end;
    }
    *end = max_u64(*begin, *end);
}

/*
 * What zeroing the head or the tail takes. Only pages that a write would reach are written: a page that is known to
 * read as zeros is left out. Of pages that see through to others, only an own marker is known.
 */
static zx_status_t zero_edge_look(const pgr_world *w, struct plan *plan, enum zero_part part, uint64_t page)
{
    const struct pages *pages = pages_at(w, plan->pages);
    const struct caps caps = {.read = 1, .dirty = 1};
    struct cursor at = cursor_on(&pages->map);
    struct sight sight = pages_see(w, &at, plan->pages, page, page + 1);
    zx_status_t status;
    uint32_t pins = 0;

    if (!sight.absent && !state_has_frame(sight.piece.state) &&
        (sight.piece.state != PGR_PAGE_NONE || pages->parent == 0) && sight.owner == plan->pages)
        return ZX_OK;
    status = pages_want(w, plan->pages, PGR_EVENT_WRITE, page, page + 1, &caps, &plan->want);
    if (status != ZX_OK || plan->want.count > 0)
        return status;
    pages_scan(w, plan->pages, PGR_EVENT_WRITE, page, page + 1, &plan->need, &pins);
    plan->parts |= 1u << part;
    return ZX_OK;
}

/* What zeroing whole pages takes, as far as no pinned page has to be asked for. */
static zx_status_t zero_whole_look(const pgr_world *w, struct plan *plan, uint64_t page, uint64_t end)
{
    const struct caps caps = {.read = 1, .dirty = 1};

    plan->stop = pages_zero_scan(w, plan->pages, page, end, &plan->need);
    if (plan->stop == page)
        return pages_want(w, plan->pages, PGR_EVENT_ZERO_PINNED, page, page + 1, &caps, &plan->want);
    plan->parts |= 1u << ZERO_WHOLE;
    return ZX_OK;
}

static zx_status_t zero_part_look(const pgr_world *w, struct plan *plan, enum zero_part part)
{
    uint64_t begin;
    uint64_t end;

    zero_part_range(w, &plan->op, part, &begin, &end);
    if (begin == end)
        return ZX_OK;
    if (part == ZERO_WHOLE)
        return zero_whole_look(w, plan, to_page(w, plan->base + begin), to_page(w, plan->base + end));
    return zero_edge_look(w, plan, part, to_page(w, plan->base + begin));
}

/*
 * As many parts as can be zeroed without waiting are one step: plan->parts has a bit for each. A part that has to
 * wait ends the step; if it is the first, the call waits, or fails, for it. Sets op->stage to the part that comes
 * next.
 */
LOOK(zero)
{
    struct window window = vmo_window(w, plan->op.vmo);
    zx_status_t asked = content_check(w, plan, &window);

    if (asked != ZX_OK)
        return asked;
    plan->pages = window.pages;
    plan->base = to_bytes(w, window.offset_pages);
    plan->parts = 0;
    while (plan->op.stage < ZERO_PARTS_END) {
        zx_status_t status = zero_part_look(w, plan, (enum zero_part)plan->op.stage);

        if (status == ZX_OK && plan->want.count == 0) {
            plan->op.stage++;
            continue;
        }
        if (plan->parts == 0)
            return status;
        plan->want.count = 0;
        break;
    }
    return ZX_OK;
}

static void zero_edge_commit(pgr_world *w, void *frames, const struct plan *plan, enum zero_part part)
{
    uint64_t begin;
    uint64_t end;

    zero_part_range(w, &plan->op, part, &begin, &end);
    begin += plan->base;
    end += plan->base;
    pages_prepare(w, frames, plan->pages, PGR_EVENT_WRITE, to_page(w, begin), to_page(w, begin) + 1, 0);
    pages_copy_in(w, frames, plan->pages, begin, end, NULL);
}

/* Progress is kept in op->position: whole pages up to there are done. Returns 0 if there are more. */
static int zero_whole_commit(pgr_world *w, void *frames, struct plan *plan)
{
    uint64_t begin;
    uint64_t end;

    zero_part_range(w, &plan->op, ZERO_WHOLE, &begin, &end);
    pages_zero(w, frames, plan->pages, to_page(w, plan->base + begin), plan->stop);
    plan->op.position = to_bytes(w, plan->stop) - plan->base;
    return plan->op.position == end;
}

COMMIT(zero)
{
    (void)result;
    if (plan->want.count > 0)
        return PROGRESS_WAIT;
    if (plan->parts != 0)
        pages_at(w, plan->pages)->modified = 1;
    if ((plan->parts & 1u << ZERO_HEAD) != 0)
        zero_edge_commit(w, frames, plan, ZERO_HEAD);
    if ((plan->parts & 1u << ZERO_TAIL) != 0)
        zero_edge_commit(w, frames, plan, ZERO_TAIL);
    if ((plan->parts & 1u << ZERO_WHOLE) != 0 && !zero_whole_commit(w, frames, plan))
        plan->op.stage = ZERO_WHOLE;
    return plan->op.stage < ZERO_PARTS_END ? PROGRESS_AGAIN : PROGRESS_DONE;
}
