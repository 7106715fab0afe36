/*
 * Checks that objects of x86-64, all those of a library, keep what the core promises to whoever embeds it:
 *
 *   no system call, interrupt, input, output, clock, thread-local or atomic instruction, and none but ordinary ones;
 *   no symbol from outside but memcpy, memmove, memset and memcmp, no call or jump elsewhere;
 *   no writable data, no pointer to code but in the object `call_table`, indirect calls through it only;
 *   no recursion; and it prints how deep the stack becomes.
 *
 *   freestanding OBJECT...    status 1 if something is not as it should be, 2 if an object cannot be read
 *
 * The objects are compiled with -fno-pic -fno-stack-protector -fno-jump-tables. The code is trusted to keep the calling
 * convention: it is a compiler's, and not made to deceive.
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "check.h"

void *allocate(size_t count, size_t bytes)
{
    void *memory = calloc(count > 0 ? count : 1, bytes);

    if (memory == NULL)
        abort();
    return memory;
}

/* The capacity is the next power of two. */
void *grow(void *array, size_t count, size_t bytes)
{
    if ((count & (count - 1)) != 0)
        return array;
    void *larger = realloc(array, (count > 0 ? 2 * count : 1) * bytes);
    if (larger == NULL)
        abort();
    return larger;
}

void complain(struct program *program, const struct object *object, const struct function *function,
              const struct instruction *instruction, const char *format, ...)
{
    va_list arguments;

    program->findings++;
    printf("%s: ", object->name);
    if (function != NULL)
        printf("%s: ", function->name);
    if (instruction != NULL)
        printf("%s+%#" PRIx64 ": ", instruction->section->name, instruction->offset);
    va_start(arguments, format);
    vprintf(format, arguments);
    va_end(arguments);
    printf("\n");
}

int main(int argc, char **argv)
{
    struct program program = {0};

    if (argc < 2) {
        fprintf(stderr, "usage: freestanding OBJECT...\n");
        return 2;
    }
    read_objects(&program, argv + 1, (size_t)(argc - 1));
    read_instructions(&program);
    for (size_t i = 0; i < program.function_count; i++)
        follow(&program, &program.functions[i]);
    judge_graph(&program);
    printf("%zu functions, %zu pointers in the call table, %u findings\n", program.function_count,
           program.handler_count, program.findings);
    return program.findings > 0;
}
