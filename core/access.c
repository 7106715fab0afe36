/*
 * Accesses through the address space: mem_read, mem_write, mem_prepare.
 *
 * There are no page tables. Every access asks, page by page: is there a mapping, does it allow this, has the VMO
 * this page? Then the page is obtained as zx_vmo_read or zx_vmo_write would obtain it, one page at a time. What
 * another call would return as an error ends in an exception.
 */
#include "pgr_internal.h"

static zx_status_t access_find(const pgr_world *w, struct access *access)
{
    struct region region = region_at(w, w->root_vmar, to_page(w, access->address));
    const struct mapping *mapping;
    struct window window;
    uint64_t page;

    /* Is something mapped there? */
    if (region.row == 0)
        return ZX_ERR_NOT_FOUND;
    mapping = &object_at(w, region.row)->mapping;
    if ((mapping->perms & (access->write ? ZX_VM_PERM_WRITE : ZX_VM_PERM_READ)) == 0)
        return ZX_ERR_ACCESS_DENIED;
    /* Does the VMO, as it is now, reach there? */
    window = vmo_window(w, mapping->vmo);
    page = mapping->offset_pages + (to_page(w, access->address) - region.page);
    if (page >= window.size_pages)
        return ZX_ERR_OUT_OF_RANGE;
    if (pages_discarded(w, window.pages))
        return ZX_ERR_NOT_FOUND;
    access->vmo = mapping->vmo;
    access->pages = vmo_is_physical(w, mapping->vmo) ? 0 : window.pages;
    access->offset = to_bytes(w, window.offset_pages + page) + (access->address & (page_bytes(w) - 1));
    return ZX_OK;
}

zx_status_t access_look(const pgr_world *w, struct access *access, struct need *need, struct want *want)
{
    const struct caps caps = {.read = 1, .dirty = 1};
    uint32_t event = access->write ? PGR_EVENT_WRITE : PGR_EVENT_READ;
    zx_status_t status;
    uint64_t page;
    uint32_t pins = 0;

    access->bytes = min_u64(access->bytes, page_bytes(w) - (access->address & (page_bytes(w) - 1)));
    status = access_find(w, access);
    if (status != ZX_OK || access->pages == 0)
        return status;
    page = to_page(w, access->offset);
    status = pages_want(w, access->pages, event, page, page + 1, &caps, want);
    if (status == ZX_OK && want->count == 0 && access->write)
        pages_scan(w, access->pages, event, page, page + 1, need, &pins);
    return status;
}

void access_prepare(pgr_world *w, void *frames, const struct access *access)
{
    uint64_t page = to_page(w, access->offset);

    if (!access->write || access->pages == 0)
        return;
    pages_prepare(w, frames, access->pages, PGR_EVENT_WRITE, page, page + 1, 0);
    pages_at(w, access->pages)->modified = 1;
}

/* --- mem_read, mem_write --- */

static zx_status_t mem_check(struct plan *plan)
{
    uint64_t bytes = plan->call->arg[2];
    /* Without bytes no address is touched. */
    uint64_t address = bytes > 0 ? plan->call->arg[0] : 0;

    plan->op.begin = address;
    plan->op.position = address;
    /* Nothing is mapped at the end of the address space: no access gets so far. */
    plan->op.end = bytes > UINT64_MAX - address ? UINT64_MAX : address + bytes;
    return ZX_OK;
}

/* The page at op->position, which is evaluated afresh unless the wait for it has failed. */
static zx_status_t mem_look(const pgr_world *w, struct plan *plan, int write)
{
    if (plan->wake_status != ZX_OK)
        return plan->wake_status;
    if (plan->op.position == plan->op.end && plan->op.end != UINT64_MAX)
        return ZX_OK;
    if (plan->call->buffer == NULL || plan->call->buffer_bytes < plan->op.end - plan->op.begin)
        return ZX_ERR_INVALID_ARGS;
    plan->access =
        (struct access){.address = plan->op.position, .bytes = plan->op.end - plan->op.position, .write = write};
    return access_look(w, &plan->access, &plan->need, &plan->want);
}

/* While the thread waits, the VMO that it faulted on lives. */
static enum progress mem_wait(pgr_world *w, struct plan *plan)
{
    op_move(w, &plan->op, plan->access.vmo);
    return PROGRESS_WAIT;
}

static enum progress mem_advance(struct plan *plan)
{
    plan->op.position += plan->access.bytes;
    return plan->op.position < plan->op.end ? PROGRESS_AGAIN : PROGRESS_DONE;
}

CHECK(mem_read)
{
    (void)w;
    return mem_check(plan);
}

LOOK(mem_read)
{
    return mem_look(w, plan, 0);
}

/* Physical memory reads as zeros. */
COMMIT(mem_read)
{
    const struct access *access = &plan->access;
    char *to;

    (void)result;
    if (plan->op.position == plan->op.end)
        return PROGRESS_DONE;
    if (plan->want.count > 0)
        return mem_wait(w, plan);
    to = (char *)plan->call->buffer + (plan->op.position - plan->op.begin);
    if (access->pages != 0)
        pages_copy_out(w, frames, access->pages, access->offset, access->offset + access->bytes, to);
    else
        memset(to, 0, (size_t)access->bytes);
    return mem_advance(plan);
}

CHECK(mem_write)
{
    (void)w;
    return mem_check(plan);
}

LOOK(mem_write)
{
    return mem_look(w, plan, 1);
}

COMMIT(mem_write)
{
    const struct access *access = &plan->access;
    const char *from;

    (void)result;
    if (plan->op.position == plan->op.end)
        return PROGRESS_DONE;
    if (plan->want.count > 0)
        return mem_wait(w, plan);
    from = (const char *)plan->call->buffer + (plan->op.position - plan->op.begin);
    access_prepare(w, frames, access);
    if (access->pages != 0)
        pages_copy_in(w, frames, access->pages, access->offset, access->offset + access->bytes, from);
    return mem_advance(plan);
}

uint64_t access_fault_address(uint16_t call, const struct op *op)
{
    return call == PGR_CALL_MEM_PREPARE ? op->end : op->position;
}

/* --- mem_prepare --- */

CHECK(mem_prepare)
{
    (void)w;
    return plan->call->buffer == NULL && plan->call->buffer_bytes > 0 ? ZX_ERR_INVALID_ARGS : ZX_OK;
}

/*
 * Accesses in order, each page by page. op->begin counts the accesses that are done, op->position the bytes of the
 * one that is not, op->end is the address looked at. After a wait it goes from the start again, for what was ready
 * may be gone.
 */
static int prepare_current(const struct plan *plan, pgr_access *access)
{
    if ((plan->op.begin + 1) * sizeof(*access) > plan->call->buffer_bytes)
        return 0;
    memcpy(access, (const char *)plan->call->buffer + plan->op.begin * sizeof(*access), sizeof(*access));
    return 1;
}

LOOK(mem_prepare)
{
    pgr_access access;

    if (plan->wake_status != ZX_OK)
        return plan->wake_status;
    if (!prepare_current(plan, &access) || access.bytes == 0)
        return ZX_OK;
    plan->op.end = access.address + plan->op.position;
    plan->access = (struct access){
        .address = plan->op.end,
        .bytes = access.bytes - plan->op.position,
        .write = access.write != 0,
    };
    return access_look(w, &plan->access, &plan->need, &plan->want);
}

COMMIT(mem_prepare)
{
    pgr_access access;

    (void)result;
    if (!prepare_current(plan, &access))
        return PROGRESS_DONE;
    if (plan->want.count > 0) {
        plan->op.begin = 0;
        plan->op.position = 0;
        return mem_wait(w, plan);
    }
    if (access.bytes > 0) {
        access_prepare(w, frames, &plan->access);
        plan->op.position += plan->access.bytes;
    }
    if (plan->op.position >= access.bytes) {
        plan->op.begin++;
        plan->op.position = 0;
    }
    return PROGRESS_AGAIN;
}
