/*
 * What the parts of the check of freestanding objects share. x86-64 objects are read as a linker reads them, each
 * function is followed instruction by instruction, and what the core promises not to do is looked for:
 *
 *   objects        sections, symbols, relocations; who stands behind a symbol (libelf)
 *   instructions   which instructions there may be at all (Zydis)
 *   flow           what registers and stack hold before each instruction of a function; whom it calls
 *   graph          the calls of all functions: no recursion, and how deep the stack becomes
 */
#ifndef CI_FREESTANDING_CHECK_H
#define CI_FREESTANDING_CHECK_H

#include <stddef.h>
#include <stdint.h>

#include <Zydis/Zydis.h>

struct object;
struct function;

struct section {
    struct object *object;
    const char *name;
    const uint8_t *bytes; /* null: all zeros, or nothing to read */
    uint64_t size;
    uint64_t flags; /* SHF_... */
    struct relocation *relocations;
    size_t relocation_count;
};

/* Where a symbol or a relocation leads. */
struct place {
    struct section *section; /* null: none of the objects has it */
    int64_t offset;          /* bytes from the start of the section */
    const char *outside;     /* its name then */
};

struct relocation {
    uint64_t offset; /* of the field, bytes from the start of its section */
    uint32_t type;   /* R_X86_64_... */
    int64_t addend;
    struct place symbol;
};

/* An instruction with what its relocations say. Places have their addends in them. */
struct instruction {
    struct section *section;
    uint64_t offset;
    ZydisDecodedInstruction decoded;
    ZydisDecodedOperand operands[ZYDIS_MAX_OPERAND_COUNT];
    struct place displacement; /* of its memory operand; .section and .outside null: no relocation */
    struct place immediate;    /* of its immediate operand, which may be that of a branch */
};

struct range {
    struct section *section;
    uint64_t begin, end;
};

/* A call or, if is_tail, a jump to another function, when the stack had grown by `depth` bytes since the entry. */
struct call {
    struct function *callee; /* null: one of the memory functions, or any handler of the table */
    int is_indirect;
    int is_tail;
    int64_t depth;
};

#define RANGES_MAX 4u

struct function {
    const char *name;
    struct object *object;
    struct range ranges[RANGES_MAX]; /* the first begins with its entry */
    unsigned range_count;
    struct instruction *instructions;
    size_t instruction_count;
    struct call *calls;
    size_t call_count;
    int64_t own_depth; /* the most bytes by which it lets the stack grow itself */
    /* For graph.c. */
    int64_t depth;
    const struct call *deepest;
    struct function *deepest_callee;
    int visit;
};

/* All objects together. */
struct program {
    struct object *objects;
    size_t object_count;
    struct function *functions;
    size_t function_count;
    struct range table; /* the call table; section null: there is none */
    struct function **handlers;
    size_t handler_count;
    unsigned findings;
};

struct object {
    const char *name;
    void *elf;
    struct section *sections; /* by number */
    size_t section_count;
    size_t symbols; /* number of the section of symbols; 0: none */
};

/* Prints what is wrong, and where: `function` and `instruction` may be null. Counts it. */
void complain(struct program *program, const struct object *object, const struct function *function,
              const struct instruction *instruction, const char *format, ...) __attribute__((format(printf, 5, 6)));

/* Memory that is never given back, zeroed; and an array with room for one element more. End the program if there is none. */
void *allocate(size_t count, size_t bytes);
void *grow(void *array, size_t count, size_t bytes);

/* May the objects rely on this symbol of someone else? */
int is_memory_function(const char *name);

/* Reads the objects, and complains of what sections and symbols show already. Ends the program if one cannot be read. */
void read_objects(struct program *program, char **paths, size_t count);
/* The function with this byte of code in it, or null. */
struct function *function_at(const struct program *program, const struct section *section, int64_t offset);

/* Decodes all code into the functions; complains of instructions that must not be, and of code outside functions. */
void read_instructions(struct program *program);

/* Fills in calls and own_depth of the function. */
void follow(struct program *program, struct function *function);

/* Complains of recursion; if there is none, prints the deepest stack. */
void judge_graph(struct program *program);

#endif
