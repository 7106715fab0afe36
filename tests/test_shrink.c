/*
 * The shrinker by judges made for the purpose, and the judge of failures by cores that are wrong in one known way. Of
 * every result: it fails as the first trace did, no line of it can go, and it is not empty.
 */
#include "harness/failure.h"
#include "harness/input.h"
#include "harness/shrink.h"
#include "tests/trace_support.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* ---- texts and traces ---- */

static char *print(const struct trace *trace)
{
    char *text = NULL;
    size_t bytes = 0;
    FILE *out = open_memstream(&text, &bytes);

    assert_non_null(out);
    for (const struct trace_line *line = trace_lines(trace); line != NULL; line = line->next) {
        trace_write_line(line, 0, out);
        putc('\n', out);
    }
    fclose(out);
    return text;
}

static void assert_trace(const struct trace *trace, const char *expected)
{
    char *text = print(trace);

    assert_string_equal(text, expected);
    free(text);
}

/* ---- taking lines out ---- */

static const char two_threads[] = "zx_vmo_create(1p, 0, &vmo) = ZX_OK\n"
                                  "zx_event_create(0, &e) = ZX_OK\n"
                                  "[t] mem_read(0, _, 1) <unfinished ...>\n"
                                  "zx_handle_duplicate(vmo, ZX_RIGHT_SAME_RIGHTS, &other) = ZX_OK\n"
                                  "[t] <... mem_read unfinished ...>\n"
                                  "zx_vmo_write(other, fill(1), 0, 1p) = ZX_OK\n"
                                  "[t] <... mem_read resumed> = ZX_OK\n"
                                  "[t] zx_handle_close(e) = ZX_OK\n";

static void drops_what_hangs_on_it(void **state)
{
    static const struct {
        uint32_t line, dropped;
        const char *left;
    } cases[] = {
        {0, 3,
         "zx_event_create(0, &e) = ZX_OK\n[t] mem_read(0, _, 1) <unfinished ...>\n[t] <... mem_read unfinished ...>\n"
         "[t] <... mem_read resumed> = ZX_OK\n[t] zx_handle_close(e) = ZX_OK\n"},
        {2, 3,
         "zx_vmo_create(1p, 0, &vmo) = ZX_OK\nzx_event_create(0, &e) = ZX_OK\n"
         "zx_handle_duplicate(vmo, ZX_RIGHT_SAME_RIGHTS, &other) = ZX_OK\n"
         "zx_vmo_write(other, fill(1), 0, 1p) = ZX_OK\n[t] zx_handle_close(e) = ZX_OK\n"},
        {6, 2,
         "zx_vmo_create(1p, 0, &vmo) = ZX_OK\nzx_event_create(0, &e) = ZX_OK\n[t] mem_read(0, _, 1) <unfinished ...>\n"
         "zx_handle_duplicate(vmo, ZX_RIGHT_SAME_RIGHTS, &other) = ZX_OK\n[t] <... mem_read unfinished ...>\n"
         "zx_vmo_write(other, fill(1), 0, 1p) = ZX_OK\n"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct trace *trace = read_text(two_threads);
        uint8_t drop[8] = {0};
        drop[cases[i].line] = 1;
        assert_int_equal(shrink_drop_lines(trace, drop), cases[i].dropped);
        assert_trace(trace, cases[i].left);
        trace_free(trace);
    }
}

static void a_killed_thread_can_be_cut_off(void **state)
{
    struct trace *trace = read_text("[t] zx_port_wait(event, ZX_TIME_INFINITE, _) <unfinished ...>\n"
                                    "thread_kill(t) = ZX_OK\n"
                                    "thread_kill(t) = ZX_OK\n");

    (void)state;
    assert_int_equal(shrink_drop_lines(trace, (const uint8_t[]){1, 0, 0}), 1);
    assert_trace(trace, "thread_kill(t) = ZX_OK\nthread_kill(t) = ZX_OK\n");
    trace_free(trace);
}

/* ---- judges by the text ---- */

/* Fails if all of these stand in the trace, in this order. */
struct wanted {
    const char *texts[6];
    unsigned asked;
    int stop_after; /* candidates; 0: never */
};

static int has_wanted(void *context, const struct trace *candidate, FILE *recorded)
{
    struct wanted *wanted = context;
    char *text = print(candidate), *at = text;
    int has_all = 1;

    (void)recorded;
    for (const char *const *one = wanted->texts; *one != NULL && has_all; one++) {
        at = strstr(at, *one);
        has_all = at != NULL;
        if (has_all)
            at += strlen(*one);
    }
    free(text);
    wanted->asked++;
    return wanted->stop_after != 0 && wanted->asked > (unsigned)wanted->stop_after ? -1 : has_all;
}

static struct trace *shrink_wanted(const char *text, struct wanted *wanted, struct shrink_progress *last)
{
    struct shrink_options options = {.still_fails = has_wanted, .context = wanted};
    struct trace *trace = read_text(text);
    struct trace *shrunk = shrink_trace(trace, &options, last);

    trace_free(trace);
    return shrunk;
}

static void assert_shrinks_to(const char *text, struct wanted wanted, const char *expected)
{
    struct trace *shrunk = shrink_wanted(text, &wanted, NULL);

    assert_non_null(shrunk);
    assert_trace(shrunk, expected);
    trace_free(shrunk);
}

static void only_what_is_needed_is_left(void **state)
{
    (void)state;
    assert_shrinks_to(two_threads, (struct wanted){.texts = {"zx_handle_close("}}, "zx_handle_close(event) = ZX_OK\n");
}

static void threads_become_main(void **state)
{
    (void)state;
    assert_shrinks_to("zx_event_create(0, &e) = ZX_OK\n"
                      "[a] zx_event_create(0, &f) = ZX_OK\n"
                      "[b] zx_object_signal(f, 0, 1) = ZX_OK\n",
                      (struct wanted){.texts = {"zx_event_create(0, &f)", "zx_object_signal(f"}},
                      "zx_event_create(0, &f) = ZX_OK\nzx_object_signal(f, 0, 0) = ZX_OK\n");
}

static void two_threads_that_must_be_are_left(void **state)
{
    (void)state;
    assert_shrinks_to("zx_port_create(0, &port) = ZX_OK\n"
                      "[a] zx_port_wait(port, ZX_TIME_INFINITE, _) <unfinished ...>\n"
                      "[b] zx_port_wait(port, ZX_TIME_INFINITE, _) <unfinished ...>\n"
                      "[c] zx_port_wait(port, ZX_TIME_INFINITE, _) <unfinished ...>\n",
                      (struct wanted){.texts = {"port_wait", "port_wait"}},
                      "zx_port_create(0, &port) = ZX_OK\n"
                      "[a] zx_port_wait(port, 0, _) <unfinished ...>\n"
                      "zx_port_wait(port, 0, _) <unfinished ...>\n");
}

static void options_go_and_values_get_simple(void **state)
{
    (void)state;
    assert_shrinks_to("option page_size 64\n"
                      "option read_batch 3\n"
                      "zx_vmo_create(0x1000, ZX_VMO_RESIZABLE|ZX_VMO_DISCARDABLE, &a) = ZX_OK\n"
                      "zx_vmo_create(100p, ZX_VMO_RESIZABLE|ZX_VMO_DISCARDABLE, &b) = ZX_OK\n"
                      "zx_vmo_write(b, pages(1, 2, 3), 7p+12, 0xc0) = ZX_OK\n",
                      (struct wanted){.texts = {"ZX_VMO_DISCARDABLE", "zx_vmo_write"}},
                      "zx_vmo_create(0, ZX_VMO_DISCARDABLE, &b) = ZX_OK\nzx_vmo_write(b, fill(1), 0, 0) = ZX_OK\n");
}

/* What a call makes is replaced by what was there before, so that the call can go. */
static void names_are_replaced(void **state)
{
    (void)state;
    assert_shrinks_to("zx_vmo_create(1p, 0, &vmo) = ZX_OK\n"
                      "zx_handle_duplicate(vmo, ZX_RIGHT_SAME_RIGHTS, &second) = ZX_OK\n"
                      "zx_vmo_create_child(second, ZX_VMO_CHILD_SNAPSHOT, 0, 1p, &child) = ZX_OK\n"
                      "zx_vmo_set_size(child, 1p) = ZX_OK\n",
                      (struct wanted){.texts = {"zx_vmo_create(1p", "zx_vmo_set_size("}},
                      "zx_vmo_create(1p, 0, &vmo) = ZX_OK\nzx_vmo_set_size(vmo, 0) = ZX_OK\n");
}

/* Neither of the two lines can go alone. */
static int has_both_or_none(void *context, const struct trace *candidate, FILE *recorded)
{
    char *text = print(candidate);
    int fails = strstr(text, "get_size") != NULL &&
                (strstr(text, "fail_alloc(0)") != NULL) == (strstr(text, "reclaim(0)") != NULL);

    (void)context;
    (void)recorded;
    free(text);
    return fails;
}

static void pairs_go_together(void **state)
{
    struct shrink_options options = {.still_fails = has_both_or_none};
    struct trace *trace = read_text("fail_alloc(0) = ZX_OK\nzx_vmo_create(0, 0, &v) = ZX_OK\nzx_vmo_get_size(v, _) = "
                                    "ZX_OK\nzx_vmo_get_size(v, _) = ZX_OK\nreclaim(0) = ZX_OK\n");
    struct trace *shrunk = shrink_trace(trace, &options, NULL);

    (void)state;
    assert_trace(shrunk, "zx_vmo_create(0, 0, &v) = ZX_OK\nzx_vmo_get_size(v, _) = ZX_OK\n");
    trace_free(shrunk);
    trace_free(trace);
}

static void what_does_not_fail_is_not_shrunk(void **state)
{
    struct wanted wanted = {.texts = {"zx_vmo_read("}};
    struct shrink_progress last;

    (void)state;
    assert_null(shrink_wanted(two_threads, &wanted, &last));
    assert_int_equal(last.tries, 1);
    assert_null(shrink_wanted("# nothing\noption read_batch 0\n", &(struct wanted){0}, NULL));
}

/* A judge to whom everything is a failure is not given an empty trace. */
static void never_ends_empty(void **state)
{
    struct trace *shrunk = shrink_wanted(two_threads, &(struct wanted){0}, NULL);

    (void)state;
    assert_non_null(shrunk);
    assert_int_equal(shrink_count_lines(shrunk), 1);
    trace_free(shrunk);
}

static void ends_when_told(void **state)
{
    struct wanted wanted = {.texts = {"zx_handle_close("}, .stop_after = 2};
    struct shrink_progress last;
    struct trace *shrunk = shrink_wanted(two_threads, &wanted, &last);

    (void)state;
    assert_int_equal(wanted.asked, 3);
    assert_int_equal(last.tries, 3);
    assert_non_null(shrunk);
    trace_free(shrunk);
}

static void count_call(void *context, const struct shrink_progress *progress)
{
    struct shrink_progress *seen = context;

    assert_true(progress->tries > seen->tries);
    assert_true(progress->lines <= progress->first_lines);
    *seen = *progress;
}

static void tries_are_bounded_and_told(void **state)
{
    struct wanted wanted = {.texts = {"zx_handle_close("}};
    struct shrink_progress seen = {0}, last;
    struct shrink_options options = {.still_fails = has_wanted,
                                     .progress = count_call,
                                     .context = &wanted,
                                     .progress_context = &seen,
                                     .tries_max = 4};
    struct trace *trace = read_text(two_threads);
    struct trace *shrunk = shrink_trace(trace, &options, &last);

    (void)state;
    assert_int_equal(wanted.asked, 4);
    assert_int_equal(last.tries, 4);
    assert_int_equal(seen.tries, 4);
    trace_free(shrunk);
    trace_free(trace);
}

static void comments_on_top_stay(void **state)
{
    (void)state;
    assert_shrinks_to("# why\n\nreclaim(0) = ZX_OK\n# what\nzx_handle_close(event) = ZX_OK # how\n",
                      (struct wanted){.texts = {"close"}}, "\nzx_handle_close(event) = ZX_OK\n");
}

/* ---- the judge of failures ---- */

/* Cores that are wrong in one way. */
static void dies_of_reclaim(pgr_world *world, void *frames, const pgr_call *call, pgr_result *result)
{
    pgr_dispatch(world, frames, call, result);
    if (call->number == PGR_CALL_RECLAIM && call->arg[0] > 2)
        __builtin_trap();
}

static void hangs_in_reclaim(pgr_world *world, void *frames, const pgr_call *call, pgr_result *result)
{
    volatile int goes_on = 1;

    pgr_dispatch(world, frames, call, result);
    while (call->number == PGR_CALL_RECLAIM && call->arg[0] > 2 && goes_on)
        continue;
}

/* The supply of two pages closes a handle in passing. */
static void supply_does_more(pgr_world *world, void *frames, const pgr_call *call, pgr_result *result)
{
    pgr_start start;
    pgr_result ignored;

    pgr_dispatch(world, frames, call, result);
    if (call->number != PGR_CALL_PAGER_SUPPLY_PAGES || result->status != ZX_OK || call->arg[3] < 2 * 4096)
        return;
    pgr_start_handles(world, &start);
    pgr_dispatch(
        world, frames,
        &(pgr_call){.number = PGR_CALL_VMO_OP_RANGE, .arg = {call->arg[4], ZX_VMO_OP_COMMIT, call->arg[5], 4096}},
        &ignored);
}

static struct failure_judge *judge_of(checked_dispatch *dispatch, unsigned seconds)
{
    struct failure_options options = {.dispatch = dispatch, .seconds = seconds};
    struct failure_judge *judge = failure_judge_new(&options);

    assert_non_null(judge);
    return judge;
}

static void assert_same_failure(struct failure_judge *judge, const struct trace *trace, const struct failure *expected)
{
    struct failure failure;

    assert_int_equal(failure_find(judge, trace, &failure), 0);
    assert_int_equal(failure.kind, expected->kind);
    assert_string_equal(failure.same, expected->same);
}

/* Every line is needed: without it, and without what hangs on it, the failure is another, or none. */
static void assert_minimal(struct failure_judge *judge, const struct trace *trace)
{
    uint32_t count = shrink_count_lines(trace);

    for (uint32_t place = 0; place < count; place++) {
        struct trace *less = shrink_copy(trace);
        uint8_t *drop = calloc(count, 1);
        char *recorded = NULL;
        size_t bytes = 0;
        FILE *out = open_memstream(&recorded, &bytes);
        drop[place] = 1;
        shrink_drop_lines(less, drop);
        if (shrink_count_lines(less) > 0)
            assert_int_equal(failure_stays(judge, less, out), 0);
        fclose(out);
        free(recorded);
        free(drop);
        trace_free(less);
    }
}

/* Shrinks the trace with this core and returns the result, after having looked at it. */
static struct trace *shrink_failing(const char *text, struct failure_judge *judge, struct failure *failure)
{
    struct shrink_options options = {.still_fails = failure_stays, .context = judge};
    struct trace *trace = read_text(text);
    struct trace *shrunk;

    assert_int_equal(failure_find(judge, trace, failure), 0);
    assert_int_not_equal(failure->kind, FAILURE_NONE);
    options.keeps_last_line = failure->kind == FAILURE_DIFFERENCE && !failure->oracle_agrees;
    failure_hold(judge, failure);
    shrunk = shrink_trace(trace, &options, NULL);
    assert_non_null(shrunk);
    assert_same_failure(judge, shrunk, failure);
    assert_minimal(judge, shrunk);
    trace_free(trace);
    return shrunk;
}

/* 300 lines, of which four are needed. */
static char *long_trace(const char *failing)
{
    char *text = NULL;
    size_t bytes = 0;
    FILE *out = open_memstream(&text, &bytes);

    fputs("option read_batch 4\nzx_vmo_create(5p, 0, &vmo) = ZX_OK\n", out);
    for (unsigned i = 0; i < 74; i++)
        fprintf(out,
                "zx_event_create(0, &e%u) = ZX_OK\n"
                "[t%u] zx_object_wait_one(e%u, ZX_EVENT_SIGNALED, ZX_TIME_INFINITE, _) <unfinished ...>\n"
                "zx_vmo_write(vmo, fill(%u), %up, 1p) = ZX_OK\n"
                "zx_vmo_read(vmo, fill(%u), %up, 1p) = ZX_OK\n",
                i, i, i, i + 1, i % 3, i + 1, i % 3);
    fprintf(out, "%s\n", failing);
    fclose(out);
    return text;
}

static void a_wrong_expectation_is_dug_out(void **state)
{
    struct failure_judge *judge = judge_of(NULL, 10);
    char *text = long_trace("zx_object_get_info(vmo, ZX_INFO_VMO, {committed_bytes=4p, num_children=0}) = ZX_OK");
    struct failure failure;
    struct trace *shrunk = shrink_failing(text, judge, &failure);

    (void)state;
    assert_int_equal(failure.kind, FAILURE_DIFFERENCE);
    assert_string_equal(failure.same, "zx_object_get_info: expected ZX_OK, came ZX_OK; committed_bytes is 3p");
    assert_string_equal(failure.alike, "zx_object_get_info: expected ZX_OK, came ZX_OK; committed_bytes is less");
    assert_int_equal(failure.oracle_agrees, 0);
    assert_in_range(shrink_count_lines(shrunk), 3, 5);
    trace_free(shrunk);
    free(text);
    failure_judge_free(judge);
}

/* The oracle knows which size is right, so that the VMO keeps the one that the last line expects. */
static void tells_less(pgr_world *world, void *frames, const pgr_call *call, pgr_result *result)
{
    pgr_dispatch(world, frames, call, result);
    if (call->number == PGR_CALL_VMO_GET_SIZE && result->status == ZX_OK && result->out[1] > 2 * 4096)
        result->out[1] = 4096;
}

static void the_oracle_keeps_a_trace_true(void **state)
{
    struct failure_judge *judge = judge_of(tells_less, 10);
    char *text = long_trace("zx_vmo_get_size(vmo, [5p]) = ZX_OK");
    struct trace *shrunk = NULL;
    struct failure failure;

    (void)state;
    shrunk = shrink_failing(text, judge, &failure);
    assert_int_equal(failure.kind, FAILURE_DIFFERENCE);
    assert_int_equal(failure.oracle_agrees, 1);
    assert_trace(shrunk, "zx_vmo_create(5p, 0, &vmo) = ZX_OK\nzx_vmo_get_size(vmo, [5p]) = ZX_OK\n");
    trace_free(shrunk);
    free(text);
    failure_judge_free(judge);
}

static void the_outputs_of_a_blocked_call_are_kept(void **state)
{
    struct failure_judge *judge = judge_of(NULL, 10);
    struct failure failure;
    struct trace *shrunk = shrink_failing("zx_port_create(0, &port) = ZX_OK\n"
                                          "zx_event_create(0, &e) = ZX_OK\n"
                                          "[t] zx_port_wait(port, ZX_TIME_INFINITE, {key=8}) <unfinished ...>\n"
                                          "zx_object_signal(e, 0, 0) = ZX_OK\n"
                                          "zx_port_queue(port, {key=7, type=ZX_PKT_TYPE_USER}) = ZX_OK\n",
                                          judge, &failure);

    (void)state;
    assert_int_equal(failure.is_late, 1);
    assert_int_equal(failure.line, 5);
    assert_trace(shrunk, "zx_port_create(0, &port) = ZX_OK\n"
                         "[t] zx_port_wait(port, ZX_TIME_INFINITE, {key=8}) <unfinished ...>\n"
                         "zx_port_queue(port, {key=7, type=ZX_PKT_TYPE_USER}) = ZX_OK\n");
    trace_free(shrunk);
    failure_judge_free(judge);
}

static const char supplies[] = "zx_port_create(0, &port) = ZX_OK\n"
                               "zx_pager_create(0, &pager) = ZX_OK\n"
                               "zx_pager_create_vmo(pager, 0, port, 7, 9p, &vmo) = ZX_OK\n"
                               "zx_vmo_create(9p, 0, &aux) = ZX_OK\n"
                               "[t] zx_vmo_read(vmo, _, 1p, 1p) <unfinished ...>\n"
                               "zx_pager_supply_pages(pager, vmo, 8p, 1p, aux, 0) = ZX_OK\n"
                               "zx_vmo_write(aux, fill(1), 0, 9p) = ZX_OK\n"
                               "zx_pager_supply_pages(pager, vmo, 1p, 5p, aux, 2p) = ZX_OK\n"
                               "[t] <... zx_vmo_read resumed> fill(1) = ZX_OK\n"
                               "zx_vmo_get_size(vmo, [9p]) = ZX_OK\n";

static void a_violation_is_kept(void **state)
{
    struct failure_judge *judge = judge_of(supply_does_more, 10);
    struct failure failure;
    struct trace *shrunk = shrink_failing(supplies, judge, &failure);

    (void)state;
    assert_int_equal(failure.kind, FAILURE_INVARIANT);
    assert_string_equal(failure.same, "D1");
    assert_int_equal(failure.line, 8);
    assert_trace(shrunk, "zx_port_create(0, &port) = ZX_OK\n"
                         "zx_pager_create(0, &pager) = ZX_OK\n"
                         "zx_pager_create_vmo(pager, 0, port, 0, 2p, &vmo) = ZX_OK\n"
                         "zx_vmo_create(2p, 0, &aux) = ZX_OK\n"
                         "zx_pager_supply_pages(pager, vmo, 0, 2p, aux, 0) = ZX_OK\n");
    trace_free(shrunk);
    failure_judge_free(judge);
}

static const char deadly[] = "zx_vmo_create(1p, 0, &v) = ZX_OK\n"
                             "reclaim(2) = ZX_OK\n"
                             "zx_vmo_read(v, fill(3), 0, 1p) = ZX_OK\n"
                             "reclaim(7) = ZX_OK\n"
                             "zx_vmo_get_size(v, [1p]) = ZX_OK\n";

/*
 * What a core does before it dies cannot be told by it: of a difference in line 3, which comes first, nothing is
 * heard.
 */
static void a_death_is_kept(void **state)
{
    struct failure_judge *judge = judge_of(dies_of_reclaim, 10);
    char *text = strdup(deadly);
    struct failure failure;

    (void)state;
    memcpy(strstr(text, "fill(3)"), "fill(0)", 7);
    struct trace *shrunk = shrink_failing(text, judge, &failure);
    assert_int_equal(failure.kind, FAILURE_DEATH);
    assert_int_equal(failure.line, 4);
    assert_non_null(strstr(failure.message, "the core dies in reclaim"));
    assert_trace(shrunk, "reclaim(3) = ZX_OK\n");
    trace_free(shrunk);
    free(text);
    failure_judge_free(judge);
}

static void the_first_failure_counts(void **state)
{
    struct failure_judge *judge = judge_of(dies_of_reclaim, 10);
    struct trace *trace = read_text(deadly);
    struct failure failure;

    (void)state;
    assert_int_equal(failure_find(judge, trace, &failure), 0);
    assert_int_equal(failure.kind, FAILURE_DIFFERENCE);
    assert_int_equal(failure.line, 3);
    trace_free(trace);
    failure_judge_free(judge);
}

static void a_hang_is_kept(void **state)
{
    struct failure_judge *judge = judge_of(hangs_in_reclaim, 1);
    struct trace *trace = read_text("reclaim(1) = ZX_OK\nreclaim(3) = ZX_OK\n");
    struct failure failure;
    char *recorded = NULL;
    size_t bytes = 0;
    FILE *out = open_memstream(&recorded, &bytes);

    (void)state;
    assert_int_equal(failure_find(judge, trace, &failure), 0);
    assert_int_equal(failure.kind, FAILURE_TIME);
    assert_int_equal(failure.line, 2);
    assert_string_equal(failure.message, "the core does not come to an end in reclaim");
    failure_hold(judge, &failure);
    assert_int_equal(failure_stays(judge, trace, out), 1);
    fclose(out);
    assert_string_equal(recorded, "reclaim(1) = ZX_OK\nreclaim(3) = ZX_OK\n");
    free(recorded);
    trace_free(trace);
    failure_judge_free(judge);
}

static void a_sound_core_does_nothing_wrong(void **state)
{
    struct failure_judge *judge = judge_of(NULL, 10);
    struct trace *trace = read_text(supplies);
    struct failure failure;

    (void)state;
    assert_int_equal(failure_find(judge, trace, &failure), 0);
    assert_int_equal(failure.kind, FAILURE_NONE);
    trace_free(trace);
    failure_judge_free(judge);
}

static void a_world_is_read_from_a_comment(void **state)
{
    struct trace *trace = read_text("# recorded in a world of its own: --world=48,80,32,24,160\n");
    struct trace *without = read_text("# --world=48,80\nreclaim(0) = ZX_OK\n");
    pgr_config counts;

    (void)state;
    assert_int_equal(failure_recorded_world(trace, &counts), 1);
    assert_int_equal(counts.frame_count, 48);
    assert_int_equal(counts.run_count, 160);
    assert_int_equal(failure_recorded_world(without, &counts), 0);
    trace_free(trace);
    trace_free(without);
}

/* ---- inputs ---- */

static void targets_are_known_by_name(void **state)
{
    (void)state;
    for (const char *const *name = input_targets(); *name != NULL; name++) {
        struct input_judge *judge = input_judge_new(*name, 10);
        assert_non_null(judge);
        input_judge_free(judge);
    }
    assert_null(input_judge_new("fuzz_nothing", 10));
}

static void a_sound_core_gives_no_finding(void **state)
{
    static const char *const names[] = {"fuzz_calls", "fuzz_writeback", "fuzz_x86"};
    uint8_t data[64];

    (void)state;
    for (size_t i = 0; i < sizeof(data); i++)
        data[i] = (uint8_t)(i * 37);
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        struct input_judge *judge = input_judge_new(names[i], 10);
        struct input_finding finding;
        assert_int_equal(input_run(judge, data, sizeof(data), &finding), 0);
        assert_int_equal(finding.is_found, 0);
        input_finding_free(&finding);
        input_judge_free(judge);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(drops_what_hangs_on_it),
        cmocka_unit_test(a_killed_thread_can_be_cut_off),
        cmocka_unit_test(only_what_is_needed_is_left),
        cmocka_unit_test(threads_become_main),
        cmocka_unit_test(two_threads_that_must_be_are_left),
        cmocka_unit_test(options_go_and_values_get_simple),
        cmocka_unit_test(names_are_replaced),
        cmocka_unit_test(pairs_go_together),
        cmocka_unit_test(what_does_not_fail_is_not_shrunk),
        cmocka_unit_test(never_ends_empty),
        cmocka_unit_test(ends_when_told),
        cmocka_unit_test(tries_are_bounded_and_told),
        cmocka_unit_test(comments_on_top_stay),
        cmocka_unit_test(a_wrong_expectation_is_dug_out),
        cmocka_unit_test(the_oracle_keeps_a_trace_true),
        cmocka_unit_test(the_outputs_of_a_blocked_call_are_kept),
        cmocka_unit_test(a_violation_is_kept),
        cmocka_unit_test(a_death_is_kept),
        cmocka_unit_test(the_first_failure_counts),
        cmocka_unit_test(a_hang_is_kept),
        cmocka_unit_test(a_sound_core_does_nothing_wrong),
        cmocka_unit_test(a_world_is_read_from_a_comment),
        cmocka_unit_test(targets_are_known_by_name),
        cmocka_unit_test(a_sound_core_gives_no_finding),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
