/*
 * Random traces: programs of the fuzzers' generator (program.h), run on the core and written down as traces, to be made
 * on any implementation. The same arguments give the same trace.
 */
#ifndef HARNESS_EXEC_RANDOM_H
#define HARNESS_EXEC_RANDOM_H

#include "harness/exec_diff.h"

/*
 * A trace of at most `calls` calls, without those and without options that are lacking. `lacks_call` has
 * TRACE_CALL_COUNT elements, `lacks_option` TRACE_OPTION_COUNT. `made` gets the number of calls. Null without memory.
 */
struct trace *exec_random(uint64_t seed, uint32_t calls, const uint8_t *lacks_call, const uint8_t *lacks_option,
                          uint32_t *made);

#endif
