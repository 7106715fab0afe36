/*
 * The address space: mapping and unmapping among few and many mappings, and a fault answered by a supply.
 */
#include <stdlib.h>

#include "harness/bench_rig.h"

/* ---- map and unmap ------------------------------------------------------------------------------------------------- */

#define FEW_MAPPINGS 10u
#define MANY_MAPPINGS 100000u
#define LONGEST_MAPPING 16u /* pages */
#define SPACE_SAMPLES 4000u
#define UNMAPPED 1024u /* mappings that are out for a while */

/*
 * Address spaces that are churned: a hundred thousand mappings of any length, all in one VMAR, or so many in each of
 * several. The world holds as much either way, and the caches as little; what differs is the VMAR.
 */
struct space {
    struct rig rig;
    uint64_t vmo;
    uint32_t in_each; /* mappings in a VMAR */
    uint64_t *vmars;
    struct {
        uint64_t address;
        uint64_t pages;
    } *mappings;
    uint32_t unmapped[UNMAPPED];
    uint32_t next;
    struct samples map, unmap;
};

static double map_lowest(struct space *space, uint32_t i)
{
    pgr_call c = {.number = PGR_CALL_VMAR_MAP,
                  .arg = {space->vmars[i / space->in_each], ZX_VM_PERM_READ, 0, space->vmo}};
    pgr_result result;

    space->mappings[i].pages = 1 + random_below(LONGEST_MAPPING);
    c.arg[5] = bytes_of(space->mappings[i].pages);
    double begin = now_ns();
    pgr_dispatch(space->rig.world, space->rig.frames, &c, &result);
    double cost = elapsed_ns(begin);
    require(result.outcome == PGR_DONE && result.status == ZX_OK, "zx_vmar_map fails");
    space->mappings[i].address = result.out[6];
    return cost;
}

static double unmap(struct space *space, uint32_t i)
{
    return TIMED(&space->rig, VMAR_UNMAP, space->vmars[i / space->in_each], space->mappings[i].address,
                 bytes_of(space->mappings[i].pages));
}

/*
 * Takes a random mapping out and puts one in that was taken out long ago: what the one touches is of no use to the
 * other. Either cost may be wanted.
 */
static void space_step(struct space *space, struct samples *unmaps, struct samples *maps)
{
    uint32_t in = space->unmapped[space->next], out;

    do {
        out = (uint32_t)random_below(MANY_MAPPINGS);
    } while (space->mappings[out].pages == 0);
    double unmap_ns = unmap(space, out);
    space->mappings[out].pages = 0;
    space->unmapped[space->next] = out;
    space->next = (space->next + 1) % UNMAPPED;
    double map_ns = map_lowest(space, in);
    if (unmaps) {
        add_sample(unmaps, unmap_ns);
        add_sample(maps, map_ns);
    }
}

/* Until every mapping has been replaced twice, on average, what is left lies among holes of every length. */
static void space_churn(struct space *space)
{
    for (uint32_t i = 0; i < UNMAPPED; i++) {
        space->unmapped[i] = i * (MANY_MAPPINGS / UNMAPPED);
        unmap(space, space->unmapped[i]);
        space->mappings[space->unmapped[i]].pages = 0;
    }
    for (uint32_t i = 0; i < 2 * MANY_MAPPINGS; i++)
        space_step(space, NULL, NULL);
}

static void space_init(struct space *space, uint32_t in_each)
{
    uint32_t vmars = MANY_MAPPINGS / in_each;
    pgr_start start;

    rig_config(&space->rig, 1u << 10, 1u << 10);
    space->rig.config.object_count = 2 * MANY_MAPPINGS;
    rig_make(&space->rig);
    pgr_start_handles(space->rig.world, &start);
    space->vmo = new_vmo(&space->rig, LONGEST_MAPPING);
    space->in_each = in_each;
    space->vmars = calloc(vmars, sizeof(space->vmars[0]));
    space->mappings = calloc(MANY_MAPPINGS, sizeof(space->mappings[0]));
    require(space->vmars != NULL && space->mappings != NULL, "out of memory");
    for (uint32_t i = 0; i < vmars; i++)
        space->vmars[i] = CALL(&space->rig, VMAR_ALLOCATE, 4, start.vmar, ZX_VM_CAN_MAP_READ, 0,
                               bytes_of(UINT64_C(4) * LONGEST_MAPPING * in_each));
    for (uint32_t i = 0; i < MANY_MAPPINGS; i++)
        map_lowest(space, i);
    space_churn(space);
}

static void space_free(struct space *space)
{
    rig_free(&space->rig);
    free(space->vmars);
    free(space->mappings);
}

static void map_and_unmap(void)
{
    static struct space few, many;

    space_init(&few, FEW_MAPPINGS);
    space_init(&many, MANY_MAPPINGS);
    for (uint32_t i = 0; i < SPACE_SAMPLES; i++) {
        space_step(&few, &few.unmap, &few.map);
        space_step(&many, &many.unmap, &many.map);
    }
    space_free(&few);
    space_free(&many);
    report("map into the lowest hole, a VMAR of 10^5 mappings / one of 10^4 VMARs of 10",
           median(&many.map) / median(&few.map), 4);
    report("unmap at random, a VMAR of 10^5 mappings / one of 10^4 VMARs of 10",
           median(&many.unmap) / median(&few.unmap), 4);
}

/* ---- holes that are too short ---------------------------------------------------------------------------------- */

#define HOLE_PAGES 9u
#define SOUGHT_PAGES 15u

/* An address space of one-page mappings with a hole behind each, and the place behind them all. */
struct gaps {
    struct rig rig;
    uint64_t vmo;
    uint64_t vmar;
    uint64_t behind; /* address */
    struct samples map;
};

static uint64_t map_pages(struct gaps *gaps, uint64_t pages)
{
    return CALL(&gaps->rig, VMAR_MAP, 6, gaps->vmar, ZX_VM_PERM_READ, 0, gaps->vmo, 0, bytes_of(pages));
}

static void unmap_pages(struct gaps *gaps, uint64_t address, uint64_t pages)
{
    CALL(&gaps->rig, VMAR_UNMAP, 0, gaps->vmar, address, bytes_of(pages));
}

static void gaps_init(struct gaps *gaps, uint32_t count)
{
    pgr_start start;

    rig_config(&gaps->rig, 1u << 10, 1u << 10);
    gaps->rig.config.object_count = 2 * count + 1024;
    rig_make(&gaps->rig);
    pgr_start_handles(gaps->rig.world, &start);
    gaps->vmar = start.vmar;
    gaps->vmo = new_vmo(&gaps->rig, SOUGHT_PAGES);
    uint64_t first = map_pages(gaps, 1 + HOLE_PAGES);
    for (uint32_t i = 1; i < count; i++)
        map_pages(gaps, 1 + HOLE_PAGES);
    gaps->behind = map_pages(gaps, SOUGHT_PAGES);
    require(gaps->behind == first + bytes_of((uint64_t)count * (1 + HOLE_PAGES)), "mappings do not lie side by side");
    for (uint32_t i = 0; i < count; i++)
        unmap_pages(gaps, first + bytes_of((uint64_t)i * (1 + HOLE_PAGES) + 1), HOLE_PAGES);
    unmap_pages(gaps, gaps->behind, SOUGHT_PAGES);
}

static void gaps_step(struct gaps *gaps)
{
    add_sample(&gaps->map,
               TIMED(&gaps->rig, VMAR_MAP, gaps->vmar, ZX_VM_PERM_READ, 0, gaps->vmo, 0, bytes_of(SOUGHT_PAGES)));
    unmap_pages(gaps, gaps->behind, SOUGHT_PAGES);
}

static void map_behind_short_holes(void)
{
    static struct gaps few, many;

    gaps_init(&few, FEW_MAPPINGS);
    gaps_init(&many, MANY_MAPPINGS);
    for (int i = 0; i < 201; i++) {
        gaps_step(&few);
        gaps_step(&many);
    }
    rig_free(&few.rig);
    rig_free(&many.rig);
    report("map behind holes that are too short, 10^5 of them / 10", median(&many.map) / median(&few.map), 4);
}

/* ---- faults -------------------------------------------------------------------------------------------------------- */

#define FAULTING_THREAD 1u

/* From the access to its end: it blocks, the pager takes the request and supplies the page, the access goes on. */
static double timed_fault(struct rig *rig, uint64_t vmo, uint64_t address, uint64_t aux)
{
    char page[PAGE_BYTES];
    pgr_call access = {.number = PGR_CALL_MEM_READ,
                       .thread = FAULTING_THREAD,
                       .arg = {address, 0, sizeof(page)},
                       .buffer = page,
                       .buffer_bytes = sizeof(page)};
    pgr_call resume = {
        .number = PGR_CALL_RESUME, .thread = FAULTING_THREAD, .buffer = page, .buffer_bytes = sizeof(page)};
    pgr_call wait = {.number = PGR_CALL_PORT_WAIT, .arg = {rig->port, (uint64_t)ZX_TIME_INFINITE}};
    pgr_call answer = {.number = PGR_CALL_PAGER_SUPPLY_PAGES};
    pgr_result blocked, request, supplied, resumed;

    double begin = now_ns();
    pgr_dispatch(rig->world, rig->frames, &access, &blocked);
    pgr_dispatch(rig->world, rig->frames, &wait, &request);
    answer.arg[0] = rig->pager;
    answer.arg[1] = vmo;
    answer.arg[2] = request.packet.page_request.offset;
    answer.arg[3] = request.packet.page_request.length;
    answer.arg[4] = aux;
    pgr_dispatch(rig->world, rig->frames, &answer, &supplied);
    pgr_dispatch(rig->world, rig->frames, &resume, &resumed);
    double cost = elapsed_ns(begin);
    require(blocked.outcome == PGR_BLOCKED && request.status == ZX_OK && supplied.status == ZX_OK &&
                resumed.outcome == PGR_DONE && resumed.status == ZX_OK,
            "a fault is not resolved by a supply");
    return cost;
}

static double timed_read(struct rig *rig, uint64_t vmo)
{
    char page[PAGE_BYTES];

    return timed(rig, PGR_CALL_VMO_READ, (const uint64_t[PGR_ARGS_MAX]){vmo, 0, 0, sizeof(page)}, page, sizeof(page));
}

static void fault(void)
{
    static struct samples faults, reads;
    struct rig rig;
    pgr_start start;

    rig_init(&rig, 1u << 10, 1u << 10);
    pgr_start_handles(rig.world, &start);
    for (int i = 0; i < 4000; i++) {
        uint64_t vmo = new_pager_vmo(&rig, 1, 0), aux = committed_vmo(&rig, 1);
        uint64_t address = CALL(&rig, VMAR_MAP, 6, start.vmar, ZX_VM_PERM_READ, 0, vmo, 0, bytes_of(1));

        add_sample(&faults, timed_fault(&rig, vmo, address, aux));
        add_sample(&reads, timed_read(&rig, vmo));
        CALL(&rig, VMAR_UNMAP, 0, start.vmar, address, bytes_of(1));
        close_handle(&rig, vmo);
        close_handle(&rig, aux);
        /* The pager hears that no request will come any more. */
        CALL(&rig, PORT_WAIT, 2, rig.port, 0);
    }
    rig_free(&rig);
    report("fault, request, supply and resume / read of a present page", median(&faults) / median(&reads), 12);
}

void bench_space(void)
{
    map_and_unmap();
    map_behind_short_holes();
    fault();
}
