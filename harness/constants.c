/*
 * The table of constants, and the two ways through it. Where several names have one value in one domain, the first is
 * printed and all are read.
 */
#include "harness/constants.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define STATUS(name, number) {name, (uint64_t)(int64_t)(number), CONSTANT_STATUS}
#define BIT(n) (UINT64_C(1) << (n))

static const struct constant constants[] = {
    STATUS("ZX_OK", 0),
    STATUS("ZX_ERR_INTERNAL", -1),
    STATUS("ZX_ERR_NOT_SUPPORTED", -2),
    STATUS("ZX_ERR_NO_RESOURCES", -3),
    STATUS("ZX_ERR_NO_MEMORY", -4),
    STATUS("ZX_ERR_INTERNAL_INTR_RETRY", -6),
    STATUS("ZX_ERR_INVALID_ARGS", -10),
    STATUS("ZX_ERR_BAD_HANDLE", -11),
    STATUS("ZX_ERR_WRONG_TYPE", -12),
    STATUS("ZX_ERR_BAD_SYSCALL", -13),
    STATUS("ZX_ERR_OUT_OF_RANGE", -14),
    STATUS("ZX_ERR_BUFFER_TOO_SMALL", -15),
    STATUS("ZX_ERR_BAD_STATE", -20),
    STATUS("ZX_ERR_TIMED_OUT", -21),
    STATUS("ZX_ERR_SHOULD_WAIT", -22),
    STATUS("ZX_ERR_CANCELED", -23),
    STATUS("ZX_ERR_PEER_CLOSED", -24),
    STATUS("ZX_ERR_NOT_FOUND", -25),
    STATUS("ZX_ERR_ALREADY_EXISTS", -26),
    STATUS("ZX_ERR_ALREADY_BOUND", -27),
    STATUS("ZX_ERR_UNAVAILABLE", -28),
    STATUS("ZX_ERR_ACCESS_DENIED", -30),
    STATUS("ZX_ERR_IO", -40),
    STATUS("ZX_ERR_IO_REFUSED", -41),
    STATUS("ZX_ERR_IO_DATA_INTEGRITY", -42),
    STATUS("ZX_ERR_IO_DATA_LOSS", -43),
    STATUS("ZX_ERR_IO_NOT_PRESENT", -44),
    STATUS("ZX_ERR_IO_OVERRUN", -45),
    STATUS("ZX_ERR_IO_MISSED_DEADLINE", -46),
    STATUS("ZX_ERR_IO_INVALID", -47),
    STATUS("ZX_ERR_BAD_PATH", -50),
    STATUS("ZX_ERR_NOT_DIR", -51),
    STATUS("ZX_ERR_NOT_FILE", -52),
    STATUS("ZX_ERR_FILE_BIG", -53),
    STATUS("ZX_ERR_NO_SPACE", -54),
    STATUS("ZX_ERR_NOT_EMPTY", -55),
    STATUS("ZX_ERR_STOP", -60),
    STATUS("ZX_ERR_NEXT", -61),
    STATUS("ZX_ERR_ASYNC", -62),
    STATUS("ZX_ERR_PROTOCOL_NOT_SUPPORTED", -70),
    STATUS("ZX_ERR_ADDRESS_UNREACHABLE", -71),
    STATUS("ZX_ERR_ADDRESS_IN_USE", -72),
    STATUS("ZX_ERR_NOT_CONNECTED", -73),
    STATUS("ZX_ERR_CONNECTION_REFUSED", -74),
    STATUS("ZX_ERR_CONNECTION_RESET", -75),
    STATUS("ZX_ERR_CONNECTION_ABORTED", -76),
    STATUS("ZX_ERR_INTERNAL_INTR_KILLED", -502),

    {"ZX_HANDLE_INVALID", 0, PGR_DOMAIN_NUMBER},
    {"ZX_MAX_NAME_LEN", 32, PGR_DOMAIN_NUMBER},
    {"ZX_TIME_INFINITE", INT64_MAX, PGR_DOMAIN_DEADLINE},
    {"ZX_TIME_INFINITE_PAST", BIT(63), PGR_DOMAIN_DEADLINE},

    {"ZX_RIGHT_DUPLICATE", BIT(0), PGR_DOMAIN_RIGHTS},
    {"ZX_RIGHT_TRANSFER", BIT(1), PGR_DOMAIN_RIGHTS},
    {"ZX_RIGHT_READ", BIT(2), PGR_DOMAIN_RIGHTS},
    {"ZX_RIGHT_WRITE", BIT(3), PGR_DOMAIN_RIGHTS},
    {"ZX_RIGHT_EXECUTE", BIT(4), PGR_DOMAIN_RIGHTS},
    {"ZX_RIGHT_MAP", BIT(5), PGR_DOMAIN_RIGHTS},
    {"ZX_RIGHT_GET_PROPERTY", BIT(6), PGR_DOMAIN_RIGHTS},
    {"ZX_RIGHT_SET_PROPERTY", BIT(7), PGR_DOMAIN_RIGHTS},
    {"ZX_RIGHT_ENUMERATE", BIT(8), PGR_DOMAIN_RIGHTS},
    {"ZX_RIGHT_DESTROY", BIT(9), PGR_DOMAIN_RIGHTS},
    {"ZX_RIGHT_SET_POLICY", BIT(10), PGR_DOMAIN_RIGHTS},
    {"ZX_RIGHT_GET_POLICY", BIT(11), PGR_DOMAIN_RIGHTS},
    {"ZX_RIGHT_SIGNAL", BIT(12), PGR_DOMAIN_RIGHTS},
    {"ZX_RIGHT_SIGNAL_PEER", BIT(13), PGR_DOMAIN_RIGHTS},
    {"ZX_RIGHT_WAIT", BIT(14), PGR_DOMAIN_RIGHTS},
    {"ZX_RIGHT_INSPECT", BIT(15), PGR_DOMAIN_RIGHTS},
    {"ZX_RIGHT_MANAGE_JOB", BIT(16), PGR_DOMAIN_RIGHTS},
    {"ZX_RIGHT_MANAGE_PROCESS", BIT(17), PGR_DOMAIN_RIGHTS},
    {"ZX_RIGHT_MANAGE_THREAD", BIT(18), PGR_DOMAIN_RIGHTS},
    {"ZX_RIGHT_APPLY_PROFILE", BIT(19), PGR_DOMAIN_RIGHTS},
    {"ZX_RIGHT_MANAGE_SOCKET", BIT(20), PGR_DOMAIN_RIGHTS},
    {"ZX_RIGHT_OP_CHILDREN", BIT(21), PGR_DOMAIN_RIGHTS},
    {"ZX_RIGHT_RESIZE", BIT(22), PGR_DOMAIN_RIGHTS},
    {"ZX_RIGHT_ATTACH_VMO", BIT(23), PGR_DOMAIN_RIGHTS},
    {"ZX_RIGHT_MANAGE_VMO", BIT(24), PGR_DOMAIN_RIGHTS},
    {"ZX_RIGHT_SAME_RIGHTS", BIT(31), PGR_DOMAIN_RIGHTS},
    {"ZX_RIGHT_NONE", 0, PGR_DOMAIN_RIGHTS},
    {"ZX_RIGHTS_BASIC", 0xc003, PGR_DOMAIN_RIGHTS},
    {"ZX_RIGHTS_IO", 0xc, PGR_DOMAIN_RIGHTS},
    {"ZX_RIGHTS_PROPERTY", 0xc0, PGR_DOMAIN_RIGHTS},
    {"ZX_RIGHTS_POLICY", 0xc00, PGR_DOMAIN_RIGHTS},
    {"ZX_DEFAULT_VMO_RIGHTS", 0xd0ef, PGR_DOMAIN_RIGHTS},
    {"ZX_DEFAULT_PAGER_RIGHTS", 0x1808002, PGR_DOMAIN_RIGHTS},
    {"ZX_DEFAULT_PORT_RIGHTS", 0x800f, PGR_DOMAIN_RIGHTS},
    {"ZX_DEFAULT_VMAR_RIGHTS", 0x208003, PGR_DOMAIN_RIGHTS},
    {"ZX_DEFAULT_EVENT_RIGHTS", 0xd003, PGR_DOMAIN_RIGHTS},
    {"ZX_DEFAULT_BTI_RIGHTS", 0x80ef, PGR_DOMAIN_RIGHTS},
    {"ZX_DEFAULT_PMT_RIGHTS", 0x8000, PGR_DOMAIN_RIGHTS},
    {"ZX_DEFAULT_RESOURCE_RIGHTS", 0x800b, PGR_DOMAIN_RIGHTS},

    {"ZX_INFO_HANDLE_VALID", 1, PGR_DOMAIN_TOPIC},
    {"ZX_INFO_HANDLE_BASIC", 2, PGR_DOMAIN_TOPIC},
    {"ZX_INFO_VMAR", 7, PGR_DOMAIN_TOPIC},
    {"ZX_INFO_HANDLE_COUNT", 19, PGR_DOMAIN_TOPIC},
    {"ZX_INFO_BTI", 20, PGR_DOMAIN_TOPIC},
    {"ZX_INFO_VMO", 0x20000017, PGR_DOMAIN_TOPIC},

    {"ZX_PROP_NAME", 3, PGR_DOMAIN_PROPERTY},
    {"ZX_PROP_VMO_CONTENT_SIZE", 17, PGR_DOMAIN_PROPERTY},

    /* Bit 3 of an event and of a VMO are different signals; which one it is the value does not say. */
    {"ZX_VMO_ZERO_CHILDREN", BIT(3), PGR_DOMAIN_SIGNALS},
    {"ZX_EVENT_SIGNALED", BIT(3), PGR_DOMAIN_SIGNALS},
    {"ZX_SIGNAL_HANDLE_CLOSED", BIT(23), PGR_DOMAIN_SIGNALS},
    {"ZX_USER_SIGNAL_0", BIT(24), PGR_DOMAIN_SIGNALS},
    {"ZX_USER_SIGNAL_1", BIT(25), PGR_DOMAIN_SIGNALS},
    {"ZX_USER_SIGNAL_2", BIT(26), PGR_DOMAIN_SIGNALS},
    {"ZX_USER_SIGNAL_3", BIT(27), PGR_DOMAIN_SIGNALS},
    {"ZX_USER_SIGNAL_4", BIT(28), PGR_DOMAIN_SIGNALS},
    {"ZX_USER_SIGNAL_5", BIT(29), PGR_DOMAIN_SIGNALS},
    {"ZX_USER_SIGNAL_6", BIT(30), PGR_DOMAIN_SIGNALS},
    {"ZX_USER_SIGNAL_7", BIT(31), PGR_DOMAIN_SIGNALS},
    {"ZX_USER_SIGNAL_ALL", 0xff000000, PGR_DOMAIN_SIGNALS},
    {"ZX_SIGNAL_NONE", 0, PGR_DOMAIN_SIGNALS},

    {"ZX_PORT_BIND_TO_INTERRUPT", 1, PGR_DOMAIN_PORT_OPTIONS},
    {"ZX_WAIT_ASYNC_TIMESTAMP", 1, PGR_DOMAIN_WAIT_ASYNC_OPTIONS},
    {"ZX_WAIT_ASYNC_EDGE", 2, PGR_DOMAIN_WAIT_ASYNC_OPTIONS},

    {"ZX_VMO_RESIZABLE", BIT(1), PGR_DOMAIN_VMO_OPTIONS},
    {"ZX_VMO_DISCARDABLE", BIT(2), PGR_DOMAIN_VMO_OPTIONS},
    {"ZX_VMO_TRAP_DIRTY", BIT(3), PGR_DOMAIN_VMO_OPTIONS},
    {"ZX_VMO_UNBOUNDED", BIT(4), PGR_DOMAIN_VMO_OPTIONS},

    {"ZX_VMO_CHILD_SNAPSHOT", BIT(0), PGR_DOMAIN_CHILD_OPTIONS},
    {"ZX_VMO_CHILD_RESIZABLE", BIT(2), PGR_DOMAIN_CHILD_OPTIONS},
    {"ZX_VMO_CHILD_SLICE", BIT(3), PGR_DOMAIN_CHILD_OPTIONS},
    {"ZX_VMO_CHILD_SNAPSHOT_AT_LEAST_ON_WRITE", BIT(4), PGR_DOMAIN_CHILD_OPTIONS},
    {"ZX_VMO_CHILD_NO_WRITE", BIT(5), PGR_DOMAIN_CHILD_OPTIONS},
    {"ZX_VMO_CHILD_REFERENCE", BIT(6), PGR_DOMAIN_CHILD_OPTIONS},
    {"ZX_VMO_CHILD_SNAPSHOT_MODIFIED", BIT(7), PGR_DOMAIN_CHILD_OPTIONS},

    {"ZX_VMO_OP_COMMIT", 1, PGR_DOMAIN_VMO_OP},
    {"ZX_VMO_OP_DECOMMIT", 2, PGR_DOMAIN_VMO_OP},
    {"ZX_VMO_OP_LOCK", 3, PGR_DOMAIN_VMO_OP},
    {"ZX_VMO_OP_UNLOCK", 4, PGR_DOMAIN_VMO_OP},
    {"ZX_VMO_OP_CACHE_SYNC", 6, PGR_DOMAIN_VMO_OP},
    {"ZX_VMO_OP_CACHE_INVALIDATE", 7, PGR_DOMAIN_VMO_OP},
    {"ZX_VMO_OP_CACHE_CLEAN", 8, PGR_DOMAIN_VMO_OP},
    {"ZX_VMO_OP_CACHE_CLEAN_INVALIDATE", 9, PGR_DOMAIN_VMO_OP},
    {"ZX_VMO_OP_ZERO", 10, PGR_DOMAIN_VMO_OP},
    {"ZX_VMO_OP_TRY_LOCK", 11, PGR_DOMAIN_VMO_OP},
    {"ZX_VMO_OP_DONT_NEED", 12, PGR_DOMAIN_VMO_OP},
    {"ZX_VMO_OP_ALWAYS_NEED", 13, PGR_DOMAIN_VMO_OP},
    {"ZX_VMO_OP_PREFETCH", 14, PGR_DOMAIN_VMO_OP},

    {"ZX_PAGER_OP_FAIL", 1, PGR_DOMAIN_PAGER_OP},
    {"ZX_PAGER_OP_DIRTY", 2, PGR_DOMAIN_PAGER_OP},
    {"ZX_PAGER_OP_WRITEBACK_BEGIN", 3, PGR_DOMAIN_PAGER_OP},
    {"ZX_PAGER_OP_WRITEBACK_END", 4, PGR_DOMAIN_PAGER_OP},
    {"ZX_VMO_DIRTY_RANGE_IS_ZERO", 1, CONSTANT_RANGE_OPTIONS},
    {"ZX_PAGER_RESET_VMO_STATS", 1, PGR_DOMAIN_STATS_OPTIONS},
    {"ZX_PAGER_VMO_STATS_MODIFIED", 1, CONSTANT_STATS},

    {"ZX_CACHE_POLICY_CACHED", 0, PGR_DOMAIN_CACHE_POLICY},
    {"ZX_CACHE_POLICY_UNCACHED", 1, PGR_DOMAIN_CACHE_POLICY},
    {"ZX_CACHE_POLICY_UNCACHED_DEVICE", 2, PGR_DOMAIN_CACHE_POLICY},
    {"ZX_CACHE_POLICY_WRITE_COMBINING", 3, PGR_DOMAIN_CACHE_POLICY},
    {"ZX_CACHE_POLICY_MASK", 3, PGR_DOMAIN_CACHE_POLICY},

    {"ZX_VM_PERM_READ", BIT(0), PGR_DOMAIN_VM_OPTIONS},
    {"ZX_VM_PERM_WRITE", BIT(1), PGR_DOMAIN_VM_OPTIONS},
    {"ZX_VM_PERM_EXECUTE", BIT(2), PGR_DOMAIN_VM_OPTIONS},
    {"ZX_VM_COMPACT", BIT(3), PGR_DOMAIN_VM_OPTIONS},
    {"ZX_VM_SPECIFIC", BIT(4), PGR_DOMAIN_VM_OPTIONS},
    {"ZX_VM_SPECIFIC_OVERWRITE", BIT(5), PGR_DOMAIN_VM_OPTIONS},
    {"ZX_VM_CAN_MAP_SPECIFIC", BIT(6), PGR_DOMAIN_VM_OPTIONS},
    {"ZX_VM_CAN_MAP_READ", BIT(7), PGR_DOMAIN_VM_OPTIONS},
    {"ZX_VM_CAN_MAP_WRITE", BIT(8), PGR_DOMAIN_VM_OPTIONS},
    {"ZX_VM_CAN_MAP_EXECUTE", BIT(9), PGR_DOMAIN_VM_OPTIONS},
    {"ZX_VM_MAP_RANGE", BIT(10), PGR_DOMAIN_VM_OPTIONS},
    {"ZX_VM_REQUIRE_NON_RESIZABLE", BIT(11), PGR_DOMAIN_VM_OPTIONS},
    {"ZX_VM_ALLOW_FAULTS", BIT(12), PGR_DOMAIN_VM_OPTIONS},
    {"ZX_VM_OFFSET_IS_UPPER_LIMIT", BIT(13), PGR_DOMAIN_VM_OPTIONS},
    {"ZX_VM_PERM_READ_IF_XOM_UNSUPPORTED", BIT(14), PGR_DOMAIN_VM_OPTIONS},
    {"ZX_VM_FAULT_BEYOND_STREAM_SIZE", BIT(15), PGR_DOMAIN_VM_OPTIONS},
    {"ZX_VM_ALIGN_1KB", UINT64_C(10) << 24, PGR_DOMAIN_VM_OPTIONS},
    {"ZX_VM_ALIGN_2KB", UINT64_C(11) << 24, PGR_DOMAIN_VM_OPTIONS},
    {"ZX_VM_ALIGN_4KB", UINT64_C(12) << 24, PGR_DOMAIN_VM_OPTIONS},
    {"ZX_VM_ALIGN_8KB", UINT64_C(13) << 24, PGR_DOMAIN_VM_OPTIONS},
    {"ZX_VM_ALIGN_16KB", UINT64_C(14) << 24, PGR_DOMAIN_VM_OPTIONS},
    {"ZX_VM_ALIGN_32KB", UINT64_C(15) << 24, PGR_DOMAIN_VM_OPTIONS},
    {"ZX_VM_ALIGN_64KB", UINT64_C(16) << 24, PGR_DOMAIN_VM_OPTIONS},
    {"ZX_VM_ALIGN_128KB", UINT64_C(17) << 24, PGR_DOMAIN_VM_OPTIONS},
    {"ZX_VM_ALIGN_256KB", UINT64_C(18) << 24, PGR_DOMAIN_VM_OPTIONS},
    {"ZX_VM_ALIGN_512KB", UINT64_C(19) << 24, PGR_DOMAIN_VM_OPTIONS},
    {"ZX_VM_ALIGN_1MB", UINT64_C(20) << 24, PGR_DOMAIN_VM_OPTIONS},
    {"ZX_VM_ALIGN_2MB", UINT64_C(21) << 24, PGR_DOMAIN_VM_OPTIONS},
    {"ZX_VM_ALIGN_4MB", UINT64_C(22) << 24, PGR_DOMAIN_VM_OPTIONS},
    {"ZX_VM_ALIGN_8MB", UINT64_C(23) << 24, PGR_DOMAIN_VM_OPTIONS},
    {"ZX_VM_ALIGN_16MB", UINT64_C(24) << 24, PGR_DOMAIN_VM_OPTIONS},
    {"ZX_VM_ALIGN_32MB", UINT64_C(25) << 24, PGR_DOMAIN_VM_OPTIONS},
    {"ZX_VM_ALIGN_64MB", UINT64_C(26) << 24, PGR_DOMAIN_VM_OPTIONS},
    {"ZX_VM_ALIGN_128MB", UINT64_C(27) << 24, PGR_DOMAIN_VM_OPTIONS},
    {"ZX_VM_ALIGN_256MB", UINT64_C(28) << 24, PGR_DOMAIN_VM_OPTIONS},
    {"ZX_VM_ALIGN_512MB", UINT64_C(29) << 24, PGR_DOMAIN_VM_OPTIONS},
    {"ZX_VM_ALIGN_1GB", UINT64_C(30) << 24, PGR_DOMAIN_VM_OPTIONS},
    {"ZX_VM_ALIGN_2GB", UINT64_C(31) << 24, PGR_DOMAIN_VM_OPTIONS},
    {"ZX_VM_ALIGN_4GB", UINT64_C(32) << 24, PGR_DOMAIN_VM_OPTIONS},

    {"ZX_VMAR_OP_COMMIT", 1, PGR_DOMAIN_VMAR_OP},
    {"ZX_VMAR_OP_DECOMMIT", 2, PGR_DOMAIN_VMAR_OP},
    {"ZX_VMAR_OP_MAP_RANGE", 3, PGR_DOMAIN_VMAR_OP},
    {"ZX_VMAR_OP_ZERO", 10, PGR_DOMAIN_VMAR_OP},
    {"ZX_VMAR_OP_DONT_NEED", 12, PGR_DOMAIN_VMAR_OP},
    {"ZX_VMAR_OP_ALWAYS_NEED", 13, PGR_DOMAIN_VMAR_OP},
    {"ZX_VMAR_OP_PREFETCH", 14, PGR_DOMAIN_VMAR_OP},

    {"ZX_BTI_PERM_READ", BIT(0), PGR_DOMAIN_PIN_OPTIONS},
    {"ZX_BTI_PERM_WRITE", BIT(1), PGR_DOMAIN_PIN_OPTIONS},
    {"ZX_BTI_PERM_EXECUTE", BIT(2), PGR_DOMAIN_PIN_OPTIONS},
    {"ZX_BTI_COMPRESS", BIT(3), PGR_DOMAIN_PIN_OPTIONS},
    {"ZX_BTI_CONTIGUOUS", BIT(4), PGR_DOMAIN_PIN_OPTIONS},

    {"ZX_OBJ_TYPE_NONE", 0, CONSTANT_OBJECT_TYPE},
    {"ZX_OBJ_TYPE_VMO", 3, CONSTANT_OBJECT_TYPE},
    {"ZX_OBJ_TYPE_EVENT", 5, CONSTANT_OBJECT_TYPE},
    {"ZX_OBJ_TYPE_PORT", 6, CONSTANT_OBJECT_TYPE},
    {"ZX_OBJ_TYPE_RESOURCE", 15, CONSTANT_OBJECT_TYPE},
    {"ZX_OBJ_TYPE_VMAR", 18, CONSTANT_OBJECT_TYPE},
    {"ZX_OBJ_TYPE_BTI", 24, CONSTANT_OBJECT_TYPE},
    {"ZX_OBJ_TYPE_PMT", 26, CONSTANT_OBJECT_TYPE},
    {"ZX_OBJ_TYPE_PAGER", 28, CONSTANT_OBJECT_TYPE},

    {"ZX_PKT_TYPE_USER", 0, CONSTANT_PACKET_TYPE},
    {"ZX_PKT_TYPE_SIGNAL_ONE", 1, CONSTANT_PACKET_TYPE},
    {"ZX_PKT_TYPE_INTERRUPT", 7, CONSTANT_PACKET_TYPE},
    {"ZX_PKT_TYPE_PAGE_REQUEST", 9, CONSTANT_PACKET_TYPE},
    {"ZX_PAGER_VMO_READ", 0, CONSTANT_PACKET_COMMAND},
    {"ZX_PAGER_VMO_COMPLETE", 1, CONSTANT_PACKET_COMMAND},
    {"ZX_PAGER_VMO_DIRTY", 2, CONSTANT_PACKET_COMMAND},

    {"ZX_INFO_VMO_TYPE_PAGED", BIT(0), CONSTANT_VMO_FLAGS},
    {"ZX_INFO_VMO_RESIZABLE", BIT(1), CONSTANT_VMO_FLAGS},
    {"ZX_INFO_VMO_IS_COW_CLONE", BIT(2), CONSTANT_VMO_FLAGS},
    {"ZX_INFO_VMO_VIA_HANDLE", BIT(3), CONSTANT_VMO_FLAGS},
    {"ZX_INFO_VMO_VIA_MAPPING", BIT(4), CONSTANT_VMO_FLAGS},
    {"ZX_INFO_VMO_PAGER_BACKED", BIT(5), CONSTANT_VMO_FLAGS},
    {"ZX_INFO_VMO_CONTIGUOUS", BIT(6), CONSTANT_VMO_FLAGS},
    {"ZX_INFO_VMO_DISCARDABLE", BIT(7), CONSTANT_VMO_FLAGS},
    {"ZX_INFO_VMO_IMMUTABLE", BIT(8), CONSTANT_VMO_FLAGS},
    {"ZX_INFO_VMO_VIA_IOB_HANDLE", BIT(9), CONSTANT_VMO_FLAGS},
    {"ZX_INFO_VMO_TYPE_PHYSICAL", 0, CONSTANT_VMO_FLAGS},

    {"ZX_EXCP_FATAL_PAGE_FAULT", 0x108, CONSTANT_EXCEPTION},
};

#define CONSTANT_COUNT (sizeof(constants) / sizeof(constants[0]))

const struct constant *constant_find(const char *name, size_t length)
{
    for (size_t i = 0; i < CONSTANT_COUNT; i++)
        if (strncmp(constants[i].name, name, length) == 0 && constants[i].name[length] == '\0')
            return &constants[i];
    return NULL;
}

/* Domains that write their values with the names of another one. */
static unsigned naming_domain(unsigned domain)
{
    switch (domain) {
    case PGR_DOMAIN_PAGER_VMO_OPTIONS:
        return PGR_DOMAIN_VMO_OPTIONS;
    case PGR_DOMAIN_PAGER_OP_DATA:
        return CONSTANT_STATUS;
    default:
        return domain;
    }
}

/* The name of exactly this value in this domain, or null. */
static const char *constant_name(unsigned domain, uint64_t value)
{
    domain = naming_domain(domain);
    for (size_t i = 0; i < CONSTANT_COUNT; i++)
        if (constants[i].domain == domain && constants[i].value == value)
            return constants[i].name;
    return NULL;
}

const char *constant_status_name(zx_status_t status)
{
    return constant_name(CONSTANT_STATUS, (uint64_t)(int64_t)status);
}

static int domain_has_bits(unsigned domain)
{
    switch (naming_domain(domain)) {
    case PGR_DOMAIN_RIGHTS:
    case PGR_DOMAIN_SIGNALS:
    case PGR_DOMAIN_WAIT_ASYNC_OPTIONS:
    case PGR_DOMAIN_VMO_OPTIONS:
    case PGR_DOMAIN_CHILD_OPTIONS:
    case PGR_DOMAIN_VM_OPTIONS:
    case PGR_DOMAIN_PIN_OPTIONS:
    case CONSTANT_VMO_FLAGS:
        return 1;
    default:
        return 0;
    }
}

static void format_number(char *text, uint64_t value)
{
    snprintf(text, CONSTANT_TEXT_MAX, value < 0x10000 ? "%" PRIu64 : "0x%" PRIx64, value);
}

static void add_name(char *text, const char *name)
{
    size_t used = strlen(text);

    snprintf(text + used, CONSTANT_TEXT_MAX - used, "%s%s", used > 0 ? "|" : "", name);
}

/* An alignment is a number in the options' upper byte; it has names of its own. */
static uint64_t alignment_bits(unsigned domain, uint64_t value)
{
    return domain == PGR_DOMAIN_VM_OPTIONS ? value & UINT64_C(0xff000000) : 0;
}

/* The bits that have a name first, what is left as a number behind them. */
static void format_bits(char *text, unsigned domain, uint64_t value)
{
    uint64_t alignment = alignment_bits(domain, value);
    const char *alignment_name = alignment != 0 ? constant_name(domain, alignment) : NULL;
    char rest[24];

    text[0] = '\0';
    value &= ~alignment;
    for (size_t i = 0; i < CONSTANT_COUNT; i++) {
        const struct constant *c = &constants[i];
        int one_bit = c->value != 0 && (c->value & (c->value - 1)) == 0;
        if (c->domain != domain || !one_bit || (c->value & value) == 0)
            continue;
        add_name(text, c->name);
        value &= ~c->value;
    }
    if (alignment_name != NULL)
        add_name(text, alignment_name);
    else
        value |= alignment;
    if (value == 0)
        return;
    snprintf(rest, sizeof(rest), "0x%" PRIx64, value);
    add_name(text, rest);
}

/* Where 0 is one of the things to choose from, and not the absence of options, it is written by name. */
static int zero_has_name(unsigned domain)
{
    return domain == PGR_DOMAIN_CACHE_POLICY || domain == CONSTANT_STATUS || domain == CONSTANT_OBJECT_TYPE ||
           domain == CONSTANT_PACKET_TYPE || domain == CONSTANT_PACKET_COMMAND;
}

/* What lies just below 2^64 is written from there, as an offset that wraps was meant. */
static void format_bytes(char *text, uint64_t value, uint64_t page_bytes)
{
    uint64_t pages = value / page_bytes;
    uint64_t below = 0 - value;

    if (value != 0 && value % page_bytes == 0 && value < (UINT64_C(1) << 63))
        snprintf(text, CONSTANT_TEXT_MAX, "%" PRIu64 "p", pages);
    else if (value != 0 && below % page_bytes == 0 && below / page_bytes < 0x10000)
        snprintf(text, CONSTANT_TEXT_MAX, "0-%" PRIu64 "p", below / page_bytes);
    else
        format_number(text, value);
}

static void format_address(char *text, uint64_t value)
{
    snprintf(text, CONSTANT_TEXT_MAX, value == 0 ? "0" : "0x%" PRIx64, value);
}

static void format_constant(char *text, unsigned domain, uint64_t value)
{
    const char *name = constant_name(domain, value);

    if (value == 0)
        snprintf(text, CONSTANT_TEXT_MAX, "%s", name != NULL && zero_has_name(domain) ? name : "0");
    else if (domain_has_bits(domain) && value <= UINT32_MAX)
        format_bits(text, naming_domain(domain), value);
    else if (name != NULL && domain != PGR_DOMAIN_NUMBER)
        snprintf(text, CONSTANT_TEXT_MAX, "%s", name);
    else
        format_number(text, value);
}

const char *constant_format(char *text, unsigned domain, uint64_t value, uint64_t page_bytes)
{
    if (domain == CONSTANT_BYTES)
        format_bytes(text, value, page_bytes);
    else if (domain == CONSTANT_ADDRESS)
        format_address(text, value);
    else
        format_constant(text, domain, value);
    return text;
}
