/*
 * What the files of the checkers share: the context, snapshots of page maps, and one function an invariant.
 *
 * An invariant's function returns 0 or what check_violate returned.
 */
#ifndef HARNESS_CHECK_INTERNAL_H
#define HARNESS_CHECK_INTERNAL_H

#include "harness/check.h"

/* Order and names of check_list(). */
enum check_number {
    CHECK_O1,
    CHECK_O2,
    CHECK_O3,
    CHECK_O4,
    CHECK_O5,
    CHECK_O6,
    CHECK_O7,
    CHECK_O8,
    CHECK_O9,
    CHECK_D1,
    CHECK_D2,
    CHECK_D3,
    CHECK_D4,
    CHECK_E1,
    CHECK_R1,
    CHECK_R2,
    CHECK_R3,
    CHECK_R4,
    CHECK_R5,
    CHECK_R6,
    CHECK_W1,
    CHECK_H1,
    CHECK_H2,
    CHECK_M1,
    CHECK_M2,
    CHECK_M3,
    CHECK_C1,
    CHECK_C2,
    CHECK_NUMBER_COUNT
};

/* --- what a call does to page maps, as far as the checkers care --- */

enum check_operation {
    OPERATION_NONE, /* touches no page map */
    OPERATION_LOOK, /* reads pages, or changes nothing of them */
    OPERATION_WRITE,
    OPERATION_COMMIT,
    OPERATION_PIN,
    OPERATION_PIN_WRITE,
    OPERATION_ZERO,
    OPERATION_RESIZE,
    OPERATION_DECOMMIT,
    OPERATION_TRANSFER,
    OPERATION_SUPPLY,
    OPERATION_DIRTY,
    OPERATION_BEGIN,
    OPERATION_END,
    OPERATION_DETACH,
    OPERATION_EVICT,
    OPERATION_LET_GO, /* gives up references or pins; the pages may die */
    OPERATION_COUNT
};

/* --- snapshots (check_snapshot.c) --- */

#define SNAPSHOT_MAPS_MAX 64u
#define SNAPSHOT_RUNS_MAX 2048u /* of all maps together; what lies behind the last one copied is not compared */
#define SNAPSHOT_RUNS_PER_MAP 512u
#define SNAPSHOT_BYTES_MAX (256u << 10)

#define NO_BYTES UINT32_MAX

struct run_copy {
    uint64_t page;
    uint64_t count;
    uint32_t state;
    uint32_t frame;
    uint32_t pins;
    uint32_t bytes; /* where the pages' bytes were copied to, NO_BYTES if they were not */
    uint32_t hint;
    uint32_t padding1;
    uint64_t awaiting;
};

/* The runs of one pages object that lie in [begin, end), pages. */
struct snapshot {
    uint32_t row;
    enum check_operation operation; /* what the call does to this map */
    uint32_t flags;                 /* PGR_PAGES_... */
    uint32_t source;                /* object row, 0: not made by a pager */
    uint32_t parent;                /* pages that these see through to, 0: none */
    uint64_t parent_offset_pages, parent_limit_pages;
    uint64_t size_pages;
    uint64_t begin, end;
    uint32_t first_run; /* in snapshot_set.runs */
    uint32_t run_count;
    int is_relative; /* of a map that the call is about: by copy on write, seen by it, or seeing it */
};

struct snapshot_set {
    uint32_t count;
    uint32_t runs_used;
    struct snapshot maps[SNAPSHOT_MAPS_MAX];
    struct run_copy runs[SNAPSHOT_RUNS_MAX];
};

/* What a map holds at a page, and for how many pages (at least 1) that goes on. A gap has the state PGR_PAGE_NONE. */
struct segment {
    uint64_t page, count;
    uint32_t state, frame, pins;
    uint32_t bytes; /* NO_BYTES or an offset into check_context.bytes */
};

/* --- the context --- */

#define TOUCHED_HANDLES_MAX 4u

struct handle_memo {
    uint32_t row;   /* 0: the argument was no live handle */
    uint32_t place; /* of the argument */
    pgr_handle_view handle;
    pgr_object_view object;
};

/*
 * What a supply is about, in pages of the pages objects; `valid` only if both handles name VMOs and all is page
 * aligned.
 */
struct supply_memo {
    int valid;
    uint32_t pager_map, aux_map; /* in snapshot_set.maps */
    uint64_t page, aux_page, count;
};

/* Memory in the address space that a call reaches: the VMOs behind it are those that are mapped there at the time. */
struct reach {
    uint32_t vmar; /* object row, 0: the call reaches none */
    uint64_t begin, end;
    enum check_operation operation; /* what the call does to the pages there */
};

/* Where an access begins, so that what it waits for can be judged: byte `begin` of a VMO, or the reach's. */
struct access_memo {
    uint32_t vmo; /* object row, 0: see `reach`, or not known */
    uint64_t begin;
    int in_memory;
};

/* What is mapped at an address. */
struct mapped_memo {
    uint64_t address;
    uint32_t vmo; /* object row, 0: nothing */
    uint32_t perms;
    uint64_t page; /* of the VMO */
};

struct before {
    int taken;
    enum check_operation operation;
    uint32_t call; /* the call that goes on, for a resume */
    struct reach reach;
    struct access_memo access;
    struct mapped_memo beside[2]; /* of the range of a zx_vmar_unmap or zx_vmar_protect: in front of it, and behind */
    uint64_t events_begin, events_end; /* pages of what the call is about that a writeback or DIRTY is for */
    int hashed;
    uint64_t hash;
    uint32_t first_released;
    pgr_inspect_counts counts;
    uint32_t handle_count;
    struct handle_memo handles[TOUCHED_HANDLES_MAX];
    struct supply_memo supply;
    int has_relatives; /* some map of maps_before is one */
};

/* What a thread's blocked call touches, so that its resumes can be judged. */
struct thread_memo {
    enum check_operation operation;
    struct reach reach;
    struct access_memo access;
};

/* Scratch memory of check_walk: a view of every object, and what the walk counts. */
struct walk {
    pgr_object_view *objects; /* by row; kind 0: not in use */
    uint32_t *rows;           /* of the objects in use */
    uint32_t row_count;
    uint32_t *pmts; /* rows of the pinned memory tokens among them */
    uint32_t pmt_count;
    uint32_t *handles, *referrers, *children, *vmos, *rings; /* counted for each object row */
    uint32_t *seers, *mappings, *places; /* pages that see these; mappings of a VMO; where a mapping or VMAR stands */
    uint32_t *packets;                   /* for each packet row: the port in whose queue it was found */
    uint32_t *holders, *owners;          /* for each frame: runs that hold it, pages object of the first */
};

#define FRESH_ENDS_MAX 16u

/* What H2 compares with, remembered for the configurations met last. */
struct fresh_end {
    pgr_config config;
    uint64_t hash;
    uint32_t nodes_used; /* the map of free frames has some for ever */
};

struct check_context {
    int violated; /* 0, or 1 + enum check_number */
    char message[512];
    uint64_t call_count; /* since check_reset */
    uint32_t last_call;
    uint32_t hash_every, hash_phase;
    uint32_t root_vmar;                                     /* object row */
    uint8_t reached[OPERATION_COUNT][PGR_PAGE_STATE_COUNT]; /* states that a page may have after it, as a set of bits */

    pgr_config config;   /* of the world at hand */
    pgr_config capacity; /* what the arrays are made for */

    struct before before;
    struct snapshot_set maps_before, maps_after;
    uint8_t *bytes;
    uint32_t bytes_used;
    struct thread_memo *threads;
    struct walk walk;

    void *spare_block; /* for the fresh world of check_end */
    uint64_t spare_bytes;
    struct fresh_end fresh_ends[FRESH_ENDS_MAX];
    uint32_t fresh_end_next;
};

/* check.c */
int check_violate(struct check_context *c, enum check_number number, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* "vmo 3 (pages 4)": how messages name a pages object. The text is good until the fourth call after. */
const char *check_name_pages(const struct check_context *c, const pgr_world *w, uint32_t row);
const char *check_state_name(uint32_t state);

/* check_snapshot.c */
void check_remember(struct check_context *c, const pgr_world *w, const void *frames, const pgr_call *call);
void check_snapshot_again(struct check_context *c, const pgr_world *w);
void check_remember_thread(struct check_context *c, const pgr_call *call, const pgr_result *result);
struct segment check_segment(const struct check_context *c, const struct snapshot_set *set, const struct snapshot *map,
                             uint32_t *hint, uint64_t page);
int check_bytes_kept(const struct check_context *c, const void *frames, uint32_t bytes, uint32_t old_frame,
                     uint32_t new_frame, uint64_t count, uint64_t *first_different);
int check_frames_inside(const struct check_context *c, uint32_t frame, uint64_t count);

/* check_frames.c */
int check_o1(struct check_context *c, const pgr_world *w);
int check_o2(struct check_context *c, const pgr_world *w);
int check_o3(struct check_context *c, const pgr_world *w);
int check_o3_touched(struct check_context *c, const pgr_world *w);
int check_o4(struct check_context *c, const pgr_world *w);
int check_o5(struct check_context *c, const pgr_world *w);
int check_o5_touched(struct check_context *c, const pgr_world *w);

/* check_children.c */

/* What is seen at a page, by pages themselves or in an ancestor, and for how many pages that goes on. */
struct check_sight {
    uint64_t count;
    uint32_t owner; /* pages row */
    uint64_t owner_page;
    uint32_t state, frame;
    int absent; /* its pager has to be asked for it */
};

struct check_sight check_see(const struct check_context *c, const pgr_world *w, uint32_t pages, uint64_t page);
int check_o7(struct check_context *c, const pgr_world *w, const pgr_call *call, const pgr_result *result);
int check_o8(struct check_context *c, const pgr_world *w);
int check_o8_touched(struct check_context *c, const pgr_world *w);
int check_o9(struct check_context *c, const pgr_world *w);
int check_is_taken(const struct check_context *c, const pgr_world *w, uint32_t pages);

/* check_regions.c */
uint32_t check_find_root_vmar(const struct check_context *c, const pgr_world *w);
int check_m1(struct check_context *c, const pgr_world *w);
int check_m2(struct check_context *c, const pgr_world *w);
void check_remember_beside(struct check_context *c, const pgr_world *w, const pgr_call *call);
int check_m3(struct check_context *c, const pgr_world *w, const pgr_call *call, const pgr_result *result);

/* The mapping at this address, in the VMAR or in one inside of it; 0 if there is none. */
struct check_mapping {
    uint32_t row;
    uint64_t address, size_bytes;
    pgr_object_view object;
};
int check_find_mapping(const struct check_context *c, const pgr_world *w, uint32_t vmar, uint64_t address,
                       struct check_mapping *mapping);

/* check_relatives.c */
int check_o6(struct check_context *c, const pgr_world *w, const void *frames, const pgr_call *call);

/* check_supply.c */
int check_supply(struct check_context *c, const pgr_world *w, const void *frames, const pgr_result *result);

/* check_effects.c */
int check_e1(struct check_context *c, const pgr_world *w, const void *frames, const pgr_call *call,
             const pgr_result *result);
int check_w1(struct check_context *c, const pgr_world *w, const void *frames);
void check_close_states(struct check_context *c); /* fills c->reached */

/* check_requests.c */
int check_r1(struct check_context *c, const pgr_world *w);
int check_r2(struct check_context *c, const pgr_world *w);
int check_r2_touched(struct check_context *c, const pgr_world *w, const pgr_call *call, const pgr_result *result);
int check_r3(struct check_context *c, const pgr_world *w);
int check_r4(struct check_context *c, const pgr_world *w);
int check_r5(struct check_context *c, const pgr_world *w);
int check_r6(struct check_context *c, const pgr_world *w, const pgr_call *call, const pgr_result *result);
uint32_t check_request_rows(const struct check_context *c); /* request rows run from 1 to this */

/* check_objects.c */
void check_gather(struct check_context *c, const pgr_world *w); /* fills c->walk */
int check_h1(struct check_context *c, const pgr_world *w);
int check_h1_touched(struct check_context *c, const pgr_world *w, const pgr_call *call, const pgr_result *result);
int check_c1(struct check_context *c, const pgr_world *w);
int check_c1_touched(struct check_context *c, const pgr_world *w, const pgr_call *call, const pgr_result *result);
int check_c2(struct check_context *c, const pgr_world *w);
int check_h2(struct check_context *c, const pgr_world *w, void *frames);

#endif /* HARNESS_CHECK_INTERNAL_H */
