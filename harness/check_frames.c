/*
 * O1 to O5: who holds which frames, and whether the maps that say so are in order.
 *
 * check_walk calls O3 first: a map that passed it has runs that end, go up and lie inside the frame table, so that the
 * others may count their frames.
 */
#include "harness/check_internal.h"
#include "harness/no_coverage.h"

#include <stdio.h>
#include <string.h>

NO_COVERAGE_BEGIN

static int has_frame(uint32_t state)
{
    return state >= PGR_PAGE_ANONYMOUS && state <= PGR_PAGE_AWAITING_CLEAN;
}

/* --- O3 --- */

static int state_fits(const pgr_object_view *pages, const pgr_run_view *run)
{
    if (run->state == PGR_PAGE_NONE || run->state >= PGR_PAGE_STATE_COUNT)
        return 0;
    /* Pages with a pager know clean and dirty; the others have bytes or hide a relative's page. */
    if (!pages->pages.source)
        return run->state == PGR_PAGE_ANONYMOUS || run->state == PGR_PAGE_MARKER;
    return run->state != PGR_PAGE_ANONYMOUS;
}

static int continues(const pgr_run_view *before, const pgr_run_view *run)
{
    if (before->page + before->count != run->page || before->state != run->state || before->pins != run->pins ||
        before->hint != run->hint)
        return 0;
    return !has_frame(run->state) || before->frame + before->count == run->frame;
}

/* One run by itself, then against the one before it (count 0: none). `page` is the page that was asked for. */
static int run_in_order(struct check_context *c, const pgr_world *w, uint32_t row, const pgr_object_view *pages,
                        const pgr_run_view *before, const pgr_run_view *run, uint64_t page)
{
    unsigned long long first = run->page, count = run->count;

    if (!run->count || run->page > UINT64_MAX - run->count || run->page + run->count <= page)
        return check_violate(c, CHECK_O3,
                             "%s: the run of %llu pages from page %llu (frame %u) was given as the one that ends "
                             "behind page %llu",
                             check_name_pages(c, w, row), count, first, run->frame, (unsigned long long)page);
    if (before->count && run->page < before->page + before->count)
        return check_violate(c, CHECK_O3,
                             "%s: the run from page %llu (frame %u) begins inside the one of %llu pages from page %llu",
                             check_name_pages(c, w, row), first, run->frame, (unsigned long long)before->count,
                             (unsigned long long)before->page);
    if (run->page + run->count > pages->pages.size_pages)
        return check_violate(
            c, CHECK_O3, "%s: the run of %llu pages from page %llu (frame %u) ends behind the size of %llu pages",
            check_name_pages(c, w, row), count, first, run->frame, (unsigned long long)pages->pages.size_pages);
    if (!state_fits(pages, run))
        return check_violate(c, CHECK_O3, "%s page %llu (frame %u) is in state %s, which pages %s a pager cannot have",
                             check_name_pages(c, w, row), first, run->frame, check_state_name(run->state),
                             pages->pages.source ? "with" : "without");
    if (has_frame(run->state) ? !check_frames_inside(c, run->frame, run->count)
                              : run->frame != 0 || run->pins != 0 || run->hint != 0)
        return check_violate(
            c, CHECK_O3, "%s: the run of %llu pages from page %llu is %s, yet has frame %u, %u pins and hint %u",
            check_name_pages(c, w, row), count, first, check_state_name(run->state), run->frame, run->pins, run->hint);
    if (run->hint > (pages->pages.source ? PGR_HINT_ALWAYS_NEED : PGR_HINT_NONE) ||
        (run->awaiting && run->state != PGR_PAGE_INTERVAL))
        return check_violate(c, CHECK_O3,
                             "%s: the run of %llu pages from page %llu is %s, yet has hint %u and awaits %llu pages",
                             check_name_pages(c, w, row), count, first, check_state_name(run->state), run->hint,
                             (unsigned long long)run->awaiting);
    if (before->count && continues(before, run))
        return check_violate(
            c, CHECK_O3,
            "%s: the run from page %llu (%s, frame %u) continues the one from page %llu (frame %u) and "
            "should be part of it",
            check_name_pages(c, w, row), first, check_state_name(run->state), run->frame,
            (unsigned long long)before->page, before->frame);
    return 0;
}

static int map_in_order(struct check_context *c, const pgr_world *w, uint32_t row, const pgr_object_view *pages,
                        uint64_t runs_max)
{
    pgr_run_view before = {0}, run;
    uint64_t page = 0;

    for (uint64_t i = 0; i < runs_max && pgr_inspect_run(w, row, page, &run); i++) {
        int found = run_in_order(c, w, row, pages, &before, &run, page);
        if (found)
            return found;
        before = run;
        page = run.page + run.count;
    }
    if (runs_max > c->config.run_count && pgr_inspect_run(w, row, page, &run))
        return check_violate(c, CHECK_O3,
                             "%s has more than %u runs, of which the next is from page %llu (frame %u): more than the "
                             "world can hold",
                             check_name_pages(c, w, row), c->config.run_count, (unsigned long long)run.page, run.frame);
    return 0;
}

/*
 * O3: the runs of a map are sorted and disjoint, lie inside the VMO, are in a state that its kind of pages can have,
 * and neighbours that continue each other are one run.
 */
int check_o3(struct check_context *c, const pgr_world *w)
{
    for (uint32_t i = 0; i < c->walk.row_count; i++) {
        uint32_t row = c->walk.rows[i];
        const pgr_object_view *object = &c->walk.objects[row];
        if (object->kind != PGR_OBJECT_PAGES)
            continue;
        int found = map_in_order(c, w, row, object, (uint64_t)c->config.run_count + 1);
        if (found)
            return found;
    }
    return 0;
}

/* O3 of the maps that the call touched, from the snapshot that was taken after it. */
int check_o3_touched(struct check_context *c, const pgr_world *w)
{
    for (uint32_t i = 0; i < c->maps_after.count; i++) {
        const struct snapshot *map = &c->maps_after.maps[i];
        const struct run_copy *copies = &c->maps_after.runs[map->first_run];
        pgr_object_view object = {.kind = PGR_OBJECT_PAGES};
        pgr_run_view before = {0};
        uint64_t page = map->begin;

        object.pages.source = map->source;
        object.pages.size_pages = map->size_pages;
        for (uint32_t j = 0; j < map->run_count && map->row; j++) {
            pgr_run_view run = {.page = copies[j].page,
                                .count = copies[j].count,
                                .state = copies[j].state,
                                .frame = copies[j].frame,
                                .pins = copies[j].pins,
                                .hint = copies[j].hint,
                                .awaiting = copies[j].awaiting};
            int found = run_in_order(c, w, map->row, &object, &before, &run, page);
            if (found)
                return found;
            before = run;
            page = run.page + run.count;
        }
    }
    return 0;
}

/* --- O1, O4: count the holders --- */

/* " (vmo 3 (pages 2) page 4, vmo 5 (pages 6) page 0)": the first holders of a frame, found again for the message. */
static const char *name_holders(const struct check_context *c, const pgr_world *w, uint32_t frame)
{
    static _Thread_local char text[200];
    size_t used = 0;

    text[0] = 0;
    for (uint32_t i = 0; i < c->walk.row_count && used < sizeof text - 80; i++) {
        uint32_t row = c->walk.rows[i];
        pgr_run_view run;
        uint64_t page = 0;
        if (c->walk.objects[row].kind != PGR_OBJECT_PAGES)
            continue;
        for (uint64_t n = 0; n <= c->config.run_count && pgr_inspect_run(w, row, page, &run) && used < sizeof text - 80;
             n++) {
            if (has_frame(run.state) && frame >= run.frame && frame - run.frame < run.count)
                used +=
                    (size_t)snprintf(text + used, sizeof text - used, "%s%s page %llu", used ? ", " : "",
                                     check_name_pages(c, w, row), (unsigned long long)(run.page + frame - run.frame));
            page = run.page + run.count;
        }
    }
    return used ? text : "nobody";
}

static int count_run(struct check_context *c, const pgr_world *w, uint32_t row, const pgr_run_view *run)
{
    struct walk *walk = &c->walk;

    for (uint32_t frame = run->frame; frame < run->frame + run->count; frame++) {
        if (walk->holders[frame]++ == 0) {
            walk->owners[frame] = row;
            continue;
        }
        if (walk->owners[frame] == row || walk->rings[walk->owners[frame]] != walk->rings[row])
            return check_violate(c, CHECK_O4, "frame %u is shared by %s, who are no copy-on-write relatives", frame,
                                 name_holders(c, w, frame));
    }
    return 0;
}

static int count_holders(struct check_context *c, const pgr_world *w, uint32_t row)
{
    pgr_run_view run;
    uint64_t page = 0;

    for (uint64_t n = 0; n <= c->config.run_count && pgr_inspect_run(w, row, page, &run); n++) {
        int found = has_frame(run.state) ? count_run(c, w, row, &run) : 0;
        if (found)
            return found;
        page = run.page + run.count;
    }
    return 0;
}

/* Gives every pages object the number of its ring of relatives: the first row met. */
static int number_rings(struct check_context *c, const pgr_world *w)
{
    struct walk *walk = &c->walk;

    for (uint32_t i = 0; i < walk->row_count; i++) {
        uint32_t first = walk->rows[i], row = first;
        if (walk->objects[first].kind != PGR_OBJECT_PAGES || walk->rings[first])
            continue;
        do {
            if (row >= c->config.object_count || walk->objects[row].kind != PGR_OBJECT_PAGES || walk->rings[row])
                return check_violate(c, CHECK_O4, "the ring of relatives that %s is in leads to object %u and not back",
                                     check_name_pages(c, w, first), row);
            walk->rings[row] = first;
            row = walk->objects[row].pages.family;
        } while (row != first);
    }
    return 0;
}

/*
 * O4: a frame is shared only between a VMO and its copy-on-write relatives, once in each; the ring of relatives closes.
 * Counts the holders of every frame on the way.
 */
int check_o4(struct check_context *c, const pgr_world *w)
{
    struct walk *walk = &c->walk;
    int found = number_rings(c, w);

    memset(walk->holders, 0, sizeof *walk->holders * c->config.frame_count);
    for (uint32_t i = 0; i < walk->row_count && !found; i++)
        if (walk->objects[walk->rows[i]].kind == PGR_OBJECT_PAGES)
            found = count_holders(c, w, walk->rows[i]);
    return found;
}

/* The record of a frame, and how many frames from it on (at least 1) the record speaks of. */
static uint32_t frame_record(const struct check_context *c, const pgr_world *w, uint32_t frame, uint32_t *holders)
{
    pgr_frames_view view;

    if (!pgr_inspect_frames(w, frame, &view) || view.frame > frame || view.count <= frame - view.frame)
        return 0;
    *holders = view.holders;
    uint32_t count = view.count - (frame - view.frame);
    return count < c->config.frame_count - frame ? count : c->config.frame_count - frame;
}

/* O1: a frame is free, or held by exactly as many runs as its record says. After check_o4, which has counted. */
int check_o1(struct check_context *c, const pgr_world *w)
{
    uint32_t recorded = 0;

    for (uint32_t frame = 1; frame < c->config.frame_count;) {
        uint32_t count = frame_record(c, w, frame, &recorded);
        if (!count)
            return check_violate(c, CHECK_O2, "frame %u has no record", frame);
        for (; count; count--, frame++)
            if (c->walk.holders[frame] != recorded)
                return check_violate(c, CHECK_O1, "frame %u is held %u times (%s), its count says %u", frame,
                                     c->walk.holders[frame], name_holders(c, w, frame), recorded);
    }
    return 0;
}

/* O2: free frames and frames in use are all frames; none is lost. */
int check_o2(struct check_context *c, const pgr_world *w)
{
    pgr_inspect_counts counts;
    uint32_t free_count = 0, holders = 0;

    pgr_inspect_world(w, &counts);
    for (uint32_t frame = 1, count; frame < c->config.frame_count; frame += count) {
        count = frame_record(c, w, frame, &holders);
        if (!count)
            return check_violate(c, CHECK_O2, "frame %u has no record", frame);
        free_count += holders ? 0 : count;
    }
    if (free_count != counts.frames_free)
        return check_violate(c, CHECK_O2, "%u frames are said to be free, %u of %u are", counts.frames_free, free_count,
                             c->config.frame_count - 1);
    return 0;
}

/* --- O5 --- */

static int is_contiguous_whole(struct check_context *c, const pgr_world *w, uint32_t row, const pgr_object_view *pages)
{
    uint64_t page = 0;
    uint32_t frame = 0;
    pgr_run_view run;

    while (page < pages->pages.size_pages) {
        if (!pgr_inspect_run(w, row, page, &run) || run.page > page || !has_frame(run.state))
            return check_violate(c, CHECK_O5, "contiguous %s has no frame at page %llu (frame %u would follow)",
                                 check_name_pages(c, w, row), (unsigned long long)page, frame);
        if (page && run.frame != frame)
            return check_violate(c, CHECK_O5,
                                 "contiguous %s has frame %u at page %llu, not frame %u, which would follow",
                                 check_name_pages(c, w, row), run.frame, (unsigned long long)page, frame);
        page = run.page + run.count;
        frame = run.frame + (uint32_t)run.count;
    }
    return 0;
}

/*
 * How many pinned memory tokens cover this page of these pages? `until` is lowered to the next page where that may
 * change.
 */
static uint32_t count_pins(const struct walk *walk, uint32_t row, uint64_t page, uint64_t *until)
{
    uint32_t pins = 0;

    for (uint32_t i = 0; i < walk->pmt_count; i++) {
        const pgr_object_view *pmt = &walk->objects[walk->pmts[i]];
        uint64_t begin = pmt->pmt.offset_pages, end = begin + pmt->pmt.count_pages;
        if (pmt->pmt.pages != row || end <= page)
            continue;
        if (begin > page) {
            *until = begin < *until ? begin : *until;
            continue;
        }
        pins++;
        *until = end < *until ? end : *until;
    }
    return pins;
}

/* Every page has as many pins as tokens cover it, and each pin is on a frame. */
static int pins_are_held(struct check_context *c, const pgr_world *w, uint32_t row, const pgr_object_view *pages)
{
    uint64_t page = 0;

    while (page < pages->pages.size_pages) {
        pgr_run_view run;
        uint64_t end = pages->pages.size_pages;
        int is_there = pgr_inspect_run(w, row, page, &run);
        if (is_there && run.page > page)
            end = run.page;
        if (is_there && run.page <= page)
            end = run.page + run.count;
        uint32_t pins = is_there && run.page <= page ? run.pins : 0, tokens = count_pins(&c->walk, row, page, &end);
        if (pins != tokens)
            return check_violate(c, CHECK_O5, "%s page %llu (frame %u) has %u pins, and %u tokens pin it",
                                 check_name_pages(c, w, row), (unsigned long long)page,
                                 is_there && run.page <= page ? run.frame : 0, pins, tokens);
        page = end;
    }
    return 0;
}

/* O5: a contiguous VMO has all its pages, on consecutive frames; a page has a frame while a token pins it. */
int check_o5(struct check_context *c, const pgr_world *w)
{
    int found = 0;

    for (uint32_t i = 0; i < c->walk.row_count && !found; i++) {
        uint32_t row = c->walk.rows[i];
        const pgr_object_view *pages = &c->walk.objects[row];
        if (pages->kind != PGR_OBJECT_PAGES || (pages->flags & PGR_PAGES_PHYSICAL))
            continue;
        if (pages->flags & PGR_PAGES_CONTIGUOUS)
            found = is_contiguous_whole(c, w, row, pages);
        if (!found && (pages->pages.pins || c->walk.pmt_count))
            found = pins_are_held(c, w, row, pages);
    }
    return found;
}

/* Who may take a pin away: what ends a token, and a pin that fails after some of its steps. */
static int may_unpin(const struct check_context *c)
{
    return c->before.operation == OPERATION_LET_GO || c->before.call == PGR_CALL_BTI_PIN ||
           c->before.call == PGR_CALL_HANDLE_CLOSE_MANY || c->before.call == PGR_CALL_PROCESS_EXIT;
}

static int pins_kept(struct check_context *c, const pgr_world *w, const struct snapshot *old_map,
                     const struct snapshot *map)
{
    uint64_t end = old_map->end < map->end ? old_map->end : map->end;
    const struct run_copy *runs = &c->maps_before.runs[old_map->first_run];
    uint32_t hint = 0;

    for (uint32_t i = 0; i < old_map->run_count; i++) {
        if (!runs[i].pins || runs[i].page >= end || runs[i].page < map->begin)
            continue;
        /* The run as a whole: a page that keeps its pin keeps its frame. */
        for (uint64_t page = runs[i].page; page < end && page - runs[i].page < runs[i].count;) {
            struct segment now = check_segment(c, &c->maps_after, map, &hint, page);
            uint32_t frame = runs[i].frame + (uint32_t)(page - runs[i].page);
            if (now.pins ? now.frame != frame : !may_unpin(c))
                return check_violate(
                    c, CHECK_O5, "%s page %llu was pinned on frame %u and has frame %u and %u pins now",
                    check_name_pages(c, w, map->row), (unsigned long long)page, frame, now.frame, now.pins);
            page += now.count;
        }
    }
    return 0;
}

/* O5 of what the call touched: a pinned page keeps its frame. */
int check_o5_touched(struct check_context *c, const pgr_world *w)
{
    int found = 0;

    for (uint32_t i = 0; i < c->maps_before.count && !found; i++)
        if (c->maps_after.maps[i].row)
            found = pins_kept(c, w, &c->maps_before.maps[i], &c->maps_after.maps[i]);
    return found;
}

NO_COVERAGE_END
