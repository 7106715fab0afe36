/* What bytes mean: sessions of uffd.h for a fuzzer. */
#include "harness/no_coverage.h"
#include "harness/uffd_internal.h"

#include <string.h>

NO_COVERAGE_BEGIN

#define MESSAGE_BYTES 256u

struct input {
    const uint8_t *data;
    size_t bytes, at;
    uint8_t value; /* of the last store: each has its own */
    int may_split; /* mappings may be moved and protected page by page */
};

static uint8_t next(struct input *input)
{
    return input->at < input->bytes ? input->data[input->at++] : 0;
}

/* What a pager would do: it answers one thread's fault. Behind the operations. */
#define SERVE UFFD_OPERATIONS
#define SERVE_WEIGHT 12u

static uint8_t operation_number(uint8_t byte)
{
    uint32_t weights = SERVE_WEIGHT;
    for (uint32_t i = 0; i < UFFD_OPERATIONS; i++)
        weights += uffd_rows[i].weight;
    uint32_t left = byte % weights;
    uint8_t number = 0;
    while (number < UFFD_OPERATIONS && left >= uffd_rows[number].weight)
        left -= uffd_rows[number++].weight;
    return number;
}

/* One of the pages, or the one that a thread waits for. */
static uint8_t page(uint8_t byte)
{
    const struct uffd_access_view *access = &uffd_kernel()->accesses[byte % UFFD_THREADS];
    return byte & 0x80 && access->waits != UFFD_WAITS_NOT ? access->page : (byte & 0x1f) % UFFD_PAGES;
}

/* Bytes in one page, over the border to the next, a whole page, or several in part. */
static void choose_bytes(struct uffd_operation *o, uint8_t where, uint8_t shape)
{
    uint32_t at = page(where) * UFFD_PAGE_BYTES;
    switch (shape & 7) {
    case 0:
        *o = (struct uffd_operation){.begin = at + UFFD_PAGE_BYTES - 8, .length = 16};
        break;
    case 1:
        *o = (struct uffd_operation){.begin = at, .length = UFFD_PAGE_BYTES};
        break;
    case 2:
        *o = (struct uffd_operation){.begin = at + UFFD_PAGE_BYTES - 3, .length = UFFD_PAGE_BYTES + 10};
        break;
    case 3:
        *o = (struct uffd_operation){.begin = at + UFFD_PAGE_BYTES - 1, .length = 1};
        break;
    default:
        *o = (struct uffd_operation){.begin = at + (shape >> 3) * 8u, .length = 8};
        break;
    }
}

static void choose_aux_bytes(struct uffd_operation *o, uint8_t where, uint8_t shape)
{
    o->begin = (where & 0x1f) % UFFD_PAGES * UFFD_PAGE_BYTES;
    o->length = (1 + (shape & 7) % UFFD_PAGES) * UFFD_PAGE_BYTES;
    if (shape & 8)
        o->length -= 8;
    if (o->length > VMO_BYTES - o->begin)
        o->length = VMO_BYTES - o->begin;
}

static void choose_pages(struct uffd_operation *o, uint8_t where, uint8_t shape, int aux)
{
    o->page = page(where);
    o->aux_page = aux ? (shape >> 4) % UFFD_PAGES : 0;
    o->count = 1 + (shape & 7) % UFFD_PAGES;
    if (o->count > UFFD_PAGES - o->page)
        o->count = UFFD_PAGES - o->page;
    if (o->count > UFFD_PAGES - o->aux_page)
        o->count = UFFD_PAGES - o->aux_page;
}

/* The window that the access is for: mostly the one in which its first page is. */
static uint8_t choose_window(uint8_t byte, uint32_t begin)
{
    uint8_t there = uffd_places[page_of(begin)];
    return (byte & 7) < UFFD_NOWHERE || there == UFFD_NOWHERE ? byte & 1 : there;
}

/* Half of all inputs leave the mapping in one piece, for calls that are for several pages. */
static int splits_mapping(uint8_t number)
{
    return number == UFFD_PLACE || number == UFFD_READ_ONLY || number == UFFD_READ_WRITE;
}

static void play_operation(struct input *input, uint8_t number)
{
    struct uffd_operation o = {0};
    uint8_t where = next(input), shape = next(input);
    uint32_t operands = uffd_rows[number].operands;
    uint8_t who = operands & (OPERAND_THREAD | OPERAND_PLACE) ? next(input) : 0;
    if (operands & OPERAND_ACCESS)
        choose_bytes(&o, where, shape);
    if (operands & OPERAND_BYTES)
        choose_aux_bytes(&o, where, shape);
    if (operands & OPERAND_PAGES)
        choose_pages(&o, where, shape, (operands & OPERAND_AUX) != 0);
    if (operands & OPERAND_COUNT)
        o.count = 1 + where % UFFD_PAGES;
    o.number = number;
    o.thread = who % UFFD_THREADS;
    o.window = operands & OPERAND_PLACE ? who % UFFD_PLACES : choose_window(who >> 2, o.begin);
    o.value = operands & OPERAND_VALUE ? ++input->value : 0;
    if (!splits_mapping(number) || input->may_split)
        uffd_do(&o);
}

/* A thread that waits is answered. The aux pages may have something already, or get something. */
static void serve(struct input *input)
{
    struct uffd_operation store = {.number = UFFD_AUX_STORE}, answer = {0};
    uint8_t who = next(input), shape = next(input);
    const struct uffd_access_view access = uffd_kernel()->accesses[who % UFFD_THREADS];
    if (access.waits == UFFD_WAITS_NOT)
        return;
    choose_pages(&answer, access.page, shape & 0x31, 1);
    answer.number = access.waits == UFFD_WAITS_DIRTY ? UFFD_DIRTY : UFFD_SUPPLY;
    store.begin = answer.aux_page * UFFD_PAGE_BYTES;
    store.length = answer.count * UFFD_PAGE_BYTES;
    store.value = ++input->value;
    if (answer.number == UFFD_SUPPLY && shape & 0x40)
        uffd_do(&store);
    uffd_do(&answer);
}

static int play(struct input input, FILE *record)
{
    uint8_t options = next(&input);
    input.may_split = options & 2;
    int over = uffd_start(options & 1, record);
    while (input.at < input.bytes && !over) {
        uint8_t number = operation_number(next(&input));
        if (number == SERVE)
            serve(&input);
        else
            play_operation(&input, number);
        over = uffd_message()[0] != '\0';
    }
    return uffd_finish();
}

int uffd_play(const uint8_t *data, size_t bytes, FILE *record, FILE *report)
{
    struct input input = {.data = data, .bytes = bytes};
    int found = play(input, record);
    uffd_done.executions++;
    if (!found || !report)
        return found;
    char first[MESSAGE_BYTES];
    snprintf(first, sizeof first, "%s", uffd_message());
    fprintf(report, "\n%s\n--- the trace so far\n", first);
    if (!play(input, report))
        uffd_differ("%s (not when played again: what Linux did was chance)", first);
    fprintf(report, "# %s\n--- end of the trace\n", uffd_message());
    fflush(report);
    return 1;
}

NO_COVERAGE_END
