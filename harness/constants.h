/*
 * The constants of Zircon's headers that calls take and give: names to values for reading a trace, values to names for
 * printing one. Which names a value is written with depends on what it means, its domain.
 */
#ifndef HARNESS_CONSTANTS_H
#define HARNESS_CONSTANTS_H

#include "core/pgr.h"

/* Domains behind those of enum pgr_domain: what outputs mean. */
enum constant_domain {
    CONSTANT_STATUS = PGR_DOMAIN_COUNT,
    CONSTANT_OBJECT_TYPE,
    CONSTANT_PACKET_TYPE,
    CONSTANT_PACKET_COMMAND,
    CONSTANT_VMO_FLAGS,
    CONSTANT_RANGE_OPTIONS,
    CONSTANT_STATS,
    CONSTANT_EXCEPTION,
    CONSTANT_BYTES, /* an offset or a length: whole pages are written as such */
    CONSTANT_ADDRESS,
    CONSTANT_DOMAIN_COUNT
};

/* A status is sign-extended to 64 bits. */
struct constant {
    const char *name;
    uint64_t value;
    uint8_t domain;
};

/* The constant of that name, or null. `length` is the name's, in bytes. */
const struct constant *constant_find(const char *name, size_t length);

/* The name of a status; null for a value that is none. */
const char *constant_status_name(zx_status_t status);

#define CONSTANT_TEXT_MAX 512u

/*
 * Writes the value as a trace has it: as a constant, as constants joined by '|', as pages or as a number. `text` has
 * CONSTANT_TEXT_MAX bytes. Returns `text`.
 */
const char *constant_format(char *text, unsigned domain, uint64_t value, uint64_t page_bytes);

#endif
