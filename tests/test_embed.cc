// The public header from C++: it compiles there, its functions link, and what it declares has Zircon's sizes.
#include "core/pgr.h"

#include <cstdio>

#include <stdlib.h>

static_assert(sizeof(zx_port_packet_t) == 48, "zx_port_packet_t is 48 bytes in Zircon");
static_assert(sizeof(zx_vmo_dirty_range_t) == 24, "zx_vmo_dirty_range_t is 24 bytes in Zircon");

namespace
{

struct Memory {
    explicit Memory(uint64_t bytes, size_t alignment)
        : bytes((bytes + alignment - 1) / alignment * alignment), at(aligned_alloc(alignment, this->bytes))
    {
    }
    ~Memory()
    {
        free(at);
    }
    Memory(const Memory &) = delete;
    Memory &operator=(const Memory &) = delete;

    uint64_t bytes;
    void *at;
};

bool check(bool condition, const char *what)
{
    if (!condition)
        std::fprintf(stderr, "test_embed: %s\n", what);
    return condition;
}

bool a_vmo_has_its_size()
{
    pgr_config config;
    pgr_config_default(&config);
    config.page_shift = 6;
    config.frame_count = 16;
    Memory block(pgr_world_bytes(&config), PGR_WORLD_ALIGNMENT), frames(pgr_frames_bytes(&config), 64);
    pgr_world *world = nullptr;
    if (!check(pgr_init(block.at, block.bytes, &config, &world) == ZX_OK, "pgr_init fails"))
        return false;

    pgr_call call = {};
    pgr_result result;
    call.number = PGR_CALL_VMO_CREATE;
    call.arg[0] = 100;
    pgr_dispatch(world, frames.at, &call, &result);
    if (!check(result.outcome == PGR_DONE && result.status == ZX_OK, "zx_vmo_create fails"))
        return false;
    call = {};
    call.number = PGR_CALL_VMO_GET_SIZE;
    call.arg[0] = result.out[2];
    pgr_dispatch(world, frames.at, &call, &result);
    return check(result.status == ZX_OK && result.out[1] == 128, "100 bytes are not two pages of 64");
}

} // namespace

int main()
{
    return a_vmo_has_its_size() ? 0 : 1;
}
