/*
 * zx_vmo_read and zx_vmo_write (vmo.md), with buffers of the caller's or at(ADDR).
 */
#include "harness/oracle/oracle_pages.h"

#include <string.h>

/* Rows 2 to 7; rows 4 and 5 are re-checked after each wait, with the original end. */
static zx_status_t check_range(struct oracle *o, const struct oracle_vmo *vmo, uint64_t offset, uint64_t length)
{
    if (vmo->pages->physical)
        return ZX_ERR_NOT_SUPPORTED; /* row 2 */
    if (offset + length < offset)
        return ZX_ERR_OUT_OF_RANGE; /* row 3 */
    if (vmo->pages->cache_policy != ZX_CACHE_POLICY_CACHED)
        return ZX_ERR_BAD_STATE; /* row 4 */
    if (offset + length > oracle_vmo_size(o, vmo))
        return ZX_ERR_OUT_OF_RANGE; /* row 5 */
    if (length > 0 && vmo->pages->discarded)
        return ZX_ERR_NOT_FOUND; /* rows 6, 7 */
    return ZX_OK;
}

/* Where a transfer is. */
struct place {
    uint64_t page;   /* in the VMO's pages */
    uint64_t inside; /* byte of that page */
    uint64_t room;   /* bytes of the transfer in that page, from there on */
    uint64_t pages;  /* that the transfer still has to touch, this one included */
};

static struct place place_of(struct oracle *o, struct oracle_thread *t)
{
    uint64_t offset = t->offset + t->progress;
    uint64_t left = t->length - t->progress;
    struct place place = {.inside = offset % o->page_bytes};
    place.page = oracle_vmo_first(t->vmo) + offset / o->page_bytes;
    place.room = oracle_min(left, o->page_bytes - place.inside);
    place.pages = (place.inside + left - 1) / o->page_bytes + 1;
    return place;
}

/* page-requests.md: READ at most option read_batch, DIRTY at most 16 pages, lenient. */
static struct oracle_asking asking(const struct oracle *o, uint64_t pages)
{
    uint32_t batch = o->config.read_batch;
    return (struct oracle_asking){
        .read_max = batch == 0 ? pages : oracle_min(pages, batch),
        .dirty_max = oracle_min(pages, 16),
    };
}

/* The buffer of the call: the caller's own bytes. Too few of them: a bad user pointer (pgr.h). */
static bool buffer_is_bad(const pgr_call *call, uint64_t length)
{
    return call->at == 0 && (!call->buffer || call->buffer_bytes < length);
}

/* --- one piece of a copy through memory: in one VMO page and one buffer page (faults.md) --- */

static zx_status_t copy_piece(struct oracle *o, struct oracle_thread *t, const pgr_call *call, struct place place,
                              uint8_t *page, bool write)
{
    uint8_t *byte;
    uint64_t room;
    struct oracle_vmo *buffer_vmo;
    zx_status_t status = oracle_user_byte(o, t, call->at + t->progress, !write, &byte, &room, &buffer_vmo);
    if (status != ZX_OK)
        return status;
    uint64_t count = oracle_min(place.room, room);
    if (write)
        memmove(page + place.inside, byte, count);
    else
        memmove(byte, page + place.inside, count);
    oracle_vmo_modified(write ? t->vmo : buffer_vmo);
    t->progress += count;
    return ZX_OK;
}

/* --- read --- */

static zx_status_t read_page(struct oracle *o, struct oracle_thread *t, const pgr_call *call)
{
    struct place place = place_of(o, t);
    struct oracle_seen seen = oracle_see(t->vmo->pages, place.page, 1);
    if (seen.kind == ORACLE_SEES_ABSENT)
        return oracle_ask_read(o, t, t->vmo->pages, place.page, asking(o, place.pages).read_max, false);
    uint8_t *page = seen.kind == ORACLE_SEES_FRAME ? seen.record->frame->bytes : o->zeros;
    if (call->at != 0)
        return copy_piece(o, t, call, place, page, false);
    memcpy((uint8_t *)call->buffer + t->progress, page + place.inside, place.room);
    t->progress += place.room;
    return ZX_OK;
}

/* From the start or from a wait on: the range is asked about again, then one step is made after the other. */
static zx_status_t go(struct oracle *o, struct oracle_thread *t, const pgr_call *call,
                      zx_status_t (*step)(struct oracle *o, struct oracle_thread *t, const pgr_call *call))
{
    zx_status_t status = oracle_woken(t);
    if (status == ZX_OK)
        status = check_range(o, t->vmo, t->offset, t->length);
    if (status == ZX_OK && buffer_is_bad(call, t->length))
        status = t->length > 0 ? ZX_ERR_NOT_FOUND : ZX_OK;
    while (status == ZX_OK && t->progress < t->length)
        status = step(o, t, call);
    return status;
}

zx_status_t oracle_go_vmo_read(struct oracle *o, struct oracle_thread *t, const pgr_call *call, pgr_result *result)
{
    (void)result;
    return go(o, t, call, read_page);
}

static zx_status_t begin(struct oracle *o, struct oracle_thread *t, const pgr_call *call, zx_rights_t rights)
{
    zx_status_t status = oracle_handle_get(o, (zx_handle_t)call->arg[0], PGR_OBJECT_VMO, rights, &t->vmo);
    if (status != ZX_OK)
        return status; /* row 1 */
    oracle_hold(t, t->vmo);
    t->offset = call->arg[2];
    t->length = call->arg[3];
    return ZX_OK;
}

zx_status_t oracle_zx_vmo_read(struct oracle *o, struct oracle_thread *t, const pgr_call *call, pgr_result *result)
{
    zx_status_t status = begin(o, t, call, ZX_RIGHT_READ);
    return status == ZX_OK ? oracle_go_vmo_read(o, t, call, result) : status;
}

/* --- write --- */

/* Copies into `count` pages that need no request; their frames have been reserved. */
static void write_stretch(struct oracle *o, struct oracle_thread *t, const pgr_call *call, uint64_t count)
{
    for (uint64_t i = 0; i < count; i++) {
        struct place place = place_of(o, t);
        uint8_t *page = oracle_own(o, t->vmo->pages, place.page, true)->frame->bytes;
        memcpy(page + place.inside, (const uint8_t *)call->buffer + t->progress, place.room);
        t->progress += place.room;
    }
    oracle_vmo_modified(t->vmo);
}

/*
 * dirty-tracking.md: without trap, a write that reaches a non-dirty committed page marks the whole
 * run of consecutive committed pages from there dirty, at most 16; also if the copy then fails.
 */
static void dirty_run(struct oracle_pages *pages, uint64_t page, uint64_t max)
{
    const struct oracle_page *first = oracle_record_at(pages, page);
    if (!pages->source || pages->trap_dirty || !first || !first->frame || first->state == PGR_PAGE_DIRTY)
        return;
    for (uint64_t i = 0; i < max; i++) {
        struct oracle_page *record = oracle_record_at(pages, page + i);
        if (!record || !record->frame)
            return;
        record->state = PGR_PAGE_DIRTY;
    }
}

static zx_status_t write_piece(struct oracle *o, struct oracle_thread *t, const pgr_call *call, struct place place)
{
    dirty_run(t->vmo->pages, place.page, asking(o, place.pages).dirty_max);
    uint8_t *page = oracle_own(o, t->vmo->pages, place.page, true)->frame->bytes;
    return copy_piece(o, t, call, place, page, true);
}

/*
 * A stretch of pages that need no request gets all the frames that it needs, or none.
 */
static zx_status_t write_pages(struct oracle *o, struct oracle_thread *t, const pgr_call *call)
{
    struct place place = place_of(o, t);
    uint64_t frames;
    uint64_t count = oracle_stretch(o, t->vmo->pages, place.page, call->at ? 1 : place.pages, true, &frames);
    if (count == 0)
        return oracle_ask(o, t, t->vmo->pages, place.page, true, asking(o, place.pages));
    if (!oracle_frames_reserve(o, frames))
        return ZX_ERR_NO_MEMORY;
    if (call->at)
        return write_piece(o, t, call, place);
    write_stretch(o, t, call, count);
    return ZX_OK;
}

zx_status_t oracle_go_vmo_write(struct oracle *o, struct oracle_thread *t, const pgr_call *call, pgr_result *result)
{
    (void)result;
    return go(o, t, call, write_pages);
}

zx_status_t oracle_zx_vmo_write(struct oracle *o, struct oracle_thread *t, const pgr_call *call, pgr_result *result)
{
    zx_status_t status = begin(o, t, call, ZX_RIGHT_WRITE);
    return status == ZX_OK ? oracle_go_vmo_write(o, t, call, result) : status;
}
