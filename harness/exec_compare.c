/*
 * Whether an answer is what came of the line in a world of the judge. The answer is taken as the expectation of a trace
 * and compared like one, after the numbers that only the implementation knows (handles, addresses, koids) have been
 * replaced by the core's. What need not be the same is in diff_allowed.h.
 */
#include <inttypes.h>
#include <string.h>

#include "harness/constants.h"
#include "harness/exec_answer.h"
#include "harness/trace_layouts.h"
#include "harness/trace_results.h"

struct comparing {
    struct trace *trace;
    struct exec_world *world;
    struct diff_shown *shown;
    struct trace_comparison comparison;
};

static struct trace_value *copy_value(struct trace *trace, const struct trace_value *value)
{
    struct trace_value *copy = trace_allocate(trace, sizeof(*copy));

    *copy = *value;
    copy->next = NULL;
    return copy;
}

static struct trace_value *exact_number(struct trace *trace, uint64_t number)
{
    struct trace_value *value = trace_allocate(trace, sizeof(*value));

    value->form = TRACE_EXPRESSION;
    value->terms = trace_allocate(trace, sizeof(*value->terms));
    value->terms->number = number;
    return value;
}

static uint64_t number_of(const struct comparing *c, const struct trace_value *value)
{
    uint64_t number = 0;

    trace_evaluate(c->trace, value, NULL, &number, NULL);
    return number;
}

static void note_difference(struct comparing *c, const char *name, uint64_t other, const char *why)
{
    snprintf(c->comparison.note, sizeof(c->comparison.note), "%s: %" PRIu64 " %s", name, other, why);
    c->comparison.differs = 1;
}

/* ---- structures ---- */

static int is_koid(const struct trace_field *field)
{
    return strcmp(field->name, "koid") == 0 || strcmp(field->name, "related_koid") == 0 ||
           strcmp(field->name, "parent_koid") == 0;
}

/* The core's koid where it may be the same object's. */
static struct trace_value *core_koid(struct comparing *c, const struct trace_value *said, const void *structure)
{
    uint64_t core = trace_field_get(said->field, structure, 0);
    uint64_t other = number_of(c, said);

    if (!exec_judge_same_koid(c->world, core, other))
        note_difference(c, said->field->name, other, "is another object than before, or as here");
    return exact_number(c->trace, core);
}

/* The root of an address range may lie anywhere: its address is learned. */
static struct trace_value *core_base(struct comparing *c, const struct trace_value *said, const zx_info_vmar_t *info)
{
    uint64_t other = number_of(c, said);

    if (exec_judge_core_address(c->world, other) == other && other != info->base)
        exec_judge_add_range(c->world, info->base, other, info->len);
    return exact_number(c->trace, exec_judge_core_address(c->world, other));
}

/* Whether the specification leaves the field open: then what makes two packets, or two infos, equal wipes it out. */
static int is_open_in_packet(const struct trace_field *field, const zx_port_packet_t *packet)
{
    zx_port_packet_t wiped = *packet;

    if (field->group != TRACE_GROUP_PAGE_REQUEST && field->group != TRACE_GROUP_SIGNAL)
        return 0;
    trace_field_set(field, &wiped, 0, 1);
    diff_allowed_packet(&wiped);
    return trace_field_get(field, &wiped, 0) == 0;
}

static int is_open_in_vmo(const struct trace_field *field)
{
    zx_info_vmo_t wiped = {0};

    if (field->type == TRACE_FIELD_TEXT)
        return 0;
    trace_field_set(field, &wiped, 0, 1);
    diff_allowed_info_vmo(&wiped);
    return trace_field_get(field, &wiped, 0) == 0;
}

/* A field of an info as the core would have to say it; null: it is not compared. */
static struct trace_value *core_info_field(struct comparing *c, const struct trace_value *said, uint64_t topic,
                                           const void *info)
{
    if (topic == ZX_INFO_VMO && is_open_in_vmo(said->field))
        return NULL;
    if (said->form == TRACE_EXPRESSION && is_koid(said->field))
        return core_koid(c, said, info);
    if (said->form == TRACE_EXPRESSION && topic == ZX_INFO_VMAR && strcmp(said->field->name, "base") == 0)
        return core_base(c, said, info);
    return copy_value(c->trace, said);
}

static struct trace_value *core_packet_field(struct comparing *c, const struct trace_value *said,
                                             const zx_port_packet_t *packet)
{
    int is_flags = said->field->group == TRACE_GROUP_PAGE_REQUEST && strcmp(said->field->name, "flags") == 0;

    if (is_open_in_packet(said->field, packet))
        return NULL;
    if (!is_flags || said->form != TRACE_EXPRESSION || packet->type != ZX_PKT_TYPE_PAGE_REQUEST)
        return copy_value(c->trace, said);
    if (!diff_allowed_flags(c->shown, packet->page_request.command, (uint16_t)number_of(c, said)))
        note_difference(c, "flags", number_of(c, said), "are others than before");
    return NULL;
}

static struct trace_value *core_structure(struct comparing *c, unsigned kind, const struct trace_value *said,
                                          uint64_t topic, const void *structure)
{
    struct trace_value *copy = copy_value(c->trace, said);
    struct trace_value **link = &copy->items;

    if (said->form != TRACE_STRUCTURE)
        return copy;
    *link = NULL;
    for (const struct trace_value *item = said->items; item != NULL; item = item->next) {
        struct trace_value *field = kind == PGR_ARG_INFO_OUT ? core_info_field(c, item, topic, structure)
                                                             : core_packet_field(c, item, structure);
        if (field == NULL)
            continue;
        field->field = item->field;
        *link = field;
        link = &field->next;
    }
    return copy;
}

/* ---- registers and addresses ---- */

/* A register may hold a number or an address, which lies elsewhere: it is right if it is right as one of them. */
static struct trace_value *core_register(struct comparing *c, const struct trace_value *said, const struct x86_run *run)
{
    uint64_t open = strcmp(said->field->name, "rflags") == 0 ? run->instruction.undefined_flags : 0;
    uint64_t core, other;

    if (said->form != TRACE_EXPRESSION)
        return copy_value(c->trace, said);
    core = trace_field_get(said->field, &run->registers, 0);
    other = number_of(c, said);
    if (exec_judge_core_address(c->world, other) == core || ((other ^ core) & ~open) == 0)
        return exact_number(c->trace, core);
    return copy_value(c->trace, said);
}

/* Where an instruction is only modelled, registers get a pattern, which nobody else has to have. */
static struct trace_value *core_registers(struct comparing *c, const struct trace_value *said, const pgr_call *call)
{
    const struct x86_run *run = c->world->player.run.numbers[call->thread]->x86;
    struct trace_value *copy = copy_value(c->trace, said);
    struct trace_value **link = &copy->items;

    if (said->form != TRACE_STRUCTURE || !run->instruction.is_exact)
        return trace_make_anything(c->trace);
    *link = NULL;
    for (const struct trace_value *item = said->items; item != NULL; item = item->next) {
        *link = core_register(c, item, run);
        (*link)->field = item->field;
        link = &(*link)->next;
    }
    return copy;
}

/* Where a mapping or a VMAR lies is the implementation's choice; from here on it is known. */
static struct trace_value *learn_address(struct comparing *c, const struct trace_value *said, const pgr_call *call,
                                         uint64_t core)
{
    const pgr_call_info *row = trace_call_row(call->number);
    const struct trace_value *number = said->form == TRACE_ARRAY ? said->items : said;
    uint64_t bytes = 0;

    for (unsigned place = 0; place < row->arg_count; place++)
        if (row->args[place].kind == PGR_ARG_SIZE)
            bytes = call->arg[place];
    if (number != NULL && number->form == TRACE_EXPRESSION)
        exec_judge_add_range(c->world, core, number_of(c, number), bytes);
    return trace_make_anything(c->trace);
}

/* ---- outputs ---- */

/* What is said of an output, as the core would have to say it. */
static struct trace_value *core_output(struct comparing *c, unsigned place, const struct trace_value *sent,
                                       const struct trace_value *said, const pgr_call *call, const pgr_result *result)
{
    unsigned kind = trace_call_row(call->number)->args[place].kind;

    if (sent->form == TRACE_EXPRESSION || sent->form == TRACE_AT)
        return copy_value(c->trace, sent);
    switch (kind) {
    case PGR_ARG_HANDLE_OUT:
        return trace_make_anything(c->trace);
    case PGR_ARG_ADDRESS_OUT:
        return learn_address(c, said, call, result->out[place]);
    case PGR_ARG_INFO_OUT:
        return core_structure(c, kind, said, (uint32_t)call->arg[1], &result->packet);
    case PGR_ARG_PACKET_OUT:
        return core_structure(c, kind, said, 0, &result->packet);
    case TRACE_ARG_REGISTERS_OUT:
        return core_registers(c, said, call);
    default:
        return copy_value(c->trace, said);
    }
}

/*
 * The line with what was said in the places of its outputs: `said` are the arguments of the answer; or null, and `late`
 * is the one output of a call that has waited (null: it was not said).
 */
static struct trace_line expectation(struct comparing *c, const struct trace_line *line, const struct trace_value *said,
                                     const struct trace_value *late, const pgr_call *call, const pgr_result *result)
{
    const pgr_call_info *row = trace_call_row(line->call);
    unsigned late_place = said == NULL ? protocol_late_output(line->call) : UINT32_MAX;
    struct trace_line expected = *line;
    struct trace_value **link = &expected.args;
    unsigned place = 0;

    for (const struct trace_value *sent = line->args; sent != NULL; sent = sent->next, place++) {
        const struct trace_value *output = place == late_place ? late : said;
        if (!trace_is_output(row->args[place].kind))
            *link = copy_value(c->trace, sent);
        else if (output == NULL)
            *link = trace_make_anything(c->trace);
        else
            *link = core_output(c, place, sent, output, call, result);
        link = &(*link)->next;
        said = said != NULL ? said->next : NULL;
    }
    return expected;
}

static enum exec_kind compare_outputs(struct comparing *c, const struct trace_line *line,
                                      const struct trace_value *said, const struct trace_value *late,
                                      const pgr_call *call, const pgr_result *result)
{
    struct trace_outcome outcome = {call, result};
    struct trace_line expected;

    if (!trace_has_outputs(&outcome))
        return EXEC_NONE;
    expected = expectation(c, line, said, late, call, result);
    trace_compare_outputs(&c->comparison, &expected, &outcome);
    return c->comparison.differs ? EXEC_OUTPUT : EXEC_NONE;
}

/* ---- exceptions ---- */

/* An address of the access, by its distance from where the access begins; of an instruction, by where it lies. */
static uint64_t core_fault_address(struct comparing *c, const pgr_call *call, uint64_t begin_of_other, uint64_t other)
{
    if (call->number == TRACE_CALL_X86_EXEC)
        return exec_judge_core_address(c->world, other);
    return call->arg[0] + (other - begin_of_other);
}

static enum exec_kind compare_exception(struct comparing *c, const struct trace_line *said, const pgr_call *call,
                                        uint64_t begin_of_other, const pgr_result *result)
{
    const struct trace_value *addr = said->args->items;

    if (said->status != NULL && !trace_status_matches(said->status, result->fault.code))
        return EXEC_STATUS;
    if (addr == NULL || addr->form != TRACE_EXPRESSION)
        return EXEC_NONE;
    if (core_fault_address(c, call, begin_of_other, number_of(c, addr)) == result->fault.address)
        return EXEC_NONE;
    return EXEC_OUTPUT;
}

/* ---- the call itself ---- */

static uint32_t form_of(const pgr_result *result)
{
    switch (result->outcome) {
    case PGR_BLOCKED:
        return TRACE_UNFINISHED;
    case PGR_FAULT:
        return TRACE_FAULTING;
    default:
        return TRACE_CALL;
    }
}

static enum exec_kind compare_call(struct comparing *c, const struct trace_line *line, const struct exec_answer *answer)
{
    const struct exec_world *w = c->world;

    if (answer->call->form != form_of(&w->result))
        return EXEC_BLOCKING;
    if (w->result.outcome == PGR_BLOCKED)
        return EXEC_NONE;
    if (w->result.outcome == PGR_FAULT)
        return compare_exception(c, answer->exception, &w->call, answer->address, &w->result);
    if (diff_allowed_statuses(line->call, w->result.status, answer->call->status->status))
        return EXEC_NONE;
    if (!trace_status_matches(answer->call->status, w->result.status))
        return EXEC_STATUS;
    return compare_outputs(c, line, answer->call->args, NULL, &w->call, &w->result);
}

/* ---- calls that the line has ended ---- */

static int is_right_end(struct comparing *c, const struct trace_line *said, uint64_t begin_of_other,
                        const struct played_call *ended)
{
    uint32_t form = ended->result.outcome == PGR_FAULT ? TRACE_EXCEPTION : TRACE_RESUMED;

    if (strcmp(said->thread->name, ended->thread->symbol->name) != 0 || said->form != form)
        return 0;
    if (form == TRACE_EXCEPTION)
        return compare_exception(c, said, &ended->call, begin_of_other, &ended->result) == EXEC_NONE;
    if (!trace_status_matches(said->status, ended->result.status))
        return 0;
    return compare_outputs(c, ended->thread->line, NULL, said->output, &ended->call, &ended->result) == EXEC_NONE;
}

enum exec_kind exec_compare(struct trace *trace, struct exec_world *world, const struct trace_line *line,
                            const struct exec_answer *answer, struct diff_shown *shown, char *note)
{
    struct comparing c = {
        .trace = trace,
        .world = world,
        .shown = shown,
        .comparison = {.trace = trace, .bindings = world->player.run.bindings},
    };
    enum exec_kind kind = compare_call(&c, line, answer);
    uint32_t count = world->player.ended_count;

    for (uint32_t i = 0; kind == EXEC_NONE && i < answer->ended_count && i < count; i++)
        if (!is_right_end(&c, answer->ended[i], answer->ended_addresses[i], &world->player.ended[i]))
            kind = EXEC_ENDING;
    if (kind == EXEC_NONE && answer->ended_count != count)
        kind = EXEC_ENDING;
    snprintf(note, 200, "%s", c.comparison.note);
    return kind;
}

/* ---- names ---- */

static void bind_outputs(struct trace *trace, struct exec_world *world, const struct trace_line *line,
                         const pgr_call *call, const pgr_result *result)
{
    struct trace_comparison binding = {.trace = trace, .bindings = world->player.run.bindings, .binds = 1};
    struct trace_outcome outcome = {call, result};

    if (result->outcome == PGR_DONE && result->status == ZX_OK)
        trace_compare_outputs(&binding, line, &outcome);
}

void exec_bind_core(struct trace *trace, struct exec_world *world, const struct trace_line *line)
{
    bind_outputs(trace, world, line, &world->call, &world->result);
    for (uint32_t i = 0; i < world->player.ended_count; i++) {
        const struct played_call *ended = &world->player.ended[i];
        bind_outputs(trace, world, ended->thread->line, &ended->call, &ended->result);
    }
}
