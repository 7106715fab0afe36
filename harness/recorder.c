/*
 * The recorder: names for what calls return, and a line for each call.
 */
#include "harness/recorder.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "harness/constants.h"
#include "harness/trace_results.h"

#define RESULT_COLUMN 72u
#define ADDRESSES 64u /* the last ranges of addresses whose names are used */
#define THREADS_MAX 65536u

struct named_handle {
    zx_handle_t value; /* 0: the row is unused */
    struct trace_symbol *symbol;
};

struct named_range {
    uint64_t base, bytes;
    struct trace_symbol *symbol;
};

/* What is known of a thread's number. */
struct recorded_thread {
    struct trace_symbol *symbol;             /* its name, null until it is used */
    uint32_t lives;                          /* threads of this number that have ended */
    uint32_t call;                           /* that it is in, or 0 */
    pgr_call blocked;                        /* without its buffer */
    struct trace_symbol *outs[PGR_ARGS_MAX]; /* names of what the call will return */
};

struct recorder {
    FILE *out;
    struct trace *trace;
    const pgr_world *world;
    uint32_t resume_next;         /* the thread that a trace would resume now */
    struct named_handle *handles; /* an open hash table */
    uint32_t handle_rows, handle_count;
    struct named_range ranges[ADDRESSES];
    uint32_t range_count;
    struct recorded_thread *threads;
    uint32_t thread_count;
    uint32_t names; /* invented so far, by kind */
    uint32_t counts[PGR_CALL_COUNT];
};

/* ---- names ---- */

static struct named_handle *handle_row(struct recorder *r, zx_handle_t value)
{
    uint32_t mask = r->handle_rows - 1;
    uint32_t row = (value * 2654435761u) & mask;

    while (r->handles[row].value != 0 && r->handles[row].value != value)
        row = (row + 1) & mask;
    return &r->handles[row];
}

static void grow_handles(struct recorder *r)
{
    struct named_handle *old = r->handles;
    uint32_t old_rows = r->handle_rows;
    struct named_handle *larger = calloc((size_t)old_rows * 2, sizeof(*larger));

    if (larger == NULL)
        return;
    r->handles = larger;
    r->handle_rows = old_rows * 2;
    for (uint32_t i = 0; i < old_rows; i++)
        if (old[i].value != 0)
            *handle_row(r, old[i].value) = old[i];
    free(old);
}

static void name_handle(struct recorder *r, zx_handle_t value, struct trace_symbol *symbol)
{
    struct named_handle *row;

    if (value == ZX_HANDLE_INVALID)
        return;
    if (r->handle_count + 1 >= r->handle_rows / 2)
        grow_handles(r);
    if (r->handle_count + 1 >= r->handle_rows)
        return;
    row = handle_row(r, value);
    r->handle_count += row->value == 0;
    *row = (struct named_handle){value, symbol};
}

static struct trace_symbol *symbol_format(struct recorder *r, const char *format, const char *stem, uint32_t number)
{
    char name[80];

    snprintf(name, sizeof(name), format, stem, number);
    return trace_symbol(r->trace, name, strlen(name));
}

static const char *stem_of_call(uint32_t call)
{
    switch (call) {
    case PGR_CALL_PAGER_CREATE_VMO:
        return "vmo";
    case PGR_CALL_VMO_CREATE:
        return "aux";
    case PGR_CALL_VMO_CREATE_CONTIGUOUS:
        return "contiguous";
    case PGR_CALL_VMO_CREATE_PHYSICAL:
        return "physical";
    case PGR_CALL_VMO_CREATE_CHILD:
        return "child";
    case PGR_CALL_PORT_CREATE:
        return "port";
    case PGR_CALL_PAGER_CREATE:
        return "pager";
    case PGR_CALL_EVENT_CREATE:
        return "event";
    case PGR_CALL_BTI_PIN:
        return "pmt";
    case PGR_CALL_VMAR_ALLOCATE:
        return "sub";
    default:
        return "h";
    }
}

/* A second handle to what already has a name is called after that: vmo1_h3. */
static struct trace_symbol *invent_name(struct recorder *r, const pgr_call *call)
{
    const struct named_handle *source = handle_row(r, (zx_handle_t)call->arg[0]);
    const char *stem = stem_of_call(call->number);
    uint32_t number = ++r->counts[call->number];
    char base[40];

    if (strcmp(stem, "h") != 0)
        return symbol_format(r, "%s%u", stem, number);
    if (source->value == 0)
        return symbol_format(r, "%s%u", "h", ++r->names);
    snprintf(base, sizeof(base), "%.39s", source->symbol->name);
    if (strstr(base, "_h") != NULL)
        *strstr(base, "_h") = '\0';
    return symbol_format(r, "%s_h%u", base, ++r->names);
}

/* ---- threads ---- */

static struct recorded_thread *thread_row(struct recorder *r, uint32_t number)
{
    return number < r->thread_count ? &r->threads[number] : NULL;
}

static struct trace_symbol *thread_symbol(struct recorder *r, uint32_t number)
{
    struct recorded_thread *thread = thread_row(r, number);
    char name[40];

    if (thread != NULL && thread->symbol != NULL)
        return thread->symbol;
    if (number == 0 && (thread == NULL || thread->lives == 0))
        snprintf(name, sizeof(name), "main");
    else if (thread == NULL || thread->lives == 0)
        snprintf(name, sizeof(name), "t%" PRIu32, number);
    else
        snprintf(name, sizeof(name), "t%" PRIu32 "_%" PRIu32, number, thread->lives + 1);
    if (thread == NULL)
        return trace_symbol(r->trace, name, strlen(name));
    return thread->symbol = trace_symbol(r->trace, name, strlen(name));
}

static void end_thread(struct recorder *r, uint32_t number)
{
    struct recorded_thread *thread = thread_row(r, number);

    if (thread == NULL)
        return;
    thread->symbol = NULL;
    thread->call = PGR_CALL_NONE;
    thread->lives++;
}

/*
 * What happens to the world whatever its threads do is told by the main thread, or if that cannot, by one of our own: a
 * thread that is in a call has no line.
 */
static struct trace_symbol *telling_thread(struct recorder *r, const pgr_call *call)
{
    const struct recorded_thread *first = thread_row(r, 0);

    if (!pgr_call_row(call->number)->worldly)
        return thread_symbol(r, call->thread);
    if (first->lives == 0 && first->call == PGR_CALL_NONE)
        return thread_symbol(r, 0);
    return trace_symbol(r->trace, "world", strlen("world"));
}

/* ---- arguments ---- */

static struct trace_value *handle_value(struct recorder *r, zx_handle_t value)
{
    const struct named_handle *row = handle_row(r, value);

    if (value == ZX_HANDLE_INVALID)
        return trace_make_literal(r->trace, "ZX_HANDLE_INVALID");
    if (row->value == value)
        return trace_make_literal(r->trace, "%s", row->symbol->name);
    return trace_make_number(r->trace, PGR_DOMAIN_NUMBER, value);
}

static struct trace_value *address_value(struct recorder *r, uint64_t address)
{
    char offset[CONSTANT_TEXT_MAX];
    uint32_t known = r->range_count < ADDRESSES ? r->range_count : ADDRESSES;

    for (uint32_t i = 1; i <= known; i++) {
        const struct named_range *range = &r->ranges[(r->range_count - i) % ADDRESSES];
        if (address < range->base || address - range->base > range->bytes)
            continue;
        if (address == range->base)
            return trace_make_literal(r->trace, "%s", range->symbol->name);
        constant_format(offset, CONSTANT_BYTES, address - range->base, trace_page_bytes(r->trace));
        return trace_make_literal(r->trace, "%s+%s", range->symbol->name, offset);
    }
    return trace_make_number(r->trace, CONSTANT_ADDRESS, address);
}

static struct trace_value *handles_value(struct recorder *r, const pgr_call *call)
{
    struct trace_value *array = trace_make_anything(r->trace);
    struct trace_value **link = &array->items;
    const uint8_t *handles = call->buffer;

    array->form = TRACE_ARRAY;
    for (uint64_t i = 0; handles != NULL && i < call->buffer_bytes / sizeof(zx_handle_t); i++) {
        zx_handle_t handle;
        memcpy(&handle, handles + i * sizeof(handle), sizeof(handle));
        *link = handle_value(r, handle);
        link = &(*link)->next;
    }
    return array;
}

static int is_write_pattern(const uint8_t *bytes, uint64_t count)
{
    for (uint64_t i = 0; i < count; i++)
        if (bytes[i] != (uint8_t)(0x5a + i))
            return 0;
    return 1;
}

static uint64_t buffer_length(const pgr_call *call, uint64_t length)
{
    return length < call->buffer_bytes ? length : call->buffer_bytes;
}

static struct trace_value *bytes_value(struct recorder *r, const pgr_call *call, uint64_t length)
{
    uint64_t count = buffer_length(call, length);

    if (call->buffer == NULL || is_write_pattern(call->buffer, count))
        return trace_make_anything(r->trace);
    return trace_make_buffer(r->trace, call->buffer, count, 0);
}

/* The buffer is the caller's memory at this address. */
static struct trace_value *at_value(struct recorder *r, const pgr_call *call)
{
    struct trace_value *value = trace_make_anything(r->trace);

    value->form = TRACE_AT;
    value->items = address_value(r, call->at);
    return value;
}

static int is_at_address(const pgr_call *call)
{
    return call->at != 0 && (call->number == PGR_CALL_VMO_READ || call->number == PGR_CALL_VMO_WRITE);
}

static struct trace_value *property_value(struct recorder *r, const pgr_call *call)
{
    uint64_t number = 0;
    uint64_t count = buffer_length(call, sizeof(number));
    struct trace_value *text;

    if (call->buffer != NULL)
        memcpy(&number, call->buffer, count);
    if ((uint32_t)call->arg[1] != ZX_PROP_NAME)
        return trace_make_number(r->trace, CONSTANT_BYTES, number);
    text = trace_make_anything(r->trace);
    text->form = TRACE_STRING;
    text->text.bytes = call->buffer;
    text->text.count = call->buffer != NULL ? call->buffer_bytes : 0;
    return text;
}

static struct trace_value *packet_value(struct recorder *r, const pgr_call *call)
{
    zx_port_packet_t packet = {0};

    if (call->buffer != NULL)
        memcpy(&packet, call->buffer, buffer_length(call, sizeof(packet)));
    return trace_make_structure(r->trace, PGR_ARG_PACKET_IN, 0, &packet);
}

static struct trace_value *thread_value(struct recorder *r, uint32_t number)
{
    struct trace_value *value = trace_make_anything(r->trace);

    value->form = TRACE_THREAD;
    value->symbol = thread_symbol(r, number);
    return value;
}

static unsigned scalar_domain(const pgr_call *call, const pgr_arg *arg)
{
    int is_begin = call->number == PGR_CALL_PAGER_OP_RANGE && call->arg[1] == ZX_PAGER_OP_WRITEBACK_BEGIN;

    if (arg->detail == PGR_DOMAIN_PAGER_OP_DATA && is_begin)
        return CONSTANT_RANGE_OPTIONS;
    return arg->detail;
}

/* A name for what the call returns, if it returns or may still return something. */
static struct trace_value *out_value(struct recorder *r, const pgr_call *call, unsigned place, const pgr_result *result)
{
    struct trace_value *value = trace_make_anything(r->trace);
    struct recorded_thread *thread = thread_row(r, call->thread);
    const pgr_arg *arg = &pgr_call_row(call->number)->args[place];

    if (result == NULL || (result->outcome == PGR_DONE && result->status != ZX_OK) || result->outcome == PGR_FAULT)
        return value;
    value->form = TRACE_BINDING;
    value->symbol = arg->kind == PGR_ARG_ADDRESS_OUT ? symbol_format(r, "%s%u", "addr", ++r->counts[PGR_CALL_NONE])
                                                     : invent_name(r, call);
    if (thread != NULL)
        thread->outs[place] = value->symbol;
    return value;
}

static struct trace_value *argument_value(struct recorder *r, const pgr_call *call, unsigned place,
                                          const pgr_result *result)
{
    const pgr_arg *arg = &pgr_call_row(call->number)->args[place];

    switch (arg->kind) {
    case PGR_ARG_HANDLE:
        return handle_value(r, (zx_handle_t)call->arg[place]);
    case PGR_ARG_HANDLES:
        return handles_value(r, call);
    case PGR_ARG_U32:
        return trace_make_number(r->trace, scalar_domain(call, arg), (uint32_t)call->arg[place]);
    case PGR_ARG_U64:
        return trace_make_number(r->trace, scalar_domain(call, arg), call->arg[place]);
    case PGR_ARG_OFFSET:
    case PGR_ARG_SIZE:
        return trace_make_number(r->trace, CONSTANT_BYTES, call->arg[place]);
    case PGR_ARG_ADDRESS:
        return address_value(r, call->arg[place]);
    case PGR_ARG_BYTES_OUT:
        return is_at_address(call) ? at_value(r, call) : trace_make_anything(r->trace);
    case PGR_ARG_BYTES_IN:
        if (is_at_address(call))
            return at_value(r, call);
        return bytes_value(r, call, call->arg[arg->detail]);
    case PGR_ARG_PROPERTY_IN:
        return property_value(r, call);
    case PGR_ARG_PACKET_IN:
        return packet_value(r, call);
    case PGR_ARG_THREAD:
        return thread_value(r, (uint32_t)call->arg[place]);
    case PGR_ARG_HANDLE_OUT:
    case PGR_ARG_ADDRESS_OUT:
        return out_value(r, call, place, result);
    default:
        return trace_make_anything(r->trace);
    }
}

static struct trace_value *argument_values(struct recorder *r, const pgr_call *call, const pgr_result *result)
{
    const pgr_call_info *row = pgr_call_row(call->number);
    struct trace_value *first = NULL;
    struct trace_value **link = &first;

    for (unsigned place = 0; place < row->arg_count; place++) {
        if (row->args[place].kind == PGR_ARG_LOCK_OUT && (uint32_t)call->arg[1] != ZX_VMO_OP_LOCK)
            break;
        *link = argument_value(r, call, place, result);
        link = &(*link)->next;
    }
    return first;
}

/* ---- lines ---- */

static void print_line(struct recorder *r, const struct trace_line *line)
{
    trace_write_line(line, TRACE_WRITE_ALIGNED | TRACE_WRITE_COMMENT, r->out);
    putc('\n', r->out);
}

/* The length of a read's buffer; of other buffers what they have. */
static uint64_t output_bytes(const pgr_call *call)
{
    const pgr_call_info *row = pgr_call_row(call->number);

    for (unsigned place = 0; place < row->arg_count; place++)
        if (row->args[place].kind == PGR_ARG_BYTES_OUT)
            return buffer_length(call, call->arg[row->args[place].detail]);
    return call->buffer_bytes;
}

static void name_outputs(struct recorder *r, const pgr_call *call, const pgr_result *result)
{
    const pgr_call_info *row = pgr_call_row(call->number);
    struct recorded_thread *thread = thread_row(r, call->thread);
    uint64_t bytes = 0;

    if (thread == NULL || result->status != ZX_OK)
        return;
    for (unsigned place = 0; place < row->arg_count; place++) {
        if (row->args[place].kind == PGR_ARG_SIZE)
            bytes = call->arg[place];
        if (row->args[place].kind == PGR_ARG_HANDLE_OUT)
            name_handle(r, (zx_handle_t)result->out[place], thread->outs[place]);
        if (row->args[place].kind == PGR_ARG_ADDRESS_OUT)
            r->ranges[r->range_count++ % ADDRESSES] =
                (struct named_range){result->out[place], bytes, thread->outs[place]};
    }
}

static void fill_outputs(struct recorder *r, struct trace_line *line, const pgr_call *call, const pgr_result *result)
{
    struct trace_comparison comparison = {.trace = r->trace, .fill = 1, .fill_buffers = 1};
    pgr_call shortened = *call;
    struct trace_outcome outcome = {&shortened, result};

    shortened.buffer_bytes = call->buffer != NULL ? output_bytes(call) : 0;
    if (shortened.buffer != NULL || line->call != PGR_CALL_PAGER_QUERY_DIRTY_RANGES)
        line->args = trace_compare_outputs(&comparison, line, &outcome);
    line->status = trace_make_status(r->trace, result->status);
    name_outputs(r, call, result);
}

static void print_exception(struct recorder *r, uint32_t thread, const pgr_result *result)
{
    const char *code = constant_status_name(result->fault.code);
    struct trace_value *address = address_value(r, result->fault.address);

    if (result->call == PGR_CALL_MEM_PREPARE)
        fputs("# ", r->out);
    if (strcmp(thread_symbol(r, thread)->name, "main") != 0)
        fprintf(r->out, "[%s] ", thread_symbol(r, thread)->name);
    fprintf(r->out, "--- ZX_EXCP_FATAL_PAGE_FAULT {addr=%s, code=%s} ---\n", (const char *)address->text.bytes,
            code != NULL ? code : "_");
    end_thread(r, thread);
}

static void remember_blocked(struct recorder *r, const pgr_call *call)
{
    struct recorded_thread *thread = thread_row(r, call->thread);

    if (thread == NULL)
        return;
    thread->call = call->number;
    thread->blocked = *call;
}

static void print_refused(struct recorder *r, const pgr_call *call, const pgr_result *result)
{
    const pgr_call_info *row = pgr_call_row(call->number);
    const char *status = constant_status_name(result->status);

    fprintf(r->out, "# refused with %s: thread %" PRIu32 ", %s\n", status != NULL ? status : "an unknown status",
            call->thread, row != NULL ? row->name : "an unknown call");
}

static struct trace_line line_of_call(uint32_t number)
{
    return (struct trace_line){.call = number, .result_column = RESULT_COLUMN};
}

/* The bytes that the call's buffer should have, by its arguments; 0 if none of them says so. */
static uint64_t buffer_needed(const pgr_call *call)
{
    const pgr_call_info *row = pgr_call_row(call->number);

    for (unsigned place = 0; place < row->arg_count; place++) {
        const pgr_arg *arg = &row->args[place];
        switch (arg->kind) {
        case PGR_ARG_BYTES_IN:
        case PGR_ARG_BYTES_OUT:
            return call->arg[arg->detail];
        case PGR_ARG_PROPERTY_IN:
        case PGR_ARG_PROPERTY_OUT:
            return (uint32_t)call->arg[1] == ZX_PROP_NAME ? 0 : sizeof(uint64_t);
        case PGR_ARG_PACKET_IN:
            return sizeof(zx_port_packet_t);
        default:
            break;
        }
    }
    return 0;
}

/* In a trace every buffer is as long as it should be: a call with another one cannot be run again from its line. */
static const char *short_buffer(struct recorder *r, const pgr_call *call)
{
    char text[64];
    char *kept;

    if (is_at_address(call) || call->buffer_bytes >= buffer_needed(call))
        return NULL;
    snprintf(text, sizeof(text), "# with a buffer of %" PRIu64 " bytes", call->buffer_bytes);
    kept = trace_allocate(r->trace, sizeof(text));
    memcpy(kept, text, sizeof(text));
    return kept;
}

static void print_call(struct recorder *r, const pgr_call *call, const pgr_result *result)
{
    struct trace_line line = line_of_call(call->number);

    line.form = TRACE_CALL;
    line.thread = telling_thread(r, call);
    line.args = argument_values(r, call, result);
    line.comment = short_buffer(r, call);
    if (result == NULL)
        line.comment = "# did not return";
    else if (result->outcome == PGR_BLOCKED)
        line.form = TRACE_UNFINISHED;
    else if (result->outcome == PGR_FAULT)
        line.form = TRACE_FAULTING;
    else
        fill_outputs(r, &line, call, result);
    print_line(r, &line);
}

/* No call of a trace: what it makes ready stands in a comment. */
static void print_prepare(struct recorder *r, const pgr_call *call)
{
    fprintf(r->out, "# %s: mem_prepare of %" PRIu64 " accesses\n", thread_symbol(r, call->thread)->name,
            call->buffer_bytes / sizeof(pgr_access));
}

static void record_call(struct recorder *r, const pgr_call *call, const pgr_result *result)
{
    if (call->number == PGR_CALL_MEM_PREPARE)
        print_prepare(r, call);
    else
        print_call(r, call, result);
    if (result == NULL)
        return;
    if (result->outcome == PGR_BLOCKED)
        remember_blocked(r, call);
    if (result->outcome == PGR_FAULT)
        print_exception(r, call->thread, result);
    if (call->number == PGR_CALL_THREAD_KILL && result->outcome == PGR_DONE && result->status == ZX_OK)
        end_thread(r, (uint32_t)call->arg[0]);
}

/* ---- resumes ---- */

/* A packet that came late stands behind its line, for the line that it belongs to is printed already. */
static const char *late_packet(struct recorder *r, const pgr_call *call, const pgr_result *result)
{
    const zx_port_packet_t *packet = &result->packet;
    char text[160];
    int length;
    char *kept;

    if (result->status != ZX_OK || call->number != PGR_CALL_PORT_WAIT)
        return NULL;
    length = snprintf(text, sizeof(text), "# key %" PRIu64 ", type %" PRIu32, packet->key, packet->type);
    if (packet->type == ZX_PKT_TYPE_PAGE_REQUEST)
        snprintf(text + length, sizeof(text) - (size_t)length, ", command %u, offset 0x%" PRIx64 ", length 0x%" PRIx64,
                 packet->page_request.command, packet->page_request.offset, packet->page_request.length);
    kept = trace_allocate(r->trace, sizeof(text));
    memcpy(kept, text, sizeof(text));
    return kept;
}

static struct trace_value *read_output(struct recorder *r, const pgr_call *call, const pgr_result *result)
{
    int is_read = call->number == PGR_CALL_VMO_READ || call->number == PGR_CALL_MEM_READ;

    if (!is_read || result->status != ZX_OK || call->buffer == NULL)
        return NULL;
    return trace_make_buffer(r->trace, call->buffer, output_bytes(call), 0);
}

static void print_resumed(struct recorder *r, struct recorded_thread *thread, const pgr_call *resume,
                          const pgr_result *result)
{
    struct trace_line line = line_of_call(thread->call);
    pgr_call call = thread->blocked;

    if (call.number == PGR_CALL_MEM_PREPARE) {
        fprintf(r->out, "# %s: mem_prepare is done\n", thread_symbol(r, resume->thread)->name);
        thread->call = PGR_CALL_NONE;
        return;
    }
    call.buffer = resume->buffer;
    call.buffer_bytes = resume->buffer != NULL ? resume->buffer_bytes : 0;
    line.form = TRACE_RESUMED;
    line.thread = thread_symbol(r, resume->thread);
    line.status = trace_make_status(r->trace, result->status);
    line.output = read_output(r, &call, result);
    line.comment = late_packet(r, &call, result);
    print_line(r, &line);
    name_outputs(r, &call, result);
    thread->call = PGR_CALL_NONE;
}

static void record_resume(struct recorder *r, const pgr_call *resume, const pgr_result *result)
{
    struct recorded_thread *thread = thread_row(r, resume->thread);

    if (result == NULL)
        fprintf(r->out, "# resuming %s did not return\n", thread_symbol(r, resume->thread)->name);
    else if (thread == NULL || thread->call == PGR_CALL_NONE || result->outcome == PGR_REFUSED)
        print_refused(r, resume, result);
    else if (result->outcome == PGR_FAULT)
        print_exception(r, resume->thread, result);
    else if (result->outcome == PGR_DONE)
        print_resumed(r, thread, resume, result);
}

/* ---- the end of the process ---- */

static void print_kills(struct recorder *r, const char *killer)
{
    for (uint32_t number = 0; number < r->thread_count; number++) {
        if (r->threads[number].symbol == NULL)
            continue;
        fprintf(r->out, "[%s] thread_kill(%s) = ZX_OK\n", killer, r->threads[number].symbol->name);
        end_thread(r, number);
    }
}

static void print_closes(struct recorder *r, const char *closer)
{
    const char *before = "";

    fprintf(r->out, "[%s] zx_handle_close_many([", closer);
    for (uint32_t row = 0; row < r->handle_rows; row++) {
        if (r->handles[row].value == 0)
            continue;
        fprintf(r->out, "%s%s", before, r->handles[row].symbol->name);
        before = ", ";
    }
    fputs("]) = _\n", r->out);
}

/* No trace can end its process, but one can kill every thread and close every handle that there has been. */
static void record_exit(struct recorder *r)
{
    const struct trace_symbol *last = symbol_format(r, "%s%u", "exit", ++r->counts[PGR_CALL_PROCESS_EXIT]);

    fputs("# the process ends\n", r->out);
    print_kills(r, last->name);
    print_closes(r, last->name);
}

/* ---- the recorder ---- */

static void check_order(struct recorder *r, const pgr_call *call)
{
    int is_expected = call->number == PGR_CALL_RESUME && call->thread == r->resume_next;

    if (r->world == NULL)
        return;
    if (r->resume_next != PGR_NO_THREAD && !is_expected)
        fputs("# resumed out of order\n", r->out);
}

void recorder_call(struct recorder *r, const pgr_call *call, const pgr_result *result)
{
    struct trace_mark mark = trace_mark(r->trace);

    check_order(r, call);
    if (call->number == PGR_CALL_RESUME)
        record_resume(r, call, result);
    else if (call->number == PGR_CALL_PROCESS_EXIT)
        record_exit(r);
    else if (pgr_call_row(call->number) == NULL || (result != NULL && result->outcome == PGR_REFUSED)) {
        if (result != NULL)
            print_refused(r, call, result);
    } else
        record_call(r, call, result);
    trace_release(r->trace, mark);
    if (r->world != NULL)
        r->resume_next = pgr_first_released(r->world);
}

void recorder_watch(struct recorder *r, const pgr_world *world)
{
    r->world = world;
    r->resume_next = PGR_NO_THREAD;
}

static void print_options(const pgr_config *config, FILE *out)
{
    pgr_config usual;

    pgr_config_default(&usual);
    if (config->page_shift != usual.page_shift)
        fprintf(out, "option page_size %" PRIu64 "\n", UINT64_C(1) << config->page_shift);
    if (config->read_batch != usual.read_batch)
        fprintf(out, "option read_batch %" PRIu32 "\n", config->read_batch);
    if (config->options & PGR_OPTION_FAIL_CODES_KERNEL)
        fputs("option fail_codes kernel\n", out);
    if (config->options & PGR_OPTION_SUPPLY_DECOMMITS)
        fputs("option supply_failure decommitted\n", out);
    if (config->frame_count == usual.frame_count && config->object_count == usual.object_count)
        return;
    fprintf(out,
            "# recorded in a world of its own: --world=%" PRIu32 ",%" PRIu32 ",%" PRIu32 ",%" PRIu32 ",%" PRIu32 "\n",
            config->frame_count, config->object_count, config->handle_count, config->packet_count, config->run_count);
}

static int allocate(struct recorder *r, const pgr_config *config)
{
    r->handle_rows = 256;
    r->handles = calloc(r->handle_rows, sizeof(*r->handles));
    r->thread_count = config->thread_count < THREADS_MAX ? config->thread_count : THREADS_MAX;
    r->threads = calloc(r->thread_count, sizeof(*r->threads));
    r->trace = trace_new(UINT64_C(1) << config->page_shift);
    return r->handles != NULL && r->threads != NULL;
}

struct recorder *recorder_new(const pgr_config *config, const pgr_start *start, FILE *out)
{
    const char *const names[] = {"vmar", "bti", "resource", "event"};
    const zx_handle_t handles[] = {start->vmar, start->bti, start->resource, start->event};
    struct recorder *r = calloc(1, sizeof(*r));

    if (r == NULL)
        return NULL;
    r->out = out;
    r->resume_next = PGR_NO_THREAD;
    if (!allocate(r, config)) {
        recorder_free(r);
        return NULL;
    }
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        name_handle(r, handles[i], trace_symbol(r->trace, names[i], strlen(names[i])));
    print_options(config, out);
    return r;
}

void recorder_free(struct recorder *r)
{
    if (r == NULL)
        return;
    free(r->handles);
    free(r->threads);
    trace_free(r->trace);
    free(r);
}
