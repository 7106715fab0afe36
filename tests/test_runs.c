/*
 * The ordered maps of runs (core/tree.c, core/map.c) against an array with an entry for each page: cutting, putting,
 * joining, looking, in maps of a few runs and of thousands.
 */
#include "tests/test_support.h"

#include "core/map.h"

/* A map, and what it should hold: `origin` is the page number of the array's first entry. */
struct twin {
    struct test_world *t;
    struct tree tree;
    uint64_t origin;
    uint64_t page_count;
    struct entry {
        uint32_t frame;
        uint8_t state;
        uint8_t pins;
    } *entries;
};

static struct twin twin_make(uint64_t origin, uint64_t page_count)
{
    pgr_config config = small_config();
    struct twin twin = {.origin = origin, .page_count = page_count};

    config.run_count = 1u << 16;
    twin.t = world_make(&config);
    twin.entries = calloc(page_count, sizeof(*twin.entries));
    return twin;
}

static void twin_free(struct twin *twin)
{
    free(twin->entries);
    world_free(twin->t);
}

static void twin_remove(struct twin *twin, uint64_t page, uint64_t count)
{
    struct cursor at = cursor_on(&twin->tree);
    uint64_t end = page + count, i;

    for (i = page; i < end;) {
        struct piece piece = map_piece(twin->t->world, &at, i, end);

        assert_true(piece.count > 0 && piece.page == i && piece_end(&piece) <= end);
        if (piece.state != PGR_PAGE_NONE)
            map_cut(twin->t->world, &at, piece.page, piece.count);
        i = piece_end(&piece);
    }
    memset(&twin->entries[page - twin->origin], 0, count * sizeof(*twin->entries));
}

static void twin_put(struct twin *twin, const struct run *run)
{
    struct cursor at = cursor_on(&twin->tree);
    uint64_t i;

    twin_remove(twin, run->page, run->count);
    map_put(twin->t->world, &at, run);
    for (i = 0; i < run->count; i++) {
        struct entry *entry = &twin->entries[run->page - twin->origin + i];

        entry->state = run->state;
        entry->pins = run->pins;
        entry->frame = state_has_frame(run->state) ? run->frame + (uint32_t)i : 0;
    }
}

/* Does the array have a run's boundary before this page: another state, other pins, a frame that does not follow? */
static int boundary_before(const struct twin *twin, uint64_t i)
{
    const struct entry *a = &twin->entries[i - 1], *b = &twin->entries[i];

    if (a->state != b->state || a->pins != b->pins)
        return 1;
    return state_has_frame(b->state) && a->frame + 1 != b->frame;
}

static uint64_t runs_in_array(const struct twin *twin)
{
    uint64_t i, count = 0;

    for (i = 0; i < twin->page_count; i++) {
        if (twin->entries[i].state != PGR_PAGE_NONE && (i == 0 || boundary_before(twin, i)))
            count++;
    }
    return count;
}

static void expect_run_as_in_array(const struct twin *twin, const struct run *run)
{
    uint64_t i, first = run->page - twin->origin;

    assert_true(first < twin->page_count && run->count <= twin->page_count - first && run->count > 0);
    for (i = 0; i < run->count; i++) {
        const struct entry *entry = &twin->entries[first + i];

        assert_int_equal(entry->state, run->state);
        assert_int_equal(entry->pins, run->pins);
        assert_int_equal(entry->frame, state_has_frame(run->state) ? run->frame + i : 0);
    }
}

/*
 * The map must hold the runs of the array and no others: as each is right, disjoint and ascending, their number
 * decides.
 */
static void expect_twins(const struct twin *twin)
{
    const pgr_world *w = twin->t->world;
    struct cursor at = cursor_on(&twin->tree);
    const struct run *run, *last = NULL;
    uint64_t end = 0, count = 0;

    for (run = tree_seek(w, &at, 0); run != NULL; run = tree_next(w, &at)) {
        assert_true(run->page >= end);
        expect_run_as_in_array(twin, run);
        end = run_end(run);
        last = run;
        count++;
    }
    assert_int_equal(count, twin->tree.run_count);
    assert_int_equal(count, runs_in_array(twin));
    assert_ptr_equal(tree_last(w, &twin->tree), last);
}

/* What map_piece says of a place, against the array. */
static void expect_piece(const struct twin *twin, uint64_t page, uint64_t end)
{
    struct cursor at = cursor_on(&twin->tree);
    struct piece piece = map_piece(twin->t->world, &at, page, end);
    uint64_t i = page - twin->origin, count = 1;
    const struct entry *entry = &twin->entries[i];

    while (i + count < end - twin->origin && !boundary_before(twin, i + count))
        count++;
    assert_int_equal(piece.page, page);
    assert_int_equal(piece.count, count);
    assert_int_equal(piece.state, entry->state);
    assert_int_equal(piece.pins, entry->pins);
    assert_int_equal(piece.frame, entry->frame);
}

static struct run run_of(uint64_t page, uint64_t count, uint8_t state, uint32_t frame)
{
    return (struct run){.page = page, .count = count, .state = state, .frame = frame};
}

/* ---- by hand ---- */

static void empty_map(void **state)
{
    struct twin twin = twin_make(0, 16);
    struct cursor at = cursor_on(&twin.tree);
    struct piece piece = map_piece(twin.t->world, &at, 3, 9);

    (void)state;
    assert_int_equal(piece.page, 3);
    assert_int_equal(piece.count, 6);
    assert_int_equal(piece.state, PGR_PAGE_NONE);
    assert_null(tree_seek(twin.t->world, &at, 0));
    assert_null(tree_before(twin.t->world, &at));
    assert_null(tree_last(twin.t->world, &twin.tree));
    expect_twins(&twin);
    twin_free(&twin);
}

/*
 * page  0123456789
 *       CCC---CCCC   one frame after the other, with a gap: filling it joins all three
 */
static void put_joins_both_sides(void **state)
{
    struct twin twin = twin_make(0, 10);
    struct run left = run_of(0, 3, PGR_PAGE_CLEAN, 10), right = run_of(6, 4, PGR_PAGE_CLEAN, 16),
               gap = run_of(3, 3, PGR_PAGE_CLEAN, 13);

    (void)state;
    twin_put(&twin, &right);
    twin_put(&twin, &left);
    assert_int_equal(twin.tree.run_count, 2);
    twin_put(&twin, &gap);
    assert_int_equal(twin.tree.run_count, 1);
    expect_twins(&twin);
    twin_free(&twin);
}

/*
 * Neighbours that differ in one thing stay apart: state, pins, frames that do not follow. Markers have no frames to
 * follow.
 */
static void put_joins_only_what_continues(void **state)
{
    static const struct {
        struct run first, second;
        uint64_t runs;
    } cases[] = {
        {{.page = 0, .count = 4, .state = PGR_PAGE_CLEAN, .frame = 5},
         {.page = 4, .count = 4, .state = PGR_PAGE_CLEAN, .frame = 9},
         1},
        {{.page = 0, .count = 4, .state = PGR_PAGE_CLEAN, .frame = 5},
         {.page = 4, .count = 4, .state = PGR_PAGE_DIRTY, .frame = 9},
         2},
        {{.page = 0, .count = 4, .state = PGR_PAGE_CLEAN, .frame = 5},
         {.page = 4, .count = 4, .state = PGR_PAGE_CLEAN, .frame = 10},
         2},
        {{.page = 0, .count = 4, .state = PGR_PAGE_CLEAN, .frame = 5},
         {.page = 4, .count = 4, .state = PGR_PAGE_CLEAN, .frame = 9, .pins = 1},
         2},
        {{.page = 0, .count = 4, .state = PGR_PAGE_CLEAN, .frame = 5},
         {.page = 5, .count = 3, .state = PGR_PAGE_CLEAN, .frame = 10},
         2},
        {{.page = 0, .count = 4, .state = PGR_PAGE_MARKER}, {.page = 4, .count = 4, .state = PGR_PAGE_MARKER}, 1},
        {{.page = 0, .count = 4, .state = PGR_PAGE_MARKER}, {.page = 4, .count = 4, .state = PGR_PAGE_INTERVAL}, 2},
        {{.page = 4, .count = 4, .state = PGR_PAGE_INTERVAL}, {.page = 0, .count = 4, .state = PGR_PAGE_INTERVAL}, 1},
    };
    size_t i;

    (void)state;
    for (i = 0; i < LENGTH(cases); i++) {
        struct twin twin = twin_make(0, 8);

        twin_put(&twin, &cases[i].first);
        twin_put(&twin, &cases[i].second);
        assert_int_equal(twin.tree.run_count, cases[i].runs);
        expect_twins(&twin);
        twin_free(&twin);
    }
}

/* A run of ten cut at every place and length. */
static void cut_anywhere(void **state)
{
    uint64_t begin, count;

    (void)state;
    for (begin = 0; begin < 10; begin++) {
        for (count = 1; count <= 10 - begin; count++) {
            struct twin twin = twin_make(0, 10);
            struct run run = run_of(0, 10, PGR_PAGE_DIRTY, 40);

            twin_put(&twin, &run);
            twin_remove(&twin, begin, count);
            expect_twins(&twin);
            expect_piece(&twin, 0, 10);
            twin_free(&twin);
        }
    }
}

static void huge_page_numbers(void **state)
{
    const uint64_t origin = (UINT64_C(1) << 60) - 64;
    struct twin twin = twin_make(origin, 64);
    struct run last = run_of(origin + 63, 1, PGR_PAGE_CLEAN, 7), all = run_of(origin, 64, PGR_PAGE_MARKER, 0);

    (void)state;
    twin_put(&twin, &last);
    expect_piece(&twin, origin + 63, origin + 64);
    expect_piece(&twin, origin, origin + 64);
    twin_put(&twin, &all);
    twin_remove(&twin, origin + 31, 2);
    expect_twins(&twin);
    twin_free(&twin);
}

/*
 * page  0  3  6  9     one page each, then run k goes and run k - 1 grows over its place:
 *       C--C--C--C
 *       CCCCC-C--C     for k = 1
 * Wherever the leaves of the tree begin, the pages of a run that grew beyond the place of another are found.
 */
static void run_grows_over_the_place_of_another(void **state)
{
    enum { RUNS = 64 };
    uint64_t k, i;

    (void)state;
    for (k = 1; k < RUNS; k++) {
        struct twin twin = twin_make(0, 3 * RUNS);
        struct run growth = run_of(3 * k - 2, 4, PGR_PAGE_CLEAN, (uint32_t)(3 * k - 2) + 10);

        for (i = 0; i < RUNS; i++) {
            struct run run = run_of(3 * i, 1, PGR_PAGE_CLEAN, (uint32_t)(3 * i) + 10);

            twin_put(&twin, &run);
        }
        twin_remove(&twin, 3 * k, 1);
        twin_put(&twin, &growth);
        for (i = 0; i < 3 * RUNS; i++)
            expect_piece(&twin, i, 3 * RUNS);
        expect_twins(&twin);
        twin_free(&twin);
    }
}

/* ---- thousands ---- */

enum order { ASCENDING, DESCENDING, SHUFFLED, ORDER_COUNT };

static uint64_t nth(enum order order, uint64_t i, uint64_t count)
{
    /* 4099 is prime to the power of two that the tests use for count. */
    return order == ASCENDING ? i : order == DESCENDING ? count - 1 - i : i * 4099 % count;
}

static void thousands_of_runs_in_any_order(void **state)
{
    enum { RUNS = 4096 };
    enum order in, out;
    uint64_t i;

    (void)state;
    for (in = ASCENDING; in < ORDER_COUNT; in++) {
        for (out = ASCENDING; out < ORDER_COUNT; out++) {
            struct twin twin = twin_make(0, 2 * RUNS);

            for (i = 0; i < RUNS; i++) {
                struct run run = run_of(2 * nth(in, i, RUNS), 1, PGR_PAGE_CLEAN, (uint32_t)i + 1);

                twin_put(&twin, &run);
            }
            assert_int_equal(twin.tree.run_count, RUNS);
            expect_twins(&twin);
            for (i = 0; i < RUNS; i++) {
                twin_remove(&twin, 2 * nth(out, i, RUNS), 1);
                if (i % 1021 == 0)
                    expect_twins(&twin);
            }
            assert_int_equal(twin.tree.run_count, 0);
            assert_int_equal(twin.tree.node_count, 0);
            expect_twins(&twin);
            twin_free(&twin);
        }
    }
}

static void clear_gives_all_nodes_back(void **state)
{
    struct twin twin = twin_make(0, 4000);
    pgr_inspect_counts before, after;
    uint64_t i;

    (void)state;
    pgr_inspect_world(twin.t->world, &before);
    for (i = 0; i < 2000; i++) {
        struct run run = run_of(2 * i, 1, PGR_PAGE_MARKER, 0);

        twin_put(&twin, &run);
    }
    tree_clear(twin.t->world, &twin.tree);
    pgr_inspect_world(twin.t->world, &after);
    assert_int_equal(after.nodes_used, before.nodes_used);
    assert_int_equal(twin.tree.run_count, 0);
    assert_int_equal(twin.tree.node_count, 0);
    twin_free(&twin);
}

static void cursor_walks_both_ways(void **state)
{
    struct twin twin = twin_make(0, 2000);
    struct cursor at = cursor_on(&twin.tree);
    const struct run *run;
    uint64_t i, last = UINT64_MAX;

    (void)state;
    for (i = 0; i < 1000; i++) {
        struct run one = run_of(2 * i, 1, PGR_PAGE_CLEAN, 7);

        twin_put(&twin, &one);
    }
    for (run = tree_seek(twin.t->world, &at, 0); run != NULL; run = tree_next(twin.t->world, &at)) {
        const struct run *before = tree_before(twin.t->world, &at);

        assert_int_equal(before == NULL ? UINT64_MAX : before->page, last);
        last = run->page;
    }
    assert_int_equal(last, 1998);
    /* Behind the last run the one before is the last. */
    assert_int_equal(tree_before(twin.t->world, &at)->page, 1998);
    /* The run that ends behind a page: itself, or the next one. */
    assert_int_equal(tree_seek(twin.t->world, &at, 500)->page, 500);
    assert_int_equal(tree_seek(twin.t->world, &at, 501)->page, 502);
    assert_null(tree_seek(twin.t->world, &at, 1999));
    twin_free(&twin);
}

/* ---- at random ---- */

static void random_step(struct twin *twin, uint64_t *random, uint64_t longest)
{
    uint64_t page = random_below(random, twin->page_count), count = 1 + random_below(random, longest);
    struct run run;

    if (count > twin->page_count - page)
        count = twin->page_count - page;
    run = run_of(twin->origin + page, count, (uint8_t)(1 + random_below(random, PGR_PAGE_STATE_COUNT - 1)), 0);
    if (state_has_frame(run.state)) {
        /*
         * Frames that follow the page number, with one of two distances, so that neighbours often continue each other.
         */
        run.frame = (uint32_t)(page + 1 + random_below(random, 2) * 100000);
        run.pins = (uint8_t)(random_below(random, 8) == 0 ? 1 + random_below(random, 31) : 0);
    }
    if (random_below(random, 3) == 0)
        twin_remove(twin, run.page, run.count);
    else
        twin_put(twin, &run);
}

static void random_steps_against_the_array(void **state)
{
    static const struct {
        uint64_t page_count, longest, steps;
    } worlds[] = {{12, 4, 4000}, {200, 20, 4000}, {3000, 5, 12000}, {3000, 600, 3000}};
    uint64_t random = 42, step;
    size_t i;

    (void)state;
    for (i = 0; i < LENGTH(worlds); i++) {
        struct twin twin = twin_make(1000000, worlds[i].page_count);

        for (step = 0; step < worlds[i].steps; step++) {
            uint64_t page = twin.origin + random_below(&random, twin.page_count);

            random_step(&twin, &random, worlds[i].longest);
            expect_piece(&twin, page, page + 1 + random_below(&random, twin.origin + twin.page_count - page));
            if (step % (twin.page_count / 10 + 1) == 0)
                expect_twins(&twin);
        }
        expect_twins(&twin);
        twin_remove(&twin, twin.origin, twin.page_count);
        assert_int_equal(twin.tree.node_count, 0);
        twin_free(&twin);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(empty_map),
        cmocka_unit_test(put_joins_both_sides),
        cmocka_unit_test(put_joins_only_what_continues),
        cmocka_unit_test(cut_anywhere),
        cmocka_unit_test(huge_page_numbers),
        cmocka_unit_test(run_grows_over_the_place_of_another),
        cmocka_unit_test(thousands_of_runs_in_any_order),
        cmocka_unit_test(clear_gives_all_nodes_back),
        cmocka_unit_test(cursor_walks_both_ways),
        cmocka_unit_test(random_steps_against_the_array),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
