/* Accesses through the address space, page after page. See access.c. */
#ifndef CORE_ACCESS_H
#define CORE_ACCESS_H

#include "need.h"
#include "requests.h"

/* One page of an access through the address space, and what it takes. */
struct access {
    uint64_t address;
    uint64_t bytes; /* in this page */
    int write;
    uint32_t vmo;
    uint32_t pages;  /* 0: physical memory, which is always there */
    uint64_t offset; /* bytes of the pages */
};

/*
 * Looks at the first page of [address, address + bytes): what it is, and what has to be asked or reserved for it.
 * The error is that of the page fault.
 */
zx_status_t access_look(const pgr_world *w, struct access *access, struct need *need, struct want *want);
/* Makes that page ready; cannot fail after the look. */
void access_prepare(pgr_world *w, void *frames, const struct access *access);

#endif
