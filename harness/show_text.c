/*
 * Maps as text: comments behind a trace's line, so that the whole can still be read as a trace.
 */
#include "harness/show.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define INDENT "#   "
#define INDENT_COLUMNS 4u
#define GAP_COLUMNS 2u
#define MAP_COLUMNS_MIN 16u

void show_request_text(const struct show_request *request, char text[SHOW_REQUEST_TEXT_MAX])
{
    static const char *const places[] = {
        [PGR_REQUEST_QUEUED] = "waits for the port",
        [PGR_REQUEST_IN_PORT] = "in the port",
        [PGR_REQUEST_RECEIVED] = "received",
        [PGR_REQUEST_SWALLOWED] = "swallowed",
    };

    snprintf(text, SHOW_REQUEST_TEXT_MAX, "%s %" PRIu64 "p+%" PRIu64 "p %s",
             request->command == ZX_PAGER_VMO_DIRTY ? "DIRTY" : "READ", request->page, request->count,
             places[request->place]);
}

/* ---- a terminal ---- */

static void begin_colour(const struct show_text_options *options, const char *colour, int is_pinned)
{
    if (options->colours)
        fprintf(options->out, is_pinned ? "\033[%s;1;4m" : "\033[%sm", colour);
}

static void end_colour(const struct show_text_options *options)
{
    if (options->colours)
        fputs("\033[0m", options->out);
}

static void put_coloured(const struct show_text_options *options, const char *colour, const char *text)
{
    begin_colour(options, colour, 0);
    fputs(text, options->out);
    end_colour(options);
}

/* Words behind each other; those that the line has no room for stand in the next one, behind `indent` columns. */
static void put_words(const struct show_text_options *options, size_t column, size_t indent, const char *text)
{
    size_t length, blank = 0;

    for (; *text != '\0'; text += length + (text[length] == ' ')) {
        length = strcspn(text, " ");
        if (blank != 0 && options->columns != 0 && column + blank + length > options->columns) {
            fprintf(options->out, "\n#%*s", (int)indent - 1, "");
            column = indent;
            blank = 0;
        }
        fprintf(options->out, "%*s%.*s", (int)blank, "", (int)length, text);
        column += blank + length;
        blank = 1;
    }
}

/* ---- a map ---- */

/* Where the parts of a VMO's lines stand. */
struct frame {
    unsigned name_columns;
    unsigned size_columns;
    unsigned map_begin;
    unsigned map_columns; /* that the map may take; 0: any */
    int name_apart;       /* names are so long that they have a line of their own */
};

/* A counted piece stands apart. */
static int needs_blank(const struct show_picture *picture, size_t i)
{
    return i > 0 && (picture->pieces[i].count > SHOW_ROW_MAX || picture->pieces[i - 1].count > SHOW_ROW_MAX);
}

static void put_piece(const struct show_text_options *options, const struct show_piece *piece, const char *text)
{
    begin_colour(options, show_looks[piece->state].colour, piece->pins != 0);
    fputs(text, options->out);
    end_colour(options);
}

/* A line of a map that goes on begins with the number of its first page. */
static void put_continuation(const struct show_text_options *options, const struct frame *frame, uint64_t page)
{
    char number[32];

    snprintf(number, sizeof(number), "%" PRIu64 ":", page);
    fprintf(options->out, "\n#%*s  ", (int)(frame->map_begin - GAP_COLUMNS - 1), number);
}

/* Returns the columns that its last line takes. */
static size_t put_map(const struct show_text_options *options, const struct frame *frame,
                      const struct show_picture *picture)
{
    char text[SHOW_PIECE_TEXT_MAX];
    size_t column = 0;

    for (size_t i = 0; i < picture->piece_count; i++) {
        size_t blank = (size_t)needs_blank(picture, i), length;
        show_piece_text(&picture->pieces[i], text);
        length = strlen(text);
        if (frame->map_columns != 0 && column > 0 && column + blank + length > frame->map_columns) {
            put_continuation(options, frame, picture->pieces[i].page);
            column = blank = 0;
        }
        fprintf(options->out, "%*s", (int)blank, "");
        put_piece(options, &picture->pieces[i], text);
        column += blank + length;
    }
    return column;
}

/* ---- what stands beside ---- */

static char *request_line(const struct show_picture *picture, const struct show_request *request)
{
    char text[SHOW_REQUEST_TEXT_MAX];
    char *line = NULL;
    size_t bytes;
    FILE *out = open_memstream(&line, &bytes);

    if (out == NULL)
        return NULL;
    show_request_text(request, text);
    fputs(text, out);
    for (uint32_t i = 0; i < request->waiter_count; i++)
        fprintf(out, "%s%s", i == 0 ? " <- " : ", ", picture->waiters[request->first_waiter + i]);
    fclose(out);
    return line;
}

static size_t longest_request(const struct show_picture *picture)
{
    size_t longest = 0;

    for (size_t i = 0; i < picture->request_count; i++) {
        char *line = request_line(picture, &picture->requests[i]);
        if (line != NULL && strlen(line) > longest)
            longest = strlen(line);
        free(line);
    }
    return longest;
}

/* They stand behind the map's last line if there is room for all, otherwise below it, or else below the name. */
static void put_requests(const struct show_text_options *options, const struct frame *frame,
                         const struct show_picture *picture, size_t column)
{
    size_t longest = longest_request(picture), indent = INDENT_COLUMNS + GAP_COLUMNS;
    int beside = frame->map_columns == 0 || column + GAP_COLUMNS + longest <= frame->map_columns;

    if (beside)
        indent = frame->map_begin + column + GAP_COLUMNS;
    else if (longest <= frame->map_columns)
        indent = frame->map_begin;
    for (size_t i = 0; i < picture->request_count; i++) {
        char *line = request_line(picture, &picture->requests[i]);
        if (line == NULL)
            return;
        if (i == 0 && beside)
            fprintf(options->out, "%*s", (int)GAP_COLUMNS, "");
        else
            fprintf(options->out, "\n#%*s", (int)indent - 1, "");
        begin_colour(options, "1", 0);
        put_words(options, indent, indent + GAP_COLUMNS, line);
        end_colour(options);
        free(line);
    }
}

static void put_name(const struct show_text_options *options, const struct frame *frame,
                     const struct show_picture *picture)
{
    char size[32];

    snprintf(size, sizeof(size), "%" PRIu64 "p", picture->size_pages);
    if (frame->name_apart)
        fprintf(options->out, INDENT "%s\n" INDENT "    %*s", picture->name, (int)frame->size_columns, size);
    else
        fprintf(options->out, INDENT "%-*s  %*s", (int)frame->name_columns, picture->name, (int)frame->size_columns,
                size);
}

static void put_picture(const struct show_text_options *options, const struct frame *frame,
                        const struct show_picture *picture)
{
    size_t column;

    if (picture->is_gone) {
        fprintf(options->out, INDENT "%-*s  gone\n", (int)frame->name_columns, picture->name);
        return;
    }
    put_name(options, frame, picture);
    if (picture->piece_count + picture->request_count > 0)
        fputs("  ", options->out);
    column = put_map(options, frame, picture);
    put_requests(options, frame, picture, column);
    putc('\n', options->out);
}

static void put_waits(const struct show_text_options *options, const struct show_step *step)
{
    char text[240];

    if (step->wait_count == 0)
        fputs(INDENT "nobody waits for a packet or signals any more\n", options->out);
    for (size_t i = 0; i < step->wait_count; i++) {
        snprintf(text, sizeof(text), "%.80s is blocked in %s", step->waits[i].thread, step->waits[i].what);
        fputs(INDENT, options->out);
        put_words(options, INDENT_COLUMNS, INDENT_COLUMNS + GAP_COLUMNS, text);
        putc('\n', options->out);
    }
}

/* ---- a step ---- */

static unsigned at_least(unsigned a, size_t b)
{
    return a > b ? a : (unsigned)b;
}

static struct frame frame_of(const struct show_text_options *options, const struct show_step *step)
{
    struct frame frame = {.size_columns = 2};
    char size[32];

    for (size_t i = 0; i < step->changed_count; i++) {
        snprintf(size, sizeof(size), "%" PRIu64 "p", step->changed[i]->size_pages);
        frame.name_columns = at_least(frame.name_columns, strlen(step->changed[i]->name));
        frame.size_columns = at_least(frame.size_columns, strlen(size));
    }
    frame.map_begin = INDENT_COLUMNS + frame.name_columns + GAP_COLUMNS + frame.size_columns + GAP_COLUMNS;
    if (options->columns == 0)
        return frame;
    frame.name_apart = frame.map_begin + MAP_COLUMNS_MIN > options->columns;
    if (frame.name_apart)
        frame.map_begin = INDENT_COLUMNS + 4 + frame.size_columns + GAP_COLUMNS;
    frame.map_columns = options->columns - frame.map_begin;
    return frame;
}

void show_text_step(const struct show_text_options *options, const struct show_step *step)
{
    struct frame frame = frame_of(options, step);

    trace_write_line(step->line, TRACE_WRITE_ALIGNED | TRACE_WRITE_COMMENT, options->out);
    putc('\n', options->out);
    for (size_t i = 0; i < step->changed_count; i++)
        put_picture(options, &frame, step->changed[i]);
    if (step->waits_changed)
        put_waits(options, step);
}

void show_text_note(const struct show_text_options *options, const char *text)
{
    while (*text != '\0') {
        size_t bytes = strcspn(text, "\n");
        fprintf(options->out, "# %.*s\n", (int)bytes, text);
        text += bytes + (text[bytes] == '\n');
    }
}

/* ---- the legend ---- */

/* An entry behind the others, or in a new line if the terminal is not wide enough. */
static void put_entry(const struct show_text_options *options, size_t *column, const char *colour, const char *letters,
                      const char *meaning)
{
    size_t length = strlen(letters) + 1 + strlen(meaning);
    int is_new_line = *column == 0 || (options->columns != 0 && *column + GAP_COLUMNS + length > options->columns);

    if (is_new_line)
        fputs(*column == 0 ? "# " : "\n# ", options->out);
    else
        fputs("  ", options->out);
    put_coloured(options, colour, letters);
    fprintf(options->out, " %s", meaning);
    *column = (is_new_line ? 2 : *column + GAP_COLUMNS) + length;
}

void show_text_legend(const struct show_text_options *options)
{
    size_t column = 0;

    for (size_t i = 0; i < SHOW_STATE_COUNT; i++)
        put_entry(options, &column, show_looks[i].colour, (char[]){show_looks[i].letter, '\0'}, show_looks[i].name);
    put_entry(options, &column, "1;4", "a c d w", "pinned");
    put_entry(options, &column, "0", "C*20", "20 in a row");
    putc('\n', options->out);
}
