/* The file system at play: the world it lives in, its calls, and the steps that an input's bytes stand for. See writeback.h. */
#include "harness/writeback.h"

#include "harness/no_coverage.h"
#include "harness/world_memory.h"
#include "harness/writeback_internal.h"

#include <stdlib.h>
#include <string.h>

NO_COVERAGE_BEGIN

static struct player player;
static struct writeback_stats ignored;
static char message[256];

/* --- the world --- */

static const pgr_config config = {
    .page_shift = PAGE_SHIFT,
    .read_batch = 4,
    .frame_count = 96,
    .object_count = 48,
    .handle_count = 48,
    .thread_count = THREADS,
    .packet_count = 24,
    .run_count = 256,
};

static int world_make(struct player *p)
{
    static struct world_memory memory;
    if (!memory.block && world_memory_allocate(&memory, &config) != 0)
        return 0;
    p->frames = memory.frames;
    return pgr_init(memory.block, memory.block_bytes, &config, &p->world) == ZX_OK;
}

static struct recorder *recorder_make(struct player *p, FILE *out)
{
    pgr_start start;
    pgr_start_handles(p->world, &start);
    struct recorder *recorder = recorder_new(&config, &start, out);
    if (recorder)
        recorder_watch(recorder, p->world);
    return recorder;
}

/* --- calls --- */

int player_over(const struct player *p)
{
    return p->stopped || p->message[0];
}

static zx_status_t status_of(const pgr_result *result)
{
    if (result->outcome == PGR_BLOCKED)
        return ZX_ERR_SHOULD_WAIT;
    return result->outcome == PGR_FAULT ? result->fault.code : result->status;
}

zx_status_t player_call(struct player *p, pgr_call *call)
{
    if (p->dispatches == p->stop_at && !p->stopped) {
        p->stopped = 1;
        if (p->ends_inside && p->recorder)
            recorder_call(p->recorder, call, NULL);
    }
    if (player_over(p))
        return ZX_ERR_CANCELED;
    p->inside = 1;
    pgr_dispatch(p->world, p->frames, call, &p->result);
    p->inside = 0;
    p->dispatches++;
    p->stats->calls++;
    p->stats->blocked += p->result.outcome == PGR_BLOCKED && call->number != PGR_CALL_RESUME;
    if (p->recorder)
        recorder_call(p->recorder, call, &p->result);
    if (p->result.outcome != PGR_REFUSED)
        judge_call(p, call->thread);
    if (!p->lazy && call->number != PGR_CALL_RESUME) {
        pgr_result result = p->result;
        while (player_resume(p)) {
        }
        p->result = result;
    }
    return status_of(&p->result);
}

int player_resume(struct player *p)
{
    uint32_t thread = pgr_first_released(p->world);
    if (thread == PGR_NO_THREAD || player_over(p))
        return 0;
    struct activity *activity = &p->activity[thread];
    if (activity->effect == EFFECT_WRITE)
        p->changes++;
    player_call(p, &(pgr_call){.number = PGR_CALL_RESUME,
                               .thread = thread,
                               .buffer = activity->bytes,
                               .buffer_bytes = activity->end - activity->begin});
    return 1;
}

/* --- the input --- */

uint8_t player_byte(struct player *p)
{
    return p->at < p->bytes ? p->data[p->at++] : 0;
}

void player_pages(struct player *p, uint64_t *offset, uint64_t *length)
{
    uint8_t byte = player_byte(p);
    uint64_t page = p->size_pages ? byte % FILE_PAGES % p->size_pages : 0;
    uint64_t left = p->size_pages - page;
    uint64_t count = (uint64_t)(byte >> 5) + 1;
    *offset = page << PAGE_SHIFT;
    *length = (count < left ? count : left) << PAGE_SHIFT;
}

static void arm(struct player *p)
{
    p->armed = 1;
    player_call(p, &(pgr_call){.number = PGR_CALL_FAIL_ALLOC, .arg = {player_byte(p) & 3}});
}

static void reclaim(struct player *p)
{
    player_call(p, &(pgr_call){.number = PGR_CALL_RECLAIM, .arg = {1u + (player_byte(p) & 15)}});
}

static void step(struct player *p)
{
    uint8_t what = player_byte(p) % 40;
    switch (what) {
    case 0 ... 2:
        disk_receive(p);
        break;
    case 3 ... 5:
        disk_answer(p);
        break;
    case 6 ... 8:
        disk_serve(p);
        break;
    case 9:
        disk_supply(p);
        break;
    case 10:
        disk_dirty(p);
        break;
    case 11 ... 17:
        disk_writeback_step(p);
        break;
    case 18:
        disk_writeback(p);
        break;
    case 19:
        reclaim(p);
        break;
    case 20:
        player_resume(p);
        break;
    case 21:
        arm(p);
        break;
    case 22:
        disk_detach(p);
        break;
    case 23:
        disk_lose_power(p);
        break;
    default:
        apps_step(p, (uint8_t)(what - 24));
        break;
    }
}

static void start(struct player *p)
{
    uint8_t options = player_byte(p), size = player_byte(p);
    p->traps = options & 1;
    p->resizable = (options & 2) == 0;
    p->lazy = (options & 4) != 0;
    for (uint64_t at = 0; at < FILE_BYTES; at++)
        p->disk[at] = options & 8 && at >> PAGE_SHIFT & 1 ? 0 : (uint8_t)(0x40 + (at >> PAGE_SHIFT));
    if (!disk_start(p))
        return;
    disk_make_file(p, (uint64_t)(size % (FILE_PAGES + 1)) << PAGE_SHIFT);
    while (p->at < p->bytes && !player_over(p))
        step(p);
    if (options & 16)
        disk_writeback(p);
    disk_lose_power(p);
}

/* --- one input --- */

struct part {
    uint64_t stop_at; /* dispatches */
    int ends_inside;
};

static int play(const uint8_t *data, size_t bytes, struct part part, FILE *record, struct writeback_stats *stats)
{
    struct player *p = &player;
    memset(p, 0, sizeof *p);
    p->data = data;
    p->bytes = bytes;
    p->stop_at = part.stop_at;
    p->ends_inside = part.ends_inside;
    p->stats = stats;
    if (!world_make(p))
        return -1;
    if (record)
        p->recorder = recorder_make(p, record);
    start(p);
    if (p->recorder)
        recorder_free(p->recorder);
    return p->message[0] != '\0';
}

int writeback_play(const uint8_t *data, size_t bytes, FILE *record, struct writeback_stats *stats)
{
    struct writeback_stats *counted = stats ? stats : &ignored;
    int found = play(data, bytes, (struct part){.stop_at = UINT64_MAX}, record, counted);
    counted->executions++;
    snprintf(message, sizeof message, "%s", player.message);
    return found;
}

int writeback_is_playing(void *context)
{
    (void)context;
    return player.inside;
}

void writeback_trace(void *context, FILE *out)
{
    (void)context;
    struct part part = {.stop_at = player.dispatches, .ends_inside = player.inside};
    play(player.data, player.bytes, part, out, &ignored);
}

const char *writeback_message(void)
{
    return message;
}

static void print(const char *name, uint64_t value, FILE *out)
{
    fprintf(out, "%s\t%llu\n", name, (unsigned long long)value);
}

void writeback_stats_print(const struct writeback_stats *stats, double seconds, FILE *out)
{
    print("executions", stats->executions, out);
    print("calls", stats->calls, out);
    if (seconds > 0)
        print("executions_per_second", (uint64_t)((double)stats->executions / seconds), out);
    print("blocked", stats->blocked, out);
    print("pages_cleaned", stats->cleaned, out);
    print("losses_of_power", stats->losses, out);
    print("quiet_writebacks", stats->quiet, out);
    print("rewritten_zeros", stats->rewritten, out);
}

NO_COVERAGE_END
