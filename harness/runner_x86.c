/*
 * x86_exec in traces: a line's bytes and registers as an instruction that its thread runs.
 */
#include <stdlib.h>
#include <string.h>

#include "harness/runner_internal.h"
#include "harness/trace_layouts.h"

static unsigned digit(uint8_t c)
{
    return c <= '9' ? c - (unsigned)'0' : (c | 0x20u) - 'a' + 10;
}

/* The reader has seen to it that these are up to X86_CODE_MAX bytes of two digits each. */
static size_t code_bytes(const struct trace_value *value, uint8_t *code)
{
    size_t count = 0;

    for (size_t i = 0; i + 1 < value->text.count && count < X86_CODE_MAX; i++) {
        if (value->text.bytes[i] == ' ')
            continue;
        code[count++] = (uint8_t)(digit(value->text.bytes[i]) << 4 | digit(value->text.bytes[i + 1]));
        i++;
    }
    return count;
}

static int resolve_register(struct run *run, const struct trace_value *item, struct x86_registers *registers)
{
    const struct trace_symbol *unbound;
    uint64_t number;

    if (item->form == TRACE_WIDE) {
        memcpy((uint8_t *)registers + item->field->offset, item->text.bytes, item->text.count);
        return 0;
    }
    if (trace_evaluate(run->trace, item, run->bindings, &number, &unbound) != 0) {
        snprintf(run->note, sizeof(run->note), "%.60s has no value", unbound->name);
        return -1;
    }
    trace_field_set(item->field, registers, 0, number);
    return 0;
}

int run_x86_resolve(struct run *run, struct run_thread *thread, const struct trace_line *line, pgr_call *call)
{
    struct x86_registers registers = {.rip = X86_RIP_DEFAULT};
    uint8_t code[X86_CODE_MAX];
    size_t bytes = code_bytes(line->args, code);

    for (const struct trace_value *item = trace_nth(line->args, 1)->items; item != NULL; item = item->next)
        if (resolve_register(run, item, &registers) != 0)
            return -1;
    if (thread->x86 == NULL)
        thread->x86 = calloc(1, sizeof(*thread->x86));
    if (thread->x86 == NULL) {
        snprintf(run->note, sizeof(run->note), "no memory for an instruction");
        return -1;
    }
    if (x86_run_begin(thread->x86, code, bytes, &registers, thread->number) != 0) {
        snprintf(run->note, sizeof(run->note), "%s", thread->x86->why);
        return -1;
    }
    *call = (pgr_call){.number = TRACE_CALL_X86_EXEC,
                       .thread = thread->number,
                       .buffer = &thread->x86->registers,
                       .buffer_bytes = sizeof(thread->x86->registers)};
    return 0;
}

static void observe(void *context, const pgr_call *call)
{
    run_observe(context, call);
}

static struct x86_world world_of(struct run *run)
{
    return (struct x86_world){.implementation = run->implementation, .observe = observe, .observe_context = run};
}

static void tell_refusal(struct run *run, const struct run_thread *thread, const pgr_result *result)
{
    char text[X86_TEXT_MAX];

    if (result->outcome != PGR_REFUSED)
        return;
    x86_format(&thread->x86->instruction, thread->x86->registers.rip, text);
    snprintf(run->note, sizeof(run->note), "%s: %s", text, thread->x86->why);
}

void run_x86_begin(struct run *run, struct run_thread *thread, pgr_result *result)
{
    struct x86_world world = world_of(run);

    x86_run_go(thread->x86, &world, result);
    tell_refusal(run, thread, result);
}

void run_x86_resume(struct run *run, struct run_thread *thread, pgr_result *result)
{
    struct x86_world world = world_of(run);

    x86_run_resume(thread->x86, &world, result);
    tell_refusal(run, thread, result);
}

const char *run_x86_comment(struct run *run, const struct run_thread *thread)
{
    char text[X86_TEXT_MAX];
    char *comment = trace_allocate(run->trace, X86_TEXT_MAX + 2);

    x86_format(&thread->x86->instruction, thread->x86->registers.rip, text);
    snprintf(comment, X86_TEXT_MAX + 2, "# %s", text);
    return comment;
}
