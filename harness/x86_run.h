/*
 * Instructions on an implementation: the memory that they see is the address space of its world.
 */
#ifndef HARNESS_X86_RUN_H
#define HARNESS_X86_RUN_H

#include "harness/implementation.h"
#include "harness/x86.h"

/* Iterations of one instruction, after which it counts as one that never ends. */
#define X86_ITERATIONS_MAX (UINT64_C(1) << 24)

/* An instruction that a thread of a world is in. */
struct x86_run {
    struct x86_instruction instruction;
    struct x86_registers registers;
    uint32_t thread;                       /* number in the world */
    uint64_t iterations;                   /* completed */
    pgr_access accesses[X86_ACCESSES_MAX]; /* that it waits for: the buffer of its blocked PGR_CALL_MEM_PREPARE */
    uint32_t access_count;
    int is_broken;         /* an access failed that had been made possible: the implementation is wrong */
    char why[X86_WHY_MAX]; /* it was refused */
};

/* Who makes the calls, and who wants to see each right before it is made (may be null); resumes are not shown. */
struct x86_world {
    struct implementation *implementation;
    void (*observe)(void *context, const pgr_call *call);
    void *observe_context;
};

/* As x86_decode, with these registers and this thread. */
int x86_run_begin(struct x86_run *run, const uint8_t *code, size_t bytes, const struct x86_registers *registers,
                  uint32_t thread);

/*
 * Runs the instruction until it ends (PGR_DONE), waits (PGR_BLOCKED), has ended in an exception (PGR_FAULT), or cannot
 * be executed (PGR_REFUSED, the reason in run->why). Registers are always those of a boundary between two
 * iterations.
 */
void x86_run_go(struct x86_run *run, const struct x86_world *world, pgr_result *result);

/* The thread, which has waited for it, was released: it resumes, and the iteration begins anew. */
void x86_run_resume(struct x86_run *run, const struct x86_world *world, pgr_result *result);

#endif
