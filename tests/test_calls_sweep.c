/*
 * Every call of every trace of the corpus, with its first, second, third ... allocation made to fail, until none is
 * left: it must say ZX_ERR_NO_MEMORY, leave the world as it was, and then do what it does with memory. The sweeps run
 * on copies, so that the trace itself goes on undisturbed.
 */
#include "tests/test_support.h"

#include <glob.h>

#include "harness/runner.h"
#include "tests/trace_support.h"

enum { SWEEP_MAX = 24 }; /* allocations of one call that are made to fail; a commit has as many as pages */

/* A copy of the world that a trace runs in, and what the sweeps have seen. */
struct sweep {
    const char *name; /* of the trace */
    void *block, *frames, *image;
    uint64_t block_bytes, image_bytes;
    pgr_world *world;
    uint32_t options; /* of the world */
    unsigned calls, failures;
};

/* What came of one call on the copy. */
struct trial {
    pgr_result result;
    uint64_t hash_before, hash_after;
};

static void copy_world(struct sweep *s, const void *frames)
{
    assert_int_equal(pgr_load(s->block, s->block_bytes, s->image, s->image_bytes, &s->world), ZX_OK);
    memcpy(s->frames, frames, pgr_frames_used_bytes(s->world));
}

/* The call on the copy as it is, with its n-th allocation failing; 0: none. */
static struct trial try_call(struct sweep *s, const pgr_call *call, uint64_t n)
{
    pgr_call arm = {.number = PGR_CALL_FAIL_ALLOC, .thread = call->thread, .arg = {n}}, own = *call;
    struct trial trial;

    pgr_dispatch(s->world, s->frames, &arm, &trial.result);
    assert_int_equal(trial.result.outcome, PGR_DONE);
    trial.hash_before = pgr_canonical_hash(s->world, s->frames);
    own.buffer = malloc(call->buffer_bytes + 1);
    if (call->buffer_bytes != 0)
        memcpy(own.buffer, call->buffer, call->buffer_bytes);
    pgr_dispatch(s->world, s->frames, &own, &trial.result);
    trial.hash_after = pgr_canonical_hash(s->world, s->frames);
    free(own.buffer);
    return trial;
}

static int same_outcome(const struct trial *a, const struct trial *b)
{
    return a->result.outcome == b->result.outcome && a->result.status == b->result.status &&
           a->hash_after == b->hash_after;
}

static int ran_out(const struct trial *trial)
{
    int ended = trial->result.outcome == PGR_DONE || trial->result.outcome == PGR_FAULT;

    return ended && trial->result.status == ZX_ERR_NO_MEMORY;
}

/*
 * May a call that runs out of memory change something? A supply that was asked to leave its aux range empty, a DIRTY
 * that wakes its waiters, and what goes page by page or mapping by mapping and keeps what it has done.
 */
static int may_change(const struct sweep *s, const pgr_call *call)
{
    if (call->number == PGR_CALL_MEM_WRITE || call->number == PGR_CALL_VMAR_OP_RANGE)
        return 1;
    if (call->number == PGR_CALL_VMO_TRANSFER_DATA)
        return 1;
    if (call->number == PGR_CALL_PAGER_OP_RANGE && call->arg[1] == ZX_PAGER_OP_DIRTY)
        return 1;
    return call->number == PGR_CALL_PAGER_SUPPLY_PAGES && (s->options & PGR_OPTION_SUPPLY_DECOMMITS) != 0;
}

/* Zeroing the rest of the last page behind a new size is best effort: the call succeeds without. */
static int ignores_failure(const pgr_call *call)
{
    return call->number == PGR_CALL_VMO_SET_SIZE || call->number == PGR_CALL_OBJECT_SET_PROPERTY;
}

static void fail_call(const struct sweep *s, const pgr_call *call, uint64_t n, const char *what)
{
    fail_msg("%s: observed call %u, %s, with allocation %u failing %s", s->name, s->calls,
             pgr_call_row(call->number)->name, (unsigned)n, what);
}

static void sweep_call(struct sweep *s, const void *frames, const pgr_call *call)
{
    struct trial reference, trial, again;
    uint64_t n;

    copy_world(s, frames);
    reference = try_call(s, call, 0);
    for (n = 1; n <= SWEEP_MAX && !ran_out(&reference); n++) {
        copy_world(s, frames);
        trial = try_call(s, call, n);
        if (!ran_out(&trial)) {
            if (!same_outcome(&trial, &reference) && !ignores_failure(call))
                fail_call(s, call, n, "differs though it does not run out");
            return;
        }
        s->failures++;
        if (may_change(s, call))
            continue;
        again = try_call(s, call, 0);
        if (trial.hash_after != trial.hash_before || !same_outcome(&again, &reference))
            fail_call(s, call, n, "changes something when it runs out");
    }
}

static void observe(void *context, const pgr_world *world, const void *frames, const pgr_call *call)
{
    struct sweep *s = context;

    if (call == NULL || call->number == PGR_CALL_FAIL_ALLOC)
        return;
    s->calls++;
    s->image_bytes = pgr_image_bytes(world);
    s->image = malloc(s->image_bytes);
    assert_int_equal(pgr_save(world, s->image, s->image_bytes), ZX_OK);
    sweep_call(s, frames, call);
    free(s->image);
}

static void sweep_trace(const char *path, FILE *out, unsigned *calls, unsigned *failures)
{
    struct sweep s = {.name = path};
    struct trace_error error;
    size_t bytes;
    char *text = read_file(path, &bytes);
    struct trace *trace = trace_read(text, bytes, &error);
    pgr_config config;
    struct run_options options = {.name = path, .out = out, .observe = observe, .observe_context = &s};

    assert_non_null(trace);
    run_config(trace, &config);
    s.options = config.options;
    /* As small as the traces can do with, but for frames, of which untouched ones cost nothing. */
    config.object_count = 512;
    config.handle_count = 512;
    config.packet_count = 256;
    config.run_count = 4096;
    options.world = &config;
    s.block_bytes = (pgr_world_bytes(&config) + 63) / 64 * 64;
    s.block = aligned_alloc(PGR_WORLD_ALIGNMENT, s.block_bytes);
    s.frames = malloc(pgr_frames_bytes(&config));
    assert_int_not_equal(run_trace(trace, &options), RUN_ERROR);
    *calls += s.calls;
    *failures += s.failures;
    free(s.block);
    free(s.frames);
    free(text);
    trace_free(trace);
}

static void sweep_folder(const char *pattern, unsigned calls_at_least, unsigned failures_at_least)
{
    unsigned calls = 0, failures = 0;
    FILE *out = fopen("/dev/null", "w"); /* differences are told by the tests that run the traces */
    glob_t found;
    size_t i;

    assert_int_equal(glob(pattern, 0, NULL, &found), 0);
    for (i = 0; i < found.gl_pathc; i++)
        sweep_trace(found.gl_pathv[i], out, &calls, &failures);
    globfree(&found);
    fclose(out);
    if (calls < calls_at_least || failures < failures_at_least)
        fail_msg("%s: %u calls, %u failures", pattern, calls, failures);
}

static void every_allocation_of_our_traces(void **state)
{
    (void)state;
    sweep_folder("corpus/traces/*.trace", 3000, 500);
}

static void every_allocation_of_the_conformance_traces(void **state)
{
    (void)state;
    sweep_folder("corpus/conformance/*/*.trace", 500, 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_allocation_of_our_traces),
        cmocka_unit_test(every_allocation_of_the_conformance_traces),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
