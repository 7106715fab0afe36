/*
 * The rows of the table of calls. A call is one row here, and the functions that its kind asks for in one of the files
 * calls_*.c:
 *
 *   ASKS      function_answer: changes nothing, and answers at once
 *   ONE_STEP  function_check, function_commit: asks, then acts; never waits
 *   WAITS     the same, of a call whose one step may have to wait
 *   STEPS     function_check, _look, _commit: may take several steps, and wait between them
 *   ACCESS    the same, of a thread's own loads and stores, whose errors are exceptions
 *   WORLDLY   function_commit: happens to the world, whatever the calling thread does
 *   EXITS     the same, without arguments
 *   RESUMES   the dispatcher's own, without arguments
 *
 * A row is PGR_ROW(kind, number, name, function, arguments). The number becomes PGR_CALL_number; name and arguments are
 * what traces, fuzzers and the line protocol know of the call. Who includes this file says what PGR_ROW makes of it:
 * pgr.h the numbers, calls.h the declarations of the functions, calls.c the table.
 */
/* clang-format off */

PGR_ROW(ONE_STEP, HANDLE_CLOSE, "zx_handle_close", handle_close, HANDLE("handle", NONE))
PGR_ROW(ONE_STEP, HANDLE_CLOSE_MANY, "zx_handle_close_many", handle_close_many, STRUCT("handles", HANDLES))
PGR_ROW(ONE_STEP, HANDLE_DUPLICATE, "zx_handle_duplicate", handle_duplicate, HANDLE("handle", NONE),
        U32("rights", RIGHTS), HANDLE_OUT(NONE))
PGR_ROW(ONE_STEP, HANDLE_REPLACE, "zx_handle_replace", handle_replace, HANDLE("handle", NONE), U32("rights", RIGHTS),
        HANDLE_OUT(NONE))

PGR_ROW(ASKS, OBJECT_GET_INFO, "zx_object_get_info", object_get_info, HANDLE("handle", NONE), U32("topic", TOPIC),
        STRUCT("buffer", INFO_OUT))
PGR_ROW(ASKS, OBJECT_GET_PROPERTY, "zx_object_get_property", object_get_property, HANDLE("handle", NONE),
        U32("property", PROPERTY), STRUCT("value", PROPERTY_OUT))
PGR_ROW(STEPS, OBJECT_SET_PROPERTY, "zx_object_set_property", object_set_property, HANDLE("handle", NONE),
        U32("property", PROPERTY), STRUCT("value", PROPERTY_IN))
PGR_ROW(WAITS, OBJECT_WAIT_ONE, "zx_object_wait_one", object_wait_one, HANDLE("handle", NONE), U32("signals", SIGNALS),
        U64("deadline", DEADLINE), U32_OUT("observed"))
PGR_ROW(ONE_STEP, OBJECT_WAIT_ASYNC, "zx_object_wait_async", object_wait_async, HANDLE("handle", NONE),
        HANDLE("port", PORT), U64("key", KEY), U32("signals", SIGNALS), U32("options", WAIT_ASYNC_OPTIONS))
PGR_ROW(ONE_STEP, OBJECT_SIGNAL, "zx_object_signal", object_signal, HANDLE("handle", NONE), U32("clear_mask", SIGNALS),
        U32("set_mask", SIGNALS))
PGR_ROW(ONE_STEP, EVENT_CREATE, "zx_event_create", event_create, U32("options", ZERO_OPTIONS), HANDLE_OUT(EVENT))

PGR_ROW(ONE_STEP, PORT_CREATE, "zx_port_create", port_create, U32("options", PORT_OPTIONS), HANDLE_OUT(PORT))
PGR_ROW(WAITS, PORT_WAIT, "zx_port_wait", port_wait, HANDLE("handle", PORT), U64("deadline", DEADLINE),
        STRUCT("packet", PACKET_OUT))
PGR_ROW(ONE_STEP, PORT_QUEUE, "zx_port_queue", port_queue, HANDLE("handle", PORT), STRUCT("packet", PACKET_IN))
PGR_ROW(ONE_STEP, PORT_CANCEL, "zx_port_cancel", port_cancel, HANDLE("handle", PORT), HANDLE("source", NONE),
        U64("key", KEY))

PGR_ROW(ONE_STEP, PAGER_CREATE, "zx_pager_create", pager_create, U32("options", ZERO_OPTIONS), HANDLE_OUT(PAGER))
PGR_ROW(ONE_STEP, PAGER_CREATE_VMO, "zx_pager_create_vmo", pager_create_vmo, HANDLE("pager", PAGER),
        U32("options", PAGER_VMO_OPTIONS), HANDLE("port", PORT), U64("key", KEY), SIZE("size"), HANDLE_OUT(VMO))
PGR_ROW(ONE_STEP, PAGER_DETACH_VMO, "zx_pager_detach_vmo", pager_detach_vmo, HANDLE("pager", PAGER),
        HANDLE("pager_vmo", VMO))
PGR_ROW(ONE_STEP, PAGER_SUPPLY_PAGES, "zx_pager_supply_pages", pager_supply_pages, HANDLE("pager", PAGER),
        HANDLE("pager_vmo", VMO), OFFSET("offset"), SIZE("length"), HANDLE("aux_vmo", VMO), OFFSET("aux_offset"))
PGR_ROW(ONE_STEP, PAGER_OP_RANGE, "zx_pager_op_range", pager_op_range, HANDLE("pager", PAGER), U32("op", PAGER_OP),
        HANDLE("pager_vmo", VMO), OFFSET("offset"), SIZE("length"), U64("data", PAGER_OP_DATA))
PGR_ROW(ASKS, PAGER_QUERY_DIRTY_RANGES, "zx_pager_query_dirty_ranges", pager_query_dirty_ranges, HANDLE("pager", PAGER),
        HANDLE("pager_vmo", VMO), OFFSET("offset"), SIZE("length"), STRUCT("buffer", RANGES_OUT),
        U64("capacity", NUMBER), U64_OUT("actual"), U64_OUT("avail"))
PGR_ROW(ONE_STEP, PAGER_QUERY_VMO_STATS, "zx_pager_query_vmo_stats", pager_query_vmo_stats, HANDLE("pager", PAGER),
        HANDLE("pager_vmo", VMO), U32("options", STATS_OPTIONS), STRUCT("buffer", STATS_OUT))

PGR_ROW(ONE_STEP, VMO_CREATE, "zx_vmo_create", vmo_create, SIZE("size"), U32("options", VMO_OPTIONS), HANDLE_OUT(VMO))
PGR_ROW(ONE_STEP, VMO_CREATE_CONTIGUOUS, "zx_vmo_create_contiguous", vmo_create_contiguous, HANDLE("bti", BTI),
        SIZE("size"), U32("alignment_log2", ALIGNMENT_LOG2), HANDLE_OUT(VMO))
PGR_ROW(ONE_STEP, VMO_CREATE_PHYSICAL, "zx_vmo_create_physical", vmo_create_physical, HANDLE("resource", RESOURCE),
        U64("paddr", PHYSICAL_ADDRESS), SIZE("size"), HANDLE_OUT(VMO))
PGR_ROW(ONE_STEP, VMO_CREATE_CHILD, "zx_vmo_create_child", vmo_create_child, HANDLE("handle", VMO),
        U32("options", CHILD_OPTIONS), OFFSET("offset"), SIZE("size"), HANDLE_OUT(VMO))
PGR_ROW(ONE_STEP, VMO_REPLACE_AS_EXECUTABLE, "zx_vmo_replace_as_executable", vmo_replace_as_executable,
        HANDLE("handle", VMO), HANDLE("vmex", RESOURCE), HANDLE_OUT(VMO))
PGR_ROW(STEPS, VMO_READ, "zx_vmo_read", vmo_read, HANDLE("handle", VMO), BYTES_OUT(3), OFFSET("offset"),
        SIZE("buffer_size"))
PGR_ROW(STEPS, VMO_WRITE, "zx_vmo_write", vmo_write, HANDLE("handle", VMO), BYTES_IN(3), OFFSET("offset"),
        SIZE("buffer_size"))
PGR_ROW(STEPS, VMO_TRANSFER_DATA, "zx_vmo_transfer_data", vmo_transfer_data, HANDLE("dst_vmo", VMO),
        U32("options", ZERO_OPTIONS), OFFSET("offset"), SIZE("length"), HANDLE("src_vmo", VMO), OFFSET("src_offset"))
PGR_ROW(ASKS, VMO_GET_SIZE, "zx_vmo_get_size", vmo_get_size, HANDLE("handle", VMO), U64_OUT("size"))
PGR_ROW(STEPS, VMO_SET_SIZE, "zx_vmo_set_size", vmo_set_size, HANDLE("handle", VMO), SIZE("size"))
PGR_ROW(ASKS, VMO_GET_STREAM_SIZE, "zx_vmo_get_stream_size", vmo_get_stream_size, HANDLE("handle", VMO),
        U64_OUT("size"))
PGR_ROW(STEPS, VMO_SET_STREAM_SIZE, "zx_vmo_set_stream_size", vmo_set_stream_size, HANDLE("handle", VMO), SIZE("size"))
PGR_ROW(ONE_STEP, VMO_SET_CACHE_POLICY, "zx_vmo_set_cache_policy", vmo_set_cache_policy, HANDLE("handle", VMO),
        U32("cache_policy", CACHE_POLICY))
PGR_ROW(STEPS, VMO_OP_RANGE, "zx_vmo_op_range", vmo_op_range, HANDLE("handle", VMO), U32("op", VMO_OP),
        OFFSET("offset"), SIZE("size"), STRUCT("buffer", LOCK_OUT))

PGR_ROW(ONE_STEP, VMAR_MAP, "zx_vmar_map", vmar_map, HANDLE("handle", VMAR), U32("options", VM_OPTIONS),
        OFFSET("vmar_offset"), HANDLE("vmo", VMO), OFFSET("vmo_offset"), SIZE("len"), ADDRESS_OUT("mapped_addr"))
PGR_ROW(ONE_STEP, VMAR_UNMAP, "zx_vmar_unmap", vmar_unmap, HANDLE("handle", VMAR), ADDRESS("addr"), SIZE("len"))
PGR_ROW(ONE_STEP, VMAR_PROTECT, "zx_vmar_protect", vmar_protect, HANDLE("handle", VMAR), U32("options", VM_OPTIONS),
        ADDRESS("addr"), SIZE("len"))
PGR_ROW(STEPS, VMAR_OP_RANGE, "zx_vmar_op_range", vmar_op_range, HANDLE("handle", VMAR), U32("op", VMAR_OP),
        ADDRESS("address"), SIZE("size"))
PGR_ROW(ONE_STEP, VMAR_ALLOCATE, "zx_vmar_allocate", vmar_allocate, HANDLE("parent_vmar", VMAR),
        U32("options", VM_OPTIONS), OFFSET("offset"), SIZE("size"), HANDLE_OUT(VMAR), ADDRESS_OUT("child_addr"))
PGR_ROW(ONE_STEP, VMAR_DESTROY, "zx_vmar_destroy", vmar_destroy, HANDLE("handle", VMAR))

PGR_ROW(STEPS, BTI_PIN, "zx_bti_pin", bti_pin, HANDLE("handle", BTI), U32("options", PIN_OPTIONS), HANDLE("vmo", VMO),
        OFFSET("offset"), SIZE("size"), HANDLE_OUT(PMT))
PGR_ROW(ONE_STEP, PMT_UNPIN, "zx_pmt_unpin", pmt_unpin, HANDLE("handle", PMT))
PGR_ROW(ONE_STEP, BTI_RELEASE_QUARANTINE, "zx_bti_release_quarantine", bti_release_quarantine, HANDLE("handle", BTI))

/* What else can happen to a world. These are ours. */

/* Loads through the address space. */
PGR_ROW(ACCESS, MEM_READ, "mem_read", mem_read, ADDRESS("addr"), BYTES_OUT(2), SIZE("len"))
/* Stores through the address space. */
PGR_ROW(ACCESS, MEM_WRITE, "mem_write", mem_write, ADDRESS("addr"), BYTES_IN(2), SIZE("len"))
/* Makes a set of accesses possible: until the next dispatch none of them faults. */
PGR_ROW(ACCESS, MEM_PREPARE, "mem_prepare", mem_prepare, STRUCT("accesses", ACCESSES))
/* The n-th allocation from here on fails, once; 0 disarms. */
PGR_ROW(WORLDLY, FAIL_ALLOC, "fail_alloc", fail_alloc, U64("n", NUMBER))
/* Evicts up to n pages. */
PGR_ROW(WORLDLY, RECLAIM, "reclaim", reclaim, U64("n", NUMBER))
/* Ends a thread; its row may then be used again, for another thread. */
PGR_ROW(WORLDLY, THREAD_KILL, "thread_kill", thread_kill, STRUCT("thread", THREAD))
/* The released thread `pgr_call.thread` goes on, with its buffer again. */
PGR_ROW(RESUMES, RESUME, "resume", resume, NO_ARGUMENTS)
/* Kills every thread, closes every handle, ends address space and quarantine. */
PGR_ROW(EXITS, PROCESS_EXIT, "process_exit", process_exit, NO_ARGUMENTS)

/* clang-format on */
#undef PGR_ROW
