/*
 * Saving a world and loading it somewhere else. An image is a header, the world's own header, and the rows of every
 * table that were ever touched. A checksum over all of it tells damage; layout and bounds are compared with what
 * the configuration asks for.
 */
#include "world.h"

#define IMAGE_MAGIC UINT64_C(0x31676d6965746750) /* "Pgtemig1" */

struct image_header {
    uint64_t magic;
    uint64_t image_bytes;
    uint64_t checksum; /* of everything behind this header */
};

static uint64_t touched_bytes(const struct table *table)
{
    return (uint64_t)(table->touched - 1) * table->row_bytes;
}

static uint64_t image_bytes_of(const pgr_world *w)
{
    uint64_t bytes = sizeof(struct image_header) + sizeof(*w);
    unsigned i;

    for (i = 0; i < TABLE_COUNT; i++)
        bytes += touched_bytes(&w->tables[i]);
    return bytes;
}

uint64_t pgr_image_bytes(const pgr_world *w)
{
    return image_bytes_of(w);
}

zx_status_t pgr_save(const pgr_world *w, void *image, uint64_t image_bytes)
{
    struct image_header header = {.magic = IMAGE_MAGIC, .image_bytes = image_bytes_of(w)};
    char *at = image;
    unsigned i;

    if (image == NULL || image_bytes < header.image_bytes)
        return ZX_ERR_BUFFER_TOO_SMALL;
    at += sizeof(header);
    memcpy(at, w, sizeof(*w));
    at += sizeof(*w);
    for (i = 0; i < TABLE_COUNT; i++) {
        const struct table *table = &w->tables[i];

        memcpy(at, (const char *)w + table->offset + table->row_bytes, (size_t)touched_bytes(table));
        at += touched_bytes(table);
    }
    header.checksum = hash_bytes((char *)image + sizeof(header), header.image_bytes - sizeof(header), IMAGE_MAGIC);
    memcpy(image, &header, sizeof(header));
    return ZX_OK;
}

/* The image's world header, if the image is whole and of this version; its tables' bounds are checked. */
static zx_status_t image_open(const void *image, uint64_t image_bytes, pgr_world *w)
{
    struct image_header header;

    if (image == NULL)
        return ZX_ERR_INVALID_ARGS;
    if (image_bytes < sizeof(header) + sizeof(*w))
        return ZX_ERR_IO_DATA_INTEGRITY;
    memcpy(&header, image, sizeof(header));
    if (header.magic != IMAGE_MAGIC || header.image_bytes != image_bytes)
        return ZX_ERR_IO_DATA_INTEGRITY;
    if (header.checksum != hash_bytes((const char *)image + sizeof(header), image_bytes - sizeof(header), IMAGE_MAGIC))
        return ZX_ERR_IO_DATA_INTEGRITY;
    memcpy(w, (const char *)image + sizeof(header), sizeof(*w));
    return world_header_valid(w) && image_bytes_of(w) == image_bytes ? ZX_OK : ZX_ERR_IO_DATA_INTEGRITY;
}

zx_status_t pgr_image_config(const void *image, uint64_t image_bytes, pgr_config *config)
{
    struct pgr_world w;
    zx_status_t status = config == NULL ? ZX_ERR_INVALID_ARGS : image_open(image, image_bytes, &w);

    if (status == ZX_OK)
        *config = w.config;
    return status;
}

zx_status_t pgr_load(void *block, uint64_t block_bytes, const void *image, uint64_t image_bytes, pgr_world **world)
{
    struct pgr_world header;
    const char *at;
    zx_status_t status = world == NULL ? ZX_ERR_INVALID_ARGS : image_open(image, image_bytes, &header);
    unsigned i;

    if (status == ZX_OK)
        status = block_check(block, block_bytes, &header.config);
    if (status != ZX_OK)
        return status;
    memcpy(block, &header, sizeof(header));
    at = (const char *)image + sizeof(struct image_header) + sizeof(header);
    for (i = 0; i < TABLE_COUNT; i++) {
        const struct table *table = &header.tables[i];

        memcpy((char *)block + table->offset + table->row_bytes, at, (size_t)touched_bytes(table));
        at += touched_bytes(table);
    }
    *world = block;
    return ZX_OK;
}
