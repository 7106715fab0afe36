/*
 * The judge of failures, in two processes. The child runs traces (failure_run.c) and answers with the failure, if it
 * lives; what becomes of it otherwise is a failure, too, and is told here.
 */
#define _GNU_SOURCE /* strsignal's declaration, memmem */

#include "harness/failure.h"

#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "harness/failure_internal.h"
#include "harness/sandbox.h"
#include "harness/shrink.h"

#define SECONDS_DEFAULT 10u

struct failure_judge {
    struct failure_run run; /* what the child works by */
    struct sandbox *sandbox;
    pgr_config world;
    unsigned seconds;
    char message[sizeof(((struct failure *)0)->message)];
};

/* ---- questions ---- */

/* The child's answer begins with the failure, as it lies in memory: it is the same program. */
static int answer_in_child(void *context, const char *text, size_t bytes, FILE *answer, volatile uint32_t *progress)
{
    struct failure_judge *judge = context;
    struct failure failure = {0};
    char *recorded = NULL;
    size_t recorded_bytes = 0;
    FILE *out = open_memstream(&recorded, &recorded_bytes);
    int value = out != NULL ? failure_answer(&judge->run, text, bytes, out, progress, &failure) : -1;

    if (out != NULL)
        fclose(out);
    fwrite(&failure, sizeof(failure), 1, answer);
    fwrite(recorded, 1, recorded_bytes, answer);
    free(recorded);
    return value;
}

struct failure_judge *failure_judge_new(const struct failure_options *options)
{
    struct failure_judge *judge = calloc(1, sizeof(*judge));

    if (judge == NULL)
        return NULL;
    judge->seconds = options->seconds != 0 ? options->seconds : SECONDS_DEFAULT;
    judge->run.with_oracle = options->with_oracle;
    judge->run.calls_alone = options->calls_alone || options->with_oracle;
    judge->run.is_loose = options->is_loose;
    judge->run.dispatch = options->dispatch;
    if (options->world != NULL) {
        judge->world = *options->world;
        judge->run.world = &judge->world;
    }
    judge->sandbox = sandbox_new(answer_in_child, judge, judge->seconds);
    if (judge->sandbox != NULL)
        return judge;
    free(judge);
    return NULL;
}

void failure_judge_free(struct failure_judge *judge)
{
    if (judge == NULL)
        return;
    sandbox_free(judge->sandbox);
    free(judge);
}

/* A new task for the child: a new child gets it. */
static void set_task(struct failure_judge *judge, enum failure_task task)
{
    if (judge->run.task == task)
        return;
    judge->run.task = task;
    sandbox_forget(judge->sandbox);
}

static void ask(struct failure_judge *judge, const struct trace *trace, struct sandbox_answer *answer)
{
    char *text = NULL;
    size_t bytes = 0;
    FILE *out = open_memstream(&text, &bytes);

    *answer = (struct sandbox_answer){.outcome = SANDBOX_BROKEN};
    if (out == NULL)
        return;
    trace_write(trace, out);
    if (fclose(out) == 0)
        sandbox_ask(judge->sandbox, text, bytes, answer);
    free(text);
}

/* ---- deaths ---- */

/* The rest of the line behind `mark`, or null. */
static const char *behind(const char *text, const char *mark)
{
    const char *found = strstr(text, mark);

    return found != NULL ? found + strlen(mark) : NULL;
}

/* What the sanitizers call the mistake: without addresses, and without the numbers that a message has. */
static void name_report(const char *said, char *name, size_t name_bytes)
{
    const char *kind = behind(said, "ERROR: AddressSanitizer: ");
    const char *undefined = behind(said, "runtime error: ");

    if (kind != NULL)
        snprintf(name, name_bytes, "%.*s", (int)strcspn(kind, " \n"), kind);
    else if (undefined != NULL)
        snprintf(name, name_bytes, "%.*s", (int)strcspn(undefined, "0123456789'\n"), undefined);
    else
        name[0] = '\0';
}

static void name_death(const struct sandbox_answer *answer, char *name, size_t name_bytes)
{
    name_report(answer->said, name, name_bytes);
    if (name[0] != '\0')
        return;
    if (WIFSIGNALED(answer->wait_status))
        snprintf(name, name_bytes, "%s", strsignal(WTERMSIG(answer->wait_status)));
    else
        snprintf(name, name_bytes, "exit with status %d", WEXITSTATUS(answer->wait_status));
}

/* PGR_ASSERT() is a trap. */
static int is_of_assertion(const char *name)
{
    return strcmp(name, strsignal(SIGILL)) == 0 || strcmp(name, strsignal(SIGTRAP)) == 0;
}

static const struct trace_line *line_numbered(const struct trace *trace, uint32_t number)
{
    const struct trace_line *line = trace_lines(trace);

    while (line != NULL && line->number != number)
        line = line->next;
    return line;
}

/* Without a line it is not the core that has died: the core alone has run the trace before, and has told its lines. */
static void describe_death(const struct trace *trace, const struct sandbox_answer *answer, struct failure *failure)
{
    const struct trace_line *line = line_numbered(trace, answer->progress);
    const char *who = answer->progress != 0 ? "the core" : "the oracle";
    char name[200];

    *failure = (struct failure){.line = answer->progress, .call = line != NULL ? line->call : 0};
    const char *call = failure->call != 0 ? trace_call_row(failure->call)->name : "no call";
    if (answer->outcome == SANDBOX_TIMED_OUT) {
        failure->kind = FAILURE_TIME;
        snprintf(failure->same, sizeof(failure->same), "%s in %s", who, call);
        snprintf(failure->message, sizeof(failure->message), "%s does not come to an end in %s", who, call);
        return;
    }
    name_death(answer, name, sizeof(name));
    failure->kind = FAILURE_DEATH;
    snprintf(failure->same, sizeof(failure->same), "%s: %s at 0x%" PRIx64 " in %s", who, name, answer->place, call);
    snprintf(failure->message, sizeof(failure->message), "%s dies in %s: %s%s", who, call, name,
             is_of_assertion(name) ? " (an assertion)" : "");
}

/* ---- finding ---- */

static int has_died(const struct sandbox_answer *answer)
{
    return answer->outcome == SANDBOX_DIED || answer->outcome == SANDBOX_TIMED_OUT;
}

static int has_answered(const struct sandbox_answer *answer)
{
    return answer->outcome == SANDBOX_ANSWERED && answer->bytes >= sizeof(struct failure);
}

static int find_by(struct failure_judge *judge, enum failure_task task, const struct trace *trace,
                   struct failure *failure)
{
    struct sandbox_answer answer;
    int status = 0;

    set_task(judge, task);
    ask(judge, trace, &answer);
    if (has_died(&answer)) {
        describe_death(trace, &answer, failure);
    } else if (has_answered(&answer)) {
        memcpy(failure, answer.text, sizeof(*failure));
        status = answer.value;
    } else {
        *failure = (struct failure){.message = "no process, or no memory for one"};
        status = -1;
    }
    sandbox_free_answer(&answer);
    return status;
}

static int is_fatal(const struct failure *failure)
{
    return failure->kind == FAILURE_DEATH || failure->kind == FAILURE_TIME;
}

/*
 * With the oracle: what kills the core alone comes first, then what the two do not agree on, then what the checkers
 * say.
 */
int failure_find(struct failure_judge *judge, const struct trace *trace, struct failure *failure)
{
    struct failure of_both;
    int status = find_by(judge, FAILURE_FIND, trace, failure);

    if (!judge->run.with_oracle || status != 0 || is_fatal(failure))
        return status;
    status = find_by(judge, FAILURE_COMPARE, trace, &of_both);
    if (status != 0 || of_both.kind != FAILURE_NONE)
        *failure = of_both;
    return status;
}

/* ---- the same again ---- */

void failure_hold(struct failure_judge *judge, const struct failure *failure)
{
    judge->run.held = *failure;
    snprintf(judge->message, sizeof(judge->message), "%s", failure->message);
    sandbox_forget(judge->sandbox);
}

const char *failure_message(const struct failure_judge *judge)
{
    return judge->message;
}

static int is_as_held(const struct failure *failure, const struct failure *held)
{
    if (failure->kind != held->kind)
        return 0;
    return held->is_loose ? strcmp(failure->alike, held->alike) == 0 : strcmp(failure->same, held->same) == 0;
}

/* The lines before that one. */
static struct trace *copy_before(const struct trace *trace, uint32_t number)
{
    struct trace *copy = shrink_copy(trace);
    uint32_t place = 0;
    uint8_t *drop;

    for (const struct trace_line *line = copy != NULL ? trace_lines(copy) : NULL; line != NULL; line = line->next)
        place++;
    drop = calloc(place + 1, 1);
    if (copy == NULL || drop == NULL) {
        trace_free(copy);
        free(drop);
        return NULL;
    }
    memset(drop + number - 1, 1, place - (number - 1));
    shrink_drop_lines(copy, drop);
    free(drop);
    return copy;
}

/* The lines before the one in which the core dies are recorded without it. */
static int record_up_to_death(struct failure_judge *judge, const struct trace *candidate, uint32_t number,
                              FILE *recorded)
{
    const struct trace_line *line = line_numbered(candidate, number);
    struct trace *before = line != NULL ? copy_before(candidate, number) : NULL;
    struct sandbox_answer answer = {0};
    int status = -1;

    if (before != NULL) {
        set_task(judge, FAILURE_RECORD);
        ask(judge, before, &answer);
        status = has_answered(&answer) ? 1 : 0;
    }
    if (status > 0) {
        fwrite(answer.text + sizeof(struct failure), 1, answer.bytes - sizeof(struct failure), recorded);
        trace_write_line(line, TRACE_WRITE_ALIGNED, recorded);
        putc('\n', recorded);
    }
    sandbox_free_answer(&answer);
    trace_free(before);
    return status;
}

/* Has the candidate brought the core down as the first trace did? */
static int judge_death(struct failure_judge *judge, const struct trace *candidate, const struct sandbox_answer *answer,
                       FILE *recorded)
{
    struct failure failure;

    describe_death(candidate, answer, &failure);
    if (!is_as_held(&failure, &judge->run.held))
        return 0;
    return failure.line != 0 ? record_up_to_death(judge, candidate, failure.line, recorded) : 1;
}

static int judge_answer(struct failure_judge *judge, const struct sandbox_answer *answer, FILE *recorded)
{
    struct failure failure;

    if (!has_answered(answer))
        return -1;
    memcpy(&failure, answer->text, sizeof(failure));
    if (answer->value != 0 || !is_as_held(&failure, &judge->run.held))
        return 0;
    snprintf(judge->message, sizeof(judge->message), "%s", failure.message);
    fwrite(answer->text + sizeof(failure), 1, answer->bytes - sizeof(failure), recorded);
    return 1;
}

static int is_of_oracle(const struct failure *failure)
{
    return failure->kind == FAILURE_DISAGREEMENT || (is_fatal(failure) && failure->line == 0);
}

int failure_stays(void *context, const struct trace *candidate, FILE *recorded)
{
    struct failure_judge *judge = context;
    struct sandbox_answer answer;
    int status;

    set_task(judge, is_of_oracle(&judge->run.held) ? FAILURE_COMPARE : FAILURE_KEEP);
    ask(judge, candidate, &answer);
    status =
        has_died(&answer) ? judge_death(judge, candidate, &answer, recorded) : judge_answer(judge, &answer, recorded);
    sandbox_free_answer(&answer);
    return status;
}

/* ---- words ---- */

const char *failure_kind_name(uint32_t kind)
{
    static const char *const names[] = {
        "nothing is wrong",     "a line is not as expected",        "an invariant is violated",
        "the oracle disagrees", "the core brings its process down", "the core does not come to an end"};

    return kind < sizeof(names) / sizeof(names[0]) ? names[kind] : "unknown";
}

int failure_recorded_world(const struct trace *trace, pgr_config *counts)
{
    for (const struct trace_line *line = trace_lines(trace); line != NULL; line = line->next) {
        const char *given = line->comment != NULL ? behind(line->comment, "--world=") : NULL;
        pgr_config read = {0};
        if (given != NULL &&
            sscanf(given, "%" SCNu32 ",%" SCNu32 ",%" SCNu32 ",%" SCNu32 ",%" SCNu32, &read.frame_count,
                   &read.object_count, &read.handle_count, &read.packet_count, &read.run_count) == 5) {
            *counts = read;
            return 1;
        }
    }
    return 0;
}
