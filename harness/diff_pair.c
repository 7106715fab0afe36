/* Two implementations side by side: calls made on both. See diff_pair.h. */
#include "harness/diff_pair.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "harness/diff_internal.h"
#include "harness/no_coverage.h"
#include "harness/recorder.h"

NO_COVERAGE_BEGIN

#define FILL_BYTE 0xa5

/* ---- buffers of the second ---- */

static int make_room(struct pair_thread *thread, uint64_t bytes)
{
    if (thread->room >= bytes)
        return 0;
    free(thread->buffer);
    thread->room = bytes > 4096 ? bytes : 4096;
    thread->buffer = malloc(thread->room);
    if (thread->buffer == NULL)
        thread->room = 0;
    return thread->buffer != NULL ? 0 : -1;
}

enum buffer_use { BUFFER_SHARED, BUFFER_OUTPUT, BUFFER_HANDLES, BUFFER_ACCESSES };

static enum buffer_use use_of_buffer(const pgr_call_info *row)
{
    for (unsigned place = 0; place < row->arg_count; place++) {
        switch (row->args[place].kind) {
        case PGR_ARG_BYTES_OUT:
        case PGR_ARG_PROPERTY_OUT:
        case PGR_ARG_RANGES_OUT:
            return BUFFER_OUTPUT;
        case PGR_ARG_HANDLES:
            return BUFFER_HANDLES;
        case PGR_ARG_ACCESSES:
            return BUFFER_ACCESSES;
        default:
            break;
        }
    }
    return BUFFER_SHARED;
}

static void translate_handles(const struct pair *pair, const pgr_call *call, void *buffer)
{
    const zx_handle_t *from = call->buffer;
    zx_handle_t *to = buffer;

    for (uint64_t i = 0; i < call->buffer_bytes / sizeof(*from); i++)
        to[i] = diff_names_second(&pair->names, from[i]);
}

static void translate_accesses(const struct pair *pair, const pgr_call *call, void *buffer)
{
    pgr_access *to = buffer;

    memcpy(to, call->buffer, call->buffer_bytes);
    for (uint64_t i = 0; i < call->buffer_bytes / sizeof(*to); i++)
        to[i].address = diff_names_address(&pair->names, to[i].address);
}

static void fill(void *buffer, uint64_t bytes)
{
    if (bytes <= DIFF_FILL_MAX)
        memset(buffer, FILL_BYTE, bytes);
}

/* Gives the second a buffer of its own, unless both can read from the caller's. */
static int second_buffer(struct pair *pair, struct pair_thread *thread, const pgr_call *call, pgr_call *second)
{
    enum buffer_use use = use_of_buffer(pgr_call_row(call->number));

    thread->bytes = 0;
    if (use == BUFFER_SHARED || call->buffer == NULL || call->buffer_bytes == 0)
        return 0;
    if (make_room(thread, call->buffer_bytes) != 0)
        return -1;
    thread->bytes = call->buffer_bytes;
    second->buffer = thread->buffer;
    if (use == BUFFER_HANDLES) {
        translate_handles(pair, call, second->buffer);
    } else if (use == BUFFER_ACCESSES) {
        translate_accesses(pair, call, second->buffer);
    } else {
        fill(call->buffer, call->buffer_bytes);
        fill(second->buffer, call->buffer_bytes);
    }
    return 0;
}

/* ---- the second's values ---- */

static uint64_t translate_argument(const struct pair *pair, const pgr_arg *arg, uint64_t value)
{
    switch (arg->kind) {
    case PGR_ARG_HANDLE:
        return (value & ~(uint64_t)UINT32_MAX) | diff_names_second(&pair->names, (zx_handle_t)value);
    case PGR_ARG_ADDRESS:
        return diff_names_address(&pair->names, value);
    default:
        return value;
    }
}

static int translate(struct pair *pair, struct pair_thread *thread, const pgr_call *call, pgr_call *second)
{
    const pgr_call_info *row = pgr_call_row(call->number);

    *second = *call;
    if (row == NULL)
        return 0;
    for (unsigned place = 0; place < row->arg_count; place++)
        second->arg[place] = translate_argument(pair, &row->args[place], call->arg[place]);
    if (call->at != 0)
        second->at = diff_names_address(&pair->names, call->at);
    return second_buffer(pair, thread, call, second);
}

static int is_lacking(const struct pair *pair, zx_handle_t handle)
{
    for (unsigned i = 0; i < DIFF_START_HANDLES; i++)
        if (handle != ZX_HANDLE_INVALID && pair->lacking[i] == handle)
            return 1;
    return 0;
}

/* Whether the call names a start handle that the second does not have. */
static int needs_lacking(const struct pair *pair, const pgr_call *call)
{
    const pgr_call_info *row = pgr_call_row(call->number);
    const zx_handle_t *handles = call->buffer;

    for (unsigned place = 0; row != NULL && place < row->arg_count; place++) {
        if (row->args[place].kind == PGR_ARG_HANDLE && is_lacking(pair, (zx_handle_t)call->arg[place]))
            return 1;
        for (uint64_t i = 0;
             row->args[place].kind == PGR_ARG_HANDLES && handles != NULL && i < call->buffer_bytes / sizeof(*handles);
             i++)
            if (is_lacking(pair, handles[i]))
                return 1;
    }
    return 0;
}

/* ---- steps ---- */

/* The place of a thread that can begin a call; another one's must not be disturbed, for it is in a call. */
static struct pair_thread *thread_of(struct pair *pair, uint32_t number)
{
    if (number < pair->thread_count && !pair->threads[number].is_in_call)
        return &pair->threads[number];
    return &pair->threads[pair->thread_count];
}

static void refuse(pgr_result *result, zx_status_t status)
{
    *result = (pgr_result){.outcome = PGR_REFUSED, .status = status};
}

static void begin_step(struct pair *pair, const pgr_call *call, int is_resume)
{
    struct difference *d = &pair->difference;

    pair->steps++;
    d->call = *call;
    d->is_resume = is_resume;
    d->request_pages = 0;
    if (pair->recorded_before != NULL && pair->second_out != NULL)
        *pair->recorded_before = ftell(pair->second_out);
}

static void record(struct pair *pair, const pgr_call *first, const pgr_result *first_result, const pgr_call *second,
                   const pgr_result *second_result)
{
    if (pair->first_recorder != NULL)
        recorder_call(pair->first_recorder, first, first_result);
    if (pair->second_recorder != NULL)
        recorder_call(pair->second_recorder, second, second_result);
}

/* Who is to go on next. */
static int compare_released(struct pair *pair)
{
    uint32_t first = implementation_released(pair->first), second = implementation_released(pair->second);

    if (first == second)
        return 0;
    if (first == PGR_NO_THREAD)
        return diff_note(pair, DIFF_RELEASED, "goes on", "nobody against thread %" PRIu32, second);
    if (second == PGR_NO_THREAD)
        return diff_note(pair, DIFF_RELEASED, "goes on", "thread %" PRIu32 " against nobody", first);
    if (!pair->options.strict)
        return 0;
    return diff_note(pair, DIFF_RELEASED, "goes on", "thread %" PRIu32 " against thread %" PRIu32, first, second);
}

static void end_step(struct pair *pair, const struct diff_step *step)
{
    pair->difference.first = *step->first;
    pair->difference.second = *step->second;
    if (pair->names.is_short)
        diff_note(pair, DIFF_OUTPUT, "memory", "none is left to compare with");
    if (diff_compare_step(pair, step) || compare_released(pair))
        return;
    if (pair->options.look_every != 0 && pair->steps % pair->options.look_every == 0)
        diff_look(pair);
}

static void remember(struct pair *pair, struct pair_thread *thread, const pgr_call *call, const pgr_result *result)
{
    if (result->outcome == PGR_BLOCKED && thread != &pair->threads[pair->thread_count]) {
        thread->is_in_call = 1;
        thread->call = *call;
    }
    if (result->outcome != PGR_DONE || result->status != ZX_OK)
        return;
    if (call->number == PGR_CALL_THREAD_KILL && (uint32_t)call->arg[0] < pair->thread_count)
        pair->threads[(uint32_t)call->arg[0]].is_in_call = 0;
    for (uint32_t i = 0; call->number == PGR_CALL_PROCESS_EXIT && i < pair->thread_count; i++)
        pair->threads[i].is_in_call = 0;
}

static void close_and_disarm(struct implementation *implementation, uint32_t thread, uint64_t handle)
{
    const pgr_call close = {.number = PGR_CALL_HANDLE_CLOSE, .thread = thread, .arg = {handle}};
    const pgr_call disarm = {.number = PGR_CALL_FAIL_ALLOC, .thread = thread};
    pgr_result result;

    if (handle != ZX_HANDLE_INVALID)
        implementation->call(implementation->self, &close, &result);
    implementation->call(implementation->self, &disarm, &result);
}

/*
 * A VMO that only one of them could make is given up, so that both stand where the other does. What is left until an
 * allocation fails is not the same any more, so that none fails.
 */
static void give_up_contiguous(struct pair *pair, const pgr_call *call, pgr_result *first, pgr_result *second)
{
    if (first->outcome != PGR_DONE || second->outcome != PGR_DONE ||
        !diff_allowed_statuses(call->number, first->status, second->status))
        return;
    close_and_disarm(pair->first, call->thread, first->status == ZX_OK ? first->out[3] : 0);
    close_and_disarm(pair->second, call->thread, second->status == ZX_OK ? second->out[3] : 0);
    *(first->status == ZX_OK ? first : second) = first->status == ZX_OK ? *second : *first;
}

static void pair_call(void *self, const pgr_call *call, pgr_result *result)
{
    struct pair *pair = self;
    struct pair_thread *thread = thread_of(pair, call->thread);
    pgr_result second_result;
    pgr_call second;

    if (pair->is_found) {
        refuse(result, ZX_ERR_BAD_STATE);
        return;
    }
    if (needs_lacking(pair, call)) {
        refuse(result, ZX_ERR_NOT_SUPPORTED);
        return;
    }
    begin_step(pair, call, 0);
    if (translate(pair, thread, call, &second) != 0) {
        pair->names.is_short = 1;
        refuse(result, ZX_ERR_NO_MEMORY);
        return;
    }
    pair->second->call(pair->second->self, &second, &second_result);
    if (second_result.outcome == PGR_REFUSED && second_result.status == ZX_ERR_NOT_SUPPORTED) {
        *result = second_result;
        return;
    }
    pair->first->call(pair->first->self, call, result);
    give_up_contiguous(pair, call, result, &second_result);
    record(pair, call, result, &second, &second_result);
    end_step(pair, &(struct diff_step){.call = call,
                                       .first = result,
                                       .second = &second_result,
                                       .second_buffer = thread->bytes != 0 ? thread->buffer : NULL});
    remember(pair, thread, call, result);
}

static void resume_one(struct implementation *implementation, uint32_t thread, void *buffer, uint64_t bytes,
                       pgr_result *result)
{
    if (implementation->resume != NULL)
        implementation->resume(implementation->self, thread, buffer, bytes, result);
    else
        refuse(result, ZX_ERR_BAD_STATE);
}

static void pair_resume(void *self, uint32_t number, void *buffer, uint64_t bytes, pgr_result *result)
{
    struct pair *pair = self;
    struct pair_thread *thread = &pair->threads[number < pair->thread_count ? number : pair->thread_count];
    pgr_call resume = {.number = PGR_CALL_RESUME, .thread = number, .buffer = buffer, .buffer_bytes = bytes};
    pgr_call call = thread->is_in_call ? thread->call : resume;
    pgr_call second = resume;
    pgr_result second_result;

    if (pair->is_found) {
        refuse(result, ZX_ERR_BAD_STATE);
        return;
    }
    call.buffer = buffer;
    call.buffer_bytes = bytes;
    begin_step(pair, &call, 1);
    if (thread->is_in_call && thread->bytes != 0) {
        second.buffer = thread->buffer;
        second.buffer_bytes = thread->bytes;
    }
    resume_one(pair->second, number, second.buffer, second.buffer_bytes, &second_result);
    resume_one(pair->first, number, buffer, bytes, result);
    record(pair, &resume, result, &second, &second_result);
    if (result->outcome == PGR_DONE || result->outcome == PGR_FAULT)
        thread->is_in_call = 0;
    end_step(pair, &(struct diff_step){.call = &call,
                                       .first = result,
                                       .second = &second_result,
                                       .second_buffer = thread->bytes != 0 ? thread->buffer : NULL});
}

/* ---- who goes on ---- */

/* In the order of the second, if that is free to choose: the first can resume any released thread. */
static uint32_t pair_released(void *self)
{
    struct pair *pair = self;

    return pair->is_found ? PGR_NO_THREAD : implementation_released(pair->second);
}

/* ---- resetting ---- */

static int make_threads(struct pair *pair, uint32_t count)
{
    if (pair->thread_room < count + 1) {
        struct pair_thread *larger = realloc(pair->threads, (count + 1) * sizeof(*larger));
        if (larger == NULL)
            return -1;
        memset(&larger[pair->thread_room], 0, (count + 1 - pair->thread_room) * sizeof(*larger));
        pair->threads = larger;
        pair->thread_room = count + 1;
    }
    pair->thread_count = count;
    for (uint32_t i = 0; i <= count; i++)
        pair->threads[i].is_in_call = 0;
    return 0;
}

static pgr_config config_of_first(const struct pair *pair)
{
    pgr_config config = pair->config;

    if (pair->settings.now.is_set) {
        config.options = pair->settings.now.options;
        config.read_batch = pair->settings.now.read_batch;
    }
    return config;
}

static void learn_start(struct pair *pair, const pgr_start *first, const pgr_start *second)
{
    const zx_handle_t firsts[DIFF_START_HANDLES] = {first->vmar, first->bti, first->resource, first->event};
    const zx_handle_t seconds[DIFF_START_HANDLES] = {second->vmar, second->bti, second->resource, second->event};

    for (unsigned i = 0; i < DIFF_START_HANDLES; i++) {
        pair->lacking[i] = seconds[i] == ZX_HANDLE_INVALID ? firsts[i] : ZX_HANDLE_INVALID;
        if (firsts[i] != ZX_HANDLE_INVALID && seconds[i] != ZX_HANDLE_INVALID)
            diff_names_handle(&pair->names, firsts[i], seconds[i], 0);
    }
}

/* Where the address space begins. */
static void learn_root(struct pair *pair, const pgr_start *first, const pgr_start *second)
{
    pgr_call call = {.number = PGR_CALL_OBJECT_GET_INFO, .arg = {first->vmar, ZX_INFO_VMAR}};
    pgr_result a, b;

    if (pair->options.strict)
        return;
    pair->first->call(pair->first->self, &call, &a);
    call.arg[0] = second->vmar;
    pair->second->call(pair->second->self, &call, &b);
    if (a.outcome == PGR_DONE && a.status == ZX_OK && b.outcome == PGR_DONE && b.status == ZX_OK)
        diff_names_range(&pair->names, a.vmar.base, b.vmar.base, a.vmar.len);
}

static void start_recorders(struct pair *pair, const pgr_start *first, const pgr_start *second)
{
    recorder_free(pair->first_recorder);
    recorder_free(pair->second_recorder);
    pair->first_recorder = pair->first_out != NULL ? recorder_new(&pair->config, first, pair->first_out) : NULL;
    pair->second_recorder = pair->second_out != NULL ? recorder_new(&pair->config, second, pair->second_out) : NULL;
}

static int pair_reset(void *self, const pgr_config *config, pgr_start *start)
{
    struct pair *pair = self;
    pgr_start second = {0};
    pgr_config first_config;

    pair->config = *config;
    first_config = config_of_first(pair);
    diff_names_clear(&pair->names);
    pair->shown = (struct diff_shown){0};
    pair->steps = 0;
    pair->is_found = 0;
    if (make_threads(pair, config->thread_count) != 0)
        return -1;
    if (pair->first->reset(pair->first->self, &first_config, start) != 0 ||
        pair->second->reset(pair->second->self, config, &second) != 0)
        return -1;
    learn_start(pair, start, &second);
    learn_root(pair, start, &second);
    start_recorders(pair, start, &second);
    return 0;
}

/* ---- the pair ---- */

static void pair_end(void *self)
{
    struct pair *pair = self;

    for (uint32_t i = 0; i < pair->thread_room; i++)
        free(pair->threads[i].buffer);
    free(pair->threads);
    diff_names_free(&pair->names);
    recorder_free(pair->first_recorder);
    recorder_free(pair->second_recorder);
    free(pair);
}

struct implementation *diff_pair_new(struct implementation *first, struct implementation *second,
                                     const struct diff_options *options)
{
    struct pair *pair = calloc(1, sizeof(*pair));

    if (pair == NULL)
        return NULL;
    pair->first = first;
    pair->second = second;
    pair->options = *options;
    pair->interface = (struct implementation){.name = "pair",
                                              .self = pair,
                                              .reset = pair_reset,
                                              .call = pair_call,
                                              .resume = pair_resume,
                                              .released = pair_released,
                                              .end = pair_end};
    return &pair->interface;
}

const struct difference *diff_pair_found(const struct implementation *implementation)
{
    const struct pair *pair = implementation->self;

    return pair->is_found ? &pair->difference : NULL;
}

int diff_pair_look(struct implementation *implementation)
{
    return diff_look(implementation->self);
}

/* What got farthest so far is where further attempts start from. */
static void keep_best(struct pair *pair)
{
    struct diff_settings *settings = &pair->settings;

    if (settings->best_step != 0 && pair->difference.step <= settings->best_step)
        return;
    settings->best = settings->now;
    settings->best_step = pair->difference.step;
    settings->pages = pair->difference.request_pages;
    settings->attempt = 0;
}

int diff_pair_other_setting(struct implementation *implementation)
{
    struct pair *pair = implementation->self;
    struct diff_settings *settings = &pair->settings;
    pgr_config config = pair->config;

    if (pair->options.strict || settings->is_kept || settings->is_exhausted)
        return 0;
    keep_best(pair);
    if (settings->best.is_set) {
        config.options = settings->best.options;
        config.read_batch = settings->best.read_batch;
    }
    settings->is_exhausted = !diff_allowed_setting(&config, settings->attempt++, settings->pages);
    if (settings->is_exhausted)
        settings->now = settings->best;
    else
        settings->now = (struct diff_setting){1, config.options, config.read_batch};
    return 1;
}

void diff_pair_keep_setting(struct implementation *implementation)
{
    struct pair *pair = implementation->self;
    struct diff_settings *settings = &pair->settings;

    *settings = (struct diff_settings){.now = settings->now, .is_kept = settings->now.is_set};
}

void diff_pair_record(struct implementation *implementation, FILE *first, FILE *second, long *recorded_before)
{
    struct pair *pair = implementation->self;

    pair->first_out = first;
    pair->second_out = second;
    pair->recorded_before = recorded_before;
}

NO_COVERAGE_END
