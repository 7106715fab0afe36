/*
 * The runner's upper half: one line after another, what it must have done, and what to say if it did something else.
 * Recording is the same run, except that a line that is not as it says is changed instead of reported.
 */
#include "harness/runner.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "harness/constants.h"
#include "harness/implementation_core.h"
#include "harness/runner_internal.h"
#include "harness/trace_layouts.h"

/* Resumes behind one line, after which an implementation is taken to go in circles. */
#define RESUMES_MAX (1u << 24)

/* ---- messages ---- */

static void print_line(struct run *run, const char *before, const struct trace_line *line)
{
    fputs(before, run->options->out);
    trace_write_line(line, 0, run->options->out);
    putc('\n', run->options->out);
}

static void print_verbose(struct run *run, const struct trace_line *line)
{
    if (!run->options->verbose || run->options->out == NULL)
        return;
    trace_write_line(line, TRACE_WRITE_ALIGNED | TRACE_WRITE_COMMENT, run->options->out);
    putc('\n', run->options->out);
}

static void report(struct run *run, const struct trace_line *expected, const struct trace_line *actual,
                   const struct trace_line *also)
{
    const struct run_options *options = run->options;

    run->failed = 1;
    if (options->differs != NULL) {
        options->differs(options->differs_context, expected, actual, run->note);
        return;
    }
    if (options->out == NULL)
        return;
    fprintf(options->out, "%s:%u: not as expected\n", options->name, expected->number);
    print_line(run, "    expected: ", expected);
    if (actual != NULL)
        print_line(run, "    actual:   ", actual);
    if (also != NULL)
        print_line(run, "              ", also);
    if (run->note[0] != '\0')
        fprintf(options->out, "    note:     %s\n", run->note);
}

/* ---- what happened, as lines ---- */

static struct trace_comparison comparing(struct run *run, const pgr_result *result)
{
    int fill = run->options->record || run->options->verbose;

    return (struct trace_comparison){.trace = run->trace,
                                     .bindings = run->bindings,
                                     .fill = fill,
                                     .fill_buffers = fill,
                                     .binds = result->status == ZX_OK};
}

/* The line's own, or the instruction that faulted. */
static const char *exception_comment(struct run *run, const struct run_thread *thread, const struct trace_line *line)
{
    if (line->form == TRACE_EXCEPTION && line->comment != NULL)
        return line->comment;
    return thread->call.number == TRACE_CALL_X86_EXEC ? run_x86_comment(run, thread) : NULL;
}

/* The exception, with the address as the line has it if that is right. */
static struct trace_line exception_line(struct run *run, const struct run_thread *thread, const struct trace_line *line)
{
    int is_told = line->form == TRACE_EXCEPTION && line->args != NULL;
    const struct trace_value *told = is_told ? line->args->items : NULL;
    uint64_t address = thread->result.fault.address;
    struct trace_value *structure = trace_make_anything(run->trace);
    struct trace_value *item;
    uint64_t wanted;
    int matches = told != NULL && told->form == TRACE_EXPRESSION &&
                  trace_evaluate(run->trace, told, run->bindings, &wanted, NULL) == 0 && wanted == address;

    item = trace_make_number(run->trace, CONSTANT_ADDRESS, address);
    if (matches)
        *item = *told;
    item->field = &trace_layout_exception.fields[0];
    structure->form = TRACE_STRUCTURE;
    structure->items = is_told && told == NULL ? NULL : item;
    return (struct trace_line){.form = TRACE_EXCEPTION,
                               .thread = thread->symbol,
                               .call = thread->call.number,
                               .number = line->number,
                               .args = structure,
                               .status = trace_make_status(run->trace, thread->result.fault.code),
                               .comment = exception_comment(run, thread, line),
                               .comment_column = line->comment_column};
}

static int is_read(uint32_t call)
{
    return call == PGR_CALL_VMO_READ || call == PGR_CALL_MEM_READ;
}

/* What a read has produced: compared with what the line expects, or, to fill, made. */
static struct trace_value *output_of(struct run *run, const struct run_thread *thread, const struct trace_line *line,
                                     struct trace_comparison *comparison)
{
    struct trace_value *expected = line->form == TRACE_RESUMED ? line->output : NULL;
    int has_output = is_read(thread->call.number) && thread->result.status == ZX_OK;

    if (!has_output || (expected == NULL && !comparison->fill_buffers))
        return NULL;
    if (expected == NULL)
        expected = trace_make_anything(run->trace);
    return trace_compare_buffer(comparison, expected, thread->call.buffer, thread->call.buffer_bytes);
}

static struct trace_line resumed_line(struct run *run, const struct run_thread *thread, const struct trace_line *line,
                                      struct trace_comparison *comparison)
{
    struct trace_line actual = *line;

    actual.form = TRACE_RESUMED;
    actual.thread = thread->symbol;
    actual.call = thread->call.number;
    actual.args = NULL;
    actual.output = output_of(run, thread, line, comparison);
    actual.status = trace_make_status(run->trace, thread->result.status);
    return actual;
}

static struct trace_line waiting_line(const struct run_thread *thread, const struct trace_line *line)
{
    struct trace_line actual = *line;

    actual.form = TRACE_WAITING;
    actual.thread = thread->symbol;
    actual.call = thread->call.number;
    return actual;
}

/* The line as it would be right for this result. */
static struct trace_line call_line(struct run *run, const struct trace_line *line, const pgr_call *call,
                                   const pgr_result *result, struct trace_comparison *comparison)
{
    struct trace_outcome outcome = {call, result};
    struct trace_line actual = *line;

    switch (result->outcome) {
    case PGR_BLOCKED:
        actual.form = TRACE_UNFINISHED;
        actual.status = NULL;
        break;
    case PGR_FAULT:
        actual.form = TRACE_FAULTING;
        actual.status = NULL;
        break;
    default:
        actual.form = TRACE_CALL;
        actual.args = trace_compare_outputs(comparison, line, &outcome);
        actual.status = trace_make_status(run->trace, result->status);
    }
    return actual;
}

/* ---- calls that go on ---- */

/* Outputs of a call that has blocked stand in its first line, and are checked and bound when it completes. */
static void check_late_outputs(struct run *run, struct run_thread *thread)
{
    struct trace_comparison comparison = comparing(run, &thread->result);
    struct trace_line actual = *thread->line;
    struct trace_outcome outcome = {&thread->call, &thread->result};

    if (!trace_has_outputs(&outcome))
        return;
    comparison.fill_buffers = 0;
    actual.args = trace_compare_outputs(&comparison, thread->line, &outcome);
    if (run->options->record)
        record_replace(thread->line, &actual);
    if (run->options->record || !comparison.differs)
        return;
    snprintf(run->note, sizeof(run->note), "its outputs when it completed, in line %u%s%.180s", run->line->number,
             comparison.note[0] != '\0' ? ": " : "", comparison.note);
    report(run, thread->line, &actual, NULL);
}

static void settle(struct run *run, struct run_thread *thread, const pgr_result *result)
{
    if (result->outcome == PGR_BLOCKED)
        return;
    thread->result = *result;
    if (result->outcome == PGR_FAULT) {
        run_end_thread(run, thread);
        thread->state = RUN_FAULTED;
    } else {
        thread->state = RUN_RETURNED;
        check_late_outputs(run, thread);
    }
    if (thread->untold && run->options->record)
        record_insert_ending(run, thread);
    thread->untold = 0;
}

static void resume(struct run *run, uint32_t number)
{
    struct run_thread *thread = number < run->config.thread_count ? run->numbers[number] : NULL;
    struct implementation *implementation = run->implementation;
    pgr_result result = {.outcome = PGR_REFUSED};

    snprintf(run->note, sizeof(run->note), "the %s released thread %u and does not resume it", implementation->name,
             number);
    if (thread != NULL && thread->call.number == TRACE_CALL_X86_EXEC)
        run_x86_resume(run, thread, &result);
    else if (thread != NULL)
        implementation->resume(implementation->self, number, thread->call.buffer, thread->call.buffer_bytes, &result);
    if (result.outcome == PGR_REFUSED) {
        report(run, run->line, NULL, NULL);
        return;
    }
    run->note[0] = '\0';
    settle(run, thread, &result);
}

/* All that a line released runs now, in the order of its release. */
static void resume_released(struct run *run)
{
    for (uint32_t resumes = 0; !run->failed; resumes++) {
        uint32_t number = implementation_released(run->implementation);
        if (number == PGR_NO_THREAD)
            return;
        if (resumes == RESUMES_MAX) {
            snprintf(run->note, sizeof(run->note), "the threads that the line released never come to rest");
            report(run, run->line, NULL, NULL);
            return;
        }
        resume(run, number);
    }
}

/* ---- lines that make calls ---- */

static void check_invariants(struct run *run, const struct trace_line *line)
{
    char message[sizeof(run->note)] = "";
    const struct run_options *options = run->options;
    const void *frames = NULL;
    const pgr_world *world = implementation_core_world(run->implementation, &frames);

    if (world == NULL || options->check == NULL ||
        options->check(options->check_context, world, frames, message, sizeof(message)) == 0) {
        print_verbose(run, line);
        return;
    }
    snprintf(run->note, sizeof(run->note), "%s", message);
    report(run, line, NULL, NULL);
}

static void leave_faulted(struct run *run, struct run_thread *thread, struct trace_line *line, const pgr_call *call,
                          const pgr_result *result)
{
    run_end_thread(run, thread);
    thread->state = RUN_FAULTED;
    thread->line = line;
    thread->call = *call;
    thread->result = *result;
}

static void end_killed_thread(struct run *run, const struct trace_line *line)
{
    struct run_thread *killed = run->threads[line->args->symbol->id];

    if (killed != NULL && killed->state != RUN_ENDED)
        run_end_thread(run, killed);
}

static int matches(const struct trace_line *line, const struct trace_line *actual, const pgr_result *result,
                   const struct trace_comparison *comparison)
{
    if (line->form != actual->form)
        return 0;
    return actual->form != TRACE_CALL || (trace_status_matches(line->status, result->status) && !comparison->differs);
}

static void judge_call(struct run *run, struct run_thread *thread, struct trace_line *line,
                       const struct trace_line *actual, int is_right, const struct trace_comparison *comparison)
{
    struct trace_line exception;

    print_verbose(run, actual);
    if (run->options->record) {
        record_replace(line, actual);
        if (!is_right && line->result_column == 0)
            line->result_column = run->result_column;
        return;
    }
    if (is_right)
        return;
    if (comparison->differs)
        snprintf(run->note, sizeof(run->note), "%s", comparison->note);
    if (actual->form != TRACE_FAULTING) {
        report(run, line, actual, NULL);
        return;
    }
    exception = exception_line(run, thread, line);
    report(run, line, actual, &exception);
}

/* What follows for the thread, and for what recording has to tell. */
static void leave_call(struct run *run, struct run_thread *thread, struct trace_line *line, const pgr_call *call,
                       const pgr_result *result)
{
    int is_told = line->form != TRACE_CALL;

    if (result->outcome == PGR_BLOCKED) {
        run_leave_blocked(run, thread, line, call);
        thread->untold = !is_told;
    } else if (result->outcome == PGR_FAULT) {
        leave_faulted(run, thread, line, call, result);
        if (run->options->record && !is_told)
            record_insert_ending(run, thread);
    } else if (line->call == PGR_CALL_THREAD_KILL) {
        end_killed_thread(run, line);
    }
}

static void cannot_run(struct run *run, struct trace_line *line)
{
    if (run->options->record)
        record_comment_out(run, line, run->note);
    else
        report(run, line, NULL, NULL);
}

/* If it is refused, a note says why. */
static void dispatch(struct run *run, struct run_thread *thread, const pgr_call *call, pgr_result *result)
{
    struct implementation *implementation = run->implementation;
    const char *status;

    if (call->number == TRACE_CALL_X86_EXEC) {
        run_x86_begin(run, thread, result);
        return;
    }
    run_observe(run, call);
    implementation->call(implementation->self, call, result);
    if (result->outcome != PGR_REFUSED)
        return;
    status = constant_status_name(result->status);
    snprintf(run->note, sizeof(run->note), "the %s refuses to take the call: %s", implementation->name,
             status != NULL ? status : "an unknown status");
}

static void make_call(struct run *run, struct run_thread *thread, struct trace_line *line, const pgr_call *call)
{
    struct trace_comparison comparison;
    struct trace_line actual;
    pgr_result result;
    int is_right;

    dispatch(run, thread, call, &result);
    if (result.outcome == PGR_REFUSED) {
        cannot_run(run, line);
        return;
    }
    comparison = comparing(run, &result);
    actual = call_line(run, line, call, &result, &comparison);
    is_right = matches(line, &actual, &result, &comparison);
    leave_call(run, thread, line, call, &result);
    judge_call(run, thread, line, &actual, is_right, &comparison);
}

static void run_ending(struct run *run, struct trace_line *line);

static void run_call(struct run *run, struct trace_line *line)
{
    struct run_thread *thread = run_thread_of(run, line->thread);
    int prepared = 1;
    pgr_call call;

    if (thread == NULL) {
        snprintf(run->note, sizeof(run->note), "there are more threads than the world has");
        cannot_run(run, line);
        return;
    }
    if (run->options->record)
        prepared = record_prepare_call(run, thread, line);
    if (prepared == 0)
        run_ending(run, line);
    if (prepared != 1)
        return;
    if (line->call == TRACE_CALL_CHECK_INVARIANTS)
        check_invariants(run, line);
    else if (run_resolve(run, thread, line, &call) != 0)
        cannot_run(run, line);
    else
        make_call(run, thread, line, &call);
}

/* ---- lines that tell how a call goes on ---- */

static int exception_matches(struct run *run, const struct run_thread *thread, const struct trace_line *line)
{
    const struct trace_value *addr = line->args->items;
    uint64_t wanted;

    if (line->status != NULL && !trace_status_matches(line->status, thread->result.fault.code))
        return 0;
    if (addr == NULL || addr->form == TRACE_ANYTHING)
        return 1;
    return trace_evaluate(run->trace, addr, run->bindings, &wanted, NULL) == 0 &&
           wanted == thread->result.fault.address;
}

static int ending_matches(struct run *run, const struct run_thread *thread, const struct trace_line *line,
                          const struct trace_line *actual, const struct trace_comparison *comparison)
{
    if (line->form != actual->form)
        return 0;
    if (line->form == TRACE_RESUMED)
        return trace_status_matches(line->status, thread->result.status) && !comparison->differs;
    return line->form == TRACE_WAITING || exception_matches(run, thread, line);
}

static struct trace_line actual_ending(struct run *run, const struct run_thread *thread, const struct trace_line *line,
                                       struct trace_comparison *comparison)
{
    switch (thread->state) {
    case RUN_BLOCKED:
        return waiting_line(thread, line);
    case RUN_FAULTED:
        return exception_line(run, thread, line);
    default:
        return resumed_line(run, thread, line, comparison);
    }
}

/* The end of its call is told: the thread is free again, or gone. */
static void leave_ending(struct run_thread *thread, const struct trace_line *line)
{
    if (thread->state == RUN_BLOCKED) {
        thread->untold = line->form != TRACE_WAITING;
        return;
    }
    thread->state = thread->state == RUN_FAULTED ? RUN_ENDED : RUN_IDLE;
    free(thread->buffer);
    thread->buffer = NULL;
}

static void run_ending(struct run *run, struct trace_line *line)
{
    struct run_thread *thread = run->threads[line->thread->id];
    struct trace_comparison comparison;
    struct trace_line actual;
    int is_right;

    if (thread == NULL || thread->state == RUN_IDLE || thread->state == RUN_ENDED) {
        record_drop(line);
        return;
    }
    comparison = comparing(run, &thread->result);
    actual = actual_ending(run, thread, line, &comparison);
    print_verbose(run, &actual);
    if (run->options->record) {
        leave_ending(thread, line);
        record_replace(line, &actual);
        return;
    }
    is_right = ending_matches(run, thread, line, &actual, &comparison);
    leave_ending(thread, line);
    if (is_right)
        return;
    if (comparison.differs)
        snprintf(run->note, sizeof(run->note), "%s", comparison.note);
    report(run, line, &actual, NULL);
}

/* ---- the trace ---- */

static void run_line(struct run *run, struct trace_line *line)
{
    run->line = line;
    run->insert_behind = line;
    if (line->result_column != 0)
        run->result_column = line->result_column;
    if (run->options->progress != NULL)
        *run->options->progress = line->number;
    switch (line->form) {
    case TRACE_BLANK:
    case TRACE_OPTION:
        print_verbose(run, line);
        return;
    case TRACE_CALL:
    case TRACE_UNFINISHED:
    case TRACE_FAULTING:
        run_call(run, line);
        break;
    default:
        run_ending(run, line);
    }
    if (!run->failed)
        resume_released(run);
}

const struct trace_symbol *run_thread_name(const struct run_moment *moment, uint32_t number)
{
    const struct run *run = moment->run;
    const struct run_thread *thread = number < run->config.thread_count ? run->numbers[number] : NULL;

    return thread != NULL ? thread->symbol : NULL;
}

static void tell_moment(struct run *run, const struct trace_line *line)
{
    const struct run_options *options = run->options;
    struct run_moment moment = {.line = line, .bindings = run->bindings, .run = run};

    if (options->after_line == NULL)
        return;
    moment.world = implementation_core_world(run->implementation, &moment.frames);
    options->after_line(options->after_line_context, &moment);
}

static void run_lines(struct run *run)
{
    const struct run_options *options = run->options;

    for (struct trace_line *line = trace_lines(run->trace); line != NULL && !run->failed; line = line->next) {
        struct trace_mark mark = trace_mark(run->trace);
        run_line(run, line);
        tell_moment(run, line);
        if (!options->record)
            trace_release(run->trace, mark);
    }
    run_observe(run, NULL);
}

static enum run_verdict run_in_world(struct run *run)
{
    const struct run_options *options = run->options;

    if (run_make_world(run) != 0) {
        if (options->out != NULL)
            fprintf(options->out, "%s: %s\n", options->name, run->note);
        return RUN_ERROR;
    }
    run_lines(run);
    return run->failed ? RUN_FAILED : RUN_PASSED;
}

enum run_verdict run_trace(struct trace *trace, const struct run_options *options)
{
    struct run run = {.trace = trace, .options = options};
    enum run_verdict verdict = run_in_world(&run);

    run_free_world(&run);
    return verdict;
}
