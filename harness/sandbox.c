/*
 * Child processes that may die: pipes for questions and answers, shared memory for what must survive the child, and a
 * file in memory for what it says on standard error.
 */
#define _GNU_SOURCE /* memfd_create, the registers of a signal's context */

#include "harness/sandbox.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

/* Survives the child. */
struct shared {
    volatile uint32_t progress;
    volatile uint64_t place;
};

/* What stands before a text in a pipe. */
struct head {
    uint64_t bytes;
    int64_t value; /* of an answer */
};

struct sandbox {
    sandbox_function *function;
    void *context;
    unsigned seconds;
    pid_t child; /* 0: none */
    int questions, answers, errors;
    struct shared *shared;
};

/* ---- pipes ---- */

static int write_all(int file, const void *data, size_t bytes)
{
    const char *at = data;

    while (bytes > 0) {
        ssize_t written = write(file, at, bytes);
        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            return -1;
        at += written;
        bytes -= (size_t)written;
    }
    return 0;
}

static int read_all(int file, void *data, size_t bytes)
{
    char *at = data;

    while (bytes > 0) {
        ssize_t got = read(file, at, bytes);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return -1;
        at += got;
        bytes -= (size_t)got;
    }
    return 0;
}

/* ---- in the child ---- */

static struct shared *shared_of_child;

static uint64_t place_of(const void *context)
{
#if defined(__x86_64__)
    return (uint64_t)((const ucontext_t *)context)->uc_mcontext.gregs[REG_RIP];
#elif defined(__aarch64__)
    return ((const ucontext_t *)context)->uc_mcontext.pc;
#else
    (void)context;
    return 0;
#endif
}

/*
 * The handler is gone by then (SA_RESETHAND), so that the signal ends the process when the instruction raises it
 * again.
 */
static void on_signal(int number, siginfo_t *info, void *context)
{
    (void)info;
    shared_of_child->place = place_of(context);
    signal(number, SIG_DFL);
    raise(number);
}

/* In place of the sanitizers' own handlers: their reports of signals take long, and say no more. */
static void catch_signals(void)
{
    static const int deadly[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGTRAP};
    struct sigaction action = {.sa_sigaction = on_signal, .sa_flags = (int)(SA_SIGINFO | SA_RESETHAND)};

    for (size_t i = 0; i < sizeof(deadly) / sizeof(deadly[0]); i++)
        sigaction(deadly[i], &action, NULL);
}

static int answer_one(struct sandbox *s)
{
    struct head question, head = {0};
    char *text = NULL, *printed = NULL;
    size_t bytes = 0;
    FILE *answer;
    int failed;

    if (read_all(s->questions, &question, sizeof(question)) != 0)
        return -1;
    text = malloc(question.bytes + 1);
    answer = open_memstream(&printed, &bytes);
    failed = text == NULL || answer == NULL || read_all(s->questions, text, question.bytes) != 0;
    if (!failed) {
        text[question.bytes] = '\0';
        head.value = s->function(s->context, text, question.bytes, answer, &s->shared->progress);
    }
    if (answer != NULL && fclose(answer) != 0)
        failed = 1;
    head.bytes = bytes;
    failed = failed || write_all(s->answers, &head, sizeof(head)) != 0 || write_all(s->answers, printed, bytes) != 0;
    free(text);
    free(printed);
    return failed ? -1 : 0;
}

/* A child that hangs must not outlive the parent; an interrupt is the parent's to deal with. */
static void work(struct sandbox *s)
{
    shared_of_child = s->shared;
    dup2(s->errors, STDERR_FILENO);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    signal(SIGINT, SIG_IGN);
    catch_signals();
    while (answer_one(s) == 0)
        continue;
    _exit(0);
}

/* ---- in the parent ---- */

struct sandbox *sandbox_new(sandbox_function *function, void *context, unsigned seconds)
{
    struct sandbox *s = calloc(1, sizeof(*s));

    if (s == NULL)
        return NULL;
    signal(SIGPIPE, SIG_IGN);
    *s = (struct sandbox){.function = function, .context = context, .seconds = seconds, .errors = -1};
    s->shared = mmap(NULL, sizeof(*s->shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    s->errors = memfd_create("pagerite-sandbox", MFD_CLOEXEC);
    if (s->shared != MAP_FAILED && s->errors >= 0)
        return s;
    if (s->shared == MAP_FAILED)
        s->shared = NULL;
    sandbox_free(s);
    return NULL;
}

/* Ends the child, if it has not ended yet, and returns how it did. */
static int reap(struct sandbox *s)
{
    int status = 0;

    close(s->questions);
    close(s->answers);
    while (waitpid(s->child, &status, 0) < 0 && errno == EINTR)
        continue;
    s->child = 0;
    return status;
}

void sandbox_forget(struct sandbox *s)
{
    if (s->child != 0) {
        kill(s->child, SIGKILL);
        reap(s);
    }
}

void sandbox_free(struct sandbox *s)
{
    if (s == NULL)
        return;
    sandbox_forget(s);
    if (s->shared != NULL)
        munmap(s->shared, sizeof(*s->shared));
    if (s->errors >= 0)
        close(s->errors);
    free(s);
}

static void close_both(const int ends[2])
{
    close(ends[0]);
    close(ends[1]);
}

/* The parent's ends of both pipes stay in `s`; the child has the others. */
static int start(struct sandbox *s)
{
    int questions[2], answers[2];

    if (pipe(questions) != 0)
        return -1;
    if (pipe(answers) != 0) {
        close_both(questions);
        return -1;
    }
    fflush(NULL);
    s->child = fork();
    if (s->child < 0) {
        close_both(questions);
        close_both(answers);
        s->child = 0;
        return -1;
    }
    if (s->child == 0) {
        close(questions[1]);
        close(answers[0]);
        s->questions = questions[0];
        s->answers = answers[1];
        work(s);
    }
    close(questions[0]);
    close(answers[1]);
    s->questions = questions[1];
    s->answers = answers[0];
    return 0;
}

static int64_t milliseconds_of(clockid_t clock)
{
    struct timespec now = {0};

    clock_gettime(clock, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

#define SLICE_MILLISECONDS 100
#define WAITING_FACTOR 10 /* how much longer an answer may take than the child may work on it */

/* Waits until there is something to read, or the child's end of the pipe is closed. 0: it has taken too long. */
static int wait_for_answer(const struct sandbox *s)
{
    struct pollfd poll_for = {.fd = s->answers, .events = POLLIN};
    int64_t began = milliseconds_of(CLOCK_MONOTONIC), most = (int64_t)s->seconds * 1000;
    clockid_t work = CLOCK_MONOTONIC;

    clock_getcpuclockid(s->child, &work);
    int64_t worked = milliseconds_of(work);
    while (milliseconds_of(work) - worked < most && milliseconds_of(CLOCK_MONOTONIC) - began < WAITING_FACTOR * most)
        if (poll(&poll_for, 1, SLICE_MILLISECONDS) > 0)
            return 1;
    return 0;
}

static void tell_death(struct sandbox *s, struct sandbox_answer *answer)
{
    ssize_t got;

    answer->outcome = SANDBOX_DIED;
    answer->wait_status = reap(s);
    answer->place = s->shared->place;
    got = pread(s->errors, answer->said, sizeof(answer->said) - 1, 0);
    answer->said[got > 0 ? got : 0] = '\0';
}

static void read_answer(struct sandbox *s, struct sandbox_answer *answer)
{
    struct head head;

    if (read_all(s->answers, &head, sizeof(head)) != 0) {
        tell_death(s, answer);
        return;
    }
    answer->text = malloc(head.bytes + 1);
    if (answer->text == NULL || read_all(s->answers, answer->text, head.bytes) != 0) {
        sandbox_free_answer(answer);
        sandbox_forget(s);
        answer->outcome = SANDBOX_BROKEN;
        return;
    }
    answer->text[head.bytes] = '\0';
    answer->bytes = head.bytes;
    answer->value = (int)head.value;
    answer->outcome = SANDBOX_ANSWERED;
}

void sandbox_ask(struct sandbox *s, const char *text, size_t bytes, struct sandbox_answer *answer)
{
    struct head head = {.bytes = bytes};

    *answer = (struct sandbox_answer){.outcome = SANDBOX_BROKEN};
    if (s->child == 0 && start(s) != 0)
        return;
    *s->shared = (struct shared){0};
    if (ftruncate(s->errors, 0) == 0)
        lseek(s->errors, 0, SEEK_SET);
    if (write_all(s->questions, &head, sizeof(head)) != 0 || write_all(s->questions, text, bytes) != 0) {
        tell_death(s, answer);
    } else if (wait_for_answer(s)) {
        read_answer(s, answer);
    } else {
        answer->outcome = SANDBOX_TIMED_OUT;
        sandbox_forget(s);
    }
    answer->progress = s->shared->progress;
}

void sandbox_free_answer(struct sandbox_answer *answer)
{
    free(answer->text);
    answer->text = NULL;
}
