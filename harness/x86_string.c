/*
 * String instructions: movs, stos, lods, cmps, scas, alone or repeated. A step is one iteration.
 */
#include "harness/x86_internal.h"

/* The register of these that the instruction's address size makes of it. */
static ZydisRegister sized(const struct x86_step *step, ZydisRegister wide, ZydisRegister narrow)
{
    return step->decoded->address_width == 64 ? wide : narrow;
}

static ZydisRegister counter(const struct x86_step *step)
{
    return sized(step, ZYDIS_REGISTER_RCX, ZYDIS_REGISTER_ECX);
}

/* The memory operand that this register points to; null if the instruction has none. */
static const ZydisDecodedOperand *pointed(const struct x86_step *step, ZydisRegister pointer)
{
    for (unsigned n = 0; n < step->decoded->operand_count; n++)
        if (step->operands[n].type == ZYDIS_OPERAND_TYPE_MEMORY && step->operands[n].mem.base == pointer)
            return &step->operands[n];
    return NULL;
}

static void advance(struct x86_step *step, ZydisRegister pointer, uint32_t bytes)
{
    uint64_t value = x86_get(step->before, pointer);

    x86_set(step->after, pointer, step->before->rflags & X86_DF ? value - bytes : value + bytes);
}

static ZydisRegister accumulator(uint32_t bytes)
{
    static const ZydisRegister registers[9] = {
        [1] = ZYDIS_REGISTER_AL, [2] = ZYDIS_REGISTER_AX, [4] = ZYDIS_REGISTER_EAX, [8] = ZYDIS_REGISTER_RAX};

    return registers[bytes];
}

/* What one iteration does, its accesses being possible. */
static void iterate(struct x86_step *step, uint64_t source, uint64_t destination, uint32_t bytes)
{
    uint64_t first;

    switch (step->instruction->action) {
    case X86_MOVS:
        x86_store(step, destination, x86_load(step, source, bytes), bytes);
        break;
    case X86_STOS:
        x86_store(step, destination, x86_get(step->before, accumulator(bytes)), bytes);
        break;
    case X86_LODS:
        x86_set(step->after, accumulator(bytes), x86_load(step, source, bytes));
        break;
    case X86_CMPS:
        first = x86_load(step, source, bytes);
        x86_subtract(&step->after->rflags, first, x86_load(step, destination, bytes), 0, bytes);
        break;
    default:
        first = x86_get(step->before, accumulator(bytes));
        x86_subtract(&step->after->rflags, first, x86_load(step, destination, bytes), 0, bytes);
    }
}

static int goes_on(const struct x86_step *step)
{
    int equal = (step->after->rflags & X86_ZF) != 0;

    if (x86_get(step->after, counter(step)) == 0)
        return 0;
    if (step->decoded->attributes & ZYDIS_ATTRIB_HAS_REPE)
        return equal;
    if (step->decoded->attributes & ZYDIS_ATTRIB_HAS_REPNE)
        return !equal;
    return 1;
}

static int iteration(struct x86_step *step)
{
    ZydisRegister from = sized(step, ZYDIS_REGISTER_RSI, ZYDIS_REGISTER_ESI);
    ZydisRegister to = sized(step, ZYDIS_REGISTER_RDI, ZYDIS_REGISTER_EDI);
    const ZydisDecodedOperand *source = pointed(step, from), *destination = pointed(step, to);
    int stores = step->instruction->action == X86_MOVS || step->instruction->action == X86_STOS;
    PGR_ASSERT(source != NULL || destination != NULL);
    uint32_t bytes = (source != NULL ? source : destination)->size / 8u;
    uint64_t source_address = source != NULL ? x86_operand_address(step, source) : 0;
    uint64_t destination_address = destination != NULL ? x86_operand_address(step, destination) : 0;
    int result = X86_DONE;

    if (source != NULL)
        result = x86_need(step, source_address, bytes, 0);
    if (result == X86_DONE && destination != NULL)
        result = x86_need(step, destination_address, bytes, stores);
    if (result == X86_DONE)
        result = x86_prepare(step);
    if (result != X86_DONE)
        return result;
    if (source != NULL)
        advance(step, from, bytes);
    if (destination != NULL)
        advance(step, to, bytes);
    iterate(step, source_address, destination_address, bytes);
    return X86_DONE;
}

int x86_string_step(struct x86_step *step)
{
    ZydisRegister count = counter(step);
    int result;

    if (!step->instruction->is_repeated)
        return iteration(step);
    if (x86_get(step->before, count) == 0)
        return X86_DONE;
    result = iteration(step);
    if (result != X86_DONE)
        return result;
    x86_set(step->after, count, x86_get(step->before, count) - 1);
    return goes_on(step) ? X86_AGAIN : X86_DONE;
}
