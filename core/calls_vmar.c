/*
 * System calls zx_vmar_map, zx_vmar_unmap, zx_vmar_protect, zx_vmar_allocate, zx_vmar_destroy.
 */
#include "calls.h"

#include "handles.h"
#include "vmar.h"

#define VM_PERMS (ZX_VM_PERM_READ | ZX_VM_PERM_WRITE | ZX_VM_PERM_EXECUTE)
#define VM_CAN_MAP (ZX_VM_CAN_MAP_READ | ZX_VM_CAN_MAP_WRITE | ZX_VM_CAN_MAP_EXECUTE)
#define VM_PLACES (ZX_VM_SPECIFIC | ZX_VM_SPECIFIC_OVERWRITE | ZX_VM_OFFSET_IS_UPPER_LIMIT)
#define VM_ALIGN_SHIFT 24u
#define VM_ALIGN_MASK (0xffu << VM_ALIGN_SHIFT)
#define VM_KNOWN                                                                                                       \
    (VM_PERMS | VM_CAN_MAP | VM_PLACES | ZX_VM_COMPACT | ZX_VM_CAN_MAP_SPECIFIC | ZX_VM_MAP_RANGE |                    \
     ZX_VM_REQUIRE_NON_RESIZABLE | ZX_VM_ALLOW_FAULTS | ZX_VM_PERM_READ_IF_XOM_UNSUPPORTED | VM_ALIGN_MASK)

/* The permissions that rights allow. READ, WRITE and EXECUTE are neighbours in both. */
static uint32_t rights_perms(zx_rights_t rights)
{
    return rights >> 2 & VM_PERMS;
}
static zx_rights_t perms_rights(uint32_t perms)
{
    return perms << 2;
}
/* What a VMAR may map, as permissions. */
static uint32_t can_map_perms(uint32_t flags)
{
    return flags >> 7 & VM_PERMS;
}

static int vmar_destroyed(const pgr_world *w, uint32_t row)
{
    return (object_at(w, row)->flags & PGR_VMAR_DESTROYED) != 0;
}

/* --- placing --- */

/* Where a region of plan->size_pages goes, and whether it can: plan->page is its first page. */
static zx_status_t place(const pgr_world *w, struct plan *plan, uint32_t row, uint32_t options, uint64_t offset)
{
    const struct vmar *vmar = vmar_at(w, row);
    uint32_t align_log2 = (options & VM_ALIGN_MASK) >> VM_ALIGN_SHIFT;
    uint32_t align = align_log2 > w->config.page_shift ? align_log2 - w->config.page_shift : 0;
    int specific = (options & (ZX_VM_SPECIFIC | ZX_VM_SPECIFIC_OVERWRITE)) != 0;
    uint64_t limit = vmar->page + vmar->count;

    if (vmar_destroyed(w, row))
        return ZX_ERR_BAD_STATE;
    if (plan->size_pages == 0)
        return ZX_ERR_INVALID_ARGS;
    if (specific && (options & ZX_VM_OFFSET_IS_UPPER_LIMIT) != 0)
        return ZX_ERR_INVALID_ARGS;
    if (offset != 0 && (options & VM_PLACES) == 0)
        return ZX_ERR_INVALID_ARGS;
    if (!page_aligned(w, offset))
        return ZX_ERR_INVALID_ARGS;
    if ((options & VM_PLACES) != 0 && (vmar->flags & ZX_VM_CAN_MAP_SPECIFIC) == 0)
        return ZX_ERR_ACCESS_DENIED;
    if (!in_range(specific ? to_page(w, offset) : 0, plan->size_pages, vmar->count))
        return ZX_ERR_INVALID_ARGS;
    if (specific) {
        plan->page = vmar->page + to_page(w, offset);
        return (plan->page & (((uint64_t)1 << align) - 1)) != 0 ? ZX_ERR_INVALID_ARGS : ZX_OK;
    }
    if ((options & ZX_VM_OFFSET_IS_UPPER_LIMIT) != 0) {
        if (to_page(w, offset) > vmar->count)
            return ZX_ERR_INVALID_ARGS;
        limit = vmar->page + to_page(w, offset);
    }
    plan->page = vmar_find_hole(w, row, plan->size_pages, align, limit);
    return plan->page == 0 ? ZX_ERR_NO_RESOURCES : ZX_OK;
}

static zx_status_t place_specific(const pgr_world *w, const struct plan *plan, uint32_t row, uint32_t options)
{
    if ((options & ZX_VM_SPECIFIC_OVERWRITE) != 0)
        return vmar_child_touched(w, row, plan->page, plan->size_pages, 0) ? ZX_ERR_INVALID_ARGS : ZX_OK;
    return vmar_is_free(w, row, plan->page, plan->size_pages) ? ZX_OK : ZX_ERR_ALREADY_EXISTS;
}

static int alignment_valid(uint32_t options)
{
    uint32_t align = (options & VM_ALIGN_MASK) >> VM_ALIGN_SHIFT;

    return align == 0 || (align >= 10 && align <= 32);
}

/* A region, and as many mappings more as are cut in two. */
static void region_needed(struct need *need, uint32_t cuts)
{
    need->object_rows = 1 + cuts;
    need->counted = 1 + cuts;
    need->nodes = 3 * tree_growth(3, 0);
}

/* --- zx_vmar_map --- */

/* What is asked of the options before the VMAR is. */
static zx_status_t map_options_check(const pgr_world *w, struct plan *plan, uint32_t options, zx_rights_t vmar_rights,
                                     zx_rights_t vmo_rights)
{
    uint32_t perms = options & VM_PERMS;
    uint8_t flags = object_at(w, vmo_at(w, plan->object)->pages)->flags;

    if (perms != 0 && (perms & ZX_VM_PERM_READ) == 0)
        return ZX_ERR_INVALID_ARGS;
    if ((options & ZX_VM_MAP_RANGE) != 0 && (options & ZX_VM_SPECIFIC_OVERWRITE) != 0)
        return ZX_ERR_INVALID_ARGS;
    if ((options & VM_CAN_MAP) != 0)
        return ZX_ERR_INVALID_ARGS;
    /* Do both handles allow what is asked for? */
    if ((perms & ~(rights_perms(vmar_rights) & rights_perms(vmo_rights))) != 0)
        return ZX_ERR_ACCESS_DENIED;
    if ((options & ~VM_KNOWN) != 0 || !alignment_valid(options))
        return ZX_ERR_INVALID_ARGS;
    if ((options & ZX_VM_REQUIRE_NON_RESIZABLE) != 0 && (flags & PGR_PAGES_RESIZABLE) != 0)
        return ZX_ERR_NOT_SUPPORTED;
    if ((options & ZX_VM_ALLOW_FAULTS) == 0 && (flags & PGR_PAGES_DISCARDABLE) != 0)
        return ZX_ERR_NOT_SUPPORTED;
    return (options & (ZX_VM_COMPACT | ZX_VM_CAN_MAP_SPECIFIC)) != 0 ? ZX_ERR_INVALID_ARGS : ZX_OK;
}

/* MAP_RANGE enters what is there; it must be inside of the VMO. */
static zx_status_t map_range_check(const pgr_world *w, const struct plan *plan, uint32_t options, uint64_t vmo_page)
{
    if ((options & ZX_VM_MAP_RANGE) == 0)
        return ZX_OK;
    return in_range(vmo_page, plan->size_pages, vmo_window(w, plan->object).size_pages) ? ZX_OK : ZX_ERR_OUT_OF_RANGE;
}

CHECK(vmar_map)
{
    const uint64_t *arg = plan->call->arg;
    uint32_t options = arg_u32(plan, 1);
    zx_status_t status = handle_get(w, arg[0], PGR_OBJECT_VMAR, ZX_RIGHT_NONE, &plan->vmar);
    zx_rights_t vmar_rights;
    zx_rights_t vmo_rights;

    if (status == ZX_OK)
        status = handle_get(w, arg[3], PGR_OBJECT_VMO, ZX_RIGHT_MAP, &plan->object);
    if (status != ZX_OK)
        return status;
    vmar_rights = handle_at(w, handle_find(w, arg[0]))->rights;
    vmo_rights = handle_at(w, handle_find(w, arg[3]))->rights;
    /* There are no execute-only pages here: who asks for reading then gets it. */
    if ((options & ZX_VM_PERM_READ_IF_XOM_UNSUPPORTED) != 0)
        options |= ZX_VM_PERM_READ;
    status = map_options_check(w, plan, options, vmar_rights, vmo_rights);
    if (status != ZX_OK)
        return status;
    /* What the VMAR does not allow, no handle to it has the right to. */
    PGR_ASSERT((options & VM_PERMS & ~can_map_perms(vmar_at(w, plan->vmar)->flags)) == 0);
    if (!page_aligned(w, arg[4]))
        return ZX_ERR_INVALID_ARGS;
    plan->size_pages = to_pages_up(w, arg[5]);
    if (size_wraps(w, arg[5]) || to_bytes(w, plan->size_pages) > UINT64_MAX - arg[4])
        return ZX_ERR_OUT_OF_RANGE;
    status = place(w, plan, plan->vmar, options, arg[2]);
    if (status == ZX_OK && (options & (ZX_VM_SPECIFIC | ZX_VM_SPECIFIC_OVERWRITE)) != 0)
        status = place_specific(w, plan, plan->vmar, options);
    if (status == ZX_OK)
        status = map_range_check(w, plan, options, to_page(w, arg[4]));
    plan->perms = options & VM_PERMS;
    plan->perms_max =
        rights_perms(vmar_rights) & rights_perms(vmo_rights) & can_map_perms(vmar_at(w, plan->vmar)->flags);
    if (status != ZX_OK)
        return status;
    region_needed(
        &plan->need,
        (options & ZX_VM_SPECIFIC_OVERWRITE) != 0 && vmar_splits(w, plan->vmar, plan->page, plan->size_pages) ? 1 : 0);
    return ZX_OK;
}

COMMIT(vmar_map)
{
    uint32_t mapping;

    (void)frames;
    if ((arg_u32(plan, 1) & ZX_VM_SPECIFIC_OVERWRITE) != 0)
        vmar_unmap(w, plan->vmar, plan->page, plan->size_pages);
    mapping = mapping_make(w, &(struct mapping){
                                  .vmar = plan->vmar,
                                  .vmo = plan->object,
                                  .offset_pages = to_page(w, plan->call->arg[4]),
                                  .perms = plan->perms,
                                  .perms_max = plan->perms_max,
                              });
    region_put(w, plan->vmar, plan->page, plan->size_pages, mapping);
    result->out[6] = to_bytes(w, plan->page);
    return PROGRESS_DONE;
}

/* --- ranges of addresses --- */

/* Addresses [address, address + size), rounded up to pages, inside of the VMAR: plan->page and plan->size_pages. */
static int range_inside(const pgr_world *w, struct plan *plan, uint32_t row, uint64_t address)
{
    const struct vmar *vmar = vmar_at(w, row);

    plan->page = to_page(w, address);
    return plan->page >= vmar->page && in_range(plan->page - vmar->page, plan->size_pages, vmar->count);
}

/* --- zx_vmar_unmap --- */

CHECK(vmar_unmap)
{
    const uint64_t *arg = plan->call->arg;
    zx_status_t status = handle_get(w, arg[0], PGR_OBJECT_VMAR, ZX_RIGHT_NONE, &plan->vmar);
    zx_rights_t rights;
    uint32_t splits;

    if (status != ZX_OK)
        return status;
    rights = handle_at(w, handle_find(w, arg[0]))->rights;
    plan->size_pages = size_wraps(w, arg[2]) ? 0 : to_pages_up(w, arg[2]);
    if (!page_aligned(w, arg[1]) || plan->size_pages == 0)
        return ZX_ERR_INVALID_ARGS;
    if (vmar_destroyed(w, plan->vmar))
        return ZX_ERR_BAD_STATE;
    if (!range_inside(w, plan, plan->vmar, arg[1]))
        return ZX_ERR_INVALID_ARGS;
    /* Is a child VMAR cut, or touched without the right to? */
    if (vmar_child_touched(w, plan->vmar, plan->page, plan->size_pages, (rights & ZX_RIGHT_OP_CHILDREN) != 0))
        return ZX_ERR_INVALID_ARGS;
    splits = vmar_splits(w, plan->vmar, plan->page, plan->size_pages) ? 1 : 0;
    plan->need.object_rows = splits;
    plan->need.counted = splits;
    plan->need.nodes = 2 * tree_growth(3, 0);
    return ZX_OK;
}

COMMIT(vmar_unmap)
{
    (void)frames, (void)result;
    vmar_unmap(w, plan->vmar, plan->page, plan->size_pages);
    return PROGRESS_DONE;
}

/* --- zx_vmar_protect --- */

/* Walks the mappings of the range: may each have these permissions? The lowest address decides. */
static zx_status_t protect_walk(const pgr_world *w, const struct plan *plan, uint32_t perms, zx_rights_t rights)
{
    uint64_t page = plan->page;
    uint64_t end = plan->page + plan->size_pages;

    while (page < end) {
        struct region region = region_at(w, plan->vmar, page);
        const struct mapping *mapping;

        if (region.row == 0)
            return ZX_ERR_NOT_FOUND;
        mapping = &object_at(w, region.row)->mapping;
        if ((perms & ~mapping->perms_max) != 0)
            return ZX_ERR_ACCESS_DENIED;
        if (region.vmar != plan->vmar && (rights & ZX_RIGHT_OP_CHILDREN) == 0)
            return ZX_ERR_INVALID_ARGS;
        if (region.vmar != plan->vmar && (perms & ~mapping->perms) != 0)
            return ZX_ERR_ACCESS_DENIED;
        page = region.page + region.count;
    }
    return ZX_OK;
}

CHECK(vmar_protect)
{
    const uint64_t *arg = plan->call->arg;
    uint32_t perms = arg_u32(plan, 1) & VM_PERMS;
    zx_status_t status = handle_get(w, arg[0], PGR_OBJECT_VMAR, perms_rights(perms), &plan->vmar);
    zx_rights_t rights;
    uint32_t cuts;

    if (status != ZX_OK)
        return status;
    rights = handle_at(w, handle_find(w, arg[0]))->rights;
    if (perms != 0 && (perms & ZX_VM_PERM_READ) == 0)
        return ZX_ERR_INVALID_ARGS;
    if (!page_aligned(w, arg[2]) || (arg_u32(plan, 1) & ~VM_PERMS) != 0)
        return ZX_ERR_INVALID_ARGS;
    plan->size_pages = size_wraps(w, arg[3]) ? 0 : to_pages_up(w, arg[3]);
    if (plan->size_pages == 0)
        return ZX_ERR_INVALID_ARGS;
    if (vmar_destroyed(w, plan->vmar))
        return ZX_ERR_BAD_STATE;
    if (!range_inside(w, plan, plan->vmar, arg[2]))
        return ZX_ERR_INVALID_ARGS;
    status = protect_walk(w, plan, perms, rights);
    cuts = (uint32_t)vmar_cuts(w, plan->vmar, plan->page, perms) +
           (uint32_t)vmar_cuts(w, plan->vmar, plan->page + plan->size_pages, perms);
    plan->need.object_rows = cuts;
    plan->need.counted = cuts;
    plan->need.nodes = 2 * tree_growth(3, 0);
    return status;
}

/* Of a mapping with other permissions, what lies in [page, end) becomes one of its own. */
static void mapping_protect(pgr_world *w, struct region region, uint64_t page, uint64_t end, uint32_t perms)
{
    if (object_at(w, region.row)->mapping.perms == perms)
        return;
    if (region.page < page)
        region.row = mapping_split(w, region.vmar, region.row, page);
    if (region.page + region.count > end)
        mapping_split(w, region.vmar, region.row, end);
    object_at(w, region.row)->mapping.perms = perms;
}

COMMIT(vmar_protect)
{
    uint64_t page = plan->page;
    uint64_t end = plan->page + plan->size_pages;

    (void)frames, (void)result;
    while (page < end) {
        struct region region = region_at(w, plan->vmar, page);

        mapping_protect(w, region, page, end, arg_u32(plan, 1) & VM_PERMS);
        page = region.page + region.count;
    }
    return PROGRESS_DONE;
}

/* --- zx_vmar_allocate, zx_vmar_destroy --- */

CHECK(vmar_allocate)
{
    const uint64_t *arg = plan->call->arg;
    uint32_t options = arg_u32(plan, 1);
    zx_status_t status = handle_get(w, arg[0], PGR_OBJECT_VMAR, perms_rights(can_map_perms(options)), &plan->vmar);

    if (status != ZX_OK)
        return status;
    if ((options & (VM_PERMS | ZX_VM_SPECIFIC_OVERWRITE | ZX_VM_MAP_RANGE | ZX_VM_REQUIRE_NON_RESIZABLE |
                    ZX_VM_ALLOW_FAULTS | ZX_VM_PERM_READ_IF_XOM_UNSUPPORTED)) != 0 ||
        (options & ~VM_KNOWN) != 0 || !alignment_valid(options))
        return ZX_ERR_INVALID_ARGS;
    if (arg[3] == 0 || !page_aligned(w, arg[3]))
        return ZX_ERR_INVALID_ARGS;
    plan->size_pages = to_page(w, arg[3]);
    status = place(w, plan, plan->vmar, options, arg[2]);
    if (status == ZX_OK && (options & ZX_VM_SPECIFIC) != 0)
        status = place_specific(w, plan, plan->vmar, options);
    /* A child can do no more than its parent, for no handle has rights beyond; but it may let places be chosen. */
    PGR_ASSERT((options & VM_CAN_MAP & ~vmar_at(w, plan->vmar)->flags) == 0);
    region_needed(&plan->need, 0);
    plan->need.handles = 1;
    return status;
}

COMMIT(vmar_allocate)
{
    uint32_t flags = arg_u32(plan, 1) & (VM_CAN_MAP | ZX_VM_CAN_MAP_SPECIFIC);
    uint32_t row = object_make(w, PGR_OBJECT_VMAR);

    (void)frames;
    vmar_at(w, row)->parent = plan->vmar;
    vmar_at(w, row)->flags = flags;
    vmar_make_empty(w, row, plan->page, plan->size_pages);
    object_reference(w, row);
    region_put(w, plan->vmar, plan->page, plan->size_pages, row);
    result->out[4] = handle_make_default(w, row, perms_rights(can_map_perms(flags)));
    result->out[5] = to_bytes(w, plan->page);
    return PROGRESS_DONE;
}

CHECK(vmar_destroy)
{
    zx_status_t status = handle_get(w, plan->call->arg[0], PGR_OBJECT_VMAR, ZX_RIGHT_OP_CHILDREN, &plan->vmar);

    if (status != ZX_OK)
        return status;
    if (plan->vmar == w->root_vmar)
        return ZX_ERR_NOT_SUPPORTED;
    plan->need.nodes = tree_growth(2, 0);
    return vmar_destroyed(w, plan->vmar) ? ZX_ERR_BAD_STATE : ZX_OK;
}

COMMIT(vmar_destroy)
{
    (void)frames, (void)result;
    vmar_destroy(w, plan->vmar);
    return PROGRESS_DONE;
}
