/*
 * The records of a VMO's pages: found, added, cut. Ascending and disjoint, otherwise in no special form.
 */
#include "harness/oracle/oracle_pages.h"

#include <stdlib.h>
#include <string.h>

uint64_t oracle_min(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

uint64_t oracle_max(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

bool oracle_in_range(uint64_t offset, uint64_t length, uint64_t size)
{
    return offset <= size && length <= size - offset;
}

uint64_t oracle_page_up(const struct oracle *o, uint64_t offset)
{
    return (offset + o->page_bytes - 1) & ~(o->page_bytes - 1);
}

bool oracle_aligned(const struct oracle *o, uint64_t offset)
{
    return (offset & (o->page_bytes - 1)) == 0;
}

/* The one search that is not from the beginning: VMOs of 65,536 pages are filled page by page. */
size_t oracle_record_index(const struct oracle_pages *pages, uint64_t page)
{
    size_t low = 0;
    size_t high = pages->page_count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        const struct oracle_page *record = &pages->page[middle];
        if (record->first + (record->count - 1) < page)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

struct oracle_page *oracle_record_at(const struct oracle_pages *pages, uint64_t page)
{
    size_t i = oracle_record_index(pages, page);
    return i < pages->page_count && pages->page[i].first <= page ? &pages->page[i] : NULL;
}

static struct oracle_page *insert_record(struct oracle_pages *pages, size_t place, struct oracle_page record)
{
    if (pages->page_count == pages->page_room) {
        pages->page_room = pages->page_room ? 2 * pages->page_room : 8;
        struct oracle_page *page = realloc(pages->page, pages->page_room * sizeof(*page));
        if (!page)
            abort();
        pages->page = page;
    }
    memmove(pages->page + place + 1, pages->page + place, (pages->page_count - place) * sizeof(*pages->page));
    pages->page[place] = record;
    pages->page_count++;
    return &pages->page[place];
}

struct oracle_page *oracle_record_add(struct oracle_pages *pages, uint64_t first, uint64_t count, uint32_t state,
                                      struct oracle_frame *frame)
{
    struct oracle_page record = {.first = first, .count = count, .state = state, .frame = frame};
    return insert_record(pages, oracle_record_index(pages, first), record);
}

static void remove_record(struct oracle_pages *pages, size_t place)
{
    pages->page_count--;
    memmove(pages->page + place, pages->page + place + 1, (pages->page_count - place) * sizeof(*pages->page));
}

/* A record that begins before `page` and ends behind it becomes two. The right one of an interval awaits nothing. */
static void cut_record(struct oracle_pages *pages, uint64_t page)
{
    struct oracle_page *record = oracle_record_at(pages, page);
    if (!record || record->first == page)
        return;
    struct oracle_page right = *record;
    right.first = page;
    right.count = record->first + record->count - page;
    right.awaiting = 0;
    record->count = page - record->first;
    insert_record(pages, (size_t)(record - pages->page) + 1, right);
}

void oracle_records_clear(struct oracle *o, struct oracle_pages *pages, uint64_t first, uint64_t end)
{
    if (first >= end || pages->page_count == 0)
        return;
    cut_record(pages, first);
    cut_record(pages, end);
    size_t from = oracle_record_index(pages, first);
    size_t to = from;
    while (to < pages->page_count && pages->page[to].first < end)
        oracle_frame_drop(o, pages->page[to++].frame);
    memmove(pages->page + from, pages->page + to, (pages->page_count - to) * sizeof(*pages->page));
    pages->page_count -= to - from;
}

bool oracle_any_pinned(const struct oracle_pages *pages, uint64_t first, uint64_t end)
{
    for (size_t i = 0; i < pages->page_count; i++) {
        const struct oracle_page *record = &pages->page[i];
        if (record->pins > 0 && record->first >= first && record->first < end)
            return true;
    }
    return false;
}

uint64_t oracle_frames_held(const struct oracle_pages *pages)
{
    uint64_t count = 0;
    for (size_t i = 0; i < pages->page_count; i++)
        count += pages->page[i].frame != NULL;
    return count;
}

/* --- intervals: dirty-tracking.md --- */

/* "New interval made": the one ending at its start keeps s and L; the one starting at its end loses its L. */
void oracle_interval_add(struct oracle_pages *pages, uint64_t first, uint64_t end)
{
    struct oracle_page joined = {.first = first, .count = end - first, .state = PGR_PAGE_INTERVAL};
    struct oracle_page *left = first > 0 ? oracle_record_at(pages, first - 1) : NULL;
    if (left && left->state == PGR_PAGE_INTERVAL) {
        joined.first = left->first;
        joined.count += left->count;
        joined.awaiting = left->awaiting;
        remove_record(pages, (size_t)(left - pages->page));
    }
    struct oracle_page *right = oracle_record_at(pages, end);
    if (right && right->state == PGR_PAGE_INTERVAL) {
        joined.count += right->count;
        remove_record(pages, (size_t)(right - pages->page));
    }
    insert_record(pages, oracle_record_index(pages, joined.first), joined);
}

static uint64_t less(uint64_t length, uint64_t taken)
{
    return length > taken ? length - taken : 0;
}

/* "Page p inside becomes a page": p == s: the rest keeps what is left of L; otherwise the left part keeps L. */
void oracle_interval_split(struct oracle_pages *pages, uint64_t page)
{
    struct oracle_page *record = oracle_record_at(pages, page);
    if (!record)
        return;
    size_t place = (size_t)(record - pages->page);
    struct oracle_page old = *record;
    remove_record(pages, place);
    uint64_t behind = old.first + old.count - (page + 1);
    struct oracle_page right = {.first = page + 1, .count = behind, .state = PGR_PAGE_INTERVAL};
    right.awaiting = page == old.first ? less(old.awaiting, 1) : 0;
    if (behind > 0)
        insert_record(pages, place, right);
    old.count = page - old.first;
    if (old.count > 0)
        insert_record(pages, place, old);
}

/* BEGIN [first, end): for each interval with first <= s < end: L := max(L, min(e, end) - s). */
void oracle_interval_begin(struct oracle_pages *pages, uint64_t first, uint64_t end)
{
    for (size_t i = 0; i < pages->page_count; i++) {
        struct oracle_page *record = &pages->page[i];
        if (record->state != PGR_PAGE_INTERVAL || record->first < first || record->first >= end)
            continue;
        uint64_t reach = oracle_min(record->first + record->count, end) - record->first;
        record->awaiting = oracle_max(record->awaiting, reach);
    }
}

/* END [first, end): ascending, while X remembers how far any s + L has reached. */
void oracle_interval_end(struct oracle_pages *pages, uint64_t first, uint64_t end)
{
    uint64_t x = first;
    for (size_t i = 0; i < pages->page_count;) {
        struct oracle_page *record = &pages->page[i];
        if (record->state != PGR_PAGE_INTERVAL || record->first < first || record->first >= end) {
            i++;
            continue;
        }
        uint64_t s = record->first;
        uint64_t e = s + record->count;
        x = oracle_max(x, s + record->awaiting);
        uint64_t t = oracle_min(oracle_min(x, end), e);
        if (t == e) {
            remove_record(pages, i);
            continue;
        }
        if (t > s) {
            record->awaiting = less(record->awaiting, t - s);
            record->count = e - t;
            record->first = t;
        }
        i++;
    }
}
