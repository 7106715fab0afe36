/*
 * Editing traces: taking lines out with what cannot stand without them, and measuring how large a trace is.
 */
#include <stdlib.h>
#include <string.h>

#include "harness/shrink_internal.h"
#include "harness/trace_internal.h"

int shrink_begins_call(const struct trace_line *line)
{
    return line->form == TRACE_CALL || line->form == TRACE_UNFINISHED || line->form == TRACE_FAULTING;
}

static int says_something(const struct trace_line *line)
{
    return line->form != TRACE_BLANK && line->form != TRACE_OPTION;
}

uint32_t shrink_count_lines(const struct trace *trace)
{
    uint32_t count = 0;

    for (const struct trace_line *line = trace_lines(trace); line != NULL; line = line->next)
        count += says_something(line) != 0;
    return count;
}

uint32_t shrink_count_all(const struct trace *trace)
{
    uint32_t count = 0;

    for (const struct trace_line *line = trace_lines(trace); line != NULL; line = line->next)
        count++;
    return count;
}

struct trace_line *shrink_nth(const struct trace *trace, uint32_t place)
{
    struct trace_line *line = trace_lines(trace);

    while (line != NULL && place-- > 0)
        line = line->next;
    return line;
}

struct trace *shrink_copy(const struct trace *trace)
{
    struct trace_error error;
    struct trace *copy = NULL;
    char *text = NULL;
    size_t bytes = 0;
    FILE *out = open_memstream(&text, &bytes);

    if (out == NULL)
        return NULL;
    trace_write(trace, out);
    if (fclose(out) == 0)
        copy = trace_read(text, bytes, &error);
    free(text);
    return copy;
}

/* ---- what can stand ---- */

/* What the lines so far have left: of each symbol, as a name and as a thread. */
struct standing {
    const struct trace_line *in_call; /* that began the call that the thread is in */
    uint8_t is_bound;
    uint8_t has_ended;
};

static void bind_start_names(struct trace *trace, struct standing *by_id)
{
    static const char *const names[] = {"vmar", "bti", "resource", "event"};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        by_id[trace_symbol(trace, names[i], strlen(names[i]))->id].is_bound = 1;
}

static int has_list(const struct trace_value *value)
{
    return value->form == TRACE_FILL || value->form == TRACE_PAGE_BYTES || value->form == TRACE_AT ||
           value->form == TRACE_ARRAY || value->form == TRACE_STRUCTURE;
}

/* Lists nest two deep, so the recursion ends there. */
static int uses_unbound(const struct trace_value *values, const struct standing *by_id)
{
    for (const struct trace_value *value = values; value != NULL; value = value->next) {
        if (has_list(value) && uses_unbound(value->items, by_id))
            return 1;
        for (const struct trace_term *term = value->form == TRACE_EXPRESSION ? value->terms : NULL; term != NULL;
             term = term->next)
            if (term->kind == TRACE_NAME && !by_id[term->symbol->id].is_bound)
                return 1;
    }
    return 0;
}

static void bind_names(const struct trace_value *values, struct standing *by_id)
{
    for (const struct trace_value *value = values; value != NULL; value = value->next) {
        if (value->form == TRACE_BINDING)
            by_id[value->symbol->id].is_bound = 1;
        else if (has_list(value))
            bind_names(value->items, by_id);
    }
}

static int begin_stands(const struct trace_line *line, struct standing *by_id)
{
    struct standing *thread = &by_id[line->thread->id];

    if (thread->in_call != NULL || thread->has_ended || uses_unbound(line->args, by_id))
        return 0;
    if (line->form != TRACE_CALL)
        thread->in_call = line;
    if (line->call == PGR_CALL_THREAD_KILL) {
        struct standing *killed = &by_id[line->args->symbol->id];
        killed->in_call = NULL;
        killed->has_ended = 1;
    }
    if (trace_may_succeed(line))
        bind_names(line->args, by_id);
    return 1;
}

static int end_stands(const struct trace_line *line, struct standing *by_id)
{
    struct standing *thread = &by_id[line->thread->id];
    const struct trace_line *begun = thread->in_call;

    if (begun == NULL || begun->call != line->call || uses_unbound(line->args, by_id) ||
        uses_unbound(line->output, by_id))
        return 0;
    if (begun->form == TRACE_FAULTING && line->form != TRACE_EXCEPTION)
        return 0;
    if (line->form != TRACE_WAITING)
        thread->in_call = NULL;
    thread->has_ended |= line->form == TRACE_EXCEPTION;
    return 1;
}

static int stands(const struct trace_line *line, struct standing *by_id)
{
    if (!says_something(line))
        return 1;
    return shrink_begins_call(line) ? begin_stands(line, by_id) : end_stands(line, by_id);
}

/* ---- taking lines out ---- */

static uint32_t unlink_lines(struct trace *trace, int (*stays)(const struct trace_line *line, void *context),
                             void *context)
{
    struct trace_line **link = &trace->first;
    uint32_t dropped = 0;

    trace->last = NULL;
    while (*link != NULL) {
        struct trace_line *line = *link;
        if (stays(line, context)) {
            trace->last = line;
            link = &line->next;
        } else {
            *link = line->next;
            dropped++;
        }
    }
    return dropped;
}

static int stands_in(const struct trace_line *line, void *context)
{
    return stands(line, context);
}

uint32_t shrink_drop_loose(struct trace *trace)
{
    struct standing *by_id = calloc(trace_symbol_count(trace) + 4, sizeof(*by_id));
    uint32_t dropped;

    if (by_id == NULL)
        return 0;
    bind_start_names(trace, by_id);
    dropped = unlink_lines(trace, stands_in, by_id);
    free(by_id);
    return dropped;
}

static int is_unmarked(const struct trace_line *line, void *context)
{
    const uint8_t **mark = context;

    (void)line;
    return *(*mark)++ == 0;
}

uint32_t shrink_drop_lines(struct trace *trace, const uint8_t *drop)
{
    uint32_t dropped = unlink_lines(trace, is_unmarked, &drop);

    return dropped + shrink_drop_loose(trace);
}

/* The comments on top end with the first line that is no comment. */
static int is_wanted(const struct trace_line *line, void *context)
{
    int *on_top = context;

    if (line->form != TRACE_BLANK)
        *on_top = 0;
    return line->form != TRACE_BLANK || (*on_top && line->comment != NULL);
}

void shrink_drop_comments(struct trace *trace)
{
    int on_top = 1;

    unlink_lines(trace, is_wanted, &on_top);
}

/* ---- how large a trace is ---- */

int shrink_is_input(const struct trace_line *line, unsigned place)
{
    switch (trace_call_row(line->call)->args[place].kind) {
    case PGR_ARG_HANDLE:
    case PGR_ARG_HANDLES:
    case PGR_ARG_U32:
    case PGR_ARG_U64:
    case PGR_ARG_OFFSET:
    case PGR_ARG_SIZE:
    case PGR_ARG_ADDRESS:
    case PGR_ARG_BYTES_IN:
    case PGR_ARG_PROPERTY_IN:
    case PGR_ARG_PACKET_IN:
    case PGR_ARG_THREAD:
    case TRACE_ARG_REGISTERS_IN:
        return 1;
    default:
        return 0;
    }
}

static unsigned bits_of(uint64_t number)
{
    return number == 0 ? 0 : 64 - (unsigned)__builtin_clzll(number);
}

/*
 * The logarithm in 256ths, of what is behind its point the first eight bits: so that large numbers do not outweigh all
 * else.
 */
static uint64_t number_weight(uint64_t number)
{
    unsigned bits = bits_of(number);
    uint64_t behind_first = bits > 1 ? number << (65 - bits) : 0;

    return bits == 0 ? 0 : (uint64_t)bits << 8 | behind_first >> 56;
}

/* Pages are simpler than bytes, and everything is less simple than nothing. */
static uint64_t term_weight(const struct trace_term *term)
{
    uint64_t weight = number_weight(term->number);

    if (term->kind == TRACE_NAME || term->kind == TRACE_CONSTANT)
        return 128;
    return weight + (term->kind == TRACE_NUMBER && weight > 0 ? 64 : 0) + (term->is_negative ? 64 : 0);
}

static uint64_t expression_weight(const struct trace_value *value)
{
    uint64_t weight = 0;

    for (const struct trace_term *term = value->terms; term != NULL; term = term->next)
        weight += term_weight(term) + (term->operator_before != '\0' ? 16 : 0);
    return weight;
}

static uint64_t value_weight(const struct trace_value *value);

static uint64_t list_weight(const struct trace_value *items)
{
    uint64_t weight = 0;

    for (const struct trace_value *item = items; item != NULL; item = item->next)
        weight += 16 + value_weight(item);
    return weight;
}

/* How far an argument that the call is given is from the simplest one. Every buffer is heavier than fill(1). */
static uint64_t value_weight(const struct trace_value *value)
{
    switch (value->form) {
    case TRACE_EXPRESSION:
        return expression_weight(value);
    case TRACE_FILL:
        return list_weight(value->items);
    case TRACE_PAGE_BYTES:
    case TRACE_ARRAY:
    case TRACE_STRUCTURE:
        return 1 + list_weight(value->items);
    case TRACE_ANYTHING:
        return 700;
    case TRACE_AT:
        return 1000 + list_weight(value->items);
    case TRACE_STRING:
    case TRACE_WIDE:
        return 1000 + 64 * value->text.count;
    default:
        return 0;
    }
}

static uint64_t arguments_weight(const struct trace_line *line)
{
    uint64_t weight = 0;
    unsigned place = 0;

    for (const struct trace_value *value = line->args; value != NULL; value = value->next, place++)
        if (shrink_is_input(line, place))
            weight += value_weight(value);
    return weight;
}

/* Threads weigh by the order of their first lines, so that one that is made another's weighs less. */
static uint64_t thread_weight(const struct trace_line *line, uint32_t *order, uint32_t *threads)
{
    if (order[line->thread->id] == 0 && strcmp(line->thread->name, "main") != 0)
        order[line->thread->id] = ++*threads;
    return 1000 * order[line->thread->id];
}

struct shrink_size shrink_size_of(const struct trace *trace)
{
    uint32_t *order = calloc(trace_symbol_count(trace), sizeof(*order));
    struct shrink_size size = {0};
    uint32_t threads = 0;

    for (const struct trace_line *line = trace_lines(trace); line != NULL; line = line->next) {
        if (line->form == TRACE_BLANK)
            continue;
        size.lines++;
        if (line->form == TRACE_OPTION)
            size.weight += bits_of(line->option_value);
        if (!shrink_begins_call(line))
            continue;
        size.calls++;
        size.weight += arguments_weight(line);
        if (order != NULL)
            size.weight += thread_weight(line, order, &threads);
    }
    free(order);
    return size;
}

int shrink_is_smaller(const struct shrink_size *a, const struct shrink_size *b)
{
    if (a->calls != b->calls)
        return a->calls < b->calls;
    if (a->lines != b->lines)
        return a->lines < b->lines;
    return a->weight < b->weight;
}
