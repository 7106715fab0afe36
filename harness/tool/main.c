/*
 * `pagerite`: chooses the subcommand.
 */
#include <argp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "harness/tool/tool.h"

struct subcommand {
    const char *name;
    const char *arguments;
    const char *summary;
    tool_function *function;
};

static const struct subcommand subcommands[] = {
    {"run", "FILE|DIR|-...", "run traces and tell the first difference of each", tool_run},
    {"record", "FILE", "print the trace with what the core returns", tool_record},
    {"decode", "INPUT", "print a fuzzer's input as a trace, with results", tool_decode},
    {"encode", "TRACE", "make a trace a fuzzer's input", tool_encode},
    {"show", "TRACE", "print the trace with maps of what each line changes", tool_show},
    {"export", "TRACE", "write the trace in the language of another tool", tool_export},
    {"shrink", "TRACE", "make a failing trace short and simple", tool_shrink},
    {"triage", "INPUT", "make a regression trace of a fuzzer's finding", tool_triage},
    {"diff", "FILE|DIR|-...", "compare another implementation with the core", tool_diff},
    {"serve", "", "answer calls of the line protocol on standard input", tool_serve},
    {"help", "[COMMAND]", "print the help of a command, or `trace-format`", tool_help},
    {"sweep", "FILE|DIR...", "run traces with failing allocations, and cut at every line", tool_sweep},
};

#define SUBCOMMAND_COUNT (sizeof(subcommands) / sizeof(subcommands[0]))

const char *argp_program_version = "pagerite " PGR_VERSION;

static char *help_text(int key, const char *text, void *input)
{
    char *list = NULL;
    size_t length = 0;
    FILE *out;

    (void)input;
    if (key != ARGP_KEY_HELP_POST_DOC)
        return (char *)text;
    out = open_memstream(&list, &length);
    if (out == NULL)
        return NULL;
    fputs("Commands:\n", out);
    for (size_t i = 0; i < SUBCOMMAND_COUNT; i++)
        fprintf(out, "  %-7s %-13s %s\n", subcommands[i].name, subcommands[i].arguments, subcommands[i].summary);
    fputs("\n`pagerite COMMAND --help` says more about each, `pagerite help trace-format` how traces are written. The "
          "exit status is 0 if all is well, 1 if something was found that is not as it should be, 2 if the command "
          "could not do its work.",
          out);
    fclose(out);
    return list;
}

static const struct subcommand *find_subcommand(const char *name)
{
    for (size_t i = 0; i < SUBCOMMAND_COUNT; i++)
        if (strcmp(subcommands[i].name, name) == 0)
            return &subcommands[i];
    return NULL;
}

/* The first argument that is no option is the command; what follows is its own. */
static error_t parse(int key, char *argument, struct argp_state *state)
{
    const struct subcommand **chosen = state->input;

    switch (key) {
    case ARGP_KEY_ARG:
        *chosen = find_subcommand(argument);
        if (*chosen == NULL)
            argp_error(state, "there is no command '%s'", argument);
        state->next = state->argc;
        return 0;
    case ARGP_KEY_NO_ARGS:
        argp_error(state, "a command is missing");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static int run_subcommand(const struct subcommand *command, int argc, char **argv)
{
    char name[40];

    snprintf(name, sizeof(name), "pagerite %s", command->name);
    argv[0] = name;
    return command->function(argc, argv);
}

const char *tool_command_name(size_t i)
{
    return i < SUBCOMMAND_COUNT ? subcommands[i].name : NULL;
}

static const struct argp argp = {
    .parser = parse,
    .args_doc = "COMMAND [ARGUMENT...]",
    .doc = "Runs, records and converts traces of Zircon's user pager on the reference model.\v",
    .help_filter = help_text,
};

int tool_print_help(const char *name)
{
    char program[] = "pagerite", option[] = "--help";
    char *arguments[] = {program, option, NULL};
    const struct subcommand *command = name != NULL ? find_subcommand(name) : NULL;

    if (name != NULL && command == NULL)
        return TOOL_USAGE;
    if (command != NULL)
        return run_subcommand(command, 2, arguments);
    argp_parse(&argp, 2, arguments, 0, NULL, &command);
    return TOOL_OK;
}

int main(int argc, char **argv)
{
    const struct subcommand *command = NULL;
    int first = 1;

    signal(SIGPIPE, SIG_IGN);
    atexit(tool_close_at_exit);
    tool_fit_help();
    argp_err_exit_status = TOOL_USAGE;
    argv[0] = (char[]){"pagerite"};
    while (first < argc && argv[first][0] == '-' && argv[first][1] != '\0')
        first++;
    argp_parse(&argp, first < argc ? first + 1 : argc, argv, ARGP_IN_ORDER, NULL, &command);
    return run_subcommand(command, argc - first, argv + first);
}
