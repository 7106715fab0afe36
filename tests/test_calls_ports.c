/*
 * Ports, packets and signals, as far as traces cannot say it: whole structures, bad buffers, limits, and packets that
 * were received by threads which have not gone on yet.
 */
#include "tests/test_support.h"

static zx_port_packet_t user_packet(uint64_t key)
{
    zx_port_packet_t packet = {.key = key, .type = ZX_PKT_TYPE_USER, .status = ZX_ERR_IO};

    packet.user.u64[0] = key * 3;
    packet.user.u64[3] = ~key;
    return packet;
}

static void queue_packet(struct test_world *t, zx_handle_t port, uint64_t key)
{
    zx_port_packet_t packet = user_packet(key);

    expect_buffer(t, ZX_OK, &packet, sizeof(packet), PGR_CALL_PORT_QUEUE, port);
}

static void expect_user_packet(struct test_world *t, zx_handle_t port, uint64_t key)
{
    zx_port_packet_t packet = user_packet(key);

    expect_ok(t, PGR_CALL_PORT_WAIT, port, 0);
    assert_memory_equal(&t->result.packet, &packet, sizeof(packet));
}

static void queue_overwrites_nothing_but_the_type(void **state)
{
    struct test_world *t = world_make(NULL);
    zx_handle_t port = make_port(t);
    zx_port_packet_t sent;

    (void)state;
    memset(&sent, 0xc3, sizeof(sent));
    expect_buffer(t, ZX_OK, &sent, sizeof(sent), PGR_CALL_PORT_QUEUE, port);
    assert_int_equal(sent.type, 0xc3c3c3c3);
    sent.type = ZX_PKT_TYPE_USER;
    expect_ok(t, PGR_CALL_PORT_WAIT, port, 0);
    assert_memory_equal(&t->result.packet, &sent, sizeof(sent));
    world_free(t);
}

static void queue_bad_buffers(void **state)
{
    struct test_world *t = world_make(NULL);
    zx_handle_t port = make_port(t), read_only = duplicate(t, port, ZX_RIGHT_READ);
    zx_port_packet_t packet = user_packet(1);
    uint64_t before = hash(t);

    (void)state;
    expect_buffer(t, ZX_ERR_BAD_HANDLE, NULL, 0, PGR_CALL_PORT_QUEUE, 0);
    expect_buffer(t, ZX_ERR_ACCESS_DENIED, NULL, 0, PGR_CALL_PORT_QUEUE, read_only);
    expect_buffer(t, ZX_ERR_INVALID_ARGS, NULL, 0, PGR_CALL_PORT_QUEUE, port);
    expect_buffer(t, ZX_ERR_INVALID_ARGS, NULL, sizeof(packet), PGR_CALL_PORT_QUEUE, port);
    expect_buffer(t, ZX_ERR_INVALID_ARGS, &packet, sizeof(packet) - 1, PGR_CALL_PORT_QUEUE, port);
    assert_int_equal(hash(t), before);
    world_free(t);
}

static void queue_limit_counts_user_packets_only(void **state)
{
    pgr_config config = small_config();
    struct test_world *t;
    zx_handle_t port, other, pager, vmo;
    uint64_t i, before;
    zx_port_packet_t packet = user_packet(9999);

    (void)state;
    config.packet_count = 8192;
    t = world_make(&config);
    port = make_port(t);
    other = make_port(t);
    pager = make_pager(t);
    vmo = make_pager_vmo(t, pager, port, 7, 4, 0);
    expect_blocks(t, 1, PGR_CALL_VMO_OP_RANGE, ARGS(vmo, ZX_VMO_OP_COMMIT, 0, pages(t, 1)), NULL, 0);
    expect_ok(t, PGR_CALL_OBJECT_WAIT_ASYNC, vmo, port, 5, ZX_VMO_ZERO_CHILDREN, 0);
    for (i = 0; i < 4096; i++)
        queue_packet(t, port, i);
    before = hash(t);
    expect_buffer(t, ZX_ERR_SHOULD_WAIT, &packet, sizeof(packet), PGR_CALL_PORT_QUEUE, port);
    assert_int_equal(hash(t), before);
    /* No packet at all is noticed first. */
    expect(t, ZX_ERR_INVALID_ARGS, PGR_CALL_PORT_QUEUE, port);
    queue_packet(t, other, 1);
    /* Receiving what is not a user packet makes no room, receiving a user packet does. */
    expect_read_packet(t, port, 7, 0, 1);
    expect_ok(t, PGR_CALL_PORT_WAIT, port, 0);
    assert_int_equal(t->result.packet.type, ZX_PKT_TYPE_SIGNAL_ONE);
    expect_buffer(t, ZX_ERR_SHOULD_WAIT, &packet, sizeof(packet), PGR_CALL_PORT_QUEUE, port);
    expect_user_packet(t, port, 0);
    queue_packet(t, port, 4096);
    for (i = 1; i <= 4096; i++)
        expect_user_packet(t, port, i);
    expect_no_packet(t, port);
    world_free(t);
}

static void signal_packet_whole(void **state)
{
    struct test_world *t = world_make(NULL);
    zx_handle_t port = make_port(t);
    zx_port_packet_t packet = {.key = UINT64_MAX, .type = ZX_PKT_TYPE_SIGNAL_ONE, .status = ZX_OK};

    (void)state;
    expect_ok(t, PGR_CALL_OBJECT_WAIT_ASYNC, t->start.event, port, UINT64_MAX, ZX_EVENT_SIGNALED | 1u << 24, 0);
    expect_ok(t, PGR_CALL_OBJECT_SIGNAL, t->start.event, 0, ZX_EVENT_SIGNALED | 1u << 25);
    packet.signal.trigger = ZX_EVENT_SIGNALED | 1u << 24;
    packet.signal.observed = ZX_EVENT_SIGNALED | 1u << 25;
    packet.signal.count = 1;
    expect_ok(t, PGR_CALL_PORT_WAIT, port, 0);
    assert_memory_equal(&t->result.packet, &packet, sizeof(packet));
    world_free(t);
}

static void signal_packet_tells_what_was_when_it_was_queued(void **state)
{
    struct test_world *t = world_make(NULL);
    zx_handle_t port = make_port(t);

    (void)state;
    expect_ok(t, PGR_CALL_OBJECT_WAIT_ASYNC, t->start.event, port, 1, ZX_EVENT_SIGNALED, 0);
    expect_ok(t, PGR_CALL_OBJECT_SIGNAL, t->start.event, 0, ZX_EVENT_SIGNALED);
    expect_ok(t, PGR_CALL_OBJECT_SIGNAL, t->start.event, ZX_EVENT_SIGNALED, 1u << 24);
    expect_ok(t, PGR_CALL_PORT_WAIT, port, 0);
    assert_int_equal(t->result.packet.signal.observed, ZX_EVENT_SIGNALED);
    world_free(t);
}

static void waiting_thread_has_its_packet_when_it_is_queued(void **state)
{
    struct test_world *t = world_make(NULL);
    zx_handle_t port = make_port(t);
    zx_port_packet_t packet = user_packet(1);

    (void)state;
    expect_blocks(t, 1, PGR_CALL_PORT_WAIT, ARGS(port, ZX_TIME_INFINITE), NULL, 0);
    queue_packet(t, port, 1);
    queue_packet(t, port, 2);
    /* The released thread has not gone on yet, but the first packet is its own. */
    expect_user_packet(t, port, 2);
    expect_no_packet(t, port);
    /* Not even closing the port takes it away. */
    close_handle(t, port);
    expect_resumed(t, ZX_OK, 1, NULL, 0);
    assert_int_equal(t->result.call, PGR_CALL_PORT_WAIT);
    assert_memory_equal(&t->result.packet, &packet, sizeof(packet));
    world_free(t);
}

static void waiters_may_go_on_in_any_order(void **state)
{
    struct test_world *t = world_make(NULL);
    zx_handle_t port = make_port(t);
    uint64_t key;
    uint32_t thread;

    (void)state;
    for (thread = 1; thread <= 3; thread++)
        expect_blocks(t, thread, PGR_CALL_PORT_WAIT, ARGS(port, ZX_TIME_INFINITE), NULL, 0);
    for (key = 1; key <= 3; key++)
        queue_packet(t, port, key);
    assert_int_equal(pgr_first_released(t->world), 1);
    for (thread = 3; thread >= 1; thread--) {
        expect_resumed(t, ZX_OK, thread, NULL, 0);
        assert_int_equal(t->result.packet.key, thread);
    }
    world_free(t);
}

static void wait_one_tells_what_it_observed(void **state)
{
    struct test_world *t = world_make(NULL);
    zx_handle_t dup = duplicate(t, t->start.event, ZX_RIGHT_WAIT);

    (void)state;
    expect_ok(t, PGR_CALL_OBJECT_SIGNAL, t->start.event, 0, 1u << 24);
    expect_blocks(t, 1, PGR_CALL_OBJECT_WAIT_ONE, ARGS(dup, ZX_EVENT_SIGNALED, ZX_TIME_INFINITE), NULL, 0);
    expect_blocks(t, 2, PGR_CALL_OBJECT_WAIT_ONE, ARGS(t->start.event, ZX_EVENT_SIGNALED, ZX_TIME_INFINITE), NULL, 0);
    close_handle(t, dup);
    expect_resumed(t, ZX_ERR_CANCELED, 1, NULL, 0);
    assert_int_equal(t->result.out[3] & ZX_SIGNAL_HANDLE_CLOSED, ZX_SIGNAL_HANDLE_CLOSED);
    expect_ok(t, PGR_CALL_OBJECT_SIGNAL, t->start.event, 0, ZX_EVENT_SIGNALED);
    expect_resumed(t, ZX_OK, 2, NULL, 0);
    assert_int_equal(t->result.out[3], ZX_EVENT_SIGNALED | 1u << 24);
    expect(t, ZX_ERR_TIMED_OUT, PGR_CALL_OBJECT_WAIT_ONE, t->start.event, 1u << 25, 0);
    assert_int_equal(t->result.out[3], ZX_EVENT_SIGNALED | 1u << 24);
    world_free(t);
}

static void released_waiter_may_be_killed(void **state)
{
    struct test_world *t = world_make(NULL);
    zx_handle_t port = make_port(t);
    pgr_inspect_counts counts;

    (void)state;
    expect_blocks(t, 1, PGR_CALL_PORT_WAIT, ARGS(port, ZX_TIME_INFINITE), NULL, 0);
    queue_packet(t, port, 1);
    expect_ok(t, PGR_CALL_THREAD_KILL, 1);
    assert_int_equal(pgr_first_released(t->world), PGR_NO_THREAD);
    pgr_inspect_world(t->world, &counts);
    assert_int_equal(counts.packets_used, 0);
    assert_int_equal(counts.threads_released + counts.threads_blocked, 0);
    /* Its row is another thread's from now on. */
    expect_blocks(t, 1, PGR_CALL_PORT_WAIT, ARGS(port, ZX_TIME_INFINITE), NULL, 0);
    world_free(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(queue_overwrites_nothing_but_the_type),
        cmocka_unit_test(queue_bad_buffers),
        cmocka_unit_test(queue_limit_counts_user_packets_only),
        cmocka_unit_test(signal_packet_whole),
        cmocka_unit_test(signal_packet_tells_what_was_when_it_was_queued),
        cmocka_unit_test(waiting_thread_has_its_packet_when_it_is_queued),
        cmocka_unit_test(waiters_may_go_on_in_any_order),
        cmocka_unit_test(wait_one_tells_what_it_observed),
        cmocka_unit_test(released_waiter_may_be_killed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
