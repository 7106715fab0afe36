/*
 * The life of objects: made, referred to, dead (objects.md, pager.md).
 */
#include "harness/oracle/oracle_pages.h"

#include <stdlib.h>

void *oracle_object_make(struct oracle *o, uint32_t kind, size_t bytes)
{
    struct oracle_object *object = oracle_zalloc(bytes);
    object->kind = kind;
    if (kind == PGR_OBJECT_MAPPING)
        return object;
    if (kind != PGR_OBJECT_PAGES && kind != PGR_OBJECT_SOURCE)
        object->koid = o->next_koid++;
    oracle_list_add(&o->objects, object);
    return object;
}

/* --- who refers to an object --- */

/* "a call keeps what it waits for alive until it has been resumed, or its thread is killed". */
static bool thread_holds(const struct oracle_thread *t, const void *object)
{
    for (int i = 0; i < ORACLE_HELD_MAX; i++) {
        if (t->held[i] == object)
            return true;
    }
    return t->fault_vmo == object || t->pmt == object;
}

static bool any_thread_holds(struct oracle *o, const void *object)
{
    for (uint32_t i = 0; i < o->config.thread_count; i++) {
        if (thread_holds(&o->threads[i], object))
            return true;
    }
    return false;
}

static bool vmo_is_mapped(struct oracle *o, const struct oracle_vmo *vmo)
{
    for (size_t i = 0; i < o->mappings.count; i++) {
        if (((struct oracle_mapping *)o->mappings.items[i])->vmo == vmo)
            return true;
    }
    return false;
}

/* What other objects say about this one: `refers` is asked about each. */
static bool any_object(struct oracle *o, const void *about, bool (*refers)(const struct oracle_object *, const void *))
{
    for (size_t i = 0; i < o->objects.count; i++) {
        if (refers(o->objects.items[i], about))
            return true;
    }
    return false;
}

static bool pins_vmo(const struct oracle_object *object, const void *about)
{
    return object->kind == PGR_OBJECT_PMT && ((const struct oracle_pmt *)object)->vmo == about;
}

static bool is_child_pages(const struct oracle_object *object, const void *about)
{
    return object->kind == PGR_OBJECT_PAGES && ((const struct oracle_pages *)object)->parent == about;
}

static bool sends_to_port(const struct oracle_object *object, const void *about)
{
    return object->kind == PGR_OBJECT_SOURCE && ((const struct oracle_source *)object)->port == about;
}

/* Quarantined pins do not keep their BTI: they come back when it dies (README.md, "Decisions"). */
static bool pins_through_bti(const struct oracle_object *object, const void *about)
{
    const struct oracle_pmt *pmt = (const struct oracle_pmt *)object;
    return object->kind == PGR_OBJECT_PMT && pmt->bti == about && !pmt->quarantined;
}

static bool is_referred_to(struct oracle *o, struct oracle_object *object)
{
    if (object->handle_count > 0 || any_thread_holds(o, object))
        return true;
    switch (object->kind) {
    case PGR_OBJECT_VMO:
        return vmo_is_mapped(o, (struct oracle_vmo *)object) || any_object(o, object, pins_vmo);
    case PGR_OBJECT_PAGES:
        return ((struct oracle_pages *)object)->vmos.count > 0 || any_object(o, object, is_child_pages);
    case PGR_OBJECT_SOURCE:
        return ((struct oracle_source *)object)->pages || ((struct oracle_source *)object)->packet;
    case PGR_OBJECT_PORT:
        return any_object(o, object, sends_to_port);
    case PGR_OBJECT_BTI:
        return any_object(o, object, pins_through_bti);
    case PGR_OBJECT_PMT:
        return ((struct oracle_pmt *)object)->quarantined != 0;
    case PGR_OBJECT_VMAR:
        return !((struct oracle_vmar *)object)->destroyed;
    default:
        return false;
    }
}

/* --- deaths --- */

/* children.md: the dead VMO's children become direct children of its parent. */
static void rehome_children(struct oracle *o, struct oracle_vmo *dead)
{
    for (size_t i = 0; i < o->objects.count; i++) {
        struct oracle_vmo *child = o->objects.items[i];
        if (child->object.kind == PGR_OBJECT_VMO && child->parent == dead)
            child->parent = dead->parent;
    }
}

/* children.md: if the owner's object dies first, a reference takes over. */
static void pass_ownership(struct oracle_vmo *dead)
{
    if (dead->reference || dead->slice)
        return;
    for (size_t i = 0; i < dead->pages->vmos.count; i++) {
        struct oracle_vmo *vmo = dead->pages->vmos.items[i];
        if (!vmo->reference || vmo->slice)
            continue;
        vmo->reference = false;
        return;
    }
}

/* children.md: ZERO_CHILDREN is asserted again when the last direct child goes; only while a handle can observe it. */
static void signal_zero_children(struct oracle *o, struct oracle_vmo *parent)
{
    if (parent && parent->object.handle_count > 0 && oracle_vmo_children(o, parent) == 0)
        oracle_signal(o, &parent->object, 0, ZX_VMO_ZERO_CHILDREN);
}

static void vmo_dies(struct oracle *o, struct oracle_vmo *vmo)
{
    rehome_children(o, vmo);
    oracle_list_remove(&vmo->pages->vmos, vmo);
    pass_ownership(vmo);
    signal_zero_children(o, vmo->parent);
    oracle_unreferenced(o, &vmo->pages->object);
}

static void pages_die(struct oracle *o, struct oracle_pages *pages)
{
    oracle_records_clear(o, pages, 0, UINT64_MAX);
    free(pages->page);
    oracle_list_free(&pages->vmos);
    if (pages->source) {
        pages->source->pages = NULL;
        oracle_source_complete(o, pages->source);
        oracle_unreferenced(o, &pages->source->object);
    }
    if (pages->parent)
        oracle_unreferenced(o, &pages->parent->object);
}

static void source_dies(struct oracle *o, struct oracle_source *source)
{
    oracle_list_free(&source->requests);
    oracle_list_free(&source->queue);
    oracle_unreferenced(o, &source->port->object);
}

static void pmt_dies(struct oracle *o, struct oracle_pmt *pmt)
{
    if (pmt->vmo)
        oracle_unreferenced(o, &pmt->vmo->object);
    if (pmt->bti)
        oracle_unreferenced(o, &pmt->bti->object);
}

static void port_dies(struct oracle *o, struct oracle_port *port)
{
    oracle_port_end(o, port);
    oracle_list_free(&port->packets);
}

static void object_dies(struct oracle *o, struct oracle_object *object)
{
    switch (object->kind) {
    case PGR_OBJECT_VMO:
        vmo_dies(o, (struct oracle_vmo *)object);
        break;
    case PGR_OBJECT_PAGES:
        pages_die(o, (struct oracle_pages *)object);
        break;
    case PGR_OBJECT_SOURCE:
        source_dies(o, (struct oracle_source *)object);
        break;
    case PGR_OBJECT_PORT:
        port_dies(o, (struct oracle_port *)object);
        break;
    case PGR_OBJECT_BTI:
        oracle_bti_end(o, (struct oracle_bti *)object);
        break;
    case PGR_OBJECT_PMT:
        pmt_dies(o, (struct oracle_pmt *)object);
        break;
    default:
        break;
    }
}

void oracle_unreferenced(struct oracle *o, struct oracle_object *object)
{
    if (!object || !oracle_list_has(&o->objects, object) || is_referred_to(o, object))
        return;
    oracle_list_remove(&o->objects, object);
    object_dies(o, object);
    free(object);
}
