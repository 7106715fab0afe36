/*
 * The runner's lower half: the world of a run, its threads by name and number, and lines as calls.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "harness/implementation_core.h"
#include "harness/runner_internal.h"
#include "harness/trace_layouts.h"

/* ---- the world ---- */

static uint32_t count_threads(const struct trace *trace)
{
    uint8_t *seen = calloc(trace_symbol_count(trace), 1);
    uint32_t count = 1;

    for (const struct trace_line *line = trace_lines(trace); line != NULL && seen != NULL; line = line->next) {
        if (line->thread == NULL || seen[line->thread->id])
            continue;
        seen[line->thread->id] = 1;
        count++;
    }
    free(seen);
    return count < PGR_ROWS_MAX ? count : PGR_ROWS_MAX;
}

void run_config(const struct trace *trace, pgr_config *config)
{
    uint32_t threads = count_threads(trace);

    pgr_config_default(config);
    config->page_shift = (uint32_t)__builtin_ctzll(trace_page_bytes(trace));
    config->read_batch = (uint32_t)trace_option_value(trace, TRACE_READ_BATCH);
    config->options = 0;
    if (trace_option_value(trace, TRACE_FAIL_CODES) != 0)
        config->options |= PGR_OPTION_FAIL_CODES_KERNEL;
    if (trace_option_value(trace, TRACE_SUPPLY_FAILURE) != 0)
        config->options |= PGR_OPTION_SUPPLY_DECOMMITS;
    if (config->thread_count < threads)
        config->thread_count = threads;
}

static int no_memory(struct run *run)
{
    snprintf(run->note, sizeof(run->note), "no world for this trace: out of memory");
    return -1;
}

static void bind_start_handles(struct run *run, const pgr_start *start)
{
    const char *const names[] = {"vmar", "bti", "resource", "event"};
    const zx_handle_t handles[] = {start->vmar, start->bti, start->resource, start->event};

    for (size_t i = 0; i < sizeof(handles) / sizeof(handles[0]); i++)
        run->bindings[trace_symbol(run->trace, names[i], strlen(names[i]))->id] = (struct trace_binding){handles[i], 1};
}

/* Threads excepted: a name that has ended is not used again, so that a trace may name more than its world had. */
static void take_counts(pgr_config *config, const pgr_config *counts)
{
    config->frame_count = counts->frame_count;
    config->object_count = counts->object_count;
    config->handle_count = counts->handle_count;
    config->packet_count = counts->packet_count;
    config->run_count = counts->run_count;
}

int run_make_world(struct run *run)
{
    pgr_start start = {0};

    run_config(run->trace, &run->config);
    if (run->options->world != NULL)
        take_counts(&run->config, run->options->world);
    run->implementation = run->options->implementation;
    if (run->implementation == NULL)
        run->implementation = implementation_core();
    run->bindings = calloc(trace_symbol_count(run->trace), sizeof(*run->bindings));
    run->threads = calloc(trace_symbol_count(run->trace), sizeof(*run->threads));
    run->numbers = calloc(run->config.thread_count, sizeof(*run->numbers));
    if (run->implementation == NULL || run->bindings == NULL || run->threads == NULL || run->numbers == NULL)
        return no_memory(run);
    if (run->implementation->reset(run->implementation->self, &run->config, &start) != 0) {
        snprintf(run->note, sizeof(run->note), "no world for this trace: the %s refuses its configuration",
                 run->implementation->name);
        return -1;
    }
    bind_start_handles(run, &start);
    return 0;
}

void run_free_world(struct run *run)
{
    for (uint32_t i = 0; run->threads != NULL && i < trace_symbol_count(run->trace); i++) {
        if (run->threads[i] != NULL) {
            free(run->threads[i]->buffer);
            free(run->threads[i]->x86);
        }
        free(run->threads[i]);
    }
    if (run->options->implementation == NULL)
        implementation_end(run->implementation);
    free(run->threads);
    free(run->numbers);
    free(run->bindings);
    free(run->buffer);
}

void run_observe(struct run *run, const pgr_call *call)
{
    const struct run_options *options = run->options;
    const void *frames = NULL;
    const pgr_world *world = implementation_core_world(run->implementation, &frames);

    if (options->observe != NULL && world != NULL)
        options->observe(options->observe_context, world, frames, call);
}

/* ---- threads ---- */

/* The main thread is thread 0, from the start on: another thread never gets that number before main has ended. */
static uint32_t unused_number(struct run *run, const struct trace_symbol *symbol)
{
    int is_main = strcmp(symbol->name, "main") == 0;
    const struct trace_symbol *main_symbol = trace_symbol(run->trace, "main", 4);
    int main_has_zero = run->threads[main_symbol->id] == NULL;

    if (is_main)
        return 0;
    while (run->first_unused < run->config.thread_count &&
           (run->numbers[run->first_unused] != NULL || (run->first_unused == 0 && main_has_zero)))
        run->first_unused++;
    return run->first_unused;
}

struct run_thread *run_thread_of(struct run *run, struct trace_symbol *symbol)
{
    struct run_thread *thread = run->threads[symbol->id];
    uint32_t number;

    if (thread != NULL)
        return thread;
    number = unused_number(run, symbol);
    thread = number < run->config.thread_count ? calloc(1, sizeof(*thread)) : NULL;
    if (thread == NULL)
        return NULL;
    thread->symbol = symbol;
    thread->number = number;
    run->numbers[number] = thread;
    run->threads[symbol->id] = thread;
    return thread;
}

void run_leave_blocked(struct run *run, struct run_thread *thread, struct trace_line *line, const pgr_call *call)
{
    thread->state = RUN_BLOCKED;
    thread->line = line;
    thread->call = *call;
    if (call->buffer == NULL || call->buffer != run->buffer)
        return;
    thread->buffer = run->buffer;
    run->buffer = NULL;
    run->buffer_capacity = 0;
}

void run_end_thread(struct run *run, struct run_thread *thread)
{
    if (run->numbers[thread->number] == thread) {
        run->numbers[thread->number] = NULL;
        if (thread->number < run->first_unused)
            run->first_unused = thread->number;
    }
    free(thread->buffer);
    thread->buffer = NULL;
    thread->state = RUN_ENDED;
}

/* ---- lines as calls ---- */

static struct trace_comparison resolving(struct run *run)
{
    return (struct trace_comparison){.trace = run->trace, .bindings = run->bindings};
}

static int evaluate(struct run *run, const struct trace_value *value, uint64_t limit, uint64_t *number)
{
    const struct trace_symbol *unbound;

    if (trace_evaluate(run->trace, value, run->bindings, number, &unbound) != 0) {
        snprintf(run->note, sizeof(run->note), "%.60s has no value", unbound->name);
        return -1;
    }
    if (*number <= limit)
        return 0;
    snprintf(run->note, sizeof(run->note), "0x%" PRIx64 " is too wide for its parameter", *number);
    return -1;
}

/* A buffer of so many bytes for the call. */
static int make_buffer(struct run *run, uint64_t bytes, pgr_call *call)
{
    if (run->buffer == NULL || run->buffer_capacity < bytes) {
        free(run->buffer);
        run->buffer_capacity = bytes > 4096 ? bytes : 4096;
        run->buffer = calloc(1, run->buffer_capacity);
    }
    if (run->buffer == NULL) {
        snprintf(run->note, sizeof(run->note), "no memory for a buffer of %" PRIu64 " bytes", bytes);
        return -1;
    }
    call->buffer = run->buffer;
    call->buffer_bytes = bytes;
    return 0;
}

/* Bytes that the content of a write has room for: whole pages, or the text. */
static uint64_t content_bytes(const struct run *run, const struct trace_value *value)
{
    uint64_t pages = 1;

    if (value->form == TRACE_STRING)
        return value->text.count;
    for (const struct trace_value *item = value->form == TRACE_PAGE_BYTES ? value->items->next : NULL; item != NULL;
         item = item->next)
        pages++;
    return pages << run->config.page_shift;
}

/*
 * No world has room for a transfer that is longer than any buffer may be: its buffer holds its content, and the call would run
 * off its end if it were not refused before.
 */
static int resolve_bytes(struct run *run, const struct trace_value *value, uint64_t length, int is_input,
                         pgr_call *call)
{
    struct trace_comparison comparison = resolving(run);
    uint64_t bytes = length <= RUN_BUFFER_MAX ? length : content_bytes(run, value);

    if (value->form == TRACE_AT)
        return evaluate(run, value->items, UINT64_MAX, &call->at);
    if (make_buffer(run, bytes, call) != 0)
        return -1;
    if (!is_input || trace_buffer_bytes(&comparison, value, call->buffer, call->buffer_bytes) == 0)
        return 0;
    snprintf(run->note, sizeof(run->note), "%s", comparison.note);
    return -1;
}

static int resolve_handles(struct run *run, const struct trace_value *value, pgr_call *call)
{
    uint64_t count = 0;

    for (const struct trace_value *item = value->items; item != NULL; item = item->next)
        count++;
    if (make_buffer(run, count * sizeof(zx_handle_t), call) != 0)
        return -1;
    zx_handle_t *handles = call->buffer;
    for (const struct trace_value *item = value->items; item != NULL; item = item->next) {
        uint64_t number;
        if (evaluate(run, item, UINT32_MAX, &number) != 0)
            return -1;
        *handles++ = (zx_handle_t)number;
    }
    return 0;
}

static int resolve_property(struct run *run, const struct trace_value *value, pgr_call *call)
{
    uint64_t number;

    if (value->form == TRACE_STRING)
        return resolve_bytes(run, value, value->text.count, 1, call);
    if (evaluate(run, value, UINT64_MAX, &number) != 0 || make_buffer(run, sizeof(number), call) != 0)
        return -1;
    memcpy(call->buffer, &number, sizeof(number));
    return 0;
}

static uint64_t property_bytes(const pgr_call *call)
{
    return call->arg[1] == ZX_PROP_VMO_CONTENT_SIZE ? sizeof(uint64_t) : ZX_MAX_NAME_LEN;
}

static int resolve_field(struct run *run, const struct trace_value *value, void *structure)
{
    const struct trace_value *item = value->form == TRACE_ARRAY ? value->items : value;

    for (unsigned i = 0; i < value->field->count && item != NULL; i++, item = item->next) {
        uint64_t number;
        if (evaluate(run, item, UINT64_MAX, &number) != 0)
            return -1;
        trace_field_set(value->field, structure, i, number);
    }
    return 0;
}

static int resolve_packet(struct run *run, const struct trace_value *value, pgr_call *call)
{
    zx_port_packet_t packet = {0};

    for (const struct trace_value *item = value->items; item != NULL; item = item->next)
        if (resolve_field(run, item, &packet) != 0)
            return -1;
    if (make_buffer(run, sizeof(packet), call) != 0)
        return -1;
    memcpy(call->buffer, &packet, sizeof(packet));
    return 0;
}

static int resolve_ranges(struct run *run, uint64_t capacity, pgr_call *call)
{
    uint64_t most = RUN_BUFFER_MAX / sizeof(zx_vmo_dirty_range_t);

    return make_buffer(run, (capacity < most ? capacity : most) * sizeof(zx_vmo_dirty_range_t), call);
}

/* A name that was never used, or whose thread has ended, is no thread. */
static uint64_t thread_number(struct run *run, const struct trace_symbol *symbol)
{
    const struct run_thread *thread = run->threads[symbol->id];

    if (thread == NULL && strcmp(symbol->name, "main") == 0)
        return 0;
    if (thread == NULL || run->numbers[thread->number] != thread)
        return PGR_NO_THREAD;
    return thread->number;
}

static int resolve_scalar(struct run *run, const pgr_arg *arg, const struct trace_value *value, uint64_t *number)
{
    switch (arg->kind) {
    case PGR_ARG_HANDLE:
    case PGR_ARG_U32:
        return evaluate(run, value, UINT32_MAX, number);
    case PGR_ARG_U64:
    case PGR_ARG_OFFSET:
    case PGR_ARG_SIZE:
    case PGR_ARG_ADDRESS:
        return evaluate(run, value, UINT64_MAX, number);
    case PGR_ARG_THREAD:
        *number = thread_number(run, value->symbol);
        return 0;
    default:
        return 0;
    }
}

static int resolve_buffer(struct run *run, const pgr_arg *arg, unsigned place, const struct trace_value *value,
                          pgr_call *call)
{
    int is_null = value->form == TRACE_EXPRESSION;

    switch (arg->kind) {
    case PGR_ARG_BYTES_IN:
        return resolve_bytes(run, value, call->arg[arg->detail], 1, call);
    case PGR_ARG_BYTES_OUT:
        return resolve_bytes(run, value, call->arg[arg->detail], 0, call);
    case PGR_ARG_HANDLES:
        return resolve_handles(run, value, call);
    case PGR_ARG_PROPERTY_IN:
        return resolve_property(run, value, call);
    case PGR_ARG_PROPERTY_OUT:
        return is_null ? 0 : make_buffer(run, property_bytes(call), call);
    case PGR_ARG_PACKET_IN:
        return resolve_packet(run, value, call);
    case PGR_ARG_RANGES_OUT:
        return is_null ? 0 : resolve_ranges(run, call->arg[place + 1], call);
    default:
        return 0;
    }
}

/* Numbers first, for they say how long the buffers are. */
int run_resolve(struct run *run, struct run_thread *thread, const struct trace_line *line, pgr_call *call)
{
    const pgr_call_info *row = trace_call_row(line->call);
    const struct trace_value *value;
    unsigned place = 0;

    if (line->call == TRACE_CALL_X86_EXEC)
        return run_x86_resolve(run, thread, line, call);
    *call = (pgr_call){.number = line->call, .thread = thread->number};
    for (value = line->args; value != NULL; value = value->next, place++)
        if (resolve_scalar(run, &row->args[place], value, &call->arg[place]) != 0)
            return -1;
    for (value = line->args, place = 0; value != NULL; value = value->next, place++)
        if (resolve_buffer(run, &row->args[place], place, value, call) != 0)
            return -1;
    return 0;
}
