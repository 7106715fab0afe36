/*
 * Threads: what their calls hold, how they block and are released, how they end (page-requests.md,
 * objects.md).
 */
#include "harness/oracle/oracle_pages.h"

#include <string.h>

void oracle_hold(struct oracle_thread *t, void *object)
{
    int place = 0;
    while (t->held[place])
        place++;
    t->held[place] = object;
}

void oracle_let_go(struct oracle *o, struct oracle_thread *t, void *object)
{
    for (int i = 0; i < ORACLE_HELD_MAX; i++) {
        if (t->held[i] != object)
            continue;
        t->held[i] = NULL;
        break;
    }
    oracle_unreferenced(o, object);
}

zx_status_t oracle_block(struct oracle *o, struct oracle_thread *t, uint32_t wait)
{
    t->state = PGR_THREAD_BLOCKED;
    t->wait = wait;
    oracle_list_add(&o->waiting, t);
    return ORACLE_WAIT;
}

static void stop_waiting(struct oracle *o, struct oracle_thread *t)
{
    oracle_list_remove(&o->waiting, t);
    t->wait = PGR_WAIT_NONE;
    t->request = NULL;
    t->waited_on = NULL;
}

void oracle_release(struct oracle *o, struct oracle_thread *t, zx_status_t woken_with)
{
    stop_waiting(o, t);
    t->state = PGR_THREAD_RELEASED;
    t->woken_with = woken_with;
    oracle_list_add(&o->released, t);
}

zx_status_t oracle_woken(struct oracle_thread *t)
{
    zx_status_t status = t->woken_with;
    t->woken_with = ZX_OK;
    return status;
}

/* The thread is idle again, with nothing remembered of the call that it was in. What that call held may die now. */
void oracle_thread_call_ends(struct oracle *o, struct oracle_thread *t)
{
    oracle_bag_end(o, t);
    struct oracle_thread was = *t;
    memset(t, 0, sizeof(*t));
    t->number = was.number;
    t->state = PGR_THREAD_IDLE;
    for (int i = 0; i < ORACLE_HELD_MAX; i++)
        oracle_unreferenced(o, was.held[i]);
    if (was.fault_vmo)
        oracle_unreferenced(o, &was.fault_vmo->object);
}

/*
 * trace-format.md, thread_kill: a wait is abandoned as page-requests.md says, pins of an unfinished pin are undone, other
 * progress stays.
 */
void oracle_thread_kill(struct oracle *o, struct oracle_thread *t)
{
    if (t->state == PGR_THREAD_IDLE)
        return;
    if (t->wait == PGR_WAIT_REQUEST)
        oracle_request_cancel(o, t);
    stop_waiting(o, t);
    oracle_list_remove(&o->released, t);
    struct oracle_pmt *pmt = t->pmt;
    t->pmt = NULL;
    if (pmt)
        oracle_pmt_abandon(o, pmt);
    oracle_thread_call_ends(o, t);
}
