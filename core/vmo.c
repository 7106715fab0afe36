/* VMOs among VMOs. */
#include "vmo.h"

#include "list.h"

#define CHAIN_VMO_CHILDREN CHAIN(TABLE_OBJECTS, struct object, vmo.sibling)
#define CHAIN_REFERENCES CHAIN(TABLE_OBJECTS, struct object, vmo.reference)

uint32_t vmo_make(pgr_world *w, uint32_t pages, uint8_t flags)
{
    uint32_t row = object_make(w, PGR_OBJECT_VMO);

    object_at(w, row)->flags = flags;
    object_at(w, row)->signals = ZX_VMO_ZERO_CHILDREN;
    vmo_at(w, row)->pages = pages;
    object_reference(w, pages);
    pages_at(w, pages)->vmo_count++;
    return row;
}

struct window vmo_window(const pgr_world *w, uint32_t row)
{
    const struct vmo *vmo = vmo_at(w, row);

    if ((object_at(w, row)->flags & PGR_VMO_SLICE) != 0)
        return (struct window){vmo->pages, vmo->offset_pages, vmo->size_pages};
    return (struct window){vmo->pages, 0, pages_at(w, vmo->pages)->size_pages};
}

int vmo_is_physical(const pgr_world *w, uint32_t vmo)
{
    return (object_at(w, vmo_at(w, vmo)->pages)->flags & PGR_PAGES_PHYSICAL) != 0;
}

uint64_t *vmo_content_size(const pgr_world *w, uint32_t row)
{
    if ((object_at(w, row)->flags & PGR_VMO_SLICE) != 0)
        return &vmo_at(w, row)->content_size_bytes;
    return &pages_at(w, vmo_at(w, row)->pages)->content_size_bytes;
}

void vmo_join_parent(pgr_world *w, uint32_t row, uint32_t parent)
{
    vmo_at(w, row)->parent = parent;
    if (parent == 0)
        return;
    list_append(w, &vmo_at(w, parent)->children, CHAIN_VMO_CHILDREN, row);
    vmo_at(w, parent)->child_count++;
}

void vmo_leave_parent(pgr_world *w, uint32_t row)
{
    uint32_t parent = vmo_at(w, row)->parent;

    if (parent == 0)
        return;
    list_remove(w, &vmo_at(w, parent)->children, CHAIN_VMO_CHILDREN, row);
    vmo_at(w, parent)->child_count--;
    vmo_at(w, row)->parent = 0;
}

/* --- references: who takes whose place --- */

/* A slice has no such line: its references are windows like it, and take nobody's place. */
static int is_slice(const pgr_world *w, uint32_t row)
{
    return (object_at(w, row)->flags & PGR_VMO_SLICE) != 0;
}

void vmo_join_references(pgr_world *w, uint32_t row)
{
    if (!is_slice(w, row))
        list_append(w, &pages_at(w, vmo_at(w, row)->pages)->references, CHAIN_REFERENCES, row);
}

/* If it is the one that all others refer to, the first in the line takes its place. */
void vmo_leave_references(pgr_world *w, uint32_t row)
{
    struct list *line = &pages_at(w, vmo_at(w, row)->pages)->references;
    uint32_t leaving = (object_at(w, row)->flags & PGR_VMO_REFERENCE) != 0 ? row : line->first;

    if (is_slice(w, row) || leaving == 0)
        return;
    object_at(w, leaving)->flags &= (uint8_t)~PGR_VMO_REFERENCE;
    list_remove(w, line, CHAIN_REFERENCES, leaving);
}

/* --- sizes --- */

int size_wraps(const pgr_world *w, uint64_t size_bytes)
{
    return size_bytes > UINT64_MAX - (page_bytes(w) - 1);
}

int root_end_wraps(const pgr_world *w, uint64_t root_offset_pages, uint64_t size_pages)
{
    return !in_range(root_offset_pages, size_pages, to_page(w, UINT64_MAX));
}
