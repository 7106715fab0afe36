/* The operations of uffd.h on the core: a pager VMO that is mapped, an aux VMO, and a pager that hears of every request. */
#include "harness/no_coverage.h"
#include "harness/recorder.h"
#include "harness/uffd_internal.h"
#include "harness/world_memory.h"

#include <stdlib.h>
#include <string.h>

NO_COVERAGE_BEGIN

/* Thread 0 is the pager; access i is made by thread i + 1. */
enum { PAGER_THREAD, FIRST_ACCESS };

#define WINDOW_A_OFFSET 0x100000u /* in the root VMAR */
#define WINDOW_DISTANCE 0x100000u
#define KEY 7u

static const pgr_config config = {
    .page_shift = PAGE_SHIFT,
    .frame_count = 4 * UFFD_PAGES,
    .object_count = 64,
    .handle_count = 32,
    .thread_count = FIRST_ACCESS + UFFD_THREADS,
    .packet_count = 16,
    .run_count = 128,
};

struct core_access {
    uint32_t number; /* PGR_CALL_MEM_READ ...; PGR_CALL_NONE: no access */
    uint64_t address;
    uint64_t window_address;
    uint32_t length;
    uint8_t bytes[VMO_BYTES];
};

static pgr_world *world;
static uint8_t *frames;
static struct recorder *recorder;
static pgr_start start;
static pgr_result result; /* of the last call */
static zx_handle_t port, pager, vmo, aux;
static uint32_t vmo_pages, aux_pages; /* object rows */
static uint64_t windows[UFFD_PLACES]; /* addresses; 0: nowhere */
static uint8_t places[UFFD_PAGES];
static int traps;
static struct core_access accesses[UFFD_THREADS];
static struct uffd_view *shown;

/* --- calls --- */

static int make_world(void)
{
    static struct world_memory memory;
    if (world) {
        pgr_reset(world);
        return 0;
    }
    if (world_memory_allocate(&memory, &config) == 0 &&
        pgr_init(memory.block, memory.block_bytes, &config, &world) == ZX_OK) {
        frames = memory.frames;
        return 0;
    }
    uffd_differ("no memory for the core's world");
    return -1;
}

static void dispatch(const pgr_call *call)
{
    pgr_dispatch(world, frames, call, &result);
    uffd_done.calls++;
    if (recorder)
        recorder_call(recorder, call, &result);
}

static void note_access(uint32_t thread)
{
    struct core_access *access = &accesses[thread];
    struct uffd_access_view *view = &shown->accesses[thread];
    if (result.outcome == PGR_BLOCKED)
        return;
    view->ended = 1;
    view->bytes = access->bytes;
    view->count = access->number == PGR_CALL_MEM_READ ? access->length : 0;
    if (result.outcome == PGR_FAULT) {
        view->fault = result.fault.code;
        view->fault_at = (uint32_t)(result.fault.address - access->window_address);
        if (access->number == PGR_CALL_MEM_READ)
            view->count = (uint32_t)(result.fault.address - access->address);
    }
    access->number = PGR_CALL_NONE;
}

/* Each released thread asks for something else, or ends: more resumes than this are a thread that runs in circles. */
#define RESUMES_MOST 256u

static void resume_released(void)
{
    for (uint32_t i = 0; i < RESUMES_MOST; i++) {
        uint32_t thread = pgr_first_released(world);
        if (thread == PGR_NO_THREAD)
            return;
        struct core_access *access = &accesses[thread - FIRST_ACCESS];
        dispatch(&(pgr_call){
            .number = PGR_CALL_RESUME, .thread = thread, .buffer = access->bytes, .buffer_bytes = access->length});
        note_access(thread - FIRST_ACCESS);
    }
    uffd_differ("U1: the core: a released thread comes to no end");
}

/* A call of the pager; what it releases runs on. */
static zx_status_t call(pgr_call *call)
{
    dispatch(call);
    pgr_result returned = result;
    resume_released();
    result = returned;
    if (result.outcome != PGR_DONE)
        uffd_differ("U6: the core: call %u of the pager has outcome %u", call->number, result.outcome);
    return result.status;
}

static zx_status_t op_range(const struct uffd_operation *o, uint32_t op, uint64_t data)
{
    return call(
        &(pgr_call){.number = PGR_CALL_PAGER_OP_RANGE,
                    .arg = {pager, op, vmo, (uint64_t)o->page << PAGE_SHIFT, (uint64_t)o->count << PAGE_SHIFT, data}});
}

/* --- operations --- */

static void make_access(const struct uffd_operation *o)
{
    struct core_access *access = &accesses[o->thread];
    access->number = o->number == UFFD_LOAD ? PGR_CALL_MEM_READ : PGR_CALL_MEM_WRITE;
    access->window_address = windows[o->window];
    access->address = access->window_address + o->begin;
    access->length = o->length;
    memset(access->bytes, o->number == UFFD_LOAD ? 0xee : o->value, o->length);
    dispatch(&(pgr_call){.number = access->number,
                         .thread = FIRST_ACCESS + o->thread,
                         .arg = {access->address, 0, o->length},
                         .buffer = access->bytes,
                         .buffer_bytes = o->length});
    note_access(o->thread);
    resume_released();
}

static void kill_access(const struct uffd_operation *o)
{
    if (accesses[o->thread].number == PGR_CALL_NONE)
        return;
    accesses[o->thread].number = PGR_CALL_NONE;
    call(&(pgr_call){.number = PGR_CALL_THREAD_KILL, .arg = {FIRST_ACCESS + o->thread}});
    shown->accesses[o->thread].ended = shown->accesses[o->thread].killed = 1;
}

static void aux_transfer(const struct uffd_operation *o)
{
    static uint8_t bytes[VMO_BYTES];
    memset(bytes, o->value, o->length);
    call(&(pgr_call){.number = o->number == UFFD_AUX_STORE ? PGR_CALL_VMO_WRITE : PGR_CALL_VMO_READ,
                     .arg = {aux, 0, o->begin, o->length},
                     .buffer = bytes,
                     .buffer_bytes = o->length});
}

static void aux_decommit(const struct uffd_operation *o)
{
    call(&(pgr_call){
        .number = PGR_CALL_VMO_OP_RANGE,
        .arg = {aux, ZX_VMO_OP_DECOMMIT, (uint64_t)o->page << PAGE_SHIFT, (uint64_t)o->count << PAGE_SHIFT}});
}

static void supply(const struct uffd_operation *o)
{
    shown->status =
        call(&(pgr_call){.number = PGR_CALL_PAGER_SUPPLY_PAGES,
                         .arg = {pager, vmo, (uint64_t)o->page << PAGE_SHIFT, (uint64_t)o->count << PAGE_SHIFT, aux,
                                 (uint64_t)o->aux_page << PAGE_SHIFT}});
}

static void fail_requests(const struct uffd_operation *o)
{
    shown->status = op_range(o, ZX_PAGER_OP_FAIL, (uint64_t)(int64_t)ZX_ERR_IO);
}

static void dirty(const struct uffd_operation *o)
{
    shown->status = op_range(o, ZX_PAGER_OP_DIRTY, 0);
}

static void begin(const struct uffd_operation *o)
{
    shown->status = op_range(o, ZX_PAGER_OP_WRITEBACK_BEGIN, 0);
}

static void end(const struct uffd_operation *o)
{
    shown->status = op_range(o, ZX_PAGER_OP_WRITEBACK_END, 0);
}

static void evict(const struct uffd_operation *o)
{
    call(&(pgr_call){.number = PGR_CALL_RECLAIM, .arg = {o->count}});
}

static zx_status_t map(uint8_t place, uint32_t page, uint32_t count)
{
    uint32_t options = ZX_VM_PERM_READ | ZX_VM_PERM_WRITE | ZX_VM_ALLOW_FAULTS | ZX_VM_SPECIFIC;
    uint64_t vmar_offset = WINDOW_A_OFFSET + place * WINDOW_DISTANCE + ((uint64_t)page << PAGE_SHIFT);
    return call(&(pgr_call){
        .number = PGR_CALL_VMAR_MAP,
        .arg = {start.vmar, options, vmar_offset, vmo, (uint64_t)page << PAGE_SHIFT, (uint64_t)count << PAGE_SHIFT}});
}

static void move_mapping(uint32_t page, uint8_t place)
{
    uint64_t address = windows[places[page]] + ((uint64_t)page << PAGE_SHIFT);
    zx_status_t status = ZX_OK;
    if (places[page] != UFFD_NOWHERE)
        status = call(&(pgr_call){.number = PGR_CALL_VMAR_UNMAP, .arg = {start.vmar, address, UFFD_PAGE_BYTES}});
    if (status == ZX_OK && place != UFFD_NOWHERE)
        status = map(place, page, 1);
    if (status != ZX_OK)
        uffd_differ("U6: the core: page %u cannot be mapped elsewhere: %d", page, status);
    places[page] = place;
}

static void place(const struct uffd_operation *o)
{
    for (uint32_t page = o->page; page < (uint32_t)o->page + o->count; page++) {
        if (places[page] != o->window)
            move_mapping(page, o->window);
    }
}

static zx_handle_t make(pgr_call *creation, uint32_t out)
{
    call(creation);
    return (zx_handle_t)result.out[out];
}

/* The VMO, mapped, and the aux VMO. */
static int make_objects(void)
{
    uint32_t row;
    vmo = make(&(pgr_call){.number = PGR_CALL_PAGER_CREATE_VMO,
                           .arg = {pager, traps ? ZX_VMO_TRAP_DIRTY : 0, port, KEY, VMO_BYTES}},
               5);
    aux = make(&(pgr_call){.number = PGR_CALL_VMO_CREATE, .arg = {VMO_BYTES}}, 2);
    memset(places, UFFD_WINDOW_A, sizeof places);
    return pgr_inspect_vmo(world, vmo, &row, &vmo_pages) && pgr_inspect_vmo(world, aux, &row, &aux_pages) &&
           map(UFFD_WINDOW_A, 0, UFFD_PAGES) == ZX_OK;
}

static void protect(const struct uffd_operation *o)
{
    uint32_t options = ZX_VM_PERM_READ | (o->number == UFFD_READ_WRITE ? ZX_VM_PERM_WRITE : 0);
    for (uint32_t page = o->page; page < (uint32_t)o->page + o->count; page++) {
        uint64_t address = windows[places[page]] + ((uint64_t)page << PAGE_SHIFT);
        call(&(pgr_call){.number = PGR_CALL_VMAR_PROTECT, .arg = {start.vmar, options, address, UFFD_PAGE_BYTES}});
        if (result.status != ZX_OK)
            uffd_differ("U6: the core: page %u cannot be protected: %d", page, result.status);
    }
}

/* What the pager hears last of a VMO. */
static void receive_complete(void)
{
    dispatch(&(pgr_call){.number = PGR_CALL_PORT_WAIT, .thread = PAGER_THREAD, .arg = {port, 0}});
    if (result.outcome != PGR_DONE || result.status != ZX_OK || result.packet.key != KEY ||
        result.packet.page_request.command != ZX_PAGER_VMO_COMPLETE)
        uffd_differ("U2: the core: a VMO has come to its end, and the pager does not hear of it");
}

static void renew(const struct uffd_operation *o)
{
    (void)o;
    for (uint32_t page = 0; page < UFFD_PAGES; page++)
        move_mapping(page, UFFD_NOWHERE);
    call(&(pgr_call){.number = PGR_CALL_HANDLE_CLOSE, .arg = {vmo}});
    receive_complete();
    call(&(pgr_call){.number = PGR_CALL_HANDLE_CLOSE, .arg = {aux}});
    if (!make_objects())
        uffd_differ("U6: the core: the VMO cannot be made again");
}

static void (*const operations[UFFD_OPERATIONS])(const struct uffd_operation *) = {
    [UFFD_LOAD] = make_access,
    [UFFD_STORE] = make_access,
    [UFFD_KILL] = kill_access,
    [UFFD_AUX_STORE] = aux_transfer,
    [UFFD_AUX_LOAD] = aux_transfer,
    [UFFD_AUX_DECOMMIT] = aux_decommit,
    [UFFD_SUPPLY] = supply,
    [UFFD_FAIL] = fail_requests,
    [UFFD_DIRTY] = dirty,
    [UFFD_BEGIN] = begin,
    [UFFD_END] = end,
    [UFFD_EVICT] = evict,
    [UFFD_PLACE] = place,
    [UFFD_READ_ONLY] = protect,
    [UFFD_READ_WRITE] = protect,
    [UFFD_RENEW] = renew,
};

/* --- what it shows --- */

static void receive_requests(void)
{
    for (;;) {
        dispatch(&(pgr_call){.number = PGR_CALL_PORT_WAIT, .thread = PAGER_THREAD, .arg = {port, 0}});
        if (result.outcome != PGR_DONE || result.status != ZX_OK)
            return;
        const zx_packet_page_request_t *request = &result.packet.page_request;
        enum uffd_wait kind = request->command == ZX_PAGER_VMO_READ    ? UFFD_WAITS_READ
                              : request->command == ZX_PAGER_VMO_DIRTY ? UFFD_WAITS_DIRTY
                                                                       : UFFD_WAITS_NOT;
        uint32_t bit = 1u << page_of(request->offset);
        if (result.packet.key != KEY || request->flags != 0 || request->length != UFFD_PAGE_BYTES ||
            request->offset >= VMO_BYTES || kind == UFFD_WAITS_NOT || shown->requests[kind] & bit)
            uffd_differ("U2: the core: a packet that no access explains: command %u, offset 0x%llx, length 0x%llx",
                        request->command, (unsigned long long)request->offset, (unsigned long long)request->length);
        shown->requests[kind] |= bit;
    }
}

/* All packets have been received by now: a request that has not been will never be heard of. */
static void show_access(uint32_t index, struct uffd_access_view *view)
{
    pgr_thread_view thread;
    pgr_request_view request;
    if (!pgr_inspect_thread(world, FIRST_ACCESS + index, &thread) || thread.state != PGR_THREAD_BLOCKED)
        return;
    if (!pgr_inspect_request(world, thread.request, &request) || request.place != PGR_REQUEST_RECEIVED) {
        uffd_differ("U2: the core: thread %u waits, and the pager was not asked", index);
        return;
    }
    view->waits = request.command == ZX_PAGER_VMO_READ ? UFFD_WAITS_READ : UFFD_WAITS_DIRTY;
    view->page = (uint8_t)request.page;
}

static void show_page(uint32_t pages, uint32_t page, struct uffd_page_view *view)
{
    pgr_run_view run;
    if (!pgr_inspect_run(world, pages, page, &run) || run.page > page)
        return;
    view->state = run.state;
    view->bytes = run.frame ? frames + ((run.frame + (page - run.page)) << PAGE_SHIFT) : NULL;
}

void core_do(const struct uffd_operation *operation, struct uffd_view *view)
{
    pgr_inspect_counts counts;
    memset(view, 0, sizeof *view);
    shown = view;
    operations[operation->number](operation);
    receive_requests();
    for (uint32_t i = 0; i < UFFD_THREADS; i++)
        show_access(i, &view->accesses[i]);
    for (uint32_t page = 0; page < UFFD_PAGES; page++) {
        show_page(vmo_pages, page, &view->pages[page]);
        show_page(aux_pages, page, &view->aux[page]);
    }
    pgr_inspect_world(world, &counts);
    view->committed = config.frame_count - 1 - counts.frames_free;
}

/* --- a session --- */

static void start_recorder(FILE *out)
{
    recorder = out ? recorder_new(&config, &start, out) : NULL;
    if (recorder)
        recorder_watch(recorder, world);
}

int core_start(int with_traps, FILE *record)
{
    static struct uffd_view nobody_looks;
    core_end();
    if (make_world())
        return -1;
    shown = &nobody_looks;
    traps = with_traps;
    memset(accesses, 0, sizeof accesses);
    pgr_start_handles(world, &start);
    start_recorder(record);
    port = make(&(pgr_call){.number = PGR_CALL_PORT_CREATE}, 1);
    pager = make(&(pgr_call){.number = PGR_CALL_PAGER_CREATE}, 1);
    if (!make_objects()) {
        uffd_differ("U6: the core: the VMO cannot be made");
        return -1;
    }
    windows[UFFD_WINDOW_A] = result.out[6];
    windows[UFFD_WINDOW_B] = windows[UFFD_WINDOW_A] + WINDOW_DISTANCE;
    return 0;
}

void core_end(void)
{
    if (recorder)
        recorder_free(recorder);
    recorder = NULL;
}

NO_COVERAGE_END
