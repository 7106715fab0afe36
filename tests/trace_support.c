/* Texts, traces and files for tests. See trace_support.h. */
#include "tests/trace_support.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct trace *read_text(const char *text)
{
    struct trace_error error;
    struct trace *trace = trace_read(text, strlen(text), &error);

    if (trace == NULL)
        fail_msg("%u:%u: %s in:\n%s", error.line, error.column, error.message, text);
    return trace;
}

char *print_trace(const struct trace *trace)
{
    char *text = NULL;
    size_t bytes = 0;
    FILE *out = open_memstream(&text, &bytes);

    assert_non_null(out);
    trace_write(trace, out);
    fclose(out);
    return text;
}

char *read_file(const char *path, size_t *bytes)
{
    FILE *file = fopen(path, "rb");
    char *text;

    assert_non_null(file);
    fseek(file, 0, SEEK_END);
    *bytes = (size_t)ftell(file);
    rewind(file);
    text = calloc(*bytes + 1, 1);
    assert_non_null(text);
    assert_int_equal(fread(text, 1, *bytes, file), *bytes);
    fclose(file);
    return text;
}
