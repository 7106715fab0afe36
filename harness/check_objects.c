/*
 * H1, H2, C1, C2: objects live while something refers to them, nothing is left at the end, and what is reported is what
 * a walk counts. Also gathers what check_walk looks at: a view of every object.
 */
#include "harness/check_internal.h"
#include "harness/no_coverage.h"
#include "harness/world_memory.h"

#include <stdlib.h>
#include <string.h>

NO_COVERAGE_BEGIN

/* --- the walk's view of all objects --- */

void check_gather(struct check_context *c, const pgr_world *w)
{
    struct walk *walk = &c->walk;
    uint32_t rows = c->config.object_count;

    memset(walk->objects, 0, sizeof *walk->objects * rows);
    memset(walk->handles, 0, sizeof *walk->handles * rows);
    memset(walk->referrers, 0, sizeof *walk->referrers * rows);
    memset(walk->children, 0, sizeof *walk->children * rows);
    memset(walk->vmos, 0, sizeof *walk->vmos * rows);
    memset(walk->rings, 0, sizeof *walk->rings * rows);
    memset(walk->mappings, 0, sizeof *walk->mappings * rows);
    memset(walk->seers, 0, sizeof *walk->seers * rows);
    memset(walk->places, 0, sizeof *walk->places * rows);
    walk->row_count = walk->pmt_count = 0;
    for (uint32_t row = 1; row < rows; row++) {
        pgr_object_view *object = &walk->objects[row];
        if (!pgr_inspect_object(w, row, object)) {
            object->kind = PGR_OBJECT_NONE;
            continue;
        }
        walk->rows[walk->row_count++] = row;
        if (object->kind == PGR_OBJECT_PMT)
            walk->pmts[walk->pmt_count++] = row;
    }
}

static const pgr_object_view *object_at(const struct check_context *c, uint32_t row)
{
    static const pgr_object_view none;
    return row < c->config.object_count ? &c->walk.objects[row] : &none;
}

/* --- H1 --- */

enum link { LINK_WEAK, LINK_REFERENCE, LINK_REFERENCE_OR_NONE };

/* Does the object's link lead to an object of this kind? */
static int link_good(struct check_context *c, uint32_t row, const char *name, uint32_t to, uint32_t kind,
                     enum link link)
{
    if (!to && link != LINK_REFERENCE)
        return 0;
    if (object_at(c, to)->kind == kind) {
        c->walk.referrers[to] += link != LINK_WEAK;
        return 0;
    }
    return check_violate(c, CHECK_H1, "object %u (kind %u) has object %u as its %s, which is of kind %u and not %u",
                         row, c->walk.objects[row].kind, to, name, object_at(c, to)->kind, kind);
}

/* What an object refers to is alive; counts who refers to it. */
static int links_good(struct check_context *c, uint32_t row, const pgr_object_view *object)
{
    int found;

    switch (object->kind) {
    case PGR_OBJECT_VMO:
        found = link_good(c, row, "pages", object->vmo.pages, PGR_OBJECT_PAGES, LINK_REFERENCE);
        return found ? found : link_good(c, row, "parent", object->vmo.parent, PGR_OBJECT_VMO, LINK_WEAK);
    case PGR_OBJECT_PAGES:
        found = link_good(c, row, "source", object->pages.source, PGR_OBJECT_SOURCE, LINK_REFERENCE_OR_NONE);
        if (!found)
            found = link_good(c, row, "parent", object->pages.parent, PGR_OBJECT_PAGES, LINK_REFERENCE_OR_NONE);
        c->walk.seers[found ? 0 : object->pages.parent]++;
        return found;
    case PGR_OBJECT_SOURCE:
        if ((found = link_good(c, row, "pager", object->source.pager, PGR_OBJECT_PAGER, LINK_WEAK)) ||
            (found = link_good(c, row, "port", object->source.port, PGR_OBJECT_PORT, LINK_REFERENCE)))
            return found;
        return link_good(c, row, "pages", object->source.pages, PGR_OBJECT_PAGES, LINK_WEAK);
    case PGR_OBJECT_PMT:
        if ((found = link_good(c, row, "BTI", object->pmt.bti, PGR_OBJECT_BTI,
                               object->flags & PGR_PMT_QUARANTINED ? LINK_WEAK : LINK_REFERENCE_OR_NONE)) ||
            (found = link_good(c, row, "VMO", object->pmt.vmo, PGR_OBJECT_VMO, LINK_REFERENCE_OR_NONE)))
            return found;
        return link_good(c, row, "pages", object->pmt.pages, PGR_OBJECT_PAGES, LINK_WEAK);
    case PGR_OBJECT_VMAR:
        /* One that was destroyed may outlive its parent. */
        return object->flags & PGR_VMAR_DESTROYED
                   ? 0
                   : link_good(c, row, "parent", object->vmar.parent, PGR_OBJECT_VMAR, LINK_WEAK);
    case PGR_OBJECT_MAPPING:
        found = link_good(c, row, "VMAR", object->mapping.vmar, PGR_OBJECT_VMAR, LINK_WEAK);
        return found ? found : link_good(c, row, "VMO", object->mapping.vmo, PGR_OBJECT_VMO, LINK_REFERENCE);
    default:
        return 0;
    }
}

/* Every handle names a live object of the kind it says; counts them for each object. */
static int handles_good(struct check_context *c, const pgr_world *w)
{
    for (uint32_t row = 1; row < c->config.handle_count; row++) {
        pgr_handle_view handle;
        if (!pgr_inspect_handle(w, row, &handle))
            continue;
        if (object_at(c, handle.object)->kind != handle.kind || handle.kind == PGR_OBJECT_NONE)
            return check_violate(c, CHECK_H1, "handle 0x%x (row %u) names object %u, which is of kind %u and not %u",
                                 handle.value, row, handle.object, object_at(c, handle.object)->kind, handle.kind);
        if (pgr_inspect_handle_row(w, handle.value) != row)
            return check_violate(c, CHECK_H1, "handle 0x%x stands in row %u and is found in row %u", handle.value, row,
                                 pgr_inspect_handle_row(w, handle.value));
        c->walk.handles[handle.object]++;
    }
    return 0;
}

/* A port is waited on for packets, a VMO or an event for signals. */
static uint32_t kind_waited_on(const struct check_context *c, const pgr_thread_view *thread)
{
    if (thread->wait == PGR_WAIT_PORT)
        return PGR_OBJECT_PORT;
    return object_at(c, thread->held_waited)->kind == PGR_OBJECT_EVENT ? PGR_OBJECT_EVENT : PGR_OBJECT_VMO;
}

/* What waiting calls keep alive. */
static int holds_good(struct check_context *c, const pgr_world *w)
{
    for (uint32_t thread = 0; thread < c->config.thread_count; thread++) {
        pgr_thread_view t;
        if (!pgr_inspect_thread(w, thread, &t) || t.state == PGR_THREAD_IDLE)
            continue;
        const struct {
            uint32_t row, kind;
        } held[] = {{t.held_vmo, PGR_OBJECT_VMO},
                    {t.held_buffer_vmo, PGR_OBJECT_VMO},
                    {t.held_waited, kind_waited_on(c, &t)},
                    {t.held_vmar, PGR_OBJECT_VMAR},
                    {t.held_pmt, PGR_OBJECT_PMT}};
        for (size_t i = 0; i < sizeof held / sizeof held[0]; i++) {
            if (!held[i].row)
                continue;
            if (object_at(c, held[i].row)->kind != held[i].kind)
                return check_violate(c, CHECK_H1, "thread %u holds object %u, which is of kind %u and not %u", thread,
                                     held[i].row, object_at(c, held[i].row)->kind, held[i].kind);
            c->walk.referrers[held[i].row]++;
        }
    }
    return 0;
}

/* References that no other object's view shows. */
static uint32_t own_references(const struct check_context *c, const pgr_world *w, uint32_t row)
{
    const pgr_object_view *object = &c->walk.objects[row];
    pgr_packet_view packet;

    switch (object->kind) {
    case PGR_OBJECT_PAGES: /* of a transfer that has not put what it took */
        return !object->pages.vmo_count && !c->walk.seers[row] && check_is_taken(c, w, row);
    case PGR_OBJECT_VMAR: /* of the VMAR around it, or of the process */
        return !(object->flags & PGR_VMAR_DESTROYED);
    case PGR_OBJECT_MAPPING: /* of its VMAR */
        return 1;
    case PGR_OBJECT_PMT: /* of the BTI that keeps it */
        return (object->flags & PGR_PMT_QUARANTINED) != 0;
    case PGR_OBJECT_SOURCE: /* of its last packet */
        return object->source.packet && pgr_inspect_packet(w, object->source.packet, &packet) && packet.queued &&
               !packet.request;
    default:
        return 0;
    }
}

/* Every object counts as many references as there are: with fewer it would die too early, with more never. */
static int references_right(struct check_context *c, const pgr_world *w)
{
    for (uint32_t i = 0; i < c->walk.row_count; i++) {
        uint32_t row = c->walk.rows[i];
        const pgr_object_view *object = &c->walk.objects[row];
        uint32_t due = c->walk.referrers[row] + own_references(c, w, row);
        if (object->reference_count != due)
            return check_violate(c, CHECK_H1, "object %u (kind %u) counts %u references, and %u objects refer to it",
                                 row, object->kind, object->reference_count, due);
    }
    return 0;
}

/* H1: an object lives exactly as long as a handle or something else refers to it. */
int check_h1(struct check_context *c, const pgr_world *w)
{
    int found = handles_good(c, w);

    for (uint32_t i = 0; i < c->walk.row_count && !found; i++) {
        uint32_t row = c->walk.rows[i];
        const pgr_object_view *object = &c->walk.objects[row];
        if (object->kind == PGR_OBJECT_NONE || object->kind >= PGR_OBJECT_KIND_COUNT)
            return check_violate(c, CHECK_H1, "object %u is in use and of kind %u", row, object->kind);
        if (!object->handle_count && !object->reference_count)
            return check_violate(c, CHECK_H1, "object %u (kind %u) is in use with no handle and no reference", row,
                                 object->kind);
        found = links_good(c, row, object);
    }
    if (found || (found = holds_good(c, w)))
        return found;
    return references_right(c, w);
}

/* The new handle of a duplicate or replacement; 0 if the call makes none of these. */
static zx_handle_t new_handle(const pgr_call *call, const pgr_result *result, zx_rights_t *more)
{
    *more = 0;
    switch (call->number) {
    case PGR_CALL_HANDLE_DUPLICATE:
    case PGR_CALL_HANDLE_REPLACE:
        return (zx_handle_t)result->out[2];
    case PGR_CALL_VMO_REPLACE_AS_EXECUTABLE:
        *more = ZX_RIGHT_EXECUTE;
        return (zx_handle_t)result->out[2];
    default:
        return ZX_HANDLE_INVALID;
    }
}

/* Every handle that a successful call gave out is alive. */
static int outs_alive(struct check_context *c, const pgr_world *w, const pgr_result *result)
{
    const pgr_call_info *info = pgr_call_row(result->call);

    for (uint32_t place = 0; info && place < info->arg_count && place < PGR_ARGS_MAX; place++)
        if (info->args[place].kind == PGR_ARG_HANDLE_OUT && !pgr_inspect_handle_row(w, (zx_handle_t)result->out[place]))
            return check_violate(c, CHECK_H1, "%s gave out handle 0x%x, which is not alive", info->name,
                                 (unsigned)result->out[place]);
    return 0;
}

/*
 * H1 of what the call touched: a duplicate or replacement names the same object and has no right that its source
 * lacked.
 */
int check_h1_touched(struct check_context *c, const pgr_world *w, const pgr_call *call, const pgr_result *result)
{
    zx_rights_t more;
    pgr_handle_view handle;

    if (result->outcome != PGR_DONE || result->status != ZX_OK)
        return 0;
    int found = outs_alive(c, w, result);
    if (found)
        return found;
    zx_handle_t value = new_handle(call, result, &more);
    const struct handle_memo *source = &c->before.handles[0];
    if (!value || !c->before.handle_count || !pgr_inspect_handle(w, pgr_inspect_handle_row(w, value), &handle))
        return 0;
    if (!source->row || handle.object != source->handle.object)
        return check_violate(c, CHECK_H1, "handle 0x%x was made from handle 0x%x and names object %u instead of %u",
                             value, (unsigned)call->arg[0], handle.object, source->row ? source->handle.object : 0);
    if (handle.rights & ~(source->handle.rights | more))
        return check_violate(c, CHECK_H1, "handle 0x%x to object %u has the rights 0x%x, its source had 0x%x", value,
                             handle.object, handle.rights, source->handle.rights | more);
    return 0;
}

/* --- C1 --- */

static int count_differs(struct check_context *c, const char *of, uint32_t row, const char *name, uint64_t said,
                         uint64_t counted)
{
    if (said == counted)
        return 0;
    return check_violate(c, CHECK_C1, "%s %u: %s is said to be %llu, a walk counts %llu", of, row, name,
                         (unsigned long long)said, (unsigned long long)counted);
}

/* Frames and pins in the map of these pages; the walk ends behind `runs_max` runs and then returns 0. */
static int count_pages(const pgr_world *w, uint32_t row, uint64_t runs_max, uint64_t *frames, uint64_t *pins)
{
    uint64_t page = 0;
    pgr_run_view run;

    *frames = *pins = 0;
    while (pgr_inspect_run(w, row, page, &run)) {
        if (!runs_max-- || run.page > UINT64_MAX - run.count || run.page + run.count <= page)
            return 0;
        *frames += run.frame ? run.count : 0;
        *pins += run.pins * run.count;
        page = run.page + run.count;
    }
    return 1;
}

static int pages_counts(struct check_context *c, const pgr_world *w, uint32_t row, const pgr_object_view *pages)
{
    uint64_t frames, pins;
    int found = count_differs(c, "pages", row, "the number of VMOs", pages->pages.vmo_count, c->walk.vmos[row]);

    if (found || !count_pages(w, row, (uint64_t)c->config.run_count + 1, &frames, &pins))
        return found;
    if ((found = count_differs(c, "pages", row, "the number of frames", pages->pages.frames_held, frames)))
        return found;
    return count_differs(c, "pages", row, "the sum of pins", pages->pages.pins, pins);
}

static int vmo_size(struct check_context *c, uint32_t row, const pgr_object_view *vmo)
{
    uint64_t size = object_at(c, vmo->vmo.pages)->pages.size_pages;

    if (!(vmo->flags & PGR_VMO_SLICE))
        return count_differs(c, "vmo", row, "the size in pages", vmo->vmo.size_pages, size);
    if (vmo->vmo.offset_pages > size || vmo->vmo.size_pages > size - vmo->vmo.offset_pages)
        return check_violate(c, CHECK_C1, "slice vmo %u shows %llu pages from page %llu of pages %u, which have %llu",
                             row, (unsigned long long)vmo->vmo.size_pages, (unsigned long long)vmo->vmo.offset_pages,
                             vmo->vmo.pages, (unsigned long long)size);
    return 0;
}

static int object_counts(struct check_context *c, const pgr_world *w, uint32_t row, const pgr_object_view *object)
{
    int found = count_differs(c, "object", row, "the number of handles", object->handle_count, c->walk.handles[row]);

    if (!found && object->kind == PGR_OBJECT_PAGES)
        found = pages_counts(c, w, row, object);
    if (!found && object->kind == PGR_OBJECT_VMO)
        found = count_differs(c, "vmo", row, "the number of children", object->vmo.child_count, c->walk.children[row]);
    if (!found && object->kind == PGR_OBJECT_VMO)
        found =
            count_differs(c, "vmo", row, "the number of mappings", object->vmo.mapping_count, c->walk.mappings[row]);
    if (!found && object->kind == PGR_OBJECT_VMO)
        found = vmo_size(c, row, object);
    return found;
}

static void count_relations(struct check_context *c)
{
    for (uint32_t i = 0; i < c->walk.row_count; i++) {
        const pgr_object_view *object = &c->walk.objects[c->walk.rows[i]];
        if (object->kind == PGR_OBJECT_MAPPING)
            c->walk.mappings[object->mapping.vmo]++;
        if (object->kind != PGR_OBJECT_VMO)
            continue;
        c->walk.children[object->vmo.parent]++;
        c->walk.vmos[object->vmo.pages]++;
    }
}

static int totals(struct check_context *c, const pgr_world *w)
{
    uint32_t handles = 0, packets = 0, requests = 0, blocked = 0, released = 0;
    pgr_inspect_counts counts;
    pgr_packet_view packet;
    pgr_request_view request;
    pgr_thread_view thread;

    pgr_inspect_world(w, &counts);
    for (uint32_t i = 0; i < c->walk.row_count; i++)
        handles += c->walk.handles[c->walk.rows[i]];
    for (uint32_t row = 1; row < c->config.packet_count; row++)
        packets += pgr_inspect_packet(w, row, &packet) != 0;
    for (uint32_t row = 1; row <= check_request_rows(c); row++)
        requests += pgr_inspect_request(w, row, &request) != 0;
    for (uint32_t i = 0; i < c->config.thread_count; i++) {
        int exists = pgr_inspect_thread(w, i, &thread);
        blocked += exists && thread.state == PGR_THREAD_BLOCKED;
        released += exists && thread.state == PGR_THREAD_RELEASED;
    }
    int found;
    if ((found = count_differs(c, "world", 0, "the number of objects", counts.objects_used, c->walk.row_count)) ||
        (found = count_differs(c, "world", 0, "the number of handles", counts.handles_used, handles)) ||
        (found = count_differs(c, "world", 0, "the number of packets", counts.packets_used, packets)) ||
        (found = count_differs(c, "world", 0, "the number of requests", counts.requests_used, requests)) ||
        (found = count_differs(c, "world", 0, "the number of blocked threads", counts.threads_blocked, blocked)))
        return found;
    return count_differs(c, "world", 0, "the number of released threads", counts.threads_released, released);
}

/*
 * C1: what is counted, and reported by zx_object_get_info, is what a walk counts. After check_h1, which counts handles.
 */
int check_c1(struct check_context *c, const pgr_world *w)
{
    int found = 0;

    count_relations(c);
    for (uint32_t i = 0; i < c->walk.row_count && !found; i++)
        found = object_counts(c, w, c->walk.rows[i], &c->walk.objects[c->walk.rows[i]]);
    return found ? found : totals(c, w);
}

/* The pages that zx_object_get_info should say are committed in this VMO; returns 0 if they are too many to count. */
static int committed_pages(const pgr_world *w, const pgr_object_view *vmo, uint64_t *pages)
{
    uint64_t pins;

    *pages = 0;
    return (vmo->flags & (PGR_VMO_SLICE | PGR_VMO_REFERENCE)) ||
           count_pages(w, vmo->vmo.pages, SNAPSHOT_RUNS_MAX, pages, &pins);
}

/* Is there a pager at the root of what the VMO shows? */
static int has_pager(const struct check_context *c, const pgr_world *w, uint32_t pages)
{
    pgr_object_view object;

    for (uint32_t depth = 0; depth < c->config.object_count && pgr_inspect_object(w, pages, &object); depth++) {
        if (object.kind != PGR_OBJECT_PAGES || !object.pages.parent)
            return object.kind == PGR_OBJECT_PAGES && object.pages.source != 0;
        pages = object.pages.parent;
    }
    return 0;
}

static int info_vmo(struct check_context *c, const pgr_world *w, const pgr_result *result, uint32_t row,
                    const pgr_object_view *vmo, const pgr_handle_view *handle)
{
    const zx_info_vmo_t *info = &result->vmo;
    uint32_t shift = c->config.page_shift;
    pgr_object_view parent = {0};
    uint64_t committed;
    int found;

    if (vmo->vmo.parent)
        pgr_inspect_object(w, vmo->vmo.parent, &parent);
    if ((found = count_differs(c, "vmo", row, "info.koid", info->koid, vmo->koid)) ||
        (found = count_differs(c, "vmo", row, "info.parent_koid", info->parent_koid, parent.koid)) ||
        (found = count_differs(c, "vmo", row, "info.size_bytes", info->size_bytes, vmo->vmo.size_pages << shift)) ||
        (found = count_differs(c, "vmo", row, "info.num_children", info->num_children, vmo->vmo.child_count)) ||
        (found = count_differs(c, "vmo", row, "info.num_mappings", info->num_mappings, vmo->vmo.mapping_count)) ||
        (found = count_differs(c, "vmo", row, "info.share_count", info->share_count, 1)) ||
        (found = count_differs(c, "vmo", row, "the flag of a pager", (info->flags & ZX_INFO_VMO_PAGER_BACKED) != 0,
                               (uint64_t)has_pager(c, w, vmo->vmo.pages))) ||
        (found = count_differs(c, "vmo", row, "info.handle_rights", info->handle_rights, handle->rights)) ||
        (found = count_differs(c, "vmo", row, "info.cache_policy", info->cache_policy, vmo->vmo.cache_policy)) ||
        !committed_pages(w, vmo, &committed) ||
        (found = count_differs(c, "vmo", row, "info.committed_bytes", info->committed_bytes, committed << shift)))
        return found;
    return count_differs(c, "vmo", row, "info.populated_bytes", info->populated_bytes, committed << shift);
}

/* C1 of a zx_object_get_info that has just been answered. */
int check_c1_touched(struct check_context *c, const pgr_world *w, const pgr_call *call, const pgr_result *result)
{
    const struct handle_memo *memo = &c->before.handles[0];
    pgr_object_view object;
    int found;

    if (call->number != PGR_CALL_OBJECT_GET_INFO || result->outcome != PGR_DONE || result->status != ZX_OK)
        return 0;
    if (!c->before.handle_count || !memo->row || !pgr_inspect_object(w, memo->handle.object, &object))
        return check_violate(c, CHECK_C1, "%s succeeded for 0x%x, which is no live handle", "zx_object_get_info",
                             (unsigned)call->arg[0]);
    switch ((uint32_t)call->arg[1]) {
    case ZX_INFO_HANDLE_BASIC:
        found = count_differs(c, "object", memo->handle.object, "info.koid", result->handle_basic.koid, object.koid);
        return found ? found
                     : count_differs(c, "object", memo->handle.object, "info.rights", result->handle_basic.rights,
                                     memo->handle.rights);
    case ZX_INFO_HANDLE_COUNT:
        return count_differs(c, "object", memo->handle.object, "info.handle_count", result->handle_count.handle_count,
                             object.handle_count);
    case ZX_INFO_VMO:
        return info_vmo(c, w, result, memo->handle.object, &object, &memo->handle);
    default:
        return 0;
    }
}

/* C2 (ours): ZX_VMO_ZERO_CHILDREN is asserted on a VMO exactly while it has a handle and no child. */
int check_c2(struct check_context *c, const pgr_world *w)
{
    (void)w;
    for (uint32_t i = 0; i < c->walk.row_count; i++) {
        uint32_t row = c->walk.rows[i];
        const pgr_object_view *vmo = &c->walk.objects[row];
        if (vmo->kind != PGR_OBJECT_VMO || !vmo->handle_count)
            continue;
        if (!(vmo->signals & ZX_VMO_ZERO_CHILDREN) != (vmo->vmo.child_count != 0))
            return check_violate(c, CHECK_C2, "vmo %u has %u children and the signals 0x%x", row, vmo->vmo.child_count,
                                 vmo->signals);
    }
    return 0;
}

/* --- H2 --- */

static int is_empty(struct check_context *c, const pgr_world *w)
{
    pgr_inspect_counts n;

    pgr_inspect_world(w, &n);
    const struct {
        const char *name;
        uint32_t used;
    } rows[] = {
        {"objects", n.objects_used},
        {"handles", n.handles_used},
        {"packets", n.packets_used},
        {"requests", n.requests_used},
        {"blocked threads", n.threads_blocked},
        {"released threads", n.threads_released},
        {"frames", c->config.frame_count - 1 - n.frames_free},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (rows[i].used)
            return check_violate(c, CHECK_H2, "the process has ended and %u %s are in use", rows[i].used, rows[i].name);
    return 0;
}

/* A block for the fresh world of this configuration; null without memory. */
static void *spare_block(struct check_context *c)
{
    uint64_t bytes = pgr_world_bytes(&c->config);

    if (bytes > c->spare_bytes) {
        free(c->spare_block);
        c->spare_block = memory_allocate(bytes);
        c->spare_bytes = c->spare_block ? bytes : 0;
    }
    return c->spare_block;
}

/* What a fresh world of this configuration that has ended its process is worth; null without memory for one. */
static const struct fresh_end *fresh_end(struct check_context *c, void *frames)
{
    pgr_inspect_counts counts;
    pgr_result result;
    pgr_world *fresh;

    for (uint32_t i = 0; i < FRESH_ENDS_MAX; i++)
        if (memcmp(&c->fresh_ends[i].config, &c->config, sizeof c->config) == 0)
            return &c->fresh_ends[i];
    if (!spare_block(c) || pgr_init(c->spare_block, c->spare_bytes, &c->config, &fresh) != ZX_OK)
        return NULL;
    pgr_dispatch(fresh, frames, &(pgr_call){.number = PGR_CALL_PROCESS_EXIT}, &result);
    pgr_inspect_world(fresh, &counts);

    struct fresh_end *end = &c->fresh_ends[c->fresh_end_next++ % FRESH_ENDS_MAX];
    *end = (struct fresh_end){c->config, pgr_canonical_hash(fresh, frames), counts.nodes_used};
    return end;
}

/* H2: after the end of the process nothing is in use, and the world is worth a fresh one that ended the same way. */
int check_h2(struct check_context *c, const pgr_world *w, void *frames)
{
    int found = is_empty(c, w);
    const struct fresh_end *fresh = found ? NULL : fresh_end(c, frames);
    pgr_inspect_counts counts;

    if (!fresh)
        return found;
    pgr_inspect_world(w, &counts);
    if (counts.nodes_used != fresh->nodes_used)
        return check_violate(c, CHECK_H2, "the process has ended and %u map nodes are in use, a fresh world has %u",
                             counts.nodes_used, fresh->nodes_used);
    uint64_t hash = pgr_canonical_hash(w, frames);
    if (hash != fresh->hash)
        return check_violate(c, CHECK_H2,
                             "the process has ended, nothing is in use, and the canonical hash is %016llx, a fresh "
                             "world's %016llx",
                             (unsigned long long)hash, (unsigned long long)fresh->hash);
    return 0;
}

NO_COVERAGE_END
