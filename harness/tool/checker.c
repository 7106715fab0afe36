/*
 * check_invariants() in traces: the walk over everything, behind the runner's hook.
 */
#include <stdlib.h>

#include "harness/check.h"
#include "harness/tool/tool.h"

struct tool_checker {
    struct check_context *context; /* null until the first world is seen */
};

struct tool_checker *tool_checker_new(void)
{
    return calloc(1, sizeof(struct tool_checker));
}

void tool_checker_free(struct tool_checker *checker)
{
    if (checker == NULL)
        return;
    if (checker->context != NULL)
        check_free(checker->context);
    free(checker);
}

int tool_check(void *checker_given, const pgr_world *world, const void *frames, char *message, size_t message_bytes)
{
    struct tool_checker *checker = checker_given;
    pgr_inspect_counts counts;

    pgr_inspect_world(world, &counts);
    if (checker->context == NULL)
        checker->context = check_new(&counts.config);
    if (checker->context == NULL) {
        snprintf(message, message_bytes, "no memory for the checkers");
        return -1;
    }
    check_reset(checker->context, world);
    if (check_walk(checker->context, world, frames) == 0)
        return 0;
    snprintf(message, message_bytes, "%s", check_message(checker->context));
    return -1;
}
