/*
 * `pagerite triage`: from what a fuzzer has left to a regression trace.
 */
#define _GNU_SOURCE /* asprintf */

#include <argp.h>
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "harness/input.h"
#include "harness/shrink.h"
#include "harness/tool/shrinking.h"

#define FOLDER "corpus/regressions"
#define SECONDS_DEFAULT 20u
#define NUMBER_BYTES_MAX 3u /* of an invariant */

struct arguments {
    const char *input;
    const char *output;
    const char *target;
    struct shrinking_options options;
};

static const struct argp_option options[] = {
    {.name = "output",
     .key = 'o',
     .arg = "FILE",
     .doc = "Write the trace to FILE (- is standard output), not to " FOLDER},
    {.name = "target",
     .key = 'T',
     .arg = "NAME",
     .doc = "The fuzz target that the input is of. Without this the file's path says it, or else it is fuzz_calls"},
    {.name = "quiet", .key = 'q', .doc = "Say nothing of the progress"},
    {.name = "timeout", .key = 't', .arg = "SECONDS", .doc = "What one run may take (20)"},
    {0},
};

static error_t parse(int key, char *argument, struct argp_state *state)
{
    struct arguments *arguments = state->input;
    char *end;

    switch (key) {
    case 'o':
        arguments->output = argument;
        return 0;
    case 'q':
        arguments->options.quiet = 1;
        return 0;
    case 't':
        arguments->options.seconds = (unsigned)strtoul(argument, &end, 10);
        if (!isdigit((unsigned char)argument[0]) || *end != '\0' || arguments->options.seconds == 0)
            argp_error(state, "a run takes a number of seconds, not '%s'", argument);
        return 0;
    case 'T':
        arguments->target = argument;
        return 0;
    case ARGP_KEY_ARG:
        if (arguments->input != NULL)
            argp_error(state, "one input at a time");
        arguments->input = argument;
        return 0;
    case ARGP_KEY_NO_ARGS:
        argp_error(state, "an input is missing");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

/* ---- whose input it is ---- */

/* Fuzzers' inputs that make no calls of a trace, and what they are instead. */
static const struct {
    const char *name;
    const char *what;
} traceless[] = {
    {"fuzz_trace", "a text for the reader of traces"},
};

#define TRACELESS_COUNT (sizeof(traceless) / sizeof(traceless[0]))

/* The last target in the path, for the file says it better than its folder. */
static const char *guess_target(const char *path)
{
    const char *target = NULL, *last = path;

    for (const char *const *name = input_targets(); *name != NULL; name++)
        for (const char *at = strstr(last, *name); at != NULL; at = strstr(at + 1, *name)) {
            target = *name;
            last = at;
        }
    for (size_t i = 0; i < TRACELESS_COUNT; i++)
        if (strstr(last, traceless[i].name) != NULL)
            target = traceless[i].name;
    return target;
}

/* Says why there is no trace. 0 if there is one. */
static int refuse_traceless(const char *target, const char *input)
{
    for (size_t i = 0; i < TRACELESS_COUNT; i++) {
        if (strcmp(target, traceless[i].name) != 0)
            continue;
        fprintf(stderr,
                "%s: an input of %s is %s, so there is no trace of it; to see it again, run the target with it as "
                "its argument\n",
                input, target, traceless[i].what);
        return TOOL_FOUND;
    }
    return 0;
}

/* ---- the name ---- */

static const char *call_name(uint32_t call)
{
    const pgr_call_info *row = trace_call_row(call);
    const char *name = row != NULL ? row->name : "no_call";

    return strncmp(name, "zx_", 3) == 0 ? name + 3 : name;
}

/* "o1_pager_supply_pages": what fails, and in which call. */
static void name_failure(const struct failure *failure, char *name, size_t name_bytes)
{
    static const char *const kinds[] = {"", "difference", "", "oracle", "death", "time"};
    const char *what = failure->kind == FAILURE_INVARIANT ? failure->same : kinds[failure->kind];

    snprintf(name, name_bytes, "%.20s_%s", what, call_name(failure->call));
    for (char *at = name; *at != '\0'; at++)
        *at = (char)(isalnum((unsigned char)*at) ? tolower((unsigned char)*at) : '_');
}

/* A file of that name that is not there yet; to be freed. */
static char *unused_path(const char *name)
{
    char *path;

    for (unsigned copy = 1;; copy++) {
        int written =
            copy == 1 ? asprintf(&path, FOLDER "/%s.trace", name) : asprintf(&path, FOLDER "/%s_%u.trace", name, copy);
        if (written < 0)
            return NULL;
        if (access(path, F_OK) != 0)
            return path;
        free(path);
    }
}

static char *output_path(const struct arguments *arguments, const char *name)
{
    if (arguments->output != NULL)
        return strdup(arguments->output);
    return unused_path(name);
}

/* ---- the trace ---- */

/* "O1 (fuzz_calls): frame 7 ...", "the core dies in ... (fuzz_calls)" */
static char *title_of(const char *message, const char *target)
{
    size_t digits = isupper((unsigned char)message[0]) ? strspn(message + 1, "0123456789") : 0;
    char *title;
    int written;

    if (digits > 0 && message[digits + 1] == ':')
        written = asprintf(&title, "%.*s (%s)%s", (int)digits + 1, message, target, message + digits + 1);
    else
        written = asprintf(&title, "%s (%s)", message, target);
    return written < 0 ? NULL : title;
}

static int open_output(const char *path, FILE **out)
{
    *out = strcmp(path, "-") == 0 ? stdout : fopen(path, "w");
    return *out != NULL ? 0 : tool_complain("cannot write %s: %s", path, strerror(errno));
}

static int close_output(const char *path, FILE *out)
{
    if (out == stdout)
        return TOOL_OK;
    int failed = ferror(out);
    return (fclose(out) != 0) | failed ? tool_complain("cannot write %s: %s", path, strerror(errno)) : TOOL_OK;
}

static const char *command_to_see(const struct failure *failure)
{
    switch (failure->kind) {
    case FAILURE_INVARIANT:
        return "run --check";
    case FAILURE_DISAGREEMENT:
        return "shrink --oracle";
    default:
        return "run";
    }
}

static void tell_next(const struct shrunk *shrunk, const char *path)
{
    const pgr_config *world = &shrunk->world;
    char counts[80] = "";

    if (strcmp(path, "-") == 0)
        return;
    if (shrunk->has_world)
        snprintf(counts, sizeof(counts), "--world=%u,%u,%u,%u,%u ", world->frame_count, world->object_count,
                 world->handle_count, world->packet_count, world->run_count);
    printf("%s: %s, in %u lines\n  %s\n", path, failure_kind_name(shrunk->failure.kind),
           shrink_count_lines(shrunk->trace), shrunk->failure.message);
    printf("to see it:\n  pagerite %s %s%s\n", command_to_see(&shrunk->failure), counts, path);
    fputs("then find the mistake, and the section of the specification that decides it; let the trace\n"
          "say what is right, and its first line what was wrong; commit it with the fix\n",
          stdout);
}

/* A trace that broke an invariant ends in the question whether all of them hold. */
static int write_trace(const struct arguments *arguments, const struct shrunk *shrunk)
{
    char name[120];
    char *path, *title;
    FILE *out;
    int status;

    name_failure(&shrunk->failure, name, sizeof(name));
    path = output_path(arguments, name);
    if (path == NULL)
        return tool_complain("out of memory");
    title = title_of(shrunk->failure.message, arguments->target);
    if (title == NULL || open_output(path, &out) != 0) {
        free(path);
        free(title);
        return TOOL_USAGE;
    }
    tool_write_shrunk(shrunk, title, out);
    if (shrunk->failure.kind == FAILURE_INVARIANT)
        fputs("check_invariants() = ZX_OK\n", out);
    status = close_output(path, out);
    if (status == TOOL_OK)
        tell_next(shrunk, path);
    free(path);
    free(title);
    return status;
}

/* ---- what only the input shows ---- */

static int write_bytes(const char *path, const void *data, size_t bytes)
{
    FILE *out = fopen(path, "wb");

    int is_written = out != NULL && fwrite(data, 1, bytes, out) == bytes;

    if (out != NULL && fclose(out) != 0)
        is_written = 0;
    return is_written ? TOOL_OK : tool_complain("cannot write %s: %s", path, strerror(errno));
}

/*
 * The calls alone do not fail: what the fuzzer holds against them is not in them, or released threads went on in
 * another order than a trace has. The input is made short, and its recording goes beside it.
 */
static int keep_input(const struct arguments *arguments, struct input_judge *judge, uint8_t *data, size_t bytes,
                      struct input_finding *finding)
{
    char *input = NULL, *trace = NULL;
    size_t shorter = input_shrink(judge, data, bytes, finding);
    int status = TOOL_USAGE;

    if (asprintf(&input, "%s.shrunk", arguments->input) < 0 ||
        asprintf(&trace, "%s.shrunk.trace", arguments->input) < 0)
        return tool_complain("out of memory");
    status = write_bytes(input, data, shorter);
    if (status == TOOL_OK && finding->trace != NULL)
        status = write_bytes(trace, finding->trace, finding->trace_bytes);
    if (status == TOOL_OK) {
        printf("%s: %s: the calls alone do not show it, so there is no regression trace\n"
               "  %s    the input, shrunk from %zu to %zu bytes; run %s with it\n",
               arguments->input, finding->message, input, bytes, shorter, arguments->target);
        if (finding->trace != NULL)
            printf("  %s    what it does\n", trace);
        status = TOOL_FOUND;
    }
    free(input);
    free(trace);
    return status;
}

/* ---- the command ---- */

static struct trace *read_finding(const struct input_finding *finding)
{
    struct trace_error error;

    return finding->trace != NULL ? trace_read(finding->trace, finding->trace_bytes, &error) : NULL;
}

/* What the calls alone do to no invariant may still be something that the oracle would not do. */
static int triage_finding(struct arguments *arguments, struct input_judge *judge, uint8_t *data, size_t bytes,
                          struct input_finding *finding)
{
    struct trace *trace = read_finding(finding);
    struct shrunk shrunk = {0};
    int status;

    arguments->options.calls_alone = 1;
    if (strlen(finding->same) <= NUMBER_BYTES_MAX)
        arguments->options.wanted = finding->same;
    status = trace != NULL ? tool_shrink_trace(trace, &arguments->options, &shrunk) : TOOL_FOUND;

    if (status == TOOL_FOUND && trace != NULL && !arguments->options.with_oracle) {
        arguments->options.with_oracle = 1;
        status = tool_shrink_trace(trace, &arguments->options, &shrunk);
    }
    trace_free(trace);
    if (status == TOOL_FOUND && strcmp(arguments->target, "fuzz_diff") != 0)
        return keep_input(arguments, judge, data, bytes, finding);
    if (status == TOOL_OK)
        status = write_trace(arguments, &shrunk);
    trace_free(shrunk.trace);
    return status;
}

static int triage_input(struct arguments *arguments, uint8_t *data, size_t bytes)
{
    struct input_judge *judge = input_judge_new(arguments->target, arguments->options.seconds);
    struct input_finding finding = {0};
    int status;

    if (judge == NULL)
        return tool_complain("there is no target '%s' whose inputs have a trace", arguments->target);
    if (input_run(judge, data, bytes, &finding) != 0) {
        status = tool_complain("%s cannot be run here", arguments->target);
    } else if (!finding.is_found) {
        fprintf(stderr, "%s: %s finds nothing in it\n", arguments->input, arguments->target);
        status = TOOL_FOUND;
    } else {
        if (!arguments->options.quiet)
            fprintf(stderr, "%s: %s\n", arguments->input, finding.message);
        status = triage_finding(arguments, judge, data, bytes, &finding);
    }
    arguments->options.wanted = NULL;
    input_finding_free(&finding);
    input_judge_free(judge);
    return status;
}

static int triage(struct arguments *arguments)
{
    size_t bytes;
    char *data;
    int status;

    if (arguments->target == NULL)
        arguments->target = guess_target(arguments->input);
    if (arguments->target == NULL)
        arguments->target = "fuzz_calls";
    status = refuse_traceless(arguments->target, arguments->input);
    if (status != 0)
        return status;
    if (arguments->output == NULL && access(FOLDER, W_OK) != 0)
        return tool_complain("there is no folder " FOLDER " here to write to: say where with -o");
    data = tool_read_file(arguments->input, &bytes);
    if (data == NULL)
        return tool_complain("cannot read %s: %s", tool_file_name(arguments->input), strerror(errno));
    arguments->options.name = tool_file_name(arguments->input);
    arguments->options.with_oracle = strcmp(arguments->target, "fuzz_diff") == 0;
    status = triage_input(arguments, (uint8_t *)data, bytes);
    free(data);
    return status;
}

int tool_triage(int argc, char **argv)
{
    static const struct argp argp = {
        .options = options,
        .parser = parse,
        .args_doc = "INPUT",
        .doc =
            "Makes of an input with which a fuzzer has found something a short trace that fails in the same way, and "
            "puts it into " FOLDER " under a name that tells what fails.\v"
            "Inputs of all targets but fuzz_trace are sequences of calls. Where the calls "
            "alone do not show what was found, the input itself is shrunk, and lies beside the first one with a "
            "recording. The exit status is 0 if there is a regression trace now, 1 if nothing is found or there can "
            "be no trace of it.",
    };
    struct arguments arguments = {.options = {.seconds = SECONDS_DEFAULT}};
    int status;

    argp_parse(&argp, argc, argv, 0, NULL, &arguments);
    status = triage(&arguments);
    return tool_close_output(status);
}
