/* Fuzzers' inputs, run once more. See input.h. */
#define _GNU_SOURCE /* memfd_create */

#include "harness/input.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness/diff_program.h"
#include "harness/executor.h"
#include "harness/finding.h"
#include "harness/program.h"
#include "harness/sandbox.h"
#include "harness/uffd.h"
#include "harness/writeback.h"
#include "harness/x86_fuzz.h"

/* ---- in the child: one function a target ---- */

/*
 * Runs the input, and writes its trace to the file at `path`, so that it is there even if the process dies. 1 and a
 * message if something was found.
 */
typedef int input_function(const uint8_t *data, size_t bytes, const char *path, char *message, size_t message_bytes);

/* The fuzzer's own way of telling a finding writes the trace, whether the input returns or not. */
static int run_calls(const uint8_t *data, size_t bytes, const char *path, char *message, size_t message_bytes)
{
    struct execution_options options = {.checks = 1, .hash_every = 1, .walk_every = 1, .rerun = 1, .end = 1};
    int outcome;

    setenv("PAGERITE_TRACE_OUT", path, 1);
    execution_catch_crashes();
    options.report = stderr;
    outcome = execute_program(data, bytes, &options, NULL);
    snprintf(message, message_bytes, "%s", execution_message());
    return outcome;
}

static int run_diff(const uint8_t *data, size_t bytes, const char *path, char *message, size_t message_bytes)
{
    static const struct diff_options options = {.strict = 1, .look_every = 1};
    static struct diff_player *player;
    struct implementation *core = player == NULL ? implementation_core() : NULL;
    struct implementation *oracle = player == NULL ? implementation_oracle() : NULL;
    const struct difference *difference;

    if (core != NULL && oracle != NULL)
        player = diff_player_new(core, oracle, &options);
    if (player == NULL)
        return -1;
    setenv("PAGERITE_TRACE_OUT", path, 1);
    diff_player_catch_deaths(player);
    difference = diff_player_run(player, data, bytes);
    if (difference == NULL)
        return 0;
    snprintf(message, message_bytes, "%s", difference->text);
    diff_player_report(player, stderr);
    return 1;
}

static int run_writeback(const uint8_t *data, size_t bytes, const char *path, char *message, size_t message_bytes)
{
    int outcome;

    setenv("PAGERITE_TRACE_OUT", path, 1);
    finding_catch_deaths(writeback_is_playing, writeback_trace, NULL);
    outcome = writeback_play(data, bytes, NULL, NULL);
    if (outcome <= 0)
        return outcome;
    snprintf(message, message_bytes, "%s", writeback_message());
    finding_save(message, writeback_trace, NULL);
    return outcome;
}

static int run_x86(const uint8_t *data, size_t bytes, const char *path, char *message, size_t message_bytes)
{
    FILE *out = fopen(path, "w");
    int outcome;

    if (out == NULL)
        return -1;
    setvbuf(out, NULL, _IOLBF, 0);
    outcome = x86_fuzz(data, bytes, out, NULL);
    fclose(out);
    if (outcome > 0)
        snprintf(message, message_bytes, "X86: %s", x86_fuzz_message());
    return outcome;
}

static int run_userfaultfd(const uint8_t *data, size_t bytes, const char *path, char *message, size_t message_bytes)
{
    FILE *out = uffd_usable() ? fopen(path, "w") : NULL;
    int outcome;

    if (out == NULL)
        return -1;
    setvbuf(out, NULL, _IOLBF, 0);
    outcome = uffd_play(data, bytes, out, NULL);
    fclose(out);
    if (outcome > 0)
        snprintf(message, message_bytes, "%s", uffd_message());
    return outcome;
}

static const struct {
    const char *name;
    input_function *run;
    int has_records; /* as program.h has them */
} targets[] = {
    {"fuzz_calls", run_calls, 1},         {"fuzz_diff", run_diff, 1}, {"fuzz_userfaultfd", run_userfaultfd, 0},
    {"fuzz_writeback", run_writeback, 0}, {"fuzz_x86", run_x86, 0},
};

#define TARGET_COUNT (sizeof(targets) / sizeof(targets[0]))

const char *const *input_targets(void)
{
    static const char *names[TARGET_COUNT + 1];

    for (size_t i = 0; i < TARGET_COUNT; i++)
        names[i] = targets[i].name;
    return names;
}

/* ---- the judge ---- */

struct input_judge {
    size_t target;
    struct sandbox *sandbox;
    int trace;     /* a file in memory, which outlives the child */
    char path[40]; /* its name, in the child as well */
};

static int answer_in_child(void *context, const char *text, size_t bytes, FILE *answer, volatile uint32_t *progress)
{
    struct input_judge *judge = context;
    char message[640] = "";
    int outcome;

    (void)progress;
    outcome = targets[judge->target].run((const uint8_t *)text, bytes, judge->path, message, sizeof(message));
    fputs(message, answer);
    return outcome;
}

struct input_judge *input_judge_new(const char *target, unsigned seconds)
{
    struct input_judge *judge = calloc(1, sizeof(*judge));

    if (judge == NULL)
        return NULL;
    while (judge->target < TARGET_COUNT && strcmp(targets[judge->target].name, target) != 0)
        judge->target++;
    judge->trace = memfd_create("pagerite-trace", MFD_CLOEXEC);
    snprintf(judge->path, sizeof(judge->path), "/proc/self/fd/%d", judge->trace);
    if (judge->target < TARGET_COUNT && judge->trace >= 0)
        judge->sandbox = sandbox_new(answer_in_child, judge, seconds);
    if (judge->sandbox != NULL)
        return judge;
    input_judge_free(judge);
    return NULL;
}

void input_judge_free(struct input_judge *judge)
{
    if (judge == NULL)
        return;
    sandbox_free(judge->sandbox);
    if (judge->trace >= 0)
        close(judge->trace);
    free(judge);
}

/* ---- one run ---- */

static void read_trace(const struct input_judge *judge, struct input_finding *finding)
{
    off_t bytes = lseek(judge->trace, 0, SEEK_END);

    finding->trace = bytes > 0 ? malloc((size_t)bytes + 1) : NULL;
    if (finding->trace == NULL)
        return;
    if (pread(judge->trace, finding->trace, (size_t)bytes, 0) != bytes)
        bytes = 0;
    finding->trace[bytes] = '\0';
    finding->trace_bytes = (size_t)bytes;
}

/* "O1" of "O1: frame 7 ..."; of any other message what is in it but numbers. */
static void name_finding(struct input_finding *finding)
{
    const char *message = finding->message;
    size_t digits = isupper((unsigned char)message[0]) ? strspn(message + 1, "0123456789") : 0;
    size_t at = 0;

    if (digits > 0 && message[digits + 1] == ':') {
        snprintf(finding->same, sizeof(finding->same), "%.*s", (int)(digits + 1), message);
        return;
    }
    for (; *message != '\0' && at + 1 < sizeof(finding->same); message++)
        if (!isdigit((unsigned char)*message))
            finding->same[at++] = *message;
    finding->same[at] = '\0';
}

/* The first line of the trace says it best: there the fuzzer's handlers have put what the sanitizers said. */
static void tell_death(const struct sandbox_answer *answer, struct input_finding *finding)
{
    const char *line = finding->trace != NULL && strncmp(finding->trace, "# ", 2) == 0 ? finding->trace + 2 : NULL;
    const char *how = WIFSIGNALED(answer->wait_status) ? strsignal(WTERMSIG(answer->wait_status)) : "it ended";

    if (line != NULL)
        snprintf(finding->message, sizeof(finding->message), "%.*s", (int)strcspn(line, "\n"), line);
    else
        snprintf(finding->message, sizeof(finding->message), "died: %s", how);
}

static int forget_trace(const struct input_judge *judge)
{
    return ftruncate(judge->trace, 0) == 0 ? 0 : -1;
}

int input_run(struct input_judge *judge, const uint8_t *data, size_t bytes, struct input_finding *finding)
{
    struct sandbox_answer answer;

    *finding = (struct input_finding){0};
    if (forget_trace(judge) != 0)
        return -1;
    sandbox_ask(judge->sandbox, (const char *)data, bytes, &answer);
    read_trace(judge, finding);
    if (answer.outcome == SANDBOX_ANSWERED)
        snprintf(finding->message, sizeof(finding->message), "%.*s", (int)strcspn(answer.text, "\n"), answer.text);
    else if (answer.outcome == SANDBOX_DIED)
        tell_death(&answer, finding);
    else if (answer.outcome == SANDBOX_TIMED_OUT)
        snprintf(finding->message, sizeof(finding->message), "does not come to an end");
    finding->is_found = answer.outcome == SANDBOX_DIED || answer.outcome == SANDBOX_TIMED_OUT || answer.value > 0;
    name_finding(finding);
    int failed = answer.outcome == SANDBOX_BROKEN || answer.value < 0;
    sandbox_free_answer(&answer);
    if (failed)
        input_finding_free(finding);
    return failed ? -1 : 0;
}

void input_finding_free(struct input_finding *finding)
{
    free(finding->trace);
    finding->trace = NULL;
}

/* ---- shrinking ---- */

/* The input, cut into pieces that can be taken out: the header, which stays, and the pieces behind it. */
struct pieces {
    uint8_t *data;
    size_t bytes;
    size_t *starts; /* of the pieces, and the end */
    size_t count;
};

static int cut(const struct input_judge *judge, struct pieces *pieces)
{
    int has_records = targets[judge->target].has_records;
    size_t at = has_records ? PROGRAM_HEADER_BYTES : 0;

    free(pieces->starts);
    pieces->count = 0;
    pieces->starts = calloc(pieces->bytes + 2, sizeof(*pieces->starts));
    if (pieces->starts == NULL)
        return -1;
    while (at < pieces->bytes) {
        pieces->starts[pieces->count++] = at;
        at += has_records ? program_record_bytes(pieces->data, pieces->bytes, at) : 1;
    }
    pieces->starts[pieces->count] = pieces->bytes;
    return 0;
}

/* Takes the pieces out if the same is found without them. */
static int try_without(struct input_judge *judge, struct pieces *pieces, size_t first, size_t end,
                       struct input_finding *finding)
{
    size_t from = pieces->starts[first], to = pieces->starts[end];
    uint8_t *shorter = malloc(pieces->bytes);
    size_t bytes = pieces->bytes - (to - from);
    struct input_finding found = {0};
    int is_same = 0;

    if (shorter == NULL)
        return 0;
    memcpy(shorter, pieces->data, from);
    memcpy(shorter + from, pieces->data + to, pieces->bytes - to);
    if (input_run(judge, shorter, bytes, &found) == 0)
        is_same = found.is_found && strcmp(found.same, finding->same) == 0;
    if (is_same) {
        memcpy(pieces->data, shorter, bytes);
        pieces->bytes = bytes;
        input_finding_free(finding);
        *finding = found;
    } else {
        input_finding_free(&found);
    }
    free(shorter);
    return is_same;
}

static int drop_runs(struct input_judge *judge, struct pieces *pieces, size_t length, struct input_finding *finding)
{
    int has_changed = 0;

    for (size_t end = pieces->count; end > 0;) {
        size_t first = end > length ? end - length : 0;
        if (try_without(judge, pieces, first, end, finding)) {
            has_changed = 1;
            if (cut(judge, pieces) != 0)
                return 0;
        }
        end = first < pieces->count ? first : pieces->count;
    }
    return has_changed;
}

size_t input_shrink(struct input_judge *judge, uint8_t *data, size_t bytes, struct input_finding *finding)
{
    struct pieces pieces = {.data = data, .bytes = bytes};

    if (cut(judge, &pieces) == 0) {
        for (size_t length = pieces.count / 2; length > 1; length /= 2)
            drop_runs(judge, &pieces, length, finding);
        while (drop_runs(judge, &pieces, 1, finding))
            continue;
    }
    free(pieces.starts);
    return pieces.bytes;
}
