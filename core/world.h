/* The block of memory that a world is: its header, its tables of rows, taken and given back. See world.c. */
#ifndef CORE_WORLD_H
#define CORE_WORLD_H

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

/* Lists of rows; see list.h. */
struct list {
    uint32_t first;
    uint32_t last;
};

struct links {
    uint32_t next;
    uint32_t prev;
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
    struct list dead;         /* objects that died in this dispatch */
    struct list evictable;    /* pages of VMOs made by pagers, and discardable ones, in order of creation */
    uint32_t root_vmar;       /* objects of the process */
    uint32_t handles_retired; /* rows whose generations are used up */
    struct list released;     /* threads whose wait has ended */
    pgr_start start;
};

/*
 * May a world of this configuration live in this block? ZX_ERR_INVALID_ARGS: no such configuration, or misaligned;
 * ZX_ERR_BUFFER_TOO_SMALL.
 */
zx_status_t block_check(const void *block, uint64_t block_bytes, const pgr_config *config);
/* Writes the header of a world without rows. */
void world_format(pgr_world *w, const pgr_config *config);
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

#endif
