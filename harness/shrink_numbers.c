/*
 * The shrinker's phase that changes numbers everywhere at once: sizes and offsets belong together, and none of them can
 * be made smaller alone.
 */
#include <stdlib.h>

#include "harness/shrink_internal.h"

/* A number of pages in an argument. */
struct number {
    uint64_t *pages;
    int is_offset; /* into an object or the address space, rather than a size */
};

/* What becomes of each number in the trace; `chosen` is one that stands there. Returns whether it changes. */
typedef int number_change(const struct number *number, uint64_t chosen);

/*
 * The page before the chosen offset is taken out of the world: what is behind it moves up, what goes over it gets
 * shorter.
 */
static int take_page_out(const struct number *number, uint64_t chosen)
{
    uint64_t least = chosen + !number->is_offset;

    if (*number->pages < least)
        return 0;
    --*number->pages;
    return 1;
}

static int lower_from(const struct number *number, uint64_t chosen)
{
    if (*number->pages < chosen)
        return 0;
    --*number->pages;
    return 1;
}

static int halve(const struct number *number, uint64_t chosen)
{
    if (*number->pages != chosen)
        return 0;
    *number->pages /= 2;
    return 1;
}

static int make_one(const struct number *number, uint64_t chosen)
{
    if (*number->pages != chosen)
        return 0;
    *number->pages = 1;
    return 1;
}

/* ---- over all arguments ---- */

/* Is called with each number of pages that is given to a call. */
struct visit {
    void (*visit)(struct visit *visit, const struct number *number);
    number_change *change;
    uint64_t chosen;
    unsigned count; /* changed, or listed */
    uint64_t *list;
    unsigned room;
};

static int is_offset(const pgr_arg *arg)
{
    return arg->kind == PGR_ARG_OFFSET || arg->kind == PGR_ARG_ADDRESS;
}

static void visit_value(struct visit *visit, const pgr_arg *arg, struct trace_value *value)
{
    if (value->form != TRACE_EXPRESSION)
        return;
    for (struct trace_term *term = value->terms; term != NULL; term = term->next)
        if (term->kind == TRACE_PAGES && !term->is_negative) {
            visit->visit(visit, &(struct number){&term->number, is_offset(arg)});
            term->kind = term->number > 0 ? TRACE_PAGES : TRACE_NUMBER;
        }
}

static void visit_trace(struct visit *visit, const struct trace *trace, int spares_last_line)
{
    for (struct trace_line *line = trace_lines(trace); line != NULL; line = line->next) {
        unsigned place = 0;
        if (!shrink_begins_call(line) || (spares_last_line && line->next == NULL))
            continue;
        for (struct trace_value *value = line->args; value != NULL; value = value->next, place++)
            if (shrink_is_input(line, place))
                visit_value(visit, &trace_call_row(line->call)->args[place], value);
    }
}

static void change_number(struct visit *visit, const struct number *number)
{
    visit->count += visit->change(number, visit->chosen) != 0;
}

static void list_number(struct visit *visit, const struct number *number)
{
    for (unsigned i = 0; i < visit->count; i++)
        if (visit->list[i] == *number->pages)
            return;
    if (visit->count < visit->room && *number->pages > 0)
        visit->list[visit->count++] = *number->pages;
}

/* ---- the phase ---- */

#define NUMBERS_MAX 64u

static int try_change(struct shrinking *s, number_change *change, uint64_t chosen)
{
    struct trace *candidate = shrink_copy(s->now);
    struct visit visit = {.visit = change_number, .change = change, .chosen = chosen};

    if (candidate == NULL)
        return 0;
    visit_trace(&visit, candidate, s->options->keeps_last_line);
    return shrink_try(s, candidate);
}

static int lower_number(struct shrinking *s, uint64_t chosen)
{
    return try_change(s, make_one, chosen) || try_change(s, halve, chosen) || try_change(s, take_page_out, chosen) ||
           try_change(s, lower_from, chosen);
}

static int lower_one_number(struct shrinking *s)
{
    uint64_t list[NUMBERS_MAX];
    struct visit visit = {.visit = list_number, .list = list, .room = NUMBERS_MAX};

    visit_trace(&visit, s->now, s->options->keeps_last_line);
    for (unsigned i = 0; i < visit.count && !s->ended; i++)
        if (lower_number(s, list[i]))
            return 1;
    return 0;
}

int shrink_numbers(struct shrinking *s)
{
    int has_changed = 0;

    while (!s->ended && lower_one_number(s))
        has_changed = 1;
    return has_changed;
}
