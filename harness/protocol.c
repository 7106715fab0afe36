/*
 * The line protocol as text: calls with all names resolved, start handles, and the lines of an answer.
 */
#include "harness/protocol.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "harness/constants.h"
#include "harness/trace_layouts.h"
#include "harness/trace_results.h"

/* ---- calls, as they are sent ---- */

/* What resolving a line needs, and the name that has no value. */
struct resolving {
    struct trace *trace;
    const struct trace_binding *bindings;
    const struct trace_symbol *unbound;
};

static struct trace_value *resolved_number(struct resolving *r, const struct trace_value *value)
{
    uint64_t number = 0;

    if (trace_evaluate(r->trace, value, r->bindings, &number, &r->unbound) != 0)
        return trace_make_anything(r->trace);
    return trace_make_literal(r->trace, "%" PRIu64, number);
}

static struct trace_value *resolved_value(struct resolving *r, const struct trace_value *value);

/* Lists nest two deep, so the recursion ends there. */
static struct trace_value *resolved_items(struct resolving *r, const struct trace_value *items)
{
    struct trace_value *first = NULL;
    struct trace_value **link = &first;

    for (; items != NULL; items = items->next) {
        *link = resolved_value(r, items);
        (*link)->field = items->field;
        link = &(*link)->next;
    }
    return first;
}

static struct trace_value *resolved_value(struct resolving *r, const struct trace_value *value)
{
    struct trace_value *copy;

    if (value->form == TRACE_EXPRESSION)
        return resolved_number(r, value);
    copy = trace_allocate(r->trace, sizeof(*copy));
    *copy = *value;
    copy->next = NULL;
    switch (value->form) {
    case TRACE_FILL:
    case TRACE_PAGE_BYTES:
    case TRACE_AT:
    case TRACE_ARRAY:
    case TRACE_STRUCTURE:
        copy->items = resolved_items(r, value->items);
        break;
    case TRACE_STRING:
        copy->text.spelling = NULL;
        break;
    default:
        break;
    }
    return copy;
}

/* A null pointer and a mapped buffer are said; what a call must give back is not. */
static struct trace_value *resolved_argument(struct resolving *r, const pgr_arg *arg, const struct trace_value *value)
{
    int is_said = !trace_is_output(arg->kind) || value->form == TRACE_EXPRESSION || value->form == TRACE_AT;

    return is_said ? resolved_value(r, value) : trace_make_anything(r->trace);
}

int protocol_write_call(struct trace *trace, const struct trace_line *line, const struct trace_binding *bindings,
                        FILE *out, const struct trace_symbol **unbound)
{
    const pgr_call_info *row = trace_call_row(line->call);
    struct resolving r = {.trace = trace, .bindings = bindings};
    struct trace_line sent = {.form = TRACE_FAULTING, .call = line->call, .thread = line->thread};
    struct trace_value **link = &sent.args;
    unsigned place = 0;

    for (const struct trace_value *value = line->args; value != NULL; value = value->next, place++) {
        *link = resolved_argument(&r, &row->args[place], value);
        link = &(*link)->next;
    }
    *unbound = r.unbound;
    if (r.unbound != NULL)
        return -1;
    trace_write_line(&sent, 0, out);
    return 0;
}

/* ---- start handles ---- */

void protocol_write_start(const pgr_start *start, FILE *out)
{
    fprintf(out, "vmar=%" PRIu32 " bti=%" PRIu32 " resource=%" PRIu32 " event=%" PRIu32, start->vmar, start->bti,
            start->resource, start->event);
}

static int read_handle(const char *text, size_t length, zx_handle_t *handle)
{
    uint64_t number = 0;

    if (length == 0 || length > 10)
        return -1;
    for (size_t i = 0; i < length; i++) {
        if (text[i] < '0' || text[i] > '9')
            return -1;
        number = number * 10 + (uint64_t)(text[i] - '0');
    }
    *handle = (zx_handle_t)number;
    return number <= UINT32_MAX ? 0 : -1;
}

int protocol_read_start(const char *text, pgr_start *start)
{
    const char *const names[] = {"vmar=", "bti=", "resource=", "event="};
    zx_handle_t *const handles[] = {&start->vmar, &start->bti, &start->resource, &start->event};
    size_t found = 0;

    *start = (pgr_start){0};
    while (*text != '\0') {
        size_t length = strcspn(text, " ");
        size_t i = 0;
        while (i < 4 && strncmp(text, names[i], strlen(names[i])) != 0)
            i++;
        if (i == 4 || read_handle(text + strlen(names[i]), length - strlen(names[i]), handles[i]) != 0)
            return -1;
        found++;
        text += length;
        text += strspn(text, " ");
    }
    return found > 0 ? 0 : -1;
}

/* ---- answers ---- */

unsigned protocol_late_output(uint32_t call)
{
    const pgr_call_info *row = trace_call_row(call);

    for (unsigned place = 0; place < row->arg_count; place++)
        if (trace_is_output(row->args[place].kind))
            return place;
    return UINT32_MAX;
}

static struct trace_comparison filling(struct trace *trace)
{
    return (struct trace_comparison){.trace = trace, .fill = 1, .fill_buffers = 1};
}

/* The registers of an instruction are told whole, if the line has a place for them. */
static void fill_registers(struct trace *trace, struct trace_line *line, const pgr_call *call)
{
    struct trace_value *last = line->args;

    if (line->call != TRACE_CALL_X86_EXEC)
        return;
    while (last->next != NULL)
        last = last->next;
    if (last->form == TRACE_ANYTHING)
        *last = *trace_make_structure(trace, TRACE_ARG_REGISTERS_OUT, 0, call->buffer);
}

struct trace_line protocol_call_line(struct trace *trace, const struct trace_line *line, const pgr_call *call,
                                     const pgr_result *result)
{
    struct trace_comparison comparison = filling(trace);
    struct trace_outcome outcome = {call, result};
    struct trace_line actual = {.call = line->call, .thread = line->thread, .args = line->args};

    switch (result->outcome) {
    case PGR_BLOCKED:
        actual.form = TRACE_UNFINISHED;
        break;
    case PGR_FAULT:
        actual.form = TRACE_FAULTING;
        break;
    default:
        actual.form = TRACE_CALL;
        actual.args = trace_compare_outputs(&comparison, line, &outcome);
        actual.status = trace_make_status(trace, result->status);
        if (trace_has_outputs(&outcome))
            fill_registers(trace, &actual, call);
    }
    return actual;
}

struct trace_line protocol_exception_line(struct trace *trace, struct trace_symbol *thread, uint32_t call,
                                          const pgr_result *result)
{
    struct trace_value *structure = trace_make_anything(trace);
    struct trace_value *address = trace_make_number(trace, CONSTANT_ADDRESS, result->fault.address);

    address->field = &trace_layout_exception.fields[0];
    structure->form = TRACE_STRUCTURE;
    structure->items = address;
    return (struct trace_line){.form = TRACE_EXCEPTION,
                               .thread = thread,
                               .call = call,
                               .args = structure,
                               .status = trace_make_status(trace, result->fault.code)};
}

/* What the call gives back, taken from its line with all outputs filled in. */
static struct trace_value *late_value(struct trace *trace, const struct trace_line *begun, const pgr_call *call,
                                      const pgr_result *result)
{
    unsigned place = protocol_late_output(call->number);
    struct trace_outcome outcome = {call, result};
    struct trace_value *value;
    struct trace_line filled;

    if (place == UINT32_MAX || !trace_has_outputs(&outcome))
        return NULL;
    filled = protocol_call_line(trace, begun, call, result);
    value = filled.args;
    while (value != NULL && place-- > 0)
        value = value->next;
    return value == NULL || value->form == TRACE_AT || value->form == TRACE_ANYTHING ? NULL : value;
}

struct trace_line protocol_ended_line(struct trace *trace, const struct played_call *ended)
{
    const pgr_result *result = &ended->result;
    struct run_thread *thread = ended->thread;

    if (result->outcome == PGR_FAULT)
        return protocol_exception_line(trace, thread->symbol, ended->call.number, result);
    return (struct trace_line){.form = TRACE_RESUMED,
                               .thread = thread->symbol,
                               .call = ended->call.number,
                               .output = late_value(trace, thread->line, &ended->call, result),
                               .status = trace_make_status(trace, result->status)};
}
