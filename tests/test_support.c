/*
 * See test_support.h.
 */
#include "tests/test_support.h"

pgr_config small_config(void)
{
    pgr_config config;

    pgr_config_default(&config);
    config.page_shift = 12;
    config.frame_count = 257;
    config.object_count = 256;
    config.handle_count = 256;
    config.thread_count = 8;
    config.packet_count = 64;
    config.run_count = 1024;
    return config;
}

struct test_world *world_make(const pgr_config *config)
{
    struct test_world *t = calloc(1, sizeof(*t));
    uint64_t block_bytes;

    t->config = config != NULL ? *config : small_config();
    block_bytes = pgr_world_bytes(&t->config);
    assert_int_not_equal(block_bytes, 0);
    block_bytes = (block_bytes + PGR_WORLD_ALIGNMENT - 1) / PGR_WORLD_ALIGNMENT * PGR_WORLD_ALIGNMENT;
    t->block = aligned_alloc(PGR_WORLD_ALIGNMENT, block_bytes);
    t->frames = malloc(pgr_frames_bytes(&t->config));
    assert_non_null(t->block);
    assert_non_null(t->frames);
    /* What a world has not written is not to be read: no two worlds find the same there. */
    memset(t->block, (int)((uintptr_t)t->block >> 4 & 0xff), block_bytes);
    assert_int_equal(pgr_init(t->block, block_bytes, &t->config, &t->world), ZX_OK);
    pgr_start_handles(t->world, &t->start);
    return t;
}

void world_free(struct test_world *t)
{
    free(t->block);
    free(t->frames);
    free(t);
}

uint64_t page_size(const struct test_world *t)
{
    return UINT64_C(1) << t->config.page_shift;
}

uint64_t pages(const struct test_world *t, uint64_t count)
{
    return count << t->config.page_shift;
}

/* ---- calls ---- */

const pgr_result *perform_on(struct test_world *t, uint32_t thread, uint32_t number, const uint64_t *args, void *buffer,
                             uint64_t buffer_bytes)
{
    pgr_call call = {.number = number, .thread = thread, .buffer = buffer, .buffer_bytes = buffer_bytes};

    memcpy(call.arg, args, sizeof(call.arg));
    /* Results are written whole, whatever was there. */
    memset(&t->result, 0xa5, sizeof(t->result));
    pgr_dispatch(t->world, t->frames, &call, &t->result);
    return &t->result;
}

/* The out handle or number of a successful call; 0 if it has none. */
static uint64_t output(const pgr_result *result)
{
    const pgr_call_info *row = pgr_call_row(result->call);
    unsigned i;

    for (i = 0; row != NULL && i < row->arg_count; i++) {
        switch (row->args[i].kind) {
        case PGR_ARG_HANDLE_OUT:
        case PGR_ARG_ADDRESS_OUT:
        case PGR_ARG_U64_OUT:
        case PGR_ARG_U32_OUT:
            return result->out[i];
        default:
            break;
        }
    }
    return 0;
}

static const char *call_name(uint32_t number)
{
    const pgr_call_info *row = pgr_call_row(number);

    return row != NULL ? row->name : "no call";
}

uint64_t expect_on(struct test_world *t, const char *where, zx_status_t status, uint32_t thread, uint32_t number,
                   const uint64_t *args, void *buffer, uint64_t buffer_bytes)
{
    perform_on(t, thread, number, args, buffer, buffer_bytes);
    if (t->result.outcome != PGR_DONE || t->result.status != status) {
        fail_msg("%s: %s: outcome %u status %d, expected %d", where, call_name(number), t->result.outcome,
                 t->result.status, status);
    }
    assert_int_equal(t->result.call, number);
    return status == ZX_OK ? output(&t->result) : 0;
}

void expect_blocks(struct test_world *t, uint32_t thread, uint32_t number, const uint64_t *args, void *buffer,
                   uint64_t buffer_bytes)
{
    perform_on(t, thread, number, args, buffer, buffer_bytes);
    assert_int_equal(t->result.outcome, PGR_BLOCKED);
    assert_int_equal(t->result.status, 0);
    assert_int_equal(t->result.call, number);
}

void expect_refused(struct test_world *t, zx_status_t status, uint32_t thread, uint32_t number, const uint64_t *args)
{
    void *before = copy_block(t);

    perform_on(t, thread, number, args, NULL, 0);
    assert_int_equal(t->result.outcome, PGR_REFUSED);
    assert_int_equal(t->result.status, status);
    assert_true(block_equals(t, before));
    free(before);
}

void expect_resumed(struct test_world *t, zx_status_t status, uint32_t thread, void *buffer, uint64_t buffer_bytes)
{
    perform_on(t, thread, PGR_CALL_RESUME, ARGS(0), buffer, buffer_bytes);
    assert_int_equal(t->result.outcome, PGR_DONE);
    assert_int_equal(t->result.status, status);
    assert_int_not_equal(t->result.call, PGR_CALL_RESUME);
}

void resume_all(struct test_world *t, void *buffer, uint64_t buffer_bytes)
{
    uint32_t thread;

    while ((thread = pgr_first_released(t->world)) != PGR_NO_THREAD)
        perform_on(t, thread, PGR_CALL_RESUME, ARGS(0), buffer, buffer_bytes);
}

/* ---- what tests need all the time ---- */

zx_handle_t make_vmo(struct test_world *t, uint64_t page_count, uint32_t options)
{
    return (zx_handle_t)expect_ok(t, PGR_CALL_VMO_CREATE, pages(t, page_count), options);
}

zx_handle_t make_port(struct test_world *t)
{
    return (zx_handle_t)expect_ok(t, PGR_CALL_PORT_CREATE, 0);
}

zx_handle_t make_pager(struct test_world *t)
{
    return (zx_handle_t)expect_ok(t, PGR_CALL_PAGER_CREATE, 0);
}

zx_handle_t make_pager_vmo(struct test_world *t, zx_handle_t pager, zx_handle_t port, uint64_t key, uint64_t page_count,
                           uint32_t options)
{
    return (zx_handle_t)expect_ok(t, PGR_CALL_PAGER_CREATE_VMO, pager, options, port, key, pages(t, page_count));
}

zx_handle_t duplicate(struct test_world *t, zx_handle_t handle, zx_rights_t rights)
{
    return (zx_handle_t)expect_ok(t, PGR_CALL_HANDLE_DUPLICATE, handle, rights);
}

void close_handle(struct test_world *t, zx_handle_t handle)
{
    expect_ok(t, PGR_CALL_HANDLE_CLOSE, handle);
}

void fill(struct test_world *t, zx_handle_t vmo, uint64_t page, uint64_t count, uint8_t byte)
{
    uint8_t *bytes = malloc(pages(t, count));

    memset(bytes, byte, pages(t, count));
    expect_buffer(t, ZX_OK, bytes, pages(t, count), PGR_CALL_VMO_WRITE, vmo, 0, pages(t, page), pages(t, count));
    free(bytes);
}

void expect_filled(struct test_world *t, zx_handle_t vmo, uint64_t page, uint64_t count, uint8_t byte)
{
    uint64_t bytes = pages(t, count), i;
    uint8_t *buffer = malloc(bytes);

    memset(buffer, ~byte & 0xff, bytes);
    expect_buffer(t, ZX_OK, buffer, bytes, PGR_CALL_VMO_READ, vmo, 0, pages(t, page), bytes);
    for (i = 0; i < bytes; i++)
        assert_int_equal(buffer[i], byte);
    free(buffer);
}

void supply_filled(struct test_world *t, zx_handle_t pager, zx_handle_t vmo, uint64_t page, uint64_t count,
                   uint8_t byte)
{
    zx_handle_t aux = make_vmo(t, count, 0);

    fill(t, aux, 0, count, byte);
    expect_ok(t, PGR_CALL_PAGER_SUPPLY_PAGES, pager, vmo, pages(t, page), pages(t, count), aux, 0);
    close_handle(t, aux);
}

void supply_zeros(struct test_world *t, zx_handle_t pager, zx_handle_t vmo, uint64_t page, uint64_t count)
{
    zx_handle_t aux = make_vmo(t, count, 0);

    expect_ok(t, PGR_CALL_PAGER_SUPPLY_PAGES, pager, vmo, pages(t, page), pages(t, count), aux, 0);
    close_handle(t, aux);
}

/* The port's next packet must be exactly this request packet. */
static void expect_request_packet(struct test_world *t, zx_handle_t port, uint64_t key, uint16_t command,
                                  uint64_t offset, uint64_t length)
{
    zx_port_packet_t packet = {.key = key, .type = ZX_PKT_TYPE_PAGE_REQUEST, .status = ZX_OK};

    packet.page_request.command = command;
    packet.page_request.offset = offset;
    packet.page_request.length = length;
    expect_ok(t, PGR_CALL_PORT_WAIT, port, 0);
    assert_memory_equal(&t->result.packet, &packet, sizeof(packet));
}

void expect_read_packet(struct test_world *t, zx_handle_t port, uint64_t key, uint64_t page, uint64_t count)
{
    expect_request_packet(t, port, key, ZX_PAGER_VMO_READ, pages(t, page), pages(t, count));
}

void expect_complete_packet(struct test_world *t, zx_handle_t port, uint64_t key)
{
    expect_request_packet(t, port, key, ZX_PAGER_VMO_COMPLETE, 0, 0);
}

void expect_no_packet(struct test_world *t, zx_handle_t port)
{
    expect(t, ZX_ERR_TIMED_OUT, PGR_CALL_PORT_WAIT, port, 0);
}

uint64_t committed_bytes(struct test_world *t, zx_handle_t vmo)
{
    expect_ok(t, PGR_CALL_OBJECT_GET_INFO, vmo, ZX_INFO_VMO);
    return t->result.vmo.committed_bytes;
}

/* Appends one stretch to a picture. */
static void picture_add(char *text, size_t text_bytes, uint32_t state, uint64_t count, uint32_t pins)
{
    static const char letters[PGR_PAGE_STATE_COUNT + 1] = ".ACDWMZ";
    size_t used = strlen(text);

    snprintf(text + used, text_bytes - used, "%s%c%llu", used != 0 ? " " : "", letters[state],
             (unsigned long long)count);
    used = strlen(text);
    if (pins != 0)
        snprintf(text + used, text_bytes - used, "*%u", (unsigned)pins);
}

/* The stretch from `page` on in which state and pin count stay the same; frames need not follow each other. */
static pgr_run_view stretch_at(const struct test_world *t, uint32_t pages_row, uint64_t page, uint64_t size)
{
    pgr_run_view stretch = {.page = page, .state = PGR_PAGE_NONE}, run;

    while (page < size) {
        if (!pgr_inspect_run(t->world, pages_row, page, &run))
            run = (pgr_run_view){.page = size};
        if (run.page > page)
            run = (pgr_run_view){.page = page, .count = run.page - page, .state = PGR_PAGE_NONE};
        if (stretch.count != 0 && (run.state != stretch.state || run.pins != stretch.pins))
            break;
        stretch.state = run.state;
        stretch.pins = run.pins;
        page = run.page + run.count;
        stretch.count = page - stretch.page;
    }
    return stretch;
}

void expect_runs_at(struct test_world *t, const char *where, zx_handle_t vmo, const char *picture)
{
    char text[1024] = "";
    uint32_t vmo_row, pages_row;
    pgr_object_view view;
    uint64_t page;

    assert_true(pgr_inspect_vmo(t->world, vmo, &vmo_row, &pages_row));
    assert_true(pgr_inspect_object(t->world, pages_row, &view));
    for (page = 0; page < view.pages.size_pages;) {
        pgr_run_view stretch = stretch_at(t, pages_row, page, view.pages.size_pages);

        picture_add(text, sizeof(text), stretch.state, stretch.count, stretch.pins);
        page += stretch.count;
    }
    if (strcmp(text, picture) != 0)
        fail_msg("%s: pages are \"%s\", expected \"%s\"", where, text, picture);
}

uint64_t hash(const struct test_world *t)
{
    return pgr_canonical_hash(t->world, t->frames);
}

void *copy_block(const struct test_world *t)
{
    uint64_t bytes = pgr_world_bytes(&t->config);
    void *copy = malloc(bytes);

    memcpy(copy, t->block, bytes);
    return copy;
}

int block_equals(const struct test_world *t, const void *copy)
{
    return memcmp(t->block, copy, pgr_world_bytes(&t->config)) == 0;
}

void *save_image(const struct test_world *t, uint64_t *bytes)
{
    void *image;

    *bytes = pgr_image_bytes(t->world);
    image = malloc(*bytes);
    assert_int_equal(pgr_save(t->world, image, *bytes), ZX_OK);
    return image;
}

uint64_t random_next(uint64_t *state)
{
    *state += UINT64_C(0x9e3779b97f4a7c15);
    uint64_t z = *state;

    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

uint64_t random_below(uint64_t *state, uint64_t bound)
{
    return random_next(state) % bound;
}
