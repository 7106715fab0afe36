/*
 * One VMO of a pager under random calls, against the most naive model of it: an array of pages, each with a state, a
 * byte and a pin count. After every call the whole picture and every byte are compared. A call that would wait is
 * killed, and leaves the progress it had made.
 */
#include "tests/test_support.h"

enum { PAGES_MAX = 24, PINS_MAX = 6, ROUNDS = 1200 };

struct page {
    char state; /* letters of expect_runs, '.' absent */
    uint8_t byte;
    unsigned pins;
};

struct pin {
    zx_handle_t pmt;
    uint64_t page, count;
};

struct model {
    struct test_world *t;
    zx_handle_t port, pager, vmo;
    struct page pages[PAGES_MAX];
    uint64_t size;
    int detached;
    struct pin pins[PINS_MAX];
    uint64_t random;
};

/* A random range of pages; now and then it reaches beyond the end of the VMO. */
struct range {
    uint64_t page, count;
};

static struct range random_range(struct model *m)
{
    struct range range = {random_below(&m->random, m->size + 1), 1 + random_below(&m->random, 6)};

    if (range.count > m->size - range.page && random_below(&m->random, 8) != 0)
        range.count = m->size - range.page;
    return range;
}

static int in_model(const struct model *m, struct range range)
{
    return range.count <= m->size - range.page;
}

/* The first absent page of the range, or its end. */
static uint64_t first_absent(const struct model *m, struct range range)
{
    uint64_t page = range.page;

    while (page < range.page + range.count && m->pages[page].state != '.')
        page++;
    return page;
}

/* ---- calls that go from page to page and wait for those that are absent ---- */

typedef void page_effect(struct page *page, uint8_t byte);

static void effect_of_read(struct page *page, uint8_t byte)
{
    (void)page, (void)byte;
}

static void effect_of_write(struct page *page, uint8_t byte)
{
    page->state = 'D';
    page->byte = byte;
}

static void effect_of_commit(struct page *page, uint8_t byte)
{
    (void)byte;
    page->state = page->state == 'M' ? 'C' : page->state == 'Z' ? 'D' : page->state;
}

/* What the call must come to: out of range, done, or waiting (on a detached VMO: failing) at the first absent page. */
static void expect_page_by_page(struct model *m, struct range range, uint32_t number, const uint64_t *args,
                                void *buffer, page_effect *effect, uint8_t byte)
{
    uint64_t bytes = pages(m->t, range.count), end = range.page + range.count, i;
    const pgr_result *result = perform_on(m->t, 1, number, args, buffer, bytes);

    if (!in_model(m, range)) {
        assert_int_equal(result->outcome, PGR_DONE);
        assert_int_equal(result->status, ZX_ERR_OUT_OF_RANGE);
        return;
    }
    if (first_absent(m, range) == end) {
        assert_int_equal(result->outcome, PGR_DONE);
        assert_int_equal(result->status, ZX_OK);
    } else if (m->detached) {
        assert_int_equal(result->outcome, PGR_DONE);
        assert_int_equal(result->status, ZX_ERR_BAD_STATE);
    } else {
        assert_int_equal(result->outcome, PGR_BLOCKED);
        expect_ok(m->t, PGR_CALL_THREAD_KILL, 1);
    }
    end = first_absent(m, range);
    for (i = range.page; i < end; i++)
        effect(&m->pages[i], byte);
}

static void step_read(struct model *m, struct range range)
{
    uint8_t *buffer = calloc(pages(m->t, range.count) + 1, 1);

    expect_page_by_page(m, range, PGR_CALL_VMO_READ, ARGS(m->vmo, 0, pages(m->t, range.page), pages(m->t, range.count)),
                        buffer, effect_of_read, 0);
    free(buffer);
}

static void step_write(struct model *m, struct range range)
{
    uint8_t byte = (uint8_t)random_next(&m->random), *buffer = malloc(pages(m->t, range.count) + 1);

    memset(buffer, byte, pages(m->t, range.count));
    expect_page_by_page(m, range, PGR_CALL_VMO_WRITE,
                        ARGS(m->vmo, 0, pages(m->t, range.page), pages(m->t, range.count)), buffer, effect_of_write,
                        byte);
    free(buffer);
}

static void step_commit(struct model *m, struct range range)
{
    expect_page_by_page(m, range, PGR_CALL_VMO_OP_RANGE,
                        ARGS(m->vmo, ZX_VMO_OP_COMMIT, pages(m->t, range.page), pages(m->t, range.count)), NULL,
                        effect_of_commit, 0);
}

/* ---- calls that do all or nothing ---- */

static void step_zero(struct model *m, struct range range)
{
    zx_status_t status = in_model(m, range) ? ZX_OK : ZX_ERR_OUT_OF_RANGE;
    uint64_t i;

    expect(m->t, status, PGR_CALL_VMO_OP_RANGE, m->vmo, ZX_VMO_OP_ZERO, pages(m->t, range.page),
           pages(m->t, range.count));
    for (i = range.page; status == ZX_OK && i < range.page + range.count; i++) {
        struct page *page = &m->pages[i];

        page->byte = 0;
        if (page->pins != 0)
            page->state = 'D';
        else if (page->state != 'M')
            page->state = 'Z';
    }
}

static void step_supply(struct model *m, struct range range)
{
    zx_status_t status = !in_model(m, range)               ? ZX_ERR_OUT_OF_RANGE
                         : m->detached && range.count != 0 ? ZX_ERR_BAD_STATE
                                                           : ZX_OK;
    uint64_t front = random_below(&m->random, 3), i;
    zx_handle_t aux = make_vmo(m->t, front + range.count, 0);

    for (i = 0; i < range.count; i++) {
        uint8_t byte = (uint8_t)random_below(&m->random, 3);
        /* Of three aux pages one is never touched, one is committed with zeros, one has a byte. */
        if (byte != 0)
            fill(m->t, aux, front + i, 1, (uint8_t)(byte - 1 + (byte == 2 ? range.page + i : 0)));
        if (status == ZX_OK && m->pages[range.page + i].state == '.')
            m->pages[range.page + i] =
                (struct page){.state = byte != 0 ? 'C' : 'M', .byte = byte == 2 ? (uint8_t)(1 + range.page + i) : 0};
    }
    expect(m->t, status, PGR_CALL_PAGER_SUPPLY_PAGES, m->pager, m->vmo, pages(m->t, range.page),
           pages(m->t, range.count), aux, pages(m->t, front));
    if (status == ZX_OK)
        assert_int_equal(committed_bytes(m->t, aux), 0);
    close_handle(m->t, aux);
}

static void step_set_size(struct model *m)
{
    uint64_t size = random_below(&m->random, PAGES_MAX + 1), i;
    zx_status_t status = ZX_OK;

    for (i = size; i < m->size; i++)
        status = m->pages[i].pins != 0 ? ZX_ERR_BAD_STATE : status;
    expect(m->t, status, PGR_CALL_VMO_SET_SIZE, m->vmo, pages(m->t, size));
    if (status != ZX_OK)
        return;
    for (i = m->size; i < size; i++)
        m->pages[i] = (struct page){.state = 'Z'};
    m->size = size;
}

static void step_reclaim(struct model *m)
{
    uint64_t count = random_below(&m->random, 5), i;

    expect_ok(m->t, PGR_CALL_RECLAIM, count);
    for (i = 0; i < m->size && count != 0; i++) {
        if (m->pages[i].state != 'C' || m->pages[i].pins != 0)
            continue;
        m->pages[i].state = '.';
        count--;
    }
}

static void step_detach(struct model *m)
{
    uint64_t i;

    expect_ok(m->t, PGR_CALL_PAGER_DETACH_VMO, m->pager, m->vmo);
    m->detached = 1;
    for (i = 0; i < m->size; i++) {
        if (m->pages[i].state == 'M' || (m->pages[i].state == 'C' && m->pages[i].pins == 0))
            m->pages[i].state = '.';
    }
}

/* Pins what is there; a pin that would wait is left alone. */
static void step_pin(struct model *m, struct range range, struct pin *pin)
{
    uint32_t options = ZX_BTI_PERM_READ | (random_below(&m->random, 2) != 0 ? ZX_BTI_PERM_WRITE : 0);
    uint64_t i;

    if (range.count == 0 || !in_model(m, range) || first_absent(m, range) != range.page + range.count)
        return;
    *pin = (struct pin){.page = range.page, .count = range.count};
    pin->pmt = (zx_handle_t)expect_ok(m->t, PGR_CALL_BTI_PIN, m->t->start.bti, options, m->vmo, pages(m->t, range.page),
                                      pages(m->t, range.count));
    for (i = range.page; i < range.page + range.count; i++) {
        effect_of_commit(&m->pages[i], 0);
        if ((options & ZX_BTI_PERM_WRITE) != 0)
            m->pages[i].state = 'D';
        m->pages[i].pins++;
    }
}

static void step_unpin(struct model *m, struct pin *pin)
{
    uint64_t i;

    expect_ok(m->t, PGR_CALL_PMT_UNPIN, pin->pmt);
    for (i = pin->page; i < pin->page + pin->count; i++)
        m->pages[i].pins--;
    *pin = (struct pin){0};
}

static void step_pin_or_unpin(struct model *m)
{
    struct pin *pin = &m->pins[random_below(&m->random, PINS_MAX)];

    if (pin->pmt != 0)
        step_unpin(m, pin);
    else
        step_pin(m, random_range(m), pin);
}

/* ---- comparing ---- */

static void expect_picture(struct model *m)
{
    char picture[PAGES_MAX * 8] = "";
    uint64_t i, count;

    for (i = 0; i < m->size; i += count) {
        const struct page *page = &m->pages[i];
        size_t used = strlen(picture);

        for (count = 1; i + count < m->size; count++) {
            if (m->pages[i + count].state != page->state || m->pages[i + count].pins != page->pins)
                break;
        }
        snprintf(picture + used, sizeof(picture) - used, "%s%c%u", used != 0 ? " " : "", page->state, (unsigned)count);
        used = strlen(picture);
        if (page->pins != 0)
            snprintf(picture + used, sizeof(picture) - used, "*%u", page->pins);
    }
    expect_runs(m->t, m->vmo, picture);
}

static void expect_bytes(struct model *m)
{
    uint64_t i;

    for (i = 0; i < m->size; i++) {
        if (m->pages[i].state == 'M' || m->pages[i].state == 'Z')
            m->pages[i].byte = 0;
        if (m->pages[i].state != '.')
            expect_filled(m->t, m->vmo, i, 1, m->pages[i].byte);
    }
}

static void step(struct model *m)
{
    switch (random_below(&m->random, 16)) {
    case 0:
    case 1:
    case 2:
        step_supply(m, random_range(m));
        break;
    case 3:
    case 4:
        step_write(m, random_range(m));
        break;
    case 5:
        step_read(m, random_range(m));
        break;
    case 6:
    case 7:
        step_commit(m, random_range(m));
        break;
    case 8:
        step_zero(m, random_range(m));
        break;
    case 9:
        step_set_size(m);
        break;
    case 10:
    case 11:
        step_reclaim(m);
        break;
    case 12:
    case 13:
        step_pin_or_unpin(m);
        break;
    default:
        if (random_below(&m->random, 150) == 0)
            step_detach(m);
    }
}

static void run_model(uint64_t seed, uint32_t read_batch)
{
    pgr_config config = small_config();
    struct model m = {.size = PAGES_MAX / 2, .random = seed};
    unsigned i;

    config.page_shift = PGR_PAGE_SHIFT_MIN;
    config.read_batch = read_batch;
    m.t = world_make(&config);
    m.port = make_port(m.t);
    m.pager = make_pager(m.t);
    m.vmo = make_pager_vmo(m.t, m.pager, m.port, 7, m.size, ZX_VMO_RESIZABLE);
    for (i = 0; i < m.size; i++)
        m.pages[i].state = '.';
    for (i = 0; i < ROUNDS; i++) {
        step(&m);
        expect_picture(&m);
        expect_bytes(&m);
    }
    world_free(m.t);
}

static void one_vmo_as_in_the_model(void **state)
{
    uint64_t seed;

    (void)state;
    for (seed = 1; seed <= 30; seed++)
        run_model(seed, (uint32_t)(seed % 4));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_vmo_as_in_the_model),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
