/*
 * Supplies: of one run, of runs of one page, and operations over ranges of 2^40 pages.
 */
#include <stdlib.h>

#include "harness/bench_rig.h"

/* ---- supply of one run --------------------------------------------------------------------------------------------- */

#define SUPPLY_PAGES (1u << 18)
#define SUPPLY_GAPS (1u << 10)

/* A VMO of which one page in SUPPLY_PAGES / SUPPLY_GAPS is present: as many gaps. */
static uint64_t gapped_vmo(struct rig *rig)
{
    uint64_t vmo = new_pager_vmo(rig, SUPPLY_PAGES, 0), aux = new_vmo(rig, 1);

    for (uint64_t page = 0; page < SUPPLY_PAGES; page += SUPPLY_PAGES / SUPPLY_GAPS) {
        commit(rig, aux, 0, 1);
        supply(rig, vmo, page, 1, aux);
    }
    close_handle(rig, aux);
    return vmo;
}

static void supply_of_one_run(void)
{
    static struct samples one, many, gapped;
    struct rig rig;

    rig_init(&rig, 1u << 20, 1u << 14);
    for (int i = 0; i < 41; i++) {
        rig_reset(&rig);
        uint64_t gapped_to = gapped_vmo(&rig);
        uint64_t gapped_from = committed_vmo(&rig, SUPPLY_PAGES);
        uint64_t many_from = committed_vmo(&rig, SUPPLY_PAGES), many_to = new_pager_vmo(&rig, SUPPLY_PAGES, 0);
        uint64_t one_from = committed_vmo(&rig, 1), one_to = new_pager_vmo(&rig, SUPPLY_PAGES, 0);

        warm_up(&rig);
        if (i & 1)
            add_sample(&one, timed_supply(&rig, one_to, 1, one_from, 1));
        add_sample(&many, timed_supply(&rig, many_to, SUPPLY_PAGES, many_from, 1));
        if (!(i & 1))
            add_sample(&one, timed_supply(&rig, one_to, 1, one_from, 1));
        add_sample(&gapped, timed_supply(&rig, gapped_to, SUPPLY_PAGES, gapped_from, SUPPLY_GAPS) / SUPPLY_GAPS);
    }
    rig_free(&rig);
    report("supply one run, 2^18 pages / 1 page", median(&many) / median(&one), 2);
    report("supply into 2^10 gaps, a gap / 1 page", median(&gapped) / median(&one), 2);
}

/* ---- supply of runs of one page -------------------------------------------------------------------------------------- */

static double ascending_ns_per_page(struct rig *rig, uint32_t pages, int repetitions)
{
    struct samples samples = {.count = 0};

    for (int i = 0; i < repetitions; i++) {
        rig_reset(rig);
        warm_up(rig);
        uint64_t aux = striped_vmo(rig, pages), vmo = new_pager_vmo(rig, pages, 0);
        add_sample(&samples, timed_supply(rig, vmo, pages, aux, pages) / pages);
    }
    return median(&samples);
}

static void supply_of_single_pages_ascending(void)
{
    struct rig rig;
    double worst = 0;

    rig_init(&rig, 1u << 20, 1u << 21);
    double few = ascending_ns_per_page(&rig, 1u << 4, 2001);
    for (uint32_t log = 6; log <= 18; log += 2) {
        double cost = ascending_ns_per_page(&rig, 1u << log, log < 12 ? 201 : 7);
        if (cost > worst)
            worst = cost;
    }
    rig_free(&rig);
    report("supply single-page runs, fresh, a page of 2^18 / of 2^4", worst / few, 2);
}

/* Commits every frame, then gives every second one back, in random order. */
static void churn(struct rig *rig, uint32_t frames)
{
    uint64_t vmo = new_vmo(rig, frames);
    uint32_t *order = random_order(frames);

    commit(rig, vmo, 0, frames);
    for (uint32_t i = 0; i < frames / 2; i++)
        CALL(rig, VMO_OP_RANGE, 0, vmo, ZX_VMO_OP_DECOMMIT, bytes_of(order[i]), bytes_of(1));
    free(order);
}

static double scattered_ns_per_page(struct rig *rig, uint32_t pages)
{
    uint64_t aux = new_vmo(rig, pages), vmo = new_pager_vmo(rig, pages, 0);
    uint32_t *order = random_order(pages);

    for (uint32_t i = 0; i < pages; i++)
        commit(rig, aux, order[i], 1);
    free(order);
    double cost = timed_supply(rig, vmo, pages, aux, pages) / pages;
    close_handle(rig, vmo);
    close_handle(rig, aux);
    return cost;
}

static void supply_of_single_pages_scattered(void)
{
    static struct samples few, many;
    struct rig rig;

    rig_init(&rig, 1u << 20, 1u << 21);
    churn(&rig, (1u << 20) - 16);
    warm_up(&rig);
    for (int i = 0; i < 5; i++) {
        for (int j = 0; j < 200; j++)
            add_sample(&few, scattered_ns_per_page(&rig, 1u << 4));
        add_sample(&many, scattered_ns_per_page(&rig, 1u << 18));
    }
    rig_free(&rig);
    report("supply single-page runs, churned, a page of 2^18 / of 2^4", median(&many) / median(&few), 4);
}

/* ---- ranges of 2^40 pages -------------------------------------------------------------------------------------------- */

#define RUNS_OF_RANGE 10u

/* Where the ten runs lie, in sixteenths of the VMO: with neighbours that touch, and gaps between. */
static const uint64_t run_places[RUNS_OF_RANGE] = {0, 2, 3, 5, 6, 8, 9, 11, 12, 14};

/* Page of run i in a VMO of 16 << scale pages: runs that touch in the small one touch in every one. */
static uint64_t run_page(uint32_t i, uint32_t scale)
{
    if (i > 0 && run_places[i - 1] + 1 == run_places[i])
        return (run_places[i - 1] << scale) + 1;
    return run_places[i] << scale;
}

/* Ten runs of a page each, on frames that do not follow each other. */
static uint64_t ten_runs(struct rig *rig, uint64_t options, uint32_t scale)
{
    uint64_t vmo = CALL(rig, VMO_CREATE, 2, bytes_of(UINT64_C(16) << scale), options);
    uint64_t other = new_vmo(rig, RUNS_OF_RANGE);

    for (uint32_t i = 0; i < RUNS_OF_RANGE; i++) {
        commit(rig, vmo, run_page(i, scale), 1);
        commit(rig, other, i, 1);
    }
    require(runs_of(rig, vmo) == RUNS_OF_RANGE, "ten scattered pages are not ten runs");
    return vmo;
}

static double range_supply(struct rig *rig, uint32_t scale)
{
    uint64_t pages = UINT64_C(16) << scale, aux = ten_runs(rig, 0, scale), vmo = new_pager_vmo(rig, pages, 0);

    return timed_supply(rig, vmo, pages, aux, RUNS_OF_RANGE);
}

/* FAIL over a VMO with ten runs, for which a thread waits in the last gap. */
static double range_fail(struct rig *rig, uint32_t scale)
{
    uint64_t vmo = new_pager_vmo(rig, UINT64_C(16) << scale, 0), aux = new_vmo(rig, 1);
    char page[PAGE_BYTES];

    for (uint32_t i = 0; i < RUNS_OF_RANGE; i++) {
        commit(rig, aux, 0, 1);
        supply(rig, vmo, run_page(i, scale), 1, aux);
        /* Leaves a frame between two runs. */
        commit(rig, new_vmo(rig, 1), 0, 1);
    }
    pgr_call read = {.number = PGR_CALL_VMO_READ, .thread = 1, .buffer = page, .buffer_bytes = sizeof(page)};
    read.arg[0] = vmo;
    read.arg[2] = bytes_of(UINT64_C(15) << scale);
    read.arg[3] = sizeof(page);
    require(dispatch(rig, &read).outcome == PGR_BLOCKED, "a read of an absent page does not block");
    double cost = TIMED(rig, PAGER_OP_RANGE, rig->pager, ZX_PAGER_OP_FAIL, vmo, 0, bytes_of(UINT64_C(16) << scale),
                        (uint64_t)(int64_t)ZX_ERR_IO);
    read.number = PGR_CALL_RESUME;
    require(dispatch(rig, &read).status == ZX_ERR_IO, "a failed read does not return the failure");
    return cost;
}

static double range_op(struct rig *rig, uint32_t scale, uint64_t op)
{
    uint64_t vmo = ten_runs(rig, 0, scale);

    return TIMED(rig, VMO_OP_RANGE, vmo, op, 0, bytes_of(UINT64_C(16) << scale));
}

static double range_zero(struct rig *rig, uint32_t scale)
{
    return range_op(rig, scale, ZX_VMO_OP_ZERO);
}

static double range_decommit(struct rig *rig, uint32_t scale)
{
    return range_op(rig, scale, ZX_VMO_OP_DECOMMIT);
}

static double range_set_size(struct rig *rig, uint32_t scale)
{
    uint64_t vmo = ten_runs(rig, ZX_VMO_RESIZABLE, scale);

    return TIMED(rig, VMO_SET_SIZE, vmo, 0);
}

static void wide_range(const char *name, double (*measure)(struct rig *rig, uint32_t scale))
{
    struct samples wide = {.count = 0}, narrow = {.count = 0};
    struct rig rig;

    rig_init(&rig, 1u << 10, 1u << 10);
    for (int i = 0; i < 2001; i++) {
        rig_reset(&rig);
        warm_up(&rig);
        /* The first measurement of a repetition finds the code cold: let it be either. */
        if (i & 1)
            add_sample(&narrow, measure(&rig, 0));
        add_sample(&wide, measure(&rig, 36));
        if (!(i & 1))
            add_sample(&narrow, measure(&rig, 0));
    }
    rig_free(&rig);
    report(name, median(&wide) / median(&narrow), 3);
}

static void wide_ranges(void)
{
    wide_range("supply, ten runs, 2^40 pages / 16 pages", range_supply);
    wide_range("FAIL, ten runs, 2^40 pages / 16 pages", range_fail);
    wide_range("ZERO, ten runs, 2^40 pages / 16 pages", range_zero);
    wide_range("DECOMMIT, ten runs, 2^40 pages / 16 pages", range_decommit);
    wide_range("set_size, ten runs, 2^40 pages / 16 pages", range_set_size);
}

void bench_supply(void)
{
    supply_of_one_run();
    supply_of_single_pages_ascending();
    supply_of_single_pages_scattered();
    wide_ranges();
}
