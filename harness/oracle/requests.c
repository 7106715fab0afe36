/*
 * Page requests: made and joined, resolved, failed, cancelled (page-requests.md), and their packets.
 */
#include "harness/oracle/oracle_pages.h"

#include <stdlib.h>

/* --- packets: a VMO has at most one in its port; further requests wait in the VMO's queue --- */

static zx_port_packet_t packet_of(const struct oracle *o, const struct oracle_source *source, uint32_t command,
                                  uint64_t first, uint64_t count)
{
    zx_port_packet_t packet = {.key = source->key, .type = ZX_PKT_TYPE_PAGE_REQUEST, .status = ZX_OK};
    packet.page_request.command = (uint16_t)command;
    packet.page_request.offset = first * o->page_bytes;
    packet.page_request.length = count * o->page_bytes;
    return packet;
}

/* The port, also a closed one that swallows it, calls oracle_source_next() once the packet is no longer in it. */
static void send(struct oracle *o, struct oracle_source *source, struct oracle_request *request,
                 zx_port_packet_t content)
{
    struct oracle_packet *packet = oracle_zalloc(sizeof(*packet));
    packet->packet = content;
    packet->source = source;
    packet->request = request;
    source->packet = packet;
    oracle_port_queue(o, source->port, packet);
}

static void send_next(struct oracle *o, struct oracle_source *source)
{
    if (source->packet || source->queue.count == 0)
        return;
    struct oracle_request *request = source->queue.items[0];
    oracle_list_remove(&source->queue, request);
    send(o, source, request, packet_of(o, source, request->command, request->first, request->count));
}

void oracle_source_next(struct oracle *o, struct oracle_source *source)
{
    source->packet = NULL;
    send_next(o, source);
    oracle_unreferenced(o, &source->object);
}

/* COMPLETE is sent exactly once, as the last packet; not after the pager was closed. */
void oracle_source_complete(struct oracle *o, struct oracle_source *source)
{
    if (source->complete_sent || source->closed)
        return;
    source->complete_sent = true;
    send(o, source, NULL, packet_of(o, source, ZX_PAGER_VMO_COMPLETE, 0, 0));
}

/* --- making a request, or joining one --- */

static uint64_t request_end(const struct oracle_request *request)
{
    return request->first + request->count;
}

/* "r: the outstanding request of that kind with the smallest end > page". */
static struct oracle_request *first_ending_behind(struct oracle_source *source, uint32_t command, uint64_t page)
{
    struct oracle_request *found = NULL;
    for (size_t i = 0; i < source->requests.count; i++) {
        struct oracle_request *request = source->requests.items[i];
        if (request->command != command || request_end(request) <= page)
            continue;
        if (!found || request_end(request) < request_end(found))
            found = request;
    }
    return found;
}

static struct oracle_request *make_request(struct oracle *o, struct oracle_source *source, uint32_t command,
                                           uint64_t first, uint64_t count, bool strict, struct oracle_thread *owner)
{
    struct oracle_request *request = oracle_zalloc(sizeof(*request));
    request->source = source;
    request->command = command;
    request->first = first;
    request->count = count;
    request->pending = count;
    request->strict = strict;
    request->owner = owner;
    oracle_list_add(&source->requests, request);
    oracle_list_add(&source->queue, request);
    send_next(o, source);
    return request;
}

zx_status_t oracle_request(struct oracle *o, struct oracle_thread *t, struct oracle_source *source, uint32_t command,
                           uint64_t first, uint64_t count, bool strict)
{
    if (source->detached || source->closed)
        return ZX_ERR_BAD_STATE;
    t->strict = strict;
    struct oracle_request *r = first_ending_behind(source, command, first);
    if (r && r->first <= first) {
        oracle_list_add(&r->joined, t);
        t->request = r;
        return oracle_block(o, t, PGR_WAIT_REQUEST);
    }
    if (r && first + count >= r->first)
        count = r->first - first;
    t->request = make_request(o, source, command, first, count, strict, t);
    return oracle_block(o, t, PGR_WAIT_REQUEST);
}

/* --- ends of requests --- */

/* The request leaves its set; its packet is withdrawn if still unread; the VMO's next request follows. */
static void remove_request(struct oracle *o, struct oracle_request *request)
{
    struct oracle_source *source = request->source;
    oracle_list_remove(&source->requests, request);
    oracle_list_remove(&source->queue, request);
    if (source->packet && source->packet->request == request) {
        oracle_port_withdraw(o, source->packet);
        source->packet = NULL;
        send_next(o, source);
    }
    oracle_list_free(&request->joined);
    free(request);
}

/* The waiters that joined wake in the order in which they came, then the thread that made the request. */
static void complete(struct oracle *o, struct oracle_request *request, zx_status_t status)
{
    for (size_t i = 0; i < request->joined.count; i++)
        oracle_release(o, request->joined.items[i], status);
    oracle_release(o, request->owner, status);
    remove_request(o, request);
}

static bool intersects(const struct oracle_request *request, uint64_t first, uint64_t end)
{
    return request->first < end && request_end(request) > first;
}

/* The requests of a kind that intersect [first, end), ascending. */
static struct oracle_list intersecting(struct oracle_source *source, uint32_t command, uint64_t first, uint64_t end)
{
    struct oracle_list found = {0};
    for (size_t i = 0; i < source->requests.count; i++) {
        struct oracle_request *request = source->requests.items[i];
        if (request->command != command || !intersects(request, first, end))
            continue;
        size_t place = 0;
        while (place < found.count && ((struct oracle_request *)found.items[place])->first < request->first)
            place++;
        oracle_list_insert(&found, place, request);
    }
    return found;
}

/* Only the amount is tracked. */
void oracle_resolve(struct oracle *o, struct oracle_source *source, uint32_t command, uint64_t first, uint64_t end)
{
    struct oracle_list found = intersecting(source, command, first, end);
    for (size_t i = 0; i < found.count; i++) {
        struct oracle_request *request = found.items[i];
        uint64_t c = oracle_min(request_end(request), end) - oracle_max(request->first, first);
        if (c < request->pending)
            request->pending -= c;
        else
            complete(o, request, ZX_OK);
    }
    oracle_list_free(&found);
}

/* A lenient request whose first page is not in the failed range ends with ZX_OK: its threads ask again. */
void oracle_fail(struct oracle *o, struct oracle_source *source, uint64_t first, uint64_t end, zx_status_t status)
{
    static const uint32_t commands[] = {ZX_PAGER_VMO_READ, ZX_PAGER_VMO_DIRTY};
    for (size_t kind = 0; kind < 2 && first < end; kind++) {
        struct oracle_list found = intersecting(source, commands[kind], first, end);
        for (size_t i = 0; i < found.count; i++) {
            struct oracle_request *request = found.items[i];
            bool fails = request->strict || first <= request->first;
            complete(o, request, fails ? status : ZX_OK);
        }
        oracle_list_free(&found);
    }
}

/* Detach and the closing of the pager: all READ requests, then all DIRTY requests, ascending, with ZX_OK. */
void oracle_requests_end(struct oracle *o, struct oracle_source *source)
{
    static const uint32_t commands[] = {ZX_PAGER_VMO_READ, ZX_PAGER_VMO_DIRTY};
    for (size_t kind = 0; kind < 2; kind++) {
        struct oracle_list found = intersecting(source, commands[kind], 0, UINT64_MAX);
        for (size_t i = 0; i < found.count; i++)
            complete(o, found.items[i], ZX_OK);
        oracle_list_free(&found);
    }
}

/* The thread is killed while it waits. */
void oracle_request_cancel(struct oracle *o, struct oracle_thread *t)
{
    struct oracle_request *request = t->request;
    if (request->owner != t) {
        oracle_list_remove(&request->joined, t);
        return;
    }
    if (request->joined.count == 0) {
        remove_request(o, request);
        return;
    }
    request->owner = request->joined.items[0];
    request->strict = request->owner->strict;
    oracle_list_remove(&request->joined, request->owner);
}
