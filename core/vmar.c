/*
 * Address space: regions in VMARs, which are mappings or other VMARs, and the holes between them.
 *
 * A VMAR knows its regions and its holes, each in a map by page number of the address. The holes' map is wide, so
 * that the lowest one that is long enough is found without looking at the others. A mapping is an object that
 * nothing but its VMAR refers to; it keeps its VMO alive.
 */
#include "vmar.h"

#include "map.h"

void vmar_make_empty(pgr_world *w, uint32_t row, uint64_t page, uint64_t count)
{
    struct vmar *vmar = vmar_at(w, row);
    struct cursor holes = cursor_on(&vmar->holes);

    vmar->page = page;
    vmar->count = count;
    vmar->holes.wide = 1;
    map_put(w, &holes, &(struct run){.page = page, .count = count, .state = STATE_STRETCH});
}

/* --- finding --- */

struct region region_at(const pgr_world *w, uint32_t vmar, uint64_t page)
{
    while (vmar != 0) {
        struct cursor at = cursor_on(&vmar_at(w, vmar)->regions);
        const struct run *run = tree_seek(w, &at, page);

        if (run == NULL || run->page > page)
            return (struct region){0};
        if (run->state == STATE_MAPPING)
            return (struct region){.row = run->frame, .vmar = vmar, .page = run->page, .count = run->count};
        vmar = run->frame;
    }
    /* The process has ended, and its address space with it. */
    return (struct region){0};
}

/* The row of a region that will be looked at is fetched while other work goes on. */
static void region_prefetch(const pgr_world *w, uint32_t row)
{
    const char *line = (const char *)object_at(w, row);
    const char *end = line + sizeof(struct object);

    for (; line < end; line += 64)
        __builtin_prefetch(line);
}

/* The first aligned page of a hole behind which there is room enough; 0 if there is none. */
static uint64_t hole_fit(const struct run *hole, uint64_t count, uint32_t align)
{
    uint64_t mask = ((uint64_t)1 << align) - 1;
    uint64_t page = (hole->page + mask) & ~mask;

    return in_range(page - hole->page, count, hole->count) ? page : 0;
}

uint64_t vmar_find_hole(const pgr_world *w, uint32_t row, uint64_t count, uint32_t align, uint64_t limit)
{
    const struct vmar *vmar = vmar_at(w, row);
    struct cursor at = cursor_on(&vmar->holes);
    const struct run *hole;

    while ((hole = tree_seek_wide(w, &at, count)) != NULL) {
        uint64_t page = hole_fit(hole, count, align);

        if (hole->page >= limit)
            return 0;
        if (page != 0 && page + count <= limit)
            return page;
        at.slot[0]++;
    }
    return 0;
}

int vmar_is_free(const pgr_world *w, uint32_t vmar, uint64_t page, uint64_t count)
{
    struct cursor at = cursor_on(&vmar_at(w, vmar)->regions);
    const struct run *run = tree_seek(w, &at, page);

    return run == NULL || run->page >= page + count;
}

int vmar_child_touched(const pgr_world *w, uint32_t vmar, uint64_t page, uint64_t count, int partly)
{
    struct cursor at = cursor_on(&vmar_at(w, vmar)->regions);
    const struct run *run;

    for (run = tree_seek(w, &at, page); run != NULL && run->page < page + count; run = tree_next(w, &at)) {
        int covered = run->page >= page && run_end(run) <= page + count;

        region_prefetch(w, run->frame);
        if (run->state == STATE_VMAR && (!partly || !covered))
            return 1;
    }
    return 0;
}

/* --- putting and removing --- */

void region_put(pgr_world *w, uint32_t row, uint64_t page, uint64_t count, uint32_t region)
{
    uint8_t state = object_at(w, region)->kind == PGR_OBJECT_MAPPING ? STATE_MAPPING : STATE_VMAR;
    struct vmar *vmar = vmar_at(w, row);
    struct cursor holes = cursor_on(&vmar->holes);
    struct cursor regions = cursor_on(&vmar->regions);

    map_cut(w, &holes, page, count);
    map_put(w, &regions, &(struct run){.page = page, .count = count, .frame = region, .state = state});
}

/* [page, page + count), which lies in one region, is a hole from now on. */
static void region_remove(pgr_world *w, uint32_t row, struct cursor *regions, uint64_t page, uint64_t count)
{
    struct cursor holes = cursor_on(&vmar_at(w, row)->holes);

    map_cut(w, regions, page, count);
    map_put(w, &holes, &(struct run){.page = page, .count = count, .state = STATE_STRETCH});
}

uint32_t mapping_make(pgr_world *w, const struct mapping *mapping)
{
    uint32_t row = object_make(w, PGR_OBJECT_MAPPING);

    object_at(w, row)->mapping = *mapping;
    object_reference(w, row);
    object_reference(w, mapping->vmo);
    vmo_at(w, mapping->vmo)->mapping_count++;
    return row;
}

static void mapping_end(pgr_world *w, uint32_t row)
{
    uint32_t vmo = object_at(w, row)->mapping.vmo;

    vmo_at(w, vmo)->mapping_count--;
    object_release(w, vmo);
    object_release(w, row);
}

uint32_t mapping_split(pgr_world *w, uint32_t vmar, uint32_t row, uint64_t page)
{
    struct cursor at = cursor_on(&vmar_at(w, vmar)->regions);
    struct run *run = tree_seek(w, &at, page);
    struct mapping mapping = object_at(w, row)->mapping;
    struct run right = *run;

    mapping.offset_pages += page - run->page;
    right.frame = mapping_make(w, &mapping);
    right.page = page;
    right.count = run_end(run) - page;
    tree_set_end(w, &at, page);
    map_put(w, &at, &right);
    return right.frame;
}

/* A VMAR that ends has nothing inside any more, and is told so to those that hold handles to it. */
static void vmar_end(pgr_world *w, uint32_t row)
{
    struct vmar *vmar = vmar_at(w, row);

    tree_clear(w, &vmar->holes);
    tree_clear(w, &vmar->regions);
    object_at(w, row)->flags |= PGR_VMAR_DESTROYED;
    object_release(w, row);
}

/* Ends what is in a VMAR, and in those inside of it, from the bottom up. */
static void vmar_empty(pgr_world *w, uint32_t top)
{
    uint32_t row = top;

    for (;;) {
        struct vmar *vmar = vmar_at(w, row);
        struct cursor at = cursor_on(&vmar->regions);
        const struct run *run = tree_seek(w, &at, 0);

        if (run == NULL) {
            uint32_t parent = vmar->parent;

            if (row == top)
                return;
            row = parent;
            at = cursor_on(&vmar_at(w, row)->regions);
            run = tree_seek(w, &at, vmar->page);
            vmar_end(w, run->frame);
            tree_erase(w, &at);
        } else if (run->state == STATE_MAPPING) {
            mapping_end(w, run->frame);
            tree_erase(w, &at);
        } else {
            row = run->frame;
        }
    }
}

void vmar_destroy(pgr_world *w, uint32_t row)
{
    const struct vmar *vmar = vmar_at(w, row);

    vmar_empty(w, row);
    if (vmar->parent != 0) {
        struct cursor regions = cursor_on(&vmar_at(w, vmar->parent)->regions);

        region_remove(w, vmar->parent, &regions, vmar->page, vmar->count);
    }
    vmar_end(w, row);
}

void vmar_unmap(pgr_world *w, uint32_t vmar, uint64_t page, uint64_t count)
{
    struct cursor at = cursor_on(&vmar_at(w, vmar)->regions);
    uint64_t end = page + count;
    const struct run *run;

    while ((run = tree_seek(w, &at, page)) != NULL && run->page < end) {
        uint32_t region = run->frame;
        uint64_t first = max_u64(run->page, page);
        uint64_t last = min_u64(run_end(run), end);

        if (run->state == STATE_VMAR) {
            vmar_destroy(w, region);
            at.depth = 0;
        } else if (last < run_end(run) && first > run->page) {
            mapping_split(w, vmar, region, last);
            at.depth = 0;
            region_remove(w, vmar, &at, first, last - first);
        } else {
            if (last < run_end(run))
                object_at(w, region)->mapping.offset_pages += last - run->page;
            if (first == run->page && last == run_end(run))
                mapping_end(w, region);
            region_remove(w, vmar, &at, first, last - first);
        }
        page = last;
    }
}

int vmar_cuts(const pgr_world *w, uint32_t vmar, uint64_t page, uint32_t perms)
{
    struct region region = region_at(w, vmar, page);

    return region.row != 0 && region.page < page && object_at(w, region.row)->mapping.perms != perms;
}

int vmar_splits(const pgr_world *w, uint32_t vmar, uint64_t page, uint64_t count)
{
    struct region first = region_at(w, vmar, page);

    return first.row != 0 && first.page < page && page + count < first.page + first.count;
}
