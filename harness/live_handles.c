/* The handles that are alive in a world. See live_handles.h. */
#include "harness/live_handles.h"

#include "harness/no_coverage.h"

#include <string.h>

NO_COVERAGE_BEGIN

uint32_t live_handle_kind_of_type(uint32_t type)
{
    switch (type) {
    case ZX_OBJ_TYPE_VMO:
        return PGR_OBJECT_VMO;
    case ZX_OBJ_TYPE_EVENT:
        return PGR_OBJECT_EVENT;
    case ZX_OBJ_TYPE_PORT:
        return PGR_OBJECT_PORT;
    case ZX_OBJ_TYPE_RESOURCE:
        return PGR_OBJECT_RESOURCE;
    case ZX_OBJ_TYPE_VMAR:
        return PGR_OBJECT_VMAR;
    case ZX_OBJ_TYPE_BTI:
        return PGR_OBJECT_BTI;
    case ZX_OBJ_TYPE_PMT:
        return PGR_OBJECT_PMT;
    case ZX_OBJ_TYPE_PAGER:
        return PGR_OBJECT_PAGER;
    default:
        return PGR_OBJECT_NONE;
    }
}

static void count_in(struct live_handles *live, const struct live_handle *handle)
{
    live->of_kind[handle->kind]++;
    live->of_nature[handle->nature]++;
}

static void count_out(struct live_handles *live, const struct live_handle *handle)
{
    live->of_kind[handle->kind]--;
    live->of_nature[handle->nature]--;
}

/* What kind of VMO this is: whether a pager answers for it, or a supply may take its pages. */
static void look_at_vmo(struct live_handle *handle, const pgr_world *world)
{
    pgr_object_view vmo;
    if (!pgr_inspect_object(world, handle->object, &vmo))
        return;
    handle->pages = vmo.vmo.pages;
    pgr_object_view pages;
    if (!pgr_inspect_object(world, handle->pages, &pages))
        return;
    if (vmo.flags == 0 && pages.flags == 0)
        handle->nature = NATURE_PLAIN_VMO;
    if (vmo.flags == 0 && pages.flags == PGR_PAGES_RESIZABLE)
        handle->nature = NATURE_PLAIN_VMO;
    if (pages.flags & PGR_PAGES_DISCARDABLE)
        handle->nature = NATURE_DISCARDABLE_VMO;
    if (!(vmo.flags & PGR_VMO_FROM_PAGER))
        return;
    handle->nature = NATURE_PAGER_VMO;
    pgr_object_view source;
    if (pgr_inspect_object(world, pages.pages.source, &source))
        handle->pager = source.source.pager;
}

static int describe(struct live_handle *handle, const pgr_world *world, zx_handle_t value)
{
    pgr_handle_view view;
    uint32_t row = pgr_inspect_handle_row(world, value);
    if (row == 0 || !pgr_inspect_handle(world, row, &view))
        return 0;
    *handle = (struct live_handle){.value = value, .row = row, .object = view.object, .kind = (uint8_t)view.kind};
    if (handle->kind >= PGR_OBJECT_KIND_COUNT)
        return 0;
    if (handle->kind == PGR_OBJECT_VMO)
        look_at_vmo(handle, world);
    return 1;
}

void live_handles_add(struct live_handles *live, const pgr_world *world, zx_handle_t value)
{
    struct live_handle handle;
    if (live->count == LIVE_HANDLES_MAX || !describe(&handle, world, value))
        return;
    uint32_t at = live->count;
    for (; at > live->batch && live->list[at - 1].row > handle.row; at--)
        live->list[at] = live->list[at - 1];
    live->list[at] = handle;
    live->count++;
    count_in(live, &handle);
}

static void remove_at(struct live_handles *live, uint32_t at)
{
    count_out(live, &live->list[at]);
    live->count--;
    memmove(&live->list[at], &live->list[at + 1], (live->count - at) * sizeof live->list[0]);
    if (at < live->batch)
        live->batch--;
}

void live_handles_check(struct live_handles *live, const pgr_world *world, zx_handle_t value)
{
    if (pgr_inspect_handle_row(world, value) != 0)
        return;
    for (uint32_t at = live->count; at-- > 0;) {
        if (live->list[at].value != value)
            continue;
        remove_at(live, at);
        return;
    }
}

static void clear(struct live_handles *live)
{
    live->count = 0;
    live->batch = 0;
    memset(live->of_kind, 0, sizeof live->of_kind);
    memset(live->of_nature, 0, sizeof live->of_nature);
}

void live_handles_next_batch(struct live_handles *live)
{
    live->batch = live->count;
}

void live_handles_start(struct live_handles *live, const pgr_world *world)
{
    pgr_start start;
    pgr_start_handles(world, &start);
    clear(live);
    live_handles_add(live, world, start.vmar);
    live_handles_add(live, world, start.bti);
    live_handles_add(live, world, start.resource);
    live_handles_add(live, world, start.event);
}

static int is_listed(const struct live_handles *live, zx_handle_t value)
{
    for (uint32_t at = 0; at < live->count; at++) {
        if (live->list[at].value == value)
            return 1;
    }
    return 0;
}

void live_handles_refresh(struct live_handles *live, const pgr_world *world)
{
    for (uint32_t at = live->count; at-- > 0;) {
        if (pgr_inspect_handle_row(world, live->list[at].value) == 0)
            remove_at(live, at);
    }
    live_handles_next_batch(live);
    pgr_inspect_counts counts;
    pgr_inspect_world(world, &counts);
    for (uint32_t row = 1; row < counts.config.handle_count && live->count < counts.handles_used; row++) {
        pgr_handle_view view;
        if (pgr_inspect_handle(world, row, &view) && !is_listed(live, view.value))
            live_handles_add(live, world, view.value);
    }
}

const struct live_handle *live_handle_of_kind(const struct live_handles *live, uint32_t kind, uint32_t rank)
{
    uint32_t count = kind == PGR_OBJECT_NONE ? live->count : live->of_kind[kind];
    if (count == 0)
        return NULL;
    rank %= count;
    if (kind == PGR_OBJECT_NONE)
        return &live->list[live->count - 1 - rank];
    for (uint32_t at = live->count; at-- > 0;) {
        if (live->list[at].kind == kind && rank-- == 0)
            return &live->list[at];
    }
    return NULL;
}

const struct live_handle *live_handle_of_nature(const struct live_handles *live, uint32_t nature, uint32_t rank)
{
    if (live->of_nature[nature] == 0)
        return NULL;
    rank %= live->of_nature[nature];
    for (uint32_t at = live->count; at-- > 0;) {
        if (live->list[at].nature == nature && rank-- == 0)
            return &live->list[at];
    }
    return NULL;
}

const struct live_handle *live_handle_of_object(const struct live_handles *live, uint32_t object)
{
    for (uint32_t at = live->count; at-- > 0;) {
        if (live->list[at].object == object)
            return &live->list[at];
    }
    return NULL;
}

const struct live_handle *live_handle_of_pager_pages(const struct live_handles *live, uint32_t pages)
{
    for (uint32_t at = live->count; at-- > 0;) {
        if (live->list[at].nature == NATURE_PAGER_VMO && live->list[at].pages == pages)
            return &live->list[at];
    }
    return NULL;
}

uint32_t live_handle_rank(const struct live_handles *live, uint32_t kind, zx_handle_t value)
{
    uint32_t rank = 0;
    for (uint32_t at = live->count; at-- > 0;) {
        if (kind != PGR_OBJECT_NONE && live->list[at].kind != kind)
            continue;
        if (live->list[at].value == value)
            return rank;
        rank++;
    }
    return UINT32_MAX;
}

NO_COVERAGE_END
