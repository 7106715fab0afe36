/*
 * The threads that access real memory (uffd.h): plain loads and stores, which the kernel may stop and may end with a
 * signal. They are started once and wait for their next job between two of them.
 */
#define _GNU_SOURCE
#include "harness/no_coverage.h"
#include "harness/uffd_internal.h"

#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <setjmp.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

NO_COVERAGE_BEGIN

struct worker {
    pthread_t thread;
    pid_t tid;
    sem_t go;
    atomic_int ended;
    volatile sig_atomic_t inside; /* an access is under way, and signals end it */
    sigjmp_buf outside;
    struct job job;
};

static struct worker workers[WORKERS];
static _Thread_local struct worker *self;
static int bell = -1;
static sem_t started;

/* --- signals --- */

enum { FATAL_COUNT = 2 };
static const int fatal[FATAL_COUNT] = {SIGSEGV, SIGBUS};
static struct sigaction handlers_before[FATAL_COUNT];

/* Not one of the signals that fuzzing engines take for themselves. */
static int killing_signal(void)
{
    return SIGRTMIN + 3;
}

/* A fault that is none of ours goes back to whoever handled it before: the same instruction faults again. */
static void hand_back(int number)
{
    for (int i = 0; i < FATAL_COUNT; i++) {
        if (fatal[i] == number)
            sigaction(number, &handlers_before[i], NULL);
    }
}

static void on_signal(int number, siginfo_t *info, void *context)
{
    (void)context;
    if (!self || !self->inside) {
        hand_back(number);
        return;
    }
    self->inside = 0;
    self->job.signal = number;
    self->job.fault_address = number == killing_signal() ? NULL : info->si_addr;
    siglongjmp(self->outside, 1);
}

/* Test frameworks and fuzzing engines set handlers of their own between two sessions. */
static int catch_signals(void)
{
    struct sigaction action = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO | SA_NODEFER}, before;
    int failed = sigaction(killing_signal(), &action, NULL);
    for (int i = 0; i < FATAL_COUNT; i++) {
        failed |= sigaction(fatal[i], &action, &before);
        if (before.sa_sigaction != on_signal)
            handlers_before[i] = before;
    }
    return failed;
}

/* --- accesses --- */

/* A word at a time where it can be: an access never reaches into a page before it is through with the one in front. */
static int is_word(const volatile uint8_t *address, uint32_t left)
{
    return left >= sizeof(uint64_t) && (uintptr_t)address % sizeof(uint64_t) == 0;
}

static void load(struct job *job)
{
    const volatile uint8_t *from = job->address;
    for (uint32_t at = 0; at < job->length;) {
        if (is_word(from + at, job->length - at)) {
            uint64_t word = *(const volatile uint64_t *)(from + at);
            memcpy(job->bytes + at, &word, sizeof word);
            at += sizeof word;
        } else {
            job->bytes[at] = from[at];
            at++;
        }
    }
}

static void store(const struct job *job)
{
    volatile uint8_t *to = job->address;
    uint64_t word = job->value * UINT64_C(0x0101010101010101);
    for (uint32_t at = 0; at < job->length;) {
        if (is_word(to + at, job->length - at)) {
            *(volatile uint64_t *)(to + at) = word;
            at += sizeof word;
        } else {
            to[at++] = job->value;
        }
    }
}

static void access_memory(struct worker *worker)
{
    worker->job.signal = 0;
    if (sigsetjmp(worker->outside, 0))
        return;
    worker->inside = 1;
    if (worker->job.task == TASK_LOAD)
        load(&worker->job);
    else
        store(&worker->job);
    worker->inside = 0;
}

/* Returns when the pager has read of it: the kernel tells it, and waits. */
static void remap(struct job *job)
{
    void *moved = mremap(job->address, UFFD_PAGE_BYTES, UFFD_PAGE_BYTES, MREMAP_MAYMOVE | MREMAP_FIXED, job->target);
    job->failed = moved == MAP_FAILED ? errno : 0;
}

/* --- the threads --- */

static void ring(void)
{
    uint64_t one = 1;
    while (write(bell, &one, sizeof one) < 0 && errno == EINTR) {
    }
}

static void *work(void *argument)
{
    self = argument;
    self->tid = (pid_t)syscall(SYS_gettid);
    sem_post(&started);
    for (;;) {
        while (sem_wait(&self->go) != 0) {
        }
        if (self->job.task == TASK_REMAP)
            remap(&self->job);
        else
            access_memory(self);
        atomic_store(&self->ended, 1);
        ring();
    }
    return NULL;
}

static int start_worker(struct worker *worker)
{
    if (sem_init(&worker->go, 0, 0) || pthread_create(&worker->thread, NULL, work, worker))
        return -1;
    while (sem_wait(&started) != 0) {
    }
    return 0;
}

static int start_all(void)
{
    static int running;
    if (running)
        return 0;
    bell = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    int failed = bell < 0 || sem_init(&started, 0, 0);
    for (uint32_t i = 0; i < WORKERS && !failed; i++)
        failed = start_worker(&workers[i]);
    running = !failed;
    return failed;
}

int threads_start(void)
{
    if (catch_signals() == 0 && start_all() == 0)
        return 0;
    uffd_differ("the threads that access memory cannot be started: %s", strerror(errno));
    return -1;
}

struct job *threads_job(uint32_t worker)
{
    return &workers[worker].job;
}

void threads_go(uint32_t worker)
{
    atomic_store(&workers[worker].ended, 0);
    sem_post(&workers[worker].go);
}

int threads_ended(uint32_t worker)
{
    return atomic_exchange(&workers[worker].ended, 0);
}

void threads_kill(uint32_t worker)
{
    pthread_kill(workers[worker].thread, killing_signal());
}

uint32_t threads_by_id(uint32_t tid)
{
    for (uint32_t i = 0; i < WORKERS; i++) {
        if ((uint32_t)workers[i].tid == tid)
            return i;
    }
    return WORKERS;
}

int threads_bell(void)
{
    return bell;
}

void threads_heard(void)
{
    uint64_t count;
    while (read(bell, &count, sizeof count) > 0) {
    }
}

NO_COVERAGE_END
