/*
 * `pagerite sweep`: traces with each of their allocations failing, and cut at every line.
 */
#include <argp.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "harness/sweep.h"
#include "harness/tool/tool.h"

struct arguments {
    struct tool_files files;
    int verbose;
};

struct totals {
    size_t verdicts[RUN_ERROR + 1];
    struct sweep_counts counts;
};

static error_t parse_option(int key, char *value, struct argp_state *state)
{
    struct arguments *arguments = state->input;

    switch (key) {
    case 'v':
        arguments->verbose = 1;
        return 0;
    case ARGP_KEY_ARG:
        return tool_add_files(&arguments->files, value) == 0 ? 0 : ENOENT;
    case ARGP_KEY_NO_ARGS:
        argp_usage(state);
        return EINVAL;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static enum run_verdict sweep_file(const char *path, struct sweep_counts *counts)
{
    struct sweep_options options = {.name = path, .out = stdout};
    enum run_verdict verdict;
    int status;
    struct trace *trace = tool_read_trace(path, &status);

    if (trace == NULL)
        return RUN_ERROR;
    verdict = sweep_trace(trace, &options, counts);
    trace_free(trace);
    return verdict;
}

static void print_file(const char *path, const struct sweep_counts *before, const struct sweep_counts *now)
{
    printf("%s: %" PRIu64 " failing allocations, %" PRIu64 " cuts\n", path, now->failures - before->failures,
           now->cuts - before->cuts);
}

static int print_totals(const struct totals *totals, size_t files)
{
    const struct sweep_counts *counts = &totals->counts;
    size_t failed = files - totals->verdicts[RUN_PASSED];

    printf("%" PRIu64 " calls; %" PRIu64 " of the allocations were a supply's\n", counts->calls, counts->supplies);
    printf("%zu traces, %" PRIu64 " failing allocations, %" PRIu64 " cuts; %zu passed, %zu failed\n", files,
           counts->failures, counts->cuts, totals->verdicts[RUN_PASSED], failed);
    return failed > 0 ? TOOL_FOUND : TOOL_OK;
}

static int sweep_files(const struct arguments *arguments)
{
    struct totals totals = {0};

    for (size_t i = 0; i < arguments->files.count; i++) {
        struct sweep_counts before = totals.counts;
        totals.verdicts[sweep_file(arguments->files.paths[i], &totals.counts)]++;
        if (arguments->verbose)
            print_file(arguments->files.paths[i], &before, &totals.counts);
    }
    return print_totals(&totals, arguments->files.count);
}

int tool_sweep(int argc, char **argv)
{
    static const struct argp_option options[] = {{"verbose", 'v', NULL, 0, "a line for each trace", 0}, {0}};
    static const struct argp argp = {
        options,
        parse_option,
        "FILE|DIR...",
        "Runs traces with their first, second, third ... allocation failing until none is "
        "left, and cut at every line with all handles closed and all threads killed, under "
        "all invariant checkers.",
        NULL,
        NULL,
        NULL};
    struct arguments arguments = {0};
    int status = argp_parse(&argp, argc, argv, 0, NULL, &arguments) == 0 ? TOOL_OK : TOOL_USAGE;

    if (status == TOOL_OK)
        status = sweep_files(&arguments);
    tool_free_files(&arguments.files);
    return tool_close_output(status);
}
