/*
 * Reads relocatable ELF objects of x86-64 with libelf: sections, symbols, relocations, functions, the call table.
 */
#include <fcntl.h>
#include <gelf.h>
#include <libelf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"

static const char *const memory_functions[] = {"memcpy", "memmove", "memset", "memcmp"};

int is_memory_function(const char *name)
{
    for (size_t i = 0; i < sizeof(memory_functions) / sizeof(memory_functions[0]); i++)
        if (strcmp(name, memory_functions[i]) == 0)
            return 1;
    return 0;
}

static _Noreturn void give_up(const char *path, const char *why)
{
    fprintf(stderr, "freestanding: %s: %s\n", path, why);
    exit(2);
}

/* ---- sections ---- */

static void read_section(struct object *object, Elf_Scn *scn)
{
    struct section *section = &object->sections[elf_ndxscn(scn)];
    size_t names = 0;
    GElf_Shdr header;

    if (elf_getshdrstrndx(object->elf, &names) != 0 || gelf_getshdr(scn, &header) == NULL)
        give_up(object->name, elf_errmsg(-1));
    section->object = object;
    section->name = elf_strptr(object->elf, names, header.sh_name);
    section->size = header.sh_size;
    section->flags = header.sh_flags;
    if (header.sh_type != SHT_NOBITS && header.sh_size > 0) {
        const Elf_Data *data = elf_getdata(scn, NULL);
        section->bytes = data == NULL ? NULL : data->d_buf;
    }
    if (header.sh_type == SHT_SYMTAB)
        object->symbols = elf_ndxscn(scn);
}

static void check_section(struct program *program, const struct section *section)
{
    const uint64_t writable = SHF_ALLOC | SHF_WRITE;

    if (section->flags & SHF_TLS)
        complain(program, section->object, NULL, NULL, "thread-local data: %s", section->name);
    else if ((section->flags & writable) == writable && section->size > 0)
        complain(program, section->object, NULL, NULL, "writable data: %s", section->name);
}

static void open_object(struct object *object, const char *path)
{
    int descriptor = open(path, O_RDONLY | O_CLOEXEC);
    GElf_Ehdr header;
    size_t count = 0;

    object->name = strrchr(path, '/') != NULL ? strrchr(path, '/') + 1 : path;
    if (descriptor < 0)
        give_up(path, "cannot be opened");
    object->elf = elf_begin(descriptor, ELF_C_READ, NULL);
    if (object->elf == NULL || gelf_getehdr(object->elf, &header) == NULL)
        give_up(path, elf_errmsg(-1));
    if (header.e_type != ET_REL || header.e_machine != EM_X86_64)
        give_up(path, "is no relocatable object of x86-64");
    if (elf_getshdrnum(object->elf, &count) != 0)
        give_up(path, elf_errmsg(-1));
    object->section_count = count;
    object->sections = allocate(count, sizeof(struct section));
    for (Elf_Scn *scn = elf_nextscn(object->elf, NULL); scn != NULL; scn = elf_nextscn(object->elf, scn))
        read_section(object, scn);
}

/* ---- symbols ---- */

struct symbol {
    GElf_Sym elf;
    const char *name;
};

static size_t symbol_count(const struct object *object)
{
    return object->symbols == 0 ? 0 : object->sections[object->symbols].size / sizeof(Elf64_Sym);
}

static struct symbol symbol_at(const struct object *object, size_t number)
{
    Elf_Scn *scn = elf_getscn(object->elf, object->symbols);
    Elf_Data *data = elf_getdata(scn, NULL);
    struct symbol symbol = {0};
    GElf_Shdr header;

    if (gelf_getshdr(scn, &header) == NULL || gelf_getsym(data, (int)number, &symbol.elf) == NULL)
        give_up(object->name, elf_errmsg(-1));
    symbol.name = elf_strptr(object->elf, header.sh_link, symbol.elf.st_name);
    return symbol;
}

static int is_defined(const struct object *object, const struct symbol *symbol)
{
    return symbol->elf.st_shndx != SHN_UNDEF && symbol->elf.st_shndx < object->section_count;
}

/* The place that another object gives the name, if one does. */
static struct place place_by_name(const struct program *program, const char *name)
{
    for (size_t i = 0; i < program->object_count; i++) {
        const struct object *object = &program->objects[i];
        for (size_t n = 1; n < symbol_count(object); n++) {
            struct symbol symbol = symbol_at(object, n);
            if (GELF_ST_BIND(symbol.elf.st_info) != STB_LOCAL && is_defined(object, &symbol) &&
                strcmp(symbol.name, name) == 0)
                return (struct place){.section = &object->sections[symbol.elf.st_shndx],
                                      .offset = (int64_t)symbol.elf.st_value};
        }
    }
    return (struct place){.outside = name};
}

static struct place place_of(const struct program *program, const struct object *object, size_t number)
{
    struct symbol symbol = symbol_at(object, number);

    if (is_defined(object, &symbol))
        return (struct place){.section = &object->sections[symbol.elf.st_shndx],
                              .offset = (int64_t)symbol.elf.st_value};
    return place_by_name(program, symbol.name);
}

static void check_symbol(struct program *program, const struct object *object, const struct symbol *symbol)
{
    if (symbol->elf.st_shndx == SHN_COMMON)
        complain(program, object, NULL, NULL, "writable data: %s", symbol->name);
    if (symbol->elf.st_shndx != SHN_UNDEF || is_memory_function(symbol->name))
        return;
    if (place_by_name(program, symbol->name).section == NULL)
        complain(program, object, NULL, NULL, "needs from outside: %s", symbol->name);
}

/* ---- functions ---- */

static struct function *function_named(const struct program *program, const struct object *object, const char *name,
                                       size_t length)
{
    for (size_t i = 0; i < program->function_count; i++) {
        struct function *function = &program->functions[i];
        if (function->object == object && strncmp(function->name, name, length) == 0 && function->name[length] == '\0')
            return function;
    }
    return NULL;
}

static void add_function(struct program *program, struct object *object, const char *name, struct range range)
{
    program->functions = grow(program->functions, program->function_count, sizeof(struct function));
    program->functions[program->function_count++] =
        (struct function){.name = name, .object = object, .ranges = {range}, .range_count = 1};
}

/* What gcc has moved out of a function because it is seldom needed, name.cold, is part of it. */
static void add_cold_part(struct program *program, struct object *object, const char *name, struct range range)
{
    struct function *function = function_named(program, object, name, (size_t)(strstr(name, ".cold") - name));

    if (function == NULL || function->range_count == RANGES_MAX)
        give_up(object->name, "a cold part without its function");
    function->ranges[function->range_count++] = range;
}

static void read_functions(struct program *program, struct object *object, int cold)
{
    for (size_t n = 1; n < symbol_count(object); n++) {
        struct symbol symbol = symbol_at(object, n);
        if (GELF_ST_TYPE(symbol.elf.st_info) != STT_FUNC || !is_defined(object, &symbol))
            continue;
        struct range range = {&object->sections[symbol.elf.st_shndx], symbol.elf.st_value,
                              symbol.elf.st_value + symbol.elf.st_size};
        if ((strstr(symbol.name, ".cold") != NULL) != cold)
            continue;
        if (cold)
            add_cold_part(program, object, symbol.name, range);
        else
            add_function(program, object, symbol.name, range);
    }
}

struct function *function_at(const struct program *program, const struct section *section, int64_t offset)
{
    for (size_t i = 0; i < program->function_count; i++) {
        struct function *function = &program->functions[i];
        for (unsigned n = 0; n < function->range_count; n++) {
            const struct range *range = &function->ranges[n];
            if (range->section == section && (int64_t)range->begin <= offset && offset < (int64_t)range->end)
                return function;
        }
    }
    return NULL;
}

static void find_table(struct program *program, struct object *object)
{
    for (size_t n = 1; n < symbol_count(object); n++) {
        struct symbol symbol = symbol_at(object, n);
        if (GELF_ST_TYPE(symbol.elf.st_info) == STT_OBJECT && strcmp(symbol.name, "call_table") == 0)
            program->table = (struct range){&object->sections[symbol.elf.st_shndx], symbol.elf.st_value,
                                            symbol.elf.st_value + symbol.elf.st_size};
    }
}

/* ---- relocations ---- */

static void read_relocations(struct program *program, struct object *object, Elf_Scn *scn)
{
    GElf_Shdr header;
    GElf_Rela rela;

    if (gelf_getshdr(scn, &header) == NULL || header.sh_type != SHT_RELA || header.sh_info >= object->section_count)
        return;
    struct section *section = &object->sections[header.sh_info];
    size_t count = header.sh_size / header.sh_entsize;
    section->relocations = allocate(count, sizeof(struct relocation));
    section->relocation_count = count;
    for (size_t i = 0; i < count; i++) {
        if (gelf_getrela(elf_getdata(scn, NULL), (int)i, &rela) == NULL)
            give_up(object->name, elf_errmsg(-1));
        section->relocations[i] = (struct relocation){.offset = rela.r_offset,
                                                      .type = (uint32_t)GELF_R_TYPE(rela.r_info),
                                                      .addend = rela.r_addend,
                                                      .symbol = place_of(program, object, GELF_R_SYM(rela.r_info))};
    }
}

static void add_handler(struct program *program, struct function *function)
{
    program->handlers = grow(program->handlers, program->handler_count, sizeof(struct function *));
    program->handlers[program->handler_count++] = function;
}

/* A pointer to code in data is allowed in the call table only, and leads to the entry of a handler. */
static void check_pointer(struct program *program, const struct section *section, const struct relocation *relocation)
{
    const struct place *symbol = &relocation->symbol;
    const struct range *table = &program->table;

    if (symbol->section == NULL || !(symbol->section->flags & SHF_EXECINSTR))
        return;
    int64_t offset = symbol->offset + relocation->addend;
    struct function *function = function_at(program, symbol->section, offset);
    if (section != table->section || relocation->offset < table->begin || relocation->offset >= table->end)
        complain(program, section->object, function, NULL, "its address is in data that is not the call table");
    else if (function == NULL || (int64_t)function->ranges[0].begin != offset)
        complain(program, section->object, function, NULL, "the call table leads into the middle of it");
    else
        add_handler(program, function);
}

static void check_pointers(struct program *program, const struct section *section)
{
    /* Tables for unwinding, which the embedder may drop, speak of all functions. */
    if (!(section->flags & SHF_ALLOC) || (section->flags & SHF_EXECINSTR) || strcmp(section->name, ".eh_frame") == 0)
        return;
    for (size_t i = 0; i < section->relocation_count; i++)
        check_pointer(program, section, &section->relocations[i]);
}

/* ---- all of it ---- */

static void check_object(struct program *program, const struct object *object)
{
    for (size_t n = 1; n < object->section_count; n++)
        check_section(program, &object->sections[n]);
    for (size_t n = 1; n < symbol_count(object); n++) {
        struct symbol symbol = symbol_at(object, n);
        check_symbol(program, object, &symbol);
    }
}

static void read_object(struct program *program, struct object *object)
{
    for (int cold = 0; cold <= 1; cold++)
        read_functions(program, object, cold);
    find_table(program, object);
    for (Elf_Scn *scn = elf_nextscn(object->elf, NULL); scn != NULL; scn = elf_nextscn(object->elf, scn))
        read_relocations(program, object, scn);
}

void read_objects(struct program *program, char **paths, size_t count)
{
    if (elf_version(EV_CURRENT) == EV_NONE)
        give_up("libelf", elf_errmsg(-1));
    program->objects = allocate(count, sizeof(struct object));
    program->object_count = count;
    for (size_t i = 0; i < count; i++)
        open_object(&program->objects[i], paths[i]);
    for (size_t i = 0; i < count; i++) {
        check_object(program, &program->objects[i]);
        read_object(program, &program->objects[i]);
    }
    for (size_t i = 0; i < count; i++)
        for (size_t n = 1; n < program->objects[i].section_count; n++)
            check_pointers(program, &program->objects[i].sections[n]);
}
