/*
 * The graph of all calls. An indirect call counts as one to every handler of the call table.
 */
#include <inttypes.h>
#include <stdio.h>

#include "check.h"

#define RETURN_ADDRESS_BYTES 8

enum visit { NEW, OPEN, DONE };

static size_t callee_count(const struct program *program, const struct call *call)
{
    return call->is_indirect ? program->handler_count : call->callee != NULL;
}

static struct function *callee_at(const struct program *program, const struct call *call, size_t number)
{
    return call->is_indirect ? program->handlers[number] : call->callee;
}

static int64_t depth_at_entry(const struct call *call)
{
    return call->depth + (call->is_tail ? 0 : RETURN_ADDRESS_BYTES);
}

static void take_deepest(struct function *function, const struct call *call, struct function *callee)
{
    int64_t depth = depth_at_entry(call) + (callee != NULL ? callee->depth : 0);

    if (depth <= function->depth)
        return;
    function->depth = depth;
    function->deepest = call;
    function->deepest_callee = callee;
}

static void visit(struct program *program, struct function *function);

static void visit_callee(struct program *program, struct function *function, const struct call *call,
                         struct function *callee)
{
    if (callee->visit == OPEN) {
        complain(program, function->object, function, NULL, "recursion: it calls %s, which %s", callee->name,
                 callee == function ? "is itself" : "leads to it");
        return;
    }
    if (callee->visit == NEW)
        visit(program, callee);
    take_deepest(function, call, callee);
}

static void visit(struct program *program, struct function *function)
{
    function->visit = OPEN;
    function->depth = function->own_depth;
    for (size_t i = 0; i < function->call_count; i++) {
        const struct call *call = &function->calls[i];
        take_deepest(function, call, NULL);
        for (size_t n = 0; n < callee_count(program, call); n++)
            visit_callee(program, function, call, callee_at(program, call, n));
    }
    function->visit = DONE;
}

/* Each function on the deepest path with the bytes between its entry and that of the next. */
static void print_path(const struct function *function)
{
    while (function != NULL) {
        int64_t bytes = function->deepest != NULL ? depth_at_entry(function->deepest) : function->own_depth;
        printf(" %s %" PRId64, function->name, bytes);
        function = function->deepest_callee;
        if (function != NULL)
            printf(" >");
    }
    printf("\n");
}

void judge_graph(struct program *program)
{
    const struct function *deepest = NULL;
    unsigned findings = program->findings;

    for (size_t i = 0; i < program->function_count; i++)
        if (program->functions[i].visit == NEW)
            visit(program, &program->functions[i]);
    if (program->findings != findings)
        return;
    for (size_t i = 0; i < program->function_count; i++)
        if (deepest == NULL || program->functions[i].depth > deepest->depth)
            deepest = &program->functions[i];
    if (deepest == NULL)
        return;
    printf("deepest stack: %" PRId64 " bytes below the caller's, its return address included:",
           deepest->depth + RETURN_ADDRESS_BYTES);
    print_path(deepest);
}
