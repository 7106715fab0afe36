/*
 * What the files of the trace reader share.
 */
#ifndef HARNESS_TRACE_INTERNAL_H
#define HARNESS_TRACE_INTERNAL_H

#include "harness/trace.h"
#include "harness/trace_layouts.h"

struct trace_chunk {
    struct trace_chunk *before;
    size_t size; /* bytes of `bytes` */
    _Alignas(16) unsigned char bytes[];
};

struct trace {
    struct trace_chunk *chunk; /* the newest */
    size_t chunk_used;         /* of the newest */
    struct trace_chunk *symbol_chunk;
    size_t symbol_chunk_used;
    struct trace_symbol **buckets;
    uint32_t bucket_count; /* a power of two */
    uint32_t symbol_count;
    struct trace_line *first, *last;
    uint64_t options[TRACE_OPTION_COUNT];
    uint8_t option_given[TRACE_OPTION_COUNT];
};

/* Which lines are read: those of a file, or one line of a conversation (docs/line-protocol.md). */
enum trace_dialect {
    TRACE_FILE,
    TRACE_REQUEST, /* a call, without its result, or an option */
    TRACE_ANSWER   /* as in a file; but any output that a call can have may stand in its resumed line */
};

/* Where the reader stands. Lines are read one by one; `end` is where the present line ends. */
struct trace_scanner {
    struct trace *trace;
    enum trace_dialect dialect;
    const char *text;
    size_t begin, at, end;
    uint32_t line;
    struct trace_error *error;
};

/* A word: a name, a call, a constant. */
struct trace_word {
    const char *text;
    size_t length;
    size_t at;
};

/*
 * The scanner. Functions that return int return 1, or 0 after having set the error. '#' ends what can be scanned of a line.
 */

/* The next character that is no blank, not consumed; 0 at the end of the line. */
char trace_peek(struct trace_scanner *s);
/* Consumes `literal` if it comes next. */
int trace_accept(struct trace_scanner *s, const char *literal);
int trace_expect(struct trace_scanner *s, const char *literal, const char *what);
int trace_read_word(struct trace_scanner *s, struct trace_word *word, const char *what);
int trace_fail_at(struct trace_scanner *s, size_t at, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* Fails at the next character: "expected WHAT, found ...". */
int trace_fail_expected(struct trace_scanner *s, const char *what);

/* A number without sign and without 'p'. `hex_digits`: 0 if it is decimal, at most 16. */
int trace_read_number(struct trace_scanner *s, uint64_t *number, unsigned *hex_digits);
/* A string in quotes, its escapes resolved, into the trace's memory. */
int trace_read_string(struct trace_scanner *s, struct trace_value *value);
/* 0x and up to 2 * `bytes` digits. */
int trace_read_wide(struct trace_scanner *s, unsigned bytes, struct trace_value *value);
/* An expression; names in it must be bound. */
int trace_read_expression(struct trace_scanner *s, struct trace_value *value);
struct trace_symbol *trace_word_symbol(struct trace_scanner *s, const struct trace_word *word);

/* The arguments of a call, parentheses included. */
int trace_read_arguments(struct trace_scanner *s, struct trace_line *line);
/* The buffer that a read must have produced; `begun` is the line of the read. */
int trace_read_output(struct trace_scanner *s, struct trace_line *line, const struct trace_line *begun);
/* {addr=A, code=S} */
int trace_read_exception(struct trace_scanner *s, struct trace_line *line);
int trace_read_status(struct trace_scanner *s, struct trace_status **status);

/*
 * Reads one line behind all that were read into the trace before; it does not become one of trace_lines(). `number`: what
 * messages call the line; `calls_begun`: no option may follow. Null: it cannot be read, and the error says why.
 */
struct trace_line *trace_read_next(struct trace *trace, enum trace_dialect dialect, const char *text, size_t bytes,
                                   uint32_t number, int calls_begun, struct trace_error *error);

#endif
