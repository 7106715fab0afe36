/* Programs: cutting an input into records, opcodes, and when released threads go on. See program.h. */
#include "harness/program_operands.h"

#include "harness/no_coverage.h"

#include <string.h>

NO_COVERAGE_BEGIN

/* ---- opcodes ---- */

/* How many of the 256 opcodes a call gets; a call that is not listed gets the default. */
struct weight {
    uint16_t number;
    uint16_t weight; /* 0: only by its number, behind the escape */
};

static const struct weight weights[] = {
    {PGR_CALL_PAGER_SUPPLY_PAGES, 26},
    {PGR_CALL_VMO_READ, 18},
    {PGR_CALL_VMO_WRITE, 12},
    {PGR_CALL_VMO_OP_RANGE, 14},
    {PGR_CALL_PAGER_CREATE_VMO, 8},
    {PGR_CALL_PAGER_OP_RANGE, 14},
    {PGR_CALL_MEM_READ, 7},
    {PGR_CALL_MEM_WRITE, 8},
    {PGR_CALL_VMAR_MAP, 6},
    {PGR_CALL_MEM_PREPARE, 0}, /* no call of a trace: what a program does with it could not be told */
    {PGR_CALL_VMO_CREATE, 8},
    {PGR_CALL_VMO_CREATE_CHILD, 7},
    {PGR_CALL_VMO_SET_SIZE, 6},
    {PGR_CALL_PORT_WAIT, 7},
    {PGR_CALL_BTI_PIN, 6},
    {PGR_CALL_RESUME, 5},
    {PGR_CALL_HANDLE_CLOSE, 5},
    {PGR_CALL_HANDLE_CLOSE_MANY, 2},
    {PGR_CALL_FAIL_ALLOC, 2},
    {PGR_CALL_PAGER_DETACH_VMO, 2},
    {PGR_CALL_THREAD_KILL, 2},
    {PGR_CALL_PROCESS_EXIT, 1},
    {PGR_CALL_RECLAIM, 3},
    {PGR_CALL_HANDLE_REPLACE, 2},
};

struct opcode_table {
    uint8_t calls[OPCODES];
    uint16_t first[PGR_CALL_COUNT]; /* first opcode of a call, plus 1 */
    int ready;
};

static struct opcode_table opcodes;

static uint32_t weight_of(uint32_t number, uint32_t usual)
{
    const pgr_call_info *row = pgr_call_row(number);
    if (!row)
        return 0;
    for (size_t i = 0; i < sizeof weights / sizeof weights[0]; i++) {
        if (weights[i].number == number)
            return weights[i].weight;
    }
    return usual;
}

static uint32_t sum_of_weights(uint32_t usual)
{
    uint32_t sum = 0;
    for (uint32_t number = 0; number < PGR_CALL_COUNT; number++)
        sum += weight_of(number, usual);
    return sum;
}

/*
 * The opcode that is given out as the n-th. Those from 0xc0 on come first and wide apart: exact operands begin with
 * such bytes, and where a mutation has moved the records these are the opcodes that an input is full of.
 */
static uint8_t nth_opcode(uint32_t n)
{
    return (uint8_t)(0xc0u + n * 53u);
}

static uint32_t give_opcodes(uint32_t number, uint32_t count, uint32_t given)
{
    for (; count > 0 && given < OPCODES; given++) {
        uint8_t opcode = nth_opcode(given);
        if (opcode == OPCODE_NUMBER)
            continue;
        if (opcodes.first[number] == 0)
            opcodes.first[number] = (uint16_t)(opcode + 1);
        opcodes.calls[opcode] = (uint8_t)number;
        count--;
    }
    return given;
}

static int is_listed(uint32_t number)
{
    for (size_t i = 0; i < sizeof weights / sizeof weights[0]; i++) {
        if (weights[i].number == number)
            return 1;
    }
    return 0;
}

/* Calls share the opcodes out by weight, and what is left in the same order again: a table that grows makes room by
 * itself. */
static void make_opcodes(void)
{
    uint32_t usual = 8, given = 0;
    while (usual > 1 && sum_of_weights(usual) > OPCODES - 1)
        usual--;
    while (given < OPCODES && sum_of_weights(usual) > 0) {
        for (size_t i = 0; i < sizeof weights / sizeof weights[0]; i++)
            given = give_opcodes(weights[i].number, weight_of(weights[i].number, usual), given);
        for (uint32_t number = 1; number < PGR_CALL_COUNT; number++)
            given = give_opcodes(number, is_listed(number) ? 0 : weight_of(number, usual), given);
    }
    opcodes.ready = 1;
}

uint32_t program_opcode_call(uint8_t opcode)
{
    if (!opcodes.ready)
        make_opcodes();
    return opcode == OPCODE_NUMBER ? PGR_CALL_NONE : opcodes.calls[opcode];
}

int program_opcode(uint32_t number)
{
    if (!opcodes.ready)
        make_opcodes();
    return number < PGR_CALL_COUNT ? opcodes.first[number] - 1 : -1;
}

/* ---- records ---- */

static uint32_t read_call_number(struct program_reader *r)
{
    uint8_t opcode = read_u8(r);
    return opcode == OPCODE_NUMBER ? (uint32_t)read_number(r, 2) : program_opcode_call(opcode);
}

size_t program_record_bytes(const uint8_t *data, size_t bytes, size_t at)
{
    struct program_reader r = {.data = data, .bytes = bytes, .at = at};
    const pgr_call_info *row = pgr_call_row(read_call_number(&r));
    read_u8(&r);
    if (row)
        skip_operands(&r, row);
    return r.at - at;
}

static uint32_t next_random(struct program *p)
{
    p->random = p->random * 1664525u + 1013904223u;
    return p->random >> 8;
}

static int is_idle(const pgr_world *world, uint32_t thread)
{
    pgr_thread_view view;
    return pgr_inspect_thread(world, thread, &view) && view.state == PGR_THREAD_IDLE;
}

/* The exact thread that a selector names; 0 if it leaves the choice to us. */
static int exact_thread(const struct program *p, uint8_t selector, uint32_t *thread)
{
    uint32_t count = p->header.config.thread_count, named = selector & 0x3fu;
    *thread = selector == THREAD_NONE ? count + 3 : named;
    return selector == THREAD_NONE || (selector >= THREAD_EXACT && named < count);
}

static void fill_call(struct program *p, const pgr_world *world, struct program_reader *r, pgr_call *call)
{
    uint32_t slot = is_idle(world, call->thread) ? call->thread : PROGRAM_THREADS_MAX;
    decode_arguments(p, world, r, call, slot);
}

static uint32_t peek_u16(const struct program_reader *r)
{
    struct program_reader ahead = *r;
    return (uint32_t)read_number(&ahead, 2);
}

/*
 * A call whose thread is left to us may become another one: what it would need first, or, if only thread 0 is left to
 * block, the supply that some thread is waiting for. It takes its operands from a reader that steers them all.
 */
static void steer_record(struct program *p, const pgr_world *world, struct program_reader *r, uint32_t seed,
                         pgr_call *call)
{
    const pgr_call_info *given = pgr_call_row(call->number);
    uint32_t number = steer_call(p, world, call->number);
    if (number == PGR_CALL_RESUME) {
        call->thread = steer_resume(p, world, seed);
    } else if (steer_thread(p, world, pgr_call_row(number), seed, &call->thread)) {
        number = steer_call(p, world, PGR_CALL_PAGER_SUPPLY_PAGES);
        steer_thread(p, world, pgr_call_row(number), seed, &call->thread);
    }
    if (number == call->number) {
        fill_call(p, world, r, call);
        return;
    }
    struct program_reader steered = steered_reader(seed << 16 ^ peek_u16(r));
    call->number = number;
    skip_operands(r, given);
    fill_call(p, world, &steered, call);
}

static void use_pending_buffer(struct program *p, pgr_call *call)
{
    if (call->thread >= PROGRAM_THREADS_MAX)
        return;
    call->buffer = p->pending[call->thread].buffer;
    call->buffer_bytes = p->pending[call->thread].bytes;
}

static void decode_record(struct program *p, const pgr_world *world, pgr_call *call)
{
    struct program_reader *r = &p->reader;
    memset(call, 0, sizeof *call);
    call->number = read_call_number(r);
    const pgr_call_info *row = pgr_call_row(call->number);
    uint8_t selector = read_u8(r);
    int exact = exact_thread(p, selector, &call->thread);
    if (!row)
        return;
    if (!exact) {
        steer_record(p, world, r, selector, call);
    } else {
        fill_call(p, world, r, call);
    }
    if (call->number == PGR_CALL_RESUME)
        use_pending_buffer(p, call);
}

/* ---- the prologue ---- */

#define PROLOGUES 4u
#define PROLOGUE_CALLS 9u
#define PROLOGUE_PAGES 18u /* of large VMOs */
#define COMB_TEETH 18u     /* more than a leaf of a map has runs */
enum { PROLOGUE_PLAIN, PROLOGUE_MAPPED, PROLOGUE_DIRTY, PROLOGUE_CHILD };

static const uint8_t prologues[PROLOGUES][PROLOGUE_CALLS] = {
    [PROLOGUE_PLAIN] = {PGR_CALL_PORT_CREATE, PGR_CALL_PAGER_CREATE, PGR_CALL_PAGER_CREATE_VMO, PGR_CALL_VMO_CREATE,
                        PGR_CALL_VMO_WRITE, PGR_CALL_VMO_READ, PGR_CALL_PAGER_SUPPLY_PAGES},
    [PROLOGUE_MAPPED] = {PGR_CALL_PORT_CREATE, PGR_CALL_PAGER_CREATE, PGR_CALL_PAGER_CREATE_VMO, PGR_CALL_VMAR_MAP,
                         PGR_CALL_VMO_CREATE, PGR_CALL_MEM_READ, PGR_CALL_MEM_WRITE, PGR_CALL_PAGER_SUPPLY_PAGES},
    [PROLOGUE_DIRTY] = {PGR_CALL_PORT_CREATE, PGR_CALL_PAGER_CREATE, PGR_CALL_PAGER_CREATE_VMO, PGR_CALL_VMO_CREATE,
                        PGR_CALL_VMO_WRITE, PGR_CALL_PAGER_SUPPLY_PAGES, PGR_CALL_PAGER_OP_RANGE,
                        PGR_CALL_PAGER_OP_RANGE, PGR_CALL_PAGER_OP_RANGE},
    [PROLOGUE_CHILD] = {PGR_CALL_PORT_CREATE, PGR_CALL_PAGER_CREATE, PGR_CALL_PAGER_CREATE_VMO,
                        PGR_CALL_VMO_CREATE_CHILD, PGR_CALL_VMO_READ, PGR_CALL_VMO_CREATE, PGR_CALL_PAGER_SUPPLY_PAGES,
                        PGR_CALL_VMO_WRITE},
};

/* One prologue in four has VMOs of more pages than are asked for at a time, and one ends with a comb: a VMO in which
 * every other page is committed, so that maps get deep. */
enum { PROLOGUE_COMB = 2, PROLOGUE_LARGE = 3 };

static uint32_t prologue_extra(const struct program *p)
{
    return p->header.prologue >> 5 & 3u;
}

static const struct live_handle *comb_of(const struct program *p)
{
    return prologue_extra(p) == PROLOGUE_COMB ? live_handle_of_nature(&p->live, NATURE_PLAIN_VMO, 0) : NULL;
}

/* The prologue's next call; PGR_CALL_NONE behind its last one. */
static uint32_t prologue_call(const struct program *p)
{
    uint32_t kind = p->header.prologue >> 3 & 3u, length = 2 + (p->header.prologue & 7u);
    if (p->header.prologue == 0)
        return PGR_CALL_NONE;
    if (p->prologue_at < length)
        return prologues[kind][p->prologue_at];
    return p->prologue_at < length + COMB_TEETH && comb_of(p) ? PGR_CALL_VMO_OP_RANGE : PGR_CALL_NONE;
}

/* A page of the comb, which is the one behind the last one's neighbour. */
static void make_tooth(const struct program *p, const struct live_handle *comb, pgr_call *call)
{
    uint64_t page = (uint64_t)1 << p->header.config.page_shift, tooth = p->prologue_at - 3 - (p->header.prologue & 7u);
    call->arg[0] = comb->value;
    call->arg[1] = ZX_VMO_OP_COMMIT;
    call->arg[2] = 2 * tooth * page;
    call->arg[3] = page;
}

/* What a prologue wants of its calls, whatever was steered; some want to be asked before pages get dirty. */
static void adapt_to_prologue(const struct program *p, pgr_call *call)
{
    static const uint64_t pages[] = {[PROLOGUE_COMB] = 2 * COMB_TEETH, [PROLOGUE_LARGE] = PROLOGUE_PAGES};
    uint32_t kind = p->header.prologue >> 3 & 3u, extra = prologue_extra(p);
    uint64_t size = pages[extra] << p->header.config.page_shift;
    const struct live_handle *comb = call->number == PGR_CALL_VMO_OP_RANGE ? comb_of(p) : NULL;
    if (call->number == PGR_CALL_PAGER_CREATE_VMO && kind == PROLOGUE_DIRTY)
        call->arg[1] |= ZX_VMO_TRAP_DIRTY;
    if (call->number == PGR_CALL_PAGER_CREATE_VMO && size > 0)
        call->arg[4] = size;
    if (call->number == PGR_CALL_VMO_CREATE && size > 0)
        call->arg[0] = size;
    if (comb != NULL)
        make_tooth(p, comb, call);
}

static int prologue_record(struct program *p, const pgr_world *world, pgr_call *call)
{
    uint32_t number = prologue_call(p);
    /* Once over it does not go on, whatever the program makes. */
    if (number == PGR_CALL_NONE) {
        p->prologue_at = UINT32_MAX;
        return 0;
    }
    memset(call, 0, sizeof *call);
    call->number = number;
    p->prologue_at++;
    struct program_reader steered = steered_reader(p->header.prologue * 2654435761u + p->prologue_at);
    const pgr_call_info *row = pgr_call_row(call->number);
    steer_thread(p, world, row, p->header.prologue, &call->thread);
    fill_call(p, world, &steered, call);
    adapt_to_prologue(p, call);
    return 1;
}

/* ---- the epilogue ---- */

#define EPILOGUE_CALLS 6u
#define PACKETS_READ 8u

/* A supply for a waiting thread, or first the VMO that it takes its pages from. */
static int epilogue_record(struct program *p, const pgr_world *world, pgr_call *call)
{
    static const uint8_t zeros[2 * PGR_ARGS_MAX];
    struct program_reader steered = {.data = zeros, .bytes = sizeof zeros};
    uint64_t size;
    memset(call, 0, sizeof *call);
    if (!p->header.epilogue || p->epilogue_at >= EPILOGUE_CALLS || !is_idle(world, 0))
        return 0;
    call->number = steer_answer(p, world, &size);
    if (call->number == PGR_CALL_NONE)
        return 0;
    p->epilogue_at++;
    fill_call(p, world, &steered, call);
    if (call->number == PGR_CALL_VMO_CREATE)
        call->arg[0] = size;
    return 1;
}

/* Reads a packet that is left in a port. */
static int reading_record(struct program *p, const pgr_world *world, pgr_call *call)
{
    zx_handle_t port = steer_full_port(p, world);
    if (!p->header.epilogue || port == ZX_HANDLE_INVALID || p->packets_read >= PACKETS_READ || !is_idle(world, 0))
        return 0;
    p->packets_read++;
    *call = (pgr_call){.number = PGR_CALL_PORT_WAIT, .arg = {port}};
    return 1;
}

/* ---- running ---- */

static uint32_t root_vmar(const pgr_world *world)
{
    pgr_start start;
    pgr_handle_view view;
    pgr_start_handles(world, &start);
    return pgr_inspect_handle(world, pgr_inspect_handle_row(world, start.vmar), &view) ? view.object : 0;
}

void program_start(struct program *p, const uint8_t *data, size_t bytes, struct program_buffers *buffers,
                   const pgr_world *world)
{
    program_read_header(&p->header, data, bytes);
    if (bytes > PROGRAM_BYTES_MAX)
        bytes = PROGRAM_BYTES_MAX;
    p->reader = (struct program_reader){.data = data, .bytes = bytes, .at = PROGRAM_HEADER_BYTES};
    p->buffers = buffers;
    p->prologue_at = 0;
    p->epilogue_at = 0;
    p->packets_read = 0;
    p->calls = 0;
    p->since_resume = 0;
    p->random = p->header.seed;
    p->wait_count = 0;
    p->closed = ZX_HANDLE_INVALID;
    p->root_vmar = root_vmar(world);
    memset(p->pending, 0, sizeof p->pending);
    live_handles_start(&p->live, world);
}

int program_next(struct program *p, const pgr_world *world, pgr_call *call)
{
    live_handles_next_batch(&p->live);
    p->since_resume++;
    if (prologue_record(p, world, call))
        return 1;
    if (p->reader.at >= p->reader.bytes || p->calls >= PROGRAM_CALLS_MAX)
        return epilogue_record(p, world, call) || reading_record(p, world, call);
    p->calls++;
    decode_record(p, world, call);
    return 1;
}

static uint32_t some_released(struct program *p, const pgr_world *world)
{
    uint32_t thread = pgr_first_released(world);
    for (uint32_t steps = next_random(p) & 3u; steps > 0; steps--) {
        pgr_thread_view view;
        if (!pgr_inspect_thread(world, thread, &view) || view.next_released == PGR_NO_THREAD)
            break;
        thread = view.next_released;
    }
    return thread;
}

static int is_time_to_resume(struct program *p)
{
    switch (p->header.schedule) {
    case SCHEDULE_EXPLICIT:
        return 0;
    case SCHEDULE_LATE:
        return p->epilogue_at > 0 || p->since_resume > 2u + (p->header.seed & 7u);
    default:
        return 1;
    }
}

int program_next_resume(struct program *p, const pgr_world *world, pgr_call *call)
{
    if (!is_time_to_resume(p))
        return 0;
    uint32_t thread = pgr_first_released(world);
    if (thread == PGR_NO_THREAD) {
        p->since_resume = 0;
        return 0;
    }
    if (p->header.schedule == SCHEDULE_OTHER)
        thread = some_released(p, world);
    memset(call, 0, sizeof *call);
    call->number = PGR_CALL_RESUME;
    call->thread = thread;
    use_pending_buffer(p, call);
    return 1;
}

/* ---- learning from results ---- */

static void learn_outputs(struct program *p, const pgr_world *world, const pgr_result *result)
{
    const pgr_call_info *row = pgr_call_row(result->call);
    if (!row)
        return;
    for (uint32_t place = 0; place < row->arg_count; place++) {
        uint8_t kind = row->args[place].kind;
        if (kind == PGR_ARG_HANDLE_OUT)
            live_handles_add(&p->live, world, (zx_handle_t)result->out[place]);
    }
}

/* Whether a handle is still one; if it has just ceased to be, it is remembered. */
static void check_handle(struct program *p, const pgr_world *world, zx_handle_t value)
{
    uint32_t count = p->live.count;
    live_handles_check(&p->live, world, value);
    if (p->live.count < count)
        p->closed = value;
}

static void check_handles_in_buffer(struct program *p, const pgr_world *world, const pgr_call *call)
{
    for (uint64_t i = 0; i + sizeof(zx_handle_t) <= call->buffer_bytes; i += sizeof(zx_handle_t)) {
        zx_handle_t value;
        memcpy(&value, (const uint8_t *)call->buffer + i, sizeof value);
        check_handle(p, world, value);
    }
}

/* Takes the handles out of the list that the call has closed. */
static void learn_closed(struct program *p, const pgr_world *world, const pgr_call *call)
{
    const pgr_call_info *row = pgr_call_row(call->number);
    for (uint32_t place = 0; place < row->arg_count; place++) {
        uint8_t kind = row->args[place].kind;
        if (kind == PGR_ARG_HANDLE)
            check_handle(p, world, (zx_handle_t)call->arg[place]);
        if (kind == PGR_ARG_HANDLES)
            check_handles_in_buffer(p, world, call);
    }
    if (call->number == PGR_CALL_PROCESS_EXIT)
        live_handles_refresh(&p->live, world);
}

static void learn_wait(struct program *p, const pgr_call *call)
{
    p->waits[p->wait_count++ % PROGRAM_WAITS] = (struct program_wait){
        .object = (zx_handle_t)call->arg[0], .port = (zx_handle_t)call->arg[1], .key = call->arg[2]};
}

void program_learn(struct program *p, const pgr_world *world, const pgr_call *call, const pgr_result *result)
{
    if (result->outcome == PGR_REFUSED)
        return;
    if (result->outcome == PGR_BLOCKED && call->thread < PROGRAM_THREADS_MAX) {
        p->pending[call->thread].buffer = call->buffer;
        p->pending[call->thread].bytes = call->buffer_bytes;
    }
    if (result->outcome != PGR_DONE)
        return;
    if (result->status == ZX_OK)
        learn_outputs(p, world, result);
    if (result->status == ZX_OK && call->number == PGR_CALL_OBJECT_WAIT_ASYNC)
        learn_wait(p, call);
    learn_closed(p, world, call);
}

NO_COVERAGE_END
