/*
 * `pagerite decode`: a fuzzer's input as a trace.
 */
#include <argp.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "harness/executor.h"
#include "harness/tool/tool.h"

static error_t parse(int key, char *argument, struct argp_state *state)
{
    const char **input = state->input;

    switch (key) {
    case ARGP_KEY_ARG:
        if (*input != NULL)
            argp_error(state, "one input at a time");
        *input = argument;
        return 0;
    case ARGP_KEY_NO_ARGS:
        argp_error(state, "an input is missing");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

/* Lines go out one by one, so that an input that crashes shows the calls before. */
static int decode(const char *data, size_t bytes)
{
    struct execution_options options = {.checks = 1, .end = 1, .record = stdout};
    int outcome;

    setvbuf(stdout, NULL, _IOLBF, 0);
    outcome = execute_program((const uint8_t *)data, bytes, &options, NULL);
    if (outcome == 0)
        return TOOL_OK;
    if (outcome < 0)
        return tool_complain("out of memory");
    printf("# %s\n", execution_message());
    return TOOL_FOUND;
}

int tool_decode(int argc, char **argv)
{
    static const struct argp argp = {
        .parser = parse,
        .args_doc = "INPUT",
        .doc = "Runs an input of fuzz_calls (- is standard input) and prints its calls and results as a trace.\v"
               "The exit status is 1 if the input violates an invariant; the trace then ends with a comment that says "
               "which.",
    };
    const char *input = NULL;
    size_t bytes;
    char *data;
    int status;

    argp_parse(&argp, argc, argv, 0, NULL, &input);
    data = tool_read_file(input, &bytes);
    if (data == NULL)
        return tool_complain("cannot read %s: %s", tool_file_name(input), strerror(errno));
    status = decode(data, bytes);
    free(data);
    return tool_close_output(status);
}
