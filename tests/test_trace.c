/*
 * Traces as text: that what is read prints as it was, that every form of lines and values is read, and that what is no trace
 * is refused where it goes wrong. Running traces is the business of test_runner.c.
 */
#define _GNU_SOURCE /* nftw */

#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "harness/constants.h"
#include "harness/trace.h"
#include "tests/trace_support.h"

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

/* What a file of the corpus has before it has anything else. */
#define PREAMBLE                                                                                                       \
    "zx_port_create(0, &port) = ZX_OK\n"                                                                               \
    "zx_vmo_create(2p, 0, &vmo) = ZX_OK\n"

/* Reads the text, and prints it as `expected`, which prints as itself. */
static void check_prints(const char *text, const char *expected)
{
    struct trace *first = read_text(text);
    char *printed = print_trace(first);
    struct trace *second = read_text(printed);
    char *again = print_trace(second);

    assert_string_equal(printed, expected);
    assert_string_equal(again, expected);
    trace_free(first);
    trace_free(second);
    free(printed);
    free(again);
}

/* ---- the corpus ---- */

static unsigned corpus_files;

static int check_file(const char *path, const struct stat *about, int type, struct FTW *walk)
{
    size_t length = strlen(path);
    char *text;

    (void)about;
    (void)walk;
    if (type != FTW_F || length < 6 || strcmp(path + length - 6, ".trace") != 0)
        return 0;
    text = read_file(path, &length);
    check_prints(text, text);
    free(text);
    corpus_files++;
    return 0;
}

/* Our own printer wrote none of these files, so that this is no tautology. */
static void conformance_traces_print_as_they_are(void **state)
{
    (void)state;
    corpus_files = 0;
    assert_int_equal(nftw("corpus/conformance", check_file, 16, 0), 0);
    assert_true(corpus_files >= 150);
}

/* ---- what is read ---- */

static void lines_print_in_one_form(void **state)
{
    static const struct {
        const char *text, *printed;
    } rows[] = {
        {"", ""},
        {"\n", "\n"},
        {"  \t \n", "\n"},
        {"#c", "#c\n"},
        {"   # c  \n", "# c\n"},
        {"# \xc3\xa4 \"\\\n", "# \xc3\xa4 \"\\\n"},
        {"option page_size 0x10\noption read_batch 0\noption fail_codes kernel\noption supply_failure decommitted\n",
         "option page_size 16\noption read_batch 0\noption fail_codes kernel\noption supply_failure decommitted\n"},
        {"option fail_codes documented # c\n", "option fail_codes documented # c\n"},
        {"fail_alloc(1)=ZX_OK", "fail_alloc(1) = ZX_OK\n"},
        {"[main] fail_alloc( 1 )  =  ZX_OK", "fail_alloc(1)           = ZX_OK\n"}, /* the column stays */
        {"[main] fail_alloc( 1 ) =  ZX_OK", "fail_alloc(1) = ZX_OK\n"},
        {"[t1]fail_alloc(1) = ZX_OK|ZX_ERR_IO | ZX_ERR_*", "[t1] fail_alloc(1) = ZX_OK|ZX_ERR_IO|ZX_ERR_*\n"},
        {"fail_alloc(1) = _", "fail_alloc(1) = _\n"},
        {"fail_alloc(1)      = ZX_OK   # c", "fail_alloc(1)      = ZX_OK   # c\n"},
        {"zx_port_wait(event, ZX_TIME_INFINITE, _) <unfinished ...>\n<... zx_port_wait unfinished ...>\n"
         "<... zx_port_wait resumed> = ZX_OK",
         "zx_port_wait(event, ZX_TIME_INFINITE, _) <unfinished ...>\n<... zx_port_wait unfinished ...>\n"
         "<... zx_port_wait resumed> = ZX_OK\n"},
        {"[main] mem_read(0, _, 1)<unfinished...>\n[main]<...mem_read resumed>fill(1)=ZX_OK",
         "mem_read(0, _, 1) <unfinished ...>\n<... mem_read resumed> fill(1) = ZX_OK\n"},
        {"[a] mem_read(0, _, 1)\n[b] mem_write(4, _, 1) # c\n[b] --- ZX_EXCP_FATAL_PAGE_FAULT {} ---\n"
         "[a] --- ZX_EXCP_FATAL_PAGE_FAULT {code=ZX_ERR_NOT_FOUND|ZX_ERR_IO,addr=1+1} --- # c",
         "[a] mem_read(0, _, 1)\n[b] mem_write(4, _, 1) # c\n[b] --- ZX_EXCP_FATAL_PAGE_FAULT {} ---\n"
         "[a] --- ZX_EXCP_FATAL_PAGE_FAULT {addr=1+1, code=ZX_ERR_NOT_FOUND|ZX_ERR_IO} --- # c\n"},
        {"[t] mem_read(0, _, 1) <unfinished ...>\nthread_kill(t) = ZX_OK\nthread_kill(t) = ZX_OK\nthread_kill(u) = "
         "ZX_OK",
         "[t] mem_read(0, _, 1) <unfinished ...>\nthread_kill(t) = ZX_OK\nthread_kill(t) = ZX_OK\n"
         "thread_kill(u) = ZX_OK\n"},
    };

    (void)state;
    for (size_t i = 0; i < LENGTH(rows); i++)
        check_prints(rows[i].text, rows[i].printed);
}

/* One line for each call of the format's table, in all forms that its arguments have. */
static void every_call_is_read(void **state)
{
    static const char *const lines[] = {
        "zx_handle_close(vmo) = ZX_OK",
        "zx_handle_close_many([vmo, 0, port]) = ZX_OK",
        "zx_handle_close_many([]) = ZX_OK",
        "zx_handle_duplicate(vmo, ZX_RIGHT_SAME_RIGHTS, &a) = ZX_OK",
        "zx_handle_replace(vmo, ZX_RIGHTS_BASIC|ZX_RIGHT_READ, &vmo) = ZX_OK",
        "zx_object_get_info(vmo, ZX_INFO_HANDLE_VALID, {}) = ZX_OK",
        "zx_object_get_info(vmo, ZX_INFO_HANDLE_BASIC, {rights=&r, koid=_, type=ZX_OBJ_TYPE_VMO}) = ZX_OK",
        "zx_object_get_info(vmo, ZX_INFO_HANDLE_COUNT, {handle_count=1}) = ZX_OK",
        "zx_object_get_info(vmo, ZX_INFO_VMO, {name=\"a\", flags=ZX_INFO_VMO_TYPE_PAGED|ZX_INFO_VMO_VIA_HANDLE}) = "
        "ZX_OK",
        "zx_object_get_info(vmar, ZX_INFO_VMAR, {base=_, len=4p}) = ZX_OK",
        "zx_object_get_info(bti, ZX_INFO_BTI, {pmo_count=0, quarantine_count=0}) = ZX_OK",
        "zx_object_get_info(bti, 99, _) = ZX_ERR_NOT_SUPPORTED",
        "zx_object_get_property(vmo, ZX_PROP_NAME, [\"text\"]) = ZX_OK",
        "zx_object_get_property(vmo, ZX_PROP_VMO_CONTENT_SIZE, [1p-1]) = ZX_OK",
        "zx_object_get_property(vmo, ZX_PROP_VMO_CONTENT_SIZE, &size) = ZX_OK",
        "zx_object_get_property(vmo, ZX_PROP_VMO_CONTENT_SIZE, 0) = ZX_ERR_INVALID_ARGS",
        "zx_object_set_property(vmo, ZX_PROP_NAME, \"a text that is longer than any name may be\") = ZX_OK",
        "zx_object_set_property(vmo, ZX_PROP_VMO_CONTENT_SIZE, 17) = ZX_OK",
        "zx_object_set_property(vmo, 4, \"x\") = ZX_ERR_NOT_SUPPORTED",
        "zx_object_wait_one(event, ZX_EVENT_SIGNALED|ZX_USER_SIGNAL_0, 0, [0]) = ZX_ERR_TIMED_OUT",
        "zx_object_wait_one(event, ZX_EVENT_SIGNALED, ZX_TIME_INFINITE, &seen) = ZX_OK",
        "zx_object_wait_one(event, ZX_EVENT_SIGNALED, -1, 0) = ZX_OK",
        "zx_object_wait_async(event, port, 0xffffffffffffffff, ZX_EVENT_SIGNALED, ZX_WAIT_ASYNC_EDGE) = ZX_OK",
        "zx_object_signal(event, 0, ZX_EVENT_SIGNALED) = ZX_OK",
        "zx_event_create(0, &e) = ZX_OK",
        "zx_port_create(ZX_PORT_BIND_TO_INTERRUPT, _) = ZX_OK",
        "zx_port_wait(port, 0, {key=1, type=ZX_PKT_TYPE_USER, status=ZX_ERR_IO, u64=[1, _, &n, 0x4]}) = ZX_OK",
        "zx_port_wait(port, 0, {trigger=ZX_VMO_ZERO_CHILDREN, observed=8, count=1}) = ZX_OK",
        "zx_port_queue(port, {key=1, status=-1, u64=[1, 2, 3, 4]}) = ZX_OK",
        "zx_port_cancel(port, event, 1) = ZX_OK",
        "zx_pager_create(0, &pager) = ZX_OK",
        "zx_pager_create_vmo(port, ZX_VMO_RESIZABLE|ZX_VMO_TRAP_DIRTY, port, 1, 0-1p, &p) = ZX_OK",
        "zx_pager_detach_vmo(port, vmo) = ZX_OK",
        "zx_pager_supply_pages(port, vmo, 0, 2p, vmo, 1p) = ZX_OK",
        "zx_pager_op_range(port, ZX_PAGER_OP_FAIL, vmo, 0, 2p, ZX_ERR_IO) = ZX_OK",
        "zx_pager_op_range(port, ZX_PAGER_OP_WRITEBACK_BEGIN, vmo, 0, 2p, ZX_VMO_DIRTY_RANGE_IS_ZERO) = ZX_OK",
        "zx_pager_query_dirty_ranges(port, vmo, 0, 2p, [{offset=0, length=1p, options=0}, {offset=1p}], 2, [2], [2]) = "
        "ZX_OK",
        "zx_pager_query_dirty_ranges(port, vmo, 0, 2p, [], 2, &actual, 0) = ZX_OK",
        "zx_pager_query_dirty_ranges(port, vmo, 0, 2p, 0, 0, 0, _) = ZX_OK",
        "zx_pager_query_vmo_stats(port, vmo, ZX_PAGER_RESET_VMO_STATS, {modified=ZX_PAGER_VMO_STATS_MODIFIED}) = ZX_OK",
        "zx_vmo_create_contiguous(bti, 4p, 0, &c) = ZX_OK",
        "zx_vmo_create_physical(resource, 0x1000, 4p, &d) = ZX_OK",
        "zx_vmo_create_child(vmo, ZX_VMO_CHILD_SNAPSHOT|ZX_VMO_CHILD_NO_WRITE, 0, 1p, [7]) = ZX_OK",
        "zx_vmo_replace_as_executable(vmo, 0, &x) = ZX_OK",
        "zx_vmo_read(vmo, fill(0x11), 0, 1p) = ZX_OK",
        "zx_vmo_read(vmo, at(0x1000000+1p), 0, 1p) = ZX_OK",
        "zx_vmo_write(vmo, pages(0x11, 0), 0, 1p+1) = ZX_OK",
        "zx_vmo_write(vmo, at(0), 0, 1p) = ZX_ERR_NOT_FOUND",
        "zx_vmo_write(vmo, \"\\\\\\\"\\n\\t\\0\\x7F#\", 0, 7) = ZX_OK",
        "zx_vmo_transfer_data(vmo, 0, 0, 1p, vmo, 1p) = ZX_OK",
        "zx_vmo_get_size(vmo, [2p]) = ZX_OK",
        "zx_vmo_set_size(vmo, 3p) = ZX_OK",
        "zx_vmo_get_stream_size(vmo, _) = ZX_OK",
        "zx_vmo_set_stream_size(vmo, 3) = ZX_OK",
        "zx_vmo_set_cache_policy(vmo, ZX_CACHE_POLICY_UNCACHED_DEVICE) = ZX_OK",
        "zx_vmo_op_range(vmo, ZX_VMO_OP_LOCK, 0, 1p, {discarded_size=1p}) = ZX_OK",
        "zx_vmo_op_range(vmo, ZX_VMO_OP_LOCK, 0, 1p) = ZX_OK",
        "zx_vmar_map(vmar, ZX_VM_PERM_READ|ZX_VM_ALIGN_64KB, 0, vmo, 0, 1p, &addr) = ZX_OK",
        "zx_vmar_unmap(vmar, 0, 1p) = ZX_OK",
        "zx_vmar_protect(vmar, 0, 0, 1p) = ZX_OK",
        "zx_vmar_op_range(vmar, ZX_VMAR_OP_COMMIT, 0, 1p) = ZX_OK",
        "zx_vmar_allocate(vmar, ZX_VM_CAN_MAP_READ, 0, 1p, &sub, &base) = ZX_OK",
        "zx_vmar_destroy(vmar) = ZX_OK",
        "zx_bti_pin(bti, ZX_BTI_PERM_READ, vmo, 0, 1p, &pmt) = ZX_OK",
        "zx_pmt_unpin(vmo) = ZX_OK",
        "zx_bti_release_quarantine(bti) = ZX_OK",
        "mem_read(0, \"\", 0) = ZX_OK",
        "mem_write(0, pages(1), 0) = ZX_OK",
        "x86_exec(\"48 8b 03\", {rbx=1, xmm0=0x1, ymm15=0xff00000000000000000000000000000000}) = ZX_OK",
        "x86_exec(\"c3\", {}, {rax=_, rip=&rip, rflags=2, fs_base=0}) = ZX_OK",
        "fail_alloc(1) = ZX_OK",
        "reclaim(0xffffffffffffffff) = ZX_OK",
        "thread_kill(nobody) = ZX_OK",
        "check_invariants() = ZX_OK",
    };

    (void)state;
    for (size_t i = 0; i < LENGTH(lines); i++) {
        char text[400];
        snprintf(text, sizeof(text), PREAMBLE "%s\n", lines[i]);
        check_prints(text, text);
    }
}

static void values_are_what_they_say(void **state)
{
    static const struct {
        const char *text;
        uint64_t value;
    } rows[] = {
        {"12", 12},
        {"0x1f", 31},
        {"0x00000000000000000000001F", 31},
        {"18446744073709551615", UINT64_MAX},
        {"-3", UINT64_MAX - 2},
        {"-0x1", UINT64_MAX},
        {"4p", 64},
        {"0x10p", 256},
        {"1|2|4", 7},
        {"1 + 2 - 3 | 4", 4},
        {"1|2+2", 5}, /* left to right, one precedence */
        {"0-1p", UINT64_MAX - 15},
        {"1 - -1", 2},
        {"ZX_ERR_NO_MEMORY", UINT64_MAX - 3},
        {"ZX_RIGHT_SAME_RIGHTS", 0x80000000},
        {"ZX_TIME_INFINITE", INT64_MAX},
        {"ZX_VM_ALIGN_4GB", 0x20000000},
        {"ZX_INFO_VMO", 0x20000017},
    };

    (void)state;
    for (size_t i = 0; i < LENGTH(rows); i++) {
        char text[200];
        uint64_t value = 0;
        struct trace *trace;
        snprintf(text, sizeof(text), "option page_size 16\nreclaim(%s) = ZX_OK\n", rows[i].text);
        trace = read_text(text);
        assert_int_equal(trace_evaluate(trace, trace_lines(trace)->next->args, NULL, &value, NULL), 0);
        assert_int_equal(value, rows[i].value);
        trace_free(trace);
    }
}

/* ---- what is refused ---- */

static void bad_lines_are_refused_where_they_go_wrong(void **state)
{
    static const struct {
        const char *text;
        unsigned line, column;
        const char *message;
    } rows[] = {
        {"zx_foo()", 1, 1, "expected the name of a call, found 'zx_foo'"},
        {"resume() = ZX_OK", 1, 1, "expected the name of a call"},
        {"mem_prepare({}) = ZX_OK", 1, 1, "expected the name of a call"},
        {"fail_alloc(1)", 1, 14, "expected '= STATUS' or '<unfinished ...>', found the end of the line"},
        {"fail_alloc(1) ZX_OK", 1, 15, "found 'ZX_OK'"},
        {"fail_alloc(1) = ", 1, 17, "expected a status, found the end of the line"},
        {"fail_alloc(1) = ZX_RIGHT_READ", 1, 17, "expected ZX_OK, ZX_ERR_..., ZX_ERR_* or _"},
        {"fail_alloc(1) = 0", 1, 17, "expected a status"},
        {"fail_alloc(1) = ZX_OK x", 1, 23, "expected the end of the line, found 'x'"},
        {"fail_alloc(1) = _|ZX_OK", 1, 18, "expected the end of the line"},
        {"fail_alloc() = ZX_OK", 1, 12, "expected a value"},
        {"fail_alloc(1, 2) = ZX_OK", 1, 13, "expected ')'"},
        {"fail_alloc(1 = ZX_OK", 1, 14, "expected ')', found '='"},
        {"fail_alloc 1", 1, 12, "expected '('"},
        {"fail_alloc(x) = ZX_OK", 1, 12, "expected a name that an earlier line binds, found 'x'"},
        {"fail_alloc(_) = ZX_OK", 1, 12, "stands for an output only"},
        {"fail_alloc(&x) = ZX_OK", 1, 12, "expected a value, found '&'"},
        {"fail_alloc(ZX_NO_SUCH) = ZX_OK", 1, 12, "expected a constant that a call takes, found 'ZX_NO_SUCH'"},
        {"fail_alloc(18446744073709551616) = ZX_OK", 1, 12, "at most 64 bits"},
        {"fail_alloc(0x10000000000000000) = ZX_OK", 1, 12, "at most 64 bits"},
        {"fail_alloc(0x10000000000000p) = ZX_OK", 1, 12, "at most 64 bits in bytes"},
        {"fail_alloc(0x) = ZX_OK", 1, 14, "expected a hexadecimal digit behind '0x'"},
        {"fail_alloc(12x) = ZX_OK", 1, 14, "expected the end of the number, found 'x'"},
        {"fail_alloc(1|) = ZX_OK", 1, 14, "expected a value"},
        {"fail_alloc(1*2) = ZX_OK", 1, 13, "expected ')'"},
        {"fail_alloc(- 1) = ZX_OK", 1, 14, "expected a digit behind '-'"},
        {"\n# c\nzx_port_create(1+0xffffffff, _) = ZX_OK", 3, 16, "expected a value of at most 32 bits"},
        {"zx_port_create(-1, _) = ZX_OK", 1, 16, "expected a value of at most 32 bits"},
        {"zx_handle_close(0x100000000) = ZX_OK", 1, 17, "expected a value of at most 32 bits"},
        {"zx_port_create(0, 0) = ZX_OK", 1, 19, "expected &name, _ or [value]"},
        {"zx_port_create(0, x) = ZX_OK", 1, 19, "expected &name, _ or [value]"},
        {"zx_port_create(0, &ZX_OK) = ZX_OK", 1, 20, "expected a name behind '&'"},
        {"zx_port_create(0, &_) = ZX_OK", 1, 20, "expected a name behind '&'"},
        {"zx_port_create(0, [1, 2]) = ZX_OK", 1, 21, "expected ']'"},
        {"zx_port_create(0, &x) = ZX_ERR_IO\nzx_handle_close(x) = ZX_OK", 2, 17, "earlier line binds, found 'x'"},
        {"zx_vmo_get_size(event, 2p) = ZX_OK", 1, 24, "expected &name, _, [value] or 0"},
        {"zx_object_get_info(event, ZX_INFO_VMAR, {koid=1}) = ZX_OK", 1, 42,
         "a field of zx_info_vmar_t: base, len; found 'koid'"},
        {"zx_object_get_info(event, ZX_INFO_VMAR, {base=1, base=1}) = ZX_OK", 1, 50, "expected each field once"},
        {"zx_object_get_info(event, ZX_INFO_VMAR, [1]) = ZX_OK", 1, 41, "expected '{' or _"},
        {"zx_object_get_info(event, ZX_INFO_HANDLE_VALID, {koid=1}) = ZX_OK", 1, 50, "found 'koid'"},
        {"zx_object_get_info(event, ZX_INFO_HANDLE_BASIC, {type=0x100000000}) = ZX_OK", 1, 55, "at most 32 bits"},
        {"zx_object_get_property(event, ZX_PROP_NAME, [1]) = ZX_OK", 1, 46, "expected a string"},
        {"zx_object_get_property(event, ZX_PROP_NAME, [\"123456789012345678901234567890123\"]) = ZX_OK", 1, 46,
         "expected a name of at most 32 bytes"},
        {"zx_object_set_property(event, ZX_PROP_VMO_CONTENT_SIZE, \"x\") = ZX_OK", 1, 57, "expected a value"},
        {"zx_port_wait(event, 0, {key=1, u64=[1, 2, 3]}) = ZX_OK", 1, 44, "one more value"},
        {"zx_port_wait(event, 0, {command=1, u64=[1, 2, 3, 4]}) = ZX_OK", 1, 36, "fields of one kind of packet"},
        {"zx_port_wait(event, 0, {command=0x10000}) = ZX_OK", 1, 33, "at most 16 bits"},
        {"zx_port_queue(event, {key=_}) = ZX_OK", 1, 27, "stands for an output only"},
        {"zx_port_queue(event, _) = ZX_OK", 1, 22, "expected '{'"},
        {"zx_vmo_read(event, fill(256), 0, 1) = ZX_OK", 1, 25, "expected a byte, of at most 255"},
        {"zx_vmo_read(event, fill(1, 2), 0, 1) = ZX_OK", 1, 26, "expected ')'"},
        {"zx_vmo_read(event, pages(1, 2), 0, 1p) = ZX_OK", 1, 20, "at most the call's length, 4096 bytes"},
        {"zx_vmo_read(event, \"ab\", 0, 1) = ZX_OK", 1, 20, "at most the call's length, 1 bytes"},
        {"zx_vmo_read(event, \"a\\q\", 0, 1) = ZX_OK", 1, 22, "expected one of the escapes"},
        {"zx_vmo_read(event, \"a\\x4\", 0, 1) = ZX_OK", 1, 22, "expected one of the escapes"},
        {"zx_vmo_read(event, \"a, 0, 1) = ZX_OK", 1, 20, "expected a '\"' that ends the string"},
        {"zx_vmo_read(event, x, 0, 1) = ZX_OK", 1, 20, "at(ADDR) or _, found 'x'"},
        {"mem_read(0, at(0), 1) = ZX_OK", 1, 13, "expected fill(B), pages(B, ...), \"text\" or _"},
        {"zx_vmo_op_range(event, ZX_VMO_OP_COMMIT, 0, 1p, {size=1}) = ZX_OK", 1, 49, "only ZX_VMO_OP_LOCK"},
        {"x86_exec(\"48 8\", {}) = ZX_OK", 1, 10, "bytes of two hexadecimal digits"},
        {"x86_exec(\"\", {}) = ZX_OK", 1, 10, "1 to 15 bytes"},
        {"x86_exec(\"c3\", {xmm0=0x111111111111111111111111111111111}) = ZX_OK", 1, 22, "1 to 32 hexadecimal digits"},
        {"x86_exec(\"c3\", {ymm0=1}) = ZX_OK", 1, 22, "expected a hexadecimal number"},
        {"option page_size 24", 1, 18, "a power of two from 16"},
        {"option page_size 8", 1, 18, "a power of two from 16"},
        {"option page_size", 1, 17, "expected a number"},
        {"option read_batch 0x100000000", 1, 19, "at most 32 bits"},
        {"option fail_codes all", 1, 19, "expected documented or kernel, found 'all'"},
        {"option speed 1", 1, 8, "expected page_size, read_batch, fail_codes or supply_failure, found 'speed'"},
        {"option read_batch 1\noption read_batch 1", 2, 8, "expected each option once"},
        {"fail_alloc(1) = ZX_OK\noption read_batch 1", 2, 1, "options stand before the first one"},
        {"[t1 fail_alloc(1) = ZX_OK", 1, 5, "expected ']'"},
        {"[] fail_alloc(1) = ZX_OK", 1, 2, "expected the name of a thread"},
        {"[t1]", 1, 5, "expected a call, '<...' or '---'"},
        {"= ZX_OK", 1, 1, "expected a call, an option or '[thread]', found '='"},
        {"[t] <... zx_vmo_read resumed> = ZX_OK", 1, 10, "expected a call: t is in none"},
        {"[t] zx_bti_release_quarantine(bti) <unfinished ...>\n[t] fail_alloc(1) = ZX_OK", 2, 5,
         "expected the end of t's zx_bti_release_quarantine of line 1 before its next call"},
        {"[t] fail_alloc(1) <unfinished ...>\n[t] <... reclaim resumed> = ZX_OK", 2, 10,
         "expected 'fail_alloc', the call"},
        {"[t] fail_alloc(1) <unfinished ...>\n[t] <... fail_alloc resumed> fill(1) = ZX_OK", 2, 30, "reads no buffer"},
        {"[t] fail_alloc(1) <unfinished ...>\n[t] <... fail_alloc done>", 2, 21,
         "expected 'resumed>' or 'unfinished ...>'"},
        {"[t] fail_alloc(1) <unfinished ..>", 1, 31, "expected '...>'"},
        {"[t] mem_read(0, _, 2) <unfinished ...>\n[t] <... mem_read resumed> \"abc\" = ZX_OK", 2, 28,
         "at most the call's length"},
        {"[t] mem_read(0, _, 2)\n[t] fail_alloc(1) = ZX_OK", 2, 5, "expected the end of t's mem_read of line 1"},
        {"[t] mem_read(0, _, 2)\n[t] <... mem_read resumed> = ZX_OK", 2, 10,
         "expected the exception of the access in line 1"},
        {"[t] fail_alloc(1) <unfinished ...>\n[t] --- ZX_EXCP_FATAL_PAGE_FAULT {} ---", 2, 5, "in no access"},
        {"[t] mem_read(0, _, 2)\n[t] --- ZX_EXCP_FATAL_PAGE_FAULT {} ---\n[t] fail_alloc(1) = ZX_OK", 3, 5,
         "t has ended in line 2"},
        {"[t] mem_read(0, _, 2)\n[t] --- ZX_EXCP_FATAL_PAGE_FAULT {size=1} ---", 2, 35, "expected addr or code"},
        {"[t] mem_read(0, _, 2)\n[t] --- ZX_EXCP_FATAL_PAGE_FAULT {code=5} ---", 2, 40, "expected a status"},
        {"[t] mem_read(0, _, 2)\n[t] --- ZX_EXCP_OTHER {} ---", 2, 9, "expected ZX_EXCP_FATAL_PAGE_FAULT"},
        {"thread_kill(t) = ZX_OK\n[t] fail_alloc(1) = ZX_OK", 2, 5, "t has ended in line 1"},
        {"fail_alloc(1) = ZX_OK\r\n", 1, 22, "control character 0x0d (lines end with a line feed alone)"},
        {"# \x1b[31m", 1, 3, "control character 0x1b"},
        {"\xff", 1, 1, "found the byte 0xff"},
    };

    (void)state;
    for (size_t i = 0; i < LENGTH(rows); i++) {
        struct trace_error error = {0};
        struct trace *trace = trace_read(rows[i].text, strlen(rows[i].text), &error);
        if (trace != NULL)
            fail_msg("was read:\n%s", rows[i].text);
        if (error.line != rows[i].line || error.column != rows[i].column ||
            strstr(error.message, rows[i].message) == NULL)
            fail_msg("%u:%u: %s\nexpected %u:%u: %s\nin:\n%s", error.line, error.column, error.message, rows[i].line,
                     rows[i].column, rows[i].message, rows[i].text);
    }
}

static void a_zero_byte_is_refused(void **state)
{
    struct trace_error error = {0};

    (void)state;
    assert_null(trace_read("fail_alloc(1) = ZX_OK\0\n", 23, &error));
    assert_int_equal(error.column, 22);
    assert_non_null(strstr(error.message, "control character 0x00"));
}

/* Long lines and many of them cost what they hold. */
static void large_traces_are_read(void **state)
{
    char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);
    struct trace *trace;
    char *printed;

    (void)state;
    assert_non_null(out);
    for (unsigned i = 0; i < 50000; i++)
        fprintf(out, "[t%u] zx_event_create(%u, &e%u) = ZX_OK\n", i, i, i);
    fputs("zx_handle_close_many([e0", out);
    for (unsigned i = 1; i < 50000; i++)
        fprintf(out, ", e%u", i);
    fputs("]) = ZX_OK\nreclaim(1", out);
    for (unsigned i = 1; i < 50000; i++)
        fputs("+1", out);
    fputs(") = ZX_OK\n", out);
    fclose(out);
    trace = read_text(text);
    printed = print_trace(trace);
    assert_string_equal(printed, text);
    trace_free(trace);
    free(printed);
    free(text);
}

/* ---- constants ---- */

static void values_print_by_their_meaning(void **state)
{
    static const struct {
        unsigned domain;
        uint64_t value;
        const char *text;
    } rows[] = {
        {PGR_DOMAIN_RIGHTS, 0, "0"},
        {PGR_DOMAIN_RIGHTS, 0xc, "ZX_RIGHT_READ|ZX_RIGHT_WRITE"},
        {PGR_DOMAIN_RIGHTS, 0x80000000, "ZX_RIGHT_SAME_RIGHTS"},
        {PGR_DOMAIN_RIGHTS, 0x40000004, "ZX_RIGHT_READ|0x40000000"},
        {PGR_DOMAIN_PAGER_VMO_OPTIONS, 10, "ZX_VMO_RESIZABLE|ZX_VMO_TRAP_DIRTY"},
        {PGR_DOMAIN_VM_OPTIONS, 0x10000003, "ZX_VM_PERM_READ|ZX_VM_PERM_WRITE|ZX_VM_ALIGN_64KB"},
        {PGR_DOMAIN_VM_OPTIONS, 0xff000001, "ZX_VM_PERM_READ|0xff000000"},
        {PGR_DOMAIN_PAGER_OP, 1, "ZX_PAGER_OP_FAIL"},
        {PGR_DOMAIN_PAGER_OP, 9, "9"},
        {PGR_DOMAIN_PAGER_OP_DATA, (uint64_t)(int64_t)ZX_ERR_IO, "ZX_ERR_IO"},
        {PGR_DOMAIN_PAGER_OP_DATA, 1, "1"},
        {PGR_DOMAIN_DEADLINE, INT64_MAX, "ZX_TIME_INFINITE"},
        {PGR_DOMAIN_DEADLINE, 0, "0"},
        {PGR_DOMAIN_NUMBER, 32, "32"},
        {PGR_DOMAIN_NUMBER, 0x123456, "0x123456"},
        {CONSTANT_PACKET_COMMAND, 0, "ZX_PAGER_VMO_READ"},
        {CONSTANT_BYTES, 0, "0"},
        {CONSTANT_BYTES, 4096, "1p"},
        {CONSTANT_BYTES, 4097, "4097"},
        {CONSTANT_BYTES, UINT64_MAX - 4095, "0-1p"},
        {CONSTANT_BYTES, UINT64_MAX, "0xffffffffffffffff"},
        {CONSTANT_ADDRESS, 4096, "0x1000"},
    };
    char text[CONSTANT_TEXT_MAX];

    (void)state;
    for (size_t i = 0; i < LENGTH(rows); i++)
        assert_string_equal(constant_format(text, rows[i].domain, rows[i].value, 4096), rows[i].text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(conformance_traces_print_as_they_are),
        cmocka_unit_test(lines_print_in_one_form),
        cmocka_unit_test(every_call_is_read),
        cmocka_unit_test(values_are_what_they_say),
        cmocka_unit_test(bad_lines_are_refused_where_they_go_wrong),
        cmocka_unit_test(a_zero_byte_is_refused),
        cmocka_unit_test(large_traces_are_read),
        cmocka_unit_test(values_print_by_their_meaning),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
