/*
 * What the files of the runner share: the run itself and its threads.
 */
#ifndef HARNESS_RUNNER_INTERNAL_H
#define HARNESS_RUNNER_INTERNAL_H

#include "harness/runner.h"
#include "harness/trace_results.h"
#include "harness/x86_run.h"

/* The longest buffer that a call is given: twice the frames of a world with pages of 4096 bytes. */
#define RUN_BUFFER_MAX (UINT64_C(512) << 20) /* bytes */

enum run_thread_state {
    RUN_IDLE,
    RUN_BLOCKED,
    RUN_RETURNED, /* its call has completed, and no line has said so yet */
    RUN_FAULTED,  /* its access has ended in an exception, and no line has said so yet */
    RUN_ENDED     /* killed, or its exception is told */
};

struct run_thread {
    struct trace_symbol *symbol;
    uint32_t number;         /* in the world, while it has not ended */
    uint32_t state;          /* enum run_thread_state */
    struct trace_line *line; /* that began the call that it is in */
    int untold;              /* the trace has no line that would tell the call's end: record inserts one */
    pgr_call call;
    pgr_result result;
    uint8_t *buffer;     /* of the call, while it is blocked */
    struct x86_run *x86; /* its last x86_exec, or null */
};

struct run {
    struct trace *trace;
    const struct run_options *options;
    pgr_config config;
    struct implementation *implementation;
    struct trace_binding *bindings;   /* by symbol id */
    struct run_thread **threads;      /* by symbol id; null: the name has not been used */
    struct run_thread **numbers;      /* by number of the world's threads; null: unused */
    uint32_t first_unused;            /* no lower number is unused */
    struct trace_line *line;          /* that is being run */
    struct trace_line *insert_behind; /* where lines that tell what the trace does not go */
    uint32_t result_column;           /* in which the lines before have their results */
    uint8_t *buffer;                  /* of the next call */
    uint64_t buffer_capacity;
    char note[256];
    int failed;
};

/* The world of a run. 0, or -1 and a message. */
int run_make_world(struct run *run);
void run_free_world(struct run *run);

/* Shows the call, or with null the end, to those who look on, if there is a core to look at. */
void run_observe(struct run *run, const pgr_call *call);

/* Makes the call that a line describes. 0, or -1 and a note on why it cannot be made. */
int run_resolve(struct run *run, struct run_thread *thread, const struct trace_line *line, pgr_call *call);

/* The thread of that name, made idle with the lowest unused number if it is new. Null: there are too many. */
struct run_thread *run_thread_of(struct run *run, struct trace_symbol *symbol);

/* The thread's call has blocked: the thread keeps it, with its buffer, until it completes. */
void run_leave_blocked(struct run *run, struct run_thread *thread, struct trace_line *line, const pgr_call *call);

/* Ends the thread: its number may be used again, its name not. */
void run_end_thread(struct run *run, struct run_thread *thread);

/* ---- x86_exec ---- */

/* Decodes what the line has, into thread->x86. 0, or -1 and a note. */
int run_x86_resolve(struct run *run, struct run_thread *thread, const struct trace_line *line, pgr_call *call);

/* Executes the thread's instruction, or goes on with it. PGR_REFUSED: run->note says why. */
void run_x86_begin(struct run *run, struct run_thread *thread, pgr_result *result);
void run_x86_resume(struct run *run, struct run_thread *thread, pgr_result *result);

/* The instruction in Intel syntax, as a comment. */
const char *run_x86_comment(struct run *run, const struct run_thread *thread);

/* ---- recording ---- */

/* Changes the line to what really happened, in its place in the trace. */
void record_replace(struct trace_line *line, const struct trace_line *actual);

/* A line in which the end of the thread's call will be told, behind what is being run. */
void record_insert_ending(struct run *run, const struct run_thread *thread);

/*
 * Before a thread makes the call of this line: if it cannot, for it is in another call or gone, the line changes. 1 if it
 * can, 0 if the line has changed and is to be looked at again, -1 if it is a comment now.
 */
int record_prepare_call(struct run *run, const struct run_thread *thread, struct trace_line *line);

/* The line becomes a comment that has it, and says why it was not run. */
void record_comment_out(struct run *run, struct trace_line *line, const char *why);

/* The line tells the end of a call that is not open: only its comment stays. */
void record_drop(struct trace_line *line);

#endif
