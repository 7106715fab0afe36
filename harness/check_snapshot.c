/*
 * What a call touches, and snapshots of it: which page maps, their runs, and for the calls that must not lose a byte
 * the bytes, too. Bounded by SNAPSHOT_..._MAX whatever the world's size; what does not fit is not compared.
 */
#include "harness/check_internal.h"
#include "harness/no_coverage.h"

#include <string.h>

NO_COVERAGE_BEGIN

/* zx_vmo_op_range and zx_vmar_op_range number what they have in common alike. */
static enum check_operation operation_of_vmo_op(uint32_t op)
{
    switch (op) {
    case ZX_VMO_OP_COMMIT:
        return OPERATION_COMMIT;
    case ZX_VMO_OP_DECOMMIT:
        return OPERATION_DECOMMIT;
    case ZX_VMO_OP_ZERO:
        return OPERATION_ZERO;
    default:
        return OPERATION_LOOK;
    }
}

static enum check_operation operation_of_pager_op(uint32_t op)
{
    switch (op) {
    case ZX_PAGER_OP_DIRTY:
        return OPERATION_DIRTY;
    case ZX_PAGER_OP_WRITEBACK_BEGIN:
        return OPERATION_BEGIN;
    case ZX_PAGER_OP_WRITEBACK_END:
        return OPERATION_END;
    default:
        return OPERATION_LOOK;
    }
}

/* A resume's operation is that of the call it resumes: the thread's memo has it. */
static enum check_operation operation_of(const pgr_call *call)
{
    switch (call->number) {
    case PGR_CALL_VMO_CREATE_CHILD:
    case PGR_CALL_VMO_SET_CACHE_POLICY:
    case PGR_CALL_MEM_READ:
        return OPERATION_LOOK;
    case PGR_CALL_PAGER_OP_RANGE:
        return operation_of_pager_op((uint32_t)call->arg[1]);
    case PGR_CALL_VMO_READ:
        return call->at ? OPERATION_WRITE : OPERATION_LOOK;
    case PGR_CALL_VMO_WRITE:
    case PGR_CALL_MEM_WRITE:
    case PGR_CALL_MEM_PREPARE:
        return OPERATION_WRITE;
    case PGR_CALL_VMO_TRANSFER_DATA:
        return OPERATION_TRANSFER;
    case PGR_CALL_VMO_OP_RANGE:
    case PGR_CALL_VMAR_OP_RANGE:
        return operation_of_vmo_op((uint32_t)call->arg[1]);
    case PGR_CALL_OBJECT_SET_PROPERTY:
        return (uint32_t)call->arg[1] == ZX_PROP_VMO_CONTENT_SIZE ? OPERATION_ZERO : OPERATION_NONE;
    case PGR_CALL_VMO_SET_STREAM_SIZE:
        return OPERATION_ZERO;
    case PGR_CALL_VMO_SET_SIZE:
        return OPERATION_RESIZE;
    case PGR_CALL_BTI_PIN:
        return call->arg[1] & ZX_BTI_PERM_WRITE ? OPERATION_PIN_WRITE : OPERATION_PIN;
    case PGR_CALL_PAGER_SUPPLY_PAGES:
        return OPERATION_SUPPLY;
    case PGR_CALL_PAGER_DETACH_VMO:
        return OPERATION_DETACH;
    case PGR_CALL_RECLAIM:
        return OPERATION_EVICT;
    case PGR_CALL_HANDLE_CLOSE:
    case PGR_CALL_HANDLE_REPLACE:
    case PGR_CALL_PMT_UNPIN:
    case PGR_CALL_BTI_RELEASE_QUARANTINE:
    case PGR_CALL_THREAD_KILL:
        return OPERATION_LET_GO;
    default:
        return OPERATION_NONE;
    }
}

/* What the call does to the VMO that it is about, and what to the one behind its buffer. */
static enum check_operation operation_on_vmo(const struct before *before)
{
    return before->call == PGR_CALL_VMO_READ ? OPERATION_LOOK : before->operation;
}

static enum check_operation operation_on_buffer(const struct before *before)
{
    return before->call == PGR_CALL_VMO_WRITE ? OPERATION_LOOK : before->operation;
}

int check_frames_inside(const struct check_context *c, uint32_t frame, uint64_t count)
{
    return frame != 0 && frame < c->config.frame_count && count <= c->config.frame_count - frame;
}

static void copy_bytes(struct check_context *c, const void *frames, struct run_copy *run)
{
    uint64_t room = (SNAPSHOT_BYTES_MAX - c->bytes_used) >> c->config.page_shift;
    if (run->count > room || !check_frames_inside(c, run->frame, run->count))
        return;

    size_t bytes = (size_t)run->count << c->config.page_shift;
    memcpy(c->bytes + c->bytes_used, (const uint8_t *)frames + ((size_t)run->frame << c->config.page_shift), bytes);
    run->bytes = c->bytes_used;
    c->bytes_used += (uint32_t)bytes;
}

/*
 * Copies the runs of `map` from page `begin` on. A run that makes no sense (it ends at or before the page that was
 * asked for) is copied, too, so that O3 finds it, but ends the part that is compared.
 */
static void copy_runs(const pgr_world *w, struct snapshot_set *set, struct snapshot *map)
{
    uint64_t page = map->begin;
    pgr_run_view run;

    map->end = UINT64_MAX;
    while (pgr_inspect_run(w, map->row, page, &run)) {
        if (map->run_count == SNAPSHOT_RUNS_PER_MAP || set->runs_used == SNAPSHOT_RUNS_MAX) {
            map->end = page;
            return;
        }
        set->runs[set->runs_used++] = (struct run_copy){.page = run.page,
                                                        .count = run.count,
                                                        .state = run.state,
                                                        .frame = run.frame,
                                                        .pins = run.pins,
                                                        .bytes = NO_BYTES,
                                                        .hint = run.hint,
                                                        .awaiting = run.awaiting};
        map->run_count++;
        if (run.page > UINT64_MAX - run.count || run.page + run.count <= page) {
            map->end = page;
            return;
        }
        page = run.page + run.count;
    }
}

/*
 * Adds the map of a pages object, or what else the call does to it; returns its place in the set, or SNAPSHOT_MAPS_MAX
 * if there is none.
 */
static uint32_t snapshot_add(const pgr_world *w, struct snapshot_set *set, uint32_t row, uint64_t begin,
                             enum check_operation operation)
{
    for (uint32_t i = 0; i < set->count; i++)
        if (set->maps[i].row == row) {
            if (set->maps[i].operation == OPERATION_LOOK)
                set->maps[i].operation = operation;
            return i;
        }

    pgr_object_view object;
    if (set->count == SNAPSHOT_MAPS_MAX || !pgr_inspect_object(w, row, &object) || object.kind != PGR_OBJECT_PAGES)
        return SNAPSHOT_MAPS_MAX;

    struct snapshot *map = &set->maps[set->count];
    *map = (struct snapshot){.row = row,
                             .operation = operation,
                             .flags = object.flags,
                             .source = object.pages.source,
                             .parent = object.pages.parent,
                             .parent_offset_pages = object.pages.parent_offset_pages,
                             .parent_limit_pages = object.pages.parent_limit_pages,
                             .size_pages = object.pages.size_pages,
                             .begin = begin,
                             .first_run = set->runs_used};
    copy_runs(w, set, map);
    return set->count++;
}

static void add_vmo(struct check_context *c, const pgr_world *w, uint32_t vmo, enum check_operation operation)
{
    pgr_object_view object;

    if (vmo && pgr_inspect_object(w, vmo, &object) && object.kind == PGR_OBJECT_VMO)
        snapshot_add(w, &c->maps_before, object.vmo.pages, 0, operation);
}

/* Every pages object made by a pager; by this pager, if `pager` is not 0. */
static void add_pager_maps(struct check_context *c, const pgr_world *w, uint32_t pager)
{
    uint32_t seen = 0;

    for (uint32_t row = 1; row < c->config.object_count && seen < c->before.counts.objects_used; row++) {
        pgr_object_view source;
        if (!pgr_inspect_object(w, row, &source))
            continue;
        seen++;
        if (source.kind == PGR_OBJECT_SOURCE && source.source.pages && (!pager || source.source.pager == pager))
            snapshot_add(w, &c->maps_before, source.source.pages, 0, c->before.operation);
    }
}

/* --- relatives: nothing may happen to them --- */

static void add_relative(struct check_context *c, const pgr_world *w, uint32_t row, uint32_t touched)
{
    uint32_t place = snapshot_add(w, &c->maps_before, row, 0, OPERATION_LOOK);

    if (place < touched || place == SNAPSHOT_MAPS_MAX)
        return;
    c->maps_before.maps[place].is_relative = 1;
    c->before.has_relatives = 1;
}

/* Those with whom these pages share frames. */
static void add_family(struct check_context *c, const pgr_world *w, uint32_t first, uint32_t touched)
{
    uint32_t row = first;
    pgr_object_view object;

    for (uint32_t n = 0; n < SNAPSHOT_MAPS_MAX && pgr_inspect_object(w, row, &object); n++) {
        row = object.pages.family;
        if (object.kind != PGR_OBJECT_PAGES || row == first)
            return;
        c->before.has_relatives = 1;
        add_relative(c, w, row, touched);
    }
}

/* Those that these pages see through to, one behind the other. */
static void add_ancestors(struct check_context *c, const pgr_world *w, uint32_t row, uint32_t touched)
{
    pgr_object_view object;

    for (uint32_t n = 0; n < SNAPSHOT_MAPS_MAX && pgr_inspect_object(w, row, &object); n++) {
        row = object.kind == PGR_OBJECT_PAGES ? object.pages.parent : 0;
        if (!row)
            return;
        c->before.has_relatives = 1;
        add_relative(c, w, row, touched);
    }
}

/* Those that see through to what the call touches. To find them takes a look at every object. */
static void add_seers(struct check_context *c, const pgr_world *w, uint32_t touched)
{
    uint32_t seen = 0;

    for (uint32_t row = 1; row < c->config.object_count && seen < c->before.counts.objects_used; row++) {
        pgr_object_view object;
        if (!pgr_inspect_object(w, row, &object))
            continue;
        seen++;
        for (uint32_t i = 0; i < touched && object.kind == PGR_OBJECT_PAGES && object.pages.parent; i++)
            if (c->maps_before.maps[i].row == object.pages.parent)
                add_relative(c, w, row, touched);
    }
}

static void add_relatives(struct check_context *c, const pgr_world *w)
{
    uint32_t touched = c->maps_before.count;

    if (c->before.operation == OPERATION_LOOK || c->before.operation == OPERATION_EVICT)
        return;
    for (uint32_t i = 0; i < touched; i++) {
        uint32_t row = c->maps_before.maps[i].row;
        add_family(c, w, row, touched);
        add_ancestors(c, w, row, touched);
    }
    if (c->before.hashed)
        add_seers(c, w, touched);
}

/* --- what a call reaches through the address space --- */

/*
 * The mapping at `*address`, or the first behind it: holes are passed over, for a call may have gone on from what was
 * mapped there when it began. Moves `*address` there; returns 0 if nothing is mapped any more.
 */
static int next_mapping(const struct check_context *c, const pgr_world *w, uint32_t top, uint64_t *address,
                        struct check_mapping *mapping)
{
    uint32_t vmar = top;
    uint64_t end = 0; /* of the VMAR inside that is looked at */
    pgr_region_view region;

    for (uint32_t steps = 0; steps < 2 * c->config.object_count; steps++) {
        if (!pgr_inspect_region(w, vmar, *address, &region) || !region.size_bytes) {
            if (vmar == top)
                return 0;
            vmar = top;
            *address = end;
            continue;
        }
        *address = region.address > *address ? region.address : *address;
        if (check_find_mapping(c, w, vmar, *address, mapping))
            return 1;
        vmar = region.row;
        end = region.address + region.size_bytes;
    }
    return 0;
}

static void add_reached(struct check_context *c, const pgr_world *w, const struct reach *reach)
{
    uint64_t address = reach->begin;
    struct check_mapping mapping;

    while (reach->vmar && address < reach->end && c->maps_before.count < SNAPSHOT_MAPS_MAX &&
           next_mapping(c, w, reach->vmar, &address, &mapping) && address < reach->end) {
        add_vmo(c, w, mapping.object.mapping.vmo, reach->operation);
        address = mapping.address + mapping.size_bytes;
    }
}

static uint64_t sum_or_most(uint64_t a, uint64_t b)
{
    return a > UINT64_MAX - b ? UINT64_MAX : a + b;
}

static void set_reach(struct check_context *c, uint32_t vmar, uint64_t begin, uint64_t bytes,
                      enum check_operation operation)
{
    c->before.reach = (struct reach){vmar, begin, sum_or_most(begin, bytes), operation};
}

static void remember_reach(struct check_context *c, const pgr_world *w, const pgr_call *call)
{
    struct before *before = &c->before;
    pgr_handle_view vmar;

    switch (call->number) {
    case PGR_CALL_MEM_READ:
    case PGR_CALL_MEM_WRITE:
        set_reach(c, c->root_vmar, call->arg[0], call->arg[2], before->operation);
        before->access = (struct access_memo){.begin = call->arg[0], .in_memory = 1};
        return;
    case PGR_CALL_VMO_READ:
    case PGR_CALL_VMO_WRITE:
        if (call->at)
            set_reach(c, c->root_vmar, call->at, call->arg[3], operation_on_buffer(before));
        if (before->handles[0].object.kind == PGR_OBJECT_VMO)
            before->access = (struct access_memo){before->handles[0].handle.object, call->arg[2], call->at != 0};
        return;
    case PGR_CALL_VMAR_OP_RANGE:
        if (pgr_inspect_handle(w, pgr_inspect_handle_row(w, (zx_handle_t)call->arg[0]), &vmar))
            set_reach(c, vmar.object, call->arg[2], call->arg[3], before->operation);
        return;
    default:
        return;
    }
}

/* The accesses of a mem_prepare come with its resumes, too. */
static void add_accesses(struct check_context *c, const pgr_world *w, const pgr_call *call)
{
    for (uint64_t i = 0; call->buffer && i < call->buffer_bytes / sizeof(pgr_access) && i < SNAPSHOT_MAPS_MAX; i++) {
        pgr_access access;
        memcpy(&access, (const uint8_t *)call->buffer + i * sizeof access, sizeof access);
        struct reach reach = {c->root_vmar, access.address, sum_or_most(access.address, access.bytes),
                              access.write ? OPERATION_WRITE : OPERATION_LOOK};
        add_reached(c, w, &reach);
    }
}

static int is_page_aligned(const struct check_context *c, uint64_t bytes)
{
    return (bytes & (((uint64_t)1 << c->config.page_shift) - 1)) == 0;
}

static const struct handle_memo *memo_at(const struct before *before, uint32_t place)
{
    for (uint32_t i = 0; i < before->handle_count; i++)
        if (before->handles[i].place == place && before->handles[i].row)
            return &before->handles[i];
    return NULL;
}

/*
 * zx_pager_supply_pages(pager, pager_vmo, offset, length, aux_vmo, aux_offset): both ranges, in pages of the pages
 * objects.
 */
static void remember_supply(struct check_context *c, const pgr_world *w, const pgr_call *call)
{
    const struct handle_memo *pager_vmo = memo_at(&c->before, 1), *aux = memo_at(&c->before, 4);
    struct supply_memo *supply = &c->before.supply;
    uint32_t shift = c->config.page_shift;

    if (!pager_vmo || !aux || pager_vmo->object.kind != PGR_OBJECT_VMO || aux->object.kind != PGR_OBJECT_VMO)
        return;
    if (!is_page_aligned(c, call->arg[2] | call->arg[3] | call->arg[5]))
        return;

    supply->count = call->arg[3] >> shift;
    supply->page = (call->arg[2] >> shift) + pager_vmo->object.vmo.offset_pages;
    supply->aux_page = (call->arg[5] >> shift) + aux->object.vmo.offset_pages;
    /* From the page before, so that O3 sees whether what was cut there was joined again. */
    int same = pager_vmo->object.vmo.pages == aux->object.vmo.pages;
    uint64_t begin = same || !supply->page ? 0 : supply->page - 1;
    uint64_t aux_begin = same || !supply->aux_page ? 0 : supply->aux_page - 1;
    supply->pager_map = snapshot_add(w, &c->maps_before, pager_vmo->object.vmo.pages, begin, OPERATION_SUPPLY);
    supply->aux_map = snapshot_add(w, &c->maps_before, aux->object.vmo.pages, aux_begin, OPERATION_SUPPLY);
    supply->valid = supply->pager_map != SNAPSHOT_MAPS_MAX && supply->aux_map != SNAPSHOT_MAPS_MAX;
}

static void remember_handles(struct check_context *c, const pgr_world *w, const pgr_call *call)
{
    const pgr_call_info *info = pgr_call_row(call->number);

    for (uint32_t place = 0; info && place < info->arg_count && place < PGR_ARGS_MAX; place++) {
        if (info->args[place].kind != PGR_ARG_HANDLE || c->before.handle_count == TOUCHED_HANDLES_MAX)
            continue;
        struct handle_memo *memo = &c->before.handles[c->before.handle_count++];
        memset(memo, 0, sizeof *memo);
        memo->place = place;
        memo->row = pgr_inspect_handle_row(w, (zx_handle_t)call->arg[place]);
        if (memo->row && pgr_inspect_handle(w, memo->row, &memo->handle))
            pgr_inspect_object(w, memo->handle.object, &memo->object);
    }
}

static void remember_maps_of_handles(struct check_context *c, const pgr_world *w)
{
    for (uint32_t i = 0; i < c->before.handle_count; i++) {
        const struct handle_memo *memo = &c->before.handles[i];
        if (memo->object.kind == PGR_OBJECT_VMO)
            snapshot_add(w, &c->maps_before, memo->object.vmo.pages, 0, operation_on_vmo(&c->before));
        if (memo->object.kind == PGR_OBJECT_PMT)
            snapshot_add(w, &c->maps_before, memo->object.pmt.pages, 0, c->before.operation);
        if (memo->object.kind == PGR_OBJECT_PAGER && c->before.operation == OPERATION_LET_GO)
            add_pager_maps(c, w, memo->handle.object);
    }
}

/* What the thread's call keeps alive while it waits is what it goes on with. */
static void add_held(struct check_context *c, const pgr_world *w, const pgr_thread_view *thread)
{
    pgr_object_view pmt;

    add_vmo(c, w, thread->held_vmo, operation_on_vmo(&c->before));
    add_vmo(c, w, thread->held_buffer_vmo, operation_on_buffer(&c->before));
    if (thread->held_pmt && pgr_inspect_object(w, thread->held_pmt, &pmt) && pmt.kind == PGR_OBJECT_PMT)
        snapshot_add(w, &c->maps_before, pmt.pmt.pages, 0, c->before.operation);
}

/* Are bytes at stake, so that they must be compared and not the states alone? */
static int compares_bytes(const struct before *before)
{
    if (before->has_relatives)
        return 1;
    switch (before->operation) {
    case OPERATION_SUPPLY:
    case OPERATION_DIRTY:
    case OPERATION_BEGIN:
    case OPERATION_END:
    case OPERATION_DETACH:
    case OPERATION_EVICT:
        return 1;
    case OPERATION_LET_GO:
        return before->handle_count && before->handles[0].object.kind == PGR_OBJECT_PAGER;
    default:
        return 0;
    }
}

static void copy_all_bytes(struct check_context *c, const void *frames)
{
    if (!frames || !compares_bytes(&c->before))
        return;
    for (uint32_t i = 0; i < c->maps_before.runs_used; i++)
        copy_bytes(c, frames, &c->maps_before.runs[i]);
}

static void remember_resume(struct check_context *c, const pgr_world *w, const pgr_call *call)
{
    struct before *before = &c->before;
    pgr_thread_view thread;

    if (call->thread >= c->config.thread_count || !pgr_inspect_thread(w, call->thread, &thread))
        return;
    before->call = thread.call;
    before->operation = c->threads[call->thread].operation;
    before->reach = c->threads[call->thread].reach;
    before->access = c->threads[call->thread].access;
    if (before->operation == OPERATION_NONE)
        return;
    add_held(c, w, &thread);
    add_reached(c, w, &before->reach);
    if (before->call == PGR_CALL_MEM_PREPARE)
        add_accesses(c, w, call);
}

static void remember_call(struct check_context *c, const pgr_world *w, const pgr_call *call)
{
    struct before *before = &c->before;
    pgr_thread_view thread;

    remember_handles(c, w, call);
    check_remember_beside(c, w, call);
    if (before->operation == OPERATION_NONE)
        return;
    remember_reach(c, w, call);
    if (call->number == PGR_CALL_PAGER_OP_RANGE) {
        before->events_begin = call->arg[3] >> c->config.page_shift;
        before->events_end = sum_or_most(call->arg[3], call->arg[4]) >> c->config.page_shift;
    }
    if (before->operation == OPERATION_SUPPLY)
        remember_supply(c, w, call);
    if (before->operation == OPERATION_EVICT)
        add_pager_maps(c, w, 0);
    if (call->number == PGR_CALL_THREAD_KILL && pgr_inspect_thread(w, (uint32_t)call->arg[0], &thread))
        add_held(c, w, &thread);
    if (call->number == PGR_CALL_MEM_PREPARE)
        add_accesses(c, w, call);
    add_reached(c, w, &before->reach);
    remember_maps_of_handles(c, w);
}

void check_remember(struct check_context *c, const pgr_world *w, const void *frames, const pgr_call *call)
{
    struct before *before = &c->before;

    before->taken = 1;
    before->call = call->number;
    before->operation = operation_of(call);
    before->handle_count = 0;
    before->supply.valid = 0;
    before->has_relatives = 0;
    before->reach = (struct reach){0};
    before->access = (struct access_memo){0};
    before->events_begin = before->events_end = 0;
    before->first_released = pgr_first_released(w);
    memset(&before->counts, 0, sizeof before->counts);
    pgr_inspect_world(w, &before->counts);
    c->maps_before.count = c->maps_before.runs_used = c->bytes_used = 0;

    if (call->number == PGR_CALL_RESUME)
        remember_resume(c, w, call);
    else
        remember_call(c, w, call);
    if (before->operation == OPERATION_NONE)
        return;
    add_relatives(c, w);
    copy_all_bytes(c, frames);
}

/* The same maps after the call, in the same places; a map that is gone has the row 0. */
void check_snapshot_again(struct check_context *c, const pgr_world *w)
{
    struct snapshot_set *after = &c->maps_after;

    after->count = after->runs_used = 0;
    for (uint32_t i = 0; i < c->maps_before.count; i++) {
        const struct snapshot *old = &c->maps_before.maps[i];
        uint32_t place = snapshot_add(w, after, old->row, old->begin, old->operation);
        if (place == SNAPSHOT_MAPS_MAX)
            after->maps[after->count++] = (struct snapshot){.row = 0};
        else if (after->maps[place].source != old->source)
            after->maps[place].row = 0;
    }
}

/* A call that blocks leaves behind what its resumes will touch. */
void check_remember_thread(struct check_context *c, const pgr_call *call, const pgr_result *result)
{
    const pgr_call_info *info = pgr_call_row(call->number);

    if (call->thread >= c->config.thread_count || result->outcome == PGR_REFUSED || !info || info->worldly)
        return;

    struct thread_memo *memo = &c->threads[call->thread];
    if (result->outcome != PGR_BLOCKED)
        *memo = (struct thread_memo){0};
    else if (call->number != PGR_CALL_RESUME)
        *memo = (struct thread_memo){c->before.operation, c->before.reach, c->before.access};
}

/*
 * The segment of `map` that begins at `page`, which must be below map->end. `hint` is 0 at first and speeds up calls
 * with ascending pages.
 */
struct segment check_segment(const struct check_context *c, const struct snapshot_set *set, const struct snapshot *map,
                             uint32_t *hint, uint64_t page)
{
    const struct run_copy *runs = &set->runs[map->first_run];
    uint32_t i = *hint;

    while (i < map->run_count && (runs[i].page > UINT64_MAX - runs[i].count || runs[i].page + runs[i].count <= page))
        i++;
    *hint = i;
    if (i == map->run_count || runs[i].page >= map->end)
        return (struct segment){.page = page, .count = map->end - page, .bytes = NO_BYTES};
    if (runs[i].page > page)
        return (struct segment){.page = page, .count = runs[i].page - page, .bytes = NO_BYTES};

    uint64_t into = page - runs[i].page;
    return (struct segment){
        .page = page,
        .count = runs[i].count - into,
        .state = runs[i].state,
        .frame = runs[i].frame ? runs[i].frame + (uint32_t)into : 0,
        .pins = runs[i].pins,
        .bytes = runs[i].bytes == NO_BYTES ? NO_BYTES : runs[i].bytes + (uint32_t)(into << c->config.page_shift),
    };
}

/*
 * Do `count` pages that had the frames from `old_frame` on, with bytes copied to `bytes`, still have their bytes in the
 * frames from `new_frame` on? Where no bytes were copied the same frames must do. `first_different` gets the page that
 * differs, counted from 0.
 */
int check_bytes_kept(const struct check_context *c, const void *frames, uint32_t bytes, uint32_t old_frame,
                     uint32_t new_frame, uint64_t count, uint64_t *first_different)
{
    uint32_t shift = c->config.page_shift;
    size_t page_bytes = (size_t)1 << shift;

    *first_different = 0;
    if (bytes == NO_BYTES || !frames)
        return old_frame == new_frame;
    if (!check_frames_inside(c, new_frame, count))
        return 0;
    const uint8_t *old = c->bytes + bytes, *new = (const uint8_t *)frames + ((size_t)new_frame << shift);
    if (memcmp(old, new, (size_t)count << shift) == 0)
        return 1;
    while (memcmp(old + (*first_different << shift), new + (*first_different << shift), page_bytes) == 0)
        ++*first_different;
    return 0;
}

NO_COVERAGE_END
