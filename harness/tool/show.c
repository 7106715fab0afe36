/*
 * `pagerite show`: a trace with the maps of the VMOs behind each line that changes them, as text or as a page.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "harness/check.h"
#include "harness/show.h"
#include "harness/tool/one_trace.h"
#include "harness/tool/shrinking.h"

#define COLUMNS_MAX 10000u

enum { KEY_HTML = 256, KEY_COLOUR, KEY_WIDTH };

struct arguments {
    struct tool_one_trace one;
    const char *html;
    const char *colour; /* null: auto */
    unsigned columns;   /* 0: as the terminal has them */
    pgr_config world;
    int has_world;
};

/* A run that is being shown. */
struct showing {
    struct show *show;
    const struct show_text_options *text; /* null: nothing is printed while it runs */
    const pgr_config *world;              /* null: the usual one */
    struct check_context *checker;
    char *note; /* what the runner says */
    size_t note_bytes;
};

static const struct argp_option options[] = {
    {.name = "html", .key = KEY_HTML, .arg = "FILE", .doc = "Write a page with a slider over the lines to FILE"},
    {.name = "color", .key = KEY_COLOUR, .arg = "WHEN", .doc = "Use colours: always, never, or auto (on a terminal)"},
    {.name = "width", .key = KEY_WIDTH, .arg = "COLUMNS", .doc = "Columns of a line of maps; 0: any number"},
    {.name = "world",
     .key = 'w',
     .arg = "F,O,H,P,R",
     .doc = "Run in a world with so many frames,objects,handles,packets,runs, as a recorded trace says"},
    {0},
};

static error_t parse_width(const char *argument, struct argp_state *state, unsigned *columns)
{
    char *end;
    unsigned long number = strtoul(argument, &end, 10);

    if (argument[0] < '0' || argument[0] > '9' || *end != '\0' || number > COLUMNS_MAX ||
        (number != 0 && number < SHOW_COLUMNS_MIN))
        argp_error(state, "the width is 0, or from %u to %u, not '%s'", SHOW_COLUMNS_MIN, COLUMNS_MAX, argument);
    *columns = number != 0 ? (unsigned)number : COLUMNS_MAX;
    return 0;
}

static error_t parse(int key, char *argument, struct argp_state *state)
{
    struct arguments *arguments = state->input;

    switch (key) {
    case KEY_HTML:
        arguments->html = argument;
        return 0;
    case KEY_COLOUR:
        if (strcmp(argument, "always") != 0 && strcmp(argument, "never") != 0 && strcmp(argument, "auto") != 0)
            argp_error(state, "colours come always, never or auto, not '%s'", argument);
        arguments->colour = argument;
        return 0;
    case 'w':
        if (tool_parse_world(argument, &arguments->world) != 0)
            argp_error(state, "a world is five numbers with commas between, not '%s'", argument);
        arguments->has_world = 1;
        return 0;
    case KEY_WIDTH:
        return parse_width(argument, state, &arguments->columns);
    default:
        return tool_parse_one_trace(key, argument, state, &arguments->one);
    }
}

/* ---- the terminal ---- */

static unsigned terminal_columns(void)
{
    unsigned columns = tool_columns(STDOUT_FILENO);

    if (columns == 0)
        return 100;
    if (columns < SHOW_COLUMNS_MIN)
        return SHOW_COLUMNS_MIN;
    return columns < COLUMNS_MAX ? columns : COLUMNS_MAX;
}

/* NO_COLOR, if it is set to anything, wins over the terminal, not over the option. */
static int wants_colours(const char *when, int is_terminal)
{
    const char *no_color = getenv("NO_COLOR");
    const char *terminal = getenv("TERM");

    if (when != NULL && strcmp(when, "auto") != 0)
        return strcmp(when, "always") == 0;
    if (no_color != NULL && no_color[0] != '\0')
        return 0;
    return is_terminal && terminal != NULL && strcmp(terminal, "dumb") != 0;
}

static struct show_text_options text_options(const struct arguments *arguments)
{
    int is_terminal = isatty(STDOUT_FILENO);

    return (struct show_text_options){
        .out = stdout,
        .columns = arguments->columns != 0 ? arguments->columns : terminal_columns(),
        .colours = wants_colours(arguments->colour, is_terminal),
    };
}

/* ---- the run ---- */

static void behind_line(void *context, const struct run_moment *moment)
{
    struct showing *showing = context;

    show_behind_line(showing->show, moment);
    if (showing->text != NULL && show_step_count(showing->show) > 0)
        show_text_step(showing->text, show_step(showing->show, show_step_count(showing->show) - 1));
}

static enum run_verdict run_showing(struct trace *trace, const char *name, struct showing *showing)
{
    FILE *notes = open_memstream(&showing->note, &showing->note_bytes);
    struct run_options options_of_run = {.name = name,
                                         .out = notes,
                                         .world = showing->world,
                                         .after_line = behind_line,
                                         .after_line_context = showing,
                                         .check = tool_check,
                                         .check_context = &showing->checker};
    enum run_verdict verdict = RUN_ERROR;

    if (notes == NULL)
        return verdict;
    verdict = showing->text != NULL ? run_trace(trace, &options_of_run) : tool_run_trace(trace, &options_of_run);
    fclose(notes);
    return verdict;
}

static int exit_status(enum run_verdict verdict, const struct showing *showing)
{
    if (show_failed(showing->show))
        return tool_complain("out of memory");
    if (verdict == RUN_ERROR) {
        fputs(showing->note != NULL ? showing->note : "pagerite: out of memory\n", stderr);
        return TOOL_USAGE;
    }
    return verdict == RUN_PASSED ? TOOL_OK : TOOL_FOUND;
}

static int show_as_text(struct trace *trace, const char *name, const struct arguments *arguments,
                        struct showing *showing)
{
    struct show_text_options text = text_options(arguments);
    enum run_verdict verdict;

    showing->text = &text;
    show_text_legend(&text);
    verdict = run_showing(trace, name, showing);
    if (verdict == RUN_FAILED && showing->note != NULL)
        show_text_note(&text, showing->note);
    return tool_close_output(exit_status(verdict, showing));
}

static int show_as_page(struct trace *trace, const char *name, const char *html, struct showing *showing)
{
    enum run_verdict verdict = run_showing(trace, name, showing);
    int status = exit_status(verdict, showing);
    struct show_page page = {.title = name, .note = verdict == RUN_FAILED ? showing->note : NULL};

    if (verdict != RUN_PASSED && verdict != RUN_FAILED)
        return status;
    if (page.note != NULL)
        fputs(page.note, stderr);
    if (tool_open_output(html) != 0)
        return TOOL_USAGE;
    show_html(showing->show, trace, &page, stdout);
    return tool_close_output(status);
}

static int show_trace(struct trace *trace, void *context)
{
    const struct arguments *arguments = context;
    const char *name = tool_file_name(arguments->one.trace);
    struct showing showing = {.show = show_new(), .world = arguments->has_world ? &arguments->world : NULL};
    int status;

    if (showing.show == NULL)
        status = tool_complain("out of memory");
    else if (arguments->html != NULL)
        status = show_as_page(trace, name, arguments->html, &showing);
    else
        status = show_as_text(trace, name, arguments, &showing);
    check_free(showing.checker);
    free(showing.note);
    if (showing.show != NULL)
        show_free(showing.show);
    return status;
}

int tool_show(int argc, char **argv)
{
    static const struct argp argp = {
        .options = options,
        .parser = parse,
        .args_doc = "TRACE",
        .doc = "Runs a trace (- is standard input) and prints, behind each line, the maps of the VMOs that it changed, "
               "as comments: the VMO's name, its pages, and one character a page:\n\n"
               "  .  absent: it reads as zero, or the pager is asked\n"
               "  ^  seen in a parent\n"
               "  A  anonymous: a page of its own, without a pager\n"
               "  C  clean          M  marker: zero, clean, without a frame\n"
               "  D  dirty          W  awaiting clean\n"
               "  Z  zero interval  Y  zero interval awaiting clean\n"
               "  P  physical\n\n"
               "Pinned pages have small letters; C*20 are 20 in a row. Beside the map stand the VMO's page requests: "
               "what is asked for, first page and pages, where it is, and the threads that wait for it.\v"
               "Colours come on a terminal, unless NO_COLOR is set. The exit status is 1 if the trace does not pass; "
               "what is shown then ends with the line that is not as expected.",
    };
    struct arguments arguments = {0};

    argp_parse(&argp, argc, argv, 0, NULL, &arguments);
    return tool_with_trace(arguments.one.trace, show_trace, &arguments);
}
