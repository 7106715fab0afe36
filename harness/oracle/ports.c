/*
 * The oracle's ports (ports.md): one row of packets of all kinds, in the order in which they were queued.
 */
#include "harness/oracle/oracle.h"

#include <stdlib.h>
#include <string.h>

/* limits.md: a port with so many user packets takes no more of them. */
#define USER_PACKETS_MAX 4096u

/* ports.md: a packet goes to the thread that has waited on the port longest. */
static struct oracle_thread *first_waiter(struct oracle *o, const struct oracle_port *port)
{
    for (size_t i = 0; i < o->waiting.count; i++) {
        struct oracle_thread *t = o->waiting.items[i];
        if (t->wait == PGR_WAIT_PORT && t->waited_on == &port->object)
            return t;
    }
    return NULL;
}

/*
 * The packet has been received, dropped or swallowed: it is freed. If a VMO's page request stood in it, that VMO's next
 * one follows (page-requests.md).
 */
static void packet_gone(struct oracle *o, struct oracle_packet *packet)
{
    struct oracle_source *source = packet->source;
    free(packet);
    if (source)
        oracle_source_next(o, source);
}

bool oracle_port_queue(struct oracle *o, struct oracle_port *port, struct oracle_packet *packet)
{
    if (port->closed) { /* ports.md */
        packet_gone(o, packet);
        return false;
    }
    struct oracle_thread *waiter = first_waiter(o, port);
    if (waiter) {
        waiter->packet = packet->packet;
        oracle_release(o, waiter, ZX_OK);
        packet_gone(o, packet);
        return true;
    }
    packet->port = port;
    oracle_list_add(&port->packets, packet);
    return true;
}

void oracle_port_withdraw(struct oracle *o, struct oracle_packet *packet)
{
    (void)o;
    if (packet->port)
        oracle_list_remove(&packet->port->packets, packet);
    free(packet);
}

/*
 * ports.md, pager.md: the last handle is gone. Registrations end and packets are dropped; a VMO's later requests
 * count as sent, but nobody receives them. Threads that wait go on waiting.
 */
void oracle_port_close(struct oracle *o, struct oracle_port *port)
{
    port->closed = true;
    for (size_t i = o->async_waits.count; i-- > 0;) {
        struct oracle_async_wait *wait = o->async_waits.items[i];
        if (wait->port == port) {
            oracle_list_remove(&o->async_waits, wait);
            free(wait);
        }
    }
    while (port->packets.count > 0) {
        struct oracle_packet *packet = port->packets.items[0];
        oracle_list_remove(&port->packets, packet);
        packet_gone(o, packet);
    }
}

void oracle_port_end(struct oracle *o, struct oracle_port *port)
{
    (void)o;
    for (size_t i = 0; i < port->packets.count; i++)
        free(port->packets.items[i]);
    oracle_list_free(&port->packets);
}

/* --- zx_port_create (ports.md) --- */

zx_status_t oracle_zx_port_create(struct oracle *o, struct oracle_thread *t, const pgr_call *call, pgr_result *result)
{
    (void)t;
    if ((uint32_t)call->arg[0] & ~ZX_PORT_BIND_TO_INTERRUPT)
        return ZX_ERR_INVALID_ARGS;
    if (oracle_handles_full(o) || oracle_alloc_fails(o))
        return ZX_ERR_NO_MEMORY;
    struct oracle_port *port = oracle_object_make(o, PGR_OBJECT_PORT, sizeof *port);
    result->out[1] = oracle_handle_make(o, port, (ZX_RIGHTS_BASIC & ~ZX_RIGHT_WAIT) | ZX_RIGHTS_IO); /* 0x800F */
    return ZX_OK;
}

/* --- zx_port_queue (ports.md) --- */

static size_t user_packet_count(const struct oracle_port *port)
{
    size_t count = 0;
    for (size_t i = 0; i < port->packets.count; i++) {
        const struct oracle_packet *packet = port->packets.items[i];
        count += packet->packet.type == ZX_PKT_TYPE_USER;
    }
    return count;
}

zx_status_t oracle_zx_port_queue(struct oracle *o, struct oracle_thread *t, const pgr_call *call, pgr_result *result)
{
    (void)t, (void)result;
    struct oracle_port *port;
    zx_status_t status = oracle_handle_get(o, (zx_handle_t)call->arg[0], PGR_OBJECT_PORT, ZX_RIGHT_WRITE, &port);
    if (status != ZX_OK) /* row 1 */
        return status;
    if (!call->buffer || call->buffer_bytes < sizeof(zx_port_packet_t)) /* row 2 */
        return ZX_ERR_INVALID_ARGS;
    if (oracle_alloc_fails(o)) /* row 3 */
        return ZX_ERR_NO_MEMORY;
    if (user_packet_count(port) >= USER_PACKETS_MAX) /* row 5; limits.md */
        return ZX_ERR_SHOULD_WAIT;

    struct oracle_packet *packet = oracle_zalloc(sizeof *packet);
    memcpy(&packet->packet, call->buffer, sizeof packet->packet);
    packet->packet.type = ZX_PKT_TYPE_USER; /* whatever it was */
    oracle_port_queue(o, port, packet);
    return ZX_OK;
}

/* --- zx_port_wait (ports.md) --- */

zx_status_t oracle_zx_port_wait(struct oracle *o, struct oracle_thread *t, const pgr_call *call, pgr_result *result)
{
    struct oracle_port *port;
    zx_status_t status = oracle_handle_get(o, (zx_handle_t)call->arg[0], PGR_OBJECT_PORT, ZX_RIGHT_READ, &port);
    if (status != ZX_OK) /* row 1 */
        return status;
    if (port->packets.count > 0) { /* row 2, whatever the deadline */
        struct oracle_packet *packet = port->packets.items[0];
        result->packet = packet->packet;
        oracle_list_remove(&port->packets, packet);
        packet_gone(o, packet);
        return ZX_OK;
    }
    if (call->arg[1] != (uint64_t)ZX_TIME_INFINITE) /* row 3; trace-format.md: every other deadline polls */
        return ZX_ERR_TIMED_OUT;

    t->waited_on = &port->object;
    oracle_hold(t, port);
    return oracle_block(o, t, PGR_WAIT_PORT);
}

/* The packet was received when it was queued. */
zx_status_t oracle_go_port_wait(struct oracle *o, struct oracle_thread *t, const pgr_call *call, pgr_result *result)
{
    (void)o, (void)call;
    result->packet = t->packet;
    return t->woken_with;
}

/* --- zx_port_cancel (ports.md) --- */

static bool cancel_async_waits(struct oracle *o, const struct oracle_port *port, zx_handle_t source, uint64_t key)
{
    bool found = false;
    for (size_t i = o->async_waits.count; i-- > 0;) {
        struct oracle_async_wait *wait = o->async_waits.items[i];
        if (wait->port == port && wait->handle == source && wait->key == key) {
            oracle_list_remove(&o->async_waits, wait);
            free(wait);
            found = true;
        }
    }
    return found;
}

/* Signal packets alone: those of users and page requests are never cancelled. */
static bool cancel_packets(struct oracle_port *port, zx_handle_t source, uint64_t key)
{
    bool found = false;
    for (size_t i = port->packets.count; i-- > 0;) {
        struct oracle_packet *packet = port->packets.items[i];
        if (packet->packet.type == ZX_PKT_TYPE_SIGNAL_ONE && packet->watched == source && packet->packet.key == key) {
            oracle_list_remove(&port->packets, packet);
            free(packet);
            found = true;
        }
    }
    return found;
}

zx_status_t oracle_zx_port_cancel(struct oracle *o, struct oracle_thread *t, const pgr_call *call, pgr_result *result)
{
    (void)t, (void)result;
    zx_handle_t source = (zx_handle_t)call->arg[1];
    uint64_t key = call->arg[2];
    struct oracle_port *port;
    zx_status_t status = oracle_handle_get(o, (zx_handle_t)call->arg[0], PGR_OBJECT_PORT, ZX_RIGHT_WRITE, &port);
    if (status != ZX_OK) /* row 1 */
        return status;
    struct oracle_object *object;
    status = oracle_handle_get(o, source, PGR_OBJECT_NONE, ZX_RIGHT_WAIT, &object);
    if (status != ZX_OK) /* rows 2, 3 */
        return status;
    bool waits = cancel_async_waits(o, port, source, key);
    bool packets = cancel_packets(port, source, key);
    return waits || packets ? ZX_OK : ZX_ERR_NOT_FOUND; /* rows 5, 6 */
}
