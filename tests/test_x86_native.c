/*
 * The x86-64 front end against the processor itself. In a child process instructions made from every opcode that could
 * be in the list run twice: natively on guarded pages, where each page fault is noted and makes that one page present,
 * and in harness/x86.h on a model of the same pages. Compared are the faults (addresses, directions, order, the
 * registers at each of them), and afterwards memory and registers; of instructions that are not exact what they access.
 */
#define _GNU_SOURCE /* the registers of a signal context */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#ifndef __x86_64__

static void natively(void **state)
{
    (void)state;
    print_message("this is no x86-64 processor: nothing to compare with\n");
    skip();
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(natively)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}

#else

#include <asm/prctl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

#include "harness/x86_internal.h"

#define PAGE 4096u
#define PAGES 8u
#define DATA UINT64_C(0x10000000)
#define CODE UINT64_C(0x10010000)
#define START (CODE + 64)
#define BYTES (PAGES * PAGE)
#define FAULTS 64u
#define RFLAGS (X86_CF | X86_PF | X86_AF | X86_ZF | X86_SF | X86_OF | X86_DF)
#define TF (UINT64_C(1) << 8)

/* What one run has done. */
struct fault {
    uint64_t address;
    uint64_t general[X86_GENERAL_COUNT];
    int write;
};

enum outcome { ENDED, PROTECTION, NO_SUCH_INSTRUCTION, ARITHMETIC, ASTRAY, ENDLESS };

struct run {
    struct x86_registers registers;
    struct fault faults[FAULTS];
    uint32_t fault_count;
    enum outcome outcome;
    uint64_t stray; /* the address of the fault that led it astray */
};

/* What child and parent share: how far the child is, and what it has found. */
struct report {
    uint8_t code[X86_CODE_MAX];
    uint8_t length;
    uint32_t compared, exact, refused, unknown;
    uint32_t ran[ZYDIS_MNEMONIC_MAX_VALUE + 1];
    char failure[1500];
};

static struct report *report;
static uint8_t *data, *alias; /* the guarded pages, and the same pages always accessible */
static uint8_t initial[BYTES];

/* ---- chance ---- */

static uint64_t seed = 1;

static uint64_t any(void)
{
    uint64_t z = (seed += UINT64_C(0x9e3779b97f4a7c15));

    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

static uint64_t below(uint64_t n)
{
    return any() % n;
}

/* ---- natively ---- */

#define VECTORS_HIGH 576u /* where the upper halves of ymm are in an XSAVE area */
#define XSAVE_BYTES (VECTORS_HIGH + 256u)

static struct run *native;
static volatile enum { IDLE, RUNNING } phase;
static gregset_t saved_general;
static uint8_t saved_vectors[XSAVE_BYTES];

static const int general_place[X86_GENERAL_COUNT] = {REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP,
                                                     REG_RSI, REG_RDI, REG_R8,  REG_R9,  REG_R10, REG_R11,
                                                     REG_R12, REG_R13, REG_R14, REG_R15};

static uint8_t *vector_area(ucontext_t *context)
{
    return (uint8_t *)context->uc_mcontext.fpregs;
}

static void take_general(const ucontext_t *context, uint64_t *general)
{
    for (unsigned i = 0; i < X86_GENERAL_COUNT; i++)
        general[i] = (uint64_t)context->uc_mcontext.gregs[general_place[i]];
}

static void take_registers(ucontext_t *context, struct x86_registers *registers)
{
    take_general(context, registers->general);
    registers->rip = (uint64_t)context->uc_mcontext.gregs[REG_RIP];
    registers->rflags = (uint64_t)context->uc_mcontext.gregs[REG_EFL];
    for (unsigned i = 0; i < 16; i++) {
        memcpy(registers->vector[i], vector_area(context) + 160 + i * 16, 16);
        memcpy(registers->vector[i] + 16, vector_area(context) + VECTORS_HIGH + i * 16, 16);
    }
    /* A part whose bit is clear is in its initial state, whatever the area has. */
    if ((vector_area(context)[512] & 4) == 0)
        for (unsigned i = 0; i < 16; i++)
            memset(registers->vector[i] + 16, 0, 16);
    if ((vector_area(context)[512] & 2) == 0)
        for (unsigned i = 0; i < 16; i++)
            memset(registers->vector[i], 0, 16);
}

static void give_registers(ucontext_t *context, const struct x86_registers *registers)
{
    for (unsigned i = 0; i < X86_GENERAL_COUNT; i++)
        context->uc_mcontext.gregs[general_place[i]] = (greg_t)registers->general[i];
    context->uc_mcontext.gregs[REG_RIP] = (greg_t)registers->rip;
    context->uc_mcontext.gregs[REG_EFL] = (greg_t)registers->rflags;
    for (unsigned i = 0; i < 16; i++) {
        memcpy(vector_area(context) + 160 + i * 16, registers->vector[i], 16);
        memcpy(vector_area(context) + VECTORS_HIGH + i * 16, registers->vector[i] + 16, 16);
    }
    vector_area(context)[512] |= 6;
}

static void leave_run(ucontext_t *context, enum outcome outcome)
{
    native->outcome = outcome;
    take_registers(context, &native->registers);
    memcpy(context->uc_mcontext.gregs, saved_general, sizeof(saved_general));
    memcpy(vector_area(context), saved_vectors, sizeof(saved_vectors));
    phase = IDLE;
}

static void begin_run(ucontext_t *context)
{
    memcpy(saved_general, context->uc_mcontext.gregs, sizeof(saved_general));
    memcpy(saved_vectors, vector_area(context), sizeof(saved_vectors));
    give_registers(context, &native->registers);
    phase = RUNNING;
}

static void page_fault(ucontext_t *context)
{
    uint64_t address = (uint64_t)context->uc_mcontext.gregs[REG_CR2];
    int write = (context->uc_mcontext.gregs[REG_ERR] & 2) != 0;
    struct fault *fault = &native->faults[native->fault_count];

    if (address < DATA || address - DATA >= BYTES || native->fault_count == FAULTS) {
        native->stray = address;
        leave_run(context, native->fault_count == FAULTS ? ENDLESS : ASTRAY);
        return;
    }
    native->fault_count++;
    fault->address = address;
    fault->write = write;
    take_general(context, fault->general);
    mprotect(data + (address - DATA) / PAGE * PAGE, PAGE, write ? PROT_READ | PROT_WRITE : PROT_READ);
}

static void on_signal(int number, siginfo_t *information, void *argument)
{
    ucontext_t *context = argument;

    (void)information;
    if (number == SIGTRAP && phase == IDLE)
        begin_run(context);
    else if (phase == IDLE)
        _exit(100 + number);
    else if (number == SIGTRAP)
        leave_run(context, ENDED);
    else if (number == SIGSEGV && context->uc_mcontext.gregs[REG_TRAPNO] == 14)
        page_fault(context);
    else if (number == SIGILL)
        leave_run(context, NO_SUCH_INSTRUCTION);
    else if (number == SIGFPE)
        leave_run(context, ARITHMETIC);
    else
        leave_run(context, PROTECTION);
}

static void catch_signals(void)
{
    static const int numbers[] = {SIGTRAP, SIGSEGV, SIGBUS, SIGILL, SIGFPE};
    stack_t stack = {.ss_size = 1 << 18};
    struct sigaction action = {.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER};

    stack.ss_sp = malloc(stack.ss_size);
    action.sa_sigaction = on_signal;
    if (stack.ss_sp == NULL || sigaltstack(&stack, NULL) != 0)
        _exit(90);
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
        sigaction(numbers[i], &action, NULL);
}

static void *map_at(uint64_t address, size_t bytes, int protection, int flags, int file)
{
    void *hint;

    memcpy(&hint, &address, sizeof(hint));
    return mmap(hint, bytes, protection, flags, file, 0);
}

static int make_pages(void)
{
    int file = (int)syscall(SYS_memfd_create, "x86", 0);
    void *code;

    if (file < 0 || ftruncate(file, BYTES) != 0)
        return -1;
    data = map_at(DATA, BYTES, PROT_NONE, MAP_SHARED | MAP_FIXED_NOREPLACE, file);
    alias = mmap(NULL, BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    code =
        map_at(CODE, PAGE, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1);
    close(file);
    return data == MAP_FAILED || alias == MAP_FAILED || code == MAP_FAILED ? -1 : 0;
}

/* Behind the instruction stands int3; a branch is followed by a trap wherever it goes. */
static void run_natively(const struct x86_instruction *instruction, const struct x86_registers *registers,
                         struct run *run)
{
    uint8_t *code;
    uint64_t at = START;

    memcpy(&code, &at, sizeof(code));
    memset(code, 0xcc, 32);
    memcpy(code, instruction->code, instruction->length);
    memcpy(alias, initial, BYTES);
    mprotect(data, BYTES, PROT_NONE);
    run->fault_count = 0;
    run->registers = *registers;
    if (instruction->is_branch)
        run->registers.rflags |= TF;
    native = run;
    syscall(SYS_arch_prctl, ARCH_SET_GS, registers->gs_base);
    __asm__ volatile("int3; cld" ::: "memory", "cc");
    /* int3 is a trap: rip stands behind it. */
    if (!instruction->is_branch && run->outcome == ENDED)
        run->registers.rip--;
}

/* ---- in the model ---- */

struct model {
    uint8_t bytes[BYTES];
    uint8_t readable[PAGES], writable[PAGES];
    uint8_t stored[BYTES]; /* bytes that a store went to */
    struct run *run;
    const struct x86_registers *registers;
};

/* 1: a fault that is served now, 2: outside of the pages. */
static int model_prepare(void *context, const pgr_access *accesses, uint32_t count)
{
    struct model *model = context;
    struct run *run = model->run;

    for (uint32_t i = 0; i < count; i++) {
        const pgr_access *access = &accesses[i];
        if (access->address < DATA || access->address + access->bytes > DATA + BYTES)
            return 2;
        for (uint64_t page = (access->address - DATA) / PAGE;
             page <= (access->address + access->bytes - 1 - DATA) / PAGE; page++) {
            uint64_t begin = DATA + page * PAGE;
            if (access->write ? model->writable[page] : model->readable[page])
                continue;
            if (run->fault_count == FAULTS)
                return 2;
            run->faults[run->fault_count].address = access->address > begin ? access->address : begin;
            run->faults[run->fault_count].write = access->write != 0;
            memcpy(run->faults[run->fault_count++].general, model->registers->general,
                   sizeof(model->registers->general));
            model->readable[page] = 1;
            model->writable[page] |= access->write != 0;
            return 1;
        }
    }
    return 0;
}

static void model_load(void *context, uint64_t address, void *bytes, uint32_t count)
{
    memcpy(bytes, ((struct model *)context)->bytes + (address - DATA), count);
}

static void model_store(void *context, uint64_t address, const void *bytes, uint32_t count)
{
    memcpy(((struct model *)context)->bytes + (address - DATA), bytes, count);
    memset(((struct model *)context)->stored + (address - DATA), 1, count);
}

/* Returns 0 if the instruction strayed from the pages. */
static int run_model(const struct x86_instruction *instruction, const struct x86_registers *registers,
                     struct model *model, struct run *run)
{
    struct x86_memory memory = {model, model_prepare, model_load, model_store};
    char why[X86_WHY_MAX];
    int step;

    memcpy(model->bytes, initial, BYTES);
    memset(model->readable, 0, sizeof(model->readable));
    memset(model->writable, 0, sizeof(model->writable));
    memset(model->stored, 0, sizeof(model->stored));
    run->fault_count = 0;
    run->registers = *registers;
    model->run = run;
    model->registers = &run->registers;
    do
        step = x86_step(instruction, &run->registers, &memory, why);
    while (step == X86_AGAIN || step == 1);
    run->outcome = step == X86_REFUSED ? PROTECTION : ENDED;
    return step != 2;
}

/* ---- instructions ---- */

/* One byte that chooses an opcode, in a map and with a mandatory prefix. */
struct opcode {
    unsigned map;    /* 0 .. 3: legacy, 4 .. 6: VEX */
    unsigned prefix; /* 0, 0x66, 0xf3, 0xf2 */
    uint8_t byte;
};

static unsigned put_prefixes(const struct opcode *opcode, uint8_t *code)
{
    unsigned n = 0;

    if (below(8) == 0)
        code[n++] = 0x67;
    if (below(6) == 0)
        code[n++] = below(2) ? 0x64 : 0x65;
    if (opcode->map < 4 && below(16) == 0)
        code[n++] = 0xf0;
    return n;
}

static unsigned put_legacy(const struct opcode *opcode, uint8_t *code)
{
    unsigned n = put_prefixes(opcode, code);

    if (opcode->prefix != 0)
        code[n++] = (uint8_t)opcode->prefix;
    if (below(2))
        code[n++] = (uint8_t)(0x40 | below(16));
    if (opcode->map > 0)
        code[n++] = 0x0f;
    if (opcode->map > 1)
        code[n++] = opcode->map == 2 ? 0x38 : 0x3a;
    code[n++] = opcode->byte;
    return n;
}

static unsigned put_vex(const struct opcode *opcode, uint8_t *code)
{
    static const uint8_t numbers[4] = {0x66, 0xf3, 0xf2, 0};
    unsigned n = put_prefixes(opcode, code);
    uint8_t pp = 0;

    for (uint8_t i = 0; i < 3; i++)
        if (numbers[i] == opcode->prefix)
            pp = (uint8_t)(i + 1);
    code[n++] = 0xc4;
    code[n++] = (uint8_t)((below(8) << 5) | (opcode->map - 3));
    /* Many have no second source: then vvvv is all ones. */
    code[n++] = (uint8_t)((below(4) == 0) << 7 | (below(2) ? 0x78 : below(16) << 3) | below(2) << 2 | pp);
    code[n++] = opcode->byte;
    return n;
}

/* ModRM and what follows by chance; memory operands more often than registers. */
static int make_code(const struct opcode *opcode, struct x86_instruction *instruction)
{
    uint8_t code[32];
    unsigned n = opcode->map < 4 ? put_legacy(opcode, code) : put_vex(opcode, code);
    ZydisDecoder decoder;
    ZydisDecodedInstruction decoded;
    char why[X86_WHY_MAX];

    for (unsigned i = n; i < sizeof(code); i++)
        code[i] = (uint8_t)any();
    if (below(4) != 0)
        code[n] = (uint8_t)(below(3) << 6 | (code[n] & 0x3f));
    ZydisDecoderInit(&decoder, ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64);
    if (!ZYAN_SUCCESS(ZydisDecoderDecodeInstruction(&decoder, NULL, code, X86_CODE_MAX, &decoded)))
        return 0;
    return x86_decode(instruction, code, decoded.length, why) == 0;
}

static uint64_t *base_register(struct x86_registers *registers, ZydisRegister which)
{
    return &registers
                ->general[ZydisRegisterGetLargestEnclosing(ZYDIS_MACHINE_MODE_LONG_64, which) - ZYDIS_REGISTER_RAX];
}

/* Often over the border of two pages or just before it. */
static uint64_t choose_target(const struct x86_instruction *instruction, uint32_t bytes)
{
    uint64_t target = DATA + PAGE * (2 + below(4));
    uint32_t alignment = instruction->alignment;

    if (below(3) == 0)
        target += below(PAGE);
    else
        target -= below(2 * bytes + 2);
    return alignment != 0 && below(16) != 0 ? target / alignment * alignment : target;
}

static int patch_displacement(struct x86_instruction *instruction, uint64_t displacement)
{
    const ZydisDecodedInstruction *decoded = &x86_decoded(instruction)->instruction;
    uint8_t code[X86_CODE_MAX];
    char why[X86_WHY_MAX];

    if (decoded->raw.disp.size < 32)
        return 0;
    memcpy(code, instruction->code, sizeof(code));
    memcpy(code + decoded->raw.disp.offset, &displacement, decoded->raw.disp.size / 8);
    return x86_decode(instruction, code, instruction->length, why) == 0;
}

/* Chooses registers, or a displacement, by which the operand lies in the pages. */
static int aim(struct x86_instruction *instruction, struct x86_registers *registers, const ZydisDecodedOperand *operand)
{
    uint64_t target = choose_target(instruction, operand->size / 8u);
    ZydisRegister base = operand->mem.base, index = operand->mem.index;
    uint64_t rest, scale = operand->mem.scale;

    if (operand->mem.segment == ZYDIS_REGISTER_FS)
        target -= registers->fs_base;
    if (operand->mem.segment == ZYDIS_REGISTER_GS)
        target -= registers->gs_base;
    if (base == ZYDIS_REGISTER_RIP || base == ZYDIS_REGISTER_EIP)
        return patch_displacement(instruction, target - registers->rip - instruction->length);
    if (base == ZYDIS_REGISTER_NONE && index == ZYDIS_REGISTER_NONE)
        return patch_displacement(instruction, target);
    rest = target - (uint64_t)operand->mem.disp.value;
    if (index != ZYDIS_REGISTER_NONE && (base == index || base == ZYDIS_REGISTER_NONE)) {
        *base_register(registers, index) = rest / (scale + (base == index));
        return 1;
    }
    if (index != ZYDIS_REGISTER_NONE) {
        *base_register(registers, index) = below(64);
        rest -= *base_register(registers, index) * scale;
    }
    *base_register(registers, base) = rest;
    return 1;
}

static void choose_registers(struct x86_registers *registers)
{
    uint64_t fs_base = 0;

    memset(registers, 0, sizeof(*registers));
    for (unsigned i = 0; i < X86_GENERAL_COUNT; i++)
        registers->general[i] = any() >> below(64);
    for (unsigned i = 0; i < 16; i++)
        for (unsigned b = 0; b < 32; b++)
            registers->vector[i][b] = (uint8_t)any();
    registers->rflags = (any() & RFLAGS) | 0x202;
    registers->rip = START;
    syscall(SYS_arch_prctl, ARCH_GET_FS, &fs_base);
    registers->fs_base = fs_base;
    registers->gs_base = below(0x1000);
}

/* Alike bytes make comparisons equal and branches canonical. */
static void choose_memory(struct x86_registers *registers)
{
    int alike = below(2) == 0;
    uint64_t value = below(2) ? 0 : below(256) * UINT64_C(0x0101010101010101);

    for (size_t i = 0; i < BYTES; i += sizeof(value)) {
        uint64_t word = alike ? value : any();
        memcpy(initial + i, &word, sizeof(word));
    }
    if (alike && below(4) != 0)
        registers->general[X86_RAX] = value;
    if (alike && below(3) == 0)
        initial[PAGE * 3 + below(64)] ^= 1;
}

static int choose_operands(struct x86_instruction *instruction, struct x86_registers *registers)
{
    const struct x86_decoded *decoded = x86_decoded(instruction);

    if (instruction->is_repeated)
        registers->general[X86_RCX] = 1 + below(40);
    for (unsigned n = 0; n < decoded->instruction.operand_count; n++)
        if (decoded->operands[n].type == ZYDIS_OPERAND_TYPE_MEMORY &&
            decoded->operands[n].mem.type == ZYDIS_MEMOP_TYPE_MEM &&
            !aim(instruction, registers, &decoded->operands[n]))
            return 0;
    return 1;
}

/* ---- comparison ---- */

static void describe_run(FILE *out, const char *name, const struct run *run)
{
    fprintf(out, "\n  %s: outcome %d, rip 0x%llx, rflags 0x%llx, faults", name, (int)run->outcome,
            (unsigned long long)run->registers.rip, (unsigned long long)(run->registers.rflags & RFLAGS));
    for (uint32_t i = 0; i < run->fault_count && i < 8; i++)
        fprintf(out, " %c0x%llx", run->faults[i].write ? 'w' : 'r', (unsigned long long)run->faults[i].address);
    if (run->outcome == ASTRAY)
        fprintf(out, ", astray at 0x%llx", (unsigned long long)run->stray);
}

static void differ(const struct x86_instruction *instruction, const struct run *processor, const struct run *model,
                   const char *what)
{
    FILE *out = fmemopen(report->failure, sizeof(report->failure) - 1, "w");
    char text[X86_TEXT_MAX];

    if (out == NULL)
        _exit(91);
    x86_format(instruction, START, text);
    fprintf(out, "%s (", text);
    for (unsigned i = 0; i < instruction->length; i++)
        fprintf(out, "%s%02x", i > 0 ? " " : "", instruction->code[i]);
    fprintf(out, "): %s", what);
    describe_run(out, "processor", processor);
    describe_run(out, "model    ", model);
    for (unsigned i = 0; i < X86_GENERAL_COUNT; i++)
        if (processor->registers.general[i] != model->registers.general[i])
            fprintf(out, "\n  register %u: processor 0x%llx, model 0x%llx", i,
                    (unsigned long long)processor->registers.general[i],
                    (unsigned long long)model->registers.general[i]);
    fclose(out);
}

static const char *compare_faults(const struct run *processor, const struct run *model)
{
    if (processor->fault_count != model->fault_count)
        return "the numbers of faults differ";
    for (uint32_t i = 0; i < model->fault_count; i++) {
        if (processor->faults[i].address != model->faults[i].address)
            return "the addresses of faults differ";
        if (processor->faults[i].write != model->faults[i].write)
            return "the directions of faults differ";
        if (memcmp(processor->faults[i].general, model->faults[i].general, sizeof(model->faults[i].general)) != 0)
            return "the registers at a fault differ";
    }
    return NULL;
}

static const char *compare_memory(const struct x86_instruction *instruction, struct model *model)
{
    for (size_t i = 0; i < BYTES && !instruction->is_exact; i++)
        if (model->stored[i])
            model->bytes[i] = alias[i];
    return memcmp(model->bytes, alias, BYTES) != 0 ? "memory differs" : NULL;
}

static const char *compare_registers(const struct x86_instruction *instruction, const struct run *processor,
                                     const struct run *model)
{
    uint64_t flags = RFLAGS & ~(uint64_t)instruction->undefined_flags;

    if (processor->registers.rip != model->registers.rip)
        return "rip differs";
    if (!instruction->is_exact)
        return NULL;
    if (memcmp(processor->registers.general, model->registers.general, sizeof(model->registers.general)) != 0)
        return "registers differ";
    if ((processor->registers.rflags & flags) != (model->registers.rflags & flags))
        return "flags differ";
    if (memcmp(processor->registers.vector, model->registers.vector, sizeof(model->registers.vector)) != 0)
        return "vector registers differ";
    return NULL;
}

static const char *compare(const struct x86_instruction *instruction, const struct run *processor,
                           const struct run *model, struct model *memory)
{
    const char *what;

    if (model->outcome == PROTECTION)
        return processor->outcome == PROTECTION ? NULL : "the model refuses what the processor does";
    what = compare_faults(processor, model);
    if (what != NULL || (processor->outcome == ARITHMETIC && !instruction->is_exact))
        return what;
    if (processor->outcome != ENDED)
        return "the processor does not end it";
    what = compare_memory(instruction, memory);
    return what != NULL ? what : compare_registers(instruction, processor, model);
}

/* ---- the child ---- */

static int try_once(const struct opcode *opcode)
{
    static struct run processor, model;
    static struct model memory;
    struct x86_instruction instruction;
    struct x86_registers registers;
    const char *what;

    if (!make_code(opcode, &instruction))
        return 0;
    choose_registers(&registers);
    choose_memory(&registers);
    if (!choose_operands(&instruction, &registers) || !run_model(&instruction, &registers, &memory, &model))
        return 0;
    memcpy(report->code, instruction.code, sizeof(report->code));
    report->length = instruction.length;
    run_natively(&instruction, &registers, &processor);
    if (processor.outcome == NO_SUCH_INSTRUCTION) {
        report->unknown++;
        return 0;
    }
    what = compare(&instruction, &processor, &model, &memory);
    report->compared++;
    report->exact += instruction.is_exact;
    report->refused += model.outcome == PROTECTION;
    report->ran[x86_decoded(&instruction)->instruction.mnemonic]++;
    if (what != NULL)
        differ(&instruction, &processor, &model, what);
    return what != NULL;
}

static void child(unsigned tries)
{
    static const unsigned prefixes[] = {0, 0x66, 0xf3, 0xf2};

    if (make_pages() != 0)
        _exit(92);
    catch_signals();
    for (unsigned map = 0; map < 7; map++)
        for (unsigned byte = 0; byte < 256; byte++)
            for (unsigned prefix = 0; prefix < 4; prefix++)
                for (unsigned i = 0; i < tries; i++)
                    if (try_once(&(struct opcode){map, prefixes[prefix], (uint8_t)byte}))
                        _exit(1);
    _exit(0);
}

static const char *last_code(void)
{
    static char text[3 * X86_CODE_MAX + 1];

    for (unsigned i = 0; i < report->length; i++)
        snprintf(text + 3 * i, 4, "%02x ", report->code[i]);
    return text;
}

/* Exact mnemonics that never ran on the processor are not checked. */
static void check_coverage(void)
{
    unsigned missing = 0;

    for (unsigned mnemonic = 0; mnemonic <= ZYDIS_MNEMONIC_MAX_VALUE; mnemonic++) {
        unsigned action = x86_action_of((ZydisMnemonic)mnemonic);
        const char *name = ZydisMnemonicGetString((ZydisMnemonic)mnemonic);
        if (action == X86_UNLISTED || report->ran[mnemonic] > 0)
            continue;
        print_message("%s never ran\n", name);
        missing += action != X86_ACCESS_ONLY && (name[0] != 'v' || __builtin_cpu_supports("avx2"));
    }
    assert_int_equal(missing, 0);
}

static void the_model_does_what_the_processor_does(void **state)
{
    pid_t process;
    int status;

    (void)state;
    report = mmap(NULL, sizeof(*report), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true(report != MAP_FAILED);
    process = fork();
    assert_true(process >= 0);
    if (process == 0)
        child(48);
    assert_int_equal(waitpid(process, &status, 0), process);
    if (report->failure[0] != '\0')
        fail_msg("after %u instructions: %s", report->compared, report->failure);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
        fail_msg("the child died with status 0x%x in %s", status, last_code());
    print_message("%u instructions compared, %u of them exact, %u refused, %u that this processor does not have\n",
                  report->compared, report->exact, report->refused, report->unknown);
    assert_true(report->compared >= 5000 && report->exact >= 2000);
    check_coverage();
    munmap(report, sizeof(*report));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(the_model_does_what_the_processor_does)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}

#endif
