/*
 * Traces as programs of syzkaller, for its descriptions of Fuchsia, so that what a trace shows can be tried on a real
 * Zircon. What the descriptions cannot say stands in a comment at its place.
 */
#ifndef HARNESS_EXPORT_SYZ_H
#define HARNESS_EXPORT_SYZ_H

#include <stdint.h>
#include <stdio.h>

#include "harness/trace.h"

/* Writes the trace as a program. `name` is the trace's, for the first comment. 0, or -1 without memory. */
int export_syz(const struct trace *trace, const char *name, FILE *out);

/* ---- the table of described calls (export_syz_table.c) ---- */

/* What an argument of a described call is made of. `place` is that of the trace's argument. */
enum syz_kind {
    SYZ_END,
    SYZ_RESOURCE,   /* a handle or an address: a result, with an offset, or a number */
    SYZ_NUMBER,     /* a number only */
    SYZ_TIME,       /* a deadline */
    SYZ_KEY,        /* of a packet: described as one of 16 a process */
    SYZ_KEY_OF_4,   /* ... of 4 */
    SYZ_CONSTANT,   /* `constant` of the row: it chose the row */
    SYZ_ZERO,       /* 0, as described */
    SYZ_OUT_RESULT, /* a pointer to a handle or an address that becomes a result */
    SYZ_OUT,        /* a pointer to anything else */
    SYZ_AUTO,       /* the size of the buffer before it, which syzkaller knows */
    SYZ_BYTES_IN,
    SYZ_BYTES_OUT,
    SYZ_HANDLES, /* an array, and behind it its count */
    SYZ_PACKET,
    SYZ_NAME_IN,  /* a name, and behind it its length */
    SYZ_NAME_OUT, /* room for a name, and behind it its size */
    SYZ_SIZE_IN,  /* a pointer to 64 bits, and behind it their size */
    SYZ_SIZE_OUT, /* the same, as an output */
    SYZ_ADDRESSES /* those of pinned pages, and behind them their count */
};

#define SYZ_ARGUMENTS_MAX 8u

struct syz_call {
    const char *name;    /* in the descriptions; null: they cannot say it */
    const char *missing; /* why not */
    uint32_t call;       /* enum pgr_call_number, enum trace_call_number */
    uint32_t selects;    /* 1: the row is for calls whose argument 1 is `selector` */
    uint64_t selector;
    uint64_t constant; /* what the descriptions have for it */
    struct {
        uint8_t kind; /* enum syz_kind */
        uint8_t place;
    } arguments[SYZ_ARGUMENTS_MAX];
};

/* The row of a call; `selector` is the value of its argument 1, if it has one. There is one for every call. */
const struct syz_call *syz_call_find(uint32_t call, uint64_t selector);

/* Which descriptions these are. */
extern const char syz_descriptions[];

#endif
