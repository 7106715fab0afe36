/*
 * The state machine of a page: what each event makes of each state. The only place that knows.
 *
 *                      supply                    write, DIRTY
 *             absent ---------> clean, marker ------------------> dirty <----+
 *               ^  \                ^                             |   ^      | write, DIRTY
 *               |   \ zero          | WRITEBACK_END               |   |      |
 *      eviction,|    \              |                WRITEBACK_   |   |      |
 *      detach   |     v             +------ awaiting clean <------+   |      |
 *               |   interval                      |    BEGIN          |      |
 *               |      |  write, DIRTY, commit    +-------------------+      |
 *               |      +-----------------------------------------------------+
 *               +-- from clean and marker only: what is dirty is never dropped behind its pager's back
 *
 * Intervals are dirty zeros that the kernel made. How a writeback of them begins and ends depends on where an
 * interval starts, and is decided in calls_dirty.c, for nothing else does.
 */
#include "pages.h"

#define NONE PGR_PAGE_NONE
#define ANON PGR_PAGE_ANONYMOUS
#define CLEAN PGR_PAGE_CLEAN
#define DIRTY PGR_PAGE_DIRTY
#define AWAIT PGR_PAGE_AWAITING_CLEAN
#define MARK PGR_PAGE_MARKER
#define INTERVAL PGR_PAGE_INTERVAL

uint32_t pgr_page_after(uint32_t event, uint32_t state)
{
    /* clang-format off */
    static const uint8_t after[PGR_EVENT_COUNT][PGR_PAGE_STATE_COUNT] = {
        /*                         none      anonymous clean     dirty     awaiting  marker    interval */
        [PGR_EVENT_READ] =        {NONE,     ANON,     CLEAN,    DIRTY,    AWAIT,    MARK,     INTERVAL},
        [PGR_EVENT_SUPPLY] =      {CLEAN,    ANON,     CLEAN,    DIRTY,    AWAIT,    MARK,     INTERVAL},
        [PGR_EVENT_SUPPLY_ZERO] = {MARK,     ANON,     CLEAN,    DIRTY,    AWAIT,    MARK,     INTERVAL},
        [PGR_EVENT_COMMIT] =      {ANON,     ANON,     CLEAN,    DIRTY,    AWAIT,    CLEAN,    DIRTY},
        [PGR_EVENT_WRITE] =       {ANON,     ANON,     DIRTY,    DIRTY,    DIRTY,    DIRTY,    DIRTY},
        [PGR_EVENT_DIRTY] =       {NONE,     ANON,     DIRTY,    DIRTY,    DIRTY,    DIRTY,    DIRTY},
        [PGR_EVENT_BEGIN] =       {NONE,     ANON,     CLEAN,    AWAIT,    AWAIT,    MARK,     INTERVAL},
        [PGR_EVENT_END] =         {NONE,     ANON,     CLEAN,    DIRTY,    CLEAN,    MARK,     INTERVAL},
        [PGR_EVENT_ZERO] =        {INTERVAL, NONE,     INTERVAL, INTERVAL, INTERVAL, MARK,     INTERVAL},
        [PGR_EVENT_ZERO_PINNED] = {NONE,     ANON,     DIRTY,    DIRTY,    DIRTY,    MARK,     INTERVAL},
        [PGR_EVENT_EVICT] =       {NONE,     ANON,     NONE,     DIRTY,    AWAIT,    MARK,     INTERVAL},
        [PGR_EVENT_DETACH] =      {NONE,     ANON,     NONE,     DIRTY,    AWAIT,    NONE,     INTERVAL},
    };
    /* clang-format on */

    return after[event][state];
}

int state_asks(const pgr_world *w, uint32_t pages, uint32_t event, uint32_t state)
{
    return (object_at(w, pages)->flags & PGR_PAGES_TRAP_DIRTY) != 0 && state != DIRTY &&
           pgr_page_after(event, state) == DIRTY;
}
