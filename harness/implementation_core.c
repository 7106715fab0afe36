/*
 * The core as an implementation: a world and its frames, made anew for each reset. Memory is mapped, so that what a
 * world never touches costs nothing, and kept from one reset to the next.
 */
#include <stdlib.h>

#include "harness/implementation_core.h"
#include "harness/no_coverage.h"
#include "harness/world_memory.h"

NO_COVERAGE_BEGIN

struct block {
    void *memory;
    size_t bytes;
};

struct core {
    struct implementation interface;
    pgr_world *world; /* null before the first reset */
    void *frames;
    struct block world_block, frames_block; /* memory of its own; both empty over a world of the caller's */
    struct block zeros;                     /* a page that nobody writes */
};

/* ---- worlds ---- */

static int make_room(struct block *block, uint64_t bytes)
{
    if (block->bytes >= bytes)
        return 0;
    memory_unmap(block->memory, block->bytes);
    block->memory = memory_map(bytes);
    block->bytes = block->memory != NULL ? (size_t)bytes : 0;
    return block->memory != NULL ? 0 : -1;
}

static int core_reset(void *self, const pgr_config *config, pgr_start *start)
{
    struct core *core = self;
    uint64_t world_bytes = pgr_world_bytes(config);
    uint64_t frames_bytes = pgr_frames_bytes(config);

    core->world = NULL;
    if (world_bytes == 0 || frames_bytes == 0)
        return -1;
    if (make_room(&core->world_block, world_bytes) != 0 || make_room(&core->frames_block, frames_bytes) != 0)
        return -1;
    if (pgr_init(core->world_block.memory, world_bytes, config, &core->world) != ZX_OK)
        return -1;
    core->frames = core->frames_block.memory;
    pgr_start_handles(core->world, start);
    return 0;
}

/* A world of the caller's is the caller's to reset. */
static int borrowed_reset(void *self, const pgr_config *config, pgr_start *start)
{
    (void)self;
    (void)config;
    (void)start;
    return -1;
}

/* ---- calls ---- */

static void core_call(void *self, const pgr_call *call, pgr_result *result)
{
    struct core *core = self;

    pgr_dispatch(core->world, core->frames, call, result);
}

static void core_resume(void *self, uint32_t thread, void *buffer, uint64_t buffer_bytes, pgr_result *result)
{
    struct core *core = self;
    const pgr_call call = {.number = PGR_CALL_RESUME, .thread = thread, .buffer = buffer, .buffer_bytes = buffer_bytes};

    pgr_dispatch(core->world, core->frames, &call, result);
}

static uint32_t core_released(void *self)
{
    struct core *core = self;

    return pgr_first_released(core->world);
}

/* ---- looking inside ---- */

/* A VMO with the pages behind it, and the part of them that it shows. */
struct shown {
    pgr_object_view vmo, pages;
    uint32_t pages_row;
    uint64_t begin, end; /* of the pages */
};

static int find_shown(const struct core *core, zx_handle_t handle, struct shown *shown)
{
    uint32_t vmo_row;

    if (!pgr_inspect_vmo(core->world, handle, &vmo_row, &shown->pages_row))
        return 0;
    if (!pgr_inspect_object(core->world, vmo_row, &shown->vmo) ||
        !pgr_inspect_object(core->world, shown->pages_row, &shown->pages))
        return 0;
    shown->begin = shown->vmo.vmo.offset_pages;
    shown->end = shown->begin + shown->vmo.vmo.size_pages;
    return 1;
}

/* The next run that reaches into [from, end), cut to it. */
static int next_run(const struct core *core, uint32_t pages_row, uint64_t from, uint64_t end, pgr_run_view *run)
{
    if (from >= end || !pgr_inspect_run(core->world, pages_row, from, run) || run->page >= end)
        return 0;
    if (run->page < from) {
        uint64_t cut = from - run->page;
        run->page = from;
        run->count -= cut;
        run->frame = run->frame != 0 ? run->frame + (uint32_t)cut : 0;
        run->awaiting = run->awaiting > cut ? run->awaiting - cut : 0;
    }
    if (run->count > end - run->page)
        run->count = end - run->page;
    return 1;
}

static int core_vmo(void *self, zx_handle_t handle, struct implementation_vmo *view)
{
    struct core *core = self;
    struct shown shown;
    pgr_inspect_counts counts;
    pgr_run_view run;

    if (!find_shown(core, handle, &shown))
        return 0;
    pgr_inspect_world(core->world, &counts);
    *view = (struct implementation_vmo){.size_bytes = shown.vmo.vmo.size_pages << counts.config.page_shift,
                                        .content_size_bytes = shown.vmo.vmo.content_size_bytes};
    for (uint64_t at = shown.begin; next_run(core, shown.pages_row, at, shown.end, &run); at = run.page + run.count) {
        view->committed_pages += run.frame != 0 ? run.count : 0;
        view->pins += run.count * run.pins;
    }
    return 1;
}

/* The run that has this page, or 0. */
static int run_with(const struct core *core, uint32_t pages_row, uint64_t page, pgr_run_view *run)
{
    return next_run(core, pages_row, page, page + 1, run);
}

static const uint8_t *zero_page(struct core *core, uint32_t page_shift)
{
    return make_room(&core->zeros, UINT64_C(1) << page_shift) == 0 ? core->zeros.memory : NULL;
}

/* What a read sees of a page of these pages: its own, or the parent's, or zeros where nobody has it. */
static const uint8_t *page_bytes(struct core *core, uint32_t pages_row, uint64_t page, uint32_t page_shift)
{
    pgr_object_view pages;
    pgr_run_view run;

    while (pgr_inspect_object(core->world, pages_row, &pages)) {
        if (run_with(core, pages_row, page, &run))
            return run.frame != 0 ? (const uint8_t *)core->frames + ((uint64_t)run.frame << page_shift)
                                  : zero_page(core, page_shift);
        if (pages.pages.parent == 0 || page >= pages.pages.parent_limit_pages)
            return pages.pages.source != 0 ? NULL : zero_page(core, page_shift);
        page += pages.pages.parent_offset_pages;
        pages_row = pages.pages.parent;
    }
    return NULL;
}

static int core_page(void *self, zx_handle_t handle, uint64_t page, struct implementation_page *view)
{
    struct core *core = self;
    struct shown shown;
    pgr_inspect_counts counts;
    pgr_run_view run;

    if (!find_shown(core, handle, &shown) || page >= shown.vmo.vmo.size_pages)
        return 0;
    *view = (struct implementation_page){.state = PGR_PAGE_NONE};
    if (run_with(core, shown.pages_row, shown.begin + page, &run)) {
        view->state = run.state;
        view->pins = run.pins;
        view->hint = run.hint;
        view->awaiting = run.state == PGR_PAGE_INTERVAL && run.awaiting > 0;
    }
    pgr_inspect_world(core->world, &counts);
    if (!(shown.pages.flags & PGR_PAGES_PHYSICAL))
        view->bytes = page_bytes(core, shown.pages_row, shown.begin + page, counts.config.page_shift);
    return 1;
}

static uint64_t core_next_change(void *self, zx_handle_t handle, uint64_t page)
{
    struct core *core = self;
    struct shown shown;
    pgr_run_view run;
    uint64_t from;

    if (!find_shown(core, handle, &shown) || page >= shown.vmo.vmo.size_pages)
        return UINT64_MAX;
    from = shown.begin + page;
    if (!next_run(core, shown.pages_row, from, shown.end, &run))
        return UINT64_MAX;
    if (run.page > from)
        return run.page - shown.begin;
    from += run.count;
    return from < shown.end ? from - shown.begin : UINT64_MAX;
}

/* ---- making and ending ---- */

static void core_end(void *self)
{
    struct core *core = self;

    memory_unmap(core->world_block.memory, core->world_block.bytes);
    memory_unmap(core->frames_block.memory, core->frames_block.bytes);
    memory_unmap(core->zeros.memory, core->zeros.bytes);
    free(core);
}

static struct core *core_new(void)
{
    struct core *core = calloc(1, sizeof(*core));

    if (core == NULL)
        return NULL;
    core->interface = (struct implementation){.name = "core",
                                              .self = core,
                                              .reset = core_reset,
                                              .call = core_call,
                                              .resume = core_resume,
                                              .released = core_released,
                                              .vmo = core_vmo,
                                              .page = core_page,
                                              .next_change = core_next_change,
                                              .end = core_end};
    return core;
}

struct implementation *implementation_core(void)
{
    struct core *core = core_new();

    return core != NULL ? &core->interface : NULL;
}

struct implementation *implementation_core_over(pgr_world *world, void *frames)
{
    struct core *core = core_new();

    if (core == NULL)
        return NULL;
    core->interface.reset = borrowed_reset;
    core->world = world;
    core->frames = frames;
    return &core->interface;
}

const pgr_world *implementation_core_world(const struct implementation *implementation, const void **frames)
{
    const struct core *core = implementation->self;

    if (implementation->call != core_call)
        return NULL;
    if (frames != NULL)
        *frames = core->frames;
    return core->world;
}

uint32_t implementation_released(const struct implementation *implementation)
{
    return implementation->released != NULL ? implementation->released(implementation->self) : PGR_NO_THREAD;
}

void implementation_end(struct implementation *implementation)
{
    if (implementation != NULL && implementation->end != NULL)
        implementation->end(implementation->self);
}

NO_COVERAGE_END
