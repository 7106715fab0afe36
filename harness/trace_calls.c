/*
 * The calls that a trace may make: the core's table, without those that only an embedder makes, and the calls that are
 * the harness's own.
 */
#include <string.h>

#include "harness/trace.h"

static const pgr_call_info harness_rows[TRACE_CALL_COUNT - PGR_CALL_COUNT] = {
    {.name = "x86_exec",
     .args = {{"code", TRACE_ARG_CODE, 0},
              {"registers", TRACE_ARG_REGISTERS_IN, 0},
              {"registers_after", TRACE_ARG_REGISTERS_OUT, 0}},
     .arg_count = 3,
     .may_block = 1,
     .faults = 1},
    {.name = "check_invariants"},
};

const pgr_call_info *trace_call_row(uint32_t number)
{
    if (number >= PGR_CALL_COUNT)
        return number < TRACE_CALL_COUNT ? &harness_rows[number - PGR_CALL_COUNT] : NULL;
    switch (number) {
    case PGR_CALL_NONE:
    case PGR_CALL_RESUME:
    case PGR_CALL_MEM_PREPARE:
    case PGR_CALL_PROCESS_EXIT:
        return NULL;
    default:
        return pgr_call_row(number);
    }
}

uint32_t trace_call_find(const char *name, size_t length)
{
    for (uint32_t number = 1; number < TRACE_CALL_COUNT; number++) {
        const pgr_call_info *row = trace_call_row(number);
        if (row != NULL && strncmp(row->name, name, length) == 0 && row->name[length] == '\0')
            return number;
    }
    return 0;
}

int trace_argument_optional(unsigned kind)
{
    return kind == PGR_ARG_LOCK_OUT || kind == TRACE_ARG_REGISTERS_OUT;
}

int trace_is_output(unsigned kind)
{
    switch (kind) {
    case PGR_ARG_HANDLE_OUT:
    case PGR_ARG_ADDRESS_OUT:
    case PGR_ARG_U64_OUT:
    case PGR_ARG_U32_OUT:
    case PGR_ARG_BYTES_OUT:
    case PGR_ARG_PROPERTY_OUT:
    case PGR_ARG_RANGES_OUT:
    case PGR_ARG_PACKET_OUT:
    case PGR_ARG_INFO_OUT:
    case PGR_ARG_STATS_OUT:
    case PGR_ARG_LOCK_OUT:
    case TRACE_ARG_REGISTERS_OUT:
        return 1;
    default:
        return 0;
    }
}
