/*
 * The two answers, for a reader: with the names of the trace, one under the other.
 */
#include <string.h>

#include "harness/constants.h"
#include "harness/exec_answer.h"
#include "harness/trace_results.h"

static void show_line(const struct trace_line *line, const char *margin, FILE *out)
{
    fputs(margin, out);
    trace_write_line(line, 0, out);
    putc('\n', out);
}

/* ---- the core's ---- */

static struct trace_line core_line(struct trace *trace, struct exec_world *world, const struct trace_line *line)
{
    struct trace_line told = protocol_call_line(trace, line, &world->call, &world->result);
    struct trace_comparison naming = {
        .trace = trace, .bindings = world->player.run.bindings, .fill = 1, .fill_buffers = 1};
    struct trace_outcome outcome = {&world->call, &world->result};

    if (told.form == TRACE_CALL && line->call != TRACE_CALL_X86_EXEC)
        told.args = trace_compare_outputs(&naming, line, &outcome);
    return told;
}

void exec_show_core(struct trace *trace, struct exec_world *world, const struct trace_line *line, const char *margin,
                    FILE *out)
{
    struct trace_line told = core_line(trace, world, line);

    show_line(&told, margin, out);
    if (world->result.outcome == PGR_FAULT) {
        told = protocol_exception_line(trace, line->thread, line->call, &world->result);
        show_line(&told, margin, out);
    }
    for (uint32_t i = 0; i < world->player.ended_count; i++) {
        told = protocol_ended_line(trace, &world->player.ended[i]);
        show_line(&told, margin, out);
    }
}

/* ---- the implementation's ---- */

/* What it was sent with the trace's names, and what it has said in the places that it fills in. */
static struct trace_line other_line(struct trace *trace, const struct trace_line *line, const struct trace_line *said)
{
    const pgr_call_info *row = trace_call_row(line->call);
    const struct trace_value *output = said->args;
    struct trace_line told = *said;
    struct trace_value **link = &told.args;
    unsigned place = 0;

    for (const struct trace_value *sent = line->args; sent != NULL; sent = sent->next, place++) {
        int is_said = output != NULL && trace_is_output(row->args[place].kind) && sent->form != TRACE_BINDING;
        struct trace_value *copy = trace_allocate(trace, sizeof(*copy));
        *copy = is_said ? *output : *sent;
        copy->next = NULL;
        *link = copy;
        link = &copy->next;
        output = output != NULL ? output->next : NULL;
    }
    return told;
}

void exec_show(struct trace *trace, struct exec_world *world, const struct trace_line *line,
               const struct exec_answer *answer, FILE *out)
{
    const char *margin = "    command:  ";
    struct trace_line told = other_line(trace, line, answer->call);

    exec_show_core(trace, world, line, "    core:     ", out);
    show_line(&told, margin, out);
    if (answer->exception != NULL)
        show_line(answer->exception, margin, out);
    for (uint32_t i = 0; i < answer->ended_count; i++)
        show_line(answer->ended[i], margin, out);
}
