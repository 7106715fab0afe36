/*
 * The mutator of programs (harness/mutate.h) as a library for AFL++: AFL_CUSTOM_MUTATOR_LIBRARY names the built
 * afl_mutator.so. It serves the targets whose inputs are programs, which hand the same mutator to libFuzzer themselves.
 */
#include "harness/mutate.h"

#include <stdlib.h>
#include <string.h>

#define EDITS_MAX 5u   /* of one input, as many as libFuzzer makes in a row */
#define CROSS_ONE_IN 8 /* inputs made of two */

void *afl_custom_init(void *afl, unsigned seed);
size_t afl_custom_fuzz(void *data, uint8_t *input, size_t size, uint8_t **out, uint8_t *other, size_t other_size,
                       size_t most);
void afl_custom_deinit(void *data);

struct mutator {
    unsigned state;
    size_t room; /* bytes at `bytes` */
    uint8_t *bytes;
};

/* A linear congruential step; its high bits are the good ones. */
static unsigned next(struct mutator *mutator)
{
    mutator->state = mutator->state * 1664525u + 1013904223u;
    return mutator->state >> 8;
}

static int make_room(struct mutator *mutator, size_t room)
{
    uint8_t *bytes;
    if (room <= mutator->room)
        return 1;
    bytes = realloc(mutator->bytes, room);
    if (!bytes)
        return 0;
    mutator->bytes = bytes;
    mutator->room = room;
    return 1;
}

/* Called once by AFL++. A null pointer tells it that there is no memory. */
void *afl_custom_init(void *afl, unsigned seed)
{
    struct mutator *mutator = calloc(1, sizeof *mutator);
    (void)afl;
    if (mutator)
        mutator->state = seed;
    return mutator;
}

/* Called by AFL++ for each new input: `input` stays as it is, `out` gets the new one, which lives until the next call.
 * Returns its size, at most `most`; 0 where there is no memory for it, which AFL++ takes as nothing to run. */
size_t afl_custom_fuzz(void *data, uint8_t *input, size_t size, uint8_t **out, uint8_t *other, size_t other_size,
                       size_t most)
{
    struct mutator *mutator = data;
    if (!make_room(mutator, most))
        return 0;
    if (size > most)
        size = most;
    if (other && next(mutator) % CROSS_ONE_IN == 0) {
        size = mutate_cross(input, size, other, other_size, mutator->bytes, most, next(mutator));
    } else {
        memcpy(mutator->bytes, input, size);
    }
    for (unsigned edits = 1 + next(mutator) % EDITS_MAX; edits > 0; edits--)
        size = mutate_program(mutator->bytes, size, most, next(mutator), NULL);
    *out = mutator->bytes;
    return size;
}

void afl_custom_deinit(void *data)
{
    struct mutator *mutator = data;
    free(mutator->bytes);
    free(mutator);
}
