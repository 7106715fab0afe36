/*
 * The fuzzers' input format: bytes that are a program, a sequence of calls. Every byte string is one.
 *
 * An input is a header (PROGRAM_HEADER_BYTES) and call records until its bytes end; what is cut off reads as zeros.
 * The header chooses the world (page size, how much of everything, options), how released threads are resumed, and a
 * prologue: a few calls that set up a pager, so that even short inputs get to the point, and an epilogue, in which a
 * pager answers some of the threads that the program has left waiting, and the ports are read. A record is
 *
 *     opcode byte, thread byte, one operand for each argument of the call's row in the core's table
 *
 * An operand begins with a selector. Below PROGRAM_STEERED_END the operand is *steered*: it is this one byte, and what
 * it means is chosen with a look at the world, so that calls fit together (a supply answers a request that is pending,
 * a read goes where the VMO has pages). From there on it is *exact*: it says what the argument is, whatever the world.
 * Exact operands can express any call; the encoder uses no others. How many bytes an operand has never depends on the
 * world, so that mutators can cut an input into records without running it. program_operands.h lists the forms.
 */
#ifndef HARNESS_PROGRAM_H
#define HARNESS_PROGRAM_H

#include "core/pgr.h"
#include "harness/live_handles.h"

#define PROGRAM_HEADER_BYTES 4u
#define PROGRAM_STEERED_END 0xc0u
#define PROGRAM_THREADS_MAX 48u       /* of the largest world */
#define PROGRAM_BUFFER_MAX (3u << 20) /* bytes of the largest buffer of a call */
#define PROGRAM_CALLS_MAX 4096u       /* of one program; what follows is ignored */
#define PROGRAM_BYTES_MAX (1u << 20)  /* longer inputs are cut */

/* When released threads go on. A RESUME in the program itself is a call like any other. */
enum program_schedule {
    SCHEDULE_QUEUE,    /* after each call, in the order of release */
    SCHEDULE_OTHER,    /* after each call, in another order */
    SCHEDULE_LATE,     /* after every few calls */
    SCHEDULE_EXPLICIT, /* only where the program says so */
};

struct program_header {
    pgr_config config;
    uint32_t world; /* one number for each configuration, below PROGRAM_WORLDS */
    enum program_schedule schedule;
    uint8_t seed;     /* of SCHEDULE_OTHER, SCHEDULE_LATE */
    uint8_t prologue; /* 0: none */
    uint8_t epilogue; /* 0: none */
};

#define PROGRAM_WORLDS 512u

void program_read_header(struct program_header *header, const uint8_t *data, size_t bytes);

/* A configuration in which every count is the largest of all fuzz worlds. */
void program_largest_config(pgr_config *config);

/* Where the buffers of calls are: one for each thread, so that a blocked call's is still there when it is resumed. */
struct program_buffers;
struct program_buffers *program_buffers_new(void);
void program_buffers_free(struct program_buffers *buffers);

struct program_reader {
    const uint8_t *data;
    size_t bytes;
    size_t at;
    uint32_t seed; /* where `data` is null: source of steered selectors */
};

struct program_wait {
    zx_handle_t port;
    zx_handle_t object;
    uint64_t key;
};

#define PROGRAM_WAITS 4u

/* A program that is being run. */
struct program {
    struct program_header header;
    struct program_reader reader;
    struct program_buffers *buffers;
    uint32_t prologue_at, epilogue_at; /* calls made of each */
    uint32_t packets_read;             /* at the end, to see what is in the ports */
    uint32_t calls;
    uint32_t since_resume; /* calls since threads were resumed */
    uint32_t random;
    uint32_t root_vmar; /* object row */
    uint32_t wait_count;
    struct program_wait waits[PROGRAM_WAITS]; /* the last async waits */
    zx_handle_t closed;                       /* a handle that was: the last one that a call has closed */
    struct {
        void *buffer;
        uint64_t bytes;
    } pending[PROGRAM_THREADS_MAX];
    struct live_handles live;
};

/* Begins the program `data`, in a fresh world of its header's configuration. The data and buffers stay the caller's. */
void program_start(struct program *p, const uint8_t *data, size_t bytes, struct program_buffers *buffers,
                   const pgr_world *world);

/* The program's next call; 0 when it is over. The call's buffer is valid until its thread's next call. */
int program_next(struct program *p, const pgr_world *world, pgr_call *call);

/* The next resume that the schedule makes before the program goes on; 0 if there is none. */
int program_next_resume(struct program *p, const pgr_world *world, pgr_call *call);

/* Tells the program what came of a call that one of these two gave. Must follow each. */
void program_learn(struct program *p, const pgr_world *world, const pgr_call *call, const pgr_result *result);

/* The record that begins at `at`: its length in bytes, at least 2. The last one of an input may end behind it. */
size_t program_record_bytes(const uint8_t *data, size_t bytes, size_t at);

/* An opcode of a call, which may have several; -1 if the core does not perform it. */
int program_opcode(uint32_t number);

/* The call of an opcode; PGR_CALL_NONE for the escape to a number that follows. */
uint32_t program_opcode_call(uint8_t opcode);

/* ---- the other way: calls to bytes ---- */

struct program_encoder;

/*
 * An encoder of a program for worlds like this one; null if no fuzz world is like it (the reason is in `why`) or
 * without memory. Of the configuration, page size and options count; the smallest world that has room for what is used
 * is found at the end.
 */
struct program_encoder *program_encoder_new(const pgr_config *config, char *why, size_t why_bytes);
void program_encoder_free(struct program_encoder *e);

/*
 * Adds a call, which is about to be dispatched in `world`. -1 if it cannot be expressed in the largest fuzz world; the
 * reason is in `why`. Resumes are not to be added: the program resumes in the order of release after each call.
 */
int program_encode_call(struct program_encoder *e, const pgr_world *world, const pgr_call *call, char *why,
                        size_t why_bytes);

/*
 * The program; -1 if the largest fuzz world is too small for what was used. `world` is the one after the last call;
 * null if it is gone: then what the last call used is not known. The bytes stay the encoder's.
 */
int program_encoder_finish(struct program_encoder *e, const pgr_world *world, const uint8_t **data, size_t *bytes,
                           char *why, size_t why_bytes);

#endif /* HARNESS_PROGRAM_H */
