/*
 * O6: copy on write keeps relatives apart. Relatives of a VMO's pages are those that share frames with them, those that
 * they see through to, and those that see them. What a call does to one is not written into another: what another sees
 * of it changes only where it has nothing itself, which is what SNAPSHOT_AT_LEAST_ON_WRITE may do. And giving a page a
 * frame of its own keeps its bytes.
 */
#include "harness/check_internal.h"
#include "harness/no_coverage.h"

#include <string.h>

NO_COVERAGE_BEGIN

static int relative_kept(struct check_context *c, const pgr_world *w, const void *frames,
                         const struct snapshot *old_map, const struct snapshot *map)
{
    uint64_t end = old_map->end < map->end ? old_map->end : map->end;
    uint32_t old_hint = 0, hint = 0;

    for (uint64_t page = old_map->begin; page < end;) {
        struct segment old = check_segment(c, &c->maps_before, old_map, &old_hint, page);
        struct segment now = check_segment(c, &c->maps_after, map, &hint, page);
        uint64_t count = old.count < now.count ? old.count : now.count, different = 0;
        count = count < end - page ? count : end - page;
        if (old.state != now.state || old.frame != now.frame ||
            (old.frame && !check_bytes_kept(c, frames, old.bytes, old.frame, now.frame, count, &different)))
            return check_violate(c, CHECK_O6,
                                 "%s page %llu (frame %u, now frame %u) has changed, though the call was about a "
                                 "relative",
                                 check_name_pages(c, w, map->row), (unsigned long long)(page + different),
                                 old.frame ? old.frame + (uint32_t)different : 0,
                                 now.frame ? now.frame + (uint32_t)different : 0);
        page += count;
    }
    return 0;
}

/* The bytes [begin, end) of the pages that a call may write; empty for calls that write none. */
struct written {
    uint64_t begin, end;
};

static struct written written_by(const struct check_context *c, const pgr_call *call)
{
    uint64_t base = c->before.handle_count ? c->before.handles[0].object.vmo.offset_pages << c->config.page_shift : 0;

    if (call->number != PGR_CALL_VMO_WRITE || call->arg[3] > UINT64_MAX - call->arg[2])
        return (struct written){0, 0};
    return (struct written){base + call->arg[2], base + call->arg[2] + call->arg[3]};
}

/* Is a page of `bytes` bytes at this offset the same outside of what was written? */
static int same_outside(const uint8_t *old, const uint8_t *now, uint64_t offset, size_t bytes,
                        const struct written *written)
{
    uint64_t head = written->begin > offset ? written->begin - offset : 0;
    uint64_t tail = written->end > offset ? written->end - offset : 0;

    if (head >= bytes || tail == 0 || written->begin >= written->end)
        return memcmp(old, now, bytes) == 0;
    return memcmp(old, now, (size_t)head) == 0 &&
           (tail >= bytes || memcmp(old + tail, now + tail, bytes - (size_t)tail) == 0);
}

static int run_kept(struct check_context *c, const pgr_world *w, const void *frames, const struct run_copy *run,
                    const struct snapshot *map, const struct written *written)
{
    uint32_t shift = c->config.page_shift, hint = 0;

    for (uint64_t i = 0; i < run->count && run->page + i < map->end; i++) {
        struct segment now = check_segment(c, &c->maps_after, map, &hint, run->page + i);
        const uint8_t *old = c->bytes + run->bytes + ((size_t)i << shift);
        if (check_frames_inside(c, now.frame, 1) &&
            same_outside(old, (const uint8_t *)frames + ((size_t)now.frame << shift), (run->page + i) << shift,
                         (size_t)1 << shift, written))
            continue;
        return check_violate(
            c, CHECK_O6, "%s page %llu (frame %u, now frame %u) has other bytes where nothing was written",
            check_name_pages(c, w, map->row), (unsigned long long)(run->page + i), run->frame + (uint32_t)i, now.frame);
    }
    return 0;
}

static const struct snapshot *snapshot_of(const struct check_context *c, uint32_t row)
{
    for (uint32_t i = 0; i < c->maps_before.count; i++)
        if (c->maps_before.maps[i].row == row)
            return &c->maps_before.maps[i];
    return NULL;
}

/*
 * The bytes that were seen before the call at a page of which the map had nothing: an ancestor's, or null for zeros.
 * Not known: nobody had the page, or its bytes were not copied.
 */
static const uint8_t *seen_before(const struct check_context *c, const struct snapshot *map, uint64_t page, int *known)
{
    *known = 0;
    for (uint32_t depth = 0; depth < c->maps_before.count; depth++) {
        uint32_t hint = 0;
        if (!map->parent || page >= map->parent_limit_pages) {
            *known = !map->source;
            return NULL;
        }
        page += map->parent_offset_pages;
        map = snapshot_of(c, map->parent);
        if (!map || page < map->begin || page >= map->end)
            return NULL;
        struct segment there = check_segment(c, &c->maps_before, map, &hint, page);
        if (there.state != PGR_PAGE_NONE) {
            *known = !there.frame || there.bytes != NO_BYTES;
            return there.frame && *known ? c->bytes + there.bytes : NULL;
        }
    }
    return NULL;
}

/* Pages that have got a frame of their own hold what was seen there, but for what was written. */
static int copies_kept(struct check_context *c, const pgr_world *w, const void *frames, const struct snapshot *old_map,
                       const struct snapshot *map, const struct written *written)
{
    static const uint8_t zeros[4096];
    uint32_t shift = c->config.page_shift, old_hint = 0;
    const struct run_copy *runs = &c->maps_after.runs[map->first_run];

    if (((size_t)1 << shift) > sizeof zeros)
        return 0;
    for (uint32_t i = 0; i < map->run_count; i++)
        for (uint64_t at = 0; runs[i].frame && at < runs[i].count && runs[i].page + at < old_map->end; at++) {
            uint64_t page = runs[i].page + at;
            struct segment old = check_segment(c, &c->maps_before, old_map, &old_hint, page);
            int known = 0;
            const uint8_t *seen = NULL;
            if (old.state == PGR_PAGE_NONE)
                seen = seen_before(c, old_map, page, &known);
            else
                known = !old.frame;
            if (old.frame || !known || !check_frames_inside(c, runs[i].frame + (uint32_t)at, 1) ||
                same_outside(seen ? seen : zeros,
                             (const uint8_t *)frames + ((size_t)(runs[i].frame + (uint32_t)at) << shift), page << shift,
                             (size_t)1 << shift, written))
                continue;
            return check_violate(c, CHECK_O6, "%s page %llu got frame %u of its own, and shows other bytes than before",
                                 check_name_pages(c, w, map->row), (unsigned long long)page,
                                 runs[i].frame + (uint32_t)at);
        }
    return 0;
}

/* What is written through the address space is not known here to the byte. */
static int judges_itself(const struct check_context *c, const pgr_call *call, const struct snapshot *map)
{
    if (map->operation == OPERATION_COMMIT || map->operation == OPERATION_PIN || map->operation == OPERATION_PIN_WRITE)
        return 1;
    return map->operation == OPERATION_WRITE && call->number == PGR_CALL_VMO_WRITE && !c->before.reach.vmar;
}

/* The VMO that the call is about: only writes, commits and pins are judged, which take nothing away. */
static int itself_kept(struct check_context *c, const pgr_world *w, const void *frames, const pgr_call *call,
                       const struct snapshot *old_map, const struct snapshot *map)
{
    struct written written = written_by(c, call);
    int found = 0;

    if (!judges_itself(c, call, old_map))
        return 0;
    for (uint32_t i = 0; i < old_map->run_count && !found; i++) {
        const struct run_copy *run = &c->maps_before.runs[old_map->first_run + i];
        if (run->bytes != NO_BYTES)
            found = run_kept(c, w, frames, run, map, &written);
    }
    return found ? found : copies_kept(c, w, frames, old_map, map, &written);
}

/*
 * O6 (ours): a call about one VMO changes no byte of its copy-on-write relatives; a write, commit or pin changes no
 * byte of the VMO itself outside of what is written.
 */
int check_o6(struct check_context *c, const pgr_world *w, const void *frames, const pgr_call *call)
{
    int found = 0;

    for (uint32_t i = 0; i < c->maps_before.count && c->before.has_relatives && frames && !found; i++) {
        const struct snapshot *old = &c->maps_before.maps[i], *now = &c->maps_after.maps[i];
        if (!now->row)
            continue;
        found = old->is_relative ? relative_kept(c, w, frames, old, now) : itself_kept(c, w, frames, call, old, now);
    }
    return found;
}

NO_COVERAGE_END
