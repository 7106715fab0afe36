/*
 * The reader's lowest part: words, numbers, strings and expressions, and what to say where something else stands.
 */
#include <stdarg.h>
#include <string.h>

#include "harness/constants.h"
#include "harness/trace_internal.h"

int trace_fail_at(struct trace_scanner *s, size_t at, const char *format, ...)
{
    va_list arguments;

    s->error->line = s->line;
    s->error->column = (unsigned)(at - s->begin) + 1;
    va_start(arguments, format);
    vsnprintf(s->error->message, sizeof(s->error->message), format, arguments);
    va_end(arguments);
    return 0;
}

static int is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static int is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static int is_name_start(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static int is_name(char c)
{
    return is_name_start(c) || is_digit(c);
}

char trace_peek(struct trace_scanner *s)
{
    while (s->at < s->end && is_blank(s->text[s->at]))
        s->at++;
    return s->at < s->end && s->text[s->at] != '#' ? s->text[s->at] : '\0';
}

/* Bytes of what stands at the scanner, as far as it is worth naming in a message. */
static int found_length(const struct trace_scanner *s)
{
    size_t length = 1;

    if (is_name(s->text[s->at]))
        while (length < 40 && s->at + length < s->end && is_name(s->text[s->at + length]))
            length++;
    return (int)length;
}

int trace_fail_expected(struct trace_scanner *s, const char *what)
{
    char c = trace_peek(s);

    if (c == '\0')
        return trace_fail_at(s, s->at, "expected %s, found the end of the line", what);
    if ((unsigned char)c >= 0x80)
        return trace_fail_at(s, s->at, "expected %s, found the byte 0x%02x", what, (unsigned char)c);
    return trace_fail_at(s, s->at, "expected %s, found '%.*s'", what, found_length(s), s->text + s->at);
}

int trace_accept(struct trace_scanner *s, const char *literal)
{
    size_t length = strlen(literal);

    trace_peek(s);
    if (s->end - s->at < length || memcmp(s->text + s->at, literal, length) != 0)
        return 0;
    if (is_name(literal[length - 1]) && s->at + length < s->end && is_name(s->text[s->at + length]))
        return 0;
    s->at += length;
    return 1;
}

int trace_expect(struct trace_scanner *s, const char *literal, const char *what)
{
    return trace_accept(s, literal) ? 1 : trace_fail_expected(s, what);
}

int trace_read_word(struct trace_scanner *s, struct trace_word *word, const char *what)
{
    if (!is_name_start(trace_peek(s)))
        return trace_fail_expected(s, what);
    word->at = s->at;
    word->text = s->text + s->at;
    while (s->at < s->end && is_name(s->text[s->at]))
        s->at++;
    word->length = s->at - word->at;
    return 1;
}

struct trace_symbol *trace_word_symbol(struct trace_scanner *s, const struct trace_word *word)
{
    return trace_symbol(s->trace, word->text, word->length);
}

static int hex_digit(char c)
{
    if (is_digit(c))
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static int accept_hex_prefix(struct trace_scanner *s)
{
    if (s->end - s->at < 2 || s->text[s->at] != '0' || s->text[s->at + 1] != 'x')
        return 0;
    s->at += 2;
    return 1;
}

/* Adds one digit; 0 if the number no longer fits. */
static int add_digit(uint64_t *number, unsigned base, unsigned digit)
{
    return !__builtin_mul_overflow(*number, (uint64_t)base, number) &&
           !__builtin_add_overflow(*number, (uint64_t)digit, number);
}

int trace_read_number(struct trace_scanner *s, uint64_t *number, unsigned *hex_digits)
{
    size_t start, first;
    int is_hex;

    if (!is_digit(trace_peek(s)))
        return trace_fail_expected(s, "a number");
    start = s->at;
    is_hex = accept_hex_prefix(s);
    *number = 0;
    for (first = s->at; s->at < s->end; s->at++) {
        int digit = hex_digit(s->text[s->at]);
        if (digit < 0 || (!is_hex && digit > 9))
            break;
        if (!add_digit(number, is_hex ? 16 : 10, (unsigned)digit))
            return trace_fail_at(s, start, "expected a number of at most 64 bits");
    }
    if (s->at == first)
        return trace_fail_at(s, s->at, "expected a hexadecimal digit behind '0x'");
    *hex_digits = !is_hex ? 0 : s->at - first < 16 ? (unsigned)(s->at - first) : 16;
    return 1;
}

/* Behind a number: nothing that would belong to it. */
static int end_number(struct trace_scanner *s)
{
    if (s->at < s->end && is_name(s->text[s->at]))
        return trace_fail_at(s, s->at, "expected the end of the number, found '%c'", s->text[s->at]);
    return 1;
}

static int read_literal(struct trace_scanner *s, struct trace_term *term)
{
    size_t start = s->at;
    uint64_t bytes;
    unsigned hex_digits = 0;

    if (!trace_read_number(s, &term->number, &hex_digits))
        return 0;
    term->hex_digits = (uint8_t)hex_digits;
    if (s->at < s->end && s->text[s->at] == 'p') {
        term->kind = TRACE_PAGES;
        s->at++;
        if (__builtin_mul_overflow(term->number, trace_page_bytes(s->trace), &bytes))
            return trace_fail_at(s, start, "expected pages of at most 64 bits in bytes");
    }
    return end_number(s);
}

static int read_constant(struct trace_scanner *s, const struct trace_word *word, struct trace_term *term)
{
    if (term->symbol->constant == NULL)
        return trace_fail_at(s, word->at, "expected a constant that a call takes, found '%.*s'",
                             (int)(word->length < 60 ? word->length : 60), word->text);
    term->kind = TRACE_CONSTANT;
    term->number = term->symbol->constant->value;
    return 1;
}

static int read_named_term(struct trace_scanner *s, struct trace_term *term)
{
    struct trace_word word = {0};

    if (!trace_read_word(s, &word, "a value"))
        return 0;
    if (word.length == 1 && word.text[0] == '_')
        return trace_fail_at(s, word.at, "expected a value, found '_', which stands for an output only");
    term->symbol = trace_word_symbol(s, &word);
    if (word.length >= 3 && memcmp(word.text, "ZX_", 3) == 0)
        return read_constant(s, &word, term);
    term->kind = TRACE_NAME;
    if (!term->symbol->is_bound)
        return trace_fail_at(s, word.at, "expected a name that an earlier line binds, found '%.*s'",
                             (int)(word.length < 60 ? word.length : 60), word.text);
    return 1;
}

static int read_term(struct trace_scanner *s, struct trace_term *term)
{
    char c = trace_peek(s);

    if (c == '-') {
        s->at++;
        term->is_negative = 1;
        if (s->at >= s->end || !is_digit(s->text[s->at]))
            return trace_fail_expected(s, "a digit behind '-'");
        return read_literal(s, term);
    }
    if (is_digit(c))
        return read_literal(s, term);
    return read_named_term(s, term);
}

int trace_read_expression(struct trace_scanner *s, struct trace_value *value)
{
    struct trace_term **link = &value->terms;
    char operator_before = 0;

    value->form = TRACE_EXPRESSION;
    trace_peek(s);
    value->column = (uint32_t)(s->at - s->begin) + 1;
    for (;;) {
        struct trace_term *term = trace_allocate(s->trace, sizeof(*term));
        *link = term;
        link = &term->next;
        term->operator_before = operator_before;
        if (!read_term(s, term))
            return 0;
        operator_before = trace_peek(s);
        if (operator_before != '|' && operator_before != '+' && operator_before != '-')
            return 1;
        s->at++;
    }
}

/* One character of a string, an escape resolved; the scanner stands at it. */
static int read_character(struct trace_scanner *s, uint8_t *byte)
{
    static const char escapes[] = "\\\"nt0";
    static const char meanings[] = "\\\"\n\t";
    const char *found;

    if (s->text[s->at] != '\\') {
        *byte = (uint8_t)s->text[s->at++];
        return 1;
    }
    if (s->end - s->at >= 4 && s->text[s->at + 1] == 'x' && hex_digit(s->text[s->at + 2]) >= 0 &&
        hex_digit(s->text[s->at + 3]) >= 0) {
        *byte = (uint8_t)(hex_digit(s->text[s->at + 2]) * 16 + hex_digit(s->text[s->at + 3]));
        s->at += 4;
        return 1;
    }
    found = s->end - s->at >= 2 && s->text[s->at + 1] != '\0' ? strchr(escapes, s->text[s->at + 1]) : NULL;
    if (found == NULL)
        return trace_fail_at(s, s->at, "expected one of the escapes \\\\ \\\" \\n \\t \\0 \\xHH");
    *byte = (uint8_t)meanings[found - escapes];
    s->at += 2;
    return 1;
}

int trace_read_string(struct trace_scanner *s, struct trace_value *value)
{
    size_t start;
    uint8_t *bytes;
    char *spelling;
    size_t length = 1;

    if (trace_peek(s) != '"')
        return trace_fail_expected(s, "a string");
    start = s->at++;
    value->form = TRACE_STRING;
    value->column = (uint32_t)(start - s->begin) + 1;
    while (s->at + length < s->end && s->text[s->at + length - 1] != '"')
        length += s->text[s->at + length - 1] == '\\' ? 2u : 1u;
    bytes = trace_allocate(s->trace, length);
    value->text.bytes = bytes;
    while (s->at < s->end && s->text[s->at] != '"')
        if (!read_character(s, &bytes[value->text.count++]))
            return 0;
    if (s->at >= s->end)
        return trace_fail_at(s, start, "expected a '\"' that ends the string");
    spelling = trace_allocate(s->trace, s->at - start);
    memcpy(spelling, s->text + start + 1, s->at - start - 1);
    value->text.spelling = spelling;
    s->at++;
    return 1;
}

int trace_read_wide(struct trace_scanner *s, unsigned bytes, struct trace_value *value)
{
    uint8_t *number = trace_allocate(s->trace, bytes);
    size_t first, start, digits;

    trace_peek(s);
    start = s->at;
    if (!accept_hex_prefix(s))
        return trace_fail_expected(s, "a hexadecimal number");
    for (first = s->at; s->at < s->end && hex_digit(s->text[s->at]) >= 0; s->at++)
        continue;
    digits = s->at - first;
    if (digits == 0 || digits > 2u * bytes)
        return trace_fail_at(s, start, "expected 1 to %u hexadecimal digits behind '0x'", 2u * bytes);
    for (size_t i = 0; i < digits; i++)
        number[i / 2] |= (uint8_t)(hex_digit(s->text[s->at - 1 - i]) << (i % 2 * 4));
    value->form = TRACE_WIDE;
    value->column = (uint32_t)(start - s->begin) + 1;
    value->text.bytes = number;
    value->text.count = bytes;
    return end_number(s);
}
