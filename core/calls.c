/*
 * The table of all calls, and the dispatcher, which is the only way to change a world.
 *
 * The rows are in call_rows.h, and describe each call for everybody: the dispatcher, the reader and printer of traces,
 * the fuzzers.
 *
 * A dispatch goes: check (what is asked once), then steps. A step is look (what is asked each time, on a world that
 * it cannot change, and what the step will take), reserve (the only place where memory runs out), commit (which
 * cannot fail). After a step the call has returned, or goes on with the next, or waits: then its thread keeps
 * plan.op, and nothing else, until PGR_CALL_RESUME goes on with a look.
 */
#include "calls.h"

#include "life.h"

#define ARGS(...) {__VA_ARGS__}, (uint8_t)(sizeof((pgr_arg[]){__VA_ARGS__}) / sizeof(pgr_arg))

#define HANDLE(name, type) {name, PGR_ARG_HANDLE, ZX_OBJ_TYPE_##type}
#define HANDLE_OUT(type) {"out", PGR_ARG_HANDLE_OUT, ZX_OBJ_TYPE_##type}
#define U32(name, domain) {name, PGR_ARG_U32, PGR_DOMAIN_##domain}
#define U64(name, domain) {name, PGR_ARG_U64, PGR_DOMAIN_##domain}
#define OFFSET(name) {name, PGR_ARG_OFFSET, 0}
#define SIZE(name) {name, PGR_ARG_SIZE, 0}
#define ADDRESS(name) {name, PGR_ARG_ADDRESS, 0}
#define ADDRESS_OUT(name) {name, PGR_ARG_ADDRESS_OUT, 0}
#define U64_OUT(name) {name, PGR_ARG_U64_OUT, 0}
#define U32_OUT(name) {name, PGR_ARG_U32_OUT, 0}
#define BYTES_IN(length) {"buffer", PGR_ARG_BYTES_IN, length}
#define BYTES_OUT(length) {"buffer", PGR_ARG_BYTES_OUT, length}
#define STRUCT(name, kind) {name, PGR_ARG_##kind, 0}

#define NO_ARGUMENTS {{NULL, 0, 0}}, 0

/* A row's kind says whether it may wait, whether its errors are exceptions, whether a thread makes it; see call_rows.h. */
#define ASKS(name, function, ...) {{name, ARGS(__VA_ARGS__), 0, 0, 0}, .answer = function##_answer}
#define ONE_STEP(name, function, ...)                                                                                  \
    {{name, ARGS(__VA_ARGS__), 0, 0, 0}, .check = function##_check, .commit = function##_commit}
#define WAITS(name, function, ...)                                                                                     \
    {{name, ARGS(__VA_ARGS__), 1, 0, 0}, .check = function##_check, .commit = function##_commit}
#define STEPS(name, function, ...)                                                                                     \
    {{name, ARGS(__VA_ARGS__), 1, 0, 0},                                                                               \
     .check = function##_check,                                                                                        \
     .look = function##_look,                                                                                          \
     .commit = function##_commit}
#define ACCESS(name, function, ...)                                                                                    \
    {{name, ARGS(__VA_ARGS__), 1, 1, 0},                                                                               \
     .check = function##_check,                                                                                        \
     .look = function##_look,                                                                                          \
     .commit = function##_commit}
#define WORLDLY(name, function, ...) {{name, ARGS(__VA_ARGS__), 0, 0, 1}, .commit = function##_commit}
#define EXITS(name, function, ...) {{name, __VA_ARGS__, 0, 0, 1}, .commit = function##_commit}
#define RESUMES(name, function, ...) {{name, __VA_ARGS__, 1, 0, 0}, .commit = NULL}

#define PGR_ROW(kind, number, name, function, ...) [PGR_CALL_##number] = kind(name, function, __VA_ARGS__),
static const struct call_row call_table[PGR_CALL_COUNT] = {
#include "call_rows.h"
};

const pgr_call_info *pgr_call_row(uint32_t number)
{
    if (number == PGR_CALL_NONE || number >= PGR_CALL_COUNT)
        return NULL;
    return &call_table[number].info;
}

/*
 * The thread waits from now on: for what the step wanted of a pager, or in the list into which the step has put it.
 */
static void thread_block(pgr_world *w, struct plan *plan, uint16_t number)
{
    struct thread *thread = thread_at(w, plan->thread);

    if (!plan->op.waited)
        op_hold(w, &plan->op);
    plan->op.waited = 1;
    thread->state = PGR_THREAD_BLOCKED;
    thread->call = number;
    thread->op = plan->op;
    if (plan->want.count > 0)
        request_raise(w, plan->thread, &plan->want);
}

static void call_end(pgr_world *w, struct plan *plan, zx_status_t status)
{
    if (status != ZX_OK || plan->op.taken != 0)
        op_undo(w, &plan->op);
    if (!plan->op.waited)
        return;
    op_drop(w, &plan->op);
    memset(thread_at(w, plan->thread), 0, sizeof(struct thread));
}

/* An access that cannot go on ends in an exception, and its thread with it. */
static void fault_tell(uint16_t number, const struct plan *plan, pgr_result *result)
{
    result->outcome = PGR_FAULT;
    result->fault.address = access_fault_address(number, &plan->op);
    result->fault.code = result->status;
}

/* Takes steps until the call has returned, or waits. */
static void steps_take(pgr_world *w, void *frames, uint16_t number, struct plan *plan, pgr_result *result)
{
    const struct call_row *row = &call_table[number];
    enum progress progress = PROGRESS_AGAIN;
    zx_status_t status = ZX_OK;

    while (progress == PROGRESS_AGAIN) {
        if (row->look != NULL) {
            plan->need = (struct need){0};
            plan->want.count = 0;
            status = row->look(w, plan);
            plan->wake_status = ZX_OK;
        }
        if (status == ZX_OK)
            status = reserve(w, &plan->need);
        if (status != ZX_OK)
            break;
        if (plan->injected)
            w->fail_alloc = 0;
        progress = row->commit(w, frames, plan, result);
        status = result->status;
    }
    if (progress == PROGRESS_WAIT) {
        result->outcome = PGR_BLOCKED;
        thread_block(w, plan, number);
        return;
    }
    result->status = plan->op.forgiving ? ZX_OK : status;
    if (status != ZX_OK && row->info.faults)
        fault_tell(number, plan, result);
    call_end(w, plan, result->status);
}

/* Why there is no call at all; ZX_OK if there is. */
static zx_status_t call_refuse(const pgr_world *w, const pgr_call *call)
{
    uint8_t wanted = call->number == PGR_CALL_RESUME ? PGR_THREAD_RELEASED : PGR_THREAD_IDLE;
    uint8_t state = PGR_THREAD_IDLE;

    /* Is there such a call, and such a thread? */
    if (pgr_call_row(call->number) == NULL)
        return ZX_ERR_BAD_SYSCALL;
    if (call->thread >= w->config.thread_count)
        return ZX_ERR_INVALID_ARGS;
    /* Is the thread in a state in which it can make it? */
    if (call_table[call->number].info.worldly)
        return ZX_OK;
    if (call->thread < w->tables[TABLE_THREADS].touched - 1)
        state = thread_at(w, call->thread + 1)->state;
    return state == wanted ? ZX_OK : ZX_ERR_BAD_STATE;
}

static void call_begin(pgr_world *w, void *frames, struct plan *plan, pgr_result *result)
{
    uint16_t number = (uint16_t)plan->call->number;
    const struct call_row *row = &call_table[number];

    result->call = number;
    if (row->answer != NULL) {
        result->status = row->answer(w, plan, result);
        return;
    }
    if (row->check != NULL)
        result->status = row->check(w, plan);
    if (result->status == ZX_OK)
        steps_take(w, frames, number, plan, result);
}

static void call_resume(pgr_world *w, void *frames, struct plan *plan, pgr_result *result)
{
    struct thread *thread = thread_at(w, plan->thread);

    list_remove(w, &w->released, CHAIN_THREADS, plan->thread);
    result->call = thread->call;
    plan->op = thread->op;
    plan->wake_status = thread->wake_status;
    steps_take(w, frames, thread->call, plan, result);
}

void pgr_dispatch(pgr_world *w, void *frames, const pgr_call *call, pgr_result *result)
{
    struct plan plan = {.call = call, .thread = call->thread + 1};

    memset(result, 0, sizeof(*result));
    result->status = call_refuse(w, call);
    if (result->status != ZX_OK) {
        result->outcome = PGR_REFUSED;
        result->call = call->number;
        return;
    }
    thread_touch(w, plan.thread);
    if (call->number == PGR_CALL_RESUME)
        call_resume(w, frames, &plan, result);
    else
        call_begin(w, frames, &plan, result);
    objects_bury(w);
}
