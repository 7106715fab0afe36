/*
 * From bytes to an instruction that can be executed, or to the reason why it cannot.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "harness/x86_internal.h"

static int refuse(char *why, const char *reason, const struct x86_decoded *decoded)
{
    const char *name = ZydisMnemonicGetString(decoded->instruction.mnemonic);

    snprintf(why, X86_WHY_MAX, "%s: %s", name != NULL ? name : "?", reason);
    return -1;
}

static int zydis_decode(struct x86_decoded *decoded, const uint8_t *code, size_t bytes, char *why)
{
    ZydisDecoder decoder;
    ZyanStatus status = ZydisDecoderInit(&decoder, ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64);

    if (ZYAN_SUCCESS(status))
        status = ZydisDecoderDecodeFull(&decoder, code, bytes, &decoded->instruction, decoded->operands);
    if (status == ZYDIS_STATUS_NO_MORE_DATA)
        snprintf(why, X86_WHY_MAX, "the instruction is cut short");
    else if (!ZYAN_SUCCESS(status))
        snprintf(why, X86_WHY_MAX, "this is no instruction");
    else if (decoded->instruction.length < bytes)
        snprintf(why, X86_WHY_MAX, "%zu bytes stand behind the instruction", bytes - decoded->instruction.length);
    else
        return 0;
    return -1;
}

/*
 * A SIB byte without a base (base 5, mod 0) has none with REX.B either; Zydis 4.0.0 takes r13 for it then, and drops
 * the displacement.
 */
static void drop_false_base(struct x86_decoded *decoded)
{
    const ZydisDecodedInstruction *instruction = &decoded->instruction;

    if (instruction->raw.modrm.mod != 0 || instruction->raw.modrm.rm != 4 || instruction->raw.sib.base != 5)
        return;
    for (unsigned n = 0; n < instruction->operand_count_visible; n++) {
        ZydisDecodedOperand *operand = &decoded->operands[n];
        if (operand->type != ZYDIS_OPERAND_TYPE_MEMORY || operand->encoding != ZYDIS_OPERAND_ENCODING_MODRM_RM)
            continue;
        operand->mem.base = ZYDIS_REGISTER_NONE;
        operand->mem.disp.has_displacement = ZYAN_TRUE;
        operand->mem.disp.value = instruction->raw.disp.value;
    }
}

static int has(const struct x86_decoded *decoded, ZydisInstructionAttributes attribute)
{
    return (decoded->instruction.attributes & attribute) != 0;
}

static int has_raw_prefix(const struct x86_decoded *decoded, uint8_t prefix)
{
    for (unsigned i = 0; i < decoded->instruction.raw.prefix_count; i++)
        if (decoded->instruction.raw.prefixes[i].value == prefix)
            return 1;
    return 0;
}

static int is_string(unsigned action)
{
    return action >= X86_MOVS && action <= X86_SCAS;
}

static int is_branch(unsigned action)
{
    return action == X86_CALL || action == X86_RET || action == X86_JMP;
}

/* Two mnemonics have two meanings each. */
static unsigned action_of(const struct x86_decoded *decoded)
{
    unsigned action = x86_action_of(decoded->instruction.mnemonic);

    if (is_string(action) && decoded->instruction.meta.category != ZYDIS_CATEGORY_STRINGOP)
        return X86_ACCESS_ONLY;
    return action;
}

/* ---- operands ---- */

static int is_general(ZydisRegister which)
{
    switch (ZydisRegisterGetClass(which)) {
    case ZYDIS_REGCLASS_GPR8:
    case ZYDIS_REGCLASS_GPR16:
    case ZYDIS_REGCLASS_GPR32:
    case ZYDIS_REGCLASS_GPR64:
        return 1;
    default:
        return 0;
    }
}

static int is_vector(ZydisRegister which)
{
    ZydisRegisterClass class = ZydisRegisterGetClass(which);

    return (class == ZYDIS_REGCLASS_XMM || class == ZYDIS_REGCLASS_YMM) && ZydisRegisterGetId(which) < 16;
}

static int is_conditional(const ZydisDecodedOperand *operand)
{
    return (operand->actions & (ZYDIS_OPERAND_ACTION_CONDREAD | ZYDIS_OPERAND_ACTION_CONDWRITE)) != 0;
}

/* The processor makes these accesses whatever it compares or counts, so that they are not conditional. */
static int stores_anyway(ZydisMnemonic mnemonic)
{
    switch (mnemonic) {
    case ZYDIS_MNEMONIC_CMPXCHG:
    case ZYDIS_MNEMONIC_CMPXCHG8B:
    case ZYDIS_MNEMONIC_CMPXCHG16B:
    case ZYDIS_MNEMONIC_SHLD:
    case ZYDIS_MNEMONIC_SHRD:
        return 1;
    default:
        return 0;
    }
}

static const char *memory_refused(const struct x86_decoded *decoded, unsigned action,
                                  const ZydisDecodedOperand *operand)
{
    if (operand->mem.type == ZYDIS_MEMOP_TYPE_AGEN && action == X86_LEA)
        return NULL;
    if (operand->mem.type != ZYDIS_MEMOP_TYPE_MEM)
        return "its memory operand is no plain one";
    if (action == X86_ACCESS_ONLY && operand->visibility != ZYDIS_OPERAND_VISIBILITY_EXPLICIT)
        return "its memory operand is implicit";
    if (is_conditional(operand) && !is_string(action) && !stores_anyway(decoded->instruction.mnemonic))
        return "it accesses memory under a condition";
    if (operand->size == 0 || operand->size / 8 > X86_ACCESS_BYTES)
        return "its memory operand has no size that is known";
    return NULL;
}

static const char *register_refused(unsigned action, const ZydisDecodedOperand *operand)
{
    if (action == X86_ACCESS_ONLY || operand->visibility == ZYDIS_OPERAND_VISIBILITY_HIDDEN)
        return NULL;
    if (action == X86_VECTOR_MOVE)
        return is_vector(operand->reg.value) ? NULL : "with these registers it is not in the list";
    return is_general(operand->reg.value) ? NULL : "with these registers it is not in the list";
}

static const char *operands_refused(const struct x86_decoded *decoded, unsigned action)
{
    const char *reason = NULL;
    int memory = 0;

    for (unsigned i = 0; i < decoded->instruction.operand_count && reason == NULL; i++) {
        const ZydisDecodedOperand *operand = &decoded->operands[i];
        if (operand->type == ZYDIS_OPERAND_TYPE_MEMORY) {
            reason = memory_refused(decoded, action, operand);
            memory = 1;
        } else if (operand->type == ZYDIS_OPERAND_TYPE_REGISTER) {
            reason = register_refused(action, operand);
        }
    }
    if (reason == NULL && action == X86_ACCESS_ONLY && !memory)
        return "it has no memory operand, and its result is not modelled";
    return reason;
}

/* ---- instructions ---- */

/* bt, bts, btr, btc with the bit's number in a register reach beyond their operand. */
static int is_bit_string(const struct x86_decoded *decoded)
{
    switch (decoded->instruction.mnemonic) {
    case ZYDIS_MNEMONIC_BT:
    case ZYDIS_MNEMONIC_BTS:
    case ZYDIS_MNEMONIC_BTR:
    case ZYDIS_MNEMONIC_BTC:
        return decoded->operands[1].type == ZYDIS_OPERAND_TYPE_REGISTER;
    default:
        return 0;
    }
}

static const char *instruction_refused(const struct x86_decoded *decoded, unsigned action)
{
    const ZydisDecodedInstruction *instruction = &decoded->instruction;
    int is_old = instruction->encoding == ZYDIS_INSTRUCTION_ENCODING_LEGACY;

    if (action == X86_UNLISTED)
        return "it is not in the list of instructions";
    if (!is_old && instruction->encoding != ZYDIS_INSTRUCTION_ENCODING_VEX)
        return "this encoding is not in the list";
    if (is_bit_string(decoded))
        return "the bit's number is in a register";
    if (is_branch(action) && (instruction->meta.branch_type == ZYDIS_BRANCH_TYPE_FAR || has_raw_prefix(decoded, 0x66)))
        return "only near branches of 64 bits are in the list";
    if (action == X86_LEAVE && has_raw_prefix(decoded, 0x66))
        return "only leave of 64 bits is in the list";
    /* What 0xf2 means there is left to the processor. */
    if ((action == X86_MOVS || action == X86_STOS || action == X86_LODS) && has_raw_prefix(decoded, 0xf2))
        return "repne does not belong there";
    return operands_refused(decoded, action);
}

static int is_unaligned(ZydisMnemonic mnemonic)
{
    switch (mnemonic) {
    case ZYDIS_MNEMONIC_MOVUPS:
    case ZYDIS_MNEMONIC_MOVUPD:
    case ZYDIS_MNEMONIC_MOVDQU:
    case ZYDIS_MNEMONIC_LDDQU:
    case ZYDIS_MNEMONIC_PCMPESTRI:
    case ZYDIS_MNEMONIC_PCMPESTRM:
    case ZYDIS_MNEMONIC_PCMPISTRI:
    case ZYDIS_MNEMONIC_PCMPISTRM:
        return 1;
    default:
        return 0;
    }
}

static int is_aligned_move(ZydisMnemonic mnemonic)
{
    switch (mnemonic) {
    case ZYDIS_MNEMONIC_VMOVAPS:
    case ZYDIS_MNEMONIC_VMOVAPD:
    case ZYDIS_MNEMONIC_VMOVDQA:
    case ZYDIS_MNEMONIC_VMOVNTDQ:
    case ZYDIS_MNEMONIC_VMOVNTDQA:
    case ZYDIS_MNEMONIC_VMOVNTPD:
    case ZYDIS_MNEMONIC_VMOVNTPS:
        return 1;
    default:
        return 0;
    }
}

/* Legacy operands of 16 bytes must be aligned, VEX operands of the aligned moves alone. */
static uint8_t alignment_of(const struct x86_decoded *decoded)
{
    const ZydisDecodedInstruction *instruction = &decoded->instruction;
    int is_old = instruction->encoding == ZYDIS_INSTRUCTION_ENCODING_LEGACY;

    for (unsigned i = 0; i < instruction->operand_count_visible; i++) {
        const ZydisDecodedOperand *operand = &decoded->operands[i];
        if (operand->type != ZYDIS_OPERAND_TYPE_MEMORY || operand->size < 128)
            continue;
        if (is_old ? operand->size == 128 && !is_unaligned(instruction->mnemonic)
                   : is_aligned_move(instruction->mnemonic))
            return (uint8_t)(operand->size / 8);
    }
    return 0;
}

int x86_decode(struct x86_instruction *instruction, const uint8_t *code, size_t bytes, char *why)
{
    struct x86_decoded *decoded = (struct x86_decoded *)(void *)instruction->decoded;
    const char *reason;
    unsigned action;

    memset(instruction, 0, sizeof(*instruction));
    if (bytes > X86_CODE_MAX || zydis_decode(decoded, code, bytes, why) != 0) {
        if (bytes > X86_CODE_MAX)
            snprintf(why, X86_WHY_MAX, "an instruction has at most %u bytes", X86_CODE_MAX);
        return -1;
    }
    drop_false_base(decoded);
    action = action_of(decoded);
    reason = instruction_refused(decoded, action);
    if (reason != NULL)
        return refuse(why, reason, decoded);
    memcpy(instruction->code, code, bytes);
    instruction->length = (uint8_t)bytes;
    instruction->action = (uint8_t)action;
    instruction->is_exact = action != X86_ACCESS_ONLY;
    instruction->is_branch = (uint8_t)is_branch(action);
    instruction->is_repeated =
        is_string(action) && has(decoded, ZYDIS_ATTRIB_HAS_REP | ZYDIS_ATTRIB_HAS_REPE | ZYDIS_ATTRIB_HAS_REPNE);
    instruction->alignment = alignment_of(decoded);
    if (decoded->instruction.cpu_flags != NULL)
        instruction->undefined_flags = decoded->instruction.cpu_flags->undefined;
    return 0;
}

void x86_format(const struct x86_instruction *instruction, uint64_t rip, char *text)
{
    const struct x86_decoded *decoded = x86_decoded(instruction);
    ZydisFormatter formatter;

    text[0] = '\0';
    if (!ZYAN_SUCCESS(ZydisFormatterInit(&formatter, ZYDIS_FORMATTER_STYLE_INTEL)))
        return;
    ZydisFormatterSetProperty(&formatter, ZYDIS_FORMATTER_PROP_FORCE_SIZE, ZYAN_TRUE);
    ZydisFormatterFormatInstruction(&formatter, &decoded->instruction, decoded->operands,
                                    decoded->instruction.operand_count_visible, text, X86_TEXT_MAX, rip, NULL);
}
