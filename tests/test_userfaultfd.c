/*
 * The core against Linux (harness/uffd.h): one case for each row of the table in docs/userfaultfd.md where the two mean
 * the same, and for each difference that the comparison lets pass. The comparison is done by uffd_do(), after every
 * operation; what is asserted here is that Linux did what the case is about.
 *
 * Skipped where userfaultfd cannot be used. With PAGERITE_REQUIRE_UFFD=1 in the environment that is a failure.
 */
#include "harness/uffd.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define PAGE(number) ((number) * UFFD_PAGE_BYTES)

/* --- support --- */

static int is_required(void)
{
    const char *text = getenv("PAGERITE_REQUIRE_UFFD");
    return text && *text && strcmp(text, "0") != 0;
}

static void start(int traps)
{
    if (!uffd_usable()) {
        if (is_required())
            fail_msg("PAGERITE_REQUIRE_UFFD is set, and %s", uffd_message());
        print_message("userfaultfd is not usable here: %s\n", uffd_message());
        skip();
    }
    if (uffd_start(traps, NULL))
        fail_msg("%s", uffd_message());
}

static void finish(void)
{
    if (uffd_finish())
        fail_msg("%s", uffd_message());
}

static void doing(struct uffd_operation operation)
{
    int outcome = uffd_do(&operation);
    if (outcome > 0)
        fail_msg("%s", uffd_message());
    assert_int_equal(outcome, 0);
}

#define DO(...) doing((struct uffd_operation){.number = __VA_ARGS__})

static const struct uffd_access_view *access_of(uint32_t thread)
{
    return &uffd_kernel()->accesses[thread];
}

static void assert_waits(uint32_t thread, enum uffd_wait kind, uint32_t page)
{
    assert_int_equal(access_of(thread)->waits, kind);
    assert_int_equal(access_of(thread)->page, page);
}

static void assert_completed(uint32_t thread)
{
    assert_true(access_of(thread)->ended);
    assert_int_equal(access_of(thread)->fault, ZX_OK);
}

static void assert_fault(uint32_t thread, zx_status_t status, uint32_t at)
{
    assert_true(access_of(thread)->ended);
    assert_int_equal(access_of(thread)->fault, status);
    assert_int_equal(access_of(thread)->fault_at, at);
}

static void assert_loaded(uint32_t thread, const char *bytes, uint32_t count)
{
    assert_completed(thread);
    assert_int_equal(access_of(thread)->count, count);
    assert_memory_equal(access_of(thread)->bytes, bytes, count);
}

static void assert_state(uint32_t page, enum pgr_page_state state)
{
    assert_int_equal(uffd_kernel()->pages[page].state, state);
}

/* Aux page 0 becomes committed and full of `value`, and `page` is supplied with it. */
static void supply_bytes(uint8_t page, uint8_t value)
{
    DO(UFFD_AUX_STORE, .begin = 0, .length = UFFD_PAGE_BYTES, .value = value);
    DO(UFFD_SUPPLY, .page = page, .count = 1, .aux_page = 0);
}

/* --- absent pages --- */

static void load_of_absent_page_waits_and_is_supplied(void **unused)
{
    (void)unused;
    start(0);
    DO(UFFD_LOAD, .thread = 1, .begin = PAGE(2) + 16, .length = 4);
    assert_waits(1, UFFD_WAITS_READ, 2);
    assert_int_equal(uffd_kernel()->requests[UFFD_WAITS_READ], 1u << 2);
    supply_bytes(2, 0x5a);
    assert_loaded(1, "\x5a\x5a\x5a\x5a", 4);
    assert_state(2, PGR_PAGE_CLEAN);
    assert_int_equal(uffd_kernel()->aux[0].state, PGR_PAGE_NONE);
    finish();
}

static void store_to_absent_page_waits_and_dirties(void **unused)
{
    (void)unused;
    start(0);
    DO(UFFD_STORE, .thread = 0, .begin = PAGE(1), .length = 8, .value = 0x33);
    assert_waits(0, UFFD_WAITS_READ, 1);
    supply_bytes(1, 0x11);
    assert_completed(0);
    assert_state(1, PGR_PAGE_DIRTY);
    assert_int_equal(uffd_kernel()->pages[1].bytes[7], 0x33);
    assert_int_equal(uffd_kernel()->pages[1].bytes[8], 0x11);
    finish();
}

static void uncommitted_aux_pages_become_zeros(void **unused)
{
    uint64_t zeroed = uffd_stats()->zeroed;
    (void)unused;
    start(0);
    DO(UFFD_LOAD, .thread = 0, .begin = 0, .length = 2);
    DO(UFFD_SUPPLY, .page = 0, .count = 2, .aux_page = 3);
    assert_loaded(0, "\0\0", 2);
    assert_state(0, PGR_PAGE_MARKER);
    assert_state(1, PGR_PAGE_MARKER);
    assert_int_equal(uffd_stats()->zeroed, zeroed + 2);
    DO(UFFD_STORE, .thread = 0, .begin = PAGE(1), .length = 1, .value = 1);
    assert_state(1, PGR_PAGE_DIRTY);
    finish();
}

/* Loads of a page that was never stored to commit nothing in Zircon; in Linux they map the page of zeros, which moves. */
static void aux_pages_that_were_only_read_are_zeros(void **unused)
{
    (void)unused;
    start(0);
    DO(UFFD_AUX_LOAD, .begin = 0, .length = 8);
    DO(UFFD_SUPPLY, .page = 4, .count = 1, .aux_page = 0);
    assert_state(4, PGR_PAGE_MARKER);
    finish();
}

static void committed_zeros_are_moved(void **unused)
{
    (void)unused;
    start(0);
    supply_bytes(3, 0);
    assert_state(3, PGR_PAGE_CLEAN);
    finish();
}

static void decommitted_aux_pages_are_zeros(void **unused)
{
    (void)unused;
    start(0);
    DO(UFFD_AUX_STORE, .begin = 0, .length = PAGE(2), .value = 9);
    DO(UFFD_AUX_DECOMMIT, .page = 1, .count = 1);
    DO(UFFD_SUPPLY, .page = 0, .count = 2, .aux_page = 0);
    assert_state(0, PGR_PAGE_CLEAN);
    assert_state(1, PGR_PAGE_MARKER);
    finish();
}

static void present_pages_are_kept(void **unused)
{
    uint64_t refused = uffd_stats()->refused;
    (void)unused;
    start(0);
    supply_bytes(1, 0x11);
    DO(UFFD_STORE, .thread = 0, .begin = PAGE(1), .length = 1, .value = 0x22);
    DO(UFFD_SUPPLY, .page = 2, .count = 1, .aux_page = 0);
    DO(UFFD_AUX_STORE, .begin = 0, .length = PAGE(4), .value = 0x44);
    DO(UFFD_SUPPLY, .page = 0, .count = 4, .aux_page = 0);
    assert_int_equal(uffd_stats()->refused, refused + 2);
    assert_state(0, PGR_PAGE_CLEAN);
    assert_state(1, PGR_PAGE_DIRTY);
    assert_state(2, PGR_PAGE_MARKER);
    assert_state(3, PGR_PAGE_CLEAN);
    assert_int_equal(uffd_kernel()->pages[1].bytes[0], 0x22);
    assert_int_equal(uffd_kernel()->pages[3].bytes[0], 0x44);
    finish();
}

static void many_pages_are_moved_in_one_call(void **unused)
{
    uint64_t moved = uffd_stats()->moved;
    (void)unused;
    start(0);
    DO(UFFD_AUX_STORE, .begin = 0, .length = PAGE(6), .value = 0x66);
    DO(UFFD_SUPPLY, .page = 0, .count = 6, .aux_page = 0);
    assert_int_equal(uffd_stats()->moved, moved + 6);
    finish();
}

static void access_over_pages_waits_for_each(void **unused)
{
    (void)unused;
    start(0);
    DO(UFFD_LOAD, .thread = 2, .begin = PAGE(1) - 4, .length = 8);
    assert_waits(2, UFFD_WAITS_READ, 0);
    supply_bytes(0, 0x10);
    assert_waits(2, UFFD_WAITS_READ, 1);
    supply_bytes(1, 0x20);
    assert_loaded(2, "\x10\x10\x10\x10\x20\x20\x20\x20", 8);
    finish();
}

/* The first page's bytes stay stored whatever becomes of the second. */
static void store_over_pages_keeps_its_progress(void **unused)
{
    (void)unused;
    start(0);
    supply_bytes(0, 0x10);
    DO(UFFD_STORE, .thread = 0, .begin = PAGE(1) - 4, .length = 8, .value = 0x99);
    assert_waits(0, UFFD_WAITS_READ, 1);
    DO(UFFD_FAIL, .page = 1, .count = 1);
    assert_fault(0, ZX_ERR_IO, PAGE(1));
    assert_state(0, PGR_PAGE_DIRTY);
    assert_int_equal(uffd_kernel()->pages[0].bytes[PAGE(1) - 1], 0x99);
    finish();
}

/* Linux reports the second thread's fault, too; Zircon's pager is asked once. */
static void second_thread_joins(void **unused)
{
    uint64_t joined = uffd_stats()->joined;
    (void)unused;
    start(0);
    DO(UFFD_LOAD, .thread = 0, .begin = PAGE(3), .length = 1);
    DO(UFFD_LOAD, .thread = 1, .begin = PAGE(3) + 100, .length = 1);
    assert_int_equal(uffd_stats()->joined, joined + 1);
    supply_bytes(3, 0x77);
    assert_loaded(0, "\x77", 1);
    assert_loaded(1, "\x77", 1);
    finish();
}

static void killed_thread_waits_no_longer(void **unused)
{
    (void)unused;
    start(0);
    DO(UFFD_LOAD, .thread = 0, .begin = 0, .length = 1);
    DO(UFFD_LOAD, .thread = 1, .begin = 1, .length = 1);
    DO(UFFD_KILL, .thread = 0);
    assert_true(access_of(0)->killed);
    assert_waits(1, UFFD_WAITS_READ, 0);
    supply_bytes(0, 0x12);
    assert_loaded(1, "\x12", 1);
    finish();
}

/* --- failures --- */

static void failed_page_ends_in_an_exception(void **unused)
{
    (void)unused;
    start(0);
    DO(UFFD_LOAD, .thread = 0, .begin = PAGE(5) + 40, .length = 8);
    DO(UFFD_FAIL, .page = 4, .count = 2);
    assert_fault(0, ZX_ERR_IO, PAGE(5) + 40);
    finish();
}

static void failure_is_not_remembered(void **unused)
{
    (void)unused;
    start(0);
    DO(UFFD_LOAD, .thread = 0, .begin = 0, .length = 1);
    DO(UFFD_FAIL, .page = 0, .count = 1);
    DO(UFFD_LOAD, .thread = 0, .begin = 0, .length = 1);
    assert_waits(0, UFFD_WAITS_READ, 0);
    supply_bytes(0, 0x21);
    assert_loaded(0, "\x21", 1);
    finish();
}

static void failure_leaves_present_pages(void **unused)
{
    (void)unused;
    start(0);
    supply_bytes(1, 0x31);
    DO(UFFD_FAIL, .page = 0, .count = 3);
    DO(UFFD_LOAD, .thread = 0, .begin = PAGE(1), .length = 1);
    assert_loaded(0, "\x31", 1);
    finish();
}

static void failed_dirtying_ends_in_an_exception(void **unused)
{
    (void)unused;
    start(1);
    supply_bytes(0, 0x41);
    DO(UFFD_STORE, .thread = 0, .begin = 8, .length = 8, .value = 1);
    assert_waits(0, UFFD_WAITS_DIRTY, 0);
    DO(UFFD_FAIL, .page = 0, .count = 1);
    assert_fault(0, ZX_ERR_IO, 8);
    assert_state(0, PGR_PAGE_CLEAN);
    finish();
}

/* --- dirty tracking --- */

static void trapped_store_waits_for_dirty(void **unused)
{
    (void)unused;
    start(1);
    DO(UFFD_STORE, .thread = 0, .begin = PAGE(1), .length = 8, .value = 0x55);
    assert_waits(0, UFFD_WAITS_READ, 1);
    supply_bytes(1, 0x11);
    assert_waits(0, UFFD_WAITS_DIRTY, 1);
    assert_state(1, PGR_PAGE_CLEAN);
    DO(UFFD_DIRTY, .page = 1, .count = 1);
    assert_completed(0);
    assert_state(1, PGR_PAGE_DIRTY);
    finish();
}

static void trapped_loads_do_not_wait(void **unused)
{
    (void)unused;
    start(1);
    supply_bytes(1, 0x11);
    DO(UFFD_LOAD, .thread = 0, .begin = PAGE(1), .length = 1);
    assert_loaded(0, "\x11", 1);
    assert_state(1, PGR_PAGE_CLEAN);
    finish();
}

static void zeros_are_trapped_too(void **unused)
{
    (void)unused;
    start(1);
    DO(UFFD_SUPPLY, .page = 0, .count = 1, .aux_page = 0);
    DO(UFFD_STORE, .thread = 0, .begin = 0, .length = 1, .value = 7);
    assert_waits(0, UFFD_WAITS_DIRTY, 0);
    DO(UFFD_DIRTY, .page = 0, .count = 1);
    assert_completed(0);
    assert_state(0, PGR_PAGE_DIRTY);
    finish();
}

static void dirtying_may_come_first(void **unused)
{
    (void)unused;
    start(1);
    supply_bytes(2, 0x11);
    DO(UFFD_DIRTY, .page = 2, .count = 1);
    assert_state(2, PGR_PAGE_DIRTY);
    DO(UFFD_STORE, .thread = 0, .begin = PAGE(2), .length = 1, .value = 2);
    assert_completed(0);
    finish();
}

/* All or nothing; but whoever waits looks again, and asks again. */
static void dirtying_over_a_hole_asks_again(void **unused)
{
    (void)unused;
    start(1);
    supply_bytes(2, 0x11);
    DO(UFFD_STORE, .thread = 0, .begin = PAGE(2), .length = 1, .value = 2);
    DO(UFFD_DIRTY, .page = 2, .count = 2);
    assert_int_equal(uffd_kernel()->status, ZX_ERR_NOT_FOUND);
    assert_waits(0, UFFD_WAITS_DIRTY, 2);
    assert_int_equal(uffd_kernel()->requests[UFFD_WAITS_DIRTY], 1u << 2);
    assert_state(2, PGR_PAGE_CLEAN);
    finish();
}

static void without_traps_linux_notes_stores_itself(void **unused)
{
    (void)unused;
    start(0);
    supply_bytes(0, 0x11);
    DO(UFFD_STORE, .thread = 0, .begin = 0, .length = 1, .value = 2);
    assert_completed(0);
    assert_state(0, PGR_PAGE_DIRTY);
    DO(UFFD_DIRTY, .page = 0, .count = 1);
    assert_int_equal(uffd_kernel()->status, ZX_ERR_NOT_SUPPORTED);
    finish();
}

static void writeback_cleans(void **unused)
{
    for (int traps = 0; traps < 2; traps++) {
        (void)unused;
        start(traps);
        supply_bytes(0, 0x11);
        DO(UFFD_STORE, .thread = 0, .begin = 0, .length = 1, .value = 2);
        if (traps)
            DO(UFFD_DIRTY, .page = 0, .count = 1);
        DO(UFFD_BEGIN, .page = 0, .count = 6);
        assert_state(0, PGR_PAGE_AWAITING_CLEAN);
        DO(UFFD_END, .page = 0, .count = 6);
        assert_state(0, PGR_PAGE_CLEAN);
        finish();
    }
}

static void page_stored_to_during_writeback_stays_dirty(void **unused)
{
    for (int traps = 0; traps < 2; traps++) {
        (void)unused;
        start(traps);
        supply_bytes(0, 0x11);
        DO(UFFD_STORE, .thread = 0, .begin = 0, .length = 1, .value = 2);
        if (traps)
            DO(UFFD_DIRTY, .page = 0, .count = 1);
        DO(UFFD_BEGIN, .page = 0, .count = 1);
        DO(UFFD_STORE, .thread = 0, .begin = 1, .length = 1, .value = 3);
        if (traps) {
            assert_waits(0, UFFD_WAITS_DIRTY, 0);
            DO(UFFD_DIRTY, .page = 0, .count = 1);
        }
        DO(UFFD_END, .page = 0, .count = 1);
        assert_state(0, PGR_PAGE_DIRTY);
        finish();
    }
}

/* --- eviction --- */

static void only_clean_pages_are_evicted(void **unused)
{
    (void)unused;
    start(0);
    for (uint8_t page = 0; page < 3; page++)
        supply_bytes(page, (uint8_t)(0x10 + page));
    DO(UFFD_SUPPLY, .page = 3, .count = 1, .aux_page = 0);
    DO(UFFD_STORE, .thread = 0, .begin = PAGE(1), .length = 1, .value = 2);
    DO(UFFD_EVICT, .count = 6);
    assert_state(0, PGR_PAGE_NONE);
    assert_state(1, PGR_PAGE_DIRTY);
    assert_state(2, PGR_PAGE_NONE);
    assert_state(3, PGR_PAGE_MARKER);
    DO(UFFD_LOAD, .thread = 0, .begin = PAGE(2), .length = 1);
    assert_waits(0, UFFD_WAITS_READ, 2);
    finish();
}

static void eviction_under_a_waiting_store_asks_for_the_page(void **unused)
{
    (void)unused;
    start(1);
    supply_bytes(0, 0x11);
    DO(UFFD_STORE, .thread = 0, .begin = 0, .length = 1, .value = 2);
    DO(UFFD_EVICT, .count = 1);
    assert_waits(0, UFFD_WAITS_DIRTY, 0);
    DO(UFFD_DIRTY, .page = 0, .count = 1);
    assert_int_equal(uffd_kernel()->status, ZX_ERR_NOT_FOUND);
    assert_waits(0, UFFD_WAITS_READ, 0);
    finish();
}

/* Linux wakes by address: the supply meant for thread 1 wakes thread 0, too, and that asks again. */
static void supply_wakes_other_waiters_of_the_page(void **unused)
{
    uint64_t asked_again = uffd_stats()->asked_again;
    (void)unused;
    start(1);
    supply_bytes(0, 0x11);
    DO(UFFD_STORE, .thread = 0, .begin = 0, .length = 1, .value = 2);
    DO(UFFD_EVICT, .count = 1);
    DO(UFFD_LOAD, .thread = 1, .begin = 64, .length = 1);
    assert_waits(1, UFFD_WAITS_READ, 0);
    supply_bytes(0, 0x22);
    assert_loaded(1, "\x22", 1);
    assert_waits(0, UFFD_WAITS_DIRTY, 0);
    assert_int_equal(uffd_stats()->asked_again, asked_again + 1);
    finish();
}

static void waiters_of_a_page_that_went_away_are_not_woken_by_address(void **unused)
{
    const struct uffd_operation supply = {.number = UFFD_SUPPLY, .page = 0, .count = 1};
    (void)unused;
    start(1);
    supply_bytes(0, 0x11);
    DO(UFFD_STORE, .thread = 0, .begin = 0, .length = 1, .value = 2);
    DO(UFFD_EVICT, .count = 1);
    DO(UFFD_LOAD, .thread = 1, .begin = 64, .length = 1);
    DO(UFFD_PLACE, .page = 0, .count = 1, .window = UFFD_WINDOW_B);
    assert_int_equal(uffd_do(&supply), -1);
    DO(UFFD_PLACE, .page = 0, .count = 1, .window = UFFD_WINDOW_A);
    assert_int_equal(uffd_do(&supply), 0);
    assert_loaded(1, "\0", 1);
    finish();
}

/* --- mappings --- */

static void pages_go_with_their_mapping(void **unused)
{
    (void)unused;
    start(1);
    supply_bytes(1, 0x11);
    DO(UFFD_PLACE, .page = 0, .count = 3, .window = UFFD_WINDOW_B);
    DO(UFFD_LOAD, .thread = 0, .begin = PAGE(1), .length = 1, .window = UFFD_WINDOW_B);
    assert_loaded(0, "\x11", 1);
    DO(UFFD_STORE, .thread = 0, .begin = PAGE(1), .length = 1, .value = 2, .window = UFFD_WINDOW_B);
    assert_waits(0, UFFD_WAITS_DIRTY, 1);
    DO(UFFD_LOAD, .thread = 1, .begin = PAGE(2), .length = 1, .window = UFFD_WINDOW_B);
    assert_waits(1, UFFD_WAITS_READ, 2);
    DO(UFFD_LOAD, .thread = 2, .begin = PAGE(1) + 8, .length = 1, .window = UFFD_WINDOW_A);
    assert_fault(2, ZX_ERR_NOT_FOUND, PAGE(1) + 8);
    finish();
}

static void unmapped_pages_come_back(void **unused)
{
    (void)unused;
    start(0);
    supply_bytes(1, 0x11);
    DO(UFFD_PLACE, .page = 1, .count = 1, .window = UFFD_NOWHERE);
    DO(UFFD_LOAD, .thread = 0, .begin = PAGE(1), .length = 1);
    assert_fault(0, ZX_ERR_NOT_FOUND, PAGE(1));
    assert_state(1, PGR_PAGE_CLEAN);
    DO(UFFD_PLACE, .page = 1, .count = 1, .window = UFFD_WINDOW_A);
    DO(UFFD_LOAD, .thread = 0, .begin = PAGE(1), .length = 1);
    assert_loaded(0, "\x11", 1);
    finish();
}

static void nothing_is_mapped_behind_the_end(void **unused)
{
    (void)unused;
    start(0);
    supply_bytes(5, 0x11);
    DO(UFFD_LOAD, .thread = 0, .begin = PAGE(6) - 2, .length = 4);
    assert_fault(0, ZX_ERR_NOT_FOUND, PAGE(6));
    finish();
}

static void access_whose_mapping_went_away_waits_on(void **unused)
{
    (void)unused;
    start(0);
    DO(UFFD_LOAD, .thread = 0, .begin = PAGE(1), .length = 1);
    DO(UFFD_PLACE, .page = 1, .count = 1, .window = UFFD_WINDOW_B);
    assert_waits(0, UFFD_WAITS_READ, 1);
    supply_bytes(1, 0x11);
    assert_fault(0, ZX_ERR_NOT_FOUND, PAGE(1));
    finish();
}

static void access_whose_mapping_came_back_is_supplied(void **unused)
{
    (void)unused;
    start(0);
    DO(UFFD_LOAD, .thread = 0, .begin = PAGE(1), .length = 1);
    DO(UFFD_PLACE, .page = 1, .count = 1, .window = UFFD_NOWHERE);
    DO(UFFD_PLACE, .page = 1, .count = 1, .window = UFFD_WINDOW_A);
    supply_bytes(1, 0x11);
    assert_loaded(0, "\x11", 1);
    finish();
}

/* Zircon's thread gets the failure; Linux's looks again, and finds nothing mapped. */
static void failure_without_mapping(void **unused)
{
    uint64_t failed = uffd_stats()->failed_unmapped;
    (void)unused;
    start(0);
    DO(UFFD_LOAD, .thread = 0, .begin = PAGE(1), .length = 1);
    DO(UFFD_PLACE, .page = 1, .count = 1, .window = UFFD_NOWHERE);
    DO(UFFD_FAIL, .page = 1, .count = 1);
    assert_fault(0, ZX_ERR_NOT_FOUND, PAGE(1));
    assert_int_equal(uffd_stats()->failed_unmapped, failed + 1);
    finish();
}

static void stores_to_read_only_pages_ask_nobody(void **unused)
{
    (void)unused;
    start(1);
    supply_bytes(1, 0x11);
    DO(UFFD_READ_ONLY, .page = 0, .count = 3);
    DO(UFFD_STORE, .thread = 0, .begin = PAGE(1), .length = 1, .value = 2);
    assert_fault(0, ZX_ERR_ACCESS_DENIED, PAGE(1));
    DO(UFFD_STORE, .thread = 0, .begin = PAGE(2), .length = 1, .value = 2);
    assert_fault(0, ZX_ERR_ACCESS_DENIED, PAGE(2));
    DO(UFFD_LOAD, .thread = 0, .begin = PAGE(1), .length = 1);
    assert_loaded(0, "\x11", 1);
    DO(UFFD_READ_WRITE, .page = 1, .count = 1);
    DO(UFFD_STORE, .thread = 0, .begin = PAGE(1), .length = 1, .value = 2);
    assert_waits(0, UFFD_WAITS_DIRTY, 1);
    finish();
}

static void read_only_pages_are_supplied(void **unused)
{
    (void)unused;
    start(0);
    DO(UFFD_STORE, .thread = 0, .begin = PAGE(2), .length = 1, .value = 2);
    DO(UFFD_LOAD, .thread = 1, .begin = PAGE(2) + 8, .length = 1);
    DO(UFFD_READ_ONLY, .page = 2, .count = 1);
    assert_waits(0, UFFD_WAITS_READ, 2);
    supply_bytes(2, 0x11);
    assert_fault(0, ZX_ERR_ACCESS_DENIED, PAGE(2));
    assert_loaded(1, "\x11", 1);
    finish();
}

static void end_of_a_vmo_leaves_nothing(void **unused)
{
    (void)unused;
    start(0);
    supply_bytes(1, 0x11);
    DO(UFFD_AUX_STORE, .begin = 0, .length = PAGE(3), .value = 3);
    DO(UFFD_PLACE, .page = 1, .count = 2, .window = UFFD_WINDOW_B);
    DO(UFFD_RENEW, .page = 0);
    assert_state(1, PGR_PAGE_NONE);
    assert_int_equal(uffd_kernel()->committed, 0);
    DO(UFFD_LOAD, .thread = 0, .begin = PAGE(1), .length = 1);
    assert_waits(0, UFFD_WAITS_READ, 1);
    finish();
}

/* --- the machinery --- */

static void impossible_operations_are_refused(void **unused)
{
    const struct uffd_operation racing = {.number = UFFD_STORE, .thread = 1, .begin = 4, .length = 4};
    const struct uffd_operation busy = {.number = UFFD_LOAD, .thread = 0, .begin = 0, .length = 4};
    const struct uffd_operation beyond = {.number = UFFD_SUPPLY, .page = 5, .count = 2};
    (void)unused;
    start(0);
    DO(UFFD_LOAD, .thread = 0, .begin = 0, .length = 8);
    assert_int_equal(uffd_do(&racing), -1);
    assert_int_equal(uffd_do(&busy), -1);
    assert_int_equal(uffd_do(&beyond), -1);
    finish();
}

#define INPUTS 150
#define INPUT_BYTES 300

static void fill(uint8_t *bytes, uint32_t seed)
{
    uint64_t state = seed * UINT64_C(2654435761) + 1;
    for (int i = 0; i < INPUT_BYTES; i++) {
        state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        bytes[i] = (uint8_t)(state >> 40);
    }
}

static void random_inputs_agree(void **unused)
{
    struct uffd_stats before;
    uint8_t bytes[INPUT_BYTES];
    (void)unused;
    start(0);
    before = *uffd_stats();
    for (uint32_t seed = 0; seed < INPUTS; seed++) {
        fill(bytes, seed);
        if (uffd_play(bytes, sizeof bytes, NULL, stderr))
            fail_msg("input %u: %s", seed, uffd_message());
    }
    assert_int_equal(uffd_stats()->executions - before.executions, INPUTS);
    assert_true(uffd_stats()->waits_read - before.waits_read > INPUTS);
    assert_true(uffd_stats()->waits_dirty > before.waits_dirty);
    assert_true(uffd_stats()->moved - before.moved > INPUTS);
    assert_true(uffd_stats()->exceptions > before.exceptions);
    assert_true(uffd_stats()->cleaned > before.cleaned);
}

static void traces_name_the_operations(void **unused)
{
    static const uint8_t bytes[] = {0, 0, 2, 4};
    char *text = NULL;
    size_t length = 0;
    (void)unused;
    start(0);
    FILE *out = open_memstream(&text, &length);
    assert_non_null(out);
    assert_int_equal(uffd_play(bytes, sizeof bytes, out, NULL), 0);
    fclose(out);
    assert_non_null(strstr(text, "# load, thread 0, bytes 0x2000 to 0x2008, window A\n"));
    assert_non_null(strstr(text, "<unfinished ...>"));
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(load_of_absent_page_waits_and_is_supplied),
        cmocka_unit_test(store_to_absent_page_waits_and_dirties),
        cmocka_unit_test(uncommitted_aux_pages_become_zeros),
        cmocka_unit_test(aux_pages_that_were_only_read_are_zeros),
        cmocka_unit_test(committed_zeros_are_moved),
        cmocka_unit_test(decommitted_aux_pages_are_zeros),
        cmocka_unit_test(present_pages_are_kept),
        cmocka_unit_test(many_pages_are_moved_in_one_call),
        cmocka_unit_test(access_over_pages_waits_for_each),
        cmocka_unit_test(store_over_pages_keeps_its_progress),
        cmocka_unit_test(second_thread_joins),
        cmocka_unit_test(killed_thread_waits_no_longer),
        cmocka_unit_test(failed_page_ends_in_an_exception),
        cmocka_unit_test(failure_is_not_remembered),
        cmocka_unit_test(failure_leaves_present_pages),
        cmocka_unit_test(failed_dirtying_ends_in_an_exception),
        cmocka_unit_test(trapped_store_waits_for_dirty),
        cmocka_unit_test(trapped_loads_do_not_wait),
        cmocka_unit_test(zeros_are_trapped_too),
        cmocka_unit_test(dirtying_may_come_first),
        cmocka_unit_test(dirtying_over_a_hole_asks_again),
        cmocka_unit_test(without_traps_linux_notes_stores_itself),
        cmocka_unit_test(writeback_cleans),
        cmocka_unit_test(page_stored_to_during_writeback_stays_dirty),
        cmocka_unit_test(only_clean_pages_are_evicted),
        cmocka_unit_test(eviction_under_a_waiting_store_asks_for_the_page),
        cmocka_unit_test(supply_wakes_other_waiters_of_the_page),
        cmocka_unit_test(waiters_of_a_page_that_went_away_are_not_woken_by_address),
        cmocka_unit_test(pages_go_with_their_mapping),
        cmocka_unit_test(unmapped_pages_come_back),
        cmocka_unit_test(nothing_is_mapped_behind_the_end),
        cmocka_unit_test(access_whose_mapping_went_away_waits_on),
        cmocka_unit_test(access_whose_mapping_came_back_is_supplied),
        cmocka_unit_test(failure_without_mapping),
        cmocka_unit_test(stores_to_read_only_pages_ask_nobody),
        cmocka_unit_test(read_only_pages_are_supplied),
        cmocka_unit_test(end_of_a_vmo_leaves_nothing),
        cmocka_unit_test(impossible_operations_are_refused),
        cmocka_unit_test(random_inputs_agree),
        cmocka_unit_test(traces_name_the_operations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
