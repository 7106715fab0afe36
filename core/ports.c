/*
 * Ports and signals: packets in order, threads that wait for one, and objects that send one when a signal is raised.
 *
 * A packet that comes while a thread waits is received by the longest waiter at that moment; otherwise it joins the
 * queue. A port whose last handle is closed swallows what comes.
 */
#include "pgr_internal.h"

static void queue_append(pgr_world *w, struct port *port, uint32_t row)
{
    struct packet *packet = packet_at(w, row);

    packet->queued = 1;
    packet->next = 0;
    packet->prev = port->last_packet;
    if (port->last_packet != 0)
        packet_at(w, port->last_packet)->next = row;
    else
        port->first_packet = row;
    port->last_packet = row;
}

enum post port_post(pgr_world *w, uint32_t row)
{
    const struct packet *packet = packet_at(w, row);
    struct port *port = port_at(w, packet->port);
    uint32_t waiter = port->waiters.first;

    if (object_at(w, packet->port)->handle_count == 0)
        return POST_SWALLOWED;
    if (waiter == 0) {
        queue_append(w, port, row);
        return POST_QUEUED;
    }
    thread_list_remove(w, &port->waiters, waiter);
    thread_at(w, waiter)->packet = packet->body;
    thread_release(w, waiter, ZX_OK);
    return POST_RECEIVED;
}

void port_withdraw(pgr_world *w, uint32_t row)
{
    struct packet *packet = packet_at(w, row);
    struct port *port = port_at(w, packet->port);

    if (packet->prev != 0)
        packet_at(w, packet->prev)->next = packet->next;
    else
        port->first_packet = packet->next;
    if (packet->next != 0)
        packet_at(w, packet->next)->prev = packet->prev;
    else
        port->last_packet = packet->prev;
    packet->queued = 0;
    packet->next = 0;
    packet->prev = 0;
    if (packet->kind == PACKET_USER)
        port->user_packets--;
}

/* --- async waits: packets that stand in two lists until they fire, their object's and their port's --- */

void watch_add(pgr_world *w, uint32_t row)
{
    struct packet *packet = packet_at(w, row);
    struct object *object = object_at(w, packet->object);
    struct port *port = port_at(w, packet->port);

    packet->prev_of_object = object->last_watch;
    if (object->last_watch != 0)
        packet_at(w, object->last_watch)->next_of_object = row;
    else
        object->first_watch = row;
    object->last_watch = row;
    packet->next_of_port = port->first_watch;
    if (port->first_watch != 0)
        packet_at(w, port->first_watch)->prev_of_port = row;
    port->first_watch = row;
}

void watch_remove(pgr_world *w, uint32_t row)
{
    struct packet *packet = packet_at(w, row);
    struct object *object = object_at(w, packet->object);

    if (packet->prev_of_object != 0)
        packet_at(w, packet->prev_of_object)->next_of_object = packet->next_of_object;
    else
        object->first_watch = packet->next_of_object;
    if (packet->next_of_object != 0)
        packet_at(w, packet->next_of_object)->prev_of_object = packet->prev_of_object;
    else
        object->last_watch = packet->prev_of_object;
    if (packet->prev_of_port != 0)
        packet_at(w, packet->prev_of_port)->next_of_port = packet->next_of_port;
    else
        port_at(w, packet->port)->first_watch = packet->next_of_port;
    if (packet->next_of_port != 0)
        packet_at(w, packet->next_of_port)->prev_of_port = packet->prev_of_port;
    packet->object = 0;
    packet->next_of_object = packet->prev_of_object = 0;
    packet->next_of_port = packet->prev_of_port = 0;
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
        uint32_t next = thread->next;

        if ((thread->signals & signals) != 0) {
            thread_list_remove(w, &object->waiters, waiter);
            thread->signals = signals;
            thread_release(w, waiter, ZX_OK);
        }
        waiter = next;
    }
    for (watch = object->first_watch; watch != 0;) {
        uint32_t next = packet_at(w, watch)->next_of_object;

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
        uint32_t next = thread->next;

        if (thread->handle == value) {
            thread_list_remove(w, &object->waiters, waiter);
            thread->signals = object->signals | ZX_SIGNAL_HANDLE_CLOSED;
            thread_release(w, waiter, ZX_ERR_CANCELED);
        }
        waiter = next;
    }
    for (watch = object->first_watch; watch != 0;) {
        uint32_t next = packet_at(w, watch)->next_of_object;

        if (packet_at(w, watch)->handle == value) {
            watch_remove(w, watch);
            row_give(w, TABLE_PACKETS, watch);
        }
        watch = next;
    }
}
