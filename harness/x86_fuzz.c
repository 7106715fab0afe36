/*
 * Fuzzing instructions: what bytes mean, the pager's answers, and the judgement.
 *
 * An input is a sequence of records. A record begins with a byte that says what it is: an instruction (its bytes and
 * its registers follow), an answer of the pager, or something that interferes. When the input has ended the pager
 * answers everything, and every instruction must end.
 */
#include "harness/x86_fuzz.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "harness/check.h"
#include "harness/implementation_core.h"
#include "harness/recorder.h"
#include "harness/world_memory.h"
#include "harness/x86_run.h"

#define VMO_PAGES 8u  /* of the pager's VMO, and of the aux VMO */
#define OWN_PAGES 4u  /* of the anonymous VMO */
#define MAP_PAGES 16u /* mapped: the pager's, the anonymous one, the pager's again; then nothing */
#define THREADS 64u   /* each instruction has its own, the first one is the pager's */
#define ROUNDS_MAX 64u

/* An instruction under way. */
struct job {
    struct x86_run run;
    struct x86_registers before; /* of the iteration, and what memory held then */
    uint64_t before_memory;
    uint64_t before_interference;
    uint64_t iteration; /* that the counts below are of */
    uint32_t waits;
    int is_running;
};

struct fuzz {
    const uint8_t *data;
    size_t bytes, at;
    uint32_t page_shift;
    pgr_config config;
    pgr_world *world;
    void *frames;
    struct implementation *implementation;
    struct check_context *check;
    zx_handle_t vmar, port, pager, vmo, own, aux;
    uint64_t base; /* of what is mapped */
    uint64_t interference;
    struct job *jobs;
    uint32_t job_count;
    struct job *current;
    struct recorder *recorder;
    FILE *trace;
    struct x86_fuzz_stats *stats;
    int failed;
};

static char message[300];

const char *x86_fuzz_message(void)
{
    return message;
}

__attribute__((format(printf, 2, 3))) static void fail(struct fuzz *f, const char *format, ...)
{
    va_list arguments;

    if (f->failed)
        return;
    f->failed = 1;
    va_start(arguments, format);
    vsnprintf(message, sizeof(message), format, arguments);
    va_end(arguments);
}

static uint64_t take(struct fuzz *f, unsigned bytes)
{
    uint64_t value = 0;

    for (unsigned i = 0; i < bytes && f->at < f->bytes; i++)
        value |= (uint64_t)f->data[f->at++] << (8 * i);
    return value;
}

static uint64_t page_bytes(const struct fuzz *f)
{
    return UINT64_C(1) << f->page_shift;
}

/* ---- calls ---- */

static void record(struct fuzz *f, const pgr_call *call, const pgr_result *result)
{
    if (f->recorder != NULL)
        recorder_call(f->recorder, call, result);
}

static pgr_result make_call(struct fuzz *f, pgr_call call)
{
    pgr_result result;

    pgr_dispatch(f->world, f->frames, &call, &result);
    record(f, &call, &result);
    return result;
}

#define CALL(f, name, ...) make_call(f, (pgr_call){.number = PGR_CALL_##name, .arg = {__VA_ARGS__}})

/* ---- the memory that instructions can reach ---- */

static uint64_t hash_bytes(uint64_t hash, const uint8_t *bytes, uint64_t count)
{
    for (uint64_t i = 0; i < count; i += 8) {
        uint64_t word;
        memcpy(&word, bytes + i, 8);
        hash = (hash ^ word) * UINT64_C(0x9e3779b97f4a7c15);
        hash ^= hash >> 29;
    }
    return hash;
}

/* Pages without a frame count as zeros. */
static uint64_t hash_vmo(const struct fuzz *f, uint64_t hash, zx_handle_t vmo, uint64_t pages)
{
    static const uint8_t zeros[4096];
    uint32_t vmo_row, pages_row;
    pgr_run_view run;

    if (!pgr_inspect_vmo(f->world, vmo, &vmo_row, &pages_row))
        return hash;
    for (uint64_t page = 0; page < pages; page++) {
        const uint8_t *bytes = zeros;
        if (pgr_inspect_run(f->world, pages_row, page, &run) && run.page <= page && run.frame != 0)
            bytes = (const uint8_t *)f->frames + ((run.frame + (page - run.page)) << f->page_shift);
        hash = hash_bytes(hash, bytes, page_bytes(f));
    }
    return hash;
}

static uint64_t hash_memory(const struct fuzz *f)
{
    return hash_vmo(f, hash_vmo(f, 1, f->vmo, VMO_PAGES), f->own, OWN_PAGES);
}

/* ---- instructions, watched ---- */

static int was_prepared(const struct x86_run *run, const pgr_call *call)
{
    uint32_t write = call->number == PGR_CALL_MEM_WRITE;

    for (uint32_t i = 0; i < run->access_count; i++)
        if (run->accesses[i].address == call->arg[0] && run->accesses[i].bytes == call->arg[2] &&
            run->accesses[i].write == write)
            return 1;
    return 0;
}

/* Each iteration begins with a prepare: what is true then must still be true if it cannot go on. */
static void watch(void *context, const pgr_call *call)
{
    struct fuzz *f = context;
    struct job *job = f->current;

    if (call->number != PGR_CALL_MEM_PREPARE) {
        if (!was_prepared(&job->run, call))
            fail(f, "an access at 0x%" PRIx64 " that was not prepared", call->arg[0]);
        return;
    }
    if (job->waits == 0 || job->iteration != job->run.iterations) {
        job->waits = 0;
        job->before_interference = f->interference;
    }
    job->iteration = job->run.iterations;
    job->before = job->run.registers;
    job->before_memory = hash_memory(f);
}

static uint64_t first_page(const struct fuzz *f, const pgr_access *access)
{
    return access->address >> f->page_shift;
}

static uint64_t last_page(const struct fuzz *f, const pgr_access *access)
{
    return (access->address + access->bytes - 1) >> f->page_shift;
}

static int touches(const struct fuzz *f, const pgr_access *access, uint64_t page)
{
    return first_page(f, access) <= page && page <= last_page(f, access);
}

/* Pages of the iteration, each counted once. */
static uint32_t count_pages(const struct fuzz *f, const struct x86_run *run)
{
    uint32_t pages = 0;

    for (uint32_t i = 0; i < run->access_count; i++)
        for (uint64_t page = first_page(f, &run->accesses[i]); page <= last_page(f, &run->accesses[i]); page++) {
            uint32_t earlier = 0;
            while (earlier < i && !touches(f, &run->accesses[earlier], page))
                earlier++;
            pages += earlier == i;
        }
    return pages;
}

static void check_untouched(struct fuzz *f, struct job *job, uint64_t memory)
{
    if (memcmp(&job->before, &job->run.registers, sizeof(job->before)) != 0)
        fail(f, "thread %u: a fault has changed the registers", job->run.thread);
    if (memory != hash_memory(f))
        fail(f, "thread %u: a fault has changed memory", job->run.thread);
}

static void check_bound(struct fuzz *f, const struct job *job)
{
    uint32_t pages = count_pages(f, &job->run);
    uint64_t interference = f->interference - job->before_interference;

    if (job->waits > 2 * pages + interference)
        fail(f, "thread %u: %u faults in one iteration that touches %u pages, with %" PRIu64 " calls in between",
             job->run.thread, job->waits, pages, interference);
}

static void print_result(struct fuzz *f, const struct job *job, int is_first, const pgr_result *result)
{
    uint32_t thread = job->run.thread;

    if (f->trace == NULL)
        return;
    if (is_first)
        fputs(result->outcome == PGR_DONE      ? " = ZX_OK\n"
              : result->outcome == PGR_BLOCKED ? " <unfinished ...>\n"
                                               : "\n",
              f->trace);
    else if (result->outcome == PGR_DONE)
        fprintf(f->trace, "[t%u] <... x86_exec resumed> = ZX_OK\n", thread);
    if (result->outcome == PGR_FAULT)
        fprintf(f->trace, "[t%u] --- ZX_EXCP_FATAL_PAGE_FAULT {addr=0x%" PRIx64 "} ---\n", thread,
                result->fault.address);
}

static void judge(struct fuzz *f, struct job *job, int is_first, uint64_t memory, const pgr_result *result)
{
    print_result(f, job, is_first, result);
    if (result->outcome == PGR_BLOCKED) {
        job->waits++;
        f->stats->waits++;
        check_untouched(f, job, memory);
        check_bound(f, job);
        return;
    }
    job->is_running = 0;
    f->stats->exceptions += result->outcome == PGR_FAULT;
    f->stats->refused += result->outcome == PGR_REFUSED;
    if (job->run.is_broken)
        fail(f, "an access fails that was prepared");
    f->stats->ended += result->outcome == PGR_DONE;
    if (result->outcome == PGR_FAULT)
        check_untouched(f, job, memory);
}

static struct x86_world world_of(struct fuzz *f)
{
    return (struct x86_world){.implementation = f->implementation, .observe = watch, .observe_context = f};
}

static void resume_released(struct fuzz *f)
{
    struct x86_world world = world_of(f);
    uint32_t number;
    pgr_result result;

    while (!f->failed && (number = pgr_first_released(f->world)) != PGR_NO_THREAD) {
        struct job *job = &f->jobs[number];
        if (!job->is_running) {
            fail(f, "thread %u is released and runs nothing", number);
            return;
        }
        f->current = job;
        job->before_memory = hash_memory(f);
        x86_run_resume(&job->run, &world, &result);
        judge(f, job, 0, job->before_memory, &result);
    }
}

/* ---- instructions from bytes ---- */

/* Beginnings that decode: what follows, displacements and immediates, comes from the input. */
static const char *const templates[] = {
    "\x48\x89\x03",
    "\x48\x8b\x03",
    "\x66\x89\x43\x01",
    "\x88\x03",
    "\x01\x03",
    "\x48\x87\x03",
    "\xf0\x48\x0f\xb1\x0b",
    "\xf0\x0f\xc1\x0b",
    "\x48\xff\x03",
    "\xf7\x1b",
    "\xf6\x13",
    "\x0f\xb6\x03",
    "\x48\x0f\xbf\x03",
    "\x48\x63\x03",
    "\x50",
    "\x58",
    "\xff\x33",
    "\x8f\x03",
    "\x8f\x44\x24\x08",
    "\xff\x13",
    "\xc3",
    "\xc9",
    "\xa4",
    "\x48\xa5",
    "\xf3\xa4",
    "\xf3\x48\xa5",
    "\xf3\xab",
    "\xf3\x48\xab",
    "\xaa",
    "\xac",
    "\xf3\x48\xad",
    "\xa6",
    "\xf3\xa6",
    "\xf2\x48\xa7",
    "\xf2\xae",
    "\xf3\x48\xaf",
    "\x67\xf3\xa4",
    "\xf3\x0f\x6f\x03",
    "\xf3\x0f\x7f\x03",
    "\x0f\x10\x06",
    "\x0f\x11\x07",
    "\x0f\x29\x07",
    "\xc5\xfe\x6f\x03",
    "\xc5\xfe\x7f\x03",
    "\xc5\xfc\x11\x07",
    "\x64\x48\x89\x04\x19",
    "\x65\x8b\x04\x19",
    "\x48\xd1\x23",
    "\x0f\x94\x03",
    "\xf0\x48\x0f\xc7\x0b",
    "\x0f\x58\x03",
    "\xdd\x1b",
    "\xdf\x2b",
    "\xc5\xfc\x58\x03",
};

#define TEMPLATES (sizeof(templates) / sizeof(templates[0]))

/* The shortest instruction that these bytes begin with. */
static int decode(struct job *job, const uint8_t *code, const struct x86_registers *registers, uint32_t thread)
{
    for (size_t length = 1; length <= X86_CODE_MAX; length++)
        if (x86_run_begin(&job->run, code, length, registers, thread) == 0)
            return 0;
    return -1;
}

static void take_code(struct fuzz *f, uint8_t *code)
{
    unsigned choice = (unsigned)take(f, 1), fixed = 0;

    if (choice < 2 * TEMPLATES)
        fixed = (unsigned)strlen(templates[choice % TEMPLATES]);
    memset(code, 0, X86_CODE_MAX);
    memcpy(code, templates[choice % TEMPLATES], fixed);
    for (unsigned i = fixed; i < X86_CODE_MAX && choice >= TEMPLATES; i++)
        code[i] = (uint8_t)take(f, 1);
}

/* Mostly addresses at the borders of pages; else addresses anywhere, small numbers, anything. */
static uint64_t take_register(struct fuzz *f)
{
    unsigned choice = (unsigned)take(f, 1);

    if (choice < 0x80)
        return f->base + ((uint64_t)(choice & 15) << f->page_shift) - take(f, 1) % 34;
    if (choice < 0xc0)
        return f->base + ((uint64_t)(choice & 15) << f->page_shift) + take(f, 2) % page_bytes(f);
    return choice < 0xf8 ? choice & 31 : take(f, 8);
}

static void take_registers(struct fuzz *f, struct x86_registers *registers)
{
    memset(registers, 0, sizeof(*registers));
    for (unsigned i = 0; i < X86_GENERAL_COUNT; i++)
        registers->general[i] = i > X86_RDI ? i : i == X86_RCX ? take(f, 1) : take_register(f);
    registers->rip = take(f, 1) & 1 ? f->base : X86_RIP_DEFAULT;
    registers->rflags = take(f, 2) & 0xcd5;
    registers->fs_base = f->base;
    registers->gs_base = f->base + page_bytes(f);
    memset(registers->vector, 0x3c, 2 * sizeof(registers->vector[0]));
}

static void print_job(struct fuzz *f, const struct job *job)
{
    static const char *const names[X86_GENERAL_COUNT] = {"rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi",
                                                         "r8",  "r9",  "r10", "r11", "r12", "r13", "r14", "r15"};
    const struct x86_registers *registers = &job->run.registers;

    if (f->trace == NULL)
        return;
    fprintf(f->trace, "[t%u] x86_exec(\"", job->run.thread);
    for (unsigned i = 0; i < job->run.instruction.length; i++)
        fprintf(f->trace, "%s%02x", i > 0 ? " " : "", job->run.instruction.code[i]);
    fprintf(f->trace, "\", {rip=0x%" PRIx64 ", rflags=0x%" PRIx64 ", fs_base=0x%" PRIx64 ", gs_base=0x%" PRIx64,
            registers->rip, registers->rflags, registers->fs_base, registers->gs_base);
    for (unsigned i = 0; i < X86_GENERAL_COUNT; i++)
        fprintf(f->trace, ", %s=0x%" PRIx64, names[i], registers->general[i]);
    for (unsigned i = 0; i < 2; i++) {
        fprintf(f->trace, ", ymm%u=0x", i);
        for (unsigned b = 32; b-- > 0;)
            fprintf(f->trace, "%02x", registers->vector[i][b]);
    }
    fputs("})", f->trace);
}

static void run_instruction(struct fuzz *f)
{
    struct job *job = &f->jobs[f->job_count];
    struct x86_world world = world_of(f);
    struct x86_registers registers;
    uint8_t code[X86_CODE_MAX];
    pgr_result result;

    take_code(f, code);
    take_registers(f, &registers);
    memset(job, 0, sizeof(*job));
    if (f->job_count == THREADS || decode(job, code, &registers, f->job_count) != 0)
        return;
    f->job_count++;
    f->stats->instructions++;
    job->is_running = 1;
    job->before = registers;
    job->before_memory = hash_memory(f);
    f->current = job;
    print_job(f, job);
    x86_run_go(&job->run, &world, &result);
    if (result.outcome == PGR_REFUSED && f->trace != NULL)
        fprintf(f->trace, " # %s", job->run.why);
    judge(f, job, 1, job->before_memory, &result);
}

/* ---- the pager, and those who interfere ---- */

struct range {
    uint64_t offset, length; /* bytes */
};

static struct range take_range(struct fuzz *f, uint64_t pages)
{
    uint64_t choice = take(f, 1), begin = (choice & 15) % pages;
    uint64_t count = 1 + (choice >> 4) % (pages - begin);

    return (struct range){begin << f->page_shift, count << f->page_shift};
}

/* An answer that fails (an armed failure of allocation) may wake a thread all the same: it interferes. */
static void count_failure(struct fuzz *f, pgr_result result)
{
    f->interference += result.status != ZX_OK;
}

static void supply(struct fuzz *f, struct range range)
{
    count_failure(f, CALL(f, PAGER_SUPPLY_PAGES, f->pager, f->vmo, range.offset, range.length, f->aux, 0));
}

static void pager_op(struct fuzz *f, uint64_t op, struct range range, uint64_t data)
{
    count_failure(f, CALL(f, PAGER_OP_RANGE, f->pager, op, f->vmo, range.offset, range.length, data));
}

static void write_back(struct fuzz *f, struct range range)
{
    pager_op(f, ZX_PAGER_OP_WRITEBACK_BEGIN, range, 0);
    pager_op(f, ZX_PAGER_OP_WRITEBACK_END, range, 0);
}

static void interfere(struct fuzz *f, unsigned choice)
{
    struct range mapped = take_range(f, MAP_PAGES), range = take_range(f, VMO_PAGES);

    f->interference++;
    switch (choice) {
    case 0:
        pager_op(f, ZX_PAGER_OP_FAIL, range, (uint64_t)(int64_t)ZX_ERR_IO);
        break;
    case 1:
        CALL(f, RECLAIM, 1 + (range.offset >> f->page_shift));
        break;
    case 2:
        write_back(f, range);
        break;
    case 3:
        CALL(f, VMAR_PROTECT, f->vmar, ZX_VM_PERM_READ, f->base + mapped.offset, mapped.length);
        break;
    case 4:
        CALL(f, VMAR_UNMAP, f->vmar, f->base + mapped.offset, mapped.length);
        break;
    case 5:
        CALL(f, FAIL_ALLOC, 1 + take(f, 1) % 4);
        break;
    case 6:
        CALL(f, VMAR_PROTECT, f->vmar, ZX_VM_PERM_READ | ZX_VM_PERM_WRITE, f->base + mapped.offset, mapped.length);
        break;
    default:
        CALL(f, PAGER_DETACH_VMO, f->pager, f->vmo);
    }
}

static void run_record(struct fuzz *f)
{
    unsigned choice = (unsigned)take(f, 1);

    if (choice < 0x60)
        run_instruction(f);
    else if (choice < 0xa0)
        supply(f, take_range(f, VMO_PAGES));
    else if (choice < 0xc0)
        pager_op(f, ZX_PAGER_OP_DIRTY, take_range(f, VMO_PAGES), 0);
    else if (choice < 0xff)
        interfere(f, choice % 7);
    else
        interfere(f, 7);
    resume_released(f);
}

static int any_running(const struct fuzz *f)
{
    for (uint32_t i = 0; i < f->job_count; i++)
        if (f->jobs[i].is_running)
            return 1;
    return 0;
}

/* The pager answers all there can be, until nobody waits. */
static void answer_everything(struct fuzz *f)
{
    struct range all = {0, (uint64_t)VMO_PAGES << f->page_shift};

    for (uint32_t round = 0; round < ROUNDS_MAX * THREADS && !f->failed && any_running(f); round++) {
        supply(f, all);
        resume_released(f);
        pager_op(f, ZX_PAGER_OP_DIRTY, all, 0);
        resume_released(f);
    }
    if (any_running(f))
        fail(f, "an instruction waits though the pager has answered everything");
}

/* ---- worlds ---- */

static void map_pages(struct fuzz *f, zx_handle_t vmo, uint64_t vmo_page, uint64_t pages, uint64_t at_page)
{
    CALL(f, VMAR_MAP, f->vmar, ZX_VM_PERM_READ | ZX_VM_PERM_WRITE | ZX_VM_SPECIFIC, at_page << f->page_shift, vmo,
         vmo_page << f->page_shift, pages << f->page_shift);
}

/* Something of the aux VMO's own, so that what is supplied is not all zeros. */
static void fill_aux(struct fuzz *f)
{
    uint8_t bytes[128];

    for (unsigned i = 0; i < sizeof(bytes); i++)
        bytes[i] = (uint8_t)(0x5a + i);
    for (uint64_t page = 0; page < VMO_PAGES; page += 2)
        make_call(f, (pgr_call){.number = PGR_CALL_VMO_WRITE,
                                .arg = {f->aux, 0, page << f->page_shift, 64},
                                .buffer = bytes + page,
                                .buffer_bytes = 64});
}

static int populate(struct fuzz *f)
{
    uint64_t traps = take(f, 1) & 1 ? ZX_VMO_TRAP_DIRTY : 0;
    pgr_result info;
    pgr_start start;

    pgr_start_handles(f->world, &start);
    f->vmar = start.vmar;
    f->port = (zx_handle_t)CALL(f, PORT_CREATE, 0).out[1];
    f->pager = (zx_handle_t)CALL(f, PAGER_CREATE, 0).out[1];
    f->vmo = (zx_handle_t)CALL(f, PAGER_CREATE_VMO, f->pager, traps, f->port, 7, (uint64_t)VMO_PAGES << f->page_shift)
                 .out[5];
    f->own = (zx_handle_t)CALL(f, VMO_CREATE, (uint64_t)OWN_PAGES << f->page_shift, 0).out[2];
    f->aux = (zx_handle_t)CALL(f, VMO_CREATE, (uint64_t)VMO_PAGES << f->page_shift, 0).out[2];
    info = CALL(f, OBJECT_GET_INFO, f->vmar, ZX_INFO_VMAR);
    if (info.status != ZX_OK || f->vmo == 0 || f->own == 0 || f->aux == 0)
        return -1;
    f->base = info.vmar.base + (UINT64_C(16) << f->page_shift);
    fill_aux(f);
    map_pages(f, f->vmo, 0, 4, 16);
    map_pages(f, f->own, 0, 4, 20);
    map_pages(f, f->vmo, 2, 6, 24);
    return 0;
}

static pgr_config config_of(uint32_t page_shift)
{
    return (pgr_config){.page_shift = page_shift,
                        .read_batch = 16,
                        .frame_count = 64,
                        .object_count = 64,
                        .handle_count = 64,
                        .thread_count = THREADS,
                        .packet_count = 32,
                        .run_count = 256};
}

/* What is made once for each size of pages, and used by every input. */
struct made {
    pgr_world *world;
    void *frames;
    struct implementation *implementation; /* the core over these */
    struct check_context *check;
};

static int make_world(const pgr_config *config, struct made *made)
{
    struct world_memory memory;

    made->check = check_new(config);
    if (made->check == NULL || world_memory_allocate(&memory, config) != 0)
        return -1;
    made->frames = memory.frames;
    if (pgr_init(memory.block, memory.block_bytes, config, &made->world) != ZX_OK)
        return -1;
    made->implementation = implementation_core_over(made->world, made->frames);
    return made->implementation != NULL ? 0 : -1;
}

static int take_world(struct fuzz *f)
{
    static struct made worlds[PGR_PAGE_SHIFT_MAX + 1];
    static struct job jobs[THREADS + 1];
    struct made *made = &worlds[f->page_shift];

    if (made->implementation == NULL && make_world(&f->config, made) != 0)
        return -1;
    pgr_reset(made->world);
    check_reset(made->check, made->world);
    f->world = made->world;
    f->frames = made->frames;
    f->implementation = made->implementation;
    f->check = made->check;
    f->jobs = jobs;
    f->job_count = 1;
    return 0;
}

static void start_trace(struct fuzz *f)
{
    pgr_start start;

    pgr_start_handles(f->world, &start);
    if (f->trace != NULL)
        f->recorder = recorder_new(&f->config, &start, f->trace);
}

static void check_world(struct fuzz *f)
{
    check_reset(f->check, f->world);
    if (check_walk(f->check, f->world, f->frames) != 0)
        fail(f, "%s", check_message(f->check));
}

static int run_input(struct fuzz *f)
{
    static const uint8_t shifts[] = {6, 6, 7, 12};

    f->page_shift = shifts[take(f, 1) & 3];
    f->config = config_of(f->page_shift);
    if (take_world(f) != 0)
        return -1;
    start_trace(f);
    if (populate(f) != 0)
        return -1;
    while (f->at < f->bytes && !f->failed)
        run_record(f);
    answer_everything(f);
    check_world(f);
    return f->failed;
}

int x86_fuzz(const uint8_t *data, size_t bytes, FILE *trace, struct x86_fuzz_stats *stats)
{
    struct x86_fuzz_stats none = {0};
    struct fuzz f = {.data = data, .bytes = bytes, .trace = trace, .stats = stats != NULL ? stats : &none};
    int result = run_input(&f);

    recorder_free(f.recorder);
    return result;
}
