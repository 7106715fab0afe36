/*
 * Threads in calls, resumed in other orders than the traces do, late, or never: what a released thread finds when it
 * goes on.
 */
#include "tests/test_support.h"

/* A pager with a VMO of eight absent pages. */
struct scene {
    struct test_world *t;
    zx_handle_t port, pager, vmo;
};

static struct scene scene(void)
{
    struct scene s = {.t = world_make(NULL)};

    s.port = make_port(s.t);
    s.pager = make_pager(s.t);
    s.vmo = make_pager_vmo(s.t, s.pager, s.port, 7, 8, ZX_VMO_RESIZABLE);
    return s;
}

static void begin_commit(struct scene *s, uint32_t thread, uint64_t page, uint64_t count)
{
    expect_blocks(s->t, thread, PGR_CALL_VMO_OP_RANGE,
                  ARGS(s->vmo, ZX_VMO_OP_COMMIT, pages(s->t, page), pages(s->t, count)), NULL, 0);
}

static void begin_read(struct scene *s, uint32_t thread, uint64_t page, uint64_t count, void *buffer)
{
    expect_blocks(s->t, thread, PGR_CALL_VMO_READ, ARGS(s->vmo, 0, pages(s->t, page), pages(s->t, count)), buffer,
                  pages(s->t, count));
}

/* Exactly these threads must be released, in this order; ends with PGR_NO_THREAD. */
static void expect_released(struct scene *s, const uint32_t *threads)
{
    uint32_t thread = pgr_first_released(s->t->world);

    for (; *threads != PGR_NO_THREAD; threads++) {
        pgr_thread_view view;

        assert_int_equal(thread, *threads);
        assert_true(pgr_inspect_thread(s->t->world, thread, &view));
        assert_int_equal(view.state, PGR_THREAD_RELEASED);
        thread = view.next_released;
    }
    assert_int_equal(thread, PGR_NO_THREAD);
}

#define RELEASED(...) ((const uint32_t[]){__VA_ARGS__, PGR_NO_THREAD})

static void resume_blocked_again(struct scene *s, uint32_t thread, void *buffer, uint64_t bytes)
{
    perform_on(s->t, thread, PGR_CALL_RESUME, ARGS(0), buffer, bytes);
    assert_int_equal(s->t->result.outcome, PGR_BLOCKED);
    assert_int_equal(s->t->result.status, 0);
}

static void release_order_within_and_across_requests(void **state)
{
    struct scene s = scene();

    (void)state;
    begin_commit(&s, 1, 4, 2);
    begin_commit(&s, 2, 0, 2);
    begin_commit(&s, 3, 4, 1);
    begin_commit(&s, 4, 1, 1);
    begin_commit(&s, 5, 5, 1);
    supply_zeros(s.t, s.pager, s.vmo, 0, 8);
    expect_released(&s, RELEASED(4, 2, 3, 5, 1));
    /* Against the order, it makes no difference. */
    expect_resumed(s.t, ZX_OK, 1, NULL, 0);
    expect_released(&s, RELEASED(4, 2, 3, 5));
    expect_resumed(s.t, ZX_OK, 3, NULL, 0);
    expect_resumed(s.t, ZX_OK, 5, NULL, 0);
    expect_released(&s, RELEASED(4, 2));
    expect_resumed(s.t, ZX_OK, 2, NULL, 0);
    expect_resumed(s.t, ZX_OK, 4, NULL, 0);
    world_free(s.t);
}

static void release_order_of_shrink_detach_and_close(void **state)
{
    struct scene s = scene();
    zx_handle_t second = make_pager_vmo(s.t, s.pager, s.port, 8, 8, 0), first = s.vmo;

    (void)state;
    begin_commit(&s, 1, 7, 1);
    begin_commit(&s, 2, 5, 1);
    expect_ok(s.t, PGR_CALL_VMO_SET_SIZE, s.vmo, pages(s.t, 4));
    expect_released(&s, RELEASED(2, 1));
    resume_all(s.t, NULL, 0);
    begin_commit(&s, 1, 3, 1);
    begin_commit(&s, 2, 0, 1);
    s.vmo = second;
    begin_commit(&s, 3, 6, 1);
    begin_commit(&s, 4, 2, 1);
    s.vmo = first;
    begin_commit(&s, 5, 2, 1);
    /* VMO by VMO in order of creation, ascending in each. */
    expect_ok(s.t, PGR_CALL_HANDLE_CLOSE, s.pager);
    expect_released(&s, RELEASED(2, 5, 1, 4, 3));
    expect_resumed(s.t, ZX_ERR_BAD_STATE, 3, NULL, 0);
    world_free(s.t);
}

static void late_thread_finds_its_page_evicted(void **state)
{
    struct scene s = scene();
    uint8_t buffer[4096];

    (void)state;
    begin_read(&s, 1, 2, 1, buffer);
    expect_read_packet(s.t, s.port, 7, 2, 1);
    supply_filled(s.t, s.pager, s.vmo, 2, 1, 0x11);
    expect_ok(s.t, PGR_CALL_RECLAIM, 10);
    resume_blocked_again(&s, 1, buffer, sizeof(buffer));
    assert_int_equal(s.t->result.call, PGR_CALL_VMO_READ);
    expect_read_packet(s.t, s.port, 7, 2, 1);
    supply_filled(s.t, s.pager, s.vmo, 2, 1, 0x22);
    expect_resumed(s.t, ZX_OK, 1, buffer, sizeof(buffer));
    assert_int_equal(buffer[0], 0x22);
    world_free(s.t);
}

static void late_thread_finds_the_vmo_changed(void **state)
{
    struct scene s = scene();
    uint8_t buffer[4096];

    (void)state;
    begin_read(&s, 1, 6, 1, buffer);
    begin_commit(&s, 2, 5, 2);
    supply_zeros(s.t, s.pager, s.vmo, 5, 2);
    expect_ok(s.t, PGR_CALL_VMO_SET_SIZE, s.vmo, pages(s.t, 6));
    expect_resumed(s.t, ZX_ERR_OUT_OF_RANGE, 1, buffer, sizeof(buffer));
    expect_resumed(s.t, ZX_OK, 2, NULL, 0);
    expect_runs(s.t, s.vmo, ".5 C1");
    begin_read(&s, 1, 0, 1, buffer);
    supply_zeros(s.t, s.pager, s.vmo, 0, 1);
    expect_ok(s.t, PGR_CALL_PAGER_DETACH_VMO, s.pager, s.vmo);
    expect_resumed(s.t, ZX_ERR_BAD_STATE, 1, buffer, sizeof(buffer));
    world_free(s.t);
}

static void failed_thread_fails_though_the_page_came_meanwhile(void **state)
{
    struct scene s = scene();
    uint8_t buffer[4096];

    (void)state;
    begin_read(&s, 1, 0, 1, buffer);
    expect_ok(s.t, PGR_CALL_PAGER_OP_RANGE, s.pager, ZX_PAGER_OP_FAIL, s.vmo, 0, pages(s.t, 1), (uint64_t)ZX_ERR_IO);
    supply_zeros(s.t, s.pager, s.vmo, 0, 1);
    expect_resumed(s.t, ZX_ERR_IO, 1, buffer, sizeof(buffer));
    world_free(s.t);
}

static void resumed_transfer_uses_the_buffer_that_comes_with_it(void **state)
{
    struct scene s = scene();
    uint64_t bytes = pages(s.t, 2);
    uint8_t *first = calloc(bytes, 1), *second = calloc(bytes, 1);

    (void)state;
    begin_read(&s, 1, 0, 2, first);
    supply_filled(s.t, s.pager, s.vmo, 0, 2, 0x31);
    memset(second, 0xa5, bytes);
    expect_resumed(s.t, ZX_OK, 1, second, bytes);
    assert_int_equal(first[0], 0);
    assert_int_equal(second[0], 0x31);
    assert_int_equal(second[bytes - 1], 0x31);
    /* A write: what was copied from the first buffer stays, the rest comes from the second. */
    memset(first, 0x41, bytes);
    memset(second, 0x42, bytes);
    expect_blocks(s.t, 1, PGR_CALL_VMO_WRITE, ARGS(s.vmo, 0, pages(s.t, 1), bytes), first, bytes);
    supply_filled(s.t, s.pager, s.vmo, 2, 1, 0x33);
    expect_resumed(s.t, ZX_OK, 1, second, bytes);
    expect_filled(s.t, s.vmo, 1, 1, 0x41);
    expect_filled(s.t, s.vmo, 2, 1, 0x42);
    free(first);
    free(second);
    world_free(s.t);
}

static void resumed_transfer_with_too_short_a_buffer(void **state)
{
    struct scene s = scene();
    uint8_t buffer[4096];

    (void)state;
    begin_read(&s, 1, 0, 1, buffer);
    begin_read(&s, 2, 1, 1, buffer);
    supply_zeros(s.t, s.pager, s.vmo, 0, 2);
    expect_resumed(s.t, ZX_ERR_NOT_FOUND, 1, buffer, sizeof(buffer) - 1);
    expect_resumed(s.t, ZX_ERR_NOT_FOUND, 2, NULL, 0);
    world_free(s.t);
}

static void released_thread_may_be_killed(void **state)
{
    struct scene s = scene();

    (void)state;
    begin_commit(&s, 1, 0, 1);
    begin_commit(&s, 2, 0, 1);
    begin_commit(&s, 3, 0, 1);
    supply_zeros(s.t, s.pager, s.vmo, 0, 1);
    expect_released(&s, RELEASED(2, 3, 1));
    expect_ok(s.t, PGR_CALL_THREAD_KILL, 3);
    expect_released(&s, RELEASED(2, 1));
    expect_refused(s.t, ZX_ERR_BAD_STATE, 3, PGR_CALL_RESUME, ARGS(0));
    expect_resumed(s.t, ZX_OK, 2, NULL, 0);
    expect_resumed(s.t, ZX_OK, 1, NULL, 0);
    /* The row of the killed thread is free for another one. */
    begin_commit(&s, 3, 1, 1);
    expect_ok(s.t, PGR_CALL_THREAD_KILL, 3);
    expect_ok(s.t, PGR_CALL_THREAD_KILL, 3);
    expect_ok(s.t, PGR_CALL_THREAD_KILL, UINT32_MAX);
    world_free(s.t);
}

static void released_thread_keeps_the_vmo_alive(void **state)
{
    struct scene s = scene();
    uint8_t buffer[4096];

    (void)state;
    begin_read(&s, 1, 0, 1, buffer);
    supply_filled(s.t, s.pager, s.vmo, 0, 1, 0x51);
    close_handle(s.t, s.vmo);
    expect_no_packet(s.t, s.port);
    expect_resumed(s.t, ZX_OK, 1, buffer, sizeof(buffer));
    assert_int_equal(buffer[4095], 0x51);
    expect_complete_packet(s.t, s.port, 7);
    world_free(s.t);
}

static void released_thread_that_blocks_again_is_behind_the_others(void **state)
{
    struct scene s = scene();

    (void)state;
    begin_commit(&s, 1, 0, 1);
    begin_commit(&s, 2, 0, 3);
    supply_zeros(s.t, s.pager, s.vmo, 0, 1);
    expect_released(&s, RELEASED(2, 1));
    resume_blocked_again(&s, 2, NULL, 0);
    expect_released(&s, RELEASED(1));
    begin_commit(&s, 3, 1, 1);
    supply_zeros(s.t, s.pager, s.vmo, 1, 2);
    expect_released(&s, RELEASED(1, 3, 2));
    resume_all(s.t, NULL, 0);
    assert_int_equal(committed_bytes(s.t, s.vmo), pages(s.t, 3));
    world_free(s.t);
}

static void pin_of_many_steps_gives_its_handle_at_the_end(void **state)
{
    struct scene s = scene();
    zx_handle_t pmt;

    (void)state;
    begin_commit(&s, 1, 3, 1);
    expect_blocks(s.t, 2, PGR_CALL_BTI_PIN, ARGS(s.t->start.bti, ZX_BTI_PERM_READ, s.vmo, pages(s.t, 1), pages(s.t, 4)),
                  NULL, 0);
    supply_zeros(s.t, s.pager, s.vmo, 1, 2);
    resume_blocked_again(&s, 2, NULL, 0);
    supply_zeros(s.t, s.pager, s.vmo, 3, 1);
    expect_resumed(s.t, ZX_OK, 1, NULL, 0);
    resume_blocked_again(&s, 2, NULL, 0);
    supply_zeros(s.t, s.pager, s.vmo, 4, 1);
    expect_resumed(s.t, ZX_OK, 2, NULL, 0);
    assert_int_equal(s.t->result.call, PGR_CALL_BTI_PIN);
    expect_runs(s.t, s.vmo, ".1 C4*1 .3");
    pmt = (zx_handle_t)s.t->result.out[5];
    expect_ok(s.t, PGR_CALL_PMT_UNPIN, pmt);
    expect_runs(s.t, s.vmo, ".1 C4 .3");
    world_free(s.t);
}

static void inspected_requests_and_threads(void **state)
{
    struct scene s = scene();
    pgr_inspect_counts counts;
    pgr_request_view request;
    pgr_thread_view thread;

    (void)state;
    begin_commit(&s, 1, 2, 4);
    begin_commit(&s, 2, 3, 1);
    supply_zeros(s.t, s.pager, s.vmo, 4, 1);
    pgr_inspect_world(s.t->world, &counts);
    assert_int_equal(counts.requests_used, 1);
    assert_int_equal(counts.threads_blocked, 2);
    assert_true(pgr_inspect_thread(s.t->world, 2, &thread));
    assert_int_equal(thread.state, PGR_THREAD_BLOCKED);
    assert_int_equal(thread.wait, PGR_WAIT_REQUEST);
    assert_int_equal(thread.call, PGR_CALL_VMO_OP_RANGE);
    assert_true(pgr_inspect_request(s.t->world, thread.request, &request));
    assert_int_equal(request.owner, 1);
    assert_int_equal(request.waiter_count, 2);
    assert_int_equal(request.page, 2);
    assert_int_equal(request.count, 4);
    assert_int_equal(request.pending, 3);
    assert_int_equal(request.place, PGR_REQUEST_IN_PORT);
    expect_read_packet(s.t, s.port, 7, 2, 4);
    assert_true(pgr_inspect_request(s.t->world, thread.request, &request));
    assert_int_equal(request.place, PGR_REQUEST_RECEIVED);
    assert_false(pgr_inspect_thread(s.t->world, s.t->config.thread_count, &thread));
    world_free(s.t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(release_order_within_and_across_requests),
        cmocka_unit_test(release_order_of_shrink_detach_and_close),
        cmocka_unit_test(late_thread_finds_its_page_evicted),
        cmocka_unit_test(late_thread_finds_the_vmo_changed),
        cmocka_unit_test(failed_thread_fails_though_the_page_came_meanwhile),
        cmocka_unit_test(resumed_transfer_uses_the_buffer_that_comes_with_it),
        cmocka_unit_test(resumed_transfer_with_too_short_a_buffer),
        cmocka_unit_test(released_thread_may_be_killed),
        cmocka_unit_test(released_thread_keeps_the_vmo_alive),
        cmocka_unit_test(released_thread_that_blocks_again_is_behind_the_others),
        cmocka_unit_test(pin_of_many_steps_gives_its_handle_at_the_end),
        cmocka_unit_test(inspected_requests_and_threads),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
