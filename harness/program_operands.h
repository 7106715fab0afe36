/*
 * The forms of operands, and what program.c, program_decode.c, program_steer.c and program_encode.c share. Not for
 * others.
 *
 * What follows the selector stands behind each form: u8, u16, u32, u64 are little-endian numbers.
 */
#ifndef HARNESS_PROGRAM_OPERANDS_H
#define HARNESS_PROGRAM_OPERANDS_H

#include "harness/program.h"

/* The escapes are none of the bytes that engines like to insert (0, 0xff), lest every other call is none. */
enum opcode_form {
    OPCODE_NUMBER = 0xe7, /* u16: a call number, known or not; its operands follow if it has a row */
    OPCODES = 256
};

/* Threads: a selector from 0xc0 on is the exact thread `selector & 0x3f` if there is one, busy or not. */
enum thread_form {
    THREAD_EXACT = 0xc0,
    THREAD_NONE = 0xf9, /* a number beyond the last thread */
};

enum handle_form {
    HANDLE_RANKED = 0xc0,  /* ... 0xdf: the n-th freshest of the wanted type */
    HANDLE_ROW = 0xe0,     /* u16: the live handle in this row of the handle table */
    HANDLE_LITERAL = 0xe1, /* u32 */
    HANDLE_ZERO = 0xe2,
    HANDLE_BENT = 0xe3, /* u8, u8: the n-th freshest of any type, one bit flipped */
    HANDLE_ANY = 0xe4,  /* u8: the n-th freshest of any type */
    HANDLE_FORMS_END
};

enum number_form {
    NUMBER_SMALL = 0xc0, /* ... 0xdf: 0 to 31 */
    NUMBER_BIT = 0xe0,   /* u8: one bit */
    NUMBER_U8 = 0xe1,
    NUMBER_U16 = 0xe2,
    NUMBER_U32 = 0xe3,
    NUMBER_U64 = 0xe4,
    NUMBER_MINUS = 0xe5, /* u8: the negative of it, in 64 bits */
    NUMBER_OR = 0xe6,    /* u8, u8: two values of the domain together */
    NUMBER_FORMS_END
};

enum extent_form {
    EXTENT_PAGES = 0xc0,     /* ... 0xdf: 0 to 31 pages */
    EXTENT_BOUNDARY = 0xe0,  /* ... 0xef: a boundary value, of the VMO or of 64 bits */
    EXTENT_PAGES_U16 = 0xf0, /* u16 pages */
    EXTENT_U16 = 0xf1,       /* u16 bytes */
    EXTENT_NEAR = 0xf2,      /* u32 pages, and u8 - 128 bytes */
    EXTENT_MINUS = 0xf3,     /* u8: 2^64 minus so many pages */
    EXTENT_U64 = 0xf4,
    EXTENT_FORMS_END
};

/* Contents of a buffer that a call reads. From DATA_ROOM on the same, with the buffer's size as u32 in front. Calls
 * that know no pgr_call.at have an empty buffer there. */
enum data_form {
    DATA_FILL = 0xc0,    /* u8 */
    DATA_RAMP = 0xc1,    /* byte i is 0x5a + i */
    DATA_PAGES = 0xc2,   /* u16 n, n bytes: one for each page, the last one goes on */
    DATA_LITERAL = 0xc3, /* u16 n, n bytes, then zeros */
    DATA_FORMS_END,
    DATA_AT = DATA_FORMS_END, /* an extent operand: the buffer is the caller's memory at this address */
    DATA_ROOM = 0x08,         /* added to a form */
};

/* Size of a buffer that a call writes. */
enum room_form {
    ROOM_EXACT = 0xc0, /* u32 */
    ROOM_AT = 0xc1,    /* as DATA_AT */
};

/* From here on steered buffers of calls that know pgr_call.at are in mapped memory, if there is any. */
#define STEERED_AT 0xa8u

/* A list of pgr_access. */
enum accesses_form {
    ACCESSES_FEW = 0xc0, /* ... 0xcf: 0 to 15, each an extent operand, u16 bytes, u8: 1 for a store */
    ACCESSES_FORMS_END = 0xd0
};

enum handles_form {
    HANDLES_FEW = 0xc0,  /* ... 0xdf: 0 to 31 handle operands */
    HANDLES_MANY = 0xe0, /* u16 n, n handle operands */
    HANDLES_FORMS_END
};

enum property_form {
    PROPERTY_NUMBER = 0xc0, /* an extent operand: a u64 */
    PROPERTY_BYTES = 0xc1,  /* u8 n, n bytes */
    PROPERTY_FORMS_END
};

enum packet_form {
    PACKET_SPARSE = 0xc0, /* 6 bytes, a bit for each byte of the packet that is not zero, then these bytes */
    PACKET_BYTES = 0xc1,  /* u8 n, n bytes */
    PACKET_FORMS_END
};

#define HANDLES_OPERAND_MAX 1024u
#define PACKET_MASK_BYTES (sizeof(zx_port_packet_t) / 8)

/* ---- reading ---- */

uint8_t read_u8(struct program_reader *r);
uint64_t read_number(struct program_reader *r, uint32_t bytes);

/* A reader that has no bytes: every operand read from it is steered. */
struct program_reader steered_reader(uint32_t seed);

/* Moves the reader behind the operands of a call. */
void skip_operands(struct program_reader *r, const pgr_call_info *row);

/* ---- what is known while the arguments of a call are read, from left to right ---- */

struct operand_context {
    struct program *p;
    const pgr_world *world;
    const pgr_call_info *row;
    pgr_call *call;
    uint32_t page_shift;
    int moves_bytes;     /* the call has a buffer of bytes: it takes any offset */
    uint32_t vmos;       /* VMO handles read so far */
    uint32_t extents;    /* offsets and sizes read since the last VMO handle */
    uint32_t pages;      /* of the last VMO handle: object row, 0: no VMO */
    uint64_t size_pages; /* of the last VMO */
    uint64_t offset;     /* the last offset read, bytes */
    uint64_t length;     /* the last size read, bytes */
    uint32_t vmar;       /* of the last VMAR handle, or the root VMAR: object row */
    uint64_t reach;      /* bytes from the last steered address to the end of its region; 0: no region */
    int asked;           /* the call is to answer `request`, about the VMO `chosen` */
    int aimed;           /* it is to be about these pages of it */
    uint64_t aim_page, aim_count;
    pgr_request_view request;
    zx_handle_t chosen;              /* the VMO that a pager was chosen for, or 0 */
    const struct program_wait *wait; /* the async wait that the call is to cancel, or null */
};

/* A handle argument is known now: offsets and sizes that follow are about this object. */
void note_handle(struct operand_context *c, uint32_t place, zx_handle_t value);

/* What a form means that depends on the context: boundary values, values of a domain. */
uint64_t boundary_value(const struct operand_context *c, uint32_t boundary);
uint64_t largest_vmo(uint32_t page_shift);

/* Bytes of the buffer that a call of these arguments naturally has. */
uint64_t natural_buffer_bytes(const pgr_call *call, const pgr_arg *arg);

/* ---- steered operands ---- */

zx_handle_t steer_handle(struct operand_context *c, uint32_t place, uint32_t seed);
uint64_t steer_number(struct operand_context *c, uint32_t place, uint32_t seed);
uint64_t steer_extent(struct operand_context *c, uint32_t place, uint32_t seed);

/* An address inside of a mapping in the VMAR that the call is about; `reach` is known then. */
uint64_t steer_address(struct operand_context *c, uint32_t seed);

/* Aims at pages (of this object row) for which this ZX_PAGER_OP_... does something; 0 if there are none. */
int aim_at_state(struct operand_context *c, uint32_t pages, uint64_t op, uint32_t seed);

/* Whether a region is in the address space. */
int is_something_mapped(const struct program *p, const pgr_world *world);

/* Whether the call may have its buffer in mapped memory. */
int knows_at(uint32_t number);

/* A thread that may make this call, and 0; or 1 if there is none but thread 0, which would do better not to block. */
int steer_thread(const struct program *p, const pgr_world *world, const pgr_call_info *row, uint32_t seed,
                 uint32_t *thread);

/*
 * The next call of a pager that answers waiting threads, each of its operands to be read as 0 but that `size` is the
 * size of a VMO to be made. PGR_CALL_NONE if nobody waits.
 */
uint32_t steer_answer(struct program *p, const pgr_world *world, uint64_t *size);

/* A port that holds a packet; ZX_HANDLE_INVALID if none does. */
zx_handle_t steer_full_port(const struct program *p, const pgr_world *world);

/* A released thread; one that is not if there is none. */
uint32_t steer_resume(const struct program *p, const pgr_world *world, uint32_t seed);

/* The call to make instead of one that cannot do anything now (no object of its kind is there; the handle table is
 * nearly full). */
uint32_t steer_call(const struct program *p, const pgr_world *world, uint32_t number);

/* ---- decoding ---- */

/* Reads all operands of call->number into `call`, buffers into the memory of thread `slot`. */
void decode_arguments(struct program *p, const pgr_world *world, struct program_reader *r, pgr_call *call,
                      uint32_t slot);

/* ---- worlds ---- */

#define HEADER_NO_EPILOGUE 0x40u /* in byte 1 */

/* Header bytes for this page size and these options; -1 with the reason. */
int header_for_config(const pgr_config *config, uint8_t header[PROGRAM_HEADER_BYTES], char *why, size_t why_bytes);

/* Puts the smallest class of worlds into the header that has room for these counts; -1 with the reason. */
int header_for_counts(const pgr_inspect_counts *most, uint8_t header[PROGRAM_HEADER_BYTES], char *why,
                      size_t why_bytes);

#endif /* HARNESS_PROGRAM_OPERANDS_H */
