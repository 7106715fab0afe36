/* From operands to arguments, and the buffers of calls. See program_operands.h for the forms. */
#include "harness/program_operands.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "harness/no_coverage.h"

NO_COVERAGE_BEGIN

/* ---- buffers ---- */

#define SLOTS (PROGRAM_THREADS_MAX + 1u) /* the last one is for calls of threads that are busy or do not exist */
#define GUARD_BYTES 65536u               /* inaccessible, behind each slot */
#define SLOT_BYTES (PROGRAM_BUFFER_MAX + GUARD_BYTES)

struct program_buffers {
    uint8_t *memory;
};

struct program_buffers *program_buffers_new(void)
{
    struct program_buffers *buffers = malloc(sizeof *buffers);
    if (!buffers)
        return NULL;
    buffers->memory = mmap(NULL, (size_t)SLOTS * SLOT_BYTES, PROT_READ | PROT_WRITE,
                           MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (buffers->memory == MAP_FAILED) {
        free(buffers);
        return NULL;
    }
    for (uint32_t slot = 0; slot < SLOTS; slot++) {
        mprotect(buffers->memory + (size_t)slot * SLOT_BYTES + PROGRAM_BUFFER_MAX, GUARD_BYTES, PROT_NONE);
    }
    return buffers;
}

void program_buffers_free(struct program_buffers *buffers)
{
    if (!buffers)
        return;
    munmap(buffers->memory, (size_t)SLOTS * SLOT_BYTES);
    free(buffers);
}

/* Memory for a buffer of this thread, ending where the readable memory ends. `bytes` at most PROGRAM_BUFFER_MAX. */
static uint8_t *buffer_of(struct program_buffers *buffers, uint32_t slot, uint64_t bytes, uint32_t alignment)
{
    uint64_t start = (PROGRAM_BUFFER_MAX - bytes) & ~(uint64_t)(alignment - 1);
    return buffers->memory + (size_t)slot * SLOT_BYTES + start;
}

/* ---- reading bytes ---- */

struct program_reader steered_reader(uint32_t seed)
{
    return (struct program_reader){.seed = seed};
}

uint8_t read_u8(struct program_reader *r)
{
    if (r->data)
        return r->at++ < r->bytes ? r->data[r->at - 1] : 0;
    r->seed = r->seed * 1664525u + 1013904223u;
    return (uint8_t)((r->seed >> 16) % PROGRAM_STEERED_END);
}

uint64_t read_number(struct program_reader *r, uint32_t bytes)
{
    uint64_t number = 0;
    for (uint32_t i = 0; i < bytes; i++)
        number |= (uint64_t)read_u8(r) << (8 * i);
    return number;
}

/* ---- the length of operands ---- */

static uint32_t handle_payload(uint8_t form)
{
    switch (form) {
    case HANDLE_ROW:
        return 2;
    case HANDLE_LITERAL:
        return 4;
    case HANDLE_BENT:
        return 2;
    case HANDLE_ANY:
        return 1;
    default:
        return 0;
    }
}

static uint32_t number_payload(uint8_t form)
{
    switch (form) {
    case NUMBER_BIT:
        return 1;
    case NUMBER_U8:
        return 1;
    case NUMBER_U16:
        return 2;
    case NUMBER_U32:
        return 4;
    case NUMBER_U64:
        return 8;
    case NUMBER_MINUS:
        return 1;
    case NUMBER_OR:
        return 2;
    default:
        return 0;
    }
}

static uint32_t extent_payload(uint8_t form)
{
    switch (form) {
    case EXTENT_PAGES_U16:
        return 2;
    case EXTENT_U16:
        return 2;
    case EXTENT_NEAR:
        return 5;
    case EXTENT_MINUS:
        return 1;
    case EXTENT_U64:
        return 8;
    default:
        return 0;
    }
}

static void skip_bytes(struct program_reader *r, uint64_t bytes)
{
    r->at += bytes;
}

static void skip_extent(struct program_reader *r)
{
    skip_bytes(r, extent_payload(read_u8(r)));
}

static void skip_handle(struct program_reader *r)
{
    skip_bytes(r, handle_payload(read_u8(r)));
}

static uint32_t handles_in_operand(struct program_reader *r, uint8_t form)
{
    if (form >= HANDLES_FEW && form < HANDLES_MANY)
        return form - HANDLES_FEW;
    if (form != HANDLES_MANY)
        return 0;
    uint32_t count = (uint32_t)read_number(r, 2);
    return count < HANDLES_OPERAND_MAX ? count : HANDLES_OPERAND_MAX;
}

static void skip_handles(struct program_reader *r)
{
    uint8_t form = read_u8(r);
    for (uint32_t count = handles_in_operand(r, form); count > 0 && r->at < r->bytes; count--)
        skip_handle(r);
}

static int is_data_form(uint8_t form)
{
    return form >= DATA_FILL && form < DATA_FORMS_END;
}

static void skip_data(struct program_reader *r)
{
    uint8_t form = read_u8(r);
    if (is_data_form((uint8_t)(form - DATA_ROOM))) {
        skip_bytes(r, 4);
        form = (uint8_t)(form - DATA_ROOM);
    }
    if (form == DATA_FILL)
        skip_bytes(r, 1);
    if (form == DATA_PAGES || form == DATA_LITERAL)
        skip_bytes(r, read_number(r, 2));
    if (form == DATA_AT)
        skip_extent(r);
}

static void skip_room(struct program_reader *r)
{
    uint8_t form = read_u8(r);
    if (form == ROOM_EXACT)
        skip_bytes(r, 4);
    if (form == ROOM_AT)
        skip_extent(r);
}

static uint32_t accesses_in_operand(uint8_t form)
{
    return form >= ACCESSES_FEW && form < ACCESSES_FORMS_END ? form - ACCESSES_FEW : 0;
}

static void skip_accesses(struct program_reader *r)
{
    for (uint32_t count = accesses_in_operand(read_u8(r)); count > 0; count--) {
        skip_extent(r);
        skip_bytes(r, 3);
    }
}

static void skip_property(struct program_reader *r)
{
    uint8_t form = read_u8(r);
    if (form == PROPERTY_NUMBER)
        skip_extent(r);
    if (form == PROPERTY_BYTES)
        skip_bytes(r, read_u8(r));
}

static void skip_packet(struct program_reader *r)
{
    uint8_t form = read_u8(r);
    if (form == PACKET_SPARSE)
        skip_bytes(r, (uint64_t)__builtin_popcountll(read_number(r, PACKET_MASK_BYTES)));
    if (form == PACKET_BYTES)
        skip_bytes(r, read_u8(r));
}

static void skip_operand(struct program_reader *r, uint8_t kind)
{
    switch (kind) {
    case PGR_ARG_HANDLE:
        skip_handle(r);
        break;
    case PGR_ARG_HANDLES:
        skip_handles(r);
        break;
    case PGR_ARG_U32:
    case PGR_ARG_U64:
    case PGR_ARG_THREAD:
        skip_bytes(r, number_payload(read_u8(r)));
        break;
    case PGR_ARG_OFFSET:
    case PGR_ARG_SIZE:
    case PGR_ARG_ADDRESS:
        skip_extent(r);
        break;
    case PGR_ARG_BYTES_IN:
        skip_data(r);
        break;
    case PGR_ARG_BYTES_OUT:
    case PGR_ARG_PROPERTY_OUT:
    case PGR_ARG_RANGES_OUT:
        skip_room(r);
        break;
    case PGR_ARG_ACCESSES:
        skip_accesses(r);
        break;
    case PGR_ARG_PROPERTY_IN:
        skip_property(r);
        break;
    case PGR_ARG_PACKET_IN:
        skip_packet(r);
        break;
    default:
        break;
    }
}

void skip_operands(struct program_reader *r, const pgr_call_info *row)
{
    for (uint32_t place = 0; place < row->arg_count; place++)
        skip_operand(r, row->args[place].kind);
}

/* ---- scalars ---- */

static void note_vmar(struct operand_context *c, zx_handle_t value)
{
    pgr_handle_view view;
    if (pgr_inspect_handle(c->world, pgr_inspect_handle_row(c->world, value), &view) && view.kind == PGR_OBJECT_VMAR)
        c->vmar = view.object;
}

void note_handle(struct operand_context *c, uint32_t place, zx_handle_t value)
{
    uint32_t vmo;
    c->extents = 0;
    c->pages = 0;
    if (c->row->args[place].detail == ZX_OBJ_TYPE_VMAR)
        note_vmar(c, value);
    if (!pgr_inspect_vmo(c->world, value, &vmo, &c->pages))
        return;
    c->vmos++;
    pgr_object_view view;
    c->size_pages = pgr_inspect_object(c->world, vmo, &view) ? view.vmo.size_pages : 0;
}

static zx_handle_t value_of(const struct live_handle *handle)
{
    return handle ? handle->value : ZX_HANDLE_INVALID;
}

static zx_handle_t handle_in_row(const struct operand_context *c, uint32_t row)
{
    pgr_handle_view view;
    return pgr_inspect_handle(c->world, row, &view) ? view.value : ZX_HANDLE_INVALID;
}

static zx_handle_t read_handle(struct operand_context *c, struct program_reader *r, uint32_t place)
{
    const struct live_handles *live = &c->p->live;
    uint8_t form = read_u8(r);
    uint32_t kind = live_handle_kind_of_type(c->row->args[place].detail);
    if (c->row->args[place].kind != PGR_ARG_HANDLE)
        kind = PGR_OBJECT_NONE;
    if (form >= HANDLE_RANKED && form < HANDLE_ROW)
        return value_of(live_handle_of_kind(live, kind, form - HANDLE_RANKED));
    switch (form) {
    case HANDLE_ROW:
        return handle_in_row(c, (uint32_t)read_number(r, 2));
    case HANDLE_LITERAL:
        return (zx_handle_t)read_number(r, 4);
    case HANDLE_ZERO:
        return ZX_HANDLE_INVALID;
    case HANDLE_BENT: {
        zx_handle_t value = value_of(live_handle_of_kind(live, PGR_OBJECT_NONE, read_u8(r)));
        return value ^ 1u << (read_u8(r) & 31u);
    }
    case HANDLE_ANY:
        return value_of(live_handle_of_kind(live, PGR_OBJECT_NONE, read_u8(r)));
    default:
        return steer_handle(c, place, form % PROGRAM_STEERED_END);
    }
}

static uint64_t read_scalar(struct operand_context *c, struct program_reader *r, uint32_t place)
{
    uint8_t form = read_u8(r);
    if (form >= NUMBER_SMALL && form < NUMBER_BIT)
        return form - NUMBER_SMALL;
    switch (form) {
    case NUMBER_BIT:
        return (uint64_t)1 << (read_u8(r) & 63u);
    case NUMBER_U8:
        return read_u8(r);
    case NUMBER_U16:
        return read_number(r, 2);
    case NUMBER_U32:
        return read_number(r, 4);
    case NUMBER_U64:
        return read_number(r, 8);
    case NUMBER_MINUS:
        return 0u - (uint64_t)read_u8(r);
    case NUMBER_OR: {
        uint64_t value = steer_number(c, place, read_u8(r) % PROGRAM_STEERED_END);
        return value | steer_number(c, place, read_u8(r) % PROGRAM_STEERED_END);
    }
    default:
        return steer_number(c, place, form % PROGRAM_STEERED_END);
    }
}

uint64_t largest_vmo(uint32_t page_shift)
{
    return UINT64_MAX << (page_shift + 5);
}

uint64_t boundary_value(const struct operand_context *c, uint32_t boundary)
{
    uint64_t page = (uint64_t)1 << c->page_shift, size = c->pages ? c->size_pages << c->page_shift : 0;
    switch (boundary & 15u) {
    case 0:
        return size;
    case 1:
        return size - page;
    case 2:
        return size + page;
    case 3:
        return size - 1;
    case 4:
        return size + 1;
    case 5:
        return 0 - page;
    case 6:
        return UINT64_MAX;
    case 7:
        return 1;
    case 8:
        return page - 1;
    case 9:
        return page + 1;
    case 10:
        return page / 2;
    case 11:
        return (uint64_t)1 << 63;
    case 12:
        return largest_vmo(c->page_shift);
    case 13:
        return largest_vmo(c->page_shift) + 1;
    case 14:
        return 0 - c->offset;
    default:
        return (uint64_t)1 << (c->page_shift + 40);
    }
}

static uint64_t read_extent(struct operand_context *c, struct program_reader *r, uint32_t place)
{
    uint8_t form = read_u8(r);
    if (form >= EXTENT_PAGES && form < EXTENT_BOUNDARY)
        return (uint64_t)(form - EXTENT_PAGES) << c->page_shift;
    if (form >= EXTENT_BOUNDARY && form < EXTENT_PAGES_U16)
        return boundary_value(c, form);
    switch (form) {
    case EXTENT_PAGES_U16:
        return read_number(r, 2) << c->page_shift;
    case EXTENT_U16:
        return read_number(r, 2);
    case EXTENT_NEAR: {
        uint64_t pages = read_number(r, 4);
        return (pages << c->page_shift) + read_u8(r) - 128;
    }
    case EXTENT_MINUS:
        return 0 - ((uint64_t)read_u8(r) << c->page_shift);
    case EXTENT_U64:
        return read_number(r, 8);
    default:
        return steer_extent(c, place, form % PROGRAM_STEERED_END);
    }
}

static uint64_t note_extent(struct operand_context *c, uint8_t kind, uint64_t value)
{
    if (kind == PGR_ARG_SIZE) {
        c->length = value;
    } else {
        c->offset = value;
    }
    c->extents++;
    return value;
}

/* ---- buffers ---- */

static uint64_t at_most(uint64_t value, uint64_t limit)
{
    return value < limit ? value : limit;
}

uint64_t natural_buffer_bytes(const pgr_call *call, const pgr_arg *arg)
{
    switch (arg->kind) {
    case PGR_ARG_BYTES_IN:
    case PGR_ARG_BYTES_OUT:
        return at_most(call->arg[arg->detail % PGR_ARGS_MAX], PROGRAM_BUFFER_MAX);
    case PGR_ARG_PROPERTY_OUT:
        return (uint32_t)call->arg[1] == ZX_PROP_NAME ? ZX_MAX_NAME_LEN : sizeof(uint64_t);
    case PGR_ARG_RANGES_OUT:
        return at_most(call->arg[arg->detail % PGR_ARGS_MAX], 256) * sizeof(zx_vmo_dirty_range_t);
    default:
        return 0;
    }
}

static void give_buffer(struct operand_context *c, uint32_t slot, uint64_t bytes, uint32_t alignment)
{
    c->call->buffer_bytes = at_most(bytes, PROGRAM_BUFFER_MAX);
    c->call->buffer = buffer_of(c->p->buffers, slot, c->call->buffer_bytes, alignment);
}

/* The buffer is in mapped memory, for calls that know such buffers; others have an empty one. */
static void put_buffer_at(struct operand_context *c, uint32_t slot, uint64_t address)
{
    give_buffer(c, slot, 0, 8);
    if (!knows_at(c->call->number))
        return;
    c->call->buffer = NULL;
    c->call->at = address;
}

/* Whether a steered buffer is in mapped memory; it is there then. */
static int steer_buffer_at(struct operand_context *c, uint32_t slot, uint8_t form)
{
    if (form < STEERED_AT || form >= PROGRAM_STEERED_END || !knows_at(c->call->number))
        return 0;
    if (!is_something_mapped(c->p, c->world))
        return 0;
    put_buffer_at(c, slot, steer_address(c, form * 29u % 0xb8u));
    return 1;
}

static void read_room(struct operand_context *c, struct program_reader *r, uint32_t place, uint32_t slot)
{
    const pgr_arg *arg = &c->row->args[place];
    uint8_t form = read_u8(r);
    if (form == ROOM_AT) {
        put_buffer_at(c, slot, read_extent(c, r, place));
    } else if (!steer_buffer_at(c, slot, form)) {
        uint64_t bytes = form == ROOM_EXACT ? read_number(r, 4) : natural_buffer_bytes(c->call, arg);
        give_buffer(c, slot, bytes, arg->kind == PGR_ARG_BYTES_OUT ? 1 : 8);
    }
}

/* Byte p of the list on page p, the last one on all that follow; `step` bytes a page. */
static void fill_from_list(pgr_call *call, const uint8_t *list, uint64_t count, uint64_t step)
{
    uint8_t *to = call->buffer;
    uint64_t done = 0;
    for (uint64_t i = 0; i + 1 < count && done < call->buffer_bytes; i++) {
        uint64_t bytes = at_most(step, call->buffer_bytes - done);
        memset(to + done, list[i], bytes);
        done += bytes;
    }
    memset(to + done, count > 0 ? list[count - 1] : 0, call->buffer_bytes - done);
}

static void fill_ramp(pgr_call *call)
{
    uint8_t *to = call->buffer;
    for (uint64_t i = 0; i < call->buffer_bytes; i++)
        to[i] = (uint8_t)(0x5a + i);
}

/* The n bytes that are left of a list whose count is read; the reader moves behind it. */
static const uint8_t *read_list(struct program_reader *r, uint64_t *count)
{
    uint64_t wanted = *count, left = r->at < r->bytes ? r->bytes - r->at : 0;
    const uint8_t *list = r->data + at_most(r->at, r->bytes);
    *count = at_most(wanted, left);
    skip_bytes(r, wanted);
    return list;
}

static void fill_literal(pgr_call *call, const uint8_t *bytes, uint64_t count)
{
    uint8_t *to = call->buffer;
    count = at_most(count, call->buffer_bytes);
    if (count > 0)
        memcpy(to, bytes, count);
    memset(to + count, 0, call->buffer_bytes - count);
}

/* A byte for each page, so that pages can be told apart: 16 different ones. */
static void fill_steered(struct operand_context *c, uint8_t seed)
{
    uint8_t list[16];
    for (uint32_t i = 0; i < sizeof list; i++)
        list[i] = (uint8_t)(seed * 5u + 1u + i * 17u);
    fill_from_list(c->call, list, sizeof list, (uint64_t)1 << c->page_shift);
}

/* What is in the buffer of a call that reads it. */
static void fill_buffer(struct operand_context *c, struct program_reader *r, uint8_t form)
{
    uint64_t count;
    switch (form) {
    case DATA_FILL:
        memset(c->call->buffer, read_u8(r), c->call->buffer_bytes);
        break;
    case DATA_RAMP:
        fill_ramp(c->call);
        break;
    case DATA_PAGES:
        count = read_number(r, 2);
        const uint8_t *pages = read_list(r, &count);
        fill_from_list(c->call, pages, count, (uint64_t)1 << c->page_shift);
        break;
    case DATA_LITERAL:
        count = read_number(r, 2);
        const uint8_t *bytes = read_list(r, &count);
        fill_literal(c->call, bytes, count);
        break;
    default:
        fill_steered(c, form);
        break;
    }
}

static void read_data(struct operand_context *c, struct program_reader *r, uint32_t place, uint32_t slot)
{
    uint8_t form = read_u8(r);
    uint64_t bytes = natural_buffer_bytes(c->call, &c->row->args[place]);
    if (is_data_form((uint8_t)(form - DATA_ROOM))) {
        bytes = read_number(r, 4);
        form = (uint8_t)(form - DATA_ROOM);
    }
    if (form == DATA_AT) {
        put_buffer_at(c, slot, read_extent(c, r, place));
    } else if (!steer_buffer_at(c, slot, form)) {
        give_buffer(c, slot, bytes, 1);
        fill_buffer(c, r, form);
    }
}

static void read_accesses(struct operand_context *c, struct program_reader *r, uint32_t place, uint32_t slot)
{
    uint8_t form = read_u8(r);
    uint32_t count = form < PROGRAM_STEERED_END ? 1 + (form & 3u) : accesses_in_operand(form);
    give_buffer(c, slot, (uint64_t)count * sizeof(pgr_access), _Alignof(pgr_access));
    pgr_access *list = c->call->buffer;
    for (uint32_t i = 0; i < count; i++) {
        if (form < PROGRAM_STEERED_END) {
            list[i] = (pgr_access){steer_address(c, (form + i * 61u) % PROGRAM_STEERED_END), 1 + (form & 7u), i & 1u};
            continue;
        }
        list[i].address = read_extent(c, r, place);
        list[i].bytes = (uint32_t)read_number(r, 2);
        list[i].write = read_u8(r);
    }
}

static void read_handles(struct operand_context *c, struct program_reader *r, uint32_t place, uint32_t slot)
{
    uint8_t form = read_u8(r);
    uint32_t count = form < PROGRAM_STEERED_END ? form & 3u : handles_in_operand(r, form);
    give_buffer(c, slot, (uint64_t)count * sizeof(zx_handle_t), sizeof(zx_handle_t));
    zx_handle_t *list = c->call->buffer;
    for (uint32_t i = 0; i < count; i++) {
        list[i] = form < PROGRAM_STEERED_END ? steer_handle(c, place, (form * 5u + i * 61u) % PROGRAM_STEERED_END)
                                             : read_handle(c, r, place);
    }
}

static void read_property(struct operand_context *c, struct program_reader *r, uint32_t place, uint32_t slot)
{
    uint8_t form = read_u8(r);
    if (form == PROPERTY_BYTES) {
        uint64_t count = read_u8(r), given = count;
        const uint8_t *list = read_list(r, &given);
        give_buffer(c, slot, count, 8);
        fill_literal(c->call, list, given);
    } else if (form != PROPERTY_NUMBER && (uint32_t)c->call->arg[1] == ZX_PROP_NAME) {
        give_buffer(c, slot, form % (ZX_MAX_NAME_LEN + 2), 8);
        memset(c->call->buffer, 'a' + form % 26, c->call->buffer_bytes);
    } else {
        uint64_t value =
            form == PROPERTY_NUMBER ? read_extent(c, r, place) : steer_extent(c, place, form % PROGRAM_STEERED_END);
        uint64_t room = form < PROGRAM_STEERED_END && (form & 15u) == 15 ? sizeof value / 2 : sizeof value;
        give_buffer(c, slot, room, 8);
        memcpy(c->call->buffer, &value, room);
    }
}

static void read_sparse(pgr_call *call, struct program_reader *r)
{
    uint8_t *to = call->buffer;
    uint64_t mask = read_number(r, PACKET_MASK_BYTES);
    for (uint32_t i = 0; i < sizeof(zx_port_packet_t); i++)
        to[i] = mask >> i & 1 ? read_u8(r) : 0;
}

static void read_packet(struct operand_context *c, struct program_reader *r, uint32_t slot)
{
    uint8_t form = read_u8(r);
    if (form == PACKET_BYTES) {
        uint64_t count = read_u8(r), given = count;
        const uint8_t *list = read_list(r, &given);
        give_buffer(c, slot, count, 8);
        fill_literal(c->call, list, given);
        return;
    }
    give_buffer(c, slot, sizeof(zx_port_packet_t), 8);
    if (form == PACKET_SPARSE) {
        read_sparse(c->call, r);
        return;
    }
    zx_port_packet_t packet = {.key = form & 7u,
                               .type = form & 0x20u ? form >> 2 & 15u : ZX_PKT_TYPE_USER,
                               .status = form & 8u ? ZX_OK : ZX_ERR_IO,
                               .user = {.u64 = {form}}};
    memcpy(c->call->buffer, &packet, sizeof packet);
}

/* ---- a whole call ---- */

static void read_argument(struct operand_context *c, struct program_reader *r, uint32_t place)
{
    uint8_t kind = c->row->args[place].kind;
    uint64_t *arg = &c->call->arg[place];
    switch (kind) {
    case PGR_ARG_HANDLE:
        *arg = read_handle(c, r, place);
        note_handle(c, place, (zx_handle_t)*arg);
        break;
    case PGR_ARG_U32:
    case PGR_ARG_U64:
    case PGR_ARG_THREAD:
        *arg = read_scalar(c, r, place);
        break;
    case PGR_ARG_OFFSET:
    case PGR_ARG_SIZE:
    case PGR_ARG_ADDRESS:
        *arg = note_extent(c, kind, read_extent(c, r, place));
        break;
    default:
        skip_operand(r, kind);
        break;
    }
}

static int is_buffer(uint8_t kind)
{
    switch (kind) {
    case PGR_ARG_HANDLES:
    case PGR_ARG_BYTES_IN:
    case PGR_ARG_BYTES_OUT:
    case PGR_ARG_PROPERTY_IN:
    case PGR_ARG_PROPERTY_OUT:
    case PGR_ARG_PACKET_IN:
    case PGR_ARG_RANGES_OUT:
    case PGR_ARG_ACCESSES:
        return 1;
    default:
        return 0;
    }
}

static void read_buffer(struct operand_context *c, struct program_reader *r, uint32_t place, uint32_t slot)
{
    switch (c->row->args[place].kind) {
    case PGR_ARG_HANDLES:
        read_handles(c, r, place, slot);
        break;
    case PGR_ARG_BYTES_IN:
        read_data(c, r, place, slot);
        break;
    case PGR_ARG_ACCESSES:
        read_accesses(c, r, place, slot);
        break;
    case PGR_ARG_PROPERTY_IN:
        read_property(c, r, place, slot);
        break;
    case PGR_ARG_PACKET_IN:
        read_packet(c, r, slot);
        break;
    default:
        read_room(c, r, place, slot);
        break;
    }
}

/* What is not set here counts only when something else says so: clearing it all for each call takes time. */
static void begin_operands(struct operand_context *c, struct program *p, const pgr_world *world, pgr_call *call)
{
    c->p = p;
    c->world = world;
    c->row = pgr_call_row(call->number);
    c->call = call;
    c->page_shift = p->header.config.page_shift;
    c->moves_bytes = 0;
    c->vmos = 0;
    c->extents = 0;
    c->pages = 0;
    c->size_pages = 0;
    c->offset = 0;
    c->length = 0;
    c->vmar = p->root_vmar;
    c->reach = 0;
    c->asked = 0;
    c->aimed = 0;
    c->chosen = ZX_HANDLE_INVALID;
    c->wait = NULL;
}

/* The buffer is read last: how long it is stands in an argument that may come behind it. */
void decode_arguments(struct program *p, const pgr_world *world, struct program_reader *r, pgr_call *call,
                      uint32_t slot)
{
    struct operand_context c;
    struct program_reader buffer_reader = *r;
    uint32_t buffer_place = PGR_ARGS_MAX;
    begin_operands(&c, p, world, call);
    for (uint32_t place = 0; place < c.row->arg_count; place++) {
        if (is_buffer(c.row->args[place].kind)) {
            buffer_reader = *r;
            buffer_place = place;
            c.moves_bytes = 1;
        }
        read_argument(&c, r, place);
    }
    if (buffer_place < PGR_ARGS_MAX)
        read_buffer(&c, &buffer_reader, buffer_place, slot);
}

NO_COVERAGE_END
