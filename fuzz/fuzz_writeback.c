/*
 * Fuzzes dirty tracking: a file system at play, its disk compared byte by byte. Checks F1 to F4 of harness/writeback.h and
 * what the sanitizers and the core's own assertions see.
 *
 * In the environment: PAGERITE_TRACE_OUT names a file for the trace of a finding, PAGERITE_RECORD=1 prints every call to
 * stderr as it is made, PAGERITE_STATS a file that gets the figures at the end ("-": stderr).
 */
#include "harness/writeback.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

static struct writeback_stats stats;
static struct timespec started;
static FILE *record;

static void print_stats(void)
{
    const char *path = getenv("PAGERITE_STATS");
    FILE *out = strcmp(path, "-") == 0 ? stderr : fopen(path, "w");
    struct timespec now;
    if (!out)
        return;
    clock_gettime(CLOCK_MONOTONIC, &now);
    writeback_stats_print(&stats,
                          (double)(now.tv_sec - started.tv_sec) + (double)(now.tv_nsec - started.tv_nsec) * 1e-9, out);
    if (out != stderr)
        fclose(out);
}

/* --- findings --- */

static FILE *trace_file(void)
{
    const char *path = getenv("PAGERITE_TRACE_OUT");
    return path && *path ? fopen(path, "w") : NULL;
}

static void save_trace(const uint8_t *data, size_t bytes)
{
    FILE *out = trace_file();
    if (!out)
        return;
    fprintf(out, "# %s\n", writeback_message());
    writeback_play(data, bytes, out, NULL, NULL);
    fclose(out);
}

/* What the core's own assertions and bad accesses raise. The engine's handlers come after. */
static const int deadly[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP};
enum { DEADLY_COUNT = sizeof deadly / sizeof deadly[0] };
static struct sigaction handlers_before[DEADLY_COUNT];

static void on_signal(int number)
{
    FILE *out = trace_file();
    writeback_report_death(out ? out : stderr);
    if (out)
        fclose(out);
    for (int i = 0; i < DEADLY_COUNT; i++)
        sigaction(deadly[i], &handlers_before[i], NULL);
    raise(number);
}

static void catch_deaths(void)
{
    static int done;
    struct sigaction action = {.sa_handler = on_signal};
    if (done)
        return;
    done = 1;
    for (int i = 0; i < DEADLY_COUNT; i++)
        sigaction(deadly[i], &action, &handlers_before[i]);
}

/* --- the engine's entry points --- */

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    const char *text = getenv("PAGERITE_RECORD");
    (void)argc;
    (void)argv;
    record = text && *text ? stderr : NULL;
    clock_gettime(CLOCK_MONOTONIC, &started);
    if (getenv("PAGERITE_STATS"))
        atexit(print_stats);
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    catch_deaths();
    if (writeback_play(data, bytes, record, stderr, &stats) <= 0)
        return 0;
    save_trace(data, bytes);
    abort();
}
