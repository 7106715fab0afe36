/*
 * Makes random programs and runs them. A call that the implementation lacks is left out before it is made, so that
 * nothing behind it depends on it.
 */
#include "harness/exec_random.h"

#include <stdlib.h>
#include <string.h>

#include "harness/implementation_core.h"
#include "harness/program.h"
#include "harness/program_operands.h"
#include "harness/recorder.h"

#define RECORD_BYTES 64u   /* of random operands; a record takes of them what it needs */
#define RECORDS_A_CALL 40u /* tried, where most calls are left out */

/* splitmix64 */
static uint64_t next_random(uint64_t *state)
{
    uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);

    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

struct generating {
    uint64_t random;
    const uint8_t *lacks_call, *lacks_option;
    uint8_t *data;
    size_t bytes, room;
};

/* ---- bytes ---- */

/*
 * Which world: the larger ones, so that what fails seldom fails for want of room; released threads run at once, in
 * order.
 */
static void random_header(struct generating *g, uint8_t *header)
{
    struct program_header read;
    pgr_config usual;

    pgr_config_default(&usual);
    do {
        uint64_t bits = next_random(&g->random);
        header[0] = (uint8_t)((bits & 0xc7u) | (bits & 0x100u ? 6u : 7u) << 3);
        header[1] = (uint8_t)(bits >> 16 & 0x47u);
        header[2] = (uint8_t)(bits >> 24);
        header[3] = (uint8_t)(bits >> 32);
        program_read_header(&read, header, PROGRAM_HEADER_BYTES);
    } while ((g->lacks_option[TRACE_PAGE_SIZE] && read.config.page_shift != usual.page_shift) ||
             (g->lacks_option[TRACE_READ_BATCH] && read.config.read_batch != usual.read_batch) ||
             (g->lacks_option[TRACE_FAIL_CODES] && (read.config.options & PGR_OPTION_FAIL_CODES_KERNEL)) ||
             (g->lacks_option[TRACE_SUPPLY_FAILURE] && (read.config.options & PGR_OPTION_SUPPLY_DECOMMITS)));
}

/* Calls of a trace that is run as it stands: no resumes, and no end of the process. */
static int is_wanted(const struct generating *g, uint32_t number)
{
    return number != PGR_CALL_NONE && trace_call_row(number) != NULL && !g->lacks_call[number];
}

static uint8_t random_opcode(struct generating *g)
{
    uint8_t opcode;

    do
        opcode = (uint8_t)next_random(&g->random);
    while (!is_wanted(g, program_opcode_call(opcode)));
    return opcode;
}

/* Three of four operands are steered. */
static uint8_t random_operand(struct generating *g)
{
    uint64_t bits = next_random(&g->random);

    return (uint8_t)(bits & 0x300u ? bits % PROGRAM_STEERED_END : bits);
}

static void add_record(struct generating *g)
{
    uint8_t *record = g->data + g->bytes;
    size_t length;

    record[0] = random_opcode(g);
    record[1] = (uint8_t)(next_random(&g->random) % 2 == 0 ? THREAD_EXACT + next_random(&g->random) % 4
                                                           : next_random(&g->random) % THREAD_EXACT);
    for (size_t i = 2; i < RECORD_BYTES; i++)
        record[i] = random_operand(g);
    length = program_record_bytes(record, RECORD_BYTES, 0);
    g->bytes += length < RECORD_BYTES ? length : RECORD_BYTES;
}

/* ---- the trace ---- */

/* A program being written down. */
struct writing {
    const struct generating *generating;
    struct program program;
    struct implementation *core;
    const pgr_world *world;
    struct recorder *recorder;
};

static void make_call(struct writing *w, const pgr_call *call)
{
    pgr_result result;

    if (call->number == PGR_CALL_RESUME)
        w->core->resume(w->core->self, call->thread, call->buffer, call->buffer_bytes, &result);
    else
        w->core->call(w->core->self, call, &result);
    if (result.outcome != PGR_REFUSED)
        recorder_call(w->recorder, call, &result);
    program_learn(&w->program, w->world, call, &result);
}

static uint32_t write_calls(struct writing *w, uint32_t calls)
{
    uint32_t made = 0;
    pgr_call call;

    while (made < calls && program_next(&w->program, w->world, &call)) {
        if (!is_wanted(w->generating, call.number))
            continue;
        make_call(w, &call);
        made++;
        while (program_next_resume(&w->program, w->world, &call))
            make_call(w, &call);
    }
    return made;
}

static int begin_writing(struct writing *w, const struct generating *g, struct program_buffers *buffers, FILE *out)
{
    struct program_header header;
    pgr_config usual;
    pgr_start start;

    program_read_header(&header, g->data, g->bytes);
    w->generating = g;
    if (w->core->reset(w->core->self, &header.config, &start) != 0)
        return -1;
    w->world = implementation_core_world(w->core, NULL);
    program_start(&w->program, g->data, g->bytes, buffers, w->world);
    /* The trace is to be run in the usual world, not in one of this size. */
    pgr_config_default(&usual);
    header.config.frame_count = usual.frame_count;
    header.config.object_count = usual.object_count;
    w->recorder = recorder_new(&header.config, &start, out);
    return w->recorder != NULL ? 0 : -1;
}

/* The program as a text. */
static uint32_t write_trace(const struct generating *g, uint32_t calls, FILE *out)
{
    struct writing *w = calloc(1, sizeof(*w));
    struct program_buffers *buffers = program_buffers_new();
    uint32_t made = 0;

    if (w != NULL)
        w->core = implementation_core();
    if (w != NULL && buffers != NULL && w->core != NULL && begin_writing(w, g, buffers, out) == 0)
        made = write_calls(w, calls);
    if (w != NULL) {
        recorder_free(w->recorder);
        implementation_end(w->core);
    }
    program_buffers_free(buffers);
    free(w);
    return made;
}

static struct trace *trace_of(const struct generating *g, uint32_t calls, uint32_t *made)
{
    struct trace_error error;
    struct trace *trace;
    char *text = NULL;
    size_t bytes = 0;
    FILE *out = open_memstream(&text, &bytes);

    if (out == NULL)
        return NULL;
    *made = write_trace(g, calls, out);
    fclose(out);
    trace = trace_read(text, bytes, &error);
    free(text);
    return trace;
}

struct trace *exec_random(uint64_t seed, uint32_t calls, const uint8_t *lacks_call, const uint8_t *lacks_option,
                          uint32_t *made)
{
    struct generating g = {.random = seed, .lacks_call = lacks_call, .lacks_option = lacks_option};
    uint32_t records = calls < PROGRAM_CALLS_MAX / RECORDS_A_CALL ? calls * RECORDS_A_CALL : PROGRAM_CALLS_MAX;
    struct trace *trace;

    *made = 0;
    g.data = malloc(PROGRAM_HEADER_BYTES + (size_t)records * RECORD_BYTES);
    if (g.data == NULL)
        return NULL;
    random_header(&g, g.data);
    g.bytes = PROGRAM_HEADER_BYTES;
    for (uint32_t i = 0; i < records; i++)
        add_record(&g);
    trace = trace_of(&g, calls, made);
    free(g.data);
    return trace;
}
