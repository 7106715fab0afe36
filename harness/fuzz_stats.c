/* The figures of a fuzz target. See fuzz_stats.h. */
#include "harness/fuzz_stats.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

static fuzz_figures *print_figures;
static struct timespec started;

static double seconds_since_start(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)(now.tv_sec - started.tv_sec) + (double)(now.tv_nsec - started.tv_nsec) * 1e-9;
}

void fuzz_stats_print(void)
{
    const char *path = getenv("PAGERITE_STATS");
    FILE *out;

    if (path == NULL)
        return;
    out = strcmp(path, "-") == 0 ? stderr : fopen(path, "w");
    if (out == NULL)
        return;
    print_figures(seconds_since_start(), out);
    if (out != stderr)
        fclose(out);
}

void fuzz_stats_begin(fuzz_figures *figures)
{
    print_figures = figures;
    clock_gettime(CLOCK_MONOTONIC, &started);
    if (getenv("PAGERITE_STATS") != NULL)
        atexit(fuzz_stats_print);
}
