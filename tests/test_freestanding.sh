#!/bin/bash
# Feeds the program that reads the core's x86-64 objects (ci/freestanding/) small objects, each of which breaks one
# rule, and sees each refused with the right words; and clean ones, which it must accept, with the right depth of the
# stack. Closes with a count.
#
# shellcheck disable=SC2016  # the dollars are the assembler's
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=tests/checks.sh
source tests/checks.sh

# The objects are gcc's: which instructions a compiler makes of these sources is part of the test.
compiler=(gcc -std=gnu11 -ffreestanding -O2 -fno-pic -fno-stack-protector -fno-jump-tables
    -fno-asynchronous-unwind-tables)

# examine NAME: compiles standard input, with the options in `extra`, and lets the tool read the object.
extra=()
examine()
{
    local name=$1
    cat >"$work/$name.c"
    "${compiler[@]}" "${extra[@]}" -c "$work/$name.c" -o "$work/$name.o"
    status=0
    output=$("$work/tool" "$work/$name.o") || status=$?
}

tell()
{
    if [[ $3 == 0 ]]; then
        pass
    else
        fail "$1: $2; the tool said (status $status):" "$output"
    fi
}

# refuses NAME WORDS: the object of standard input is refused, and the words are in what the tool says.
refuses()
{
    local wrong=0
    examine "$1"
    [[ $status == 1 && $output == *"$2"* ]] || wrong=1
    tell "$1" "it should say: $2" "$wrong"
}

# accepts NAME WORDS
accepts()
{
    local wrong=0
    examine "$1"
    [[ $status == 0 && $output == *"$2"* ]] || wrong=1
    tell "$1" "it should be accepted, with: $2" "$wrong"
}

# refuses_instruction NAME WORDS ASSEMBLY: a function of this one instruction.
refuses_instruction()
{
    refuses "$1" "$2" <<<"void f(void) { __asm__ volatile(\"$3\"); }"
}

try_instructions()
{
    refuses_instruction syscall "a system call" "syscall"
    refuses_instruction sysenter "a system call" "sysenter"
    refuses_instruction int80 "an interrupt" 'int $0x80'
    refuses_instruction int3 "an interrupt" "int3"
    refuses_instruction iretq "an interrupt" "iretq"
    refuses_instruction inb "input or output" 'inb $0x60, %al'
    refuses_instruction outb "input or output" 'outb %al, %dx'
    refuses_instruction rep_outsb "input or output" "rep outsb"
    refuses_instruction rdtsc "a clock" "rdtsc"
    refuses_instruction rdtscp "a clock" "rdtscp"
    refuses_instruction rdpmc "a clock" "rdpmc"
    refuses_instruction fs_load "thread-local" 'movq %fs:0, %rax'
    refuses_instruction gs_store "thread-local" 'movq %rax, %gs:(%rdi)'
    refuses_instruction rdfsbase "thread-local" 'rdfsbase %rax'
    refuses_instruction lock_add "atomic" 'lock addl $1, (%rdi)'
    refuses_instruction xchg_memory "atomic" 'xchgl %eax, (%rdi)'
    refuses_instruction cmpxchg "atomic" 'cmpxchgl %ecx, (%rdi)'
    refuses_instruction mfence "atomic" "mfence"
    refuses_instruction pause "atomic" "pause"
    refuses_instruction hlt "privileged" "hlt"
    refuses_instruction wrmsr "privileged" "wrmsr"
    refuses_instruction far_return "a far branch" "lretq"
    refuses_instruction cpuid "not ordinary computation" "cpuid"
    refuses_instruction rdrand "not ordinary computation" 'rdrand %rax'
    refuses_instruction vmcall "not ordinary computation" "vmcall"
    refuses_instruction xsave "not ordinary computation" 'xsave (%rdi)'
    refuses_instruction x87 "not ordinary computation" "fld1"
    refuses_instruction no_instruction "is no instruction" '.byte 0x06'
    refuses_instruction fixed_address "uses memory at a fixed address" 'movl %eax, 0x1000'
}

try_compiled_instructions()
{
    refuses atomic_builtin "atomic" <<<'int f(int *p) { return __atomic_fetch_add(p, 1, __ATOMIC_SEQ_CST); }'
    refuses time_stamp_builtin "a clock" <<<'unsigned long long f(void) { return __builtin_ia32_rdtsc(); }'
    refuses thread_variable "thread-local data" <<<'static _Thread_local int n = 1; int f(void) { return n++; }'
    refuses thread_access "thread-local" <<<'extern _Thread_local int n; int f(void) { return n; }'
}

try_symbols()
{
    refuses outside_call "leaves the library for puts" \
        <<<'int puts(const char *); int f(void) { return 1 + puts("x"); }'
    refuses outside_jump "leaves the library for puts" <<<'int puts(const char *); int f(void) { return puts("x"); }'
    refuses outside_data "needs from outside: environ" <<<'extern char **environ; char **f(void) { return environ; }'
    refuses unused_symbol "needs from outside: unused" \
        <<<'void f(void) { __asm__(".globl unused\n.reloc ., R_X86_64_NONE, unused"); }'
    refuses data "writable data: .data" <<<'int counter = 1; int f(void) { return ++counter; }'
    refuses zeroed_data "writable data: .bss" <<<'static int counter; int f(void) { return ++counter; }'
    extra=(-fcommon)
    refuses common_data "writable data: counter" <<<'int counter; int f(void) { return ++counter; }'
    extra=(-fstack-protector-all)
    refuses stack_protector "thread-local" <<<'int f(int *p) { return *p; }'
    extra=(-fpic)
    refuses position_independent "asks more of a linker" <<<'extern const int x; int f(void) { return x; }'
    extra=()
    refuses constructor "writable data: .init_array" <<<'__attribute__((constructor)) void f(void) { __asm__ volatile("nop"); }'
    refuses outside_of_functions "code that belongs to no function" \
        <<<'__asm__(".text\nnowhere: movl $1, %eax; ret"); void f(void) { }'
}

try_pointers()
{
    refuses pointer_argument "an indirect call" <<<'int f(int (*g)(void)) { return 1 + g(); }'
    refuses pointer_jump "an indirect jump" <<<'int f(int (*g)(void)) { return g(); }'
    refuses other_table "data that is not the call table" <<'TEXT'
static int one(void) { return 1; }
static int two(void) { return 2; }
static int (*const other_table[])(void) = {one, two};
int f(unsigned n) { return 1 + other_table[n & 1](); }
TEXT
    refuses address_taken "takes the address of code" <<'TEXT'
__attribute__((noinline)) static int one(void) { return 1; }
int (*f(void))(void) { return one; }
TEXT
    refuses address_taken_relatively "takes the address of code" <<'TEXT'
__attribute__((noinline, used)) static int one(void) { return 1; }
void *f(void) { void *p; __asm__("lea one(%%rip), %0" : "=r"(p)); return p; }
TEXT
    refuses table_beside "an indirect call" <<'TEXT'
static int one(void) { return 1; }
int (*const call_table[])(void) = {one};
int f(unsigned n, int (*g)(void)) { return 1 + (n & 1 ? g : call_table[0])(); }
TEXT
    refuses middle_of_function "not the entry of a function" <<'TEXT'
__attribute__((noinline, used)) static int one(void) { return 1; }
void f(void) { __asm__ volatile("call one + 1"); }
TEXT
    refuses middle_of_instruction "into the middle of an instruction" \
        <<<'void f(void) { __asm__ volatile("1: jmp 1b + 1"); }'
    refuses falls_off "goes on behind its end" \
        <<<'__asm__(".type f, @function\nf: nop\n.size f, . - f");'
}

try_recursion()
{
    refuses itself "recursion: it calls f, which is itself" <<<'int f(int n) { return n < 2 ? n : f(n - 1) * f(n - 2); }'
    refuses each_other "recursion: it calls" <<'TEXT'
int g(int n);
__attribute__((noinline)) int f(int n) { return n < 2 ? n : 3 * g(n - 1); }
__attribute__((noinline)) int g(int n) { return n < 3 ? n : 5 * f(n - 2); }
TEXT
    refuses through_the_table "recursion: it calls" <<'TEXT'
int dispatch(unsigned n);
static int one(unsigned n) { return 1 + (int)n; }
static int two(unsigned n) { return 1 + dispatch(n / 2); }
static int (*const call_table[])(unsigned) = {one, two};
int dispatch(unsigned n) { return 3 * call_table[n & 1](n); }
TEXT
}

try_stack()
{
    refuses variable_array "moves the stack pointer to a place that is not known" <<'TEXT'
__attribute__((noinline)) static int use(char *p) { return *p; }
int f(unsigned n) { char a[n]; a[n - 1] = 1; return 1 + use(a); }
TEXT
    refuses uneven "the height of the stack depends on the path" \
        <<<'void f(int n) { __asm__ volatile("test %0, %0\n je 1f\n push %%rax\n 1: nop" : : "r"(n)); }'
    refuses not_popped "returns with a stack of another height" <<<'void f(void) { __asm__ volatile("push %rax"); }'
}

try_clean()
{
    accepts leaf "deepest stack: 8 bytes" <<<'int f(int n) { return n + 1; }'
    accepts memory_functions "deepest stack: 24 bytes" <<'TEXT'
void *memcpy(void *, const void *, unsigned long);
int f(char *to, const char *from, unsigned long n) { memcpy(to, from, n); return 1; }
TEXT
    accepts trap "0 findings" <<<'int f(int n) { if (n > 3) __builtin_trap(); return n; }'
    accepts red_zone "deepest stack: 72 bytes" <<<'void f(void) { __asm__ volatile("movq %rax, -64(%rsp)"); }'
    # Room for the array, 16 bytes to align it, and 8 for the return address of g, which uses its red zone.
    accepts deep "f 1024 > g 2008" <<'TEXT'
#define KEEP(array) __asm__ volatile("" : : "r"(array) : "memory")
__attribute__((noinline)) static int g(void) { char b[2000]; KEEP(b); return b[1] + 1; }
int f(void) { char a[1000]; KEEP(a); return 1 + g() + a[0]; }
TEXT
    accepts aligned "0 findings" <<'TEXT'
int f(void) { _Alignas(64) char a[64]; __asm__ volatile("" : : "r"(a) : "memory"); return a[0]; }
TEXT
    accepts table "2 pointers in the call table" <<'TEXT'
struct row { const char *name; int (*function)(int); };
__attribute__((noinline)) static int one(int n) { return n + 1; }
__attribute__((noinline)) static int two(int n) { return n * 2; }
static const struct row call_table[] = {{"one", one}, {"two", two}};
int f(unsigned n)
{
    const struct row *row = &call_table[n & 1];
    return row->function(1) + row->function(2) + row->name[0];
}
TEXT
}

# Two objects of which each calls the other: only both together have the recursion.
try_two_objects()
{
    local wrong=0
    echo 'int b(int n); int a(int n) { return n < 2 ? n : 3 * b(n - 1); }' >"$work/a.c"
    echo 'int a(int n); int b(int n) { return n < 3 ? n : 5 * a(n - 2); }' >"$work/b.c"
    "${compiler[@]}" -c "$work/a.c" -o "$work/a.o"
    "${compiler[@]}" -c "$work/b.c" -o "$work/b.o"
    status=0
    output=$("$work/tool" "$work/a.o" "$work/b.o") || status=$?
    [[ $status == 1 && $output == *"recursion: it calls a, which leads to it"* ]] || wrong=1
    tell "two objects" "it should see the recursion" "$wrong"
    status=0 wrong=0
    output=$("$work/tool" "$work/a.c" 2>&1) || status=$?
    [[ $status == 2 ]] || wrong=1
    tell "no object" "its status should be 2" "$wrong"
}

main()
{
    if [[ $(uname -m) != x86_64 ]]; then
        skip_all "it is x86-64's instructions that are read"
    fi
    ci/freestanding.sh tool "$work/tool"
    try_instructions
    try_compiled_instructions
    try_symbols
    try_pointers
    try_recursion
    try_stack
    try_clean
    try_two_objects
    finish
}

main
