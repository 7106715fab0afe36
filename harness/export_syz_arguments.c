/*
 * A call of a program of syzkaller, argument by argument.
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "harness/constants.h"
#include "harness/export_syz_internal.h"
#include "harness/trace_layouts.h"
#include "harness/trace_results.h"

#define DATA_BYTES_MAX (UINT64_C(64) << 10) /* that a program writes out, or has room for in one call */
#define ADDRESSES_MAX 512u
#define NO_RESULT UINT32_MAX

int syz_refuse(struct exporting *e, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(e->why, sizeof(e->why), format, arguments);
    va_end(arguments);
    return -1;
}

/* ---- the handles that a trace starts with ---- */

static uint32_t make_vmar(struct exporting *e)
{
    syz_begin_call(e);
    fprintf(e->out, "r%" PRIu32 " = syz_vmar_root_self()\n", e->results);
    return e->results++;
}

static uint32_t make_resource(struct exporting *e)
{
    syz_begin_call(e);
    fprintf(e->out, "r%" PRIu32 " = get_root_resource()\n", e->results);
    return e->results++;
}

static uint32_t make_event(struct exporting *e)
{
    syz_begin_call(e);
    fprintf(e->out, "zx_event_create(0x0, &AUTO=<r%" PRIu32 "=>0x0)\n", e->results);
    return e->results++;
}

/* Behind an IOMMU of the kind that does nothing. */
static uint32_t make_bti(struct exporting *e)
{
    uint32_t resource = make_resource(e), iommu = e->results++;

    fprintf(e->out, "zx_iommu_create(r%" PRIu32 ", 0x0, &AUTO=\"00\", 0x1, &AUTO=<r%" PRIu32 "=>0x0)\n", resource,
            iommu);
    fprintf(e->out, "zx_bti_create(r%" PRIu32 ", 0x0, 0x0, &AUTO=<r%" PRIu32 "=>0x0)\n", iommu, e->results);
    return e->results++;
}

/* They are made where they are used first: before the call that is being written. */
static void make_start_handle(struct exporting *e, const struct trace_symbol *symbol)
{
    static const struct {
        const char *name;
        uint32_t (*make)(struct exporting *e);
    } start[] = {{"vmar", make_vmar}, {"bti", make_bti}, {"resource", make_resource}, {"event", make_event}};

    for (size_t i = 0; i < sizeof(start) / sizeof(start[0]); i++) {
        if (strcmp(symbol->name, start[i].name) != 0)
            continue;
        e->bindings[symbol->id] = (struct syz_binding){MEANS_RESULT, start[i].make(e)};
        e->before[symbol->id] = e->bindings[symbol->id];
    }
}

/* ---- expressions ---- */

struct number {
    uint64_t value;  /* or what is added to the result */
    uint32_t result; /* NO_RESULT: none */
};

static int resolve_name(struct exporting *e, const struct trace_term *term, struct number *number)
{
    const struct trace_symbol *symbol = term->symbol;

    if (e->before[symbol->id].meaning == MEANS_NOTHING)
        make_start_handle(e, symbol);
    if (e->before[symbol->id].meaning == MEANS_MISSING || e->before[symbol->id].meaning == MEANS_NOTHING)
        return syz_refuse(e, "%.60s comes from a call that is missing", symbol->name);
    if (e->before[symbol->id].meaning == MEANS_NUMBER)
        return syz_refuse(e, "%.60s is a number, which programs do not take from outputs", symbol->name);
    if (number->result != NO_RESULT || (term->operator_before != 0 && term->operator_before != '+'))
        return syz_refuse(e, "programs add numbers to one result, and no more");
    number->result = e->before[symbol->id].result;
    return 0;
}

static int add_term(struct exporting *e, const struct trace_term *term, struct number *number)
{
    uint64_t value = term->kind == TRACE_PAGES ? term->number * SYZ_PAGE_BYTES : term->number;

    if (term->kind == TRACE_NAME)
        return resolve_name(e, term, number);
    if (term->kind == TRACE_CONSTANT)
        value = term->symbol->constant->value;
    else if (term->is_negative)
        value = 0 - value;
    if (term->operator_before == '|' && number->result != NO_RESULT)
        return syz_refuse(e, "programs add numbers to one result, and no more");
    if (term->operator_before == '|')
        number->value |= value;
    else
        number->value += term->operator_before == '-' ? 0 - value : value;
    return 0;
}

static int resolve(struct exporting *e, const struct trace_value *value, struct number *number)
{
    *number = (struct number){.result = NO_RESULT};
    for (const struct trace_term *term = value->terms; term != NULL; term = term->next)
        if (add_term(e, term, number) != 0)
            return -1;
    return 0;
}

static int resolve_number(struct exporting *e, const struct trace_value *value, uint64_t *number)
{
    struct number resolved;

    if (resolve(e, value, &resolved) != 0)
        return -1;
    *number = resolved.value;
    return resolved.result == NO_RESULT ? 0 : syz_refuse(e, "an argument that is no resource would need a result");
}

/* ---- arguments ---- */

static int put_resource(struct exporting *e, const struct trace_value *value)
{
    struct number number;

    if (resolve(e, value, &number) != 0)
        return -1;
    if (number.result == NO_RESULT)
        fprintf(e->line, "0x%" PRIx64, number.value);
    else if (number.value == 0)
        fprintf(e->line, "r%" PRIu32, number.result);
    else
        fprintf(e->line, "r%" PRIu32 "+0x%" PRIx64, number.result, number.value);
    return 0;
}

static int put_number(struct exporting *e, const struct trace_value *value)
{
    uint64_t number;

    if (resolve_number(e, value, &number) != 0)
        return -1;
    fprintf(e->line, "0x%" PRIx64, number);
    return 0;
}

/* No time passes in a trace: what is not infinite is a time in the past. */
static int put_time(struct exporting *e, const struct trace_value *value)
{
    uint64_t number;

    if (resolve_number(e, value, &number) != 0)
        return -1;
    fprintf(e->line, "0x%" PRIx64, number == ZX_TIME_INFINITE ? number : 0);
    return 0;
}

/* Descriptions give each process its own few keys: those of the trace are counted through. */
static int put_key(struct exporting *e, uint64_t key, unsigned keys_max)
{
    unsigned i = 0;

    while (i < e->key_count && e->keys[i] != key)
        i++;
    if (i >= keys_max)
        return syz_refuse(e, "the descriptions have no more than %u keys here", keys_max);
    if (i == e->key_count)
        e->keys[e->key_count++] = key;
    fprintf(e->line, "0x%x", i);
    return 0;
}

static int put_key_argument(struct exporting *e, const struct trace_value *value, unsigned keys_max)
{
    uint64_t key;

    return resolve_number(e, value, &key) == 0 ? put_key(e, key, keys_max) : -1;
}

static int is_null(const struct trace_value *output)
{
    return output != NULL && output->form == TRACE_EXPRESSION;
}

/* A name that is bound to a number cannot be used further on; on failure the name keeps what it stood for. */
static void put_out(struct exporting *e, const struct trace_value *value, int binds)
{
    const struct trace_value *bound = value;

    if (value != NULL && value->form == TRACE_ARRAY)
        bound = value->items;
    if (bound != NULL && bound->form == TRACE_BINDING && binds)
        e->bindings[bound->symbol->id] = (struct syz_binding){.meaning = MEANS_NUMBER};
    fputs(is_null(value) ? "0x0" : "&AUTO", e->line);
}

static void put_out_result(struct exporting *e, const struct trace_value *value, int binds)
{
    if (value->form != TRACE_BINDING || !binds) {
        put_out(e, value, 0);
        return;
    }
    e->bindings[value->symbol->id] = (struct syz_binding){MEANS_RESULT, e->results};
    fprintf(e->line, "&AUTO=<r%" PRIu32 "=>0x0", e->results++);
}

/* ---- buffers ---- */

/* Zeros at the end are left to the length. */
static void put_hex(struct exporting *e, const uint8_t *bytes, uint64_t count)
{
    uint64_t written = count;

    while (written > 0 && bytes[written - 1] == 0)
        written--;
    putc('"', e->line);
    for (uint64_t i = 0; i < written; i++)
        fprintf(e->line, "%02x", bytes[i]);
    putc('"', e->line);
    if (written < count)
        fprintf(e->line, "/0x%" PRIx64, count);
}

static int fill_pages(struct exporting *e, const struct trace_value *item, uint8_t *bytes, uint64_t count)
{
    uint64_t byte = 0;

    for (uint64_t i = 0; i < count; i++) {
        if (i % SYZ_PAGE_BYTES == 0 && item != NULL) {
            if (resolve_number(e, item, &byte) != 0)
                return -1;
            item = item->next;
        }
        bytes[i] = (uint8_t)byte;
    }
    return 0;
}

/* As trace_buffer_bytes(), but with Zircon's pages. */
static int fill_buffer(struct exporting *e, const struct trace_value *value, uint8_t *bytes, uint64_t count)
{
    uint64_t text = 0;

    switch (value->form) {
    case TRACE_FILL:
    case TRACE_PAGE_BYTES:
        return fill_pages(e, value->items, bytes, count);
    case TRACE_STRING:
        text = value->text.count < count ? value->text.count : count;
        memcpy(bytes, value->text.bytes, text);
        memset(bytes + text, 0, count - text);
        return 0;
    default:
        for (uint64_t i = 0; i < count; i++)
            bytes[i] = (uint8_t)(0x5a + i);
        return 0;
    }
}

/*
 * So many bytes as the buffer has. One that is too long for a program may be short if the call must fail anyway: Zircon
 * does not get as far as to touch it.
 */
static int buffer_bytes(struct exporting *e, const struct trace_value *value, uint64_t length, int may_succeed,
                        uint64_t *bytes)
{
    if (value->form == TRACE_AT)
        return syz_refuse(e, "programs have no pointers into memory that they map");
    if (length > DATA_BYTES_MAX && may_succeed)
        return syz_refuse(e, "the buffer is too long for a program");
    *bytes = length > DATA_BYTES_MAX ? SYZ_PAGE_BYTES : length;
    return 0;
}

static int put_bytes(struct exporting *e, const struct trace_value *value, uint64_t length, int is_input,
                     int may_succeed)
{
    uint8_t *content;
    uint64_t bytes = 0;
    int status;

    if (buffer_bytes(e, value, length, may_succeed, &bytes) != 0)
        return -1;
    if (!is_input) {
        fprintf(e->line, "&AUTO=\"\"/0x%" PRIx64, bytes);
        return 0;
    }
    content = calloc(1, bytes + 1);
    if (content == NULL)
        return syz_refuse(e, "no memory for its buffer");
    status = fill_buffer(e, value, content, bytes);
    fputs("&AUTO=", e->line);
    put_hex(e, content, bytes);
    free(content);
    return status;
}

static int put_handles(struct exporting *e, const struct trace_value *value)
{
    unsigned count = 0;

    fputs("&AUTO=[", e->line);
    for (const struct trace_value *item = value->items; item != NULL; item = item->next) {
        fputs(count++ > 0 ? ", " : "", e->line);
        if (put_resource(e, item) != 0)
            return -1;
    }
    fprintf(e->line, "], 0x%x", count);
    return 0;
}

static int put_words(struct exporting *e, const struct trace_value *value)
{
    const struct trace_value *item = value != NULL ? value->items : NULL;

    fputs("@u64=[", e->line);
    for (unsigned i = 0; i < 4; i++) {
        fputs(i > 0 ? ", " : "", e->line);
        if (item == NULL)
            fputs("0x0", e->line);
        else if (put_number(e, item) != 0)
            return -1;
        item = item != NULL ? item->next : NULL;
    }
    putc(']', e->line);
    return 0;
}

static const struct trace_value *field_of(const struct trace_value *structure, const char *name)
{
    for (const struct trace_value *item = structure->items; item != NULL; item = item->next)
        if (strcmp(item->field->name, name) == 0)
            return item;
    return NULL;
}

static int field_number(struct exporting *e, const struct trace_value *structure, const char *name, uint64_t *number)
{
    const struct trace_value *value = field_of(structure, name);

    *number = 0;
    return value != NULL ? resolve_number(e, value, number) : 0;
}

static int put_packet(struct exporting *e, const struct trace_value *value)
{
    uint64_t key, type, status;

    if (field_number(e, value, "key", &key) != 0 || field_number(e, value, "type", &type) != 0 ||
        field_number(e, value, "status", &status) != 0)
        return -1;
    fputs("&AUTO={", e->line);
    if (put_key(e, key, SYZ_KEYS_MAX) != 0)
        return -1;
    fprintf(e->line, ", 0x%" PRIx64 ", 0x%" PRIx32 ", ", type, (uint32_t)status);
    if (put_words(e, field_of(value, "u64")) != 0)
        return -1;
    putc('}', e->line);
    return 0;
}

static int put_name(struct exporting *e, const struct trace_value *value)
{
    if (value->form != TRACE_STRING)
        return syz_refuse(e, "a name that is no text");
    fputs("&AUTO=", e->line);
    put_hex(e, value->text.bytes, value->text.count);
    fprintf(e->line, ", 0x%zx", value->text.count);
    return 0;
}

static int put_size_in(struct exporting *e, const struct trace_value *value)
{
    fputs("&AUTO=", e->line);
    if (put_number(e, value) != 0)
        return -1;
    fputs(", 0x8", e->line);
    return 0;
}

/* As many addresses as zx_bti_pin gives: one a page, or, of contiguous pages, one. */
static int put_addresses(struct exporting *e, const struct trace_line *line)
{
    uint64_t options, size, count;

    if (resolve_number(e, trace_nth(line->args, 1), &options) != 0 ||
        resolve_number(e, trace_nth(line->args, 4), &size) != 0)
        return -1;
    count = options & ZX_BTI_CONTIGUOUS ? 1 : size / SYZ_PAGE_BYTES;
    if (count > ADDRESSES_MAX)
        return syz_refuse(e, "more than %u addresses", ADDRESSES_MAX);
    fputs("&AUTO=[", e->line);
    for (uint64_t i = 0; i < count; i++)
        fputs(i > 0 ? ", 0x0" : "0x0", e->line);
    fprintf(e->line, "], 0x%" PRIx64, count);
    return 0;
}

/* ---- the call ---- */

static int put_argument(struct exporting *e, const struct trace_line *line, const struct syz_call *row, unsigned i)
{
    const struct trace_value *value = trace_nth(line->args, row->arguments[i].place);
    uint64_t length = 0;
    int kind = row->arguments[i].kind;

    switch (kind) {
    case SYZ_RESOURCE:
        return put_resource(e, value);
    case SYZ_NUMBER:
        return put_number(e, value);
    case SYZ_TIME:
        return put_time(e, value);
    case SYZ_KEY:
        return put_key_argument(e, value, SYZ_KEYS_MAX);
    case SYZ_KEY_OF_4:
        return put_key_argument(e, value, 4);
    case SYZ_CONSTANT:
        fprintf(e->line, "0x%" PRIx64, row->constant);
        return 0;
    case SYZ_ZERO:
        fputs("0x0", e->line);
        return 0;
    case SYZ_OUT_RESULT:
        put_out_result(e, value, syz_may_succeed(line));
        return 0;
    case SYZ_OUT:
        put_out(e, row->arguments[i].place == 0 ? NULL : value, syz_may_succeed(line));
        return 0;
    case SYZ_AUTO:
        fputs("AUTO", e->line);
        return 0;
    case SYZ_BYTES_IN:
    case SYZ_BYTES_OUT:
        if (resolve_number(e, trace_nth(line->args, 3), &length) != 0)
            return -1;
        return put_bytes(e, value, length, kind == SYZ_BYTES_IN, syz_may_succeed(line));
    case SYZ_HANDLES:
        return put_handles(e, value);
    case SYZ_PACKET:
        return put_packet(e, value);
    case SYZ_NAME_IN:
        return put_name(e, value);
    case SYZ_NAME_OUT:
        fputs(is_null(value) ? "0x0, 0x20" : "&AUTO=\"\"/0x20, 0x20", e->line);
        return 0;
    case SYZ_SIZE_IN:
        return put_size_in(e, value);
    case SYZ_SIZE_OUT:
        fputs(is_null(value) ? "0x0, 0x8" : "&AUTO, 0x8", e->line);
        return 0;
    default:
        return put_addresses(e, line);
    }
}

int syz_put_call(struct exporting *e, const struct trace_line *line, const struct syz_call *row)
{
    fprintf(e->line, "%s(", row->name);
    for (unsigned i = 0; i < SYZ_ARGUMENTS_MAX && row->arguments[i].kind != SYZ_END; i++) {
        fputs(i > 0 ? ", " : "", e->line);
        if (put_argument(e, line, row, i) != 0)
            return -1;
    }
    putc(')', e->line);
    return 0;
}
