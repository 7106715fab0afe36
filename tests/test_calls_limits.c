/*
 * Where something runs out, or a caller gives nothing where something is needed: what only an embedder can do to the
 * core, for a trace always has a buffer and a large world.
 */
#include "tests/test_support.h"

/* ---- buffers that are not there ---- */

static void accesses_without_a_buffer(void **state)
{
    struct test_world *t = world_make(NULL);
    zx_handle_t vmo = make_vmo(t, 1, 0);
    uint64_t address =
        expect_ok(t, PGR_CALL_VMAR_MAP, t->start.vmar, ZX_VM_PERM_READ | ZX_VM_PERM_WRITE, 0, vmo, 0, page_size(t));

    (void)state;
    expect_ok(t, PGR_CALL_MEM_READ, address, 0, 0);
    perform(t, PGR_CALL_MEM_READ, address, 0, 1);
    assert_int_equal(t->result.outcome, PGR_FAULT);
    assert_int_equal(t->result.fault.code, ZX_ERR_INVALID_ARGS);
    world_free(t);
}

static void preparing_without_a_list(void **state)
{
    struct test_world *t = world_make(NULL);

    (void)state;
    expect_buffer(t, ZX_OK, NULL, 0, PGR_CALL_MEM_PREPARE, 0);
    expect_buffer(t, ZX_ERR_INVALID_ARGS, NULL, sizeof(pgr_access), PGR_CALL_MEM_PREPARE, 0);
    world_free(t);
}

static void closing_many_without_a_list(void **state)
{
    struct test_world *t = world_make(NULL);

    (void)state;
    expect_buffer(t, ZX_OK, NULL, 0, PGR_CALL_HANDLE_CLOSE_MANY, 0);
    expect_buffer(t, ZX_ERR_INVALID_ARGS, NULL, sizeof(zx_handle_t), PGR_CALL_HANDLE_CLOSE_MANY, 0);
    world_free(t);
}

/* ---- what runs out ---- */

enum { HANDLE_GENERATIONS = 1 << 12 };

/* A row of the handle table whose generations are used up is used no more, so that no value comes back. */
static void handle_rows_retire(void **state)
{
    pgr_config config = small_config();
    struct test_world *t;
    pgr_inspect_counts before, after;
    zx_handle_t last = 0;
    int rounds = 0;

    (void)state;
    config.handle_count = 8;
    t = world_make(&config);
    pgr_inspect_world(t->world, &before);
    /* Rows 5 to 7 are left, each for so many handles. */
    for (;;) {
        zx_handle_t event;

        if (perform(t, PGR_CALL_EVENT_CREATE, 0)->status == ZX_ERR_NO_MEMORY)
            break;
        event = (zx_handle_t)t->result.out[1];
        assert_int_not_equal(event, last);
        last = event;
        close_handle(t, event);
        rounds++;
    }
    assert_int_equal(rounds, 3 * HANDLE_GENERATIONS);
    pgr_inspect_world(t->world, &after);
    assert_int_equal(after.objects_used, before.objects_used);
    world_free(t);
}

/* The status of a pin that is both too many and too much tells what is short first. */
static void pins_run_out_behind_frames(void **state)
{
    pgr_config config = small_config();
    struct test_world *t;
    zx_handle_t vmo, other;

    (void)state;
    config.frame_count = 1 + 8;
    t = world_make(&config);
    vmo = make_vmo(t, 2, 0);
    other = make_vmo(t, 7, 0);
    for (int i = 0; i < 31; i++)
        expect_ok(t, PGR_CALL_BTI_PIN, t->start.bti, ZX_BTI_PERM_READ, vmo, 0, page_size(t));
    expect_ok(t, PGR_CALL_VMO_OP_RANGE, other, ZX_VMO_OP_COMMIT, 0, pages(t, 7));
    expect(t, ZX_ERR_NO_MEMORY, PGR_CALL_BTI_PIN, t->start.bti, ZX_BTI_PERM_READ, vmo, 0, pages(t, 2));
    expect_ok(t, PGR_CALL_VMO_OP_RANGE, other, ZX_VMO_OP_DECOMMIT, 0, pages(t, 1));
    expect(t, ZX_ERR_UNAVAILABLE, PGR_CALL_BTI_PIN, t->start.bti, ZX_BTI_PERM_READ, vmo, 0, pages(t, 2));
    world_free(t);
}

enum { STRIPES = 6000, AUX_PAGES = 300 };

/* Every second page, so that each is a run; until there are no runs any more. The pages that were committed. */
static uint64_t commit_stripes(struct test_world *t, zx_handle_t vmo)
{
    uint64_t page;

    for (page = 0; page < 2 * STRIPES; page += 2) {
        if (perform(t, PGR_CALL_VMO_OP_RANGE, vmo, ZX_VMO_OP_COMMIT, pages(t, page), page_size(t))->status != ZX_OK)
            break;
    }
    return page / 2;
}

/* As the kernel does it: the pages are gone before it is known that there is no memory to keep track of them. */
static void late_supply_failure_for_want_of_runs(void **state)
{
    pgr_config config = small_config();
    struct test_world *t;
    zx_handle_t pager, port, vmo, aux, rest;

    (void)state;
    config.page_shift = 4;
    config.options = PGR_OPTION_SUPPLY_DECOMMITS;
    config.frame_count = 2 * STRIPES;
    config.run_count = AUX_PAGES;
    t = world_make(&config);
    pager = make_pager(t);
    port = make_port(t);
    vmo = make_pager_vmo(t, pager, port, 1, AUX_PAGES, 0);
    aux = make_vmo(t, AUX_PAGES, 0);
    rest = make_vmo(t, 2 * STRIPES, 0);
    for (uint64_t page = 0; page < AUX_PAGES; page += 2)
        expect_ok(t, PGR_CALL_VMO_OP_RANGE, aux, ZX_VMO_OP_COMMIT, pages(t, page), page_size(t));
    assert_true(commit_stripes(t, rest) < STRIPES);
    expect(t, ZX_ERR_NO_MEMORY, PGR_CALL_PAGER_SUPPLY_PAGES, pager, vmo, 0, pages(t, AUX_PAGES), aux, 0);
    assert_int_equal(committed_bytes(t, aux), 0);
    expect_runs(t, vmo, ".300");
    world_free(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(accesses_without_a_buffer),   cmocka_unit_test(preparing_without_a_list),
        cmocka_unit_test(closing_many_without_a_list), cmocka_unit_test(handle_rows_retire),
        cmocka_unit_test(pins_run_out_behind_frames),  cmocka_unit_test(late_supply_failure_for_want_of_runs),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
