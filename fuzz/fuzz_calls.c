/*
 * Fuzzes the core with sequences of calls.
 *
 * Checks: every invariant of harness/check.h around each dispatch, walks over the whole world from time to time and at
 * the end, H2 (everything closed and killed leaves a fresh world), that the same input gives the same world byte for
 * byte (a share of the inputs), and what the sanitizers and the core's own assertions see. Does not check: whether a
 * status or a packet is the right one. That is for the oracle and the traces.
 *
 * What bytes mean is in harness/program.h. In the environment: PAGERITE_TRACE_OUT names a file or folder for the trace
 * of a finding, PAGERITE_STATS a file that gets the figures at the end ("-": stderr), PAGERITE_CHECKS=0 turns all
 * checkers off, and =all walks over the whole world and compares it around each call, PAGERITE_RERUN=1 runs every input
 * twice.
 */
#include "harness/executor.h"
#include "harness/fuzz_stats.h"
#include "harness/mutate.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t most, unsigned seed);
size_t LLVMFuzzerCustomCrossOver(const uint8_t *first, size_t first_size, const uint8_t *second, size_t second_size,
                                 uint8_t *out, size_t most, unsigned seed);
__attribute__((weak)) size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t most);

static struct execution_stats stats;
static int without_checks, all_checks, rerun_all;

static int is_set(const char *name, const char *value)
{
    const char *text = getenv(name);
    return text && strcmp(text, value) == 0;
}

static void print_figures(double seconds, FILE *out)
{
    execution_stats_print(&stats, seconds, out);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    without_checks = is_set("PAGERITE_CHECKS", "0");
    all_checks = is_set("PAGERITE_CHECKS", "all");
    rerun_all = is_set("PAGERITE_RERUN", "1");
    fuzz_stats_begin(print_figures);
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    struct execution_options options;
    execution_catch_crashes();
    execution_options_sampled(&options, data, bytes);
    if (without_checks)
        options = (struct execution_options){.report = stderr};
    if (all_checks)
        options.hash_every = options.walk_every = 1;
    if (rerun_all)
        options.rerun = 1;
    if (execute_program(data, bytes, &options, &stats)) {
        fuzz_stats_print();
        abort();
    }
    return 0;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t most, unsigned seed)
{
    return mutate_program(data, size, most, seed, LLVMFuzzerMutate);
}

size_t LLVMFuzzerCustomCrossOver(const uint8_t *first, size_t first_size, const uint8_t *second, size_t second_size,
                                 uint8_t *out, size_t most, unsigned seed)
{
    return mutate_cross(first, first_size, second, second_size, out, most, seed);
}
