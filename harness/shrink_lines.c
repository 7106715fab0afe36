/*
 * The shrinker's phases that take lines out: runs of lines, pairs, whole threads.
 */
#include <stdlib.h>
#include <string.h>

#include "harness/shrink_internal.h"

#define PAIRS_LINES_MAX 32u

static int try_marked(struct shrinking *s, const uint8_t *drop)
{
    struct trace *candidate = shrink_copy(s->now);

    if (candidate == NULL)
        return 0;
    shrink_drop_lines(candidate, drop);
    return shrink_try(s, candidate);
}

/* ---- runs of lines ---- */

static int try_without(struct shrinking *s, uint32_t first, uint32_t count)
{
    uint8_t *drop = calloc(shrink_count_all(s->now) + 1, 1);
    int is_taken;

    if (drop == NULL)
        return 0;
    memset(drop + first, 1, count);
    is_taken = try_marked(s, drop);
    free(drop);
    return is_taken;
}

static uint32_t lower(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

/* From the end to the beginning, for later lines depend on earlier ones. */
static int drop_runs(struct shrinking *s, uint32_t length)
{
    int has_changed = 0;
    uint32_t end = shrink_count_all(s->now);

    while (end > 0 && !s->ended) {
        uint32_t first = end > length ? end - length : 0;
        has_changed |= try_without(s, first, end - first);
        end = lower(first, shrink_count_all(s->now));
    }
    return has_changed;
}

int shrink_lines(struct shrinking *s)
{
    int has_changed = 0;

    for (uint32_t length = (shrink_count_all(s->now) + 1) / 2; length > 1; length = (length + 1) / 2) {
        has_changed |= drop_runs(s, length);
        if (length == 2)
            break;
    }
    while (drop_runs(s, 1))
        has_changed = 1;
    return has_changed;
}

/* ---- pairs of lines that only together can go, in traces that are short by now ---- */

static int try_without_two(struct shrinking *s, uint32_t first, uint32_t second)
{
    uint8_t drop[PAIRS_LINES_MAX] = {0};

    drop[first] = 1;
    drop[second] = 1;
    return try_marked(s, drop);
}

int shrink_pairs(struct shrinking *s)
{
    uint32_t count = shrink_count_all(s->now);

    for (uint32_t second = count <= PAIRS_LINES_MAX ? count : 0; second-- > 1;)
        for (uint32_t first = second; first-- > 0;)
            if (s->ended || try_without_two(s, first, second))
                return !s->ended;
    return 0;
}

/* ---- threads ---- */

static int is_main(const struct trace_symbol *thread)
{
    return strcmp(thread->name, "main") == 0;
}

/* The threads of the trace but main, in the order of their first lines; to be freed. They live as long as the trace. */
static struct trace_symbol **list_threads(const struct trace *trace, uint32_t *count)
{
    struct trace_symbol **threads = calloc(trace_symbol_count(trace), sizeof(struct trace_symbol *));
    uint8_t *seen = calloc(trace_symbol_count(trace), 1);

    *count = 0;
    for (struct trace_line *line = trace_lines(trace); line != NULL && threads != NULL && seen != NULL;
         line = line->next) {
        if (line->form == TRACE_OPTION || line->thread == NULL || seen[line->thread->id] || is_main(line->thread))
            continue;
        seen[line->thread->id] = 1;
        threads[(*count)++] = line->thread;
    }
    free(seen);
    return threads;
}

/* All lines of the thread go. */
static int try_without_thread(struct shrinking *s, const struct trace_symbol *thread)
{
    uint8_t *drop = calloc(shrink_count_all(s->now) + 1, 1);
    uint32_t place = 0;
    int is_taken;

    if (drop == NULL)
        return 0;
    for (const struct trace_line *line = trace_lines(s->now); line != NULL; line = line->next)
        drop[place++] = line->thread == thread;
    is_taken = try_marked(s, drop);
    free(drop);
    return is_taken;
}

static void rename_thread(struct trace *trace, const struct trace_symbol *from, struct trace_symbol *to)
{
    for (struct trace_line *line = trace_lines(trace); line != NULL; line = line->next) {
        if (line->thread == from)
            line->thread = to;
        for (struct trace_value *value = line->args; value != NULL; value = value->next)
            if (value->form == TRACE_THREAD && value->symbol == from)
                value->symbol = to;
    }
}

/* All that one thread does is done by the other. */
static int try_as_thread(struct shrinking *s, const struct trace_symbol *from, const struct trace_symbol *to)
{
    struct trace *candidate = shrink_copy(s->now);

    if (candidate == NULL)
        return 0;
    rename_thread(candidate, trace_symbol(candidate, from->name, from->length),
                  trace_symbol(candidate, to->name, to->length));
    shrink_drop_loose(candidate);
    return shrink_try(s, candidate);
}

static int merge_thread(struct shrinking *s, struct trace_symbol **threads, uint32_t place)
{
    if (try_without_thread(s, threads[place]) ||
        try_as_thread(s, threads[place], trace_symbol(s->now, "main", strlen("main"))))
        return 1;
    for (uint32_t earlier = 0; earlier < place; earlier++)
        if (try_as_thread(s, threads[place], threads[earlier]))
            return 1;
    return 0;
}

/* One change at a time: the list is of a trace that is gone then. */
static int merge_threads(struct shrinking *s)
{
    uint32_t count;
    struct trace_symbol **threads = list_threads(s->now, &count);
    int has_changed = 0;

    for (uint32_t place = count; threads != NULL && !has_changed && place-- > 0;)
        has_changed = merge_thread(s, threads, place);
    free(threads);
    return has_changed;
}

/* The call at this place, and the lines that tell its end, become main's. */
static int try_call_by_main(struct shrinking *s, uint32_t place)
{
    struct trace *candidate = shrink_copy(s->now);
    struct trace_line *line = candidate != NULL ? shrink_nth(candidate, place) : NULL;
    struct trace_symbol *thread = line != NULL ? line->thread : NULL;

    if (line == NULL || !shrink_begins_call(line) || is_main(thread)) {
        trace_free(candidate);
        return 0;
    }
    line->thread = trace_symbol(candidate, "main", strlen("main"));
    for (line = line->next; line != NULL && !(line->thread == thread && shrink_begins_call(line)); line = line->next)
        if (line->thread == thread)
            line->thread = trace_symbol(candidate, "main", strlen("main"));
    shrink_drop_loose(candidate);
    return shrink_try(s, candidate);
}

int shrink_threads(struct shrinking *s)
{
    int has_changed = 0;

    while (!s->ended && merge_threads(s))
        has_changed = 1;
    for (uint32_t place = shrink_count_all(s->now); place-- > 0 && !s->ended;)
        has_changed |= try_call_by_main(s, place);
    return has_changed;
}
