/*
 * `pagerite encode`: a trace as a fuzzer's input.
 */
#include "harness/check.h"
#include "harness/program.h"
#include "harness/tool/one_trace.h"

#define REASON_BYTES 200

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
    return tool_parse_one_trace(key, argument, state, state->input);
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
    struct check_context *checker = NULL;
    struct run_options options_of_run = {.name = name,
                                         .out = stderr,
                                         .observe = observe,
                                         .observe_context = encoding,
                                         .check = tool_check,
                                         .check_context = &checker};
    enum run_verdict verdict = tool_run_trace(trace, &options_of_run);

    check_free(checker);
    if (verdict == RUN_ERROR)
        return TOOL_USAGE;
    return verdict == RUN_PASSED ? write_input(encoding, name, output) : TOOL_FOUND;
}

static int encode(struct trace *trace, void *context)
{
    const struct tool_one_trace *one = context;
    const char *name = tool_file_name(one->trace);
    struct encoding encoding = {0};
    pgr_config config;
    int status;

    run_config(trace, &config);
    encoding.encoder = program_encoder_new(&config, encoding.why, sizeof(encoding.why));
    if (encoding.encoder == NULL)
        return refuse(name, encoding.why);
    status = encode_run(trace, name, one->output, &encoding);
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
    struct tool_one_trace one = {0};

    argp_parse(&argp, argc, argv, 0, NULL, &one);
    return tool_with_trace(one.trace, encode, &one);
}
