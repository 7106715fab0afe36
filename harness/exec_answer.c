/*
 * Reading an implementation's answers: what an answer must be, whatever the judge says.
 */
#include "harness/exec_answer.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "harness/trace_internal.h"
#include "harness/trace_results.h"

#define WHY_BYTES 300
#define SHOWN_BYTES 100 /* of a line that is none */

struct reading {
    struct trace *trace;
    struct exec_other *other;
    const struct trace_line *line;
    char *why;
    char shown[4 * SHOWN_BYTES + 1];
};

static enum exec_kind fail(struct reading *r, enum exec_kind kind, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static enum exec_kind fail(struct reading *r, enum exec_kind kind, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(r->why, WHY_BYTES, format, arguments);
    va_end(arguments);
    return kind;
}

/* The beginning of a line that may be anything, to be quoted. */
static const char *quoted(struct reading *r, const char *text)
{
    size_t length = strlen(text);
    FILE *out = fmemopen(r->shown, sizeof(r->shown), "w");

    r->shown[0] = '\0';
    if (out == NULL)
        return r->shown;
    client_print_safely(text, length < SHOWN_BYTES ? length : SHOWN_BYTES, out);
    fclose(out);
    return r->shown;
}

/* ---- words in the place of an answer ---- */

static enum exec_kind read_word(struct reading *r, const char *text)
{
    if (strcmp(text, PROTOCOL_UNSUPPORTED) == 0)
        return fail(r, EXEC_UNSUPPORTED, "the command does not have this call, and --unsupported does not say so");
    if (strncmp(text, PROTOCOL_ERROR " ", strlen(PROTOCOL_ERROR) + 1) == 0)
        return fail(r, EXEC_ERROR, "the command gives up: %.200s", quoted(r, text + strlen(PROTOCOL_ERROR) + 1));
    return fail(r, EXEC_GARBAGE, "no answer: \"%.200s\"", quoted(r, text));
}

/* ---- one line ---- */

/* An answer has nothing but numbers: no name, and nothing left to bind. */
static int is_resolved(const struct trace_value *values)
{
    for (; values != NULL; values = values->next) {
        switch (values->form) {
        case TRACE_EXPRESSION:
            for (const struct trace_term *term = values->terms; term != NULL; term = term->next)
                if (term->kind == TRACE_NAME)
                    return 0;
            break;
        case TRACE_BINDING:
            return 0;
        case TRACE_FILL:
        case TRACE_PAGE_BYTES:
        case TRACE_AT:
        case TRACE_ARRAY:
        case TRACE_STRUCTURE:
            if (!is_resolved(values->items))
                return 0;
            break;
        default:
            break;
        }
    }
    return 1;
}

static struct trace_line *read_line(struct reading *r, const char *text, size_t bytes)
{
    struct trace_error error;
    struct trace_line *line =
        trace_read_next(r->other->spoken, TRACE_ANSWER, text, bytes, ++r->other->lines, 1, &error);

    if (line == NULL) {
        fail(r, EXEC_GARBAGE, "line \"%.200s\", column %u: %.150s", quoted(r, text), error.column, error.message);
        return NULL;
    }
    if (line->form == TRACE_BLANK || !is_resolved(line->args) || (line->output != NULL && !is_resolved(line->output))) {
        fail(r, EXEC_GARBAGE, "line \"%.200s\": expected a call or its end, with numbers alone", quoted(r, text));
        return NULL;
    }
    return line;
}

/* ---- the call itself ---- */

static int same_name(const struct trace_symbol *a, const struct trace_symbol *b)
{
    return strcmp(a->name, b->name) == 0;
}

/* Whether an argument was repeated as it was sent. Buffers may be written in another way. */
static int same_argument(struct reading *r, const pgr_arg *arg, const struct trace_value *sent,
                         const struct trace_value *said)
{
    uint64_t sent_number, said_number;

    if (trace_is_output(arg->kind) || sent->form != TRACE_EXPRESSION)
        return sent->form != TRACE_THREAD || same_name(sent->symbol, said->symbol);
    return said->form == TRACE_EXPRESSION &&
           trace_evaluate(r->trace, sent, r->other->bindings, &sent_number, NULL) == 0 &&
           trace_evaluate(r->other->spoken, said, NULL, &said_number, NULL) == 0 && sent_number == said_number;
}

static enum exec_kind check_repeated(struct reading *r, const struct trace_line *said, const char *text)
{
    const pgr_call_info *row = trace_call_row(r->line->call);
    const struct trace_value *sent = r->line->args;
    const struct trace_value *value = said->args;

    if (said->form != TRACE_CALL && said->form != TRACE_UNFINISHED && said->form != TRACE_FAULTING)
        return fail(r, EXEC_OTHER_CALL, "the answer begins with another line: \"%.200s\"", quoted(r, text));
    if (said->call != r->line->call || !same_name(said->thread, r->line->thread))
        return fail(r, EXEC_OTHER_CALL, "another call is answered: \"%.200s\"", quoted(r, text));
    for (unsigned place = 0; sent != NULL && value != NULL; sent = sent->next, value = value->next, place++)
        if (!same_argument(r, &row->args[place], sent, value))
            return fail(r, EXEC_OTHER_CALL, "the call is answered with another '%s': \"%.200s\"", row->args[place].name,
                        quoted(r, text));
    return EXEC_NONE;
}

static int must_be_said(const pgr_arg *arg, const struct trace_value *sent)
{
    if (arg->kind == PGR_ARG_INFO_OUT || arg->kind == PGR_ARG_STATS_OUT || trace_argument_optional(arg->kind))
        return 0;
    return trace_is_output(arg->kind) && sent->form != TRACE_EXPRESSION && sent->form != TRACE_AT;
}

static int is_ok(const struct trace_line *line)
{
    return line->status != NULL && line->status->form == TRACE_STATUS_ONE && line->status->status == ZX_OK;
}

/* A call that has succeeded gives something back. Of structures, fields may be left out. */
static enum exec_kind check_outputs(struct reading *r, const struct trace_line *said)
{
    const pgr_call_info *row = trace_call_row(r->line->call);
    const struct trace_value *sent = r->line->args;
    const struct trace_value *value = said->args;

    if (said->form != TRACE_CALL || !is_ok(said))
        return EXEC_NONE;
    for (unsigned place = 0; sent != NULL && value != NULL; sent = sent->next, value = value->next, place++)
        if (value->form == TRACE_ANYTHING && must_be_said(&row->args[place], sent))
            return fail(r, EXEC_GARBAGE, "the answer does not say what '%s' is", row->args[place].name);
    return EXEC_NONE;
}

static enum exec_kind check_status(struct reading *r, const struct trace_line *said)
{
    int needs_one = said->form == TRACE_CALL || said->form == TRACE_RESUMED;
    const struct trace_status *status = said->status;

    if (needs_one && (status == NULL || status->next != NULL || status->form != TRACE_STATUS_ONE))
        return fail(r, EXEC_GARBAGE, "expected one status in the answer");
    return EXEC_NONE;
}

/* ---- the whole ---- */

/* What the thread of a line is in, by the compared trace's symbols; null: it has no such thread. */
static struct exec_wait *wait_of(struct trace *trace, struct exec_other *other, const struct trace_line *said)
{
    const struct trace_symbol *thread = trace_symbol(trace, said->thread->name, strlen(said->thread->name));

    return thread->id < other->symbols ? &other->waits[thread->id] : NULL;
}

static void add_ended(struct reading *r, struct exec_answer *answer, struct trace_line *line)
{
    const struct exec_wait *wait = wait_of(r->trace, r->other, line);

    answer->ended[answer->ended_count] = line;
    answer->ended_threads[answer->ended_count] = line->thread->name;
    answer->ended_addresses[answer->ended_count++] = wait != NULL ? wait->address : 0;
}

static enum exec_kind read_lines(struct reading *r, const struct client_answer *text, struct exec_answer *answer)
{
    enum exec_kind kind = EXEC_NONE;

    answer->ended = trace_allocate(r->other->spoken, text->count * sizeof(*answer->ended));
    answer->ended_threads = trace_allocate(r->other->spoken, text->count * sizeof(*answer->ended_threads));
    answer->ended_addresses = trace_allocate(r->other->spoken, text->count * sizeof(*answer->ended_addresses));
    for (size_t i = 0; i < text->count && kind == EXEC_NONE; i++) {
        struct trace_line *line = read_line(r, text->lines[i].text, text->lines[i].bytes);
        if (line == NULL)
            return EXEC_GARBAGE;
        kind = check_status(r, line);
        if (i == 0) {
            answer->call = line;
            kind = kind != EXEC_NONE ? kind : check_repeated(r, line, text->lines[i].text);
        } else if (i == 1 && answer->call->form == TRACE_FAULTING) {
            answer->exception = line;
        } else {
            add_ended(r, answer, line);
        }
    }
    return kind;
}

/* A fault is told at once; and what is told besides is how other calls have ended. */
static enum exec_kind check_shape(struct reading *r, const struct exec_answer *answer)
{
    const struct trace_line *exception = answer->exception;

    if (answer->call->form == TRACE_FAULTING && (exception == NULL || exception->form != TRACE_EXCEPTION ||
                                                 !same_name(exception->thread, answer->call->thread)))
        return fail(r, EXEC_GARBAGE, "expected the exception behind an access without a result");
    for (uint32_t i = 0; i < answer->ended_count; i++)
        if (answer->ended[i]->form != TRACE_RESUMED && answer->ended[i]->form != TRACE_EXCEPTION)
            return fail(r, EXEC_GARBAGE, "expected the ends of other calls behind the answer to this one");
    return EXEC_NONE;
}

static uint64_t access_address(struct reading *r)
{
    uint64_t address = 0;

    if (r->line->call == PGR_CALL_MEM_READ || r->line->call == PGR_CALL_MEM_WRITE)
        trace_evaluate(r->trace, r->line->args, r->other->bindings, &address, NULL);
    return address;
}

enum exec_kind exec_read_answer(struct trace *trace, struct exec_other *other, const struct trace_line *line,
                                const struct client_answer *text, struct exec_answer *answer, char *why)
{
    struct reading r = {.trace = trace, .other = other, .line = line, .why = why};
    enum exec_kind kind;

    *answer = (struct exec_answer){0};
    if (text->count == 0)
        return fail(&r, EXEC_GARBAGE, "the answer is empty");
    if (text->lines[0].text[0] == '!')
        return read_word(&r, text->lines[0].text);
    kind = read_lines(&r, text, answer);
    if (kind == EXEC_NONE)
        kind = check_shape(&r, answer);
    if (kind == EXEC_NONE)
        kind = check_outputs(&r, answer->call);
    answer->address = access_address(&r);
    return kind;
}

/* ---- names ---- */

static void bind(struct exec_other *other, const struct trace_value *name, const struct trace_value *said)
{
    struct trace_binding *binding = &other->bindings[name->symbol->id];
    uint64_t number = 0;

    switch (said->form) {
    case TRACE_ARRAY:
        if (said->items != NULL)
            bind(other, name, said->items);
        return;
    case TRACE_EXPRESSION:
        trace_evaluate(other->spoken, said, NULL, &number, NULL);
        break;
    case TRACE_WIDE:
    case TRACE_STRING:
        memcpy(&number, said->text.bytes, said->text.count < sizeof(number) ? said->text.count : sizeof(number));
        break;
    default:
        return;
    }
    *binding = (struct trace_binding){number, 1};
}

static const struct trace_value *counterpart(const struct trace_value *item, unsigned place,
                                             const struct trace_value *said)
{
    if (item->field == NULL)
        return trace_nth(said->items, place);
    for (said = said->items; said != NULL; said = said->next)
        if (strcmp(said->field->name, item->field->name) == 0)
            return said;
    return NULL;
}

/* Structures and arrays nest two deep, so the recursion ends there. */
static void bind_value(struct exec_other *other, const struct trace_value *value, const struct trace_value *said)
{
    unsigned place = 0;

    if (said == NULL)
        return;
    if (value->form == TRACE_BINDING)
        bind(other, value, said);
    if (value->form != TRACE_STRUCTURE && value->form != TRACE_ARRAY)
        return;
    if (said->form != value->form)
        return;
    for (const struct trace_value *item = value->items; item != NULL; item = item->next)
        bind_value(other, item, counterpart(item, place++, said));
}

/* The outputs of a call that has waited, from the line that began it. */
static void bind_late(struct trace *trace, struct exec_other *other, const struct trace_line *said)
{
    struct exec_wait *wait = wait_of(trace, other, said);
    const struct trace_line *begun = wait != NULL ? wait->line : NULL;
    const struct trace_value *value;

    if (wait != NULL)
        *wait = (struct exec_wait){0};
    if (begun == NULL || said->form != TRACE_RESUMED || !is_ok(said) || said->output == NULL)
        return;
    value = trace_nth(begun->args, protocol_late_output(begun->call));
    if (value != NULL)
        bind_value(other, value, said->output);
}

void exec_bind_other(struct trace *trace, struct exec_other *other, struct trace_line *line,
                     const struct exec_answer *answer)
{
    const struct trace_value *said = answer->call->args;

    if (answer->call->form == TRACE_UNFINISHED)
        other->waits[line->thread->id] = (struct exec_wait){line, answer->address};
    if (answer->call->form == TRACE_CALL && is_ok(answer->call))
        for (const struct trace_value *value = line->args; value != NULL && said != NULL; value = value->next) {
            bind_value(other, value, said);
            said = said->next;
        }
    for (uint32_t i = 0; i < answer->ended_count; i++)
        bind_late(trace, other, answer->ended[i]);
}
