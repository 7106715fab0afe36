/*
 * Page requests under random calls of seven threads, against tests/request_model.h: who blocks, who is released in
 * which order, with which status, which packet comes next, and what the pages are afterwards. Threads go on in the
 * order of release or in any other.
 */
#include "tests/request_model.h"
#include "tests/test_support.h"

enum { ROUNDS = 1500, MAIN = MODEL_THREADS };

struct play {
    struct test_world *t;
    struct request_model model;
    zx_handle_t port, pager, vmos[MODEL_VMOS];
    uint8_t *buffer;
    uint64_t random;
};

struct range {
    uint64_t begin, end;
};

static struct range random_range(struct play *p, uint32_t vmo)
{
    uint64_t size = p->model.vmos[vmo].size, begin = random_below(&p->random, size + 1);

    return (struct range){begin, begin + random_below(&p->random, size - begin + 1)};
}

static void call_main(struct play *p, uint32_t number, const uint64_t *args)
{
    expect_on(p->t, WHERE, ZX_OK, MAIN, number, args, NULL, 0);
}

static void expect_outcome(const struct play *p, struct model_outcome outcome)
{
    const pgr_result *result = &p->t->result;

    assert_int_equal(result->outcome, outcome.blocked ? PGR_BLOCKED : PGR_DONE);
    assert_int_equal(result->status, outcome.status);
}

/* ---- steps ---- */

static void step_begin(struct play *p, uint32_t thread)
{
    uint32_t vmo = (uint32_t)random_below(&p->random, MODEL_VMOS);
    enum model_op op = (enum model_op)random_below(&p->random, 3);
    struct range range = random_range(p, vmo);
    uint64_t offset = pages(p->t, range.begin), bytes = pages(p->t, range.end - range.begin);
    struct model_outcome outcome = model_begin(&p->model, thread, vmo, op, range.begin, range.end);

    if (op == MODEL_COMMIT)
        perform_on(p->t, thread, PGR_CALL_VMO_OP_RANGE, ARGS(p->vmos[vmo], ZX_VMO_OP_COMMIT, offset, bytes), NULL, 0);
    else
        perform_on(p->t, thread, op == MODEL_READ ? PGR_CALL_VMO_READ : PGR_CALL_VMO_WRITE,
                   ARGS(p->vmos[vmo], 0, offset, bytes), p->buffer, bytes);
    expect_outcome(p, outcome);
}

static void step_resume(struct play *p, uint32_t thread)
{
    struct model_outcome outcome = model_resume(&p->model, thread);

    perform_on(p->t, thread, PGR_CALL_RESUME, ARGS(0), p->buffer, pages(p->t, MODEL_PAGES));
    expect_outcome(p, outcome);
}

/* A random thread does what it can: an idle one begins a call, a released one goes on, a blocked one may be killed. */
static void step_thread(struct play *p)
{
    uint32_t thread = (uint32_t)random_below(&p->random, MODEL_THREADS);
    enum model_thread_state state = p->model.threads[thread].state;

    if (p->model.released_count != 0 && random_below(&p->random, 2) == 0) {
        step_resume(p, p->model.released[0]);
    } else if (state == MODEL_IDLE) {
        step_begin(p, thread);
    } else if (random_below(&p->random, 6) == 0) {
        call_main(p, PGR_CALL_THREAD_KILL, ARGS(thread));
        model_kill(&p->model, thread);
    } else if (state == MODEL_RELEASED) {
        step_resume(p, thread);
    }
}

static void step_supply(struct play *p, uint32_t vmo, struct range range)
{
    int committed = random_below(&p->random, 2) != 0;
    zx_status_t status = p->model.vmos[vmo].detached && range.end != range.begin ? ZX_ERR_BAD_STATE : ZX_OK;
    uint64_t bytes = pages(p->t, range.end - range.begin);
    zx_handle_t aux = (zx_handle_t)expect_on(p->t, WHERE, ZX_OK, MAIN, PGR_CALL_VMO_CREATE, ARGS(bytes, 0), NULL, 0);

    if (committed)
        call_main(p, PGR_CALL_VMO_OP_RANGE, ARGS(aux, ZX_VMO_OP_COMMIT, 0, bytes));
    expect_on(p->t, WHERE, status, MAIN, PGR_CALL_PAGER_SUPPLY_PAGES,
              ARGS(p->pager, p->vmos[vmo], pages(p->t, range.begin), bytes, aux, 0), NULL, 0);
    call_main(p, PGR_CALL_HANDLE_CLOSE, ARGS(aux));
    if (status == ZX_OK)
        model_supply(&p->model, vmo, range.begin, range.end, committed ? 'C' : 'M');
}

static void step_fail(struct play *p, uint32_t vmo, struct range range)
{
    zx_status_t status = p->model.vmos[vmo].detached ? ZX_ERR_BAD_STATE : ZX_OK;

    expect_on(p->t, WHERE, status, MAIN, PGR_CALL_PAGER_OP_RANGE,
              ARGS(p->pager, ZX_PAGER_OP_FAIL, p->vmos[vmo], pages(p->t, range.begin),
                   pages(p->t, range.end - range.begin), (uint64_t)ZX_ERR_IO_DATA_INTEGRITY),
              NULL, 0);
    if (status == ZX_OK && range.begin != range.end)
        model_fail(&p->model, vmo, range.begin, range.end, ZX_ERR_IO_DATA_INTEGRITY);
}

static void step_receive(struct play *p)
{
    struct model_packet packet;
    zx_port_packet_t expected = {.type = ZX_PKT_TYPE_PAGE_REQUEST};

    if (!model_receive(&p->model, &packet)) {
        expect_on(p->t, WHERE, ZX_ERR_TIMED_OUT, MAIN, PGR_CALL_PORT_WAIT, ARGS(p->port, 0), NULL, 0);
        return;
    }
    call_main(p, PGR_CALL_PORT_WAIT, ARGS(p->port, 0));
    expected.key = 100 + packet.vmo;
    expected.page_request.command = packet.complete ? ZX_PAGER_VMO_COMPLETE : ZX_PAGER_VMO_READ;
    expected.page_request.offset = pages(p->t, packet.begin);
    expected.page_request.length = pages(p->t, packet.end - packet.begin);
    assert_memory_equal(&p->t->result.packet, &expected, sizeof(expected));
}

static void step_set_size(struct play *p, uint32_t vmo)
{
    uint64_t size = random_below(&p->random, MODEL_PAGES + 1);

    call_main(p, PGR_CALL_VMO_SET_SIZE, ARGS(p->vmos[vmo], pages(p->t, size)));
    model_set_size(&p->model, vmo, size);
}

static void step_answer(struct play *p)
{
    uint32_t vmo = (uint32_t)random_below(&p->random, MODEL_VMOS);
    struct range range = random_range(p, vmo);

    switch (random_below(&p->random, 12)) {
    case 0:
    case 1:
    case 2:
    case 3:
        step_supply(p, vmo, range);
        break;
    case 4:
    case 5:
        step_fail(p, vmo, range);
        break;
    case 6:
        call_main(p, PGR_CALL_VMO_OP_RANGE,
                  ARGS(p->vmos[vmo], ZX_VMO_OP_ZERO, pages(p->t, range.begin), pages(p->t, range.end - range.begin)));
        model_zero(&p->model, vmo, range.begin, range.end);
        break;
    case 7:
        step_set_size(p, vmo);
        break;
    case 8:
        call_main(p, PGR_CALL_RECLAIM, ARGS(range.end));
        model_reclaim(&p->model, range.end);
        break;
    case 9:
        if (random_below(&p->random, 60) != 0)
            break;
        call_main(p, PGR_CALL_PAGER_DETACH_VMO, ARGS(p->pager, p->vmos[vmo]));
        model_detach(&p->model, vmo);
        break;
    default:
        step_receive(p);
    }
}

/* ---- comparing ---- */

static void expect_pages(struct play *p, uint32_t vmo)
{
    const struct model_vmo *v = &p->model.vmos[vmo];
    char picture[MODEL_PAGES * 4] = "";
    uint64_t i, count;

    for (i = 0; i < v->size; i += count) {
        size_t used = strlen(picture);

        for (count = 1; i + count < v->size && v->state[i + count] == v->state[i]; count++)
            continue;
        snprintf(picture + used, sizeof(picture) - used, "%s%c%u", used != 0 ? " " : "", v->state[i], (unsigned)count);
    }
    expect_runs(p->t, p->vmos[vmo], picture);
}

static void expect_threads(const struct play *p)
{
    static const uint32_t states[] = {PGR_THREAD_IDLE, PGR_THREAD_BLOCKED, PGR_THREAD_RELEASED};
    uint32_t i, released = pgr_first_released(p->t->world);
    pgr_thread_view view;

    for (i = 0; i < MODEL_THREADS; i++) {
        assert_true(pgr_inspect_thread(p->t->world, i, &view));
        assert_int_equal(view.state, states[p->model.threads[i].state]);
    }
    for (i = 0; i < p->model.released_count; i++) {
        assert_int_equal(released, p->model.released[i]);
        assert_true(pgr_inspect_thread(p->t->world, released, &view));
        released = view.next_released;
    }
    assert_int_equal(released, PGR_NO_THREAD);
}

static void expect_request_count(const struct play *p)
{
    pgr_inspect_counts counts;
    uint32_t vmo, requests = 0;

    for (vmo = 0; vmo < MODEL_VMOS; vmo++)
        requests += p->model.vmos[vmo].request_count;
    pgr_inspect_world(p->t->world, &counts);
    assert_int_equal(counts.requests_used, requests);
}

static void run_play(uint64_t seed)
{
    pgr_config config = small_config();
    struct play p = {.random = seed, .model = {.read_batch = seed % 5}};
    unsigned i;

    config.page_shift = PGR_PAGE_SHIFT_MIN;
    config.read_batch = (uint32_t)p.model.read_batch;
    p.t = world_make(&config);
    p.buffer = calloc(pages(p.t, MODEL_PAGES), 1);
    p.port = make_port(p.t);
    p.pager = make_pager(p.t);
    for (i = 0; i < MODEL_VMOS; i++) {
        p.model.vmos[i].size = MODEL_PAGES / 2;
        memset(p.model.vmos[i].state, '.', sizeof(p.model.vmos[i].state));
        p.vmos[i] = make_pager_vmo(p.t, p.pager, p.port, 100 + i, MODEL_PAGES / 2, ZX_VMO_RESIZABLE);
    }
    for (i = 0; i < ROUNDS; i++) {
        if (random_below(&p.random, 5) < 3)
            step_thread(&p);
        else
            step_answer(&p);
        expect_threads(&p);
        expect_request_count(&p);
        expect_pages(&p, 0);
        expect_pages(&p, 1);
    }
    free(p.buffer);
    world_free(p.t);
}

static void requests_as_in_the_model(void **state)
{
    uint64_t seed;

    (void)state;
    for (seed = 1; seed <= 60; seed++)
        run_play(seed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(requests_as_in_the_model),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
