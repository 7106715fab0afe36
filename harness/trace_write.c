/*
 * The printer. What it prints is what the reader reads, in one form: one blank behind a comma, none around operators,
 * results and comments in the column in which they were read, if what stands before leaves room.
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "harness/constants.h"
#include "harness/trace.h"
#include "harness/trace_layouts.h"

/* A line being put together, to know its width. */
struct line_text {
    FILE *out;
    size_t width;
};

static void put(struct line_text *text, const char *string)
{
    text->width += strlen(string);
    fputs(string, text->out);
}

static void put_format(struct line_text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void put_format(struct line_text *text, const char *format, ...)
{
    va_list arguments;
    int written;

    va_start(arguments, format);
    written = vfprintf(text->out, format, arguments);
    va_end(arguments);
    text->width += written > 0 ? (size_t)written : 0;
}

/* Goes to the column, from 1, or one blank on if that lies behind. */
static void put_column(struct line_text *text, size_t column)
{
    do
        put(text, " ");
    while (text->width + 1 < column);
}

static void put_term(struct line_text *text, const struct trace_term *term)
{
    if (term->operator_before != '\0')
        put_format(text, "%c", term->operator_before);
    if (term->is_negative)
        put(text, "-");
    if (term->kind == TRACE_NAME || term->kind == TRACE_CONSTANT)
        put(text, term->symbol->name);
    else if (term->hex_digits > 0)
        put_format(text, "0x%0*" PRIx64, term->hex_digits, term->number);
    else
        put_format(text, "%" PRIu64, term->number);
    if (term->kind == TRACE_PAGES)
        put(text, "p");
}

static void put_byte(struct line_text *text, uint8_t byte)
{
    if (byte == '\\' || byte == '"')
        put_format(text, "\\%c", byte);
    else if (byte == '\n')
        put(text, "\\n");
    else if (byte == '\t')
        put(text, "\\t");
    else if (byte >= ' ' && byte < 0x7f)
        put_format(text, "%c", byte);
    else
        put_format(text, "\\x%02x", byte);
}

static void put_string(struct line_text *text, const struct trace_value *value)
{
    put(text, "\"");
    if (value->text.spelling != NULL)
        put(text, value->text.spelling);
    for (size_t i = 0; value->text.spelling == NULL && i < value->text.count; i++)
        put_byte(text, value->text.bytes[i]);
    put(text, "\"");
}

/* The lowest byte comes first in memory, and last in print. */
static void put_wide(struct line_text *text, const struct trace_value *value)
{
    size_t count = value->text.count;

    while (count > 1 && value->text.bytes[count - 1] == 0)
        count--;
    put_format(text, "0x%x", value->text.bytes[count - 1]);
    while (--count > 0)
        put_format(text, "%02x", value->text.bytes[count - 1]);
}

static void put_value(struct line_text *text, const struct trace_value *value);

/* Structures and arrays nest two deep, so the recursion ends there. */
static void put_list(struct line_text *text, const char *before, const struct trace_value *items, const char *after)
{
    put(text, before);
    for (const struct trace_value *item = items; item != NULL; item = item->next) {
        if (item != items)
            put(text, ", ");
        if (item->field != NULL)
            put_format(text, "%s=", item->field->name);
        put_value(text, item);
    }
    put(text, after);
}

static void put_value(struct line_text *text, const struct trace_value *value)
{
    switch (value->form) {
    case TRACE_EXPRESSION:
        for (const struct trace_term *term = value->terms; term != NULL; term = term->next)
            put_term(text, term);
        break;
    case TRACE_ANYTHING:
        put(text, "_");
        break;
    case TRACE_BINDING:
        put_format(text, "&%s", value->symbol->name);
        break;
    case TRACE_THREAD:
        put(text, value->symbol->name);
        break;
    case TRACE_FILL:
        put_list(text, "fill(", value->items, ")");
        break;
    case TRACE_PAGE_BYTES:
        put_list(text, "pages(", value->items, ")");
        break;
    case TRACE_AT:
        put_list(text, "at(", value->items, ")");
        break;
    case TRACE_ARRAY:
        put_list(text, "[", value->items, "]");
        break;
    case TRACE_STRUCTURE:
        put_list(text, "{", value->items, "}");
        break;
    case TRACE_STRING:
        put_string(text, value);
        break;
    case TRACE_WIDE:
        put_wide(text, value);
        break;
    default:
        put_format(text, "%.*s", (int)value->text.count, (const char *)value->text.bytes);
    }
}

static void put_status(struct line_text *text, const struct trace_status *status)
{
    if (status == NULL)
        put(text, "_");
    for (const struct trace_status *one = status; one != NULL; one = one->next) {
        const char *name = one->form == TRACE_STATUS_ONE ? constant_status_name(one->status) : NULL;
        if (one != status)
            put(text, "|");
        if (one->form == TRACE_STATUS_ANY_ERROR)
            put(text, "ZX_ERR_*");
        else
            put(text, name != NULL ? name : "_");
    }
}

static void put_result(struct line_text *text, const struct trace_line *line, unsigned flags)
{
    put_column(text, flags & TRACE_WRITE_ALIGNED ? line->result_column : 0);
    if (line->form == TRACE_UNFINISHED) {
        put(text, "<unfinished ...>");
        return;
    }
    put(text, "= ");
    put_status(text, line->status);
}

static void put_option(struct line_text *text, const struct trace_line *line)
{
    const struct trace_option_info *row = trace_option_row(line->option);

    if (row->words[0] != NULL)
        put_format(text, "option %s %s", row->name, row->words[line->option_value]);
    else
        put_format(text, "option %s %" PRIu64, row->name, line->option_value);
}

static void put_exception(struct line_text *text, const struct trace_line *line)
{
    put_list(text, "--- ZX_EXCP_FATAL_PAGE_FAULT {", line->args->items, "");
    if (line->status != NULL) {
        put(text, line->args->items != NULL ? ", code=" : "code=");
        put_status(text, line->status);
    }
    put(text, "} ---");
}

static void put_call(struct line_text *text, const struct trace_line *line, unsigned flags)
{
    put(text, trace_call_row(line->call)->name);
    put_list(text, "(", line->args, ")");
    if (line->form != TRACE_FAULTING)
        put_result(text, line, flags);
}

static void put_resumed(struct line_text *text, const struct trace_line *line, unsigned flags)
{
    put_format(text, "<... %s resumed>", trace_call_row(line->call)->name);
    if (line->output != NULL) {
        put(text, " ");
        put_value(text, line->output);
    }
    put_result(text, line, flags);
}

static void put_content(struct line_text *text, const struct trace_line *line, unsigned flags)
{
    if (line->form != TRACE_OPTION && strcmp(line->thread->name, "main") != 0)
        put_format(text, "[%s] ", line->thread->name);
    switch (line->form) {
    case TRACE_OPTION:
        put_option(text, line);
        break;
    case TRACE_RESUMED:
        put_resumed(text, line, flags);
        break;
    case TRACE_WAITING:
        put_format(text, "<... %s unfinished ...>", trace_call_row(line->call)->name);
        break;
    case TRACE_EXCEPTION:
        put_exception(text, line);
        break;
    default:
        put_call(text, line, flags);
    }
}

void trace_write_line(const struct trace_line *line, unsigned flags, FILE *out)
{
    struct line_text text = {out, 0};

    if (line->form != TRACE_BLANK)
        put_content(&text, line, flags);
    if (line->comment == NULL || !(flags & TRACE_WRITE_COMMENT))
        return;
    if (line->form != TRACE_BLANK)
        put_column(&text, flags & TRACE_WRITE_ALIGNED ? line->comment_column : 0);
    put(&text, line->comment);
}

void trace_write(const struct trace *trace, FILE *out)
{
    for (const struct trace_line *line = trace_lines(trace); line != NULL; line = line->next) {
        trace_write_line(line, TRACE_WRITE_ALIGNED | TRACE_WRITE_COMMENT, out);
        putc('\n', out);
    }
}
