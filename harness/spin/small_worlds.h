/*
 * What small_worlds.pml includes: the state of the search, in two variables that Spin knows of. Of an image Spin keeps
 * its hash of 128 bits.
 *
 * WORLD: the name of the small world, quoted. PAGERITE_TRACE, in the environment: when a trail is replayed, the file that
 * gets it as a trace.
 */
#include <stdio.h>
#include <stdlib.h>
#include <xxhash.h>

#include "harness/spin/small_world.h"

#define CALLS 27u /* that the model lists: as many as any world has */

static struct small_state state;
static XXH128_hash_t seen; /* of the canonical image */

static struct small_world *world;
static unsigned long long transitions;

static void recognise(void)
{
    static uint8_t image[IMAGE_BYTES_MAX];
    uint32_t bytes = small_world_image(world, &state, image);

    if (bytes == 0 && state.is_right) {
        fprintf(stderr, "small_worlds: this world has no image\n");
        exit(2);
    }
    seen = XXH3_128bits(image, bytes);
}

static void start(int replaying)
{
    const char *path = getenv("PAGERITE_TRACE");
    FILE *trace = replaying && path != NULL ? fopen(path, "w") : NULL;

    if (trace != NULL)
        setvbuf(trace, NULL, _IONBF, 0);
    world = small_world_new(WORLD, pgr_dispatch, trace, &state);
    if (world == NULL || !state.is_right || small_world_calls(world) > CALLS) {
        fprintf(stderr, "small_worlds: no world to search: %s\n", world != NULL ? small_world_message(world) : "");
        exit(2);
    }
    recognise();
}

static void call(uint32_t number)
{
    small_world_call(world, &state, number);
    transitions++;
    if (state.is_right)
        recognise();
    else
        printf("violation: %s\n", small_world_message(world));
}
