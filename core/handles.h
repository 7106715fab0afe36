/* Handles: what a value stands for, and with which rights. See handles.c. */
#ifndef CORE_HANDLES_H
#define CORE_HANDLES_H

#include "objects.h"

#define HANDLE_SLOT_BITS 18u
#define HANDLE_GENERATIONS (1u << (32u - 2u - HANDLE_SLOT_BITS))

struct handle {
    uint32_t link;
    uint32_t object; /* 0: free */
    zx_rights_t rights;
    uint32_t generation; /* of the value; a row whose generations are used up is not handed out again */
};

static inline struct handle *handle_at(const pgr_world *w, uint32_t row)
{
    return row_at(w, TABLE_HANDLES, row);
}

zx_handle_t handle_value(const pgr_world *w, uint32_t row);
/* The handle's row, 0 if the value is not that of a live handle. */
uint32_t handle_find(const pgr_world *w, uint64_t value);
/*
 * The three questions asked of every handle argument, in this order: is it a live handle (ZX_ERR_BAD_HANDLE), of an
 * object of this kind (ZX_ERR_WRONG_TYPE; PGR_OBJECT_NONE: any), with these rights (ZX_ERR_ACCESS_DENIED)? Answers
 * with the object's row.
 */
zx_status_t handle_get(const pgr_world *w, uint64_t value, enum pgr_object_kind kind, zx_rights_t rights,
                       uint32_t *object);
/* A new handle to the object, with these rights. */
zx_handle_t handle_make(pgr_world *w, uint32_t object, zx_rights_t rights);
/* A new handle with the default rights of the object's type, and `more`. */
zx_handle_t handle_make_default(pgr_world *w, uint32_t object, zx_rights_t more);
/* Handles that can still be made. */
uint32_t handles_left(const pgr_world *w);
/* The handle is none any more, and its value never will be one. What that does to the object: handle_close (life.h). */
void handle_free(pgr_world *w, uint32_t row);

#endif
