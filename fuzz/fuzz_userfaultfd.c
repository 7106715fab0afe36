/*
 * Fuzzes the core against Linux: the same accesses and the same answers of a pager, on the core and on real memory under
 * userfaultfd, compared after each operation (harness/uffd.h; docs/userfaultfd.md says what corresponds to what).
 *
 * Where userfaultfd cannot be used it says so and ends with status 0; with PAGERITE_REQUIRE_UFFD=1 in the environment
 * that is a failure. PAGERITE_TRACE_OUT names a file for the trace of a finding, PAGERITE_RECORD=1 prints every operation
 * to stderr as it is done, PAGERITE_STATS a file that gets the figures at the end ("-": stderr).
 */
#include "harness/uffd.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

static struct timespec started;
static FILE *record;

static int is_set(const char *name)
{
    const char *text = getenv(name);
    return text && *text && strcmp(text, "0") != 0;
}

static void print_stats(void)
{
    const char *path = getenv("PAGERITE_STATS");
    FILE *out = strcmp(path, "-") == 0 ? stderr : fopen(path, "w");
    struct timespec now;
    if (!out)
        return;
    clock_gettime(CLOCK_MONOTONIC, &now);
    uffd_stats_print((double)(now.tv_sec - started.tv_sec) + (double)(now.tv_nsec - started.tv_nsec) * 1e-9, out);
    if (out != stderr)
        fclose(out);
}

/* Ends the process where there is nothing to compare with. */
static void look_for_userfaultfd(void)
{
    if (uffd_usable())
        return;
    fprintf(stderr, "fuzz_userfaultfd: nothing done: %s\n", uffd_message());
    _Exit(is_set("PAGERITE_REQUIRE_UFFD") ? 1 : 0);
}

static void save_trace(const uint8_t *data, size_t bytes)
{
    const char *path = getenv("PAGERITE_TRACE_OUT");
    FILE *out = path && *path ? fopen(path, "w") : NULL;
    if (!out)
        return;
    fprintf(out, "# %s\n", uffd_message());
    uffd_play(data, bytes, out, NULL);
    fclose(out);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    record = is_set("PAGERITE_RECORD") ? stderr : NULL;
    clock_gettime(CLOCK_MONOTONIC, &started);
    if (getenv("PAGERITE_STATS"))
        atexit(print_stats);
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    static int looked;
    if (!looked)
        look_for_userfaultfd();
    looked = 1;
    if (uffd_play(data, bytes, record, stderr) == 0)
        return 0;
    save_trace(data, bytes);
    abort();
}
