/*
 * Families of snapshots under random calls, against the most naive model of them: every VMO has an array of its own,
 * and a snapshot copies its parent's. After every call every byte and every count of committed bytes is compared; at
 * the end no frame is missing.
 */
#include "tests/test_support.h"

enum { MEMBERS = 8, PAGES_MAX = 12, ROUNDS = 1500 };

struct page {
    int present; /* is there a page, of its own or shared? */
    uint8_t byte;
};

struct member {
    zx_handle_t vmo; /* 0: none */
    unsigned family; /* members of one family are relatives */
    uint64_t size;
    struct page pages[PAGES_MAX];
};

struct model {
    struct test_world *t;
    struct member members[MEMBERS];
    unsigned families; /* that were ever founded */
    uint64_t random;
};

/* A range in the VMO; it may be empty. */
struct range {
    uint64_t page, count;
};

static struct range random_range(struct model *m, const struct member *member)
{
    uint64_t page = random_below(&m->random, member->size + 1);

    return (struct range){page, random_below(&m->random, member->size - page + 1)};
}

static unsigned relatives(const struct model *m, const struct member *member)
{
    unsigned i, count = 0;

    for (i = 0; i < MEMBERS; i++)
        count += m->members[i].vmo != 0 && &m->members[i] != member && m->members[i].family == member->family;
    return count;
}

/* Memory may run out at any call; then nothing has changed. */
static int succeeded(const pgr_result *result)
{
    assert_int_equal(result->outcome, PGR_DONE);
    if (result->status == ZX_ERR_NO_MEMORY)
        return 0;
    assert_int_equal(result->status, ZX_OK);
    return 1;
}

static void step_create(struct model *m, struct member *member)
{
    uint64_t size = random_below(&m->random, PAGES_MAX + 1);
    const pgr_result *result = perform(m->t, PGR_CALL_VMO_CREATE, pages(m->t, size), ZX_VMO_RESIZABLE);

    if (succeeded(result))
        *member = (struct member){.vmo = (zx_handle_t)result->out[2], .family = ++m->families, .size = size};
}

static void step_snapshot(struct model *m, struct member *member)
{
    const struct member *parent = &m->members[random_below(&m->random, MEMBERS)];
    uint64_t size = random_below(&m->random, PAGES_MAX + 1), offset = random_below(&m->random, PAGES_MAX + 1), i;
    const pgr_result *result;

    if (parent->vmo == 0)
        return;
    result = perform(m->t, PGR_CALL_VMO_CREATE_CHILD, parent->vmo, ZX_VMO_CHILD_SNAPSHOT | ZX_VMO_CHILD_RESIZABLE,
                     pages(m->t, offset), pages(m->t, size));
    if (!succeeded(result))
        return;
    *member = (struct member){.vmo = (zx_handle_t)result->out[4], .family = parent->family, .size = size};
    for (i = 0; i < size && offset + i < parent->size; i++)
        member->pages[i] = parent->pages[offset + i];
}

static void step_write(struct model *m, struct member *member, struct range range)
{
    uint8_t byte = (uint8_t)random_next(&m->random), *buffer = malloc(pages(m->t, range.count) + 1);
    uint64_t i;

    memset(buffer, byte, pages(m->t, range.count));
    perform_on(m->t, 0, PGR_CALL_VMO_WRITE, ARGS(member->vmo, 0, pages(m->t, range.page), pages(m->t, range.count)),
               buffer, pages(m->t, range.count));
    for (i = range.page; succeeded(&m->t->result) && i < range.page + range.count; i++)
        member->pages[i] = (struct page){1, byte};
    free(buffer);
}

static void step_commit(struct model *m, struct member *member, struct range range)
{
    uint64_t i;

    perform(m->t, PGR_CALL_VMO_OP_RANGE, member->vmo, ZX_VMO_OP_COMMIT, pages(m->t, range.page),
            pages(m->t, range.count));
    for (i = range.page; succeeded(&m->t->result) && i < range.page + range.count; i++)
        member->pages[i].present = 1;
}

static void step_zero(struct model *m, struct member *member, struct range range)
{
    uint64_t i;

    perform(m->t, PGR_CALL_VMO_OP_RANGE, member->vmo, ZX_VMO_OP_ZERO, pages(m->t, range.page),
            pages(m->t, range.count));
    for (i = range.page; succeeded(&m->t->result) && i < range.page + range.count; i++)
        member->pages[i] = (struct page){0, 0};
}

static void step_decommit(struct model *m, struct member *member, struct range range)
{
    uint64_t i;

    perform(m->t, PGR_CALL_VMO_OP_RANGE, member->vmo, ZX_VMO_OP_DECOMMIT, pages(m->t, range.page),
            pages(m->t, range.count));
    if (range.count != 0 && relatives(m, member) != 0) {
        assert_int_equal(m->t->result.status, ZX_ERR_NOT_SUPPORTED);
        return;
    }
    for (i = range.page; succeeded(&m->t->result) && i < range.page + range.count; i++)
        member->pages[i] = (struct page){0, 0};
}

static void step_set_size(struct model *m, struct member *member)
{
    uint64_t size = random_below(&m->random, PAGES_MAX + 1), i;

    perform(m->t, PGR_CALL_VMO_SET_SIZE, member->vmo, pages(m->t, size));
    if (!succeeded(&m->t->result))
        return;
    for (i = size; i < PAGES_MAX; i++)
        member->pages[i] = (struct page){0, 0};
    member->size = size;
}

static void step(struct model *m)
{
    struct member *member = &m->members[random_below(&m->random, MEMBERS)];
    struct range range = random_range(m, member);

    if (member->vmo == 0) {
        if (random_below(&m->random, 3) == 0)
            step_create(m, member);
        else
            step_snapshot(m, member);
        return;
    }
    switch (random_below(&m->random, 10)) {
    case 0:
        step_commit(m, member, range);
        break;
    case 1:
        step_decommit(m, member, range);
        break;
    case 2:
    case 3:
        step_zero(m, member, range);
        break;
    case 4:
        step_set_size(m, member);
        break;
    case 5:
        close_handle(m->t, member->vmo);
        *member = (struct member){0};
        break;
    default:
        step_write(m, member, range);
    }
}

static void expect_member(struct model *m, const struct member *member)
{
    uint64_t i, present = 0;

    for (i = 0; i < member->size; i++) {
        expect_filled(m->t, member->vmo, i, 1, member->pages[i].byte);
        present += member->pages[i].present;
    }
    assert_int_equal(committed_bytes(m->t, member->vmo), pages(m->t, present));
}

static void run_model(uint64_t seed)
{
    pgr_config config = small_config();
    struct model m = {.random = seed};
    pgr_inspect_counts counts;
    unsigned round, i;

    config.page_shift = PGR_PAGE_SHIFT_MIN;
    config.frame_count = 33 + (uint32_t)(seed % 3) * 32;
    config.run_count = 64 + (uint32_t)(seed % 2) * 512;
    m.t = world_make(&config);
    for (round = 0; round < ROUNDS; round++) {
        step(&m);
        for (i = 0; i < MEMBERS; i++) {
            if (m.members[i].vmo != 0)
                expect_member(&m, &m.members[i]);
        }
    }
    for (i = 0; i < MEMBERS; i++)
        close_handle(m.t, m.members[i].vmo);
    pgr_inspect_world(m.t->world, &counts);
    assert_int_equal(counts.frames_free, config.frame_count - 1);
    world_free(m.t);
}

static void families_as_in_the_model(void **state)
{
    uint64_t seed;

    (void)state;
    for (seed = 1; seed <= 20; seed++)
        run_model(seed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(families_as_in_the_model),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
