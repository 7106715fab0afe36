/*
 * Comparing implementations in process: a tiny port passes, and each kind of mistake that one can make is found, told at
 * the right call, and not mistaken for a freedom that the specification leaves.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "harness/diff_allowed.h"
#include "harness/diff_program.h"
#include "harness/diff_trace.h"
#include "harness/examples/sample_port.h"
#include "harness/implementation_core.h"
#include "harness/runner.h"
#include "tests/trace_support.h"

static const struct diff_options strict = {.strict = 1, .look_every = 1};
static const struct diff_options lenient = {.look_every = 1};

/* ---- a core that makes a mistake ---- */

struct broken;

/* Each may be null: as the core does it. */
struct mistake {
    void (*before)(struct broken *broken, pgr_call *call);                          /* it hears something else */
    void (*after)(struct broken *broken, const pgr_call *call, pgr_result *result); /* it says something else */
    uint32_t (*released)(struct broken *broken);
    void (*look)(struct broken *broken, uint64_t page, struct implementation_page *view);
    void (*configure)(pgr_config *config);
};

struct broken {
    struct implementation interface;
    struct implementation *core;
    const struct mistake *mistake;
    uint32_t packets;    /* of page requests that were received */
    uint32_t in_call[8]; /* the call that each thread is blocked in */
};

static int broken_reset(void *self, const pgr_config *config, pgr_start *start)
{
    struct broken *broken = self;
    pgr_config changed = *config;

    broken->packets = 0;
    if (broken->mistake->configure != NULL)
        broken->mistake->configure(&changed);
    return broken->core->reset(broken->core->self, &changed, start);
}

static void broken_call(void *self, const pgr_call *call, pgr_result *result)
{
    struct broken *broken = self;
    pgr_call changed = *call;

    if (broken->mistake->before != NULL)
        broken->mistake->before(broken, &changed);
    broken->core->call(broken->core->self, &changed, result);
    if (broken->mistake->after != NULL)
        broken->mistake->after(broken, call, result);
}

static void broken_resume(void *self, uint32_t thread, void *buffer, uint64_t bytes, pgr_result *result)
{
    struct broken *broken = self;
    pgr_call call = {.thread = thread, .buffer = buffer, .buffer_bytes = bytes};

    broken->core->resume(broken->core->self, thread, buffer, bytes, result);
    call.number = result->call;
    if (broken->mistake->after != NULL)
        broken->mistake->after(broken, &call, result);
}

static uint32_t broken_released(void *self)
{
    struct broken *broken = self;

    return broken->mistake->released != NULL ? broken->mistake->released(broken)
                                             : broken->core->released(broken->core->self);
}

static int broken_vmo(void *self, zx_handle_t vmo, struct implementation_vmo *view)
{
    struct broken *broken = self;

    return broken->core->vmo(broken->core->self, vmo, view);
}

static int broken_page(void *self, zx_handle_t vmo, uint64_t page, struct implementation_page *view)
{
    struct broken *broken = self;
    int is_there = broken->core->page(broken->core->self, vmo, page, view);

    if (is_there && broken->mistake->look != NULL)
        broken->mistake->look(broken, page, view);
    return is_there;
}

static void broken_end(void *self)
{
    struct broken *broken = self;

    implementation_end(broken->core);
    free(broken);
}

static struct implementation *broken_new(const struct mistake *mistake)
{
    struct broken *broken = calloc(1, sizeof(*broken));

    assert_non_null(broken);
    broken->core = implementation_core();
    assert_non_null(broken->core);
    broken->mistake = mistake;
    broken->interface = (struct implementation){.name = "broken core",
                                                .self = broken,
                                                .reset = broken_reset,
                                                .call = broken_call,
                                                .resume = broken_resume,
                                                .released = broken_released,
                                                .vmo = broken_vmo,
                                                .page = broken_page,
                                                .end = broken_end};
    return &broken->interface;
}

/* ---- comparing with it ---- */

static enum diff_verdict compare(const char *text, struct implementation *second, const struct diff_options *options,
                                 struct diff_report *report)
{
    struct implementation *core = implementation_core();
    struct trace *trace = read_text(text);
    enum diff_verdict verdict = diff_trace(trace, core, second, options, NULL, report);

    trace_free(trace);
    implementation_end(core);
    return verdict;
}

static void check_same(const char *text, const struct mistake *mistake, const struct diff_options *options)
{
    struct implementation *broken = broken_new(mistake);
    struct diff_report report;
    enum diff_verdict verdict = compare(text, broken, options, &report);

    if (verdict != DIFF_SAME)
        fail_msg("line %u: %s\n%s", report.line, report.difference.text, report.recorded);
    assert_int_equal(report.skipped, 0);
    free(report.recorded);
    implementation_end(broken);
}

static void check_found(const char *text, const struct mistake *mistake, const struct diff_options *options,
                        uint32_t line, enum diff_kind kind, const char *same)
{
    struct implementation *broken = broken_new(mistake);
    struct diff_report report;

    assert_int_equal(compare(text, broken, options, &report), DIFF_DIFFERS);
    assert_string_equal(report.difference.same, same);
    assert_int_equal(report.difference.kind, kind);
    assert_int_equal(report.line, line);
    free(report.recorded);
    implementation_end(broken);
}

/* A pager VMO of four pages; t1 and t2 wait for its first two. What is expected does not matter here. */
static const char paging[] = "option page_size 16\n"
                             "zx_port_create(0, &port) = _\n"
                             "zx_pager_create(0, &pager) = _\n"
                             "zx_pager_create_vmo(pager, ZX_VMO_RESIZABLE, port, 7, 4p, &vmo) = _\n"
                             "zx_vmo_create(4p, 0, &aux) = _\n"
                             "zx_vmo_write(aux, pages(0x11, 0x22), 0, 2p) = _\n"
                             "[t1] zx_vmo_read(vmo, _, 0, 2p) <unfinished ...>\n"
                             "[t2] zx_vmo_read(vmo, _, 0, 1p) <unfinished ...>\n"
                             "zx_port_wait(port, 0, _) = _\n"
                             "zx_pager_supply_pages(pager, vmo, 0, 2p, aux, 0) = _\n"
                             "[t2] <... zx_vmo_read resumed> _ = _\n"
                             "[t1] <... zx_vmo_read resumed> _ = _\n"
                             "zx_vmo_write(vmo, fill(0x33), 1p, 1p) = _\n"
                             "zx_pager_query_dirty_ranges(pager, vmo, 0, 4p, _, 4, [_], [_]) = _\n"
                             "zx_object_get_info(vmo, ZX_INFO_VMO, _) = _\n"
                             "zx_vmar_map(vmar, ZX_VM_PERM_READ, 0, vmo, 0, 4p, &addr) = _\n"
                             "mem_read(addr, _, 2p) = _\n"
                             "[t1] mem_write(addr, fill(1), 1)\n"
                             "[t1] --- ZX_EXCP_FATAL_PAGE_FAULT {} ---\n"
                             "[t3] zx_vmo_read(vmo, _, 2p, 2p) <unfinished ...>\n"
                             "zx_port_wait(port, 0, _) = _\n"
                             "zx_vmo_set_size(vmo, 1p) = _\n"
                             "[t3] <... zx_vmo_read resumed> _ = _\n"
                             "zx_handle_close_many([vmo, aux, port, pager]) = _\n"
                             "zx_handle_close(vmo) = _\n";

enum {
    SUPPLY_LINE = 10,
    WAIT_LINE = 9,
    WRITE_LINE = 13,
    INFO_LINE = 15,
    MAP_LINE = 16,
    LOAD_LINE = 17,
    STORE_LINE = 18,
    WAIT_AGAIN_LINE = 21,
    CLOSE_LINE = 25
};

static void a_core_is_like_a_core(void **state)
{
    static const struct mistake none = {0};

    (void)state;
    check_same(paging, &none, &strict);
    check_same(paging, &none, &lenient);
}

/* ---- mistakes ---- */

static void wrong_status(struct broken *broken, const pgr_call *call, pgr_result *result)
{
    (void)broken;
    if (call->number == PGR_CALL_PAGER_SUPPLY_PAGES)
        result->status = ZX_ERR_BAD_STATE;
}

static void wrong_key(struct broken *broken, const pgr_call *call, pgr_result *result)
{
    (void)broken;
    if (call->number == PGR_CALL_PORT_WAIT)
        result->packet.key++;
}

static void wrong_length(struct broken *broken, const pgr_call *call, pgr_result *result)
{
    if (call->number == PGR_CALL_PORT_WAIT && broken->packets++ == 1)
        result->packet.page_request.length = 16;
}

static void wrong_byte(struct broken *broken, const pgr_call *call, pgr_result *result)
{
    (void)broken;
    (void)result;
    if (call->number == PGR_CALL_MEM_READ)
        ((uint8_t *)call->buffer)[17] ^= 1;
}

static void wrong_resumed_byte(struct broken *broken, const pgr_call *call, pgr_result *result)
{
    (void)broken;
    if (call->number == PGR_CALL_VMO_READ && call->thread == 1 && result->outcome == PGR_DONE)
        ((uint8_t *)call->buffer)[31] ^= 1;
}

static void wrong_flag(struct broken *broken, const pgr_call *call, pgr_result *result)
{
    (void)broken;
    if (call->number == PGR_CALL_OBJECT_GET_INFO && (uint32_t)call->arg[1] == ZX_INFO_VMO)
        result->vmo.flags ^= ZX_INFO_VMO_RESIZABLE;
}

static void wrong_address(struct broken *broken, const pgr_call *call, pgr_result *result)
{
    (void)broken;
    if (call->number == PGR_CALL_MEM_WRITE)
        result->fault.address += 16;
}

static void no_exception(struct broken *broken, const pgr_call *call, pgr_result *result)
{
    (void)broken;
    if (call->number == PGR_CALL_MEM_WRITE)
        *result = (pgr_result){.outcome = PGR_DONE, .call = call->number};
}

static void wrong_range(struct broken *broken, const pgr_call *call, pgr_result *result)
{
    (void)broken;
    (void)result;
    if (call->number == PGR_CALL_PAGER_QUERY_DIRTY_RANGES)
        ((zx_vmo_dirty_range_t *)call->buffer)->length = 32;
}

static void one_handle_twice(struct broken *broken, const pgr_call *call, pgr_result *result)
{
    (void)broken;
    if (call->number == PGR_CALL_VMO_CREATE)
        result->out[2] = 0x1f; /* the pager VMO's */
}

static void each_answer_counts(void **state)
{
    static const struct {
        struct mistake mistake;
        uint32_t line;
        enum diff_kind kind;
        const char *same;
    } rows[] = {
        {{.after = wrong_status}, SUPPLY_LINE, DIFF_STATUS, "zx_pager_supply_pages: status"},
        {{.after = wrong_key}, WAIT_LINE, DIFF_OUTPUT, "zx_port_wait: key"},
        {{.after = wrong_length}, WAIT_AGAIN_LINE, DIFF_OUTPUT, "zx_port_wait: length"},
        {{.after = wrong_byte}, LOAD_LINE, DIFF_BUFFER, "mem_read: bytes"},
        {{.after = wrong_resumed_byte}, SUPPLY_LINE, DIFF_BUFFER, "zx_vmo_read: bytes"},
        {{.after = wrong_flag}, INFO_LINE, DIFF_OUTPUT, "zx_object_get_info: flags"},
        {{.after = wrong_address}, STORE_LINE, DIFF_OUTPUT, "mem_write: address"},
        {{.after = no_exception}, STORE_LINE, DIFF_OUTCOME, "mem_write: outcome"},
        {{.after = wrong_range}, 14, DIFF_BUFFER, "zx_pager_query_dirty_ranges: ranges"},
        {{.after = one_handle_twice}, 5, DIFF_OUTPUT, "zx_vmo_create: handle"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        check_found(paging, &rows[i].mistake, &strict, rows[i].line, rows[i].kind, rows[i].same);
}

static int is_released(struct broken *broken, uint32_t thread)
{
    pgr_thread_view view;

    return pgr_inspect_thread(implementation_core_world(broken->core, NULL), thread, &view) &&
           view.state == PGR_THREAD_RELEASED;
}

static uint32_t owner_first(struct broken *broken)
{
    return is_released(broken, 1) ? 1 : broken->core->released(broken->core->self);
}

static uint32_t nobody(struct broken *broken)
{
    (void)broken;
    return PGR_NO_THREAD;
}

static void the_order_of_release_counts(void **state)
{
    static const struct mistake owner = {.released = owner_first}, none = {.released = nobody};

    (void)state;
    check_found(paging, &owner, &strict, SUPPLY_LINE, DIFF_RELEASED, "zx_pager_supply_pages: goes on");
    check_same(paging, &owner, &lenient);
    check_found(paging, &none, &lenient, SUPPLY_LINE, DIFF_RELEASED, "zx_pager_supply_pages: goes on");
}

static void dirty_is_clean(struct broken *broken, uint64_t page, struct implementation_page *view)
{
    (void)broken;
    (void)page;
    if (view->state == PGR_PAGE_DIRTY)
        view->state = PGR_PAGE_CLEAN;
}

static void other_bytes(struct broken *broken, uint64_t page, struct implementation_page *view)
{
    static const uint8_t bytes[16] = {0x22};

    (void)broken;
    if (page == 1 && view->state == PGR_PAGE_DIRTY)
        view->bytes = bytes;
}

static void pages_count(void **state)
{
    static const struct mistake clean = {.look = dirty_is_clean}, other = {.look = other_bytes};
    static const struct diff_options at_the_end = {.strict = 1};

    (void)state;
    check_found(paging, &clean, &strict, WRITE_LINE, DIFF_INSIDE, "zx_vmo_write: state");
    check_found(paging, &other, &strict, WRITE_LINE, DIFF_INSIDE, "zx_vmo_write: bytes");
    check_same(paging, &clean, &at_the_end);
    check_found("zx_port_create(0, &port) = _\nzx_pager_create(0, &pager) = _\n"
                "zx_pager_create_vmo(pager, ZX_VMO_RESIZABLE, port, 7, 0, &vmo) = _\n"
                "zx_vmo_set_size(vmo, 1p) = _\nzx_vmo_op_range(vmo, ZX_VMO_OP_COMMIT, 0, 1p) = _\n",
                &clean, &at_the_end, 0, DIFF_INSIDE, "zx_vmo_op_range: state");
}

/* ---- what may differ ---- */

static void flags_of_its_own(struct broken *broken, const pgr_call *call, pgr_result *result)
{
    (void)broken;
    if (call->number == PGR_CALL_PORT_WAIT)
        result->packet.page_request.flags = 5;
}

static void changing_flags(struct broken *broken, const pgr_call *call, pgr_result *result)
{
    if (call->number == PGR_CALL_PORT_WAIT)
        result->packet.page_request.flags = (uint16_t)++broken->packets;
}

static void flags_are_held(void **state)
{
    static const struct mistake own = {.after = flags_of_its_own}, changing = {.after = changing_flags};

    (void)state;
    check_found(paging, &own, &strict, WAIT_LINE, DIFF_OUTPUT, "zx_port_wait: flags");
    check_same(paging, &own, &lenient);
    check_found(paging, &changing, &lenient, WAIT_AGAIN_LINE, DIFF_OUTPUT, "zx_port_wait: flags");
}

static void other_supply_failure(pgr_config *config)
{
    config->options ^= PGR_OPTION_SUPPLY_DECOMMITS;
}

static void read_batch_of_three(pgr_config *config)
{
    config->read_batch = 3;
}

static void both_of_its_own(pgr_config *config)
{
    other_supply_failure(config);
    read_batch_of_three(config);
}

static const char settings[] = "zx_port_create(0, &port) = _\n"
                               "zx_pager_create(0, &pager) = _\n"
                               "zx_pager_create_vmo(pager, 0, port, 7, 9p, &vmo) = _\n"
                               "[t1] zx_vmo_read(vmo, _, 0, 8p) <unfinished ...>\n"
                               "zx_port_wait(port, 0, _) = _\n"
                               "zx_vmo_create(1p, 0, &aux) = _\n"
                               "zx_vmo_write(aux, fill(1), 0, 1p) = _\n"
                               "zx_pager_supply_pages(pager, vmo, 9p, 1p, aux, 0) = _\n"
                               "zx_vmo_read(aux, _, 0, 1p) = _\n";

static void settings_are_found_out(void **state)
{
    static const struct diff_options blind = {0};
    static const struct mistake rows[] = {{.configure = other_supply_failure},
                                          {.configure = read_batch_of_three},
                                          {.configure = both_of_its_own},
                                          {.configure = both_of_its_own, .after = wrong_status}};

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        check_same(settings, &rows[i], &lenient);
        check_same(settings, &rows[i], &blind);
    }
    check_found(settings, &rows[0], &strict, 8, DIFF_INSIDE, "zx_pager_supply_pages: committed pages");
    check_found(settings, &rows[1], &strict, 5, DIFF_OUTPUT, "zx_port_wait: length");
    check_found(settings, &rows[3], &lenient, 8, DIFF_STATUS, "zx_pager_supply_pages: status");
}

static void a_setting_that_was_needed_is_held(void **state)
{
    static const struct mistake mistake = {.configure = other_supply_failure};
    struct mistake changed = mistake;
    struct implementation *core = implementation_core(), *broken = broken_new(&changed);
    struct implementation *pair = diff_pair_new(core, broken, &lenient);
    struct trace *trace = read_text(settings);
    struct diff_report report;

    (void)state;
    assert_int_equal(diff_trace_on(trace, pair, NULL, &report), DIFF_SAME);
    free(report.recorded);
    assert_int_equal(diff_trace_on(trace, pair, NULL, &report), DIFF_SAME);
    free(report.recorded);
    changed.configure = NULL;
    assert_int_equal(diff_trace_on(trace, pair, NULL, &report), DIFF_DIFFERS);
    assert_int_equal(report.line, 8);
    free(report.recorded);
    trace_free(trace);
    implementation_end(pair);
    implementation_end(broken);
    implementation_end(core);
}

/* Its handles have a bit more, its koids count from elsewhere. */
static void strip_handles(struct broken *broken, pgr_call *call)
{
    const pgr_call_info *row = pgr_call_row(call->number);
    zx_handle_t *handles = call->buffer;

    (void)broken;
    for (unsigned place = 0; place < row->arg_count; place++) {
        if (row->args[place].kind == PGR_ARG_HANDLE && call->arg[place] != 0)
            call->arg[place] ^= 0x40000000;
        for (uint64_t i = 0; row->args[place].kind == PGR_ARG_HANDLES && i < call->buffer_bytes / 4; i++)
            handles[i] ^= 0x40000000;
    }
}

static void add_to_names(struct broken *broken, const pgr_call *call, pgr_result *result)
{
    const pgr_call_info *row = pgr_call_row(call->number);

    (void)broken;
    for (unsigned place = 0; row != NULL && place < row->arg_count; place++)
        if (row->args[place].kind == PGR_ARG_HANDLE_OUT)
            result->out[place] ^= 0x40000000;
    if (call->number == PGR_CALL_OBJECT_GET_INFO && (uint32_t)call->arg[1] == ZX_INFO_VMO)
        result->vmo.koid += 1000;
}

static int renaming_reset(void *self, const pgr_config *config, pgr_start *start)
{
    int status = broken_reset(self, config, start);

    start->vmar ^= 0x40000000;
    start->bti ^= 0x40000000;
    start->resource ^= 0x40000000;
    start->event ^= 0x40000000;
    return status;
}

static int renaming_vmo(void *self, zx_handle_t vmo, struct implementation_vmo *view)
{
    return broken_vmo(self, vmo ^ 0x40000000, view);
}

static int renaming_page(void *self, zx_handle_t vmo, uint64_t page, struct implementation_page *view)
{
    return broken_page(self, vmo ^ 0x40000000, page, view);
}

static void names_are_each_ones_own(void **state)
{
    static const struct mistake renaming = {.before = strip_handles, .after = add_to_names};
    struct implementation *broken = broken_new(&renaming);
    struct diff_report report;

    (void)state;
    broken->reset = renaming_reset;
    broken->vmo = renaming_vmo;
    broken->page = renaming_page;
    assert_int_equal(compare(paging, broken, &strict, &report), DIFF_SAME);
    free(report.recorded);
    assert_int_equal(compare("zx_handle_close(1073741827) = _\nzx_handle_close(3) = _\nzx_handle_close(3) = _\n"
                             "zx_handle_duplicate(bti, ZX_RIGHT_SAME_RIGHTS, &other) = _\n"
                             "zx_handle_close(4) = _\nzx_handle_close(0) = _\n",
                             broken, &strict, &report),
                     DIFF_SAME);
    free(report.recorded);
    implementation_end(broken);
}

static void one_koid_for_all(struct broken *broken, const pgr_call *call, pgr_result *result)
{
    (void)broken;
    if (call->number == PGR_CALL_OBJECT_GET_INFO && (uint32_t)call->arg[1] == ZX_INFO_VMO)
        result->vmo.koid = 5;
}

static void koids_tell_objects_apart(void **state)
{
    static const struct mistake one = {.after = one_koid_for_all};

    (void)state;
    check_found("zx_vmo_create(1p, 0, &a) = _\nzx_vmo_create(1p, 0, &b) = _\n"
                "zx_object_get_info(a, ZX_INFO_VMO, _) = _\nzx_object_get_info(a, ZX_INFO_VMO, _) = _\n"
                "zx_object_get_info(b, ZX_INFO_VMO, _) = _\n",
                &one, &strict, 5, DIFF_OUTPUT, "zx_object_get_info: koid");
}

/* ---- the tiny port ---- */

static const char sizes[] = "zx_vmo_create(5, 0, &a) = ZX_OK\n"
                            "zx_port_create(0, &port) = ZX_OK\n"
                            "zx_vmo_create(0, 0, &b) = ZX_OK\n"
                            "zx_vmo_get_size(a, _) = ZX_OK\n"
                            "zx_vmo_get_size(vmar, _) = ZX_ERR_WRONG_TYPE\n"
                            "zx_port_wait(port, 0, _) = ZX_ERR_TIMED_OUT\n"
                            "zx_vmo_get_size(b, _) = ZX_OK\n"
                            "zx_handle_close(a) = ZX_OK\n"
                            "zx_vmo_get_size(0xfff3, _) = ZX_ERR_BAD_HANDLE\n"
                            "zx_vmo_get_size(ZX_HANDLE_INVALID, _) = ZX_ERR_BAD_HANDLE\n"
                            "zx_vmo_create(0xffffffffffffffff, 0, _) = ZX_ERR_OUT_OF_RANGE\n";

static void a_tiny_port_passes(void **state)
{
    struct diff_report report;

    (void)state;
    assert_int_equal(compare(sizes, implementation_sample(), &lenient, &report), DIFF_SAME);
    assert_int_equal(report.skipped, 5);
    assert_non_null(strstr(report.recorded, "zx_vmo_get_size(a, [1p]) "));
    free(report.recorded);
}

static struct implementation *right_sample;

static void call_a_wrong_sample(void *self, const pgr_call *call, pgr_result *result)
{
    right_sample->call(self, call, result);
    if (call->number == PGR_CALL_VMO_GET_SIZE && result->out[1] == 0)
        result->out[1] = 4096;
}

static void a_wrong_one_is_told_at_its_call(void **state)
{
    struct implementation wrong = *implementation_sample();
    struct diff_report report;

    (void)state;
    right_sample = implementation_sample();
    wrong.call = call_a_wrong_sample;
    assert_int_equal(compare(sizes, &wrong, &lenient, &report), DIFF_DIFFERS);
    assert_int_equal(report.line, 7);
    assert_string_equal(report.difference.text, "zx_vmo_get_size: size: 0x0 against 0x1000");
    assert_int_equal(report.difference.call.number, PGR_CALL_VMO_GET_SIZE);
    assert_non_null(strstr(report.recorded, "zx_vmo_get_size(b, [0]) "));
    free(report.recorded);
}

/* ---- the runner ---- */

/* Nothing of the core's own is looked for in another implementation. */
static int never_called(void *context, const pgr_world *world, const void *frames, char *message, size_t bytes)
{
    (void)context;
    (void)world;
    (void)frames;
    snprintf(message, bytes, "it has no world of the core's");
    return -1;
}

static void a_trace_runs_on_any_implementation(void **state)
{
    struct implementation *oracle = implementation_oracle();
    struct trace *trace = read_text("zx_vmo_create(5, 0, &a) = ZX_OK\nzx_vmo_get_size(a, [1p]) = ZX_OK\n"
                                    "check_invariants() = ZX_OK\nzx_handle_close(a) = ZX_ERR_BAD_HANDLE\n");
    char *said = NULL;
    size_t bytes;
    struct run_options options = {
        .name = "x", .out = open_memstream(&said, &bytes), .implementation = oracle, .check = never_called};

    (void)state;
    assert_non_null(oracle);
    assert_int_equal(run_trace(trace, &options), RUN_FAILED);
    fclose(options.out);
    assert_non_null(strstr(said, "x:4: not as expected"));
    free(said);
    trace_free(trace);
    implementation_end(oracle);
}

/* ---- programs ---- */

static void fill_program(uint8_t *data, size_t bytes, uint32_t seed)
{
    for (size_t i = 0; i < bytes; i++) {
        seed = seed * 1664525u + 1013904223u;
        data[i] = (uint8_t)(seed >> 24);
    }
}

static const struct difference *run_programs(struct diff_player *player)
{
    const struct difference *found = NULL;
    uint8_t data[400];

    for (uint32_t seed = 0; seed < 200 && found == NULL; seed++) {
        fill_program(data, sizeof(data), seed);
        found = diff_player_run(player, data, sizeof(data));
        if (found != NULL)
            diff_player_report(player, stderr);
    }
    return found;
}

static void programs_agree_with_the_oracle(void **state)
{
    struct implementation *core = implementation_core(), *oracle = implementation_oracle();
    struct diff_player *player = diff_player_new(core, oracle, &strict);
    struct diff_stats stats;

    (void)state;
    assert_non_null(player);
    assert_null(run_programs(player));
    diff_player_stats(player, &stats);
    assert_int_equal(stats.programs, 200);
    assert_true(stats.steps > 200 * 10);
    diff_player_free(player);
    implementation_end(oracle);
    implementation_end(core);
}

static void a_program_shows_both_answers(void **state)
{
    static const struct mistake mistake = {.after = wrong_status};
    struct implementation *core = implementation_core(), *broken = broken_new(&mistake);
    struct diff_player *player = diff_player_new(core, broken, &strict);
    const struct difference *found = NULL;
    uint8_t data[400];
    char *said = NULL;
    size_t bytes;
    FILE *out = open_memstream(&said, &bytes);

    (void)state;
    for (uint32_t seed = 0; seed < 1000 && found == NULL; seed++) {
        fill_program(data, sizeof(data), seed);
        found = diff_player_run(player, data, sizeof(data));
    }
    assert_non_null(found);
    assert_string_equal(found->same, "zx_pager_supply_pages: status");
    diff_player_report(player, out);
    fclose(out);
    assert_non_null(strstr(said, "core and broken core differ in zx_pager_supply_pages: status: "));
    assert_non_null(strstr(said, "\n# the broken core: "));
    assert_non_null(strstr(said, "= ZX_ERR_BAD_STATE\n--- end of the trace\n"));
    free(said);
    diff_player_free(player);
    implementation_end(broken);
    implementation_end(core);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_core_is_like_a_core),
        cmocka_unit_test(each_answer_counts),
        cmocka_unit_test(the_order_of_release_counts),
        cmocka_unit_test(pages_count),
        cmocka_unit_test(flags_are_held),
        cmocka_unit_test(settings_are_found_out),
        cmocka_unit_test(a_setting_that_was_needed_is_held),
        cmocka_unit_test(names_are_each_ones_own),
        cmocka_unit_test(koids_tell_objects_apart),
        cmocka_unit_test(a_tiny_port_passes),
        cmocka_unit_test(a_wrong_one_is_told_at_its_call),
        cmocka_unit_test(a_trace_runs_on_any_implementation),
        cmocka_unit_test(programs_agree_with_the_oracle),
        cmocka_unit_test(a_program_shows_both_answers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
