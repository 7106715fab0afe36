/*
 * Lists that grow, and memory that never runs out: what the oracle is built of.
 */
#include "harness/oracle/oracle.h"

#include <stdlib.h>
#include <string.h>

void *oracle_zalloc(size_t bytes)
{
    void *memory = calloc(1, bytes > 0 ? bytes : 1);
    if (!memory)
        abort();
    return memory;
}

void oracle_list_insert(struct oracle_list *list, size_t place, void *item)
{
    if (list->count == list->room) {
        list->room = list->room ? 2 * list->room : 8;
        void **items = realloc(list->items, list->room * sizeof(*items));
        if (!items)
            abort();
        list->items = items;
    }
    memmove(list->items + place + 1, list->items + place, (list->count - place) * sizeof(*list->items));
    list->items[place] = item;
    list->count++;
}

void oracle_list_add(struct oracle_list *list, void *item)
{
    oracle_list_insert(list, list->count, item);
}

void oracle_list_remove(struct oracle_list *list, const void *item)
{
    for (size_t i = 0; i < list->count; i++) {
        if (list->items[i] != item)
            continue;
        list->count--;
        memmove(list->items + i, list->items + i + 1, (list->count - i) * sizeof(*list->items));
        return;
    }
}

bool oracle_list_has(const struct oracle_list *list, const void *item)
{
    for (size_t i = 0; i < list->count; i++) {
        if (list->items[i] == item)
            return true;
    }
    return false;
}

void oracle_list_free(struct oracle_list *list)
{
    free(list->items);
    memset(list, 0, sizeof(*list));
}
