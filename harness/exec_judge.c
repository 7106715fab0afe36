/*
 * The judge's worlds: making, copying, forgetting them, and where one becomes several.
 */
#include "harness/exec_judge.h"

#include <stdlib.h>
#include <string.h>

#include "harness/implementation_core.h"

#define COPIED_FRAMES_MAX (UINT64_C(64) << 20) /* bytes; a world that uses more goes on in the usual way alone */

/* ---- worlds ---- */

static void free_world(struct exec_world *w)
{
    if (w == NULL)
        return;
    play_end(&w->player);
    implementation_end(w->core);
    world_memory_unmap(&w->memory);
    free(w->koids);
    free(w->ranges);
    free(w);
}

static struct exec_world *allocate_world(const pgr_config *config)
{
    struct exec_world *w = calloc(1, sizeof(*w));

    if (w == NULL)
        return NULL;
    if (world_memory_map(&w->memory, config) == 0)
        return w;
    free_world(w);
    return NULL;
}

static struct exec_world *fresh_world(struct exec_judge *judge)
{
    struct exec_world *w = allocate_world(&judge->config);
    pgr_start start;

    if (w == NULL)
        return NULL;
    if (pgr_init(w->memory.block, w->memory.block_bytes, &judge->config, &w->world) == ZX_OK)
        w->core = implementation_core_over(w->world, w->memory.frames);
    if (w->core != NULL) {
        pgr_start_handles(w->world, &start);
        if (play_begin(&w->player, judge->trace, &judge->config, w->core, &start) == 0)
            return w;
    }
    free_world(w);
    return NULL;
}

/* ---- copies ---- */

static int copy_image(const struct exec_world *from, struct exec_world *to)
{
    uint64_t bytes = pgr_image_bytes(from->world);
    void *image = memory_allocate(bytes);
    int is_copied = image != NULL && pgr_save(from->world, image, bytes) == ZX_OK &&
                    pgr_load(to->memory.block, to->memory.block_bytes, image, bytes, &to->world) == ZX_OK;

    free(image);
    if (!is_copied)
        return -1;
    memcpy(to->memory.frames, from->memory.frames, (size_t)pgr_frames_used_bytes(from->world));
    return 0;
}

static int copy_array(const void *from, uint32_t count, size_t element, void *to_array, uint32_t *to_count,
                      uint32_t *to_room)
{
    void *copy = malloc(count * element + 1);

    if (copy == NULL)
        return -1;
    if (count > 0)
        memcpy(copy, from, count * element);
    memcpy(to_array, &copy, sizeof(copy));
    *to_count = *to_room = count;
    return 0;
}

static int copy_knowledge(const struct exec_world *from, struct exec_world *to)
{
    if (copy_array(from->koids, from->koid_count, sizeof(*from->koids), &to->koids, &to->koid_count, &to->koid_room))
        return -1;
    return copy_array(from->ranges, from->range_count, sizeof(*from->ranges), &to->ranges, &to->range_count,
                      &to->range_room);
}

/* Null: it cannot be copied, or is too large to be. */
static struct exec_world *copy_world(const struct exec_judge *judge, const struct exec_world *from)
{
    struct exec_world *to;

    if (pgr_frames_used_bytes(from->world) > COPIED_FRAMES_MAX)
        return NULL;
    to = allocate_world(&judge->config);
    if (to == NULL)
        return NULL;
    to->played = from->played;
    to->call = from->call;
    to->result = from->result;
    if (copy_image(from, to) == 0 && copy_knowledge(from, to) == 0) {
        to->core = implementation_core_over(to->world, to->memory.frames);
        if (to->core != NULL && play_copy(&from->player, to->core, &to->player, &to->call) == 0)
            return to;
    }
    free_world(to);
    return NULL;
}

static uint32_t count_worlds(const struct exec_world *list)
{
    uint32_t count = 0;

    for (; list != NULL; list = list->next)
        count++;
    return count;
}

static void append(struct exec_world **list, struct exec_world *w)
{
    while (*list != NULL)
        list = &(*list)->next;
    w->next = NULL;
    *list = w;
}

/* ---- worlds that cannot be told apart ---- */

static int same_ended(const struct played_call *a, const struct played_call *b)
{
    uint64_t bytes = a->call.buffer != NULL && a->result.outcome == PGR_DONE ? a->call.buffer_bytes : 0;

    if (a->thread->number != b->thread->number || memcmp(&a->result, &b->result, sizeof(a->result)) != 0)
        return 0;
    return bytes == 0 || memcmp(a->call.buffer, b->call.buffer, (size_t)bytes) == 0;
}

static int same_answers(const struct exec_world *a, const struct exec_world *b)
{
    if (a->player.ended_count != b->player.ended_count)
        return 0;
    for (uint32_t i = 0; i < a->player.ended_count; i++)
        if (!same_ended(&a->player.ended[i], &b->player.ended[i]))
            return 0;
    return memcmp(&a->result, &b->result, sizeof(a->result)) == 0;
}

/*
 * Handles, too, must have the same values: the hash has rows alone, and the names of the one would fail in the other.
 */
static int same_bindings(const struct exec_world *a, const struct exec_world *b)
{
    uint32_t count = a->player.symbols < b->player.symbols ? a->player.symbols : b->player.symbols;

    for (uint32_t i = 0; i < count; i++)
        if (a->player.run.bindings[i].value != b->player.run.bindings[i].value)
            return 0;
    return 1;
}

static int same_thread(const struct run_thread *a, const struct run_thread *b)
{
    if (a == NULL || b == NULL)
        return a == b;
    if (a->state != b->state || (a->buffer == NULL) != (b->buffer == NULL))
        return 0;
    if (a->buffer != NULL && memcmp(a->buffer, b->buffer, (size_t)a->call.buffer_bytes) != 0)
        return 0;
    return a->x86 == NULL || b->x86 == NULL ||
           memcmp(&a->x86->registers, &b->x86->registers, sizeof(a->x86->registers)) == 0;
}

/* What a waiting thread has read so far is in its buffer, and nowhere in the world. */
static int same_threads(const struct exec_world *a, const struct exec_world *b)
{
    for (uint32_t i = 0; i < a->player.run.config.thread_count; i++)
        if (!same_thread(a->player.run.numbers[i], b->player.run.numbers[i]))
            return 0;
    return 1;
}

static int same_world(const struct exec_world *a, const struct exec_world *b)
{
    return same_answers(a, b) && same_bindings(a, b) && same_threads(a, b) &&
           pgr_canonical_hash(a->world, a->memory.frames) == pgr_canonical_hash(b->world, b->memory.frames);
}

/* Adds the world, unless it is one that the list has. */
static void add_world(struct exec_world **list, struct exec_world *w)
{
    for (const struct exec_world *other = *list; other != NULL; other = other->next) {
        if (!same_world(other, w))
            continue;
        free_world(w);
        return;
    }
    append(list, w);
}

/* ---- what a failed supply has left of its aux range ---- */

static zx_status_t dispatch(struct exec_world *w, pgr_call *call, pgr_result *result)
{
    pgr_dispatch(w->world, w->memory.frames, call, result);
    return result->outcome == PGR_DONE ? result->status : ZX_ERR_BAD_STATE;
}

static zx_handle_t create(struct exec_world *w, pgr_call call, unsigned place)
{
    pgr_result result;

    return dispatch(w, &call, &result) == ZX_OK ? (zx_handle_t)result.out[place] : ZX_HANDLE_INVALID;
}

/*
 * Whether the failed supply had got so far that its pages may be gone: then the same range of aux can be supplied to a
 * pager VMO that nothing is wrong with. To be asked of a copy, which is of no use afterwards.
 */
static int would_have_taken(struct exec_world *w, const pgr_call *supply)
{
    uint32_t thread = supply->thread;
    pgr_call disarm = {.number = PGR_CALL_FAIL_ALLOC, .thread = thread};
    pgr_call call = {.number = PGR_CALL_PORT_CREATE, .thread = thread};
    zx_handle_t port, pager, vmo;
    pgr_result result;

    dispatch(w, &disarm, &result);
    port = create(w, call, 1);
    call.number = PGR_CALL_PAGER_CREATE;
    pager = create(w, call, 1);
    call =
        (pgr_call){.number = PGR_CALL_PAGER_CREATE_VMO, .thread = thread, .arg = {pager, 0, port, 0, supply->arg[3]}};
    vmo = create(w, call, 5);
    call = *supply;
    call.arg[0] = pager;
    call.arg[1] = vmo;
    call.arg[2] = 0;
    return supply->arg[3] > 0 && dispatch(w, &call, &result) == ZX_OK;
}

static int failed_late(const struct exec_judge *judge, const struct exec_world *w)
{
    struct exec_world *probe;
    int is_late;

    if (w->call.number != PGR_CALL_PAGER_SUPPLY_PAGES || w->result.outcome != PGR_DONE || w->result.status == ZX_OK)
        return 0;
    probe = copy_world(judge, w);
    if (probe == NULL)
        return 0;
    is_late = would_have_taken(probe, &w->call);
    free_world(probe);
    return is_late;
}

/* The same world without what the supply would have taken. */
static struct exec_world *decommitted(const struct exec_judge *judge, const struct exec_world *w)
{
    struct exec_world *copy = copy_world(judge, w);
    pgr_call call = {.number = PGR_CALL_VMO_OP_RANGE,
                     .thread = w->call.thread,
                     .arg = {w->call.arg[4], ZX_VMO_OP_DECOMMIT, w->call.arg[5], w->call.arg[3]}};
    pgr_result result;

    if (copy != NULL)
        dispatch(copy, &call, &result);
    return copy;
}

/* ---- calls ---- */

static void call_in(struct exec_judge *judge, struct exec_world *w, struct trace_line *line)
{
    struct exec_world *copy = NULL;

    w->played = play_call(&w->player, line, &w->call, &w->result);
    if (w->played == PLAYED && judge->supply_is_free && failed_late(judge, w))
        copy = decommitted(judge, w);
    append(&judge->worlds, w);
    if (copy != NULL)
        append(&judge->worlds, copy);
}

/* All worlds make a call, or none does: those that do not do as the usual one are gone. */
static void drop_others(struct exec_judge *judge, int has_played)
{
    struct exec_world **link = &judge->worlds;

    while (*link != NULL) {
        struct exec_world *w = *link;
        if ((w->played == PLAYED) == has_played) {
            link = &w->next;
            continue;
        }
        *link = w->next;
        free_world(w);
    }
}

int exec_judge_call(struct exec_judge *judge, struct trace_line *line, char *note)
{
    struct exec_world *list = judge->worlds;
    const struct exec_world *usual;

    judge->worlds = NULL;
    while (list != NULL) {
        struct exec_world *w = list;
        list = w->next;
        w->next = NULL;
        call_in(judge, w, line);
    }
    usual = judge->worlds;
    PGR_ASSERT(usual != NULL);
    if (usual->played == PLAYED_UNSUPPORTED)
        snprintf(note, 200, "there is no such call");
    else
        snprintf(note, 200, "%.199s", usual->player.run.note);
    drop_others(judge, usual->played == PLAYED);
    return usual->played == PLAYED ? 0 : -1;
}

/* ---- the order in which released threads run ---- */

/* What the judge works on within one line. */
struct judging {
    struct exec_judge *judge;
    const struct exec_order *order; /* in which calls have ended elsewhere; null: only the usual one is of interest */
    struct exec_world *usual;       /* goes on in queue order to its end, right or wrong */
    struct exec_world *open;        /* threads of these have to run yet */
    struct exec_world *settled;     /* none is released any longer */
};

static int has_room(const struct judging *j)
{
    return count_worlds(j->open) + count_worlds(j->settled) < JUDGE_WORLDS_MAX;
}

/* Whether the calls that have ended in the world so far are the first ones of the order. */
static int follows(const struct judging *j, const struct exec_world *w)
{
    uint32_t count = w->player.ended_count;

    if (j->order == NULL || count > j->order->count)
        return 0;
    for (uint32_t i = 0; i < count; i++)
        if (strcmp(w->player.ended[i].thread->symbol->name, j->order->threads[i]) != 0)
            return 0;
    return 1;
}

static uint32_t next_released(const struct exec_world *w, uint32_t thread)
{
    pgr_thread_view view;

    return pgr_inspect_thread(w->world, thread, &view) ? view.next_released : PGR_NO_THREAD;
}

/* For each thread but the first that could run now, a world in which it does, if that can lead to the order. */
static void fork_orders(struct judging *j, const struct exec_world *w)
{
    uint32_t thread = next_released(w, pgr_first_released(w->world));

    for (; thread != PGR_NO_THREAD && has_room(j); thread = next_released(w, thread)) {
        struct exec_world *copy = copy_world(j->judge, w);
        if (copy == NULL)
            return;
        if (play_resume(&copy->player, thread) == 0 && follows(j, copy))
            add_world(&j->open, copy);
        else
            free_world(copy);
    }
}

/* Lets all run that are released. 0, or -1: the world does not come to rest, or not in the order. */
static int settle(struct judging *j, struct exec_world *w)
{
    for (uint32_t resumes = 0; resumes < PLAYED_RESUMES_MAX; resumes++) {
        uint32_t first = pgr_first_released(w->world);
        if (first == PGR_NO_THREAD)
            return 0;
        if (follows(j, w))
            fork_orders(j, w);
        if (play_resume(&w->player, first) != 0)
            return -1;
        if (w != j->usual && !follows(j, w))
            return -1;
    }
    return -1;
}

int exec_judge_settle(struct exec_judge *judge, const struct exec_order *order)
{
    struct judging j = {.judge = judge, .order = order, .usual = judge->worlds, .open = judge->worlds};

    while (j.open != NULL) {
        struct exec_world *w = j.open;
        j.open = w->next;
        w->next = NULL;
        if (settle(&j, w) == 0)
            add_world(&j.settled, w);
        else
            free_world(w);
    }
    judge->worlds = j.settled;
    return judge->worlds != NULL ? 0 : -1;
}

/* ---- the judge ---- */

int exec_judge_is_told(const struct trace *trace, uint32_t option)
{
    for (const struct trace_line *line = trace_lines(trace); line != NULL; line = line->next)
        if (line->form == TRACE_OPTION && line->option == option)
            return 1;
    return 0;
}

int exec_judge_begin(struct exec_judge *judge, struct trace *trace, const pgr_config *config)
{
    *judge = (struct exec_judge){
        .trace = trace, .config = *config, .supply_is_free = !exec_judge_is_told(trace, TRACE_SUPPLY_FAILURE)};
    judge->worlds = fresh_world(judge);
    return judge->worlds != NULL ? 0 : -1;
}

void exec_judge_drop(struct exec_judge *judge, struct exec_world *world)
{
    struct exec_world **link = &judge->worlds;

    while (*link != world)
        link = &(*link)->next;
    *link = world->next;
    free_world(world);
}

void exec_judge_end(struct exec_judge *judge)
{
    while (judge->worlds != NULL)
        exec_judge_drop(judge, judge->worlds);
}

/* ---- what the numbers of the implementation mean ---- */

static void *make_room(void *array, uint32_t count, uint32_t *room, size_t element)
{
    void *larger = array;

    if (count < *room)
        return array;
    *room = *room * 2 + 16;
    larger = realloc(array, *room * element);
    if (larger == NULL)
        abort();
    return larger;
}

int exec_judge_same_koid(struct exec_world *w, uint64_t core, uint64_t other)
{
    if (core == 0 || other == 0)
        return core == other;
    for (uint32_t i = 0; i < w->koid_count; i++)
        if (w->koids[i].core == core || w->koids[i].other == other)
            return w->koids[i].core == core && w->koids[i].other == other;
    w->koids = make_room(w->koids, w->koid_count, &w->koid_room, sizeof(*w->koids));
    w->koids[w->koid_count++] = (struct exec_koids){core, other};
    return 1;
}

void exec_judge_add_range(struct exec_world *w, uint64_t core, uint64_t other, uint64_t bytes)
{
    w->ranges = make_room(w->ranges, w->range_count, &w->range_room, sizeof(*w->ranges));
    w->ranges[w->range_count++] = (struct exec_range){core, other, bytes};
}

uint64_t exec_judge_core_address(const struct exec_world *w, uint64_t other)
{
    for (uint32_t i = w->range_count; i-- > 0;) {
        const struct exec_range *range = &w->ranges[i];
        if (other >= range->other && other - range->other <= range->bytes)
            return range->core + (other - range->other);
    }
    return other;
}
