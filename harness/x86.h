/*
 * One x86-64 instruction, decoded with Zydis and executed on registers and on memory that is reached through three
 * functions. Nothing here knows pages or pagers. Which instructions there are is in docs/x86.md.
 */
#ifndef HARNESS_X86_H
#define HARNESS_X86_H

#include <stddef.h>
#include <stdint.h>

#include "core/pgr.h"

enum x86_general { X86_RAX, X86_RCX, X86_RDX, X86_RBX, X86_RSP, X86_RBP, X86_RSI, X86_RDI, X86_GENERAL_COUNT = 16 };

/* In the order and layout in which a trace's structure of registers has them. */
struct x86_registers {
    uint64_t general[X86_GENERAL_COUNT];
    uint64_t rip, rflags, fs_base, gs_base;
    uint8_t vector[16][32]; /* ymm0 .. ymm15, lowest byte first; the lower halves are xmm0 .. xmm15 */
};

_Static_assert(sizeof(struct x86_registers) == 160 + 16 * 32, "the fields of harness/trace_layouts.c lie in here");

#define X86_RIP_DEFAULT UINT64_C(0x400000)

#define X86_CODE_MAX 15u     /* bytes of an instruction */
#define X86_TEXT_MAX 96u     /* characters of an instruction's text, its end included */
#define X86_WHY_MAX 120u     /* characters of an explanation, its end included */
#define X86_ACCESSES_MAX 6u  /* of one instruction, or of one iteration */
#define X86_ACCESS_BYTES 64u /* the longest access */

/* A decoded instruction; opaque but for its size and for these. */
struct x86_instruction {
    uint8_t code[X86_CODE_MAX];
    uint8_t length;                    /* bytes */
    uint8_t is_exact;                  /* memory and registers get the values of the manual, not a pattern */
    uint8_t is_repeated;               /* x86_step performs one iteration at a time */
    uint8_t is_branch;                 /* rip does not simply move behind it */
    uint8_t alignment;                 /* bytes that its memory operand must be aligned to; 0: none */
    uint8_t action;                    /* enum x86_action of x86_internal.h */
    uint32_t undefined_flags;          /* bits of rflags that the manual leaves undefined */
    _Alignas(8) uint8_t decoded[1152]; /* what Zydis has found */
};

/*
 * Decodes the one instruction that these bytes are. 0, or -1 and the reason in `why` (X86_WHY_MAX characters): no
 * instruction, bytes behind it, or one that is not in the list.
 */
int x86_decode(struct x86_instruction *instruction, const uint8_t *code, size_t bytes, char *why);

/* The instruction in Intel syntax, X86_TEXT_MAX characters. `rip`: its address, for what is relative to it. */
void x86_format(const struct x86_instruction *instruction, uint64_t rip, char *text);

/* The memory that an instruction sees. */
struct x86_memory {
    void *context;
    /*
     * Makes these accesses possible, in their order, each ascending. 0: loads and stores of them will succeed until
     * x86_step returns. Anything else ends the step, and is what x86_step returns.
     */
    int (*prepare)(void *context, const pgr_access *accesses, uint32_t count);
    void (*load)(void *context, uint64_t address, void *bytes, uint32_t count);
    void (*store)(void *context, uint64_t address, const void *bytes, uint32_t count);
};

/* What x86_step returns besides what `prepare` returns, which is positive. */
enum x86_outcome {
    X86_DONE = 0,     /* the instruction has ended */
    X86_AGAIN = -1,   /* an iteration has ended, and another one follows */
    X86_REFUSED = -2, /* the processor would raise an exception that is not a page fault; nothing changed */
};

/*
 * Executes the instruction, or one iteration of a repeated one. If it returns anything but X86_DONE and X86_AGAIN,
 * neither registers nor memory have changed, and the step may be taken again. `why` (X86_WHY_MAX characters) gets the
 * reason of X86_REFUSED.
 */
int x86_step(const struct x86_instruction *instruction, struct x86_registers *registers,
             const struct x86_memory *memory, char *why);

#endif
