/* What came back from two implementations, compared argument by argument. See diff_pair.h. */
#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

#include "harness/constants.h"
#include "harness/diff_internal.h"
#include "harness/no_coverage.h"
#include "harness/trace_results.h"

NO_COVERAGE_BEGIN

/* ---- saying it ---- */

static const char *name_of_call(const pgr_call *call)
{
    const pgr_call_info *row = pgr_call_row(call->number);

    return row != NULL ? row->name : "an unknown call";
}

int diff_note(struct pair *pair, uint32_t kind, const char *what, const char *format, ...)
{
    struct difference *d = &pair->difference;
    char values[200];
    va_list arguments;

    if (pair->is_found)
        return 1;
    va_start(arguments, format);
    vsnprintf(values, sizeof(values), format, arguments);
    va_end(arguments);
    d->kind = kind;
    d->step = pair->steps;
    snprintf(d->same, sizeof(d->same), "%s: %s", name_of_call(&d->call), what);
    snprintf(d->text, sizeof(d->text), "%s%s: %s: %s", name_of_call(&d->call), d->is_resume ? ", resumed" : "", what,
             values);
    pair->is_found = 1;
    return 1;
}

static const char *name_of_status(zx_status_t status)
{
    const char *name = constant_status_name(status);

    return name != NULL ? name : "an unknown status";
}

/* ---- numbers and structures ---- */

static int numbers(struct pair *pair, const char *what, uint64_t first, uint64_t second)
{
    if (first == second)
        return 0;
    return diff_note(pair, DIFF_OUTPUT, what, "0x%" PRIx64 " against 0x%" PRIx64, first, second);
}

static int koids(struct pair *pair, const char *what, uint64_t first, uint64_t second)
{
    if (diff_names_koid(&pair->names, first, second))
        return 0;
    return diff_note(pair, DIFF_OUTPUT, what, "%" PRIu64 " against %" PRIu64 ", of another object", first, second);
}

static int raw(struct pair *pair, const char *what, const void *first, const void *second, size_t bytes)
{
    if (memcmp(first, second, bytes) == 0)
        return 0;
    return diff_note(pair, DIFF_OUTPUT, what, "its bytes differ");
}

#define NUMBERS(field) numbers(pair, #field, a->field, b->field)

static int handle_basics(struct pair *pair, const zx_info_handle_basic_t *a, const zx_info_handle_basic_t *b)
{
    return koids(pair, "koid", a->koid, b->koid) || NUMBERS(rights) || NUMBERS(type) ||
           koids(pair, "related_koid", a->related_koid, b->related_koid) || NUMBERS(reserved);
}

static int vmo_infos(struct pair *pair, zx_info_vmo_t *a, zx_info_vmo_t *b)
{
    diff_allowed_info_vmo(a);
    diff_allowed_info_vmo(b);
    return koids(pair, "koid", a->koid, b->koid) || raw(pair, "name", a->name, b->name, sizeof(a->name)) ||
           NUMBERS(size_bytes) || koids(pair, "parent_koid", a->parent_koid, b->parent_koid) || NUMBERS(num_children) ||
           NUMBERS(num_mappings) || NUMBERS(share_count) || NUMBERS(flags) || NUMBERS(committed_bytes) ||
           NUMBERS(handle_rights) || NUMBERS(cache_policy) || NUMBERS(metadata_bytes) ||
           NUMBERS(committed_change_events) || NUMBERS(populated_bytes);
}

static int vmar_infos(struct pair *pair, const zx_info_vmar_t *a, const zx_info_vmar_t *b)
{
    if (pair->options.strict && NUMBERS(base))
        return 1;
    diff_names_range(&pair->names, a->base, b->base, a->len);
    return NUMBERS(len);
}

static int bti_infos(struct pair *pair, const zx_info_bti_t *a, const zx_info_bti_t *b)
{
    return NUMBERS(minimum_contiguity) || NUMBERS(aspace_size) || NUMBERS(pmo_count) || NUMBERS(quarantine_count);
}

static int infos(struct pair *pair, const struct diff_step *step)
{
    pgr_result first = *step->first, second = *step->second;

    switch ((uint32_t)step->call->arg[1]) {
    case ZX_INFO_HANDLE_BASIC:
        return handle_basics(pair, &first.handle_basic, &second.handle_basic);
    case ZX_INFO_HANDLE_COUNT:
        return numbers(pair, "handle_count", first.handle_count.handle_count, second.handle_count.handle_count);
    case ZX_INFO_VMO:
        return vmo_infos(pair, &first.vmo, &second.vmo);
    case ZX_INFO_VMAR:
        return vmar_infos(pair, &first.vmar, &second.vmar);
    case ZX_INFO_BTI:
        return bti_infos(pair, &first.bti, &second.bti);
    default:
        return 0;
    }
}

static int locks(struct pair *pair, const zx_vmo_lock_state_t *a, const zx_vmo_lock_state_t *b)
{
    return NUMBERS(offset) || NUMBERS(size) || NUMBERS(discarded_offset) || NUMBERS(discarded_size);
}

/* ---- packets ---- */

static int flags(struct pair *pair, const zx_packet_page_request_t *a, const zx_packet_page_request_t *b)
{
    if (pair->options.strict)
        return NUMBERS(flags);
    if (diff_allowed_flags(&pair->shown, b->command, b->flags))
        return 0;
    return diff_note(pair, DIFF_OUTPUT, "flags", "0x%x, which is not what it has shown before", b->flags);
}

static int page_requests(struct pair *pair, const zx_packet_page_request_t *a, const zx_packet_page_request_t *b)
{
    if (a->command == ZX_PAGER_VMO_READ && b->command == ZX_PAGER_VMO_READ && a->length != b->length)
        pair->difference.request_pages = b->length >> pair->config.page_shift;
    return NUMBERS(command) || NUMBERS(offset) || NUMBERS(length) || flags(pair, a, b);
}

static int signals(struct pair *pair, const zx_packet_signal_t *a, const zx_packet_signal_t *b)
{
    return NUMBERS(trigger) || NUMBERS(observed) || NUMBERS(count);
}

static int packets(struct pair *pair, const zx_port_packet_t *a, const zx_port_packet_t *b)
{
    if (NUMBERS(type) || NUMBERS(key) || NUMBERS(status))
        return 1;
    if (a->type == ZX_PKT_TYPE_PAGE_REQUEST)
        return page_requests(pair, &a->page_request, &b->page_request);
    if (a->type == ZX_PKT_TYPE_SIGNAL_ONE)
        return signals(pair, &a->signal, &b->signal);
    return raw(pair, "packet", &a->user, &b->user, sizeof(a->user));
}

/* ---- buffers ---- */

static int bytes(struct pair *pair, const struct diff_step *step, uint64_t length)
{
    const uint8_t *first = step->call->buffer, *second = step->second_buffer;
    uint64_t at = 0;

    if (length > step->call->buffer_bytes)
        length = step->call->buffer_bytes;
    if (first == NULL || second == NULL || memcmp(first, second, length) == 0)
        return 0;
    while (first[at] == second[at])
        at++;
    return diff_note(pair, DIFF_BUFFER, "bytes", "the one at 0x%" PRIx64 " is 0x%02x against 0x%02x", at, first[at],
                     second[at]);
}

static int ranges(struct pair *pair, const struct diff_step *step)
{
    const zx_vmo_dirty_range_t *a = step->call->buffer, *b = step->second_buffer;

    if (numbers(pair, "count", step->first->count, step->second->count))
        return 1;
    for (uint32_t i = 0; a != NULL && b != NULL && i < step->first->count; i++, a++, b++) {
        if (a->offset == b->offset && a->length == b->length && a->options == b->options)
            continue;
        return diff_note(pair, DIFF_BUFFER, "ranges",
                         "the one numbered %" PRIu32 " is 0x%" PRIx64 "+0x%" PRIx64 " (%" PRIu64 ") against 0x%" PRIx64
                         "+0x%" PRIx64 " (%" PRIu64 ")",
                         i, a->offset, a->length, a->options, b->offset, b->length, b->options);
    }
    return 0;
}

static uint64_t property_bytes(const pgr_call *call)
{
    return (uint32_t)call->arg[1] == ZX_PROP_NAME ? ZX_MAX_NAME_LEN : sizeof(uint64_t);
}

/* ---- arguments ---- */

static int handles(struct pair *pair, uint64_t first, uint64_t second)
{
    if (diff_names_handle(&pair->names, (zx_handle_t)first, (zx_handle_t)second, pair->options.strict))
        return 0;
    return diff_note(pair, DIFF_OUTPUT, "handle", "0x%" PRIx64 " against 0x%" PRIx64 ", none or given before", first,
                     second);
}

/* The last size before the address says how long what lies there is. */
static int addresses(struct pair *pair, const struct diff_step *step, unsigned place)
{
    const pgr_call_info *row = pgr_call_row(step->call->number);
    uint64_t first = step->first->out[place], second = step->second->out[place];
    uint64_t size = 0, last = (UINT64_C(1) << pair->config.page_shift) - 1;

    if (pair->options.strict && numbers(pair, "address", first, second))
        return 1;
    for (unsigned i = 0; i < place; i++)
        if (row->args[i].kind == PGR_ARG_SIZE)
            size = step->call->arg[i];
    diff_names_range(&pair->names, first, second, (size + last) & ~last);
    return 0;
}

static int argument(struct pair *pair, const struct diff_step *step, unsigned place)
{
    const pgr_call *call = step->call;
    const pgr_result *a = step->first, *b = step->second;
    const pgr_arg *arg = &pgr_call_row(call->number)->args[place];

    switch (arg->kind) {
    case PGR_ARG_HANDLE_OUT:
        return handles(pair, a->out[place], b->out[place]);
    case PGR_ARG_ADDRESS_OUT:
        return addresses(pair, step, place);
    case PGR_ARG_U64_OUT:
    case PGR_ARG_U32_OUT:
        return numbers(pair, arg->name, a->out[place], b->out[place]);
    case PGR_ARG_PACKET_OUT:
        return packets(pair, &a->packet, &b->packet);
    case PGR_ARG_INFO_OUT:
        return infos(pair, step);
    case PGR_ARG_STATS_OUT:
        return numbers(pair, "modified", a->stats.modified, b->stats.modified);
    case PGR_ARG_LOCK_OUT:
        return (uint32_t)call->arg[1] == ZX_VMO_OP_LOCK && locks(pair, &a->lock_state, &b->lock_state);
    case PGR_ARG_BYTES_OUT:
        return bytes(pair, step, call->arg[arg->detail]);
    case PGR_ARG_PROPERTY_OUT:
        return bytes(pair, step, property_bytes(call));
    case PGR_ARG_RANGES_OUT:
        return ranges(pair, step);
    default:
        return 0;
    }
}

static int outputs(struct pair *pair, const struct diff_step *step)
{
    const pgr_call_info *row = pgr_call_row(step->call->number);

    for (unsigned place = 0; row != NULL && place < row->arg_count; place++)
        if (argument(pair, step, place))
            return 1;
    return 0;
}

/* Of a read that fails, what it has read before. */
static int progress(struct pair *pair, const struct diff_step *step)
{
    if (!pair->options.strict || step->call->number != PGR_CALL_VMO_READ || step->call->buffer_bytes > DIFF_FILL_MAX)
        return 0;
    return bytes(pair, step, step->call->buffer_bytes);
}

/* ---- the whole of it ---- */

static const char *name_of_outcome(uint32_t outcome)
{
    static const char *const names[] = {[PGR_DONE] = "it is done",
                                        [PGR_BLOCKED] = "it waits",
                                        [PGR_FAULT] = "it ends in an exception",
                                        [PGR_REFUSED] = "it is refused"};

    return outcome < sizeof(names) / sizeof(names[0]) ? names[outcome] : "it has no known outcome";
}

static int statuses(struct pair *pair, zx_status_t first, zx_status_t second)
{
    if (first == second)
        return 0;
    return diff_note(pair, DIFF_STATUS, "status", "%s against %s", name_of_status(first), name_of_status(second));
}

static int faults(struct pair *pair, const pgr_result *first, const pgr_result *second)
{
    uint64_t address = diff_names_address(&pair->names, first->fault.address);

    return statuses(pair, first->fault.code, second->fault.code) ||
           numbers(pair, "address", address, second->fault.address);
}

int diff_compare_step(struct pair *pair, const struct diff_step *step)
{
    const pgr_result *first = step->first, *second = step->second;
    const struct trace_outcome outcome = {step->call, first};

    if (first->outcome != second->outcome)
        return diff_note(pair, DIFF_OUTCOME, "outcome", "%s (%s) against %s (%s)", name_of_outcome(first->outcome),
                         name_of_status(first->status), name_of_outcome(second->outcome),
                         name_of_status(second->status));
    if (first->outcome == PGR_BLOCKED)
        return 0;
    if (first->outcome == PGR_FAULT)
        return faults(pair, first, second);
    if (statuses(pair, first->status, second->status))
        return 1;
    if (first->outcome == PGR_REFUSED)
        return 0;
    return trace_has_outputs(&outcome) ? outputs(pair, step) : progress(pair, step);
}

NO_COVERAGE_END
