/*
 * A file system that is its own pager: one file, applications, a disk that is slow and fails, memory that is reclaimed,
 * power that goes off. docs/writing-a-pager.md walks through it. Status 1: a read did not give what was written last, a
 * loss of power took what had been synced, or somebody waits forever.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "pgr.h"

enum { PAGES = 12, APPS = 4, REQUESTS = 64, STEPS = 20000, PATIENCE = 300, SHIFT = 4, FILE_BYTES = PAGES << SHIFT };

typedef struct page {
    uint64_t number, version; /* versions only grow */
} page;

/* An application is a thread, number 1 and up. It reads all pages, and writes only those that are its own. */
struct app {
    int since, writes; /* since: the step in which its call began; 0: it is in none */
    uint64_t at;       /* page number */
    page data;
};

static page disk[PAGES]; /* all that survives a loss of power */
static pgr_world *world;
static void *frames;
static pgr_result r; /* of the last call */
static uint64_t port, pager, file, aux;
static struct app apps[APPS + 1];
static zx_packet_page_request_t requests[REQUESTS];
/* The sync under way: what is dirty, what was read of it for the disk, and the versions that it promises. */
static zx_vmo_dirty_range_t dirty[PAGES];
static page bytes_read[PAGES];
static uint64_t promised[PAGES], dirty_count;
static int is_syncing, request_count, step, failed, syncs, losses = -1;   /* the first power_on() is none */
static uint64_t random_state, last_version, newest[PAGES], synced[PAGES]; /* versions: seen by applications, promised */

#define CALL(NAME, ...) pgr_dispatch(world, frames, &(pgr_call){.number = PGR_CALL_##NAME, __VA_ARGS__}, &r)
#define MUST(NAME, ...) (CALL(NAME, __VA_ARGS__), must(r.outcome == PGR_DONE && r.status == ZX_OK, #NAME, r.status))
#define BUFFER(START, BYTES) .buffer = (START), .buffer_bytes = (BYTES)

static void must(int holds, const char *what, long long number)
{
    if (!holds) {
        printf("step %d: %s: %lld\n", step, what, number);
        exit(1);
    }
}

static int chance(int one_in)
{
    random_state = random_state * 6364136223846793005u + 1442695040888963407u;
    return (int)((random_state >> 33) % (uint64_t)one_in);
}

/* The port is looked at without waiting: the deadline, 0, has passed. The disk does its part some day (chance). */
static void take_requests(void)
{
    while (request_count < REQUESTS && (CALL(PORT_WAIT, .arg = {port, 0}), r.status == ZX_OK))
        requests[request_count++] = r.packet.page_request;
}

/* A page may be evicted while its writer waits for DIRTY. The answer is NOT_FOUND then, and the writer asks for it. */
static void answer(uint32_t command, uint64_t at, uint64_t bytes)
{
    if (chance(8) == 0) {
        MUST(PAGER_OP_RANGE, .arg = {pager, ZX_PAGER_OP_FAIL, file, at, bytes, (uint64_t)ZX_ERR_IO});
    } else if (command == ZX_PAGER_VMO_READ) {
        MUST(VMO_WRITE, .arg = {aux, 0, 0, bytes}, BUFFER(&disk[at >> SHIFT], bytes));
        MUST(PAGER_SUPPLY_PAGES, .arg = {pager, file, at, bytes, aux, 0});
    } else {
        CALL(PAGER_OP_RANGE, .arg = {pager, ZX_PAGER_OP_DIRTY, file, at, bytes});
        must(r.status == ZX_OK || r.status == ZX_ERR_NOT_FOUND, "DIRTY", r.status);
    }
}

static void answer_requests(void)
{
    for (int i = request_count - 1; i >= 0; i--)
        if (chance(4) == 0) {
            answer(requests[i].command, requests[i].offset, requests[i].length);
            requests[i] = requests[--request_count];
        }
}

/* Sync: query, begin, read; when the disk has the bytes, end. A disk that fails gets them again, later. */
static void begin_sync(void)
{
    MUST(PAGER_QUERY_DIRTY_RANGES, .arg = {pager, file, 0, FILE_BYTES, 0, PAGES}, BUFFER(dirty, sizeof(dirty)));
    dirty_count = r.count;
    for (zx_vmo_dirty_range_t *d = dirty; d < dirty + dirty_count; d++) {
        MUST(PAGER_OP_RANGE, .arg = {pager, ZX_PAGER_OP_WRITEBACK_BEGIN, file, d->offset, d->length, d->options});
        MUST(VMO_READ, .arg = {file, 0, d->offset, d->length}, BUFFER(&bytes_read[d->offset >> SHIFT], d->length));
    }
    memcpy(promised, newest, sizeof(newest));
    is_syncing = 1;
}

static void end_sync(void)
{
    for (zx_vmo_dirty_range_t *d = dirty; d < dirty + dirty_count; d++) {
        memcpy(&disk[d->offset >> SHIFT], &bytes_read[d->offset >> SHIFT], d->length);
        MUST(PAGER_OP_RANGE, .arg = {pager, ZX_PAGER_OP_WRITEBACK_END, file, d->offset, d->length});
    }
    memcpy(synced, promised, sizeof(promised));
    is_syncing = 0;
    syncs++;
}

/* A call of an application has come back, or waits now. */
static void look_at_result(struct app *app)
{
    app->since = r.outcome == PGR_BLOCKED ? app->since : 0;
    failed += r.status != ZX_OK;
    if (app->since != 0 || r.status != ZX_OK)
        return;
    if (app->writes)
        newest[app->at] = app->data.version;
    must(app->data.number == app->at && app->data.version == newest[app->at], "not what was written in page",
         (long long)app->at);
}

static void begin_call(uint32_t t)
{
    int writes = chance(2);
    uint64_t at = writes ? (uint64_t)chance(PAGES / APPS) * APPS + t - 1 : (uint64_t)chance(PAGES);

    apps[t] = (struct app){step, writes, at, {at, ++last_version}};
    if (writes)
        CALL(VMO_WRITE, .thread = t, .arg = {file, 0, at << SHIFT, sizeof(page)}, BUFFER(&apps[t].data, sizeof(page)));
    else
        CALL(VMO_READ, .thread = t, .arg = {file, 0, at << SHIFT, sizeof(page)}, BUFFER(&apps[t].data, sizeof(page)));
    look_at_result(&apps[t]);
}

static void resume_all(void)
{
    for (uint32_t t = pgr_first_released(world); t != PGR_NO_THREAD; t = pgr_first_released(world)) {
        CALL(RESUME, .thread = t, BUFFER(&apps[t].data, sizeof(page)));
        look_at_result(&apps[t]);
    }
}

/* What memory held is lost, and what the disk holds is what applications see from now on. */
static void power_on(void)
{
    pgr_reset(world);
    losses++;
    MUST(PORT_CREATE, .arg = {0});
    port = r.out[1];
    MUST(PAGER_CREATE, .arg = {0});
    pager = r.out[1];
    MUST(PAGER_CREATE_VMO, .arg = {pager, ZX_VMO_TRAP_DIRTY, port, 0, FILE_BYTES});
    file = r.out[5];
    MUST(VMO_CREATE, .arg = {FILE_BYTES});
    aux = r.out[2];
    request_count = is_syncing = 0;
    memset(apps, 0, sizeof(apps));
    for (int p = 0; p < PAGES; p++) {
        must(disk[p].version >= synced[p], "what was synced is lost in page", p);
        newest[p] = disk[p].version;
    }
}

static void take_step(void)
{
    uint32_t t = 1 + (uint32_t)chance(APPS);

    if (apps[t].since == 0)
        begin_call(t);
    must(apps[t].since == 0 || step - apps[t].since < PATIENCE, "an application waits forever", t);
    take_requests();
    answer_requests();
    if (chance(20) == 0)
        is_syncing ? end_sync() : begin_sync();
    if (chance(10) == 0)
        MUST(RECLAIM, .arg = {(uint64_t)chance(PAGES)});
    resume_all();
    if (chance(500) == 0)
        power_on();
}

int main(int argc, char **argv)
{
    pgr_config config;
    pgr_config_default(&config);
    config.page_shift = SHIFT;
    uint64_t bytes = pgr_world_bytes(&config);

    frames = malloc(pgr_frames_bytes(&config));
    must(frames && pgr_init(aligned_alloc(PGR_WORLD_ALIGNMENT, bytes), bytes, &config, &world) == ZX_OK, "no world", 0);
    random_state = argc > 1 ? strtoull(argv[1], NULL, 10) : 1;
    for (uint64_t p = 0; p < PAGES; p++)
        disk[p].number = p;
    power_on();
    for (step = 1; step <= STEPS; step++)
        take_step();
    printf("kept: %d steps, %d failures, %d syncs, %d losses of power\n", STEPS, failed, syncs, losses);
}
