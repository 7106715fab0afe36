/*
 * Writes traces as programs of syzkaller. Names that the trace binds to handles and addresses become results r0, r1
 * ...; a status stands behind a call where syzkaller's own tests could have it.
 *
 * Calls that block are not marked as asynchronous: a threaded executor waits a moment for each call, and then goes on
 * with the next in another thread. So the call has blocked, as the trace has it, before the next one is made; behind an
 * asynchronous one the next is made at once.
 */
#include "harness/export_syz.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "harness/constants.h"
#include "harness/export_syz_internal.h"

/* ---- paragraphs ---- */

static void begin_comment(struct exporting *e)
{
    fputs("# ", e->out);
    e->after_comment = 1;
}

void syz_begin_call(struct exporting *e)
{
    if (e->after_comment)
        putc('\n', e->out);
    e->after_comment = 0;
}

/* ---- how calls end ---- */

static int accepts(const struct trace_status *status, zx_status_t wanted)
{
    for (; status != NULL; status = status->next)
        if (status->form == TRACE_STATUS_ANYTHING || (status->form == TRACE_STATUS_ONE && status->status == wanted))
            return 1;
    return 0;
}

/* The line that tells the end of the call that this one begins; null if the trace ends before. */
static const struct trace_line *ending_of(const struct trace_line *line)
{
    const struct trace_symbol *thread = line->thread;

    for (line = line->next; line != NULL; line = line->next)
        if (line->thread == thread && (line->form == TRACE_RESUMED || line->form == TRACE_EXCEPTION))
            return line;
    return NULL;
}

int syz_may_succeed(const struct trace_line *line)
{
    if (line->form == TRACE_UNFINISHED)
        line = ending_of(line);
    return line != NULL && accepts(line->status, ZX_OK);
}

/* ---- lines ---- */

static void put_trace_line(struct exporting *e, const struct trace_line *line)
{
    trace_write_line(line, TRACE_WRITE_COMMENT, e->out);
    putc('\n', e->out);
}

/* What syzkaller's tests may have behind a call: how it ends, if it does not end well at once. */
static const char *expected_word(const struct trace_line *line)
{
    static const zx_status_t known[] = {ZX_ERR_NO_RESOURCES,   ZX_ERR_INVALID_ARGS, ZX_ERR_BAD_HANDLE,
                                        ZX_ERR_BAD_STATE,      ZX_ERR_TIMED_OUT,    ZX_ERR_SHOULD_WAIT,
                                        ZX_ERR_ALREADY_EXISTS, ZX_ERR_ACCESS_DENIED};

    if (line->form == TRACE_UNFINISHED)
        return ending_of(line) != NULL ? "blocked" : "unfinished";
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
        if (line->status->form == TRACE_STATUS_ONE && line->status->next == NULL && line->status->status == known[i])
            return constant_status_name(known[i]);
    return NULL;
}

static int is_success(const struct trace_status *status)
{
    return status != NULL && status->form == TRACE_STATUS_ONE && status->status == ZX_OK && status->next == NULL;
}

static void write_call(struct exporting *e, const struct trace_line *line, const char *text)
{
    const char *word = expected_word(line);

    if (line->comment != NULL) {
        fprintf(e->out, "%s\n", line->comment);
        e->after_comment = 1;
    }
    if (word == NULL && !is_success(line->status)) {
        begin_comment(e);
        fputs("not ZX_OK, but without a word that syzkaller's tests have: ", e->out);
        put_trace_line(e, line);
    }
    syz_begin_call(e);
    fprintf(e->out, "%s%s%s\n", text, word != NULL ? " # " : "", word != NULL ? word : "");
    e->written++;
}

/* What the line would have bound is missing from here on. */
static void lose_outputs(struct exporting *e, const struct trace_line *line)
{
    for (const struct trace_value *value = line->args; value != NULL; value = value->next)
        if (value->form == TRACE_BINDING && syz_may_succeed(line))
            e->bindings[value->symbol->id] = (struct syz_binding){.meaning = MEANS_MISSING};
}

static void write_missing(struct exporting *e, const struct trace_line *line)
{
    begin_comment(e);
    fprintf(e->out, "missing, %s: ", e->why);
    put_trace_line(e, line);
    e->missing++;
}

static size_t bindings_bytes(const struct exporting *e)
{
    return trace_symbol_count(e->trace) * sizeof(*e->bindings);
}

static const struct syz_call *find_row(struct exporting *e, const struct trace_line *line)
{
    const struct trace_value *second = line->args != NULL ? line->args->next : NULL;
    uint64_t selector = 0;

    if (second != NULL && second->form == TRACE_EXPRESSION)
        trace_evaluate(e->trace, second, NULL, &selector, NULL);
    return syz_call_find(line->call, selector);
}

static int export_call(struct exporting *e, const struct trace_line *line)
{
    const struct syz_call *row = find_row(e, line);
    char *text = NULL;
    size_t bytes;

    e->line = open_memstream(&text, &bytes);
    if (e->line == NULL)
        return -1;
    e->why[0] = '\0';
    memcpy(e->before, e->bindings, bindings_bytes(e));
    if (row->name == NULL)
        syz_refuse(e, "%s", row->missing);
    else
        syz_put_call(e, line, row);
    fclose(e->line);
    if (e->why[0] == '\0') {
        write_call(e, line, text);
    } else {
        memcpy(e->bindings, e->before, bindings_bytes(e));
        lose_outputs(e, line);
        write_missing(e, line);
    }
    free(text);
    return 0;
}

static void export_comment(struct exporting *e, const struct trace_line *line)
{
    if (line->comment != NULL)
        fprintf(e->out, "%s\n", line->comment);
    else
        putc('\n', e->out);
    e->after_comment = line->comment != NULL;
}

static int export_line(struct exporting *e, const struct trace_line *line)
{
    switch (line->form) {
    case TRACE_BLANK:
        export_comment(e, line);
        return 0;
    case TRACE_CALL:
    case TRACE_UNFINISHED:
    case TRACE_FAULTING:
        return export_call(e, line);
    default:
        begin_comment(e);
        put_trace_line(e, line);
        return 0;
    }
}

/* ---- the program ---- */

static void write_head(struct exporting *e, const char *name)
{
    fputs("# ", e->out);
    for (; *name != '\0'; name++)
        putc(*name == '\n' ? '?' : *name, e->out);
    fprintf(e->out, ", by `pagerite export --syz` for %s.\n", syz_descriptions);
    fputs("# Calls may block, and others release them: run it with -threaded.\n", e->out);
    if (trace_page_bytes(e->trace) != SYZ_PAGE_BYTES)
        fprintf(e->out,
                "# The trace's pages have %" PRIu64 " bytes. What it counts in pages is as many pages of %" PRIu64
                " here, other numbers are as they were.\n",
                trace_page_bytes(e->trace), SYZ_PAGE_BYTES);
    putc('\n', e->out);
}

static void write_tail(struct exporting *e)
{
    fprintf(e->out, "\n# %u calls", e->written);
    if (e->missing > 0)
        fprintf(e->out, ", and %u missing", e->missing);
    for (unsigned i = 0; i < e->key_count; i++)
        fprintf(e->out, "%s0x%x stands for %" PRIu64, i == 0 ? "; as a key, " : ", ", i, e->keys[i]);
    putc('\n', e->out);
}

static int export_lines(struct exporting *e)
{
    for (const struct trace_line *line = trace_lines(e->trace); line != NULL; line = line->next)
        if (export_line(e, line) != 0)
            return -1;
    return 0;
}

int export_syz(const struct trace *trace, const char *name, FILE *out)
{
    struct exporting e = {.trace = trace, .out = out};
    int status = -1;

    e.bindings = calloc(trace_symbol_count(trace), sizeof(*e.bindings));
    e.before = calloc(trace_symbol_count(trace), sizeof(*e.before));
    if (e.bindings != NULL && e.before != NULL) {
        write_head(&e, name);
        status = export_lines(&e);
        write_tail(&e);
    }
    free(e.bindings);
    free(e.before);
    return status;
}
