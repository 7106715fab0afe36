/*
 * Handles of every call: garbage, values of closed handles, objects of another type, missing rights, high halves of
 * arguments; and the values themselves.
 */
#include "tests/test_support.h"

/* One handle of each type that a program can have, with its default rights, and one of each without rights. */
struct every_handle {
    zx_handle_t vmo, event, port, resource, vmar, bti, pmt, pager; /* with their rights */
    zx_handle_t none[8];                                           /* in the same order, without */
    zx_handle_t pager_vmo, aux;
    zx_handle_t closed;
};

static const zx_obj_type_t types[8] = {ZX_OBJ_TYPE_VMO,  ZX_OBJ_TYPE_EVENT, ZX_OBJ_TYPE_PORT, ZX_OBJ_TYPE_RESOURCE,
                                       ZX_OBJ_TYPE_VMAR, ZX_OBJ_TYPE_BTI,   ZX_OBJ_TYPE_PMT,  ZX_OBJ_TYPE_PAGER};

static zx_handle_t pin_one_page(struct test_world *t, zx_handle_t vmo)
{
    return (zx_handle_t)expect_ok(t, PGR_CALL_BTI_PIN, t->start.bti, ZX_BTI_PERM_READ, vmo, 0, pages(t, 1));
}

static struct every_handle every_handle(struct test_world *t)
{
    struct every_handle h = {.vmo = make_vmo(t, 4, 0),
                             .event = t->start.event,
                             .port = make_port(t),
                             .resource = t->start.resource,
                             .vmar = t->start.vmar,
                             .bti = t->start.bti,
                             .pager = make_pager(t),
                             .aux = make_vmo(t, 4, 0)};
    const zx_handle_t with[6] = {h.vmo, h.event, h.port, h.resource, h.vmar, h.bti};
    unsigned i;

    h.pmt = pin_one_page(t, h.vmo);
    h.pager_vmo = make_pager_vmo(t, h.pager, h.port, 7, 4, ZX_VMO_RESIZABLE);
    for (i = 0; i < 6; i++)
        h.none[i] = duplicate(t, with[i], ZX_RIGHT_NONE);
    /* PMTs and pagers cannot be duplicated, so these are other ones. */
    h.none[6] = (zx_handle_t)expect_ok(t, PGR_CALL_HANDLE_REPLACE, pin_one_page(t, h.vmo), ZX_RIGHT_NONE);
    h.none[7] = (zx_handle_t)expect_ok(t, PGR_CALL_HANDLE_REPLACE, make_pager(t), ZX_RIGHT_NONE);
    h.closed = make_vmo(t, 1, 0);
    close_handle(t, h.closed);
    return h;
}

/* A call with one of its handles at `place`; everything before that handle in the order of checks is right. */
struct handle_case {
    uint32_t number;
    unsigned place;
    zx_obj_type_t type; /* of object; NONE: any, and then no type is wrong */
    int needs_right;
    uint64_t args[PGR_ARGS_MAX];
};

#define CASES_MAX 48

static unsigned pager_cases(const struct every_handle *h, uint64_t page, struct handle_case *cases)
{
    const struct handle_case list[] = {
        {PGR_CALL_PAGER_CREATE_VMO, 0, ZX_OBJ_TYPE_PAGER, 1, {0, 0, h->port, 0, page}},
        {PGR_CALL_PAGER_CREATE_VMO, 2, ZX_OBJ_TYPE_PORT, 1, {h->pager, 0, 0, 0, page}},
        {PGR_CALL_PAGER_DETACH_VMO, 0, ZX_OBJ_TYPE_PAGER, 1, {0, h->pager_vmo}},
        {PGR_CALL_PAGER_DETACH_VMO, 1, ZX_OBJ_TYPE_VMO, 1, {h->pager, 0}},
        {PGR_CALL_PAGER_SUPPLY_PAGES, 0, ZX_OBJ_TYPE_PAGER, 1, {0, h->pager_vmo, 0, page, h->aux, 0}},
        {PGR_CALL_PAGER_SUPPLY_PAGES, 1, ZX_OBJ_TYPE_VMO, 1, {h->pager, 0, 0, page, h->aux, 0}},
        {PGR_CALL_PAGER_SUPPLY_PAGES, 4, ZX_OBJ_TYPE_VMO, 1, {h->pager, h->pager_vmo, 0, page, 0, 0}},
        {PGR_CALL_PAGER_OP_RANGE,
         0,
         ZX_OBJ_TYPE_PAGER,
         1,
         {0, ZX_PAGER_OP_FAIL, h->pager_vmo, 0, page, (uint64_t)ZX_ERR_IO}},
        {PGR_CALL_PAGER_OP_RANGE, 2, ZX_OBJ_TYPE_VMO, 1, {h->pager, ZX_PAGER_OP_FAIL, 0, 0, page, (uint64_t)ZX_ERR_IO}},
    };

    memcpy(cases, list, sizeof(list));
    return LENGTH(list);
}

static unsigned vmo_cases(const struct every_handle *h, uint64_t page, struct handle_case *cases)
{
    const struct handle_case list[] = {
        {PGR_CALL_VMO_CREATE_CONTIGUOUS, 0, ZX_OBJ_TYPE_BTI, 1, {0, page, 0}},
        {PGR_CALL_VMO_CREATE_PHYSICAL, 0, ZX_OBJ_TYPE_RESOURCE, 0, {0, 0, page}},
        {PGR_CALL_VMO_CREATE_CHILD, 0, ZX_OBJ_TYPE_VMO, 1, {0, ZX_VMO_CHILD_SLICE, 0, page}},
        {PGR_CALL_VMO_READ, 0, ZX_OBJ_TYPE_VMO, 1, {0, 0, 0, 0}},
        {PGR_CALL_VMO_WRITE, 0, ZX_OBJ_TYPE_VMO, 1, {0, 0, 0, 0}},
        {PGR_CALL_VMO_GET_SIZE, 0, ZX_OBJ_TYPE_VMO, 0, {0}},
        {PGR_CALL_VMO_SET_SIZE, 0, ZX_OBJ_TYPE_VMO, 1, {0, page}},
        {PGR_CALL_VMO_OP_RANGE, 0, ZX_OBJ_TYPE_VMO, 1, {0, ZX_VMO_OP_COMMIT, 0, page}},
        {PGR_CALL_BTI_PIN, 0, ZX_OBJ_TYPE_BTI, 1, {0, ZX_BTI_PERM_READ, h->vmo, 0, page}},
        {PGR_CALL_BTI_PIN, 2, ZX_OBJ_TYPE_VMO, 1, {h->bti, ZX_BTI_PERM_READ, 0, 0, page}},
        {PGR_CALL_BTI_RELEASE_QUARANTINE, 0, ZX_OBJ_TYPE_BTI, 1, {0}},
        {PGR_CALL_PMT_UNPIN, 0, ZX_OBJ_TYPE_NONE, 0, {0}},
    };

    memcpy(cases, list, sizeof(list));
    return LENGTH(list);
}

static unsigned generic_cases(const struct every_handle *h, struct handle_case *cases)
{
    const struct handle_case list[] = {
        {PGR_CALL_HANDLE_DUPLICATE, 0, ZX_OBJ_TYPE_NONE, 1, {0, ZX_RIGHT_SAME_RIGHTS}},
        {PGR_CALL_HANDLE_REPLACE, 0, ZX_OBJ_TYPE_NONE, 0, {0, ZX_RIGHT_SAME_RIGHTS}},
        {PGR_CALL_OBJECT_GET_INFO, 0, ZX_OBJ_TYPE_NONE, 0, {0, ZX_INFO_HANDLE_VALID}},
        {PGR_CALL_OBJECT_GET_INFO, 0, ZX_OBJ_TYPE_NONE, 0, {0, ZX_INFO_HANDLE_BASIC}},
        {PGR_CALL_OBJECT_GET_INFO, 0, ZX_OBJ_TYPE_NONE, 1, {0, ZX_INFO_HANDLE_COUNT}},
        {PGR_CALL_OBJECT_GET_INFO, 0, ZX_OBJ_TYPE_VMO, 0, {0, ZX_INFO_VMO}},
        {PGR_CALL_OBJECT_WAIT_ONE, 0, ZX_OBJ_TYPE_NONE, 1, {0, 1, 0}},
        {PGR_CALL_OBJECT_WAIT_ASYNC, 1, ZX_OBJ_TYPE_PORT, 1, {h->event, 0, 1, 1, 0}},
        {PGR_CALL_OBJECT_WAIT_ASYNC, 0, ZX_OBJ_TYPE_NONE, 1, {0, h->port, 1, 1, 0}},
        {PGR_CALL_OBJECT_SIGNAL, 0, ZX_OBJ_TYPE_NONE, 1, {0, 0, 0}},
        {PGR_CALL_PORT_WAIT, 0, ZX_OBJ_TYPE_PORT, 1, {0, 0}},
        {PGR_CALL_PORT_QUEUE, 0, ZX_OBJ_TYPE_PORT, 1, {0}},
        {PGR_CALL_PORT_CANCEL, 0, ZX_OBJ_TYPE_PORT, 1, {0, h->event, 1}},
        {PGR_CALL_PORT_CANCEL, 1, ZX_OBJ_TYPE_NONE, 1, {h->port, 0, 1}},
    };

    memcpy(cases, list, sizeof(list));
    return LENGTH(list);
}

static unsigned all_cases(const struct every_handle *h, uint64_t page, struct handle_case *cases)
{
    unsigned count = pager_cases(h, page, cases);

    count += vmo_cases(h, page, cases + count);
    count += generic_cases(h, cases + count);
    assert_true(count <= CASES_MAX);
    return count;
}

/* The case with this value as its handle must fail and change nothing that a program could see. */
static void expect_case_fails(struct test_world *t, const struct handle_case *c, zx_handle_t value, zx_status_t status)
{
    zx_port_packet_t packet = {.key = 1};
    uint64_t args[PGR_ARGS_MAX], before = hash(t);

    memcpy(args, c->args, sizeof(args));
    args[c->place] = value;
    expect_on(t, pgr_call_row(c->number)->name, status, 0, c->number, args, &packet, sizeof(packet));
    assert_int_equal(hash(t), before);
}

static void garbage_is_a_bad_handle(void **state)
{
    struct test_world *t = world_make(NULL);
    struct every_handle h = every_handle(t);
    const zx_handle_t garbage[] = {
        ZX_HANDLE_INVALID, 1, 2, 3, 4, h.vmo - 1, h.vmo - 2, h.vmo - 3, h.vmo ^ 0x80000000u, h.closed, UINT32_MAX,
        UINT32_MAX - 1};
    struct handle_case cases[CASES_MAX];
    unsigned count = all_cases(&h, page_size(t), cases), i, k;

    (void)state;
    for (i = 0; i < count; i++) {
        for (k = 0; k < LENGTH(garbage); k++)
            expect_case_fails(t, &cases[i], garbage[k], ZX_ERR_BAD_HANDLE);
    }
    world_free(t);
}

static void other_types_are_wrong_even_without_rights(void **state)
{
    struct test_world *t = world_make(NULL);
    struct every_handle h = every_handle(t);
    struct handle_case cases[CASES_MAX];
    unsigned count = all_cases(&h, page_size(t), cases), i, k;

    (void)state;
    for (i = 0; i < count; i++) {
        for (k = 0; k < LENGTH(types) && cases[i].type != ZX_OBJ_TYPE_NONE; k++) {
            if (types[k] != cases[i].type)
                expect_case_fails(t, &cases[i], h.none[k], ZX_ERR_WRONG_TYPE);
            else if (cases[i].needs_right)
                expect_case_fails(t, &cases[i], h.none[k], ZX_ERR_ACCESS_DENIED);
        }
    }
    world_free(t);
}

static void calls_for_any_object_need_their_right(void **state)
{
    struct test_world *t = world_make(NULL);
    struct every_handle h = every_handle(t);
    struct handle_case cases[CASES_MAX];
    unsigned count = all_cases(&h, page_size(t), cases), i, k;

    (void)state;
    for (i = 0; i < count; i++) {
        for (k = 0; k < LENGTH(types) && cases[i].type == ZX_OBJ_TYPE_NONE && cases[i].needs_right; k++)
            expect_case_fails(t, &cases[i], h.none[k], ZX_ERR_ACCESS_DENIED);
    }
    world_free(t);
}

/* Every right but one is not enough where that one is asked for, and that one alone is. */
static void exactly_the_rights_that_are_asked_for(void **state)
{
    struct test_world *t = world_make(NULL);
    struct every_handle h = every_handle(t);
    const zx_rights_t vmo_rights = 0xd0ef;
    const struct {
        uint32_t number;
        zx_handle_t object;
        zx_rights_t all, needed;
        uint64_t args[PGR_ARGS_MAX];
    } cases[] = {
        {PGR_CALL_VMO_READ, h.vmo, vmo_rights, ZX_RIGHT_READ, {0}},
        {PGR_CALL_VMO_WRITE, h.vmo, vmo_rights, ZX_RIGHT_WRITE, {0}},
        {PGR_CALL_VMO_OP_RANGE, h.vmo, vmo_rights, ZX_RIGHT_WRITE, {0, ZX_VMO_OP_COMMIT}},
        {PGR_CALL_VMO_OP_RANGE, h.vmo, vmo_rights, ZX_RIGHT_WRITE, {0, ZX_VMO_OP_DECOMMIT}},
        {PGR_CALL_VMO_OP_RANGE, h.vmo, vmo_rights, ZX_RIGHT_WRITE, {0, ZX_VMO_OP_ZERO}},
        {PGR_CALL_OBJECT_WAIT_ONE, h.vmo, vmo_rights, ZX_RIGHT_WAIT, {0, ZX_VMO_ZERO_CHILDREN, 0}},
        {PGR_CALL_VMO_CREATE_CHILD,
         h.vmo,
         vmo_rights,
         ZX_RIGHT_DUPLICATE | ZX_RIGHT_READ,
         {0, ZX_VMO_CHILD_SLICE, 0, 0}},
        {PGR_CALL_OBJECT_SIGNAL, h.vmo, vmo_rights, ZX_RIGHT_SIGNAL, {0, 0, 0}},
        {PGR_CALL_OBJECT_GET_INFO, h.vmo, vmo_rights, ZX_RIGHT_INSPECT, {0, ZX_INFO_HANDLE_COUNT}},
        {PGR_CALL_HANDLE_DUPLICATE, h.vmo, vmo_rights, ZX_RIGHT_DUPLICATE, {0, ZX_RIGHT_NONE}},
        {PGR_CALL_BTI_RELEASE_QUARANTINE, h.bti, 0x80ef, ZX_RIGHT_WRITE, {0}},
        {PGR_CALL_VMO_CREATE_CONTIGUOUS, h.bti, 0x80ef, ZX_RIGHT_MAP, {0, page_size(t), 0}},
    };
    size_t i;

    (void)state;
    for (i = 0; i < LENGTH(cases); i++) {
        uint64_t args[PGR_ARGS_MAX];
        zx_rights_t bit;

        memcpy(args, cases[i].args, sizeof(args));
        args[0] = duplicate(t, cases[i].object, cases[i].needed);
        expect_on(t, WHERE, ZX_OK, 0, cases[i].number, args, NULL, 0);
        for (bit = 1; bit <= cases[i].needed; bit <<= 1) {
            if ((cases[i].needed & bit) == 0)
                continue;
            args[0] = duplicate(t, cases[i].object, cases[i].all & ~bit);
            expect_on(t, WHERE, ZX_ERR_ACCESS_DENIED, 0, cases[i].number, args, NULL, 0);
        }
    }
    world_free(t);
}

/* ---- arguments ---- */

/*
 * Spoils what the dispatcher is not to read: high halves of u32 arguments, places of outputs and of buffers, places
 * behind the last.
 */
static void spoil(uint32_t number, uint64_t *args)
{
    const uint64_t garbage = UINT64_C(0xdeadbeef00000000);
    const pgr_call_info *row = pgr_call_row(number);
    unsigned i;

    for (i = 0; i < PGR_ARGS_MAX; i++) {
        switch (row->args[i].kind) {
        case PGR_ARG_HANDLE:
        case PGR_ARG_U32:
        case PGR_ARG_THREAD:
            args[i] |= garbage;
            break;
        case PGR_ARG_U64:
        case PGR_ARG_OFFSET:
        case PGR_ARG_SIZE:
        case PGR_ARG_ADDRESS:
            break;
        default:
            args[i] = garbage | 0xffffffff;
            break;
        }
    }
}

struct argument_call {
    uint32_t number;
    uint64_t args[PGR_ARGS_MAX];
};

static void high_halves_and_unused_places_are_ignored(void **state)
{
    struct test_world *t = world_make(NULL), *spoilt = world_make(NULL);
    struct every_handle h = every_handle(t);
    const uint64_t page = page_size(t);
    const struct argument_call calls[] = {
        {PGR_CALL_VMO_CREATE, {5 * page, ZX_VMO_RESIZABLE}},
        {PGR_CALL_HANDLE_DUPLICATE, {h.vmo, ZX_RIGHT_READ}},
        {PGR_CALL_HANDLE_REPLACE, {h.none[0], ZX_RIGHT_SAME_RIGHTS}},
        {PGR_CALL_OBJECT_GET_INFO, {h.vmo, ZX_INFO_VMO}},
        {PGR_CALL_OBJECT_WAIT_ONE, {h.vmo, ZX_VMO_ZERO_CHILDREN, 0}},
        {PGR_CALL_OBJECT_WAIT_ASYNC, {h.vmo, h.port, 77, ZX_VMO_ZERO_CHILDREN, 0}},
        {PGR_CALL_OBJECT_SIGNAL, {h.event, 0, ZX_EVENT_SIGNALED}},
        {PGR_CALL_EVENT_CREATE, {0}},
        {PGR_CALL_PORT_CREATE, {ZX_PORT_BIND_TO_INTERRUPT}},
        {PGR_CALL_PORT_WAIT, {h.port, 0}},
        {PGR_CALL_PORT_CANCEL, {h.port, h.event, 5}},
        {PGR_CALL_PAGER_CREATE, {0}},
        {PGR_CALL_PAGER_CREATE_VMO, {h.pager, ZX_VMO_RESIZABLE, h.port, 8, 3 * page}},
        {PGR_CALL_PAGER_SUPPLY_PAGES, {h.pager, h.pager_vmo, 0, page, h.aux, 0}},
        {PGR_CALL_PAGER_OP_RANGE, {h.pager, ZX_PAGER_OP_FAIL, h.pager_vmo, 0, page, (uint64_t)ZX_ERR_IO}},
        {PGR_CALL_VMO_CREATE_CHILD, {h.aux, ZX_VMO_CHILD_SLICE, 0, page}},
        {PGR_CALL_VMO_CREATE_CONTIGUOUS, {h.bti, page, 12}},
        {PGR_CALL_VMO_CREATE_PHYSICAL, {h.resource, 0, page}},
        {PGR_CALL_VMO_GET_SIZE, {h.pager_vmo}},
        {PGR_CALL_VMO_SET_SIZE, {h.pager_vmo, 6 * page}},
        {PGR_CALL_VMO_OP_RANGE, {h.vmo, ZX_VMO_OP_COMMIT, 0, 2 * page}},
        {PGR_CALL_BTI_PIN, {h.bti, ZX_BTI_PERM_READ, h.vmo, 0, page}},
        {PGR_CALL_PMT_UNPIN, {h.pmt}},
        {PGR_CALL_BTI_RELEASE_QUARANTINE, {h.bti}},
        {PGR_CALL_PAGER_DETACH_VMO, {h.pager, h.pager_vmo}},
        {PGR_CALL_THREAD_KILL, {3}},
        {PGR_CALL_HANDLE_CLOSE, {h.vmo}},
    };
    size_t i;

    (void)state;
    every_handle(spoilt);
    for (i = 0; i < LENGTH(calls); i++) {
        uint64_t args[PGR_ARGS_MAX];

        memcpy(args, calls[i].args, sizeof(args));
        spoil(calls[i].number, args);
        perform_on(t, 0, calls[i].number, calls[i].args, NULL, 0);
        perform_on(spoilt, 0, calls[i].number, args, NULL, 0);
        assert_int_equal(t->result.outcome, PGR_DONE);
        assert_memory_equal(&t->result, &spoilt->result, sizeof(t->result));
    }
    assert_int_equal(hash(t), hash(spoilt));
    world_free(t);
    world_free(spoilt);
}

static void close_many_takes_any_array(void **state)
{
    struct test_world *t = world_make(NULL);
    zx_handle_t a = make_vmo(t, 1, 0), b = make_vmo(t, 1, 0);
    zx_handle_t list[] = {a, 0, UINT32_MAX, b, a};

    (void)state;
    expect_buffer(t, ZX_OK, NULL, 0, PGR_CALL_HANDLE_CLOSE_MANY, 0);
    expect_buffer(t, ZX_ERR_BAD_HANDLE, list, sizeof(list), PGR_CALL_HANDLE_CLOSE_MANY, 0);
    expect(t, ZX_ERR_BAD_HANDLE, PGR_CALL_HANDLE_CLOSE, a);
    expect(t, ZX_ERR_BAD_HANDLE, PGR_CALL_HANDLE_CLOSE, b);
    world_free(t);
}

/* ---- values ---- */

static int compare_values(const void *a, const void *b)
{
    zx_handle_t x, y;

    memcpy(&x, a, sizeof(x));
    memcpy(&y, b, sizeof(y));
    return (x > y) - (x < y);
}

static void values_are_never_reused(void **state)
{
    enum { ROUNDS = 20000 };
    struct test_world *t = world_make(NULL);
    zx_handle_t *values = calloc(ROUNDS, sizeof(*values));
    unsigned i;

    (void)state;
    for (i = 0; i < ROUNDS; i++) {
        values[i] = duplicate(t, t->start.event, ZX_RIGHT_SAME_RIGHTS);
        assert_int_equal(values[i] & 3, 3);
        /* Some stay open for a while. */
        if (i % 3 != 0)
            close_handle(t, values[i]);
        else if (i >= 30)
            close_handle(t, values[i - 30]);
    }
    qsort(values, ROUNDS, sizeof(*values), compare_values);
    for (i = 1; i < ROUNDS; i++)
        assert_int_not_equal(values[i], values[i - 1]);
    free(values);
    world_free(t);
}

static void koids_count_up(void **state)
{
    struct test_world *t = world_make(NULL);
    uint64_t last = 1023;
    unsigned i;

    (void)state;
    for (i = 0; i < 100; i++) {
        zx_handle_t vmo = make_vmo(t, 1, 0);

        expect_ok(t, PGR_CALL_OBJECT_GET_INFO, vmo, ZX_INFO_HANDLE_BASIC);
        assert_true(t->result.handle_basic.koid > last);
        last = t->result.handle_basic.koid;
        close_handle(t, vmo);
    }
    world_free(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(garbage_is_a_bad_handle),
        cmocka_unit_test(other_types_are_wrong_even_without_rights),
        cmocka_unit_test(calls_for_any_object_need_their_right),
        cmocka_unit_test(exactly_the_rights_that_are_asked_for),
        cmocka_unit_test(high_halves_and_unused_places_are_ignored),
        cmocka_unit_test(close_many_takes_any_array),
        cmocka_unit_test(values_are_never_reused),
        cmocka_unit_test(koids_count_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
