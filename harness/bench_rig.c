/*
 * The rig of the benchmark; see the header.
 */
#define _GNU_SOURCE
#include "harness/bench_rig.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

static int missed;

/* ---- machinery ------------------------------------------------------------------------------------------------- */

void require(int condition, const char *what)
{
    if (condition)
        return;
    fprintf(stderr, "bench: %s\n", what);
    exit(2);
}

void report(const char *name, double value, double bound)
{
    int ok = value <= bound;

    printf("%s\t%.2f\tx\t<=%.2f\t%s\n", name, value, bound, ok ? "ok" : "MISSED");
    fflush(stdout);
    missed |= !ok;
}

int bound_missed(void)
{
    return missed;
}

void mention_rate(const char *name, double per_second, const char *unit)
{
    printf("%s\t%.0f\t%s\t-\tok\n", name, per_second, unit);
    fflush(stdout);
}

void mention(const char *name, double value)
{
    printf("%s\t%.2f\tx\t-\tok\n", name, value);
    fflush(stdout);
}

static double clock_now_ns(clockid_t clock)
{
    struct timespec t;

    clock_gettime(clock, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

double now_ns(void)
{
    return clock_now_ns(CLOCK_MONOTONIC);
}

static int compare_doubles(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

void add_sample(struct samples *samples, double ns)
{
    require(samples->count < SAMPLES_MAX, "too many samples");
    samples->ns[samples->count++] = ns;
}

double median(struct samples *samples)
{
    require(samples->count > 0, "no samples");
    qsort(samples->ns, samples->count, sizeof(samples->ns[0]), compare_doubles);
    return samples->ns[samples->count / 2];
}

double clock_ns(void)
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

double elapsed_ns(double begin)
{
    double ns = now_ns() - begin - clock_ns();

    return ns > 1 ? ns : 1;
}

static uint64_t random_state = 0x9e3779b97f4a7c15u;

uint64_t random_below(uint64_t bound)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state % bound;
}

uint32_t *random_order(uint32_t count)
{
    uint32_t *order = calloc(count, sizeof(*order));

    require(order != NULL, "out of memory");
    for (uint32_t i = 0; i < count; i++) {
        uint32_t j = (uint32_t)random_below(i + 1u);
        order[i] = order[j];
        order[j] = i;
    }
    return order;
}

#define HUGE_BYTES (UINT64_C(2) << 20)

/*
 * In huge pages, where the system has them: a world of a hundred megabytes is no place for small ones, which would
 * each have to be looked up.
 */
static void *map_memory(uint64_t bytes)
{
    uint64_t room = (bytes + HUGE_BYTES - 1) / HUGE_BYTES * HUGE_BYTES;
    char *memory =
        mmap(NULL, room + HUGE_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    uint64_t lead = HUGE_BYTES - (uintptr_t)memory % HUGE_BYTES;

    require(memory != MAP_FAILED, "cannot map memory");
    munmap(memory, lead);
    if (lead < HUGE_BYTES)
        munmap(memory + lead + room, HUGE_BYTES - lead);
    madvise(memory + lead, room, MADV_HUGEPAGE);
    return memory + lead;
}

static void unmap_memory(void *memory, uint64_t bytes)
{
    munmap(memory, (bytes + HUGE_BYTES - 1) / HUGE_BYTES * HUGE_BYTES);
}

/* ---- calls ------------------------------------------------------------------------------------------------------ */

pgr_result dispatch(struct rig *rig, const pgr_call *call)
{
    pgr_result result;

    pgr_dispatch(rig->world, rig->frames, call, &result);
    return result;
}

uint64_t call(struct rig *rig, uint32_t number, const uint64_t args[PGR_ARGS_MAX], uint32_t out)
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

static double timed_by(clockid_t clock, struct rig *rig, const pgr_call *c)
{
    pgr_result result;

    clock_ns();
    double begin = clock_now_ns(clock);
    pgr_dispatch(rig->world, rig->frames, c, &result);
    double ns = clock_now_ns(clock) - begin - clock_ns();
    if (result.outcome != PGR_DONE || result.status != ZX_OK) {
        fprintf(stderr, "bench: timed %s: outcome %u, status %d\n", pgr_call_row(c->number)->name, result.outcome,
                result.status);
        exit(2);
    }
    return ns > 1 ? ns : 1;
}

double timed(struct rig *rig, uint32_t number, const uint64_t args[PGR_ARGS_MAX], void *buffer, uint64_t buffer_bytes)
{
    pgr_call c = {.number = number, .buffer = buffer, .buffer_bytes = buffer_bytes};

    memcpy(c.arg, args, sizeof(c.arg));
    return timed_by(CLOCK_MONOTONIC, rig, &c);
}

double timed_long(struct rig *rig, uint32_t number, const uint64_t args[PGR_ARGS_MAX], void *buffer,
                  uint64_t buffer_bytes)
{
    pgr_call c = {.number = number, .buffer = buffer, .buffer_bytes = buffer_bytes};

    memcpy(c.arg, args, sizeof(c.arg));
    return timed_by(CLOCK_THREAD_CPUTIME_ID, rig, &c);
}

uint64_t bytes_of(uint64_t pages)
{
    return pages << PAGE_SHIFT;
}

uint64_t new_vmo(struct rig *rig, uint64_t pages)
{
    return CALL(rig, VMO_CREATE, 2, bytes_of(pages), 0);
}

uint64_t new_pager_vmo(struct rig *rig, uint64_t pages, uint64_t options)
{
    return CALL(rig, PAGER_CREATE_VMO, 5, rig->pager, options, rig->port, 0, bytes_of(pages));
}

void commit(struct rig *rig, uint64_t vmo, uint64_t page, uint64_t pages)
{
    CALL(rig, VMO_OP_RANGE, 0, vmo, ZX_VMO_OP_COMMIT, bytes_of(page), bytes_of(pages));
}

void supply(struct rig *rig, uint64_t vmo, uint64_t page, uint64_t pages, uint64_t aux)
{
    CALL(rig, PAGER_SUPPLY_PAGES, 0, rig->pager, vmo, bytes_of(page), bytes_of(pages), aux, 0);
}

double timed_supply(struct rig *rig, uint64_t vmo, uint64_t pages, uint64_t aux, uint64_t runs)
{
    const uint64_t args[PGR_ARGS_MAX] = {rig->pager, vmo, 0, bytes_of(pages), aux, 0};

    if (runs >= LONG_CALL_RUNS)
        return timed_long(rig, PGR_CALL_PAGER_SUPPLY_PAGES, args, NULL, 0);
    return timed(rig, PGR_CALL_PAGER_SUPPLY_PAGES, args, NULL, 0);
}

void close_handle(struct rig *rig, uint64_t handle)
{
    CALL(rig, HANDLE_CLOSE, 0, handle);
}

void furnish(struct rig *rig)
{
    rig->port = CALL(rig, PORT_CREATE, 1, 0);
    rig->pager = CALL(rig, PAGER_CREATE, 1, 0);
}

void warm_up(struct rig *rig)
{
    uint64_t aux = new_vmo(rig, 1), vmo = new_pager_vmo(rig, 1, 0);

    commit(rig, aux, 0, 1);
    supply(rig, vmo, 0, 1, aux);
    close_handle(rig, vmo);
    close_handle(rig, aux);
}

void rig_config(struct rig *rig, uint32_t frame_count, uint32_t run_count)
{
    pgr_config_default(&rig->config);
    rig->config.page_shift = PAGE_SHIFT;
    rig->config.frame_count = frame_count;
    rig->config.run_count = run_count;
}

void rig_make(struct rig *rig)
{
    uint64_t bytes = pgr_world_bytes(&rig->config);

    require(bytes > 0, "the configuration is refused");
    rig->frames = map_memory(pgr_frames_bytes(&rig->config));
    require(pgr_init(map_memory(bytes), bytes, &rig->config, &rig->world) == ZX_OK, "pgr_init fails");
    furnish(rig);
}

void rig_init(struct rig *rig, uint32_t frame_count, uint32_t run_count)
{
    rig_config(rig, frame_count, run_count);
    rig_make(rig);
}

void rig_free(struct rig *rig)
{
    unmap_memory(rig->frames, pgr_frames_bytes(&rig->config));
    unmap_memory(rig->world, pgr_world_bytes(&rig->config));
}

void rig_reset(struct rig *rig)
{
    pgr_reset(rig->world);
    furnish(rig);
}

uint32_t runs_of(struct rig *rig, uint64_t vmo)
{
    uint32_t row, pages, count = 0;
    pgr_run_view run = {0};

    require(pgr_inspect_vmo(rig->world, (zx_handle_t)vmo, &row, &pages), "no such VMO");
    for (uint64_t page = 0; pgr_inspect_run(rig->world, pages, page, &run); page = run.page + run.count)
        count++;
    return count;
}

uint64_t committed_vmo(struct rig *rig, uint64_t pages)
{
    uint64_t vmo = new_vmo(rig, pages);

    commit(rig, vmo, 0, pages);
    require(runs_of(rig, vmo) == 1, "a VMO that was committed at once is not one run");
    return vmo;
}

uint64_t striped_vmo(struct rig *rig, uint64_t pages)
{
    uint64_t vmo = new_vmo(rig, pages), other = new_vmo(rig, pages);

    for (uint64_t page = 0; page < pages; page++) {
        commit(rig, vmo, page, 1);
        commit(rig, other, page, 1);
    }
    require(runs_of(rig, vmo) == pages, "pages with scattered frames are one run");
    return vmo;
}
