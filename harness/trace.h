/*
 * Traces as text: what a trace file holds, reading it, printing it. The format is shared with other projects and is
 * read strictly. A trace keeps its comments, blank lines, the way numbers are written and the column of the results, so
 * that reading and printing it gives the same text, but for blanks.
 */
#ifndef HARNESS_TRACE_H
#define HARNESS_TRACE_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "core/pgr.h"

struct trace;

struct trace_error {
    unsigned line;   /* from 1 */
    unsigned column; /* from 1, in bytes */
    char message[200];
};

/* Reads a whole trace. Null if it cannot be read; then `error` says where and why. Takes any bytes. */
struct trace *trace_read(const char *text, size_t bytes, struct trace_error *error);

/* Prints the trace; trace_read() of what is printed prints the same. */
void trace_write(const struct trace *trace, FILE *out);

void trace_free(struct trace *trace);

/* Longer texts are refused. */
#define TRACE_TEXT_MAX (UINT64_C(1) << 30) /* bytes */

/* ------------------------------------------------------------------------------------------------------------------
 * What a trace is made of
 * --------------------------------------------------------------------------------------------------------------- */

/* Calls of the traces alone, numbered behind the core's. */
enum trace_call_number { TRACE_CALL_X86_EXEC = PGR_CALL_COUNT, TRACE_CALL_CHECK_INVARIANTS, TRACE_CALL_COUNT };

/* Kinds of arguments that only these have, behind enum pgr_arg_kind. */
enum trace_arg_kind { TRACE_ARG_CODE = 64, TRACE_ARG_REGISTERS_IN, TRACE_ARG_REGISTERS_OUT };

/* The row of a call that a trace may make; null for any other number. */
const pgr_call_info *trace_call_row(uint32_t number);

/* The number of the call of that name, 0 if a trace has none. */
uint32_t trace_call_find(const char *name, size_t length);

/* Whether a trace may leave the argument away. */
int trace_argument_optional(unsigned kind);

/* Whether arguments of this kind are written by the call. */
int trace_is_output(unsigned kind);

/* A name in a trace: of a value, a thread, a call or a constant. There is one symbol for each spelling. */
struct trace_symbol {
    struct trace_symbol *next; /* in its bucket */
    const char *name;
    uint32_t length;
    uint32_t hash;
    uint32_t id;   /* 0 .. trace_symbol_count() - 1 */
    uint32_t call; /* number of the call of this name, or 0 */
    const struct constant *constant;
    /* What the reader knows while it reads. */
    struct trace_line *in_call; /* the line that began the call that the thread is in */
    unsigned ended_line;        /* the thread has no line behind this one; 0: it has not ended */
    uint8_t is_bound;
};

enum trace_term_kind { TRACE_NUMBER, TRACE_PAGES, TRACE_CONSTANT, TRACE_NAME };

struct trace_term {
    struct trace_term *next;
    struct trace_symbol *symbol; /* of a constant or a name */
    uint64_t number;             /* TRACE_PAGES: pages */
    uint8_t kind;                /* enum trace_term_kind */
    char operator_before;        /* '|', '+', '-'; 0 before the first term */
    uint8_t hex_digits;          /* that a hexadecimal number is written with; 0: it is decimal */
    uint8_t is_negative;
};

enum trace_form {
    TRACE_EXPRESSION, /* terms */
    TRACE_ANYTHING,   /* _ */
    TRACE_BINDING,    /* &symbol */
    TRACE_THREAD,     /* symbol */
    TRACE_FILL,       /* fill(item) */
    TRACE_PAGE_BYTES, /* pages(items) */
    TRACE_AT,         /* at(item) */
    TRACE_STRING,     /* text */
    TRACE_ARRAY,      /* [items] */
    TRACE_STRUCTURE,  /* {items}, each with its field */
    TRACE_WIDE,       /* text: a hexadecimal number of more than 64 bits, lowest byte first */
    TRACE_LITERAL     /* text, printed as it is. The reader makes none */
};

struct trace_value {
    struct trace_value *next;        /* behind it in the list that it stands in */
    const struct trace_field *field; /* of a structure's items */
    uint32_t column;
    uint8_t form; /* enum trace_form */
    union {
        struct trace_term *terms;
        struct trace_symbol *symbol;
        struct trace_value *items;
        struct {
            const uint8_t *bytes;
            size_t count;
            const char *spelling; /* of a string: as it was read, without its quotes. Null: it was not */
        } text;
    };
};

enum trace_status_form { TRACE_STATUS_ONE, TRACE_STATUS_ANY_ERROR, TRACE_STATUS_ANYTHING };

struct trace_status {
    struct trace_status *next; /* the next alternative */
    uint32_t form;             /* enum trace_status_form */
    zx_status_t status;
};

enum trace_line_form {
    TRACE_BLANK,      /* or only a comment */
    TRACE_OPTION,     /* option NAME VALUE */
    TRACE_CALL,       /* name(args) = STATUS */
    TRACE_UNFINISHED, /* name(args) <unfinished ...> */
    TRACE_FAULTING,   /* name(args) */
    TRACE_RESUMED,    /* <... name resumed> OUTPUT = STATUS */
    TRACE_WAITING,    /* <... name unfinished ...> */
    TRACE_EXCEPTION   /* --- ZX_EXCP_FATAL_PAGE_FAULT {addr=A, code=S} --- */
};

enum trace_option { TRACE_PAGE_SIZE, TRACE_READ_BATCH, TRACE_FAIL_CODES, TRACE_SUPPLY_FAILURE, TRACE_OPTION_COUNT };

struct trace_line {
    struct trace_line *next;
    uint32_t number; /* in the file, from 1; 0: not in the file */
    uint32_t form;   /* enum trace_line_form */
    uint32_t call;   /* number of the call, also of a resumed one */
    uint32_t option; /* enum trace_option */
    uint64_t option_value;
    struct trace_symbol *thread;
    struct trace_value *args;    /* what calls take; the structure of an exception */
    struct trace_value *output;  /* the buffer of a resumed line, or null */
    struct trace_status *status; /* also the code of an exception; null: not checked */
    const char *comment;         /* from its '#' on, or null */
    uint32_t result_column;      /* where '=' or '<unfinished' stands, from 1; 0: one blank behind what is before it */
    uint32_t comment_column;
};

/* What an option is called, and the words for its values; `words` is null where they are numbers. */
struct trace_option_info {
    const char *name;
    const char *words[2]; /* the default first */
};

const struct trace_option_info *trace_option_row(uint32_t option);

/* ------------------------------------------------------------------------------------------------------------------
 * Looking into a trace, and changing it
 * --------------------------------------------------------------------------------------------------------------- */

struct trace_line *trace_lines(const struct trace *trace);

/* Whether the line's call may end with ZX_OK, for all that the line says, so that it may bind names. */
int trace_may_succeed(const struct trace_line *line);
uint32_t trace_symbol_count(const struct trace *trace);
uint64_t trace_page_bytes(const struct trace *trace);

/* The value of an option: as the trace has it, or the default. */
uint64_t trace_option_value(const struct trace *trace, uint32_t option);

/* An empty trace, to build lines in. */
struct trace *trace_new(uint64_t page_bytes);

/* The symbol of that name, made if there is none. */
struct trace_symbol *trace_symbol(struct trace *trace, const char *name, size_t length);

/* Memory that lives as long as the trace, zeroed. */
void *trace_allocate(struct trace *trace, size_t bytes);

/* Makes the trace forget all that was allocated since trace_mark(), symbols excepted. */
struct trace_mark {
    void *chunk;
    size_t used;
};
struct trace_mark trace_mark(struct trace *trace);
void trace_release(struct trace *trace, struct trace_mark mark);

/* A name's value while a trace runs, in an array by symbol id. */
struct trace_binding {
    uint64_t value;
    int is_bound;
};

/*
 * The value of an expression. `bindings` may be null: then an expression with names has no value. Returns 0, or -1 and the
 * name that has no value in `unbound` (which may be null).
 */
int trace_evaluate(const struct trace *trace, const struct trace_value *value, const struct trace_binding *bindings,
                   uint64_t *number, const struct trace_symbol **unbound);

/* Prints one line, without its line end. `flags`: whether results and comments stand in their columns. */
#define TRACE_WRITE_ALIGNED 1u
#define TRACE_WRITE_COMMENT 2u
void trace_write_line(const struct trace_line *line, unsigned flags, FILE *out);

#endif
