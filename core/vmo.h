/*
 * VMOs, as programs see them: a name, a window on pages, a place among parents, children and references. What they hold
 * is the pages' affair (pages.h). See vmo.c.
 */
#ifndef CORE_VMO_H
#define CORE_VMO_H

#include "objects.h"

/* A VMO's window on its pages. */
struct window {
    uint32_t pages; /* object row */
    uint64_t offset_pages;
    uint64_t size_pages;
};

/* A new VMO over these pages, without a handle. */
uint32_t vmo_make(pgr_world *w, uint32_t pages, uint8_t flags);
struct window vmo_window(const pgr_world *w, uint32_t vmo);
int vmo_is_physical(const pgr_world *w, uint32_t vmo);
/* Where the VMO's content size stands, in bytes. */
uint64_t *vmo_content_size(const pgr_world *w, uint32_t vmo);
/* The VMO goes into, or out of, the list of its parent's children; parent 0: nobody's. */
void vmo_join_parent(pgr_world *w, uint32_t vmo, uint32_t parent);
void vmo_leave_parent(pgr_world *w, uint32_t vmo);
/* A reference to another VMO lines up to take its place; a VMO leaves its place, or the line. */
void vmo_join_references(pgr_world *w, uint32_t vmo);
void vmo_leave_references(pgr_world *w, uint32_t vmo);
/* Does a size in bytes, rounded up to pages, exceed 64 bits? */
int size_wraps(const pgr_world *w, uint64_t size_bytes);
/* Does a snapshot of this size, which begins there in the root of its ancestors, end beyond 64 bits? */
int root_end_wraps(const pgr_world *w, uint64_t root_offset_pages, uint64_t size_pages);

#endif
