/*
 * Measures the core against its bounds: `./build.sh bench`. Prints a line a bound,
 *
 *   name<TAB>value<TAB>unit<TAB>bound<TAB>ok or MISSED
 *
 * Values are ratios of two costs measured in the same run, each the median of repeated dispatches; what prepares a
 * dispatch is outside of the clock, and the two sides of a ratio take turns, so that both meet the same machine.
 * Uses the core as any embedder does. Status 1 if a bound was missed. The rates of fuzz_calls are ci/bench.sh's.
 */
#define _GNU_SOURCE
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include "core/pgr.h"

#define PAGE_SHIFT 4u
#define PAGE_BYTES (1u << PAGE_SHIFT)
#define SAMPLES_MAX 4096u

/* A world to measure in, with the pager and port that every measurement needs. */
struct rig {
    pgr_world *world;
    void *frames;
    pgr_config config;
    uint64_t port;
    uint64_t pager;
};

struct samples {
    double ns[SAMPLES_MAX];
    uint32_t count;
};

static int missed;

/* ---- machinery ------------------------------------------------------------------------------------------------- */

static void require(int condition, const char *what)
{
    if (condition)
        return;
    fprintf(stderr, "bench: %s\n", what);
    exit(2);
}

static void report(const char *name, double value, double bound)
{
    int ok = value <= bound;

    printf("%s\t%.2f\tx\t<=%.2f\t%s\n", name, value, bound, ok ? "ok" : "MISSED");
    fflush(stdout);
    missed |= !ok;
}

/* A ratio without a bound. */
static void mention(const char *name, double value)
{
    printf("%s\t%.2f\tx\t-\tok\n", name, value);
    fflush(stdout);
}

static double now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static int compare_doubles(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static void add_sample(struct samples *samples, double ns)
{
    require(samples->count < SAMPLES_MAX, "too many samples");
    samples->ns[samples->count++] = ns;
}

static double median(struct samples *samples)
{
    require(samples->count > 0, "no samples");
    qsort(samples->ns, samples->count, sizeof(samples->ns[0]), compare_doubles);
    return samples->ns[samples->count / 2];
}

/* What reading the clock twice costs: part of every sample, and no cost of the core. */
static double clock_ns(void)
{
    static double cost;
    static struct samples samples;

    if (cost > 0)
        return cost;
    for (int i = 0; i < 1001; i++) {
        double begin = now_ns();
        add_sample(&samples, now_ns() - begin);
    }
    cost = median(&samples);
    return cost;
}

static uint64_t random_state = 0x9e3779b97f4a7c15u;

static uint64_t random_below(uint64_t bound)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state % bound;
}

/* A permutation of 0 .. count-1, to be freed. */
static uint32_t *random_order(uint32_t count)
{
    uint32_t *order = malloc(count * sizeof(*order));

    require(order != NULL, "out of memory");
    for (uint32_t i = 0; i < count; i++) {
        uint32_t j = (uint32_t)random_below(i + 1u);
        order[i] = order[j];
        order[j] = i;
    }
    return order;
}

static void *map_memory(uint64_t bytes)
{
    void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    require(memory != MAP_FAILED, "cannot map memory");
    return memory;
}

/* ---- calls ------------------------------------------------------------------------------------------------------ */

static pgr_result dispatch(struct rig *rig, const pgr_call *call)
{
    pgr_result result;

    pgr_dispatch(rig->world, rig->frames, call, &result);
    return result;
}

/* A call that must return ZX_OK; returns what it returned at place `out`. */
static uint64_t call(struct rig *rig, uint32_t number, const uint64_t args[PGR_ARGS_MAX], uint32_t out)
{
    pgr_call c = {.number = number};
    memcpy(c.arg, args, sizeof(c.arg));
    pgr_result result = dispatch(rig, &c);

    if (result.outcome != PGR_DONE || result.status != ZX_OK) {
        fprintf(stderr, "bench: %s: outcome %u, status %d\n", pgr_call_row(number)->name, result.outcome,
                result.status);
        exit(2);
    }
    return result.out[out];
}

#define CALL(rig, name, out, ...) call(rig, PGR_CALL_##name, (const uint64_t[PGR_ARGS_MAX]){__VA_ARGS__}, out)

/* The cost of one call that must return ZX_OK, in ns. */
static double timed(struct rig *rig, uint32_t number, const uint64_t args[PGR_ARGS_MAX], void *buffer,
                    uint64_t buffer_bytes)
{
    pgr_call c = {.number = number, .buffer = buffer, .buffer_bytes = buffer_bytes};
    pgr_result result;
    memcpy(c.arg, args, sizeof(c.arg));
    double overhead = clock_ns();

    double begin = now_ns();
    pgr_dispatch(rig->world, rig->frames, &c, &result);
    double end = now_ns();
    if (result.outcome != PGR_DONE || result.status != ZX_OK) {
        fprintf(stderr, "bench: timed %s: outcome %u, status %d\n", pgr_call_row(number)->name, result.outcome,
                result.status);
        exit(2);
    }
    return end - begin > overhead ? end - begin - overhead : 1.0;
}

#define TIMED(rig, name, ...) timed(rig, PGR_CALL_##name, (const uint64_t[PGR_ARGS_MAX]){__VA_ARGS__}, NULL, 0)

static uint64_t bytes_of(uint64_t pages)
{
    return pages << PAGE_SHIFT;
}

static uint64_t new_vmo(struct rig *rig, uint64_t pages)
{
    return CALL(rig, VMO_CREATE, 2, bytes_of(pages), 0);
}

static uint64_t new_pager_vmo(struct rig *rig, uint64_t pages)
{
    return CALL(rig, PAGER_CREATE_VMO, 5, rig->pager, 0, rig->port, 0, bytes_of(pages));
}

static void commit(struct rig *rig, uint64_t vmo, uint64_t page, uint64_t pages)
{
    CALL(rig, VMO_OP_RANGE, 0, vmo, ZX_VMO_OP_COMMIT, bytes_of(page), bytes_of(pages));
}

static void supply(struct rig *rig, uint64_t vmo, uint64_t page, uint64_t pages, uint64_t aux)
{
    CALL(rig, PAGER_SUPPLY_PAGES, 0, rig->pager, vmo, bytes_of(page), bytes_of(pages), aux, 0);
}

static void close_handle(struct rig *rig, uint64_t handle)
{
    CALL(rig, HANDLE_CLOSE, 0, handle);
}

/* A fresh world's port and pager, and one supply, so that the code is warm. */
static void furnish(struct rig *rig)
{
    rig->port = CALL(rig, PORT_CREATE, 1, 0);
    rig->pager = CALL(rig, PAGER_CREATE, 1, 0);
}

static void warm_up(struct rig *rig)
{
    uint64_t aux = new_vmo(rig, 1), vmo = new_pager_vmo(rig, 1);

    commit(rig, aux, 0, 1);
    supply(rig, vmo, 0, 1, aux);
    close_handle(rig, vmo);
    close_handle(rig, aux);
}

static void rig_init(struct rig *rig, uint32_t frame_count, uint32_t run_count)
{
    pgr_config_default(&rig->config);
    rig->config.page_shift = PAGE_SHIFT;
    rig->config.frame_count = frame_count;
    rig->config.run_count = run_count;
    uint64_t bytes = pgr_world_bytes(&rig->config);
    require(bytes > 0, "the configuration is refused");
    rig->frames = map_memory(pgr_frames_bytes(&rig->config));
    require(pgr_init(map_memory(bytes), bytes, &rig->config, &rig->world) == ZX_OK, "pgr_init fails");
    furnish(rig);
}

static void rig_free(struct rig *rig)
{
    munmap(rig->frames, pgr_frames_bytes(&rig->config));
    munmap(rig->world, pgr_world_bytes(&rig->config));
}

static void rig_reset(struct rig *rig)
{
    pgr_reset(rig->world);
    furnish(rig);
}

/* How many runs this VMO's pages are. */
static uint32_t runs_of(struct rig *rig, uint64_t vmo)
{
    uint32_t row, pages, count = 0;
    pgr_run_view run = {0};

    require(pgr_inspect_vmo(rig->world, (zx_handle_t)vmo, &row, &pages), "no such VMO");
    for (uint64_t page = 0; pgr_inspect_run(rig->world, pages, page, &run); page = run.page + run.count)
        count++;
    return count;
}

/* ---- supply of one run --------------------------------------------------------------------------------------------- */

#define SUPPLY_PAGES (1u << 18)
#define SUPPLY_GAPS (1u << 10)

static uint64_t committed_vmo(struct rig *rig, uint64_t pages)
{
    uint64_t vmo = new_vmo(rig, pages);

    commit(rig, vmo, 0, pages);
    require(runs_of(rig, vmo) == 1, "a VMO that was committed at once is not one run");
    return vmo;
}

/* A VMO of which one page in SUPPLY_PAGES / SUPPLY_GAPS is present: as many gaps. */
static uint64_t gapped_vmo(struct rig *rig)
{
    uint64_t vmo = new_pager_vmo(rig, SUPPLY_PAGES), aux = new_vmo(rig, 1);

    for (uint64_t page = 0; page < SUPPLY_PAGES; page += SUPPLY_PAGES / SUPPLY_GAPS) {
        commit(rig, aux, 0, 1);
        supply(rig, vmo, page, 1, aux);
    }
    close_handle(rig, aux);
    return vmo;
}

static double timed_supply(struct rig *rig, uint64_t vmo, uint64_t pages, uint64_t aux)
{
    return TIMED(rig, PAGER_SUPPLY_PAGES, rig->pager, vmo, 0, bytes_of(pages), aux, 0);
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
        uint64_t many_from = committed_vmo(&rig, SUPPLY_PAGES), many_to = new_pager_vmo(&rig, SUPPLY_PAGES);
        uint64_t one_from = committed_vmo(&rig, 1), one_to = new_pager_vmo(&rig, SUPPLY_PAGES);

        warm_up(&rig);
        if (i & 1)
            add_sample(&one, timed_supply(&rig, one_to, 1, one_from));
        add_sample(&many, timed_supply(&rig, many_to, SUPPLY_PAGES, many_from));
        if (!(i & 1))
            add_sample(&one, timed_supply(&rig, one_to, 1, one_from));
        add_sample(&gapped, timed_supply(&rig, gapped_to, SUPPLY_PAGES, gapped_from) / SUPPLY_GAPS);
    }
    rig_free(&rig);
    report("supply one run, 2^18 pages / 1 page", median(&many) / median(&one), 2);
    report("supply into 2^10 gaps, a gap / 1 page", median(&gapped) / median(&one), 2);
}

/* ---- supply of runs of one page -------------------------------------------------------------------------------------- */

/* Every page a run of its own: each second frame, in ascending order, goes to another VMO. */
static uint64_t striped_vmo(struct rig *rig, uint64_t pages)
{
    uint64_t vmo = new_vmo(rig, pages), other = new_vmo(rig, pages);

    for (uint64_t page = 0; page < pages; page++) {
        commit(rig, vmo, page, 1);
        commit(rig, other, page, 1);
    }
    require(runs_of(rig, vmo) == pages, "pages with scattered frames are one run");
    return vmo;
}

static double ascending_ns_per_page(struct rig *rig, uint32_t pages, int repetitions)
{
    struct samples samples = {.count = 0};

    for (int i = 0; i < repetitions; i++) {
        rig_reset(rig);
        warm_up(rig);
        uint64_t aux = striped_vmo(rig, pages), vmo = new_pager_vmo(rig, pages);
        add_sample(&samples, timed_supply(rig, vmo, pages, aux) / pages);
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
    uint64_t aux = new_vmo(rig, pages), vmo = new_pager_vmo(rig, pages);
    uint32_t *order = random_order(pages);

    for (uint32_t i = 0; i < pages; i++)
        commit(rig, aux, order[i], 1);
    free(order);
    double cost = timed_supply(rig, vmo, pages, aux) / pages;
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
    uint64_t pages = UINT64_C(16) << scale, aux = ten_runs(rig, 0, scale), vmo = new_pager_vmo(rig, pages);

    return timed_supply(rig, vmo, pages, aux);
}

/* FAIL over a VMO with ten runs, for which a thread waits in the last gap. */
static double range_fail(struct rig *rig, uint32_t scale)
{
    uint64_t vmo = new_pager_vmo(rig, UINT64_C(16) << scale), aux = new_vmo(rig, 1);
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

/* ---- maps of many runs ----------------------------------------------------------------------------------------------- */

#define MANY_RUNS 1000000u
#define FEW_RUNS 100u
#define COLD_SAMPLES 200u
#define WARM_SAMPLES 2000u
#define EVICTION_BYTES (48u << 20)

/* What the caches held is gone: both maps start alike, as after other work. */
static void chill(void)
{
    static volatile uint8_t *memory;

    if (memory == NULL)
        memory = map_memory(EVICTION_BYTES);
    for (uint32_t i = 0; i < EVICTION_BYTES; i += 64)
        memory[i]++;
}

/* A VMO with a present page in every four. */
static uint64_t sparse_vmo(struct rig *rig, uint32_t runs)
{
    uint64_t vmo = new_pager_vmo(rig, UINT64_C(4) * runs), aux = new_vmo(rig, 1);

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
 * The bound is about the work that a larger map makes, so both maps are met with cold caches. How much the processor
 * gains on a small map that fits into its caches is printed beside it, as a figure of the machine more than the core.
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
    report("one-page supply, map of 10^6 runs / 10^2", median(&cold.supply_many) / median(&cold.supply_few), 4);
    report("one-page read, map of 10^6 runs / 10^2", median(&cold.read_many) / median(&cold.read_few), 4);
    mention("one-page supply, the same with warm caches", median(&warm.supply_many) / median(&warm.supply_few));
    mention("one-page read, the same with warm caches", median(&warm.read_many) / median(&warm.read_few));
}

/* ---- reset ------------------------------------------------------------------------------------------------------------ */

static void sixteen_calls(struct rig *rig)
{
    furnish(rig);
    for (int i = 0; i < 2; i++) {
        uint64_t vmo = new_pager_vmo(rig, 4), aux = new_vmo(rig, 4);

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

int main(void)
{
    supply_of_one_run();
    supply_of_single_pages_ascending();
    supply_of_single_pages_scattered();
    wide_ranges();
    maps_of_many_runs();
    reset();
    return missed;
}
