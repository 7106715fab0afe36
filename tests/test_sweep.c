/*
 * The sweeps of a trace (harness/sweep.h): that they make each allocation fail and cut at each place, and that they find
 * what only shows there. For that, the core is given mistakes in what it does behind a failing allocation, and at the
 * end of everything.
 */
#include "core/frames.h"
#include "core/handles.h"
#include "tests/test_support.h"

#include "harness/sweep.h"

static const char writes[] = "zx_vmo_create(3p, 0, &vmo) = ZX_OK\n"
                             "zx_vmo_op_range(vmo, ZX_VMO_OP_COMMIT, 0, 3p) = ZX_OK\n"
                             "zx_vmo_write(vmo, fill(0x11), 0, 1p) = ZX_OK\n"
                             "zx_handle_close(vmo) = ZX_OK\n";

static const char waits[] = "zx_port_create(0, &port) = ZX_OK\n"
                            "zx_pager_create(0, &pager) = ZX_OK\n"
                            "zx_pager_create_vmo(pager, 0, port, 7, 2p, &vmo) = ZX_OK\n"
                            "zx_vmo_create(2p, 0, &aux) = ZX_OK\n"
                            "zx_vmo_write(aux, fill(0x11), 0, 2p) = ZX_OK\n"
                            "[t1] zx_vmo_read(vmo, _, 0, 1p) <unfinished ...>\n"
                            "zx_pager_supply_pages(pager, vmo, 0, 2p, aux, 0) = ZX_OK\n"
                            "[t1] <... zx_vmo_read resumed> fill(0x11) = ZX_OK\n"
                            "zx_handle_close(pager) = ZX_OK\n";

static const char wrong[] = "zx_vmo_create(3p, 0, &vmo) = ZX_ERR_NO_MEMORY\n";

/* What a sweep of this trace says: its verdict, its counts, and what it prints. */
struct swept {
    enum run_verdict verdict;
    struct sweep_counts counts;
    char *text;
};

static struct swept sweep(const char *text, checked_dispatch *dispatch)
{
    struct swept swept = {0};
    size_t bytes;
    FILE *out = open_memstream(&swept.text, &bytes);
    struct sweep_options options = {.name = "trace", .out = out, .dispatch = dispatch};
    struct trace_error error;
    struct trace *trace = trace_read(text, strlen(text), &error);

    assert_non_null(out);
    assert_non_null(trace);
    swept.verdict = sweep_trace(trace, &options, &swept.counts);
    trace_free(trace);
    fclose(out);
    return swept;
}

static void finds(const char *text, checked_dispatch *dispatch, const char *place, const char *invariant)
{
    struct swept swept = sweep(text, dispatch);

    if (swept.verdict != RUN_FAILED)
        fail_msg("expected %s ... %s, got the verdict %d", place, invariant, swept.verdict);
    if (strncmp(swept.text, place, strlen(place)) != 0 || strstr(swept.text, invariant) == NULL)
        fail_msg("expected %s ... %s, got %s", place, invariant, swept.text);
    free(swept.text);
}

/* One object, three frames: four allocations. The write finds its page. Cuts: before each call, and at the end. */
static void test_counts_allocations_and_cuts(void **state)
{
    struct swept swept = sweep(writes, NULL);

    (void)state;
    assert_string_equal(swept.text, "");
    assert_int_equal(swept.verdict, RUN_PASSED);
    assert_int_equal(swept.counts.calls, 4);
    assert_int_equal(swept.counts.failures, 4);
    assert_int_equal(swept.counts.supplies, 0);
    assert_int_equal(swept.counts.cuts, 5);
    free(swept.text);
}

/* Four objects, two frames, and the run that the supply fills. A cut more between the supply and the resume. */
static void test_cuts_before_resumes(void **state)
{
    struct swept swept = sweep(waits, NULL);

    (void)state;
    assert_string_equal(swept.text, "");
    assert_int_equal(swept.verdict, RUN_PASSED);
    assert_int_equal(swept.counts.calls, 8);
    assert_int_equal(swept.counts.failures, 7);
    assert_int_equal(swept.counts.supplies, 1);
    assert_int_equal(swept.counts.cuts, 10);
    free(swept.text);
}

static void test_refuses_a_trace_that_fails(void **state)
{
    (void)state;
    finds(wrong, NULL, "trace:1: not as expected", "ZX_OK");
}

static int ran_out(const pgr_result *result)
{
    return result->outcome == PGR_DONE && result->status == ZX_ERR_NO_MEMORY;
}

/* A call that runs out of memory signals the event. */
static void signals_when_out_of_memory(pgr_world *world, void *frames, const pgr_call *call, pgr_result *result)
{
    pgr_start start;
    pgr_result ignored;

    pgr_dispatch(world, frames, call, result);
    pgr_start_handles(world, &start);
    if (ran_out(result))
        pgr_dispatch(world, frames,
                     &(pgr_call){.number = PGR_CALL_OBJECT_SIGNAL,
                                 .thread = call->thread,
                                 .arg = {start.event, 0, ZX_EVENT_SIGNALED}},
                     &ignored);
}

/* A supply that runs out of memory has taken the first page of the aux VMO. */
static void supply_loses_a_page(pgr_world *world, void *frames, const pgr_call *call, pgr_result *result)
{
    pgr_result ignored;

    pgr_dispatch(world, frames, call, result);
    if (ran_out(result) && call->number == PGR_CALL_PAGER_SUPPLY_PAGES)
        pgr_dispatch(world, frames,
                     &(pgr_call){.number = PGR_CALL_VMO_OP_RANGE,
                                 .thread = call->thread,
                                 .arg = {call->arg[4], ZX_VMO_OP_DECOMMIT, call->arg[5], 4096}},
                     &ignored);
}

/* A new VMO loses a frame, which no later call comes upon. */
static void create_loses_a_frame(pgr_world *world, void *frames, const pgr_call *call, pgr_result *result)
{
    pgr_dispatch(world, frames, call, result);
    if (call->number == PGR_CALL_VMO_CREATE && result->status == ZX_OK)
        frames_take(world, frames, 1);
}

/* A thread that begins to wait leaves a reference to the handle's object behind. */
static void wait_keeps_an_object(pgr_world *world, void *frames, const pgr_call *call, pgr_result *result)
{
    uint32_t row = handle_find(world, call->arg[0]);

    pgr_dispatch(world, frames, call, result);
    if (call->number == PGR_CALL_VMO_READ && result->outcome == PGR_BLOCKED)
        object_reference(world, handle_at(world, row)->object);
}

static void test_finds_what_a_failure_leaves(void **state)
{
    (void)state;
    finds(writes, signals_when_out_of_memory, "trace:1: with allocation 1 of this line's calls failing", "E1: ");
    finds(waits, signals_when_out_of_memory, "trace:1: with allocation 1 of this line's calls failing", "E1: ");
}

static void test_finds_what_a_supply_loses(void **state)
{
    (void)state;
    finds(waits, supply_loses_a_page, "trace:7: with allocation 1 of this line's calls failing", "D4: ");
}

static void test_finds_what_an_end_leaves(void **state)
{
    (void)state;
    finds(waits, wait_keeps_an_object, "trace:4: with allocation 1 of this line's calls failing", "H1: ");
    finds(writes, create_loses_a_frame, "trace:1: cut behind this line", "O1: ");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_counts_allocations_and_cuts), cmocka_unit_test(test_cuts_before_resumes),
        cmocka_unit_test(test_refuses_a_trace_that_fails),  cmocka_unit_test(test_finds_what_a_failure_leaves),
        cmocka_unit_test(test_finds_what_a_supply_loses),   cmocka_unit_test(test_finds_what_an_end_leaves),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
