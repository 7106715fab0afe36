/*
 * A fuzzer's input, run once more outside of the fuzzer: what it finds, and the calls that it makes as a trace. Inputs
 * run in a child process, so that those that crash or hang are told of like the others.
 */
#ifndef HARNESS_INPUT_H
#define HARNESS_INPUT_H

#include <stddef.h>
#include <stdint.h>

struct input_judge;

struct input_finding {
    int is_found;
    char
        same[200]; /* equal in findings that are the same: the invariant's number, or the message without its numbers */
    char message[640]; /* for people, one line */
    char *trace;       /* the calls up to the finding, as the recorder has them; null: there are none. To be freed */
    size_t trace_bytes;
};

/* The targets whose inputs make calls: "fuzz_calls" ..., null at the end. */
const char *const *input_targets(void);

/* Null: there is no such target, or no memory. `seconds`: that one run may take. */
struct input_judge *input_judge_new(const char *target, unsigned seconds);
void input_judge_free(struct input_judge *judge);

/* Runs the input. 0, or -1: no process, no memory, or not on this machine. */
int input_run(struct input_judge *judge, const uint8_t *data, size_t bytes, struct input_finding *finding);

/*
 * Makes the input shorter while the same is found: record by record, where it consists of records, otherwise byte by
 * byte. The finding becomes that of the shorter input. Returns its bytes; it has taken the first one's place.
 */
size_t input_shrink(struct input_judge *judge, uint8_t *data, size_t bytes, struct input_finding *finding);

void input_finding_free(struct input_finding *finding);

#endif
