/*
 * Steered offsets, sizes and addresses: into the VMO that the call is about, or into what is mapped. See
 * program_steer.c for what steering is for.
 */
#include "harness/program_operands.h"

#include "harness/no_coverage.h"

NO_COVERAGE_BEGIN

static uint64_t smaller(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static uint64_t in_bytes(const struct operand_context *c, uint64_t pages)
{
    return pages << c->page_shift;
}

static uint64_t page_mask(const struct operand_context *c)
{
    return ((uint64_t)1 << c->page_shift) - 1;
}

static int is_of_op(const struct operand_context *c, uint32_t op)
{
    return c->call->number == PGR_CALL_VMO_OP_RANGE && (uint32_t)c->call->arg[1] == op;
}

/* Bytes within a page, for calls that move bytes; nothing for those that want whole pages, mostly. */
static uint64_t part_of_page(const struct operand_context *c, uint32_t seed)
{
    if (!c->moves_bytes && !is_of_op(c, ZX_VMO_OP_ZERO) && (seed & 7u))
        return 0;
    return seed * 7u & page_mask(c);
}

/* ---- pages in a state ---- */

static int is_of_use(uint64_t op, uint32_t state)
{
    switch (op) {
    case ZX_PAGER_OP_DIRTY:
        return state == PGR_PAGE_CLEAN || state == PGR_PAGE_AWAITING_CLEAN || state == PGR_PAGE_INTERVAL;
    case ZX_PAGER_OP_WRITEBACK_BEGIN:
        return state == PGR_PAGE_DIRTY || state == PGR_PAGE_INTERVAL;
    default:
        return state == PGR_PAGE_AWAITING_CLEAN || state == PGR_PAGE_INTERVAL;
    }
}

int aim_at_state(struct operand_context *c, uint32_t pages, uint64_t op, uint32_t seed)
{
    pgr_run_view run;
    uint32_t skip = seed >> 3 & 1u;
    uint64_t page = 0;
    for (uint32_t steps = 0; steps < 12 && pgr_inspect_run(c->world, pages, page, &run); steps++) {
        page = run.page + run.count;
        if (!is_of_use(op, run.state))
            continue;
        c->aimed = 1;
        c->aim_page = run.page;
        c->aim_count = run.count;
        /* A second writeback of zeros, now and then of fewer. */
        if (op == ZX_PAGER_OP_WRITEBACK_BEGIN && run.awaiting > 1 && (seed & 0x10u))
            c->aim_count = run.awaiting - 1;
        if (skip-- == 0)
            return 1;
    }
    return c->aimed;
}

/* ---- the address space ---- */

#define REGIONS_SEEN 6u

int is_something_mapped(const struct program *p, const pgr_world *world)
{
    pgr_region_view view;
    return pgr_inspect_region(world, p->root_vmar, 0, &view);
}

int knows_at(uint32_t number)
{
    return number == PGR_CALL_VMO_READ || number == PGR_CALL_VMO_WRITE;
}

/* One of the first regions of the VMAR, rarely the one behind the last: then it is the last. */
static int find_region(const struct operand_context *c, uint32_t vmar, uint32_t seed, pgr_region_view *found)
{
    pgr_region_view view;
    uint64_t address = 0;
    uint32_t count = 0;
    for (; count <= seed % REGIONS_SEEN && pgr_inspect_region(c->world, vmar, address, &view); count++) {
        *found = view;
        address = view.address + view.size_bytes;
    }
    return count > 0;
}

static uint64_t base_of(const struct operand_context *c, uint32_t vmar)
{
    pgr_object_view view;
    return pgr_inspect_object(c->world, vmar, &view) && view.kind == PGR_OBJECT_VMAR ? view.vmar.base : 0;
}

/* A place in the region: its start, a page, the middle of one; for accesses also right before the end of a page. */
static uint64_t place_in(const struct operand_context *c, uint64_t size, uint32_t seed)
{
    uint64_t pages = smaller(size >> c->page_shift, 16);
    uint64_t offset = seed < 0x40 || pages == 0 ? 0 : in_bytes(c, (seed >> 2) % (uint32_t)pages);
    if (!c->row->faults || (seed & 1u))
        return offset;
    return offset + (seed & 2u ? page_mask(c) - (seed >> 2 & 3u) : seed * 7u & page_mask(c));
}

uint64_t steer_address(struct operand_context *c, uint32_t seed)
{
    pgr_region_view region, inner;
    c->reach = 0;
    if (seed >= 0xb8 || !find_region(c, c->vmar, seed, &region))
        return base_of(c, c->vmar) + in_bytes(c, seed & 15u);
    /* A region that is no mapping is looked into. */
    if (find_region(c, region.row, seed >> 1, &inner))
        region = inner;
    uint64_t inside = place_in(c, region.size_bytes, seed);
    c->reach = region.size_bytes - inside;
    return region.address + inside;
}

/* A length that the region has from the address on, mostly. */
static uint64_t steer_reach(const struct operand_context *c, uint32_t seed)
{
    uint64_t page = page_mask(c) + 1;
    if (c->row->faults && seed < 0x50)
        return smaller(c->reach, 1 + (seed & 15u));
    if (seed < 0x70)
        return smaller(c->reach, page);
    if (seed < 0x98)
        return smaller(c->reach, in_bytes(c, 1 + (seed & 7u)));
    if (seed < 0xb0)
        return smaller(c->reach, in_bytes(c, 16));
    return smaller(c->reach, in_bytes(c, 16)) + (seed & 1u ? page : 0);
}

/* Where in a VMAR a region is to be: 0 if the options leave that to the call. */
static uint64_t steer_place(const struct operand_context *c, uint32_t seed)
{
    uint32_t options = (uint32_t)c->call->arg[1];
    pgr_region_view region;
    if (!(options & (ZX_VM_SPECIFIC | ZX_VM_SPECIFIC_OVERWRITE | ZX_VM_OFFSET_IS_UPPER_LIMIT)))
        return seed < 0xb4 ? 0 : in_bytes(c, 1);
    if (options & ZX_VM_SPECIFIC_OVERWRITE && seed < 0x80 && find_region(c, c->vmar, seed, &region))
        return region.address - base_of(c, c->vmar) + in_bytes(c, seed >> 3 & 1u);
    /* Right before a region, if there is room for what is as short as most. */
    if (seed >= 0x80 && seed < 0xa0 && find_region(c, c->vmar, seed, &region) &&
        region.address > base_of(c, c->vmar) + page_mask(c))
        return region.address - base_of(c, c->vmar) - in_bytes(c, 1);
    return in_bytes(c, 1 + (seed & 31u));
}

/* ---- offsets and sizes ---- */

static int makes_reference(const struct operand_context *c)
{
    return c->call->number == PGR_CALL_VMO_CREATE_CHILD && c->call->arg[1] & ZX_VMO_CHILD_REFERENCE;
}

/* Calls that are about a whole VMO, or say most if they are. */
static int is_of_whole(const struct operand_context *c)
{
    return is_of_op(c, ZX_VMO_OP_LOCK) || is_of_op(c, ZX_VMO_OP_TRY_LOCK) || is_of_op(c, ZX_VMO_OP_UNLOCK) ||
           c->call->number == PGR_CALL_PAGER_QUERY_DIRTY_RANGES;
}

/* An offset into the VMO, rarely behind its end. */
static uint64_t steer_offset(const struct operand_context *c, uint32_t seed)
{
    uint64_t size = c->size_pages;
    if (c->aimed && c->vmos == 1 && seed < 0xa8)
        return in_bytes(c, c->aim_page + (seed >= 0xa0));
    if (c->vmos > 1 && seed < 0x70)
        return 0;
    if (size == 0 || seed < 0x30 || ((makes_reference(c) || is_of_whole(c)) && seed < 0xa8))
        return 0;
    uint64_t page = size < 64 ? (seed * 5u >> 2) % (uint32_t)size : seed & 15u;
    if (seed < 0xa8)
        return in_bytes(c, page);
    if (seed < 0xb8)
        return in_bytes(c, page) + part_of_page(c, seed);
    return in_bytes(c, smaller(size, largest_vmo(0) >> c->page_shift) + (seed & 1u));
}

/* A length that fits behind the offset, mostly. */
static uint64_t steer_length(const struct operand_context *c, uint32_t seed)
{
    uint64_t first = c->offset >> c->page_shift, left = c->size_pages > first ? c->size_pages - first : 0;
    if (makes_reference(c) && seed < 0xa8)
        return 0;
    if (is_of_whole(c) && seed < 0xa8)
        return in_bytes(c, c->size_pages);
    if (c->aimed && c->vmos == 1 && seed < 0x70)
        return in_bytes(c, c->aim_count);
    if (left > 64)
        left = 8;
    if (seed < 0x40)
        return in_bytes(c, smaller(left, 1));
    if (seed < 0x60)
        return in_bytes(c, left);
    if (seed < 0xa0)
        return in_bytes(c, smaller(left, 1 + (seed & 7u)));
    if (seed < 0xb4)
        return left > 0 ? in_bytes(c, smaller(left - 1, seed & 3u)) + part_of_page(c, seed) : 0;
    return in_bytes(c, seed & 1u ? left + 1 : 0);
}

/* A size for a VMO or a VMAR. */
static uint64_t steer_size(const struct operand_context *c, uint32_t seed)
{
    /* More pages than are asked for at a time. */
    if (seed >= 0x90 && seed < 0x94)
        return in_bytes(c, 17 + (seed & 3u));
    if (seed < 0x98)
        return in_bytes(c, 1 + (seed & 7u) + (c->row->args[0].kind == PGR_ARG_SIZE ? seed >> 4 & 3u : 0));
    if (seed < 0xa8)
        return in_bytes(c, seed & 15u);
    if (seed < 0xb8)
        return in_bytes(c, 1 + (seed & 3u)) + part_of_page(c, seed);
    return seed & 1u ? 0 : in_bytes(c, (uint64_t)1 << 36);
}

static int is_about_vmar(const struct operand_context *c)
{
    return c->row->args[0].kind == PGR_ARG_HANDLE && c->row->args[0].detail == ZX_OBJ_TYPE_VMAR;
}

uint64_t steer_extent(struct operand_context *c, uint32_t place, uint32_t seed)
{
    switch (c->row->args[place].kind) {
    case PGR_ARG_ADDRESS:
        return steer_address(c, seed);
    case PGR_ARG_OFFSET:
        return is_about_vmar(c) && c->vmos == 0 ? steer_place(c, seed) : steer_offset(c, seed);
    case PGR_ARG_SIZE:
        if (c->reach > 0)
            return steer_reach(c, seed);
        return c->extents > 0 && c->pages ? steer_length(c, seed) : steer_size(c, seed);
    case PGR_ARG_BYTES_IN:
    case PGR_ARG_BYTES_OUT:
    case PGR_ARG_ACCESSES:
        return steer_address(c, seed);
    default:
        return c->pages ? in_bytes(c, smaller(c->size_pages, seed & 7u)) + (seed >> 3 & 3u) : steer_size(c, seed);
    }
}

NO_COVERAGE_END
