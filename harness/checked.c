/* The core under its checkers, as an implementation. See checked.h. */
#include "harness/checked.h"
#include "harness/implementation_core.h"
#include "harness/world_memory.h"

#include <stdlib.h>
#include <string.h>

struct checked {
    struct implementation interface;
    struct implementation *inside; /* the same world, for those who look inside; null before the first reset */
    struct checked_options options;
    struct check_context *check; /* null before the first reset */
    struct world_memory memory;  /* mapped */
    pgr_world *world;
    const struct check_invariant *violated;
    char message[1024];
    uint32_t progress;
    int is_at_end;
};

/* Fresh memory for each world: what an earlier one has left in its frames must not matter, and must not be seen. */
static int make_world(struct checked *c, const pgr_config *config)
{
    world_memory_unmap(&c->memory);
    if (world_memory_map(&c->memory, config) != 0)
        return -1;
    return pgr_init(c->memory.block, c->memory.block_bytes, config, &c->world) == ZX_OK ? 0 : -1;
}

static void end_inside(struct checked *c)
{
    if (c->inside != NULL)
        implementation_end(c->inside);
    c->inside = NULL;
}

static int checked_reset(void *self, const pgr_config *config, pgr_start *start)
{
    struct checked *c = self;

    c->violated = NULL;
    c->is_at_end = 0;
    c->world = NULL;
    end_inside(c);
    if (make_world(c, config) != 0)
        return -1;
    c->inside = implementation_core_over(c->world, c->memory.frames);
    if (c->inside == NULL)
        return -1;
    if (c->check == NULL)
        c->check = check_new(config);
    if (c->check == NULL)
        return -1;
    check_reset(c->check, c->world);
    check_set_rates(c->check, c->options.hash_every, 0);
    pgr_start_handles(c->world, start);
    return 0;
}

/* ---- calls ---- */

static int found(struct checked *c, int is_wrong)
{
    if (!is_wrong)
        return 0;
    c->violated = check_violated(c->check);
    snprintf(c->message, sizeof(c->message), "%s", check_message(c->check));
    c->progress = c->options.progress != NULL ? *c->options.progress : 0;
    return 1;
}

static void dispatch(struct checked *c, const pgr_call *call, pgr_result *result)
{
    *result = (pgr_result){.outcome = PGR_REFUSED, .status = ZX_ERR_INTERNAL};
    if (c->violated != NULL)
        return;
    if (c->options.without_checks) {
        c->options.dispatch(c->world, c->memory.frames, call, result);
        return;
    }
    check_before(c->check, c->world, c->memory.frames, call);
    c->options.dispatch(c->world, c->memory.frames, call, result);
    if (!found(c, check_after(c->check, c->world, c->memory.frames, call, result)) && c->options.walk_always)
        found(c, check_walk(c->check, c->world, c->memory.frames));
}

static void checked_call(void *self, const pgr_call *call, pgr_result *result)
{
    dispatch(self, call, result);
}

static void checked_resume(void *self, uint32_t thread, void *buffer, uint64_t buffer_bytes, pgr_result *result)
{
    const pgr_call call = {.number = PGR_CALL_RESUME, .thread = thread, .buffer = buffer, .buffer_bytes = buffer_bytes};

    dispatch(self, &call, result);
}

/* Behind a violation nothing goes on. */
static uint32_t checked_released(void *self)
{
    const struct checked *c = self;

    return c->violated == NULL ? pgr_first_released(c->world) : PGR_NO_THREAD;
}

/* ---- looking inside ---- */

static int checked_vmo(void *self, zx_handle_t vmo, struct implementation_vmo *view)
{
    struct checked *c = self;

    return c->inside->vmo(c->inside->self, vmo, view);
}

static int checked_page(void *self, zx_handle_t vmo, uint64_t page, struct implementation_page *view)
{
    struct checked *c = self;

    return c->inside->page(c->inside->self, vmo, page, view);
}

static uint64_t checked_next_change(void *self, zx_handle_t vmo, uint64_t page)
{
    struct checked *c = self;

    return c->inside->next_change(c->inside->self, vmo, page);
}

void checked_set(struct implementation *checked, const struct checked_options *options)
{
    struct checked *c = checked->self;

    c->options = *options;
    if (c->options.dispatch == NULL)
        c->options.dispatch = pgr_dispatch;
}

void checked_walk(struct implementation *checked)
{
    struct checked *c = checked->self;

    if (!c->options.without_checks && c->world != NULL && c->violated == NULL)
        found(c, check_walk(c->check, c->world, c->memory.frames));
}

void checked_finish(struct implementation *checked)
{
    struct checked *c = checked->self;

    checked_walk(checked);
    if (!c->options.without_checks && c->world != NULL && c->violated == NULL)
        c->is_at_end = found(c, check_end(c->check, c->world, c->memory.frames));
}

/* ---- what was found ---- */

const struct check_invariant *checked_violated(const struct implementation *checked)
{
    const struct checked *c = checked->self;

    return c->violated;
}

const char *checked_message(const struct implementation *checked)
{
    const struct checked *c = checked->self;

    return c->violated != NULL ? c->message : "";
}

int checked_is_at_end(const struct implementation *checked)
{
    const struct checked *c = checked->self;

    return c->violated != NULL && c->is_at_end;
}

uint32_t checked_progress(const struct implementation *checked)
{
    const struct checked *c = checked->self;

    return c->progress;
}

void checked_print(const struct implementation *checked, FILE *out)
{
    const struct checked *c = checked->self;

    if (c->violated != NULL)
        check_print(c->check, c->world, out);
}

/* ---- making and ending ---- */

static void checked_end(void *self)
{
    struct checked *c = self;

    end_inside(c);
    world_memory_unmap(&c->memory);
    if (c->check != NULL)
        check_free(c->check);
    free(c);
}

struct implementation *checked_new(const struct checked_options *options)
{
    struct checked *c = calloc(1, sizeof(*c));

    if (c == NULL)
        return NULL;
    c->interface = (struct implementation){.name = "core",
                                           .self = c,
                                           .reset = checked_reset,
                                           .call = checked_call,
                                           .resume = checked_resume,
                                           .released = checked_released,
                                           .vmo = checked_vmo,
                                           .page = checked_page,
                                           .next_change = checked_next_change,
                                           .end = checked_end};
    checked_set(&c->interface, options);
    return &c->interface;
}
