/*
 * check_invariants() in traces: the walk over everything, behind the runner's hook.
 */
#include "harness/check.h"
#include "harness/tool/tool.h"

int tool_check(void *checker_given, const pgr_world *world, const void *frames, char *message, size_t message_bytes)
{
    struct check_context **checker = checker_given;
    pgr_inspect_counts counts;

    pgr_inspect_world(world, &counts);
    if (*checker == NULL)
        *checker = check_new(&counts.config);
    if (*checker == NULL) {
        snprintf(message, message_bytes, "no memory for the checkers");
        return -1;
    }
    check_reset(*checker, world);
    if (check_walk(*checker, world, frames) == 0)
        return 0;
    snprintf(message, message_bytes, "%s", check_message(*checker));
    return -1;
}
