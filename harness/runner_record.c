/*
 * How recording changes a trace: lines take the form of what happened, lines that tell it are inserted, and lines that
 * cannot be run become comments.
 */
#include <stdlib.h>
#include <string.h>

#include "harness/runner_internal.h"

void record_replace(struct trace_line *line, const struct trace_line *actual)
{
    struct trace_line *next = line->next;

    *line = *actual;
    line->next = next;
}

/* Only what kind of line it is: running it fills it in. */
static struct trace_line ending_of(const struct run_thread *thread)
{
    return (struct trace_line){.form = thread->state == RUN_FAULTED ? TRACE_EXCEPTION : TRACE_RESUMED,
                               .thread = thread->symbol,
                               .call = thread->call.number,
                               .result_column = thread->line->result_column};
}

void record_insert_ending(struct run *run, const struct run_thread *thread)
{
    struct trace_line *inserted = trace_allocate(run->trace, sizeof(*inserted));
    struct trace_line *before = run->insert_behind;

    *inserted = ending_of(thread);
    inserted->next = before->next;
    before->next = inserted;
    run->insert_behind = inserted;
}

/* Puts the ending in the place of the line, and the line behind it. */
static void tell_before(struct run *run, const struct run_thread *thread, struct trace_line *line)
{
    struct trace_line *pushed = trace_allocate(run->trace, sizeof(*pushed));

    *pushed = *line;
    *line = ending_of(thread);
    line->next = pushed;
}

int record_prepare_call(struct run *run, const struct run_thread *thread, struct trace_line *line)
{
    char why[120];

    switch (thread->state) {
    case RUN_IDLE:
        return 1;
    case RUN_RETURNED:
    case RUN_FAULTED:
        tell_before(run, thread, line);
        return 0;
    case RUN_BLOCKED:
        snprintf(why, sizeof(why), "%.40s is still in %s", thread->symbol->name,
                 trace_call_row(thread->call.number)->name);
        break;
    default:
        snprintf(why, sizeof(why), "%.40s has ended", thread->symbol->name);
    }
    record_comment_out(run, line, why);
    return -1;
}

void record_comment_out(struct run *run, struct trace_line *line, const char *why)
{
    char *text = NULL, *kept;
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);

    if (out == NULL)
        return;
    fprintf(out, "# not run, %s: ", why);
    trace_write_line(line, TRACE_WRITE_COMMENT, out);
    fclose(out);
    kept = trace_allocate(run->trace, length + 1);
    memcpy(kept, text, length);
    free(text);
    *line = (struct trace_line){.next = line->next, .number = line->number, .comment = kept};
}

void record_drop(struct trace_line *line)
{
    *line = (struct trace_line){.next = line->next, .number = line->number, .comment = line->comment};
    if (line->comment == NULL)
        line->comment = "# (nothing to tell: the thread is in no call)";
}
