/*
 * The core as an implementation (implementation.h), for those who also look into its world.
 */
#ifndef HARNESS_IMPLEMENTATION_CORE_H
#define HARNESS_IMPLEMENTATION_CORE_H

#include "harness/implementation.h"

/*
 * The core over a world and frames that stay the caller's, who alone resets them: `reset` fails. Null without memory.
 */
struct implementation *implementation_core_over(pgr_world *world, void *frames);

/*
 * The world of a core, and its frames if `frames` is not null; null of any other implementation, and before the first
 * reset. The world is valid until the next reset.
 */
const pgr_world *implementation_core_world(const struct implementation *implementation, const void **frames);

#endif
