/*
 * The oracle's accesses to memory (faults.md): loads and stores of a thread, page by page, and the buffers in mapped
 * memory that zx_vmo_read and zx_vmo_write take. Every access looks at the mapping and at the VMO anew.
 */
#include "harness/oracle/oracle.h"
#include "harness/oracle/vmar.h"

#include <string.h>

/* faults.md, one page: rows 1 to 3 here, the others in the VMO. On ZX_OK *bytes is the byte at the address. */
static zx_status_t access_page(struct oracle *o, struct oracle_thread *t, uint64_t address, bool write, uint8_t **bytes,
                               struct oracle_vmo **vmo)
{
    uint32_t needed = write ? ZX_VM_PERM_WRITE : ZX_VM_PERM_READ;
    const struct oracle_mapping *mapping = oracle_mapping_at(o, address);
    if (!mapping) /* rows 1, 2 */
        return ZX_ERR_NOT_FOUND;
    if (!(mapping->perms & needed)) /* row 3 */
        return ZX_ERR_ACCESS_DENIED;

    uint64_t offset = mapping->vmo_offset + (address - mapping->address);
    uint8_t *page;
    *vmo = mapping->vmo;
    zx_status_t status = oracle_vmo_page(o, t, mapping->vmo, offset / o->page_bytes, write, &page);
    if (status == ZX_OK)
        *bytes = page + offset % o->page_bytes;
    return status;
}

/* How many bytes lie in the page of this address, from it on. */
static uint64_t room_in_page(const struct oracle *o, uint64_t address)
{
    return o->page_bytes - address % o->page_bytes;
}

/* faults.md */
zx_status_t oracle_user_byte(struct oracle *o, struct oracle_thread *t, uint64_t address, bool write, uint8_t **byte,
                             uint64_t *room, struct oracle_vmo **vmo)
{
    *room = room_in_page(o, address);
    return access_page(o, t, address, write, byte, vmo);
}

/*
 * trace-format.md, mem_read and mem_write: page by page, ascending. The bytes of a page move when its fault is resolved,
 * and stay moved; a woken access goes on at its current page. If the wait has ended with an error that is how the access
 * fails, whatever is mapped there by now (row 8). A buffer that is too short is a bad pointer (core/pgr.h).
 */
static zx_status_t transfer(struct oracle *o, struct oracle_thread *t, const pgr_call *call, bool write)
{
    uint8_t *buffer = call->buffer;
    uint64_t length = call->arg[2];
    t->fault_address = call->arg[0] + t->progress;
    zx_status_t status = length <= call->buffer_bytes ? oracle_woken(t) : ZX_ERR_NOT_FOUND;
    while (status == ZX_OK && t->progress < length) {
        struct oracle_vmo *vmo;
        uint8_t *bytes;
        t->fault_address = call->arg[0] + t->progress;
        status = access_page(o, t, t->fault_address, write, &bytes, &vmo);
        if (status != ZX_OK)
            break;
        uint64_t count = room_in_page(o, t->fault_address);
        if (count > length - t->progress)
            count = length - t->progress;
        memcpy(write ? bytes : buffer + t->progress, write ? buffer + t->progress : bytes, count);
        if (write)
            oracle_vmo_modified(vmo);
        t->progress += count;
    }
    return status;
}

zx_status_t oracle_mem_read(struct oracle *o, struct oracle_thread *t, const pgr_call *call, pgr_result *result)
{
    (void)result;
    return transfer(o, t, call, false);
}

zx_status_t oracle_mem_write(struct oracle *o, struct oracle_thread *t, const pgr_call *call, pgr_result *result)
{
    (void)result;
    return transfer(o, t, call, true);
}

/* --- mem_prepare (core/pgr.h): a set of accesses at once --- */

static zx_status_t prepare_one(struct oracle *o, struct oracle_thread *t, const pgr_access *access)
{
    zx_status_t status = ZX_OK;
    uint64_t done = 0;
    while (status == ZX_OK && done < access->bytes) {
        struct oracle_vmo *vmo;
        uint8_t *bytes;
        t->fault_address = access->address + done;
        status = access_page(o, t, t->fault_address, access->write, &bytes, &vmo);
        if (status == ZX_OK && access->write)
            oracle_vmo_modified(vmo); /* pager.md: a write fault was resolved */
        done += room_in_page(o, t->fault_address);
    }
    return status;
}

/* After each wait all over from the first access: it might not be possible any more. */
zx_status_t oracle_mem_prepare(struct oracle *o, struct oracle_thread *t, const pgr_call *call, pgr_result *result)
{
    (void)result;
    zx_status_t status = oracle_woken(t);
    for (uint64_t i = 0; status == ZX_OK && i < call->buffer_bytes / sizeof(pgr_access); i++) {
        pgr_access access;
        memcpy(&access, (const char *)call->buffer + i * sizeof access, sizeof access);
        status = prepare_one(o, t, &access);
    }
    return status;
}
