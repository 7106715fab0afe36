/*
 * The oracle's calls that take an object of any kind (objects.md): information and properties.
 */
#include "harness/oracle/oracle.h"

#include <string.h>

/* --- zx_object_get_info (objects.md) --- */

/* The type of object (objects.md) that a kind is. */
static zx_obj_type_t object_type(uint32_t kind)
{
    switch (kind) {
    case PGR_OBJECT_VMO:
        return ZX_OBJ_TYPE_VMO;
    case PGR_OBJECT_EVENT:
        return ZX_OBJ_TYPE_EVENT;
    case PGR_OBJECT_PORT:
        return ZX_OBJ_TYPE_PORT;
    case PGR_OBJECT_RESOURCE:
        return ZX_OBJ_TYPE_RESOURCE;
    case PGR_OBJECT_VMAR:
        return ZX_OBJ_TYPE_VMAR;
    case PGR_OBJECT_BTI:
        return ZX_OBJ_TYPE_BTI;
    case PGR_OBJECT_PMT:
        return ZX_OBJ_TYPE_PMT;
    case PGR_OBJECT_PAGER:
        return ZX_OBJ_TYPE_PAGER;
    default:
        return ZX_OBJ_TYPE_NONE;
    }
}

static zx_status_t info_handle_basic(struct oracle *o, zx_handle_t value, pgr_result *result)
{
    struct oracle_object *object;
    zx_status_t status = oracle_handle_get(o, value, PGR_OBJECT_NONE, ZX_RIGHT_NONE, &object);
    if (status != ZX_OK)
        return status;
    result->handle_basic.koid = object->koid;
    result->handle_basic.rights = oracle_handle_rights(o, value);
    result->handle_basic.type = object_type(object->kind);
    return ZX_OK;
}

static zx_status_t info_handle_count(struct oracle *o, zx_handle_t value, pgr_result *result)
{
    struct oracle_object *object;
    zx_status_t status = oracle_handle_get(o, value, PGR_OBJECT_NONE, ZX_RIGHT_INSPECT, &object);
    if (status != ZX_OK)
        return status;
    result->handle_count.handle_count = object->handle_count;
    return ZX_OK;
}

/* No right is needed, only the type. */
static zx_status_t info_vmo(struct oracle *o, zx_handle_t value, pgr_result *result)
{
    struct oracle_vmo *vmo;
    zx_status_t status = oracle_handle_get(o, value, PGR_OBJECT_VMO, ZX_RIGHT_NONE, &vmo);
    if (status != ZX_OK)
        return status;
    oracle_vmo_info(o, vmo, oracle_handle_rights(o, value), &result->vmo);
    return ZX_OK;
}

/* A destroyed VMAR answers, too. */
static zx_status_t info_vmar(struct oracle *o, zx_handle_t value, pgr_result *result)
{
    struct oracle_vmar *vmar;
    zx_status_t status = oracle_handle_get(o, value, PGR_OBJECT_VMAR, ZX_RIGHT_INSPECT, &vmar);
    if (status != ZX_OK)
        return status;
    result->vmar.base = vmar->base;
    result->vmar.len = vmar->size;
    return ZX_OK;
}

/* A PMT counts once its zx_bti_pin has succeeded, in quarantine, too. */
static bool pinned_through(const struct oracle_pmt *pmt, const struct oracle_bti *bti)
{
    return pmt->object.kind == PGR_OBJECT_PMT && pmt->bti == bti && (pmt->object.handle_count > 0 || pmt->quarantined);
}

/* pins.md: there is no IOMMU, so that one page is the least contiguity, and there is no address space to report. */
static zx_status_t info_bti(struct oracle *o, zx_handle_t value, pgr_result *result)
{
    struct oracle_bti *bti;
    zx_status_t status = oracle_handle_get(o, value, PGR_OBJECT_BTI, ZX_RIGHT_INSPECT, &bti);
    if (status != ZX_OK)
        return status;
    result->bti.minimum_contiguity = o->page_bytes;
    for (size_t i = 0; i < o->objects.count; i++) {
        const struct oracle_pmt *pmt = o->objects.items[i];
        if (!pinned_through(pmt, bti))
            continue;
        result->bti.pmo_count++;
        result->bti.quarantine_count += pmt->quarantined != 0;
    }
    return ZX_OK;
}

zx_status_t oracle_zx_object_get_info(struct oracle *o, struct oracle_thread *t, const pgr_call *call,
                                      pgr_result *result)
{
    (void)t;
    zx_handle_t value = (zx_handle_t)call->arg[0];
    switch ((uint32_t)call->arg[1]) {
    case ZX_INFO_HANDLE_VALID:
        return oracle_handle_find(o, value) ? ZX_OK : ZX_ERR_BAD_HANDLE;
    case ZX_INFO_HANDLE_BASIC:
        return info_handle_basic(o, value, result);
    case ZX_INFO_HANDLE_COUNT:
        return info_handle_count(o, value, result);
    case ZX_INFO_VMO:
        return info_vmo(o, value, result);
    case ZX_INFO_VMAR:
        return info_vmar(o, value, result);
    case ZX_INFO_BTI:
        return info_bti(o, value, result);
    default: /* the handle is not looked at */
        return ZX_ERR_NOT_SUPPORTED;
    }
}

/* --- zx_object_get_property, zx_object_set_property (objects.md) --- */

static bool has_name(const struct oracle_object *object)
{
    return object->kind == PGR_OBJECT_VMO || object->kind == PGR_OBJECT_BTI;
}

/* Rows 4 and 5 for a name, which is always handed over whole. */
static zx_status_t get_name(const struct oracle_object *object, const pgr_call *call)
{
    if (call->buffer_bytes < ZX_MAX_NAME_LEN)
        return ZX_ERR_BUFFER_TOO_SMALL;
    if (!has_name(object))
        return ZX_ERR_WRONG_TYPE;
    memcpy(call->buffer, object->name, ZX_MAX_NAME_LEN);
    return ZX_OK;
}

/* Any size is accepted; what is beyond 31 bytes is cut off. */
static zx_status_t set_name(struct oracle_object *object, const pgr_call *call)
{
    if (!has_name(object))
        return ZX_ERR_WRONG_TYPE;
    uint64_t length = call->buffer_bytes < ZX_MAX_NAME_LEN - 1 ? call->buffer_bytes : ZX_MAX_NAME_LEN - 1;
    memset(object->name, 0, ZX_MAX_NAME_LEN);
    if (length > 0)
        memcpy(object->name, call->buffer, length);
    return ZX_OK;
}

static zx_status_t get_content_size(const struct oracle_object *object, const pgr_call *call)
{
    if (call->buffer_bytes < sizeof(uint64_t))
        return ZX_ERR_BUFFER_TOO_SMALL;
    if (object->kind != PGR_OBJECT_VMO)
        return ZX_ERR_WRONG_TYPE;
    uint64_t size = oracle_vmo_content_size((const struct oracle_vmo *)object);
    memcpy(call->buffer, &size, sizeof size);
    return ZX_OK;
}

/* This one may have to wait for a pager (vmo.md): the call keeps the VMO and the value. */
static zx_status_t set_content_size(struct oracle *o, struct oracle_thread *t, struct oracle_object *object,
                                    const pgr_call *call)
{
    if (call->buffer_bytes < sizeof(uint64_t))
        return ZX_ERR_BUFFER_TOO_SMALL;
    if (object->kind != PGR_OBJECT_VMO)
        return ZX_ERR_WRONG_TYPE;
    t->vmo = (struct oracle_vmo *)object;
    memcpy(&t->length, call->buffer, sizeof t->length);
    oracle_hold(t, t->vmo);
    oracle_op_begin(t);
    return oracle_set_content_size(o, t, t->vmo, t->length);
}

zx_status_t oracle_zx_object_get_property(struct oracle *o, struct oracle_thread *t, const pgr_call *call,
                                          pgr_result *result)
{
    (void)t, (void)result;
    struct oracle_object *object;
    zx_status_t status =
        oracle_handle_get(o, (zx_handle_t)call->arg[0], PGR_OBJECT_NONE, ZX_RIGHT_GET_PROPERTY, &object);
    if (status != ZX_OK) /* row 2 */
        return status;
    switch ((uint32_t)call->arg[1]) {
    case ZX_PROP_NAME:
        return get_name(object, call);
    case ZX_PROP_VMO_CONTENT_SIZE:
        return get_content_size(object, call);
    default: /* row 3 */
        return ZX_ERR_NOT_SUPPORTED;
    }
}

zx_status_t oracle_zx_object_set_property(struct oracle *o, struct oracle_thread *t, const pgr_call *call,
                                          pgr_result *result)
{
    (void)result;
    struct oracle_object *object;
    zx_status_t status =
        oracle_handle_get(o, (zx_handle_t)call->arg[0], PGR_OBJECT_NONE, ZX_RIGHT_SET_PROPERTY, &object);
    if (status != ZX_OK) /* row 2 */
        return status;
    switch ((uint32_t)call->arg[1]) {
    case ZX_PROP_NAME:
        return set_name(object, call);
    case ZX_PROP_VMO_CONTENT_SIZE:
        return set_content_size(o, t, object, call);
    default: /* row 3 */
        return ZX_ERR_NOT_SUPPORTED;
    }
}

zx_status_t oracle_go_object_set_property(struct oracle *o, struct oracle_thread *t, const pgr_call *call,
                                          pgr_result *result)
{
    (void)call, (void)result;
    return oracle_set_content_size(o, t, t->vmo, t->length);
}
