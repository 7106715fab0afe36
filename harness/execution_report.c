/*
 * What is said of a finding: the sentence, and the trace up to the call that did it.
 *
 * Nothing is logged while an input runs. The trace is made by running the input once more, in the other lane, with a
 * recorder and without checkers, as far as it got: the core does the same again.
 */
#include "harness/check.h"
#include "harness/executor_internal.h"
#include "harness/finding.h"
#include "harness/recorder.h"

struct recorder *lane_recorder(struct lane *lane, FILE *out)
{
    pgr_start start;
    pgr_start_handles(lane->current, &start);
    struct recorder *recorder = recorder_new(&lane->program.header.config, &start, out);
    if (recorder)
        recorder_watch(recorder, lane->current);
    return recorder;
}

/* The world may have been left halfway by what went wrong, so the other lane's is made anew. */
static void forget_world(struct lane *lane, const uint8_t *data, size_t bytes)
{
    struct program_header header;
    program_read_header(&header, data, bytes);
    lane->worlds[header.world].world = NULL;
}

static void print_trace(void *context, FILE *out)
{
    struct executor *x = context;
    struct lane *lane = &x->lanes[1];
    forget_world(lane, x->data, x->bytes);
    if (lane_prepare(lane, x->data, x->bytes))
        return;
    struct run again = {.lane = lane,
                        .stop_at = x->run->dispatches,
                        .ends_inside = x->run->inside,
                        .recorder = lane_recorder(lane, out)};
    if (!again.recorder)
        return;
    run_program(&again);
    recorder_free(again.recorder);
}

void report_violation(struct executor *x, FILE *out)
{
    if (check_violated(x->check))
        check_print(x->check, x->lanes[0].current, out);
    finding_report(x->message, print_trace, x, out);
}

static int is_running(void *context)
{
    const struct executor *x = context;
    return x->run != NULL;
}

void execution_catch_crashes(void)
{
    struct executor *x = executor_get();
    if (x)
        finding_catch_deaths(is_running, print_trace, x);
}
