/*
 * Accesses through the address space: mem_read, mem_write, mem_prepare.
 *
 * There are no page tables. Every access asks, page by page: is there a mapping, does it allow this, has the VMO
 * this page? Then the page is obtained as zx_vmo_read or zx_vmo_write would obtain it, one page at a time. What
 * another call would return as an error ends in an exception.
 */
#include "access.h"

#include "pages.h"
#include "vmar.h"
#include "vmo.h"

static zx_status_t access_find(const pgr_world *w, struct access *access)
{
    struct region region = region_at(w, w->root_vmar, to_page(w, access->address));
    const struct mapping *mapping;
    struct window window;
    uint64_t page;

    /* Is something mapped there? */
    if (region.row == 0)
        return ZX_ERR_NOT_FOUND;
    mapping = &object_at(w, region.row)->mapping;
    if ((mapping->perms & (access->write ? ZX_VM_PERM_WRITE : ZX_VM_PERM_READ)) == 0)
        return ZX_ERR_ACCESS_DENIED;
    /* Does the VMO, as it is now, reach there? */
    window = vmo_window(w, mapping->vmo);
    page = mapping->offset_pages + (to_page(w, access->address) - region.page);
    if (page >= window.size_pages)
        return ZX_ERR_OUT_OF_RANGE;
    if (pages_discarded(w, window.pages))
        return ZX_ERR_NOT_FOUND;
    access->vmo = mapping->vmo;
    access->pages = vmo_is_physical(w, mapping->vmo) ? 0 : window.pages;
    access->offset = to_bytes(w, window.offset_pages + page) + (access->address & (page_bytes(w) - 1));
    return ZX_OK;
}

zx_status_t access_look(const pgr_world *w, struct access *access, struct need *need, struct want *want)
{
    const struct caps caps = {.read = 1, .dirty = 1};
    uint32_t event = access->write ? PGR_EVENT_WRITE : PGR_EVENT_READ;
    zx_status_t status;
    uint64_t page;
    uint32_t pins = 0;

    access->bytes = min_u64(access->bytes, page_bytes(w) - (access->address & (page_bytes(w) - 1)));
    status = access_find(w, access);
    if (status != ZX_OK || access->pages == 0)
        return status;
    page = to_page(w, access->offset);
    status = pages_want(w, access->pages, event, page, page + 1, &caps, want);
    if (status == ZX_OK && want->count == 0 && access->write)
        pages_scan(w, access->pages, event, page, page + 1, need, &pins);
    return status;
}

void access_prepare(pgr_world *w, void *frames, const struct access *access)
{
    uint64_t page = to_page(w, access->offset);

    if (!access->write || access->pages == 0)
        return;
    pages_prepare(w, frames, access->pages, PGR_EVENT_WRITE, page, page + 1, 0);
    pages_at(w, access->pages)->modified = 1;
}
