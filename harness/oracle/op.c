/*
 * zx_vmo_op_range (vmo-operations.md): commit, decommit, hints, prefetch, cache operations, locks.
 */
#include "harness/oracle/oracle_pages.h"

void oracle_op_begin(struct oracle_thread *t)
{
    t->op_progress = 0;
    t->op_phase = 0;
    t->op_trim = UINT64_MAX;
    t->op_end = 0;
}

/* A range rounded outward to pages, in the VMO's own pages: [*first, *first + *count). False: it overflows. */
static bool round_out(const struct oracle *o, uint64_t offset, uint64_t length, uint64_t *first, uint64_t *count)
{
    uint64_t end = offset + length;
    if (end < offset || oracle_page_up(o, end) < end)
        return false;
    *first = offset / o->page_bytes;
    *count = oracle_page_up(o, end) / o->page_bytes - *first;
    return true;
}

/*
 * Where a range of pages ends now: a wait trims it to the size that the VMO has then, and it does not grow again.
 */
static uint64_t trimmed_end(struct oracle_thread *t, const struct oracle_vmo *vmo, uint64_t end)
{
    t->op_trim = oracle_min(t->op_trim, oracle_min(end, oracle_vmo_count(vmo)));
    return t->op_trim;
}

/* --- COMMIT --- */

/* Pages that need no request are committed at once, all or none; then the next one is asked for, strictly. */
static zx_status_t commit_some(struct oracle *o, struct oracle_thread *t, struct oracle_pages *pages, uint64_t first,
                               uint64_t left)
{
    uint64_t frames;
    uint64_t count = oracle_stretch(o, pages, first, left, false, &frames);
    if (count == 0) {
        struct oracle_asking how = {.read_max = left, .dirty_max = left, .strict = true};
        return oracle_ask(o, t, pages, first, false, how);
    }
    if (!oracle_frames_reserve(o, frames))
        return ZX_ERR_NO_MEMORY; /* row 7 */
    for (uint64_t i = 0; i < count; i++)
        oracle_own(o, pages, first + i, false);
    t->op_progress += count;
    return ZX_OK;
}

static zx_status_t commit(struct oracle *o, struct oracle_thread *t, struct oracle_vmo *vmo, uint64_t offset,
                          uint64_t length)
{
    uint64_t first, count;
    bool again = t->op_phase > 0;
    zx_status_t status = oracle_woken(t);
    if (status != ZX_OK)
        return status; /* row 8 */
    if (vmo->pages->physical)
        return ZX_ERR_NOT_SUPPORTED; /* row 2 */
    if (!round_out(o, offset, length, &first, &count))
        return ZX_ERR_OUT_OF_RANGE; /* row 3 */
    if (!again && !oracle_in_range(first, count, oracle_vmo_count(vmo)))
        return ZX_ERR_OUT_OF_RANGE; /* row 4 */
    t->op_phase = 1;
    uint64_t end = trimmed_end(t, vmo, first + count);
    if (count > 0 && first + t->op_progress < end && vmo->pages->discarded)
        return ZX_ERR_NOT_FOUND; /* row 6 */
    while (status == ZX_OK && first + t->op_progress < end)
        status = commit_some(o, t, vmo->pages, oracle_vmo_first(vmo) + first + t->op_progress,
                             end - (first + t->op_progress));
    return status;
}

/* --- DECOMMIT --- */

static zx_status_t decommit(struct oracle *o, struct oracle_vmo *vmo, uint64_t offset, uint64_t length)
{
    struct oracle_pages *pages = vmo->pages;
    uint64_t size = oracle_vmo_size(o, vmo);
    if (pages->physical || pages->contiguous)
        return ZX_ERR_NOT_SUPPORTED; /* row 2 */
    if (offset > size)
        return ZX_ERR_OUT_OF_RANGE; /* row 3, as in 2023 */
    uint64_t trimmed = oracle_min(length, size - offset);
    if (trimmed == 0)
        return ZX_OK; /* row 4 */
    if (pages->parent || pages->source || oracle_has_relatives(o, pages))
        return ZX_ERR_NOT_SUPPORTED; /* row 5 */
    if (!oracle_aligned(o, offset) || !oracle_aligned(o, length))
        return ZX_ERR_INVALID_ARGS; /* row 6 */
    uint64_t first = oracle_vmo_first(vmo) + offset / o->page_bytes;
    uint64_t end = first + trimmed / o->page_bytes;
    if (oracle_any_pinned(pages, first, end))
        return ZX_ERR_BAD_STATE; /* row 7 */
    oracle_records_clear(o, pages, first, end);
    return ZX_OK;
}

/* --- ALWAYS_NEED, DONT_NEED, PREFETCH --- */

static void mark_always_need(const struct oracle_pages *root, const struct oracle_seen *seen)
{
    if (seen->kind == ORACLE_SEES_FRAME && seen->pages == root)
        seen->record->hint = PGR_HINT_ALWAYS_NEED;
}

/* DONT_NEED: "present, clean, unpinned pages of the root"; it does not remove the always-need mark. */
static void mark_dont_need(const struct oracle_pages *root, const struct oracle_seen *seen)
{
    if (seen->kind != ORACLE_SEES_FRAME || seen->pages != root || seen->record->hint == PGR_HINT_ALWAYS_NEED)
        return;
    if (seen->record->state == PGR_PAGE_CLEAN && seen->record->pins == 0)
        seen->record->hint = PGR_HINT_DONT_NEED;
}

/*
 * As in 2023: overflow of the range first, physical VMOs excepted; OK whatever the range if the root is no pager VMO.
 * A zero length is not rounded out.
 */
static bool hint_is_void(struct oracle *o, struct oracle_vmo *vmo, uint64_t offset, uint64_t length,
                         zx_status_t *status)
{
    *status = ZX_OK;
    if (vmo->pages->physical)
        return true;
    if (offset + length < offset)
        *status = ZX_ERR_OUT_OF_RANGE;
    else if (oracle_pager_backed(vmo->pages) && !oracle_in_range(offset, length, oracle_vmo_size(o, vmo)))
        *status = ZX_ERR_OUT_OF_RANGE;
    return *status != ZX_OK || !oracle_pager_backed(vmo->pages) || length == 0;
}

static zx_status_t dont_need(struct oracle *o, struct oracle_vmo *vmo, uint64_t offset, uint64_t length)
{
    uint64_t first, count;
    zx_status_t status;
    if (hint_is_void(o, vmo, offset, length, &status) || !round_out(o, offset, length, &first, &count))
        return status;
    const struct oracle_pages *root = oracle_root(vmo->pages);
    for (uint64_t i = 0; i < count;) {
        struct oracle_seen seen = oracle_see(vmo->pages, oracle_vmo_first(vmo) + first + i, count - i);
        mark_dont_need(root, &seen);
        i += seen.count;
    }
    return ZX_OK;
}

/*
 * Looks every page of the range up for reading, from op_progress on. ALWAYS_NEED marks those of the root, and ignores
 * what cannot be had; PREFETCH returns the status. What is absent here is refused alike for all of the absent run.
 */
static zx_status_t look_up(struct oracle *o, struct oracle_thread *t, struct oracle_vmo *vmo, uint64_t first,
                           uint64_t count, bool always_need)
{
    const struct oracle_pages *root = oracle_root(vmo->pages);
    uint64_t end = trimmed_end(t, vmo, first + count);
    while (first + t->op_progress < end) {
        uint64_t page = first + t->op_progress;
        uint64_t left = end - page;
        struct oracle_seen seen = oracle_see(vmo->pages, oracle_vmo_first(vmo) + page, left);
        if (seen.kind == ORACLE_SEES_ABSENT) {
            zx_status_t status = oracle_ask_read(o, t, vmo->pages, oracle_vmo_first(vmo) + page, left, !always_need);
            if (status == ORACLE_WAIT || !always_need)
                return status;
        }
        if (always_need)
            mark_always_need(root, &seen);
        t->op_progress += seen.count;
    }
    return ZX_OK;
}

static zx_status_t always_need(struct oracle *o, struct oracle_thread *t, struct oracle_vmo *vmo, uint64_t offset,
                               uint64_t length)
{
    uint64_t first, count;
    zx_status_t status;
    if (oracle_woken(t) != ZX_OK)
        t->op_progress++; /* "a failed wait is ignored for that page" */
    bool again = t->op_phase > 0;
    if (!again && hint_is_void(o, vmo, offset, length, &status))
        return status;
    t->op_phase = 1;
    if (!round_out(o, offset, length, &first, &count))
        return ZX_ERR_OUT_OF_RANGE;
    return look_up(o, t, vmo, first, count, true);
}

static zx_status_t prefetch(struct oracle *o, struct oracle_thread *t, struct oracle_vmo *vmo, uint64_t offset,
                            uint64_t length)
{
    uint64_t first, count;
    zx_status_t status = oracle_woken(t);
    if (status != ZX_OK)
        return status;
    if (vmo->pages->physical) /* vmo.md */
        return oracle_in_range(offset, length, oracle_vmo_size(o, vmo)) ? ZX_OK : ZX_ERR_OUT_OF_RANGE;
    if (!round_out(o, offset, length, &first, &count))
        return ZX_ERR_OUT_OF_RANGE;
    if (t->op_phase == 0 && !oracle_in_range(first, count, oracle_vmo_count(vmo)))
        return ZX_ERR_OUT_OF_RANGE;
    t->op_phase = 1;
    return oracle_pager_backed(vmo->pages) ? look_up(o, t, vmo, first, count, false) : ZX_OK;
}

/* --- CACHE_* --- */

static zx_status_t cache_op(struct oracle *o, struct oracle_vmo *vmo, uint64_t offset, uint64_t length)
{
    if (length == 0)
        return ZX_ERR_INVALID_ARGS;
    if (!oracle_in_range(offset, length, oracle_vmo_size(o, vmo)))
        return ZX_ERR_OUT_OF_RANGE;
    return vmo->pages->physical ? ZX_ERR_NOT_SUPPORTED : ZX_OK; /* docs/deviations.md */
}

/* --- LOCK, TRY_LOCK, UNLOCK --- */

static zx_status_t lock_op(struct oracle *o, struct oracle_vmo *vmo, uint32_t op, uint64_t offset, uint64_t length)
{
    struct oracle_pages *pages = vmo->pages;
    if (!pages->discardable)
        return ZX_ERR_NOT_SUPPORTED; /* row 2 */
    if (offset != 0 || length != oracle_vmo_size(o, vmo))
        return ZX_ERR_OUT_OF_RANGE; /* row 3 */
    if (op == ZX_VMO_OP_TRY_LOCK && pages->discarded)
        return ZX_ERR_UNAVAILABLE; /* row 4 */
    if (op == ZX_VMO_OP_UNLOCK && pages->locks == 0)
        return ZX_ERR_BAD_STATE; /* row 5 */
    if (op == ZX_VMO_OP_UNLOCK) {
        pages->locks--;
        pages->reclaimable = pages->locks == 0;
        return ZX_OK;
    }
    pages->locks++;
    pages->reclaimable = false;
    pages->discarded = false;
    return ZX_OK;
}

/* --- which operation; an unknown one is ZX_ERR_INVALID_ARGS whatever the rights --- */

zx_status_t oracle_vmo_op(struct oracle *o, struct oracle_thread *t, struct oracle_vmo *vmo, uint32_t op,
                          uint64_t offset, uint64_t length)
{
    switch (op) {
    case ZX_VMO_OP_COMMIT:
        return commit(o, t, vmo, offset, length);
    case ZX_VMO_OP_DECOMMIT:
        return decommit(o, vmo, offset, length);
    case ZX_VMO_OP_ZERO:
        return vmo->pages->physical ? ZX_ERR_NOT_SUPPORTED : oracle_zero(o, t, vmo, offset, length);
    case ZX_VMO_OP_LOCK:
    case ZX_VMO_OP_TRY_LOCK:
    case ZX_VMO_OP_UNLOCK:
        return lock_op(o, vmo, op, offset, length);
    case ZX_VMO_OP_CACHE_SYNC:
    case ZX_VMO_OP_CACHE_CLEAN:
    case ZX_VMO_OP_CACHE_CLEAN_INVALIDATE:
        return cache_op(o, vmo, offset, length);
    case ZX_VMO_OP_CACHE_INVALIDATE:
        return ZX_ERR_NOT_SUPPORTED; /* debugging calls are disabled */
    case ZX_VMO_OP_DONT_NEED:
        return dont_need(o, vmo, offset, length);
    case ZX_VMO_OP_ALWAYS_NEED:
        return always_need(o, t, vmo, offset, length);
    case ZX_VMO_OP_PREFETCH:
        return prefetch(o, t, vmo, offset, length);
    default:
        return ZX_ERR_INVALID_ARGS;
    }
}

/* What each operation asks of the handle. */
static bool right_is_missing(uint32_t op, zx_rights_t rights)
{
    switch (op) {
    case ZX_VMO_OP_COMMIT:
    case ZX_VMO_OP_DECOMMIT:
    case ZX_VMO_OP_ZERO:
        return !(rights & ZX_RIGHT_WRITE);
    case ZX_VMO_OP_LOCK:
    case ZX_VMO_OP_TRY_LOCK:
    case ZX_VMO_OP_UNLOCK:
        return !(rights & (ZX_RIGHT_READ | ZX_RIGHT_WRITE));
    case ZX_VMO_OP_CACHE_SYNC:
    case ZX_VMO_OP_CACHE_CLEAN:
    case ZX_VMO_OP_CACHE_CLEAN_INVALIDATE:
    case ZX_VMO_OP_PREFETCH:
        return !(rights & ZX_RIGHT_READ);
    default:
        return false;
    }
}

zx_status_t oracle_go_vmo_op_range(struct oracle *o, struct oracle_thread *t, const pgr_call *call, pgr_result *result)
{
    (void)result;
    return oracle_vmo_op(o, t, t->vmo, (uint32_t)call->arg[1], call->arg[2], call->arg[3]);
}

/* What LOCK says of the state before it. */
static void write_lock_state(struct oracle *o, struct oracle_vmo *vmo, bool was_discarded, pgr_result *result)
{
    uint64_t size = oracle_vmo_size(o, vmo);
    result->lock_state = (zx_vmo_lock_state_t){.size = size, .discarded_size = was_discarded ? size : 0};
}

zx_status_t oracle_zx_vmo_op_range(struct oracle *o, struct oracle_thread *t, const pgr_call *call, pgr_result *result)
{
    uint32_t op = (uint32_t)call->arg[1];
    zx_handle_t handle = (zx_handle_t)call->arg[0];
    zx_status_t status = oracle_handle_get(o, handle, PGR_OBJECT_VMO, 0, &t->vmo);
    if (status != ZX_OK)
        return status;
    if (right_is_missing(op, oracle_handle_rights(o, handle)))
        return ZX_ERR_ACCESS_DENIED;
    oracle_hold(t, t->vmo);
    oracle_op_begin(t);
    bool was_discarded = t->vmo->pages->discarded;
    status = oracle_go_vmo_op_range(o, t, call, result);
    if (status == ZX_OK && op == ZX_VMO_OP_LOCK)
        write_lock_state(o, t->vmo, was_discarded, result);
    return status;
}
