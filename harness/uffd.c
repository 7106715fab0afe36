/* The core and Linux side by side: the operations, and a session. See uffd.h. */
#include "harness/uffd.h"

#include "harness/no_coverage.h"
#include "harness/uffd_internal.h"

#include <stdarg.h>
#include <string.h>

NO_COVERAGE_BEGIN

struct uffd_stats uffd_done;

static char message[256];
static struct uffd_view core_view, kernel_views[2];
static uint32_t current_view;                         /* of kernel_views; the other one is that before it */
static struct uffd_operation under_way[UFFD_THREADS]; /* the last access of each thread */
uint8_t uffd_places[UFFD_PAGES];
static FILE *notes;

void uffd_differ(const char *format, ...)
{
    va_list arguments;
    if (message[0])
        return;
    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
}

const char *uffd_message(void)
{
    return message;
}

const struct uffd_view *uffd_kernel(void)
{
    return &kernel_views[current_view];
}

const struct uffd_stats *uffd_stats(void)
{
    return &uffd_done;
}

/* --- the operations --- */

const struct row uffd_rows[UFFD_OPERATIONS] = {
    [UFFD_LOAD] = {"load", OPERAND_THREAD | OPERAND_ACCESS, 9},
    [UFFD_STORE] = {"store", OPERAND_THREAD | OPERAND_ACCESS | OPERAND_VALUE, 11},
    [UFFD_KILL] = {"kill", OPERAND_THREAD, 1},
    [UFFD_AUX_STORE] = {"aux store", OPERAND_BYTES | OPERAND_VALUE, 8},
    [UFFD_AUX_LOAD] = {"aux load", OPERAND_BYTES, 1},
    [UFFD_AUX_DECOMMIT] = {"aux decommit", OPERAND_PAGES, 1},
    [UFFD_SUPPLY] = {"supply", OPERAND_PAGES | OPERAND_AUX | OPERAND_WAKES, 12},
    [UFFD_FAIL] = {"fail", OPERAND_PAGES, 2},
    [UFFD_DIRTY] = {"dirty", OPERAND_PAGES | OPERAND_WAKES, 7},
    [UFFD_BEGIN] = {"begin", OPERAND_PAGES, 3},
    [UFFD_END] = {"end", OPERAND_PAGES, 3},
    [UFFD_EVICT] = {"evict", OPERAND_COUNT, 4},
    [UFFD_PLACE] = {"place", OPERAND_PAGES | OPERAND_PLACE, 2},
    [UFFD_READ_ONLY] = {"read-only", OPERAND_PAGES | OPERAND_MAPPED, 1},
    [UFFD_READ_WRITE] = {"read-write", OPERAND_PAGES | OPERAND_MAPPED, 1},
    [UFFD_RENEW] = {"renew", OPERAND_NOBODY, 1},
};

static void note(const struct uffd_operation *o)
{
    static const char *const place_names[UFFD_PLACES] = {"window A", "window B", "nowhere"};
    uint32_t operands = uffd_rows[o->number].operands;
    fprintf(notes, "# %s", uffd_rows[o->number].name);
    if (operands & OPERAND_THREAD)
        fprintf(notes, ", thread %u", o->thread);
    if (operands & (OPERAND_ACCESS | OPERAND_BYTES))
        fprintf(notes, ", bytes 0x%x to 0x%x", o->begin, (unsigned)o->begin + o->length);
    if (operands & OPERAND_PAGES)
        fprintf(notes, ", pages %u to %u", o->page, (unsigned)o->page + o->count);
    if (operands & OPERAND_AUX)
        fprintf(notes, ", aux pages from %u on", o->aux_page);
    if (operands & OPERAND_COUNT)
        fprintf(notes, ", %u pages", o->count);
    if (operands & (OPERAND_ACCESS | OPERAND_PLACE))
        fprintf(notes, ", %s", place_names[o->window]);
    if (operands & OPERAND_VALUE)
        fprintf(notes, ", value 0x%02x", o->value);
    fputc('\n', notes);
}

/* --- which can be done --- */

/* Two threads that wait and want the same bytes, one of them to store: which comes first is chance on Linux. */
static int races(const struct uffd_operation *o)
{
    for (uint32_t i = 0; i < UFFD_THREADS; i++) {
        const struct uffd_operation *other = &under_way[i];
        int waits = uffd_kernel()->accesses[i].waits != UFFD_WAITS_NOT;
        int store = o->number == UFFD_STORE || other->number == UFFD_STORE;
        if (waits && store && o->begin < other->begin + other->length && other->begin < o->begin + o->length)
            return 1;
    }
    return 0;
}

/* An access may reach into the page behind its window, where nothing is mapped. */
static int is_possible_access(const struct uffd_operation *o)
{
    return o->thread < UFFD_THREADS && o->window < UFFD_NOWHERE && o->length > 0 && o->begin < VMO_BYTES &&
           o->length <= VMO_BYTES && o->begin + o->length <= VMO_BYTES + UFFD_PAGE_BYTES &&
           uffd_kernel()->accesses[o->thread].waits == UFFD_WAITS_NOT && !races(o);
}

static int is_mapped(const struct uffd_operation *o)
{
    int mapped = 1;
    for (uint32_t page = o->page; page < (uint32_t)o->page + o->count; page++)
        mapped &= uffd_places[page] != UFFD_NOWHERE;
    return mapped;
}

static int is_anybody_waiting(void)
{
    int waiting = 0;
    for (uint32_t i = 0; i < UFFD_THREADS; i++)
        waiting |= uffd_kernel()->accesses[i].waits != UFFD_WAITS_NOT;
    return waiting;
}

static int is_possible(const struct uffd_operation *o)
{
    if (o->number >= UFFD_OPERATIONS)
        return 0;
    uint32_t operands = uffd_rows[o->number].operands;
    if (operands & OPERAND_ACCESS)
        return is_possible_access(o);
    if (operands & OPERAND_THREAD && o->thread >= UFFD_THREADS)
        return 0;
    if (operands & OPERAND_BYTES && (o->begin >= VMO_BYTES || o->length > VMO_BYTES - o->begin || o->length == 0))
        return 0;
    if (operands & OPERAND_PAGES && (o->page >= UFFD_PAGES || o->count > UFFD_PAGES - o->page || o->count == 0))
        return 0;
    if (operands & OPERAND_AUX && (o->aux_page >= UFFD_PAGES || o->count > UFFD_PAGES - o->aux_page))
        return 0;
    if (operands & OPERAND_MAPPED && !is_mapped(o))
        return 0;
    if (operands & OPERAND_WAKES && kernel_wakes_bystanders(o))
        return 0;
    if (operands & OPERAND_NOBODY && is_anybody_waiting())
        return 0;
    return !(operands & OPERAND_PLACE) || o->window < UFFD_PLACES;
}

/* --- a session --- */

int uffd_usable(void)
{
    message[0] = '\0';
    return uffd_start(0, NULL) == 0;
}

int uffd_start(int traps, FILE *record)
{
    message[0] = '\0';
    notes = record;
    memset(kernel_views, 0, sizeof kernel_views);
    memset(uffd_places, UFFD_WINDOW_A, sizeof uffd_places);
    if (kernel_start(traps) == 0)
        core_start(traps, record);
    return message[0] != '\0';
}

static void remember(const struct uffd_operation *o)
{
    uffd_done.operations++;
    if (uffd_rows[o->number].operands & OPERAND_ACCESS) {
        under_way[o->thread] = *o;
        uffd_done.accesses++;
    }
    for (uint32_t page = o->page; o->number == UFFD_PLACE && page < (uint32_t)o->page + o->count; page++)
        uffd_places[page] = o->window;
    if (o->number == UFFD_RENEW)
        memset(uffd_places, UFFD_WINDOW_A, sizeof uffd_places);
}

int uffd_do(const struct uffd_operation *operation)
{
    if (message[0])
        return 1;
    if (!is_possible(operation))
        return -1;
    if (notes)
        note(operation);
    remember(operation);
    struct comparison comparison = {.operation = operation,
                                    .core = &core_view,
                                    .kernel = &kernel_views[current_view ^ 1],
                                    .before = &kernel_views[current_view],
                                    .unmapped = kernel_unmapped()};
    current_view ^= 1;
    core_do(operation, &core_view);
    kernel_do(operation, &kernel_views[current_view]);
    judge_comparison(&comparison);
    return message[0] != '\0';
}

int uffd_finish(void)
{
    for (uint8_t thread = 0; thread < UFFD_THREADS && !message[0]; thread++)
        uffd_do(&(struct uffd_operation){.number = UFFD_KILL, .thread = thread});
    core_end();
    return message[0] != '\0';
}

/* --- figures --- */

void uffd_stats_print(double seconds, FILE *out)
{
    const struct {
        const char *name;
        uint64_t value;
    } figures[] = {
        {"executions", uffd_done.executions},
        {"operations", uffd_done.operations},
        {"operations_per_second", seconds > 0 ? (uint64_t)((double)uffd_done.operations / seconds) : 0},
        {"calls_of_the_core", uffd_done.calls},
        {"accesses", uffd_done.accesses},
        {"faults_missing", uffd_done.waits_read},
        {"faults_write_protected", uffd_done.waits_dirty},
        {"faults_joined", uffd_done.joined},
        {"faults_repeated", uffd_done.asked_again},
        {"pages_moved", uffd_done.moved},
        {"pages_zeroed", uffd_done.zeroed},
        {"pages_refused", uffd_done.refused},
        {"pages_poisoned", uffd_done.poisoned},
        {"pages_dirtied", uffd_done.dirtied},
        {"pages_begun", uffd_done.begun},
        {"pages_cleaned", uffd_done.cleaned},
        {"pages_evicted", uffd_done.evicted},
        {"pages_remapped", uffd_done.remapped},
        {"pages_reprotected", uffd_done.reprotected},
        {"vmos_renewed", uffd_done.renewed},
        {"exceptions", uffd_done.exceptions},
        {"failed_unmapped", uffd_done.failed_unmapped},
        {"killed", uffd_done.killed},
    };
    for (uint32_t i = 0; i < sizeof figures / sizeof figures[0]; i++)
        fprintf(out, "%s\t%llu\n", figures[i].name, (unsigned long long)figures[i].value);
}

NO_COVERAGE_END
