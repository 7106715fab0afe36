/*
 * What the subcommands know of the terminal: its width, the margins of help texts, and a line of progress.
 */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/time.h>
#include <unistd.h>

#include "harness/tool/tool.h"

#define COLUMNS_USUAL 80u
#define HELP_COLUMNS_MIN 40u
#define HELP_COLUMNS_MAX 80u
#define PROGRESS_BYTES 400u

/* ---- width ---- */

/* COLUMNS, if it is a number, is what the user wants, whatever the terminal says. */
static unsigned columns_wanted(void)
{
    const char *text = getenv("COLUMNS");
    char *end;
    unsigned long columns;

    if (text == NULL || text[0] < '0' || text[0] > '9')
        return 0;
    columns = strtoul(text, &end, 10);
    return *end == '\0' && columns <= INT32_MAX ? (unsigned)columns : 0;
}

unsigned tool_columns(int descriptor)
{
    unsigned columns = columns_wanted();
    struct winsize size;

    if (columns == 0 && isatty(descriptor) && ioctl(descriptor, TIOCGWINSZ, &size) == 0)
        columns = size.ws_col;
    return columns;
}

/* argp asks nobody for the width. What the user has said in ARGP_HELP_FMT stays. */
void tool_fit_help(void)
{
    unsigned columns = tool_columns(STDOUT_FILENO);
    char margins[80];

    if (columns == 0 || columns >= HELP_COLUMNS_MAX)
        return;
    if (columns < HELP_COLUMNS_MIN)
        columns = HELP_COLUMNS_MIN;
    snprintf(margins, sizeof(margins), "rmargin=%u,opt-doc-col=%u", columns - 1, columns / 3);
    setenv("ARGP_HELP_FMT", margins, 0);
}

/* ---- progress ---- */

/* What the handler of the timer shows; there is nothing to show where `line` is null. */
static struct {
    const char *volatile name;
    const volatile uint32_t *volatile line;
    volatile sig_atomic_t is_drawn;
    unsigned columns;
} progress;

static size_t put_number(char *to, uint32_t number)
{
    char digits[10];
    size_t count = 0;

    do
        digits[count++] = (char)('0' + number % 10);
    while ((number /= 10) != 0);
    for (size_t i = 0; i < count; i++)
        to[i] = digits[count - 1 - i];
    return count;
}

static void put(const char *text, size_t bytes)
{
    if (write(STDERR_FILENO, text, bytes) < 0)
        progress.is_drawn = 0;
}

/* Calls only what a handler may call. A name that is too long for the terminal loses its front. Line 0: being read. */
static void draw(int signal_number)
{
    static const char start[] = "\r\033[K";
    char text[PROGRESS_BYTES];
    const volatile uint32_t *line = progress.line;
    size_t length = sizeof(start) - 1, name_length, room = progress.columns - 16;
    int error = errno;

    (void)signal_number;
    if (line == NULL)
        return;
    memcpy(text, start, length);
    name_length = strlen(progress.name);
    if (name_length < room)
        room = name_length;
    memcpy(text + length, progress.name + name_length - room, room);
    length += room;
    if (*line != 0) {
        text[length++] = ':';
        length += put_number(text + length, *line);
    }
    progress.is_drawn = 1;
    put(text, length);
    errno = error;
}

void tool_progress_begin(const char *name, const volatile uint32_t *line)
{
    static int is_ticking;
    const struct itimerval ticks = {.it_interval = {.tv_usec = 200000}, .it_value = {.tv_sec = 1}};
    const struct sigaction action = {.sa_handler = draw, .sa_flags = SA_RESTART};

    if (!isatty(STDERR_FILENO))
        return;
    progress.columns = tool_columns(STDERR_FILENO);
    if (progress.columns < 20 || progress.columns > PROGRESS_BYTES - 20)
        progress.columns = COLUMNS_USUAL;
    progress.name = name;
    progress.line = line;
    if (is_ticking)
        return;
    is_ticking = 1;
    sigaction(SIGALRM, &action, NULL);
    setitimer(ITIMER_REAL, &ticks, NULL);
}

enum run_verdict tool_run_trace(struct trace *trace, const struct run_options *options)
{
    static volatile uint32_t line;
    struct run_options with_progress = *options;
    enum run_verdict verdict;
    char *said = NULL;
    size_t bytes = 0;

    with_progress.progress = &line;
    with_progress.out = open_memstream(&said, &bytes);
    if (with_progress.out == NULL)
        return RUN_ERROR;
    tool_progress_begin(options->name, &line);
    verdict = run_trace(trace, &with_progress);
    tool_progress_end();
    fclose(with_progress.out);
    if (said != NULL)
        fwrite(said, 1, bytes, options->out);
    free(said);
    return verdict;
}

void tool_progress_end(void)
{
    static const char end[] = "\r\033[K";

    progress.line = NULL;
    if (!progress.is_drawn)
        return;
    progress.is_drawn = 0;
    put(end, sizeof(end) - 1);
}
