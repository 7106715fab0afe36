/*
 * A command behind pipes. Questions are written and answers read in one poll loop with a deadline, so that neither side
 * can make the other wait; what comes on standard error is read along.
 */
#define _GNU_SOURCE /* pipe2, close_range */

#include "harness/protocol_client.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define COMPLAINTS_BYTES 2048u
#define GOODBYE_MS 200 /* that a command has to end by itself once its input has ended */
#define SHOWN_BYTES 60 /* of an answer that is not one */

struct text {
    char *bytes;
    size_t count, room;
};

struct client {
    pid_t command; /* and its process group */
    pid_t keeper;
    int keeper_pipe; /* the keeper acts when this is closed */
    int in, out, err;
    unsigned timeout_ms;
    struct text output;        /* read, and not yet asked for */
    size_t taken;              /* bytes of it that belong to the last answer */
    struct client_line *lines; /* of the last answer */
    size_t line_room;
    char complaints[COMPLAINTS_BYTES + 1];
    size_t complaint_bytes;
    int has_ended; /* `status` is how */
    int status;
    char message[300];
};

/* ---- starting ---- */

static void close_if_open(int *file)
{
    if (*file >= 0)
        close(*file);
    *file = -1;
}

static void exec_command(const char *command, const int in[2], const int out[2], const int err[2])
{
    setpgid(0, 0);
    signal(SIGPIPE, SIG_DFL);
    dup2(in[0], STDIN_FILENO);
    dup2(out[1], STDOUT_FILENO);
    dup2(err[1], STDERR_FILENO);
    execl("/bin/sh", "sh", "-c", command, (char *)NULL);
    _exit(127);
}

/* Waits for the end of the pipe, which comes when nobody holds its other end any longer, and ends the group. */
static void keep(int pipe_end, pid_t group)
{
    char byte;

    setsid();
    dup2(pipe_end, STDIN_FILENO);
    close_range(STDIN_FILENO + 1, ~0u, 0);
    while (read(STDIN_FILENO, &byte, 1) < 0 && errno == EINTR)
        continue;
    kill(-group, SIGKILL);
    _exit(0);
}

static int start_keeper(struct client *client)
{
    int ends[2];

    if (pipe2(ends, O_CLOEXEC) != 0)
        return -1;
    client->keeper = fork();
    if (client->keeper == 0) {
        close(ends[1]);
        keep(ends[0], client->command);
    }
    close(ends[0]);
    client->keeper_pipe = ends[1];
    return client->keeper > 0 ? 0 : -1;
}

static int start_command(struct client *client, const char *command, int pipes[3][2])
{
    for (int i = 0; i < 3; i++)
        if (pipe2(pipes[i], O_CLOEXEC) != 0)
            return -1;
    client->command = fork();
    if (client->command == 0)
        exec_command(command, pipes[0], pipes[1], pipes[2]);
    if (client->command < 0)
        return -1;
    setpgid(client->command, client->command);
    return 0;
}

static void take_ends(struct client *client, int pipes[3][2])
{
    client->in = pipes[0][1];
    client->out = pipes[1][0];
    client->err = pipes[2][0];
    close_if_open(&pipes[0][0]);
    close_if_open(&pipes[1][1]);
    close_if_open(&pipes[2][1]);
}

static int set_nonblocking(int file)
{
    return fcntl(file, F_SETFL, fcntl(file, F_GETFL) | O_NONBLOCK);
}

struct client *client_start(const char *command, unsigned timeout_ms)
{
    struct client *client = calloc(1, sizeof(*client));
    int pipes[3][2] = {{-1, -1}, {-1, -1}, {-1, -1}};
    int failed, error;

    if (client == NULL)
        return NULL;
    client->keeper_pipe = -1;
    client->timeout_ms = timeout_ms;
    failed = start_command(client, command, pipes) != 0;
    error = errno;
    take_ends(client, pipes);
    if (!failed && start_keeper(client) == 0 && set_nonblocking(client->in) == 0 && set_nonblocking(client->out) == 0 &&
        set_nonblocking(client->err) == 0)
        return client;
    client_stop(client);
    errno = error;
    return NULL;
}

/* ---- ending ---- */

static void wait_for(pid_t process)
{
    while (process > 0 && waitpid(process, NULL, 0) < 0 && errno == EINTR)
        continue;
}

static void pause_ms(unsigned ms)
{
    nanosleep(&(struct timespec){ms / 1000, (long)(ms % 1000) * 1000000L}, NULL);
}

/* Whether the command ends within this time. It is not reaped, so that its group's number stays its own. */
static int ends_within(struct client *client, unsigned ms)
{
    siginfo_t about;

    for (unsigned waited = 0;; waited += 5) {
        about.si_pid = 0;
        if (waitid(P_PID, (id_t)client->command, &about, WEXITED | WNOHANG | WNOWAIT) == 0 && about.si_pid != 0)
            break;
        if (waited >= ms)
            return 0;
        pause_ms(5);
    }
    client->has_ended = 1;
    client->status = about.si_code == CLD_EXITED ? about.si_status << 8 : about.si_status;
    return 1;
}

void client_stop(struct client *client)
{
    if (client == NULL)
        return;
    close_if_open(&client->in);
    if (client->command > 0 && client->message[0] == '\0')
        ends_within(client, GOODBYE_MS);
    close_if_open(&client->keeper_pipe);
    wait_for(client->keeper);
    if (client->command > 0) {
        kill(-client->command, SIGKILL);
        kill(client->command, SIGKILL);
    }
    wait_for(client->command);
    close_if_open(&client->out);
    close_if_open(&client->err);
    free(client->output.bytes);
    free(client->lines);
    free(client);
}

/* ---- messages ---- */

static enum client_outcome fail(struct client *client, enum client_outcome outcome, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static enum client_outcome fail(struct client *client, enum client_outcome outcome, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(client->message, sizeof(client->message), format, arguments);
    va_end(arguments);
    return outcome;
}

const char *client_message(const struct client *client)
{
    return client->message;
}

/* Keeps the end of what was said. */
static void add_complaint(struct client *client, const char *bytes, size_t count)
{
    size_t kept = client->complaint_bytes;

    if (count > COMPLAINTS_BYTES) {
        bytes += count - COMPLAINTS_BYTES;
        count = COMPLAINTS_BYTES;
    }
    if (kept + count > COMPLAINTS_BYTES) {
        size_t gone = kept + count - COMPLAINTS_BYTES;
        memmove(client->complaints, client->complaints + gone, kept - gone);
        kept -= gone;
    }
    memcpy(client->complaints + kept, bytes, count);
    client->complaint_bytes = kept + count;
    client->complaints[client->complaint_bytes] = '\0';
}

/* Reads what there is of standard error; 0 at its end. */
static int read_complaints(struct client *client)
{
    char buffer[4096];
    ssize_t got = read(client->err, buffer, sizeof(buffer));

    if (got > 0)
        add_complaint(client, buffer, (size_t)got);
    return got != 0;
}

const char *client_complaints(struct client *client)
{
    struct pollfd err = {.fd = client->err, .events = POLLIN};
    const char *text = client->complaints;
    unsigned lines = 0;

    while (client->err >= 0 && poll(&err, 1, client->has_ended ? 50 : 0) > 0 && read_complaints(client))
        continue;
    for (size_t i = client->complaint_bytes; i-- > 0;)
        if (client->complaints[i] == '\n' && i + 1 < client->complaint_bytes && ++lines == 6)
            return client->complaints + i + 1;
    return text;
}

/* How the command has ended, which has closed its output. */
static enum client_outcome tell_end(struct client *client)
{
    const char *when = client->output.count > client->taken ? "in the middle of an answer" : "without an answer";

    if (!ends_within(client, GOODBYE_MS))
        return fail(client, CLIENT_ENDED, "the command has closed its output %s", when);
    if (WIFSIGNALED(client->status))
        return fail(client, CLIENT_ENDED, "the command was ended %s by signal %d (%s)", when, WTERMSIG(client->status),
                    strsignal(WTERMSIG(client->status)));
    if (WEXITSTATUS(client->status) > 128 && WEXITSTATUS(client->status) <= 128 + 64)
        return fail(client, CLIENT_ENDED, "the command has ended %s with status %d: a shell's word for signal %d (%s)",
                    when, WEXITSTATUS(client->status), WEXITSTATUS(client->status) - 128,
                    strsignal(WEXITSTATUS(client->status) - 128));
    if (WEXITSTATUS(client->status) == 127)
        return fail(client, CLIENT_ENDED, "the command cannot be run, or has ended %s with status 127", when);
    return fail(client, CLIENT_ENDED, "the command has ended %s with status %d", when, WEXITSTATUS(client->status));
}

void client_print_safely(const char *text, size_t bytes, FILE *out)
{
    for (size_t i = 0; i < bytes; i++) {
        unsigned char c = (unsigned char)text[i];
        if (c >= ' ' && c < 0x7f)
            putc(c, out);
        else
            fprintf(out, "\\x%02x", c);
    }
}

/* A message that ends with the beginning of what has come, in quotes. */
static enum client_outcome fail_showing(struct client *client, enum client_outcome outcome, const char *what)
{
    size_t count = client->output.count - client->taken;
    FILE *out = fmemopen(client->message, sizeof(client->message), "w");

    if (out == NULL)
        return fail(client, outcome, "%s", what);
    fprintf(out, "%s \"", what);
    client_print_safely(client->output.bytes + client->taken, count < SHOWN_BYTES ? count : SHOWN_BYTES, out);
    fputs("\"", out);
    fclose(out);
    return outcome;
}

static enum client_outcome tell_timeout(struct client *client)
{
    double seconds = client->timeout_ms / 1000.0;
    char text[100];

    if (client->output.count == client->taken)
        return fail(client, CLIENT_TIMED_OUT, "no answer within %g seconds", seconds);
    snprintf(text, sizeof(text), "no end of the answer within %g seconds; it begins", seconds);
    return fail_showing(client, CLIENT_TIMED_OUT, text);
}

static enum client_outcome tell_flood(struct client *client, uint64_t answer_max)
{
    char text[100];

    snprintf(text, sizeof(text), "an answer of more than %" PRIu64 " bytes; it begins", answer_max);
    return fail_showing(client, CLIENT_FLOODED, text);
}

/* ---- asking ---- */

static int64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int make_room(struct text *text, size_t more)
{
    size_t room = text->room;
    char *larger;

    if (text->count + more <= text->room)
        return 0;
    while (room < text->count + more)
        room = room * 2 + 4096;
    larger = realloc(text->bytes, room);
    if (larger == NULL)
        return -1;
    text->bytes = larger;
    text->room = room;
    return 0;
}

/* Reads what there is of the output; 0 at its end. */
static int read_output(struct client *client)
{
    struct text *output = &client->output;
    ssize_t got;

    if (make_room(output, 65536) != 0)
        return 0;
    got = read(client->out, output->bytes + output->count, 65536);
    if (got > 0)
        output->count += (size_t)got;
    return got > 0 || (got < 0 && (errno == EAGAIN || errno == EINTR));
}

/* Whether the end of the answer has come, looked for from `from` on; sets where it ends. */
static int find_end(const struct client *client, size_t from, size_t *end)
{
    const struct text *output = &client->output;

    for (size_t at = from; at < output->count; at++) {
        int is_line_start = at == client->taken || output->bytes[at - 1] == '\n';
        if (output->bytes[at] == '.' && is_line_start && at + 1 < output->count && output->bytes[at + 1] == '\n') {
            *end = at;
            return 1;
        }
    }
    return 0;
}

/* The last answer is forgotten. What has come behind it was not asked for. */
static enum client_outcome begin_question(struct client *client)
{
    struct pollfd out = {.fd = client->out, .events = POLLIN};

    while (poll(&out, 1, 0) > 0 && (out.revents & POLLIN) && client->output.count == client->taken)
        if (!read_output(client))
            break;
    if (client->output.count > client->taken)
        return fail_showing(client, CLIENT_UNASKED, "output that nobody asked for:");
    client->taken = 0;
    client->output.count = 0;
    return CLIENT_ANSWERED;
}

/* Writes on; 0 when all is written, -1 if nobody reads any longer. */
static int write_on(struct client *client, const char *bytes, size_t count, size_t *written)
{
    ssize_t done = write(client->in, bytes + *written, count - *written);

    if (done > 0)
        *written += (size_t)done;
    return done < 0 && errno != EAGAIN && errno != EINTR ? -1 : 0;
}

static int add_line(struct client *client, size_t count, const char *line, size_t length)
{
    if (count == client->line_room) {
        size_t room = client->line_room * 2 + 16;
        struct client_line *larger = realloc(client->lines, room * sizeof(*larger));
        if (larger == NULL)
            return -1;
        client->lines = larger;
        client->line_room = room;
    }
    client->lines[count] = (struct client_line){line, length};
    return 0;
}

/* Splits the answer into lines, in its place. */
static int split_answer(struct client *client, size_t end, struct client_answer *answer)
{
    char *bytes = client->output.bytes;
    size_t count = 0;

    for (size_t begin = 0; begin < end; count++) {
        char *line_end = memchr(bytes + begin, '\n', end - begin);
        size_t length = (size_t)(line_end - (bytes + begin));
        *line_end = '\0';
        if (add_line(client, count, bytes + begin, length) != 0)
            return -1;
        begin += length + 1;
    }
    *answer = (struct client_answer){client->lines, count};
    client->taken = end + 2;
    return 0;
}

/* A question on its way. */
struct asking {
    struct client *client;
    char *question; /* with its line end */
    size_t bytes, written;
    size_t searched; /* bytes of the output in which the end of the answer is not */
    int is_read;     /* the command reads its input still */
    int64_t deadline;
    uint64_t answer_max;
};

/* Waits for something to happen, and does it. */
static enum client_outcome step(struct asking *a)
{
    struct client *client = a->client;
    int64_t left = a->deadline - now_ms();
    struct pollfd files[3] = {{.fd = client->out, .events = POLLIN},
                              {.fd = client->err, .events = POLLIN},
                              {.fd = a->written < a->bytes && a->is_read ? client->in : -1, .events = POLLOUT}};

    if (client->output.count > a->answer_max)
        return tell_flood(client, a->answer_max);
    if (left <= 0)
        return tell_timeout(client);
    if (poll(files, 3, (int)left) <= 0)
        return CLIENT_ANSWERED;
    if (files[2].revents != 0)
        a->is_read = write_on(client, a->question, a->bytes, &a->written) == 0;
    if (files[1].revents != 0 && !read_complaints(client))
        close_if_open(&client->err);
    if (files[0].revents != 0 && !read_output(client))
        return tell_end(client);
    return CLIENT_ANSWERED;
}

static enum client_outcome converse(struct asking *a, struct client_answer *answer)
{
    enum client_outcome outcome = CLIENT_ANSWERED;
    size_t end = 0;

    while (!find_end(a->client, a->searched, &end)) {
        size_t count = a->client->output.count;
        a->searched = count > 1 ? count - 1 : 0;
        outcome = step(a);
        if (outcome != CLIENT_ANSWERED)
            return outcome;
    }
    if (split_answer(a->client, end, answer) != 0)
        return fail(a->client, CLIENT_ENDED, "out of memory");
    return CLIENT_ANSWERED;
}

enum client_outcome client_ask(struct client *client, const char *line, size_t bytes, uint64_t answer_max,
                               struct client_answer *answer)
{
    struct asking a = {.client = client, .bytes = bytes + 1, .is_read = 1, .answer_max = answer_max};
    enum client_outcome outcome = begin_question(client);

    if (outcome != CLIENT_ANSWERED)
        return outcome;
    a.question = malloc(a.bytes);
    if (a.question == NULL)
        return fail(client, CLIENT_ENDED, "out of memory");
    memcpy(a.question, line, bytes);
    a.question[bytes] = '\n';
    a.deadline = now_ms() + client->timeout_ms;
    outcome = converse(&a, answer);
    free(a.question);
    return outcome;
}
