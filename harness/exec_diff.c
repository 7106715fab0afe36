/*
 * Makes the calls of a trace on a command and on the judge, and says where their answers part.
 */
#include "harness/exec_diff.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "harness/exec_answer.h"
#include "harness/exec_judge.h"
#include "harness/protocol_client.h"
#include "harness/trace_layouts.h"
#include "harness/trace_results.h"

/* The attempts of diff_allowed_setting(): what a failed supply leaves, and from the next on what a READ asks for. */
enum { DIFF_SETTING_SUPPLY = 0, DIFF_SETTING_BATCHES = 1 };

/* What the steps of a comparison return besides 0 (a finding) and -1 (it cannot be made). */
enum { SAME = 1, STOPPED = 2 };

#define ANSWER_BYTES_MAX (UINT64_C(32) << 20) /* of an answer, and eight times the buffer of its call */

struct exec {
    struct exec_options options;
    struct client *client; /* null: not running */
};

/* A line and the answer to it, to be judged once more. */
struct exec_past {
    struct exec_past *next;
    struct trace_line *line;
    struct exec_answer answer;
};

/* A trace being compared. */
struct session {
    struct exec *diff;
    struct trace *trace;
    struct exec_judge judge;
    struct exec_other other;
    struct exec_past *first, **link;
    struct trace_line *line; /* null: before the first call */
    int fails_alloc;         /* the trace has it that an allocation fails: no memory is no lack of it */
    struct exec_finding *finding;
    char *question;
    size_t question_bytes;
};

/* ---- findings ---- */

static FILE *begin_finding(struct session *s, enum exec_kind kind, size_t *length)
{
    s->finding->kind = kind;
    s->finding->call = s->line != NULL ? s->line->call : 0;
    s->finding->line = s->line != NULL ? s->line->number : 0;
    return open_memstream(&s->finding->text, length);
}

static void print_complaints(struct session *s, FILE *out)
{
    const char *text = s->diff->client != NULL ? client_complaints(s->diff->client) : "";

    while (*text != '\0') {
        size_t length = strcspn(text, "\n");
        fputs("    stderr:   ", out);
        client_print_safely(text, length, out);
        putc('\n', out);
        text += length + (text[length] == '\n');
    }
}

/* The command has not answered: what was asked, what the core says, and what came instead. */
static void find_no_answer(struct session *s, enum exec_kind kind, const char *why)
{
    size_t length;
    FILE *out = begin_finding(s, kind, &length);

    if (out == NULL)
        return;
    if (s->question != NULL)
        fprintf(out, "    sent:     %.2000s\n", s->question);
    if (s->line != NULL && s->line->call != TRACE_CALL_CHECK_INVARIANTS && exec_judge_settle(&s->judge, NULL) == 0)
        exec_show_core(s->trace, s->judge.worlds, s->line, "    core:     ", out);
    fprintf(out, "    command:  %s\n", why);
    print_complaints(s, out);
    fclose(out);
    exec_restart(s->diff);
}

static void find_difference(struct session *s, enum exec_kind kind, const struct exec_answer *answer, const char *note)
{
    size_t length;
    FILE *out = begin_finding(s, kind, &length);

    if (out == NULL)
        return;
    exec_show(s->trace, s->judge.worlds, s->line, answer, out);
    if (note[0] != '\0')
        fprintf(out, "    note:     %s\n", note);
    print_complaints(s, out);
    fclose(out);
}

static int cannot(struct session *s, const char *why)
{
    s->finding->kind = EXEC_NONE;
    s->finding->text = strdup(why);
    return -1;
}

/* ---- asking ---- */

static enum exec_kind kind_of(enum client_outcome outcome)
{
    switch (outcome) {
    case CLIENT_TIMED_OUT:
        return EXEC_TIMEOUT;
    case CLIENT_FLOODED:
        return EXEC_FLOOD;
    case CLIENT_UNASKED:
        return EXEC_UNASKED;
    case CLIENT_ENDED:
        return EXEC_ENDED;
    default:
        return EXEC_NONE;
    }
}

/* Asks s->question. SAME: there is an answer; 0: there is none, a finding; -1: the command cannot be started. */
static int ask(struct session *s, uint64_t answer_max, struct client_answer *answer)
{
    struct exec *diff = s->diff;
    enum client_outcome outcome;

    if (diff->client == NULL)
        diff->client = client_start(diff->options.command, diff->options.timeout_ms);
    if (diff->client == NULL)
        return cannot(s, strerror(errno));
    outcome = client_ask(diff->client, s->question, s->question_bytes, answer_max, answer);
    if (outcome == CLIENT_ANSWERED)
        return SAME;
    find_no_answer(s, kind_of(outcome), client_message(diff->client));
    return 0;
}

static FILE *begin_question(struct session *s)
{
    free(s->question);
    s->question = NULL;
    s->question_bytes = 0;
    return open_memstream(&s->question, &s->question_bytes);
}

/* ---- before the first call ---- */

static void bind_start(struct session *s, const char *name, zx_handle_t handle)
{
    const struct trace_symbol *symbol = trace_symbol(s->trace, name, strlen(name));

    s->other.bindings[symbol->id] = (struct trace_binding){handle, handle != 0};
}

static int send_reset(struct session *s)
{
    FILE *out = begin_question(s);
    struct client_answer answer;
    pgr_start start;
    int asked;

    if (out == NULL)
        return cannot(s, "out of memory");
    fputs(PROTOCOL_RESET, out);
    fclose(out);
    asked = ask(s, ANSWER_BYTES_MAX, &answer);
    if (asked != SAME)
        return asked;
    if (answer.count != 1 || protocol_read_start(answer.lines[0].text, &start) != 0) {
        find_no_answer(s, EXEC_GARBAGE, "expected one line with the start handles as the answer to reset");
        return 0;
    }
    bind_start(s, "vmar", start.vmar);
    bind_start(s, "bti", start.bti);
    bind_start(s, "resource", start.resource);
    bind_start(s, "event", start.event);
    return SAME;
}

static int send_option(struct session *s, const struct trace_line *line)
{
    FILE *out = begin_question(s);
    struct client_answer answer;
    int asked;

    if (out == NULL)
        return cannot(s, "out of memory");
    trace_write_line(line, 0, out);
    fclose(out);
    asked = ask(s, ANSWER_BYTES_MAX, &answer);
    if (asked != SAME || answer.count == 0)
        return asked;
    if (strcmp(answer.lines[0].text, PROTOCOL_UNSUPPORTED) == 0)
        find_no_answer(s, EXEC_UNSUPPORTED, "the command does not have this option, and --unsupported does not say so");
    else
        find_no_answer(s, EXEC_GARBAGE, "expected an empty answer to an option");
    return 0;
}

static int send_options(struct session *s)
{
    int sent = send_reset(s);

    for (const struct trace_line *line = trace_lines(s->trace); line != NULL && sent == SAME; line = line->next)
        if (line->form == TRACE_OPTION)
            sent = send_option(s, line);
    return sent;
}

/* ---- judging ---- */

/*
 * Keeps the worlds in which the answer is right. Returns the kind of what is wrong in the usual world if there is none;
 * then all are kept, to be shown.
 */
static enum exec_kind judge_answer(struct session *s, struct exec_judge *judge, struct trace_line *line,
                                   const struct exec_answer *answer, char *note)
{
    struct exec_world *refuted[JUDGE_WORLDS_MAX * 2];
    uint32_t refuted_count = 0, right = 0;
    enum exec_kind first = EXEC_NONE;

    for (struct exec_world *w = judge->worlds; w != NULL; w = w->next) {
        char world_note[200];
        enum exec_kind kind = exec_compare(s->trace, w, line, answer, &s->other.shown, world_note);
        if (w == judge->worlds) {
            first = kind;
            snprintf(note, sizeof(world_note), "%s", world_note);
        }
        if (kind == EXEC_NONE) {
            exec_bind_core(s->trace, w, line);
            right++;
        } else if (refuted_count < JUDGE_WORLDS_MAX * 2) {
            refuted[refuted_count++] = w;
        }
    }
    if (right == 0)
        return first;
    for (uint32_t i = 0; i < refuted_count; i++)
        exec_judge_drop(judge, refuted[i]);
    return EXEC_NONE;
}

/* Lets released threads run in the order in which the answer says that they ended. */
static int settle(struct exec_judge *judge, const struct exec_answer *answer)
{
    const struct exec_order order = {answer->ended_threads, answer->ended_count};

    return exec_judge_settle(judge, &order);
}

/* Whether a judge with another read_batch finds all answers right, up to the present one. */
static int judge_again(struct session *s, struct exec_judge *judge)
{
    char note[200];

    for (const struct exec_past *past = s->first; past != NULL; past = past->next)
        if (exec_judge_call(judge, past->line, note) != 0 || settle(judge, &past->answer) != 0 ||
            judge_answer(s, judge, past->line, &past->answer, note) != EXEC_NONE)
            return 0;
    return 1;
}

/* The pages that the READ request asks for which is the answer; 0 if it is no request. */
static uint64_t request_pages(struct session *s, const struct exec_answer *answer)
{
    const struct trace_value *packet = trace_nth(answer->call->args, 2);
    uint64_t bytes = 0;

    if (answer->call->call != PGR_CALL_PORT_WAIT || packet->form != TRACE_STRUCTURE)
        return 0;
    for (const struct trace_value *field = packet->items; field != NULL; field = field->next)
        if (strcmp(field->field->name, "length") == 0)
            trace_evaluate(s->trace, field, NULL, &bytes, NULL);
    return bytes / trace_page_bytes(s->trace);
}

/* Whether the judge finds all answers right if it is configured so; then it goes on as this judge. */
static int explain_by(struct session *s, const pgr_config *config)
{
    struct exec_judge judge;

    if (exec_judge_begin(&judge, s->trace, config) == 0 && judge_again(s, &judge)) {
        exec_judge_end(&s->judge);
        s->judge = judge;
        return 1;
    }
    exec_judge_end(&judge);
    return 0;
}

static int explain_by_batch(struct session *s, const pgr_config *config, uint64_t pages)
{
    pgr_config other = *config;

    if (exec_judge_is_told(s->trace, TRACE_READ_BATCH))
        return 0;
    for (unsigned attempt = DIFF_SETTING_BATCHES; diff_allowed_setting(&other, attempt, pages); attempt++)
        if (other.read_batch != config->read_batch && explain_by(s, &other))
            return 1;
    return 0;
}

/*
 * Settings that are the implementation's choice, unless the trace says them: how much one READ request asks for, and
 * what a supply without memory has done. The choice must be the same from the first line on.
 */
static int explain(struct session *s, const struct exec_answer *answer)
{
    uint64_t pages = request_pages(s, answer);
    pgr_config config = s->judge.config;

    if (explain_by_batch(s, &config, pages))
        return 1;
    if (!s->judge.supply_is_free || !diff_allowed_setting(&config, DIFF_SETTING_SUPPLY, 0))
        return 0;
    return explain_by(s, &config) || explain_by_batch(s, &config, pages);
}

static void remember(struct session *s, struct trace_line *line, const struct exec_answer *answer)
{
    struct exec_past *past = trace_allocate(s->other.spoken, sizeof(*past));

    *past = (struct exec_past){.line = line, .answer = *answer};
    *s->link = past;
    s->link = &past->next;
}

/* ---- a VMO that only one of the two has ---- */

static int close_other(struct session *s, const struct trace_line *said)
{
    const struct trace_value *handle = trace_nth(said->args, 3);
    uint64_t number = 0;
    struct client_answer answer;
    FILE *out = begin_question(s);

    if (out == NULL)
        return cannot(s, "out of memory");
    if (handle->form == TRACE_ARRAY && handle->items != NULL)
        trace_evaluate(s->other.spoken, handle->items, NULL, &number, NULL);
    fprintf(out, "zx_handle_close(%" PRIu64 ")", number);
    fclose(out);
    return ask(s, ANSWER_BYTES_MAX, &answer);
}

static void close_core(struct exec_world *w)
{
    pgr_call call = {.number = PGR_CALL_HANDLE_CLOSE, .thread = w->call.thread, .arg = {w->result.out[3]}};
    pgr_result result;

    w->core->call(w->core->self, &call, &result);
}

/*
 * Whether there were frames in a row for a contiguous VMO is left open: who has got it gives it back, and it has no
 * name.
 */
static int even_out(struct session *s, const struct trace_line *line, const struct exec_answer *answer)
{
    zx_status_t said = answer->call->form == TRACE_CALL ? answer->call->status->status : ZX_OK;
    const struct trace_value *name = trace_nth(line->args, 3);

    if (line->call != PGR_CALL_VMO_CREATE_CONTIGUOUS || said == s->judge.worlds->result.status)
        return SAME;
    if (name->form == TRACE_BINDING)
        s->other.bindings[name->symbol->id].is_bound = 0;
    if (said == ZX_OK)
        return close_other(s, answer->call);
    for (struct exec_world *w = s->judge.worlds; w != NULL; w = w->next)
        close_core(w);
    return SAME;
}

/* ---- the end of the core's memory ---- */

static int has_no_memory(const pgr_result *result)
{
    return result->outcome == PGR_DONE && result->status == ZX_ERR_NO_MEMORY;
}

/* A world has as much as a trace may expect, and an implementation may have more: where that counts nobody can say. */
static int is_full(const struct session *s, const struct exec_answer *answer)
{
    const struct exec_world *w = s->judge.worlds;
    const struct trace_status *said = answer->call->status;
    int is_full = has_no_memory(&w->result) && (said == NULL || said->status == ZX_OK);

    for (uint32_t i = 0; i < w->player.ended_count; i++)
        is_full |= has_no_memory(&w->player.ended[i].result);
    return is_full && !s->fails_alloc;
}

static int stop_when_full(struct session *s, const struct trace_line *line)
{
    char text[100];

    snprintf(text, sizeof(text), "compared up to line %" PRIu32 ": there the core's world is full", line->number);
    s->finding->text = strdup(text);
    return STOPPED;
}

static int judge_line(struct session *s, struct trace_line *line, const struct exec_answer *answer)
{
    char note[200];
    enum exec_kind kind;

    remember(s, line, answer);
    if (settle(&s->judge, answer) != 0)
        return cannot(s, "the threads that a line released never come to rest in the core");
    kind = judge_answer(s, &s->judge, line, answer, note);
    if (kind != EXEC_NONE && is_full(s, answer))
        return stop_when_full(s, line);
    if (kind != EXEC_NONE && !explain(s, answer)) {
        find_difference(s, kind, answer, note);
        return 0;
    }
    exec_bind_other(s->trace, &s->other, line, answer);
    return even_out(s, line, answer);
}

/* ---- lines ---- */

/* A number in the place of a handle which happens to be a handle of the core's, but not the implementation's. */
static int is_stray_handle(const struct session *s, const struct trace_value *value)
{
    uint64_t number;

    if (value->form != TRACE_EXPRESSION || trace_evaluate(s->trace, value, NULL, &number, NULL) != 0)
        return 0;
    return number != 0 && pgr_inspect_handle_row(s->judge.worlds->world, (zx_handle_t)number) != 0;
}

static int has_stray_handle(const struct session *s, const struct trace_line *line)
{
    const pgr_call_info *row = trace_call_row(line->call);
    unsigned place = 0;

    for (const struct trace_value *value = line->args; value != NULL; value = value->next, place++) {
        if (row->args[place].kind == PGR_ARG_HANDLE && is_stray_handle(s, value))
            return 1;
        if (row->args[place].kind != PGR_ARG_HANDLES)
            continue;
        for (const struct trace_value *item = value->items; item != NULL; item = item->next)
            if (is_stray_handle(s, item))
                return 1;
    }
    return 0;
}

/* The question for this line. 0: a name in it has no value for the command. */
static int make_question(struct session *s, const struct trace_line *line)
{
    const struct trace_symbol *unbound;
    FILE *out = begin_question(s);
    int has_values;

    if (out == NULL)
        return 0;
    has_values = protocol_write_call(s->trace, line, s->other.bindings, out, &unbound) == 0;
    fclose(out);
    return has_values;
}

/* The invariants are the implementation's own: it may have none, but if it has they hold. */
static int check_invariants(struct session *s)
{
    struct client_answer text;
    struct exec_answer answer;
    char why[300];
    int asked = ask(s, ANSWER_BYTES_MAX, &text);
    enum exec_kind kind;

    if (asked != SAME)
        return asked;
    kind = exec_read_answer(s->trace, &s->other, s->line, &text, &answer, why);
    if (kind == EXEC_UNSUPPORTED)
        return SAME;
    if (kind == EXEC_NONE && answer.call->form == TRACE_CALL && answer.call->status->status == ZX_OK)
        return SAME;
    find_no_answer(s, kind != EXEC_NONE ? kind : EXEC_STATUS, kind != EXEC_NONE ? why : "its invariants do not hold");
    return 0;
}

/*
 * A transfer for which nobody has a buffer: what comes of it depends on what stands behind the buffer that there is.
 * The core has refused it, and nothing has changed.
 */
static int is_without_buffer(const struct exec_world *w)
{
    const pgr_call_info *row = trace_call_row(w->call.number);

    for (unsigned place = 0; place < row->arg_count; place++) {
        const pgr_arg *arg = &row->args[place];
        int is_transfer = arg->kind == PGR_ARG_BYTES_IN || arg->kind == PGR_ARG_BYTES_OUT;
        if (is_transfer && w->call.at == 0 && w->call.buffer_bytes < w->call.arg[arg->detail])
            return w->result.status == ZX_ERR_NOT_FOUND;
    }
    return 0;
}

/* An access longer than any buffer, which the core would end in an exception of its own. */
static int is_endless_access(struct session *s, const struct trace_line *line)
{
    int is_access = line->call == PGR_CALL_MEM_READ || line->call == PGR_CALL_MEM_WRITE;
    uint64_t bytes = 0;

    if (!is_access)
        return 0;
    trace_evaluate(s->trace, trace_nth(line->args, 2), s->judge.worlds->player.run.bindings, &bytes, NULL);
    return bytes > RUN_BUFFER_MAX;
}

static int fails_alloc(const struct session *s)
{
    pgr_inspect_counts counts;

    pgr_inspect_world(s->judge.worlds->world, &counts);
    return counts.fail_alloc != 0;
}

static int compare_line(struct session *s, struct trace_line *line)
{
    struct client_answer text;
    struct exec_answer answer;
    enum exec_kind kind;
    char why[300];
    int asked;

    s->line = line;
    if (has_stray_handle(s, line) || is_endless_access(s, line) || !make_question(s, line))
        return SAME;
    if (line->call == TRACE_CALL_CHECK_INVARIANTS)
        return check_invariants(s);
    s->fails_alloc = fails_alloc(s);
    if (exec_judge_call(&s->judge, line, why) != 0)
        return SAME;
    if (is_without_buffer(s->judge.worlds))
        return SAME;
    asked = ask(s, ANSWER_BYTES_MAX + 8 * s->judge.worlds->call.buffer_bytes, &text);
    if (asked != SAME)
        return asked;
    kind = exec_read_answer(s->trace, &s->other, line, &text, &answer, why);
    if (kind == EXEC_NONE)
        return judge_line(s, line, &answer);
    find_no_answer(s, kind, why);
    return 0;
}

static int compare_lines(struct session *s)
{
    int same = SAME;

    for (struct trace_line *line = trace_lines(s->trace); line != NULL && same == SAME; line = line->next) {
        struct trace_mark mark = trace_mark(s->trace);
        if (line->form == TRACE_CALL || line->form == TRACE_UNFINISHED || line->form == TRACE_FAULTING)
            same = compare_line(s, line);
        trace_release(s->trace, mark);
    }
    return same;
}

/* ---- a trace ---- */

static int begin_session(struct session *s)
{
    uint32_t symbols = trace_symbol_count(s->trace);
    pgr_config config;

    s->link = &s->first;
    s->other.symbols = symbols;
    s->other.spoken = trace_new(trace_page_bytes(s->trace));
    s->other.bindings = calloc(symbols, sizeof(*s->other.bindings));
    s->other.waits = calloc(symbols, sizeof(*s->other.waits));
    if (s->other.bindings == NULL || s->other.waits == NULL)
        return -1;
    run_config(s->trace, &config);
    return exec_judge_begin(&s->judge, s->trace, &config);
}

static void end_session(struct session *s)
{
    exec_judge_end(&s->judge);
    trace_free(s->other.spoken);
    free(s->other.bindings);
    free(s->other.waits);
    free(s->question);
}

int exec_trace(struct exec *diff, struct trace *trace, struct exec_finding *finding)
{
    struct session s = {.diff = diff, .trace = trace, .finding = finding};
    int same;

    *finding = (struct exec_finding){0};
    same = begin_session(&s) == 0 ? send_options(&s) : cannot(&s, "out of memory");
    if (same == SAME)
        same = compare_lines(&s);
    end_session(&s);
    return same < 0 ? -1 : 0;
}

void exec_finding_free(struct exec_finding *finding)
{
    free(finding->text);
    *finding = (struct exec_finding){0};
}

/* ---- the command ---- */

struct exec *exec_new(const struct exec_options *options)
{
    struct exec *diff = calloc(1, sizeof(*diff));

    if (diff != NULL)
        diff->options = *options;
    return diff;
}

void exec_restart(struct exec *diff)
{
    client_stop(diff->client);
    diff->client = NULL;
}

void exec_free(struct exec *diff)
{
    if (diff == NULL)
        return;
    exec_restart(diff);
    free(diff);
}

const char *exec_lacks(const struct exec *diff, const struct trace *trace)
{
    for (const struct trace_line *line = trace_lines(trace); line != NULL; line = line->next) {
        if (line->form == TRACE_OPTION && diff->options.lacks_option[line->option])
            return trace_option_row(line->option)->name;
        if (line->form != TRACE_BLANK && line->form != TRACE_OPTION && diff->options.lacks_call[line->call])
            return trace_call_row(line->call)->name;
    }
    return NULL;
}
