/* Lists of rows. */
#include "list.h"

static struct links *links_at(const pgr_world *w, struct chain chain, uint32_t row)
{
    return (struct links *)((char *)row_at(w, chain.table, row) + chain.offset);
}

/* What stands on this side of a place in the list: the row's link, or the list's end. */
static uint32_t *next_of(const pgr_world *w, struct list *list, struct chain chain, uint32_t row)
{
    return row != 0 ? &links_at(w, chain, row)->next : &list->first;
}

static uint32_t *prev_of(const pgr_world *w, struct list *list, struct chain chain, uint32_t row)
{
    return row != 0 ? &links_at(w, chain, row)->prev : &list->last;
}

void list_insert(pgr_world *w, struct list *list, struct chain chain, uint32_t row, uint32_t behind)
{
    uint32_t before = *prev_of(w, list, chain, behind);

    *links_at(w, chain, row) = (struct links){.next = behind, .prev = before};
    *next_of(w, list, chain, before) = row;
    *prev_of(w, list, chain, behind) = row;
}

void list_append(pgr_world *w, struct list *list, struct chain chain, uint32_t row)
{
    list_insert(w, list, chain, row, 0);
}

void list_remove(pgr_world *w, struct list *list, struct chain chain, uint32_t row)
{
    struct links *links = links_at(w, chain, row);

    *next_of(w, list, chain, links->prev) = links->next;
    *prev_of(w, list, chain, links->next) = links->prev;
    *links = (struct links){0};
}
