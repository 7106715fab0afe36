/*
 * `pagerite record`: the same trace with what the core returns.
 */
#include "harness/check.h"
#include "harness/tool/one_trace.h"

static const struct argp_option options[] = {
    {.name = "output", .key = 'o', .arg = "FILE", .doc = "Write the trace to FILE, not to standard output"},
    {0},
};

static error_t parse(int key, char *argument, struct argp_state *state)
{
    return tool_parse_one_trace(key, argument, state, state->input);
}

static int record(struct trace *trace, void *context)
{
    const struct tool_one_trace *one = context;
    struct check_context *checker = NULL;
    struct run_options options_of_run = {
        .name = tool_file_name(one->trace), .out = stderr, .record = 1, .check = tool_check, .check_context = &checker};
    enum run_verdict verdict = tool_run_trace(trace, &options_of_run);

    check_free(checker);
    if (verdict != RUN_PASSED)
        return verdict == RUN_ERROR ? TOOL_USAGE : TOOL_FOUND;
    if (tool_open_output(one->output) != 0)
        return TOOL_USAGE;
    trace_write(trace, stdout);
    return tool_close_output(TOOL_OK);
}

int tool_record(int argc, char **argv)
{
    static const struct argp argp = {
        .options = options,
        .parser = parse,
        .args_doc = "FILE",
        .doc = "Runs the calls of a trace (- is standard input) and prints the trace with what came back: statuses, "
               "outputs in place of '_', buffers, and which calls blocked and how they went on.\v"
               "Names bound with & are kept. A line that cannot be run, because its thread is in another call or a "
               "name has got no value, becomes a comment. The exit status is 1 if the trace cannot be read.",
    };
    struct tool_one_trace one = {0};

    argp_parse(&argp, argc, argv, 0, NULL, &one);
    return tool_with_trace(one.trace, record, &one);
}
