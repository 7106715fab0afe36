/*
 * Shrinking: one candidate after another, the smaller ones that still fail are kept, until nothing more is found.
 */
#include "harness/shrink.h"

#include <stdlib.h>
#include <string.h>

#include "harness/shrink_internal.h"

#define REJECTED_MAX (1u << 22)

/* ---- candidates that did not fail are not judged again ---- */

/* FNV-1a, never 0. */
static uint64_t hash_of(const char *text, size_t bytes)
{
    uint64_t hash = UINT64_C(14695981039346656037);

    for (size_t i = 0; i < bytes; i++)
        hash = (hash ^ (unsigned char)text[i]) * UINT64_C(1099511628211);
    return hash != 0 ? hash : 1;
}

static uint64_t *place_of(uint64_t *table, uint32_t room, uint64_t hash)
{
    uint32_t at = (uint32_t)hash & (room - 1);

    while (table[at] != 0 && table[at] != hash)
        at = (at + 1) & (room - 1);
    return &table[at];
}

static int was_rejected(const struct shrinking *s, uint64_t hash)
{
    return s->rejected_room > 0 && *place_of(s->rejected, s->rejected_room, hash) == hash;
}

static int grow_rejected(struct shrinking *s)
{
    uint32_t room = s->rejected_room > 0 ? 2 * s->rejected_room : 1024;
    uint64_t *table = room <= REJECTED_MAX ? calloc(room, sizeof(*table)) : NULL;

    if (table == NULL)
        return 0;
    for (uint32_t i = 0; i < s->rejected_room; i++)
        if (s->rejected[i] != 0)
            *place_of(table, room, s->rejected[i]) = s->rejected[i];
    free(s->rejected);
    s->rejected = table;
    s->rejected_room = room;
    return 1;
}

static void remember_rejected(struct shrinking *s, uint64_t hash)
{
    if (s->rejected_count * 2 >= s->rejected_room && !grow_rejected(s))
        return;
    *place_of(s->rejected, s->rejected_room, hash) = hash;
    s->rejected_count++;
}

/* ---- one candidate ---- */

struct text {
    char *bytes;
    size_t count;
};

static struct text print(const struct trace *trace)
{
    struct text text = {0};
    FILE *out = open_memstream(&text.bytes, &text.count);

    if (out == NULL)
        return text;
    trace_write(trace, out);
    fclose(out);
    return text;
}

/* What the judge has recorded, or the candidate itself if it has recorded nothing. Null: it cannot be read. */
static struct trace *read_recorded(const struct trace *candidate, const struct text *recorded)
{
    struct trace_error error;
    struct trace *trace;

    if (recorded->count == 0)
        return shrink_copy(candidate);
    trace = trace_read(recorded->bytes, recorded->count, &error);
    if (trace == NULL)
        return NULL;
    shrink_drop_comments(trace);
    return trace;
}

/* The candidate as it really goes; null if it does not fail. */
static struct trace *judge(struct shrinking *s, const struct trace *candidate)
{
    struct text recorded = {0};
    struct trace *taken = NULL;
    FILE *out = open_memstream(&recorded.bytes, &recorded.count);
    int answer = out != NULL ? s->options->still_fails(s->options->context, candidate, out) : -1;

    if (out != NULL)
        fclose(out);
    if (answer > 0)
        taken = read_recorded(candidate, &recorded);
    s->ended |= answer < 0;
    s->progress.tries++;
    if (s->options->tries_max != 0 && s->progress.tries >= s->options->tries_max)
        s->ended = 1;
    free(recorded.bytes);
    return taken;
}

static void take(struct shrinking *s, struct trace *trace)
{
    trace_free(s->now);
    s->now = trace;
    s->size = shrink_size_of(trace);
    s->progress.lines = shrink_count_lines(trace);
    s->progress.successes++;
}

static int take_if_smaller(struct shrinking *s, struct trace *trace)
{
    struct shrink_size size;

    if (trace == NULL)
        return 0;
    size = shrink_size_of(trace);
    if (size.calls == 0 || !shrink_is_smaller(&size, &s->size)) {
        trace_free(trace);
        return 0;
    }
    take(s, trace);
    return 1;
}

/*
 * Reading the candidate's print gives what the judge gets: lines are numbered, and what cannot be read is no
 * candidate.
 */
static int try_text(struct shrinking *s, const struct text *text)
{
    uint64_t hash = hash_of(text->bytes, text->count);
    struct trace_error error;
    struct trace *candidate;
    int is_taken;

    if (was_rejected(s, hash))
        return 0;
    candidate = trace_read(text->bytes, text->count, &error);
    is_taken = candidate != NULL && take_if_smaller(s, judge(s, candidate));
    if (!is_taken)
        remember_rejected(s, hash);
    if (candidate != NULL && s->options->progress != NULL)
        s->options->progress(s->options->progress_context, &s->progress);
    trace_free(candidate);
    return is_taken;
}

int shrink_try(struct shrinking *s, struct trace *candidate)
{
    struct shrink_size size = shrink_size_of(candidate);
    struct text text = {0};
    int is_taken = 0;

    if (!s->ended && size.calls > 0 && shrink_is_smaller(&size, &s->size))
        text = print(candidate);
    if (text.bytes != NULL)
        is_taken = try_text(s, &text);
    free(text.bytes);
    trace_free(candidate);
    return is_taken;
}

/* ---- to the end ---- */

static int run_phase(struct shrinking *s, const char *name, int (*phase)(struct shrinking *s))
{
    if (s->ended)
        return 0;
    s->progress.phase = name;
    return phase(s);
}

/* Lines first: they cost most to read, and what is done to fewer of them later is done sooner. */
static void run_phases(struct shrinking *s)
{
    int has_changed = 1;

    while (has_changed && !s->ended) {
        s->progress.round++;
        has_changed = run_phase(s, "lines", shrink_lines);
        has_changed |= run_phase(s, "threads", shrink_threads);
        has_changed |= run_phase(s, "names", shrink_names);
        has_changed |= run_phase(s, "values", shrink_values);
        has_changed |= run_phase(s, "numbers", shrink_numbers);
        if (!has_changed)
            has_changed = run_phase(s, "pairs of lines", shrink_pairs);
    }
}

/* The trace itself, judged: it has to fail, else there is nothing to keep. */
static int begin(struct shrinking *s, const struct trace *trace)
{
    struct trace *candidate = shrink_copy(trace);
    struct trace *taken;

    if (candidate == NULL)
        return 0;
    s->progress.first_lines = shrink_count_lines(candidate);
    s->progress.phase = "the trace itself";
    taken = s->progress.first_lines > 0 ? judge(s, candidate) : NULL;
    trace_free(candidate);
    if (taken == NULL)
        return 0;
    shrink_drop_comments(taken);
    take(s, taken);
    return s->size.calls > 0;
}

struct trace *shrink_trace(const struct trace *trace, const struct shrink_options *options,
                           struct shrink_progress *last)
{
    struct shrinking s = {.options = options};

    if (begin(&s, trace)) {
        run_phases(&s);
    } else {
        trace_free(s.now);
        s.now = NULL;
    }
    if (last != NULL)
        *last = s.progress;
    free(s.rejected);
    return s.now;
}
