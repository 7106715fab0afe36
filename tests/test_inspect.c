/*
 * Inspection: views with any row number, and the canonical hash: it must tell apart what a program could, and nothing
 * else.
 */
#include "tests/test_support.h"

/* ---- views ---- */

/* Every view of rows that do not exist is refused; of those that may, it does not crash. */
static void views_take_any_row(void **state)
{
    static const uint32_t far[] = {1u << 20, 1u << 24, 0x7fffffff, UINT32_MAX - 1, UINT32_MAX};
    struct test_world *t = world_make(NULL);
    const pgr_world *w = t->world;
    pgr_object_view object;
    pgr_handle_view handle;
    pgr_thread_view thread;
    pgr_request_view request;
    pgr_packet_view packet;
    pgr_frames_view frames;
    pgr_run_view run;
    uint32_t row, kinds = 0;
    size_t i;

    (void)state;
    for (row = 1; row < 2048; row++) {
        kinds += pgr_inspect_object(w, row, &object) ? 1 : 0;
        assert_false(pgr_inspect_request(w, row, &request));
        assert_false(pgr_inspect_packet(w, row, &packet));
        assert_int_equal(pgr_inspect_thread(w, row, &thread), row < t->config.thread_count);
        assert_int_equal(pgr_inspect_frames(w, row, &frames), row < t->config.frame_count);
    }
    assert_int_equal(kinds, 4);
    for (i = 0; i < LENGTH(far); i++) {
        assert_false(pgr_inspect_object(w, far[i], &object));
        assert_false(pgr_inspect_handle(w, far[i], &handle));
        assert_false(pgr_inspect_thread(w, far[i], &thread));
        assert_false(pgr_inspect_request(w, far[i], &request));
        assert_false(pgr_inspect_packet(w, far[i], &packet));
        assert_false(pgr_inspect_frames(w, far[i], &frames));
        assert_false(pgr_inspect_run(w, far[i], 0, &run));
    }
    assert_false(pgr_inspect_object(w, 0, &object));
    assert_false(pgr_inspect_handle(w, 0, &handle));
    assert_false(pgr_inspect_frames(w, 0, &frames));
    world_free(t);
}

static void handles_by_value(void **state)
{
    struct test_world *t = world_make(NULL);
    zx_handle_t vmo = make_vmo(t, 3, 0);
    uint32_t row = pgr_inspect_handle_row(t->world, vmo), vmo_row, pages_row;
    pgr_handle_view view;
    pgr_object_view object;
    pgr_run_view run;

    (void)state;
    assert_int_not_equal(row, 0);
    assert_true(pgr_inspect_handle(t->world, row, &view));
    assert_int_equal(view.value, vmo);
    assert_int_equal(view.kind, PGR_OBJECT_VMO);
    assert_int_equal(view.rights, 0xd0ef);
    assert_int_equal(pgr_inspect_handle_row(t->world, 0), 0);
    assert_int_equal(pgr_inspect_handle_row(t->world, vmo ^ 1), 0);
    assert_int_equal(pgr_inspect_handle_row(t->world, UINT32_MAX), 0);
    assert_true(pgr_inspect_vmo(t->world, vmo, &vmo_row, &pages_row));
    assert_int_equal(vmo_row, view.object);
    assert_true(pgr_inspect_object(t->world, pages_row, &object));
    assert_int_equal(object.kind, PGR_OBJECT_PAGES);
    assert_int_equal(object.pages.size_pages, 3);
    assert_false(pgr_inspect_run(t->world, pages_row, 0, &run));
    assert_false(pgr_inspect_run(t->world, vmo_row, 0, &run));
    assert_false(pgr_inspect_vmo(t->world, t->start.event, &vmo_row, &pages_row));
    close_handle(t, vmo);
    assert_int_equal(pgr_inspect_handle_row(t->world, vmo), 0);
    world_free(t);
}

/* ---- the hash ---- */

/* A world with something of everything. */
struct scene {
    struct test_world *t;
    zx_handle_t port, pager, vmo, plain, clone, part, own;
};

static struct scene scene(void)
{
    struct scene s = {.t = world_make(NULL)};
    struct test_world *t = s.t;

    s.port = make_port(t);
    s.pager = make_pager(t);
    s.vmo = make_pager_vmo(t, s.pager, s.port, 7, 8, ZX_VMO_RESIZABLE);
    supply_filled(t, s.pager, s.vmo, 0, 3, 1);
    supply_zeros(t, s.pager, s.vmo, 3, 1);
    s.plain = make_vmo(t, 4, 0);
    fill(t, s.plain, 0, 2, 2);
    s.clone = (zx_handle_t)expect_ok(t, PGR_CALL_VMO_CREATE_CHILD, s.plain, ZX_VMO_CHILD_SNAPSHOT, 0, pages(t, 4));
    s.part = (zx_handle_t)expect_ok(t, PGR_CALL_VMO_CREATE_CHILD, s.plain, ZX_VMO_CHILD_SLICE, 0, pages(t, 2));
    s.own = make_vmo(t, 1, 0);
    fill(t, s.own, 0, 1, 2);
    expect_blocks(t, 1, PGR_CALL_VMO_OP_RANGE, ARGS(s.vmo, ZX_VMO_OP_COMMIT, pages(t, 4), pages(t, 2)), NULL, 0);
    return s;
}

/* What is done to the scene: one call of the main thread, with the bytes that it takes. */
struct change {
    const char *name;
    uint32_t number;
    uint64_t args[PGR_ARGS_MAX];
    const char *bytes;
    uint64_t byte_count;
};

enum { CHANGES_MAX = 32 };

static unsigned visible_changes(const struct scene *s, struct change *changes)
{
    const uint64_t page = page_size(s->t);
    const struct change list[] = {
        {"write one byte", PGR_CALL_VMO_WRITE, {s->plain, 0, 5, 1}, "x", 1},
        {"write the same byte, dirty", PGR_CALL_VMO_WRITE, {s->vmo, 0, 5, 1}, "\x01", 1},
        {"write into a clone", PGR_CALL_VMO_WRITE, {s->clone, 0, 5, 1}, "\x03", 1},
        {"commit zeros", PGR_CALL_VMO_OP_RANGE, {s->plain, ZX_VMO_OP_COMMIT, 3 * page, page}, NULL, 0},
        {"commit a marker", PGR_CALL_VMO_OP_RANGE, {s->vmo, ZX_VMO_OP_COMMIT, 3 * page, page}, NULL, 0},
        {"zero an absent page", PGR_CALL_VMO_OP_RANGE, {s->vmo, ZX_VMO_OP_ZERO, 7 * page, page}, NULL, 0},
        {"evict", PGR_CALL_RECLAIM, {1}, NULL, 0},
        {"resize", PGR_CALL_VMO_SET_SIZE, {s->vmo, 9 * page}, NULL, 0},
        {"content size",
         PGR_CALL_OBJECT_SET_PROPERTY,
         {s->vmo, ZX_PROP_VMO_CONTENT_SIZE},
         "\xff\xff\xff\xff\xff\xff\xff\x7f",
         8},
        {"name", PGR_CALL_OBJECT_SET_PROPERTY, {s->vmo, ZX_PROP_NAME}, "n", 1},
        {"name of the BTI", PGR_CALL_OBJECT_SET_PROPERTY, {s->t->start.bti, ZX_PROP_NAME}, "n", 1},
        {"signal", PGR_CALL_OBJECT_SIGNAL, {s->t->start.event, 0, ZX_EVENT_SIGNALED}, NULL, 0},
        {"another handle", PGR_CALL_HANDLE_DUPLICATE, {s->vmo, ZX_RIGHT_SAME_RIGHTS}, NULL, 0},
        {"a right fewer", PGR_CALL_HANDLE_REPLACE, {s->vmo, 0x40d0ef & ~ZX_RIGHT_MAP}, NULL, 0},
        {"close", PGR_CALL_HANDLE_CLOSE, {s->clone}, NULL, 0},
        {"another VMO", PGR_CALL_VMO_CREATE, {0, 0}, NULL, 0},
        {"another child", PGR_CALL_VMO_CREATE_CHILD, {s->plain, ZX_VMO_CHILD_SLICE, 0, page}, NULL, 0},
        {"pin", PGR_CALL_BTI_PIN, {s->t->start.bti, ZX_BTI_PERM_READ, s->vmo, 0, page}, NULL, 0},
        {"user packet", PGR_CALL_PORT_QUEUE, {s->port}, "0123456789abcdef0123456789abcdef0123456789abcdef", 48},
        {"receive", PGR_CALL_PORT_WAIT, {s->port, 0}, NULL, 0},
        {"async wait", PGR_CALL_OBJECT_WAIT_ASYNC, {s->t->start.event, s->port, 1, 1u << 24, 0}, NULL, 0},
        {"fail a request",
         PGR_CALL_PAGER_OP_RANGE,
         {s->pager, ZX_PAGER_OP_FAIL, s->vmo, 4 * page, page, (uint64_t)ZX_ERR_IO},
         NULL,
         0},
        {"kill", PGR_CALL_THREAD_KILL, {1}, NULL, 0},
        {"detach", PGR_CALL_PAGER_DETACH_VMO, {s->pager, s->vmo}, NULL, 0},
    };

    memcpy(changes, list, sizeof(list));
    return LENGTH(list);
}

static unsigned invisible_changes(const struct scene *s, struct change *changes)
{
    const uint64_t page = page_size(s->t);
    const struct change list[] = {
        {"read", PGR_CALL_VMO_READ, {s->vmo, 0, 0, 1}, "x", 1},
        {"write what is there", PGR_CALL_VMO_WRITE, {s->own, 0, 5, 1}, "\x02", 1},
        {"commit what is there", PGR_CALL_VMO_OP_RANGE, {s->vmo, ZX_VMO_OP_COMMIT, 0, page}, NULL, 0},
        {"fail where nobody asked",
         PGR_CALL_PAGER_OP_RANGE,
         {s->pager, ZX_PAGER_OP_FAIL, s->vmo, 0, page, (uint64_t)ZX_ERR_IO},
         NULL,
         0},
        {"arm a fault", PGR_CALL_FAIL_ALLOC, {5}, NULL, 0},
        {"evict nothing", PGR_CALL_RECLAIM, {0}, NULL, 0},
        {"the same signals", PGR_CALL_OBJECT_SIGNAL, {s->t->start.event, ZX_EVENT_SIGNALED, 0}, NULL, 0},
        {"kill nobody", PGR_CALL_THREAD_KILL, {3}, NULL, 0},
        {"close nothing", PGR_CALL_HANDLE_CLOSE, {0}, NULL, 0},
    };

    memcpy(changes, list, sizeof(list));
    return LENGTH(list);
}

/* The hash before and after the i-th change of a list, on a scene of its own. */
static void expect_hash(unsigned list(const struct scene *, struct change *), int differs)
{
    struct change changes[CHANGES_MAX];
    unsigned i, count = 1;

    for (i = 0; i < count; i++) {
        struct scene s = scene();
        uint64_t before = hash(s.t);
        char buffer[64];

        count = list(&s, changes);
        memcpy(buffer, changes[i].bytes != NULL ? changes[i].bytes : "", changes[i].byte_count);
        expect_on(s.t, changes[i].name, ZX_OK, 0, changes[i].number, changes[i].args, buffer, changes[i].byte_count);
        if ((hash(s.t) != before) != differs)
            fail_msg("%s: the hash is %s", changes[i].name, differs ? "the same" : "another one");
        world_free(s.t);
    }
}

static void hash_sees_what_a_program_sees(void **state)
{
    (void)state;
    expect_hash(visible_changes, 1);
}

static void hash_sees_nothing_else(void **state)
{
    (void)state;
    expect_hash(invisible_changes, 0);
}

/* Other koids, other handle values, rows and frames that were in use before: the same world. */
static void hash_forgets_history(void **state)
{
    struct test_world *t = world_make(NULL), *other = world_make(NULL);
    zx_handle_t late;
    unsigned i;

    (void)state;
    for (i = 0; i < 6; i++) {
        zx_handle_t early = make_vmo(other, 3 + i, 0);

        fill(other, early, 0, 3 + i, 9);
        close_handle(other, early);
    }
    expect_blocks(other, 1, PGR_CALL_OBJECT_WAIT_ONE, ARGS(other->start.event, ZX_EVENT_SIGNALED, ZX_TIME_INFINITE),
                  NULL, 0);
    expect_ok(other, PGR_CALL_THREAD_KILL, 1);
    expect_ok(other, PGR_CALL_FAIL_ALLOC, 1000);
    assert_int_equal(hash(t), hash(other));
    late = make_vmo(t, 5, 0);
    fill(t, late, 1, 3, 4);
    late = make_vmo(other, 5, 0);
    fill(other, late, 1, 3, 4);
    assert_int_equal(hash(t), hash(other));
    fill(other, late, 4, 1, 0);
    assert_int_not_equal(hash(t), hash(other));
    expect_ok(other, PGR_CALL_VMO_OP_RANGE, late, ZX_VMO_OP_DECOMMIT, pages(other, 4), pages(other, 1));
    assert_int_equal(hash(t), hash(other));
    world_free(t);
    world_free(other);
}

/* The frames may lie somewhere else at each call. */
static void hash_of_moved_frames_is_the_same(void **state)
{
    struct test_world *t = world_make(NULL);
    zx_handle_t vmo = make_vmo(t, 4, 0);
    uint64_t before;
    void *frames, *old = t->frames;

    (void)state;
    fill(t, vmo, 0, 4, 0x5b);
    before = hash(t);
    frames = malloc(pgr_frames_bytes(&t->config));
    memcpy(frames, old, pgr_frames_used_bytes(t->world));
    t->frames = frames;
    free(old);
    assert_int_equal(hash(t), before);
    expect_filled(t, vmo, 0, 4, 0x5b);
    world_free(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(views_take_any_row),
        cmocka_unit_test(handles_by_value),
        cmocka_unit_test(hash_sees_what_a_program_sees),
        cmocka_unit_test(hash_sees_nothing_else),
        cmocka_unit_test(hash_forgets_history),
        cmocka_unit_test(hash_of_moved_frames_is_the_same),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
