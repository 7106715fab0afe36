/* Packets, who waits for them, and signals. See ports.c. */
#ifndef CORE_PORTS_H
#define CORE_PORTS_H

#include "world.h"

enum packet_kind { PACKET_USER = 1, PACKET_SIGNAL, PACKET_SOURCE };

struct packet {
    struct links links; /* in the port's queue */
    uint8_t kind;       /* enum packet_kind */
    uint8_t queued;
    uint16_t reserved;
    uint32_t port;
    uint32_t source; /* PACKET_SOURCE */
    /* PACKET_SIGNAL */
    uint32_t object;    /* watched, until it fires */
    zx_handle_t handle; /* through which the wait was made */
    zx_signals_t trigger;
    struct links of_object;
    struct links of_port;
    zx_port_packet_t body;
};

static inline struct packet *packet_at(const pgr_world *w, uint32_t row)
{
    return row_at(w, TABLE_PACKETS, row);
}

enum post { POST_QUEUED, POST_RECEIVED, POST_SWALLOWED };

/*
 * Gives a filled packet to its port: a waiting thread receives it, or it joins the queue; a closed port swallows
 * it.
 */
enum post port_post(pgr_world *w, uint32_t packet);
/* Takes a packet out of its port's queue, unread. */
void port_withdraw(pgr_world *w, uint32_t packet);
/* An async wait begins, ends, comes true. A packet that fired is queued, or gone. */
void watch_add(pgr_world *w, uint32_t packet);
void watch_remove(pgr_world *w, uint32_t packet);
void watch_fire(pgr_world *w, uint32_t packet, zx_signals_t observed);
/* Changes an object's signals: wakes who waits for one of them, fires async waits. */
void object_signal(pgr_world *w, uint32_t object, zx_signals_t clear, zx_signals_t set);
/* A handle closes: waits made through it end. */
void signals_cancel_handle(pgr_world *w, uint32_t object, zx_handle_t value);

#endif
