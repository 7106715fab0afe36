/*
 * What each call makes of each state that a page can be in: one table for VMOs made by pagers, one for the others. A
 * row is a call over a range of pages of the same starting picture, and the picture afterwards (see expect_runs).
 */
#include "tests/test_support.h"

/* How a row's call is made; offsets and counts in pages, with bytes added where a row cuts pages. */
enum action {
    SUPPLY_PAGES,
    SUPPLY_ZEROS,
    FAIL,
    READ,
    WRITE,
    COMMIT,
    DECOMMIT,
    ZERO,
    ZERO_PART, /* one byte inside of each end's page */
    PIN_READ,
    PIN_WRITE,
    SET_SIZE,      /* to `page` pages */
    SET_SIZE_PART, /* ... and one byte */
    RECLAIM,
    DETACH,
    CLOSE_PAGER,
    CLOSE_PORT,
};

struct scene {
    struct test_world *t;
    zx_handle_t port, pager, vmo;
};

struct state_row {
    enum action action;
    uint64_t page, count;
    zx_status_t status;
    const char *after;
};

/*
 * page   0      1       2      3      4       5             6             7
 *        clean  marker  dirty  zeros  absent  clean,pinned  dirty,pinned  absent
 */
#define PAGER_PICTURE "C1 M1 D1 Z1 .1 C1*1 D1*1 .1"

static struct scene pager_scene(void)
{
    struct scene s = {.t = world_make(NULL)};
    struct test_world *t = s.t;

    s.port = make_port(t);
    s.pager = make_pager(t);
    s.vmo = make_pager_vmo(t, s.pager, s.port, 7, 8, ZX_VMO_RESIZABLE);
    supply_filled(t, s.pager, s.vmo, 0, 1, 1);
    supply_zeros(t, s.pager, s.vmo, 1, 1);
    supply_filled(t, s.pager, s.vmo, 2, 1, 1);
    fill(t, s.vmo, 2, 1, 2);
    expect_ok(t, PGR_CALL_VMO_OP_RANGE, s.vmo, ZX_VMO_OP_ZERO, pages(t, 3), pages(t, 1));
    supply_filled(t, s.pager, s.vmo, 5, 2, 1);
    expect_ok(t, PGR_CALL_BTI_PIN, t->start.bti, ZX_BTI_PERM_READ, s.vmo, pages(t, 5), pages(t, 1));
    expect_ok(t, PGR_CALL_BTI_PIN, t->start.bti, ZX_BTI_PERM_WRITE, s.vmo, pages(t, 6), pages(t, 1));
    expect_runs(t, s.vmo, PAGER_PICTURE);
    return s;
}

static const struct state_row pager_rows[] = {
    {SUPPLY_PAGES, 0, 8, ZX_OK, "C1 M1 D1 Z1 C1 C1*1 D1*1 C1"},
    {SUPPLY_PAGES, 4, 1, ZX_OK, "C1 M1 D1 Z1 C1 C1*1 D1*1 .1"},
    {SUPPLY_PAGES, 0, 4, ZX_OK, PAGER_PICTURE},
    {SUPPLY_PAGES, 7, 2, ZX_ERR_OUT_OF_RANGE, PAGER_PICTURE},
    {SUPPLY_ZEROS, 0, 8, ZX_OK, "C1 M1 D1 Z1 M1 C1*1 D1*1 M1"},
    {SUPPLY_ZEROS, 7, 1, ZX_OK, "C1 M1 D1 Z1 .1 C1*1 D1*1 M1"},
    {SUPPLY_ZEROS, 8, 0, ZX_OK, PAGER_PICTURE},
    {FAIL, 0, 8, ZX_OK, PAGER_PICTURE},
    {READ, 0, 4, ZX_OK, PAGER_PICTURE},
    {READ, 5, 2, ZX_OK, PAGER_PICTURE},
    {WRITE, 0, 1, ZX_OK, "D1 M1 D1 Z1 .1 C1*1 D1*1 .1"},
    {WRITE, 1, 1, ZX_OK, "C1 D2 Z1 .1 C1*1 D1*1 .1"},
    {WRITE, 2, 1, ZX_OK, PAGER_PICTURE},
    {WRITE, 3, 1, ZX_OK, "C1 M1 D2 .1 C1*1 D1*1 .1"},
    {WRITE, 0, 4, ZX_OK, "D4 .1 C1*1 D1*1 .1"},
    {WRITE, 5, 2, ZX_OK, "C1 M1 D1 Z1 .1 D2*1 .1"},
    {WRITE, 8, 0, ZX_OK, PAGER_PICTURE},
    {WRITE, 8, 1, ZX_ERR_OUT_OF_RANGE, PAGER_PICTURE},
    {COMMIT, 0, 1, ZX_OK, PAGER_PICTURE},
    {COMMIT, 1, 1, ZX_OK, "C2 D1 Z1 .1 C1*1 D1*1 .1"},
    {COMMIT, 0, 4, ZX_OK, "C2 D2 .1 C1*1 D1*1 .1"},
    {COMMIT, 5, 2, ZX_OK, PAGER_PICTURE},
    {DECOMMIT, 0, 1, ZX_ERR_NOT_SUPPORTED, PAGER_PICTURE},
    {DECOMMIT, 8, 1, ZX_OK, PAGER_PICTURE},
    {ZERO, 0, 1, ZX_OK, "Z1 M1 D1 Z1 .1 C1*1 D1*1 .1"},
    {ZERO, 1, 1, ZX_OK, PAGER_PICTURE},
    {ZERO, 2, 1, ZX_OK, "C1 M1 Z2 .1 C1*1 D1*1 .1"},
    {ZERO, 4, 1, ZX_OK, "C1 M1 D1 Z2 C1*1 D1*1 .1"},
    {ZERO, 5, 1, ZX_OK, "C1 M1 D1 Z1 .1 D2*1 .1"},
    {ZERO, 0, 8, ZX_OK, "Z1 M1 Z3 D2*1 Z1"},
    {ZERO_PART, 0, 1, ZX_OK, "D1 M1 D1 Z1 .1 C1*1 D1*1 .1"},
    {ZERO_PART, 1, 1, ZX_OK, PAGER_PICTURE},
    {ZERO_PART, 2, 1, ZX_OK, PAGER_PICTURE},
    {ZERO_PART, 3, 1, ZX_OK, PAGER_PICTURE},
    {ZERO_PART, 5, 1, ZX_OK, "C1 M1 D1 Z1 .1 D2*1 .1"},
    {ZERO_PART, 0, 3, ZX_OK, "D1 M1 D1 Z1 .1 C1*1 D1*1 .1"},
    {ZERO_PART, 1, 3, ZX_OK, "C1 M1 Z2 .1 C1*1 D1*1 .1"},
    {PIN_READ, 0, 4, ZX_OK, "C2*1 D2*1 .1 C1*1 D1*1 .1"},
    {PIN_READ, 5, 2, ZX_OK, "C1 M1 D1 Z1 .1 C1*2 D1*2 .1"},
    {PIN_WRITE, 0, 4, ZX_OK, "D4*1 .1 C1*1 D1*1 .1"},
    {PIN_WRITE, 5, 2, ZX_OK, "C1 M1 D1 Z1 .1 D2*2 .1"},
    {SET_SIZE, 8, 0, ZX_OK, PAGER_PICTURE},
    {SET_SIZE, 7, 0, ZX_OK, "C1 M1 D1 Z1 .1 C1*1 D1*1"},
    {SET_SIZE, 6, 0, ZX_ERR_BAD_STATE, PAGER_PICTURE},
    {SET_SIZE, 0, 0, ZX_ERR_BAD_STATE, PAGER_PICTURE},
    {SET_SIZE, 11, 0, ZX_OK, "C1 M1 D1 Z1 .1 C1*1 D1*1 .1 Z3"},
    {SET_SIZE_PART, 8, 0, ZX_OK, "C1 M1 D1 Z1 .1 C1*1 D1*1 .1 Z1"},
    {SET_SIZE_PART, 6, 0, ZX_OK, "C1 M1 D1 Z1 .1 C1*1 D1*1"},
    {RECLAIM, 0, 100, ZX_OK, ".1 M1 D1 Z1 .1 C1*1 D1*1 .1"},
    {RECLAIM, 0, 0, ZX_OK, PAGER_PICTURE},
    {DETACH, 0, 0, ZX_OK, ".2 D1 Z1 .1 C1*1 D1*1 .1"},
    {CLOSE_PAGER, 0, 0, ZX_OK, PAGER_PICTURE},
    {CLOSE_PORT, 0, 0, ZX_OK, PAGER_PICTURE},
};

static void supply_from_aux(struct scene *s, const struct state_row *row, int committed)
{
    struct test_world *t = s->t;
    zx_handle_t aux = make_vmo(t, row->count, 0);

    if (committed)
        fill(t, aux, 0, row->count, 0x77);
    expect(t, row->status, PGR_CALL_PAGER_SUPPLY_PAGES, s->pager, s->vmo, pages(t, row->page), pages(t, row->count),
           aux, 0);
    /* A success has used the aux VMO up, a failure has left it alone. */
    expect_filled(t, aux, 0, row->count, row->status != ZX_OK && committed ? 0x77 : 0);
    close_handle(t, aux);
}

static void transfer(struct scene *s, const struct state_row *row, uint32_t number)
{
    struct test_world *t = s->t;
    uint64_t bytes = pages(t, row->count);
    uint8_t *buffer = calloc(bytes + 1, 1);

    expect_buffer(t, row->status, buffer, bytes, number, s->vmo, 0, pages(t, row->page), bytes);
    free(buffer);
}

static void op_range(struct scene *s, const struct state_row *row, uint32_t op, uint64_t inset_bytes)
{
    struct test_world *t = s->t;

    expect(t, row->status, PGR_CALL_VMO_OP_RANGE, s->vmo, op, pages(t, row->page) + inset_bytes,
           pages(t, row->count) - 2 * inset_bytes);
}

static void pin_range(struct scene *s, const struct state_row *row, uint32_t options)
{
    struct test_world *t = s->t;

    expect(t, row->status, PGR_CALL_BTI_PIN, t->start.bti, options, s->vmo, pages(t, row->page), pages(t, row->count));
}

static void act(struct scene *s, const struct state_row *row)
{
    struct test_world *t = s->t;

    switch (row->action) {
    case SUPPLY_PAGES:
        supply_from_aux(s, row, 1);
        break;
    case SUPPLY_ZEROS:
        supply_from_aux(s, row, 0);
        break;
    case FAIL:
        expect(t, row->status, PGR_CALL_PAGER_OP_RANGE, s->pager, ZX_PAGER_OP_FAIL, s->vmo, pages(t, row->page),
               pages(t, row->count), (uint64_t)ZX_ERR_IO);
        break;
    case READ:
        transfer(s, row, PGR_CALL_VMO_READ);
        break;
    case WRITE:
        transfer(s, row, PGR_CALL_VMO_WRITE);
        break;
    case COMMIT:
        op_range(s, row, ZX_VMO_OP_COMMIT, 0);
        break;
    case DECOMMIT:
        op_range(s, row, ZX_VMO_OP_DECOMMIT, 0);
        break;
    case ZERO:
        op_range(s, row, ZX_VMO_OP_ZERO, 0);
        break;
    case ZERO_PART:
        op_range(s, row, ZX_VMO_OP_ZERO, 1);
        break;
    case PIN_READ:
        pin_range(s, row, ZX_BTI_PERM_READ);
        break;
    case PIN_WRITE:
        pin_range(s, row, ZX_BTI_PERM_WRITE);
        break;
    case SET_SIZE:
        expect(t, row->status, PGR_CALL_VMO_SET_SIZE, s->vmo, pages(t, row->page));
        break;
    case SET_SIZE_PART:
        expect(t, row->status, PGR_CALL_VMO_SET_SIZE, s->vmo, pages(t, row->page) + 1);
        break;
    case RECLAIM:
        expect(t, row->status, PGR_CALL_RECLAIM, row->count);
        break;
    case DETACH:
        expect(t, row->status, PGR_CALL_PAGER_DETACH_VMO, s->pager, s->vmo);
        break;
    case CLOSE_PAGER:
        expect(t, row->status, PGR_CALL_HANDLE_CLOSE, s->pager);
        break;
    case CLOSE_PORT:
        expect(t, row->status, PGR_CALL_HANDLE_CLOSE, s->port);
        break;
    }
}

static void each_call_on_each_state_of_a_pagers_page(void **state)
{
    size_t i;

    (void)state;
    for (i = 0; i < LENGTH(pager_rows); i++) {
        struct scene s = pager_scene();
        char where[64];

        snprintf(where, sizeof(where), "pager_rows[%zu]", i);
        act(&s, &pager_rows[i]);
        expect_runs_at(s.t, where, s.vmo, pager_rows[i].after);
        world_free(s.t);
    }
}

/* page 0 and 1 committed, 2 not, 3 committed and pinned, 4 not */
#define PLAIN_PICTURE "A2 .1 A1*1 .1"

static struct scene plain_scene(void)
{
    struct scene s = {.t = world_make(NULL)};
    struct test_world *t = s.t;

    s.vmo = make_vmo(t, 5, ZX_VMO_RESIZABLE);
    fill(t, s.vmo, 0, 2, 1);
    expect_ok(t, PGR_CALL_BTI_PIN, t->start.bti, ZX_BTI_PERM_READ, s.vmo, pages(t, 3), pages(t, 1));
    expect_runs(t, s.vmo, PLAIN_PICTURE);
    return s;
}

static const struct state_row plain_rows[] = {
    {READ, 0, 5, ZX_OK, PLAIN_PICTURE},
    {WRITE, 2, 1, ZX_OK, "A3 A1*1 .1"},
    {WRITE, 3, 2, ZX_OK, "A2 .1 A1*1 A1"},
    {WRITE, 4, 2, ZX_ERR_OUT_OF_RANGE, PLAIN_PICTURE},
    {COMMIT, 0, 5, ZX_OK, "A3 A1*1 A1"},
    {COMMIT, 5, 0, ZX_OK, PLAIN_PICTURE},
    {COMMIT, 4, 2, ZX_ERR_OUT_OF_RANGE, PLAIN_PICTURE},
    {DECOMMIT, 0, 1, ZX_OK, ".1 A1 .1 A1*1 .1"},
    {DECOMMIT, 0, 3, ZX_OK, ".3 A1*1 .1"},
    {DECOMMIT, 0, 5, ZX_ERR_BAD_STATE, PLAIN_PICTURE},
    {DECOMMIT, 4, 9, ZX_OK, PLAIN_PICTURE},
    {DECOMMIT, 5, 9, ZX_OK, PLAIN_PICTURE},
    {DECOMMIT, 6, 0, ZX_ERR_OUT_OF_RANGE, PLAIN_PICTURE},
    {ZERO, 0, 5, ZX_OK, ".3 A1*1 .1"},
    {ZERO, 1, 1, ZX_OK, "A1 .2 A1*1 .1"},
    {ZERO_PART, 0, 1, ZX_OK, PLAIN_PICTURE},
    {ZERO_PART, 2, 1, ZX_OK, PLAIN_PICTURE},
    {ZERO_PART, 0, 3, ZX_OK, "A1 .2 A1*1 .1"},
    {PIN_READ, 0, 5, ZX_OK, "A3*1 A1*2 A1*1"},
    {PIN_WRITE, 2, 1, ZX_OK, "A2 A2*1 .1"},
    {SET_SIZE, 4, 0, ZX_OK, "A2 .1 A1*1"},
    {SET_SIZE, 3, 0, ZX_ERR_BAD_STATE, PLAIN_PICTURE},
    {SET_SIZE, 9, 0, ZX_OK, "A2 .1 A1*1 .5"},
    {SET_SIZE_PART, 3, 0, ZX_OK, "A2 .1 A1*1"},
    {RECLAIM, 0, 100, ZX_OK, PLAIN_PICTURE},
};

static void each_call_on_each_state_of_a_plain_page(void **state)
{
    size_t i;

    (void)state;
    for (i = 0; i < LENGTH(plain_rows); i++) {
        struct scene s = plain_scene();
        char where[64];

        snprintf(where, sizeof(where), "plain_rows[%zu]", i);
        act(&s, &plain_rows[i]);
        expect_runs_at(s.t, where, s.vmo, plain_rows[i].after);
        world_free(s.t);
    }
}

/* A call that is refused at once leaves the whole world as it was, as far as any program can see. */
static void refused_rows_change_nothing(void **state)
{
    size_t i;

    (void)state;
    for (i = 0; i < LENGTH(pager_rows); i++) {
        struct scene s = pager_scene();
        uint64_t before = hash(s.t);

        act(&s, &pager_rows[i]);
        if (pager_rows[i].status != ZX_OK && pager_rows[i].action != SUPPLY_PAGES)
            assert_int_equal(hash(s.t), before);
        world_free(s.t);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_call_on_each_state_of_a_pagers_page),
        cmocka_unit_test(each_call_on_each_state_of_a_plain_page),
        cmocka_unit_test(refused_rows_change_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
