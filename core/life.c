/*
 * The ends of things: what happens when the last handle of an object closes, when nothing refers to it any more,
 * and when a thread is killed. One death may cause others; they are listed, not nested.
 */
#include "life.h"

#include "handles.h"
#include "pages.h"
#include "ports.h"
#include "vmo.h"

#define CHAIN_QUARANTINED CHAIN(TABLE_OBJECTS, struct object, pmt.quarantined)

/* --- a handle closes, and maybe the last one --- */

static void port_close(pgr_world *w, uint32_t row)
{
    struct port *port = port_at(w, row);

    while (port->watches.first != 0) {
        uint32_t watch = port->watches.first;

        watch_remove(w, watch);
        row_give(w, TABLE_PACKETS, watch);
    }
    while (port->packets.first != 0) {
        uint32_t packet = port->packets.first;

        port_withdraw(w, packet);
        if (packet_at(w, packet)->kind == PACKET_SOURCE)
            source_sent(w, packet_at(w, packet)->source, PGR_REQUEST_SWALLOWED);
        else
            row_give(w, TABLE_PACKETS, packet);
    }
}

static void source_leave_pager(pgr_world *w, uint32_t row)
{
    struct source *source = source_at(w, row);

    list_remove(w, &object_at(w, source->pager)->pager.sources, CHAIN_OF_PAGER, row);
    source->pager = 0;
}

static void pager_close(pgr_world *w, uint32_t row)
{
    const struct pager *pager = &object_at(w, row)->pager;

    while (pager->sources.first != 0) {
        uint32_t source = pager->sources.first;

        source_leave_pager(w, source);
        source_close(w, source);
    }
}

/* Pinned pages whose PMT nobody can unpin any more stay pinned, in the BTI's care. */
static void pmt_quarantine(pgr_world *w, uint32_t row)
{
    struct object *object = object_at(w, row);
    struct bti *bti;

    if (object->pmt.bti == 0)
        return;
    bti = &object_at(w, object->pmt.bti)->bti;
    object->flags |= PGR_PMT_QUARANTINED;
    object_reference(w, row);
    list_append(w, &bti->quarantined, CHAIN_QUARANTINED, row);
    bti->quarantine_count++;
    bti->pmt_count--;
    object_release(w, object->pmt.bti);
}

static void object_unnamed(pgr_world *w, uint32_t row)
{
    switch (object_at(w, row)->kind) {
    case PGR_OBJECT_PORT:
        port_close(w, row);
        break;
    case PGR_OBJECT_PAGER:
        pager_close(w, row);
        break;
    case PGR_OBJECT_PMT:
        pmt_quarantine(w, row);
        break;
    default:
        break;
    }
    object_check_alive(w, row);
}

void handle_close(pgr_world *w, uint32_t row)
{
    uint32_t object = handle_at(w, row)->object;

    signals_cancel_handle(w, object, handle_value(w, row));
    handle_free(w, row);
    if (--object_at(w, object)->handle_count == 0)
        object_unnamed(w, object);
}

/* --- nothing refers to it --- */

void pmt_end(pgr_world *w, uint32_t row)
{
    struct object *object = object_at(w, row);
    struct pmt *pmt = &object->pmt;

    if ((object_at(w, pmt->pages)->flags & PGR_PAGES_PHYSICAL) == 0)
        pages_unpin(w, pmt->pages, pmt->offset_pages, pmt->offset_pages + pmt->count_pages);
    w->unpins_promised--;
    object_release(w, pmt->vmo);
    if (object->flags == 0)
        object_at(w, pmt->bti)->bti.pmt_count--;
    if ((object->flags & PGR_PMT_QUARANTINED) == 0)
        object_release(w, pmt->bti);
    *pmt = (struct pmt){0};
}

void bti_release_quarantine(pgr_world *w, uint32_t row)
{
    struct bti *bti = &object_at(w, row)->bti;

    while (bti->quarantined.first != 0) {
        uint32_t pmt = bti->quarantined.first;

        list_remove(w, &bti->quarantined, CHAIN_QUARANTINED, pmt);
        pmt_end(w, pmt);
        object_release(w, pmt);
    }
    bti->quarantine_count = 0;
}

/* Its children become those of its parent, before it leaves that parent itself. */
static void vmo_bury(pgr_world *w, uint32_t row)
{
    struct vmo *vmo = vmo_at(w, row);
    uint32_t parent = vmo->parent;

    while (vmo->children.first != 0) {
        uint32_t child = vmo->children.first;

        vmo_leave_parent(w, child);
        vmo_join_parent(w, child, parent);
    }
    vmo_leave_parent(w, row);
    vmo_leave_references(w, row);
    if (parent != 0 && vmo_at(w, parent)->child_count == 0)
        object_signal(w, parent, 0, ZX_VMO_ZERO_CHILDREN);
    pages_at(w, vmo->pages)->vmo_count--;
    object_release(w, vmo->pages);
}

static void pages_bury(pgr_world *w, uint32_t row)
{
    struct pages *pages = pages_at(w, row);

    pages_discard(w, row, 0, pages->size_pages);
    pages_at(w, pages->family_next)->family_prev = pages->family_prev;
    pages_at(w, pages->family_prev)->family_next = pages->family_next;
    pages_leave_parent(w, row);
    if (pages->source != 0 || (object_at(w, row)->flags & PGR_PAGES_DISCARDABLE) != 0)
        evictable_remove(w, row);
    if (pages->source == 0)
        return;
    source_at(w, pages->source)->pages = 0;
    source_complete(w, pages->source);
    object_release(w, pages->source);
}

static void source_bury(pgr_world *w, uint32_t row)
{
    const struct source *source = source_at(w, row);

    if (source->pager != 0)
        source_leave_pager(w, row);
    row_give(w, TABLE_PACKETS, source->packet);
    object_release(w, source->port);
}

void objects_bury(pgr_world *w)
{
    uint32_t row;

    while ((row = object_next_dead(w)) != 0) {
        switch (object_at(w, row)->kind) {
        case PGR_OBJECT_VMO:
            vmo_bury(w, row);
            break;
        case PGR_OBJECT_PAGES:
            pages_bury(w, row);
            break;
        case PGR_OBJECT_SOURCE:
            source_bury(w, row);
            break;
        case PGR_OBJECT_BTI:
            bti_release_quarantine(w, row);
            break;
        default:
            break;
        }
        object_free(w, row);
    }
}

/* --- threads --- */

static void hold(pgr_world *w, uint32_t object)
{
    if (object != 0)
        object_reference(w, object);
}

static void let_go(pgr_world *w, uint32_t object)
{
    if (object != 0)
        object_release(w, object);
}

void op_hold(pgr_world *w, const struct op *op)
{
    hold(w, op->vmo);
    hold(w, op->second_vmo);
    hold(w, op->waited_on);
    hold(w, op->vmar);
}

void op_drop(pgr_world *w, const struct op *op)
{
    let_go(w, op->vmo);
    let_go(w, op->second_vmo);
    let_go(w, op->waited_on);
    let_go(w, op->vmar);
}

void op_move(pgr_world *w, struct op *op, uint32_t vmo)
{
    if (op->waited) {
        hold(w, vmo);
        let_go(w, op->vmo);
    }
    op->vmo = vmo;
}

void op_move_second(pgr_world *w, struct op *op, uint32_t vmo)
{
    if (op->waited) {
        hold(w, vmo);
        let_go(w, op->second_vmo);
    }
    op->second_vmo = vmo;
}

void op_undo(pgr_world *w, struct op *op)
{
    let_go(w, op->taken);
    op->taken = 0;
    if (op->pmt == 0)
        return;
    pmt_end(w, op->pmt);
    object_release(w, op->pmt);
    op->pmt = 0;
}

static void wait_abandon(pgr_world *w, uint32_t row)
{
    struct thread *thread = thread_at(w, row);

    switch (thread->wait) {
    case PGR_WAIT_REQUEST:
        request_abandon(w, row);
        break;
    case PGR_WAIT_PORT:
        list_remove(w, &port_at(w, thread->object)->waiters, CHAIN_THREADS, row);
        break;
    default:
        list_remove(w, &object_at(w, thread->object)->waiters, CHAIN_THREADS, row);
        break;
    }
}

void thread_kill(pgr_world *w, uint32_t row)
{
    struct thread *thread = thread_at(w, row);

    if (thread->state == PGR_THREAD_IDLE)
        return;
    if (thread->state == PGR_THREAD_BLOCKED)
        wait_abandon(w, row);
    else
        list_remove(w, &w->released, CHAIN_THREADS, row);
    op_undo(w, &thread->op);
    op_drop(w, &thread->op);
    memset(thread, 0, sizeof(*thread));
}
