/*
 * What a line that is not as expected differs in: so much that two lines of the same mistake are known as such, and so
 * little that shrinking the trace around them does not hide it.
 */
#include <stdlib.h>
#include <string.h>

#include "harness/constants.h"
#include "harness/failure_internal.h"
#include "harness/trace_layouts.h"

static void put_status(const struct trace_status *status, FILE *out)
{
    for (const struct trace_status *one = status; one != NULL; one = one->next) {
        const char *name = one->form == TRACE_STATUS_ONE ? constant_status_name(one->status) : NULL;
        const char *any = one->form == TRACE_STATUS_ANY_ERROR ? "ZX_ERR_*" : "_";
        fprintf(out, "%s%s", one == status ? "" : "|", name != NULL ? name : any);
    }
}

/* How the line says that the call ends. */
static void put_ending(const struct trace_line *line, FILE *out)
{
    switch (line->form) {
    case TRACE_UNFINISHED:
    case TRACE_WAITING:
        fputs("to wait", out);
        return;
    case TRACE_FAULTING:
        fputs("an exception", out);
        return;
    case TRACE_EXCEPTION:
        fputs("an exception ", out);
        break;
    default:
        break;
    }
    put_status(line->status, out);
}

/* ---- values ---- */

/* As a trace has it; to be freed. A line of no consequence is printed around it. */
static char *print_value(const struct trace_value *value)
{
    static const char before[] = "check_invariants(";
    struct trace_symbol main_thread = {.name = "main"};
    struct trace_value alone = *value;
    struct trace_line line = {
        .form = TRACE_FAULTING, .call = TRACE_CALL_CHECK_INVARIANTS, .thread = &main_thread, .args = &alone};
    char *text = NULL;
    size_t bytes = 0;
    FILE *out = open_memstream(&text, &bytes);

    alone.next = NULL;
    alone.field = NULL;
    if (out == NULL)
        return NULL;
    trace_write_line(&line, 0, out);
    fclose(out);
    bytes -= sizeof(before);
    memmove(text, text + sizeof(before) - 1, bytes);
    text[bytes] = '\0';
    return text;
}

static int print_the_same(const struct trace_value *a, const struct trace_value *b)
{
    char *left = print_value(a), *right = print_value(b);
    int are_same = left != NULL && right != NULL && strcmp(left, right) == 0;

    free(left);
    free(right);
    return are_same;
}

#define PAGES_COMPARED 4096u

/* The bytes of a buffer by the page, as fill() and pages() list them. Returns how many; 0: it is not written so. */
static unsigned list_bytes(const char *text, uint8_t *bytes)
{
    const char *at = strpbrk(text, "(");
    unsigned count = 0;
    char *end;

    if (strncmp(text, "fill(", 5) != 0 && strncmp(text, "pages(", 6) != 0)
        return 0;
    while (at != NULL && count < PAGES_COMPARED) {
        bytes[count++] = (uint8_t)strtoull(at + 1, &end, 0);
        at = strpbrk(end, ",");
    }
    return count;
}

/* The first page that differs counts, wherever it is: a read of less shows the same. 0: that cannot be told. */
static int put_first_byte(const char *expected, const char *actual, FILE *out)
{
    static uint8_t wanted[PAGES_COMPARED], came[PAGES_COMPARED];
    unsigned wanted_count = list_bytes(expected, wanted), came_count = list_bytes(actual, came);
    unsigned most = wanted_count > came_count ? wanted_count : came_count;

    for (unsigned page = 0; wanted_count > 0 && came_count > 0 && page < most; page++) {
        uint8_t a = wanted[page < wanted_count ? page : wanted_count - 1];
        uint8_t b = came[page < came_count ? page : came_count - 1];
        if (a == b)
            continue;
        fprintf(out, "0x%02x where 0x%02x is expected", b, a);
        return 1;
    }
    return 0;
}

/* Numbers that depend on all that was done before, without meaning anything. */
static int is_arbitrary(const struct trace_value *value)
{
    return value->field != NULL &&
           (value->field->domain == CONSTANT_ADDRESS || strstr(value->field->name, "koid") != NULL);
}

/* Whether both are numbers of the same unit; `more`: whether the second is the larger one. */
static int compare_numbers(const char *expected, const char *actual, int *more)
{
    char *behind_wanted, *behind_came;
    uint64_t wanted = strtoull(expected, &behind_wanted, 0), came = strtoull(actual, &behind_came, 0);
    int is_number = behind_wanted != expected && behind_came != actual;

    *more = came > wanted;
    return is_number && strspn(behind_wanted, "p") == strlen(behind_wanted) &&
           strspn(behind_came, "p") == strlen(behind_came) &&
           (strcmp(behind_wanted, behind_came) == 0 || wanted == 0 || came == 0);
}

/* Loosely, without the value: that would be another one in a smaller trace. */
static void put_loosely(const char *wanted, const char *came, FILE *out)
{
    int more;

    if (compare_numbers(wanted, came, &more))
        fputs(more ? "more" : "less", out);
    else if (strchr(wanted, '(') != NULL || wanted[0] == '"')
        fputs("other bytes", out);
    else
        fputs(came, out);
}

static void put_what_came(const struct trace_value *expected, const struct trace_value *actual, int loosely, FILE *out)
{
    char *wanted = print_value(expected), *came = print_value(actual);

    if (wanted != NULL && came != NULL && loosely)
        put_loosely(wanted, came, out);
    else if (wanted != NULL && came != NULL && !put_first_byte(wanted, came, out))
        fputs(came, out);
    free(wanted);
    free(came);
}

static const struct trace_value *same_field(const struct trace_value *items, const struct trace_field *field)
{
    while (items != NULL && items->field != field)
        items = items->next;
    return items;
}

static void put_difference(const char *name, const struct trace_value *expected, const struct trace_value *actual,
                           int loosely, FILE *out)
{
    if (print_the_same(expected, actual))
        return;
    if (expected->form == TRACE_STRUCTURE && actual->form == TRACE_STRUCTURE) {
        for (const struct trace_value *item = expected->items; item != NULL; item = item->next) {
            const struct trace_value *came = item->field != NULL ? same_field(actual->items, item->field) : NULL;
            if (came != NULL)
                put_difference(item->field->name, item, came, loosely, out);
        }
        return;
    }
    fprintf(out, "; %s", name);
    if (is_arbitrary(actual))
        return;
    fputs(" is ", out);
    put_what_came(expected, actual, loosely, out);
}

static void put_differences(const struct trace_line *expected, const struct trace_line *actual, int loosely, FILE *out)
{
    const pgr_arg *arg = trace_call_row(expected->call)->args;
    const struct trace_value *came = actual->args;
    int is_exception = expected->form == TRACE_EXCEPTION;

    for (const struct trace_value *value = expected->args; value != NULL && came != NULL;
         value = value->next, came = came->next, arg++)
        put_difference(is_exception ? "exception" : arg->name, value, came, loosely, out);
    if (expected->output != NULL && actual->output != NULL)
        put_difference("buffer", expected->output, actual->output, loosely, out);
}

/* ---- all of it ---- */

static void put_all(const struct trace_line *expected, const struct trace_line *actual, const char *note, int loosely,
                    FILE *out)
{
    fprintf(out, "%s%s: ", trace_call_row(expected->call)->name, expected->form == TRACE_RESUMED ? ", resumed" : "");
    if (actual == NULL) {
        fputs(note, out);
        return;
    }
    fputs("expected ", out);
    put_ending(expected, out);
    fputs(", came ", out);
    put_ending(actual, out);
    if (expected->form == actual->form)
        put_differences(expected, actual, loosely, out);
}

static void describe(const struct trace_line *expected, const struct trace_line *actual, const char *note, int loosely,
                     char *text, size_t text_bytes)
{
    char *all = NULL;
    size_t bytes = 0;
    FILE *out = open_memstream(&all, &bytes);

    if (out == NULL)
        return;
    put_all(expected, actual, note != NULL ? note : "", loosely, out);
    fclose(out);
    snprintf(text, text_bytes, "%s", all);
    free(all);
}

void failure_describe_difference(const struct trace_line *expected, const struct trace_line *actual, const char *note,
                                 struct failure *failure)
{
    describe(expected, actual, note, 0, failure->same, sizeof(failure->same));
    describe(expected, actual, note, 1, failure->alike, sizeof(failure->alike));
    describe(expected, actual, note, 0, failure->message, sizeof(failure->message));
}
