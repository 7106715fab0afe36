/*
 * A trace in memory: one arena for its lines and values, one for its symbols, and the table of symbols.
 */
#include "harness/trace.h"

#include <stdlib.h>
#include <string.h>

#include "harness/constants.h"
#include "harness/trace_internal.h"

#define CHUNK_BYTES 16384u
#define BUCKETS_FIRST 64u

static void *allocate_or_die(void *memory)
{
    if (memory != NULL)
        return memory;
    fputs("pagerite: out of memory\n", stderr);
    abort();
}

static void *chunk_allocate(struct trace_chunk **chunk, size_t *used, size_t bytes)
{
    void *memory;

    bytes = (bytes + 15) & ~(size_t)15;
    if (*chunk == NULL || (*chunk)->size - *used < bytes) {
        size_t size = bytes > CHUNK_BYTES ? bytes : CHUNK_BYTES;
        struct trace_chunk *fresh = allocate_or_die(malloc(sizeof(*fresh) + size));
        fresh->before = *chunk;
        fresh->size = size;
        *chunk = fresh;
        *used = 0;
    }
    memory = (*chunk)->bytes + *used;
    *used += bytes;
    return memset(memory, 0, bytes);
}

void *trace_allocate(struct trace *trace, size_t bytes)
{
    return chunk_allocate(&trace->chunk, &trace->chunk_used, bytes);
}

struct trace_mark trace_mark(struct trace *trace)
{
    return (struct trace_mark){trace->chunk, trace->chunk_used};
}

static void free_chunks(struct trace_chunk *chunk, const struct trace_chunk *until)
{
    while (chunk != until) {
        struct trace_chunk *before = chunk->before;
        free(chunk);
        chunk = before;
    }
}

void trace_release(struct trace *trace, struct trace_mark mark)
{
    free_chunks(trace->chunk, mark.chunk);
    trace->chunk = mark.chunk;
    trace->chunk_used = mark.used;
}

/* FNV-1a. */
static uint32_t hash_name(const char *name, size_t length)
{
    uint32_t hash = 2166136261u;

    for (size_t i = 0; i < length; i++)
        hash = (hash ^ (unsigned char)name[i]) * 16777619u;
    return hash;
}

static void grow_buckets(struct trace *trace)
{
    uint32_t count = trace->bucket_count * 2;
    struct trace_symbol **buckets = allocate_or_die(calloc(count, sizeof(*buckets)));

    for (uint32_t i = 0; i < trace->bucket_count; i++) {
        struct trace_symbol *symbol = trace->buckets[i];
        while (symbol != NULL) {
            struct trace_symbol *next = symbol->next;
            symbol->next = buckets[symbol->hash & (count - 1)];
            buckets[symbol->hash & (count - 1)] = symbol;
            symbol = next;
        }
    }
    free(trace->buckets);
    trace->buckets = buckets;
    trace->bucket_count = count;
}

static struct trace_symbol *add_symbol(struct trace *trace, const char *name, size_t length, uint32_t hash)
{
    struct trace_symbol *symbol;
    char *copy;

    if (trace->symbol_count >= trace->bucket_count)
        grow_buckets(trace);
    symbol = chunk_allocate(&trace->symbol_chunk, &trace->symbol_chunk_used, sizeof(*symbol));
    copy = chunk_allocate(&trace->symbol_chunk, &trace->symbol_chunk_used, length + 1);
    memcpy(copy, name, length);
    symbol->name = copy;
    symbol->length = (uint32_t)length;
    symbol->hash = hash;
    symbol->id = trace->symbol_count++;
    symbol->call = trace_call_find(name, length);
    symbol->constant = strncmp(copy, "ZX_", 3) == 0 ? constant_find(name, length) : NULL;
    symbol->next = trace->buckets[hash & (trace->bucket_count - 1)];
    trace->buckets[hash & (trace->bucket_count - 1)] = symbol;
    return symbol;
}

struct trace_symbol *trace_symbol(struct trace *trace, const char *name, size_t length)
{
    uint32_t hash = hash_name(name, length);
    struct trace_symbol *symbol = trace->buckets[hash & (trace->bucket_count - 1)];

    for (; symbol != NULL; symbol = symbol->next)
        if (symbol->hash == hash && symbol->length == length && memcmp(symbol->name, name, length) == 0)
            return symbol;
    return add_symbol(trace, name, length, hash);
}

struct trace *trace_new(uint64_t page_bytes)
{
    static const char *const bound_at_start[] = {"vmar", "bti", "resource", "event"};
    struct trace *trace = allocate_or_die(calloc(1, sizeof(*trace)));

    trace->bucket_count = BUCKETS_FIRST;
    trace->buckets = allocate_or_die(calloc(trace->bucket_count, sizeof(struct trace_symbol *)));
    trace->options[TRACE_PAGE_SIZE] = page_bytes;
    trace->options[TRACE_READ_BATCH] = 16;
    trace_symbol(trace, "main", 4);
    for (size_t i = 0; i < sizeof(bound_at_start) / sizeof(bound_at_start[0]); i++)
        trace_symbol(trace, bound_at_start[i], strlen(bound_at_start[i]))->is_bound = 1;
    return trace;
}

void trace_free(struct trace *trace)
{
    if (trace == NULL)
        return;
    free_chunks(trace->chunk, NULL);
    free_chunks(trace->symbol_chunk, NULL);
    free(trace->buckets);
    free(trace);
}

int trace_may_succeed(const struct trace_line *line)
{
    if (line->form != TRACE_CALL)
        return line->form == TRACE_UNFINISHED;
    for (const struct trace_status *status = line->status; status != NULL; status = status->next)
        if (status->form == TRACE_STATUS_ANYTHING || (status->form == TRACE_STATUS_ONE && status->status == ZX_OK))
            return 1;
    return 0;
}

struct trace_line *trace_lines(const struct trace *trace)
{
    return trace->first;
}

uint32_t trace_symbol_count(const struct trace *trace)
{
    return trace->symbol_count;
}

uint64_t trace_page_bytes(const struct trace *trace)
{
    return trace->options[TRACE_PAGE_SIZE];
}

uint64_t trace_option_value(const struct trace *trace, uint32_t option)
{
    return trace->options[option];
}

const struct trace_option_info *trace_option_row(uint32_t option)
{
    static const struct trace_option_info rows[TRACE_OPTION_COUNT] = {
        [TRACE_PAGE_SIZE] = {"page_size", {NULL, NULL}},
        [TRACE_READ_BATCH] = {"read_batch", {NULL, NULL}},
        [TRACE_FAIL_CODES] = {"fail_codes", {"documented", "kernel"}},
        [TRACE_SUPPLY_FAILURE] = {"supply_failure", {"untouched", "decommitted"}},
    };
    return &rows[option];
}

static uint64_t term_number(const struct trace_term *term, uint64_t page_bytes)
{
    uint64_t number = term->kind == TRACE_PAGES ? term->number * page_bytes : term->number;

    return term->is_negative ? 0 - number : number;
}

static uint64_t combine(uint64_t left, char operator_between, uint64_t right)
{
    switch (operator_between) {
    case '|':
        return left | right;
    case '+':
        return left + right;
    case '-':
        return left - right;
    default:
        return right;
    }
}

int trace_evaluate(const struct trace *trace, const struct trace_value *value, const struct trace_binding *bindings,
                   uint64_t *number, const struct trace_symbol **unbound)
{
    uint64_t sum = 0;

    for (const struct trace_term *term = value->terms; term != NULL; term = term->next) {
        uint64_t operand = term_number(term, trace_page_bytes(trace));
        if (term->kind == TRACE_NAME && (bindings == NULL || !bindings[term->symbol->id].is_bound)) {
            if (unbound != NULL)
                *unbound = term->symbol;
            return -1;
        }
        if (term->kind == TRACE_NAME)
            operand = bindings[term->symbol->id].value;
        sum = combine(sum, term->operator_before, operand);
    }
    *number = sum;
    return 0;
}
