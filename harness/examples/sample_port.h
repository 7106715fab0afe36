/* A port in twenty lines, to show how one is put in front of the judges (implementation.h). */
#ifndef HARNESS_EXAMPLES_SAMPLE_PORT_H
#define HARNESS_EXAMPLES_SAMPLE_PORT_H

#include "harness/implementation.h"

/* It knows VMOs and their sizes, and nothing else. There is one; it need not be ended. */
struct implementation *implementation_sample(void);

#endif
