/*
 * Who holds which frames.
 *
 * A frame has no record of its own. Two maps of stretches know everything: the free ones, and those that several
 * runs hold (snapshots share frames). A frame in neither is held by exactly one run. So a run of a million frames
 * moves from one VMO to another without a change here, and is freed or shared in one step. Frames are handed out
 * lowest first, zeroed.
 */
#include "frames.h"

#include "map.h"

static struct run stretch_run(uint64_t frame, uint64_t count, uint32_t holders)
{
    return (struct run){.page = frame, .count = count, .frame = holders, .state = STATE_STRETCH};
}

static void stretch_hand_out(pgr_world *w, void *frames, struct stretch stretch)
{
    w->frames_free -= stretch.count;
    memset(frame_bytes(w, frames, stretch.frame), 0, (size_t)to_bytes(w, stretch.count));
}

struct stretch frames_take(pgr_world *w, void *frames, uint64_t count)
{
    struct cursor at = cursor_on(&w->free_frames);
    const struct run *lowest = tree_seek(w, &at, 0);
    struct stretch taken = {(uint32_t)lowest->page, (uint32_t)min_u64(count, lowest->count)};

    map_cut(w, &at, taken.frame, taken.count);
    stretch_hand_out(w, frames, taken);
    return taken;
}

uint32_t frames_find(const pgr_world *w, uint64_t count, uint32_t align)
{
    struct cursor at = cursor_on(&w->free_frames);
    const struct run *run;

    if (align >= 32)
        return 0;
    for (run = tree_seek(w, &at, 0); run != NULL; run = tree_next(w, &at)) {
        uint64_t mask = ((uint64_t)1 << align) - 1;
        uint64_t frame = (run->page + mask) & ~mask;

        if (frame < run_end(run) && count <= run_end(run) - frame)
            return (uint32_t)frame;
    }
    return 0;
}

void frames_take_at(pgr_world *w, void *frames, struct stretch stretch)
{
    struct cursor at = cursor_on(&w->free_frames);

    map_cut(w, &at, stretch.frame, stretch.count);
    stretch_hand_out(w, frames, stretch);
}

/* This part of the frames, which all have as many holders as the first, gets another number of them. */
static void holders_set(pgr_world *w, const struct piece *part, uint32_t holders)
{
    struct cursor shared = cursor_on(&w->shared_frames);
    struct run run = stretch_run(part->page, part->count, holders);

    if (part->state == STATE_STRETCH)
        map_cut(w, &shared, part->page, part->count);
    if (holders > 1)
        map_put(w, &shared, &run);
}

static struct piece shared_piece(const pgr_world *w, uint64_t frame, uint64_t end)
{
    struct cursor at = cursor_on(&w->shared_frames);

    return map_piece(w, &at, frame, end);
}

void frames_share(pgr_world *w, struct stretch stretch)
{
    uint64_t frame = stretch.frame;
    uint64_t end = frame + stretch.count;

    while (frame < end) {
        struct piece part = shared_piece(w, frame, end);

        holders_set(w, &part, part.state == STATE_STRETCH ? part.frame + 1 : 2);
        frame = piece_end(&part);
    }
}

static void stretch_free(pgr_world *w, const struct piece *part)
{
    struct cursor free = cursor_on(&w->free_frames);
    struct run run = stretch_run(part->page, part->count, 0);

    map_put(w, &free, &run);
    w->frames_free += part->count;
}

void frames_release(pgr_world *w, struct stretch stretch)
{
    uint64_t frame = stretch.frame;
    uint64_t end = frame + stretch.count;

    while (frame < end) {
        struct piece part = shared_piece(w, frame, end);

        if (part.state == STATE_STRETCH)
            holders_set(w, &part, part.frame - 1);
        else
            stretch_free(w, &part);
        frame = piece_end(&part);
    }
}

uint32_t frames_shared(const pgr_world *w, struct stretch stretch, int *shared)
{
    struct piece part = shared_piece(w, stretch.frame, (uint64_t)stretch.frame + stretch.count);

    *shared = part.state == STATE_STRETCH;
    return (uint32_t)part.count;
}

uint64_t frames_stretches(const pgr_world *w, uint64_t count)
{
    return min_u64(count, w->free_frames.run_count);
}

/* --- all of them --- */

void frames_make_free(pgr_world *w)
{
    struct cursor at = cursor_on(&w->free_frames);
    const struct run all = {.page = 1, .count = w->config.frame_count - 1u, .state = STATE_STRETCH};

    map_put(w, &at, &all);
    w->frames_free = w->config.frame_count - 1u;
}

uint64_t pgr_frames_used_bytes(const pgr_world *w)
{
    const struct run *last = tree_last(w, &w->free_frames);

    if (last == NULL || run_end(last) != w->config.frame_count)
        return to_bytes(w, w->config.frame_count);
    return to_bytes(w, last->page);
}
