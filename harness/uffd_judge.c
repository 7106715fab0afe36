/*
 * Compares what the core and Linux show after an operation (uffd.h). Where they differ by nature, the difference is let
 * pass in the exact case in which it must come, and counted; docs/userfaultfd.md has these cases.
 */
#include "harness/no_coverage.h"
#include "harness/uffd_internal.h"

#include <string.h>

NO_COVERAGE_BEGIN

static const uint8_t zeros[UFFD_PAGE_BYTES];
static const char *const kind_names[UFFD_WAITS] = {"nothing", "READ", "DIRTY"};
static const char *const state_names[PGR_PAGE_STATE_COUNT] = {
    [PGR_PAGE_NONE] = "absent",
    [PGR_PAGE_ANONYMOUS] = "committed",
    [PGR_PAGE_CLEAN] = "clean",
    [PGR_PAGE_DIRTY] = "dirty",
    [PGR_PAGE_MARKER] = "a zero marker",
    [PGR_PAGE_AWAITING_CLEAN] = "awaiting clean",
    [PGR_PAGE_INTERVAL] = "in a zero interval",
};

/* --- requests --- */

/* The kind of request that this operation answers: who is woken by that, and still has to wait, asks anew. */
static uint32_t kind_answered(const struct uffd_operation *operation)
{
    if (operation->number == UFFD_SUPPLY)
        return UFFD_WAITS_READ;
    return operation->number == UFFD_DIRTY ? UFFD_WAITS_DIRTY : UFFD_WAITS_NOT;
}

static int waits_for(const struct uffd_view *view, uint32_t thread, uint32_t kind, uint32_t page)
{
    return view->accesses[thread].waits == kind && view->accesses[thread].page == page;
}

/*
 * Linux reports the fault of every thread: also of one that joins an outstanding request, and of one that was woken by its
 * address although the answer was not for it, and waits again.
 */
static int is_repeated(const struct comparison *c, uint32_t kind, uint32_t page)
{
    int outstanding = 0;
    for (uint32_t i = 0; i < UFFD_THREADS; i++)
        outstanding |= waits_for(c->before, i, kind, page);
    for (uint32_t i = 0; i < UFFD_THREADS && outstanding; i++) {
        int again = waits_for(c->before, i, kind, page);
        if (!c->kernel->accesses[i].reported || !waits_for(c->kernel, i, kind, page))
            continue;
        if (again && kind == kind_answered(c->operation))
            return 0;
        *(again ? &uffd_done.asked_again : &uffd_done.joined) += 1;
    }
    return outstanding;
}

static void judge_request(const struct comparison *c, uint32_t kind, uint32_t page)
{
    int asked = c->core->requests[kind] >> page & 1, reported = c->kernel->requests[kind] >> page & 1;
    if (asked && !reported)
        uffd_differ("U2: the core asks its pager, %s of page %u, and Linux reports no such fault", kind_names[kind],
                    page);
    if (reported && !asked && !is_repeated(c, kind, page))
        uffd_differ("U2: Linux reports a fault, %s of page %u, and the core does not ask its pager", kind_names[kind],
                    page);
}

/* --- accesses --- */

static void judge_fault(const struct uffd_access_view *core, const struct uffd_access_view *kernel, uint32_t thread,
                        int unmapped)
{
    if (core->fault == kernel->fault && core->fault_at == kernel->fault_at)
        return;
    /* A failure reaches Zircon's thread as it is; Linux lets it look again, and it finds nothing mapped. */
    if (unmapped && core->fault == ZX_ERR_IO && kernel->fault == ZX_ERR_NOT_FOUND &&
        core->fault_at == kernel->fault_at) {
        uffd_done.failed_unmapped++;
        return;
    }
    uffd_differ("U3: thread %u: the core's access ends with %d at 0x%x, that on Linux with %d at 0x%x", thread,
                core->fault, core->fault_at, kernel->fault, kernel->fault_at);
}

static void judge_bytes(const struct uffd_access_view *core, const struct uffd_access_view *kernel, uint32_t thread)
{
    if (core->count != kernel->count) {
        uffd_differ("U3: thread %u: the core loads %u bytes, Linux %u", thread, core->count, kernel->count);
        return;
    }
    for (uint32_t i = 0; i < core->count; i++) {
        if (core->bytes[i] != kernel->bytes[i]) {
            uffd_differ("U3: thread %u: byte %u is 0x%02x in the core, 0x%02x on Linux", thread, i, core->bytes[i],
                        kernel->bytes[i]);
            return;
        }
    }
}

static void judge_access(const struct uffd_access_view *core, const struct uffd_access_view *kernel, uint32_t thread,
                         int unmapped)
{
    if (core->waits != kernel->waits || core->page != kernel->page)
        uffd_differ("U1: thread %u: in the core it waits for %s, page %u, on Linux for %s, page %u", thread,
                    kind_names[core->waits], core->page, kind_names[kernel->waits], kernel->page);
    if (core->ended != kernel->ended || core->killed != kernel->killed)
        uffd_differ("U1: thread %u: its access has %s in the core, and %s on Linux", thread,
                    core->ended ? "ended" : "not ended", kernel->ended ? "ended" : "not ended");
    if (!core->ended || core->killed)
        return;
    judge_fault(core, kernel, thread, unmapped);
    judge_bytes(core, kernel, thread);
}

/* --- pages --- */

static void judge_page(const struct uffd_page_view *core, const struct uffd_page_view *kernel, const char *of,
                       uint32_t page)
{
    const uint8_t *a = core->bytes ? core->bytes : zeros, *b = kernel->bytes ? kernel->bytes : zeros;
    if (core->state != kernel->state) {
        uffd_differ("U4: %s page %u is %s in the core, and %s on Linux", of, page, state_names[core->state],
                    state_names[kernel->state]);
        return;
    }
    for (uint32_t i = 0; memcmp(a, b, UFFD_PAGE_BYTES) != 0 && i < UFFD_PAGE_BYTES; i++) {
        if (a[i] != b[i]) {
            uffd_differ("U4: %s page %u, byte %u, is 0x%02x in the core, 0x%02x on Linux", of, page, i, a[i], b[i]);
            return;
        }
    }
}

void judge_comparison(const struct comparison *c)
{
    const struct uffd_view *core = c->core, *kernel = c->kernel;
    if (core->status != kernel->status)
        uffd_differ("U6: the core's call returns %d, on Linux it comes to %d", core->status, kernel->status);
    for (uint32_t kind = UFFD_WAITS_READ; kind < UFFD_WAITS; kind++) {
        for (uint32_t page = 0; page < UFFD_PAGES; page++)
            judge_request(c, kind, page);
    }
    for (uint32_t i = 0; i < UFFD_THREADS; i++)
        judge_access(&core->accesses[i], &kernel->accesses[i], i, c->unmapped >> i & 1);
    for (uint32_t page = 0; page < UFFD_PAGES; page++) {
        judge_page(&core->pages[page], &kernel->pages[page], "the VMO's", page);
        judge_page(&core->aux[page], &kernel->aux[page], "the aux VMO's", page);
    }
    if (core->committed != kernel->committed)
        uffd_differ("U5: the core has %u frames in use, Linux %u", core->committed, kernel->committed);
}

NO_COVERAGE_END
