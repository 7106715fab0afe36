/*
 * Maps as one page that needs nothing else: the trace at the left, the maps at the right, and a slider over the lines.
 * The page's script gets what is to be shown as JSON and makes elements of it, never markup. Whatever stems from the
 * trace passes through put_text() or put_string().
 */
#include "harness/show.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* ---- escaping ---- */

#define REPLACEMENT 0xfffdu

/* The length of a sequence of UTF-8 by its first byte, and the bits that this byte has; 0: it begins none. */
static unsigned sequence_length(unsigned char first, uint32_t *bits)
{
    static const struct {
        unsigned char mask, value;
    } kinds[] = {{0x80, 0x00}, {0xe0, 0xc0}, {0xf0, 0xe0}, {0xf8, 0xf0}};

    for (unsigned length = 1; length <= 4; length++) {
        if ((first & kinds[length - 1].mask) != kinds[length - 1].value)
            continue;
        *bits = first & ~(uint32_t)kinds[length - 1].mask;
        return length;
    }
    return 0;
}

/* Neither longer than necessary nor half of a pair; and nothing that steers: no control, no change of direction. */
static int is_printable(uint32_t c, unsigned length)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};

    if (c < least[length] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
        return 0;
    if (c < 0x20)
        return c == '\t';
    if ((c >= 0x7f && c < 0xa0) || c == 0x61c || c == 0x200e || c == 0x200f || c == 0xfeff)
        return 0;
    return !(c >= 0x2028 && c <= 0x202e) && !(c >= 0x2066 && c <= 0x2069);
}

/* The character at the text's beginning, and how many bytes it has. What is none is one byte and a replacement. */
static uint32_t next_character(const char *text, size_t bytes, size_t *taken)
{
    const unsigned char *at = (const unsigned char *)text;
    uint32_t c = 0;
    unsigned length = sequence_length(at[0], &c);

    *taken = 1;
    if (length == 0 || length > bytes)
        return REPLACEMENT;
    for (unsigned i = 1; i < length; i++) {
        if ((at[i] & 0xc0u) != 0x80)
            return REPLACEMENT;
        c = c << 6 | (at[i] & 0x3fu);
    }
    if (!is_printable(c, length))
        return REPLACEMENT;
    *taken = length;
    return c;
}

/* Text between tags, or an attribute's value in quotes. */
static void put_text(FILE *out, const char *text, size_t bytes)
{
    size_t taken;

    for (size_t i = 0; i < bytes; i += taken) {
        uint32_t c = next_character(text + i, bytes - i, &taken);
        if (c == REPLACEMENT || c == '&' || c == '<' || c == '>' || c == '"' || c == '\'')
            fprintf(out, "&#%" PRIu32 ";", c);
        else
            fwrite(text + i, 1, taken, out);
    }
}

/* A string of JSON, inside of a script element. */
static void put_string(FILE *out, const char *text)
{
    size_t bytes = strlen(text), taken;

    putc('"', out);
    for (size_t i = 0; i < bytes; i += taken) {
        uint32_t c = next_character(text + i, bytes - i, &taken);
        if (c == REPLACEMENT || c == '&' || c == '<' || c == '>' || c == '"' || c == '\'' || c == '\\' || c < 0x20)
            fprintf(out, "\\u%04" PRIx32, c);
        else
            fwrite(text + i, 1, taken, out);
    }
    putc('"', out);
}

/* ---- what is shown, as JSON ---- */

/* Most pieces are their text alone. */
static void put_piece(FILE *out, const struct show_piece *piece)
{
    char text[SHOW_PIECE_TEXT_MAX];

    show_piece_text(piece, text);
    if (piece->pins == 0 && piece->hint == PGR_HINT_NONE)
        fprintf(out, "\"%s\"", text);
    else
        fprintf(out, "[\"%s\",%" PRIu32 ",%" PRIu32 "]", text, piece->pins, piece->hint);
}

static void put_pieces(FILE *out, const struct show_picture *picture)
{
    putc('[', out);
    for (size_t i = 0; i < picture->piece_count; i++) {
        if (i > 0)
            putc(',', out);
        put_piece(out, &picture->pieces[i]);
    }
    putc(']', out);
}

/* Numbers of pages go beyond what a script's numbers can hold, and are written as strings. */
static void put_request(FILE *out, const struct show_picture *picture, const struct show_request *request)
{
    char text[SHOW_REQUEST_TEXT_MAX];

    show_request_text(request, text);
    fprintf(out, "[\"%s\",\"%" PRIu64 "\",\"%" PRIu64 "\",[", text, request->page, request->count);
    for (uint32_t i = 0; i < request->waiter_count; i++) {
        if (i > 0)
            putc(',', out);
        put_string(out, picture->waiters[request->first_waiter + i]);
    }
    fputs("]]", out);
}

static void put_picture(FILE *out, const struct show_picture *picture)
{
    fprintf(out, "{\"id\":%" PRIu64 ",\"name\":", picture->koid);
    put_string(out, picture->name);
    if (picture->is_gone) {
        fputs(",\"gone\":true}", out);
        return;
    }
    fprintf(out, ",\"size\":\"%" PRIu64 "\",\"map\":", picture->size_pages);
    put_pieces(out, picture);
    fputs(",\"requests\":[", out);
    for (size_t i = 0; i < picture->request_count; i++) {
        if (i > 0)
            putc(',', out);
        put_request(out, picture, &picture->requests[i]);
    }
    fputs("]}", out);
}

static void put_waits(FILE *out, const struct show_step *step)
{
    putc('[', out);
    for (size_t i = 0; i < step->wait_count; i++) {
        fputs(i > 0 ? ",[" : "[", out);
        put_string(out, step->waits[i].thread);
        putc(',', out);
        put_string(out, step->waits[i].what);
        putc(']', out);
    }
    putc(']', out);
}

/* Comments and options are no stops of the slider. */
static int is_stop(const struct trace_line *line)
{
    return line->form != TRACE_BLANK && line->form != TRACE_OPTION;
}

static void put_step(FILE *out, const struct show_step *step)
{
    fprintf(out, "{\"line\":%" PRIu32 ",\"changed\":[", step->line->number);
    for (size_t i = 0; i < step->changed_count; i++) {
        if (i > 0)
            putc(',', out);
        put_picture(out, step->changed[i]);
    }
    fputs("],\"waits\":", out);
    put_waits(out, step);
    putc('}', out);
}

static void put_looks(FILE *out)
{
    putc('[', out);
    for (size_t i = 0; i < SHOW_STATE_COUNT; i++) {
        fprintf(out, "%s{\"letter\":\"%c\",\"name\":", i > 0 ? "," : "", show_looks[i].letter);
        put_string(out, show_looks[i].name);
        fputs(",\"meaning\":", out);
        put_string(out, show_looks[i].meaning);
        putc('}', out);
    }
    putc(']', out);
}

static void put_data(FILE *out, const struct show *show)
{
    const char *before = "\n";

    fputs("<script type=\"application/json\" id=\"data\">\n{\"looks\":", out);
    put_looks(out);
    fputs(",\"steps\":[", out);
    for (size_t i = 0; i < show_step_count(show); i++) {
        if (!is_stop(show_step(show, i)->line))
            continue;
        fputs(before, out);
        put_step(out, show_step(show, i));
        before = ",\n";
    }
    fputs("\n]}\n</script>\n", out);
}

/* ---- the page ---- */

static void put_lines(FILE *out, const char *const *lines)
{
    for (; *lines != NULL; lines++)
        fprintf(out, "%s\n", *lines);
}

static void put_trace_line(FILE *out, const struct trace_line *line)
{
    char *text = NULL;
    size_t bytes;
    FILE *memory = open_memstream(&text, &bytes);

    if (memory == NULL)
        return;
    trace_write_line(line, TRACE_WRITE_ALIGNED | TRACE_WRITE_COMMENT, memory);
    fclose(memory);
    fprintf(out, "<li id=\"L%" PRIu32 "\"%s><code>", line->number, is_stop(line) ? " class=\"stop\"" : "");
    put_text(out, text, bytes);
    fputs("</code></li>\n", out);
    free(text);
}

static void put_trace(FILE *out, const struct trace *trace)
{
    fputs("<section id=\"trace\" aria-label=\"Trace\" tabindex=\"0\">\n<ol>\n", out);
    for (const struct trace_line *line = trace_lines(trace); line != NULL; line = line->next)
        put_trace_line(out, line);
    fputs("</ol>\n</section>\n", out);
}

static void put_head(FILE *out, const char *title)
{
    fputs("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
          "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; "
          "script-src 'unsafe-inline'; base-uri 'none'; form-action 'none'\">\n"
          "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
          "<meta name=\"color-scheme\" content=\"light dark\">\n<title>",
          out);
    put_text(out, title, strlen(title));
    fputs("</title>\n<style>\n", out);
    put_lines(out, show_page_style);
    fputs("</style>\n</head>\n", out);
}

static void put_controls(FILE *out, const struct show_page *page)
{
    fputs("<header>\n<h1>", out);
    put_text(out, page->title, strlen(page->title));
    fputs("</h1>\n<div id=\"controls\">\n"
          "<button type=\"button\" id=\"back\" aria-label=\"One line back\">\xe2\x97\x80</button>\n"
          "<input type=\"range\" id=\"slider\" min=\"0\" value=\"0\" aria-label=\"Line of the trace\">\n"
          "<button type=\"button\" id=\"on\" aria-label=\"One line on\">\xe2\x96\xb6</button>\n"
          "<output id=\"where\" for=\"slider\" aria-live=\"polite\"></output>\n</div>\n"
          "<ul id=\"legend\" aria-label=\"Legend\"></ul>\n"
          "<noscript><p>The maps need JavaScript. <code>pagerite show</code> prints the same as text.</p></noscript>\n",
          out);
    if (page->note != NULL) {
        fputs("<pre id=\"note\" role=\"alert\">", out);
        put_text(out, page->note, strcspn(page->note, "\n"));
        for (const char *line = strchr(page->note, '\n'); line != NULL; line = strchr(line, '\n')) {
            line++;
            putc('\n', out);
            put_text(out, line, strcspn(line, "\n"));
        }
        fputs("</pre>\n", out);
    }
    fputs("</header>\n", out);
}

void show_html(const struct show *show, const struct trace *trace, const struct show_page *page, FILE *out)
{
    put_head(out, page->title);
    fputs("<body>\n", out);
    put_controls(out, page);
    fputs("<main>\n", out);
    put_trace(out, trace);
    fputs("<section id=\"maps\" aria-label=\"Maps\"></section>\n</main>\n", out);
    put_data(out, show);
    fputs("<script>\n", out);
    put_lines(out, show_page_script);
    fputs("</script>\n</body>\n</html>\n", out);
}
