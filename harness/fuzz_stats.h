/*
 * The figures of a fuzz target: PAGERITE_STATS in the environment names a file ("-": stderr) that gets them when the
 * process ends. Without it nothing here does anything.
 */
#ifndef HARNESS_FUZZ_STATS_H
#define HARNESS_FUZZ_STATS_H

#include <stdio.h>

/* Prints the figures, a line each: name, tab, value. `seconds` have passed since fuzz_stats_begin(). */
typedef void fuzz_figures(double seconds, FILE *out);

/* To be called once, when the target starts. */
void fuzz_stats_begin(fuzz_figures *figures);

/* Prints them now: for a target that is about to abort, which ends the process without its last words. */
void fuzz_stats_print(void);

#endif
