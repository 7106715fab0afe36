/*
 * What came back from a call, in trace syntax: values made from results, and the comparison of a line's outputs with them.
 */
#ifndef HARNESS_TRACE_RESULTS_H
#define HARNESS_TRACE_RESULTS_H

#include "harness/trace.h"

/* Values to print. They live as long as what trace_allocate() gives. */
struct trace_value *trace_make_number(struct trace *trace, unsigned domain, uint64_t number);
struct trace_value *trace_make_literal(struct trace *trace, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
struct trace_value *trace_make_anything(struct trace *trace);
struct trace_status *trace_make_status(struct trace *trace, zx_status_t status);

/*
 * The bytes of a buffer as fill, pages or a string. Longer texts than `text_max` bytes are cut, and are no syntax any
 * longer; 0: no limit.
 */
struct trace_value *trace_make_buffer(struct trace *trace, const uint8_t *bytes, uint64_t count, uint64_t text_max);

/* A structure with all its fields that say something. `arg_kind` and `topic` choose it, as trace_layout_of() has it. */
struct trace_value *trace_make_structure(struct trace *trace, unsigned arg_kind, uint64_t topic, const void *structure);

/* Whether the status is one that the line accepts. */
int trace_status_matches(const struct trace_status *expected, zx_status_t status);

/* A call that has returned. */
struct trace_outcome {
    const pgr_call *call;     /* as dispatched, with its buffer */
    const pgr_result *result; /* PGR_DONE */
};

/* Whether the call has outputs: if it succeeded; and a wait that ends without its signals says nevertheless what it saw. */
int trace_has_outputs(const struct trace_outcome *outcome);

struct trace_comparison {
    struct trace *trace;
    struct trace_binding *bindings; /* by symbol id; null: names have no values */
    int fill;                       /* write what came where the line has '_' */
    int fill_buffers;               /* ... and also the buffers of reads */
    int binds;                      /* &names are bound to what came */
    int differs;                    /* set if an output is not what the line expects */
    char note[200];                 /* what differs, where the values do not show it */
};

/*
 * The arguments of the line with what really came in place of what differs (and, to fill, of '_'). Outputs count only if
 * the result has any.
 */
struct trace_value *trace_compare_outputs(struct trace_comparison *comparison, const struct trace_line *line,
                                          const struct trace_outcome *outcome);

/* Compares the buffer of a read with the one that a line expects; returns what to print for it. */
struct trace_value *trace_compare_buffer(struct trace_comparison *comparison, struct trace_value *expected,
                                         const uint8_t *bytes, uint64_t count);

/*
 * Writes the bytes that a buffer's form stands for. Returns 0, or -1 with a note on why it has none: names without value,
 * bytes over 255, more content than `count`.
 */
int trace_buffer_bytes(struct trace_comparison *comparison, const struct trace_value *value, uint8_t *bytes,
                       uint64_t count);

/* The argument that has the length of a call's buffer, or that chooses its structure. */
const struct trace_value *trace_nth(const struct trace_value *values, unsigned n);

#endif
