/*
 * `pagerite help`: the help of a command, and what is longer than an option's text.
 */
#include <argp.h>
#include <string.h>

#include "harness/tool/tool.h"

/* docs/trace-format.md, made a string by the build. */
static const char trace_format[] =
#include "harness/tool/trace_format.inc"
    ;

static const char *const topics[] = {"trace-format", "bash-completion"};

#define TOPIC_COUNT (sizeof(topics) / sizeof(topics[0]))

/* Commands come from the table, and a command's options from its own help when they are asked for. */
static void print_bash_completion(void)
{
    fputs("# Completion of pagerite for bash.\n"
          "_pagerite()\n"
          "{\n"
          "    local word=${COMP_WORDS[COMP_CWORD]} command=${COMP_WORDS[1]} words\n"
          "    if ((COMP_CWORD == 1)); then\n"
          "        words='",
          stdout);
    for (size_t i = 0; tool_command_name(i) != NULL; i++)
        printf("%s ", tool_command_name(i));
    fputs("--help --version'\n"
          "    elif [[ $command == help ]]; then\n"
          "        words='",
          stdout);
    for (size_t i = 0; i < TOPIC_COUNT; i++)
        printf("%s%s", topics[i], i + 1 < TOPIC_COUNT ? " " : "'\n");
    fputs(
        "    elif [[ $word == -* ]]; then\n"
        "        words=$(\"${COMP_WORDS[0]}\" \"$command\" --help 2>/dev/null | grep --only-matching -e '--[a-z-]*')\n"
        "    fi\n"
        "    mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$word\")\n"
        "}\n"
        "complete -o default -F _pagerite pagerite\n",
        stdout);
}

static int is_topic(const char *name)
{
    for (size_t i = 0; i < TOPIC_COUNT; i++)
        if (strcmp(topics[i], name) == 0)
            return 1;
    return 0;
}

static int is_command(const char *name)
{
    for (size_t i = 0; tool_command_name(i) != NULL; i++)
        if (strcmp(tool_command_name(i), name) == 0)
            return 1;
    return 0;
}

static error_t parse(int key, char *argument, struct argp_state *state)
{
    const char **subject = state->input;

    if (key != ARGP_KEY_ARG)
        return ARGP_ERR_UNKNOWN;
    if (*subject != NULL)
        argp_error(state, "one topic at a time");
    if (!is_topic(argument) && !is_command(argument))
        argp_error(state, "there is no command or topic '%s'", argument);
    *subject = argument;
    return 0;
}

int tool_help(int argc, char **argv)
{
    static const struct argp argp = {
        .parser = parse,
        .args_doc = "[COMMAND|TOPIC]",
        .doc = "Prints the help of a command, or about a topic:\n\n"
               "  trace-format     how traces are written\n"
               "  bash-completion  a completion for bash: source <(pagerite help bash-completion)",
    };
    const char *subject = NULL;

    argp_parse(&argp, argc, argv, 0, NULL, &subject);
    if (subject == NULL || !is_topic(subject))
        return tool_print_help(subject);
    if (strcmp(subject, "trace-format") == 0)
        fputs(trace_format, stdout);
    else
        print_bash_completion();
    return tool_close_output(TOOL_OK);
}
