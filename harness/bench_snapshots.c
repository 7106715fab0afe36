/*
 * Snapshots of one run of pages, and the first write after one.
 */
#include "harness/bench_rig.h"

#define SNAPSHOT_PAGES 100000u

/* A snapshot, then a write of one page in the middle of the run, to the child or to the parent. */
static void sample_snapshot(struct rig *rig, uint64_t parent, uint64_t pages, int write_child,
                            struct samples *snapshots, struct samples *writes)
{
    char page[PAGE_BYTES] = {1};
    pgr_call c = {.number = PGR_CALL_VMO_CREATE_CHILD, .arg = {parent, ZX_VMO_CHILD_SNAPSHOT, 0, bytes_of(pages)}};
    pgr_result result;

    double begin = now_ns();
    pgr_dispatch(rig->world, rig->frames, &c, &result);
    add_sample(snapshots, elapsed_ns(begin));
    require(result.outcome == PGR_DONE && result.status == ZX_OK, "a snapshot cannot be made");

    const uint64_t write[PGR_ARGS_MAX] = {write_child ? result.out[4] : parent, 0, bytes_of(pages / 2), sizeof(page)};
    add_sample(writes, timed(rig, PGR_CALL_VMO_WRITE, write, page, sizeof(page)));
    close_handle(rig, result.out[4]);
}

void bench_snapshots(void)
{
    static struct samples snapshot_one, snapshot_many, write_one, write_many;
    struct rig rig;

    rig_init(&rig, 3 * SNAPSHOT_PAGES, 1u << 10);
    for (int i = 0; i < 1000; i++) {
        rig_reset(&rig);
        warm_up(&rig);
        uint64_t one = committed_vmo(&rig, 1), many = committed_vmo(&rig, SNAPSHOT_PAGES);

        if (i & 1)
            sample_snapshot(&rig, one, 1, i & 2, &snapshot_one, &write_one);
        sample_snapshot(&rig, many, SNAPSHOT_PAGES, i & 2, &snapshot_many, &write_many);
        if (!(i & 1))
            sample_snapshot(&rig, one, 1, i & 2, &snapshot_one, &write_one);
    }
    rig_free(&rig);
    report("snapshot of one run, 10^5 pages / 1 page", median(&snapshot_many) / median(&snapshot_one), 2);
    report("first write after it, 10^5 pages / 1 page", median(&write_many) / median(&write_one), 3);
}
