/*
 * The operations of uffd.h on Linux: what a pager would have to do there to behave as one on Zircon does. All threads
 * are at rest between two operations: ended, or asleep in a fault that the pager has been told of.
 */
#include "harness/no_coverage.h"
#include "harness/uffd_internal.h"
#include "harness/uffd_linux.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

NO_COVERAGE_BEGIN

/* Far more than a loaded machine needs: a thread that is not at rest by then hangs. */
#define PATIENCE_MILLISECONDS 20000

struct access {
    int running;
    enum uffd_wait waits;
    uint8_t page;
    uint8_t window;
    uint8_t *at; /* the page in which it waits */
};

static struct memory memory;
static struct access accesses[UFFD_THREADS];
static int traps, moving;
static uint32_t awaiting; /* pages of which a writeback has begun, as bits; one that is written since counts no more */
static uint32_t failing;  /* pages whose requests are being failed */
static struct uffd_view *shown;

static int in_range(const struct uffd_operation *o, uint32_t page)
{
    return page >= o->page && page < (uint32_t)o->page + o->count;
}

/* --- until all threads are at rest: nothing but the accesses goes on meanwhile --- */

static int is_running(void)
{
    int running = moving;
    for (uint32_t i = 0; i < UFFD_THREADS; i++)
        running |= accesses[i].running;
    return running;
}

/* In which window, or UFFD_PLACES. */
static uint32_t window_of(const uint8_t *at)
{
    for (uint32_t i = 0; i < UFFD_PLACES; i++) {
        if (at >= memory.windows[i] && at < memory.windows[i] + UFFD_PAGES * UFFD_PAGE_BYTES)
            return i;
    }
    return UFFD_PLACES;
}

static void fault_reported(const struct uffd_msg *message)
{
    uint8_t *at = (uint8_t *)(uintptr_t)message->arg.pagefault.address;
    uint64_t flags = message->arg.pagefault.flags;
    uint32_t thread = threads_by_id(message->arg.pagefault.feat.ptid), window = window_of(at);
    int stores = (flags & UFFD_PAGEFAULT_FLAG_WRITE) != 0;
    if (thread >= UFFD_THREADS || window >= UFFD_PLACES || !accesses[thread].running) {
        uffd_differ("U7: Linux reports a fault of a thread that makes no access");
        return;
    }
    struct access *access = &accesses[thread];
    if (stores != (threads_job(thread)->task == TASK_STORE))
        uffd_differ("U7: Linux reports thread %u's fault as a %s", thread, stores ? "store" : "load");
    access->running = 0;
    access->waits = flags & UFFD_PAGEFAULT_FLAG_WP ? UFFD_WAITS_DIRTY : UFFD_WAITS_READ;
    access->page = page_of((uint64_t)(at - memory.windows[window]));
    access->at = at;
    shown->accesses[thread].reported = 1;
    shown->requests[access->waits] |= 1u << access->page;
    *(access->waits == UFFD_WAITS_READ ? &uffd_done.waits_read : &uffd_done.waits_dirty) += 1;
}

static void read_messages(void)
{
    struct uffd_msg message;
    while (read(memory.uffd, &message, sizeof message) == sizeof message) {
        if (message.event == UFFD_EVENT_PAGEFAULT)
            fault_reported(&message);
        else if (message.event != UFFD_EVENT_REMAP)
            uffd_differ("U7: Linux reports event %u", message.event);
    }
}

/* What a signal says: the pager has failed the page, stores are forbidden, or there is nothing at that address. */
static zx_status_t fault_status(const struct access *access, const struct job *job)
{
    uint32_t page = page_of((uint64_t)(job->fault_address - memory.windows[access->window]));
    if (job->signal == SIGBUS)
        return ZX_ERR_IO;
    if (page >= UFFD_PAGES || memory.place[page] != access->window)
        return ZX_ERR_NOT_FOUND;
    if (failing >> page & 1 && access->at == memory_at(&memory, page))
        return ZX_ERR_IO;
    return memory.read_only[page] && job->task == TASK_STORE ? ZX_ERR_ACCESS_DENIED : ZX_ERR_NOT_FOUND;
}

static void access_ended(uint32_t thread)
{
    struct access *access = &accesses[thread];
    const struct job *job = threads_job(thread);
    struct uffd_access_view *view = &shown->accesses[thread];
    access->running = 0;
    view->ended = 1;
    view->killed = job->signal != 0 && !job->fault_address;
    view->bytes = job->bytes;
    view->count = job->task == TASK_LOAD ? job->length : 0;
    if (job->signal == 0 || view->killed)
        return;
    view->fault = fault_status(access, job);
    view->fault_at = (uint32_t)(job->fault_address - memory.windows[access->window]);
    if (job->task == TASK_LOAD)
        view->count = (uint32_t)(job->fault_address - job->address);
    uffd_done.exceptions++;
}

static void collect_ended(void)
{
    for (uint32_t i = 0; i < UFFD_THREADS; i++) {
        if (accesses[i].running && threads_ended(i))
            access_ended(i);
    }
    if (moving && threads_ended(MOVER))
        moving = 0;
}

/*
 * The kernel shows a fault before the thread has fallen asleep, and until then the thread holds the mapping. Changing the
 * mapping back and forth therefore waits until it sleeps for good, and only a wake-up lets it look at the page again.
 */
static void wait_until_asleep(void)
{
    for (uint32_t i = 0; i < UFFD_THREADS; i++) {
        if (!shown->accesses[i].reported)
            continue;
        memory_allow_stores(&memory, accesses[i].page, memory.read_only[accesses[i].page]);
        memory_allow_stores(&memory, accesses[i].page, !memory.read_only[accesses[i].page]);
    }
}

static void rest(void)
{
    struct pollfd files[] = {{.fd = memory.uffd, .events = POLLIN}, {.fd = threads_bell(), .events = POLLIN}};
    while (is_running()) {
        int ready = poll(files, 2, PATIENCE_MILLISECONDS);
        if (ready == 0 || (ready < 0 && errno != EINTR)) {
            uffd_differ("U1: after %d ms a thread neither ended nor reported a fault", PATIENCE_MILLISECONDS);
            return;
        }
        threads_heard();
        read_messages();
        collect_ended();
    }
    wait_until_asleep();
}

/* --- waking --- */

/* The kernel wakes by address: whoever waits in that page, for whatever. */
static void wake_at(uint8_t *at)
{
    for (uint32_t i = 0; i < UFFD_THREADS; i++) {
        if (accesses[i].waits != UFFD_WAITS_NOT && accesses[i].at == at) {
            accesses[i].waits = UFFD_WAITS_NOT;
            accesses[i].running = 1;
        }
    }
    memory_wake(&memory, at);
}

static void wake_page(uint32_t page, enum uffd_wait kind)
{
    for (uint32_t i = 0; i < UFFD_THREADS; i++) {
        if (accesses[i].waits == kind && accesses[i].page == page)
            wake_at(accesses[i].at);
    }
}

/* --- accesses --- */

static void make_access(const struct uffd_operation *o)
{
    struct job *job = threads_job(o->thread);
    job->task = o->number == UFFD_LOAD ? TASK_LOAD : TASK_STORE;
    job->address = memory.windows[o->window] + o->begin;
    job->length = o->length;
    job->value = o->value;
    accesses[o->thread] = (struct access){.running = 1, .window = o->window};
    threads_go(o->thread);
    rest();
}

static void kill_access(const struct uffd_operation *o)
{
    struct access *access = &accesses[o->thread];
    if (access->waits == UFFD_WAITS_NOT)
        return;
    access->waits = UFFD_WAITS_NOT;
    access->running = 1;
    threads_kill(o->thread);
    rest();
    uffd_done.killed++;
}

/* --- the aux pages --- */

static uint8_t *aux_at(uint32_t page)
{
    return memory.aux + (uint64_t)page * UFFD_PAGE_BYTES;
}

static void aux_store(const struct uffd_operation *o)
{
    memset(memory.aux + o->begin, o->value, o->length);
}

static void aux_load(const struct uffd_operation *o)
{
    for (uint32_t i = 0; i < o->length; i += 512)
        (void)*(volatile uint8_t *)(memory.aux + o->begin + i);
}

static void aux_decommit(const struct uffd_operation *o)
{
    memory_drop(aux_at(o->page), o->count);
}

/* --- what the pager does to pages that are mapped read-only --- */

/* UFFDIO_MOVE wants source and destination protected alike. All threads sleep, so nobody can use it. */
static void open_pages(const struct uffd_operation *o)
{
    for (uint32_t page = 0; page < UFFD_PAGES; page++) {
        if (in_range(o, page) && memory.read_only[page])
            memory_allow_stores(&memory, page, 1);
    }
}

static void close_pages(const struct uffd_operation *o)
{
    for (uint32_t page = 0; page < UFFD_PAGES; page++) {
        if (in_range(o, page) && memory.read_only[page])
            memory_allow_stores(&memory, page, 0);
    }
}

/* --- supply --- */

/* What the kernel refuses to move is left where it is, bytes and all. */
static void check_left(uint32_t aux_page, const uint8_t *before)
{
    if (memory.aux_pages[aux_page].present && memcmp(aux_at(aux_page), before, UFFD_PAGE_BYTES) != 0)
        uffd_differ("U7: Linux refuses to move aux page %u, and its bytes have changed", aux_page);
    uffd_done.refused++;
}

/* One call for as many pages as the kernel takes. Bits of the pages that are new go to `filled`; returns pages dealt with. */
static uint32_t supply_step(uint32_t page, uint32_t aux_page, uint32_t count, uint32_t *filled)
{
    static uint8_t before[UFFD_PAGE_BYTES];
    if (memory.aux_pages[aux_page].present)
        memcpy(before, aux_at(aux_page), UFFD_PAGE_BYTES);
    struct step step = memory_move(&memory, page, aux_page, memory.whole ? count : 1);
    uffd_done.moved += step.pages;
    if (step.error == ENOENT) {
        step = memory_zero(&memory, page);
        uffd_done.zeroed += step.pages;
    }
    *filled |= ((1u << step.pages) - 1) << page;
    if (step.error == EEXIST)
        check_left(aux_page, before);
    else if (step.error != 0)
        uffd_differ("U7: supply of page %u from aux page %u: %s", page, aux_page, strerror(step.error));
    return step.error != 0 ? 1 : step.pages;
}

/* Moved pages are writable at first. Nobody can use that: who waits for them is woken behind it. */
static void supply(const struct uffd_operation *o)
{
    uint32_t filled = 0;
    open_pages(o);
    for (uint32_t at = 0; at < o->count;)
        at += supply_step(o->page + at, o->aux_page + at, o->count - at, &filled);
    for (uint32_t page = o->page; page < UFFD_PAGES; page++) {
        if (filled >> page & 1)
            memory_protect(&memory, page);
    }
    close_pages(o);
    awaiting &= ~filled;
    memory_drop(aux_at(o->aux_page), o->count);
    for (uint32_t page = o->page; page < UFFD_PAGES; page++) {
        if (filled >> page & 1)
            wake_page(page, UFFD_WAITS_READ);
    }
    rest();
}

/* --- fail --- */

/* An absent page is poisoned. One that only wants to be dirtied cannot be: its stores are forbidden instead. */
static uint32_t fail_page(uint32_t page)
{
    struct step step = memory_poison(&memory, page);
    uffd_done.poisoned += step.pages;
    if (step.error != 0 && step.error != EEXIST)
        uffd_differ("U7: UFFDIO_POISON of page %u: %s", page, strerror(step.error));
    return step.pages << page;
}

static void fail_requests(const struct uffd_operation *o)
{
    uint32_t poisoned = 0;
    for (uint32_t page = o->page; page < (uint32_t)o->page + o->count; page++)
        poisoned |= fail_page(page);
    for (uint32_t page = o->page; page < (uint32_t)o->page + o->count; page++)
        memory_allow_stores(&memory, page, 0);
    failing = ((1u << o->count) - 1) << o->page;
    for (uint32_t page = o->page; page < (uint32_t)o->page + o->count; page++) {
        wake_page(page, UFFD_WAITS_READ);
        wake_page(page, UFFD_WAITS_DIRTY);
    }
    rest();
    failing = 0;
    for (uint32_t page = o->page; page < (uint32_t)o->page + o->count; page++) {
        memory_allow_stores(&memory, page, !memory.read_only[page]);
        if (poisoned >> page & 1)
            memory_drop(memory_at(&memory, page), 1);
    }
}

/* --- dirty tracking --- */

/* Zircon gives a page of zeros a frame as it becomes dirty, Linux when it is stored to: so it is. */
static void make_dirty(uint32_t page)
{
    if (memory.pages[page].written)
        return;
    memory_unprotect(&memory, page);
    if (memory.pages[page].zero)
        *(volatile uint8_t *)memory_at(&memory, page) = 0;
    uffd_done.dirtied++;
}

static void dirty(const struct uffd_operation *o)
{
    if (!traps) {
        shown->status = ZX_ERR_NOT_SUPPORTED;
        return;
    }
    for (uint32_t page = 0; page < UFFD_PAGES; page++) {
        if (in_range(o, page) && !memory.pages[page].present)
            shown->status = ZX_ERR_NOT_FOUND;
    }
    open_pages(o);
    for (uint32_t page = 0; page < UFFD_PAGES; page++) {
        if (in_range(o, page) && shown->status == ZX_OK)
            make_dirty(page);
    }
    close_pages(o);
    for (uint32_t page = 0; page < UFFD_PAGES; page++) {
        if (in_range(o, page))
            wake_page(page, UFFD_WAITS_DIRTY);
    }
    rest();
}

static void begin(const struct uffd_operation *o)
{
    for (uint32_t page = 0; page < UFFD_PAGES; page++) {
        if (!in_range(o, page) || !memory.pages[page].present || !memory.pages[page].written)
            continue;
        memory_protect(&memory, page);
        awaiting |= 1u << page;
        uffd_done.begun++;
    }
}

static void end(const struct uffd_operation *o)
{
    for (uint32_t page = 0; page < UFFD_PAGES; page++) {
        if (!in_range(o, page) || !(awaiting >> page & 1))
            continue;
        awaiting &= ~(1u << page);
        uffd_done.cleaned += !memory.pages[page].written;
    }
}

/* --- eviction and mappings --- */

static uint32_t state_of(uint32_t page)
{
    struct real_page real = memory.pages[page];
    if (!real.present)
        return PGR_PAGE_NONE;
    if (real.written)
        return PGR_PAGE_DIRTY;
    if (awaiting >> page & 1)
        return PGR_PAGE_AWAITING_CLEAN;
    return real.zero ? PGR_PAGE_MARKER : PGR_PAGE_CLEAN;
}

static void evict(const struct uffd_operation *o)
{
    uint32_t left = o->count;
    for (uint32_t page = 0; page < UFFD_PAGES && left > 0; page++) {
        if (state_of(page) != PGR_PAGE_CLEAN)
            continue;
        memory_drop(memory_at(&memory, page), 1);
        left--;
        uffd_done.evicted++;
    }
}

static void move_mapping(uint32_t page, uint8_t place)
{
    struct job *job = threads_job(MOVER);
    job->task = TASK_REMAP;
    job->address = memory_at(&memory, page);
    job->target = memory.windows[place] + (uint64_t)page * UFFD_PAGE_BYTES;
    moving = 1;
    threads_go(MOVER);
    rest();
    if (job->failed)
        uffd_differ("U7: mremap: %s", strerror(job->failed));
    memory_close_hole(job->address);
    memory.whole = 0;
    memory.place[page] = place;
    if (memory.read_only[page])
        memory_allow_stores(&memory, page, 1);
    memory.read_only[page] = 0;
    uffd_done.remapped++;
}

static void place(const struct uffd_operation *o)
{
    for (uint32_t page = 0; page < UFFD_PAGES; page++) {
        if (in_range(o, page) && memory.place[page] != o->window)
            move_mapping(page, o->window);
    }
}

static void protect(const struct uffd_operation *o)
{
    memory.whole = 0;
    for (uint32_t page = o->page; page < (uint32_t)o->page + o->count; page++) {
        memory.read_only[page] = o->number == UFFD_READ_ONLY;
        memory_allow_stores(&memory, page, !memory.read_only[page]);
        uffd_done.reprotected++;
    }
}

static void renew(const struct uffd_operation *o)
{
    (void)o;
    awaiting = 0;
    memory_start(&memory, traps);
    uffd_done.renewed++;
}

/* --- one operation --- */

static void (*const operations[UFFD_OPERATIONS])(const struct uffd_operation *) = {
    [UFFD_LOAD] = make_access,
    [UFFD_STORE] = make_access,
    [UFFD_KILL] = kill_access,
    [UFFD_AUX_STORE] = aux_store,
    [UFFD_AUX_LOAD] = aux_load,
    [UFFD_AUX_DECOMMIT] = aux_decommit,
    [UFFD_SUPPLY] = supply,
    [UFFD_FAIL] = fail_requests,
    [UFFD_DIRTY] = dirty,
    [UFFD_BEGIN] = begin,
    [UFFD_END] = end,
    [UFFD_EVICT] = evict,
    [UFFD_PLACE] = place,
    [UFFD_READ_ONLY] = protect,
    [UFFD_READ_WRITE] = protect,
    [UFFD_RENEW] = renew,
};

static void show_page(struct uffd_page_view *view, uint32_t state, const struct real_page *real, const uint8_t *at)
{
    view->state = state;
    view->bytes = real->present && !real->zero ? at : NULL;
}

static void show(struct uffd_view *view)
{
    memory_scan(&memory);
    for (uint32_t i = 0; i < UFFD_THREADS; i++) {
        view->accesses[i].waits = (uint8_t)accesses[i].waits;
        view->accesses[i].page = accesses[i].waits ? accesses[i].page : 0;
    }
    for (uint32_t page = 0; page < UFFD_PAGES; page++) {
        const struct real_page *aux = &memory.aux_pages[page];
        show_page(&view->pages[page], state_of(page), &memory.pages[page], memory_at(&memory, page));
        view->committed += (view->pages[page].bytes != NULL) + (aux->present && !aux->zero);
        show_page(&view->aux[page], aux->present && !aux->zero ? PGR_PAGE_ANONYMOUS : PGR_PAGE_NONE, aux, aux_at(page));
    }
}

void kernel_do(const struct uffd_operation *operation, struct uffd_view *view)
{
    memset(view, 0, sizeof *view);
    shown = view;
    operations[operation->number](operation);
    show(view);
}

uint32_t kernel_unmapped(void)
{
    uint32_t threads = 0;
    for (uint32_t i = 0; i < UFFD_THREADS; i++) {
        if (accesses[i].waits != UFFD_WAITS_NOT && accesses[i].at != memory_at(&memory, accesses[i].page))
            threads |= 1u << i;
    }
    return threads;
}

int kernel_wakes_bystanders(const struct uffd_operation *o)
{
    uint32_t waited_for[UFFD_WAITS] = {0}, changed = 0;
    for (uint32_t i = 0; i < UFFD_THREADS; i++) {
        uint32_t page = accesses[i].page;
        if (accesses[i].waits == UFFD_WAITS_NOT || !in_range(o, page))
            continue;
        waited_for[accesses[i].waits] |= 1u << page;
        if (accesses[i].at != memory_at(&memory, page) || memory.read_only[page])
            changed |= 1u << page;
    }
    return (waited_for[UFFD_WAITS_READ] & waited_for[UFFD_WAITS_DIRTY] & changed) != 0;
}

/* A session that ended in a difference may have left threads behind. */
static void end_accesses(void)
{
    for (uint32_t i = 0; i < UFFD_THREADS; i++) {
        if (accesses[i].waits != UFFD_WAITS_NOT || accesses[i].running) {
            accesses[i].waits = UFFD_WAITS_NOT;
            accesses[i].running = 1;
            threads_kill(i);
        }
    }
    rest();
}

int kernel_start(int with_traps)
{
    static struct uffd_view nobody_looks;
    if (threads_start() || memory_open())
        return -1;
    shown = &nobody_looks;
    if (memory.uffd > 0)
        end_accesses();
    memset(accesses, 0, sizeof accesses);
    awaiting = 0;
    traps = with_traps;
    if (memory_start(&memory, with_traps))
        return -1;
    memory_scan(&memory);
    return 0;
}

NO_COVERAGE_END
