/*
 * The canonical image of a small world. See image.h. Reads the core's rows themselves, for what the inspection does not
 * show decides what a world does next as well.
 */
#include "harness/spin/image.h"

#include "core/handles.h"
#include "core/map.h"
#include "core/ports.h"
#include "core/requests.h"
#include "core/threads.h"

#define OBJECTS_MAX 64u /* rows */
#define FRAMES_MAX 64u

struct writer {
    const pgr_world *w;
    const void *frames;
    const zx_handle_t *handles;
    uint32_t handle_count;
    uint8_t *image;
    uint32_t used;               /* bytes; more than there is room for: it does not fit */
    uint32_t names[OBJECTS_MAX]; /* by object row; 0: not reached yet */
    uint32_t order[OBJECTS_MAX]; /* object rows, by name */
    uint32_t object_count;       /* reached; names run from 1 to this */
    uint32_t frame_names[FRAMES_MAX];
    uint32_t frame_count;
};

/* ---- numbers and names ---- */

static void put_byte(struct writer *out, uint8_t byte)
{
    if (out->used < IMAGE_BYTES_MAX)
        out->image[out->used] = byte;
    out->used++;
}

/* Seven bits a byte, so that what is small takes one, and what follows is never taken for a part of it. */
static void put(struct writer *out, uint64_t number)
{
    for (; number >= 0x80; number >>= 7)
        put_byte(out, (uint8_t)(number | 0x80));
    put_byte(out, (uint8_t)number);
}

static void put_bytes(struct writer *out, const void *bytes, uint64_t count)
{
    const uint8_t *at = bytes;

    for (uint64_t i = 0; i < count; i++)
        put_byte(out, at[i]);
}

/* The object's name, and it will be told itself if this is the first that is heard of it. */
static void put_object(struct writer *out, uint32_t row)
{
    if (row == 0) {
        put(out, 0);
        return;
    }
    if (out->names[row] == 0) {
        out->order[out->object_count] = row;
        out->names[row] = ++out->object_count;
    }
    put(out, out->names[row]);
}

/* A frame's name, and, the first time, its bytes. */
static void put_frame(struct writer *out, uint32_t frame)
{
    int is_new = out->frame_names[frame] == 0;

    if (is_new)
        out->frame_names[frame] = ++out->frame_count;
    put(out, out->frame_names[frame]);
    if (is_new)
        put_bytes(out, (const char *)out->frames + to_bytes(out->w, frame), page_bytes(out->w));
}

/* The place of a handle among all handles, counted from 1; 0: it is closed. */
static void put_handle(struct writer *out, zx_handle_t value)
{
    uint32_t place = out->handle_count;

    while (place != 0 && (value == 0 || out->handles[place - 1] != value))
        place--;
    put(out, place);
}

/* Requests have no name but the thread that each of them is owned by. */
static void put_request(struct writer *out, uint32_t row)
{
    put(out, row != 0 ? request_at(out->w, row)->owner : 0);
}

static void put_threads(struct writer *out, const struct list *list)
{
    for (uint32_t row = list->first; row != 0; row = thread_at(out->w, row)->links.next)
        put(out, row);
    put(out, 0);
}

/* ---- packets and requests ---- */

static void put_packet(struct writer *out, uint32_t row)
{
    const struct packet *packet = packet_at(out->w, row);

    put(out, packet->kind);
    put(out, packet->queued);
    put_object(out, packet->port);
    put_object(out, packet->source);
    put_object(out, packet->object);
    put_handle(out, packet->handle);
    put(out, packet->trigger);
    put_bytes(out, &packet->body, sizeof(packet->body));
}

static void put_queue(struct writer *out, uint32_t first)
{
    for (uint32_t row = first; row != 0; row = packet_at(out->w, row)->links.next)
        put_packet(out, row);
    put(out, 0);
}

/* Async waits that have not fired, as the object has them. */
static void put_watches(struct writer *out, uint32_t first)
{
    for (uint32_t row = first; row != 0; row = packet_at(out->w, row)->of_object.next)
        put_packet(out, row);
    put(out, 0);
}

static void put_requests(struct writer *out, uint32_t first)
{
    for (uint32_t row = first; row != 0; row = request_at(out->w, row)->links.next) {
        const struct request *request = request_at(out->w, row);
        put(out, request->owner);
        put(out, request->place);
        put(out, request->page);
        put(out, request->count);
        put(out, request->pending);
        put_threads(out, &request->joined);
    }
    put(out, 0);
}

/* ---- objects ---- */

static void put_vmo(struct writer *out, const struct vmo *vmo)
{
    put_object(out, vmo->pages);
    put_object(out, vmo->parent);
    for (uint32_t child = vmo->children.first; child != 0; child = vmo_at(out->w, child)->sibling.next)
        put_object(out, child);
    put(out, 0);
    put(out, vmo->mapping_count);
    put(out, vmo->offset_pages);
    put(out, vmo->size_pages);
    put(out, vmo->content_size_bytes);
    put_bytes(out, vmo->name, sizeof(vmo->name));
}

/* An interval's awaiting part is cut where the run is: what reaches beyond its end is told. */
static void put_run(struct writer *out, const struct run *run)
{
    for (uint64_t i = 0; i < run->count; i++) {
        put(out, run->page + i + 1);
        put(out, run->state);
        put(out, run->pins);
        put(out, run->hint);
        put(out, run->awaiting > i ? run->awaiting - i : 0);
        if (state_has_frame(run->state))
            put_frame(out, run->frame + (uint32_t)i);
    }
}

static void put_runs(struct writer *out, const struct tree *map)
{
    struct cursor at = cursor_on(map);

    for (const struct run *run = tree_seek(out->w, &at, 0); run != NULL; run = tree_next(out->w, &at))
        put_run(out, run);
    put(out, 0);
}

static void put_relatives(struct writer *out, const struct pages *pages)
{
    put_object(out, pages->family_next);
    put_object(out, pages->parent);
    put(out, pages->parent_offset_pages);
    put(out, pages->parent_limit_pages);
    put(out, pages->root_offset_pages);
    for (uint32_t child = pages->children.first; child != 0; child = pages_at(out->w, child)->sibling.next)
        put_object(out, child);
    put(out, 0);
    for (uint32_t vmo = pages->references.first; vmo != 0; vmo = vmo_at(out->w, vmo)->reference.next)
        put_object(out, vmo);
    put(out, 0);
}

static void put_pages(struct writer *out, const struct pages *pages)
{
    put_runs(out, &pages->map);
    put(out, pages->size_pages);
    put(out, pages->frames_held);
    put(out, pages->pins);
    put(out, pages->content_size_bytes);
    put_object(out, pages->source);
    put(out, pages->vmo_count);
    put(out, pages->locks);
    put(out, pages->discard);
    put(out, pages->cache_policy);
    put(out, pages->modified);
    put_relatives(out, pages);
}

static void put_source(struct writer *out, const struct source *source)
{
    put_object(out, source->pager);
    put_object(out, source->port);
    put_object(out, source->pages);
    put(out, source->key);
    put(out, source->packet != 0 ? 1u + packet_at(out->w, source->packet)->queued : 0u);
    for (unsigned kind = 0; kind < REQUEST_KINDS; kind++)
        put_requests(out, source->requests[kind].first);
    for (uint32_t row = source->queued.first; row != 0; row = request_at(out->w, row)->queued.next)
        put_request(out, row);
    put(out, 0);
    put_request(out, source->in_port);
}

static void put_port(struct writer *out, const struct port *port)
{
    put_queue(out, port->packets.first);
    for (uint32_t row = port->watches.first; row != 0; row = packet_at(out->w, row)->of_port.next)
        put_object(out, packet_at(out->w, row)->object);
    put(out, 0);
    put(out, port->user_packets);
    put_threads(out, &port->waiters);
}

static void put_pager(struct writer *out, const struct pager *pager)
{
    for (uint32_t row = pager->sources.first; row != 0; row = source_at(out->w, row)->of_pager.next)
        put_object(out, row);
    put(out, 0);
}

static void put_bti(struct writer *out, const struct bti *bti)
{
    for (uint32_t row = bti->quarantined.first; row != 0; row = object_at(out->w, row)->pmt.quarantined.next)
        put_object(out, row);
    put(out, 0);
    put(out, bti->pmt_count);
}

static void put_pmt(struct writer *out, const struct pmt *pmt)
{
    put_object(out, pmt->bti);
    put_object(out, pmt->vmo);
    put_object(out, pmt->pages);
    put(out, pmt->offset_pages);
    put(out, pmt->count_pages);
}

static void put_vmar(struct writer *out, const struct vmar *vmar)
{
    struct cursor at = cursor_on(&vmar->regions);

    put(out, vmar->page);
    put(out, vmar->count);
    put_object(out, vmar->parent);
    put(out, vmar->flags);
    for (const struct run *run = tree_seek(out->w, &at, 0); run != NULL; run = tree_next(out->w, &at)) {
        put(out, run->page + 1);
        put(out, run->count);
        put_object(out, run->frame);
    }
    put(out, 0);
}

static void put_mapping(struct writer *out, const struct mapping *mapping)
{
    put_object(out, mapping->vmar);
    put_object(out, mapping->vmo);
    put(out, mapping->perms);
    put(out, mapping->perms_max);
    put(out, mapping->offset_pages);
}

static void put_kind(struct writer *out, const struct object *object)
{
    switch (object->kind) {
    case PGR_OBJECT_VMO:
        put_vmo(out, &object->vmo);
        break;
    case PGR_OBJECT_PAGES:
        put_pages(out, &object->pages);
        break;
    case PGR_OBJECT_SOURCE:
        put_source(out, &object->source);
        break;
    case PGR_OBJECT_PORT:
        put_port(out, &object->port);
        break;
    case PGR_OBJECT_PAGER:
        put_pager(out, &object->pager);
        break;
    case PGR_OBJECT_BTI:
        put_bti(out, &object->bti);
        break;
    case PGR_OBJECT_PMT:
        put_pmt(out, &object->pmt);
        break;
    case PGR_OBJECT_VMAR:
        put_vmar(out, &object->vmar);
        break;
    case PGR_OBJECT_MAPPING:
        put_mapping(out, &object->mapping);
        break;
    default:
        break;
    }
}

static void put_whole_object(struct writer *out, uint32_t row)
{
    const struct object *object = object_at(out->w, row);

    put(out, object->kind);
    put(out, object->flags);
    put(out, object->handle_count);
    put(out, object->reference_count);
    put(out, object->signals);
    put_watches(out, object->watches.first);
    put_threads(out, &object->waiters);
    put_kind(out, object);
}

/* ---- threads ---- */

static void put_progress(struct writer *out, const struct op *op)
{
    put(out, op->options);
    put(out, op->vmar_rights);
    put(out, op->at);
    put(out, op->at_end);
    put(out, op->size);
    put(out, op->begin);
    put(out, op->end);
    put(out, op->position);
    put(out, op->dirtied);
    put(out, op->waited);
    put(out, op->strict);
    put(out, op->stage);
    put(out, op->forgiving);
    put(out, op->entered);
}

static void put_op(struct writer *out, const struct op *op)
{
    put_object(out, op->vmo);
    put_object(out, op->waited_on);
    put_object(out, op->pmt);
    put_object(out, op->second_vmo);
    put_object(out, op->taken);
    put_object(out, op->vmar);
    put_progress(out, op);
}

static void put_thread(struct writer *out, const struct thread *thread)
{
    put(out, thread->state);
    if (thread->state == PGR_THREAD_IDLE)
        return;
    put(out, thread->wait);
    put(out, thread->call);
    put(out, (uint32_t)thread->wake_status);
    put_request(out, thread->state == PGR_THREAD_BLOCKED ? thread->request : 0);
    put_object(out, thread->state == PGR_THREAD_BLOCKED ? thread->object : 0);
    put_handle(out, thread->handle);
    put(out, thread->signals);
    put_op(out, &thread->op);
    put_bytes(out, &thread->packet, sizeof(thread->packet));
}

/* A thread that has not been heard of is as one that is in no call. */
static void put_threads_in_calls(struct writer *out)
{
    for (uint32_t row = 1; row <= out->w->config.thread_count; row++) {
        if (row < out->w->tables[TABLE_THREADS].touched)
            put_thread(out, thread_at(out->w, row));
        else
            put(out, PGR_THREAD_IDLE);
    }
}

/* ---- the world ---- */

/* Every handle: what it is to, and with which rights. The other objects are reached from there. */
static void put_handles(struct writer *out)
{
    for (uint32_t i = 0; i < out->handle_count; i++) {
        uint32_t row = handle_find(out->w, out->handles[i]);
        put_object(out, row != 0 ? handle_at(out->w, row)->object : 0);
        put(out, row != 0 ? handle_at(out->w, row)->rights : 0);
    }
}

static void put_world(struct writer *out)
{
    put(out, out->w->frames_free);
    put(out, out->w->unpins_promised);
    put(out, out->w->fail_alloc);
    put_object(out, out->w->root_vmar);
    put_threads(out, &out->w->released);
    for (uint32_t row = out->w->evictable.first; row != 0; row = pages_at(out->w, row)->evictable.next)
        put_object(out, row);
    put(out, 0);
}

uint32_t image_write(const pgr_world *world, const void *frames, const zx_handle_t *handles, uint32_t handle_count,
                     uint8_t image[IMAGE_BYTES_MAX])
{
    struct writer out = {
        .w = world, .frames = frames, .handles = handles, .handle_count = handle_count, .image = image};

    if (world->config.object_count > OBJECTS_MAX || world->config.frame_count > FRAMES_MAX)
        return 0;
    put_handles(&out);
    put_threads_in_calls(&out);
    put_world(&out);
    for (uint32_t i = 0; i < out.object_count; i++)
        put_whole_object(&out, out.order[i]);
    if (out.object_count != world->tables[TABLE_OBJECTS].in_use || out.used > IMAGE_BYTES_MAX)
        return 0;
    return out.used;
}
