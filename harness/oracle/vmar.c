/*
 * The oracle's address space: VMARs, the places in them, and the calls that fill and empty them (address-space.md).
 *
 * A region is what lies directly in a VMAR: a mapping, or another VMAR.
 */
#include "harness/oracle/oracle.h"
#include "harness/oracle/vmar.h"

#include <stdlib.h>

/* README.md, "Decisions": the address space. */
#define ROOT_BASE 0x1000000u
#define ROOT_END 0x7ffffffff000u

#define ALIGNMENT_SHIFT 24
#define ALIGNMENT_LOG2_MIN 10u
#define ALIGNMENT_LOG2_MAX 32u
#define ALIGNMENT_BITS (0xffu << ALIGNMENT_SHIFT)
#define PERM_BITS (ZX_VM_PERM_READ | ZX_VM_PERM_WRITE | ZX_VM_PERM_EXECUTE)
#define CAN_MAP_RWX_BITS (ZX_VM_CAN_MAP_READ | ZX_VM_CAN_MAP_WRITE | ZX_VM_CAN_MAP_EXECUTE)
#define PLACE_BITS (ZX_VM_SPECIFIC | ZX_VM_SPECIFIC_OVERWRITE | ZX_VM_OFFSET_IS_UPPER_LIMIT)

/* Whole pages, also where these are so large that base and end do not lie between two of them. */
struct oracle_vmar *oracle_root_vmar_make(struct oracle *o)
{
    struct oracle_vmar *vmar = oracle_object_make(o, PGR_OBJECT_VMAR, sizeof *vmar);
    vmar->flags = ZX_VM_CAN_MAP_SPECIFIC | CAN_MAP_RWX_BITS;
    vmar->base = oracle_round_up(o, ROOT_BASE);
    vmar->size = (ROOT_END & ~(o->page_bytes - 1)) - vmar->base;
    return vmar;
}

/* --- regions --- */

/* What lies directly in a VMAR: a mapping, or another VMAR. `size` 0: nothing. */
struct region {
    uint64_t address;
    uint64_t size;
    struct oracle_mapping *mapping;
    struct oracle_vmar *vmar;
};

uint64_t oracle_round_up(const struct oracle *o, uint64_t length)
{
    return (length + o->page_bytes - 1) & ~(o->page_bytes - 1);
}

bool oracle_in_vmar(const struct oracle_vmar *vmar, uint64_t address, uint64_t length)
{
    return address >= vmar->base && oracle_in_range(address - vmar->base, length, vmar->size);
}

static void region_nearer(struct region *nearest, struct region other, uint64_t address)
{
    bool behind = other.address + other.size > address;
    if (behind && (nearest->size == 0 || other.address < nearest->address))
        *nearest = other;
}

/* The lowest region of the VMAR that ends behind this address. */
static struct region region_from(struct oracle *o, const struct oracle_vmar *vmar, uint64_t address)
{
    struct region nearest = {0};
    for (size_t i = 0; i < o->mappings.count; i++) {
        struct oracle_mapping *m = o->mappings.items[i];
        if (m->vmar == vmar)
            region_nearer(&nearest, (struct region){m->address, m->size, m, NULL}, address);
    }
    for (size_t i = 0; i < o->objects.count; i++) {
        struct oracle_vmar *v = o->objects.items[i];
        if (v->object.kind == PGR_OBJECT_VMAR && v->parent == vmar)
            region_nearer(&nearest, (struct region){v->base, v->size, NULL, v}, address);
    }
    return nearest;
}

/* The lowest region that touches [address, end). */
static struct region region_in(struct oracle *o, const struct oracle_vmar *vmar, uint64_t address, uint64_t end)
{
    struct region region = region_from(o, vmar, address);
    if (region.size > 0 && region.address >= end)
        region = (struct region){0};
    return region;
}

struct oracle_mapping *oracle_mapping_at(struct oracle *o, uint64_t address)
{
    for (size_t i = 0; i < o->mappings.count; i++) {
        struct oracle_mapping *m = o->mappings.items[i];
        if (address >= m->address && address - m->address < m->size)
            return m;
    }
    return NULL;
}

/* --- mappings come and go --- */

static void mapping_insert(struct oracle *o, struct oracle_mapping *mapping)
{
    size_t place = 0;
    while (place < o->mappings.count && ((struct oracle_mapping *)o->mappings.items[place])->address < mapping->address)
        place++;
    oracle_list_insert(&o->mappings, place, mapping);
}

static void mapping_remove(struct oracle *o, struct oracle_mapping *mapping)
{
    struct oracle_vmo *vmo = mapping->vmo;
    oracle_list_remove(&o->mappings, mapping);
    free(mapping);
    oracle_unreferenced(o, &vmo->object);
}

struct oracle_mapping *oracle_mapping_split(struct oracle *o, struct oracle_mapping *mapping, uint64_t address)
{
    struct oracle_mapping *right = oracle_object_make(o, PGR_OBJECT_MAPPING, sizeof *right);
    *right = *mapping;
    right->address = address;
    right->size = mapping->address + mapping->size - address;
    right->vmo_offset = mapping->vmo_offset + (address - mapping->address);
    mapping->size = address - mapping->address;
    mapping_insert(o, right);
    return right;
}

/* Of this mapping nothing is left between address and end: what stays at either side is split off first. */
static void mapping_cut(struct oracle *o, struct oracle_mapping *mapping, uint64_t address, uint64_t end)
{
    if (mapping->address < address)
        mapping = oracle_mapping_split(o, mapping, address);
    if (mapping->address + mapping->size > end)
        oracle_mapping_split(o, mapping, end);
    mapping_remove(o, mapping);
}

static void vmar_end(struct oracle *o, struct oracle_vmar *vmar);

/* address-space.md: what is mapped goes, from the lowest address up; VMARs in the range are destroyed. */
static void unmap_range(struct oracle *o, struct oracle_vmar *vmar, uint64_t address, uint64_t length)
{
    uint64_t end = address + length;
    for (;;) {
        struct region region = region_in(o, vmar, address, end);
        if (region.mapping)
            mapping_cut(o, region.mapping, address, end);
        else if (region.vmar)
            vmar_end(o, region.vmar);
        else
            return;
    }
}

/* address-space.md: everything inside is unmapped. Later operations through handles to it are ZX_ERR_BAD_STATE. */
static void vmar_end(struct oracle *o, struct oracle_vmar *vmar)
{
    unmap_range(o, vmar, vmar->base, vmar->size);
    vmar->destroyed = true;
    vmar->parent = NULL;
    oracle_unreferenced(o, &vmar->object);
}

void oracle_space_end(struct oracle *o)
{
    unmap_range(o, o->root_vmar, o->root_vmar->base, o->root_vmar->size);
}

/* An unmapping that leaves both sides of a mapping counts one object for it. */
static bool cut_splits(struct oracle *o, const struct oracle_vmar *vmar, uint64_t address, uint64_t length)
{
    struct region region = region_in(o, vmar, address, address + length);
    return region.mapping && region.address < address && region.address + region.size > address + length;
}

/* --- places (address-space.md, zx_vmar_map, rows 8 and 15 to 25) --- */

struct place {
    uint32_t options;
    uint64_t offset;
    uint64_t length;
};

static uint64_t place_alignment(const struct oracle *o, uint32_t options)
{
    uint32_t log2 = options >> ALIGNMENT_SHIFT;
    uint64_t alignment = log2 == 0 ? 1 : 1ull << log2;
    return alignment > o->page_bytes ? alignment : o->page_bytes;
}

/* Row 8, second half. */
static bool alignment_valid(uint32_t options)
{
    uint32_t log2 = options >> ALIGNMENT_SHIFT;
    return log2 == 0 || (log2 >= ALIGNMENT_LOG2_MIN && log2 <= ALIGNMENT_LOG2_MAX);
}

/* Rows 15 to 20. */
static zx_status_t place_check(struct oracle *o, const struct oracle_vmar *vmar, struct place place)
{
    bool specific = place.options & (ZX_VM_SPECIFIC | ZX_VM_SPECIFIC_OVERWRITE);
    if (vmar->destroyed) /* row 15 */
        return ZX_ERR_BAD_STATE;
    if (place.length == 0) /* row 16 */
        return ZX_ERR_INVALID_ARGS;
    if (specific && (place.options & ZX_VM_OFFSET_IS_UPPER_LIMIT)) /* row 17 */
        return ZX_ERR_INVALID_ARGS;
    if (place.offset != 0 && !(place.options & PLACE_BITS)) /* row 18 */
        return ZX_ERR_INVALID_ARGS;
    if (!oracle_aligned(o, place.offset)) /* row 19 */
        return ZX_ERR_INVALID_ARGS;
    if ((place.options & PLACE_BITS) && !(vmar->flags & ZX_VM_CAN_MAP_SPECIFIC)) /* row 20 */
        return ZX_ERR_ACCESS_DENIED;
    return ZX_OK;
}

/* Rows 21 to 24: the caller says where. */
static zx_status_t place_specific(struct oracle *o, struct oracle_vmar *vmar, struct place place, uint64_t *address)
{
    if (place.offset > vmar->size || place.length > vmar->size - place.offset) /* row 21 */
        return ZX_ERR_INVALID_ARGS;
    *address = vmar->base + place.offset;
    if (*address & (place_alignment(o, place.options) - 1)) /* row 22 */
        return ZX_ERR_INVALID_ARGS;

    bool overwrite = place.options & ZX_VM_SPECIFIC_OVERWRITE;
    uint64_t end = *address + place.length;
    struct region region = region_in(o, vmar, *address, end);
    if (region.size > 0 && !overwrite) /* row 23 */
        return ZX_ERR_ALREADY_EXISTS;
    while (region.size > 0) { /* row 24 */
        if (region.vmar)
            return ZX_ERR_INVALID_ARGS;
        region = region_in(o, vmar, region.address + region.size, end);
    }
    return ZX_OK;
}

/*
 * Rows 21 and 25: the lowest hole that fits (README.md, "Decisions"), below the limit if there is one. What is longer than
 * the VMAR does not fit into it; what is longer than the limit alone finds no hole.
 */
static zx_status_t place_anywhere(struct oracle *o, struct oracle_vmar *vmar, struct place place, uint64_t *address)
{
    uint64_t limit = place.options & ZX_VM_OFFSET_IS_UPPER_LIMIT ? place.offset : vmar->size;
    if (limit > vmar->size || place.length > vmar->size) /* row 21 */
        return ZX_ERR_INVALID_ARGS;

    uint64_t alignment = place_alignment(o, place.options);
    uint64_t end = vmar->base + limit;
    uint64_t candidate = vmar->base;
    for (;;) {
        candidate = (candidate + alignment - 1) & ~(alignment - 1);
        if (candidate > end || place.length > end - candidate) /* row 25 */
            return ZX_ERR_NO_RESOURCES;
        struct region region = region_in(o, vmar, candidate, candidate + place.length);
        if (region.size == 0)
            break;
        candidate = region.address + region.size;
    }
    *address = candidate;
    return ZX_OK;
}

static zx_status_t place_find(struct oracle *o, struct oracle_vmar *vmar, struct place place, uint64_t *address)
{
    zx_status_t status = place_check(o, vmar, place);
    if (status != ZX_OK)
        return status;
    if (place.options & (ZX_VM_SPECIFIC | ZX_VM_SPECIFIC_OVERWRITE))
        return place_specific(o, vmar, place, address);
    return place_anywhere(o, vmar, place, address);
}

/* --- zx_vmar_map (address-space.md) --- */

zx_rights_t oracle_rights_for_perms(uint32_t perms)
{
    zx_rights_t rights = 0;
    if (perms & ZX_VM_PERM_READ)
        rights |= ZX_RIGHT_READ;
    if (perms & ZX_VM_PERM_WRITE)
        rights |= ZX_RIGHT_WRITE;
    if (perms & ZX_VM_PERM_EXECUTE)
        rights |= ZX_RIGHT_EXECUTE;
    return rights;
}

static uint32_t perms_for_rights(zx_rights_t rights)
{
    uint32_t perms = 0;
    if (rights & ZX_RIGHT_READ)
        perms |= ZX_VM_PERM_READ;
    if (rights & ZX_RIGHT_WRITE)
        perms |= ZX_VM_PERM_WRITE;
    if (rights & ZX_RIGHT_EXECUTE)
        perms |= ZX_VM_PERM_EXECUTE;
    return perms;
}

static uint32_t perms_for_flags(uint32_t flags)
{
    uint32_t perms = 0;
    if (flags & ZX_VM_CAN_MAP_READ)
        perms |= ZX_VM_PERM_READ;
    if (flags & ZX_VM_CAN_MAP_WRITE)
        perms |= ZX_VM_PERM_WRITE;
    if (flags & ZX_VM_CAN_MAP_EXECUTE)
        perms |= ZX_VM_PERM_EXECUTE;
    return perms;
}

struct map_call {
    struct oracle_vmar *vmar;
    struct oracle_vmo *vmo;
    uint32_t options;
    uint32_t perms;
    uint32_t perms_max;
    uint64_t vmo_offset;
    struct place place;
};

/* Rows 3 to 7 and 12: permissions. */
static zx_status_t map_check_perms(struct map_call *map, zx_rights_t vmo_rights, zx_rights_t vmar_rights)
{
    if (map->options & ZX_VM_PERM_READ_IF_XOM_UNSUPPORTED) /* row 3: x86-64 has no pages that are only executed */
        map->options |= ZX_VM_PERM_READ;
    map->perms = map->options & PERM_BITS;
    if ((map->perms & (ZX_VM_PERM_WRITE | ZX_VM_PERM_EXECUTE)) && !(map->perms & ZX_VM_PERM_READ)) /* row 4 */
        return ZX_ERR_INVALID_ARGS;
    if ((map->options & ZX_VM_MAP_RANGE) && (map->options & ZX_VM_SPECIFIC_OVERWRITE)) /* row 5 */
        return ZX_ERR_INVALID_ARGS;
    if (map->options & CAN_MAP_RWX_BITS) /* row 6 */
        return ZX_ERR_INVALID_ARGS;
    map->perms_max = perms_for_rights(vmo_rights) & perms_for_rights(vmar_rights);
    if (map->perms & ~map->perms_max) /* row 7 */
        return ZX_ERR_ACCESS_DENIED;
    map->perms_max &= perms_for_flags(map->vmar->flags);
    return ZX_OK;
}

/* Rows 8 to 14: options, what kind of VMO it is, its range. */
static zx_status_t map_check_vmo(struct oracle *o, const struct map_call *map, uint64_t length)
{
    uint32_t known = PERM_BITS | PLACE_BITS | ZX_VM_MAP_RANGE | ZX_VM_REQUIRE_NON_RESIZABLE | ZX_VM_ALLOW_FAULTS |
                     ZX_VM_PERM_READ_IF_XOM_UNSUPPORTED | ZX_VM_COMPACT | ZX_VM_CAN_MAP_SPECIFIC | ALIGNMENT_BITS;
    if ((map->options & ~known) || !alignment_valid(map->options)) /* row 8 */
        return ZX_ERR_INVALID_ARGS;
    if ((map->options & ZX_VM_REQUIRE_NON_RESIZABLE) && oracle_vmo_resizable(map->vmo)) /* row 9 */
        return ZX_ERR_NOT_SUPPORTED;
    if (!(map->options & ZX_VM_ALLOW_FAULTS) && oracle_vmo_discardable(map->vmo)) /* row 10 */
        return ZX_ERR_NOT_SUPPORTED;
    if (map->options & (ZX_VM_COMPACT | ZX_VM_CAN_MAP_SPECIFIC)) /* row 11 */
        return ZX_ERR_INVALID_ARGS;
    if (map->perms & ~map->perms_max) /* row 12 */
        return ZX_ERR_ACCESS_DENIED;
    if (!oracle_aligned(o, map->vmo_offset)) /* row 13 */
        return ZX_ERR_INVALID_ARGS;
    uint64_t rounded = oracle_round_up(o, length);
    if (rounded < length || map->vmo_offset + rounded < rounded) /* row 14 */
        return ZX_ERR_OUT_OF_RANGE;
    return ZX_OK;
}

/* The place is free, or what is there may be overwritten: the new mapping, then what has to be split for it. */
static zx_status_t map_insert(struct oracle *o, const struct map_call *map, uint64_t address)
{
    if (oracle_alloc_fails(o))
        return ZX_ERR_NO_MEMORY;
    if (cut_splits(o, map->vmar, address, map->place.length) && oracle_alloc_fails(o))
        return ZX_ERR_NO_MEMORY;

    struct oracle_mapping *mapping = oracle_object_make(o, PGR_OBJECT_MAPPING, sizeof *mapping);
    mapping->vmar = map->vmar;
    mapping->vmo = map->vmo;
    mapping->address = address;
    mapping->size = map->place.length;
    mapping->vmo_offset = map->vmo_offset;
    mapping->perms = map->perms;
    mapping->perms_max = map->perms_max;
    unmap_range(o, map->vmar, address, map->place.length);
    mapping_insert(o, mapping);
    return ZX_OK;
}

bool oracle_range_in_vmo(struct oracle *o, const struct oracle_vmo *vmo, uint64_t offset, uint64_t length)
{
    return oracle_in_range(offset, length, oracle_vmo_size(o, vmo));
}

/*
 * Row 26 of MAP_RANGE, as the kernel of 2023 has it: a range beyond the VMO's end fails. It has no other effect to be
 * seen. As a check of sizes it comes before any allocation (a step can fail only before it begins).
 */
static bool map_range_fails(struct oracle *o, const struct map_call *map)
{
    return (map->options & ZX_VM_MAP_RANGE) && !oracle_range_in_vmo(o, map->vmo, map->vmo_offset, map->place.length);
}

zx_status_t oracle_zx_vmar_map(struct oracle *o, struct oracle_thread *t, const pgr_call *call, pgr_result *result)
{
    (void)t;
    zx_handle_t vmar_handle = (zx_handle_t)call->arg[0];
    zx_handle_t vmo_handle = (zx_handle_t)call->arg[3];
    struct map_call map = {.options = (uint32_t)call->arg[1], .vmo_offset = call->arg[4]};
    zx_status_t status = oracle_handle_get(o, vmar_handle, PGR_OBJECT_VMAR, ZX_RIGHT_NONE, &map.vmar);
    if (status == ZX_OK) /* rows 1, 2 */
        status = oracle_handle_get(o, vmo_handle, PGR_OBJECT_VMO, ZX_RIGHT_MAP, &map.vmo);
    if (status == ZX_OK)
        status = map_check_perms(&map, oracle_handle_rights(o, vmo_handle), oracle_handle_rights(o, vmar_handle));
    if (status == ZX_OK)
        status = map_check_vmo(o, &map, call->arg[5]);
    if (status != ZX_OK)
        return status;

    map.place = (struct place){map.options, call->arg[2], oracle_round_up(o, call->arg[5])};
    uint64_t address = 0;
    status = place_find(o, map.vmar, map.place, &address);
    if (status == ZX_OK && map_range_fails(o, &map))
        status = ZX_ERR_OUT_OF_RANGE;
    if (status == ZX_OK)
        status = map_insert(o, &map, address);
    if (status != ZX_OK)
        return status;
    result->out[6] = address;
    return ZX_OK;
}

/* --- zx_vmar_unmap (address-space.md) --- */

/* Row 8: a child VMAR that is touched has to lie wholly in the range, and the handle needs OP_CHILDREN. */
static bool children_in_the_way(struct oracle *o, const struct oracle_vmar *vmar, uint64_t address, uint64_t end,
                                bool op_children)
{
    for (;;) {
        struct region region = region_in(o, vmar, address, end);
        if (region.size == 0)
            return false;
        bool whole = region.address >= address && region.address + region.size <= end;
        if (region.vmar && (!whole || !op_children))
            return true;
        address = region.address + region.size;
    }
}

zx_status_t oracle_zx_vmar_unmap(struct oracle *o, struct oracle_thread *t, const pgr_call *call, pgr_result *result)
{
    (void)t, (void)result;
    zx_handle_t handle = (zx_handle_t)call->arg[0];
    uint64_t address = call->arg[1];
    uint64_t length = oracle_round_up(o, call->arg[2]);
    bool op_children = oracle_handle_rights(o, handle) & ZX_RIGHT_OP_CHILDREN;
    struct oracle_vmar *vmar;
    zx_status_t status = oracle_handle_get(o, handle, PGR_OBJECT_VMAR, ZX_RIGHT_NONE, &vmar);
    if (status != ZX_OK) /* row 1 */
        return status;
    if (!oracle_aligned(o, address) || length == 0) /* rows 2, 3 */
        return ZX_ERR_INVALID_ARGS;
    if (vmar->destroyed) /* row 4 */
        return ZX_ERR_BAD_STATE;
    if (!oracle_in_vmar(vmar, address, length)) /* row 5 */
        return ZX_ERR_INVALID_ARGS;
    if (children_in_the_way(o, vmar, address, address + length, op_children)) /* row 8 */
        return ZX_ERR_INVALID_ARGS;
    if (cut_splits(o, vmar, address, length) && oracle_alloc_fails(o)) /* row 9 */
        return ZX_ERR_NO_MEMORY;
    unmap_range(o, vmar, address, length);
    return ZX_OK;
}

/* --- zx_vmar_allocate, zx_vmar_destroy (address-space.md) --- */

zx_status_t oracle_zx_vmar_allocate(struct oracle *o, struct oracle_thread *t, const pgr_call *call, pgr_result *result)
{
    (void)t;
    uint32_t options = (uint32_t)call->arg[1];
    uint64_t size = call->arg[3];
    uint32_t perms = perms_for_flags(options);
    uint32_t known = CAN_MAP_RWX_BITS | ZX_VM_CAN_MAP_SPECIFIC | ZX_VM_SPECIFIC | ZX_VM_OFFSET_IS_UPPER_LIMIT |
                     ZX_VM_COMPACT | ALIGNMENT_BITS;
    struct oracle_vmar *parent;
    zx_status_t status =
        oracle_handle_get(o, (zx_handle_t)call->arg[0], PGR_OBJECT_VMAR, oracle_rights_for_perms(perms), &parent);
    if (status != ZX_OK)
        return status;
    if ((options & ~known) || !alignment_valid(options))
        return ZX_ERR_INVALID_ARGS;
    if (!oracle_aligned(o, size) || size == 0)
        return ZX_ERR_INVALID_ARGS;
    uint64_t address = 0;
    status = place_find(o, parent, (struct place){options, call->arg[2], size}, &address);
    if (status != ZX_OK)
        return status;
    if (oracle_handles_full(o) || oracle_alloc_fails(o))
        return ZX_ERR_NO_MEMORY;

    struct oracle_vmar *child = oracle_object_make(o, PGR_OBJECT_VMAR, sizeof *child);
    child->parent = parent;
    child->flags = options & (CAN_MAP_RWX_BITS | ZX_VM_CAN_MAP_SPECIFIC);
    child->base = address;
    child->size = size;
    zx_rights_t rights = (ZX_RIGHTS_BASIC & ~ZX_RIGHT_WAIT) | ZX_RIGHT_OP_CHILDREN; /* objects.md */
    result->out[4] = oracle_handle_make(o, child, rights | oracle_rights_for_perms(perms));
    result->out[5] = address;
    return ZX_OK;
}

zx_status_t oracle_zx_vmar_destroy(struct oracle *o, struct oracle_thread *t, const pgr_call *call, pgr_result *result)
{
    (void)t, (void)result;
    struct oracle_vmar *vmar;
    zx_status_t status = oracle_handle_get(o, (zx_handle_t)call->arg[0], PGR_OBJECT_VMAR, ZX_RIGHT_OP_CHILDREN, &vmar);
    if (status != ZX_OK)
        return status;
    if (vmar == o->root_vmar)
        return ZX_ERR_NOT_SUPPORTED;
    if (vmar->destroyed)
        return ZX_ERR_BAD_STATE;
    vmar_end(o, vmar);
    return ZX_OK;
}
