/* Worlds in which the calls of a trace are made again. See sweep_internal.h. */
#include "harness/sweep_internal.h"

#include <stdlib.h>
#include <string.h>

#include "harness/check_internal.h"

/* ---- worlds ---- */

int player_start(struct sweep_player *player, const struct sweep_script *script, checked_dispatch *dispatch)
{
    const pgr_config *config = &script->config;

    *player = (struct sweep_player){.script = script, .dispatch = dispatch != NULL ? dispatch : pgr_dispatch};
    player->threads = calloc(config->thread_count, sizeof(*player->threads));
    player->check = check_new(config);
    if (world_memory_map(&player->memory, config) != 0 || player->threads == NULL || player->check == NULL)
        return -1;
    if (pgr_init(player->memory.block, player->memory.block_bytes, config, &player->world) != ZX_OK)
        return -1;
    check_reset(player->check, player->world);
    check_set_rates(player->check, 1, 0);
    return 0;
}

static void drop_buffers(struct sweep_player *player)
{
    for (uint32_t i = 0; player->threads != NULL && i < player->script->config.thread_count; i++) {
        free(player->threads[i].buffer);
        player->threads[i].buffer = NULL;
    }
}

void player_end(struct sweep_player *player)
{
    drop_buffers(player);
    free(player->threads);
    free(player->handles);
    if (player->check != NULL)
        check_free(player->check);
    world_memory_unmap(&player->memory);
}

/* ---- moments ---- */

int moment_save(struct sweep_moment *moment, const struct sweep_player *player)
{
    moment->player = player;
    moment->image_bytes = pgr_image_bytes(player->world);
    if (moment->image_room < moment->image_bytes) {
        free(moment->image);
        moment->image_room = 2 * moment->image_bytes;
        moment->image = memory_allocate(moment->image_room);
    }
    return moment->image != NULL && pgr_save(player->world, moment->image, moment->image_bytes) == ZX_OK ? 0 : -1;
}

static int make_room_for_handles(struct sweep_player *player, uint32_t count)
{
    if (player->handle_room >= count)
        return 0;
    struct sweep_handle *larger = realloc(player->handles, 2 * sizeof(*larger) * count);
    if (larger == NULL)
        return -1;
    player->handles = larger;
    player->handle_room = 2 * count;
    return 0;
}

static void *copy_buffer(const void *buffer, uint64_t bytes)
{
    void *copy = buffer != NULL ? malloc(bytes + 1) : NULL;

    if (copy != NULL)
        memcpy(copy, buffer, bytes);
    return copy;
}

static int copy_threads(struct sweep_player *player, const struct sweep_player *from)
{
    const struct sweep_script *script = player->script;
    int status = 0;

    drop_buffers(player);
    for (uint32_t i = 0; i < script->config.thread_count; i++) {
        const struct sweep_thread *thread = &from->threads[i];
        player->threads[i].step = thread->step;
        if (thread->buffer == NULL)
            continue;
        player->threads[i].buffer = copy_buffer(thread->buffer, script->steps[thread->step].call.buffer_bytes);
        if (player->threads[i].buffer == NULL)
            status = -1;
    }
    return status;
}

int player_enter(struct sweep_player *player, const struct sweep_moment *moment)
{
    const struct sweep_player *from = moment->player;

    if (pgr_load(player->memory.block, player->memory.block_bytes, moment->image, moment->image_bytes,
                 &player->world) != ZX_OK)
        return -1;
    memcpy(player->memory.frames, from->memory.frames, (size_t)pgr_frames_used_bytes(from->world));
    if (make_room_for_handles(player, from->handle_count) != 0)
        return -1;
    player->handle_count = from->handle_count;
    if (from->handle_count != 0)
        memcpy(player->handles, from->handles, from->handle_count * sizeof(*from->handles));
    player->line = from->line;
    check_reset(player->check, player->world);
    memcpy(player->check->threads, from->check->threads,
           player->script->config.thread_count * sizeof(*player->check->threads));
    return copy_threads(player, from);
}

/* ---- handles ---- */

static struct sweep_handle *find_handle(const struct sweep_player *player, uint64_t told)
{
    for (uint32_t i = player->handle_count; i > 0; i--)
        if (player->handles[i - 1].told == told)
            return &player->handles[i - 1];
    return NULL;
}

static int learn_handle(struct sweep_player *player, zx_handle_t told, zx_handle_t real)
{
    struct sweep_handle *known = find_handle(player, told);

    if (known == NULL) {
        if (make_room_for_handles(player, player->handle_count + 1) != 0)
            return -1;
        known = &player->handles[player->handle_count++];
    }
    *known = (struct sweep_handle){told, real};
    return 0;
}

/* What has come out of a call, in the place of what the trace has got. */
static int learn(struct sweep_player *player, const struct sweep_step *step, const pgr_result *result)
{
    const pgr_call_info *row = pgr_call_row(step->call.number);
    int is_good = result->outcome == PGR_DONE && result->status == ZX_OK;
    int status = 0;

    for (uint32_t i = 0; step->status != 0 && row != NULL && i < row->arg_count; i++)
        if (row->args[i].kind == PGR_ARG_HANDLE_OUT && status == 0)
            status = learn_handle(player, (zx_handle_t)step->out[i], is_good ? (zx_handle_t)result->out[i] : 0);
    return status;
}

/* The handle as it is here; 0 if the trace had got it and here it never came. Others stay: they may be meant bad. */
static int translate(const struct sweep_player *player, uint64_t *value)
{
    const struct sweep_handle *known = find_handle(player, *value);

    if (known == NULL)
        return 1;
    *value = known->real;
    return known->real != 0;
}

static int translate_list(const struct sweep_player *player, pgr_call *call)
{
    zx_handle_t *list = call->buffer;

    for (uint64_t i = 0; list != NULL && i < call->buffer_bytes / sizeof(*list); i++) {
        uint64_t value = list[i];
        if (!translate(player, &value))
            return 0;
        list[i] = (zx_handle_t)value;
    }
    return 1;
}

static int translate_call(const struct sweep_player *player, pgr_call *call)
{
    const pgr_call_info *row = pgr_call_row(call->number);

    for (uint32_t i = 0; row != NULL && i < row->arg_count; i++) {
        if (row->args[i].kind == PGR_ARG_HANDLE && !translate(player, &call->arg[i]))
            return 0;
        if (row->args[i].kind == PGR_ARG_HANDLES && !translate_list(player, call))
            return 0;
    }
    return 1;
}

/* ---- calls ---- */

static int dispatch(struct sweep_player *player, const pgr_call *call, pgr_result *result)
{
    check_before(player->check, player->world, player->memory.frames, call);
    player->dispatch(player->world, player->memory.frames, call, result);
    return check_after(player->check, player->world, player->memory.frames, call, result);
}

static int play(struct sweep_player *player, uint32_t number, pgr_call *call)
{
    const struct sweep_step *step = &player->script->steps[number];
    struct sweep_thread *thread;
    pgr_result result;
    int found = dispatch(player, call, &result);

    if (learn(player, step, &result) != 0)
        return -1;
    if (result.outcome == PGR_BLOCKED) {
        thread = &player->threads[call->thread];
        free(thread->buffer);
        *thread = (struct sweep_thread){number, call->buffer};
        call->buffer = NULL;
    }
    return found;
}

static int is_free(const struct sweep_player *player, const pgr_call *call)
{
    const pgr_call_info *row = pgr_call_row(call->number);
    pgr_thread_view view;

    if (row == NULL || row->worldly || !pgr_inspect_thread(player->world, call->thread, &view))
        return 1;
    return view.state == PGR_THREAD_IDLE;
}

int sweep_call(struct sweep_player *player, uint32_t number)
{
    const struct sweep_step *step = &player->script->steps[number];
    pgr_call call = step->call;
    int found = 0;

    player->line = step->line;
    call.buffer = copy_buffer(step->call.buffer, step->call.buffer_bytes);
    if (step->call.buffer != NULL && call.buffer == NULL)
        return -1;
    if (is_free(player, &call) && translate_call(player, &call))
        found = play(player, number, &call);
    else
        found = learn(player, step, &(pgr_result){.outcome = PGR_REFUSED});
    free(call.buffer);
    return found;
}

int sweep_resume(struct sweep_player *player)
{
    uint32_t number = pgr_first_released(player->world);
    struct sweep_thread *thread = &player->threads[number != PGR_NO_THREAD ? number : 0];
    const struct sweep_step *step = &player->script->steps[thread->step];
    pgr_call call = {.number = PGR_CALL_RESUME, .thread = number};
    pgr_result result;
    int found;

    if (number == PGR_NO_THREAD)
        return 2;
    call.buffer = thread->buffer;
    call.buffer_bytes = step->call.buffer_bytes;
    found = dispatch(player, &call, &result);
    if (result.outcome == PGR_BLOCKED)
        return found;
    free(thread->buffer);
    thread->buffer = NULL;
    return learn(player, step, &result) != 0 ? -1 : found;
}

int player_resume_all(struct sweep_player *player)
{
    int status;

    do
        status = sweep_resume(player);
    while (status == 0);
    return status == 2 ? 0 : status;
}

/* ---- failing allocations ---- */

void player_arm(struct sweep_player *player, uint64_t n)
{
    const pgr_call call = {.number = PGR_CALL_FAIL_ALLOC, .arg = {n}};
    pgr_result result;

    pgr_dispatch(player->world, player->memory.frames, &call, &result);
}

int player_is_armed(const struct sweep_player *player)
{
    pgr_inspect_counts counts;

    pgr_inspect_world(player->world, &counts);
    return counts.fail_alloc != 0;
}
