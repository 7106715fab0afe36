/* Where the specification allows more than one answer. See diff_allowed.h. */
#include "harness/diff_allowed.h"

#include <string.h>

#include "harness/no_coverage.h"

NO_COVERAGE_BEGIN

int diff_allowed_flags(struct diff_shown *shown, uint16_t command, uint16_t flags)
{
    if (command >= sizeof(shown->flags) / sizeof(shown->flags[0]))
        return 0;
    if (shown->flags_shown & 1u << command)
        return shown->flags[command] == flags;
    shown->flags_shown |= 1u << command;
    shown->flags[command] = flags;
    return 1;
}

void diff_allowed_packet(zx_port_packet_t *packet)
{
    if (packet->type == ZX_PKT_TYPE_PAGE_REQUEST) {
        packet->page_request.reserved0 = 0;
        packet->page_request.reserved1 = 0;
    } else if (packet->type == ZX_PKT_TYPE_SIGNAL_ONE) {
        packet->signal.timestamp = 0;
        packet->signal.reserved1 = 0;
    }
}

void diff_allowed_info_vmo(zx_info_vmo_t *info)
{
    info->metadata_bytes = 0;
    info->padding1 = 0;
}

int diff_allowed_statuses(uint32_t call, zx_status_t first, zx_status_t second)
{
    if (call != PGR_CALL_VMO_CREATE_CONTIGUOUS)
        return 0;
    return (first == ZX_OK && second == ZX_ERR_NO_MEMORY) || (first == ZX_ERR_NO_MEMORY && second == ZX_OK);
}

int diff_allowed_setting(pgr_config *config, unsigned attempt, uint64_t pages)
{
    static const uint32_t batches[] = {16, 1, 0};
    const unsigned count = sizeof(batches) / sizeof(batches[0]);

    if (attempt == 0) {
        config->options ^= PGR_OPTION_SUPPLY_DECOMMITS;
        return 1;
    }
    if (attempt == 1 + count) {
        config->read_batch = (uint32_t)pages;
        return pages != 0 && pages <= UINT32_MAX;
    }
    if (attempt > 1 + count)
        return 0;
    config->read_batch = batches[attempt - 1];
    return 1;
}

NO_COVERAGE_END
