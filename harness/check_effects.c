/*
 * What a call may do and what not: E1 (a call that fails changes nothing) and W1 (dirty state moves along its edges
 * alone, and no dirty byte is lost). Both judge a call by what check_before and check_after saw.
 */
#include "harness/check_internal.h"
#include "harness/no_coverage.h"

#include <string.h>

NO_COVERAGE_BEGIN

/* --- E1 --- */

/* What an error of a call may leave changed. */
#define MAY_HANDLES (1u << 0) /* handles, and the objects that die with them */
#define MAY_CONTENT (1u << 1) /* pages and frames */

struct exception {
    uint32_t call;
    zx_status_t status;
    uint32_t may;
    uint32_t option;                /* of the configuration; 0: always */
    enum check_operation operation; /* OPERATION_NONE: any */
    const char *reason;
};

static const char unpinned[] = "pages that were committed or dirtied for a pin that was then refused stay so";
static const char unsupplied[] = "what was done before the page that nobody will supply any more stays";
static const char decommitted[] = "supply_failure decommitted";

/*
 * Every exception to E1. What is not in this table must not change anything. A zx_vmo_write whose buffer fails is not
 * in it: the core looks at the whole buffer first.
 */
static const struct exception exceptions[] = {
    {PGR_CALL_HANDLE_REPLACE, ZX_ERR_INVALID_ARGS, MAY_HANDLES | MAY_CONTENT, 0, OPERATION_NONE,
     "a refused replace closes its handle"},
    {PGR_CALL_HANDLE_CLOSE_MANY, ZX_ERR_BAD_HANDLE, MAY_HANDLES | MAY_CONTENT, 0, OPERATION_NONE,
     "the good handles of the list are closed all the same"},
    {PGR_CALL_PMT_UNPIN, ZX_ERR_WRONG_TYPE, MAY_HANDLES | MAY_CONTENT, 0, OPERATION_NONE,
     "the handle is consumed before its type is looked at"},
    {PGR_CALL_VMO_WRITE, ZX_ERR_BAD_STATE, MAY_CONTENT, 0, OPERATION_WRITE, unsupplied},
    {PGR_CALL_VMO_OP_RANGE, ZX_ERR_BAD_STATE, MAY_CONTENT, 0, OPERATION_COMMIT, unsupplied},
    {PGR_CALL_VMO_OP_RANGE, ZX_ERR_BAD_STATE, MAY_CONTENT, 0, OPERATION_ZERO, unsupplied},
    {PGR_CALL_BTI_PIN, ZX_ERR_UNAVAILABLE, MAY_CONTENT, 0, OPERATION_PIN, unpinned},
    {PGR_CALL_BTI_PIN, ZX_ERR_BAD_STATE, MAY_CONTENT, 0, OPERATION_PIN, unpinned},
    {PGR_CALL_BTI_PIN, ZX_ERR_INVALID_ARGS, MAY_CONTENT, 0, OPERATION_PIN, unpinned},
    {PGR_CALL_PAGER_SUPPLY_PAGES, ZX_ERR_OUT_OF_RANGE, MAY_CONTENT, PGR_OPTION_SUPPLY_DECOMMITS, OPERATION_SUPPLY,
     decommitted},
    {PGR_CALL_PAGER_SUPPLY_PAGES, ZX_ERR_BAD_STATE, MAY_CONTENT, PGR_OPTION_SUPPLY_DECOMMITS, OPERATION_SUPPLY,
     decommitted},
    {PGR_CALL_PAGER_SUPPLY_PAGES, ZX_ERR_NO_MEMORY, MAY_CONTENT, PGR_OPTION_SUPPLY_DECOMMITS, OPERATION_SUPPLY,
     decommitted},
};

static uint32_t may_change(const struct check_context *c, const pgr_call *call, const pgr_result *result)
{
    for (size_t i = 0; i < sizeof exceptions / sizeof exceptions[0] && result->outcome == PGR_DONE; i++) {
        const struct exception *e = &exceptions[i];
        if (e->call == call->number && e->status == result->status && (!e->option || (c->config.options & e->option)) &&
            (e->operation == OPERATION_NONE || e->operation == c->before.operation))
            return e->may;
    }
    return 0;
}

static const char *call_name(uint32_t number)
{
    const pgr_call_info *info = pgr_call_row(number);
    return info ? info->name : "an unknown call";
}

static int counts_kept(struct check_context *c, const pgr_world *w, const pgr_call *call)
{
    const pgr_inspect_counts *old = &c->before.counts;
    pgr_inspect_counts now;

    pgr_inspect_world(w, &now);
    const struct {
        const char *name;
        uint32_t old, now;
    } rows[] = {
        {"free frames", old->frames_free, now.frames_free},
        {"objects", old->objects_used, now.objects_used},
        {"handles", old->handles_used, now.handles_used},
        {"packets", old->packets_used, now.packets_used},
        {"requests", old->requests_used, now.requests_used},
        {"blocked threads", old->threads_blocked, now.threads_blocked},
        {"released threads", old->threads_released, now.threads_released},
        {"map nodes", old->nodes_used, now.nodes_used},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (rows[i].old != rows[i].now)
            return check_violate(c, CHECK_E1, "%s failed, yet there are %u %s where there were %u",
                                 call_name(call->number), rows[i].now, rows[i].name, rows[i].old);
    if (pgr_first_released(w) != c->before.first_released)
        return check_violate(c, CHECK_E1, "%s failed, yet thread %u is the first to resume where thread %u was",
                             call_name(call->number), pgr_first_released(w), c->before.first_released);
    return 0;
}

static int handles_kept(struct check_context *c, const pgr_world *w, const pgr_call *call)
{
    for (uint32_t i = 0; i < c->before.handle_count; i++) {
        const struct handle_memo *memo = &c->before.handles[i];
        pgr_handle_view handle;
        pgr_object_view object;

        memset(&handle, 0, sizeof handle);
        memset(&object, 0, sizeof object);
        if (!memo->row)
            continue;
        if (!pgr_inspect_handle(w, memo->row, &handle) || handle.value != memo->handle.value ||
            handle.object != memo->handle.object || handle.rights != memo->handle.rights)
            return check_violate(c, CHECK_E1, "%s failed, yet handle 0x%x to object %u is gone or another",
                                 call_name(call->number), memo->handle.value, memo->handle.object);
        pgr_inspect_object(w, handle.object, &object);
        if (memcmp(&object, &memo->object, sizeof object) != 0)
            return check_violate(c, CHECK_E1, "%s failed, yet object %u (handle 0x%x) has changed",
                                 call_name(call->number), handle.object, handle.value);
    }
    return 0;
}

static int map_kept(struct check_context *c, const pgr_world *w, const pgr_call *call, uint32_t place)
{
    const struct snapshot *old = &c->maps_before.maps[place], *now = &c->maps_after.maps[place];
    const struct run_copy *a = &c->maps_before.runs[old->first_run], *b = &c->maps_after.runs[now->first_run];

    if (now->row != old->row || now->size_pages != old->size_pages)
        return check_violate(c, CHECK_E1, "%s failed, yet %s had %llu pages and has %llu", call_name(call->number),
                             check_name_pages(c, w, old->row), (unsigned long long)old->size_pages,
                             (unsigned long long)(now->row ? now->size_pages : 0));
    for (uint32_t i = 0; i < old->run_count && i < now->run_count; i++)
        if (a[i].page != b[i].page || a[i].count != b[i].count || a[i].state != b[i].state ||
            a[i].frame != b[i].frame || a[i].pins != b[i].pins)
            return check_violate(
                c, CHECK_E1,
                "%s failed, yet in %s the run of %llu pages from page %llu (%s, frame %u, pins %u) is one of "
                "%llu from %llu (%s, frame %u, pins %u) now",
                call_name(call->number), check_name_pages(c, w, old->row), (unsigned long long)a[i].count,
                (unsigned long long)a[i].page, check_state_name(a[i].state), a[i].frame, a[i].pins,
                (unsigned long long)b[i].count, (unsigned long long)b[i].page, check_state_name(b[i].state), b[i].frame,
                b[i].pins);
    if (old->run_count != now->run_count)
        return check_violate(c, CHECK_E1, "%s failed, yet %s had %u runs and has %u", call_name(call->number),
                             check_name_pages(c, w, old->row), old->run_count, now->run_count);
    return 0;
}

/*
 * E1: a call that ends in an error in the step in which it was made, or is refused, has changed nothing. Counters
 * (koids, handle generations, armed faults) do not count, nor what the table above excepts.
 */
int check_e1(struct check_context *c, const pgr_world *w, const void *frames, const pgr_call *call,
             const pgr_result *result)
{
    int failed = result->outcome == PGR_DONE && result->status != ZX_OK && call->number != PGR_CALL_RESUME;
    if (!failed && result->outcome != PGR_REFUSED)
        return 0;

    uint32_t may = may_change(c, call, result);
    int found = 0;
    if (!may)
        found = counts_kept(c, w, call);
    if (!found && !(may & MAY_HANDLES))
        found = handles_kept(c, w, call);
    for (uint32_t i = 0; i < c->maps_before.count && !found && !(may & MAY_CONTENT); i++)
        found = map_kept(c, w, call, i);
    if (found || may || !c->before.hashed)
        return found;
    uint64_t hash = pgr_canonical_hash(w, frames);
    if (hash != c->before.hash)
        return check_violate(c, CHECK_E1, "%s failed (%d), yet the canonical hash was %016llx and is %016llx",
                             call_name(call->number), result->status, (unsigned long long)c->before.hash,
                             (unsigned long long)hash);
    return 0;
}

/* --- W1 --- */

#define A (1u << PGR_PAGE_NONE)
#define C (1u << PGR_PAGE_CLEAN)
#define D (1u << PGR_PAGE_DIRTY)
#define W (1u << PGR_PAGE_AWAITING_CLEAN)
#define M (1u << PGR_PAGE_MARKER)
#define Z (1u << PGR_PAGE_INTERVAL)

/*
 * Which states a page of a pager's VMO may have after a step, by what it had before. A row lists only what may change:
 * every state may stay. Dirty content (D, W, Z) leaves the map with a resize alone, where the page is cut off.
 */
static const uint8_t edges[OPERATION_COUNT][PGR_PAGE_STATE_COUNT] = {
    [OPERATION_WRITE] =
        {[PGR_PAGE_CLEAN] = D, [PGR_PAGE_MARKER] = D, [PGR_PAGE_AWAITING_CLEAN] = D, [PGR_PAGE_INTERVAL] = D},
    [OPERATION_COMMIT] = {[PGR_PAGE_MARKER] = C, [PGR_PAGE_INTERVAL] = D},
    [OPERATION_PIN] =
        {[PGR_PAGE_CLEAN] = D, [PGR_PAGE_MARKER] = C | D, [PGR_PAGE_AWAITING_CLEAN] = D, [PGR_PAGE_INTERVAL] = D},
    [OPERATION_ZERO] =
        {[PGR_PAGE_NONE] = Z, [PGR_PAGE_CLEAN] = D | Z, [PGR_PAGE_DIRTY] = Z, [PGR_PAGE_AWAITING_CLEAN] = D | Z},
    /* The page that a new, unaligned size ends in is zeroed as by a write. */
    [OPERATION_RESIZE] = {[PGR_PAGE_CLEAN] = D, [PGR_PAGE_AWAITING_CLEAN] = D},
    [OPERATION_SUPPLY] = {[PGR_PAGE_NONE] = C | M},
    [OPERATION_DETACH] = {[PGR_PAGE_CLEAN] = A, [PGR_PAGE_MARKER] = A},
    [OPERATION_EVICT] = {[PGR_PAGE_CLEAN] = A},
};

static int is_edge(enum check_operation operation, const struct segment *old, const struct segment *now, uint64_t kept)
{
    if (old->state == now->state)
        return 1;
    if (old->state >= PGR_PAGE_STATE_COUNT || now->state >= PGR_PAGE_STATE_COUNT)
        return 0;
    /* Behind the smaller of the two sizes a resize drops everything or grows zeros. */
    if (operation == OPERATION_RESIZE && old->page >= kept)
        return now->state == PGR_PAGE_NONE || now->state == PGR_PAGE_INTERVAL;
    if (old->pins && (operation == OPERATION_DETACH || operation == OPERATION_EVICT))
        return 0;
    return (edges[operation][old->state] >> now->state) & 1;
}

static int segment_kept(struct check_context *c, const pgr_world *w, const void *frames, const struct snapshot *map,
                        const struct segment *old, const struct segment *now, uint64_t count)
{
    uint64_t different;

    if (old->state != PGR_PAGE_DIRTY && old->state != PGR_PAGE_AWAITING_CLEAN)
        return 0;
    if (old->bytes == NO_BYTES || check_bytes_kept(c, frames, old->bytes, old->frame, now->frame, count, &different))
        return 0;
    return check_violate(c, CHECK_W1, "%s page %llu: the bytes of a %s page (frame %u, now frame %u) were lost in %s",
                         check_name_pages(c, w, map->row), (unsigned long long)(old->page + different),
                         check_state_name(old->state), old->frame + (uint32_t)different,
                         now->frame + (uint32_t)different, call_name(c->before.call));
}

static uint64_t least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static int map_moved_well(struct check_context *c, const pgr_world *w, const void *frames,
                          const struct snapshot *old_map, const struct snapshot *map)
{
    uint64_t end = least(old_map->end, map->end), kept = least(old_map->size_pages, map->size_pages);
    uint32_t old_hint = 0, hint = 0;

    for (uint64_t page = old_map->begin; page < end;) {
        struct segment old = check_segment(c, &c->maps_before, old_map, &old_hint, page);
        struct segment now = check_segment(c, &c->maps_after, map, &hint, page);
        uint64_t count = least(least(old.count, now.count), end - page);
        if (page < kept)
            count = least(count, kept - page);
        if (!is_edge(c->before.operation, &old, &now, kept))
            return check_violate(
                c, CHECK_W1, "%s page %llu was %s (frame %u) and is %s (frame %u) after %s, which may not do that",
                check_name_pages(c, w, map->row), (unsigned long long)page, check_state_name(old.state), old.frame,
                check_state_name(now.state), now.frame, call_name(c->before.call));
        int found = segment_kept(c, w, frames, map, &old, &now, count);
        if (found)
            return found;
        page += count;
    }
    return 0;
}

/*
 * W1: pages of a pager's VMO change state along the edges of their operation alone; supply, detach and eviction (and
 * the end of the pager) lose no byte that is dirty or awaiting clean.
 */
int check_w1(struct check_context *c, const pgr_world *w, const void *frames)
{
    for (uint32_t i = 0; i < c->maps_before.count; i++) {
        const struct snapshot *old = &c->maps_before.maps[i], *now = &c->maps_after.maps[i];
        if (!old->source || !now->row)
            continue;
        int found = map_moved_well(c, w, frames, old, now);
        if (found)
            return found;
    }
    return 0;
}

NO_COVERAGE_END
