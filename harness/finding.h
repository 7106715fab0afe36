/*
 * What a fuzzer says of a finding: the sentence, and the trace up to the call that did it, ready to be kept as a .trace
 * file. PAGERITE_TRACE_OUT in the environment names a file, or a folder, that gets the trace, too.
 */
#ifndef HARNESS_FINDING_H
#define HARNESS_FINDING_H

#include <stdio.h>

/* Prints the trace of the input that is being run, as far as it got. */
typedef void finding_trace(void *context, FILE *out);

/* Saves the trace, behind the message as a comment, and prints nothing. */
void finding_save(const char *message, finding_trace *trace, void *context);

/* Prints message and trace to `out`, and saves the trace. */
void finding_report(const char *message, finding_trace *trace, void *context, FILE *out);

/*
 * From here on, when the process dies (a sanitizer's report, an assertion, a bad access) while `is_running` says so, the
 * trace is reported to stderr before what handled such deaths gets its turn. To be called after the fuzzing engine has
 * set its own handlers; what is called first in a process stays.
 */
void finding_catch_deaths(int (*is_running)(void *context), finding_trace *trace, void *context);

#endif
