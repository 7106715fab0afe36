/*
 * System calls that pin: zx_bti_pin, zx_pmt_unpin, zx_bti_release_quarantine.
 *
 * The PMT is made in the first step, before anybody can name it, and knows what is pinned so far. When the call
 * ends early it is undone.
 */
#include "calls.h"

#include "handles.h"
#include "life.h"

#define PINS_MAX 31u /* of one page */

static zx_status_t pin_rights_check(zx_rights_t rights, uint32_t options)
{
    if ((rights & ZX_RIGHT_MAP) == 0)
        return ZX_ERR_ACCESS_DENIED;
    if ((options & ZX_BTI_PERM_READ) != 0 && (rights & ZX_RIGHT_READ) == 0)
        return ZX_ERR_ACCESS_DENIED;
    if ((options & ZX_BTI_PERM_WRITE) != 0 && (rights & ZX_RIGHT_WRITE) == 0)
        return ZX_ERR_ACCESS_DENIED;
    /* A device that executes reads. */
    if ((options & ZX_BTI_PERM_EXECUTE) != 0 && (rights & ZX_RIGHT_READ) == 0)
        return ZX_ERR_ACCESS_DENIED;
    return ZX_OK;
}

static zx_status_t pin_options_check(uint32_t options, uint8_t flags)
{
    const uint32_t known =
        ZX_BTI_PERM_READ | ZX_BTI_PERM_WRITE | ZX_BTI_PERM_EXECUTE | ZX_BTI_COMPRESS | ZX_BTI_CONTIGUOUS;

    if ((options & ZX_BTI_COMPRESS) != 0 && (options & ZX_BTI_CONTIGUOUS) != 0)
        return ZX_ERR_INVALID_ARGS;
    if ((options & ZX_BTI_CONTIGUOUS) != 0 && (flags & (PGR_PAGES_CONTIGUOUS | PGR_PAGES_PHYSICAL)) == 0)
        return ZX_ERR_INVALID_ARGS;
    return (options & ~known) != 0 ? ZX_ERR_INVALID_ARGS : ZX_OK;
}

CHECK(bti_pin)
{
    uint64_t offset = plan->call->arg[3];
    uint64_t size = plan->call->arg[4];
    uint32_t options = arg_u32(plan, 1);
    zx_status_t status = handle_get(w, plan->call->arg[0], PGR_OBJECT_BTI, ZX_RIGHT_MAP, &plan->object);

    if (status != ZX_OK)
        return status;
    if (!page_aligned(w, offset | size))
        return ZX_ERR_INVALID_ARGS;
    status = handle_get(w, plan->call->arg[2], PGR_OBJECT_VMO, ZX_RIGHT_NONE, &plan->op.vmo);
    if (status == ZX_OK)
        status = pin_rights_check(handle_at(w, handle_find(w, plan->call->arg[2]))->rights, options);
    if (status == ZX_OK)
        status = pin_options_check(options, object_at(w, vmo_at(w, plan->op.vmo)->pages)->flags);
    if (status != ZX_OK)
        return status;
    if (size == 0)
        return ZX_ERR_INVALID_ARGS;
    if (size > UINT64_MAX - offset)
        return ZX_ERR_OUT_OF_RANGE;
    plan->op.options = options;
    plan->op.begin = offset;
    plan->op.position = offset;
    plan->op.dirtied = offset;
    plan->op.end = offset + size;
    plan->op.strict = 1;
    return ZX_OK;
}

/* The first step makes the PMT; each step makes sure that there will be a handle for it. */
static void pin_needs(struct plan *plan)
{
    plan->need.handles = 1;
    if (plan->op.pmt != 0)
        return;
    plan->need.object_rows = 1;
    plan->need.counted = 1;
    plan->need.nodes = tree_growth(2, 0);
}

/*
 * A pin for writing dirties what it has pinned. Where the pager wants to be asked for that, pages are pinned first,
 * and then asked for.
 */
static int pin_asks(const pgr_world *w, const struct plan *plan)
{
    return (plan->op.options & ZX_BTI_PERM_WRITE) != 0 &&
           (object_at(w, vmo_at(w, plan->op.vmo)->pages)->flags & PGR_PAGES_TRAP_DIRTY) != 0;
}

static uint32_t pin_event(const pgr_world *w, const struct plan *plan)
{
    return (plan->op.options & ZX_BTI_PERM_WRITE) != 0 && !pin_asks(w, plan) ? PGR_EVENT_WRITE : PGR_EVENT_COMMIT;
}

/* What is pinned and not yet dirty is wanted dirty, from plan->op.dirtied on. */
static zx_status_t pin_dirty_look(const pgr_world *w, struct plan *plan, uint64_t page)
{
    const struct caps caps = {.read = UINT64_MAX, .dirty = UINT64_MAX};
    uint64_t first = to_page(w, plan->base + plan->op.dirtied);
    struct need nothing = {0};
    uint32_t pins = 0;

    plan->op.dirtied = plan->op.position;
    if (!pin_asks(w, plan))
        return ZX_OK;
    first = pages_scan(w, plan->pages, PGR_EVENT_WRITE, first, page, &nothing, &pins);
    plan->op.dirtied = to_bytes(w, first) - plan->base;
    return first < page ? pages_want(w, plan->pages, PGR_EVENT_WRITE, first, page, &caps, &plan->want) : ZX_OK;
}

static zx_status_t pin_rest_look(const pgr_world *w, struct plan *plan, uint64_t page, uint64_t end)
{
    const struct caps caps = {.read = UINT64_MAX, .dirty = UINT64_MAX};
    zx_status_t status = pages_want(w, plan->pages, pin_event(w, plan), page, end, &caps, &plan->want);
    uint32_t pins = 0;

    if (status != ZX_OK || plan->want.count > 0)
        return status;
    plan->stop = pages_scan(w, plan->pages, pin_event(w, plan), page, end, &plan->need, &pins);
    /* Is there a page that can be pinned no more? Told if there is memory. */
    plan->verdict = pins == PINS_MAX ? ZX_ERR_UNAVAILABLE : ZX_OK;
    return ZX_OK;
}

LOOK(bti_pin)
{
    struct window window = vmo_window(w, plan->op.vmo);
    uint64_t page = window.offset_pages + to_page(w, plan->op.position);
    uint64_t end = window.offset_pages + to_page(w, plan->op.end);
    zx_status_t status;

    if (plan->wake_status != ZX_OK)
        return plan->wake_status;
    if (plan->op.end > to_bytes(w, window.size_pages))
        return ZX_ERR_OUT_OF_RANGE;
    if (pages_discarded(w, window.pages))
        return ZX_ERR_NOT_FOUND;
    pin_needs(plan);
    plan->pages = window.pages;
    plan->base = to_bytes(w, window.offset_pages);
    plan->stop = end;
    if (vmo_is_physical(w, plan->op.vmo))
        return ZX_OK;
    plan->stop = page;
    status = pin_dirty_look(w, plan, page);
    if (status != ZX_OK || plan->want.count > 0 || page == end)
        return status;
    return pin_rest_look(w, plan, page, end);
}

/* It is kept alive by the call until there is a handle to it, and keeps the VMO and the BTI alive. */
static uint32_t pmt_make(pgr_world *w, const struct plan *plan, const struct window *window)
{
    uint32_t row = object_make(w, PGR_OBJECT_PMT);
    struct object *object = object_at(w, row);

    object->flags = PGR_PMT_UNFINISHED;
    object->pmt = (struct pmt){
        .bti = plan->object,
        .vmo = plan->op.vmo,
        .pages = window->pages,
        .offset_pages = window->offset_pages + to_page(w, plan->op.begin),
    };
    object_reference(w, row);
    object_reference(w, plan->object);
    object_reference(w, plan->op.vmo);
    w->unpins_promised++;
    return row;
}

/* Everything is pinned: what was not asked before is asked now. */
static zx_status_t pin_finish(pgr_world *w, struct plan *plan, pgr_result *result)
{
    struct object *object = object_at(w, plan->op.pmt);
    struct object *bti = object_at(w, object->pmt.bti);

    /* Does the BTI still take pins? */
    if (bti->bti.quarantine_count > 0 || bti->handle_count == 0)
        return ZX_ERR_BAD_STATE;
    /* May the device do anything? */
    if ((plan->op.options & (ZX_BTI_PERM_READ | ZX_BTI_PERM_WRITE | ZX_BTI_PERM_EXECUTE)) == 0)
        return ZX_ERR_INVALID_ARGS;
    object->flags = 0;
    bti->bti.pmt_count++;
    if ((plan->op.options & ZX_BTI_PERM_WRITE) != 0)
        pages_at(w, object->pmt.pages)->modified = 1;
    result->out[5] = handle_make_default(w, plan->op.pmt, 0);
    object_release(w, plan->op.pmt);
    plan->op.pmt = 0;
    return ZX_OK;
}

COMMIT(bti_pin)
{
    struct window window = vmo_window(w, plan->op.vmo);
    uint64_t page = window.offset_pages + to_page(w, plan->op.position);

    result->status = plan->verdict;
    if (plan->verdict != ZX_OK)
        return PROGRESS_DONE;
    if (plan->op.pmt == 0)
        plan->op.pmt = pmt_make(w, plan, &window);
    if (plan->want.count > 0)
        return PROGRESS_WAIT;
    if (!vmo_is_physical(w, plan->op.vmo))
        pages_prepare(w, frames, plan->pages, pin_event(w, plan), page, plan->stop, 1);
    object_at(w, plan->op.pmt)->pmt.count_pages += plan->stop - page;
    plan->op.position = to_bytes(w, plan->stop) - plan->base;
    if (plan->op.position < plan->op.end || (plan->op.dirtied < plan->op.end && pin_asks(w, plan)))
        return PROGRESS_AGAIN;
    result->status = pin_finish(w, plan, result);
    return PROGRESS_DONE;
}

/* --- zx_pmt_unpin --- */

CHECK(pmt_unpin)
{
    plan->handle = handle_find(w, plan->call->arg[0]);
    return plan->handle == 0 ? ZX_ERR_BAD_HANDLE : ZX_OK;
}

/* The handle is consumed, whatever it is a handle to. */
COMMIT(pmt_unpin)
{
    uint32_t object = handle_at(w, plan->handle)->object;

    (void)frames;
    if (object_at(w, object)->kind == PGR_OBJECT_PMT)
        pmt_end(w, object);
    else
        result->status = ZX_ERR_WRONG_TYPE;
    handle_close(w, plan->handle);
    return PROGRESS_DONE;
}

/* --- zx_bti_release_quarantine --- */

CHECK(bti_release_quarantine)
{
    return handle_get(w, plan->call->arg[0], PGR_OBJECT_BTI, ZX_RIGHT_WRITE, &plan->object);
}

COMMIT(bti_release_quarantine)
{
    (void)frames, (void)result;
    bti_release_quarantine(w, plan->object);
    return PROGRESS_DONE;
}
