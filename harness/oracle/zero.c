/*
 * Zeroing: ZX_VMO_OP_ZERO, and the tails that resizing and content sizes zero (vmo-operations.md, dirty-tracking.md).
 */
#include "harness/oracle/oracle_pages.h"

#include <string.h>

/* --- a part of a page --- */

/*
 * "If the page is known to read as zero (own zero marker, zero range, or unpopulated in a hierarchy without pager)
 * nothing happens. In a child of a pager VMO only the child's own marker counts."
 */
static bool known_zero(struct oracle_pages *pages, uint64_t page)
{
    const struct oracle_page *record = oracle_record_at(pages, page);
    if (record)
        return record->frame == NULL;
    return !oracle_pager_backed(pages);
}

/* A part of a page that is to be zeroed: bytes [from, to) of `page`; none if from == to. */
struct part {
    uint64_t page;
    uint64_t from;
    uint64_t to;
};

/* "Otherwise it is an ordinary write of zeros": its page is made ready for that. */
static uint32_t part_need(struct oracle_pages *pages, struct part part)
{
    if (part.from == part.to || known_zero(pages, part.page))
        return ORACLE_NEEDS_NOTHING;
    return oracle_need(pages, part.page, true);
}

static bool needs_request(uint32_t need)
{
    return need == ORACLE_NEEDS_READ || need == ORACLE_NEEDS_DIRTY;
}

/* The page needs no request, and its frame has been reserved. */
static void zero_part(struct oracle *o, struct oracle_pages *pages, struct part part)
{
    if (part.from == part.to || known_zero(pages, part.page))
        return;
    memset(oracle_own(o, pages, part.page, true)->frame->bytes + part.from, 0, part.to - part.from);
    pages->modified = true;
}

/* Requests of zeroing are of one page, lenient. */
static zx_status_t ask_to_zero(struct oracle *o, struct oracle_thread *t, struct oracle_pages *pages, uint64_t page)
{
    return oracle_ask(o, t, pages, page, true, (struct oracle_asking){.read_max = 1, .dirty_max = 1});
}

/* --- whole pages, no pager in the ancestry --- */

static void zero_plain(struct oracle *o, struct oracle_pages *pages, uint64_t first, uint64_t end)
{
    for (size_t i = oracle_record_index(pages, first); i < pages->page_count && pages->page[i].first < end;) {
        struct oracle_page *record = &pages->page[i];
        if (pages->contiguous || record->pins > 0) {
            memset(record->frame->bytes, 0, o->page_bytes);
            i++;
        } else {
            oracle_records_clear(o, pages, record->first, record->first + 1);
        }
    }
}

/* --- whole pages, the pager VMO itself --- */

/* "present, pinned: DIRTY request if not dirty and TRAP_DIRTY; zeroed in place; dirty". */
static zx_status_t zero_pinned(struct oracle *o, struct oracle_thread *t, struct oracle_pages *pages, uint64_t page)
{
    if (oracle_need(pages, page, true) == ORACLE_NEEDS_DIRTY)
        return ask_to_zero(o, t, pages, page);
    memset(oracle_own(o, pages, page, true)->frame->bytes, 0, o->page_bytes);
    return ZX_OK;
}

/* From `first` on, so many pages become part of an interval: 0 at a marker, an interval, a pinned page. */
static uint64_t replaceable(const struct oracle_pages *pages, uint64_t first, uint64_t end)
{
    size_t i = oracle_record_index(pages, first);
    uint64_t page = first;
    while (page < end) {
        const struct oracle_page *record = i < pages->page_count ? &pages->page[i] : NULL;
        if (!record || record->first >= end)
            return end - first;
        if (!record->frame || record->pins > 0)
            return record->first > page ? record->first - first : page - first;
        page = record->first + 1;
        i++;
    }
    return end - first;
}

/* READ requests that wait for absent pages of [first, end) continue, and read zeros. */
static void resolve_absent(struct oracle *o, struct oracle_pages *pages, uint64_t first, uint64_t end)
{
    while (first < end) {
        struct oracle_seen seen = oracle_see(pages, first, end - first);
        if (seen.kind == ORACLE_SEES_ABSENT)
            oracle_resolve(o, pages->source, ZX_PAGER_VMO_READ, first, first + seen.count);
        first += seen.count;
    }
}

/* The first pages of [first, end) that are alike; *count: how many. */
static zx_status_t zero_alike(struct oracle *o, struct oracle_thread *t, struct oracle_pages *pages, uint64_t first,
                              uint64_t end, uint64_t *count)
{
    const struct oracle_page *record = oracle_record_at(pages, first);
    if (record && !record->frame) {
        *count = oracle_min(end, record->first + record->count) - first; /* zero marker, zero range: left as it is */
        return ZX_OK;
    }
    if (record && record->pins > 0) {
        *count = 1;
        return zero_pinned(o, t, pages, first);
    }
    *count = replaceable(pages, first, end);
    resolve_absent(o, pages, first, first + *count);
    oracle_records_clear(o, pages, first, first + *count);
    oracle_interval_add(pages, first, first + *count);
    return ZX_OK;
}

static zx_status_t zero_in_pager_vmo(struct oracle *o, struct oracle_thread *t, struct oracle_pages *pages,
                                     uint64_t first, uint64_t end)
{
    while (first < end) {
        uint64_t count;
        zx_status_t status = zero_alike(o, t, pages, first, end, &count);
        if (status != ZX_OK)
            return status;
        pages->modified = true;
        t->op_progress += count;
        first += count;
    }
    return ZX_OK;
}

/* --- whole pages, child of a pager VMO --- */

/* A page that relatives share is not cleared in place, but replaced by a zeroed one: COMMIT. */
enum child_zeroing { LEAVE, FREE, MARK, CLEAR, COMMIT };

/* What becomes of a page of the child: the table of vmo-operations.md. */
static enum child_zeroing child_zeroing(struct oracle_pages *pages, uint64_t page)
{
    const struct oracle_page *own = oracle_record_at(pages, page);
    bool shared = own && own->frame && own->frame->holders > 1;
    if (own && own->pins > 0)
        return CLEAR;
    if (own && !own->frame)
        return LEAVE;
    if (page >= pages->parent_limit)
        return own ? FREE : LEAVE;
    struct oracle_seen seen = oracle_see(pages->parent, page + pages->parent_first, 1);
    if (seen.kind == ORACLE_SEES_FRAME)
        return MARK;
    return own && !shared ? CLEAR : COMMIT;
}

static void zero_child_page(struct oracle *o, struct oracle_pages *pages, uint64_t page, enum child_zeroing what)
{
    if (what == CLEAR)
        memset(oracle_record_at(pages, page)->frame->bytes, 0, o->page_bytes);
    if (what == FREE || what == MARK || what == COMMIT)
        oracle_records_clear(o, pages, page, page + 1);
    if (what == MARK)
        oracle_record_add(pages, page, 1, PGR_PAGE_MARKER, NULL);
    if (what == COMMIT)
        oracle_record_add(pages, page, 1, PGR_PAGE_ANONYMOUS, oracle_frame_take(o));
}

/*
 * The next page of [page, end) at which there may be something to do: its own zero markers stay, and behind the child's
 * view of the parent there is nothing to do but at pages of its own.
 */
static uint64_t next_to_zero(const struct oracle_pages *pages, uint64_t page, uint64_t end)
{
    size_t i = oracle_record_index(pages, page);
    while (i < pages->page_count && pages->page[i].first <= page && !pages->page[i].frame) {
        page = pages->page[i].first + pages->page[i].count;
        i++;
    }
    if (page < pages->parent_limit)
        return page;
    if (i == pages->page_count)
        return end;
    return oracle_max(page, oracle_min(end, pages->page[i].first));
}

/* So many frames the pages of [first, end) take; stops counting when there are not that many. */
static uint64_t frames_in_child(struct oracle *o, struct oracle_pages *pages, uint64_t first, uint64_t end)
{
    uint64_t frames = 0;
    for (uint64_t page = next_to_zero(pages, first, end); page < end && frames <= o->frames_free;
         page = next_to_zero(pages, page + 1, end))
        frames += child_zeroing(pages, page) == COMMIT;
    return frames;
}

static void zero_in_child(struct oracle *o, struct oracle_pages *pages, uint64_t first, uint64_t end)
{
    for (uint64_t page = next_to_zero(pages, first, end); page < end; page = next_to_zero(pages, page + 1, end))
        zero_child_page(o, pages, page, child_zeroing(pages, page));
}

/* --- whole pages: [first, end) of any VMO --- */

static uint64_t frames_for_whole(struct oracle *o, struct oracle_pages *pages, uint64_t first, uint64_t end)
{
    return !pages->source && oracle_pager_backed(pages) ? frames_in_child(o, pages, first, end) : 0;
}

static zx_status_t zero_whole(struct oracle *o, struct oracle_thread *t, struct oracle_pages *pages, uint64_t first,
                              uint64_t end)
{
    if (first >= end)
        return ZX_OK;
    if (pages->source)
        return zero_in_pager_vmo(o, t, pages, first, end);
    if (oracle_pager_backed(pages))
        zero_in_child(o, pages, first, end);
    else
        zero_plain(o, pages, first, end);
    pages->modified = true;
    return ZX_OK;
}

/* --- the order of work: leading partial page, trailing partial page, whole pages --- */

struct work {
    struct part part[2];
    uint64_t whole_first;
    uint64_t whole_end;
};

static struct work divide(const struct oracle *o, const struct oracle_vmo *vmo, uint64_t offset, uint64_t length)
{
    uint64_t first = oracle_vmo_first(vmo);
    uint64_t head = offset / o->page_bytes;
    uint64_t tail = (offset + length) / o->page_bytes;
    uint64_t from = offset % o->page_bytes;
    uint64_t to = (offset + length) % o->page_bytes;
    struct work work = {.whole_first = first + head + (from > 0), .whole_end = first + tail};
    if (head == tail) /* start and end are in the same page */
        work.part[0] = (struct part){.page = first + head, .from = from, .to = to};
    else if (from > 0)
        work.part[0] = (struct part){.page = first + head, .from = from, .to = o->page_bytes};
    if (head != tail && to > 0)
        work.part[1] = (struct part){.page = first + tail, .to = to};
    return work;
}

/* All that can be done until a request is needed gets its frames at once, or nothing is done. */
static zx_status_t zero_step(struct oracle *o, struct oracle_thread *t, struct oracle_pages *pages,
                             const struct work *work)
{
    uint64_t frames = 0;
    uint32_t phase = t->op_phase;
    for (; phase < 2 && !needs_request(part_need(pages, work->part[phase])); phase++)
        frames += part_need(pages, work->part[phase]) == ORACLE_NEEDS_FRAME;
    uint64_t first = work->whole_first + t->op_progress;
    if (phase == 2)
        frames += frames_for_whole(o, pages, first, work->whole_end);
    if (!oracle_frames_reserve(o, frames))
        return ZX_ERR_NO_MEMORY;
    for (; t->op_phase < phase; t->op_phase++)
        zero_part(o, pages, work->part[t->op_phase]);
    if (phase < 2)
        return ask_to_zero(o, t, pages, work->part[phase].page);
    return zero_whole(o, t, pages, first, work->whole_end);
}

zx_status_t oracle_zero(struct oracle *o, struct oracle_thread *t, struct oracle_vmo *vmo, uint64_t offset,
                        uint64_t length)
{
    zx_status_t status = oracle_woken(t);
    if (status != ZX_OK)
        return status;
    if (vmo->pages->cache_policy != ZX_CACHE_POLICY_CACHED)
        return ZX_ERR_BAD_STATE; /* row 3 */
    if (!oracle_in_range(offset, length, oracle_vmo_size(o, vmo)))
        return ZX_ERR_OUT_OF_RANGE; /* row 4 */
    if (length == 0)
        return ZX_OK; /* row 5 */
    struct work work = divide(o, vmo, offset, length);
    return zero_step(o, t, vmo->pages, &work);
}
