/*
 * What two implementations call the same things: handle values, koids and addresses of the first, and what the second
 * has given in their place.
 */
#ifndef HARNESS_DIFF_NAMES_H
#define HARNESS_DIFF_NAMES_H

#include "core/pgr.h"

/* Pairs of numbers, one to one. Forgotten in no time. */
struct diff_map_row {
    uint64_t from;
    uint64_t to;
    uint32_t era; /* the row is in use if this is the map's */
    uint32_t is_bound;
};

struct diff_map {
    struct diff_map_row *rows; /* an open hash table by `from` */
    uint32_t row_count, used;
    uint32_t era;
};

#define DIFF_RANGES 256u /* the last ranges of addresses that are known */

struct diff_range {
    uint64_t first, second; /* where it begins */
    uint64_t bytes;
};

struct diff_names {
    struct diff_map second_handles, first_handles; /* by values of the first, and of the second */
    struct diff_map second_koids, first_koids;
    struct diff_range ranges[DIFF_RANGES];
    uint32_t range_count;
    int addresses_differ; /* some range does */
    zx_handle_t *handles; /* of the first, in the order of their appearance; some may be closed */
    uint32_t handle_count, handle_room;
    int is_short; /* of memory: nothing that it says counts any more */
};

void diff_names_clear(struct diff_names *names);
void diff_names_free(struct diff_names *names);

/*
 * Both have given a handle. 1; or 0: one of them is none, or (`never_again`) one of them has given that value before.
 */
int diff_names_handle(struct diff_names *names, zx_handle_t first, zx_handle_t second, int never_again);

/*
 * The second's value of what the first calls so. What names nothing in the first, and never has, gets a value that the
 * second has never given; its two lowest bits stay.
 */
zx_handle_t diff_names_second(const struct diff_names *names, zx_handle_t first);

/* Both have told a koid: whether these two can be of the same object. 0 is nobody's. */
int diff_names_koid(struct diff_names *names, uint64_t first, uint64_t second);

/* Both have told where something lies. */
void diff_names_range(struct diff_names *names, uint64_t first, uint64_t second, uint64_t bytes);

/* Where the second has what lies at this address in the first. Addresses of nothing that is known stay. */
uint64_t diff_names_address(const struct diff_names *names, uint64_t first);

#endif
