/*
 * Fuzzes the core against the oracle with sequences of calls.
 *
 * Checks: that both return the same of every call, packets and buffers and the order of released threads included, and
 * that they hold the same pages in the same states, every few calls and at the end; and what the sanitizers and the
 * core's own assertions see. Does not check: invariants, and what a world does whose objects, handles, packets or runs
 * run out, for the oracle has as many as it likes. That is for fuzz_calls.
 *
 * What bytes mean is in harness/program.h. In the environment: PAGERITE_TRACE_OUT names a file or folder for the trace
 * of a finding, PAGERITE_STATS a file that gets the figures at the end ("-": stderr).
 */
#include "harness/diff_program.h"
#include "harness/fuzz_stats.h"
#include "harness/mutate.h"

#include <stdlib.h>

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t most, unsigned seed);
size_t LLVMFuzzerCustomCrossOver(const uint8_t *first, size_t first_size, const uint8_t *second, size_t second_size,
                                 uint8_t *out, size_t most, unsigned seed);
__attribute__((weak)) size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t most);

static struct diff_player *player;

static void print_figures(double seconds, FILE *out)
{
    struct diff_stats stats;

    (void)seconds;
    diff_player_stats(player, &stats);
    fprintf(out, "executions\t%llu\ncalls\t%llu\nfull\t%llu\n", (unsigned long long)stats.programs,
            (unsigned long long)stats.steps, (unsigned long long)stats.full);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    static const struct diff_options options = {.strict = 1, .look_every = 16};
    struct implementation *core = implementation_core(), *oracle = implementation_oracle();

    (void)argc;
    (void)argv;
    if (core != NULL && oracle != NULL)
        player = diff_player_new(core, oracle, &options);
    if (player == NULL)
        abort();
    fuzz_stats_begin(print_figures);
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    diff_player_catch_deaths(player);
    if (diff_player_run(player, data, bytes) == NULL)
        return 0;
    diff_player_report(player, stderr);
    abort();
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
