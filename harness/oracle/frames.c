/*
 * Frames and the counting of allocations: the two things that can run out in the oracle.
 */
#include "harness/oracle/oracle.h"
#include "harness/oracle/oracle_pages.h"

#include <stdlib.h>
#include <string.h>

/* trace-format.md, fail_alloc: the n-th allocation from here on fails, once; 0 disarms. */
bool oracle_alloc_fails(struct oracle *o)
{
    if (o->fail_alloc == 0)
        return false;
    o->fail_alloc--;
    return o->fail_alloc == 0;
}

/* A step gets all the frames that it needs, or none. */
bool oracle_frames_reserve(struct oracle *o, uint64_t count)
{
    if (count > o->frames_free)
        return false;
    for (uint64_t i = 0; i < count; i++) {
        if (oracle_alloc_fails(o))
            return false;
    }
    return true;
}

static struct oracle_frame *frame_take_number(struct oracle *o, uint32_t number)
{
    struct oracle_frame *frame = oracle_zalloc(sizeof(*frame));
    frame->number = number;
    frame->holders = 1;
    frame->bytes = oracle_zalloc(o->page_bytes);
    o->frames[number] = frame;
    o->frames_free--;
    if (number == o->frame_hint)
        o->frame_hint++;
    return frame;
}

/* The lowest free frame, zeroed. The caller has reserved it. */
struct oracle_frame *oracle_frame_take(struct oracle *o)
{
    uint32_t number = o->frame_hint;
    while (o->frames[number])
        number++;
    o->frame_hint = number;
    return frame_take_number(o, number);
}

struct oracle_frame *oracle_frame_copy(struct oracle *o, const struct oracle_frame *from)
{
    struct oracle_frame *frame = oracle_frame_take(o);
    memcpy(frame->bytes, from->bytes, o->page_bytes);
    return frame;
}

void oracle_frame_drop(struct oracle *o, struct oracle_frame *frame)
{
    if (!frame || --frame->holders > 0)
        return;
    o->frames[frame->number] = NULL;
    o->frames_free++;
    if (frame->number < o->frame_hint)
        o->frame_hint = frame->number;
    free(frame->bytes);
    free(frame);
}

static bool stretch_is_free(const struct oracle *o, uint64_t first, uint64_t count)
{
    for (uint64_t i = first; i < first + count; i++) {
        if (o->frames[i])
            return false;
    }
    return true;
}

/*
 * README.md, "Decisions": frame f is at physical address f times the page size. Returns the first number
 * of the lowest stretch of so many free frames that begins at a multiple of `step`, 0 if there is none.
 */
uint32_t oracle_frames_find(const struct oracle *o, uint64_t count, uint64_t step)
{
    for (uint64_t first = step; first < o->config.frame_count && count <= o->config.frame_count - first;
         first += step) {
        if (stretch_is_free(o, first, count))
            return (uint32_t)first;
    }
    return 0;
}

/* Takes one frame of a stretch that oracle_frames_find() has found. */
struct oracle_frame *oracle_frame_take_at(struct oracle *o, uint32_t number)
{
    return frame_take_number(o, number);
}
