/*
 * D1 to D4: what zx_pager_supply_pages has done to the aux range and to the pager's range, judged by snapshots of both.
 *
 * Three maps are walked side by side, in stretches in which none of them changes:
 *
 *   from   the aux VMO before the call        at supply.aux_page + i
 *   old    the pager's VMO before the call    at supply.page + i
 *   now    the one or the other after it
 */
#include "harness/check_internal.h"
#include "harness/no_coverage.h"

NO_COVERAGE_BEGIN

struct supply_walk {
    struct check_context *c;
    const pgr_world *w;
    const void *frames;
    const struct snapshot *old_aux, *aux, *old_pager, *pager;
    uint64_t count; /* pages to compare: less than was supplied if a snapshot ends earlier */
};

struct stretch {
    struct segment from, aux, old, now;
    uint64_t count;
};

static uint64_t least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static uint64_t pages_seen(const struct snapshot *map, uint64_t page)
{
    return map->end > page ? map->end - page : 0;
}

/* What all four snapshots hold `i` pages into the two ranges. */
static struct stretch stretch_at(const struct supply_walk *walk, uint32_t hints[4], uint64_t i)
{
    const struct supply_memo *supply = &walk->c->before.supply;
    struct check_context *c = walk->c;
    struct stretch s;

    s.from = check_segment(c, &c->maps_before, walk->old_aux, &hints[0], supply->aux_page + i);
    s.aux = check_segment(c, &c->maps_after, walk->aux, &hints[1], supply->aux_page + i);
    s.old = check_segment(c, &c->maps_before, walk->old_pager, &hints[2], supply->page + i);
    s.now = check_segment(c, &c->maps_after, walk->pager, &hints[3], supply->page + i);
    s.count = least(least(least(s.from.count, s.aux.count), least(s.old.count, s.now.count)), walk->count - i);
    return s;
}

static int walk_stretches(const struct supply_walk *walk,
                          int (*check)(const struct supply_walk *, const struct stretch *))
{
    uint32_t hints[4] = {0};

    for (uint64_t i = 0; i < walk->count;) {
        struct stretch s = stretch_at(walk, hints, i);
        int found = check(walk, &s);
        if (found)
            return found;
        i += s.count;
    }
    return 0;
}

#define NAME(walk, map) check_name_pages((walk)->c, (walk)->w, (walk)->map->row)

/* D1: after a successful supply no page of the aux range has a frame; without one it reads as zeros. */
static int check_d1(const struct supply_walk *walk, const struct stretch *s)
{
    if (s->aux.frame)
        return check_violate(walk->c, CHECK_D1, "aux %s page %llu still has frame %u (%s) after the supply",
                             NAME(walk, old_aux), (unsigned long long)s->aux.page, s->aux.frame,
                             check_state_name(s->aux.state));
    return 0;
}

/* A page that was there has the frame, bytes, state and pins that it had. */
static int kept_page(const struct supply_walk *walk, const struct stretch *s)
{
    uint64_t different = 0;

    if (s->now.state != s->old.state || s->now.frame != s->old.frame || s->now.pins != s->old.pins)
        return check_violate(
            walk->c, CHECK_D2,
            "%s page %llu was there before the supply (%s, frame %u, pins %u) and is another now (%s, frame "
            "%u, pins %u)",
            NAME(walk, old_pager), (unsigned long long)s->old.page, check_state_name(s->old.state), s->old.frame,
            s->old.pins, check_state_name(s->now.state), s->now.frame, s->now.pins);
    if (s->old.frame && s->old.bytes != NO_BYTES &&
        !check_bytes_kept(walk->c, walk->frames, s->old.bytes, s->old.frame, s->now.frame, s->count, &different))
        return check_violate(
            walk->c, CHECK_D2, "%s page %llu (frame %u) was there before the supply and has other bytes now",
            NAME(walk, old_pager), (unsigned long long)(s->old.page + different), s->now.frame + (uint32_t)different);
    return 0;
}

/* Does the pager's page hold what the aux page had: its bytes in a clean page, or nothing but zeros in a marker? */
static int holds_aux(const struct supply_walk *walk, const struct stretch *s, uint64_t *different)
{
    *different = 0;
    if (!s->from.frame)
        return s->now.state == PGR_PAGE_MARKER && !s->now.frame;
    return s->now.state == PGR_PAGE_CLEAN && s->now.frame &&
           check_bytes_kept(walk->c, walk->frames, s->from.bytes, s->from.frame, s->now.frame, s->count, different);
}

/*
 * D2: after a successful supply no page of the pager's range is absent; what was there before is as it was; every other
 * page holds exactly what the aux page had.
 */
static int check_d2(const struct supply_walk *walk, const struct stretch *s)
{
    uint64_t different;

    if (s->old.state != PGR_PAGE_NONE)
        return kept_page(walk, s);
    if (!holds_aux(walk, s, &different))
        return check_violate(
            walk->c, CHECK_D2, "%s page %llu does not hold what aux page %llu (frame %u) had: it is %s, frame %u",
            NAME(walk, old_pager), (unsigned long long)(s->old.page + different),
            (unsigned long long)(s->from.page + different), s->from.frame ? s->from.frame + (uint32_t)different : 0,
            check_state_name(s->now.state), s->now.frame ? s->now.frame + (uint32_t)different : 0);
    return 0;
}

/* D3: after a successful supply the frames of the aux pages that were not needed are free. */
static int check_d3(const struct supply_walk *walk, const struct stretch *s)
{
    uint64_t looked = 0;

    if (s->old.state == PGR_PAGE_NONE || !s->from.frame || !check_frames_inside(walk->c, s->from.frame, s->count))
        return 0;
    while (looked < s->count) {
        uint32_t frame = s->from.frame + (uint32_t)looked;
        pgr_frames_view view;
        if (!pgr_inspect_frames(walk->w, frame, &view) || view.frame > frame || view.count <= frame - view.frame)
            return check_violate(walk->c, CHECK_O2, "frame %u has no record", frame);
        if (view.holders)
            return check_violate(
                walk->c, CHECK_D3,
                "frame %u of aux %s page %llu was not needed (%s page %llu was there), yet it is held %u times", frame,
                NAME(walk, old_aux), (unsigned long long)(s->from.page + looked), NAME(walk, old_pager),
                (unsigned long long)(s->old.page + looked), view.holders);
        looked += view.count - (frame - view.frame);
    }
    return 0;
}

static int aux_page_kept(const struct supply_walk *walk, const struct stretch *s)
{
    uint64_t different;

    if (s->from.state != s->aux.state || s->from.frame != s->aux.frame || s->from.pins != s->aux.pins)
        return 0;
    return !s->from.frame || s->from.bytes == NO_BYTES ||
           check_bytes_kept(walk->c, walk->frames, s->from.bytes, s->from.frame, s->aux.frame, s->count, &different);
}

/* Is the aux range as it was, all of it, or without any frame, all of it? */
static int aux_range_whole(const struct supply_walk *walk)
{
    uint32_t hints[4] = {0};
    uint64_t kept = UINT64_MAX, bare = UINT64_MAX; /* first page that is not so */

    for (uint64_t i = 0; i < walk->count;) {
        struct stretch s = stretch_at(walk, hints, i);
        if (kept == UINT64_MAX && !aux_page_kept(walk, &s))
            kept = s.aux.page;
        if (bare == UINT64_MAX && s.aux.frame)
            bare = s.aux.page;
        i += s.count;
    }
    if (kept == UINT64_MAX || bare == UINT64_MAX)
        return 0;
    return check_violate(walk->c, CHECK_D4,
                         "the supply failed, and of aux %s page %llu has changed, page %llu has a frame",
                         NAME(walk, old_aux), (unsigned long long)kept, (unsigned long long)bare);
}

/*
 * D4: after a failed supply the aux range is as it was or wholly decommitted, and each page of the pager's range holds
 * what it held or what the aux page held.
 */
static int check_d4(const struct supply_walk *walk, const struct stretch *s)
{
    uint64_t different = 0;
    int same =
        s->now.state == s->old.state && s->now.frame == s->old.frame && s->now.pins == s->old.pins &&
        (!s->old.frame || s->old.bytes == NO_BYTES ||
         check_bytes_kept(walk->c, walk->frames, s->old.bytes, s->old.frame, s->now.frame, s->count, &different));

    if (same || (s->old.state == PGR_PAGE_NONE && holds_aux(walk, s, &different)))
        return 0;
    return check_violate(
        walk->c, CHECK_D4,
        "the supply failed, and %s page %llu (%s, frame %u) is neither as before (%s, frame %u) nor what aux "
        "page %llu had (frame %u)",
        NAME(walk, old_pager), (unsigned long long)(s->old.page + different), check_state_name(s->now.state),
        s->now.frame, check_state_name(s->old.state), s->old.frame, (unsigned long long)(s->from.page + different),
        s->from.frame);
}

int check_supply(struct check_context *c, const pgr_world *w, const void *frames, const pgr_result *result)
{
    const struct supply_memo *supply = &c->before.supply;
    if (!supply->valid || result->outcome != PGR_DONE)
        return 0;

    struct supply_walk walk = {c,
                               w,
                               frames,
                               &c->maps_before.maps[supply->aux_map],
                               &c->maps_after.maps[supply->aux_map],
                               &c->maps_before.maps[supply->pager_map],
                               &c->maps_after.maps[supply->pager_map],
                               0};
    /* Either VMO has a handle in the call, so both outlive it; H1 says so when they do not. */
    if (!walk.aux->row || !walk.pager->row)
        return 0;
    walk.count = least(supply->count,
                       least(pages_seen(walk.old_aux, supply->aux_page), pages_seen(walk.old_pager, supply->page)));
    walk.count = least(walk.count, least(pages_seen(walk.aux, supply->aux_page), pages_seen(walk.pager, supply->page)));

    int found;
    if (result->status != ZX_OK)
        return (found = aux_range_whole(&walk)) ? found : walk_stretches(&walk, check_d4);
    if ((found = walk_stretches(&walk, check_d1)) || (found = walk_stretches(&walk, check_d2)))
        return found;
    return walk_stretches(&walk, check_d3);
}

NO_COVERAGE_END
