/*
 * What one call may not do: a call is made between check_before and check_after, and the world, the frames or the
 * result are spoiled before the second half looks. Exactly the number that was violated must be reported, with object,
 * page and frame by their numbers.
 */
#include "tests/invariants_support.h"

/* --- O --- */

static void o3_watches_touched_maps(void **state)
{
    struct scene *s = *state;
    pgr_call call = read_call(s->aux, 0, 1);
    pgr_result result = open_call(s, &call);

    run_of(s, s->aux, 0)->count = VMO_PAGES + 1;
    says(s, close_call(s, &call, &result), "O3", "vmo %u (pages %u): the run of 9 pages from page 0 (frame %u)",
         object_of(s, s->aux), pages_of(s, s->aux), frame_of(s, s->aux, 0));
}

static void o5_pinned_pages_keep_their_frame(void **state)
{
    struct scene *s = *state;
    uint32_t frame = frame_of(s, s->aux, 1);

    made(s, CALL(BTI_PIN, s->start.bti, ZX_BTI_PERM_READ, s->aux, PAGE, PAGE), 5);
    pgr_call call = read_call(s->aux, 0, 1);
    pgr_result result = open_call(s, &call);
    run_of(s, s->aux, 1)->frame = 60;
    says(s, close_call(s, &call, &result), "O5", "vmo %u (pages %u) page 1 was pinned on frame %u and has frame 60",
         object_of(s, s->aux), pages_of(s, s->aux), frame);
}

static void o6_relatives_are_not_written(void **state)
{
    struct scene *s = *state;
    uint32_t frame = frame_of(s, s->parent, 1);
    pgr_call call = write_call(s->child, 1, 1);
    pgr_result result = open_call(s, &call);

    s->frames[frame * PAGE + 3] ^= 1;
    says(s, close_call(s, &call, &result), "O6", "vmo %u (pages %u) page 1 (frame %u, now frame %u) has changed",
         object_of(s, s->parent), pages_of(s, s->parent), frame, frame);
}

static void o6_copies_are_copies(void **state)
{
    struct scene *s = *state;
    uint32_t frame = frame_of(s, s->parent, 1);
    pgr_call call = CALL(VMO_WRITE, s->child, 0, PAGE + 4, 4);
    pgr_result result = open_call(s, &call);
    uint32_t copy = frame_of(s, s->child, 1);

    assert_int_not_equal(copy, frame);
    s->frames[copy * PAGE + 8] ^= 1;
    says(s, close_call(s, &call, &result), "O6", "vmo %u (pages %u) page 1 (frame %u, now frame %u) has other bytes",
         object_of(s, s->child), pages_of(s, s->child), frame, copy);
}

static void o6_ancestors_are_not_written(void **state)
{
    struct scene *s = *state;

    succeeds(s, supply_call(s, 0, 4, 0));
    zx_handle_t child = seeing_child(s);
    uint32_t frame = frame_of(s, s->pager_vmo, 1);
    pgr_call call = write_call(child, 1, 1);
    pgr_result result = open_call(s, &call);

    s->frames[frame * PAGE + 3] ^= 1;
    says(s, close_call(s, &call, &result), "O6", "vmo %u (pages %u) page 1 (frame %u, now frame %u) has changed",
         object_of(s, s->pager_vmo), pages_of(s, s->pager_vmo), frame, frame);
}

static void o6_copies_of_ancestors_are_copies(void **state)
{
    struct scene *s = *state;

    succeeds(s, supply_call(s, 0, 4, 0));
    zx_handle_t child = seeing_child(s);
    pgr_call call = CALL(VMO_WRITE, child, 0, PAGE + 4, 4);
    pgr_result result = open_call(s, &call);
    uint32_t copy = frame_of(s, child, 1);

    s->frames[copy * PAGE + 8] ^= 1;
    says(s, close_call(s, &call, &result), "O6", "vmo %u (pages %u) page 1 got frame %u of its own",
         object_of(s, child), pages_of(s, child), copy);
}

static void o6_those_who_see_are_not_written(void **state)
{
    struct scene *s = *state;

    succeeds(s, supply_call(s, 0, 4, 0));
    zx_handle_t child = seeing_child(s);
    succeeds(s, write_call(child, 1, 1));
    uint32_t frame = frame_of(s, child, 1);
    pgr_call call = write_call(s->pager_vmo, 1, 1);
    pgr_result result = open_call(s, &call);

    s->frames[frame * PAGE] ^= 1;
    says(s, close_call(s, &call, &result), "O6", "vmo %u (pages %u) page 1 (frame %u, now frame %u) has changed",
         object_of(s, child), pages_of(s, child), frame, frame);
}

/* Of what a child has not written it sees every later write of its parent: that is no violation. */
static void o6_lets_children_see_through(void **state)
{
    struct scene *s = *state;

    succeeds(s, supply_call(s, 0, 4, 0));
    zx_handle_t child = seeing_child(s);
    succeeds(s, write_call(s->pager_vmo, 0, 2));
    succeeds(s, write_call(child, 1, 1));
    succeeds(s, CALL(VMO_OP_RANGE, s->pager_vmo, ZX_VMO_OP_ZERO, 0, 2 * PAGE));
    assert_int_equal(walk(s), 0);
}

static void o7_slices_show_their_parent(void **state)
{
    struct scene *s = *state;
    pgr_call call = CALL(VMO_CREATE_CHILD, s->aux, ZX_VMO_CHILD_SLICE, 2 * PAGE, 3 * PAGE);
    pgr_result result = open_call(s, &call);
    uint32_t slice = object_of(s, (zx_handle_t)result.out[4]);

    vmo_at(s->w, slice)->offset_pages = 3;
    says(s, close_call(s, &call, &result), "O7", "the new vmo %u shows 3 pages from page 3 of pages %u", slice,
         pages_of(s, s->aux));
}

static void o7_references_show_their_parent(void **state)
{
    struct scene *s = *state;
    pgr_call call = CALL(VMO_CREATE_CHILD, s->aux, ZX_VMO_CHILD_REFERENCE, 0, 0);
    pgr_result result = open_call(s, &call);
    uint32_t reference = object_of(s, (zx_handle_t)result.out[4]);

    vmo_at(s->w, reference)->pages = pages_of(s, s->parent);
    says(s, close_call(s, &call, &result), "O7", "the new vmo %u shows 8 pages from page 0 of pages %u", reference,
         pages_of(s, s->parent));
}

static void o7_snapshots_begin_as_their_parent(void **state)
{
    struct scene *s = *state;
    pgr_call call = CALL(VMO_CREATE_CHILD, s->aux, ZX_VMO_CHILD_SNAPSHOT, PAGE, 9 * PAGE);
    pgr_result result = open_call(s, &call);
    zx_handle_t child = (zx_handle_t)result.out[4];

    assert_int_equal(close_call(s, &call, &result), 0);
    result = open_call(s, &call);
    child = (zx_handle_t)result.out[4];
    run_of(s, child, 0)->frame++;
    says(s, close_call(s, &call, &result), "O7", "the new vmo %u (pages %u) shows frame %u at page 0",
         object_of(s, child), pages_of(s, child), frame_of(s, child, 0));
}

static void o8_nobody_sees_more_than_before(void **state)
{
    struct scene *s = *state;
    zx_handle_t child =
        made(s, CALL(VMO_CREATE_CHILD, s->pager_vmo, ZX_VMO_CHILD_SNAPSHOT_AT_LEAST_ON_WRITE, 0, 2 * PAGE), 4);
    pgr_call call = read_call(child, 2, 0);
    pgr_result result = open_call(s, &call);

    pages_at(s->w, pages_of(s, child))->parent_limit_pages = 3;
    says(s, close_call(s, &call, &result), "O8", "saw 2 pages from page 0 of pages %u and sees 3",
         pages_of(s, s->pager_vmo));
}

/* --- M3 --- */

static void m3_what_is_mapped_is_there(void **state)
{
    struct scene *s = *state;
    pgr_call call = CALL(VMAR_MAP, s->start.vmar, ZX_VM_PERM_READ, 0, s->aux, PAGE, 2 * PAGE);
    pgr_result result = open_call(s, &call);

    assert_int_equal(close_call(s, &call, &result), 0);
    result = open_call(s, &call);
    object_at(s->w, mapping_at(s, result.out[6]))->mapping.offset_pages = 2;
    says(s, close_call(s, &call, &result), "M3", "vmo %u was mapped at 0x%llx, where there is mapping %u",
         object_of(s, s->aux), (unsigned long long)result.out[6], mapping_at(s, result.out[6]));
}

static void m3_what_is_unmapped_is_gone(void **state)
{
    struct scene *s = *state;
    uint64_t address = mapped(s, s->aux, 4);
    pgr_call call = CALL(VMAR_UNMAP, s->start.vmar, address + PAGE, PAGE);
    pgr_result result = open_call(s, &call);

    assert_int_equal(close_call(s, &call, &result), 0);
    assert_int_equal(walk(s), 0);
    call = CALL(VMAR_UNMAP, s->start.vmar, address, PAGE);
    result = open_call(s, &call);
    call.arg[2] = 4 * PAGE;
    says(s, close_call(s, &call, &result), "M3", "0x%llx to 0x%llx was unmapped, and object %u is there",
         (unsigned long long)address, (unsigned long long)address + 4 * PAGE, mapping_at(s, address));
}

static void m3_what_is_protected_is_so(void **state)
{
    struct scene *s = *state;
    uint64_t address = mapped(s, s->aux, 4);
    pgr_call call = CALL(VMAR_PROTECT, s->start.vmar, ZX_VM_PERM_READ, address + PAGE, PAGE);
    pgr_result result = open_call(s, &call);

    assert_int_equal(close_call(s, &call, &result), 0);
    result = open_call(s, &call);
    object_at(s->w, mapping_at(s, address + PAGE))->mapping.perms = 0;
    says(s, close_call(s, &call, &result), "M3", "0x%llx to 0x%llx was given the permissions 0x1, and mapping %u",
         (unsigned long long)address + PAGE, (unsigned long long)address + 2 * PAGE, mapping_at(s, address + PAGE));
}

static void m3_what_is_beside_stays(void **state)
{
    struct scene *s = *state;
    uint64_t address = mapped(s, s->aux, 4);
    pgr_call call = CALL(VMAR_UNMAP, s->start.vmar, address, PAGE);
    pgr_result result = open_call(s, &call);

    object_at(s->w, mapping_at(s, address))->mapping.offset_pages = 0;
    says(s, close_call(s, &call, &result), "M3", "at 0x%llx, beside the range, was page 1 of vmo %u",
         (unsigned long long)address + PAGE, object_of(s, s->aux));
}

/* --- D --- */

static void d1_aux_is_empty(void **state)
{
    struct scene *s = *state;
    pgr_call call = supply_call(s, 0, 2, 0);
    pgr_result result = open_call(s, &call);

    dispatch(s, write_call(s->aux, 1, 1));
    says(s, close_call(s, &call, &result), "D1", "aux vmo %u (pages %u) page 1 still has frame %u",
         object_of(s, s->aux), pages_of(s, s->aux), frame_of(s, s->aux, 1));
}

static void d2_every_page_is_filled(void **state)
{
    struct scene *s = *state;
    pgr_call done = supply_call(s, 0, 2, 0), call = supply_call(s, 0, 3, 0);
    uint32_t frame = frame_of(s, s->aux, 2);

    check_before(s->c, s->w, s->frames, &call);
    pgr_result result = dispatch(s, done);
    dispatch(s, CALL(VMO_OP_RANGE, s->aux, ZX_VMO_OP_DECOMMIT, 2 * PAGE, PAGE));
    says(s, close_call(s, &call, &result), "D2",
         "vmo %u (pages %u) page 2 does not hold what aux page 2 (frame %u) had: it is absent",
         object_of(s, s->pager_vmo), pages_of(s, s->pager_vmo), frame);
}

static void d2_bytes_are_the_aux_bytes(void **state)
{
    struct scene *s = *state;
    pgr_call call = supply_call(s, 4, 3, 0);
    pgr_result result = open_call(s, &call);
    uint32_t frame = frame_of(s, s->pager_vmo, 5);

    s->frames[frame * PAGE + PAGE - 1] ^= 1;
    says(s, close_call(s, &call, &result), "D2",
         "page 5 does not hold what aux page 1 (frame %u) had: it is clean, frame %u", frame, frame);
}

static void d2_nothing_is_replaced(void **state)
{
    struct scene *s = *state;

    succeeds(s, supply_call(s, 0, 1, 0));
    pgr_call call = supply_call(s, 0, 3, 1);
    pgr_result result = open_call(s, &call);
    dispatch(s, write_call(s->pager_vmo, 0, 1));
    says(s, close_call(s, &call, &result), "D2",
         "vmo %u (pages %u) page 0 was there before the supply (clean, frame %u", object_of(s, s->pager_vmo),
         pages_of(s, s->pager_vmo), frame_of(s, s->pager_vmo, 0));
}

static void d3_spare_frames_are_free(void **state)
{
    struct scene *s = *state;

    succeeds(s, supply_call(s, 0, 2, 0));
    uint32_t frame = frame_of(s, s->aux, 3);
    pgr_call call = supply_call(s, 0, 2, 2);
    pgr_result result = open_call(s, &call);
    frames_take_at(s->w, s->frames, (struct stretch){frame, 1});
    says(s, close_call(s, &call, &result), "D3", "frame %u of aux vmo %u (pages %u) page 3 was not needed", frame,
         object_of(s, s->aux), pages_of(s, s->aux));
}

static void d4_aux_is_whole_or_empty(void **state)
{
    struct scene *s = *state;
    pgr_call call = supply_call(s, VMO_PAGES - 1, 3, 2);
    pgr_result result = open_call(s, &call);

    assert_int_equal(result.status, ZX_ERR_OUT_OF_RANGE);
    dispatch(s, CALL(VMO_OP_RANGE, s->aux, ZX_VMO_OP_DECOMMIT, 3 * PAGE, PAGE));
    says(s, close_call(s, &call, &result), "D4", "of aux vmo %u (pages %u) page 3 has changed, page 2 has a frame",
         object_of(s, s->aux), pages_of(s, s->aux));
}

static void d4_nothing_foreign_is_inserted(void **state)
{
    struct scene *s = *state;
    pgr_call call = supply_call(s, VMO_PAGES - 1, 2, 4);
    pgr_result result = open_call(s, &call);

    dispatch(s, supply_call(s, VMO_PAGES - 1, 1, 0));
    says(s, close_call(s, &call, &result), "D4", "vmo %u (pages %u) page 7 (clean, frame %u) is neither as before",
         object_of(s, s->pager_vmo), pages_of(s, s->pager_vmo), frame_of(s, s->pager_vmo, 7));
}

/* --- E1 --- */

static void e1_failures_change_no_count(void **state)
{
    struct scene *s = *state;
    pgr_call call = read_call(s->aux, VMO_PAGES, 1);
    pgr_result result = open_call(s, &call);

    assert_int_equal(result.status, ZX_ERR_OUT_OF_RANGE);
    dispatch(s, CALL(EVENT_CREATE, 0));
    says(s, close_call(s, &call, &result), "E1", "zx_vmo_read failed, yet there are");
}

static void e1_failures_change_no_map(void **state)
{
    struct scene *s = *state;
    uint32_t frame = frame_of(s, s->aux, 0);
    pgr_call call = read_call(s->aux, VMO_PAGES, 1);
    pgr_result result = open_call(s, &call);

    run_of(s, s->aux, 0)->frame += 32;
    says(s, close_call(s, &call, &result), "E1",
         "in vmo %u (pages %u) the run of 8 pages from page 0 (anonymous, frame %u, pins 0)", object_of(s, s->aux),
         pages_of(s, s->aux), frame);
}

static void e1_failures_change_no_byte(void **state)
{
    struct scene *s = *state;
    pgr_call call = read_call(s->parent, VMO_PAGES, 1);
    pgr_result result = open_call(s, &call);

    s->frames[frame_of(s, s->aux, 3) * PAGE] ^= 1;
    says(s, close_call(s, &call, &result), "E1", "yet the canonical hash was");
}

static void e1_knows_its_exceptions(void **state)
{
    struct scene *s = *state;

    succeeds(s, supply_call(s, 0, 1, 0));
    succeeds(s, write_call(s->pager_vmo, 0, 1));
    succeeds(s, CALL(PAGER_DETACH_VMO, s->pager, s->pager_vmo));
    assert_int_equal(checked(s, write_call(s->pager_vmo, 0, 2)).status, ZX_ERR_BAD_STATE);
    assert_int_equal(checked(s, CALL(HANDLE_REPLACE, s->aux, UINT32_MAX)).status, ZX_ERR_INVALID_ARGS);
    assert_int_equal(pgr_inspect_handle_row(s->w, s->aux), 0);
    assert_int_equal(checked(s, CALL(PMT_UNPIN, s->child)).status, ZX_ERR_WRONG_TYPE);
    assert_int_equal(walk(s), 0);
}

/* A failed DIRTY wakes who waits for its pages, and does no more. */
static void e1_lets_a_failed_dirty_wake(void **state)
{
    struct scene *s = *state;
    zx_handle_t vmo = trapped_vmo(s);
    pgr_call call = op_call(s, vmo, ZX_PAGER_OP_DIRTY, 2, VMO_PAGES);

    blocks(s, 1, write_call(vmo, 2, 1));
    assert_int_equal(checked(s, call).status, ZX_ERR_OUT_OF_RANGE);
    assert_int_equal(pgr_first_released(s->w), 1);
    assert_int_equal(walk(s), 0);
    pgr_result result = open_call(s, &call);
    run_of(s, vmo, 0)->hint = PGR_HINT_DONT_NEED;
    says(s, close_call(s, &call, &result), "E1", "zx_pager_op_range failed, yet in vmo %u (pages %u)",
         object_of(s, vmo), pages_of(s, vmo));
}

static void e1_faults_at_once_change_nothing(void **state)
{
    struct scene *s = *state;
    uint64_t address = mapped(s, s->aux, 2);
    pgr_call call = store_call(address + 2 * PAGE, 4);
    pgr_result result = open_call(s, &call);

    assert_int_equal(result.outcome, PGR_FAULT);
    dispatch(s, CALL(EVENT_CREATE, 0));
    says(s, close_call(s, &call, &result), "E1", "mem_write failed, yet there are");
    /* What was stored before the fault stays. */
    assert_int_equal(checked(s, store_call(address + PAGE, PAGE + 1)).outcome, PGR_FAULT);
}

static void e1_keeps_the_progress_of_mappings(void **state)
{
    struct scene *s = *state;
    zx_handle_t vmo = made(s, CALL(VMO_CREATE, VMO_PAGES * PAGE, 0), 2);
    uint64_t address = mapped(s, vmo, 2);

    assert_int_equal(checked(s, CALL(VMAR_OP_RANGE, s->start.vmar, ZX_VMAR_OP_COMMIT, address, 4 * PAGE)).status,
                     ZX_ERR_BAD_STATE);
    assert_int_not_equal(frame_of(s, vmo, 1), 0);
    assert_int_equal(walk(s), 0);
}

static void e1_buffers_fail_late(void **state)
{
    struct scene *s = *state;
    pgr_call call = write_call(s->pager_vmo, 0, 1);

    succeeds(s, supply_call(s, 0, 1, 0));
    call.at = 0x1000;
    assert_int_equal(checked(s, call).status, ZX_ERR_NOT_FOUND);
    assert_int_equal(run_of(s, s->pager_vmo, 0)->state, PGR_PAGE_DIRTY);
    assert_int_equal(checked(s, CALL(VMO_REPLACE_AS_EXECUTABLE, s->port, 0)).status, ZX_ERR_WRONG_TYPE);
    assert_int_equal(walk(s), 0);
}

/* --- W1 --- */

static void w1_dirty_bytes_survive(void **state)
{
    struct scene *s = *state;

    succeeds(s, supply_call(s, 0, 4, 0));
    succeeds(s, write_call(s->pager_vmo, 1, 2));
    pgr_call call = CALL(PAGER_DETACH_VMO, s->pager, s->pager_vmo);
    pgr_result result = open_call(s, &call);
    uint32_t frame = frame_of(s, s->pager_vmo, 2);
    s->frames[frame * PAGE] ^= 1;
    says(s, close_call(s, &call, &result), "W1",
         "vmo %u (pages %u) page 2: the bytes of a page that was dirty (frame %u, now frame %u)",
         object_of(s, s->pager_vmo), pages_of(s, s->pager_vmo), frame, frame);
}

static void w1_knows_the_edges(void **state)
{
    struct scene *s = *state;

    succeeds(s, supply_call(s, 0, 4, 0));
    uint32_t frame = frame_of(s, s->pager_vmo, 3);
    pgr_call call = read_call(s->pager_vmo, 0, 1);
    pgr_result result = open_call(s, &call);
    dispatch(s, write_call(s->pager_vmo, 3, 1));
    says(s, close_call(s, &call, &result), "W1",
         "vmo %u (pages %u) page 3 was clean (frame %u) and is dirty (frame %u) after zx_vmo_read",
         object_of(s, s->pager_vmo), pages_of(s, s->pager_vmo), frame, frame);
}

static void w1_eviction_takes_clean_pages_only(void **state)
{
    struct scene *s = *state;

    succeeds(s, supply_call(s, 0, 4, 0));
    succeeds(s, write_call(s->pager_vmo, 1, 1));
    uint32_t frame = frame_of(s, s->pager_vmo, 1);
    pgr_call call = CALL(RECLAIM, 1);
    pgr_result result = open_call(s, &call);
    run_of(s, s->pager_vmo, 1)->state = PGR_PAGE_AWAITING_CLEAN;
    says(s, close_call(s, &call, &result), "W1", "page 1 was dirty (frame %u) and is awaiting clean", frame);
}

static void w1_resumed_calls_are_judged(void **state)
{
    struct scene *s = *state;

    succeeds(s, supply_call(s, 5, 1, 0));
    blocks(s, 1, read_call(s->pager_vmo, 0, 1));
    succeeds(s, supply_call(s, 0, 1, 1));
    pgr_call call = resume_call(1);
    pgr_result result = open_call(s, &call);
    dispatch(s, write_call(s->pager_vmo, 5, 1));
    says(s, close_call(s, &call, &result), "W1", "page 5 was clean");
}

static void w1_traps_are_kept(void **state)
{
    struct scene *s = *state;
    zx_handle_t vmo = trapped_vmo(s);
    pgr_call call = write_call(vmo, 2, 1);

    call.thread = 1;
    pgr_result result = open_call(s, &call);
    run_of(s, vmo, 0)->state = PGR_PAGE_DIRTY;
    says(s, close_call(s, &call, &result), "W1", "vmo %u (pages %u) page 0 was clean", object_of(s, vmo),
         pages_of(s, vmo));
}

static void w1_writebacks_keep_to_their_range(void **state)
{
    struct scene *s = *state;

    succeeds(s, supply_call(s, 0, 4, 0));
    succeeds(s, write_call(s->pager_vmo, 0, 4));
    pgr_call call = op_call(s, s->pager_vmo, ZX_PAGER_OP_WRITEBACK_BEGIN, 1, 2);
    pgr_result result = open_call(s, &call);
    assert_int_equal(close_call(s, &call, &result), 0);
    call = op_call(s, s->pager_vmo, ZX_PAGER_OP_WRITEBACK_BEGIN, 0, 4);
    result = open_call(s, &call);
    call = op_call(s, s->pager_vmo, ZX_PAGER_OP_WRITEBACK_BEGIN, 0, 3);
    succeeds(s, op_call(s, s->pager_vmo, ZX_PAGER_OP_WRITEBACK_END, 0, 4));
    succeeds(s, write_call(s->pager_vmo, 3, 1));
    check_before(s->c, s->w, s->frames, &call);
    result = dispatch(s, op_call(s, s->pager_vmo, ZX_PAGER_OP_WRITEBACK_BEGIN, 0, 4));
    says(s, close_call(s, &call, &result), "W1", "vmo %u (pages %u) page 3 was dirty", object_of(s, s->pager_vmo),
         pages_of(s, s->pager_vmo));
}

static void w1_writebacks_keep_bytes(void **state)
{
    struct scene *s = *state;

    succeeds(s, supply_call(s, 0, 4, 0));
    succeeds(s, write_call(s->pager_vmo, 0, 4));
    succeeds(s, op_call(s, s->pager_vmo, ZX_PAGER_OP_WRITEBACK_BEGIN, 0, 4));
    pgr_call call = op_call(s, s->pager_vmo, ZX_PAGER_OP_WRITEBACK_END, 0, 4);
    pgr_result result = open_call(s, &call);
    uint32_t frame = frame_of(s, s->pager_vmo, 2);
    s->frames[frame * PAGE] ^= 1;
    says(s, close_call(s, &call, &result), "W1", "page 2: the bytes of a page that was awaiting clean (frame %u",
         frame);
}

/* Of zeros an END cleans what was being written back when it came, and of an interval that began before it nothing. */
static void w1_zeros_are_cleaned_from_their_begin(void **state)
{
    struct scene *s = *state;

    succeeds(s, CALL(VMO_OP_RANGE, s->pager_vmo, ZX_VMO_OP_ZERO, PAGE, 5 * PAGE));
    succeeds(s, op_call(s, s->pager_vmo, ZX_PAGER_OP_WRITEBACK_BEGIN, 0, 3));
    pgr_call call = op_call(s, s->pager_vmo, ZX_PAGER_OP_WRITEBACK_END, 2, 4);
    succeeds(s, call);
    assert_int_equal(run_of(s, s->pager_vmo, 0)->count, 5);
    call = op_call(s, s->pager_vmo, ZX_PAGER_OP_WRITEBACK_END, 0, 8);
    pgr_result result = open_call(s, &call);
    assert_int_equal(run_of(s, s->pager_vmo, 0)->count, 3);
    run_of(s, s->pager_vmo, 0)->count = 2;
    run_of(s, s->pager_vmo, 0)->page = 4;
    says(s, close_call(s, &call, &result), "W1", "vmo %u (pages %u) page 3 was a zero interval (frame 0) and is absent",
         object_of(s, s->pager_vmo), pages_of(s, s->pager_vmo));
}

/* --- R2, R6, H1, C1 --- */

static void r6_waits_are_for_what_is_needed(void **state)
{
    struct scene *s = *state;
    zx_handle_t child = seeing_child(s);
    pgr_call call = read_call(child, 2, 3);

    call.thread = 1;
    pgr_result result = open_call(s, &call);
    request_of(s)->page = 3;
    says(s, close_call(s, &call, &result), "R6", "thread 1 has done 0 bytes and waits for request");
}

static void r6_faults_wait_for_their_page(void **state)
{
    struct scene *s = *state;
    uint64_t address = mapped(s, trapped_vmo(s), 4);
    pgr_call call = store_call(address + PAGE, 3);

    call.thread = 1;
    pgr_result result = open_call(s, &call);
    assert_int_equal(result.outcome, PGR_BLOCKED);
    assert_int_equal(close_call(s, &call, &result), 0);
    call.thread = 2;
    call.arg[0] += PAGE;
    result = open_call(s, &call);
    thread_at(s->w, 3)->request = thread_at(s->w, 2)->request;
    says(s, close_call(s, &call, &result), "R6", "thread 2 has done 0 bytes and waits for request");
}

static void r2_outcomes_fit_threads(void **state)
{
    struct scene *s = *state;
    pgr_call call = read_call(s->pager_vmo, 2, 1);
    pgr_result result = open_call(s, &call);

    result.outcome = PGR_DONE;
    says(s, close_call(s, &call, &result), "R2", "thread 0 is in state 1 after a result with the outcome 0");
}

static void r2_lets_blocked_threads_be(void **state)
{
    struct scene *s = *state;
    pgr_call reclaim = CALL(RECLAIM, 1), kill = CALL(THREAD_KILL, 1);

    blocks(s, 1, read_call(s->pager_vmo, 2, 1));
    reclaim.thread = kill.thread = 1;
    succeeds(s, reclaim);
    assert_int_equal(walk(s), 0);
    succeeds(s, kill);
    assert_int_equal(walk(s), 0);
}

static void h1_duplicates_gain_no_right(void **state)
{
    struct scene *s = *state;
    pgr_call call = CALL(HANDLE_DUPLICATE, s->aux, ZX_RIGHT_READ);
    pgr_result result = open_call(s, &call);

    handle_at(s->w, pgr_inspect_handle_row(s->w, (zx_handle_t)result.out[2]))->rights |= ZX_RIGHT_EXECUTE;
    says(s, close_call(s, &call, &result), "H1", "handle 0x%x to object %u has the rights 0x14",
         (unsigned)result.out[2], object_of(s, s->aux));
}

static void c1_info_is_what_is_counted(void **state)
{
    struct scene *s = *state;
    pgr_call call = CALL(OBJECT_GET_INFO, s->aux, ZX_INFO_VMO);
    pgr_result result = open_call(s, &call);

    result.vmo.committed_bytes += PAGE;
    says(s, close_call(s, &call, &result), "C1", "vmo %u: info.committed_bytes is said to be 144, a walk counts 128",
         object_of(s, s->aux));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scene_set_up, scene_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(o3_watches_touched_maps),
        TEST(o5_pinned_pages_keep_their_frame),
        TEST(o6_relatives_are_not_written),
        TEST(o6_copies_are_copies),
        TEST(o6_ancestors_are_not_written),
        TEST(o6_copies_of_ancestors_are_copies),
        TEST(o6_those_who_see_are_not_written),
        TEST(o6_lets_children_see_through),
        TEST(o7_slices_show_their_parent),
        TEST(o7_references_show_their_parent),
        TEST(o7_snapshots_begin_as_their_parent),
        TEST(o8_nobody_sees_more_than_before),
        TEST(m3_what_is_mapped_is_there),
        TEST(m3_what_is_unmapped_is_gone),
        TEST(m3_what_is_protected_is_so),
        TEST(m3_what_is_beside_stays),
        TEST(d1_aux_is_empty),
        TEST(d2_every_page_is_filled),
        TEST(d2_bytes_are_the_aux_bytes),
        TEST(d2_nothing_is_replaced),
        TEST(d3_spare_frames_are_free),
        TEST(d4_aux_is_whole_or_empty),
        TEST(d4_nothing_foreign_is_inserted),
        TEST(e1_failures_change_no_count),
        TEST(e1_failures_change_no_map),
        TEST(e1_failures_change_no_byte),
        TEST(e1_knows_its_exceptions),
        TEST(e1_lets_a_failed_dirty_wake),
        TEST(e1_faults_at_once_change_nothing),
        TEST(e1_keeps_the_progress_of_mappings),
        TEST(e1_buffers_fail_late),
        TEST(w1_traps_are_kept),
        TEST(w1_writebacks_keep_to_their_range),
        TEST(w1_writebacks_keep_bytes),
        TEST(w1_zeros_are_cleaned_from_their_begin),
        TEST(w1_dirty_bytes_survive),
        TEST(w1_knows_the_edges),
        TEST(w1_eviction_takes_clean_pages_only),
        TEST(w1_resumed_calls_are_judged),
        TEST(r6_waits_are_for_what_is_needed),
        TEST(r6_faults_wait_for_their_page),
        TEST(r2_outcomes_fit_threads),
        TEST(r2_lets_blocked_threads_be),
        TEST(h1_duplicates_gain_no_right),
        TEST(c1_info_is_what_is_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
