/*
 * Which calls syzkaller's descriptions of Fuchsia have, and of what their arguments are made.
 *
 * Source: sys/fuchsia/{handle,object,event,port,pager,vmo,vmar,bti,pmt,clock}.txt of google/syzkaller at commit
 * 1e72964b0111319984575e60f266d1fa0a98abb5 (2026-08-17).
 */
#include "harness/export_syz.h"

#include <stddef.h>

const char syz_descriptions[] = "sys/fuchsia of google/syzkaller at 1e72964b0111";

#define ARGUMENTS(...) .arguments = {__VA_ARGS__}
#define RESOURCE(at) {SYZ_RESOURCE, at}
#define NUMBER(at) {SYZ_NUMBER, at}
#define KEY(at) {SYZ_KEY, at}
#define ZERO {SYZ_ZERO, 0}
#define CONSTANT {SYZ_CONSTANT, 0}
#define RESULT(at) {SYZ_OUT_RESULT, at}
#define OUT(at) {SYZ_OUT, at}
#define AUTO {SYZ_AUTO, 0}

/* The actual and available counts of an info, which a trace leaves out. */
#define COUNTS OUT(0), OUT(0)
#define INFO(topic, value, ...)                                                                                        \
    {.name = "zx_object_get_info$" #topic,                                                                             \
     .call = PGR_CALL_OBJECT_GET_INFO,                                                                                 \
     .selects = 1,                                                                                                     \
     .selector = topic,                                                                                                \
     .constant = value,                                                                                                \
     ARGUMENTS(RESOURCE(0), CONSTANT, __VA_ARGS__, COUNTS)}
#define PROPERTY(number, how, property, form)                                                                          \
    {.name = "zx_object_" how "_property$" #property,                                                                  \
     .call = number,                                                                                                   \
     .selects = 1,                                                                                                     \
     .selector = property,                                                                                             \
     .constant = property,                                                                                             \
     ARGUMENTS(RESOURCE(0), CONSTANT, {form, 2})}
#define CALL(number, says, ...) {.name = says, .call = number, ARGUMENTS(__VA_ARGS__)}
#define MISSING(number, why) {.call = number, .missing = why}

/* clang-format off */
static const struct syz_call calls[] = {
    CALL(PGR_CALL_HANDLE_CLOSE, "zx_handle_close", RESOURCE(0)),
    CALL(PGR_CALL_HANDLE_CLOSE_MANY, "zx_handle_close_many", {SYZ_HANDLES, 0}),
    CALL(PGR_CALL_HANDLE_DUPLICATE, "zx_handle_duplicate", RESOURCE(0), NUMBER(1), RESULT(2)),
    CALL(PGR_CALL_HANDLE_REPLACE, "zx_handle_replace", RESOURCE(0), NUMBER(1), RESULT(2)),

    INFO(ZX_INFO_HANDLE_VALID, 1, ZERO, ZERO),
    INFO(ZX_INFO_HANDLE_BASIC, 2, OUT(2), AUTO),
    INFO(ZX_INFO_HANDLE_COUNT, 19, OUT(2), AUTO),
    INFO(ZX_INFO_VMAR, 7, OUT(2), AUTO),
    /* The descriptions know an older version of this structure. */
    INFO(ZX_INFO_VMO, 0x10000017, OUT(2), AUTO),
    INFO(ZX_INFO_BTI, 20, OUT(2), AUTO),
    MISSING(PGR_CALL_OBJECT_GET_INFO, "this topic is not described"),
    PROPERTY(PGR_CALL_OBJECT_GET_PROPERTY, "get", ZX_PROP_NAME, SYZ_NAME_OUT),
    PROPERTY(PGR_CALL_OBJECT_GET_PROPERTY, "get", ZX_PROP_VMO_CONTENT_SIZE, SYZ_SIZE_OUT),
    MISSING(PGR_CALL_OBJECT_GET_PROPERTY, "this property is not described"),
    PROPERTY(PGR_CALL_OBJECT_SET_PROPERTY, "set", ZX_PROP_NAME, SYZ_NAME_IN),
    PROPERTY(PGR_CALL_OBJECT_SET_PROPERTY, "set", ZX_PROP_VMO_CONTENT_SIZE, SYZ_SIZE_IN),
    MISSING(PGR_CALL_OBJECT_SET_PROPERTY, "this property is not described"),
    CALL(PGR_CALL_OBJECT_WAIT_ONE, "zx_object_wait_one", RESOURCE(0), NUMBER(1), {SYZ_TIME, 2}, OUT(3)),
    CALL(PGR_CALL_OBJECT_WAIT_ASYNC, "zx_object_wait_async", RESOURCE(0), RESOURCE(1), {SYZ_KEY_OF_4, 2}, NUMBER(3),
         NUMBER(4)),
    CALL(PGR_CALL_OBJECT_SIGNAL, "zx_object_signal", RESOURCE(0), NUMBER(1), NUMBER(2)),
    CALL(PGR_CALL_EVENT_CREATE, "zx_event_create", NUMBER(0), RESULT(1)),

    CALL(PGR_CALL_PORT_CREATE, "zx_port_create", NUMBER(0), RESULT(1)),
    CALL(PGR_CALL_PORT_WAIT, "zx_port_wait", RESOURCE(0), {SYZ_TIME, 1}, OUT(2)),
    CALL(PGR_CALL_PORT_QUEUE, "zx_port_queue", RESOURCE(0), {SYZ_PACKET, 1}),
    CALL(PGR_CALL_PORT_CANCEL, "zx_port_cancel", RESOURCE(0), RESOURCE(1), KEY(2)),

    CALL(PGR_CALL_PAGER_CREATE, "zx_pager_create", NUMBER(0), RESULT(1)),
    CALL(PGR_CALL_PAGER_CREATE_VMO, "zx_pager_create_vmo", RESOURCE(0), NUMBER(1), RESOURCE(2), KEY(3), NUMBER(4),
         RESULT(5)),
    CALL(PGR_CALL_PAGER_DETACH_VMO, "zx_pager_detach_vmo", RESOURCE(0), RESOURCE(1)),
    CALL(PGR_CALL_PAGER_SUPPLY_PAGES, "zx_pager_supply_pages", RESOURCE(0), RESOURCE(1), NUMBER(2), NUMBER(3),
         RESOURCE(4), NUMBER(5)),
    CALL(PGR_CALL_PAGER_OP_RANGE, "zx_pager_op_range", RESOURCE(0), NUMBER(1), RESOURCE(2), NUMBER(3), NUMBER(4),
         NUMBER(5)),
    MISSING(PGR_CALL_PAGER_QUERY_DIRTY_RANGES, "its description is disabled"),
    MISSING(PGR_CALL_PAGER_QUERY_VMO_STATS, "its description is disabled"),

    CALL(PGR_CALL_VMO_CREATE, "zx_vmo_create", NUMBER(0), NUMBER(1), RESULT(2)),
    CALL(PGR_CALL_VMO_CREATE_CONTIGUOUS, "zx_vmo_create_contiguous", RESOURCE(0), NUMBER(1), NUMBER(2), RESULT(3)),
    MISSING(PGR_CALL_VMO_CREATE_PHYSICAL, "its description takes a pointer for the physical address"),
    CALL(PGR_CALL_VMO_CREATE_CHILD, "zx_vmo_create_child", RESOURCE(0), NUMBER(1), NUMBER(2), NUMBER(3), RESULT(4)),
    CALL(PGR_CALL_VMO_REPLACE_AS_EXECUTABLE, "zx_vmo_replace_as_executable", RESOURCE(0), RESOURCE(1), RESULT(2)),
    CALL(PGR_CALL_VMO_READ, "zx_vmo_read", RESOURCE(0), {SYZ_BYTES_OUT, 1}, NUMBER(2), NUMBER(3)),
    CALL(PGR_CALL_VMO_WRITE, "zx_vmo_write", RESOURCE(0), {SYZ_BYTES_IN, 1}, NUMBER(2), NUMBER(3)),
    CALL(PGR_CALL_VMO_GET_SIZE, "zx_vmo_get_size", RESOURCE(0), OUT(1)),
    CALL(PGR_CALL_VMO_SET_SIZE, "zx_vmo_set_size", RESOURCE(0), NUMBER(1)),
    CALL(PGR_CALL_VMO_SET_CACHE_POLICY, "zx_vmo_set_cache_policy", RESOURCE(0), NUMBER(1)),
    {.call = PGR_CALL_VMO_OP_RANGE,
     .missing = "its description has no room for the state of a lock",
     .selects = 1,
     .selector = ZX_VMO_OP_LOCK},
    CALL(PGR_CALL_VMO_OP_RANGE, "zx_vmo_op_range", RESOURCE(0), NUMBER(1), NUMBER(2), NUMBER(3), ZERO, ZERO),

    CALL(PGR_CALL_VMAR_MAP, "zx_vmar_map", RESOURCE(0), NUMBER(1), NUMBER(2), RESOURCE(3), NUMBER(4), NUMBER(5),
         RESULT(6)),
    CALL(PGR_CALL_VMAR_UNMAP, "zx_vmar_unmap", RESOURCE(0), RESOURCE(1), NUMBER(2)),
    CALL(PGR_CALL_VMAR_PROTECT, "zx_vmar_protect", RESOURCE(0), NUMBER(1), RESOURCE(2), NUMBER(3)),
    CALL(PGR_CALL_VMAR_OP_RANGE, "zx_vmar_op_range", RESOURCE(0), NUMBER(1), RESOURCE(2), NUMBER(3), ZERO, ZERO),
    CALL(PGR_CALL_VMAR_ALLOCATE, "zx_vmar_allocate", RESOURCE(0), NUMBER(1), NUMBER(2), NUMBER(3), RESULT(4),
         RESULT(5)),
    CALL(PGR_CALL_VMAR_DESTROY, "zx_vmar_destroy", RESOURCE(0)),

    CALL(PGR_CALL_BTI_PIN, "zx_bti_pin", RESOURCE(0), NUMBER(1), RESOURCE(2), NUMBER(3), NUMBER(4), {SYZ_ADDRESSES, 4},
         RESULT(5)),
    CALL(PGR_CALL_PMT_UNPIN, "zx_pmt_unpin", RESOURCE(0)),
    CALL(PGR_CALL_BTI_RELEASE_QUARANTINE, "zx_bti_release_quarantine", RESOURCE(0)),

    MISSING(PGR_CALL_MEM_READ, "programs do not load from memory that they map"),
    MISSING(PGR_CALL_MEM_WRITE, "programs do not store to memory that they map"),
    MISSING(TRACE_CALL_X86_EXEC, "programs do not execute instructions on memory that they map"),
    MISSING(PGR_CALL_FAIL_ALLOC, "allocations of Zircon cannot be made to fail"),
    MISSING(PGR_CALL_RECLAIM, "no call reclaims memory"),
    MISSING(PGR_CALL_THREAD_KILL, "threads are the executor's"),
    MISSING(TRACE_CALL_CHECK_INVARIANTS, "it is a check of the model"),
};
/* clang-format on */

static const struct syz_call not_described = {.missing = "it is not described"};

const struct syz_call *syz_call_find(uint32_t call, uint64_t selector)
{
    for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
        if (calls[i].call == call && (!calls[i].selects || calls[i].selector == selector))
            return &calls[i];
    return &not_described;
}
