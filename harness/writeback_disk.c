/*
 * The file system of writeback.h: it answers page requests from its disk, late, in any order, in parts, or with a
 * failure; it writes back as the documentation's sample does; and it loses its power.
 */
#include "harness/no_coverage.h"
#include "harness/writeback_internal.h"

#include <string.h>

NO_COVERAGE_BEGIN

static uint64_t least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static uint64_t file_bytes(const struct player *p)
{
    return p->size_pages << PAGE_SHIFT;
}

static zx_status_t close_handle(struct player *p, zx_handle_t *handle)
{
    zx_handle_t value = *handle;
    *handle = ZX_HANDLE_INVALID;
    if (value == ZX_HANDLE_INVALID)
        return ZX_OK;
    return player_call(p, &(pgr_call){.number = PGR_CALL_HANDLE_CLOSE, .arg = {value}});
}

/* --- the file --- */

static zx_handle_t pager_make(struct player *p)
{
    player_call(p, &(pgr_call){.number = PGR_CALL_PAGER_CREATE});
    return (zx_handle_t)p->result.out[1];
}

int disk_start(struct player *p)
{
    player_call(p, &(pgr_call){.number = PGR_CALL_PORT_CREATE});
    p->port = (zx_handle_t)p->result.out[1];
    p->pager = pager_make(p);
    player_call(p, &(pgr_call){.number = PGR_CALL_VMO_CREATE, .arg = {FILE_BYTES}});
    p->aux = (zx_handle_t)p->result.out[2];
    return !player_over(p);
}

void disk_make_file(struct player *p, uint64_t size_bytes)
{
    uint32_t options = (p->traps ? ZX_VMO_TRAP_DIRTY : 0) | (p->resizable ? ZX_VMO_RESIZABLE : 0);
    uint32_t row;
    player_call(p, &(pgr_call){.number = PGR_CALL_FAIL_ALLOC});
    p->armed = 0;
    p->key++;
    if (player_call(p, &(pgr_call){.number = PGR_CALL_PAGER_CREATE_VMO,
                                   .arg = {p->pager, options, p->port, p->key, size_bytes}}))
        return;
    zx_handle_t vmo = (zx_handle_t)p->result.out[5];
    pgr_inspect_vmo(p->world, vmo, &row, &p->pages_row);
    memcpy(p->seen, p->disk, FILE_BYTES);
    memset(p->state, 0, sizeof p->state);
    p->size_pages = size_bytes >> PAGE_SHIFT;
    p->detached = 0;
    p->vmo = vmo;
    apps_map(p);
}

/* --- page requests --- */

void disk_receive(struct player *p)
{
    if (p->request_count == REQUESTS)
        return;
    if (player_call(p, &(pgr_call){.number = PGR_CALL_PORT_WAIT, .arg = {p->port, 0}}))
        return;
    const zx_port_packet_t *packet = &p->result.packet;
    if (packet->key != p->key || packet->page_request.command == ZX_PAGER_VMO_COMPLETE)
        return;
    p->requests[p->request_count++] = (struct page_request){.command = packet->page_request.command,
                                                            .offset = packet->page_request.offset,
                                                            .length = packet->page_request.length};
}

/* Empties the range of the aux VMO: what an earlier supply that failed has left there. */
static zx_status_t aux_empty(struct player *p, uint64_t length)
{
    return player_call(p, &(pgr_call){.number = PGR_CALL_VMO_OP_RANGE, .arg = {p->aux, ZX_VMO_OP_DECOMMIT, 0, length}});
}

static int is_zero(const uint8_t *bytes)
{
    static const uint8_t zeros[PAGE_BYTES];
    return memcmp(bytes, zeros, PAGE_BYTES) == 0;
}

/* Fills the aux VMO from the disk; pages of zeros are left out, or not. */
static zx_status_t aux_fill(struct player *p, uint64_t offset, uint64_t length, int leave_zeros)
{
    zx_status_t status = aux_empty(p, length);
    for (uint64_t at = 0; at < length && status == ZX_OK; at += PAGE_BYTES) {
        if (leave_zeros && is_zero(p->disk + offset + at))
            continue;
        status = player_call(p, &(pgr_call){.number = PGR_CALL_VMO_WRITE,
                                            .arg = {p->aux, 0, at, PAGE_BYTES},
                                            .buffer = p->disk + offset + at,
                                            .buffer_bytes = PAGE_BYTES});
    }
    return status;
}

/* From the disk, as it is now. */
static void supply(struct player *p, uint64_t offset, uint64_t length, int leave_zeros)
{
    if (offset >= FILE_BYTES || length > FILE_BYTES - offset)
        return;
    if (aux_fill(p, offset, length, leave_zeros))
        return;
    player_call(
        p, &(pgr_call){.number = PGR_CALL_PAGER_SUPPLY_PAGES, .arg = {p->pager, p->vmo, offset, length, p->aux, 0}});
}

static zx_status_t op_range(struct player *p, uint32_t op, uint64_t offset, uint64_t length, uint64_t data)
{
    zx_status_t status;
    p->dirtying = op == ZX_PAGER_OP_DIRTY;
    status = player_call(
        p, &(pgr_call){.number = PGR_CALL_PAGER_OP_RANGE, .arg = {p->pager, op, p->vmo, offset, length, data}});
    p->dirtying = 0;
    return status;
}

static void dirty(struct player *p, uint64_t offset, uint64_t length)
{
    p->changes++;
    op_range(p, ZX_PAGER_OP_DIRTY, offset, length, 0);
}

/* The whole of the request, a part (the request stays), or a failure. */
static void answer(struct player *p, uint8_t how)
{
    if (p->request_count == 0 || p->vmo == ZX_HANDLE_INVALID)
        return;
    uint32_t which = (how >> 4) % p->request_count;
    struct page_request request = p->requests[which];
    int in_part = (how & 7) == 1 && request.length > PAGE_BYTES;
    if (in_part)
        request.length = PAGE_BYTES;
    else
        p->requests[which] = p->requests[--p->request_count];
    if ((how & 7) == 0)
        op_range(p, ZX_PAGER_OP_FAIL, request.offset, request.length, (uint64_t)(int64_t)ZX_ERR_IO);
    else if (request.command == ZX_PAGER_VMO_READ)
        supply(p, request.offset, request.length, how & 8);
    else
        dirty(p, request.offset, request.length);
}

void disk_answer(struct player *p)
{
    answer(p, player_byte(p));
}

/* Answers all that is asked, and what is asked next, but not for ever: a request may come again and again. */
void disk_serve(struct player *p)
{
    for (uint32_t i = 0; i < 2 * REQUESTS; i++) {
        disk_receive(p);
        answer(p, i & 1 ? 0xff : 0x07);
    }
}

void disk_supply(struct player *p)
{
    uint64_t offset, length;
    player_pages(p, &offset, &length);
    if (p->vmo != ZX_HANDLE_INVALID)
        supply(p, offset, length, offset & PAGE_BYTES ? 1 : 0);
}

void disk_dirty(struct player *p)
{
    uint64_t offset, length;
    player_pages(p, &offset, &length);
    if (p->vmo != ZX_HANDLE_INVALID)
        dirty(p, offset, length);
}

/* --- writeback --- */

/* The dirty ranges of the file, or of a part of it. How many there are in all; the first of them are taken. */
static uint64_t query(struct player *p, uint64_t offset, uint64_t length, uint32_t room, zx_vmo_dirty_range_t *found)
{
    if (player_call(p, &(pgr_call){.number = PGR_CALL_PAGER_QUERY_DIRTY_RANGES,
                                   .arg = {p->pager, p->vmo, offset, length, 0, room},
                                   .buffer = found,
                                   .buffer_bytes = room * sizeof *found}))
        return 0;
    return p->result.out[7];
}

static void writeback_query(struct player *p, uint64_t offset, uint64_t length, uint32_t room)
{
    struct writeback *writeback = &p->writeback;
    zx_vmo_dirty_range_t found[RANGES];
    uint64_t all = query(p, offset, length, room, found);
    memset(writeback->zero_at_begin, 0, sizeof writeback->zero_at_begin);
    writeback->count = (uint32_t)least(all, room);
    writeback->whole = offset == 0 && length == file_bytes(p) && all <= room;
    writeback->changes = p->changes;
    for (uint32_t i = 0; i < writeback->count; i++) {
        struct dirty_range *range = &writeback->ranges[i];
        range->stage = STAGE_QUERIED;
        range->offset = found[i].offset;
        range->length = found[i].length;
        range->is_zero = (found[i].options & ZX_VMO_DIRTY_RANGE_IS_ZERO) != 0;
        memset(range->bytes, 0, range->length);
    }
}

/* What of the range is still in the file. */
static uint64_t length_left(const struct player *p, const struct dirty_range *range)
{
    uint64_t end = file_bytes(p);
    return range->offset >= end ? 0 : least(range->length, end - range->offset);
}

static void note_zeros(struct player *p, const struct dirty_range *range)
{
    for (uint64_t at = range->offset; at < range->offset + length_left(p, range); at += PAGE_BYTES)
        p->writeback.zero_at_begin[at >> PAGE_SHIFT] = p->state[at >> PAGE_SHIFT] == PGR_PAGE_INTERVAL;
}

static void range_begin(struct player *p, struct dirty_range *range)
{
    uint64_t length = length_left(p, range);
    note_zeros(p, range);
    if (length > 0)
        op_range(p, ZX_PAGER_OP_WRITEBACK_BEGIN, range->offset, length,
                 range->is_zero ? ZX_VMO_DIRTY_RANGE_IS_ZERO : 0);
    range->stage = STAGE_BEGUN;
}

/* Dirty content is always there: this read never waits. Where the file has ended since, and where it has zeros, zeros go to disk. */
static void range_read(struct player *p, struct dirty_range *range)
{
    uint64_t length = length_left(p, range);
    range->stage = STAGE_READ;
    if (range->is_zero || length == 0)
        return;
    zx_status_t status = player_call(p, &(pgr_call){.number = PGR_CALL_VMO_READ,
                                                    .arg = {p->vmo, 0, range->offset, length},
                                                    .buffer = range->bytes,
                                                    .buffer_bytes = length});
    if (status != ZX_OK && !player_over(p))
        judge_violation(p, "F1: what is being written back from %llu on cannot be read: status %d",
                        (unsigned long long)range->offset, status);
}

static void range_to_disk(struct player *p, struct dirty_range *range)
{
    memcpy(p->disk + range->offset, range->bytes, range->length);
    range->stage = STAGE_ON_DISK;
}

static void range_end(struct player *p, struct dirty_range *range)
{
    uint64_t length = length_left(p, range);
    p->ending = range;
    if (length > 0)
        op_range(p, ZX_PAGER_OP_WRITEBACK_END, range->offset, length, 0);
    p->ending = NULL;
    range->stage = STAGE_ENDED;
}

static void range_advance(struct player *p, struct dirty_range *range)
{
    switch (range->stage) {
    case STAGE_QUERIED:
        range_begin(p, range);
        break;
    case STAGE_BEGUN:
        range_read(p, range);
        break;
    case STAGE_READ:
        range_to_disk(p, range);
        break;
    case STAGE_ON_DISK:
        range_end(p, range);
        break;
    case STAGE_ENDED:
        break;
    }
}

static int anything_pinned(const struct player *p)
{
    pgr_object_view pages;
    return !pgr_inspect_object(p->world, p->pages_row, &pages) || pages.pages.pins > 0;
}

/* F2. */
static void judge_quiet(struct player *p)
{
    zx_vmo_dirty_range_t found[1];
    if (!p->writeback.whole || p->writeback.changes != p->changes || p->armed || anything_pinned(p))
        return;
    p->writeback.whole = 0;
    p->stats->quiet++;
    uint64_t left = query(p, 0, file_bytes(p), 1, found);
    if (left > 0)
        judge_violation(p, "F2: after an undisturbed writeback %llu ranges are dirty, the first from %llu on",
                        (unsigned long long)left, (unsigned long long)found[0].offset);
}

static struct dirty_range *unfinished(struct player *p, uint32_t from)
{
    for (uint32_t i = 0; i < p->writeback.count; i++) {
        struct dirty_range *range = &p->writeback.ranges[(from + i) % p->writeback.count];
        if (range->stage != STAGE_ENDED)
            return range;
    }
    return NULL;
}

/* One range goes one stage on, or the disk is busy; with none left, the next writeback is begun with a query. */
void disk_writeback_step(struct player *p)
{
    uint8_t how = player_byte(p);
    uint64_t offset = 0, length = file_bytes(p);
    if (p->vmo == ZX_HANDLE_INVALID)
        return;
    struct dirty_range *range = unfinished(p, how & 7);
    if (range) {
        range_advance(p, range);
        if (!unfinished(p, 0))
            judge_quiet(p);
        return;
    }
    if ((how & 0x30) == 0x30)
        player_pages(p, &offset, &length);
    writeback_query(p, offset, length, (how & 0xc0) == 0xc0 ? 2 : RANGES);
}

/* All of it at a time. */
void disk_writeback(struct player *p)
{
    struct dirty_range *range;
    if (p->vmo == ZX_HANDLE_INVALID)
        return;
    while ((range = unfinished(p, 0)) != NULL && !player_over(p))
        range_advance(p, range);
    writeback_query(p, 0, file_bytes(p), RANGES);
    while ((range = unfinished(p, 0)) != NULL && !player_over(p))
        range_advance(p, range);
    judge_quiet(p);
}

/* --- the end --- */

void disk_detach(struct player *p)
{
    uint8_t how = player_byte(p);
    if (how & 0xe || p->vmo == ZX_HANDLE_INVALID)
        return;
    p->detached = 1;
    p->changes++;
    if (how & 1)
        close_handle(p, &p->pager);
    else
        player_call(p, &(pgr_call){.number = PGR_CALL_PAGER_DETACH_VMO, .arg = {p->pager, p->vmo}});
}

/* What was clean as the power went, by what the pager could ask, must come back as it was. */
static void note_dirty(struct player *p, uint8_t *is_dirty)
{
    zx_vmo_dirty_range_t found[FILE_PAGES];
    uint64_t count = p->pager == ZX_HANDLE_INVALID ? 0 : query(p, 0, file_bytes(p), FILE_PAGES, found);
    memset(is_dirty, p->pager == ZX_HANDLE_INVALID, FILE_PAGES);
    for (uint64_t i = 0; i < count; i++) {
        for (uint64_t at = found[i].offset; at < found[i].offset + found[i].length; at += PAGE_BYTES)
            is_dirty[at >> PAGE_SHIFT] = 1;
    }
}

static void forget_file(struct player *p)
{
    zx_handle_t vmo = p->vmo;
    p->vmo = ZX_HANDLE_INVALID;
    apps_forget(p);
    close_handle(p, &vmo);
    p->request_count = 0;
    p->writeback.count = 0;
}

/* Reads a page of the new file, through a request if it takes one. */
static void read_back(struct player *p, uint64_t page)
{
    struct activity *activity = &p->activity[FIRST_APPLICATION];
    *activity = (struct activity){.effect = EFFECT_READ, .begin = page << PAGE_SHIFT, .end = (page + 1) << PAGE_SHIFT};
    player_call(p, &(pgr_call){.number = PGR_CALL_VMO_READ,
                               .thread = FIRST_APPLICATION,
                               .arg = {p->vmo, 0, activity->begin, PAGE_BYTES},
                               .buffer = activity->bytes,
                               .buffer_bytes = PAGE_BYTES});
    supply(p, page << PAGE_SHIFT, PAGE_BYTES, page & 1);
    while (player_resume(p)) {
    }
}

static void compare_after_loss(struct player *p, const uint8_t *before, const uint8_t *is_dirty)
{
    for (uint64_t page = 0; page < p->size_pages && !player_over(p); page++) {
        if (is_dirty[page])
            continue;
        read_back(p, page);
        if (!player_over(p) &&
            memcmp(p->activity[FIRST_APPLICATION].bytes, before + (page << PAGE_SHIFT), PAGE_BYTES) != 0)
            judge_violation(p, "F1: page %llu was clean when the power went, and is another now",
                            (unsigned long long)page);
    }
}

void disk_lose_power(struct player *p)
{
    uint8_t before[FILE_BYTES], is_dirty[FILE_PAGES];
    uint64_t size_pages = p->size_pages;
    if (player_over(p) || p->vmo == ZX_HANDLE_INVALID)
        return;
    p->stats->losses++;
    note_dirty(p, is_dirty);
    memcpy(before, p->seen, FILE_BYTES);
    forget_file(p);
    if (p->pager == ZX_HANDLE_INVALID)
        p->pager = pager_make(p);
    disk_make_file(p, size_pages << PAGE_SHIFT);
    if (p->vmo != ZX_HANDLE_INVALID)
        compare_after_loss(p, before, is_dirty);
}

NO_COVERAGE_END
