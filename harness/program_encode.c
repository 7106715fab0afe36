/* From calls to bytes: the inverse of program_decode.c, with exact operands alone. See program_operands.h for the
 * forms. */
#include "harness/program_operands.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct program_encoder {
    uint8_t *bytes;
    size_t count, room;
    uint32_t calls;
    int out_of_memory;
    pgr_inspect_counts most; /* in its configuration: the highest counts that were seen in use */
    struct program program;  /* what the decoder will know before the next call */
};

/* Where a call cannot be expressed, the reason. */
struct refusal {
    char *why;
    size_t bytes;
};

__attribute__((format(printf, 2, 3))) static int refuse(const struct refusal *refusal, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(refusal->why, refusal->bytes, format, args);
    va_end(args);
    return -1;
}

/* ---- writing bytes ---- */

static void put_u8(struct program_encoder *e, uint64_t byte)
{
    if (e->count == e->room) {
        size_t room = e->room ? 2 * e->room : 1024;
        uint8_t *bytes = realloc(e->bytes, room);
        if (!bytes) {
            e->out_of_memory = 1;
            return;
        }
        e->bytes = bytes;
        e->room = room;
    }
    e->bytes[e->count++] = (uint8_t)byte;
}

static void put_number(struct program_encoder *e, uint64_t number, uint32_t bytes)
{
    for (uint32_t i = 0; i < bytes; i++)
        put_u8(e, number >> (8 * i));
}

static void put_bytes(struct program_encoder *e, const uint8_t *bytes, uint64_t count)
{
    for (uint64_t i = 0; i < count; i++)
        put_u8(e, bytes[i]);
}

/* ---- scalars ---- */

static void put_handle(struct program_encoder *e, const struct operand_context *c, uint32_t kind, zx_handle_t value)
{
    uint32_t rank = live_handle_rank(&e->program.live, kind, value);
    uint32_t row = pgr_inspect_handle_row(c->world, value);
    if (rank < HANDLE_ROW - HANDLE_RANKED) {
        put_u8(e, HANDLE_RANKED + rank);
    } else if (value == ZX_HANDLE_INVALID) {
        put_u8(e, HANDLE_ZERO);
    } else if (row != 0 && row <= UINT16_MAX) {
        put_u8(e, HANDLE_ROW);
        put_number(e, row, 2);
    } else {
        put_u8(e, HANDLE_LITERAL);
        put_number(e, value, 4);
    }
}

static void put_handle_argument(struct program_encoder *e, struct operand_context *c, uint32_t place)
{
    zx_handle_t value = (zx_handle_t)c->call->arg[place];
    put_handle(e, c, live_handle_kind_of_type(c->row->args[place].detail), value);
    note_handle(c, place, value);
}

static void put_scalar(struct program_encoder *e, uint64_t value)
{
    if (value < NUMBER_BIT - NUMBER_SMALL) {
        put_u8(e, NUMBER_SMALL + value);
    } else if ((value & (value - 1)) == 0) {
        put_u8(e, NUMBER_BIT);
        put_u8(e, (uint64_t)__builtin_ctzll(value));
    } else if (0 - value <= UINT8_MAX) {
        put_u8(e, NUMBER_MINUS);
        put_u8(e, 0 - value);
    } else if (value <= UINT16_MAX) {
        put_u8(e, NUMBER_U16);
        put_number(e, value, 2);
    } else if (value <= UINT32_MAX) {
        put_u8(e, NUMBER_U32);
        put_number(e, value, 4);
    } else {
        put_u8(e, NUMBER_U64);
        put_number(e, value, 8);
    }
}

static int boundary_of(const struct operand_context *c, uint64_t value)
{
    for (uint32_t boundary = 0; boundary < EXTENT_PAGES_U16 - EXTENT_BOUNDARY; boundary++) {
        if (boundary_value(c, boundary) == value)
            return (int)boundary;
    }
    return -1;
}

/* `boundary`: which boundary value it is, -1 for none. */
static void put_extent_or_boundary(struct program_encoder *e, const struct operand_context *c, uint64_t value,
                                   int boundary)
{
    uint32_t shift = c->page_shift;
    uint64_t pages = value >> shift, near = (value + 128) >> shift;
    int aligned = pages << shift == value;
    if (aligned && pages < EXTENT_BOUNDARY - EXTENT_PAGES) {
        put_u8(e, EXTENT_PAGES + pages);
    } else if (boundary >= 0) {
        put_u8(e, EXTENT_BOUNDARY + (uint32_t)boundary);
    } else if (aligned && pages <= UINT16_MAX) {
        put_u8(e, EXTENT_PAGES_U16);
        put_number(e, pages, 2);
    } else if (aligned && (0 - value) >> shift <= UINT8_MAX) {
        put_u8(e, EXTENT_MINUS);
        put_u8(e, (0 - value) >> shift);
    } else if (value <= UINT16_MAX) {
        put_u8(e, EXTENT_U16);
        put_number(e, value, 2);
    } else if (value + 128 >= value && near <= UINT32_MAX && value + 128 - (near << shift) <= UINT8_MAX) {
        put_u8(e, EXTENT_NEAR);
        put_number(e, near, 4);
        put_u8(e, value + 128 - (near << shift));
    } else {
        put_u8(e, EXTENT_U64);
        put_number(e, value, 8);
    }
}

static void put_extent(struct program_encoder *e, const struct operand_context *c, uint64_t value)
{
    put_extent_or_boundary(e, c, value, boundary_of(c, value));
}

/* An address of a buffer, which is read when all arguments are known: boundaries may be others by then. */
static void put_address(struct program_encoder *e, const struct operand_context *c, uint64_t value)
{
    put_extent_or_boundary(e, c, value, -1);
}

static void put_extent_argument(struct program_encoder *e, struct operand_context *c, uint32_t place)
{
    uint64_t value = c->call->arg[place];
    put_extent(e, c, value);
    if (c->row->args[place].kind != PGR_ARG_SIZE)
        c->offset = value;
}

/* ---- buffers ---- */

static uint64_t smaller(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static int is_all(const uint8_t *bytes, uint64_t count, uint8_t value)
{
    for (uint64_t i = 0; i < count; i++) {
        if (bytes[i] != value)
            return 0;
    }
    return 1;
}

static int is_ramp(const uint8_t *bytes, uint64_t count)
{
    for (uint64_t i = 0; i < count; i++) {
        if (bytes[i] != (uint8_t)(0x5a + i))
            return 0;
    }
    return 1;
}

/* How many bytes a list of one byte a page needs for this buffer; 0 if some page is not of one byte. */
static uint64_t page_list_length(const uint8_t *bytes, uint64_t count, uint64_t page)
{
    uint64_t length = 1;
    for (uint64_t at = 0; at < count; at += page) {
        if (!is_all(bytes + at, smaller(page, count - at), bytes[at]))
            return 0;
        if (at > 0 && bytes[at] != bytes[at - page])
            length = at / page + 1;
    }
    return length;
}

static uint64_t length_without_zeros(const uint8_t *bytes, uint64_t count)
{
    while (count > 0 && bytes[count - 1] == 0)
        count--;
    return count;
}

static void put_data_form(struct program_encoder *e, uint32_t form, int exact_room, uint64_t room)
{
    put_u8(e, exact_room ? form + DATA_ROOM : form);
    if (exact_room)
        put_number(e, room, 4);
}

static int is_mapped_buffer(const struct operand_context *c)
{
    return knows_at(c->call->number) && c->call->at != 0;
}

static int put_data(struct program_encoder *e, const struct operand_context *c, uint32_t place,
                    const struct refusal *refusal)
{
    const uint8_t *bytes = c->call->buffer;
    if (is_mapped_buffer(c) || !bytes) {
        put_u8(e, DATA_AT);
        put_address(e, c, is_mapped_buffer(c) ? c->call->at : 0);
        return 0;
    }
    uint64_t count = c->call->buffer_bytes, page = (uint64_t)1 << c->page_shift;
    if (count > PROGRAM_BUFFER_MAX)
        return refuse(refusal, "writes %llu bytes at once", (unsigned long long)count);
    int exact_room = count != natural_buffer_bytes(c->call, &c->row->args[place]);
    uint64_t pages = page_list_length(bytes, count, page), literal = length_without_zeros(bytes, count);
    if (is_all(bytes, count, count ? bytes[0] : 0)) {
        put_data_form(e, DATA_FILL, exact_room, count);
        put_u8(e, count ? bytes[0] : 0);
    } else if (is_ramp(bytes, count)) {
        put_data_form(e, DATA_RAMP, exact_room, count);
    } else if (pages > 0 && pages <= UINT16_MAX) {
        put_data_form(e, DATA_PAGES, exact_room, count);
        put_number(e, pages, 2);
        for (uint64_t i = 0; i < pages; i++)
            put_u8(e, bytes[i * page]);
    } else if (literal <= UINT16_MAX) {
        put_data_form(e, DATA_LITERAL, exact_room, count);
        put_number(e, literal, 2);
        put_bytes(e, bytes, literal);
    } else {
        return refuse(refusal, "writes %llu bytes without a pattern", (unsigned long long)count);
    }
    return 0;
}

static int put_room(struct program_encoder *e, const struct operand_context *c, uint32_t place,
                    const struct refusal *refusal)
{
    uint64_t count = c->call->buffer_bytes;
    if (is_mapped_buffer(c)) {
        put_u8(e, ROOM_AT);
        put_address(e, c, c->call->at);
        return 0;
    }
    if (count > PROGRAM_BUFFER_MAX)
        return refuse(refusal, "reads %llu bytes at once", (unsigned long long)count);
    int exact = count != natural_buffer_bytes(c->call, &c->row->args[place]);
    put_u8(e, exact ? ROOM_EXACT : 0);
    if (exact)
        put_number(e, count, 4);
    return 0;
}

static int put_handles(struct program_encoder *e, const struct operand_context *c, const struct refusal *refusal)
{
    const zx_handle_t *list = c->call->buffer;
    uint64_t count = c->call->buffer_bytes / sizeof *list;
    if (count > HANDLES_OPERAND_MAX)
        return refuse(refusal, "lists %llu handles", (unsigned long long)count);
    if (count < HANDLES_MANY - HANDLES_FEW) {
        put_u8(e, HANDLES_FEW + count);
    } else {
        put_u8(e, HANDLES_MANY);
        put_number(e, count, 2);
    }
    for (uint64_t i = 0; i < count; i++)
        put_handle(e, c, PGR_OBJECT_NONE, list[i]);
    return 0;
}

static int put_accesses(struct program_encoder *e, const struct operand_context *c, const struct refusal *refusal)
{
    const pgr_access *list = c->call->buffer;
    uint64_t count = c->call->buffer_bytes / sizeof *list;
    if (count >= ACCESSES_FORMS_END - ACCESSES_FEW)
        return refuse(refusal, "prepares %llu accesses at once", (unsigned long long)count);
    put_u8(e, ACCESSES_FEW + count);
    for (uint64_t i = 0; i < count; i++) {
        if (list[i].bytes > UINT16_MAX || list[i].write > UINT8_MAX)
            return refuse(refusal, "prepares an access of %u bytes", list[i].bytes);
        put_address(e, c, list[i].address);
        put_number(e, list[i].bytes, 2);
        put_u8(e, list[i].write);
    }
    return 0;
}

static int put_counted_bytes(struct program_encoder *e, const struct operand_context *c, uint32_t form,
                             const struct refusal *refusal)
{
    uint64_t count = c->call->buffer_bytes;
    if (count > UINT8_MAX)
        return refuse(refusal, "has a structure of %llu bytes", (unsigned long long)count);
    put_u8(e, form);
    put_u8(e, count);
    put_bytes(e, c->call->buffer, count);
    return 0;
}

static int put_property(struct program_encoder *e, const struct operand_context *c, const struct refusal *refusal)
{
    uint64_t value;
    if ((uint32_t)c->call->arg[1] == ZX_PROP_NAME || c->call->buffer_bytes != sizeof value)
        return put_counted_bytes(e, c, PROPERTY_BYTES, refusal);
    memcpy(&value, c->call->buffer, sizeof value);
    put_u8(e, PROPERTY_NUMBER);
    put_extent(e, c, value);
    return 0;
}

static int put_packet(struct program_encoder *e, const struct operand_context *c, const struct refusal *refusal)
{
    const uint8_t *bytes = c->call->buffer;
    if (c->call->buffer_bytes != sizeof(zx_port_packet_t))
        return put_counted_bytes(e, c, PACKET_BYTES, refusal);
    uint64_t mask = 0;
    for (uint32_t i = 0; i < sizeof(zx_port_packet_t); i++)
        mask |= (uint64_t)(bytes[i] != 0) << i;
    put_u8(e, PACKET_SPARSE);
    put_number(e, mask, PACKET_MASK_BYTES);
    for (uint32_t i = 0; i < sizeof(zx_port_packet_t); i++) {
        if (bytes[i] != 0)
            put_u8(e, bytes[i]);
    }
    return 0;
}

/* ---- a whole call ---- */

static int put_argument(struct program_encoder *e, struct operand_context *c, uint32_t place,
                        const struct refusal *refusal)
{
    switch (c->row->args[place].kind) {
    case PGR_ARG_HANDLE:
        put_handle_argument(e, c, place);
        return 0;
    case PGR_ARG_U32:
    case PGR_ARG_U64:
    case PGR_ARG_THREAD:
        put_scalar(e, c->call->arg[place]);
        return 0;
    case PGR_ARG_OFFSET:
    case PGR_ARG_SIZE:
    case PGR_ARG_ADDRESS:
        put_extent_argument(e, c, place);
        return 0;
    case PGR_ARG_HANDLES:
        return put_handles(e, c, refusal);
    case PGR_ARG_BYTES_IN:
        return put_data(e, c, place, refusal);
    case PGR_ARG_BYTES_OUT:
    case PGR_ARG_PROPERTY_OUT:
    case PGR_ARG_RANGES_OUT:
        return put_room(e, c, place, refusal);
    case PGR_ARG_ACCESSES:
        return put_accesses(e, c, refusal);
    case PGR_ARG_PROPERTY_IN:
        return put_property(e, c, refusal);
    case PGR_ARG_PACKET_IN:
        return put_packet(e, c, refusal);
    default:
        return 0;
    }
}

static int put_opcode(struct program_encoder *e, const pgr_world *world, const pgr_call *call,
                      const struct refusal *refusal)
{
    pgr_thread_view view;
    int opcode = program_opcode(call->number);
    if (call->number > UINT16_MAX)
        return refuse(refusal, "has call number %u", call->number);
    if (call->thread >= PROGRAM_THREADS_MAX)
        return refuse(refusal, "uses thread %u; the largest fuzz world has %u", call->thread, PROGRAM_THREADS_MAX);
    if (!pgr_inspect_thread(world, call->thread, &view))
        return refuse(refusal, "names a thread that does not exist");
    put_u8(e, opcode >= 0 ? (uint32_t)opcode : (uint32_t)OPCODE_NUMBER);
    if (opcode < 0)
        put_number(e, call->number, 2);
    put_u8(e, THREAD_EXACT + call->thread);
    return 0;
}

static void raise_to(uint32_t *most, uint32_t now)
{
    if (now > *most)
        *most = now;
}

static void note_counts(struct program_encoder *e, const pgr_world *world)
{
    pgr_inspect_counts now;
    pgr_inspect_world(world, &now);
    raise_to(&e->most.config.frame_count, (uint32_t)(pgr_frames_used_bytes(world) >> now.config.page_shift) + 1);
    raise_to(&e->most.config.object_count, now.objects_used + 1);
    raise_to(&e->most.config.handle_count, now.handles_used + 1);
    raise_to(&e->most.config.packet_count, now.packets_used + 1);
    /* A world has a node for four runs. */
    raise_to(&e->most.config.run_count, now.nodes_used + 4 * now.nodes_kept);
}

int program_encode_call(struct program_encoder *e, const pgr_world *world, const pgr_call *call, char *why,
                        size_t why_bytes)
{
    const struct refusal refusal = {.why = why, .bytes = why_bytes};
    pgr_call copy = *call;
    struct operand_context c = {.p = &e->program,
                                .world = world,
                                .row = pgr_call_row(call->number),
                                .call = &copy,
                                .page_shift = e->program.header.config.page_shift};
    if (e->calls++ >= PROGRAM_CALLS_MAX)
        return refuse(&refusal, "makes more than %u calls", PROGRAM_CALLS_MAX);
    live_handles_refresh(&e->program.live, world);
    note_counts(e, world);
    raise_to(&e->most.config.thread_count, call->thread + 1);
    if (put_opcode(e, world, call, &refusal))
        return -1;
    for (uint32_t place = 0; c.row && place < c.row->arg_count; place++) {
        if (put_argument(e, &c, place, &refusal))
            return -1;
    }
    if (e->count > PROGRAM_BYTES_MAX)
        return refuse(&refusal, "needs more than %u bytes", PROGRAM_BYTES_MAX);
    return e->out_of_memory ? refuse(&refusal, "no memory") : 0;
}

struct program_encoder *program_encoder_new(const pgr_config *config, char *why, size_t why_bytes)
{
    uint8_t header[PROGRAM_HEADER_BYTES];
    if (header_for_config(config, header, why, why_bytes))
        return NULL;
    struct program_encoder *e = calloc(1, sizeof *e);
    if (!e) {
        refuse(&(struct refusal){.why = why, .bytes = why_bytes}, "no memory");
        return NULL;
    }
    put_bytes(e, header, sizeof header);
    e->program.header.config = *config;
    return e;
}

void program_encoder_free(struct program_encoder *e)
{
    if (e)
        free(e->bytes);
    free(e);
}

static int packet_waits(const pgr_world *world, uint32_t packets)
{
    pgr_packet_view packet;
    for (uint32_t row = 1; row < packets; row++) {
        if (pgr_inspect_packet(world, row, &packet) && packet.queued)
            return 1;
    }
    return 0;
}

/* An epilogue would go on where the program has ended, if a thread waits for its pager or a packet in a port. */
static int something_waits(const pgr_world *world)
{
    pgr_inspect_counts now;
    pgr_inspect_world(world, &now);
    return now.requests_used != 0 || packet_waits(world, now.config.packet_count);
}

int program_encoder_finish(struct program_encoder *e, const pgr_world *world, const uint8_t **data, size_t *bytes,
                           char *why, size_t why_bytes)
{
    if (world)
        note_counts(e, world);
    if (!world || something_waits(world))
        e->bytes[1] |= HEADER_NO_EPILOGUE;
    if (header_for_counts(&e->most, e->bytes, why, why_bytes))
        return -1;
    *data = e->bytes;
    *bytes = e->count;
    return 0;
}
