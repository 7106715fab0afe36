/*
 * The memory that worlds are given. Sizes of worlds have 64 bits; a machine of 32 bits has no room for the largest, and
 * here they are refused: whoever makes a world gets its memory here, or with memory_map() and memory_allocate().
 */
#ifndef HARNESS_WORLD_MEMORY_H
#define HARNESS_WORLD_MEMORY_H

#include <stddef.h>
#include <stdint.h>

#include "core/pgr.h"

/* Both blocks of one world. */
struct world_memory {
    void *block, *frames; /* null: there are none */
    size_t block_bytes, frames_bytes;
};

/* Fresh memory, aligned as a world's block has to be; null if there is none, and for 0 bytes. */
void *memory_map(uint64_t bytes);      /* zeros; what is never touched costs nothing. For memory_unmap() */
void *memory_allocate(uint64_t bytes); /* where AddressSanitizer sees what is written behind it. For free() */

/* Null is nothing. */
void memory_unmap(void *memory, size_t bytes);

/*
 * Both blocks for a world of this configuration. 0, or -1 and both are null: there is no memory, or the configuration
 * makes no sense.
 */
int world_memory_map(struct world_memory *memory, const pgr_config *config);
int world_memory_allocate(struct world_memory *memory, const pgr_config *config);

/* Of what was mapped; both are null then. */
void world_memory_unmap(struct world_memory *memory);

#endif
