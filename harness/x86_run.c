/*
 * Instructions on an implementation. Each step is one PGR_CALL_MEM_PREPARE, and, once that has succeeded, the loads and stores
 * that it has made possible.
 */
#include "harness/x86_run.h"

#include <stdio.h>
#include <string.h>

/* What `prepare` returns if the step cannot be done now: the result says more. */
#define STOPPED 1

struct view {
    struct x86_run *run;
    const struct x86_world *world;
    pgr_result result; /* of the last call */
};

static void dispatch(struct view *view, const pgr_call *call)
{
    const struct x86_world *world = view->world;

    if (world->observe != NULL)
        world->observe(world->observe_context, call);
    world->implementation->call(world->implementation->self, call, &view->result);
}

static pgr_call prepare_call(struct x86_run *run)
{
    return (pgr_call){.number = PGR_CALL_MEM_PREPARE,
                      .thread = run->thread,
                      .buffer = run->accesses,
                      .buffer_bytes = run->access_count * sizeof(run->accesses[0])};
}

static int prepare(void *context, const pgr_access *accesses, uint32_t count)
{
    struct view *view = context;
    pgr_call call;

    memcpy(view->run->accesses, accesses, count * sizeof(*accesses));
    view->run->access_count = count;
    call = prepare_call(view->run);
    dispatch(view, &call);
    return view->result.outcome == PGR_DONE && view->result.status == ZX_OK ? 0 : STOPPED;
}

/* What was made possible cannot fail. */
static void access(struct view *view, uint32_t number, uint64_t address, void *bytes, uint32_t count)
{
    pgr_call call = {.number = number,
                     .thread = view->run->thread,
                     .arg = {address, 0, count},
                     .buffer = bytes,
                     .buffer_bytes = count};

    dispatch(view, &call);
    if (view->result.outcome != PGR_DONE || view->result.status != ZX_OK)
        view->run->is_broken = 1;
}

static void load(void *context, uint64_t address, void *bytes, uint32_t count)
{
    access(context, PGR_CALL_MEM_READ, address, bytes, count);
}

static void store(void *context, uint64_t address, const void *bytes, uint32_t count)
{
    uint8_t copy[X86_ACCESS_BYTES];

    memcpy(copy, bytes, count);
    access(context, PGR_CALL_MEM_WRITE, address, copy, count);
}

int x86_run_begin(struct x86_run *run, const uint8_t *code, size_t bytes, const struct x86_registers *registers,
                  uint32_t thread)
{
    memset(run, 0, sizeof(*run));
    run->registers = *registers;
    run->thread = thread;
    return x86_decode(&run->instruction, code, bytes, run->why);
}

static void refuse(struct x86_run *run, pgr_result *result, const char *why)
{
    if (why != NULL)
        snprintf(run->why, sizeof(run->why), "%s", why);
    *result = (pgr_result){.outcome = PGR_REFUSED, .status = ZX_ERR_NOT_SUPPORTED};
}

void x86_run_go(struct x86_run *run, const struct x86_world *world, pgr_result *result)
{
    struct view view = {.run = run, .world = world};
    struct x86_memory memory = {.context = &view, .prepare = prepare, .load = load, .store = store};
    int step;

    do
        step = x86_step(&run->instruction, &run->registers, &memory, run->why);
    while (step == X86_AGAIN && !run->is_broken && ++run->iterations < X86_ITERATIONS_MAX);
    if (run->is_broken)
        refuse(run, result, "an access fails that was made possible");
    else if (step == X86_AGAIN)
        refuse(run, result, "the repetition does not end");
    else if (step == X86_REFUSED)
        refuse(run, result, NULL);
    else if (step == X86_DONE)
        *result = (pgr_result){.outcome = PGR_DONE};
    else if (view.result.outcome == PGR_DONE || view.result.outcome == PGR_REFUSED)
        refuse(run, result, "its accesses cannot be prepared");
    else
        *result = view.result;
}

void x86_run_resume(struct x86_run *run, const struct x86_world *world, pgr_result *result)
{
    struct implementation *implementation = world->implementation;

    implementation->resume(implementation->self, run->thread, run->accesses,
                           run->access_count * sizeof(run->accesses[0]), result);
    if (result->outcome == PGR_DONE)
        x86_run_go(run, world, result);
}
