/*
 * The x86-64 front end by itself: which accesses an instruction makes, in which order; that nothing changes before all
 * of them can be made; what is refused, and how instructions are written.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "harness/x86_fuzz.h"
#include "harness/x86_internal.h"

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))
#define MEMORY 0x4000u

/* Memory from address 0 on, which writes down what it is asked for. */
struct recorded {
    uint8_t bytes[MEMORY];
    char text[400];     /* of all accesses that were asked for */
    uint32_t refuse_at; /* the prepare that fails, counted from 1; 0: none */
    uint32_t prepares;
};

static int prepare(void *context, const pgr_access *accesses, uint32_t count)
{
    struct recorded *memory = context;

    for (uint32_t i = 0; i < count; i++) {
        size_t used = strlen(memory->text);
        snprintf(memory->text + used, sizeof(memory->text) - used, "%s%c%llx+%u", used > 0 ? " " : "",
                 accesses[i].write ? 'w' : 'r', (unsigned long long)accesses[i].address, accesses[i].bytes);
    }
    return ++memory->prepares == memory->refuse_at ? 7 : 0;
}

static void load(void *context, uint64_t address, void *bytes, uint32_t count)
{
    assert_true(address + count <= MEMORY);
    memcpy(bytes, ((struct recorded *)context)->bytes + address, count);
}

static void store(void *context, uint64_t address, const void *bytes, uint32_t count)
{
    assert_true(address + count <= MEMORY);
    memcpy(((struct recorded *)context)->bytes + address, bytes, count);
}

/* "48 89 03" as bytes. */
static size_t bytes_of(const char *text, uint8_t *code)
{
    size_t count = 0;
    char *end;

    for (; *text != '\0'; text = end) {
        code[count++] = (uint8_t)strtoul(text, &end, 16);
        assert_true(end != text && count <= 20);
    }
    return count;
}

static void decode(const char *text, struct x86_instruction *instruction)
{
    uint8_t code[32];
    size_t count = bytes_of(text, code);
    char why[X86_WHY_MAX];

    if (x86_decode(instruction, code, count, why) != 0)
        fail_msg("%s: %s", text, why);
}

/* rax 0x100, rcx 3, rdx 0x300 ... : so that an address tells its registers. */
static void start(struct x86_registers *registers, struct recorded *memory)
{
    memset(registers, 0, sizeof(*registers));
    memset(memory, 0, sizeof(*memory));
    for (unsigned i = 0; i < X86_GENERAL_COUNT; i++)
        registers->general[i] = 0x100 * (i + 1);
    registers->general[X86_RCX] = 3;
    registers->rip = 0x2000;
    registers->fs_base = 0x1000;
    registers->gs_base = 0x3000;
    for (unsigned i = 0; i < MEMORY; i++)
        memory->bytes[i] = (uint8_t)(i * 7 + (i >> 8));
}

static int step(const struct x86_instruction *instruction, struct x86_registers *registers, struct recorded *memory)
{
    struct x86_memory view = {memory, prepare, load, store};
    char why[X86_WHY_MAX] = "";

    return x86_step(instruction, registers, &view, why);
}

static void accesses_are_made_in_their_order(void **state)
{
    static const struct {
        const char *code, *accesses;
    } rows[] = {
        {"48 89 03", "w400+8"},                       /* mov [rbx], rax */
        {"8a 44 8b fe", "r40a+1"},                    /* mov al, [rbx+rcx*4-2] */
        {"48 8b 05 10 00 00 00", "r2017+8"},          /* mov rax, [rip+0x10] */
        {"64 48 8b 03", "r1400+8"},                   /* fs */
        {"65 67 8b 03", "r3400+4"},                   /* gs, 32-bit address */
        {"42 8b 04 2d 10 00 00 00", "re10+4"},        /* mov eax, [r13*1+0x10]: no base */
        {"43 8b 04 2d 10 00 00 00", "re10+4"},        /* ... which REX.B does not make r13 */
        {"48 a1 34 12 00 00 00 00 00 00", "r1234+8"}, /* movabs */
        {"01 03", "w400+4 r400+4"},                   /* add [rbx], eax */
        {"39 03", "r400+4"},                          /* cmp [rbx], eax */
        {"f0 0f b1 13", "w400+4 r400+4"},             /* lock cmpxchg */
        {"48 0f c7 0e", "w700+16 r700+16"},           /* cmpxchg16b [rsi] */
        {"50", "w4f8+8"},                             /* push rax */
        {"66 50", "w4fe+2"},                          /* push ax */
        {"ff 33", "r400+8 w4f8+8"},                   /* push [rbx] */
        {"8f 03", "r500+8 w400+8"},                   /* pop [rbx] */
        {"8f 44 24 08", "r500+8 w510+8"},             /* pop [rsp+8]: rsp as it is afterwards */
        {"ff 13", "r400+8 w4f8+8"},                   /* call [rbx] */
        {"e8 00 01 00 00", "w4f8+8"},                 /* call */
        {"c3", "r500+8"},                             /* ret */
        {"c9", "r600+8"},                             /* leave */
        {"a4", "r700+1 w800+1"},                      /* movsb */
        {"64 48 a5", "r1700+8 w800+8"},               /* movsq with fs, which only the source has */
        {"a7", "r700+4 r800+4"},                      /* cmpsd */
        {"ae", "r800+1"},                             /* scasb */
        {"66 ad", "r700+2"},                          /* lodsw */
        {"67 ab", "w800+4"},                          /* stosd with edi */
        {"48 8d 04 8b", ""},                          /* lea touches nothing */
        {"f3 0f 6f 03", "r400+16"},                   /* movdqu */
        {"c5 fe 7f 03", "w400+32"},                   /* vmovdqu [rbx], ymm0 */
        {"0f 58 03", "r400+16"},                      /* addps */
        {"dd 1b", "w400+8"},                          /* fstp */
        {"48 d1 23", "w400+8 r400+8"},                /* shl */
    };

    (void)state;
    for (size_t i = 0; i < LENGTH(rows); i++) {
        struct x86_instruction instruction;
        struct x86_registers registers;
        struct recorded memory;
        decode(rows[i].code, &instruction);
        start(&registers, &memory);
        memset(memory.bytes + 0x400, 0, 8);
        memset(memory.bytes + 0x500, 0, 8);
        if (step(&instruction, &registers, &memory) != X86_DONE || strcmp(memory.text, rows[i].accesses) != 0)
            fail_msg("%s: expected %s, found %s", rows[i].code, rows[i].accesses, memory.text);
    }
}

/* Every instruction here stops at its n-th prepare; before that only whole iterations have happened. */
static void a_step_that_stops_changes_nothing(void **state)
{
    static const char *const codes[] = {
        "48 89 03", "48 87 03", "f0 0f b1 13", "ff 33", "8f 03",    "58",       "ff 13",       "c9",         "a4",
        "f3 48 a5", "f3 a6",    "c5 fe 7f 03", "dd 1b", "48 d1 23", "f3 48 ab", "c5 fe 6f 03", "48 0f c1 03"};

    (void)state;
    for (size_t i = 0; i < LENGTH(codes); i++) {
        struct x86_instruction instruction;
        struct x86_registers registers, before;
        struct recorded memory, old;
        decode(codes[i], &instruction);
        start(&registers, &memory);
        memory.refuse_at = 1;
        before = registers;
        old = memory;
        assert_int_equal(step(&instruction, &registers, &memory), 7);
        assert_memory_equal(&registers, &before, sizeof(registers));
        assert_memory_equal(memory.bytes, old.bytes, MEMORY);
    }
}

static void completed_iterations_stay(void **state)
{
    struct x86_instruction instruction;
    struct x86_registers registers;
    struct recorded memory;

    (void)state;
    decode("f3 a4", &instruction);
    assert_true(instruction.is_repeated);
    start(&registers, &memory);
    memory.refuse_at = 3;
    assert_int_equal(step(&instruction, &registers, &memory), X86_AGAIN);
    assert_int_equal(step(&instruction, &registers, &memory), X86_AGAIN);
    assert_int_equal(step(&instruction, &registers, &memory), 7);
    assert_int_equal(registers.general[X86_RCX], 1);
    assert_int_equal(registers.general[X86_RSI], 0x702);
    assert_int_equal(registers.general[X86_RDI], 0x802);
    assert_int_equal(registers.rip, 0x2000);
    assert_memory_equal(memory.bytes + 0x800, memory.bytes + 0x700, 2);
    assert_int_equal(step(&instruction, &registers, &memory), X86_DONE);
    assert_int_equal(registers.rip, 0x2002);
    assert_string_equal(memory.text, "r700+1 w800+1 r701+1 w801+1 r702+1 w802+1 r702+1 w802+1");
}

static void repetitions_end_where_they_should(void **state)
{
    struct x86_instruction instruction;
    struct x86_registers registers;
    struct recorded memory;

    (void)state;
    /* Nothing to do. */
    decode("f3 48 ab", &instruction);
    start(&registers, &memory);
    registers.general[X86_RCX] = 0;
    assert_int_equal(step(&instruction, &registers, &memory), X86_DONE);
    assert_string_equal(memory.text, "");
    /* repne scasb finds, downwards. */
    decode("f2 ae", &instruction);
    start(&registers, &memory);
    registers.rflags = X86_DF;
    memory.bytes[0x7ff] = 0x00;
    memory.bytes[0x800] = 0x01;
    assert_int_equal(step(&instruction, &registers, &memory), X86_AGAIN);
    assert_int_equal(step(&instruction, &registers, &memory), X86_DONE);
    assert_int_equal(registers.general[X86_RDI], 0x7fe);
    assert_int_equal(registers.general[X86_RCX], 1);
    assert_int_equal(registers.rflags & (X86_ZF | X86_CF), X86_ZF);
}

static void what_is_not_modelled_stores_the_pattern(void **state)
{
    struct x86_instruction instruction;
    struct x86_registers registers, before;
    struct recorded memory;

    (void)state;
    decode("0f 94 03", &instruction);
    assert_false(instruction.is_exact);
    start(&registers, &memory);
    before = registers;
    before.rip += 3;
    assert_int_equal(step(&instruction, &registers, &memory), X86_DONE);
    assert_int_equal(memory.bytes[0x400], 0xa5);
    assert_memory_equal(&registers, &before, sizeof(registers));
    decode("dd 1b", &instruction);
    assert_int_equal(step(&instruction, &registers, &memory), X86_DONE);
    assert_memory_equal(memory.bytes + 0x400, "\xa5\xa6\xa7\xa8\xa9\xaa\xab\xac", 8);
}

static void what_is_not_in_the_list_is_refused(void **state)
{
    static const struct {
        const char *code, *why;
    } rows[] = {
        {"48 8b", "the instruction is cut short"},
        {"90 90", "1 bytes stand behind the instruction"},
        {"06", "this is no instruction"},
        {"90 90 90 90 90 90 90 90 90 90 90 90 90 90 90 90", "an instruction has at most 15 bytes"},
        {"f4", "hlt: it is not in the list of instructions"},
        {"0f 05", "syscall: it is not in the list of instructions"},
        {"0f ae 23", "xsave: it is not in the list of instructions"},
        {"0f 18 03", "prefetchnta: it is not in the list of instructions"},
        {"c4 e2 69 92 04 0b", "vgatherdps: it is not in the list of instructions"},
        {"c4 e2 69 2c 03", "vmaskmovps: it is not in the list of instructions"},
        {"62 f1 7c 48 10 03", "vmovups: this encoding is not in the list"},
        {"8e 03", "mov: with these registers it is not in the list"},
        {"0f 20 c0", "mov: with these registers it is not in the list"},
        {"0f a0", "push: with these registers it is not in the list"},
        {"ff 1b", "call: only near branches of 64 bits are in the list"},
        {"cb", "ret: only near branches of 64 bits are in the list"},
        {"66 c9", "leave: only leave of 64 bits is in the list"},
        {"f2 a4", "movsb: repne does not belong there"},
        {"48 0f ab 03", "bts: the bit's number is in a register"},
        {"d3 e0", "shl: it has no memory operand, and its result is not modelled"},
    };

    (void)state;
    for (size_t i = 0; i < LENGTH(rows); i++) {
        struct x86_instruction instruction;
        uint8_t code[32];
        char why[X86_WHY_MAX] = "";
        size_t count = bytes_of(rows[i].code, code);
        assert_int_equal(x86_decode(&instruction, code, count, why), -1);
        assert_string_equal(why, rows[i].why);
    }
}

static void other_exceptions_are_refused(void **state)
{
    static const struct {
        const char *code;
        uint64_t rbx;
        const char *why;
    } rows[] = {
        {"48 8b 03", UINT64_C(0x0000800000000000), "8 bytes at 0x800000000000: the address is not canonical"},
        {"48 8b 03", UINT64_C(0x00007ffffffffffd), "8 bytes at 0x7ffffffffffd: the address is not canonical"},
        {"48 8b 03", UINT64_C(0xfffffffffffffffd), "8 bytes at 0xfffffffffffffffd: the address is not canonical"},
        {"0f 28 03", 0x408, "0x408 is not aligned to 16 bytes"},
        {"c5 fc 28 03", 0x410, "0x410 is not aligned to 32 bytes"},
        {"66 0f fc 03", 0x401, "0x401 is not aligned to 16 bytes"},
        {"ff e3", UINT64_C(0x1234567812345678), "a branch to 0x1234567812345678: the address is not canonical"},
    };

    (void)state;
    for (size_t i = 0; i < LENGTH(rows); i++) {
        struct x86_instruction instruction;
        struct x86_registers registers, before;
        struct recorded memory;
        struct x86_memory view = {&memory, prepare, load, store};
        char why[X86_WHY_MAX] = "";
        decode(rows[i].code, &instruction);
        start(&registers, &memory);
        registers.general[X86_RBX] = rows[i].rbx;
        before = registers;
        assert_int_equal(x86_step(&instruction, &registers, &view, why), X86_REFUSED);
        assert_string_equal(why, rows[i].why);
        assert_memory_equal(&registers, &before, sizeof(registers));
        assert_string_equal(memory.text, "");
    }
}

static void instructions_are_written_in_intel_syntax(void **state)
{
    static const struct {
        const char *code, *text;
    } rows[] = {
        {"48 8b 03", "mov rax, qword ptr [rbx]"},
        {"f3 48 a5", "rep movsq"},
        {"48 8b 05 10 00 00 00", "mov rax, qword ptr [0x0000000000002017]"},
        {"c5 fe 7f 03", "vmovdqu ymmword ptr [rbx], ymm0"},
    };

    (void)state;
    for (size_t i = 0; i < LENGTH(rows); i++) {
        struct x86_instruction instruction;
        char text[X86_TEXT_MAX];
        decode(rows[i].code, &instruction);
        x86_format(&instruction, 0x2000, text);
        assert_string_equal(text, rows[i].text);
    }
}

/* Where the documentation is at hand: it has every mnemonic of the table. */
static void the_list_is_documented(void **state)
{
    static char text[1 << 16];
    FILE *file = fopen("docs/x86.md", "r");

    (void)state;
    if (file == NULL)
        skip();
    text[fread(text, 1, sizeof(text) - 1, file)] = '\0';
    fclose(file);
    for (unsigned mnemonic = 0; mnemonic <= ZYDIS_MNEMONIC_MAX_VALUE; mnemonic++) {
        char name[40];
        if (x86_action_of((ZydisMnemonic)mnemonic) == X86_UNLISTED)
            continue;
        snprintf(name, sizeof(name), "`%s`", ZydisMnemonicGetString((ZydisMnemonic)mnemonic));
        if (strstr(text, name) == NULL)
            fail_msg("docs/x86.md has no %s", name);
    }
}

/* Inputs of the fuzzer by chance, long enough for several instructions to wait at a time. */
static void chance_finds_nothing_wrong(void **state)
{
    struct x86_fuzz_stats stats = {0};
    uint8_t input[512];
    uint64_t seed = 1;

    (void)state;
    for (unsigned run = 0; run < 200; run++) {
        for (size_t i = 0; i < sizeof(input); i++) {
            seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407u;
            input[i] = (uint8_t)(seed >> 56);
        }
        if (x86_fuzz(input, sizeof(input), NULL, &stats) != 0)
            fail_msg("input %u: %s", run, x86_fuzz_message());
    }
    assert_true(stats.instructions > 200 && stats.waits > 100 && stats.exceptions > 50 && stats.ended > 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(accesses_are_made_in_their_order),
        cmocka_unit_test(a_step_that_stops_changes_nothing),
        cmocka_unit_test(completed_iterations_stay),
        cmocka_unit_test(repetitions_end_where_they_should),
        cmocka_unit_test(what_is_not_modelled_stores_the_pattern),
        cmocka_unit_test(what_is_not_in_the_list_is_refused),
        cmocka_unit_test(other_exceptions_are_refused),
        cmocka_unit_test(instructions_are_written_in_intel_syntax),
        cmocka_unit_test(the_list_is_documented),
        cmocka_unit_test(chance_finds_nothing_wrong),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
