/*
 * Fuzzes the reader of traces with arbitrary text.
 *
 * Checks: that any text is read or refused with a place inside it, without undefined behaviour; that what is read
 * prints, and reads and prints again as the same text. Does not check: what a trace means, or does when it is run.
 */
#include "harness/trace.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_MAX 65536u /* longer inputs say nothing new, and are slow */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

struct text {
    char *bytes;
    size_t count;
};

static void fail(const char *what, const struct text *first, const struct text *second)
{
    fprintf(stderr, "%s\n--- printed first\n%s\n", what, first->bytes);
    if (second)
        fprintf(stderr, "--- printed again\n%s\n", second->bytes);
    abort();
}

static struct text print(const struct trace *trace)
{
    struct text text = {0};
    FILE *out = open_memstream(&text.bytes, &text.count);
    if (!out)
        abort();
    trace_write(trace, out);
    fclose(out);
    return text;
}

static void check_round_trip(const struct trace *trace)
{
    struct trace_error error;
    struct text first = print(trace);
    struct trace *again = trace_read(first.bytes, first.count, &error);
    if (!again) {
        fprintf(stderr, "line %u, column %u: %s\n", error.line, error.column, error.message);
        fail("what was printed cannot be read", &first, NULL);
    }
    struct text second = print(again);
    if (first.count != second.count || memcmp(first.bytes, second.bytes, first.count) != 0)
        fail("what was printed and read prints differently", &first, &second);
    trace_free(again);
    free(first.bytes);
    free(second.bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    struct trace_error error = {0};
    if (bytes > TEXT_MAX)
        return 0;
    struct trace *trace = trace_read((const char *)data, bytes, &error);
    if (!trace) {
        if (error.line == 0 || error.column == 0 || error.message[0] == '\0')
            abort();
        return 0;
    }
    check_round_trip(trace);
    trace_free(trace);
    return 0;
}
