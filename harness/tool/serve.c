/*
 * `pagerite serve`: the core, or the oracle, behind the line protocol on standard input and output.
 */
#include <argp.h>
#include <stdlib.h>

#include "harness/check.h"
#include "harness/protocol.h"
#include "harness/tool/tool.h"

enum { KEY_ORACLE = 256 };

static const struct argp_option options[] = {
    {.name = "oracle", .key = KEY_ORACLE, .doc = "Serve the oracle, not the core"},
    {0},
};

static error_t parse(int key, char *argument, struct argp_state *state)
{
    int *is_oracle = state->input;

    switch (key) {
    case KEY_ORACLE:
        *is_oracle = 1;
        return 0;
    case ARGP_KEY_ARG:
        argp_error(state, "there is nothing to do with '%s'", argument);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static int serve(struct implementation *implementation, const char *name)
{
    struct check_context *checker = NULL;
    struct protocol_check check = {tool_check, &checker};

    if (implementation == NULL)
        return tool_complain("there is no %s to serve", name);
    protocol_serve(implementation, &check, stdin, stdout);
    implementation_end(implementation);
    check_free(checker);
    return tool_close_output(TOOL_OK);
}

int tool_serve(int argc, char **argv)
{
    static const struct argp argp = {
        .options = options,
        .parser = parse,
        .doc = "Answers requests of the line protocol (docs/line-protocol.md) on standard input and output: a world to "
               "which any "
               "tool can make calls.\v"
               "What cannot be understood is answered with !error and the reason, a call that there is not with "
               "!unsupported. The "
               "command ends with its input.",
    };
    int is_oracle = 0;

    argp_parse(&argp, argc, argv, 0, NULL, &is_oracle);
    if (is_oracle)
        return serve(implementation_oracle(), "oracle");
    return serve(implementation_core(), "core");
}
