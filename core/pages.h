/* What VMOs hold: prepared for use, copied, zeroed, evicted, shared with snapshots. See pages.c and pages_range.c. */
#ifndef CORE_PAGES_H
#define CORE_PAGES_H

#include "map.h"
#include "need.h"
#include "objects.h"
#include "requests.h"

/* New pages of this size; nothing in them yet. */
uint32_t pages_make(pgr_world *w, uint64_t size_pages, uint8_t flags);
/*
 * Makes the pages [run->page, + run->count) hold what `run` says; state PGR_PAGE_NONE: nothing. They must lie in
 * one piece. Old frames are not released: the caller knows whether they moved. `at` is a cursor over the map of
 * these pages.
 */
void pages_put(pgr_world *w, struct pages *pages, struct cursor *at, const struct run *run);
static inline int pages_discarded(const pgr_world *w, uint32_t pages)
{
    return pages_at(w, pages)->discard == DISCARD_DONE;
}
/* Is there anything that these pages share with, or see through to? */
static inline int pages_have_relatives(const pgr_world *w, uint32_t pages)
{
    return pages_at(w, pages)->family_next != pages || pages_at(w, pages)->parent != 0;
}
/* The pages at the root of everything that these see. */
uint32_t pages_root(const pgr_world *w, uint32_t pages);
/* Is a page of [begin, end) pinned? */
int pages_pinned(const pgr_world *w, uint32_t pages, uint64_t begin, uint64_t end);

/* What is seen at a page: in the pages themselves, or in an ancestor. */
struct sight {
    struct piece piece; /* in page numbers of the pages that look */
    uint32_t owner;     /* whose piece it is */
    int absent;         /* the owner's pager has to be asked for it */
    uint64_t owner_page;
};

/* What the pages see at `page`, cut off at `end`. `at` is a cursor over their map. */
struct sight pages_see(const pgr_world *w, struct cursor *at, uint32_t pages, uint64_t page, uint64_t end);
/* Does this event make a page dirty, which the pager wants to be asked first? */
int state_asks(const pgr_world *w, uint32_t pages, uint32_t event, uint32_t state);

/* The most pages that one request asks for, by kind. */
struct caps {
    uint64_t read;
    uint64_t dirty;
};

/*
 * What has to be asked of the pager before `page`, and those behind it up to `end`, can be used by this event (enum
 * pgr_page_event): count 0 if nothing. ZX_ERR_BAD_STATE if nobody will answer.
 */
zx_status_t pages_want(const pgr_world *w, uint32_t pages, uint32_t event, uint64_t page, uint64_t end,
                       const struct caps *caps, struct want *want);
/*
 * How far from `page` the pages up to `end` can be committed or written without asking the pager, and what that
 * takes. Returns the first page that has to be asked for, or `end`. *pins_max is raised to the greatest pin count
 * among them.
 */
uint64_t pages_scan(const pgr_world *w, uint32_t pages, uint32_t event, uint64_t page, uint64_t end, struct need *need,
                    uint32_t *pins_max);
/* Prepares pages that pages_scan has found to be ready, and adds a pin to each if `pin`. */
void pages_prepare(pgr_world *w, void *frames, uint32_t pages, uint32_t event, uint64_t page, uint64_t end, int pin);
/* One pin fewer of each page. */
void pages_unpin(pgr_world *w, uint32_t pages, uint64_t page, uint64_t end);
/*
 * Copies pages to a buffer; returns the offset of the first byte that is absent, or `end`. Offsets in bytes of the
 * pages.
 */
uint64_t pages_copy_out(const pgr_world *w, void *frames, uint32_t pages, uint64_t begin, uint64_t end, void *buffer);
/* Where the byte at this offset of the pages is seen; null if it reads as zero. */
char *pages_byte(const pgr_world *w, void *frames, uint32_t pages, uint64_t offset);
/* Copies a buffer (null: zeros) to prepared pages. */
void pages_copy_in(pgr_world *w, void *frames, uint32_t pages, uint64_t begin, uint64_t end, const void *buffer);
/* Takes everything out of [begin, end): frames are released. */
void pages_discard(pgr_world *w, uint32_t pages, uint64_t begin, uint64_t end);
/*
 * Whole-page ZX_VMO_OP_ZERO. pages_zero_scan returns how far [begin, end) can be zeroed before a pinned page has to
 * be asked for, and what that takes.
 */
uint64_t pages_zero_scan(const pgr_world *w, uint32_t pages, uint64_t begin, uint64_t end, struct need *need);
void pages_zero(pgr_world *w, void *frames, uint32_t pages, uint64_t begin, uint64_t end);
/* Drops what a detached VMO does not keep: clean pages without pins, and zero markers. */
void pages_drop_clean(pgr_world *w, uint32_t pages);
/* DIRTY requests get nearer to completion by what is not dirty in [page, end): it is about to be, or will never be. */
void pages_resolve_dirty(pgr_world *w, uint32_t pages, uint64_t page, uint64_t end);
/* New size, in pages. Growing pages with a pager get a dirty zero interval. */
void pages_resize(pgr_world *w, uint32_t pages, uint64_t size_pages);

/* The list of pages that can be evicted. */
void evictable_append(pgr_world *w, uint32_t pages);
void evictable_remove(pgr_world *w, uint32_t pages);
/* Marks of pages with frames, and what eviction goes by. */
enum hint {
    HINT_NONE = PGR_HINT_NONE,
    HINT_DONT_NEED = PGR_HINT_DONT_NEED,
    HINT_ALWAYS_NEED = PGR_HINT_ALWAYS_NEED,
    HINT_ANY
};
/* Marks what has frames in [begin, end). HINT_ALWAYS_NEED is never taken back. */
void pages_hint(pgr_world *w, uint32_t pages, uint8_t hint, uint64_t begin, uint64_t end);
/* Evicts up to `count` clean pages with this mark; returns how many. */
uint64_t pages_evict(pgr_world *w, uint32_t pages, uint8_t hint, uint64_t count);
/* Takes everything from discardable pages; returns how many frames they had. */
uint64_t pages_discard_all(pgr_world *w, uint32_t pages);

/* These pages see no others any more where they have nothing. */
void pages_leave_parent(pgr_world *w, uint32_t pages);
/*
 * A copy-on-write relative of `pages`: the first `size_pages` from `offset_pages` on, as far as they exist, are
 * shared.
 */
uint32_t pages_snapshot(pgr_world *w, uint32_t pages, uint64_t offset_pages, uint64_t size_pages, uint8_t flags);
/* A child that sees `seen_pages` of `pages` from `offset_pages` on. */
uint32_t pages_see_through(pgr_world *w, uint32_t pages, uint64_t offset_pages, uint64_t size_pages,
                           uint64_t seen_pages, uint8_t flags);
/* The number of runs in [begin, end), cut at its ends. */
uint64_t pages_runs(const pgr_world *w, uint32_t pages, uint64_t begin, uint64_t end);

#endif
