/*
 * The oracle's handles (objects.md): values, rights, and the calls that make, copy and close them.
 */
#include "harness/oracle/oracle.h"

#include <stdlib.h>
#include <string.h>

/* objects.md: what the two lowest bits of every valid value are. */
#define HANDLE_LOW_BITS 3u

struct oracle_handle *oracle_handle_find(struct oracle *o, zx_handle_t value)
{
    for (size_t i = 0; i < o->handles.count; i++) {
        struct oracle_handle *handle = o->handles.items[i];
        if (handle->value == value)
            return handle;
    }
    return NULL;
}

/* README.md, H: alive, then type, then rights. A wrong type wins over missing rights. */
zx_status_t oracle_handle_get(struct oracle *o, zx_handle_t value, uint32_t kind, zx_rights_t rights, void *object)
{
    const struct oracle_handle *handle = oracle_handle_find(o, value);
    if (!handle)
        return ZX_ERR_BAD_HANDLE;
    if (kind != PGR_OBJECT_NONE && handle->object->kind != kind)
        return ZX_ERR_WRONG_TYPE;
    if ((handle->rights & rights) != rights)
        return ZX_ERR_ACCESS_DENIED;

    struct oracle_object *found = handle->object;
    memcpy(object, &found, sizeof found);
    return ZX_OK;
}

zx_rights_t oracle_handle_rights(struct oracle *o, zx_handle_t value)
{
    const struct oracle_handle *handle = oracle_handle_find(o, value);
    return handle ? handle->rights : ZX_RIGHT_NONE;
}

/* objects.md: as many handles as a Zircon system holds; beyond that making one is ZX_ERR_NO_MEMORY. */
bool oracle_handles_full(struct oracle *o)
{
    return o->handles.count >= PGR_HANDLES_MAX;
}

/* objects.md: a value is never used a second time within a run. */
zx_handle_t oracle_handle_make(struct oracle *o, void *object, zx_rights_t rights)
{
    struct oracle_handle *handle = oracle_zalloc(sizeof *handle);
    o->next_handle++;
    handle->value = o->next_handle << 2 | HANDLE_LOW_BITS;
    handle->rights = rights;
    handle->object = object;
    handle->object->handle_count++;
    oracle_list_add(&o->handles, handle);
    return handle->value;
}

/* objects.md: what the closing of an object's last handle does besides letting the object die. */
static void last_handle_closed(struct oracle *o, struct oracle_object *object)
{
    switch (object->kind) {
    case PGR_OBJECT_PORT:
        oracle_port_close(o, (struct oracle_port *)object);
        break;
    case PGR_OBJECT_PAGER:
        oracle_pager_closed(o, (struct oracle_pager *)object);
        break;
    case PGR_OBJECT_PMT:
        oracle_pmt_closed(o, (struct oracle_pmt *)object);
        break;
    default:
        break;
    }
}

/*
 * objects.md: waits through the handle end first, then the handle goes. The object's count falls behind the effects of
 * the last handle's closing: these must not let the object die under them.
 */
void oracle_handle_close(struct oracle *o, struct oracle_handle *handle)
{
    struct oracle_object *object = handle->object;
    oracle_list_remove(&o->handles, handle);
    oracle_waits_cancel(o, handle->value, object);
    free(handle);

    if (object->handle_count == 1)
        last_handle_closed(o, object);
    object->handle_count--;
    oracle_unreferenced(o, object);
}

/* --- zx_handle_close, zx_handle_close_many (objects.md) --- */

zx_status_t oracle_zx_handle_close(struct oracle *o, struct oracle_thread *t, const pgr_call *call, pgr_result *result)
{
    (void)t, (void)result;
    zx_handle_t value = (zx_handle_t)call->arg[0];
    if (value == ZX_HANDLE_INVALID) /* row 1 */
        return ZX_OK;
    struct oracle_handle *handle = oracle_handle_find(o, value);
    if (!handle) /* row 2 */
        return ZX_ERR_BAD_HANDLE;
    oracle_handle_close(o, handle);
    return ZX_OK;
}

/*
 * One after the other, with all that its closing does. Zeros are skipped; one that is no handle, or is listed twice,
 * makes the call fail, and all others are closed all the same.
 */
zx_status_t oracle_zx_handle_close_many(struct oracle *o, struct oracle_thread *t, const pgr_call *call,
                                        pgr_result *result)
{
    (void)t, (void)result;
    zx_status_t status = ZX_OK;
    for (uint64_t i = 0; i < call->buffer_bytes / sizeof(zx_handle_t); i++) {
        zx_handle_t value;
        memcpy(&value, (const char *)call->buffer + i * sizeof value, sizeof value);
        struct oracle_handle *handle = oracle_handle_find(o, value);
        if (handle)
            oracle_handle_close(o, handle);
        else if (value != ZX_HANDLE_INVALID)
            status = ZX_ERR_BAD_HANDLE;
    }
    return status;
}

/* --- zx_handle_duplicate, zx_handle_replace (objects.md) --- */

/* SAME_RIGHTS stands alone; anything else is to be a subset of what the handle has. */
static bool rights_allowed(const struct oracle_handle *handle, zx_rights_t rights)
{
    return rights == ZX_RIGHT_SAME_RIGHTS || (rights & ~handle->rights) == 0;
}

static zx_rights_t rights_wanted(const struct oracle_handle *handle, zx_rights_t rights)
{
    return rights == ZX_RIGHT_SAME_RIGHTS ? handle->rights : rights;
}

zx_status_t oracle_zx_handle_duplicate(struct oracle *o, struct oracle_thread *t, const pgr_call *call,
                                       pgr_result *result)
{
    (void)t;
    zx_rights_t rights = (zx_rights_t)call->arg[1];
    const struct oracle_handle *handle = oracle_handle_find(o, (zx_handle_t)call->arg[0]);
    if (!handle) /* row 1 */
        return ZX_ERR_BAD_HANDLE;
    if (!(handle->rights & ZX_RIGHT_DUPLICATE)) /* row 2 */
        return ZX_ERR_ACCESS_DENIED;
    if (!rights_allowed(handle, rights)) /* row 3 */
        return ZX_ERR_INVALID_ARGS;
    if (oracle_handles_full(o)) /* row 4 */
        return ZX_ERR_NO_MEMORY;
    result->out[2] = oracle_handle_make(o, handle->object, rights_wanted(handle, rights));
    return ZX_OK;
}

/*
 * The new handle comes before the old one goes, so that the object always has one. The place of the old one is enough
 * for the new one: a full table is no obstacle.
 */
static zx_handle_t handle_exchange(struct oracle *o, struct oracle_handle *handle, zx_rights_t rights)
{
    zx_handle_t value = oracle_handle_make(o, handle->object, rights);
    oracle_handle_close(o, handle);
    return value;
}

zx_status_t oracle_zx_handle_replace(struct oracle *o, struct oracle_thread *t, const pgr_call *call,
                                     pgr_result *result)
{
    (void)t;
    zx_rights_t rights = (zx_rights_t)call->arg[1];
    struct oracle_handle *handle = oracle_handle_find(o, (zx_handle_t)call->arg[0]);
    if (!handle) /* row 1 */
        return ZX_ERR_BAD_HANDLE;
    if (!rights_allowed(handle, rights)) { /* row 2: the old handle goes all the same */
        oracle_handle_close(o, handle);
        return ZX_ERR_INVALID_ARGS;
    }
    result->out[2] = handle_exchange(o, handle, rights_wanted(handle, rights)); /* row 4 */
    return ZX_OK;
}

/*
 * README.md, "Decisions": the handle is consumed and one with EXECUTE added comes in its place. As with
 * zx_handle_replace() the handle goes in any case, also when it turns out to be of another type. The second handle may be
 * left out; one that is given has to be a resource (there is only the root resource, which is enough for everything).
 */
static zx_status_t may_make_executable(struct oracle *o, const struct oracle_handle *handle, zx_handle_t resource)
{
    struct oracle_resource *found;
    zx_status_t status = ZX_OK;
    if (resource != ZX_HANDLE_INVALID)
        status = oracle_handle_get(o, resource, PGR_OBJECT_RESOURCE, ZX_RIGHT_NONE, &found);
    if (status == ZX_OK && handle->object->kind != PGR_OBJECT_VMO)
        status = ZX_ERR_WRONG_TYPE;
    return status;
}

zx_status_t oracle_zx_vmo_replace_as_executable(struct oracle *o, struct oracle_thread *t, const pgr_call *call,
                                                pgr_result *result)
{
    (void)t;
    struct oracle_handle *handle = oracle_handle_find(o, (zx_handle_t)call->arg[0]);
    if (!handle)
        return ZX_ERR_BAD_HANDLE;
    zx_status_t status = may_make_executable(o, handle, (zx_handle_t)call->arg[1]);
    if (status == ZX_OK)
        result->out[2] = handle_exchange(o, handle, handle->rights | ZX_RIGHT_EXECUTE);
    else
        oracle_handle_close(o, handle);
    return status;
}
