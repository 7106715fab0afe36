/* Mutations of programs by whole calls. See mutate.h. */
#include "harness/mutate.h"

#include "harness/program_operands.h"

#include <string.h>

#include "harness/no_coverage.h"

/* The engine is compiled without MemorySanitizer, which does not see what it has written. */
#define IS_WRITTEN(data, size) (void)(data)
#if defined(__has_feature)
#if __has_feature(memory_sanitizer)
#include <sanitizer/msan_interface.h>
#undef IS_WRITTEN
#define IS_WRITTEN(data, size) __msan_unpoison(data, size)
#endif
#endif

NO_COVERAGE_BEGIN

#define RECORDS_MAX 1024u /* records behind these are left as they are */
#define LONG_ENOUGH 128u  /* records */
#define GENERATED_MAX 64u /* bytes of a generated call; one that would be longer is not made */

/* ---- chance ---- */

struct chance {
    uint64_t state;
};

/* SplitMix64. */
static uint32_t draw(struct chance *chance, uint32_t below)
{
    uint64_t z = chance->state += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return below ? (uint32_t)((z ^ z >> 31) >> 32) % below : 0;
}

/* ---- records ---- */

struct records {
    const uint8_t *data;
    size_t size;
    uint32_t count;
    uint32_t at[RECORDS_MAX + 1]; /* where each begins, and where the last one ends */
};

static void find_records(struct records *records, const uint8_t *data, size_t size)
{
    size_t at = PROGRAM_HEADER_BYTES;
    records->data = data;
    records->size = size;
    records->count = 0;
    while (at < size && records->count < RECORDS_MAX) {
        records->at[records->count++] = (uint32_t)at;
        at += program_record_bytes(data, size, at);
    }
    records->at[records->count] = (uint32_t)(at < size ? at : size);
}

/* Gives an input its whole header, and each record its end: what was cut off reads as zeros. */
static size_t complete(uint8_t *data, size_t size, size_t most)
{
    if (most < PROGRAM_HEADER_BYTES)
        return size < most ? size : most;
    if (size < PROGRAM_HEADER_BYTES) {
        memset(data + size, 0, PROGRAM_HEADER_BYTES - size);
        size = PROGRAM_HEADER_BYTES;
    }
    size_t at = PROGRAM_HEADER_BYTES, end = at;
    while (end < size) {
        at = end;
        end += program_record_bytes(data, size, at);
    }
    if (end == size)
        return size;
    if (end > most)
        return at;
    memset(data + size, 0, end - size);
    return end;
}

/* Puts `bytes` bytes in the place of [from, to). Returns the new size; the old one if there is no room. */
static size_t replace(uint8_t *data, size_t size, size_t most, size_t from, size_t to, const uint8_t *bytes,
                      size_t count)
{
    if (size - (to - from) + count > most)
        return size;
    memmove(data + from + count, data + to, size - to);
    if (count > 0)
        memcpy(data + from, bytes, count);
    return size - (to - from) + count;
}

static uint32_t pick_record(const struct records *records, struct chance *chance)
{
    return draw(chance, records->count);
}

/* A place between records; near the end as often as anywhere. */
static size_t pick_gap(const struct records *records, struct chance *chance)
{
    uint32_t gaps = records->count + 1;
    uint32_t gap = draw(chance, 2) && gaps > 4 ? gaps - 1 - draw(chance, 4) : draw(chance, gaps);
    return records->at[gap];
}

/* ---- making operands ---- */

struct maker {
    uint8_t *bytes;
    size_t count;
    struct chance *chance;
};

static void make_u8(struct maker *m, uint32_t byte)
{
    if (m->count < GENERATED_MAX)
        m->bytes[m->count] = (uint8_t)byte;
    m->count++;
}

static void make_random_bytes(struct maker *m, uint32_t count)
{
    for (; count > 0; count--)
        make_u8(m, draw(m->chance, 256));
}

/* A steered selector most of the time, otherwise one of the exact forms from `first` up to `end`. */
static uint8_t make_selector(struct maker *m, uint32_t first, uint32_t end)
{
    uint32_t selector =
        draw(m->chance, 8) ? draw(m->chance, PROGRAM_STEERED_END) : first + draw(m->chance, end - first);
    make_u8(m, selector);
    return (uint8_t)selector;
}

static void make_list(struct maker *m, uint32_t length_bytes)
{
    uint32_t count = draw(m->chance, 8);
    make_u8(m, count);
    for (uint32_t i = 1; i < length_bytes; i++)
        make_u8(m, 0);
    make_random_bytes(m, count);
}

static void make_handle(struct maker *m)
{
    uint8_t form = make_selector(m, HANDLE_RANKED, HANDLE_FORMS_END);
    if (form == HANDLE_ROW || form == HANDLE_BENT)
        make_random_bytes(m, 2);
    if (form == HANDLE_LITERAL)
        make_random_bytes(m, 4);
    if (form == HANDLE_ANY)
        make_random_bytes(m, 1);
}

static void make_handles(struct maker *m)
{
    uint32_t count = draw(m->chance, 5);
    if (draw(m->chance, 2)) {
        make_u8(m, draw(m->chance, PROGRAM_STEERED_END));
        return;
    }
    make_u8(m, HANDLES_FEW + count);
    for (; count > 0; count--)
        make_handle(m);
}

static void make_scalar(struct maker *m)
{
    static const uint8_t payload[] = {[0] = 1,
                                      [NUMBER_U8 - NUMBER_BIT] = 1,
                                      [NUMBER_U16 - NUMBER_BIT] = 2,
                                      [NUMBER_U32 - NUMBER_BIT] = 4,
                                      [NUMBER_U64 - NUMBER_BIT] = 8,
                                      [NUMBER_MINUS - NUMBER_BIT] = 1,
                                      [NUMBER_OR - NUMBER_BIT] = 2};
    uint8_t form = make_selector(m, NUMBER_SMALL, NUMBER_FORMS_END);
    if (form >= NUMBER_BIT)
        make_random_bytes(m, payload[form - NUMBER_BIT]);
}

/* Page counts of 32 bits are cut to 16: most of what is larger is beyond every VMO in the same way. */
static void make_extent(struct maker *m)
{
    uint8_t form = make_selector(m, EXTENT_PAGES, EXTENT_FORMS_END);
    if (form == EXTENT_MINUS)
        make_random_bytes(m, 1);
    if (form == EXTENT_U64)
        make_random_bytes(m, 8);
    if (form == EXTENT_PAGES_U16 || form == EXTENT_U16) {
        make_u8(m, draw(m->chance, 256));
        make_u8(m, draw(m->chance, 4) ? 0 : draw(m->chance, 256));
    }
    if (form != EXTENT_NEAR)
        return;
    make_u8(m, draw(m->chance, 16));
    make_u8(m, 0);
    make_u8(m, 0);
    make_u8(m, 0);
    make_u8(m, 128 + draw(m->chance, 5) - 2);
}

static void make_data(struct maker *m)
{
    uint8_t form = make_selector(m, DATA_FILL, DATA_AT + 1);
    if (form == DATA_FILL)
        make_random_bytes(m, 1);
    if (form == DATA_PAGES || form == DATA_LITERAL)
        make_list(m, 2);
    if (form == DATA_AT)
        make_extent(m);
}

static void make_accesses(struct maker *m)
{
    uint32_t count = draw(m->chance, 3);
    make_u8(m, ACCESSES_FEW + count);
    for (; count > 0; count--) {
        make_extent(m);
        make_u8(m, draw(m->chance, 32));
        make_u8(m, 0);
        make_u8(m, draw(m->chance, 2));
    }
}

static void make_room(struct maker *m)
{
    uint32_t kind = draw(m->chance, 16);
    make_u8(m, kind == 0 ? ROOM_EXACT : kind == 1 ? ROOM_AT : draw(m->chance, PROGRAM_STEERED_END));
    if (kind == 1)
        make_extent(m);
    if (kind != 0)
        return;
    make_u8(m, draw(m->chance, 64));
    for (uint32_t i = 1; i < 4; i++)
        make_u8(m, 0);
}

static void make_property(struct maker *m)
{
    uint8_t form = make_selector(m, PROPERTY_NUMBER, PROPERTY_FORMS_END);
    if (form == PROPERTY_NUMBER)
        make_extent(m);
    if (form == PROPERTY_BYTES)
        make_list(m, 1);
}

static void make_packet(struct maker *m)
{
    uint8_t form = make_selector(m, PACKET_SPARSE, PACKET_FORMS_END);
    if (form == PACKET_BYTES)
        make_list(m, 1);
    if (form != PACKET_SPARSE)
        return;
    make_u8(m, 1); /* a key of one byte */
    for (uint32_t i = 1; i < PACKET_MASK_BYTES; i++)
        make_u8(m, 0);
    make_random_bytes(m, 1);
}

static void make_operand(struct maker *m, uint8_t kind)
{
    switch (kind) {
    case PGR_ARG_HANDLE:
        make_handle(m);
        break;
    case PGR_ARG_HANDLES:
        make_handles(m);
        break;
    case PGR_ARG_U32:
    case PGR_ARG_U64:
    case PGR_ARG_THREAD:
        make_scalar(m);
        break;
    case PGR_ARG_OFFSET:
    case PGR_ARG_SIZE:
    case PGR_ARG_ADDRESS:
        make_extent(m);
        break;
    case PGR_ARG_BYTES_IN:
        make_data(m);
        break;
    case PGR_ARG_BYTES_OUT:
    case PGR_ARG_PROPERTY_OUT:
    case PGR_ARG_RANGES_OUT:
        make_room(m);
        break;
    case PGR_ARG_ACCESSES:
        make_accesses(m);
        break;
    case PGR_ARG_PROPERTY_IN:
        make_property(m);
        break;
    case PGR_ARG_PACKET_IN:
        make_packet(m);
        break;
    default:
        break;
    }
}

/* A call with all operands steered; its length in bytes. */
static size_t make_steered_call(uint8_t bytes[GENERATED_MAX], uint32_t number, struct chance *chance)
{
    struct maker m = {.bytes = bytes, .chance = chance};
    const pgr_call_info *row = pgr_call_row(number);
    int opcode = program_opcode(number);
    if (opcode < 0)
        return 0;
    make_u8(&m, (uint32_t)opcode);
    make_u8(&m, draw(chance, PROGRAM_STEERED_END));
    /* What is more than an operand needs would be read as a call. */
    for (uint32_t place = 0; place < row->arg_count; place++) {
        size_t before = m.count;
        make_operand(&m, row->args[place].kind);
        if (m.count == before)
            continue;
        m.count = before;
        make_u8(&m, draw(chance, PROGRAM_STEERED_END));
    }
    return m.count;
}

/* A call with all its operands; its length in bytes, 0 if it would be too long. */
static size_t make_call(uint8_t bytes[GENERATED_MAX], struct chance *chance)
{
    struct maker m = {.bytes = bytes, .chance = chance};
    uint8_t opcode = (uint8_t)draw(chance, OPCODES);
    if (opcode == OPCODE_NUMBER)
        opcode = 0;
    const pgr_call_info *row = pgr_call_row(program_opcode_call(opcode));
    make_u8(&m, opcode);
    make_u8(&m, draw(chance, PROGRAM_STEERED_END));
    for (uint32_t place = 0; row && place < row->arg_count; place++)
        make_operand(&m, row->args[place].kind);
    return m.count <= GENERATED_MAX ? m.count : 0;
}

/* ---- edits ---- */

struct edit {
    uint8_t *data;
    size_t size, most;
    struct records records;
    struct chance chance;
    mutate_bytes own;
};

static size_t insert_call(struct edit *e)
{
    uint8_t bytes[GENERATED_MAX];
    size_t count = make_call(bytes, &e->chance), gap = pick_gap(&e->records, &e->chance);
    return replace(e->data, e->size, e->most, gap, gap, bytes, count);
}

/* Calls that mean something together: threads wait for a pager, and it answers. */
static size_t insert_scene(struct edit *e)
{
    static const uint8_t scenes[][6] = {
        {PGR_CALL_VMO_READ, PGR_CALL_PAGER_SUPPLY_PAGES},
        {PGR_CALL_PORT_CREATE, PGR_CALL_PAGER_CREATE, PGR_CALL_PAGER_CREATE_VMO, PGR_CALL_VMO_READ, PGR_CALL_VMO_CREATE,
         PGR_CALL_PAGER_SUPPLY_PAGES},
        {PGR_CALL_PAGER_CREATE_VMO, PGR_CALL_VMO_OP_RANGE, PGR_CALL_VMO_READ, PGR_CALL_VMO_CREATE, PGR_CALL_VMO_WRITE,
         PGR_CALL_PAGER_SUPPLY_PAGES},
        {PGR_CALL_PAGER_CREATE_VMO, PGR_CALL_VMO_READ, PGR_CALL_BTI_PIN, PGR_CALL_PORT_WAIT, PGR_CALL_PAGER_OP_RANGE},
        {PGR_CALL_PAGER_CREATE_VMO, PGR_CALL_VMO_WRITE, PGR_CALL_VMO_SET_SIZE, PGR_CALL_VMO_CREATE,
         PGR_CALL_PAGER_SUPPLY_PAGES, PGR_CALL_RECLAIM},
        {PGR_CALL_VMAR_MAP, PGR_CALL_MEM_READ, PGR_CALL_MEM_WRITE, PGR_CALL_PAGER_SUPPLY_PAGES, PGR_CALL_VMAR_PROTECT},
        {PGR_CALL_VMO_CREATE_CHILD, PGR_CALL_VMO_READ, PGR_CALL_PAGER_SUPPLY_PAGES, PGR_CALL_VMO_WRITE,
         PGR_CALL_VMO_SET_SIZE},
        {PGR_CALL_VMO_WRITE, PGR_CALL_PAGER_SUPPLY_PAGES, PGR_CALL_PAGER_OP_RANGE, PGR_CALL_PAGER_OP_RANGE,
         PGR_CALL_VMO_WRITE, PGR_CALL_PAGER_OP_RANGE},
        {PGR_CALL_VMO_OP_RANGE, PGR_CALL_VMO_WRITE, PGR_CALL_VMO_OP_RANGE, PGR_CALL_RECLAIM, PGR_CALL_VMO_READ,
         PGR_CALL_VMO_OP_RANGE},
        {PGR_CALL_OBJECT_WAIT_ASYNC, PGR_CALL_OBJECT_SIGNAL, PGR_CALL_PORT_CANCEL, PGR_CALL_PORT_WAIT},
    };
    const uint8_t *scene = scenes[draw(&e->chance, sizeof scenes / sizeof scenes[0])];
    size_t gap = pick_gap(&e->records, &e->chance), size = e->size;
    for (uint32_t i = 0; i < sizeof scenes[0] && scene[i] != PGR_CALL_NONE; i++) {
        uint8_t bytes[GENERATED_MAX];
        size_t count = make_steered_call(bytes, scene[i], &e->chance);
        size_t grown = replace(e->data, size, e->most, gap, gap, bytes, count);
        gap += grown - size;
        size = grown;
    }
    return size;
}

static size_t insert_calls_at(struct edit *e, size_t size, size_t gap, uint32_t calls)
{
    for (; calls > 0; calls--) {
        uint8_t bytes[GENERATED_MAX];
        size_t count = make_call(bytes, &e->chance), grown = replace(e->data, size, e->most, gap, gap, bytes, count);
        gap += grown - size;
        size = grown;
    }
    return size;
}

/* Calls after one another: together they may get where one does not. */
static size_t insert_calls(struct edit *e)
{
    uint32_t calls = 2 + draw(&e->chance, 14);
    return insert_calls_at(e, e->size, pick_gap(&e->records, &e->chance), calls);
}

/* What an input ends with is tried on, in one direction or another. Beside starting and ending a world it costs little. */
static size_t go_on(struct edit *e, size_t size)
{
    if (e->records.count >= LONG_ENOUGH || draw(&e->chance, 4) == 0)
        return size;
    return insert_calls_at(e, size, size, 8 + draw(&e->chance, 64));
}

static size_t remove_calls(struct edit *e)
{
    uint32_t first = pick_record(&e->records, &e->chance), left = e->records.count - first;
    uint32_t count = draw(&e->chance, 4) ? 1 : 1 + draw(&e->chance, left);
    return replace(e->data, e->size, e->most, e->records.at[first], e->records.at[first + count], NULL, 0);
}

static size_t duplicate_calls(struct edit *e)
{
    uint8_t copy[1024];
    uint32_t first = pick_record(&e->records, &e->chance), left = e->records.count - first;
    uint32_t count = 1 + draw(&e->chance, left < 4 ? left : 4);
    size_t bytes = e->records.at[first + count] - e->records.at[first];
    if (bytes > sizeof copy)
        return e->size;
    memcpy(copy, e->data + e->records.at[first], bytes);
    size_t gap = draw(&e->chance, 2) ? e->records.at[first + count] : pick_gap(&e->records, &e->chance);
    return replace(e->data, e->size, e->most, gap, gap, copy, bytes);
}

static void reverse(uint8_t *from, uint8_t *to)
{
    for (; from + 1 < to; from++) {
        uint8_t byte = *from;
        *from = *--to;
        *to = byte;
    }
}

/* Two neighbours change places: turning each around, then both together. */
static size_t swap_calls(struct edit *e)
{
    if (e->records.count < 2)
        return insert_call(e);
    uint32_t first = draw(&e->chance, e->records.count - 1);
    uint8_t *a = e->data + e->records.at[first], *b = e->data + e->records.at[first + 1],
            *end = e->data + e->records.at[first + 2];
    reverse(a, b);
    reverse(b, end);
    reverse(a, end);
    return e->size;
}

/* Where the operand of argument `place` begins; UINT32_MAX stands for the end of the record. */
static size_t operand_at(const struct edit *e, size_t record, const pgr_call_info *row, uint32_t place)
{
    struct pgr_call_info front = *row;
    struct program_reader r = {
        .data = e->data, .bytes = e->size, .at = record + (e->data[record] == OPCODE_NUMBER ? 4 : 2)};
    if (place < front.arg_count)
        front.arg_count = (uint8_t)place;
    skip_operands(&r, &front);
    return r.at;
}

static const pgr_call_info *row_at(const struct edit *e, size_t record)
{
    uint8_t opcode = e->data[record];
    if (opcode != OPCODE_NUMBER)
        return pgr_call_row(program_opcode_call(opcode));
    return record + 2 < e->size ? pgr_call_row(e->data[record + 1] | (uint32_t)e->data[record + 2] << 8) : NULL;
}

static size_t change_argument(struct edit *e)
{
    size_t record = e->records.at[pick_record(&e->records, &e->chance)];
    const pgr_call_info *row = row_at(e, record);
    if (!row || row->arg_count == 0)
        return insert_call(e);
    uint32_t place = draw(&e->chance, row->arg_count);
    size_t from = operand_at(e, record, row, place), to = operand_at(e, record, row, place + 1);
    if (to > e->size)
        return insert_call(e);
    uint8_t bytes[GENERATED_MAX];
    struct maker m = {.bytes = bytes, .chance = &e->chance};
    make_operand(&m, row->args[place].kind);
    if (m.count > GENERATED_MAX)
        return e->size;
    return replace(e->data, e->size, e->most, from, to, bytes, m.count);
}

static size_t change_thread(struct edit *e)
{
    size_t at = e->records.at[pick_record(&e->records, &e->chance)] + 1;
    if (at >= e->size || e->data[at - 1] == OPCODE_NUMBER)
        return insert_call(e);
    e->data[at] = (uint8_t)(draw(&e->chance, 4) ? draw(&e->chance, PROGRAM_STEERED_END) : draw(&e->chance, 256));
    return e->size;
}

/* The prologue stays most of the time: to lose it changes everything behind it. */
static size_t change_header(struct edit *e)
{
    uint32_t field = draw(&e->chance, 8);
    if (field == 2 || field > 3)
        field = draw(&e->chance, 2);
    e->data[draw(&e->chance, 8) ? field : 2u] = (uint8_t)draw(&e->chance, 256);
    return e->size;
}

/* The engine changes the bytes of one call: it knows which values comparisons wanted. */
static size_t change_bytes(struct edit *e)
{
    uint8_t copy[4 * GENERATED_MAX];
    uint32_t picked = pick_record(&e->records, &e->chance);
    size_t from = e->records.at[picked], to = e->records.at[picked + 1];
    if (!e->own || to - from > sizeof copy / 2)
        return change_argument(e);
    memcpy(copy, e->data + from, to - from);
    size_t count = e->own(copy, to - from, sizeof copy);
    IS_WRITTEN(copy, count);
    return replace(e->data, e->size, e->most, from, to, copy, count);
}

typedef size_t (*edit_function)(struct edit *e);

static size_t apply(struct edit *e)
{
    static const edit_function edits[] = {insert_call,     insert_calls,    insert_calls,    insert_scene,
                                          insert_scene,    insert_scene,    remove_calls,    duplicate_calls,
                                          swap_calls,      change_argument, change_argument, change_argument,
                                          change_argument, change_argument, change_thread,   change_header,
                                          change_bytes,    change_bytes,    change_bytes};
    if (e->records.count == 0)
        return insert_calls(e);
    return edits[draw(&e->chance, sizeof edits / sizeof edits[0])](e);
}

size_t mutate_program(uint8_t *data, size_t size, size_t most, unsigned seed, mutate_bytes own)
{
    struct edit e = {.data = data, .most = most, .chance = {seed}, .own = own};
    e.size = complete(data, size, most);
    if (e.size < PROGRAM_HEADER_BYTES)
        return e.size;
    find_records(&e.records, data, e.size);
    e.size = complete(data, apply(&e), most);
    return complete(data, go_on(&e, e.size), most);
}

/* As many whole records of [first, first + count) as there is room for; the number of bytes. */
static size_t append_records(uint8_t *out, size_t size, size_t most, const struct records *records, uint32_t first,
                             uint32_t count)
{
    for (uint32_t i = first; i < first + count; i++) {
        // NOLINTNEXTLINE(clang-analyzer-core.UndefinedBinaryOperatorResult): find_records has set one more than count
        size_t bytes = records->at[i + 1] - records->at[i];
        if (size + bytes > most)
            break;
        memcpy(out + size, records->data + records->at[i], bytes);
        size += bytes;
    }
    return size;
}

size_t mutate_cross(const uint8_t *first, size_t first_size, const uint8_t *second, size_t second_size, uint8_t *out,
                    size_t most, unsigned seed)
{
    struct chance chance = {seed};
    struct records a, b;
    size_t header = first_size < PROGRAM_HEADER_BYTES ? first_size : PROGRAM_HEADER_BYTES;
    if (most < PROGRAM_HEADER_BYTES)
        return 0;
    find_records(&a, first, first_size);
    find_records(&b, second, second_size);
    memset(out, 0, PROGRAM_HEADER_BYTES);
    memcpy(out, first, header);
    uint32_t kept = draw(&chance, a.count + 1), from = draw(&chance, b.count + 1);
    uint32_t taken = draw(&chance, b.count - from + 1), rest = kept + draw(&chance, a.count - kept + 1);
    size_t size = append_records(out, PROGRAM_HEADER_BYTES, most, &a, 0, kept);
    size = append_records(out, size, most, &b, from, taken);
    if (draw(&chance, 2))
        size = append_records(out, size, most, &a, rest, a.count - rest);
    return complete(out, size, most);
}

size_t mutate_generate(uint8_t *out, size_t most, unsigned seed)
{
    struct chance chance = {seed};
    if (most < PROGRAM_HEADER_BYTES)
        return 0;
    size_t size = 0;
    for (; size < PROGRAM_HEADER_BYTES; size++)
        out[size] = (uint8_t)draw(&chance, 256);
    for (uint32_t calls = 1 + draw(&chance, 48); calls > 0; calls--) {
        uint8_t bytes[GENERATED_MAX];
        size_t count = make_call(bytes, &chance);
        size = replace(out, size, most, size, size, bytes, count);
    }
    return complete(out, size, most);
}

NO_COVERAGE_END
