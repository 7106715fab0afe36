/* Runs programs in fuzz worlds under the invariant checkers. See executor.h. */
#include "harness/executor.h"

#include "harness/check.h"
#include "harness/executor_internal.h"
#include "harness/recorder.h"
#include "harness/world_memory.h"

#include <stdlib.h>
#include <string.h>

#include "harness/no_coverage.h"

NO_COVERAGE_BEGIN

static struct executor executor;

/* ---- what is made once ---- */

static int make_lane(struct lane *lane)
{
    lane->buffers = program_buffers_new();
    return lane->buffers != NULL;
}

struct executor *executor_get(void)
{
    if (executor.ready)
        return &executor;
    program_largest_config(&executor.largest);
    executor.check = check_new(&executor.largest);
    executor.loading = memory_allocate(pgr_world_bytes(&executor.largest));
    if (!executor.check || !executor.loading || !make_lane(&executor.lanes[0]) || !make_lane(&executor.lanes[1]))
        return NULL;
    executor.ready = 1;
    return &executor;
}

static void *frames_of(struct lane *lane, const struct program_header *header)
{
    void **frames = &lane->frames[header->world / WORLDS_ON_SAME_FRAMES];
    if (!*frames)
        *frames = memory_allocate(pgr_frames_bytes(&header->config));
    return *frames;
}

/* The block's world, reset, or a new one. */
static pgr_world *fresh_world(struct world_block *block, const pgr_config *config)
{
    uint64_t bytes = pgr_world_bytes(config);
    if (block->world) {
        pgr_reset(block->world);
        return block->world;
    }
    if (!block->memory)
        block->memory = memory_allocate(bytes);
    if (block->memory)
        pgr_init(block->memory, bytes, config, &block->world);
    return block->world;
}

int lane_prepare(struct lane *lane, const uint8_t *data, size_t bytes)
{
    struct program_header header;
    program_read_header(&header, data, bytes);
    lane->current_frames = frames_of(lane, &header);
    lane->current = fresh_world(&lane->worlds[header.world], &header.config);
    if (!lane->current || !lane->current_frames)
        return -1;
    program_start(&lane->program, data, bytes, lane->buffers, lane->current);
    return 0;
}

/* ---- figures ---- */

/* Whether a page of the supply's destination is absent before it. */
static int would_fill(const pgr_world *world, uint32_t page_shift, const pgr_call *call)
{
    uint32_t vmo, pages;
    if (!pgr_inspect_vmo(world, (zx_handle_t)call->arg[1], &vmo, &pages))
        return 0;
    uint64_t page = call->arg[2] >> page_shift, end = page + (call->arg[3] >> page_shift);
    for (uint32_t steps = 0; page < end && steps < 16; steps++) {
        pgr_run_view run;
        if (!pgr_inspect_run(world, pages, page, &run) || run.page > page)
            return 1;
        page = run.page + run.count;
    }
    return 0;
}

static void count_result(struct execution_stats *stats, const pgr_call *call, const pgr_result *result)
{
    if (call->number >= PGR_CALL_COUNT)
        return;
    stats->row_calls[call->number]++;
    if (result->outcome != PGR_DONE || result->status != ZX_OK)
        return;
    stats->row_ok[call->number]++;
    if (call->number == PGR_CALL_RESUME && result->call < PGR_CALL_COUNT)
        stats->row_ok[result->call]++;
}

static void count_call(struct run *run, const pgr_call *call, const pgr_result *result, int filled)
{
    struct execution_stats *stats = run->stats;
    stats->calls++;
    count_result(stats, call, result);
    if (result->outcome == PGR_REFUSED) {
        stats->refused++;
        return;
    }
    if (result->outcome == PGR_BLOCKED) {
        stats->blocked++;
        run->seen |= SEEN_BLOCK;
    }
    if (call->number == PGR_CALL_RESUME) {
        stats->released++;
        run->seen |= SEEN_RELEASE;
    }
    if (filled && result->outcome == PGR_DONE && result->status == ZX_OK) {
        stats->supplies++;
        run->seen |= SEEN_SUPPLY;
    }
}

/* ---- one call ---- */

static int checked(struct run *run, int violated)
{
    if (!violated)
        return 0;
    run->message = check_message(run->check);
    return 1;
}

static int walk_if_due(struct run *run)
{
    if (run->walk_every == 0 || run->dispatches % run->walk_every != 0)
        return 0;
    if (run->stats)
        run->stats->walks++;
    return checked(run, check_walk(run->check, run->lane->current, run->lane->current_frames));
}

static int dispatch(struct run *run, const pgr_call *call)
{
    struct lane *lane = run->lane;
    pgr_result result;
    int filled = run->stats && call->number == PGR_CALL_PAGER_SUPPLY_PAGES &&
                 would_fill(lane->current, lane->program.header.config.page_shift, call);
    if (run->checks)
        check_before(run->check, lane->current, lane->current_frames, call);
    run->inside = 1;
    pgr_dispatch(lane->current, lane->current_frames, call, &result);
    run->inside = 0;
    run->dispatches++;
    if (run->stats)
        count_call(run, call, &result, filled);
    if (run->recorder)
        recorder_call(run->recorder, call, &result);
    if (run->checks && checked(run, check_after(run->check, lane->current, lane->current_frames, call, &result)))
        return 1;
    program_learn(&lane->program, lane->current, call, &result);
    return walk_if_due(run);
}

/* The next call: a resume if it is time for one, otherwise the program's. */
static int next_call(struct run *run, int *resuming, pgr_call *call)
{
    struct lane *lane = run->lane;
    if (*resuming && program_next_resume(&lane->program, lane->current, call))
        return 1;
    *resuming = 1;
    return program_next(&lane->program, lane->current, call);
}

/* Runs the lane's program from its start; 1 if something was wrong. */
int run_program(struct run *run)
{
    pgr_call call;
    int resuming = 0;
    while (next_call(run, &resuming, &call)) {
        if (run->dispatches == run->stop_at) {
            if (run->ends_inside)
                recorder_call(run->recorder, &call, NULL);
            return 0;
        }
        if (dispatch(run, &call))
            return 1;
    }
    return 0;
}

/* ---- one input ---- */

static int grow(struct image *image, uint64_t bytes)
{
    if (image->room >= bytes)
        return 1;
    free(image->memory);
    image->room = 2 * bytes;
    image->memory = memory_allocate(image->room);
    return image->memory != NULL;
}

static int save(struct lane *lane)
{
    lane->image.bytes = pgr_image_bytes(lane->current);
    return grow(&lane->image, lane->image.bytes) && !pgr_save(lane->current, lane->image.memory, lane->image.room);
}

/* Whether the frames that are held have the same bytes in both lanes. What a free frame holds is of no account. */
static int same_frames(const struct lane *a, const struct lane *b)
{
    uint32_t shift = a->program.header.config.page_shift, count = a->program.header.config.frame_count;
    for (uint32_t frame = 1; frame < count;) {
        pgr_frames_view view;
        if (!pgr_inspect_frames(a->current, frame, &view))
            return 0;
        uint64_t at = (uint64_t)view.frame << shift, bytes = (uint64_t)view.count << shift;
        if (view.holders > 0 &&
            memcmp((uint8_t *)a->current_frames + at, (uint8_t *)b->current_frames + at, (size_t)bytes) != 0)
            return 0;
        frame = view.frame + view.count;
    }
    return 1;
}

/* 1 if the two lanes' worlds or their frames differ. */
static int compare_lanes(struct run *run, struct lane *a, struct lane *b)
{
    run->message = NULL;
    if (!save(a) || !save(b)) {
        run->message = "a world cannot be saved";
    } else if (a->image.bytes != b->image.bytes ||
               memcmp(a->image.memory, b->image.memory, (size_t)a->image.bytes) != 0) {
        run->message = "the same input, run twice, gave two different worlds";
    } else if (!same_frames(a, b)) {
        run->message = "the same input, run twice, gave different bytes in the frames";
    }
    return run->message != NULL;
}

/* 1 if the lane's image, loaded into a block that still holds another world, is not its world. */
static int compare_loaded(struct run *run, const struct lane *saved)
{
    uint64_t room = pgr_world_bytes(&executor.largest);
    pgr_world *loaded;
    if (pgr_load(executor.loading, room, saved->image.memory, saved->image.bytes, &loaded))
        run->message = "the image of a world cannot be loaded";
    else if (pgr_canonical_hash(loaded, saved->current_frames) !=
             pgr_canonical_hash(saved->current, saved->current_frames))
        run->message = "a world that was saved and loaded is another one";
    return run->message != NULL;
}

static int run_again(struct run *run, const uint8_t *data, size_t bytes)
{
    struct lane *other = &executor.lanes[1];
    if (lane_prepare(other, data, bytes))
        return -1;
    struct run second = {.lane = other, .stop_at = UINT64_MAX};
    run_program(&second);
    if (run->stats)
        run->stats->reruns++;
    return compare_lanes(run, run->lane, other) || compare_loaded(run, run->lane);
}

static int run_and_judge(struct run *run, const uint8_t *data, size_t bytes, const struct execution_options *options)
{
    if (run_program(run))
        return 1;
    if (options->rerun && run_again(run, data, bytes))
        return 1;
    if (!options->end)
        return 0;
    if (run->stats)
        run->stats->walks++;
    return checked(run, check_end(run->check, run->lane->current, run->lane->current_frames));
}

static void count_execution(const struct run *run)
{
    struct execution_stats *stats = run->stats;
    if (!stats)
        return;
    stats->executions++;
    stats->with_block += (run->seen & SEEN_BLOCK) != 0;
    stats->with_release += (run->seen & SEEN_RELEASE) != 0;
    stats->with_supply += (run->seen & SEEN_SUPPLY) != 0;
    stats->complete += run->seen == (SEEN_BLOCK | SEEN_RELEASE | SEEN_SUPPLY);
}

int execute_program(const uint8_t *data, size_t bytes, const struct execution_options *options,
                    struct execution_stats *stats)
{
    struct executor *x = executor_get();
    if (!x || lane_prepare(&x->lanes[0], data, bytes))
        return -1;
    struct run run = {.lane = &x->lanes[0],
                      .check = x->check,
                      .checks = options->checks,
                      .walk_every = options->walk_every,
                      .stop_at = UINT64_MAX,
                      .stats = stats};
    x->data = data;
    x->bytes = bytes;
    x->run = &run;
    check_reset(x->check, run.lane->current);
    check_set_rates(x->check, options->hash_every, options->hash_phase);
    if (options->record)
        run.recorder = lane_recorder(run.lane, options->record);
    int violated = run_and_judge(&run, data, bytes, options);
    if (run.recorder)
        recorder_free(run.recorder);
    count_execution(&run);
    snprintf(x->message, sizeof x->message, "%s", violated && run.message ? run.message : "");
    if (violated && options->report)
        report_violation(x, options->report);
    x->run = NULL;
    return violated;
}

const char *execution_message(void)
{
    return executor.message;
}

/* FNV-1a. */
static uint32_t hash_of(const uint8_t *data, size_t bytes)
{
    uint32_t hash = 2166136261u;
    for (size_t i = 0; i < bytes; i++)
        hash = (hash ^ data[i]) * 16777619u;
    return hash ^ hash >> 15;
}

void execution_options_sampled(struct execution_options *options, const uint8_t *data, size_t bytes)
{
    uint32_t hash = hash_of(data, bytes < 256 ? bytes : 256);
    int thorough = hash % 32 == 0;
    *options = (struct execution_options){.checks = 1,
                                          .hash_every = thorough ? 8 : 256,
                                          .hash_phase = hash >> 8,
                                          .walk_every = thorough ? 16 : 256,
                                          .rerun = hash % 64 == 1,
                                          .end = 1,
                                          .report = stderr};
}

static void print_share(uint64_t part, uint64_t whole, const char *name, FILE *out)
{
    fprintf(out, "%s\t%.1f %%\n", name, whole ? 100.0 * (double)part / (double)whole : 0.0);
}

static void print_rows(const struct execution_stats *stats, FILE *out)
{
    for (uint32_t number = 1; number < PGR_CALL_COUNT; number++) {
        const pgr_call_info *row = pgr_call_row(number);
        if (!row || program_opcode(number) < 0)
            continue;
        uint64_t calls = stats->row_calls[number], ok = stats->row_ok[number];
        fprintf(out, "row\t%s\t%llu\t%.1f %%\t%s\n", row->name, (unsigned long long)calls,
                calls ? 100.0 * (double)ok / (double)calls : 0.0, ok * 10 >= calls && calls > 0 ? "ok" : "LOW");
    }
}

void execution_stats_print(const struct execution_stats *stats, double seconds, FILE *out)
{
    fprintf(out, "executions\t%llu\n", (unsigned long long)stats->executions);
    fprintf(out, "calls\t%llu\n", (unsigned long long)stats->calls);
    if (seconds > 0)
        fprintf(out, "executions_per_second\t%.0f\n", (double)stats->executions / seconds);
    if (seconds > 0)
        fprintf(out, "calls_per_second\t%.0f\n", (double)stats->calls / seconds);
    fprintf(out, "walks\t%llu\n", (unsigned long long)stats->walks);
    fprintf(out, "reruns\t%llu\n", (unsigned long long)stats->reruns);
    print_share(stats->walks, stats->calls, "walks_of_calls", out);
    print_share(stats->refused, stats->calls, "refused_of_calls", out);
    print_share(stats->blocked, stats->calls, "blocked_of_calls", out);
    print_share(stats->released, stats->calls, "resumed_of_calls", out);
    print_share(stats->supplies, stats->calls, "filling_supplies_of_calls", out);
    print_share(stats->with_block, stats->executions, "executions_with_block", out);
    print_share(stats->with_release, stats->executions, "executions_with_release", out);
    print_share(stats->with_supply, stats->executions, "executions_with_filling_supply", out);
    print_share(stats->complete, stats->executions, "complete_executions", out);
    print_rows(stats, out);
}

NO_COVERAGE_END
