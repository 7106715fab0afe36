/*
 * Collects, behind each line of a trace, pictures of the VMOs that the line changed.
 */
#include "harness/show.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* An object that the trace has named. */
struct named {
    uint64_t koid;
    char *name; /* as it is shown: unlike those of all others */
};

/* A VMO that has been seen. */
struct known {
    uint64_t koid;
    struct show_picture *last;
    int is_there; /* at this moment */
};

struct list {
    void *items;
    size_t count;
    size_t room;
};

struct show {
    struct list named;    /* struct named */
    struct list known;    /* struct known, oldest first */
    struct list pictures; /* struct show_picture *, all that are kept */
    struct list steps;    /* struct show_step */
    int failed;
};

/* Room for one more item. Without memory 0, which is remembered. */
static int list_reserve(struct show *show, struct list *list, size_t item_bytes)
{
    size_t room = list->room > 0 ? list->room * 2 : 8;
    void *larger;

    if (list->count < list->room)
        return 1;
    larger = realloc(list->items, room * item_bytes);
    if (larger == NULL) {
        show->failed = 1;
        return 0;
    }
    list->items = larger;
    list->room = room;
    return 1;
}

/* A new zeroed item at the end; null without memory. */
static void *list_add(struct show *show, struct list *list, size_t item_bytes)
{
    if (!list_reserve(show, list, item_bytes))
        return NULL;
    return memset((char *)list->items + list->count++ * item_bytes, 0, item_bytes);
}

/* ---- names ---- */

static const struct named *find_named(const struct show *show, uint64_t koid)
{
    const struct named *named = show->named.items;

    for (size_t i = show->named.count; i > 0; i--)
        if (named[i - 1].koid == koid)
            return &named[i - 1];
    return NULL;
}

static int name_is_taken(const struct show *show, const char *name)
{
    const struct named *named = show->named.items;

    for (size_t i = 0; i < show->named.count; i++)
        if (strcmp(named[i].name, name) == 0)
            return 1;
    return 0;
}

/* A name that is bound again gets a number behind it: the first object may live on. */
static void add_name(struct show *show, uint64_t koid, const char *name)
{
    char numbered[160];
    char *kept;

    if (find_named(show, koid) != NULL || !list_reserve(show, &show->named, sizeof(struct named)))
        return;
    snprintf(numbered, sizeof(numbered), "%.120s", name);
    for (unsigned i = 2; name_is_taken(show, numbered); i++)
        snprintf(numbered, sizeof(numbered), "%.120s~%u", name, i);
    kept = strdup(numbered);
    if (kept == NULL) {
        show->failed = 1;
        return;
    }
    *(struct named *)list_add(show, &show->named, sizeof(struct named)) = (struct named){koid, kept};
}

static const char *name_of(struct show *show, uint64_t koid)
{
    const struct named *named = find_named(show, koid);
    char text[40];

    if (named != NULL)
        return named->name;
    snprintf(text, sizeof(text), "koid%" PRIu64, koid);
    add_name(show, koid, text);
    named = find_named(show, koid);
    return named != NULL ? named->name : "?";
}

static void name_handle(struct show *show, const pgr_world *world, zx_handle_t handle, const char *name)
{
    pgr_handle_view handle_view;
    pgr_object_view object_view;
    uint32_t row = pgr_inspect_handle_row(world, handle);

    if (pgr_inspect_handle(world, row, &handle_view) && pgr_inspect_object(world, handle_view.object, &object_view))
        add_name(show, object_view.koid, name);
}

static void name_start_handles(struct show *show, const pgr_world *world)
{
    pgr_start start;

    pgr_start_handles(world, &start);
    name_handle(show, world, start.vmar, "vmar");
    name_handle(show, world, start.bti, "bti");
    name_handle(show, world, start.resource, "resource");
    name_handle(show, world, start.event, "event");
}

/* An object has the name that its first handle was bound to. */
static void name_outputs(struct show *show, const struct run_moment *moment)
{
    const struct trace_line *line = moment->line;
    int is_call = line->form == TRACE_CALL || line->form == TRACE_UNFINISHED;
    const struct trace_value *value = is_call ? line->args : NULL;
    const pgr_call_info *row = is_call ? trace_call_row(line->call) : NULL;

    for (unsigned place = 0; value != NULL; value = value->next, place++) {
        if (row->args[place].kind != PGR_ARG_HANDLE_OUT || value->form != TRACE_BINDING)
            continue;
        const struct trace_binding *binding = &moment->bindings[value->symbol->id];
        if (binding->is_bound)
            name_handle(show, moment->world, (zx_handle_t)binding->value, value->symbol->name);
    }
}

/* ---- pictures ---- */

static void free_picture(struct show_picture *picture)
{
    if (picture == NULL)
        return;
    free(picture->pieces);
    free(picture->requests);
    free(picture->waiters);
    free(picture);
}

struct drawing {
    struct show *show;
    struct list pieces;
};

static void take_piece(void *context, const struct show_piece *piece)
{
    struct drawing *drawing = context;
    struct show_piece *kept = list_add(drawing->show, &drawing->pieces, sizeof(*kept));

    if (kept != NULL)
        *kept = *piece;
}

static uint32_t source_of(const pgr_world *world, uint32_t pages)
{
    pgr_object_view view;

    return pgr_inspect_object(world, pages, &view) ? view.pages.source : 0;
}

/* Requests stand beside the VMO that the pager made; if that is gone, beside the others over its pages. */
static int has_requests(const pgr_world *world, const pgr_object_view *vmo)
{
    pgr_object_view other;
    pgr_inspect_counts counts;

    if (vmo->flags & PGR_VMO_FROM_PAGER)
        return 1;
    pgr_inspect_world(world, &counts);
    for (uint32_t row = 1, seen = 0; seen < counts.objects_used && row < counts.config.object_count; row++) {
        if (!pgr_inspect_object(world, row, &other))
            continue;
        seen++;
        if (other.kind == PGR_OBJECT_VMO && other.vmo.pages == vmo->vmo.pages && (other.flags & PGR_VMO_FROM_PAGER))
            return 0;
    }
    return 1;
}

static const char *thread_name(const struct run_moment *moment, uint32_t number)
{
    const struct trace_symbol *symbol = run_thread_name(moment, number);

    return symbol != NULL ? symbol->name : NULL;
}

static void add_waiter(struct show *show, const char *name, struct list *waiters)
{
    const char **waiter = name != NULL ? list_add(show, waiters, sizeof(*waiter)) : NULL;

    if (waiter != NULL)
        *waiter = name;
}

/* The thread that asked first, and then those that joined it. */
static void draw_waiters(struct show *show, const struct run_moment *moment, uint32_t request_row, uint32_t owner,
                         struct show_request *request, struct list *waiters)
{
    pgr_inspect_counts counts;
    pgr_thread_view thread;

    pgr_inspect_world(moment->world, &counts);
    request->first_waiter = (uint32_t)waiters->count;
    add_waiter(show, thread_name(moment, owner), waiters);
    for (uint32_t number = 0; number < counts.config.thread_count; number++) {
        if (number == owner || !pgr_inspect_thread(moment->world, number, &thread))
            continue;
        if (thread.state == PGR_THREAD_BLOCKED && thread.wait == PGR_WAIT_REQUEST && thread.request == request_row)
            add_waiter(show, thread_name(moment, number), waiters);
    }
    request->waiter_count = (uint32_t)(waiters->count - request->first_waiter);
}

static int compare_requests(const void *a, const void *b)
{
    const struct show_request *x = a, *y = b;

    if (x->command != y->command)
        return x->command < y->command ? -1 : 1;
    return x->page < y->page ? -1 : x->page > y->page;
}

static void draw_requests(struct show *show, const struct run_moment *moment, uint32_t source,
                          struct show_picture *picture)
{
    struct list requests = {0}, waiters = {0};
    pgr_inspect_counts counts;
    pgr_request_view view;

    pgr_inspect_world(moment->world, &counts);
    for (uint32_t row = 1, seen = 0; seen < counts.requests_used && row <= counts.config.thread_count; row++) {
        struct show_request *request;
        if (!pgr_inspect_request(moment->world, row, &view))
            continue;
        seen++;
        if (view.source != source || (request = list_add(show, &requests, sizeof(*request))) == NULL)
            continue;
        *request =
            (struct show_request){.page = view.page, .count = view.count, .command = view.command, .place = view.place};
        draw_waiters(show, moment, row, view.owner, request, &waiters);
    }
    if (requests.count > 1)
        qsort(requests.items, requests.count, sizeof(struct show_request), compare_requests);
    picture->requests = requests.items;
    picture->request_count = requests.count;
    picture->waiters = waiters.items;
    picture->waiter_count = waiters.count;
}

static struct show_picture *draw_vmo(struct show *show, const struct run_moment *moment, const pgr_object_view *vmo)
{
    struct show_picture *picture = calloc(1, sizeof(*picture));
    struct show_window window = {vmo->vmo.pages, vmo->vmo.offset_pages, vmo->vmo.size_pages};
    struct drawing drawing = {.show = show};
    uint32_t source = source_of(moment->world, vmo->vmo.pages);

    if (picture == NULL) {
        show->failed = 1;
        return NULL;
    }
    picture->koid = vmo->koid;
    picture->name = name_of(show, vmo->koid);
    picture->size_pages = vmo->vmo.size_pages;
    show_map(moment->world, &window, take_piece, &drawing);
    picture->pieces = drawing.pieces.items;
    picture->piece_count = drawing.pieces.count;
    if (source != 0 && has_requests(moment->world, vmo))
        draw_requests(show, moment, source, picture);
    return picture;
}

static int same_items(const void *a, size_t a_count, const void *b, size_t b_count, size_t item_bytes)
{
    return a_count == b_count && (a_count == 0 || memcmp(a, b, a_count * item_bytes) == 0);
}

static int looks_same(const struct show_picture *a, const struct show_picture *b)
{
    return a->is_gone == b->is_gone && a->size_pages == b->size_pages &&
           same_items(a->pieces, a->piece_count, b->pieces, b->piece_count, sizeof(*a->pieces)) &&
           same_items(a->requests, a->request_count, b->requests, b->request_count, sizeof(*a->requests)) &&
           same_items(a->waiters, a->waiter_count, b->waiters, b->waiter_count, sizeof(*a->waiters));
}

/* ---- steps ---- */

/* Names of threads stay where they are, so that the pointers to them can be compared. */
static void keep_picture(struct show *show, struct known *known, struct show_picture *picture, struct list *changed)
{
    if (!list_reserve(show, &show->pictures, sizeof(picture)) || !list_reserve(show, changed, sizeof(picture))) {
        free_picture(picture);
        return;
    }
    *(struct show_picture **)list_add(show, &show->pictures, sizeof(picture)) = picture;
    *(struct show_picture **)list_add(show, changed, sizeof(picture)) = picture;
    known->last = picture;
}

static struct known *find_known(struct show *show, uint64_t koid)
{
    struct known *known = show->known.items;

    for (size_t i = show->known.count; i > 0; i--)
        if (known[i - 1].koid == koid)
            return &known[i - 1];
    known = list_add(show, &show->known, sizeof(*known));
    if (known != NULL)
        known->koid = koid;
    return known;
}

static void look_at_vmo(struct show *show, const struct run_moment *moment, const pgr_object_view *vmo,
                        struct list *changed)
{
    struct known *known = find_known(show, vmo->koid);
    struct show_picture *picture = known != NULL ? draw_vmo(show, moment, vmo) : NULL;

    if (picture == NULL)
        return;
    known->is_there = 1;
    if (known->last != NULL && looks_same(known->last, picture))
        free_picture(picture);
    else
        keep_picture(show, known, picture, changed);
}

static void look_at_vmos(struct show *show, const struct run_moment *moment, struct list *changed)
{
    pgr_inspect_counts counts;
    pgr_object_view view;

    pgr_inspect_world(moment->world, &counts);
    for (uint32_t row = 1, seen = 0; seen < counts.objects_used && row < counts.config.object_count; row++) {
        if (!pgr_inspect_object(moment->world, row, &view))
            continue;
        seen++;
        if (view.kind == PGR_OBJECT_VMO)
            look_at_vmo(show, moment, &view, changed);
    }
}

static void look_for_gone(struct show *show, struct list *changed)
{
    struct known *known = show->known.items;

    for (size_t i = 0; i < show->known.count; i++) {
        int is_gone = !known[i].is_there && known[i].last != NULL && !known[i].last->is_gone;
        struct show_picture *picture = is_gone ? calloc(1, sizeof(*picture)) : NULL;
        known[i].is_there = 0;
        if (picture == NULL)
            continue;
        picture->koid = known[i].koid;
        picture->name = known[i].last->name;
        picture->is_gone = 1;
        keep_picture(show, &known[i], picture, changed);
    }
}

static int compare_pictures(const void *a, const void *b)
{
    uint64_t x = (*(const struct show_picture *const *)a)->koid;
    uint64_t y = (*(const struct show_picture *const *)b)->koid;

    return x < y ? -1 : x > y;
}

/* ---- waits ---- */

/* A request of a VMO that is not there any more, but that children hold on to, has no map to stand beside. */
static int stands_beside_a_map(const struct show *show, const char *thread)
{
    const struct known *known = show->known.items;

    for (size_t i = 0; i < show->known.count; i++)
        for (size_t k = 0; known[i].last != NULL && k < known[i].last->waiter_count; k++)
            if (known[i].last->waiters[k] == thread)
                return 1;
    return 0;
}

static void describe_wait(struct show *show, const pgr_world *world, const pgr_thread_view *thread,
                          struct show_wait *wait)
{
    const char *call = pgr_call_row(thread->call)->name;
    pgr_object_view object;
    pgr_request_view request;

    if (thread->wait == PGR_WAIT_REQUEST && pgr_inspect_request(world, thread->request, &request)) {
        char text[SHOW_REQUEST_TEXT_MAX];
        show_request_text(&(struct show_request){request.page, request.count, request.command, request.place, 0, 0},
                          text);
        snprintf(wait->what, sizeof(wait->what), "%s: %s, of a VMO that is closed", call, text);
    } else if (pgr_inspect_object(world, thread->object, &object)) {
        const char *what = thread->wait == PGR_WAIT_PORT ? "a packet" : "signals";
        snprintf(wait->what, sizeof(wait->what), "%s: %s of %.60s", call, what, name_of(show, object.koid));
    } else {
        snprintf(wait->what, sizeof(wait->what), "%s", call);
    }
}

static void look_at_waits(struct show *show, const struct run_moment *moment, struct list *waits)
{
    pgr_inspect_counts counts;
    pgr_thread_view thread;

    pgr_inspect_world(moment->world, &counts);
    for (uint32_t number = 0; number < counts.config.thread_count; number++) {
        const char *name = thread_name(moment, number);
        struct show_wait *wait;
        if (name == NULL || !pgr_inspect_thread(moment->world, number, &thread))
            continue;
        if (thread.state != PGR_THREAD_BLOCKED)
            continue;
        if (thread.wait == PGR_WAIT_REQUEST && stands_beside_a_map(show, name))
            continue;
        wait = list_add(show, waits, sizeof(*wait));
        if (wait == NULL)
            return;
        wait->thread = name;
        describe_wait(show, moment->world, &thread, wait);
    }
}

static const struct show_step *last_step(const struct show *show)
{
    return show->steps.count > 0 ? show_step(show, show->steps.count - 1) : NULL;
}

static int waits_differ(const struct show_step *before, const struct list *waits)
{
    if (before == NULL)
        return waits->count != 0;
    return !same_items(before->waits, before->wait_count, waits->items, waits->count, sizeof(struct show_wait));
}

void show_behind_line(void *context, const struct run_moment *moment)
{
    struct show *show = context;
    struct list changed = {0}, waits = {0};
    struct show_step *step;
    int differ;

    if (show->steps.count == 0)
        name_start_handles(show, moment->world);
    name_outputs(show, moment);
    look_at_vmos(show, moment, &changed);
    look_for_gone(show, &changed);
    if (changed.count > 1)
        qsort(changed.items, changed.count, sizeof(void *), compare_pictures);
    look_at_waits(show, moment, &waits);
    differ = waits_differ(last_step(show), &waits);
    step = list_add(show, &show->steps, sizeof(*step));
    if (step == NULL) {
        free(changed.items);
        free(waits.items);
        return;
    }
    *step = (struct show_step){moment->line, changed.items, changed.count, differ, waits.items, waits.count};
}

/* ---- the whole ---- */

struct show *show_new(void)
{
    return calloc(1, sizeof(struct show));
}

void show_free(struct show *show)
{
    struct named *named = show->named.items;
    struct show_picture **pictures = show->pictures.items;
    struct show_step *steps = show->steps.items;

    for (size_t i = 0; i < show->named.count; i++)
        free(named[i].name);
    for (size_t i = 0; i < show->pictures.count; i++)
        free_picture(pictures[i]);
    for (size_t i = 0; i < show->steps.count; i++) {
        free(steps[i].changed);
        free(steps[i].waits);
    }
    free(named);
    free(pictures);
    free(steps);
    free(show->known.items);
    free(show);
}

int show_failed(const struct show *show)
{
    return show->failed;
}

size_t show_step_count(const struct show *show)
{
    return show->steps.count;
}

const struct show_step *show_step(const struct show *show, size_t i)
{
    return (const struct show_step *)show->steps.items + i;
}
