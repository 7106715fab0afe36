/*
 * Ordered maps of runs. Three steps do everything: look at a piece, cut it out, put another in its place, which
 * joins equal neighbours.
 *
 *   page  0123456789      put a dirty run at [2,5)
 *   old   CCCCCCDD--
 *   cut   CC---CDD--      what is left of a run on both sides stays
 *   put   CCDDDCDD--      joined with a neighbour only if it continues it: same state, same pins, next frame
 */
#include "map.h"

struct piece map_piece(const pgr_world *w, struct cursor *at, uint64_t page, uint64_t end)
{
    const struct run *run = tree_seek(w, at, page);

    if (run == NULL || run->page >= end)
        return (struct piece){.page = page, .count = end - page};
    if (run->page > page)
        return (struct piece){.page = page, .count = run->page - page};
    return (struct piece){
        .page = page,
        .count = min_u64(run_end(run), end) - page,
        .frame = state_has_frame(run->state) ? run->frame + (uint32_t)(page - run->page) : run->frame,
        .state = run->state,
        .pins = run->pins,
        .hint = run->hint,
    };
}

/*
 * An interval that is cut in its middle keeps its awaiting length on the left; what is on the right has none. One
 * that is cut at its front keeps what is left of it.
 */
void map_cut(pgr_world *w, struct cursor *at, uint64_t page, uint64_t count)
{
    struct run *run = tree_seek(w, at, page);
    struct run tail = *run;
    uint64_t end = page + count;

    PGR_ASSERT(run->page <= page && end <= run_end(run));
    tail.page = end;
    tail.count = run_end(run) - end;
    if (state_has_frame(run->state))
        tail.frame = run->frame + (uint32_t)(end - run->page);

    tail.awaiting = run->page < page ? 0 : run->awaiting - min_u64(run->awaiting, count);

    if (run->page < page) {
        tree_set_end(w, at, page);
        if (tail.count > 0) {
            tree_next(w, at);
            tree_insert(w, at, &tail);
        }
    } else if (tail.count > 0) {
        tree_set_begin(w, at, end);
        run->frame = tail.frame;
        run->awaiting = tail.awaiting;
    } else {
        tree_erase(w, at);
    }
}

/* Are these two neighbours one run? */
static int run_continues(const struct run *run, const struct run *behind)
{
    if (run_end(run) != behind->page || run->state != behind->state || run->pins != behind->pins ||
        run->hint != behind->hint)
        return 0;
    if (state_has_frame(run->state))
        return run->frame + run->count == behind->frame;
    return run->frame == behind->frame;
}

void map_put(pgr_world *w, struct cursor *at, const struct run *run)
{
    struct run *behind = tree_seek(w, at, run->page);
    struct run *before = tree_before(w, at);
    int joins_before = before != NULL && run_continues(before, run);
    int joins_behind = behind != NULL && run_continues(run, behind);

    PGR_ASSERT(behind == NULL || run_end(run) <= behind->page);
    if (joins_before) {
        tree_grow_before(w, at, before, run->count + (joins_behind ? behind->count : 0));
        if (joins_behind)
            tree_erase(w, at);
    } else if (joins_behind) {
        tree_set_begin(w, at, run->page);
        behind->frame = run->frame;
        behind->awaiting = run->awaiting;
    } else {
        tree_insert(w, at, run);
    }
}
