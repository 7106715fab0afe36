/*
 * What `shrink` and `triage` share: finding what is wrong with a trace, and shrinking it, with progress on standard
 * error.
 */
#ifndef HARNESS_TOOL_SHRINKING_H
#define HARNESS_TOOL_SHRINKING_H

#include "harness/failure.h"
#include "harness/tool/tool.h"

struct shrinking_options {
    const char *name; /* of the trace, for messages */
    pgr_config world; /* as `pagerite run --world` has it */
    int has_world;    /* 0: the usual one; if the trace does not fail there, the one that it says it was recorded in */
    int with_oracle;
    int calls_alone;    /* as failure_options has it ... */
    int is_loose;       /* ... and this */
    const char *wanted; /* the number of the invariant that is to be violated, if there is a choice; may be null */
    unsigned seconds;   /* for one run; 0: as failure.h has it */
    uint64_t tries_max; /* 0: no bound */
    int quiet;          /* nothing but complaints on standard error */
};

struct shrunk {
    struct trace *trace; /* to be freed */
    struct failure failure;
    pgr_config world; /* in which it fails ... */
    int has_world;    /* ... if that is not the usual one */
};

/*
 * Finds the failure of a trace and shrinks it. TOOL_OK; TOOL_FOUND: it does not fail; TOOL_USAGE: it cannot be run. In
 * the latter two cases the reason has been printed on standard error.
 */
int tool_shrink_trace(const struct trace *trace, const struct shrinking_options *options, struct shrunk *shrunk);

/*
 * Prints a shrunk trace. Its first line is `title`, or the failure if that is null; a second one the world, if it needs
 * one of its own. What the trace had on top stays behind them, but for what such a line said before.
 */
void tool_write_shrunk(const struct shrunk *shrunk, const char *title, FILE *out);

/* "48,80,32,24,160": as --world takes it. 0, or -1 if it is none. */
int tool_parse_world(const char *argument, pgr_config *world);

#endif
