/*
 * The judge's pipes to a command that speaks the line protocol: starts it, asks, and ends it, whatever it does. All
 * that can go wrong has a name and a message; nothing waits longer than the time-out.
 *
 * The command runs in a process group of its own. A keeper process ends the group as soon as the client is stopped or
 * its process is gone, for whatever reason.
 */
#ifndef HARNESS_PROTOCOL_CLIENT_H
#define HARNESS_PROTOCOL_CLIENT_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct client;

enum client_outcome {
    CLIENT_ANSWERED,
    CLIENT_TIMED_OUT, /* no whole answer in time */
    CLIENT_ENDED,     /* the command has ended, or has closed its output */
    CLIENT_FLOODED,   /* an answer longer than any can be */
    CLIENT_UNASKED    /* output behind an answer, before the next question */
};

struct client_line {
    const char *text; /* with a zero behind it */
    size_t bytes;
};

/* The lines of an answer, without the one that ends it. They stay until the next question. */
struct client_answer {
    const struct client_line *lines;
    size_t count;
};

/* Starts the command by /bin/sh. Null: it cannot be started, `errno` says why. The time-out is for each answer. */
struct client *client_start(const char *command, unsigned timeout_ms);

/* Asks one line (without its end). `answer_max`: bytes beyond which an answer is a flood. */
enum client_outcome client_ask(struct client *client, const char *line, size_t bytes, uint64_t answer_max,
                               struct client_answer *answer);

/* What was wrong with the last question, in a sentence; how the command has ended, and what it had to say. */
const char *client_message(const struct client *client);

/* The last lines that the command has written to its standard error, at most a few; empty if there are none. */
const char *client_complaints(struct client *client);

/* Prints text that may be anything: what is no character of ASCII as \xHH. */
void client_print_safely(const char *text, size_t bytes, FILE *out);

/* Ends the command's process group, waits until it is gone, and frees the client. May be null. */
void client_stop(struct client *client);

#endif
