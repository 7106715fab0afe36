/*
 * What the tests of the core have in common: worlds of a chosen size, calls that must succeed, fail or block, and
 * pictures of what a VMO holds. Everything goes through core/pgr.h.
 */
#ifndef TEST_SUPPORT_H
#define TEST_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/pgr.h"

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

/* A world with the two blocks that it lives in. */
struct test_world {
    pgr_world *world;
    void *block;
    void *frames;
    pgr_config config;
    pgr_start start;
    pgr_result result; /* of the last call */
};

/* 256 frames of 4096 bytes, 8 threads; sizes for some dozens of objects. */
pgr_config small_config(void);

/* A fresh world; free it with world_free. Null means small_config(). */
struct test_world *world_make(const pgr_config *config);
void world_free(struct test_world *t);

/* One page in bytes, and n of them. */
uint64_t page_size(const struct test_world *t);
uint64_t pages(const struct test_world *t, uint64_t count);

/* ---- calls ---- */

/*
 * Performs a call; its arguments stand where the documented prototype has them, missing ones are 0. The result stays in
 * t->result. The functions below say what must come of it and return an out handle or number, if the call has one.
 */
#define ARGS(...) ((const uint64_t[PGR_ARGS_MAX]){__VA_ARGS__})
const pgr_result *perform_on(struct test_world *t, uint32_t thread, uint32_t number, const uint64_t *args, void *buffer,
                             uint64_t buffer_bytes);
#define perform(t, number, ...) perform_on(t, 0, number, ARGS(__VA_ARGS__), NULL, 0)

/* The call must return this status at once. */
uint64_t expect_on(struct test_world *t, const char *where, zx_status_t status, uint32_t thread, uint32_t number,
                   const uint64_t *args, void *buffer, uint64_t buffer_bytes);
#define WHERE_2(line) __FILE__ ":" #line
#define WHERE_1(line) WHERE_2(line)
#define WHERE WHERE_1(__LINE__)
#define expect(t, status, number, ...) expect_on(t, WHERE, status, 0, number, ARGS(__VA_ARGS__), NULL, 0)
#define expect_ok(t, number, ...) expect_on(t, WHERE, ZX_OK, 0, number, ARGS(__VA_ARGS__), NULL, 0)
#define expect_buffer(t, status, buffer, bytes, number, ...)                                                           \
    expect_on(t, WHERE, status, 0, number, ARGS(__VA_ARGS__), buffer, bytes)

/* The call of this thread must block. */
void expect_blocks(struct test_world *t, uint32_t thread, uint32_t number, const uint64_t *args, void *buffer,
                   uint64_t buffer_bytes);
/* The dispatcher must refuse this as no call at all, and change no byte of the world. */
void expect_refused(struct test_world *t, zx_status_t status, uint32_t thread, uint32_t number, const uint64_t *args);
/* Resuming the thread must give this status. */
void expect_resumed(struct test_world *t, zx_status_t status, uint32_t thread, void *buffer, uint64_t buffer_bytes);
/* Resumes threads in the order of their release until none is left; with one buffer for all. */
void resume_all(struct test_world *t, void *buffer, uint64_t buffer_bytes);

/* ---- what tests need all the time; sizes, offsets and counts are in pages ---- */

zx_handle_t make_vmo(struct test_world *t, uint64_t page_count, uint32_t options);
zx_handle_t make_port(struct test_world *t);
zx_handle_t make_pager(struct test_world *t);
zx_handle_t make_pager_vmo(struct test_world *t, zx_handle_t pager, zx_handle_t port, uint64_t key, uint64_t page_count,
                           uint32_t options);
zx_handle_t duplicate(struct test_world *t, zx_handle_t handle, zx_rights_t rights);
void close_handle(struct test_world *t, zx_handle_t handle);

/* Writes, or expects to read, one byte value over pages of a VMO. */
void fill(struct test_world *t, zx_handle_t vmo, uint64_t page, uint64_t count, uint8_t byte);
void expect_filled(struct test_world *t, zx_handle_t vmo, uint64_t page, uint64_t count, uint8_t byte);
/* Supplies pages from a new aux VMO filled with one byte value. */
void supply_filled(struct test_world *t, zx_handle_t pager, zx_handle_t vmo, uint64_t page, uint64_t count,
                   uint8_t byte);
/* Supplies zeros, which become markers. */
void supply_zeros(struct test_world *t, zx_handle_t pager, zx_handle_t vmo, uint64_t page, uint64_t count);
/* The port's next packet must ask for these pages; offset and count in pages. */
void expect_read_packet(struct test_world *t, zx_handle_t port, uint64_t key, uint64_t page, uint64_t count);
void expect_complete_packet(struct test_world *t, zx_handle_t port, uint64_t key);
void expect_no_packet(struct test_world *t, zx_handle_t port);
uint64_t committed_bytes(struct test_world *t, zx_handle_t vmo);

/*
 * A picture of a VMO's pages: for each stretch in one state a letter and the number of pages, "C2 M1 .3 D1": C clean, D
 * dirty, W awaiting clean, M marker, Z zeros of the kernel's, A anonymous, . nothing; "*2" behind pages that are pinned
 * twice. Empty for no page.
 */
void expect_runs_at(struct test_world *t, const char *where, zx_handle_t vmo, const char *picture);
#define expect_runs(t, vmo, picture) expect_runs_at(t, WHERE, vmo, picture)

uint64_t hash(const struct test_world *t);
/* A copy of the world's block, and whether the block still equals it. free() it. */
void *copy_block(const struct test_world *t);
int block_equals(const struct test_world *t, const void *copy);
/* The world's image: *bytes long, free() it. */
void *save_image(const struct test_world *t, uint64_t *bytes);

/* Pseudo-random numbers, the same for the same seed. */
uint64_t random_next(uint64_t *state);
uint64_t random_below(uint64_t *state, uint64_t bound);

#endif
