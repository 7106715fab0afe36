/* The memory that worlds are given. See world_memory.h. */
#include "harness/world_memory.h"

#include <stdlib.h>
#include <sys/mman.h>

#include "harness/no_coverage.h"

NO_COVERAGE_BEGIN

/* Whether an object can have so many bytes; no block of a world has none. */
static int is_size(uint64_t bytes)
{
    return bytes > 0 && bytes == (size_t)bytes;
}

void *memory_map(uint64_t bytes)
{
    void *memory;

    if (!is_size(bytes))
        return NULL;
    memory = mmap(NULL, (size_t)bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    return memory == MAP_FAILED ? NULL : memory;
}

void memory_unmap(void *memory, size_t bytes)
{
    if (memory != NULL)
        munmap(memory, bytes);
}

void *memory_allocate(uint64_t bytes)
{
    void *memory;

    return is_size(bytes) && posix_memalign(&memory, PGR_WORLD_ALIGNMENT, (size_t)bytes) == 0 ? memory : NULL;
}

/* 0, or -1: one of the blocks could not be had. */
static int set_blocks(struct world_memory *memory, const pgr_config *config, void *get(uint64_t bytes))
{
    uint64_t block_bytes = pgr_world_bytes(config), frames_bytes = pgr_frames_bytes(config);

    *memory = (struct world_memory){.block = get(block_bytes), .frames = get(frames_bytes)};
    memory->block_bytes = memory->block != NULL ? (size_t)block_bytes : 0;
    memory->frames_bytes = memory->frames != NULL ? (size_t)frames_bytes : 0;
    return memory->block != NULL && memory->frames != NULL ? 0 : -1;
}

int world_memory_map(struct world_memory *memory, const pgr_config *config)
{
    if (set_blocks(memory, config, memory_map) == 0)
        return 0;
    world_memory_unmap(memory);
    return -1;
}

int world_memory_allocate(struct world_memory *memory, const pgr_config *config)
{
    if (set_blocks(memory, config, memory_allocate) == 0)
        return 0;
    free(memory->block);
    free(memory->frames);
    *memory = (struct world_memory){0};
    return -1;
}

void world_memory_unmap(struct world_memory *memory)
{
    memory_unmap(memory->block, memory->block_bytes);
    memory_unmap(memory->frames, memory->frames_bytes);
    *memory = (struct world_memory){0};
}

NO_COVERAGE_END
