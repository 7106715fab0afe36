/*
 * What the files of the x86-64 front end share: the decoded instruction, operands as values, what actions there are.
 */
#ifndef HARNESS_X86_INTERNAL_H
#define HARNESS_X86_INTERNAL_H

#include <Zydis/Zydis.h>

#include "harness/x86.h"

/* What an instruction whose values are not modelled stores: byte i of its operand is X86_PATTERN + i. */
#define X86_PATTERN 0xa5u

#define X86_CF (UINT64_C(1) << 0)
#define X86_PF (UINT64_C(1) << 2)
#define X86_AF (UINT64_C(1) << 4)
#define X86_ZF (UINT64_C(1) << 6)
#define X86_SF (UINT64_C(1) << 7)
#define X86_DF (UINT64_C(1) << 10)
#define X86_OF (UINT64_C(1) << 11)

/* What an instruction does, by its mnemonic. */
enum x86_action {
    X86_UNLISTED,
    X86_ACCESS_ONLY,
    X86_MOV,
    X86_MOVSX, /* movsxd, too */
    X86_XCHG,
    X86_XADD,
    X86_CMPXCHG,
    X86_ADD,
    X86_ADC,
    X86_SUB,
    X86_SBB,
    X86_CMP,
    X86_AND,
    X86_OR,
    X86_XOR,
    X86_TEST,
    X86_INC,
    X86_DEC,
    X86_NEG,
    X86_NOT,
    X86_LEA,
    X86_PUSH,
    X86_POP,
    X86_CALL,
    X86_RET,
    X86_JMP,
    X86_LEAVE,
    X86_VECTOR_MOVE,
    X86_MOVS,
    X86_STOS,
    X86_LODS,
    X86_CMPS,
    X86_SCAS
};

struct x86_decoded {
    ZydisDecodedInstruction instruction;
    ZydisDecodedOperand operands[ZYDIS_MAX_OPERAND_COUNT];
};

_Static_assert(sizeof(struct x86_decoded) <= sizeof(((struct x86_instruction *)0)->decoded), "it is kept in there");

static inline const struct x86_decoded *x86_decoded(const struct x86_instruction *instruction)
{
    return (const struct x86_decoded *)(const void *)instruction->decoded;
}

/* enum x86_action of a mnemonic: the table of harness/x86_forms.c. */
unsigned x86_action_of(ZydisMnemonic mnemonic);

/* One step under way: accesses are collected first, then made possible, then done. */
struct x86_step {
    const struct x86_instruction *instruction;
    const ZydisDecodedInstruction *decoded;
    const ZydisDecodedOperand *operands;
    const struct x86_registers *before;
    struct x86_registers *after; /* a copy, which counts only if the step succeeds */
    const struct x86_memory *memory;
    pgr_access accesses[X86_ACCESSES_MAX];
    uint32_t access_count;
    uint64_t address[ZYDIS_MAX_OPERAND_COUNT]; /* of the operands that are memory */
    char *why;
};

/* The linear address of a memory operand, with these registers; rip counts from behind the instruction. */
uint64_t x86_operand_address(const struct x86_step *step, const ZydisDecodedOperand *operand);

/* Adds an access. X86_DONE, or X86_REFUSED if no access can be made there. */
int x86_need(struct x86_step *step, uint64_t address, uint32_t bytes, int write);

/* Makes the accesses that were added possible, as x86_memory.prepare. */
int x86_prepare(struct x86_step *step);

/* A register of any width: 8 (also ah ... bh), 16, 32, 64 bits. A write of 32 bits zeroes the upper half. */
uint64_t x86_get(const struct x86_registers *registers, ZydisRegister which);
void x86_set(struct x86_registers *registers, ZydisRegister which, uint64_t value);

uint64_t x86_load(const struct x86_step *step, uint64_t address, uint32_t bytes);
void x86_store(const struct x86_step *step, uint64_t address, uint64_t value, uint32_t bytes);

/* a - b - borrow, with its flags. */
uint64_t x86_subtract(uint64_t *rflags, uint64_t a, uint64_t b, uint64_t borrow, uint32_t bytes);

/* One iteration of a string instruction. As x86_step. */
int x86_string_step(struct x86_step *step);

#endif
