/*
 * System calls that tell and set what an object is like: zx_object_get_info, zx_object_get_property,
 * zx_object_set_property.
 */
#include "calls.h"

#include "handles.h"

/* --- zx_object_get_info --- */

static uint32_t vmo_flags(const pgr_world *w, uint32_t row)
{
    uint8_t vmo = object_at(w, row)->flags;
    uint32_t pages_row = vmo_at(w, row)->pages;
    uint8_t pages = object_at(w, pages_row)->flags;
    uint32_t flags = ZX_INFO_VMO_VIA_HANDLE;

    flags |= (pages & PGR_PAGES_PHYSICAL) != 0 ? ZX_INFO_VMO_TYPE_PHYSICAL : ZX_INFO_VMO_TYPE_PAGED;
    flags |= (pages & (PGR_PAGES_PHYSICAL | PGR_PAGES_CONTIGUOUS)) != 0 ? ZX_INFO_VMO_CONTIGUOUS : 0;
    flags |= (pages & PGR_PAGES_RESIZABLE) != 0 ? ZX_INFO_VMO_RESIZABLE : 0;
    flags |= (pages & PGR_PAGES_DISCARDABLE) != 0 ? ZX_INFO_VMO_DISCARDABLE : 0;
    flags |= pages_at(w, pages_root(w, pages_row))->source != 0 ? ZX_INFO_VMO_PAGER_BACKED : 0;
    flags |= (vmo & PGR_VMO_CLONE) != 0 ? ZX_INFO_VMO_IS_COW_CLONE : 0;
    flags |= (vmo & PGR_VMO_IMMUTABLE) != 0 ? ZX_INFO_VMO_IMMUTABLE : 0;
    return flags;
}

static void info_vmo(const pgr_world *w, uint32_t row, zx_rights_t rights, zx_info_vmo_t *info)
{
    const struct vmo *vmo = vmo_at(w, row);
    const struct pages *pages = pages_at(w, vmo->pages);
    uint8_t flags = object_at(w, row)->flags;

    info->koid = object_at(w, row)->koid;
    memcpy(info->name, vmo->name, sizeof(info->name));
    info->size_bytes = to_bytes(w, vmo_window(w, row).size_pages);
    info->parent_koid = vmo->parent != 0 ? object_at(w, vmo->parent)->koid : 0;
    info->num_children = vmo->child_count;
    info->num_mappings = vmo->mapping_count;
    info->share_count = 1;
    info->flags = vmo_flags(w, row);
    info->handle_rights = rights;
    info->cache_policy = pages->cache_policy;
    info->committed_change_events = pages->evictions;
    if ((flags & (PGR_VMO_SLICE | PGR_VMO_REFERENCE)) == 0)
        info->committed_bytes = to_bytes(w, pages->frames_held);
    info->populated_bytes = info->committed_bytes;
}

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

static void info_basic(const pgr_world *w, uint32_t row, zx_rights_t rights, zx_info_handle_basic_t *info)
{
    const struct object *object = object_at(w, row);

    info->koid = object->koid;
    info->rights = rights;
    info->type = kind_type(object->kind);
}

static void info_bti(const pgr_world *w, uint32_t row, zx_info_bti_t *info)
{
    const struct bti *bti = &object_at(w, row)->bti;

    info->minimum_contiguity = page_bytes(w);
    info->aspace_size = 0;
    info->pmo_count = bti->pmt_count + bti->quarantine_count;
    info->quarantine_count = bti->quarantine_count;
}

static void info_vmar(const pgr_world *w, uint32_t row, zx_info_vmar_t *info)
{
    const struct vmar *vmar = &object_at(w, row)->vmar;

    info->base = to_bytes(w, vmar->page);
    info->len = to_bytes(w, vmar->count);
}

ANSWER(object_get_info)
{
    uint32_t topic = arg_u32(plan, 1);
    enum pgr_object_kind kind;
    zx_rights_t rights;
    zx_status_t status;
    uint32_t row;

    /* Is there such a topic? The handle is not looked at before. */
    if (!topic_wants(topic, &kind, &rights))
        return ZX_ERR_NOT_SUPPORTED;
    status = handle_get(w, plan->call->arg[0], kind, rights, &row);
    if (status != ZX_OK)
        return status;
    rights = handle_at(w, handle_find(w, plan->call->arg[0]))->rights;
    switch (topic) {
    case ZX_INFO_HANDLE_BASIC:
        info_basic(w, row, rights, &result->handle_basic);
        break;
    case ZX_INFO_HANDLE_COUNT:
        result->handle_count.handle_count = object_at(w, row)->handle_count;
        break;
    case ZX_INFO_VMO:
        info_vmo(w, row, rights, &result->vmo);
        break;
    case ZX_INFO_VMAR:
        info_vmar(w, row, &result->vmar);
        break;
    case ZX_INFO_BTI:
        info_bti(w, row, &result->bti);
        break;
    default:
        break; /* ZX_INFO_HANDLE_VALID: that there is an answer is the answer */
    }
    return ZX_OK;
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
    status = handle_get(w, plan->call->arg[0], PGR_OBJECT_NONE, right, &plan->object);
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
    if (arg_u32(plan, 1) == ZX_PROP_VMO_CONTENT_SIZE && object_at(w, plan->object)->kind != PGR_OBJECT_VMO)
        return ZX_ERR_WRONG_TYPE;
    return ZX_OK;
}

ANSWER(object_get_property)
{
    zx_status_t status = property_check(w, plan, ZX_RIGHT_GET_PROPERTY, ZX_MAX_NAME_LEN);

    if (status != ZX_OK)
        return status;
    if (arg_u32(plan, 1) == ZX_PROP_NAME) {
        memcpy(plan->call->buffer, object_name(w, plan->object), ZX_MAX_NAME_LEN);
        result->count = ZX_MAX_NAME_LEN;
    } else {
        uint64_t bytes = *vmo_content_size(w, plan->object);

        memcpy(plan->call->buffer, &bytes, sizeof(bytes));
        result->count = sizeof(bytes);
    }
    return ZX_OK;
}

CHECK(object_set_property)
{
    zx_status_t status = property_check(w, plan, ZX_RIGHT_SET_PROPERTY, 0);

    plan->op.options = arg_u32(plan, 1);
    plan->op.vmo = plan->object;
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
        name_set(w, plan->object, plan->call);
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
