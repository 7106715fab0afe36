/*
 * Steered operands: what a byte means that leaves the choice to us. Chosen so that calls fit together and get past
 * their checks most of the time, and often enough do not. Seeds are selectors, below PROGRAM_STEERED_END (0xc0).
 */
#include "harness/program_operands.h"

#include "harness/no_coverage.h"

NO_COVERAGE_BEGIN

/* ---- values of domains ---- */

struct domain_values {
    uint8_t count;
    uint8_t often; /* how many of four draws take the first value */
    const uint64_t *values;
};

#define VALUES(often_, ...)                                                                                            \
    {                                                                                                                  \
        .count = sizeof((const uint64_t[]){__VA_ARGS__}) / sizeof(uint64_t), .often = (often_),                        \
        .values = (const uint64_t[])                                                                                   \
        {                                                                                                              \
            __VA_ARGS__                                                                                                \
        }                                                                                                              \
    }

#define STATUS(code) ((uint64_t)(int64_t)(code))

static const struct domain_values domains[PGR_DOMAIN_COUNT] = {
    [PGR_DOMAIN_NUMBER] = VALUES(0, 1, 2, 3, 4, 0, 6, 8, 16),
    [PGR_DOMAIN_RIGHTS] =
        VALUES(3, ZX_RIGHT_SAME_RIGHTS, ZX_RIGHTS_BASIC, ZX_RIGHT_READ, ZX_RIGHT_WRITE | ZX_RIGHT_TRANSFER,
               ZX_RIGHT_READ | ZX_RIGHT_DUPLICATE | ZX_RIGHT_TRANSFER, ZX_RIGHT_MANAGE_VMO, ZX_RIGHT_ATTACH_VMO,
               ZX_RIGHT_TRANSFER, ZX_RIGHT_NONE, ZX_RIGHTS_BASIC | ZX_RIGHTS_IO | ZX_RIGHTS_PROPERTY, ZX_RIGHT_EXECUTE),
    [PGR_DOMAIN_TOPIC] = VALUES(0, ZX_INFO_VMO, ZX_INFO_HANDLE_BASIC, ZX_INFO_HANDLE_COUNT, ZX_INFO_HANDLE_VALID,
                                ZX_INFO_VMO, ZX_INFO_VMAR, ZX_INFO_BTI),
    [PGR_DOMAIN_PROPERTY] = VALUES(1, ZX_PROP_VMO_CONTENT_SIZE, ZX_PROP_NAME),
    [PGR_DOMAIN_SIGNALS] = VALUES(1, 1u << 24, ZX_VMO_ZERO_CHILDREN, 1u << 25 | 1u << 24, 0, ZX_USER_SIGNAL_ALL,
                                  ZX_SIGNAL_HANDLE_CLOSED, ZX_VMO_ZERO_CHILDREN | 1u << 24),
    [PGR_DOMAIN_DEADLINE] = VALUES(2, 0, (uint64_t)ZX_TIME_INFINITE),
    [PGR_DOMAIN_KEY] = VALUES(0, 0, 1, 2, 3, UINT64_MAX),
    [PGR_DOMAIN_ZERO_OPTIONS] = VALUES(3, 0, 0, 0, 0, 0, 0, 0, 1),
    [PGR_DOMAIN_PORT_OPTIONS] = VALUES(3, 0, ZX_PORT_BIND_TO_INTERRUPT, 0, 2),
    [PGR_DOMAIN_WAIT_ASYNC_OPTIONS] = VALUES(2, 0, ZX_WAIT_ASYNC_EDGE, ZX_WAIT_ASYNC_TIMESTAMP, 3),
    [PGR_DOMAIN_VMO_OPTIONS] = VALUES(1, ZX_VMO_RESIZABLE, 0, ZX_VMO_DISCARDABLE, 0, ZX_VMO_RESIZABLE, 0,
                                      ZX_VMO_UNBOUNDED, ZX_VMO_DISCARDABLE),
    [PGR_DOMAIN_PAGER_VMO_OPTIONS] =
        VALUES(1, ZX_VMO_RESIZABLE, 0, ZX_VMO_TRAP_DIRTY, ZX_VMO_RESIZABLE, 0, ZX_VMO_RESIZABLE | ZX_VMO_TRAP_DIRTY),
    [PGR_DOMAIN_CHILD_OPTIONS] =
        VALUES(1, ZX_VMO_CHILD_SLICE, ZX_VMO_CHILD_SNAPSHOT, ZX_VMO_CHILD_SNAPSHOT | ZX_VMO_CHILD_RESIZABLE,
               ZX_VMO_CHILD_SLICE | ZX_VMO_CHILD_NO_WRITE, ZX_VMO_CHILD_SNAPSHOT,
               ZX_VMO_CHILD_SNAPSHOT_AT_LEAST_ON_WRITE, ZX_VMO_CHILD_REFERENCE, ZX_VMO_CHILD_SNAPSHOT_MODIFIED),
    [PGR_DOMAIN_VMO_OP] =
        VALUES(1, ZX_VMO_OP_COMMIT, ZX_VMO_OP_DECOMMIT, ZX_VMO_OP_ZERO, ZX_VMO_OP_COMMIT, ZX_VMO_OP_ZERO,
               ZX_VMO_OP_DECOMMIT, ZX_VMO_OP_ZERO, ZX_VMO_OP_DECOMMIT, ZX_VMO_OP_ALWAYS_NEED, ZX_VMO_OP_DONT_NEED,
               ZX_VMO_OP_LOCK, ZX_VMO_OP_UNLOCK, ZX_VMO_OP_TRY_LOCK, ZX_VMO_OP_CACHE_SYNC, ZX_VMO_OP_PREFETCH),
    [PGR_DOMAIN_PAGER_OP] =
        VALUES(2, ZX_PAGER_OP_FAIL, ZX_PAGER_OP_DIRTY, ZX_PAGER_OP_WRITEBACK_BEGIN, ZX_PAGER_OP_WRITEBACK_END),
    [PGR_DOMAIN_PAGER_OP_DATA] = VALUES(2, STATUS(ZX_ERR_IO), STATUS(ZX_ERR_IO_DATA_INTEGRITY),
                                        STATUS(ZX_ERR_BAD_STATE), 0, ZX_VMO_DIRTY_RANGE_IS_ZERO,
                                        STATUS(ZX_ERR_NO_SPACE), STATUS(ZX_ERR_BUFFER_TOO_SMALL), (uint32_t)ZX_ERR_IO),
    [PGR_DOMAIN_STATS_OPTIONS] = VALUES(0, 0, ZX_PAGER_RESET_VMO_STATS),
    [PGR_DOMAIN_CACHE_POLICY] = VALUES(2, ZX_CACHE_POLICY_CACHED, ZX_CACHE_POLICY_UNCACHED,
                                       ZX_CACHE_POLICY_UNCACHED_DEVICE, ZX_CACHE_POLICY_WRITE_COMBINING),
    [PGR_DOMAIN_VM_OPTIONS] = VALUES(
        2, ZX_VM_PERM_READ | ZX_VM_PERM_WRITE, ZX_VM_PERM_READ, ZX_VM_PERM_READ | ZX_VM_PERM_WRITE | ZX_VM_SPECIFIC,
        ZX_VM_PERM_READ | ZX_VM_PERM_WRITE | ZX_VM_SPECIFIC_OVERWRITE, ZX_VM_PERM_READ | ZX_VM_MAP_RANGE,
        ZX_VM_PERM_READ | ZX_VM_PERM_WRITE | ZX_VM_ALLOW_FAULTS,
        ZX_VM_PERM_READ | ZX_VM_PERM_WRITE | ZX_VM_OFFSET_IS_UPPER_LIMIT, 0),
    [PGR_DOMAIN_VMAR_OP] = VALUES(1, ZX_VMAR_OP_COMMIT, ZX_VMAR_OP_DECOMMIT, ZX_VMAR_OP_MAP_RANGE, ZX_VMAR_OP_ZERO,
                                  ZX_VMAR_OP_DONT_NEED, ZX_VMAR_OP_ALWAYS_NEED, ZX_VMAR_OP_PREFETCH),
    [PGR_DOMAIN_PIN_OPTIONS] = VALUES(2, ZX_BTI_PERM_READ, ZX_BTI_PERM_READ | ZX_BTI_PERM_WRITE, ZX_BTI_PERM_WRITE,
                                      ZX_BTI_PERM_READ | ZX_BTI_CONTIGUOUS, ZX_BTI_PERM_READ | ZX_BTI_COMPRESS, 0),
    [PGR_DOMAIN_ALIGNMENT_LOG2] = VALUES(2, 0, 12, 13, 4, 5, 6, 7, 9),
    [PGR_DOMAIN_PHYSICAL_ADDRESS] = VALUES(0, 0x10000000, 0, 0x100000, 0xfffffffffffff000, 0x2001),
};

static uint64_t domain_value(uint32_t domain, uint32_t seed)
{
    const struct domain_values *d = &domains[domain < PGR_DOMAIN_COUNT ? domain : PGR_DOMAIN_NUMBER];
    if (d->count == 0)
        return seed & 7u;
    if ((seed & 3u) < d->often)
        return d->values[0];
    return d->values[(seed >> 2) % d->count];
}

/* ---- requests that are waiting for the pager ---- */

static int waits_for_pager(const struct operand_context *c, uint32_t thread, pgr_request_view *request)
{
    pgr_thread_view view;
    if (!pgr_inspect_thread(c->world, thread, &view) || view.state != PGR_THREAD_BLOCKED)
        return 0;
    return view.wait == PGR_WAIT_REQUEST && pgr_inspect_request(c->world, view.request, request);
}

/* Makes the call answer a request, if there is one whose VMO has a handle. Its pager, or null. Pages that are asked for
 * to be dirtied are no concern of a supply. */
static const struct live_handle *find_request(struct operand_context *c, uint32_t seed, int to_supply)
{
    const struct live_handles *live = &c->p->live;
    uint32_t threads = c->p->header.config.thread_count;
    pgr_object_view source;
    for (uint32_t i = 0; i < threads; i++) {
        if (!waits_for_pager(c, (seed + i) % threads, &c->request))
            continue;
        if (to_supply && c->request.command != ZX_PAGER_VMO_READ)
            continue;
        if (!pgr_inspect_object(c->world, c->request.source, &source) || source.source.pager == 0)
            continue;
        const struct live_handle *vmo = live_handle_of_pager_pages(live, source.source.pages);
        const struct live_handle *pager = live_handle_of_object(live, source.source.pager);
        if (!vmo || !pager)
            continue;
        c->asked = 1;
        c->aimed = 1;
        c->aim_page = c->request.page;
        c->aim_count = c->request.count;
        c->chosen = vmo->value;
        return pager;
    }
    return NULL;
}

/* ---- handles ---- */

static zx_handle_t value_of(const struct live_handle *handle)
{
    return handle ? handle->value : ZX_HANDLE_INVALID;
}

static uint32_t handles_behind(const pgr_call_info *row, uint32_t place, uint32_t type)
{
    uint32_t count = 0;
    for (place++; place < row->arg_count; place++) {
        if (row->args[place].kind == PGR_ARG_HANDLE && row->args[place].detail == type)
            count++;
    }
    return count;
}

/* A VMO that some pager made, and that pager; null if the pager is gone. */
static const struct live_handle *find_pager_vmo(struct operand_context *c, uint32_t seed)
{
    const struct live_handle *vmo = live_handle_of_nature(&c->p->live, NATURE_PAGER_VMO, seed & 3u);
    const struct live_handle *pager = vmo ? live_handle_of_object(&c->p->live, vmo->pager) : NULL;
    if (pager)
        c->chosen = vmo->value;
    return pager;
}

/* A pager; in a call about a VMO of its, one that is asked for pages, or one that has made a VMO at all. */
static zx_handle_t steer_pager(struct operand_context *c, uint32_t seed)
{
    const struct live_handle *pager = NULL;
    int about_vmo = handles_behind(c->row, 0, ZX_OBJ_TYPE_VMO) > 0;
    if (about_vmo && seed < 0x98)
        pager = find_request(c, seed, c->call->number == PGR_CALL_PAGER_SUPPLY_PAGES);
    if (about_vmo && seed < 0xb0 && !pager)
        pager = find_pager_vmo(c, seed);
    if (!pager)
        pager = live_handle_of_kind(&c->p->live, PGR_OBJECT_PAGER, seed & 3u);
    return value_of(pager);
}

static zx_handle_t steer_pager_vmo(struct operand_context *c, uint32_t seed)
{
    if (c->chosen && seed < 0xb4)
        return c->chosen;
    const struct live_handle *vmo = live_handle_of_nature(&c->p->live, NATURE_PAGER_VMO, seed & 3u);
    return value_of(vmo ? vmo : live_handle_of_kind(&c->p->live, PGR_OBJECT_VMO, seed));
}

static int has_room(const struct operand_context *c, const struct live_handle *aux)
{
    pgr_object_view vmo;
    if (!pgr_inspect_object(c->world, aux->object, &vmo))
        return 0;
    return vmo.vmo.child_count == 0 && vmo.vmo.size_pages >= c->length >> c->page_shift;
}

/* The VMO that gives its pages to another one. */
static zx_handle_t steer_donor(struct operand_context *c, uint32_t seed)
{
    const struct live_handles *live = &c->p->live;
    if (seed >= 0xb0)
        return value_of(live_handle_of_kind(live, PGR_OBJECT_VMO, seed & 7u));
    const struct live_handle *aux = NULL;
    for (uint32_t rank = 0; rank < 6; rank++) {
        aux = live_handle_of_nature(live, NATURE_PLAIN_VMO, (seed & 1u) + rank);
        if (!aux || has_room(c, aux))
            break;
    }
    return value_of(aux ? aux : live_handle_of_kind(live, PGR_OBJECT_VMO, seed & 7u));
}

static zx_handle_t steer_any_vmo(struct operand_context *c, uint32_t seed)
{
    const struct live_handles *live = &c->p->live;
    const struct live_handle *vmo = NULL;
    if (seed >= 0x40 && seed < 0x50)
        vmo = live_handle_of_nature(live, NATURE_DISCARDABLE_VMO, seed & 1u);
    if (seed >= 0x50 && seed < 0x88)
        vmo = live_handle_of_nature(live, NATURE_PAGER_VMO, seed & 3u);
    if (seed >= 0x88 && seed < 0xa0)
        vmo = live_handle_of_nature(live, NATURE_PLAIN_VMO, seed & 3u);
    if (!vmo)
        vmo = live_handle_of_kind(live, PGR_OBJECT_VMO, seed & (seed < 0xa0 ? 3u : 15u));
    return value_of(vmo);
}

static zx_handle_t steer_vmo(struct operand_context *c, uint32_t place, uint32_t seed)
{
    if (c->vmos > 0)
        return steer_donor(c, seed);
    int behind_pager =
        place > 0 && c->row->args[0].kind == PGR_ARG_HANDLE && c->row->args[0].detail == ZX_OBJ_TYPE_PAGER;
    return behind_pager ? steer_pager_vmo(c, seed) : steer_any_vmo(c, seed);
}

/* What a world cannot make again, or would have to before anything else can go on. */
static int is_precious(const struct live_handles *live, const struct live_handle *handle)
{
    switch (handle->kind) {
    case PGR_OBJECT_BTI:
    case PGR_OBJECT_RESOURCE:
    case PGR_OBJECT_VMAR:
        return 1;
    case PGR_OBJECT_EVENT:
    case PGR_OBJECT_PAGER:
    case PGR_OBJECT_PORT:
        return live->of_kind[handle->kind] == 1;
    case PGR_OBJECT_VMO:
        return handle->nature != NATURE_OTHER && live->of_nature[handle->nature] == 1;
    default:
        return 0;
    }
}

static int ends_handles(uint32_t number)
{
    return number == PGR_CALL_HANDLE_CLOSE || number == PGR_CALL_HANDLE_CLOSE_MANY || number == PGR_CALL_HANDLE_REPLACE;
}

static zx_handle_t steer_any_handle(struct operand_context *c, uint32_t seed)
{
    const struct live_handles *live = &c->p->live;
    uint32_t rank = seed < 0x30 ? seed & 3u : seed;
    const struct live_handle *handle = live_handle_of_kind(live, PGR_OBJECT_NONE, rank);
    if (!ends_handles(c->call->number) || seed >= 0xb8)
        return value_of(handle);
    for (uint32_t tries = 0; tries < 6 && handle && is_precious(live, handle); tries++) {
        handle = live_handle_of_kind(live, PGR_OBJECT_NONE, ++rank);
    }
    return value_of(handle);
}

/* Objects that can be signalled and waited for. */
static zx_handle_t steer_waitable(struct operand_context *c, uint32_t seed)
{
    const struct live_handles *live = &c->p->live;
    const struct live_handle *event = live_handle_of_kind(live, PGR_OBJECT_EVENT, seed & 3u);
    const struct live_handle *vmo = live_handle_of_kind(live, PGR_OBJECT_VMO, seed & 7u);
    if (!vmo || (event && seed < 0x50))
        return value_of(event);
    return vmo->value;
}

static zx_handle_t steer_canceled(struct operand_context *c, uint32_t place, uint32_t seed)
{
    if (place == 0 && c->p->wait_count > 0) {
        uint32_t kept = c->p->wait_count < PROGRAM_WAITS ? c->p->wait_count : PROGRAM_WAITS;
        c->wait = &c->p->waits[seed % kept];
    }
    if (!c->wait)
        return value_of(live_handle_of_kind(&c->p->live, place == 0 ? PGR_OBJECT_PORT : PGR_OBJECT_EVENT, seed & 3u));
    return place == 0 ? c->wait->port : c->wait->object;
}

/* An object for an async wait, now and then the one that was waited for last: port and key are the same then. */
static zx_handle_t steer_watched(struct operand_context *c, uint32_t seed)
{
    if (c->p->wait_count == 0 || seed < 0x58 || seed >= 0x70)
        return seed < 0xa8 ? steer_waitable(c, seed) : steer_any_handle(c, seed);
    c->wait = &c->p->waits[(c->p->wait_count - 1) % PROGRAM_WAITS];
    return c->wait->object;
}

static zx_handle_t steer_untyped(struct operand_context *c, uint32_t seed)
{
    switch (c->call->number) {
    case PGR_CALL_OBJECT_WAIT_ASYNC:
        return steer_watched(c, seed);
    case PGR_CALL_OBJECT_WAIT_ONE:
    case PGR_CALL_OBJECT_SIGNAL:
        return seed < 0xa8 ? steer_waitable(c, seed) : steer_any_handle(c, seed);
    case PGR_CALL_OBJECT_GET_PROPERTY:
    case PGR_CALL_OBJECT_SET_PROPERTY:
        return seed < 0xa8 ? steer_any_vmo(c, seed) : steer_any_handle(c, seed);
    default:
        return steer_any_handle(c, seed);
    }
}

static int is_destroyed(const pgr_world *world, uint32_t object)
{
    pgr_object_view view;
    return pgr_inspect_object(world, object, &view) && (view.flags & PGR_VMAR_DESTROYED);
}

/* Mostly the whole address space; to destroy, one inside of it. */
static zx_handle_t steer_vmar(const struct operand_context *c, uint32_t seed)
{
    const struct live_handles *live = &c->p->live;
    const struct live_handle *root = live_handle_of_object(live, c->p->root_vmar), *vmar = NULL;
    if (root && seed < 0x70 && c->call->number != PGR_CALL_VMAR_DESTROY)
        return root->value;
    for (uint32_t rank = 0; rank < 4; rank++) {
        vmar = live_handle_of_kind(live, PGR_OBJECT_VMAR, (seed & 1u) + rank);
        if (!vmar || seed >= 0xb4 || (vmar != root && !is_destroyed(c->world, vmar->object)))
            break;
    }
    return value_of(vmar);
}

zx_handle_t steer_handle(struct operand_context *c, uint32_t place, uint32_t seed)
{
    const pgr_arg *arg = &c->row->args[place];
    if (seed == 0xbf && c->p->closed != ZX_HANDLE_INVALID)
        return c->p->closed;
    if (seed >= 0xbc)
        return steer_any_handle(c, seed);
    if (c->call->number == PGR_CALL_PORT_CANCEL && seed < 0xb0)
        return steer_canceled(c, place, seed);
    if (arg->kind != PGR_ARG_HANDLE)
        return steer_any_handle(c, seed);
    switch (arg->detail) {
    case ZX_OBJ_TYPE_NONE:
        return steer_untyped(c, seed);
    case ZX_OBJ_TYPE_PAGER:
        return steer_pager(c, seed);
    case ZX_OBJ_TYPE_VMO:
        return steer_vmo(c, place, seed);
    case ZX_OBJ_TYPE_VMAR:
        return steer_vmar(c, seed);
    case ZX_OBJ_TYPE_PORT:
        if (c->wait)
            return c->wait->port;
        break;
    case ZX_OBJ_TYPE_RESOURCE:
        if (place > 0 && seed < 0xa0)
            return ZX_HANDLE_INVALID;
        break;
    default:
        break;
    }
    return value_of(live_handle_of_kind(&c->p->live, live_handle_kind_of_type(arg->detail), seed & 3u));
}

/* ---- numbers ---- */

/* A thread that a kill would not pass by: one that is blocked, or else any but thread 0. */
static uint64_t steer_other_thread(const struct operand_context *c, uint32_t seed)
{
    uint32_t threads = c->p->header.config.thread_count, any = threads > 1 ? 1 + seed % (threads - 1) : 0;
    for (uint32_t i = 0; i < threads && seed < 0x90; i++) {
        pgr_thread_view view;
        uint32_t thread = (any + i) % threads;
        if (pgr_inspect_thread(c->world, thread, &view) && view.state == PGR_THREAD_BLOCKED)
            return thread;
    }
    return any;
}

/* Whether the pages are a pager's, or what they do not have is. */
static int is_behind_pager(const pgr_world *world, uint32_t row)
{
    pgr_object_view pages;
    for (uint32_t depth = 0; depth < 16 && pgr_inspect_object(world, row, &pages); depth++) {
        if (pages.pages.parent == 0)
            return pages.pages.source != 0;
        row = pages.pages.parent;
    }
    return 0;
}

/* A kind of child that the VMO can have: no slice of a VMO whose size may change, no snapshot at once where a pager
 * or a device answers. */
static uint64_t steer_child_options(const struct operand_context *c, uint32_t seed)
{
    pgr_object_view pages;
    uint64_t more = seed & 8u ? ZX_VMO_CHILD_NO_WRITE : 0, size = seed & 4u ? ZX_VMO_CHILD_RESIZABLE : more;
    if (!pgr_inspect_object(c->world, c->pages, &pages) || (pages.flags & (PGR_PAGES_PHYSICAL | PGR_PAGES_CONTIGUOUS)))
        return ZX_VMO_CHILD_SLICE;
    if ((seed & 0x70u) == 0)
        return ZX_VMO_CHILD_REFERENCE | (pages.flags & PGR_PAGES_RESIZABLE ? size : more);
    if ((seed & 3u) == 0 && !(pages.flags & PGR_PAGES_RESIZABLE))
        return ZX_VMO_CHILD_SLICE | more;
    if (!is_behind_pager(c->world, c->pages))
        return ZX_VMO_CHILD_SNAPSHOT | size;
    return ((seed & 3u) == 1 ? ZX_VMO_CHILD_SNAPSHOT_MODIFIED : ZX_VMO_CHILD_SNAPSHOT_AT_LEAST_ON_WRITE) | size;
}

static uint64_t one_of(const uint64_t *values, uint32_t count, uint32_t seed)
{
    return values[seed % count];
}

/* What the waiting thread asked for, or what has pages in the state that it is for. */
static uint64_t steer_pager_op(struct operand_context *c, uint32_t seed)
{
    static const uint64_t ops[] = {ZX_PAGER_OP_DIRTY, ZX_PAGER_OP_WRITEBACK_BEGIN, ZX_PAGER_OP_WRITEBACK_END};
    uint32_t vmo, pages;
    if (c->asked && c->request.command == ZX_PAGER_VMO_DIRTY)
        return seed & 3u ? ZX_PAGER_OP_DIRTY : ZX_PAGER_OP_FAIL;
    if (c->asked && (seed & 1u))
        return ZX_PAGER_OP_FAIL;
    c->asked = 0;
    c->aimed = 0;
    if (!pgr_inspect_vmo(c->world, c->chosen, &vmo, &pages))
        return one_of(ops, 3, seed >> 1);
    for (uint32_t i = 0; i < 3; i++) {
        uint64_t op = one_of(ops, 3, (seed >> 1) + i);
        if (aim_at_state(c, pages, op, seed))
            return op;
    }
    return one_of(ops, 3, seed >> 1);
}

static uint64_t steer_pager_op_data(const struct operand_context *c, uint32_t seed)
{
    switch ((uint32_t)c->call->arg[1]) {
    case ZX_PAGER_OP_FAIL:
        return domain_value(PGR_DOMAIN_PAGER_OP_DATA, seed);
    case ZX_PAGER_OP_WRITEBACK_BEGIN:
        return seed & 3u ? 0 : ZX_VMO_DIRTY_RANGE_IS_ZERO;
    default:
        return 0;
    }
}

static uint64_t steer_vmo_op(const struct operand_context *c, uint32_t seed)
{
    static const uint64_t ops[] = {ZX_VMO_OP_UNLOCK, ZX_VMO_OP_LOCK, ZX_VMO_OP_TRY_LOCK, ZX_VMO_OP_UNLOCK,
                                   ZX_VMO_OP_ZERO};
    pgr_object_view pages;
    if ((seed & 3u) && pgr_inspect_object(c->world, c->pages, &pages) && (pages.flags & PGR_PAGES_DISCARDABLE))
        return one_of(ops, 5, seed >> 2);
    return domain_value(PGR_DOMAIN_VMO_OP, seed);
}

/* A mapping's options, what it is to be protected with, or what a new VMAR may do. */
static uint64_t steer_vm_options(const struct operand_context *c, uint32_t seed)
{
    static const uint64_t protects[] = {ZX_VM_PERM_READ, ZX_VM_PERM_READ | ZX_VM_PERM_WRITE, 0,
                                        ZX_VM_PERM_READ | ZX_VM_PERM_WRITE};
    static const uint64_t allocates[] = {
        ZX_VM_CAN_MAP_READ | ZX_VM_CAN_MAP_WRITE | ZX_VM_CAN_MAP_SPECIFIC, ZX_VM_CAN_MAP_READ | ZX_VM_CAN_MAP_WRITE,
        ZX_VM_CAN_MAP_READ | ZX_VM_CAN_MAP_WRITE | ZX_VM_CAN_MAP_SPECIFIC | ZX_VM_SPECIFIC, ZX_VM_CAN_MAP_READ};
    if (c->call->number == PGR_CALL_VMAR_PROTECT)
        return one_of(protects, 4, seed);
    if (c->call->number == PGR_CALL_VMAR_ALLOCATE)
        return one_of(allocates, 4, seed);
    return domain_value(PGR_DOMAIN_VM_OPTIONS, seed);
}

/* Values that are worth it in this call as it is by now. */
static uint64_t steer_domain(struct operand_context *c, uint32_t domain, uint32_t seed)
{
    switch (domain) {
    case PGR_DOMAIN_CHILD_OPTIONS:
        return steer_child_options(c, seed);
    case PGR_DOMAIN_PAGER_OP:
        return steer_pager_op(c, seed);
    case PGR_DOMAIN_PAGER_OP_DATA:
        return steer_pager_op_data(c, seed);
    case PGR_DOMAIN_VMO_OP:
        return steer_vmo_op(c, seed);
    case PGR_DOMAIN_VM_OPTIONS:
        return steer_vm_options(c, seed);
    default:
        return domain_value(domain, seed);
    }
}

uint64_t steer_number(struct operand_context *c, uint32_t place, uint32_t seed)
{
    const pgr_arg *arg = &c->row->args[place];
    if (arg->kind == PGR_ARG_THREAD)
        return steer_other_thread(c, seed);
    if (c->wait && arg->detail == PGR_DOMAIN_KEY && seed < 0xb0)
        return c->wait->key;
    if (arg->detail == PGR_DOMAIN_SIGNALS && c->call->number != PGR_CALL_OBJECT_SIGNAL && seed < 0x60)
        return ZX_EVENT_SIGNALED;
    if (arg->detail == PGR_DOMAIN_ALIGNMENT_LOG2 && (seed & 1u))
        return c->page_shift + (seed >> 1 & 3u);
    return seed < 0xa8 ? steer_domain(c, arg->detail, seed) : domain_value(arg->detail, seed);
}

/* ---- threads ---- */

static uint32_t state_of(const pgr_world *world, uint32_t thread)
{
    pgr_thread_view view;
    return pgr_inspect_thread(world, thread, &view) ? view.state : (uint32_t)PGR_THREAD_BLOCKED;
}

int steer_thread(const struct program *p, const pgr_world *world, const pgr_call_info *row, uint32_t seed,
                 uint32_t *thread)
{
    uint32_t others = p->header.config.thread_count - 1;
    *thread = 0;
    if (!row->may_block && seed < 0xa0 && state_of(world, 0) == PGR_THREAD_IDLE)
        return 0;
    for (uint32_t i = 0; i < others; i++) {
        *thread = 1 + (seed + i) % others;
        if (state_of(world, *thread) == PGR_THREAD_IDLE)
            return 0;
    }
    *thread = 0;
    return row->may_block;
}

uint32_t steer_resume(const struct program *p, const pgr_world *world, uint32_t seed)
{
    uint32_t thread = pgr_first_released(world);
    if (thread == PGR_NO_THREAD)
        return seed % p->header.config.thread_count;
    pgr_thread_view view;
    for (; seed & 1u; seed >>= 1) {
        if (!pgr_inspect_thread(world, thread, &view) || view.next_released == PGR_NO_THREAD)
            break;
        thread = view.next_released;
    }
    return thread;
}

/* ---- answering ---- */

uint32_t steer_answer(struct program *p, const pgr_world *world, uint64_t *size)
{
    struct operand_context c = {.p = p, .world = world, .page_shift = p->header.config.page_shift};
    if (!find_request(&c, 0, 1))
        return PGR_CALL_NONE;
    c.length = c.request.count << c.page_shift;
    *size = c.length;
    for (uint32_t rank = 0; rank < 4; rank++) {
        const struct live_handle *aux = live_handle_of_nature(&p->live, NATURE_PLAIN_VMO, rank);
        if (aux && has_room(&c, aux))
            return PGR_CALL_PAGER_SUPPLY_PAGES;
    }
    return PGR_CALL_VMO_CREATE;
}

zx_handle_t steer_full_port(const struct program *p, const pgr_world *world)
{
    pgr_object_view view;
    for (uint32_t rank = 0; rank < p->live.of_kind[PGR_OBJECT_PORT]; rank++) {
        const struct live_handle *port = live_handle_of_kind(&p->live, PGR_OBJECT_PORT, rank);
        if (port && pgr_inspect_object(world, port->object, &view) && view.port.first_packet != 0)
            return port->value;
    }
    return ZX_HANDLE_INVALID;
}

/* ---- calls instead of others ---- */

/* The first call of the table that makes an object of this type; PGR_CALL_NONE if none does. */
static uint32_t maker_of(uint8_t type)
{
    static uint8_t makers[256];
    static uint8_t known[256];
    if (known[type])
        return makers[type];
    known[type] = 1;
    for (uint32_t number = 1; number < PGR_CALL_COUNT && !makers[type]; number++) {
        const pgr_call_info *row = pgr_call_row(number);
        if (!row)
            continue;
        for (uint32_t place = 0; place < row->arg_count; place++) {
            if (row->args[place].kind == PGR_ARG_HANDLE_OUT && row->args[place].detail == type)
                makers[type] = (uint8_t)number;
        }
    }
    return makers[type];
}

/* A call that makes what this one lacks; PGR_CALL_NONE if it lacks nothing. */
static uint32_t call_for_lack(const struct program *p, const pgr_call_info *row)
{
    uint32_t vmos = 0;
    int of_pager = 0;
    for (uint32_t place = 0; place < row->arg_count; place++) {
        if (row->args[place].kind != PGR_ARG_HANDLE || row->args[place].detail == ZX_OBJ_TYPE_NONE)
            continue;
        uint8_t type = row->args[place].detail;
        if (p->live.of_kind[live_handle_kind_of_type(type)] == 0 && maker_of(type))
            return maker_of(type);
        if (type == ZX_OBJ_TYPE_PAGER)
            of_pager = 1;
        if (type != ZX_OBJ_TYPE_VMO)
            continue;
        vmos++;
        if (of_pager && vmos == 1 && p->live.of_nature[NATURE_PAGER_VMO] == 0)
            return PGR_CALL_PAGER_CREATE_VMO;
        if (of_pager && vmos == 2 && p->live.of_nature[NATURE_PLAIN_VMO] == 0)
            return PGR_CALL_VMO_CREATE;
    }
    return PGR_CALL_NONE;
}

static int has_address(const pgr_call_info *row)
{
    for (uint32_t place = 0; place < row->arg_count; place++) {
        if (row->args[place].kind == PGR_ARG_ADDRESS)
            return 1;
    }
    return 0;
}

static int makes_handle(const pgr_call_info *row)
{
    for (uint32_t place = 0; place < row->arg_count; place++) {
        if (row->args[place].kind == PGR_ARG_HANDLE_OUT)
            return 1;
    }
    return 0;
}

static uint32_t better_call(const struct program *p, const pgr_world *world, uint32_t number)
{
    const pgr_call_info *row = pgr_call_row(number);
    if (number == PGR_CALL_RESUME && pgr_first_released(world) == PGR_NO_THREAD)
        return PGR_CALL_PAGER_SUPPLY_PAGES;
    if (number == PGR_CALL_PORT_CANCEL && p->wait_count == 0)
        return PGR_CALL_OBJECT_WAIT_ASYNC;
    if (number == PGR_CALL_VMAR_DESTROY && p->live.of_kind[PGR_OBJECT_VMAR] < 2)
        return PGR_CALL_VMAR_ALLOCATE;
    if (has_address(row) && !is_something_mapped(p, world))
        return PGR_CALL_VMAR_MAP;
    uint32_t lacking = call_for_lack(p, row);
    if (lacking != PGR_CALL_NONE)
        return lacking;
    if (makes_handle(row) && p->live.count * 4 >= (p->header.config.handle_count - 1) * 3)
        return PGR_CALL_HANDLE_CLOSE;
    return number;
}

uint32_t steer_call(const struct program *p, const pgr_world *world, uint32_t number)
{
    for (uint32_t tries = 0; tries < 4; tries++) {
        uint32_t better = better_call(p, world, number);
        if (better == number)
            break;
        number = better;
    }
    return number;
}

NO_COVERAGE_END
