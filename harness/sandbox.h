/*
 * A child process that does work which may crash or hang: questions go in as text, answers come back as text, and if it
 * dies or takes too long the parent learns how. The child lives on from question to question as long as it can.
 */
#ifndef HARNESS_SANDBOX_H
#define HARNESS_SANDBOX_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct sandbox;

/* Runs in the child. What it returns and what it prints to `answer` reach the parent; `progress` does in any case. */
typedef int sandbox_function(void *context, const char *text, size_t bytes, FILE *answer, volatile uint32_t *progress);

enum sandbox_outcome {
    SANDBOX_ANSWERED,
    SANDBOX_DIED,      /* of a signal, or it ended by itself, as sanitizers do */
    SANDBOX_TIMED_OUT, /* and was killed */
    SANDBOX_BROKEN     /* no process or no memory */
};

struct sandbox_answer {
    uint32_t outcome; /* enum sandbox_outcome */
    int value;        /* what the function returned */
    char *text;       /* what it printed, a zero behind it; null if it has not answered */
    size_t bytes;
    int wait_status;   /* of a child that died */
    uint64_t place;    /* where in the program the signal came that it died of; 0: not known */
    uint32_t progress; /* the last value set; 0 at the beginning */
    char said[4096];   /* the beginning of what a child that died has printed to standard error, a zero behind it */
};

/*
 * Nothing is started yet: the child is a copy of the process as it is at the first question, and, where one has died or
 * been forgotten, at the next. `seconds`: of processor time that an answer may cost, on
 * a busy machine in up to ten times as many. Null without memory. From here
 * on the process ignores SIGPIPE.
 */
struct sandbox *sandbox_new(sandbox_function *function, void *context, unsigned seconds);
void sandbox_free(struct sandbox *sandbox);

/* The next question goes to a new child, which has the context as it is then. */
void sandbox_forget(struct sandbox *sandbox);

void sandbox_ask(struct sandbox *sandbox, const char *text, size_t bytes, struct sandbox_answer *answer);
void sandbox_free_answer(struct sandbox_answer *answer);

#endif
