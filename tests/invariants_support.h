/*
 * The scene of the checkers' tests: a small world with one of everything, calls on it that the checkers judge, and what
 * is needed to spoil it. Knows the core from inside, because what no call ever leaves behind can only be written into
 * its rows.
 */
#ifndef TESTS_INVARIANTS_SUPPORT_H
#define TESTS_INVARIANTS_SUPPORT_H

#include "core/frames.h"
#include "core/handles.h"
#include "core/pages.h"
#include "core/ports.h"
#include "core/threads.h"
#include "harness/check.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define PAGE 16u /* bytes */
#define VMO_PAGES 8u
#define KEY 77u

/*
 * A pager's VMO, an aux VMO with all pages committed, a parent of two pages and its snapshot, a contiguous VMO of two
 * pages.
 */
struct scene {
    pgr_config config;
    void *block;
    pgr_world *w;
    uint8_t *frames;
    struct check_context *c;
    pgr_start start;
    zx_handle_t pager, port, pager_vmo, aux, parent, child, contiguous;
};

int scene_set_up(void **state);
int scene_tear_down(void **state);

#define CALL(name, ...) ((pgr_call){.number = PGR_CALL_##name, .arg = {__VA_ARGS__}})

pgr_call supply_call(const struct scene *s, uint64_t page, uint64_t count, uint64_t aux_page);
pgr_call read_call(zx_handle_t vmo, uint64_t page, uint64_t count);
pgr_call write_call(zx_handle_t vmo, uint64_t page, uint64_t count);
pgr_call resume_call(uint32_t thread);
pgr_call store_call(uint64_t address, uint64_t bytes);
/* ZX_PAGER_OP_... over pages of the pager's VMO. */
pgr_call op_call(const struct scene *s, zx_handle_t vmo, uint32_t op, uint64_t page, uint64_t count);

/* A call that nobody judges. */
pgr_result dispatch(struct scene *s, pgr_call call);
/*
 * A call between the two halves of the checks, which find nothing; made() returns the handle that came out at this
 * place.
 */
pgr_result checked(struct scene *s, pgr_call call);
zx_handle_t made(struct scene *s, pgr_call call, unsigned place);
void succeeds(struct scene *s, pgr_call call);
void blocks(struct scene *s, uint32_t thread, pgr_call call);
/* The two halves by themselves, so that something can be spoiled between them. */
pgr_result open_call(struct scene *s, const pgr_call *call);
int close_call(struct scene *s, const pgr_call *call, const pgr_result *result);
int walk(struct scene *s);

/* More of a scene, where a test wants it: a child that sees all of the pager's VMO; a VMO whose pager traps what is
 * dirtied, with all pages clean; a readable and writable mapping of the first pages of a VMO, and where it is. */
zx_handle_t seeing_child(struct scene *s);
zx_handle_t trapped_vmo(struct scene *s);
uint64_t mapped(struct scene *s, zx_handle_t vmo, uint64_t count);

/* Object rows, and what can be spoiled: the run at a page, the one live request. */
uint32_t pages_of(const struct scene *s, zx_handle_t vmo);
uint32_t object_of(const struct scene *s, zx_handle_t value);
struct run *run_of(const struct scene *s, zx_handle_t vmo, uint64_t page);
uint32_t frame_of(const struct scene *s, zx_handle_t vmo, uint64_t page);
struct request *request_of(const struct scene *s);
/* The mapping at this address of the root VMAR: its run there, and its object row. */
struct run *region_of(const struct scene *s, uint64_t address);
uint32_t mapping_at(const struct scene *s, uint64_t address);

/* This number was found, and the message has this text, printf's. */
void says(const struct scene *s, int found, const char *number, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

#endif /* TESTS_INVARIANTS_SUPPORT_H */
