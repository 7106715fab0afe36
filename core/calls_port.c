/*
 * System calls: zx_port_*, and those that wait for signals: zx_object_wait_one, zx_object_wait_async,
 * zx_object_signal, zx_event_create.
 */
#include "calls.h"

#include "handles.h"
#include "ports.h"

#define PORT_USER_PACKETS_MAX 4096u

/* --- zx_port_create, zx_event_create --- */

static void object_and_handle_needed(struct plan *plan)
{
    plan->need.object_rows = 1;
    plan->need.handles = 1;
    plan->need.counted = 1;
}

CHECK(port_create)
{
    (void)w;
    object_and_handle_needed(plan);
    return (arg_u32(plan, 0) & ~ZX_PORT_BIND_TO_INTERRUPT) != 0 ? ZX_ERR_INVALID_ARGS : ZX_OK;
}

COMMIT(port_create)
{
    (void)frames, (void)plan;
    result->out[1] = handle_make_default(w, object_make(w, PGR_OBJECT_PORT), 0);
    return PROGRESS_DONE;
}

CHECK(event_create)
{
    (void)w;
    object_and_handle_needed(plan);
    return arg_u32(plan, 0) != 0 ? ZX_ERR_INVALID_ARGS : ZX_OK;
}

COMMIT(event_create)
{
    (void)frames, (void)plan;
    result->out[1] = handle_make_default(w, object_make(w, PGR_OBJECT_EVENT), 0);
    return PROGRESS_DONE;
}

/* --- zx_port_queue --- */

CHECK(port_queue)
{
    zx_status_t status = handle_get(w, plan->call->arg[0], PGR_OBJECT_PORT, ZX_RIGHT_WRITE, &plan->object);

    if (status != ZX_OK)
        return status;
    /* Can the packet be read? */
    if (plan->call->buffer == NULL || plan->call->buffer_bytes < sizeof(zx_port_packet_t))
        return ZX_ERR_INVALID_ARGS;
    if (port_at(w, plan->object)->user_packets >= PORT_USER_PACKETS_MAX)
        return ZX_ERR_SHOULD_WAIT;
    plan->need.packets = 1;
    plan->need.counted = 1;
    return ZX_OK;
}

COMMIT(port_queue)
{
    uint32_t row = row_take(w, TABLE_PACKETS);
    struct packet *packet = packet_at(w, row);

    (void)frames, (void)result;
    packet->kind = PACKET_USER;
    packet->port = plan->object;
    memcpy(&packet->body, plan->call->buffer, sizeof(packet->body));
    packet->body.type = ZX_PKT_TYPE_USER;
    if (port_post(w, row) == POST_QUEUED)
        port_at(w, plan->object)->user_packets++;
    else
        row_give(w, TABLE_PACKETS, row);
    return PROGRESS_DONE;
}

/* --- zx_port_wait --- */

static void thread_waits(const pgr_world *w, const struct plan *plan, enum pgr_wait_kind wait, uint32_t object)
{
    struct thread *thread = thread_at(w, plan->thread);

    thread->wait = (uint8_t)wait;
    thread->object = object;
}

CHECK(port_wait)
{
    plan->endless = (zx_time_t)plan->call->arg[1] == ZX_TIME_INFINITE;
    return handle_get(w, plan->call->arg[0], PGR_OBJECT_PORT, ZX_RIGHT_READ, &plan->op.waited_on);
}

static void packet_receive(pgr_world *w, uint32_t row, pgr_result *result)
{
    struct packet *packet = packet_at(w, row);

    result->packet = packet->body;
    port_withdraw(w, row);
    if (packet->kind == PACKET_SOURCE)
        source_sent(w, packet->source, PGR_REQUEST_RECEIVED);
    else
        row_give(w, TABLE_PACKETS, row);
}

/* What came while the thread waited was received for it at that moment. */
COMMIT(port_wait)
{
    (void)frames;
    if (plan->op.waited) {
        result->packet = thread_at(w, plan->thread)->packet;
    } else if (port_at(w, plan->op.waited_on)->packets.first != 0) {
        packet_receive(w, port_at(w, plan->op.waited_on)->packets.first, result);
    } else if (plan->endless) {
        thread_waits(w, plan, PGR_WAIT_PORT, plan->op.waited_on);
        list_append(w, &port_at(w, plan->op.waited_on)->waiters, CHAIN_THREADS, plan->thread);
        return PROGRESS_WAIT;
    } else {
        result->status = ZX_ERR_TIMED_OUT;
    }
    return PROGRESS_DONE;
}

/* --- zx_port_cancel --- */

/*
 * The first packet of an async wait that was made through this handle with this key: waiting, or queued; 0 if there
 * is none.
 */
static uint32_t watch_find(const pgr_world *w, uint32_t port, zx_handle_t handle, uint64_t key)
{
    uint32_t row;

    for (row = port_at(w, port)->watches.first; row != 0; row = packet_at(w, row)->of_port.next) {
        if (packet_at(w, row)->handle == handle && packet_at(w, row)->body.key == key)
            return row;
    }
    for (row = port_at(w, port)->packets.first; row != 0; row = packet_at(w, row)->links.next) {
        const struct packet *packet = packet_at(w, row);

        if (packet->kind == PACKET_SIGNAL && packet->handle == handle && packet->body.key == key)
            return row;
    }
    return 0;
}

CHECK(port_cancel)
{
    uint32_t source;
    zx_status_t status = handle_get(w, plan->call->arg[0], PGR_OBJECT_PORT, ZX_RIGHT_WRITE, &plan->object);

    if (status == ZX_OK)
        status = handle_get(w, plan->call->arg[1], PGR_OBJECT_NONE, ZX_RIGHT_WAIT, &source);
    if (status != ZX_OK)
        return status;
    if (watch_find(w, plan->object, arg_u32(plan, 1), plan->call->arg[2]) == 0)
        return ZX_ERR_NOT_FOUND;
    return ZX_OK;
}

COMMIT(port_cancel)
{
    uint32_t row;

    (void)frames, (void)result;
    while ((row = watch_find(w, plan->object, arg_u32(plan, 1), plan->call->arg[2])) != 0) {
        if (packet_at(w, row)->queued)
            port_withdraw(w, row);
        else
            watch_remove(w, row);
        row_give(w, TABLE_PACKETS, row);
    }
    return PROGRESS_DONE;
}

/* --- zx_object_wait_one --- */

/* Only VMOs and events can be waited on; handles to other objects never have the right. */
CHECK(object_wait_one)
{
    plan->endless = (zx_time_t)plan->call->arg[2] == ZX_TIME_INFINITE;
    return handle_get(w, plan->call->arg[0], PGR_OBJECT_NONE, ZX_RIGHT_WAIT, &plan->object);
}

/* The signals are told whatever the status is. */
COMMIT(object_wait_one)
{
    struct thread *thread = thread_at(w, plan->thread);
    struct object *object;

    (void)frames;
    if (plan->op.waited) {
        result->out[3] = thread->signals;
        result->status = plan->wake_status;
        return PROGRESS_DONE;
    }
    object = object_at(w, plan->object);
    if ((object->signals & arg_u32(plan, 1)) == 0 && plan->endless) {
        plan->op.waited_on = plan->object;
        thread_waits(w, plan, PGR_WAIT_SIGNALS, plan->object);
        thread->signals = arg_u32(plan, 1);
        thread->handle = arg_u32(plan, 0);
        list_append(w, &object->waiters, CHAIN_THREADS, plan->thread);
        return PROGRESS_WAIT;
    }
    result->out[3] = object->signals;
    result->status = (object->signals & arg_u32(plan, 1)) != 0 ? ZX_OK : ZX_ERR_TIMED_OUT;
    return PROGRESS_DONE;
}

/* --- zx_object_wait_async --- */

CHECK(object_wait_async)
{
    zx_status_t status;

    if ((arg_u32(plan, 4) & ~(ZX_WAIT_ASYNC_TIMESTAMP | ZX_WAIT_ASYNC_EDGE)) != 0)
        return ZX_ERR_INVALID_ARGS;
    status = handle_get(w, plan->call->arg[1], PGR_OBJECT_PORT, ZX_RIGHT_WRITE, &plan->op.waited_on);
    if (status == ZX_OK)
        status = handle_get(w, plan->call->arg[0], PGR_OBJECT_NONE, ZX_RIGHT_WAIT, &plan->object);
    plan->need.packets = 1;
    return status;
}

COMMIT(object_wait_async)
{
    uint32_t row = row_take(w, TABLE_PACKETS);
    struct packet *packet = packet_at(w, row);
    zx_signals_t signals = object_at(w, plan->object)->signals;

    (void)frames, (void)result;
    packet->kind = PACKET_SIGNAL;
    packet->port = plan->op.waited_on;
    packet->object = plan->object;
    packet->handle = arg_u32(plan, 0);
    packet->trigger = arg_u32(plan, 3);
    packet->body.key = plan->call->arg[2];
    watch_add(w, row);
    if ((signals & packet->trigger) != 0 && (arg_u32(plan, 4) & ZX_WAIT_ASYNC_EDGE) == 0) {
        watch_remove(w, row);
        watch_fire(w, row, signals);
    }
    return PROGRESS_DONE;
}

/* --- zx_object_signal --- */

/* Programs may change the user signals of VMOs and events, and an event's own signal. */
CHECK(object_signal)
{
    zx_signals_t allowed = ZX_USER_SIGNAL_ALL;
    zx_status_t status = handle_get(w, plan->call->arg[0], PGR_OBJECT_NONE, ZX_RIGHT_SIGNAL, &plan->object);

    if (status != ZX_OK)
        return status;
    if (object_at(w, plan->object)->kind == PGR_OBJECT_EVENT)
        allowed |= ZX_EVENT_SIGNALED;
    return ((arg_u32(plan, 1) | arg_u32(plan, 2)) & ~allowed) != 0 ? ZX_ERR_INVALID_ARGS : ZX_OK;
}

COMMIT(object_signal)
{
    (void)frames, (void)result;
    object_signal(w, plan->object, arg_u32(plan, 1), arg_u32(plan, 2));
    return PROGRESS_DONE;
}
