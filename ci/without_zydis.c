/*
 * Stands in for the decoder of x86-64 instructions on machines that ci/other_machines.sh builds for and that have no
 * Zydis: no instruction can be decoded, and so none is executed.
 */
#include <stdio.h>

#include "harness/x86.h"

int x86_decode(struct x86_instruction *instruction, const uint8_t *code, size_t bytes, char *why)
{
    (void)instruction;
    (void)code;
    (void)bytes;
    snprintf(why, X86_WHY_MAX, "this program was built without Zydis");
    return -1;
}

void x86_format(const struct x86_instruction *instruction, uint64_t rip, char *text)
{
    (void)instruction;
    (void)rip;
    text[0] = '\0';
}

int x86_step(const struct x86_instruction *instruction, struct x86_registers *registers,
             const struct x86_memory *memory, char *why)
{
    (void)instruction;
    (void)registers;
    (void)memory;
    snprintf(why, X86_WHY_MAX, "this program was built without Zydis");
    return X86_REFUSED;
}
