/*
 * The structures that a trace writes as {field=value, ...}: which fields they have, where these lie and what they mean.
 */
#ifndef HARNESS_TRACE_LAYOUTS_H
#define HARNESS_TRACE_LAYOUTS_H

#include <stddef.h>
#include <stdint.h>

enum trace_field_type {
    TRACE_FIELD_NUMBER,
    TRACE_FIELD_STATUS,  /* a zx_status_t */
    TRACE_FIELD_NUMBERS, /* [a, b, ...], `count` of them */
    TRACE_FIELD_TEXT,    /* "text", zeros behind it */
    TRACE_FIELD_WIDE     /* a hexadecimal number of `bytes` bytes */
};

/* Fields of one group exclude those of another, as the members of a union do; group 0 goes with all. */
enum trace_field_group { TRACE_GROUP_ALL, TRACE_GROUP_PAGE_REQUEST, TRACE_GROUP_USER, TRACE_GROUP_SIGNAL };

struct trace_field {
    const char *name;
    uint16_t offset;
    uint8_t bytes; /* of one number */
    uint8_t count;
    uint8_t type;   /* enum trace_field_type */
    uint8_t domain; /* what its values mean: enum pgr_domain or enum constant_domain */
    uint8_t group;  /* enum trace_field_group */
};

struct trace_layout {
    const char *name;
    const struct trace_field *fields;
    unsigned field_count;
};

/* The structure of an argument of this kind; of an info, that of the topic. Null if it has none. */
const struct trace_layout *trace_layout_of(unsigned arg_kind, uint64_t topic);

/* The structure of an exception: addr. Its code is a status and stands apart. */
extern const struct trace_layout trace_layout_exception;

const struct trace_field *trace_field_find(const struct trace_layout *layout, const char *name, size_t length);

/* A number of a structure in memory, zero- or, a status, sign-extended. */
uint64_t trace_field_get(const struct trace_field *field, const void *structure, unsigned index);
void trace_field_set(const struct trace_field *field, void *structure, unsigned index, uint64_t value);

#endif
