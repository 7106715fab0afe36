/* How objects end, and what a call keeps alive. See life.c. */
#ifndef CORE_LIFE_H
#define CORE_LIFE_H

#include "threads.h"

/* The handle closes: waits through it end, and, if it was the last, what its object does then happens. */
void handle_close(pgr_world *w, uint32_t row);
/* Buries everything that died. */
void objects_bury(pgr_world *w);
/* The quarantined pages of a BTI are unpinned. */
void bti_release_quarantine(pgr_world *w, uint32_t bti);
/* Ends a thread: its wait is abandoned, its unfinished pin undone. */
void thread_kill(pgr_world *w, uint32_t row);
/* The call keeps these objects alive while it waits, and no longer. */
void op_hold(pgr_world *w, const struct op *op);
void op_drop(pgr_world *w, const struct op *op);
/* The call goes on with another VMO. */
void op_move(pgr_world *w, struct op *op, uint32_t vmo);
/* ... or with another second one. */
void op_move_second(pgr_world *w, struct op *op, uint32_t vmo);
/* What a call that ends early leaves half done is undone: pins. */
void op_undo(pgr_world *w, struct op *op);
/* Unpins. */
void pmt_end(pgr_world *w, uint32_t pmt);

#endif
