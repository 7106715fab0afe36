/*
 * Handles: values of the process that name objects with rights.
 *
 * A value is the row's number, with a generation above it that counts how often the row was used. A row whose
 * generations are used up is retired, so that no value ever comes back.
 */
#include "handles.h"

zx_handle_t handle_value(const pgr_world *w, uint32_t row)
{
    return handle_at(w, row)->generation << (2 + HANDLE_SLOT_BITS) | row << 2 | 3;
}

uint32_t handle_find(const pgr_world *w, uint64_t value)
{
    uint32_t row = (uint32_t)value >> 2 & (PGR_HANDLES_MAX - 1);

    if (row == 0 || row >= w->tables[TABLE_HANDLES].touched || handle_at(w, row)->object == 0)
        return 0;
    return handle_value(w, row) == (uint32_t)value ? row : 0;
}

zx_status_t handle_get(const pgr_world *w, uint64_t value, enum pgr_object_kind kind, zx_rights_t rights,
                       uint32_t *object)
{
    uint32_t row = handle_find(w, value);

    /* Is it a live handle? */
    if (row == 0)
        return ZX_ERR_BAD_HANDLE;
    *object = handle_at(w, row)->object;
    /* Of an object of the right kind? Asked before the rights. */
    if (kind != PGR_OBJECT_NONE && object_at(w, *object)->kind != kind)
        return ZX_ERR_WRONG_TYPE;
    if ((handle_at(w, row)->rights & rights) != rights)
        return ZX_ERR_ACCESS_DENIED;
    return ZX_OK;
}

uint32_t handles_left(const pgr_world *w)
{
    return rows_left(w, TABLE_HANDLES);
}

zx_handle_t handle_make(pgr_world *w, uint32_t object, zx_rights_t rights)
{
    uint32_t row = row_take(w, TABLE_HANDLES);

    handle_at(w, row)->object = object;
    handle_at(w, row)->rights = rights;
    object_at(w, object)->handle_count++;
    return handle_value(w, row);
}

zx_handle_t handle_make_default(pgr_world *w, uint32_t object, zx_rights_t more)
{
    static const zx_rights_t rights[PGR_OBJECT_KIND_COUNT] = {
        [PGR_OBJECT_VMO] = ZX_RIGHTS_BASIC | ZX_RIGHTS_IO | ZX_RIGHTS_PROPERTY | ZX_RIGHT_MAP | ZX_RIGHT_SIGNAL,
        [PGR_OBJECT_PORT] = (ZX_RIGHTS_BASIC & ~ZX_RIGHT_WAIT) | ZX_RIGHTS_IO,
        [PGR_OBJECT_PAGER] = ZX_RIGHT_TRANSFER | ZX_RIGHT_INSPECT | ZX_RIGHT_ATTACH_VMO | ZX_RIGHT_MANAGE_VMO,
        [PGR_OBJECT_EVENT] = ZX_RIGHTS_BASIC | ZX_RIGHT_SIGNAL,
        [PGR_OBJECT_BTI] = (ZX_RIGHTS_BASIC & ~ZX_RIGHT_WAIT) | ZX_RIGHTS_IO | ZX_RIGHTS_PROPERTY | ZX_RIGHT_MAP,
        [PGR_OBJECT_PMT] = ZX_RIGHT_INSPECT,
        [PGR_OBJECT_RESOURCE] = (ZX_RIGHTS_BASIC & ~ZX_RIGHT_WAIT) | ZX_RIGHT_WRITE,
        [PGR_OBJECT_VMAR] = (ZX_RIGHTS_BASIC & ~ZX_RIGHT_WAIT) | ZX_RIGHT_OP_CHILDREN,
    };

    return handle_make(w, object, rights[object_at(w, object)->kind] | more);
}

void handle_free(pgr_world *w, uint32_t row)
{
    struct handle *handle = handle_at(w, row);
    uint32_t generation = handle->generation + 1;

    if (generation < HANDLE_GENERATIONS) {
        row_give(w, TABLE_HANDLES, row);
        handle->generation = generation;
    } else {
        handle->object = 0;
        handle->rights = 0;
        w->handles_retired++;
    }
}
