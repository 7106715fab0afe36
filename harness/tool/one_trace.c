/*
 * Commands about one trace: the arguments that they have in common, and reading the trace.
 */
#include "harness/tool/one_trace.h"

error_t tool_parse_one_trace(int key, char *argument, struct argp_state *state, struct tool_one_trace *one)
{
    switch (key) {
    case 'o':
        one->output = argument;
        return 0;
    case ARGP_KEY_ARG:
        if (one->trace != NULL)
            argp_error(state, "one trace at a time");
        one->trace = argument;
        return 0;
    case ARGP_KEY_NO_ARGS:
        argp_error(state, "a trace is missing");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

int tool_with_trace(const char *path, int (*work)(struct trace *trace, void *context), void *context)
{
    int status;
    struct trace *trace = tool_read_trace(path, &status);

    if (trace == NULL)
        return status;
    status = work(trace, context);
    trace_free(trace);
    return status;
}
