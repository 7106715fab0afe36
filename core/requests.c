/*
 * Page requests: what a thread asks of a pager, and how it comes to an end.
 *
 * A thread that meets an absent page wants a range of pages that begins there. If an outstanding request of the
 * same kind covers that first page the thread joins it, without a packet; if one begins further on, the range is
 * cut off there. What is left is a new request, which the thread owns. So the ranges of one kind in one source
 * never overlap.
 *
 *   raised --> QUEUED --> IN_PORT --> RECEIVED
 *                 \           \            \
 *                  +-----------+------------+----> completed
 *
 * This is where its packet is. A source has one packet, so that at most one request is in the port; the others queue
 * behind it in the source. A closed port swallows: SWALLOWED stands for RECEIVED where nobody will ever read it.
 *
 * A request counts how many of its pages are still to come, not which. When supplies (or cuts) have covered that
 * many it completes; when the pager fails a part of it, it completes with the error, or, if it is lenient and its
 * first page was not meant, with ZX_OK. Its packet, if unread, is withdrawn. All who wait for it are released with
 * the same status, those who joined first. Completion promises nothing: a released thread looks at its page again, and
 * may ask again.
 *
 * A request lives exactly as long as it has a waiter. If its owner is killed, the thread that joined first owns it.
 */
#include "requests.h"

#include "ports.h"
#include "threads.h"

#define CHAIN_SET CHAIN(TABLE_REQUESTS, struct request, links)
#define CHAIN_QUEUED CHAIN(TABLE_REQUESTS, struct request, queued)

/* --- the source's sets, one a kind, ascending and disjoint --- */

static void set_insert(pgr_world *w, uint32_t source, uint32_t row)
{
    const struct request *request = request_at(w, row);
    struct list *set = &source_at(w, source)->requests[request->kind];
    uint32_t behind = set->first;

    while (behind != 0 && request_at(w, behind)->page < request->page)
        behind = request_at(w, behind)->links.next;
    list_insert(w, set, CHAIN_SET, row, behind);
}

static void set_remove(pgr_world *w, uint32_t row)
{
    const struct request *request = request_at(w, row);

    list_remove(w, &source_at(w, request->source)->requests[request->kind], CHAIN_SET, row);
}

/* --- the source's queue, of both kinds --- */

static void request_enqueue(pgr_world *w, uint32_t row)
{
    struct request *request = request_at(w, row);

    request->place = PGR_REQUEST_QUEUED;
    list_append(w, &source_at(w, request->source)->queued, CHAIN_QUEUED, row);
}

static void queue_remove(pgr_world *w, uint32_t row)
{
    list_remove(w, &source_at(w, request_at(w, row)->source)->queued, CHAIN_QUEUED, row);
}

static void packet_fill(const pgr_world *w, const struct source *source, uint16_t command, uint64_t page,
                        uint64_t count)
{
    packet_at(w, source->packet)->body = (zx_port_packet_t){
        .key = source->key,
        .type = ZX_PKT_TYPE_PAGE_REQUEST,
        .status = ZX_OK,
        .page_request = {.command = command, .offset = to_bytes(w, page), .length = to_bytes(w, count)},
    };
}

/* Sends the next request's packet if the source's packet is free. */
static void source_send(pgr_world *w, uint32_t row)
{
    static const uint8_t places[] = {
        [POST_QUEUED] = PGR_REQUEST_IN_PORT,
        [POST_RECEIVED] = PGR_REQUEST_RECEIVED,
        [POST_SWALLOWED] = PGR_REQUEST_SWALLOWED,
    };
    struct source *source = source_at(w, row);

    while (source->queued.first != 0 && source->in_port == 0) {
        uint32_t next = source->queued.first;
        struct request *request = request_at(w, next);

        queue_remove(w, next);
        packet_fill(w, source, request->kind, request->page, request->count);
        request->place = places[port_post(w, source->packet)];
        if (request->place == PGR_REQUEST_IN_PORT)
            source->in_port = next;
    }
}

void source_sent(pgr_world *w, uint32_t row, enum pgr_request_place place)
{
    struct source *source = source_at(w, row);

    /* A packet that carries no request is ZX_PAGER_VMO_COMPLETE, which kept the source alive. */
    if (source->in_port == 0) {
        object_release(w, row);
        return;
    }
    request_at(w, source->in_port)->place = (uint8_t)place;
    source->in_port = 0;
    source_send(w, row);
}

/* --- raising --- */

/* The outstanding request with the lowest end behind `page`; 0 if there is none. */
static uint32_t set_find(const pgr_world *w, uint32_t source, uint16_t kind, uint64_t page)
{
    uint32_t row = source_at(w, source)->requests[kind].first;

    while (row != 0 && request_at(w, row)->page + request_at(w, row)->count <= page)
        row = request_at(w, row)->links.next;
    return row;
}

static void wait_on(const pgr_world *w, uint32_t thread, uint32_t request)
{
    thread_at(w, thread)->wait = PGR_WAIT_REQUEST;
    thread_at(w, thread)->request = request;
}

void request_raise(pgr_world *w, uint32_t thread, const struct want *want)
{
    uint32_t obstacle = set_find(w, want->source, want->kind, want->page);
    uint64_t count = want->count;
    struct request *request;
    uint32_t row;

    if (obstacle != 0 && request_at(w, obstacle)->page <= want->page) {
        list_append(w, &request_at(w, obstacle)->joined, CHAIN_THREADS, thread);
        wait_on(w, thread, obstacle);
        return;
    }
    if (obstacle != 0)
        count = min_u64(count, request_at(w, obstacle)->page - want->page);

    row = row_take(w, TABLE_REQUESTS);
    request = request_at(w, row);
    request->source = want->source;
    request->kind = want->kind;
    request->owner = thread;
    request->page = want->page;
    request->count = count;
    request->pending = count;
    set_insert(w, want->source, row);
    wait_on(w, thread, row);
    request_enqueue(w, row);
    source_send(w, want->source);
}

/* --- ending --- */

/* Nobody waits any more: the request leaves its set, and its packet, if unread, the port. */
static void request_remove(pgr_world *w, uint32_t row)
{
    const struct request *request = request_at(w, row);
    uint32_t source = request->source;
    uint8_t place = request->place;

    set_remove(w, row);
    if (place == PGR_REQUEST_QUEUED)
        queue_remove(w, row);
    row_give(w, TABLE_REQUESTS, row);
    if (place == PGR_REQUEST_IN_PORT) {
        port_withdraw(w, source_at(w, source)->packet);
        source_at(w, source)->in_port = 0;
        source_send(w, source);
    }
}

static void request_complete(pgr_world *w, uint32_t row, zx_status_t status)
{
    struct request *request = request_at(w, row);
    uint32_t owner = request->owner;
    struct list joined = request->joined;

    request_remove(w, row);
    while (joined.first != 0) {
        uint32_t waiter = joined.first;

        list_remove(w, &joined, CHAIN_THREADS, waiter);
        thread_at(w, waiter)->request = 0;
        thread_release(w, waiter, status);
    }
    thread_at(w, owner)->request = 0;
    thread_release(w, owner, status);
}

void requests_resolve(pgr_world *w, uint32_t source, uint16_t kind, uint64_t begin, uint64_t end)
{
    uint32_t row = set_find(w, source, kind, begin);

    while (row != 0 && request_at(w, row)->page < end) {
        struct request *request = request_at(w, row);
        uint32_t next = request->links.next;
        uint64_t covered = min_u64(end, request->page + request->count) - max_u64(begin, request->page);

        if (covered < request->pending)
            request->pending -= covered;
        else
            request_complete(w, row, ZX_OK);
        row = next;
    }
}

static void kind_fail(pgr_world *w, uint32_t source, uint16_t kind, uint64_t begin, uint64_t end, zx_status_t status)
{
    uint32_t row = set_find(w, source, kind, begin);

    while (row != 0 && request_at(w, row)->page < end) {
        const struct request *request = request_at(w, row);
        uint32_t next = request->links.next;
        int strict = kind == ZX_PAGER_VMO_READ && thread_at(w, request->owner)->op.strict;
        int whole = strict || begin <= request->page;

        request_complete(w, row, whole ? status : ZX_OK);
        row = next;
    }
}

void requests_fail(pgr_world *w, uint32_t source, uint64_t begin, uint64_t end, zx_status_t status)
{
    if (begin == end)
        return;
    kind_fail(w, source, ZX_PAGER_VMO_READ, begin, end, status);
    kind_fail(w, source, ZX_PAGER_VMO_DIRTY, begin, end, status);
}

void requests_end(pgr_world *w, uint32_t source)
{
    requests_resolve(w, source, ZX_PAGER_VMO_READ, 0, UINT64_MAX);
    requests_resolve(w, source, ZX_PAGER_VMO_DIRTY, 0, UINT64_MAX);
}

void request_abandon(pgr_world *w, uint32_t thread)
{
    uint32_t row = thread_at(w, thread)->request;
    struct request *request = request_at(w, row);
    uint32_t heir = request->joined.first;

    if (request->owner != thread) {
        list_remove(w, &request->joined, CHAIN_THREADS, thread);
    } else if (heir != 0) {
        list_remove(w, &request->joined, CHAIN_THREADS, heir);
        request->owner = heir;
    } else {
        request_remove(w, row);
    }
    thread_at(w, thread)->request = 0;
}

/* --- the end of a source --- */

void source_complete(pgr_world *w, uint32_t row)
{
    struct object *object = object_at(w, row);

    if ((object->flags & (PGR_SOURCE_COMPLETE_SENT | PGR_SOURCE_CLOSED)) != 0)
        return;
    object->flags |= PGR_SOURCE_COMPLETE_SENT;
    packet_fill(w, &object->source, ZX_PAGER_VMO_COMPLETE, 0, 0);
    if (port_post(w, object->source.packet) == POST_QUEUED)
        object_reference(w, row);
}

void source_close(pgr_world *w, uint32_t row)
{
    struct object *object = object_at(w, row);

    object->flags |= PGR_SOURCE_CLOSED;
    object->source.pager = 0;
    requests_end(w, row);
    if (packet_at(w, object->source.packet)->queued) {
        port_withdraw(w, object->source.packet);
        object_release(w, row);
    }
}
