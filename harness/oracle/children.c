/*
 * zx_vmo_create_child: clones, slices, references (children.md).
 */
#include "harness/oracle/oracle_pages.h"

#include <string.h>

#define SNAPSHOTS (ZX_VMO_CHILD_SNAPSHOT | ZX_VMO_CHILD_SNAPSHOT_AT_LEAST_ON_WRITE | ZX_VMO_CHILD_SNAPSHOT_MODIFIED)

/* What is asked for. `offset` and `size` in bytes; `size` rounded up (0 if that overflows). */
struct asked {
    struct oracle_vmo *parent;
    zx_rights_t rights; /* of the parent's handle */
    uint32_t options;
    uint64_t offset;
    uint64_t size;
    uint64_t content_size; /* unrounded */
    bool overflows;
};

/* --- checks common to all kinds --- */

static bool one_bit(uint32_t bits)
{
    return bits != 0 && (bits & (bits - 1)) == 0;
}

static zx_status_t check_common(const struct asked *a)
{
    if (a->parent->pages->discardable)
        return ZX_ERR_NOT_SUPPORTED; /* row 4 */
    if (a->options & ZX_VMO_CHILD_SLICE)
        return a->options & ~(ZX_VMO_CHILD_SLICE | ZX_VMO_CHILD_NO_WRITE) ? ZX_ERR_INVALID_ARGS : ZX_OK; /* row 5 */
    if (a->options & ZX_VMO_CHILD_REFERENCE) {
        uint32_t allowed = ZX_VMO_CHILD_REFERENCE | ZX_VMO_CHILD_NO_WRITE | ZX_VMO_CHILD_RESIZABLE;
        return a->options & ~allowed ? ZX_ERR_INVALID_ARGS : ZX_OK; /* row 6 */
    }
    if (!one_bit(a->options & SNAPSHOTS))
        return ZX_ERR_INVALID_ARGS; /* row 7 */
    return a->options & ~(SNAPSHOTS | ZX_VMO_CHILD_NO_WRITE | ZX_VMO_CHILD_RESIZABLE) ? ZX_ERR_INVALID_ARGS : ZX_OK;
}

/* --- SNAPSHOT* --- */

static bool has_unidirectional_children(struct oracle *o, const struct oracle_pages *pages)
{
    for (size_t i = 0; i < o->objects.count; i++) {
        const struct oracle_pages *child = o->objects.items[i];
        if (child->object.kind == PGR_OBJECT_PAGES && child->parent == pages)
            return true;
    }
    return false;
}

/* "U": a unidirectional child; "B": a bidirectional one. */
enum clone_kind { CLONE_U, CLONE_B };

/* The structural rules of the kernel of 2025, for SNAPSHOT_MODIFIED, and for what else exists with it. */
static zx_status_t check_structure(struct oracle *o, const struct asked *a, enum clone_kind *kind)
{
    struct oracle_pages *pages = a->parent->pages;
    bool pager = oracle_pager_backed(pages);
    bool snapshot = a->options & ZX_VMO_CHILD_SNAPSHOT;
    bool modified = a->options & ZX_VMO_CHILD_SNAPSHOT_MODIFIED;
    bool has_parent = pages->parent || oracle_has_relatives(o, pages);
    bool b_required = snapshot || (modified && has_parent);
    if (snapshot && pager)
        return ZX_ERR_NOT_SUPPORTED; /* a */
    if (b_required && a->parent->slice)
        return ZX_ERR_NOT_SUPPORTED; /* b */
    *kind = CLONE_U;
    if (!b_required && pager && !oracle_has_relatives(o, pages))
        return ZX_OK; /* c */
    if (a->parent->slice)
        return ZX_ERR_NOT_SUPPORTED; /* d */
    if (oracle_any_pinned(pages, 0, UINT64_MAX))
        return ZX_ERR_BAD_STATE; /* e */
    bool in_chain = pages->parent && !pages->parent->source;
    if (pages->source || has_unidirectional_children(o, pages) || in_chain)
        return ZX_ERR_NOT_SUPPORTED; /* f */
    *kind = CLONE_B;
    return ZX_OK; /* g */
}

static zx_status_t check_clone(struct oracle *o, const struct asked *a, enum clone_kind *kind)
{
    const struct oracle_pages *pages = a->parent->pages;
    if (pages->physical)
        return ZX_ERR_NOT_SUPPORTED; /* row 1 */
    if (pages->contiguous)
        return ZX_ERR_INVALID_ARGS; /* row 2 */
    if (!oracle_aligned(o, a->offset))
        return ZX_ERR_INVALID_ARGS; /* row 3 */
    if (a->overflows || oracle_size_too_large(o, a->size))
        return ZX_ERR_OUT_OF_RANGE; /* row 4; row 5 came to the kernel in 2025 */
    if (pages->cache_policy != ZX_CACHE_POLICY_CACHED)
        return ZX_ERR_BAD_STATE; /* row 6 */
    zx_status_t status = check_structure(o, a, kind);
    if (status != ZX_OK)
        return status; /* row 7 */
    uint64_t root = (pages->root_first + oracle_vmo_first(a->parent)) * o->page_bytes;
    if (a->offset > UINT64_MAX - root || a->size > UINT64_MAX - root - a->offset)
        return ZX_ERR_INVALID_ARGS; /* row 8 */
    return ZX_OK;
}

/* What a child sees: limit at creation = min(size, parent size - offset), 0 if offset >= parent size. */
static uint64_t view_limit(uint64_t count, uint64_t first, uint64_t parent_count)
{
    return first >= parent_count ? 0 : oracle_min(count, parent_count - first);
}

static bool owns_any(const struct oracle_pages *pages, uint64_t first, uint64_t count)
{
    size_t i = oracle_record_index(pages, first);
    return count > 0 && i < pages->page_count && pages->page[i].first < first + count;
}

/*
 * A new child of C that sees through, and whose window contains no page owned by C, is hung below C's parent instead,
 * again and again.
 */
static void hang(struct oracle_pages *child, struct oracle_pages *parent, uint64_t first, uint64_t limit)
{
    while (parent->parent && !owns_any(parent, first, limit)) {
        limit = view_limit(limit, first, parent->parent_limit);
        first += parent->parent_first;
        parent = parent->parent;
    }
    child->parent = parent;
    child->parent_first = first;
    child->parent_limit = limit;
}

/* A bidirectional child shares every page of the window with its parent, until one of the two writes it. */
static void share_pages(struct oracle_pages *child, struct oracle_pages *parent, uint64_t first, uint64_t count)
{
    for (size_t i = oracle_record_index(parent, first); i < parent->page_count; i++) {
        const struct oracle_page *record = &parent->page[i];
        uint64_t from = oracle_max(record->first, first);
        if (from - first >= count)
            return;
        uint64_t end = oracle_min(record->first + record->count - first, count);
        if (record->frame)
            record->frame->holders++;
        oracle_record_add(child, from - first, end - (from - first), record->state, record->frame);
    }
}

static void join_family(struct oracle *o, struct oracle_pages *child, struct oracle_pages *parent)
{
    if (!parent->family || !oracle_has_relatives(o, parent))
        parent->family = o->next_family++;
    child->family = parent->family;
}

static void snapshot(struct oracle *o, struct oracle_pages *child, struct oracle_pages *parent, uint64_t first)
{
    share_pages(child, parent, first, view_limit(child->size, first, parent->size));
    join_family(o, child, parent);
    if (!parent->parent)
        return;
    child->parent = parent->parent;
    child->parent_first = parent->parent_first + first;
    child->parent_limit = view_limit(child->size, first, parent->parent_limit);
}

static struct oracle_vmo *make_clone(struct oracle *o, const struct asked *a, enum clone_kind kind)
{
    struct oracle_pages *parent = a->parent->pages;
    struct oracle_vmo *vmo = oracle_vmo_make(o, a->size / o->page_bytes, a->content_size);
    uint64_t offset = a->offset / o->page_bytes;
    uint64_t first = oracle_vmo_first(a->parent) + offset;
    vmo->clone = true;
    vmo->immutable = (a->options & ZX_VMO_CHILD_SNAPSHOT) && (a->options & ZX_VMO_CHILD_NO_WRITE);
    vmo->pages->resizable = a->options & ZX_VMO_CHILD_RESIZABLE;
    vmo->pages->root_first = parent->root_first + first;
    if (kind == CLONE_B)
        snapshot(o, vmo->pages, parent, first);
    else
        hang(vmo->pages, parent, first, view_limit(vmo->pages->size, offset, oracle_vmo_count(a->parent)));
    return vmo;
}

/* --- SLICE --- */

static zx_status_t check_slice(struct oracle *o, const struct asked *a)
{
    const struct oracle_pages *pages = a->parent->pages;
    if (!oracle_aligned(o, a->offset))
        return ZX_ERR_INVALID_ARGS; /* row 1 */
    if (a->overflows || oracle_size_too_large(o, a->size))
        return ZX_ERR_OUT_OF_RANGE; /* row 2 */
    if (!oracle_in_range(a->offset, a->size, oracle_vmo_size(o, a->parent)))
        return ZX_ERR_INVALID_ARGS; /* row 4 */
    if (oracle_vmo_resizable(a->parent))
        return ZX_ERR_NOT_SUPPORTED; /* row 5 */
    if (pages->cache_policy != ZX_CACHE_POLICY_CACHED && !pages->contiguous && !pages->physical)
        return ZX_ERR_BAD_STATE; /* row 6 */
    return ZX_OK;
}

/* A VMO object over pages that exist. */
static struct oracle_vmo *make_over(struct oracle *o, struct oracle_pages *pages)
{
    struct oracle_vmo *vmo = oracle_object_make(o, PGR_OBJECT_VMO, sizeof(*vmo));
    vmo->pages = pages;
    vmo->object.signals = ZX_VMO_ZERO_CHILDREN;
    oracle_list_add(&pages->vmos, vmo);
    return vmo;
}

static struct oracle_vmo *make_slice(struct oracle *o, const struct asked *a)
{
    struct oracle_vmo *vmo = make_over(o, a->parent->pages);
    vmo->slice = true;
    vmo->slice_first = oracle_vmo_first(a->parent) + a->offset / o->page_bytes;
    vmo->slice_count = a->size / o->page_bytes;
    vmo->own_content_size = true;
    vmo->content_size = a->content_size;
    return vmo;
}

/* --- REFERENCE; of a slice: it spans the slice --- */

static zx_status_t check_reference(const struct asked *a)
{
    const struct oracle_pages *pages = a->parent->pages;
    if (pages->physical)
        return ZX_ERR_NOT_SUPPORTED; /* row 1 */
    if (a->offset != 0 || a->content_size != 0)
        return ZX_ERR_INVALID_ARGS; /* row 2 */
    if (pages->contiguous)
        return ZX_ERR_NOT_SUPPORTED; /* row 4 */
    if ((a->options & ZX_VMO_CHILD_RESIZABLE) && !oracle_vmo_resizable(a->parent))
        return ZX_ERR_NOT_SUPPORTED; /* row 5 */
    if (pages->cache_policy != ZX_CACHE_POLICY_CACHED)
        return ZX_ERR_BAD_STATE; /* row 6 */
    return ZX_OK;
}

static struct oracle_vmo *make_reference(struct oracle *o, const struct asked *a)
{
    struct oracle_vmo *vmo = make_over(o, a->parent->pages);
    vmo->reference = true;
    vmo->slice = a->parent->slice;
    vmo->slice_first = a->parent->slice_first;
    vmo->slice_count = a->parent->slice_count;
    vmo->own_content_size = a->parent->slice;
    vmo->content_size = a->parent->content_size;
    return vmo;
}

/* --- rights, name; and the call --- */

static zx_rights_t child_rights(const struct asked *a)
{
    zx_rights_t rights = (a->rights & ~ZX_RIGHT_RESIZE) | ZX_RIGHTS_PROPERTY;
    if (a->options & ZX_VMO_CHILD_RESIZABLE)
        rights |= ZX_RIGHT_RESIZE;
    if (a->options & ZX_VMO_CHILD_NO_WRITE)
        return rights & ~ZX_RIGHT_WRITE;
    if (a->options & SNAPSHOTS)
        return (rights & ~ZX_RIGHT_EXECUTE) | ZX_RIGHT_WRITE;
    return rights;
}

static zx_status_t make_child(struct oracle *o, const struct asked *a, struct oracle_vmo **child)
{
    enum clone_kind kind = CLONE_U;
    zx_status_t status;
    if (a->options & ZX_VMO_CHILD_SLICE)
        status = check_slice(o, a);
    else if (a->options & ZX_VMO_CHILD_REFERENCE)
        status = check_reference(a);
    else
        status = check_clone(o, a, &kind);
    if (status != ZX_OK)
        return status;
    if (oracle_handles_full(o) || oracle_alloc_fails(o))
        return ZX_ERR_NO_MEMORY;
    if (a->options & ZX_VMO_CHILD_SLICE)
        *child = make_slice(o, a);
    else if (a->options & ZX_VMO_CHILD_REFERENCE)
        *child = make_reference(o, a);
    else
        *child = make_clone(o, a, kind);
    return ZX_OK;
}

zx_status_t oracle_zx_vmo_create_child(struct oracle *o, struct oracle_thread *t, const pgr_call *call,
                                       pgr_result *result)
{
    (void)t;
    zx_handle_t handle = (zx_handle_t)call->arg[0];
    struct asked a = {.options = (uint32_t)call->arg[1], .offset = call->arg[2], .content_size = call->arg[3]};
    a.size = oracle_page_up(o, a.content_size);
    a.overflows = a.size < a.content_size;
    if ((a.options & ZX_VMO_CHILD_NO_WRITE) && (a.options & ZX_VMO_CHILD_RESIZABLE))
        return ZX_ERR_INVALID_ARGS; /* row 2 */
    zx_rights_t needed = ZX_RIGHT_DUPLICATE | ZX_RIGHT_READ;
    zx_status_t status = oracle_handle_get(o, handle, PGR_OBJECT_VMO, needed, &a.parent);
    if (status != ZX_OK)
        return status; /* row 3 */
    a.rights = oracle_handle_rights(o, handle);
    struct oracle_vmo *child;
    status = check_common(&a);
    if (status == ZX_OK)
        status = make_child(o, &a, &child);
    if (status != ZX_OK)
        return status;
    child->parent = a.parent;
    if (a.rights & ZX_RIGHT_GET_PROPERTY)
        memcpy(child->object.name, a.parent->object.name, sizeof(child->object.name));
    oracle_signal(o, &a.parent->object, ZX_VMO_ZERO_CHILDREN, 0);
    result->out[4] = oracle_handle_make(o, child, child_rights(&a));
    return ZX_OK;
}
