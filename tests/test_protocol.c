/*
 * The line protocol and its judge, where a command line cannot reach: lines back and forth, what a reader of answers
 * must refuse, and implementations that use the freedom that the specification leaves. Called with the name of one of
 * these as its argument, the program is that implementation, behind the protocol.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "harness/exec_diff.h"
#include "harness/exec_random.h"
#include "harness/implementation_core.h"
#include "harness/protocol.h"
#include "harness/protocol_client.h"
#include "harness/trace_internal.h"
#include "tests/trace_support.h"

static const char *program; /* our own file */

/* ---- implementations that are right in another way ---- */

struct other {
    struct implementation interface;
    struct implementation *core;
    int (*reset)(struct other *other, const pgr_config *config, pgr_start *start);
    int runs_last_first;
};

static int other_reset(void *self, const pgr_config *config, pgr_start *start)
{
    struct other *other = self;

    return other->reset(other, config, start);
}

static void other_call(void *self, const pgr_call *call, pgr_result *result)
{
    struct other *other = self;

    other->core->call(other->core->self, call, result);
}

static void other_resume(void *self, uint32_t thread, void *buffer, uint64_t bytes, pgr_result *result)
{
    struct other *other = self;

    other->core->resume(other->core->self, thread, buffer, bytes, result);
}

/* The thread that was released last. */
static uint32_t other_released(void *self)
{
    struct other *other = self;
    uint32_t thread = other->core->released(other->core->self);
    pgr_thread_view view;

    while (other->runs_last_first && thread != PGR_NO_THREAD &&
           pgr_inspect_thread(implementation_core_world(other->core, NULL), thread, &view) &&
           view.next_released != PGR_NO_THREAD)
        thread = view.next_released;
    return thread;
}

static int reset_plainly(struct other *other, const pgr_config *config, pgr_start *start)
{
    return other->core->reset(other->core->self, config, start);
}

/* Of pages, what an unlimited batch asks for. */
static int reset_unlimited(struct other *other, const pgr_config *config, pgr_start *start)
{
    pgr_config changed = *config;

    if (changed.read_batch == 16)
        changed.read_batch = 0;
    return other->core->reset(other->core->self, &changed, start);
}

static int reset_decommitting(struct other *other, const pgr_config *config, pgr_start *start)
{
    pgr_config changed = *config;

    changed.options |= PGR_OPTION_SUPPLY_DECOMMITS;
    return other->core->reset(other->core->self, &changed, start);
}

/* Four times as much memory. */
static int reset_larger(struct other *other, const pgr_config *config, pgr_start *start)
{
    pgr_config changed = *config;

    changed.frame_count *= 4;
    changed.run_count *= 4;
    return other->core->reset(other->core->self, &changed, start);
}

static int serve(const char *name)
{
    struct other other = {.core = implementation_core(), .reset = reset_plainly};

    other.interface = (struct implementation){.name = name,
                                              .self = &other,
                                              .reset = other_reset,
                                              .call = other_call,
                                              .resume = other_resume,
                                              .released = other_released};
    other.runs_last_first = strcmp(name, "last-first") == 0;
    if (strcmp(name, "unlimited") == 0)
        other.reset = reset_unlimited;
    if (strcmp(name, "larger") == 0)
        other.reset = reset_larger;
    if (strcmp(name, "decommitting") == 0)
        other.reset = reset_decommitting;
    protocol_serve(&other.interface, NULL, stdin, stdout);
    implementation_end(other.core);
    return 0;
}

/* ---- comparing ---- */

/* What comes of comparing the trace with this command; the text of the finding is to be freed. */
static struct exec_finding compare_with(const char *command, const char *text)
{
    struct exec_options options = {.command = command, .timeout_ms = 20000};
    struct exec *exec = exec_new(&options);
    struct trace *trace = read_text(text);
    struct exec_finding finding;

    assert_int_equal(exec_trace(exec, trace, &finding), 0);
    trace_free(trace);
    exec_free(exec);
    return finding;
}

static struct exec_finding compare_with_own(const char *name, const char *text)
{
    char command[4200];

    snprintf(command, sizeof(command), "exec '%s' %s", program, name);
    return compare_with(command, text);
}

static void expect_right(const char *name, const char *text)
{
    struct exec_finding finding = compare_with_own(name, text);

    if (finding.kind != EXEC_NONE)
        print_error("%s", finding.text);
    assert_int_equal(finding.kind, EXEC_NONE);
    exec_finding_free(&finding);
}

static void expect_wrong(const char *name, const char *text, enum exec_kind kind, uint32_t line)
{
    struct exec_finding finding = compare_with_own(name, text);

    assert_int_equal(finding.kind, kind);
    assert_int_equal(finding.line, line);
    exec_finding_free(&finding);
}

#define PAGER                                                                                                          \
    "zx_port_create(0, &port) = ZX_OK\n"                                                                               \
    "zx_pager_create(0, &pager) = ZX_OK\n"                                                                             \
    "zx_pager_create_vmo(pager, 0, port, 7, 64p, &vmo) = ZX_OK\n"                                                      \
    "zx_vmo_create(64p, 0, &aux) = ZX_OK\n"

/* Three threads wait for one page, and run in another order: two write the same bytes, and the last one stays. */
static void released_threads_may_run_in_any_order(void **state)
{
    const char *text = PAGER "[a] zx_vmo_write(vmo, fill(1), 0, 8) <unfinished ...>\n"
                             "[b] zx_vmo_write(vmo, fill(2), 0, 8) <unfinished ...>\n"
                             "[c] zx_vmo_write(vmo, fill(3), 0, 8) <unfinished ...>\n"
                             "zx_pager_supply_pages(pager, vmo, 0, 1p, aux, 0) = ZX_OK\n"
                             "zx_vmo_read(vmo, _, 0, 16) = ZX_OK\n";

    (void)state;
    expect_right("last-first", text);
    expect_right("plain", text);
}

/* Which thread asks first is seen in the packets. */
static void order_is_held_against_later_lines(void **state)
{
    const char *text = PAGER "[a] zx_vmo_read(vmo, _, 0, 32p) <unfinished ...>\n"
                             "[b] zx_vmo_read(vmo, _, 2p, 40p) <unfinished ...>\n"
                             "[c] zx_vmo_op_range(vmo, ZX_VMO_OP_COMMIT, 0, 64p) <unfinished ...>\n"
                             "zx_pager_supply_pages(pager, vmo, 0, 16p, aux, 0) = ZX_OK\n"
                             "zx_port_wait(port, 0, _) = _\n"
                             "zx_port_wait(port, 0, _) = _\n"
                             "zx_port_wait(port, 0, _) = _\n"
                             "zx_pager_supply_pages(pager, vmo, 16p, 48p, aux, 16p) = ZX_OK\n";

    (void)state;
    expect_right("last-first", text);
}

static void requests_may_ask_for_more(void **state)
{
    const char *text = PAGER "[a] zx_vmo_read(vmo, _, 0, 64p) <unfinished ...>\n"
                             "zx_port_wait(port, 0, _) = ZX_OK\n"
                             "zx_pager_supply_pages(pager, vmo, 0, 16p, aux, 0) = ZX_OK\n"
                             "zx_port_wait(port, 0, _) = ZX_ERR_TIMED_OUT\n";

    (void)state;
    expect_right("unlimited", text);
}

/* If the trace says how much they ask for there is no choice. */
static void requests_must_ask_for_what_is_said(void **state)
{
    const char *text = "option read_batch 16\n" PAGER "[a] zx_vmo_read(vmo, _, 0, 64p) <unfinished ...>\n"
                       "zx_port_wait(port, 0, _) = ZX_OK\n";

    (void)state;
    expect_wrong("unlimited", text, EXEC_OUTPUT, 7);
}

#define LATE_FAILURE                                                                                                   \
    "zx_vmo_write(aux, fill(9), 0, 2p) = ZX_OK\n"                                                                      \
    "zx_pager_supply_pages(pager, vmo, 63p, 2p, aux, 0) = ZX_ERR_OUT_OF_RANGE\n"                                       \
    "zx_vmo_read(aux, _, 0, 2p) = ZX_OK\n"

static void failed_supply_may_take_the_pages(void **state)
{
    (void)state;
    expect_right("decommitting", PAGER LATE_FAILURE LATE_FAILURE);
    expect_right("plain", PAGER LATE_FAILURE LATE_FAILURE);
}

static void failed_supply_leaves_what_is_said(void **state)
{
    (void)state;
    expect_wrong("decommitting", "option supply_failure untouched\n" PAGER LATE_FAILURE, EXEC_OUTPUT, 8);
}

/* What lies behind the core's last frame is not compared; a failure that the trace has asked for is. */
static void implementations_may_have_more_memory(void **state)
{
    const char *large = "zx_vmo_create(100000p, 0, &v) = ZX_OK\n"
                        "zx_vmo_op_range(v, ZX_VMO_OP_COMMIT, 0, 100000p) = ZX_OK\n"
                        "zx_vmo_get_size(v, [0]) = ZX_OK\n";
    struct exec_finding finding = compare_with_own("larger", large);

    (void)state;
    assert_int_equal(finding.kind, EXEC_NONE);
    assert_non_null(strstr(finding.text, "compared up to line 2"));
    exec_finding_free(&finding);
    expect_right("plain", large);
}

/* Answers from a file, one line each, whatever is asked. */
static struct exec_finding compare_with_answers(const char *answers, const char *text)
{
    char path[] = "/tmp/pagerite-answers-XXXXXX";
    int file = mkstemp(path);
    char command[200];
    struct exec_finding finding;

    assert_true(file >= 0);
    assert_int_equal(write(file, answers, strlen(answers)), (ssize_t)strlen(answers));
    close(file);
    snprintf(command, sizeof(command), "while read -r q; do read -r a <&3; printf '%%b\\n.\\n' \"$a\"; done 3<%s",
             path);
    finding = compare_with(command, text);
    unlink(path);
    return finding;
}

#define PAGER_ANSWERS                                                                                                  \
    "vmar=1 bti=2 resource=3 event=4\n"                                                                                \
    "zx_port_create(0, [7]) = ZX_OK\n"                                                                                 \
    "zx_pager_create(0, [11]) = ZX_OK\n"                                                                               \
    "zx_pager_create_vmo(11, 0, 7, 7, 262144, [15]) = ZX_OK\n"                                                         \
    "zx_vmo_create(262144, 0, [19]) = ZX_OK\n"

#define REQUEST(offset, length, more)                                                                                  \
    "zx_port_wait(7, 0, {key=7, type=9, command=0, offset=" offset ", length=" length more "}) = ZX_OK\n"

#define TWO_READERS                                                                                                    \
    PAGER "[a] zx_vmo_read(vmo, _, 0, 32p) <unfinished ...>\n"                                                         \
          "[b] zx_vmo_read(vmo, _, 32p, 32p) <unfinished ...>\n"                                                       \
          "zx_port_wait(port, 0, _) = ZX_OK\n"                                                                         \
          "zx_port_wait(port, 0, _) = ZX_OK\n"
#define TWO_READERS_ANSWERS                                                                                            \
    PAGER_ANSWERS "[a] zx_vmo_read(15, _, 0, 131072) <unfinished ...>\n"                                               \
                  "[b] zx_vmo_read(15, _, 131072, 131072) <unfinished ...>\n"

static void choices_are_made_once(void **state)
{
    static const struct {
        const char *answers;
        enum exec_kind kind;
    } cases[] = {
        {REQUEST("0", "65536", "") REQUEST("131072", "65536", ""), EXEC_NONE},
        {REQUEST("0", "131072", "") REQUEST("131072", "131072", ""), EXEC_NONE},
        {REQUEST("0", "131072", "") REQUEST("131072", "65536", ""), EXEC_OUTPUT},
        {REQUEST("0", "12288", "") REQUEST("131072", "12288", ""), EXEC_NONE},
        {REQUEST("0", "12288", "") REQUEST("131072", "65536", ""), EXEC_OUTPUT},
        {REQUEST("0", "65536", ", flags=6") REQUEST("131072", "65536", ", flags=6"), EXEC_NONE},
        {REQUEST("0", "65536", ", flags=6") REQUEST("131072", "65536", ", flags=5"), EXEC_OUTPUT},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char answers[2000];
        struct exec_finding finding;
        snprintf(answers, sizeof(answers), TWO_READERS_ANSWERS "%s", cases[i].answers);
        finding = compare_with_answers(answers, TWO_READERS);
        assert_int_equal(finding.kind, cases[i].kind);
        exec_finding_free(&finding);
    }
}

/* Frames in a row are there or not: who has them gives them back, and lines that need them are passed over. */
static void contiguous_frames_are_luck(void **state)
{
    const char *text = "zx_vmo_create_contiguous(bti, %sp, 0, &c) = _\n"
                       "zx_vmo_get_size(c, _) = _\n"
                       "zx_vmo_create(1p, 0, &v) = ZX_OK\n";
    const char *refused = "vmar=1 bti=2 resource=3 event=4\n"
                          "zx_vmo_create_contiguous(2, 8192, 0, _) = ZX_ERR_NO_MEMORY\n"
                          "zx_vmo_create(4096, 0, [7]) = ZX_OK\n";
    const char *granted = "vmar=1 bti=2 resource=3 event=4\n"
                          "zx_vmo_create_contiguous(2, 409600000, 0, [11]) = ZX_OK\n"
                          "zx_handle_close(11) = ZX_OK\n"
                          "zx_vmo_create(4096, 0, [7]) = ZX_OK\n";
    char trace[300];
    struct exec_finding finding;

    (void)state;
    snprintf(trace, sizeof(trace), text, "2");
    finding = compare_with_answers(refused, trace);
    assert_int_equal(finding.kind, EXEC_NONE);
    snprintf(trace, sizeof(trace), text, "100000");
    finding = compare_with_answers(granted, trace);
    assert_int_equal(finding.kind, EXEC_NONE);
}

#define AUX_READ(byte) "zx_vmo_read(19, fill(" byte "), 0, 8192) = ZX_OK\n"

/* The pages are gone, or they are not. */
static void failed_supply_is_seen_once(void **state)
{
    static const struct {
        const char *answers;
        enum exec_kind kind;
    } cases[] = {
        {AUX_READ("9") AUX_READ("9"), EXEC_NONE},   {AUX_READ("0") AUX_READ("0"), EXEC_NONE},
        {AUX_READ("0") AUX_READ("9"), EXEC_OUTPUT}, {AUX_READ("9") AUX_READ("0"), EXEC_OUTPUT},
        {AUX_READ("1") AUX_READ("1"), EXEC_OUTPUT},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char answers[2000];
        struct exec_finding finding;
        snprintf(answers, sizeof(answers),
                 PAGER_ANSWERS "zx_vmo_write(19, fill(9), 0, 8192) = ZX_OK\n"
                               "zx_pager_supply_pages(11, 15, 258048, 8192, 19, 0) = ZX_ERR_OUT_OF_RANGE\n%s",
                 cases[i].answers);
        finding = compare_with_answers(answers, PAGER LATE_FAILURE "zx_vmo_read(aux, _, 0, 2p) = ZX_OK\n");
        assert_int_equal(finding.kind, cases[i].kind);
        exec_finding_free(&finding);
    }
}

/* Koids and addresses are the implementation's own, but one is one. */
static void own_numbers_are_held(void **state)
{
    static const struct {
        const char *first, *second, *address;
        enum exec_kind kind;
    } cases[] = {
        {"1234", "1234", "8392704", EXEC_NONE},
        {"1234", "1235", "8392704", EXEC_OUTPUT},
        {"0", "0", "8392704", EXEC_OUTPUT},
        {"1234", "1234", "8392705", EXEC_OUTPUT},
    };
    const char *text = "zx_vmo_create(1p, 0, &v) = ZX_OK\n"
                       "zx_object_get_info(v, ZX_INFO_VMO, _) = ZX_OK\n"
                       "zx_object_get_info(v, ZX_INFO_HANDLE_BASIC, _) = ZX_OK\n"
                       "zx_vmar_map(vmar, ZX_VM_PERM_READ, 0, v, 0, 1p, &at) = ZX_OK\n"
                       "[t] mem_read(at+1p-4, _, 8)\n";

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char answers[2000];
        struct exec_finding finding;
        snprintf(
            answers, sizeof(answers),
            "vmar=1 bti=2 resource=3 event=4\n"
            "zx_vmo_create(4096, 0, [7]) = ZX_OK\n"
            "zx_object_get_info(7, 536870935, {koid=%s, size_bytes=4096}) = ZX_OK\n"
            "zx_object_get_info(7, 2, {type=3, koid=%s}) = ZX_OK\n"
            "zx_vmar_map(1, 1, 0, 7, 0, 4096, [8388608]) = ZX_OK\n"
            "[t] mem_read(8392700, _, 8)\\n[t] --- ZX_EXCP_FATAL_PAGE_FAULT {addr=%s, code=ZX_ERR_NOT_FOUND} ---\n",
            cases[i].first, cases[i].second, cases[i].address);
        finding = compare_with_answers(answers, text);
        if (finding.kind != cases[i].kind)
            print_error("%zu: %s", i, finding.text);
        assert_int_equal(finding.kind, cases[i].kind);
        exec_finding_free(&finding);
    }
}

/* ---- garbage in the place of answers ---- */

#define HELLO "read x; echo vmar=7 bti=0; echo .; read x; "

static void expect_found(const char *command, enum exec_kind kind, const char *said)
{
    struct exec_finding finding =
        compare_with(command, "zx_vmo_create(1p, 0, &v) = ZX_OK\nzx_vmo_get_size(v, _) = ZX_OK\n");

    assert_int_equal(finding.kind, kind);
    assert_non_null(strstr(finding.text, said));
    exec_finding_free(&finding);
}

static void answers_are_read_strictly(void **state)
{
    static const struct {
        const char *answer;
        enum exec_kind kind;
        const char *said;
    } cases[] = {
        {"", EXEC_GARBAGE, "empty"},
        {"hello", EXEC_GARBAGE, "expected"},
        {"zx_vmo_create(4096, 0, [7]) = ZX_OK trailing", EXEC_GARBAGE, "end of the line"},
        {"zx_vmo_create(4096, 0, [7]) = ZX_OK|ZX_ERR_IO", EXEC_GARBAGE, "one status"},
        {"zx_vmo_create(4096, 0, [7]) = _", EXEC_GARBAGE, "one status"},
        {"zx_vmo_create(4096, 0, _) = ZX_OK", EXEC_GARBAGE, "does not say what"},
        {"zx_vmo_create(4096, 0, &v) = ZX_OK", EXEC_GARBAGE, "numbers alone"},
        {"zx_vmo_create(4096, 0, [vmar]) = ZX_OK", EXEC_GARBAGE, "numbers alone"},
        {"zx_vmo_create(4096, 2, [7]) = ZX_OK", EXEC_OTHER_CALL, "another 'options'"},
        {"[t] zx_vmo_create(4096, 0, [7]) = ZX_OK", EXEC_OTHER_CALL, "another call"},
        {"zx_vmo_get_size(7, [4096]) = ZX_OK", EXEC_OTHER_CALL, "another call"},
        {"option page_size 16", EXEC_GARBAGE, "expected"},
        {"zx_vmo_create(4096, 0, _) <unfinished ...>", EXEC_BLOCKING, "command:"},
        {"zx_vmo_create(4096, 0, _) = ZX_ERR_NO_MEMORY", EXEC_STATUS, "command:"},
        {"[t] <... zx_vmo_read resumed> = ZX_OK", EXEC_GARBAGE, "is in none"},
        {"!unsupported", EXEC_UNSUPPORTED, "--unsupported"},
        {"!error out of ideas", EXEC_ERROR, "out of ideas"},
        {"!dance", EXEC_GARBAGE, "no answer"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char command[400];
        const char *line_end = cases[i].answer[0] != '\0' ? "\\n" : "";
        snprintf(command, sizeof(command), HELLO "printf '%s%s.\\n'; cat >/dev/null", cases[i].answer, line_end);
        expect_found(command, cases[i].kind, cases[i].said);
    }
}

static void ends_are_told(void **state)
{
    (void)state;
    expect_found(HELLO "exit 3", EXEC_ENDED, "status 3");
    expect_found(HELLO "echo last words >&2; kill -SEGV $$", EXEC_ENDED, "last words");
    expect_found(HELLO "printf zx_vmo; exit 0", EXEC_ENDED, "in the middle of an answer");
    expect_found("exit 0", EXEC_ENDED, "without an answer");
    expect_found("/no/such/program", EXEC_ENDED, "127");
    expect_found("read x; echo vmar=x; echo .; cat", EXEC_GARBAGE, "start handles");
    expect_found(HELLO "yes", EXEC_FLOOD, "more than");
}

/* ---- lines ---- */

/* What is sent of a line of a trace in which all names are bound to 7. */
static void expect_sent(const char *line, const char *expected)
{
    struct trace *trace = read_text(line);
    const struct trace_symbol *unbound;
    struct trace_binding *bindings = calloc(trace_symbol_count(trace), sizeof(*bindings));
    char *text = NULL;
    size_t bytes = 0;
    FILE *out = open_memstream(&text, &bytes);

    for (uint32_t i = 0; i < trace_symbol_count(trace); i++)
        bindings[i] = (struct trace_binding){7, 1};
    assert_int_equal(protocol_write_call(trace, trace_lines(trace), bindings, out, &unbound), 0);
    fclose(out);
    assert_string_equal(text, expected);
    free(text);
    free(bindings);
    trace_free(trace);
}

static void lines_are_sent_as_numbers(void **state)
{
    (void)state;
    expect_sent("zx_vmo_create(2p+1, ZX_VMO_RESIZABLE, &v) = ZX_OK", "zx_vmo_create(8193, 2, _)");
    expect_sent("[t] zx_port_wait(event, ZX_TIME_INFINITE, {key=1}) <unfinished ...>",
                "[t] zx_port_wait(7, 9223372036854775807, _)");
    expect_sent("[main] zx_handle_close_many([vmar, bti-1]) = ZX_OK", "zx_handle_close_many([7, 6])");
    expect_sent("zx_vmo_write(event, pages(1, 2), 0, 2p) = ZX_OK", "zx_vmo_write(7, pages(1, 2), 0, 8192)");
    expect_sent("zx_vmo_write(event, \"a\\0\\\"\", 0, 9) = ZX_OK", "zx_vmo_write(7, \"a\\x00\\\"\", 0, 9)");
    expect_sent("zx_vmo_read(event, at(vmar+1p), 0, 9) = ZX_OK", "zx_vmo_read(7, at(4103), 0, 9)");
    expect_sent("zx_vmo_read(event, fill(3), 0, 9) = ZX_OK", "zx_vmo_read(7, _, 0, 9)");
    expect_sent("zx_vmo_get_size(event, 0) = ZX_OK", "zx_vmo_get_size(7, 0)");
    expect_sent("zx_port_queue(event, {key=vmar, u64=[1, 2, 3, 4]}) = ZX_OK",
                "zx_port_queue(7, {key=7, u64=[1, 2, 3, 4]})");
    expect_sent("thread_kill(t) = ZX_OK", "thread_kill(t)");
}

/* What is answered to these requests, behind the answer to reset. */
static void expect_answer(const char *requests, const char *expected)
{
    struct implementation *core = implementation_core();
    char *text = NULL;
    size_t bytes = 0;
    FILE *in = fmemopen((char *)requests, strlen(requests), "r");
    FILE *out = open_memstream(&text, &bytes);

    protocol_serve(core, NULL, in, out);
    fclose(in);
    fclose(out);
    assert_string_equal(text, expected);
    free(text);
    implementation_end(core);
}

#define RESET "vmar=7 bti=11 resource=15 event=19\n.\n"

static void requests_are_read_strictly(void **state)
{
    (void)state;
    expect_answer("zx_vmo_create(1, 0, _)\n", "!error expected reset\n.\n");
    expect_answer("reset\nreset \n", RESET "!error column 1: expected the name of a call, found 'reset'\n.\n");
    expect_answer("reset\noption page_size 17\n",
                  RESET "!error column 18: expected a page size that is a power of two from 16 to 1073741824\n.\n");
    expect_answer("reset\nzx_vmo_get_size(7, [0])\n",
                  RESET "!error expected _ where the call gives something back\n.\n");
    expect_answer("reset\nzx_vmo_get_size(vmar, _)\n", RESET "!error vmar has no value\n.\n");
    expect_answer("reset\nzx_handle_close(0) = ZX_OK\n",
                  RESET "!error column 20: expected the end of the line, found '='\n.\n");
    expect_answer("reset\n[t] <... zx_vmo_read resumed> = ZX_OK\n",
                  RESET "!error column 5: expected a call, '<...' or '---', found '<'\n.\n");
    expect_answer("reset\n\n", RESET "!error expected a call, an option or reset\n.\n");
    expect_answer("reset\ncheck_invariants()\n", RESET "!unsupported\n.\n");
    expect_answer("reset", "!error the line has no end\n.\n");
}

/* A line that is refused has changed nothing: the thread named in it lives on. */
static void refused_requests_change_nothing(void **state)
{
    (void)state;
    expect_answer("reset\n[t] zx_port_create(0, _)\nthread_kill(t) nonsense\n[t] zx_handle_close(0)\n",
                  RESET "[t] zx_port_create(0, [23]) = ZX_OK\n.\n"
                        "!error column 16: expected the end of the line, found 'nonsense'\n.\n"
                        "[t] zx_handle_close(0) = ZX_OK\n.\n");
}

static void late_outputs_are_told(void **state)
{
    (void)state;
    expect_answer("reset\nzx_port_create(0, _)\n[t] zx_port_wait(23, 9223372036854775807, _)\n"
                  "zx_port_queue(23, {key=5, u64=[1, 2, 3, 4]})\n",
                  RESET "zx_port_create(0, [23]) = ZX_OK\n.\n"
                        "[t] zx_port_wait(23, 9223372036854775807, _) <unfinished ...>\n.\n"
                        "zx_port_queue(23, {key=5, u64=[1, 2, 3, 4]}) = ZX_OK\n"
                        "[t] <... zx_port_wait resumed> {key=5, type=ZX_PKT_TYPE_USER, u64=[1, 2, 3, 4]} = ZX_OK\n.\n");
}

static void start_handles_are_read_strictly(void **state)
{
    pgr_start start;

    (void)state;
    assert_int_equal(protocol_read_start("vmar=1 bti=2 resource=3 event=4294967295", &start), 0);
    assert_int_equal(start.resource, 3);
    assert_int_equal(start.event, UINT32_MAX);
    assert_int_equal(protocol_read_start("event=0", &start), 0);
    assert_int_equal(start.vmar, 0);
    assert_int_equal(protocol_read_start("", &start), -1);
    assert_int_equal(protocol_read_start("vmar=", &start), -1);
    assert_int_equal(protocol_read_start("vmar=4294967296", &start), -1);
    assert_int_equal(protocol_read_start("vmar=1,bti=2", &start), -1);
    assert_int_equal(protocol_read_start("port=1", &start), -1);
}

/* ---- random traces ---- */

static void random_traces_are_the_same_again(void **state)
{
    uint8_t lacks_call[TRACE_CALL_COUNT] = {0}, lacks_option[TRACE_OPTION_COUNT] = {1, 1, 1, 1};
    uint32_t made, made_again;
    struct trace *trace = exec_random(3, 60, lacks_call, lacks_option, &made);
    struct trace *again = exec_random(3, 60, lacks_call, lacks_option, &made_again);
    char *text = print_trace(trace), *text_again = print_trace(again);

    (void)state;
    assert_int_equal(made, 60);
    assert_int_equal(made_again, made);
    assert_string_equal(text, text_again);
    assert_null(strstr(text, "option "));
    free(text);
    free(text_again);
    trace_free(trace);
    trace_free(again);
}

static void random_traces_leave_out_what_is_lacking(void **state)
{
    uint8_t lacks_call[TRACE_CALL_COUNT], lacks_option[TRACE_OPTION_COUNT] = {0};
    uint32_t made;
    struct trace *trace;

    (void)state;
    memset(lacks_call, 1, sizeof(lacks_call));
    lacks_call[PGR_CALL_VMO_CREATE] = lacks_call[PGR_CALL_VMO_READ] = 0;
    trace = exec_random(1, 40, lacks_call, lacks_option, &made);
    assert_int_equal(made, 40);
    for (const struct trace_line *line = trace_lines(trace); line != NULL; line = line->next)
        if (line->form == TRACE_CALL)
            assert_true(line->call == PGR_CALL_VMO_CREATE || line->call == PGR_CALL_VMO_READ);
    trace_free(trace);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(released_threads_may_run_in_any_order),
        cmocka_unit_test(order_is_held_against_later_lines),
        cmocka_unit_test(requests_may_ask_for_more),
        cmocka_unit_test(requests_must_ask_for_what_is_said),
        cmocka_unit_test(failed_supply_may_take_the_pages),
        cmocka_unit_test(failed_supply_leaves_what_is_said),
        cmocka_unit_test(implementations_may_have_more_memory),
        cmocka_unit_test(choices_are_made_once),
        cmocka_unit_test(contiguous_frames_are_luck),
        cmocka_unit_test(failed_supply_is_seen_once),
        cmocka_unit_test(own_numbers_are_held),
        cmocka_unit_test(answers_are_read_strictly),
        cmocka_unit_test(ends_are_told),
        cmocka_unit_test(lines_are_sent_as_numbers),
        cmocka_unit_test(requests_are_read_strictly),
        cmocka_unit_test(refused_requests_change_nothing),
        cmocka_unit_test(late_outputs_are_told),
        cmocka_unit_test(start_handles_are_read_strictly),
        cmocka_unit_test(random_traces_are_the_same_again),
        cmocka_unit_test(random_traces_leave_out_what_is_lacking),
    };

    program = argv[0];
    if (argc == 2)
        return serve(argv[1]);
    signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests_name("protocol", tests, NULL, NULL);
}
