/*
 * The table of all calls, and the dispatcher, which is the only way to change a world.
 *
 * A new call is a row here and its functions in one of the files calls_*.c. The row describes the call for
 * everybody: the dispatcher, the reader and printer of traces, the fuzzers.
 *
 * A dispatch goes: check (what is asked once), then steps. A step is look (what is asked each time, on a world that
 * it cannot change, and what the step will take), reserve (the only place where memory runs out), commit (which
 * cannot fail). After a step the call has returned, or goes on with the next, or waits: then its thread keeps
 * plan.op, and nothing else, until PGR_CALL_RESUME goes on with a look.
 */
#include "pgr_internal.h"

#define ARGS(...) {__VA_ARGS__}, (uint8_t)(sizeof((pgr_arg[]){__VA_ARGS__}) / sizeof(pgr_arg))

#define HANDLE(name, type) {name, PGR_ARG_HANDLE, ZX_OBJ_TYPE_##type}
#define HANDLE_OUT(type) {"out", PGR_ARG_HANDLE_OUT, ZX_OBJ_TYPE_##type}
#define U32(name, domain) {name, PGR_ARG_U32, PGR_DOMAIN_##domain}
#define U64(name, domain) {name, PGR_ARG_U64, PGR_DOMAIN_##domain}
#define OFFSET(name) {name, PGR_ARG_OFFSET, 0}
#define SIZE(name) {name, PGR_ARG_SIZE, 0}
#define ADDRESS(name) {name, PGR_ARG_ADDRESS, 0}
#define ADDRESS_OUT(name) {name, PGR_ARG_ADDRESS_OUT, 0}
#define U64_OUT(name) {name, PGR_ARG_U64_OUT, 0}
#define U32_OUT(name) {name, PGR_ARG_U32_OUT, 0}
#define BYTES_IN(length) {"buffer", PGR_ARG_BYTES_IN, length}
#define BYTES_OUT(length) {"buffer", PGR_ARG_BYTES_OUT, length}
#define STRUCT(name, kind) {name, PGR_ARG_##kind, 0}

/*
 * A call that is performed in one step; one that happens to the world, whatever the calling thread does; one that
 * may take several steps and wait between them; and an access, whose errors are exceptions.
 */
#define ONE_STEP(name, blocks, function, ...)                                                                          \
    {{name, ARGS(__VA_ARGS__), blocks, 0, 0}, function##_check, NULL, function##_commit}
#define WORLDLY(name, function, ...) {{name, ARGS(__VA_ARGS__), 0, 0, 1}, function##_check, NULL, function##_commit}
#define ACCESS(name, function, ...)                                                                                    \
    {{name, ARGS(__VA_ARGS__), 1, 1, 0}, function##_check, function##_look, function##_commit}
#define STEPS(name, function, ...)                                                                                     \
    {{name, ARGS(__VA_ARGS__), 1, 0, 0}, function##_check, function##_look, function##_commit}

static const struct call_row call_table[PGR_CALL_COUNT] = {
    [PGR_CALL_HANDLE_CLOSE] = ONE_STEP("zx_handle_close", 0, handle_close, HANDLE("handle", NONE)),
    [PGR_CALL_HANDLE_CLOSE_MANY] = ONE_STEP("zx_handle_close_many", 0, handle_close_many, STRUCT("handles", HANDLES)),
    [PGR_CALL_HANDLE_DUPLICATE] = ONE_STEP("zx_handle_duplicate", 0, handle_duplicate, HANDLE("handle", NONE),
                                           U32("rights", RIGHTS), HANDLE_OUT(NONE)),
    [PGR_CALL_HANDLE_REPLACE] = ONE_STEP("zx_handle_replace", 0, handle_replace, HANDLE("handle", NONE),
                                         U32("rights", RIGHTS), HANDLE_OUT(NONE)),

    [PGR_CALL_OBJECT_GET_INFO] = ONE_STEP("zx_object_get_info", 0, object_get_info, HANDLE("handle", NONE),
                                          U32("topic", TOPIC), STRUCT("buffer", INFO_OUT)),
    [PGR_CALL_OBJECT_GET_PROPERTY] = ONE_STEP("zx_object_get_property", 0, object_get_property, HANDLE("handle", NONE),
                                              U32("property", PROPERTY), STRUCT("value", PROPERTY_OUT)),
    [PGR_CALL_OBJECT_SET_PROPERTY] = STEPS("zx_object_set_property", object_set_property, HANDLE("handle", NONE),
                                           U32("property", PROPERTY), STRUCT("value", PROPERTY_IN)),
    [PGR_CALL_OBJECT_WAIT_ONE] = ONE_STEP("zx_object_wait_one", 1, object_wait_one, HANDLE("handle", NONE),
                                          U32("signals", SIGNALS), U64("deadline", DEADLINE), U32_OUT("observed")),
    [PGR_CALL_OBJECT_WAIT_ASYNC] =
        ONE_STEP("zx_object_wait_async", 0, object_wait_async, HANDLE("handle", NONE), HANDLE("port", PORT),
                 U64("key", KEY), U32("signals", SIGNALS), U32("options", WAIT_ASYNC_OPTIONS)),
    [PGR_CALL_OBJECT_SIGNAL] = ONE_STEP("zx_object_signal", 0, object_signal, HANDLE("handle", NONE),
                                        U32("clear_mask", SIGNALS), U32("set_mask", SIGNALS)),
    [PGR_CALL_EVENT_CREATE] =
        ONE_STEP("zx_event_create", 0, event_create, U32("options", ZERO_OPTIONS), HANDLE_OUT(EVENT)),

    [PGR_CALL_PORT_CREATE] = ONE_STEP("zx_port_create", 0, port_create, U32("options", PORT_OPTIONS), HANDLE_OUT(PORT)),
    [PGR_CALL_PORT_WAIT] = ONE_STEP("zx_port_wait", 1, port_wait, HANDLE("handle", PORT), U64("deadline", DEADLINE),
                                    STRUCT("packet", PACKET_OUT)),
    [PGR_CALL_PORT_QUEUE] =
        ONE_STEP("zx_port_queue", 0, port_queue, HANDLE("handle", PORT), STRUCT("packet", PACKET_IN)),
    [PGR_CALL_PORT_CANCEL] =
        ONE_STEP("zx_port_cancel", 0, port_cancel, HANDLE("handle", PORT), HANDLE("source", NONE), U64("key", KEY)),

    [PGR_CALL_PAGER_CREATE] =
        ONE_STEP("zx_pager_create", 0, pager_create, U32("options", ZERO_OPTIONS), HANDLE_OUT(PAGER)),
    [PGR_CALL_PAGER_CREATE_VMO] =
        ONE_STEP("zx_pager_create_vmo", 0, pager_create_vmo, HANDLE("pager", PAGER), U32("options", PAGER_VMO_OPTIONS),
                 HANDLE("port", PORT), U64("key", KEY), SIZE("size"), HANDLE_OUT(VMO)),
    [PGR_CALL_PAGER_DETACH_VMO] =
        ONE_STEP("zx_pager_detach_vmo", 0, pager_detach_vmo, HANDLE("pager", PAGER), HANDLE("pager_vmo", VMO)),
    [PGR_CALL_PAGER_SUPPLY_PAGES] =
        ONE_STEP("zx_pager_supply_pages", 0, pager_supply_pages, HANDLE("pager", PAGER), HANDLE("pager_vmo", VMO),
                 OFFSET("offset"), SIZE("length"), HANDLE("aux_vmo", VMO), OFFSET("aux_offset")),
    [PGR_CALL_PAGER_OP_RANGE] =
        ONE_STEP("zx_pager_op_range", 0, pager_op_range, HANDLE("pager", PAGER), U32("op", PAGER_OP),
                 HANDLE("pager_vmo", VMO), OFFSET("offset"), SIZE("length"), U64("data", PAGER_OP_DATA)),
    [PGR_CALL_PAGER_QUERY_DIRTY_RANGES] =
        ONE_STEP("zx_pager_query_dirty_ranges", 0, pager_query_dirty_ranges, HANDLE("pager", PAGER),
                 HANDLE("pager_vmo", VMO), OFFSET("offset"), SIZE("length"), STRUCT("buffer", RANGES_OUT),
                 U64("capacity", NUMBER), U64_OUT("actual"), U64_OUT("avail")),
    [PGR_CALL_PAGER_QUERY_VMO_STATS] =
        ONE_STEP("zx_pager_query_vmo_stats", 0, pager_query_vmo_stats, HANDLE("pager", PAGER), HANDLE("pager_vmo", VMO),
                 U32("options", STATS_OPTIONS), STRUCT("buffer", STATS_OUT)),

    [PGR_CALL_VMO_CREATE] =
        ONE_STEP("zx_vmo_create", 0, vmo_create, SIZE("size"), U32("options", VMO_OPTIONS), HANDLE_OUT(VMO)),
    [PGR_CALL_VMO_CREATE_CONTIGUOUS] =
        ONE_STEP("zx_vmo_create_contiguous", 0, vmo_create_contiguous, HANDLE("bti", BTI), SIZE("size"),
                 U32("alignment_log2", ALIGNMENT_LOG2), HANDLE_OUT(VMO)),
    [PGR_CALL_VMO_CREATE_PHYSICAL] =
        ONE_STEP("zx_vmo_create_physical", 0, vmo_create_physical, HANDLE("resource", RESOURCE),
                 U64("paddr", PHYSICAL_ADDRESS), SIZE("size"), HANDLE_OUT(VMO)),
    [PGR_CALL_VMO_CREATE_CHILD] =
        ONE_STEP("zx_vmo_create_child", 0, vmo_create_child, HANDLE("handle", VMO), U32("options", CHILD_OPTIONS),
                 OFFSET("offset"), SIZE("size"), HANDLE_OUT(VMO)),
    [PGR_CALL_VMO_REPLACE_AS_EXECUTABLE] = ONE_STEP("zx_vmo_replace_as_executable", 0, vmo_replace_as_executable,
                                                    HANDLE("handle", VMO), HANDLE("vmex", RESOURCE), HANDLE_OUT(VMO)),
    [PGR_CALL_VMO_READ] =
        STEPS("zx_vmo_read", vmo_read, HANDLE("handle", VMO), BYTES_OUT(3), OFFSET("offset"), SIZE("buffer_size")),
    [PGR_CALL_VMO_WRITE] =
        STEPS("zx_vmo_write", vmo_write, HANDLE("handle", VMO), BYTES_IN(3), OFFSET("offset"), SIZE("buffer_size")),
    [PGR_CALL_VMO_TRANSFER_DATA] =
        STEPS("zx_vmo_transfer_data", vmo_transfer_data, HANDLE("dst_vmo", VMO), U32("options", ZERO_OPTIONS),
              OFFSET("offset"), SIZE("length"), HANDLE("src_vmo", VMO), OFFSET("src_offset")),
    [PGR_CALL_VMO_GET_SIZE] = ONE_STEP("zx_vmo_get_size", 0, vmo_get_size, HANDLE("handle", VMO), U64_OUT("size")),
    [PGR_CALL_VMO_SET_SIZE] = STEPS("zx_vmo_set_size", vmo_set_size, HANDLE("handle", VMO), SIZE("size")),
    [PGR_CALL_VMO_GET_STREAM_SIZE] =
        ONE_STEP("zx_vmo_get_stream_size", 0, vmo_get_stream_size, HANDLE("handle", VMO), U64_OUT("size")),
    [PGR_CALL_VMO_SET_STREAM_SIZE] =
        STEPS("zx_vmo_set_stream_size", vmo_set_stream_size, HANDLE("handle", VMO), SIZE("size")),
    [PGR_CALL_VMO_SET_CACHE_POLICY] = ONE_STEP("zx_vmo_set_cache_policy", 0, vmo_set_cache_policy,
                                               HANDLE("handle", VMO), U32("cache_policy", CACHE_POLICY)),
    [PGR_CALL_VMO_OP_RANGE] = STEPS("zx_vmo_op_range", vmo_op_range, HANDLE("handle", VMO), U32("op", VMO_OP),
                                    OFFSET("offset"), SIZE("size"), STRUCT("buffer", LOCK_OUT)),

    [PGR_CALL_VMAR_MAP] =
        ONE_STEP("zx_vmar_map", 0, vmar_map, HANDLE("handle", VMAR), U32("options", VM_OPTIONS), OFFSET("vmar_offset"),
                 HANDLE("vmo", VMO), OFFSET("vmo_offset"), SIZE("len"), ADDRESS_OUT("mapped_addr")),
    [PGR_CALL_VMAR_UNMAP] =
        ONE_STEP("zx_vmar_unmap", 0, vmar_unmap, HANDLE("handle", VMAR), ADDRESS("addr"), SIZE("len")),
    [PGR_CALL_VMAR_PROTECT] = ONE_STEP("zx_vmar_protect", 0, vmar_protect, HANDLE("handle", VMAR),
                                       U32("options", VM_OPTIONS), ADDRESS("addr"), SIZE("len")),
    [PGR_CALL_VMAR_OP_RANGE] = STEPS("zx_vmar_op_range", vmar_op_range, HANDLE("handle", VMAR), U32("op", VMAR_OP),
                                     ADDRESS("address"), SIZE("size")),
    [PGR_CALL_VMAR_ALLOCATE] = ONE_STEP(
        "zx_vmar_allocate", 0, vmar_allocate, HANDLE("parent_vmar", VMAR), U32("options", VM_OPTIONS), OFFSET("offset"),
        SIZE("size"), {"child_vmar", PGR_ARG_HANDLE_OUT, ZX_OBJ_TYPE_VMAR}, ADDRESS_OUT("child_addr")),
    [PGR_CALL_VMAR_DESTROY] = ONE_STEP("zx_vmar_destroy", 0, vmar_destroy, HANDLE("handle", VMAR)),

    [PGR_CALL_BTI_PIN] = STEPS("zx_bti_pin", bti_pin, HANDLE("handle", BTI), U32("options", PIN_OPTIONS),
                               HANDLE("vmo", VMO), OFFSET("offset"), SIZE("size"), HANDLE_OUT(PMT)),
    [PGR_CALL_PMT_UNPIN] = ONE_STEP("zx_pmt_unpin", 0, pmt_unpin, HANDLE("handle", PMT)),
    [PGR_CALL_BTI_RELEASE_QUARANTINE] =
        ONE_STEP("zx_bti_release_quarantine", 0, bti_release_quarantine, HANDLE("handle", BTI)),

    [PGR_CALL_MEM_READ] = ACCESS("mem_read", mem_read, ADDRESS("addr"), BYTES_OUT(2), SIZE("len")),
    [PGR_CALL_MEM_WRITE] = ACCESS("mem_write", mem_write, ADDRESS("addr"), BYTES_IN(2), SIZE("len")),
    [PGR_CALL_MEM_PREPARE] = ACCESS("mem_prepare", mem_prepare, STRUCT("accesses", ACCESSES)),
    [PGR_CALL_FAIL_ALLOC] = WORLDLY("fail_alloc", fail_alloc, U64("n", NUMBER)),
    [PGR_CALL_RECLAIM] = WORLDLY("reclaim", reclaim, U64("n", NUMBER)),
    [PGR_CALL_THREAD_KILL] = WORLDLY("thread_kill", thread_kill, {"thread", PGR_ARG_THREAD, 0}),
    [PGR_CALL_RESUME] = {{"resume", {{NULL, 0, 0}}, 0, 1, 0, 0}, NULL, NULL, NULL},
    [PGR_CALL_PROCESS_EXIT] = {{"process_exit", {{NULL, 0, 0}}, 0, 0, 0, 1},
                               process_exit_check,
                               NULL,
                               process_exit_commit},
};

const pgr_call_info *pgr_call_row(uint32_t number)
{
    if (number == PGR_CALL_NONE || number >= PGR_CALL_COUNT)
        return NULL;
    return &call_table[number].info;
}

/*
 * The thread waits from now on: for what the step wanted of a pager, or in the list into which the step has put it.
 */
static void thread_block(pgr_world *w, struct plan *plan, uint16_t number)
{
    struct thread *thread = thread_at(w, plan->thread);

    if (!plan->op.waited)
        op_hold(w, &plan->op);
    plan->op.waited = 1;
    thread->state = PGR_THREAD_BLOCKED;
    thread->call = number;
    thread->op = plan->op;
    if (plan->want.count > 0)
        request_raise(w, plan->thread, &plan->want);
}

static void call_end(pgr_world *w, struct plan *plan, zx_status_t status)
{
    if (status != ZX_OK || plan->op.taken != 0)
        op_undo(w, &plan->op);
    if (!plan->op.waited)
        return;
    op_drop(w, &plan->op);
    memset(thread_at(w, plan->thread), 0, sizeof(struct thread));
}

/* An access that cannot go on ends in an exception, and its thread with it. */
static void fault_tell(uint16_t number, const struct plan *plan, pgr_result *result)
{
    result->outcome = PGR_FAULT;
    result->fault.address = access_fault_address(number, &plan->op);
    result->fault.code = result->status;
}

/* Takes steps until the call has returned, or waits. */
static void steps_take(pgr_world *w, void *frames, uint16_t number, struct plan *plan, pgr_result *result)
{
    const struct call_row *row = &call_table[number];
    enum progress progress = PROGRESS_AGAIN;
    zx_status_t status = ZX_OK;

    while (progress == PROGRESS_AGAIN) {
        if (row->look != NULL) {
            plan->need = (struct need){0};
            plan->want.count = 0;
            status = row->look(w, plan);
            plan->wake_status = ZX_OK;
        }
        if (status == ZX_OK)
            status = reserve(w, &plan->need);
        if (status != ZX_OK)
            break;
        if (plan->injected)
            w->fail_alloc = 0;
        progress = row->commit(w, frames, plan, result);
        status = result->status;
    }
    if (progress == PROGRESS_WAIT) {
        result->outcome = PGR_BLOCKED;
        thread_block(w, plan, number);
        return;
    }
    result->status = plan->op.forgiving ? ZX_OK : status;
    if (status != ZX_OK && row->info.faults)
        fault_tell(number, plan, result);
    call_end(w, plan, result->status);
}

/* Why there is no call at all; ZX_OK if there is. */
static zx_status_t call_refuse(const pgr_world *w, const pgr_call *call)
{
    uint8_t wanted = call->number == PGR_CALL_RESUME ? PGR_THREAD_RELEASED : PGR_THREAD_IDLE;
    uint8_t state = PGR_THREAD_IDLE;

    /* Is there such a call, and such a thread? */
    if (pgr_call_row(call->number) == NULL)
        return ZX_ERR_BAD_SYSCALL;
    if (call->thread >= w->config.thread_count)
        return ZX_ERR_INVALID_ARGS;
    /* Is the thread in a state in which it can make it? */
    if (call_table[call->number].info.worldly)
        return ZX_OK;
    if (call->thread < w->tables[TABLE_THREADS].touched - 1)
        state = thread_at(w, call->thread + 1)->state;
    return state == wanted ? ZX_OK : ZX_ERR_BAD_STATE;
}

static void call_begin(pgr_world *w, void *frames, struct plan *plan, pgr_result *result)
{
    uint16_t number = (uint16_t)plan->call->number;

    result->call = number;
    result->status = call_table[number].check(w, plan);
    if (result->status == ZX_OK)
        steps_take(w, frames, number, plan, result);
}

static void call_resume(pgr_world *w, void *frames, struct plan *plan, pgr_result *result)
{
    struct thread *thread = thread_at(w, plan->thread);

    thread_list_remove(w, &w->released, plan->thread);
    result->call = thread->call;
    plan->op = thread->op;
    plan->wake_status = thread->wake_status;
    steps_take(w, frames, thread->call, plan, result);
}

void pgr_dispatch(pgr_world *w, void *frames, const pgr_call *call, pgr_result *result)
{
    struct plan plan = {.call = call, .thread = call->thread + 1};

    memset(result, 0, sizeof(*result));
    result->status = call_refuse(w, call);
    if (result->status != ZX_OK) {
        result->outcome = PGR_REFUSED;
        result->call = call->number;
        return;
    }
    thread_touch(w, plan.thread);
    if (call->number == PGR_CALL_RESUME)
        call_resume(w, frames, &plan, result);
    else
        call_begin(w, frames, &plan, result);
    objects_bury(w);
}
