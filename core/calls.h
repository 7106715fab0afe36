/* The functions that the rows of the table of calls name, and what the files calls_*.c share. */
#ifndef CORE_CALLS_H
#define CORE_CALLS_H

#include "pages.h"
#include "plan.h"
#include "vmo.h"

#define ANSWER(name) zx_status_t name##_answer(const pgr_world *w, struct plan *plan, pgr_result *result)
#define CHECK(name) zx_status_t name##_check(const pgr_world *w, struct plan *plan)
#define LOOK(name) zx_status_t name##_look(const pgr_world *w, struct plan *plan)
#define COMMIT(name) enum progress name##_commit(pgr_world *w, void *frames, struct plan *plan, pgr_result *result)

/* The functions of each row, by its kind. */
#define FUNCTIONS_ASKS(name) ANSWER(name);
#define FUNCTIONS_ONE_STEP(name)                                                                                       \
    CHECK(name);                                                                                                       \
    COMMIT(name);
#define FUNCTIONS_WAITS(name)                                                                                          \
    CHECK(name);                                                                                                       \
    COMMIT(name);
#define FUNCTIONS_STEPS(name)                                                                                          \
    CHECK(name);                                                                                                       \
    LOOK(name);                                                                                                        \
    COMMIT(name);
#define FUNCTIONS_ACCESS(name)                                                                                         \
    CHECK(name);                                                                                                       \
    LOOK(name);                                                                                                        \
    COMMIT(name);
#define FUNCTIONS_WORLDLY(name) COMMIT(name);
#define FUNCTIONS_EXITS(name) COMMIT(name);
#define FUNCTIONS_RESUMES(name)
#define PGR_ROW(kind, number, name, function, ...) FUNCTIONS_##kind(function)
#include "call_rows.h"

/* What the families of calls share. */

/* What making a VMO needs, if it takes that many object rows. */
void vmo_needed(struct need *need, uint32_t rows);
/*
 * The checks that calls on a pager's VMO share: both handles, and that they belong together. Fills plan->pager and
 * plan->object.
 */
zx_status_t pager_vmo_get(const pgr_world *w, uint64_t pager, uint64_t vmo, zx_rights_t pager_rights,
                          zx_rights_t vmo_rights, struct plan *plan);
/*
 * What is asked before each step that reads or writes content: how the wait went, is the VMO cached, does it still reach
 * to plan->op.end?
 */
zx_status_t content_check(const pgr_world *w, const struct plan *plan, const struct window *window);
/* ZX_PAGER_OP_DIRTY of bytes; WRITEBACK_BEGIN and _END of pages. */
zx_status_t dirty_check(const pgr_world *w, struct plan *plan, uint64_t offset, uint64_t length, uint64_t data);
void dirty_commit(pgr_world *w, void *frames, const struct plan *plan, uint64_t page);
void writeback_begin(pgr_world *w, uint32_t pages, uint64_t begin, uint64_t end, int zeros_only);
void writeback_end(pgr_world *w, uint32_t pages, uint64_t begin, uint64_t end);
/* ZX_VMO_OP_ZERO of a range of bytes as the end of another call, which does not tell whether it succeeds. */
void zero_begin(struct op *op, uint64_t begin, uint64_t end);
CHECK(zero);
LOOK(zero);
COMMIT(zero);

/* The byte at which an access that could not go on has stopped. */
uint64_t access_fault_address(uint16_t call, const struct op *op);

/* Low half of an argument. */
static inline uint32_t arg_u32(const struct plan *plan, unsigned place)
{
    return (uint32_t)plan->call->arg[place];
}

#endif
