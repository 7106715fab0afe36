/* Zircon's types, constants and layouts, as far as the core has to do with them; the names and values are Zircon's. */
#ifndef PGR_ZX_H
#define PGR_ZX_H

#include <stdint.h>

typedef int32_t zx_status_t;
typedef uint32_t zx_handle_t;
typedef uint32_t zx_rights_t;
typedef uint32_t zx_signals_t;
typedef uint32_t zx_obj_type_t;
typedef int64_t zx_time_t;

#define ZX_OK (0)
#define ZX_ERR_INTERNAL (-1)
#define ZX_ERR_NOT_SUPPORTED (-2)
#define ZX_ERR_NO_RESOURCES (-3)
#define ZX_ERR_NO_MEMORY (-4)
#define ZX_ERR_INVALID_ARGS (-10)
#define ZX_ERR_BAD_HANDLE (-11)
#define ZX_ERR_WRONG_TYPE (-12)
#define ZX_ERR_BAD_SYSCALL (-13)
#define ZX_ERR_OUT_OF_RANGE (-14)
#define ZX_ERR_BUFFER_TOO_SMALL (-15)
#define ZX_ERR_BAD_STATE (-20)
#define ZX_ERR_TIMED_OUT (-21)
#define ZX_ERR_SHOULD_WAIT (-22)
#define ZX_ERR_CANCELED (-23)
#define ZX_ERR_NOT_FOUND (-25)
#define ZX_ERR_ALREADY_EXISTS (-26)
#define ZX_ERR_UNAVAILABLE (-28)
#define ZX_ERR_ACCESS_DENIED (-30)
#define ZX_ERR_IO (-40)
#define ZX_ERR_IO_DATA_INTEGRITY (-42)
#define ZX_ERR_NO_SPACE (-54)

#define ZX_HANDLE_INVALID (0u)
#define ZX_TIME_INFINITE INT64_MAX
#define ZX_MAX_NAME_LEN (32u)

#define ZX_RIGHT_NONE (0u)
#define ZX_RIGHT_DUPLICATE (1u << 0)
#define ZX_RIGHT_TRANSFER (1u << 1)
#define ZX_RIGHT_READ (1u << 2)
#define ZX_RIGHT_WRITE (1u << 3)
#define ZX_RIGHT_EXECUTE (1u << 4)
#define ZX_RIGHT_MAP (1u << 5)
#define ZX_RIGHT_GET_PROPERTY (1u << 6)
#define ZX_RIGHT_SET_PROPERTY (1u << 7)
#define ZX_RIGHT_SIGNAL (1u << 12)
#define ZX_RIGHT_WAIT (1u << 14)
#define ZX_RIGHT_INSPECT (1u << 15)
#define ZX_RIGHT_OP_CHILDREN (1u << 21)
#define ZX_RIGHT_RESIZE (1u << 22)
#define ZX_RIGHT_ATTACH_VMO (1u << 23)
#define ZX_RIGHT_MANAGE_VMO (1u << 24)
#define ZX_RIGHT_SAME_RIGHTS (1u << 31)
#define ZX_RIGHTS_BASIC (ZX_RIGHT_TRANSFER | ZX_RIGHT_DUPLICATE | ZX_RIGHT_WAIT | ZX_RIGHT_INSPECT)
#define ZX_RIGHTS_IO (ZX_RIGHT_READ | ZX_RIGHT_WRITE)
#define ZX_RIGHTS_PROPERTY (ZX_RIGHT_GET_PROPERTY | ZX_RIGHT_SET_PROPERTY)

#define ZX_OBJ_TYPE_NONE (0u)
#define ZX_OBJ_TYPE_VMO (3u)
#define ZX_OBJ_TYPE_EVENT (5u)
#define ZX_OBJ_TYPE_PORT (6u)
#define ZX_OBJ_TYPE_RESOURCE (15u)
#define ZX_OBJ_TYPE_VMAR (18u)
#define ZX_OBJ_TYPE_BTI (24u)
#define ZX_OBJ_TYPE_PMT (26u)
#define ZX_OBJ_TYPE_PAGER (28u)

#define ZX_INFO_HANDLE_VALID (1u)
#define ZX_INFO_HANDLE_BASIC (2u)
#define ZX_INFO_VMAR (7u)
#define ZX_INFO_HANDLE_COUNT (19u)
#define ZX_INFO_BTI (20u)
#define ZX_INFO_VMO (0x20000017u)

#define ZX_PROP_NAME (3u)
#define ZX_PROP_VMO_CONTENT_SIZE (17u)

#define ZX_VMO_ZERO_CHILDREN (1u << 3)
#define ZX_EVENT_SIGNALED (1u << 3)
#define ZX_SIGNAL_HANDLE_CLOSED (1u << 23)
#define ZX_USER_SIGNAL_ALL (0xff000000u)
#define ZX_WAIT_ASYNC_TIMESTAMP (1u)
#define ZX_WAIT_ASYNC_EDGE (2u)
#define ZX_PORT_BIND_TO_INTERRUPT (1u)

#define ZX_PKT_TYPE_USER (0u)
#define ZX_PKT_TYPE_SIGNAL_ONE (1u)
#define ZX_PKT_TYPE_PAGE_REQUEST (9u)
#define ZX_PAGER_VMO_READ (0u)
#define ZX_PAGER_VMO_COMPLETE (1u)
#define ZX_PAGER_VMO_DIRTY (2u)

#define ZX_PAGER_OP_FAIL (1u)
#define ZX_PAGER_OP_DIRTY (2u)
#define ZX_PAGER_OP_WRITEBACK_BEGIN (3u)
#define ZX_PAGER_OP_WRITEBACK_END (4u)
#define ZX_VMO_DIRTY_RANGE_IS_ZERO (1u)
#define ZX_PAGER_VMO_STATS_MODIFIED (1u)
#define ZX_PAGER_RESET_VMO_STATS (1u)

#define ZX_VMO_RESIZABLE (1u << 1)
#define ZX_VMO_DISCARDABLE (1u << 2)
#define ZX_VMO_TRAP_DIRTY (1u << 3)
#define ZX_VMO_UNBOUNDED (1u << 4)

#define ZX_VMO_CHILD_SNAPSHOT (1u << 0)
#define ZX_VMO_CHILD_RESIZABLE (1u << 2)
#define ZX_VMO_CHILD_SLICE (1u << 3)
#define ZX_VMO_CHILD_SNAPSHOT_AT_LEAST_ON_WRITE (1u << 4)
#define ZX_VMO_CHILD_NO_WRITE (1u << 5)
#define ZX_VMO_CHILD_REFERENCE (1u << 6)
#define ZX_VMO_CHILD_SNAPSHOT_MODIFIED (1u << 7)

#define ZX_VMO_OP_COMMIT (1u)
#define ZX_VMO_OP_DECOMMIT (2u)
#define ZX_VMO_OP_LOCK (3u)
#define ZX_VMO_OP_UNLOCK (4u)
#define ZX_VMO_OP_CACHE_SYNC (6u)
#define ZX_VMO_OP_CACHE_INVALIDATE (7u)
#define ZX_VMO_OP_CACHE_CLEAN (8u)
#define ZX_VMO_OP_CACHE_CLEAN_INVALIDATE (9u)
#define ZX_VMO_OP_ZERO (10u)
#define ZX_VMO_OP_TRY_LOCK (11u)
#define ZX_VMO_OP_DONT_NEED (12u)
#define ZX_VMO_OP_ALWAYS_NEED (13u)
#define ZX_VMO_OP_PREFETCH (14u)

#define ZX_CACHE_POLICY_CACHED (0u)
#define ZX_CACHE_POLICY_UNCACHED (1u)
#define ZX_CACHE_POLICY_UNCACHED_DEVICE (2u)
#define ZX_CACHE_POLICY_WRITE_COMBINING (3u)
#define ZX_CACHE_POLICY_MASK (3u)

#define ZX_BTI_PERM_READ (1u << 0)
#define ZX_BTI_PERM_WRITE (1u << 1)
#define ZX_BTI_PERM_EXECUTE (1u << 2)
#define ZX_BTI_COMPRESS (1u << 3)
#define ZX_BTI_CONTIGUOUS (1u << 4)

#define ZX_INFO_VMO_TYPE_PHYSICAL (0u)
#define ZX_INFO_VMO_TYPE_PAGED (1u << 0)
#define ZX_INFO_VMO_RESIZABLE (1u << 1)
#define ZX_INFO_VMO_IS_COW_CLONE (1u << 2)
#define ZX_INFO_VMO_VIA_HANDLE (1u << 3)
#define ZX_INFO_VMO_VIA_MAPPING (1u << 4)
#define ZX_INFO_VMO_PAGER_BACKED (1u << 5)
#define ZX_INFO_VMO_CONTIGUOUS (1u << 6)
#define ZX_INFO_VMO_DISCARDABLE (1u << 7)
#define ZX_INFO_VMO_IMMUTABLE (1u << 8)

#define ZX_VM_PERM_READ (1u << 0)
#define ZX_VM_PERM_WRITE (1u << 1)
#define ZX_VM_PERM_EXECUTE (1u << 2)
#define ZX_VM_COMPACT (1u << 3)
#define ZX_VM_SPECIFIC (1u << 4)
#define ZX_VM_SPECIFIC_OVERWRITE (1u << 5)
#define ZX_VM_CAN_MAP_SPECIFIC (1u << 6)
#define ZX_VM_CAN_MAP_READ (1u << 7)
#define ZX_VM_CAN_MAP_WRITE (1u << 8)
#define ZX_VM_CAN_MAP_EXECUTE (1u << 9)
#define ZX_VM_MAP_RANGE (1u << 10)
#define ZX_VM_REQUIRE_NON_RESIZABLE (1u << 11)
#define ZX_VM_ALLOW_FAULTS (1u << 12)
#define ZX_VM_OFFSET_IS_UPPER_LIMIT (1u << 13)
#define ZX_VM_PERM_READ_IF_XOM_UNSUPPORTED (1u << 14)

#define ZX_VMAR_OP_COMMIT (1u)
#define ZX_VMAR_OP_DECOMMIT (2u)
#define ZX_VMAR_OP_MAP_RANGE (3u)
#define ZX_VMAR_OP_ZERO (10u)
#define ZX_VMAR_OP_DONT_NEED (12u)
#define ZX_VMAR_OP_ALWAYS_NEED (13u)
#define ZX_VMAR_OP_PREFETCH (14u)

#define ZX_EXCP_FATAL_PAGE_FAULT (0x108u)

typedef struct zx_packet_signal {
    zx_signals_t trigger;
    zx_signals_t observed;
    uint64_t count;
    uint64_t timestamp;
    uint64_t reserved1;
} zx_packet_signal_t;

typedef struct zx_packet_page_request {
    uint16_t command;
    uint16_t flags;
    uint32_t reserved0;
    uint64_t offset; /* bytes */
    uint64_t length; /* bytes */
    uint64_t reserved1;
} zx_packet_page_request_t;

typedef union zx_packet_user {
    uint64_t u64[4];
    uint8_t c8[32];
} zx_packet_user_t;

typedef struct zx_port_packet {
    uint64_t key;
    uint32_t type; /* ZX_PKT_TYPE_... */
    zx_status_t status;
    union {
        zx_packet_user_t user;
        zx_packet_signal_t signal;
        zx_packet_page_request_t page_request;
    };
} zx_port_packet_t;

typedef struct zx_info_handle_basic {
    uint64_t koid;
    zx_rights_t rights;
    zx_obj_type_t type;
    uint64_t related_koid;
    uint32_t reserved;
    uint32_t padding1;
} zx_info_handle_basic_t;

typedef struct zx_info_handle_count {
    uint32_t handle_count;
} zx_info_handle_count_t;

typedef struct zx_info_vmar {
    uint64_t base;
    uint64_t len;
} zx_info_vmar_t;

typedef struct zx_info_bti {
    uint64_t minimum_contiguity;
    uint64_t aspace_size;
    uint64_t pmo_count;
    uint64_t quarantine_count;
} zx_info_bti_t;

typedef struct zx_info_vmo {
    uint64_t koid;
    char name[ZX_MAX_NAME_LEN];
    uint64_t size_bytes;
    uint64_t parent_koid;
    uint64_t num_children;
    uint64_t num_mappings;
    uint64_t share_count;
    uint32_t flags; /* ZX_INFO_VMO_... */
    uint32_t padding1;
    uint64_t committed_bytes;
    zx_rights_t handle_rights;
    uint32_t cache_policy;
    uint64_t metadata_bytes;
    uint64_t committed_change_events;
    uint64_t populated_bytes;
} zx_info_vmo_t;

typedef struct zx_vmo_dirty_range {
    uint64_t offset; /* bytes */
    uint64_t length; /* bytes */
    uint64_t options;
} zx_vmo_dirty_range_t;

typedef struct zx_pager_vmo_stats {
    uint32_t modified;
} zx_pager_vmo_stats_t;

typedef struct zx_vmo_lock_state {
    uint64_t offset;
    uint64_t size;
    uint64_t discarded_offset;
    uint64_t discarded_size;
} zx_vmo_lock_state_t;

#endif
