/*
 * What is said of a finding: the sentence, and the trace up to the call that did it, ready to be kept as a .trace file.
 *
 * Nothing is logged while an input runs. The trace is made by running the input once more, in the other lane, with a
 * recorder and without checkers, as far as it got: the core does the same again.
 */
#include "harness/check.h"
#include "harness/executor_internal.h"
#include "harness/recorder.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

struct recorder *lane_recorder(struct lane *lane, FILE *out)
{
    pgr_start start;
    pgr_start_handles(lane->current, &start);
    struct recorder *recorder = recorder_new(&lane->program.header.config, &start, out);
    if (recorder)
        recorder_watch(recorder, lane->current);
    return recorder;
}

/* The world may have been left halfway by what went wrong, so the other lane's is made anew. */
static void forget_world(struct lane *lane, const uint8_t *data, size_t bytes)
{
    struct program_header header;
    program_read_header(&header, data, bytes);
    lane->worlds[header.world].world = NULL;
}

static void print_trace(struct executor *x, FILE *out)
{
    struct lane *lane = &x->lanes[1];
    forget_world(lane, x->data, x->bytes);
    if (lane_prepare(lane, x->data, x->bytes))
        return;
    struct run again = {.lane = lane,
                        .stop_at = x->run->dispatches,
                        .ends_inside = x->run->inside,
                        .recorder = lane_recorder(lane, out)};
    if (!again.recorder)
        return;
    run_program(&again);
    recorder_free(again.recorder);
}

/* `text` line by line, each as a comment of a trace. */
static void print_comment(const char *text, FILE *out)
{
    while (*text) {
        size_t length = strcspn(text, "\n");
        fprintf(out, "# %.*s\n", (int)length, text);
        text += length + (text[length] == '\n');
    }
}

static uint32_t name_of(const char *text)
{
    uint32_t hash = 2166136261u;
    for (; *text; text++)
        hash = (hash ^ (uint8_t)*text) * 16777619u;
    return hash;
}

static void save_trace(const char *text)
{
    const char *where = getenv("PAGERITE_TRACE_OUT");
    struct stat status;
    char path[4096];
    if (!where || !*where)
        return;
    int is_directory = stat(where, &status) == 0 && S_ISDIR(status.st_mode);
    if (is_directory) {
        snprintf(path, sizeof path, "%s/finding-%08x.trace", where, name_of(text));
    } else {
        snprintf(path, sizeof path, "%s", where);
    }
    FILE *file = fopen(path, "w");
    if (!file)
        return;
    fputs(text, file);
    fclose(file);
}

static void report(struct executor *x, const char *message, FILE *out)
{
    char *text = NULL;
    size_t bytes = 0;
    FILE *memory = open_memstream(&text, &bytes);
    if (!memory)
        return;
    print_comment(message, memory);
    print_trace(x, memory);
    fclose(memory);
    fprintf(out, "\n%s\n--- the trace so far\n%s--- end of the trace\n", message, text);
    fflush(out);
    save_trace(text);
    free(text);
}

void report_violation(struct executor *x, FILE *out)
{
    if (check_violated(x->check))
        check_print(x->check, x->lanes[0].current, out);
    report(x, x->message, out);
}

/* ---- deaths ---- */

static const int deadly[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGTRAP};
enum { DEADLY_COUNT = sizeof deadly / sizeof deadly[0] };
static struct sigaction handlers_before[DEADLY_COUNT];
static int caught;

/* Once a process: what goes wrong while it reports is not reported. */
static void report_death(const char *message)
{
    struct executor *x = executor_get();
    if (caught || !x || !x->run)
        return;
    caught = 1;
    report(x, message, stderr);
}

static void hand_on(int signal_number, siginfo_t *info, void *context)
{
    for (int i = 0; i < DEADLY_COUNT; i++) {
        if (deadly[i] != signal_number)
            continue;
        const struct sigaction *before = &handlers_before[i];
        if (before->sa_flags & SA_SIGINFO && before->sa_sigaction) {
            before->sa_sigaction(signal_number, info, context);
        } else if (before->sa_handler != SIG_DFL && before->sa_handler != SIG_IGN) {
            before->sa_handler(signal_number);
        }
    }
    signal(signal_number, SIG_DFL);
    raise(signal_number);
}

static void on_signal(int signal_number, siginfo_t *info, void *context)
{
    char message[64];
    snprintf(message, sizeof message, "died of signal %d (%s)", signal_number, strsignal(signal_number));
    report_death(message);
    hand_on(signal_number, info, context);
}

static void on_sanitizer_report(const char *text)
{
    const char *error = strstr(text, "ERROR: ");
    char message[200];
    snprintf(message, sizeof message, "%.*s", (int)strcspn(error ? error : text, "\n"), error ? error : text);
    report_death(message);
}

/* The undefined behaviour sanitizer calls this; without it nobody does. */
void __ubsan_on_report(void);
void __ubsan_on_report(void)
{
    report_death("undefined behaviour: the sanitizer says below which");
}

__attribute__((weak)) void __asan_set_error_report_callback(void (*callback)(const char *));

void execution_catch_crashes(void)
{
    static int done;
    if (done)
        return;
    done = 1;
    struct sigaction action = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO};
    sigemptyset(&action.sa_mask);
    for (int i = 0; i < DEADLY_COUNT; i++)
        sigaction(deadly[i], &action, &handlers_before[i]);
    if (__asan_set_error_report_callback)
        __asan_set_error_report_callback(on_sanitizer_report);
}
