/*
 * What the files of the export to syzkaller share: the program that is being written, and its arguments.
 */
#ifndef HARNESS_EXPORT_SYZ_INTERNAL_H
#define HARNESS_EXPORT_SYZ_INTERNAL_H

#include "harness/export_syz.h"

#define SYZ_PAGE_BYTES UINT64_C(4096) /* Zircon's */
#define SYZ_KEYS_MAX 16u

/* What a name stands for. */
enum syz_meaning { MEANS_NOTHING, MEANS_RESULT, MEANS_NUMBER, MEANS_MISSING };

struct syz_binding {
    uint32_t meaning; /* enum syz_meaning */
    uint32_t result;
};

struct exporting {
    const struct trace *trace;
    FILE *out;
    FILE *line;                   /* the call that is being written */
    struct syz_binding *bindings; /* by symbol id */
    struct syz_binding *before;   /* the same before the line's outputs, to go back to */
    uint32_t results;             /* so many are used */
    uint64_t keys[SYZ_KEYS_MAX];
    unsigned key_count;
    int after_comment; /* a blank line has to follow, for a comment right before a call is taken for its status */
    unsigned written;
    unsigned missing;
    char why[200]; /* the line cannot be written; "": it can */
};

/* The next line is a call: it must not stand right behind a comment. */
void syz_begin_call(struct exporting *e);

/* Whether a call may end with ZX_OK: by its own line, or, of one that blocks, by the line that tells its end. */
int syz_may_succeed(const struct trace_line *line);

/* Notes why the line cannot be written. Returns -1. */
int syz_refuse(struct exporting *e, const char *format, ...) __attribute__((format(printf, 2, 3)));

/*
 * Writes the call to e->line, and binds its outputs. 0, or -1 and e->why. Start handles that it names first are made
 * before it, in e->out.
 */
int syz_put_call(struct exporting *e, const struct trace_line *line, const struct syz_call *row);

#endif
