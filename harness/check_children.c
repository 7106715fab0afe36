/*
 * O7 to O9: what children see. Slices and references are their parent's own pages; snapshots begin with its frames;
 * pages that see through to a pager's keep to what they were given at first; and nothing is left where nobody sees it.
 */
#include "harness/check_internal.h"
#include "harness/no_coverage.h"

#include <string.h>

NO_COVERAGE_BEGIN

/* The object, if it is pages; a view of kind 0 if not. */
static pgr_object_view pages_at_row(const pgr_world *w, uint32_t row)
{
    pgr_object_view object;

    if (!row || !pgr_inspect_object(w, row, &object) || object.kind != PGR_OBJECT_PAGES)
        memset(&object, 0, sizeof object);
    return object;
}

/* What these pages themselves hold at a page: PGR_PAGE_NONE if nothing. */
static struct check_sight see_own(const pgr_world *w, uint32_t row, uint64_t page)
{
    struct check_sight sight = {.count = UINT64_MAX - page, .owner = row, .owner_page = page};
    pgr_run_view run;

    if (!pgr_inspect_run(w, row, page, &run) || run.page > UINT64_MAX - run.count)
        return sight;
    if (run.page > page) {
        sight.count = run.page - page;
        return sight;
    }
    uint64_t into = page - run.page;
    sight.count = run.count > into ? run.count - into : 1;
    sight.state = run.state;
    sight.frame = run.frame ? run.frame + (uint32_t)into : 0;
    return sight;
}

struct check_sight check_see(const struct check_context *c, const pgr_world *w, uint32_t pages, uint64_t page)
{
    struct check_sight sight = see_own(w, pages, page);
    pgr_object_view object = pages_at_row(w, pages);

    for (uint32_t depth = 0; depth < c->config.object_count && sight.state == PGR_PAGE_NONE; depth++) {
        if (!object.pages.parent || sight.owner_page >= object.pages.parent_limit_pages)
            break;
        uint64_t count = object.pages.parent_limit_pages - sight.owner_page;
        count = count < sight.count ? count : sight.count;
        sight = see_own(w, object.pages.parent, sight.owner_page + object.pages.parent_offset_pages);
        sight.count = count < sight.count ? count : sight.count;
        object = pages_at_row(w, sight.owner);
    }
    /* Whose window on its parent ends sees zeros for as long as it has nothing itself. */
    sight.absent = sight.state == PGR_PAGE_NONE && object.pages.source;
    return sight;
}

/* --- O7 --- */

#define CHILD_WINDOWS (ZX_VMO_CHILD_SLICE | ZX_VMO_CHILD_REFERENCE)

static int window_of_parent(struct check_context *c, const pgr_call *call, uint32_t row, const pgr_object_view *child,
                            const pgr_object_view *parent)
{
    uint32_t shift = c->config.page_shift;
    int is_slice = ((uint32_t)call->arg[1] & ZX_VMO_CHILD_SLICE) != 0;
    uint64_t offset = parent->vmo.offset_pages + (is_slice ? call->arg[2] >> shift : 0);
    uint64_t size = is_slice ? (call->arg[3] + ((uint64_t)1 << shift) - 1) >> shift : parent->vmo.size_pages;

    if (child->vmo.pages == parent->vmo.pages && child->vmo.offset_pages == offset && child->vmo.size_pages == size)
        return 0;
    return check_violate(c, CHECK_O7,
                         "the new vmo %u shows %llu pages from page %llu of pages %u, its parent vmo %u has pages %u "
                         "from page %llu on",
                         row, (unsigned long long)child->vmo.size_pages, (unsigned long long)child->vmo.offset_pages,
                         child->vmo.pages, c->before.handles[0].handle.object, parent->vmo.pages,
                         (unsigned long long)parent->vmo.offset_pages);
}

static int same_sight(const struct check_sight *a, const struct check_sight *b)
{
    return a->frame == b->frame && a->absent == b->absent;
}

/* Page after page, a new child of `size` pages sees what the parent sees from `offset` on, and zeros behind its end. */
static int begins_as_parent(struct check_context *c, const pgr_world *w, const pgr_call *call,
                            const pgr_object_view *child, const pgr_object_view *parent)
{
    static const struct check_sight zeros = {.count = UINT64_MAX};
    uint64_t offset = call->arg[2] >> c->config.page_shift, size = child->vmo.size_pages, page = 0;

    for (uint32_t i = 0; i < SNAPSHOT_RUNS_MAX && page < size; i++) {
        struct check_sight seen = check_see(c, w, child->vmo.pages, page), there = zeros;
        if (page <= UINT64_MAX - offset && offset + page < parent->vmo.size_pages) {
            there = check_see(c, w, parent->vmo.pages, parent->vmo.offset_pages + offset + page);
            uint64_t left = parent->vmo.size_pages - (offset + page);
            there.count = there.count < left ? there.count : left;
        }
        if (!same_sight(&seen, &there))
            return check_violate(c, CHECK_O7,
                                 "the new %s shows frame %u%s at page %llu, its parent frame %u%s at page %llu",
                                 check_name_pages(c, w, child->vmo.pages), seen.frame, seen.absent ? " (absent)" : "",
                                 (unsigned long long)page, there.frame, there.absent ? " (absent)" : "",
                                 (unsigned long long)(offset + page));
        uint64_t count = seen.count < there.count ? seen.count : there.count;
        page = count > UINT64_MAX - page ? UINT64_MAX : page + count;
    }
    return 0;
}

/* Nothing of the parent's pages moves when a child is made. */
static int parent_kept(struct check_context *c, const pgr_world *w)
{
    uint32_t old_hint = 0, hint = 0;
    const struct snapshot *old_map = &c->maps_before.maps[0], *map = &c->maps_after.maps[0];

    if (!c->maps_before.count || !map->row)
        return 0;
    uint64_t end = old_map->end < map->end ? old_map->end : map->end;
    for (uint64_t page = 0; page < end;) {
        struct segment old = check_segment(c, &c->maps_before, old_map, &old_hint, page);
        struct segment now = check_segment(c, &c->maps_after, map, &hint, page);
        if (old.state != now.state || old.frame != now.frame)
            return check_violate(c, CHECK_O7,
                                 "%s page %llu was %s (frame %u) and is %s (frame %u) now that it has a child",
                                 check_name_pages(c, w, map->row), (unsigned long long)page,
                                 check_state_name(old.state), old.frame, check_state_name(now.state), now.frame);
        uint64_t count = old.count < now.count ? old.count : now.count;
        page += count < end - page ? count : end - page;
    }
    return 0;
}

/* O7 (ours): a slice or a reference is its parent's pages; every other child begins with what its parent shows. */
int check_o7(struct check_context *c, const pgr_world *w, const pgr_call *call, const pgr_result *result)
{
    const struct handle_memo *memo = &c->before.handles[0];
    pgr_handle_view handle;
    pgr_object_view child, parent;

    if (call->number != PGR_CALL_VMO_CREATE_CHILD || result->outcome != PGR_DONE || result->status != ZX_OK ||
        !c->before.handle_count || !memo->row)
        return 0;
    if (!pgr_inspect_handle(w, pgr_inspect_handle_row(w, (zx_handle_t)result->out[4]), &handle) ||
        !pgr_inspect_object(w, handle.object, &child) || child.kind != PGR_OBJECT_VMO ||
        !pgr_inspect_object(w, memo->handle.object, &parent) || parent.kind != PGR_OBJECT_VMO)
        return check_violate(c, CHECK_O7, "zx_vmo_create_child gave out handle 0x%x, which names no VMO",
                             (unsigned)result->out[4]);
    if ((uint32_t)call->arg[1] & CHILD_WINDOWS)
        return window_of_parent(c, call, handle.object, &child, &parent);
    int found = begins_as_parent(c, w, call, &child, &parent);
    return found ? found : parent_kept(c, w);
}

/* --- O8 --- */

static int chain_good(struct check_context *c, const pgr_world *w, uint32_t row, const pgr_object_view *pages)
{
    uint64_t limit = pages->pages.parent_limit_pages, offset = pages->pages.parent_offset_pages;
    const pgr_object_view *parent = pages;
    uint32_t root = row;

    if (pages->pages.source)
        return check_violate(c, CHECK_O8, "%s has a pager and sees through to pages %u", check_name_pages(c, w, row),
                             pages->pages.parent);
    for (uint32_t depth = 0; parent->pages.parent; depth++) {
        root = parent->pages.parent;
        if (root >= c->config.object_count || c->walk.objects[root].kind != PGR_OBJECT_PAGES ||
            depth == c->walk.row_count)
            return check_violate(c, CHECK_O8, "%s sees through to object %u, at which the chain goes wrong",
                                 check_name_pages(c, w, row), root);
        parent = &c->walk.objects[root];
    }
    if (!parent->pages.source)
        return check_violate(c, CHECK_O8, "%s sees through to pages %u, which have no pager",
                             check_name_pages(c, w, row), root);
    parent = &c->walk.objects[pages->pages.parent];
    if (limit > pages->pages.size_pages ||
        (limit && (offset > parent->pages.size_pages || limit > parent->pages.size_pages - offset)))
        return check_violate(c, CHECK_O8, "%s of %llu pages sees %llu pages of %s, from page %llu on, which has %llu",
                             check_name_pages(c, w, row), (unsigned long long)pages->pages.size_pages,
                             (unsigned long long)limit, check_name_pages(c, w, pages->pages.parent),
                             (unsigned long long)offset, (unsigned long long)parent->pages.size_pages);
    return 0;
}

/* O8 (ours): pages see through to live pages, inside of them; at the end of the chain are those of a pager. */
int check_o8(struct check_context *c, const pgr_world *w)
{
    int found = 0;

    for (uint32_t i = 0; i < c->walk.row_count && !found; i++) {
        uint32_t row = c->walk.rows[i];
        const pgr_object_view *object = &c->walk.objects[row];
        if (object->kind == PGR_OBJECT_PAGES && object->pages.parent)
            found = chain_good(c, w, row, object);
    }
    return found;
}

/* O8 of what the call touched: what pages see of others never changes, but that it becomes less. */
int check_o8_touched(struct check_context *c, const pgr_world *w)
{
    for (uint32_t i = 0; i < c->maps_before.count; i++) {
        const struct snapshot *old = &c->maps_before.maps[i], *now = &c->maps_after.maps[i];
        if (!now->row)
            continue;
        if (now->parent != old->parent || now->parent_limit_pages > old->parent_limit_pages ||
            (now->parent && now->parent_offset_pages != old->parent_offset_pages))
            return check_violate(
                c, CHECK_O8,
                "%s saw %llu pages from page %llu of pages %u and sees %llu from page %llu of pages %u now",
                check_name_pages(c, w, now->row), (unsigned long long)old->parent_limit_pages,
                (unsigned long long)old->parent_offset_pages, old->parent, (unsigned long long)now->parent_limit_pages,
                (unsigned long long)now->parent_offset_pages, now->parent);
    }
    return 0;
}

/* --- O9 --- */

/* Pages that a thread's unfinished zx_vmo_transfer_data has taken, which nobody else sees yet. */
int check_is_taken(const struct check_context *c, const pgr_world *w, uint32_t row)
{
    for (uint32_t thread = 0; thread < c->config.thread_count; thread++) {
        pgr_thread_view t;
        if (pgr_inspect_thread(w, thread, &t) && t.call == PGR_CALL_VMO_TRANSFER_DATA)
            return row != 0;
    }
    return 0;
}

/*
 * O9 (ours): pages are shown by a VMO, or seen by other pages; so no frame is reachable from a closed hierarchy alone.
 * After check_h1, which counts who sees what, and check_o8, by which chains end.
 */
int check_o9(struct check_context *c, const pgr_world *w)
{
    for (uint32_t i = 0; i < c->walk.row_count; i++) {
        uint32_t row = c->walk.rows[i];
        const pgr_object_view *pages = &c->walk.objects[row];
        if (pages->kind == PGR_OBJECT_PAGES && !pages->pages.vmo_count && !c->walk.seers[row] &&
            !check_is_taken(c, w, row))
            return check_violate(c, CHECK_O9, "pages %u hold %llu frames, and no VMO shows them and no pages see them",
                                 row, (unsigned long long)pages->pages.frames_held);
    }
    return 0;
}

NO_COVERAGE_END
