/*
 * The file system at play (harness/writeback.h): that it does what a file system does, says nothing against a sound
 * core, plays the same input the same way, and meets the one case that it only counts. That it finds mistakes is proved
 * by ci/mutants.sh.
 */
#include "harness/writeback.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define INPUTS 400
#define INPUT_BYTES 400

static void fill(uint8_t *bytes, uint32_t seed)
{
    uint64_t state = seed * UINT64_C(2654435761) + 1;
    for (int i = 0; i < INPUT_BYTES; i++) {
        state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        bytes[i] = (uint8_t)(state >> 40);
    }
}

static void random_inputs_violate_nothing(void **unused)
{
    struct writeback_stats stats = {0};
    uint8_t bytes[INPUT_BYTES];
    (void)unused;
    for (uint32_t seed = 0; seed < INPUTS; seed++) {
        fill(bytes, seed);
        if (writeback_play(bytes, sizeof bytes, NULL, &stats) != 0)
            fail_msg("input %u: %s", seed, writeback_message());
    }
    assert_int_equal(stats.executions, INPUTS);
    assert_true(stats.blocked > INPUTS);
    assert_true(stats.cleaned > INPUTS);
    assert_true(stats.losses > INPUTS);
    assert_true(stats.quiet > INPUTS / 4);
}

/* The trace of an input that is played, to be freed. */
static char *recording(const uint8_t *bytes, size_t count)
{
    char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);
    assert_non_null(out);
    assert_int_equal(writeback_play(bytes, count, out, NULL), 0);
    fclose(out);
    return text;
}

static void same_input_same_calls(void **unused)
{
    uint8_t bytes[INPUT_BYTES];
    (void)unused;
    for (uint32_t seed = 1; seed < 8; seed++) {
        fill(bytes, seed);
        char *first = recording(bytes, sizeof bytes), *second = recording(bytes, sizeof bytes);
        assert_true(strlen(first) > 1000);
        assert_string_equal(first, second);
        free(first);
        free(second);
    }
}

static void zeros_that_were_read_as_bytes_are_counted(void **unused)
{
    static const uint8_t bytes[] = {
        0,  3,           /* three pages, nothing trapped */
        32, 0, 16, 0,    /* zero all */
        37, 0, 16, 0,    /* commit all: dirty pages */
        11, 0,           /* query: one range of pages */
        32, 0, 16, 0,    /* zero all: an interval */
        11, 0,           /* begin */
        24, 0, 2,  0, 9, /* write the last page */
        11, 0,           /* read */
        32, 0, 2,  0,    /* zero it again */
        11, 0, 11, 0,    /* to disk; end */
    };
    struct writeback_stats stats = {0};
    (void)unused;
    assert_int_equal(writeback_play(bytes, sizeof bytes, NULL, &stats), 0);
    assert_int_equal(stats.rewritten, 1);
    assert_int_equal(stats.cleaned, 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_inputs_violate_nothing),
        cmocka_unit_test(same_input_same_calls),
        cmocka_unit_test(zeros_that_were_read_as_bytes_are_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
