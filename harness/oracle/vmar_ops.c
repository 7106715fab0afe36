/*
 * The oracle's calls that walk over what is mapped: zx_vmar_protect and zx_vmar_op_range (address-space.md).
 */
#include "harness/oracle/oracle.h"
#include "harness/oracle/vmar.h"

/*
 * The mapping at this address inside of the VMAR, directly or in a VMAR that lies in it; null: a hole. `in_child` says
 * which of the two.
 */
static struct oracle_mapping *mapping_in(struct oracle *o, const struct oracle_vmar *vmar, uint64_t address,
                                         bool *in_child)
{
    struct oracle_mapping *mapping = oracle_mapping_at(o, address);
    if (!mapping)
        return NULL;
    for (const struct oracle_vmar *v = mapping->vmar; v; v = v->parent)
        if (v == vmar) {
            *in_child = mapping->vmar != vmar;
            return mapping;
        }
    return NULL;
}

/* What of the mapping lies before `end`, counted from `address` on. */
static uint64_t part_length(const struct oracle_mapping *mapping, uint64_t address, uint64_t end)
{
    uint64_t mapping_end = mapping->address + mapping->size;
    return (mapping_end < end ? mapping_end : end) - address;
}

/* --- zx_vmar_protect (address-space.md) --- */

/* Rows 8 to 11, for the whole range before anything changes: the lowest address decides. */
static zx_status_t protect_check(struct oracle *o, const struct oracle_vmar *vmar, uint64_t address, uint64_t end,
                                 uint32_t perms, bool op_children)
{
    while (address < end) {
        bool in_child = false;
        const struct oracle_mapping *mapping = mapping_in(o, vmar, address, &in_child);
        if (!mapping) /* row 8 */
            return ZX_ERR_NOT_FOUND;
        if (perms & ~mapping->perms_max) /* row 9 */
            return ZX_ERR_ACCESS_DENIED;
        if (in_child && !op_children) /* row 10 */
            return ZX_ERR_INVALID_ARGS;
        if (in_child && (perms & ~mapping->perms)) /* row 11 */
            return ZX_ERR_ACCESS_DENIED;
        address += part_length(mapping, address, end);
    }
    return ZX_OK;
}

/*
 * Row 12: one object for each time that a mapping has to be split, before anything
 * changes. A mapping that has these permissions already stays in one piece.
 */
static bool protect_alloc_fails(struct oracle *o, uint64_t address, uint64_t end, uint32_t perms)
{
    for (uint64_t at = address; at < end;) {
        const struct oracle_mapping *mapping = oracle_mapping_at(o, at);
        if (mapping->perms != perms) {
            if (mapping->address < at && oracle_alloc_fails(o))
                return true;
            if (mapping->address + mapping->size > end && oracle_alloc_fails(o))
                return true;
        }
        at += part_length(mapping, at, end);
    }
    return false;
}

static void protect(struct oracle *o, uint64_t address, uint64_t end, uint32_t perms)
{
    while (address < end) {
        struct oracle_mapping *mapping = oracle_mapping_at(o, address);
        uint64_t length = part_length(mapping, address, end);
        if (mapping->perms != perms) {
            if (mapping->address < address)
                mapping = oracle_mapping_split(o, mapping, address);
            if (mapping->address + mapping->size > end)
                oracle_mapping_split(o, mapping, end);
            mapping->perms = perms;
        }
        address += length;
    }
}

zx_status_t oracle_zx_vmar_protect(struct oracle *o, struct oracle_thread *t, const pgr_call *call, pgr_result *result)
{
    (void)t, (void)result;
    zx_handle_t handle = (zx_handle_t)call->arg[0];
    uint32_t options = (uint32_t)call->arg[1];
    uint32_t perms = options & (ZX_VM_PERM_READ | ZX_VM_PERM_WRITE | ZX_VM_PERM_EXECUTE);
    uint64_t address = call->arg[2];
    uint64_t length = oracle_round_up(o, call->arg[3]);
    struct oracle_vmar *vmar;
    zx_status_t status = oracle_handle_get(o, handle, PGR_OBJECT_VMAR, oracle_rights_for_perms(perms), &vmar);
    if (status != ZX_OK) /* row 1 */
        return status;
    if ((perms & (ZX_VM_PERM_WRITE | ZX_VM_PERM_EXECUTE)) && !(perms & ZX_VM_PERM_READ)) /* row 2 */
        return ZX_ERR_INVALID_ARGS;
    if (!oracle_aligned(o, address) || options != perms || length == 0) /* rows 3, 4, 5 */
        return ZX_ERR_INVALID_ARGS;
    if (vmar->destroyed) /* row 6 */
        return ZX_ERR_BAD_STATE;
    if (!oracle_in_vmar(vmar, address, length)) /* row 7 */
        return ZX_ERR_INVALID_ARGS;
    bool op_children = oracle_handle_rights(o, handle) & ZX_RIGHT_OP_CHILDREN;
    status = protect_check(o, vmar, address, address + length, perms, op_children);
    if (status != ZX_OK)
        return status;
    if (protect_alloc_fails(o, address, address + length, perms)) /* row 12 */
        return ZX_ERR_NO_MEMORY;
    protect(o, address, address + length, perms);
    return ZX_OK;
}

/* --- zx_vmar_op_range (address-space.md) --- */

/*
 * The walk goes from t->offset (the next address) to t->length (the end of the range) in t->vmar; t->phase is 1 if the
 * handle has OP_CHILDREN. While the operation on one mapping's VMO runs, t->vmo is that VMO, and t->vmo_offset and
 * t->vmo_length say on which part of it.
 */
static bool op_known(uint32_t op)
{
    return op == ZX_VMAR_OP_COMMIT || op == ZX_VMAR_OP_DECOMMIT || op == ZX_VMAR_OP_MAP_RANGE ||
           op == ZX_VMAR_OP_ZERO || op == ZX_VMAR_OP_DONT_NEED || op == ZX_VMAR_OP_ALWAYS_NEED ||
           op == ZX_VMAR_OP_PREFETCH;
}

/* Row 9: what these do is refused in a child VMAR; others ask for OP_CHILDREN there. */
static bool op_refused_in_child(uint32_t op, bool op_children)
{
    if (op == ZX_VMAR_OP_COMMIT || op == ZX_VMAR_OP_DECOMMIT || op == ZX_VMAR_OP_PREFETCH)
        return true;
    return !op_children;
}

/* Row 10: whether the mapping could ever be given the permission that goes with the operation. */
static bool op_denied(const struct oracle_mapping *mapping, uint32_t op)
{
    if (op == ZX_VMAR_OP_COMMIT || op == ZX_VMAR_OP_DECOMMIT || op == ZX_VMAR_OP_ZERO)
        return !(mapping->perms_max & ZX_VM_PERM_WRITE);
    if (op == ZX_VMAR_OP_PREFETCH)
        return !(mapping->perms_max & ZX_VM_PERM_READ);
    return false;
}

/*
 * Row 11. The numbers of the operations are those of zx_vmo_op_range, except for MAP_RANGE: it changes nothing that
 * can be seen, and fails beyond the VMO's end as the kernel of 2023 does.
 */
static zx_status_t op_on_vmo(struct oracle *o, struct oracle_thread *t, uint32_t op)
{
    if (op == ZX_VMAR_OP_MAP_RANGE)
        return oracle_range_in_vmo(o, t->vmo, t->vmo_offset, t->vmo_length) ? ZX_OK : ZX_ERR_OUT_OF_RANGE;
    return oracle_vmo_op(o, t, t->vmo, op, t->vmo_offset, t->vmo_length);
}

/* Rows 6 and 8 to 10 for the mapping at the next address, whose VMO the call then holds. */
static zx_status_t op_next_mapping(struct oracle *o, struct oracle_thread *t, uint32_t op)
{
    bool in_child = false;
    if (t->vmar->destroyed) /* row 6 */
        return ZX_ERR_BAD_STATE;
    struct oracle_mapping *mapping = mapping_in(o, t->vmar, t->offset, &in_child);
    if (!mapping) /* row 8 */
        return ZX_ERR_BAD_STATE;
    if (in_child && op_refused_in_child(op, t->phase)) /* row 9 */
        return ZX_ERR_INVALID_ARGS;
    if (op_denied(mapping, op)) /* row 10 */
        return ZX_ERR_ACCESS_DENIED;

    t->vmo = mapping->vmo;
    t->vmo_offset = mapping->vmo_offset + (t->offset - mapping->address);
    t->vmo_length = part_length(mapping, t->offset, t->length);
    oracle_hold(t, t->vmo);
    oracle_op_begin(t);
    return ZX_OK;
}

/* From the mapping that the call has come to on. No lock is held while it waits: the next mapping is looked up then. */
static zx_status_t op_walk(struct oracle *o, struct oracle_thread *t, uint32_t op)
{
    while (t->offset < t->length || t->vmo) {
        zx_status_t status = t->vmo ? ZX_OK : op_next_mapping(o, t, op);
        if (status == ZX_OK)
            status = op_on_vmo(o, t, op);
        if (status != ZX_OK)
            return status;
        t->offset += t->vmo_length;
        oracle_let_go(o, t, t->vmo);
        t->vmo = NULL;
    }
    return ZX_OK;
}

zx_status_t oracle_zx_vmar_op_range(struct oracle *o, struct oracle_thread *t, const pgr_call *call, pgr_result *result)
{
    (void)result;
    zx_handle_t handle = (zx_handle_t)call->arg[0];
    uint32_t op = (uint32_t)call->arg[1];
    uint64_t address = call->arg[2];
    uint64_t length = oracle_round_up(o, call->arg[3]);
    zx_status_t status = oracle_handle_get(o, handle, PGR_OBJECT_VMAR, ZX_RIGHT_NONE, &t->vmar);
    if (status != ZX_OK) /* row 1 */
        return status;
    if (!op_known(op)) /* row 2 */
        return ZX_ERR_INVALID_ARGS;
    if (length == 0 || !oracle_aligned(o, address)) /* row 4 */
        return ZX_ERR_INVALID_ARGS;
    if (!oracle_in_vmar(t->vmar, address, length)) /* row 5 */
        return ZX_ERR_OUT_OF_RANGE;

    t->offset = address;
    t->length = address + length;
    t->phase = (oracle_handle_rights(o, handle) & ZX_RIGHT_OP_CHILDREN) != 0;
    oracle_hold(t, t->vmar);
    return op_walk(o, t, op);
}

zx_status_t oracle_go_vmar_op_range(struct oracle *o, struct oracle_thread *t, const pgr_call *call, pgr_result *result)
{
    (void)result;
    return op_walk(o, t, (uint32_t)call->arg[1]);
}
