/*
 * What the exhaustive search of small worlds (harness/spin/) rests on: that a saved state is a state, that worlds with
 * the same canonical image do the same whatever is called next, so that the search may take one for the other, and that
 * worlds that differ have different images.
 */
#include "tests/test_support.h"

#include "harness/spin/small_world.h"

enum { DEPTH = 3, STATES_MAX = 2000 };

struct image {
    uint8_t bytes[IMAGE_BYTES_MAX];
    uint32_t count;
};

/* States found so far, breadth first, each with its image; the first way to reach it is kept. */
struct search {
    struct small_world *world;
    struct small_state *states;
    struct image *images;
    uint32_t count;
    uint32_t merged; /* times that another way has led to one of them */
};

static void take_image(struct small_world *world, const struct small_state *state, struct image *image)
{
    image->count = small_world_image(world, state, image->bytes);
    if (image->count == 0)
        fail_msg("a state has no image: %s", small_world_message(world));
}

static int same_image(const struct image *a, const struct image *b)
{
    return a->count == b->count && memcmp(a->bytes, b->bytes, a->count) == 0;
}

static uint32_t find(const struct search *search, const struct image *image)
{
    uint32_t i = 0;

    while (i < search->count && !same_image(&search->images[i], image))
        i++;
    return i;
}

static void step(struct small_world *world, const struct small_state *from, uint32_t call, struct small_state *to,
                 struct image *image)
{
    *to = *from;
    small_world_call(world, to, call);
    if (!to->is_right)
        fail_msg("call %u: %s", call, small_world_message(world));
    take_image(world, to, image);
}

/* Two states with one image: the same calls can be made in both, and lead to one image again. */
static void compare_successors(struct search *search, const struct small_state *a, const struct small_state *b)
{
    static struct small_state next;
    static struct image image_a, image_b;

    assert_memory_equal(a->can, b->can, sizeof(a->can));
    for (uint32_t call = 0; call < small_world_calls(search->world); call++) {
        if (!a->can[call])
            continue;
        step(search->world, a, call, &next, &image_a);
        step(search->world, b, call, &next, &image_b);
        if (!same_image(&image_a, &image_b))
            fail_msg("call %u leads two states with one image to different ones", call);
    }
}

static void visit(struct search *search, const struct small_state *state, const struct image *image)
{
    uint32_t known = find(search, image);

    if (known < search->count) {
        search->merged++;
        if (search->states[known].serial != state->serial)
            compare_successors(search, &search->states[known], state);
        return;
    }
    assert_true(search->count < STATES_MAX);
    search->states[search->count] = *state;
    search->images[search->count++] = *image;
}

static void go_on_from(struct search *search, uint32_t place)
{
    static struct small_state next;
    static struct image image;

    for (uint32_t call = 0; call < small_world_calls(search->world); call++) {
        if (!search->states[place].can[call])
            continue;
        step(search->world, &search->states[place], call, &next, &image);
        visit(search, &next, &image);
    }
}

static void start_search(struct search *search, const char *name)
{
    *search = (struct search){.states = calloc(STATES_MAX, sizeof(*search->states)),
                              .images = calloc(STATES_MAX, sizeof(*search->images))};
    assert_non_null(search->states);
    assert_non_null(search->images);
    search->world = small_world_new(name, pgr_dispatch, NULL, &search->states[0]);
    assert_non_null(search->world);
    take_image(search->world, &search->states[0], &search->images[0]);
    search->count = 1;
}

static void end_search(struct search *search)
{
    small_world_free(search->world);
    free(search->states);
    free(search->images);
}

static void search_world(const char *name)
{
    struct search search;
    uint32_t level = 0;

    start_search(&search, name);
    for (int depth = 0; depth < DEPTH; depth++) {
        uint32_t end = search.count;
        for (; level < end; level++)
            go_on_from(&search, level);
    }
    print_message("%s: %u states, %u calls led to one of them again\n", name, search.count, search.merged);
    assert_true(search.count > 300);
    assert_true(search.merged > search.count);
    end_search(&search);
}

static void test_one_image_behaves_as_one(void **state)
{
    (void)state;
    for (uint32_t i = 0; small_world_name(i) != NULL; i++)
        search_world(small_world_name(i));
}

/* The same call from the same saved state, with others made in between. */
static void test_states_are_put_back(void **state)
{
    static struct small_state begin, first, second, other;
    static struct image image_first, image_second, image_other;
    struct small_world *world = small_world_new("writeback", pgr_dispatch, NULL, &begin);

    (void)state;
    assert_non_null(world);
    step(world, &begin, 0, &first, &image_first);
    step(world, &begin, 6, &other, &image_other);
    step(world, &begin, 0, &second, &image_second);
    assert_true(same_image(&image_first, &image_second));
    assert_false(same_image(&image_first, &image_other));
    small_world_free(world);
}

static void test_there_is_no_other_world(void **state)
{
    static struct small_state begin;

    (void)state;
    assert_null(small_world_new("nothing", pgr_dispatch, NULL, &begin));
}

/* A supply that forgets to say so: nothing that a checker could see in the call itself, but a frame is lost. */
static void supply_fails_silently(pgr_world *world, void *frames, const pgr_call *call, pgr_result *result)
{
    pgr_dispatch(world, frames, call, result);
    if (call->number == PGR_CALL_PAGER_SUPPLY_PAGES)
        result->status = ZX_ERR_NO_MEMORY;
}

static void trap(pgr_world *world, void *frames, const pgr_call *call, pgr_result *result)
{
    if (call->number == PGR_CALL_RECLAIM)
        __builtin_trap();
    pgr_dispatch(world, frames, call, result);
}

/* The first call of that kind that is wrong. */
static void finds(small_dispatch *dispatch, const char *message)
{
    static struct small_state begin, next;
    struct small_world *world = small_world_new("writeback", dispatch, NULL, &begin);
    uint32_t call = 0;

    assert_non_null(world);
    assert_true(begin.is_right);
    do {
        assert_true(call < small_world_calls(world));
        next = begin;
        if (begin.can[call])
            small_world_call(world, &next, call);
        call++;
    } while (next.is_right);
    if (strstr(small_world_message(world), message) == NULL)
        fail_msg("expected %s, got %s", message, small_world_message(world));
    small_world_free(world);
}

static void test_finds_mistakes(void **state)
{
    (void)state;
    finds(supply_fails_silently, "zx_pager_supply_pages");
    finds(trap, "the core stopped");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_image_behaves_as_one),
        cmocka_unit_test(test_states_are_put_back),
        cmocka_unit_test(test_there_is_no_other_world),
        cmocka_unit_test(test_finds_mistakes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
