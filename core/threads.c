/*
 * Threads as data: the lists they wait in, and the queue of those whose wait has ended. A thread in no call is an
 * empty row.
 */
#include "threads.h"

void thread_touch(pgr_world *w, uint32_t row)
{
    struct table *table = &w->tables[TABLE_THREADS];

    while (table->touched <= row) {
        table->touched++;
        memset(row_at(w, TABLE_THREADS, table->touched - 1), 0, table->row_bytes);
    }
}

void thread_release(pgr_world *w, uint32_t row, zx_status_t status)
{
    struct thread *thread = thread_at(w, row);

    thread->state = PGR_THREAD_RELEASED;
    thread->wake_status = status;
    list_append(w, &w->released, CHAIN_THREADS, row);
}

uint32_t pgr_first_released(const pgr_world *w)
{
    return w->released.first != 0 ? w->released.first - 1 : PGR_NO_THREAD;
}
