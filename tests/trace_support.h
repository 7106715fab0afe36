/*
 * What the tests of traces have in common: texts as traces, traces as texts, and files.
 */
#ifndef TRACE_SUPPORT_H
#define TRACE_SUPPORT_H

#include "harness/trace.h"

/* The trace that the text is; a text that is none fails the test. */
struct trace *read_text(const char *text);

/* What trace_write() makes of it; to be freed. */
char *print_trace(const struct trace *trace);

/* A whole file, `*bytes` long and a zero behind it; to be freed. */
char *read_file(const char *path, size_t *bytes);

#endif
