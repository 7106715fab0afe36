/*
 * The player: makes the calls that lines describe, one after another, and keeps the buffers of those that wait. What
 * the runner does with expectations is not its business.
 */
#include <stdlib.h>
#include <string.h>

#include "harness/constants.h"
#include "harness/protocol.h"

/* ---- room ---- */

static void *grown(void *array, uint32_t used, uint32_t count, size_t element)
{
    char *larger = realloc(array, count * element);

    if (larger != NULL)
        memset(larger + used * element, 0, (count - used) * element);
    return larger;
}

/* The arrays by symbol get room for the names that have come since; at first there are no arrays. */
static int make_room(struct player *player)
{
    struct run *run = &player->run;
    uint32_t count = trace_symbol_count(run->trace);
    uint32_t room = count + count / 2;
    void *larger;

    if (run->bindings != NULL && run->threads != NULL && count <= player->symbols)
        return 0;
    larger = grown(run->bindings, player->symbols, room, sizeof(*run->bindings));
    if (larger == NULL)
        return -1;
    run->bindings = larger;
    larger = grown(run->threads, player->symbols, room, sizeof(*run->threads));
    if (larger == NULL)
        return -1;
    run->threads = larger;
    player->symbols = room;
    return 0;
}

static void bind_name(struct run *run, const char *name, zx_handle_t handle)
{
    run->bindings[trace_symbol(run->trace, name, strlen(name))->id] = (struct trace_binding){handle, 1};
}

/* A player without names that are bound. */
static int begin_bare(struct player *player, struct trace *trace, const pgr_config *config,
                      struct implementation *implementation)
{
    *player = (struct player){.options = {.implementation = implementation}};
    player->run =
        (struct run){.trace = trace, .options = &player->options, .config = *config, .implementation = implementation};
    player->run.numbers = calloc(config->thread_count, sizeof(*player->run.numbers));
    return player->run.numbers != NULL ? make_room(player) : -1;
}

int play_begin(struct player *player, struct trace *trace, const pgr_config *config,
               struct implementation *implementation, const pgr_start *start)
{
    if (begin_bare(player, trace, config, implementation) != 0)
        return -1;
    if (start == NULL)
        return 0;
    bind_name(&player->run, "vmar", start->vmar);
    bind_name(&player->run, "bti", start->bti);
    bind_name(&player->run, "resource", start->resource);
    bind_name(&player->run, "event", start->event);
    return 0;
}

void play_end(struct player *player)
{
    if (player->run.options == NULL || make_room(player) != 0)
        return;
    run_free_world(&player->run);
    free(player->ended);
    *player = (struct player){0};
}

/* ---- copies ---- */

/* A buffer of the player's thread is one of the copy's. */
static void take_over_call(const struct run_thread *thread, const struct run_thread *copy, pgr_call *call)
{
    if (call->buffer == NULL)
        return;
    if (call->buffer == thread->buffer)
        call->buffer = copy->buffer;
    else if (thread->x86 != NULL && call->buffer == &thread->x86->registers)
        call->buffer = &copy->x86->registers;
}

static void *copy_bytes(const void *bytes, uint64_t count)
{
    void *copy = malloc(count + 1);

    return copy != NULL ? memcpy(copy, bytes, count) : NULL;
}

static int copy_thread(const struct run_thread *thread, struct run *run)
{
    struct run_thread *copy = copy_bytes(thread, sizeof(*thread));

    if (copy == NULL)
        return -1;
    run->threads[thread->symbol->id] = copy;
    copy->buffer = NULL;
    copy->x86 = NULL;
    if (thread->buffer != NULL)
        copy->buffer = copy_bytes(thread->buffer, thread->call.buffer_bytes);
    if (thread->x86 != NULL)
        copy->x86 = copy_bytes(thread->x86, sizeof(*thread->x86));
    if ((thread->buffer != NULL && copy->buffer == NULL) || (thread->x86 != NULL && copy->x86 == NULL))
        return -1;
    take_over_call(thread, copy, &copy->call);
    return 0;
}

static int copy_threads(const struct player *player, struct player *copy)
{
    for (uint32_t i = 0; i < player->symbols; i++)
        if (player->run.threads[i] != NULL && copy_thread(player->run.threads[i], &copy->run) != 0)
            return -1;
    for (uint32_t i = 0; i < player->run.config.thread_count; i++)
        if (player->run.numbers[i] != NULL)
            copy->run.numbers[i] = copy->run.threads[player->run.numbers[i]->symbol->id];
    copy->run.first_unused = player->run.first_unused;
    return 0;
}

static int copy_ended(const struct player *player, struct player *copy)
{
    if (player->ended_count == 0)
        return 0;
    copy->ended = copy_bytes(player->ended, player->ended_count * sizeof(*player->ended));
    if (copy->ended == NULL)
        return -1;
    copy->ended_count = copy->ended_room = player->ended_count;
    for (uint32_t i = 0; i < copy->ended_count; i++) {
        struct run_thread *thread = player->ended[i].thread;
        copy->ended[i].thread = copy->run.threads[thread->symbol->id];
        take_over_call(thread, copy->ended[i].thread, &copy->ended[i].call);
    }
    return 0;
}

/* The buffer of the call that has just been made: the player's own, or that of its thread, which waits. */
static int copy_call(const struct player *player, struct player *copy, pgr_call *call)
{
    const struct run_thread *thread;

    if (call->buffer != NULL && call->buffer == player->run.buffer) {
        copy->run.buffer = copy_bytes(call->buffer, call->buffer_bytes);
        copy->run.buffer_capacity = call->buffer_bytes;
        call->buffer = copy->run.buffer;
        return copy->run.buffer != NULL ? 0 : -1;
    }
    thread = call->thread < player->run.config.thread_count ? player->run.numbers[call->thread] : NULL;
    if (thread != NULL)
        take_over_call(thread, copy->run.numbers[call->thread], call);
    return 0;
}

int play_copy(const struct player *player, struct implementation *implementation, struct player *copy, pgr_call *call)
{
    if (begin_bare(copy, player->run.trace, &player->run.config, implementation) != 0)
        return -1;
    for (uint32_t i = 0; i < player->symbols && i < copy->symbols; i++)
        copy->run.bindings[i] = player->run.bindings[i];
    if (copy_threads(player, copy) != 0 || copy_ended(player, copy) != 0)
        return -1;
    return copy_call(player, copy, call);
}

/* ---- calls ---- */

static enum played cannot(struct player *player, const char *format, const char *what)
{
    snprintf(player->run.note, sizeof(player->run.note), format, what);
    return PLAYED_IMPOSSIBLE;
}

/* The calls that the last line has ended, and their buffers. */
static void forget_ended(struct player *player)
{
    for (uint32_t i = 0; i < player->ended_count; i++) {
        struct run_thread *thread = player->ended[i].thread;
        free(thread->buffer);
        thread->buffer = NULL;
    }
    player->ended_count = 0;
}

static void leave_call(struct run *run, struct run_thread *thread, struct trace_line *line, const pgr_call *call,
                       const pgr_result *result)
{
    struct run_thread *killed = call->number == PGR_CALL_THREAD_KILL ? run->threads[line->args->symbol->id] : NULL;

    if (result->outcome == PGR_BLOCKED)
        run_leave_blocked(run, thread, line, call);
    else if (result->outcome == PGR_FAULT)
        run_end_thread(run, thread);
    else if (killed != NULL && killed->state != RUN_ENDED)
        run_end_thread(run, killed);
}

static enum played refused(struct player *player, const pgr_call *call, const pgr_result *result)
{
    const char *status = constant_status_name(result->status);

    if (result->status == ZX_ERR_NOT_SUPPORTED)
        return PLAYED_UNSUPPORTED;
    if (call->number == TRACE_CALL_X86_EXEC)
        return PLAYED_IMPOSSIBLE;
    return cannot(player, "the call is refused: %s", status != NULL ? status : "an unknown status");
}

static struct run_thread *thread_for(struct player *player, const struct trace_line *line)
{
    struct run_thread *thread = run_thread_of(&player->run, line->thread);

    if (thread == NULL)
        cannot(player, "there are more threads than the world has: %s", line->thread->name);
    else if (thread->state == RUN_BLOCKED)
        cannot(player, "%s is still in a call", line->thread->name);
    else if (thread->state != RUN_IDLE)
        cannot(player, "%s has ended", line->thread->name);
    return thread != NULL && thread->state == RUN_IDLE ? thread : NULL;
}

enum played play_call(struct player *player, struct trace_line *line, pgr_call *call, pgr_result *result)
{
    struct implementation *implementation = player->run.implementation;
    struct run_thread *thread;

    forget_ended(player);
    if (make_room(player) != 0)
        return cannot(player, "%s", "out of memory");
    thread = thread_for(player, line);
    if (thread == NULL || run_resolve(&player->run, thread, line, call) != 0)
        return PLAYED_IMPOSSIBLE;
    if (call->number == TRACE_CALL_X86_EXEC)
        run_x86_begin(&player->run, thread, result);
    else
        implementation->call(implementation->self, call, result);
    if (result->outcome == PGR_REFUSED)
        return refused(player, call, result);
    leave_call(&player->run, thread, line, call, result);
    return PLAYED;
}

/* ---- threads that go on ---- */

static int add_ended(struct player *player, struct run_thread *thread, const pgr_result *result)
{
    if (player->ended_count == player->ended_room) {
        uint32_t room = player->ended_room * 2 + 8;
        struct played_call *larger = realloc(player->ended, room * sizeof(*larger));
        if (larger == NULL)
            return -1;
        player->ended = larger;
        player->ended_room = room;
    }
    player->ended[player->ended_count++] = (struct played_call){thread, thread->call, *result};
    return 0;
}

int play_resume(struct player *player, uint32_t number)
{
    struct run *run = &player->run;
    struct run_thread *thread = number < run->config.thread_count ? run->numbers[number] : NULL;
    pgr_result result = {.outcome = PGR_REFUSED};

    if (thread != NULL && thread->call.number == TRACE_CALL_X86_EXEC)
        run_x86_resume(run, thread, &result);
    else if (thread != NULL)
        run->implementation->resume(run->implementation->self, number, thread->call.buffer, thread->call.buffer_bytes,
                                    &result);
    if (result.outcome == PGR_REFUSED) {
        cannot(player, "%s", "a released thread cannot be resumed");
        return -1;
    }
    if (result.outcome == PGR_BLOCKED)
        return 0;
    thread->state = RUN_IDLE;
    if (add_ended(player, thread, &result) != 0)
        return -1;
    if (result.outcome == PGR_FAULT)
        run_end_thread(run, thread);
    return 0;
}

int play_resume_all(struct player *player)
{
    for (uint32_t resumes = 0; resumes < PLAYED_RESUMES_MAX; resumes++) {
        uint32_t number = implementation_released(player->run.implementation);
        if (number == PGR_NO_THREAD)
            return 0;
        if (play_resume(player, number) != 0)
            return -1;
    }
    cannot(player, "%s", "the threads that the line released never come to rest");
    return -1;
}
