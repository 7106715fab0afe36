/*
 * The map of a VMO with a million runs, and the reset of a world.
 */
#include <stdlib.h>

#include "harness/bench_rig.h"

/* ---- maps of many runs ----------------------------------------------------------------------------------------------- */

#define PRESENT_PAGES 1000000u
#define MANY_RUNS PRESENT_PAGES
#define FEW_RUNS 100u
#define MAP_SAMPLES 4000u

/* A VMO whose pages are present in every fourth run of pages, in so many runs. */
struct sparse {
    uint64_t vmo;
    uint64_t run_pages;
    struct samples reads, supplies;
};

static void sparse_init(struct rig *rig, struct sparse *sparse, uint32_t runs)
{
    uint64_t pages = PRESENT_PAGES / runs, aux = new_vmo(rig, pages);

    sparse->run_pages = pages;
    sparse->vmo = new_pager_vmo(rig, UINT64_C(4) * PRESENT_PAGES, 0);
    for (uint64_t run = 0; run < runs; run++) {
        commit(rig, aux, 0, pages);
        supply(rig, sparse->vmo, 4 * run * pages, pages, aux);
    }
    close_handle(rig, aux);
    require(runs_of(rig, sparse->vmo) == runs, "the map has not its runs");
}

/* A present page: the n-th. */
static uint64_t present_page(const struct sparse *sparse, uint64_t n)
{
    return n / sparse->run_pages * 4 * sparse->run_pages + n % sparse->run_pages;
}

/* An absent page that has no present neighbour: supplied, it is a run of its own. */
static uint64_t absent_page(const struct sparse *sparse, uint64_t n)
{
    return present_page(sparse, n) + 2 * sparse->run_pages;
}

static void sample_read(struct rig *rig, struct sparse *sparse)
{
    const uint64_t offset = bytes_of(present_page(sparse, random_below(PRESENT_PAGES)));
    char page[PAGE_BYTES];

    add_sample(&sparse->reads,
               timed(rig, PGR_CALL_VMO_READ, (const uint64_t[PGR_ARGS_MAX]){sparse->vmo, 0, offset, sizeof(page)}, page,
                     sizeof(page)));
}

static uint64_t sample_supply(struct rig *rig, struct sparse *sparse)
{
    const uint64_t offset = bytes_of(absent_page(sparse, random_below(PRESENT_PAGES)));
    uint64_t aux = new_vmo(rig, 1);

    commit(rig, aux, 0, 1);
    add_sample(&sparse->supplies, TIMED(rig, PAGER_SUPPLY_PAGES, rig->pager, sparse->vmo, offset, bytes_of(1), aux, 0));
    close_handle(rig, aux);
    return offset;
}

/* Evicts the page again, so that a small map keeps the runs that it has. */
static void take_back(struct rig *rig, const struct sparse *sparse, uint64_t offset)
{
    CALL(rig, VMO_OP_RANGE, 0, sparse->vmo, ZX_VMO_OP_DONT_NEED, offset, bytes_of(1));
    CALL(rig, RECLAIM, 0, 1);
}

/*
 * The same pages of two VMOs of the same size are present, in a million runs here and in a hundred there. What the two
 * hold is the same, and lies as far from the processor; what differs is the map.
 */
static void maps_of_many_runs(void)
{
    static struct sparse many, few;
    struct rig rig;

    rig_init(&rig, 2 * PRESENT_PAGES + (1u << 16), 3 * MANY_RUNS);
    /* Pages are evicted in the order in which their VMOs were made. */
    sparse_init(&rig, &few, FEW_RUNS);
    sparse_init(&rig, &many, MANY_RUNS);
    for (uint32_t i = 0; i < MAP_SAMPLES; i++) {
        sample_read(&rig, &many);
        sample_read(&rig, &few);
        sample_supply(&rig, &many);
        take_back(&rig, &few, sample_supply(&rig, &few));
    }
    require(runs_of(&rig, few.vmo) == FEW_RUNS, "the small map has not kept its runs");
    rig_free(&rig);
    report("one-page supply, map of 10^6 runs / 10^2", median(&many.supplies) / median(&few.supplies), 4);
    report("one-page read, map of 10^6 runs / 10^2", median(&many.reads) / median(&few.reads), 4);
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
