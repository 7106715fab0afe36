/*
 * The implementation's side of the line protocol: reads requests strictly, makes the calls, tells what came of them.
 * What cannot be understood is answered with an error, and changes nothing.
 */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "harness/implementation_core.h"
#include "harness/protocol.h"
#include "harness/trace_internal.h"

#define REQUEST_BYTES_MAX (UINT64_C(1) << 28) /* of one line; no call needs more */

struct server {
    struct implementation *implementation;
    const struct protocol_check *check;
    FILE *out;
    struct trace *trace; /* null before the first reset */
    pgr_config config;
    pgr_start start;
    struct player player;
    int has_player; /* the first call has been read: there are no options from here on */
    uint32_t lines;
};

/* ---- words in the place of an answer ---- */

static void end_answer(struct server *server)
{
    fputs(PROTOCOL_END "\n", server->out);
    fflush(server->out);
}

static void say_error(struct server *server, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void say_error(struct server *server, const char *format, ...)
{
    va_list arguments;

    fputs(PROTOCOL_ERROR " ", server->out);
    va_start(arguments, format);
    vfprintf(server->out, format, arguments);
    va_end(arguments);
    putc('\n', server->out);
}

static void say_unsupported(struct server *server)
{
    fputs(PROTOCOL_UNSUPPORTED "\n", server->out);
}

static void say_line(struct server *server, const struct trace_line *line)
{
    trace_write_line(line, 0, server->out);
    putc('\n', server->out);
}

/* ---- reset and options ---- */

static void forget_world(struct server *server)
{
    if (server->has_player)
        play_end(&server->player);
    server->has_player = 0;
    trace_free(server->trace);
    server->trace = NULL;
}

static int make_world(struct server *server, pgr_start *start)
{
    *start = (pgr_start){0};
    return server->implementation->reset(server->implementation->self, &server->config, start);
}

static void reset(struct server *server)
{
    forget_world(server);
    pgr_config_default(&server->config);
    server->lines = 1;
    if (make_world(server, &server->start) != 0) {
        say_error(server, "there is no memory for a world");
        return;
    }
    server->trace = trace_new(UINT64_C(1) << server->config.page_shift);
    protocol_write_start(&server->start, server->out);
    putc('\n', server->out);
}

static void take_option(struct server *server, const struct trace_line *line)
{
    uint32_t bit = line->option == TRACE_FAIL_CODES ? PGR_OPTION_FAIL_CODES_KERNEL : PGR_OPTION_SUPPLY_DECOMMITS;

    switch (line->option) {
    case TRACE_PAGE_SIZE:
        server->config.page_shift = (uint32_t)__builtin_ctzll(line->option_value);
        break;
    case TRACE_READ_BATCH:
        server->config.read_batch = (uint32_t)line->option_value;
        break;
    default:
        server->config.options &= ~bit;
        server->config.options |= line->option_value != 0 ? bit : 0;
    }
}

/* The start handles have been told, and must be those of the new world, too. */
static void make_option(struct server *server, const struct trace_line *line)
{
    pgr_config before = server->config;
    pgr_start start;

    take_option(server, line);
    if (make_world(server, &start) == 0) {
        if (memcmp(&start, &server->start, sizeof(start)) != 0)
            say_error(server, "the start handles changed with the option");
        return;
    }
    server->config = before;
    make_world(server, &start);
    say_unsupported(server);
}

/* ---- calls ---- */

/* What is to come back must be left open: a request that says it is one that we have misunderstood. */
static int outputs_are_open(const struct trace_line *line)
{
    const pgr_call_info *row = trace_call_row(line->call);
    unsigned place = 0;

    for (const struct trace_value *value = line->args; value != NULL; value = value->next, place++) {
        int is_open = value->form == TRACE_ANYTHING || value->form == TRACE_EXPRESSION || value->form == TRACE_AT;
        if (trace_is_output(row->args[place].kind) && !is_open)
            return 0;
    }
    return 1;
}

static void say_ended(struct server *server)
{
    for (uint32_t i = 0; i < server->player.ended_count; i++) {
        const struct played_call *ended = &server->player.ended[i];
        struct trace_line line = protocol_ended_line(server->trace, ended);
        say_line(server, &line);
        ended->thread->symbol->in_call = NULL;
        if (ended->result.outcome == PGR_FAULT)
            ended->thread->symbol->ended_line = server->lines;
    }
}

static void say_result(struct server *server, struct trace_line *line, const pgr_call *call, const pgr_result *result)
{
    struct trace_line told = protocol_call_line(server->trace, line, call, result);

    say_line(server, &told);
    if (result->outcome == PGR_BLOCKED)
        line->thread->in_call = line;
    if (result->outcome != PGR_FAULT)
        return;
    line->thread->ended_line = server->lines;
    told = protocol_exception_line(server->trace, line->thread, line->call, result);
    say_line(server, &told);
}

/* Invariants are the core's. Without a checker, or on another implementation, there is no such call. */
static void check_invariants(struct server *server, struct trace_line *line)
{
    const struct protocol_check *check = server->check;
    const void *frames = NULL;
    const pgr_world *world = implementation_core_world(server->implementation, &frames);
    char message[200] = "";

    if (world == NULL || check == NULL) {
        say_unsupported(server);
    } else if (check->check(check->context, world, frames, message, sizeof(message)) != 0) {
        say_error(server, "%s", message);
    } else {
        line->status = trace_make_status(server->trace, ZX_OK);
        say_line(server, line);
    }
}

static void make_call(struct server *server, struct trace_line *line)
{
    pgr_result result;
    pgr_call call;

    switch (play_call(&server->player, line, &call, &result)) {
    case PLAYED_UNSUPPORTED:
        say_unsupported(server);
        return;
    case PLAYED_IMPOSSIBLE:
        say_error(server, "%s", server->player.run.note);
        return;
    default:
        say_result(server, line, &call, &result);
    }
    if (play_resume_all(&server->player) != 0) {
        say_error(server, "%s", server->player.run.note);
        return;
    }
    say_ended(server);
}

static int begin_calls(struct server *server)
{
    if (server->has_player)
        return 0;
    server->has_player = play_begin(&server->player, server->trace, &server->config, server->implementation, NULL) == 0;
    return server->has_player ? 0 : -1;
}

/* ---- requests ---- */

static void take_line(struct server *server, struct trace_line *line)
{
    if (line->form == TRACE_OPTION)
        make_option(server, line);
    else if (line->form != TRACE_CALL)
        say_error(server, "expected a call, an option or reset");
    else if (!outputs_are_open(line))
        say_error(server, "expected _ where the call gives something back");
    else if (begin_calls(server) != 0)
        say_error(server, "out of memory");
    else if (line->call == TRACE_CALL_CHECK_INVARIANTS)
        check_invariants(server, line);
    else
        make_call(server, line);
}

static uint32_t threads_in_calls(const struct server *server)
{
    uint32_t count = 0;

    for (uint32_t i = 0; server->has_player && i < server->config.thread_count; i++) {
        const struct run_thread *thread = server->player.run.numbers[i];
        count += thread != NULL && thread->state == RUN_BLOCKED;
    }
    return count;
}

static void answer_line(struct server *server, const char *text, size_t bytes)
{
    struct trace_mark mark = trace_mark(server->trace);
    struct trace_error error;
    struct trace_line *line =
        trace_read_next(server->trace, TRACE_REQUEST, text, bytes, ++server->lines, server->has_player, &error);

    if (line != NULL)
        take_line(server, line);
    else
        say_error(server, "column %u: %s", error.column, error.message);
    /* Lines that threads wait in are kept, and with them what came behind. */
    if (threads_in_calls(server) == 0)
        trace_release(server->trace, mark);
}

static int is_word(const char *text, size_t bytes, const char *word)
{
    return bytes == strlen(word) && memcmp(text, word, bytes) == 0;
}

static void answer(struct server *server, const char *text, size_t bytes)
{
    if (is_word(text, bytes, PROTOCOL_RESET))
        reset(server);
    else if (server->trace == NULL)
        say_error(server, "expected reset");
    else
        answer_line(server, text, bytes);
    end_answer(server);
}

/* ---- lines of the input ---- */

/* A line without its end; what is longer than it may be is read away. 0 at the end of the input. */
struct line_buffer {
    char *text;
    size_t bytes, room;
    int is_long, has_end;
};

static int add_byte(struct line_buffer *line, int c)
{
    if (line->bytes == line->room) {
        size_t room = line->room * 2 + 256;
        char *larger = line->bytes < REQUEST_BYTES_MAX ? realloc(line->text, room) : NULL;
        if (larger == NULL)
            return -1;
        line->text = larger;
        line->room = room;
    }
    line->text[line->bytes++] = (char)c;
    return 0;
}

static int next_line(struct line_buffer *line, FILE *in)
{
    int c;

    line->bytes = 0;
    line->is_long = 0;
    while ((c = getc(in)) != EOF && c != '\n')
        line->is_long |= !line->is_long && add_byte(line, c) != 0;
    line->has_end = c == '\n';
    return line->has_end || line->bytes > 0;
}

void protocol_serve(struct implementation *implementation, const struct protocol_check *check, FILE *in, FILE *out)
{
    struct server server = {.implementation = implementation, .check = check, .out = out};
    struct line_buffer line = {0};

    while (!ferror(out) && next_line(&line, in)) {
        if (!line.is_long && line.has_end) {
            answer(&server, line.text, line.bytes);
            continue;
        }
        say_error(&server, line.is_long ? "the line is too long" : "the line has no end");
        end_answer(&server);
    }
    forget_world(&server);
    free(line.text);
}
