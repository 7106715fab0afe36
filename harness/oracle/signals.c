/*
 * The oracle's signals (ports.md): setting them, waiting for them in a call, and having a packet sent.
 *
 * Whoever waits is served in order of arrival (docs/deviations.md): first the threads, then the async waits.
 */
#include "harness/oracle/oracle.h"

#include <stdlib.h>

/* --- serving those that wait --- */

static bool thread_waits_for_signals_of(const struct oracle_thread *t, const struct oracle_object *object)
{
    return t->wait == PGR_WAIT_SIGNALS && t->waited_on == object;
}

/* The packet of ports.md. The trigger is what was asked for; no time passes, so the timestamp is 0 in any case. */
static void send_signal_packet(struct oracle *o, const struct oracle_async_wait *wait, zx_signals_t observed)
{
    struct oracle_packet *packet = oracle_zalloc(sizeof *packet);
    packet->watched = wait->handle;
    packet->packet.key = wait->key;
    packet->packet.type = ZX_PKT_TYPE_SIGNAL_ONE;
    packet->packet.signal.trigger = wait->signals;
    packet->packet.signal.observed = observed;
    packet->packet.signal.count = 1;
    oracle_port_queue(o, wait->port, packet);
}

/* The thread in zx_object_wait_one that has waited longest for one of the signals that the object has now. */
static struct oracle_thread *first_thread(struct oracle *o, const struct oracle_object *object)
{
    for (size_t i = 0; i < o->waiting.count; i++) {
        struct oracle_thread *t = o->waiting.items[i];
        if (thread_waits_for_signals_of(t, object) && (t->signals & object->signals))
            return t;
    }
    return NULL;
}

static struct oracle_async_wait *first_async_wait(struct oracle *o, const struct oracle_object *object)
{
    for (size_t i = 0; i < o->async_waits.count; i++) {
        struct oracle_async_wait *wait = o->async_waits.items[i];
        if (wait->object == object && (wait->signals & object->signals))
            return wait;
    }
    return NULL;
}

static void release_with_signals(struct oracle *o, struct oracle_thread *t, zx_signals_t observed, zx_status_t status)
{
    t->observed = observed;
    oracle_release(o, t, status);
}

/*
 * Whenever the signals change, all that wait for one that is asserted now are served. The kernel does not ask whether that
 * one has changed: so an async wait with EDGE, which did not fire when it was made, fires when any other signal changes.
 */
void oracle_signal(struct oracle *o, struct oracle_object *object, zx_signals_t clear, zx_signals_t set)
{
    zx_signals_t before = object->signals;
    object->signals = (before & ~clear) | set;
    while (object->signals != before) {
        struct oracle_thread *thread = first_thread(o, object);
        struct oracle_async_wait *wait = first_async_wait(o, object);
        if (thread) {
            release_with_signals(o, thread, object->signals, ZX_OK);
        } else if (wait) {
            oracle_list_remove(&o->async_waits, wait);
            send_signal_packet(o, wait, object->signals);
            free(wait);
        } else {
            return;
        }
    }
}

/* objects.md, ports.md: waits through a handle end with it. Packets that are queued already stay. */
void oracle_waits_cancel(struct oracle *o, zx_handle_t handle, const struct oracle_object *object)
{
    for (size_t i = o->async_waits.count; i-- > 0;) {
        struct oracle_async_wait *wait = o->async_waits.items[i];
        if (wait->handle == handle) {
            oracle_list_remove(&o->async_waits, wait);
            free(wait);
        }
    }
    for (size_t i = 0; i < o->waiting.count;) {
        struct oracle_thread *t = o->waiting.items[i];
        if (t->wait == PGR_WAIT_SIGNALS && t->handle == handle)
            release_with_signals(o, t, object->signals | ZX_SIGNAL_HANDLE_CLOSED, ZX_ERR_CANCELED);
        else
            i++;
    }
}

/* --- zx_object_wait_one (ports.md) --- */

zx_status_t oracle_zx_object_wait_one(struct oracle *o, struct oracle_thread *t, const pgr_call *call,
                                      pgr_result *result)
{
    zx_handle_t handle = (zx_handle_t)call->arg[0];
    zx_signals_t signals = (zx_signals_t)call->arg[1];
    struct oracle_object *object;
    zx_status_t status = oracle_handle_get(o, handle, PGR_OBJECT_NONE, ZX_RIGHT_WAIT, &object);
    if (status != ZX_OK) /* rows 1, 2; row 3 is never reached: what cannot be waited on never has the right */
        return status;

    result->out[3] = object->signals;
    if (object->signals & signals) /* row 4 */
        return ZX_OK;
    if (call->arg[2] != (uint64_t)ZX_TIME_INFINITE) /* row 6; trace-format.md: every other deadline polls */
        return ZX_ERR_TIMED_OUT;

    t->waited_on = object;
    t->signals = signals;
    t->handle = handle;
    oracle_hold(t, object);
    return oracle_block(o, t, PGR_WAIT_SIGNALS);
}

/* What it was released with is final: signals that have gone again since do not matter. */
zx_status_t oracle_go_object_wait_one(struct oracle *o, struct oracle_thread *t, const pgr_call *call,
                                      pgr_result *result)
{
    (void)o, (void)call;
    result->out[3] = t->observed;
    return t->woken_with;
}

/* --- zx_object_wait_async (ports.md) --- */

zx_status_t oracle_zx_object_wait_async(struct oracle *o, struct oracle_thread *t, const pgr_call *call,
                                        pgr_result *result)
{
    (void)t, (void)result;
    uint32_t options = (uint32_t)call->arg[4];
    if (options & ~(ZX_WAIT_ASYNC_TIMESTAMP | ZX_WAIT_ASYNC_EDGE))
        return ZX_ERR_INVALID_ARGS;
    struct oracle_port *port;
    zx_status_t status = oracle_handle_get(o, (zx_handle_t)call->arg[1], PGR_OBJECT_PORT, ZX_RIGHT_WRITE, &port);
    if (status != ZX_OK)
        return status;
    struct oracle_object *object;
    status = oracle_handle_get(o, (zx_handle_t)call->arg[0], PGR_OBJECT_NONE, ZX_RIGHT_WAIT, &object);
    if (status != ZX_OK)
        return status;

    struct oracle_async_wait *wait = oracle_zalloc(sizeof *wait);
    *wait = (struct oracle_async_wait){.handle = (zx_handle_t)call->arg[0],
                                       .object = object,
                                       .port = port,
                                       .key = call->arg[2],
                                       .signals = (zx_signals_t)call->arg[3],
                                       .options = options};
    if (!(options & ZX_WAIT_ASYNC_EDGE) && (object->signals & wait->signals)) {
        send_signal_packet(o, wait, object->signals);
        free(wait);
    } else {
        oracle_list_add(&o->async_waits, wait);
    }
    return ZX_OK;
}

/* --- zx_object_signal, zx_event_create (ports.md) --- */

zx_status_t oracle_zx_object_signal(struct oracle *o, struct oracle_thread *t, const pgr_call *call, pgr_result *result)
{
    (void)t, (void)result;
    zx_signals_t clear = (zx_signals_t)call->arg[1];
    zx_signals_t set = (zx_signals_t)call->arg[2];
    struct oracle_object *object;
    zx_status_t status = oracle_handle_get(o, (zx_handle_t)call->arg[0], PGR_OBJECT_NONE, ZX_RIGHT_SIGNAL, &object);
    if (status != ZX_OK)
        return status;

    zx_signals_t allowed = ZX_USER_SIGNAL_ALL;
    if (object->kind == PGR_OBJECT_EVENT)
        allowed |= ZX_EVENT_SIGNALED;
    if ((clear | set) & ~allowed)
        return ZX_ERR_INVALID_ARGS;
    oracle_signal(o, object, clear, set);
    return ZX_OK;
}

zx_status_t oracle_zx_event_create(struct oracle *o, struct oracle_thread *t, const pgr_call *call, pgr_result *result)
{
    (void)t;
    if ((uint32_t)call->arg[0] != 0)
        return ZX_ERR_INVALID_ARGS;
    if (oracle_handles_full(o) || oracle_alloc_fails(o))
        return ZX_ERR_NO_MEMORY;
    struct oracle_event *event = oracle_object_make(o, PGR_OBJECT_EVENT, sizeof *event);
    result->out[1] = oracle_handle_make(o, event, ZX_RIGHTS_BASIC | ZX_RIGHT_SIGNAL); /* objects.md */
    return ZX_OK;
}
