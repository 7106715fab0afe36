/*
 * Files, directories and standard streams of the subcommands.
 */
#define _GNU_SOURCE /* asprintf */

#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "harness/tool/tool.h"

#define DIRECTORIES_DEEP_MAX 64

int tool_complain(const char *format, ...)
{
    va_list arguments;

    fputs("pagerite: ", stderr);
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    putc('\n', stderr);
    return TOOL_USAGE;
}

const char *tool_file_name(const char *path)
{
    return strcmp(path, "-") == 0 ? "<stdin>" : path;
}

/* Reads to the end, but no more than the longest trace and one byte. */
static char *read_stream(FILE *in, size_t *bytes)
{
    size_t room = 1u << 16;
    char *text = malloc(room);

    *bytes = 0;
    while (text != NULL) {
        size_t got = fread(text + *bytes, 1, room - *bytes, in);
        char *larger;
        *bytes += got;
        if (feof(in) || ferror(in) || *bytes > TRACE_TEXT_MAX)
            return text;
        if (*bytes < room)
            continue;
        room *= 2;
        larger = realloc(text, room);
        if (larger == NULL)
            free(text);
        text = larger;
    }
    errno = ENOMEM;
    return NULL;
}

static char *read_whole(FILE *in, size_t *bytes)
{
    char *text = read_stream(in, bytes);
    int error = errno;

    if (text == NULL || !ferror(in))
        return text;
    free(text);
    errno = error;
    return NULL;
}

char *tool_read_file(const char *path, size_t *bytes)
{
    FILE *in;
    char *text;
    int error;

    if (strcmp(path, "-") == 0)
        return read_whole(stdin, bytes);
    in = fopen(path, "rb");
    if (in == NULL)
        return NULL;
    text = read_whole(in, bytes);
    error = errno;
    fclose(in);
    errno = error;
    return text;
}

struct trace *tool_read_trace(const char *path, int *status)
{
    struct trace_error error;
    struct trace *trace;
    size_t bytes;
    char *text = tool_read_file(path, &bytes);

    if (text == NULL) {
        *status = tool_complain("cannot read %s: %s", tool_file_name(path), strerror(errno));
        return NULL;
    }
    trace = trace_read(text, bytes, &error);
    free(text);
    if (trace != NULL)
        return trace;
    fprintf(stderr, "%s:%u:%u: %s\n", tool_file_name(path), error.line, error.column, error.message);
    *status = TOOL_FOUND;
    return NULL;
}

static int is_output_closed;

int tool_open_output(const char *path)
{
    if (path == NULL || strcmp(path, "-") == 0)
        return 0;
    if (freopen(path, "wb", stdout) != NULL)
        return 0;
    is_output_closed = 1;
    tool_complain("cannot write %s: %s", path, strerror(errno));
    return -1;
}

/* A reader that has seen enough is no reason for a message. */
static int has_no_reader(void)
{
    struct pollfd output = {.fd = STDOUT_FILENO, .events = POLLOUT};

    return poll(&output, 1, 0) > 0 && (output.revents & POLLERR) != 0;
}

int tool_close_output(int status)
{
    int failed = ferror(stdout);
    int is_pipe_closed = has_no_reader();

    is_output_closed = 1;
    errno = 0;
    failed |= fclose(stdout) != 0;
    if (!failed)
        return status;
    // NOLINTNEXTLINE(clang-analyzer-unix.Errno): zero, if the mistake was an earlier one
    if (is_pipe_closed || errno == EPIPE)
        return TOOL_USAGE;
    if (errno != 0)
        tool_complain("cannot write the results: %s", strerror(errno));
    else
        tool_complain("cannot write the results");
    return TOOL_USAGE;
}

void tool_close_at_exit(void)
{
    if (!is_output_closed && tool_close_output(TOOL_OK) != TOOL_OK)
        _exit(TOOL_USAGE);
}

/* ---- directories ---- */

static int add_path(struct tool_files *files, const char *path)
{
    if (files->count == files->room) {
        size_t room = files->room > 0 ? files->room * 2 : 64;
        char **larger = realloc(files->paths, room * sizeof(*larger));
        if (larger == NULL)
            return tool_complain("out of memory");
        files->paths = larger;
        files->room = room;
    }
    files->paths[files->count] = strdup(path);
    if (files->paths[files->count] == NULL)
        return tool_complain("out of memory");
    files->count++;
    return 0;
}

void tool_free_files(struct tool_files *files)
{
    for (size_t i = 0; i < files->count; i++)
        free(files->paths[i]);
    free(files->paths);
}

static int is_hidden(const char *name)
{
    return name[0] == '.';
}

static int is_trace(const char *name)
{
    size_t length = strlen(name);

    return length > 6 && strcmp(name + length - 6, ".trace") == 0;
}

static int add_directory(struct tool_files *files, const char *directory, unsigned deep);

static int add_entry(struct tool_files *files, const char *directory, const char *name, unsigned deep)
{
    size_t length = strlen(directory);
    int has_slash = length > 0 && directory[length - 1] == '/';
    struct stat about;
    char *path;
    int status = 0;

    if (asprintf(&path, "%s%s%s", directory, has_slash ? "" : "/", name) < 0)
        return tool_complain("out of memory");
    if (stat(path, &about) != 0)
        status = is_trace(name) ? tool_complain("cannot read %s: %s", path, strerror(errno)) : 0;
    else if (S_ISDIR(about.st_mode))
        status = add_directory(files, path, deep + 1);
    else if (is_trace(name))
        status = add_path(files, path);
    free(path);
    return status;
}

/* Recursion ends at a depth that only a loop of links has. */
static int add_directory(struct tool_files *files, const char *directory, unsigned deep)
{
    struct dirent **entries;
    int count, status = 0;

    if (deep > DIRECTORIES_DEEP_MAX)
        return tool_complain("%s lies too deep", directory);
    count = scandir(directory, &entries, NULL, alphasort);
    if (count < 0)
        return tool_complain("cannot read %s: %s", directory, strerror(errno));
    for (int i = 0; i < count; i++) {
        if (status == 0 && !is_hidden(entries[i]->d_name))
            status = add_entry(files, directory, entries[i]->d_name, deep);
        free(entries[i]);
    }
    free(entries);
    return status;
}

int tool_add_files(struct tool_files *files, const char *path)
{
    size_t before = files->count;
    struct stat about;
    int status;

    if (strcmp(path, "-") == 0)
        return add_path(files, path);
    if (stat(path, &about) != 0)
        return tool_complain("cannot read %s: %s", path, strerror(errno));
    if (!S_ISDIR(about.st_mode))
        return add_path(files, path);
    status = add_directory(files, path, 0);
    if (status == 0 && files->count == before)
        return tool_complain("there is no *.trace in %s", path);
    return status;
}
