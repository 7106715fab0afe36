/*
 * Inspection: views of rows, for those outside of the core; and the hash of what is in use. Nothing here changes a
 * world, and nothing trusts a row number that comes from outside.
 */
#include "handles.h"
#include "map.h"
#include "ports.h"
#include "requests.h"
#include "threads.h"
#include "vmo.h"

static int row_exists(const pgr_world *w, enum table_id id, uint32_t row)
{
    return row != 0 && row < w->tables[id].touched;
}

static uint32_t threads_in(const pgr_world *w, uint8_t state)
{
    uint32_t count = 0;
    uint32_t row;

    for (row = 1; row < w->tables[TABLE_THREADS].touched; row++)
        count += thread_at(w, row)->state == state ? 1 : 0;
    return count;
}

void pgr_inspect_world(const pgr_world *w, pgr_inspect_counts *counts)
{
    *counts = (pgr_inspect_counts){
        .config = w->config,
        .frames_free = (uint32_t)w->frames_free,
        .objects_used = w->tables[TABLE_OBJECTS].in_use,
        .handles_used = w->tables[TABLE_HANDLES].in_use - w->handles_retired,
        .packets_used = w->tables[TABLE_PACKETS].in_use,
        .requests_used = w->tables[TABLE_REQUESTS].in_use,
        .threads_blocked = threads_in(w, PGR_THREAD_BLOCKED),
        .threads_released = threads_in(w, PGR_THREAD_RELEASED),
        .nodes_used = w->tables[TABLE_NODES].in_use,
        .nodes_count = w->tables[TABLE_NODES].row_count - 1,
        .nodes_kept = w->unpins_promised * NODES_PER_UNPIN,
        .fail_alloc = (uint32_t)min_u64(w->fail_alloc, UINT32_MAX),
    };
}

static void view_vmo(const pgr_world *w, uint32_t row, pgr_object_view *view)
{
    const struct vmo *vmo = vmo_at(w, row);
    struct window window = vmo_window(w, row);

    view->vmo.pages = vmo->pages;
    view->vmo.parent = vmo->parent;
    view->vmo.child_count = vmo->child_count;
    view->vmo.mapping_count = vmo->mapping_count;
    view->vmo.cache_policy = pages_at(w, vmo->pages)->cache_policy;
    view->vmo.offset_pages = window.offset_pages;
    view->vmo.size_pages = window.size_pages;
    view->vmo.content_size_bytes = *vmo_content_size(w, row);
}

static void view_pages(const struct pages *pages, pgr_object_view *view)
{
    view->pages.size_pages = pages->size_pages;
    view->pages.frames_held = pages->frames_held;
    view->pages.pins = pages->pins;
    view->pages.source = pages->source;
    view->pages.family = pages->family_next;
    view->pages.vmo_count = pages->vmo_count;
    view->pages.map_root = pages->map.root;
    view->pages.parent = pages->parent;
    view->pages.discarded = pages->discard == DISCARD_DONE;
    view->pages.parent_offset_pages = pages->parent_offset_pages;
    view->pages.parent_limit_pages = pages->parent_limit_pages;
}

static void view_source(const struct source *source, pgr_object_view *view)
{
    view->source.pager = source->pager;
    view->source.port = source->port;
    view->source.pages = source->pages;
    view->source.packet = source->packet;
    view->source.key = source->key;
    view->source.pager_koid = source->pager_koid;
}

static void view_pmt(const struct pmt *pmt, pgr_object_view *view)
{
    view->pmt.bti = pmt->bti;
    view->pmt.vmo = pmt->vmo;
    view->pmt.pages = pmt->pages;
    view->pmt.offset_pages = pmt->offset_pages;
    view->pmt.count_pages = pmt->count_pages;
}

int pgr_inspect_object(const pgr_world *w, uint32_t row, pgr_object_view *view)
{
    const struct object *object;

    memset(view, 0, sizeof(*view));
    if (!row_exists(w, TABLE_OBJECTS, row) || object_at(w, row)->kind == PGR_OBJECT_NONE)
        return 0;
    object = object_at(w, row);
    view->kind = object->kind;
    view->flags = object->flags;
    view->koid = object->koid;
    view->handle_count = object->handle_count;
    view->reference_count = object->reference_count;
    view->signals = object->signals;
    switch (object->kind) {
    case PGR_OBJECT_VMO:
        view_vmo(w, row, view);
        break;
    case PGR_OBJECT_PAGES:
        view_pages(&object->pages, view);
        break;
    case PGR_OBJECT_SOURCE:
        view_source(&object->source, view);
        break;
    case PGR_OBJECT_PORT:
        view->port.user_packets = object->port.user_packets;
        view->port.first_packet = object->port.packets.first;
        break;
    case PGR_OBJECT_PMT:
        view_pmt(&object->pmt, view);
        break;
    case PGR_OBJECT_VMAR:
        view->vmar.parent = object->vmar.parent;
        view->vmar.flags = object->vmar.flags;
        view->vmar.base = to_bytes(w, object->vmar.page);
        view->vmar.size_bytes = to_bytes(w, object->vmar.count);
        break;
    case PGR_OBJECT_MAPPING:
        view->mapping.vmar = object->mapping.vmar;
        view->mapping.vmo = object->mapping.vmo;
        view->mapping.perms = object->mapping.perms;
        view->mapping.perms_max = object->mapping.perms_max;
        view->mapping.offset_pages = object->mapping.offset_pages;
        break;
    default:
        break;
    }
    return 1;
}

int pgr_inspect_handle(const pgr_world *w, uint32_t row, pgr_handle_view *view)
{
    const struct handle *handle;

    memset(view, 0, sizeof(*view));
    if (!row_exists(w, TABLE_HANDLES, row) || handle_at(w, row)->object == 0)
        return 0;
    handle = handle_at(w, row);
    view->value = handle->generation << (2 + HANDLE_SLOT_BITS) | row << 2 | 3;
    view->object = handle->object;
    view->rights = handle->rights;
    if (row_exists(w, TABLE_OBJECTS, handle->object))
        view->kind = object_at(w, handle->object)->kind;
    return 1;
}

uint32_t pgr_inspect_handle_row(const pgr_world *w, zx_handle_t value)
{
    return handle_find(w, value);
}

int pgr_inspect_vmo(const pgr_world *w, zx_handle_t value, uint32_t *vmo_row, uint32_t *pages_row)
{
    if (handle_get(w, value, PGR_OBJECT_VMO, ZX_RIGHT_NONE, vmo_row) != ZX_OK)
        return 0;
    *pages_row = vmo_at(w, *vmo_row)->pages;
    return 1;
}

int pgr_inspect_run(const pgr_world *w, uint32_t pages_row, uint64_t page, pgr_run_view *view)
{
    struct cursor at;
    const struct run *run;

    memset(view, 0, sizeof(*view));
    if (!row_exists(w, TABLE_OBJECTS, pages_row) || object_at(w, pages_row)->kind != PGR_OBJECT_PAGES)
        return 0;
    at = cursor_on(&pages_at(w, pages_row)->map);
    run = tree_seek(w, &at, page);
    if (run == NULL)
        return 0;
    view->page = run->page;
    view->count = run->count;
    view->state = run->state;
    view->frame = run->frame;
    view->pins = run->pins;
    view->hint = run->hint;
    view->awaiting = run->awaiting;
    return 1;
}

int pgr_inspect_region(const pgr_world *w, uint32_t row, uint64_t address, pgr_region_view *view)
{
    struct cursor at;
    const struct run *run;

    memset(view, 0, sizeof(*view));
    if (!row_exists(w, TABLE_OBJECTS, row) || object_at(w, row)->kind != PGR_OBJECT_VMAR)
        return 0;
    at = cursor_on(&object_at(w, row)->vmar.regions);
    run = tree_seek(w, &at, to_page(w, address));
    if (run == NULL)
        return 0;
    view->address = to_bytes(w, run->page);
    view->size_bytes = to_bytes(w, run->count);
    view->row = run->frame;
    return 1;
}

int pgr_inspect_frames(const pgr_world *w, uint32_t frame, pgr_frames_view *view)
{
    struct cursor free = cursor_on(&w->free_frames);
    struct cursor shared = cursor_on(&w->shared_frames);
    struct piece free_piece;
    struct piece shared_piece;

    memset(view, 0, sizeof(*view));
    if (frame == 0 || frame >= w->config.frame_count)
        return 0;
    free_piece = map_piece(w, &free, frame, w->config.frame_count);
    shared_piece = map_piece(w, &shared, frame, w->config.frame_count);
    view->frame = frame;
    view->count = (uint32_t)min_u64(free_piece.count, shared_piece.count);
    view->holders = shared_piece.state == STATE_STRETCH ? shared_piece.frame : 1;
    if (free_piece.state == STATE_STRETCH)
        view->holders = 0;
    return 1;
}

int pgr_inspect_thread(const pgr_world *w, uint32_t number, pgr_thread_view *view)
{
    const struct thread *thread;

    memset(view, 0, sizeof(*view));
    view->next_released = PGR_NO_THREAD;
    if (number >= w->config.thread_count)
        return 0;
    if (number + 1 >= w->tables[TABLE_THREADS].touched)
        return 1;
    thread = thread_at(w, number + 1);
    view->state = thread->state;
    view->wait = thread->wait;
    view->call = thread->call;
    view->request = thread->request;
    view->object = thread->object;
    if (thread->state == PGR_THREAD_RELEASED && thread->links.next != 0)
        view->next_released = thread->links.next - 1;
    view->held_vmo = thread->op.vmo;
    view->held_buffer_vmo = thread->op.second_vmo;
    view->held_waited = thread->op.waited_on;
    view->held_vmar = thread->op.vmar;
    view->held_pmt = thread->op.pmt;
    view->progress_bytes = thread->op.position - min_u64(thread->op.begin, thread->op.position);
    return 1;
}

int pgr_inspect_request(const pgr_world *w, uint32_t row, pgr_request_view *view)
{
    const struct request *request;
    uint32_t waiter;

    memset(view, 0, sizeof(*view));
    if (!row_exists(w, TABLE_REQUESTS, row) || request_at(w, row)->source == 0)
        return 0;
    request = request_at(w, row);
    view->source = request->source;
    view->command = request->kind;
    view->place = request->place;
    view->owner = request->owner - 1;
    view->waiter_count = 1;
    for (waiter = request->joined.first;
         row_exists(w, TABLE_THREADS, waiter) && view->waiter_count <= w->config.thread_count;
         waiter = thread_at(w, waiter)->links.next)
        view->waiter_count++;
    view->page = request->page;
    view->count = request->count;
    view->pending = request->pending;
    return 1;
}

int pgr_inspect_packet(const pgr_world *w, uint32_t row, pgr_packet_view *view)
{
    const struct packet *packet;

    memset(view, 0, sizeof(*view));
    if (!row_exists(w, TABLE_PACKETS, row) || packet_at(w, row)->kind == 0)
        return 0;
    packet = packet_at(w, row);
    view->port = packet->port;
    view->source = packet->source;
    view->object = packet->object;
    view->queued = packet->queued;
    view->next = packet->links.next;
    if (packet->kind == PACKET_SOURCE && row_exists(w, TABLE_OBJECTS, packet->source))
        view->request = source_at(w, packet->source)->in_port;
    view->packet = packet->body;
    return 1;
}

/* --- the canonical hash --- */

#define HASH(sum, value) hash_bytes(&(value), sizeof(value), (sum))
#define HANDLE_ROW_MASK ((1u << (2 + HANDLE_SLOT_BITS)) - 1)

static uint64_t hash_runs(const pgr_world *w, const void *frames, const struct tree *map, uint64_t sum)
{
    struct cursor at = cursor_on(map);
    const struct run *run;

    for (run = tree_seek(w, &at, 0); run != NULL; run = tree_next(w, &at)) {
        sum = HASH(sum, *run);
        if (state_has_frame(run->state))
            sum = hash_bytes((const char *)frames + to_bytes(w, run->frame), to_bytes(w, run->count), sum);
    }
    return sum;
}

static uint64_t hash_object(const pgr_world *w, const void *frames, uint32_t row, uint64_t sum)
{
    struct object object = *object_at(w, row);

    object.koid = 0;
    if (object.kind == PGR_OBJECT_SOURCE)
        object.source.pager_koid = 0;
    if (object.kind == PGR_OBJECT_PAGES) {
        sum = hash_runs(w, frames, &object.pages.map, sum);
        object.pages.map = (struct tree){0};
    }
    if (object.kind == PGR_OBJECT_VMAR) {
        sum = hash_runs(w, NULL, &object.vmar.regions, sum);
        sum = hash_runs(w, NULL, &object.vmar.holes, sum);
        object.vmar.regions = (struct tree){0};
        object.vmar.holes = (struct tree){0};
    }
    return HASH(HASH(sum, row), object);
}

static uint64_t hash_thread(const pgr_world *w, uint32_t row, uint64_t sum)
{
    struct thread thread = *thread_at(w, row);

    thread.handle &= HANDLE_ROW_MASK;
    return HASH(HASH(sum, row), thread);
}

static uint64_t hash_packet(const pgr_world *w, uint32_t row, uint64_t sum)
{
    struct packet packet = *packet_at(w, row);

    packet.handle &= HANDLE_ROW_MASK;
    return HASH(HASH(sum, row), packet);
}

static uint64_t hash_handle(const pgr_world *w, uint32_t row, uint64_t sum)
{
    const struct handle *handle = handle_at(w, row);

    return HASH(HASH(HASH(sum, row), handle->object), handle->rights);
}

uint64_t pgr_canonical_hash(const pgr_world *w, const void *frames)
{
    uint64_t sum = HASH(0, w->config);
    uint32_t row;

    for (row = 1; row < w->tables[TABLE_OBJECTS].touched; row++)
        sum = object_at(w, row)->kind != PGR_OBJECT_NONE ? hash_object(w, frames, row, sum) : sum;
    for (row = 1; row < w->tables[TABLE_HANDLES].touched; row++)
        sum = handle_at(w, row)->object != 0 ? hash_handle(w, row, sum) : sum;
    for (row = 1; row < w->tables[TABLE_THREADS].touched; row++)
        sum = thread_at(w, row)->state != PGR_THREAD_IDLE ? hash_thread(w, row, sum) : sum;
    for (row = 1; row < w->tables[TABLE_PACKETS].touched; row++)
        sum = packet_at(w, row)->kind != 0 ? hash_packet(w, row, sum) : sum;
    for (row = 1; row < w->tables[TABLE_REQUESTS].touched; row++)
        sum = request_at(w, row)->source != 0 ? HASH(HASH(sum, row), *request_at(w, row)) : sum;
    sum = hash_runs(w, NULL, &w->free_frames, sum);
    sum = hash_runs(w, NULL, &w->shared_frames, sum);
    sum = HASH(HASH(sum, w->released), w->root_vmar);
    return HASH(HASH(sum, w->evictable.first), w->evictable.last);
}
