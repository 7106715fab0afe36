/*
 * Follows a function: what is known of registers and stack before each of its instructions, over all paths. From that
 * come the height of the stack at each call, and whence the pointer of an indirect call was loaded.
 *
 * Of a register, or of eight bytes of the stack, it is known that it is an address in the frame, an address in the call
 * table, a pointer loaded from the table, or nothing. Where paths join, what differs between them is not known. Only a
 * compiler's own spills write the slots that are remembered: pointers to other locals never lead there.
 */
#include <elf.h>
#include <stdlib.h>

#include "check.h"

enum kind {
    UNKNOWN,
    FRAME,  /* an address: `number` bytes from where the return address is */
    TABLE,  /* an address in the call table */
    HANDLER /* a pointer loaded from the call table */
};

struct value {
    enum kind kind;
    int64_t number;
};

#define REGISTERS 16u
#define SLOTS_MAX 64u
#define SLOT_BYTES 8

/* Eight bytes of the stack whose value is known. */
struct slot {
    int64_t at; /* as a FRAME's number */
    struct value value;
};

/* The stack pointer is a register like the others: always FRAME, or the function is refused. */
struct state {
    int is_reached;
    struct value registers[REGISTERS];
    struct slot slots[SLOTS_MAX];
    unsigned slot_count;
};

struct flow {
    struct program *program;
    struct function *function;
    struct state *before; /* of each instruction */
    size_t *waiting;      /* numbers of instructions to be looked at (again) */
    size_t waiting_count;
    unsigned char *is_waiting;
    int is_lost; /* the function was refused: what follows would only repeat it */
};

static const struct value unknown;

static void lose(struct flow *flow, const struct instruction *instruction, const char *why)
{
    if (!flow->is_lost)
        complain(flow->program, flow->function->object, flow->function, instruction, "%s", why);
    flow->is_lost = 1;
}

/* ---- registers and slots ---- */

/* The number of the general register with this one in it; REGISTERS: it is none. */
static unsigned number_of(ZydisRegister which)
{
    ZydisRegister whole = ZydisRegisterGetLargestEnclosing(ZYDIS_MACHINE_MODE_LONG_64, which);

    if (whole < ZYDIS_REGISTER_RAX || whole > ZYDIS_REGISTER_R15)
        return REGISTERS;
    return (unsigned)(whole - ZYDIS_REGISTER_RAX);
}

#define RSP (ZYDIS_REGISTER_RSP - ZYDIS_REGISTER_RAX)
#define RBP (ZYDIS_REGISTER_RBP - ZYDIS_REGISTER_RAX)

static struct value get(const struct state *state, ZydisRegister which)
{
    unsigned number = number_of(which);

    return number == REGISTERS ? unknown : state->registers[number];
}

static int64_t depth_of(const struct state *state)
{
    return -state->registers[RSP].number;
}

static int is_same(struct value a, struct value b)
{
    return a.kind == b.kind && a.number == b.number;
}

static struct value load_slot(const struct state *state, int64_t at)
{
    for (unsigned i = 0; i < state->slot_count; i++)
        if (state->slots[i].at == at)
            return state->slots[i].value;
    return unknown;
}

/* Nothing is known any more of slots with one of these bytes. */
static void forget_slots(struct state *state, int64_t at, int64_t bytes)
{
    unsigned kept = 0;

    for (unsigned i = 0; i < state->slot_count; i++)
        if (state->slots[i].at + SLOT_BYTES <= at || state->slots[i].at >= at + bytes)
            state->slots[kept++] = state->slots[i];
    state->slot_count = kept;
}

static void store_slot(struct state *state, int64_t at, struct value value)
{
    forget_slots(state, at, SLOT_BYTES);
    if (value.kind != UNKNOWN && state->slot_count < SLOTS_MAX)
        state->slots[state->slot_count++] = (struct slot){at, value};
}

static void add_own_depth(struct flow *flow, int64_t depth)
{
    if (depth > flow->function->own_depth)
        flow->function->own_depth = depth;
}

static void set_register(struct flow *flow, const struct instruction *instruction, struct state *state,
                         ZydisRegister which, struct value value)
{
    unsigned number = number_of(which);

    if (number == REGISTERS)
        return;
    if (number == RSP && value.kind != FRAME)
        lose(flow, instruction, "moves the stack pointer to a place that is not known");
    else
        state->registers[number] = value;
    add_own_depth(flow, depth_of(state));
}

/* ---- values ---- */

static int is_in_table(const struct flow *flow, const struct place *place)
{
    const struct range *table = &flow->program->table;

    return place->section != NULL && place->section == table->section && place->offset >= (int64_t)table->begin &&
           place->offset < (int64_t)table->end;
}

/* An address plus something. Within an array nothing leads out of it. */
static struct value add(struct value a, struct value b, int64_t constant, int is_constant)
{
    if (a.kind == TABLE || b.kind == TABLE)
        return (struct value){TABLE, 0};
    if (a.kind == FRAME && is_constant)
        return (struct value){FRAME, a.number + constant};
    return unknown;
}

static struct value address_of(const struct flow *flow, const struct state *state,
                               const struct instruction *instruction, const ZydisDecodedOperand *operand)
{
    if (is_in_table(flow, &instruction->displacement))
        return (struct value){TABLE, 0};
    return add(get(state, operand->mem.base), get(state, operand->mem.index), operand->mem.disp.value,
               operand->mem.index == ZYDIS_REGISTER_NONE);
}

static struct value read_operand(const struct flow *flow, const struct state *state,
                                 const struct instruction *instruction, const ZydisDecodedOperand *operand)
{
    struct value address;

    switch (operand->type) {
    case ZYDIS_OPERAND_TYPE_REGISTER:
        return operand->size == 64 ? get(state, operand->reg.value) : unknown;
    case ZYDIS_OPERAND_TYPE_MEMORY:
        address = address_of(flow, state, instruction, operand);
        if (operand->size != 64)
            return unknown;
        if (address.kind == TABLE)
            return (struct value){HANDLER, 0};
        return address.kind == FRAME ? load_slot(state, address.number) : unknown;
    default:
        return is_in_table(flow, &instruction->immediate) ? (struct value){TABLE, 0} : unknown;
    }
}

static void write_operand(struct flow *flow, const struct instruction *instruction, struct state *state,
                          const ZydisDecodedOperand *operand, struct value value)
{
    if (operand->type == ZYDIS_OPERAND_TYPE_REGISTER) {
        set_register(flow, instruction, state, operand->reg.value, value);
        return;
    }
    if (operand->type != ZYDIS_OPERAND_TYPE_MEMORY || operand->mem.type != ZYDIS_MEMOP_TYPE_MEM)
        return;
    struct value address = address_of(flow, state, instruction, operand);
    if (address.kind != FRAME)
        return;
    if (operand->size == 64)
        store_slot(state, address.number, value);
    else
        forget_slots(state, address.number, operand->size / 8);
}

/* ---- instructions ---- */

static void move_stack(struct flow *flow, struct state *state, int64_t bytes)
{
    state->registers[RSP].number += bytes;
    add_own_depth(flow, depth_of(state));
}

static void push(struct flow *flow, const struct instruction *instruction, struct state *state)
{
    struct value value = read_operand(flow, state, instruction, &instruction->operands[0]);

    move_stack(flow, state, -SLOT_BYTES);
    store_slot(state, state->registers[RSP].number, value);
}

static void pop(struct flow *flow, const struct instruction *instruction, struct state *state)
{
    struct value value = load_slot(state, state->registers[RSP].number);

    move_stack(flow, state, SLOT_BYTES);
    write_operand(flow, instruction, state, &instruction->operands[0], value);
}

static void leave(struct flow *flow, const struct instruction *instruction, struct state *state)
{
    set_register(flow, instruction, state, ZYDIS_REGISTER_RSP, state->registers[RBP]);
    state->registers[RBP] = load_slot(state, state->registers[RSP].number);
    move_stack(flow, state, SLOT_BYTES);
}

static void add_or_subtract(struct flow *flow, const struct instruction *instruction, struct state *state)
{
    const ZydisDecodedOperand *to = &instruction->operands[0], *other = &instruction->operands[1];
    int is_constant = other->type == ZYDIS_OPERAND_TYPE_IMMEDIATE;
    int64_t constant = is_constant ? other->imm.value.s : 0;
    struct value value = add(read_operand(flow, state, instruction, to), read_operand(flow, state, instruction, other),
                             instruction->decoded.mnemonic == ZYDIS_MNEMONIC_SUB ? -constant : constant, is_constant);

    write_operand(flow, instruction, state, to, value);
}

/* Aligning the stack takes at most what the mask takes away. */
static void and_with(struct flow *flow, const struct instruction *instruction, struct state *state)
{
    const ZydisDecodedOperand *to = &instruction->operands[0], *other = &instruction->operands[1];
    struct value value = unknown;

    if (to->type == ZYDIS_OPERAND_TYPE_REGISTER && to->reg.value == ZYDIS_REGISTER_RSP &&
        other->type == ZYDIS_OPERAND_TYPE_IMMEDIATE && other->imm.value.s < 0)
        value = (struct value){FRAME, state->registers[RSP].number + other->imm.value.s + 1};
    write_operand(flow, instruction, state, to, value);
}

static void move_if(struct flow *flow, const struct instruction *instruction, struct state *state)
{
    struct value old = read_operand(flow, state, instruction, &instruction->operands[0]);
    struct value new = read_operand(flow, state, instruction, &instruction->operands[1]);

    write_operand(flow, instruction, state, &instruction->operands[0], is_same(old, new) ? old : unknown);
}

static void write_all(struct flow *flow, const struct instruction *instruction, struct state *state)
{
    for (unsigned i = 0; i < instruction->decoded.operand_count; i++)
        if (instruction->operands[i].actions & ZYDIS_OPERAND_ACTION_MASK_WRITE)
            write_operand(flow, instruction, state, &instruction->operands[i], unknown);
}

/* By the System V ABI a function keeps rbx, rbp and r12 to r15. */
static void forget_after_call(struct state *state)
{
    static const unsigned lost[] = {0, 1, 2, 6, 7, 8, 9, 10, 11};

    for (unsigned i = 0; i < sizeof(lost) / sizeof(lost[0]); i++)
        state->registers[lost[i]] = unknown;
}

static void step(struct flow *flow, const struct instruction *instruction, struct state *state)
{
    const ZydisDecodedOperand *operands = instruction->operands;

    switch (instruction->decoded.mnemonic) {
    case ZYDIS_MNEMONIC_PUSH:
        push(flow, instruction, state);
        break;
    case ZYDIS_MNEMONIC_POP:
        pop(flow, instruction, state);
        break;
    case ZYDIS_MNEMONIC_LEAVE:
        leave(flow, instruction, state);
        break;
    case ZYDIS_MNEMONIC_MOV:
        write_operand(flow, instruction, state, &operands[0], read_operand(flow, state, instruction, &operands[1]));
        break;
    case ZYDIS_MNEMONIC_LEA:
        write_operand(flow, instruction, state, &operands[0], address_of(flow, state, instruction, &operands[1]));
        break;
    case ZYDIS_MNEMONIC_ADD:
    case ZYDIS_MNEMONIC_SUB:
        add_or_subtract(flow, instruction, state);
        break;
    case ZYDIS_MNEMONIC_AND:
        and_with(flow, instruction, state);
        break;
    case ZYDIS_MNEMONIC_CALL:
        forget_after_call(state);
        break;
    case ZYDIS_MNEMONIC_RET:
        break;
    default:
        if (instruction->decoded.meta.category == ZYDIS_CATEGORY_CMOV)
            move_if(flow, instruction, state);
        else
            write_all(flow, instruction, state);
    }
}

/* Devices answer at addresses that are known beforehand. */
static void check_fixed_address(struct flow *flow, const struct instruction *instruction)
{
    for (unsigned i = 0; i < instruction->decoded.operand_count_visible; i++) {
        const ZydisDecodedOperand *operand = &instruction->operands[i];
        if (operand->type == ZYDIS_OPERAND_TYPE_MEMORY && operand->mem.type == ZYDIS_MEMOP_TYPE_MEM &&
            operand->mem.base == ZYDIS_REGISTER_NONE && operand->mem.index == ZYDIS_REGISTER_NONE &&
            instruction->displacement.section == NULL)
            complain(flow->program, flow->function->object, flow->function, instruction,
                     "uses memory at a fixed address");
    }
}

/* Leaf functions may use what lies below the stack pointer without moving it. */
static void measure_red_zone(struct flow *flow, const struct instruction *instruction, const struct state *state)
{
    for (unsigned i = 0; i < instruction->decoded.operand_count_visible; i++) {
        const ZydisDecodedOperand *operand = &instruction->operands[i];
        if (operand->type != ZYDIS_OPERAND_TYPE_MEMORY)
            continue;
        struct value address = address_of(flow, state, instruction, operand);
        if (address.kind == FRAME)
            add_own_depth(flow, -address.number);
    }
}

/* ---- paths ---- */

static size_t find_instruction(const struct function *function, const struct section *section, int64_t offset)
{
    for (size_t i = 0; i < function->instruction_count; i++)
        if (function->instructions[i].section == section && (int64_t)function->instructions[i].offset == offset)
            return i;
    return function->instruction_count;
}

static int join(struct state *into, const struct state *from)
{
    int changed = 0;
    unsigned kept = 0;

    for (unsigned i = 0; i < REGISTERS; i++) {
        if (into->registers[i].kind == UNKNOWN || is_same(into->registers[i], from->registers[i]))
            continue;
        into->registers[i] = unknown;
        changed = 1;
    }
    for (unsigned i = 0; i < into->slot_count; i++)
        if (is_same(into->slots[i].value, load_slot(from, into->slots[i].at)))
            into->slots[kept++] = into->slots[i];
    changed |= kept != into->slot_count;
    into->slot_count = kept;
    return changed;
}

static void go_on(struct flow *flow, size_t number, const struct state *state)
{
    struct state *before = &flow->before[number];
    int changed = !before->is_reached;

    if (before->is_reached)
        changed = join(before, state);
    else
        *before = *state;
    before->is_reached = 1;
    if (before->registers[RSP].kind != FRAME) {
        lose(flow, &flow->function->instructions[number], "the height of the stack depends on the path");
        return;
    }
    if (!changed || flow->is_waiting[number])
        return;
    flow->is_waiting[number] = 1;
    flow->waiting[flow->waiting_count++] = number;
}

static int is_branch(const struct instruction *instruction)
{
    return instruction->decoded.meta.category == ZYDIS_CATEGORY_COND_BR ||
           instruction->decoded.meta.category == ZYDIS_CATEGORY_UNCOND_BR;
}

static int is_call(const struct instruction *instruction)
{
    return instruction->decoded.meta.category == ZYDIS_CATEGORY_CALL;
}

static int is_direct(const struct instruction *instruction)
{
    return instruction->operands[0].type == ZYDIS_OPERAND_TYPE_IMMEDIATE;
}

static struct place target_of(const struct instruction *instruction)
{
    if (instruction->immediate.section != NULL || instruction->immediate.outside != NULL)
        return instruction->immediate;
    return (struct place){.section = instruction->section,
                          .offset = (int64_t)(instruction->offset + instruction->decoded.length) +
                                    instruction->operands[0].imm.value.s};
}

/* A jump that stays in the function goes on at its target. Jumps elsewhere are calls, see judge_transfer. */
static void follow_branch(struct flow *flow, const struct instruction *instruction, const struct state *state)
{
    struct place target = target_of(instruction);

    if (!is_direct(instruction) || target.section == NULL ||
        function_at(flow->program, target.section, target.offset) != flow->function)
        return;
    size_t number = find_instruction(flow->function, target.section, target.offset);
    if (number == flow->function->instruction_count)
        lose(flow, instruction, "jumps into the middle of an instruction");
    else
        go_on(flow, number, state);
}

static int goes_on(const struct instruction *instruction)
{
    return instruction->decoded.mnemonic != ZYDIS_MNEMONIC_UD2 &&
           instruction->decoded.meta.category != ZYDIS_CATEGORY_RET &&
           instruction->decoded.meta.category != ZYDIS_CATEGORY_UNCOND_BR;
}

static void look_at(struct flow *flow, size_t number)
{
    const struct function *function = flow->function;
    const struct instruction *instruction = &function->instructions[number];
    struct state state = flow->before[number];

    step(flow, instruction, &state);
    if (is_branch(instruction))
        follow_branch(flow, instruction, &state);
    if (!goes_on(instruction))
        return;
    number =
        find_instruction(function, instruction->section, (int64_t)(instruction->offset + instruction->decoded.length));
    if (number < function->instruction_count)
        go_on(flow, number, &state);
    else
        lose(flow, instruction, "the function goes on behind its end");
}

/* ---- what the function does, now that the states are known ---- */

static void add_call(struct flow *flow, struct call call)
{
    struct function *function = flow->function;

    function->calls = grow(function->calls, function->call_count, sizeof(struct call));
    function->calls[function->call_count++] = call;
}

static void judge_indirect(struct flow *flow, const struct instruction *instruction, const struct state *state)
{
    struct value pointer = read_operand(flow, state, instruction, &instruction->operands[0]);

    if (pointer.kind != HANDLER)
        complain(flow->program, flow->function->object, flow->function, instruction,
                 "an indirect %s that is not through the call table", is_call(instruction) ? "call" : "jump");
    add_call(flow, (struct call){.is_indirect = 1, .is_tail = !is_call(instruction), .depth = depth_of(state)});
}

static void judge_direct(struct flow *flow, const struct instruction *instruction, const struct state *state)
{
    struct place target = target_of(instruction);
    struct call call = {.is_tail = !is_call(instruction), .depth = depth_of(state)};

    if (target.section == NULL) {
        if (!is_memory_function(target.outside))
            complain(flow->program, flow->function->object, flow->function, instruction, "leaves the library for %s",
                     target.outside);
        add_call(flow, call);
        return;
    }
    call.callee = function_at(flow->program, target.section, target.offset);
    if (call.callee != NULL && call.callee == flow->function && call.is_tail)
        return;
    if (call.callee == NULL || (int64_t)call.callee->ranges[0].begin != target.offset ||
        call.callee->ranges[0].section != target.section) {
        complain(flow->program, flow->function->object, flow->function, instruction,
                 "a call or jump to what is not the entry of a function");
        return;
    }
    add_call(flow, call);
}

/* An address of code that is not called there and then could be called anywhere. */
static void judge_address(struct flow *flow, const struct instruction *instruction, const struct place *place)
{
    if (place->outside != NULL && !is_memory_function(place->outside))
        complain(flow->program, flow->function->object, flow->function, instruction, "refers to %s outside",
                 place->outside);
    else if (place->outside != NULL || (place->section != NULL && place->section->flags & SHF_EXECINSTR))
        complain(flow->program, flow->function->object, flow->function, instruction, "takes the address of code");
}

static void judge(struct flow *flow, size_t number)
{
    const struct instruction *instruction = &flow->function->instructions[number];
    const struct state *state = &flow->before[number];
    int transfers = is_call(instruction) || is_branch(instruction);

    check_fixed_address(flow, instruction);
    judge_address(flow, instruction, &instruction->displacement);
    if (!transfers)
        judge_address(flow, instruction, &instruction->immediate);
    /* What no path reaches calls nobody. */
    if (!state->is_reached)
        return;
    measure_red_zone(flow, instruction, state);
    if (transfers && is_direct(instruction))
        judge_direct(flow, instruction, state);
    else if (transfers)
        judge_indirect(flow, instruction, state);
    else if (instruction->decoded.meta.category == ZYDIS_CATEGORY_RET && depth_of(state) != 0)
        lose(flow, instruction, "returns with a stack of another height");
}

void follow(struct program *program, struct function *function)
{
    size_t count = function->instruction_count;
    struct flow flow = {.program = program, .function = function};
    struct state entry = {0};

    if (count == 0)
        return;
    flow.before = allocate(count, sizeof(struct state));
    flow.waiting = allocate(count, sizeof(size_t));
    flow.is_waiting = allocate(count, 1);
    entry.registers[RSP] = (struct value){FRAME, 0};
    go_on(&flow, 0, &entry);
    while (flow.waiting_count > 0 && !flow.is_lost) {
        size_t number = flow.waiting[--flow.waiting_count];
        flow.is_waiting[number] = 0;
        look_at(&flow, number);
    }
    for (size_t i = 0; i < count; i++)
        judge(&flow, i);
    free(flow.before);
    free(flow.waiting);
    free(flow.is_waiting);
}
