/*
 * A port in twenty lines: VMOs without options have a size. Whatever else is asked of it is refused as unsupported, and
 * so is made on neither side of a comparison. See implementation.h for what to do with it.
 */
#include "harness/examples/sample_port.h"

#define VMOS 1000u

static uint64_t sizes[VMOS], page_bytes; /* the first one is nobody's */
static uint32_t count;

static int reset(void *self, const pgr_config *config, pgr_start *start)
{
    (void)self;
    page_bytes = UINT64_C(1) << config->page_shift;
    count = 1;
    *start = (pgr_start){0};
    return 0;
}

static void call(void *self, const pgr_call *call, pgr_result *result)
{
    uint64_t size = call->arg[0];
    uint32_t handle = (uint32_t)call->arg[0], slot = handle >> 2;

    (void)self;
    *result = (pgr_result){.outcome = PGR_DONE, .status = ZX_OK, .call = call->number};
    if (call->number == PGR_CALL_VMO_CREATE && (uint32_t)call->arg[1] == 0 && size < UINT32_MAX && count < VMOS) {
        sizes[count] = (size + page_bytes - 1) / page_bytes * page_bytes;
        result->out[2] = count++ << 2 | 3;
    } else if (call->number == PGR_CALL_VMO_GET_SIZE) {
        int is_alive = (handle & 3) == 3 && slot > 0 && slot < count;
        result->status = is_alive ? ZX_OK : ZX_ERR_BAD_HANDLE;
        result->out[1] = is_alive ? sizes[slot] : 0;
    } else {
        *result = (pgr_result){.outcome = PGR_REFUSED, .status = ZX_ERR_NOT_SUPPORTED};
    }
}

struct implementation *implementation_sample(void)
{
    static struct implementation sample = {.name = "sample", .reset = reset, .call = call};

    return &sample;
}
