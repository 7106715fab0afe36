/* Questions about everything that handles name. See diff_questions.h. */
#include "harness/diff_questions.h"

#include "harness/no_coverage.h"

NO_COVERAGE_BEGIN

/* Of so many handles, the freshest. */
#define HANDLES_ASKED 32u

/* Objects that are created to see whether an allocation fails. */
#define PROBES 4u

#define RANGES 16u

static uint8_t buffer[RANGES * sizeof(zx_vmo_dirty_range_t)];

enum question {
    ASK_BASIC,
    ASK_COUNT,
    ASK_SIGNALS,
    ASK_INFO, /* of its kind */
    ASK_CONTENT_SIZE,
    ASK_NAME,
    ASK_MODIFIED,
    ASK_DIRTY,
    QUESTIONS
};

static uint64_t info_of_kind(uint32_t kind)
{
    switch (kind) {
    case PGR_OBJECT_VMO:
        return ZX_INFO_VMO;
    case PGR_OBJECT_VMAR:
        return ZX_INFO_VMAR;
    case PGR_OBJECT_BTI:
        return ZX_INFO_BTI;
    default:
        return ZX_INFO_HANDLE_VALID;
    }
}

static void get_info(pgr_call *call, zx_handle_t handle, uint64_t topic)
{
    call->number = PGR_CALL_OBJECT_GET_INFO;
    call->arg[0] = handle;
    call->arg[1] = topic;
}

static void get_property(pgr_call *call, zx_handle_t handle, uint64_t property, uint64_t bytes)
{
    call->number = PGR_CALL_OBJECT_GET_PROPERTY;
    call->arg[0] = handle;
    call->arg[1] = property;
    call->buffer = buffer;
    call->buffer_bytes = bytes;
}

/* Of a VMO: in bytes. */
static uint64_t size_of(const pgr_world *world, const struct live_handle *about)
{
    pgr_inspect_counts counts;
    pgr_object_view view;

    pgr_inspect_world(world, &counts);
    if (about->kind != PGR_OBJECT_VMO || !pgr_inspect_object(world, about->object, &view))
        return 0;
    return view.vmo.size_pages << counts.config.page_shift;
}

static void ask_pager(const pgr_world *world, const struct live_handles *live, const struct live_handle *about,
                      int about_ranges, pgr_call *call)
{
    const struct live_handle *pager = live_handle_of_object(live, about->pager);

    call->number = about_ranges ? PGR_CALL_PAGER_QUERY_DIRTY_RANGES : PGR_CALL_PAGER_QUERY_VMO_STATS;
    call->arg[0] = pager != NULL ? pager->value : ZX_HANDLE_INVALID;
    call->arg[1] = about->value;
    if (!about_ranges)
        return;
    call->arg[3] = size_of(world, about);
    call->arg[5] = RANGES;
    call->buffer = buffer;
    call->buffer_bytes = sizeof(buffer);
}

static void ask(const pgr_world *world, const struct live_handles *live, const struct live_handle *about,
                enum question question, pgr_call *call)
{
    switch (question) {
    case ASK_COUNT:
        get_info(call, about->value, ZX_INFO_HANDLE_COUNT);
        return;
    case ASK_SIGNALS:
        call->number = PGR_CALL_OBJECT_WAIT_ONE;
        call->arg[0] = about->value;
        return;
    case ASK_INFO:
        get_info(call, about->value, info_of_kind(about->kind));
        return;
    case ASK_CONTENT_SIZE:
        get_property(call, about->value, ZX_PROP_VMO_CONTENT_SIZE, sizeof(uint64_t));
        return;
    case ASK_NAME:
        get_property(call, about->value, ZX_PROP_NAME, ZX_MAX_NAME_LEN);
        return;
    case ASK_MODIFIED:
    case ASK_DIRTY:
        ask_pager(world, live, about, question == ASK_DIRTY, call);
        return;
    default:
        get_info(call, about->value, ZX_INFO_HANDLE_BASIC);
    }
}

int diff_question(const pgr_world *world, const struct live_handles *live, uint32_t thread, uint32_t at, pgr_call *call)
{
    uint32_t handles = live->count < HANDLES_ASKED ? live->count : HANDLES_ASKED;

    *call = (pgr_call){.thread = thread};
    if (at < handles * QUESTIONS) {
        ask(world, live, &live->list[live->count - 1 - at / QUESTIONS], (enum question)(at % QUESTIONS), call);
        return 1;
    }
    call->number = PGR_CALL_EVENT_CREATE;
    return at < handles * QUESTIONS + PROBES;
}

NO_COVERAGE_END
