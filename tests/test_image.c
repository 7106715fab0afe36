/*
 * Images that nobody saved: whole, with a checksum that is right, and a header that no world of this version has. Knows
 * the core from inside, because only its own hash makes such an image.
 */
#include "core/world.h"
#include "tests/test_support.h"

/* As core/image.c has it. */
#define IMAGE_MAGIC UINT64_C(0x31676d6965746750)

struct image_header {
    uint64_t magic;
    uint64_t image_bytes;
    uint64_t checksum;
};

struct forgery {
    uint8_t *image;
    uint64_t bytes;
    struct pgr_world header;
};

static struct forgery forgery_of(struct test_world *t)
{
    struct forgery f;

    f.image = save_image(t, &f.bytes);
    memcpy(&f.header, f.image + sizeof(struct image_header), sizeof(f.header));
    return f;
}

/* The image gets this header, and what makes it look right. */
static zx_status_t load_with(struct forgery *f, const struct pgr_world *header, uint64_t bytes)
{
    struct image_header head = {.magic = IMAGE_MAGIC, .image_bytes = bytes};
    uint64_t block_bytes = pgr_world_bytes(&f->header.config);
    void *block = aligned_alloc(PGR_WORLD_ALIGNMENT, (block_bytes + 63) / 64 * 64);
    pgr_world *world = NULL;
    zx_status_t status;

    memcpy(f->image + sizeof(head), header, sizeof(*header));
    head.checksum = hash_bytes(f->image + sizeof(head), bytes - sizeof(head), IMAGE_MAGIC);
    memcpy(f->image, &head, sizeof(head));
    status = pgr_load(block, block_bytes, f->image, bytes, &world);
    assert_true((world != NULL) == (status == ZX_OK));
    free(block);
    return status;
}

static void expect_refused_with(struct forgery *f, const struct pgr_world *header)
{
    assert_int_equal(load_with(f, header, f->bytes), ZX_ERR_IO_DATA_INTEGRITY);
}

static void what_was_saved_is_taken(void **state)
{
    struct test_world *t = world_make(NULL);
    struct forgery f = forgery_of(t);

    (void)state;
    assert_int_equal(load_with(&f, &f.header, f.bytes), ZX_OK);
    free(f.image);
    world_free(t);
}

static void headers_of_other_worlds_are_refused(void **state)
{
    struct test_world *t = world_make(NULL);
    struct forgery f = forgery_of(t);
    struct pgr_world forged;

    (void)state;
    forged = f.header, forged.magic++;
    expect_refused_with(&f, &forged);
    forged = f.header, forged.version++;
    expect_refused_with(&f, &forged);
    forged = f.header, forged.header_bytes++;
    expect_refused_with(&f, &forged);
    forged = f.header, forged.config.page_shift = 0;
    expect_refused_with(&f, &forged);
    free(f.image);
    world_free(t);
}

static void tables_that_the_configuration_does_not_give_are_refused(void **state)
{
    struct test_world *t = world_make(NULL);
    struct forgery f = forgery_of(t);
    struct pgr_world forged;

    (void)state;
    forged = f.header, forged.tables[TABLE_OBJECTS].offset += 64;
    expect_refused_with(&f, &forged);
    forged = f.header, forged.tables[TABLE_OBJECTS].row_bytes++;
    expect_refused_with(&f, &forged);
    forged = f.header, forged.tables[TABLE_OBJECTS].row_count--;
    expect_refused_with(&f, &forged);
    forged = f.header, forged.tables[TABLE_OBJECTS].touched = 0;
    expect_refused_with(&f, &forged);
    forged = f.header, forged.tables[TABLE_OBJECTS].touched = forged.tables[TABLE_OBJECTS].row_count + 1;
    expect_refused_with(&f, &forged);
    free(f.image);
    world_free(t);
}

static void rows_that_are_missing_are_noticed(void **state)
{
    struct test_world *t = world_make(NULL);
    struct forgery f;

    (void)state;
    make_vmo(t, 1, 0);
    f = forgery_of(t);
    assert_int_equal(load_with(&f, &f.header, f.bytes - 8), ZX_ERR_IO_DATA_INTEGRITY);
    free(f.image);
    world_free(t);
}

static void nowhere_to_save_to_is_too_little(void **state)
{
    struct test_world *t = world_make(NULL);

    (void)state;
    assert_int_equal(pgr_save(t->world, NULL, pgr_image_bytes(t->world)), ZX_ERR_BUFFER_TOO_SMALL);
    world_free(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_saved_is_taken),
        cmocka_unit_test(headers_of_other_worlds_are_refused),
        cmocka_unit_test(tables_that_the_configuration_does_not_give_are_refused),
        cmocka_unit_test(rows_that_are_missing_are_noticed),
        cmocka_unit_test(nowhere_to_save_to_is_too_little),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
