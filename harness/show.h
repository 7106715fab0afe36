/*
 * What a trace does to its VMOs, line by line, to be looked at: the maps of the VMOs that a line changed, the page
 * requests beside them, the threads that are blocked. show_behind_line() collects while the trace runs on the core;
 * show_text_step() and show_html() print.
 */
#ifndef HARNESS_SHOW_H
#define HARNESS_SHOW_H

#include <stdint.h>
#include <stdio.h>

#include "harness/runner.h"
#include "harness/trace.h"

/* What a page looks like. */
enum show_state {
    SHOW_ABSENT, /* nobody has it: reads as zero, or asks the pager */
    SHOW_PARENT, /* seen in a parent */
    SHOW_ANONYMOUS,
    SHOW_CLEAN,
    SHOW_MARKER,
    SHOW_DIRTY,
    SHOW_AWAITING,
    SHOW_INTERVAL,          /* dirty zeros without frames */
    SHOW_INTERVAL_AWAITING, /* ... being written back */
    SHOW_PHYSICAL,          /* of a physical VMO: there, but no frame of this world */
    SHOW_STATE_COUNT
};

/* How a state is shown. */
struct show_look {
    char letter; /* pinned pages have it in lower case */
    const char *name;
    const char *meaning;
    const char *colour; /* the numbers of a terminal's escape sequence */
};

extern const struct show_look show_looks[SHOW_STATE_COUNT];

/* Pages in a row that are alike. */
struct show_piece {
    uint64_t page;
    uint64_t count; /* pages */
    uint32_t state; /* enum show_state */
    uint32_t pins;
    uint32_t hint;     /* enum pgr_hint */
    uint32_t reserved; /* 0 */
};

/* A row of more pages than this is written as one, with its count. */
#define SHOW_ROW_MAX 8u

/* Writes the letters of a piece, or, of a longer one, its letter and count: "CCC", "C*20". */
#define SHOW_PIECE_TEXT_MAX 32u
void show_piece_text(const struct show_piece *piece, char text[SHOW_PIECE_TEXT_MAX]);

struct show_request {
    uint64_t page;
    uint64_t count;        /* pages */
    uint32_t command;      /* ZX_PAGER_VMO_... */
    uint32_t place;        /* enum pgr_request_place */
    uint32_t first_waiter; /* in show_picture.waiters */
    uint32_t waiter_count;
};

/* "READ 4p+2p received", as text and page have it. `text` has SHOW_REQUEST_TEXT_MAX bytes. */
#define SHOW_REQUEST_TEXT_MAX 80u
void show_request_text(const struct show_request *request, char text[SHOW_REQUEST_TEXT_MAX]);

/* One VMO at one time. */
struct show_picture {
    uint64_t koid;
    const char *name;
    int is_gone; /* the rest is empty then */
    uint64_t size_pages;
    struct show_piece *pieces; /* ascending, without gaps, of the VMO's size together */
    size_t piece_count;
    struct show_request *requests;
    size_t request_count;
    const char **waiters; /* names of threads */
    size_t waiter_count;
};

/* A thread that is blocked on something else than a request of a VMO that is shown. */
struct show_wait {
    const char *thread;
    char what[120]; /* "zx_port_wait: a packet of port" */
};

struct show_step {
    const struct trace_line *line;
    const struct show_picture **changed; /* oldest VMO first */
    size_t changed_count;
    int waits_changed;
    struct show_wait *waits; /* all of them */
    size_t wait_count;
};

struct show;

/* Null without memory. */
struct show *show_new(void);
void show_free(struct show *show);

/* run_options.after_line; `show` is its context. */
void show_behind_line(void *show, const struct run_moment *moment);

/* Whether memory has run out; then steps are missing. */
int show_failed(const struct show *show);

/* The steps so far: one a line. */
size_t show_step_count(const struct show *show);
const struct show_step *show_step(const struct show *show, size_t i);

/* ---- the map of a VMO (show_map.c) ---- */

/* Calls `take` with the pieces of a VMO's pages, from the first to the last. */
struct show_window {
    uint32_t pages; /* object row */
    uint64_t offset_pages;
    uint64_t size_pages;
};
void show_map(const pgr_world *world, const struct show_window *window,
              void (*take)(void *context, const struct show_piece *piece), void *context);

/* ---- printing ---- */

#define SHOW_COLUMNS_MIN 40u

struct show_text_options {
    FILE *out;
    unsigned columns; /* of a line of maps, at least SHOW_COLUMNS_MIN; 0: any */
    int colours;
};

void show_text_legend(const struct show_text_options *options);
void show_text_step(const struct show_text_options *options, const struct show_step *step);

/* Lines that are no trace, as comments. */
void show_text_note(const struct show_text_options *options, const char *text);

/* The whole page. `note`: what is wrong with the trace, in lines; null: nothing. */
struct show_page {
    const char *title;
    const char *note;
};
void show_html(const struct show *show, const struct trace *trace, const struct show_page *page, FILE *out);

/* Its style and its script, line by line, each ended by a null pointer (show_page.c). */
extern const char *const show_page_style[];
extern const char *const show_page_script[];

#endif
