/*
 * `pagerite export`: a trace in another tool's language.
 */
#include <argp.h>
#include <stdlib.h>

#include "harness/export_syz.h"
#include "harness/tool/tool.h"

enum { KEY_SYZ = 256 };

struct arguments {
    const char *trace;
    const char *output;
    int syz;
};

static const struct argp_option options[] = {
    {.name = "syz", .key = KEY_SYZ, .doc = "As a program of syzkaller, for its descriptions of Fuchsia"},
    {.name = "output", .key = 'o', .arg = "FILE", .doc = "Write the program to FILE, not to standard output"},
    {0},
};

static error_t check_arguments(const struct arguments *arguments, struct argp_state *state)
{
    if (arguments->trace == NULL)
        argp_error(state, "a trace is missing");
    if (!arguments->syz)
        argp_error(state, "the language is missing: --syz");
    return 0;
}

static error_t parse(int key, char *argument, struct argp_state *state)
{
    struct arguments *arguments = state->input;

    switch (key) {
    case KEY_SYZ:
        arguments->syz = 1;
        return 0;
    case 'o':
        arguments->output = argument;
        return 0;
    case ARGP_KEY_ARG:
        if (arguments->trace != NULL)
            argp_error(state, "one trace at a time");
        arguments->trace = argument;
        return 0;
    case ARGP_KEY_END:
        return check_arguments(arguments, state);
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static int export(const struct trace *trace, const char *name, const char *output)
{
    if (tool_open_output(output) != 0)
        return TOOL_USAGE;
    if (export_syz(trace, name, stdout) != 0)
        return tool_complain("out of memory");
    return tool_close_output(TOOL_OK);
}

int tool_export(int argc, char **argv)
{
    static const struct argp argp = {
        .options = options,
        .parser = parse,
        .args_doc = "TRACE",
        .doc = "Writes a trace (- is standard input) as a program of syzkaller, for a real Zircon: with --syz, the zx_ "
               "calls as syzkaller's descriptions of Fuchsia have them, handles and addresses as results r0, r1 ..., "
               "and behind a call the error that it must return, or that it blocks.\v"
               "What the descriptions cannot say stands in a comment at its place, with the reason. The trace is "
               "read, not run. `syz-execprog -threaded` runs the program; in syzkaller's sys/fuchsia/test it is a "
               "test.",
    };
    struct arguments arguments = {0};
    struct trace *trace;
    int status;

    argp_parse(&argp, argc, argv, 0, NULL, &arguments);
    trace = tool_read_trace(arguments.trace, &status);
    if (trace == NULL)
        return status;
    status = export(trace, tool_file_name(arguments.trace), arguments.output);
    trace_free(trace);
    return status;
}
