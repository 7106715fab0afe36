/* Who holds which frames. See frames.c. */
#ifndef CORE_FRAMES_H
#define CORE_FRAMES_H

#include "world.h"

static inline void *frame_bytes(const pgr_world *w, void *frames, uint32_t frame)
{
    return (char *)frames + ((uint64_t)frame << w->config.page_shift);
}

/* Neighbouring frames. */
struct stretch {
    uint32_t frame;
    uint32_t count;
};

/*
 * Hands out the lowest free frames, zeroed: one stretch of at least one and at most `count` frames. There must be
 * one.
 */
struct stretch frames_take(pgr_world *w, void *frames, uint64_t count);
/*
 * Looks for the lowest `count` free neighbours that begin at a multiple of 1 << align frames; frame 0 if there are
 * none.
 */
uint32_t frames_find(const pgr_world *w, uint64_t count, uint32_t align);
/* Hands out these free frames, zeroed. */
void frames_take_at(pgr_world *w, void *frames, struct stretch stretch);
/* One more holder. */
void frames_share(pgr_world *w, struct stretch stretch);
/* One holder fewer; frames without one are free. */
void frames_release(pgr_world *w, struct stretch stretch);
/* Of how many frames from `frame` on, `count` at most, the first's answer holds: does somebody else hold it, too? */
uint32_t frames_shared(const pgr_world *w, struct stretch stretch, int *shared);
/* At most how many stretches frames_take will hand out for `count` frames. */
uint64_t frames_stretches(const pgr_world *w, uint64_t count);

/* In a fresh world: nobody holds any. */
void frames_make_free(pgr_world *w);

#endif
