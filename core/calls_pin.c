/*
 * System calls that pin: zx_bti_pin, zx_pmt_unpin, zx_bti_release_quarantine.
 *
 * The PMT is made in the first step, before anybody can name it, and knows what is pinned so far. When the call ends early it is undone.
 */
#include "pgr_internal.h"

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
    zx_status_t status = handle_get(w, plan->call->arg[0], PGR_OBJECT_BTI, ZX_RIGHT_MAP, &plan->other);

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

LOOK(bti_pin)
{
    struct window window = vmo_window(w, plan->op.vmo);
    uint64_t page = window.offset_pages + to_page(w, plan->op.position);
    uint64_t end = window.offset_pages + to_page(w, plan->op.end);
    uint32_t pins = 0;

    if (plan->wake_status != ZX_OK)
        return plan->wake_status;
    if (plan->op.end > to_bytes(w, window.size_pages))
        return ZX_ERR_OUT_OF_RANGE;
    pin_needs(plan);
    if (vmo_is_physical(w, plan->op.vmo)) {
        plan->stop = end;
        return ZX_OK;
    }
    plan->stop = pages_scan(w, window.pages, page, end, &plan->need, &pins);
    if (plan->stop == page)
        return pages_want(w, window.pages, page, end - page, &plan->want);
    /* Is there a page that can be pinned no more? Told if nothing else is in the way. */
    return pins == PINS_MAX && !shortage(w, &plan->need) ? ZX_ERR_UNAVAILABLE : ZX_OK;
}

/* It is kept alive by the call until there is a handle to it, and keeps the VMO and the BTI alive. */
static uint32_t pmt_make(pgr_world *w, const struct plan *plan, const struct window *window)
{
    uint32_t row = object_make(w, PGR_OBJECT_PMT);
    struct object *object = object_at(w, row);

    object->flags = PGR_PMT_UNFINISHED;
    object->pmt = (struct pmt){
        .bti = plan->other,
        .vmo = plan->op.vmo,
        .pages = window->pages,
        .offset_pages = window->offset_pages + to_page(w, plan->op.begin),
    };
    object_reference(w, row);
    object_reference(w, plan->other);
    object_reference(w, plan->op.vmo);
    object_at(w, plan->other)->bti.pmt_count++;
    w->unpins_promised++;
    return row;
}

/* Everything is pinned: what was not asked before is asked now. */
static zx_status_t pin_finish(pgr_world *w, struct plan *plan, pgr_result *result)
{
    struct object *object = object_at(w, plan->op.pmt);
    const struct object *bti = object_at(w, object->pmt.bti);

    /* Does the BTI still take pins? */
    if (bti->bti.quarantine_count > 0 || bti->handle_count == 0)
        return ZX_ERR_BAD_STATE;
    /* May the device do anything? */
    if ((plan->op.options & (ZX_BTI_PERM_READ | ZX_BTI_PERM_WRITE | ZX_BTI_PERM_EXECUTE)) == 0)
        return ZX_ERR_INVALID_ARGS;
    object->flags = 0;
    result->out[5] = handle_make_default(w, plan->op.pmt, 0);
    object_release(w, plan->op.pmt);
    plan->op.pmt = 0;
    return ZX_OK;
}

COMMIT(bti_pin)
{
    struct window window = vmo_window(w, plan->op.vmo);
    uint64_t page = window.offset_pages + to_page(w, plan->op.position);
    enum use use = (plan->op.options & ZX_BTI_PERM_WRITE) != 0 ? USE_WRITE : USE_COMMIT;

    if (plan->op.pmt == 0)
        plan->op.pmt = pmt_make(w, plan, &window);
    if (plan->want.count > 0)
        return PROGRESS_WAIT;
    if (!vmo_is_physical(w, plan->op.vmo))
        pages_prepare(w, frames, window.pages, use, page, plan->stop, 1);
    object_at(w, plan->op.pmt)->pmt.count_pages += plan->stop - page;
    plan->op.position = to_bytes(w, plan->stop - window.offset_pages);
    if (plan->op.position < plan->op.end)
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
    return handle_get(w, plan->call->arg[0], PGR_OBJECT_BTI, ZX_RIGHT_WRITE, &plan->other);
}

COMMIT(bti_release_quarantine)
{
    (void)frames, (void)result;
    bti_release_quarantine(w, plan->other);
    return PROGRESS_DONE;
}
