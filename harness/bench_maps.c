/*
 * The map of a VMO with a million runs, and the reset of a world.
 */
#include <stdlib.h>

#include "harness/bench_rig.h"

/* ---- maps of many runs ----------------------------------------------------------------------------------------------- */

#define MANY_RUNS 1000000u
#define FEW_RUNS 100u
#define COLD_SAMPLES 200u
#define WARM_SAMPLES 2000u

/* A VMO with a present page in every four. */
static uint64_t sparse_vmo(struct rig *rig, uint32_t runs)
{
    uint64_t vmo = new_pager_vmo(rig, UINT64_C(4) * runs, 0), aux = new_vmo(rig, 1);

    for (uint64_t run = 0; run < runs; run++) {
        commit(rig, aux, 0, 1);
        supply(rig, vmo, 4 * run, 1, aux);
    }
    close_handle(rig, aux);
    return vmo;
}

/* Supplies the absent page in the middle of the gap behind this run. */
static double one_page_supply(struct rig *rig, uint64_t vmo, uint64_t run, int cold)
{
    uint64_t aux = new_vmo(rig, 1);

    commit(rig, aux, 0, 1);
    if (cold)
        chill();
    double cost = TIMED(rig, PAGER_SUPPLY_PAGES, rig->pager, vmo, bytes_of(4 * run + 2), bytes_of(1), aux, 0);
    close_handle(rig, aux);
    return cost;
}

static double one_page_read(struct rig *rig, uint64_t vmo, uint64_t run, int cold)
{
    char page[PAGE_BYTES];
    const uint64_t args[PGR_ARGS_MAX] = {vmo, 0, bytes_of(4 * run), sizeof(page)};

    if (cold)
        chill();
    return timed(rig, PGR_CALL_VMO_READ, args, page, sizeof(page));
}

struct map_samples {
    struct samples read_many, read_few, supply_many, supply_few;
};

/* `gaps_many` and `gaps_few` are random orders of the maps' gaps; none is supplied twice. */
static void sample_maps(struct rig *rig, struct map_samples *to, uint64_t many, const uint32_t *gaps_many, int cold)
{
    uint32_t *gaps_few = random_order(FEW_RUNS);
    uint64_t few = 0;

    for (uint32_t i = 0; i < (cold ? COLD_SAMPLES : WARM_SAMPLES); i++) {
        /* The small map stays one of about a hundred runs: it is made anew after every ten supplies. */
        if (i % 10 == 0) {
            if (few)
                close_handle(rig, few);
            few = sparse_vmo(rig, FEW_RUNS);
        }
        add_sample(&to->read_many, one_page_read(rig, many, random_below(MANY_RUNS), cold));
        add_sample(&to->read_few, one_page_read(rig, few, random_below(FEW_RUNS), cold));
        add_sample(&to->supply_many, one_page_supply(rig, many, gaps_many[i], cold));
        add_sample(&to->supply_few, one_page_supply(rig, few, gaps_few[i % 10], cold));
    }
    close_handle(rig, few);
    free(gaps_few);
}

/*
 * Judged as a program meets the maps, so that the large one pays for what the caches cannot hold of it; the same with cold
 * caches on both sides stands beside it, and tells the work from the misses.
 */
static void maps_of_many_runs(void)
{
    static struct map_samples cold, warm;
    struct rig rig;

    rig_init(&rig, MANY_RUNS + (1u << 16), 3 * MANY_RUNS);
    uint64_t many = sparse_vmo(&rig, MANY_RUNS);
    uint32_t *gaps = random_order(MANY_RUNS);
    require(runs_of(&rig, many) == MANY_RUNS, "the map has not its million runs");
    sample_maps(&rig, &cold, many, gaps, 1);
    sample_maps(&rig, &warm, many, gaps + COLD_SAMPLES, 0);
    free(gaps);
    rig_free(&rig);
    report("one-page supply, map of 10^6 runs / 10^2", median(&warm.supply_many) / median(&warm.supply_few), 4);
    report("one-page read, map of 10^6 runs / 10^2", median(&warm.read_many) / median(&warm.read_few), 4);
    mention("one-page supply, the same with cold caches", median(&cold.supply_many) / median(&cold.supply_few));
    mention("one-page read, the same with cold caches", median(&cold.read_many) / median(&cold.read_few));
}

/* ---- reset ------------------------------------------------------------------------------------------------------------ */

static void sixteen_calls(struct rig *rig)
{
    furnish(rig);
    for (int i = 0; i < 2; i++) {
        uint64_t vmo = new_pager_vmo(rig, 4, 0), aux = new_vmo(rig, 4);

        commit(rig, aux, 0, 4);
        supply(rig, vmo, 0, 4, aux);
        CALL(rig, VMO_SET_SIZE, 0, CALL(rig, VMO_CREATE, 2, bytes_of(2), ZX_VMO_RESIZABLE), bytes_of(1));
        close_handle(rig, aux);
    }
}

static double timed_reset(struct rig *rig)
{
    sixteen_calls(rig);
    double begin = now_ns();
    pgr_reset(rig->world);
    return now_ns() - begin - clock_ns();
}

static void reset(void)
{
    static struct samples small, large;
    struct rig small_rig, large_rig;

    rig_init(&small_rig, 256, 256);
    rig_init(&large_rig, 65536, 65536);
    pgr_reset(small_rig.world);
    pgr_reset(large_rig.world);
    for (int i = 0; i < 2001; i++) {
        add_sample(&small, timed_reset(&small_rig));
        add_sample(&large, timed_reset(&large_rig));
    }
    rig_free(&small_rig);
    rig_free(&large_rig);
    report("reset after 16 calls, 65,536 frames / 256 frames", median(&large) / median(&small), 1.5);
}

void bench_maps(void)
{
    maps_of_many_runs();
    reset();
}
