/* Handles, koids and addresses of two implementations. See diff_names.h. */
#include "harness/diff_names.h"

#include <stdlib.h>

#include "harness/no_coverage.h"

NO_COVERAGE_BEGIN

#define ROWS_AT_FIRST 256u

/* ---- maps ---- */

static struct diff_map_row *row_of(const struct diff_map *map, uint64_t from)
{
    uint32_t mask = map->row_count - 1;
    uint32_t at = (uint32_t)((from * UINT64_C(0x9e3779b97f4a7c15)) >> 32) & mask;

    while (map->rows[at].era == map->era && map->rows[at].from != from)
        at = (at + 1) & mask;
    return &map->rows[at];
}

static const struct diff_map_row *find(const struct diff_map *map, uint64_t from)
{
    const struct diff_map_row *row = map->row_count != 0 ? row_of(map, from) : NULL;

    return row != NULL && row->era == map->era ? row : NULL;
}

/* What it is bound to. 0: nothing. */
static int bound_to(const struct diff_map *map, uint64_t from, uint64_t *to)
{
    const struct diff_map_row *row = find(map, from);

    if (row == NULL || !row->is_bound)
        return 0;
    *to = row->to;
    return 1;
}

static void place(struct diff_map *map, const struct diff_map_row *row)
{
    struct diff_map_row *there = row_of(map, row->from);

    map->used += there->era != map->era;
    *there = *row;
    there->era = map->era;
}

/* Room for one row more, half of the table staying free. */
static int grow(struct diff_map *map)
{
    struct diff_map old = *map;

    if (map->row_count != 0 && (map->used + 1) * 2 <= map->row_count)
        return 0;
    map->row_count = old.row_count != 0 ? old.row_count * 2 : ROWS_AT_FIRST;
    map->rows = calloc(map->row_count, sizeof(*map->rows));
    map->era = 1;
    map->used = 0;
    if (map->rows == NULL) {
        *map = old;
        return -1;
    }
    for (uint32_t i = 0; i < old.row_count; i++)
        if (old.rows[i].era == old.era)
            place(map, &old.rows[i]);
    free(old.rows);
    return 0;
}

static int bind(struct diff_map *map, uint64_t from, uint64_t to)
{
    const struct diff_map_row row = {.from = from, .to = to, .is_bound = 1};

    if (grow(map) != 0)
        return -1;
    place(map, &row);
    return 0;
}

static void unbind(struct diff_map *map, uint64_t from)
{
    if (find(map, from) != NULL)
        row_of(map, from)->is_bound = 0;
}

static void clear(struct diff_map *map)
{
    map->era++;
    map->used = 0;
    if (map->era != 0)
        return;
    for (uint32_t i = 0; i < map->row_count; i++)
        map->rows[i].era = 0;
    map->era = 1;
}

/* ---- names ---- */

void diff_names_clear(struct diff_names *names)
{
    clear(&names->second_handles);
    clear(&names->first_handles);
    clear(&names->second_koids);
    clear(&names->first_koids);
    names->range_count = 0;
    names->addresses_differ = 0;
    names->handle_count = 0;
    names->is_short = 0;
}

void diff_names_free(struct diff_names *names)
{
    free(names->second_handles.rows);
    free(names->first_handles.rows);
    free(names->second_koids.rows);
    free(names->first_koids.rows);
    free(names->handles);
    *names = (struct diff_names){0};
}

/* Both ways; what either was bound to before is bound to nothing then. */
static void bind_both(struct diff_names *names, struct diff_map *seconds, struct diff_map *firsts, uint64_t first,
                      uint64_t second)
{
    uint64_t before;

    if (bound_to(seconds, first, &before))
        unbind(firsts, before);
    if (bound_to(firsts, second, &before))
        unbind(seconds, before);
    if (bind(seconds, first, second) != 0 || bind(firsts, second, first) != 0)
        names->is_short = 1;
}

static void list_handle(struct diff_names *names, zx_handle_t first)
{
    if (names->handle_count == names->handle_room) {
        uint32_t room = names->handle_room != 0 ? names->handle_room * 2 : 64;
        zx_handle_t *larger = realloc(names->handles, room * sizeof(*larger));
        if (larger == NULL) {
            names->is_short = 1;
            return;
        }
        names->handles = larger;
        names->handle_room = room;
    }
    names->handles[names->handle_count++] = first;
}

int diff_names_handle(struct diff_names *names, zx_handle_t first, zx_handle_t second, int never_again)
{
    if (first == ZX_HANDLE_INVALID || second == ZX_HANDLE_INVALID)
        return first == second;
    if (never_again && (find(&names->second_handles, first) != NULL || find(&names->first_handles, second) != NULL))
        return 0;
    bind_both(names, &names->second_handles, &names->first_handles, first, second);
    list_handle(names, first);
    return 1;
}

zx_handle_t diff_names_second(const struct diff_names *names, zx_handle_t first)
{
    zx_handle_t nobody = first;
    uint64_t second;

    if (first == ZX_HANDLE_INVALID)
        return first;
    if (bound_to(&names->second_handles, first, &second))
        return (zx_handle_t)second;
    while (find(&names->first_handles, nobody) != NULL || nobody == ZX_HANDLE_INVALID)
        nobody += 4;
    return nobody;
}

int diff_names_koid(struct diff_names *names, uint64_t first, uint64_t second)
{
    uint64_t other;

    if (first == 0 || second == 0)
        return first == second;
    if (bound_to(&names->second_koids, first, &other))
        return other == second;
    if (bound_to(&names->first_koids, second, &other))
        return 0;
    bind_both(names, &names->second_koids, &names->first_koids, first, second);
    return 1;
}

void diff_names_range(struct diff_names *names, uint64_t first, uint64_t second, uint64_t bytes)
{
    names->addresses_differ |= first != second;
    names->ranges[names->range_count++ % DIFF_RANGES] = (struct diff_range){first, second, bytes};
}

uint64_t diff_names_address(const struct diff_names *names, uint64_t first)
{
    uint32_t known = names->range_count < DIFF_RANGES ? names->range_count : DIFF_RANGES;

    for (uint32_t i = 1; names->addresses_differ && i <= known; i++) {
        const struct diff_range *range = &names->ranges[(names->range_count - i) % DIFF_RANGES];
        if (first >= range->first && first - range->first <= range->bytes)
            return first - range->first + range->second;
    }
    return first;
}

NO_COVERAGE_END
