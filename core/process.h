/* The process of a world. See process.c. */
#ifndef CORE_PROCESS_H
#define CORE_PROCESS_H

#include "world.h"

/* Kills every thread, closes every handle, ends the address space. */
void process_end(pgr_world *w);

#endif
