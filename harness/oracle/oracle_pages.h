/*
 * Inside of the oracle: pages and their records, what a VMO sees, page requests. See oracle.h first.
 */
#ifndef HARNESS_ORACLE_ORACLE_PAGES_H
#define HARNESS_ORACLE_ORACLE_PAGES_H

#include "harness/oracle/oracle.h"

/* --- frames.c --- */

/* Counts the allocation of so many frames. False (ZX_ERR_NO_MEMORY): not that many are free, or one of them fails. */
bool oracle_frames_reserve(struct oracle *o, uint64_t count);
struct oracle_frame *oracle_frame_take(struct oracle *o);
struct oracle_frame *oracle_frame_take_at(struct oracle *o, uint32_t number);
struct oracle_frame *oracle_frame_copy(struct oracle *o, const struct oracle_frame *from);
void oracle_frame_drop(struct oracle *o, struct oracle_frame *frame); /* one holder less; null is allowed */
uint32_t oracle_frames_find(const struct oracle *o, uint64_t count, uint64_t step);

/* --- records.c --- */

uint64_t oracle_min(uint64_t a, uint64_t b);
uint64_t oracle_max(uint64_t a, uint64_t b);

/* README.md, "How to read a table of checks". */
bool oracle_in_range(uint64_t offset, uint64_t length, uint64_t size);

/* Bytes, rounded up to pages. What wraps is the caller's to refuse. */
uint64_t oracle_page_up(const struct oracle *o, uint64_t offset);
bool oracle_aligned(const struct oracle *o, uint64_t offset);

/* The index of the first record that ends behind this page; page_count if none does. */
size_t oracle_record_index(const struct oracle_pages *pages, uint64_t page);
/* The record that has this page, or null. Valid until a record is added or removed. */
struct oracle_page *oracle_record_at(const struct oracle_pages *pages, uint64_t page);
/* Adds a record where there is none. */
struct oracle_page *oracle_record_add(struct oracle_pages *pages, uint64_t first, uint64_t count, uint32_t state,
                                      struct oracle_frame *frame);
/* Removes all that lies in [first, end): frames are dropped, markers and intervals are cut. */
void oracle_records_clear(struct oracle *o, struct oracle_pages *pages, uint64_t first, uint64_t end);
bool oracle_any_pinned(const struct oracle_pages *pages, uint64_t first, uint64_t end);
uint64_t oracle_frames_held(const struct oracle_pages *pages);

/* --- records.c: intervals (dirty-tracking.md) --- */

/* New zeros made by the kernel at [first, end), where there is no record: joins its neighbours. */
void oracle_interval_add(struct oracle_pages *pages, uint64_t first, uint64_t end);
/* Page `page` of an interval is to become a page: splits the interval. Afterwards there is no record at it. */
void oracle_interval_split(struct oracle_pages *pages, uint64_t page);
void oracle_interval_begin(struct oracle_pages *pages, uint64_t first, uint64_t end);
void oracle_interval_end(struct oracle_pages *pages, uint64_t first, uint64_t end);

/* --- content.c: what a VMO sees (children.md) --- */

enum oracle_seen_kind { ORACLE_SEES_FRAME, ORACLE_SEES_ZERO, ORACLE_SEES_ABSENT };

struct oracle_seen {
    uint32_t kind;
    uint64_t count;             /* the same holds for so many pages; 1 for a frame */
    struct oracle_pages *pages; /* who has it, or is the root that lacks it */
    uint64_t page;              /* the page's number there */
    struct oracle_page *record; /* null: there is none */
};

/* What is seen at `page`, which lies below the size, and for how many pages, at most `max`, the same is true. */
struct oracle_seen oracle_see(struct oracle_pages *pages, uint64_t page, uint64_t max);
struct oracle_pages *oracle_root(struct oracle_pages *pages);
bool oracle_pager_backed(struct oracle_pages *pages);

/* What has to be done before a page can be written, or (`write` false) is committed. */
enum oracle_need { ORACLE_NEEDS_NOTHING, ORACLE_NEEDS_FRAME, ORACLE_NEEDS_READ, ORACLE_NEEDS_DIRTY };
uint32_t oracle_need(struct oracle_pages *pages, uint64_t page, bool write);

/*
 * How many pages from `first` on, at most `max`, need no request; *frames: how many frames they need. Stops early once
 * they need more frames than are free.
 */
uint64_t oracle_stretch(struct oracle *o, struct oracle_pages *pages, uint64_t first, uint64_t max, bool write,
                        uint64_t *frames);

/* Makes a page that needs no request the VMO's own; for writing, dirty. The frame has been reserved. */
struct oracle_page *oracle_own(struct oracle *o, struct oracle_pages *pages, uint64_t page, bool write);

/*
 * Asks the pager for what `page` needs: a request of at most so many pages, of either kind. ORACLE_WAIT, or
 * ZX_ERR_BAD_STATE. A DIRTY request is always lenient.
 */
struct oracle_asking {
    uint64_t read_max;
    uint64_t dirty_max;
    bool strict;
};
zx_status_t oracle_ask(struct oracle *o, struct oracle_thread *t, struct oracle_pages *pages, uint64_t page, bool write,
                       struct oracle_asking how);
/* The same for a page that is only looked at: asks with READ for the absent run from `page` on. */
zx_status_t oracle_ask_read(struct oracle *o, struct oracle_thread *t, struct oracle_pages *pages, uint64_t page,
                            uint64_t max, bool strict);

/* --- requests.c (page-requests.md) --- */

zx_status_t oracle_request(struct oracle *o, struct oracle_thread *t, struct oracle_source *source, uint32_t command,
                           uint64_t first, uint64_t count, bool strict);
void oracle_resolve(struct oracle *o, struct oracle_source *source, uint32_t command, uint64_t first, uint64_t end);
void oracle_fail(struct oracle *o, struct oracle_source *source, uint64_t first, uint64_t end, zx_status_t status);
void oracle_requests_end(struct oracle *o, struct oracle_source *source); /* all of them, with ZX_OK */
void oracle_request_cancel(struct oracle *o, struct oracle_thread *t);    /* it is killed */
void oracle_source_complete(struct oracle *o, struct oracle_source *source);

/* --- vmo.c, zero.c, size.c --- */

/* A VMO over new pages, with a koid, ZERO_CHILDREN asserted, and no handle. Allocations were counted by the caller. */
struct oracle_vmo *oracle_vmo_make(struct oracle *o, uint64_t size_pages, uint64_t content_size);
/* The first page of the VMO in its pages, and how many it has. */
uint64_t oracle_vmo_first(const struct oracle_vmo *vmo);
uint64_t oracle_vmo_count(const struct oracle_vmo *vmo);
uint64_t oracle_vmo_children(struct oracle *o, const struct oracle_vmo *vmo);
bool oracle_has_relatives(struct oracle *o, const struct oracle_pages *pages);
bool oracle_size_too_large(const struct oracle *o, uint64_t size);
void oracle_vmo_set_content_size(struct oracle_vmo *vmo, uint64_t size);

/* vmo-operations.md behind the rights. `offset` and `length` in bytes of the VMO. */
zx_status_t oracle_zero(struct oracle *o, struct oracle_thread *t, struct oracle_vmo *vmo, uint64_t offset,
                        uint64_t length);

/* transfer_data.c: the call of this thread has ended; pages that it had taken are lost. */
void oracle_bag_end(struct oracle *o, struct oracle_thread *t);

#endif
