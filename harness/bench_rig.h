/*
 * What every measurement of the benchmark needs: a world with a pager and a port, timed calls, medians, and the lines
 * that are printed. A failure of what is not measured ends the program with status 2.
 */
#ifndef HARNESS_BENCH_RIG_H
#define HARNESS_BENCH_RIG_H

#include <stdint.h>

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

/* Ends the program, saying what, unless the condition holds. */
void require(int condition, const char *what);

/* Prints the line of a ratio and its bound. */
void report(const char *name, double value, double bound);
/* The line of a ratio without a bound. */
void mention(const char *name, double value);
/* The line of a number of things a second, without a bound. */
void mention_rate(const char *name, double per_second, const char *unit);
/* Has a reported ratio missed its bound? */
int bound_missed(void);

double now_ns(void);
/* What reading the clock twice costs: part of every sample, and no cost of the core. */
double clock_ns(void);
/* The time since `begin` without the cost of the clock, and never nothing. */
double elapsed_ns(double begin);
void add_sample(struct samples *samples, double ns);
double median(struct samples *samples);

uint64_t random_below(uint64_t bound);
/* A permutation of 0 .. count-1, to be freed. */
uint32_t *random_order(uint32_t count);

/* Fills in the defaults of a benchmark's world: small pages, this many frames and runs. */
void rig_config(struct rig *rig, uint32_t frame_count, uint32_t run_count);
/* Makes the world of rig->config. */
void rig_make(struct rig *rig);
/* Both. */
void rig_init(struct rig *rig, uint32_t frame_count, uint32_t run_count);
void rig_reset(struct rig *rig);
void rig_free(struct rig *rig);
/* Port and pager of a fresh world. */
void furnish(struct rig *rig);
/* One supply, so that the code is warm. */
void warm_up(struct rig *rig);

pgr_result dispatch(struct rig *rig, const pgr_call *call);
/* A call that must return ZX_OK; returns what it returned at place `out`. */
uint64_t call(struct rig *rig, uint32_t number, const uint64_t args[PGR_ARGS_MAX], uint32_t out);
/* The cost of one call that must return ZX_OK, in ns. */
double timed(struct rig *rig, uint32_t number, const uint64_t args[PGR_ARGS_MAX], void *buffer, uint64_t buffer_bytes);

/*
 * The same for a call that takes so long that others may have the processor in between: time that they have is not
 * counted. Reading that clock costs more, which so long a call does not feel.
 */
double timed_long(struct rig *rig, uint32_t number, const uint64_t args[PGR_ARGS_MAX], void *buffer,
                  uint64_t buffer_bytes);

#define CALL(rig, name, out, ...) call(rig, PGR_CALL_##name, (const uint64_t[PGR_ARGS_MAX]){__VA_ARGS__}, out)
#define TIMED(rig, name, ...) timed(rig, PGR_CALL_##name, (const uint64_t[PGR_ARGS_MAX]){__VA_ARGS__}, NULL, 0)

uint64_t bytes_of(uint64_t pages);
uint64_t new_vmo(struct rig *rig, uint64_t pages);
uint64_t new_pager_vmo(struct rig *rig, uint64_t pages, uint64_t options);
void commit(struct rig *rig, uint64_t vmo, uint64_t page, uint64_t pages);
void supply(struct rig *rig, uint64_t vmo, uint64_t page, uint64_t pages, uint64_t aux);

#define LONG_CALL_RUNS 1024u

/* The cost of a supply of all pages, which are so many runs, or fall into so many gaps. */
double timed_supply(struct rig *rig, uint64_t vmo, uint64_t pages, uint64_t aux, uint64_t runs);
void close_handle(struct rig *rig, uint64_t handle);
/* How many runs this VMO's pages are. */
uint32_t runs_of(struct rig *rig, uint64_t vmo);
/* A VMO whose pages are all one run. */
uint64_t committed_vmo(struct rig *rig, uint64_t pages);
/* One whose pages are each a run of their own: every second frame, in ascending order, goes to another VMO. */
uint64_t striped_vmo(struct rig *rig, uint64_t pages);

/* The themes. */
void bench_supply(void);
void bench_maps(void);
void bench_space(void);
void bench_snapshots(void);
void bench_dirty(void);
void bench_x86(void);

#endif
