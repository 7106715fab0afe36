/* A trace on two implementations. See diff_trace.h. */
#include "harness/diff_trace.h"

#include <stdlib.h>
#include <string.h>

#include "harness/runner.h"

/* A copy that can be recorded into: what really comes back takes the place of what its lines expect. */
static struct trace *copy_trace(const struct trace *trace)
{
    char *text = NULL;
    size_t bytes = 0;
    FILE *out = open_memstream(&text, &bytes);
    struct trace_error error;
    struct trace *copy;

    if (out == NULL)
        return NULL;
    trace_write(trace, out);
    fclose(out);
    copy = trace_read(text, bytes, &error);
    free(text);
    return copy;
}

static uint32_t count_calls(const struct trace *trace)
{
    uint32_t count = 0;

    for (const struct trace_line *line = trace_lines(trace); line != NULL; line = line->next)
        count += line->form == TRACE_CALL || line->form == TRACE_UNFINISHED || line->form == TRACE_FAULTING;
    return count;
}

/* Stops counting lines at the first difference. */
struct watch {
    struct implementation *pair;
    struct diff_report *report;
    int is_over;
};

static void after_line(void *context, const struct run_moment *moment)
{
    struct watch *watch = context;
    const struct difference *found = diff_pair_found(watch->pair);

    if (found == NULL || watch->is_over)
        return;
    watch->is_over = 1;
    watch->report->line = moment->line->number;
}

static char *print_up_to(const struct trace *trace, uint32_t last_line)
{
    char *text = NULL;
    size_t bytes = 0;
    FILE *out = open_memstream(&text, &bytes);
    int is_behind = 0;

    if (out == NULL)
        return NULL;
    for (const struct trace_line *line = trace_lines(trace); line != NULL; line = line->next) {
        is_behind |= last_line != 0 && line->number > last_line;
        if (is_behind)
            break;
        trace_write_line(line, TRACE_WRITE_ALIGNED | TRACE_WRITE_COMMENT, out);
        putc('\n', out);
    }
    fclose(out);
    return text;
}

static enum diff_verdict run_once(const struct trace *trace, struct implementation *pair, const pgr_config *world,
                                  struct diff_report *report)
{
    struct trace *copy = copy_trace(trace);
    struct watch watch = {.pair = pair, .report = report};
    struct run_options options = {.name = "trace",
                                  .record = 1,
                                  .implementation = pair,
                                  .world = world,
                                  .after_line = after_line,
                                  .after_line_context = &watch};
    uint32_t calls = count_calls(trace);

    free(report->recorded);
    *report = (struct diff_report){0};
    if (copy == NULL || run_trace(copy, &options) == RUN_ERROR) {
        trace_free(copy);
        snprintf(report->difference.text, sizeof(report->difference.text), "there is no such world, or no memory");
        return DIFF_IMPOSSIBLE;
    }
    diff_pair_look(pair);
    report->recorded = print_up_to(copy, report->line);
    report->skipped = calls - count_calls(copy);
    trace_free(copy);
    if (diff_pair_found(pair) == NULL)
        return DIFF_SAME;
    report->difference = *diff_pair_found(pair);
    return DIFF_DIFFERS;
}

enum diff_verdict diff_trace_on(const struct trace *trace, struct implementation *pair, const pgr_config *world,
                                struct diff_report *report)
{
    enum diff_verdict verdict;

    *report = (struct diff_report){0};
    do
        verdict = run_once(trace, pair, world, report);
    while (verdict == DIFF_DIFFERS && diff_pair_other_setting(pair));
    if (verdict == DIFF_SAME)
        diff_pair_keep_setting(pair);
    return verdict;
}

enum diff_verdict diff_trace(const struct trace *trace, struct implementation *first, struct implementation *second,
                             const struct diff_options *options, const pgr_config *world, struct diff_report *report)
{
    struct implementation *pair = diff_pair_new(first, second, options);
    enum diff_verdict verdict = DIFF_IMPOSSIBLE;

    *report = (struct diff_report){0};
    if (pair != NULL)
        verdict = diff_trace_on(trace, pair, world, report);
    implementation_end(pair);
    return verdict;
}
