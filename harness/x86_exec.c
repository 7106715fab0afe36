/*
 * Executes decoded instructions: the accesses are collected, made possible together, and only then done; what the
 * registers become is written into a copy, which is handed out at the very end.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "harness/x86_internal.h"

/* ---- values ---- */

/* The low so many bytes (1, 2, 4, 8) of a value. */
static uint64_t low_bytes(uint64_t value, uint32_t bytes)
{
    return bytes >= 8 ? value : value & ((UINT64_C(1) << (bytes * 8)) - 1);
}

static uint64_t sign_extended(uint64_t value, uint32_t bytes)
{
    unsigned shift = bytes >= 8 ? 0 : 64 - bytes * 8;

    return (uint64_t)((int64_t)(value << shift) >> shift);
}

static int is_high_byte(ZydisRegister which)
{
    return which >= ZYDIS_REGISTER_AH && which <= ZYDIS_REGISTER_BH;
}

static unsigned number_of(ZydisRegister which)
{
    return (unsigned)(ZydisRegisterGetLargestEnclosing(ZYDIS_MACHINE_MODE_LONG_64, which) - ZYDIS_REGISTER_RAX);
}

static uint32_t width_of(ZydisRegister which)
{
    return ZydisRegisterGetWidth(ZYDIS_MACHINE_MODE_LONG_64, which) / 8u;
}

uint64_t x86_get(const struct x86_registers *registers, ZydisRegister which)
{
    uint64_t value = registers->general[number_of(which)];

    return low_bytes(is_high_byte(which) ? value >> 8 : value, width_of(which));
}

void x86_set(struct x86_registers *registers, ZydisRegister which, uint64_t value)
{
    uint64_t *general = &registers->general[number_of(which)];
    uint32_t bytes = width_of(which);

    if (is_high_byte(which))
        *general = (*general & ~UINT64_C(0xff00)) | (low_bytes(value, 1) << 8);
    else if (bytes >= 4)
        *general = low_bytes(value, bytes);
    else
        *general = (*general - low_bytes(*general, bytes)) | low_bytes(value, bytes);
}

/* ---- addresses and accesses ---- */

static uint64_t address_register(const struct x86_step *step, ZydisRegister which)
{
    uint64_t behind = step->before->rip + step->instruction->length;

    switch (which) {
    case ZYDIS_REGISTER_NONE:
        return 0;
    case ZYDIS_REGISTER_RIP:
    case ZYDIS_REGISTER_EIP:
        return behind;
    default:
        return x86_get(step->before, which);
    }
}

static uint64_t segment_base(const struct x86_step *step, ZydisRegister segment)
{
    switch (segment) {
    case ZYDIS_REGISTER_FS:
        return step->before->fs_base;
    case ZYDIS_REGISTER_GS:
        return step->before->gs_base;
    default:
        return 0;
    }
}

static uint64_t effective_address(const struct x86_step *step, const ZydisDecodedOperand *operand)
{
    uint64_t address = address_register(step, operand->mem.base);

    if (operand->mem.index != ZYDIS_REGISTER_NONE)
        address += address_register(step, operand->mem.index) * operand->mem.scale;
    address += (uint64_t)operand->mem.disp.value;
    return low_bytes(address, step->decoded->address_width / 8u);
}

uint64_t x86_operand_address(const struct x86_step *step, const ZydisDecodedOperand *operand)
{
    return effective_address(step, operand) + segment_base(step, operand->mem.segment);
}

static int is_canonical(uint64_t address)
{
    return sign_extended(address, 6) == address;
}

int x86_need(struct x86_step *step, uint64_t address, uint32_t bytes, int write)
{
    uint64_t last = address + bytes - 1;

    if (last < address || !is_canonical(address) || !is_canonical(last)) {
        snprintf(step->why, X86_WHY_MAX, "%u bytes at 0x%" PRIx64 ": the address is not canonical", bytes, address);
        return X86_REFUSED;
    }
    step->accesses[step->access_count++] = (pgr_access){address, bytes, write != 0};
    return X86_DONE;
}

int x86_prepare(struct x86_step *step)
{
    if (step->access_count == 0)
        return 0;
    return step->memory->prepare(step->memory->context, step->accesses, step->access_count);
}

uint64_t x86_load(const struct x86_step *step, uint64_t address, uint32_t bytes)
{
    uint64_t value = 0;

    step->memory->load(step->memory->context, address, &value, bytes);
    return value;
}

void x86_store(const struct x86_step *step, uint64_t address, uint64_t value, uint32_t bytes)
{
    step->memory->store(step->memory->context, address, &value, bytes);
}

static int check_alignment(const struct x86_step *step, uint64_t address)
{
    if (step->instruction->alignment == 0 || address % step->instruction->alignment == 0)
        return X86_DONE;
    snprintf(step->why, X86_WHY_MAX, "0x%" PRIx64 " is not aligned to %u bytes", address, step->instruction->alignment);
    return X86_REFUSED;
}

/* What is loaded and stored again is asked for as a store first: so does the processor. */
static int need_operand(struct x86_step *step, unsigned n)
{
    const ZydisDecodedOperand *operand = &step->operands[n];
    int result;

    if (operand->type != ZYDIS_OPERAND_TYPE_MEMORY || operand->mem.type != ZYDIS_MEMOP_TYPE_MEM)
        return X86_DONE;
    step->address[n] = x86_operand_address(step, operand);
    result = check_alignment(step, step->address[n]);
    if (result == X86_DONE && (operand->actions & ZYDIS_OPERAND_ACTION_MASK_WRITE))
        result = x86_need(step, step->address[n], operand->size / 8u, 1);
    if (result == X86_DONE && (operand->actions & ZYDIS_OPERAND_ACTION_MASK_READ))
        result = x86_need(step, step->address[n], operand->size / 8u, 0);
    return result;
}

static int need_operands(struct x86_step *step)
{
    int result = X86_DONE;

    for (unsigned n = 0; n < step->decoded->operand_count_visible && result == X86_DONE; n++)
        result = need_operand(step, n);
    return result;
}

static int prepare_operands(struct x86_step *step)
{
    int result = need_operands(step);

    return result == X86_DONE ? x86_prepare(step) : result;
}

/* ---- operands as values ---- */

static uint32_t operand_bytes(const struct x86_step *step, unsigned n)
{
    return step->operands[n].size / 8u;
}

static uint64_t read_operand(const struct x86_step *step, unsigned n)
{
    const ZydisDecodedOperand *operand = &step->operands[n];

    switch (operand->type) {
    case ZYDIS_OPERAND_TYPE_REGISTER:
        return x86_get(step->before, operand->reg.value);
    case ZYDIS_OPERAND_TYPE_MEMORY:
        return x86_load(step, step->address[n], operand->size / 8u);
    default:
        return operand->imm.value.u;
    }
}

static void write_operand(struct x86_step *step, unsigned n, uint64_t value)
{
    const ZydisDecodedOperand *operand = &step->operands[n];

    if (operand->type == ZYDIS_OPERAND_TYPE_REGISTER)
        x86_set(step->after, operand->reg.value, value);
    else
        x86_store(step, step->address[n], value, operand->size / 8u);
}

/* ---- flags ---- */

static uint64_t top_bit(uint64_t value, uint32_t bytes)
{
    return (value >> (bytes * 8 - 1)) & 1;
}

static uint64_t flag_if(int condition, uint64_t flag)
{
    return condition ? flag : 0;
}

/* ZF, SF and PF of a result. */
static uint64_t result_flags(uint64_t result, uint32_t bytes)
{
    return flag_if(result == 0, X86_ZF) | flag_if(top_bit(result, bytes) != 0, X86_SF) |
           flag_if(__builtin_parityll(result & 0xff) == 0, X86_PF);
}

static void set_flags(uint64_t *rflags, uint64_t mask, uint64_t flags)
{
    *rflags = (*rflags & ~mask) | (flags & mask);
}

#define X86_ARITHMETIC (X86_CF | X86_PF | X86_AF | X86_ZF | X86_SF | X86_OF)

static uint64_t add(uint64_t *rflags, uint64_t a, uint64_t b, uint64_t carry, uint32_t bytes)
{
    uint64_t sum = low_bytes(a + b + carry, bytes);
    uint64_t flags = result_flags(sum, bytes);

    flags |= flag_if(sum < a || (carry && sum == a), X86_CF);
    flags |= flag_if(((a ^ b ^ sum) & 0x10) != 0, X86_AF);
    flags |= flag_if(top_bit((a ^ sum) & (b ^ sum), bytes) != 0, X86_OF);
    set_flags(rflags, X86_ARITHMETIC, flags);
    return sum;
}

uint64_t x86_subtract(uint64_t *rflags, uint64_t a, uint64_t b, uint64_t borrow, uint32_t bytes)
{
    uint64_t difference = low_bytes(a - b - borrow, bytes);
    uint64_t flags = result_flags(difference, bytes);

    flags |= flag_if(a < b || (borrow && a == b), X86_CF);
    flags |= flag_if(((a ^ b ^ difference) & 0x10) != 0, X86_AF);
    flags |= flag_if(top_bit((a ^ b) & (a ^ difference), bytes) != 0, X86_OF);
    set_flags(rflags, X86_ARITHMETIC, flags);
    return difference;
}

/* AF is undefined there; it becomes 0. */
static uint64_t logic(uint64_t *rflags, uint64_t result, uint32_t bytes)
{
    set_flags(rflags, X86_ARITHMETIC, result_flags(result, bytes));
    return result;
}

/* ---- actions ---- */

static int do_access_only(struct x86_step *step)
{
    uint8_t bytes[X86_ACCESS_BYTES];
    int result = prepare_operands(step);

    if (result != 0)
        return result;
    for (uint32_t i = 0; i < step->access_count; i++)
        if (!step->accesses[i].write)
            step->memory->load(step->memory->context, step->accesses[i].address, bytes, step->accesses[i].bytes);
    for (uint32_t i = 0; i < X86_ACCESS_BYTES; i++)
        bytes[i] = (uint8_t)(X86_PATTERN + i);
    for (uint32_t i = 0; i < step->access_count; i++)
        if (step->accesses[i].write)
            step->memory->store(step->memory->context, step->accesses[i].address, bytes, step->accesses[i].bytes);
    return X86_DONE;
}

static void move_general(struct x86_step *step)
{
    uint64_t value = read_operand(step, 1);

    if (step->instruction->action == X86_MOVSX)
        value = sign_extended(value, operand_bytes(step, 1));
    write_operand(step, 0, low_bytes(value, operand_bytes(step, 0)));
}

/* For xadd the first operand's value goes to the second one, the sum to the first one, which is written last. */
static void exchange(struct x86_step *step)
{
    uint64_t first = read_operand(step, 0), second = read_operand(step, 1), to_first = second;

    if (step->instruction->action == X86_XADD)
        to_first = add(&step->after->rflags, first, second, 0, operand_bytes(step, 0));
    write_operand(step, 1, first);
    write_operand(step, 0, to_first);
}

static ZydisRegister accumulator(uint32_t bytes)
{
    switch (bytes) {
    case 1:
        return ZYDIS_REGISTER_AL;
    case 2:
        return ZYDIS_REGISTER_AX;
    case 4:
        return ZYDIS_REGISTER_EAX;
    default:
        return ZYDIS_REGISTER_RAX;
    }
}

/* The operand is stored in any case; a register whose value does not fit is left alone. */
static void compare_exchange(struct x86_step *step)
{
    uint32_t bytes = operand_bytes(step, 0);
    uint64_t expected = x86_get(step->before, accumulator(bytes));
    uint64_t found = read_operand(step, 0);

    x86_subtract(&step->after->rflags, expected, found, 0, bytes);
    if (expected == found) {
        write_operand(step, 0, read_operand(step, 1));
        return;
    }
    if (step->operands[0].type == ZYDIS_OPERAND_TYPE_MEMORY)
        write_operand(step, 0, found);
    x86_set(step->after, accumulator(bytes), found);
}

static void arithmetic(struct x86_step *step)
{
    uint32_t bytes = operand_bytes(step, 0);
    uint64_t *rflags = &step->after->rflags;
    uint64_t carry = step->before->rflags & X86_CF ? 1 : 0;
    uint64_t a = read_operand(step, 0), b = low_bytes(read_operand(step, 1), bytes);

    switch (step->instruction->action) {
    case X86_ADD:
        write_operand(step, 0, add(rflags, a, b, 0, bytes));
        break;
    case X86_ADC:
        write_operand(step, 0, add(rflags, a, b, carry, bytes));
        break;
    case X86_SUB:
        write_operand(step, 0, x86_subtract(rflags, a, b, 0, bytes));
        break;
    case X86_SBB:
        write_operand(step, 0, x86_subtract(rflags, a, b, carry, bytes));
        break;
    case X86_CMP:
        x86_subtract(rflags, a, b, 0, bytes);
        break;
    case X86_AND:
        write_operand(step, 0, logic(rflags, a & b, bytes));
        break;
    case X86_OR:
        write_operand(step, 0, logic(rflags, a | b, bytes));
        break;
    case X86_XOR:
        write_operand(step, 0, logic(rflags, a ^ b, bytes));
        break;
    default:
        logic(rflags, a & b, bytes);
    }
}

static void arithmetic_of_one(struct x86_step *step)
{
    uint32_t bytes = operand_bytes(step, 0);
    uint64_t *rflags = &step->after->rflags;
    uint64_t carry = *rflags & X86_CF;
    uint64_t a = read_operand(step, 0);

    switch (step->instruction->action) {
    case X86_INC:
        write_operand(step, 0, add(rflags, a, 1, 0, bytes));
        set_flags(rflags, X86_CF, carry);
        break;
    case X86_DEC:
        write_operand(step, 0, x86_subtract(rflags, a, 1, 0, bytes));
        set_flags(rflags, X86_CF, carry);
        break;
    case X86_NEG:
        write_operand(step, 0, x86_subtract(rflags, 0, a, 0, bytes));
        break;
    default:
        write_operand(step, 0, low_bytes(~a, bytes));
    }
}

static void load_address(struct x86_step *step)
{
    x86_set(step->after, step->operands[0].reg.value, effective_address(step, &step->operands[1]));
}

/* A register's upper half stays with legacy encodings, and becomes zero where VEX moves 16 bytes. */
static void move_vector(struct x86_step *step)
{
    const ZydisDecodedOperand *to = &step->operands[0], *from = &step->operands[1];
    uint32_t bytes = to->type == ZYDIS_OPERAND_TYPE_MEMORY ? operand_bytes(step, 0) : operand_bytes(step, 1);
    uint8_t value[32] = {0};

    if (from->type == ZYDIS_OPERAND_TYPE_MEMORY)
        step->memory->load(step->memory->context, step->address[1], value, bytes);
    else
        memcpy(value, step->before->vector[ZydisRegisterGetId(from->reg.value)], bytes);
    if (to->type == ZYDIS_OPERAND_TYPE_MEMORY)
        step->memory->store(step->memory->context, step->address[0], value, bytes);
    else
        memcpy(step->after->vector[ZydisRegisterGetId(to->reg.value)], value,
               step->decoded->encoding == ZYDIS_INSTRUCTION_ENCODING_VEX ? sizeof(value) : bytes);
}

/* ---- the stack ---- */

/* The memory operand on the stack: its size is what the instruction moves there. */
static uint32_t stack_bytes(const struct x86_step *step)
{
    for (unsigned n = step->decoded->operand_count_visible; n < step->decoded->operand_count; n++)
        if (step->operands[n].type == ZYDIS_OPERAND_TYPE_MEMORY)
            return step->operands[n].size / 8u;
    return 8;
}

/* Where a near branch goes: relative to what is behind it, or to a value. */
static uint64_t target_of(const struct x86_step *step)
{
    uint64_t value = read_operand(step, 0);

    return step->operands[0].type == ZYDIS_OPERAND_TYPE_IMMEDIATE ? step->after->rip + value : value;
}

static int branch_to(struct x86_step *step, uint64_t target)
{
    if (!is_canonical(target)) {
        snprintf(step->why, X86_WHY_MAX, "a branch to 0x%" PRIx64 ": the address is not canonical", target);
        return X86_REFUSED;
    }
    step->after->rip = target;
    return X86_DONE;
}

static int push_value(struct x86_step *step, int is_call)
{
    uint32_t bytes = stack_bytes(step);
    uint64_t to = step->before->general[X86_RSP] - bytes;
    int result = need_operands(step);
    uint64_t value;

    if (result == X86_DONE)
        result = x86_need(step, to, bytes, 1);
    if (result == X86_DONE)
        result = x86_prepare(step);
    if (result != X86_DONE)
        return result;
    step->after->general[X86_RSP] = to;
    value = is_call ? step->after->rip : read_operand(step, 0);
    if (is_call)
        result = branch_to(step, target_of(step));
    if (result == X86_DONE)
        x86_store(step, to, value, bytes);
    return result;
}

/* An address by way of rsp counts from where rsp is afterwards. */
static int pop_value(struct x86_step *step)
{
    uint32_t bytes = stack_bytes(step);
    uint64_t from = step->before->general[X86_RSP];
    const struct x86_registers *before = step->before;
    struct x86_registers behind = *before;
    int result = x86_need(step, from, bytes, 0);

    behind.general[X86_RSP] = from + bytes;
    step->before = &behind;
    if (result == X86_DONE)
        result = prepare_operands(step);
    if (result == X86_DONE) {
        step->after->general[X86_RSP] = from + bytes;
        write_operand(step, 0, x86_load(step, from, bytes));
    }
    step->before = before;
    return result;
}

/* ret and leave: 8 bytes from there. */
static int pop_from(struct x86_step *step, uint64_t from, uint64_t *value)
{
    int result = x86_need(step, from, 8, 0);

    if (result == X86_DONE)
        result = x86_prepare(step);
    if (result != X86_DONE)
        return result;
    *value = x86_load(step, from, 8);
    step->after->general[X86_RSP] = from + 8;
    return X86_DONE;
}

static int do_return(struct x86_step *step)
{
    uint64_t target;
    int result = pop_from(step, step->before->general[X86_RSP], &target);

    if (result == X86_DONE)
        result = branch_to(step, target);
    if (result == X86_DONE && step->decoded->operand_count_visible > 0)
        step->after->general[X86_RSP] += low_bytes(step->operands[0].imm.value.u, 2);
    return result;
}

static int do_leave(struct x86_step *step)
{
    uint64_t value;
    int result = pop_from(step, step->before->general[X86_RBP], &value);

    if (result == X86_DONE)
        step->after->general[X86_RBP] = value;
    return result;
}

static int do_jump(struct x86_step *step)
{
    int result = prepare_operands(step);

    return result == X86_DONE ? branch_to(step, target_of(step)) : result;
}

/* ---- steps ---- */

/* Instructions whose accesses are those of the operands that are written out. */
static int do_operands(struct x86_step *step, void (*act)(struct x86_step *step))
{
    int result = prepare_operands(step);

    if (result == X86_DONE)
        act(step);
    return result;
}

static int act(struct x86_step *step)
{
    switch (step->instruction->action) {
    case X86_MOV:
    case X86_MOVSX:
        return do_operands(step, move_general);
    case X86_XCHG:
    case X86_XADD:
        return do_operands(step, exchange);
    case X86_CMPXCHG:
        return do_operands(step, compare_exchange);
    case X86_INC:
    case X86_DEC:
    case X86_NEG:
    case X86_NOT:
        return do_operands(step, arithmetic_of_one);
    case X86_LEA:
        return do_operands(step, load_address);
    case X86_VECTOR_MOVE:
        return do_operands(step, move_vector);
    case X86_JMP:
        return do_jump(step);
    case X86_PUSH:
        return push_value(step, 0);
    case X86_CALL:
        return push_value(step, 1);
    case X86_POP:
        return pop_value(step);
    case X86_RET:
        return do_return(step);
    case X86_LEAVE:
        return do_leave(step);
    case X86_MOVS:
    case X86_STOS:
    case X86_LODS:
    case X86_CMPS:
    case X86_SCAS:
        return x86_string_step(step);
    case X86_ACCESS_ONLY:
        return do_access_only(step);
    default:
        return do_operands(step, arithmetic);
    }
}

int x86_step(const struct x86_instruction *instruction, struct x86_registers *registers,
             const struct x86_memory *memory, char *why)
{
    const struct x86_decoded *decoded = x86_decoded(instruction);
    struct x86_registers after = *registers;
    struct x86_step step = {
        .instruction = instruction,
        .decoded = &decoded->instruction,
        .operands = decoded->operands,
        .before = registers,
        .after = &after,
        .memory = memory,
        .why = why,
    };
    int result;

    after.rip += instruction->length;
    result = act(&step);
    if (result == X86_AGAIN)
        after.rip = registers->rip;
    if (result == X86_DONE || result == X86_AGAIN)
        *registers = after;
    return result;
}
