/*
 * R1 to R6: page requests, the threads that wait for them, and the packets that carry them.
 *
 * A request is owned by the thread that made it, so that a world has at most as many requests as threads.
 */
#include "harness/check_internal.h"
#include "harness/no_coverage.h"

#include <string.h>

NO_COVERAGE_BEGIN

uint32_t check_request_rows(const struct check_context *c)
{
    return c->config.thread_count;
}

static const char *command_name(uint32_t command)
{
    return command == ZX_PAGER_VMO_READ ? "READ" : command == ZX_PAGER_VMO_DIRTY ? "DIRTY" : "unknown";
}

static const char *place_name(uint32_t place)
{
    static const char *const names[] = {"queued", "in the port", "received", "swallowed"};
    return place <= PGR_REQUEST_SWALLOWED ? names[place] : "nowhere";
}

/* The source of a request; a view of kind 0 if it is none. */
static const pgr_object_view *source_of(const struct check_context *c, uint32_t row)
{
    static const pgr_object_view none;
    int good = row < c->config.object_count && c->walk.objects[row].kind == PGR_OBJECT_SOURCE;
    return good ? &c->walk.objects[row] : &none;
}

/* "request 3 (READ, 4 pages from 2 of vmo 5 (pages 6))" is how messages begin. */
#define REQUEST_FORMAT "request %u (%s, %llu pages from %llu of %s) "
#define REQUEST_VALUES(c, w, row, r)                                                                                   \
    row, command_name((r)->command), (unsigned long long)(r)->count, (unsigned long long)(r)->page,                    \
        check_name_pages(c, w, source_of(c, (r)->source)->source.pages)

static int request_alone(struct check_context *c, const pgr_world *w, uint32_t row, const pgr_request_view *r)
{
    const pgr_object_view *source = source_of(c, r->source);

    if (source->kind != PGR_OBJECT_SOURCE)
        return check_violate(c, CHECK_R1, "request %u belongs to object %u, which is no source", row, r->source);
    if (source->flags & (PGR_SOURCE_DETACHED | PGR_SOURCE_CLOSED))
        return check_violate(c, CHECK_R1, REQUEST_FORMAT "is left on a detached VMO", REQUEST_VALUES(c, w, row, r));
    if (r->pending == 0 || r->pending > r->count)
        return check_violate(c, CHECK_R1, REQUEST_FORMAT "has %llu pages pending", REQUEST_VALUES(c, w, row, r),
                             (unsigned long long)r->pending);
    if (r->command != ZX_PAGER_VMO_READ && r->command != ZX_PAGER_VMO_DIRTY)
        return check_violate(c, CHECK_R1, REQUEST_FORMAT "has the command %u", REQUEST_VALUES(c, w, row, r),
                             r->command);
    uint32_t pages = source->source.pages < c->config.object_count ? source->source.pages : 0;
    if (r->command == ZX_PAGER_VMO_DIRTY && !(c->walk.objects[pages].flags & PGR_PAGES_TRAP_DIRTY))
        return check_violate(c, CHECK_R1, REQUEST_FORMAT "is one of a VMO whose pager does not trap what is dirtied",
                             REQUEST_VALUES(c, w, row, r));
    return 0;
}

static int request_disjoint(struct check_context *c, const pgr_world *w, uint32_t row, const pgr_request_view *r)
{
    for (uint32_t other = row + 1; other <= check_request_rows(c); other++) {
        pgr_request_view o;
        if (!pgr_inspect_request(w, other, &o) || o.source != r->source || o.command != r->command)
            continue;
        if (o.page < r->page + r->count && r->page < o.page + o.count)
            return check_violate(c, CHECK_R1, REQUEST_FORMAT "overlaps request %u (%llu pages from %llu)",
                                 REQUEST_VALUES(c, w, row, r), other, (unsigned long long)o.count,
                                 (unsigned long long)o.page);
    }
    return 0;
}

static int request_awaited(struct check_context *c, const pgr_world *w, uint32_t row, const pgr_request_view *r)
{
    uint32_t waiters = 0;
    int owner_waits = 0;

    for (uint32_t thread = 0; thread < c->config.thread_count; thread++) {
        pgr_thread_view t;
        if (!pgr_inspect_thread(w, thread, &t) || t.state != PGR_THREAD_BLOCKED || t.wait != PGR_WAIT_REQUEST ||
            t.request != row)
            continue;
        waiters++;
        owner_waits |= thread == r->owner;
    }
    if (!waiters || waiters != r->waiter_count)
        return check_violate(c, CHECK_R1, REQUEST_FORMAT "has %u waiters, its count says %u",
                             REQUEST_VALUES(c, w, row, r), waiters, r->waiter_count);
    if (!owner_waits)
        return check_violate(c, CHECK_R1, REQUEST_FORMAT "is owned by thread %u, which does not wait for it",
                             REQUEST_VALUES(c, w, row, r), r->owner);
    return 0;
}

/*
 * R1: a page request is live exactly while it has a waiter, its owner among them; 0 < pending <= its length; those of
 * one kind in one VMO are disjoint; none is left on a detached VMO.
 */
int check_r1(struct check_context *c, const pgr_world *w)
{
    for (uint32_t row = 1; row <= check_request_rows(c); row++) {
        pgr_request_view r;
        if (!pgr_inspect_request(w, row, &r))
            continue;
        int found = request_alone(c, w, row, &r);
        if (found || (found = request_disjoint(c, w, row, &r)) || (found = request_awaited(c, w, row, &r)))
            return found;
    }
    return 0;
}

/* --- R2 --- */

static int thread_in_order(struct check_context *c, const pgr_world *w, uint32_t thread, const pgr_thread_view *t)
{
    pgr_request_view r;
    pgr_object_view object;

    switch (t->state) {
    case PGR_THREAD_IDLE:
        if (t->wait != PGR_WAIT_NONE || t->request || t->object || t->call != PGR_CALL_NONE)
            return check_violate(c, CHECK_R2,
                                 "thread %u is idle, yet waits (kind %u, request %u, object %u) in call %u", thread,
                                 t->wait, t->request, t->object, t->call);
        return 0;
    case PGR_THREAD_RELEASED:
        return 0;
    case PGR_THREAD_BLOCKED:
        break;
    default:
        return check_violate(c, CHECK_R2, "thread %u is in state %u, which is none", thread, t->state);
    }
    if (t->wait == PGR_WAIT_REQUEST && (t->object || !pgr_inspect_request(w, t->request, &r)))
        return check_violate(c, CHECK_R2, "thread %u is blocked on request %u (and object %u), which is not live",
                             thread, t->request, t->object);
    if (t->wait == PGR_WAIT_PORT &&
        (t->request || !pgr_inspect_object(w, t->object, &object) || object.kind != PGR_OBJECT_PORT))
        return check_violate(c, CHECK_R2, "thread %u is blocked on object %u, which is no port", thread, t->object);
    if (t->wait == PGR_WAIT_SIGNALS && (t->request || !pgr_inspect_object(w, t->object, &object)))
        return check_violate(c, CHECK_R2, "thread %u is blocked on signals of object %u, which is not in use", thread,
                             t->object);
    if (t->wait == PGR_WAIT_NONE || t->wait > PGR_WAIT_SIGNALS)
        return check_violate(c, CHECK_R2, "thread %u is blocked on nothing (kind %u)", thread, t->wait);
    return 0;
}

/* The queue of released threads holds every released thread once, and nobody else. */
static int queue_in_order(struct check_context *c, const pgr_world *w, uint32_t released)
{
    uint32_t length = 0;

    for (uint32_t thread = pgr_first_released(w); thread != PGR_NO_THREAD; length++) {
        pgr_thread_view t;
        if (!pgr_inspect_thread(w, thread, &t) || t.state != PGR_THREAD_RELEASED)
            return check_violate(c, CHECK_R2, "thread %u stands in the queue of released threads and is not released",
                                 thread);
        if (length == released)
            return check_violate(c, CHECK_R2,
                                 "the queue of released threads goes on with thread %u after all %u of them", thread,
                                 released);
        thread = t.next_released;
    }
    if (length != released)
        return check_violate(c, CHECK_R2, "%u threads are released, and %u stand in their queue", released, length);
    return 0;
}

/*
 * R2: a blocked thread waits for exactly one live thing; an idle one has no wait record; a released one stands once in
 * the queue.
 */
int check_r2(struct check_context *c, const pgr_world *w)
{
    uint32_t released = 0;

    for (uint32_t thread = 0; thread < c->config.thread_count; thread++) {
        pgr_thread_view t;
        if (!pgr_inspect_thread(w, thread, &t))
            return check_violate(c, CHECK_R2, "thread %u does not exist", thread);
        int found = thread_in_order(c, w, thread, &t);
        if (found)
            return found;
        released += t.state == PGR_THREAD_RELEASED;
    }
    return queue_in_order(c, w, released);
}

/* Threads that the call has released stand behind those that were; they are looked at by themselves. */
static int released_in_order(struct check_context *c, const pgr_world *w)
{
    uint32_t thread = pgr_first_released(w);

    for (uint32_t i = 0; thread != PGR_NO_THREAD; i++) {
        pgr_thread_view t;
        if (i == c->config.thread_count || !pgr_inspect_thread(w, thread, &t) || t.state != PGR_THREAD_RELEASED)
            return check_violate(c, CHECK_R2, "thread %u stands in the queue of released threads and is not released",
                                 thread);
        thread = t.next_released;
    }
    return 0;
}

/* R2 of the thread that called (or was resumed) and of those that are released. */
int check_r2_touched(struct check_context *c, const pgr_world *w, const pgr_call *call, const pgr_result *result)
{
    static const uint32_t states[] = {
        [PGR_DONE] = PGR_THREAD_IDLE, [PGR_BLOCKED] = PGR_THREAD_BLOCKED, [PGR_FAULT] = PGR_THREAD_IDLE};
    pgr_thread_view t;

    if (result->outcome > PGR_REFUSED)
        return check_violate(c, CHECK_R2, "the result of thread %u has the outcome %u", call->thread, result->outcome);
    if (result->outcome == PGR_REFUSED || !pgr_inspect_thread(w, call->thread, &t))
        return 0;
    int found = thread_in_order(c, w, call->thread, &t);
    if (found)
        return found;
    /* What happens to the world says nothing of the thread in whose name it does. */
    const pgr_call_info *info = pgr_call_row(call->number);
    if (info && !info->worldly && t.state != states[result->outcome])
        return check_violate(c, CHECK_R2, "thread %u is in state %u after a result with the outcome %u", call->thread,
                             t.state, result->outcome);
    return released_in_order(c, w);
}

/* --- R3 --- */

/* Finds every queued packet in the queue of its port, and counts the user packets. */
static int walk_port(struct check_context *c, const pgr_world *w, uint32_t port, const pgr_object_view *view)
{
    uint32_t users = 0;

    if (view->port.first_packet && !view->handle_count)
        return check_violate(c, CHECK_R3, "port %u has no handle and holds packet %u", port, view->port.first_packet);
    for (uint32_t row = view->port.first_packet; row;) {
        pgr_packet_view packet;
        if (row >= c->config.packet_count || !pgr_inspect_packet(w, row, &packet) || !packet.queued ||
            packet.port != port)
            return check_violate(c, CHECK_R3, "the queue of port %u leads to packet %u, which is not queued there",
                                 port, row);
        if (c->walk.packets[row])
            return check_violate(c, CHECK_R3, "packet %u stands twice, in the queue of port %u and in that of port %u",
                                 row, port, c->walk.packets[row]);
        c->walk.packets[row] = port;
        users += packet.packet.type == ZX_PKT_TYPE_USER;
        row = packet.next;
    }
    if (users != view->port.user_packets)
        return check_violate(c, CHECK_C1, "port %u counts %u user packets and holds %u", port, view->port.user_packets,
                             users);
    return 0;
}

static int packets_in_ports(struct check_context *c, const pgr_world *w)
{
    memset(c->walk.packets, 0, sizeof *c->walk.packets * c->config.packet_count);
    for (uint32_t i = 0; i < c->walk.row_count; i++) {
        uint32_t row = c->walk.rows[i];
        int found = c->walk.objects[row].kind == PGR_OBJECT_PORT ? walk_port(c, w, row, &c->walk.objects[row]) : 0;
        if (found)
            return found;
    }
    for (uint32_t row = 1; row < c->config.packet_count; row++) {
        pgr_packet_view packet;
        if (pgr_inspect_packet(w, row, &packet) && packet.queued && !c->walk.packets[row])
            return check_violate(c, CHECK_R3, "packet %u is said to be queued in port %u, whose queue has it not", row,
                                 packet.port);
    }
    return 0;
}

/* What the packet of a source says while it stands in the port. */
static int packet_says(struct check_context *c, const pgr_world *w, const pgr_object_view *source,
                       const pgr_packet_view *packet)
{
    const zx_packet_page_request_t *said = &packet->packet.page_request;
    pgr_request_view r;
    int good = packet->packet.key == source->source.key && packet->packet.type == ZX_PKT_TYPE_PAGE_REQUEST &&
               packet->packet.status == ZX_OK && packet->port == source->source.port;

    if (good && !packet->request)
        good = said->command == ZX_PAGER_VMO_COMPLETE && said->offset == 0 && said->length == 0 &&
               (source->flags & PGR_SOURCE_COMPLETE_SENT);
    if (good && packet->request)
        good = pgr_inspect_request(w, packet->request, &r) && said->command == r.command &&
               said->offset == r.page << c->config.page_shift && said->length == r.count << c->config.page_shift;
    if (!good)
        return check_violate(
            c, CHECK_R3,
            "the packet in port %u for request %u of %s says: key %llu, command %u, offset %llu, length "
            "%llu",
            packet->port, packet->request, check_name_pages(c, w, source->source.pages),
            (unsigned long long)packet->packet.key, said->command, (unsigned long long)said->offset,
            (unsigned long long)said->length);
    return 0;
}

/* The packet of this source, with `queued` 0 if it has none. */
static void packet_of(const pgr_world *w, const pgr_object_view *source, pgr_packet_view *packet)
{
    memset(packet, 0, sizeof *packet);
    if (!source->source.packet || !pgr_inspect_packet(w, source->source.packet, packet))
        memset(packet, 0, sizeof *packet);
}

static int sources_in_ports(struct check_context *c, const pgr_world *w)
{
    for (uint32_t i = 0; i < c->walk.row_count; i++) {
        uint32_t row = c->walk.rows[i];
        const pgr_object_view *source = &c->walk.objects[row];
        pgr_packet_view packet;
        if (source->kind != PGR_OBJECT_SOURCE)
            continue;
        packet_of(w, source, &packet);
        if (source->source.packet && packet.source != row)
            return check_violate(c, CHECK_R3, "source %u of %s has packet %u, which is that of source %u", row,
                                 check_name_pages(c, w, source->source.pages), source->source.packet, packet.source);
        int found = packet.queued ? packet_says(c, w, source, &packet) : 0;
        if (found)
            return found;
    }
    /* No second packet of the same source stands in a port. */
    for (uint32_t row = 1; row < c->config.packet_count; row++) {
        pgr_packet_view packet;
        if (!c->walk.packets[row] || !pgr_inspect_packet(w, row, &packet) || !packet.source)
            continue;
        if (source_of(c, packet.source)->source.packet != row)
            return check_violate(c, CHECK_R3, "packet %u in port %u is a second one of source %u (%s)", row,
                                 packet.port, packet.source,
                                 check_name_pages(c, w, source_of(c, packet.source)->source.pages));
    }
    return 0;
}

static int request_placed(struct check_context *c, const pgr_world *w, uint32_t row, const pgr_request_view *r)
{
    const pgr_object_view *source = source_of(c, r->source);
    pgr_packet_view packet;
    pgr_object_view port = {0};

    packet_of(w, source, &packet);
    pgr_inspect_object(w, source->source.port, &port);
    int carried = packet.queued && packet.request == row;
    int good = carried == (r->place == PGR_REQUEST_IN_PORT) && r->place <= PGR_REQUEST_SWALLOWED;
    /* The queue moves on as soon as the packet is free; a port without handles swallows what it is sent. */
    if (r->place == PGR_REQUEST_QUEUED)
        good = good && packet.queued;
    if (r->place == PGR_REQUEST_SWALLOWED)
        good = good && !port.handle_count;
    if (!good)
        return check_violate(c, CHECK_R3,
                             REQUEST_FORMAT
                             "is said to be %s, while its packet is %s for request %u and the port has %u "
                             "handles",
                             REQUEST_VALUES(c, w, row, r), place_name(r->place), packet.queued ? "queued" : "free",
                             packet.request, port.handle_count);
    return 0;
}

/*
 * R3: every live request is in exactly one place; a VMO has at most one packet in its port, which says what its request
 * asks for; every queued packet is in the queue of one port; a port without a handle holds none.
 */
int check_r3(struct check_context *c, const pgr_world *w)
{
    int found = packets_in_ports(c, w);

    if (found || (found = sources_in_ports(c, w)))
        return found;
    for (uint32_t row = 1; row <= check_request_rows(c) && !found; row++) {
        pgr_request_view r;
        if (pgr_inspect_request(w, row, &r))
            found = request_placed(c, w, row, &r);
    }
    return found;
}

/* --- R4, R5: nobody sleeps through what he waits for --- */

/* Pages of [page, end) that are not resolved yet: absent ones, or, for DIRTY, all that are not dirty. */
static uint64_t count_open(const struct check_context *c, const pgr_world *w, uint32_t row, uint64_t page, uint64_t end,
                           uint32_t command)
{
    uint64_t open = 0;
    pgr_run_view run;

    for (uint64_t n = 0; n <= c->config.run_count && page < end && pgr_inspect_run(w, row, page, &run); n++) {
        uint64_t begin = run.page > page ? run.page : page, behind = run.page + run.count;
        if (begin > page)
            open += (begin < end ? begin : end) - page;
        if (command == ZX_PAGER_VMO_DIRTY && run.state != PGR_PAGE_DIRTY && begin < end)
            open += (behind < end ? behind : end) - begin;
        page = behind;
    }
    return page < end ? open + end - page : open;
}

/*
 * R4 (ours): a request has at least as many pages left inside the VMO that are absent (DIRTY: that are not dirty) as
 * are pending: there is always a supply, or a ZX_PAGER_OP_DIRTY, that completes it.
 */
int check_r4(struct check_context *c, const pgr_world *w)
{
    for (uint32_t row = 1; row <= check_request_rows(c); row++) {
        pgr_request_view r;
        if (!pgr_inspect_request(w, row, &r))
            continue;
        uint32_t pages = source_of(c, r.source)->source.pages;
        if (!pages || pages >= c->config.object_count || c->walk.objects[pages].kind != PGR_OBJECT_PAGES)
            return check_violate(c, CHECK_R4, "request %u asks for pages of object %u, which are gone", row, pages);
        uint64_t size = c->walk.objects[pages].pages.size_pages, end = r.page + r.count;
        uint64_t open = count_open(c, w, pages, r.page, end < size ? end : size, r.command);
        if (r.pending > open)
            return check_violate(c, CHECK_R4, REQUEST_FORMAT "has %llu pages pending and only %llu %s pages are left",
                                 REQUEST_VALUES(c, w, row, &r), (unsigned long long)r.pending, (unsigned long long)open,
                                 r.command == ZX_PAGER_VMO_DIRTY ? "other than dirty" : "absent");
    }
    return 0;
}

/* R5 (ours): no thread waits at a port that holds a packet. */
int check_r5(struct check_context *c, const pgr_world *w)
{
    for (uint32_t thread = 0; thread < c->config.thread_count; thread++) {
        pgr_thread_view t;
        if (!pgr_inspect_thread(w, thread, &t) || t.state != PGR_THREAD_BLOCKED || t.wait != PGR_WAIT_PORT)
            continue;
        uint32_t packet = t.object < c->config.object_count ? c->walk.objects[t.object].port.first_packet : 0;
        if (packet)
            return check_violate(c, CHECK_R5, "thread %u waits at port %u, in which packet %u stands", thread, t.object,
                                 packet);
    }
    return 0;
}

/* --- R6 --- */

/* Is the request one for the page that these pages show at `page`, and does that page need it? */
static int request_is_for(const struct check_context *c, const pgr_world *w, const pgr_request_view *r, uint32_t row,
                          uint64_t page)
{
    struct check_sight sight = check_see(c, w, row, page);
    pgr_object_view owner;

    if (!pgr_inspect_object(w, sight.owner, &owner) || owner.kind != PGR_OBJECT_PAGES ||
        owner.pages.source != r->source || sight.owner_page < r->page || sight.owner_page - r->page >= r->count)
        return 0;
    if (r->command == ZX_PAGER_VMO_READ)
        return sight.absent;
    return sight.owner == row && sight.state != PGR_PAGE_NONE && sight.state != PGR_PAGE_DIRTY &&
           (owner.flags & PGR_PAGES_TRAP_DIRTY);
}

/* For byte `offset` of the VMO? */
static int is_for_vmo(const struct check_context *c, const pgr_world *w, const pgr_request_view *r, uint32_t vmo,
                      uint64_t offset)
{
    pgr_object_view object;

    return pgr_inspect_object(w, vmo, &object) && object.kind == PGR_OBJECT_VMO &&
           request_is_for(c, w, r, object.vmo.pages, object.vmo.offset_pages + (offset >> c->config.page_shift));
}

/* For the byte at this address? */
static int is_for_address(const struct check_context *c, const pgr_world *w, const pgr_request_view *r,
                          uint64_t address)
{
    struct check_mapping mapping;

    return check_find_mapping(c, w, c->root_vmar, address, &mapping) &&
           is_for_vmo(c, w, r, mapping.object.mapping.vmo,
                      (mapping.object.mapping.offset_pages << c->config.page_shift) + (address - mapping.address));
}

/* Is the pager asked the one behind this VMO, at the end of what it sees? */
static int is_behind(const struct check_context *c, const pgr_world *w, const pgr_request_view *r, uint32_t vmo)
{
    pgr_object_view object;
    uint32_t row = vmo && pgr_inspect_object(w, vmo, &object) && object.kind == PGR_OBJECT_VMO ? object.vmo.pages : 0;

    for (uint32_t depth = 0; row && depth < c->config.object_count && pgr_inspect_object(w, row, &object); depth++) {
        if (object.kind == PGR_OBJECT_PAGES && object.pages.source == r->source)
            return 1;
        row = object.kind == PGR_OBJECT_PAGES ? object.pages.parent : 0;
    }
    return 0;
}

/*
 * R6 (ours): a call that blocks waits for the page that it has come to. Reads, writes and accesses are judged to the
 * page; of the other calls it is asked that the request is for a pager behind what they are at work on.
 */
int check_r6(struct check_context *c, const pgr_world *w, const pgr_call *call, const pgr_result *result)
{
    const struct access_memo *access = &c->before.access;
    pgr_thread_view t;
    pgr_request_view r;

    if (result->outcome != PGR_BLOCKED || !pgr_inspect_thread(w, call->thread, &t) || t.wait != PGR_WAIT_REQUEST ||
        !pgr_inspect_request(w, t.request, &r))
        return 0;
    int good = access->vmo && is_for_vmo(c, w, &r, access->vmo, access->begin + t.progress_bytes);
    if (!good && access->in_memory)
        good = is_for_address(c, w, &r, (access->vmo ? c->before.reach.begin : access->begin) + t.progress_bytes);
    if (!access->vmo && !access->in_memory)
        good = is_behind(c, w, &r, t.held_vmo) || is_behind(c, w, &r, t.held_buffer_vmo);
    if (good)
        return 0;
    return check_violate(c, CHECK_R6,
                         "thread %u has done %llu bytes and waits for request %u (%s, %llu pages from %llu of source "
                         "%u), which is not for what it needs",
                         call->thread, (unsigned long long)t.progress_bytes, t.request, command_name(r.command),
                         (unsigned long long)r.count, (unsigned long long)r.page, r.source);
}

NO_COVERAGE_END
