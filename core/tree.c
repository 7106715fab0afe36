/*
 * Ordered maps of runs: B+ trees whose nodes are rows of the world.
 *
 * Runs stand in the leaves, ascending and disjoint. An inner node has a key between each two children: what is left
 * of it has ended there, what is right of it has not begun. Nodes that shrink to half are joined with a neighbour
 * if both fit into one, so that a map of n runs takes about n / 8 nodes at most. Everything is loops over a
 * cursor's path; nothing recurses.
 */
#include "tree.h"

static uint32_t node_take(pgr_world *w, struct tree *tree, uint32_t level)
{
    uint32_t node = row_take(w, TABLE_NODES);

    node_at(w, node)->level = (uint16_t)level;
    tree->node_count++;
    return node;
}

static void node_give(pgr_world *w, struct tree *tree, uint32_t node)
{
    row_give(w, TABLE_NODES, node);
    tree->node_count--;
}

uint32_t tree_growth(uint64_t added, uint64_t touched)
{
    /*
     * A leaf takes at least seven inserts to be split again, and inner nodes are fewer; but the first inserts may
     * find two paths full.
     */
    return (uint32_t)min_u64((added + touched) * 45 >> 8, UINT32_MAX / 2) + 2 * TREE_DEPTH_MAX;
}

/* --- finding --- */

/*
 * The first run of the leaf that ends behind `page`; its count if there is none. Runs are counted, without a branch
 * that depends on what is found, as in inner_slot: pages are sought in no order that a processor could predict, and
 * it takes longer to guess wrong than to look at a whole node.
 */
static uint32_t leaf_slot(const struct node *leaf, uint64_t page)
{
    uint32_t slot = 0;
    uint32_t i;

    for (i = 0; i < leaf->count; i++)
        slot += run_end(&leaf->runs[i]) <= page;
    return slot;
}

/* The last child whose runs may begin at or before `page`. */
static uint32_t inner_slot(const struct node *inner, uint64_t page)
{
    uint32_t slot = 0;
    uint32_t i;

    for (i = 1; i < inner->count; i++)
        slot += inner->inner.keys[i] <= page;
    return slot;
}

/* --- widths --- */

/* In an inner node of a wide tree: the pages of the longest run below each child. */
static uint64_t *node_widths(struct node *inner)
{
    return &inner->inner.keys[NODE_WIDE];
}

static uint64_t node_width(struct node *node)
{
    uint64_t longest = 0;
    uint32_t i;

    for (i = 0; i < node->count; i++)
        longest = max_u64(longest, node->level == 0 ? node->runs[i].count : node_widths(node)[i]);
    return longest;
}

/*
 * What is in the node at this level has changed: what is known above of its width follows, up to where nothing new
 * is to be told.
 */
static void widths_above(const pgr_world *w, const struct cursor *at, uint32_t level)
{
    if (!at->tree->wide)
        return;
    for (level++; level < at->depth; level++) {
        uint64_t width = node_width(node_at(w, at->node[level - 1]));
        uint64_t *known = &node_widths(node_at(w, at->node[level]))[at->slot[level]];

        if (*known == width)
            return;
        *known = width;
    }
}

/* The same where something has changed in the leaf under the cursor. */
static void widths_note(const pgr_world *w, const struct cursor *at)
{
    widths_above(w, at, 0);
}

/* A node that will be searched is fetched whole, so that its cache lines come at the same time. */
static void node_prefetch(const struct node *node)
{
    const char *line = (const char *)node;
    const char *end = line + sizeof(*node);

    for (; line < end; line += 64)
        __builtin_prefetch(line);
}

/* The path below `level` goes along the first children. */
static void descend_first(const pgr_world *w, struct cursor *at, uint32_t level)
{
    while (level > 0) {
        const struct node *inner = node_at(w, at->node[level]);

        at->node[level - 1] = inner->inner.children[at->slot[level]];
        at->slot[level - 1] = 0;
        level--;
    }
}

/*
 * Notes between which pages the leaf under the cursor is the place to look. Every page that is sought there later
 * is found without a descent.
 */
static void bounds_note(const pgr_world *w, struct cursor *at)
{
    uint32_t level = 1;

    at->low = 0;
    at->high = UINT64_MAX;
    if (at->depth > 1)
        at->low = node_at(w, at->node[1])->inner.keys[at->slot[1]];
    while (level < at->depth && at->slot[level] + 1 >= node_at(w, at->node[level])->count)
        level++;
    if (level < at->depth)
        at->high = node_at(w, at->node[level])->inner.keys[at->slot[level] + 1];
}

/* From the end of a leaf to the start of the next one; stays, and returns 0, at the end of the tree. */
static int leaf_next(const pgr_world *w, struct cursor *at)
{
    uint32_t level = 1;

    while (level < at->depth && at->slot[level] + 1 >= node_at(w, at->node[level])->count)
        level++;
    if (level >= at->depth)
        return 0;
    at->slot[level]++;
    descend_first(w, at, level);
    bounds_note(w, at);
    return 1;
}

static struct run *run_under(const pgr_world *w, struct cursor *at)
{
    struct node *leaf = node_at(w, at->node[0]);

    if (at->slot[0] < leaf->count)
        return &leaf->runs[at->slot[0]];
    if (!leaf_next(w, at))
        return NULL;
    return &node_at(w, at->node[0])->runs[0];
}

/* To the leaf in which a run at `page` stands, or would stand. */
static void descend(const pgr_world *w, struct cursor *at, uint64_t page)
{
    uint32_t level = node_at(w, at->tree->root)->level;

    at->depth = level + 1;
    at->node[level] = at->tree->root;
    for (; level > 0; level--) {
        const struct node *inner = node_at(w, at->node[level]);

        at->slot[level] = inner_slot(inner, page);
        at->node[level - 1] = inner->inner.children[at->slot[level]];
        node_prefetch(node_at(w, at->node[level - 1]));
    }
    bounds_note(w, at);
}

struct run *tree_seek(const pgr_world *w, struct cursor *at, uint64_t page)
{
    if (at->tree->root == 0)
        return NULL;
    if (at->depth == 0 || page < at->low || page >= at->high)
        descend(w, at, page);
    at->slot[0] = leaf_slot(node_at(w, at->node[0]), page);
    return run_under(w, at);
}

/* The first child from this slot on below which there is a run that wide; the count of children if there is none. */
static uint32_t wide_slot(struct node *inner, uint32_t slot, uint64_t width)
{
    const uint64_t *widths = node_widths(inner);

    while (slot < inner->count && widths[slot] < width)
        slot++;
    return slot;
}

/* To the first leaf at or behind this place of the path in which there is a run that wide. Returns 0 if none is. */
static int wide_leaf(const pgr_world *w, struct cursor *at, uint32_t level, uint64_t width)
{
    while (level > 0) {
        struct node *inner;

        if (level >= at->depth)
            return 0;
        inner = node_at(w, at->node[level]);
        at->slot[level] = wide_slot(inner, at->slot[level], width);
        if (at->slot[level] == inner->count) {
            level++;
            if (level < at->depth)
                at->slot[level]++;
            continue;
        }
        level--;
        at->node[level] = inner->inner.children[at->slot[level + 1]];
        at->slot[level] = 0;
        node_prefetch(node_at(w, at->node[level]));
    }
    bounds_note(w, at);
    return 1;
}

/* Before the first run of a tree, at its root. */
static uint32_t wide_begin(const pgr_world *w, struct cursor *at)
{
    uint32_t level = node_at(w, at->tree->root)->level;

    at->depth = level + 1;
    at->node[level] = at->tree->root;
    at->slot[level] = 0;
    return level;
}

struct run *tree_seek_wide(const pgr_world *w, struct cursor *at, uint64_t count)
{
    uint32_t level = 0;

    if (at->tree->root == 0)
        return NULL;
    if (at->depth == 0)
        level = wide_begin(w, at);
    while (wide_leaf(w, at, level, count)) {
        struct node *leaf = node_at(w, at->node[0]);

        for (; at->slot[0] < leaf->count; at->slot[0]++) {
            if (leaf->runs[at->slot[0]].count >= count)
                return &leaf->runs[at->slot[0]];
        }
        /* On to the next leaf. */
        level = 1;
        if (level < at->depth)
            at->slot[level]++;
    }
    at->depth = 0;
    return NULL;
}

struct run *tree_next(const pgr_world *w, struct cursor *at)
{
    PGR_ASSERT(at->depth > 0 && at->slot[0] < node_at(w, at->node[0])->count);
    at->slot[0]++;
    return run_under(w, at);
}

/* The last run below a node. */
static struct run *last_below(const pgr_world *w, uint32_t row)
{
    struct node *node = node_at(w, row);

    while (node->level > 0)
        node = node_at(w, node->inner.children[node->count - 1]);
    return &node->runs[node->count - 1];
}

struct run *tree_before(const pgr_world *w, const struct cursor *at)
{
    uint32_t level = 1;

    if (at->depth == 0)
        return NULL;
    if (at->slot[0] > 0)
        return &node_at(w, at->node[0])->runs[at->slot[0] - 1];
    while (level < at->depth && at->slot[level] == 0)
        level++;
    if (level >= at->depth)
        return NULL;
    return last_below(w, node_at(w, at->node[level])->inner.children[at->slot[level] - 1]);
}

const struct run *tree_last(const pgr_world *w, const struct tree *tree)
{
    return tree->root == 0 ? NULL : last_below(w, tree->root);
}

/* --- inserting --- */

/* A run of the leaf under the cursor begins at `page` now: no key above it may be greater. */
static void lower_keys(const pgr_world *w, struct cursor *at, uint64_t page)
{
    uint32_t level;

    at->low = min_u64(at->low, page);
    for (level = 1; level < at->depth; level++) {
        struct node *inner = node_at(w, at->node[level]);
        uint64_t *key = &inner->inner.keys[at->slot[level]];

        if (*key > page)
            *key = page;
        if (at->slot[level] > 0)
            return;
    }
}

/* The last run left of the leaf under the cursor has grown to so many pages. */
static void widths_before(const pgr_world *w, const struct cursor *at, uint64_t count)
{
    uint32_t level = 1;
    struct node *node;
    uint32_t slot;

    if (!at->tree->wide)
        return;
    while (at->slot[level] == 0)
        level++;
    /* Down the last children to that leaf, and up from there to the root. */
    slot = at->slot[level] - 1;
    for (node = node_at(w, at->node[level]); node->level > 0; slot = node->count - 1u) {
        node_widths(node)[slot] = max_u64(node_widths(node)[slot], count);
        node = node_at(w, node->inner.children[slot]);
    }
    widths_above(w, at, level);
}

void tree_grow_before(const pgr_world *w, struct cursor *at, struct run *before, uint64_t count)
{
    uint64_t end = run_end(before) + count;
    uint32_t level = 0;

    before->count += count;
    if (at->slot[0] > 0) {
        widths_note(w, at);
        return;
    }
    widths_before(w, at, before->count);
    at->low = max_u64(at->low, end);
    /* Up to the node in which the run before is left of the cursor, and no further. */
    do {
        uint64_t *key;

        level++;
        key = &node_at(w, at->node[level])->inner.keys[at->slot[level]];
        *key = max_u64(*key, end);
    } while (at->slot[level] == 0);
}

/* Inserts a child into a node of this tree, which has room. */
static void child_insert(const pgr_world *w, const struct tree *tree, struct node *inner, uint32_t slot, uint64_t key,
                         uint32_t child)
{
    uint32_t behind = inner->count - slot;

    memmove(&inner->inner.keys[slot + 1], &inner->inner.keys[slot], behind * sizeof(inner->inner.keys[0]));
    memmove(&inner->inner.children[slot + 1], &inner->inner.children[slot], behind * sizeof(inner->inner.children[0]));
    inner->inner.keys[slot] = key;
    inner->inner.children[slot] = child;
    inner->count++;
    if (tree->wide) {
        uint64_t *widths = node_widths(inner);

        memmove(&widths[slot + 1], &widths[slot], behind * sizeof(*widths));
        widths[slot] = node_width(node_at(w, child));
    }
}

static void child_remove(const struct tree *tree, struct node *inner, uint32_t slot)
{
    uint32_t behind = inner->count - slot - 1;

    if (tree->wide)
        memmove(&node_widths(inner)[slot], &node_widths(inner)[slot + 1], behind * sizeof(uint64_t));
    memmove(&inner->inner.keys[slot], &inner->inner.keys[slot + 1], behind * sizeof(inner->inner.keys[0]));
    memmove(&inner->inner.children[slot], &inner->inner.children[slot + 1], behind * sizeof(inner->inner.children[0]));
    inner->count--;
}

/* A new root above the old one. */
static void root_raise(pgr_world *w, struct cursor *at)
{
    struct tree *tree = at->tree;
    uint32_t root = node_take(w, tree, at->depth);

    PGR_ASSERT(at->depth < TREE_DEPTH_MAX);
    child_insert(w, tree, node_at(w, root), 0, 0, tree->root);
    tree->root = root;
    at->node[at->depth] = root;
    at->slot[at->depth] = 0;
    at->depth++;
}

/* Appends what stands at `first` and behind in one node to another one of the same level. */
static void node_append(const struct tree *tree, struct node *to, const struct node *from, uint32_t first)
{
    uint32_t moved = from->count - first;

    if (from->level == 0) {
        memcpy(&to->runs[to->count], &from->runs[first], moved * sizeof(from->runs[0]));
    } else {
        memcpy(&to->inner.keys[to->count], &from->inner.keys[first], moved * sizeof(from->inner.keys[0]));
        memcpy(&to->inner.children[to->count], &from->inner.children[first], moved * sizeof(from->inner.children[0]));
    }
    if (from->level > 0 && tree->wide)
        memcpy(&to->inner.keys[NODE_WIDE + to->count], &from->inner.keys[NODE_WIDE + first], moved * sizeof(uint64_t));
    to->count = (uint16_t)(to->count + moved);
}

/*
 * Splits the full node at this level of the path, in halves; but one at whose end something is to be inserted stays
 * nearly full, so that ascending inserts fill their nodes. The node above has room.
 */
static void node_split(pgr_world *w, struct cursor *at, uint32_t level)
{
    struct node *node = node_at(w, at->node[level]);
    uint32_t fresh = node_take(w, at->tree, level);
    int appending = at->slot[level] + 1u >= node->count;
    uint32_t keep = appending ? node->count - 1u : (node->count + 1u) / 2;
    uint64_t key = level == 0 ? node->runs[keep].page : node->inner.keys[keep];

    node_append(at->tree, node_at(w, fresh), node, keep);
    node->count = (uint16_t)keep;
    if (level + 1 == at->depth)
        root_raise(w, at);
    child_insert(w, at->tree, node_at(w, at->node[level + 1]), at->slot[level + 1] + 1, key, fresh);
    if (at->tree->wide)
        node_widths(node_at(w, at->node[level + 1]))[at->slot[level + 1]] = node_width(node);
    if (at->slot[level] < keep)
        return;
    at->node[level] = fresh;
    at->slot[level] -= keep;
    at->slot[level + 1]++;
}

/* How many runs or children a node at this level has at most. */
static uint32_t node_room(const struct tree *tree, uint32_t level)
{
    if (level == 0)
        return NODE_RUNS;
    return tree->wide ? NODE_WIDE : NODE_CHILDREN;
}

static int node_full(const pgr_world *w, const struct cursor *at, uint32_t level)
{
    return node_at(w, at->node[level])->count == node_room(at->tree, level);
}

void tree_insert(pgr_world *w, struct cursor *at, const struct run *run)
{
    struct node *leaf;
    uint32_t full = 0;

    if (at->tree->root == 0) {
        at->tree->root = node_take(w, at->tree, 0);
        at->depth = 0;
    }
    if (at->depth == 0)
        tree_seek(w, at, run->page);

    /* Every full node from the leaf upwards has to be split, from the top down. */
    while (full < at->depth && node_full(w, at, full))
        full++;
    if (full > 0) {
        while (full > 0)
            node_split(w, at, --full);
        bounds_note(w, at);
    }

    leaf = node_at(w, at->node[0]);
    memmove(&leaf->runs[at->slot[0] + 1], &leaf->runs[at->slot[0]], (leaf->count - at->slot[0]) * sizeof(*run));
    leaf->runs[at->slot[0]] = *run;
    leaf->count++;
    at->tree->run_count++;
    lower_keys(w, at, run->page);
    widths_note(w, at);
}

void tree_set_begin(pgr_world *w, struct cursor *at, uint64_t page)
{
    struct run *run = &node_at(w, at->node[0])->runs[at->slot[0]];

    run->count = run_end(run) - page;
    run->page = page;
    lower_keys(w, at, page);
    widths_note(w, at);
}

void tree_set_end(const pgr_world *w, struct cursor *at, uint64_t end)
{
    struct run *run = &node_at(w, at->node[0])->runs[at->slot[0]];

    run->count = end - run->page;
    widths_note(w, at);
}

/* --- removing --- */

/* Appends what the right node holds to the left one, and frees it. */
static void node_join(pgr_world *w, struct tree *tree, struct node *parent, uint32_t left_slot)
{
    uint32_t right_row = parent->inner.children[left_slot + 1];
    struct node *left = node_at(w, parent->inner.children[left_slot]);
    struct node *right = node_at(w, right_row);

    node_append(tree, left, right, 0);
    if (tree->wide)
        node_widths(parent)[left_slot] = node_width(left);
    child_remove(tree, parent, left_slot + 1);
    node_give(w, tree, right_row);
}

static int nodes_fit(const pgr_world *w, const struct tree *tree, const struct node *parent, uint32_t left_slot)
{
    const struct node *left;
    const struct node *right;

    if (left_slot + 1 >= parent->count)
        return 0;
    left = node_at(w, parent->inner.children[left_slot]);
    right = node_at(w, parent->inner.children[left_slot + 1]);
    return (uint32_t)left->count + right->count <= node_room(tree, left->level);
}

/* Joins the node at this level with a neighbour, or removes it if it is empty. Returns 0 if it stays as it is. */
static int node_thin(pgr_world *w, struct cursor *at, uint32_t level)
{
    uint32_t row = at->node[level];
    struct node *parent = node_at(w, at->node[level + 1]);
    uint32_t slot = at->slot[level + 1];

    if (node_at(w, row)->count == 0) {
        child_remove(at->tree, parent, slot);
        node_give(w, at->tree, row);
        return 1;
    }
    if (node_at(w, row)->count > node_room(at->tree, level) / 2)
        return 0;
    if (nodes_fit(w, at->tree, parent, slot)) {
        node_join(w, at->tree, parent, slot);
        return 1;
    }
    if (slot > 0 && nodes_fit(w, at->tree, parent, slot - 1)) {
        node_join(w, at->tree, parent, slot - 1);
        return 1;
    }
    return 0;
}

/* A root with nothing in it, or with one child only, is none. */
static void root_lower(pgr_world *w, struct tree *tree)
{
    while (tree->root != 0) {
        struct node *root = node_at(w, tree->root);
        uint32_t needed = root->level == 0 ? 1 : 2;
        uint32_t below = 0;

        if (root->count >= needed)
            return;
        if (root->count == 1)
            below = root->inner.children[0];
        node_give(w, tree, tree->root);
        tree->root = below;
    }
}

void tree_erase(pgr_world *w, struct cursor *at)
{
    struct node *leaf = node_at(w, at->node[0]);
    uint32_t slot = at->slot[0];
    uint32_t level = 0;

    memmove(&leaf->runs[slot], &leaf->runs[slot + 1], (leaf->count - slot - 1) * sizeof(leaf->runs[0]));
    leaf->count--;
    at->tree->run_count--;
    widths_note(w, at);

    while (level + 1 < at->depth && node_thin(w, at, level)) {
        level++;
        widths_above(w, at, level);
    }
    if (level == 0 && leaf->count > 0)
        return;
    root_lower(w, at->tree);
    at->depth = 0;
}

void tree_clear(pgr_world *w, struct tree *tree)
{
    struct cursor at = cursor_on(tree);
    uint32_t level;
    uint32_t top;

    if (tree->root == 0)
        return;
    top = node_at(w, tree->root)->level;
    level = top;
    at.node[top] = tree->root;
    at.slot[top] = 0;
    while (level <= top) {
        struct node *node = node_at(w, at.node[level]);

        if (node->level > 0 && at.slot[level] < node->count) {
            at.node[level - 1] = node->inner.children[at.slot[level]++];
            at.slot[--level] = 0;
        } else {
            node_give(w, tree, at.node[level]);
            level++;
        }
    }
    *tree = (struct tree){0};
}
