/*
 * The reader's upper part: lines, options, and what one line demands of those before it: names bound, threads that are
 * free to make a call, calls that can be resumed.
 */
#include <stdlib.h>
#include <string.h>

#include "harness/trace_internal.h"

static struct trace_symbol *main_thread(struct trace_scanner *s)
{
    return trace_symbol(s->trace, "main", 4);
}

/* ---- options ---- */

static int is_page_size(uint64_t value)
{
    return value >= 1u << PGR_PAGE_SHIFT_MIN && value <= 1u << PGR_PAGE_SHIFT_MAX && (value & (value - 1)) == 0;
}

static int read_option_number(struct trace_scanner *s, struct trace_line *line)
{
    size_t start;
    unsigned hex_digits;

    trace_peek(s);
    start = s->at;
    if (!trace_read_number(s, &line->option_value, &hex_digits))
        return 0;
    if (line->option == TRACE_PAGE_SIZE && !is_page_size(line->option_value))
        return trace_fail_at(s, start, "expected a page size that is a power of two from %u to %u",
                             1u << PGR_PAGE_SHIFT_MIN, 1u << PGR_PAGE_SHIFT_MAX);
    if (line->option_value > UINT32_MAX)
        return trace_fail_at(s, start, "expected a value of at most 32 bits");
    return 1;
}

static int read_option_word(struct trace_scanner *s, struct trace_line *line, const struct trace_option_info *row)
{
    char expected[60];

    for (uint64_t i = 0; i < 2; i++) {
        if (!trace_accept(s, row->words[i]))
            continue;
        line->option_value = i;
        return 1;
    }
    snprintf(expected, sizeof(expected), "%s or %s", row->words[0], row->words[1]);
    return trace_fail_expected(s, expected);
}

static int find_option(struct trace_scanner *s, const struct trace_word *word, uint32_t *option)
{
    for (*option = 0; *option < TRACE_OPTION_COUNT; ++*option) {
        const char *name = trace_option_row(*option)->name;
        if (strlen(name) == word->length && memcmp(name, word->text, word->length) == 0)
            return 1;
    }
    return trace_fail_at(s, word->at, "expected page_size, read_batch, fail_codes or supply_failure, found '%.*s'",
                         (int)(word->length < 40 ? word->length : 40), word->text);
}

static int read_option(struct trace_scanner *s, struct trace_line *line, int calls_begun, size_t at)
{
    const struct trace_option_info *row;
    struct trace_word word;

    line->form = TRACE_OPTION;
    if (calls_begun)
        return trace_fail_at(s, at, "expected a call: options stand before the first one");
    if (!trace_read_word(s, &word, "the name of an option") || !find_option(s, &word, &line->option))
        return 0;
    row = trace_option_row(line->option);
    if (s->trace->option_given[line->option])
        return trace_fail_at(s, word.at, "expected each option once, found %s again", row->name);
    if (!(row->words[0] != NULL ? read_option_word(s, line, row) : read_option_number(s, line)))
        return 0;
    s->trace->option_given[line->option] = 1;
    s->trace->options[line->option] = line->option_value;
    return 1;
}

/* ---- calls ---- */

/* A thread may begin a call if it has not ended and is in none. */
static int check_free(struct trace_scanner *s, const struct trace_symbol *thread, size_t at)
{
    if (thread->ended_line != 0)
        return trace_fail_at(s, at, "expected another thread: %.40s has ended in line %u", thread->name,
                             thread->ended_line);
    if (thread->in_call != NULL)
        return trace_fail_at(s, at, "expected the end of %.40s's %s of line %u before its next call", thread->name,
                             trace_call_row(thread->in_call->call)->name, thread->in_call->number);
    return 1;
}

static int is_access(uint32_t call)
{
    return call == PGR_CALL_MEM_READ || call == PGR_CALL_MEM_WRITE || call == TRACE_CALL_X86_EXEC;
}

/* One blank before the result says nothing about the column that the author had in mind. */
static void mark_result(struct trace_scanner *s, struct trace_line *line)
{
    size_t content_end = s->at;

    trace_peek(s);
    line->result_column = s->at - content_end > 1 ? (uint32_t)(s->at - s->begin) + 1 : 0;
}

static int read_result(struct trace_scanner *s, struct trace_line *line)
{
    mark_result(s, line);
    if (s->dialect == TRACE_REQUEST) {
        line->form = TRACE_CALL;
        return trace_peek(s) == '\0' || trace_fail_expected(s, "the end of the line");
    }
    if (trace_peek(s) == '\0' && is_access(line->call)) {
        line->form = TRACE_FAULTING;
        line->result_column = 0;
        return 1;
    }
    if (trace_accept(s, "<")) {
        line->form = TRACE_UNFINISHED;
        return trace_expect(s, "unfinished", "'unfinished ...>'") && trace_expect(s, "...", "'...>'") &&
               trace_expect(s, ">", "'>'");
    }
    line->form = TRACE_CALL;
    return trace_expect(s, "=", "'= STATUS' or '<unfinished ...>'") && trace_read_status(s, &line->status);
}

/* Names bound in a list of values and one level below: fields of structures, elements of arrays. */
static void bind_names(struct trace_value *values)
{
    for (struct trace_value *value = values; value != NULL; value = value->next) {
        int has_items = value->form == TRACE_STRUCTURE || value->form == TRACE_ARRAY;
        if (value->form == TRACE_BINDING)
            value->symbol->is_bound = 1;
        for (struct trace_value *item = has_items ? value->items : NULL; item != NULL; item = item->next) {
            if (item->form == TRACE_BINDING)
                item->symbol->is_bound = 1;
            if (item->form != TRACE_ARRAY && item->form != TRACE_STRUCTURE)
                continue;
            for (struct trace_value *inner = item->items; inner != NULL; inner = inner->next)
                if (inner->form == TRACE_BINDING)
                    inner->symbol->is_bound = 1;
        }
    }
}

static void begin_call(struct trace_line *line)
{
    if (line->form == TRACE_UNFINISHED || line->form == TRACE_FAULTING)
        line->thread->in_call = line;
    if (line->call == PGR_CALL_THREAD_KILL) {
        struct trace_symbol *killed = line->args->symbol;
        killed->in_call = NULL;
        if (killed->ended_line == 0)
            killed->ended_line = line->number;
    }
    if (trace_may_succeed(line))
        bind_names(line->args);
}

static int read_call(struct trace_scanner *s, struct trace_line *line, const struct trace_word *word)
{
    line->call = trace_word_symbol(s, word)->call;
    if (line->call == 0)
        return trace_fail_at(s, word->at, "expected the name of a call, found '%.*s'",
                             (int)(word->length < 60 ? word->length : 60), word->text);
    if (!check_free(s, line->thread, word->at))
        return 0;
    if (!trace_read_arguments(s, line) || !read_result(s, line))
        return 0;
    begin_call(line);
    return 1;
}

/* ---- lines about a call that a thread is in ---- */

static int check_in_call(struct trace_scanner *s, const struct trace_line *line, size_t at)
{
    const struct trace_line *begun = line->thread->in_call;

    if (begun == NULL)
        return trace_fail_at(s, at, "expected a call: %.40s is in none", line->thread->name);
    if (begun->call != line->call)
        return trace_fail_at(s, at, "expected '%s', the call that %.40s is in since line %u",
                             trace_call_row(begun->call)->name, line->thread->name, begun->number);
    if (begun->form == TRACE_FAULTING)
        return trace_fail_at(s, at, "expected the exception of the access in line %u", begun->number);
    return 1;
}

static int read_resumed(struct trace_scanner *s, struct trace_line *line)
{
    line->form = TRACE_RESUMED;
    if (!trace_expect(s, ">", "'>'"))
        return 0;
    mark_result(s, line);
    if (trace_peek(s) != '=') {
        if (!trace_read_output(s, line, line->thread->in_call))
            return 0;
        mark_result(s, line);
    }
    line->thread->in_call = NULL;
    return trace_expect(s, "=", "'= STATUS'") && trace_read_status(s, &line->status);
}

/* Behind '<': "... name resumed>" or "... name unfinished ...>". */
static int read_continuation(struct trace_scanner *s, struct trace_line *line)
{
    struct trace_word word;

    if (!trace_expect(s, "...", "'...'") || !trace_read_word(s, &word, "the name of a call"))
        return 0;
    line->call = trace_word_symbol(s, &word)->call;
    if (line->call == 0)
        return trace_fail_at(s, word.at, "expected the name of a call, found '%.*s'",
                             (int)(word.length < 60 ? word.length : 60), word.text);
    if (!check_in_call(s, line, word.at))
        return 0;
    if (trace_accept(s, "resumed"))
        return read_resumed(s, line);
    line->form = TRACE_WAITING;
    return trace_expect(s, "unfinished", "'resumed>' or 'unfinished ...>'") && trace_expect(s, "...", "'...>'") &&
           trace_expect(s, ">", "'>'");
}

/* Behind '---'. */
static int read_exception(struct trace_scanner *s, struct trace_line *line, size_t at)
{
    const struct trace_line *begun = line->thread->in_call;

    line->form = TRACE_EXCEPTION;
    if (begun == NULL || !is_access(begun->call))
        return trace_fail_at(s, at, "expected a call: %.40s is in no access that could end in an exception",
                             line->thread->name);
    line->call = begun->call;
    if (!trace_expect(s, "ZX_EXCP_FATAL_PAGE_FAULT", "ZX_EXCP_FATAL_PAGE_FAULT") || !trace_read_exception(s, line))
        return 0;
    line->thread->in_call = NULL;
    line->thread->ended_line = line->number;
    return trace_expect(s, "---", "'---'");
}

/* ---- lines ---- */

static int read_thread_name(struct trace_scanner *s, struct trace_line *line)
{
    struct trace_word word;

    if (!trace_read_word(s, &word, "the name of a thread") || !trace_expect(s, "]", "']'"))
        return 0;
    line->thread = trace_word_symbol(s, &word);
    return 1;
}

static int read_content(struct trace_scanner *s, struct trace_line *line, int *calls_begun)
{
    struct trace_word word;
    int is_marked;
    size_t start;

    if (trace_peek(s) == '\0')
        return 1;
    is_marked = trace_accept(s, "[");
    line->thread = main_thread(s);
    if (is_marked && !read_thread_name(s, line))
        return 0;
    trace_peek(s);
    start = s->at;
    if (!is_marked && trace_accept(s, "option"))
        return read_option(s, line, *calls_begun, start);
    *calls_begun = 1;
    if (s->dialect != TRACE_REQUEST && trace_accept(s, "<"))
        return read_continuation(s, line);
    if (s->dialect != TRACE_REQUEST && trace_accept(s, "---"))
        return read_exception(s, line, start);
    return trace_read_word(s, &word, is_marked ? "a call, '<...' or '---'" : "a call, an option or '[thread]'") &&
           read_call(s, line, &word);
}

/* Bytes that no line may have. Bytes from 0x80 up are left to comments and strings. */
static int check_bytes(struct trace_scanner *s)
{
    for (size_t at = s->begin; at < s->end; at++) {
        unsigned char c = (unsigned char)s->text[at];
        if ((c < ' ' && c != '\t') || c == 0x7f)
            return trace_fail_at(s, at, "expected text, found the control character 0x%02x%s", c,
                                 c == '\r' ? " (lines end with a line feed alone)" : "");
    }
    return 1;
}

static void keep_comment(struct trace_scanner *s, struct trace_line *line)
{
    size_t end = s->end;
    char *comment;

    line->comment_column = (uint32_t)(s->at - s->begin) + 1;
    while (s->text[end - 1] == ' ' || s->text[end - 1] == '\t')
        end--;
    comment = trace_allocate(s->trace, end - s->at + 1);
    memcpy(comment, s->text + s->at, end - s->at);
    line->comment = comment;
}

static int read_line(struct trace_scanner *s, struct trace_line *line, int *calls_begun)
{
    if (!check_bytes(s) || !read_content(s, line, calls_begun))
        return 0;
    if (trace_peek(s) != '\0')
        return trace_fail_expected(s, "the end of the line");
    if (s->at < s->end)
        keep_comment(s, line);
    return 1;
}

static int read_lines(struct trace_scanner *s, size_t bytes)
{
    int calls_begun = 0;

    while (s->begin < bytes) {
        const char *line_feed = memchr(s->text + s->begin, '\n', bytes - s->begin);
        struct trace_line *line = trace_allocate(s->trace, sizeof(*line));
        s->end = line_feed != NULL ? (size_t)(line_feed - s->text) : bytes;
        s->at = s->begin;
        line->number = ++s->line;
        if (s->trace->last != NULL)
            s->trace->last->next = line;
        else
            s->trace->first = line;
        s->trace->last = line;
        if (!read_line(s, line, &calls_begun))
            return 0;
        s->begin = s->end + 1;
    }
    return 1;
}

struct trace_line *trace_read_next(struct trace *trace, enum trace_dialect dialect, const char *text, size_t bytes,
                                   uint32_t number, int calls_begun, struct trace_error *error)
{
    struct trace_scanner s = {
        .trace = trace, .dialect = dialect, .text = text, .end = bytes, .line = number, .error = error};
    struct trace_line *line = trace_allocate(trace, sizeof(*line));

    line->number = number;
    return read_line(&s, line, &calls_begun) ? line : NULL;
}

struct trace *trace_read(const char *text, size_t bytes, struct trace_error *error)
{
    struct trace_scanner s = {.text = text, .error = error};

    s.trace = trace_new(4096);
    if (bytes > TRACE_TEXT_MAX) {
        s.line = 1;
        trace_fail_at(&s, 0, "expected a trace of at most %llu bytes", (unsigned long long)TRACE_TEXT_MAX);
    } else if (read_lines(&s, bytes)) {
        return s.trace;
    }
    trace_free(s.trace);
    return NULL;
}
