/*
 * VMOs: creation, what they are asked for, cache policy (vmo.md, objects.md).
 */
#include "harness/oracle/oracle_pages.h"

#include <string.h>

/* objects.md */
#define VMO_RIGHTS (ZX_RIGHTS_BASIC | ZX_RIGHTS_IO | ZX_RIGHTS_PROPERTY | ZX_RIGHT_MAP | ZX_RIGHT_SIGNAL)

/* --- what a VMO is --- */

uint64_t oracle_vmo_first(const struct oracle_vmo *vmo)
{
    return vmo->slice ? vmo->slice_first : 0;
}

uint64_t oracle_vmo_count(const struct oracle_vmo *vmo)
{
    return vmo->slice ? vmo->slice_count : vmo->pages->size;
}

uint64_t oracle_vmo_size(struct oracle *o, const struct oracle_vmo *vmo)
{
    return oracle_vmo_count(vmo) * o->page_bytes;
}

uint64_t oracle_vmo_content_size(const struct oracle_vmo *vmo)
{
    return vmo->own_content_size ? vmo->content_size : vmo->pages->content_size;
}

void oracle_vmo_set_content_size(struct oracle_vmo *vmo, uint64_t size)
{
    if (vmo->own_content_size)
        vmo->content_size = size;
    else
        vmo->pages->content_size = size;
}

bool oracle_vmo_resizable(const struct oracle_vmo *vmo)
{
    return vmo->pages->resizable && !vmo->slice;
}

bool oracle_vmo_discardable(const struct oracle_vmo *vmo)
{
    return vmo->pages->discardable;
}

bool oracle_vmo_contiguous(const struct oracle_vmo *vmo)
{
    return vmo->pages->contiguous;
}

bool oracle_vmo_physical(const struct oracle_vmo *vmo)
{
    return vmo->pages->physical;
}

/* Direct children of any kind. */
uint64_t oracle_vmo_children(struct oracle *o, const struct oracle_vmo *vmo)
{
    uint64_t count = 0;
    for (size_t i = 0; i < o->objects.count; i++) {
        const struct oracle_vmo *child = o->objects.items[i];
        count += child->object.kind == PGR_OBJECT_VMO && child->parent == vmo;
    }
    return count;
}

static uint64_t mappings_of(struct oracle *o, const struct oracle_vmo *vmo)
{
    uint64_t count = 0;
    for (size_t i = 0; i < o->mappings.count; i++)
        count += ((struct oracle_mapping *)o->mappings.items[i])->vmo == vmo;
    return count;
}

/* Row 5 of DECOMMIT: another member of the snapshot family still lives. */
bool oracle_has_relatives(struct oracle *o, const struct oracle_pages *pages)
{
    for (size_t i = 0; i < o->objects.count; i++) {
        const struct oracle_pages *other = o->objects.items[i];
        if (other->object.kind == PGR_OBJECT_PAGES && other != pages && other->family && other->family == pages->family)
            return true;
    }
    return false;
}

/* 2^64 - 1 rounded down to a multiple of 32 pages. */
bool oracle_size_too_large(const struct oracle *o, uint64_t size)
{
    return size > (UINT64_MAX & ~(32 * o->page_bytes - 1));
}

static bool rounding_overflows(const struct oracle *o, uint64_t size)
{
    return size > UINT64_MAX - (o->page_bytes - 1);
}

/* --- creation --- */

struct oracle_vmo *oracle_vmo_make(struct oracle *o, uint64_t size_pages, uint64_t content_size)
{
    struct oracle_vmo *vmo = oracle_object_make(o, PGR_OBJECT_VMO, sizeof(*vmo));
    struct oracle_pages *pages = oracle_object_make(o, PGR_OBJECT_PAGES, sizeof(*pages));
    vmo->pages = pages;
    vmo->object.signals = ZX_VMO_ZERO_CHILDREN;
    pages->size = size_pages;
    pages->content_size = content_size;
    oracle_list_add(&pages->vmos, vmo);
    return vmo;
}

static zx_handle_t vmo_handle(struct oracle *o, struct oracle_vmo *vmo)
{
    return oracle_handle_make(o, vmo, VMO_RIGHTS | (oracle_vmo_resizable(vmo) ? ZX_RIGHT_RESIZE : 0));
}

/* 2 */
static zx_status_t check_create(const struct oracle *o, uint64_t size, uint32_t options)
{
    bool unbounded = options & ZX_VMO_UNBOUNDED;
    if ((options & ZX_VMO_RESIZABLE) && unbounded)
        return ZX_ERR_INVALID_ARGS; /* row 1 */
    if (!unbounded && rounding_overflows(o, size))
        return ZX_ERR_OUT_OF_RANGE; /* row 2 */
    if (options & ~(ZX_VMO_RESIZABLE | ZX_VMO_DISCARDABLE | ZX_VMO_UNBOUNDED))
        return ZX_ERR_INVALID_ARGS; /* row 3 */
    if (!unbounded && oracle_size_too_large(o, oracle_page_up(o, size)))
        return ZX_ERR_OUT_OF_RANGE; /* row 4 */
    return ZX_OK;
}

zx_status_t oracle_zx_vmo_create(struct oracle *o, struct oracle_thread *t, const pgr_call *call, pgr_result *result)
{
    (void)t;
    uint64_t size = call->arg[0];
    uint32_t options = (uint32_t)call->arg[1];
    zx_status_t status = check_create(o, size, options);
    if (status != ZX_OK)
        return status;
    if (oracle_handles_full(o) || oracle_alloc_fails(o))
        return ZX_ERR_NO_MEMORY; /* row 5 */
    uint64_t bytes = oracle_page_up(o, size);
    if (options & ZX_VMO_UNBOUNDED)
        bytes = UINT64_MAX & ~(32 * o->page_bytes - 1);
    struct oracle_vmo *vmo = oracle_vmo_make(o, bytes / o->page_bytes, size);
    vmo->pages->resizable = options & ZX_VMO_RESIZABLE;
    vmo->pages->discardable = options & ZX_VMO_DISCARDABLE;
    result->out[2] = vmo_handle(o, vmo);
    return ZX_OK;
}

static uint32_t log2_of(uint64_t power)
{
    uint32_t log2 = 0;
    while (power > 1) {
        power >>= 1;
        log2++;
    }
    return log2;
}

/* 3: all pages committed, zeroed, physically consecutive. */
zx_status_t oracle_zx_vmo_create_contiguous(struct oracle *o, struct oracle_thread *t, const pgr_call *call,
                                            pgr_result *result)
{
    (void)t;
    uint64_t size = call->arg[1];
    uint32_t alignment = (uint32_t)call->arg[2];
    struct oracle_bti *bti;
    if (size == 0)
        return ZX_ERR_INVALID_ARGS; /* row 1 */
    if (alignment != 0 && (alignment < log2_of(o->page_bytes) || alignment >= 64))
        return ZX_ERR_INVALID_ARGS; /* row 2 */
    zx_status_t status = oracle_handle_get(o, (zx_handle_t)call->arg[0], PGR_OBJECT_BTI, ZX_RIGHT_MAP, &bti);
    if (status != ZX_OK)
        return status; /* row 3 */
    if (rounding_overflows(o, size) || oracle_size_too_large(o, oracle_page_up(o, size)))
        return ZX_ERR_OUT_OF_RANGE; /* row 4 */
    uint64_t count = oracle_page_up(o, size) / o->page_bytes;
    uint64_t step = alignment == 0 ? 1 : ((uint64_t)1 << alignment) / o->page_bytes;
    uint32_t first = oracle_frames_find(o, count, step);
    if (first == 0 || oracle_handles_full(o) || oracle_alloc_fails(o) || !oracle_frames_reserve(o, count))
        return ZX_ERR_NO_MEMORY; /* row 5 */
    struct oracle_vmo *vmo = oracle_vmo_make(o, count, size);
    vmo->pages->contiguous = true;
    for (uint64_t i = 0; i < count; i++)
        oracle_record_add(vmo->pages, i, 1, PGR_PAGE_ANONYMOUS, oracle_frame_take_at(o, first + (uint32_t)i));
    result->out[3] = vmo_handle(o, vmo);
    return ZX_OK;
}

/* Row 2 came to the kernel in 2025; that of 2023 reaches row 3 with size 0. */
zx_status_t oracle_zx_vmo_create_physical(struct oracle *o, struct oracle_thread *t, const pgr_call *call,
                                          pgr_result *result)
{
    (void)t;
    uint64_t address = call->arg[1];
    uint64_t size = rounding_overflows(o, call->arg[2]) ? 0 : oracle_page_up(o, call->arg[2]);
    struct oracle_resource *resource;
    zx_status_t status = oracle_handle_get(o, (zx_handle_t)call->arg[0], PGR_OBJECT_RESOURCE, 0, &resource);
    if (status != ZX_OK)
        return status; /* row 1 */
    if (!oracle_aligned(o, address) || size == 0 || address + (size - 1) < address)
        return ZX_ERR_INVALID_ARGS; /* row 3 */
    if (oracle_handles_full(o) || oracle_alloc_fails(o))
        return ZX_ERR_NO_MEMORY;
    struct oracle_vmo *vmo = oracle_vmo_make(o, size / o->page_bytes, size);
    vmo->pages->physical = true;
    vmo->pages->cache_policy = ZX_CACHE_POLICY_UNCACHED;
    result->out[3] = vmo_handle(o, vmo);
    return ZX_OK;
}

/* --- what is asked of a VMO --- */

zx_status_t oracle_zx_vmo_get_size(struct oracle *o, struct oracle_thread *t, const pgr_call *call, pgr_result *result)
{
    (void)t;
    struct oracle_vmo *vmo;
    zx_status_t status = oracle_handle_get(o, (zx_handle_t)call->arg[0], PGR_OBJECT_VMO, 0, &vmo);
    if (status == ZX_OK)
        result->out[1] = oracle_vmo_size(o, vmo);
    return status;
}

zx_status_t oracle_zx_vmo_get_stream_size(struct oracle *o, struct oracle_thread *t, const pgr_call *call,
                                          pgr_result *result)
{
    (void)t;
    struct oracle_vmo *vmo;
    zx_status_t status = oracle_handle_get(o, (zx_handle_t)call->arg[0], PGR_OBJECT_VMO, 0, &vmo);
    if (status == ZX_OK)
        result->out[1] = oracle_vmo_content_size(vmo);
    return status;
}

/* objects.md, flags */
static uint32_t info_flags(const struct oracle_vmo *vmo)
{
    const struct oracle_pages *pages = vmo->pages;
    uint32_t flags = ZX_INFO_VMO_VIA_HANDLE;
    if (!pages->physical)
        flags |= ZX_INFO_VMO_TYPE_PAGED;
    if (oracle_vmo_resizable(vmo))
        flags |= ZX_INFO_VMO_RESIZABLE;
    if (vmo->clone)
        flags |= ZX_INFO_VMO_IS_COW_CLONE;
    if (oracle_pager_backed(vmo->pages))
        flags |= ZX_INFO_VMO_PAGER_BACKED;
    if (pages->contiguous || pages->physical)
        flags |= ZX_INFO_VMO_CONTIGUOUS;
    if (pages->discardable)
        flags |= ZX_INFO_VMO_DISCARDABLE;
    if (vmo->immutable)
        flags |= ZX_INFO_VMO_IMMUTABLE;
    return flags;
}

/* Pages in it, clean or dirty; slice, reference: 0 always. */
static uint64_t committed_bytes(struct oracle *o, const struct oracle_vmo *vmo)
{
    return vmo->slice || vmo->reference ? 0 : oracle_frames_held(vmo->pages) * o->page_bytes;
}

void oracle_vmo_info(struct oracle *o, const struct oracle_vmo *vmo, zx_rights_t rights, zx_info_vmo_t *info)
{
    memset(info, 0, sizeof(*info));
    info->koid = vmo->object.koid;
    memcpy(info->name, vmo->object.name, sizeof(info->name));
    info->size_bytes = oracle_vmo_size(o, vmo);
    info->parent_koid = vmo->parent ? vmo->parent->object.koid : 0;
    info->num_children = oracle_vmo_children(o, vmo);
    info->num_mappings = mappings_of(o, vmo);
    info->share_count = 1;
    info->flags = info_flags(vmo);
    info->committed_bytes = committed_bytes(o, vmo);
    info->handle_rights = rights;
    info->cache_policy = vmo->pages->cache_policy;
    info->committed_change_events = vmo->pages->change_events;
    info->populated_bytes = info->committed_bytes;
}

/* 12 */
static zx_status_t check_cache_policy(struct oracle *o, struct oracle_vmo *vmo, uint32_t policy)
{
    const struct oracle_pages *pages = vmo->pages;
    bool mapped = mappings_of(o, vmo) > 0;
    bool has_children = oracle_vmo_children(o, vmo) > 0;
    if (pages->physical && (mapped || has_children || vmo->slice))
        return policy == pages->cache_policy ? ZX_OK : ZX_ERR_BAD_STATE; /* rows 3, 4 */
    if (pages->physical)
        return ZX_OK;
    if (oracle_frames_held(pages) > 0 && pages->cache_policy != ZX_CACHE_POLICY_CACHED)
        return ZX_ERR_BAD_STATE; /* row 5 */
    if (oracle_any_pinned(pages, 0, UINT64_MAX))
        return ZX_ERR_BAD_STATE; /* row 6 */
    if (mapped || has_children || vmo->parent || vmo->reference || pages->vmos.count > 1)
        return ZX_ERR_BAD_STATE; /* row 7 */
    return ZX_OK;
}

zx_status_t oracle_zx_vmo_set_cache_policy(struct oracle *o, struct oracle_thread *t, const pgr_call *call,
                                           pgr_result *result)
{
    (void)t;
    (void)result;
    uint32_t policy = (uint32_t)call->arg[1];
    struct oracle_vmo *vmo;
    if (policy & ~ZX_CACHE_POLICY_MASK)
        return ZX_ERR_INVALID_ARGS; /* row 1 */
    zx_status_t status = oracle_handle_get(o, (zx_handle_t)call->arg[0], PGR_OBJECT_VMO, ZX_RIGHT_MAP, &vmo);
    if (status == ZX_OK)
        status = check_cache_policy(o, vmo, policy);
    if (status == ZX_OK)
        vmo->pages->cache_policy = policy;
    return status;
}
