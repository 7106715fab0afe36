/*
 * A complete adapter for the line protocol (docs/line-protocol.md) around an implementation in C of five calls, the
 * port. The harness speaks the protocol; it wants a struct implementation. To put another implementation under test,
 * replace the port; calls that may wait need resume() and released() besides (docs/implementation-under-test.md).
 *
 *     cc -I. harness/adapters/adapter.c libharness.a libpagerite.a -lZydis -o adapter
 *     pagerite diff --exec ./adapter --unsupported LIST TRACES
 */
#include <stdlib.h>
#include <string.h>

#include "harness/protocol.h"

/* ---- the port: VMOs without pagers, children and mappings ---- */

struct page {
    struct page *next;
    const struct vmo *vmo;
    uint64_t number;
    uint8_t bytes[];
};

struct vmo {
    uint64_t size;
    zx_handle_t handle; /* 0: closed */
};

struct port {
    struct page *pages; /* that have been written */
    struct vmo vmos[4096];
    uint32_t vmo_count;
    uint64_t page_size;
};

static int reset(void *self, const pgr_config *config, pgr_start *start)
{
    struct port *port = self;

    while (port->pages != NULL) {
        struct page *page = port->pages;
        port->pages = page->next;
        free(page);
    }
    *port = (struct port){.page_size = UINT64_C(1) << config->page_shift};
    *start = (pgr_start){0}; /* no VMAR, no BTI, no resource, no event */
    return 0;
}

static struct vmo *find(struct port *port, uint64_t handle)
{
    for (uint32_t i = 0; i < port->vmo_count; i++)
        if (port->vmos[i].handle == handle && handle != 0)
            return &port->vmos[i];
    return NULL;
}

static zx_status_t vmo_create(struct port *port, uint64_t size, uint32_t options, uint64_t *out)
{
    uint64_t limit = 0 - 32 * port->page_size;
    uint64_t rounded = options & ZX_VMO_UNBOUNDED ? limit : (size + port->page_size - 1) & ~(port->page_size - 1);

    if ((options & ZX_VMO_UNBOUNDED) && (options & ZX_VMO_RESIZABLE))
        return ZX_ERR_INVALID_ARGS;
    if (!(options & ZX_VMO_UNBOUNDED) && rounded < size)
        return ZX_ERR_OUT_OF_RANGE;
    if (options & ~(ZX_VMO_RESIZABLE | ZX_VMO_DISCARDABLE | ZX_VMO_UNBOUNDED))
        return ZX_ERR_INVALID_ARGS;
    if (rounded > limit)
        return ZX_ERR_OUT_OF_RANGE;
    if (port->vmo_count == sizeof(port->vmos) / sizeof(port->vmos[0]))
        return ZX_ERR_NO_MEMORY;
    /* Values end in binary 11 and do not come back. */
    *out = (port->vmo_count + 1) << 2 | 3;
    port->vmos[port->vmo_count++] = (struct vmo){rounded, (zx_handle_t)*out};
    return ZX_OK;
}

static struct page *page_of(struct port *port, const struct vmo *vmo, uint64_t number, int is_made)
{
    struct page *page = port->pages;

    while (page != NULL && (page->vmo != vmo || page->number != number))
        page = page->next;
    if (page != NULL || !is_made)
        return page;
    if ((page = calloc(1, sizeof(*page) + port->page_size)) == NULL)
        abort();
    page->next = port->pages;
    page->vmo = vmo;
    page->number = number;
    return port->pages = page;
}

/* zx_vmo_read and zx_vmo_write. Nothing is ever mapped, so that no address is good for a buffer. */
static zx_status_t transfer(struct port *port, struct vmo *vmo, const pgr_call *call)
{
    uint64_t offset = call->arg[2], left = call->arg[3];
    int is_write = call->number == PGR_CALL_VMO_WRITE;
    uint8_t *buffer = call->buffer;

    if (offset > vmo->size || left > vmo->size - offset)
        return ZX_ERR_OUT_OF_RANGE;
    if (left > 0 && (call->at != 0 || call->buffer_bytes < left))
        return ZX_ERR_NOT_FOUND;
    while (left > 0) {
        uint64_t begin = offset % port->page_size;
        uint64_t part = left < port->page_size - begin ? left : port->page_size - begin;
        struct page *page = page_of(port, vmo, offset / port->page_size, is_write);
        if (is_write)
            memcpy(page->bytes + begin, buffer, part);
        else if (page != NULL)
            memcpy(buffer, page->bytes + begin, part);
        else
            memset(buffer, 0, part);
        offset += part, buffer += part, left -= part;
    }
    return ZX_OK;
}

static void call(void *self, const pgr_call *call, pgr_result *result)
{
    struct vmo *vmo = find(self, call->arg[0]);

    *result = (pgr_result){.outcome = PGR_DONE, .call = call->number};
    if (call->number == PGR_CALL_VMO_CREATE) {
        result->status = vmo_create(self, call->arg[0], (uint32_t)call->arg[1], &result->out[2]);
    } else if (call->number == PGR_CALL_HANDLE_CLOSE) {
        result->status = vmo != NULL || call->arg[0] == 0 ? ZX_OK : ZX_ERR_BAD_HANDLE;
        if (vmo != NULL)
            vmo->handle = 0;
    } else if (call->number == PGR_CALL_VMO_GET_SIZE) {
        result->status = vmo != NULL ? ZX_OK : ZX_ERR_BAD_HANDLE;
        result->out[1] = vmo != NULL ? vmo->size : 0;
    } else if (call->number == PGR_CALL_VMO_READ || call->number == PGR_CALL_VMO_WRITE) {
        result->status = vmo != NULL ? transfer(self, vmo, call) : ZX_ERR_BAD_HANDLE;
    } else {
        *result = (pgr_result){.outcome = PGR_REFUSED, .status = ZX_ERR_NOT_SUPPORTED};
    }
}

int main(void)
{
    static struct port port;
    struct implementation implementation = {.name = "port", .self = &port, .reset = reset, .call = call};

    protocol_serve(&implementation, NULL, stdin, stdout);
    reset(&port, &(pgr_config){0}, &(pgr_start){0});
    return 0;
}
