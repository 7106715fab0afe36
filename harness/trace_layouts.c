/*
 * The fields of the structures in traces.
 */
#include "harness/trace_layouts.h"

#include <string.h>

#include "harness/constants.h"
#include "harness/trace.h"

#define NUMBER(type, field, domain)                                                                                    \
    {#field, offsetof(type, field), sizeof(((type *)0)->field), 1, TRACE_FIELD_NUMBER, domain, TRACE_GROUP_ALL}
#define LAYOUT(name, fields) {name, fields, sizeof(fields) / sizeof(fields[0])}

static const struct trace_field handle_basic_fields[] = {
    NUMBER(zx_info_handle_basic_t, koid, PGR_DOMAIN_NUMBER),
    NUMBER(zx_info_handle_basic_t, rights, PGR_DOMAIN_RIGHTS),
    NUMBER(zx_info_handle_basic_t, type, CONSTANT_OBJECT_TYPE),
    NUMBER(zx_info_handle_basic_t, related_koid, PGR_DOMAIN_NUMBER),
    NUMBER(zx_info_handle_basic_t, reserved, PGR_DOMAIN_NUMBER),
};

static const struct trace_field handle_count_fields[] = {
    NUMBER(zx_info_handle_count_t, handle_count, PGR_DOMAIN_NUMBER),
};

static const struct trace_field vmar_fields[] = {
    NUMBER(zx_info_vmar_t, base, CONSTANT_ADDRESS),
    NUMBER(zx_info_vmar_t, len, CONSTANT_BYTES),
};

static const struct trace_field bti_fields[] = {
    NUMBER(zx_info_bti_t, minimum_contiguity, CONSTANT_BYTES),
    NUMBER(zx_info_bti_t, aspace_size, CONSTANT_BYTES),
    NUMBER(zx_info_bti_t, pmo_count, PGR_DOMAIN_NUMBER),
    NUMBER(zx_info_bti_t, quarantine_count, PGR_DOMAIN_NUMBER),
};

static const struct trace_field vmo_fields[] = {
    NUMBER(zx_info_vmo_t, koid, PGR_DOMAIN_NUMBER),
    {"name", offsetof(zx_info_vmo_t, name), ZX_MAX_NAME_LEN, 1, TRACE_FIELD_TEXT, PGR_DOMAIN_NUMBER, TRACE_GROUP_ALL},
    NUMBER(zx_info_vmo_t, size_bytes, CONSTANT_BYTES),
    NUMBER(zx_info_vmo_t, parent_koid, PGR_DOMAIN_NUMBER),
    NUMBER(zx_info_vmo_t, num_children, PGR_DOMAIN_NUMBER),
    NUMBER(zx_info_vmo_t, num_mappings, PGR_DOMAIN_NUMBER),
    NUMBER(zx_info_vmo_t, share_count, PGR_DOMAIN_NUMBER),
    NUMBER(zx_info_vmo_t, flags, CONSTANT_VMO_FLAGS),
    NUMBER(zx_info_vmo_t, committed_bytes, CONSTANT_BYTES),
    NUMBER(zx_info_vmo_t, handle_rights, PGR_DOMAIN_RIGHTS),
    NUMBER(zx_info_vmo_t, cache_policy, PGR_DOMAIN_CACHE_POLICY),
    NUMBER(zx_info_vmo_t, metadata_bytes, CONSTANT_BYTES),
    NUMBER(zx_info_vmo_t, committed_change_events, PGR_DOMAIN_NUMBER),
    NUMBER(zx_info_vmo_t, populated_bytes, CONSTANT_BYTES),
};

#define REQUEST(field, domain)                                                                                         \
    {#field,                                                                                                           \
     offsetof(zx_port_packet_t, page_request) + offsetof(zx_packet_page_request_t, field),                             \
     sizeof(((zx_packet_page_request_t *)0)->field),                                                                   \
     1,                                                                                                                \
     TRACE_FIELD_NUMBER,                                                                                               \
     domain,                                                                                                           \
     TRACE_GROUP_PAGE_REQUEST}
#define SIGNAL(field, domain)                                                                                          \
    {#field,                                                                                                           \
     offsetof(zx_port_packet_t, signal) + offsetof(zx_packet_signal_t, field),                                         \
     sizeof(((zx_packet_signal_t *)0)->field),                                                                         \
     1,                                                                                                                \
     TRACE_FIELD_NUMBER,                                                                                               \
     domain,                                                                                                           \
     TRACE_GROUP_SIGNAL}

static const struct trace_field packet_fields[] = {
    NUMBER(zx_port_packet_t, key, PGR_DOMAIN_KEY),
    NUMBER(zx_port_packet_t, type, CONSTANT_PACKET_TYPE),
    {"status", offsetof(zx_port_packet_t, status), 4, 1, TRACE_FIELD_STATUS, CONSTANT_STATUS, TRACE_GROUP_ALL},
    REQUEST(command, CONSTANT_PACKET_COMMAND),
    REQUEST(flags, PGR_DOMAIN_NUMBER),
    REQUEST(offset, CONSTANT_BYTES),
    REQUEST(length, CONSTANT_BYTES),
    {"u64", offsetof(zx_port_packet_t, user), 8, 4, TRACE_FIELD_NUMBERS, PGR_DOMAIN_NUMBER, TRACE_GROUP_USER},
    SIGNAL(trigger, PGR_DOMAIN_SIGNALS),
    SIGNAL(observed, PGR_DOMAIN_SIGNALS),
    SIGNAL(count, PGR_DOMAIN_NUMBER),
    SIGNAL(timestamp, PGR_DOMAIN_NUMBER),
};

static const struct trace_field stats_fields[] = {
    NUMBER(zx_pager_vmo_stats_t, modified, CONSTANT_STATS),
};

static const struct trace_field lock_fields[] = {
    NUMBER(zx_vmo_lock_state_t, offset, CONSTANT_BYTES),
    NUMBER(zx_vmo_lock_state_t, size, CONSTANT_BYTES),
    NUMBER(zx_vmo_lock_state_t, discarded_offset, CONSTANT_BYTES),
    NUMBER(zx_vmo_lock_state_t, discarded_size, CONSTANT_BYTES),
};

static const struct trace_field range_fields[] = {
    NUMBER(zx_vmo_dirty_range_t, offset, CONSTANT_BYTES),
    NUMBER(zx_vmo_dirty_range_t, length, CONSTANT_BYTES),
    NUMBER(zx_vmo_dirty_range_t, options, CONSTANT_RANGE_OPTIONS),
};

static const struct trace_field exception_fields[] = {
    {"addr", 0, 8, 1, TRACE_FIELD_NUMBER, CONSTANT_ADDRESS, TRACE_GROUP_ALL},
};

/* Registers lie one behind the other: 20 of 8 bytes, then 16 of 32 bytes, whose lower halves are the xmm registers. */
#define GENERAL(name, n) {name, (n) * 8, 8, 1, TRACE_FIELD_NUMBER, PGR_DOMAIN_NUMBER, TRACE_GROUP_ALL}
#define VECTOR(name, n, bytes) {name, 160 + (n) * 32, bytes, 1, TRACE_FIELD_WIDE, PGR_DOMAIN_NUMBER, TRACE_GROUP_ALL}
#define VECTORS(n) VECTOR("xmm" #n, n, 16), VECTOR("ymm" #n, n, 32)

static const struct trace_field register_fields[] = {
    GENERAL("rax", 0),
    GENERAL("rcx", 1),
    GENERAL("rdx", 2),
    GENERAL("rbx", 3),
    GENERAL("rsp", 4),
    GENERAL("rbp", 5),
    GENERAL("rsi", 6),
    GENERAL("rdi", 7),
    GENERAL("r8", 8),
    GENERAL("r9", 9),
    GENERAL("r10", 10),
    GENERAL("r11", 11),
    GENERAL("r12", 12),
    GENERAL("r13", 13),
    GENERAL("r14", 14),
    GENERAL("r15", 15),
    GENERAL("rip", 16),
    GENERAL("rflags", 17),
    GENERAL("fs_base", 18),
    GENERAL("gs_base", 19),
    VECTORS(0),
    VECTORS(1),
    VECTORS(2),
    VECTORS(3),
    VECTORS(4),
    VECTORS(5),
    VECTORS(6),
    VECTORS(7),
    VECTORS(8),
    VECTORS(9),
    VECTORS(10),
    VECTORS(11),
    VECTORS(12),
    VECTORS(13),
    VECTORS(14),
    VECTORS(15),
};

static const struct trace_layout layout_handle_valid = {"zx_info_handle_valid", NULL, 0};
static const struct trace_layout layout_handle_basic = LAYOUT("zx_info_handle_basic_t", handle_basic_fields);
static const struct trace_layout layout_handle_count = LAYOUT("zx_info_handle_count_t", handle_count_fields);
static const struct trace_layout layout_vmar = LAYOUT("zx_info_vmar_t", vmar_fields);
static const struct trace_layout layout_bti = LAYOUT("zx_info_bti_t", bti_fields);
static const struct trace_layout layout_vmo = LAYOUT("zx_info_vmo_t", vmo_fields);
static const struct trace_layout layout_packet = LAYOUT("zx_port_packet_t", packet_fields);
static const struct trace_layout layout_stats = LAYOUT("zx_pager_vmo_stats_t", stats_fields);
static const struct trace_layout layout_lock = LAYOUT("zx_vmo_lock_state_t", lock_fields);
static const struct trace_layout layout_range = LAYOUT("zx_vmo_dirty_range_t", range_fields);
static const struct trace_layout layout_registers = LAYOUT("the registers", register_fields);
const struct trace_layout trace_layout_exception = LAYOUT("an exception", exception_fields);

static const struct trace_layout *layout_of_topic(uint64_t topic)
{
    switch (topic) {
    case ZX_INFO_HANDLE_VALID:
        return &layout_handle_valid;
    case ZX_INFO_HANDLE_BASIC:
        return &layout_handle_basic;
    case ZX_INFO_HANDLE_COUNT:
        return &layout_handle_count;
    case ZX_INFO_VMAR:
        return &layout_vmar;
    case ZX_INFO_BTI:
        return &layout_bti;
    case ZX_INFO_VMO:
        return &layout_vmo;
    default:
        return NULL;
    }
}

const struct trace_layout *trace_layout_of(unsigned arg_kind, uint64_t topic)
{
    switch (arg_kind) {
    case PGR_ARG_INFO_OUT:
        return layout_of_topic(topic);
    case PGR_ARG_PACKET_IN:
    case PGR_ARG_PACKET_OUT:
        return &layout_packet;
    case PGR_ARG_STATS_OUT:
        return &layout_stats;
    case PGR_ARG_LOCK_OUT:
        return &layout_lock;
    case PGR_ARG_RANGES_OUT:
        return &layout_range;
    case TRACE_ARG_REGISTERS_IN:
    case TRACE_ARG_REGISTERS_OUT:
        return &layout_registers;
    default:
        return NULL;
    }
}

const struct trace_field *trace_field_find(const struct trace_layout *layout, const char *name, size_t length)
{
    for (unsigned i = 0; i < layout->field_count; i++)
        if (strncmp(layout->fields[i].name, name, length) == 0 && layout->fields[i].name[length] == '\0')
            return &layout->fields[i];
    return NULL;
}

/* Where in a number its lowest `bytes` bytes lie. */
static size_t low_bytes_at(size_t bytes)
{
    return __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__ ? sizeof(uint64_t) - bytes : 0;
}

uint64_t trace_field_get(const struct trace_field *field, const void *structure, unsigned index)
{
    const uint8_t *from = (const uint8_t *)structure + field->offset + index * field->bytes;
    uint64_t value = 0;

    memcpy((uint8_t *)&value + low_bytes_at(field->bytes), from, field->bytes);
    return field->type == TRACE_FIELD_STATUS ? (uint64_t)(int64_t)(int32_t)value : value;
}

void trace_field_set(const struct trace_field *field, void *structure, unsigned index, uint64_t value)
{
    uint8_t *to = (uint8_t *)structure + field->offset + index * field->bytes;

    memcpy(to, (const uint8_t *)&value + low_bytes_at(field->bytes), field->bytes);
}
