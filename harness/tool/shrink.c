/*
 * `pagerite shrink`: a failing trace, made short.
 */
#include <argp.h>
#include <errno.h>
#include <stdlib.h>

#include "harness/tool/one_trace.h"
#include "harness/tool/shrinking.h"

struct arguments {
    struct tool_one_trace one;
    struct shrinking_options options;
};

enum { KEY_ORACLE = 256, KEY_TRIES };

static const struct argp_option options[] = {
    {.name = "output", .key = 'o', .arg = "FILE", .doc = "Write the trace to FILE, not to standard output"},
    {.name = "loose",
     .key = 'l',
     .doc =
         "Of a line that is not as expected: another wrong value in the same place is the same failure. It always is "
         "where the oracle says what the line says"},
    {.name = "oracle",
     .key = KEY_ORACLE,
     .doc = "What fails is that core and oracle differ; the results in the trace do "
            "not matter"},
    {.name = "quiet", .key = 'q', .doc = "Say nothing of the progress"},
    {.name = "timeout", .key = 't', .arg = "SECONDS", .doc = "What one run of the trace may take (10)"},
    {.name = "tries", .key = KEY_TRIES, .arg = "N", .doc = "Run no more than N candidates"},
    {.name = "world",
     .key = 'w',
     .arg = "COUNTS",
     .doc = "Run in a world with so many frames,objects,handles,packets,runs. Without this, in the usual one, or, if "
            "nothing fails there, in the one in which the trace says that it was recorded"},
    {0},
};

static uint64_t parse_number(struct argp_state *state, const char *argument, const char *what, uint64_t most)
{
    char *end;
    unsigned long long number;

    errno = 0;
    number = strtoull(argument, &end, 10);
    if (argument[0] < '0' || argument[0] > '9' || *end != '\0' || errno != 0 || number < 1 || number > most)
        argp_error(state, "the number of %s is from 1 to %llu, not '%s'", what, (unsigned long long)most, argument);
    return number;
}

static error_t parse(int key, char *argument, struct argp_state *state)
{
    struct arguments *arguments = state->input;

    switch (key) {
    case 'l':
        arguments->options.is_loose = 1;
        return 0;
    case 'q':
        arguments->options.quiet = 1;
        return 0;
    case 't':
        arguments->options.seconds = (unsigned)parse_number(state, argument, "seconds", 86400);
        return 0;
    case 'w':
        if (tool_parse_world(argument, &arguments->options.world) != 0)
            argp_error(state, "a world is five numbers with commas between, not '%s'", argument);
        arguments->options.has_world = 1;
        return 0;
    case KEY_ORACLE:
        arguments->options.with_oracle = 1;
        return 0;
    case KEY_TRIES:
        arguments->options.tries_max = parse_number(state, argument, "tries", UINT64_MAX);
        return 0;
    default:
        return tool_parse_one_trace(key, argument, state, &arguments->one);
    }
}

static int shrink(struct trace *trace, void *context)
{
    const struct arguments *arguments = context;
    struct shrunk shrunk;
    int status = tool_shrink_trace(trace, &arguments->options, &shrunk);

    if (status != TOOL_OK)
        return status;
    if (tool_open_output(arguments->one.output) == 0) {
        tool_write_shrunk(&shrunk, NULL, stdout);
        status = tool_close_output(TOOL_OK);
    } else {
        status = TOOL_USAGE;
    }
    trace_free(shrunk.trace);
    return status;
}

int tool_shrink(int argc, char **argv)
{
    static const struct argp argp = {
        .options = options,
        .parser = parse,
        .args_doc = "TRACE",
        .doc =
            "Makes a failing trace (- is standard input) as short and simple as it can be while it still fails in the "
            "same way, and prints it with what came back; the line that fails stands last.\v"
            "What can fail: a line that is not as expected; an invariant, all of which are checked around every call; "
            "the core, by crashing or by not coming to an end. The exit status is 0 if the trace was shrunk, 1 if "
            "nothing is wrong with it or it cannot be read.",
    };
    struct arguments arguments = {0};

    argp_parse(&argp, argc, argv, 0, NULL, &arguments);
    arguments.options.name = tool_file_name(arguments.one.trace);
    return tool_with_trace(arguments.one.trace, shrink, &arguments);
}
