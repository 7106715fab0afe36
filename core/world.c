/*
 * The block of memory: how a world is laid out in it, how rows are taken and given back, and what may be taken.
 */
#include "world.h"

#include "handles.h"
#include "ports.h"
#include "requests.h"
#include "threads.h"

#define WORLD_MAGIC UINT64_C(0x6574697265676150) /* "Pagerite" */
#define WORLD_VERSION (PGR_VERSION_MAJOR << 16 | PGR_VERSION_MINOR << 8 | PGR_VERSION_PATCH)
#define NODES_SPARE 160u /* so that the estimates of tree_growth fit into the smallest world */

void pgr_config_default(pgr_config *config)
{
    *config = (pgr_config){
        .page_shift = 12,
        .read_batch = 16,
        .frame_count = 65536 + 1,
        .object_count = 65536,
        .handle_count = PGR_HANDLES_MAX,
        .thread_count = 256,
        .packet_count = 131072,
        .run_count = 1u << 19,
    };
}

static int count_in(uint32_t count, uint32_t low, uint32_t high)
{
    return count >= low && count <= high;
}

static int config_valid(const pgr_config *config)
{
    const uint32_t options = PGR_OPTION_FAIL_CODES_KERNEL | PGR_OPTION_SUPPLY_DECOMMITS;

    return config != NULL && count_in(config->page_shift, PGR_PAGE_SHIFT_MIN, PGR_PAGE_SHIFT_MAX) &&
           (config->options & ~options) == 0 && config->reserved == 0 &&
           count_in(config->frame_count, 2, PGR_ROWS_MAX) && count_in(config->object_count, 8, PGR_ROWS_MAX) &&
           count_in(config->handle_count, 8, PGR_HANDLES_MAX) && count_in(config->thread_count, 1, PGR_ROWS_MAX) &&
           count_in(config->packet_count, 1, PGR_ROWS_MAX) && count_in(config->run_count, 8, PGR_ROWS_MAX);
}

/* Nodes of both trees of frames: no more stretches than frames, and six runs to a node at the least. */
static uint32_t frame_nodes(const pgr_config *config)
{
    return (config->frame_count >> 2) + 2 * TREE_DEPTH_MAX;
}

static void table_set(struct table *table, uint64_t *bytes, size_t row_bytes, uint32_t row_count)
{
    *table = (struct table){
        .offset = *bytes,
        .row_bytes = (uint32_t)row_bytes,
        .row_count = row_count,
        .touched = 1,
    };
    *bytes += ((uint64_t)row_count * row_bytes + PGR_WORLD_ALIGNMENT - 1) & ~(uint64_t)(PGR_WORLD_ALIGNMENT - 1);
}

/* Where the tables lie; returns the bytes of the whole world. */
static uint64_t layout(const pgr_config *config, struct table *tables)
{
    uint64_t bytes = (sizeof(struct pgr_world) + PGR_WORLD_ALIGNMENT - 1) & ~(uint64_t)(PGR_WORLD_ALIGNMENT - 1);
    uint32_t nodes = frame_nodes(config) + (config->run_count >> 2) + (config->object_count >> 1) + NODES_SPARE;

    table_set(&tables[TABLE_NODES], &bytes, sizeof(struct node), nodes);
    table_set(&tables[TABLE_OBJECTS], &bytes, sizeof(struct object), config->object_count);
    table_set(&tables[TABLE_HANDLES], &bytes, sizeof(struct handle), config->handle_count);
    table_set(&tables[TABLE_THREADS], &bytes, sizeof(struct thread), config->thread_count + 1);
    table_set(&tables[TABLE_PACKETS], &bytes, sizeof(struct packet), config->packet_count);
    /* Every request has an owner of its own. */
    table_set(&tables[TABLE_REQUESTS], &bytes, sizeof(struct request), config->thread_count + 1);
    return bytes;
}

uint64_t pgr_world_bytes(const pgr_config *config)
{
    struct table tables[TABLE_COUNT];

    return config_valid(config) ? layout(config, tables) : 0;
}

uint64_t pgr_frames_bytes(const pgr_config *config)
{
    return config_valid(config) ? (uint64_t)config->frame_count << config->page_shift : 0;
}

zx_status_t block_check(const void *block, uint64_t block_bytes, const pgr_config *config)
{
    if (!config_valid(config) || block == NULL || ((uintptr_t)block & (PGR_WORLD_ALIGNMENT - 1)) != 0)
        return ZX_ERR_INVALID_ARGS;
    return block_bytes < pgr_world_bytes(config) ? ZX_ERR_BUFFER_TOO_SMALL : ZX_OK;
}

int world_header_valid(const pgr_world *w)
{
    struct table tables[TABLE_COUNT];
    unsigned i;

    if (w->magic != WORLD_MAGIC || w->version != WORLD_VERSION || w->header_bytes != sizeof(*w) ||
        !config_valid(&w->config))
        return 0;
    layout(&w->config, tables);
    for (i = 0; i < TABLE_COUNT; i++) {
        const struct table *table = &w->tables[i];

        if (table->offset != tables[i].offset || table->row_bytes != tables[i].row_bytes ||
            table->row_count != tables[i].row_count || !count_in(table->touched, 1, table->row_count))
            return 0;
    }
    return 1;
}

void world_format(pgr_world *w, const pgr_config *config)
{
    memset(w, 0, sizeof(*w));
    w->magic = WORLD_MAGIC;
    w->version = WORLD_VERSION;
    w->header_bytes = sizeof(*w);
    w->config = *config;
    layout(config, w->tables);
    w->frame_nodes_max = frame_nodes(config);
    w->next_koid = 1024;
}

uint64_t hash_bytes(const void *bytes, uint64_t count, uint64_t sum)
{
    const char *at = bytes;
    uint64_t word;

    for (; count >= sizeof(word); count -= sizeof(word), at += sizeof(word)) {
        memcpy(&word, at, sizeof(word));
        sum = (sum ^ word) * UINT64_C(0x9e3779b97f4a7c15);
        sum ^= sum >> 32;
    }
    if (count == 0)
        return sum;
    word = 0;
    memcpy(&word, at, (size_t)count);
    sum = (sum ^ word) * UINT64_C(0x9e3779b97f4a7c15);
    return sum ^ sum >> 32;
}

/* --- rows --- */

uint32_t row_take(pgr_world *w, enum table_id id)
{
    struct table *table = &w->tables[id];
    uint32_t row = table->first_free;

    if (row != 0) {
        uint32_t *link = row_at(w, id, row);

        table->first_free = *link;
        *link = 0;
    } else {
        row = table->touched++;
        PGR_ASSERT(row < table->row_count);
        memset(row_at(w, id, row), 0, table->row_bytes);
    }
    table->in_use++;
    return row;
}

void row_give(pgr_world *w, enum table_id id, uint32_t row)
{
    struct table *table = &w->tables[id];
    uint32_t *link = row_at(w, id, row);

    memset(link, 0, table->row_bytes);
    *link = table->first_free;
    table->first_free = row;
    table->in_use--;
}

uint32_t rows_left(const pgr_world *w, enum table_id id)
{
    return w->tables[id].row_count - 1 - w->tables[id].in_use;
}
