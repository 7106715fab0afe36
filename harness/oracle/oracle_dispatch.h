/*
 * Inside of the oracle: the dispatcher, as world.c hands it out.
 */
#ifndef HARNESS_ORACLE_ORACLE_DISPATCH_H
#define HARNESS_ORACLE_ORACLE_DISPATCH_H

#include "harness/oracle/oracle.h"

/* The functions of struct implementation; `self` is the struct oracle. */
void oracle_dispatch(void *self, const pgr_call *call, pgr_result *result);
void oracle_resume(void *self, uint32_t thread, void *buffer, uint64_t buffer_bytes, pgr_result *result);
uint32_t oracle_first_released(void *self);

/* threads.c */
void oracle_thread_call_ends(struct oracle *o, struct oracle_thread *t);
void oracle_thread_kill(struct oracle *o, struct oracle_thread *t);

#endif
