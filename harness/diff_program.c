/* A fuzzer's program on two implementations. See diff_program.h. */
#include "harness/diff_program.h"

#include <stdlib.h>
#include <string.h>

#include "harness/diff_questions.h"
#include "harness/finding.h"
#include "harness/implementation_core.h"
#include "harness/no_coverage.h"
#include "harness/program.h"

NO_COVERAGE_BEGIN

struct diff_player {
    struct implementation *first, *second, *pair;
    struct program_buffers *buffers;
    struct program program;
    struct difference found;
    struct diff_stats stats;
    const uint8_t *data; /* the program that is being run, or was last */
    size_t bytes;
    uint64_t steps; /* of it */
    int is_running;
};

struct diff_player *diff_player_new(struct implementation *first, struct implementation *second,
                                    const struct diff_options *options)
{
    struct diff_player *player = calloc(1, sizeof(*player));

    if (player == NULL)
        return NULL;
    player->first = first;
    player->second = second;
    player->pair = diff_pair_new(first, second, options);
    player->buffers = program_buffers_new();
    if (player->pair != NULL && player->buffers != NULL)
        return player;
    diff_player_free(player);
    return NULL;
}

void diff_player_free(struct diff_player *player)
{
    if (player == NULL)
        return;
    implementation_end(player->pair);
    program_buffers_free(player->buffers);
    free(player);
}

/* ---- worlds ---- */

/* Frames, threads and options are the program's. */
static pgr_config generous(const pgr_config *asked)
{
    pgr_config config = *asked;

    config.object_count = 1u << 15;
    config.handle_count = 1u << 14;
    config.packet_count = 1u << 14;
    config.run_count = 1u << 17;
    return config;
}

/* A call may take more than one row, and cut or copy many runs; what is left here is enough for any. */
static int is_nearly_full(const pgr_world *world)
{
    pgr_inspect_counts counts;

    pgr_inspect_world(world, &counts);
    return counts.objects_used > counts.config.object_count - 64 ||
           counts.handles_used > counts.config.handle_count - 64 ||
           counts.packets_used > counts.config.packet_count - 64 || counts.nodes_used > counts.nodes_count / 2;
}

/* ---- running ---- */

static void make_call(struct diff_player *player, const pgr_call *call, pgr_result *result)
{
    struct implementation *pair = player->pair;

    if (call->number == PGR_CALL_RESUME)
        pair->resume(pair->self, call->thread, call->buffer, call->buffer_bytes, result);
    else
        pair->call(pair->self, call, result);
}

/* What an access does whose buffer is too short for it is nobody's business: no trace can make it. */
static void shorten_access(pgr_call *call)
{
    int is_access = call->number == PGR_CALL_MEM_READ || call->number == PGR_CALL_MEM_WRITE;

    if (is_access && call->arg[2] > call->buffer_bytes)
        call->arg[2] = call->buffer_bytes;
}

static int next_call(struct program *program, const pgr_world *world, int *is_resuming, pgr_call *call)
{
    int is_there = *is_resuming && program_next_resume(program, world, call);

    *is_resuming = 1;
    is_there = is_there || program_next(program, world, call);
    if (is_there)
        shorten_access(call);
    return is_there;
}

static uint32_t idle_thread(const pgr_world *world)
{
    pgr_thread_view view;
    uint32_t thread = 0;

    while (pgr_inspect_thread(world, thread, &view))
        if (view.state == PGR_THREAD_IDLE)
            return thread;
        else
            thread++;
    return PGR_NO_THREAD;
}

/* One program in four is asked behind its end, for the answers cost as much as many programs do. */
static int is_asked(const struct diff_player *player)
{
    uint32_t sum = 0;

    for (size_t i = 0; i < player->bytes; i++)
        sum = sum * 31 + player->data[i];
    return (sum >> 8) % 4 == 0;
}

static void ask(struct diff_player *player, const pgr_world *world, uint64_t steps_max)
{
    uint32_t thread = idle_thread(world);
    pgr_result result;
    pgr_call call;

    if (thread == PGR_NO_THREAD || !is_asked(player))
        return;
    for (uint32_t at = 0; player->steps < steps_max && diff_pair_found(player->pair) == NULL; at++) {
        if (!diff_question(world, &player->program.live, thread, at, &call))
            return;
        player->steps++;
        make_call(player, &call, &result);
    }
}

/* Up to so many steps. */
static void run(struct diff_player *player, uint64_t steps_max)
{
    struct program *program = &player->program;
    const pgr_world *world = implementation_core_world(player->first, NULL);
    int is_resuming = 0;
    pgr_result result;
    pgr_call call;

    program_start(program, player->data, player->bytes, player->buffers, world);
    while (player->steps < steps_max && next_call(program, world, &is_resuming, &call)) {
        if (is_nearly_full(world)) {
            player->stats.full++;
            return;
        }
        player->steps++;
        make_call(player, &call, &result);
        if (diff_pair_found(player->pair) != NULL)
            return;
        program_learn(program, world, &call, &result);
    }
    ask(player, world, steps_max);
}

static int reset(struct diff_player *player)
{
    struct program_header header;
    pgr_config config;
    pgr_start start;

    player->steps = 0;
    program_read_header(&header, player->data, player->bytes);
    config = generous(&header.config);
    return player->pair->reset(player->pair->self, &config, &start);
}

/* 0, or -1: there is no such world. */
static int run_once(struct diff_player *player)
{
    if (reset(player) != 0)
        return -1;
    player->is_running = 1;
    run(player, UINT64_MAX);
    diff_pair_look(player->pair);
    player->is_running = 0;
    player->stats.programs++;
    player->stats.steps += player->steps;
    return 0;
}

const struct difference *diff_player_run(struct diff_player *player, const uint8_t *data, size_t bytes)
{
    const struct difference *found;

    player->data = data;
    player->bytes = bytes;
    do {
        if (run_once(player) != 0)
            return NULL;
        found = diff_pair_found(player->pair);
    } while (found != NULL && diff_pair_other_setting(player->pair));
    if (found == NULL) {
        diff_pair_keep_setting(player->pair);
        return NULL;
    }
    player->found = *found;
    return &player->found;
}

void diff_player_stats(const struct diff_player *player, struct diff_stats *stats)
{
    *stats = player->stats;
}

/* ---- reporting ---- */

/* What the two did, as traces, when the program is run again: of the second only the last step. */
static void run_again(struct diff_player *player, FILE *first, char **last_of_second)
{
    uint64_t steps = player->steps;
    char *text = NULL;
    size_t bytes = 0;
    FILE *second = open_memstream(&text, &bytes);
    long before = 0;

    *last_of_second = NULL;
    if (second == NULL)
        return;
    diff_pair_record(player->pair, first, second, &before);
    if (reset(player) == 0)
        run(player, steps);
    diff_pair_record(player->pair, NULL, NULL, NULL);
    fclose(second);
    if (before >= 0 && (size_t)before < bytes)
        *last_of_second = strdup(text + before);
    free(text);
}

/* The trace, and behind it as a comment what the second said in the place of its last line. */
static void print_trace(void *context, FILE *out)
{
    struct diff_player *player = context;
    char *last;

    run_again(player, out, &last);
    for (const char *line = last; line != NULL && *line != '\0'; line += strcspn(line, "\n"), line += *line == '\n')
        fprintf(out, "# the %s: %.*s\n", player->second->name, (int)strcspn(line, "\n"), line);
    free(last);
}

void diff_player_report(struct diff_player *player, FILE *out)
{
    char message[400];

    snprintf(message, sizeof(message), "%s and %s differ in %s", player->first->name, player->second->name,
             player->found.text);
    finding_report(message, print_trace, player, out);
}

static int is_running(void *context)
{
    const struct diff_player *player = context;

    return player->is_running;
}

void diff_player_catch_deaths(struct diff_player *player)
{
    finding_catch_deaths(is_running, print_trace, player);
}

NO_COVERAGE_END
