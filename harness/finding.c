/* What a fuzzer says of a finding. See finding.h. */
#include "harness/finding.h"

#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

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

/* The trace behind its comment, to be freed; null without memory. */
static char *text_of(const char *message, finding_trace *trace, void *context)
{
    char *text = NULL;
    size_t bytes = 0;
    FILE *memory = open_memstream(&text, &bytes);
    if (!memory)
        return NULL;
    print_comment(message, memory);
    trace(context, memory);
    fclose(memory);
    return text;
}

void finding_save(const char *message, finding_trace *trace, void *context)
{
    char *text = text_of(message, trace, context);
    if (!text)
        return;
    save_trace(text);
    free(text);
}

void finding_report(const char *message, finding_trace *trace, void *context, FILE *out)
{
    char *text = text_of(message, trace, context);
    if (!text)
        return;
    fprintf(out, "\n%s\n--- the trace so far\n%s--- end of the trace\n", message, text);
    fflush(out);
    save_trace(text);
    free(text);
}

/* ---- deaths ---- */

static const int deadly[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGTRAP};
enum { DEADLY_COUNT = sizeof deadly / sizeof deadly[0] };
static struct sigaction handlers_before[DEADLY_COUNT];

static struct {
    int (*is_running)(void *context);
    finding_trace *trace;
    void *context;
    int is_told;
} death;

/* Once a process: what goes wrong while it reports is not reported. */
static void report_death(const char *message)
{
    if (death.is_told || !death.is_running || !death.is_running(death.context))
        return;
    death.is_told = 1;
    finding_report(message, death.trace, death.context, stderr);
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

/* Only a build with the address sanitizer may name a function of it: those who check builds (ci/check_build.sh, and
 * OSS-Fuzz) take such a name in another build for a mixture of two sanitizers. */
#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define WITH_ADDRESS_SANITIZER
#endif
#elif defined(__SANITIZE_ADDRESS__)
#define WITH_ADDRESS_SANITIZER
#endif

#ifdef WITH_ADDRESS_SANITIZER
void __asan_set_error_report_callback(void (*callback)(const char *));

static void catch_sanitizer_reports(void)
{
    __asan_set_error_report_callback(on_sanitizer_report);
}
#else
static void catch_sanitizer_reports(void)
{
    (void)on_sanitizer_report;
}
#endif

void finding_catch_deaths(int (*is_running)(void *context), finding_trace *trace, void *context)
{
    if (death.is_running)
        return;
    death.is_running = is_running;
    death.trace = trace;
    death.context = context;
    struct sigaction action = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO};
    sigemptyset(&action.sa_mask);
    for (int i = 0; i < DEADLY_COUNT; i++)
        sigaction(deadly[i], &action, &handlers_before[i]);
    catch_sanitizer_reports();
}
