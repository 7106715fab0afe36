/* Maps from pages to what they hold: pieces looked up, runs cut, put and joined. See map.c. */
#ifndef CORE_MAP_H
#define CORE_MAP_H

#include "tree.h"

/* What the first pages of a range hold, and for how many pages that goes on. state PGR_PAGE_NONE: no run. */
struct piece {
    uint64_t page;
    uint64_t count;
    uint32_t frame;
    uint8_t state;
    uint8_t pins;
    uint8_t hint;
    uint8_t reserved;
};

static inline struct run run_of_piece(const struct piece *piece)
{
    return (struct run){
        .page = piece->page,
        .count = piece->count,
        .frame = piece->frame,
        .state = piece->state,
        .pins = piece->pins,
        .hint = piece->hint,
    };
}

static inline uint64_t piece_end(const struct piece *piece)
{
    return piece->page + piece->count;
}

/* Runs in the trees of frames are in this state; their `frame` is the number of holders. */
#define STATE_STRETCH PGR_PAGE_STATE_COUNT
/* Regions of a VMAR are in one of these; their `frame` is the object's row. */
#define STATE_MAPPING (PGR_PAGE_STATE_COUNT + 1)
#define STATE_VMAR (PGR_PAGE_STATE_COUNT + 2)

static inline int state_has_frame(uint8_t state)
{
    return state >= PGR_PAGE_ANONYMOUS && state <= PGR_PAGE_AWAITING_CLEAN;
}

/* The piece at `page`, cut off at `end`. */
struct piece map_piece(const pgr_world *w, struct cursor *at, uint64_t page, uint64_t end);
/* Takes [page, page + count) out of the one run in which it lies; what is left of the run stays. */
void map_cut(pgr_world *w, struct cursor *at, uint64_t page, uint64_t count);
/* Puts a run where there is none; it is joined with the runs before and behind that it continues. */
void map_put(pgr_world *w, struct cursor *at, const struct run *run);

#endif
