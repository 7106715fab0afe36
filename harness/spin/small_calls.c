/* The alphabets of the small worlds. See small_calls.h. */
#include "harness/spin/small_calls.h"

#include <string.h>

#define PAGE (UINT64_C(1) << SMALL_PAGE_SHIFT) /* bytes */
#define KEY 7u
#define MAPPED UINT64_C(0x1000000) /* the root VMAR's first address, where the file is mapped */
#define MAP_OPTIONS (ZX_VM_PERM_READ | ZX_VM_PERM_WRITE | ZX_VM_SPECIFIC)

#define THREAD(number_) .thread = (number_)
#define CALL(name) .number = PGR_CALL_##name
#define MAKES(slot_, place) .out_slot = SLOT_##slot_, .out_place = (place)
#define ON(slot_) .slot = {SLOT_##slot_}

#define READ(of, vmo, offset, bytes)                                                                                   \
    {CALL(VMO_READ), THREAD(of), ON(vmo), .arg = {0, 0, offset, bytes}, .buffer_bytes = (bytes)}
#define WRITE(of, vmo, offset, bytes, byte)                                                                            \
    {CALL(VMO_WRITE), THREAD(of), ON(vmo), .arg = {0, 0, offset, bytes}, .buffer_bytes = (bytes), .fill = (byte)}
#define LOAD(of, offset) {CALL(MEM_READ), THREAD(of), .arg = {MAPPED + (offset), 0, 1}, .buffer_bytes = 1}
#define STORE(of, offset, byte)                                                                                        \
    {CALL(MEM_WRITE), THREAD(of), .arg = {MAPPED + (offset), 0, 1}, .buffer_bytes = 1, .fill = (byte)}
#define RANGE(of, op, vmo, offset, bytes)                                                                              \
    {                                                                                                                  \
        CALL(VMO_OP_RANGE), THREAD(of), ON(vmo), .arg = { 0, ZX_VMO_OP_##op, offset, bytes }                           \
    }
#define SUPPLY(offset, bytes)                                                                                          \
    {                                                                                                                  \
        CALL(PAGER_SUPPLY_PAGES), .slot = {SLOT_PAGER, SLOT_FILE, 0, 0, SLOT_AUX}, .arg = { 0, 0, offset, bytes }      \
    }
#define PAGER_OP(op, offset, bytes, data)                                                                              \
    {                                                                                                                  \
        CALL(PAGER_OP_RANGE), .slot = {SLOT_PAGER, 0, SLOT_FILE}, .arg = {                                             \
            0,                                                                                                         \
            ZX_PAGER_OP_##op,                                                                                          \
            0,                                                                                                         \
            offset,                                                                                                    \
            bytes,                                                                                                     \
            (uint64_t)(int64_t)(data)                                                                                  \
        }                                                                                                              \
    }
#define CHILD(kind) {CALL(VMO_CREATE_CHILD), ON(FILE), .arg = {0, ZX_VMO_CHILD_##kind, 0, 2 * PAGE}, MAKES(CHILD, 4)}
#define PIN(of, offset, bytes)                                                                                         \
    {CALL(BTI_PIN), THREAD(of), .slot = {SLOT_BTI, 0, SLOT_FILE},                                                      \
     .arg = {0, ZX_BTI_PERM_READ | ZX_BTI_PERM_WRITE, 0, offset, bytes}, MAKES(PIN, 5)}
#define CLOSE(slot_) {CALL(HANDLE_CLOSE), ON(slot_)}
#define KILL(of)                                                                                                       \
    {                                                                                                                  \
        CALL(THREAD_KILL), .arg = { of }                                                                               \
    }
#define RESUME(of) {CALL(RESUME), THREAD(of)}

/* What both threads do to a file, and what its pager answers. */
#define REQUESTS                                                                                                       \
    READ(1, FILE, 0, PAGE), READ(2, FILE, 0, 2 * PAGE), WRITE(1, FILE, PAGE, PAGE, 0x11),                              \
        WRITE(2, FILE, PAGE / 2, PAGE, 0x22), STORE(1, 0, 0x33), SUPPLY(0, PAGE), SUPPLY(0, 2 * PAGE),                 \
        PAGER_OP(FAIL, 0, 2 * PAGE, ZX_ERR_IO), {CALL(PORT_WAIT), ON(PORT)},                                           \
        {CALL(PAGER_DETACH_VMO), .slot = {SLOT_PAGER, SLOT_FILE}}, CLOSE(PAGER), CLOSE(FILE), KILL(1), RESUME(1),      \
        RESUME(2),                                                                                                     \
    {                                                                                                                  \
        CALL(RECLAIM), .arg = {1}                                                                                      \
    }

/* A pager with a file that is mapped, and an aux VMO whose first page has a frame. */
#define MAKING(options)                                                                                                \
    {CALL(PORT_CREATE), MAKES(PORT, 1)}, {CALL(PAGER_CREATE), MAKES(PAGER, 1)},                                        \
        {CALL(PAGER_CREATE_VMO), .slot = {SLOT_PAGER, 0, SLOT_PORT}, .arg = {0, options, 0, KEY, 2 * PAGE},            \
         MAKES(FILE, 5)},                                                                                              \
        {CALL(VMAR_MAP), .slot = {SLOT_VMAR, 0, 0, SLOT_FILE}, .arg = {0, MAP_OPTIONS, 0, 0, 0, 2 * PAGE}},            \
        {CALL(VMO_CREATE), .arg = {2 * PAGE}, MAKES(AUX, 2)}, WRITE(0, AUX, 0, PAGE, 0x55)
#define MAKING_COUNT 6u

/* The pager hears of writes, and writes back. */
static const struct small_call writeback[] = {
    REQUESTS,
    PAGER_OP(DIRTY, 0, 2 * PAGE, 0),
    PAGER_OP(WRITEBACK_BEGIN, 0, 2 * PAGE, 0),
    PAGER_OP(WRITEBACK_END, 0, PAGE, 0),
    PAGER_OP(WRITEBACK_END, 0, 2 * PAGE, 0),
    RANGE(2, ZERO, FILE, PAGE, PAGE),
    RANGE(1, COMMIT, FILE, 0, 2 * PAGE),
    PIN(2, 0, PAGE),
    {CALL(PMT_UNPIN), ON(PIN)},
    WRITE(0, AUX, PAGE, PAGE, 0x66),
    MAKING(ZX_VMO_TRAP_DIRTY),
};

/* The file shrinks, grows and has children. */
static const struct small_call children[] = {
    REQUESTS,
    {CALL(VMO_SET_SIZE), THREAD(2), ON(FILE), .arg = {0, PAGE}},
    {CALL(VMO_SET_SIZE), THREAD(2), ON(FILE), .arg = {0, 2 * PAGE}},
    CHILD(SNAPSHOT_AT_LEAST_ON_WRITE),
    CHILD(SNAPSHOT_MODIFIED),
    READ(1, CHILD, 0, 2 * PAGE),
    WRITE(2, CHILD, 0, PAGE, 0x44),
    RANGE(1, ZERO, FILE, 0, PAGE),
    LOAD(2, PAGE),
    PAGER_OP(WRITEBACK_BEGIN, 0, 2 * PAGE, 0),
    PAGER_OP(WRITEBACK_END, 0, 2 * PAGE, 0),
    CLOSE(CHILD),
    MAKING(ZX_VMO_RESIZABLE),
};

#define COUNT(calls) ((uint32_t)(sizeof(calls) / sizeof((calls)[0])) - MAKING_COUNT)

static const struct small_kind kinds[] = {
    {"writeback", writeback, COUNT(writeback), MAKING_COUNT},
    {"children", children, COUNT(children), MAKING_COUNT},
};

#define KIND_COUNT (sizeof(kinds) / sizeof(kinds[0]))

const char *small_world_name(uint32_t number)
{
    return number < KIND_COUNT ? kinds[number].name : NULL;
}

const struct small_kind *small_kind_of(const char *name)
{
    for (uint32_t i = 0; i < KIND_COUNT; i++)
        if (strcmp(kinds[i].name, name) == 0)
            return &kinds[i];
    return NULL;
}

static int handles_are_open(const struct small_call *call, const struct small_state *state)
{
    for (uint32_t place = 0; place < PGR_ARGS_MAX; place++)
        if (call->slot[place] != SLOT_NONE && state->handles[call->slot[place]] == 0)
            return 0;
    return call->out_slot == SLOT_NONE || state->handles[call->out_slot] == 0;
}

static uint32_t thread_state(const pgr_world *world, uint32_t thread)
{
    pgr_thread_view view;

    pgr_inspect_thread(world, thread, &view);
    return view.state;
}

static int is_possible(const struct small_call *call, const pgr_world *world, const struct small_state *state)
{
    switch (call->number) {
    case PGR_CALL_RESUME:
        return thread_state(world, call->thread) == PGR_THREAD_RELEASED;
    case PGR_CALL_THREAD_KILL:
        return thread_state(world, (uint32_t)call->arg[0]) != PGR_THREAD_IDLE;
    default:
        return thread_state(world, call->thread) == PGR_THREAD_IDLE && handles_are_open(call, state);
    }
}

void small_calls_possible(const struct small_kind *kind, const pgr_world *world, struct small_state *state)
{
    for (uint32_t i = 0; i < kind->call_count; i++)
        state->can[i] = (uint8_t)is_possible(&kind->calls[i], world, state);
}
