/*
 * Who holds which frames (core/frames.c), against an array with a count for each frame.
 */
#include "tests/test_support.h"

#include "core/frames.h"

enum { FRAMES = 201 }; /* frame 0, which is never handed out, included */

struct twin {
    struct test_world *t;
    uint32_t holders[FRAMES];
    uint64_t free;
};

static struct twin twin_make(void)
{
    pgr_config config = small_config();
    struct twin twin = {.free = FRAMES - 1};

    config.page_shift = PGR_PAGE_SHIFT_MIN;
    config.frame_count = FRAMES;
    twin.t = world_make(&config);
    return twin;
}

static uint8_t *bytes_of(const struct twin *twin, uint32_t frame)
{
    return (uint8_t *)twin->t->frames + pages(twin->t, frame);
}

/* Marks the frames' bytes, so that it shows who writes to them. */
static void mark(const struct twin *twin, struct stretch stretch)
{
    uint32_t frame;

    for (frame = stretch.frame; frame < stretch.frame + stretch.count; frame++)
        memset(bytes_of(twin, frame), (int)(frame & 0xff) | 1, page_size(twin->t));
}

static void expect_zero(const struct twin *twin, struct stretch stretch)
{
    uint64_t i;

    for (i = 0; i < pages(twin->t, stretch.count); i++)
        assert_int_equal(bytes_of(twin, stretch.frame)[i], 0);
}

static void expect_marked(const struct twin *twin, uint32_t frame)
{
    uint64_t i;

    for (i = 0; i < page_size(twin->t); i++)
        assert_int_equal(bytes_of(twin, frame)[i], (frame & 0xff) | 1);
}

static uint32_t lowest_free(const struct twin *twin)
{
    uint32_t frame = 1;

    while (frame < FRAMES && twin->holders[frame] != 0)
        frame++;
    return frame;
}

static void expect_holders(const struct twin *twin)
{
    uint32_t frame;
    pgr_inspect_counts counts;
    pgr_frames_view view;

    pgr_inspect_world(twin->t->world, &counts);
    assert_int_equal(counts.frames_free, twin->free);
    for (frame = 1; frame < FRAMES; frame++) {
        assert_true(pgr_inspect_frames(twin->t->world, frame, &view));
        assert_true(view.frame <= frame && frame - view.frame < view.count);
        assert_int_equal(view.holders, twin->holders[frame]);
        if (twin->holders[frame] != 0)
            expect_marked(twin, frame);
    }
    assert_false(pgr_inspect_frames(twin->t->world, FRAMES, &view));
}

static struct stretch take(struct twin *twin, uint64_t count)
{
    uint32_t lowest = lowest_free(twin), frame;
    struct stretch taken = frames_take(twin->t->world, twin->t->frames, count);

    assert_int_equal(taken.frame, lowest);
    assert_true(taken.count >= 1 && taken.count <= count);
    expect_zero(twin, taken);
    mark(twin, taken);
    for (frame = taken.frame; frame < taken.frame + taken.count; frame++) {
        assert_int_equal(twin->holders[frame], 0);
        twin->holders[frame] = 1;
    }
    twin->free -= taken.count;
    return taken;
}

static void share(struct twin *twin, struct stretch stretch)
{
    uint32_t frame;

    frames_share(twin->t->world, stretch);
    for (frame = stretch.frame; frame < stretch.frame + stretch.count; frame++)
        twin->holders[frame]++;
}

static void release(struct twin *twin, struct stretch stretch)
{
    uint32_t frame;

    frames_release(twin->t->world, stretch);
    for (frame = stretch.frame; frame < stretch.frame + stretch.count; frame++)
        twin->free += --twin->holders[frame] == 0 ? 1 : 0;
}

static void take_lowest_first_and_zeroed(void **state)
{
    struct twin twin = twin_make();
    struct stretch a, b;

    (void)state;
    memset(twin.t->frames, 0xa5, pgr_frames_bytes(&twin.t->config));
    a = take(&twin, 5);
    assert_int_equal(a.count, 5);
    b = take(&twin, 3);
    assert_int_equal(b.frame, 6);
    release(&twin, (struct stretch){2, 2});
    /* The hole first: only two of the four that are asked for. */
    assert_int_equal(take(&twin, 4).count, 2);
    assert_int_equal(take(&twin, 4).frame, 9);
    expect_holders(&twin);
    assert_int_equal(bytes_of(&twin, 0)[0], 0xa5);
    world_free(twin.t);
}

static void take_all_and_give_all_back(void **state)
{
    struct twin twin = twin_make();
    struct stretch all = take(&twin, 1000000);

    (void)state;
    assert_int_equal(all.count, FRAMES - 1);
    expect_holders(&twin);
    assert_int_equal(frames_find(twin.t->world, 1, 0), 0);
    share(&twin, (struct stretch){10, 20});
    share(&twin, (struct stretch){15, 5});
    release(&twin, all);
    expect_holders(&twin);
    release(&twin, (struct stretch){10, 20});
    release(&twin, (struct stretch){15, 5});
    assert_int_equal(twin.free, FRAMES - 1);
    expect_holders(&twin);
    world_free(twin.t);
}

static uint32_t find_in_array(const struct twin *twin, uint32_t count, uint32_t align)
{
    uint32_t frame, i, step = UINT32_C(1) << align;

    for (frame = step; frame < FRAMES; frame += step) {
        for (i = 0; i < count && frame + i < FRAMES && twin->holders[frame + i] == 0; i++)
            continue;
        if (i == count)
            return frame;
    }
    return 0;
}

static void find_as_in_the_array(void **state)
{
    struct twin twin = twin_make();
    uint64_t random = 99, round;

    (void)state;
    take(&twin, FRAMES - 1);
    for (round = 0; round < 300; round++) {
        uint32_t count = 1 + (uint32_t)random_below(&random, 12), align = (uint32_t)random_below(&random, 6), frame;

        frame = 1 + (uint32_t)random_below(&random, FRAMES - 1);
        if (twin.holders[frame] != 0)
            release(&twin, (struct stretch){frame, 1});
        frame = frames_find(twin.t->world, count, align);
        assert_int_equal(frame, find_in_array(&twin, count, align));
        if (frame != 0 && random_below(&random, 4) == 0) {
            struct stretch taken = {frame, count};
            uint32_t i;

            frames_take_at(twin.t->world, twin.t->frames, taken);
            expect_zero(&twin, taken);
            mark(&twin, taken);
            for (i = 0; i < count; i++)
                twin.holders[frame + i] = 1;
            twin.free -= count;
        }
    }
    assert_int_equal(frames_find(twin.t->world, 1, 63), 0);
    assert_int_equal(frames_find(twin.t->world, UINT64_MAX, 0), 0);
    expect_holders(&twin);
    world_free(twin.t);
}

/* Of a stretch, the first part whose frames are alike. */
static void shared_tells_parts_apart(void **state)
{
    struct twin twin = twin_make();
    int shared;

    (void)state;
    take(&twin, 10);
    share(&twin, (struct stretch){4, 3});
    assert_int_equal(frames_shared(twin.t->world, (struct stretch){1, 10}, &shared), 3);
    assert_false(shared);
    assert_int_equal(frames_shared(twin.t->world, (struct stretch){4, 7}, &shared), 3);
    assert_true(shared);
    assert_int_equal(frames_shared(twin.t->world, (struct stretch){5, 1}, &shared), 1);
    assert_true(shared);
    assert_int_equal(frames_shared(twin.t->world, (struct stretch){7, 4}, &shared), 4);
    assert_false(shared);
    world_free(twin.t);
}

/* A stretch of held frames that begins at a random place; count 0 if there is none there. */
static struct stretch held_stretch(const struct twin *twin, uint64_t *random)
{
    struct stretch stretch = {1 + (uint32_t)random_below(random, FRAMES - 1), 0};
    uint32_t longest = 1 + (uint32_t)random_below(random, 20);

    while (stretch.count < longest && stretch.frame + stretch.count < FRAMES &&
           twin->holders[stretch.frame + stretch.count] != 0)
        stretch.count++;
    return stretch;
}

static void random_steps_against_the_array(void **state)
{
    struct twin twin = twin_make();
    uint64_t random = 7, round;
    uint32_t frame;

    (void)state;
    for (round = 0; round < 5000; round++) {
        struct stretch held = held_stretch(&twin, &random);

        if (twin.free != 0 && random_below(&random, 3) == 0)
            take(&twin, 1 + random_below(&random, 30));
        else if (held.count != 0 && random_below(&random, 5) < 2)
            share(&twin, held);
        else if (held.count != 0)
            release(&twin, held);
        assert_true(frames_stretches(twin.t->world, 10) <= 10);
        if (round % 50 == 0)
            expect_holders(&twin);
    }
    for (frame = 1; frame < FRAMES; frame++) {
        while (twin.holders[frame] != 0)
            release(&twin, (struct stretch){frame, 1});
    }
    expect_holders(&twin);
    /* All free again: one stretch. */
    assert_int_equal(frames_stretches(twin.t->world, FRAMES), 1);
    world_free(twin.t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(take_lowest_first_and_zeroed),   cmocka_unit_test(take_all_and_give_all_back),
        cmocka_unit_test(find_as_in_the_array),           cmocka_unit_test(shared_tells_parts_apart),
        cmocka_unit_test(random_steps_against_the_array),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
