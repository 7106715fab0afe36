/*
 * The line protocol (docs/line-protocol.md), both sides: what a judge sends and what an implementation answers, as text
 * and as lines of a trace. protocol_client.h has the judge's pipes, protocol_serve() is an implementation's whole side.
 */
#ifndef HARNESS_PROTOCOL_H
#define HARNESS_PROTOCOL_H

#include <stdio.h>

#include "harness/implementation.h"
#include "harness/runner_internal.h"
#include "harness/trace.h"

/* ------------------------------------------------------------------------------------------------------------------
 * Text
 * --------------------------------------------------------------------------------------------------------------- */

/* What an answer ends with, and the words that stand in the place of one. */
#define PROTOCOL_END "."
#define PROTOCOL_ERROR "!error"
#define PROTOCOL_UNSUPPORTED "!unsupported"
#define PROTOCOL_RESET "reset"

/*
 * Prints a call as it is sent, without its line end: all expressions as numbers, outputs as '_'. `bindings` has the
 * values that the receiver has given to names. 0, or -1: the name in `unbound` has no value.
 */
int protocol_write_call(struct trace *trace, const struct trace_line *line, const struct trace_binding *bindings,
                        FILE *out, const struct trace_symbol **unbound);

/* Prints the start handles, as the answer to `reset` has them, without its line end. */
void protocol_write_start(const pgr_start *start, FILE *out);

/* Reads them. 0, or -1: they are not told as they should be. Handles that are not named are 0. */
int protocol_read_start(const char *text, pgr_start *start);

/*
 * The argument that a call gives back when it has waited, or UINT32_MAX: a buffer, a packet, a handle. No call that may
 * wait has more than one output.
 */
unsigned protocol_late_output(uint32_t call);

/* ------------------------------------------------------------------------------------------------------------------
 * Calls of a trace, made on an implementation
 * --------------------------------------------------------------------------------------------------------------- */

/* A call of a thread that has ended: at once, or as a consequence of another line. */
struct played_call {
    struct run_thread *thread;
    pgr_call call; /* with its buffer, which stays until the player's next line */
    pgr_result result;
};

#define PLAYED_RESUMES_MAX 65536u /* behind one line, after which an implementation is taken to go in circles */

/* Who makes the calls that lines describe. */
struct player {
    struct run run; /* its trace, implementation, names and threads */
    struct run_options options;
    uint32_t symbols;          /* that run.bindings and run.threads have room for */
    struct played_call *ended; /* by the last line, in order */
    uint32_t ended_count, ended_room;
};

/* What came of a line's call itself. */
enum played { PLAYED, PLAYED_UNSUPPORTED, PLAYED_IMPOSSIBLE /* player->run.note says why */ };

/*
 * A player of this trace's lines. The implementation stays the caller's, who has reset it with player->run.config. 0,
 * or -1 without memory.
 */
int play_begin(struct player *player, struct trace *trace, const pgr_config *config,
               struct implementation *implementation, const pgr_start *start);
void play_end(struct player *player);

/*
 * Makes `copy` stand where `player` stands, on another implementation that stands there, too. `call`, a call that
 * play_call() has given, becomes the copy's. 0, or -1 without memory.
 */
int play_copy(const struct player *player, struct implementation *implementation, struct player *copy, pgr_call *call);

/*
 * Makes the call of a line (whose form does not matter) in `call`, gets its result in `result`. Does not resume
 * anybody.
 */
enum played play_call(struct player *player, struct trace_line *line, pgr_call *call, pgr_result *result);

/* Lets a released thread go on; if its call ends with that it is added to the ended ones. 0, or -1: it cannot. */
int play_resume(struct player *player, uint32_t thread);

/* All that are released, in order. 0, or -1 with a note. */
int play_resume_all(struct player *player);

/* ------------------------------------------------------------------------------------------------------------------
 * Answers
 * --------------------------------------------------------------------------------------------------------------- */

/* Lines of an answer, made of what the player got; their memory is the trace's. */
struct trace_line protocol_call_line(struct trace *trace, const struct trace_line *line, const pgr_call *call,
                                     const pgr_result *result);
struct trace_line protocol_ended_line(struct trace *trace, const struct played_call *ended);
struct trace_line protocol_exception_line(struct trace *trace, struct trace_symbol *thread, uint32_t call,
                                          const pgr_result *result);

/* What check_invariants() does: 0, or -1 with a message. */
struct protocol_check {
    int (*check)(void *context, const pgr_world *world, const void *frames, char *message, size_t message_bytes);
    void *context;
};

/*
 * Answers requests from `in` on `out` until `in` ends. Without `check` (null), or if the implementation is not the core,
 * check_invariants() is not supported.
 */
void protocol_serve(struct implementation *implementation, const struct protocol_check *check, FILE *in, FILE *out);

#endif
