/* The small worlds that are searched exhaustively. See small_world.h. */
#include "harness/spin/small_world.h"

#include <setjmp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "harness/recorder.h"
#include "harness/spin/small_calls.h"
#include "harness/world_memory.h"

static const pgr_config config = {.page_shift = SMALL_PAGE_SHIFT,
                                  .frame_count = SMALL_FRAMES,
                                  .object_count = 24,
                                  .handle_count = 16,
                                  .thread_count = SMALL_THREADS,
                                  .packet_count = 6,
                                  .run_count = 16};

struct small_world {
    const struct small_kind *kind;
    small_dispatch *dispatch;
    struct check_context *check;
    struct recorder *recorder; /* null: nothing is recorded */
    void *block;
    uint64_t block_bytes;
    pgr_world *world;
    uint8_t frames[SMALL_FRAMES << SMALL_PAGE_SHIFT];
    uint8_t buffers[SMALL_THREADS][2 << SMALL_PAGE_SHIFT];
    uint64_t serial;      /* of the state that `world` and `frames` hold */
    uint64_t next_serial; /* states made so far */
    char message[512];
};

/* ---- states ---- */

static void complain(struct small_world *s, struct small_state *state, const char *message)
{
    snprintf(s->message, sizeof(s->message), "%s", message);
    state->is_right = 0;
}

/* Brings the world to the state, unless it is there. */
static void enter(struct small_world *s, const struct small_state *state)
{
    s->message[0] = '\0';
    if (s->serial == state->serial)
        return;
    if (pgr_load(s->block, s->block_bytes, state->saved, state->saved_bytes, &s->world) != ZX_OK)
        abort();
    memcpy(s->frames, state->frames, sizeof(s->frames));
    memcpy(s->check->threads, state->memos, sizeof(state->memos));
    s->serial = state->serial;
}

static void forget_closed_handles(const struct small_world *s, struct small_state *state)
{
    for (uint32_t slot = 1; slot < SLOT_COUNT; slot++)
        if (pgr_inspect_handle_row(s->world, state->handles[slot]) == 0)
            state->handles[slot] = 0;
}

static void leave(struct small_world *s, struct small_state *state)
{
    forget_closed_handles(s, state);
    state->saved_bytes = (uint32_t)pgr_image_bytes(s->world);
    if (pgr_save(s->world, state->saved, sizeof(state->saved)) != ZX_OK)
        abort();
    memcpy(state->frames, s->frames, sizeof(s->frames));
    memcpy(state->memos, s->check->threads, sizeof(state->memos));
    state->serial = s->serial = ++s->next_serial;
    small_calls_possible(s->kind, s->world, state);
}

/* ---- calls ---- */

static sigjmp_buf stopped;
static volatile sig_atomic_t is_inside; /* the core is at work */

/* The core stops at a mistake of its own by a trap, which is as good as a violated invariant. */
static void on_trap(int number)
{
    if (is_inside)
        siglongjmp(stopped, number);
    signal(number, SIG_DFL);
    raise(number);
}

static void catch_traps(void)
{
    struct sigaction action = {.sa_handler = on_trap, .sa_flags = SA_NODEFER};

    sigaction(SIGILL, &action, NULL);
    sigaction(SIGTRAP, &action, NULL);
    sigaction(SIGSEGV, &action, NULL);
}

/* The call between the two halves of the checks. 0, or -1: the core has stopped. */
static int dispatch(struct small_world *s, struct small_state *state, const pgr_call *call, pgr_result *result)
{
    check_before(s->check, s->world, s->frames, call);
    if (sigsetjmp(stopped, 0) != 0) {
        is_inside = 0;
        if (s->recorder != NULL)
            recorder_call(s->recorder, call, NULL);
        complain(s, state, "the core stopped at a mistake of its own");
        return -1;
    }
    is_inside = 1;
    s->dispatch(s->world, s->frames, call, result);
    is_inside = 0;
    if (s->recorder != NULL)
        recorder_call(s->recorder, call, result);
    if (check_after(s->check, s->world, s->frames, call, result) || check_walk(s->check, s->world, s->frames))
        complain(s, state, check_message(s->check));
    return 0;
}

/* The call with its handles in place, and the buffer that it, or the call that it resumes, began with. */
static pgr_call make_call(struct small_world *s, const struct small_state *state, const struct small_call *call,
                          const struct small_call *begun)
{
    pgr_call made = {.number = call->number, .thread = call->thread};

    memcpy(made.arg, call->arg, sizeof(made.arg));
    for (uint32_t place = 0; place < PGR_ARGS_MAX; place++)
        if (call->slot[place] != SLOT_NONE)
            made.arg[place] = state->handles[call->slot[place]];
    made.buffer_bytes = begun->buffer_bytes;
    made.buffer = made.buffer_bytes != 0 ? s->buffers[call->thread] : NULL;
    memset(s->buffers[call->thread], begun->fill, made.buffer_bytes);
    return made;
}

void small_world_call(struct small_world *s, struct small_state *state, uint32_t number)
{
    const struct small_call *call = &s->kind->calls[number];
    const struct small_call *begun = call;
    pgr_call made;
    pgr_result result;

    enter(s, state);
    if (call->number == PGR_CALL_RESUME)
        begun = &s->kind->calls[state->doing[call->thread]];
    made = make_call(s, state, call, begun);
    if (dispatch(s, state, &made, &result) != 0) {
        s->serial = 0;
        return;
    }
    if (begun == call && result.outcome == PGR_BLOCKED)
        state->doing[call->thread] = (uint8_t)number;
    if (begun->out_slot != SLOT_NONE && result.outcome == PGR_DONE && result.status == ZX_OK)
        state->handles[begun->out_slot] = (zx_handle_t)result.out[begun->out_place];
    leave(s, state);
}

/* ---- images ---- */

/* Besides the world, what decides over the bytes that a waiting call will write. */
uint32_t small_world_image(struct small_world *s, const struct small_state *state, uint8_t image[IMAGE_BYTES_MAX])
{
    uint32_t bytes;

    if (!state->is_right)
        return 0;
    enter(s, state);
    bytes = image_write(s->world, s->frames, &state->handles[1], SLOT_COUNT - 1, image);
    if (bytes == 0 || bytes + SMALL_THREADS > IMAGE_BYTES_MAX)
        return 0;
    for (uint32_t thread = 0; thread < SMALL_THREADS; thread++) {
        pgr_thread_view view;
        pgr_inspect_thread(s->world, thread, &view);
        image[bytes++] = view.state != PGR_THREAD_IDLE ? s->kind->calls[state->doing[thread]].fill : 0;
    }
    return bytes;
}

const char *small_world_message(const struct small_world *s)
{
    return s->message;
}

uint32_t small_world_calls(const struct small_world *s)
{
    return s->kind->call_count;
}

/* ---- making ---- */

/* What every search begins with, before the first of its calls; it cannot fail in a sound core. */
static void begin(struct small_world *s, struct small_state *state)
{
    pgr_start start;

    pgr_start_handles(s->world, &start);
    state->is_right = 1;
    state->handles[SLOT_VMAR] = start.vmar;
    state->handles[SLOT_BTI] = start.bti;
    state->handles[SLOT_RESOURCE] = start.resource;
    state->handles[SLOT_EVENT] = start.event;
    check_reset(s->check, s->world);
    check_set_rates(s->check, 1, 0);
    leave(s, state);
    for (uint32_t i = s->kind->call_count; i < s->kind->call_count + s->kind->first_count && state->is_right; i++)
        small_world_call(s, state, i);
}

static struct small_world *allocate(FILE *trace)
{
    struct small_world *s = calloc(1, sizeof(*s));
    pgr_start start;

    if (s == NULL)
        return NULL;
    s->block_bytes = pgr_world_bytes(&config);
    s->block = memory_allocate(s->block_bytes);
    s->check = check_new(&config);
    if (s->block == NULL || s->check == NULL || pgr_init(s->block, s->block_bytes, &config, &s->world) != ZX_OK) {
        small_world_free(s);
        return NULL;
    }
    pgr_start_handles(s->world, &start);
    if (trace != NULL)
        s->recorder = recorder_new(&config, &start, trace);
    if (s->recorder != NULL)
        recorder_watch(s->recorder, s->world);
    return s;
}

struct small_world *small_world_new(const char *name, small_dispatch *dispatch, FILE *trace, struct small_state *state)
{
    const struct small_kind *kind = small_kind_of(name);
    struct small_world *s = kind != NULL ? allocate(trace) : NULL;

    if (s == NULL)
        return NULL;
    s->kind = kind;
    s->dispatch = dispatch;
    memset(state, 0, sizeof(*state));
    catch_traps();
    begin(s, state);
    return s;
}

void small_world_free(struct small_world *s)
{
    recorder_free(s->recorder);
    if (s->check != NULL)
        check_free(s->check);
    free(s->block);
    free(s);
}
