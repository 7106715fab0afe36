/*
 * The invariant checkers' entry points: the list of invariants, the context, and who is called when. One function
 * checks one invariant; they are in check_frames.c, check_relatives.c and check_children.c (O), check_supply.c (D),
 * check_effects.c (E, W), check_requests.c (R), check_regions.c (M) and check_objects.c (H, C).
 */
#include "harness/check_internal.h"
#include "harness/no_coverage.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

NO_COVERAGE_BEGIN

/* --- the list --- */

static const struct check_invariant invariants[CHECK_NUMBER_COUNT] = {
    [CHECK_O1] = {"O1", "Every frame is free, or held by exactly as many runs as its record says."},
    [CHECK_O2] = {"O2", "Free frames and frames in use are all frames; none is ever lost."},
    [CHECK_O3] =
        {"O3", "The runs of a map are sorted, disjoint, inside the VMO, possible there, and joined where they can be."},
    [CHECK_O4] = {"O4", "A frame is shared only between a VMO and its copy-on-write relatives."},
    [CHECK_O5] =
        {"O5", "A contiguous VMO has all its pages on consecutive frames; a pinned page keeps its frame, and is pinned "
               "by as many tokens as it counts."},
    [CHECK_O6] =
        {"O6",
         "A call about one VMO changes no byte of its copy-on-write relatives; a write, commit or pin changes none "
         "of the VMO outside of what is written."},
    [CHECK_O7] = {"O7",
                  "A slice or a reference is its parent's own pages; every other child begins with what its parent "
                  "shows."},
    [CHECK_O8] =
        {"O8",
         "Pages see through to live pages, inside of them, for ever to the same and to no more; at the end of the "
         "chain are those of a pager."},
    [CHECK_O9] = {"O9", "Pages are shown by a VMO or seen by other pages: no frame is left in a closed hierarchy."},
    [CHECK_D1] = {"D1", "After a successful supply no page of the aux range has a frame: it reads as zeros."},
    [CHECK_D2] =
        {"D2",
         "After a successful supply no page of the pager's range is absent; what was there is unchanged, and every "
         "other page holds exactly what the aux page had."},
    [CHECK_D3] = {"D3", "After a successful supply the frames of the aux pages that were not needed are free."},
    [CHECK_D4] =
        {"D4",
         "After a failed supply the aux range is as before or fully decommitted, and each page of the pager's range "
         "holds what it held or what aux held."},
    [CHECK_E1] = {"E1",
                  "A call that fails in the step in which it was made has changed nothing, but for listed exceptions."},
    [CHECK_R1] =
        {"R1",
         "A page request is live exactly while somebody waits for it, has 0 < pending <= its length, overlaps none "
         "of its kind, and is not left on a detached VMO."},
    [CHECK_R2] =
        {"R2",
         "A blocked thread waits for exactly one live thing; an idle one for nothing; a released one is queued once."},
    [CHECK_R3] =
        {"R3",
         "Every live request is in exactly one place, and a VMO has at most one packet, which says what it carries, in "
         "its port."},
    [CHECK_R4] = {"R4", "A request has at least as many pages left that are absent (DIRTY: that are not dirty) as are "
                        "pending, so that "
                        "it can be completed."},
    [CHECK_R5] = {"R5", "No thread waits at a port that holds a packet."},
    [CHECK_R6] =
        {"R6",
         "An access that blocks waits for a page that it needs, of the pager behind what it accesses, and which is not "
         "there, or not dirty, yet."},
    [CHECK_W1] =
        {"W1",
         "Dirty state moves only along its edges; no dirty or awaiting-clean byte is lost to supply, eviction, detach "
         "or writeback."},
    [CHECK_H1] =
        {"H1",
         "An object lives exactly as long as something refers to it; a duplicate or replacement has no right that its "
         "source lacked."},
    [CHECK_H2] =
        {"H2",
         "When every handle is closed, every thread killed and the process gone, nothing is in use and the world is "
         "worth a fresh one."},
    [CHECK_M1] =
        {"M1",
         "What a VMAR holds lies inside of it, apart; every mapping and every live VMAR stands in exactly one place."},
    [CHECK_M2] = {"M2", "A mapping allows no more than it may, and may no more than its VMAR."},
    [CHECK_M3] = {"M3", "What was mapped, unmapped or protected is so afterwards, and what is beside it as before."},
    [CHECK_C1] = {"C1", "What zx_object_get_info and the counts report is what a walk counts."},
    [CHECK_C2] = {"C2", "ZX_VMO_ZERO_CHILDREN is asserted on a VMO exactly while it has a handle and no child."},
};

const struct check_invariant *check_list(uint32_t *count)
{
    *count = CHECK_NUMBER_COUNT;
    return invariants;
}

/* --- the context --- */

static void free_arrays(struct check_context *c)
{
    void *arrays[] = {c->threads,        c->walk.objects,  c->walk.rows,    c->walk.pmts,    c->walk.handles,
                      c->walk.referrers, c->walk.children, c->walk.vmos,    c->walk.rings,   c->walk.seers,
                      c->walk.mappings,  c->walk.places,   c->walk.packets, c->walk.holders, c->walk.owners};
    for (size_t i = 0; i < sizeof arrays / sizeof arrays[0]; i++)
        free(arrays[i]);
    c->threads = NULL;
    memset(&c->walk, 0, sizeof c->walk);
}

/* Makes the arrays large enough for this configuration; returns whether there was memory. */
static int make_arrays(struct check_context *c, const pgr_config *config)
{
    struct walk *walk = &c->walk;
    size_t objects = config->object_count, frames = config->frame_count;

    free_arrays(c);
    c->capacity = *config;
    c->threads = calloc(config->thread_count, sizeof *c->threads);
    walk->objects = calloc(objects, sizeof *walk->objects);
    walk->rows = calloc(objects, sizeof *walk->rows);
    walk->pmts = calloc(objects, sizeof *walk->pmts);
    walk->handles = calloc(objects, sizeof *walk->handles);
    walk->referrers = calloc(objects, sizeof *walk->referrers);
    walk->children = calloc(objects, sizeof *walk->children);
    walk->vmos = calloc(objects, sizeof *walk->vmos);
    walk->rings = calloc(objects, sizeof *walk->rings);
    walk->seers = calloc(objects, sizeof *walk->seers);
    walk->mappings = calloc(objects, sizeof *walk->mappings);
    walk->places = calloc(objects, sizeof *walk->places);
    walk->packets = calloc(config->packet_count, sizeof *walk->packets);
    walk->holders = calloc(frames, sizeof *walk->holders);
    walk->owners = calloc(frames, sizeof *walk->owners);
    return c->threads && walk->objects && walk->rows && walk->pmts && walk->handles && walk->referrers &&
           walk->children && walk->vmos && walk->rings && walk->seers && walk->mappings && walk->places &&
           walk->packets && walk->holders && walk->owners;
}

struct check_context *check_new(const pgr_config *largest)
{
    struct check_context *c = calloc(1, sizeof *c);
    if (!c)
        return NULL;
    c->bytes = malloc(SNAPSHOT_BYTES_MAX);
    check_set_rates(c, 32, 0);
    check_close_states(c);
    if (!c->bytes || !make_arrays(c, largest)) {
        check_free(c);
        return NULL;
    }
    return c;
}

void check_free(struct check_context *c)
{
    if (!c)
        return;
    free_arrays(c);
    free(c->bytes);
    free(c->spare_block);
    free(c);
}

static int fits(const pgr_config *config, const pgr_config *capacity)
{
    return config->object_count <= capacity->object_count && config->frame_count <= capacity->frame_count &&
           config->thread_count <= capacity->thread_count && config->packet_count <= capacity->packet_count;
}

static uint32_t larger(uint32_t a, uint32_t b)
{
    return a > b ? a : b;
}

void check_reset(struct check_context *c, const pgr_world *world)
{
    pgr_inspect_counts counts;

    pgr_inspect_world(world, &counts);
    c->config = counts.config;
    c->violated = 0;
    c->call_count = 0;
    c->last_call = PGR_CALL_NONE;
    c->before.taken = 0;
    if (!fits(&c->config, &c->capacity)) {
        pgr_config needed = c->capacity;
        needed.object_count = larger(needed.object_count, c->config.object_count);
        needed.frame_count = larger(needed.frame_count, c->config.frame_count);
        needed.thread_count = larger(needed.thread_count, c->config.thread_count);
        needed.packet_count = larger(needed.packet_count, c->config.packet_count);
        if (!make_arrays(c, &needed))
            abort();
    }
    memset(c->threads, 0, sizeof *c->threads * c->config.thread_count);
    c->root_vmar = check_find_root_vmar(c, world);
}

void check_set_rates(struct check_context *c, uint32_t hash_every, uint32_t phase)
{
    c->hash_every = hash_every;
    c->hash_phase = hash_every ? phase % hash_every : 0;
}

/* --- messages --- */

int check_violate(struct check_context *c, enum check_number number, const char *format, ...)
{
    char facts[400];
    va_list values;

    va_start(values, format);
    vsnprintf(facts, sizeof facts, format, values);
    va_end(values);
    const pgr_call_info *call = pgr_call_row(c->last_call);
    if (call && c->last_call != PGR_CALL_NONE)
        snprintf(c->message, sizeof c->message, "%s: %s; after call %llu, %s", invariants[number].number, facts,
                 (unsigned long long)c->call_count, call->name);
    else
        snprintf(c->message, sizeof c->message, "%s: %s", invariants[number].number, facts);
    c->violated = 1 + (int)number;
    return 1;
}

const char *check_message(const struct check_context *c)
{
    return c->violated ? c->message : "no violation";
}

const struct check_invariant *check_violated(const struct check_context *c)
{
    return c->violated ? &invariants[c->violated - 1] : NULL;
}

/* --- who is called when --- */

/* Is this one of the calls around which hashes are compared? The same input always chooses the same calls. */
static int is_sampled(const struct check_context *c, const pgr_call *call)
{
    uint64_t mix = (c->call_count * 31 + call->number) * 31 + call->arg[0] + call->arg[1] + call->arg[2];

    return c->hash_every && (uint32_t)(mix ^ mix >> 32) % c->hash_every == c->hash_phase;
}

void check_before(struct check_context *c, const pgr_world *world, const void *frames, const pgr_call *call)
{
    c->call_count++;
    c->last_call = call->number;
    c->before.hashed = is_sampled(c, call);
    check_remember(c, world, frames, call);
    if (c->before.hashed)
        c->before.hash = pgr_canonical_hash(world, frames);
}

int check_after(struct check_context *c, const pgr_world *world, const void *frames, const pgr_call *call,
                const pgr_result *result)
{
    int found;

    c->violated = 0;
    if (!c->before.taken)
        return 0;
    c->before.taken = 0;
    check_snapshot_again(c, world);
    check_remember_thread(c, call, result);
    if ((found = check_o3_touched(c, world)) || (found = check_supply(c, world, frames, result)) ||
        (found = check_w1(c, world, frames)) || (found = check_o5_touched(c, world)) ||
        (found = check_o6(c, world, frames, call)) || (found = check_o7(c, world, call, result)) ||
        (found = check_o8_touched(c, world)) || (found = check_e1(c, world, frames, call, result)) ||
        (found = check_r2_touched(c, world, call, result)) || (found = check_r6(c, world, call, result)) ||
        (found = check_h1_touched(c, world, call, result)) || (found = check_m3(c, world, call, result)))
        return found;
    return check_c1_touched(c, world, call, result);
}

int check_walk(struct check_context *c, const pgr_world *world, const void *frames)
{
    int found;

    (void)frames;
    c->violated = 0;
    check_gather(c, world);
    if ((found = check_h1(c, world)) || (found = check_o3(c, world)) || (found = check_o4(c, world)) ||
        (found = check_o1(c, world)) || (found = check_o2(c, world)) || (found = check_o5(c, world)) ||
        (found = check_o8(c, world)) || (found = check_o9(c, world)) || (found = check_m1(c, world)) ||
        (found = check_m2(c, world)) || (found = check_r1(c, world)) || (found = check_r2(c, world)) ||
        (found = check_r3(c, world)) || (found = check_r4(c, world)) || (found = check_r5(c, world)) ||
        (found = check_c1(c, world)))
        return found;
    return check_c2(c, world);
}

/* --- the end --- */

/* One call of the end, judged like every other. */
static int end_call(struct check_context *c, pgr_world *world, void *frames, uint32_t number, uint32_t thread,
                    uint64_t arg)
{
    pgr_call call = {.number = number, .thread = thread, .arg = {arg}};
    pgr_result result;

    check_before(c, world, frames, &call);
    pgr_dispatch(world, frames, &call, &result);
    return check_after(c, world, frames, &call, &result);
}

/* A thread that can make calls, or 0. */
static uint32_t idle_thread(const struct check_context *c, const pgr_world *world)
{
    for (uint32_t thread = 0; thread < c->config.thread_count; thread++) {
        pgr_thread_view t;
        if (pgr_inspect_thread(world, thread, &t) && t.state == PGR_THREAD_IDLE)
            return thread;
    }
    return 0;
}

static int kill_threads(struct check_context *c, pgr_world *world, void *frames)
{
    int found = 0;

    for (uint32_t thread = 0; thread < c->config.thread_count && !found; thread++) {
        pgr_thread_view t;
        if (pgr_inspect_thread(world, thread, &t) && t.state != PGR_THREAD_IDLE)
            found = end_call(c, world, frames, PGR_CALL_THREAD_KILL, idle_thread(c, world), thread);
    }
    return found;
}

static int close_handles(struct check_context *c, pgr_world *world, void *frames)
{
    int found = 0;

    for (uint32_t row = 1; row < c->config.handle_count && !found; row++) {
        pgr_handle_view handle;
        if (pgr_inspect_handle(world, row, &handle))
            found = end_call(c, world, frames, PGR_CALL_HANDLE_CLOSE, idle_thread(c, world), handle.value);
    }
    return found;
}

int check_end(struct check_context *c, pgr_world *world, void *frames)
{
    pgr_inspect_counts counts;
    int found;

    pgr_inspect_world(world, &counts);
    int close_first = counts.handles_used & 1;
    if (close_first && (found = close_handles(c, world, frames)))
        return found;
    if ((found = kill_threads(c, world, frames)) || (found = close_handles(c, world, frames)) ||
        (found = check_walk(c, world, frames)))
        return found;
    if ((found = end_call(c, world, frames, PGR_CALL_PROCESS_EXIT, 0, 0)))
        return found;
    return check_h2(c, world, frames);
}

NO_COVERAGE_END
