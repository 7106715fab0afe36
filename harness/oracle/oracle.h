/*
 * The oracle: a second implementation of everything that the dispatcher does, written from the specification alone.
 * Comments name the page of docs/semantics/ where a rule is stated, or that of docs/ (trace-format.md, limits.md,
 * dirty-tracking.md). "Row 3" is the third check of a call: they are asked in the order of the page's table, which may
 * take several together.
 *
 * Everything is as naive as it can be: objects are structures of their own that point at each other, tables are lists
 * that grow and are searched from their beginning, a page is a record with a pointer to its bytes.
 *
 * Memory: malloc, generously; running out of it for real ends the program. What the specification lets run out is
 * counted by oracle_alloc_fails() and oracle_frames_reserve() alone.
 *
 * Units: what is called page, first or count is in pages; offset, length, size and address are in bytes.
 */
#ifndef HARNESS_ORACLE_ORACLE_H
#define HARNESS_ORACLE_ORACLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/pgr.h"

/* What functions that may wait return besides a zx_status_t, when the thread waits now. Never leaves the oracle. */
#define ORACLE_WAIT 1

struct oracle;
struct oracle_thread;

/* --- lists (list.c): items in order; searched from the beginning --- */

struct oracle_list {
    void **items;
    size_t count;
    size_t room;
};

void oracle_list_add(struct oracle_list *list, void *item); /* at the end */
void oracle_list_insert(struct oracle_list *list, size_t place, void *item);
void oracle_list_remove(struct oracle_list *list, const void *item); /* nothing if it is not there */
bool oracle_list_has(const struct oracle_list *list, const void *item);
void oracle_list_free(struct oracle_list *list); /* the list, not the items */

/* calloc that never returns null. */
void *oracle_zalloc(size_t bytes);

/* --- objects --- */

/* Every object begins with this. `kind` is an enum pgr_object_kind. */
struct oracle_object {
    uint32_t kind;
    uint32_t handle_count;
    uint64_t koid; /* 0: pages and sources have none */
    uint32_t signals;
    char name[ZX_MAX_NAME_LEN]; /* of VMOs and BTIs */
};

struct oracle_handle {
    zx_handle_t value;
    zx_rights_t rights;
    struct oracle_object *object;
};

/* A frame: the bytes of one page. Shared by copy-on-write relatives (children.md): `holders` pages point at it. */
struct oracle_frame {
    uint32_t number; /* 1 .. frame_count - 1: its place in physical memory */
    uint32_t holders;
    uint8_t *bytes;
};

/*
 * What a VMO holds at a place: one page with a frame, or a stretch of pages without one (markers, an interval).
 * `state` is an enum pgr_page_state: ANONYMOUS, CLEAN, DIRTY and AWAITING_CLEAN have a frame and a count of 1; MARKER
 * and INTERVAL have none. Pages that are PGR_PAGE_NONE have no record.
 */
struct oracle_page {
    uint64_t first;
    uint64_t count;
    uint32_t state;
    uint32_t pins;
    uint32_t hint;     /* enum pgr_hint */
    uint64_t awaiting; /* of an interval: so many pages from `first` on; may reach beyond its end */
    struct oracle_frame *frame;
};

/* The pages behind one VMO object or several (references and slices share them). Kind PGR_OBJECT_PAGES. */
struct oracle_pages {
    struct oracle_object object;
    struct oracle_page *page; /* ascending, disjoint */
    size_t page_count;
    size_t page_room;
    uint64_t size;         /* pages */
    uint64_t content_size; /* bytes; see oracle_vmo.own_content_size */
    bool resizable, contiguous, physical, discardable, trap_dirty;
    bool modified;    /* pager.md */
    uint64_t locks;   /* of a discardable VMO */
    bool reclaimable; /* discardable, and unlocked by UNLOCK (vmo-operations.md) */
    bool discarded;
    uint64_t change_events; /* pages evicted or discarded */
    uint32_t cache_policy;
    struct oracle_source *source; /* made by a pager: what ties it to pager and port; else null */
    struct oracle_pages *parent;  /* seen through where these have nothing (children.md); else null */
    uint64_t parent_first;        /* page 0 of these is that page of the parent */
    uint64_t parent_limit;        /* pages below this one see the parent */
    uint64_t root_first;          /* page 0 of these lay there in the first of its ancestors: it has to fit */
    uint64_t family;              /* snapshot relatives have the same number; 0: never snapshotted */
    struct oracle_list vmos;      /* struct oracle_vmo: the living VMO objects over these pages, oldest first */
};

struct oracle_vmo {
    struct oracle_object object;
    struct oracle_pages *pages;
    struct oracle_vmo *parent; /* VMO object of which this is a child now, or null */
    bool slice, clone, immutable, reference;
    bool from_pager;      /* made by zx_pager_create_vmo itself, not a child */
    uint64_t slice_first; /* of a slice: the window into the pages */
    uint64_t slice_count;
    bool own_content_size; /* slices (and references of slices) have one of their own, here; others have their pages' */
    uint64_t content_size;
};

/* A page request (page-requests.md). In one place: its source's queue, its source's packet, or neither any more. */
struct oracle_request {
    struct oracle_source *source;
    uint32_t command; /* ZX_PAGER_VMO_READ or ZX_PAGER_VMO_DIRTY */
    uint64_t first;
    uint64_t count;
    uint64_t pending; /* pages */
    bool strict;      /* class (page-requests.md) */
    struct oracle_thread *owner;
    struct oracle_list joined; /* struct oracle_thread, in order of arrival; the owner is not among them */
};

/* A packet that stands in a port, or may come to stand in one. */
struct oracle_packet {
    zx_port_packet_t packet;
    struct oracle_port *port;       /* in whose queue it stands; null: in none */
    struct oracle_source *source;   /* of a page request or COMPLETE, else null */
    struct oracle_request *request; /* of a page request */
    zx_handle_t watched;            /* of a signal packet: the handle value that the async wait was made through */
};

struct oracle_source {
    struct oracle_object object; /* kind PGR_OBJECT_SOURCE, no koid */
    struct oracle_pager *pager;  /* null: gone */
    uint64_t pager_koid;         /* for the belongs-to check */
    struct oracle_port *port;
    uint64_t key;
    bool detached, closed, complete_sent;
    struct oracle_pages *pages;   /* null: they died */
    struct oracle_list requests;  /* outstanding, in no order that matters */
    struct oracle_list queue;     /* struct oracle_request: not yet in the port, in order of creation */
    struct oracle_packet *packet; /* the packet that stands in the port (or was swallowed by a closed one), or null */
};

struct oracle_pager {
    struct oracle_object object;
};

struct oracle_port {
    struct oracle_object object;
    struct oracle_list packets; /* struct oracle_packet: the queue */
    bool closed;                /* its last handle is gone: it takes no packets (ports.md) */
};

/* An async wait (ports.md) that has not fired. */
struct oracle_async_wait {
    zx_handle_t handle; /* the handle value that it was made through */
    struct oracle_object *object;
    struct oracle_port *port;
    uint64_t key;
    zx_signals_t signals;
    uint32_t options;
};

struct oracle_event {
    struct oracle_object object;
};

struct oracle_resource {
    struct oracle_object object;
};

struct oracle_bti {
    struct oracle_object object;
};

/* Pinned pages. In the making while its zx_bti_pin has not returned: then it has no handle. */
struct oracle_pmt {
    struct oracle_object object;
    struct oracle_bti *bti;
    struct oracle_vmo *vmo;
    uint64_t first;   /* in vmo->pages (a slice's window added) */
    uint64_t count;   /* asked for */
    uint64_t pinned;  /* so many from `first` on are pinned by this */
    uint64_t dirtied; /* ... and so many, of a pin for writing, have been made dirty */
    bool write;
    uint64_t quarantined; /* 0: not in quarantine; else its turn to leave it */
    bool unpinned;        /* by zx_pmt_unpin, which closes its handle next */
};

struct oracle_vmar {
    struct oracle_object object;
    struct oracle_vmar *parent; /* null: the root, or cut off by destruction */
    uint32_t flags;             /* ZX_VM_CAN_MAP_... */
    uint64_t base;              /* address */
    uint64_t size;
    bool destroyed;
};

/* All mappings are in oracle.mappings; which VMAR contains one stands in it. */
struct oracle_mapping {
    struct oracle_object object; /* kind PGR_OBJECT_MAPPING, no koid, no handle */
    struct oracle_vmar *vmar;
    struct oracle_vmo *vmo;
    uint64_t address;
    uint64_t size;
    uint64_t vmo_offset;
    uint32_t perms;     /* ZX_VM_PERM_... now */
    uint32_t perms_max; /* that zx_vmar_protect can give */
};

/* --- threads --- */

#define ORACLE_HELD_MAX 4

/*
 * A blocked call is its pgr_call, what it holds and how far it came; it goes on by looking at the world afresh from
 * there. All of this is zeroed when a call begins.
 */
struct oracle_thread {
    uint32_t number;
    uint32_t state; /* enum pgr_thread_state */
    pgr_call call;  /* the call that it is in; `buffer` is valid only while one of the oracle's functions runs */

    uint32_t wait;                   /* enum pgr_wait_kind; what it is blocked on */
    struct oracle_request *request;  /* PGR_WAIT_REQUEST */
    bool strict;                     /* class of the request that it wants (page-requests.md) */
    struct oracle_object *waited_on; /* PGR_WAIT_PORT, PGR_WAIT_SIGNALS */
    zx_signals_t signals;            /* PGR_WAIT_SIGNALS: any of them */
    zx_handle_t handle;              /* PGR_WAIT_SIGNALS: through this handle */

    zx_status_t
        woken_with;        /* how the wait ended. ZX_OK in a call that begins; the call resets it when it has seen it */
    zx_signals_t observed; /* for a released zx_object_wait_one */
    zx_port_packet_t packet; /* for a released zx_port_wait */

    struct oracle_object *held[ORACLE_HELD_MAX]; /* objects that the call keeps alive (null: free place) */
    struct oracle_vmo
        *fault_vmo;         /* behind an address whose page it waits for: kept alive, too; see oracle_vmo_page() */
    struct oracle_vmo *vmo; /* the VMOs that the call works on, handles already looked up; held */
    struct oracle_vmo *vmo2;
    struct oracle_vmar *vmar;
    struct oracle_pmt *pmt;   /* of an unfinished pin */
    struct oracle_pages *bag; /* of zx_vmo_transfer_data: pages that were taken and not yet put; nobody else's */
    uint64_t offset;          /* the range that is left, or the original one, as the call likes it */
    uint64_t length;
    uint64_t vmo_offset; /* zx_vmar_op_range: the part of `vmo` that it is at, in bytes */
    uint64_t vmo_length;
    uint64_t progress;    /* bytes, pages or accesses done, as the call likes it */
    uint32_t phase;       /* of a call with several steps, as the call likes it */
    uint64_t op_progress; /* the same two for an operation on a VMO inside of a call: oracle_op_begin() zeroes them */
    uint32_t op_phase;
    uint64_t op_trim;       /* of a commit or a hint: the page at which its range ends at most */
    uint64_t op_end;        /* of oracle_set_content_size(): where the zeroing ends; 0: not begun */
    uint64_t fault_address; /* an access (MEM_...) that returns an error says where: lowest byte of it in the page */
};

/* --- the world --- */

struct oracle {
    pgr_config config;
    uint64_t page_bytes;
    struct oracle_list objects;     /* struct oracle_object of every kind but mappings, in order of creation */
    struct oracle_list mappings;    /* struct oracle_mapping, by ascending address */
    struct oracle_list handles;     /* struct oracle_handle, in order of creation */
    struct oracle_list async_waits; /* struct oracle_async_wait, in order of creation */
    struct oracle_list released;    /* struct oracle_thread, in order of release */
    struct oracle_list waiting;    /* struct oracle_thread that are blocked, in the order in which they began to wait */
    struct oracle_thread *threads; /* config.thread_count of them */
    struct oracle_frame **frames;  /* config.frame_count of them; null: free */
    uint32_t frames_free;
    uint32_t frame_hint; /* no frame below this one is free */
    uint64_t fail_alloc; /* allocations until one fails; 0: disarmed */
    uint64_t next_koid;
    uint64_t next_family;
    uint64_t quarantines; /* PMTs that have been put into one, ever */
    uint32_t next_handle;
    struct oracle_vmar *root_vmar; /* lives as long as the world */
    pgr_start start;
    uint8_t *zeros;   /* one page of zeros, never written */
    uint8_t *scratch; /* one page for stores that are forgotten */
};

/* --- world.c, dispatch.c, threads.c, frames.c, life.c: the world --- */

/*
 * One call of the dispatcher's table. `begin` makes the checks and the first step, and `go_on` every later step, when
 * the released thread is resumed. Each returns the status of the call, or ORACLE_WAIT. Outputs go to result->out, its
 * union, result->count and the buffer.
 */
typedef zx_status_t oracle_call(struct oracle *o, struct oracle_thread *t, const pgr_call *call, pgr_result *result);

/* Counts one allocation of an object; true: this is the one that fails (trace-format.md, fail_alloc). */
bool oracle_alloc_fails(struct oracle *o);

/*
 * Makes an object of `bytes` bytes, zeroed, with a koid, and adds it to oracle.objects (a mapping: not). Does not
 * count an allocation: that is done by a call of oracle_alloc_fails() at its place in the order of checks.
 * PGR_OBJECT_MAPPING, PGR_OBJECT_PAGES and PGR_OBJECT_SOURCE get no koid.
 */
void *oracle_object_make(struct oracle *o, uint32_t kind, size_t bytes);

/*
 * Call after something stopped referring to this object (objects.md): it dies if nothing refers to it
 * any more: no handle, mapping, pin, thread, child or registration. Null is allowed.
 */
void oracle_unreferenced(struct oracle *o, struct oracle_object *object);

/* A call keeps this object alive until it ends (or lets go of it). */
void oracle_hold(struct oracle_thread *t, void *object);
void oracle_let_go(struct oracle *o, struct oracle_thread *t, void *object);

/* The thread is blocked from now on: sets state and wait, adds it to oracle.waiting. Returns ORACLE_WAIT. */
zx_status_t oracle_block(struct oracle *o, struct oracle_thread *t, uint32_t wait);

/* How the wait ended that the call was in (ZX_OK if there was none), and forgets it. */
zx_status_t oracle_woken(struct oracle_thread *t);

/* What the thread waited for has come: appends it to the queue of released threads, with this status. */
void oracle_release(struct oracle *o, struct oracle_thread *t, zx_status_t woken_with);

/* --- vmo.c, content.c, op.c, size.c, pin.c: what the other files need of VMOs --- */

/* Size as zx_vmo_get_size has it, in bytes (slice: its window; a physical VMO has one, too). */
uint64_t oracle_vmo_size(struct oracle *o, const struct oracle_vmo *vmo);
uint64_t oracle_vmo_content_size(const struct oracle_vmo *vmo);
bool oracle_vmo_resizable(const struct oracle_vmo *vmo);
bool oracle_vmo_discardable(const struct oracle_vmo *vmo);
bool oracle_vmo_contiguous(const struct oracle_vmo *vmo); /* slices of one included */
bool oracle_vmo_physical(const struct oracle_vmo *vmo);

/* ZX_INFO_VMO (objects.md), all of it. */
void oracle_vmo_info(struct oracle *o, const struct oracle_vmo *vmo, zx_rights_t rights, zx_info_vmo_t *info);

/*
 * One page of a VMO for a mapped access, or for a buffer in mapped memory (faults.md, rows 4 to 9): `page` is counted
 * in the VMO (a slice's window is added here). ZX_OK: *bytes is the page, valid until anything else is called; a page
 * for writing is the VMO's own and dirty. Otherwise the error, or ORACLE_WAIT: the thread is blocked on a request of
 * one page, and the caller returns ORACLE_WAIT. Whoever stores into the page calls oracle_vmo_modified() then.
 */
zx_status_t oracle_vmo_page(struct oracle *o, struct oracle_thread *t, struct oracle_vmo *vmo, uint64_t page,
                            bool write, uint8_t **bytes);
void oracle_vmo_modified(struct oracle_vmo *vmo);

/* Before an oracle_vmo_op..., oracle_set_content_size or oracle_pin is called for the first time within a call. */
void oracle_op_begin(struct oracle_thread *t);

/*
 * vmo-operations.md, behind the rights: the operation (ZX_VMO_OP_...) on [offset, offset + length) of the VMO, in bytes.
 * ORACLE_WAIT: the thread is blocked; call it again with the same arguments when it goes on.
 */
zx_status_t oracle_vmo_op(struct oracle *o, struct oracle_thread *t, struct oracle_vmo *vmo, uint32_t op,
                          uint64_t offset, uint64_t length);

/* ZX_PROP_VMO_CONTENT_SIZE (vmo.md). ZX_OK, or ORACLE_WAIT: call it again. */
zx_status_t oracle_set_content_size(struct oracle *o, struct oracle_thread *t, struct oracle_vmo *vmo, uint64_t size);

/*
 * The work of zx_bti_pin on the pages, pins.md, rows 8 to 11 (range in the VMO, discarded, commit, pin counts), and
 * dirtying for pins that write; begins with pmt->pinned == 0. ZX_OK: all pages are pinned. ORACLE_WAIT: call it again.
 * An error: the caller undoes it with oracle_unpin() and drops the PMT. `first` of the PMT is set by the caller.
 */
zx_status_t oracle_pin(struct oracle *o, struct oracle_thread *t, struct oracle_pmt *pmt);

/*
 * Why a pin of these pages gets nowhere, before anything is made for it: ZX_ERR_BAD_STATE, its first page needs a
 * pager that is not there any more; ZX_ERR_NO_MEMORY, there are not so many frames. ZX_OK: it may begin.
 */
zx_status_t oracle_pin_refused(struct oracle *o, struct oracle_pages *pages, uint64_t first, uint64_t count);

/* Unpins the pmt->pinned pages that it has pinned, and forgets them. */
void oracle_unpin(struct oracle *o, struct oracle_pmt *pmt);

/* The packet of this source was received from its port, or dropped by it: the next request's packet follows. */
void oracle_source_next(struct oracle *o, struct oracle_source *source);

/* The pager's last handle was closed (pager.md). */
void oracle_pager_closed(struct oracle *o, struct oracle_pager *pager);

/* --- handles.c --- */

/* The handle with this value, or null (objects.md). */
struct oracle_handle *oracle_handle_find(struct oracle *o, zx_handle_t value);

/*
 * README.md, H: the object behind a handle of this kind (PGR_OBJECT_NONE: any) that has all of these rights.
 * ZX_ERR_BAD_HANDLE, ZX_ERR_WRONG_TYPE, ZX_ERR_ACCESS_DENIED. `*object` is a pointer to the structure of the kind.
 */
zx_status_t oracle_handle_get(struct oracle *o, zx_handle_t value, uint32_t kind, zx_rights_t rights, void *object);

/* The rights of a live handle. */
zx_rights_t oracle_handle_rights(struct oracle *o, zx_handle_t value);

/* A new handle to the object; counts no allocation. Never fails: calls that make handles ask oracle_handles_full(). */
zx_handle_t oracle_handle_make(struct oracle *o, void *object, zx_rights_t rights);
bool oracle_handles_full(struct oracle *o);

/* Closes one handle: cancels waits through it, does what the last handle's closing does, and lets the object die. */
void oracle_handle_close(struct oracle *o, struct oracle_handle *handle);

/* --- signals.c, ports.c --- */

/* Changes signals of an object, and serves zx_object_wait_one and async waits that were waiting for one of them. */
void oracle_signal(struct oracle *o, struct oracle_object *object, zx_signals_t clear, zx_signals_t set);

/* This handle goes: the waits that were made through it are cancelled (objects.md). */
void oracle_waits_cancel(struct oracle *o, zx_handle_t handle, const struct oracle_object *object);

/*
 * Appends the packet to the port's queue, or hands it to the thread that has waited on the port longest (which is then
 * released; for a packet with a source oracle_source_next() is called at once). False: the port is closed and
 * swallowed it (oracle_source_next() is called at once, too). The packet structure belongs to the port from now on, and
 * is freed by it when received, dropped or swallowed, always before oracle_source_next(): so set source->packet before
 * calling this, and take it from there no more behind it.
 */
bool oracle_port_queue(struct oracle *o, struct oracle_port *port, struct oracle_packet *packet);

/* Takes a packet that was not received out of its port again, and frees it. Does not call oracle_source_next(). */
void oracle_port_withdraw(struct oracle *o, struct oracle_packet *packet);

/* The port's last handle is gone (ports.md). */
void oracle_port_close(struct oracle *o, struct oracle_port *port);

/* The port dies: frees what is left in its queue. Its structure is freed by life.c. */
void oracle_port_end(struct oracle *o, struct oracle_port *port);

/* --- vmar.c, access.c, bti.c --- */

/*
 * at(ADDR) buffers (faults.md): the byte at this address of the address space. ZX_OK: *byte points at it, and *room
 * says how many bytes from there on lie in the same page; for writing, the page has been made writable (the caller
 * calls oracle_vmo_modified(*vmo) when it has stored). ORACLE_WAIT or an error status otherwise.
 */
zx_status_t oracle_user_byte(struct oracle *o, struct oracle_thread *t, uint64_t address, bool write, uint8_t **byte,
                             uint64_t *room, struct oracle_vmo **vmo);

/* Makes the root VMAR of a new world (README.md, "Decisions"). */
struct oracle_vmar *oracle_root_vmar_make(struct oracle *o);

/* Unmaps everything and ends all VMARs but the root (PGR_CALL_PROCESS_EXIT). */
void oracle_space_end(struct oracle *o);

/* The PMT's last handle is gone: quarantine (pins.md). */
void oracle_pmt_closed(struct oracle *o, struct oracle_pmt *pmt);

/* A BTI dies: its quarantined PMTs go (README.md, "Decisions"). Called by life.c before the structure is freed. */
void oracle_bti_end(struct oracle *o, struct oracle_bti *bti);

/*
 * An unfinished pin is given up (error, or its thread was killed): unpins, removes the PMT, lets its VMO and BTI die.
 */
void oracle_pmt_abandon(struct oracle *o, struct oracle_pmt *pmt);

/* --- the calls. The second function of a pair is its go_on --- */

/* handles.c, objects.c (info, properties, waits), ports.c */
oracle_call oracle_zx_handle_close, oracle_zx_handle_close_many, oracle_zx_handle_duplicate, oracle_zx_handle_replace;
oracle_call oracle_zx_object_get_info, oracle_zx_object_get_property;
oracle_call oracle_zx_object_set_property, oracle_go_object_set_property;
oracle_call oracle_zx_object_wait_one, oracle_go_object_wait_one;
oracle_call oracle_zx_object_wait_async, oracle_zx_object_signal, oracle_zx_event_create;
oracle_call oracle_zx_port_create, oracle_zx_port_queue, oracle_zx_port_cancel;
oracle_call oracle_zx_port_wait, oracle_go_port_wait;
oracle_call oracle_zx_vmo_replace_as_executable;

/* vmar.c ..., access.c, bti.c */
oracle_call oracle_zx_vmar_map, oracle_zx_vmar_unmap, oracle_zx_vmar_protect, oracle_zx_vmar_allocate;
oracle_call oracle_zx_vmar_destroy;
oracle_call oracle_zx_vmar_op_range, oracle_go_vmar_op_range;
oracle_call oracle_zx_bti_pin, oracle_go_bti_pin;
oracle_call oracle_zx_pmt_unpin, oracle_zx_bti_release_quarantine;
oracle_call oracle_mem_read, oracle_mem_write,
    oracle_mem_prepare; /* begin and go_on are the same: `progress` is 0 at first */

/* pager.c, pager_ops.c, pager_query.c */
oracle_call oracle_zx_pager_create, oracle_zx_pager_create_vmo, oracle_zx_pager_detach_vmo;
oracle_call oracle_zx_pager_supply_pages, oracle_zx_pager_op_range;
oracle_call oracle_zx_pager_query_dirty_ranges, oracle_zx_pager_query_vmo_stats;

/* vmo.c, children.c, transfer.c ... */
oracle_call oracle_zx_vmo_create, oracle_zx_vmo_create_contiguous, oracle_zx_vmo_create_physical;
oracle_call oracle_zx_vmo_create_child;
oracle_call oracle_zx_vmo_read, oracle_go_vmo_read, oracle_zx_vmo_write, oracle_go_vmo_write;
oracle_call oracle_zx_vmo_transfer_data, oracle_go_vmo_transfer_data;
oracle_call oracle_zx_vmo_get_size, oracle_zx_vmo_get_stream_size;
oracle_call oracle_zx_vmo_set_size, oracle_go_vmo_set_size;
oracle_call oracle_zx_vmo_set_stream_size, oracle_go_vmo_set_stream_size;
oracle_call oracle_zx_vmo_set_cache_policy;
oracle_call oracle_zx_vmo_op_range, oracle_go_vmo_op_range;

/* reclaim.c */
oracle_call oracle_reclaim;

#endif
