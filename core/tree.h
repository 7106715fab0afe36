/* B+ trees of runs. See tree.c. */
#ifndef CORE_TREE_H
#define CORE_TREE_H

#include "world.h"

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

#endif
