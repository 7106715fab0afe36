/*
 * Accesses of threads to memory: mem_read, mem_write, mem_prepare.
 */
#include "calls.h"

#include "life.h"

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
