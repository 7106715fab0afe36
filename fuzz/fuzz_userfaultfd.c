/*
 * Fuzzes the core against Linux: the same accesses and the same answers of a pager, on the core and on real memory under
 * userfaultfd, compared after each operation (harness/uffd.h; docs/userfaultfd.md says what corresponds to what).
 *
 * Where userfaultfd cannot be used it says so and ends with status 0; with PAGERITE_REQUIRE_UFFD=1 in the environment
 * that is a failure. PAGERITE_TRACE_OUT names a file or folder for the trace of a finding, PAGERITE_RECORD=1 prints every operation
 * to stderr as it is done, PAGERITE_STATS a file that gets the figures at the end ("-": stderr).
 */
#include "harness/finding.h"
#include "harness/fuzz_stats.h"
#include "harness/uffd.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

static FILE *record;

static int is_set(const char *name)
{
    const char *text = getenv(name);
    return text && *text && strcmp(text, "0") != 0;
}

/* Ends the process where there is nothing to compare with. */
static void look_for_userfaultfd(void)
{
    if (uffd_usable())
        return;
    fprintf(stderr, "fuzz_userfaultfd: nothing done: %s\n", uffd_message());
    _Exit(is_set("PAGERITE_REQUIRE_UFFD") ? 1 : 0);
}

struct input {
    const uint8_t *data;
    size_t bytes;
};

/* The same input once more, written down. */
static void write_trace(void *context, FILE *out)
{
    const struct input *input = context;
    uffd_play(input->data, input->bytes, out, NULL);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    record = is_set("PAGERITE_RECORD") ? stderr : NULL;
    fuzz_stats_begin(uffd_stats_print);
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
    finding_save(uffd_message(), write_trace, &(struct input){data, bytes});
    abort();
}
