/*
 * `pagerite encode`: a trace as a fuzzer's input.
 */
#include <argp.h>
#include <stdlib.h>
#include <string.h>

#include "harness/program.h"
#include "harness/tool/tool.h"

#define REASON_BYTES 200

struct arguments {
    const char *trace;
    const char *output;
};

/* What the runner's observer needs. */
struct encoding {
    struct program_encoder *encoder;
    const uint8_t *data; /* the encoder's */
    size_t bytes;
    int failed;
    char why[REASON_BYTES];
};

static const struct argp_option options[] = {
    {.name = "output", .key = 'o', .arg = "FILE", .doc = "Write the input to FILE, not to standard output"},
    {0},
};

static error_t parse(int key, char *argument, struct argp_state *state)
{
    struct arguments *arguments = state->input;

    switch (key) {
    case 'o':
        arguments->output = argument;
        return 0;
    case ARGP_KEY_ARG:
        if (arguments->trace != NULL)
            argp_error(state, "one trace at a time");
        arguments->trace = argument;
        return 0;
    case ARGP_KEY_NO_ARGS:
        argp_error(state, "a trace is missing");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static void observe(void *context, const pgr_world *world, const void *frames, const pgr_call *call)
{
    struct encoding *e = context;
    int failed;

    (void)frames;
    if (e->failed)
        return;
    if (call != NULL)
        failed = program_encode_call(e->encoder, world, call, e->why, sizeof(e->why)) != 0;
    else
        failed = program_encoder_finish(e->encoder, world, &e->data, &e->bytes, e->why, sizeof(e->why)) != 0;
    e->failed = failed;
}

static int refuse(const char *name, const char *why)
{
    fprintf(stderr, "%s: cannot be encoded: %s\n", name, why);
    return TOOL_FOUND;
}

static int write_input(const struct encoding *encoding, const char *name, const char *output)
{
    if (encoding->failed)
        return refuse(name, encoding->why);
    if (tool_open_output(output) != 0)
        return TOOL_USAGE;
    fwrite(encoding->data, 1, encoding->bytes, stdout);
    return tool_close_output(TOOL_OK);
}

static int encode_run(struct trace *trace, const char *name, const char *output, struct encoding *encoding)
{
    struct tool_checker *checker = tool_checker_new();
    struct run_options options_of_run = {.name = name,
                                         .out = stderr,
                                         .observe = observe,
                                         .observe_context = encoding,
                                         .check = checker != NULL ? tool_check : NULL,
                                         .check_context = checker};
    enum run_verdict verdict = tool_run_trace(trace, &options_of_run);

    tool_checker_free(checker);
    if (verdict == RUN_ERROR)
        return TOOL_USAGE;
    return verdict == RUN_PASSED ? write_input(encoding, name, output) : TOOL_FOUND;
}

static int encode(struct trace *trace, const char *name, const char *output)
{
    struct encoding encoding = {0};
    pgr_config config;
    int status;

    run_config(trace, &config);
    encoding.encoder = program_encoder_new(&config, encoding.why, sizeof(encoding.why));
    if (encoding.encoder == NULL)
        return refuse(name, encoding.why);
    status = encode_run(trace, name, output, &encoding);
    program_encoder_free(encoding.encoder);
    return status;
}

int tool_encode(int argc, char **argv)
{
    static const struct argp argp = {
        .options = options,
        .parser = parse,
        .args_doc = "TRACE",
        .doc = "Runs a trace (- is standard input) and writes its calls as an input of fuzz_calls.\v"
               "The exit status is 1, with the reason, if the trace does not pass or does not fit into the largest "
               "world that the fuzzers have.",
    };
    struct arguments arguments = {0};
    struct trace *trace;
    int status;

    argp_parse(&argp, argc, argv, 0, NULL, &arguments);
    trace = tool_read_trace(arguments.trace, &status);
    if (trace == NULL)
        return status;
    status = encode(trace, tool_file_name(arguments.trace), arguments.output);
    trace_free(trace);
    return status;
}
