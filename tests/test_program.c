/*
 * The fuzzers' input format: that every byte string is a program, that encoding is the inverse of decoding, that
 * mutators keep to their bounds, and that the same input does the same.
 */
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "harness/executor.h"
#include "harness/mutate.h"
#include "harness/program.h"
#include "harness/program_operands.h"
#include "harness/recorder.h"
#include "harness/runner.h"
#include "harness/trace.h"
#include "tests/trace_support.h"

#define INPUT_MAX 4096u
#define CALLS_MAX 4096u

/* ---- a world to run programs in ---- */

struct arena {
    void *block;
    void *frames;
    pgr_world *world;
    struct program program;
    struct program_buffers *buffers;
};

static void arena_open(struct arena *arena, const uint8_t *data, size_t bytes)
{
    struct program_header header;
    program_read_header(&header, data, bytes);
    uint64_t size = pgr_world_bytes(&header.config);
    arena->block = aligned_alloc(PGR_WORLD_ALIGNMENT,
                                 (size + PGR_WORLD_ALIGNMENT - 1) / PGR_WORLD_ALIGNMENT * PGR_WORLD_ALIGNMENT);
    arena->frames = malloc(pgr_frames_bytes(&header.config));
    arena->buffers = program_buffers_new();
    assert_non_null(arena->block);
    assert_non_null(arena->frames);
    assert_non_null(arena->buffers);
    assert_int_equal(pgr_init(arena->block, size, &header.config, &arena->world), ZX_OK);
    program_start(&arena->program, data, bytes, arena->buffers, arena->world);
}

static void arena_close(struct arena *arena)
{
    program_buffers_free(arena->buffers);
    free(arena->frames);
    free(arena->block);
}

static void arena_dispatch(struct arena *arena, const pgr_call *call)
{
    pgr_result result;
    pgr_dispatch(arena->world, arena->frames, call, &result);
    program_learn(&arena->program, arena->world, call, &result);
}

static void arena_resume(struct arena *arena)
{
    pgr_call call;
    while (program_next_resume(&arena->program, arena->world, &call))
        arena_dispatch(arena, &call);
}

/* ---- lists of calls ---- */

struct seen_call {
    pgr_call call;
    uint32_t buffer_hash;
};

struct seen_calls {
    uint32_t count;
    struct seen_call list[CALLS_MAX];
};

static int is_read_by_core(const pgr_call_info *row)
{
    for (uint32_t place = 0; row && place < row->arg_count; place++) {
        uint8_t kind = row->args[place].kind;
        if (kind == PGR_ARG_BYTES_IN || kind == PGR_ARG_PROPERTY_IN || kind == PGR_ARG_PACKET_IN ||
            kind == PGR_ARG_HANDLES || kind == PGR_ARG_ACCESSES)
            return 1;
    }
    return 0;
}

static uint32_t hash_of(const uint8_t *bytes, uint64_t count)
{
    uint32_t hash = 2166136261u;
    for (uint64_t i = 0; i < count; i++)
        hash = (hash ^ bytes[i]) * 16777619u;
    return hash;
}

static void see_call(struct seen_calls *seen, const pgr_call *call)
{
    assert_true(seen->count < CALLS_MAX);
    struct seen_call *next = &seen->list[seen->count++];
    next->call = *call;
    next->call.buffer = NULL;
    next->buffer_hash = is_read_by_core(pgr_call_row(call->number)) ? hash_of(call->buffer, call->buffer_bytes) : 0;
}

/* `name`: of what made them, for the message. */
static void assert_same_calls(const struct seen_calls *a, const struct seen_calls *b, const char *name)
{
    for (uint32_t i = 0; i < a->count && i < b->count; i++) {
        if (memcmp(&a->list[i], &b->list[i], sizeof a->list[i]) != 0)
            fail_msg("%s: call %u differs, %s", name, i, pgr_call_row(a->list[i].call.number)->name);
    }
    assert_int_equal(a->count, b->count);
}

/* What becomes of an encoder at the end of a run. */
struct encoded {
    struct program_encoder *encoder;
    const uint8_t *data;
    size_t bytes;
};

/* Runs a program to its end, noting its calls, and encoding them if `encoded` is there. */
static void run_and_see(const uint8_t *data, size_t bytes, struct seen_calls *seen, struct encoded *encoded)
{
    struct arena arena;
    pgr_call call;
    char why[200] = "";
    arena_open(&arena, data, bytes);
    seen->count = 0;
    while (program_next(&arena.program, arena.world, &call)) {
        if (encoded && program_encode_call(encoded->encoder, arena.world, &call, why, sizeof why))
            fail_msg("not encoded: %s", why);
        see_call(seen, &call);
        arena_dispatch(&arena, &call);
        arena_resume(&arena);
    }
    if (encoded &&
        program_encoder_finish(encoded->encoder, arena.world, &encoded->data, &encoded->bytes, why, sizeof why))
        fail_msg("not encoded: %s", why);
    arena_close(&arena);
}

/* ---- tests ---- */

static size_t generate(uint8_t data[INPUT_MAX], unsigned seed)
{
    size_t bytes = mutate_generate(data, INPUT_MAX, seed);
    assert_in_range(bytes, PROGRAM_HEADER_BYTES, INPUT_MAX);
    return bytes;
}

static void test_opcodes(void **state)
{
    (void)state;
    uint32_t known = 0;
    for (uint32_t number = 1; number < PGR_CALL_COUNT; number++) {
        const pgr_call_info *row = pgr_call_row(number);
        int opcode = program_opcode(number);
        assert_int_equal(opcode >= 0, row && number != PGR_CALL_MEM_PREPARE);
        if (opcode < 0)
            continue;
        assert_int_equal(program_opcode_call((uint8_t)opcode), number);
        known++;
    }
    assert_true(known > 30);
    assert_int_equal(program_opcode(PGR_CALL_COUNT), -1);
    for (uint32_t opcode = 0; opcode < OPCODES; opcode++) {
        uint32_t number = program_opcode_call((uint8_t)opcode);
        assert_int_equal(program_opcode(number) >= 0, opcode != OPCODE_NUMBER);
    }
}

/* Empty, cut off, and arbitrary bytes: all run to their end. */
static void test_every_byte_string_is_a_program(void **state)
{
    (void)state;
    struct execution_options options = {
        .checks = 1, .hash_every = 2, .walk_every = 16, .rerun = 1, .end = 1, .report = stderr};
    uint8_t data[512];
    uint32_t random = 1;
    for (unsigned round = 0; round < 600; round++) {
        size_t bytes = round < 100 ? round : round % sizeof data;
        for (size_t i = 0; i < bytes; i++) {
            random = random * 1664525u + 1013904223u;
            data[i] = (uint8_t)(random >> 24);
        }
        assert_int_equal(execute_program(data, bytes, &options, NULL), 0);
    }
}

/* Every header: each of its values is a world that can be made. */
static void test_headers(void **state)
{
    (void)state;
    for (uint32_t first = 0; first < 256; first++) {
        for (uint32_t second = 0; second < 256; second++) {
            uint8_t data[PROGRAM_HEADER_BYTES] = {(uint8_t)first, (uint8_t)second};
            struct program_header header;
            pgr_config largest;
            program_read_header(&header, data, sizeof data);
            program_largest_config(&largest);
            assert_true(header.world < PROGRAM_WORLDS);
            assert_true(pgr_world_bytes(&header.config) != 0);
            assert_true(pgr_world_bytes(&header.config) <= pgr_world_bytes(&largest));
            assert_true(header.config.thread_count <= PROGRAM_THREADS_MAX);
            assert_true(header.config.handle_count <= LIVE_HANDLES_MAX);
        }
    }
}

static void check_inverse(uint8_t *data, size_t bytes, struct seen_calls *first, struct seen_calls *second)
{
    char why[200];
    struct program_header header;
    program_read_header(&header, data, bytes);
    struct encoded encoded = {.encoder = program_encoder_new(&header.config, why, sizeof why)};
    assert_non_null(encoded.encoder);
    run_and_see(data, bytes, first, &encoded);
    uint8_t *copy = malloc(encoded.bytes);
    assert_non_null(copy);
    memcpy(copy, encoded.data, encoded.bytes);
    copy[0] = data[0]; /* the encoder may have found that a smaller world will do */
    run_and_see(copy, encoded.bytes, second, NULL);
    assert_same_calls(first, second, "generated");
    free(copy);
    program_encoder_free(encoded.encoder);
}

static void test_encoding_is_the_inverse(void **state)
{
    (void)state;
    static struct seen_calls first, second;
    uint64_t calls = 0;
    for (unsigned seed = 0; seed < 1500; seed++) {
        uint8_t data[INPUT_MAX];
        size_t bytes = generate(data, seed);
        data[1] &= 7u; /* threads go on in the order of release, as the encoder's do */
        check_inverse(data, bytes, &first, &second);
        calls += first.count;
    }
    assert_true(calls > 10000);
}

/* ---- the traces of the corpus ---- */

struct trace_run {
    struct program_encoder *encoder;
    struct seen_calls *seen;
    const uint8_t *data; /* the program, when it is finished */
    size_t bytes;
    int refused;
};

static uint32_t traces_encoded, traces_refused;
static FILE *nowhere; /* for what the runner says of traces that do not pass: that is for another test */

static void observe(void *context, const pgr_world *world, const void *frames, const pgr_call *call)
{
    struct trace_run *run = context;
    char why[200];
    (void)frames;
    if (run->refused)
        return;
    if (!call) {
        run->refused = program_encoder_finish(run->encoder, world, &run->data, &run->bytes, why, sizeof why) != 0;
        return;
    }
    run->refused = program_encode_call(run->encoder, world, call, why, sizeof why) != 0;
    if (!run->refused)
        see_call(run->seen, call);
}

/* Encodes what a trace does, and checks that the program makes the same calls in its own world. */
static void check_trace(struct trace *trace, const char *path)
{
    static struct seen_calls first, second;
    pgr_config config;
    char why[200] = "";
    run_config(trace, &config);
    struct trace_run run = {.encoder = program_encoder_new(&config, why, sizeof why), .seen = &first};
    struct run_options options = {.name = path, .out = nowhere, .observe = observe, .observe_context = &run};
    if (!run.encoder)
        return;
    first.count = 0;
    enum run_verdict verdict = run_trace(trace, &options);
    if (verdict == RUN_PASSED && !run.refused) {
        assert_non_null(run.data);
        run_and_see(run.data, run.bytes, &second, NULL);
        assert_same_calls(&first, &second, path);
        traces_encoded++;
    } else if (verdict == RUN_PASSED) {
        traces_refused++;
    }
    program_encoder_free(run.encoder);
}

static int visit(const char *path, const struct stat *status, int type)
{
    size_t length = strlen(path), bytes;
    struct trace_error error;
    (void)status;
    if (type != FTW_F || length < 6 || strcmp(path + length - 6, ".trace") != 0)
        return 0;
    char *text = read_file(path, &bytes);
    struct trace *trace = trace_read(text, bytes, &error);
    assert_non_null(trace);
    check_trace(trace, path);
    trace_free(trace);
    free(text);
    return 0;
}

/* Runs in the root of the tree. Most traces of what is implemented must fit: they seed the corpus. */
static void test_traces_encode(void **state)
{
    (void)state;
    nowhere = fopen("/dev/null", "w");
    assert_non_null(nowhere);
    assert_int_equal(ftw("corpus", visit, 16), 0);
    fclose(nowhere);
    print_message("%u traces are programs, %u are too large\n", traces_encoded, traces_refused);
    assert_true(traces_encoded > 8 * traces_refused);
}

/* ---- single operands ---- */

/* Values that the compact forms are for, and some that they are not. */
static void test_scalars(void **state)
{
    (void)state;
    static const uint64_t values[] = {0,
                                      1,
                                      15,
                                      16,
                                      17,
                                      31,
                                      32,
                                      33,
                                      63,
                                      64,
                                      240,
                                      256,
                                      496,
                                      512,
                                      4095,
                                      4096,
                                      65535,
                                      65536,
                                      65537,
                                      1u << 20,
                                      (1u << 20) - 1,
                                      (1u << 20) + 127,
                                      (1u << 20) + 128,
                                      UINT32_MAX,
                                      1ull << 32,
                                      1ull << 36,
                                      (1ull << 36) + 1,
                                      1ull << 44,
                                      1ull << 63,
                                      (1ull << 63) - 1,
                                      UINT64_MAX,
                                      UINT64_MAX - 15,
                                      UINT64_MAX - 127,
                                      UINT64_MAX - 128,
                                      UINT64_MAX - 254,
                                      UINT64_MAX - 255,
                                      UINT64_MAX - 4095,
                                      0x123456789abcdefull,
                                      (uint64_t)(int64_t)ZX_ERR_IO};
    static struct seen_calls first, second;
    uint8_t header[PROGRAM_HEADER_BYTES] = {0};
    const uint8_t *encoded;
    size_t bytes;
    char why[200];
    struct arena arena;
    arena_open(&arena, header, sizeof header);
    struct program_encoder *encoder = program_encoder_new(&arena.program.header.config, why, sizeof why);
    assert_non_null(encoder);
    first.count = 0;
    for (uint32_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        pgr_call create = {.number = PGR_CALL_VMO_CREATE,
                           .arg = {values[i], values[sizeof values / sizeof values[0] - 1 - i]}};
        pgr_call fail = {.number = PGR_CALL_PAGER_OP_RANGE, .arg = {0, values[i], 7, values[i], values[i], values[i]}};
        assert_int_equal(program_encode_call(encoder, arena.world, &create, why, sizeof why), 0);
        assert_int_equal(program_encode_call(encoder, arena.world, &fail, why, sizeof why), 0);
        see_call(&first, &create);
        see_call(&first, &fail);
    }
    assert_int_equal(program_encoder_finish(encoder, arena.world, &encoded, &bytes, why, sizeof why), 0);
    arena_close(&arena);

    /* The calls are decoded without being made, in the world in which they were encoded. */
    pgr_call call;
    arena_open(&arena, encoded, bytes);
    second.count = 0;
    while (program_next(&arena.program, arena.world, &call))
        see_call(&second, &call);
    assert_same_calls(&first, &second, "generated");
    arena_close(&arena);
    program_encoder_free(encoder);
}

/* Encodes these calls in a fresh world, and checks that the program is of the same calls; they are not made. */
static void assert_encodable(const pgr_call *calls, uint32_t count)
{
    static struct seen_calls first, second;
    uint8_t header[PROGRAM_HEADER_BYTES] = {0};
    const uint8_t *encoded;
    size_t bytes;
    char why[200];
    struct arena arena;
    arena_open(&arena, header, sizeof header);
    struct program_encoder *encoder = program_encoder_new(&arena.program.header.config, why, sizeof why);
    assert_non_null(encoder);
    first.count = second.count = 0;
    for (uint32_t i = 0; i < count; i++) {
        assert_int_equal(program_encode_call(encoder, arena.world, &calls[i], why, sizeof why), 0);
        see_call(&first, &calls[i]);
    }
    assert_int_equal(program_encoder_finish(encoder, arena.world, &encoded, &bytes, why, sizeof why), 0);
    arena_close(&arena);

    pgr_call call;
    arena_open(&arena, encoded, bytes);
    while (program_next(&arena.program, arena.world, &call))
        see_call(&second, &call);
    assert_same_calls(&first, &second, "encoded");
    arena_close(&arena);
    program_encoder_free(encoder);
}

/* Buffers that are the caller's own mapped memory. */
static void test_buffers_in_mapped_memory(void **state)
{
    (void)state;
    static const uint64_t addresses[] = {1, 0x10, 0x1000000, 0x1000011, 1ull << 40, UINT64_MAX, UINT64_MAX - 15};
    pgr_call calls[2 * sizeof addresses / sizeof addresses[0]] = {0};
    uint32_t count = 0;
    for (uint32_t i = 0; i < sizeof addresses / sizeof addresses[0]; i++) {
        calls[count++] = (pgr_call){.number = PGR_CALL_VMO_READ, .arg = {0, 0, 32, 16 * i}, .at = addresses[i]};
        calls[count++] = (pgr_call){.number = PGR_CALL_VMO_WRITE, .arg = {0, 0, 16 * i, 32}, .at = addresses[i]};
    }
    assert_encodable(calls, count);
}

static void test_prepared_accesses(void **state)
{
    (void)state;
    pgr_access accesses[16] = {{0x1000000, 8, 0}, {0x100000f, 2, 1}, {UINT64_MAX, 64, 1}, {3, UINT16_MAX, 0}};
    pgr_call calls[] = {
        {.number = PGR_CALL_MEM_PREPARE, .buffer = accesses, .buffer_bytes = 4 * sizeof accesses[0]},
        {.number = PGR_CALL_MEM_PREPARE, .buffer = accesses, .buffer_bytes = 0},
        {.number = PGR_CALL_MEM_PREPARE, .buffer = accesses, .buffer_bytes = 15 * sizeof accesses[0]},
    };
    assert_encodable(calls, sizeof calls / sizeof calls[0]);
}

static void assert_refused(const pgr_config *config, const pgr_call *call, const char *reason)
{
    char why[200] = "";
    uint8_t header[PROGRAM_HEADER_BYTES] = {0};
    struct arena arena;
    arena_open(&arena, header, sizeof header);
    struct program_encoder *encoder = program_encoder_new(config, why, sizeof why);
    if (encoder)
        assert_int_equal(program_encode_call(encoder, arena.world, call, why, sizeof why), -1);
    assert_non_null(strstr(why, reason));
    program_encoder_free(encoder);
    arena_close(&arena);
}

static void test_what_cannot_be_encoded(void **state)
{
    (void)state;
    static uint8_t noise[PROGRAM_BUFFER_MAX + 1];
    pgr_config config, odd_pages, odd_batch;
    program_largest_config(&config);
    odd_pages = odd_batch = config;
    odd_pages.page_shift = 20;
    odd_batch.read_batch = 1000;
    for (size_t i = 0; i < sizeof noise; i++)
        noise[i] = (uint8_t)(i * i >> 3);
    pgr_call close = {.number = PGR_CALL_HANDLE_CLOSE};
    pgr_call far_thread = {.number = PGR_CALL_HANDLE_CLOSE, .thread = PROGRAM_THREADS_MAX};
    pgr_call write = {.number = PGR_CALL_VMO_WRITE, .arg = {0, 0, 0, 100000}, .buffer = noise, .buffer_bytes = 100000};
    pgr_call many_accesses = {.number = PGR_CALL_MEM_PREPARE, .buffer = noise, .buffer_bytes = 16 * sizeof(pgr_access)};
    pgr_call long_read = {
        .number = PGR_CALL_VMO_READ, .arg = {0, 0, 0, sizeof noise}, .buffer = noise, .buffer_bytes = sizeof noise};
    assert_refused(&odd_pages, &close, "2^20");
    assert_refused(&odd_batch, &close, "read_batch 1000");
    assert_refused(&config, &far_thread, "thread");
    assert_refused(&config, &write, "without a pattern");
    assert_refused(&config, &long_read, "at once");
    assert_refused(&config, &many_accesses, "16 accesses at once");
}

/* A world that uses more than the largest fuzz world has. */
static void test_too_large_a_world(void **state)
{
    (void)state;
    pgr_inspect_counts most = {.config = {.frame_count = 100000}};
    uint8_t header[PROGRAM_HEADER_BYTES] = {0};
    char why[200] = "";
    assert_int_equal(header_for_counts(&most, header, why, sizeof why), -1);
    assert_non_null(strstr(why, "frames"));
    most.config.frame_count = 100;
    assert_int_equal(header_for_counts(&most, header, why, sizeof why), 0);
    struct program_header read;
    program_read_header(&read, header, sizeof header);
    assert_true(read.config.frame_count > 100);
}

/* Cuts an input into records without running it, and checks that running it cuts the same way. */
static void assert_records_agree(const uint8_t *data, size_t bytes)
{
    struct arena arena;
    pgr_call call;
    arena_open(&arena, data, bytes);
    size_t at = PROGRAM_HEADER_BYTES;
    while (program_next(&arena.program, arena.world, &call)) {
        if (arena.program.calls > 0 && arena.program.epilogue_at == 0 && arena.program.packets_read == 0) {
            at += program_record_bytes(data, bytes, at);
            assert_int_equal(arena.program.reader.at, at);
        }
        arena_dispatch(&arena, &call);
        arena_resume(&arena);
    }
    arena_close(&arena);
}

static void test_records(void **state)
{
    (void)state;
    uint8_t data[INPUT_MAX];
    for (unsigned seed = 0; seed < 300; seed++) {
        size_t bytes = generate(data, seed + 5000);
        assert_records_agree(data, bytes);
        for (size_t i = PROGRAM_HEADER_BYTES; i < bytes; i += 3)
            data[i] = (uint8_t)(data[i] * 167u + seed);
        assert_records_agree(data, bytes);
    }
}

/* Stands for the engine's own mutation. */
static size_t flip_some(uint8_t *data, size_t size, size_t most)
{
    if (size < most)
        data[size++] = 0x55;
    for (size_t i = 0; i < size; i += 2)
        data[i] = (uint8_t)(data[i] ^ 0x81u);
    return size;
}

static void test_mutations(void **state)
{
    (void)state;
    uint8_t data[INPUT_MAX], copy[INPUT_MAX], crossed[INPUT_MAX];
    size_t size = 0;
    unsigned changed = 0;
    for (unsigned seed = 0; seed < 20000; seed++) {
        size_t most = seed % 7 ? 2000 : size > 40 ? size : 40;
        memcpy(copy, data, size);
        size_t copied = mutate_program(copy, size, most, seed, seed % 2 ? flip_some : NULL);
        size_t before = size;
        size_t crossed_size = mutate_cross(data, size, copy, copied, crossed, most, seed);
        size = mutate_program(data, size, most, seed, seed % 2 ? flip_some : NULL);
        assert_in_range(size, PROGRAM_HEADER_BYTES, most);
        assert_in_range(crossed_size, PROGRAM_HEADER_BYTES, most);
        assert_int_equal(size, copied);
        assert_memory_equal(data, copy, size);
        changed += size != before;
        if (seed % 64 == 0)
            assert_records_agree(crossed, crossed_size);
        if (seed % 64 == 1)
            assert_records_agree(data, size);
        if (seed % 500 == 0)
            size = generate(data, seed) % 300;
    }
    assert_true(changed > 5000);
}

/* No room at all is no reason to fall over. */
static void test_mutations_without_room(void **state)
{
    (void)state;
    uint8_t data[16] = {0}, out[16];
    for (size_t most = 0; most <= sizeof data; most++) {
        for (unsigned seed = 0; seed < 200; seed++) {
            size_t size = seed % (most + 1);
            assert_in_range(mutate_program(data, size, most, seed, NULL), 0, most);
            assert_in_range(mutate_cross(data, size, data, size, out, most, seed), 0, most);
            assert_in_range(mutate_generate(out, most, seed), 0, most);
        }
    }
}

/* The invariants hold, and each input does the same twice, whatever ran in between. */
static void test_generated_programs_run(void **state)
{
    (void)state;
    static struct execution_stats stats;
    struct execution_options options = {
        .checks = 1, .hash_every = 2, .walk_every = 8, .rerun = 1, .end = 1, .report = stderr};
    for (unsigned seed = 0; seed < 1500; seed++) {
        uint8_t data[INPUT_MAX];
        size_t bytes = generate(data, seed + 100000);
        assert_int_equal(execute_program(data, bytes, &options, &stats), 0);
    }
    assert_int_equal(stats.executions, 1500);
    assert_int_equal(stats.reruns, 1500);
    assert_true(stats.blocked > 0 && stats.released > 0 && stats.supplies > 0 && stats.walks > 0);
    assert_true(stats.complete * 5 >= stats.executions);
    for (uint32_t number = 1; number < PGR_CALL_COUNT; number++) {
        if (program_opcode(number) >= 0 && stats.row_ok[number] * 20 < stats.row_calls[number])
            fail_msg("%s hardly ever succeeds", pgr_call_row(number)->name);
    }
}

/* What a call prepares is no line of a trace: it is told in comments, and so is how it ends. */
static void test_prepare_is_a_comment(void **state)
{
    (void)state;
    uint8_t header[PROGRAM_HEADER_BYTES] = {0};
    pgr_access access = {0x10, 1, 0};
    pgr_call call = {.number = PGR_CALL_MEM_PREPARE, .buffer = &access, .buffer_bytes = sizeof access};
    pgr_result result;
    pgr_start start;
    struct arena arena;
    char *text;
    size_t length;
    FILE *out = open_memstream(&text, &length);
    assert_non_null(out);
    arena_open(&arena, header, sizeof header);
    pgr_start_handles(arena.world, &start);
    struct recorder *recorder = recorder_new(&arena.program.header.config, &start, out);
    assert_non_null(recorder);
    pgr_dispatch(arena.world, arena.frames, &call, &result);
    assert_int_equal(result.outcome, PGR_FAULT);
    recorder_call(recorder, &call, &result);
    recorder_free(recorder);
    arena_close(&arena);
    fclose(out);
    assert_non_null(strstr(text, "\n# main: mem_prepare of 1 accesses\n# --- ZX_EXCP_FATAL_PAGE_FAULT {addr=0x10,"));
    free(text);
}

/* A recording is text that begins with the calls of the program; two recordings of one input are the same. */
static void test_recording(void **state)
{
    (void)state;
    uint8_t data[INPUT_MAX];
    size_t bytes = generate(data, 77);
    char *text[2];
    size_t length[2];
    for (int i = 0; i < 2; i++) {
        FILE *out = open_memstream(&text[i], &length[i]);
        struct execution_options options = {.record = out};
        assert_non_null(out);
        assert_int_equal(execute_program(data, bytes, &options, NULL), 0);
        fclose(out);
    }
    assert_true(length[0] > 0);
    assert_string_equal(text[0], text[1]);
    assert_non_null(strstr(text[0], "zx_"));
    free(text[0]);
    free(text[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_opcodes),
        cmocka_unit_test(test_every_byte_string_is_a_program),
        cmocka_unit_test(test_headers),
        cmocka_unit_test(test_encoding_is_the_inverse),
        cmocka_unit_test(test_traces_encode),
        cmocka_unit_test(test_scalars),
        cmocka_unit_test(test_buffers_in_mapped_memory),
        cmocka_unit_test(test_prepared_accesses),
        cmocka_unit_test(test_what_cannot_be_encoded),
        cmocka_unit_test(test_too_large_a_world),
        cmocka_unit_test(test_records),
        cmocka_unit_test(test_mutations),
        cmocka_unit_test(test_mutations_without_room),
        cmocka_unit_test(test_generated_programs_run),
        cmocka_unit_test(test_recording),
        cmocka_unit_test(test_prepare_is_a_comment),
    };
    return cmocka_run_group_tests_name("program", tests, NULL, NULL);
}
