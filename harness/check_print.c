/*
 * What a violation looks like on paper: the message, the sentence, and the world around it. Also the names that
 * messages use.
 */
#include "harness/check_internal.h"
#include "harness/no_coverage.h"

#include <string.h>

NO_COVERAGE_BEGIN

const char *check_state_name(uint32_t state)
{
    static const char *const names[PGR_PAGE_STATE_COUNT] = {
        "absent", "anonymous", "clean", "dirty", "awaiting clean", "a zero marker", "a zero interval"};
    return state < PGR_PAGE_STATE_COUNT ? names[state] : "in no state";
}

const char *check_name_pages(const struct check_context *c, const pgr_world *w, uint32_t row)
{
    static _Thread_local char texts[4][48];
    static _Thread_local uint32_t next;
    char *text = texts[next++ % 4];

    for (uint32_t vmo = 1; vmo < c->config.object_count; vmo++) {
        pgr_object_view object;
        if (!pgr_inspect_object(w, vmo, &object) || object.kind != PGR_OBJECT_VMO || object.vmo.pages != row)
            continue;
        snprintf(text, sizeof texts[0], "vmo %u (pages %u)", vmo, row);
        return text;
    }
    snprintf(text, sizeof texts[0], "pages %u", row);
    return text;
}

static const char *kind_name(uint32_t kind)
{
    static const char *const names[PGR_OBJECT_KIND_COUNT] = {"none",  "vmo", "pages", "source",   "port", "pager",
                                                             "event", "bti", "pmt",   "resource", "vmar", "mapping"};
    return kind < PGR_OBJECT_KIND_COUNT ? names[kind] : "unknown";
}

#define PRINT_RUNS_MAX 64u

static void print_runs(const pgr_world *w, uint32_t row, FILE *out)
{
    uint64_t page = 0;
    pgr_run_view run;

    for (uint32_t i = 0; i < PRINT_RUNS_MAX && pgr_inspect_run(w, row, page, &run); i++) {
        fprintf(out, "    page %llu +%llu %s frame %u pins %u", (unsigned long long)run.page,
                (unsigned long long)run.count, check_state_name(run.state), run.frame, run.pins);
        if (run.hint || run.awaiting)
            fprintf(out, " hint %u awaiting %llu", run.hint, (unsigned long long)run.awaiting);
        fputc('\n', out);
        if (run.page + run.count <= page)
            return;
        page = run.page + run.count;
    }
}

static void print_regions(const pgr_world *w, uint32_t row, FILE *out)
{
    uint64_t address = 0;
    pgr_region_view region;

    for (uint32_t i = 0; i < PRINT_RUNS_MAX && pgr_inspect_region(w, row, address, &region); i++) {
        fprintf(out, "    0x%llx +0x%llx is %u\n", (unsigned long long)region.address,
                (unsigned long long)region.size_bytes, region.row);
        if (region.address + region.size_bytes <= address)
            return;
        address = region.address + region.size_bytes;
    }
}

static void print_object(const pgr_world *w, uint32_t row, const pgr_object_view *o, FILE *out)
{
    fprintf(out, "  %u %s: handles %u references %u flags 0x%x signals 0x%x", row, kind_name(o->kind), o->handle_count,
            o->reference_count, o->flags, o->signals);
    switch (o->kind) {
    case PGR_OBJECT_VMO:
        fprintf(out, " pages %u parent %u children %u window %llu +%llu", o->vmo.pages, o->vmo.parent,
                o->vmo.child_count, (unsigned long long)o->vmo.offset_pages, (unsigned long long)o->vmo.size_pages);
        break;
    case PGR_OBJECT_PAGES:
        fprintf(out, " size %llu frames %llu pins %llu source %u family %u vmos %u",
                (unsigned long long)o->pages.size_pages, (unsigned long long)o->pages.frames_held,
                (unsigned long long)o->pages.pins, o->pages.source, o->pages.family, o->pages.vmo_count);
        if (o->pages.parent)
            fprintf(out, " sees %llu pages of %u from page %llu on", (unsigned long long)o->pages.parent_limit_pages,
                    o->pages.parent, (unsigned long long)o->pages.parent_offset_pages);
        break;
    case PGR_OBJECT_SOURCE:
        fprintf(out, " pager %u port %u pages %u packet %u key %llu", o->source.pager, o->source.port, o->source.pages,
                o->source.packet, (unsigned long long)o->source.key);
        break;
    case PGR_OBJECT_PORT:
        fprintf(out, " first packet %u user packets %u", o->port.first_packet, o->port.user_packets);
        break;
    case PGR_OBJECT_PMT:
        fprintf(out, " bti %u pages %u range %llu +%llu", o->pmt.bti, o->pmt.pages,
                (unsigned long long)o->pmt.offset_pages, (unsigned long long)o->pmt.count_pages);
        break;
    case PGR_OBJECT_VMAR:
        fprintf(out, " parent %u can 0x%x from 0x%llx +0x%llx", o->vmar.parent, o->vmar.flags,
                (unsigned long long)o->vmar.base, (unsigned long long)o->vmar.size_bytes);
        break;
    case PGR_OBJECT_MAPPING:
        fprintf(out, " vmar %u vmo %u from page %llu permissions 0x%x of 0x%x", o->mapping.vmar, o->mapping.vmo,
                (unsigned long long)o->mapping.offset_pages, o->mapping.perms, o->mapping.perms_max);
        break;
    default:
        break;
    }
    fputc('\n', out);
    if (o->kind == PGR_OBJECT_PAGES)
        print_runs(w, row, out);
    if (o->kind == PGR_OBJECT_VMAR)
        print_regions(w, row, out);
}

static void print_threads(const struct check_context *c, const pgr_world *w, FILE *out)
{
    static const char *const states[] = {"idle", "blocked", "released"};

    for (uint32_t thread = 0; thread < c->config.thread_count; thread++) {
        pgr_thread_view t;
        if (!pgr_inspect_thread(w, thread, &t) || t.state == PGR_THREAD_IDLE)
            continue;
        const pgr_call_info *call = pgr_call_row(t.call);
        fprintf(out, "  thread %u %s in %s: request %u object %u progress %llu\n", thread,
                t.state <= PGR_THREAD_RELEASED ? states[t.state] : "lost", call ? call->name : "no call", t.request,
                t.object, (unsigned long long)t.progress_bytes);
    }
}

static void print_requests(const struct check_context *c, const pgr_world *w, FILE *out)
{
    for (uint32_t row = 1; row <= check_request_rows(c); row++) {
        pgr_request_view r;
        if (pgr_inspect_request(w, row, &r))
            fprintf(out,
                    "  request %u: source %u command %u place %u owner %u waiters %u page %llu +%llu pending %llu\n",
                    row, r.source, r.command, r.place, r.owner, r.waiter_count, (unsigned long long)r.page,
                    (unsigned long long)r.count, (unsigned long long)r.pending);
    }
}

void check_print(const struct check_context *c, const pgr_world *world, FILE *out)
{
    const struct check_invariant *violated = check_violated(c);
    pgr_inspect_counts n;

    fprintf(out, "%s\n", check_message(c));
    if (violated)
        fprintf(out, "%s says: %s\n", violated->number, violated->sentence);
    pgr_inspect_world(world, &n);
    fprintf(out, "the world: %u of %u frames free, %u objects, %u handles, %u packets, %u requests\n", n.frames_free,
            n.config.frame_count - 1, n.objects_used, n.handles_used, n.packets_used, n.requests_used);
    for (uint32_t row = 1; row < c->config.object_count; row++) {
        pgr_object_view object;
        if (pgr_inspect_object(world, row, &object))
            print_object(world, row, &object, out);
    }
    print_requests(c, world, out);
    print_threads(c, world, out);
}

NO_COVERAGE_END
