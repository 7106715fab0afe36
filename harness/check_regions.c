/*
 * M1 to M3: the address space. What VMARs hold lies inside of them and apart, every mapping is somewhere, and what the
 * calls that map, unmap and protect say they did can be found afterwards.
 */
#include "harness/check_internal.h"
#include "harness/no_coverage.h"

#include <string.h>

NO_COVERAGE_BEGIN

#define PERMS (ZX_VM_PERM_READ | ZX_VM_PERM_WRITE | ZX_VM_PERM_EXECUTE)
#define CAN_MAP_SHIFT 7u /* from ZX_VM_CAN_MAP_... to ZX_VM_PERM_... */

uint32_t check_find_root_vmar(const struct check_context *c, const pgr_world *w)
{
    pgr_object_view object;

    for (uint32_t row = 1; row < c->config.object_count; row++)
        if (pgr_inspect_object(w, row, &object) && object.kind == PGR_OBJECT_VMAR && !object.vmar.parent)
            return row;
    return 0;
}

int check_find_mapping(const struct check_context *c, const pgr_world *w, uint32_t vmar, uint64_t address,
                       struct check_mapping *mapping)
{
    pgr_region_view region;

    for (uint32_t depth = 0; depth < c->config.object_count; depth++) {
        if (!pgr_inspect_region(w, vmar, address, &region) || region.address > address || !region.size_bytes ||
            !pgr_inspect_object(w, region.row, &mapping->object))
            return 0;
        mapping->row = region.row;
        mapping->address = region.address;
        mapping->size_bytes = region.size_bytes;
        if (mapping->object.kind == PGR_OBJECT_MAPPING)
            return 1;
        vmar = region.row;
    }
    return 0;
}

/* --- M1 --- */

static const char *kind_of_region(uint32_t kind)
{
    return kind == PGR_OBJECT_MAPPING ? "mapping" : kind == PGR_OBJECT_VMAR ? "vmar" : "object";
}

/* Is the object that a VMAR holds one that says the same? */
static int region_known(struct check_context *c, uint32_t vmar, const pgr_region_view *region)
{
    static const pgr_object_view none;
    const pgr_object_view *object = region->row < c->config.object_count ? &c->walk.objects[region->row] : &none;
    int good = 0;

    if (object->kind == PGR_OBJECT_MAPPING)
        good = object->mapping.vmar == vmar;
    if (object->kind == PGR_OBJECT_VMAR)
        good = object->vmar.parent == vmar && object->vmar.base == region->address &&
               object->vmar.size_bytes == region->size_bytes && !(object->flags & PGR_VMAR_DESTROYED);
    if (!good)
        return check_violate(c, CHECK_M1, "vmar %u holds %s %u at 0x%llx (0x%llx bytes), which knows nothing of that",
                             vmar, kind_of_region(object->kind), region->row, (unsigned long long)region->address,
                             (unsigned long long)region->size_bytes);
    c->walk.places[region->row]++;
    return 0;
}

static int region_inside(struct check_context *c, uint32_t row, const pgr_object_view *vmar,
                         const pgr_region_view *region, uint64_t free_from)
{
    uint64_t end = vmar->vmar.base + vmar->vmar.size_bytes, page = ((uint64_t)1 << c->config.page_shift) - 1;

    if (region->size_bytes && region->address >= free_from && region->address < end &&
        region->size_bytes <= end - region->address && !((region->address | region->size_bytes) & page))
        return 0;
    return check_violate(c, CHECK_M1,
                         "vmar %u from 0x%llx to 0x%llx holds object %u at 0x%llx (0x%llx bytes), where 0x%llx is the "
                         "next free address",
                         row, (unsigned long long)vmar->vmar.base, (unsigned long long)end, region->row,
                         (unsigned long long)region->address, (unsigned long long)region->size_bytes,
                         (unsigned long long)free_from);
}

static int vmar_in_order(struct check_context *c, const pgr_world *w, uint32_t row, const pgr_object_view *vmar)
{
    uint64_t address = vmar->vmar.base;
    pgr_region_view region;

    /* From the lowest address, so that regions in front of the VMAR are found, too. */
    for (uint32_t i = 0; i <= c->config.object_count && pgr_inspect_region(w, row, i ? address : 0, &region); i++) {
        if (vmar->flags & PGR_VMAR_DESTROYED)
            return check_violate(c, CHECK_M1, "vmar %u is destroyed and holds object %u", row, region.row);
        int found = region_inside(c, row, vmar, &region, address);
        if (found || (found = region_known(c, row, &region)))
            return found;
        address = region.address + region.size_bytes;
    }
    return 0;
}

/* How often a mapping or VMAR must stand in a VMAR: once, but the root nowhere, and those that are destroyed. */
static uint32_t places_due(const pgr_object_view *object)
{
    if (object->kind == PGR_OBJECT_VMAR && (!object->vmar.parent || (object->flags & PGR_VMAR_DESTROYED)))
        return 0;
    return 1;
}

/* M1 (ours): what a VMAR holds lies inside of it, apart; every mapping and every live VMAR stands in one place. */
int check_m1(struct check_context *c, const pgr_world *w)
{
    for (uint32_t i = 0; i < c->walk.row_count; i++) {
        uint32_t row = c->walk.rows[i];
        const pgr_object_view *object = &c->walk.objects[row];
        int found = object->kind == PGR_OBJECT_VMAR ? vmar_in_order(c, w, row, object) : 0;
        if (found)
            return found;
    }
    for (uint32_t i = 0; i < c->walk.row_count; i++) {
        uint32_t row = c->walk.rows[i];
        const pgr_object_view *object = &c->walk.objects[row];
        if (object->kind != PGR_OBJECT_VMAR && object->kind != PGR_OBJECT_MAPPING)
            continue;
        if (c->walk.places[row] != places_due(object))
            return check_violate(c, CHECK_M1, "%s %u stands in %u places", kind_of_region(object->kind), row,
                                 c->walk.places[row]);
    }
    return 0;
}

/* --- M2 --- */

/* M2 (ours): a mapping allows no more than it may, and may no more than its VMAR. After check_h1: its links are good. */
int check_m2(struct check_context *c, const pgr_world *w)
{
    (void)w;
    for (uint32_t i = 0; i < c->walk.row_count; i++) {
        uint32_t row = c->walk.rows[i];
        const pgr_object_view *object = &c->walk.objects[row];
        if (object->kind != PGR_OBJECT_MAPPING)
            continue;
        uint32_t can = c->walk.objects[object->mapping.vmar].vmar.flags >> CAN_MAP_SHIFT & PERMS;
        if ((object->mapping.perms & ~object->mapping.perms_max) || (object->mapping.perms_max & ~can))
            return check_violate(c, CHECK_M2,
                                 "mapping %u of vmo %u has the permissions 0x%x, may have 0x%x, and its vmar %u can "
                                 "map 0x%x",
                                 row, object->mapping.vmo, object->mapping.perms, object->mapping.perms_max,
                                 object->mapping.vmar, can);
    }
    return 0;
}

/* --- M3 --- */

static uint64_t rounded(const struct check_context *c, uint64_t bytes)
{
    uint64_t mask = ((uint64_t)1 << c->config.page_shift) - 1;
    return (bytes + mask) & ~mask;
}

/* zx_vmar_map(vmar, options, vmar_offset, vmo, vmo_offset, len, &address) */
static int mapped(struct check_context *c, const pgr_world *w, const pgr_call *call, uint64_t address)
{
    uint32_t perms = (uint32_t)call->arg[1] & PERMS;
    struct check_mapping mapping = {0};

    if ((uint32_t)call->arg[1] & ZX_VM_PERM_READ_IF_XOM_UNSUPPORTED)
        perms |= ZX_VM_PERM_READ;
    if (check_find_mapping(c, w, c->before.handles[0].handle.object, address, &mapping) && mapping.address == address &&
        mapping.size_bytes == rounded(c, call->arg[5]) &&
        mapping.object.mapping.vmo == c->before.handles[1].handle.object && mapping.object.mapping.perms == perms &&
        mapping.object.mapping.offset_pages == call->arg[4] >> c->config.page_shift)
        return 0;
    return check_violate(c, CHECK_M3,
                         "vmo %u was mapped at 0x%llx, where there is mapping %u of vmo %u (0x%llx bytes at 0x%llx, "
                         "permissions 0x%x)",
                         c->before.handles[1].handle.object, (unsigned long long)address, mapping.row,
                         mapping.object.mapping.vmo, (unsigned long long)mapping.size_bytes,
                         (unsigned long long)mapping.address, mapping.object.mapping.perms);
}

/* zx_vmar_unmap(vmar, addr, len) */
static int unmapped(struct check_context *c, const pgr_world *w, const pgr_call *call)
{
    uint64_t end = call->arg[1] + rounded(c, call->arg[2]);
    pgr_region_view region;

    if (!pgr_inspect_region(w, c->before.handles[0].handle.object, call->arg[1], &region) || region.address >= end)
        return 0;
    return check_violate(c, CHECK_M3, "0x%llx to 0x%llx was unmapped, and object %u is there, at 0x%llx",
                         (unsigned long long)call->arg[1], (unsigned long long)end, region.row,
                         (unsigned long long)region.address);
}

/* zx_vmar_protect(vmar, options, addr, len) */
static int protected(struct check_context *c, const pgr_world *w, const pgr_call *call)
{
    uint64_t address = call->arg[2], end = address + rounded(c, call->arg[3]);
    uint32_t perms = (uint32_t)call->arg[1] & PERMS;

    while (address < end) {
        struct check_mapping mapping = {0};
        int found = check_find_mapping(c, w, c->before.handles[0].handle.object, address, &mapping);
        if (!found || mapping.object.mapping.perms != perms)
            return check_violate(c, CHECK_M3,
                                 "0x%llx to 0x%llx was given the permissions 0x%x, and mapping %u, at 0x%llx (0x%llx "
                                 "bytes), has 0x%x",
                                 (unsigned long long)call->arg[2], (unsigned long long)end, perms, mapping.row,
                                 (unsigned long long)mapping.address, (unsigned long long)mapping.size_bytes,
                                 mapping.object.mapping.perms);
        address = mapping.address + mapping.size_bytes;
    }
    return 0;
}

static struct mapped_memo mapped_at(const struct check_context *c, const pgr_world *w, uint64_t address)
{
    struct mapped_memo memo = {.address = address};
    struct check_mapping mapping;

    if (!check_find_mapping(c, w, c->root_vmar, address, &mapping))
        return memo;
    memo.vmo = mapping.object.mapping.vmo;
    memo.perms = mapping.object.mapping.perms;
    memo.page = mapping.object.mapping.offset_pages + ((address - mapping.address) >> c->config.page_shift);
    return memo;
}

/* Remembers what is mapped in front of a range of addresses and behind it. */
void check_remember_beside(struct check_context *c, const pgr_world *w, const pgr_call *call)
{
    uint32_t place = call->number == PGR_CALL_VMAR_UNMAP ? 1 : 2;

    if (call->number != PGR_CALL_VMAR_UNMAP && call->number != PGR_CALL_VMAR_PROTECT)
        return;
    c->before.beside[0] = mapped_at(c, w, call->arg[place] - 1);
    c->before.beside[1] = mapped_at(c, w, call->arg[place] + rounded(c, call->arg[place + 1]));
}

/* What is mapped beside the range is what was mapped there. */
static int beside_kept(struct check_context *c, const pgr_world *w)
{
    for (uint32_t i = 0; i < 2; i++) {
        const struct mapped_memo *old = &c->before.beside[i];
        struct mapped_memo now = mapped_at(c, w, old->address);
        if (now.vmo != old->vmo || now.page != old->page || now.perms != old->perms)
            return check_violate(c, CHECK_M3,
                                 "at 0x%llx, beside the range, was page %llu of vmo %u (permissions 0x%x), and is page "
                                 "%llu of vmo %u (permissions 0x%x)",
                                 (unsigned long long)old->address, (unsigned long long)old->page, old->vmo, old->perms,
                                 (unsigned long long)now.page, now.vmo, now.perms);
    }
    return 0;
}

/* M3 (ours): what was mapped, unmapped or protected is so afterwards, and what is beside it as before. */
int check_m3(struct check_context *c, const pgr_world *w, const pgr_call *call, const pgr_result *result)
{
    int found = 0;

    if (result->outcome != PGR_DONE || result->status != ZX_OK)
        return 0;
    switch (call->number) {
    case PGR_CALL_VMAR_MAP:
        return mapped(c, w, call, result->out[6]);
    case PGR_CALL_VMAR_UNMAP:
        found = unmapped(c, w, call);
        return found ? found : beside_kept(c, w);
    case PGR_CALL_VMAR_PROTECT:
        found = protected(c, w, call);
        return found ? found : beside_kept(c, w);
    default:
        return 0;
    }
}

NO_COVERAGE_END
