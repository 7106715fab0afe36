/*
 * System calls zx_vmo_read and zx_vmo_write.
 *
 * Both go page after page, and each step as far as no page has to be asked for. A step that stands before a page
 * that has to be waits. What earlier steps have done stays done.
 */
#include "calls.h"

#include "frames.h"
#include "handles.h"
#include "life.h"

/* Of a transfer, by the kernel's measure: the pages that it dirties, and asks to have dirtied, at a time. */
#define WRITE_BATCH 16u

zx_status_t content_check(const pgr_world *w, const struct plan *plan, const struct window *window)
{
    if (plan->wake_status != ZX_OK)
        return plan->wake_status;
    if (pages_at(w, window->pages)->cache_policy != ZX_CACHE_POLICY_CACHED)
        return ZX_ERR_BAD_STATE;
    return plan->op.end > to_bytes(w, window->size_pages) ? ZX_ERR_OUT_OF_RANGE : ZX_OK;
}

static zx_status_t io_check(const pgr_world *w, struct plan *plan, zx_rights_t right)
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
    plan->op.at = plan->call->at;
    return ZX_OK;
}

/*
 * What is asked before each step, and what the step has to wait for. A transfer is whole, or it is out of range,
 * also if the VMO has shrunk since it began.
 */
static zx_status_t io_look(const pgr_world *w, struct plan *plan, uint32_t event)
{
    struct window window = vmo_window(w, plan->op.vmo);
    const struct caps caps = {
        .read = w->config.read_batch != 0 ? w->config.read_batch : UINT64_MAX,
        .dirty = WRITE_BATCH,
    };

    zx_status_t status = content_check(w, plan, &window);

    plan->access = (struct access){0};
    if (status != ZX_OK || plan->op.position == plan->op.end)
        return status;
    if (pages_discarded(w, window.pages))
        return ZX_ERR_NOT_FOUND;
    /* Is there a buffer at the caller's address? */
    if (plan->op.at == 0 && (plan->call->buffer == NULL || plan->call->buffer_bytes < plan->op.end - plan->op.begin))
        return ZX_ERR_NOT_FOUND;
    plan->base = to_bytes(w, window.offset_pages);
    plan->pages = window.pages;
    return pages_want(w, window.pages, event, to_page(w, plan->base + plan->op.position),
                      to_pages_up(w, plan->base + plan->op.end), &caps, &plan->want);
}

/* --- buffers in the caller's own memory --- */

/* The end of the run of pages with frames, all the VMO's own, that begins here. */
static uint64_t committed_end(const pgr_world *w, const struct plan *plan, uint64_t page, uint64_t end)
{
    struct cursor at = cursor_on(&pages_at(w, plan->pages)->map);

    while (page < end) {
        struct piece piece = map_piece(w, &at, page, end);

        if (!state_has_frame(piece.state))
            break;
        page = piece_end(&piece);
    }
    return page;
}

/*
 * How far from op->position the pages are made writable before their buffer is looked at: not at all if the first is;
 * a run of committed pages if it becomes dirty, as the kernel dirties them; one page if it needs a frame. The end in
 * pages.
 */
static uint64_t write_ahead(const pgr_world *w, const struct plan *plan)
{
    struct cursor at = cursor_on(&pages_at(w, plan->pages)->map);
    uint64_t page = to_page(w, plan->base + plan->op.position);
    uint64_t end = min_u64(to_pages_up(w, plan->base + plan->op.end), page + WRITE_BATCH);
    struct piece piece = map_piece(w, &at, page, page + 1);
    int shared = 0;

    if (!state_has_frame(piece.state))
        return page + 1;
    if (pgr_page_after(PGR_EVENT_WRITE, piece.state) != piece.state)
        return committed_end(w, plan, page, end);
    frames_shared(w, (struct stretch){piece.frame, 1}, &shared);
    return shared ? page + 1 : page;
}

/*
 * First the VMO's page, then the buffer's; whichever has to be waited for, the piece starts over. plan->stop: pages
 * to prepare first.
 */
static zx_status_t piece_look(const pgr_world *w, struct plan *plan, int to_vmo)
{
    struct op *op = &plan->op;
    uint64_t page = to_page(w, plan->base + op->position);
    uint64_t inside = (plan->base + op->position) & (page_bytes(w) - 1);
    uint32_t pins = 0;

    plan->stop = page;
    if (to_vmo)
        plan->stop = pages_scan(w, plan->pages, PGR_EVENT_WRITE, page, write_ahead(w, plan), &plan->need, &pins);
    if (plan->stop > page)
        return ZX_OK;
    plan->access = (struct access){
        .address = op->at + (op->position - op->begin),
        .bytes = min_u64(op->end - op->position, page_bytes(w) - inside),
        .write = !to_vmo,
    };
    return access_look(w, &plan->access, &plan->need, &plan->want);
}

static void piece_move(pgr_world *w, void *frames, const struct plan *plan, int to_vmo)
{
    const struct access *access = &plan->access;
    char *there = pages_byte(w, frames, plan->pages, plan->base + plan->op.position);
    char *here = access->pages != 0 ? pages_byte(w, frames, access->pages, access->offset) : NULL;
    char *to = to_vmo ? there : here;
    const char *from = to_vmo ? here : there;

    if (to == NULL)
        return;
    if (from != NULL)
        memmove(to, from, (size_t)access->bytes);
    else
        memset(to, 0, (size_t)access->bytes);
}

static enum progress piece_commit(pgr_world *w, void *frames, struct plan *plan, int to_vmo)
{
    uint64_t page = to_page(w, plan->base + plan->op.position);

    if (plan->want.count > 0) {
        op_move_second(w, &plan->op, plan->access.vmo);
        return PROGRESS_WAIT;
    }
    if (plan->op.position == plan->op.end)
        return PROGRESS_DONE;
    if (plan->stop > page) {
        pages_prepare(w, frames, plan->pages, PGR_EVENT_WRITE, page, plan->stop, 0);
        return PROGRESS_AGAIN;
    }
    access_prepare(w, frames, &plan->access);
    piece_move(w, frames, plan, to_vmo);
    if (to_vmo)
        pages_at(w, plan->pages)->modified = 1;
    plan->op.position += plan->access.bytes;
    return plan->op.position < plan->op.end ? PROGRESS_AGAIN : PROGRESS_DONE;
}

/* --- zx_vmo_read --- */

CHECK(vmo_read)
{
    return io_check(w, plan, ZX_RIGHT_READ);
}

LOOK(vmo_read)
{
    zx_status_t status = io_look(w, plan, PGR_EVENT_READ);

    if (status != ZX_OK || plan->want.count > 0 || plan->op.position == plan->op.end || plan->op.at == 0)
        return status;
    return piece_look(w, plan, 0);
}

COMMIT(vmo_read)
{
    struct op *op = &plan->op;
    char *to = plan->call->buffer;

    (void)result;
    if (op->at != 0)
        return piece_commit(w, frames, plan, 0);
    if (plan->want.count > 0)
        return PROGRESS_WAIT;
    if (op->position < op->end)
        op->position = pages_copy_out(w, frames, plan->pages, plan->base + op->position, plan->base + op->end,
                                      to + (op->position - op->begin)) -
                       plan->base;
    return op->position < op->end ? PROGRESS_AGAIN : PROGRESS_DONE;
}

/* --- zx_vmo_write --- */

CHECK(vmo_write)
{
    return io_check(w, plan, ZX_RIGHT_WRITE);
}

LOOK(vmo_write)
{
    zx_status_t status = io_look(w, plan, PGR_EVENT_WRITE);
    uint32_t pins = 0;

    if (status != ZX_OK || plan->want.count > 0 || plan->op.position == plan->op.end)
        return status;
    if (plan->op.at != 0)
        return piece_look(w, plan, 1);
    plan->stop = pages_scan(w, plan->pages, PGR_EVENT_WRITE, to_page(w, plan->base + plan->op.position),
                            to_pages_up(w, plan->base + plan->op.end), &plan->need, &pins);
    return ZX_OK;
}

COMMIT(vmo_write)
{
    struct op *op = &plan->op;
    const char *from = plan->call->buffer;
    uint64_t stop;

    (void)result;
    if (op->at != 0)
        return piece_commit(w, frames, plan, 1);
    if (plan->want.count > 0)
        return PROGRESS_WAIT;
    if (op->position == op->end)
        return PROGRESS_DONE;
    stop = min_u64(op->end, to_bytes(w, plan->stop) - plan->base);
    pages_prepare(w, frames, plan->pages, PGR_EVENT_WRITE, to_page(w, plan->base + op->position), plan->stop, 0);
    pages_copy_in(w, frames, plan->pages, plan->base + op->position, plan->base + stop,
                  from + (op->position - op->begin));
    pages_at(w, plan->pages)->modified = 1;
    op->position = stop;
    return stop < op->end ? PROGRESS_AGAIN : PROGRESS_DONE;
}
