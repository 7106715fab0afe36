/*
 * Measures the core against its bounds: `./build.sh bench`. Prints a line a bound,
 *
 *   name<TAB>value<TAB>unit<TAB>bound<TAB>ok or MISSED
 *
 * Values are ratios of two costs measured in the same run, each the median of repeated dispatches; what prepares a
 * dispatch is outside of the clock, and the two sides of a ratio take turns, so that both meet the same machine.
 * Uses the core as any embedder does. Status 1 if a bound was missed. The rates of fuzz_calls are ci/bench.sh's.
 *
 *   bench [THEME]...    only these: supply, maps, space, snapshots, dirty, x86
 */
#include <string.h>

#include "harness/bench_rig.h"

static const struct {
    const char *name;
    void (*measure)(void);
} themes[] = {
    {"supply", bench_supply},       {"maps", bench_maps},   {"space", bench_space},
    {"snapshots", bench_snapshots}, {"dirty", bench_dirty}, {"x86", bench_x86},
};

static int wanted(const char *theme, int count, char **arguments)
{
    for (int i = 1; i < count; i++) {
        if (strcmp(arguments[i], theme) == 0)
            return 1;
    }
    return count <= 1;
}

int main(int argc, char **argv)
{
    for (uint32_t i = 0; i < sizeof(themes) / sizeof(themes[0]); i++) {
        if (wanted(themes[i].name, argc, argv))
            themes[i].measure();
    }
    return bound_missed();
}
