/*
 * System calls: zx_handle_*, zx_object_get_info, zx_object_get_property, zx_object_set_property.
 */
#include "calls.h"

#include "handles.h"
#include "life.h"

/* --- zx_handle_close, zx_handle_close_many --- */

CHECK(handle_close)
{
    plan->handle = handle_find(w, plan->call->arg[0]);
    if (plan->handle == 0 && arg_u32(plan, 0) != ZX_HANDLE_INVALID)
        return ZX_ERR_BAD_HANDLE;
    return ZX_OK;
}

COMMIT(handle_close)
{
    (void)frames, (void)result;
    if (plan->handle != 0)
        handle_close(w, plan->handle);
    return PROGRESS_DONE;
}

CHECK(handle_close_many)
{
    (void)w;
    return plan->call->buffer == NULL && plan->call->buffer_bytes > 0 ? ZX_ERR_INVALID_ARGS : ZX_OK;
}

/* Closes all that can be closed. One that is no handle, or is listed twice, makes the call fail in the end. */
COMMIT(handle_close_many)
{
    const char *next = plan->call->buffer;
    uint64_t left = plan->call->buffer_bytes;
    zx_handle_t value;

    (void)frames;
    for (; left >= sizeof(value); left -= sizeof(value), next += sizeof(value)) {
        uint32_t row;

        memcpy(&value, next, sizeof(value));
        row = handle_find(w, value);
        /* Each handle goes with all that follows from it before the next one is looked at. */
        if (row != 0) {
            handle_close(w, row);
            objects_bury(w);
        } else if (value != ZX_HANDLE_INVALID)
            result->status = ZX_ERR_BAD_HANDLE;
    }
    return PROGRESS_DONE;
}

/* --- zx_handle_duplicate, zx_handle_replace --- */

/* Asks for rights that the handle does not have, or the handle's own. Rights come out in plan->rights. */
static zx_status_t rights_check(const pgr_world *w, struct plan *plan)
{
    zx_rights_t rights = handle_at(w, plan->handle)->rights;
    zx_rights_t wanted = arg_u32(plan, 1);

    plan->rights = wanted == ZX_RIGHT_SAME_RIGHTS ? rights : wanted;
    return (plan->rights & ~rights) != 0 ? ZX_ERR_INVALID_ARGS : ZX_OK;
}

CHECK(handle_duplicate)
{
    plan->handle = handle_find(w, plan->call->arg[0]);
    if (plan->handle == 0)
        return ZX_ERR_BAD_HANDLE;
    if ((handle_at(w, plan->handle)->rights & ZX_RIGHT_DUPLICATE) == 0)
        return ZX_ERR_ACCESS_DENIED;
    plan->need.handles = 1;
    return rights_check(w, plan);
}

COMMIT(handle_duplicate)
{
    (void)frames;
    result->out[2] = handle_make(w, handle_at(w, plan->handle)->object, plan->rights);
    return PROGRESS_DONE;
}

CHECK(handle_replace)
{
    plan->handle = handle_find(w, plan->call->arg[0]);
    if (plan->handle == 0)
        return ZX_ERR_BAD_HANDLE;
    plan->verdict = rights_check(w, plan);
    plan->need.handles = plan->verdict == ZX_OK ? 1 : 0;
    return ZX_OK;
}

/* Wrong rights close the old handle all the same. The object never is without a handle on success. */
COMMIT(handle_replace)
{
    (void)frames;
    result->status = plan->verdict;
    if (plan->verdict == ZX_OK)
        result->out[2] = handle_make(w, handle_at(w, plan->handle)->object, plan->rights);
    handle_close(w, plan->handle);
    return PROGRESS_DONE;
}
