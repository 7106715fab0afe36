/*
 * zx_vmo_transfer_data (transfers.md).
 */
#include "harness/oracle/oracle_pages.h"

#include <stdlib.h>

/* --- checks --- */

/* Rows 6 to 11. */
static zx_status_t check_source(struct oracle *o, const struct oracle_vmo *src, uint64_t offset, uint64_t length)
{
    const struct oracle_pages *pages = src->pages;
    if (pages->contiguous || pages->physical)
        return ZX_ERR_NOT_SUPPORTED; /* row 6 */
    if (offset + length < offset)
        return ZX_ERR_OUT_OF_RANGE; /* row 7 */
    if (length == 0)
        return ZX_OK; /* row 8 */
    if (!oracle_in_range(offset, length, oracle_vmo_size(o, src)))
        return ZX_ERR_OUT_OF_RANGE; /* row 9 */
    if (pages->source)
        return ZX_ERR_NOT_SUPPORTED; /* row 10 */
    uint64_t first = oracle_vmo_first(src) + offset / o->page_bytes;
    return oracle_any_pinned(pages, first, first + length / o->page_bytes) ? ZX_ERR_BAD_STATE : ZX_OK; /* row 11 */
}

/* Rows 12 to 16. */
static zx_status_t check_destination(struct oracle *o, const struct oracle_vmo *dst, uint64_t offset, uint64_t length)
{
    const struct oracle_pages *pages = dst->pages;
    if (pages->contiguous || pages->physical)
        return ZX_ERR_NOT_SUPPORTED; /* row 12 */
    if (offset + length < offset)
        return ZX_ERR_OUT_OF_RANGE; /* row 13 */
    if (length == 0)
        return ZX_OK; /* row 8 */
    if (!oracle_in_range(offset, length, oracle_vmo_size(o, dst)))
        return ZX_ERR_OUT_OF_RANGE; /* row 14 */
    if (pages->source)
        return ZX_ERR_NOT_SUPPORTED; /* row 15 */
    uint64_t first = oracle_vmo_first(dst) + offset / o->page_bytes;
    return oracle_any_pinned(pages, first, first + length / o->page_bytes) ? ZX_ERR_BAD_STATE : ZX_OK; /* row 16 */
}

/*
 * --- taking pages out of the source ---
 *
 * Pages that were taken and not yet put are in the thread's bag: pages of nobody's, numbered from the beginning of the
 * range. They are lost if the call fails or the thread is killed.
 */

static bool has_parent_node(struct oracle *o, const struct oracle_pages *pages)
{
    return pages->parent || oracle_has_relatives(o, pages);
}

/* "src without CoW parent: pages removed (as if decommitted); unpopulated pages transfer as zeros". */
static void take_plain(struct oracle *o, struct oracle_thread *t, struct oracle_pages *pages, uint64_t first,
                       uint64_t count)
{
    for (uint64_t i = t->progress; i < count;) {
        struct oracle_seen seen = oracle_see(pages, first + i, count - i);
        if (seen.kind == ORACLE_SEES_FRAME) {
            seen.record->frame->holders++;
            oracle_record_add(t->bag, i, 1, PGR_PAGE_ANONYMOUS, seen.record->frame);
        }
        i += seen.count;
    }
    oracle_records_clear(o, pages, first + t->progress, first + count);
}

/*
 * "src CoW child or snapshotted parent: page by page: content is first made private (copied if shared), then replaced
 * by a fresh zeroed page." A page that was zero content is private as a zeroed page, too. A page that is absent in the
 * root is asked for, strictly.
 */
static zx_status_t take_private(struct oracle *o, struct oracle_thread *t, struct oracle_pages *pages, uint64_t page)
{
    uint32_t need = oracle_need(pages, page, true);
    if (need == ORACLE_NEEDS_READ)
        return oracle_ask_read(o, t, pages, page, 1, true);
    if (!oracle_frames_reserve(o, 1 + (need == ORACLE_NEEDS_FRAME)))
        return ZX_ERR_NO_MEMORY;
    struct oracle_frame *frame = oracle_own(o, pages, page, true)->frame;
    frame->holders++;
    oracle_record_add(t->bag, t->progress, 1, PGR_PAGE_ANONYMOUS, frame);
    oracle_records_clear(o, pages, page, page + 1);
    oracle_record_add(pages, page, 1, PGR_PAGE_ANONYMOUS, oracle_frame_take(o));
    t->progress++;
    return ZX_OK;
}

static zx_status_t take(struct oracle *o, struct oracle_thread *t, uint64_t src_offset, uint64_t length)
{
    struct oracle_pages *pages = t->vmo2->pages;
    uint64_t first = oracle_vmo_first(t->vmo2) + src_offset / o->page_bytes;
    uint64_t count = length / o->page_bytes;
    uint64_t done = t->progress * o->page_bytes;
    zx_status_t status = check_source(o, t->vmo2, src_offset + done, length - done);
    if (status != ZX_OK)
        return status;
    while (status == ZX_OK && t->progress < count && has_parent_node(o, pages))
        status = take_private(o, t, pages, first + t->progress);
    if (status != ZX_OK || t->progress == count)
        return status;
    take_plain(o, t, pages, first, count);
    return ZX_OK;
}

/*
 * --- putting them into the destination ---
 *
 * "If dst is a CoW child, making a page private may need a READ request": asked for one at a time, strictly. Where
 * nothing was taken, a zero marker hides what an ancestor holds.
 */
static zx_status_t put(struct oracle *o, struct oracle_thread *t, uint64_t offset, uint64_t length)
{
    struct oracle_pages *pages = t->vmo->pages;
    uint64_t first = oracle_vmo_first(t->vmo) + offset / o->page_bytes;
    uint64_t count = length / o->page_bytes;
    uint64_t done = t->progress * o->page_bytes;
    zx_status_t status = check_destination(o, t->vmo, offset + done, length - done);
    if (status != ZX_OK)
        return status; /* after the source has been emptied */
    while (t->progress < count) {
        uint64_t page = first + t->progress;
        struct oracle_seen seen = oracle_see(pages, page, count - t->progress);
        if (seen.kind == ORACLE_SEES_ABSENT)
            return oracle_ask_read(o, t, pages, page, 1, true);
        struct oracle_seen taken = oracle_see(t->bag, t->progress, seen.count);
        oracle_records_clear(o, pages, page, page + taken.count);
        if (taken.kind == ORACLE_SEES_FRAME) {
            taken.record->frame->holders++;
            oracle_record_add(pages, page, 1, PGR_PAGE_ANONYMOUS, taken.record->frame);
            oracle_records_clear(o, t->bag, t->progress, t->progress + 1);
        } else if (page < pages->parent_limit) {
            uint64_t hidden = oracle_min(taken.count, pages->parent_limit - page);
            oracle_record_add(pages, page, hidden, PGR_PAGE_MARKER, NULL);
        }
        t->progress += taken.count;
    }
    return ZX_OK;
}

/*
 * --- the call: everything is taken, then everything is put, so that overlapping ranges behave as memmove; after a wait
 * what is left of the range is asked for anew ---
 */

void oracle_bag_end(struct oracle *o, struct oracle_thread *t)
{
    if (!t->bag)
        return;
    oracle_records_clear(o, t->bag, 0, UINT64_MAX);
    free(t->bag->page);
    free(t->bag);
    t->bag = NULL;
}

zx_status_t oracle_go_vmo_transfer_data(struct oracle *o, struct oracle_thread *t, const pgr_call *call,
                                        pgr_result *result)
{
    (void)result;
    zx_status_t status = oracle_woken(t);
    if (status == ZX_OK && t->phase == 0) {
        status = take(o, t, call->arg[5], call->arg[3]);
        if (status != ZX_OK)
            return status;
        t->progress = 0;
        t->phase = 1;
    }
    return status == ZX_OK ? put(o, t, call->arg[2], call->arg[3]) : status;
}

zx_status_t oracle_zx_vmo_transfer_data(struct oracle *o, struct oracle_thread *t, const pgr_call *call,
                                        pgr_result *result)
{
    uint64_t offset = call->arg[2];
    uint64_t length = call->arg[3];
    uint64_t src_offset = call->arg[5];
    if ((uint32_t)call->arg[1] != 0)
        return ZX_ERR_INVALID_ARGS; /* row 1 */
    if (!oracle_aligned(o, offset) || !oracle_aligned(o, length) || !oracle_aligned(o, src_offset))
        return ZX_ERR_INVALID_ARGS; /* row 2 */
    zx_status_t status = oracle_handle_get(o, (zx_handle_t)call->arg[0], PGR_OBJECT_VMO, ZX_RIGHT_WRITE, &t->vmo);
    if (status == ZX_OK)
        status = oracle_handle_get(o, (zx_handle_t)call->arg[4], PGR_OBJECT_VMO, ZX_RIGHTS_IO, &t->vmo2);
    if (status != ZX_OK)
        return status; /* rows 3, 4 */
    if (t->vmo == t->vmo2 && offset == src_offset)
        return ZX_OK; /* row 5 */
    oracle_hold(t, t->vmo);
    oracle_hold(t, t->vmo2);
    t->bag = oracle_zalloc(sizeof(*t->bag));
    return oracle_go_vmo_transfer_data(o, t, call, result);
}
