/*
 * Commands about one trace: the arguments that they have in common, and reading the trace.
 */
#ifndef HARNESS_TOOL_ONE_TRACE_H
#define HARNESS_TOOL_ONE_TRACE_H

#include <argp.h>

#include "harness/tool/tool.h"

struct tool_one_trace {
    const char *trace;  /* its path */
    const char *output; /* where what comes of it goes; null: standard output */
};

/*
 * For a command's own parser to end with: takes the trace, of which there must be one, and the file behind -o, if the
 * command has that option. ARGP_ERR_UNKNOWN: neither.
 */
error_t tool_parse_one_trace(int key, char *argument, struct argp_state *state, struct tool_one_trace *one);

/*
 * Reads the trace, lets `work` have it, and frees it. Returns what `work` returns, which is an exit status; or the one
 * for a trace that cannot be read, with the reason printed.
 */
int tool_with_trace(const char *path, int (*work)(struct trace *trace, void *context), void *context);

#endif
