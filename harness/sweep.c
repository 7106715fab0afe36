/* Failing allocations, and ends, at every place of a trace. See sweep.h. */
#include "harness/sweep.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "harness/implementation_core.h"
#include "harness/sweep_internal.h"

/* ---- the trace, as the calls that it makes ---- */

/* An implementation that is the core, and writes the script. */
struct scribe {
    struct implementation interface;
    struct implementation *core;
    struct sweep_script *script;
    uint32_t *at; /* by thread: the step that it is in */
    volatile uint32_t line;
    int is_out_of_memory;
};

static int scribe_reset(void *self, const pgr_config *config, pgr_start *start)
{
    struct scribe *scribe = self;

    scribe->script->config = *config;
    scribe->at = calloc(config->thread_count, sizeof(*scribe->at));
    return scribe->at != NULL ? scribe->core->reset(scribe->core->self, config, start) : -1;
}

static struct sweep_step *add_step(struct sweep_script *script)
{
    if (script->count == script->room) {
        uint32_t room = script->room != 0 ? 2 * script->room : 64;
        struct sweep_step *larger = realloc(script->steps, room * sizeof(*larger));
        if (larger == NULL)
            return NULL;
        script->steps = larger;
        script->room = room;
    }
    script->steps[script->count] = (struct sweep_step){0};
    return &script->steps[script->count++];
}

static int write_down(struct scribe *scribe, const pgr_call *call)
{
    struct sweep_step *step = add_step(scribe->script);

    if (step == NULL)
        return -1;
    step->call = *call;
    step->line = scribe->line;
    if (call->buffer == NULL)
        return 0;
    step->call.buffer = malloc(call->buffer_bytes + 1);
    if (step->call.buffer == NULL)
        return -1;
    memcpy(step->call.buffer, call->buffer, call->buffer_bytes);
    return 0;
}

static void write_down_result(struct sweep_step *step, const pgr_result *result)
{
    step->status = result->outcome == PGR_DONE && result->status == ZX_OK;
    memcpy(step->out, result->out, sizeof(step->out));
}

static void scribe_call(void *self, const pgr_call *call, pgr_result *result)
{
    struct scribe *scribe = self;

    if (write_down(scribe, call) != 0) {
        scribe->is_out_of_memory = 1;
        *result = (pgr_result){.outcome = PGR_REFUSED, .status = ZX_ERR_NO_RESOURCES};
        return;
    }
    scribe->core->call(scribe->core->self, call, result);
    if (result->outcome == PGR_BLOCKED)
        scribe->at[call->thread] = scribe->script->count - 1;
    else
        write_down_result(&scribe->script->steps[scribe->script->count - 1], result);
}

static void scribe_resume(void *self, uint32_t thread, void *buffer, uint64_t buffer_bytes, pgr_result *result)
{
    struct scribe *scribe = self;

    scribe->core->resume(scribe->core->self, thread, buffer, buffer_bytes, result);
    if (result->outcome != PGR_BLOCKED)
        write_down_result(&scribe->script->steps[scribe->at[thread]], result);
}

static uint32_t scribe_released(void *self)
{
    const struct scribe *scribe = self;

    return scribe->core->released(scribe->core->self);
}

static enum run_verdict write_script(struct trace *trace, const struct run_options *options,
                                     struct sweep_script *script)
{
    struct scribe scribe = {.core = implementation_core(), .script = script};
    struct run_options run = *options;
    enum run_verdict verdict;

    scribe.interface = (struct implementation){.name = "core",
                                               .self = &scribe,
                                               .reset = scribe_reset,
                                               .call = scribe_call,
                                               .resume = scribe_resume,
                                               .released = scribe_released};
    if (scribe.core == NULL)
        return RUN_ERROR;
    run.implementation = &scribe.interface;
    run.progress = &scribe.line;
    verdict = run_trace(trace, &run);
    implementation_end(scribe.core);
    free(scribe.at);
    return scribe.is_out_of_memory ? RUN_ERROR : verdict;
}

static void free_script(struct sweep_script *script)
{
    for (uint32_t i = 0; i < script->count; i++)
        free(script->steps[i].call.buffer);
    free(script->steps);
    *script = (struct sweep_script){0};
}

/* Walks cost what a world can hold, and most traces need little: only what does not pass here gets a usual world. */
static const pgr_config small_world = {
    .frame_count = 1024, .object_count = 512, .handle_count = 512, .packet_count = 128, .run_count = 1024};

static enum run_verdict write_script_somewhere(struct trace *trace, const struct sweep_options *options,
                                               struct sweep_script *script)
{
    struct run_options run = {.name = options->name, .world = &small_world};
    enum run_verdict verdict = write_script(trace, &run, script);

    if (verdict == RUN_PASSED)
        return verdict;
    free_script(script);
    run = (struct run_options){.name = options->name, .out = options->out};
    return write_script(trace, &run, script);
}

/* ---- the sweeps ---- */

struct sweep {
    const struct sweep_options *options;
    struct sweep_counts *counts;
    struct sweep_script script;
    struct sweep_player trace; /* runs undisturbed */
    struct sweep_player trial; /* runs what is tried */
    struct sweep_moment moment;
};

static int report(const struct sweep *s, const struct sweep_player *player, const char *what, uint64_t number)
{
    if (s->options->out == NULL)
        return 1;
    fprintf(s->options->out, "%s:%" PRIu32 ": ", s->options->name, s->trace.line);
    fprintf(s->options->out, what, number);
    fprintf(s->options->out, ": %s\n", check_message(player->check));
    check_print(player->check, player->world, s->options->out);
    return 1;
}

/* 1 if an invariant is violated, which is told; -1 without memory. */
static int judge(const struct sweep *s, const struct sweep_player *player, int status, const char *what,
                 uint64_t number)
{
    return status == 1 ? report(s, player, what, number) : status;
}

static const char cut_here[] = "cut behind this line";
static const char failing[] = "with allocation %" PRIu64 " of this line's calls failing";

static int end_player(struct sweep_player *player)
{
    return check_end(player->check, player->world, player->memory.frames);
}

static int cut(struct sweep *s)
{
    s->counts->cuts++;
    if (moment_save(&s->moment, &s->trace) != 0 || player_enter(&s->trial, &s->moment) != 0)
        return -1;
    return judge(s, &s->trial, end_player(&s->trial), cut_here, 0);
}

static int play_step(struct sweep_player *player, uint32_t step)
{
    int status = sweep_call(player, step);

    return status == 0 ? player_resume_all(player) : status;
}

/* What is left of the trace, as far as it can be made, and the end. */
static int play_rest(struct sweep *s, uint32_t step)
{
    struct sweep_player *player = &s->trial;
    int status = check_walk(player->check, player->world, player->memory.frames);

    for (; step < s->script.count && status == 0; step++)
        status = play_step(player, step);
    return status == 0 ? end_player(player) : status;
}

/* From the moment on, the step with its n-th allocation failing. 2: it has no n-th. */
static int fail_allocation(struct sweep *s, uint32_t step, uint64_t n)
{
    int status;

    if (player_enter(&s->trial, &s->moment) != 0)
        return -1;
    player_arm(&s->trial, n);
    status = play_step(&s->trial, step);
    if (status == 0 && player_is_armed(&s->trial))
        return 2;
    s->counts->failures++;
    s->counts->supplies += s->script.steps[step].call.number == PGR_CALL_PAGER_SUPPLY_PAGES;
    return status == 0 ? play_rest(s, step + 1) : status;
}

/* All allocations of the step. What arms a failure itself is left alone: it would take the place of ours. */
static int fail_allocations(struct sweep *s, uint32_t step)
{
    int status = 0;

    if (s->script.steps[step].call.number == PGR_CALL_FAIL_ALLOC)
        return 0;
    for (uint64_t n = 1; status == 0; n++) {
        status = fail_allocation(s, step, n);
        s->trace.line = s->script.steps[step].line;
        if (status == 1)
            report(s, &s->trial, failing, n);
    }
    return status == 2 ? 0 : status;
}

static const char undisturbed[] = "though nothing was made to fail";

/* The world before each dispatch is cut; at a call, its allocations fail as well. */
static int sweep_step(struct sweep *s, uint32_t step)
{
    int status = cut(s);

    if (status == 0)
        status = fail_allocations(s, step);
    if (status == 0)
        status = judge(s, &s->trace, sweep_call(&s->trace, step), undisturbed, 0);
    while (status == 0 && pgr_first_released(s->trace.world) != PGR_NO_THREAD) {
        status = cut(s);
        if (status == 0)
            status = judge(s, &s->trace, sweep_resume(&s->trace), undisturbed, 0);
    }
    s->counts->calls++;
    return status;
}

static enum run_verdict sweep_script(struct sweep *s)
{
    int status = 0;

    if (player_start(&s->trace, &s->script, s->options->dispatch) != 0 ||
        player_start(&s->trial, &s->script, s->options->dispatch) != 0)
        status = -1;
    for (uint32_t step = 0; step < s->script.count && status == 0; step++)
        status = sweep_step(s, step);
    if (status == 0)
        status = cut(s);
    player_end(&s->trace);
    player_end(&s->trial);
    free(s->moment.image);
    return status == 0 ? RUN_PASSED : status == 1 ? RUN_FAILED : RUN_ERROR;
}

enum run_verdict sweep_trace(struct trace *trace, const struct sweep_options *options, struct sweep_counts *counts)
{
    struct sweep sweep = {.options = options, .counts = counts};
    enum run_verdict verdict = write_script_somewhere(trace, options, &sweep.script);

    if (verdict == RUN_PASSED)
        verdict = sweep_script(&sweep);
    free_script(&sweep.script);
    return verdict;
}
