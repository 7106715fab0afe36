/*
 * The reader's middle: the arguments of calls, each in the forms that its kind has, and what of them can be checked
 * before the trace runs: widths, lengths, fields.
 */
#include <string.h>

#include "harness/constants.h"
#include "harness/trace_internal.h"

/* The values of a list, in order. */
struct value_list {
    struct trace_value **link;
};

static struct trace_value *new_value(struct trace_scanner *s)
{
    struct trace_value *value = trace_allocate(s->trace, sizeof(*value));

    trace_peek(s);
    value->column = (uint32_t)(s->at - s->begin) + 1;
    return value;
}

static struct trace_value *append(struct trace_scanner *s, struct value_list *list)
{
    struct trace_value *value = new_value(s);

    *list->link = value;
    list->link = &value->next;
    return value;
}

static size_t value_position(const struct trace_scanner *s, const struct trace_value *value)
{
    return s->begin + value->column - 1;
}

/* Whether the value is known before the trace runs. */
static int is_constant(struct trace_scanner *s, const struct trace_value *value, uint64_t *number)
{
    PGR_ASSERT(value != NULL);
    return value->form == TRACE_EXPRESSION && trace_evaluate(s->trace, value, NULL, number, NULL) == 0;
}

static int fits(uint64_t number, unsigned bytes, int is_signed)
{
    int64_t lowest = bytes < 8 ? -(INT64_C(1) << (8 * bytes - 1)) : INT64_MIN;

    return bytes >= 8 || number >> (8 * bytes) == 0 || (is_signed && (int64_t)number < 0 && (int64_t)number >= lowest);
}

static int check_width(struct trace_scanner *s, const struct trace_value *value, unsigned bytes, int is_signed)
{
    uint64_t number;

    if (!is_constant(s, value, &number) || fits(number, bytes, is_signed))
        return 1;
    return trace_fail_at(s, value_position(s, value), "expected a value of at most %u bits", 8 * bytes);
}

static int read_input(struct trace_scanner *s, unsigned bytes, struct trace_value *value)
{
    return trace_read_expression(s, value) && check_width(s, value, bytes, 0);
}

static int read_binding(struct trace_scanner *s, struct trace_value *value)
{
    struct trace_word word;

    value->form = TRACE_BINDING;
    if (!trace_read_word(s, &word, "a name behind '&'"))
        return 0;
    if ((word.length >= 3 && memcmp(word.text, "ZX_", 3) == 0) || (word.length == 1 && word.text[0] == '_'))
        return trace_fail_at(s, word.at, "expected a name behind '&', found '%.*s'",
                             (int)(word.length < 60 ? word.length : 60), word.text);
    value->symbol = trace_word_symbol(s, &word);
    return 1;
}

/* '_' and '&name'. Returns 0 if neither comes next, 1 if one was read, -1 on errors. */
static int read_unchecked(struct trace_scanner *s, struct trace_value *value)
{
    if (trace_accept(s, "_")) {
        value->form = TRACE_ANYTHING;
        return 1;
    }
    if (trace_accept(s, "&"))
        return read_binding(s, value) ? 1 : -1;
    return 0;
}

static int is_null_pointer(struct trace_scanner *s, struct trace_value *value)
{
    size_t start = s->at;
    char c;

    if (!trace_accept(s, "0"))
        return 0;
    c = trace_peek(s);
    s->at = start;
    return (c == ',' || c == ')') && trace_read_expression(s, value);
}

/* An output's value in brackets: [2], ["text"]. */
static int read_bracketed(struct trace_scanner *s, int text, unsigned bytes, struct trace_value *value)
{
    struct value_list list = {&value->items};
    struct trace_value *item;
    int unchecked;

    value->form = TRACE_ARRAY;
    s->at++;
    item = append(s, &list);
    unchecked = read_unchecked(s, item);
    if (unchecked < 0)
        return 0;
    if (unchecked == 0 && !(text ? trace_read_string(s, item) : read_input(s, bytes, item)))
        return 0;
    return trace_expect(s, "]", "']'");
}

static int read_number_output(struct trace_scanner *s, unsigned bytes, int may_be_null, struct trace_value *value)
{
    int unchecked = read_unchecked(s, value);

    if (unchecked != 0)
        return unchecked > 0;
    if (may_be_null && is_null_pointer(s, value))
        return 1;
    if (trace_peek(s) == '[')
        return read_bracketed(s, 0, bytes, value);
    return trace_fail_expected(s, may_be_null ? "&name, _, [value] or 0" : "&name, _ or [value]");
}

/* ---- structures ---- */

static int read_numbers_field(struct trace_scanner *s, int is_output, const struct trace_field *field,
                              struct trace_value *value)
{
    struct value_list list = {&value->items};

    value->form = TRACE_ARRAY;
    if (!trace_expect(s, "[", "'['"))
        return 0;
    for (unsigned i = 0; i < field->count; i++) {
        struct trace_value *item;
        int unchecked;
        if (i > 0 && !trace_expect(s, ",", "',' and one more value"))
            return 0;
        item = append(s, &list);
        unchecked = is_output ? read_unchecked(s, item) : 0;
        if (unchecked < 0 || (unchecked == 0 && !read_input(s, field->bytes, item)))
            return 0;
    }
    return trace_expect(s, "]", "']'");
}

static int read_text_field(struct trace_scanner *s, const struct trace_field *field, struct trace_value *value)
{
    if (!trace_read_string(s, value))
        return 0;
    if (value->text.count > field->bytes)
        return trace_fail_at(s, value_position(s, value), "expected a text of at most %u bytes", field->bytes);
    return 1;
}

static int read_field_value(struct trace_scanner *s, int is_output, const struct trace_field *field,
                            struct trace_value *value)
{
    int unchecked = is_output ? read_unchecked(s, value) : 0;

    if (unchecked != 0)
        return unchecked > 0;
    switch (field->type) {
    case TRACE_FIELD_NUMBERS:
        return read_numbers_field(s, is_output, field, value);
    case TRACE_FIELD_TEXT:
        return read_text_field(s, field, value);
    case TRACE_FIELD_WIDE:
        return trace_read_wide(s, field->bytes, value);
    default:
        return trace_read_expression(s, value) &&
               check_width(s, value, field->bytes, field->type == TRACE_FIELD_STATUS);
    }
}

/* "a field of zx_info_vmar_t: base, len", or as much of it as fits. */
static void describe_fields(const struct trace_layout *layout, char *text, size_t bytes)
{
    size_t used = (size_t)snprintf(text, bytes, "a field of %s:", layout->name);

    for (unsigned i = 0; i < layout->field_count; i++) {
        const char *name = layout->fields[i].name;
        if (used + strlen(name) + 8 >= bytes) {
            snprintf(text + used, bytes - used, " ...");
            return;
        }
        used += (size_t)snprintf(text + used, bytes - used, "%s %s", i > 0 ? "," : "", name);
    }
}

static const struct trace_field *read_field_name(struct trace_scanner *s, const struct trace_layout *layout,
                                                 struct trace_word *word)
{
    const struct trace_field *field = NULL;
    char expected[150];

    describe_fields(layout, expected, sizeof(expected));
    if (!trace_read_word(s, word, expected))
        return NULL;
    field = trace_field_find(layout, word->text, word->length);
    if (field == NULL)
        trace_fail_at(s, word->at, "expected %s; found '%.*s'", expected, (int)(word->length < 30 ? word->length : 30),
                      word->text);
    return field;
}

/* Fields may come once each, and of only one member of a union. A layout has at most 64 fields. */
static int check_field(struct trace_scanner *s, const struct trace_layout *layout, const struct trace_field *field,
                       size_t at, uint64_t *seen, unsigned *group)
{
    uint64_t bit = UINT64_C(1) << (field - layout->fields);

    if (*seen & bit)
        return trace_fail_at(s, at, "expected each field once, found '%s' again", field->name);
    if (field->group != TRACE_GROUP_ALL && *group != TRACE_GROUP_ALL && field->group != *group)
        return trace_fail_at(s, at, "expected fields of one kind of packet, found '%s'", field->name);
    *seen |= bit;
    if (field->group != TRACE_GROUP_ALL)
        *group = field->group;
    return 1;
}

static int read_structure(struct trace_scanner *s, const struct trace_layout *layout, int is_output,
                          struct trace_value *value)
{
    struct value_list list = {&value->items};
    unsigned group = TRACE_GROUP_ALL;
    uint64_t seen = 0;

    value->form = TRACE_STRUCTURE;
    if (!trace_expect(s, "{", is_output ? "'{' or _" : "'{'"))
        return 0;
    if (trace_accept(s, "}"))
        return 1;
    do {
        struct trace_word word;
        const struct trace_field *field = read_field_name(s, layout, &word);
        struct trace_value *item;
        if (field == NULL || !check_field(s, layout, field, word.at, &seen, &group) || !trace_expect(s, "=", "'='"))
            return 0;
        item = append(s, &list);
        item->field = field;
        if (!read_field_value(s, is_output, field, item))
            return 0;
    } while (trace_accept(s, ","));
    return trace_expect(s, "}", "',' or '}'");
}

static int read_structure_output(struct trace_scanner *s, const struct trace_layout *layout, struct trace_value *value)
{
    if (trace_accept(s, "_")) {
        value->form = TRACE_ANYTHING;
        return 1;
    }
    return read_structure(s, layout, 1, value);
}

static int read_ranges(struct trace_scanner *s, struct trace_value *value)
{
    const struct trace_layout *layout = trace_layout_of(PGR_ARG_RANGES_OUT, 0);
    struct value_list list = {&value->items};

    if (trace_accept(s, "_")) {
        value->form = TRACE_ANYTHING;
        return 1;
    }
    if (is_null_pointer(s, value))
        return 1;
    if (!trace_expect(s, "[", "'[', _ or 0"))
        return 0;
    value->form = TRACE_ARRAY;
    if (trace_accept(s, "]"))
        return 1;
    do {
        if (!read_structure(s, layout, 1, append(s, &list)))
            return 0;
    } while (trace_accept(s, ","));
    return trace_expect(s, "]", "',' or ']'");
}

static int read_handles(struct trace_scanner *s, struct trace_value *value)
{
    struct value_list list = {&value->items};

    value->form = TRACE_ARRAY;
    if (!trace_expect(s, "[", "'['"))
        return 0;
    if (trace_accept(s, "]"))
        return 1;
    do {
        if (!read_input(s, 4, append(s, &list)))
            return 0;
    } while (trace_accept(s, ","));
    return trace_expect(s, "]", "',' or ']'");
}

/* ---- buffers ---- */

static int read_byte(struct trace_scanner *s, struct trace_value *value)
{
    uint64_t number;

    if (!trace_read_expression(s, value))
        return 0;
    if (is_constant(s, value, &number) && number > 255)
        return trace_fail_at(s, value_position(s, value), "expected a byte, of at most 255");
    return 1;
}

static int read_bytes(struct trace_scanner *s, int one, struct trace_value *value)
{
    struct value_list list = {&value->items};

    value->form = one ? TRACE_FILL : TRACE_PAGE_BYTES;
    do {
        if (!read_byte(s, append(s, &list)))
            return 0;
    } while (!one && trace_accept(s, ","));
    return trace_expect(s, ")", one ? "')'" : "',' or ')'");
}

static int read_at(struct trace_scanner *s, struct trace_value *value)
{
    struct value_list list = {&value->items};

    value->form = TRACE_AT;
    return read_input(s, 8, append(s, &list)) && trace_expect(s, ")", "')'");
}

static int read_buffer(struct trace_scanner *s, int may_be_mapped, struct trace_value *value)
{
    size_t start;

    if (trace_peek(s) == '"')
        return trace_read_string(s, value);
    start = s->at;
    if (trace_accept(s, "_")) {
        value->form = TRACE_ANYTHING;
        return 1;
    }
    if (trace_accept(s, "fill") && trace_accept(s, "("))
        return read_bytes(s, 1, value);
    if (trace_accept(s, "pages") && trace_accept(s, "("))
        return read_bytes(s, 0, value);
    if (may_be_mapped && trace_accept(s, "at") && trace_accept(s, "("))
        return read_at(s, value);
    s->at = start;
    return trace_fail_expected(s, may_be_mapped ? "fill(B), pages(B, ...), \"text\", at(ADDR) or _"
                                                : "fill(B), pages(B, ...), \"text\" or _");
}

/* Content may be shorter than the call's length, not longer. */
static int check_length(struct trace_scanner *s, const struct trace_value *buffer, const struct trace_value *length)
{
    uint64_t bytes, pages = 0;
    uint64_t page_bytes = trace_page_bytes(s->trace);
    int is_short = 1;

    if (!is_constant(s, length, &bytes))
        return 1;
    if (buffer->form == TRACE_STRING)
        is_short = buffer->text.count <= bytes;
    if (buffer->form == TRACE_PAGE_BYTES) {
        for (const struct trace_value *item = buffer->items; item != NULL; item = item->next)
            pages++;
        is_short = pages == 1 || (pages - 1) * page_bytes < bytes;
    }
    if (!is_short)
        return trace_fail_at(s, value_position(s, buffer), "expected content of at most the call's length, %llu bytes",
                             (unsigned long long)bytes);
    return 1;
}

/* ---- properties, code, threads ---- */

/* 1: a text, 0: a number, -1: it depends on what the trace binds, or the property is unknown. */
static int property_is_text(struct trace_scanner *s, const struct trace_value *property)
{
    uint64_t number;

    if (!is_constant(s, property, &number))
        return -1;
    if (number == ZX_PROP_NAME)
        return 1;
    return number == ZX_PROP_VMO_CONTENT_SIZE ? 0 : -1;
}

static int choose_text(struct trace_scanner *s, const struct trace_value *property)
{
    int is_text = property_is_text(s, property);

    return is_text < 0 ? trace_peek(s) == '"' : is_text;
}

static int read_property_output(struct trace_scanner *s, const struct trace_value *property, struct trace_value *value)
{
    int unchecked = read_unchecked(s, value);
    size_t start;
    int is_text;

    if (unchecked != 0)
        return unchecked > 0;
    if (is_null_pointer(s, value))
        return 1;
    if (trace_peek(s) != '[')
        return trace_fail_expected(s, "[value], [\"text\"], &name, _ or 0");
    start = s->at++;
    is_text = choose_text(s, property);
    s->at = start;
    if (!read_bracketed(s, is_text, 8, value))
        return 0;
    if (value->items->form == TRACE_STRING && value->items->text.count > ZX_MAX_NAME_LEN)
        return trace_fail_at(s, value_position(s, value->items), "expected a name of at most %u bytes",
                             ZX_MAX_NAME_LEN);
    return 1;
}

static int read_property_input(struct trace_scanner *s, const struct trace_value *property, struct trace_value *value)
{
    return choose_text(s, property) ? trace_read_string(s, value) : trace_read_expression(s, value);
}

/* The bytes of an instruction: 1 to 15 of two hexadecimal digits. */
static int read_code(struct trace_scanner *s, struct trace_value *value)
{
    unsigned digits = 0, bytes = 0;

    if (!trace_read_string(s, value))
        return 0;
    for (size_t i = 0; i <= value->text.count; i++) {
        uint8_t c = i < value->text.count ? value->text.bytes[i] : ' ';
        if (c != '\0' && strchr("0123456789abcdefABCDEF", c) != NULL) {
            digits++;
            continue;
        }
        if (c != ' ' || (digits != 0 && digits != 2))
            return trace_fail_at(s, value_position(s, value),
                                 "expected bytes of two hexadecimal digits, with blanks between");
        bytes += digits / 2;
        digits = 0;
    }
    if (bytes < 1 || bytes > 15)
        return trace_fail_at(s, value_position(s, value), "expected the 1 to 15 bytes of one instruction");
    return 1;
}

static int read_thread(struct trace_scanner *s, struct trace_value *value)
{
    struct trace_word word;

    if (!trace_read_word(s, &word, "a thread's name"))
        return 0;
    value->form = TRACE_THREAD;
    value->symbol = trace_word_symbol(s, &word);
    return 1;
}

static int read_info(struct trace_scanner *s, const struct trace_value *topic, struct trace_value *value)
{
    static const struct trace_layout unknown_topic = {"an unknown topic (none)", NULL, 0};
    const struct trace_layout *layout = NULL;
    uint64_t number;

    if (is_constant(s, topic, &number))
        layout = trace_layout_of(PGR_ARG_INFO_OUT, number);
    return read_structure_output(s, layout != NULL ? layout : &unknown_topic, value);
}

static int read_lock(struct trace_scanner *s, const struct trace_value *op, struct trace_value *value)
{
    uint64_t number;

    if (is_constant(s, op, &number) && number != ZX_VMO_OP_LOCK)
        return trace_fail_expected(s, "')', for only ZX_VMO_OP_LOCK has a structure");
    return read_structure_output(s, trace_layout_of(PGR_ARG_LOCK_OUT, 0), value);
}

/* ---- arguments ---- */

static int read_argument(struct trace_scanner *s, const struct trace_line *line, const pgr_arg *arg,
                         struct trace_value *value)
{
    const struct trace_value *second = line->args != NULL ? line->args->next : NULL;

    switch (arg->kind) {
    case PGR_ARG_HANDLE:
    case PGR_ARG_U32:
        return read_input(s, 4, value);
    case PGR_ARG_U64:
    case PGR_ARG_OFFSET:
    case PGR_ARG_SIZE:
    case PGR_ARG_ADDRESS:
        return read_input(s, 8, value);
    case PGR_ARG_HANDLES:
        return read_handles(s, value);
    case PGR_ARG_HANDLE_OUT:
        return read_number_output(s, 4, 0, value);
    case PGR_ARG_U32_OUT:
        return read_number_output(s, 4, 1, value);
    case PGR_ARG_U64_OUT:
    case PGR_ARG_ADDRESS_OUT:
        return read_number_output(s, 8, 1, value);
    case PGR_ARG_BYTES_IN:
    case PGR_ARG_BYTES_OUT:
        return read_buffer(s, line->call == PGR_CALL_VMO_READ || line->call == PGR_CALL_VMO_WRITE, value);
    case PGR_ARG_PROPERTY_IN:
        return read_property_input(s, second, value);
    case PGR_ARG_PROPERTY_OUT:
        return read_property_output(s, second, value);
    case PGR_ARG_PACKET_IN:
    case TRACE_ARG_REGISTERS_IN:
        return read_structure(s, trace_layout_of(arg->kind, 0), 0, value);
    case PGR_ARG_INFO_OUT:
        return read_info(s, second, value);
    case PGR_ARG_LOCK_OUT:
        return read_lock(s, second, value);
    case PGR_ARG_RANGES_OUT:
        return read_ranges(s, value);
    case PGR_ARG_THREAD:
        return read_thread(s, value);
    case TRACE_ARG_CODE:
        return read_code(s, value);
    default:
        return read_structure_output(s, trace_layout_of(arg->kind, 0), value);
    }
}

static const struct trace_value *nth(const struct trace_value *values, unsigned n)
{
    while (values != NULL && n-- > 0)
        values = values->next;
    return values;
}

static int check_buffers(struct trace_scanner *s, const struct trace_line *line, const pgr_call_info *row)
{
    for (unsigned i = 0; i < row->arg_count; i++) {
        const pgr_arg *arg = &row->args[i];
        if (arg->kind != PGR_ARG_BYTES_IN && arg->kind != PGR_ARG_BYTES_OUT)
            continue;
        if (!check_length(s, nth(line->args, i), nth(line->args, arg->detail)))
            return 0;
    }
    return 1;
}

int trace_read_arguments(struct trace_scanner *s, struct trace_line *line)
{
    const pgr_call_info *row = trace_call_row(line->call);
    struct value_list list = {&line->args};

    if (!trace_expect(s, "(", "'('"))
        return 0;
    for (unsigned i = 0; i < row->arg_count; i++) {
        const pgr_arg *arg = &row->args[i];
        char expected[80];
        if (trace_argument_optional(arg->kind) && trace_peek(s) == ')')
            break;
        snprintf(expected, sizeof(expected), "',' and the argument '%s'", arg->name);
        if (i > 0 && !trace_expect(s, ",", expected))
            return 0;
        if (!read_argument(s, line, arg, append(s, &list)))
            return 0;
    }
    return trace_expect(s, ")", "')'") && check_buffers(s, line, row);
}

/* The place of what the call gives back when it has waited; arg_count if that is nothing. A call that waits has one. */
static unsigned late_output(const pgr_call_info *row, enum trace_dialect dialect)
{
    for (unsigned i = 0; i < row->arg_count; i++) {
        int is_late = dialect == TRACE_ANSWER && trace_is_output(row->args[i].kind);
        if (row->args[i].kind == PGR_ARG_BYTES_OUT || is_late)
            return i;
    }
    return row->arg_count;
}

int trace_read_output(struct trace_scanner *s, struct trace_line *line, const struct trace_line *begun)
{
    const pgr_call_info *row = trace_call_row(line->call);
    unsigned place = late_output(row, s->dialect);

    if (place == row->arg_count)
        return trace_fail_expected(s, "'=', for the call reads no buffer");
    line->output = new_value(s);
    if (row->args[place].kind != PGR_ARG_BYTES_OUT)
        return read_argument(s, begun, &row->args[place], line->output);
    return read_buffer(s, 0, line->output) && check_length(s, line->output, nth(begun->args, row->args[place].detail));
}

/* ---- exceptions and statuses ---- */

static int read_exception_field(struct trace_scanner *s, struct trace_line *line, struct value_list *list)
{
    struct trace_word word;
    const struct trace_field *addr = &trace_layout_exception.fields[0];
    struct trace_value *item;

    if (!trace_read_word(s, &word, "addr or code"))
        return 0;
    if (word.length == 4 && memcmp(word.text, "code", 4) == 0 && line->status == NULL)
        return trace_expect(s, "=", "'='") && trace_read_status(s, &line->status);
    if (word.length != 4 || memcmp(word.text, "addr", 4) != 0 || line->args->items != NULL)
        return trace_fail_at(s, word.at, "expected addr or code, once each");
    if (!trace_expect(s, "=", "'='"))
        return 0;
    item = append(s, list);
    item->field = addr;
    if (trace_accept(s, "_")) {
        item->form = TRACE_ANYTHING;
        return 1;
    }
    return trace_read_expression(s, item);
}

int trace_read_exception(struct trace_scanner *s, struct trace_line *line)
{
    struct value_list list;

    line->args = new_value(s);
    line->args->form = TRACE_STRUCTURE;
    list.link = &line->args->items;
    if (!trace_expect(s, "{", "'{'"))
        return 0;
    if (trace_accept(s, "}"))
        return 1;
    do {
        if (!read_exception_field(s, line, &list))
            return 0;
    } while (trace_accept(s, ","));
    return trace_expect(s, "}", "',' or '}'");
}

static int read_one_status(struct trace_scanner *s, struct trace_status *status)
{
    struct trace_word word;
    const struct constant *constant;

    if (trace_accept(s, "ZX_ERR_*")) {
        status->form = TRACE_STATUS_ANY_ERROR;
        return 1;
    }
    if (!trace_read_word(s, &word, "a status"))
        return 0;
    constant = trace_word_symbol(s, &word)->constant;
    if (constant == NULL || constant->domain != CONSTANT_STATUS)
        return trace_fail_at(s, word.at, "expected ZX_OK, ZX_ERR_..., ZX_ERR_* or _, found '%.*s'",
                             (int)(word.length < 60 ? word.length : 60), word.text);
    status->form = TRACE_STATUS_ONE;
    status->status = (zx_status_t)constant->value;
    return 1;
}

int trace_read_status(struct trace_scanner *s, struct trace_status **status)
{
    *status = trace_allocate(s->trace, sizeof(**status));
    if (trace_accept(s, "_")) {
        (*status)->form = TRACE_STATUS_ANYTHING;
        return 1;
    }
    for (;;) {
        if (!read_one_status(s, *status))
            return 0;
        if (!trace_accept(s, "|"))
            return 1;
        status = &(*status)->next;
        *status = trace_allocate(s->trace, sizeof(**status));
    }
}
