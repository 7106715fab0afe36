/*
 * What the child of the judge of failures does: running a trace under the checkers, and recording a candidate so that
 * the failure that is held, and nothing else, can show in it.
 */
#include <stdlib.h>
#include <string.h>

#include "harness/diff_trace.h"
#include "harness/failure_internal.h"
#include "harness/shrink.h"

/* What the runner tells of the first line that is not as expected. */
struct watch {
    struct failure *failure;
    volatile uint32_t *progress;
};

static void on_difference(void *context, const struct trace_line *expected, const struct trace_line *actual,
                          const char *note)
{
    struct watch *watch = context;
    struct failure *failure = watch->failure;

    *failure = (struct failure){.kind = FAILURE_DIFFERENCE,
                                .line = *watch->progress,
                                .call = expected->call,
                                .is_late = expected->number != *watch->progress};
    failure_describe_difference(expected, actual, note, failure);
}

static int cannot_run(struct failure *failure, const char *why)
{
    *failure = (struct failure){0};
    snprintf(failure->message, sizeof(failure->message), "%s", why);
    return -1;
}

/* ---- one run ---- */

struct setting {
    struct implementation *implementation;
    volatile uint32_t *progress;
    int record;
};

/*
 * Runs the trace. 0, and where it does not record, what differs first; or -1: it cannot be run. Lines with
 * check_invariants() have nothing to do: the checked core walks by itself.
 */
static int run(const struct failure_run *task, struct trace *trace, const struct setting *setting,
               struct failure *failure)
{
    struct watch watch = {failure, setting->progress};
    struct run_options options = {.name = "trace",
                                  .record = setting->record,
                                  .implementation = setting->implementation,
                                  .world = task->world,
                                  .differs = setting->record ? NULL : on_difference,
                                  .differs_context = &watch,
                                  .progress = setting->progress};

    if (run_trace(trace, &options) == RUN_ERROR)
        return cannot_run(failure, "there is no such world, or no memory for it");
    return 0;
}

/* The core, made at the first question, with these checks. Null without memory. */
static struct implementation *core_with(struct failure_run *task, struct checked_options options)
{
    options.dispatch = task->dispatch;
    if (task->core == NULL)
        task->core = checked_new(&options);
    else
        checked_set(task->core, &options);
    return task->core;
}

static struct implementation *plain_core(struct failure_run *task)
{
    return core_with(task, (struct checked_options){.without_checks = 1});
}

static struct implementation *oracle(struct failure_run *task)
{
    if (task->oracle == NULL)
        task->oracle = implementation_oracle();
    return task->oracle;
}

/* ---- lines by number ---- */

static struct trace_line *numbered(const struct trace *trace, uint32_t number)
{
    struct trace_line *line = trace_lines(trace);

    while (line != NULL && line->number != number)
        line = line->next;
    return line;
}

static uint32_t last_number(const struct trace *trace)
{
    uint32_t number = 0;

    for (const struct trace_line *line = trace_lines(trace); line != NULL; line = line->next)
        if (line->form != TRACE_BLANK && line->number != 0)
            number = line->number;
    return number;
}

/* `with_inserted`: and behind the lines that a recording has put there. */
static void cut_behind(struct trace *trace, uint32_t number, int with_inserted)
{
    struct trace_line *line = numbered(trace, number);

    while (with_inserted && line != NULL && line->next != NULL && line->next->number == 0)
        line = line->next;
    if (line != NULL)
        line->next = NULL;
}

/* ---- invariants ---- */

static void describe_violation(const struct trace *trace, const struct implementation *core, struct failure *failure)
{
    uint32_t number = checked_progress(core);
    const struct trace_line *line = numbered(trace, number);

    *failure = (struct failure){.kind = FAILURE_INVARIANT, .line = number, .call = line != NULL ? line->call : 0};
    failure->is_at_end = (uint32_t)checked_is_at_end(core);
    snprintf(failure->same, sizeof(failure->same), "%s", checked_violated(core)->number);
    snprintf(failure->message, sizeof(failure->message), "%s", checked_message(core));
}

static int keep_violation(struct failure_run *task, struct trace *trace, FILE *recorded, volatile uint32_t *progress,
                          struct failure *failure)
{
    int compares = strcmp(task->held.same, "E1") == 0;
    struct implementation *core =
        core_with(task, (struct checked_options){.hash_every = compares, .progress = progress});
    struct setting setting = {core, progress, 1};

    if (core == NULL || run(task, trace, &setting, failure) != 0)
        return -1;
    if (task->held.is_at_end)
        checked_finish(core);
    else
        checked_walk(core);
    if (checked_violated(core) == NULL || (uint32_t)checked_is_at_end(core) != task->held.is_at_end)
        return 0;
    describe_violation(trace, core, failure);
    cut_behind(trace, failure->line, 1);
    trace_write(trace, recorded);
    return 0;
}

/* ---- lines that are not as expected ---- */

/*
 * The line that keeps what it expects: the last one, or, if the outputs of an earlier call came with it, that call's.
 */
static uint32_t number_of_kept(const struct failure_run *task, const struct trace *trace)
{
    uint32_t number = 0;

    if (!task->held.is_late)
        return last_number(trace);
    for (const struct trace_line *line = trace_lines(trace); line != NULL; line = line->next)
        if (line->form == TRACE_UNFINISHED && line->call == task->held.call)
            number = line->number;
    return number;
}

static void put_back(struct trace *recorded, const struct trace *original, uint32_t number)
{
    struct trace_line *line = numbered(recorded, number);
    const struct trace_line *kept = numbered(original, number);
    struct trace_line *next;

    if (line == NULL || kept == NULL)
        return;
    next = line->next;
    *line = *kept;
    line->next = next;
}

/*
 * The trace with the results that this implementation gives, but for the one expectation that is kept. Null if it
 * cannot be run or read.
 */
static struct trace *record_but_kept(struct failure_run *task, const struct trace *trace,
                                     struct implementation *implementation, volatile uint32_t *progress)
{
    struct setting setting = {implementation, progress, 1};
    struct trace *recorded = implementation != NULL ? shrink_copy(trace) : NULL;
    struct trace *made = NULL;
    struct failure ignored;

    if (recorded != NULL && run(task, recorded, &setting, &ignored) == 0) {
        put_back(recorded, trace, number_of_kept(task, trace));
        cut_behind(recorded, last_number(trace), 0);
        made = shrink_copy(recorded);
    }
    trace_free(recorded);
    return made;
}

/* Whether the oracle comes to what the kept line expects, after the same calls. */
static int oracle_agrees(struct failure_run *task, const struct trace *trace, volatile uint32_t *progress)
{
    struct setting setting = {oracle(task), progress, 0};
    struct trace *made = record_but_kept(task, trace, setting.implementation, progress);
    struct failure failure = {0};
    int agrees = made != NULL && run(task, made, &setting, &failure) == 0 && failure.kind == FAILURE_NONE;

    trace_free(made);
    return agrees;
}

/* A recorded trace is run as any trace is: the kept line, and no other, must be what fails. */
static int fails_at_end(struct failure_run *task, const struct trace *made, volatile uint32_t *progress,
                        struct failure *failure)
{
    struct setting setting = {plain_core(task), progress, 0};
    struct trace *trace = shrink_copy(made);
    int fails = trace != NULL && setting.implementation != NULL && run(task, trace, &setting, failure) == 0 &&
                failure->kind == FAILURE_DIFFERENCE && failure->line == last_number(trace);

    trace_free(trace);
    return fails;
}

static int keep_difference(struct failure_run *task, struct trace *trace, FILE *recorded, volatile uint32_t *progress,
                           struct failure *failure)
{
    struct trace *made = record_but_kept(task, trace, plain_core(task), progress);

    if (made != NULL && fails_at_end(task, made, progress, failure) &&
        (!task->held.oracle_agrees || oracle_agrees(task, trace, progress)))
        trace_write(made, recorded);
    else
        *failure = (struct failure){0};
    trace_free(made);
    return 0;
}

/* ---- core and oracle ---- */

/*
 * What both come to, line by line, and what they hold inside. The trace as the core runs it is printed up to the
 * difference.
 */
static int compare(struct failure_run *task, const struct trace *trace, FILE *recorded, struct failure *failure)
{
    struct diff_options options = {.strict = 1, .look_every = 1};
    struct implementation *core = plain_core(task);
    struct diff_report report = {0};
    enum diff_verdict verdict = DIFF_IMPOSSIBLE;

    if (core != NULL && oracle(task) != NULL)
        verdict = diff_trace(trace, core, task->oracle, &options, task->world, &report);
    if (verdict == DIFF_IMPOSSIBLE)
        return cannot_run(failure, report.difference.text[0] != '\0' ? report.difference.text : "there is no oracle");
    if (verdict == DIFF_DIFFERS) {
        *failure = (struct failure){.kind = FAILURE_DISAGREEMENT,
                                    .line = report.line != 0 ? report.line : last_number(trace),
                                    .call = report.difference.call.number};
        snprintf(failure->same, sizeof(failure->same), "%s", report.difference.same);
        snprintf(failure->message, sizeof(failure->message), "%s", report.difference.text);
        if (report.recorded != NULL)
            fputs(report.recorded, recorded);
    }
    free(report.recorded);
    return 0;
}

/* ---- tasks ---- */

static int is_violated(const struct implementation *core)
{
    return checked_violated(core) != NULL;
}

/* What the oracle says of a line that is not as expected, after the lines before it. */
static void ask_oracle(struct failure_run *task, const struct trace *trace, volatile uint32_t *progress,
                       struct failure *failure)
{
    struct trace *cut = shrink_copy(trace);

    task->held = *failure;
    if (cut != NULL) {
        cut_behind(cut, failure->line, 0);
        failure->oracle_agrees = (uint32_t)oracle_agrees(task, cut, progress);
        failure->is_loose = failure->oracle_agrees || task->is_loose;
    }
    trace_free(cut);
}

/* Runs the trace under all checkers, to the end of its world. 0, or -1: it cannot be run. */
static int check(struct failure_run *task, struct trace *trace, int walk_always, volatile uint32_t *progress,
                 struct failure *failure)
{
    struct implementation *core =
        core_with(task, (struct checked_options){.hash_every = 1, .walk_always = walk_always, .progress = progress});
    struct setting setting = {core, progress, task->calls_alone};

    *failure = (struct failure){0};
    if (core == NULL || run(task, trace, &setting, failure) != 0)
        return -1;
    if (!is_violated(core) && failure->kind == FAILURE_NONE) {
        *progress = last_number(trace);
        checked_finish(core);
    }
    if (is_violated(core))
        describe_violation(trace, core, failure);
    return 0;
}

/* What a walk behind the last line finds may have been wrong for long: then a walk behind each line finds the first. */
static int find(struct failure_run *task, struct trace *trace, volatile uint32_t *progress, struct failure *failure)
{
    struct trace *again = shrink_copy(trace);
    int status = again != NULL ? check(task, trace, 0, progress, failure) : -1;

    if (status == 0 && failure->kind == FAILURE_INVARIANT && !failure->is_at_end)
        status = check(task, again, 1, progress, failure);
    else if (status == 0 && failure->kind == FAILURE_DIFFERENCE)
        ask_oracle(task, trace, progress, failure);
    trace_free(again);
    return status;
}

static int record(struct failure_run *task, struct trace *trace, FILE *recorded, volatile uint32_t *progress,
                  struct failure *failure)
{
    struct setting setting = {plain_core(task), progress, 1};

    if (setting.implementation == NULL || run(task, trace, &setting, failure) != 0)
        return -1;
    trace_write(trace, recorded);
    return 0;
}

static int keep(struct failure_run *task, struct trace *trace, FILE *recorded, volatile uint32_t *progress,
                struct failure *failure)
{
    switch (task->held.kind) {
    case FAILURE_DIFFERENCE:
        return keep_difference(task, trace, recorded, progress, failure);
    case FAILURE_INVARIANT:
        return keep_violation(task, trace, recorded, progress, failure);
    default:
        return record(task, trace, recorded, progress, failure);
    }
}

int failure_answer(struct failure_run *task, const char *text, size_t bytes, FILE *recorded,
                   volatile uint32_t *progress, struct failure *failure)
{
    struct trace_error error;
    struct trace *trace = trace_read(text, bytes, &error);
    int status;

    if (trace == NULL)
        return cannot_run(failure, error.message);
    switch (task->task) {
    case FAILURE_FIND:
        status = find(task, trace, progress, failure);
        break;
    case FAILURE_KEEP:
        status = keep(task, trace, recorded, progress, failure);
        break;
    case FAILURE_COMPARE:
        status = compare(task, trace, recorded, failure);
        break;
    default:
        status = record(task, trace, recorded, progress, failure);
    }
    trace_free(trace);
    return status;
}
