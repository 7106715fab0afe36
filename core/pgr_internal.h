/*
 * Everything that the files of the core share: the rows of a world's tables, and the functions by which each part
 * uses the others.
 *
 * The parts, from the bottom up. A part calls only parts above it in this list:
 *
 *   world     the block of memory: tables of rows, taken and given back
 *   tree      B+ trees of runs
 *   map       ordered maps: cut runs, put them, join them
 *   frames    who holds which frames
 *   objects   rows with handles and references; what dies waits in a list until the end of the dispatch
 *   threads   what a thread in a call remembers; the queue of released threads
 *   ports     packets and who waits for them
 *   requests  page requests: raised, joined, resolved, failed, cancelled
 *   pages     what the pages behind VMOs do: prepare for use, copy, zero, evict, share with snapshots
 *   calls     a file for each family of system calls, and the table of them all with the dispatcher
 */
#ifndef PGR_INTERNAL_H
#define PGR_INTERNAL_H

#include "pgr.h"

/* The four functions of libc that the core uses. A compiler that knows them has better ones for small sizes. */
#define memcpy(to, from, bytes) __builtin_memcpy(to, from, bytes)
#define memmove(to, from, bytes) __builtin_memmove(to, from, bytes)
#define memset(to, byte, bytes) __builtin_memset(to, byte, bytes)
#define memcmp(a, b, bytes) __builtin_memcmp(a, b, bytes)

static inline uint64_t min_u64(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}
static inline uint64_t max_u64(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

/* Does [offset, offset + length) lie in [0, size)? An empty range at the end does. */
static inline int in_range(uint64_t offset, uint64_t length, uint64_t size)
{
    return offset <= size && length <= size - offset;
}

/* ------------------------------------------------------------------------------------------------------------------
 * world
 * --------------------------------------------------------------------------------------------------------------- */

enum table_id { TABLE_NODES, TABLE_OBJECTS, TABLE_HANDLES, TABLE_THREADS, TABLE_PACKETS, TABLE_REQUESTS, TABLE_COUNT };

/*
 * A table of rows. Rows below `touched` have been used at some time and are defined, whatever they hold; those
 * above have never been written. A row that is given back is zeroed but for its first four bytes, the link of the
 * free list, which is last in, first out.
 */
struct table {
    uint64_t offset; /* bytes from the start of the world */
    uint32_t row_bytes;
    uint32_t row_count; /* row 0 included, which is never handed out */
    uint32_t touched;   /* rows */
    uint32_t first_free;
    uint32_t in_use;
    uint32_t reserved;
};

/* A list of threads, linked through thread.next and thread.prev. Rows. */
struct thread_list {
    uint32_t first;
    uint32_t last;
};

/* From page numbers to runs, or from frame numbers to stretches of frames. */
struct tree {
    uint32_t root; /* node; 0: empty */
    uint32_t node_count;
    uint32_t run_count;
    uint32_t wide; /* 1: inner nodes know the longest run below each child, for tree_seek_wide */
};

struct pgr_world {
    uint64_t magic;
    uint32_t version;
    uint32_t header_bytes;
    pgr_config config;
    struct table tables[TABLE_COUNT];
    struct tree free_frames;   /* stretches that nobody holds */
    struct tree shared_frames; /* stretches with more than one holder; what is in neither has one */
    uint64_t frames_free;
    uint64_t next_koid;
    uint64_t fail_alloc;      /* allocations until one fails, 0: none will */
    uint32_t frame_nodes_max; /* nodes that the two trees of frames can ever need */
    uint32_t unpins_promised; /* unpins to come, each of which may have to cut runs */
    uint32_t first_dead;      /* objects that died in this dispatch */
    uint32_t last_dead;
    uint32_t first_evictable; /* pages of VMOs made by pagers, in order of creation */
    uint32_t last_evictable;
    uint32_t root_vmar;       /* objects of the process */
    uint32_t handles_retired; /* rows whose generations are used up */
    struct thread_list released;
    pgr_start start;
};

/* May a world of this configuration live in this block? ZX_ERR_INVALID_ARGS: misaligned, ZX_ERR_BUFFER_TOO_SMALL. */
zx_status_t block_check(const void *block, uint64_t block_bytes, const pgr_config *config);
/* Is this the header of a world of this version, with the tables that its configuration asks for? */
int world_header_valid(const pgr_world *w);

/* A hash of bytes, continuing another. Every byte counts, and where it stands. */
uint64_t hash_bytes(const void *bytes, uint64_t count, uint64_t sum);

/* The row is free for use and zeroed; there must be one (see reserve). */
uint32_t row_take(pgr_world *w, enum table_id id);
void row_give(pgr_world *w, enum table_id id, uint32_t row);
/* Rows that can still be taken. */
uint32_t rows_left(const pgr_world *w, enum table_id id);

static inline void *row_at(const pgr_world *w, enum table_id id, uint32_t row)
{
    const struct table *table = &w->tables[id];

    PGR_ASSERT(row != 0 && row < table->touched);
    return (char *)(uintptr_t)w + table->offset + (uint64_t)row * table->row_bytes;
}

static inline uint64_t page_bytes(const pgr_world *w)
{
    return (uint64_t)1 << w->config.page_shift;
}
static inline int page_aligned(const pgr_world *w, uint64_t bytes)
{
    return (bytes & (page_bytes(w) - 1)) == 0;
}
static inline uint64_t to_page(const pgr_world *w, uint64_t bytes)
{
    return bytes >> w->config.page_shift;
}
static inline uint64_t to_bytes(const pgr_world *w, uint64_t pages)
{
    return pages << w->config.page_shift;
}

/* Bytes rounded up to pages; there is one number for every count of bytes, since it is not multiplied back. */
static inline uint64_t to_pages_up(const pgr_world *w, uint64_t bytes)
{
    return to_page(w, bytes) + (page_aligned(w, bytes) ? 0 : 1);
}

/* The largest VMO in pages: 2^64 - 1 bytes rounded down to a multiple of 32 pages. */
static inline uint64_t vmo_pages_max(const pgr_world *w)
{
    return to_page(w, UINT64_MAX) & ~(uint64_t)31;
}

/* ------------------------------------------------------------------------------------------------------------------
 * tree
 * --------------------------------------------------------------------------------------------------------------- */

/*
 * A run: neighbouring pages in the same state, with neighbouring frames if they have any. In the trees of frames,
 * `page` is a frame number and `frame` the number of holders.
 */
struct run {
    uint64_t page;
    uint64_t count;
    uint32_t frame; /* of the first page; 0 for states without frames */
    uint8_t state;  /* enum pgr_page_state */
    uint8_t pins;   /* pin count of every page */
    uint8_t hint;   /* ALWAYS_NEED, DONT_NEED */
    uint8_t reserved;
    uint64_t awaiting; /* intervals: so many pages from the first on are being written back; may reach beyond the end */
};
_Static_assert(sizeof(struct run) == 32, "two runs share a cache line");

static inline uint64_t run_end(const struct run *run)
{
    return run->page + run->count;
}

#define NODE_RUNS 15u                         /* runs of a leaf */
#define NODE_CHILDREN 41u                     /* children of an inner node */
#define NODE_WIDE (NODE_CHILDREN / 2)         /* of one of a wide tree, which has two numbers for each */
#define NODES_PER_UNPIN (2u * TREE_DEPTH_MAX) /* unpinning cuts at two places; each cut may split a path */
#define TREE_DEPTH_MAX 8u /* levels; nodes are at least half full on average, so this is beyond 2^24 runs */

struct node {
    uint32_t free_link;
    uint16_t level; /* 0: a leaf */
    uint16_t count; /* runs or children in use */
    uint64_t reserved;
    union {
        struct run runs[NODE_RUNS];
        struct {
            /*
             * Between child i - 1 and child i; keys[0] is not above any begin below it. In a wide tree the second
             * half holds the pages of the longest run below each child (tree.c: node_widths).
             */
            uint64_t keys[NODE_CHILDREN];
            uint32_t children[NODE_CHILDREN];
        } inner;
    };
};
_Static_assert(sizeof(struct node) <= 512, "eight cache lines");

/*
 * A place in a tree: on a run, or behind the last. Stays valid while only tree_* functions with this cursor change
 * the tree. depth 0: nowhere yet.
 */
struct cursor {
    struct tree *tree;
    uint64_t low; /* the leaf is the one for the pages from low to high */
    uint64_t high;
    uint32_t depth; /* levels; level 0 is the leaf */
    uint32_t node[TREE_DEPTH_MAX];
    uint32_t slot[TREE_DEPTH_MAX];
};

static inline struct node *node_at(const pgr_world *w, uint32_t node)
{
    return row_at(w, TABLE_NODES, node);
}
static inline struct cursor cursor_on(const struct tree *tree)
{
    return (struct cursor){.tree = (struct tree *)(uintptr_t)tree, .depth = 0};
}

/*
 * Moves to the first run that ends behind `page` and returns it; null if there is none (the cursor then stands at
 * the end).
 */
struct run *tree_seek(const pgr_world *w, struct cursor *at, uint64_t page);
/* The run behind the one under the cursor, and moves there; null at the end. */
struct run *tree_next(const pgr_world *w, struct cursor *at);
/* In a wide tree: from the cursor on (from the first run on if it is nowhere yet), the first run of at least `count`
 * pages, or null. */
struct run *tree_seek_wide(const pgr_world *w, struct cursor *at, uint64_t count);
/* The run before the cursor, without moving; null if there is none. */
struct run *tree_before(const pgr_world *w, const struct cursor *at);
/* The last run of the tree, or null. */
const struct run *tree_last(const pgr_world *w, const struct tree *tree);
/* Inserts before the cursor, which then stands on the new run. */
void tree_insert(pgr_world *w, struct cursor *at, const struct run *run);
/* Removes the run under the cursor, which then stands where it was (nowhere, if nodes had to be joined). */
void tree_erase(pgr_world *w, struct cursor *at);
/*
 * The run before the cursor grows by so many pages. Where they end the run under the cursor has not begun, or is
 * about to be erased.
 */
void tree_grow_before(const pgr_world *w, struct cursor *at, struct run *before, uint64_t count);
/* The run under the cursor has another end now. */
void tree_set_end(const pgr_world *w, struct cursor *at, uint64_t end);
/* The begin of the run under the cursor becomes `page`, its end stays. */
void tree_set_begin(pgr_world *w, struct cursor *at, uint64_t page);
/* Gives all nodes back. */
void tree_clear(pgr_world *w, struct tree *tree);
/* Nodes that inserting `added` runs among `touched` old ones can need at most. */
uint32_t tree_growth(uint64_t added, uint64_t touched);

/* ------------------------------------------------------------------------------------------------------------------
 * map
 * --------------------------------------------------------------------------------------------------------------- */

/* What the first pages of a range hold, and for how many pages that goes on. state PGR_PAGE_NONE: no run. */
struct piece {
    uint64_t page;
    uint64_t count;
    uint32_t frame;
    uint8_t state;
    uint8_t pins;
    uint8_t hint;
    uint8_t reserved;
};

static inline struct run run_of_piece(const struct piece *piece)
{
    return (struct run){
        .page = piece->page,
        .count = piece->count,
        .frame = piece->frame,
        .state = piece->state,
        .pins = piece->pins,
        .hint = piece->hint,
    };
}

static inline uint64_t piece_end(const struct piece *piece)
{
    return piece->page + piece->count;
}

/* Runs in the trees of frames are in this state; their `frame` is the number of holders. */
#define STATE_STRETCH PGR_PAGE_STATE_COUNT
/* Regions of a VMAR are in one of these; their `frame` is the object's row. */
#define STATE_MAPPING (PGR_PAGE_STATE_COUNT + 1)
#define STATE_VMAR (PGR_PAGE_STATE_COUNT + 2)

static inline int state_has_frame(uint8_t state)
{
    return state >= PGR_PAGE_ANONYMOUS && state <= PGR_PAGE_AWAITING_CLEAN;
}

/* The piece at `page`, cut off at `end`. */
struct piece map_piece(const pgr_world *w, struct cursor *at, uint64_t page, uint64_t end);
/* Takes [page, page + count) out of the one run in which it lies; what is left of the run stays. */
void map_cut(pgr_world *w, struct cursor *at, uint64_t page, uint64_t count);
/* Puts a run where there is none; it is joined with the runs before and behind that it continues. */
void map_put(pgr_world *w, struct cursor *at, const struct run *run);

/* ------------------------------------------------------------------------------------------------------------------
 * frames
 * --------------------------------------------------------------------------------------------------------------- */

static inline void *frame_bytes(const pgr_world *w, void *frames, uint32_t frame)
{
    return (char *)frames + ((uint64_t)frame << w->config.page_shift);
}

/* Neighbouring frames. */
struct stretch {
    uint32_t frame;
    uint32_t count;
};

/*
 * Hands out the lowest free frames, zeroed: one stretch of at least one and at most `count` frames. There must be
 * one.
 */
struct stretch frames_take(pgr_world *w, void *frames, uint64_t count);
/*
 * Looks for the lowest `count` free neighbours that begin at a multiple of 1 << align frames; frame 0 if there are
 * none.
 */
uint32_t frames_find(const pgr_world *w, uint64_t count, uint32_t align);
/* Hands out these free frames, zeroed. */
void frames_take_at(pgr_world *w, void *frames, struct stretch stretch);
/* One more holder. */
void frames_share(pgr_world *w, struct stretch stretch);
/* One holder fewer; frames without one are free. */
void frames_release(pgr_world *w, struct stretch stretch);
/* Of how many frames from `frame` on, `count` at most, the first's answer holds: does somebody else hold it, too? */
uint32_t frames_shared(const pgr_world *w, struct stretch stretch, int *shared);
/* At most how many stretches frames_take will hand out for `count` frames. */
uint64_t frames_stretches(const pgr_world *w, uint64_t count);

/* ------------------------------------------------------------------------------------------------------------------
 * objects
 * --------------------------------------------------------------------------------------------------------------- */

/* A VMO as programs see it: a name, a window and a place among children. What it holds is behind `pages`. */
struct vmo {
    uint32_t pages;
    uint32_t parent;
    uint32_t first_child;
    uint32_t next_sibling;
    uint32_t prev_sibling;
    uint32_t child_count;
    uint32_t mapping_count;
    uint32_t reserved;
    uint64_t offset_pages;       /* slices: where the window begins in the pages */
    uint64_t size_pages;         /* slices: of the window */
    uint64_t content_size_bytes; /* slices; the others have that of their pages */
    uint32_t next_reference;     /* of the same pages */
    uint32_t prev_reference;
    char name[ZX_MAX_NAME_LEN];
};

/*
 * What VMOs hold. Snapshots share frames, and know each other as a ring; everything else about copy on write is in
 * the frames.
 */
struct pages {
    struct tree map;
    uint64_t size_pages;
    uint64_t frames_held;
    uint64_t pins; /* sum of the pin counts of all pages */
    uint64_t content_size_bytes;
    uint64_t root_offset_pages; /* where a snapshot begins in the VMO at the root of all its ancestors */
    uint64_t evictions;
    uint32_t source;      /* 0: not made by a pager */
    uint32_t vmo_count;   /* VMOs over these pages */
    uint32_t family_next; /* ring of copy-on-write relatives */
    uint32_t family_prev;
    uint32_t parent;      /* pages that are seen where these have none; 0: nothing is */
    uint32_t first_child; /* pages that see these */
    uint32_t next_sibling;
    uint32_t prev_sibling;
    uint32_t locks;       /* of discardable pages */
    uint8_t discard;      /* enum discard */
    uint8_t cache_policy; /* ZX_CACHE_POLICY_... */
    uint8_t modified;     /* for zx_pager_query_vmo_stats */
    uint8_t reserved;
    uint32_t first_reference; /* VMOs that are references, the oldest first */
    uint32_t last_reference;
    uint64_t parent_offset_pages;
    uint64_t parent_limit_pages; /* behind this page nothing of the parent is seen; never grows */
    uint32_t next_evictable;
    uint32_t prev_evictable;
};

/* May discardable pages be discarded? Not while locked, and not before they were locked once. */
enum discard { DISCARD_NOT, DISCARD_ALLOWED, DISCARD_DONE };

/* The kinds of requests index a source's sets; their values are those of the packets' commands. */
#define REQUEST_KINDS 3u

/* Ties pages to the pager that fills them and the port that hears of it. */
struct source {
    uint32_t pager; /* 0: closed */
    uint32_t port;
    uint32_t pages; /* 0: gone */
    uint32_t packet;
    uint64_t key;
    uint64_t pager_koid;              /* for ever, also when the pager is gone */
    uint32_t requests[REQUEST_KINDS]; /* first of each kind, ascending */
    uint32_t first_queued;            /* requests that wait for the packet to be free */
    uint32_t last_queued;
    uint32_t in_port; /* the request that the packet carries in the port, 0: none */
    uint32_t next_of_pager;
    uint32_t prev_of_pager;
};

struct port {
    uint32_t first_packet;
    uint32_t last_packet;
    uint32_t first_watch; /* async waits that have not fired */
    uint32_t user_packets;
    struct thread_list waiters;
};

struct pager {
    uint32_t first_source;
    uint32_t last_source;
};

struct bti {
    uint32_t first_quarantined; /* PMTs, in the order in which they came */
    uint32_t last_quarantined;
    uint32_t quarantine_count;
    uint32_t pmt_count; /* quarantined and unfinished ones left out */
    char name[ZX_MAX_NAME_LEN];
};

struct pmt {
    uint32_t bti;
    uint32_t vmo;
    uint32_t pages;
    uint32_t next_quarantined;
    uint64_t offset_pages; /* in the pages, not in a slice's window */
    uint64_t count_pages;  /* pinned so far */
};

struct vmar {
    uint64_t page; /* page numbers of addresses */
    uint64_t count;
    struct tree regions; /* runs whose `frame` is the row of a mapping, or of a VMAR inside */
    struct tree holes;   /* what is not a region */
    uint32_t parent;
    uint32_t flags; /* ZX_VM_CAN_MAP_... */
};

struct mapping {
    uint32_t vmar;
    uint32_t vmo;
    uint32_t perms;     /* ZX_VM_PERM_... */
    uint32_t perms_max; /* that both handles had when it was made, and the VMAR allows */
    uint64_t offset_pages;
};

struct object {
    _Alignas(64) uint32_t link; /* free list, list of the dead */
    uint8_t kind;               /* enum pgr_object_kind */
    uint8_t flags;
    uint8_t dying; /* in the list of the dead */
    uint8_t reserved;
    uint32_t handle_count;
    uint32_t reference_count;
    uint64_t koid;
    zx_signals_t signals;
    uint32_t first_watch; /* packets of async waits */
    uint32_t last_watch;
    uint32_t reserved1;
    struct thread_list waiters; /* threads in zx_object_wait_one */
    union {
        struct vmo vmo;
        struct pages pages;
        struct source source;
        struct port port;
        struct pager pager;
        struct bti bti;
        struct pmt pmt;
        struct vmar vmar;
        struct mapping mapping;
    };
};

static inline struct object *object_at(const pgr_world *w, uint32_t row)
{
    return row_at(w, TABLE_OBJECTS, row);
}
static inline struct vmo *vmo_at(const pgr_world *w, uint32_t row)
{
    return &object_at(w, row)->vmo;
}
static inline struct pages *pages_at(const pgr_world *w, uint32_t row)
{
    return &object_at(w, row)->pages;
}
static inline struct source *source_at(const pgr_world *w, uint32_t row)
{
    return &object_at(w, row)->source;
}
static inline struct port *port_at(const pgr_world *w, uint32_t row)
{
    return &object_at(w, row)->port;
}

/* A new object, without handles and references. Only those that programs can name have a koid. */
uint32_t object_make(pgr_world *w, enum pgr_object_kind kind);
void object_reference(pgr_world *w, uint32_t row);
/* One reference fewer. An object without handles and references is listed to be buried at the end of the dispatch. */
void object_release(pgr_world *w, uint32_t row);
/* Lists the object if it has neither. */
void object_check_alive(pgr_world *w, uint32_t row);
/* Moves one object from the list of the dead; 0 if it is empty. */
uint32_t object_next_dead(pgr_world *w);
void object_free(pgr_world *w, uint32_t row);

/* ------------------------------------------------------------------------------------------------------------------
 * handles
 * --------------------------------------------------------------------------------------------------------------- */

#define HANDLE_SLOT_BITS 18u
#define HANDLE_GENERATIONS (1u << (32u - 2u - HANDLE_SLOT_BITS))

struct handle {
    uint32_t link;
    uint32_t object; /* 0: free */
    zx_rights_t rights;
    uint32_t generation; /* of the value; a row whose generations are used up is not handed out again */
};

static inline struct handle *handle_at(const pgr_world *w, uint32_t row)
{
    return row_at(w, TABLE_HANDLES, row);
}

/* The handle's row, 0 if the value is not that of a live handle. */
uint32_t handle_find(const pgr_world *w, uint64_t value);
/*
 * The three questions asked of every handle argument, in this order: is it a live handle (ZX_ERR_BAD_HANDLE), of an
 * object of this kind (ZX_ERR_WRONG_TYPE; PGR_OBJECT_NONE: any), with these rights (ZX_ERR_ACCESS_DENIED)? Answers
 * with the object's row.
 */
zx_status_t handle_get(const pgr_world *w, uint64_t value, enum pgr_object_kind kind, zx_rights_t rights,
                       uint32_t *object);
/* A new handle to the object, with these rights. */
zx_handle_t handle_make(pgr_world *w, uint32_t object, zx_rights_t rights);
/* A new handle with the default rights of the object's type, and `more`. */
zx_handle_t handle_make_default(pgr_world *w, uint32_t object, zx_rights_t more);
/* Handles that can still be made. */
uint32_t handles_left(const pgr_world *w);
void handle_close(pgr_world *w, uint32_t row);

/* ------------------------------------------------------------------------------------------------------------------
 * threads
 * --------------------------------------------------------------------------------------------------------------- */

/*
 * What a call that takes several steps knows between them. Everything else it asks the world anew. Kept in the
 * thread while it waits.
 */
struct op {
    uint32_t vmo;        /* objects that the call keeps alive while it waits; 0: none */
    uint32_t waited_on;  /* the port, or the object whose signals are waited for */
    uint32_t pmt;        /* an unfinished pin's */
    uint32_t second_vmo; /* behind the caller's buffer, while that is waited for; where a transfer goes */
    uint32_t taken;      /* pages: what a transfer has taken and not put yet */
    uint32_t vmar;
    uint32_t options;
    uint32_t vmar_rights;
    uint64_t at; /* zx_vmo_read, zx_vmo_write: address of the caller's buffer; zx_vmar_op_range: of what comes next */
    uint64_t at_end; /* zx_vmar_op_range */
    uint64_t size;   /* zx_vmo_set_stream_size: the new one; zx_vmo_transfer_data: offset of the destination */
    uint64_t begin;  /* bytes of the VMO that the call is about */
    uint64_t end;
    uint64_t position; /* everything from begin to here is done */
    uint64_t dirtied;  /* zx_bti_pin: everything from begin to here is dirty */
    uint8_t waited;    /* the call has waited before, and holds references */
    uint8_t strict;    /* a READ request that it owns fails whole, whichever part of it fails */
    uint8_t stage;
    uint8_t forgiving; /* what fails from here on is not told */
    uint8_t entered;   /* zx_vmar_op_range: at work on a mapping */
    uint8_t reserved[3];
};

struct thread {
    uint32_t next; /* in the list that it waits in, or of released threads */
    uint32_t prev;
    uint8_t state; /* enum pgr_thread_state */
    uint8_t wait;  /* enum pgr_wait_kind, what it is or was blocked on */
    uint16_t call;
    zx_status_t wake_status; /* how the wait ended */
    uint32_t request;
    uint32_t object;
    zx_handle_t handle;   /* zx_object_wait_one: cancelled when this closes */
    zx_signals_t signals; /* ... waited for, then observed */
    struct op op;
    zx_port_packet_t packet; /* zx_port_wait: what came */
};

/* Rows of threads are their numbers plus one. */
static inline struct thread *thread_at(const pgr_world *w, uint32_t row)
{
    return row_at(w, TABLE_THREADS, row);
}

/* Makes the row of this thread defined. */
void thread_touch(pgr_world *w, uint32_t row);
void thread_list_append(pgr_world *w, struct thread_list *list, uint32_t row);
void thread_list_remove(pgr_world *w, struct thread_list *list, uint32_t row);
/* The wait of a thread, which is in no list any more, has ended: it joins the queue of released threads. */
void thread_release(pgr_world *w, uint32_t row, zx_status_t status);

/* ------------------------------------------------------------------------------------------------------------------
 * ports
 * --------------------------------------------------------------------------------------------------------------- */

enum packet_kind { PACKET_USER = 1, PACKET_SIGNAL, PACKET_SOURCE };

struct packet {
    uint32_t next; /* in the port's queue */
    uint32_t prev;
    uint8_t kind; /* enum packet_kind */
    uint8_t queued;
    uint16_t reserved;
    uint32_t port;
    uint32_t source; /* PACKET_SOURCE */
    /* PACKET_SIGNAL */
    uint32_t object;    /* watched, until it fires */
    zx_handle_t handle; /* through which the wait was made */
    zx_signals_t trigger;
    uint32_t next_of_object;
    uint32_t prev_of_object;
    uint32_t next_of_port;
    uint32_t prev_of_port;
    zx_port_packet_t body;
};

static inline struct packet *packet_at(const pgr_world *w, uint32_t row)
{
    return row_at(w, TABLE_PACKETS, row);
}

enum post { POST_QUEUED, POST_RECEIVED, POST_SWALLOWED };

/*
 * Gives a filled packet to its port: a waiting thread receives it, or it joins the queue; a closed port swallows
 * it.
 */
enum post port_post(pgr_world *w, uint32_t packet);
/* Takes a packet out of its port's queue, unread. */
void port_withdraw(pgr_world *w, uint32_t packet);
/* An async wait begins, ends, comes true. A packet that fired is queued, or gone. */
void watch_add(pgr_world *w, uint32_t packet);
void watch_remove(pgr_world *w, uint32_t packet);
void watch_fire(pgr_world *w, uint32_t packet, zx_signals_t observed);
/* Changes an object's signals: wakes who waits for one of them, fires async waits. */
void object_signal(pgr_world *w, uint32_t object, zx_signals_t clear, zx_signals_t set);
/* A handle closes: waits made through it end. */
void signals_cancel_handle(pgr_world *w, uint32_t object, zx_handle_t value);

/* ------------------------------------------------------------------------------------------------------------------
 * requests
 * --------------------------------------------------------------------------------------------------------------- */

struct request {
    uint32_t next; /* of the kind in its source, ascending */
    uint32_t prev;
    uint32_t next_queued;
    uint32_t prev_queued;
    uint32_t source;
    uint32_t owner; /* thread row */
    uint16_t kind;  /* ZX_PAGER_VMO_READ, ZX_PAGER_VMO_DIRTY */
    uint8_t place;  /* enum pgr_request_place */
    uint8_t reserved;
    uint32_t reserved1;
    uint64_t page;
    uint64_t count;
    uint64_t pending; /* pages still to be resolved; how many, not which */
    struct thread_list joined;
};

static inline struct request *request_at(const pgr_world *w, uint32_t row)
{
    return row_at(w, TABLE_REQUESTS, row);
}

/* A request as a call wants it, before it is known whether it is joined, cut or new. */
struct want {
    uint32_t source;
    uint16_t kind;
    uint64_t page;
    uint64_t count;
};

/* Has the source nobody any more who would answer? */
static inline int source_deaf(const pgr_world *w, uint32_t source)
{
    return (object_at(w, source)->flags & (PGR_SOURCE_DETACHED | PGR_SOURCE_CLOSED)) != 0;
}

/* The thread wants these pages: it joins a request, or makes one, and blocks. */
void request_raise(pgr_world *w, uint32_t thread, const struct want *want);
/* Pages [begin, end) are there (or gone): requests of this kind get nearer to completion. */
void requests_resolve(pgr_world *w, uint32_t source, uint16_t kind, uint64_t begin, uint64_t end);
/* Requests that intersect [begin, end) end with this status, as ZX_PAGER_OP_FAIL has it. */
void requests_fail(pgr_world *w, uint32_t source, uint64_t begin, uint64_t end, zx_status_t status);
/* All end with ZX_OK; their threads will see what became of the source. */
void requests_end(pgr_world *w, uint32_t source);
/* The thread gives up its wait. */
void request_abandon(pgr_world *w, uint32_t thread);
/* Sends the next request's packet if the source's packet is free. */
void source_send(pgr_world *w, uint32_t source);
/* The source's packet has left the port's queue: it was received, or the port closed. */
void source_sent(pgr_world *w, uint32_t source, enum pgr_request_place place);
/* Sends ZX_PAGER_VMO_COMPLETE, once. No request is left. */
void source_complete(pgr_world *w, uint32_t source);
/* The pager is gone: nothing of the source is heard any more. */
void source_close(pgr_world *w, uint32_t source);

/* ------------------------------------------------------------------------------------------------------------------
 * needs and plans: check, reserve, commit
 * --------------------------------------------------------------------------------------------------------------- */

/* What a step will take. Filled in by its check; the commit then takes no more. */
struct need {
    uint32_t object_rows;
    uint32_t handles;
    uint32_t packets;
    uint32_t nodes;
    uint64_t frames;
    uint64_t counted; /* allocations, besides the frames, that fail_alloc() counts */
};

/* One page of an access through the address space, and what it takes. */
struct access {
    uint64_t address;
    uint64_t bytes; /* in this page */
    int write;
    uint32_t vmo;
    uint32_t pages;  /* 0: physical memory, which is always there */
    uint64_t offset; /* bytes of the pages */
};

/* What the check of a step found out for its commit. */
struct plan {
    const pgr_call *call;
    uint32_t thread;         /* row */
    zx_status_t wake_status; /* how the wait before this step ended; ZX_OK if there was none */
    zx_status_t verdict;     /* of a commit that goes through and yet reports an error */
    int injected;            /* that error is fail_alloc's, which is used up by it */
    struct need need;
    struct op op;
    struct want want;     /* count 0: the call does not wait */
    uint64_t stop;        /* how far this step goes */
    struct access access; /* of calls that go through the address space */
    struct {
        uint64_t offset;
        uint64_t size;
    } range;        /* bytes of the VMO, of operations on ranges */
    uint32_t pages; /* of the call's VMO, as the last look has found them */
    uint64_t base;  /* bytes: where the VMO's window begins in them */
    uint32_t pager;
    uint32_t other;  /* a second object of the call */
    uint32_t handle; /* row */
    uint32_t value;
    uint64_t size_pages;
};

/* Is there enough of everything? Says so without taking it. */
int shortage(const pgr_world *w, const struct need *need);
/* The one place that says ZX_ERR_NO_MEMORY, because something ran out or because fail_alloc() said so. */
zx_status_t reserve(pgr_world *w, const struct need *need);

/* How a commit leaves the call. */
enum progress {
    PROGRESS_DONE,  /* it has returned */
    PROGRESS_AGAIN, /* another step can be tried at once */
    PROGRESS_WAIT   /* it waits for plan->want, or in a list that the commit has put its thread into */
};

/*
 * A row of the table of calls. check: decodes and checks everything that is asked once. Touches nothing. look: for
 * calls of several steps, what is asked before each, and what the step needs. On ZX_OK a commit follows. commit:
 * performs the step. Cannot fail.
 */
struct call_row {
    pgr_call_info info;
    zx_status_t (*check)(const pgr_world *w, struct plan *plan);
    zx_status_t (*look)(const pgr_world *w, struct plan *plan);
    enum progress (*commit)(pgr_world *w, void *frames, struct plan *plan, pgr_result *result);
};

/* ------------------------------------------------------------------------------------------------------------------
 * pages
 * --------------------------------------------------------------------------------------------------------------- */

/* A VMO's window on its pages. */
struct window {
    uint32_t pages; /* object row */
    uint64_t offset_pages;
    uint64_t size_pages;
};

struct window vmo_window(const pgr_world *w, uint32_t vmo);
int vmo_is_physical(const pgr_world *w, uint32_t vmo);
/* New pages of this size; nothing in them yet. */
uint32_t pages_make(pgr_world *w, uint64_t size_pages, uint8_t flags);
/*
 * Makes the pages [run->page, + run->count) hold what `run` says; state PGR_PAGE_NONE: nothing. They must lie in
 * one piece. Old frames are not released: the caller knows whether they moved. `at` is a cursor over the map of
 * these pages.
 */
void pages_put(pgr_world *w, struct pages *pages, struct cursor *at, const struct run *run);
static inline int pages_discarded(const pgr_world *w, uint32_t pages)
{
    return pages_at(w, pages)->discard == DISCARD_DONE;
}
/* Is there anything that these pages share with, or see through to? */
static inline int pages_have_relatives(const pgr_world *w, uint32_t pages)
{
    return pages_at(w, pages)->family_next != pages || pages_at(w, pages)->parent != 0;
}
/* The pages at the root of everything that these see. */
uint32_t pages_root(const pgr_world *w, uint32_t pages);
/* Is a page of [begin, end) pinned? */
int pages_pinned(const pgr_world *w, uint32_t pages, uint64_t begin, uint64_t end);

/* What is seen at a page: in the pages themselves, or in an ancestor. */
struct sight {
    struct piece piece; /* in page numbers of the pages that look */
    uint32_t owner;     /* whose piece it is */
    int absent;         /* the owner's pager has to be asked for it */
    uint64_t owner_page;
};

/* What the pages see at `page`, cut off at `end`. `at` is a cursor over their map. */
struct sight pages_see(const pgr_world *w, struct cursor *at, uint32_t pages, uint64_t page, uint64_t end);
/* Does this event make a page dirty, which the pager wants to be asked first? */
int state_asks(const pgr_world *w, uint32_t pages, uint32_t event, uint32_t state);

/* The most pages that one request asks for, by kind. */
struct caps {
    uint64_t read;
    uint64_t dirty;
};

/*
 * What has to be asked of the pager before `page`, and those behind it up to `end`, can be used by this event (enum
 * pgr_page_event):
 * count 0 if nothing. ZX_ERR_BAD_STATE if nobody will answer.
 */
zx_status_t pages_want(const pgr_world *w, uint32_t pages, uint32_t event, uint64_t page, uint64_t end,
                       const struct caps *caps, struct want *want);
/*
 * How far from `page` the pages up to `end` can be committed or written without asking the pager, and what that
 * takes. Returns the first page that has to be asked for, or `end`. *pins_max is raised to the greatest pin count
 * among them.
 */
uint64_t pages_scan(const pgr_world *w, uint32_t pages, uint32_t event, uint64_t page, uint64_t end, struct need *need,
                    uint32_t *pins_max);
/* Prepares pages that pages_scan has found to be ready, and adds a pin to each if `pin`. */
void pages_prepare(pgr_world *w, void *frames, uint32_t pages, uint32_t event, uint64_t page, uint64_t end, int pin);
/* One pin fewer of each page. */
void pages_unpin(pgr_world *w, uint32_t pages, uint64_t page, uint64_t end);
/*
 * Copies pages to a buffer; returns the offset of the first byte that is absent, or `end`. Offsets in bytes of the
 * pages.
 */
uint64_t pages_copy_out(const pgr_world *w, void *frames, uint32_t pages, uint64_t begin, uint64_t end, void *buffer);
/* Where the byte at this offset of the pages is seen; null if it reads as zero. */
char *pages_byte(const pgr_world *w, void *frames, uint32_t pages, uint64_t offset);
/* Copies a buffer (null: zeros) to prepared pages. */
void pages_copy_in(pgr_world *w, void *frames, uint32_t pages, uint64_t begin, uint64_t end, const void *buffer);
/* Takes everything out of [begin, end): frames are released. */
void pages_discard(pgr_world *w, uint32_t pages, uint64_t begin, uint64_t end);
/*
 * Whole-page ZX_VMO_OP_ZERO. pages_zero_scan returns how far [begin, end) can be zeroed before a pinned page has to
 * be asked for, and what that takes.
 */
uint64_t pages_zero_scan(const pgr_world *w, uint32_t pages, uint64_t begin, uint64_t end, struct need *need);
void pages_zero(pgr_world *w, void *frames, uint32_t pages, uint64_t begin, uint64_t end);
/* Drops what a detached VMO does not keep: clean pages without pins, and zero markers. */
void pages_drop_clean(pgr_world *w, uint32_t pages);
/* DIRTY requests get nearer to completion by what is not dirty in [page, end): it is about to be, or will never be. */
void pages_resolve_dirty(pgr_world *w, uint32_t pages, uint64_t page, uint64_t end);
/* New size, in pages. Growing pages with a pager get a dirty zero interval. */
void pages_resize(pgr_world *w, uint32_t pages, uint64_t size_pages);

/* The list of pages that can be evicted. */
void evictable_append(pgr_world *w, uint32_t pages);
void evictable_remove(pgr_world *w, uint32_t pages);
/* Marks of pages with frames, and what eviction goes by. */
enum hint {
    HINT_NONE = PGR_HINT_NONE,
    HINT_DONT_NEED = PGR_HINT_DONT_NEED,
    HINT_ALWAYS_NEED = PGR_HINT_ALWAYS_NEED,
    HINT_ANY
};
/* Marks what has frames in [begin, end). HINT_ALWAYS_NEED is never taken back. */
void pages_hint(pgr_world *w, uint32_t pages, uint8_t hint, uint64_t begin, uint64_t end);
/* Evicts up to `count` clean pages with this mark; returns how many. */
uint64_t pages_evict(pgr_world *w, uint32_t pages, uint8_t hint, uint64_t count);
/* Takes everything from discardable pages; returns how many frames they had. */
uint64_t pages_discard_all(pgr_world *w, uint32_t pages);

/* These pages see others where they have nothing; and no longer. */
void pages_join_parent(pgr_world *w, uint32_t pages, uint32_t parent, uint64_t offset_pages, uint64_t limit_pages);
void pages_leave_parent(pgr_world *w, uint32_t pages);
/*
 * A copy-on-write relative of `pages`: the first `size_pages` from `offset_pages` on, as far as they exist, are
 * shared.
 */
uint32_t pages_snapshot(pgr_world *w, uint32_t pages, uint64_t offset_pages, uint64_t size_pages, uint8_t flags);
/* A child that sees `seen_pages` of `pages` from `offset_pages` on. */
uint32_t pages_see_through(pgr_world *w, uint32_t pages, uint64_t offset_pages, uint64_t size_pages,
                           uint64_t seen_pages, uint8_t flags);
/*
 * Whose pages such a child hangs from: an ancestor, if those in between show it nothing. Changes offset and length
 * accordingly.
 */
void pages_find_parent(const pgr_world *w, uint32_t *pages, uint64_t *offset_pages, uint64_t *seen_pages);
/* The number of runs in [begin, end), cut at its ends. */
uint64_t pages_runs(const pgr_world *w, uint32_t pages, uint64_t begin, uint64_t end);

/* ------------------------------------------------------------------------------------------------------------------
 * vmar
 * --------------------------------------------------------------------------------------------------------------- */

/* A mapping, and where it lies. Page numbers of addresses. */
struct region {
    uint32_t row; /* 0: there is none */
    uint32_t vmar;
    uint64_t page;
    uint64_t count;
};

struct vmar *vmar_at(const pgr_world *w, uint32_t row);
/* The VMAR is one hole. */
void vmar_make_empty(pgr_world *w, uint32_t vmar, uint64_t page, uint64_t count);
/* The mapping at this page, in the VMAR or in one inside of it. */
struct region region_at(const pgr_world *w, uint32_t vmar, uint64_t page);
/*
 * The lowest page with so many free ones behind it, aligned to 1 << align pages and ending at or before `limit`; 0
 * if there is none.
 */
uint64_t vmar_find_hole(const pgr_world *w, uint32_t vmar, uint64_t count, uint32_t align, uint64_t limit);
int vmar_is_free(const pgr_world *w, uint32_t vmar, uint64_t page, uint64_t count);
/* Does the range touch a VMAR inside? With `partly`: and not cover it? */
int vmar_child_touched(const pgr_world *w, uint32_t vmar, uint64_t page, uint64_t count, int partly);
/* Does a mapping with other permissions begin before this page and go on behind it? */
int vmar_cuts(const pgr_world *w, uint32_t vmar, uint64_t page, uint32_t perms);
/* Would taking the range away leave two parts of one mapping? */
int vmar_splits(const pgr_world *w, uint32_t vmar, uint64_t page, uint64_t count);
/* A region takes its place in a hole. */
void region_put(pgr_world *w, uint32_t vmar, uint64_t page, uint64_t count, uint32_t region);
uint32_t mapping_make(pgr_world *w, const struct mapping *mapping);
/* The mapping ends at `page`; what it had from there on is a new one. */
uint32_t mapping_split(pgr_world *w, uint32_t vmar, uint32_t mapping, uint64_t page);
void vmar_unmap(pgr_world *w, uint32_t vmar, uint64_t page, uint64_t count);
/* Ends everything inside, and the VMAR. */
void vmar_destroy(pgr_world *w, uint32_t vmar);

/* ------------------------------------------------------------------------------------------------------------------
 * access
 * --------------------------------------------------------------------------------------------------------------- */

/*
 * Looks at the first page of [address, address + bytes): what it is, and what has to be asked or reserved for it.
 * The error is that of the page fault.
 */
zx_status_t access_look(const pgr_world *w, struct access *access, struct need *need, struct want *want);
/* The byte at which an access that could not go on has stopped. */
uint64_t access_fault_address(uint16_t call, const struct op *op);
/* Makes that page ready; cannot fail after the look. */
void access_prepare(pgr_world *w, void *frames, const struct access *access);

/* ------------------------------------------------------------------------------------------------------------------
 * life
 * --------------------------------------------------------------------------------------------------------------- */

/* The object's last handle has closed. */
void object_unnamed(pgr_world *w, uint32_t object);
/* Buries everything that died. */
void objects_bury(pgr_world *w);
/* The quarantined pages of a BTI are unpinned. */
void bti_release_quarantine(pgr_world *w, uint32_t bti);
/* Ends a thread: its wait is abandoned, its unfinished pin undone. */
void thread_kill(pgr_world *w, uint32_t row);
/* The call keeps these objects alive while it waits, and no longer. */
void op_hold(pgr_world *w, const struct op *op);
void op_drop(pgr_world *w, const struct op *op);
/* The call goes on with another VMO. */
void op_move(pgr_world *w, struct op *op, uint32_t vmo);
/* ... or with another second one. */
void op_move_second(pgr_world *w, struct op *op, uint32_t vmo);
/* What a call that ends early leaves half done is undone: pins. */
void op_undo(pgr_world *w, struct op *op);
/* Unpins. */
void pmt_end(pgr_world *w, uint32_t pmt);

/* ------------------------------------------------------------------------------------------------------------------
 * calls: the handlers of the table, by file
 * --------------------------------------------------------------------------------------------------------------- */

#define CHECK(name) zx_status_t name##_check(const pgr_world *w, struct plan *plan)
#define LOOK(name) zx_status_t name##_look(const pgr_world *w, struct plan *plan)
#define COMMIT(name) enum progress name##_commit(pgr_world *w, void *frames, struct plan *plan, pgr_result *result)

CHECK(handle_close);
COMMIT(handle_close);
CHECK(handle_close_many);
COMMIT(handle_close_many);
CHECK(handle_duplicate);
COMMIT(handle_duplicate);
CHECK(handle_replace);
COMMIT(handle_replace);
CHECK(object_get_info);
COMMIT(object_get_info);
CHECK(object_get_property);
COMMIT(object_get_property);
CHECK(object_set_property);
LOOK(object_set_property);
COMMIT(object_set_property);
CHECK(object_wait_one);
COMMIT(object_wait_one);
CHECK(object_wait_async);
COMMIT(object_wait_async);
CHECK(object_signal);
COMMIT(object_signal);
CHECK(event_create);
COMMIT(event_create);
CHECK(port_create);
COMMIT(port_create);
CHECK(port_queue);
COMMIT(port_queue);
CHECK(port_wait);
COMMIT(port_wait);
CHECK(port_cancel);
COMMIT(port_cancel);
CHECK(pager_create);
COMMIT(pager_create);
CHECK(pager_create_vmo);
COMMIT(pager_create_vmo);
CHECK(pager_detach_vmo);
COMMIT(pager_detach_vmo);
CHECK(pager_supply_pages);
COMMIT(pager_supply_pages);
CHECK(pager_op_range);
COMMIT(pager_op_range);
CHECK(pager_query_dirty_ranges);
COMMIT(pager_query_dirty_ranges);
CHECK(pager_query_vmo_stats);
COMMIT(pager_query_vmo_stats);
CHECK(vmo_create);
COMMIT(vmo_create);
CHECK(vmo_transfer_data);
LOOK(vmo_transfer_data);
COMMIT(vmo_transfer_data);
CHECK(vmo_get_stream_size);
COMMIT(vmo_get_stream_size);
CHECK(vmo_set_stream_size);
LOOK(vmo_set_stream_size);
COMMIT(vmo_set_stream_size);
CHECK(vmo_set_cache_policy);
COMMIT(vmo_set_cache_policy);
CHECK(vmo_replace_as_executable);
COMMIT(vmo_replace_as_executable);
CHECK(vmo_create_contiguous);
COMMIT(vmo_create_contiguous);
CHECK(vmo_create_physical);
COMMIT(vmo_create_physical);
CHECK(vmo_create_child);
COMMIT(vmo_create_child);
CHECK(vmo_read);
LOOK(vmo_read);
COMMIT(vmo_read);
CHECK(vmo_write);
LOOK(vmo_write);
COMMIT(vmo_write);
CHECK(vmo_get_size);
COMMIT(vmo_get_size);
CHECK(vmo_set_size);
LOOK(vmo_set_size);
COMMIT(vmo_set_size);
CHECK(vmo_op_range);
LOOK(vmo_op_range);
COMMIT(vmo_op_range);
CHECK(bti_pin);
LOOK(bti_pin);
COMMIT(bti_pin);
CHECK(pmt_unpin);
COMMIT(pmt_unpin);
CHECK(bti_release_quarantine);
COMMIT(bti_release_quarantine);
CHECK(vmar_map);
COMMIT(vmar_map);
CHECK(vmar_unmap);
COMMIT(vmar_unmap);
CHECK(vmar_protect);
COMMIT(vmar_protect);
CHECK(vmar_op_range);
LOOK(vmar_op_range);
COMMIT(vmar_op_range);
CHECK(vmar_allocate);
COMMIT(vmar_allocate);
CHECK(vmar_destroy);
COMMIT(vmar_destroy);
CHECK(mem_read);
LOOK(mem_read);
COMMIT(mem_read);
CHECK(mem_write);
LOOK(mem_write);
COMMIT(mem_write);
CHECK(mem_prepare);
LOOK(mem_prepare);
COMMIT(mem_prepare);
CHECK(fail_alloc);
COMMIT(fail_alloc);
CHECK(reclaim);
COMMIT(reclaim);
CHECK(thread_kill);
COMMIT(thread_kill);
CHECK(process_exit);
COMMIT(process_exit);

/* What the families of calls share. */

/* The VMO goes into, or out of, the list of its parent's children. */
void vmo_join_parent(pgr_world *w, uint32_t vmo, uint32_t parent);
void vmo_leave_parent(pgr_world *w, uint32_t vmo);
/* A new VMO over these pages, without a handle. */
uint32_t vmo_make(pgr_world *w, uint32_t pages, uint8_t flags);
/* What making one needs, if it takes that many object rows. */
void vmo_needed(struct need *need, uint32_t rows);
/* Where the VMO's content size stands. */
uint64_t *vmo_content_size(const pgr_world *w, uint32_t vmo);
void vmo_info(const pgr_world *w, uint32_t vmo, zx_rights_t rights, zx_info_vmo_t *info);
/* Does a size in bytes, rounded up to pages, exceed 64 bits? */
int size_wraps(const pgr_world *w, uint64_t size_bytes);
/* Does a snapshot of this size, which begins there in the root of its ancestors, end beyond 64 bits? */
int root_end_wraps(const pgr_world *w, uint64_t root_offset_pages, uint64_t size_pages);
/*
 * The checks that calls on a pager's VMO share: both handles, and that they belong together. Fills plan->pager and
 * plan->other.
 */
zx_status_t pager_vmo_get(const pgr_world *w, uint64_t pager, uint64_t vmo, zx_rights_t pager_rights,
                          zx_rights_t vmo_rights, struct plan *plan);
/* ZX_PAGER_OP_DIRTY of bytes; WRITEBACK_BEGIN and _END of pages. */
zx_status_t dirty_check(const pgr_world *w, struct plan *plan, uint64_t offset, uint64_t length, uint64_t data);
void dirty_commit(pgr_world *w, void *frames, const struct plan *plan, uint64_t page);
void writeback_begin(pgr_world *w, uint32_t pages, uint64_t begin, uint64_t end, int zeros_only);
void writeback_end(pgr_world *w, uint32_t pages, uint64_t begin, uint64_t end);
/* An operation on plan->range of plan->op.vmo: what it asks once. */
zx_status_t op_check(const pgr_world *w, struct plan *plan);
/* ZX_VMO_OP_ZERO of a range of bytes as the end of another call, which does not tell whether it succeeds. */
void zero_begin(struct op *op, uint64_t begin, uint64_t end);
CHECK(zero);
LOOK(zero);
COMMIT(zero);

/* Low half of an argument. */
static inline uint32_t arg_u32(const struct plan *plan, unsigned place)
{
    return (uint32_t)plan->call->arg[place];
}

#endif /* PGR_INTERNAL_H */
