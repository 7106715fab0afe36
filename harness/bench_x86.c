/*
 * x86_exec: how many instructions a second are decoded, and make their accesses, on pages that are present.
 */
#include "harness/bench_rig.h"
#include "harness/implementation_core.h"
#include "harness/x86_run.h"

#define BATCH 1000u

/* An instruction without, with one and with two accesses: lea rax, [rbx]; mov rax, [rbx]; add [rbx+8], rax. */
static const struct {
    const char *name;
    uint8_t code[4];
    uint8_t bytes;
} instructions[] = {
    {"x86_exec, without an access", {0x48, 0x8d, 0x03}, 3},
    {"x86_exec, a load", {0x48, 0x8b, 0x03}, 3},
    {"x86_exec, a load and a store", {0x48, 0x01, 0x43, 0x08}, 4},
};

static double timed_batch(const struct x86_world *world, const uint8_t *code, size_t bytes, uint64_t address)
{
    struct x86_registers registers = {.general[X86_RBX] = address, .rip = X86_RIP_DEFAULT};
    struct x86_run run;
    pgr_result result;
    double begin = now_ns();

    for (uint32_t i = 0; i < BATCH; i++) {
        require(x86_run_begin(&run, code, bytes, &registers, 0) == 0, "an instruction is not known");
        x86_run_go(&run, world, &result);
        require(result.outcome == PGR_DONE, "an instruction does not end");
    }
    return elapsed_ns(begin) / BATCH;
}

static void measure_rate(uint32_t which, const struct x86_world *world, uint64_t address)
{
    struct samples samples = {.count = 0};

    for (int i = 0; i < 201; i++)
        add_sample(&samples, timed_batch(world, instructions[which].code, instructions[which].bytes, address));
    mention_rate(instructions[which].name, 1e9 / median(&samples), "instructions/s");
}

void bench_x86(void)
{
    struct rig rig;
    pgr_start start;

    rig_init(&rig, 1u << 10, 1u << 10);
    pgr_start_handles(rig.world, &start);
    struct x86_world world = {.implementation = implementation_core_over(rig.world, rig.frames)};
    require(world.implementation != NULL, "out of memory");
    uint64_t vmo = committed_vmo(&rig, 1);
    uint64_t address = CALL(&rig, VMAR_MAP, 6, start.vmar, ZX_VM_PERM_READ | ZX_VM_PERM_WRITE, 0, vmo, 0, bytes_of(1));

    for (uint32_t i = 0; i < sizeof(instructions) / sizeof(instructions[0]); i++)
        measure_rate(i, &world, address);
    implementation_end(world.implementation);
    rig_free(&rig);
}
