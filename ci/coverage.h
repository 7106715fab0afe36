/*
 * Included before every file of a coverage build: what the core asserts has no branch there that could be missed. Every
 * other build checks it.
 */
#define PGR_ASSERT(condition) ((void)0)
#pragma clang diagnostic ignored "-Wunused-parameter"
#pragma clang diagnostic ignored "-Wunused-variable"
