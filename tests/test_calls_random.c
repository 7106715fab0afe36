/*
 * Random calls with arguments that are half sensible and half garbage, over several worlds at once: the same calls give
 * the same bytes wherever a world lies, also when it is saved and loaded on the way, and nothing is lost when
 * everything is closed in the end.
 */
#include "tests/test_support.h"

#define HANDLES_MAX 64u
#define BUFFER_BYTES 512u

/* What the generator knows of the world it makes calls for. */
struct generator {
    uint64_t random;
    struct {
        zx_handle_t value;
        zx_obj_type_t type;
    } handles[HANDLES_MAX];
    zx_handle_t pager, vmo, aux; /* that are never closed, so that there is always something to supply */
    uint32_t handle_count;       /* that were ever remembered; the last HANDLES_MAX of them are */
    uint32_t thread_count;       /* threads that make calls; the world has one more, which is never blocked */
    uint64_t page_bytes;
};

static pgr_config tiny_config(uint64_t seed)
{
    pgr_config config = small_config();

    config.page_shift = seed % 2 == 0 ? 4 : 6;
    config.options = (uint32_t)(seed / 2 % 4);
    config.read_batch = (uint32_t)(seed % 3);
    config.frame_count = 24;
    config.object_count = 80;
    config.handle_count = 64;
    config.thread_count = 5;
    config.packet_count = 16;
    config.run_count = 40 + (uint32_t)(seed % 5) * 8;
    return config;
}

static void remember(struct generator *g, zx_handle_t handle, zx_obj_type_t type)
{
    uint32_t place = g->handle_count++ % HANDLES_MAX;

    g->handles[place].value = handle;
    g->handles[place].type = type;
}

/* A handle of this type mostly, sometimes one of any, sometimes none at all. */
static uint64_t random_handle(struct generator *g, zx_obj_type_t type)
{
    uint32_t known = g->handle_count < HANDLES_MAX ? g->handle_count : HANDLES_MAX;
    uint32_t place = (uint32_t)random_below(&g->random, known), tries = known;

    if (random_below(&g->random, 50) == 0)
        return random_next(&g->random);
    if (type == ZX_OBJ_TYPE_PAGER && random_below(&g->random, 4) != 0)
        return g->pager;
    if (type == ZX_OBJ_TYPE_VMO && random_below(&g->random, 2) == 0)
        return random_below(&g->random, 2) == 0 ? g->vmo : g->aux;
    while (type != ZX_OBJ_TYPE_NONE && g->handles[place].type != type && --tries != 0)
        place = (place + 1) % known;
    return g->handles[place].value;
}

/* Pages mostly, a few of them; then ends, wraps and garbage. */
static uint64_t random_bytes_value(struct generator *g)
{
    uint64_t count = random_below(&g->random, 5) * g->page_bytes;

    switch (random_below(&g->random, 16)) {
    case 0:
        return count + 1;
    case 1:
        return count - 1;
    case 2:
        return (uint64_t)0 - g->page_bytes - count;
    case 3:
        return random_next(&g->random);
    default:
        return count;
    }
}

static uint64_t random_number(struct generator *g, uint8_t domain)
{
    static const uint32_t topics[] = {ZX_INFO_HANDLE_VALID, ZX_INFO_HANDLE_BASIC, ZX_INFO_HANDLE_COUNT, ZX_INFO_VMO};
    static const uint32_t vmo_ops[] = {ZX_VMO_OP_COMMIT, ZX_VMO_OP_COMMIT, ZX_VMO_OP_DECOMMIT, ZX_VMO_OP_ZERO};
    static const uint32_t children[] = {ZX_VMO_CHILD_SNAPSHOT, ZX_VMO_CHILD_SLICE,
                                        ZX_VMO_CHILD_SNAPSHOT | ZX_VMO_CHILD_RESIZABLE};

    if (random_below(&g->random, 30) == 0)
        return random_next(&g->random);
    switch (domain) {
    case PGR_DOMAIN_RIGHTS:
        return random_below(&g->random, 3) != 0 ? ZX_RIGHT_SAME_RIGHTS : random_below(&g->random, 1u << 25);
    case PGR_DOMAIN_TOPIC:
        return topics[random_below(&g->random, LENGTH(topics))];
    case PGR_DOMAIN_PROPERTY:
        return random_below(&g->random, 2) != 0 ? ZX_PROP_NAME : ZX_PROP_VMO_CONTENT_SIZE;
    case PGR_DOMAIN_SIGNALS:
        return UINT64_C(1) << random_below(&g->random, 32);
    case PGR_DOMAIN_DEADLINE:
        return random_below(&g->random, 3) != 0 ? 0 : (uint64_t)ZX_TIME_INFINITE;
    case PGR_DOMAIN_VMO_OPTIONS:
    case PGR_DOMAIN_PAGER_VMO_OPTIONS:
        return random_below(&g->random, 2) != 0 ? 0 : ZX_VMO_RESIZABLE;
    case PGR_DOMAIN_CHILD_OPTIONS:
        return children[random_below(&g->random, LENGTH(children))];
    case PGR_DOMAIN_VMO_OP:
        return vmo_ops[random_below(&g->random, LENGTH(vmo_ops))];
    case PGR_DOMAIN_PAGER_OP:
        return ZX_PAGER_OP_FAIL;
    case PGR_DOMAIN_PAGER_OP_DATA:
        return (uint64_t)ZX_ERR_IO;
    case PGR_DOMAIN_PIN_OPTIONS:
        return 1 + random_below(&g->random, 3);
    default:
        return random_below(&g->random, 3);
    }
}

static uint64_t random_argument(struct generator *g, const pgr_arg *arg)
{
    switch (arg->kind) {
    case PGR_ARG_HANDLE:
        return random_handle(g, random_below(&g->random, 20) == 0 ? ZX_OBJ_TYPE_NONE : arg->detail);
    case PGR_ARG_U32:
    case PGR_ARG_U64:
        return random_number(g, arg->detail);
    case PGR_ARG_OFFSET:
    case PGR_ARG_SIZE:
    case PGR_ARG_ADDRESS:
        return random_bytes_value(g);
    case PGR_ARG_THREAD:
        return random_below(&g->random, g->thread_count + 1);
    default:
        return random_next(&g->random);
    }
}

/* All calls, but those that end things, arm faults or do nothing yet are rarer, and the exit is left to the end. */
static uint32_t random_call_number(struct generator *g)
{
    static const uint32_t usual[] = {PGR_CALL_PAGER_SUPPLY_PAGES, PGR_CALL_PAGER_OP_RANGE, PGR_CALL_VMO_READ,
                                     PGR_CALL_VMO_WRITE,          PGR_CALL_VMO_OP_RANGE,   PGR_CALL_VMO_CREATE,
                                     PGR_CALL_PAGER_SUPPLY_PAGES, PGR_CALL_HANDLE_CLOSE};
    uint32_t number = 1 + (uint32_t)random_below(&g->random, PGR_CALL_COUNT - 1);

    switch (number) {
    case PGR_CALL_PROCESS_EXIT:
        return PGR_CALL_VMO_CREATE;
    case PGR_CALL_HANDLE_CLOSE_MANY:
    case PGR_CALL_HANDLE_REPLACE:
    case PGR_CALL_HANDLE_DUPLICATE:
    case PGR_CALL_EVENT_CREATE:
    case PGR_CALL_PORT_CREATE:
    case PGR_CALL_PAGER_CREATE_VMO:
    case PGR_CALL_OBJECT_SET_PROPERTY:
    case PGR_CALL_OBJECT_WAIT_ONE:
    case PGR_CALL_PAGER_CREATE:
    case PGR_CALL_PAGER_DETACH_VMO:
    case PGR_CALL_THREAD_KILL:
    case PGR_CALL_FAIL_ALLOC:
    case PGR_CALL_RECLAIM:
        break;
    default:
        return number;
    }
    return random_below(&g->random, 5) != 0 ? usual[random_below(&g->random, LENGTH(usual))] : number;
}

/*
 * Threads that wait for ever would leave nobody to make calls: they go on when they may, and are killed now and then.
 */
static pgr_call random_call(struct generator *g, const struct test_world *t)
{
    pgr_call call = {.number = random_call_number(g), .thread = (uint32_t)random_below(&g->random, g->thread_count)};
    const pgr_call_info *row = pgr_call_row(call.number);
    uint32_t released = pgr_first_released(t->world);
    pgr_thread_view thread;
    unsigned i;

    if (released != PGR_NO_THREAD && random_below(&g->random, 2) == 0)
        return (pgr_call){.number = PGR_CALL_RESUME, .thread = released, .buffer_bytes = BUFFER_BYTES};
    if (pgr_inspect_thread(t->world, call.thread, &thread) && thread.state == PGR_THREAD_BLOCKED &&
        random_below(&g->random, 3) == 0)
        return (pgr_call){.number = PGR_CALL_THREAD_KILL, .thread = g->thread_count, .arg = {call.thread}};
    for (i = 0; i < row->arg_count; i++)
        call.arg[i] = random_argument(g, &row->args[i]);
    call.buffer_bytes = random_below(&g->random, 10) == 0 ? random_below(&g->random, BUFFER_BYTES) : BUFFER_BYTES;
    return call;
}

static void learn(struct generator *g, const pgr_result *result)
{
    const pgr_call_info *row = pgr_call_row(result->call);
    unsigned i;

    for (i = 0; row != NULL && result->outcome == PGR_DONE && result->status == ZX_OK && i < row->arg_count; i++) {
        if (row->args[i].kind == PGR_ARG_HANDLE_OUT)
            remember(g, (zx_handle_t)result->out[i], row->args[i].detail);
    }
}

/*
 * Bytes that depend on the call alone, so that all worlds are given the same; small values, so that page bytes repeat.
 */
static void fill_buffer(uint8_t *buffer, uint64_t round)
{
    unsigned i;

    for (i = 0; i < BUFFER_BYTES; i++)
        buffer[i] = (uint8_t)((round + i / 16) % 7);
}

static void dispatch_with_buffer(struct test_world *t, const pgr_call *call, uint8_t *buffer, uint64_t round)
{
    pgr_call own = *call;

    fill_buffer(buffer, round);
    own.buffer = buffer;
    memset(&t->result, (int)((uintptr_t)t->block >> 6 & 0xff), sizeof(t->result));
    pgr_dispatch(t->world, t->frames, &own, &t->result);
}

/* Saves the world and loads it into new blocks. */
static void move_world(struct test_world *t)
{
    uint64_t bytes, block_bytes = (pgr_world_bytes(&t->config) + 63) / 64 * 64, used = pgr_frames_used_bytes(t->world);
    void *image = save_image(t, &bytes), *block = aligned_alloc(PGR_WORLD_ALIGNMENT, block_bytes);
    void *frames = malloc(pgr_frames_bytes(&t->config));

    memset(block, 0x5c, block_bytes);
    memset(frames, 0x5d, pgr_frames_bytes(&t->config));
    memcpy(frames, t->frames, used);
    assert_int_equal(pgr_load(block, block_bytes, image, bytes, &t->world), ZX_OK);
    free(t->block);
    free(t->frames);
    free(image);
    t->block = block;
    t->frames = frames;
}

static void expect_same_bytes(const struct test_world *a, const struct test_world *b)
{
    uint64_t a_bytes, b_bytes, used = pgr_frames_used_bytes(a->world), first = page_size(a);
    void *a_image = save_image(a, &a_bytes), *b_image = save_image(b, &b_bytes);

    assert_int_equal(a_bytes, b_bytes);
    assert_memory_equal(a_image, b_image, a_bytes);
    assert_int_equal(used, pgr_frames_used_bytes(b->world));
    /* Frame 0 is never handed out: the core does not write it. */
    assert_memory_equal((char *)a->frames + first, (char *)b->frames + first, used - first);
    free(a_image);
    free(b_image);
}

static struct generator generator(const struct test_world *t, uint64_t seed)
{
    struct generator g = {.random = seed, .thread_count = t->config.thread_count - 1, .page_bytes = page_size(t)};

    remember(&g, t->start.vmar, ZX_OBJ_TYPE_VMAR);
    remember(&g, t->start.bti, ZX_OBJ_TYPE_BTI);
    remember(&g, t->start.resource, ZX_OBJ_TYPE_RESOURCE);
    remember(&g, t->start.event, ZX_OBJ_TYPE_EVENT);
    return g;
}

/* Without a pager VMO and an aux VMO to begin with, garbage seldom finds them. */
static void furnish(struct test_world *t, struct generator *g)
{
    zx_handle_t port = make_port(t), pager = make_pager(t),
                vmo = make_pager_vmo(t, pager, port, 7, 8, ZX_VMO_RESIZABLE);
    zx_handle_t aux = make_vmo(t, 8, 0);

    fill(t, aux, 0, 3, 9);
    if (g == NULL)
        return;
    remember(g, port, ZX_OBJ_TYPE_PORT);
    g->pager = pager;
    g->vmo = vmo;
    g->aux = aux;
}

enum { CALLS = 1500 };

static void same_calls_same_bytes(uint64_t seed)
{
    pgr_config config = tiny_config(seed);
    struct test_world *t = world_make(&config), *twin = world_make(&config);
    struct generator g = generator(t, seed);
    uint8_t buffer[BUFFER_BYTES], twin_buffer[BUFFER_BYTES];
    unsigned round;

    furnish(t, &g);
    furnish(twin, NULL);
    for (round = 0; round < CALLS; round++) {
        pgr_call call = random_call(&g, t);

        dispatch_with_buffer(t, &call, buffer, round);
        dispatch_with_buffer(twin, &call, twin_buffer, round);
        assert_memory_equal(&t->result, &twin->result, sizeof(t->result));
        assert_memory_equal(buffer, twin_buffer, BUFFER_BYTES);
        learn(&g, &t->result);
        if (round % 97 == 0)
            move_world(twin);
        if (round % 31 == 0)
            assert_int_equal(hash(t), hash(twin));
    }
    expect_same_bytes(t, twin);
    world_free(t);
    world_free(twin);
}

static void same_calls_give_the_same_bytes_anywhere(void **state)
{
    uint64_t seed;

    (void)state;
    for (seed = 1; seed <= 40; seed++)
        same_calls_same_bytes(seed);
}

static void nothing_is_lost(uint64_t seed)
{
    pgr_config config = tiny_config(seed);
    struct test_world *t = world_make(&config), *fresh = world_make(&config);
    struct generator g = generator(t, seed);
    uint8_t buffer[BUFFER_BYTES];
    pgr_inspect_counts counts;
    unsigned round;

    furnish(t, &g);
    for (round = 0; round < CALLS; round++) {
        pgr_call call = random_call(&g, t);

        dispatch_with_buffer(t, &call, buffer, round);
        learn(&g, &t->result);
    }
    expect_on(t, WHERE, ZX_OK, g.thread_count, PGR_CALL_PROCESS_EXIT, ARGS(0), NULL, 0);
    expect_ok(fresh, PGR_CALL_PROCESS_EXIT, 0);
    pgr_inspect_world(t->world, &counts);
    assert_int_equal(counts.frames_free, config.frame_count - 1);
    assert_int_equal(counts.handles_used + counts.packets_used + counts.requests_used, 0);
    assert_int_equal(hash(t), hash(fresh));
    world_free(t);
    world_free(fresh);
}

static void nothing_is_lost_at_the_end(void **state)
{
    uint64_t seed;

    (void)state;
    for (seed = 1001; seed <= 1060; seed++)
        nothing_is_lost(seed);
}

/* A world that is reset does what a new one does. */
static void reset_world_repeats_itself(void **state)
{
    pgr_config config = tiny_config(3);
    struct test_world *t = world_make(&config), *fresh = world_make(&config);
    uint8_t buffer[BUFFER_BYTES];
    unsigned pass, round;

    (void)state;
    for (pass = 0; pass < 2; pass++) {
        struct generator g = generator(t, 5);

        furnish(t, &g);
        for (round = 0; round < CALLS; round++) {
            pgr_call call = random_call(&g, t);

            dispatch_with_buffer(t, &call, buffer, round);
            learn(&g, &t->result);
            if (pass == 1) {
                if (round == 0)
                    furnish(fresh, NULL);
                dispatch_with_buffer(fresh, &call, buffer, round);
                assert_memory_equal(&t->result, &fresh->result, offsetof(pgr_result, out));
            }
        }
        if (pass == 0)
            pgr_reset(t->world);
    }
    assert_int_equal(hash(t), hash(fresh));
    world_free(t);
    world_free(fresh);
}

/*
 * An error of a call that was not waiting before leaves the world as it was; these are the calls that are allowed more.
 */
static int may_change_when_failing(const pgr_call *call, const pgr_config *config)
{
    switch (call->number) {
    case PGR_CALL_HANDLE_CLOSE_MANY: /* closes the valid ones */
    case PGR_CALL_HANDLE_REPLACE:    /* refused rights close the handle */
    case PGR_CALL_PMT_UNPIN:         /* removes a handle of the wrong type */
    case PGR_CALL_BTI_PIN:           /* refused late: pages stay committed */
    case PGR_CALL_VMO_READ:          /* a bad state or buffer after progress */
    case PGR_CALL_VMO_WRITE:
    case PGR_CALL_VMO_OP_RANGE:
    case PGR_CALL_RESUME:
    case PGR_CALL_VMO_REPLACE_AS_EXECUTABLE: /* consumes the handle */
    case PGR_CALL_VMO_SET_STREAM_SIZE:       /* a bad state after progress */
    case PGR_CALL_VMAR_OP_RANGE:             /* keeps what it did to earlier mappings */
    case PGR_CALL_VMO_TRANSFER_DATA:         /* takes before it looks at the destination */
        return 1;
    case PGR_CALL_PAGER_OP_RANGE: /* a DIRTY that fails wakes its waiters */
        return call->arg[1] == ZX_PAGER_OP_DIRTY;
    case PGR_CALL_PAGER_SUPPLY_PAGES:
        return (config->options & PGR_OPTION_SUPPLY_DECOMMITS) != 0;
    default:
        return 0;
    }
}

static void errors_change_nothing(void **state)
{
    uint64_t seed;
    uint8_t buffer[BUFFER_BYTES];

    (void)state;
    for (seed = 2001; seed <= 2020; seed++) {
        pgr_config config = tiny_config(seed);
        struct test_world *t = world_make(&config);
        struct generator g = generator(t, seed);
        unsigned round;

        furnish(t, &g);
        for (round = 0; round < CALLS; round++) {
            pgr_call call = random_call(&g, t);
            uint64_t before = hash(t);

            dispatch_with_buffer(t, &call, buffer, round);
            learn(&g, &t->result);
            if (t->result.outcome == PGR_DONE && t->result.status != ZX_OK && !may_change_when_failing(&call, &config))
                assert_int_equal(hash(t), before);
            if (t->result.outcome == PGR_REFUSED)
                assert_int_equal(hash(t), before);
        }
        world_free(t);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(same_calls_give_the_same_bytes_anywhere),
        cmocka_unit_test(nothing_is_lost_at_the_end),
        cmocka_unit_test(reset_world_repeats_itself),
        cmocka_unit_test(errors_change_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
