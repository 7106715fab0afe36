/*
 * Pagerite: a reference model of Zircon's user pager and of the virtual memory around it.
 *
 * Read from top to bottom this is the manual of the core. In short:
 *
 *   - the caller owns all memory: one block for the *world* (all bookkeeping), one for the *frames*
 *     (the bytes of the pages); the core allocates nothing and keeps no pointer between two calls;
 *   - pgr_dispatch() is the only way to change a world, one system call at a time;
 *   - a call that has to wait returns PGR_BLOCKED. What it waits for releases its thread, and
 *     dispatching PGR_CALL_RESUME for that thread lets the call go on;
 *   - same world, same frames, same call: same bytes afterwards.
 *
 * Names that Zircon has given (ZX_..., zx_...) have Zircon's values and layouts. Offsets, lengths and sizes in calls
 * and results are in bytes, as in Zircon; what counts pages, frames or rows says so.
 */
#ifndef PGR_H
#define PGR_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define PGR_VERSION_MAJOR 0
#define PGR_VERSION_MINOR 1
#define PGR_VERSION_PATCH 0
#define PGR_VERSION "0.1.0"

/* Zircon's types and constants. Define PGR_HAVE_ZX before including this file where Zircon's own headers are at hand. */
#ifndef PGR_HAVE_ZX
#include "zx.h"
#endif

/* ------------------------------------------------------------------------------------------------------------------
 * What an embedder may replace. Both have a default.
 * --------------------------------------------------------------------------------------------------------------- */

/* A mistake of the core's own (never of its caller): stops at once. Cheap, and stays on in every build. */
#ifndef PGR_ASSERT
#define PGR_ASSERT(condition) ((condition) ? (void)0 : __builtin_trap())
#endif

/* ------------------------------------------------------------------------------------------------------------------
 * Configuration
 * --------------------------------------------------------------------------------------------------------------- */

#define PGR_PAGE_SHIFT_MIN 4u      /* 16-byte pages */
#define PGR_PAGE_SHIFT_MAX 30u     /* 1 GiB pages */
#define PGR_HANDLES_MAX (1u << 18) /* as many as a Zircon system holds */
#define PGR_ROWS_MAX (1u << 24)    /* bound of every other count */

/* pgr_config.options */
#define PGR_OPTION_FAIL_CODES_KERNEL (1u << 0) /* ZX_PAGER_OP_FAIL takes the kernel's five codes, not three */
#define PGR_OPTION_SUPPLY_DECOMMITS (1u << 1)  /* a supply that fails late leaves the aux range decommitted */

/*
 * How much of everything a world has. A count that is exhausted makes the call that needs more return
 * ZX_ERR_NO_MEMORY. Row 0 of every table means "none", so that each count includes one row that is never used.
 */
typedef struct pgr_config {
    uint32_t page_shift;   /* log2 of the page size in bytes, PGR_PAGE_SHIFT_MIN .. PGR_PAGE_SHIFT_MAX */
    uint32_t options;      /* PGR_OPTION_... */
    uint32_t read_batch;   /* the most pages one READ request of zx_vmo_read/zx_vmo_write asks for; 0: no limit */
    uint32_t frame_count;  /* frames, frame 0 (never handed out) included; at least 2 */
    uint32_t object_count; /* object rows; a VMO takes two, one made by a pager three; at least 8 */
    uint32_t handle_count; /* handle rows; at least 8, at most PGR_HANDLES_MAX */
    uint32_t thread_count; /* threads; at least 1. Threads are numbered from 0: thread 0 exists */
    uint32_t packet_count; /* packet rows: one a queued user packet, an async wait, a VMO made by a pager; at least 1 */
    uint32_t run_count;    /* runs of equal neighbouring pages that all VMOs together may have; at least 8 */
    uint32_t reserved;     /* 0 */
} pgr_config;

/* The configuration of the world that a trace starts in: 65,536 frames of 4096 bytes, 16,384 VMOs, 256 threads. */
void pgr_config_default(pgr_config *config);

/* ------------------------------------------------------------------------------------------------------------------
 * Worlds
 * --------------------------------------------------------------------------------------------------------------- */

typedef struct pgr_world pgr_world;

#define PGR_WORLD_ALIGNMENT 64u /* bytes; of the world block. The frames need no alignment. */

/*
 * Bytes of the world block, and of the frames block, for this configuration; 0 if the configuration makes no sense.
 */
uint64_t pgr_world_bytes(const pgr_config *config);
uint64_t pgr_frames_bytes(const pgr_config *config);

/*
 * Makes a fresh world in `block`, which has `block_bytes` bytes: one process with an address space, a BTI, a root
 * resource, an event, and handles to them (pgr_start_handles). No frame is touched, now or until it is handed out.
 * ZX_ERR_INVALID_ARGS: a null pointer, a nonsensical configuration, a misaligned block. ZX_ERR_BUFFER_TOO_SMALL:
 * fewer than pgr_world_bytes(config) bytes. On failure nothing is written.
 */
zx_status_t pgr_init(void *block, uint64_t block_bytes, const pgr_config *config, pgr_world **world);

/* Makes the world fresh again. Costs what was used since it was last fresh, not what it could hold. */
void pgr_reset(pgr_world *world);

typedef struct pgr_start {
    zx_handle_t vmar; /* the root VMAR */
    zx_handle_t bti;
    zx_handle_t resource; /* may create physical VMOs anywhere */
    zx_handle_t event;
} pgr_start;

/* The handles that a fresh world starts with. They may have been closed since. */
void pgr_start_handles(const pgr_world *world, pgr_start *start);

/*
 * Saving and loading. An image is the used part of a world behind a header with magic, version, configuration and
 * checksum. The frames are the caller's to keep: the first pgr_frames_used_bytes() of them.
 *
 * pgr_image_bytes: bytes that pgr_save will write.
 * pgr_save: ZX_ERR_BUFFER_TOO_SMALL if `image_bytes` is less.
 * pgr_load: makes in `block` the world that was saved. ZX_ERR_INVALID_ARGS: null or misaligned pointers (an image
 * needs no alignment). ZX_ERR_BUFFER_TOO_SMALL: the block. ZX_ERR_IO_DATA_INTEGRITY: the image is foreign, of
 * another version, cut or damaged. On failure nothing is written.
 */
uint64_t pgr_image_bytes(const pgr_world *world);
uint64_t pgr_frames_used_bytes(const pgr_world *world);
zx_status_t pgr_save(const pgr_world *world, void *image, uint64_t image_bytes);
zx_status_t pgr_load(void *block, uint64_t block_bytes, const void *image, uint64_t image_bytes, pgr_world **world);

/* The configuration that an image needs, to size the blocks by; errors as pgr_load. */
zx_status_t pgr_image_config(const void *image, uint64_t image_bytes, pgr_config *config);

/* ------------------------------------------------------------------------------------------------------------------
 * Calls
 * --------------------------------------------------------------------------------------------------------------- */

/* PGR_CALL_VMO_READ and so on: a number for each row of the table of calls. */
#define PGR_ROW(kind, number, name, function, ...) PGR_CALL_##number,
enum pgr_call_number {
    PGR_CALL_NONE, /* no call */
#include "call_rows.h"
    PGR_CALL_COUNT
};

#define PGR_ARGS_MAX 8u

/*
 * One system call. Arguments stand at their place in the documented prototype, with the sizes and counts of output
 * buffers left out (the rows below say what stands where). Scalars are in arg[]; u32 arguments use the low half and
 * ignore the high. Places of outputs and of buffers are not read, with one exception: at most one argument of a
 * call is a buffer or structure in the caller's memory, and that is `buffer`.
 */
typedef struct pgr_call {
    uint32_t number; /* PGR_CALL_... */
    uint32_t thread; /* who calls, below thread_count */
    uint64_t arg[PGR_ARGS_MAX];
    void *buffer;          /* written only by calls whose buffer is an output */
    uint64_t buffer_bytes; /* of `buffer`; less than a transfer needs is a bad user pointer (ZX_ERR_NOT_FOUND) */
    uint64_t at; /* zx_vmo_read, zx_vmo_write: not 0: the buffer is the caller's memory at this address instead */
} pgr_call;

/* pgr_result.outcome */
enum pgr_outcome {
    PGR_DONE,    /* the call returned `status`. Outputs are valid if it is ZX_OK */
    PGR_BLOCKED, /* the call waits; status is 0 */
    PGR_FAULT,   /* the access ended in a fatal page fault: `fault`; the thread is gone */
    /*
     * No call at all, and nothing changed. `status` says why: ZX_ERR_BAD_SYSCALL, an unknown number;
     * ZX_ERR_INVALID_ARGS, no such thread; ZX_ERR_BAD_STATE, a resume of a thread that is not released, or a system
     * call of one that is blocked or released.
     */
    PGR_REFUSED,
};

/* One access of PGR_CALL_MEM_PREPARE. */
typedef struct pgr_access {
    uint64_t address;
    uint32_t bytes;
    uint32_t write; /* 1: a store */
} pgr_access;

typedef struct pgr_result {
    uint32_t outcome; /* PGR_DONE ... */
    zx_status_t status;
    uint32_t call;  /* the number of the call that this is the result of: for a resume, of the resumed call */
    uint32_t count; /* elements or bytes written to the buffer, where that varies */
    uint64_t out[PGR_ARGS_MAX]; /* out handles and numbers, each at its argument's place */
    union {
        zx_port_packet_t packet;
        zx_info_handle_basic_t handle_basic;
        zx_info_handle_count_t handle_count;
        zx_info_vmo_t vmo;
        zx_info_vmar_t vmar;
        zx_info_bti_t bti;
        zx_pager_vmo_stats_t stats;
        zx_vmo_lock_state_t lock_state;
        struct {
            uint64_t address;
            zx_status_t code;
            uint32_t padding1;
        } fault;
    };
} pgr_result;

/*
 * Performs one call. `frames` is the frames block; it may lie somewhere else each time. The result is written whole.
 */
void pgr_dispatch(pgr_world *world, void *frames, const pgr_call *call, pgr_result *result);

/* The thread to resume next if resumes follow the order of release; PGR_NO_THREAD if none is released. */
#define PGR_NO_THREAD UINT32_MAX
uint32_t pgr_first_released(const pgr_world *world);

/* --- the table of calls: what the dispatcher, the traces, the fuzzers and the documentation know of a call --- */

enum pgr_arg_kind {
    PGR_ARG_NONE,         /* behind the last argument */
    PGR_ARG_HANDLE,       /* u32; `detail`: the type of object the call wants, ZX_OBJ_TYPE_NONE for any */
    PGR_ARG_HANDLES,      /* buffer: an array of zx_handle_t, buffer_bytes / 4 of them */
    PGR_ARG_HANDLE_OUT,   /* result.out; `detail`: the type of object */
    PGR_ARG_U32,          /* `detail`: an enum pgr_domain */
    PGR_ARG_U64,          /* `detail`: an enum pgr_domain */
    PGR_ARG_OFFSET,       /* u64, bytes into a VMO or VMAR */
    PGR_ARG_SIZE,         /* u64, bytes */
    PGR_ARG_ADDRESS,      /* u64, of the address space */
    PGR_ARG_ADDRESS_OUT,  /* result.out */
    PGR_ARG_U64_OUT,      /* result.out */
    PGR_ARG_U32_OUT,      /* result.out */
    PGR_ARG_BYTES_IN,     /* buffer; `detail`: the place of the argument that has its length in bytes */
    PGR_ARG_BYTES_OUT,    /* buffer; the same */
    PGR_ARG_PROPERTY_IN,  /* buffer: a property's value, by arg[1]: u64, or bytes of a name */
    PGR_ARG_PROPERTY_OUT, /* buffer: the same; a name is ZX_MAX_NAME_LEN bytes */
    PGR_ARG_PACKET_IN,    /* buffer: a zx_port_packet_t */
    PGR_ARG_PACKET_OUT,   /* result.packet */
    PGR_ARG_INFO_OUT,     /* result.handle_basic ..., by the topic in arg[1] */
    PGR_ARG_STATS_OUT,    /* result.stats */
    PGR_ARG_LOCK_OUT,     /* result.lock_state; only of ZX_VMO_OP_LOCK */
    PGR_ARG_RANGES_OUT,   /* buffer: zx_vmo_dirty_range_t, result.count of them */
    PGR_ARG_THREAD,       /* u32, a thread's number */
    PGR_ARG_ACCESSES,     /* buffer: an array of pgr_access */
};

/* What a scalar argument means: which constants it is written with, which values are worth trying. */
enum pgr_domain {
    PGR_DOMAIN_NUMBER,
    PGR_DOMAIN_RIGHTS,
    PGR_DOMAIN_TOPIC,
    PGR_DOMAIN_PROPERTY,
    PGR_DOMAIN_SIGNALS,
    PGR_DOMAIN_DEADLINE,
    PGR_DOMAIN_KEY,
    PGR_DOMAIN_ZERO_OPTIONS, /* the call takes none */
    PGR_DOMAIN_PORT_OPTIONS,
    PGR_DOMAIN_WAIT_ASYNC_OPTIONS,
    PGR_DOMAIN_VMO_OPTIONS,
    PGR_DOMAIN_PAGER_VMO_OPTIONS,
    PGR_DOMAIN_CHILD_OPTIONS,
    PGR_DOMAIN_VMO_OP,
    PGR_DOMAIN_PAGER_OP,
    PGR_DOMAIN_PAGER_OP_DATA, /* a status for FAIL, ZX_VMO_DIRTY_RANGE_IS_ZERO for WRITEBACK_BEGIN */
    PGR_DOMAIN_STATS_OPTIONS,
    PGR_DOMAIN_CACHE_POLICY,
    PGR_DOMAIN_VM_OPTIONS,
    PGR_DOMAIN_VMAR_OP,
    PGR_DOMAIN_PIN_OPTIONS,
    PGR_DOMAIN_ALIGNMENT_LOG2,
    PGR_DOMAIN_PHYSICAL_ADDRESS,
    PGR_DOMAIN_COUNT
};

typedef struct pgr_arg {
    const char *name;
    uint8_t kind;   /* enum pgr_arg_kind */
    uint8_t detail; /* depends on the kind */
} pgr_arg;

typedef struct pgr_call_info {
    const char *name; /* as a trace writes it: zx_pager_supply_pages, mem_read ... */
    pgr_arg args[PGR_ARGS_MAX];
    uint8_t arg_count;
    uint8_t may_block;
    uint8_t faults;  /* 1: an access: what another call returns as an error ends in an exception */
    uint8_t worldly; /* 1: not done by the thread itself, which may be blocked or released */
} pgr_call_info;

/* The row of a call; null for a number that is none. PGR_CALL_RESUME and PGR_CALL_PROCESS_EXIT have rows, too. */
const pgr_call_info *pgr_call_row(uint32_t number);

/* ------------------------------------------------------------------------------------------------------------------
 * Inspection: what a world holds, for checkers, printers and embedders. Reads only. Rows are numbered; those of a
 * table run from 1 (threads: 0) to its count - 1, and a function returns 0 for a row that is not in use or does not
 * exist.
 * --------------------------------------------------------------------------------------------------------------- */

/*
 * States of a page. A page without a run is PGR_PAGE_NONE: absent in a VMO made by a pager, otherwise what the
 * parent shows, or zero. Those with frames stand together, from PGR_PAGE_ANONYMOUS to PGR_PAGE_AWAITING_CLEAN.
 */
enum pgr_page_state {
    PGR_PAGE_NONE,
    PGR_PAGE_ANONYMOUS,      /* has a frame; the VMO has no pager of its own */
    PGR_PAGE_CLEAN,          /* has a frame, as the pager supplied it */
    PGR_PAGE_DIRTY,          /* has a frame, written since */
    PGR_PAGE_AWAITING_CLEAN, /* has a frame, being written back */
    PGR_PAGE_MARKER,         /* known to be zero, clean: no frame */
    PGR_PAGE_INTERVAL,       /* zeros made by the kernel, dirty: no frame */
    PGR_PAGE_STATE_COUNT
};

/* What can happen to a page of a VMO that has a pager. */
enum pgr_page_event {
    PGR_EVENT_READ,
    PGR_EVENT_SUPPLY,      /* a page that the aux VMO has */
    PGR_EVENT_SUPPLY_ZERO, /* one that it does not have */
    PGR_EVENT_COMMIT,
    PGR_EVENT_WRITE,
    PGR_EVENT_DIRTY, /* ZX_PAGER_OP_DIRTY */
    PGR_EVENT_BEGIN, /* ZX_PAGER_OP_WRITEBACK_BEGIN */
    PGR_EVENT_END,   /* ZX_PAGER_OP_WRITEBACK_END */
    PGR_EVENT_ZERO,  /* as a whole */
    PGR_EVENT_ZERO_PINNED,
    PGR_EVENT_EVICT,
    PGR_EVENT_DETACH,
    PGR_EVENT_COUNT
};

/* The state (enum pgr_page_state) in which that event leaves a page that was in this state. */
uint32_t pgr_page_after(uint32_t event, uint32_t state);

typedef struct pgr_inspect_counts {
    pgr_config config;
    uint32_t frames_free; /* of frame_count - 1 */
    uint32_t objects_used;
    uint32_t handles_used;
    uint32_t packets_used;
    uint32_t requests_used;
    uint32_t threads_blocked;
    uint32_t threads_released;
    uint32_t nodes_used;  /* nodes of the maps */
    uint32_t nodes_count; /* that exist */
    uint32_t nodes_kept;  /* that are kept for the unpinning of what is pinned */
    uint32_t fail_alloc;  /* allocations until one fails; 0: disarmed */
} pgr_inspect_counts;

void pgr_inspect_world(const pgr_world *world, pgr_inspect_counts *counts);

/* Objects. Besides those that handles name there are two kinds that nobody can name. */
enum pgr_object_kind {
    PGR_OBJECT_NONE,
    PGR_OBJECT_VMO,
    PGR_OBJECT_PAGES,  /* the pages behind one VMO or several (Zircon: VmCowPages) */
    PGR_OBJECT_SOURCE, /* what ties pages to pager and port (Zircon: PageSource) */
    PGR_OBJECT_PORT,
    PGR_OBJECT_PAGER,
    PGR_OBJECT_EVENT,
    PGR_OBJECT_BTI,
    PGR_OBJECT_PMT,
    PGR_OBJECT_RESOURCE,
    PGR_OBJECT_VMAR,
    PGR_OBJECT_MAPPING,
    PGR_OBJECT_KIND_COUNT
};

/* pgr_object_view.flags of PGR_OBJECT_PAGES */
#define PGR_PAGES_RESIZABLE (1u << 0)
#define PGR_PAGES_CONTIGUOUS (1u << 1)
#define PGR_PAGES_PHYSICAL (1u << 2)
#define PGR_PAGES_DISCARDABLE (1u << 3)
#define PGR_PAGES_TRAP_DIRTY (1u << 4)
/* ... of PGR_OBJECT_VMO */
#define PGR_VMO_SLICE (1u << 0)
#define PGR_VMO_FROM_PAGER (1u << 1) /* made by zx_pager_create_vmo itself */
#define PGR_VMO_CLONE (1u << 2)
#define PGR_VMO_IMMUTABLE (1u << 3)
#define PGR_VMO_REFERENCE (1u << 4)
/* ... of PGR_OBJECT_SOURCE */
#define PGR_SOURCE_DETACHED (1u << 0) /* by zx_pager_detach_vmo */
#define PGR_SOURCE_CLOSED (1u << 1)   /* the pager is gone */
#define PGR_SOURCE_COMPLETE_SENT (1u << 2)
/* ... of PGR_OBJECT_PMT */
#define PGR_PMT_QUARANTINED (1u << 0)
#define PGR_PMT_UNFINISHED (1u << 1) /* its zx_bti_pin is still waiting */
/* ... of PGR_OBJECT_VMAR */
#define PGR_VMAR_DESTROYED (1u << 0)

typedef struct pgr_object_view {
    uint32_t kind; /* enum pgr_object_kind */
    uint32_t flags;
    uint64_t koid; /* 0: of pages and sources */
    uint32_t handle_count;
    uint32_t reference_count; /* references that are not handles */
    uint32_t signals;
    uint32_t padding1;
    union {
        struct {
            uint32_t pages;  /* object row */
            uint32_t parent; /* VMO row, 0: none */
            uint32_t child_count;
            uint32_t cache_policy;
            uint32_t mapping_count;
            uint32_t padding1;
            uint64_t offset_pages; /* of a slice's window */
            uint64_t size_pages;   /* as zx_vmo_get_size has it */
            uint64_t content_size_bytes;
        } vmo;
        struct {
            uint64_t size_pages;
            uint64_t frames_held; /* by its runs */
            uint64_t pins;        /* sum of the pin counts of its pages */
            uint32_t source;      /* object row, 0: not made by a pager */
            uint32_t family;      /* next of the ring of copy-on-write relatives; itself if alone */
            uint32_t vmo_count;   /* VMOs over these pages */
            uint32_t map_root;    /* 0: no runs */
            uint32_t parent;      /* pages (object row) that are seen where these have none, 0: nothing is */
            uint32_t discarded;   /* 1: discardable, and was discarded */
            uint64_t parent_offset_pages;
            uint64_t parent_limit_pages; /* behind this page nothing of the parent is seen */
        } pages;
        struct {
            uint32_t pager; /* object row, 0: gone */
            uint32_t port;  /* object row */
            uint32_t pages; /* object row, 0: gone */
            uint32_t packet;
            uint64_t key;
            uint64_t pager_koid;
        } source;
        struct {
            uint32_t user_packets;
            uint32_t first_packet; /* packet row */
        } port;
        struct {
            uint32_t bti;
            uint32_t vmo;   /* object row */
            uint32_t pages; /* object row */
            uint32_t padding1;
            uint64_t offset_pages;
            uint64_t count_pages; /* pinned so far */
        } pmt;
        struct {
            uint32_t parent; /* object row, 0: the root VMAR */
            uint32_t flags;  /* ZX_VM_CAN_MAP_... */
            uint64_t base;   /* address */
            uint64_t size_bytes;
        } vmar;
        struct {
            uint32_t vmar;         /* object row */
            uint32_t vmo;          /* object row */
            uint32_t perms;        /* ZX_VM_PERM_... */
            uint32_t perms_max;    /* that zx_vmar_protect can give */
            uint64_t offset_pages; /* in the VMO */
        } mapping;
    };
} pgr_object_view;

int pgr_inspect_object(const pgr_world *world, uint32_t row, pgr_object_view *view);

/* A handle by its table row (1 .. handle_count - 1), and the row of a handle's value (0: not a live handle). */
typedef struct pgr_handle_view {
    zx_handle_t value;
    uint32_t object;
    zx_rights_t rights;
    uint32_t kind; /* enum pgr_object_kind */
} pgr_handle_view;

int pgr_inspect_handle(const pgr_world *world, uint32_t row, pgr_handle_view *view);
uint32_t pgr_inspect_handle_row(const pgr_world *world, zx_handle_t value);

/* The object behind a VMO handle's value: VMO row and pages row; returns 0 if it is no live VMO handle. */
int pgr_inspect_vmo(const pgr_world *world, zx_handle_t value, uint32_t *vmo_row, uint32_t *pages_row);

/* Marks that hints leave on pages with frames. */
enum pgr_hint { PGR_HINT_NONE, PGR_HINT_DONT_NEED, PGR_HINT_ALWAYS_NEED };

/* Runs: the first run of these pages (an object row) that ends behind `page`. */
typedef struct pgr_run_view {
    uint64_t page;     /* first page number */
    uint64_t count;    /* pages */
    uint32_t state;    /* enum pgr_page_state */
    uint32_t frame;    /* of the first page, the others follow it; 0: none */
    uint32_t pins;     /* pin count of each of the pages */
    uint32_t hint;     /* enum pgr_hint */
    uint64_t awaiting; /* intervals: so many pages from the first on are being written back; may reach beyond */
} pgr_run_view;

int pgr_inspect_run(const pgr_world *world, uint32_t pages_row, uint64_t page, pgr_run_view *view);

/*
 * Regions: the first region of this VMAR (an object row) that ends behind `address`: a mapping, or a VMAR inside of
 * it.
 */
typedef struct pgr_region_view {
    uint64_t address;
    uint64_t size_bytes;
    uint32_t row; /* object row: PGR_OBJECT_MAPPING or PGR_OBJECT_VMAR */
    uint32_t padding1;
} pgr_region_view;

int pgr_inspect_region(const pgr_world *world, uint32_t vmar_row, uint64_t address, pgr_region_view *view);

/* Frames: the stretch of frames with one record that begins at or before `frame` and ends behind it. */
typedef struct pgr_frames_view {
    uint32_t frame; /* first */
    uint32_t count;
    uint32_t holders; /* 0: free */
    uint32_t padding1;
} pgr_frames_view;

int pgr_inspect_frames(const pgr_world *world, uint32_t frame, pgr_frames_view *view);

enum pgr_thread_state { PGR_THREAD_IDLE, PGR_THREAD_BLOCKED, PGR_THREAD_RELEASED };
enum pgr_wait_kind { PGR_WAIT_NONE, PGR_WAIT_REQUEST, PGR_WAIT_PORT, PGR_WAIT_SIGNALS };

typedef struct pgr_thread_view {
    uint32_t state;          /* enum pgr_thread_state */
    uint32_t wait;           /* enum pgr_wait_kind: what it is blocked on */
    uint32_t call;           /* PGR_CALL_... it is in */
    uint32_t request;        /* request row it waits for (PGR_WAIT_REQUEST) */
    uint32_t object;         /* object row it waits on (port, signals) */
    uint32_t next_released;  /* thread behind it in the queue of released threads, PGR_NO_THREAD: last */
    uint64_t progress_bytes; /* of a transfer, commit, pin: what is done */
    /* Object rows that the waiting call keeps alive, 0: none. */
    uint32_t held_vmo;
    uint32_t held_buffer_vmo; /* behind a buffer in mapped memory */
    uint32_t held_waited;     /* the port, or the object whose signals it waits for */
    uint32_t held_vmar;
    uint32_t held_pmt; /* of an unfinished pin */
    uint32_t padding1;
} pgr_thread_view;

/* A view of every existing thread number, idle ones included; 0 if there is no such number. */
int pgr_inspect_thread(const pgr_world *world, uint32_t thread, pgr_thread_view *view);

/* Where a live request is. */
enum pgr_request_place { PGR_REQUEST_QUEUED, PGR_REQUEST_IN_PORT, PGR_REQUEST_RECEIVED, PGR_REQUEST_SWALLOWED };

typedef struct pgr_request_view {
    uint32_t source;       /* object row */
    uint32_t command;      /* ZX_PAGER_VMO_READ, ZX_PAGER_VMO_DIRTY */
    uint32_t place;        /* enum pgr_request_place */
    uint32_t owner;        /* thread */
    uint32_t waiter_count; /* the owner among them */
    uint32_t padding1;
    uint64_t page;    /* first page */
    uint64_t count;   /* pages */
    uint64_t pending; /* pages */
} pgr_request_view;

int pgr_inspect_request(const pgr_world *world, uint32_t row, pgr_request_view *view);

/* Packets: rows in use; `queued` says whether it stands in its port's queue. */
typedef struct pgr_packet_view {
    uint32_t port;   /* object row, 0: none yet */
    uint32_t source; /* object row of a page request's source, or 0 */
    uint32_t object; /* object row watched by an async wait, or 0 */
    uint32_t queued;
    uint32_t next;           /* packet row behind it in the port */
    uint32_t request;        /* request row that it carries, or 0 */
    zx_port_packet_t packet; /* meaningful while queued */
} pgr_packet_view;

int pgr_inspect_packet(const pgr_world *world, uint32_t row, pgr_packet_view *view);

/*
 * A hash of everything that is in use (rows, runs, the bytes of the pages), and of nothing else: no counter (koids,
 * handle generations, armed faults), no free list, no unused row, and no arrangement of the maps inside.
 */
uint64_t pgr_canonical_hash(const pgr_world *world, const void *frames);

#ifdef __cplusplus
}
#endif

#endif /* PGR_H */
