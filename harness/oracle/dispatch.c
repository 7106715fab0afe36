/*
 * The dispatcher: call number to function, and what becomes of the status that it returns.
 */
#include "harness/oracle/oracle_pages.h"
#include "harness/oracle/oracle_dispatch.h"

#include <string.h>

/* --- calls of the trace alone --- */

static zx_status_t fail_alloc(struct oracle *o, struct oracle_thread *t, const pgr_call *call, pgr_result *result)
{
    (void)t;
    (void)result;
    o->fail_alloc = call->arg[0];
    return ZX_OK;
}

/* trace-format.md, thread_kill: of an unknown or ended thread: nothing. */
static zx_status_t thread_kill(struct oracle *o, struct oracle_thread *t, const pgr_call *call, pgr_result *result)
{
    (void)t;
    (void)result;
    uint32_t number = (uint32_t)call->arg[0];
    if (number < o->config.thread_count)
        oracle_thread_kill(o, &o->threads[number]);
    return ZX_OK;
}

/* pgr.h: kills every thread, closes every handle, ends address space and quarantine. */
static zx_status_t process_exit(struct oracle *o, struct oracle_thread *t, const pgr_call *call, pgr_result *result)
{
    (void)t;
    (void)call;
    (void)result;
    for (uint32_t i = 0; i < o->config.thread_count; i++)
        oracle_thread_kill(o, &o->threads[i]);
    while (o->handles.count > 0)
        oracle_handle_close(o, o->handles.items[0]);
    oracle_space_end(o);
    return ZX_OK;
}

/* --- the table --- */

struct row {
    oracle_call *begin;
    oracle_call *go_on; /* of a call that can block */
    bool faults;        /* an access: an error is a fatal page fault */
    bool worldly;       /* not done by the thread itself, which may be blocked */
};

static const struct row rows[PGR_CALL_COUNT] = {
    [PGR_CALL_HANDLE_CLOSE] = {.begin = oracle_zx_handle_close},
    [PGR_CALL_HANDLE_CLOSE_MANY] = {.begin = oracle_zx_handle_close_many},
    [PGR_CALL_HANDLE_DUPLICATE] = {.begin = oracle_zx_handle_duplicate},
    [PGR_CALL_HANDLE_REPLACE] = {.begin = oracle_zx_handle_replace},
    [PGR_CALL_OBJECT_GET_INFO] = {.begin = oracle_zx_object_get_info},
    [PGR_CALL_OBJECT_GET_PROPERTY] = {.begin = oracle_zx_object_get_property},
    [PGR_CALL_OBJECT_SET_PROPERTY] = {.begin = oracle_zx_object_set_property, .go_on = oracle_go_object_set_property},
    [PGR_CALL_OBJECT_WAIT_ONE] = {.begin = oracle_zx_object_wait_one, .go_on = oracle_go_object_wait_one},
    [PGR_CALL_OBJECT_WAIT_ASYNC] = {.begin = oracle_zx_object_wait_async},
    [PGR_CALL_OBJECT_SIGNAL] = {.begin = oracle_zx_object_signal},
    [PGR_CALL_EVENT_CREATE] = {.begin = oracle_zx_event_create},
    [PGR_CALL_PORT_CREATE] = {.begin = oracle_zx_port_create},
    [PGR_CALL_PORT_WAIT] = {.begin = oracle_zx_port_wait, .go_on = oracle_go_port_wait},
    [PGR_CALL_PORT_QUEUE] = {.begin = oracle_zx_port_queue},
    [PGR_CALL_PORT_CANCEL] = {.begin = oracle_zx_port_cancel},
    [PGR_CALL_PAGER_CREATE] = {.begin = oracle_zx_pager_create},
    [PGR_CALL_PAGER_CREATE_VMO] = {.begin = oracle_zx_pager_create_vmo},
    [PGR_CALL_PAGER_DETACH_VMO] = {.begin = oracle_zx_pager_detach_vmo},
    [PGR_CALL_PAGER_SUPPLY_PAGES] = {.begin = oracle_zx_pager_supply_pages},
    [PGR_CALL_PAGER_OP_RANGE] = {.begin = oracle_zx_pager_op_range},
    [PGR_CALL_PAGER_QUERY_DIRTY_RANGES] = {.begin = oracle_zx_pager_query_dirty_ranges},
    [PGR_CALL_PAGER_QUERY_VMO_STATS] = {.begin = oracle_zx_pager_query_vmo_stats},
    [PGR_CALL_VMO_CREATE] = {.begin = oracle_zx_vmo_create},
    [PGR_CALL_VMO_CREATE_CONTIGUOUS] = {.begin = oracle_zx_vmo_create_contiguous},
    [PGR_CALL_VMO_CREATE_PHYSICAL] = {.begin = oracle_zx_vmo_create_physical},
    [PGR_CALL_VMO_CREATE_CHILD] = {.begin = oracle_zx_vmo_create_child},
    [PGR_CALL_VMO_REPLACE_AS_EXECUTABLE] = {.begin = oracle_zx_vmo_replace_as_executable},
    [PGR_CALL_VMO_READ] = {.begin = oracle_zx_vmo_read, .go_on = oracle_go_vmo_read},
    [PGR_CALL_VMO_WRITE] = {.begin = oracle_zx_vmo_write, .go_on = oracle_go_vmo_write},
    [PGR_CALL_VMO_TRANSFER_DATA] = {.begin = oracle_zx_vmo_transfer_data, .go_on = oracle_go_vmo_transfer_data},
    [PGR_CALL_VMO_GET_SIZE] = {.begin = oracle_zx_vmo_get_size},
    [PGR_CALL_VMO_SET_SIZE] = {.begin = oracle_zx_vmo_set_size, .go_on = oracle_go_vmo_set_size},
    [PGR_CALL_VMO_GET_STREAM_SIZE] = {.begin = oracle_zx_vmo_get_stream_size},
    [PGR_CALL_VMO_SET_STREAM_SIZE] = {.begin = oracle_zx_vmo_set_stream_size, .go_on = oracle_go_vmo_set_stream_size},
    [PGR_CALL_VMO_SET_CACHE_POLICY] = {.begin = oracle_zx_vmo_set_cache_policy},
    [PGR_CALL_VMO_OP_RANGE] = {.begin = oracle_zx_vmo_op_range, .go_on = oracle_go_vmo_op_range},
    [PGR_CALL_VMAR_MAP] = {.begin = oracle_zx_vmar_map},
    [PGR_CALL_VMAR_UNMAP] = {.begin = oracle_zx_vmar_unmap},
    [PGR_CALL_VMAR_PROTECT] = {.begin = oracle_zx_vmar_protect},
    [PGR_CALL_VMAR_OP_RANGE] = {.begin = oracle_zx_vmar_op_range, .go_on = oracle_go_vmar_op_range},
    [PGR_CALL_VMAR_ALLOCATE] = {.begin = oracle_zx_vmar_allocate},
    [PGR_CALL_VMAR_DESTROY] = {.begin = oracle_zx_vmar_destroy},
    [PGR_CALL_BTI_PIN] = {.begin = oracle_zx_bti_pin, .go_on = oracle_go_bti_pin},
    [PGR_CALL_PMT_UNPIN] = {.begin = oracle_zx_pmt_unpin},
    [PGR_CALL_BTI_RELEASE_QUARANTINE] = {.begin = oracle_zx_bti_release_quarantine},
    [PGR_CALL_MEM_READ] = {.begin = oracle_mem_read, .go_on = oracle_mem_read, .faults = true},
    [PGR_CALL_MEM_WRITE] = {.begin = oracle_mem_write, .go_on = oracle_mem_write, .faults = true},
    [PGR_CALL_MEM_PREPARE] = {.begin = oracle_mem_prepare, .go_on = oracle_mem_prepare, .faults = true},
    [PGR_CALL_FAIL_ALLOC] = {.begin = fail_alloc, .worldly = true},
    [PGR_CALL_RECLAIM] = {.begin = oracle_reclaim, .worldly = true},
    [PGR_CALL_THREAD_KILL] = {.begin = thread_kill, .worldly = true},
    [PGR_CALL_PROCESS_EXIT] = {.begin = process_exit, .worldly = true},
};

static void refuse(pgr_result *result, zx_status_t why)
{
    result->outcome = PGR_REFUSED;
    result->status = why;
}

/* The function has returned: the call is done, waits, or was an access that ends in an exception (faults.md). */
static void settle(struct oracle *o, struct oracle_thread *t, zx_status_t status, pgr_result *result)
{
    if (status == ORACLE_WAIT) {
        memset(result, 0, sizeof(*result));
        result->call = t->call.number;
        result->outcome = PGR_BLOCKED;
        return;
    }
    result->status = status;
    result->outcome = PGR_DONE;
    if (status != ZX_OK && rows[t->call.number].faults) {
        result->outcome = PGR_FAULT;
        result->fault.address = t->fault_address;
        result->fault.code = status;
    }
    oracle_thread_call_ends(o, t);
}

void oracle_dispatch(void *self, const pgr_call *call, pgr_result *result)
{
    struct oracle *o = self;
    memset(result, 0, sizeof(*result));
    result->call = call->number;
    if (call->number >= PGR_CALL_COUNT || !rows[call->number].begin) {
        refuse(result, ZX_ERR_BAD_SYSCALL);
        return;
    }
    if (call->thread >= o->config.thread_count) {
        refuse(result, ZX_ERR_INVALID_ARGS);
        return;
    }
    struct oracle_thread *t = &o->threads[call->thread];
    const struct row *row = &rows[call->number];
    if (row->worldly) {
        result->status = row->begin(o, t, call, result);
        return;
    }
    if (t->state != PGR_THREAD_IDLE) {
        refuse(result, ZX_ERR_BAD_STATE);
        return;
    }
    t->call = *call;
    settle(o, t, row->begin(o, t, &t->call, result), result);
}

void oracle_resume(void *self, uint32_t thread, void *buffer, uint64_t buffer_bytes, pgr_result *result)
{
    struct oracle *o = self;
    memset(result, 0, sizeof(*result));
    result->call = PGR_CALL_RESUME;
    if (thread >= o->config.thread_count) {
        refuse(result, ZX_ERR_INVALID_ARGS);
        return;
    }
    struct oracle_thread *t = &o->threads[thread];
    if (t->state != PGR_THREAD_RELEASED) {
        refuse(result, ZX_ERR_BAD_STATE);
        return;
    }
    oracle_list_remove(&o->released, t);
    t->state = PGR_THREAD_IDLE;
    result->call = t->call.number;
    t->call.buffer = buffer;
    t->call.buffer_bytes = buffer_bytes;
    struct oracle_vmo *fault_vmo = t->fault_vmo;
    t->fault_vmo = NULL;
    zx_status_t status = rows[t->call.number].go_on(o, t, &t->call, result);
    settle(o, t, status, result);
    if (fault_vmo)
        oracle_unreferenced(o, &fault_vmo->object);
}

/* README.md, "Decisions": in the order in which they were released. */
uint32_t oracle_first_released(void *self)
{
    const struct oracle *o = self;
    return o->released.count > 0 ? ((struct oracle_thread *)o->released.items[0])->number : PGR_NO_THREAD;
}
