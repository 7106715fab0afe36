/*
 * Mutations of programs (program.h) by whole calls, for a fuzzing engine's custom mutator and crossover. One edit per
 * call; the same arguments give the same edit.
 */
#ifndef HARNESS_MUTATE_H
#define HARNESS_MUTATE_H

#include <stddef.h>
#include <stdint.h>

/* The engine's own mutation of plain bytes: returns the new size, at most `most`. */
typedef size_t (*mutate_bytes)(uint8_t *data, size_t size, size_t most);

/* Changes the program in place, once. Returns its new size, at most `most`. `own` may be null. */
size_t mutate_program(uint8_t *data, size_t size, size_t most, unsigned seed, mutate_bytes own);

/* Makes a program of two: the calls of the first up to somewhere, then calls of the second. Returns its size, at most
 * `most`. */
size_t mutate_cross(const uint8_t *first, size_t first_size, const uint8_t *second, size_t second_size, uint8_t *out,
                    size_t most, unsigned seed);

/* A program made of nothing: a header and some calls. Returns its size, at most `most`. */
size_t mutate_generate(uint8_t *out, size_t most, unsigned seed);

#endif /* HARNESS_MUTATE_H */
