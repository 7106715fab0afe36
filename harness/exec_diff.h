/*
 * Compares an implementation behind the line protocol with the core: makes the calls of a trace on both, line by line,
 * and stops at the first answer that no world of the judge (exec_judge.h) gives. What a trace expects is not looked at.
 */
#ifndef HARNESS_EXEC_DIFF_H
#define HARNESS_EXEC_DIFF_H

#include <stdint.h>

#include "harness/trace.h"

enum exec_kind {
    EXEC_NONE,
    /* The answer is one, and it is not right. */
    EXEC_STATUS,
    EXEC_OUTPUT,
    EXEC_BLOCKING, /* one waits, returns or faults where the other does not */
    EXEC_ENDING,   /* the calls that the line has ended, or how */
    /* The answer is none. */
    EXEC_GARBAGE,
    EXEC_OTHER_CALL,
    EXEC_UNSUPPORTED, /* and that was not declared */
    EXEC_ERROR,       /* !error */
    EXEC_TIMEOUT,
    EXEC_ENDED,
    EXEC_FLOOD,
    EXEC_UNASKED,
    EXEC_KIND_COUNT
};

/* What was found. Two findings are of the same kind if `kind` and `call` are the same. */
struct exec_finding {
    enum exec_kind kind;
    uint32_t call; /* number of the call of the line */
    uint32_t line; /* of the trace; 0: before its first line */
    char *text;    /* the answers side by side, some lines; to be freed */
};

struct exec_options {
    const char *command;
    unsigned timeout_ms;
    /* Declared: calls and options that it does not have. Traces with these are not to be compared. */
    uint8_t lacks_call[TRACE_CALL_COUNT];
    uint8_t lacks_option[TRACE_OPTION_COUNT];
};

struct exec;

/* The command is started when it is needed. Null without memory. */
struct exec *exec_new(const struct exec_options *options);

/* Ends the command. */
void exec_free(struct exec *diff);

/* Ends the command; the next trace finds a fresh one. */
void exec_restart(struct exec *diff);

/* The first call, or option, of the trace that the command does not have; null: none. */
const char *exec_lacks(const struct exec *diff, const struct trace *trace);

/*
 * Compares. 0, and the finding's kind says whether something was found (if not, its text may say why the comparison has
 * ended early); -1: the comparison cannot be made, and
 * finding->text says why. Lines that cannot be run, for their thread is in a call or a name has no value, are passed
 * over.
 */
int exec_trace(struct exec *diff, struct trace *trace, struct exec_finding *finding);

void exec_finding_free(struct exec_finding *finding);

#endif
