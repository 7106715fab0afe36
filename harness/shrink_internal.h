/*
 * What the files of the shrinker share: candidates, how large they are, and the state of a shrinking.
 */
#ifndef HARNESS_SHRINK_INTERNAL_H
#define HARNESS_SHRINK_INTERNAL_H

#include "harness/shrink.h"

/* ---- editing (shrink_edit.c) ---- */

/*
 * How large a trace is, the most important first. Every step of a shrinking makes it smaller, so that all of them end.
 * Results do not count: they are what they are.
 */
struct shrink_size {
    uint64_t calls;
    uint64_t lines;  /* with a call, or the end of one; options */
    uint64_t weight; /* of threads, names and values: how far they are from the simplest ones */
};

struct shrink_size shrink_size_of(const struct trace *trace);
int shrink_is_smaller(const struct shrink_size *a, const struct shrink_size *b);

/* Whether it is given to the call, rather than comes back from it. */
int shrink_is_input(const struct trace_line *line, unsigned place);

/* Removes blank lines and comment lines, those on top excepted. */
void shrink_drop_comments(struct trace *trace);

/* Removes the lines that cannot stand: the second half of shrink_drop_lines(). */
uint32_t shrink_drop_loose(struct trace *trace);

int shrink_begins_call(const struct trace_line *line);
uint32_t shrink_count_all(const struct trace *trace);
struct trace_line *shrink_nth(const struct trace *trace, uint32_t place);

/* ---- the shrinking (shrink.c) ---- */

struct shrinking {
    const struct shrink_options *options;
    struct trace *now; /* the smallest that still fails */
    struct shrink_size size;
    struct shrink_progress progress;
    uint64_t *rejected; /* hashes of candidates that did not fail, a table with open addressing; 0: an empty place */
    uint32_t rejected_count, rejected_room;
    int ended; /* no further candidate is to be judged */
};

/*
 * Judges a candidate, made by editing a copy of s->now, and takes it if it fails and is smaller. Frees the candidate.
 * 1 if it was taken: s->now is another trace then.
 */
int shrink_try(struct shrinking *s, struct trace *candidate);

/* The phases. Each goes on until it finds nothing more, and returns whether it has found something. */
int shrink_lines(struct shrinking *s);
int shrink_pairs(struct shrinking *s);
int shrink_threads(struct shrinking *s);
int shrink_names(struct shrinking *s);
int shrink_values(struct shrinking *s);
int shrink_numbers(struct shrinking *s);

#endif
