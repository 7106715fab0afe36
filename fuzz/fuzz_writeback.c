/*
 * Fuzzes dirty tracking: a file system at play, its disk compared byte by byte. Checks F1 to F4 of harness/writeback.h and
 * what the sanitizers and the core's own assertions see.
 *
 * In the environment: PAGERITE_TRACE_OUT names a file or folder for the trace of a finding, PAGERITE_RECORD=1 prints
 * every call to stderr as it is made, PAGERITE_STATS a file that gets the figures at the end ("-": stderr).
 */
#include "harness/finding.h"
#include "harness/fuzz_stats.h"
#include "harness/writeback.h"

#include <stdlib.h>

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

static struct writeback_stats stats;
static FILE *record;

static void print_figures(double seconds, FILE *out)
{
    writeback_stats_print(&stats, seconds, out);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    const char *text = getenv("PAGERITE_RECORD");
    (void)argc;
    (void)argv;
    record = text && *text ? stderr : NULL;
    fuzz_stats_begin(print_figures);
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    finding_catch_deaths(writeback_is_playing, writeback_trace, NULL);
    if (writeback_play(data, bytes, record, &stats) <= 0)
        return 0;
    finding_report(writeback_message(), writeback_trace, NULL, stderr);
    abort();
}
