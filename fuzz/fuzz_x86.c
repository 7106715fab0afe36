/*
 * Fuzzes instructions on pages that come and go.
 *
 * Checks: that every iteration of an instruction ends after at most twice as many faults as it touches pages, plus the
 * calls that interfered; that a fault leaves registers and memory as they were; that nothing is accessed that was not
 * prepared; that every instruction ends once the pager answers; every invariant of one world at the end. Does not
 * check: whether an instruction computes the right values. That is for tests/test_x86_native.c.
 *
 * What bytes mean is in harness/x86_fuzz.c. In the environment: PAGERITE_TRACE_OUT names a file for the trace of a
 * finding, PAGERITE_STATS a file that gets the figures at the end ("-": stderr).
 */
#include "harness/fuzz_stats.h"
#include "harness/x86_fuzz.h"

#include <inttypes.h>
#include <stdlib.h>

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

static struct x86_fuzz_stats stats;

static void print_figures(double seconds, FILE *out)
{
    (void)seconds;
    fprintf(out,
            "instructions\t%" PRIu64 "\nrefused\t%" PRIu64 "\nwaits\t%" PRIu64 "\nexceptions\t%" PRIu64
            "\nended\t%" PRIu64 "\n",
            stats.instructions, stats.refused, stats.waits, stats.exceptions, stats.ended);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    fuzz_stats_begin(print_figures);
    return 0;
}

/* The same input once more, written down. */
static void report(const uint8_t *data, size_t bytes)
{
    const char *path = getenv("PAGERITE_TRACE_OUT");
    FILE *out = path != NULL ? fopen(path, "w") : NULL;

    fprintf(stderr, "X86: %s\n", x86_fuzz_message());
    x86_fuzz(data, bytes, out != NULL ? out : stderr, NULL);
    if (out != NULL)
        fclose(out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    if (x86_fuzz(data, bytes, NULL, &stats) != 1)
        return 0;
    report(data, bytes);
    abort();
}
