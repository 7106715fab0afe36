/*
 * The process of a world: the objects that it begins with, and its end.
 */
#include "process.h"

#include "frames.h"
#include "handles.h"
#include "life.h"
#include "vmar.h"

#define ROOT_VMAR_BASE UINT64_C(0x1000000)
#define ROOT_VMAR_END UINT64_C(0x7ffffffff000)

static void process_make(pgr_world *w)
{
    uint32_t vmar = object_make(w, PGR_OBJECT_VMAR);
    uint64_t first = to_pages_up(w, ROOT_VMAR_BASE);

    vmar_make_empty(w, vmar, first, to_page(w, ROOT_VMAR_END) - first);
    vmar_at(w, vmar)->flags = ZX_VM_CAN_MAP_SPECIFIC | ZX_VM_CAN_MAP_READ | ZX_VM_CAN_MAP_WRITE | ZX_VM_CAN_MAP_EXECUTE;
    object_reference(w, vmar);
    w->root_vmar = vmar;
    w->start.vmar = handle_make_default(w, vmar, ZX_RIGHTS_IO | ZX_RIGHT_EXECUTE);
    w->start.bti = handle_make_default(w, object_make(w, PGR_OBJECT_BTI), 0);
    w->start.resource = handle_make_default(w, object_make(w, PGR_OBJECT_RESOURCE), 0);
    w->start.event = handle_make_default(w, object_make(w, PGR_OBJECT_EVENT), 0);
}

static void world_begin(pgr_world *w, const pgr_config *config)
{
    world_format(w, config);
    frames_make_free(w);
    process_make(w);
}

zx_status_t pgr_init(void *block, uint64_t block_bytes, const pgr_config *config, pgr_world **world)
{
    zx_status_t status = world == NULL ? ZX_ERR_INVALID_ARGS : block_check(block, block_bytes, config);

    if (status != ZX_OK)
        return status;
    world_begin(block, config);
    *world = block;
    return ZX_OK;
}

void pgr_reset(pgr_world *w)
{
    const pgr_config config = w->config;

    world_begin(w, &config);
}

void pgr_start_handles(const pgr_world *w, pgr_start *start)
{
    *start = w->start;
}

void process_end(pgr_world *w)
{
    uint32_t row;

    for (row = 1; row < w->tables[TABLE_THREADS].touched; row++)
        thread_kill(w, row);
    for (row = 1; row < w->tables[TABLE_HANDLES].touched; row++) {
        if (handle_at(w, row)->object != 0)
            handle_close(w, row);
    }
    if (w->root_vmar != 0)
        vmar_destroy(w, w->root_vmar);
    w->root_vmar = 0;
}
