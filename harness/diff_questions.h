/*
 * Questions to both implementations about everything that handles name, behind a program: what no later call would show
 * otherwise shows in the answers (signals, names, counts, the modified flag, what is dirty, what an armed failure has
 * left to count).
 */
#ifndef HARNESS_DIFF_QUESTIONS_H
#define HARNESS_DIFF_QUESTIONS_H

#include "harness/implementation.h"
#include "harness/live_handles.h"

/*
 * The call numbered `at`, from 0 on, of a thread that is in none, about the handles of this world of the core. 0: there is
 * none left. The buffer is static.
 */
int diff_question(const pgr_world *world, const struct live_handles *live, uint32_t thread, uint32_t at,
                  pgr_call *call);

#endif
