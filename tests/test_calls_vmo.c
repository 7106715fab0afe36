/*
 * VMOs, children and pins, as far as traces cannot say it: whole structures, bad buffers, limits that need many calls.
 */
#include "tests/test_support.h"

static uint64_t koid_of(struct test_world *t, zx_handle_t handle)
{
    expect_ok(t, PGR_CALL_OBJECT_GET_INFO, handle, ZX_INFO_HANDLE_BASIC);
    return t->result.handle_basic.koid;
}

/* ---- whole structures ---- */

static void info_basic_whole(void **state)
{
    struct test_world *t = world_make(NULL);
    zx_handle_t vmo = make_vmo(t, 1, ZX_VMO_RESIZABLE);
    zx_info_handle_basic_t info = {.rights = 0x40d0ef, .type = ZX_OBJ_TYPE_VMO};

    (void)state;
    info.koid = koid_of(t, vmo);
    assert_memory_equal(&t->result.handle_basic, &info, sizeof(info));
    world_free(t);
}

static void info_vmo_whole(void **state)
{
    struct test_world *t = world_make(NULL);
    zx_handle_t vmo = make_vmo(t, 3, 0), clone;
    zx_info_vmo_t info = {.name = "a name", .size_bytes = pages(t, 3), .num_children = 1, .share_count = 1};
    char name[] = "a name";

    (void)state;
    expect_buffer(t, ZX_OK, name, sizeof(name), PGR_CALL_OBJECT_SET_PROPERTY, vmo, ZX_PROP_NAME);
    fill(t, vmo, 1, 2, 1);
    clone = (zx_handle_t)expect_ok(t, PGR_CALL_VMO_CREATE_CHILD, vmo, ZX_VMO_CHILD_SNAPSHOT | ZX_VMO_CHILD_NO_WRITE, 0,
                                   pages(t, 2));
    info.koid = koid_of(t, vmo);
    info.flags = ZX_INFO_VMO_TYPE_PAGED | ZX_INFO_VMO_VIA_HANDLE;
    info.committed_bytes = info.populated_bytes = pages(t, 2);
    info.handle_rights = 0xd0ef;
    expect_ok(t, PGR_CALL_OBJECT_GET_INFO, vmo, ZX_INFO_VMO);
    assert_memory_equal(&t->result.vmo, &info, sizeof(info));
    info.parent_koid = info.koid;
    info.koid = koid_of(t, clone);
    info.size_bytes = pages(t, 2);
    info.num_children = 0;
    info.flags |= ZX_INFO_VMO_IS_COW_CLONE | ZX_INFO_VMO_IMMUTABLE;
    info.committed_bytes = info.populated_bytes = pages(t, 1);
    info.handle_rights = 0xd0e7;
    expect_ok(t, PGR_CALL_OBJECT_GET_INFO, clone, ZX_INFO_VMO);
    assert_memory_equal(&t->result.vmo, &info, sizeof(info));
    world_free(t);
}

static void info_vmo_of_pager_whole(void **state)
{
    struct test_world *t = world_make(NULL);
    zx_handle_t pager = make_pager(t), vmo = make_pager_vmo(t, pager, make_port(t), 7, 4, ZX_VMO_RESIZABLE);
    zx_info_vmo_t info = {
        .size_bytes = pages(t, 4), .share_count = 1, .handle_rights = 0x40d0ef, .committed_change_events = 1};

    (void)state;
    supply_filled(t, pager, vmo, 0, 3, 1);
    supply_zeros(t, pager, vmo, 3, 1);
    fill(t, vmo, 1, 1, 2);
    expect_ok(t, PGR_CALL_RECLAIM, 1);
    info.koid = koid_of(t, vmo);
    info.flags = ZX_INFO_VMO_TYPE_PAGED | ZX_INFO_VMO_RESIZABLE | ZX_INFO_VMO_VIA_HANDLE | ZX_INFO_VMO_PAGER_BACKED;
    info.committed_bytes = info.populated_bytes = pages(t, 2);
    expect_ok(t, PGR_CALL_OBJECT_GET_INFO, vmo, ZX_INFO_VMO);
    assert_memory_equal(&t->result.vmo, &info, sizeof(info));
    world_free(t);
}

/* ---- bad buffers ---- */

static void transfer_short_buffers(void **state)
{
    struct test_world *t = world_make(NULL);
    zx_handle_t vmo = make_vmo(t, 2, 0);
    uint8_t buffer[16] = {0};

    (void)state;
    /* The range is looked at first, and a transfer of nothing needs no buffer. */
    expect(t, ZX_ERR_OUT_OF_RANGE, PGR_CALL_VMO_READ, vmo, 0, pages(t, 2), 1);
    expect(t, ZX_ERR_OUT_OF_RANGE, PGR_CALL_VMO_WRITE, vmo, 0, UINT64_MAX, 2);
    expect_ok(t, PGR_CALL_VMO_READ, vmo, 0, pages(t, 2), 0);
    expect_ok(t, PGR_CALL_VMO_WRITE, vmo, 0, pages(t, 2), 0);
    expect(t, ZX_ERR_NOT_FOUND, PGR_CALL_VMO_READ, vmo, 0, 0, 16);
    expect(t, ZX_ERR_NOT_FOUND, PGR_CALL_VMO_WRITE, vmo, 0, 0, 16);
    expect_buffer(t, ZX_ERR_NOT_FOUND, buffer, 15, PGR_CALL_VMO_READ, vmo, 0, 0, 16);
    expect_buffer(t, ZX_ERR_NOT_FOUND, buffer, 15, PGR_CALL_VMO_WRITE, vmo, 0, 0, 16);
    expect_buffer(t, ZX_OK, buffer, 16, PGR_CALL_VMO_READ, vmo, 0, 0, 16);
    world_free(t);
}

static void transfer_longer_buffer_keeps_its_rest(void **state)
{
    struct test_world *t = world_make(NULL);
    zx_handle_t vmo = make_vmo(t, 1, 0);
    uint8_t buffer[16];
    unsigned i;

    (void)state;
    memset(buffer, 0xa5, sizeof(buffer));
    expect_buffer(t, ZX_OK, buffer, sizeof(buffer), PGR_CALL_VMO_READ, vmo, 0, 8, 4);
    for (i = 0; i < sizeof(buffer); i++)
        assert_int_equal(buffer[i], i < 4 ? 0 : 0xa5);
    world_free(t);
}

static void property_buffers(void **state)
{
    struct test_world *t = world_make(NULL);
    zx_handle_t vmo = make_vmo(t, 1, 0), none = duplicate(t, vmo, ZX_RIGHT_NONE);
    char name[64];
    uint64_t size = 5;

    (void)state;
    memset(name, 'n', sizeof(name));
    /*
     * No value at all is noticed before the handle, the right and the property before the size of the value, that
     * before the type.
     */
    expect(t, ZX_ERR_INVALID_ARGS, PGR_CALL_OBJECT_GET_PROPERTY, 0, 9999);
    expect(t, ZX_ERR_INVALID_ARGS, PGR_CALL_OBJECT_SET_PROPERTY, 0, 9999);
    expect_buffer(t, ZX_ERR_BAD_HANDLE, name, 1, PGR_CALL_OBJECT_GET_PROPERTY, 0, 9999);
    expect_buffer(t, ZX_ERR_ACCESS_DENIED, name, 1, PGR_CALL_OBJECT_GET_PROPERTY, none, 9999);
    expect_buffer(t, ZX_ERR_ACCESS_DENIED, name, 1, PGR_CALL_OBJECT_SET_PROPERTY, none, 9999);
    expect_buffer(t, ZX_ERR_NOT_SUPPORTED, name, 1, PGR_CALL_OBJECT_GET_PROPERTY, t->start.bti, 9999);
    expect_buffer(t, ZX_ERR_NOT_SUPPORTED, name, 1, PGR_CALL_OBJECT_SET_PROPERTY, t->start.bti, 9999);
    expect_buffer(t, ZX_ERR_BUFFER_TOO_SMALL, &size, 7, PGR_CALL_OBJECT_GET_PROPERTY, t->start.bti,
                  ZX_PROP_VMO_CONTENT_SIZE);
    expect_buffer(t, ZX_ERR_BUFFER_TOO_SMALL, &size, 7, PGR_CALL_OBJECT_SET_PROPERTY, t->start.bti,
                  ZX_PROP_VMO_CONTENT_SIZE);
    expect_buffer(t, ZX_ERR_WRONG_TYPE, &size, 8, PGR_CALL_OBJECT_SET_PROPERTY, t->start.bti, ZX_PROP_VMO_CONTENT_SIZE);
    expect_buffer(t, ZX_ERR_BUFFER_TOO_SMALL, name, 31, PGR_CALL_OBJECT_GET_PROPERTY, vmo, ZX_PROP_NAME);
    expect_buffer(t, ZX_OK, &size, 8, PGR_CALL_OBJECT_SET_PROPERTY, vmo, ZX_PROP_VMO_CONTENT_SIZE);
    size = 0;
    expect_buffer(t, ZX_OK, &size, 8, PGR_CALL_OBJECT_GET_PROPERTY, vmo, ZX_PROP_VMO_CONTENT_SIZE);
    assert_int_equal(size, 5);
    world_free(t);
}

static void name_of_any_length(void **state)
{
    struct test_world *t = world_make(NULL);
    zx_handle_t vmo = make_vmo(t, 1, 0);
    char given[64], got[ZX_MAX_NAME_LEN], expected[ZX_MAX_NAME_LEN];
    unsigned length;

    (void)state;
    memset(given, 'n', sizeof(given));
    for (length = 0; length <= sizeof(given); length++) {
        memset(expected, 0, sizeof(expected));
        memset(expected, 'n', length < 31 ? length : 31);
        memset(got, 0xa5, sizeof(got));
        expect_buffer(t, ZX_OK, given, length, PGR_CALL_OBJECT_SET_PROPERTY, vmo, ZX_PROP_NAME);
        expect_buffer(t, ZX_OK, got, sizeof(got), PGR_CALL_OBJECT_GET_PROPERTY, vmo, ZX_PROP_NAME);
        assert_memory_equal(got, expected, sizeof(got));
    }
    world_free(t);
}

/* ---- limits ---- */

static void pin_counts_to_31(void **state)
{
    struct test_world *t = world_make(NULL);
    zx_handle_t vmo = make_vmo(t, 3, 0), pmts[31];
    uint64_t before;
    unsigned i;

    (void)state;
    for (i = 0; i < 31; i++)
        pmts[i] =
            (zx_handle_t)expect_ok(t, PGR_CALL_BTI_PIN, t->start.bti, ZX_BTI_PERM_READ, vmo, pages(t, 1), pages(t, 1));
    expect_runs(t, vmo, ".1 A1*31 .1");
    before = hash(t);
    expect(t, ZX_ERR_UNAVAILABLE, PGR_CALL_BTI_PIN, t->start.bti, ZX_BTI_PERM_READ, vmo, pages(t, 1), pages(t, 1));
    assert_int_equal(hash(t), before);
    /* The pages around it are not pinned either by the pin that fails. */
    expect_ok(t, PGR_CALL_VMO_OP_RANGE, vmo, ZX_VMO_OP_COMMIT, 0, pages(t, 3));
    before = hash(t);
    expect(t, ZX_ERR_UNAVAILABLE, PGR_CALL_BTI_PIN, t->start.bti, ZX_BTI_PERM_READ, vmo, 0, pages(t, 3));
    assert_int_equal(hash(t), before);
    expect_runs(t, vmo, "A1 A1*31 A1");
    expect_ok(t, PGR_CALL_PMT_UNPIN, pmts[7]);
    expect_ok(t, PGR_CALL_BTI_PIN, t->start.bti, ZX_BTI_PERM_READ, vmo, 0, pages(t, 3));
    expect_runs(t, vmo, "A1*1 A1*31 A1*1");
    world_free(t);
}

static void contiguous_frames_follow_each_other(void **state)
{
    struct test_world *t = world_make(NULL);
    zx_handle_t scattered = make_vmo(t, 64, 0), vmo;
    uint32_t vmo_row, pages_row;
    pgr_run_view run;
    uint64_t i;

    (void)state;
    /* Free frames with holes of one, so that the first stretch of eight is not the first free frame. */
    expect_ok(t, PGR_CALL_VMO_OP_RANGE, scattered, ZX_VMO_OP_COMMIT, 0, pages(t, 64));
    for (i = 0; i < 64; i += 2)
        expect_ok(t, PGR_CALL_VMO_OP_RANGE, scattered, ZX_VMO_OP_DECOMMIT, pages(t, i), pages(t, 1));
    vmo = (zx_handle_t)expect_ok(t, PGR_CALL_VMO_CREATE_CONTIGUOUS, t->start.bti, pages(t, 8), 15);
    assert_true(pgr_inspect_vmo(t->world, vmo, &vmo_row, &pages_row));
    assert_true(pgr_inspect_run(t->world, pages_row, 0, &run));
    assert_int_equal(run.count, 8);
    assert_int_equal(run.frame % 8, 0);
    assert_int_not_equal(run.frame, 0);
    expect_filled(t, vmo, 0, 8, 0);
    world_free(t);
}

static void contiguous_without_a_stretch_is_no_memory(void **state)
{
    struct test_world *t = world_make(NULL);
    zx_handle_t scattered = make_vmo(t, 256, 0);
    uint64_t i, before;

    (void)state;
    expect_ok(t, PGR_CALL_VMO_OP_RANGE, scattered, ZX_VMO_OP_COMMIT, 0, pages(t, 256));
    for (i = 0; i < 256; i += 2)
        expect_ok(t, PGR_CALL_VMO_OP_RANGE, scattered, ZX_VMO_OP_DECOMMIT, pages(t, i), pages(t, 1));
    before = hash(t);
    expect(t, ZX_ERR_NO_MEMORY, PGR_CALL_VMO_CREATE_CONTIGUOUS, t->start.bti, pages(t, 2), 0);
    assert_int_equal(hash(t), before);
    expect_ok(t, PGR_CALL_VMO_CREATE_CONTIGUOUS, t->start.bti, pages(t, 1), 0);
    world_free(t);
}

/* The pages of a destination are each where they came from: content that tells (object, page) apart. */
static void supply_scatters_nothing(void **state)
{
    enum { COUNT = 100 };
    struct test_world *t = world_make(NULL);
    zx_handle_t pager = make_pager(t), vmo = make_pager_vmo(t, pager, make_port(t), 7, COUNT, 0),
                aux = make_vmo(t, COUNT, 0);
    uint8_t expected[COUNT] = {0};
    uint64_t random = 4711;
    unsigned i, round;

    (void)state;
    for (round = 0; round < 60; round++) {
        unsigned first = (unsigned)random_below(&random, COUNT), count = (unsigned)random_below(&random, 8) + 1;

        if (first + count > COUNT)
            count = COUNT - first;
        for (i = first; i < first + count; i++) {
            uint8_t byte = (uint8_t)(random_below(&random, 3) == 0 ? 0 : round + 1);

            if (byte != 0)
                fill(t, aux, i, 1, byte);
            if (expected[i] == 0)
                expected[i] = byte != 0 ? byte : 0xff;
        }
        expect_ok(t, PGR_CALL_PAGER_SUPPLY_PAGES, pager, vmo, pages(t, first), pages(t, count), aux, pages(t, first));
        assert_int_equal(committed_bytes(t, aux), 0);
    }
    for (i = 0; i < COUNT; i++) {
        if (expected[i] != 0)
            expect_filled(t, vmo, i, 1, expected[i] == 0xff ? 0 : expected[i]);
    }
    world_free(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(info_basic_whole),
        cmocka_unit_test(info_vmo_whole),
        cmocka_unit_test(info_vmo_of_pager_whole),
        cmocka_unit_test(transfer_short_buffers),
        cmocka_unit_test(transfer_longer_buffer_keeps_its_rest),
        cmocka_unit_test(property_buffers),
        cmocka_unit_test(name_of_any_length),
        cmocka_unit_test(pin_counts_to_31),
        cmocka_unit_test(contiguous_frames_follow_each_other),
        cmocka_unit_test(contiguous_without_a_stretch_is_no_memory),
        cmocka_unit_test(supply_scatters_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
