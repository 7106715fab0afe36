/*
 * Running out: every configured count, one after the other, and every allocation of some scenarios made to fail. A call
 * that runs out changes nothing that a program could see, and works as soon as there is room again.
 */
#include "tests/test_support.h"

/* ---- counts that are exhausted ---- */

/* Makes one more of something and remembers its handle, if it has one; what `perform` left in t->result counts. */
typedef zx_handle_t make_one(struct test_world *t, unsigned i);

static zx_handle_t result_handle(struct test_world *t, unsigned place)
{
    return t->result.status == ZX_OK ? (zx_handle_t)t->result.out[place] : ZX_HANDLE_INVALID;
}

static zx_handle_t one_vmo(struct test_world *t, unsigned i)
{
    perform(t, PGR_CALL_VMO_CREATE, pages(t, i % 5), 0);
    return result_handle(t, 2);
}

static zx_handle_t one_port(struct test_world *t, unsigned i)
{
    perform(t, PGR_CALL_PORT_CREATE, i % 2);
    return result_handle(t, 1);
}

static zx_handle_t one_pager(struct test_world *t, unsigned i)
{
    (void)i;
    perform(t, PGR_CALL_PAGER_CREATE, 0);
    return result_handle(t, 1);
}

static zx_handle_t one_event(struct test_world *t, unsigned i)
{
    (void)i;
    perform(t, PGR_CALL_EVENT_CREATE, 0);
    return result_handle(t, 1);
}

static zx_handle_t one_duplicate(struct test_world *t, unsigned i)
{
    (void)i;
    perform(t, PGR_CALL_HANDLE_DUPLICATE, t->start.event, ZX_RIGHT_SAME_RIGHTS);
    return result_handle(t, 2);
}

static zx_handle_t one_physical(struct test_world *t, unsigned i)
{
    perform(t, PGR_CALL_VMO_CREATE_PHYSICAL, t->start.resource, pages(t, i), pages(t, 1));
    return result_handle(t, 3);
}

static zx_handle_t one_contiguous(struct test_world *t, unsigned i)
{
    perform(t, PGR_CALL_VMO_CREATE_CONTIGUOUS, t->start.bti, pages(t, 1 + i % 3), 0);
    return result_handle(t, 3);
}

static zx_handle_t one_committed_vmo(struct test_world *t, unsigned i)
{
    zx_handle_t vmo = one_vmo(t, 1);

    (void)i;
    perform(t, PGR_CALL_VMO_OP_RANGE, vmo, ZX_VMO_OP_COMMIT, 0, pages(t, 1));
    if (t->result.status == ZX_OK)
        return vmo;
    /* The VMO without its page is not what was asked for; the failing commit stays the last result. */
    pgr_result result = t->result;

    perform(t, PGR_CALL_HANDLE_CLOSE, vmo);
    t->result = result;
    return ZX_HANDLE_INVALID;
}

struct exhaustion_case {
    const char *name;
    size_t field; /* of pgr_config */
    uint32_t value;
    make_one *make;
    unsigned at_least; /* that can be made */
};

static const struct exhaustion_case exhaustion_cases[] = {
    {"vmo_objects", offsetof(pgr_config, object_count), 32, one_vmo, 10},
    {"port_objects", offsetof(pgr_config, object_count), 32, one_port, 20},
    {"pager_objects", offsetof(pgr_config, object_count), 32, one_pager, 20},
    {"event_objects", offsetof(pgr_config, object_count), 32, one_event, 20},
    {"physical_objects", offsetof(pgr_config, object_count), 32, one_physical, 10},
    {"vmo_handles", offsetof(pgr_config, handle_count), 16, one_vmo, 8},
    {"duplicate_handles", offsetof(pgr_config, handle_count), 16, one_duplicate, 11},
    {"contiguous_frames", offsetof(pgr_config, frame_count), 20, one_contiguous, 6},
    {"committed_frames", offsetof(pgr_config, frame_count), 20, one_committed_vmo, 19},
    {"contiguous_runs", offsetof(pgr_config, run_count), 8, one_contiguous, 8},
};

static void expect_exhaustion(const struct exhaustion_case *c)
{
    pgr_config config = small_config();
    struct test_world *t;
    zx_handle_t made[300];
    uint64_t before;
    unsigned count;

    memcpy((char *)&config + c->field, &c->value, sizeof(c->value));
    t = world_make(&config);
    for (count = 0, before = hash(t); count < LENGTH(made); count++, before = hash(t)) {
        made[count] = c->make(t, count);
        assert_int_equal(t->result.outcome, PGR_DONE);
        if (t->result.status != ZX_OK)
            break;
    }
    if (count < c->at_least || count == LENGTH(made) || t->result.status != ZX_ERR_NO_MEMORY)
        fail_msg("%s: status %d after %u", c->name, t->result.status, count);
    assert_int_equal(hash(t), before);
    /* Again the same; and with one fewer there is room for one again. */
    c->make(t, count);
    assert_int_equal(t->result.status, ZX_ERR_NO_MEMORY);
    close_handle(t, made[count - 1]);
    made[count - 1] = c->make(t, count - 1);
    assert_int_equal(t->result.status, ZX_OK);
    assert_int_equal(hash(t), before);
    world_free(t);
}

static void each_count_ends_in_no_memory(void **state)
{
    size_t i;

    (void)state;
    for (i = 0; i < LENGTH(exhaustion_cases); i++)
        expect_exhaustion(&exhaustion_cases[i]);
}

/* Packet rows are shared by user packets, async waits and the VMOs of pagers. */
static void packets_end_in_no_memory(void **state)
{
    pgr_config config = small_config();
    zx_port_packet_t packet = {.key = 1};
    struct test_world *t;
    zx_handle_t port, pager;
    unsigned count = 0;
    uint64_t before;

    (void)state;
    config.packet_count = 9;
    t = world_make(&config);
    port = make_port(t);
    pager = make_pager(t);
    make_pager_vmo(t, pager, port, 7, 4, 0);
    expect_ok(t, PGR_CALL_OBJECT_WAIT_ASYNC, t->start.event, port, 1, ZX_EVENT_SIGNALED, 0);
    do {
        before = hash(t);
        perform_on(t, 0, PGR_CALL_PORT_QUEUE, ARGS(port), &packet, sizeof(packet));
        count += t->result.status == ZX_OK;
    } while (t->result.status == ZX_OK && count < 100);
    assert_int_equal(count, 6);
    expect_buffer(t, ZX_ERR_NO_MEMORY, &packet, sizeof(packet), PGR_CALL_PORT_QUEUE, port);
    expect(t, ZX_ERR_NO_MEMORY, PGR_CALL_OBJECT_WAIT_ASYNC, t->start.event, port, 2, ZX_EVENT_SIGNALED, 0);
    expect(t, ZX_ERR_NO_MEMORY, PGR_CALL_PAGER_CREATE_VMO, pager, 0, port, 8, pages(t, 1));
    assert_int_equal(hash(t), before);
    expect_ok(t, PGR_CALL_PORT_WAIT, port, 0);
    make_pager_vmo(t, pager, port, 8, 1, 0);
    expect_ok(t, PGR_CALL_PORT_WAIT, port, 0);
    expect_ok(t, PGR_CALL_OBJECT_WAIT_ASYNC, t->start.event, port, 2, ZX_EVENT_SIGNALED, 0);
    world_free(t);
}

/*
 * Zeroes every second page of a pager's VMO, each a run of its own that needs no frame. Returns the number of runs
 * that there was room for.
 */
static uint64_t fill_with_runs(struct test_world *t, zx_handle_t vmo, uint64_t page_count)
{
    uint64_t page;

    for (page = 0; page < page_count; page += 2) {
        uint64_t before = hash(t);

        perform(t, PGR_CALL_VMO_OP_RANGE, vmo, ZX_VMO_OP_ZERO, pages(t, page), pages(t, 1));
        if (t->result.status == ZX_OK)
            continue;
        assert_int_equal(t->result.status, ZX_ERR_NO_MEMORY);
        assert_int_equal(hash(t), before);
        return page / 2;
    }
    fail_msg("there is room for any number of runs");
    return 0;
}

static pgr_config few_runs(void)
{
    pgr_config config = small_config();

    config.page_shift = PGR_PAGE_SHIFT_MIN;
    config.frame_count = 40;
    config.run_count = 32;
    return config;
}

static void runs_end_in_no_memory(void **state)
{
    enum { PAGES = 1 << 16 };
    pgr_config config = few_runs();
    struct test_world *t = world_make(&config);
    zx_handle_t pager = make_pager(t), vmo = make_pager_vmo(t, pager, make_port(t), 7, PAGES, ZX_VMO_RESIZABLE);
    uint64_t count = fill_with_runs(t, vmo, PAGES);

    (void)state;
    assert_true(count >= config.run_count - 1);
    /* Whatever was made can be taken apart again, and then be made again. */
    expect_ok(t, PGR_CALL_VMO_SET_SIZE, vmo, 0);
    expect_ok(t, PGR_CALL_VMO_SET_SIZE, vmo, pages(t, 1));
    close_handle(t, vmo);
    vmo = make_pager_vmo(t, pager, make_port(t), 8, PAGES, 0);
    assert_int_equal(fill_with_runs(t, vmo, PAGES), count);
    world_free(t);
}

/* A supply of single pages with gaps makes a marker of each gap: it needs more runs than it frees. */
static void supply_without_runs_changes_nothing(void **state)
{
    enum { PAGES = 1 << 16 };
    pgr_config config = few_runs();
    struct test_world *t = world_make(&config);
    zx_handle_t pager = make_pager(t), port = make_port(t), vmo = make_pager_vmo(t, pager, port, 7, 64, 0),
                aux = make_vmo(t, 64, 0);
    zx_handle_t filler = make_pager_vmo(t, pager, port, 8, PAGES, 0);
    uint64_t page, before;

    (void)state;
    for (page = 0; page < 64; page += 2)
        fill(t, aux, page, 1, 0x21);
    fill_with_runs(t, filler, PAGES);
    before = hash(t);
    expect(t, ZX_ERR_NO_MEMORY, PGR_CALL_PAGER_SUPPLY_PAGES, pager, vmo, 0, pages(t, 64), aux, 0);
    assert_int_equal(hash(t), before);
    close_handle(t, filler);
    expect_ok(t, PGR_CALL_PAGER_SUPPLY_PAGES, pager, vmo, 0, pages(t, 64), aux, 0);
    assert_int_equal(committed_bytes(t, vmo), pages(t, 32));
    assert_int_equal(committed_bytes(t, aux), 0);
    expect_filled(t, vmo, 62, 1, 0x21);
    expect_filled(t, vmo, 63, 1, 0);
    world_free(t);
}

/* Frames: a supply moves pages and needs none, so that it works when there are no more. */
static void supply_works_without_free_frames(void **state)
{
    pgr_config config = small_config();
    struct test_world *t;
    zx_handle_t pager, vmo, aux;

    (void)state;
    config.frame_count = 5;
    t = world_make(&config);
    pager = make_pager(t);
    vmo = make_pager_vmo(t, pager, make_port(t), 7, 8, 0);
    aux = make_vmo(t, 8, 0);
    fill(t, aux, 0, 4, 0x61);
    expect(t, ZX_ERR_NO_MEMORY, PGR_CALL_VMO_OP_RANGE, aux, ZX_VMO_OP_COMMIT, pages(t, 4), pages(t, 1));
    expect_ok(t, PGR_CALL_PAGER_SUPPLY_PAGES, pager, vmo, 0, pages(t, 8), aux, 0);
    expect_filled(t, vmo, 0, 4, 0x61);
    /* The four markers cannot become pages, and stay what they are. */
    expect(t, ZX_ERR_NO_MEMORY, PGR_CALL_VMO_OP_RANGE, vmo, ZX_VMO_OP_COMMIT, 0, pages(t, 8));
    expect_runs(t, vmo, "C4 M4");
    expect_ok(t, PGR_CALL_RECLAIM, 1);
    expect_ok(t, PGR_CALL_VMO_OP_RANGE, vmo, ZX_VMO_OP_COMMIT, pages(t, 7), pages(t, 1));
    expect_runs(t, vmo, ".1 C3 M3 C1");
    world_free(t);
}

/* ---- allocations that are made to fail ---- */

/* What a sweep works on. */
struct scene {
    struct test_world *t;
    zx_handle_t port, pager, vmo, aux, plain, clone;
};

static struct scene scene(void)
{
    struct scene s = {.t = world_make(NULL)};
    struct test_world *t = s.t;

    s.port = make_port(t);
    s.pager = make_pager(t);
    s.vmo = make_pager_vmo(t, s.pager, s.port, 7, 8, ZX_VMO_RESIZABLE);
    supply_filled(t, s.pager, s.vmo, 1, 1, 1);
    supply_zeros(t, s.pager, s.vmo, 4, 2);
    s.aux = make_vmo(t, 8, 0);
    fill(t, s.aux, 0, 5, 2);
    s.plain = make_vmo(t, 8, 0);
    fill(t, s.plain, 2, 3, 3);
    s.clone = (zx_handle_t)expect_ok(t, PGR_CALL_VMO_CREATE_CHILD, s.plain, ZX_VMO_CHILD_SNAPSHOT, 0, pages(t, 8));
    return s;
}

typedef void sweep_call(struct scene *s, void *buffer, uint64_t bytes);

static void sweep_supply(struct scene *s, void *buffer, uint64_t bytes)
{
    (void)buffer, (void)bytes;
    perform(s->t, PGR_CALL_PAGER_SUPPLY_PAGES, s->pager, s->vmo, 0, pages(s->t, 8), s->aux, 0);
}

static void sweep_commit(struct scene *s, void *buffer, uint64_t bytes)
{
    (void)buffer, (void)bytes;
    perform(s->t, PGR_CALL_VMO_OP_RANGE, s->aux, ZX_VMO_OP_COMMIT, 0, pages(s->t, 8));
}

static void sweep_commit_clone(struct scene *s, void *buffer, uint64_t bytes)
{
    (void)buffer, (void)bytes;
    perform(s->t, PGR_CALL_VMO_OP_RANGE, s->clone, ZX_VMO_OP_COMMIT, pages(s->t, 1), pages(s->t, 4));
}

static void sweep_commit_markers(struct scene *s, void *buffer, uint64_t bytes)
{
    (void)buffer, (void)bytes;
    perform(s->t, PGR_CALL_VMO_OP_RANGE, s->vmo, ZX_VMO_OP_COMMIT, pages(s->t, 4), pages(s->t, 2));
}

static void sweep_write(struct scene *s, void *buffer, uint64_t bytes)
{
    perform_on(s->t, 0, PGR_CALL_VMO_WRITE, ARGS(s->aux, 0, pages(s->t, 4) + 1, pages(s->t, 3)), buffer, bytes);
}

static void sweep_write_clone(struct scene *s, void *buffer, uint64_t bytes)
{
    perform_on(s->t, 0, PGR_CALL_VMO_WRITE, ARGS(s->clone, 0, pages(s->t, 3) + 1, pages(s->t, 2)), buffer, bytes);
}

static void sweep_zero_clone(struct scene *s, void *buffer, uint64_t bytes)
{
    (void)buffer, (void)bytes;
    perform(s->t, PGR_CALL_VMO_OP_RANGE, s->clone, ZX_VMO_OP_ZERO, pages(s->t, 3), pages(s->t, 1));
}

static void sweep_pin(struct scene *s, void *buffer, uint64_t bytes)
{
    (void)buffer, (void)bytes;
    perform(s->t, PGR_CALL_BTI_PIN, s->t->start.bti, ZX_BTI_PERM_READ, s->aux, pages(s->t, 4), pages(s->t, 3));
}

static void sweep_contiguous(struct scene *s, void *buffer, uint64_t bytes)
{
    (void)buffer, (void)bytes;
    perform(s->t, PGR_CALL_VMO_CREATE_CONTIGUOUS, s->t->start.bti, pages(s->t, 3), 0);
}

static void sweep_pager_vmo(struct scene *s, void *buffer, uint64_t bytes)
{
    (void)buffer, (void)bytes;
    perform(s->t, PGR_CALL_PAGER_CREATE_VMO, s->pager, 0, s->port, 8, pages(s->t, 1));
}

static void sweep_snapshot(struct scene *s, void *buffer, uint64_t bytes)
{
    (void)buffer, (void)bytes;
    perform(s->t, PGR_CALL_VMO_CREATE_CHILD, s->clone, ZX_VMO_CHILD_SNAPSHOT, 0, pages(s->t, 8));
}

static void sweep_grow(struct scene *s, void *buffer, uint64_t bytes)
{
    (void)buffer, (void)bytes;
    perform(s->t, PGR_CALL_VMO_SET_SIZE, s->vmo, pages(s->t, 20));
}

static void sweep_queue(struct scene *s, void *buffer, uint64_t bytes)
{
    perform_on(s->t, 0, PGR_CALL_PORT_QUEUE, ARGS(s->port), buffer, bytes);
}

static const struct sweep {
    const char *name;
    sweep_call *call;
    unsigned allocations; /* that the call makes, by the rule of the trace format */
} sweeps[] = {
    {"supply", sweep_supply, 3},             /* the stretches before, between and behind pages 1, 4 and 5 */
    {"commit", sweep_commit, 3},             /* a frame for each page that has none */
    {"commit_clone", sweep_commit_clone, 4}, /* three copies and a page of zeros */
    {"commit_markers", sweep_commit_markers, 2},
    {"write", sweep_write, 3},             /* one of the four pages is there */
    {"write_clone", sweep_write_clone, 3}, /* two copies and a page of zeros */
    {"zero_clone", sweep_zero_clone, 0},
    {"pin", sweep_pin, 3},               /* the PMT, and two frames */
    {"contiguous", sweep_contiguous, 4}, /* the VMO and its frames */
    {"pager_vmo", sweep_pager_vmo, 1},
    {"snapshot", sweep_snapshot, 1},
    {"grow", sweep_grow, 0},
    {"queue", sweep_queue, 1},
};

/* The scenario with its n-th allocation failing: 1 if it was met. */
static int sweep_once(const struct sweep *sweep, unsigned n, uint64_t hash_after)
{
    struct scene s = scene();
    uint64_t bytes = pages(s.t, 3), before = hash(s.t);
    void *buffer = calloc(1, bytes);
    int failed;

    expect_ok(s.t, PGR_CALL_FAIL_ALLOC, n);
    sweep->call(&s, buffer, bytes);
    assert_int_equal(s.t->result.outcome, PGR_DONE);
    failed = s.t->result.status != ZX_OK;
    if (failed) {
        if (s.t->result.status != ZX_ERR_NO_MEMORY || hash(s.t) != before)
            fail_msg("%s: allocation %u: status %d, world %s", sweep->name, n, s.t->result.status,
                     hash(s.t) == before ? "unchanged" : "changed");
        sweep->call(&s, buffer, bytes);
        assert_int_equal(s.t->result.status, ZX_OK);
    }
    assert_true(hash(s.t) == hash_after || hash_after == 0);
    free(buffer);
    world_free(s.t);
    return failed;
}

static uint64_t hash_after_sweep(const struct sweep *sweep)
{
    struct scene s = scene();
    uint64_t bytes = pages(s.t, 3), result;
    void *buffer = calloc(1, bytes);

    sweep->call(&s, buffer, bytes);
    assert_int_equal(s.t->result.status, ZX_OK);
    result = hash(s.t);
    free(buffer);
    world_free(s.t);
    return result;
}

static void each_allocation_may_fail(void **state)
{
    size_t i;

    (void)state;
    for (i = 0; i < LENGTH(sweeps); i++) {
        uint64_t hash_after = hash_after_sweep(&sweeps[i]);
        unsigned n = 1;

        while (sweep_once(&sweeps[i], n, hash_after))
            n++;
        if (n - 1 != sweeps[i].allocations)
            fail_msg("%s makes %u allocations, expected %u", sweeps[i].name, n - 1, sweeps[i].allocations);
    }
}

static void armed_fault_counts_down_and_fires_once(void **state)
{
    struct test_world *t = world_make(NULL);
    pgr_inspect_counts counts;

    (void)state;
    expect_ok(t, PGR_CALL_FAIL_ALLOC, 3);
    make_vmo(t, 1, 0);
    pgr_inspect_world(t->world, &counts);
    assert_int_equal(counts.fail_alloc, 2);
    make_vmo(t, 1, 0);
    expect(t, ZX_ERR_NO_MEMORY, PGR_CALL_VMO_CREATE, 0, 0);
    pgr_inspect_world(t->world, &counts);
    assert_int_equal(counts.fail_alloc, 0);
    make_vmo(t, 1, 0);
    expect_ok(t, PGR_CALL_FAIL_ALLOC, UINT64_MAX);
    make_vmo(t, 1, 0);
    expect_ok(t, PGR_CALL_FAIL_ALLOC, 0);
    make_vmo(t, 1, 0);
    world_free(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_count_ends_in_no_memory),
        cmocka_unit_test(packets_end_in_no_memory),
        cmocka_unit_test(runs_end_in_no_memory),
        cmocka_unit_test(supply_without_runs_changes_nothing),
        cmocka_unit_test(supply_works_without_free_frames),
        cmocka_unit_test(each_allocation_may_fail),
        cmocka_unit_test(armed_fault_counts_down_and_fires_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
