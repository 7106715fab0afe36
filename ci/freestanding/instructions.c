/*
 * Decodes the code of all functions, and says which instructions there may be at all. The list is one of what is
 * allowed, by the categories that Zydis has: what is not ordinary computation is refused, whatever it is.
 */
#include <elf.h>

#include "check.h"

/* ---- which instructions there may be ---- */

static int is_ordinary(const ZydisDecodedInstruction *decoded)
{
    switch (decoded->meta.category) {
    case ZYDIS_CATEGORY_AVX:
    case ZYDIS_CATEGORY_AVX2:
    case ZYDIS_CATEGORY_BINARY:
    case ZYDIS_CATEGORY_BITBYTE:
    case ZYDIS_CATEGORY_BMI1:
    case ZYDIS_CATEGORY_BMI2:
    case ZYDIS_CATEGORY_CALL:
    case ZYDIS_CATEGORY_CET:
    case ZYDIS_CATEGORY_CMOV:
    case ZYDIS_CATEGORY_COND_BR:
    case ZYDIS_CATEGORY_CONVERT:
    case ZYDIS_CATEGORY_DATAXFER:
    case ZYDIS_CATEGORY_LOGICAL:
    case ZYDIS_CATEGORY_LOGICAL_FP:
    case ZYDIS_CATEGORY_NOP:
    case ZYDIS_CATEGORY_POP:
    case ZYDIS_CATEGORY_PREFETCH:
    case ZYDIS_CATEGORY_PUSH:
    case ZYDIS_CATEGORY_RET:
    case ZYDIS_CATEGORY_ROTATE:
    case ZYDIS_CATEGORY_SETCC:
    case ZYDIS_CATEGORY_SHIFT:
    case ZYDIS_CATEGORY_SSE:
    case ZYDIS_CATEGORY_STRINGOP:
    case ZYDIS_CATEGORY_UNCOND_BR:
    case ZYDIS_CATEGORY_WIDENOP:
        return 1;
    default:
        /* Of the rest: addresses, the end of a frame, and the trap that is a failed PGR_ASSERT. */
        return decoded->mnemonic == ZYDIS_MNEMONIC_LEA || decoded->mnemonic == ZYDIS_MNEMONIC_LEAVE ||
               decoded->mnemonic == ZYDIS_MNEMONIC_UD2;
    }
}

static int has_memory_operand(const struct instruction *instruction)
{
    for (unsigned i = 0; i < instruction->decoded.operand_count_visible; i++)
        if (instruction->operands[i].type == ZYDIS_OPERAND_TYPE_MEMORY)
            return 1;
    return 0;
}

/* An exchange with memory locks it without being told to. */
static int is_atomic(const struct instruction *instruction)
{
    switch (instruction->decoded.mnemonic) {
    case ZYDIS_MNEMONIC_LFENCE:
    case ZYDIS_MNEMONIC_MFENCE:
    case ZYDIS_MNEMONIC_SFENCE:
    case ZYDIS_MNEMONIC_PAUSE:
        return 1;
    case ZYDIS_MNEMONIC_XCHG:
        return has_memory_operand(instruction);
    default:
        return (instruction->decoded.attributes & ZYDIS_ATTRIB_HAS_LOCK) != 0 ||
               instruction->decoded.meta.category == ZYDIS_CATEGORY_SEMAPHORE;
    }
}

static int is_interrupt(const ZydisDecodedInstruction *decoded)
{
    switch (decoded->mnemonic) {
    case ZYDIS_MNEMONIC_IRET:
    case ZYDIS_MNEMONIC_IRETD:
    case ZYDIS_MNEMONIC_IRETQ:
        return 1;
    default:
        return decoded->meta.category == ZYDIS_CATEGORY_INTERRUPT;
    }
}

static int is_clock(ZydisMnemonic mnemonic)
{
    return mnemonic == ZYDIS_MNEMONIC_RDTSC || mnemonic == ZYDIS_MNEMONIC_RDTSCP || mnemonic == ZYDIS_MNEMONIC_RDPMC;
}

/* fs and gs are where thread-local data is; they are set by instructions, too. */
static int is_thread_local(const struct instruction *instruction)
{
    const ZydisInstructionAttributes segments = ZYDIS_ATTRIB_HAS_SEGMENT_FS | ZYDIS_ATTRIB_HAS_SEGMENT_GS;

    return (instruction->decoded.attributes & segments) != 0 ||
           instruction->decoded.meta.category == ZYDIS_CATEGORY_RDWRFSGS;
}

/* What kind of forbidden instruction this is; null: none. */
static const char *forbidden(const struct instruction *instruction)
{
    const ZydisDecodedInstruction *decoded = &instruction->decoded;
    ZydisInstructionCategory category = decoded->meta.category;

    if (category == ZYDIS_CATEGORY_SYSCALL || category == ZYDIS_CATEGORY_SYSRET)
        return "a system call";
    if (is_interrupt(decoded))
        return "an interrupt";
    if (category == ZYDIS_CATEGORY_IO || category == ZYDIS_CATEGORY_IOSTRINGOP)
        return "input or output";
    if (is_clock(decoded->mnemonic))
        return "a clock";
    if (is_thread_local(instruction))
        return "thread-local";
    if (is_atomic(instruction))
        return "atomic";
    if (decoded->attributes & ZYDIS_ATTRIB_IS_PRIVILEGED)
        return "privileged";
    if (decoded->meta.branch_type == ZYDIS_BRANCH_TYPE_FAR)
        return "a far branch";
    return is_ordinary(decoded) ? NULL : "not ordinary computation";
}

/* ---- relocations in instructions ---- */

static int is_thread_local_relocation(uint32_t type)
{
    return (type >= R_X86_64_DTPMOD64 && type <= R_X86_64_TPOFF32) || type == R_X86_64_GOTPC32_TLSDESC ||
           type == R_X86_64_TLSDESC_CALL || type == R_X86_64_TLSDESC;
}

/* Relative fields count from the end of the instruction. */
static struct place target_of(struct program *program, const struct function *function,
                              const struct instruction *instruction, const struct relocation *relocation)
{
    struct place place = relocation->symbol;
    int64_t behind = (int64_t)(instruction->offset + instruction->decoded.length - relocation->offset);

    place.offset += relocation->addend;
    if (is_thread_local_relocation(relocation->type)) {
        complain(program, function->object, function, instruction, "thread-local");
        return place;
    }
    switch (relocation->type) {
    case R_X86_64_PC32:
    case R_X86_64_PLT32:
        place.offset += behind;
        break;
    case R_X86_64_64:
    case R_X86_64_32:
    case R_X86_64_32S:
        break;
    default:
        complain(program, function->object, function, instruction,
                 "is relocated in a way (%u) that asks more of a linker than an address", relocation->type);
    }
    return place;
}

static void take_relocation(struct program *program, const struct function *function, struct instruction *instruction,
                            const struct relocation *relocation)
{
    const ZydisDecodedInstruction *decoded = &instruction->decoded;
    uint64_t inside = relocation->offset - instruction->offset;
    struct place place = target_of(program, function, instruction, relocation);

    if (decoded->raw.disp.size != 0 && inside == decoded->raw.disp.offset)
        instruction->displacement = place;
    else
        instruction->immediate = place;
}

static void take_relocations(struct program *program, const struct function *function, struct instruction *instruction)
{
    const struct section *section = instruction->section;

    for (size_t i = 0; i < section->relocation_count; i++) {
        const struct relocation *relocation = &section->relocations[i];
        if (relocation->offset >= instruction->offset &&
            relocation->offset < instruction->offset + instruction->decoded.length)
            take_relocation(program, function, instruction, relocation);
    }
}

/* What lies in the same section an assembler finds without a relocation. */
static void take_relative(struct instruction *instruction)
{
    const ZydisDecodedInstruction *decoded = &instruction->decoded;

    for (unsigned i = 0; i < decoded->operand_count_visible; i++) {
        const ZydisDecodedOperand *operand = &instruction->operands[i];
        if (operand->type == ZYDIS_OPERAND_TYPE_MEMORY && operand->mem.base == ZYDIS_REGISTER_RIP &&
            instruction->displacement.section == NULL && instruction->displacement.outside == NULL)
            instruction->displacement =
                (struct place){.section = instruction->section,
                               .offset = (int64_t)(instruction->offset + decoded->length) + operand->mem.disp.value};
    }
}

/* ---- decoding ---- */

static int decode(const struct section *section, uint64_t offset, uint64_t end, struct instruction *instruction)
{
    ZydisDecoder decoder;

    *instruction = (struct instruction){.section = (struct section *)section, .offset = offset};
    return ZYAN_SUCCESS(ZydisDecoderInit(&decoder, ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64)) &&
           ZYAN_SUCCESS(ZydisDecoderDecodeFull(&decoder, section->bytes + offset, end - offset, &instruction->decoded,
                                               instruction->operands));
}

static void read_range(struct program *program, struct function *function, const struct range *range)
{
    struct instruction instruction;

    for (uint64_t offset = range->begin; offset < range->end; offset += instruction.decoded.length) {
        if (!decode(range->section, offset, range->end, &instruction)) {
            complain(program, function->object, function, &instruction, "is no instruction");
            return;
        }
        take_relocations(program, function, &instruction);
        take_relative(&instruction);
        const char *kind = forbidden(&instruction);
        if (kind != NULL)
            complain(program, function->object, function, &instruction, "%s: %s",
                     ZydisMnemonicGetString(instruction.decoded.mnemonic), kind);
        function->instructions = grow(function->instructions, function->instruction_count, sizeof(struct instruction));
        function->instructions[function->instruction_count++] = instruction;
    }
}

/* Between functions there is padding, and nothing else. */
static void check_gaps(struct program *program, const struct section *section)
{
    struct instruction instruction;

    for (uint64_t offset = 0; offset < section->size;) {
        if (function_at(program, section, (int64_t)offset) != NULL) {
            offset++;
            continue;
        }
        if (!decode(section, offset, section->size, &instruction) ||
            (instruction.decoded.meta.category != ZYDIS_CATEGORY_NOP &&
             instruction.decoded.meta.category != ZYDIS_CATEGORY_WIDENOP)) {
            complain(program, section->object, NULL, &instruction, "code that belongs to no function");
            return;
        }
        offset += instruction.decoded.length;
    }
}

void read_instructions(struct program *program)
{
    for (size_t i = 0; i < program->function_count; i++)
        for (unsigned n = 0; n < program->functions[i].range_count; n++)
            read_range(program, &program->functions[i], &program->functions[i].ranges[n]);
    for (size_t i = 0; i < program->object_count; i++)
        for (size_t n = 1; n < program->objects[i].section_count; n++)
            if (program->objects[i].sections[n].flags & SHF_EXECINSTR)
                check_gaps(program, &program->objects[i].sections[n]);
}
