/* Shrinking traces for the subcommands. See shrinking.h. */
#include "harness/tool/shrinking.h"

#include <ctype.h>
#include <inttypes.h>
#include <signal.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "harness/shrink.h"

/* ---- interrupts: the first one ends the shrinking with what it has come to, the second one everything ---- */

static volatile sig_atomic_t is_interrupted;

static void on_interrupt(int number)
{
    (void)number;
    is_interrupted = 1;
}

/* ---- progress ---- */

#define SECONDS_BETWEEN_LINES 10.0
#define SECONDS_BETWEEN_REDRAWS 0.1

/* What was last shown of the progress. */
struct shown {
    int quiet;
    int is_terminal;
    struct timespec last;
    int is_drawn;
};

static double seconds_since(const struct timespec *then)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)(now.tv_sec - then->tv_sec) + (double)(now.tv_nsec - then->tv_nsec) * 1e-9;
}

/* On a terminal one line that is drawn again and again, elsewhere a line from time to time. */
static void show(void *context, const struct shrink_progress *progress)
{
    struct shown *shown = context;
    double pause = shown->is_terminal ? SECONDS_BETWEEN_REDRAWS : SECONDS_BETWEEN_LINES;

    if (shown->quiet || seconds_since(&shown->last) < pause)
        return;
    clock_gettime(CLOCK_MONOTONIC, &shown->last);
    fprintf(stderr, "%sshrinking: %" PRIu32 " of %" PRIu32 " lines left, round %u, %s, %" PRIu64 " tries%s",
            shown->is_terminal ? "\r\033[K" : "", progress->lines, progress->first_lines, progress->round,
            progress->phase, progress->tries, shown->is_terminal ? "" : "\n");
    fflush(stderr);
    shown->is_drawn = shown->is_terminal;
}

static void show_end(const struct shown *shown, const struct shrink_progress *last)
{
    if (shown->is_drawn)
        fputs("\r\033[K", stderr);
    if (!shown->quiet)
        fprintf(stderr, "%" PRIu32 " lines of %" PRIu32 " left, after %" PRIu64 " tries%s\n", last->lines,
                last->first_lines, last->tries, is_interrupted ? ": interrupted" : "");
}

static int stays_uninterrupted(void *judge, const struct trace *candidate, FILE *recorded)
{
    return is_interrupted ? -1 : failure_stays(judge, candidate, recorded);
}

static struct trace *shrink_interruptibly(const struct trace *trace, const struct shrink_options *options,
                                          struct shrink_progress *last)
{
    struct sigaction action = {.sa_handler = on_interrupt, .sa_flags = (int)SA_RESETHAND}, before;
    struct trace *shrunk;

    is_interrupted = 0;
    sigaction(SIGINT, &action, &before);
    shrunk = shrink_trace(trace, options, last);
    sigaction(SIGINT, &before, NULL);
    return shrunk;
}

/* ---- finding and shrinking ---- */

static struct failure_judge *new_judge(const struct shrinking_options *options, const struct shrunk *shrunk)
{
    struct failure_options options_of_judge = {.world = shrunk->has_world ? &shrunk->world : NULL,
                                               .with_oracle = options->with_oracle,
                                               .calls_alone = options->calls_alone,
                                               .is_loose = options->is_loose,
                                               .seconds = options->seconds};

    return failure_judge_new(&options_of_judge);
}

static int find_in_world(const struct trace *trace, const struct shrinking_options *options, struct shrunk *shrunk,
                         struct failure_judge **judge)
{
    *judge = new_judge(options, shrunk);
    if (*judge == NULL)
        return tool_complain("out of memory");
    if (failure_find(*judge, trace, &shrunk->failure) != 0)
        return tool_complain("%s cannot be run: %s", options->name, shrunk->failure.message);
    return shrunk->failure.kind != FAILURE_NONE ? TOOL_OK : TOOL_FOUND;
}

static int is_wanted(const struct shrunk *shrunk, const struct shrinking_options *options)
{
    return shrunk->failure.kind != FAILURE_NONE &&
           (options->wanted == NULL || strcmp(shrunk->failure.same, options->wanted) == 0);
}

/* First in the usual world, which is what the trace will be run in from now on; then in the one of its recording. */
static int find(const struct trace *trace, const struct shrinking_options *options, struct shrunk *shrunk,
                struct failure_judge **judge)
{
    struct shrunk own = {.has_world = 1};
    struct failure_judge *judge_of_own;
    int status, status_of_own;

    shrunk->world = options->world;
    shrunk->has_world = options->has_world;
    status = find_in_world(trace, options, shrunk, judge);
    if (status == TOOL_USAGE || is_wanted(shrunk, options) || options->has_world ||
        !failure_recorded_world(trace, &own.world))
        return status;
    status_of_own = find_in_world(trace, options, &own, &judge_of_own);
    if (status == TOOL_OK && !is_wanted(&own, options)) {
        failure_judge_free(judge_of_own);
        return status;
    }
    failure_judge_free(*judge);
    *judge = judge_of_own;
    *shrunk = own;
    return status_of_own;
}

/* Nothing behind the line that fails is needed. */
static struct trace *copy_to_failure(const struct trace *trace, uint32_t number)
{
    struct trace *copy = shrink_copy(trace);

    for (struct trace_line *line = copy != NULL ? trace_lines(copy) : NULL; line != NULL; line = line->next)
        if (line->number == number)
            line->next = NULL;
    return copy;
}

static int shrink_found(const struct trace *trace, const struct shrinking_options *options, struct shrunk *shrunk,
                        struct failure_judge *judge)
{
    struct shown shown = {.quiet = options->quiet, .is_terminal = isatty(STDERR_FILENO)};
    struct trace *cut = copy_to_failure(trace, shrunk->failure.line);
    struct shrink_options options_of_shrinking = {.still_fails = stays_uninterrupted,
                                                  .context = judge,
                                                  .progress = show,
                                                  .progress_context = &shown,
                                                  .tries_max = options->tries_max,
                                                  .keeps_last_line = shrunk->failure.kind == FAILURE_DIFFERENCE &&
                                                                     !shrunk->failure.oracle_agrees};
    struct shrink_progress last = {0};

    clock_gettime(CLOCK_MONOTONIC, &shown.last);
    failure_hold(judge, &shrunk->failure);
    if (cut != NULL)
        shrunk->trace = shrink_interruptibly(cut, &options_of_shrinking, &last);
    trace_free(cut);
    if (shrunk->trace == NULL) {
        fprintf(stderr, "%s:%" PRIu32 ": %s, but not when it is recorded anew: it cannot be shrunk\n", options->name,
                shrunk->failure.line, shrunk->failure.message);
        return TOOL_FOUND;
    }
    show_end(&shown, &last);
    snprintf(shrunk->failure.message, sizeof(shrunk->failure.message), "%s", failure_message(judge));
    return TOOL_OK;
}

/*
 * What is violated only when the world ends gets a line in which that happens, if killing and closing is enough for it.
 * Returns the trace that has it, or null: the given one stays.
 */
static struct trace *spell_out_end(const struct trace *trace, struct shrunk *shrunk, struct failure_judge *judge)
{
    struct trace *ended = shrunk->failure.is_at_end ? failure_with_end(trace) : NULL;
    struct failure failure = {0};

    if (ended == NULL)
        return NULL;
    if (failure_find(judge, ended, &failure) == 0 && failure.kind == FAILURE_INVARIANT && !failure.is_at_end &&
        strcmp(failure.same, shrunk->failure.same) == 0) {
        shrunk->failure = failure;
        return ended;
    }
    trace_free(ended);
    return NULL;
}

int tool_shrink_trace(const struct trace *trace, const struct shrinking_options *options, struct shrunk *shrunk)
{
    struct failure_judge *judge = NULL;
    struct trace *ended = NULL;
    int status;

    *shrunk = (struct shrunk){0};
    status = find(trace, options, shrunk, &judge);
    if (status == TOOL_FOUND)
        fprintf(stderr, "%s: %s\n", options->name,
                options->with_oracle ? "core and oracle agree on it" : "nothing is wrong with it");
    if (status == TOOL_OK && !options->quiet)
        fprintf(stderr, "%s:%" PRIu32 ": %s: %s\n", options->name, shrunk->failure.line,
                failure_kind_name(shrunk->failure.kind), shrunk->failure.message);
    if (status == TOOL_OK)
        ended = spell_out_end(trace, shrunk, judge);
    if (status == TOOL_OK)
        status = shrink_found(ended != NULL ? ended : trace, options, shrunk, judge);
    trace_free(ended);
    failure_judge_free(judge);
    return status;
}

/* ---- writing ---- */

/* "# O1: ..." and "# died of ..." are what fuzzers put on top, "# recorded in a world ..." what recorders do. */
static int is_old_title(const char *comment)
{
    const char *text = comment + strspn(comment, "# ");
    size_t digits = isupper((unsigned char)text[0]) ? strspn(text + 1, "0123456789") : 0;

    return (digits > 0 && text[1 + digits] == ':') || strncmp(text, "died of ", 8) == 0 ||
           strncmp(text, "ERROR: ", 7) == 0 || strstr(text, "--world=") != NULL;
}

void tool_write_shrunk(const struct shrunk *shrunk, const char *title, FILE *out)
{
    const pgr_config *world = &shrunk->world;

    fprintf(out, "# %s\n", title != NULL ? title : shrunk->failure.message);
    if (shrunk->has_world)
        fprintf(out,
                "# recorded in a world of its own: --world=%" PRIu32 ",%" PRIu32 ",%" PRIu32 ",%" PRIu32 ",%" PRIu32
                "\n",
                world->frame_count, world->object_count, world->handle_count, world->packet_count, world->run_count);
    for (const struct trace_line *line = trace_lines(shrunk->trace); line != NULL; line = line->next) {
        if (line->form == TRACE_BLANK && (line->comment == NULL || is_old_title(line->comment)))
            continue;
        trace_write_line(line, TRACE_WRITE_ALIGNED | TRACE_WRITE_COMMENT, out);
        putc('\n', out);
    }
}

int tool_parse_world(const char *argument, pgr_config *world)
{
    int read = 0;

    sscanf(argument, "%" SCNu32 ",%" SCNu32 ",%" SCNu32 ",%" SCNu32 ",%" SCNu32 "%n", &world->frame_count,
           &world->object_count, &world->handle_count, &world->packet_count, &world->run_count, &read);
    return read != 0 && argument[read] == '\0' ? 0 : -1;
}
