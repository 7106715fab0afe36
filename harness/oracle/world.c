/*
 * The oracle as an implementation under test: its world made and ended, its VMOs shown to comparers.
 */
#include "harness/oracle/oracle_pages.h"
#include "harness/oracle/oracle_dispatch.h"
#include "harness/implementation.h"

#include <stdlib.h>
#include <string.h>

/* --- a world ends: every object is freed as it is, without any of the effects that its death would have --- */

static void free_object(struct oracle_object *object)
{
    if (object->kind == PGR_OBJECT_PAGES) {
        struct oracle_pages *pages = (struct oracle_pages *)object;
        free(pages->page);
        oracle_list_free(&pages->vmos);
    }
    if (object->kind == PGR_OBJECT_PORT) {
        struct oracle_port *port = (struct oracle_port *)object;
        for (size_t i = 0; i < port->packets.count; i++)
            free(port->packets.items[i]);
        oracle_list_free(&port->packets);
    }
    if (object->kind == PGR_OBJECT_SOURCE) {
        struct oracle_source *source = (struct oracle_source *)object;
        for (size_t i = 0; i < source->requests.count; i++) {
            oracle_list_free(&((struct oracle_request *)source->requests.items[i])->joined);
            free(source->requests.items[i]);
        }
        oracle_list_free(&source->requests);
        oracle_list_free(&source->queue);
    }
    free(object);
}

static void free_frames(struct oracle *o)
{
    for (uint32_t i = 0; i < o->config.frame_count && o->frames; i++) {
        if (!o->frames[i])
            continue;
        free(o->frames[i]->bytes);
        free(o->frames[i]);
    }
    free(o->frames);
}

static void free_items(struct oracle_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        free(list->items[i]);
    oracle_list_free(list);
}

static void end_world(struct oracle *o)
{
    for (size_t i = 0; i < o->objects.count; i++)
        free_object(o->objects.items[i]);
    oracle_list_free(&o->objects);
    free_items(&o->mappings);
    free_items(&o->handles);
    free_items(&o->async_waits);
    oracle_list_free(&o->released);
    oracle_list_free(&o->waiting);
    for (uint32_t i = 0; i < o->config.thread_count && o->threads; i++)
        oracle_bag_end(o, &o->threads[i]);
    free_frames(o);
    free(o->threads);
    free(o->zeros);
    free(o->scratch);
    memset(o, 0, sizeof(*o));
}

/* --- a fresh world: trace-format.md, "The world at the start" --- */

static void make_start_objects(struct oracle *o)
{
    o->root_vmar = oracle_root_vmar_make(o);
    struct oracle_bti *bti = oracle_object_make(o, PGR_OBJECT_BTI, sizeof(*bti));
    struct oracle_resource *resource = oracle_object_make(o, PGR_OBJECT_RESOURCE, sizeof(*resource));
    struct oracle_event *event = oracle_object_make(o, PGR_OBJECT_EVENT, sizeof(*event));
    /* objects.md: default rights. */
    o->start.vmar = oracle_handle_make(o, o->root_vmar, 0x20801f);
    o->start.bti = oracle_handle_make(o, bti, 0x80ef);
    o->start.resource = oracle_handle_make(o, resource, 0x800b);
    o->start.event = oracle_handle_make(o, event, 0xd003);
}

static int oracle_reset(void *self, const pgr_config *config, pgr_start *start)
{
    struct oracle *o = self;
    if (config->page_shift < PGR_PAGE_SHIFT_MIN || config->page_shift > PGR_PAGE_SHIFT_MAX)
        return -1;
    end_world(o);
    o->config = *config;
    o->page_bytes = (uint64_t)1 << config->page_shift;
    o->threads = oracle_zalloc(config->thread_count * sizeof(*o->threads));
    for (uint32_t i = 0; i < config->thread_count; i++)
        o->threads[i].number = i;
    o->frames = oracle_zalloc(config->frame_count * sizeof(struct oracle_frame *));
    o->frames_free = config->frame_count - 1;
    o->frame_hint = 1;
    o->next_koid = 1024;
    o->next_family = 1;
    o->zeros = oracle_zalloc(o->page_bytes);
    o->scratch = oracle_zalloc(o->page_bytes);
    make_start_objects(o);
    *start = o->start;
    return 0;
}

static void oracle_end(void *self)
{
    end_world(self);
    free(self);
}

/* --- what comparers may see --- */

static struct oracle_vmo *vmo_of(struct oracle *o, zx_handle_t handle)
{
    struct oracle_vmo *vmo;
    return oracle_handle_get(o, handle, PGR_OBJECT_VMO, 0, &vmo) == ZX_OK ? vmo : NULL;
}

static int oracle_view_vmo(void *self, zx_handle_t handle, struct implementation_vmo *view)
{
    struct oracle *o = self;
    struct oracle_vmo *vmo = vmo_of(o, handle);
    if (!vmo)
        return 0;
    view->size_bytes = oracle_vmo_size(o, vmo);
    view->content_size_bytes = oracle_vmo_content_size(vmo);
    view->committed_pages = 0;
    view->pins = 0;
    uint64_t first = oracle_vmo_first(vmo);
    for (size_t i = oracle_record_index(vmo->pages, first); i < vmo->pages->page_count; i++) {
        const struct oracle_page *record = &vmo->pages->page[i];
        if (record->first - first >= oracle_vmo_count(vmo) && record->first >= first)
            break;
        view->committed_pages += record->frame != NULL;
        view->pins += record->pins;
    }
    return 1;
}

static int oracle_view_page(void *self, zx_handle_t handle, uint64_t page, struct implementation_page *view)
{
    struct oracle *o = self;
    struct oracle_vmo *vmo = vmo_of(o, handle);
    if (!vmo || page >= oracle_vmo_count(vmo))
        return 0;
    memset(view, 0, sizeof(*view));
    page += oracle_vmo_first(vmo);
    const struct oracle_page *record = oracle_record_at(vmo->pages, page);
    if (record) {
        view->state = record->state;
        view->pins = record->pins;
        view->hint = record->hint;
        view->awaiting = page - record->first < record->awaiting;
    }
    struct oracle_seen seen = oracle_see(vmo->pages, page, 1);
    if (seen.kind == ORACLE_SEES_ABSENT || vmo->pages->physical)
        return 1;
    view->bytes = seen.kind == ORACLE_SEES_FRAME ? seen.record->frame->bytes : o->zeros;
    return 1;
}

/* Where the stretch of pages ends that are in the same state as `page` is. */
static uint64_t oracle_next_change(void *self, zx_handle_t handle, uint64_t page)
{
    struct oracle *o = self;
    struct oracle_vmo *vmo = vmo_of(o, handle);
    if (!vmo)
        return UINT64_MAX;
    uint64_t first = oracle_vmo_first(vmo);
    const struct oracle_pages *pages = vmo->pages;
    const struct oracle_page *record = oracle_record_at(pages, first + page);
    uint32_t state = record ? record->state : PGR_PAGE_NONE;
    uint64_t at = first + page;
    for (size_t i = oracle_record_index(pages, at); i < pages->page_count; i++) {
        record = &pages->page[i];
        if (record->first > at && state != PGR_PAGE_NONE)
            break; /* a gap */
        if (record->state != state) {
            at = oracle_max(record->first, at);
            break;
        }
        at = record->first + record->count;
    }
    return at > first + page && at - first < oracle_vmo_count(vmo) ? at - first : UINT64_MAX;
}

/* The oracle comes first, so that freeing it frees both. */
struct whole {
    struct oracle oracle;
    struct implementation implementation;
};

struct implementation *implementation_oracle(void)
{
    struct whole *whole = calloc(1, sizeof(*whole));
    if (!whole)
        return NULL;
    whole->implementation = (struct implementation){
        .name = "oracle",
        .self = &whole->oracle,
        .reset = oracle_reset,
        .call = oracle_dispatch,
        .resume = oracle_resume,
        .released = oracle_first_released,
        .vmo = oracle_view_vmo,
        .page = oracle_view_page,
        .next_change = oracle_next_change,
        .end = oracle_end,
    };
    return &whole->implementation;
}
