/*
 * Rows with handles and references, whatever they are; what dies waits in a list until the end of the dispatch. See
 * objects.c.
 */
#ifndef CORE_OBJECTS_H
#define CORE_OBJECTS_H

#include "tree.h"

/* A VMO as programs see it: a name, a window and a place among children. What it holds is behind `pages`. */
struct vmo {
    uint32_t pages;
    uint32_t parent;
    uint32_t child_count;
    uint32_t mapping_count;
    struct list children; /* VMOs */
    struct links sibling;
    struct links reference;      /* of those that refer to the same pages */
    uint64_t offset_pages;       /* slices: where the window begins in the pages */
    uint64_t size_pages;         /* slices: of the window */
    uint64_t content_size_bytes; /* slices; the others have that of their pages */
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
    uint32_t locks;       /* of discardable pages */
    struct list children; /* pages that see these */
    struct links sibling;
    struct list references; /* VMOs that are references, the oldest first */
    struct links evictable;
    uint8_t discard;      /* enum discard */
    uint8_t cache_policy; /* ZX_CACHE_POLICY_... */
    uint8_t modified;     /* for zx_pager_query_vmo_stats */
    uint8_t reserved[5];
    uint64_t parent_offset_pages;
    uint64_t parent_limit_pages; /* behind this page nothing of the parent is seen; never grows */
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
    uint64_t pager_koid;                 /* for ever, also when the pager is gone */
    struct list requests[REQUEST_KINDS]; /* ascending */
    struct list queued;                  /* requests that wait for the packet to be free */
    struct links of_pager;
    uint32_t in_port; /* the request that the packet carries in the port, 0: none */
    uint32_t reserved;
};

struct port {
    struct list packets;
    struct list watches; /* async waits that have not fired */
    struct list waiters; /* threads */
    uint32_t user_packets;
};

struct pager {
    struct list sources;
};

struct bti {
    struct list quarantined; /* PMTs, in the order in which they came */
    uint32_t quarantine_count;
    uint32_t pmt_count; /* quarantined and unfinished ones left out */
    char name[ZX_MAX_NAME_LEN];
};

struct pmt {
    uint32_t bti;
    uint32_t vmo;
    uint32_t pages;
    uint32_t reserved;
    struct links quarantined;
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
    _Alignas(64) struct links dead; /* first of all, for the list of free rows goes through here, too */
    uint8_t kind;                   /* enum pgr_object_kind */
    uint8_t flags;
    uint8_t dying; /* in the list of the dead */
    uint8_t reserved;
    uint32_t handle_count;
    uint32_t reference_count;
    uint64_t koid;
    zx_signals_t signals;
    struct list watches; /* packets of async waits */
    struct list waiters; /* threads in zx_object_wait_one */
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
static inline struct vmar *vmar_at(const pgr_world *w, uint32_t row)
{
    return &object_at(w, row)->vmar;
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

#endif
