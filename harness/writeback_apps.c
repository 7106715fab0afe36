/* The applications of writeback.h: they read, write, map, zero, resize, pin, commit and clone the file. */
#include "harness/no_coverage.h"
#include "harness/writeback_internal.h"

#include <string.h>

NO_COVERAGE_BEGIN

/* The next application if it has nothing to wait for, otherwise THREADS. */
static uint32_t next_idle(struct player *p)
{
    uint32_t thread = FIRST_APPLICATION + player_byte(p) % (THREADS - FIRST_APPLICATION);
    pgr_thread_view view;
    return pgr_inspect_thread(p->world, thread, &view) && view.state == PGR_THREAD_IDLE ? thread : THREADS;
}

/* Any bytes of the file, now and then some behind its end. */
static void bytes_of_file(struct player *p, uint64_t *begin, uint64_t *end)
{
    uint8_t page = player_byte(p), shape = player_byte(p);
    uint64_t most = p->size_pages << PAGE_SHIFT;
    *begin = (uint64_t)(page % FILE_PAGES) << PAGE_SHIFT;
    *end = *begin + (uint64_t)(page & 0x80 ? FILE_PAGES : (page >> 3 & 3) + 1u) * PAGE_BYTES;
    if (shape & 1)
        *begin += shape >> 3;
    if (shape & 2)
        *end -= 1 + (shape >> 3) % (PAGE_BYTES / 2);
    if (*end > most && shape & 4)
        *end = most;
    if (*end > FILE_BYTES)
        *end = FILE_BYTES;
    if (*begin > *end)
        *begin = *end;
}

static zx_status_t act(struct player *p, enum effect effect, uint8_t value, uint64_t begin, uint64_t end,
                       pgr_call *call)
{
    struct activity *activity = &p->activity[call->thread];
    activity->effect = effect;
    activity->disturbed = 0;
    activity->value = value;
    activity->begin = begin;
    activity->end = end;
    memset(activity->bytes, value, sizeof activity->bytes);
    if (effect == EFFECT_WRITE)
        p->changes++;
    return player_call(p, call);
}

/* --- bytes --- */

static void transfer(struct player *p, uint32_t thread, uint32_t number, enum effect effect, zx_handle_t vmo)
{
    uint64_t begin, end;
    bytes_of_file(p, &begin, &end);
    uint8_t value = effect == EFFECT_WRITE ? player_byte(p) : 0;
    pgr_call call = {.number = number,
                     .thread = thread,
                     .arg = {vmo, 0, begin, end - begin},
                     .buffer = p->activity[thread].bytes,
                     .buffer_bytes = end - begin};
    act(p, effect, value, begin, end, &call);
}

static void access_mapping(struct player *p, uint32_t thread, uint32_t number, enum effect effect)
{
    uint64_t begin, end;
    bytes_of_file(p, &begin, &end);
    uint8_t value = effect == EFFECT_WRITE ? player_byte(p) : 0;
    pgr_call call = {.number = number,
                     .thread = thread,
                     .arg = {p->mapping + begin, 0, end - begin},
                     .buffer = p->activity[thread].bytes,
                     .buffer_bytes = end - begin};
    if (p->mapping != 0 && end > begin)
        act(p, effect, value, begin, end, &call);
}

/* --- ranges --- */

static void op(struct player *p, uint32_t thread, uint32_t op_number, enum effect effect)
{
    uint64_t begin, end;
    bytes_of_file(p, &begin, &end);
    if (effect == EFFECT_NONE)
        p->changes++;
    act(p, effect, 0, begin, end,
        &(pgr_call){.number = PGR_CALL_VMO_OP_RANGE, .thread = thread, .arg = {p->vmo, op_number, begin, end - begin}});
}

/* The bytes behind the new end, in its page, become zeros. */
static void set_size(struct player *p, uint32_t thread)
{
    uint8_t pages = player_byte(p), cut = player_byte(p);
    uint64_t size = (uint64_t)(pages % (FILE_PAGES + 1)) << PAGE_SHIFT;
    uint64_t page_end = size;
    if (cut & 1 && size > 0)
        size -= (cut >> 1) % PAGE_BYTES;
    p->changes++;
    act(p, EFFECT_WRITE, 0, size, page_end,
        &(pgr_call){.number = PGR_CALL_VMO_SET_SIZE, .thread = thread, .arg = {p->vmo, size}});
}

/* --- pins --- */

static void pin(struct player *p, uint32_t thread)
{
    pgr_start start;
    uint64_t offset, length;
    uint8_t how = player_byte(p);
    zx_handle_t *slot = &p->pins[how % PINS];
    pgr_start_handles(p->world, &start);
    player_pages(p, &offset, &length);
    p->changes++;
    if (*slot != ZX_HANDLE_INVALID) {
        player_call(p, &(pgr_call){.number = PGR_CALL_PMT_UNPIN, .thread = thread, .arg = {*slot}});
        *slot = ZX_HANDLE_INVALID;
        return;
    }
    uint32_t options = ZX_BTI_PERM_READ | (how & 0x80 ? ZX_BTI_PERM_WRITE : 0);
    zx_status_t status = player_call(
        p,
        &(pgr_call){.number = PGR_CALL_BTI_PIN, .thread = thread, .arg = {start.bti, options, p->vmo, offset, length}});
    if (status == ZX_OK)
        *slot = (zx_handle_t)p->result.out[5];
    /* A pin that has to wait gives its token to nobody: it is given up. */
    if (status == ZX_ERR_SHOULD_WAIT)
        player_call(p, &(pgr_call){.number = PGR_CALL_THREAD_KILL, .arg = {thread}});
}

/* --- children --- */

static zx_handle_t child(struct player *p, uint32_t options, uint64_t length)
{
    if (player_call(p, &(pgr_call){.number = PGR_CALL_VMO_CREATE_CHILD, .arg = {p->vmo, options, 0, length}}))
        return ZX_HANDLE_INVALID;
    return (zx_handle_t)p->result.out[4];
}

static void toggle(struct player *p, zx_handle_t *handle, uint32_t options, uint64_t length)
{
    if (*handle == ZX_HANDLE_INVALID) {
        *handle = child(p, options, length);
        return;
    }
    player_call(p, &(pgr_call){.number = PGR_CALL_HANDLE_CLOSE, .arg = {*handle}});
    *handle = ZX_HANDLE_INVALID;
}

/* What is written to a clone is never seen in the file. */
static void write_clone(struct player *p, uint32_t thread)
{
    uint64_t begin, end;
    bytes_of_file(p, &begin, &end);
    act(p, EFFECT_NONE, 0xcc, begin, end,
        &(pgr_call){.number = PGR_CALL_VMO_WRITE,
                    .thread = thread,
                    .arg = {p->clone, 0, begin, end - begin},
                    .buffer = p->activity[thread].bytes,
                    .buffer_bytes = end - begin});
}

static void children(struct player *p, uint32_t thread)
{
    uint64_t length = p->size_pages << PAGE_SHIFT;
    switch (player_byte(p) & 3) {
    case 0:
        toggle(p, &p->clone, ZX_VMO_CHILD_SNAPSHOT_AT_LEAST_ON_WRITE, length);
        break;
    case 1:
        if (p->resizable)
            toggle(p, &p->alias, ZX_VMO_CHILD_REFERENCE | ZX_VMO_CHILD_RESIZABLE, 0);
        else
            toggle(p, &p->alias, ZX_VMO_CHILD_SLICE, length);
        break;
    default:
        write_clone(p, thread);
        break;
    }
}

/* --- threads and mappings --- */

static void end_thread(struct player *p, uint32_t thread)
{
    p->activity[thread].effect = EFFECT_NONE;
    player_call(p, &(pgr_call){.number = PGR_CALL_THREAD_KILL, .arg = {thread}});
}

void apps_map(struct player *p)
{
    pgr_start start;
    pgr_start_handles(p->world, &start);
    zx_status_t status =
        player_call(p, &(pgr_call){.number = PGR_CALL_VMAR_MAP,
                                   .arg = {start.vmar, ZX_VM_PERM_READ | ZX_VM_PERM_WRITE | ZX_VM_ALLOW_FAULTS, 0,
                                           p->vmo, 0, FILE_BYTES}});
    p->mapping = status == ZX_OK ? p->result.out[6] : 0;
}

static void forget_handle(struct player *p, zx_handle_t *handle, uint32_t number)
{
    if (*handle != ZX_HANDLE_INVALID)
        player_call(p, &(pgr_call){.number = number, .arg = {*handle}});
    *handle = ZX_HANDLE_INVALID;
}

void apps_forget(struct player *p)
{
    pgr_start start;
    pgr_start_handles(p->world, &start);
    for (uint32_t thread = FIRST_APPLICATION; thread < THREADS; thread++)
        end_thread(p, thread);
    for (uint32_t i = 0; i < PINS; i++)
        forget_handle(p, &p->pins[i], PGR_CALL_PMT_UNPIN);
    forget_handle(p, &p->clone, PGR_CALL_HANDLE_CLOSE);
    forget_handle(p, &p->alias, PGR_CALL_HANDLE_CLOSE);
    if (p->mapping != 0)
        player_call(p, &(pgr_call){.number = PGR_CALL_VMAR_UNMAP, .arg = {start.vmar, p->mapping, FILE_BYTES}});
    p->mapping = 0;
}

void apps_step(struct player *p, uint8_t what)
{
    uint32_t thread = next_idle(p);
    if (p->vmo == ZX_HANDLE_INVALID)
        return;
    if (thread == THREADS) {
        if (what == 15)
            end_thread(p, FIRST_APPLICATION + player_byte(p) % (THREADS - FIRST_APPLICATION));
        return;
    }
    switch (what) {
    case 0 ... 2:
        transfer(p, thread, PGR_CALL_VMO_WRITE, EFFECT_WRITE, p->vmo);
        break;
    case 3:
        transfer(p, thread, PGR_CALL_VMO_WRITE, EFFECT_WRITE, p->alias ? p->alias : p->vmo);
        break;
    case 4 ... 5:
        access_mapping(p, thread, PGR_CALL_MEM_WRITE, EFFECT_WRITE);
        break;
    case 6:
        transfer(p, thread, PGR_CALL_VMO_READ, EFFECT_READ, p->vmo);
        break;
    case 7:
        access_mapping(p, thread, PGR_CALL_MEM_READ, EFFECT_READ);
        break;
    case 8 ... 9:
        op(p, thread, ZX_VMO_OP_ZERO, EFFECT_WRITE);
        break;
    case 10 ... 11:
        set_size(p, thread);
        break;
    case 12:
        pin(p, thread);
        break;
    case 13:
        op(p, thread, ZX_VMO_OP_COMMIT, EFFECT_NONE);
        break;
    case 14:
        children(p, thread);
        break;
    default:
        break;
    }
}

NO_COVERAGE_END
