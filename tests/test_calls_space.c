/*
 * A VMAR with hundreds of regions under random calls, against the most naive model of it: an array that says of each
 * page which region has it. Enough regions that the maps of regions and holes are trees of several levels; each
 * address that is chosen must be the lowest one that fits, each range that is unmapped must become a hole.
 */
#include "tests/test_support.h"

enum { SPACE_PAGES = 6000, LONGEST = 24, ROUNDS = 20000, FREE = 0, ALIGN_LOG2 = 10 };

struct model {
    struct test_world *t;
    zx_handle_t vmar, vmo;
    uint64_t base;                 /* bytes */
    uint32_t regions[SPACE_PAGES]; /* FREE, or the number of the mapping */
    uint32_t last;                 /* number given */
    uint64_t random;
};

static void model_make(struct model *m)
{
    pgr_config config = small_config();

    config.page_shift = 8;
    config.object_count = SPACE_PAGES + 64;
    *m = (struct model){.t = world_make(&config), .random = 7};
    m->vmar = (zx_handle_t)expect_ok(m->t, PGR_CALL_VMAR_ALLOCATE, m->t->start.vmar,
                                     ZX_VM_CAN_MAP_READ | ZX_VM_CAN_MAP_SPECIFIC, 0, pages(m->t, SPACE_PAGES));
    m->base = m->t->result.out[5];
    m->vmo = make_vmo(m->t, LONGEST, 0);
}

/* How many pages from here on are free, up to `most`. */
static uint64_t free_from(const struct model *m, uint64_t page, uint64_t most)
{
    uint64_t count = 0;

    while (count < most && page + count < SPACE_PAGES && m->regions[page + count] == FREE)
        count++;
    return count;
}

static void model_put(struct model *m, uint64_t page, uint64_t count)
{
    m->last++;
    for (uint64_t i = 0; i < count; i++)
        m->regions[page + i] = m->last;
}

/* The lowest page at which so many are free; SPACE_PAGES if there is none. */
static uint64_t lowest_fit(const struct model *m, uint64_t count, uint64_t align_pages)
{
    uint64_t first = m->base / pages(m->t, 1);

    for (uint64_t page = 0; page < SPACE_PAGES; page++) {
        if ((first + page) % align_pages == 0 && free_from(m, page, count) == count)
            return page;
    }
    return SPACE_PAGES;
}

static void map_lowest(struct model *m, uint32_t options)
{
    uint64_t count = 1 + random_below(&m->random, LONGEST);
    uint64_t align_pages = options != 0 ? ((uint64_t)1 << ALIGN_LOG2) / pages(m->t, 1) : 1;
    uint64_t page = lowest_fit(m, count, align_pages);

    if (page == SPACE_PAGES) {
        expect(m->t, ZX_ERR_NO_RESOURCES, PGR_CALL_VMAR_MAP, m->vmar, ZX_VM_PERM_READ | options, 0, m->vmo, 0,
               pages(m->t, count));
        return;
    }
    expect_ok(m->t, PGR_CALL_VMAR_MAP, m->vmar, ZX_VM_PERM_READ | options, 0, m->vmo, 0, pages(m->t, count));
    assert_int_equal(m->t->result.out[6], m->base + pages(m->t, page));
    model_put(m, page, count);
}

static void map_specific(struct model *m)
{
    uint64_t count = 1 + random_below(&m->random, LONGEST);
    uint64_t page = random_below(&m->random, SPACE_PAGES - count);
    int is_free = free_from(m, page, count) == count;

    expect(m->t, is_free ? ZX_OK : ZX_ERR_ALREADY_EXISTS, PGR_CALL_VMAR_MAP, m->vmar, ZX_VM_PERM_READ | ZX_VM_SPECIFIC,
           pages(m->t, page), m->vmo, 0, pages(m->t, count));
    if (is_free)
        model_put(m, page, count);
}

static void unmap_some(struct model *m)
{
    uint64_t count = 1 + random_below(&m->random, LONGEST);
    uint64_t page = random_below(&m->random, SPACE_PAGES - count);

    expect_ok(m->t, PGR_CALL_VMAR_UNMAP, m->vmar, m->base + pages(m->t, page), pages(m->t, count));
    for (uint64_t i = 0; i < count; i++)
        m->regions[page + i] = FREE;
}

/* Every region of the core's covers pages that the model has, too, and no other. */
static void expect_same(const struct model *m)
{
    pgr_handle_view handle;
    pgr_region_view region = {.address = m->base};
    uint64_t page = 0;

    assert_true(pgr_inspect_handle(m->t->world, pgr_inspect_handle_row(m->t->world, m->vmar), &handle));
    while (pgr_inspect_region(m->t->world, handle.object, region.address + region.size_bytes, &region)) {
        uint64_t first = (region.address - m->base) / pages(m->t, 1);
        uint64_t end = first + region.size_bytes / pages(m->t, 1);

        for (; page < first; page++)
            assert_int_equal(m->regions[page], FREE);
        for (; page < end; page++)
            assert_int_not_equal(m->regions[page], FREE);
    }
    for (; page < SPACE_PAGES; page++)
        assert_int_equal(m->regions[page], FREE);
}

static void addresses_are_the_lowest_that_fit(void **state)
{
    struct model m;

    (void)state;
    model_make(&m);
    for (int round = 0; round < ROUNDS; round++) {
        /* By turns the space fills up and is thinned out. */
        uint64_t kind = random_below(&m.random, round / 2000 % 2 == 0 ? 4 : 8);

        if (kind == 0)
            map_specific(&m);
        else if (kind == 1)
            map_lowest(&m, ALIGN_LOG2 << 24);
        else if (kind == 2)
            map_lowest(&m, 0);
        else
            unmap_some(&m);
        if (kind == 3 && round % 2 == 0)
            map_lowest(&m, 0);
        if (round % 100 == 0)
            expect_same(&m);
    }
    expect_same(&m);
    world_free(m.t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(addresses_are_the_lowest_that_fit)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
