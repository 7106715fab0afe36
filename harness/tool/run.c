/*
 * `pagerite run`: traces against what they expect. The traces are run by worker processes, so that one that brings the core
 * down is a failed trace and not the end; what they print comes out in the order of the traces.
 */
#define _GNU_SOURCE /* fopencookie */

#include <argp.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness/check.h"
#include "harness/checked.h"
#include "harness/tool/tool.h"

#define JOBS_MAX 256u

struct arguments {
    struct tool_files files;
    unsigned jobs;
    int verbose;
    int on_oracle;
    int checked; /* the core, under all checkers */
    pgr_config world;
    int has_world;
};

struct totals {
    size_t passed, failed;
};

/* A process that runs every `jobs`-th trace. */
struct worker {
    pid_t pid; /* 0: none */
    FILE *results;
    volatile uint32_t *progress; /* shared with it: the line it is at */
};

/* What goes through the pipe: text in pieces, then the verdict of the trace. */
struct piece {
    uint32_t bytes; /* of the text that follows; 0: this is the verdict */
    uint32_t verdict;
};

enum { KEY_ORACLE = 256, KEY_CHECK };

/* ---- in the worker ---- */

static void write_all(int pipe_end, const void *data, size_t bytes)
{
    const char *at = data;

    while (bytes > 0) {
        ssize_t written = write(pipe_end, at, bytes);
        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            _exit(TOOL_USAGE);
        at += written;
        bytes -= (size_t)written;
    }
}

static ssize_t write_piece(void *cookie, const char *text, size_t bytes)
{
    struct piece piece = {.bytes = (uint32_t)bytes};

    if (bytes == 0)
        return 0;
    write_all(*(int *)cookie, &piece, sizeof(piece));
    write_all(*(int *)cookie, text, bytes);
    return (ssize_t)bytes;
}

static int has_calls(const struct trace *trace)
{
    for (const struct trace_line *line = trace_lines(trace); line != NULL; line = line->next)
        if (line->form != TRACE_BLANK && line->form != TRACE_OPTION)
            return 1;
    return 0;
}

static struct implementation *make_implementation(const struct arguments *arguments, volatile uint32_t *progress)
{
    const struct checked_options checks = {.hash_every = 1, .walk_always = 1, .progress = progress};

    if (arguments->on_oracle)
        return implementation_oracle();
    return arguments->checked ? checked_new(&checks) : implementation_core();
}

/* What the checkers have to say of a trace that was run under them. */
static enum run_verdict judge_checked(const struct run_options *options, enum run_verdict verdict)
{
    struct implementation *checked = options->implementation;

    if (verdict == RUN_ERROR)
        return verdict;
    checked_finish(checked);
    if (checked_violated(checked) == NULL)
        return verdict;
    fprintf(options->out, "%s:%" PRIu32 ": ", options->name, checked_progress(checked));
    checked_print(checked, options->out);
    return RUN_FAILED;
}

static enum run_verdict run_text(const char *text, size_t bytes, struct run_options *options, int is_checked)
{
    struct trace_error error;
    struct trace *trace = trace_read(text, bytes, &error);
    enum run_verdict verdict;

    if (trace == NULL) {
        fprintf(options->out, "%s:%u:%u: %s\n", options->name, error.line, error.column, error.message);
        return RUN_FAILED;
    }
    if (options->verbose)
        fprintf(options->out, "# %s\n", options->name);
    verdict = run_trace(trace, options);
    if (is_checked)
        verdict = judge_checked(options, verdict);
    if (verdict == RUN_PASSED && !has_calls(trace))
        fprintf(options->out, "%s: has no call\n", options->name);
    trace_free(trace);
    return verdict;
}

static enum run_verdict run_file(const char *path, struct run_options *options, int is_checked)
{
    enum run_verdict verdict = RUN_FAILED;
    size_t bytes;
    char *text = tool_read_file(path, &bytes);

    options->name = tool_file_name(path);
    if (text == NULL) {
        fprintf(options->out, "%s: cannot be read: %s\n", options->name, strerror(errno));
        return RUN_FAILED;
    }
    verdict = run_text(text, bytes, options, is_checked);
    free(text);
    return verdict;
}

static void work(const struct arguments *arguments, size_t first, int pipe_end, volatile uint32_t *progress)
{
    cookie_io_functions_t functions = {.write = write_piece};
    FILE *out = fopencookie(&pipe_end, "w", functions);
    struct check_context *checker = NULL;
    struct run_options options = {.out = out,
                                  .verbose = arguments->verbose,
                                  .implementation = make_implementation(arguments, progress),
                                  .world = arguments->has_world ? &arguments->world : NULL,
                                  .check = tool_check,
                                  .check_context = &checker,
                                  .progress = progress};

    if (out == NULL || options.implementation == NULL)
        _exit(TOOL_USAGE);
    setvbuf(out, NULL, _IOLBF, 0);
    for (size_t i = first; i < arguments->files.count; i += arguments->jobs) {
        struct piece verdict = {0};
        *progress = 0;
        verdict.verdict = run_file(arguments->files.paths[i], &options, arguments->checked);
        fflush(out);
        write_all(pipe_end, &verdict, sizeof(verdict));
    }
    fclose(out);
    implementation_end(options.implementation);
    check_free(checker);
}

/* ---- in the parent ---- */

static int start_worker(const struct arguments *arguments, size_t first, struct worker *worker)
{
    int ends[2];

    if (pipe(ends) != 0)
        return tool_complain("cannot start a process: %s", strerror(errno));
    fflush(stdout);
    worker->pid = fork();
    if (worker->pid < 0)
        return tool_complain("cannot start a process: %s", strerror(errno));
    if (worker->pid == 0) {
        close(ends[0]);
        work(arguments, first, ends[1], worker->progress);
        exit(0);
    }
    close(ends[1]);
    worker->results = fdopen(ends[0], "rb");
    return worker->results != NULL ? 0 : tool_complain("cannot start a process: %s", strerror(errno));
}

static void stop_worker(struct worker *worker, int *wait_status)
{
    if (worker->results != NULL)
        fclose(worker->results);
    if (worker->pid > 0)
        while (waitpid(worker->pid, wait_status, 0) < 0 && errno == EINTR)
            continue;
    worker->results = NULL;
    worker->pid = 0;
}

static int copy_text(FILE *in, size_t bytes)
{
    char buffer[4096];

    while (bytes > 0) {
        size_t part = bytes < sizeof(buffer) ? bytes : sizeof(buffer);
        size_t got = fread(buffer, 1, part, in);
        if (got == 0)
            return -1;
        fwrite(buffer, 1, got, stdout);
        bytes -= got;
    }
    return 0;
}

/* Waits for what a worker has to say, and shows meanwhile where it is. 0 if it has ended. */
static int read_piece(struct worker *worker, const char *name, struct piece *piece)
{
    size_t count;

    tool_progress_begin(name, worker->progress);
    PGR_ASSERT(worker->results != NULL);
    count = fread(piece, sizeof(*piece), 1, worker->results);
    tool_progress_end();
    return count == 1;
}

/* Prints what a worker says of one trace. 0, or -1 if it ends before it has said all. */
static int copy_result(struct worker *worker, const char *name, enum run_verdict *verdict)
{
    struct piece piece;

    for (;;) {
        if (!read_piece(worker, name, &piece))
            return -1;
        if (piece.bytes == 0)
            break;
        if (copy_text(worker->results, piece.bytes) != 0)
            return -1;
    }
    *verdict = (enum run_verdict)piece.verdict;
    return 0;
}

static void print_crash(const struct arguments *arguments, const char *path, const struct worker *worker,
                        int wait_status)
{
    printf("%s:%" PRIu32 ": ", tool_file_name(path), *worker->progress);
    if (WIFSIGNALED(wait_status))
        printf("the %s crashed in this line: %s\n", arguments->on_oracle ? "oracle" : "core",
               strsignal(WTERMSIG(wait_status)));
    else
        printf("the run ended in this line with status %d\n", WEXITSTATUS(wait_status));
}

static int collect(const struct arguments *arguments, size_t i, struct worker *worker, struct totals *totals)
{
    enum run_verdict verdict = RUN_FAILED;
    int wait_status = 0;
    int status = 0;

    if (worker->pid == 0)
        status = start_worker(arguments, i, worker);
    if (status != 0)
        return status;
    if (copy_result(worker, tool_file_name(arguments->files.paths[i]), &verdict) != 0) {
        stop_worker(worker, &wait_status);
        print_crash(arguments, arguments->files.paths[i], worker, wait_status);
        verdict = RUN_FAILED;
    }
    totals->passed += verdict == RUN_PASSED;
    totals->failed += verdict == RUN_FAILED || verdict == RUN_ERROR;
    return 0;
}

static int run_all(const struct arguments *arguments, struct worker *workers, struct totals *totals)
{
    int status = 0;
    int ignored;

    PGR_ASSERT(arguments->jobs > 0);
    for (unsigned w = 0; status == 0 && w < arguments->jobs; w++)
        status = start_worker(arguments, w, &workers[w]);
    for (size_t i = 0; status == 0 && i < arguments->files.count && !ferror(stdout); i++)
        status = collect(arguments, i, &workers[i % arguments->jobs], totals);
    for (unsigned w = 0; w < arguments->jobs; w++)
        stop_worker(&workers[w], &ignored);
    return status;
}

static int run_in_workers(const struct arguments *arguments)
{
    size_t shared_bytes = JOBS_MAX * sizeof(uint32_t);
    uint32_t *shared = mmap(NULL, shared_bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    struct worker workers[JOBS_MAX] = {0};
    struct totals totals = {0};
    int status;

    if (shared == MAP_FAILED)
        return tool_complain("out of memory");
    for (unsigned w = 0; w < arguments->jobs; w++)
        workers[w].progress = &shared[w];
    status = run_all(arguments, workers, &totals);
    munmap(shared, shared_bytes);
    if (status != 0)
        return status;
    printf("%zu passed, %zu failed\n", totals.passed, totals.failed);
    return tool_close_output(totals.failed > 0 ? TOOL_FOUND : TOOL_OK);
}

/* ---- the command ---- */

static const struct argp_option options[] = {
    {.name = "verbose", .key = 'v', .doc = "Show each line with its result"},
    {.name = "world",
     .key = 'w',
     .arg = "COUNTS",
     .doc = "Run in a world with so many frames,objects,handles,packets,runs; a trace that a fuzzer has recorded "
            "says in which"},
    {.name = "oracle",
     .key = KEY_ORACLE,
     .doc = "Run on the oracle instead of the core. It has no invariants to check: check_invariants() passes"},
    {.name = "check",
     .key = KEY_CHECK,
     .doc = "Check every invariant of the core around each call, and that nothing is left at the end"},
    {.name = "jobs", .key = 'j', .arg = "N", .doc = "Run N traces at a time"},
    {0},
};

static void parse_jobs(const char *argument, struct argp_state *state, struct arguments *arguments)
{
    char *end;
    unsigned long jobs;

    errno = 0;
    jobs = strtoul(argument, &end, 10);
    if (argument[0] < '0' || argument[0] > '9' || *end != '\0' || errno != 0 || jobs < 1 || jobs > JOBS_MAX)
        argp_error(state, "the number of jobs is from 1 to %u, not '%s'", JOBS_MAX, argument);
    arguments->jobs = (unsigned)jobs;
}

static void parse_world(const char *argument, struct argp_state *state, struct arguments *arguments)
{
    pgr_config *world = &arguments->world;
    int read = 0;

    sscanf(argument, "%" SCNu32 ",%" SCNu32 ",%" SCNu32 ",%" SCNu32 ",%" SCNu32 "%n", &world->frame_count,
           &world->object_count, &world->handle_count, &world->packet_count, &world->run_count, &read);
    if (read == 0 || argument[read] != '\0')
        argp_error(state, "a world is five numbers with commas between, not '%s'", argument);
    arguments->has_world = 1;
}

static error_t parse(int key, char *argument, struct argp_state *state)
{
    struct arguments *arguments = state->input;

    switch (key) {
    case 'v':
        arguments->verbose = 1;
        return 0;
    case KEY_ORACLE:
        arguments->on_oracle = 1;
        return 0;
    case KEY_CHECK:
        arguments->checked = 1;
        return 0;
    case 'w':
        parse_world(argument, state, arguments);
        return 0;
    case 'j':
        parse_jobs(argument, state, arguments);
        return 0;
    case ARGP_KEY_ARG:
        if (tool_add_files(&arguments->files, argument) != 0)
            exit(TOOL_USAGE);
        return 0;
    case ARGP_KEY_NO_ARGS:
        argp_error(state, "a trace or a directory is missing");
        return 0;
    case ARGP_KEY_SUCCESS:
        if (arguments->on_oracle && arguments->checked)
            argp_error(state, "--check is of the core, and --oracle runs on another implementation");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

int tool_run(int argc, char **argv)
{
    static const struct argp argp = {
        .options = options,
        .parser = parse,
        .args_doc = "FILE|DIR|-...",
        .doc = "Runs traces on the core, or on the oracle, and compares what comes back with what they say. Of a "
               "directory every *.trace in and below it is run, sorted by name; - is standard input.\v"
               "For each trace that fails: file and line of the first difference, the expected line and the actual "
               "one. The last line is the count. The exit status is 1 if a trace fails or cannot be read.",
    };
    struct arguments arguments = {.jobs = 1};
    int status;

    argp_parse(&argp, argc, argv, 0, NULL, &arguments);
    if (arguments.jobs > arguments.files.count)
        arguments.jobs = (unsigned)arguments.files.count;
    status = run_in_workers(&arguments);
    tool_free_files(&arguments.files);
    return status;
}
