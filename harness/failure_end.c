/*
 * The end of a world as lines of a trace: what fails only when everything is killed and closed gets a line in which it
 * fails.
 */
#include <stdlib.h>
#include <string.h>

#include "harness/failure.h"

static int is_used(const struct trace *trace, const char *thread)
{
    for (const struct trace_line *line = trace_lines(trace); line != NULL; line = line->next)
        if (line->thread != NULL && strcmp(line->thread->name, thread) == 0)
            return 1;
    return 0;
}

/* A thread that the trace does not have. */
static void name_ender(const struct trace *trace, char *name, size_t name_bytes)
{
    snprintf(name, name_bytes, "end");
    for (unsigned number = 1; is_used(trace, name); number++)
        snprintf(name, name_bytes, "end%u", number);
}

static void put_kills(const struct trace *trace, const char *ender, uint8_t *seen, FILE *out)
{
    for (const struct trace_line *line = trace_lines(trace); line != NULL; line = line->next) {
        if (line->form == TRACE_BLANK || line->form == TRACE_OPTION || seen[line->thread->id])
            continue;
        seen[line->thread->id] = 1;
        fprintf(out, "[%s] thread_kill(%s) = ZX_OK\n", ender, line->thread->name);
    }
}

/* One call for each handle: an unbound one then costs no other. */
static void put_closes(const struct trace *trace, const char *ender, FILE *out)
{
    for (const struct trace_line *line = trace_lines(trace); line != NULL; line = line->next) {
        const pgr_arg *arg = trace_may_succeed(line) ? trace_call_row(line->call)->args : NULL;
        for (const struct trace_value *value = arg != NULL ? line->args : NULL; value != NULL;
             value = value->next, arg++)
            if (value->form == TRACE_BINDING && arg->kind == PGR_ARG_HANDLE_OUT)
                fprintf(out, "[%s] zx_handle_close(%s) = _\n", ender, value->symbol->name);
    }
    for (const char *const *name = (const char *const[]){"vmar", "bti", "resource", "event", NULL}; *name != NULL;
         name++)
        fprintf(out, "[%s] zx_handle_close(%s) = _\n", ender, *name);
}

struct trace *failure_with_end(const struct trace *trace)
{
    struct trace_error error;
    struct trace *ended = NULL;
    char ender[24];
    char *text = NULL;
    size_t bytes = 0;
    uint8_t *seen = calloc(trace_symbol_count(trace), 1);
    FILE *out = open_memstream(&text, &bytes);

    name_ender(trace, ender, sizeof(ender));
    if (out != NULL && seen != NULL) {
        trace_write(trace, out);
        put_kills(trace, ender, seen, out);
        put_closes(trace, ender, out);
    }
    if (out != NULL && fclose(out) == 0)
        ended = trace_read(text, bytes, &error);
    free(text);
    free(seen);
    return ended;
}
