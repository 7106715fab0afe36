/*
 * Results as values of a trace, and whether they are those that a line expects.
 */
#include "harness/trace_results.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "harness/constants.h"
#include "harness/trace_layouts.h"

#define SHOWN_BUFFER_MAX 2000u /* characters of a buffer that is shown where a trace fails */

const struct trace_value *trace_nth(const struct trace_value *values, unsigned n)
{
    while (values != NULL && n-- > 0)
        values = values->next;
    return values;
}

/* ---- values ---- */

static struct trace_value *make_text(struct trace *trace, const char *text, size_t length)
{
    struct trace_value *value = trace_allocate(trace, sizeof(*value));
    char *copy = trace_allocate(trace, length + 1);

    memcpy(copy, text, length);
    value->form = TRACE_LITERAL;
    value->text.bytes = (const uint8_t *)copy;
    value->text.count = length;
    return value;
}

struct trace_value *trace_make_literal(struct trace *trace, const char *format, ...)
{
    char text[CONSTANT_TEXT_MAX];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    return make_text(trace, text, strlen(text));
}

struct trace_value *trace_make_number(struct trace *trace, unsigned domain, uint64_t number)
{
    char text[CONSTANT_TEXT_MAX];

    constant_format(text, domain, number, trace_page_bytes(trace));
    return make_text(trace, text, strlen(text));
}

struct trace_value *trace_make_anything(struct trace *trace)
{
    struct trace_value *value = trace_allocate(trace, sizeof(*value));

    value->form = TRACE_ANYTHING;
    return value;
}

struct trace_status *trace_make_status(struct trace *trace, zx_status_t status)
{
    struct trace_status *made = trace_allocate(trace, sizeof(*made));

    made->form = TRACE_STATUS_ONE;
    made->status = status;
    return made;
}

/* ---- buffers ---- */

/* Whether the first byte fills all of it. */
static int is_uniform(const uint8_t *bytes, uint64_t count)
{
    return count == 0 || memcmp(bytes, bytes + 1, count - 1) == 0;
}

static uint64_t min_u64(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* Bytes from `at` on that lie in one page of the buffer. */
static uint64_t page_part(uint64_t at, uint64_t count, uint64_t page_bytes)
{
    return min_u64(page_bytes, count - at);
}

static int is_uniform_in_pages(const uint8_t *bytes, uint64_t count, uint64_t page_bytes)
{
    for (uint64_t at = 0; at < count; at += page_bytes)
        if (!is_uniform(bytes + at, page_part(at, count, page_bytes)))
            return 0;
    return 1;
}

/* The pages that must be written: the last one of those goes on to the end. */
static uint64_t pages_to_write(const uint8_t *bytes, uint64_t count, uint64_t page_bytes)
{
    uint64_t pages = (count + page_bytes - 1) / page_bytes;

    while (pages > 1 && bytes[(pages - 1) * page_bytes] == bytes[(pages - 2) * page_bytes])
        pages--;
    return pages;
}

static const char *byte_format(uint8_t byte)
{
    return byte == 0 ? "%u" : "0x%02x";
}

static void write_pages(FILE *out, const uint8_t *bytes, uint64_t count, uint64_t page_bytes)
{
    uint64_t pages = pages_to_write(bytes, count, page_bytes);

    fputs("pages(", out);
    for (uint64_t i = 0; i < pages; i++) {
        fputs(i > 0 ? ", " : "", out);
        fprintf(out, byte_format(bytes[i * page_bytes]), bytes[i * page_bytes]);
    }
    fputs(")", out);
}

static void write_string(FILE *out, const uint8_t *bytes, uint64_t count)
{
    while (count > 0 && bytes[count - 1] == 0)
        count--;
    putc('"', out);
    for (uint64_t i = 0; i < count; i++) {
        if (bytes[i] == '"' || bytes[i] == '\\')
            fprintf(out, "\\%c", bytes[i]);
        else if (bytes[i] >= ' ' && bytes[i] < 0x7f)
            putc(bytes[i], out);
        else
            fprintf(out, "\\x%02x", bytes[i]);
    }
    putc('"', out);
}

/* Characters of the string, to weigh it against the pages. */
static uint64_t string_length(const uint8_t *bytes, uint64_t count)
{
    uint64_t length = 2;

    while (count > 0 && bytes[count - 1] == 0)
        count--;
    for (uint64_t i = 0; i < count; i++)
        length += bytes[i] >= ' ' && bytes[i] < 0x7f ? 1 : 4;
    return length;
}

static void write_buffer(FILE *out, const uint8_t *bytes, uint64_t count, uint64_t page_bytes)
{
    if (is_uniform(bytes, count)) {
        uint8_t byte = count > 0 ? bytes[0] : 0;
        fputs("fill(", out);
        fprintf(out, byte_format(byte), byte);
        fputs(")", out);
    } else if (is_uniform_in_pages(bytes, count, page_bytes) &&
               7 + 6 * pages_to_write(bytes, count, page_bytes) <= string_length(bytes, count)) {
        write_pages(out, bytes, count, page_bytes);
    } else {
        write_string(out, bytes, count);
    }
}

struct trace_value *trace_make_buffer(struct trace *trace, const uint8_t *bytes, uint64_t count, uint64_t text_max)
{
    struct trace_value *value;
    char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);

    if (out == NULL)
        return trace_make_anything(trace);
    write_buffer(out, bytes, count, trace_page_bytes(trace));
    fclose(out);
    if (text_max > 3 && length > text_max)
        /* The text has a length; a zero behind it would cut nothing. */
        memcpy(text + (length = text_max) - 3, "...", 3); // NOLINT(bugprone-not-null-terminated-result)
    value = make_text(trace, text, length);
    free(text);
    return value;
}

static int evaluate(struct trace_comparison *comparison, const struct trace_value *value, uint64_t *number)
{
    const struct trace_symbol *unbound;

    if (trace_evaluate(comparison->trace, value, comparison->bindings, number, &unbound) == 0)
        return 0;
    snprintf(comparison->note, sizeof(comparison->note), "%.60s has no value", unbound->name);
    return -1;
}

static int evaluate_byte(struct trace_comparison *comparison, const struct trace_value *value, uint8_t *byte)
{
    uint64_t number;

    if (evaluate(comparison, value, &number) != 0)
        return -1;
    *byte = (uint8_t)number;
    if (number <= 255)
        return 0;
    snprintf(comparison->note, sizeof(comparison->note), "a byte has the value %" PRIu64, number);
    return -1;
}

static int too_long(struct trace_comparison *comparison, uint64_t count)
{
    snprintf(comparison->note, sizeof(comparison->note), "the content is longer than the call's %" PRIu64 " bytes",
             count);
    return -1;
}

static int pages_bytes(struct trace_comparison *comparison, const struct trace_value *items, uint8_t *bytes,
                       uint64_t count)
{
    uint64_t page_bytes = trace_page_bytes(comparison->trace);
    uint64_t at = 0;
    uint8_t byte = 0;

    for (const struct trace_value *item = items; item != NULL; item = item->next) {
        if (at >= count && at > 0)
            return too_long(comparison, count);
        if (evaluate_byte(comparison, item, &byte) != 0)
            return -1;
        memset(bytes + at, byte, page_part(at, count, page_bytes));
        at += page_bytes;
    }
    if (at < count)
        memset(bytes + at, byte, count - at);
    return 0;
}

int trace_buffer_bytes(struct trace_comparison *comparison, const struct trace_value *value, uint8_t *bytes,
                       uint64_t count)
{
    uint8_t byte;

    switch (value->form) {
    case TRACE_FILL:
        if (evaluate_byte(comparison, value->items, &byte) != 0)
            return -1;
        memset(bytes, byte, count);
        return 0;
    case TRACE_PAGE_BYTES:
        return pages_bytes(comparison, value->items, bytes, count);
    case TRACE_STRING:
        if (value->text.count > count)
            return too_long(comparison, count);
        memcpy(bytes, value->text.bytes, value->text.count);
        memset(bytes + value->text.count, 0, count - value->text.count);
        return 0;
    default:
        for (uint64_t i = 0; i < count; i++)
            bytes[i] = (uint8_t)(0x5a + i);
        return 0;
    }
}

/* Sets the note to the first difference. */
static void note_difference(struct trace_comparison *comparison, const uint8_t *expected, const uint8_t *actual,
                            uint64_t count)
{
    uint64_t at = 0;

    while (at < count && expected[at] == actual[at])
        at++;
    snprintf(comparison->note, sizeof(comparison->note),
             "the buffer differs from byte %" PRIu64 " on: expected 0x%02x, found 0x%02x", at, expected[at],
             actual[at]);
}

/* Whether the buffer is as expected. The expectation is written into memory of its own, which goes again at once. */
static int buffer_matches(struct trace_comparison *comparison, const struct trace_value *expected, const uint8_t *bytes,
                          uint64_t count)
{
    uint8_t *wanted = malloc(count > 0 ? count : 1);
    int matches = 0;

    if (wanted == NULL)
        snprintf(comparison->note, sizeof(comparison->note), "no memory to compare %" PRIu64 " bytes", count);
    else if (trace_buffer_bytes(comparison, expected, wanted, count) == 0) {
        matches = memcmp(wanted, bytes, count) == 0;
        if (!matches)
            note_difference(comparison, wanted, bytes, count);
    }
    free(wanted);
    return matches;
}

struct trace_value *trace_compare_buffer(struct trace_comparison *comparison, struct trace_value *expected,
                                         const uint8_t *bytes, uint64_t count)
{
    if (expected->form == TRACE_ANYTHING && !comparison->fill_buffers)
        return expected;
    if (expected->form != TRACE_ANYTHING) {
        if (buffer_matches(comparison, expected, bytes, count))
            return expected;
        comparison->differs = 1;
    }
    return trace_make_buffer(comparison->trace, bytes, count, comparison->fill ? 0 : SHOWN_BUFFER_MAX);
}

/* ---- numbers and structures ---- */

static void bind(struct trace_comparison *comparison, const struct trace_value *value, uint64_t number)
{
    if (comparison->binds)
        comparison->bindings[value->symbol->id] = (struct trace_binding){number, 1};
}

static struct trace_value *copy_value(struct trace *trace, const struct trace_value *value)
{
    struct trace_value *copy = trace_allocate(trace, sizeof(*copy));

    *copy = *value;
    copy->next = NULL;
    return copy;
}

/* `mask`: the bits of the number that count, for expectations of narrow signed fields. */
static struct trace_value *compare_number(struct trace_comparison *comparison, const struct trace_value *expected,
                                          unsigned domain, uint64_t number, uint64_t mask)
{
    uint64_t wanted;

    if (expected->form == TRACE_BINDING) {
        bind(comparison, expected, number);
        return copy_value(comparison->trace, expected);
    }
    if (expected->form == TRACE_ANYTHING && !comparison->fill)
        return copy_value(comparison->trace, expected);
    if (expected->form == TRACE_EXPRESSION) {
        if (evaluate(comparison, expected, &wanted) == 0 && ((wanted ^ number) & mask) == 0)
            return copy_value(comparison->trace, expected);
        comparison->differs = 1;
    }
    return trace_make_number(comparison->trace, domain, number);
}

static struct trace_value *array_of(struct trace *trace, struct trace_value *items)
{
    struct trace_value *array = trace_allocate(trace, sizeof(*array));

    array->form = TRACE_ARRAY;
    array->items = items;
    return array;
}

/* An out number, which a trace writes as [2]. A bare 0 is a null pointer, where nothing came. */
static struct trace_value *compare_out(struct trace_comparison *comparison, const struct trace_value *expected,
                                       unsigned domain, uint64_t number)
{
    if (expected->form == TRACE_ARRAY)
        return array_of(comparison->trace, compare_number(comparison, expected->items, domain, number, UINT64_MAX));
    if (expected->form == TRACE_ANYTHING && comparison->fill)
        return array_of(comparison->trace, trace_make_number(comparison->trace, domain, number));
    if (expected->form == TRACE_BINDING)
        bind(comparison, expected, number);
    return copy_value(comparison->trace, expected);
}

static struct trace_value *compare_numbers(struct trace_comparison *comparison, const struct trace_field *field,
                                           const struct trace_value *expected, const void *structure)
{
    struct trace_value *array = array_of(comparison->trace, NULL);
    struct trace_value **link = &array->items;
    const struct trace_value *item = expected->form == TRACE_ARRAY ? expected->items : NULL;

    for (unsigned i = 0; i < field->count; i++) {
        uint64_t number = trace_field_get(field, structure, i);
        *link = item != NULL ? compare_number(comparison, item, field->domain, number, UINT64_MAX)
                             : trace_make_number(comparison->trace, field->domain, number);
        link = &(*link)->next;
        item = item != NULL ? item->next : NULL;
    }
    return array;
}

static struct trace_value *compare_text(struct trace_comparison *comparison, const struct trace_value *expected,
                                        const uint8_t *text, uint64_t bytes)
{
    struct trace_value *value = trace_make_anything(comparison->trace);
    uint64_t length = 0;
    char *printed = NULL;
    size_t printed_length = 0;
    FILE *out;

    if (expected->form == TRACE_STRING && buffer_matches(comparison, expected, text, bytes))
        return copy_value(comparison->trace, expected);
    comparison->note[0] = '\0';
    if (expected->form == TRACE_STRING)
        comparison->differs = 1;
    while (length < bytes && text[length] != 0)
        length++;
    out = open_memstream(&printed, &printed_length);
    if (out == NULL)
        return value;
    write_string(out, text, length);
    fclose(out);
    value = make_text(comparison->trace, printed, printed_length);
    free(printed);
    return value;
}

/* A number of more than 64 bits; a name gets the lowest 64 of them. */
static struct trace_value *compare_wide(struct trace_comparison *comparison, const struct trace_field *field,
                                        const struct trace_value *expected, const void *structure)
{
    const uint8_t *bytes = (const uint8_t *)structure + field->offset;
    struct trace_value *actual = trace_make_anything(comparison->trace);
    uint8_t *kept = trace_allocate(comparison->trace, field->bytes);
    uint64_t low;

    if (expected->form == TRACE_BINDING) {
        memcpy(&low, bytes, sizeof(low));
        bind(comparison, expected, low);
        return copy_value(comparison->trace, expected);
    }
    if (expected->form == TRACE_WIDE && memcmp(expected->text.bytes, bytes, field->bytes) != 0)
        comparison->differs = 1;
    memcpy(kept, bytes, field->bytes);
    actual->form = TRACE_WIDE;
    actual->text.bytes = kept;
    actual->text.count = field->bytes;
    return actual;
}

static uint64_t field_mask(const struct trace_field *field)
{
    return field->type == TRACE_FIELD_STATUS ? UINT32_MAX : UINT64_MAX;
}

static struct trace_value *compare_field(struct trace_comparison *comparison, const struct trace_field *field,
                                         const struct trace_value *expected, const void *structure)
{
    struct trace_value *actual;

    if (expected->form == TRACE_ANYTHING && !comparison->fill)
        actual = copy_value(comparison->trace, expected);
    else if (field->type == TRACE_FIELD_NUMBERS)
        actual = compare_numbers(comparison, field, expected, structure);
    else if (field->type == TRACE_FIELD_TEXT)
        actual = compare_text(comparison, expected, (const uint8_t *)structure + field->offset, field->bytes);
    else if (field->type == TRACE_FIELD_WIDE)
        actual = compare_wide(comparison, field, expected, structure);
    else
        actual = compare_number(comparison, expected, field->domain, trace_field_get(field, structure, 0),
                                field_mask(field));
    actual->field = field;
    return actual;
}

static unsigned packet_group(const void *packet)
{
    switch (((const zx_port_packet_t *)packet)->type) {
    case ZX_PKT_TYPE_PAGE_REQUEST:
        return TRACE_GROUP_PAGE_REQUEST;
    case ZX_PKT_TYPE_SIGNAL_ONE:
        return TRACE_GROUP_SIGNAL;
    default:
        return TRACE_GROUP_USER;
    }
}

/* What is 0 in every packet but odd ones, and what the interface reserves, is left away. */
static int says_nothing(const struct trace_field *field, const void *structure)
{
    static const char *const mostly_zero[] = {"status", "flags", "timestamp", "reserved"};

    if (field->bytes * field->count > 8 || trace_field_get(field, structure, 0) != 0)
        return 0;
    for (size_t i = 0; i < sizeof(mostly_zero) / sizeof(mostly_zero[0]); i++)
        if (strcmp(field->name, mostly_zero[i]) == 0 && field->domain != CONSTANT_VMO_FLAGS)
            return 1;
    return 0;
}

struct trace_value *trace_make_structure(struct trace *trace, unsigned arg_kind, uint64_t topic, const void *structure)
{
    const struct trace_layout *layout = trace_layout_of(arg_kind, topic);
    struct trace_comparison filling = {.trace = trace, .fill = 1};
    int is_packet = arg_kind == PGR_ARG_PACKET_IN || arg_kind == PGR_ARG_PACKET_OUT;
    struct trace_value *value = trace_make_anything(trace);
    struct trace_value **link = &value->items;
    struct trace_value anything = *value;

    if (layout == NULL)
        return value;
    value->form = TRACE_STRUCTURE;
    for (unsigned i = 0; i < layout->field_count; i++) {
        const struct trace_field *field = &layout->fields[i];
        if (is_packet && field->group != TRACE_GROUP_ALL && field->group != packet_group(structure))
            continue;
        if (says_nothing(field, structure))
            continue;
        *link = compare_field(&filling, field, &anything, structure);
        link = &(*link)->next;
    }
    return value;
}

static struct trace_value *compare_structure(struct trace_comparison *comparison, const pgr_arg *arg, uint64_t topic,
                                             const struct trace_value *expected, const void *structure)
{
    struct trace_value *value;
    struct trace_value **link;

    if (expected->form == TRACE_ANYTHING && comparison->fill)
        return trace_make_structure(comparison->trace, arg->kind, topic, structure);
    value = copy_value(comparison->trace, expected);
    if (expected->form != TRACE_STRUCTURE)
        return value;
    link = &value->items;
    for (const struct trace_value *item = expected->items; item != NULL; item = item->next) {
        *link = compare_field(comparison, item->field, item, structure);
        link = &(*link)->next;
    }
    return value;
}

static struct trace_value *compare_ranges(struct trace_comparison *comparison, const pgr_arg *arg,
                                          const struct trace_value *expected, const zx_vmo_dirty_range_t *ranges,
                                          uint32_t count)
{
    const struct trace_value *item = expected->form == TRACE_ARRAY ? expected->items : NULL;
    struct trace_value *array = array_of(comparison->trace, NULL);
    struct trace_value **link = &array->items;

    if (expected->form == TRACE_EXPRESSION || (expected->form == TRACE_ANYTHING && !comparison->fill))
        return copy_value(comparison->trace, expected);
    for (uint32_t i = 0; i < count; i++) {
        if (item == NULL && expected->form == TRACE_ARRAY)
            comparison->differs = 1;
        *link = item != NULL ? compare_structure(comparison, arg, 0, item, &ranges[i])
                             : trace_make_structure(comparison->trace, arg->kind, 0, &ranges[i]);
        link = &(*link)->next;
        item = item != NULL ? item->next : NULL;
    }
    if (item != NULL)
        comparison->differs = 1;
    return array;
}

static struct trace_value *compare_property(struct trace_comparison *comparison, const struct trace_value *expected,
                                            const struct trace_outcome *outcome)
{
    int is_text = outcome->call->arg[1] == ZX_PROP_NAME;
    const uint8_t *bytes = outcome->call->buffer;
    uint64_t number = 0;

    if (bytes == NULL || outcome->call->buffer_bytes < sizeof(number))
        return copy_value(comparison->trace, expected);
    memcpy(&number, bytes, sizeof(number));
    if (!is_text)
        return compare_out(comparison, expected, CONSTANT_BYTES, number);
    if (expected->form == TRACE_ARRAY)
        return array_of(comparison->trace, compare_text(comparison, expected->items, bytes, ZX_MAX_NAME_LEN));
    if (expected->form == TRACE_ANYTHING && comparison->fill)
        return array_of(comparison->trace, compare_text(comparison, expected, bytes, ZX_MAX_NAME_LEN));
    if (expected->form == TRACE_BINDING)
        bind(comparison, expected, number);
    return copy_value(comparison->trace, expected);
}

/* ---- outputs of a call ---- */

static unsigned out_domain(const pgr_arg *arg, uint32_t call)
{
    switch (arg->kind) {
    case PGR_ARG_ADDRESS_OUT:
        return CONSTANT_ADDRESS;
    case PGR_ARG_U32_OUT:
        return call == PGR_CALL_OBJECT_WAIT_ONE ? PGR_DOMAIN_SIGNALS : PGR_DOMAIN_NUMBER;
    case PGR_ARG_U64_OUT:
        return call == PGR_CALL_VMO_GET_SIZE || call == PGR_CALL_VMO_GET_STREAM_SIZE ? CONSTANT_BYTES
                                                                                     : PGR_DOMAIN_NUMBER;
    default:
        return PGR_DOMAIN_NUMBER;
    }
}

static struct trace_value *compare_argument(struct trace_comparison *comparison, const pgr_arg *arg, unsigned place,
                                            struct trace_value *expected, const struct trace_outcome *outcome)
{
    const pgr_result *result = outcome->result;
    const pgr_call *call = outcome->call;

    switch (arg->kind) {
    case PGR_ARG_HANDLE_OUT:
    case PGR_ARG_ADDRESS_OUT:
    case PGR_ARG_U64_OUT:
    case PGR_ARG_U32_OUT:
        return compare_out(comparison, expected, out_domain(arg, call->number), result->out[place]);
    case PGR_ARG_BYTES_OUT:
        if (expected->form == TRACE_AT)
            return copy_value(comparison->trace, expected);
        return copy_value(comparison->trace,
                          trace_compare_buffer(comparison, expected, call->buffer, call->buffer_bytes));
    case PGR_ARG_PROPERTY_OUT:
        return compare_property(comparison, expected, outcome);
    case PGR_ARG_RANGES_OUT:
        return compare_ranges(comparison, arg, expected, call->buffer, result->count);
    case PGR_ARG_PACKET_OUT:
    case PGR_ARG_INFO_OUT:
    case PGR_ARG_STATS_OUT:
    case PGR_ARG_LOCK_OUT:
        return compare_structure(comparison, arg, call->arg[1], expected, &result->packet);
    case TRACE_ARG_REGISTERS_OUT:
        if (expected->form == TRACE_ANYTHING)
            return copy_value(comparison->trace, expected);
        return compare_structure(comparison, arg, 0, expected, call->buffer);
    default:
        return copy_value(comparison->trace, expected);
    }
}

/* Where a call fails no output comes, so that what the line expects cannot stay. */
static struct trace_value *without_output(struct trace_comparison *comparison, const pgr_arg *arg,
                                          const struct trace_value *expected)
{
    if (!trace_is_output(arg->kind) || expected->form == TRACE_BINDING || expected->form == TRACE_EXPRESSION ||
        expected->form == TRACE_AT)
        return copy_value(comparison->trace, expected);
    return trace_make_anything(comparison->trace);
}

int trace_has_outputs(const struct trace_outcome *outcome)
{
    zx_status_t status = outcome->result->status;

    return status == ZX_OK || (outcome->call->number == PGR_CALL_OBJECT_WAIT_ONE &&
                               (status == ZX_ERR_TIMED_OUT || status == ZX_ERR_CANCELED));
}

struct trace_value *trace_compare_outputs(struct trace_comparison *comparison, const struct trace_line *line,
                                          const struct trace_outcome *outcome)
{
    const pgr_call_info *row = trace_call_row(line->call);
    struct trace_value *first = NULL;
    struct trace_value **link = &first;
    unsigned place = 0;

    for (struct trace_value *value = line->args; value != NULL; value = value->next, place++) {
        const pgr_arg *arg = &row->args[place];
        *link = trace_has_outputs(outcome) ? compare_argument(comparison, arg, place, value, outcome)
                                           : without_output(comparison, arg, value);
        link = &(*link)->next;
    }
    return first;
}

int trace_status_matches(const struct trace_status *expected, zx_status_t status)
{
    for (; expected != NULL; expected = expected->next) {
        if (expected->form == TRACE_STATUS_ANYTHING || (expected->form == TRACE_STATUS_ANY_ERROR && status != ZX_OK))
            return 1;
        if (expected->form == TRACE_STATUS_ONE && expected->status == status)
            return 1;
    }
    return 0;
}
