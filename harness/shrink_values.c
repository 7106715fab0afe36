/*
 * The shrinker's phases that make what is left simpler: one name in place of another, and simple values as arguments.
 */
#include <stdlib.h>
#include <string.h>

#include "harness/shrink_internal.h"
#include "harness/trace_results.h"

/* ---- names: what a call makes is replaced by what there is already, and the call goes ---- */

#define EARLIER_NAMES_MAX 6u

struct made_name {
    const struct trace_symbol *symbol;
    uint8_t kind;   /* of the argument that binds it */
    uint8_t detail; /* of a handle: the type of object */
};

static int is_made(const pgr_arg *arg, const struct trace_value *value)
{
    return value->form == TRACE_BINDING && (arg->kind == PGR_ARG_HANDLE_OUT || arg->kind == PGR_ARG_ADDRESS_OUT);
}

/* What the line binds first. 0 if that is nothing that could be replaced. */
static int made_by(const struct trace_line *line, struct made_name *made)
{
    const pgr_arg *arg = trace_call_row(line->call)->args;

    for (const struct trace_value *value = line->args; value != NULL; value = value->next, arg++) {
        if (!is_made(arg, value))
            continue;
        *made = (struct made_name){value->symbol, arg->kind, arg->detail};
        return 1;
    }
    return 0;
}

static int are_alike(const struct made_name *a, const struct made_name *b)
{
    int is_any = a->detail == ZX_OBJ_TYPE_NONE || b->detail == ZX_OBJ_TYPE_NONE;

    return a->symbol != b->symbol && a->kind == b->kind &&
           (a->kind != PGR_ARG_HANDLE_OUT || is_any || a->detail == b->detail);
}

static void replace_in(struct trace_value *values, const struct trace_symbol *from, struct trace_symbol *to)
{
    for (struct trace_value *value = values; value != NULL; value = value->next) {
        if (value->form == TRACE_EXPRESSION)
            for (struct trace_term *term = value->terms; term != NULL; term = term->next)
                if (term->symbol == from)
                    term->symbol = to;
        if (value->form == TRACE_FILL || value->form == TRACE_PAGE_BYTES || value->form == TRACE_AT ||
            value->form == TRACE_ARRAY || value->form == TRACE_STRUCTURE)
            replace_in(value->items, from, to);
    }
}

static int try_replaced(struct shrinking *s, uint32_t place, const struct trace_symbol *made,
                        const struct trace_symbol *other)
{
    struct trace *candidate = shrink_copy(s->now);
    uint8_t *drop = calloc(shrink_count_all(s->now) + 1, 1);
    struct trace_symbol *from, *to;
    int is_taken = 0;

    if (candidate == NULL || drop == NULL) {
        trace_free(candidate);
        free(drop);
        return 0;
    }
    from = trace_symbol(candidate, made->name, made->length);
    to = trace_symbol(candidate, other->name, other->length);
    for (struct trace_line *line = shrink_nth(candidate, place); line != NULL; line = line->next)
        replace_in(line->args, from, to);
    drop[place] = 1;
    shrink_drop_lines(candidate, drop);
    is_taken = shrink_try(s, candidate);
    free(drop);
    return is_taken;
}

/* The names that every trace begins with. */
static int replace_by_start_name(struct shrinking *s, uint32_t place, const struct made_name *made)
{
    static const struct {
        const char *name;
        uint8_t type;
    } names[] = {{"event", ZX_OBJ_TYPE_EVENT},
                 {"vmar", ZX_OBJ_TYPE_VMAR},
                 {"bti", ZX_OBJ_TYPE_BTI},
                 {"resource", ZX_OBJ_TYPE_RESOURCE}};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        struct made_name start = {trace_symbol(s->now, names[i].name, strlen(names[i].name)), PGR_ARG_HANDLE_OUT,
                                  names[i].type};
        if (are_alike(made, &start) && try_replaced(s, place, made->symbol, start.symbol))
            return 1;
    }
    return 0;
}

/* The newest names first. */
static int replace_made(struct shrinking *s, uint32_t place)
{
    struct made_name made, other;
    unsigned tried = 0;
    const struct trace_line *line = shrink_nth(s->now, place);

    if (line == NULL || !shrink_begins_call(line) || !made_by(line, &made))
        return 0;
    for (uint32_t before = place; before-- > 0 && tried < EARLIER_NAMES_MAX;) {
        line = shrink_nth(s->now, before);
        if (!shrink_begins_call(line) || !made_by(line, &other) || !are_alike(&made, &other))
            continue;
        tried++;
        if (try_replaced(s, place, made.symbol, other.symbol))
            return 1;
    }
    return replace_by_start_name(s, place, &made);
}

/* ---- any VMO is replaced by one that needs nothing ---- */

static struct trace_value *copy_value(struct trace *trace, const struct trace_value *value)
{
    struct trace_value *copy = trace_allocate(trace, sizeof(*copy));

    *copy = *value;
    copy->next = NULL;
    return copy;
}

/* The arguments of a zx_vmo_create() that makes as large a VMO of the same name. Null: the line makes none. */
static struct trace_value *plain_arguments(struct trace *trace, const struct trace_line *line)
{
    const pgr_arg *arg = trace_call_row(line->call)->args;
    struct trace_value *size = NULL, *options, *name = NULL;

    for (const struct trace_value *value = line->args; value != NULL; value = value->next, arg++) {
        if (arg->kind == PGR_ARG_SIZE)
            size = copy_value(trace, value);
        if (is_made(arg, value) && arg->kind == PGR_ARG_HANDLE_OUT && arg->detail == ZX_OBJ_TYPE_VMO)
            name = copy_value(trace, value);
    }
    if (size == NULL || name == NULL)
        return NULL;
    options = trace_allocate(trace, sizeof(*options));
    options->form = TRACE_EXPRESSION;
    options->terms = trace_allocate(trace, sizeof(*options->terms));
    size->next = options;
    options->next = name;
    return size;
}

static int make_plain(struct shrinking *s, uint32_t place)
{
    struct trace *candidate = shrink_copy(s->now);
    struct trace_line *line = candidate != NULL ? shrink_nth(candidate, place) : NULL;
    struct trace_value *arguments = NULL;

    if (line != NULL && shrink_begins_call(line) && line->call != PGR_CALL_VMO_CREATE)
        arguments = plain_arguments(candidate, line);
    if (arguments == NULL) {
        trace_free(candidate);
        return 0;
    }
    line->call = PGR_CALL_VMO_CREATE;
    line->args = arguments;
    return shrink_try(s, candidate);
}

int shrink_names(struct shrinking *s)
{
    int has_changed = 0;

    for (uint32_t place = shrink_count_all(s->now); place-- > 0 && !s->ended;)
        has_changed |= replace_made(s, place) || make_plain(s, place);
    return has_changed;
}

/* ---- values ---- */

/*
 * Makes one change of those that a value has: the one that `left` counts down to. The functions below return whether
 * they have made it.
 */
struct editor {
    struct trace *trace;
    unsigned left;
    int has_pages; /* numbers are in bytes, so that pages make sense */
};

static int is_chosen(struct editor *e)
{
    return e->left-- == 0;
}

static struct trace_term *number_term(struct editor *e, uint64_t number, unsigned kind)
{
    struct trace_term *term = trace_allocate(e->trace, sizeof(*term));

    term->kind = (uint8_t)(number == 0 ? TRACE_NUMBER : kind);
    term->number = number;
    return term;
}

static int set_number(struct editor *e, struct trace_value *value, uint64_t number, unsigned kind)
{
    value->form = TRACE_EXPRESSION;
    value->terms = number_term(e, number, kind);
    return 1;
}

/* Half of a number, then less and less of it away, down to one. */
static int lower_number(struct editor *e, struct trace_term *term)
{
    for (uint64_t away = term->number - term->number / 2; away > 0; away /= 2) {
        if (!is_chosen(e))
            continue;
        term->number -= away;
        term->hex_digits = 0;
        term->kind = term->number > 0 ? term->kind : TRACE_NUMBER;
        return 1;
    }
    return 0;
}

/* Bytes as pages: what is no whole page is left out. */
static int as_pages(struct editor *e, struct trace_term *term)
{
    uint64_t page_bytes = trace_page_bytes(e->trace);

    if (!e->has_pages || term->kind != TRACE_NUMBER || term->number < page_bytes || !is_chosen(e))
        return 0;
    term->kind = TRACE_PAGES;
    term->number /= page_bytes;
    term->hex_digits = 0;
    return 1;
}

static int drop_term(struct editor *e, struct trace_value *value)
{
    for (struct trace_term **link = &value->terms; *link != NULL; link = &(*link)->next) {
        if (!is_chosen(e))
            continue;
        *link = (*link)->next;
        if (value->terms != NULL)
            value->terms->operator_before = '\0';
        return 1;
    }
    return 0;
}

static int edit_expression(struct editor *e, struct trace_value *value)
{
    if (is_chosen(e))
        return set_number(e, value, 0, TRACE_NUMBER);
    if (is_chosen(e))
        return set_number(e, value, 1, e->has_pages ? TRACE_PAGES : TRACE_NUMBER);
    if (value->terms->next != NULL && drop_term(e, value))
        return 1;
    for (struct trace_term *term = value->terms; term != NULL; term = term->next)
        if ((term->kind == TRACE_NUMBER || term->kind == TRACE_PAGES) && (as_pages(e, term) || lower_number(e, term)))
            return 1;
    return 0;
}

static int drop_item(struct editor *e, struct trace_value *list, int to_the_last)
{
    for (struct trace_value **link = &list->items; *link != NULL; link = &(*link)->next) {
        if (to_the_last && list->items->next == NULL)
            return 0;
        if (!is_chosen(e))
            continue;
        *link = (*link)->next;
        return 1;
    }
    return 0;
}

static int edit_items(struct editor *e, struct trace_value *list)
{
    e->has_pages = 0;
    for (struct trace_value *item = list->items; item != NULL; item = item->next) {
        if (item->form == TRACE_EXPRESSION && edit_expression(e, item))
            return 1;
        if (item->form == TRACE_ARRAY && edit_items(e, item))
            return 1;
    }
    return 0;
}

/* fill(1): it shows in memory, which fill(0) does not. */
static int set_fill(struct editor *e, struct trace_value *buffer)
{
    struct trace_value *byte = trace_allocate(e->trace, sizeof(*byte));

    set_number(e, byte, 1, TRACE_NUMBER);
    buffer->form = TRACE_FILL;
    buffer->items = byte;
    return 1;
}

static int edit_buffer(struct editor *e, struct trace_value *value)
{
    if (is_chosen(e))
        return set_fill(e, value);
    if (value->form != TRACE_PAGE_BYTES)
        return 0;
    return drop_item(e, value, 1) || edit_items(e, value);
}

/* An option that chooses what the call does has no simpler value. */
static int chooses(const pgr_arg *arg)
{
    switch (arg->detail) {
    case PGR_DOMAIN_TOPIC:
    case PGR_DOMAIN_PROPERTY:
    case PGR_DOMAIN_VMO_OP:
    case PGR_DOMAIN_PAGER_OP:
    case PGR_DOMAIN_VMAR_OP:
        return 1;
    default:
        return 0;
    }
}

static int edit_argument(struct editor *e, const pgr_arg *arg, struct trace_value *value)
{
    switch (arg->kind) {
    case PGR_ARG_OFFSET:
    case PGR_ARG_SIZE:
    case PGR_ARG_ADDRESS:
        e->has_pages = 1;
        return edit_expression(e, value);
    case PGR_ARG_U32:
    case PGR_ARG_U64:
        return !chooses(arg) && edit_expression(e, value);
    case PGR_ARG_BYTES_IN:
        return edit_buffer(e, value);
    case PGR_ARG_PROPERTY_IN:
        return value->form == TRACE_EXPRESSION && edit_expression(e, value);
    case PGR_ARG_HANDLES:
        return drop_item(e, value, 0);
    case PGR_ARG_PACKET_IN:
    case TRACE_ARG_REGISTERS_IN:
        return drop_item(e, value, 0) || edit_items(e, value);
    default:
        return 0;
    }
}

/*
 * The `change`-th simplification of an argument. 0: it has not so many; -1: it has, and the trace does not fail with
 * it.
 */
static int try_change(struct shrinking *s, uint32_t place, unsigned argument, unsigned change)
{
    struct trace *candidate = shrink_copy(s->now);
    struct trace_line *line = candidate != NULL ? shrink_nth(candidate, place) : NULL;
    struct trace_value *value = line != NULL ? (struct trace_value *)trace_nth(line->args, argument) : NULL;
    struct editor editor = {.trace = candidate, .left = change};

    if (value == NULL || !edit_argument(&editor, &trace_call_row(line->call)->args[argument], value)) {
        trace_free(candidate);
        return 0;
    }
    return shrink_try(s, candidate) ? 1 : -1;
}

/* After a change that was taken the value has others. */
static int simplify_argument(struct shrinking *s, uint32_t place, unsigned argument)
{
    int has_changed = 0;
    unsigned change = 0;

    while (!s->ended) {
        int outcome = try_change(s, place, argument, change);
        if (outcome == 0)
            break;
        has_changed |= outcome > 0;
        change = outcome > 0 ? 0 : change + 1;
    }
    return has_changed;
}

static int simplify_line(struct shrinking *s, uint32_t place)
{
    int has_changed = 0;

    for (unsigned argument = 0; argument < PGR_ARGS_MAX; argument++) {
        const struct trace_line *line = shrink_nth(s->now, place);
        if (line == NULL || !shrink_begins_call(line))
            break;
        has_changed |= simplify_argument(s, place, argument);
    }
    return has_changed;
}

int shrink_values(struct shrinking *s)
{
    uint32_t count = shrink_count_all(s->now);
    int has_changed = 0;

    for (uint32_t place = count - (s->options->keeps_last_line && count > 0); place-- > 0 && !s->ended;)
        has_changed |= simplify_line(s, place);
    return has_changed;
}
