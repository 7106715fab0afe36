/*
 * Ports and signals: packets in order, threads that wait for one, and objects that send one when a signal is raised.
 *
 * A packet that comes while a thread waits is received by the longest waiter at that moment; otherwise it joins the
 * queue. A port whose last handle is closed swallows what comes.
 */
#include "ports.h"

#include "objects.h"
#include "threads.h"

#define CHAIN_QUEUE CHAIN(TABLE_PACKETS, struct packet, links)
#define CHAIN_OF_OBJECT CHAIN(TABLE_PACKETS, struct packet, of_object)
#define CHAIN_OF_PORT CHAIN(TABLE_PACKETS, struct packet, of_port)

enum post port_post(pgr_world *w, uint32_t row)
{
    struct packet *packet = packet_at(w, row);
    struct port *port = port_at(w, packet->port);
    uint32_t waiter = port->waiters.first;

    if (object_at(w, packet->port)->handle_count == 0)
        return POST_SWALLOWED;
    if (waiter == 0) {
        packet->queued = 1;
        list_append(w, &port->packets, CHAIN_QUEUE, row);
        return POST_QUEUED;
    }
    list_remove(w, &port->waiters, CHAIN_THREADS, waiter);
    thread_at(w, waiter)->packet = packet->body;
    thread_release(w, waiter, ZX_OK);
    return POST_RECEIVED;
}

void port_withdraw(pgr_world *w, uint32_t row)
{
    struct packet *packet = packet_at(w, row);
    struct port *port = port_at(w, packet->port);

    list_remove(w, &port->packets, CHAIN_QUEUE, row);
    packet->queued = 0;
    if (packet->kind == PACKET_USER)
        port->user_packets--;
}

/* --- async waits: packets that stand in two lists until they fire, their object's and their port's --- */

void watch_add(pgr_world *w, uint32_t row)
{
    const struct packet *packet = packet_at(w, row);

    list_append(w, &object_at(w, packet->object)->watches, CHAIN_OF_OBJECT, row);
    list_append(w, &port_at(w, packet->port)->watches, CHAIN_OF_PORT, row);
}

void watch_remove(pgr_world *w, uint32_t row)
{
    struct packet *packet = packet_at(w, row);

    list_remove(w, &object_at(w, packet->object)->watches, CHAIN_OF_OBJECT, row);
    list_remove(w, &port_at(w, packet->port)->watches, CHAIN_OF_PORT, row);
    packet->object = 0;
}

void watch_fire(pgr_world *w, uint32_t row, zx_signals_t observed)
{
    struct packet *packet = packet_at(w, row);

    packet->body.type = ZX_PKT_TYPE_SIGNAL_ONE;
    packet->body.signal.trigger = packet->trigger;
    packet->body.signal.observed = observed;
    packet->body.signal.count = 1;
    if (port_post(w, row) != POST_QUEUED)
        row_give(w, TABLE_PACKETS, row);
}

/* --- signals --- */

void object_signal(pgr_world *w, uint32_t row, zx_signals_t clear, zx_signals_t set)
{
    struct object *object = object_at(w, row);
    zx_signals_t signals = (object->signals & ~clear) | set;
    uint32_t waiter;
    uint32_t watch;

    if (signals == object->signals)
        return;
    object->signals = signals;
    for (waiter = object->waiters.first; waiter != 0;) {
        struct thread *thread = thread_at(w, waiter);
        uint32_t next = thread->links.next;

        if ((thread->signals & signals) != 0) {
            list_remove(w, &object->waiters, CHAIN_THREADS, waiter);
            thread->signals = signals;
            thread_release(w, waiter, ZX_OK);
        }
        waiter = next;
    }
    for (watch = object->watches.first; watch != 0;) {
        uint32_t next = packet_at(w, watch)->of_object.next;

        if ((packet_at(w, watch)->trigger & signals) != 0) {
            watch_remove(w, watch);
            watch_fire(w, watch, signals);
        }
        watch = next;
    }
}

void signals_cancel_handle(pgr_world *w, uint32_t row, zx_handle_t value)
{
    struct object *object = object_at(w, row);
    uint32_t waiter;
    uint32_t watch;

    for (waiter = object->waiters.first; waiter != 0;) {
        struct thread *thread = thread_at(w, waiter);
        uint32_t next = thread->links.next;

        if (thread->handle == value) {
            list_remove(w, &object->waiters, CHAIN_THREADS, waiter);
            thread->signals = object->signals | ZX_SIGNAL_HANDLE_CLOSED;
            thread_release(w, waiter, ZX_ERR_CANCELED);
        }
        waiter = next;
    }
    for (watch = object->watches.first; watch != 0;) {
        uint32_t next = packet_at(w, watch)->of_object.next;

        if (packet_at(w, watch)->handle == value) {
            watch_remove(w, watch);
            row_give(w, TABLE_PACKETS, watch);
        }
        watch = next;
    }
}
