/*
 * Threads as data: the lists they wait in, and the queue of those whose wait has ended. A thread in no call is an
 * empty row.
 */
#include "pgr_internal.h"

void thread_touch(pgr_world *w, uint32_t row)
{
    struct table *table = &w->tables[TABLE_THREADS];

    while (table->touched <= row) {
        table->touched++;
        memset(row_at(w, TABLE_THREADS, table->touched - 1), 0, table->row_bytes);
    }
}

void thread_list_append(pgr_world *w, struct thread_list *list, uint32_t row)
{
    struct thread *thread = thread_at(w, row);

    thread->next = 0;
    thread->prev = list->last;
    if (list->last != 0)
        thread_at(w, list->last)->next = row;
    else
        list->first = row;
    list->last = row;
}

void thread_list_remove(pgr_world *w, struct thread_list *list, uint32_t row)
{
    struct thread *thread = thread_at(w, row);

    if (thread->prev != 0)
        thread_at(w, thread->prev)->next = thread->next;
    else
        list->first = thread->next;
    if (thread->next != 0)
        thread_at(w, thread->next)->prev = thread->prev;
    else
        list->last = thread->prev;
    thread->next = 0;
    thread->prev = 0;
}

void thread_release(pgr_world *w, uint32_t row, zx_status_t status)
{
    struct thread *thread = thread_at(w, row);

    thread->state = PGR_THREAD_RELEASED;
    thread->wake_status = status;
    thread_list_append(w, &w->released, row);
}

uint32_t pgr_first_released(const pgr_world *w)
{
    return w->released.first != 0 ? w->released.first - 1 : PGR_NO_THREAD;
}
