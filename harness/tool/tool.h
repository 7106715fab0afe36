/*
 * What the subcommands of `pagerite` share. A subcommand is one file with one function, and one row in main.c.
 */
#ifndef HARNESS_TOOL_TOOL_H
#define HARNESS_TOOL_TOOL_H

#include <stddef.h>
#include <stdio.h>

#include "harness/runner.h"
#include "harness/trace.h"

enum tool_exit { TOOL_OK = 0, TOOL_FOUND = 1, TOOL_USAGE = 2 };

/* A subcommand gets its own arguments; argv[0] is "pagerite NAME". Returns the exit status. */
typedef int tool_function(int argc, char **argv);

tool_function tool_run;
tool_function tool_record;
tool_function tool_decode;
tool_function tool_encode;
tool_function tool_show;
tool_function tool_export;
tool_function tool_shrink;
tool_function tool_triage;
tool_function tool_diff;
tool_function tool_serve;
tool_function tool_help;

/* The name of the i-th command, in the order of the table; null behind the last. */
const char *tool_command_name(size_t i);

/* Prints the help of a command, or of all for a null pointer. Returns TOOL_USAGE if there is no such command. */
int tool_print_help(const char *command);

/* The width that COLUMNS says, or else that of the terminal there; 0: neither says one. */
unsigned tool_columns(int descriptor);

/* Makes help texts as wide as the terminal, if it is narrower than usual. */
void tool_fit_help(void);

/* For atexit(): what nobody has closed with tool_close_output(), help texts among it, must have been written, too. */
void tool_close_at_exit(void);

/* run_trace(), with its progress shown; `options` without one. What it prints itself, it prints when it has ended. */
enum run_verdict tool_run_trace(struct trace *trace, const struct run_options *options);

/*
 * While a run takes longer than a second, its name and the line it is at are shown on standard error, if that is a
 * terminal. To be ended before anything is printed; both cost nothing worth counting.
 */
void tool_progress_begin(const char *name, const volatile uint32_t *line);
void tool_progress_end(void);
tool_function tool_sweep;

/* A message on standard error, behind "pagerite: "; returns TOOL_USAGE. */
int tool_complain(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* What messages call a file: its name, or <stdin> for "-". */
const char *tool_file_name(const char *path);

/* The whole file, or standard input for "-"; to be freed. Null: cannot be read, `errno` says why. */
char *tool_read_file(const char *path, size_t *bytes);

/* Reads a trace for a subcommand that needs one. Null: the reason has been printed on standard error, `status` is the exit status. */
struct trace *tool_read_trace(const char *path, int *status);

/* Replaces standard output by the file; null: standard output stays. 0, or -1 with a message printed. */
int tool_open_output(const char *path);

/* Writes out what is buffered. `status`, or TOOL_USAGE with a message if something could not be written. */
int tool_close_output(int status);

/* Paths to run. */
struct tool_files {
    char **paths;
    size_t count;
    size_t room;
};

/*
 * Adds a file, or every *.trace below a directory, sorted by name. 0, or TOOL_USAGE with a message printed.
 */
int tool_add_files(struct tool_files *files, const char *path);
void tool_free_files(struct tool_files *files);

/*
 * The hook of run_options for check_invariants(). `checker` is a struct check_context **: null until the first world is
 * seen, which makes it; the caller frees it.
 */
int tool_check(void *checker, const pgr_world *world, const void *frames, char *message, size_t message_bytes);

#endif
