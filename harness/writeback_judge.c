/*
 * F1, F3 and F4 of writeback.h. After each call the file is looked at page by page, in the core's own records; what was
 * seen there before, what the calls under way may write, and what the disk has, say whether it is as it must be.
 */
#include "harness/no_coverage.h"
#include "harness/writeback_internal.h"

#include <stdarg.h>
#include <string.h>

NO_COVERAGE_BEGIN

static const uint8_t zeros[PAGE_BYTES];

void judge_violation(struct player *p, const char *format, ...)
{
    va_list list;
    if (p->message[0])
        return;
    va_start(list, format);
    vsnprintf(p->message, sizeof p->message, format, list);
    va_end(list);
}

/* --- one page --- */

/* Its state, and its bytes; null if it is absent. */
static const uint8_t *page_content(const struct player *p, uint64_t page, uint32_t *state)
{
    pgr_run_view run;
    *state = PGR_PAGE_NONE;
    if (!pgr_inspect_run(p->world, p->pages_row, page, &run) || run.page > page)
        return NULL;
    *state = run.state;
    if (run.frame == 0)
        return zeros;
    return p->frames + ((run.frame + (page - run.page)) << PAGE_SHIFT);
}

static int is_dirty(uint32_t state)
{
    return state == PGR_PAGE_DIRTY || state == PGR_PAGE_AWAITING_CLEAN || state == PGR_PAGE_INTERVAL;
}

static int explained(const struct player *p, uint64_t at, uint8_t value)
{
    for (uint32_t thread = 0; thread < THREADS; thread++) {
        const struct activity *activity = &p->activity[thread];
        if (activity->effect == EFFECT_WRITE && activity->value == value && at >= activity->begin && at < activity->end)
            return 1;
    }
    return 0;
}

static void judge_change(struct player *p, uint64_t page, const uint8_t *content)
{
    uint8_t *seen = p->seen + (page << PAGE_SHIFT);
    if (memcmp(content, seen, PAGE_BYTES) == 0)
        return;
    for (uint64_t i = 0; i < PAGE_BYTES; i++) {
        uint64_t at = (page << PAGE_SHIFT) + i;
        if (content[i] != seen[i] && !explained(p, at, content[i]))
            judge_violation(p, "F3: byte %llu of the file was 0x%02x, is 0x%02x, and nobody has written that",
                            (unsigned long long)at, seen[i], content[i]);
    }
    memcpy(seen, content, PAGE_BYTES);
}

/*
 * Zeros under writeback that were written over, read for the disk, and zeroed again are cleaned by the rules: the
 * awaiting length in front of them reaches over them. The disk then has what was read. See docs/dirty-tracking.md.
 */
static int rewritten_zeros(struct player *p, uint64_t page)
{
    const struct dirty_range *range = p->ending;
    uint64_t at = page << PAGE_SHIFT;
    if (!range || at < range->offset || at >= range->offset + range->length || !p->writeback.zero_at_begin[page])
        return 0;
    if (memcmp(p->seen + at, zeros, PAGE_BYTES) != 0)
        return 0;
    memset(p->disk + at, 0, PAGE_BYTES);
    p->stats->rewritten++;
    return 1;
}

static void judge_clean(struct player *p, uint64_t page)
{
    uint64_t at = page << PAGE_SHIFT;
    if (memcmp(p->seen + at, p->disk + at, PAGE_BYTES) == 0 || rewritten_zeros(p, page))
        return;
    judge_violation(p, "F1: page %llu is not reported dirty, held 0x%02x..0x%02x, and the disk has 0x%02x..0x%02x",
                    (unsigned long long)page, p->seen[at], p->seen[at + PAGE_BYTES - 1], p->disk[at],
                    p->disk[at + PAGE_BYTES - 1]);
}

static void judge_page(struct player *p, uint64_t page)
{
    uint32_t state;
    const uint8_t *content = page_content(p, page, &state);
    if (content)
        judge_change(p, page, content);
    if (!is_dirty(state))
        judge_clean(p, page);
    if (p->traps && !p->dirtying && state == PGR_PAGE_DIRTY && p->state[page] != PGR_PAGE_DIRTY)
        judge_violation(p, "F4: page %llu became dirty and the file system was not asked", (unsigned long long)page);
    if (p->ending && is_dirty(p->state[page]) && !is_dirty(state))
        p->stats->cleaned++;
    p->state[page] = state;
}

/* --- the file --- */

/* What a file grows by is zeros, and dirty, whatever the disk has there. */
static void judge_size(struct player *p)
{
    pgr_object_view pages;
    if (!pgr_inspect_object(p->world, p->pages_row, &pages))
        return;
    for (uint64_t page = p->size_pages; page < pages.pages.size_pages && page < FILE_PAGES; page++) {
        memset(p->seen + (page << PAGE_SHIFT), 0, PAGE_BYTES);
        p->state[page] = PGR_PAGE_INTERVAL;
    }
    p->size_pages = pages.pages.size_pages;
}

/* --- the call --- */

static int same_value(const uint8_t *bytes, uint64_t count, uint8_t value)
{
    return count == 0 || (bytes[0] == value && memcmp(bytes, bytes + 1, count - 1) == 0);
}

/* A call that came to its end, and that no other write came between. */
static void judge_finished(struct player *p, const struct activity *activity)
{
    uint64_t end = p->size_pages << PAGE_SHIFT;
    uint64_t count = (activity->end < end ? activity->end : end) - activity->begin;
    if (activity->begin >= end || activity->disturbed)
        return;
    if (activity->effect == EFFECT_WRITE && !same_value(p->seen + activity->begin, count, activity->value))
        judge_violation(p, "F3: the file does not have what was written to [%llu, %llu)",
                        (unsigned long long)activity->begin, (unsigned long long)activity->end);
    if (activity->effect == EFFECT_READ && memcmp(p->seen + activity->begin, activity->bytes, count) != 0)
        judge_violation(p, "F3: a read of [%llu, %llu) did not give what the file has",
                        (unsigned long long)activity->begin, (unsigned long long)activity->end);
}

static void disturb_others(struct player *p, uint32_t thread)
{
    for (uint32_t other = 0; other < THREADS; other++) {
        if (other != thread)
            p->activity[other].disturbed = 1;
    }
}

/* A set_size that could not zero the tail of its last page succeeds all the same. */
static int promises_effect(const pgr_result *result)
{
    return result->outcome == PGR_DONE && result->status == ZX_OK && result->call != PGR_CALL_VMO_SET_SIZE;
}

void judge_call(struct player *p, uint32_t thread)
{
    struct activity *activity = &p->activity[thread];
    if (activity->effect == EFFECT_WRITE)
        disturb_others(p, thread);
    if (p->vmo == ZX_HANDLE_INVALID)
        return;
    judge_size(p);
    for (uint64_t page = 0; page < p->size_pages && page < FILE_PAGES; page++)
        judge_page(p, page);
    if (p->result.outcome == PGR_BLOCKED)
        return;
    if (promises_effect(&p->result))
        judge_finished(p, activity);
    activity->effect = EFFECT_NONE;
}

NO_COVERAGE_END
