/*
 * System calls: zx_handle_*, zx_object_get_info, zx_object_get_property, zx_object_set_property.
 */
#include "pgr_internal.h"

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

/* Asks for rights that the handle does not have, or the handle's own. Rights come out in plan->value. */
static zx_status_t rights_check(const pgr_world *w, struct plan *plan)
{
    zx_rights_t rights = handle_at(w, plan->handle)->rights;
    zx_rights_t wanted = arg_u32(plan, 1);

    plan->value = wanted == ZX_RIGHT_SAME_RIGHTS ? rights : wanted;
    return (plan->value & ~rights) != 0 ? ZX_ERR_INVALID_ARGS : ZX_OK;
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
    result->out[2] = handle_make(w, handle_at(w, plan->handle)->object, plan->value);
    return PROGRESS_DONE;
}

CHECK(handle_replace)
{
    plan->handle = handle_find(w, plan->call->arg[0]);
    if (plan->handle == 0)
        return ZX_ERR_BAD_HANDLE;
    plan->other = rights_check(w, plan) != ZX_OK;
    plan->need.handles = plan->other ? 0 : 1;
    return ZX_OK;
}

/* Wrong rights close the old handle all the same. The object never is without a handle on success. */
COMMIT(handle_replace)
{
    (void)frames;
    if (plan->other)
        result->status = ZX_ERR_INVALID_ARGS;
    else
        result->out[2] = handle_make(w, handle_at(w, plan->handle)->object, plan->value);
    handle_close(w, plan->handle);
    return PROGRESS_DONE;
}

/* --- zx_object_get_info --- */

/* What a topic wants of the handle; 0 if there is no such topic. */
static int topic_wants(uint32_t topic, enum pgr_object_kind *kind, zx_rights_t *rights)
{
    *kind = PGR_OBJECT_NONE;
    *rights = ZX_RIGHT_NONE;
    switch (topic) {
    case ZX_INFO_HANDLE_VALID:
    case ZX_INFO_HANDLE_BASIC:
        return 1;
    case ZX_INFO_HANDLE_COUNT:
        *rights = ZX_RIGHT_INSPECT;
        return 1;
    case ZX_INFO_VMO:
        *kind = PGR_OBJECT_VMO;
        return 1;
    case ZX_INFO_VMAR:
        *kind = PGR_OBJECT_VMAR;
        *rights = ZX_RIGHT_INSPECT;
        return 1;
    case ZX_INFO_BTI:
        *kind = PGR_OBJECT_BTI;
        *rights = ZX_RIGHT_INSPECT;
        return 1;
    default:
        return 0;
    }
}

CHECK(object_get_info)
{
    enum pgr_object_kind kind;
    zx_rights_t rights;

    /* Is there such a topic? The handle is not looked at before. */
    if (!topic_wants(arg_u32(plan, 1), &kind, &rights))
        return ZX_ERR_NOT_SUPPORTED;
    plan->handle = handle_find(w, plan->call->arg[0]);
    return handle_get(w, plan->call->arg[0], kind, rights, &plan->other);
}

static zx_obj_type_t kind_type(uint8_t kind)
{
    static const zx_obj_type_t types[PGR_OBJECT_KIND_COUNT] = {
        [PGR_OBJECT_VMO] = ZX_OBJ_TYPE_VMO,     [PGR_OBJECT_PORT] = ZX_OBJ_TYPE_PORT,
        [PGR_OBJECT_PAGER] = ZX_OBJ_TYPE_PAGER, [PGR_OBJECT_EVENT] = ZX_OBJ_TYPE_EVENT,
        [PGR_OBJECT_BTI] = ZX_OBJ_TYPE_BTI,     [PGR_OBJECT_PMT] = ZX_OBJ_TYPE_PMT,
        [PGR_OBJECT_VMAR] = ZX_OBJ_TYPE_VMAR,   [PGR_OBJECT_RESOURCE] = ZX_OBJ_TYPE_RESOURCE,
    };

    return types[kind];
}

static void info_basic(const pgr_world *w, const struct plan *plan, zx_info_handle_basic_t *info)
{
    const struct object *object = object_at(w, plan->other);

    info->koid = object->koid;
    info->rights = handle_at(w, plan->handle)->rights;
    info->type = kind_type(object->kind);
}

static void info_bti(const pgr_world *w, const struct plan *plan, zx_info_bti_t *info)
{
    const struct bti *bti = &object_at(w, plan->other)->bti;

    info->minimum_contiguity = page_bytes(w);
    info->aspace_size = 0;
    info->pmo_count = bti->pmt_count + bti->quarantine_count;
    info->quarantine_count = bti->quarantine_count;
}

static void info_vmar(const pgr_world *w, const struct plan *plan, zx_info_vmar_t *info)
{
    const struct vmar *vmar = &object_at(w, plan->other)->vmar;

    info->base = to_bytes(w, vmar->page);
    info->len = to_bytes(w, vmar->count);
}

COMMIT(object_get_info)
{
    (void)frames;
    switch (arg_u32(plan, 1)) {
    case ZX_INFO_HANDLE_BASIC:
        info_basic(w, plan, &result->handle_basic);
        break;
    case ZX_INFO_HANDLE_COUNT:
        result->handle_count.handle_count = object_at(w, plan->other)->handle_count;
        break;
    case ZX_INFO_VMO:
        vmo_info(w, plan->other, handle_at(w, plan->handle)->rights, &result->vmo);
        break;
    case ZX_INFO_VMAR:
        info_vmar(w, plan, &result->vmar);
        break;
    case ZX_INFO_BTI:
        info_bti(w, plan, &result->bti);
        break;
    default:
        break; /* ZX_INFO_HANDLE_VALID: that there is an answer is the answer */
    }
    return PROGRESS_DONE;
}

/* --- zx_object_get_property, zx_object_set_property --- */

/* Only VMOs and BTIs have names: handles to nothing else have the rights that properties need. */
static char *object_name(const pgr_world *w, uint32_t row)
{
    struct object *object = object_at(w, row);

    PGR_ASSERT(object->kind == PGR_OBJECT_VMO || object->kind == PGR_OBJECT_BTI);
    return object->kind == PGR_OBJECT_VMO ? object->vmo.name : object->bti.name;
}

/* The questions that both calls ask, with the least size that the property's value must have. */
static zx_status_t property_check(const pgr_world *w, struct plan *plan, zx_rights_t right, uint64_t name_bytes)
{
    zx_status_t status;
    uint64_t least;

    /* Is there a value? Asked before the handle. */
    if (plan->call->buffer == NULL)
        return ZX_ERR_INVALID_ARGS;
    status = handle_get(w, plan->call->arg[0], PGR_OBJECT_NONE, right, &plan->other);
    if (status != ZX_OK)
        return status;
    /* Is there such a property? */
    if (arg_u32(plan, 1) == ZX_PROP_NAME)
        least = name_bytes;
    else if (arg_u32(plan, 1) == ZX_PROP_VMO_CONTENT_SIZE)
        least = sizeof(uint64_t);
    else
        return ZX_ERR_NOT_SUPPORTED;
    /* Is the value large enough? Asked before the object's type. */
    if (plan->call->buffer_bytes < least)
        return ZX_ERR_BUFFER_TOO_SMALL;
    /* Does this object have the property? */
    if (arg_u32(plan, 1) == ZX_PROP_VMO_CONTENT_SIZE && object_at(w, plan->other)->kind != PGR_OBJECT_VMO)
        return ZX_ERR_WRONG_TYPE;
    return ZX_OK;
}

CHECK(object_get_property)
{
    return property_check(w, plan, ZX_RIGHT_GET_PROPERTY, ZX_MAX_NAME_LEN);
}

COMMIT(object_get_property)
{
    (void)frames;
    if (arg_u32(plan, 1) == ZX_PROP_NAME) {
        memcpy(plan->call->buffer, object_name(w, plan->other), ZX_MAX_NAME_LEN);
        result->count = ZX_MAX_NAME_LEN;
    } else {
        uint64_t bytes = *vmo_content_size(w, plan->other);

        memcpy(plan->call->buffer, &bytes, sizeof(bytes));
        result->count = sizeof(bytes);
    }
    return PROGRESS_DONE;
}

CHECK(object_set_property)
{
    zx_status_t status = property_check(w, plan, ZX_RIGHT_SET_PROPERTY, 0);

    plan->op.options = arg_u32(plan, 1);
    plan->op.vmo = plan->other;
    return status;
}

/* A name is cut off to leave room for its end. */
static void name_set(pgr_world *w, uint32_t object, const pgr_call *call)
{
    char *name = object_name(w, object);

    memset(name, 0, ZX_MAX_NAME_LEN);
    memcpy(name, call->buffer, (size_t)min_u64(call->buffer_bytes, ZX_MAX_NAME_LEN - 1));
}

/*
 * A content size below the VMO's size zeroes what lies between, as ZX_VMO_OP_ZERO would; that this fails is not
 * told.
 */
LOOK(object_set_property)
{
    if (plan->op.options == ZX_PROP_NAME || plan->op.stage == 0)
        return ZX_OK;
    return zero_look(w, plan);
}

COMMIT(object_set_property)
{
    uint64_t bytes;

    if (plan->op.options == ZX_PROP_NAME) {
        name_set(w, plan->other, plan->call);
        return PROGRESS_DONE;
    }
    if (plan->op.stage > 0)
        return zero_commit(w, frames, plan, result);
    memcpy(&bytes, plan->call->buffer, sizeof(bytes));
    *vmo_content_size(w, plan->op.vmo) = bytes;
    if (vmo_is_physical(w, plan->op.vmo) || bytes >= to_bytes(w, vmo_window(w, plan->op.vmo).size_pages))
        return PROGRESS_DONE;
    zero_begin(&plan->op, bytes, to_bytes(w, vmo_window(w, plan->op.vmo).size_pages));
    return PROGRESS_AGAIN;
}
