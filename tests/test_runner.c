/*
 * Running, recording and being recorded: that a trace's first difference is found and told, that `record` writes what really
 * happened, and that what the recorder prints is a trace that runs.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "harness/recorder.h"
#include "harness/runner.h"
#include "tests/trace_support.h"

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

/* A pager VMO of four pages behind a port, and an aux VMO with two pages written. Eight lines. */
#define PAGER                                                                                                          \
    "zx_port_create(0, &port) = ZX_OK\n"                                                                               \
    "zx_pager_create(0, &pager) = ZX_OK\n"                                                                             \
    "zx_pager_create_vmo(pager, ZX_VMO_RESIZABLE, port, 7, 4p, &vmo) = ZX_OK\n"                                        \
    "zx_vmo_create(4p, 0, &aux) = ZX_OK\n"                                                                             \
    "zx_vmo_write(aux, pages(0x11, 0x22), 0, 2p) = ZX_OK\n"
#define READ_REQUEST                                                                                                   \
    "zx_port_wait(port, 0, {key=7, type=ZX_PKT_TYPE_PAGE_REQUEST, command=ZX_PAGER_VMO_READ, offset=0, length=1p}) = " \
    "ZX_OK\n"

/* Runs the text; `said` gets what was printed, to be freed. */
static enum run_verdict run_text(const char *text, struct run_options options, char **said)
{
    struct trace *trace = read_text(text);
    size_t length = 0;
    enum run_verdict verdict;

    *said = NULL;
    options.name = "x";
    options.out = open_memstream(said, &length);
    assert_non_null(options.out);
    verdict = run_trace(trace, &options);
    if (options.record)
        trace_write(trace, options.out);
    fclose(options.out);
    trace_free(trace);
    return verdict;
}

static void check_passes(const char *text)
{
    char *said;
    enum run_verdict verdict = run_text(text, (struct run_options){0}, &said);

    if (verdict != RUN_PASSED)
        fail_msg("%s\nof:\n%s", said, text);
    assert_string_equal(said, "");
    free(said);
}

static void check_fails(const char *text, const char *expected)
{
    char *said;
    enum run_verdict verdict = run_text(text, (struct run_options){0}, &said);

    assert_int_equal(verdict, RUN_FAILED);
    assert_string_equal(said, expected);
    free(said);
}

/* Recording gives this, and what it gives passes. */
static void check_records(const char *text, const char *expected)
{
    char *recorded;

    assert_int_equal(run_text(text, (struct run_options){.record = 1}, &recorded), RUN_PASSED);
    assert_string_equal(recorded, expected);
    check_passes(recorded);
    free(recorded);
}

/* ---- running ---- */

static void what_is_as_expected_passes(void **state)
{
    static const char *const texts[] = {
        "",
        PAGER "[t] zx_vmo_read(vmo, _, 0, 1p) <unfinished ...>\n[t] <... zx_vmo_read unfinished ...>\n" READ_REQUEST
              "zx_pager_supply_pages(pager, vmo, 0, 2p, aux, 0) = ZX_OK\n"
              "[t] <... zx_vmo_read resumed> fill(0x11) = ZX_OK\n"
              "[t] zx_vmo_read(vmo, pages(0x11, 0x22), 0, 2p) = ZX_OK\n",
        PAGER "[t] zx_vmo_read(vmo, pages(0x11, 0x22), 0, 2p) <unfinished ...>\n"
              "zx_pager_supply_pages(pager, vmo, 0, 2p, aux, 0) = ZX_OK|ZX_ERR_IO\n",
        "zx_vmo_create(1p, 0, &v) = ZX_OK\nzx_vmo_write(v, _, 0, 300) = ZX_OK\nzx_vmo_read(v, \"Z[\\\\]\", 0, 4) = "
        "ZX_OK\n"
        "zx_vmo_read(v, \"\\x59Z[\", 255, 3) = ZX_OK\n",
        "zx_vmo_create(1p, 0, &v) = ZX_OK\nzx_object_get_info(v, ZX_INFO_HANDLE_BASIC, {rights=&r, koid=&k}) = ZX_OK\n"
        "zx_handle_duplicate(v, r, &w) = ZX_OK\nzx_object_get_info(w, ZX_INFO_HANDLE_BASIC, {rights=r, koid=k}) = "
        "ZX_OK\n"
        "zx_handle_duplicate(v, r-ZX_RIGHT_READ, &w) = ZX_OK\nzx_vmo_read(w, _, 0, 1) = ZX_ERR_*\n"
        "zx_handle_close_many([v, w]) = ZX_OK\nzx_handle_close(v) = _\n",
        "option page_size 16\nzx_vmo_create(3p, 0, &v) = ZX_OK\nzx_vmo_get_size(v, [48]) = ZX_OK\nzx_vmo_get_size(v, "
        "&s) = ZX_OK\n"
        "zx_vmo_write(v, pages(1, 2, 3), 0, s) = ZX_OK\nzx_vmo_read(v, \"\\x01\\x02\", 15, 2) = ZX_OK\n",
        "zx_object_wait_one(event, ZX_EVENT_SIGNALED, 0, 0) = ZX_ERR_TIMED_OUT\n"
        "[t] zx_object_wait_one(event, ZX_EVENT_SIGNALED, ZX_TIME_INFINITE, [ZX_EVENT_SIGNALED]) <unfinished ...>\n"
        "zx_object_signal(event, 0, ZX_EVENT_SIGNALED) = ZX_OK\n[t] <... zx_object_wait_one resumed> = ZX_OK\n",
        /* A binding that fails leaves the old one. */
        "zx_vmo_create(1p, 0, &v) = ZX_OK\nzx_vmo_create(1p, 0xff, &v) = _\nzx_vmo_get_size(v, [1p]) = ZX_OK\n",
        /* What blocks binds when it completes. */
        PAGER "[t] zx_bti_pin(bti, ZX_BTI_PERM_READ, vmo, 0, 1p, &pmt) <unfinished ...>\n"
              "zx_pager_supply_pages(pager, vmo, 0, 1p, aux, 0) = ZX_OK\nzx_pmt_unpin(pmt) = ZX_OK\n",
        /* A thread's number is free again when it is gone; its name is not. */
        PAGER "[a] zx_vmo_read(vmo, _, 0, 1p) <unfinished ...>\nthread_kill(a) = ZX_OK\nthread_kill(a) = ZX_OK\n"
              "[b] zx_vmo_read(vmo, _, 0, 1p) <unfinished ...>\nthread_kill(nobody) = ZX_OK\n[b] <... zx_vmo_read "
              "unfinished ...>\n",
        "zx_port_create(0, &p) = ZX_OK\nzx_port_queue(p, {key=5, status=ZX_ERR_IO, u64=[1, 2, 3, 0-1]}) = ZX_OK\n"
        "zx_port_wait(p, 0, {status=ZX_ERR_IO, u64=[1, &two, 3, _], key=5, type=ZX_PKT_TYPE_USER}) = ZX_OK\n"
        "zx_port_queue(p, {key=two}) = ZX_OK\nzx_port_wait(p, 0, {key=2}) = ZX_OK\nzx_port_wait(p, 0, _) = "
        "ZX_ERR_TIMED_OUT\n",
    };

    (void)state;
    for (size_t i = 0; i < LENGTH(texts); i++)
        check_passes(texts[i]);
}

static void the_first_difference_is_told(void **state)
{
    static const struct {
        const char *text, *said;
    } rows[] = {
        {"# c\nzx_vmo_create(1p, 0, &v)   = ZX_ERR_IO # c\n",
         "x:2: not as expected\n    expected: zx_vmo_create(1p, 0, &v) = ZX_ERR_IO\n"
         "    actual:   zx_vmo_create(1p, 0, &v) = ZX_OK\n"},
        {"zx_vmo_create(1p, 0, &v) = ZX_OK\n[t] zx_vmo_get_size(v, [2p]) = ZX_OK\n",
         "x:2: not as expected\n    expected: [t] zx_vmo_get_size(v, [2p]) = ZX_OK\n"
         "    actual:   [t] zx_vmo_get_size(v, [1p]) = ZX_OK\n"},
        {"zx_vmo_create(1p, 0, &v) = ZX_OK\nzx_object_get_info(v, ZX_INFO_VMO, {size_bytes=2p, committed_bytes=0, "
         "koid=_}) = ZX_OK\n",
         "x:2: not as expected\n"
         "    expected: zx_object_get_info(v, ZX_INFO_VMO, {size_bytes=2p, committed_bytes=0, koid=_}) = ZX_OK\n"
         "    actual:   zx_object_get_info(v, ZX_INFO_VMO, {size_bytes=1p, committed_bytes=0, koid=_}) = ZX_OK\n"},
        {"zx_vmo_create(1p, 0, &v) = ZX_OK\nzx_vmo_write(v, \"ab\", 1, 2) = ZX_OK\nzx_vmo_read(v, \"ab\", 0, 4) = "
         "ZX_OK\n",
         "x:3: not as expected\n    expected: zx_vmo_read(v, \"ab\", 0, 4) = ZX_OK\n"
         "    actual:   zx_vmo_read(v, \"\\x00ab\", 0, 4) = ZX_OK\n"
         "    note:     the buffer differs from byte 0 on: expected 0x61, found 0x00\n"},
        {PAGER "zx_vmo_read(vmo, fill(1), 0, 1p) = ZX_OK\n",
         "x:6: not as expected\n    expected: zx_vmo_read(vmo, fill(1), 0, 1p) = ZX_OK\n"
         "    actual:   zx_vmo_read(vmo, fill(1), 0, 1p) <unfinished ...>\n"},
        {"zx_vmo_create(1p, 0, &v) = ZX_OK\n[t] zx_vmo_read(v, _, 0, 1p) <unfinished ...>\n",
         "x:2: not as expected\n    expected: [t] zx_vmo_read(v, _, 0, 1p) <unfinished ...>\n"
         "    actual:   [t] zx_vmo_read(v, _, 0, 1p) = ZX_OK\n"},
        {PAGER "[t] zx_vmo_read(vmo, _, 0, 1p) <unfinished ...>\n[t] <... zx_vmo_read resumed> = ZX_OK\n",
         "x:7: not as expected\n    expected: [t] <... zx_vmo_read resumed> = ZX_OK\n"
         "    actual:   [t] <... zx_vmo_read unfinished ...>\n"},
        {PAGER "[t] zx_vmo_read(vmo, _, 0, 1p) <unfinished ...>\nzx_pager_op_range(pager, ZX_PAGER_OP_FAIL, vmo, 0, "
               "1p, ZX_ERR_IO) = ZX_OK\n"
               "[t] <... zx_vmo_read unfinished ...>\n",
         "x:8: not as expected\n    expected: [t] <... zx_vmo_read unfinished ...>\n"
         "    actual:   [t] <... zx_vmo_read resumed> = ZX_ERR_IO\n"},
        {PAGER
         "[t] zx_vmo_read(vmo, _, 0, 1p) <unfinished ...>\nzx_pager_supply_pages(pager, vmo, 0, 1p, aux, 0) = ZX_OK\n"
         "[t] <... zx_vmo_read resumed> fill(0x12) = ZX_OK\n",
         "x:8: not as expected\n    expected: [t] <... zx_vmo_read resumed> fill(0x12) = ZX_OK\n"
         "    actual:   [t] <... zx_vmo_read resumed> fill(0x11) = ZX_OK\n"
         "    note:     the buffer differs from byte 0 on: expected 0x12, found 0x11\n"},
        {"zx_port_create(0, &p) = ZX_OK\n[t] zx_port_wait(p, ZX_TIME_INFINITE, {key=4}) <unfinished ...>\n"
         "zx_port_queue(p, {key=5}) = ZX_OK\n[t] <... zx_port_wait resumed> = ZX_OK\n",
         "x:2: not as expected\n    expected: [t] zx_port_wait(p, ZX_TIME_INFINITE, {key=4}) <unfinished ...>\n"
         "    actual:   [t] zx_port_wait(p, ZX_TIME_INFINITE, {key=5}) <unfinished ...>\n"
         "    note:     its outputs when it completed, in line 3\n"},
        {"zx_vmo_create(1p, 0xff, &v) = _\nzx_handle_close(v) = _\n",
         "x:2: not as expected\n    expected: zx_handle_close(v) = _\n    note:     v has no value\n"},
        {"zx_vmo_create(1p, 0, &v) = ZX_OK\nzx_vmo_get_size(v, &s) = ZX_OK\nzx_vmo_read(v, \"abc\", 0, s-1p+2) = "
         "ZX_OK\n",
         "x:3: not as expected\n    expected: zx_vmo_read(v, \"abc\", 0, s-1p+2) = ZX_OK\n"
         "    actual:   zx_vmo_read(v, fill(0), 0, s-1p+2) = ZX_OK\n"
         "    note:     the content is longer than the call's 2 bytes\n"},
        {"x86_exec(\"f4\", {}) = ZX_OK\n", "x:1: not as expected\n    expected: x86_exec(\"f4\", {}) = ZX_OK\n"
                                           "    note:     hlt: it is not in the list of instructions\n"},
        {"x86_exec(\"48 8b 03\", {rbx=0x800000000000}) = ZX_OK\n",
         "x:1: not as expected\n    expected: x86_exec(\"48 8b 03\", {rbx=0x800000000000}) = ZX_OK\n"
         "    note:     mov rax, qword ptr [rbx]: 8 bytes at 0x800000000000: the address is not canonical\n"},
        {"x86_exec(\"48 ff c0\", {rax=1}, {rax=3, rip=_}) = ZX_OK\n",
         "x:1: not as expected\n    expected: x86_exec(\"48 ff c0\", {rax=1}, {rax=3, rip=_}) = ZX_OK\n"
         "    actual:   x86_exec(\"48 ff c0\", {rax=1}, {rax=2, rip=_}) = ZX_OK\n"},
        {"x86_exec(\"0f 28 c1\", {xmm1=0x12}, {ymm0=0x13}) = ZX_OK\n",
         "x:1: not as expected\n    expected: x86_exec(\"0f 28 c1\", {xmm1=0x12}, {ymm0=0x13}) = ZX_OK\n"
         "    actual:   x86_exec(\"0f 28 c1\", {xmm1=0x12}, {ymm0=0x12}) = ZX_OK\n"},
        {"[t] x86_exec(\"50\", {rsp=0x100}) = ZX_OK\n",
         "x:1: not as expected\n    expected: [t] x86_exec(\"50\", {rsp=0x100}) = ZX_OK\n"
         "    actual:   [t] x86_exec(\"50\", {rsp=0x100})\n"
         "              [t] --- ZX_EXCP_FATAL_PAGE_FAULT {addr=0xf8, code=ZX_ERR_NOT_FOUND} ---\n"},
    };

    (void)state;
    for (size_t i = 0; i < LENGTH(rows); i++)
        check_fails(rows[i].text, rows[i].said);
}

static void without_a_hook_no_invariant_is_violated(void **state)
{
    char *said;

    (void)state;
    assert_int_equal(run_text("check_invariants() = ZX_OK\n", (struct run_options){.verbose = 1}, &said), RUN_PASSED);
    assert_string_equal(said, "check_invariants() = ZX_OK\n");
    free(said);
}

static int refuse(void *context, const pgr_world *world, const void *frames, char *message, size_t bytes)
{
    assert_non_null(world);
    assert_non_null(frames);
    ++*(int *)context;
    snprintf(message, bytes, "Q1: all is lost");
    return -1;
}

static void a_violated_invariant_is_told(void **state)
{
    int asked = 0;
    char *said;
    struct run_options options = {.check = refuse, .check_context = &asked};

    (void)state;
    assert_int_equal(run_text("[t] check_invariants() = ZX_OK\n", options, &said), RUN_FAILED);
    assert_string_equal(said, "x:1: not as expected\n    expected: [t] check_invariants() = ZX_OK\n"
                              "    note:     Q1: all is lost\n");
    assert_int_equal(asked, 1);
    free(said);
}

static void verbose_shows_each_line_with_its_result(void **state)
{
    char *said;

    (void)state;
    assert_int_equal(
        run_text("option page_size 16\n# c\nzx_vmo_create(1p, 0, &v) = _ # d\nzx_vmo_read(v, _, 0, 1p) = _\n"
                 "zx_vmo_get_size(v, [2]) = ZX_OK\nzx_handle_close(v) = ZX_OK\n",
                 (struct run_options){.verbose = 1}, &said),
        RUN_FAILED);
    assert_string_equal(said, "option page_size 16\n# c\nzx_vmo_create(1p, 0, &v) = ZX_OK # d\n"
                              "zx_vmo_read(v, fill(0), 0, 1p) = ZX_OK\nzx_vmo_get_size(v, [1p]) = ZX_OK\n"
                              "x:5: not as expected\n    expected: zx_vmo_get_size(v, [2]) = ZX_OK\n"
                              "    actual:   zx_vmo_get_size(v, [1p]) = ZX_OK\n");
    free(said);
}

/* ---- recording ---- */

static void record_fills_in_what_came(void **state)
{
    (void)state;
    check_records("# c\nzx_vmo_create(1p, 0, &v)        = _ # d\nzx_vmo_get_size(v, _)           = ZX_ERR_*\n\n"
                  "zx_vmo_read(v, _, 1, 3)         = ZX_OK|ZX_ERR_IO\nzx_vmo_read(v, fill(7), 1p, 3)  = ZX_OK\n"
                  "zx_object_get_info(v, ZX_INFO_HANDLE_COUNT, _) = _\n",
                  "# c\nzx_vmo_create(1p, 0, &v)        = ZX_OK # d\nzx_vmo_get_size(v, [1p])        = ZX_OK\n\n"
                  "zx_vmo_read(v, fill(0), 1, 3)   = ZX_OK\nzx_vmo_read(v, _, 1p, 3)        = ZX_ERR_OUT_OF_RANGE\n"
                  "zx_object_get_info(v, ZX_INFO_HANDLE_COUNT, {handle_count=1}) = ZX_OK\n");
    check_records("zx_port_create(0, &p) = ZX_OK\nzx_port_queue(p, {key=1, u64=[1, 2, 3, 4]}) = ZX_OK\n"
                  "zx_port_wait(p, 0, _) = _\nzx_object_set_property(bti, ZX_PROP_NAME, \"a \\\"b\\\"\") = _\n"
                  "zx_object_get_property(bti, ZX_PROP_NAME, _) = _\nzx_object_wait_one(event, ZX_EVENT_SIGNALED, 0, "
                  "_) = ZX_OK\n",
                  "zx_port_create(0, &p) = ZX_OK\nzx_port_queue(p, {key=1, u64=[1, 2, 3, 4]}) = ZX_OK\n"
                  "zx_port_wait(p, 0, {key=1, type=ZX_PKT_TYPE_USER, u64=[1, 2, 3, 4]}) = ZX_OK\n"
                  "zx_object_set_property(bti, ZX_PROP_NAME, \"a \\\"b\\\"\") = ZX_OK\n"
                  "zx_object_get_property(bti, ZX_PROP_NAME, [\"a \\\"b\\\"\"]) = ZX_OK\n"
                  "zx_object_wait_one(event, ZX_EVENT_SIGNALED, 0, [0]) = ZX_ERR_TIMED_OUT\n");
}

/* A call that was not expected to block, and one that was. */
static void record_tells_what_blocked(void **state)
{
    (void)state;
    check_records(PAGER
                  "[t] zx_vmo_read(vmo, _, 0, 1p) = ZX_OK\nzx_port_wait(port, 0, _) = _\n"
                  "zx_pager_supply_pages(pager, vmo, 0, 2p, aux, 0) = ZX_OK\n[t] zx_vmo_read(vmo, _, 1p, 1p) = ZX_OK\n",
                  PAGER "[t] zx_vmo_read(vmo, _, 0, 1p) <unfinished ...>\n" READ_REQUEST
                        "zx_pager_supply_pages(pager, vmo, 0, 2p, aux, 0) = ZX_OK\n"
                        "[t] <... zx_vmo_read resumed> fill(0x11) = ZX_OK\n"
                        "[t] zx_vmo_read(vmo, fill(0x22), 1p, 1p) = ZX_OK\n");
    check_records(PAGER "zx_pager_supply_pages(pager, vmo, 0, 2p, aux, 0) = ZX_OK\n"
                        "[t] zx_vmo_read(vmo, _, 0, 1p) <unfinished ...>\n"
                        "[t] <... zx_vmo_read resumed> fill(1) = ZX_OK # c\n[t] fail_alloc(0) = _\n",
                  PAGER "zx_pager_supply_pages(pager, vmo, 0, 2p, aux, 0) = ZX_OK\n"
                        "[t] zx_vmo_read(vmo, fill(0x11), 0, 1p) = ZX_OK\n# c\n[t] fail_alloc(0) = ZX_OK\n");
    check_records(PAGER "[t] zx_vmo_read(vmo, _, 0, 1p) <unfinished ...>\n[t] <... zx_vmo_read resumed> = ZX_OK\n"
                        "zx_pager_supply_pages(pager, vmo, 0, 2p, aux, 0) = ZX_OK\n",
                  PAGER "[t] zx_vmo_read(vmo, _, 0, 1p) <unfinished ...>\n[t] <... zx_vmo_read unfinished ...>\n"
                        "zx_pager_supply_pages(pager, vmo, 0, 2p, aux, 0) = ZX_OK\n"
                        "[t] <... zx_vmo_read resumed> fill(0x11) = ZX_OK\n");
    check_records(PAGER "[t] zx_vmo_read(vmo, _, 0, 1p) = ZX_OK\n[t] fail_alloc(0) = ZX_OK\n",
                  PAGER "[t] zx_vmo_read(vmo, _, 0, 1p) <unfinished ...>\n"
                        "# not run, t is still in zx_vmo_read: [t] fail_alloc(0) = ZX_OK\n");
    check_records("zx_vmo_create(1p, 0xff, &v) = ZX_OK\nzx_handle_close(v) = ZX_OK # c\n",
                  "zx_vmo_create(1p, 0xff, &v) = ZX_ERR_INVALID_ARGS\n# not run, v has no value: zx_handle_close(v) = "
                  "ZX_OK # c\n");
}

/* ---- being recorded ---- */

struct recorded_world {
    void *block, *frames;
    pgr_world *world;
    pgr_config config;
    struct recorder *recorder;
    FILE *out;
    char *text;
    size_t length;
    uint8_t buffers[4][64];
};

static void open_world(struct recorded_world *w)
{
    uint64_t bytes;
    pgr_start start;

    *w = (struct recorded_world){0};
    pgr_config_default(&w->config);
    w->config.page_shift = 4;
    w->config.thread_count = 4;
    bytes = pgr_world_bytes(&w->config);
    w->block =
        aligned_alloc(PGR_WORLD_ALIGNMENT, (bytes + PGR_WORLD_ALIGNMENT - 1) & ~(uint64_t)(PGR_WORLD_ALIGNMENT - 1));
    w->frames = malloc(pgr_frames_bytes(&w->config));
    assert_int_equal(pgr_init(w->block, bytes, &w->config, &w->world), ZX_OK);
    pgr_start_handles(w->world, &start);
    w->out = open_memstream(&w->text, &w->length);
    w->recorder = recorder_new(&w->config, &start, w->out);
    assert_non_null(w->recorder);
    recorder_watch(w->recorder, w->world);
}

static void close_world(struct recorded_world *w)
{
    recorder_free(w->recorder);
    fclose(w->out);
    free(w->text);
    free(w->block);
    free(w->frames);
}

static uint64_t dispatch(struct recorded_world *w, pgr_call call)
{
    pgr_result result;

    pgr_dispatch(w->world, w->frames, &call, &result);
    recorder_call(w->recorder, &call, &result);
    for (unsigned i = 0; i < PGR_ARGS_MAX; i++)
        if (result.out[i] != 0)
            return result.out[i];
    return 0;
}

#define CALL(name, at_thread, ...)                                                                                     \
    dispatch(&w, (pgr_call){.number = PGR_CALL_##name, .thread = at_thread, .arg = {__VA_ARGS__}})
#define CALL_WITH(name, at_thread, memory, ...)                                                                        \
    dispatch(&w, (pgr_call){.number = PGR_CALL_##name,                                                                 \
                            .thread = at_thread,                                                                       \
                            .buffer = memory,                                                                          \
                            .buffer_bytes = sizeof(memory),                                                            \
                            .arg = {__VA_ARGS__}})

static void what_is_recorded_runs(void **state)
{
    struct recorded_world w;
    uint64_t port, pager, vmo, aux;

    (void)state;
    open_world(&w);
    port = CALL(PORT_CREATE, 0, 0);
    pager = CALL(PAGER_CREATE, 0, 0);
    vmo = CALL(PAGER_CREATE_VMO, 0, pager, ZX_VMO_RESIZABLE, port, 7, 64);
    aux = CALL(VMO_CREATE, 0, 64, 0);
    memset(w.buffers[0], 0x11, 16);
    memset(w.buffers[0] + 16, 0x22, 16);
    CALL_WITH(VMO_WRITE, 0, w.buffers[0], aux, 0, 0, 32);
    CALL_WITH(VMO_READ, 1, w.buffers[1], vmo, 0, 0, 16);
    CALL(BTI_PIN, 2, 0, ZX_BTI_PERM_READ, vmo, 0, 16);
    CALL(PORT_WAIT, 0, port, 0);
    CALL(PAGER_SUPPLY_PAGES, 0, pager, vmo, 0, 32, aux, 0);
    CALL_WITH(RESUME, 1, w.buffers[1], 0);
    CALL_WITH(VMO_READ, 1, w.buffers[1], vmo, 0, 48, 16);
    CALL(THREAD_KILL, 0, 1);
    CALL_WITH(VMO_READ, 1, w.buffers[1], vmo, 0, 8, 16);
    CALL(HANDLE_DUPLICATE, 0, vmo, 0, ZX_RIGHT_SAME_RIGHTS);
    CALL(HANDLE_CLOSE, 0, 12345);
    CALL(FAIL_ALLOC, 1, 0); /* its thread is blocked */
    CALL(PROCESS_EXIT, 0, 0);
    CALL(PORT_CREATE, 0, 0);
    fflush(w.out);
    assert_non_null(strstr(w.text, "option page_size 16\n"));
    assert_non_null(strstr(w.text, "[t1] zx_vmo_read(vmo1, _, 0, 1p)"));
    assert_non_null(strstr(w.text, "zx_vmo_write(aux1, pages(0x11, 0x22), 0, 2p)"));
    assert_non_null(strstr(w.text, "zx_handle_close(12345)"));
    assert_non_null(strstr(w.text, "[t1_2] zx_vmo_read("));
    assert_non_null(strstr(w.text, "[exit1] thread_kill(t1_2)"));
    assert_non_null(strstr(w.text, "[t0_2] zx_port_create("));
    check_passes(w.text);
    close_world(&w);
}

static void resuming_late_is_marked(void **state)
{
    struct recorded_world w;
    uint64_t port;

    (void)state;
    open_world(&w);
    port = CALL(PORT_CREATE, 0, 0);
    CALL(PORT_WAIT, 1, port, ZX_TIME_INFINITE);
    CALL_WITH(PORT_QUEUE, 0, w.buffers[0], port);
    fflush(w.out);
    assert_null(strstr(w.text, "# resumed out of order"));
    CALL(FAIL_ALLOC, 0, 0);
    CALL(RESUME, 1, 0);
    CALL(RESUME, 3, 0);
    fflush(w.out);
    assert_non_null(strstr(w.text, "# resumed out of order"));
    assert_non_null(strstr(w.text, "# refused with ZX_ERR_"));
    assert_non_null(strstr(w.text, "[t1] <... zx_port_wait resumed>"));
    close_world(&w);
}

static void a_call_that_does_not_return_is_marked(void **state)
{
    struct recorded_world w;
    pgr_call call = {.number = PGR_CALL_VMO_CREATE, .arg = {16, ZX_VMO_RESIZABLE}};

    (void)state;
    open_world(&w);
    recorder_call(w.recorder, &call, NULL);
    fflush(w.out);
    assert_non_null(strstr(w.text, "zx_vmo_create(1p, ZX_VMO_RESIZABLE, _)"));
    assert_non_null(strstr(w.text, "# did not return\n"));
    check_passes(w.text);
    close_world(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_as_expected_passes),
        cmocka_unit_test(the_first_difference_is_told),
        cmocka_unit_test(without_a_hook_no_invariant_is_violated),
        cmocka_unit_test(a_violated_invariant_is_told),
        cmocka_unit_test(verbose_shows_each_line_with_its_result),
        cmocka_unit_test(record_fills_in_what_came),
        cmocka_unit_test(record_tells_what_blocked),
        cmocka_unit_test(what_is_recorded_runs),
        cmocka_unit_test(resuming_late_is_marked),
        cmocka_unit_test(a_call_that_does_not_return_is_marked),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
