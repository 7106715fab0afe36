/*
 * Turns calls and their results into a trace, line by line as they happen, with names invented for handles, addresses and
 * threads, so that a run found by a fuzzer can be read, and run again.
 */
#ifndef HARNESS_RECORDER_H
#define HARNESS_RECORDER_H

#include <stdio.h>

#include "core/pgr.h"

struct recorder;

/*
 * Prints the option lines that differ from a trace's defaults. Thread 0 is `main`, the others t1, t2 ...; a number that is
 * used again after its thread has ended gets another name. Null without memory.
 */
struct recorder *recorder_new(const pgr_config *config, const pgr_start *start, FILE *out);

/*
 * To be called after each dispatch, resumes included. call->buffer holds what the call was given, or what it produced.
 * A null result: the call did not return.
 */
void recorder_call(struct recorder *recorder, const pgr_call *call, const pgr_result *result);

/*
 * Lets the recorder look at the world after each call. It then marks where released threads were not resumed at once and
 * in queue order, as running the trace would do.
 */
void recorder_watch(struct recorder *recorder, const pgr_world *world);

void recorder_free(struct recorder *recorder);

#endif
