/*
 * The oracle's pinned memory (pins.md): zx_bti_pin, zx_pmt_unpin, the quarantine. The pages themselves are pinned by
 * oracle_pin().
 */
#include "harness/oracle/oracle.h"
#include "harness/oracle/vmar.h"

#define PIN_PERMS (ZX_BTI_PERM_READ | ZX_BTI_PERM_WRITE | ZX_BTI_PERM_EXECUTE)

/* --- the end of a PMT --- */

/* The PMT dies unless it has its handle still; with it goes what it keeps alive. */
static void pmt_end(struct oracle *o, struct oracle_pmt *pmt)
{
    oracle_unpin(o, pmt);
    pmt->unpinned = true;
    pmt->quarantined = 0;
    oracle_unreferenced(o, &pmt->object);
}

/* objects.md: closed without being unpinned, it stays pinned, in quarantine, where it does not keep its BTI alive. */
void oracle_pmt_closed(struct oracle *o, struct oracle_pmt *pmt)
{
    if (pmt->unpinned)
        return;
    pmt->quarantined = ++o->quarantines;
    oracle_unreferenced(o, &pmt->bti->object);
}

/* The one that has been in quarantine for longest. */
static struct oracle_pmt *quarantined_pmt(struct oracle *o, const struct oracle_bti *bti)
{
    struct oracle_pmt *eldest = NULL;
    for (size_t i = 0; i < o->objects.count; i++) {
        struct oracle_pmt *pmt = o->objects.items[i];
        if (pmt->object.kind != PGR_OBJECT_PMT || pmt->bti != bti || !pmt->quarantined)
            continue;
        if (!eldest || pmt->quarantined < eldest->quarantined)
            eldest = pmt;
    }
    return eldest;
}

/* README.md, "Decisions": with the BTI its quarantine goes. */
void oracle_bti_end(struct oracle *o, struct oracle_bti *bti)
{
    struct oracle_pmt *pmt;
    while ((pmt = quarantined_pmt(o, bti)))
        pmt_end(o, pmt);
}

void oracle_pmt_abandon(struct oracle *o, struct oracle_pmt *pmt)
{
    pmt_end(o, pmt);
}

/* --- zx_bti_pin --- */

/* Row 5, each permission by itself. Pages that are executed are asked for the right to read. */
static bool pin_denied(zx_rights_t rights, uint32_t options)
{
    if ((options & ZX_BTI_PERM_READ) && !(rights & ZX_RIGHT_READ))
        return true;
    if ((options & ZX_BTI_PERM_WRITE) && !(rights & ZX_RIGHT_WRITE))
        return true;
    return (options & ZX_BTI_PERM_EXECUTE) && !(rights & ZX_RIGHT_READ);
}

/* Row 6 */
static bool pin_options_valid(const struct oracle_vmo *vmo, uint32_t options)
{
    if ((options & ZX_BTI_COMPRESS) && (options & ZX_BTI_CONTIGUOUS))
        return false;
    if ((options & ZX_BTI_CONTIGUOUS) && !oracle_vmo_contiguous(vmo) && !oracle_vmo_physical(vmo))
        return false;
    return !(options & ~(PIN_PERMS | ZX_BTI_COMPRESS | ZX_BTI_CONTIGUOUS));
}

/* Rows 1 to 9. */
static zx_status_t pin_check(struct oracle *o, const pgr_call *call, struct oracle_bti **bti, struct oracle_vmo **vmo)
{
    uint32_t options = (uint32_t)call->arg[1];
    zx_handle_t vmo_handle = (zx_handle_t)call->arg[2];
    uint64_t offset = call->arg[3];
    uint64_t size = call->arg[4];
    zx_status_t status = oracle_handle_get(o, (zx_handle_t)call->arg[0], PGR_OBJECT_BTI, ZX_RIGHT_MAP, bti);
    if (status != ZX_OK) /* row 1 */
        return status;
    if (!oracle_aligned(o, offset) || !oracle_aligned(o, size)) /* row 2 */
        return ZX_ERR_INVALID_ARGS;
    status = oracle_handle_get(o, vmo_handle, PGR_OBJECT_VMO, ZX_RIGHT_MAP, vmo);
    if (status != ZX_OK) /* rows 3, 4 */
        return status;
    if (pin_denied(oracle_handle_rights(o, vmo_handle), options)) /* row 5 */
        return ZX_ERR_ACCESS_DENIED;
    if (!pin_options_valid(*vmo, options) || size == 0) /* rows 6, 7 */
        return ZX_ERR_INVALID_ARGS;
    if (!oracle_range_in_vmo(o, *vmo, offset, size)) /* row 8 */
        return ZX_ERR_OUT_OF_RANGE;
    return (*vmo)->pages->discarded ? ZX_ERR_NOT_FOUND : ZX_OK; /* row 9 */
}

/* Rows 12 and 13, when all pages are pinned. */
static zx_status_t pin_accepted(struct oracle *o, const struct oracle_pmt *pmt, uint32_t options)
{
    if (pmt->bti->object.handle_count == 0 || quarantined_pmt(o, pmt->bti))
        return ZX_ERR_BAD_STATE;
    return options & PIN_PERMS ? ZX_OK : ZX_ERR_INVALID_ARGS;
}

/* Rows 8 to 13. The PMT gets its handle at the end; after any failure nothing stays pinned by this call. */
static zx_status_t pin_pages(struct oracle *o, struct oracle_thread *t, uint32_t options, pgr_result *result)
{
    zx_status_t status = oracle_pin(o, t, t->pmt);
    if (status == ORACLE_WAIT)
        return status;
    if (status == ZX_OK)
        status = pin_accepted(o, t->pmt, options);
    if (status == ZX_OK && oracle_handles_full(o))
        status = ZX_ERR_NO_MEMORY;

    struct oracle_pmt *pmt = t->pmt;
    t->pmt = NULL;
    if (status != ZX_OK) {
        oracle_pmt_abandon(o, pmt);
        return status;
    }
    if (pmt->write)
        oracle_vmo_modified(pmt->vmo);
    result->out[5] = oracle_handle_make(o, pmt, ZX_RIGHT_INSPECT); /* objects.md */
    return ZX_OK;
}

zx_status_t oracle_zx_bti_pin(struct oracle *o, struct oracle_thread *t, const pgr_call *call, pgr_result *result)
{
    struct oracle_bti *bti = NULL;
    struct oracle_vmo *vmo = NULL;
    uint32_t options = (uint32_t)call->arg[1];
    zx_status_t status = pin_check(o, call, &bti, &vmo);
    if (status != ZX_OK)
        return status;
    uint64_t first = call->arg[3] / o->page_bytes + (vmo->slice ? vmo->slice_first : 0);
    status = oracle_pin_refused(o, vmo->pages, first, call->arg[4] / o->page_bytes);
    if (status != ZX_OK) /* row 10, before there is a PMT */
        return status;
    if (oracle_alloc_fails(o))
        return ZX_ERR_NO_MEMORY;

    struct oracle_pmt *pmt = oracle_object_make(o, PGR_OBJECT_PMT, sizeof *pmt);
    pmt->bti = bti;
    pmt->vmo = vmo;
    pmt->first = first;
    pmt->count = call->arg[4] / o->page_bytes;
    pmt->write = options & ZX_BTI_PERM_WRITE;
    t->pmt = pmt;
    oracle_hold(t, bti);
    oracle_hold(t, vmo);
    oracle_op_begin(t);
    return pin_pages(o, t, options, result);
}

zx_status_t oracle_go_bti_pin(struct oracle *o, struct oracle_thread *t, const pgr_call *call, pgr_result *result)
{
    return pin_pages(o, t, (uint32_t)call->arg[1], result);
}

/* --- zx_pmt_unpin, zx_bti_release_quarantine --- */

/* The handle goes in any case, also when it turns out to be of another type. No right is needed. */
zx_status_t oracle_zx_pmt_unpin(struct oracle *o, struct oracle_thread *t, const pgr_call *call, pgr_result *result)
{
    (void)t, (void)result;
    struct oracle_handle *handle = oracle_handle_find(o, (zx_handle_t)call->arg[0]);
    if (!handle)
        return ZX_ERR_BAD_HANDLE;
    bool is_pmt = handle->object->kind == PGR_OBJECT_PMT;
    if (is_pmt)
        pmt_end(o, (struct oracle_pmt *)handle->object);
    oracle_handle_close(o, handle);
    return is_pmt ? ZX_OK : ZX_ERR_WRONG_TYPE;
}

zx_status_t oracle_zx_bti_release_quarantine(struct oracle *o, struct oracle_thread *t, const pgr_call *call,
                                             pgr_result *result)
{
    (void)t, (void)result;
    struct oracle_bti *bti;
    zx_status_t status = oracle_handle_get(o, (zx_handle_t)call->arg[0], PGR_OBJECT_BTI, ZX_RIGHT_WRITE, &bti);
    if (status != ZX_OK)
        return status;
    oracle_bti_end(o, bti);
    return ZX_OK;
}
