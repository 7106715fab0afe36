/* What the files of the file system at play share. Not for others. */
#ifndef HARNESS_WRITEBACK_INTERNAL_H
#define HARNESS_WRITEBACK_INTERNAL_H

#include "harness/recorder.h"
#include "harness/writeback.h"

#define PAGE_SHIFT 6u
#define PAGE_BYTES ((uint64_t)1 << PAGE_SHIFT)
#define FILE_PAGES 8u /* the largest file, and the disk: small, so that what happens happens to the same pages */
#define FILE_BYTES (FILE_PAGES << PAGE_SHIFT)

enum { FILE_SYSTEM_THREAD, FIRST_APPLICATION, THREADS = 5 };
#define PINS 3u
#define REQUESTS 8u
#define RANGES 8u

/* What a call under way does to the bytes [begin, end) of the file. */
enum effect { EFFECT_NONE, EFFECT_READ, EFFECT_WRITE };

struct activity {
    enum effect effect;
    int disturbed; /* another call has written meanwhile */
    uint8_t value; /* that is written */
    uint64_t begin, end;
    uint8_t bytes[FILE_BYTES]; /* the call's buffer */
};

struct page_request {
    uint16_t command;
    uint64_t offset, length; /* bytes */
};

/* One range of a writeback, on its way. Offsets and lengths in bytes. */
enum stage { STAGE_QUERIED, STAGE_BEGUN, STAGE_READ, STAGE_ON_DISK, STAGE_ENDED };

struct dirty_range {
    enum stage stage;
    uint64_t offset, length;
    int is_zero;
    uint8_t bytes[FILE_BYTES]; /* that go to disk; the first is the range's first */
};

struct writeback {
    struct dirty_range ranges[RANGES];
    uint32_t count;
    int whole;                     /* all of the file was queried */
    uint64_t changes;              /* player.changes when it was */
    int zero_at_begin[FILE_PAGES]; /* the page was in an interval when it was begun */
};

struct player {
    /* the input */
    const uint8_t *data;
    size_t bytes, at;
    int traps, resizable, lazy; /* lazy: released threads wait until a step resumes them */

    /* the world */
    pgr_world *world;
    uint8_t *frames;
    struct recorder *recorder;
    struct writeback_stats *stats;
    uint64_t dispatches, stop_at;
    int stopped;
    int inside;        /* a call has not returned yet */
    int ends_inside;   /* the call at which the play stops is recorded, as one that did not return */
    pgr_result result; /* of the last call */

    zx_handle_t port, pager, vmo, alias, clone, aux, pins[PINS];
    uint64_t mapping; /* address; 0: none */
    uint64_t key;
    int detached, armed; /* armed: an allocation is going to fail */
    struct activity activity[THREADS];
    uint64_t changes; /* calls that could change content or state, so far */

    /* what the applications have and the disk has */
    uint32_t pages_row;
    uint64_t size_pages;
    uint8_t seen[FILE_BYTES];
    uint8_t disk[FILE_BYTES];
    uint32_t state[FILE_PAGES];

    struct page_request requests[REQUESTS];
    uint32_t request_count;
    struct writeback writeback;
    const struct dirty_range *ending;
    int dirtying; /* the call is ZX_PAGER_OP_DIRTY */

    char message[256]; /* what was wrong; empty: nothing */
};

/* --- the calls: writeback.c --- */

int player_over(const struct player *p);

/* Makes a call of that thread, judges the file after it, and returns its status; ZX_ERR_SHOULD_WAIT if it waits. */
zx_status_t player_call(struct player *p, pgr_call *call);

/* The next byte of the input, 0 behind its end. */
uint8_t player_byte(struct player *p);

/* A range of pages in the file, at least one if the file has any. Bytes. */
void player_pages(struct player *p, uint64_t *offset, uint64_t *length);

/* Resumes the first released thread; 0 if there is none. */
int player_resume(struct player *p);

/* --- what the file system does: writeback_disk.c --- */

int disk_start(struct player *p);
void disk_make_file(struct player *p, uint64_t size_bytes);
void disk_receive(struct player *p);
void disk_answer(struct player *p);
void disk_serve(struct player *p);
void disk_supply(struct player *p);
void disk_dirty(struct player *p);
void disk_writeback_step(struct player *p);
void disk_writeback(struct player *p);
void disk_detach(struct player *p);
void disk_lose_power(struct player *p);

/* --- what applications do: writeback_apps.c --- */

void apps_step(struct player *p, uint8_t what);
void apps_map(struct player *p);
void apps_forget(struct player *p);

/* --- what must hold: writeback_judge.c --- */

/* `thread` has made or resumed a call. */
void judge_call(struct player *p, uint32_t thread);
void judge_violation(struct player *p, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif /* HARNESS_WRITEBACK_INTERNAL_H */
