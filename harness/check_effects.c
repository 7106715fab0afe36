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
#define MAY_WAITERS (1u << 2) /* requests, their packets, and threads that wait for them */

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
static const char woken[] = "a failed DIRTY wakes those who wait for its pages";
static const char consumed[] = "the handle is consumed, whatever comes of it";
static const char emptied[] = "what was taken from the source is gone when the destination is looked at";

/*
 * Every exception to E1 but for those of calls that reach several VMOs (see reached_may_change). What is not in this
 * table must not change anything.
 */
static const struct exception exceptions[] = {
    {PGR_CALL_VMO_REPLACE_AS_EXECUTABLE, ZX_ERR_WRONG_TYPE, MAY_HANDLES | MAY_CONTENT, 0, OPERATION_NONE, consumed},
    {PGR_CALL_VMO_REPLACE_AS_EXECUTABLE, ZX_ERR_BAD_HANDLE, MAY_HANDLES | MAY_CONTENT, 0, OPERATION_NONE, consumed},
    {PGR_CALL_PAGER_OP_RANGE, ZX_ERR_OUT_OF_RANGE, MAY_WAITERS, 0, OPERATION_DIRTY, woken},
    {PGR_CALL_PAGER_OP_RANGE, ZX_ERR_NOT_FOUND, MAY_WAITERS, 0, OPERATION_DIRTY, woken},
    {PGR_CALL_PAGER_OP_RANGE, ZX_ERR_NO_MEMORY, MAY_WAITERS, 0, OPERATION_DIRTY, woken},
    {PGR_CALL_VMO_SET_STREAM_SIZE, ZX_ERR_BAD_STATE, MAY_CONTENT, 0, OPERATION_ZERO, unsupplied},
    {PGR_CALL_VMO_TRANSFER_DATA, ZX_ERR_BAD_STATE, MAY_CONTENT, 0, OPERATION_TRANSFER, emptied},
    {PGR_CALL_VMO_TRANSFER_DATA, ZX_ERR_OUT_OF_RANGE, MAY_CONTENT, 0, OPERATION_TRANSFER, emptied},
    {PGR_CALL_VMO_TRANSFER_DATA, ZX_ERR_NOT_SUPPORTED, MAY_CONTENT, 0, OPERATION_TRANSFER, emptied},
    {PGR_CALL_VMO_TRANSFER_DATA, ZX_ERR_NO_MEMORY, MAY_CONTENT, 0, OPERATION_TRANSFER, emptied},
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

/*
 * Calls that go through the address space do a page, or a mapping, after the other, and keep what is done. What fails
 * at the first has done nothing; but a write whose buffer fails has made the VMO's own pages ready before.
 */
static uint32_t reached_may_change(const struct check_context *c, const pgr_world *w, const pgr_call *call,
                                   const pgr_result *result)
{
    uint64_t mask = ((uint64_t)1 << c->config.page_shift) - 1;
    struct check_mapping mapping;

    switch (call->number) {
    case PGR_CALL_MEM_READ:
    case PGR_CALL_MEM_WRITE:
        return (result->fault.address | mask) != (call->arg[0] | mask) ? MAY_CONTENT : 0;
    case PGR_CALL_MEM_PREPARE:
        return MAY_CONTENT;
    case PGR_CALL_VMO_READ:
    case PGR_CALL_VMO_WRITE:
        return call->at && c->before.access.vmo ? MAY_CONTENT : 0;
    case PGR_CALL_VMAR_OP_RANGE:
        return check_find_mapping(c, w, c->before.reach.vmar, c->before.reach.begin, &mapping) &&
                       mapping.address + mapping.size_bytes < c->before.reach.end
                   ? MAY_CONTENT
                   : 0;
    default:
        return 0;
    }
}

static uint32_t may_change(const struct check_context *c, const pgr_world *w, const pgr_call *call,
                           const pgr_result *result)
{
    /* COMMIT and its like stop where nobody will supply any more, through a mapping as well. */
    uint32_t number = call->number == PGR_CALL_VMAR_OP_RANGE ? PGR_CALL_VMO_OP_RANGE : call->number;

    if (result->outcome == PGR_REFUSED)
        return 0;
    for (size_t i = 0; i < sizeof exceptions / sizeof exceptions[0] && result->outcome == PGR_DONE; i++) {
        const struct exception *e = &exceptions[i];
        if (e->call == number && e->status == result->status && (!e->option || (c->config.options & e->option)) &&
            (e->operation == OPERATION_NONE || e->operation == c->before.operation ||
             (e->operation == OPERATION_PIN && c->before.operation == OPERATION_PIN_WRITE)))
            return e->may;
    }
    return reached_may_change(c, w, call, result);
}

static const char *call_name(uint32_t number)
{
    const pgr_call_info *info = pgr_call_row(number);
    return info ? info->name : "an unknown call";
}

static int counts_kept(struct check_context *c, const pgr_world *w, const pgr_call *call, uint32_t may)
{
    const pgr_inspect_counts *old = &c->before.counts;
    pgr_inspect_counts now;

    pgr_inspect_world(w, &now);
    const uint32_t content = MAY_CONTENT | MAY_HANDLES, waiters = content | MAY_WAITERS;
    const struct {
        const char *name;
        uint32_t old, now, unless;
    } rows[] = {
        {"objects", old->objects_used, now.objects_used, MAY_HANDLES},
        {"handles", old->handles_used, now.handles_used, MAY_HANDLES},
        {"packets", old->packets_used, now.packets_used, MAY_HANDLES},
        {"free frames", old->frames_free, now.frames_free, content},
        {"map nodes", old->nodes_used, now.nodes_used, content},
        {"requests", old->requests_used, now.requests_used, waiters},
        {"blocked threads", old->threads_blocked, now.threads_blocked, waiters},
        {"released threads", old->threads_released, now.threads_released, waiters},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (rows[i].old != rows[i].now && !(may & rows[i].unless))
            return check_violate(c, CHECK_E1, "%s failed, yet there are %u %s where there were %u",
                                 call_name(call->number), rows[i].now, rows[i].name, rows[i].old);
    if (!(may & waiters) && pgr_first_released(w) != c->before.first_released)
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
            a[i].frame != b[i].frame || a[i].pins != b[i].pins || a[i].hint != b[i].hint ||
            a[i].awaiting != b[i].awaiting)
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
 * E1: a call that ends in an error (or an exception) in the step in which it was made, or is refused, has changed
 * nothing. Counters
 * (koids, handle generations, armed faults) do not count, nor what the table above excepts.
 */
int check_e1(struct check_context *c, const pgr_world *w, const void *frames, const pgr_call *call,
             const pgr_result *result)
{
    int failed = (result->outcome == PGR_DONE && result->status != ZX_OK) || result->outcome == PGR_FAULT;
    if ((!failed || call->number == PGR_CALL_RESUME) && result->outcome != PGR_REFUSED)
        return 0;

    uint32_t may = may_change(c, w, call, result);
    int found = counts_kept(c, w, call, may);
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

#define EVENT(name) (1u << PGR_EVENT_##name)

/*
 * Which events an operation is for a page of a pager's VMO. What an event makes of a page only the core's one table
 * says, which is asked for all of them (check_close_states). A part of a page is zeroed as a pinned one is, in place;
 * a resize zeroes the end of its last page. What is not listed is reading.
 */
static const uint32_t events[OPERATION_COUNT] = {
    [OPERATION_WRITE] = EVENT(WRITE),
    [OPERATION_COMMIT] = EVENT(COMMIT),
    [OPERATION_PIN] = EVENT(COMMIT),
    [OPERATION_PIN_WRITE] = EVENT(COMMIT) | EVENT(WRITE),
    [OPERATION_ZERO] = EVENT(ZERO) | EVENT(ZERO_PINNED),
    [OPERATION_RESIZE] = EVENT(ZERO_PINNED),
    [OPERATION_SUPPLY] = EVENT(SUPPLY) | EVENT(SUPPLY_ZERO),
    [OPERATION_DIRTY] = EVENT(DIRTY),
    [OPERATION_BEGIN] = EVENT(BEGIN),
    [OPERATION_END] = EVENT(END),
    [OPERATION_DETACH] = EVENT(DETACH),
    [OPERATION_EVICT] = EVENT(EVICT),
};

/* The states that a page may have after these events, in any order and number. */
static uint8_t states_after(uint32_t of, uint32_t state)
{
    uint32_t reached = 1u << state;

    /* Each round but the last adds a state. */
    for (uint32_t round = 0; round < PGR_PAGE_STATE_COUNT; round++)
        for (uint32_t from = 0; from < PGR_PAGE_STATE_COUNT; from++)
            for (uint32_t event = 0; event < PGR_EVENT_COUNT; event++)
                if ((reached >> from & 1) && (of >> event & 1))
                    reached |= 1u << pgr_page_after(event, from);
    return (uint8_t)reached;
}

void check_close_states(struct check_context *c)
{
    for (uint32_t operation = 0; operation < OPERATION_COUNT; operation++)
        for (uint32_t state = 0; state < PGR_PAGE_STATE_COUNT; state++)
            c->reached[operation][state] = states_after(events[operation] | EVENT(READ), state);
}

/* What limits an operation besides its events. */
struct bounds {
    enum check_operation operation;
    uint64_t kept;  /* pages that a resize leaves */
    int trapped;    /* pages become dirty by ZX_PAGER_OP_DIRTY alone */
    uint64_t begin; /* where DIRTY, BEGIN and END begin, and end */
    uint64_t end;
    uint64_t cleaned; /* END: zeros of the run at hand up to this page are clean now */
};

static int is_ranged(enum check_operation operation)
{
    return operation == OPERATION_DIRTY || operation == OPERATION_BEGIN || operation == OPERATION_END;
}

static int is_edge(const struct check_context *c, const struct bounds *bounds, const struct segment *old,
                   const struct segment *now)
{
    enum check_operation operation = bounds->operation;

    if (old->state == now->state)
        return 1;
    if (old->state >= PGR_PAGE_STATE_COUNT || now->state >= PGR_PAGE_STATE_COUNT)
        return 0;
    if (is_ranged(operation) && (old->page < bounds->begin || old->page >= bounds->end))
        return 0;
    /* Behind the smaller of the two sizes a resize drops everything or grows zeros. */
    if (operation == OPERATION_RESIZE && old->page >= bounds->kept)
        return now->state == PGR_PAGE_NONE || now->state == PGR_PAGE_INTERVAL;
    if (operation == OPERATION_END && old->state == PGR_PAGE_INTERVAL)
        return now->state == PGR_PAGE_NONE && old->page < bounds->cleaned;
    if (old->pins && (operation == OPERATION_DETACH || operation == OPERATION_EVICT || operation == OPERATION_BEGIN))
        return 0;
    if (bounds->trapped && now->state == PGR_PAGE_DIRTY && operation != OPERATION_DIRTY)
        return 0;
    return c->reached[operation][old->state] >> now->state & 1;
}

/*
 * END over zeros: a run of them that began before it is left alone; the others are clean as far as their awaiting
 * length reaches, or that of one before them. `cleaned` so far is `before`.
 */
static uint64_t zeros_cleaned(const struct run_copy *run, uint64_t begin, uint64_t before)
{
    uint64_t awaited = run->page > UINT64_MAX - run->awaiting ? UINT64_MAX : run->page + run->awaiting;

    if (run->state != PGR_PAGE_INTERVAL || run->page < begin)
        return before;
    return awaited > before ? awaited : before;
}

/* Does this operation leave every byte of a dirty page alone? */
static int keeps_bytes(enum check_operation operation)
{
    return operation != OPERATION_WRITE && operation != OPERATION_ZERO && operation != OPERATION_RESIZE &&
           operation != OPERATION_TRANSFER;
}

static int segment_kept(struct check_context *c, const pgr_world *w, const void *frames, const struct snapshot *map,
                        const struct segment *old, const struct segment *now, uint64_t count)
{
    uint64_t different;

    if ((old->state != PGR_PAGE_DIRTY && old->state != PGR_PAGE_AWAITING_CLEAN) || !keeps_bytes(map->operation))
        return 0;
    if (old->bytes == NO_BYTES || check_bytes_kept(c, frames, old->bytes, old->frame, now->frame, count, &different))
        return 0;
    return check_violate(
        c, CHECK_W1, "%s page %llu: the bytes of a page that was %s (frame %u, now frame %u) were lost in %s",
        check_name_pages(c, w, map->row), (unsigned long long)(old->page + different), check_state_name(old->state),
        old->frame + (uint32_t)different, now->frame + (uint32_t)different, call_name(c->before.call));
}

static uint64_t least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* Where the part that begins at `page` ends at the latest: bounds apply to it as a whole. */
static uint64_t part_end(const struct bounds *bounds, uint64_t page, uint64_t end)
{
    const uint64_t stops[] = {bounds->kept, bounds->begin, bounds->end, bounds->cleaned};

    for (size_t i = 0; i < sizeof stops / sizeof stops[0]; i++)
        end = stops[i] > page ? least(end, stops[i]) : end;
    return end;
}

static int map_moved_well(struct check_context *c, const pgr_world *w, const void *frames,
                          const struct snapshot *old_map, const struct snapshot *map)
{
    uint64_t end = least(old_map->end, map->end), awaited = c->before.events_begin;
    uint32_t old_hint = 0, hint = 0;
    struct bounds bounds = {.operation = old_map->operation,
                            .kept = least(old_map->size_pages, map->size_pages),
                            .trapped = (old_map->flags & PGR_PAGES_TRAP_DIRTY) != 0,
                            .begin = c->before.events_begin,
                            .end = c->before.events_end};

    for (uint64_t page = old_map->begin; page < end;) {
        struct segment old = check_segment(c, &c->maps_before, old_map, &old_hint, page);
        struct segment now = check_segment(c, &c->maps_after, map, &hint, page);
        const struct run_copy *run = &c->maps_before.runs[old_map->first_run + old_hint];
        if (bounds.operation == OPERATION_END && old.state == PGR_PAGE_INTERVAL) {
            awaited = zeros_cleaned(run, bounds.begin, awaited);
            bounds.cleaned = run->page < bounds.begin ? 0 : awaited;
        }
        uint64_t count = least(least(old.count, now.count), part_end(&bounds, page, end) - page);
        if (!is_edge(c, &bounds, &old, &now))
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
 * W1: pages of a pager's VMO change state along the edges of their operation alone; supply, detach, eviction and
 * writeback (and the end of the pager) lose no byte that is dirty or awaiting clean.
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
