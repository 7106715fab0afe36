/*
 * Answers of an implementation: read as lines of a trace, checked for what can be known without a judge, and compared
 * with what came of the same line in one of the judge's worlds.
 */
#ifndef HARNESS_EXEC_ANSWER_H
#define HARNESS_EXEC_ANSWER_H

#include "harness/diff_allowed.h"
#include "harness/exec_diff.h"
#include "harness/exec_judge.h"
#include "harness/protocol_client.h"

/* A call that a thread is in. */
struct exec_wait {
    struct trace_line *line; /* null: it is in none */
    uint64_t address;        /* as in struct exec_answer */
};

/* The implementation's side since the last reset. */
struct exec_other {
    struct trace *spoken;           /* its answers, as lines of a trace of their own */
    struct trace_binding *bindings; /* its values of the names of the compared trace, by symbol id */
    struct exec_wait *waits;        /* by symbol id of the compared trace: what the thread is in */
    uint32_t symbols;               /* of the compared trace */
    struct diff_shown shown;        /* of what it may choose */
    uint32_t lines;                 /* read so far */
};

struct exec_answer {
    struct trace_line *call;      /* with its result */
    struct trace_line *exception; /* of a call that faulted at once, or null */
    uint64_t address;             /* of an access: its first argument, as the implementation has it */
    struct trace_line **ended;    /* lines about other calls, in their order ... */
    uint64_t *ended_addresses;    /* ... and the addresses of these */
    const char **ended_threads;   /* ... and who is meant */
    uint32_t ended_count;
};

/*
 * Reads the answer to this line of the compared trace. 0, or the kind of what is wrong, and `why` (300 bytes) says
 * what.
 */
enum exec_kind exec_read_answer(struct trace *trace, struct exec_other *other, const struct trace_line *line,
                                const struct client_answer *text, struct exec_answer *answer, char *why);

/* Binds the names of the line, and of lines whose calls have ended with it, to the implementation's values. */
void exec_bind_other(struct trace *trace, struct exec_other *other, struct trace_line *line,
                     const struct exec_answer *answer);

/*
 * Whether the answer is what came of the line in this world; learns from it which numbers mean the same. `shown`:
 * what the implementation has shown of what it may choose. `note` (200 bytes) says what differs where the lines do not
 * show it.
 */
enum exec_kind exec_compare(struct trace *trace, struct exec_world *world, const struct trace_line *line,
                            const struct exec_answer *answer, struct diff_shown *shown, char *note);

/* Binds the names of the line, and of lines whose calls have ended with it, to the core's values. */
void exec_bind_core(struct trace *trace, struct exec_world *world, const struct trace_line *line);

/* Prints both answers, one under the other. */
void exec_show(struct trace *trace, struct exec_world *world, const struct trace_line *line,
               const struct exec_answer *answer, FILE *out);

/* Prints what came of the line in the world, each line behind `margin`. */
void exec_show_core(struct trace *trace, struct exec_world *world, const struct trace_line *line, const char *margin,
                    FILE *out);

#endif
