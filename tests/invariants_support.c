/* The scene of the checkers' tests. See the header. */
#include "tests/invariants_support.h"

/* --- calling --- */

static uint8_t buffer[VMO_PAGES * PAGE];

pgr_result dispatch(struct scene *s, pgr_call call)
{
    pgr_result result;

    if (!call.buffer && (call.number == PGR_CALL_VMO_READ || call.number == PGR_CALL_VMO_WRITE ||
                         call.number == PGR_CALL_MEM_READ || call.number == PGR_CALL_MEM_WRITE)) {
        call.buffer = buffer;
        call.buffer_bytes = sizeof buffer;
    }
    pgr_dispatch(s->w, s->frames, &call, &result);
    return result;
}

pgr_result checked(struct scene *s, pgr_call call)
{
    check_before(s->c, s->w, s->frames, &call);
    pgr_result result = dispatch(s, call);
    int found = check_after(s->c, s->w, s->frames, &call, &result);
    if (found)
        print_error("%s\n", check_message(s->c));
    assert_int_equal(found, 0);
    return result;
}

zx_handle_t made(struct scene *s, pgr_call call, unsigned place)
{
    pgr_result result = checked(s, call);

    assert_int_equal(result.outcome, PGR_DONE);
    assert_int_equal(result.status, ZX_OK);
    return (zx_handle_t)result.out[place];
}

void succeeds(struct scene *s, pgr_call call)
{
    pgr_result result = checked(s, call);

    assert_int_equal(result.outcome, PGR_DONE);
    assert_int_equal(result.status, ZX_OK);
}

void blocks(struct scene *s, uint32_t thread, pgr_call call)
{
    call.thread = thread;
    assert_int_equal(checked(s, call).outcome, PGR_BLOCKED);
}

pgr_call supply_call(const struct scene *s, uint64_t page, uint64_t count, uint64_t aux_page)
{
    return CALL(PAGER_SUPPLY_PAGES, s->pager, s->pager_vmo, page * PAGE, count * PAGE, s->aux, aux_page * PAGE);
}

pgr_call read_call(zx_handle_t vmo, uint64_t page, uint64_t count)
{
    return CALL(VMO_READ, vmo, 0, page * PAGE, count * PAGE);
}

pgr_call resume_call(uint32_t thread)
{
    return (pgr_call){.number = PGR_CALL_RESUME, .thread = thread, .buffer = buffer, .buffer_bytes = sizeof buffer};
}

pgr_call write_call(zx_handle_t vmo, uint64_t page, uint64_t count)
{
    return CALL(VMO_WRITE, vmo, 0, page * PAGE, count * PAGE);
}

pgr_call store_call(uint64_t address, uint64_t bytes)
{
    return CALL(MEM_WRITE, address, 0, bytes);
}

pgr_call op_call(const struct scene *s, zx_handle_t vmo, uint32_t op, uint64_t page, uint64_t count)
{
    return CALL(PAGER_OP_RANGE, s->pager, op, vmo, page * PAGE, count * PAGE, 0);
}

zx_handle_t seeing_child(struct scene *s)
{
    return made(s, CALL(VMO_CREATE_CHILD, s->pager_vmo, ZX_VMO_CHILD_SNAPSHOT_AT_LEAST_ON_WRITE, 0, VMO_PAGES * PAGE),
                4);
}

zx_handle_t trapped_vmo(struct scene *s)
{
    zx_handle_t vmo =
        made(s, CALL(PAGER_CREATE_VMO, s->pager, ZX_VMO_TRAP_DIRTY, s->port, KEY + 1, VMO_PAGES * PAGE), 5);

    succeeds(s, CALL(PAGER_SUPPLY_PAGES, s->pager, vmo, 0, VMO_PAGES * PAGE, s->aux, 0));
    return vmo;
}

uint64_t mapped(struct scene *s, zx_handle_t vmo, uint64_t count)
{
    pgr_result result =
        checked(s, CALL(VMAR_MAP, s->start.vmar, ZX_VM_PERM_READ | ZX_VM_PERM_WRITE, 0, vmo, 0, count * PAGE));

    assert_int_equal(result.status, ZX_OK);
    return result.out[6];
}

/* --- the scene --- */

static void make_objects(struct scene *s)
{
    for (unsigned i = 0; i < sizeof buffer; i++)
        buffer[i] = (uint8_t)(i + 1);
    s->pager = made(s, CALL(PAGER_CREATE, 0), 1);
    s->port = made(s, CALL(PORT_CREATE, 0), 1);
    s->pager_vmo = made(s, CALL(PAGER_CREATE_VMO, s->pager, 0, s->port, KEY, VMO_PAGES * PAGE), 5);
    s->aux = made(s, CALL(VMO_CREATE, VMO_PAGES * PAGE, 0), 2);
    succeeds(s, write_call(s->aux, 0, VMO_PAGES));
    s->parent = made(s, CALL(VMO_CREATE, VMO_PAGES * PAGE, 0), 2);
    succeeds(s, write_call(s->parent, 0, 2));
    s->child = made(s, CALL(VMO_CREATE_CHILD, s->parent, ZX_VMO_CHILD_SNAPSHOT, 0, VMO_PAGES * PAGE), 4);
    s->contiguous = made(s, CALL(VMO_CREATE_CONTIGUOUS, s->start.bti, 2 * PAGE, 0), 3);
}

int scene_set_up(void **state)
{
    struct scene *s = calloc(1, sizeof *s);

    s->config = (pgr_config){.page_shift = 4,
                             .read_batch = 16,
                             .frame_count = 64,
                             .object_count = 64,
                             .handle_count = 64,
                             .thread_count = 6,
                             .packet_count = 16,
                             .run_count = 128};
    uint64_t bytes = pgr_world_bytes(&s->config);
    s->block = aligned_alloc(PGR_WORLD_ALIGNMENT,
                             (bytes + PGR_WORLD_ALIGNMENT - 1) / PGR_WORLD_ALIGNMENT * PGR_WORLD_ALIGNMENT);
    s->frames = malloc(pgr_frames_bytes(&s->config));
    assert_int_equal(pgr_init(s->block, bytes, &s->config, &s->w), ZX_OK);
    pgr_start_handles(s->w, &s->start);
    s->c = check_new(&s->config);
    assert_non_null(s->c);
    check_reset(s->c, s->w);
    check_set_rates(s->c, 1, 0);
    make_objects(s);
    *state = s;
    return 0;
}

int scene_tear_down(void **state)
{
    struct scene *s = *state;

    check_free(s->c);
    free(s->frames);
    free(s->block);
    free(s);
    return 0;
}

/* --- what is where --- */

uint32_t pages_of(const struct scene *s, zx_handle_t vmo)
{
    uint32_t vmo_row, pages_row;

    assert_int_not_equal(pgr_inspect_vmo(s->w, vmo, &vmo_row, &pages_row), 0);
    return pages_row;
}

uint32_t object_of(const struct scene *s, zx_handle_t value)
{
    pgr_handle_view handle;

    assert_int_not_equal(pgr_inspect_handle(s->w, pgr_inspect_handle_row(s->w, value), &handle), 0);
    return handle.object;
}

struct run *run_of(const struct scene *s, zx_handle_t vmo, uint64_t page)
{
    struct cursor at = cursor_on(&pages_at(s->w, pages_of(s, vmo))->map);
    struct run *run = tree_seek(s->w, &at, page);

    assert_non_null(run);
    return run;
}

uint32_t frame_of(const struct scene *s, zx_handle_t vmo, uint64_t page)
{
    const struct run *run = run_of(s, vmo, page);

    return run->frame + (uint32_t)(page - run->page);
}

struct request *request_of(const struct scene *s)
{
    for (uint32_t row = 1; row <= s->config.thread_count; row++) {
        pgr_request_view view;
        if (pgr_inspect_request(s->w, row, &view))
            return request_at(s->w, row);
    }
    fail_msg("no request is live");
    return NULL;
}

struct run *region_of(const struct scene *s, uint64_t address)
{
    struct cursor at = cursor_on(&object_at(s->w, object_of(s, s->start.vmar))->vmar.regions);
    struct run *run = tree_seek(s->w, &at, to_page(s->w, address));

    assert_non_null(run);
    return run;
}

uint32_t mapping_at(const struct scene *s, uint64_t address)
{
    return region_of(s, address)->frame;
}

/* --- what the checkers say --- */

void says(const struct scene *s, int found, const char *number, const char *format, ...)
{
    char text[100];
    va_list values;

    va_start(values, format);
    vsnprintf(text, sizeof text, format, values);
    va_end(values);
    assert_int_not_equal(found, 0);
    if (strcmp(check_violated(s->c)->number, number) != 0 || !strstr(check_message(s->c), text))
        fail_msg("expected %s with '%s', got '%s'", number, text, check_message(s->c));
}

int walk(struct scene *s)
{
    return check_walk(s->c, s->w, s->frames);
}

pgr_result open_call(struct scene *s, const pgr_call *call)
{
    check_before(s->c, s->w, s->frames, call);
    return dispatch(s, *call);
}

int close_call(struct scene *s, const pgr_call *call, const pgr_result *result)
{
    return check_after(s->c, s->w, s->frames, call, result);
}
