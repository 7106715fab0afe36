/*
 * The canonical image of a small world: two worlds have the same image if and only if they are the same but for names.
 * Rows and frames are numbered by when they are reached from the handles, neighbouring runs are told page by page, and
 * what only counts (koids, generations of handles, evictions) or only manages memory (free lists, rows that nobody
 * uses, the arrangement of maps) is left out. So calls that commute lead to one image, in whichever order they were
 * made.
 *
 * Frames are told apart by what they hold, not by their numbers: worlds with the same image behave alike as long as
 * there are rows enough and nobody asks for contiguous memory.
 */
#ifndef HARNESS_SPIN_IMAGE_H
#define HARNESS_SPIN_IMAGE_H

#include "core/pgr.h"

#define IMAGE_BYTES_MAX 4096u

/*
 * Writes the image. `handles` are all handles of the world, 0 where there is none, in the order in which they are to be
 * looked at. Returns the bytes written; 0: the world is too large, or holds an object that no handle leads to.
 */
uint32_t image_write(const pgr_world *world, const void *frames, const zx_handle_t *handles, uint32_t handle_count,
                     uint8_t image[IMAGE_BYTES_MAX]);

#endif /* HARNESS_SPIN_IMAGE_H */
