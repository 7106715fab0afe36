/*
 * What must be true of every world, whatever was called: for each invariant a world is spoiled on purpose, by writing
 * into its rows, and check_walk (or check_end) must report exactly that number, with object, page and frame by their
 * numbers.
 */
#include "tests/invariants_support.h"

/* --- nothing is wrong --- */

static void clean_worlds_pass(void **state)
{
    struct scene *s = *state;

    assert_int_equal(walk(s), 0);
    assert_string_equal(check_message(s->c), "no violation");
    assert_null(check_violated(s->c));
    succeeds(s, supply_call(s, 1, 4, 1));
    succeeds(s, write_call(s->pager_vmo, 2, 1));
    blocks(s, 1, read_call(s->pager_vmo, 0, 8));
    blocks(s, 2, read_call(s->pager_vmo, 6, 1));
    assert_int_equal(walk(s), 0);
    succeeds(s, CALL(PAGER_DETACH_VMO, s->pager, s->pager_vmo));
    assert_int_equal(walk(s), 0);
    assert_int_equal(checked(s, resume_call(1)).status, ZX_ERR_BAD_STATE);
    assert_int_equal(walk(s), 0);
    assert_int_equal(check_end(s->c, s->w, s->frames), 0);
}

static void list_is_complete(void **state)
{
    static const char *const blueprint[] = {"O1", "O2", "O3", "O4", "O5", "O6", "O7", "O8", "O9", "D1",
                                            "D2", "D3", "D4", "E1", "R1", "R2", "R3", "R4", "R5", "R6",
                                            "W1", "H1", "H2", "M1", "M2", "M3", "C1", "C2"};
    uint32_t count;
    const struct check_invariant *all = check_list(&count);

    (void)state;
    assert_int_equal(count, sizeof blueprint / sizeof blueprint[0]);
    for (uint32_t i = 0; i < count; i++) {
        assert_string_equal(all[i].number, blueprint[i]);
        assert_true(strlen(all[i].sentence) > 20);
    }
}

/* --- O --- */

static void o1_counts_holders(void **state)
{
    struct scene *s = *state;
    uint32_t frame = frame_of(s, s->aux, 2);

    frames_share(s->w, (struct stretch){frame, 1});
    says(s, walk(s), "O1", "frame %u is held 1 times (vmo %u (pages %u) page 2), its count says 2", frame,
         object_of(s, s->aux), pages_of(s, s->aux));
}

static void o1_sees_a_lost_frame(void **state)
{
    struct scene *s = *state;
    uint32_t frame = frames_take(s->w, s->frames, 1).frame;

    says(s, walk(s), "O1", "frame %u is held 0 times (nobody), its count says 1", frame);
}

static void o2_counts_free_frames(void **state)
{
    struct scene *s = *state;

    s->w->frames_free--;
    says(s, walk(s), "O2", "%u frames are said to be free, %u of 63 are", (unsigned)s->w->frames_free,
         (unsigned)s->w->frames_free + 1);
}

static void o3_keeps_runs_inside(void **state)
{
    struct scene *s = *state;

    pages_at(s->w, pages_of(s, s->aux))->size_pages = 3;
    says(s, walk(s), "O3",
         "vmo %u (pages %u): the run of 8 pages from page 0 (frame %u) ends behind the size of 3 pages",
         object_of(s, s->aux), pages_of(s, s->aux), frame_of(s, s->aux, 0));
}

static void o3_wants_runs_sorted(void **state)
{
    struct scene *s = *state;

    succeeds(s, CALL(VMO_OP_RANGE, s->aux, ZX_VMO_OP_DECOMMIT, 2 * PAGE, PAGE));
    run_of(s, s->aux, 0)->count = 5;
    says(s, walk(s), "O3", "vmo %u (pages %u): the run from page 3 (frame %u)", object_of(s, s->aux),
         pages_of(s, s->aux), frame_of(s, s->aux, 6) - 3);
}

static void o3_wants_runs_joined(void **state)
{
    struct scene *s = *state;
    struct run *run = run_of(s, s->aux, 0), behind = *run;
    struct cursor at = cursor_on(&pages_at(s->w, pages_of(s, s->aux))->map);

    behind.page = 3, behind.count = 5, behind.frame += 3;
    run->count = 3;
    tree_seek(s->w, &at, 3);
    tree_insert(s->w, &at, &behind);
    says(s, walk(s), "O3", "the run from page 3 (anonymous, frame %u) continues the one from page 0", behind.frame);
}

static void o3_survives_empty_runs(void **state)
{
    struct scene *s = *state;

    run_of(s, s->aux, 0)->count = UINT64_MAX - 2;
    run_of(s, s->aux, 0)->page = 5;
    says(s, walk(s), "O3", "vmo %u (pages %u): the run of", object_of(s, s->aux), pages_of(s, s->aux));
}

static void o3_knows_possible_states(void **state)
{
    struct scene *s = *state;

    run_of(s, s->aux, 0)->state = PGR_PAGE_DIRTY;
    says(s, walk(s), "O3", "vmo %u (pages %u) page 0 (frame %u) is in state dirty", object_of(s, s->aux),
         pages_of(s, s->aux), frame_of(s, s->aux, 0));
}

static void o4_only_relatives_share(void **state)
{
    struct scene *s = *state;
    uint32_t frame = frame_of(s, s->aux, 0);

    run_of(s, s->parent, 0)->frame = frame;
    says(s, walk(s), "O4", "frame %u is shared by vmo %u (pages %u) page 0, vmo %u (pages %u) page 0", frame,
         object_of(s, s->aux), pages_of(s, s->aux), object_of(s, s->parent), pages_of(s, s->parent));
}

static void o4_rings_close(void **state)
{
    struct scene *s = *state;

    pages_at(s->w, pages_of(s, s->child))->family_next = pages_of(s, s->aux);
    says(s, walk(s), "O4", "leads to object %u and not back", pages_of(s, s->aux));
}

static void o5_contiguous_is_whole(void **state)
{
    struct scene *s = *state;

    object_at(s->w, pages_of(s, s->parent))->flags |= PGR_PAGES_CONTIGUOUS;
    says(s, walk(s), "O5", "contiguous vmo %u (pages %u) has no frame at page 2 (frame %u would follow)",
         object_of(s, s->parent), pages_of(s, s->parent), frame_of(s, s->parent, 1) + 1);
}

static void o5_pins_have_tokens(void **state)
{
    struct scene *s = *state;

    run_of(s, s->aux, 0)->pins = 1;
    pages_at(s->w, pages_of(s, s->aux))->pins = VMO_PAGES;
    says(s, walk(s), "O5", "vmo %u (pages %u) page 0 (frame %u) has 1 pins, and 0 tokens pin it", object_of(s, s->aux),
         pages_of(s, s->aux), frame_of(s, s->aux, 0));
}

static void o3_knows_possible_marks(void **state)
{
    struct scene *s = *state;

    run_of(s, s->aux, 0)->hint = PGR_HINT_ALWAYS_NEED;
    says(s, walk(s), "O3", "the run of 8 pages from page 0 is anonymous, yet has hint 2 and awaits 0 pages");
    run_of(s, s->aux, 0)->hint = 0;
    run_of(s, s->aux, 0)->awaiting = 3;
    says(s, walk(s), "O3", "the run of 8 pages from page 0 is anonymous, yet has hint 0 and awaits 3 pages");
}

static void o8_chains_lead_to_a_pager(void **state)
{
    struct scene *s = *state;
    zx_handle_t child = seeing_child(s);

    assert_int_equal(walk(s), 0);
    pages_at(s->w, pages_of(s, child))->parent = pages_of(s, s->aux);
    object_at(s->w, pages_of(s, s->aux))->reference_count++;
    object_at(s->w, pages_of(s, s->pager_vmo))->reference_count--;
    says(s, walk(s), "O8", "vmo %u (pages %u) sees through to pages %u, which have no pager", object_of(s, child),
         pages_of(s, child), pages_of(s, s->aux));
}

static void o8_chains_end(void **state)
{
    struct scene *s = *state;
    uint32_t child = pages_of(s, seeing_child(s));

    pages_at(s->w, child)->parent = child;
    object_at(s->w, child)->reference_count++;
    object_at(s->w, pages_of(s, s->pager_vmo))->reference_count--;
    says(s, walk(s), "O8", "sees through to object %u, at which the chain goes wrong", child);
}

static void o8_windows_lie_inside(void **state)
{
    struct scene *s = *state;
    uint32_t child = pages_of(s, seeing_child(s));

    pages_at(s->w, child)->parent_offset_pages = 1;
    says(s, walk(s), "O8", "(pages %u) of 8 pages sees 8 pages of vmo %u (pages %u), from page 1 on", child,
         object_of(s, s->pager_vmo), pages_of(s, s->pager_vmo));
}

static void o9_pages_are_seen(void **state)
{
    struct scene *s = *state;
    uint32_t pages = pages_of(s, s->aux);

    pages_at(s->w, pages)->vmo_count = 0;
    says(s, walk(s), "O9", "pages %u hold 8 frames, and no VMO shows them", pages);
}

static void o9_children_keep_pages(void **state)
{
    struct scene *s = *state;

    seeing_child(s);
    succeeds(s, CALL(HANDLE_CLOSE, s->pager_vmo));
    assert_int_equal(walk(s), 0);
}

/* --- M --- */

static void m1_regions_lie_inside(void **state)
{
    struct scene *s = *state;
    uint64_t address = mapped(s, s->aux, 2);

    assert_int_equal(walk(s), 0);
    region_of(s, address)->page -= 1;
    says(s, walk(s), "M1", "holds object %u at 0x%llx (0x20 bytes), where 0x%llx is the next free address",
         mapping_at(s, address), (unsigned long long)address - PAGE, (unsigned long long)address);
}

static void m1_regions_lie_apart(void **state)
{
    struct scene *s = *state;
    uint64_t address = mapped(s, s->aux, 2), behind = mapped(s, s->parent, 2);
    uint32_t mapping = mapping_at(s, behind);

    region_of(s, address)->count = 3;
    says(s, walk(s), "M1", "holds object %u at 0x%llx (0x20 bytes), where 0x%llx is the next free address", mapping,
         (unsigned long long)behind, (unsigned long long)behind + PAGE);
}

static void m1_mappings_stand_once(void **state)
{
    struct scene *s = *state;
    uint64_t address = mapped(s, s->aux, 2), behind = mapped(s, s->parent, 2);

    region_of(s, behind)->frame = mapping_at(s, address);
    says(s, walk(s), "M1", "mapping %u stands in 2 places", mapping_at(s, address));
}

static void m1_regions_know_their_vmar(void **state)
{
    struct scene *s = *state;
    pgr_result made_vmar = checked(s, CALL(VMAR_ALLOCATE, s->start.vmar, ZX_VM_CAN_MAP_READ, 0, 4 * PAGE));
    uint32_t vmar = object_of(s, (zx_handle_t)made_vmar.out[4]);

    assert_int_equal(walk(s), 0);
    object_at(s->w, vmar)->vmar.count = 3;
    says(s, walk(s), "M1", "holds vmar %u at 0x%llx (0x40 bytes), which knows nothing of that", vmar,
         (unsigned long long)made_vmar.out[5]);
}

static void m2_permissions_are_allowed(void **state)
{
    struct scene *s = *state;
    uint32_t mapping = mapping_at(s, mapped(s, s->aux, 2));

    object_at(s->w, mapping)->mapping.perms |= ZX_VM_PERM_EXECUTE;
    says(s, walk(s), "M2", "mapping %u of vmo %u has the permissions 0x7, may have 0x3", mapping, object_of(s, s->aux));
}

static void h1_mappings_hold_their_vmo(void **state)
{
    struct scene *s = *state;
    uint32_t vmo = object_of(s, s->aux);

    mapped(s, s->aux, 2);
    object_at(s->w, vmo)->reference_count--;
    says(s, walk(s), "H1", "object %u (kind %d) counts 0 references, and 1 objects refer to it", vmo, PGR_OBJECT_VMO);
}

static void h1_calls_hold_what_they_use(void **state)
{
    struct scene *s = *state;
    uint32_t vmo = object_of(s, s->pager_vmo);

    blocks(s, 1, read_call(s->pager_vmo, 0, 1));
    object_at(s->w, vmo)->reference_count--;
    says(s, walk(s), "H1", "object %u (kind %d) counts 0 references, and 1 objects refer to it", vmo, PGR_OBJECT_VMO);
}

static void c1_mappings_are_counted(void **state)
{
    struct scene *s = *state;
    uint32_t vmo = object_of(s, s->aux);

    mapped(s, s->aux, 2);
    vmo_at(s->w, vmo)->mapping_count = 2;
    says(s, walk(s), "C1", "vmo %u: the number of mappings is said to be 2, a walk counts 1", vmo);
}

/* --- R --- */

static void r1_pending_is_within_bounds(void **state)
{
    struct scene *s = *state;

    blocks(s, 1, read_call(s->pager_vmo, 2, 3));
    request_of(s)->pending = 4;
    says(s, walk(s), "R1", "(READ, 3 pages from 2 of vmo %u (pages %u)) has 4 pages pending",
         object_of(s, s->pager_vmo), pages_of(s, s->pager_vmo));
}

static void r1_ranges_are_disjoint(void **state)
{
    struct scene *s = *state;

    blocks(s, 1, read_call(s->pager_vmo, 2, 3));
    blocks(s, 2, read_call(s->pager_vmo, 6, 1));
    request_of(s)->count = 5;
    says(s, walk(s), "R1", "(READ, 5 pages from 2 of vmo %u (pages %u)) overlaps request", object_of(s, s->pager_vmo),
         pages_of(s, s->pager_vmo));
}

static void r1_has_waiters(void **state)
{
    struct scene *s = *state;

    blocks(s, 1, read_call(s->pager_vmo, 2, 3));
    thread_at(s->w, 2)->wait = PGR_WAIT_PORT;
    says(s, walk(s), "R1", "has 0 waiters, its count says 1");
}

static void r1_none_on_a_detached_vmo(void **state)
{
    struct scene *s = *state;

    blocks(s, 1, read_call(s->pager_vmo, 2, 3));
    object_at(s->w, request_of(s)->source)->flags |= PGR_SOURCE_DETACHED;
    says(s, walk(s), "R1", "(READ, 3 pages from 2 of vmo %u (pages %u)) is left on a detached VMO",
         object_of(s, s->pager_vmo), pages_of(s, s->pager_vmo));
}

static void r2_idle_threads_wait_for_nothing(void **state)
{
    struct scene *s = *state;

    thread_touch(s->w, 2);
    thread_at(s->w, 2)->request = 3;
    says(s, walk(s), "R2", "thread 1 is idle, yet waits");
}

static void r2_blocked_threads_wait_for_something_live(void **state)
{
    struct scene *s = *state;

    blocks(s, 1, CALL(PORT_WAIT, s->port, ZX_TIME_INFINITE));
    thread_at(s->w, 2)->object = object_of(s, s->aux);
    says(s, walk(s), "R2", "thread 1 is blocked on object %u, which is no port", object_of(s, s->aux));
}

static void r2_released_threads_are_queued(void **state)
{
    struct scene *s = *state;

    blocks(s, 1, read_call(s->pager_vmo, 2, 1));
    blocks(s, 2, read_call(s->pager_vmo, 4, 1));
    succeeds(s, supply_call(s, 2, 3, 2));
    thread_at(s->w, 2)->links.next = 0;
    says(s, walk(s), "R2", "2 threads are released, and 1 stand in their queue");
    thread_at(s->w, 2)->links.next = 2;
    says(s, walk(s), "R2", "the queue of released threads goes on with thread 1 after all 2 of them");
}

static void r3_requests_have_one_place(void **state)
{
    struct scene *s = *state;

    blocks(s, 1, read_call(s->pager_vmo, 2, 1));
    request_of(s)->place = PGR_REQUEST_RECEIVED;
    says(s, walk(s), "R3", "(READ, 1 pages from 2 of vmo %u (pages %u)) is said to be received",
         object_of(s, s->pager_vmo), pages_of(s, s->pager_vmo));
}

static void r3_queued_requests_get_their_turn(void **state)
{
    struct scene *s = *state;

    blocks(s, 1, read_call(s->pager_vmo, 2, 1));
    blocks(s, 2, read_call(s->pager_vmo, 4, 1));
    succeeds(s, CALL(PORT_WAIT, s->port, 0));
    request_of(s)->place = PGR_REQUEST_QUEUED;
    assert_int_equal(walk(s), 0);
    request_of(s)->place = PGR_REQUEST_SWALLOWED;
    says(s, walk(s), "R3", "is said to be swallowed");
}

static void r3_packets_say_what_they_carry(void **state)
{
    struct scene *s = *state;

    blocks(s, 1, read_call(s->pager_vmo, 2, 1));
    packet_at(s->w, source_at(s->w, request_of(s)->source)->packet)->body.page_request.offset += PAGE;
    says(s, walk(s), "R3", "of vmo %u (pages %u) says: key 77, command 0, offset 48, length 16",
         object_of(s, s->pager_vmo), pages_of(s, s->pager_vmo));
}

static void r3_queued_packets_are_in_a_port(void **state)
{
    struct scene *s = *state;

    blocks(s, 1, read_call(s->pager_vmo, 2, 1));
    port_at(s->w, object_of(s, s->port))->packets.first = 0;
    says(s, walk(s), "R3", "is said to be queued in port %u, whose queue has it not", object_of(s, s->port));
}

static void r3_survives_circles(void **state)
{
    struct scene *s = *state;
    zx_port_packet_t user = {.key = 1};
    pgr_call queue = CALL(PORT_QUEUE, s->port);

    queue.buffer = &user;
    queue.buffer_bytes = sizeof user;
    succeeds(s, queue);
    uint32_t row = port_at(s->w, object_of(s, s->port))->packets.first;
    packet_at(s->w, row)->links.next = row;
    says(s, walk(s), "R3", "packet %u stands twice", row);
}

static void r4_requests_can_be_completed(void **state)
{
    struct scene *s = *state;

    blocks(s, 1, read_call(s->pager_vmo, 2, 3));
    succeeds(s, supply_call(s, 2, 1, 0));
    assert_int_equal(walk(s), 0);
    request_of(s)->pending = 3;
    says(s, walk(s), "R4", "(READ, 3 pages from 2 of vmo %u (pages %u)) has 3 pages pending and only 2 absent",
         object_of(s, s->pager_vmo), pages_of(s, s->pager_vmo));
}

static void r1_dirty_requests_are_trapped(void **state)
{
    struct scene *s = *state;
    zx_handle_t vmo = trapped_vmo(s);

    blocks(s, 1, write_call(vmo, 2, 3));
    assert_int_equal(walk(s), 0);
    object_at(s->w, pages_of(s, vmo))->flags &= (uint8_t)~PGR_PAGES_TRAP_DIRTY;
    says(s, walk(s), "R1", "(DIRTY, 3 pages from 2 of vmo %u (pages %u)) is one of a VMO whose pager does not trap",
         object_of(s, vmo), pages_of(s, vmo));
}

static void r4_dirty_requests_can_be_completed(void **state)
{
    struct scene *s = *state;
    zx_handle_t vmo = trapped_vmo(s);

    blocks(s, 1, write_call(vmo, 2, 3));
    succeeds(s, op_call(s, vmo, ZX_PAGER_OP_DIRTY, 1, 2));
    assert_int_equal(walk(s), 0);
    request_of(s)->pending = 3;
    says(s, walk(s), "R4", "(DIRTY, 3 pages from 2 of vmo %u (pages %u)) has 3 pages pending and only 2 other",
         object_of(s, vmo), pages_of(s, vmo));
}

static void r5_waiters_get_packets(void **state)
{
    struct scene *s = *state;
    zx_handle_t other = made(s, CALL(PORT_CREATE, 0), 1);

    blocks(s, 2, CALL(PORT_WAIT, other, ZX_TIME_INFINITE));
    blocks(s, 1, read_call(s->pager_vmo, 2, 3));
    thread_at(s->w, 3)->object = object_of(s, s->port);
    says(s, walk(s), "R5", "thread 2 waits at port %u, in which packet", object_of(s, s->port));
}

/* --- H --- */

static void h1_objects_have_a_reason_to_live(void **state)
{
    struct scene *s = *state;
    uint32_t pages = pages_of(s, s->aux);

    object_at(s->w, pages)->reference_count = 0;
    says(s, walk(s), "H1", "object %u (kind %d) is in use with no handle and no reference", pages, PGR_OBJECT_PAGES);
}

static void h1_objects_know_who_refers_to_them(void **state)
{
    struct scene *s = *state;
    uint32_t port = object_of(s, s->port);

    object_at(s->w, port)->reference_count = 0;
    says(s, walk(s), "H1", "object %u (kind %d) counts 0 references, and 1 objects refer to it", port, PGR_OBJECT_PORT);
}

static void h1_links_lead_to_live_objects(void **state)
{
    struct scene *s = *state;
    uint32_t vmo = object_of(s, s->aux), port = object_of(s, s->port);

    vmo_at(s->w, vmo)->pages = port;
    says(s, walk(s), "H1", "object %u (kind 1) has object %u as its pages", vmo, port);
}

static void h2_nothing_is_left(void **state)
{
    struct scene *s = *state;

    /* What objects and handles are left the walk says before; it does not see nodes that no map has. */
    row_take(s->w, TABLE_NODES);
    says(s, check_end(s->c, s->w, s->frames), "H2", "map nodes are in use, a fresh world has");
}

static void h2_threads_are_gone(void **state)
{
    struct scene *s = *state;

    blocks(s, 1, read_call(s->pager_vmo, 2, 3));
    blocks(s, 2, read_call(s->pager_vmo, 2, 1));
    blocks(s, 3, CALL(PORT_WAIT, made(s, CALL(PORT_CREATE, 0), 1), ZX_TIME_INFINITE));
    assert_int_equal(check_end(s->c, s->w, s->frames), 0);
}

/* --- C --- */

static void c1_frames_are_counted(void **state)
{
    struct scene *s = *state;
    uint32_t pages = pages_of(s, s->aux);

    pages_at(s->w, pages)->frames_held++;
    says(s, walk(s), "C1", "pages %u: the number of frames is said to be 9, a walk counts 8", pages);
}

static void c1_handles_are_counted(void **state)
{
    struct scene *s = *state;
    uint32_t vmo = object_of(s, s->aux);

    object_at(s->w, vmo)->handle_count++;
    says(s, walk(s), "C1", "object %u: the number of handles is said to be 2, a walk counts 1", vmo);
}

static void c1_children_are_counted(void **state)
{
    struct scene *s = *state;
    uint32_t vmo = object_of(s, s->parent);

    vmo_at(s->w, vmo)->child_count++;
    says(s, walk(s), "C1", "vmo %u: the number of children is said to be 2, a walk counts 1", vmo);
}

static void c2_zero_children_is_signalled(void **state)
{
    struct scene *s = *state;
    uint32_t vmo = object_of(s, s->parent);

    object_at(s->w, vmo)->signals |= ZX_VMO_ZERO_CHILDREN;
    says(s, walk(s), "C2", "vmo %u has 1 children", vmo);
}

/* --- paper --- */

static void a_violation_can_be_printed(void **state)
{
    struct scene *s = *state;
    char *text = NULL, line[80];
    size_t bytes = 0;
    FILE *out = open_memstream(&text, &bytes);

    blocks(s, 1, read_call(s->pager_vmo, 2, 3));
    uint64_t address = mapped(s, seeing_child(s), 2);
    s->w->frames_free--;
    assert_int_not_equal(walk(s), 0);
    check_print(s->c, s->w, out);
    fclose(out);
    assert_non_null(strstr(text, "O2 says: Free frames and frames in use are all frames"));
    assert_non_null(strstr(text, "thread 1 blocked in zx_vmo_read"));
    assert_non_null(strstr(text, "page 0 +8 anonymous frame"));
    snprintf(line, sizeof line, "    0x%llx +0x20 is %u\n", (unsigned long long)address, mapping_at(s, address));
    assert_non_null(strstr(text, line));
    assert_non_null(strstr(text, " sees 8 pages of "));
    free(text);
}

/* The links that the inspection itself follows: the maps of pages and of VMARs. */
static int is_followed(enum table_id id, uint64_t byte_of_row)
{
    uint64_t map = offsetof(struct object, pages.map), regions = offsetof(struct object, vmar.regions);

    return id == TABLE_OBJECTS && ((byte_of_row >= map && byte_of_row < map + sizeof(struct tree)) ||
                                   (byte_of_row >= regions && byte_of_row < regions + 2 * sizeof(struct tree)));
}

/* Bytes of a world's tables are turned over one by one: the walk must end, whatever it says. */
/* A list of waiters that goes in a ring is counted to its end nevertheless. */
static void no_ring_of_waiters_stops_a_view(void **state)
{
    struct scene *s = *state;
    pgr_request_view view;
    uint32_t row;

    blocks(s, 1, read_call(s->pager_vmo, 2, 1));
    blocks(s, 2, read_call(s->pager_vmo, 2, 1));
    for (row = 1; !pgr_inspect_request(s->w, row, &view); row++)
        assert_true(row < s->config.thread_count);
    assert_int_equal(view.waiter_count, 2);
    uint32_t waiter = request_at(s->w, row)->joined.first;
    thread_at(s->w, waiter)->links.next = waiter;
    assert_true(pgr_inspect_request(s->w, row, &view));
    assert_true(view.waiter_count > s->config.thread_count);
    thread_at(s->w, waiter)->links.next = 0;
}

static void no_world_stops_the_walk(void **state)
{
    struct scene *s = *state;
    uint64_t walks = 0;

    blocks(s, 1, read_call(s->pager_vmo, 2, 3));
    for (enum table_id id = TABLE_NODES + 1; id < TABLE_COUNT; id++) {
        const struct table *table = &s->w->tables[id];
        for (uint64_t i = table->row_bytes; i < (uint64_t)table->touched * table->row_bytes; i++) {
            uint8_t *byte = (uint8_t *)s->block + table->offset + i, old = *byte;
            if (is_followed(id, i % table->row_bytes))
                continue;
            *byte ^= 0xff;
            walk(s);
            *byte = old;
            walks++;
        }
    }
    assert_true(walks > 1000);
    assert_int_equal(walk(s), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scene_set_up, scene_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(clean_worlds_pass),
        TEST(list_is_complete),
        TEST(o1_counts_holders),
        TEST(o1_sees_a_lost_frame),
        TEST(o2_counts_free_frames),
        TEST(o3_keeps_runs_inside),
        TEST(o3_wants_runs_sorted),
        TEST(o3_wants_runs_joined),
        TEST(o3_survives_empty_runs),
        TEST(o3_knows_possible_states),
        TEST(o4_only_relatives_share),
        TEST(o4_rings_close),
        TEST(o3_knows_possible_marks),
        TEST(o8_chains_lead_to_a_pager),
        TEST(o8_chains_end),
        TEST(o8_windows_lie_inside),
        TEST(o9_pages_are_seen),
        TEST(o9_children_keep_pages),
        TEST(m1_regions_lie_inside),
        TEST(m1_regions_lie_apart),
        TEST(m1_mappings_stand_once),
        TEST(m1_regions_know_their_vmar),
        TEST(m2_permissions_are_allowed),
        TEST(h1_mappings_hold_their_vmo),
        TEST(h1_calls_hold_what_they_use),
        TEST(c1_mappings_are_counted),
        TEST(r1_dirty_requests_are_trapped),
        TEST(r4_dirty_requests_can_be_completed),
        TEST(o5_contiguous_is_whole),
        TEST(o5_pins_have_tokens),
        TEST(r1_pending_is_within_bounds),
        TEST(r1_ranges_are_disjoint),
        TEST(r1_has_waiters),
        TEST(r1_none_on_a_detached_vmo),
        TEST(r2_idle_threads_wait_for_nothing),
        TEST(r2_blocked_threads_wait_for_something_live),
        TEST(r2_released_threads_are_queued),
        TEST(r3_requests_have_one_place),
        TEST(r3_queued_requests_get_their_turn),
        TEST(r3_packets_say_what_they_carry),
        TEST(r3_queued_packets_are_in_a_port),
        TEST(r3_survives_circles),
        TEST(r4_requests_can_be_completed),
        TEST(r5_waiters_get_packets),
        TEST(h1_objects_have_a_reason_to_live),
        TEST(h1_objects_know_who_refers_to_them),
        TEST(h1_links_lead_to_live_objects),
        TEST(h2_nothing_is_left),
        TEST(h2_threads_are_gone),
        TEST(c1_frames_are_counted),
        TEST(c1_handles_are_counted),
        TEST(c1_children_are_counted),
        TEST(c2_zero_children_is_signalled),
        TEST(a_violation_can_be_printed),
        TEST(no_ring_of_waiters_stops_a_view),
        TEST(no_world_stops_the_walk),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
