/*
 * `pagerite diff`: another implementation against the core.
 */
#include <argp.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "harness/exec_diff.h"
#include "harness/exec_random.h"
#include "harness/shrink.h"
#include "harness/tool/tool.h"

#define PROGRAM_CALLS 100u /* of one random program */
#define SHRINK_SECONDS 30

struct arguments {
    struct exec_options options;
    struct tool_files files;
    const char *output;
    uint64_t random_calls, seed;
    int is_random, keeps_going, shows;
    unsigned shrink_seconds;
};

struct totals {
    size_t passed, failed, skipped;
};

/* ---- shrinking ---- */

/* What shrinking asks of each candidate. */
struct shrinking {
    struct exec *diff;
    enum exec_kind kind; /* that is looked for */
    uint32_t call;
    time_t end;
    int is_shown;
};

static int is_same(const struct shrinking *s, const struct exec_finding *finding)
{
    return finding->kind == s->kind && finding->call == s->call;
}

static void cut_behind(struct trace *trace, uint32_t number)
{
    for (struct trace_line *line = trace_lines(trace); line != NULL; line = line->next)
        if (line->number == number)
            line->next = NULL;
}

/* The trace up to the line, with what the core returns. */
static void record(struct trace *trace, uint32_t line, FILE *out)
{
    struct run_options options = {.name = "", .record = 1};

    if (line != 0)
        cut_behind(trace, line);
    if (run_trace(trace, &options) == RUN_PASSED)
        trace_write(trace, out);
}

static int still_fails(void *context, const struct trace *candidate, FILE *recorded)
{
    struct shrinking *s = context;
    struct trace *copy = time(NULL) < s->end ? shrink_copy(candidate) : NULL;
    struct exec_finding finding = {0};
    int fails;

    if (copy == NULL)
        return -1;
    fails = exec_trace(s->diff, copy, &finding) == 0 && is_same(s, &finding);
    if (fails)
        record(copy, finding.line, recorded);
    exec_finding_free(&finding);
    trace_free(copy);
    return fails;
}

static void show_progress(void *context, const struct shrink_progress *progress)
{
    const struct shrinking *s = context;

    if (s->is_shown)
        fprintf(stderr, "\rshrinking: %" PRIu32 " lines of %" PRIu32 ", %" PRIu64 " tried ", progress->lines,
                progress->first_lines, progress->tries);
}

static struct trace *shrink(struct exec *diff, const struct arguments *arguments, const struct trace *trace,
                            const struct exec_finding *finding)
{
    struct shrinking s = {diff, finding->kind, finding->call, time(NULL) + arguments->shrink_seconds, arguments->shows};
    struct shrink_options options = {
        .still_fails = still_fails, .progress = show_progress, .context = &s, .progress_context = &s};
    struct trace *shrunk = shrink_trace(trace, &options, NULL);

    if (s.is_shown)
        fputs("\n", stderr);
    return shrunk;
}

/* ---- findings ---- */

static const char *kind_name(enum exec_kind kind)
{
    static const char *const names[EXEC_KIND_COUNT] = {
        [EXEC_STATUS] = "another status",
        [EXEC_OUTPUT] = "another output",
        [EXEC_BLOCKING] = "one returns, waits or faults where the other does not",
        [EXEC_ENDING] = "other calls end with this one",
        [EXEC_GARBAGE] = "no answer of the protocol",
        [EXEC_OTHER_CALL] = "another call is answered",
        [EXEC_UNSUPPORTED] = "not supported, and not declared so",
        [EXEC_ERROR] = "the command gives up",
        [EXEC_TIMEOUT] = "time-out",
        [EXEC_ENDED] = "the command has ended",
        [EXEC_FLOOD] = "an answer without end",
        [EXEC_UNASKED] = "output that nobody asked for",
    };

    return names[kind];
}

static void print_finding(const char *name, const struct exec_finding *finding)
{
    if (finding->line != 0)
        printf("%s:%" PRIu32 ": %s\n%s", name, finding->line, kind_name(finding->kind), finding->text);
    else
        printf("%s: %s\n%s", name, kind_name(finding->kind), finding->text);
}

static int save(const struct trace *trace, const char *path)
{
    FILE *out = fopen(path, "w");
    int failed;

    if (out == NULL)
        return tool_complain("cannot write %s: %s", path, strerror(errno));
    trace_write(trace, out);
    failed = ferror(out);
    return fclose(out) != 0 || failed ? tool_complain("cannot write %s: %s", path, strerror(errno)) : 0;
}

/* The shortest trace, and once more what its last line brings, from a fresh process of the command. */
static int print_shortest(struct exec *diff, const struct arguments *arguments, struct trace *shortest)
{
    struct exec_finding finding;

    printf("    the shortest trace that shows it, %" PRIu32 " lines, with what the core returns:\n\n",
           shrink_count_lines(shortest));
    trace_write(shortest, stdout);
    printf("\n");
    exec_restart(diff);
    if (exec_trace(diff, shortest, &finding) == 0 && finding.kind != EXEC_NONE)
        printf("    and there, in line %" PRIu32 ":\n%s", finding.line, finding.text);
    else
        printf("    but it does not show again in a fresh process of the command\n");
    exec_finding_free(&finding);
    return arguments->output != NULL ? save(shortest, arguments->output) : 0;
}

static int report(struct exec *diff, const struct arguments *arguments, const char *name, const struct trace *trace,
                  const struct exec_finding *finding)
{
    struct trace *shortest;
    int status = 0;

    print_finding(name, finding);
    fflush(stdout);
    /* What happens before the first call needs no trace. */
    if (arguments->shrink_seconds == 0 || finding->line == 0)
        return 0;
    exec_restart(diff);
    shortest = shrink(diff, arguments, trace, finding);
    if (shortest != NULL)
        status = print_shortest(diff, arguments, shortest);
    else
        printf("    it does not show again in a fresh process of the command\n");
    trace_free(shortest);
    return status;
}

/* ---- traces ---- */

/* 0, or TOOL_USAGE: the comparison cannot go on. */
static int compare(struct exec *diff, const struct arguments *arguments, const char *name, struct trace *trace,
                   struct totals *totals)
{
    const char *lacking = exec_lacks(diff, trace);
    struct exec_finding finding;
    int status = 0;

    if (lacking != NULL) {
        printf("%s: skipped: the command does not have %s\n", name, lacking);
        totals->skipped++;
        return 0;
    }
    if (exec_trace(diff, trace, &finding) != 0) {
        status = tool_complain("%s: %s", name, finding.text != NULL ? finding.text : "out of memory");
    } else if (finding.kind == EXEC_NONE) {
        totals->passed++;
        if (finding.text != NULL)
            printf("%s: %s\n", name, finding.text);
    } else {
        totals->failed++;
        status = report(diff, arguments, name, trace, &finding);
    }
    exec_finding_free(&finding);
    return status;
}

static int compare_file(struct exec *diff, const struct arguments *arguments, const char *path, struct totals *totals)
{
    int status;
    struct trace *trace = tool_read_trace(path, &status);

    if (trace == NULL) {
        totals->failed += status == TOOL_FOUND;
        return status == TOOL_FOUND ? 0 : status;
    }
    status = compare(diff, arguments, tool_file_name(path), trace, totals);
    trace_free(trace);
    return status;
}

static int goes_on(const struct arguments *arguments, const struct totals *totals)
{
    return (totals->failed == 0 || arguments->keeps_going) && !ferror(stdout);
}

static int compare_files(struct exec *diff, const struct arguments *arguments, struct totals *totals)
{
    int status = 0;

    for (size_t i = 0; status == 0 && i < arguments->files.count && goes_on(arguments, totals); i++)
        status = compare_file(diff, arguments, arguments->files.paths[i], totals);
    return status;
}

static int compare_random(struct exec *diff, const struct arguments *arguments, struct totals *totals)
{
    uint64_t left = arguments->random_calls;
    int status = 0;

    for (uint64_t i = 0; status == 0 && left > 0 && goes_on(arguments, totals); i++) {
        uint32_t most = left < PROGRAM_CALLS ? (uint32_t)left : PROGRAM_CALLS, made;
        struct trace *trace = exec_random(arguments->seed + i * UINT64_C(1000003), most, arguments->options.lacks_call,
                                          arguments->options.lacks_option, &made);
        char name[64];
        if (trace == NULL)
            return tool_complain("cannot make a random trace");
        snprintf(name, sizeof(name), "random %" PRIu64 ".%" PRIu64, arguments->seed, i);
        status = compare(diff, arguments, name, trace, totals);
        trace_free(trace);
        left -= made > 0 ? made : 1;
    }
    return status;
}

static int compare_all(const struct arguments *arguments)
{
    struct exec *diff = exec_new(&arguments->options);
    struct totals totals = {0};
    int status = diff != NULL ? 0 : tool_complain("out of memory");

    if (status == 0)
        status =
            arguments->is_random ? compare_random(diff, arguments, &totals) : compare_files(diff, arguments, &totals);
    exec_free(diff);
    if (status != 0)
        return status;
    printf("%zu passed, %zu failed", totals.passed, totals.failed);
    if (totals.skipped > 0)
        printf(", %zu skipped", totals.skipped);
    putchar('\n');
    return tool_close_output(totals.failed > 0 ? TOOL_FOUND : TOOL_OK);
}

/* ---- the command ---- */

static const struct argp_option options[] = {
    {.name = "exec", .key = 'e', .arg = "COMMAND", .doc = "The implementation: a command for /bin/sh"},
    {.name = "random", .key = 'r', .arg = "CALLS", .doc = "Compare random programs of so many calls together"},
    {.name = "seed", .key = 's', .arg = "N", .doc = "Which random programs; the same number, the same programs (1)"},
    {.name = "timeout", .key = 't', .arg = "SECONDS", .doc = "For each answer (5)"},
    {.name = "unsupported",
     .key = 'u',
     .arg = "LIST",
     .doc = "Calls and options that the implementation does not have, with commas between"},
    {.name = "keep-going", .key = 'k', .doc = "Do not stop behind the first trace with a difference"},
    {.name = "shrink", .key = 'x', .arg = "SECONDS", .doc = "Shrink for so long at most (30); 0: not at all"},
    {.name = "output", .key = 'o', .arg = "FILE", .doc = "Save the shortest trace that shows the difference"},
    {0},
};

static uint64_t parse_number(const char *argument, uint64_t least, uint64_t most, struct argp_state *state)
{
    char *end;
    uint64_t number;

    errno = 0;
    number = strtoull(argument, &end, 10);
    if (argument[0] < '0' || argument[0] > '9' || *end != '\0' || errno != 0 || number < least || number > most)
        argp_error(state, "expected a number from %" PRIu64 " to %" PRIu64 ", not '%s'", least, most, argument);
    return number;
}

static void parse_timeout(const char *argument, struct argp_state *state, struct arguments *arguments)
{
    char *end;
    double seconds = strtod(argument, &end);

    if (end == argument || *end != '\0' || !(seconds >= 0.001 && seconds <= 86400))
        argp_error(state, "the time-out is a number of seconds, not '%s'", argument);
    arguments->options.timeout_ms = (unsigned)(seconds * 1000);
}

static int is_option(struct arguments *arguments, const char *name, size_t length)
{
    for (uint32_t option = 0; option < TRACE_OPTION_COUNT; option++) {
        const char *known = trace_option_row(option)->name;
        if (strlen(known) != length || memcmp(known, name, length) != 0)
            continue;
        arguments->options.lacks_option[option] = 1;
        return 1;
    }
    return 0;
}

static void parse_unsupported(const char *list, struct argp_state *state, struct arguments *arguments)
{
    while (*list != '\0') {
        size_t length = strcspn(list, ",");
        uint32_t call = trace_call_find(list, length);
        if (call != 0)
            arguments->options.lacks_call[call] = 1;
        else if (length > 0 && !is_option(arguments, list, length))
            argp_error(state, "there is no call and no option '%.*s'", (int)length, list);
        list += length;
        list += *list == ',';
    }
}

static void check_arguments(struct argp_state *state, const struct arguments *arguments)
{
    if (arguments->options.command == NULL)
        argp_error(state, "--exec is missing");
    if (!arguments->is_random && arguments->files.count == 0)
        argp_error(state, "a trace or a directory is missing, or --random");
    if (arguments->is_random && arguments->files.count > 0)
        argp_error(state, "either traces or --random");
}

static error_t parse(int key, char *argument, struct argp_state *state)
{
    struct arguments *arguments = state->input;

    switch (key) {
    case 'e':
        arguments->options.command = argument;
        return 0;
    case 'r':
        arguments->random_calls = parse_number(argument, 1, UINT32_MAX, state);
        arguments->is_random = 1;
        return 0;
    case 's':
        arguments->seed = parse_number(argument, 0, UINT64_MAX, state);
        return 0;
    case 't':
        parse_timeout(argument, state, arguments);
        return 0;
    case 'u':
        parse_unsupported(argument, state, arguments);
        return 0;
    case 'k':
        arguments->keeps_going = 1;
        return 0;
    case 'x':
        arguments->shrink_seconds = (unsigned)parse_number(argument, 0, 86400, state);
        return 0;
    case 'o':
        arguments->output = argument;
        return 0;
    case ARGP_KEY_ARG:
        if (tool_add_files(&arguments->files, argument) != 0)
            exit(TOOL_USAGE);
        return 0;
    case ARGP_KEY_END:
        check_arguments(state, arguments);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

int tool_diff(int argc, char **argv)
{
    static const struct argp argp = {
        .options = options,
        .parser = parse,
        .args_doc = "FILE|DIR|-...\n--random=CALLS",
        .doc =
            "Starts COMMAND, which speaks the line protocol (docs/line-protocol.md), makes the calls of traces, or of "
            "random "
            "programs, on it and on the core, and compares the answers. What a trace expects is not looked at.\v"
            "The first answer that the core does not give is shown, with the core's; then the trace is shrunk as long "
            "as they "
            "differ in the same kind of line. A command that hangs, crashes or talks nonsense is a finding, too. The "
            "last line "
            "is the count; the exit status is 1 if something was found.",
    };
    struct arguments arguments = {.options = {.timeout_ms = 5000}, .seed = 1, .shrink_seconds = SHRINK_SECONDS};
    int status;

    argp_parse(&argp, argc, argv, 0, NULL, &arguments);
    arguments.shows = isatty(STDERR_FILENO);
    status = compare_all(&arguments);
    tool_free_files(&arguments.files);
    return status;
}
