/*
 * Objects: rows with handles and references. An object lives as long as it has one of either. What dies in a
 * dispatch is listed, and buried (life.c) when the call has had its whole effect, so that one death can cause the
 * next without recursion.
 */
#include "objects.h"

#include "list.h"

#define CHAIN_DEAD CHAIN(TABLE_OBJECTS, struct object, dead)

/* Pages and sources are inside of VMOs: nobody can name them. */
static int kind_has_koid(enum pgr_object_kind kind)
{
    return kind != PGR_OBJECT_PAGES && kind != PGR_OBJECT_SOURCE;
}

uint32_t object_make(pgr_world *w, enum pgr_object_kind kind)
{
    uint32_t row = row_take(w, TABLE_OBJECTS);
    struct object *object = object_at(w, row);

    object->kind = (uint8_t)kind;
    if (kind_has_koid(kind))
        object->koid = w->next_koid++;
    return row;
}

void object_free(pgr_world *w, uint32_t row)
{
    row_give(w, TABLE_OBJECTS, row);
}

void object_reference(pgr_world *w, uint32_t row)
{
    object_at(w, row)->reference_count++;
}

void object_check_alive(pgr_world *w, uint32_t row)
{
    struct object *object = object_at(w, row);

    if (object->handle_count > 0 || object->reference_count > 0)
        return;
    PGR_ASSERT(!object->dying);
    object->dying = 1;
    list_append(w, &w->dead, CHAIN_DEAD, row);
}

void object_release(pgr_world *w, uint32_t row)
{
    object_at(w, row)->reference_count--;
    object_check_alive(w, row);
}

uint32_t object_next_dead(pgr_world *w)
{
    uint32_t row = w->dead.first;

    if (row != 0)
        list_remove(w, &w->dead, CHAIN_DEAD, row);
    return row;
}
