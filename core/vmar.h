/* Address space: regions and holes. See vmar.c. */
#ifndef CORE_VMAR_H
#define CORE_VMAR_H

#include "objects.h"

/* A mapping, and where it lies. Page numbers of addresses. */
struct region {
    uint32_t row; /* 0: there is none */
    uint32_t vmar;
    uint64_t page;
    uint64_t count;
};

/* The VMAR is one hole. */
void vmar_make_empty(pgr_world *w, uint32_t vmar, uint64_t page, uint64_t count);
/* The mapping at this page, in the VMAR or in one inside of it. */
struct region region_at(const pgr_world *w, uint32_t vmar, uint64_t page);
/*
 * The lowest page with so many free ones behind it, aligned to 1 << align pages and ending at or before `limit`; 0
 * if there is none.
 */
uint64_t vmar_find_hole(const pgr_world *w, uint32_t vmar, uint64_t count, uint32_t align, uint64_t limit);
int vmar_is_free(const pgr_world *w, uint32_t vmar, uint64_t page, uint64_t count);
/* Does the range touch a VMAR inside? With `partly`: and not cover it? */
int vmar_child_touched(const pgr_world *w, uint32_t vmar, uint64_t page, uint64_t count, int partly);
/* Does a mapping with other permissions begin before this page and go on behind it? */
int vmar_cuts(const pgr_world *w, uint32_t vmar, uint64_t page, uint32_t perms);
/* Would taking the range away leave two parts of one mapping? */
int vmar_splits(const pgr_world *w, uint32_t vmar, uint64_t page, uint64_t count);
/* A region takes its place in a hole. */
void region_put(pgr_world *w, uint32_t vmar, uint64_t page, uint64_t count, uint32_t region);
uint32_t mapping_make(pgr_world *w, const struct mapping *mapping);
/* The mapping ends at `page`; what it had from there on is a new one. */
uint32_t mapping_split(pgr_world *w, uint32_t vmar, uint32_t mapping, uint64_t page);
void vmar_unmap(pgr_world *w, uint32_t vmar, uint64_t page, uint64_t count);
/* Ends everything inside, and the VMAR. */
void vmar_destroy(pgr_world *w, uint32_t vmar);

#endif
