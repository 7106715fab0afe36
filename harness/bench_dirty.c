/*
 * Dirty tracking: writeback of one run and of many, the query of dirty ranges, and growing by zeros.
 */
#include <stdlib.h>

#include "harness/bench_rig.h"

#define WRITEBACK_PAGES (1u << 18)

static void op_range(struct rig *rig, uint64_t vmo, uint64_t op, uint64_t page, uint64_t pages)
{
    CALL(rig, PAGER_OP_RANGE, 0, rig->pager, op, vmo, bytes_of(page), bytes_of(pages), 0);
}

static double timed_op(struct rig *rig, uint64_t vmo, uint64_t op, uint64_t pages, uint64_t runs)
{
    const uint64_t args[PGR_ARGS_MAX] = {rig->pager, op, vmo, 0, bytes_of(pages), 0};

    if (runs >= LONG_CALL_RUNS)
        return timed_long(rig, PGR_CALL_PAGER_OP_RANGE, args, NULL, 0);
    return timed(rig, PGR_CALL_PAGER_OP_RANGE, args, NULL, 0);
}

/* A VMO that traps writes, supplied from this one. */
static uint64_t trapping_vmo(struct rig *rig, uint64_t pages, uint64_t aux)
{
    uint64_t vmo = new_pager_vmo(rig, pages, ZX_VMO_TRAP_DIRTY);

    supply(rig, vmo, 0, pages, aux);
    close_handle(rig, aux);
    return vmo;
}

/* ---- writeback ----------------------------------------------------------------------------------------------------- */

/* Of dirty pages that are so many runs. */
static double timed_writeback(struct rig *rig, uint64_t vmo, uint64_t pages, uint64_t runs)
{
    op_range(rig, vmo, ZX_PAGER_OP_DIRTY, 0, pages);
    return timed_op(rig, vmo, ZX_PAGER_OP_WRITEBACK_BEGIN, pages, runs) +
           timed_op(rig, vmo, ZX_PAGER_OP_WRITEBACK_END, pages, runs);
}

static void writeback(void)
{
    static struct samples one, many, runs;
    struct rig rig;

    rig_init(&rig, 1u << 20, 1u << 21);
    uint64_t scattered_vmo = trapping_vmo(&rig, WRITEBACK_PAGES, striped_vmo(&rig, WRITEBACK_PAGES));
    uint64_t one_vmo = trapping_vmo(&rig, 1, committed_vmo(&rig, 1));
    uint64_t many_vmo = trapping_vmo(&rig, WRITEBACK_PAGES, committed_vmo(&rig, WRITEBACK_PAGES));

    require(runs_of(&rig, scattered_vmo) == WRITEBACK_PAGES && runs_of(&rig, many_vmo) == 1, "not the runs expected");
    for (int i = 0; i < 2000; i++) {
        add_sample(&one, timed_writeback(&rig, one_vmo, 1, 1));
        add_sample(&many, timed_writeback(&rig, many_vmo, WRITEBACK_PAGES, 1));
    }
    for (int i = 0; i < 7; i++)
        add_sample(&runs, timed_writeback(&rig, scattered_vmo, WRITEBACK_PAGES, WRITEBACK_PAGES) / WRITEBACK_PAGES);
    rig_free(&rig);
    report("writeback begin and end, one run of 2^18 pages / 1 page", median(&many) / median(&one), 2);
    mention("writeback begin and end, a page of 2^18 runs / 1 page", median(&runs) / median(&one));
}

/* ---- query --------------------------------------------------------------------------------------------------------- */

#define DIRTY_RANGES 100000u

static double timed_query(struct rig *rig, uint64_t vmo, uint32_t ranges, zx_vmo_dirty_range_t *buffer)
{
    const uint64_t args[PGR_ARGS_MAX] = {rig->pager, vmo, 0, bytes_of(2u * ranges), 0, ranges};

    if (ranges >= LONG_CALL_RUNS)
        return timed_long(rig, PGR_CALL_PAGER_QUERY_DIRTY_RANGES, args, buffer, ranges * sizeof(*buffer));
    return timed(rig, PGR_CALL_PAGER_QUERY_DIRTY_RANGES, args, buffer, ranges * sizeof(*buffer));
}

static void query_dirty_ranges(void)
{
    static struct samples one, many;
    struct rig rig;
    zx_vmo_dirty_range_t *buffer = calloc(DIRTY_RANGES, sizeof(*buffer));

    require(buffer != NULL, "out of memory");
    rig_init(&rig, 1u << 18, 1u << 20);
    uint64_t vmo = trapping_vmo(&rig, 2u * DIRTY_RANGES, committed_vmo(&rig, 2u * DIRTY_RANGES));
    for (uint32_t i = 0; i < DIRTY_RANGES; i++)
        op_range(&rig, vmo, ZX_PAGER_OP_DIRTY, 2 * i, 1);
    for (int i = 0; i < 40; i++) {
        for (int j = 0; j < 50; j++)
            add_sample(&one, timed_query(&rig, vmo, 1, buffer));
        add_sample(&many, timed_query(&rig, vmo, DIRTY_RANGES, buffer) / DIRTY_RANGES);
    }
    require(buffer[DIRTY_RANGES - 1].offset == bytes_of(2 * (DIRTY_RANGES - 1)), "not the ranges expected");
    rig_free(&rig);
    free(buffer);
    mention("query of dirty ranges, a range of 10^5 / 1 range", median(&many) / median(&one));
}

/* ---- growing ------------------------------------------------------------------------------------------------------- */

/* Grows a VMO of one page to 16 << scale pages, and writes one page in the middle. */
static double timed_growth(struct rig *rig, uint32_t scale)
{
    char page[PAGE_BYTES] = {1};
    uint64_t vmo = new_pager_vmo(rig, 1, ZX_VMO_RESIZABLE);
    const uint64_t write[PGR_ARGS_MAX] = {vmo, 0, bytes_of(UINT64_C(8) << scale), sizeof(page)};

    supply(rig, vmo, 0, 1, committed_vmo(rig, 1));
    return TIMED(rig, VMO_SET_SIZE, vmo, bytes_of(UINT64_C(16) << scale)) +
           timed(rig, PGR_CALL_VMO_WRITE, write, page, sizeof(page));
}

static void growing(void)
{
    static struct samples wide, narrow;
    struct rig rig;

    rig_init(&rig, 1u << 10, 1u << 10);
    for (int i = 0; i < 2000; i++) {
        rig_reset(&rig);
        warm_up(&rig);
        if (i & 1)
            add_sample(&narrow, timed_growth(&rig, 0));
        add_sample(&wide, timed_growth(&rig, 36));
        if (!(i & 1))
            add_sample(&narrow, timed_growth(&rig, 0));
    }
    rig_free(&rig);
    mention("grow and write one page, to 2^40 pages / to 16 pages", median(&wide) / median(&narrow));
}

void bench_dirty(void)
{
    writeback();
    query_dirty_ranges();
    growing();
}
