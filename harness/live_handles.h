/*
 * The handles that are alive in a world, the freshest last: what the fuzzers' operands choose from. Kept up to date
 * from the results of calls, so that no operand has to search the world.
 *
 * The order depends on the world alone: handles that appear between two calls of a program stand in the order of their
 * rows. So the encoder, who sees the world only before each call, has the same list as the decoder, who sees every
 * result.
 */
#ifndef HARNESS_LIVE_HANDLES_H
#define HARNESS_LIVE_HANDLES_H

#include "core/pgr.h"

#define LIVE_HANDLES_MAX 1024u

/* What a handle is good for, as far as it can be told when it appears. */
enum live_nature {
    NATURE_OTHER,
    NATURE_PAGER_VMO, /* made by zx_pager_create_vmo */
    NATURE_PLAIN_VMO, /* anonymous, no child, not contiguous: may give its pages to a supply */
    NATURE_DISCARDABLE_VMO,
    NATURE_COUNT
};

struct live_handle {
    zx_handle_t value;
    uint32_t row;    /* of the handle */
    uint32_t object; /* row */
    uint32_t pages;  /* of a VMO: object row */
    uint32_t pager;  /* of a VMO made by a pager: object row */
    uint8_t kind;    /* enum pgr_object_kind */
    uint8_t nature;  /* enum live_nature */
};

struct live_handles {
    uint32_t count;
    uint32_t batch; /* where the handles begin that appeared since the last call of the program */
    uint32_t of_kind[PGR_OBJECT_KIND_COUNT];
    uint32_t of_nature[NATURE_COUNT];
    struct live_handle list[LIVE_HANDLES_MAX];
};

/* Of a fresh world: the handles that it starts with. */
void live_handles_start(struct live_handles *live, const pgr_world *world);

/* The next call of the program begins: what appears from here on is fresher than all before. */
void live_handles_next_batch(struct live_handles *live);

void live_handles_add(struct live_handles *live, const pgr_world *world, zx_handle_t value);

/* Takes the handle out of the list if it is in it and dead. */
void live_handles_check(struct live_handles *live, const pgr_world *world, zx_handle_t value);

/* Brings the list up to date by looking at the whole world; for those who do not see the results. */
void live_handles_refresh(struct live_handles *live, const pgr_world *world);

/* Kind PGR_OBJECT_NONE stands for any. `rank` 0 is the freshest; ranks wrap. Null if there is none of the kind. */
const struct live_handle *live_handle_of_kind(const struct live_handles *live, uint32_t kind, uint32_t rank);
const struct live_handle *live_handle_of_nature(const struct live_handles *live, uint32_t nature, uint32_t rank);
const struct live_handle *live_handle_of_object(const struct live_handles *live, uint32_t object);

/* The VMO handle made by a pager whose pages are these (object row). */
const struct live_handle *live_handle_of_pager_pages(const struct live_handles *live, uint32_t pages);

/* The rank of a handle's value among those of this kind (PGR_OBJECT_NONE: any); UINT32_MAX if it is not one of them. */
uint32_t live_handle_rank(const struct live_handles *live, uint32_t kind, zx_handle_t value);

/* The inspection's kind for a ZX_OBJ_TYPE_...; PGR_OBJECT_NONE for ZX_OBJ_TYPE_NONE. */
uint32_t live_handle_kind_of_type(uint32_t type);

#endif /* HARNESS_LIVE_HANDLES_H */
