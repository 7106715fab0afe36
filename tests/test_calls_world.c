/*
 * Worlds as a whole: configurations, making, resetting, saving and loading them, and dispatches that are no calls at
 * all.
 */
#include "tests/test_support.h"

/* ---- configurations ---- */

static void config_default_is_the_traces_world(void **state)
{
    pgr_config config;

    (void)state;
    memset(&config, 0xa5, sizeof(config));
    pgr_config_default(&config);
    assert_int_equal(config.page_shift, 12);
    assert_int_equal(config.options, 0);
    assert_int_equal(config.read_batch, 16);
    assert_true(config.frame_count >= 65536);
    assert_true(config.object_count >= 16384);
    assert_true(config.thread_count >= 256);
    assert_int_equal(config.reserved, 0);
    assert_int_not_equal(pgr_world_bytes(&config), 0);
    assert_int_equal(pgr_frames_bytes(&config), (uint64_t)config.frame_count << 12);
}

/* One field of a configuration, with a value that makes sense (1) or does not. */
static const struct config_case {
    size_t field;
    uint32_t value;
    int sensible;
} config_cases[] = {
    {offsetof(pgr_config, page_shift), PGR_PAGE_SHIFT_MIN, 1},
    {offsetof(pgr_config, page_shift), PGR_PAGE_SHIFT_MAX, 1},
    {offsetof(pgr_config, page_shift), PGR_PAGE_SHIFT_MIN - 1, 0},
    {offsetof(pgr_config, page_shift), PGR_PAGE_SHIFT_MAX + 1, 0},
    {offsetof(pgr_config, page_shift), 0, 0},
    {offsetof(pgr_config, page_shift), 64, 0},
    {offsetof(pgr_config, page_shift), UINT32_MAX, 0},
    {offsetof(pgr_config, options), PGR_OPTION_FAIL_CODES_KERNEL | PGR_OPTION_SUPPLY_DECOMMITS, 1},
    {offsetof(pgr_config, options), 1u << 2, 0},
    {offsetof(pgr_config, options), 1u << 31, 0},
    {offsetof(pgr_config, read_batch), 0, 1},
    {offsetof(pgr_config, read_batch), UINT32_MAX, 1},
    {offsetof(pgr_config, frame_count), 2, 1},
    {offsetof(pgr_config, frame_count), 1, 0},
    {offsetof(pgr_config, frame_count), 0, 0},
    {offsetof(pgr_config, frame_count), PGR_ROWS_MAX, 1},
    {offsetof(pgr_config, frame_count), PGR_ROWS_MAX + 1, 0},
    {offsetof(pgr_config, frame_count), UINT32_MAX, 0},
    {offsetof(pgr_config, object_count), 8, 1},
    {offsetof(pgr_config, object_count), 7, 0},
    {offsetof(pgr_config, object_count), 0, 0},
    {offsetof(pgr_config, object_count), PGR_ROWS_MAX + 1, 0},
    {offsetof(pgr_config, handle_count), 8, 1},
    {offsetof(pgr_config, handle_count), 7, 0},
    {offsetof(pgr_config, handle_count), PGR_HANDLES_MAX, 1},
    {offsetof(pgr_config, handle_count), PGR_HANDLES_MAX + 1, 0},
    {offsetof(pgr_config, thread_count), 1, 1},
    {offsetof(pgr_config, thread_count), 0, 0},
    {offsetof(pgr_config, thread_count), UINT32_MAX, 0},
    {offsetof(pgr_config, packet_count), 1, 1},
    {offsetof(pgr_config, packet_count), 0, 0},
    {offsetof(pgr_config, packet_count), PGR_ROWS_MAX + 1, 0},
    {offsetof(pgr_config, run_count), 8, 1},
    {offsetof(pgr_config, run_count), 7, 0},
    {offsetof(pgr_config, run_count), UINT32_MAX, 0},
    {offsetof(pgr_config, reserved), 1, 0},
};

static void config_nonsense_is_refused(void **state)
{
    static uint8_t block[4096] __attribute__((aligned(PGR_WORLD_ALIGNMENT)));
    size_t i;

    (void)state;
    for (i = 0; i < LENGTH(config_cases); i++) {
        pgr_config config = small_config();
        pgr_world *world = NULL;

        memcpy((char *)&config + config_cases[i].field, &config_cases[i].value, sizeof(uint32_t));
        assert_int_equal(pgr_world_bytes(&config) != 0, config_cases[i].sensible);
        assert_int_equal(pgr_frames_bytes(&config) != 0, config_cases[i].sensible);
        if (!config_cases[i].sensible)
            assert_int_equal(pgr_init(block, UINT64_MAX, &config, &world), ZX_ERR_INVALID_ARGS);
        assert_null(world);
    }
    for (i = 0; i < sizeof(block); i++)
        assert_int_equal(block[i], 0);
}

static void config_frames_bytes_is_frames_times_page(void **state)
{
    pgr_config config = small_config();

    (void)state;
    config.page_shift = 30;
    config.frame_count = PGR_ROWS_MAX;
    assert_int_equal(pgr_frames_bytes(&config), (uint64_t)PGR_ROWS_MAX << 30);
    assert_int_equal(pgr_world_bytes(NULL), 0);
    assert_int_equal(pgr_frames_bytes(NULL), 0);
}

/* ---- pgr_init ---- */

static void init_bad_memory_is_refused_and_untouched(void **state)
{
    pgr_config config = small_config();
    uint64_t bytes = pgr_world_bytes(&config), i;
    uint8_t *block = aligned_alloc(PGR_WORLD_ALIGNMENT, (bytes + 2 * PGR_WORLD_ALIGNMENT) / 64 * 64);
    pgr_world *world = (pgr_world *)block;

    (void)state;
    memset(block, 0xa5, bytes);
    assert_int_equal(pgr_init(NULL, bytes, &config, &world), ZX_ERR_INVALID_ARGS);
    assert_int_equal(pgr_init(block, bytes, NULL, &world), ZX_ERR_INVALID_ARGS);
    assert_int_equal(pgr_init(block, bytes, &config, NULL), ZX_ERR_INVALID_ARGS);
    for (i = 1; i < PGR_WORLD_ALIGNMENT; i++)
        assert_int_equal(pgr_init(block + i, bytes, &config, &world), ZX_ERR_INVALID_ARGS);
    assert_int_equal(pgr_init(block, bytes - 1, &config, &world), ZX_ERR_BUFFER_TOO_SMALL);
    assert_int_equal(pgr_init(block, 0, &config, &world), ZX_ERR_BUFFER_TOO_SMALL);
    assert_ptr_equal(world, block);
    for (i = 0; i < bytes; i++)
        assert_int_equal(block[i], 0xa5);
    assert_int_equal(pgr_init(block, bytes, &config, &world), ZX_OK);
    free(block);
}

static void init_gives_the_start_handles(void **state)
{
    static const struct {
        size_t field;
        zx_obj_type_t type;
        zx_rights_t rights;
    } cases[] = {
        {offsetof(pgr_start, vmar), ZX_OBJ_TYPE_VMAR, 0x20801f},
        {offsetof(pgr_start, bti), ZX_OBJ_TYPE_BTI, 0x80ef},
        {offsetof(pgr_start, resource), ZX_OBJ_TYPE_RESOURCE, 0x800b},
        {offsetof(pgr_start, event), ZX_OBJ_TYPE_EVENT, 0xd003},
    };
    struct test_world *t = world_make(NULL);
    pgr_inspect_counts counts;
    size_t i;

    (void)state;
    for (i = 0; i < LENGTH(cases); i++) {
        zx_handle_t handle;

        memcpy(&handle, (char *)&t->start + cases[i].field, sizeof(handle));
        assert_int_equal(handle & 3, 3);
        expect_ok(t, PGR_CALL_OBJECT_GET_INFO, handle, ZX_INFO_HANDLE_BASIC);
        assert_int_equal(t->result.handle_basic.type, cases[i].type);
        assert_int_equal(t->result.handle_basic.rights, cases[i].rights);
        assert_true(t->result.handle_basic.koid >= 1024);
    }
    pgr_inspect_world(t->world, &counts);
    assert_int_equal(counts.handles_used, 4);
    assert_int_equal(counts.frames_free, t->config.frame_count - 1);
    assert_memory_equal(&counts.config, &t->config, sizeof(pgr_config));
    assert_int_equal(counts.threads_blocked + counts.threads_released + counts.requests_used + counts.packets_used, 0);
    assert_int_equal(pgr_first_released(t->world), PGR_NO_THREAD);
    world_free(t);
}

static void init_touches_no_frame(void **state)
{
    struct test_world *t = world_make(NULL);
    uint64_t i, bytes = pgr_frames_bytes(&t->config);

    (void)state;
    memset(t->frames, 0xa5, bytes);
    pgr_reset(t->world);
    assert_int_equal(pgr_init(t->block, pgr_world_bytes(&t->config), &t->config, &t->world), ZX_OK);
    for (i = 0; i < bytes; i++)
        assert_int_equal(((uint8_t *)t->frames)[i], 0xa5);
    /* A frame is zeroed when it is handed out, and only then; frame 0 never is. */
    expect_filled(t, make_vmo(t, 4, 0), 0, 4, 0);
    for (i = 0; i < bytes; i++)
        assert_int_equal(((uint8_t *)t->frames)[i], 0xa5);
    expect_ok(t, PGR_CALL_VMO_OP_RANGE, make_vmo(t, 4, 0), ZX_VMO_OP_COMMIT, 0, pages(t, 4));
    for (i = 0; i < page_size(t); i++)
        assert_int_equal(((uint8_t *)t->frames)[i], 0xa5);
    world_free(t);
}

/* ---- pgr_reset ---- */

/* A bit of everything: pages in all states, a blocked thread, packets, children, pins, an armed fault. */
static void populate(struct test_world *t)
{
    zx_handle_t port = make_port(t), pager = make_pager(t), plain = make_vmo(t, 4, 0);
    zx_handle_t vmo = make_pager_vmo(t, pager, port, 7, 8, ZX_VMO_RESIZABLE);

    supply_filled(t, pager, vmo, 0, 3, 0x11);
    supply_zeros(t, pager, vmo, 3, 1);
    fill(t, vmo, 1, 1, 0x22);
    expect_ok(t, PGR_CALL_VMO_SET_SIZE, vmo, pages(t, 10));
    fill(t, plain, 0, 2, 0x33);
    expect_ok(t, PGR_CALL_VMO_CREATE_CHILD, plain, ZX_VMO_CHILD_SNAPSHOT, 0, pages(t, 4));
    expect_ok(t, PGR_CALL_BTI_PIN, t->start.bti, ZX_BTI_PERM_READ, vmo, pages(t, 2), pages(t, 1));
    expect_ok(t, PGR_CALL_OBJECT_WAIT_ASYNC, t->start.event, port, 1, ZX_EVENT_SIGNALED, 0);
    expect_blocks(t, 1, PGR_CALL_VMO_OP_RANGE, ARGS(vmo, ZX_VMO_OP_COMMIT, 0, pages(t, 8)), NULL, 0);
    expect_blocks(t, 2, PGR_CALL_VMO_OP_RANGE, ARGS(vmo, ZX_VMO_OP_COMMIT, pages(t, 6), pages(t, 1)), NULL, 0);
    expect_ok(t, PGR_CALL_FAIL_ALLOC, 100);
}

/* More of the same, for worlds that are populated already. */
static void go_on(struct test_world *t)
{
    zx_handle_t pager = make_pager(t), vmo = make_pager_vmo(t, pager, make_port(t), 8, 6, 0);

    expect_ok(t, PGR_CALL_THREAD_KILL, 1);
    supply_filled(t, pager, vmo, 2, 3, 0x44);
    fill(t, vmo, 3, 1, 0x55);
    expect_blocks(t, 1, PGR_CALL_VMO_OP_RANGE, ARGS(vmo, ZX_VMO_OP_COMMIT, 0, pages(t, 6)), NULL, 0);
    expect_ok(t, PGR_CALL_RECLAIM, 2);
    expect_ok(t, PGR_CALL_PAGER_DETACH_VMO, pager, vmo);
    resume_all(t, NULL, 0);
}

static void reset_makes_fresh(void **state)
{
    struct test_world *t = world_make(NULL), *fresh = world_make(NULL);
    uint64_t bytes, fresh_bytes;
    void *image, *fresh_image;
    pgr_start start;

    (void)state;
    populate(t);
    assert_int_not_equal(hash(t), hash(fresh));
    pgr_reset(t->world);
    assert_int_equal(hash(t), hash(fresh));
    pgr_start_handles(t->world, &start);
    assert_memory_equal(&start, &fresh->start, sizeof(start));
    image = save_image(t, &bytes);
    fresh_image = save_image(fresh, &fresh_bytes);
    assert_int_equal(bytes, fresh_bytes);
    assert_memory_equal(image, fresh_image, bytes);
    /* It works like a fresh one: the same calls, the same hash. */
    populate(t);
    populate(fresh);
    assert_int_equal(hash(t), hash(fresh));
    free(image);
    free(fresh_image);
    world_free(t);
    world_free(fresh);
}

static void process_exit_leaves_nothing(void **state)
{
    struct test_world *t = world_make(NULL), *fresh = world_make(NULL);
    pgr_inspect_counts counts, fresh_counts;

    (void)state;
    populate(t);
    expect_ok(t, PGR_CALL_PROCESS_EXIT, 0);
    expect_ok(fresh, PGR_CALL_PROCESS_EXIT, 0);
    pgr_inspect_world(fresh->world, &fresh_counts);
    assert_int_equal(hash(t), hash(fresh));
    pgr_inspect_world(t->world, &counts);
    assert_int_equal(counts.frames_free, t->config.frame_count - 1);
    assert_int_equal(counts.handles_used, 0);
    assert_int_equal(counts.packets_used, 0);
    assert_int_equal(counts.requests_used, 0);
    assert_int_equal(counts.threads_blocked, 0);
    assert_int_equal(counts.nodes_used, fresh_counts.nodes_used);
    world_free(t);
    world_free(fresh);
}

/* ---- saving and loading ---- */

static void *new_block(const pgr_config *config, uint64_t *bytes)
{
    void *block;

    *bytes = pgr_world_bytes(config);
    block = aligned_alloc(PGR_WORLD_ALIGNMENT,
                          (*bytes + PGR_WORLD_ALIGNMENT - 1) / PGR_WORLD_ALIGNMENT * PGR_WORLD_ALIGNMENT);
    memset(block, 0xa5, *bytes);
    return block;
}

static void load_restores_at_another_address(void **state)
{
    struct test_world *t = world_make(NULL);
    struct test_world other = {.config = t->config};
    uint64_t bytes, image_bytes, other_bytes;
    void *image, *other_image;

    (void)state;
    populate(t);
    image = save_image(t, &image_bytes);
    other.block = new_block(&t->config, &bytes);
    other.frames = malloc(pgr_frames_bytes(&t->config));
    memset(other.frames, 0xa5, pgr_frames_bytes(&t->config));
    assert_true(pgr_frames_used_bytes(t->world) <= pgr_frames_bytes(&t->config));
    memcpy(other.frames, t->frames, pgr_frames_used_bytes(t->world));
    assert_int_equal(pgr_load(other.block, bytes, image, image_bytes, &other.world), ZX_OK);
    assert_int_equal(hash(&other), hash(t));
    /* Both go on alike: what is in use afterwards is the same, byte for byte. */
    free(image);
    go_on(t);
    go_on(&other);
    assert_int_equal(hash(&other), hash(t));
    image = save_image(t, &image_bytes);
    other_image = save_image(&other, &other_bytes);
    assert_int_equal(image_bytes, other_bytes);
    assert_memory_equal(image, other_image, image_bytes);
    assert_memory_equal(other.frames, t->frames, pgr_frames_used_bytes(t->world));
    free(image);
    free(other_image);
    free(other.block);
    free(other.frames);
    world_free(t);
}

static void save_into_too_little_is_refused(void **state)
{
    struct test_world *t = world_make(NULL);
    uint64_t bytes = pgr_image_bytes(t->world), i;
    uint8_t *image = malloc(bytes);

    (void)state;
    memset(image, 0xa5, bytes);
    assert_int_equal(pgr_save(t->world, image, bytes - 1), ZX_ERR_BUFFER_TOO_SMALL);
    assert_int_equal(pgr_save(t->world, image, 0), ZX_ERR_BUFFER_TOO_SMALL);
    for (i = 0; i < bytes; i++)
        assert_int_equal(image[i], 0xa5);
    assert_true(bytes <= pgr_world_bytes(&t->config) + 4096);
    free(image);
    world_free(t);
}

/* Loading must give this status and leave the block as it is. */
static void expect_load_fails(void *block, uint64_t block_bytes, const void *image, uint64_t image_bytes,
                              zx_status_t status)
{
    pgr_world *world = NULL;
    uint64_t i;

    assert_int_equal(pgr_load(block, block_bytes, image, image_bytes, &world), status);
    assert_null(world);
    /* The first bytes and a sample of the rest tell whether anything was written. */
    for (i = 0; i < block_bytes; i += i < 512 ? 1 : 509)
        assert_int_equal(((uint8_t *)block)[i], 0xa5);
}

static void load_bad_arguments(void **state)
{
    struct test_world *t = world_make(NULL);
    uint64_t bytes, image_bytes;
    uint8_t *image = save_image(t, &image_bytes);
    uint8_t *block = new_block(&t->config, &bytes);
    pgr_config config;
    pgr_world *world = NULL;

    (void)state;
    assert_int_equal(pgr_load(NULL, bytes, image, image_bytes, &world), ZX_ERR_INVALID_ARGS);
    expect_load_fails(block, bytes, NULL, image_bytes, ZX_ERR_INVALID_ARGS);
    assert_int_equal(pgr_load(block, bytes, image, image_bytes, NULL), ZX_ERR_INVALID_ARGS);
    assert_int_equal(pgr_load(block + 8, bytes - 8, image, image_bytes, &world), ZX_ERR_INVALID_ARGS);
    expect_load_fails(block, bytes - 1, image, image_bytes, ZX_ERR_BUFFER_TOO_SMALL);
    expect_load_fails(block, 0, image, image_bytes, ZX_ERR_BUFFER_TOO_SMALL);
    assert_int_equal(pgr_image_config(NULL, image_bytes, &config), ZX_ERR_INVALID_ARGS);
    assert_int_equal(pgr_image_config(image, image_bytes, NULL), ZX_ERR_INVALID_ARGS);
    assert_int_equal(pgr_image_config(image, image_bytes, &config), ZX_OK);
    assert_memory_equal(&config, &t->config, sizeof(config));
    free(block);
    free(image);
    world_free(t);
}

static void load_unaligned_image(void **state)
{
    struct test_world *t = world_make(NULL);
    uint64_t bytes, image_bytes;
    void *image, *block = new_block(&t->config, &bytes);
    uint8_t *shifted;
    struct test_world other = {.config = t->config, .block = block, .frames = t->frames};

    (void)state;
    populate(t);
    image = save_image(t, &image_bytes);
    shifted = malloc(image_bytes + 1);
    memcpy(shifted + 1, image, image_bytes);
    assert_int_equal(pgr_load(block, bytes, shifted + 1, image_bytes, &other.world), ZX_OK);
    assert_int_equal(hash(&other), hash(t));
    free(shifted);
    free(image);
    free(block);
    world_free(t);
}

static void load_damaged_image(void **state)
{
    struct test_world *t = world_make(NULL);
    uint64_t bytes, image_bytes, i;
    uint8_t *image, *block = new_block(&t->config, &bytes);
    pgr_config config;

    (void)state;
    populate(t);
    image = save_image(t, &image_bytes);
    /* Every byte of the header, however long it is, and a sample of the rest. */
    for (i = 0; i < image_bytes; i += i < 1024 ? 1 : 61) {
        uint8_t bit = (uint8_t)(1u << i % 8);

        image[i] ^= bit;
        expect_load_fails(block, bytes, image, image_bytes, ZX_ERR_IO_DATA_INTEGRITY);
        assert_int_equal(pgr_image_config(image, image_bytes, &config), ZX_ERR_IO_DATA_INTEGRITY);
        image[i] ^= bit;
    }
    free(image);
    free(block);
    world_free(t);
}

static void load_cut_or_foreign_image(void **state)
{
    struct test_world *t = world_make(NULL);
    uint64_t bytes, image_bytes, i;
    uint8_t *image, *block = new_block(&t->config, &bytes);
    uint64_t random = 1;

    (void)state;
    populate(t);
    image = save_image(t, &image_bytes);
    for (i = 0; i < image_bytes; i += i < 1024 ? 1 : 997) {
        /* A buffer of exactly that length: reading behind it is an error that ASan sees. */
        uint8_t *cut = malloc(i != 0 ? i : 1);

        memcpy(cut, image, i);
        expect_load_fails(block, bytes, cut, i, ZX_ERR_IO_DATA_INTEGRITY);
        free(cut);
    }
    expect_load_fails(block, bytes, image, image_bytes - 1, ZX_ERR_IO_DATA_INTEGRITY);
    for (i = 0; i < image_bytes; i++)
        image[i] = (uint8_t)random_next(&random);
    expect_load_fails(block, bytes, image, image_bytes, ZX_ERR_IO_DATA_INTEGRITY);
    memset(image, 0, image_bytes);
    expect_load_fails(block, bytes, image, image_bytes, ZX_ERR_IO_DATA_INTEGRITY);
    free(image);
    free(block);
    world_free(t);
}

/* ---- dispatches that are no calls ---- */

static void dispatch_unknown_numbers(void **state)
{
    static const uint32_t numbers[] = {PGR_CALL_NONE, PGR_CALL_COUNT, PGR_CALL_COUNT + 1, 1000,
                                       0x7fffffff,    0x80000000,     UINT32_MAX};
    struct test_world *t = world_make(NULL);
    size_t i;

    (void)state;
    for (i = 0; i < LENGTH(numbers); i++) {
        expect_refused(t, ZX_ERR_BAD_SYSCALL, 0, numbers[i], ARGS(1, 2, 3, 4, 5, 6, 7, 8));
        assert_null(pgr_call_row(numbers[i]));
    }
    world_free(t);
}

static void dispatch_unknown_threads(void **state)
{
    struct test_world *t = world_make(NULL);
    const uint32_t threads[] = {t->config.thread_count, t->config.thread_count + 1, 0x80000000, UINT32_MAX};
    size_t i;

    (void)state;
    for (i = 0; i < LENGTH(threads); i++) {
        expect_refused(t, ZX_ERR_INVALID_ARGS, threads[i], PGR_CALL_VMO_CREATE, ARGS(4096));
        expect_refused(t, ZX_ERR_INVALID_ARGS, threads[i], PGR_CALL_RESUME, ARGS(0));
    }
    perform_on(t, t->config.thread_count - 1, PGR_CALL_VMO_CREATE, ARGS(4096), NULL, 0);
    assert_int_equal(t->result.outcome, PGR_DONE);
    world_free(t);
}

static void dispatch_of_busy_threads(void **state)
{
    struct test_world *t = world_make(NULL);
    zx_handle_t port = make_port(t);

    (void)state;
    expect_refused(t, ZX_ERR_BAD_STATE, 1, PGR_CALL_RESUME, ARGS(0));
    expect_blocks(t, 1, PGR_CALL_PORT_WAIT, ARGS(port, ZX_TIME_INFINITE), NULL, 0);
    expect_refused(t, ZX_ERR_BAD_STATE, 1, PGR_CALL_RESUME, ARGS(0));
    expect_refused(t, ZX_ERR_BAD_STATE, 1, PGR_CALL_VMO_CREATE, ARGS(4096));
    expect_refused(t, ZX_ERR_BAD_STATE, 1, PGR_CALL_PORT_WAIT, ARGS(port, 0));
    close_handle(t, port);
    port = make_port(t);
    expect_blocks(t, 2, PGR_CALL_PORT_WAIT, ARGS(port, ZX_TIME_INFINITE), NULL, 0);
    zx_port_packet_t packet = {.key = 5};
    expect_buffer(t, ZX_OK, &packet, sizeof(packet), PGR_CALL_PORT_QUEUE, port);
    assert_int_equal(pgr_first_released(t->world), 2);
    expect_refused(t, ZX_ERR_BAD_STATE, 2, PGR_CALL_VMO_CREATE, ARGS(4096));
    expect_resumed(t, ZX_OK, 2, NULL, 0);
    expect_refused(t, ZX_ERR_BAD_STATE, 2, PGR_CALL_RESUME, ARGS(0));
    world_free(t);
}

static void call_rows_describe_their_arguments(void **state)
{
    uint32_t number;
    unsigned i;

    (void)state;
    for (number = 1; number < PGR_CALL_COUNT; number++) {
        const pgr_call_info *row = pgr_call_row(number);
        unsigned buffers = 0;

        assert_non_null(row->name);
        assert_true(row->arg_count <= PGR_ARGS_MAX);
        for (i = 0; i < PGR_ARGS_MAX; i++) {
            assert_int_equal(row->args[i].kind == PGR_ARG_NONE, i >= row->arg_count);
            if (row->args[i].kind == PGR_ARG_BYTES_IN || row->args[i].kind == PGR_ARG_BYTES_OUT) {
                buffers++;
                assert_true(row->args[i].detail < row->arg_count);
                assert_int_equal(row->args[row->args[i].detail].kind, PGR_ARG_SIZE);
            }
        }
        assert_true(buffers <= 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(config_default_is_the_traces_world),
        cmocka_unit_test(config_nonsense_is_refused),
        cmocka_unit_test(config_frames_bytes_is_frames_times_page),
        cmocka_unit_test(init_bad_memory_is_refused_and_untouched),
        cmocka_unit_test(init_gives_the_start_handles),
        cmocka_unit_test(init_touches_no_frame),
        cmocka_unit_test(reset_makes_fresh),
        cmocka_unit_test(process_exit_leaves_nothing),
        cmocka_unit_test(load_restores_at_another_address),
        cmocka_unit_test(save_into_too_little_is_refused),
        cmocka_unit_test(load_bad_arguments),
        cmocka_unit_test(load_unaligned_image),
        cmocka_unit_test(load_damaged_image),
        cmocka_unit_test(load_cut_or_foreign_image),
        cmocka_unit_test(dispatch_unknown_numbers),
        cmocka_unit_test(dispatch_unknown_threads),
        cmocka_unit_test(dispatch_of_busy_threads),
        cmocka_unit_test(call_rows_describe_their_arguments),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
