/*
 * Lists of rows, linked both ways. A row can stand in several lists at a time: it has links of its own for each kind of
 * list, and a *chain* says which.
 */
#ifndef CORE_LIST_H
#define CORE_LIST_H

#include "world.h"

/* The links of a chain in a row, both as rows; 0: there is no next, no previous one. */
#define CHAIN(table, type, links) ((struct chain){table, (uint32_t)offsetof(type, links)})

struct chain {
    enum table_id table;
    uint32_t offset; /* bytes from the start of the row to its struct links */
};

/* The row, which is in no list of the chain, takes its place before `behind`; 0: at the end. */
void list_insert(pgr_world *w, struct list *list, struct chain chain, uint32_t row, uint32_t behind);
void list_append(pgr_world *w, struct list *list, struct chain chain, uint32_t row);
/* The row, which is in this list, leaves it. */
void list_remove(pgr_world *w, struct list *list, struct chain chain, uint32_t row);

#endif
