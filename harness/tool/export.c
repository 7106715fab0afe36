/*
 * `pagerite export`: a trace in another tool's language.
 */
#include "harness/export_syz.h"
#include "harness/tool/one_trace.h"

enum { KEY_SYZ = 256 };

struct arguments {
    struct tool_one_trace one;
    int syz;
};

static const struct argp_option options[] = {
    {.name = "syz", .key = KEY_SYZ, .doc = "As a program of syzkaller, for its descriptions of Fuchsia"},
    {.name = "output", .key = 'o', .arg = "FILE", .doc = "Write the program to FILE, not to standard output"},
    {0},
};

static error_t parse(int key, char *argument, struct argp_state *state)
{
    struct arguments *arguments = state->input;

    switch (key) {
    case KEY_SYZ:
        arguments->syz = 1;
        return 0;
    case ARGP_KEY_END:
        if (!arguments->syz)
            argp_error(state, "the language is missing: --syz");
        return 0;
    default:
        return tool_parse_one_trace(key, argument, state, &arguments->one);
    }
}

static int export(struct trace *trace, void *context)
{
    const struct tool_one_trace *one = context;

    if (tool_open_output(one->output) != 0)
        return TOOL_USAGE;
    if (export_syz(trace, tool_file_name(one->trace), stdout) != 0)
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

    argp_parse(&argp, argc, argv, 0, NULL, &arguments);
    return tool_with_trace(arguments.one.trace, export, &arguments.one);
}
